"""`.args` in a llamafile: the arguments it gives itself, one on each line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import msgspec

from builder.defaults import typed_setting
from builder.sources.taken import Taken
from runtime.settings.option import Option
from runtime.settings.options import GROUPS, OPTIONS
from runtime.settings.values import GPU_SETTINGS

_OPTIONS = {flag: option for option in OPTIONS for flag in option.flags}
# Flags that name a file of the archive, and what it is.
_FILES = {
    "-m": "model", "--model": "model",
    "-mm": "projector", "--mmproj": "projector",
    "-md": "draft", "--model-draft": "draft", "--spec-draft-model": "draft",
    "--lora": "adapter",
}  # fmt: skip
# Stands for the arguments of whoever starts it.
_PLACEHOLDER = "..."
# What a llamafile is when it starts; a solofile has commands for these.
_MODES = {"--server", "--cli", "--chat", "--v1", "--v2"}
# llamafile and older versions of llama.cpp call them so.
_OTHER_NAMES = {"--nobrowser": "--no-browser", "-p": "-sys", "--prompt": "-sys"}


@dataclass(frozen=True, slots=True)
class LlamafileArguments:
    """What the arguments mean.

    Args:
        files: The names of files in the archive, by `model`, `projector`, `draft` or `adapter`.
        taken: The settings, and sentences on what is not taken over.
    """

    files: dict[str, list[str]] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)


def parse_arguments(text: str) -> LlamafileArguments:
    """Return what a llamafile's `.args` means."""
    parsed = LlamafileArguments()
    lines = [line for line in text.splitlines() if line and line != _PLACEHOLDER]
    is_cli = "--cli" in lines
    words = _Words(lines)
    for flag in words:
        if flag in _FILES:
            name = PurePosixPath(words.value()).name
            parsed.files.setdefault(_FILES[flag], []).append(name)
        elif flag in ("-p", "--prompt") and is_cli:
            _tell(parsed.taken, flag, words.value(), "it is a question, not a setting")
        elif flag not in _MODES:
            _take(parsed.taken, _OTHER_NAMES.get(flag, flag), words)
    return parsed


class _Words(Iterator[str]):
    """The arguments in turn; whoever knows that one has a value takes it, too."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._position = 0

    def __next__(self) -> str:
        if self._position == len(self._words):
            raise StopIteration
        self._position += 1
        return self._words[self._position - 1]

    def value(self) -> str:
        return next(self, "")

    def values_of_unknown(self) -> str:
        """Return all words up to the next flag: what a flag that is not known here has."""
        values = []
        while self._position < len(self._words) and not self._is_flag():
            values.append(next(self))
        return " ".join(values)

    def is_one_of(self, *words: str) -> bool:
        return self._words[self._position : self._position + 1] in [[word] for word in words]

    def _is_flag(self) -> bool:
        word = self._words[self._position]
        return word.startswith("-") and not word[1:2].isdigit()


def _take(taken: Taken, flag: str, words: _Words) -> None:
    option = _OPTIONS.get(flag)
    if option is None:
        _tell(taken, flag, words.values_of_unknown(), "it has no counterpart here")
        return
    value: str | bool
    if not option.metavar:
        value = not flag.startswith("--no-") and flag != "-nr"
    elif option.name == "flash_attn" and not words.is_one_of("on", "off", "auto"):
        value = "on"  # Older versions have no value there.
    else:
        value = words.value()
    why = _why_not(option, value)
    if why:
        _tell(taken, flag, value, why)
        return
    try:
        taken.settings[option.name] = typed_setting(option.name, value)
    except msgspec.ValidationError:
        _tell(taken, flag, value, "it is no value")


def _why_not(option: Option, value: str | bool) -> str:
    if option in GROUPS["server"] and option.name != "browser":
        return f"whoever starts it says so, or --set {option.flags[-1].lstrip('-')} at the build"
    if option.name in GPU_SETTINGS:
        return "what fits is chosen where it runs"
    if option.metavar in ("FILE", "DIR", "FILE:SCALE"):
        return "it names a file on the machine it runs on"
    if option.name == "chat_template" and "{" not in str(value) and value != "chatml":
        return "only jinja and chatml are known; the one in the weights is used"
    return ""


def _tell(taken: Taken, flag: str, value: str | bool, why: str) -> None:
    shown = f"{flag} {value}" if isinstance(value, str) and value else flag
    taken.notes.append(f"The llamafile's {shown} is not taken over: {why}.")
