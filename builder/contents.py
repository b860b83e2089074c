"""What goes into a solofile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.file_range import FileRange
from builder.icon import IconFile
from builder.kit.kit import Kit
from builder.sign.secret_key import SecretKey
from builder.sources.source import LicenceFile, ModelFile
from runtime.branding import Branding
from runtime.manifest import BakedFacts, ModelFacts, Origin, SettingValue, Terms
from runtime.parity import Parity

# The most that manifest, headers, padding and directory take.
_OVERHEAD_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that goes into a solofile.

    Args:
        name: What the model is called.
        kit: The frozen runtime.
        weights: The GGUF.
        weights_name: Its entry's name; ends in `.gguf`.
        weights_sha256: The digest it must have, in hex; empty takes it as it is.
        model: What its header says.
        origin: Where it came from; without files, the weights themselves are meant.
        licences: The licence texts to carry.
        card: The model's card; empty carries none.
        terms: What the licences ask of those who pass it on.
        adapters: The LoRA adapters to carry, in the order of their numbers.
        draft: The draft model to carry; None carries none.
        projector: The projector to carry; None carries none.
        defaults: Settings that are built in.
        weights_inside: The part of `weights` that is meant; None for all of it.
        branding: How it presents itself.
        icon: Its icon; None carries none.
        parity: How alike it and its original are, where that was found out.
        prompts: Computed prompts to carry: files, or entries of another solofile.
        baked: What these are made of.
        signer: The key that signs the manifest; None leaves it unsigned.
        launcher: The finished program to begin with; None makes it from the kit's.
        runtime: Where the kit's `runtime.pkg` lies; None takes it from the kit.
    """

    name: str
    kit: Kit
    weights: Path
    weights_name: str
    weights_sha256: str
    model: ModelFacts
    origin: Origin
    licences: list[LicenceFile] = field(default_factory=list)
    card: bytes = b""
    terms: list[Terms] = field(default_factory=list)
    adapters: list[ModelFile] = field(default_factory=list)
    draft: ModelFile | None = None
    projector: ModelFile | None = None
    defaults: dict[str, SettingValue] = field(default_factory=dict)
    weights_inside: FileRange | None = None
    branding: Branding = field(default_factory=Branding)
    icon: IconFile | None = None
    parity: Parity | None = None
    prompts: Sequence[Path | FileRange] = ()
    baked: BakedFacts | None = None
    signer: SecretKey | None = None
    launcher: bytes | None = None
    runtime: FileRange | None = None

    @property
    def weights_data(self) -> FileRange:
        """The weights' bytes."""
        return self.weights_inside or FileRange.of(self.weights)

    @property
    def max_size_bytes(self) -> int:
        """The size that the solofile and the file beside it will not exceed together."""
        kit = [FileRange.of(self.kit.launcher), FileRange.of(self.kit.runtime_pkg)]
        files = [*kit, self.weights_data]
        files += [model.data for model in [*self.adapters, self.draft, self.projector] if model]
        files += map(FileRange.of, self.prompts)
        texts = sum(len(licence.text) for licence in self.licences) + len(self.card)
        return sum(file.size for file in files) + texts + _OVERHEAD_BYTES
