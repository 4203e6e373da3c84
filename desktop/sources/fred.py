"""FRED of the St. Louis Fed: the 2-year yield without a key, release dates with one.

The 2-year yield is the Treasury's, a day later: it fills days that are not stored, and where it differs from what
is stored by more than a basis point it says so and leaves it. Release dates need a key of the user's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote, quote_plus

from desktop.market.clock import Clock
from desktop.market.releases import NAMES, Entry, ReleaseKind
from desktop.market.sessions import new_york, trading_day
from desktop.market.store import Observation, SeriesView
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.result import Request, examples
from desktop.sources.files.text import table_of
from desktop.sources.http import Answer, Http
from desktop.sources.official import (
    DAY_S,
    HOUR_S,
    Known,
    Official,
    columns_of,
    member,
    newest_known,
    read_json,
    read_rates,
    refuse,
    table_of_rows,
)

# --- FRED's addresses and fields: all that has to change when FRED changes --------------------------------------
NAME, CALENDAR_NAME = "fred", "fred calendar"
SERIES_URL = "https://fred.stlouisfed.org/graph/fredgraph.csv?id={series}"
DATES_URL = (
    "https://api.stlouisfed.org/fred/release/dates?release_id={release}&realtime_start={since}"
    "&include_release_dates_with_no_data=true&sort_order=asc&limit=1000&file_type=json&api_key={key}"
)
DATES = ("observation_date", "DATE")
"""What the column of dates is called, and was called to 2024."""
TWO_YEAR = "DGS2"
RELEASES = {ReleaseKind.CPI: 10, ReleaseKind.NFP: 50, ReleaseKind.PCE: 54, ReleaseKind.PPI: 46}
RELEASE_DATES, RELEASE, DAY = "release_dates", "release_id", "date"

# --- what is believed -------------------------------------------------------------------------------------------
_APART_PP = 0.01 + 1e-9
"""One basis point, the precision of both."""
_LONG_DAYS, _LOWEST_LONG = 5000, 1.0
"""In no twenty years since 1976 has the 2-year yield stayed below 1 %: a file that does holds fractions."""
_RELEASED = time(8, 30)
"""In New York; FRED gives dates alone. All four come at this time."""
_BACK, _AHEAD = timedelta(days=40), timedelta(days=800)
NO_KEY = "no key"


class Fred(Official):
    """The publisher named "fred": series, without a key.

    Parameters
    ----------
    clock
        Tells what lies in the future.
    known
        What is stored of a series.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = (Dataset(TWO_YEAR, 6 * HOUR_S),)

    def __init__(self, clock: Clock, known: Known, *, http: Http | None = None) -> None:
        super().__init__(clock, http)
        self._known = known

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        answer = self._http.get(SERIES_URL.format(series=dataset.name), dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        table = table_of(request, answer.text)
        dates = DATES[1] if DATES[1] in table.header else DATES[0]
        table = columns_of(request, table, {dates: "date", dataset.name: dataset.name})
        rates = read_rates(request, table, self._known)
        rows = rates.series[dataset.name]
        if len(rows) > _LONG_DAYS and (highest := max(one.value for one in rows)) < _LOWEST_LONG:
            raise refuse(request, f"its values never exceed {highest:g}: fractions in place of percents")
        held = self._known(dataset.name)
        return Published(
            known_at=newest_known(rates.series, request.now),
            stamp=answer.stamp,
            series={dataset.name: _missing(rows, held)},
            note="; ".join(filter(None, (_differences(rows, held), rates.note))),
        )


def _missing(rows: tuple[Observation, ...], held: SeriesView) -> tuple[Observation, ...]:
    """Only what is not stored: elsewhere the Treasury, or an imported file, was first."""
    stored = set(held.days.tolist())
    return tuple(one for one in rows if one.day not in stored)


def _differences(rows: tuple[Observation, ...], held: SeriesView) -> str:
    stored = dict(zip(held.days.tolist(), held.values.tolist(), strict=True))
    off = [one for one in rows if one.day in stored and abs(one.value - stored[one.day]) > _APART_PP]
    if not off:
        return ""
    newest = off[-1]
    days = f"on {len(off)} days, last " if len(off) > 1 else ""
    values = f"{newest.value:g} % against {stored[newest.day]:g} %"
    return f"FRED differs from what is stored {days}on {newest.day}: {values}"


class FredCalendar(Official):
    """The publisher named "fred calendar": dates of CPI, Employment Situation, PCE and PPI, with a key.

    Parameters
    ----------
    clock
        Tells from when on dates are asked for.
    key
        The user's key, None without one; asked often and by any thread, so it must answer at once.
    http
        Asks; made here unless given.
    """

    name = CALENDAR_NAME
    datasets: tuple[Dataset, ...] = tuple(Dataset(NAMES[kind], DAY_S / 2) for kind in RELEASES)

    def __init__(self, clock: Clock, key: Callable[[], str | None], *, http: Http | None = None) -> None:
        super().__init__(clock, http or Http(CALENDAR_NAME, clock, keyed=True))
        self._key = key

    @property
    def off(self) -> str:
        """Off without a key."""
        return "" if self._key() else NO_KEY

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        """Ask for the dates of one kind of release; no message holds the key."""
        outcome = super().fetch(dataset, stamp)
        key = self._key()
        if isinstance(outcome, Failure) and key:
            return replace(outcome, message=_without(key, outcome.message))
        return outcome

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        kind = next(one for one in RELEASES if NAMES[one] == dataset.name)
        key = self._key() or ""
        since = trading_day(request.now) - _BACK
        url = DATES_URL.format(release=RELEASES[kind], since=since, key=quote(key, safe=""))
        answer = self._http.get(url, dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        rows = member(request, read_json(request, answer), RELEASE_DATES, list)
        days = _days(request, RELEASES[kind], table_of_rows(request, rows, (RELEASE, DAY)).rows)
        days = sorted({day for day in days if since <= day and day.weekday() < 5})
        if not days:
            raise refuse(request, "it holds no date of a working day")
        return Published(
            known_at=request.now, stamp=answer.stamp, releases=_entries(kind, days), note=_doubles(days)
        )


def _days(request: Request, release: int, rows: list[list[str]]) -> list[date]:
    found = []
    for number, text in rows:
        if number != str(release):
            raise refuse(request, f"it holds dates of release {number[:20]}, not of {release}")
        try:
            found.append(date.fromisoformat(text))
        except ValueError as error:
            raise refuse(request, f"{text[:40]!r} is no date") from error
        if found[-1] > trading_day(request.now) + _AHEAD:
            raise refuse(request, f"{text} is further ahead than any calendar reaches")
    return found


def _entries(kind: ReleaseKind, days: list[date]) -> tuple[Entry, ...]:
    return tuple((datetime.combine(day, _RELEASED, new_york).astimezone(UTC), kind) for day in days)


def _doubles(days: list[date]) -> str:
    """Say where a month has two dates: FRED also lists yearly revisions that are published apart."""
    months = Counter((day.year, day.month) for day in days)
    twice = [str(day) for day in days if months[day.year, day.month] > 1]
    return f"more than one date in a month: {examples(twice)}" if twice else ""


def _without(key: str, text: str) -> str:
    for spelling in {key, quote(key, safe=""), quote_plus(key)}:
        text = text.replace(spelling, "***")
    return text
