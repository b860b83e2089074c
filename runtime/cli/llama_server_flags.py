"""llama-server's flags that are no settings here, so that command lines written for it work.

Those that change nothing a client sees are taken and left aside, which is said. Those that ask
for what cannot be done are refused with the reason. A few mean one of our settings.
"""

from collections.abc import Iterable

import msgspec

from runtime.errors import UsageError

# By how many values follow.
_IGNORED = {
    0: """
        --swa-full --perf --no-perf -e --escape --no-escape --no-host --check-tensors
        -kvo --kv-offload -nkvo --no-kv-offload -cmoe --cpu-moe --op-offload --no-op-offload
        --log-disable --no-log-jsonl --log-prefix --no-log-prefix --log-timestamps
        --no-log-timestamps --offline -bs --backend-sampling
        --spec-draft-cpu-moe -cmoed --cpu-moe-draft --spec-draft-backend-sampling
        --no-spec-draft-backend-sampling --spec-default
        -kvu --kv-unified -no-kvu --no-kv-unified --cache-idle-slots --no-cache-idle-slots
        --warmup --no-warmup -cb --cont-batching -nocb --no-cont-batching
        --mmproj-auto --no-mmproj --no-mmproj-auto --mmproj-offload --no-mmproj-offload
        --reuse-port --cors-credentials --no-cors-credentials --no-ui-mcp-proxy
        --no-webui-mcp-proxy -no-ag --no-agent --ui --webui --no-ui --no-webui
        --embedding --embeddings --rerank --reranking --cache-prompt --no-cache-prompt
        --metrics --props --slots --no-slots --models-autoload --no-models-autoload
        --reasoning-preserve --no-reasoning-preserve --no-skip-chat-parsing
        --prefill-assistant --no-prefill-assistant
    """,
    1: """
        -C --cpu-mask -Cr --cpu-range --cpu-strict --prio --poll -Cb --cpu-mask-batch
        -Crb --cpu-range-batch --cpu-strict-batch --prio-batch --poll-batch --numa
        -dt --defrag-thold -lzm --lazy-mode -ncmoe --n-cpu-moe -ncffn --n-cpu-ffn
        -fit --fit -fitc --fit-ctx -hft --hf-token --log-colors
        -ctkd --spec-draft-type-k --cache-type-k-draft -ctvd --spec-draft-type-v
        --cache-type-v-draft -td --spec-draft-threads --threads-draft
        -tbd --spec-draft-threads-batch --threads-batch-draft -Cd --spec-draft-cpu-mask
        --cpu-mask-draft -Crd --spec-draft-cpu-range --cpu-range-draft --spec-draft-cpu-strict
        --cpu-strict-draft --spec-draft-prio --prio-draft --spec-draft-poll --poll-draft
        -Cbd --spec-draft-cpu-mask-batch --cpu-mask-batch-draft --spec-draft-cpu-strict-batch
        --cpu-strict-batch-draft --spec-draft-prio-batch --prio-batch-draft
        --spec-draft-poll-batch --poll-batch-draft --spec-draft-n-cpu-moe --spec-draft-ncmoe
        -ncmoed --n-cpu-moe-draft --spec-draft-p-split --draft-p-split -devd
        --spec-draft-device --device-draft -ngld --spec-draft-ngl --gpu-layers-draft
        --n-gpu-layers-draft --spec-ngram-mod-n-min --spec-ngram-mod-n-max
        --spec-ngram-mod-n-match --spec-ngram-simple-size-n --spec-ngram-simple-size-m
        --spec-ngram-simple-min-hits --spec-ngram-map-k-size-n --spec-ngram-map-k-size-m
        --spec-ngram-map-k-min-hits --spec-ngram-map-k4v-size-n --spec-ngram-map-k4v-size-m
        --spec-ngram-map-k4v-min-hits -lcs --lookup-cache-static -lcd --lookup-cache-dynamic
        --kv-unified-per-slot -ctxcp --ctx-checkpoints --swa-checkpoints -cms
        --checkpoint-min-step -cram --cache-ram --cache-reuse -mmdev --mmproj-device
        --image-min-tokens --image-max-tokens --mtmd-batch-max-tokens --video-fps
        --video-timestamp-interval --video-ffmpeg-dir --tags --cors-methods --cors-headers
        --ui-config --webui-config --ui-config-file --webui-config-file --sse-ping-interval
        --threads-http --models-max -sps --slot-prompt-similarity --sleep-idle-seconds
        --reasoning-budget-message
    """,
}

_NO_DOWNLOADS = "Nothing is downloaded here; the model is inside, or a file that -m names."
_PER_REQUEST = "It belongs into each request, as the field of that name."
_ONE_MODEL = "A solofile serves one model."
_NO_FILES = "Images come in requests, never from files of the server."
_NO_TOOLS = "Tools are run by clients, never by this server."
_AS_IT_IS = "The model runs as its makers wrote it."

_REFUSED = {
    _NO_DOWNLOADS: """
        -mu --model-url -mmu --mmproj-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file
        -cl --cache-list --spec-draft-hf -hfd -hfrd --hf-repo-draft --embd-gemma-default
        --fim-qwen-1.5b-default --fim-qwen-3b-default --fim-qwen-7b-default
        --fim-qwen-7b-spec --fim-qwen-14b-spec
        --fim-qwen-30b-default --gpt-oss-20b-default --gpt-oss-120b-default
        --vision-gemma-4b-default --vision-gemma-12b-default
    """,
    _PER_REQUEST: """
        -l --logit-bias --grammar --grammar-file -j --json-schema -jf --json-schema-file
        --dry-sequence-breaker -r --reverse-prompt
    """,
    _ONE_MODEL: "--models-dir --models-preset",
    _NO_FILES: "--media-path",
    _NO_TOOLS: """
        --ui-mcp-proxy --webui-mcp-proxy --tools --tools-runtime --mcp-servers-config
        --mcp-servers-json -ag --agent
    """,
    _AS_IT_IS: """
        --override-kv -ot --override-tensor -otd --spec-draft-override-tensor
        --override-tensor-draft --control-vector --control-vector-scaled
        --control-vector-layer-range --spm-infill -sp --special --skip-chat-parsing
    """,
    "Its samplers have no adaptive-p.": "--adaptive-target --adaptive-decay",
    "It computes on this machine alone.": "--rpc",
    "Use the command info --devices.": "--list-devices",
    "Use --prompt-cache DIR, which keeps prompts by itself.": "--slot-save-path",
    "Use --log-prompts with --log-file.": "--log-prompts-dir",
    "Let a proxy before it add what paths begin with.": "--api-prefix",
    "Let another server give out files.": "--path",
    "It is for measuring llama.cpp alone.": "--spec-synth-len --spec-synth-rates",
    "It has no shell completion.": "--completion-bash",
    "Use --spec-draft-n-max.": "--draft --draft-n --draft-max",
    "Use --spec-draft-n-min.": "--draft-min --draft-n-min",
    "Leave it out; n-grams are looked up as it pays.": """
        --spec-ngram-size-n --spec-ngram-size-m --spec-ngram-min-hits
    """,
}


class Meaning(msgspec.Struct, frozen=True):
    """What some values of a flag mean; others are refused.

    Args:
        values: Our own arguments, by value.
        hint: What to do with other values.
    """

    values: dict[str, tuple[str, ...]]
    hint: str


_LOAD_MODES = Meaning(
    {
        "auto": (),
        "none": ("--no-mmap",),
        "mmap": ("--mmap",),
        "mlock": ("--no-mmap", "--mlock"),
        "mmap+mlock": ("--mmap", "--mlock"),
    },
    "It may be auto, mlock, mmap, mmap+mlock or none.",
)
_TRANSLATED = {
    "-lm": _LOAD_MODES,
    "--load-mode": _LOAD_MODES,
    "--reasoning-format": Meaning(
        {"auto": (), "deepseek": ()}, "Other formats belong into requests: reasoning_format."
    ),
    "--reasoning-budget": Meaning(
        {"-1": (), "0": ("--reasoning", "off")}, "It may be -1 or 0; answers are bounded by -n."
    ),
}
# A flag without a value that means one of ours.
_RENAMED = {"--log-jsonl": ("--log-format", "json")}


class KnownFlags(msgspec.Struct, frozen=True):
    """llama-server's flags by what becomes of them.

    Args:
        ignored: How many values follow each flag that is left aside.
        refused: Why each that is refused is.
        translated: What becomes of others.
    """

    ignored: dict[str, int]
    refused: dict[str, str]
    translated: frozenset[str]


def known_flags() -> KnownFlags:
    """Return the table."""
    return KnownFlags(
        {flag: count for count, flags in _IGNORED.items() for flag in flags.split()},
        {flag: reason for reason, flags in _REFUSED.items() for flag in flags.split()},
        frozenset(_TRANSLATED) | frozenset(_RENAMED),
    )


class OwnArguments(msgspec.Struct, frozen=True):
    """A command line without llama-server's own flags.

    Args:
        arguments: What is left, translated where it means something here.
        ignored: The flags that were left aside.
    """

    arguments: list[str]
    ignored: list[str]


def own_arguments(arguments: Iterable[str]) -> OwnArguments:
    """Take a command line written for llama-server.

    Raises:
        UsageError: It asks for what cannot be done here.
    """
    known = known_flags()
    own: list[str] = []
    ignored: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        flag, has_value, value = argument.partition("=")
        if flag in known.refused:
            raise UsageError(f"{flag} is not possible here.", hint=known.refused[flag])
        if flag in known.ignored:
            ignored.append(flag)
            if not has_value:
                del rest[: known.ignored[flag]]
        elif flag in _RENAMED:
            own += _RENAMED[flag]
        elif flag in _TRANSLATED:
            if not has_value:
                value = rest.pop(0) if rest else ""
            own += _translated(flag, value)
        else:
            own.append(argument)
    return OwnArguments(own, ignored)


def _translated(flag: str, value: str) -> tuple[str, ...]:
    meaning = _TRANSLATED[flag]
    if value not in meaning.values:
        raise UsageError(f"{flag} {value} is not possible here.", hint=meaning.hint)
    return meaning.values[value]
