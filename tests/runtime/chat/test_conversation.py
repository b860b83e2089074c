"""Tests of making a prompt from a conversation, with the real model."""

from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.deltas import ContentDelta
from runtime.engine.engine import Engine


def test_a_conversation_becomes_text_and_tokens(engine: Engine) -> None:
    """The prompt is what the model's own template makes, with the system prompt if none came."""
    prompt = ChatFormat(engine.model, "Be brief.").prompt(
        Conversation([{"role": "user", "content": "Hi"}])
    )
    assert prompt.text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert b"".join(map(engine.model.special_piece, prompt.tokens)).decode() == prompt.text


def test_plain_text_is_read_as_content(engine: Engine) -> None:
    """A model without a format of its own writes content alone, and what it was told to."""
    prompt = ChatFormat(engine.model).prompt(
        Conversation([{"role": "user", "content": "Hi"}], grammar='root ::= "yes"')
    )
    reader = prompt.make_reader()
    assert [*reader.feed("Hello"), *reader.finish()] == [ContentDelta("Hello")]
    assert prompt.constraint == {"grammar": 'root ::= "yes"'}
