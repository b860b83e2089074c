"""A solofile with a baked system prompt, over its API."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from builder.bake.prompt import BakeOptions
from builder.demo import demo_source
from builder.make import Order, make_solofile
from builder.report import Report
from builder.targets import host_target
from runtime.container import ALIGNMENT, Container
from runtime.errors import UsageError
from runtime.manifest import BakedFacts, read_manifest
from tests.solofile import ServedSolofile, run_solofile

SYSTEM = (
    "You answer for the harbour office. Ships dock from six to nine, and pay at gate two. " * 10
)


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return make_solofile(
        Order(
            source=demo_source(),
            target=host_target(),
            output=tmp_path_factory.mktemp("baked") / "harbour",
            defaults={"system_prompt": SYSTEM, "ctx_size": 2048},
            is_smoke_tested=False,
            bake=BakeOptions(has_system=True),
        )
    )


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def test_the_entry_is_aligned_and_told(baked: Report) -> None:
    """The manifest names it, the report tells its size, and `verify` finds nothing wrong."""
    path = Path(baked.path)
    with Container.open(path) as container:
        manifest = read_manifest(container)
        (facts,) = manifest.prompts
        assert manifest.baked == BakedFacts(has_system=True)
        assert container.entry(facts.name).offset % ALIGNMENT == 0
    (prompt,) = baked.prompts
    assert prompt.size == facts.size
    assert f"{prompt.tokens} tokens" in baked.as_text()
    assert run_solofile(path, "verify").returncode == 0


def test_the_first_request_of_each_dialect_finds_it(baked: Report) -> None:
    """No client computes the prompt, neither the first nor one of another dialect."""
    (prompt,) = baked.prompts
    messages = [{"role": "user", "content": "What is iron?"}]
    with ServedSolofile(Path(baked.path), "--port", "0") as server:
        chat = {"messages": messages, "max_tokens": 4}
        answer = _post(f"{server.url}/v1/chat/completions", chat)
        assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] >= prompt.tokens
        answer = _post(f"{server.url}/v1/messages", chat | {"model": "harbour"})
        assert answer["usage"]["cache_read_input_tokens"] >= prompt.tokens


def test_other_settings_compute_it(baked: Report) -> None:
    """One line of the log says so, and the answer comes."""
    run = run_solofile(
        Path(baked.path), "run", "-n", "4", "--temp", "0", "--cache-type-k", "q8_0", "What is iron?"
    )
    assert run.returncode == 0
    assert run.stdout.strip()
    assert run.stderr.count("computed anew") == 1


def test_no_system_prompt_is_an_error(tmp_path: Path) -> None:
    """One sentence, and no file."""
    order = Order(
        source=demo_source(),
        target=host_target(),
        output=tmp_path / "one",
        bake=BakeOptions(has_system=True),
    )
    with pytest.raises(UsageError, match="no system prompt to bake"):
        make_solofile(order)
    assert list(tmp_path.iterdir()) == []
