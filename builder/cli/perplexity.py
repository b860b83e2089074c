"""`perplexity`: how surprised a model is by a text, as llama-perplexity tells it."""

from pathlib import Path

import click

from builder import console
from builder.cli.chunk_flags import chunk_flags
from builder.cli.command import Command


@click.command(
    cls=Command,
    examples=["perplexity model.gguf", "perplexity chat -f text.txt --chunks 20 --json"],
)
@click.argument("source", metavar="MODEL")
@click.option(
    "-f", "--file", "text", type=click.Path(path_type=Path), default=None,
    help="text to read; some pages of a novel by default",
)  # fmt: skip
@chunk_flags
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
def perplexity(
    source: str, text: Path | None, max_chunks: int | None, n_threads: int | None, as_json: bool
) -> None:
    """Measure how surprised MODEL is by a text: the lower, the better.

    MODEL is a source as `build` takes it, a solofile too. Numbers of different vocabularies cannot
    be compared.
    """
    from builder.quality.perplexity import TEXT, measure_perplexity
    from builder.quality.text_file import read_text
    from builder.sources.parse import parse_source

    read_text(text or TEXT)
    fetched = parse_source(source).fetch()
    found = measure_perplexity(
        [file.data for file in fetched.files],
        text or TEXT,
        name=fetched.files[0].name,
        max_chunks=max_chunks or 0,
        n_threads=n_threads or 0,
    )
    if as_json:
        facts = {
            "perplexity": round(found.value, 4), "error": round(found.error, 4),
            "tokens": len(found.losses),
        }  # fmt: skip
        console.result_json(facts)
    else:
        console.result(f"{found.value:.4f} ± {found.error:.4f} ({len(found.losses)} tokens)")
