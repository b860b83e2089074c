"""Tests of errors as the clients of each dialect see them."""

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from runtime.engine.context_size import ContextSizeError
from runtime.engine.limits import QueueFullError
from runtime.errors import DamagedFileError, RequestError, UnsupportedError, UsageError
from runtime.server.errors import LoadingError, answer_error, error_body_of


def test_llama_servers_form_tells_sizes() -> None:
    """A prompt that is too long is told with both lengths."""
    told = error_body_of("/v1/chat/completions")(ContextSizeError(900, 512))["error"]
    assert (told["code"], told["type"]) == (400, "exceed_context_size_error")
    assert (told["n_prompt_tokens"], told["n_ctx"]) == (900, 512)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ContextSizeError(900, 512), "invalid_request_error"),
        (QueueFullError(9), "overloaded_error"),
        (HTTPException(401), "authentication_error"),
        (ValueError("secret"), "api_error"),
    ],
)
def test_anthropics_form(path: str, error: Exception, kind: str) -> None:
    """Anthropic's clients get its types, and nothing of what only the log may tell."""
    told = error_body_of(path)(error)
    assert (told["type"], told["error"]["type"]) == ("error", kind)
    assert "secret" not in told["error"]["message"]


@pytest.mark.parametrize("kind", [DamagedFileError, UnsupportedError, UsageError, ValueError])
def test_no_answer_names_a_file(kind: type[Exception]) -> None:
    """What is wrong with this machine's files is for the log alone."""
    told = error_body_of("/completion")(kind("/home/me/model.gguf is damaged."))["error"]
    assert (told["code"], told["type"]) == (500, "server_error")
    assert "/home" not in told["message"]


def test_what_is_no_client_s_fault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With all there is to know; a client's own mistake is not."""
    request = Request({"type": "http", "method": "GET", "path": "/x", "headers": []})
    asyncio.run(answer_error(request, RequestError("The client's mistake.")))
    assert not caplog.records
    asyncio.run(answer_error(request, DamagedFileError("/home/me/model.gguf is damaged.")))
    assert "/home/me/model.gguf" in caplog.text


def test_what_is_known_of_loading_is_told() -> None:
    """Beside what llama-server says, the share that is in memory, where that is known."""
    body = error_body_of("/health")
    assert body(LoadingError(0.42857))["error"]["progress"] == 0.429
    assert "progress" not in body(LoadingError())["error"]


def test_ollamas_form() -> None:
    """Ollama's clients get a sentence."""
    assert error_body_of("/api/chat")(LoadingError()) == {"error": "Loading model"}


def test_tgis_form() -> None:
    """The clients of text-generation-inference get a sentence and a type."""
    told = error_body_of("/generate_stream")(QueueFullError(9))
    assert told["error_type"] == "overloaded"
