"""Every manual refresh: when it was asked for, when it was complete, and what came of each source.

Quotes are stored with the moment they arrived and never changed, so the window as of a refresh shows what it
brought. The record is made at once, not when all have answered: one that was cut short is in it too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from desktop.book import Book
from desktop.market.instruments import LIVE_SYMBOLS
from desktop.market.known import UserError
from desktop.market.store import Store
from desktop.presenters.words import source_name
from desktop.redact import redact, secrets_of
from desktop.sources.feed import Feed
from desktop.sources.state import FeedState, SourceState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
GIVE_UP_AFTER = timedelta(minutes=5)
"""A refresh that has not settled by then is recorded as it stands."""

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What came of one source."""

    CAME = "came"
    FAILED = "failed"
    SILENT = "silent"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one source; `told` in words, e.g. "8 new prices", or why nothing came."""

    source: str
    outcome: Outcome
    told: str

    @property
    def words(self) -> str:
        """Yahoo: 8 new prices."""
        return f"{source_name(self.source)}: {self.told}"


@dataclass(frozen=True, slots=True)
class Refresh:
    """One manual refresh, times in UTC; `settled_at` is None where it was cut short."""

    number: int
    asked_at: datetime
    settled_at: datetime | None
    answers: tuple[Answer, ...]

    @property
    def shown_at(self) -> datetime:
        """The moment at which the window knew all of it."""
        return self.settled_at or self.asked_at


class Refreshes:
    """The record of one desk. `asked` comes from the window's thread, `follow` from the engine's."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._wanted: datetime | None = None
        self._open: tuple[int, datetime] | None = None

    def asked(self, at: datetime) -> None:
        """The user asked every source at `at`; costs nothing, `follow` writes."""
        self._wanted = at

    def follow(self, feed: Feed, store: Store, now: datetime) -> None:
        """Record what was asked for, and, once all have answered, what came; cheap when nothing is under way."""
        try:
            wanted, self._wanted = self._wanted, None
            if self._open is not None:
                number, asked_at = self._open
                if wanted is not None or feed.settled or now - asked_at > GIVE_UP_AFTER:
                    self._open = None
                    self._settled(number, now, answers(feed.states(), store, asked_at, now))
            if wanted is not None:
                self._open = self._begun(wanted), wanted
        except UserError as error:  # a book that cannot be written must not hold up the prices
            self._open = None
            log.warning("refresh not recorded: %s", error)

    def note(self, asked_at: datetime, settled_at: datetime, found: Iterable[Answer]) -> None:
        """Record a refresh that is over."""
        self._settled(self._begun(asked_at), settled_at, found)

    def all(self) -> tuple[Refresh, ...]:
        """Every refresh, the latest first."""
        return self.between(_EPOCH, datetime(9000, 1, 1, tzinfo=UTC))[::-1]

    def between(self, first: datetime, last: datetime) -> tuple[Refresh, ...]:
        """Refreshes asked for in [first, last], in order."""
        bounds = (_us(first), _us(last))
        by_refresh: dict[int, list[Answer]] = {}
        for number, source, outcome, told in self._book.rows(
            "SELECT refresh_id, source, outcome, told FROM refresh_answers JOIN refreshes ON id = refresh_id"
            " WHERE asked_us BETWEEN ? AND ? ORDER BY source",
            bounds,
        ):
            by_refresh.setdefault(number, []).append(Answer(source, Outcome(outcome), told))
        rows = self._book.rows(
            "SELECT id, asked_us, settled_us FROM refreshes WHERE asked_us BETWEEN ? AND ? ORDER BY asked_us, id",
            bounds,
        )
        return tuple(_refresh(row, by_refresh.get(row[0], ())) for row in rows)

    def _begun(self, at: datetime) -> int:
        with self._book.writing() as db:
            return db.execute("INSERT INTO refreshes (asked_us) VALUES (?)", (_us(at),)).lastrowid or 0

    def _settled(self, number: int, at: datetime, found: Iterable[Answer]) -> None:
        with self._book.writing() as db:
            db.execute("UPDATE refreshes SET settled_us = ? WHERE id = ?", (_us(at), number))
            db.executemany(
                "INSERT OR REPLACE INTO refresh_answers VALUES (?, ?, ?, ?)",
                [(number, one.source, one.outcome.value, one.told) for one in found],
            )


def answers(states: Iterable[SourceState], store: Store, asked_at: datetime, now: datetime) -> tuple[Answer, ...]:
    """What came of each source between `asked_at` and `now`."""
    quotes = [one for symbol in LIVE_SYMBOLS if (one := store.last_quote(symbol, now)) is not None]
    new = [one.source for one in quotes if one.arrival_time >= asked_at]
    return tuple(_answer(one, new.count(one.source), asked_at) for one in states)


def _answer(state: SourceState, new: int, asked_at: datetime) -> Answer:
    error = state.last_error
    failed = error is not None and error.at >= asked_at
    if state.state is FeedState.OFF:
        return Answer(state.source, Outcome.OFF, state.note or "off")
    if state.last_success is not None and state.last_success >= asked_at:
        told = f"{new} new price{'s' if new != 1 else ''}" if new else "answered"
        if failed and error is not None:
            told += f", {error.symbol or 'one part'} failed: {redact(error.message, secrets_of())}"
        return Answer(state.source, Outcome.CAME, told)
    if failed and error is not None:
        return Answer(state.source, Outcome.FAILED, redact(error.message, secrets_of()))
    return Answer(state.source, Outcome.SILENT, "no answer")


def _refresh(row: tuple[Any, ...], found: Iterable[Answer]) -> Refresh:
    number, asked_us, settled_us = row
    return Refresh(number, _at(asked_us), None if settled_us is None else _at(settled_us), tuple(found))


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _US


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
