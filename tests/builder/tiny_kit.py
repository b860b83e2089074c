"""A kit that looks like one: its launcher is a shell script that answers, its runtime noise."""

import hashlib
from pathlib import Path

from builder.kit.kit import Kit, KitInfo
from builder.targets import host_target

ANSWERING = b"""#!/bin/sh
case "$*" in
  *--json*) echo '{"text":"Paris is the capital of France.","tokens":[7],"logprobs":[-0.1]}';;
  *) echo Paris is the capital of France.;;
esac
exit 0
"""
RUNTIME = bytes(range(256)) * 50


def make_tiny_kit(folder: Path, *, launcher: bytes = ANSWERING) -> Kit:
    """Make a kit for this machine out of a launcher, in an existing folder."""
    info = KitInfo(
        target=host_target().name,
        solofile="0.1.0",
        python="3.11.7",
        llama_cpp_python="0.3.36",
        llama_cpp="0.5.0",
        llama_cpp_commit="0c1e57098",
        glibc="2.27",
        launcher_size=len(launcher),
        launcher_sha256=hashlib.sha256(launcher).hexdigest(),
        runtime_size=len(RUNTIME),
        runtime_sha256=hashlib.sha256(RUNTIME).hexdigest(),
    )
    kit = Kit(folder, info, is_imported=False)
    kit.launcher.write_bytes(launcher)
    kit.runtime_pkg.write_bytes(RUNTIME)
    return kit
