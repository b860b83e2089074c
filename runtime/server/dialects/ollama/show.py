"""`/api/show`: what is known of the model."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.header import ModelHeader
from runtime.engine.pooling import Pooling
from runtime.server.dialects.ollama.models import details, modified_at
from runtime.server.dialects.ollama.names import full_name
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state

# Those that Ollama tells elsewhere.
_LEFT_OUT = {"general.name", "tokenizer.chat_template"}
# Most of what is under `general` is text, even where it looks like a number.
_GENERAL_NUMBERS = ("general.file_type", "general.quantization_version", "general.sampling.")
_OLLAMA_PARAMETERS = {
    "temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "repeat_penalty",
    "presence_penalty", "frequency_penalty", "mirostat", "mirostat_tau", "mirostat_eta", "seed",
}  # fmt: skip


class ShowRequest(msgspec.Struct):
    """The body of `/api/show`; there is one model, and all that is short is shown in any case."""

    model: str = ""
    verbose: bool = False


async def show(request: Request, body: ShowRequest) -> Response:
    """Answer `POST /api/show`, whatever model is named."""
    state = ready_state(request)
    return JSONResponse(await asyncio.to_thread(_facts, state))


def _facts(state: ServerState) -> dict[str, Any]:
    model = state.engine.model
    asked = {**model.recommended_sampling, **state.sampling}
    parameters = {name: asked[name] for name in sorted(_OLLAMA_PARAMETERS & asked.keys())}
    facts = {
        "license": model.header.value("general.license") or "",
        "modelfile": _modelfile(state, parameters),
        "parameters": "\n".join(f"{name:<30} {value}" for name, value in parameters.items()),
        "template": state.chat_format.template if model.generates_text else "",
        "details": details(model.header),
        "model_info": model_info(model.header),
        "capabilities": _capabilities(state),
        "modified_at": modified_at(state),
    }
    return facts | ({"system": state.system_prompt} if state.system_prompt else {})


def _modelfile(state: ServerState, parameters: dict[str, Any]) -> str:
    lines = [f"FROM {full_name(state.name)}"]
    if state.system_prompt:
        lines.append(f'SYSTEM """{state.system_prompt}"""')
    lines += [f"PARAMETER {name} {value}" for name, value in parameters.items()]
    return "\n".join(lines) + "\n"


def model_info(header: ModelHeader) -> dict[str, Any]:
    """Return a header's values, numbers as such, without its lists, such as the vocabulary."""
    items = {key: text for key, text in header.items().items() if key not in _LEFT_OUT}
    info = {key: _typed(key, text) for key, text in items.items()}
    return info | {"general.parameter_count": header.n_params}


def _typed(key: str, text: str) -> str | float | bool:
    if key.startswith("general.") and not key.startswith(_GENERAL_NUMBERS):
        return text
    try:
        return msgspec.json.decode(text, type=int | float | bool)
    except msgspec.DecodeError:
        return text


def _capabilities(state: ServerState) -> list[str]:
    """Return what the model was made for; clients choose by it what they send."""
    model = state.engine.model
    if not model.generates_text:
        return [] if state.engine.embeds.pooling is Pooling.RANK else ["embedding"]
    abilities = {
        "tools": state.chat_format.knows_tools,
        "insert": model.infill_tokens is not None,
        "thinking": state.chat_format.can_think,
    }
    return ["completion", *(name for name, has in abilities.items() if has)]
