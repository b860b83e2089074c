"""Downloads over a bad network: each ends well or in one sentence, and no byte comes twice."""

import hashlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from builder.errors import DiskError, SourceError
from builder.pack import damaged
from builder.sources import patience
from builder.sources.hub import HubModel
from tests.builder.fake_hub import COMMIT, FakeHub, Fault, Repository, serving
from tests.certificate import make_certificate

NAME = "acme/Tiny-GGUF"
FILE = "Tiny-Q4_K_M.gguf"
GET = f"GET /{NAME}/resolve/{COMMIT}/{FILE}"
ROOT = Path(__file__).parents[3]
FETCH = f"""
import sys
from builder.__main__ import main
from builder.cli import build
from builder.sources.hub import HubModel
build.build.callback = lambda **options: print(HubModel({NAME!r}).fetch().files[0].path)
sys.argv = ["solofile", "build", "x"]
main()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are a hundredth of what they are."""
    monkeypatch.setattr(patience, "WAITS_S", tuple(wait / 100 for wait in patience.WAITS_S))


@pytest.fixture
def content(repository: Repository) -> bytes:
    """The file that is fetched, of three megabytes."""
    repository.files[FILE] += random.Random(1).randbytes(3_000_000)
    del repository.files["LICENSE"], repository.files["README.md"]
    return repository.files[FILE]


def ranges(hub: FakeHub) -> list[str]:
    """Return where each answer with the file began."""
    return [line.removeprefix(GET).strip() for line in hub.requests if line.startswith(GET)]


def left_overs() -> list[Path]:
    return list(Path(constants.HF_HUB_CACHE).rglob("*.incomplete"))


def fetched() -> bytes:
    return HubModel(NAME).fetch().files[0].path.read_bytes()


def environment(hub: FakeHub, tmp_path: Path, **more: str) -> dict[str, str]:
    """Return what a program of its own needs to talk to the hub."""
    own = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub"), "PYTHONPATH": str(ROOT)}
    return os.environ | own | {"SOLOFILE_CACHE": str(tmp_path / "cache")} | more


def run_fetch(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FETCH]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_cut_connection(hub: FakeHub, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """A connection that breaks at 37 % is taken up at the very byte where it broke."""
    hub.faults = [Fault(GET, sent_share=0.37)]
    assert fetched() == content
    cut = int(len(content) * 0.37)
    assert ranges(hub) == ["", f"bytes={cut}-"]
    assert hub.num_bytes == len(content)
    assert "The connection to the hub broke off; trying again in" in capsys.readouterr().err
    assert left_overs() == []


def test_a_connection_that_is_cut_again_and_again(hub: FakeHub, content: bytes) -> None:
    """As long as something comes, it goes on."""
    hub.faults = [Fault(GET, sent_share=share / 10) for share in range(1, 10)]
    assert fetched() == content
    assert len(ranges(hub)) == 10
    assert hub.num_bytes == len(content)


def test_a_run_that_gives_up(
    hub: FakeHub, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing comes any more, the run ends with a sentence; the next goes on."""
    hub.faults = [Fault(GET, sent_share=0.37) for _ in range(5)]
    with pytest.raises(SourceError, match="The connection to the hub broke off") as caught:
        fetched()
    assert "goes on where it stopped" in caught.value.hint
    assert len(ranges(hub)) == 5
    assert fetched() == content
    assert f"Going on with {FILE} at 1.1 MB." in capsys.readouterr().err
    assert hub.num_bytes == len(content)
    assert left_overs() == []


def test_a_killed_run(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """After SIGKILL, only what came since is fetched."""
    hub.faults = [Fault(GET, sent_share=0.5, is_silent=True)]
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH],
        env=environment(hub, tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        part_is(tmp_path, len(content) // 2)
        process.kill()
    assert fetched() == content
    assert hub.num_bytes == len(content)
    assert left_overs() == []


def part_is(tmp_path: Path, size: int) -> None:
    """Wait until a partial file has some size."""
    deadline = time.monotonic() + 20
    while [path.stat().st_size for path in tmp_path.rglob("*.incomplete")] != [size]:
        assert time.monotonic() < deadline, "the download is under way"
        time.sleep(0.02)


def test_ctrl_c(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """Even while the hub is silent, it ends at once with the shells' code and no traceback."""
    hub.faults = [Fault(GET, sent_share=0.5, is_silent=True)]
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH],
        env=environment(hub, tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        part_is(tmp_path, len(content) // 2)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert time.monotonic() - begin < 5
    assert said.endswith("Error: Interrupted.\n")
    assert "Traceback" not in said
    assert fetched() == content
    assert hub.num_bytes == len(content)


def test_another_digest(hub: FakeHub, content: bytes) -> None:
    """What is not the promised file is thrown away, and the next run fetches it anew."""
    hub.faults = [Fault(GET, is_altered=True)]
    with pytest.raises(SourceError, match=f"{FILE} did not come as the hub describes it"):
        fetched()
    assert left_overs() == []
    assert not list(Path(constants.HF_HUB_CACHE).rglob("*.gguf"))
    assert fetched() == content


def test_a_damaged_part(hub: FakeHub, content: bytes) -> None:
    """A partial file with other bytes is found out by the digest of the whole."""
    blob = Path(constants.HF_HUB_CACHE, "models--acme--Tiny-GGUF", "blobs")
    blob.mkdir(parents=True)
    part = blob / f"{hashlib.sha256(content).hexdigest()}.incomplete"
    part.write_bytes(bytes(1000))
    with pytest.raises(SourceError, match="its digest is another"):
        fetched()
    assert fetched() == content


@pytest.mark.parametrize("size", [0, 30_000_000])
def test_a_part_that_cannot_be_one(hub: FakeHub, content: bytes, size: int) -> None:
    """One that is longer than the file, or empty, is begun anew."""
    blob = Path(constants.HF_HUB_CACHE, "models--acme--Tiny-GGUF", "blobs")
    blob.mkdir(parents=True)
    (blob / f"{hashlib.sha256(content).hexdigest()}.incomplete").write_bytes(bytes(size))
    assert fetched() == content
    assert ranges(hub) == [""]


def test_a_server_without_ranges(hub: FakeHub, content: bytes) -> None:
    """One that sends all again is read from the beginning."""
    hub.faults = [Fault(GET, sent_share=0.37), Fault(GET, ignores_range=True)]
    assert fetched() == content


def test_a_cached_file_of_another_size(hub: FakeHub, content: bytes) -> None:
    """What lost its end in a crash is fetched anew."""
    path = HubModel(NAME).fetch().files[0].path
    path.resolve().write_bytes(content[:1000])
    assert fetched() == content


def test_a_cached_file_with_other_bytes(hub: FakeHub, content: bytes) -> None:
    """Packing finds it out and tells what to delete; then it is fetched anew."""
    path = HubModel(NAME).fetch().files[0].path
    path.resolve().write_bytes(bytes(len(content)))
    hint = damaged(path).hint
    assert str(path.resolve()) in hint
    path.resolve().unlink()
    assert fetched() == content


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
@pytest.mark.parametrize("request_", [f"GET /api/models/{NAME}", f"HEAD /{NAME}", GET])
def test_twice_busy_then_good(hub: FakeHub, content: bytes, request_: str, status: int) -> None:
    """A hub that is busy for a moment is asked again, whatever it was asked for."""
    hub.faults = [Fault(request_, status=status), Fault(request_, status=status)]
    assert fetched() == content
    assert hub.faults == []
    assert hub.num_bytes == len(content)


@pytest.mark.parametrize("status", [500, 503])
def test_a_hub_in_trouble(hub: FakeHub, status: int) -> None:
    """One that stays busy is given up, with its number."""
    hub.status = status
    with pytest.raises(SourceError, match=f"The hub answered {status} "):
        HubModel(NAME).resolve()
    assert len(hub.requests) == 1 + len(patience.WAITS_S)


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "1"}, {"RateLimit": '"api";r=0;t=0'}], ids=["plain", "hub"]
)
def test_asked_to_wait(
    hub: FakeHub, content: bytes, headers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits as long as the hub asks for, and says so."""
    hub.faults = [Fault(GET, status=429, headers=headers)]
    begin = time.monotonic()
    assert fetched() == content
    assert time.monotonic() - begin > 1
    assert "The hub is busy (429); trying again in 1.0 s." in capsys.readouterr().err


@pytest.mark.usefixtures("content")
def test_asked_to_wait_too_long(hub: FakeHub) -> None:
    """It does not wait for an hour, and says when to come back."""
    hub.faults = [Fault(GET, status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(SourceError, match="it was asked too often from here") as caught:
        fetched()
    assert "in 60 min 0 s" in caught.value.hint


@pytest.mark.usefixtures("content")
def test_a_refused_file(hub: FakeHub) -> None:
    """A file that is refused although its repository is open is told with the number."""
    hub.faults = [Fault(f"HEAD /{NAME}", status=403)]
    with pytest.raises(SourceError, match=f"The hub answered 403 Forbidden for {NAME}"):
        fetched()


def test_a_redirect(
    hub: FakeHub, repository: Repository, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files may lie on another server, which is not shown the token."""
    repository.token = "secret"
    monkeypatch.setenv("HF_TOKEN", "secret")
    files = {NAME: Repository(repository.files)}
    with serving(FakeHub(repositories=files)) as other:
        hub.cdn = other.url.replace("127.0.0.1", "localhost")
        other.faults = [Fault(GET, sent_share=0.37)]
        assert fetched() == content
        assert set(hub.tokens) == {"Bearer secret"}
        assert set(other.tokens) == {""}
        assert other.num_bytes == len(content)
        assert hub.num_bytes == 0


def test_a_slow_server(hub: FakeHub, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long all of it takes, as long as something comes."""
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    hub.faults = [Fault(GET, pause_s=0.03)]
    begin = time.monotonic()
    assert fetched() == content
    assert time.monotonic() - begin > 1
    assert ranges(hub) == [""]


@pytest.mark.usefixtures("content")
def test_a_silent_server(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing any more is left after some attempts."""
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.faults = [Fault(GET, sent_share=0.37, is_silent=True) for _ in range(6)]
    begin = time.monotonic()
    with pytest.raises(SourceError, match="The hub fell silent"):
        fetched()
    assert time.monotonic() - begin < 5


def test_parts_side_by_side(hub: FakeHub, repository: Repository) -> None:
    """The parts of a split model come at the same time; an equal file comes once."""
    parts = [name for name in repository.files if name.startswith("F32/")]
    for number, name in enumerate(parts):
        repository.files[name] += random.Random(number).randbytes(500_000)
    hub.faults = [
        Fault(f"GET /{NAME}/resolve/{COMMIT}/{name}", pause_s=0.05, sent_share=0.6)
        for name in parts
    ]
    files = HubModel(NAME, wanted="F32").fetch().files
    assert [file.path.read_bytes() for file in files] == [repository.files[name] for name in parts]
    assert hub.num_at_once[1] >= len(parts)
    sent = [*parts, "LICENSE", "README.md"]
    assert hub.num_bytes == sum(len(repository.files[name]) for name in sent)


def test_two_builds_at_once(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """The second waits for the first, and nothing comes twice."""
    hub.faults = [Fault(GET, pause_s=0.05)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FETCH], env=environment(hub, tmp_path), stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = b"".join(process.communicate(timeout=60)[1] for process in processes)
    assert [process.returncode for process in processes] == [0, 0], said
    assert fetched() == content
    assert hub.num_bytes == len(content)
    assert left_overs() == []


def test_the_first_of_two_builds_is_killed(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """The second goes on where the first one was."""
    hub.faults = [Fault(GET, sent_share=0.5, is_silent=True)]
    command = [sys.executable, "-c", FETCH]
    with subprocess.Popen(command, env=environment(hub, tmp_path)) as first:
        part_is(tmp_path, len(content) // 2)
        with subprocess.Popen(
            command, env=environment(hub, tmp_path), stderr=subprocess.PIPE
        ) as second:
            assert second.stderr
            lines: Iterator[bytes] = iter(second.stderr)
            assert any(b"waiting for it" in line for line in itertools.islice(lines, 20))
            first.kill()
            assert second.wait(30) == 0
    assert fetched() == content
    assert hub.num_bytes == len(content)


def test_a_full_disk(
    hub: FakeHub, content: bytes, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything comes, or when others fill it; then the next run goes on."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(small_disk / "hub"))
    with pytest.raises(DiskError, match="the download needs"):
        fetched()
    assert hub.num_bytes == 0
    monkeypatch.setattr("builder.sources.hub.require_space", lambda *_, **__: None)
    with pytest.raises(DiskError, match="is full"):
        fetched()
    (part,) = left_overs()
    came = part.stat().st_size
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert fetched() == content
    assert ranges(hub)[-1] == f"bytes={came}-"


def test_a_proxy(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """A hub that only a proxy can reach is asked through it."""
    env = environment(hub, tmp_path, HTTP_PROXY=hub.url, HF_ENDPOINT="http://hub.invalid")
    done = run_fetch(env | {"NO_PROXY": ""})
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == content


def test_certificates_of_ones_own(hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    """A private certificate is refused, until a variable names it; through a proxy, too."""
    pair = make_certificate(tmp_path / "certificate")
    with serving(FakeHub(repositories=hub.repositories), pair) as secure:
        refused = run_fetch(environment(secure, tmp_path, SSL_CERT_FILE="", REQUESTS_CA_BUNDLE=""))
        assert refused.returncode == 6
        assert f"The certificate of {secure.url}" in refused.stderr
        assert "SSL_CERT_FILE" in refused.stderr
        trusted = environment(secure, tmp_path, SSL_CERT_FILE=str(pair.certificate), NO_PROXY="")
        done = run_fetch(trusted | {"HTTPS_PROXY": hub.url})
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()).read_bytes() == content
        assert set(hub.requests) == {f"CONNECT {secure.url.removeprefix('https://')}"}

        shutil.rmtree(tmp_path / "hub")
        named = environment(secure, tmp_path, REQUESTS_CA_BUNDLE=str(pair.certificate))
        done = run_fetch(named | {"SSL_CERT_FILE": ""})
        assert done.returncode == 0, done.stderr
