"""The filter of system calls, run here as the kernel runs it, and its numbers."""

import re
import struct
from pathlib import Path

import pytest

from builder.native.toolchain import zig
from runtime.sandbox import calls
from runtime.sandbox.calls import LAST_KNOWN, MACHINES, REFUSED, Numbers
from runtime.sandbox.seccomp import SeccompError, assemble

PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003
PID = 4711

ALLOW, REFUSE, UNKNOWN, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
CLONE_THREAD = 0x10000


def _run(program: bytes, processor: int, number: int, *arguments: int) -> int:
    """Return what a filter decides on a call."""
    words = [number, processor, 0, 0]
    words += [word for one in (*arguments, 0, 0) for word in (one & 0xFFFFFFFF, one >> 32)]
    instructions = list(struct.iter_unpack("=HBBI", program))
    index = loaded = 0
    while True:
        code, yes, no, operand = instructions[index]
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            loaded = words[operand // 4]
            index += 1
            continue
        found = {0x15: loaded == operand, 0x25: loaded > operand, 0x45: bool(loaded & operand)}
        index += 1 + (yes if found[code] else no)


@pytest.mark.parametrize("machine", MACHINES)
def test_decisions(machine: str) -> None:
    """What is named is refused, what is newer is unknown, and all else goes through."""
    program = assemble(machine, PID)

    def of(numbers: Numbers) -> int | None:
        return numbers[MACHINES.index(machine)]

    def decide(numbers: Numbers | int, *arguments: int) -> int:
        number = numbers if isinstance(numbers, int) else of(numbers)
        assert number is not None, "asked for calls that both have"
        return _run(program, PROCESSORS[machine], number, *arguments)

    refused = {of(numbers) for numbers in REFUSED.values()} - {None}
    asked = {of(one) for one in (calls.CLONE, calls.CLONE3, calls.TGKILL)}
    for number in range(LAST_KNOWN + 1):
        if number not in asked:
            assert decide(number) == (REFUSE if number in refused else ALLOW), number
    assert decide(LAST_KNOWN + 1) == UNKNOWN
    # x86_64's second set of calls.
    assert decide(0x40000000) == UNKNOWN
    assert decide(calls.CLONE3) == UNKNOWN
    assert decide(calls.CLONE, CLONE_THREAD | 0x50F00) == ALLOW
    assert decide(calls.CLONE, 17) == REFUSE
    assert decide(calls.TGKILL, PID) == ALLOW
    assert decide(calls.TGKILL, PID + 1) == REFUSE
    assert decide(calls.IOCTL, 1, 0x5412) == REFUSE
    assert decide(calls.IOCTL, 1, 0x5401) == ALLOW
    assert _run(program, I386, 1) == KILL


def test_another_processor() -> None:
    """Where no numbers are known, nothing is filtered, and that is said."""
    with pytest.raises(SeccompError, match="no filter for this processor"):
        assemble("riscv64", PID)


@pytest.mark.parametrize(("machine", "headers"), [("x86_64", "x86"), ("aarch64", "aarch64")])
def test_numbers(machine: str, headers: str) -> None:
    """They are those of the kernel's headers, as Zig carries them."""
    folder = zig().parent / "lib" / "libc" / "include" / f"{headers}-linux-any"
    text = Path(folder, "asm", "unistd_64.h").read_text(encoding="utf-8")
    known = {name: int(number) for name, number in re.findall(r"__NR_(\w+)\s+(\d+)", text)}
    others = ("CLONE", "CLONE3", "IOCTL", "TGKILL", "SECCOMP")
    named = REFUSED | {name.lower(): getattr(calls, name) for name in others}
    index = MACHINES.index(machine)
    assert {name: numbers[index] for name, numbers in named.items()} == {
        name: known.get(name) for name in named
    }
    assert max(known.values()) == LAST_KNOWN
