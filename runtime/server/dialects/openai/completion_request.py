"""The body of a request to `/v1/completions`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.errors import RequestError
from runtime.server.dialects.openai.logprobs import MAX_TOP_LOGPROBS
from runtime.server.errors import NotSupportedError
from runtime.server.fields.generation import GenerationFields
from runtime.server.fields.prompt import Prompt, prompts_tokens
from runtime.server.infill import infill_prompt, infill_tokens, room_for
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions

# OpenAI's, where neither the request nor the settings name a limit.
DEFAULT_MAX_TOKENS = 16


class StreamOptions(msgspec.Struct):
    """What a stream carries besides text."""

    include_usage: bool = False


class CompletionRequest(GenerationFields, kw_only=True):
    """The body; fields not named here are ignored."""

    prompt: Prompt
    suffix: str | None = None
    echo: bool = False
    best_of: Integer | None = None
    logprobs: Integer | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def num_choices(self) -> int:
        """How many answers to a prompt are wanted."""
        return 1 if self.n is None else self.n

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def prompts(self, engine: Engine) -> list[list[int]]:
        """Return the token ids of each prompt.

        Raises:
            RequestError: A prompt cannot be used, or the model cannot fill in before a suffix.
        """
        model = engine.model
        prompts = prompts_tokens(self.prompt, model)
        if not self.suffix:
            return prompts
        try:
            infill_tokens(model)
        except NotSupportedError as error:
            raise RequestError(
                f"suffix cannot be used. {error.message}", hint="Leave it out."
            ) from error
        suffix = model.tokenize(self.suffix, add_special=False, parse_special=False)
        return [
            infill_prompt(
                model,
                prefix=_without_begin(prompt, model),
                suffix=suffix,
                begun=[],
                snippets=None,
                room=room_for(engine, self.token_limit()),
            )
            for prompt in prompts
        ]

    def echoes(self, model: Model, prompts: Sequence[list[int]]) -> list[str]:
        """Return what stands before each prompt's answers: its text, where that is asked for.

        Args:
            model: The loaded model.
            prompts: The prompts' token ids.
        """
        if not self.echo:
            return [""] * len(prompts)
        if isinstance(self.prompt, str):
            return [self.prompt]
        given = self.prompt if isinstance(self.prompt, list) else [self.prompt]
        if len(given) != len(prompts):
            return [model.text(prompts[0])]
        return [
            item if isinstance(item, str) else model.text(tokens)
            for item, tokens in zip(given, prompts, strict=True)
        ]

    def completion_options(self, model: Model, default_limit: int | None) -> GenerationOptions:
        """Return how to generate.

        Args:
            model: The loaded model.
            default_limit: What the settings allow; None is no limit.

        Raises:
            RequestError: A field's value cannot be used, or two do not fit together.
        """
        options = self.options(model, self._num_top_logprobs())
        changes: dict[str, Any] = {"num_choices": self._num_candidates()}
        if options.max_tokens is None:
            changes["max_tokens"] = DEFAULT_MAX_TOKENS if default_limit is None else default_limit
        return msgspec.structs.replace(options, **changes)

    def _num_top_logprobs(self) -> int | None:
        if self.logprobs is None:
            # They tell which answers are best.
            return 0 if self._num_candidates() > self.num_choices else None
        if not 0 <= self.logprobs <= MAX_TOP_LOGPROBS:
            raise RequestError(
                f"logprobs is {self.logprobs}, and must lie from 0 to {MAX_TOP_LOGPROBS}."
            )
        if self.echo:
            raise NotSupportedError(
                "logprobs with echo would be those of the prompt, and this server computes none.",
                hint="Leave one of the two out.",
            )
        return self.logprobs

    def _num_candidates(self) -> int:
        """Return how many answers to a prompt are generated."""
        if self.best_of is None:
            return self.num_choices
        if self.best_of < self.num_choices:
            raise RequestError(f"best_of is {self.best_of}, and less than n.")
        if self.best_of > self.num_choices and self.stream:
            raise RequestError("best_of chooses among whole answers, so they cannot be streamed.")
        return self.best_of


def _without_begin(prompt: list[int], model: Model) -> list[int]:
    num_begin = len(model.begin_tokens)
    return prompt[num_begin:] if prompt[:num_begin] == model.begin_tokens else prompt
