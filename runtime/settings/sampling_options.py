"""The flags of answers."""

from runtime.settings.option import Option

SAMPLING_OPTIONS = (
    Option(
        "system_prompt", ("-sys", "--system-prompt"),
        "system message for conversations without one", "TEXT",
    ),
    Option(
        "chat_template", ("--chat-template",),
        "jinja template instead of the model's own, or chatml", "TEXT",
    ),
    Option("chat_template_file", ("--chat-template-file",), "the same", "FILE"),
    Option(
        "chat_template_kwargs", ("--chat-template-kwargs",),
        "more variables for it", "JSON",
    ),
    Option("jinja", ("--jinja", "--no-jinja"), "read templates as jinja", ""),
    Option(
        "reasoning", ("-rea", "--reasoning"),
        "whether the model thinks before it answers, if it can: on, off or auto", "WHEN",
    ),
    Option(
        "reasoning_effort", ("--reasoning-effort",),
        "how much: default, or a word that its template knows, such as low", "LEVEL",
    ),
    Option(
        "context_shift", ("--context-shift", "--no-context-shift"),
        "forget the older half of a full context and go on", "",
    ),
    Option("keep", ("--keep",), "prompt tokens it never forgets (-1: all)"),
    Option("predict", ("-n", "--predict", "--n-predict"), "tokens to generate at most"),
    Option(
        "temp", ("--temp", "--temperature"),
        "temperature; 0 takes the likeliest token (0.8)",
    ),
    Option(
        "dynatemp_range", ("--dynatemp-range",),
        "how far the temperature moves with the entropy (0: not)",
    ),
    Option(
        "dynatemp_exp", ("--dynatemp-exp",), "how the entropy becomes one (1.0)",
    ),
    Option("top_k", ("--top-k",), "keep the N likeliest tokens (40)"),
    Option("top_p", ("--top-p",), "keep the likeliest tokens up to this mass (0.95)"),
    Option(
        "min_p", ("--min-p",), "drop tokens below this share of the likeliest (0.05)"
    ),
    Option(
        "typical", ("--typical", "--typical-p"),
        "keep tokens of typical surprise up to this mass (1.0: off)",
    ),
    Option(
        "top_n_sigma", ("--top-n-sigma", "--top-nsigma"),
        "keep tokens within N deviations of the likeliest (-1: off)",
    ),
    Option(
        "xtc_probability", ("--xtc-probability",),
        "how often to drop the likeliest tokens (0: off)",
    ),
    Option("xtc_threshold", ("--xtc-threshold",), "those at least this likely (0.1)"),
    Option(
        "dry_multiplier", ("--dry-multiplier",),
        "penalty on repeated phrases (0: off)",
    ),
    Option("dry_base", ("--dry-base",), "how it grows with their length (1.75)"),
    Option(
        "dry_allowed_length", ("--dry-allowed-length",),
        "phrases up to N tokens may repeat (2)",
    ),
    Option(
        "dry_penalty_last_n", ("--dry-penalty-last-n",),
        "how far back to look for them (64; -1: the whole context)",
    ),
    Option("repeat_penalty", ("--repeat-penalty",), "penalty on recent tokens (1.0)"),
    Option(
        "repeat_last_n", ("--repeat-last-n",),
        "tokens the penalties look at (64; -1: the whole context)",
    ),
    Option(
        "presence_penalty", ("--presence-penalty",),
        "subtracted from recent tokens' logits (0)",
    ),
    Option(
        "frequency_penalty", ("--frequency-penalty",),
        "subtracted once per recent occurrence (0)",
    ),
    Option(
        "mirostat", ("--mirostat",), "steer the surprise by Mirostat 1 or 2 (0: off)"
    ),
    Option("mirostat_ent", ("--mirostat-ent",), "the surprise it aims at (5.0)"),
    Option("mirostat_lr", ("--mirostat-lr",), "how fast it learns (0.1)"),
    Option(
        "samplers", ("--samplers", "--sampler-seq", "--sampling-seq"),
        "the samplers in order, between semicolons, or by their letters",
        "NAMES",
    ),
    Option("ignore_eos", ("--ignore-eos",), "never end by the model's own will", ""),
    Option("seed", ("-s", "--seed"), "seed of the random choice (-1: a random one)"),
)  # fmt: skip
