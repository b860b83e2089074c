"""What licences are known, and how they are recognized."""

import pytest

from builder.licences import LICENCES, find_licence, identify

KINDS = {"allowed", "conditions", "noncommercial", "forbidden", "unknown"}


def test_the_table() -> None:
    """Names are as they are looked up, kinds are known, and sentences can be put together."""
    for key, licence in LICENCES.items():
        assert key == key.lower()
        assert find_licence(key) is licence
        assert licence.passing_on in KINDS
        assert licence.asks.split()[0] in ("lets", "does")
        assert not licence.asks.endswith(".")


@pytest.mark.parametrize(
    ("name", "full", "passing_on"),
    [
        ("Apache-2.0", "Apache License 2.0", "allowed"),
        ("GPL-3.0-or-later", "GNU GPL 3.0", "conditions"),
        ("cc-by-4.0", "CC BY 4.0", "conditions"),
        ("cc-by-nc-4.0", "CC BY-NC 4.0", "noncommercial"),
        ("CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0", "noncommercial"),
        ("cc0-1.0", "CC0 1.0", "allowed"),
        ("llama3.2", "Llama 3.2 Community License", "conditions"),
        ("Qwen Research", "Qwen Research License Agreement", "noncommercial"),
        ("NVIDIA-Internal-Scientific-Research-and-Development-Model-License",
         "NVIDIA Internal Scientific Research and Development Model License", "forbidden"),
    ],
)  # fmt: skip
def test_names(name: str, full: str, passing_on: str) -> None:
    """The spellings of SPDX, the hub and cards lead to the same licence."""
    licence = find_licence(name)
    assert licence is not None
    assert (licence.name, licence.passing_on) == (full, passing_on)


@pytest.mark.parametrize("name", ["", "other", "unknown", "my-license", "cc", "cc-by"])
def test_names_of_none(name: str) -> None:
    """What is not known is not guessed."""
    assert find_licence(name) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 Version Release Date:", "llama3.2"),
        (b"Gemma Terms of Use\n\nLast modified", "gemma"),
        (b"   Apache License\n  Version 2.0, January 2004", "apache-2.0"),
        (b"Copyright (c) 2024\n\nPermission is hereby granted, free of charge, to any", "mit"),
        (b"Do as you like. This is no MIT text.", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_texts(text: bytes, key: str) -> None:
    """A licence is recognized by its text's title."""
    assert identify(text) == key
    assert not key or key in LICENCES
