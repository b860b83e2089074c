"""Tests of chats in an SQLite file."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from runtime.errors import RequestError, ResourceError, UsageError
from runtime.server.history_file import HistoryFile

CHAT = {"id": "a", "title": "Über Füchse", "updated": 1}


def _message(id: str, text: str, chat: str = "a") -> dict[str, str]:
    return {"id": id, "chat": chat, "text": text}


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    """In one file, and an empty journal beside it; both are their owner's alone."""
    path = tmp_path / "chats.db"
    history = HistoryFile(path)
    history.put(CHAT, [_message("1", "Hello"), _message("2", "Ähnlich 🦊")])
    history.put_message(_message("2", "ÄHNLICH"))
    history.change("a", {"title": "Foxes", "id": "other"})
    history.change("gone", {"title": "x"})
    history.close()
    history = HistoryFile(path)
    assert history.chats() == [CHAT | {"title": "Foxes"}]
    assert history.messages("a") == [_message("1", "Hello"), _message("2", "ÄHNLICH")]
    assert history.find("ähn") == ["a"]
    assert history.find("nothing") == []
    assert {file.name for file in tmp_path.iterdir()} == {"chats.db", "chats.db-journal"}
    assert [file.stat().st_size for file in history.files][1] == 0
    assert {stat.S_IMODE(file.stat().st_mode) for file in history.files} == {0o600}


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    """A message alone, and a chat with all of its."""
    history = HistoryFile(tmp_path / "chats.db")
    history.put(CHAT, [_message("1", "x"), _message("2", "y")])
    history.put({"id": "b"}, [_message("3", "z", chat="b")])
    history.remove_messages(["1", "nothing"])
    assert [message["id"] for message in history.messages("a")] == ["2"]
    history.remove("a")
    assert history.chats() == [{"id": "b"}]
    assert history.messages("a") == []
    assert len(history.messages("b")) == 1


def test_a_chat_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """A message without its names undoes the rest."""
    history = HistoryFile(tmp_path / "chats.db")
    with pytest.raises(RequestError, match="has no chat"):
        history.put(CHAT, [_message("1", "x"), {"id": "2"}])
    assert history.chats() == []
    assert history.messages("a") == []


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    """Texts, other programs' databases, folders, and what cannot be made."""
    text = tmp_path / "notes.txt"
    text.write_text("Not a database, but long enough to be looked at as one." * 20)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    before = text.read_bytes(), other.read_bytes()
    for path in (text, other, tmp_path, tmp_path / "no" / "chats.db"):
        with pytest.raises(UsageError, match="--history cannot use"):
            HistoryFile(path)
    assert (text.read_bytes(), other.read_bytes()) == before


def test_many_write_at_once(tmp_path: Path) -> None:
    """From threads of two servers with the same file."""
    servers = [HistoryFile(tmp_path / "chats.db") for _ in range(2)]

    def write(number: int) -> None:
        for step in range(10):
            servers[number % 2].put_message(_message(f"{number}-{step}", "x"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(servers[0].messages("a")) == 80


def test_a_file_that_is_taken_away_is_told(tmp_path: Path) -> None:
    """In one sentence, as what the machine lacks."""
    path = tmp_path / "chats.db"
    history = HistoryFile(path)
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE messages")
        database.commit()
    with pytest.raises(ResourceError, match=r"chats\.db cannot be kept"):
        history.put_message(_message("1", "x"))
