"""Alpaca: the two ETFs in real time, from the trades of one exchange (IEX), for whoever has a key.

A trade of IEX is a price of the market, but its bars are not the market's: they miss what traded elsewhere. They
are kept only where nothing better is known, and daily bars are not asked for at all: IEX makes no official close.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from desktop.market.clock import Clock
from desktop.market.known import Unknown
from desktop.market.quotes import BadMarketDataError, Bars, Interval, Quote
from desktop.market.store import Priority
from desktop.redact import redact
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.http import Answer, Http
from desktop.sources.limits import HostBreaker, TokenBucket

if TYPE_CHECKING:
    from curl_cffi.requests import Session

# --- Alpaca's addresses, fields and limits: all that has to change when Alpaca changes --------------------------
NAME = "alpaca"
TRADES_URL = "https://data.alpaca.markets/v2/stocks/trades/latest"
BARS_URL = "https://data.alpaca.markets/v2/stocks/bars"
ID_HEADER, SECRET_HEADER = "APCA-API-KEY-ID", "APCA-API-SECRET-KEY"
FEED = "iex"
SYMBOLS = ("IWM", "QQQ")
TRADES, PRICE, TIME = "trades", "p", "t"
BARS, OPEN, HIGH, LOW, CLOSE, VOLUME, NEXT_PAGE = "bars", "o", "h", "l", "c", "v", "next_page_token"
TIMEFRAMES: Mapping[Interval, str] = {
    Interval.MINUTE: "1Min", Interval.FIVE_MINUTES: "5Min", Interval.FIFTEEN_MINUTES: "15Min",
    Interval.HOUR: "1Hour",
}  # fmt: skip
ROWS, MOST_PAGES = 10_000, 4
"""Alpaca's most rows a page; a week of minutes is one page."""
REFUSED_PAUSE_S = 900.0
"""How long a key that was refused is not sent again."""
CLOCK_TOLERANCE = timedelta(seconds=120)
"""How far in the future a trade may seem to lie before the answer, or this computer's clock, is wrong."""
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError)


@dataclass(frozen=True, slots=True)
class AlpacaKey:
    """Both parts of a key; neither is ever shown."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return "AlpacaKey(***)"

    @property
    def headers(self) -> dict[str, str]:
        """The key as Alpaca wants it."""
        return {ID_HEADER: self.id, SECRET_HEADER: self.secret}


class Alpaca:
    """The source named "alpaca". Blocks; for one worker's thread, `close` and properties for any.

    Parameters
    ----------
    clock
        Tells when a quote arrived and which bars have closed.
    key
        Returns the key, or why there is none; asked before each request, must not block.
    session_factory, bucket, breaker, time_limit_s
        As for `Http`.
    """

    name = NAME
    symbols = SYMBOLS
    """The only ones it knows."""
    priority = Priority.ONE_VENUE

    def __init__(
        self,
        clock: Clock,
        key: Callable[[], AlpacaKey | Unknown],
        *,
        session_factory: Callable[[], Session[Any]] | None = None,
        bucket: TokenBucket | None = None,
        breaker: HostBreaker | None = None,
        time_limit_s: float = 10.0,
    ) -> None:
        self._clock, self._key = clock, key
        self._bucket = bucket or TokenBucket()
        self._http = Http(
            NAME,
            clock,
            session_factory=session_factory,
            bucket=self._bucket,
            breaker=breaker,
            time_limit_s=time_limit_s,
            keyed=True,
        )
        self._refused: AlpacaKey | None = None
        self._refused_until_s = 0.0

    @property
    def off(self) -> str:
        """Why it is not asked at all, "" when it is."""
        key = self._key()
        return key.reason if isinstance(key, Unknown) else ""

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._http.requests

    @property
    def budget_per_h(self) -> int:
        """Most requests an hour."""
        return self._bucket.per_hour

    def close(self) -> None:
        """Let nothing wait any more; a call under way ends with a Failure."""
        self._http.close()

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        """Last trade on IEX of each symbol; those other than `symbols` are `not_found`, without a request."""
        asked = tuple(dict.fromkeys(symbols))
        known = tuple(one for one in asked if one in SYMBOLS)
        found: dict[str, Quote | Failure] = {one: self._unknown(one) for one in asked if one not in SYMBOLS}
        if known:
            payload = self._ask(TRADES_URL, {"symbols": ",".join(known), "feed": FEED}, ",".join(known))
            for symbol in known:
                found[symbol] = (
                    replace(payload, symbol=symbol)
                    if isinstance(payload, Failure)
                    else self._quote(symbol, payload)
                )
        return {symbol: found[symbol] for symbol in asked}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        """Bars of IEX trades that have closed and whose start lies in the window; none by the day."""
        if symbol not in SYMBOLS:
            return self._unknown(symbol)
        if interval not in TIMEFRAMES:
            return self._failure(FailureKind.NOT_FOUND, symbol, "one exchange makes no official daily bar")
        rows: list[Any] = []
        query = {
            "symbols": symbol,
            "timeframe": TIMEFRAMES[interval],
            "start": f"{window.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{window.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "limit": str(ROWS),
            "adjustment": "raw",
            "feed": FEED,
        }
        for _ in range(MOST_PAGES):
            payload = self._ask(BARS_URL, query, symbol)
            if isinstance(payload, Failure):
                return payload
            try:
                rows += (payload[BARS] or {}).get(symbol) or []
                token = payload.get(NEXT_PAGE)
            except _UNREADABLE as error:
                return self._unreadable(symbol, error)
            if not token:
                break
            query["page_token"] = str(token)
        return self._bars(symbol, interval, window, rows)

    def _quote(self, symbol: str, payload: Mapping[str, Any]) -> Quote | Failure:
        now = self._clock.now()
        try:
            trade = (payload[TRADES] or {}).get(symbol)
            if trade is None:
                return self._failure(FailureKind.NO_DATA, symbol, "no trade on IEX")
            traded = _moment(trade[TIME])
            if traded > now + CLOCK_TOLERANCE:
                raise BadMarketDataError(
                    symbol, TIME, traded.isoformat(), f"lies after this computer's clock ({now.isoformat()})"
                )
            return Quote(symbol, _number(trade[PRICE]), traded, now, NAME)
        except _UNREADABLE as error:
            return self._unreadable(symbol, error)

    def _bars(self, symbol: str, interval: Interval, window: Window, rows: Sequence[Any]) -> Bars | Failure:
        first_s, end_s = window.start.timestamp(), window.end.timestamp()
        closed_s = self._clock.now().timestamp() - interval.seconds
        kept: dict[int, tuple[float, ...]] = {}
        try:
            for row in rows:
                start_s = int(_moment(row[TIME]).timestamp())
                prices = tuple(float(row[name]) for name in (OPEN, HIGH, LOW, CLOSE, VOLUME))
                good = all(isfinite(one) for one in prices) and min(prices[:4]) > 0 and prices[4] >= 0
                if good and first_s <= start_s < end_s and start_s <= closed_s and start_s % 60 == 0:
                    kept[start_s] = prices
            if not kept:
                return self._failure(FailureKind.NO_DATA, symbol, f"no closed {interval} bar on IEX in this time")
            table = np.array([kept[start_s] for start_s in sorted(kept)], dtype=np.float64)
            return Bars(symbol, interval, np.array(sorted(kept), dtype=np.int64), *table.T)
        except _UNREADABLE as error:
            return self._unreadable(symbol, error)

    # The wire

    def _ask(self, url: str, query: Mapping[str, str], what: str) -> Mapping[str, Any] | Failure:
        key = self._key()
        if isinstance(key, Unknown):
            return self._failure(FailureKind.AUTH, what, key.reason)
        left_s = self._refused_until_s - time.monotonic()
        if key == self._refused and left_s > 0:
            return self._failure(FailureKind.AUTH, what, "Alpaca refused this key")
        answer = self._http.get(f"{url}?{urlencode(query)}", what, headers=key.headers)
        if isinstance(answer, Failure):
            if answer.kind is FailureKind.AUTH:
                self._refused, self._refused_until_s = key, time.monotonic() + REFUSED_PAUSE_S
                return replace(answer, message=f"Alpaca refused this key ({answer.message})")
            return replace(answer, message=redact(answer.message, (key.id, key.secret)))
        if not isinstance(answer, Answer):
            return self._failure(FailureKind.BAD_PAYLOAD, what, "answered that nothing changed, unasked")
        try:
            payload = json.loads(answer.text)
        except ValueError as error:
            return self._unreadable(what, error)
        if not isinstance(payload, dict):
            return self._failure(FailureKind.BAD_PAYLOAD, what, "unreadable answer: no JSON object")
        return payload

    def _unknown(self, symbol: str) -> Failure:
        return self._failure(FailureKind.NOT_FOUND, symbol, f"only {' and '.join(SYMBOLS)} are asked here")

    def _unreadable(self, symbol: str, error: Exception) -> Failure:
        key = self._key()
        secrets = () if isinstance(key, Unknown) else (key.id, key.secret)
        return self._failure(FailureKind.BAD_PAYLOAD, symbol, redact(f"unreadable answer: {error!r}", secrets))

    def _failure(self, kind: FailureKind, symbol: str, message: str) -> Failure:
        return self._http.failure(kind, symbol, message)


def _moment(text: object) -> datetime:
    """Return an RFC 3339 time, nanoseconds cut to what Python holds, as UTC; ValueError without a zone."""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return moment.astimezone(UTC)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"no price: {value!r}")
    return float(value)
