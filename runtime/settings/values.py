"""The settings a run goes by: their types and defaults."""

import msgspec

DEFAULT_PORT = 8080


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run goes by; see `options.py` for the meaning of each."""

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

# What is chosen for the machine it runs on.
GPU_SETTINGS = (
    "gpu_layers", "device", "split_mode", "tensor_split", "main_gpu", "fit_target",
)  # fmt: skip

_UNSET = Settings()


def asks_for_gpus(settings: Settings) -> bool:
    """Say whether any setting of GPUs is not as it is by itself."""
    return any(getattr(settings, name) != getattr(_UNSET, name) for name in GPU_SETTINGS)
