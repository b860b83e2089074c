"""Tools as a request offers them, whatever dialect it came in."""

from typing import Any, Literal

import msgspec


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may ask the client to call.

    Args:
        name: What the model calls it by.
        description: What it does, for the model to read.
        parameters: The JSON schema of its arguments, an object's.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}

    def to_template(self) -> dict[str, Any]:
        """Return the tool as chat templates take it."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }
        return {"type": "function", "function": function}


class ToolUse(msgspec.Struct, frozen=True):
    """The tools of a request, and whether they are to be called.

    Args:
        tools: Those that are offered; the model sees all of them.
        choice: `auto` leaves it to the model, `required` demands at least one call.
        only: The name of the one tool that may be called; empty for any.
        is_parallel: Whether an answer may have several calls.
    """

    tools: tuple[Tool, ...] = ()
    choice: Literal["auto", "none", "required"] = "auto"
    only: str = ""
    is_parallel: bool = True

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        """The tools that an answer may call."""
        if self.choice == "none":
            return ()
        return tuple(tool for tool in self.tools if self.only in ("", tool.name))

    @property
    def is_required(self) -> bool:
        """Whether an answer has to have a call."""
        return self.choice == "required" or (self.choice == "auto" and bool(self.only))


NO_TOOLS = ToolUse()
