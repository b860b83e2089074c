"""Tests of which prompts stay in memory, and how many may."""

import time

import pytest

from runtime.engine.adapters import NO_ADAPTERS, AdapterScale
from runtime.engine.pins import MAX_ASKED, MAX_PINS, PinError, Pins, PinSource

N_CTX = 100
HOUR_S = 3600.0


def _lengths(pins: Pins) -> list[int]:
    return [len(pin.tokens) for pin in pins.current().values()]


def test_what_is_asked_for_stays_until_it_is_released() -> None:
    """Asking twice makes no second one, and other adapters do."""
    pins = Pins()
    pin = pins.keep([1, 2], NO_ADAPTERS, N_CTX)
    assert pins.keep([1, 2], NO_ADAPTERS, N_CTX).id == pin.id
    assert pins.keep([1, 2], (AdapterScale(0, 1.0),), N_CTX).id != pin.id
    assert len(pins.current()) == 2
    assert pins.release(pin.id)
    assert not pins.release(pin.id)
    assert len(pins.current()) == 1


def test_half_of_the_context_may_be_pinned() -> None:
    """A baked prompt is no part of it, and leaves less to divide."""
    pins = Pins()
    pins.keep([1] * 30, NO_ADAPTERS, N_CTX)
    with pytest.raises(PinError, match=r"has 21 tokens, and of the context's 100 20 are left"):
        pins.keep([2] * 21, NO_ADAPTERS, N_CTX)
    pins.keep([2] * 20, NO_ADAPTERS, N_CTX)
    baked = Pins()
    baked.keep_baked([3] * 60, N_CTX)
    with pytest.raises(PinError, match="20 are left"):
        baked.keep([1] * 30, NO_ADAPTERS, N_CTX)


def test_few_prompts_may_be_pinned() -> None:
    """One more is refused, and the baked one stays beside them."""
    pins = Pins()
    pins.keep_baked([9], N_CTX)
    for number in range(MAX_ASKED):
        pins.keep([number], NO_ADAPTERS, N_CTX)
    with pytest.raises(PinError, match="3 prompts are pinned already"):
        pins.keep([8], NO_ADAPTERS, N_CTX)
    pins.keep_for([7], NO_ADAPTERS, HOUR_S, N_CTX)
    sources = [pin.source for pin in pins.current().values()]
    assert sources == [PinSource.BAKED] + [PinSource.ASKED] * MAX_ASKED


def test_a_baked_prompt_cannot_be_released() -> None:
    """Nor does asking for it change what it is."""
    pins = Pins()
    pins.keep_baked([1, 2], N_CTX)
    pin = pins.keep([1, 2], NO_ADAPTERS, N_CTX)
    assert pin.source is PinSource.BAKED
    with pytest.raises(PinError, match="built in"):
        pins.release(pin.id)


def test_brief_ones_end() -> None:
    """After their time they are not there; asked for again, they are."""
    pins = Pins()
    pins.keep_for([1], NO_ADAPTERS, 0, N_CTX)
    assert not pins.current()
    pins.keep_for([1], NO_ADAPTERS, 0.01, N_CTX)
    pins.keep_for([1], NO_ADAPTERS, HOUR_S, N_CTX)
    time.sleep(0.02)
    assert _lengths(pins) == [1]


def test_a_conversation_that_grows_is_one() -> None:
    """Of other conversations, and of other adapters, nothing goes."""
    pins = Pins()
    pins.keep_for([5, 5], NO_ADAPTERS, HOUR_S, N_CTX)
    pins.keep_for([1], (AdapterScale(0, 1.0),), HOUR_S, N_CTX)
    for length in (1, 2, 3):
        pins.keep_for([1] * length, NO_ADAPTERS, HOUR_S, N_CTX)
    assert _lengths(pins) == [2, 1, 3]


def test_brief_ones_give_way() -> None:
    """To each other, the oldest first, and to what is asked for; too long ones are not taken."""
    pins = Pins()
    for number in range(MAX_PINS + 1):
        pins.keep_for([number] * (number + 1), NO_ADAPTERS, HOUR_S, N_CTX)
    assert _lengths(pins) == [2, 3, 4, 5]
    pins.keep([9] * 46, NO_ADAPTERS, N_CTX)
    assert _lengths(pins) == [46]
    pins.keep_for([8] * 51, NO_ADAPTERS, HOUR_S, N_CTX)
    assert _lengths(pins) == [46]


def test_what_another_pin_has_needs_none() -> None:
    """A beginning of a prompt that stays anyway is no pin of its own."""
    pins = Pins()
    pins.keep([1, 2, 3], NO_ADAPTERS, N_CTX)
    pins.keep_for([1, 2], NO_ADAPTERS, HOUR_S, N_CTX)
    assert _lengths(pins) == [3]
