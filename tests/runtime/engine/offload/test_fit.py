"""How many layers fit: the numbers of an imagined model."""

import pytest

from runtime.engine.offload.fit import MIN_N_CTX, Fit, fit

LAYERS = 33
GPU, SECOND = 1, 2


class Imagined:
    """A model of 10 bytes a layer, and 1 a layer for every 1000 tokens; keeps what was asked."""

    def __init__(self, *devices: int) -> None:
        self.devices = devices
        self.asked: list[tuple[int, int]] = []

    def __call__(self, num_layers: int, n_ctx: int) -> dict[int, int]:
        """Return what it takes, shared evenly."""
        self.asked.append((num_layers, n_ctx))
        needed = num_layers * (10_000 + n_ctx) // 1000
        return dict.fromkeys(self.devices, needed // len(self.devices))


def test_everything_fits_at_once() -> None:
    """Then it is measured once."""
    model = Imagined(GPU)
    found = fit(model, {GPU: 2000}, num_layers=LAYERS, n_ctx=32768, can_shorten=True)
    assert found == Fit(LAYERS, 32768)
    assert model.asked == [(LAYERS, 32768)]


def test_the_context_goes_before_layers_do() -> None:
    """It gets as long as there is room for, in whole cells of 256."""
    found = fit(Imagined(GPU), {GPU: 1000}, num_layers=LAYERS, n_ctx=32768, can_shorten=True)
    # (1000 / 33 - 10) * 1000 tokens would fit.
    assert found == Fit(LAYERS, 20224)
    assert Imagined(GPU)(LAYERS, 20224)[GPU] <= 1000 < Imagined(GPU)(LAYERS, 20608)[GPU]


def test_an_asked_context_stays() -> None:
    """Layers go instead."""
    found = fit(Imagined(GPU), {GPU: 1000}, num_layers=LAYERS, n_ctx=32768, can_shorten=False)
    assert found == Fit(23, 32768)


@pytest.mark.parametrize("budget", [-5, 0, 13, 14, 28, 29, 230, 464, 465, 1000])
def test_as_many_layers_as_fit(budget: int) -> None:
    """One more would not, and none is an answer, too."""
    found = fit(Imagined(GPU), {GPU: budget}, num_layers=LAYERS, n_ctx=MIN_N_CTX, can_shorten=True)
    fitting = [n for n in range(LAYERS + 1) if Imagined(GPU)(n, MIN_N_CTX)[GPU] <= budget]
    assert found == Fit(max(fitting, default=0), MIN_N_CTX)


def test_the_fullest_device_decides() -> None:
    """A share that does not fit on one does not fit."""
    budgets = {GPU: 10_000, SECOND: 150}
    found = fit(Imagined(GPU, SECOND), budgets, num_layers=LAYERS, n_ctx=4096, can_shorten=True)
    assert found == Fit(21, 4096)


def test_devices_that_tell_nothing_get_nothing() -> None:
    """As llama.cpp does it."""
    assert fit(Imagined(GPU), {}, num_layers=LAYERS, n_ctx=4096, can_shorten=True).num_layers == 0
