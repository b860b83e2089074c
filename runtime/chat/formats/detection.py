"""Which format a model writes, as its chat template tells."""
# ruff: noqa: RUF001 - DeepSeek writes its control tokens with such bars.

import re
from collections.abc import Callable

from runtime.chat.formats.bare_json import GenericFormat, Llama3Format
from runtime.chat.formats.gemma import GemmaFormat
from runtime.chat.formats.gpt_oss import GptOssFormat
from runtime.chat.formats.hermes import HermesFormat
from runtime.chat.formats.listed import ListedFormat, PhiFormat
from runtime.chat.formats.marked_format import BRACKET_THINK, THINK, Markers
from runtime.chat.formats.mistral import MistralFormat
from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.formats.qwen_xml import QwenXmlFormat
from runtime.chat.formats.sections import DeepSeekFormat, KimiFormat

_TOOLS = re.compile(r"\btools\b")


def output_format(template: str, *, shows_tools: bool = True) -> OutputFormat:
    """Return the format of the models that a template is for.

    Args:
        template: The template's jinja source.
        shows_tools: Whether it tells the model of tools; if not, the format does.
    """
    reasoning = _reasoning(template)
    # In a string of the template, quotes may be escaped.
    source = template.replace("\\", "")
    found = next(
        (make(source, reasoning) for texts, make in _FAMILIES if all(map(source.count, texts))),
        None,
    )
    if found and (shows_tools or found.describes_tools):
        return found
    return GenericFormat(reasoning)


_Make = Callable[[str, Markers | None], OutputFormat]


def _deepseek(source: str, reasoning: Markers | None) -> OutputFormat:
    is_fenced = "```json" in source
    # V3.1 learned of tools from the system message.
    describes_tools = not is_fenced and not _TOOLS.search(source)
    return DeepSeekFormat(is_fenced=is_fenced, describes_tools=describes_tools, reasoning=reasoning)


# The texts that a family's templates have, and how its format is made; the first one counts.
_FAMILIES: tuple[tuple[tuple[str, ...], _Make], ...] = (
    (("<|channel|>", "<|message|>", "functions"), lambda source, reasoning: GptOssFormat()),
    (("<|tool_call>call:",), lambda source, reasoning: GemmaFormat()),
    (
        ("[TOOL_CALLS]",),
        lambda source, reasoning: MistralFormat(
            names_first="[ARGS]" in source, reasoning=reasoning
        ),
    ),
    (("<｜tool▁calls▁begin｜>",), _deepseek),
    (
        ("<|tool_calls_section_begin|>", "<|tool_call_begin|>"),
        lambda source, reasoning: KimiFormat(reasoning),
    ),
    (
        ("<tool_call>", "<function=", "<parameter="),
        lambda source, reasoning: QwenXmlFormat(reasoning),
    ),
    (
        ('<tool_call>[{"name":',),
        lambda source, reasoning: ListedFormat("<tool_call>", "</tool_call>", reasoning),
    ),
    (("<tool_call>", '{"name": '), lambda source, reasoning: HermesFormat(reasoning)),
    (
        ("<TOOLCALL>[",),
        lambda source, reasoning: ListedFormat("<TOOLCALL>", "</TOOLCALL>", reasoning),
    ),
    (("<|tool|>", "<|/tool|>"), lambda source, reasoning: PhiFormat()),
    (("<|tool_call|>",), lambda source, reasoning: ListedFormat("<|tool_call|>", "", reasoning)),
    (
        ("<|start_header_id|>", '{"name": ', '"parameters": '),
        lambda source, reasoning: Llama3Format(reasoning),
    ),
)


def _reasoning(template: str) -> Markers | None:
    for markers in (THINK, BRACKET_THINK):
        if markers.begin in template or markers.end in template:
            return markers
    return None
