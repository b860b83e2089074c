"""llama-server's own API on a real solofile, asked as its users ask it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import openai

from tests.solofile import ServedSolofile, run_solofile


def _curl(served: ServedSolofile, path: str, body: Any) -> str:
    command = ["curl", "-sS", "-N", served.url + path, "-d", json.dumps(body)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_text_is_continued(served: ServedSolofile) -> None:
    """By llama-server's form and by OpenAI's, with the same text."""
    prompt = "The capital of France is"
    body = {"prompt": prompt, "n_predict": 4, "temperature": 0}
    native = json.loads(_curl(served, "/completion", body))
    assert (native["content"], native["stop_type"]) == (" Paris.\n\n", "limit")
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)
    done = client.completions.create(model="any", prompt=prompt, max_tokens=4, temperature=0)
    assert done.choices[0].text == native["content"]
    events = _curl(served, "/completion", body | {"stream": True}).split("\n\n")
    assert json.loads(events[-2].removeprefix("data: "))["stop"]


def test_tokens_and_prompts_are_told(served: ServedSolofile) -> None:
    """There and back."""
    tokens = json.loads(_curl(served, "/tokenize", {"content": "Hello, Wörld"}))["tokens"]
    assert json.loads(_curl(served, "/detokenize", {"tokens": tokens}))["content"] == "Hello, Wörld"
    messages = [{"role": "user", "content": "Hi"}]
    prompt = json.loads(_curl(served, "/apply-template", {"messages": messages}))["prompt"]
    assert prompt.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def test_a_command_line_for_llama_server_starts(solofile: Path) -> None:
    """With its flags; what cannot be done is one sentence."""
    flags = ["--port", "0", "-ngl", "99", "--jinja", "--no-webui", "--metrics", "-a", "tiny,other"]
    with ServedSolofile(solofile, *flags) as running:
        running.wait_until_ready()
        assert running.status("/v1/models/tiny") == 200
    refused = run_solofile(solofile, "-hf", "a/b")
    assert refused.returncode == 2
    assert "Nothing is downloaded here" in refused.stderr
