"""What the user keeps about releases, in the book: own events, the armed one, its references, surprises."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from desktop.analytics.reactions import Trade
from desktop.analytics.surprise import Surprise
from desktop.book import Book
from desktop.market.arming import Armed, Deed
from desktop.market.marks import OwnEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ReleaseRecords:
    """Tables own_events, armed, frozen, deeds and surprises of one book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    @property
    def version(self) -> object:
        """Differs after every change of the book."""
        return self._book.version

    # Own events

    def own_events(self) -> tuple[OwnEvent, ...]:
        """All of them, oldest first."""
        rows = self._book.rows("SELECT number, title, at_us FROM own_events ORDER BY at_us, number")
        return tuple(OwnEvent(number, title, _moment(at)) for number, title, at in rows)

    def keep_own(self, event: OwnEvent) -> OwnEvent:
        """Keep an event: a new one where its number is 0, else in the place of the one it has."""
        with self._book.writing() as db:
            given = (event.number or None, event.title, _us(event.at))
            number = db.execute("INSERT OR REPLACE INTO own_events VALUES (?, ?, ?)", given).lastrowid
        return OwnEvent(int(number or event.number), event.title, event.at)

    def drop_own(self, number: int) -> None:
        """Forget an event."""
        with self._book.writing() as db:
            db.execute("DELETE FROM own_events WHERE number = ?", (number,))

    # The armed release

    def armed(self) -> Armed | None:
        """What is armed; None where nothing is."""
        rows = self._book.rows("SELECT at_us, kinds, name, armed_us, told FROM armed WHERE one = 1")
        if not rows:
            return None
        at, kinds, name, since, told = rows[0]
        return Armed(_moment(at), tuple(json.loads(kinds)), name, _moment(since), told)

    def arm(self, armed: Armed | None) -> None:
        """Arm it in the place of what was armed; None disarms."""
        with self._book.writing() as db:
            db.execute("DELETE FROM armed")
            if armed is not None:
                row = (_us(armed.at), json.dumps(armed.kinds), armed.name, _us(armed.armed_at), armed.told)
                db.execute("INSERT INTO armed VALUES (1, ?, ?, ?, ?, ?)", row)

    def deeds(self, at: datetime) -> list[Deed]:
        """Refreshes of the armed release of `at`, carried out and missed."""
        rows = self._book.rows("SELECT offset_s, done_us FROM deeds WHERE at_us = ? ORDER BY offset_s", (_us(at),))
        return [Deed(offset, None if done is None else _moment(done)) for offset, done in rows]

    def keep_deeds(self, at: datetime, deeds: Sequence[Deed]) -> None:
        """Keep what became of the refreshes of the release of `at`."""
        rows = [(_us(at), one.offset_s, None if one.done_at is None else _us(one.done_at)) for one in deeds]
        with self._book.writing() as db:
            db.execute("DELETE FROM deeds WHERE at_us = ?", (_us(at),))
            db.executemany("INSERT INTO deeds VALUES (?, ?, ?)", rows)

    # Frozen references

    def frozen(self, at: datetime, as_of: datetime) -> Mapping[str, Trade]:
        """References of the release of `at` that had been frozen by `as_of`, by symbol."""
        rows = self._book.rows(
            "SELECT symbol, price, event_us FROM frozen WHERE at_us = ? AND frozen_us <= ?", (_us(at), _us(as_of))
        )
        return {symbol: Trade(price, _moment(event)) for symbol, price, event in rows}

    def freeze(self, at: datetime, trades: Mapping[str, Trade], now: datetime) -> None:
        """Freeze references; one that is frozen stays as it is."""
        rows = [(_us(at), symbol, one.price, _us(one.at), _us(now)) for symbol, one in trades.items()]
        with self._book.writing() as db:
            db.executemany("INSERT OR IGNORE INTO frozen VALUES (?, ?, ?, ?, ?)", rows)

    # Surprises

    def surprises(self, kind: str) -> Mapping[datetime, Surprise]:
        """What was typed of the releases of `kind`, by moment."""
        rows = self._book.rows("SELECT at_us, consensus, actual, unit FROM surprises WHERE kind = ?", (kind,))
        return {_moment(at): Surprise(consensus, actual, unit) for at, consensus, actual, unit in rows}

    def keep_surprise(self, kind: str, at: datetime, typed: Surprise) -> None:
        """Keep what was typed of one release, in the place of what was there."""
        with self._book.writing() as db:
            row = (kind, _us(at), typed.consensus, typed.actual, typed.unit)
            db.execute("INSERT OR REPLACE INTO surprises VALUES (?, ?, ?, ?, ?)", row)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
