"""A real solofile that is used in an empty network, and what it asked the system for meanwhile."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.sandbox.sandbox import possible_here
from tests.desktop import required_tool

PROJECT = Path(__file__).parents[2]
_CALL = re.compile(r"\d+ +(\w+)\((.*)")


class Call(msgspec.Struct, frozen=True):
    """A system call in a trace: its name, and the rest of its line."""

    name: str
    rest: str


class Session(msgspec.Struct, frozen=True):
    """What came of a session: what its clients saw, what the solofile called, and its folder."""

    told: dict[str, Any]
    calls: list[Call]
    folder: Path

    def named(self, *names: str) -> list[str]:
        """Return the rests of all calls with some names."""
        return [call.rest for call in self.calls if call.name in names]


@pytest.fixture(scope="module")
def session(solofile: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """One session for all tests, in namespaces of its own."""
    strace, chromium = required_tool("strace"), required_tool("chromium")
    isolated = [required_tool("unshare"), "--user", "--map-root-user", "--net"]
    if subprocess.run([*isolated, "true"], check=False).returncode and not os.environ.get("CI"):
        pytest.skip("this user may not make namespaces")
    folder = tmp_path_factory.mktemp("session")
    ended = subprocess.run(
        [*isolated, sys.executable, "-m", "tests.e2e.isolated", solofile, folder, strace, chromium],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
        cwd=PROJECT,
    )
    lines = (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    found = [Call(match[1], match[2]) for line in lines if (match := _CALL.match(line))]
    return Session(json.loads(ended.stdout), found, folder)


def test_it_does_all_that_it_does(session: Session) -> None:
    """Page, clients, embeddings, history, prompts on disk, in the sandbox and with no network."""
    told = session.told
    assert not told["is_elsewhere_reachable"]
    assert "Paris" in told["openai"]
    assert told["embedding"] == 576
    # What is sampled may end at once; it is enough that all was answered.
    assert min(told["anthropic"], told["ollama"], told["bound"], told["slots"]) > 0
    assert told["page"]
    assert len(told["chats"]) == 1
    assert told["statuses"] == [200] * 6
    assert told["exit_code"] == 0


def test_it_has_one_socket(session: Session) -> None:
    """The listener; whatever else it tried would be in the trace, refused or not."""
    (listener,) = session.named("socket")
    assert listener.startswith("AF_INET, SOCK_STREAM")
    (bound,) = session.named("bind")
    assert 'sin_addr=inet_addr("127.0.0.1")' in bound
    assert session.named("accept", "accept4")
    assert session.named("connect") == []
    # Connected sockets need no address, so whoever gives one sends elsewhere.
    sent = session.named("sendto", "sendmsg", "sendmmsg")
    assert sent
    assert not [rest for rest in sent if "sa_family" in rest]
    assert all(rest.startswith("AF_UNIX") for rest in session.named("socketpair"))


def test_it_starts_no_program(session: Session) -> None:
    """The launcher becomes the runtime; from then on there are threads alone."""
    started = session.named("execve", "execveat")
    assert len(started) == 2
    assert "solofile-runtime" in started[1]
    assert session.named("fork", "vfork") == []
    threads = session.named("clone", "clone3")
    assert threads
    assert all("CLONE_THREAD" in rest for rest in threads)


def test_it_reads_no_names_of_hosts(session: Session) -> None:
    """Nothing is looked up, so nothing is opened that tells how."""
    opened = " ".join(session.named("open", "openat", "openat2"))
    assert opened
    assert not re.search("resolv.conf|/etc/hosts|nsswitch|libnss|nscd", opened)


def test_the_sandbox_is_on_and_in_nobodys_way(session: Session) -> None:
    """Every thread has it, and nothing that the session needed was refused."""
    if missing := possible_here().missing():
        assert not os.environ.get("CI"), missing
        pytest.skip(f"this kernel has not all of it: {missing}")
    assert session.told["sandbox"] == {"files": "on", "network": "on", "programs": "on"}
    threads = session.told["rights"]
    assert threads == [["1", "2"]] * len(threads)
    assert len(threads) > 1
    refused = [call for call in session.calls if re.search("= -1 E(ACCES|PERM)", call.rest)]
    # SQLite would see to it that its journal outlasts a loss of power; that was done at the start.
    assert [call for call in refused if f'"{session.folder}"' not in call.rest] == []
