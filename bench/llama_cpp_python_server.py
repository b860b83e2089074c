"""Runs llama-cpp-python's own server on libraries whose CPU backend is a file of its own.

Run by an environment of its own; the binding would look for a backend linked into libllama.
"""

import ctypes
import os
from pathlib import Path


def main() -> None:
    """Load the backend that suits this processor, and hand over to the server."""
    folder = Path(os.environ["LLAMA_CPP_LIB_PATH"])
    ggml = ctypes.CDLL(str(next(folder.glob("*ggml.so.0"))))
    ggml.ggml_backend_load_all_from_path(str(folder).encode())
    from llama_cpp.server.__main__ import main as serve

    serve()


if __name__ == "__main__":
    main()
