"""Seccomp: system calls that a thread, and those that it starts from then on, may not make.

The filter is a program of the kernel's packet filter (`linux/seccomp.h`, `linux/filter.h`). It lets
through what it does not name: computing, memory, threads, accepted connections, opened files.
"""

import ctypes
import errno
import os
import struct

from runtime.sandbox.calls import (
    CLONE,
    CLONE3,
    IOCTL,
    LAST_KNOWN,
    MACHINES,
    REFUSED,
    SECCOMP,
    TGKILL,
    Numbers,
)
from runtime.sandbox.kernel import call, give_up_new_privileges

_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
# To all threads, or to none.
_TSYNC = 1 << 0
# Without it older kernels make a filtered process slower, against code that guesses (Spectre).
_SPEC_ALLOW = 1 << 2

_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
# Instructions, as code: load a word, jump if equal, greater, or a bit is set; return.
_LOAD, _EQUAL, _GREATER, _HAS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_INSTRUCTION = struct.Struct("=HBBI")
# How many there are, and where (`struct sock_fprog`).
_FILTER = struct.Struct("@HP")
# Where the words lie that describe a call (`struct seccomp_data`); of arguments the lower halves.
_NUMBER_AT, _PROCESSOR_AT, _FIRST_AT, _SECOND_AT = 0, 4, 16, 24

# AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. Calls as another processor makes them, such as those of
# 32 bits, have other numbers.
_PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_CLONE_THREAD = 0x00010000
# TIOCSTI and TIOCLINUX type into the terminal.
_TYPING = (0x5412, 0x541C)

_WHY_NOT = {
    errno.ENOSYS: "this kernel has no seccomp",
    errno.EINVAL: "this kernel has no seccomp filters",
}


class SeccompError(Exception):
    """The kernel has no seccomp for us; the text says why."""


def check() -> None:
    """See whether the kernel filters calls.

    Raises:
        SeccompError: It does not.
    """
    action = struct.pack("=I", _KILL_PROCESS)
    try:
        call(_number(SECCOMP, os.uname().machine), _GET_ACTION_AVAIL, 0, action)
    except OSError as error:
        raise SeccompError(_WHY_NOT.get(error.errno or 0, str(error.strerror))) from error


def restrict(*, all_threads: bool) -> None:
    """Refuse calls that serving does not need: to this thread and those that it starts from now on.

    Args:
        all_threads: To those that run already, too.

    Raises:
        SeccompError: The kernel does not do it.
    """
    check()
    machine = os.uname().machine
    program = ctypes.create_string_buffer(assemble(machine, os.getpid()))
    count = len(program) // _INSTRUCTION.size
    flags = _SPEC_ALLOW | (_TSYNC if all_threads else 0)
    try:
        give_up_new_privileges()
        filter_ = _FILTER.pack(count, ctypes.addressof(program))
        left = call(_number(SECCOMP, machine), _SET_MODE_FILTER, flags, filter_)
    except OSError as error:
        raise SeccompError(f"seccomp refuses: {error.strerror}") from error
    if left:
        raise SeccompError(f"seccomp does not reach thread {left}")


def assemble(machine: str, pid: int) -> bytes:
    """Return the filter as the kernel takes it.

    Args:
        machine: The processor, as `uname` has it.
        pid: The process that may signal its own threads.

    Raises:
        SeccompError: There is no filter for the processor.
    """
    clone3 = _number(CLONE3, machine)
    program = _Program()
    program.ends(_KILL_PROCESS, "kill")
    program.ends(_ERRNO | errno.ENOSYS, "unknown")
    program.ends(_ERRNO | errno.EPERM, "refuse")
    program.ends(_ALLOW, "allow")
    for request in _TYPING:
        program.begins(_EQUAL, request, yes="refuse")
    program.begins(_LOAD, _SECOND_AT, name="ioctl")
    program.begins(_EQUAL, pid, yes="allow", no="refuse")
    program.begins(_LOAD, _FIRST_AT, name="tgkill")
    program.begins(_HAS, _CLONE_THREAD, yes="allow", no="refuse")
    program.begins(_LOAD, _FIRST_AT, name="clone")
    program.ends(_ALLOW)
    for numbers in REFUSED.values():
        number = numbers[MACHINES.index(machine)]
        if number is not None:
            program.begins(_EQUAL, number, yes="refuse")
    program.begins(_EQUAL, _number(TGKILL, machine), yes="tgkill")
    program.begins(_EQUAL, _number(IOCTL, machine), yes="ioctl")
    program.begins(_EQUAL, _number(CLONE, machine), yes="clone")
    # Its flags lie where a filter cannot look; the C library then calls clone.
    program.begins(_EQUAL, clone3, yes="unknown")
    # Among them those that begin at 0x40000000, which x86_64 has besides.
    program.begins(_GREATER, LAST_KNOWN, yes="unknown")
    program.begins(_LOAD, _NUMBER_AT)
    program.begins(_EQUAL, _PROCESSORS[machine], no="kill")
    program.begins(_LOAD, _PROCESSOR_AT)
    return program.assembled()


def _number(numbers: Numbers, machine: str) -> int:
    """Return a call's number on a processor.

    Raises:
        SeccompError: There is no filter for it.
    """
    number = numbers[MACHINES.index(machine)] if machine in MACHINES else None
    if number is None:
        raise SeccompError("there is no filter for this processor")
    return number


class _Program:
    """A filter that is written from its end to its beginning, as jumps lead forward alone."""

    def __init__(self) -> None:
        self._reversed: list[bytes] = []
        self._places: dict[str, int] = {}

    def begins(
        self, code: int, operand: int, *, yes: str = "", no: str = "", name: str = ""
    ) -> None:
        """Put an instruction before the others.

        Args:
            code: What it does.
            operand: With what.
            yes: Where it jumps to if so; without a name to the next one.
            no: Where it jumps to if not.
            name: What others call it.
        """
        self._places[name] = len(self._reversed)
        self._reversed.append(
            _INSTRUCTION.pack(code, self._distance(yes), self._distance(no), operand)
        )

    def ends(self, result: int, name: str = "") -> None:
        """Put an instruction before the others that decides."""
        self.begins(_RETURN, result, name=name)

    def assembled(self) -> bytes:
        """Return the bytes."""
        return b"".join(reversed(self._reversed))

    def _distance(self, name: str) -> int:
        """Return how many instructions a jump leaves out, at most 255."""
        return len(self._reversed) - self._places[name] - 1 if name else 0
