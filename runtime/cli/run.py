"""`run`: one answer to one prompt."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from runtime.cli.command import answer
from runtime.cli.sandbox_settings import open_confined
from runtime.errors import UsageError

if TYPE_CHECKING:
    from runtime.cli.answering import Answerer

SUMMARY = "Answer one prompt and end; what is piped in is added to it."
EXAMPLES = """\
  MODEL run "What is the capital of France?"
  MODEL run --temp 0 "Summarise this:" < report.txt"""
GROUPS = ("model", "sampling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="what to ask")
    parser.add_argument(
        "--json",
        action="store_true",
        dest="as_json",
        help="print each token as a line of JSON, with the logarithm of its probability",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    parts = [" ".join(arguments.prompt)] if arguments.prompt else []
    if not sys.stdin.isatty():
        parts.append(sys.stdin.read().strip())
    prompt = "\n\n".join(part for part in parts if part)
    if not prompt:
        raise UsageError("There is no prompt.", hint='Give one, as in: run "Why is the sky blue?"')
    context, sandbox = open_confined(arguments)
    # Imported while the weights are mapped.
    from runtime.cli.answering import Answerer

    answerer = Answerer(context, sandbox)
    messages = [{"role": "user", "content": prompt}]
    (_print_tokens if arguments.as_json else _show)(answerer, messages)
    answerer.close()
    return 0


def _show(answerer: "Answerer", messages: list[dict[str, Any]]) -> None:
    from runtime.engine.sequence import Finished
    from runtime.terminal.screen import AnswerView, Terminal

    view = AnswerView(Terminal.of_stdout())
    for event in answerer.answer(messages):
        if not isinstance(event, Finished):
            view.show(event)
    view.finish()


def _print_tokens(answerer: "Answerer", messages: list[dict[str, Any]]) -> None:
    import msgspec

    for delta in answerer.tokens(messages):
        # What is no number becomes null.
        logprobs = [choice.chosen.logprob for choice in delta.choices]
        line = {"text": delta.text, "tokens": delta.tokens, "logprobs": logprobs}
        answer(msgspec.json.encode(line).decode())
