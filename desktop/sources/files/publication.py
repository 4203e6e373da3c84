"""When a figure became known: what keeps a back-dated look from seeing tomorrow's data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from desktop.market.sessions import new_york

_EVENING = time(18)
"""The Federal Reserve's H.15 and the Treasury's curve of a day are out by then."""

_MORNING = time(9)
"""The New York Fed publishes the effective rate of the day before at 09:00, SOFR at 08:00."""

_COT = time(15, 30)


@cache
def _federal_holidays() -> frozenset[date]:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    found = USFederalHolidayCalendar().holidays(start="1976-01-01", end="2040-12-31")
    return frozenset(at.date() for at in found)


def is_business_day(day: date) -> bool:
    """Whether `day` is neither weekend nor federal holiday."""
    return day.weekday() < 5 and day not in _federal_holidays()


def next_business_day(day: date) -> date:
    """The first business day after `day`."""
    day += timedelta(days=1)
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, new_york).astimezone(UTC)


def _same_evening(day: date) -> datetime:
    return _at(day, _EVENING)


def _next_morning(day: date) -> datetime:
    return _at(next_business_day(day), _MORNING)


def _from_the_start(day: date) -> datetime:
    """Announced before it applies: the target range the day before, interest on reserves with it."""
    return _at(day, time(0))


def _month_after(day: date) -> datetime:
    """A monthly average, labelled by the first of its month: known on the evening of the next one's first day."""
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return _at(next_business_day(last), _EVENING)


FRED_RATES: dict[str, Callable[[date], datetime]] = {
    **dict.fromkeys(
        ("DGS1MO", "DGS3MO", "DGS6MO", "DGS1", "DGS2", "DGS3", "DGS5", "DGS7", "DGS10", "DGS20", "DGS30"),
        _same_evening,
    ),
    **dict.fromkeys(("DFII5", "DFII10", "T10YIE", "T5YIE", "T10Y2Y", "T10Y3M"), _same_evening),
    **dict.fromkeys(("DFF", "EFFR", "SOFR", "OBFR"), _next_morning),
    **dict.fromkeys(("DFEDTAR", "DFEDTARL", "DFEDTARU", "IORB", "IOER"), _from_the_start),
    "FEDFUNDS": _month_after,
}
"""Series of FRED in percent, and when the value of an observation day became known."""

_DELAYED_COT_TEXT = """
2018-12-24>2019-02-01 2018-12-31>2019-02-05 2019-01-08>2019-02-08 2019-01-15>2019-02-12
2019-01-22>2019-02-15 2019-01-29>2019-02-19 2019-02-05>2019-02-22 2019-02-12>2019-02-26
2019-02-19>2019-03-01 2019-02-26>2019-03-05
2025-09-30>2025-11-19 2025-10-07>2025-11-21 2025-10-14>2025-11-25 2025-10-21>2025-12-02
2025-10-28>2025-12-05 2025-11-04>2025-12-09 2025-11-10>2025-12-12 2025-11-18>2025-12-16
2025-11-25>2025-12-19 2025-12-02>2025-12-23 2025-12-09>2025-12-30 2025-12-16>2026-01-06
2025-12-23>2026-01-09 2025-12-30>2026-01-13 2026-01-06>2026-01-16 2026-01-13>2026-01-20
"""
"""Report day > day of publication. Lapse of December 2018 and January 2019: from 2019-02-01 one report each
Tuesday and Friday until current (CFTC, January 2019). Lapse of October and November 2025: CFTC's schedule of
2025-11-18."""

_DELAYED_COT = {
    date.fromisoformat(report): date.fromisoformat(published)
    for report, _, published in (pair.partition(">") for pair in _DELAYED_COT_TEXT.split())
}


def cot_published(report: date) -> datetime:
    """When the positions of a report day (a Tuesday as a rule) became known, in UTC.

    Friday 15:30 New York of the same week. A federal holiday after the report day, up to and on that Friday,
    moves it to the next business day after Friday (CFTC's schedule of 2024: Juneteenth on a Wednesday,
    Independence Day and Thanksgiving on a Thursday each moved it to Monday; Good Friday, no federal holiday,
    did not).
    Reports held back by a lapse of appropriations in 2018-19 and 2025 carry the days CFTC announced for them.
    """
    if report in _DELAYED_COT:
        return _at(_DELAYED_COT[report], _COT)
    friday = report + timedelta(days=(4 - report.weekday()) % 7)
    between = (report + timedelta(days=n) for n in range(1, (friday - report).days + 1))
    return _at(next_business_day(friday) if any(day in _federal_holidays() for day in between) else friday, _COT)
