"""Sessions, holidays, half days and phases of the exchanges, in UTC.

Sessions are those of the exchange_calendars library. Loading it takes half a second, so its days off and early
closes lie in a table, resources/sessions.csv, written by `python -m desktop.market.sessions`; a test compares the
table with the library over its whole range. Days past the table are asked of the library itself.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, cached_property
from io import StringIO
from zoneinfo import ZoneInfo

import numpy as np

import resources
from desktop.market.known import UserError
from desktop.market.quotes import DayArray, require_utc

new_york = ZoneInfo("America/New_York")
TABLE = "sessions.csv"
TABLE_FIRST, TABLE_LAST = date(1985, 1, 2), date(2027, 12, 31)
_PRE_OPENS, _POST_CLOSES = time(4, 0), time(20, 0)
_REACH = timedelta(days=14)
"""Longer than any closure: after 2001-09-11 the exchange was shut for six days."""


class AsOfError(UserError):
    """Text that names no moment; carries the text."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"as-of {text!r}: {why}; write a date (2024-07-11) or an ISO time with zone (2024-07-11T10:30-04:00)"
        )
        self.text, self.why = text, why


class CalendarRangeError(UserError):
    """A moment for which no sessions are known; carries calendar and day."""

    def __init__(self, calendar: str, day: date) -> None:
        super().__init__(f"{calendar}: no sessions are known around {day}; they begin {TABLE_FIRST}")
        self.calendar, self.day = calendar, day


class Phase(StrEnum):
    """What the exchange is doing at a moment."""

    PRE = "pre"
    REGULAR = "regular"
    POST = "post"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: `day` is its New York date, `open` and `close` are UTC."""

    day: date
    open: datetime
    close: datetime
    early_close: bool


@dataclass(frozen=True, slots=True)
class _Hours:
    """Usual hours in New York; `opens_day_before` for a session that begins the evening before."""

    opens: time
    closes: time
    opens_day_before: bool = False


_HOURS = {
    "XNYS": _Hours(time(9, 30), time(16, 0)),
    "CMES": _Hours(time(18, 0), time(17, 0), opens_day_before=True),
}
"""CME pauses from 17:00 to 18:00; the library counts that hour to the session that ends."""


class Calendar:
    """Sessions of one exchange: XNYS for cash, CMES for futures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._hours = _HOURS[name]

    @cached_property
    def _exceptions(self) -> Mapping[date, time | None]:
        """Early close by day; None for a day off."""
        return _table()[self.name]

    def session(self, day: date) -> Session | None:
        """Return the session of a New York date, None when there is none."""
        if day < TABLE_FIRST:
            raise CalendarRangeError(self.name, day)
        closes: time | None = self._hours.closes
        if day > TABLE_LAST:
            closes = _beyond_the_table(self.name, day.year).get(day)
        elif day.weekday() >= 5:
            closes = None
        elif day in self._exceptions:
            closes = self._exceptions[day]
        if closes is None:
            return None
        opening_day = day - timedelta(days=1) if self._hours.opens_day_before else day
        return Session(
            day,
            datetime.combine(opening_day, self._hours.opens, new_york).astimezone(UTC),
            datetime.combine(day, closes, new_york).astimezone(UTC),
            closes != self._hours.closes,
        )

    def phase(self, at: datetime) -> Phase:
        """Return what the exchange does at `at`; futures know only regular and closed."""
        local = _local(at)
        if self._hours.opens_day_before:
            session = self.session(local.date() + timedelta(days=local.time() >= self._hours.opens))
            trading = session is not None and session.open <= at < session.close
            return Phase.REGULAR if trading else Phase.CLOSED
        session = self.session(local.date())
        if session is None or not _PRE_OPENS <= local.time() < _POST_CLOSES:
            return Phase.CLOSED
        if at < session.open:
            return Phase.PRE
        return Phase.REGULAR if at < session.close else Phase.POST

    def last_started(self, at: datetime) -> Session:
        """Return the latest session whose open is at or before `at`."""
        return self._search(trading_day(at) + timedelta(days=1), -1, lambda one: one.open <= at)

    def last_closed(self, at: datetime) -> Session:
        """Return the latest session whose close is at or before `at`."""
        return self._search(trading_day(at), -1, lambda one: one.close <= at)

    def next_open(self, at: datetime) -> Session:
        """Return the first session whose open is after `at`."""
        return self._search(trading_day(at), +1, lambda one: one.open > at)

    def previous(self, day: date) -> Session:
        """Return the session before `day`."""
        return self._search(day - timedelta(days=1), -1, lambda _: True)

    def _search(self, start: date, step: int, wanted: Callable[[Session], bool]) -> Session:
        for distance in range(_REACH.days):
            session = self.session(start + timedelta(days=step * distance))
            if session is not None and wanted(session):
                return session
        raise CalendarRangeError(self.name, start)

    def days(self, first: date, last: date) -> DayArray:
        """Session days from `first` to `last`, both included, datetime64[D]."""
        if first < TABLE_FIRST:
            raise CalendarRangeError(self.name, first)
        inside = self._table_days
        begin, end = (
            np.searchsorted(inside, np.datetime64(first), "left"),
            np.searchsorted(inside, np.datetime64(last), "right"),
        )
        if last <= TABLE_LAST:
            return inside[begin:end]
        beyond = [
            day
            for year in range(TABLE_LAST.year + 1, last.year + 1)
            for day in sorted(_beyond_the_table(self.name, year))
            if first <= day <= last
        ]
        return np.concatenate([inside[begin:end], np.array(beyond, dtype="datetime64[D]")])

    @cached_property
    def _table_days(self) -> DayArray:
        every = np.arange(np.datetime64(TABLE_FIRST), np.datetime64(TABLE_LAST) + 1)
        weekdays = every[(every.astype(np.int64) + 3) % 7 < 5]  # 1970-01-01 was a Thursday
        off = np.array([day for day, closes in self._exceptions.items() if closes is None], dtype="datetime64[D]")
        days: DayArray = np.setdiff1d(weekdays, off, assume_unique=True)
        days.flags.writeable = False
        return days

    def missing(self, days: DayArray, since: date | None = None) -> DayArray:
        """Sessions between the first (or `since`) and the last of `days` that are not among them."""
        if not len(days):
            return days
        first = days[0] if since is None else max(days[0], np.datetime64(since))
        return np.setdiff1d(self.days(_date(first), _date(days[-1])), days)

    def not_sessions(self, days: DayArray) -> DayArray:
        """Those of `days` (in order) on which there was no session."""
        return np.setdiff1d(days, self.days(_date(days[0]), _date(days[-1]))) if len(days) else days


NYSE = Calendar("XNYS")
CME = Calendar("CMES")


def trading_day(at: datetime) -> date:
    """New York date of `at`."""
    return _local(at).date()


def _local(at: datetime) -> datetime:
    return require_utc("sessions", "at", at).astimezone(new_york)


def end_of_day(day: date) -> datetime:
    """The last moment of a New York day, in UTC: its close and its evening publications are known."""
    return datetime.combine(day, time.max, new_york).astimezone(UTC)


def parse_as_of(text: str) -> datetime:
    """Read a date (meaning the end of that day in New York) or an ISO time with zone; returns UTC.

    Raises
    ------
    AsOfError
        For anything else, a time without a zone included.
    """
    try:
        try:
            return end_of_day(date.fromisoformat(text))
        except ValueError:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise AsOfError(text, "has no zone")
        return moment.astimezone(UTC)
    except ValueError as error:
        raise AsOfError(text, "is no moment") from error
    except OverflowError as error:
        raise AsOfError(text, "is too far away") from error


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


@cache
def _table() -> Mapping[str, Mapping[date, time | None]]:
    found: dict[str, dict[date, time | None]] = {name: {} for name in _HOURS}
    lines = resources.path(TABLE).read_text(encoding="utf-8").splitlines()
    for name, day, closes in csv.reader(line for line in lines if line[0] != "#"):
        found[name][date.fromisoformat(day)] = time.fromisoformat(closes) if closes else None
    return found


@cache
def _beyond_the_table(name: str, year: int) -> Mapping[date, time]:
    """Close in New York by session day of a year that the table does not hold."""
    return library_closes(name, date(year, 1, 1), date(year, 12, 31))


def library_closes(name: str, first: date, last: date) -> Mapping[date, time]:
    """Close in New York by session day, as exchange_calendars has it, CME's daily pause left out."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(name, start=first.isoformat(), end=last.isoformat())
    closes = calendar.closes.dt.tz_convert("America/New_York")
    usual = _HOURS[name].closes
    return {day.date(): min(close.time(), usual) for day, close in closes.items()}


def write_table() -> str:
    """Text of resources/sessions.csv: every day off and early close of the table's range."""
    import exchange_calendars

    out = StringIO()
    out.write(
        f"# Weekdays without a session (no time) and early closes (New York), {TABLE_FIRST}..{TABLE_LAST}.\n"
        f"# From exchange_calendars {exchange_calendars.__version__} by `python -m desktop.market.sessions`.\n"
    )
    weekdays = [TABLE_FIRST + timedelta(days=n) for n in range((TABLE_LAST - TABLE_FIRST).days + 1)]
    for name, hours in _HOURS.items():
        closes = library_closes(name, TABLE_FIRST, TABLE_LAST)
        for day in weekdays:
            if day.weekday() < 5 and day not in closes:
                out.write(f"{name},{day},\n")
            elif day in closes and closes[day] != hours.closes:
                out.write(f"{name},{day},{closes[day]:%H:%M}\n")
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.write(write_table())
