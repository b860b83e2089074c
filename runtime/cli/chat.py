"""`chat`: a conversation in the terminal."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from runtime.cli.command import answer, open_context, say

if TYPE_CHECKING:
    from runtime.cli.answering import Answerer

SUMMARY = "Talk with the model in this terminal."
EXAMPLES = """\
  MODEL chat
  MODEL chat -sys "You answer like a pirate." --temp 0.9"""
GROUPS = ("model", "sampling")

HELP = "/clear begins a new conversation, /exit or Ctrl-D ends, Ctrl-C stops an answer."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives input() line editing and history

    context = open_context(arguments)
    # Imported while the weights are mapped.
    from runtime.cli.answering import Answerer

    messages: list[dict[str, str]] = []
    answerer = Answerer(context)
    say(f"{context.payload.name}, {answerer.n_ctx} tokens of context. {HELP}")
    while (line := _read_line()) is not None:
        match line:
            case "":
                pass
            case "/exit":
                break
            case "/clear":
                messages.clear()
                say("New conversation.")
            case "/help":
                say(HELP)
            case _:
                messages.append({"role": "user", "content": line})
                messages.append({"role": "assistant", "content": _speak(answerer, messages)})
    answerer.close()
    return 0


def _read_line() -> str | None:
    """Return the next line, the empty text after Ctrl-C, None at the end."""
    try:
        return input("> ").strip()
    except EOFError:
        answer("")
        return None
    except KeyboardInterrupt:
        answer("")
        return ""


def _speak(answerer: "Answerer", messages: list[dict[str, str]]) -> str:
    """Print the answer as it comes and return it; Ctrl-C keeps what there is."""
    spoken = []
    texts = answerer.answer(messages)
    try:
        for text in texts:
            spoken.append(text)
            answer(text, end="")
    except KeyboardInterrupt:
        pass
    finally:
        texts.close()
    answer("")
    return "".join(spoken)
