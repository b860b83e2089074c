"""Packages whose `__init__` imports far more than we use of them."""

import importlib
import importlib.util
import sys
import types
from typing import Any


def skip_init(name: str, **homes: str) -> None:
    """Make a package known without running its `__init__`; its modules are imported as ever.

    Args:
        name: The package.
        homes: Names that its own modules expect in it, and the modules they are from.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is frozen in, or installed"
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations or [])

    def find(attribute: str) -> Any:
        if attribute not in homes:
            raise AttributeError(f"{name} has no {attribute}")
        return getattr(importlib.import_module(homes[attribute]), attribute)

    package.__dict__["__getattr__"] = find
    sys.modules[name] = package
