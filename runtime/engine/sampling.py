"""How the next token is chosen, in llama.cpp's names and with its defaults."""

from dataclasses import dataclass

from runtime.errors import RequestError


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """The parameters of one request's sampler chain.

    Args:
        temperature: 0 takes the likeliest token always.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens up to this probability mass; 1 keeps all.
        min_p: Drop tokens less likely than this share of the likeliest; 0 drops none.
        repeat_penalty: Divides the logits of recent tokens; 1 is off.
        repeat_last_n: How many recent tokens the penalties look at.
        presence_penalty: Subtracted from the logits of recent tokens.
        frequency_penalty: Subtracted once per recent occurrence.
        seed: Of the random choice; None takes a random one.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        limits = {
            "temperature": (self.temperature, 0.0, 100.0),
            "top_p": (self.top_p, 0.0, 1.0),
            "min_p": (self.min_p, 0.0, 1.0),
            "repeat_penalty": (self.repeat_penalty, 0.01, 100.0),
            "presence_penalty": (self.presence_penalty, -2.0, 2.0),
            "frequency_penalty": (self.frequency_penalty, -2.0, 2.0),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise RequestError(f"{name} is {value}, and must lie from {low:g} to {high:g}.")

    @property
    def has_penalties(self) -> bool:
        """Whether any penalty changes the logits."""
        return self.repeat_penalty != 1.0 or bool(self.presence_penalty or self.frequency_penalty)
