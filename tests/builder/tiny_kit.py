"""A kit that looks like one: its launcher is a shell script that answers, its runtime noise."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from builder.kit.components import Component
from builder.kit.kit import INFO_NAME, LAUNCHER_NAME, Kit, KitInfo
from builder.targets import host_target
from runtime import __version__
from runtime.package import ENTRY_NAME

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
    components: Sequence[Component] = (),
) -> Kit:
    """Make a kit out of a launcher, in an existing folder; without a target for this one."""
    (folder / LAUNCHER_NAME).write_bytes(launcher)
    (folder / ENTRY_NAME).write_bytes(RUNTIME)
    return make_kit(
        folder, folder / LAUNCHER_NAME, target=target, solofile=solofile, components=components
    )


def make_kit(
    folder: Path,
    launcher: Path,
    *,
    target: str = "",
    solofile: str = __version__,
    components: Sequence[Component] = (),
) -> Kit:
    """Make a kit in a folder that has a `runtime.pkg`."""
    data, runtime = launcher.read_bytes(), (folder / ENTRY_NAME).read_bytes()
    info = KitInfo(
        target=target or host_target().name,
        solofile=solofile,
        python="3.11.7",
        llama_cpp_python="0.3.36",
        llama_cpp="0.5.0",
        llama_cpp_commit="0c1e57098",
        glibc="2.27",
        launcher_size=len(data),
        launcher_sha256=hashlib.sha256(data).hexdigest(),
        runtime_size=len(runtime),
        runtime_sha256=hashlib.sha256(runtime).hexdigest(),
        components=list(components),
    )
    kit = Kit(folder, info, origin="built")
    kit.launcher.write_bytes(data)
    (folder / INFO_NAME).write_bytes(msgspec.json.encode(info))
    return kit
