"""Cboe: daily history of its volatility, correlation and dispersion indices, and their level 15 minutes ago.

History is a CSV file an index, DATE,OPEN,HIGH,LOW,CLOSE or DATE,{index}, newest at the end; a delayed quote is a
JSON document an index. Both come from a content network that answers conditional requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from math import log

import numpy as np

from desktop.market.clock import Clock
from desktop.market.quotes import Bars, Closes, DayArray, FloatArray, Quote
from desktop.market.sessions import NYSE, new_york
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.daily import parse_cboe
from desktop.sources.files.levels import bounds_of
from desktop.sources.files.result import Request
from desktop.sources.files.text import Table, table_of
from desktop.sources.http import Answer, Http
from desktop.sources.limits import TokenBucket
from desktop.sources.official import (
    HOUR_S,
    Official,
    columns_of,
    member,
    note_of,
    read_json,
    refuse,
    shared,
    strays,
)
from desktop.sources.plan import FINAL_AFTER

# --- Cboe's addresses, fields and names: all that has to change when Cboe changes -------------------------------
NAME = "cboe"
HISTORY_URL = "https://cdn.cboe.com/api/global/us_indices/daily_prices/{index}_History.csv"
QUOTE_URL = "https://cdn.cboe.com/api/global/delayed_quotes/quotes/_{index}.json"
INDICES = ("VIX", "VIX3M", "VXN", "RVX", "COR1M", "DSPX", "VIXEQ")
DATE, PRICES = "DATE", ("OPEN", "HIGH", "LOW", "CLOSE")
DATA, SYMBOL = "data", "symbol"
PRICE, TIME, PREVIOUS_CLOSE, OPEN = "current_price", "last_trade_time", "prev_day_close", "open"
TIME_ZONE = new_york
"""Of a trade time that names none."""
DELAY_S = 900.0

# --- what is believed -------------------------------------------------------------------------------------------
_HISTORY, _QUOTE = " history", " quote"
_QUOTE_EVERY_S = 300.0
_MOST_TIMES = 4.0
"""Between neighbours; the largest move of a day is a factor 2.9 (COR1M, 2024-12-18)."""
_SAME_INDEX = 0.05
_RECENT_DAYS, _ENOUGH_DAYS = 60, 5
_CLOCKS = timedelta(minutes=2)
_OLDEST_TRADE = timedelta(days=10)


class Cboe(Official):
    """The publisher named "cboe".

    Parameters
    ----------
    clock
        Tells which sessions have closed.
    known
        Stored daily closes of a symbol, possibly none: a level that is not of their kind is refused.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = tuple(Dataset(index + _HISTORY, HOUR_S) for index in INDICES) + tuple(
        Dataset(index + _QUOTE, _QUOTE_EVERY_S) for index in INDICES
    )

    def __init__(self, clock: Clock, known: Callable[[str], Closes], *, http: Http | None = None) -> None:
        super().__init__(clock, http or Http(NAME, clock, bucket=TokenBucket(rate_per_s=2.0, burst=6)))
        self._known = known

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        index = dataset.name.partition(" ")[0]
        history = dataset.name.endswith(_HISTORY)
        url = (HISTORY_URL if history else QUOTE_URL).format(index=index)
        answer = self._http.get(url, dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        held = self._known(f"^{index}")
        return (_history if history else _quote)(request, index, answer, held)


# History


def _history(request: Request, index: str, answer: Answer, held: Closes) -> Published:
    symbol = f"^{index}"
    table = _columns(request, index, table_of(request, answer.text))
    parsed = parse_cboe(replace(request, symbol=symbol), table)
    closes = [one for one, _ in parsed.closes]
    days = np.concatenate([*(one.days for one in parsed.bars), *(one.days for one in closes)])
    values = np.concatenate([*(one.close for one in parsed.bars), *(one.close for one in closes)])
    order = np.argsort(days)
    days, values = days[order], values[order]
    _refuse_other(request, symbol, held, days, values)
    off = days[strays(np.log(values), log(_MOST_TIMES))]
    parsed.rejected.add(f"of {symbol} more than {_MOST_TIMES:g} times those around, or less than a quarter", off)
    newest = NYSE.session(days[~np.isin(days, off)][-1].astype(object))
    assert newest is not None  # rows of other days were left out
    return Published(
        known_at=newest.close + FINAL_AFTER,
        stamp=answer.stamp,
        bars=tuple(_bars_without(one, off) for one in parsed.bars),
        closes=tuple(_closes_without(one, off) for one in closes),
        note=note_of(parsed, request.now),
    )


def _columns(request: Request, index: str, table: Table) -> Table:
    wanted = (DATE, index) if index in table.header else (DATE, *PRICES)
    return columns_of(request, table, {name: name for name in wanted})


def _refuse_other(request: Request, symbol: str, held: Closes, days: DayArray, values: FloatArray) -> None:
    ours, theirs = (each[-_RECENT_DAYS:] for each in shared(held.days, held.close, days, values))
    if len(ours) < _ENOUGH_DAYS:
        return
    times = float(np.median(theirs / ours))
    if abs(times - 1) > _SAME_INDEX:
        raise refuse(
            request, f"these are not closes of {symbol}: {times:.3g} times those stored, on {len(ours)} days"
        )


def _bars_without(bars: Bars, days: DayArray) -> Bars:
    keep = ~np.isin(bars.days, days)
    prices = (column[keep] for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    return Bars(bars.symbol, bars.interval, bars.start_s[keep], *prices)


def _closes_without(closes: Closes, days: DayArray) -> Closes:
    keep = ~np.isin(closes.days, days)
    return Closes(closes.symbol, closes.days[keep], closes.close[keep])


# Delayed quotes


def _quote(request: Request, index: str, answer: Answer, held: Closes) -> Published:
    symbol = f"^{index}"
    payload = read_json(request, answer)
    data = member(request, payload, DATA, dict)
    named = member(request, data if SYMBOL in data else payload, SYMBOL, str)
    if named.lstrip("^_") != index:
        raise refuse(request, f"it is about {named[:20]!r}, not {symbol}")
    price = float(member(request, data, PRICE, (int, float)))
    _check_price(request, symbol, price, held)
    at = _trade_time(request, member(request, data, TIME, str))
    quote = Quote(
        symbol,
        price,
        at,
        request.now,
        NAME,
        previous_close=_near(data.get(PREVIOUS_CLOSE), price),
        open_price=_near(data.get(OPEN), price),
        declared_delay_s=DELAY_S,
    )
    return Published(known_at=min(at, request.now), stamp=answer.stamp, quotes=(quote,))


def _check_price(request: Request, symbol: str, price: float, held: Closes) -> None:
    low, high = bounds_of(symbol)
    if not low <= price <= high:
        raise refuse(request, f"{price:g} is no level of {symbol}: it lies outside {low:g} to {high:g}")
    if len(held) and not 1 / _MOST_TIMES <= price / held.close[-1] <= _MOST_TIMES:
        last = f"{held.close[-1]:g} on {held.days[-1]}"
        raise refuse(request, f"{price:g} is no level of {symbol}: its last known close was {last}")


def _trade_time(request: Request, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise refuse(request, f"its field {TIME!r} is no time ({text[:40]!r})") from error
    at = at if at.tzinfo is not None else at.replace(tzinfo=TIME_ZONE)
    if not request.now - _OLDEST_TRADE <= at <= request.now + _CLOCKS:
        where = "in the future: is this computer's clock right?" if at > request.now else "too long ago"
        raise refuse(request, f"it says that it traded at {text}, {where}")
    return at


def _near(value: object, price: float) -> float | None:
    """Return a further price of the answer, None where it gives none or 0."""
    if not isinstance(value, int | float) or not 1 / _MOST_TIMES <= value / price <= _MOST_TIMES:
        return None
    return float(value)
