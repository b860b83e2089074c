"""A job: one model's order and the systems it is for, made from what a recipe or flags say."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder.bake.prompt import BakeOptions
from builder.convert.options import ConvertOptions
from builder.fits import parse_memory
from builder.icon import read_icon
from builder.kit.at_hand import targets_at_hand
from builder.make import Order
from builder.quantize.flags import QuantizeFlags
from builder.quantize.options import QuantizeOptions
from builder.recipe.fields import ModelFields
from builder.recipe.layer import Layer
from builder.sign.own_key import open_key
from builder.sign.secret_key import SecretKey
from builder.sources.parse import parse_source
from builder.targets import ALL, Target, find_target, host_target
from runtime.branding import Branding
from runtime.errors import AppError, UsageError
from runtime.manifest import Prompt

_APP_ID = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be made of one model.

    Args:
        label: What people know it by.
        order: For the first target.
        targets: What it is to run on, a solofile for each.
    """

    label: str
    order: Order
    targets: list[Target]


def make_jobs(layers: Sequence[Layer]) -> list[Job]:
    """Return the jobs that layers describe, one for each model; nothing is fetched.

    Raises:
        AppError: Something they name is not there, or is not what it should be.
    """
    jobs = []
    models = [msgspec.convert(layer, ModelFields) for layer in layers]
    signers = _open_signers(models)
    is_any_quantized = any(model.quantize for model in models)
    for number, model in enumerate(models, 1):
        # How to quantize may be said once for all, although some are taken as they are.
        takes_as_is = is_any_quantized and not model.quantize
        try:
            quantize = None if takes_as_is else _quantize_options(model)
            jobs.append(_make_job(model, quantize, signers.get(_signer_name(model))))
        except AppError as error:
            if len(models) > 1:
                error.message = f"Model {number}: {error.message}"
            raise
    _require_own_files(jobs)
    return jobs


def _signer_name(model: ModelFields) -> str | None:
    """Return the file of the key that signs a model; empty is the user's own key."""
    return model.sign_key if model.sign or model.sign_key else None


def _open_signers(models: Sequence[ModelFields]) -> dict[str | None, SecretKey]:
    """Return each key that signs, asked for its passphrase once and before anything is made."""
    names = {_signer_name(model) for model in models}
    return {name: open_key(Path(name) if name else None) for name in names if name is not None}


def _require_own_files(jobs: Sequence[Job]) -> None:
    """Check that no two models are to be written to the same file, as far as is known by now."""
    orders = [job.order for job in jobs]
    files = [order.output for order in orders if order.output and not order.is_output_folder]
    for path, count in Counter(path for path in files if not path.is_dir()).items():
        if count > 1:
            raise UsageError(
                f"{count} models would be written to {path}.",
                hint="Name a file for each, or a folder with a slash at its end.",
            )


def _make_job(
    model: ModelFields, quantize: QuantizeOptions | None, signer: SecretKey | None
) -> Job:
    targets = _targets(model.targets, model.gpu)
    if model.fits and model.quantize:
        raise UsageError("fits and quantize choose a type each.", hint="Leave one of them out.")
    if model.mmproj and model.no_mmproj:
        raise UsageError("mmproj and no-mmproj exclude each other.", hint="Leave one of them out.")
    outtype = "" if model.outtype == "auto" else model.outtype
    conversion = ConvertOptions(outtype, allows_pickle=model.allow_pickle)
    projection = msgspec.structs.replace(conversion, is_mmproj=True)
    order = Order(
        source=parse_source(model.source, conversion),
        target=targets[0],
        output=Path(model.output) if model.output else None,
        is_output_folder=model.output.endswith("/"),
        name=model.name,
        defaults=model.settings,
        toolchain=model.toolchain,
        gpu=list(model.gpu),
        is_smoke_tested=model.smoke_test,
        adapters=[parse_source(adapter, conversion) for adapter in model.lora],
        draft=parse_source(model.draft, conversion) if model.draft else None,
        projector=parse_source(model.mmproj, projection) if model.mmproj else None,
        has_projector=not model.no_mmproj,
        fits_bytes=parse_memory(model.fits) if model.fits else 0,
        checks_parity=model.check_parity,
        quantize=quantize,
        branding=_branding(model),
        icon=read_icon(Path(model.branding.icon)) if model.branding.icon else None,
        tells_target=len(targets) > 1 or ALL in model.targets,
        accepts_licence=model.accept_license,
        bake=_bake_options(model),
        has_app=_has_app(model, targets),
        app_id=model.app_id,
        has_sidecar=model.sidecar,
        signer=signer,
    )
    return Job(model.name or model.source, order, targets)


def _targets(names: Sequence[str], gpu: Sequence[str]) -> list[Target]:
    """Return the targets that are named, first, and those that `all` stands for."""
    targets = [find_target(name) for name in names if name != ALL]
    if ALL in names:
        targets += targets_at_hand(gpu)
    return list(dict.fromkeys(targets)) or [host_target()]


def _has_app(model: ModelFields, targets: Sequence[Target]) -> bool:
    if model.app_id and not model.app:
        raise UsageError("app-id is for an app.", hint="Ask for one with app, or leave it out.")
    if model.app_id and not _APP_ID.fullmatch(model.app_id):
        raise UsageError(
            f"{model.app_id} cannot be an app's identifier.",
            hint="Write letters, digits and hyphens with dots between, as org.example.pirate.",
        )
    if model.app and not any(target.is_macos for target in targets):
        raise UsageError(
            "Apps are for macOS, and it is not among the targets.",
            hint="Name macos-arm64 or macos-x86_64, or leave app out.",
        )
    return model.app


def _bake_options(model: ModelFields) -> BakeOptions | None:
    if not (model.bake or model.prompts):
        return None
    prompts = [Prompt(table.system, table.messages, table.tools) for table in model.prompts]
    return BakeOptions(prompts, has_system=model.bake, limit_mib=model.bake_limit)


def _branding(model: ModelFields) -> Branding:
    """Return the branding but for the icon, which is a file of its own."""
    table = msgspec.to_builtins(model.branding)
    return msgspec.convert({key: value for key, value in table.items() if value}, Branding)


def _quantize_options(model: ModelFields) -> QuantizeOptions | None:
    flags = QuantizeFlags(
        imatrix=Path(model.imatrix) if model.imatrix else None,
        calibrate=Path(model.calibrate) if model.calibrate else None,
        tensor_types=tuple(model.tensor_types),
        output_tensor_type=model.output_tensor_type or None,
        token_embedding_type=model.token_embedding_type or None,
        is_pure=model.pure,
        leaves_output=model.leave_output_tensor,
        allows_requantize=model.allow_requantize,
        n_threads=model.threads or None,
        measures_perplexity=model.perplexity,
    )
    if model.quantize:
        return flags.options(model.quantize)
    flags.require_none()
    return None
