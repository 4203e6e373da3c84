"""The calendar of scheduled releases: CPI, Employment Situation, PCE, PPI and FOMC decisions.

The shipped table (resources/releases.csv) holds published dates and New York times; `merge` puts in its place
what publishers' calendars say. Nothing is extrapolated: past its end there is no next release, and `known_to` says
where that is. PCE is not in the table: its dates come from a publisher, or not at all. Other days are in `marks`.
"""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeAlias, overload

from desktop.market.known import Unknown, UserError
from desktop.market.sessions import NYSE, new_york, trading_day
from desktop.market.store import Sighting, Store
from resources import path as resource


class ReleaseKind(StrEnum):
    """What is released; the order is that of releases of one moment."""

    CPI = "cpi"
    NFP = "nfp"
    PCE = "pce"
    PPI = "ppi"
    FOMC = "fomc"


NAMES = {
    ReleaseKind.CPI: "CPI",
    ReleaseKind.NFP: "Employment Situation",
    ReleaseKind.PCE: "PCE",
    ReleaseKind.PPI: "PPI",
    ReleaseKind.FOMC: "FOMC decision",
}
SHIPPED_ON = date(2026, 8, 6)
"""The day the shipped table was as published."""
CASH_MARKET_CLOSED = "the cash market is closed on this day: futures alone react"

Entry: TypeAlias = tuple[datetime, ReleaseKind]
"""Moment (UTC) and kind: one row of the table."""


class ReleaseFileError(UserError):
    """The table of releases cannot be read; carries the file and what is wrong with it."""

    def __init__(self, file: Path, cause: str) -> None:
        super().__init__(f"{file}: {cause}: needs columns kind,date,time_et as in cpi,2024-07-11,08:30")
        self.file, self.cause = file, cause


@dataclass(frozen=True, slots=True)
class Release:
    """One scheduled release: `at` in UTC; `detail` says what is special about it, "" when nothing is."""

    kind: ReleaseKind
    name: str
    at: datetime
    detail: str
    market_closed: bool


def read_schedule(file: Path) -> tuple[Entry, ...]:
    """Read a table of releases, oldest first; raise ReleaseFileError with the row at fault."""
    lines = file.read_text(encoding="utf-8").splitlines()
    entries: list[Entry] = []
    for row in csv.DictReader(line for line in lines if line and not line.startswith("#")):
        try:
            day, clock = date.fromisoformat(row["date"]), time.fromisoformat(row["time_et"])
            entries.append((datetime.combine(day, clock, new_york).astimezone(UTC), ReleaseKind(row["kind"])))
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseFileError(file, f"row {row} is no release") from error
    if not entries:
        raise ReleaseFileError(file, "holds no releases")
    if len(set(entries)) < len(entries):
        raise ReleaseFileError(file, "holds a release twice")
    return tuple(sorted(entries, key=_rank))


_ORDER = {kind: place for place, kind in enumerate(ReleaseKind)}


def _rank(entry: Entry) -> tuple[datetime, int]:
    return entry[0], _ORDER[entry[1]]


LONGEST_GAP = timedelta(days=70)
"""No kind of release pauses for longer: an entry further ahead is not the next one but the first of the table."""


class Schedule:
    """Releases by time. Never changes: a schedule that was corrected is another one."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(set(entries), key=_rank))
        self._of_kind = {kind: tuple(one for one in self.entries if one[1] is kind) for kind in ReleaseKind}

    def next(self, at: datetime, kind: ReleaseKind | None = None) -> Release | None:
        """First release (of `kind`) after `at`; None where the published schedule ends, and before it begins."""
        entries = self._entries(kind)
        index = bisect_right(entries, at, key=_moment)
        if index == len(entries) or (index == 0 and _moment(entries[0]) - at > LONGEST_GAP):
            return None
        return _release(entries[index])

    def last(self, at: datetime, kind: ReleaseKind | None = None) -> Release | None:
        """Latest release (of `kind`) at or before `at`; None before the schedule begins."""
        entries = self._entries(kind)
        index = bisect_right(entries, at, key=_moment)
        return _release(entries[index - 1]) if index else None

    def between(self, start: datetime, end: datetime, kind: ReleaseKind | None = None) -> tuple[Release, ...]:
        """Releases (of `kind`) with start <= at < end, oldest first."""
        entries = self._entries(kind)
        first, last = (bisect_left(entries, moment, key=_moment) for moment in (start, end))
        return tuple(_release(entry) for entry in entries[first:last])

    def on_day(self, day: date) -> tuple[Release, ...]:
        """Releases on a New York day, oldest first."""
        start = datetime.combine(day, time.min, new_york)
        return self.between(start, datetime.combine(day, time.max, new_york))

    def days_of(self, kind: ReleaseKind) -> list[date]:
        """New York days of the releases of `kind`, oldest first."""
        return [trading_day(at) for at, _ in self._of_kind[kind]]

    def kind_known_to(self, kind: ReleaseKind) -> date | Unknown:
        """Last New York day with a release of `kind`; Unknown where no date of it is known."""
        held = self._of_kind[kind]
        return trading_day(_moment(held[-1])) if held else Unknown(f"no date of {NAMES[kind]} is known")

    def known_to(self, at: datetime | None = None) -> date:
        """Last New York day that the schedule covers: the earliest end of its kinds, but for those in `open`."""
        left_out = () if at is None else self.open(at)
        ends = [_moment(held[-1]) for kind, held in self._of_kind.items() if held and kind not in left_out]
        return trading_day(min(ends))

    def open(self, at: datetime) -> tuple[ReleaseKind, ...]:
        """Kinds that the shipped table does not hold and of which no date after `at` is known."""
        table = shipped()
        return tuple(
            kind
            for kind, held in self._of_kind.items()
            if not table._of_kind[kind] and (not held or _moment(held[-1]) <= at)
        )

    def _entries(self, kind: ReleaseKind | None) -> tuple[Entry, ...]:
        return self.entries if kind is None else self._of_kind[kind]


# What publishers say

SECOND_HAND = frozenset({"fred calendar"})
"""Publishers who collect the calendars of others: what those say themselves counts before it."""
_MOVED_FORWARD = timedelta(days=14)
"""Two releases of one kind are further apart than this."""
_INSTANT = timedelta(microseconds=1)


class Schedules:
    """The schedule of one store as it was known at a moment; made anew when a calendar says something new."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: int | None = None
        self._sightings: list[Sighting] = []
        self._changes: list[datetime] = []
        self._made: tuple[int, Schedule] | None = None

    def at(self, moment: datetime) -> Schedule:
        """Return the schedule as known at `moment` (UTC): the same object as long as nothing new was seen."""
        version = self._store.history_version
        if version != self._version:
            self._version = version
            sightings = self._store.sightings()
            if sightings != self._sightings:
                times = {one.seen_at for one in sightings} | {one.gone_at for one in sightings}
                self._sightings, self._made = sightings, None
                self._changes = sorted(time for time in times if time is not None)
        known = bisect_right(self._changes, moment)
        if self._made is None or self._made[0] != known:
            self._made = known, merge(schedule(), self._sightings, moment) if known else shipped()
        return self._made[1]


def merge(table: Sequence[Entry], sightings: Iterable[Sighting], as_of: datetime) -> Schedule:
    """Put what publishers' calendars had said by `as_of` in place of what `table` says of the same dates.

    A calendar speaks for the kinds it names, from when it was seen to the last date it ever named: what it does
    not name there is cancelled, or was moved to where it is named. What was past when a calendar was first seen
    stays as it is in the table, with what the calendar adds. A date in the table counts as known at any time.
    """
    by_kind: dict[ReleaseKind, dict[str, list[Sighting]]] = {}
    for one in sorted(sightings, key=lambda one: one.seen_at):
        if one.seen_at <= as_of and one.kind in _VALUES:
            by_kind.setdefault(ReleaseKind(one.kind), {}).setdefault(one.publisher, []).append(one)
    entries = [entry for entry in table if entry[1] not in by_kind]
    for kind, publishers in by_kind.items():
        shipped_dates = [at for at, one in table if one is kind]
        entries += [(at, kind) for at in _merged(shipped_dates, publishers, as_of)]
    return Schedule(entries)


_VALUES = frozenset(kind.value for kind in ReleaseKind)


def _merged(table: Sequence[datetime], publishers: dict[str, list[Sighting]], as_of: datetime) -> set[datetime]:
    """Moments of one kind."""
    kept: set[datetime] = set()
    before: list[list[Sighting]] = []
    for name in sorted(publishers, key=lambda name: (name in SECOND_HAND, name)):
        calendar = publishers[name]
        named = _named(calendar, as_of)
        kept |= {at for at in named if not any(_denies(other, at, named, as_of) for other in before)}
        before.append(calendar)
    still = {at for at in table if not any(_denies(calendar, at, table, as_of) for calendar in before)}
    foreseen = {one.at for calendar in before for one in calendar if one.seen_at < one.at}
    found = still | (kept & foreseen)
    days = {trading_day(at) for at in found}
    for at in sorted(kept - found):  # past when it was seen: no second one on a day that has one
        if trading_day(at) not in days:
            found.add(at)
            days.add(trading_day(at))
    return found


def _named(calendar: Iterable[Sighting], at: datetime) -> set[datetime]:
    """What a calendar named at a moment."""
    return {one.at for one in calendar if one.seen_at <= at and (one.gone_at is None or one.gone_at > at)}


def _denies(calendar: Sequence[Sighting], one: datetime, others: Collection[datetime], as_of: datetime) -> bool:
    """Whether a calendar went as far as `one`, a date among `others`, without naming it while it was to come."""
    if one <= calendar[0].seen_at:  # the first of them
        return False
    before = min(as_of, one - _INSTANT)
    named = _named(calendar, before)
    if one in named:
        return False
    if one <= max(row.at for row in calendar if row.seen_at <= before):
        return True  # taken back dates count: a calendar does not unsay how far it went
    last = max(named, default=one)
    # So soon after the last date that is named, and with that date nowhere else: it was moved forward.
    return one - last <= _MOVED_FORWARD and last not in others and one == min(at for at in others if at > last)


# The shipped table


@cache
def schedule() -> tuple[Entry, ...]:
    """Return the shipped table, oldest first; read once."""
    return read_schedule(resource("releases.csv"))


@cache
def shipped() -> Schedule:
    """Return the schedule of the shipped table alone."""
    return Schedule(schedule())


def next_release(at: datetime, kind: ReleaseKind | None = None) -> Release | None:
    """`Schedule.next` of the shipped table."""
    return shipped().next(at, kind)


def last_release(at: datetime, kind: ReleaseKind | None = None) -> Release | None:
    """`Schedule.last` of the shipped table."""
    return shipped().last(at, kind)


def releases_between(start: datetime, end: datetime, kind: ReleaseKind | None = None) -> tuple[Release, ...]:
    """`Schedule.between` of the shipped table."""
    return shipped().between(start, end, kind)


def on_day(day: date) -> tuple[Release, ...]:
    """`Schedule.on_day` of the shipped table."""
    return shipped().on_day(day)


@overload
def schedule_known_to(kind: None = None) -> date: ...
@overload
def schedule_known_to(kind: ReleaseKind) -> date | Unknown: ...
def schedule_known_to(kind: ReleaseKind | None = None) -> date | Unknown:
    """`Schedule.known_to` of the shipped table, or `Schedule.kind_known_to` of one kind."""
    return shipped().known_to() if kind is None else shipped().kind_known_to(kind)


def _moment(entry: Entry) -> datetime:
    return entry[0]


def _release(entry: Entry) -> Release:
    at, kind = entry
    closed = NYSE.session(trading_day(at)) is None
    return Release(kind, NAMES[kind], at, CASH_MARKET_CLOSED if closed else "", closed)
