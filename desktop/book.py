"""What the user made and nobody can fetch again: one small SQLite file beside the store of market data.

Every commit survives a power cut. Each kind of record has a module of its own that reads and writes its tables
through `rows` and `writing`; the demo's book lives in memory.
"""

from __future__ import annotations

from typing import ClassVar

from desktop.market.database import Database

FILE_NAME = "book.sqlite"
"""Name of the book in the data folder."""


class Book(Database):
    """The user's own records; safe in any thread and beside other processes."""

    migrations: ClassVar[tuple[str, ...]] = (
        """
        CREATE TABLE book (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE snapshots (
            id INTEGER PRIMARY KEY, stem TEXT NOT NULL UNIQUE, moment_us INTEGER NOT NULL, mode TEXT NOT NULL,
            saved_us INTEGER NOT NULL, note TEXT NOT NULL, origin TEXT NOT NULL, digest TEXT NOT NULL
        );
        CREATE TABLE refreshes (id INTEGER PRIMARY KEY, asked_us INTEGER NOT NULL, settled_us INTEGER);
        CREATE TABLE refresh_answers (
            refresh_id INTEGER NOT NULL REFERENCES refreshes (id), source TEXT NOT NULL, outcome TEXT NOT NULL,
            told TEXT NOT NULL, PRIMARY KEY (refresh_id, source)
        ) WITHOUT ROWID;
        """,
    )
    marker = "book"
    durable = True

    @property
    def version(self) -> tuple[int, int]:
        """Differs after every change, made here or by another process; cheap enough to ask each frame."""
        with self._lock, self._named_errors():
            self._refuse_when_closed()
            return self._db.total_changes, self._data_version()
