"""What repacked weights cost and win, by quantization.

`python -m bench.repacking` makes the quantizations out of the demo's model, or of a wider one with
`--wide`, then measures each in processes of its own, with mapped and with repacked weights in turn.
Times are processor time of one thread, so that a busy machine does not change them.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.wide_model import write_wide_model
from builder import console
from builder.demo import demo_source
from builder.native.llamacpp import expose_binding
from runtime.engine.llama import Llama
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.types import BatchSlice
from runtime.engine.weights import LoadOptions, Weights

NUM_PROMPT_TOKENS = 512
NUM_STEPS = 16
KINDS = {"Q4_0": "LLAMA_FTYPE_MOSTLY_Q4_0", "Q4_K_M": "LLAMA_FTYPE_MOSTLY_Q4_K_M"} | {
    "Q8_0": "LLAMA_FTYPE_MOSTLY_Q8_0"
}
UNITS = {"start": "s", "own": "MB", "prompt": "tokens/s", "decode": "tokens/s"}


def main() -> None:
    """Measure and print a table, or one measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wide", action="store_true", help="a wider model, of random weights")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--repack", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    expose_binding()
    if arguments.one:
        console.result(json.dumps(_measure(arguments.one, repack=arguments.repack)))
        return
    with tempfile.TemporaryDirectory() as folder:
        files = _quantized(Path(folder), is_wide=arguments.wide)
        figures: dict[tuple[str, bool], list[dict[str, float]]] = {}
        for _ in range(arguments.rounds):
            for kind, path in files.items():
                for repack in (False, True):
                    figures.setdefault((kind, repack), []).append(_in_process(path, repack))
    for (kind, repack), rounds in figures.items():
        medians = {name: statistics.median(one[name] for one in rounds) for name in UNITS}
        text = "   ".join(f"{name} {medians[name]:8.2f} {UNITS[name]}" for name in UNITS)
        console.result(f"{kind:7}{'repacked' if repack else 'mapped':9} {text}")


def _quantized(folder: Path, *, is_wide: bool) -> dict[str, Path]:
    """Return the demo's model, or the wide one, in each quantization, made by way of F16."""
    api = Llama.load().api
    plain = folder / "f16.gguf"
    if is_wide:
        write_wide_model(plain)
    else:
        _quantize(api, demo_source().fetch().files[0].path, plain, api.LLAMA_FTYPE_MOSTLY_F16)
    files = {}
    for kind, name in KINDS.items():
        files[kind] = folder / f"{kind}.gguf"
        _quantize(api, plain, files[kind], getattr(api, name))
    return files


def _quantize(api: Any, source: Path, target: Path, kind: int) -> None:
    params = api.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize = kind, True
    status = api.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    assert status == 0, f"llama_model_quantize answered {status}"


def _in_process(path: Path, repack: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.repacking", "--one", str(path)]
    output = subprocess.check_output([*command, "--repack"] if repack else command)
    figures: dict[str, float] = json.loads(output)
    return figures


def _measure(path: Path, *, repack: bool) -> dict[str, float]:
    started = time.process_time()
    options = EngineOptions(
        Weights(path, 0, path.stat().st_size),
        n_ctx=2048,
        n_threads=1,
        loading=LoadOptions(repack=repack),
    )
    model, runner = load_model(options)
    runner.decode([BatchSlice(0, 0, [1], True)])
    start_s = time.process_time() - started
    chance = random.Random(1)
    tokens = [chance.randrange(1000, model.n_vocab) for _ in range(NUM_PROMPT_TOKENS)]
    started = time.process_time()
    runner.decode([BatchSlice(0, 1, tokens, True)])
    prompt_s = time.process_time() - started
    started = time.process_time()
    for step in range(NUM_STEPS):
        runner.decode([BatchSlice(0, 1 + NUM_PROMPT_TOKENS + step, [2000], True)])
    decode_s = time.process_time() - started
    return {
        "start": start_s,
        "own": _own_bytes() / 1e6,
        "prompt": NUM_PROMPT_TOKENS / prompt_s,
        "decode": NUM_STEPS / decode_s,
    }


def _own_bytes() -> int:
    """Return this process's memory that no file holds: not the mapped weights."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


if __name__ == "__main__":
    main()
