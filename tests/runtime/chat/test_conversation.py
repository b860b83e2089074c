"""Tests of making a prompt from a conversation, with the real model."""

from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.deltas import ContentDelta
from runtime.chat.options import ChatOptions
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.engine import Engine


def test_a_conversation_becomes_text_and_tokens(engine: Engine) -> None:
    """The prompt is what the model's own template makes, with the system prompt if none came."""
    prompt = ChatFormat(engine.model, ChatOptions("Be brief.")).prompt(
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


def test_tools_and_variables_reach_the_template(engine: Engine) -> None:
    """A template sees the tools of a request, and variables of the settings and the request."""
    template = "{% for t in tools %}{{ t.function.name }}{% endfor %} {{ tone }} {{ length }}"
    options = ChatOptions(template=template, template_arguments={"tone": "dry", "length": 1})
    user = {"role": "user", "content": "Hi"}
    prompt = ChatFormat(engine.model, options).prompt(
        Conversation(
            [user],
            tool_use=ToolUse((Tool("look_up"),), choice="none"),
            template_arguments={"length": 2},
        )
    )
    assert prompt.text == "look_up dry 2"


def test_a_conversation_may_end_anywhere(engine: Engine) -> None:
    """Without what begins an answer, or in the middle of one."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hel"}]
    chat_format = ChatFormat(engine.model, ChatOptions("Be brief."))
    system = "<|im_start|>system\nBe brief.<|im_end|>\n"
    whole = f"{system}<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHel"
    assert chat_format.prompt(Conversation(messages, continues_last=True)).text == whole
    finished = chat_format.prompt(Conversation(messages, add_generation_prompt=False))
    assert finished.text == f"{whole}<|im_end|>\n"


def test_tools_are_told_by_the_template_or_else_in_words(engine: Engine) -> None:
    """A template that writes calls but no tools is given none."""
    calls = '{% if false %}<tool_call>{"name": {% endif %}'
    writes = "{% for m in messages %}[{{ m.content }}]{% endfor %}" + calls
    shows = "{% for t in tools %}{{ t.function.name }}!{% endfor %}" + writes
    conversation = Conversation(
        [{"role": "user", "content": "Hi"}], tool_use=ToolUse((Tool("look_up"),))
    )
    texts = [
        ChatFormat(engine.model, ChatOptions(template=template)).prompt(conversation).text
        for template in (shows, writes)
    ]
    assert texts[0] == "look_up![Hi]"
    assert texts[1].startswith("[You can use these tools")
    assert texts[1].endswith("[Hi]")
