"""What a result was measured on and with."""

import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.environments import LLAMA_CPP_PYTHON, TRANSFORMERS
from builder.native import llamacpp
from runtime import __version__
from runtime.machine import memory_total_bytes, physical_cores


def machine_facts() -> dict[str, Any]:
    """Return what this machine is, and how busy it was a moment ago."""
    return {
        "cpu": _cpu_model(),
        "physical_cores": physical_cores(),
        "memory_bytes": memory_total_bytes(),
        "system": platform.platform(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, Any]:
    """Return the version of everything that is compared."""
    return {
        "solofile": __version__,
        "python": platform.python_version(),
        "llama.cpp": f"{llamacpp.LLAMA_CPP_VERSION} ({llamacpp.LLAMA_CPP_COMMIT})",
        "llama-cpp-python": [f"llama-cpp-python=={llamacpp.VERSION}", *LLAMA_CPP_PYTHON],
        "transformers": TRANSFORMERS,
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or sys.platform
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return model[1] if model else platform.machine()
