"""Seccomp: system calls that a thread, and those that it starts from then on, may not make.

The filter is a program of the kernel's packet filter (`linux/seccomp.h`, `linux/filter.h`). It lets
through what it does not name: computing, memory, threads, accepted connections, opened files.
"""

import ctypes
import errno
import os
import struct

import msgspec

from runtime.sandbox.calls import (
    CLONE,
    CLONE3,
    IOCTL,
    LAST_KNOWN,
    REFUSED,
    SECCOMP,
    TGKILL,
    CallNumbers,
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


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def check() -> None:
    """See whether the kernel filters calls.

    Raises:
        SeccompError: It does not.
    """
    action = ctypes.c_uint32(_KILL_PROCESS)
    try:
        call(_number(SECCOMP, os.uname().machine), _GET_ACTION_AVAIL, 0, ctypes.byref(action))
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
    filter_ = assemble(machine, os.getpid())
    program = _Program(len(filter_) // _INSTRUCTION.size, filter_)
    flags = _SPEC_ALLOW | (_TSYNC if all_threads else 0)
    try:
        give_up_new_privileges()
        left = call(_number(SECCOMP, machine), _SET_MODE_FILTER, flags, ctypes.byref(program))
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
    program = _Assembler()
    program.add(_LOAD, _PROCESSOR_AT)
    program.add(_EQUAL, _PROCESSORS[machine], no="kill")
    program.add(_LOAD, _NUMBER_AT)
    # Among them those that begin at 0x40000000, which x86_64 has besides.
    program.add(_GREATER, LAST_KNOWN, yes="unknown")
    # Its flags lie where a filter cannot look; the C library then calls clone.
    program.add(_EQUAL, clone3, yes="unknown")
    program.add(_EQUAL, _number(CLONE, machine), yes="clone")
    program.add(_EQUAL, _number(IOCTL, machine), yes="ioctl")
    program.add(_EQUAL, _number(TGKILL, machine), yes="tgkill")
    for numbers in REFUSED.values():
        number = getattr(numbers, machine)
        if number is not None:
            program.add(_EQUAL, number, yes="refuse")
    program.add(_RETURN, _ALLOW)
    program.label("clone")
    program.add(_LOAD, _FIRST_AT)
    program.add(_HAS, _CLONE_THREAD, yes="allow", no="refuse")
    program.label("tgkill")
    program.add(_LOAD, _FIRST_AT)
    program.add(_EQUAL, pid, yes="allow", no="refuse")
    program.label("ioctl")
    program.add(_LOAD, _SECOND_AT)
    for request in _TYPING:
        program.add(_EQUAL, request, yes="refuse")
    program.label("allow")
    program.add(_RETURN, _ALLOW)
    program.label("refuse")
    program.add(_RETURN, _ERRNO | errno.EPERM)
    program.label("unknown")
    program.add(_RETURN, _ERRNO | errno.ENOSYS)
    program.label("kill")
    program.add(_RETURN, _KILL_PROCESS)
    return program.assembled()


def _number(numbers: CallNumbers, machine: str) -> int:
    """Return a call's number on a processor.

    Raises:
        SeccompError: There is no filter for it.
    """
    number = getattr(numbers, machine, None)
    if not isinstance(number, int):
        raise SeccompError("there is no filter for this processor")
    return number


class _Instruction(msgspec.Struct, frozen=True):
    code: int
    operand: int
    yes: str
    no: str


class _Assembler:
    """Instructions that jump to names further down."""

    def __init__(self) -> None:
        self._instructions: list[_Instruction] = []
        self._labels: dict[str, int] = {}

    def add(self, code: int, operand: int, *, yes: str = "", no: str = "") -> None:
        """Add an instruction; a jump without a name goes to the next one."""
        self._instructions.append(_Instruction(code, operand, yes, no))

    def label(self, name: str) -> None:
        """Name the next instruction."""
        self._labels[name] = len(self._instructions)

    def assembled(self) -> bytes:
        """Return the bytes; a jump says how many instructions it leaves out, at most 255."""
        return b"".join(
            _INSTRUCTION.pack(
                one.code, self._distance(index, one.yes), self._distance(index, one.no), one.operand
            )
            for index, one in enumerate(self._instructions)
        )

    def _distance(self, index: int, name: str) -> int:
        return self._labels[name] - index - 1 if name else 0
