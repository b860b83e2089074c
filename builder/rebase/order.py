"""What `rebase` is asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.bake.prompt import DEFAULT_LIMIT_MIB
from builder.icon import IconFile
from builder.sign.secret_key import SecretKey
from builder.sources.source import LicenceFile, Source
from builder.targets import Target
from runtime.manifest import SettingValue


@dataclass(frozen=True, slots=True)
class RebaseOrder:
    """What is to become of a solofile; what is not said stays as it is.

    Args:
        solofile: The file.
        output: Where the new one is written; None changes the file itself.
        has_new_kit: Whether it gets the kit that is at hand.
        target: What it is to run on, if that is another system; needs a new kit.
        gpu: The GPU plugins of the new kit; None takes those it has.
        toolchain: What compiles a kit that is not there yet.
        name: What the model is to be called; empty leaves its name.
        defaults: Settings to build in, over those that it has.
        dropped: Settings to give up, by name.
        branding: What the page is to show, by field; an empty text gives a field up.
        icon: Its icon; None leaves it.
        adapters: Where LoRA adapters to add come from.
        keeps_adapters: Whether those that it has stay.
        licences: Licence texts to add, or to put in the place of those of the same name.
        accepts_licence: Whether to go on although a licence forbids passing it on.
        bakes: Whether the system prompt is computed; None leaves it as it was.
        bake_limit_mib: What computed prompts may take, in MiB.
        is_smoke_tested: Whether it must answer a question.
        signer: The key that signs it; None leaves it without a signature.
    """

    solofile: Path
    output: Path | None = None
    has_new_kit: bool = False
    target: Target | None = None
    gpu: list[str] | None = None
    toolchain: str = "zig"
    name: str = ""
    defaults: dict[str, SettingValue] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    branding: dict[str, Any] = field(default_factory=dict)
    icon: IconFile | None = None
    adapters: list[Source] = field(default_factory=list)
    keeps_adapters: bool = True
    licences: list[LicenceFile] = field(default_factory=list)
    accepts_licence: bool = False
    bakes: bool | None = None
    bake_limit_mib: int = DEFAULT_LIMIT_MIB
    is_smoke_tested: bool = True
    signer: SecretKey | None = None
