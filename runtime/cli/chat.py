"""`chat`: a conversation in the terminal."""

import argparse
import sys

from runtime.cli.command import say
from runtime.cli.sandbox_settings import open_confined

SUMMARY = "Talk with the model in this terminal; lines that are piped in are messages."
EXAMPLES = """\
  MODEL chat
  MODEL chat -sys "You answer like a pirate." --temp 0.9
  echo "Name three rivers." | MODEL chat"""
GROUPS = ("model", "sampling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    context, sandbox = open_confined(arguments, names_files=True)
    # Imported while the weights are mapped.
    from runtime.cli.answering import Answerer
    from runtime.terminal.conversing import converse

    answerer = Answerer(context, sandbox)
    if sys.stdin.isatty():
        say(f"{answerer.name}, {answerer.n_ctx} tokens of context. /help shows what can be typed.")
    code = converse(answerer)
    answerer.close()
    return code
