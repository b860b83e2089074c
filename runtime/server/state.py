"""What every route needs: the engine, the chat format, and the server's defaults."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from runtime.chat.conversation import ChatFormat
from runtime.chat.options import ChatOptions
from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.payload import Payload
from runtime.sandbox.sandbox import Sandbox
from runtime.server.ending import Ending
from runtime.server.errors import LoadingError

if TYPE_CHECKING:
    from runtime.server.history_file import HistoryFile


class ServerState(msgspec.Struct, frozen=True, dict=True):
    """The server's one shared object.

    Args:
        engine: Loading or ready.
        name: The model's name, as clients see it.
        system_prompt: For conversations that bring none; may be empty.
        sampling: What the settings ask for, by field of `SamplingParams`.
        max_tokens: What a request may generate at most; None is no limit.
        n_keep: Prompt tokens kept where a full context forgets; None ends answers there.
        timeout_s: Seconds that a request may take; None is no limit.
        embd_normalize: How embeddings are scaled; see `EmbeddingRequest`.
        pooling: How the model makes embeddings, where it was made for those; else empty.
        chat_template: See `ChatOptions`.
        template_arguments: See `ChatOptions`.
        payload: Where the model came from; None tells clients nothing of that.
        history: Where the page keeps chats; None leaves them to the browser.
        ending: When the server ends by itself.
        sandbox: What the process has given up.
    """

    engine: Engine
    name: str
    system_prompt: str
    sampling: Mapping[str, Any]
    max_tokens: int | None
    n_keep: int | None = None
    timeout_s: float | None = None
    embd_normalize: int = 2
    pooling: str = ""
    chat_template: str = ""
    template_arguments: Mapping[str, Any] = {}
    payload: Payload | None = None
    history: "HistoryFile | None" = None
    ending: Ending = msgspec.field(default_factory=Ending)
    sandbox: Sandbox = msgspec.field(default_factory=Sandbox)

    @cached_property
    def chat_format(self) -> ChatFormat:
        """The model's chat format; waits for the model."""
        return ChatFormat(
            self.engine.model,
            ChatOptions(self.system_prompt, self.chat_template, self.template_arguments),
            self.engine.read,
        )

    def kept_tokens(self, asked: int | None) -> int | None:
        """Return how many prompt tokens a full context keeps for a request; None: it ends."""
        return self.n_keep if self.n_keep is None or asked is None else asked

    def allowed_tokens(self, asked: int | None) -> int | None:
        """Return how much may be generated: what was asked for, and no more than the settings say.

        Args:
            asked: Negative for no limit, and None for nothing asked.
        """
        limits = [limit for limit in (asked, self.max_tokens) if limit is not None and limit >= 0]
        return min(limits, default=None)

    def sampling_params(self, asked: Mapping[str, Any]) -> SamplingParams:
        """Return a request's parameters: as asked, else by the settings, else by the model."""
        return SamplingParams(
            **{**self.engine.model.recommended_sampling, **self.sampling, **asked}
        )


def state_of(request: Request) -> ServerState:
    """Return the state of the app that serves a request."""
    state: ServerState = request.app.state.server
    return state


def ready_state(request: Request) -> ServerState:
    """Return the state of a server whose model is loaded.

    Raises:
        LoadingError: It is not.
    """
    state = state_of(request)
    if not state.engine.is_ready:
        raise LoadingError
    return state
