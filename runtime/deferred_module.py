"""Modules that others import, and that nothing at a start needs."""

import importlib
import importlib.util
import sys
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

_running = threading.RLock()


def defer(name: str, /, constants: Mapping[str, object] | None = None, **homes: str) -> None:
    """Make a module known without running it: that is done when one of its names is first used.

    The modules inside a package are imported as ever.

    Args:
        name: The module.
        constants: What some names in it stand for, where that is asked for before anything else.
        homes: Names in it that are taken from other modules, without running it.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is frozen in, or installed"
    module = importlib.util.module_from_spec(spec)

    def find(attribute: str) -> Any:
        if constants and attribute in constants:
            return constants[attribute]
        if attribute in homes:
            return getattr(importlib.import_module(homes[attribute]), attribute)
        # What the import system asks a package for is not used.
        if attribute.startswith("__"):
            raise AttributeError(f"{name} has no {attribute}")
        with _running:
            if module.__dict__.get("__getattr__") is find:
                del module.__dict__["__getattr__"]
                assert spec.loader is not None, f"{name} is no namespace"
                spec.loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = find
    sys.modules[name] = module
    package, _, child = name.rpartition(".")
    if package:
        setattr(sys.modules[package], child, module)


def type_variable(name: str, *bounds: Any, default: object = None, **options: Any) -> TypeVar:
    """Return a type variable; the default, which this Python may not know, is for checkers."""
    return TypeVar(name, *bounds, **options)
