"""Tests of `/slots`, with the real model."""

import queue

import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.engine.sequence import Event, GenerationRequest, TextDelta


def test_idle_slots_are_told(http: TestClient) -> None:
    """One for each request that may run."""
    listed = http.get("/slots", params={"fail_on_no_slot": "1"}).json()
    assert [slot["id"] for slot in listed] == [0, 1, 2, 3]
    assert listed[0] == {
        "id": 0,
        "n_ctx": 1024,
        "speculative": False,
        "is_processing": False,
    }


def test_running_requests_are_told(http: TestClient, engine: Engine) -> None:
    """With their counts and settings, and without their texts; when all run, that is told."""
    prompt = engine.model.tokenize("Count to a thousand:", add_special=True, parse_special=True)
    events: queue.Queue[Event] = queue.Queue()
    request = GenerationRequest(prompt, max_tokens=400)
    running = [engine.submit(request, events.put) for _ in range(4)]
    try:
        assert isinstance(events.get(timeout=60), TextDelta)
        while len(engine.running()) < 4:
            assert isinstance(events.get(timeout=60), TextDelta)
        first = http.get("/slots").json()[0]
        refused = http.get("/slots", params={"fail_on_no_slot": "1"})
    finally:
        for sequence in running:
            engine.cancel(sequence)
    assert first["is_processing"]
    assert first["n_prompt_tokens"] == len(prompt)
    assert first["params"]["n_predict"] == 400
    decoded = first["next_token"][0]
    assert decoded["n_remain"] == 400 - decoded["n_decoded"]
    assert "Count" not in str(first)
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, "no slot available")


@pytest.mark.parametrize("action", ["save", "restore", "erase"])
def test_slots_are_not_changed(http: TestClient, action: str) -> None:
    """The answer says what does the same."""
    answer = http.post(f"/slots/0?action={action}", json={"filename": "x"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (501, "not_supported_error")
    assert "--prompt-cache" in answer.json()["error"]["message"]
