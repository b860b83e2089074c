"""Tests of conversations in files."""

import json
from pathlib import Path

import pytest

from runtime.chat.images import image_part, text_part
from runtime.chat.template import Message
from runtime.errors import RequestError
from runtime.terminal.conversation_file import load_conversation, save_conversation
from tests.images import png

MESSAGES: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [text_part("What is it?"), image_part(png(4, 4))]},
    {"role": "assistant", "content": "A 🦊.", "reasoning_content": "Red."},
]


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    """Images and thoughts too, and the file is what OpenAI's clients send."""
    path = tmp_path / "chat.json"
    path.write_text("old", encoding="utf-8")
    save_conversation(path, MESSAGES, model="m")
    assert load_conversation(path) == MESSAGES
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["model"] == "m"
    assert written["messages"][1]["content"][1]["image_url"]["url"].startswith("data:")
    assert [file.name for file in tmp_path.iterdir()] == ["chat.json"]


def test_a_bare_list_is_taken(tmp_path: Path) -> None:
    """As other programs write it; fields that mean nothing here are left out."""
    path = tmp_path / "chat.json"
    path.write_text('[{"role": "user", "content": "hi", "name": "x"}]', encoding="utf-8")
    assert load_conversation(path) == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("7", "no list of messages"),
        ('{"messages": {}}', "no list of messages"),
        ("[7]", "a message that is none"),
        ('[{"role": "robot", "content": "x"}]', "a message that is none"),
        ('[{"role": "user", "content": 7}]', "a message that is none"),
        ('[{"role": "user", "content": [{"type": "x"}]}]', "a message that is none"),
    ],
)
def test_what_is_no_conversation(text: str, said: str, tmp_path: Path) -> None:
    """Is refused in one sentence."""
    path = tmp_path / "chat.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError, match=said):
        load_conversation(path)


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    """Is refused, and nothing is left."""
    with pytest.raises(RequestError, match="cannot be written"):
        save_conversation(tmp_path / "no" / "chat.json", MESSAGES, model="m")
    with pytest.raises(RequestError, match="cannot be read"):
        load_conversation(tmp_path / "no")
