"""Every field of a recipe: its name, type, meaning and an example.

Each field is also a flag of `build`; `flags.py` knows where the two are called differently.
"""

from types import NoneType
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from builder.bake.prompt import DEFAULT_LIMIT_MIB
from builder.defaults import NOT_BUILT_IN
from runtime.branding import COLOR
from runtime.manifest import SettingValue
from runtime.settings.options import OPTIONS
from runtime.settings.values import Settings


def _meta(description: str, example: Any) -> Meta:
    return Meta(description=description, examples=[example])


class BrandingTable(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True
):
    """How the solofile presents itself: `[branding]`."""

    title: Annotated[str, _meta("Name of the chat page", "Pirate")] = ""
    greeting: Annotated[str, _meta("What the page says at first", "Ahoy! Ask me anything.")] = ""
    disclaimer: Annotated[
        str, _meta("What the page always says", "Answers may be wrong; check what matters.")
    ] = ""
    examples: Annotated[
        list[str], _meta("Prompts that the page offers", ["Tell me a story.", "Write a poem."])
    ] = []
    color: Annotated[
        str, Meta(description="Accent colour, as `#rrggbb`", examples=["#0a7d6c"], pattern=COLOR)
    ] = ""
    icon: Annotated[str, _meta("PNG, or SVG that only draws, of at most 64 KiB", "icon.svg")] = ""


class PromptTable(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True
):
    """A prompt to compute while building: one of the `[[prompts]]`."""

    system: Annotated[str, _meta("System prompt, or `@` and a file with it", "@handbook.md")] = ""
    messages: Annotated[
        list[dict[str, Any]],
        _meta("Messages behind it, in OpenAI's form", [{"role": "user", "content": "Hi"}]),
    ] = []
    tools: Annotated[
        list[dict[str, Any]], _meta("Tools, in OpenAI's form", [{"function": {"name": "search"}}])
    ] = []


class ModelFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True
):
    """One model: the whole recipe, or one of its `[[model]]` tables."""

    source: Annotated[str, _meta("Where the model comes from", "hf:OWNER/REPO:Q4_K_M")] = ""
    name: Annotated[str, _meta("What the model is called", "Pirate-1B")] = ""
    output: Annotated[
        str, _meta("File to write, or folder if it exists or ends in a slash", "dist/")
    ] = ""
    targets: Annotated[
        list[str],
        _meta("Systems to build for, or `all` with a kit; this one by default", ["linux-x86_64"]),
    ] = []
    app: Annotated[bool, _meta("For macOS, an app and a script for Finder as well", True)] = False
    app_id: Annotated[str, _meta("What macOS knows the app by", "org.example.pirate")] = ""
    outtype: Annotated[
        Literal["auto", "f32", "f16", "bf16", "q8_0"],
        _meta("What a checkpoint is converted to", "f16"),
    ] = "auto"
    allow_pickle: Annotated[bool, _meta("Read a checkpoint whose weights are pickles", True)] = (
        False
    )
    check_parity: Annotated[
        bool, _meta("Compare a converted checkpoint with the original by transformers", True)
    ] = False
    quantize: Annotated[str, _meta("Type to quantize to first", "Q4_K_M")] = ""
    imatrix: Annotated[str, _meta("Importance matrix for that", "imatrix.gguf")] = ""
    calibrate: Annotated[
        str, _meta("Text to compute an importance matrix from", "calibration.txt")
    ] = ""
    tensor_types: Annotated[
        list[str], _meta("Types of single tensors, as `NAME=TYPE`", ["attn_v=Q6_K"])
    ] = []
    output_tensor_type: Annotated[str, _meta("Type of the output tensor", "Q8_0")] = ""
    token_embedding_type: Annotated[str, _meta("Type of the token embeddings", "Q8_0")] = ""
    pure: Annotated[bool, _meta("The same type for all tensors", True)] = False
    leave_output_tensor: Annotated[bool, _meta("Do not quantize the output tensor", True)] = False
    allow_requantize: Annotated[bool, _meta("Quantize what is quantized already", True)] = False
    threads: Annotated[
        int, Meta(description="Threads that quantize; 0 takes all", examples=[4], ge=0)
    ] = 0
    perplexity: Annotated[
        bool, _meta("Measure what quantizing does to the model, which takes a while", True)
    ] = False
    fits: Annotated[str, _meta("Take the best that fits into so much memory", "8GB")] = ""
    lora: Annotated[list[str], _meta("LoRA adapters to embed", ["adapter.gguf"])] = []
    draft: Annotated[str, _meta("Draft model to embed", "small.gguf")] = ""
    mmproj: Annotated[str, _meta("Projector to embed, which reads images", "mmproj.gguf")] = ""
    no_mmproj: Annotated[bool, _meta("Leave out the projector that is found", True)] = False
    system: Annotated[
        str, _meta("System prompt, or `@` and a file with it", "You are a helpful assistant.")
    ] = ""
    bake: Annotated[bool, _meta("Compute the system prompt now, so that no start does", True)] = (
        False
    )
    bake_limit: Annotated[
        int, Meta(description="MiB that computed prompts may take", examples=[256], ge=1)
    ] = DEFAULT_LIMIT_MIB
    prompts: Annotated[
        list[PromptTable], _meta("More prompts to compute now", [{"system": "@handbook.md"}])
    ] = []
    sidecar: Annotated[bool, _meta("Keep the weights in a file of their own beside it", True)] = (
        False
    )
    accept_license: Annotated[
        bool, _meta("Go on although a licence forbids passing the model on", True)
    ] = False
    sign: Annotated[bool, _meta("Sign it with your own key", True)] = False
    sign_key: Annotated[str, _meta("Secret key to sign it with instead", "maker.key")] = ""
    smoke_test: Annotated[bool, _meta("Start the finished file once", False)] = True
    toolchain: Annotated[
        Literal["zig", "system"], _meta("Compiler for a kit that is not there yet", "system")
    ] = "zig"
    gpu: Annotated[list[str], _meta("GPU plugins to put in: vulkan, cuda", ["vulkan"])] = []
    settings: Annotated[
        dict[str, SettingValue], _meta("Settings to build in", {"temp": 0.7, "ctx-size": 4096})
    ] = {}
    branding: Annotated[BrandingTable, _meta("How it presents itself", {"title": "Pirate"})] = (
        BrandingTable()
    )


class Recipe(ModelFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe: one model, or what several have in common and a table for each."""

    model: Annotated[
        list[ModelFields], Meta(description="Several models, each with what is its own")
    ] = []


def _settings_table() -> type[msgspec.Struct]:
    helps = {option.name: option.help for option in OPTIONS}
    fields = []
    for field in msgspec.structs.fields(Settings):
        if field.name not in NOT_BUILT_IN:
            # TOML knows no null.
            kinds = [kind for kind in get_args(field.type) if kind is not NoneType]
            kind: Any = kinds[0] if kinds else field.type
            kind = Annotated[kind, Meta(description=helps[field.name])]
            fields.append((field.name, kind | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(
        "SettingsTable", fields, rename="kebab", kw_only=True, forbid_unknown_fields=True,
        module=__name__,
    )  # fmt: skip


# Other names of settings, as flags spell them: `temperature` is `temp`.
SETTING_FLAGS = {
    flag.removeprefix("--"): option.name.replace("_", "-")
    for option in OPTIONS
    for flag in option.flags
    if option.name not in NOT_BUILT_IN and flag.startswith("--")
}

SettingsTable: type[msgspec.Struct] = _settings_table()


def keys(table: type[msgspec.Struct]) -> list[str]:
    """Return the names of a table's fields as recipes write them."""
    return [field.encode_name for field in msgspec.structs.fields(table)]
