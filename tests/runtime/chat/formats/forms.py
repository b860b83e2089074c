"""A format of each family."""

from runtime.chat.formats.bare_json import GenericFormat, Llama3Format
from runtime.chat.formats.gemma import GemmaFormat
from runtime.chat.formats.gpt_oss import GptOssFormat
from runtime.chat.formats.hermes import HermesFormat
from runtime.chat.formats.listed import ListedFormat, PhiFormat
from runtime.chat.formats.marked_format import THINK
from runtime.chat.formats.mistral import MistralFormat
from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.formats.qwen_xml import QwenXmlFormat
from runtime.chat.formats.sections import DeepSeekFormat, KimiFormat

FORMS: list[OutputFormat] = [
    HermesFormat(THINK),
    QwenXmlFormat(THINK),
    Llama3Format(),
    GenericFormat(THINK),
    MistralFormat(names_first=True, reasoning=THINK),
    MistralFormat(names_first=False),
    DeepSeekFormat(is_fenced=True, reasoning=THINK),
    DeepSeekFormat(is_fenced=False, reasoning=THINK),
    KimiFormat(THINK),
    ListedFormat("<TOOLCALL>", "</TOOLCALL>"),
    PhiFormat(),
    GemmaFormat(),
    GptOssFormat(),
]
