"""The server of a real solofile, asked by a real client."""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from tests.solofile import ServedSolofile

QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Name the capital of France."}
]
ENDLESS: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Count from 1 to 1000, one number a line."}
]


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> openai.OpenAI:
    """OpenAI's client, pointed at the solofile."""
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def test_a_chat_is_answered(client: openai.OpenAI) -> None:
    """A whole completion has text, a reason to stop and a count of tokens."""
    done = client.chat.completions.create(model="any", messages=QUESTION, temperature=0)
    assert "Paris" in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens


def test_a_chat_is_streamed(client: openai.OpenAI) -> None:
    """A stream brings the same text in pieces, then the reason, then the usage."""
    stream = client.chat.completions.create(
        model="any",
        messages=QUESTION,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "Paris" in "".join(texts)
    assert len([text for text in texts if text]) > 3
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


def test_a_known_prompt_is_not_computed_again(client: openai.OpenAI) -> None:
    """The second time, the prompt comes from the prefix cache, and the text is the same."""
    asked: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": "Name the capital of Japan."}
    ]

    def ask() -> tuple[str | None, int]:
        done = client.chat.completions.create(
            model="any",
            messages=asked,
            temperature=0,
            max_tokens=16,
        )
        assert done.usage is not None
        assert done.usage.prompt_tokens_details is not None
        return done.choices[0].message.content, done.usage.prompt_tokens_details.cached_tokens or 0

    first, second = ask(), ask()
    assert second[0] == first[0]
    assert second[1] > first[1]


def test_several_clients_at_once_get_what_one_gets(client: openai.OpenAI) -> None:
    """Six answers at once are, each, the answer it would be alone."""
    answers: dict[int, str] = {}

    def answer(number: int) -> None:
        done = client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": f"Write the number {number} as a word."}],
            temperature=0,
            max_tokens=12,
        )
        answers[number] = done.choices[0].message.content or ""

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(6))
    assert all(answers.values())


def test_stop_and_length_end_an_answer(client: openai.OpenAI) -> None:
    """A stop string is not part of the text; a limit ends with `length`."""
    stopped = client.chat.completions.create(
        model="any",
        messages=QUESTION,
        temperature=0,
        stop="Paris",
    )
    assert stopped.choices[0].finish_reason == "stop"
    assert "Paris" not in (stopped.choices[0].message.content or "")
    cut = client.chat.completions.create(
        model="any",
        messages=ENDLESS,
        max_tokens=3,
    )
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 3


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_come_with_every_token(client: openai.OpenAI, stream: bool) -> None:
    """Asked for, each token of the text comes with its likelihood and its rivals'."""
    answer = client.chat.completions.create(
        model="any",
        messages=QUESTION,
        temperature=0,
        max_tokens=6,
        logprobs=True,
        top_logprobs=2,
        stream=stream,
    )
    choices = (
        [answer.choices[0]]
        if isinstance(answer, ChatCompletion)
        else [chunk.choices[0] for chunk in answer if chunk.choices]
    )
    tokens = [
        token for choice in choices if choice.logprobs for token in choice.logprobs.content or []
    ]
    assert len(tokens) == 6
    assert all(token.top_logprobs[0].token == token.token for token in tokens)
    assert all(len(token.top_logprobs) == 2 for token in tokens)


def test_json_is_answered_where_it_is_asked_for(client: openai.OpenAI) -> None:
    """An answer under `response_format` is an object, as far as it goes."""
    done = client.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Describe Paris as JSON with name and country."}],
        temperature=0,
        max_tokens=200,
        response_format={"type": "json_object"},
    )
    text = done.choices[0].message.content or ""
    assert text.startswith("{")
    if done.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(text), dict)


def test_every_sampling_field_is_taken(client: openai.OpenAI) -> None:
    """llama-server's fields go through, and a seed repeats an answer."""
    extra = {"mirostat": 2, "logit_bias": [["Paris", False]], "samplers": "kt", "min_tokens": 4}

    def ask() -> str | None:
        done = client.chat.completions.create(
            model="any", messages=QUESTION, seed=5, max_tokens=12, extra_body=extra
        )
        return done.choices[0].message.content

    assert ask() == ask()


def test_models_lists_the_one_inside(client: openai.OpenAI) -> None:
    """`/v1/models` names the model."""
    assert [model.id for model in client.models.list()] == ["SmolLM2-135M-Instruct"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"messages": []}, openai.BadRequestError, "messages is empty"),
        ({"temperature": -1}, openai.BadRequestError, "temperature is -1"),
        ({"top_logprobs": 2}, openai.BadRequestError, "needs logprobs"),
        ({"extra_body": {"grammar": "root ::= missing"}}, openai.BadRequestError, "missing"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 3}}}},
            openai.BadRequestError,
            "the type 3 is unknown",
        ),
        ({"n": 17}, openai.BadRequestError, "must lie from 1 to 16"),
        (
            {"messages": [{"role": "user", "content": "word " * 9000}]},
            openai.BadRequestError,
            "the context holds",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image_url",
                                "image_url": {"url": "data:image/png;base64,AAAA"},
                            }
                        ],
                    }
                ]
            },
            openai.BadRequestError,
            "takes no images",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_bad_requests_say_what_is_wrong(
    client: openai.OpenAI,
    arguments: dict[str, object],
    error: type[openai.APIStatusError],
    message: str,
    stream: bool,
) -> None:
    """A request that cannot be done gets an error with a reason, streamed or not."""
    body = {"model": "any", "messages": QUESTION, "stream": stream} | arguments
    with pytest.raises(error, match=message):
        client.chat.completions.create(**body)  # type: ignore[call-overload]  # wrong on purpose


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of CPU time")
def test_a_client_that_leaves_stops_the_work(served: ServedSolofile, client: openai.OpenAI) -> None:
    """Once a client has gone, streaming or not, the processor rests soon."""
    stream = client.chat.completions.create(
        model="any",
        messages=ENDLESS,
        temperature=0,
        stream=True,
    )
    next(iter(stream))
    stream.close()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(
            model="any",
            messages=ENDLESS,
            temperature=0,
        )
    deadline = time.monotonic() + 10
    before = _cpu_seconds(served)
    spent = 1.0
    while spent >= 0.3:
        assert time.monotonic() < deadline, "it still computes"
        time.sleep(1)
        now = _cpu_seconds(served)
        before, spent = now, now - before


def test_health_is_truthful_while_loading(solofile: Path) -> None:
    """From the first connection on the answer is 503 or 200, and 200 stays."""
    running = ServedSolofile(solofile, "--port", "0")
    try:
        seen = [running.status("/health")]
        deadline = time.monotonic() + 60
        while seen[-1] != 200 and time.monotonic() < deadline:
            seen.append(running.status("/health"))
        assert set(seen) <= {200, 503}
        assert running.status("/health") == 200
        assert running.status("/") == 200
    finally:
        running.stop()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to consoles only")
def test_a_signal_ends_it_quickly(solofile: Path, tmp_path: Path) -> None:
    """While an answer streams, Ctrl-C ends it within 2 seconds and leaves no folder."""
    with ServedSolofile(solofile, "--port", "0", env={"TMPDIR": str(tmp_path)}) as running:
        client = openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0)
        stream = client.chat.completions.create(
            model="any",
            messages=ENDLESS,
            temperature=0,
            stream=True,
        )
        next(iter(stream))
        started = time.monotonic()
        assert running.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 2
        stream.close()
    assert list(tmp_path.iterdir()) == []


def test_a_taken_default_port_is_stepped_over(solofile: Path) -> None:
    """Two solofiles started alike serve at two ports."""
    with ServedSolofile(solofile) as first, ServedSolofile(solofile) as second:
        assert first.url != second.url


def test_settings_come_from_the_file_beside(solofile: Path, tmp_path: Path) -> None:
    """`NAME.toml` beside the solofile sets what no flag and no variable sets."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = tmp_path / "own"
    own.hardlink_to(solofile)
    (tmp_path / "own.toml").write_text(f"port = {port}\nctx-size = 512\n", encoding="utf-8")
    with ServedSolofile(own) as running:
        assert running.url.endswith(f":{port}")


def _cpu_seconds(served: ServedSolofile) -> float:
    fields = Path(f"/proc/{served.process.pid}/stat").read_text(encoding="utf-8").split()
    return (int(fields[13]) + int(fields[14])) / 100


def test_metrics_count_what_was_asked(served: ServedSolofile, client: openai.OpenAI) -> None:
    """An answer's tokens are in the metrics as soon as it is there."""
    before = served.metrics()
    done = client.chat.completions.create(
        model="any", messages=QUESTION, temperature=0, max_tokens=5
    )
    after = served.metrics()
    assert done.usage is not None
    generated = done.usage.completion_tokens
    name = "llamacpp:tokens_predicted_total"
    assert after[name] - before[name] == generated
    ended = 'solofile:requests_finished_total{reason="length"}'
    assert after[ended] - before[ended] == 1
    assert after["llamacpp:requests_processing"] == after["solofile:cells_running"] == 0
    assert 0 < after["solofile:cells_used"] <= after["solofile:cells"]


def test_a_client_that_goes_frees_its_cells(served: ServedSolofile, client: openai.OpenAI) -> None:
    """Closing a stream in the middle of an answer ends the work on it at once."""
    cancelled = 'solofile:requests_finished_total{reason="cancelled"}'
    before = served.metrics()
    stream = client.chat.completions.create(
        model="any", messages=ENDLESS, stream=True, extra_body={"ignore_eos": True}
    )
    for _ in range(4):
        next(stream)
    assert served.metrics()["llamacpp:requests_processing"] == 1
    stream.close()
    deadline = time.monotonic() + 10
    while (after := served.metrics())[cancelled] == before[cancelled]:
        assert time.monotonic() < deadline, "the engine did not hear of it"
        time.sleep(0.01)
    assert after["llamacpp:requests_processing"] == after["solofile:cells_running"] == 0
    assert after["llamacpp:tokens_predicted_total"] - before["llamacpp:tokens_predicted_total"] < 60


def test_a_busy_server_refuses_more(solofile: Path) -> None:
    """With nobody allowed to wait, a second request gets 503, and an overlong one what it has."""
    arguments = ("--port", "0", "-np", "1", "--max-queue", "0", "--timeout", "15")
    with ServedSolofile(solofile, *arguments) as busy:
        client = openai.OpenAI(base_url=f"{busy.url}/v1", api_key="none", max_retries=0)
        stream = client.chat.completions.create(
            model="any", messages=ENDLESS, stream=True, extra_body={"ignore_eos": True}
        )
        next(stream)
        with pytest.raises(openai.InternalServerError, match="--max-queue") as refused:
            client.chat.completions.create(model="any", messages=QUESTION)
        assert refused.value.status_code == 503
        assert refused.value.response.headers["retry-after"] == "1"
        started = time.monotonic()
        assert list(stream)[-1].choices[0].finish_reason == "length"
        assert time.monotonic() - started < 40
