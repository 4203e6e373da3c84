"""CFTC: who holds what in Nasdaq-100 and Russell 2000 futures (Traders in Financial Futures, futures only).

A Socrata service: JSON rows whose numbers are text, paged with $limit and $offset, filtered with $where. The rules
for files of the same report turn rows into series (`files/series.py`), known from Friday 15:30 New York as a rule
(`files/publication.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

import numpy as np

from desktop.market.clock import Clock
from desktop.market.sessions import trading_day
from desktop.market.store import Observation, SeriesView
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.result import Request
from desktop.sources.files.series import parse_tff
from desktop.sources.http import Answer, Http
from desktop.sources.official import (
    DAY_S,
    HOUR_S,
    Known,
    Official,
    newest_known,
    note_of,
    read_json,
    refuse,
    shared,
    table_of_rows,
)

# --- CFTC's address and fields: all that has to change when it changes ------------------------------------------
NAME = "cftc"
URL = "https://publicreporting.cftc.gov/resource/gpe5-46if.json"
CODE, MARKET, DAY = "cftc_contract_market_code", "market_and_exchange_names", "report_date_as_yyyy_mm_dd"
FIELDS = (
    CODE,
    MARKET,
    DAY,
    "open_interest_all",
    "asset_mgr_positions_long",
    "asset_mgr_positions_short",
    "lev_money_positions_long",
    "lev_money_positions_short",
    "futonly_or_combined",
)
CONTRACTS = {"209742": "NASDAQ", "239742": "RUSSELL", "23977A": "RUSSELL"}
"""Code of a contract, and the word that its changing name has always held; 23977A is ICE's, to August 2017."""

# --- what is believed -------------------------------------------------------------------------------------------
HISTORY, RECENT = Dataset("history", 30 * DAY_S), Dataset("recent weeks", HOUR_S)
_RECENT_WEEKS = timedelta(weeks=8)
_PAGE, _MOST_PAGES = 1000, 20
"""Three contracts since June 2006 are some 2,200 rows."""
_SAME, _ENOUGH_DAYS = 0.2, 2


class Cftc(Official):
    """The publisher named "cftc".

    Parameters
    ----------
    clock
        Tells which weeks are the recent ones.
    known
        What is stored of a series: positions of another contract in its place are refused.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = (HISTORY, RECENT)

    def __init__(self, clock: Clock, known: Known, *, http: Http | None = None) -> None:
        super().__init__(clock, http)
        self._known = known

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        codes = ",".join(f"'{code}'" for code in CONTRACTS)
        where = f"{CODE} in({codes})"
        if dataset == RECENT:
            where += f" AND {DAY} > '{trading_day(request.now) - _RECENT_WEEKS}T00:00:00.000'"
        rows: list[object] = []
        first = Stamp()
        for page in range(_MOST_PAGES):
            # The stamp is that of the first, newest page: where that stays, so does the report.
            answer = self._http.get(_url(where, page), dataset.name, stamp=Stamp() if page else stamp)
            if not isinstance(answer, Answer):
                return answer
            found = read_json(request, answer)
            if not isinstance(found, list):
                raise refuse(request, f"it is no list of rows ({str(found)[:80]})")
            first = first if page else answer.stamp
            rows += found
            if len(found) < _PAGE:
                return self._published(request, rows, first)
        raise refuse(request, f"it does not end after {len(rows):,} rows")

    def _published(self, request: Request, rows: list[object], stamp: Stamp) -> Published:
        table = table_of_rows(request, rows, FIELDS)
        for code, market, *_ in table.rows:
            if code not in CONTRACTS or CONTRACTS[code] not in market.upper():
                raise refuse(request, f"contract {code[:20]} is not that of {market[:60]!r}")
        parsed = parse_tff(request, table)
        for code in CONTRACTS:
            name = f"COT:{code}:open_interest"
            _refuse_other(request, code, parsed.series.get(name, ()), self._known(name))
        series = {name: tuple(observed) for name, observed in parsed.series.items()}
        return Published(
            known_at=newest_known(series, request.now),
            stamp=stamp,
            series=series,
            note=note_of(parsed, request.now),
        )


def _refuse_other(request: Request, code: str, rows: Sequence[Observation], held: SeriesView) -> None:
    days = np.array([one.day for one in rows], dtype="datetime64[D]")
    ours, theirs = shared(held.days, held.values, days, np.array([one.value for one in rows]))
    if len(ours) < _ENOUGH_DAYS:
        return
    times = float(np.median(theirs / ours))
    if abs(times - 1) > _SAME:
        raise refuse(
            request,
            f"not contract {code}: its open interest is {times:.3g} times that stored, on {len(ours)} days",
        )


def _url(where: str, page: int) -> str:
    query = {
        "$select": ",".join(FIELDS),
        "$where": where,
        "$order": f"{DAY} DESC,{CODE}",
        "$limit": _PAGE,
        "$offset": page * _PAGE,
    }
    return f"{URL}?{urlencode(query)}"
