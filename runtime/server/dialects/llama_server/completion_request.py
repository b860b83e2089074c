"""The bodies of llama-server's own `/completion` and `/infill`."""

from typing import Any

from msgspec.structs import replace

from runtime.engine.engine import Engine
from runtime.errors import RequestError
from runtime.server.fields.generation import GenerationFields
from runtime.server.fields.prompt import Mixed, Prompt, mixed_tokens, prompts_tokens
from runtime.server.infill import Snippet, infill_prompt, infill_tokens, room_for
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions

# Of each token's rivals; all are sorted for each, and told.
MAX_PROBS = 1000


class NativeFields(GenerationFields, kw_only=True):
    """What both have beside a prompt; fields not named here are ignored.

    `id_slot` and `cache_prompt` are ignored, too: a request needs no slot to find what is cached.
    """

    stream: bool | None = None
    n_probs: Integer | None = None
    logprobs: Integer | None = None
    n_cmpl: Integer | None = None
    return_tokens: bool | None = None
    response_fields: list[str] | None = None

    @property
    def num_probs(self) -> int:
        """How many of each token's likeliest rivals are told; 0 tells nothing of the kind."""
        return (self.logprobs if self.n_probs is None else self.n_probs) or 0

    def native_options(self, engine: Engine) -> GenerationOptions:
        """Return how to generate.

        Raises:
            RequestError: A field's value cannot be used, or two do not fit together.
        """
        if not 0 <= self.num_probs <= MAX_PROBS:
            raise RequestError(f"n_probs is {self.num_probs}, and must lie from 0 to {MAX_PROBS}.")
        options = self.options(engine.model, min(self.num_probs, engine.model.n_vocab) or None)
        changes: dict[str, Any] = {} if self.n_cmpl is None else {"num_choices": self.n_cmpl}
        return replace(options, **changes)


class NativeRequest(NativeFields, kw_only=True):
    """The body of a request to `/completion`."""

    prompt: Prompt

    def prompts(self, engine: Engine) -> list[list[int]]:
        """Return the token ids of each prompt.

        Raises:
            RequestError: A prompt cannot be used.
        """
        return prompts_tokens(self.prompt, engine.model)


class InfillRequest(NativeFields, kw_only=True):
    """The body of a request to `/infill`."""

    input_prefix: Mixed | None = None
    input_suffix: Mixed | None = None
    input_extra: list[Snippet] | None = None
    prompt: str | None = None

    def prompts(self, engine: Engine) -> list[list[int]]:
        """Return the token ids of the one prompt.

        Raises:
            NotSupportedError: The model fills no gaps.
            RequestError: The gap has no edges.
        """
        model = engine.model
        infill_tokens(model)
        for name in ("input_prefix", "input_suffix"):
            if getattr(self, name) is None:
                raise RequestError(f'"{name}" is required')
        prefix, suffix = (
            mixed_tokens(edge or "", model, add_special=False, parse_special=False)
            for edge in (self.input_prefix, self.input_suffix)
        )
        begun = model.tokenize(self.prompt or "", add_special=False, parse_special=True)
        return [
            infill_prompt(
                model,
                prefix=prefix,
                suffix=suffix,
                begun=begun,
                snippets=self.input_extra or [],
                room=room_for(engine, self.token_limit()),
            )
        ]
