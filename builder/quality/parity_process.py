"""The process that computes what a GGUF says about texts, with llama.cpp. See child.py.

Into a folder it writes `tokens.json`, the token ids of every text, and `outputs.f32`: for a model
that generates, a row of logits for every token; for one that embeds, a vector for every text.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from builder.child import Message, read_job, tell, telling_outcome
from builder.native.llamacpp import expose_binding
from runtime.engine.attention import AttentionOptions
from runtime.engine.embedder import Embedder, embedding_shape
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.pooling import Pooling
from runtime.engine.weights import Weights
from runtime.errors import AppError
from runtime.machine import physical_cores

PROCESS = "builder.quality.parity_process"
TOKENS_NAME, OUTPUTS_NAME = "tokens.json", "outputs.f32"
# As exact as llama.cpp computes: what differs then comes from the weights.
_EXACT = AttentionOptions(cache_type_k="f32", cache_type_v="f32", flash_attn="off")


class ParityJob(msgspec.Struct, frozen=True):
    """What the process is to do.

    Args:
        weights: Where the GGUF lies.
        texts: What it is to read.
        max_tokens: How many tokens of each text.
        folder: Where to write.
        is_embedding: Whether the model embeds instead of generating.
    """

    weights: Weights
    texts: list[str]
    max_tokens: int
    folder: Path
    is_embedding: bool


def main() -> None:
    """Do the job that stands on stdin."""
    job = read_job(ParityJob)
    expose_binding()
    with telling_outcome():
        _compute(job)


def _compute(job: ParityJob) -> None:
    llama = Llama.load()
    model = Model.load(llama, job.weights)
    tokens = [model.tokenize(text, add_special=True, parse_special=False) for text in job.texts]
    (job.folder / TOKENS_NAME).write_bytes(msgspec.json.encode(tokens))
    compute = _vectors(llama, model, job) if job.is_embedding else _logits(llama, model, job)
    with (job.folder / OUTPUTS_NAME).open("wb") as file:
        for text in tokens:
            compute(text[: job.max_tokens], file)
            tell(Message(is_next=True))


def _vectors(llama: Llama, model: Model, job: ParityJob) -> Callable[[list[int], IO[bytes]], None]:
    # What has no pooling of its own is compared by the mean.
    shape = embedding_shape(model, model.pooling or Pooling.MEAN, job.max_tokens)
    embedder = Embedder.open(llama, model, shape, n_threads=physical_cores())

    def compute(tokens: list[int], file: IO[bytes]) -> None:
        ((vector,),) = embedder.embed([tokens])
        file.write((ctypes.c_float * len(vector))(*vector))

    return compute


def _logits(llama: Llama, model: Model, job: ParityJob) -> Callable[[list[int], IO[bytes]], None]:
    api = llama.api
    if api.llama_model_has_encoder(model.handle):
        raise AppError("A model with an encoder and a decoder cannot be compared.")
    params = api.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = job.max_tokens
    params.n_seq_max = 1
    params.n_threads = params.n_threads_batch = physical_cores()
    params.no_perf = True
    _EXACT.apply(params)
    context = api.llama_init_from_model(model.handle, params)
    if not context:
        raise AppError(f"There is no room for a context of {job.max_tokens} tokens.")
    memory = api.llama_get_memory(context)
    batch = api.llama_batch_init(job.max_tokens, 0, 1)

    def compute(tokens: list[int], file: IO[bytes]) -> None:
        _fill(batch, tokens)
        if status := api.llama_decode(context, batch):
            raise AppError(f"llama.cpp failed to compute a batch (status {status}).")
        values = ctypes.cast(api.llama_get_logits(context), ctypes.c_void_p).value
        assert values, "every token of the batch wants logits"
        file.write((ctypes.c_float * (len(tokens) * model.n_vocab)).from_address(values))
        api.llama_memory_clear(memory, True)

    return compute


def _fill(batch: Any, tokens: list[int]) -> None:
    batch.n_tokens = len(tokens)
    for position, token in enumerate(tokens):
        batch.token[position] = token
        batch.pos[position] = position
        batch.n_seq_id[position] = 1
        batch.seq_id[position][0] = 0
        batch.logits[position] = True


if __name__ == "__main__":
    main()
