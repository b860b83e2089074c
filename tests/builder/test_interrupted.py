"""Builds that are interrupted, run out of disk, or run twice at once, as processes of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.cache.layout import left_overs, locks
from builder.files import STALE_AFTER_S
from runtime.container import Container
from runtime.manifest import read_manifest
from tests.builder.fake_hub import PIECE_BYTES, FakeHub, Fault, Repository, serving
from tests.builder.quantize.test_quantize import write_split
from tests.runtime.engine.tiny_llama import write_tiny_llama

ROOT = Path(__file__).parents[2]
# The builder with a kit whose launcher is a shell script that takes a moment to answer.
BUILDER = """
import sys
from pathlib import Path
from builder import __main__, make
from tests.builder.tiny_kit import ANSWERING, make_tiny_kit
launcher = ANSWERING.replace(b"case", b"sleep 0.2; case", 1)
kit = make_tiny_kit(Path(sys.argv[1]), launcher=launcher)
make.ensure_kit = lambda target, **options: kit
sys.argv = ["solofile", *sys.argv[2:]]
__main__.main()
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A model of a megabyte and a half, in parts."""
    folder = tmp_path_factory.mktemp("model")
    write_tiny_llama(folder / "Tiny-F32.gguf", head_size=128, n_ff=512)
    return write_split(folder / "Tiny-F32.gguf", folder)


@pytest.fixture
def hub(parts: list[Path]) -> Iterator[FakeHub]:
    """A hub with that model."""
    files = {path.name.replace("tiny", "Tiny-F32"): path.read_bytes() for path in parts}
    with serving(FakeHub({"acme/Tiny": Repository(files)})) as hub:
        yield hub


class Builder:
    """Starts builds that share a cache."""

    def __init__(self, tmp_path: Path, hub: FakeHub, cache: Path) -> None:
        self.folder = tmp_path
        self.cache = cache
        self.environment = os.environ | {
            "HF_ENDPOINT": hub.url,
            "HF_HUB_CACHE": str(tmp_path / "hub"),
            "PYTHONPATH": str(ROOT),
            "SOLOFILE_CACHE": str(cache),
        }

    def start(self, *arguments: str, kit: str = "kit") -> subprocess.Popen[str]:
        (self.folder / kit).mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(self.folder / kit), *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def interrupt(self, at: str, number: signal.Signals, *arguments: str) -> int:
        """Send a signal when the build says that it begins something, and return its exit code."""
        with self.start(*arguments) as process:
            assert process.stderr
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith(at):
                    break
            else:
                raise AssertionError(f"{at} was never said, but {said}")
            process.send_signal(number)
            rest = process.stderr.read()
        assert "Traceback" not in rest
        return process.returncode

    def finish(self, *arguments: str) -> str:
        """Build to the end, and return what was said."""
        process = self.start(*arguments)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said


@pytest.fixture
def builder(tmp_path: Path, hub: FakeHub, own_cache_with_llama_cpp: Path) -> Builder:
    return Builder(tmp_path, hub, own_cache_with_llama_cpp)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("quantize", [[], ["--quantize", "Q4_0"]], ids=["merged", "quantized"])
def test_interrupted_at_every_stage(
    builder: Builder, hub: FakeHub, parts: list[Path], quantize: list[str], number: signal.Signals
) -> None:
    """Whatever ends each stage, the next run goes on, fetches no byte twice, and leaves no rest.

    What SIGKILL finds on its way, in the system's buffers, was sent but never came.
    """
    hub.faults = [Fault("GET /acme", pause_s=0.02) for _ in range(4)]
    stages = ["Downloading", "Reading"]
    stages += ["Quantizing to Q4_0 ..."] if quantize else ["Merging the parts ..."]
    stages += ["Packing ...", "Testing that it answers ..."]
    command = ["build", "acme/Tiny", "-o", "chat", *quantize]
    ended = {"SIGKILL": {-9}, "SIGINT": {130}, "SIGTERM": {143}}[number.name]
    for stage in stages:
        code = builder.interrupt(stage, number, *command)
        # A stage may be over before the signal comes, and the last one the build's end.
        assert code in ended | ({0} if stage.startswith("Testing") else set()), stage
        (builder.folder / "chat").unlink(missing_ok=True)
        if number != signal.SIGKILL:
            assert [path.name for path in builder.folder.glob(".*")] == [], stage
            assert left_overs() == [], stage
    make_old(builder)
    builder.finish(*command)
    on_its_way = 2 * PIECE_BYTES * len(parts) if number == signal.SIGKILL else 0
    size = sum(path.stat().st_size for path in parts)
    assert size <= hub.num_bytes <= size + on_its_way
    with Container.open(builder.folder / "chat") as container:
        assert read_manifest(container).model.quantization == ("Q4_0" if quantize else "F32")
    assert run(["cache", "clean"]) == 0
    assert rests(builder.cache) == []
    assert not list(builder.folder.rglob("*.incomplete"))
    assert [path.name for path in builder.folder.glob(".*")] == []


def rests(cache: Path) -> list[Path]:
    """Return what is neither an item nor was there before."""
    return [path for path in [*left_overs(), *locks()] if "llamacpp" not in path.parts]


def make_old(builder: Builder) -> None:
    """Let as much time pass as there must be before something is swept."""
    for path in [*rests(builder.cache), *builder.folder.glob(".*.part")]:
        then = path.stat().st_mtime - 2 * STALE_AFTER_S
        os.utime(path, (then, then))


def test_killed_twice_the_same_bytes(builder: Builder, hub: FakeHub) -> None:
    """What comes out after interruptions is what comes out without."""
    command = ["build", "acme/Tiny", "--quantize", "Q4_0"]
    builder.interrupt("Quantizing to", signal.SIGKILL, *command)
    builder.finish(*command, "-o", "after")
    assert run(["cache", "clean", "quantized"]) == 0
    builder.finish(*command, "-o", "fresh")
    after, fresh = builder.folder / "after", builder.folder / "fresh"
    assert after.read_bytes() == fresh.read_bytes()


def test_two_builds_at_once(builder: Builder, hub: FakeHub, parts: list[Path]) -> None:
    """Both succeed; what takes long is done once."""
    command = ["build", "acme/Tiny", "--quantize", "Q4_0"]
    processes = [builder.start(*command, "-o", kit, kit=f"kit-{kit}") for kit in ("one", "two")]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert len(re.findall(r"Quantizing to Q4_0 \.\.\.", "".join(said))) == 1
    assert hub.num_bytes == sum(path.stat().st_size for path in parts)
    one, two = builder.folder / "one", builder.folder / "two"
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("quantize", [[], ["--quantize", "Q8_0"]], ids=["merged", "quantized"])
def test_a_disk_that_is_too_small(
    builder: Builder, parts: list[Path], small_disk: Path, quantize: list[str]
) -> None:
    """As long as it is too small, a sentence says so and nothing is left; then the build works."""
    builder.environment["SOLOFILE_CACHE"] = str(small_disk)
    (small_disk / "llamacpp").symlink_to(builder.cache / "llamacpp")
    source, output = str(parts[0]), str(small_disk / "chat")
    before = set(small_disk.rglob("*"))
    for megabytes in (1, 2, 3, 4, 8):
        resize = ["mount", "-o", f"remount,size={megabytes}m", str(small_disk)]
        subprocess.run(resize, check=True)
        with builder.start("build", source, "-o", output, *quantize) as process:
            _, said = process.communicate(timeout=60)
        if process.returncode == 0:
            assert megabytes > 1
            return
        assert process.returncode == 5, said
        assert re.search(r"Error: The disk with \S+ (has|is full|did not)", said), said
        left = {path for path in set(small_disk.rglob("*")) - before if path.is_file()}
        assert all(path.parent.name in ("merged", "quantized") for path in left), left
        assert not [path for path in left if path.name.startswith(".")]
    raise AssertionError("it never fitted")
