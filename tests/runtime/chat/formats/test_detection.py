"""Tests of telling a model's format from its template, with the templates that llama.cpp has."""

import pytest

from builder.native.llamacpp import source_folder
from runtime.chat.formats.bare_json import GenericFormat, Llama3Format
from runtime.chat.formats.detection import output_format
from runtime.chat.formats.gemma import GemmaFormat
from runtime.chat.formats.gpt_oss import GptOssFormat
from runtime.chat.formats.hermes import HermesFormat
from runtime.chat.formats.listed import ListedFormat, PhiFormat
from runtime.chat.formats.marked_format import BRACKET_THINK, THINK, MarkedFormat
from runtime.chat.formats.mistral import MistralFormat
from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.formats.qwen_xml import QwenXmlFormat
from runtime.chat.formats.sections import DeepSeekFormat, KimiFormat

# Template, format, what stands around its reasoning.
CASES = [
    ("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", HermesFormat, None),
    ("NousResearch-Hermes-3-Llama-3.1-8B-tool_use", HermesFormat, None),
    ("Qwen-Qwen2.5-7B-Instruct", HermesFormat, None),
    ("Qwen-Qwen3-0.6B", HermesFormat, THINK),
    ("Qwen-QwQ-32B", HermesFormat, THINK),
    ("ibm-granite-granite-4.0", HermesFormat, None),
    ("Qwen3-Coder", QwenXmlFormat, None),
    ("Qwen3.5-4B", QwenXmlFormat, THINK),
    ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", QwenXmlFormat, THINK),
    ("meta-llama-Llama-3.1-8B-Instruct", Llama3Format, None),
    ("meta-llama-Llama-3.2-3B-Instruct", Llama3Format, None),
    ("meta-llama-Llama-3.3-70B-Instruct", Llama3Format, None),
    ("mistralai-Mistral-Nemo-Instruct-2407", MistralFormat, None),
    ("Mistral-Small-3.2-24B-Instruct-2506", MistralFormat, None),
    ("unsloth-mistral-Devstral-Small-2507", MistralFormat, None),
    ("mistralai-Ministral-3-14B-Reasoning-2512", MistralFormat, BRACKET_THINK),
    ("llama-cpp-deepseek-r1", DeepSeekFormat, THINK),
    ("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", DeepSeekFormat, THINK),
    ("deepseek-ai-DeepSeek-V3.1", DeepSeekFormat, THINK),
    ("Kimi-K2-Instruct", KimiFormat, None),
    ("Kimi-K2-Thinking", KimiFormat, THINK),
    ("ibm-granite-granite-3.3-2B-Instruct", ListedFormat, THINK),
    ("NVIDIA-Nemotron-Nano-v2", ListedFormat, THINK),
    # Templates that know no tools, or in a form that is not known here.
    ("HuggingFaceTB-SmolLM3-3B", GenericFormat, THINK),
    ("google-gemma-2-2b-it", GenericFormat, None),
    ("microsoft-Phi-3.5-mini-instruct", GenericFormat, None),
]


def _of(name: str, *, shows_tools: bool = True) -> OutputFormat:
    folder = source_folder() / "vendor" / "llama.cpp" / "models" / "templates"
    source = (folder / f"{name}.jinja").read_text(encoding="utf-8")
    return output_format(source, shows_tools=shows_tools)


@pytest.mark.parametrize(("name", "kind", "reasoning"), CASES)
def test_a_family_is_known_by_its_template(
    name: str, kind: type[OutputFormat], reasoning: object
) -> None:
    """The texts of its markers tell it."""
    found = _of(name)
    assert type(found) is kind
    assert isinstance(found, MarkedFormat)
    assert found.reasoning == reasoning


def test_families_with_channels() -> None:
    """So do those of channels."""
    assert isinstance(_of("google-gemma-4-31B-it"), GemmaFormat)
    assert isinstance(_of("openai-gpt-oss-120b"), GptOssFormat)


def test_phi_4_mini() -> None:
    """Its template takes tools from a message."""
    template = (
        "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
        "{% if message['tools'] %}{{ '<|tool|>' + message['tools'] + '<|/tool|>' }}{% endif %}"
        "{{ '<|end|>' }}{% endfor %}"
    )
    assert isinstance(output_format(template), PhiFormat)


def test_a_template_without_tools() -> None:
    """A template that knows no tools."""
    assert isinstance(
        output_format("{% for m in messages %}{{ m.content }}{% endfor %}"), GenericFormat
    )


def test_a_template_that_shows_no_tools() -> None:
    """Its models are told of tools in general words, unless the family has its own."""
    distilled = _of("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", shows_tools=False)
    assert isinstance(distilled, GenericFormat)
    assert distilled.reasoning == THINK
    v31 = _of("deepseek-ai-DeepSeek-V3.1", shows_tools=False)
    assert isinstance(v31, DeepSeekFormat)
    assert v31.describes_tools
