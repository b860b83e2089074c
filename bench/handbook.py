"""A system prompt: from starting the program to the first text of its first answer.

`python -m bench.handbook [--rounds N]` makes a solofile with the prompt baked in, one built with
`--set flash-attn=off` as well, and one without, for each of three prompts, and asks them and
llama-server in turn, each just started, with files in the page cache.
"""

import argparse
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.client import ask, messages
from bench.process import running
from bench.prompts import text
from bench.servers import Server, Sizes, llama_server
from builder import console
from builder.bake.prompt import BakeOptions
from builder.demo import SYSTEM_PROMPT, demo_source
from builder.make import Order, make_solofile
from builder.targets import host_target
from runtime.machine import physical_cores

# The demo's, and texts that SmolLM2 reads as about 600 and 4,000 tokens. The number is the largest
# share of llama-server's time that a baked prompt should take.
PROMPTS = {SYSTEM_PROMPT: 1 / 2, text(1, 520): 1 / 15, text(1, 3480): 1 / 50}
N_CTX = 8192
QUESTION = "Where does the silver bridge lead?"
NUM_TOKENS = 4


def measure(server: Server, system_prompt: str, sizes: Sizes) -> tuple[float, int]:
    """Return the seconds from exec to the first text, and how many tokens the prompt had."""
    started = time.monotonic()
    with running(server, sizes) as process:
        answer = ask(process, messages(QUESTION, system_prompt), NUM_TOKENS)
    return answer.arrivals[0] - started, answer.num_prompt_tokens


def _solofile(
    name: str, folder: Path, system_prompt: str, *, is_baked: bool, **defaults: str
) -> Server:
    made = make_solofile(
        Order(
            source=demo_source(),
            target=host_target(),
            output=folder / name,
            defaults={"system_prompt": system_prompt, "ctx_size": N_CTX, **defaults},
            is_smoke_tested=False,
            bake=BakeOptions(has_system=True) if is_baked else None,
        )
    )
    return Server(name, [made.path, "serve", "--no-browser"], llama_server().size_options)


def main(arguments: list[str]) -> None:
    """Make the solofiles, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(arguments).rounds
    sizes = Sizes(num_clients=1, n_ctx_per_client=N_CTX, n_threads=physical_cores())
    for system_prompt, bound in PROMPTS.items():
        with tempfile.TemporaryDirectory() as folder:
            make = partial(_solofile, folder=Path(folder), system_prompt=system_prompt)
            ours = [
                make("baked", is_baked=True),
                make("baked, -fa off", is_baked=True, flash_attn="off"),
                make("unbaked", is_baked=False),
            ]
            servers = [*ours, llama_server()]
            times: dict[str, list[float]] = {server.name: [] for server in servers}
            # A new runtime is unpacked, and all files come into the page cache.
            measure(ours[0], system_prompt, sizes)
            num_tokens = 0
            for _ in range(rounds):
                for server in servers:
                    seconds, num_tokens = measure(server, system_prompt, sizes)
                    times[server.name].append(seconds)
        console.result(f"{num_tokens} tokens, exec to first text, {rounds} rounds:")
        for name, values in times.items():
            spread = f"({min(values):.3f} to {max(values):.3f})"
            console.result(f"  {name:14}{statistics.median(values):7.3f} s {spread}")
        for name in ("baked", "baked, -fa off"):
            pairs = zip(times["llama-server"], times[name], strict=True)
            ratio = statistics.median(theirs / own for theirs, own in pairs)
            console.result(f"  {name} / llama-server: 1/{ratio:.1f}, wanted 1/{1 / bound:.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
