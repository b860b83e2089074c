"""Ollama's parameters among our settings."""

import pytest

from builder.sources.ollama_settings import compare_templates, take_parameters


def test_counterparts() -> None:
    """Parameters become settings by llama.cpp's names, with the settings' types."""
    taken = take_parameters({"temperature": 1, "num_ctx": 4096, "top_p": 0.9, "mirostat_tau": 4})
    assert taken.settings == {"temp": 1.0, "ctx_size": 4096, "top_p": 0.9, "mirostat_ent": 4.0}
    assert isinstance(taken.settings["temp"], float)
    assert taken.notes == []


def test_what_has_none_is_told() -> None:
    """Each of the others gets a sentence with its name."""
    taken = take_parameters({"stop": ["<|eot|>"], "num_gpu": 9, "odd": 1, "top_k": "many"})
    assert taken.settings == {}
    told = " ".join(taken.notes)
    assert all(name in told for name in ("stop", "num_gpu", "odd", "top_k many"))
    assert len(taken.notes) == 4


GO = "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"


@pytest.mark.parametrize(
    ("ollama", "own", "sentence"),
    [
        (GO, "{% for m in messages %}<|im_start|>{{ m.role }}<|im_end|>{% endfor %}", ""),
        (GO, "[INST]{{ messages }}[/INST]", "writes <|im_end|>, <|im_start|>, too"),
        (GO, "", "carry no chat template"),
        ("", "", ""),
    ],
)
def test_templates(ollama: str, own: str, sentence: str) -> None:
    """It is told when the weights' own template is none, or of another format."""
    told = compare_templates(ollama, own)
    assert sentence in told
    assert bool(told) == bool(sentence)
