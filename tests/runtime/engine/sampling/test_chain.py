"""Tests of sampling, with the real model where a text is compared with no other."""

from typing import Any

import pytest

from runtime.engine.engine import Engine
from tests.runtime.engine.asking import ask, submit

STORY = "Once upon a time there was"
CHAT = "<|im_start|>user\nSay yes.<|im_end|>\n<|im_start|>assistant\n"


def test_greedy_is_the_likeliest_token_whatever_else_is_set(exact: Engine) -> None:
    """At temperature 0, samplers that drop tokens and the seed change nothing."""
    plain = ask(exact, STORY, temperature=0)
    assert ask(exact, STORY, temperature=0, xtc_probability=1, top_k=5, seed=7) == plain
    assert ask(exact, STORY, temperature=0.8, top_k=1) == plain


@pytest.mark.parametrize(
    "sampling",
    [
        {"dynatemp_range": 0.7, "dynatemp_exponent": 1.2},
        {"typical_p": 0.5},
        {"top_n_sigma": 0.1},
        {"xtc_probability": 1.0, "xtc_threshold": 0.05},
        {"mirostat": 1},
        {"mirostat": 2, "mirostat_tau": 2.0, "mirostat_eta": 0.2},
        {"samplers": ("temperature", "min_p"), "min_keep": 2},
        {"samplers": ()},
        {"repeat_penalty": 1.5, "repeat_last_n": -1, "presence_penalty": 2.0},
        {"dry_multiplier": 2.0, "dry_allowed_length": 1, "dry_penalty_last_n": -1},
    ],
)
def test_a_seed_repeats_a_text_and_every_sampler_works(
    exact: Engine, sampling: dict[str, Any]
) -> None:
    """With a seed the text comes again, and the sampler makes it another than without it."""
    first = ask(exact, STORY, seed=3, **sampling)
    assert first == ask(exact, STORY, seed=3, **sampling)
    assert first != ask(exact, STORY, seed=3)


def test_neighbours_do_not_change_a_seeded_text(exact: Engine) -> None:
    """The same seed gives the same text alone and among other requests."""
    alone = ask(exact, STORY, seed=11, max_tokens=16)
    neighbours = [submit(exact, f"Number {n} is", seed=n, max_tokens=20) for n in range(3)]
    assert ask(exact, STORY, seed=11, max_tokens=16) == alone
    for neighbour in neighbours:
        neighbour.text()


def test_a_bias_forces_and_bans_tokens(engine: Engine) -> None:
    """A large bias makes a token come, minus infinity keeps it away."""
    greedy = engine.model.tokenize(
        ask(engine, STORY, temperature=0, max_tokens=1), add_special=False, parse_special=False
    )
    banned = ((greedy[0], float("-inf")),)
    assert ask(engine, STORY, max_tokens=1, temperature=0, logit_bias=banned) != ask(
        engine, STORY, max_tokens=1, temperature=0
    )
    (dog,) = engine.model.tokenize(" dog", add_special=False, parse_special=False)
    assert ask(engine, STORY, max_tokens=3, logit_bias=((dog, 100.0),)) == " dog dog dog"


def test_the_end_waits_for_min_tokens_or_never_comes(engine: Engine) -> None:
    """`min_tokens` puts the model's own end off, `ignore_eos` takes it away."""
    asked = submit(engine, CHAT, temperature=0, max_tokens=40)
    asked.deltas()
    count = asked.finished.stats.completion_tokens
    assert asked.finished.reason == "stop"
    later = submit(engine, CHAT, temperature=0, max_tokens=40, min_tokens=count + 3)
    later.deltas()
    assert later.finished.stats.completion_tokens > count + 2
    never = submit(engine, CHAT, temperature=0, max_tokens=40, ignore_eos=True)
    never.deltas()
    assert never.finished.reason == "length"
