"""The calendar of scheduled releases: CPI, Employment Situation, PCE, PPI and FOMC decisions.

The shipped table (resources/releases.csv) holds published dates and New York times. Nothing is extrapolated: past
its end there is no next release, and `schedule_known_to` says where that is. PCE is not in the table.
"""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeAlias

from desktop.market.known import UserError
from desktop.market.sessions import NYSE, new_york, trading_day
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
    order = list(ReleaseKind)
    return tuple(sorted(entries, key=lambda entry: (entry[0], order.index(entry[1]))))


LONGEST_GAP = timedelta(days=70)
"""No kind of release pauses for longer: an entry further ahead is not the next one but the first of the table."""


@cache
def schedule() -> tuple[Entry, ...]:
    """Return the shipped table, oldest first; read once."""
    return read_schedule(resource("releases.csv"))


def next_release(at: datetime, kind: ReleaseKind | None = None) -> Release | None:
    """First release (of `kind`) after `at`; None where the published schedule ends, and before it begins."""
    entries = _of_kind(kind)
    index = bisect_right(entries, at, key=_moment)
    if index == len(entries) or (index == 0 and _moment(entries[0]) - at > LONGEST_GAP):
        return None
    return _release(entries[index])


def last_release(at: datetime, kind: ReleaseKind | None = None) -> Release | None:
    """Latest release (of `kind`) at or before `at`; None before the table begins."""
    entries = _of_kind(kind)
    index = bisect_right(entries, at, key=_moment)
    return _release(entries[index - 1]) if index else None


def releases_between(start: datetime, end: datetime, kind: ReleaseKind | None = None) -> tuple[Release, ...]:
    """Releases (of `kind`) with start <= at < end, oldest first."""
    entries = _of_kind(kind)
    first, last = (bisect_left(entries, moment, key=_moment) for moment in (start, end))
    return tuple(_release(entry) for entry in entries[first:last])


def on_day(day: date) -> tuple[Release, ...]:
    """Releases on a New York day, oldest first."""
    start = datetime.combine(day, time.min, new_york)
    return releases_between(start, datetime.combine(day, time.max, new_york))


@cache
def schedule_known_to(kind: ReleaseKind | None = None) -> date:
    """Last New York day the schedule covers: of one kind, or of all that it holds (the earliest of their ends)."""
    if kind is None:
        return min(schedule_known_to(one) for one in {one for _, one in schedule()})
    return trading_day(_of_kind(kind)[-1][0])


@cache
def _of_kind(kind: ReleaseKind | None) -> tuple[Entry, ...]:
    return schedule() if kind is None else tuple(entry for entry in schedule() if entry[1] is kind)


def _moment(entry: Entry) -> datetime:
    return entry[0]


def _release(entry: Entry) -> Release:
    at, kind = entry
    closed = NYSE.session(trading_day(at)) is None
    return Release(kind, NAMES[kind], at, CASH_MARKET_CLOSED if closed else "", closed)
