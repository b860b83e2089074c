"""A loaded model: its weights mapped where they lie, its vocabulary, its metadata."""

import ctypes
import logging
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from runtime.engine.attention import AttentionOptions
from runtime.engine.c_file import with_c_file
from runtime.engine.header import ModelHeader
from runtime.engine.llama import Llama
from runtime.engine.pooling import Pooling, pooling_of
from runtime.engine.sampling.params import recommended_sampling
from runtime.engine.start_library import start_library
from runtime.engine.weights import LoadOptions, Weights
from runtime.errors import DamagedFileError, ResourceError, UnsupportedError

if TYPE_CHECKING:
    from runtime.engine.offload.placement import Placement

logger = logging.getLogger(__name__)

# llama.cpp's names for the tokens around a gap.
_INFILL_PARTS = ("pre", "suf", "mid", "rep", "sep")


class InfillTokens(msgspec.Struct, frozen=True):
    """The control tokens around the parts of a text with a gap.

    Args:
        prefix: Stands before what precedes the gap.
        suffix: Stands before what follows it.
        middle: Stands before what fills it.
        repository: Stands before the name of a collection of files; None where there is no such.
        file: Stands before a file's name; None where there is no such.
    """

    prefix: int
    suffix: int
    middle: int
    repository: int | None = None
    file: int | None = None


class Model:
    """The model and its tokenizer; safe to use from several threads."""

    def __init__(self, llama: Llama, handle: Any, placement: "Placement | None" = None) -> None:
        self.llama = llama
        self.placement = placement
        self._api = llama.api
        self.handle = handle
        self.header = ModelHeader(llama.api, handle)
        self.vocab = llama.api.llama_model_get_vocab(handle)
        self._pieces: dict[int, bytes] = {}
        self.n_vocab: int = llama.api.llama_vocab_n_tokens(self.vocab)
        self.n_embd: int = llama.api.llama_model_n_embd(handle)
        self.n_ctx_train: int = llama.api.llama_model_n_ctx_train(handle)
        self.n_layer: int = llama.api.llama_model_n_layer(handle)
        self.n_swa: int = llama.api.llama_model_n_swa(handle)
        # With what some projectors give for later layers, too.
        self.n_embd_input: int = llama.api.llama_model_n_embd_inp(handle)

    @classmethod
    def load(cls, llama: Llama, weights: Weights, options: LoadOptions | None = None) -> "Model":
        """Bring the weights into memory: mapped out of their file without a copy, or as asked.

        Args:
            llama: The loaded libraries.
            weights: Where the GGUF lies.
            options: How; None maps them.

        Raises:
            DamagedFileError: It is no GGUF, or cut short.
            UnsupportedError: llama.cpp does not know its architecture or a tensor type.
            ResourceError: There was not enough memory.
            UsageError: The options name a GPU that does not exist.
        """
        api = llama.api
        params = api.llama_model_default_params()
        options = options or LoadOptions()
        placement = None
        if options.offload:
            # Only where there are GPU plugins.
            from runtime.engine.offload.placement import place

            placement = place(llama, weights, options.offload)
        if placement:
            placement.apply(params)
        params.use_extra_bufts = options.repack
        if options.mlock:
            params.load_mode = (
                api.LLAMA_LOAD_MODE_MMAP_MLOCK if options.mmap else api.LLAMA_LOAD_MODE_MLOCK
            )
        elif not options.mmap:
            params.load_mode = api.LLAMA_LOAD_MODE_NONE

        def load() -> Any:
            return with_c_file(
                weights.path,
                weights.offset,
                lambda file: api.llama_model_load_from_file_ptr(file, params),
            )

        # Listening takes its time, and llama.cpp's log alone says that locking failed.
        handle, complaints = llama.listen(load) if options.mlock else (load(), [])
        _warn_of_unlocked(complaints)
        if not handle:
            raise load_error(weights.path, llama.why(load))
        return cls(llama, handle, placement)

    def close(self) -> None:
        """Unmap the weights."""
        self._api.llama_model_free(self.handle)

    def metadata(self, key: str) -> str | None:
        """Return a value of the GGUF's header as text, or None."""
        return self.header.value(key)

    @cached_property
    def recommended_sampling(self) -> dict[str, Any]:
        """What its makers recommend, by field of `SamplingParams`."""
        return recommended_sampling(self.metadata)

    def chat_template(self, name: str | None = None) -> str | None:
        """Return a jinja source that came with the model, or None.

        Args:
            name: Which of several, such as `tool_use`; None is the one for any conversation.
        """
        template: bytes | None = self._api.llama_model_chat_template(
            self.handle, name.encode() if name else None
        )
        return template.decode(errors="replace") if template else None

    def control_token(self, text: str) -> int | None:
        """Return the one token that a name of a special token stands for, or None."""
        tokens = self.tokenize(text, add_special=False, parse_special=True)
        if len(tokens) == 1 and self.special_piece(tokens[0]) == text.encode():
            return tokens[0]
        return None

    @property
    def bos_piece(self) -> str:
        """The text of the token that begins a sequence, or the empty text."""
        return self._special_text(self._api.llama_vocab_bos(self.vocab))

    @property
    def eos_piece(self) -> str:
        """The text of the token that ends a sequence, or the empty text."""
        return self._special_text(self._api.llama_vocab_eos(self.vocab))

    @property
    def vocab_type(self) -> int:
        """llama.cpp's number for the kind of its tokenizer."""
        kind: int = self._api.llama_vocab_type(self.vocab)
        return kind

    @property
    def begin_tokens(self) -> list[int]:
        """What the model wants before every text: one token, or none."""
        adds = self._api.llama_vocab_get_add_bos(self.vocab)
        return [self._api.llama_vocab_bos(self.vocab)] if adds else []

    def kv_bytes_per_token(self, attention: AttentionOptions) -> int:
        """Return the size of one cell of the KV cache over all layers."""
        api = self._api
        architecture = self.header.architecture
        n_head = max(1, api.llama_model_n_head(self.handle))
        head_size = self.n_embd // n_head
        n_head_kv: int = api.llama_model_n_head_kv(self.handle)
        num_keys, num_values = (
            int(self.metadata(f"{architecture}.attention.{which}_length") or head_size)
            * self.n_layer
            * n_head_kv
            for which in ("key", "value")
        )
        return attention.bytes_per_cell(num_keys, num_values)

    @property
    def pooling(self) -> Pooling | None:
        """How it makes embeddings; None for a model whose makers do not say."""
        value = self._architecture_value("pooling_type")
        return None if value is None else pooling_of(int(value))

    @property
    def generates_text(self) -> bool:
        """Whether it continues a text; else it was made for embeddings or to rank."""
        return (
            not self.pooling
            and self._architecture_value("attention.causal") != "false"
            and bool(self._api.llama_model_has_decoder(self.handle))
        )

    @property
    def can_cut_memory(self) -> bool:
        """Whether a sequence can be shortened; a recurrent state cannot."""
        api = self._api
        return not (
            api.llama_model_is_recurrent(self.handle) or api.llama_model_is_hybrid(self.handle)
        )

    @cached_property
    def end_tokens(self) -> list[int]:
        """The tokens with which the model means to stop."""
        is_end = self.llama.quick("llama_vocab_is_eog")
        is_end.restype = ctypes.c_bool
        vocab = ctypes.c_void_p(self.vocab)
        if library := start_library():
            tokens = (ctypes.c_int32 * self.n_vocab)()
            return tokens[: library.solofile_end_tokens(is_end, vocab, self.n_vocab, tokens)]
        return [token for token in range(self.n_vocab) if is_end(vocab, token)]

    @cached_property
    def byte_tokens(self) -> dict[int, int]:
        """The tokens that are one byte long, by that byte."""
        found: dict[int, int] = {}
        for token in range(self.n_vocab):
            piece = self.piece(token)
            if len(piece) == 1:
                found.setdefault(piece[0], token)
                # They stand near the beginning, and a vocabulary takes a while to read.
                if len(found) == 256:
                    break
        return found

    @cached_property
    def suppressed_tokens(self) -> list[int]:
        """The tokens that its makers never want sampled."""
        count = ctypes.c_int32()
        tokens = self._api.llama_vocab_get_suppress_tokens(self.vocab, ctypes.byref(count))
        return list(tokens[: count.value]) if tokens else []

    @property
    def infill_tokens(self) -> InfillTokens | None:
        """What it was trained on to fill gaps with; None where it was not."""
        prefix, suffix, middle, *others = (
            getattr(self._api, f"llama_vocab_fim_{name}")(self.vocab) for name in _INFILL_PARTS
        )
        if min(prefix, suffix, middle) < 0:
            return None
        return InfillTokens(
            prefix, suffix, middle, *(None if token < 0 else token for token in others)
        )

    def is_end_of_generation(self, token: int) -> bool:
        """Say whether the model means to stop with this token."""
        return bool(self._api.llama_vocab_is_eog(self.vocab, token))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Return the token ids of `text`.

        Args:
            text: What to tokenize.
            add_special: Add the tokens the model wants around a text.
            parse_special: Read names of special tokens in the text as those tokens.
        """
        data = text.encode()
        size = len(data) + 8
        while True:
            tokens = (ctypes.c_int32 * size)()
            count: int = self._api.llama_tokenize(
                self.vocab, data, len(data), tokens, size, add_special, parse_special
            )
            if count >= 0:
                return tokens[:count]
            size = -count

    def query_and_document(self, query: str, document: str) -> list[int]:
        """Return the tokens of the two as a model that ranks was trained on them."""
        api = self._api
        template = self.chat_template("rerank")
        if template:
            parts = {"{query}": query, "{document}": document}
            text = re.sub(r"\{(?:query|document)\}", lambda m: parts[m[0]], template)
            return self.tokenize(text, add_special=False, parse_special=True)
        bos, eos, sep = (
            getattr(api, f"llama_vocab_{name}")(self.vocab) for name in ("bos", "eos", "sep")
        )
        begin = [bos] if api.llama_vocab_get_add_bos(self.vocab) else []
        end = [sep if eos < 0 else eos] if api.llama_vocab_get_add_eos(self.vocab) else []
        between = [sep] if api.llama_vocab_get_add_sep(self.vocab) else []
        first, second = (
            self.tokenize(text, add_special=False, parse_special=False)
            for text in (query, document)
        )
        return [*begin, *first, *end, *between, *second, *end]

    def piece(self, token: int) -> bytes:
        """Return a token's bytes; control tokens have none."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token, special=False)
        return piece

    def special_piece(self, token: int) -> bytes:
        """Return a token's bytes; a control token's are its name."""
        return self._read_piece(token, special=True)

    def text(self, tokens: Iterable[int]) -> str:
        """Return what tokens say; control tokens say their names."""
        return b"".join(map(self.special_piece, tokens)).decode(errors="replace")

    def _architecture_value(self, name: str) -> str | None:
        """Return a value of the header that stands under the architecture's name, or None."""
        return self.metadata(f"{self.metadata('general.architecture')}.{name}")

    def _special_text(self, token: int) -> str:
        return "" if token < 0 else self.special_piece(token).decode(errors="replace")

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = self._api.llama_token_to_piece(self.vocab, token, buffer, size, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            size = -count


def _warn_of_unlocked(complaints: list[str]) -> None:
    for line in complaints:
        if "failed to mlock" in line or "VirtualLock" in line:
            reason = line.partition("): ")[2].partition("\n")[0]
            logger.warning(
                "The weights could not be locked into memory (%s), so they can be swapped out. "
                "The system's limit is raised with ulimit -l.",
                reason,
            )


def load_error(path: Path, complaints: list[str]) -> Exception:
    """Return the error for what llama.cpp logged; it has no other way to say why."""
    reason = next((line for line in complaints if "error loading model" in line), "")
    reason = reason.partition("error loading model: ")[2] or " ".join(complaints[-1:])
    if "unknown model architecture" in reason:
        architecture = reason.rpartition(": ")[2].strip("'")
        return UnsupportedError(
            f"This version of llama.cpp does not know the architecture {architecture} of {path}.",
            hint="Use a newer version of solofile, or another model.",
        )
    if "does not support split buffers" in reason:
        return UnsupportedError(
            f"GPUs of this kind cannot share a model by rows: {reason}.",
            hint="Leave out --split-mode row.",
        )
    if "not within the file bounds" in reason:
        return DamagedFileError(f"{path} is cut short.", hint="Copy or download it again.")
    if any("invalid magic" in line for line in complaints):
        return DamagedFileError(f"{path} is not a GGUF file.", hint="Give a model in GGUF format.")
    if "alloc" in reason:
        return ResourceError(f"There is not enough memory to load {path}: {reason}.")
    return DamagedFileError(
        f"llama.cpp cannot load {path}: {reason or 'it gave no reason'}.",
        hint="The file may be damaged; copy or download it again.",
    )
