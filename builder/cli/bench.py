"""`bench`: side-by-side measurements against llama-server from the same source."""

import importlib.util
import json
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from builder.errors import ToolError
from runtime.machine import physical_cores


@click.command(cls=Command, examples=["bench", "bench --rounds 20 --json"])
@click.option("--rounds", default=10, show_default=True, help="counted starts of each program")
@click.option("--ctx-size", "n_ctx", default=2048, show_default=True, help="tokens of context")
@click.option("--json", "as_json", is_flag=True, help="print the figures as JSON")
def bench(rounds: int, n_ctx: int, as_json: bool) -> None:
    """Time exec to first token, ours and llama-server's in turn, and print the ratio."""
    if importlib.util.find_spec("bench") is None:
        raise ToolError(
            "The benchmarks are not part of an installed solofile.",
            hint="Run `python3 build.py bench` in a clone of the project.",
        )
    from bench.cold_start import measure
    from bench.servers import llama_server, solofile_server
    from builder.demo import demo_source, make_demo
    from builder.llamacpp import llama_server as build_llama_server

    solofile = Path(make_demo(None).path)
    gguf = demo_source().fetch().files[0].path
    program = build_llama_server()
    n_threads = physical_cores()
    ours, theirs = measure(
        [
            solofile_server(solofile, n_ctx=n_ctx, n_threads=n_threads),
            llama_server(program, gguf, n_ctx=n_ctx, n_threads=n_threads),
        ],
        rounds=rounds,
    )
    pairs = [one / other for one, other in zip(ours.seconds, theirs.seconds, strict=True)]
    if as_json:
        figures = {starts.name: starts.seconds for starts in (ours, theirs)}
        console.result(json.dumps({"exec_to_first_token_s": figures, "ratios": pairs}))
        return
    console.result(f"exec to first token, {rounds} starts each, {n_threads} threads")
    for starts in (ours, theirs):
        spread = f"{min(starts.seconds):.3f} to {max(starts.seconds):.3f}"
        console.result(f"  {starts.name:14}{starts.median_s:.3f} s   ({spread})")
    console.result(f"  ratio         {sorted(pairs)[len(pairs) // 2]:.2f}     (median of pairs)")
