"""New York Fed: the effective federal funds rate, and the target range it was to keep.

A JSON document, `refRates`, newest first. The rate of a day is published on the next business day at 09:00 in New
York, revised the same day at 14:30 where it must be; the target range is announced before it applies.
"""

from __future__ import annotations

from math import isfinite

from desktop.market.clock import Clock
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.fields import number
from desktop.sources.files.result import Request
from desktop.sources.files.text import Table
from desktop.sources.http import Answer, Http
from desktop.sources.official import (
    HOUR_S,
    Known,
    Official,
    member,
    newest_known,
    read_json,
    read_rates,
    refuse,
    table_of_rows,
)

# --- the New York Fed's address and fields: all that has to change when it changes ------------------------------
NAME = "new york fed"
URL = "https://markets.newyorkfed.org/api/rates/unsecured/effr/last/{days}.json"
RATES, TYPE, EFFR = "refRates", "type", "EFFR"
DAY, RATE, LOW, HIGH = "effectiveDate", "percentRate", "targetRateFrom", "targetRateTo"
REVISED = "revisionIndicator"
FIELDS = (DAY, TYPE, RATE, LOW, HIGH)
SERIES = ("EFFR", "DFEDTARL", "DFEDTARU")
"""FRED's names of rate, lower and upper end of the range."""

# --- what is believed -------------------------------------------------------------------------------------------
_DAYS = 250
_STRAYS_PP = 0.75
"""How far outside the range the rate may lie; since the range exists it was .1 at most (2015-12-16)."""
_NARROWEST_PP = 0.2
"""A target range is a quarter of a point wide."""


class NewYorkFed(Official):
    """The publisher named "new york fed".

    Parameters
    ----------
    clock
        Tells what lies in the future.
    known
        What is stored of a series: another one in its place is refused.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = (Dataset("EFFR", HOUR_S),)

    def __init__(self, clock: Clock, known: Known, *, http: Http | None = None) -> None:
        super().__init__(clock, http)
        self._known = known

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        answer = self._http.get(URL.format(days=_DAYS), dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        rows = member(request, read_json(request, answer), RATES, list)
        rates = read_rates(request, _table(request, rows), self._known)
        if EFFR not in rates.series:
            raise refuse(request, f"it holds no rate that can be used: {rates.note}")
        return Published(
            known_at=newest_known({EFFR: rates.series[EFFR]}, request.now),
            stamp=answer.stamp,
            series=rates.series,
            note=rates.note,
        )


def _table(request: Request, rows: list[dict[str, object]]) -> Table:
    """Rate and range by day; a revised rate stands in place of the first one."""
    found = table_of_rows(request, rows, FIELDS)
    revised = {row[DAY] for row in rows if row.get(REVISED) and DAY in row}
    kept = []
    for row, (day, kind, rate, low, high) in zip(rows, found.rows, strict=True):
        if kind != EFFR:
            raise refuse(request, f"it is about {kind[:20]!r}, not {EFFR}")
        _check(request, day, number(rate), number(low), number(high))
        if row.get(REVISED) or row.get(DAY) not in revised:
            kept.append([day, rate, low, high])
    return Table(("date", *SERIES), kept)


def _check(request: Request, day: str, rate: float, low: float, high: float) -> None:
    if not isfinite(low) or not isfinite(high):
        return
    told = f"{low:g} to {high:g} on {day}"
    if high - low < _NARROWEST_PP:
        raise refuse(request, f"{told} is no target range in percent")
    if isfinite(rate) and not low - _STRAYS_PP <= rate <= high + _STRAYS_PP:
        raise refuse(request, f"a rate of {rate:g} is no percent of a target range of {told}")
