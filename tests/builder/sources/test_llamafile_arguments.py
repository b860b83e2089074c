"""What a llamafile's `.args` means."""

import pytest

from builder.sources.llamafile_arguments import parse_arguments


def parse(text: str) -> tuple[dict[str, object], list[str]]:
    """Return the settings and the sentences for arguments between blanks."""
    parsed = parse_arguments("\n".join(text.split(" ")))
    return dict(parsed.taken.settings), parsed.taken.notes


def test_files_of_the_archive() -> None:
    """Names may stand alone or under `/zip`."""
    text = "-m\n/zip/a.gguf\n--mmproj\nb.gguf\n-md\nc.gguf\n--lora\nd.gguf\n--lora\ne.gguf\n"
    files = parse_arguments(text).files
    assert files == {
        "model": ["a.gguf"],
        "projector": ["b.gguf"],
        "draft": ["c.gguf"],
        "adapter": ["d.gguf", "e.gguf"],
    }


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("-c 4096 --temp 0.2 ...", {"ctx_size": 4096, "temp": 0.2}),
        ("--temp 0 --seed -1", {"temp": 0.0, "seed": -1}),
        ("--no-mmap --mlock", {"mmap": False, "mlock": True}),
        ("--server --v2 --nobrowser", {"browser": False}),
        ("-fa --top-k 3", {"flash_attn": "on", "top_k": 3}),
        ("-fa off", {"flash_attn": "off"}),
        ("-p Arr.", {"system_prompt": "Arr."}),
        ("--chat-template chatml", {"chat_template": "chatml"}),
        ("", {}),
    ],
)
def test_settings(text: str, settings: dict[str, object]) -> None:
    """llama.cpp's flags become settings; what chooses a mode says nothing."""
    assert parse(text) == (settings, [])


def test_values_may_hold_anything() -> None:
    """A line is one argument, with its blanks."""
    parsed = parse_arguments("-p\r\nYou are a pirate, -c 5.\r\n--temp\r\n1\r\n")
    assert parsed.taken.settings == {"system_prompt": "You are a pirate, -c 5.", "temp": 1.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-ngl 9999", "-ngl 9999 is not taken over: what fits is chosen where it runs."),
        ("--defrag-thold 3 -1 --temp 1", "--defrag-thold 3 -1 is not taken over"),
        ("--host 0.0.0.0", "--host 0.0.0.0 is not taken over: whoever starts it says so, or --set"),
        ("--api-key x", "--api-key x is not taken over"),
        ("--log-file x", "--log-file x is not taken over: it names a file on the machine"),
        ("--chat-template llama2", "--chat-template llama2 is not taken over: only jinja"),
        ("--temp hot", "--temp hot is not taken over: it is no value."),
        ("--temp", "--temp is not taken over: it is no value."),
        ("--cli -p What?", "-p What? is not taken over: it is a question"),
        ("stray", "stray is not taken over"),
    ],
)
def test_what_is_told(text: str, sentence: str) -> None:
    """What is not taken over is told with its value and why."""
    settings, notes = parse(text)
    assert len(notes) == 1
    assert notes[0].startswith(f"The llamafile's {sentence}")
    assert "host" not in settings
