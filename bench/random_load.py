"""Random requests of every kind, good and bad, each with what a sound server must answer."""

import http.client
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 300
PATH = "/v1/chat/completions"
TOPICS = ("Rome", "the sea", "bread", "chess", "Mars", "rain", "iron", "bees", "trains", "tea")
YES_OR_NO = 'root ::= "yes" | "no"'
BAD_GRAMMAR = 'root ::= "yes" | missing'
MAX_TURNS = 6


@dataclass
class Tally:
    """What all clients saw, told from their threads."""

    num_answered: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, failure: str | None) -> None:
        """Count one request, and keep what was wrong with its answer."""
        with self._lock:
            self.num_answered[kind] += 1
            if failure is not None:
                self.failures.append(f"{kind}: {failure}")


class Client:
    """Asks one request after the other, of a kind drawn by chance.

    Args:
        url: The server's address.
        n_ctx: Its context, in tokens.
        seed: What decides the requests.
        tally: Where the outcome goes.
    """

    def __init__(self, url: str, n_ctx: int, seed: int, tally: Tally) -> None:
        self._address = urlsplit(url).netloc
        self._n_ctx = n_ctx
        self._chance = random.Random(seed)
        self._tally = tally
        self._history: list[dict[str, str]] = []
        self._kinds: list[Callable[[], str | None]] = [
            self._whole,
            self._stream,
            self._conversation,
            self._leave_a_stream,
            self._leave_at_once,
            self._stop_string,
            self._logprobs,
            self._grammar,
            self._bad_grammar,
            self._overlong,
            self._bad_body,
        ]

    def run(self, until: float) -> None:
        """Ask until `time.monotonic()` reaches `until`."""
        while time.monotonic() < until:
            kind = self._chance.choice(self._kinds)
            try:
                failure = kind()
            except Exception as error:  # A thread must not die silently: it is the outcome.
                failure = repr(error)
            self._tally.note(kind.__name__.strip("_"), failure)

    def _whole(self) -> str | None:
        max_tokens = self._chance.randint(1, 48)
        answer = self._ask(self._question(), max_tokens=max_tokens)
        usage, reason = answer["usage"], answer["choices"][0]["finish_reason"]
        if reason not in ("stop", "length") or usage["completion_tokens"] > max_tokens:
            return f"ended by {reason} after {usage['completion_tokens']} of {max_tokens} tokens"
        return None

    def _stream(self) -> str | None:
        with closing(self._connect()) as connection:
            lines = list(self._lines(connection, self._question(), max_tokens=24))
        if lines[-1] != "[DONE]":
            return f"the stream ended with {lines[-1]}"
        return None

    def _conversation(self) -> str | None:
        """Go on with this client's conversation, whose beginning the server may still have."""
        if len(self._history) >= 2 * MAX_TURNS:
            self._history.clear()
        self._history += self._question()
        answer = self._ask(self._history, max_tokens=24)
        self._history.append(answer["choices"][0]["message"])
        return None

    def _leave_a_stream(self) -> str | None:
        with closing(self._connect()) as connection:
            lines = self._lines(connection, self._question(), max_tokens=400, ignore_eos=True)
            for _ in range(self._chance.randint(1, 12)):
                next(lines)
        return None

    def _leave_at_once(self) -> str | None:
        """Send a request, or a part of one, and go before the answer."""
        body = self._body(self._question(), max_tokens=400)
        request = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        host, _, port = self._address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
            connection.sendall(request[: self._chance.randint(1, len(request))].encode())
            time.sleep(self._chance.random() / 5)
        return None

    def _stop_string(self) -> str | None:
        stop = self._chance.choice(["e", "the", ". ", "\n"])
        answer = self._ask(self._question(), max_tokens=40, stop=[stop, "zzz"])
        text = answer["choices"][0]["message"]["content"]
        return f"{stop!r} is in {text!r}" if stop in text else None

    def _logprobs(self) -> str | None:
        answer = self._ask(self._question(), max_tokens=6, logprobs=True, top_logprobs=3)
        choices = answer["choices"][0]["logprobs"]["content"]
        if not all(len(choice["top_logprobs"]) == 3 for choice in choices):
            return "a token without its three rivals"
        return None if len(choices) <= 6 else f"{len(choices)} tokens"

    def _grammar(self) -> str | None:
        answer = self._ask(self._question(), max_tokens=8, grammar=YES_OR_NO)
        text = answer["choices"][0]["message"]["content"]
        return None if text in ("yes", "no") else f"the grammar allows no {text!r}"

    def _bad_grammar(self) -> str | None:
        return self._refused("invalid_request_error", grammar=BAD_GRAMMAR)

    def _overlong(self) -> str | None:
        message = {"role": "user", "content": "word " * (self._n_ctx * 2)}
        return self._refused("exceed_context_size_error", messages=[message])

    def _bad_body(self) -> str | None:
        return self._refused("invalid_request_error", messages="none")

    def _question(self) -> list[dict[str, str]]:
        topic = self._chance.choice(TOPICS)
        length = self._chance.choice([0, 0, 0, 30, 150])
        return [{"role": "user", "content": "Consider. " * length + f"Tell me about {topic}."}]

    def _body(self, messages: Any, **fields: Any) -> str:
        sampling = self._chance.choice([{"temperature": 0}, {"seed": self._chance.randint(0, 99)}])
        return json.dumps({"messages": messages, **sampling, **fields})

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)

    def _ask(self, messages: list[dict[str, str]], **fields: Any) -> Any:
        """Return a whole answer, which must be one."""
        status, answer = self._post(self._body(messages, **fields))
        if status != 200:
            raise ValueError(f"{status}: {answer}")
        return answer

    def _refused(self, kind: str, **fields: Any) -> str | None:
        body = json.dumps({"messages": self._question(), "max_tokens": 4, **fields})
        status, answer = self._post(body)
        if status != 400 or answer["error"]["type"] != kind:
            return f"{status}: {answer}"
        return None

    def _post(self, body: str) -> tuple[int, Any]:
        with closing(self._connect()) as connection:
            connection.request("POST", PATH, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def _lines(
        self, connection: http.client.HTTPConnection, messages: Any, **fields: Any
    ) -> Iterator[str]:
        """Yield the data of a stream's events as they come."""
        connection.request("POST", PATH, self._body(messages, stream=True, **fields))
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"{response.status}: {response.read().decode()}")
        for line in response:
            if line.startswith(b"data: "):
                yield line[6:].decode().strip()
