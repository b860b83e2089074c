"""Servers as processes, and clients that ask them over HTTP."""

import pytest

from bench.client import ask, messages
from bench.process import running
from bench.servers import Sizes
from builder.errors import ToolError
from tests.bench.stub_server import TEXTS, stub_server

SIZES = Sizes(num_clients=2, n_ctx_per_client=512, n_threads=1)


def test_client_waits_until_the_server_is_ready_and_reads_its_stream() -> None:
    """Text, counts and one arrival for each piece of text come out, roles and usage do not."""
    heard: list[float] = []
    with running(stub_server(), SIZES) as process:
        answer = ask(process, messages("Hello."), 3, on_text=heard.append)
    assert answer.text == "".join(TEXTS)
    assert (answer.num_tokens, answer.num_prompt_tokens) == (3, 7)
    assert answer.arrivals == heard == sorted(heard)
    assert len(heard) == len(TEXTS)
    assert answer.sent < answer.arrivals[0] <= answer.ended


def test_server_that_ends_is_told_with_its_last_words() -> None:
    """Nobody waits ten minutes for a program that has ended."""
    with (
        pytest.raises(ToolError, match="stub ended with status 1") as caught,
        running(stub_server("--fail"), SIZES) as process,
    ):
        ask(process, messages("Hello."), 3)
    assert caught.value.hint == "It said: the model is missing"


def test_refusal_is_told_with_its_reason() -> None:
    """A status other than 503 ends the asking."""
    with (
        pytest.raises(ToolError, match="stub answered 400: too long"),
        running(stub_server(), SIZES) as process,
    ):
        ask(process, messages("refuse"), 3)


def test_memory_is_that_of_the_process() -> None:
    """A Python interpreter's figures are of the right order, and private is within total."""
    with running(stub_server(), SIZES) as process:
        ask(process, messages("Hello."), 3)
        memory = process.memory()
    assert 2 < memory.anonymous <= memory.private <= memory.total < 500


def test_llama_servers_context_is_that_of_all_clients() -> None:
    """It divides its context between the clients."""
    assert SIZES.n_ctx == 1024
