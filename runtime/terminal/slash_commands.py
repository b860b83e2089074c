"""The commands that begin with a slash."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from runtime.errors import RequestError
from runtime.settings.values import SAMPLING_SETTINGS, Settings
from runtime.terminal.message_text import BLOCK
from runtime.terminal.session import Session

_VERBOSE = "verbose"
_SETTINGS = ("predict", "seed", *SAMPLING_SETTINGS)


class LeaveError(Exception):
    """The user wants to leave."""


class SlashCommand(msgspec.Struct, frozen=True):
    """One command.

    Args:
        names: What it is called; the first is shown in the help.
        arguments: What follows it, for the help.
        summary: What it does.
        run: Takes the conversation and what follows the name; returns what is to be said.
        takes_path: Whether a path follows.
    """

    names: tuple[str, ...]
    arguments: str
    summary: str
    run: Callable[[Session, str], str]
    takes_path: bool = False


def run_command(session: Session, line: str) -> str:
    """Run a line that begins with a slash, and return what is to be said of it.

    Raises:
        AppError: There is no such command, or it cannot be done.
        LeaveError: The user wants to leave.
    """
    name, _, argument = line.strip().partition(" ")
    command = _BY_NAME.get(name)
    if command is None:
        raise RequestError(f"{name} is no command.", hint="/help shows them.")
    return command.run(session, argument.strip())


def is_command(text: str) -> bool:
    """Say whether a message is a command: a path that is typed as a message is none."""
    return text.startswith("/") and "/" not in text.split(maxsplit=1)[0][1:]


def takes_path(name: str) -> bool:
    """Say whether a path follows a command's name."""
    return name in _BY_NAME and _BY_NAME[name].takes_path


def _help(_session: Session, _argument: str) -> str:
    shown = [(f"{command.names[0]} {command.arguments}", command.summary) for command in COMMANDS]
    width = max(len(usage) for usage, _ in shown)
    lines = [f"  {usage:{width}}  {summary}" for usage, summary in shown]
    return "\n".join(
        [
            *lines,
            "",
            f"A line that ends in \\ goes on in the next one, and {BLOCK} begins and ends a block.",
            "Ctrl-C stops an answer; Ctrl-D ends.",
        ]
    )


def _system(session: Session, text: str) -> str:
    if text:
        session.system = text
        return "The system message is set."
    return session.system or session.settings.system_prompt or "There is no system message."


def _set(session: Session, argument: str) -> str:
    if not argument:
        return _shown(session)
    name, _, text = argument.replace("=", " ", 1).partition(" ")
    name = name.strip().lstrip("-").replace("-", "_")
    text = text.strip()
    if name == _VERBOSE:
        session.is_verbose = _yes(text)
        return ""
    if name not in _SETTINGS:
        known = ", ".join(sorted(known.replace("_", "-") for known in (_VERBOSE, *_SETTINGS)))
        raise RequestError(f"{name} is no setting here.", hint=f"There are {known}.")
    try:
        value = getattr(msgspec.convert({name: text}, Settings, strict=False), name)
    except msgspec.ValidationError as error:
        raise RequestError(f"{text!r} is no {name}: {error}.") from error
    session.change(replace(session.settings, **{name: value}))
    return ""


def _shown(session: Session) -> str:
    values = [(name, getattr(session.settings, name)) for name in _SETTINGS]
    lines = [f"  {name.replace('_', '-')} {value}" for name, value in values if value is not None]
    return "\n".join([f"  {_VERBOSE} {'on' if session.is_verbose else 'off'}", *lines])


def _yes(text: str) -> bool:
    words = {"": True, "on": True, "true": True, "off": False, "false": False}
    if text.lower() not in words:
        raise RequestError(f"{text!r} is neither on nor off.")
    return words[text.lower()]


def _save(session: Session, argument: str) -> str:
    path = _path(argument, "/save")
    session.save(path)
    return f"Saved {_count(session.num_messages)} to {path}."


def _load(session: Session, argument: str) -> str:
    path = _path(argument, "/load")
    session.load(path)
    return f"Loaded {_count(session.num_messages)} from {path}."


def _file(session: Session, argument: str) -> str:
    path = _path(argument, "/file")
    session.attach(path)
    return f"{path.name} goes with the next message."


def _regenerate(session: Session, _argument: str) -> str:
    return session.say_again()


def _clear(session: Session, _argument: str) -> str:
    session.clear()
    return "New conversation."


def _leave(_session: Session, _argument: str) -> str:
    raise LeaveError


def _path(text: str, command: str) -> Path:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    if not text:
        raise RequestError(f"{command} wants a path.", hint=f"Write it as in {command} notes.txt.")
    return Path(text).expanduser()


def _count(number: int) -> str:
    return f"{number} message{'' if number == 1 else 's'}"


COMMANDS = (
    SlashCommand(("/help", "/?"), "", "show this", _help),
    SlashCommand(("/system",), "[TEXT]", "show or set the system message", _system),
    SlashCommand(("/set",), "[NAME VALUE]", "show or change settings, as temp, top-k, seed", _set),
    SlashCommand(("/file",), "PATH", "attach a text or an image", _file, takes_path=True),
    SlashCommand(("/regen",), "", "answer the last message anew", _regenerate),
    SlashCommand(("/save",), "PATH", "write the conversation to a file", _save, takes_path=True),
    SlashCommand(("/load",), "PATH", "take up a saved conversation", _load, takes_path=True),
    SlashCommand(("/clear",), "", "begin a new conversation", _clear),
    SlashCommand(("/bye", "/exit", "/quit"), "", "end", _leave),
)
_BY_NAME = {name: command for command in COMMANDS for name in command.names}
NAMES = tuple(_BY_NAME)
