"""The process that bakes: it computes prompts as the solofile would, and writes their states."""

import msgspec
from msgspec.structs import replace

from builder.bake.beginning import beginning
from builder.bake.prompt import BakeJob, file_name
from builder.bake.proof import goes_on_alike
from builder.child import Message, read_job, tell, telling_outcome
from builder.native.llamacpp import expose_binding
from runtime.chat.conversation import ChatFormat
from runtime.chat.options import chat_options
from runtime.chat.shared_prefix import shared_prefix
from runtime.cli.engine_settings import MIB, engine_options
from runtime.engine.loading import load_model
from runtime.engine.model import Model
from runtime.engine.model_runner import ModelRunner
from runtime.engine.prompt_cache import MIN_BAKED_TOKENS, prompt_key
from runtime.engine.prompt_file import PromptFile
from runtime.engine.state_facts import state_facts
from runtime.engine.types import BatchSlice
from runtime.errors import UnsupportedError, UsageError
from runtime.manifest import Prompt
from runtime.payload import Payload
from runtime.settings.values import Settings

# One bar moves after each of these.
_BATCH_TOKENS = 512


def main() -> None:
    """Do the job that stands on stdin."""
    job = read_job(BakeJob)
    expose_binding()
    with telling_outcome(job.folder, with_hints=True):
        _bake(job)


def _bake(job: BakeJob) -> None:
    settings = _settings(job)
    options = engine_options(Payload(job.weights.path, job.weights, None), settings)
    model, runner = load_model(options)
    _require_exact(model, runner)
    chat = ChatFormat(model, chat_options(settings))
    prefixes = [shared_prefix(chat, beginning(prompt)) for prompt in job.prompts]
    for prompt, prefix in zip(job.prompts, prefixes, strict=True):
        _require_length(prompt, len(prefix), runner.n_ctx)
    if model.kv_bytes_per_token(options.attention) * sum(map(len, prefixes)) > job.limit_bytes:
        raise _too_large(job, prefixes)
    tell(Message(num_chunks=sum(len(_batches(prefix)) for prefix in prefixes)))
    facts = state_facts(model, options.attention, runner.n_ctx, job.library_sha256)
    key = prompt_key(job.weights_sha256, facts)
    left = job.limit_bytes
    for number, prefix in enumerate(prefixes, 1):
        _compute(runner, prefix)
        state = runner.save_state(0, left)
        if state is None:
            raise _too_large(job, prefixes)
        left -= len(state)
        if not goes_on_alike(runner, prefix, state):
            raise UnsupportedError(
                "This model goes on otherwise from what llama.cpp saves of its memory, so what "
                "was baked would change its answers."
            )
        PromptFile.write(job.folder / file_name(number), key, prefix, state)


def _settings(job: BakeJob) -> Settings:
    # Nothing of this machine's environment, and no models that the prompt does not depend on.
    settings = msgspec.convert(job.settings, Settings, strict=False)
    return replace(settings, model="", prompt_cache="", spec_draft_model="", mmproj="")


def _require_exact(model: Model, runner: ModelRunner) -> None:
    if not model.generates_text:
        raise UnsupportedError("A model that was made for embeddings or to rank has no prompts.")
    if not runner.can_save_states:
        raise UnsupportedError(
            "This model's attention has a sliding window, of which llama.cpp saves only the last "
            "cells, and the others cannot be had here.",
            hint="Build in a smaller --parallel, or bake nothing.",
        )


def _require_length(prompt: Prompt, length: int, n_ctx: int) -> None:
    begin = repr(prompt.system[:40])
    if length < MIN_BAKED_TOKENS:
        raise UsageError(
            f"The prompt {begin} has {length} tokens that all conversations begin with, and only "
            f"from {MIN_BAKED_TOKENS} on is there time to be saved.",
            hint="Bake a longer one, or none: `rebase` has --no-bake for that.",
        )
    if length >= n_ctx:
        raise UsageError(
            f"The prompt {begin} has {length} tokens, and the context {n_ctx}.",
            hint="Shorten it, or build in a larger ctx-size.",
        )


def _too_large(job: BakeJob, prefixes: list[list[int]]) -> UsageError:
    num_tokens = sum(map(len, prefixes))
    return UsageError(
        f"{num_tokens} tokens would take more than the {job.limit_bytes // MIB} MiB that "
        "--bake-limit allows.",
        hint="Raise it, shorten the prompt, or build in cache-type-k=q8_0 and cache-type-v=q8_0.",
    )


def _batches(prefix: list[int]) -> list[range]:
    length = len(prefix)
    return [
        range(start, min(start + _BATCH_TOKENS, length))
        for start in range(0, length, _BATCH_TOKENS)
    ]


def _compute(runner: ModelRunner, prefix: list[int]) -> None:
    for batch in _batches(prefix):
        for start in range(batch.start, batch.stop, runner.n_batch):
            stop = min(start + runner.n_batch, batch.stop)
            runner.decode([BatchSlice(0, start, prefix[start:stop], False)])
        tell(Message(is_next=True))


if __name__ == "__main__":
    main()
