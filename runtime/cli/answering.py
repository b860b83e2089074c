"""Asking the engine from a terminal: the answer comes piece by piece."""

import queue
from collections.abc import Generator
from typing import Any

from runtime.chat.options import chat_options
from runtime.cli.command import Context, end_start
from runtime.cli.engine_settings import sampling, start_engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Failed, GenerationRequest, TextDelta


class Answerer:
    """Answers conversations with the model of a command."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._chat_options = chat_options(context.settings)
        self._engine = start_engine(context)
        # Read while the engine's thread maps the weights.
        from runtime.chat import conversation

        self._chat = conversation
        end_start()

    @property
    def n_ctx(self) -> int:
        """Tokens of context; waits for the model."""
        return self._engine.n_ctx

    def close(self) -> None:
        """Save prompts, where a prompt cache is asked for."""
        if self._context.settings.prompt_cache:
            self._engine.stop()

    def answer(self, messages: list[dict[str, Any]]) -> Generator[str]:
        """Yield the text that answers a conversation.

        Leaving the iterator early stops the engine's work on it.

        Raises:
            AppError: The model could not be loaded, or the conversation is too long for it.
        """
        chat_format = self._chat.ChatFormat(self._engine.model, self._chat_options)
        prompt = chat_format.prompt(self._chat.Conversation(messages))
        request = GenerationRequest(
            prompt=prompt.tokens,
            sampling=SamplingParams(
                **{**self._engine.model.recommended_sampling, **sampling(self._context.settings)}
            ),
            max_tokens=self._context.max_tokens(),
            n_keep=self._context.n_keep(),
        )
        events: queue.Queue[Event] = queue.Queue()
        sequence = self._engine.submit(request, events.put)
        try:
            while isinstance(event := events.get(), TextDelta):
                yield event.text
        finally:
            self._engine.cancel(sequence)
        if isinstance(event, Failed):
            raise event.error
