"""A real solofile against bad clients, open networks and signals."""

import json
import signal
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.certificate import make_certificate
from tests.solofile import ServedSolofile, run_solofile

KEY = "k3y-that-nobody-may-see"
PROMPT = "A sentence for nobody else"
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": PROMPT}]
BODY = json.dumps({"messages": MESSAGES, "max_tokens": 4}).encode()
CHAT = "/v1/chat/completions"


def _ask(
    served: ServedSolofile, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Return the status, headers and JSON of an answer; a body makes it a POST."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(served.url + path, body, named)
    try:
        with urllib.request.urlopen(request, timeout=30, context=served.tls) as response:
            return response.status, dict(response.headers), json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read())


@pytest.fixture
def clients() -> Iterator["Clients"]:
    """OpenAI's clients, closed at the end."""
    clients = Clients()
    yield clients
    for one in clients.opened:
        one.close()


class Clients:
    """Makes clients of servers that come and go."""

    def __init__(self) -> None:
        self.opened: list[openai.OpenAI] = []

    def of(self, served: ServedSolofile, key: str = "none") -> openai.OpenAI:
        client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0)
        self.opened.append(client)
        return client

    def stream(self, served: ServedSolofile, max_tokens: int) -> "openai.Stream[Any]":
        """Begin an answer of just so many tokens and take the first."""
        stream = self.of(served).chat.completions.create(
            model="any",
            messages=MESSAGES,
            max_tokens=max_tokens,
            stream=True,
            extra_body={"ignore_eos": True},
        )
        next(iter(stream))
        return stream


def _connect(served: ServedSolofile) -> socket.socket:
    port = urllib.parse.urlsplit(served.url).port
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def test_keys_names_and_pages(clients: Clients, solofile: Path, tmp_path: Path) -> None:
    """Who has no key, calls us by a foreign name or asks from a foreign page is refused.

    The log tells of all of them, and of no key and no prompt.
    """
    keys, log = tmp_path / "keys", tmp_path / "log"
    keys.write_text(f"# ours\n{KEY}\n", encoding="utf-8")
    arguments = ("--port", "0", "--api-key-file", str(keys), "--log-file", str(log))
    with ServedSolofile(solofile, *arguments, "--log-format", "json", "-v") as served:
        assert _ask(served, CHAT, BODY)[0] == 401
        assert _ask(served, "/v1/models")[2]["error"]["type"] == "authentication_error"
        assert _ask(served, "/v1/messages", BODY)[2]["type"] == "error"
        assert served.status("/") == served.status("/page/app.js") == 200
        with pytest.raises(openai.AuthenticationError):
            clients.of(served, "wrong").models.list()
        client = clients.of(served, KEY)
        done = client.chat.completions.create(
            model="any", messages=MESSAGES, max_tokens=4, extra_headers={"X-Request-Id": "mine-1"}
        )
        assert done._request_id == "mine-1"
        assert _ask(served, "/v1/models", x_api_key=KEY)[0] == 200
        assert _ask(served, "/health", host="evil.example")[0] == 403
        foreign = {"origin": "https://evil.example", "x_api_key": KEY}
        assert _ask(served, CHAT, BODY, **foreign)[2]["error"]["type"] == "permission_error"
        assert _ask(served, CHAT, BODY, origin=served.url, x_api_key=KEY)[0] == 200
    written = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    mine = next(line for line in lines if line.get("request_id") == "mine-1")
    assert (mine["method"], mine["path"], mine["status"]) == ("POST", CHAT, 200)
    assert mine["completion_tokens"] == 4
    assert {401, 200, 403} <= {line.get("status") for line in lines}
    assert PROMPT not in written
    assert KEY not in written


def test_https(solofile: Path, tmp_path: Path) -> None:
    """With a certificate the address is HTTPS, and plain HTTP gets no answer."""
    pair = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=pair.certificate)
    files = ("--ssl-cert-file", str(pair.certificate), "--ssl-key-file", str(pair.key))
    with ServedSolofile(solofile, "--port", "0", *files, tls=trusting) as served:
        assert served.url.startswith("https://127.0.0.1:")
        status, _, answer = _ask(served, CHAT, BODY)
        assert (status, answer["object"]) == (200, "chat.completion")
        with _connect(served) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP" not in plain.recv(1000)
        assert served.status("/health") == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--api-key-file", "nowhere"), "--api-key-file cannot read nowhere: No such file"),
        (("--ssl-cert-file", "nowhere"), "TLS needs both"),
        (("--ssl-cert-file", "nowhere", "--ssl-key-file", "nowhere"), "TLS cannot use nowhere"),
        (("--max-connections", "0"), "--max-connections must be at least 1"),
        (("--log-file", "/"), "--log-file cannot write /: Is a directory"),
        (("--log-format", "xml"), "--log-format is 'xml'"),
        (("--sandbox", "maybe"), "--sandbox is 'maybe'. It is auto, on, off."),
    ],
)
def test_unusable_settings_are_told(solofile: Path, arguments: tuple[str, ...], words: str) -> None:
    """In one sentence, with the exit code of wrong usage."""
    ended = run_solofile(solofile, *arguments, "--port", "0", "--no-browser")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("key", "warns"), [((), True), (("--api-key", KEY), False)])
def test_an_open_address_without_a_key_is_warned_of(
    solofile: Path, tmp_path: Path, key: tuple[str, ...], warns: bool
) -> None:
    """On stderr, at the start; a request by the address is taken."""
    said = tmp_path / "stderr"
    with (
        said.open("wb") as stderr,
        ServedSolofile(solofile, "--port", "0", "--host", "0.0.0.0", *key, stderr=stderr) as served,
    ):
        assert served.status("/health") == 200
    assert ("WARNING" in said.read_text(encoding="utf-8")) is warns
    assert KEY not in said.read_text(encoding="utf-8")


def test_sigterm_lets_answers_finish(clients: Clients, solofile: Path) -> None:
    """New requests get 503, `/health` too; the answer comes whole, then the server ends."""
    with ServedSolofile(solofile, "--port", "0", "-t", "1", "--drain-timeout", "50") as served:
        stream = clients.stream(served, 150)
        served.process.send_signal(signal.SIGTERM)
        while served.status("/health") == 200:
            time.sleep(0.01)
        status, headers, answer = _ask(served, "/health")
        assert (status, answer["error"]["type"]) == (503, "unavailable_error")
        assert headers["retry-after"] == "1"
        assert _ask(served, CHAT, BODY)[0] == 503
        assert list(stream)[-1].choices[0].finish_reason == "length"
        finished = time.monotonic()
        assert served.wait() == 0
        assert time.monotonic() - finished < 20


@pytest.mark.parametrize(
    ("timeout_s", "signals"),
    [("1", [signal.SIGTERM]), ("60", [signal.SIGTERM, signal.SIGTERM]), ("60", [signal.SIGINT])],
)
def test_the_wait_has_an_end(
    clients: Clients, solofile: Path, timeout_s: str, signals: list[signal.Signals]
) -> None:
    """After `--drain-timeout`, by a second signal, or by Ctrl-C at once."""
    with ServedSolofile(solofile, "--port", "0", "--drain-timeout", timeout_s) as served:
        stream = clients.stream(served, 3000)
        started = time.monotonic()
        for number in signals:
            served.process.send_signal(number)
            time.sleep(0.3)
        assert served.wait() == 0
        assert time.monotonic() - started < 20
        stream.close()


def test_slow_clients_and_many_connections(solofile: Path) -> None:
    """Heads and bodies that trickle hold every place for 10 seconds, and no longer."""
    with ServedSolofile(solofile, "--port", "0", "--max-connections", "10") as served:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n".encode()
        slow = [_connect(served) for _ in range(10)]
        for number, one in enumerate(slow):
            one.sendall(head + b"\r\n{" if number % 2 else head)
        time.sleep(0.3)
        started = time.monotonic()
        status, headers, _ = _ask(served, "/health")
        assert (status, headers["retry-after"]) == (503, "1")
        ends = threading.Event()
        feeder = threading.Thread(target=_trickle, args=(slow, ends))
        feeder.start()
        while _status_or_none(served) != 200:
            assert time.monotonic() - started < 40, "they still hold their places"
            time.sleep(0.2)
        assert time.monotonic() - started > 5
        ends.set()
        feeder.join()
        assert all(b" 408 " in one.recv(4096) for one in slow)
        for one in slow:
            one.close()
        assert _ask(served, CHAT, BODY)[0] == 200


def _trickle(clients: list[socket.socket], ends: threading.Event) -> None:
    """Send a byte on each connection twice a second."""
    while not ends.wait(0.5):
        for one in clients:
            try:
                one.sendall(b"x")
            except OSError:
                continue


def _status_or_none(served: ServedSolofile) -> int | None:
    try:
        return served.status("/health")
    except OSError:
        return None


def test_large_bodies_and_strange_requests(served: ServedSolofile) -> None:
    """They are refused by their kind, and the server goes on."""
    with _connect(served) as client:
        client.sendall(
            f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n".encode()
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 413")
    with _connect(served) as client:
        client.sendall(b"nonsense\r\n\r\n")
        answer = client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"invalid_request_error" in answer
    many = {"messages": [{"role": "user", "content": "x"}] * 10_001}
    status, _, answer = _ask(served, CHAT, json.dumps(many).encode())
    assert (status, "10001 messages" in answer["error"]["message"]) == (400, True)
    assert _ask(served, CHAT, BODY)[0] == 200


@pytest.mark.parametrize("caches", [False, True])
def test_killed_and_started_again(
    clients: Clients, solofile: Path, tmp_path: Path, caches: bool
) -> None:
    """A server that was killed in the middle of an answer starts again and answers the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["--port", str(port), "-c", "1024"]
    if caches:
        arguments += ["--prompt-cache", str(tmp_path / "prompts")]
    environment = {"TMPDIR": str(tmp_path)}
    answers = []
    for _ in range(2):
        with ServedSolofile(solofile, *arguments, env=environment) as served:
            done = clients.of(served).chat.completions.create(
                model="any", messages=MESSAGES, max_tokens=8, temperature=0
            )
            answers.append(done.choices[0].message.content)
            clients.stream(served, 900)
            served.stop(signal.SIGKILL)
    with ServedSolofile(solofile, *arguments, env=environment) as served:
        done = clients.of(served).chat.completions.create(
            model="any", messages=MESSAGES, max_tokens=8, temperature=0
        )
        answers.append(done.choices[0].message.content)
    assert len(set(answers)) == 1
    assert [path.name for path in tmp_path.iterdir()] == (["prompts"] if caches else [])
