"""Tests of `/props`, with the real model."""

from starlette.testclient import TestClient


def test_the_server_tells_of_itself(http: TestClient) -> None:
    """Its defaults, its model and its template, and no folder of this machine."""
    told = http.get("/props").json()
    settings = told["default_generation_settings"]
    assert settings["n_ctx"] == 1024
    assert (settings["params"]["temperature"], settings["params"]["n_predict"]) == (0.8, 100)
    assert (told["total_slots"], told["model_ftype"]) == (4, "Q4_1")
    assert (told["bos_token"], told["eos_token"]) == ("<|im_start|>", "<|im_end|>")
    assert "for message in messages" in told["chat_template"]
    assert "/" not in told["model_path"]


def test_properties_do_not_change(http: TestClient) -> None:
    """As with llama-server unless it was started for that."""
    answer = http.post("/props", json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (501, "not_supported_error")
