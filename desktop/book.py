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
        CREATE TABLE trades (
            number INTEGER NOT NULL, version INTEGER NOT NULL, at_us INTEGER NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (number, version)
        ) WITHOUT ROWID;
        CREATE TABLE setups (name TEXT PRIMARY KEY, saved_us INTEGER NOT NULL, fields TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE alert_rules (
            id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, param TEXT NOT NULL,
            condition TEXT NOT NULL, level REAL, target TEXT NOT NULL, band REAL NOT NULL, repeat TEXT NOT NULL,
            sound INTEGER NOT NULL, enabled INTEGER NOT NULL, snoozed_from INTEGER, snoozed_until INTEGER,
            note TEXT NOT NULL
        );
        CREATE TABLE alert_states (
            rule INTEGER PRIMARY KEY REFERENCES alert_rules (id) ON DELETE CASCADE, armed INTEGER NOT NULL,
            side INTEGER NOT NULL, seen TEXT NOT NULL, reference REAL, fired_at INTEGER, occasion TEXT NOT NULL
        );
        CREATE TABLE alert_log (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, rule INTEGER NOT NULL, title TEXT NOT NULL,
            value TEXT NOT NULL, threshold TEXT NOT NULL, data_at INTEGER, age_s REAL, source TEXT NOT NULL,
            mode TEXT NOT NULL
        );
        CREATE TABLE alert_seen (entry INTEGER PRIMARY KEY REFERENCES alert_log (id), at INTEGER NOT NULL);
        CREATE TABLE own_events (number INTEGER PRIMARY KEY, title TEXT NOT NULL, at_us INTEGER NOT NULL);
        CREATE TABLE armed (
            one INTEGER PRIMARY KEY CHECK (one = 1), at_us INTEGER NOT NULL, kinds TEXT NOT NULL,
            name TEXT NOT NULL, armed_us INTEGER NOT NULL, told TEXT NOT NULL
        );
        CREATE TABLE deeds (
            at_us INTEGER NOT NULL, offset_s INTEGER NOT NULL, done_us INTEGER, PRIMARY KEY (at_us, offset_s)
        ) WITHOUT ROWID;
        CREATE TABLE frozen (
            at_us INTEGER NOT NULL, symbol TEXT NOT NULL, price REAL NOT NULL, event_us INTEGER NOT NULL,
            frozen_us INTEGER NOT NULL, PRIMARY KEY (at_us, symbol)
        ) WITHOUT ROWID;
        CREATE TABLE surprises (
            kind TEXT NOT NULL, at_us INTEGER NOT NULL, consensus REAL, actual REAL, unit TEXT NOT NULL,
            PRIMARY KEY (kind, at_us)
        ) WITHOUT ROWID;
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

    def take_all(self, other: Book) -> None:
        """Hold what `other` holds, in place of everything here."""
        with self._lock, self._named_errors(), other._lock:
            self._refuse_when_closed()
            other._db.backup(self._db)

    @property
    def version(self) -> tuple[int, int]:
        """Differs after every change, made here or by another process; cheap enough to ask each frame."""
        with self._lock, self._named_errors():
            self._refuse_when_closed()
            return self._db.total_changes, self._data_version()
