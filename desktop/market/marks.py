"""Days that are no release and move the legs all the same: minutes, index changes, expiries, elections.

Each follows a published rule, named in its detail, and is worked out from it; only FOMC minutes have a table of
published days (resources/minutes.csv), and the Fed's rule past its end. Own events are the user's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache

from desktop.market.instruments import QUARTERLY_MONTHS, third_friday
from desktop.market.known import UserError
from desktop.market.releases import Release, ReleaseKind, Schedule
from desktop.market.sessions import NYSE, new_york, trading_day
from resources import path as resource


class MarkKind(StrEnum):
    """What is marked."""

    MINUTES = "minutes"
    RUSSELL = "russell"
    NDX = "ndx"
    EXPIRY = "expiry"
    ELECTION = "election"
    OWN = "own"


MARK_NAMES = {
    MarkKind.MINUTES: "FOMC minutes",
    MarkKind.RUSSELL: "Russell reconstitution",
    MarkKind.NDX: "NDX rebalance",
    MarkKind.EXPIRY: "Option expiry",
    MarkKind.ELECTION: "Election day",
    MarkKind.OWN: "Own events",
}
_MINUTES_AT = time(14)
_CLOSE = time(16)
_WEEK = timedelta(days=7)
_MINUTES_AFTER = timedelta(days=21)
MINUTES_RULE = "three weeks after the decision, the Fed's rule: not published yet; holidays have moved it by days"
RUSSELL_SINCE, RUSSELL_TWICE_SINCE = 2007, 2026
RUSSELL_JUNE = "after the close of the fourth Friday of June, FTSE Russell's rule"
RUSSELL_NOVEMBER = (
    "after the close of the second Friday of November from 2026 on, as FTSE Russell announced in January 2025; "
    "it has since written of December 2026: check its schedule"
)
NDX_YEARLY = "annual reconstitution, after the close of the third Friday of December, Nasdaq's rule"
NDX_QUARTERLY = (
    "quarterly rebalance, after the close of the third Friday of the quarter's last month, Nasdaq's rule"
)
EXPIRY_RULE = "third Friday of the month, Thursday where that Friday is a holiday"


class OwnEventError(UserError):
    """An own event that cannot be kept; carries field, what was typed, and why."""

    def __init__(self, field: str, text: str, why: str) -> None:
        super().__init__(f"{field} {text!r}: {why}")
        self.field, self.text, self.why = field, text, why


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event the user added; `number` is its number in the book, 0 before it is kept."""

    number: int
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the calendar.

    `kind` is a ReleaseKind or MarkKind, `at` UTC; `all_day` events have no time of their own. `weight` orders
    marks where there is room for few: 0 elections, 1 decisions of the Fed, 2 everything else. `release` is True
    where the market reacts at a second: only those can be armed. `number` is that of an own event in the book.
    """

    key: str
    kind: str
    name: str
    at: datetime
    detail: str
    market_closed: bool = False
    all_day: bool = False
    release: bool = False
    weight: int = 2
    number: int = 0


def own_event(title: str, day: str, clock: str, number: int = 0) -> OwnEvent:
    """Read an own event as typed: title, date (2026-12-03), New York time (08:30).

    Raises
    ------
    OwnEventError
        By field: no title, no date, no time, or a time that the clocks skip.
    """
    name = " ".join(title.split())
    if not name or len(name) > 60:
        raise OwnEventError("title", title, "write one to sixty characters")
    try:
        on = date.fromisoformat(day.strip())
    except ValueError as error:
        raise OwnEventError("date", day, "write it like 2026-12-03") from error
    try:
        at = time.fromisoformat(clock.strip())
    except ValueError as error:
        raise OwnEventError("time", clock, "write New York time like 08:30") from error
    if not 1985 < on.year < 2100 or at.tzinfo is not None:
        field, text = ("time", clock) if at.tzinfo is not None else ("date", day)
        raise OwnEventError(field, text, "write New York time without a zone, of the years 1986 to 2099")
    moment = datetime.combine(on, at.replace(second=0, microsecond=0), new_york).astimezone(UTC)
    if moment.astimezone(new_york).time().replace(second=0) != at.replace(second=0, microsecond=0):
        raise OwnEventError("time", clock, f"the clocks skip it on {on}: write another")
    return OwnEvent(number, name, moment)


def of_release(one: Release) -> Event:
    """A release as a line of the calendar."""
    weight = 1 if one.kind is ReleaseKind.FOMC else 2
    return Event(
        key_of(one.kind, one.at),
        one.kind,
        one.name,
        one.at,
        one.detail,
        one.market_closed,
        release=True,
        weight=weight,
    )


def of_own(one: OwnEvent) -> Event:
    """An own event as a line of the calendar."""
    closed = NYSE.session(trading_day(one.at)) is None
    return Event(
        f"{MarkKind.OWN}:{one.number}", MarkKind.OWN, one.title, one.at, "your own event", closed,
        release=True, number=one.number,
    )  # fmt: skip


def key_of(kind: str, at: datetime) -> str:
    """Name of an event: its kind and moment."""
    return f"{kind}:{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def agenda(schedule: Schedule, first: date, last: date, own: Iterable[OwnEvent] = ()) -> tuple[Event, ...]:
    """Everything of the New York days `first` to `last`, both included, oldest first."""
    start = datetime.combine(first, time.min, new_york).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, new_york).astimezone(UTC)
    found = [of_release(one) for one in schedule.between(start, end)]
    found += [one for one in marks(schedule, first.year, last.year) if start <= one.at < end]
    found += [event for one in own if start <= (event := of_own(one)).at < end]
    return tuple(sorted(found, key=lambda one: (one.at, not one.release, one.key)))


@lru_cache(maxsize=8)
def marks(schedule: Schedule, first: int, last: int) -> tuple[Event, ...]:
    """Marks of the years `first` to `last`, both included; those of the Fed rest on `schedule`."""
    found = [*_minutes(schedule)]
    for year in range(first, last + 1):
        found += [*_by_rule(year)]
    return tuple(one for one in sorted(found, key=lambda one: one.at) if first <= trading_day(one.at).year <= last)


def minutes_known_to() -> date:
    """Last day of minutes in the shipped table: what lies after it follows the Fed's rule."""
    return _published_minutes()[-1][0]


@cache
def _published_minutes() -> Sequence[tuple[date, date]]:
    """Day of publication and decision day of the meeting, oldest first."""
    lines = resource("minutes.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return sorted((date.fromisoformat(row["day"]), date.fromisoformat(row["meeting"])) for row in rows)


def _minutes(schedule: Schedule) -> Iterator[Event]:
    published = _published_minutes()
    for day, meeting in published:
        yield _event(MarkKind.MINUTES, "FOMC minutes", day, _MINUTES_AT, f"of the meeting of {meeting}")
    told = published[-1][1]
    for meeting in schedule.days_of(ReleaseKind.FOMC):
        if meeting > told:
            why = f"of the meeting of {meeting}, {MINUTES_RULE}"
            yield _event(MarkKind.MINUTES, "FOMC minutes", meeting + _MINUTES_AFTER, _MINUTES_AT, why)


def _by_rule(year: int) -> Iterator[Event]:
    if year >= RUSSELL_SINCE:
        yield _at_close(MarkKind.RUSSELL, "Russell reconstitution", _friday(year, 6, 4), RUSSELL_JUNE)
    if year >= RUSSELL_TWICE_SINCE:
        yield _at_close(MarkKind.RUSSELL, "Russell reconstitution", _friday(year, 11, 2), RUSSELL_NOVEMBER)
    for month in range(1, 13):
        friday = third_friday(year, month)
        quarterly = month in QUARTERLY_MONTHS
        if quarterly:
            yearly = month == 12
            name, why = ("NDX reconstitution", NDX_YEARLY) if yearly else ("NDX rebalance", NDX_QUARTERLY)
            yield _at_close(MarkKind.NDX, name, friday, why)
        name = "Option expiry, quarterly" if quarterly else "Option expiry"
        yield _at_close(MarkKind.EXPIRY, name, friday, EXPIRY_RULE)
    if year % 2 == 0:
        first = date(year, 11, 1)
        day = first + timedelta(days=(7 - first.weekday()) % 7 + 1)  # the Tuesday after the first Monday
        name = "Presidential election" if year % 4 == 0 else "Midterm election"
        why = "Tuesday after the first Monday of November, by law"
        yield _event(MarkKind.ELECTION, name, day, time.min, why, all_day=True, weight=0)


def _friday(year: int, month: int, number: int) -> date:
    return third_friday(year, month) + (number - 3) * _WEEK


def _at_close(kind: MarkKind, name: str, day: date, why: str) -> Event:
    """At the close of `day`, or of the session before where there is none."""
    session = NYSE.session(day)
    moved = session is None
    session = session or NYSE.previous(day)
    close = session.close.astimezone(new_york).time()
    return _event(kind, name, session.day, close, f"{why}; moved: {day} is a holiday" if moved else why)


def _event(
    kind: MarkKind, name: str, day: date, at: time, why: str, *, all_day: bool = False, weight: int = 2
) -> Event:
    moment = datetime.combine(day, at, new_york).astimezone(UTC)
    closed = NYSE.session(day) is None
    return Event(key_of(kind, moment), kind, name, moment, why, closed, all_day=all_day, weight=weight)
