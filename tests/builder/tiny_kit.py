"""A kit that looks like one: its launcher is a shell script that answers, its runtime noise."""

import hashlib
from pathlib import Path

import msgspec

from builder.kit.kit import INFO_NAME, Kit, KitInfo
from builder.targets import host_target
from runtime import __version__

ANSWERING = b"""#!/bin/sh
case "$*" in
  *--json*) echo '{"text":"Paris is the capital of France.","tokens":[7],"logprobs":[-0.1]}';;
  *) echo Paris is the capital of France.;;
esac
exit 0
"""
RUNTIME = bytes(range(256)) * 50


def make_tiny_kit(
    folder: Path,
    *,
    launcher: bytes = ANSWERING,
    target: str = "",
    solofile: str = __version__,
) -> Kit:
    """Make a kit out of a launcher, in an existing folder; without a target for this one."""
    info = KitInfo(
        target=target or host_target().name,
        solofile=solofile,
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
    kit = Kit(folder, info, origin="built")
    kit.launcher.write_bytes(launcher)
    kit.runtime_pkg.write_bytes(RUNTIME)
    (folder / INFO_NAME).write_bytes(msgspec.json.encode(info))
    return kit
