"""Where two answers part, and how near the choice was."""

from typing import Any

import pytest

from bench.agreement import Agreement, divergence


def token(text: str, logprob: float, **rivals: float) -> dict[str, Any]:
    tops = {text: logprob} | rivals
    top_logprobs = [{"token": name, "logprob": value} for name, value in tops.items()]
    return {"token": text, "logprob": logprob, "top_logprobs": top_logprobs}


def test_equal_answers_do_not_part() -> None:
    """Likelihoods may differ a little as long as the tokens do not."""
    assert divergence("q", [token("a", -0.1)], [token("a", -0.11)]) is None


def test_first_difference_comes_with_both_margins() -> None:
    """What follows the first difference is of no interest."""
    ours = [token("a", -0.1), token("b", -0.5, c=-0.75), token("x", -1.0)]
    theirs = [token("a", -0.1), token("c", -0.5, b=-0.5), token("y", -1.0)]
    found = divergence("q", ours, theirs)
    assert found
    assert (found.position, found.our_token, found.their_token) == (1, "b", "c")
    assert [found.our_margin, found.their_margin] == [pytest.approx(0.25), 0.0]


def test_unknown_margin_is_said_to_be_so() -> None:
    """A rival may not be among the likeliest."""
    found = divergence("q", [token("b", -0.5)], [token("c", -0.5)])
    assert found
    assert found.our_margin is None
    text = Agreement("llama-server", "alone", 20, [found]).text()
    assert text.splitlines() == [
        "  llama-server, alone: 19 of 20 equal",
        "    token 0: 'b' and 'c', margins unknown and unknown: q",
    ]
