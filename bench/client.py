"""One client: asks over HTTP for a streamed answer, and notes when each piece of text came."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import ToolError

if TYPE_CHECKING:
    from bench.process import Process

TIMEOUT_S = 600
POLL_S = 0.002
# Said in every request, or each server would take its own.
SYSTEM_PROMPT = "You are a helpful assistant."

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One streamed answer; times are of `time.monotonic`, in seconds.

    Args:
        sent: When the request was sent.
        arrivals: When each piece of text arrived.
        ended: When the stream ended.
        text: The whole text.
        num_tokens: How many tokens were generated.
        num_prompt_tokens: The prompt's length; 0 where the server does not tell.
        logprobs: What the server tells of each token, where that was asked for.
        timings: What llama-server's `timings` say, where the server sends them.
    """

    sent: float
    arrivals: list[float]
    ended: float
    text: str
    num_tokens: int
    num_prompt_tokens: int
    logprobs: list[dict[str, Any]]
    timings: dict[str, float]

    @property
    def first_text_s(self) -> float:
        """Seconds from the request to the first text."""
        return self.arrivals[0] - self.sent


def messages(prompt: str, system_prompt: str = SYSTEM_PROMPT) -> Messages:
    """Return a conversation's beginning."""
    return [
        {"role": "system", "content": system_prompt},
        {"role": "user", "content": prompt},
    ]


def ask(
    process: "Process",
    conversation: Messages,
    max_tokens: int,
    *,
    on_text: Callable[[float], None] | None = None,
    **fields: Any,
) -> Answer:
    """Ask greedily for exactly `max_tokens`, waiting until the server is ready.

    Args:
        process: The server.
        conversation: What to answer.
        max_tokens: Tokens to generate; the model cannot end before.
        on_text: Told the time of each piece of text as it comes.
        fields: More fields of the request.

    Raises:
        ToolError: The server ended, refused, or did not answer in time.
    """
    body = process.server.endless | {
        "messages": conversation,
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    connection, response, sent = _connect(process, json.dumps(body | fields))
    lines: list[tuple[float, bytes]] = []
    try:
        with closing(connection):
            # Parsed at the end: it would take time from the server, which shares the processor.
            for line in response:
                if line.startswith(b"data: {"):
                    lines.append((time.monotonic(), line))
                    if on_text and b'"content"' in line:
                        on_text(lines[-1][0])
    except (OSError, http.client.HTTPException) as error:
        process.check()
        raise ToolError(f"{process.server.name} broke an answer off: {error}.") from error
    return _read(process, sent, lines)


def _connect(
    process: "Process", body: str
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse, float]:
    """Send the request, again and again while the server is starting."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=TIMEOUT_S)
        sent = time.monotonic()
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            response = connection.getresponse()
            if response.status == 200:
                return connection, response, sent
            if response.status != 503:
                reason = response.read().decode(errors="replace")[:300]
                raise ToolError(f"{process.server.name} answered {response.status}: {reason}")
        except (ConnectionError, http.client.HTTPException):
            pass
        except TimeoutError:
            break
        connection.close()
        process.check()
        time.sleep(POLL_S)
    raise ToolError(f"{process.server.name} did not answer within {TIMEOUT_S} s.")


def _read(process: "Process", sent: float, lines: list[tuple[float, bytes]]) -> Answer:
    arrivals: list[float] = []
    texts: list[str] = []
    logprobs: list[dict[str, Any]] = []
    usage: dict[str, int] = {}
    timings: dict[str, float] = {}
    for arrived, line in lines:
        event = json.loads(line[6:])
        if "error" in event:
            raise ToolError(f"{process.server.name} failed: {event['error']}.")
        usage = event.get("usage") or usage
        timings = event.get("timings") or timings
        for choice in event["choices"]:
            logprobs += (choice.get("logprobs") or {}).get("content") or []
            if text := choice["delta"].get("content"):
                texts.append(text)
                arrivals.append(arrived)
    if not arrivals:
        raise ToolError(f"{process.server.name} ended an answer without text.")
    return Answer(
        sent=sent,
        arrivals=arrivals,
        ended=lines[-1][0],
        text="".join(texts),
        num_tokens=usage.get("completion_tokens", len(arrivals)),
        num_prompt_tokens=usage.get("prompt_tokens", 0),
        logprobs=logprobs,
        timings=timings,
    )
