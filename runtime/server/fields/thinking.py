"""What requests say of the model's thinking, as chat templates take it."""

from typing import Any


def thinking_arguments(thinks: bool | None, effort: str | None) -> dict[str, Any]:
    """Return the variables of chat templates for it.

    Args:
        thinks: Whether the model is to think before it answers; None leaves it to the template.
        effort: How hard, as the model knows it, often `low`, `medium` or `high`; None as well.
    """
    arguments: dict[str, Any] = {}
    if thinks is not None:
        # Qwen's name for it, which most others took over, and that of DeepSeek and Granite.
        arguments = {"enable_thinking": thinks, "thinking": thinks}
    if effort:
        arguments["reasoning_effort"] = effort
    return arguments
