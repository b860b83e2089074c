"""Tests of the settings themselves: the names of others that they go by."""

from msgspec.structs import fields

from runtime.engine.attention import AttentionOptions
from runtime.engine.offload.options import OffloadOptions
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.weights import LoadOptions
from runtime.settings.options import OPTIONS
from runtime.settings.values import SAMPLING_SETTINGS, Settings


def test_every_sampling_setting_is_a_parameter_and_a_flag() -> None:
    """The names on both sides exist, and unset settings say nothing."""
    assert set(SAMPLING_SETTINGS.values()) <= {field.name for field in fields(SamplingParams)}
    assert set(SAMPLING_SETTINGS) <= {option.name for option in OPTIONS}
    assert {getattr(Settings(), name) for name in SAMPLING_SETTINGS} == {None}


def test_options_of_the_engine_are_settings() -> None:
    """Each field of the engine's groups of options is a setting with the same default, or none."""
    for kind in (AttentionOptions, LoadOptions, OffloadOptions):
        defaults = dict(zip(kind.__struct_fields__, kind.__struct_defaults__, strict=True))
        for name in defaults.keys() - {"attention", "offload"}:
            assert getattr(Settings(), name) in (defaults[name], None)
            assert name in {option.name for option in OPTIONS}
