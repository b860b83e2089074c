"""The items of a response's output, and the events that tell of each."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

Body = dict[str, Any]


class OutputItem(ABC):
    """An item that is still growing.

    Args:
        index: Its place in the output, from 0.
    """

    prefix: ClassVar[str]

    def __init__(self, index: int) -> None:
        self.index = index
        self._id = f"{self.prefix}_{uuid.uuid4().hex}"
        self._text = ""

    @abstractmethod
    def body(self, status: str) -> Body:
        """Return the item as far as it came."""

    def opening(self) -> Iterator[Body]:
        """Yield the events that tell of its begin."""
        yield self._of_item("added", "in_progress")

    @abstractmethod
    def closing(self, status: str) -> Iterator[Body]:
        """Yield the events that tell of its end."""

    def _of_item(self, what: str, status: str) -> Body:
        return {
            "type": f"response.output_item.{what}",
            "output_index": self.index,
            "item": self.body(status),
        }

    def _event(self, kind: str, **fields: Any) -> Body:
        place = {"item_id": self._id, "output_index": self.index}
        return {"type": f"response.{kind}"} | place | fields


class TextItem(OutputItem):
    """An item with one part, which is text.

    Attributes:
        name: What the text is called in events.
    """

    name: ClassVar[str]

    @abstractmethod
    def part(self) -> Body:
        """Return the part as far as it came."""

    def extras(self, logprobs: list[Body]) -> Body:
        """Return more fields of the events that tell of text."""
        return {}

    def opening(self) -> Iterator[Body]:
        """Yield the events that tell of its begin."""
        yield from super().opening()
        yield self._event("content_part.added", content_index=0, part=self.part())

    def closing(self, status: str) -> Iterator[Body]:
        """Yield the events that tell of its end."""
        done = {"content_index": 0, "text": self._text}
        yield self._event(f"{self.name}.done", **done, **self.extras(self._all_logprobs()))
        yield self._event("content_part.done", content_index=0, part=self.part())
        yield self._of_item("done", status)

    def add(self, text: str, logprobs: list[Body]) -> Body:
        """Take more text, and return the event that tells of it."""
        self._text += text
        return self._event(
            f"{self.name}.delta", content_index=0, delta=text, **self.extras(logprobs)
        )

    def _all_logprobs(self) -> list[Body]:
        return []


class MessageItem(TextItem):
    """The answer's text."""

    prefix = "msg"
    name = "output_text"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._logprobs: list[Body] = []

    def add(self, text: str, logprobs: list[Body]) -> Body:
        """Take more text, and return the event that tells of it."""
        self._logprobs += logprobs
        return super().add(text, logprobs)

    def part(self) -> Body:
        """Return the text as far as it came."""
        return {
            "type": "output_text",
            "text": self._text,
            "annotations": [],
            "logprobs": list(self._logprobs),
        }

    def extras(self, logprobs: list[Body]) -> Body:
        """Return how likely the text's tokens were."""
        return {"logprobs": logprobs}

    def body(self, status: str) -> Body:
        """Return the message as far as it came."""
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [] if status == "in_progress" else [self.part()],
        }

    def _all_logprobs(self) -> list[Body]:
        return list(self._logprobs)


class ReasoningItem(TextItem):
    """What the model thought before it answered."""

    prefix = "rs"
    name = "reasoning_text"

    def part(self) -> Body:
        """Return the text as far as it came."""
        return {"type": "reasoning_text", "text": self._text}

    def body(self, status: str) -> Body:
        """Return the reasoning as far as it came."""
        return {
            "id": self._id,
            "type": "reasoning",
            "status": status,
            "summary": [],
            "content": [] if status == "in_progress" else [self.part()],
        }


class CallItem(OutputItem):
    """A function call.

    Args:
        index: Its place in the output, from 0.
        call_id: What its output will be known by.
        name: The function's name.
    """

    prefix = "fc"

    def __init__(self, index: int, call_id: str, name: str) -> None:
        super().__init__(index)
        self._call_id = call_id
        self._name = name

    def body(self, status: str) -> Body:
        """Return the call as far as it came."""
        return {
            "id": self._id,
            "type": "function_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._name,
            "arguments": self._text,
        }

    def closing(self, status: str) -> Iterator[Body]:
        """Yield the events that tell of its end."""
        yield self._event("function_call_arguments.done", name=self._name, arguments=self._text)
        yield self._of_item("done", status)

    def add(self, arguments: str) -> Body:
        """Take more of the arguments, and return the event that tells of them."""
        self._text += arguments
        return self._event("function_call_arguments.delta", delta=arguments)
