"""A real solofile that someone double-clicks: start, second start, end, and what goes wrong."""

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from runtime.container import Container
from runtime.sandbox.sandbox import possible_here
from tests.desktop import TIMEOUT_S, Desktop, wait_until_ready
from tests.solofile import run_solofile

# The least that tells an end for want of use from one for other reasons.
IDLE_S = 2.0


@pytest.fixture
def own(solofile: Path, tmp_path: Path) -> Path:
    """The demo's solofile in a folder of its own, beside which settings may lie."""
    path = tmp_path / "A model"
    path.hardlink_to(solofile)
    return path


def test_the_page_opens_and_shows_the_loading(desktop: Desktop, own: Path) -> None:
    """The browser is told of an address at once, and page and health answer there."""
    desktop.double_click(own)
    url = desktop.wait_for_page()
    health = httpx.get(f"{url}/health")
    assert health.status_code in (200, 503)
    page = httpx.get(f"{url}/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert 'id="quit"' in page.text
    wait_until_ready(url)


def test_a_second_double_click_opens_the_page_that_is_there(desktop: Desktop, own: Path) -> None:
    """It tells the browser the same address and ends; so does one that comes at once."""
    both = [desktop.double_click(own), desktop.double_click(own)]
    url = desktop.wait_for_page(2)
    deadline = time.monotonic() + TIMEOUT_S
    while all(process.poll() is None for process in both):
        assert time.monotonic() < deadline, "both run"
        time.sleep(0.02)
    assert sorted(str(process.poll()) for process in both) == ["0", "None"]
    wait_until_ready(url)
    assert desktop.double_click(own).wait(TIMEOUT_S) == 0
    assert desktop.opened() == [f"{url}/"] * 3


def test_another_solofile_has_a_server_of_its_own(
    desktop: Desktop, own: Path, solofile: Path
) -> None:
    """The default port is taken by the first, so the second takes the next one that is free."""
    desktop.double_click(own)
    first = desktop.wait_for_page(1)
    desktop.double_click(solofile)
    assert desktop.wait_for_page(2) != first


def test_what_a_killed_process_left_misleads_nobody(desktop: Desktop, own: Path) -> None:
    """After `kill -9` the next double click starts a server."""
    killed = desktop.double_click(own)
    desktop.wait_for_page(1)
    killed.send_signal(signal.SIGKILL)
    killed.wait(TIMEOUT_S)
    desktop.double_click(own)
    wait_until_ready(desktop.wait_for_page(2))


def test_nobody_need_listen_to_what_it_says(desktop: Desktop, own: Path) -> None:
    """Where the desktop has closed its output, it serves all the same, and ends with 0."""
    read, write = os.pipe()
    os.close(read)
    process = desktop.double_click(own, output=write)
    os.close(write)
    url = desktop.wait_for_page()
    wait_until_ready(url)
    assert httpx.post(f"{url}/page/quit").status_code == 200
    assert process.wait(TIMEOUT_S) == 0


def test_quit_ends_it(desktop: Desktop, own: Path) -> None:
    """The page's wish ends the process with 0, held pages notwithstanding; a foreign one's not."""
    process = desktop.double_click(own)
    url = desktop.wait_for_page()
    wait_until_ready(url)
    for origin in ("http://example.org", "http://127.0.0.1:1", "null"):
        assert httpx.post(f"{url}/page/quit", headers={"Origin": origin}).status_code == 403
    with httpx.stream("GET", f"{url}/page/presence") as held:
        assert held.status_code == 200
        assert httpx.post(f"{url}/page/quit", headers={"Origin": url}).status_code == 200
        started = time.monotonic()
        assert process.wait(TIMEOUT_S) == 0
        assert time.monotonic() - started < 20


def test_it_ends_some_time_after_the_last_page(desktop: Desktop, own: Path) -> None:
    """It runs while a page is open or requests come, and ends when none does."""
    process = desktop.double_click(own, SOLOFILE_IDLE_EXIT=str(int(IDLE_S)))
    url = desktop.wait_for_page()
    with httpx.stream("GET", f"{url}/page/presence"):
        time.sleep(2 * IDLE_S)
        assert process.poll() is None
    for _ in range(4):
        time.sleep(IDLE_S / 2)
        assert httpx.get(f"{url}/health").status_code == 200
    started = time.monotonic()
    assert process.wait(TIMEOUT_S) == 0
    assert IDLE_S - 0.5 < time.monotonic() - started < IDLE_S + 15


def test_a_wrong_setting_is_told_on_a_page(desktop: Desktop, own: Path) -> None:
    """A failed start opens a page with the reason and the way out, and then ends."""
    own.with_name("A model.toml").write_text("ctx-sice = 4096\n", encoding="utf-8")
    process = desktop.double_click(own)
    page = httpx.get(f"{desktop.wait_for_page()}/")
    assert "A model could not start" in page.text
    assert "ctx-sice, which is no setting" in page.text
    assert "The settings are" in page.text
    assert process.wait(TIMEOUT_S) == 2


def test_what_fails_in_the_sandbox_is_told_on_a_page(desktop: Desktop, own: Path) -> None:
    """Where no socket can be made any more and no browser started, a thread outside does both."""
    own.with_name("A model.toml").write_text("parallel = 0\n", encoding="utf-8")
    process = desktop.double_click(own)
    assert "parallel is 0, and must lie" in httpx.get(f"{desktop.wait_for_page()}/").text
    assert process.wait(TIMEOUT_S) == 2


def test_all_threads_end_up_in_the_sandbox(desktop: Desktop, own: Path) -> None:
    """The one that started the browser was outside, and is gone once the model is loaded."""
    if possible_here().programs != "on":
        pytest.skip("this kernel has no seccomp")
    process = desktop.double_click(own)
    url = desktop.wait_for_page()
    wait_until_ready(url)
    deadline = time.monotonic() + TIMEOUT_S
    while _threads_outside(process.pid):
        assert time.monotonic() < deadline, "a thread stays outside"
        time.sleep(0.02)
    assert set(httpx.get(f"{url}/props").json()["sandbox"].values()) == {"on"}


def _threads_outside(pid: int) -> int:
    """Return how many threads of a process have no filter of system calls."""
    texts = [task.read_text("utf-8") for task in Path(f"/proc/{pid}/task").glob("*/status")]
    assert texts, "it runs"
    return sum("Seccomp:\t2\n" not in text for text in texts)


def test_a_taken_port_that_was_asked_for_is_told_on_a_page(desktop: Desktop, own: Path) -> None:
    """A port that a settings file names is never changed in silence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        own.with_name("A model.toml").write_text(f"port = {port}\n", encoding="utf-8")
        desktop.double_click(own)
        assert f"Port {port} is taken" in httpx.get(f"{desktop.wait_for_page()}/").text


def test_weights_that_cannot_be_loaded_are_told_on_the_page(
    desktop: Desktop, solofile: Path, tmp_path: Path
) -> None:
    """The page that is open already says why; the next double click tries again."""
    broken = tmp_path / "broken"
    shutil.copy(solofile, broken)
    with Container.open(broken) as container:
        weights = next(e for e in container.entries.values() if e.name.endswith(".gguf"))
    with broken.open("r+b") as file:
        file.seek(weights.offset)
        file.write(b"GONE")
    process = desktop.double_click(broken, SOLOFILE_IDLE_EXIT="2")
    url = desktop.wait_for_page()
    deadline = time.monotonic() + TIMEOUT_S
    while (health := httpx.get(f"{url}/health")).status_code == 503:
        assert time.monotonic() < deadline, "it never failed"
    assert health.status_code == 500
    assert str(broken) in json.loads(health.text)["error"]["message"]
    assert httpx.get(f"{url}/").status_code == 200
    desktop.double_click(broken)
    assert desktop.wait_for_page(2) != url
    assert process.wait(TIMEOUT_S) == 3


def test_a_negative_time_is_refused(solofile: Path) -> None:
    """There is nothing that it could mean."""
    done = run_solofile(solofile, "--port", "0", "--idle-exit", "-1")
    assert (done.returncode, done.stderr) == (2, "Error: --idle-exit must not be below 0.\n")
