"""Chats of the page in one SQLite file, as documents that only the page understands."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import RequestError, ResourceError, UsageError

# Marks the file as one of these; "solo" in ASCII.
APPLICATION_ID = 0x736F6C6F
_TABLES = """
    CREATE TABLE chats (id TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE messages (id TEXT PRIMARY KEY, chat TEXT NOT NULL, document BLOB NOT NULL)
        WITHOUT ROWID;
    CREATE INDEX messages_of_chat ON messages (chat);
"""

Document = dict[str, Any]


class HistoryFile:
    """The chats; its methods may be called from any thread.

    Args:
        path: The file, which is made where it is not there, for its owner alone.

    Raises:
        UsageError: It cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(
                f"--history cannot use {path}: {reason}.", hint="Name another file."
            ) from error

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, and the one that SQLite keeps beside it."""
        return self._path, journal_of(self._path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def chats(self) -> list[Document]:
        """Return the facts of all chats."""
        return self._documents("SELECT document FROM chats")

    def messages(self, chat: str) -> list[Document]:
        """Return the messages of a chat."""
        return self._documents("SELECT document FROM messages WHERE chat = ?", chat)

    def find(self, text: str) -> list[str]:
        """Return the ids of the chats with a message that contains a text, in whatever case."""
        wanted = text.casefold()
        found = {
            message["chat"]
            for message in self._documents("SELECT document FROM messages")
            if wanted in str(message.get("text", "")).casefold()
        }
        return sorted(found)

    def put(self, chat: Document, messages: Iterable[Document]) -> None:
        """Keep a chat and messages of it.

        Raises:
            RequestError: A document lacks its names.
        """
        with self._transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO chats VALUES (?, ?)", (_name(chat, "id"), _encoded(chat))
            )
            for message in messages:
                self._put_message(message)

    def change(self, id: str, changes: Document) -> None:
        """Change some facts of a chat; one that is gone stays so."""
        with self._transaction() as database:
            row = database.execute("SELECT document FROM chats WHERE id = ?", (id,)).fetchone()
            if row:
                document = msgspec.json.decode(row[0]) | changes | {"id": id}
                database.execute(
                    "UPDATE chats SET document = ? WHERE id = ?", (_encoded(document), id)
                )

    def put_message(self, message: Document) -> None:
        """Keep a message.

        Raises:
            RequestError: It lacks its names.
        """
        with self._transaction():
            self._put_message(message)

    def remove_messages(self, ids: Iterable[str]) -> None:
        """Forget messages."""
        with self._transaction() as database:
            database.executemany("DELETE FROM messages WHERE id = ?", ((id,) for id in ids))

    def remove(self, chat: str) -> None:
        """Forget a chat and its messages."""
        with self._transaction() as database:
            database.execute("DELETE FROM messages WHERE chat = ?", (chat,))
            database.execute("DELETE FROM chats WHERE id = ?", (chat,))

    def _prepare(self) -> None:
        """Make the tables in a new file, and what must be there before the sandbox closes.

        Raises:
            OSError: The journal cannot be made.
            sqlite3.Error: It is no database, or another program's.
        """
        # The journal is emptied and not removed: in a sandbox no files are made beside this one.
        self._database.execute("PRAGMA journal_mode = TRUNCATE")
        self._database.execute("PRAGMA temp_store = MEMORY")
        with self._transaction() as database:
            (application,) = database.execute("PRAGMA application_id").fetchone()
            (num_tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not application and not num_tables:
                for statement in _TABLES.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            elif application != APPLICATION_ID:
                raise sqlite3.DatabaseError("it is another program's database")
        _make_journal(journal_of(self._path))

    def _put_message(self, message: Document) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?)",
            (_name(message, "id"), _name(message, "chat"), _encoded(message)),
        )

    def _documents(self, query: str, *values: str) -> list[Document]:
        with self._lock, self._explained():
            rows = self._database.execute(query, values).fetchall()
        return [msgspec.json.decode(document) for (document,) in rows]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Keep all that is done, or nothing."""
        with self._lock, self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.rollback()
                raise
            self._database.commit()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ResourceError(
                f"The history in {self._path.name} cannot be kept: {error}.",
                hint="See whether the disk is full, or another program holds the file.",
            ) from error


def journal_of(path: Path) -> Path:
    """Return where SQLite keeps what a transaction would have to undo."""
    real = path.resolve()
    return real.with_name(f"{real.name}-journal")


def _make_journal(path: Path) -> None:
    """Make it where it is not there, such that no loss of power takes it away again."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _name(document: Document, key: str) -> str:
    name = document.get(key)
    if not isinstance(name, str) or not name:
        raise RequestError(f"A chat or message has no {key}.")
    return name


def _encoded(document: Document) -> bytes:
    return msgspec.json.encode(document)
