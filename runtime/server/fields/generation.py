"""What bodies of OpenAI's and llama-server's routes say of how to generate."""

from runtime.engine.model import Model
from runtime.server.fields.constraint import constraint
from runtime.server.fields.lora import LoraScale, lora_scales
from runtime.server.fields.sampling import SamplingFields
from runtime.server.json import Integer
from runtime.server.progress import ShownProgress
from runtime.server.task import GenerationOptions


class GenerationFields(SamplingFields, kw_only=True):
    """The fields that say how to generate."""

    max_tokens: Integer | None = None
    n_predict: Integer | None = None
    n_keep: Integer | None = None
    t_max_predict_ms: Integer | None = None
    stop: str | list[str] | None = None
    n: Integer | None = None
    lora: list[LoraScale] | None = None
    timings_per_token: bool = False
    return_progress: bool = False

    def token_limit(self) -> int | None:
        """Return how many tokens the body allows; None says nothing."""
        return self.n_predict if self.max_tokens is None else self.max_tokens

    def options(self, model: Model, num_top_logprobs: int | None) -> GenerationOptions:
        """Return what the body asks for.

        Raises:
            RequestError: A field's value cannot be used, or two do not fit together.
        """
        max_predict_ms = self.t_max_predict_ms or 0
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return GenerationOptions(
            sampling=self.asked(model) | constraint(self),
            max_tokens=self.token_limit(),
            stop=tuple(stop),
            num_choices=1 if self.n is None else self.n,
            num_top_logprobs=num_top_logprobs,
            lora=lora_scales(self.lora),
            n_keep=self.n_keep,
            max_generation_s=max_predict_ms / 1e3 if max_predict_ms > 0 else None,
            tells_progress=self.timings_per_token or self.return_progress,
        )

    def shown_progress(self) -> ShownProgress:
        """Return what the chunks of a stream tell beside the answer."""
        return ShownProgress(self.timings_per_token, self.return_progress)
