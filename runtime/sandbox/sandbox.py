"""The sandbox of an answering process: what it consists of, what is on, and why the rest is not."""

import logging
import sys
from collections.abc import Callable

import msgspec

from runtime.errors import UnsupportedError, UsageError
from runtime.sandbox.reach import Reach

logger = logging.getLogger(__name__)

MODES = ("auto", "on", "off")
ON = "on"
_NOT_ASKED = "off: --sandbox off"
_OTHER_SYSTEM = "off: only Linux has what it takes"
_TCP_ONLY = "TCP only"
_WITH_GPUS = "off: GPU drivers open files of their own; --device none keeps them away"
_LOADING = "off: GPU drivers may need it until the model is loaded"
_NAMED = "off: what is typed may name any"


class Sandbox(msgspec.Struct):
    """What the process has given up; each part is `on`, or says why it is not.

    Args:
        files: Opening files beside those that answering needs.
        network: Making sockets and connections.
        programs: Starting programs, and all else in `calls.py`.
    """

    files: str = _NOT_ASKED
    network: str = _NOT_ASKED
    programs: str = _NOT_ASKED

    def missing(self) -> dict[str, str]:
        """Return the parts that are not on, and why."""
        parts: dict[str, str] = msgspec.structs.asdict(self)
        return {name: state for name, state in parts.items() if state != ON}

    def seal(self) -> None:
        """Give up what had to wait until the model was loaded, in all threads."""
        if self.programs != _LOADING:
            return
        from runtime.sandbox import seccomp

        try:
            seccomp.restrict(all_threads=True)
        except seccomp.SeccompError as error:
            self.network = self.programs = f"off: {error}"
        else:
            self.network = self.programs = ON
        self._log()

    def _log(self) -> None:
        for name, why in self.missing().items():
            if why != _LOADING:
                logger.info("Sandbox: %s %s", name, why)


def possible_here() -> Sandbox:
    """Return what this system lets a process give up that serves and uses no GPU."""
    if sys.platform != "linux":
        return _all(_OTHER_SYSTEM)
    from runtime.sandbox import landlock, seccomp

    return _tried(landlock.version, seccomp.check)


def enter(mode: str, reach: Reach | None, *, uses_gpus: bool) -> Sandbox:
    """Give up what answering does not need, in this thread and those that it starts from now on.

    Args:
        mode: `auto` gives up what this system lets us, `on` all or nothing, `off` nothing.
        reach: The files that stay; None leaves all, where people name some while it runs.
        uses_gpus: Whether drivers of GPUs are to be loaded. They need more than is known here, so
            then nothing is given up before `seal`.

    Raises:
        UsageError: The mode is unknown.
        UnsupportedError: All was asked for, and this system cannot.
    """
    if mode not in MODES:
        raise UsageError(f"--sandbox is {mode!r}.", hint=f"It is {', '.join(MODES)}.")
    if mode == "off":
        return Sandbox()
    sandbox = _with_gpus() if uses_gpus else _entered(reach)
    missing = {name: why for name, why in sandbox.missing().items() if why != _NAMED}
    if mode == "on" and missing:
        name, why = next(iter(missing.items()))
        raise UnsupportedError(
            f"--sandbox on cannot be had: {name} {why}.",
            hint="With --sandbox auto it starts with what there is of it.",
        )
    sandbox._log()
    return sandbox


def _with_gpus() -> Sandbox:
    sandbox = possible_here()
    if sys.platform == "linux":
        sandbox.files = _WITH_GPUS
    if sandbox.programs == ON:
        sandbox.network = sandbox.programs = _LOADING
    return sandbox


def _entered(reach: Reach | None) -> Sandbox:
    if sys.platform != "linux":
        return _all(_OTHER_SYSTEM)
    from runtime.sandbox import landlock, seccomp

    return _tried(
        (lambda: landlock.restrict_thread(reach.with_program())) if reach else None,
        lambda: seccomp.restrict(all_threads=False),
    )


def _tried(keep_to_files: Callable[[], int] | None, refuse_calls: Callable[[], None]) -> Sandbox:
    """Return what came of two attempts.

    Args:
        keep_to_files: Returns the version of Landlock, or raises LandlockError; None leaves files.
        refuse_calls: Raises SeccompError where the kernel does not do it.
    """
    from runtime.sandbox.landlock import LandlockError, keeps_from_tcp
    from runtime.sandbox.seccomp import SeccompError

    files, has_no_tcp = _NAMED, False
    try:
        if keep_to_files:
            has_no_tcp = keeps_from_tcp(keep_to_files())
            files = ON
    except LandlockError as error:
        files = f"off: {error}"
    try:
        refuse_calls()
    except SeccompError as error:
        off = f"off: {error}"
        return Sandbox(files, _TCP_ONLY if has_no_tcp else off, off)
    return Sandbox(files, ON, ON)


def _all(state: str) -> Sandbox:
    return Sandbox(state, state, state)
