"""What Ollama's parameters and prompt templates are among a solofile's settings."""

import re
from collections.abc import Mapping

import msgspec

from builder.defaults import typed_setting
from builder.sources.taken import Taken

_COUNTERPARTS = {
    "num_ctx": "ctx_size",
    "num_predict": "predict",
    "num_keep": "keep",
    "num_batch": "batch_size",
    "use_mmap": "mmap",
    "use_mlock": "mlock",
    "temperature": "temp",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typical_p": "typical",
    "repeat_last_n": "repeat_last_n",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "mirostat": "mirostat",
    "mirostat_tau": "mirostat_ent",
    "mirostat_eta": "mirostat_lr",
    "seed": "seed",
}
_OF_THE_MACHINE = {"num_gpu", "main_gpu", "num_thread", "low_vram", "numa", "f16_kv", "vocab_only"}
# `<|im_start|>`, `[INST]`, `<start_of_turn>`: what formats are told by.
_MARKER = re.compile(r"<[^<>\s{}]{2,40}>|\[/?[A-Z_]+\]")


def take_parameters(parameters: Mapping[str, object]) -> Taken:
    """Return the settings that Ollama's parameters stand for, and sentences on the others."""
    taken = Taken()
    for name, value in sorted(parameters.items()):
        setting = _COUNTERPARTS.get(name)
        if setting:
            try:
                taken.settings[setting] = typed_setting(setting, value)
            except msgspec.ValidationError:
                taken.notes.append(f"Ollama's {name} {value} is not taken over: it is no value.")
        elif name == "stop":
            taken.notes.append(
                "Ollama's stop texts are not taken over: answers end where the model ends them; "
                "requests may have `stop`."
            )
        elif name in _OF_THE_MACHINE:
            taken.notes.append(
                f"Ollama's {name} is not taken over: a solofile finds what suits its machine."
            )
        else:
            taken.notes.append(f"Ollama's {name} is not taken over: it has no counterpart here.")
    return taken


def compare_templates(ollama: str, own: str) -> str:
    """Return a sentence on what follows from the template in a GGUF being used, not Ollama's.

    Args:
        ollama: Ollama's, in Go's language for templates.
        own: The GGUF's, in jinja; empty where it has none.

    Returns:
        The sentence; empty where both write the same markers.
    """
    if not ollama.strip():
        return ""
    if not own:
        return (
            "The weights carry no chat template, and Ollama's is not jinja, so it is not taken "
            "over; give one with --set chat-template=JINJA unless the default suits."
        )
    missing = sorted({marker for marker in _MARKER.findall(ollama) if marker not in own})
    if not missing:
        return ""
    return (
        f"The chat template in the weights is used, and it differs from Ollama's, which writes "
        f"{', '.join(missing)}, too."
    )
