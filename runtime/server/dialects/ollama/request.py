"""What the bodies of `/api/chat` and `/api/generate` have in common."""

from typing import Annotated, Any

import msgspec

from runtime.chat.images import image_part, text_part
from runtime.errors import RequestError
from runtime.server.fields.constraint import ConstraintFields, constraint
from runtime.server.fields.image import image_of_base64
from runtime.server.fields.thinking import thinking_arguments
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions

MAX_TOP_LOGPROBS = 20

_LEVELS = ("low", "medium", "high", "max")
_SAMPLING = {
    "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "temperature", "repeat_penalty",
    "presence_penalty", "frequency_penalty", "mirostat", "mirostat_tau", "mirostat_eta",
}  # fmt: skip
_WHOLE = {"top_k", "repeat_last_n", "mirostat"}

# Clients send whole numbers with a fraction of zero, too.
Number = Integer | Annotated[float, msgspec.Meta(ge=-(2**53), le=2**53)]


class OllamaOptions(msgspec.Struct):
    """Ollama's `options`; those that say how a model is loaded, such as `num_ctx`, are ignored."""

    num_predict: Number | None = None
    num_keep: Number | None = None
    seed: Number | None = None
    stop: list[str] | str | None = None
    temperature: Number | None = None
    top_k: Number | None = None
    top_p: Number | None = None
    min_p: Number | None = None
    typical_p: Number | None = None
    repeat_last_n: Number | None = None
    repeat_penalty: Number | None = None
    presence_penalty: Number | None = None
    frequency_penalty: Number | None = None
    mirostat: Number | None = None
    mirostat_tau: Number | None = None
    mirostat_eta: Number | None = None

    def sampling(self) -> dict[str, Any]:
        """Return what is asked for, by field of `SamplingParams`."""
        values = {name: getattr(self, name) for name in _SAMPLING}
        asked = {name: value for name, value in values.items() if value is not None}
        asked |= {name: int(asked[name]) for name in _WHOLE & asked.keys()}
        if self.seed is not None:
            asked["seed"] = int(self.seed) if self.seed >= 0 else None
        return asked

    def stop_strings(self) -> tuple[str, ...]:
        """Return the strings at which to stop."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class AnswerFields(msgspec.Struct, kw_only=True):
    """The fields that ask for an answer; `keep_alive` matters where nothing is asked."""

    model: str = ""
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    options: OllamaOptions | None = None
    keep_alive: Number | str | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: Integer | None = None

    @property
    def streams(self) -> bool:
        """Whether the answer comes in lines; Ollama's do where nothing is said."""
        return self.stream is not False

    @property
    def load_reason(self) -> str:
        """What a body without a prompt asks for: `load`, or to keep the model alive no longer."""
        no_time = self.keep_alive is not None and not any(
            digit in str(self.keep_alive) for digit in "123456789"
        )
        return "unload" if no_time else "load"

    def generation_options(self) -> GenerationOptions:
        """Return how to generate.

        Raises:
            RequestError: A field's value cannot be used.
        """
        options = self.options or OllamaOptions()
        return GenerationOptions(
            sampling=options.sampling() | self._constraint(),
            max_tokens=_whole(options.num_predict),
            stop=options.stop_strings(),
            num_top_logprobs=self._num_top_logprobs(),
            n_keep=_whole(options.num_keep),
        )

    def template_arguments(self, *, can_think: bool) -> dict[str, Any]:
        """Return the variables for the chat template.

        Args:
            can_think: Whether the model was made to think.

        Raises:
            RequestError: It is to think and was not, or `think` has no sense.
        """
        think = self.think
        if isinstance(think, str) and think not in _LEVELS:
            raise RequestError(
                f"think is {think[:50]}, and may be true, false, {', '.join(_LEVELS)}."
            )
        if think and not can_think:
            raise RequestError("This model does not support thinking.", hint="Leave think out.")
        effort = think if isinstance(think, str) else None
        return thinking_arguments(None if think is None else bool(think), effort)

    def _constraint(self) -> dict[str, Any]:
        if not self.format:
            return {}
        if isinstance(self.format, str) and self.format != "json":
            raise RequestError(
                f"format is {self.format[:50]}, and may be json or a JSON schema as an object."
            )
        schema = {} if self.format == "json" else self.format
        return constraint(ConstraintFields(json_schema=schema))

    def _num_top_logprobs(self) -> int | None:
        count = self.top_logprobs or 0
        if not 0 <= count <= MAX_TOP_LOGPROBS:
            raise RequestError(
                f"top_logprobs is {count}, and must lie from 0 to {MAX_TOP_LOGPROBS}."
            )
        return count if self.logprobs else None


def with_images(text: str, images: list[str] | None) -> str | list[dict[str, Any]]:
    """Return a message's content with its images in front, as Ollama has them.

    Raises:
        RequestError: An image is no base64.
    """
    if not images:
        return text
    return [*(image_part(image_of_base64(image)) for image in images), text_part(text)]


def _whole(number: Number | None) -> int | None:
    return None if number is None else int(number)
