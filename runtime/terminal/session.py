"""A conversation in the terminal: its messages, its settings, and its answers as they come."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Protocol

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta
from runtime.chat.images import Content, one_below_the_other
from runtime.chat.template import Message
from runtime.engine.sequence import Finished, Stats
from runtime.errors import AppError, RequestError
from runtime.settings.values import Settings
from runtime.terminal.attachment import read_attachment
from runtime.terminal.conversation_file import load_conversation, save_conversation
from runtime.terminal.screen import AnswerView, Terminal

_NEARLY_FULL = 0.8


class Answers(Protocol):
    """Answers conversations."""

    @property
    def name(self) -> str:
        """What the model is called."""

    @property
    def settings(self) -> Settings:
        """The settings that the command was started with."""

    @property
    def n_ctx(self) -> int:
        """Tokens of context."""

    @property
    def sees(self) -> bool:
        """Whether messages may have images."""

    def check(self, settings: Settings) -> None:
        """Refuse settings that are out of their range.

        Raises:
            RequestError: One is.
        """

    def answer(
        self, messages: Sequence[Message], settings: Settings | None = None
    ) -> Generator[Delta | Finished]:
        """Yield what the answer is made of, and at last how it ended."""


class Session:
    """One conversation.

    Attributes:
        settings: Whose sampling is used from now on.
        is_verbose: Whether each answer is followed by what it took.
        system: The system message; empty for the built-in one.
    """

    def __init__(self, answers: Answers, terminal: Terminal) -> None:
        self.settings = answers.settings
        self.is_verbose = False
        self.system = ""
        self._answers = answers
        self._terminal = terminal
        self._messages: list[Message] = []
        self._attachments: list[Content] = []

    @property
    def num_messages(self) -> int:
        """How many messages there are, answers included."""
        return len(self._messages)

    def say(self, text: str) -> str:
        """Have a message answered on the screen, and return what is to be said of it.

        Raises:
            AppError: It could not be answered; the conversation is as before.
        """
        content = one_below_the_other([*self._attachments, text])
        self._messages.append({"role": "user", "content": content})
        try:
            stats = self._answer()
        except AppError:
            self._messages.pop()
            raise
        self._attachments.clear()
        return self._remark(stats)

    def say_again(self) -> str:
        """Have the last message answered anew, and return what is to be said of it.

        Raises:
            AppError: There is none, or it could not be answered; the old answer stands.
        """
        if not self._messages or self._messages[-1]["role"] != "assistant":
            raise RequestError("There is no answer yet.")
        old = self._messages.pop()
        try:
            return self._remark(self._answer())
        except AppError:
            self._messages.append(old)
            raise

    def change(self, settings: Settings) -> None:
        """Sample by other settings from now on.

        Raises:
            RequestError: One is out of its range; nothing is changed.
        """
        self._answers.check(settings)
        self.settings = settings

    def clear(self) -> None:
        """Begin a new conversation; the system message and the settings stay."""
        self._messages.clear()
        self._attachments.clear()

    def attach(self, path: Path) -> None:
        """Let a file go with the next message.

        Raises:
            RequestError: It is nothing that the model reads.
        """
        self._attachments.append(read_attachment(path, takes_images=self._answers.sees))

    def save(self, path: Path) -> None:
        """Write the conversation to a file.

        Raises:
            RequestError: It cannot be written.
        """
        save_conversation(path, self._with_system(), model=self._answers.name)

    def load(self, path: Path) -> None:
        """Take up the conversation in a file.

        Raises:
            RequestError: It cannot be read.
        """
        messages = load_conversation(path)
        self.clear()
        system = [message["content"] for message in messages if message["role"] == "system"]
        self.system = "\n\n".join(text for text in system if isinstance(text, str))
        self._messages = [message for message in messages if message["role"] != "system"]

    def _with_system(self) -> list[Message]:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, *self._messages]

    def _answer(self) -> Stats | None:
        """Show the answer to the last message, and keep what came of it before any Ctrl-C."""
        view = AnswerView(self._terminal)
        said: list[str] = []
        thought: list[str] = []
        stats = None
        events = self._answers.answer(self._with_system(), self.settings)
        try:
            for event in events:
                if isinstance(event, Finished):
                    stats = event.stats
                    continue
                view.show(event)
                if isinstance(event, ContentDelta):
                    said.append(event.text)
                elif isinstance(event, ReasoningDelta):
                    thought.append(event.text)
        except KeyboardInterrupt:
            pass
        finally:
            events.close()
        view.finish()
        message: Message = {"role": "assistant", "content": "".join(said)}
        if thought:
            message["reasoning_content"] = "".join(thought)
        self._messages.append(message)
        return stats

    def _remark(self, stats: Stats | None) -> str:
        if stats is None:
            return ""
        used = stats.prompt_tokens + stats.completion_tokens
        n_ctx = self._answers.n_ctx
        remarks = []
        if self.is_verbose and stats.completion_tokens > 1 and stats.generation_s:
            speed = (stats.completion_tokens - 1) / stats.generation_s
            remarks.append(
                f"{stats.completion_tokens} tokens, {speed:.1f} tokens/s, first after "
                f"{stats.time_to_first_token_s:.2f} s; {used} of {n_ctx} tokens of context."
            )
        if used >= _NEARLY_FULL * n_ctx:
            remarks.append(
                f"{used} of {n_ctx} tokens of context are used; /clear begins a new conversation."
            )
        return "\n".join(remarks)
