"""Every route of the API, and the function that answers it."""

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.server.json import read_json


class Endpoint(msgspec.Struct, frozen=True):
    """A function that answers requests, given the request, and the body if it has that parameter.

    Its module is imported with the first request, since every start would wait for all of them.

    Args:
        method: What it answers.
        paths: Where.
        module: Its module, under `runtime.server`.
        function: Its name there.
        summary: What it does, for people.
    """

    method: str
    paths: tuple[str, ...]
    module: str
    function: str
    summary: str

    def routes(self) -> list[Route]:
        """Return its routes, one for each path."""
        return [Route(path, self._answer, methods=[self.method]) for path in self.paths]

    @property
    def handler(self) -> Callable[..., Awaitable[Response]]:
        """The function, imported."""
        module = importlib.import_module(f"runtime.server.{self.module}")
        handler: Callable[..., Awaitable[Response]] = getattr(module, self.function)
        return handler

    @property
    def body(self) -> Any:
        """The type of the body it takes; None for none."""
        return self.handler.__annotations__.get("body")

    async def _answer(self, request: Request) -> Response:
        if (body := self.body) is None:
            return await self.handler(request)
        return await self.handler(request, await read_json(request, body))


def _v1(name: str) -> tuple[str, str]:
    """Return a path of OpenAI's, and llama-server's alias without its prefix."""
    return f"/v1/{name}", f"/{name}"


ENDPOINTS = (
    Endpoint("GET", (*_v1("health"), "/ping"), "health", "health", "Whether the model is loaded"),
    Endpoint("GET", ("/metrics",), "metrics", "metrics", "Counters of the engine, for Prometheus"),
    Endpoint("GET", ("/openapi.json",), "openapi", "document", "This document"),
    Endpoint("GET", ("/docs",), "api_page", "api_page", "The same for people"),
    Endpoint("GET", _v1("models"), "dialects.openai.models", "list_models", "The model inside"),
    Endpoint(
        "POST",
        _v1("chat/completions"),
        "dialects.openai.chat",
        "chat_completions",
        "The answer to a conversation",
    ),
    Endpoint(
        "POST",
        _v1("responses"),
        "dialects.openai.responses",
        "responses",
        "The answer to a conversation, as typed items",
    ),
    Endpoint(
        "POST",
        _v1("responses/input_tokens"),
        "dialects.openai.responses",
        "input_tokens",
        "How long such a conversation is",
    ),
    Endpoint("POST", ("/generate",), "dialects.tgi.generate", "generate", "How a text goes on"),
    Endpoint(
        "POST",
        ("/generate_stream",),
        "dialects.tgi.generate",
        "generate_stream",
        "How a text goes on, token by token",
    ),
    Endpoint(
        "POST",
        ("/",),
        "dialects.tgi.generate",
        "generate_either",
        "How a text goes on, whole or token by token",
    ),
    Endpoint("GET", ("/info",), "dialects.tgi.info", "info", "What is served, and its limits"),
    Endpoint(
        "POST",
        ("/chat_tokenize",),
        "dialects.tgi.tokenize",
        "chat_tokenize",
        "The prompt of a conversation and its tokens",
    ),
    Endpoint(
        "POST",
        _v1("embeddings"),
        "dialects.openai.embeddings",
        "embeddings",
        "A vector for each text",
    ),
    Endpoint(
        "POST",
        ("/embedding",),
        "dialects.llama_server.embedding",
        "native_embedding",
        "Vectors for each text",
    ),
    Endpoint(
        "POST",
        (*_v1("rerank"), *_v1("reranking")),
        "dialects.llama_server.rerank",
        "rerank",
        "Documents, the best first",
    ),
    Endpoint(
        "GET", ("/lora-adapters",), "dialects.llama_server.lora", "list_adapters", "LoRA adapters"
    ),
    Endpoint(
        "POST",
        ("/lora-adapters",),
        "dialects.llama_server.lora",
        "set_scales",
        "How strongly adapters are applied where a request does not say",
    ),
    Endpoint(
        "POST",
        ("/v1/completions",),
        "dialects.openai.completion",
        "completions",
        "A text's continuation",
    ),
    Endpoint(
        "POST",
        ("/v1/messages",),
        "dialects.anthropic.messages",
        "create_message",
        "The answer to a conversation, as content blocks",
    ),
    Endpoint(
        "POST",
        ("/v1/messages/count_tokens",),
        "dialects.anthropic.messages",
        "count_tokens",
        "How long such a conversation is",
    ),
    Endpoint(
        "POST", ("/api/chat",), "dialects.ollama.chat", "chat", "The answer to a conversation"
    ),
    Endpoint(
        "POST",
        ("/api/generate",),
        "dialects.ollama.generate",
        "generate",
        "The answer to a prompt, or a text's continuation",
    ),
    Endpoint("POST", ("/api/embed",), "dialects.ollama.embed", "embed", "A vector for each text"),
    Endpoint(
        "POST", ("/api/embeddings",), "dialects.ollama.embed", "embeddings", "A vector for a text"
    ),
    Endpoint("GET", ("/api/version",), "dialects.ollama.models", "version", "The API's version"),
    Endpoint("GET", ("/api/tags",), "dialects.ollama.models", "tags", "The model inside"),
    Endpoint("GET", ("/api/ps",), "dialects.ollama.models", "ps", "The model, which is loaded"),
    Endpoint("POST", ("/api/show",), "dialects.ollama.show", "show", "What is known of the model"),
    Endpoint(
        "POST",
        ("/api/pull",),
        "dialects.ollama.managing",
        "pull",
        "Nothing: the model inside is there already",
    ),
    *(
        Endpoint(method, (path,), "dialects.ollama.managing", "refuse", "Nothing but an error")
        for method, path in (
            ("POST", "/api/create"),
            ("POST", "/api/copy"),
            ("POST", "/api/push"),
            ("DELETE", "/api/delete"),
            ("POST", "/api/blobs/{digest}"),
            ("HEAD", "/api/blobs/{digest}"),
        )
    ),
    Endpoint(
        "POST",
        ("/completion", "/completions"),
        "dialects.llama_server.completion",
        "completion",
        "A text's continuation, in llama-server's own form",
    ),
    Endpoint(
        "POST",
        ("/infill",),
        "dialects.llama_server.completion",
        "infill",
        "What fills a gap in a text",
    ),
    Endpoint("GET", ("/v1/prompts",), "pins", "list_pins", "The prompts that stay in memory"),
    Endpoint(
        "POST",
        ("/v1/prompts",),
        "pins",
        "pin",
        "Compute what conversations begin with, and let it stay in memory",
    ),
    Endpoint("DELETE", ("/v1/prompts/{id}",), "pins", "unpin", "Let such a prompt go"),
    Endpoint("POST", ("/tokenize",), "tokenize", "tokenize", "A text's tokens"),
    Endpoint(
        "POST",
        ("/detokenize",),
        "dialects.llama_server.tokens",
        "detokenize",
        "The text of tokens",
    ),
    Endpoint(
        "POST",
        ("/apply-template",),
        "dialects.llama_server.chat_prompt",
        "apply_template",
        "A conversation as the model reads it",
    ),
    Endpoint(
        "POST",
        _v1("chat/completions/input_tokens"),
        "dialects.llama_server.chat_prompt",
        "input_tokens",
        "How long a conversation is",
    ),
    Endpoint(
        "GET",
        ("/props",),
        "dialects.llama_server.props",
        "props",
        "What the server is, and its defaults",
    ),
    Endpoint(
        "POST",
        ("/props",),
        "dialects.llama_server.props",
        "set_props",
        "Refused: properties do not change",
    ),
    Endpoint(
        "GET",
        ("/slots",),
        "dialects.llama_server.slots",
        "slots",
        "What the server works on",
    ),
    Endpoint(
        "POST",
        ("/slots/{id}",),
        "dialects.llama_server.slots",
        "change_slot",
        "Refused: prompts are kept by the server itself",
    ),
    Endpoint(
        "GET",
        ("/v1/models/{id}", "/models/{id}"),
        "dialects.openai.models",
        "get_model",
        "The model by its name",
    ),
)
