"""Tests of log probabilities as a client sees them."""

from typing import cast

import pytest

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.errors import RequestError
from runtime.server.dialects.openai.logprobs import logprobs_body, num_top_logprobs


class FakeModel:
    """Token 1 is a control token, all others are one byte of a character."""

    def piece(self, token: int) -> bytes:
        return b"" if token == 1 else bytes([token])

    def special_piece(self, token: int) -> bytes:
        return b"<end>"


def test_tokens_come_with_text_bytes_and_rivals() -> None:
    """Half a character is shown as the replacement character, a control token by its name."""
    choice = Choice(Likelihood(0xC3, -0.5), (Likelihood(1, -0.25),))
    assert logprobs_body([choice], cast(Model, FakeModel())) == {
        "content": [
            {
                "id": 0xC3,
                "token": "\ufffd",
                "bytes": [0xC3],
                "logprob": -0.5,
                "top_logprobs": [
                    {"id": 1, "token": "<end>", "bytes": list(b"<end>"), "logprob": -0.25}
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("logprobs", "top", "number"),
    [(None, None, None), (False, None, None), (True, None, 0), (True, 20, 20)],
)
def test_what_is_asked_for(logprobs: bool | None, top: int | None, number: int | None) -> None:
    """Without `top_logprobs` only the chosen token is told of."""
    assert num_top_logprobs(logprobs, top) == number


@pytest.mark.parametrize(
    ("logprobs", "top", "message"),
    [(None, 1, "needs logprobs"), (True, 21, "is 21, and must"), (True, -1, "is -1, and must")],
)
def test_what_makes_no_sense_is_refused(
    logprobs: bool | None, top: int | None, message: str
) -> None:
    """Rivals without logprobs, and too many, are refused."""
    with pytest.raises(RequestError, match=message):
        num_top_logprobs(logprobs, top)
