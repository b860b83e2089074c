"""`bench`: side-by-side measurements against llama-server from the same source."""

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder import console
from builder.cli.command import Command
from builder.errors import ToolError
from runtime.machine import physical_cores

if TYPE_CHECKING:
    from bench.servers import Server


@click.command(cls=Command, examples=["bench", "bench --shared-prefix --rounds 3 --json"])
@click.option("--rounds", default=10, show_default=True, help="counted rounds of each program")
@click.option("--ctx-size", "n_ctx", default=2048, show_default=True, help="tokens of context")
@click.option(
    "--shared-prefix", is_flag=True, help="compare 8 clients that share a long prompt instead"
)
@click.option("--json", "as_json", is_flag=True, help="print the figures as JSON")
def bench(rounds: int, n_ctx: int, shared_prefix: bool, as_json: bool) -> None:
    """Time exec to first token, ours and llama-server's in turn, and print the ratio."""
    if importlib.util.find_spec("bench") is None:
        raise ToolError(
            "The benchmarks are not part of an installed solofile.",
            hint="Run `python3 build.py bench` in a clone of the project.",
        )
    if shared_prefix:
        _bench_shared_prefix(rounds, as_json=as_json)
    else:
        _bench_start(rounds, n_ctx, as_json=as_json)


def _bench_start(rounds: int, n_ctx: int, *, as_json: bool) -> None:
    from bench.cold_start import measure

    n_threads = physical_cores()
    ours, theirs = measure(_servers(n_ctx, n_threads, 4), rounds=rounds)
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


def _bench_shared_prefix(rounds: int, *, as_json: bool) -> None:
    from bench.shared_prefix import N_CTX, NUM_CLIENTS, measure

    n_threads = physical_cores()
    ours, theirs = measure(_servers(N_CTX, n_threads, NUM_CLIENTS), rounds=rounds)
    pairs = [one / other for one, other in zip(ours.tokens_per_s, theirs.tokens_per_s, strict=True)]
    if as_json:
        figures = {rates.name: rates.tokens_per_s for rates in (ours, theirs)}
        console.result(json.dumps({"shared_prefix_tokens_per_s": figures, "ratios": pairs}))
        return
    console.result(
        f"{NUM_CLIENTS} clients at once, prompts of {ours.prompt_tokens} tokens that begin alike, "
        f"cold; {rounds} rounds each, {n_threads} threads"
    )
    for rates in (ours, theirs):
        spread = f"{min(rates.tokens_per_s):.1f} to {max(rates.tokens_per_s):.1f}"
        console.result(f"  {rates.name:14}{rates.median:.1f} tokens/s   ({spread})")
    console.result(f"  ratio         {sorted(pairs)[len(pairs) // 2]:.2f}     (median of pairs)")


def _servers(n_ctx: int, n_threads: int, num_clients: int) -> "list[Server]":
    from bench.servers import llama_server, solofile_server
    from builder.demo import demo_source, make_demo
    from builder.llamacpp import llama_server as build_llama_server

    solofile = Path(make_demo(None).path)
    gguf = demo_source().fetch().files[0].path
    program = build_llama_server()
    size = {"n_ctx": n_ctx, "n_threads": n_threads, "num_clients": num_clients}
    return [solofile_server(solofile, **size), llama_server(program, gguf, **size)]
