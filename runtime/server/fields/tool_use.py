"""What requests say of the tools that may be called."""

from collections.abc import Sequence
from typing import Literal

from runtime.chat.tools import NO_TOOLS, Tool, ToolUse
from runtime.errors import RequestError


def tool_use(
    tools: Sequence[Tool],
    choice: Literal["auto", "none", "required"],
    *,
    only: str = "",
    is_parallel: bool,
) -> ToolUse:
    """Return the tools of a request; see `ToolUse`.

    Raises:
        RequestError: A call is demanded, and there are no tools.
    """
    if tools:
        return ToolUse(tuple(tools), choice, only, is_parallel)
    if choice == "required":
        raise RequestError("tool_choice demands a call, and there are no tools.")
    return NO_TOOLS
