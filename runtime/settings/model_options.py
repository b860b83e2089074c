"""The flags of what loads and computes a model."""

from runtime.settings.option import Option

MODEL_OPTIONS = (
    Option("model", ("-m", "--model"), "run this GGUF or solofile instead", "FILE"),
    Option("ctx_size", ("-c", "--ctx-size"), "tokens of context (0: by model and memory)"),
    Option("threads", ("-t", "--threads"), "threads (0: the physical cores)"),
    Option("threads_batch", ("-tb", "--threads-batch"), "threads while reading prompts"),
    Option("batch_size", ("-b", "--batch-size"), "tokens in one batch at most"),
    Option("ubatch_size", ("-ub", "--ubatch-size"), "tokens computed at once at most"),
    Option("parallel", ("-np", "--parallel"), "requests worked on at once"),
    Option(
        "repack", ("--repack", "-nr", "--no-repack"),
        "copy weights into this processor's fastest layout", "",
    ),
    Option(
        "mmap", ("--mmap", "--no-mmap"), "map the weights instead of reading them", ""
    ),
    Option("mlock", ("--mlock",), "keep the weights from being swapped out", ""),
    Option(
        "gpu_layers", ("-ngl", "--gpu-layers", "--n-gpu-layers"),
        "layers on GPUs: a number, auto (those that fit) or all",
    ),
    Option(
        "device", ("-dev", "--device"),
        "GPUs to use, between commas; none leaves them alone (see `info --devices`)", "NAMES",
    ),
    Option(
        "split_mode", ("-sm", "--split-mode"),
        "how several share the model: none, layer, row or tensor", "HOW",
    ),
    Option(
        "tensor_split", ("-ts", "--tensor-split"),
        "their shares of it, between commas, such as 3,1 (by free memory)", "SHARES",
    ),
    Option(
        "main_gpu", ("-mg", "--main-gpu"),
        "which of them has it alone, with --split-mode none, counted from 0",
    ),
    Option(
        "fit_target", ("-fitt", "--fit-target"),
        "MiB that auto leaves free on each GPU, between commas, or on all", "MIB",
    ),
    Option(
        "cache_type_k", ("-ctk", "--cache-type-k"),
        "type of the KV cache's keys: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl",
        "TYPE",
    ),
    Option(
        "cache_type_v", ("-ctv", "--cache-type-v"),
        "type of its values, one of the same", "TYPE",
    ),
    Option("flash_attn", ("-fa", "--flash-attn"), "on, off or auto", "WHEN"),
    Option(
        "rope_scaling", ("--rope-scaling",),
        "none, linear or yarn (the model's own)", "KIND",
    ),
    Option("rope_scale", ("--rope-scale",), "stretch the context by this factor"),
    Option("rope_freq_base", ("--rope-freq-base",), "base frequency (the model's own)"),
    Option("rope_freq_scale", ("--rope-freq-scale",), "stretch it by 1/N"),
    Option("yarn_orig_ctx", ("--yarn-orig-ctx",), "original context (the model's own)"),
    Option("yarn_ext_factor", ("--yarn-ext-factor",), "YaRN's mix of extrapolation"),
    Option("yarn_attn_factor", ("--yarn-attn-factor",), "YaRN's attention factor"),
    Option("yarn_beta_slow", ("--yarn-beta-slow",), "YaRN's low correction dimension"),
    Option("yarn_beta_fast", ("--yarn-beta-fast",), "YaRN's high correction dimension"),
    Option(
        "lora", ("--lora",), "LoRA adapters beside the file, between commas", "FILE",
        is_list=True,
    ),
    Option(
        "lora_scaled", ("--lora-scaled",), "the same with their scales", "FILE:SCALE",
        is_list=True,
    ),
    Option(
        "lora_init_without_apply", ("--lora-init-without-apply",),
        "load adapters and apply none until a request asks", "",
    ),
    Option("mmproj", ("-mm", "--mmproj"), "projector that reads images for it", "FILE"),
    Option(
        "spec_type", ("--spec-type",),
        "guess tokens ahead: ngram-simple (where a text repeats itself), draft-simple (by a draft "
        "model), both, or none", "TYPE", is_list=True,
    ),
    Option(
        "spec_draft_model", ("-md", "--spec-draft-model", "--model-draft"),
        "draft model, a small one with the same tokens", "FILE",
    ),
    Option("spec_draft_n_max", ("--spec-draft-n-max",), "tokens it guesses at most"),
    Option("spec_draft_n_min", ("--spec-draft-n-min",), "fewer guesses are not checked"),
    Option(
        "spec_draft_p_min", ("--spec-draft-p-min", "--draft-p-min"),
        "it guesses only tokens at least this likely",
    ),
    Option("prompt_cache", ("--prompt-cache",), "keep prompts on disk here", "DIR"),
    Option(
        "prompt_cache_limit", ("--prompt-cache-limit",), "MiB that they may take",
    ),
    Option(
        "pooling", ("--pooling",),
        "how embeddings are made: none, mean, cls, last, rank (by model)", "NAME",
    ),
    Option(
        "embd_normalize", ("--embd-normalize",),
        "how they are scaled (-1: not, 0: by the largest, 1: taxicab, 2: euclidean, N: p-norm)",
    ),
    Option(
        "verbose", ("-v", "--verbose", "--log-verbose"),
        "log what llama.cpp says, too", "",
    ),
    Option(
        "log_verbosity", ("-lv", "--verbosity", "--log-verbosity"),
        "how much is logged: 1 errors, 2 warnings, 3 requests, 4 all (2, or 3 with --log-file or "
        "--log-format json)",
    ),
    Option("log_file", ("--log-file",), "log into this file, not to stderr", "FILE"),
    Option("log_format", ("--log-format",), "text, or json: an object a line", "KIND"),
    Option(
        "sandbox", ("--sandbox",),
        "give up what answering does not need: auto (what the system lets it), on (all or nothing) "
        "or off", "WHEN",
    ),
)  # fmt: skip
