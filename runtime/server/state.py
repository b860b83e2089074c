"""What every route needs: the engine, the chat format, and the server's defaults."""

from dataclasses import dataclass
from functools import cached_property

from starlette.requests import Request

from runtime.chat.conversation import ChatFormat
from runtime.engine.engine import Engine
from runtime.engine.sampling import SamplingParams


@dataclass(frozen=True)
class ServerState:
    """The server's one shared object.

    Args:
        engine: Loading or ready.
        name: The model's name, as clients see it.
        system_prompt: For conversations that bring none; may be empty.
        sampling: For requests that say nothing of it.
        max_tokens: For requests that say nothing of it; None is no limit.
    """

    engine: Engine
    name: str
    system_prompt: str
    sampling: SamplingParams
    max_tokens: int | None

    @cached_property
    def chat_format(self) -> ChatFormat:
        """The model's chat format; waits for the model."""
        return ChatFormat(self.engine.model, self.system_prompt)


def state_of(request: Request) -> ServerState:
    """Return the state of the app that serves a request."""
    state: ServerState = request.app.state.server
    return state
