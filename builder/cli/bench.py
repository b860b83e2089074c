"""`bench`: workloads on the demo's solofile and on the programs people compare it with."""

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder import console
from builder.cli.command import Command
from builder.errors import ToolError
from builder.files import atomic_file
from runtime.errors import UsageError
from runtime.machine import physical_cores

if TYPE_CHECKING:
    from bench.report import Results

DEFAULT_OUTPUT = Path("dist/bench")
OTHERS = ("llama-server", "llama-server-no-repack", "llama-cpp-python", "transformers")


@click.command(
    cls=Command,
    examples=[
        "bench",
        "bench decode clients --rounds 5",
        "bench chat --against llama-server --against transformers",
        "bench --list",
    ],
)
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--rounds", default=3, show_default=True, help="counted rounds of each program",
              type=click.IntRange(min=1))  # fmt: skip
@click.option(
    "--against", "others", multiple=True, type=click.Choice(OTHERS), default=["llama-server"],
    show_default=True, help="what to compare with; give it once for each",
)  # fmt: skip
@click.option(
    "-o", "--output", default=DEFAULT_OUTPUT, show_default=True, metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False), help="where bench.json and bench.svg go",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print bench.json instead of tables")
@click.option("--list", "is_listing", is_flag=True, help="list the workloads and end")
def bench(
    workloads: tuple[str, ...],
    rounds: int,
    others: tuple[str, ...],
    output: Path,
    as_json: bool,
    is_listing: bool,
) -> None:
    """Run workloads on the demo's solofile and on other servers in turn, and print the ratios.

    Without names all workloads run. Every program gets the same model, threads, context and
    number of requests at once; each is built or installed into the cache on first use.
    """
    if importlib.util.find_spec("bench") is None:
        raise ToolError(
            "The benchmarks are not part of an installed solofile.",
            hint="Run `python3 build.py bench` in a clone of the project.",
        )
    from bench import agreement
    from bench.runner import WORKLOADS

    summaries = {name: workload.summary for name, workload in WORKLOADS.items()}
    summaries[agreement.NAME] = agreement.SUMMARY
    if is_listing:
        for name, summary in summaries.items():
            console.result(f"{name:16}{summary}")
        return
    unknown = sorted(set(workloads) - set(summaries))
    if unknown:
        raise UsageError(
            f"There is no workload {', '.join(unknown)}.",
            hint=f"The workloads are {', '.join(sorted(summaries))}.",
        )
    _run(list(workloads or summaries), rounds, others, output, as_json=as_json)


def _run(
    names: list[str], rounds: int, others: tuple[str, ...], output: Path, *, as_json: bool
) -> None:
    from bench import agreement
    from bench.facts import machine_facts, versions
    from bench.report import Results, table
    from bench.runner import WORKLOADS, run, set_up

    n_threads = physical_cores()
    servers = set_up(others)
    facts = {"machine": machine_facts(), "versions": versions(), "threads": n_threads}
    results = Results(facts)
    say = console.info if as_json else console.result
    for name in names:
        if name == agreement.NAME:
            say(f"{agreement.NAME}: {agreement.SUMMARY}")
            for agreed in agreement.measure(servers[0], servers[1:], n_threads):
                say(agreed.text())
                results.agreements.append(agreed)
        else:
            results.runs.append(run(WORKLOADS[name], servers, rounds=rounds, n_threads=n_threads))
            say(table(results.runs[-1], WORKLOADS[name].sizes(n_threads)))
        _write(output, results)
    if as_json:
        console.result_json(results.document())


def _write(output: Path, results: "Results") -> None:
    """Write the results so far; a long run that is cut short keeps what it has."""
    from bench.plot import ratio_plot

    output.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("bench.json", json.dumps(results.document(), indent=2) + "\n"),
        ("bench.svg", ratio_plot(results.titled())),
    ):
        with atomic_file(output / name) as file:
            file.write(text.encode())
