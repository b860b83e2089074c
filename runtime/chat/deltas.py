"""What an answer is made of, piece by piece, once its text was read."""

import msgspec


class ReasoningDelta(msgspec.Struct, frozen=True):
    """More of what the model thinks before it answers."""

    text: str


class ContentDelta(msgspec.Struct, frozen=True):
    """More of the answer."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True):
    """The beginning of a tool call, or more of its arguments.

    Args:
        index: The call's number in the answer, from 0.
        name: The tool's name, in the call's first delta; empty in the others.
        arguments: More of the JSON text of its arguments.
        id: What the model itself calls the call by; empty where its format has no such thing.
    """

    index: int
    name: str = ""
    arguments: str = ""
    id: str = ""


Delta = ReasoningDelta | ContentDelta | ToolCallDelta
