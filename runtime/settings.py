"""Every setting once: its name, flags, type and default, and where its value comes from.

A flag beats the environment (`SOLOFILE_NAME`), which beats `NAME.toml` beside the solofile,
which beats the manifest's defaults. Flags carry llama.cpp's names where it has one.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import UsageError

DEFAULT_PORT = 8080


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run goes by; see `OPTIONS` for the meaning of each."""

    model: str = ""
    ctx_size: int = 0
    threads: int = 0
    threads_batch: int = 0
    batch_size: int = 2048
    ubatch_size: int = 512
    parallel: int = 4
    max_queue: int = 512
    timeout: int = 0
    context_shift: bool = False
    keep: int = 0
    repack: bool | None = None
    mmap: bool = True
    mlock: bool = False
    gpu_layers: str = "auto"
    device: str = ""
    split_mode: str = "layer"
    tensor_split: str = ""
    main_gpu: int = 0
    fit_target: str = "1024"
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    flash_attn: str = "auto"
    rope_scaling: str | None = None
    rope_scale: float | None = None
    rope_freq_base: float | None = None
    rope_freq_scale: float | None = None
    yarn_orig_ctx: int | None = None
    yarn_ext_factor: float | None = None
    yarn_attn_factor: float | None = None
    yarn_beta_slow: float | None = None
    yarn_beta_fast: float | None = None
    lora: str = ""
    lora_scaled: str = ""
    lora_init_without_apply: bool = False
    mmproj: str = ""
    spec_type: str = "ngram-simple,draft-simple"
    spec_draft_model: str = ""
    spec_draft_n_max: int = 3
    spec_draft_n_min: int = 0
    spec_draft_p_min: float = 0.0
    prompt_cache: str = ""
    prompt_cache_limit: int = 1024
    pooling: str = ""
    embd_normalize: int = 2
    verbose: bool = False
    log_verbosity: int | None = None
    log_file: str = ""
    log_format: str = "text"
    log_prompts: bool = False
    alias: str = ""
    host: str = "127.0.0.1"
    port: int | None = None
    allowed_hosts: str = ""
    cors_origins: str = ""
    api_key: str = ""
    api_key_file: str = ""
    ssl_cert_file: str = ""
    ssl_key_file: str = ""
    max_body: int = 32
    max_connections: int = 800
    drain_timeout: int = 25
    idle_exit: int | None = None
    history: str = ""
    sandbox: str = "auto"
    browser: bool | None = None
    system_prompt: str = ""
    chat_template: str = ""
    chat_template_file: str = ""
    chat_template_kwargs: str = ""
    jinja: bool = True
    reasoning: str = "auto"
    reasoning_effort: str = "default"
    predict: int = -1
    temp: float | None = None
    dynatemp_range: float | None = None
    dynatemp_exp: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical: float | None = None
    top_n_sigma: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    mirostat: int | None = None
    mirostat_ent: float | None = None
    mirostat_lr: float | None = None
    samplers: str | None = None
    ignore_eos: bool | None = None
    seed: int = -1


# llama.cpp's flags, and the names the engine and the API have for the same; unset they leave the
# choice to the model and then to `SamplingParams`.
SAMPLING_SETTINGS = {
    "temp": "temperature",
    "dynatemp_range": "dynatemp_range",
    "dynatemp_exp": "dynatemp_exponent",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typical": "typical_p",
    "top_n_sigma": "top_n_sigma",
    "xtc_probability": "xtc_probability",
    "xtc_threshold": "xtc_threshold",
    "dry_multiplier": "dry_multiplier",
    "dry_base": "dry_base",
    "dry_allowed_length": "dry_allowed_length",
    "dry_penalty_last_n": "dry_penalty_last_n",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "mirostat": "mirostat",
    "mirostat_ent": "mirostat_tau",
    "mirostat_lr": "mirostat_eta",
    "samplers": "samplers",
    "ignore_eos": "ignore_eos",
}


class Option(msgspec.Struct, frozen=True):
    """One setting on the command line.

    Args:
        name: The field of `Settings`.
        flags: How it is spelled; a boolean's second long flag turns it off.
        group: Which commands have it: `model`, `server` or `sampling`.
        help: What it does.
        metavar: What stands for its value in the help; empty for a boolean.
        is_list: Whether it may be given again, for more between commas.
    """

    name: str
    flags: tuple[str, ...]
    group: str
    help: str
    metavar: str = "N"
    is_list: bool = False


OPTIONS = (
    Option("model", ("-m", "--model"), "model", "run this GGUF or solofile instead", "FILE"),
    Option("ctx_size", ("-c", "--ctx-size"), "model", "tokens of context (0: by model and memory)"),
    Option("threads", ("-t", "--threads"), "model", "threads (0: the physical cores)"),
    Option("threads_batch", ("-tb", "--threads-batch"), "model", "threads while reading prompts"),
    Option("batch_size", ("-b", "--batch-size"), "model", "tokens in one batch at most"),
    Option("ubatch_size", ("-ub", "--ubatch-size"), "model", "tokens computed at once at most"),
    Option("parallel", ("-np", "--parallel"), "model", "requests worked on at once"),
    Option(
        "repack", ("--repack", "-nr", "--no-repack"), "model",
        "copy weights into this processor's fastest layout", "",
    ),
    Option(
        "mmap", ("--mmap", "--no-mmap"), "model", "map the weights instead of reading them", ""
    ),
    Option("mlock", ("--mlock",), "model", "keep the weights from being swapped out", ""),
    Option(
        "gpu_layers", ("-ngl", "--gpu-layers", "--n-gpu-layers"), "model",
        "layers on GPUs: a number, auto (those that fit) or all",
    ),
    Option(
        "device", ("-dev", "--device"), "model",
        "GPUs to use, between commas; none leaves them alone (see `info --devices`)", "NAMES",
    ),
    Option(
        "split_mode", ("-sm", "--split-mode"), "model",
        "how several share the model: none, layer, row or tensor", "HOW",
    ),
    Option(
        "tensor_split", ("-ts", "--tensor-split"), "model",
        "their shares of it, between commas, such as 3,1 (by free memory)", "SHARES",
    ),
    Option(
        "main_gpu", ("-mg", "--main-gpu"), "model",
        "which of them has it alone, with --split-mode none, counted from 0",
    ),
    Option(
        "fit_target", ("-fitt", "--fit-target"), "model",
        "MiB that auto leaves free on each GPU, between commas, or on all", "MIB",
    ),
    Option(
        "cache_type_k", ("-ctk", "--cache-type-k"), "model",
        "type of the KV cache's keys: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl",
        "TYPE",
    ),
    Option(
        "cache_type_v", ("-ctv", "--cache-type-v"), "model",
        "type of its values, one of the same", "TYPE",
    ),
    Option("flash_attn", ("-fa", "--flash-attn"), "model", "on, off or auto", "WHEN"),
    Option(
        "rope_scaling", ("--rope-scaling",), "model",
        "none, linear or yarn (the model's own)", "KIND",
    ),
    Option("rope_scale", ("--rope-scale",), "model", "stretch the context by this factor"),
    Option("rope_freq_base", ("--rope-freq-base",), "model", "base frequency (the model's own)"),
    Option("rope_freq_scale", ("--rope-freq-scale",), "model", "stretch it by 1/N"),
    Option("yarn_orig_ctx", ("--yarn-orig-ctx",), "model", "original context (the model's own)"),
    Option("yarn_ext_factor", ("--yarn-ext-factor",), "model", "YaRN's mix of extrapolation"),
    Option("yarn_attn_factor", ("--yarn-attn-factor",), "model", "YaRN's attention factor"),
    Option("yarn_beta_slow", ("--yarn-beta-slow",), "model", "YaRN's low correction dimension"),
    Option("yarn_beta_fast", ("--yarn-beta-fast",), "model", "YaRN's high correction dimension"),
    Option(
        "lora", ("--lora",), "model", "LoRA adapters beside the file, between commas", "FILE",
        is_list=True,
    ),
    Option(
        "lora_scaled", ("--lora-scaled",), "model", "the same with their scales", "FILE:SCALE",
        is_list=True,
    ),
    Option(
        "lora_init_without_apply", ("--lora-init-without-apply",), "model",
        "load adapters and apply none until a request asks", "",
    ),
    Option("mmproj", ("-mm", "--mmproj"), "model", "projector that reads images for it", "FILE"),
    Option(
        "spec_type", ("--spec-type",), "model",
        "guess tokens ahead: ngram-simple (where a text repeats itself), draft-simple (by a draft "
        "model), both, or none", "TYPE", is_list=True,
    ),
    Option(
        "spec_draft_model", ("-md", "--spec-draft-model", "--model-draft"), "model",
        "draft model, a small one with the same tokens", "FILE",
    ),
    Option("spec_draft_n_max", ("--spec-draft-n-max",), "model", "tokens it guesses at most"),
    Option("spec_draft_n_min", ("--spec-draft-n-min",), "model", "fewer guesses are not checked"),
    Option(
        "spec_draft_p_min", ("--spec-draft-p-min", "--draft-p-min"), "model",
        "it guesses only tokens at least this likely",
    ),
    Option("prompt_cache", ("--prompt-cache",), "model", "keep prompts on disk here", "DIR"),
    Option(
        "prompt_cache_limit", ("--prompt-cache-limit",), "model", "MiB that they may take",
    ),
    Option(
        "pooling", ("--pooling",), "model",
        "how embeddings are made: none, mean, cls, last, rank (by model)", "NAME",
    ),
    Option(
        "embd_normalize", ("--embd-normalize",), "model",
        "how they are scaled (-1: not, 0: by the largest, 1: taxicab, 2: euclidean, N: p-norm)",
    ),
    Option(
        "verbose", ("-v", "--verbose", "--log-verbose"), "model",
        "log what llama.cpp says, too", "",
    ),
    Option(
        "log_verbosity", ("-lv", "--verbosity", "--log-verbosity"), "model",
        "how much is logged: 1 errors, 2 warnings, 3 requests, 4 all (2, or 3 with --log-file or "
        "--log-format json)",
    ),
    Option("log_file", ("--log-file",), "model", "log into this file, not to stderr", "FILE"),
    Option("log_format", ("--log-format",), "model", "text, or json: an object a line", "KIND"),
    Option("alias", ("-a", "--alias"), "server", "the model's name for clients", "NAME"),
    Option("host", ("--host",), "server", "address to listen on", "ADDRESS"),
    Option("port", ("--port",), "server", f"port (default: {DEFAULT_PORT}, or the next free one)"),
    Option("max_queue", ("--max-queue",), "server", "requests that may wait for their turn"),
    Option("timeout", ("-to", "--timeout"), "server", "seconds a request may take (0: any time)"),
    Option(
        "allowed_hosts", ("--allowed-hosts",), "server",
        "more names that the server goes by, between commas (*: all)", "NAMES", is_list=True,
    ),
    Option(
        "cors_origins", ("--cors-origins",), "server",
        "web pages that may use the server, between commas (localhost: this machine's; *: all)",
        "ORIGINS", is_list=True,
    ),
    Option(
        "api_key", ("--api-key",), "server", "keys that requests need one of, between commas",
        "KEY", is_list=True,
    ),
    Option("api_key_file", ("--api-key-file",), "server", "the same, one on each line", "FILE"),
    Option("ssl_cert_file", ("--ssl-cert-file",), "server", "certificate for HTTPS, PEM", "FILE"),
    Option("ssl_key_file", ("--ssl-key-file",), "server", "its private key, PEM", "FILE"),
    Option("max_body", ("--max-body",), "server", "MiB that a request's body may have"),
    Option("max_connections", ("--max-connections",), "server", "connections open at once"),
    Option(
        "drain_timeout", ("--drain-timeout",), "server",
        "seconds that running answers get to finish after SIGTERM",
    ),
    Option(
        "idle_exit", ("--idle-exit",), "server",
        "seconds without an open page or a request, and it ends (0: never; double-clicked: 600)",
    ),
    Option(
        "log_prompts", ("--log-prompts",), "server", "log what is asked, too", "",
    ),
    Option(
        "history", ("--history",), "server", "keep the page's chats in this file", "FILE"
    ),
    Option(
        "sandbox", ("--sandbox",), "server",
        "give up what serving does not need: auto (what the system lets it), on (all or nothing) "
        "or off", "WHEN",
    ),
    Option(
        "browser", ("--browser", "--no-browser"), "server",
        "open the chat page (default: when a screen is there)", "",
    ),
    Option(
        "system_prompt", ("-sys", "--system-prompt"), "sampling",
        "system message for conversations without one", "TEXT",
    ),
    Option(
        "chat_template", ("--chat-template",), "sampling",
        "jinja template instead of the model's own, or chatml", "TEXT",
    ),
    Option("chat_template_file", ("--chat-template-file",), "sampling", "the same", "FILE"),
    Option(
        "chat_template_kwargs", ("--chat-template-kwargs",), "sampling",
        "more variables for it", "JSON",
    ),
    Option("jinja", ("--jinja", "--no-jinja"), "sampling", "read templates as jinja", ""),
    Option(
        "reasoning", ("-rea", "--reasoning"), "sampling",
        "whether the model thinks before it answers, if it can: on, off or auto", "WHEN",
    ),
    Option(
        "reasoning_effort", ("--reasoning-effort",), "sampling",
        "how much: default, or a word that its template knows, such as low", "LEVEL",
    ),
    Option(
        "context_shift", ("--context-shift", "--no-context-shift"), "sampling",
        "forget the older half of a full context and go on", "",
    ),
    Option("keep", ("--keep",), "sampling", "prompt tokens it never forgets (-1: all)"),
    Option("predict", ("-n", "--predict", "--n-predict"), "sampling", "tokens to generate at most"),
    Option(
        "temp", ("--temp", "--temperature"), "sampling",
        "temperature; 0 takes the likeliest token (0.8)",
    ),
    Option(
        "dynatemp_range", ("--dynatemp-range",), "sampling",
        "how far the temperature moves with the entropy (0: not)",
    ),
    Option(
        "dynatemp_exp", ("--dynatemp-exp",), "sampling", "how the entropy becomes one (1.0)",
    ),
    Option("top_k", ("--top-k",), "sampling", "keep the N likeliest tokens (40)"),
    Option("top_p", ("--top-p",), "sampling", "keep the likeliest tokens up to this mass (0.95)"),
    Option(
        "min_p", ("--min-p",), "sampling", "drop tokens below this share of the likeliest (0.05)"
    ),
    Option(
        "typical", ("--typical", "--typical-p"), "sampling",
        "keep tokens of typical surprise up to this mass (1.0: off)",
    ),
    Option(
        "top_n_sigma", ("--top-n-sigma", "--top-nsigma"), "sampling",
        "keep tokens within N deviations of the likeliest (-1: off)",
    ),
    Option(
        "xtc_probability", ("--xtc-probability",), "sampling",
        "how often to drop the likeliest tokens (0: off)",
    ),
    Option("xtc_threshold", ("--xtc-threshold",), "sampling", "those at least this likely (0.1)"),
    Option(
        "dry_multiplier", ("--dry-multiplier",), "sampling",
        "penalty on repeated phrases (0: off)",
    ),
    Option("dry_base", ("--dry-base",), "sampling", "how it grows with their length (1.75)"),
    Option(
        "dry_allowed_length", ("--dry-allowed-length",), "sampling",
        "phrases up to N tokens may repeat (2)",
    ),
    Option(
        "dry_penalty_last_n", ("--dry-penalty-last-n",), "sampling",
        "how far back to look for them (64; -1: the whole context)",
    ),
    Option("repeat_penalty", ("--repeat-penalty",), "sampling", "penalty on recent tokens (1.0)"),
    Option(
        "repeat_last_n", ("--repeat-last-n",), "sampling",
        "tokens the penalties look at (64; -1: the whole context)",
    ),
    Option(
        "presence_penalty", ("--presence-penalty",), "sampling",
        "subtracted from recent tokens' logits (0)",
    ),
    Option(
        "frequency_penalty", ("--frequency-penalty",), "sampling",
        "subtracted once per recent occurrence (0)",
    ),
    Option(
        "mirostat", ("--mirostat",), "sampling", "steer the surprise by Mirostat 1 or 2 (0: off)"
    ),
    Option("mirostat_ent", ("--mirostat-ent",), "sampling", "the surprise it aims at (5.0)"),
    Option("mirostat_lr", ("--mirostat-lr",), "sampling", "how fast it learns (0.1)"),
    Option(
        "samplers", ("--samplers", "--sampler-seq", "--sampling-seq"), "sampling",
        "the samplers in order, between semicolons, or by their letters",
        "NAMES",
    ),
    Option("ignore_eos", ("--ignore-eos",), "sampling", "never end by the model's own will", ""),
    Option("seed", ("-s", "--seed"), "sampling", "seed of the random choice (-1: a random one)"),
)  # fmt: skip

# What is chosen for the machine it runs on.
GPU_SETTINGS = (
    "gpu_layers", "device", "split_mode", "tensor_split", "main_gpu", "fit_target",
)  # fmt: skip
_UNSET = Settings()

_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def add_options(
    parser: argparse.ArgumentParser, groups: tuple[str, ...], arguments: Sequence[str]
) -> None:
    """Give a command the options of some groups; absent flags leave no trace.

    Making all of them takes longer than parsing, so where `arguments` names nothing but these
    options, those it does not name are left out.
    """
    options = [option for option in OPTIONS if option.group in groups]
    named = {argument.partition("=")[0] for argument in arguments if argument.startswith("-")}
    if named <= {flag for option in options for flag in option.flags}:
        options = [option for option in options if not named.isdisjoint(option.flags)]
    for group in groups:
        section = parser.add_argument_group(f"{group} options")
        for option in options:
            if option.group == group:
                _add_option(section, option)


def load_settings(
    flags: Mapping[str, Any], *, manifest_defaults: Mapping[str, Any], solofile: Path | None
) -> Settings:
    """Return the settings after every place that sets some was read.

    Args:
        flags: What the command line gave, by field name; other keys are left alone.
        manifest_defaults: What the solofile was built with.
        solofile: The running file, whose `NAME.toml` may lie beside it.

    Raises:
        UsageError: A place sets an unknown setting, or one to a value of the wrong type.
    """
    values: dict[str, Any] = {}
    values |= _checked(dict(manifest_defaults), "the manifest")
    if solofile:
        values |= _read_toml(settings_file(solofile))
    for name in _TYPES:
        variable = f"SOLOFILE_{name.upper()}"
        if variable in os.environ:
            values |= _checked({name: os.environ[variable]}, variable)
    values |= {name: value for name, value in flags.items() if name in _TYPES}
    return msgspec.convert(values, Settings, strict=False)


def asks_for_gpus(settings: Settings) -> bool:
    """Say whether any setting of GPUs is not as it is by itself."""
    return any(getattr(settings, name) != getattr(_UNSET, name) for name in GPU_SETTINGS)


def settings_file(solofile: Path) -> Path:
    """Return where settings for a solofile may lie: `NAME.toml` beside it."""
    return solofile.with_name(solofile.name.removesuffix(".exe") + ".toml")


class _Append(argparse.Action):
    """Adds to what the same flag gave before, behind a comma."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest, "")
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def _add_option(section: Any, option: Option) -> None:
    default = msgspec.structs.fields(Settings)[list(_TYPES).index(option.name)].default
    if not option.metavar:
        off = [flag for flag in option.flags if flag.startswith("--no-") or flag == "-nr"]
        on = [flag for flag in option.flags if flag not in off]
        common = {"dest": option.name, "default": argparse.SUPPRESS}
        section.add_argument(*on, action="store_true", help=option.help, **common)
        if off:
            section.add_argument(*off, action="store_false", help=f"do not {option.help}", **common)
        return
    kinds = {int: int, float: float, int | None: int, float | None: float}
    kind = kinds.get(_TYPES[option.name], str)
    shown = "" if default in ("", None) or "(" in option.help else f" (default: {default})"
    section.add_argument(
        *option.flags,
        dest=option.name,
        type=kind,
        action=_Append if option.is_list else "store",
        metavar=option.metavar,
        default=argparse.SUPPRESS,
        help=option.help + shown,
    )


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    # Few solofiles have one, and every start would wait for the import.
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    return _checked({name.replace("-", "_"): value for name, value in values.items()}, str(path))


def _checked(values: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the values with their types checked, naming the place that sets a wrong one."""
    for name, value in values.items():
        if name not in _TYPES:
            known = ", ".join(sorted(known.replace("_", "-") for known in _TYPES))
            raise UsageError(
                f"{place} sets {name.replace('_', '-')}, which is no setting.",
                hint=f"The settings are {known}.",
            )
        try:
            msgspec.convert(value, _TYPES[name], strict=False)
        except msgspec.ValidationError as error:
            shown = "a value" if name == "api_key" else repr(value)
            raise UsageError(f"{place} sets {name} to {shown}: {error}.") from error
    return values
