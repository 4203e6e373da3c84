"""U.S. Treasury: par yields of the day by maturity, percent, one CSV file a year, newest first.

A day's yields count as known from its evening on, as those of FRED do (`files/publication.py`).
"""

from __future__ import annotations

from datetime import date, timedelta

from desktop.market.clock import Clock
from desktop.market.sessions import trading_day
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.publication import FRED_RATES, is_business_day
from desktop.sources.files.result import Request
from desktop.sources.files.text import table_of
from desktop.sources.http import Answer, Http
from desktop.sources.official import (
    DAY_S,
    HOUR_S,
    Known,
    Official,
    columns_of,
    newest_known,
    read_rates,
    refuse,
)

# --- the Treasury's address and columns: all that has to change when it changes ---------------------------------
NAME = "treasury"
URL = (
    "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/{year}/all"
    "?type=daily_treasury_yield_curve&field_tdr_date_value={year}&page&_format=csv"
)
DATE = "Date"
MATURITIES = {"3 Mo": "DGS3MO", "1 Yr": "DGS1", "2 Yr": "DGS2", "10 Yr": "DGS10"}
"""Columns, and the series that FRED makes of them."""

# --- what is believed -------------------------------------------------------------------------------------------
_LONG, _LOWEST_LONG = "DGS10", 0.4
"""The 10-year yield has never closed below .52 % (2020-08-04): a file that stays below this holds fractions."""
_NEW_FILE_DAYS = 14

THIS_YEAR, LAST_YEAR = Dataset("this year", HOUR_S), Dataset("last year", 7 * DAY_S)


class Treasury(Official):
    """The publisher named "treasury".

    Parameters
    ----------
    clock
        Tells which year it is, and what lies in the future.
    known
        What is stored of a series: another one in its place is refused.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = (THIS_YEAR, LAST_YEAR)

    def __init__(self, clock: Clock, known: Known, *, http: Http | None = None) -> None:
        super().__init__(clock, http)
        self._known = known

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        newest = _newest_published(request)
        year = newest.year - (dataset == LAST_YEAR)
        if newest.timetuple().tm_yday <= _NEW_FILE_DAYS:
            stamp = Stamp()  # that of the file of the year before
        answer = self._http.get(URL.format(year=year), dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        table = columns_of(request, table_of(request, answer.text), {DATE: "date", **MATURITIES})
        rates = read_rates(request, table, self._known)
        long = [one.value for one in rates.series.get(_LONG, ())]
        if long and max(long) < _LOWEST_LONG:
            highest = f"its 10-year yield never exceeds {max(long):g} %"
            raise refuse(request, f"{highest}: a fraction in place of a percent")
        return Published(
            known_at=newest_known(rates.series, request.now),
            stamp=answer.stamp,
            series=rates.series,
            note=rates.note,
        )


def _newest_published(request: Request) -> date:
    """Return the latest day whose yields must be out: before the first evening of a year its file is empty."""
    day = trading_day(request.now)
    while FRED_RATES[_LONG](day) > request.now or not is_business_day(day):
        day -= timedelta(days=1)
    return day
