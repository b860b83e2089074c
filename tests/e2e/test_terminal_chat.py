"""`chat` of a real solofile, in a real terminal and in pipes."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.solofile import run_solofile
from tests.terminal import PROMPT, PseudoTerminal

QUESTION = "Name the capital of France."

OpenChat = Callable[..., PseudoTerminal]


@pytest.fixture
def open_chat(solofile: Path, tmp_path: Path) -> OpenChat:
    """Start `chat` in a terminal, with a state folder of its own, and wait for its prompt."""

    def start(*arguments: str) -> PseudoTerminal:
        chat = PseudoTerminal(
            solofile, "chat", "--temp", "0", *arguments, env={"XDG_STATE_HOME": str(tmp_path)}
        )
        chat.wait_for(PROMPT)
        return chat

    return start


def _say(chat: PseudoTerminal, text: str) -> str:
    """Send a message, and return all that is shown until the next one may be typed."""
    chat.press(f"{text}\r")
    return chat.wait_for(PROMPT)


def test_a_conversation_with_every_command(open_chat: OpenChat, tmp_path: Path) -> None:
    """Each does what the help says."""
    saved = tmp_path / "chat.json"
    notes = tmp_path / "notes.txt"
    notes.write_text("The secret word is banana.", encoding="utf-8")
    with open_chat("-n", "16") as chat:
        assert "/regen" in _say(chat, "/help")
        assert "Error: There is no answer yet." in _say(chat, "/regen")
        assert "Paris" in _say(chat, QUESTION)
        assert "tokens/s" not in _say(chat, "/regen")
        assert "verbose off" in _say(chat, "/set")
        _say(chat, "/set verbose on")
        assert "of 8192 tokens of context" in _say(chat, "/regen")
        assert "temp 0.0" in _say(chat, "/set")
        _say(chat, "/set predict 4")
        assert "\n4 tokens" in _say(chat, "/regen")
        assert "must lie from 0 to 100" in _say(chat, "/set temp 100000")
        assert "is no temp" in _say(chat, "/set temp warm")
        assert "warmth is no setting here" in _say(chat, "/set warmth 1")
        assert "The system message is set." in _say(chat, "/system You are a helpful poet.")
        assert "You are a helpful poet." in _say(chat, "/system")
        assert "Saved 2 messages" in _say(chat, f"/save {saved}")
        assert "New conversation." in _say(chat, "/clear")
        assert "Loaded 2 messages" in _say(chat, f"/load {saved}")
        assert "notes.txt goes with the next message." in _say(chat, f"/file {notes}")
        _say(chat, "What is the secret word?")
        assert "/nonsense is no command" in _say(chat, "/nonsense")
        _say(chat, f"/save {saved}")
        chat.press("/bye\r")
        assert chat.process.wait(timeout=10) == 0
    written = json.loads(saved.read_text(encoding="utf-8"))["messages"]
    assert [message["role"] for message in written] == [
        "system", "user", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert "banana" in written[3]["content"]


def test_messages_of_several_lines(open_chat: OpenChat, tmp_path: Path) -> None:
    """A block, a line that goes on, and a paste are one message each; history keeps them."""
    saved = tmp_path / "chat.json"
    with open_chat("-n", "2") as chat:
        for typed in ('"""one\rtwo"""', "three\\\rfour", "\x1b[200~five\rsix\x1b[201~"):
            _say(chat, typed)
        _say(chat, f"/save {saved}")
        chat.press("\x04")
        assert chat.process.wait(timeout=10) == 0
    messages = json.loads(saved.read_text(encoding="utf-8"))["messages"]
    assert [message["content"] for message in messages[::2]] == [
        "one\ntwo", "three\nfour", "five\nsix",
    ]  # fmt: skip
    history = tmp_path / "solofile" / "chat-history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    with open_chat("-n", "2") as chat:
        # Up: the last line of the session before.
        chat.press("\x1b[A")
        chat.wait_for(f"/save {saved}")


def test_ctrl_c_stops_an_answer_and_not_the_program(open_chat: OpenChat) -> None:
    """The next message is answered; twice at the prompt it ends."""
    with open_chat() as chat:
        chat.press("Tell me a very long story about a fox.\r")
        chat.wait_for("\x1b[?2004l")
        chat.wait_for(" ")
        chat.press("\x03")
        chat.wait_for(PROMPT, timeout_s=20)
        _say(chat, "/clear")
        _say(chat, "/set predict 12")
        assert "Paris" in _say(chat, QUESTION)
        chat.press("\x03")
        chat.wait_for("Ctrl-C again or /bye ends.")
        chat.wait_for(PROMPT)
        chat.press("\x03")
        assert chat.process.wait(timeout=10) == 0


def test_commands_and_paths_are_completed(open_chat: OpenChat, tmp_path: Path) -> None:
    """By the Tab key."""
    (tmp_path / "unmistakable.txt").write_text("x", encoding="utf-8")
    with open_chat() as chat:
        chat.press("/fi\t")
        chat.wait_for("/file")
        chat.press(f" {tmp_path}/unmis\t")
        chat.wait_for("takable.txt")


def test_a_dumb_terminal_gets_no_escape_sequences(solofile: Path, tmp_path: Path) -> None:
    """Nor does one whose user wants no colours, but for those of the line editor."""
    with PseudoTerminal(solofile, "chat", "--temp", "0", "-n", "12", env={"TERM": "dumb"}) as chat:
        chat.wait_for("> ")
        chat.press(f"{QUESTION}\r")
        chat.wait_for("Paris")
        chat.wait_for("> ")
        chat.press("\x04")
        assert chat.process.wait(timeout=10) == 0
        assert "\x1b" not in chat.shown


def test_lines_of_a_pipe_are_messages(solofile: Path) -> None:
    """Stdout carries the answers alone."""
    lines = f"{QUESTION}\n/clear\n{QUESTION}\n"
    done = run_solofile(solofile, "chat", "--temp", "0", "-n", "12", stdin=lines)
    assert done.returncode == 0
    assert done.stderr == "New conversation.\n"
    once = run_solofile(solofile, "run", "--temp", "0", "-n", "12", QUESTION).stdout
    assert done.stdout == once * 2


def test_a_mistake_in_a_pipe_is_an_exit_code(solofile: Path) -> None:
    """The rest is still done."""
    done = run_solofile(solofile, "chat", "-n", "2", stdin="/nonsense\n/load /no/file\n/clear\n")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: /nonsense is no command. /help shows them.\n"
        "Error: /no/file cannot be read: No such file or directory.\n"
        "New conversation.\n"
    )


def test_run_shows_styles_to_people_alone(solofile: Path) -> None:
    """In a terminal markdown is painted; for NO_COLOR it is not."""
    command: list[str | Path] = [solofile, "run", "--temp", "0", "-n", "12", "Repeat: **bold**"]
    plain = run_solofile(solofile, *map(str, command[1:])).stdout
    with PseudoTerminal(*command, env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for(plain.strip().splitlines()[0])
        assert terminal.process.wait(timeout=60) == 0
        assert "\x1b" not in terminal.shown
