"""`run`: one answer to one prompt."""

import argparse
import sys

from runtime.cli.command import open_context
from runtime.errors import UsageError

SUMMARY = "Answer one prompt and end; what is piped in is added to it."
EXAMPLES = """\
  MODEL run "What is the capital of France?"
  MODEL run --temp 0 "Summarise this:" < report.txt"""
GROUPS = ("model", "sampling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="what to ask")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    parts = [" ".join(arguments.prompt)] if arguments.prompt else []
    if not sys.stdin.isatty():
        parts.append(sys.stdin.read().strip())
    prompt = "\n\n".join(part for part in parts if part)
    if not prompt:
        raise UsageError("There is no prompt.", hint='Give one, as in: run "Why is the sky blue?"')
    context = open_context(arguments)
    # Imported while the weights are mapped.
    from runtime.cli.answering import Answerer
    from runtime.engine.sequence import Finished
    from runtime.terminal.screen import AnswerView, Terminal

    answerer = Answerer(context)
    view = AnswerView(Terminal.of_stdout())
    for event in answerer.answer([{"role": "user", "content": prompt}]):
        if not isinstance(event, Finished):
            view.show(event)
    view.finish()
    answerer.close()
    return 0
