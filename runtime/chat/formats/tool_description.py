"""What tells a model of its tools where its template does not."""

import json

from runtime.chat.template import Message
from runtime.chat.tools import ToolUse

_DESCRIPTION = """\
You can use these tools, each described by its name and the JSON schema of its arguments:
{tools}
{when}
To call a tool, write nothing but its name and its arguments in JSON, in this form:
{form}
{several}You are then told the result."""


def with_tools(messages: list[Message], tool_use: ToolUse, form: str) -> list[Message]:
    """Return messages whose first one, the system's, tells of the tools that may be called.

    Args:
        messages: In OpenAI's form.
        tool_use: The tools.
        form: What a call looks like.
    """
    if not tool_use.callable_tools:
        return messages
    text = _description(tool_use, form)
    if messages and messages[0]["role"] == "system":
        system = messages[0]
        return [system | {"content": f"{system['content']}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _description(tool_use: ToolUse, form: str) -> str:
    tools = [
        json.dumps(tool.to_template()["function"], ensure_ascii=False)
        for tool in tool_use.callable_tools
    ]
    when = (
        "Answer with a call of a tool."
        if tool_use.is_required
        else "Call a tool if it helps to answer; if not, answer in plain words."
    )
    several = "For several calls, write one behind the other, each in a line.\n"
    return _DESCRIPTION.format(
        tools="\n".join(tools), when=when, form=form, several=several * tool_use.is_parallel
    )
