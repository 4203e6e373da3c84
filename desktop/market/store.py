"""Everything known, in one SQLite file: bars, quotes, macro series, universes.

A second window may use it, and `kill -9` loses at most what was in flight. Rows of bars carry the priority of
where they came from; a row gives way only to equal or higher priority. A frame never waits for a back-fill, nor
for another process that holds the file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from typing_extensions import override

from desktop.market.database import Database
from desktop.market.quotes import (
    BadMarketDataError,
    Bars,
    Closes,
    DayArray,
    FloatArray,
    Interval,
    Panel,
    Quote,
    day_start_s,
    require_utc,
)

FILE_NAME = "rotation.sqlite"
"""Name of the store in its data folder."""
_ALWAYS = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_Row: TypeAlias = tuple[int, float | None, float | None, float | None, float, float | None]
"""start_s, open, high, low, close, volume."""

_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE bars (
        symbol TEXT NOT NULL, interval TEXT NOT NULL, start_s INTEGER NOT NULL,
        open REAL, high REAL, low REAL, close REAL NOT NULL, volume REAL,
        priority INTEGER NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (symbol, interval, start_s)
    ) WITHOUT ROWID;
    CREATE TABLE quotes (
        symbol TEXT NOT NULL, event_us INTEGER NOT NULL, arrival_us INTEGER NOT NULL,
        price REAL NOT NULL, previous_close REAL, open_price REAL, declared_delay_s REAL NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (symbol, event_us, arrival_us)
    ) WITHOUT ROWID;
    CREATE TABLE series (
        series_id TEXT NOT NULL, day TEXT NOT NULL, available_us INTEGER NOT NULL, value REAL NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (series_id, day, available_us)
    ) WITHOUT ROWID;
    CREATE TABLE panels (
        name TEXT PRIMARY KEY, compiled TEXT NOT NULL, imported_us INTEGER NOT NULL, tickers TEXT NOT NULL,
        days BLOB NOT NULL, close BLOB NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id)
    );
    """,
    """
    CREATE TABLE publications (
        publisher TEXT NOT NULL, dataset TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        checked_us INTEGER NOT NULL, known_us INTEGER NOT NULL,
        PRIMARY KEY (publisher, dataset)
    ) WITHOUT ROWID;
    CREATE TABLE calendar (
        publisher TEXT NOT NULL, kind TEXT NOT NULL, at_us INTEGER NOT NULL, seen_us INTEGER NOT NULL,
        PRIMARY KEY (publisher, kind, at_us)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE claims (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, told TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0
    );
    """,
    """
    CREATE TABLE sightings (
        publisher TEXT NOT NULL, kind TEXT NOT NULL, at_us INTEGER NOT NULL, seen_us INTEGER NOT NULL,
        gone_us INTEGER,
        PRIMARY KEY (publisher, kind, at_us, seen_us)
    ) WITHOUT ROWID;
    INSERT INTO sightings SELECT publisher, kind, at_us, seen_us, NULL FROM calendar;
    DROP TABLE calendar;
    ALTER TABLE sightings RENAME TO calendar;
    """,
    """
    CREATE TABLE answers (
        name TEXT NOT NULL, fingerprint TEXT NOT NULL, made_us INTEGER NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (name, fingerprint)
    ) WITHOUT ROWID;
    """,
)
SCHEMA_VERSION = len(_MIGRATIONS)
MOST_ANSWERS = 12
"""Answers of one statistic that are kept: of today, and of the moments that were looked at last."""


class Priority(IntEnum):
    """Whose row stays: a row gives way only to one of equal or higher priority."""

    CLOSE_ONLY_FILE = 10
    ONE_VENUE = 15
    """Trades of one exchange alone: better than nothing, until somebody tells of the whole market."""
    FILE = 20
    VENDOR = 30


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: rows added, rows changed, rows left alone because theirs is the higher priority."""

    new: int
    revised: int
    kept: int


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication as last checked: what its host said of the version, and when the newest of it was known."""

    etag: str
    last_modified: str
    checked_at: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A date in a publisher's calendar: first seen there at `seen_at`, and no more from `gone_at` on, if ever."""

    publisher: str
    kind: str
    at: datetime
    seen_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of a macro series: the day it describes, and when it became known (UTC)."""

    day: date
    value: float
    available_at: datetime

    def __post_init__(self) -> None:
        """Refuse a value that is no number, and a time without a zone."""
        if not isfinite(self.value):
            raise BadMarketDataError("series", "value", self.value, f"must be finite, on {self.day}")
        object.__setattr__(self, "available_at", require_utc("series", "available_at", self.available_at))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesView:
    """A macro series as it was known at a moment: one value a day, oldest first."""

    series_id: str
    days: DayArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class PanelInfo:
    """What is known of a stored universe without loading it."""

    name: str
    n_tickers: int
    first: date
    last: date
    compiled: date
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """What the store holds of one symbol and interval; `source` is where its last row came from."""

    symbol: str
    interval: Interval
    rows: int
    first: datetime
    last: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where daily closes of a symbol came from: the source, its rows, their first and last day."""

    source: str
    rows: int
    first: date
    last: date


def default_path() -> Path:
    """Where the store lies unless the user says otherwise: the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("rotation-monitor", appauthor=False) / FILE_NAME


class Store(Database):
    """One store, safe in any thread. Writes wait for each other; reads wait for nothing, unless in memory."""

    migrations: ClassVar[tuple[str, ...]] = _MIGRATIONS
    marker = "bars"

    @override
    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self._changes = self._history_changes = self._foreign_changes = 0
        self._bar_changes: dict[str, int] = {}
        self._held_back: list[tuple[bool, str | None]] | None = None
        self._sources: dict[str, int] = {}
        super().__init__(path, read_only=read_only)
        self._foreign = self._data_version()

    # What changed

    @property
    def version(self) -> int:
        """Grows with every change, made here or by another process; cheap enough to ask each frame."""
        self._notice_others()
        return self._changes

    @property
    def history_version(self) -> int:
        """Like `version`, but quotes and intraday bars written here leave it as it is."""
        self._notice_others()
        return self._history_changes

    def bars_version(self, symbol: str) -> int:
        """Like `version`, but only bars of `symbol` written here, and what other processes do, move it."""
        self._notice_others()
        return self._foreign_changes + self._bar_changes.get(symbol, 0)

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _notice_others(self) -> None:
        # While this store writes, what other processes did is noticed a moment later, not waited for.
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._refuse_when_closed()
            with self._named_errors():
                seen = self._data_version()
            if seen != self._foreign:
                self._foreign = seen
                self._foreign_changes += 1
                self._changed(history=True)
        finally:
            self._lock.release()

    # Bars

    def put_bars(self, bars: Bars, *, source: str, priority: Priority) -> Written:
        """Add bars; rows of equal or lower priority are revised, rows of higher priority kept.

        Raises
        ------
        BadMarketDataError
            For a daily bar that is not labelled by midnight UTC of its trading date.
        """
        if bars.interval is Interval.DAY and (off := bars.start_s % Interval.DAY.seconds != 0).any():
            why = "a daily bar is labelled by midnight UTC of its trading date"
            raise BadMarketDataError(bars.symbol, "start_s", int(bars.start_s[off][0]), why)
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        rows = zip(bars.start_s.tolist(), *(column.tolist() for column in columns), strict=True)
        return self._put_rows(bars.symbol, bars.interval, list(rows), source, priority)

    def put_closes(self, closes: Closes, *, source: str, priority: Priority) -> Written:
        """Add daily closes; open, high and low of a row of the same priority stay."""
        starts = (closes.days.astype("datetime64[s]").astype(np.int64)).tolist()
        rows = [
            (at, None, None, None, close, None) for at, close in zip(starts, closes.close.tolist(), strict=True)
        ]
        return self._put_rows(closes.symbol, Interval.DAY, rows, source, priority)

    def _put_rows(
        self, symbol: str, interval: Interval, rows: Sequence[_Row], source: str, priority: Priority
    ) -> Written:
        if not rows:
            return Written(0, 0, 0)
        new = revised = kept = 0
        put: list[_Row] = []
        with self.writing():
            found = {
                row[0]: row[1:]
                for row in self._db.execute(
                    "SELECT start_s, open, high, low, close, volume, priority FROM bars"
                    " WHERE symbol = ? AND interval = ? AND start_s BETWEEN ? AND ?",
                    (symbol, interval, rows[0][0], rows[-1][0]),
                )
            }
            for row in rows:
                old = found.get(row[0])
                if old is None:
                    new += 1
                    put.append(row)
                    continue
                *values, held = old
                if held > priority:
                    kept += 1
                    continue
                if row[1] is None and held == priority:
                    row = (row[0], *values[:3], row[4], values[4])
                if held < priority or list(row[1:]) != values:
                    revised += list(row[1:]) != values
                    put.append(row)
            source_id = self._source_id(source)
            self._db.executemany(
                "INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((symbol, interval, *row, priority, source_id) for row in put),
            )
        if put:
            self._changed(history=interval is Interval.DAY, bars_of=symbol)
        return Written(new, revised, kept)

    def bars(
        self, symbol: str, interval: Interval, start: datetime | None = None, end: datetime | None = None
    ) -> Bars:
        """Return complete bars (with open, high, low) whose start lies in [start, end); may be empty."""
        rows = self.rows(
            "SELECT start_s, open, high, low, close, volume FROM bars"
            " WHERE symbol = ? AND interval = ? AND start_s >= ? AND start_s < ? AND open IS NOT NULL"
            " ORDER BY start_s",
            (symbol, interval, _seconds(start, -_ALWAYS), _seconds(end, _ALWAYS)),
        )
        table = _table(rows, 6)
        return Bars(symbol, interval, table[:, 0].astype(np.int64), *table[:, 1:].T)

    def closes(self, symbol: str, first: date | None = None, last: date | None = None) -> Closes:
        """Return all daily closes from `first` to `last`, both included; may be empty."""
        rows = self.rows(
            "SELECT start_s, close FROM bars WHERE symbol = ? AND interval = '1d' AND start_s BETWEEN ? AND ?"
            " ORDER BY start_s",
            (
                symbol,
                -_ALWAYS if first is None else day_start_s(first),
                _ALWAYS if last is None else day_start_s(last),
            ),
        )
        table = _table(rows, 2)
        days = table[:, 0].astype(np.int64).astype("datetime64[s]").astype("datetime64[D]")
        return Closes(symbol, days, table[:, 1])

    def last_close(self, symbol: str) -> float | None:
        """The latest daily close of `symbol`; None without any."""
        rows = self.rows(
            "SELECT close FROM bars WHERE symbol = ? AND interval = ? ORDER BY start_s DESC LIMIT 1",
            (symbol, Interval.DAY),
        )
        return None if not rows else float(rows[0][0])

    def has(self, symbol: str, interval: Interval = Interval.DAY) -> bool:
        """Whether there is any bar or close of `symbol`."""
        return bool(self.rows("SELECT 1 FROM bars WHERE symbol = ? AND interval = ? LIMIT 1", (symbol, interval)))

    def minute_days(self, symbols: Iterable[str]) -> set[date]:
        """UTC days on which any of `symbols` has intraday bars."""
        days: set[date] = set()
        for symbol in symbols:
            for interval in Interval:
                if interval is not Interval.DAY:
                    rows = self.rows(
                        "SELECT DISTINCT start_s / 86400 FROM bars WHERE symbol = ? AND interval = ?",
                        (symbol, interval),
                    )
                    days |= {date(1970, 1, 1) + timedelta(days=one) for (one,) in rows}
        return days

    def symbols(self) -> list[SymbolInfo]:
        """What is there, by symbol and interval."""
        rows = self.rows(
            "SELECT b.symbol, b.interval, b.n, b.first, b.last, s.name FROM"
            " (SELECT symbol, interval, count(*) AS n, min(start_s) AS first, max(start_s) AS last"
            "  FROM bars GROUP BY symbol, interval) AS b"
            " JOIN bars AS e ON e.symbol = b.symbol AND e.interval = b.interval AND e.start_s = b.last"
            " JOIN sources AS s ON s.id = e.source_id ORDER BY b.symbol, b.interval",
            (),
        )
        return [
            SymbolInfo(
                symbol,
                Interval(interval),
                n,
                datetime.fromtimestamp(a, UTC),
                datetime.fromtimestamp(b, UTC),
                source,
            )
            for symbol, interval, n, a, b, source in rows
        ]

    def origins(self, symbol: str, last: date) -> list[Origin]:
        """Where the daily closes of `symbol` up to `last` came from, earliest first."""
        rows = self.rows(
            "SELECT name, count(*), min(start_s), max(start_s) FROM bars JOIN sources ON sources.id = source_id"
            " WHERE symbol = ? AND interval = '1d' AND start_s <= ? GROUP BY name ORDER BY 3",
            (symbol, day_start_s(last)),
        )
        return [
            Origin(name, n, *(datetime.fromtimestamp(at, UTC).date() for at in (first, until)))
            for name, n, first, until in rows
        ]

    # Quotes

    def put_quotes(self, quotes: Iterable[Quote]) -> int:
        """Append quotes; returns how many were not there yet."""
        given = list(quotes)
        with self.writing():
            ids = {name: self._source_id(name) for name in {one.source for one in given}}
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO quotes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.symbol,
                        _microseconds(one.event_time),
                        _microseconds(one.arrival_time),
                        one.price,
                        one.previous_close,
                        one.open_price,
                        one.declared_delay_s,
                        ids[one.source],
                    )
                    for one in given
                ],
            )
            added = self._db.total_changes - before
        if added:
            self._changed(history=False)
        return added

    def quotes(self, symbol: str, start: datetime, end: datetime, as_of: datetime | None = None) -> list[Quote]:
        """Return quotes that traded in [start, end) and had arrived by `as_of`, oldest first."""
        return [
            _quote(row)
            for row in self.rows(
                f"{_SELECT_QUOTE} WHERE symbol = ? AND event_us >= ? AND event_us < ? AND arrival_us <= ?"
                " ORDER BY event_us, arrival_us",
                (
                    symbol,
                    _microseconds(start),
                    _microseconds(end),
                    _ALWAYS if as_of is None else _microseconds(as_of),
                ),
            )
        ]

    def last_quote(self, symbol: str, as_of: datetime, *, traded_by: datetime | None = None) -> Quote | None:
        """Return the latest quote that had arrived by `as_of` and traded by then, or by `traded_by`."""
        moment = _microseconds(as_of)
        latest = moment if traded_by is None else min(moment, _microseconds(traded_by))
        rows = self.rows(
            f"{_SELECT_QUOTE} WHERE symbol = ? AND event_us <= ? AND arrival_us <= ?"
            " ORDER BY event_us DESC, arrival_us DESC LIMIT 1",
            (symbol, latest, moment),
        )
        return _quote(rows[0]) if rows else None

    # Macro series

    def put_series(self, series_id: str, rows: Iterable[Observation], *, source: str) -> int:
        """Add observations; a revision is a further row with its own availability. Returns how many were new."""
        given = list(rows)
        with self.writing():
            source_id = self._source_id(source)
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR REPLACE INTO series SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS ("
                " SELECT 1 FROM series WHERE series_id = ?1 AND day = ?2 AND available_us = ?3 AND value = ?4)",
                [
                    (
                        series_id,
                        one.day.isoformat(),
                        _microseconds(one.available_at),
                        one.value,
                        source_id,
                    )
                    for one in given
                ],
            )
            added = self._db.total_changes - before
        if added:
            self._changed(history=True)
        return added

    def series(self, series_id: str, as_of: datetime) -> SeriesView:
        """Return the series as it was known at `as_of`: per day the last value available by then; may be empty."""
        rows = self.rows(
            "SELECT day, value, max(available_us) FROM series WHERE series_id = ? AND available_us <= ?"
            " GROUP BY day ORDER BY day",
            (series_id, _microseconds(as_of)),
        )
        days = np.array([row[0] for row in rows], dtype="datetime64[D]")
        return SeriesView(series_id, days, np.array([row[1] for row in rows], dtype=np.float64))

    def latest_known(self, as_of: datetime) -> datetime | None:
        """When the newest observation of any series that was known at `as_of` became so; None without any."""
        rows = self.rows("SELECT max(available_us) FROM series WHERE available_us <= ?", (_microseconds(as_of),))
        return None if rows[0][0] is None else _moment(rows[0][0])

    # Publications and calendars

    def put_publication(self, publisher: str, dataset: str, publication: Publication) -> None:
        """Remember how a publication stood when it was last checked."""
        row = (
            publisher,
            dataset,
            publication.etag,
            publication.last_modified,
            _microseconds(publication.checked_at),
            _microseconds(publication.known_at),
        )
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO publications VALUES (?, ?, ?, ?, ?, ?)", row)

    def publication(self, publisher: str, dataset: str) -> Publication | None:
        """How a publication stood when it was last checked; None when it never was."""
        rows = self.rows(
            "SELECT etag, last_modified, checked_us, known_us FROM publications"
            " WHERE publisher = ? AND dataset = ?",
            (publisher, dataset),
        )
        return Publication(rows[0][0], rows[0][1], *map(_moment, rows[0][2:])) if rows else None

    def put_calendar(self, publisher: str, dates: Iterable[tuple[str, datetime]], *, seen_at: datetime) -> None:
        """Take over a calendar, (kind, moment) each: all it says at `seen_at` of the kinds it names.

        What it no longer names stays as what was seen until now, unless it was past already.
        """
        given = {(kind, _microseconds(at)) for kind, at in dates}
        seen_us = _microseconds(seen_at)
        standing = "SELECT kind, at_us FROM calendar WHERE publisher = ? AND gone_us IS NULL"
        with self.writing():
            held = {(kind, at_us) for kind, at_us in self._db.execute(standing, (publisher,))}
            kinds = {kind for kind, _ in given}
            gone = {one for one in held - given if one[0] in kinds and one[1] > seen_us}
            self._db.executemany(
                "UPDATE calendar SET gone_us = ?"
                " WHERE publisher = ? AND kind = ? AND at_us = ? AND gone_us IS NULL",
                ((seen_us, publisher, kind, at_us) for kind, at_us in gone),
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO calendar VALUES (?, ?, ?, ?, NULL)",
                ((publisher, kind, at_us, seen_us) for kind, at_us in given - held),
            )
        if gone or given - held:
            self._changed(history=True)

    def calendar(self, as_of: datetime) -> list[tuple[str, datetime]]:
        """Dates of all publishers' calendars as seen by `as_of`, (kind, moment) each, oldest first."""
        as_of_us = _microseconds(as_of)
        rows = self.rows(
            "SELECT DISTINCT kind, at_us FROM calendar WHERE seen_us <= ? AND (gone_us IS NULL OR gone_us > ?)"
            " ORDER BY at_us",
            (as_of_us, as_of_us),
        )
        return [(kind, _moment(at_us)) for kind, at_us in rows]

    def sightings(self) -> list[Sighting]:
        """Every date that ever stood in a publisher's calendar, in the order in which they were seen."""
        rows = self.rows(
            "SELECT publisher, kind, at_us, seen_us, gone_us FROM calendar"
            " ORDER BY seen_us, at_us, kind, publisher",
            (),
        )
        return [
            Sighting(publisher, kind, _moment(at), _moment(seen), None if gone is None else _moment(gone))
            for publisher, kind, at, seen, gone in rows
        ]

    # The change log of the claims

    def claim_states(self) -> dict[str, str]:
        """How each claim stood when it was last noted."""
        return dict(self.rows("SELECT id, state FROM claims", ()))

    def note_changes(self, states: Mapping[str, str], told: Iterable[str], at: datetime) -> None:
        """Remember how claims stand now, and what changed in words; all or nothing."""
        at_us = _microseconds(at)
        with self.writing():
            self._db.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?)", states.items())
            self._db.executemany("INSERT INTO changes (at_us, told) VALUES (?, ?)", [(at_us, one) for one in told])

    def unseen_changes(self) -> list[tuple[datetime, str]]:
        """What changed since the user last looked, newest first."""
        rows = self.rows("SELECT at_us, told FROM changes WHERE seen = 0 ORDER BY number DESC", ())
        return [(_moment(at_us), told) for at_us, told in rows]

    def see_changes(self) -> None:
        """The user has seen what changed; the log keeps it."""
        with self.writing():
            self._db.execute("UPDATE changes SET seen = 1 WHERE seen = 0")

    # Answers of slow statistics

    def put_answer(self, name: str, fingerprint: str, value: bytes, at: datetime) -> None:
        """Keep an answer under what it was worked out from; of each name the newest few stay."""
        with self.writing():
            self._db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (name, fingerprint, _microseconds(at), value)
            )
            self._db.execute(
                "DELETE FROM answers WHERE name = ?1 AND fingerprint NOT IN"
                " (SELECT fingerprint FROM answers WHERE name = ?1 ORDER BY made_us DESC LIMIT ?2)",
                (name, MOST_ANSWERS),
            )

    def answer(self, name: str, fingerprint: str) -> bytes | None:
        """The answer kept under this fingerprint; None without one."""
        found = self.rows("SELECT value FROM answers WHERE name = ? AND fingerprint = ?", (name, fingerprint))
        return bytes(found[0][0]) if found else None

    # Universes

    def put_panel(self, panel: Panel, *, source: str) -> None:
        """Keep a universe under its name, in the place of an earlier one of that name.

        Arrays are stored raw. Compressed, prices shrink by half only, and unpacking takes twice as long as
        reading all that is raw: for 2,000 names x 2,520 days 140 ms more to save 20 MB.
        """
        if not panel.close.size:
            raise BadMarketDataError(panel.name, "close", panel.close.shape, "a universe needs days and names")
        with self.writing():
            self._db.execute(
                "INSERT OR REPLACE INTO panels VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    panel.name,
                    panel.compiled.isoformat(),
                    _microseconds(datetime.now(UTC)),
                    json.dumps(panel.tickers),
                    panel.days.astype(np.int64).astype("<i4").tobytes(),
                    panel.close.astype("<f8").tobytes(),
                    self._source_id(source),
                ),
            )
        self._changed(history=True)

    def panel(self, name: str | None = None) -> Panel | None:
        """Return the universe of that name, or the newest; None where there is none."""
        newest = "ORDER BY imported_us DESC, rowid DESC LIMIT 1"
        where, arguments = (newest, ()) if name is None else ("WHERE name = ?", (name,))
        rows = self.rows(f"SELECT name, compiled, tickers, days, close FROM panels {where}", arguments)
        if not rows:
            return None
        found, compiled, tickers, days, close = rows[0]
        names = tuple(json.loads(tickers))
        return Panel(
            found,
            names,
            np.frombuffer(days, "<i4").astype("datetime64[D]"),
            np.frombuffer(close, "<f8").reshape(-1, len(names)),
            date.fromisoformat(compiled),
        )

    def panels(self) -> list[PanelInfo]:
        """What universes there are, newest first."""
        rows = self.rows(
            "SELECT name, tickers, substr(days, 1, 4), substr(days, -4), compiled, imported_us FROM panels"
            " ORDER BY imported_us DESC, rowid DESC",
            (),
        )
        return [
            PanelInfo(
                name,
                len(json.loads(tickers)),
                _day(first),
                _day(last),
                date.fromisoformat(compiled),
                _moment(imported),
            )
            for name, tickers, first, last, compiled, imported in rows
        ]

    # Within

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all that is put within one write: all of it or nothing, seen by others at once."""
        with self.writing():
            self._held_back = []
            try:
                yield
            finally:
                changes, self._held_back = self._held_back, None
        for history, bars_of in changes:
            self._changed(history=history, bars_of=bars_of)

    @contextmanager
    @override
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._held_back is not None:  # within `together`
                yield self._db
                return
            with super().writing():
                yield self._db

    @override
    def _taken_back(self) -> None:
        self._sources.clear()  # an id given in the transaction is gone with it

    def _source_id(self, name: str) -> int:
        if name not in self._sources:
            self._db.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (name,))
            found = self._db.execute("SELECT id FROM sources WHERE name = ?", (name,)).fetchone()
            self._sources[name] = int(found[0])
        return self._sources[name]

    def _changed(self, *, history: bool, bars_of: str | None = None) -> None:
        """Count a change; only after it was committed, or a reader would take the old rows for the new."""
        with self._lock:
            if self._held_back is not None:
                self._held_back.append((history, bars_of))
                return
            self._changes += 1
            self._history_changes += history
            if bars_of is not None:
                self._bar_changes[bars_of] = self._bar_changes.get(bars_of, 0) + 1


_SELECT_QUOTE = (
    "SELECT symbol, price, event_us, arrival_us, name, previous_close, open_price, declared_delay_s"
    " FROM quotes JOIN sources ON sources.id = quotes.source_id"
)


def _table(rows: Sequence[tuple[float, ...]], width: int) -> FloatArray:
    return np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * width).reshape(-1, width)


def _quote(row: Sequence[Any]) -> Quote:
    symbol, price, event_us, arrival_us, source, previous_close, open_price, delay = row
    event, arrival = _moment(event_us), _moment(arrival_us)
    return Quote(symbol, price, event, arrival, source, previous_close, open_price, delay)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _seconds(at: datetime | None, otherwise: int) -> int:
    return otherwise if at is None else -(-_microseconds(at) // 1_000_000)


def _day(packed: bytes) -> date:
    return date(1970, 1, 1) + timedelta(days=int.from_bytes(packed, "little", signed=True))
