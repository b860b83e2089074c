"""Asking the engine from a terminal: the answer comes piece by piece."""

import queue
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from runtime.chat.deltas import Delta
from runtime.chat.options import chat_options
from runtime.chat.template import Message
from runtime.cli.command import Context, end_start
from runtime.cli.engine_settings import sampling, start_engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, TextDelta
from runtime.sandbox.sandbox import Sandbox
from runtime.settings.values import Settings

if TYPE_CHECKING:
    from runtime.chat.conversation import ChatPrompt


class Answerer:
    """Answers conversations with the model of a command.

    Args:
        context: The model, which is being loaded, and the settings.
        sandbox: What the process has given up; the rest goes once the model is loaded.
    """

    def __init__(self, context: Context, sandbox: Sandbox) -> None:
        self._context = context
        self._sandbox = sandbox
        self._chat_options = chat_options(context.settings)
        self._engine = start_engine(context)
        # Read while the engine's thread maps the weights.
        from runtime.chat import conversation

        self._chat = conversation
        end_start()

    @property
    def name(self) -> str:
        """What the model is called."""
        return self._context.payload.name

    @property
    def settings(self) -> Settings:
        """The settings that the command was started with."""
        return self._context.settings

    @property
    def n_ctx(self) -> int:
        """Tokens of context; waits for the model."""
        return self._engine.n_ctx

    @property
    def sees(self) -> bool:
        """Whether messages may have images; waits for the model."""
        return self._engine.sees

    def close(self) -> None:
        """Save prompts, where a prompt cache is asked for."""
        if self._context.settings.prompt_cache:
            self._engine.stop()

    def check(self, settings: Settings) -> None:
        """Refuse settings whose sampling is out of its range.

        Raises:
            RequestError: It is.
        """
        sampling(settings)

    def answer(
        self, messages: Sequence[Message], settings: Settings | None = None
    ) -> Generator[Delta | Finished]:
        """Yield what the answer to a conversation is made of, and at last how it ended.

        Leaving the iterator early stops the engine's work on it.

        Args:
            messages: In OpenAI's form, oldest first.
            settings: Whose sampling is used; None takes the command's.

        Raises:
            AppError: The model could not be loaded, the conversation is too long for it, or a
                setting is out of its range.
        """
        prompt = self._prompt(messages)
        reader = prompt.make_reader()
        with closing(self._events(prompt, settings or self.settings)) as events:
            for event in events:
                if isinstance(event, TextDelta):
                    yield from reader.feed(event.text)
                else:
                    yield from reader.finish()
                    yield event

    def tokens(self, messages: Sequence[Message]) -> Generator[TextDelta]:
        """Yield the answer to a conversation as the engine tells it, with each token's likelihood.

        Leaving the iterator early stops the engine's work on it.

        Raises:
            AppError: As `answer` does.
        """
        prompt = self._prompt(messages)
        with closing(self._events(prompt, self.settings, num_top_logprobs=0)) as events:
            for event in events:
                if isinstance(event, TextDelta):
                    yield event

    def _prompt(self, messages: Sequence[Message]) -> "ChatPrompt":
        model = self._engine.model
        self._sandbox.seal()
        chat_format = self._chat.ChatFormat(model, self._chat_options, self._engine.read)
        return chat_format.prompt(self._chat.Conversation(list(messages)))

    def _events(
        self, prompt: "ChatPrompt", settings: Settings, *, num_top_logprobs: int | None = None
    ) -> Generator[TextDelta | Finished]:
        context = replace(self._context, settings=settings)
        recommended = self._engine.model.recommended_sampling
        asked = {**recommended, **sampling(settings), **prompt.constraint}
        request = GenerationRequest(
            prompt=prompt.tokens,
            images=prompt.images,
            sampling=SamplingParams(**asked),
            shown_tokens=prompt.shown_tokens,
            max_tokens=context.max_tokens(),
            n_keep=context.n_keep(),
            num_top_logprobs=num_top_logprobs,
        )
        events: queue.Queue[Event] = queue.Queue()
        sequence = self._engine.submit(request, events.put)
        try:
            while isinstance(event := events.get(), TextDelta):
                yield event
        finally:
            self._engine.cancel(sequence)
        if isinstance(event, Failed):
            raise event.error
        assert isinstance(event, Finished), "progress was not asked for"
        yield event
