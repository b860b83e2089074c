"""llama-server of the same source, where it was built for comparison."""

from pathlib import Path

import pytest

from builder.native.llamacpp import SERVER, VERSION
from runtime.user_folders import user_cache_dir


def built_llama_server() -> Path:
    """Return the program, or skip the test where it was not built."""
    folder = user_cache_dir() / "llamacpp" / VERSION
    built = sorted(folder.glob(f"server-*/{SERVER}"))
    if not built:
        pytest.skip("llama-server was not built")
    return built[0]
