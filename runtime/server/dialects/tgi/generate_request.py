"""The body of a request to text-generation-inference's `/generate`."""

import secrets
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from runtime.engine.adapters import AdapterFile
from runtime.engine.sampling.json_grammar import JSON_OBJECT
from runtime.engine.sampling.json_schema import schema_grammar
from runtime.engine.sampling.text_pattern import pattern_grammar
from runtime.errors import RequestError
from runtime.server.json import Integer
from runtime.server.state import ServerState
from runtime.server.task import MAX_CHOICES, GenerationOptions

MAX_TOP_N_TOKENS = 20
# Without a limit of its own, a request gets this many tokens; one that says null, up to the other.
DEFAULT_NEW_TOKENS = 100
MAX_UNASKED_TOKENS = 1024


class Grammar(msgspec.Struct):
    """What the answer must be: JSON that satisfies a schema, or a text that a pattern matches."""

    type: Literal["json", "json_object", "json_schema", "regex"]
    value: Any

    def to_gbnf(self) -> str:
        """Return it as llama.cpp's grammar.

        Raises:
            RequestError: The value cannot be used.
        """
        value = self.value
        if self.type == "regex":
            if not isinstance(value, str):
                raise RequestError("The value of a grammar of type regex is no text.")
            return pattern_grammar(value)
        if isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except (msgspec.DecodeError, RecursionError) as error:
                raise RequestError(f"The grammar's value is no valid JSON: {error}.") from error
        if self.type == "json_schema":
            if not isinstance(value, dict) or "schema" not in value:
                raise RequestError("The value of a grammar of type json_schema has no schema.")
            value = value["schema"]
        return JSON_OBJECT if value == {} else schema_grammar(value)


class GenerateParameters(msgspec.Struct, kw_only=True):
    """How to generate; what is left out, the settings and the model say."""

    best_of: Integer | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    top_k: Integer | None = None
    top_p: float | None = None
    typical_p: float | None = None
    do_sample: bool | None = None
    max_new_tokens: Integer | None = DEFAULT_NEW_TOKENS
    return_full_text: bool | None = None
    stop: list[str] | None = None
    truncate: Integer | None = None
    watermark: bool | None = None
    details: bool | None = None
    decoder_input_details: bool | None = None
    seed: Integer | None = None
    top_n_tokens: Integer | None = None
    grammar: Grammar | None = None
    adapter_id: str | None = None

    @property
    def samples(self) -> bool:
        """Whether tokens are drawn; else the likeliest is taken."""
        warps = (
            self.temperature not in (None, 1),
            self.top_k,
            self.top_p is not None and self.top_p < 1,
            self.typical_p is not None and self.typical_p < 1,
        )
        return bool(self.do_sample) or any(warps)

    def sampling(self) -> dict[str, Any]:
        """Return what is asked for, by field of `SamplingParams`, with a seed.

        Raises:
            RequestError: The grammar cannot be used.
        """
        values = {
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "typical_p": self.typical_p,
            "repeat_penalty": self.repetition_penalty,
            "frequency_penalty": self.frequency_penalty,
            "seed": secrets.randbits(32) if self.seed is None else self.seed,
            "grammar": self.grammar.to_gbnf() if self.grammar else None,
        }
        asked = {name: value for name, value in values.items() if value is not None}
        if not self.samples:
            asked |= {"temperature": 0, "dynatemp_range": 0, "mirostat": 0}
        if self.repetition_penalty is not None or self.frequency_penalty is not None:
            # There, penalties look at the whole text.
            asked["repeat_last_n"] = -1
        return asked

    def check(self) -> None:
        """Refuse what is out of range, and what is not done here.

        Raises:
            RequestError: Something is.
        """
        limits = {
            "best_of": (1, MAX_CHOICES),
            "top_n_tokens": (0, MAX_TOP_N_TOKENS),
            "max_new_tokens": (1, 2**31 - 1),
            "truncate": (1, 2**31 - 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise RequestError(f"{name} is {value}, and must lie from {low} to {high}.")
        if (self.best_of or 1) > 1 and not self.samples:
            raise RequestError(
                "best_of is more than 1, and without sampling all answers are the same.",
                hint="Set do_sample to true.",
            )
        if self.watermark:
            raise RequestError("watermark is not supported.")
        if self.decoder_input_details:
            raise RequestError("decoder_input_details is not supported.")


class GenerateRequest(msgspec.Struct, kw_only=True):
    """The body of a request to `/generate`; `stream` counts at `/` only."""

    inputs: str
    parameters: GenerateParameters = msgspec.field(
        # Without any parameters, tokens are drawn; with some, only if they say so.
        default_factory=lambda: GenerateParameters(do_sample=True)
    )
    stream: bool = False

    def check(self, *, is_stream: bool) -> None:
        """Refuse what cannot be done.

        Raises:
            RequestError: Something cannot.
        """
        if not self.inputs:
            raise RequestError("inputs is empty.")
        self.parameters.check()
        if is_stream and (self.parameters.best_of or 1) > 1:
            raise RequestError("best_of is more than 1, which a stream cannot be.")

    def prompt(self, state: ServerState) -> list[int]:
        """Return the prompt's token ids, without what `truncate` cuts off its front."""
        tokens = state.engine.model.tokenize(self.inputs, add_special=True, parse_special=True)
        return tokens[-(self.parameters.truncate or len(tokens)) :]

    def options(
        self, state: ServerState, num_prompt_tokens: int, *, wants_likelihoods: bool
    ) -> GenerationOptions:
        """Return how to generate.

        Args:
            state: The server's.
            num_prompt_tokens: How long the prompt is.
            wants_likelihoods: Whether the answer tells how likely its tokens were.

        Raises:
            RequestError: A parameter's value cannot be used.
        """
        asked = self.parameters
        return GenerationOptions(
            sampling=asked.sampling(),
            max_tokens=_max_tokens(asked.max_new_tokens, num_prompt_tokens, state.engine.n_ctx),
            stop=tuple(asked.stop or ()),
            num_choices=asked.best_of or 1,
            num_top_logprobs=(asked.top_n_tokens or 0) if wants_likelihoods else None,
            lora=_adapter_scales(asked.adapter_id, state.engine.adapters.files),
        )


def _max_tokens(asked: int | None, num_prompt_tokens: int, n_ctx: int) -> int:
    room = n_ctx - num_prompt_tokens
    if asked is None:
        return max(1, min(room, MAX_UNASKED_TOKENS))
    if 0 < room < asked:
        raise RequestError(
            f"inputs has {num_prompt_tokens} tokens and max_new_tokens is {asked}, and the context "
            f"holds {n_ctx}.",
            hint="Lower one of them, or set truncate.",
        )
    return asked


def _adapter_scales(name: str | None, files: Sequence[AdapterFile]) -> dict[int, float] | None:
    if not name:
        return None
    for id, file in enumerate(files):
        if name in (str(id), file.name, PurePath(file.name).stem):
            return {id: file.scale or 1.0}
    names = ", ".join(sorted(file.name for file in files))
    raise RequestError(
        f"adapter_id is {name[:100]}, and no adapter is called that.",
        hint=f"The adapters are {names}." if names else "There are no adapters.",
    )
