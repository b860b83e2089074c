"""Every route of the API, and the function that answers it."""

import importlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Endpoint(msgspec.Struct, frozen=True):
    """A function that answers requests.

    Its module is imported with the first request, since every start would wait for all of them.

    Args:
        method: What it answers.
        paths: Where.
        module: Its module, under `runtime.server`.
        function: Its name there.
    """

    method: str
    paths: tuple[str, ...]
    module: str
    function: str

    def routes(self) -> list[Route]:
        """Return its routes, one for each path."""
        return [Route(path, self._answer, methods=[self.method]) for path in self.paths]

    async def _answer(self, request: Request) -> Response:
        module = importlib.import_module(f"runtime.server.{self.module}")
        response: Response = await getattr(module, self.function)(request)
        return response


def _v1(name: str) -> tuple[str, str]:
    """Return a path of OpenAI's, and llama-server's alias without its prefix."""
    return f"/v1/{name}", f"/{name}"


ENDPOINTS = (
    Endpoint("GET", _v1("health"), "health", "health"),
    Endpoint("GET", ("/metrics",), "metrics", "metrics"),
    Endpoint("GET", _v1("models"), "dialects.openai.models", "list_models"),
    Endpoint("POST", _v1("chat/completions"), "dialects.openai.chat", "chat_completions"),
    Endpoint("POST", _v1("responses"), "dialects.openai.responses", "responses"),
    Endpoint("POST", _v1("responses/input_tokens"), "dialects.openai.responses", "input_tokens"),
    Endpoint("POST", _v1("embeddings"), "dialects.openai.embeddings", "embeddings"),
    Endpoint("POST", ("/embedding",), "dialects.llama_server.embedding", "native_embedding"),
    Endpoint("POST", (*_v1("rerank"), *_v1("reranking")), "dialects.llama_server.rerank", "rerank"),
    Endpoint("GET", ("/lora-adapters",), "dialects.llama_server.lora", "list_adapters"),
    Endpoint("POST", ("/lora-adapters",), "dialects.llama_server.lora", "set_scales"),
)
