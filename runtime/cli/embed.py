"""`embed`: the embedding of one text."""

import argparse
import json
import queue
import sys

from runtime.cli.command import answer
from runtime.cli.sandbox_settings import open_confined
from runtime.errors import UsageError

SUMMARY = "Print the embedding of a text as a JSON list; what is piped in is the text."
EXAMPLES = """\
  MODEL embed "The weather is lovely today."
  MODEL embed --embd-normalize -1 < report.txt"""
GROUPS = ("model",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="what to embed")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    text = " ".join(arguments.text) or ("" if sys.stdin.isatty() else sys.stdin.read().strip())
    if not text:
        raise UsageError("There is no text.", hint='Give one, as in: embed "Good morning."')
    context, sandbox = open_confined(arguments)
    # Imported while the weights are mapped.
    from runtime.cli.engine_settings import start_engine
    from runtime.engine.embedding import EmbeddingEvent, EmbeddingRequest
    from runtime.engine.sequence import Failed

    engine = start_engine(context)
    model = engine.model
    sandbox.seal()
    tokens = model.tokenize(text, add_special=True, parse_special=True)
    events: queue.Queue[EmbeddingEvent] = queue.Queue()
    engine.embed(EmbeddingRequest([tokens], context.settings.embd_normalize), events.put)
    event = events.get()
    if isinstance(event, Failed):
        raise event.error
    vectors = event.embeddings[0].vectors
    answer(json.dumps(vectors[0] if len(vectors) == 1 else vectors))
    return 0
