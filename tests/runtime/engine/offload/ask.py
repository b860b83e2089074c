"""A process that asks one question: `python -m ...ask GGUF FOLDER LAYERS` prints what was found."""

import sys
from pathlib import Path

from runtime.engine.attention import AttentionOptions
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.offload.options import OffloadOptions
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.weights import LoadOptions, Weights
from tests.runtime.engine.asking import submit

PROMPT = "The harbour office opens at six and closes at nine. " * 12


def main() -> None:
    """Print how many tokens of the prompt were on disk, and the answer."""
    gguf, folder, layers = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    options = EngineOptions(
        Weights(gguf, 0, gguf.stat().st_size),
        n_ctx=512,
        n_threads=1,
        loading=LoadOptions(
            offload=OffloadOptions(gpu_layers=layers) if layers != "none" else None
        ),
        attention=AttentionOptions("f32", "f32", flash_attn="off"),
        prompt_cache=PromptCacheOptions(folder, 1 << 30, "tiny"),
    )
    engine = Engine.start(options)
    asked = submit(engine, PROMPT, temperature=0, max_tokens=8)
    text = asked.text()
    sys.stdout.write(f"{asked.finished.stats.cached_tokens} {text!r}\n")
    engine.stop()


if __name__ == "__main__":
    main()
