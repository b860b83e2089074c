"""The files that a process in the sandbox may still open."""

import sys
from pathlib import Path

import msgspec

# What the C library, llama.cpp and Python read of a system while they run: shared libraries, the
# time zone, OpenSSL's settings (for digests, too), facts of processor and memory.
_OF_THE_SYSTEM = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
)


class Reach(msgspec.Struct, frozen=True):
    """Paths by what may be done there; those that do not exist are no mistake.

    Args:
        reads: Files and folders to read, with all that is in them.
        writes: Files, which are there, to read and write.
        folders: Folders in which files may be read, written, made and removed.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def with_program(self) -> "Reach":
        """Return this and what any such process needs: its own program and the system's part."""
        return Reach(
            (*_OF_THE_SYSTEM, *_program(), *self.reads),
            ("/dev/null", *self.writes),
            self.folders,
        )


def _program() -> tuple[str, ...]:
    if frozen := getattr(sys, "_MEIPASS", None):
        return (frozen,)
    # Run from source: what may still be imported.
    root = Path(__file__).parents[2]
    return (str(root), sys.prefix, sys.base_prefix, *(path or "." for path in sys.path))
