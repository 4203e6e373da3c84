"""Yahoo Finance, asked through the yfinance client, behind the contract of a source.

Live prices come from one batched v7 quote request (yfinance's session with its cookie and crumb), or, where that
answer cannot be used, from the chart of each symbol. Bars come from `Ticker.history`, one symbol at a time.
Yahoo's API is for personal use: each person runs an own copy, nothing is bundled and nothing relayed.

How the requests are sent is in yahoo_wire.py; here is what is asked, and what of the answers is believed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from desktop.market.clock import Clock
from desktop.market.quotes import BadMarketDataError, Bars, Closes, FloatArray, IntArray, Interval, Quote
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.plan import calendar_of, last_final
from desktop.sources.remote import Parts
from desktop.sources.yahoo_wire import HOST_WIDE, UNREADABLE, YahooWire

if TYPE_CHECKING:
    from curl_cffi.requests import Session

# --- Yahoo's hosts, fields and limits: all that has to change when Yahoo changes -------------------------------
NAME = "yahoo"
QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/{symbol}"

SYMBOL, PRICE, TIME = "symbol", "regularMarketPrice", "regularMarketTime"
PREVIOUS_CLOSE, OPEN, DELAY_MIN = "regularMarketPreviousClose", "regularMarketOpen", "exchangeDataDelayedBy"
PRE_PRICE, PRE_TIME = "preMarketPrice", "preMarketTime"
POST_PRICE, POST_TIME = "postMarketPrice", "postMarketTime"
CHART_PREVIOUS_CLOSE, GRANULARITY = "previousClose", "dataGranularity"

_DATA_URLS = (QUOTE_URL, CHART_URL.format(symbol=""))
COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume")

QUOTE_PARAMS = {"formatted": "false", "lang": "en-US", "region": "US"}
CHART_PARAMS = {"range": "1d", "interval": "1m"}  # only answers in minutes carry `previousClose`
EXCHANGE_ZONE = "America/New_York"
"""Yahoo's zone for everything that is asked here, US stocks, indices and CME futures alike."""

_PERIODS: Mapping[Interval, tuple[tuple[int, str], ...]] = {
    Interval.MINUTE: ((1, "1d"), (5, "5d")),
    Interval.FIVE_MINUTES: ((1, "1d"), (5, "5d"), (28, "1mo")),
    Interval.FIFTEEN_MINUTES: ((1, "1d"), (5, "5d"), (28, "1mo")),
    Interval.HOUR: ((1, "1d"), (5, "5d"), (28, "1mo"), (89, "3mo"), (180, "6mo"), (364, "1y")),
    Interval.DAY: (
        (5, "5d"), (28, "1mo"), (89, "3mo"), (180, "6mo"), (364, "1y"), (729, "2y"), (1824, "5y"), (3650, "10y"),
    ),
}  # fmt: skip
"""Days back that a named period surely covers; beyond the last one everything within Yahoo's reach ("max")."""

# --- what is believed -------------------------------------------------------------------------------------------
FUTURES_DELAY_S = 600.0
"""CME prices are ten minutes late on Yahoo; used where an answer does not say."""
DOUBTFUL_MOVE = 0.25
"""A price farther from a known previous close needs a second confirmation."""
IMPOSSIBLE = 20.0
"""A price so many times a stored close, or so small a part, is believed from nobody: no split is as large."""
AGREEMENT = 0.02
"""How close a second answer must come to confirm the first."""
BATCH_PAUSE_S = 300.0
"""How long only charts are asked after the batched quotes were refused while charts worked."""
CHARTS_A_ROUND, CHARTS_EACH_ROUND = 8, 6
"""Charts asked in place of a refused batch: so many a round, the first symbols each time and the others in turn.
With a round each 12 s that leaves a third of the budget for minute bars and history."""
SECOND_OPINIONS = 3
"""Confirmations asked for in one batch of quotes; the others wait for the next batch."""
NEAR_ZERO = 1e-3
"""A previous close below this share of the price is one of Yahoo's known zeros (yfinance #2704): ignored."""
BAD_PRINT = 4.0
"""A bar whose close is so many times that of both its neighbours, or so small a part, is no market price."""
CLOCK_TOLERANCE = timedelta(seconds=120)
"""How far in the future a trade may seem to lie before the answer, or this computer's clock, is wrong."""
CLOCK_WARNING_S = 30.0
"""A difference between this computer's clock and Yahoo's that is told: every age shown is wrong by as much."""
CHARTS_IN_VAIN = 2
"""So many charts that cannot be used, and no other, after a batch that could not: the rest would be no better."""

CLOCK = "set this computer's clock"
"""What helps where a trade seems to lie in the future."""
_REFUSED_TO_ALL = HOST_WIDE | {FailureKind.AUTH}
log = logging.getLogger(__name__)


class _TradeToComeError(BadMarketDataError):
    """A trade that lies too far in the future."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Rows as yfinance gave them, before any is believed; `start_s` as in `Bars`, NaN where a cell was empty."""

    start_s: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adjusted: FloatArray
    volume: FloatArray
    live_price: float | None

    def only(self, keep: NDArray[np.bool_] | IntArray) -> _Table:
        return _Table(
            self.start_s[keep], self.open[keep], self.high[keep], self.low[keep], self.close[keep],
            self.adjusted[keep], self.volume[keep], self.live_price,
        )  # fmt: skip


class Yahoo:
    """The source named "yahoo". Blocks; made for one worker thread, harmless when a replaced one still lingers.

    Parameters
    ----------
    cache_folder
        Where yfinance keeps time zones and its cookie; made when missing.
    clock
        Tells what "now" is: which bars have closed, when a quote arrived.
    session_factory
        Makes the one curl_cffi session; the default impersonates a browser and honours the environment's proxy
        and certificate settings (HTTPS_PROXY, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE).
    known_close
        Last stored daily close of a symbol, or None; a price far from it needs a second confirmation.
    bucket, breaker
        Request budget and reaction to "too many requests".
    call_limit_s
        Wall seconds for one whole call, cookie and crumb included.
    """

    name = NAME

    def __init__(
        self,
        cache_folder: Path,
        clock: Clock,
        *,
        session_factory: Callable[[], Session[Any]] | None = None,
        known_close: Callable[[str], float | None] = lambda _symbol: None,
        bucket: TokenBucket | None = None,
        breaker: HostBreaker | None = None,
        call_limit_s: float = 25.0,
    ) -> None:
        self._clock, self._known_close = clock, known_close
        self._wire = YahooWire(
            NAME,
            _DATA_URLS,
            cache_folder,
            clock,
            session_factory=session_factory,
            bucket=bucket,
            breaker=breaker,
            call_limit_s=call_limit_s,
        )
        self._charts_until_s = 0.0
        self._latest: dict[str, Quote] = {}
        self._turns, self._had_turn = 0, dict[str, int]()
        self._confirmed: dict[str, float] = {}
        self._doubted: dict[str, float] = {}
        self._declared_delay_s: dict[str, float] = {}

    @property
    def warning(self) -> str:
        """What is wrong though Yahoo answers: this computer's clock; "" where nothing is."""
        off_s = self._wire.clock_off_s
        if abs(off_s) < CLOCK_WARNING_S:
            return ""
        by = f"{abs(off_s):.0f} s" if abs(off_s) < 120 else f"{abs(off_s) / 60:.0f} min"
        return f"this computer's clock is {by} {'slow' if off_s > 0 else 'fast'}, ages are wrong: {CLOCK}"

    @property
    def requests(self) -> int:
        """Requests sent so far, those for cookie and crumb included."""
        return self._wire.requests

    @property
    def retry_after_s(self) -> float:
        """Seconds until Yahoo may be asked again after "too many requests"; 0 when it may be asked now."""
        return self._wire.retry_after_s

    @property
    def budget_per_h(self) -> int:
        """Most requests an hour."""
        return self._wire.budget_per_h

    def close(self) -> None:
        """Let nothing wait for the request budget any more; calls under way end with a Failure."""
        self._wire.close()

    # --- quotes -------------------------------------------------------------------------------------------------

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        """Latest price of each symbol, in the pre- and post-market its last trade there.

        A symbol that Yahoo leaves out is `not_found`. Where the batch cannot be read, charts are asked instead,
        a few each time: a symbol whose turn it is not keeps its quote, with its age. Where the host cannot be
        reached or refuses, nothing more is asked.
        """
        found = self._quotes(tuple(dict.fromkeys(symbols)))
        self._latest |= {symbol: one for symbol, one in found.items() if isinstance(one, Quote)}
        return found

    def _quotes(self, asked: tuple[str, ...]) -> Mapping[str, Quote | Failure]:
        if not asked:
            return {}
        if time.monotonic() < self._charts_until_s:
            return self._quotes_from_charts(asked)
        answer = self._wire.ask(",".join(asked), lambda: self._quote_rows(asked))
        if isinstance(answer, Failure):
            if answer.kind in HOST_WIDE:
                return {symbol: replace(answer, symbol=symbol) for symbol in asked}
            log.warning("%s; asking for one chart a symbol instead", answer.message)
            return self._quotes_from_charts(asked)
        opinions = SECOND_OPINIONS
        found: dict[str, Quote | Failure] = {}
        for symbol in asked:
            if symbol not in answer:
                found[symbol] = self._wire.failure(
                    FailureKind.NOT_FOUND, symbol, "Yahoo does not know this symbol"
                )
                continue
            quote = self._read(symbol, answer[symbol], self._quote_of_row)
            if isinstance(quote, Quote) and (impossible := self._impossible(quote)):
                quote = impossible
            elif isinstance(quote, Quote) and self._is_doubtful(quote):
                second = self._quote_from_chart(symbol) if opinions > 0 else None
                opinions -= 1
                quote = self._confirmed_by(quote, second.price if isinstance(second, Quote) else None)
            found[symbol] = quote
        return found

    def _quote_rows(self, symbols: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
        payload = self._wire.json(QUOTE_URL, {"symbols": ",".join(symbols), **QUOTE_PARAMS})
        return {row[SYMBOL]: row for row in payload["quoteResponse"]["result"]}

    def _quotes_from_charts(self, symbols: tuple[str, ...]) -> dict[str, Quote | Failure]:
        found: dict[str, Quote | Failure] = {}
        unreachable: Failure | None = None
        in_vain = 0
        for symbol in (turn := self._whose_turn(symbols)):
            if unreachable is not None:
                found[symbol] = replace(unreachable, symbol=symbol)
                continue
            quote = self._quote_from_chart(symbol)
            if isinstance(quote, Failure):
                in_vain += quote.kind is FailureKind.BAD_PAYLOAD
                if quote.kind in _REFUSED_TO_ALL or in_vain >= CHARTS_IN_VAIN:
                    unreachable = quote
            else:
                in_vain = -len(symbols)  # one that answers: the others may
            if isinstance(quote, Quote) and (impossible := self._impossible(quote)):
                quote = impossible
            elif isinstance(quote, Quote) and self._is_doubtful(quote):
                # The other endpoint is out of order: the same answer one round later has to do.
                quote = self._confirmed_by(quote, self._doubted.get(symbol))
            found[symbol] = quote
        works = any(isinstance(one, Quote) for one in found.values())
        if not works:
            self._charts_until_s = 0.0  # no better than the batch: back to one request
        elif time.monotonic() >= self._charts_until_s:
            self._charts_until_s = time.monotonic() + BATCH_PAUSE_S
        last = found[turn[-1]]
        for symbol in symbols:
            if symbol not in found:
                found[symbol] = self._waiting(symbol) if works else replace(last, symbol=symbol)
        return {symbol: found[symbol] for symbol in symbols}

    def _whose_turn(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Symbols whose charts are asked in this round."""
        each, others = symbols[:CHARTS_EACH_ROUND], symbols[CHARTS_EACH_ROUND:]
        longest = sorted(others, key=lambda symbol: self._had_turn.get(symbol, 0))
        turn = (*each, *longest[: CHARTS_A_ROUND - CHARTS_EACH_ROUND])
        self._turns += 1
        self._had_turn |= dict.fromkeys(turn, self._turns)
        return turn

    def _waiting(self, symbol: str) -> Quote | Failure:
        """What is known of a symbol whose turn it is not."""
        told = "its chart is asked in turn: Yahoo refuses the batch of all quotes"
        return self._latest.get(symbol) or self._wire.failure(FailureKind.NO_DATA, symbol, told)

    def _quote_from_chart(self, symbol: str) -> Quote | Failure:
        answer = self._wire.ask(symbol, lambda: self._chart_meta(symbol))
        return answer if isinstance(answer, Failure) else self._read(symbol, answer, self._quote_of_chart)

    def _chart_meta(self, symbol: str) -> Mapping[str, Any]:
        payload = self._wire.json(CHART_URL.format(symbol=symbol), CHART_PARAMS)
        meta: Mapping[str, Any] = payload["chart"]["result"][0]["meta"]
        return meta

    def _read(
        self, symbol: str, row: Mapping[str, Any], reader: Callable[[str, Mapping[str, Any]], Quote]
    ) -> Quote | Failure:
        try:
            return reader(symbol, row)
        except (BadMarketDataError, OSError, *UNREADABLE) as error:  # OSError: a time that Windows cannot hold
            advice = CLOCK if isinstance(error, _TradeToComeError) else ""
            told = str(error) if isinstance(error, BadMarketDataError) else repr(error)
            return self._wire.failure(FailureKind.BAD_PAYLOAD, symbol, f"unusable quote: {told}", advice=advice)

    def _quote_of_row(self, symbol: str, row: Mapping[str, Any]) -> Quote:
        trades = [
            (moment, price, kind)
            for kind, price_field, time_field in (
                ("regular", PRICE, TIME), ("pre", PRE_PRICE, PRE_TIME), ("post", POST_PRICE, POST_TIME),
            )
            if (price := _number(row.get(price_field))) is not None
            and (moment := _number(row.get(time_field))) is not None
        ]  # fmt: skip
        if not trades:
            raise BadMarketDataError(symbol, PRICE, row.get(PRICE), "the answer holds no price with a time")
        moment, price, kind = max(trades)
        # Before the open Yahoo's "regular" price still is the last close, and its "previous close" the one before.
        previous = row.get(PRICE) if kind == "pre" else row.get(PREVIOUS_CLOSE)
        delay_min = _number(row.get(DELAY_MIN))
        if delay_min is not None:
            self._declared_delay_s[symbol] = delay_min * 60
        return self._quote(symbol, price, moment, previous, None if kind == "pre" else row.get(OPEN))

    def _quote_of_chart(self, symbol: str, meta: Mapping[str, Any]) -> Quote:
        if meta.get(SYMBOL) != symbol:
            raise BadMarketDataError(symbol, SYMBOL, meta.get(SYMBOL), "the chart is of another symbol")
        price, moment = _number(meta.get(PRICE)), _number(meta.get(TIME))
        if price is None or moment is None:
            raise BadMarketDataError(symbol, PRICE, meta.get(PRICE), "the chart holds no price with a time")
        return self._quote(symbol, price, moment, meta.get(CHART_PREVIOUS_CLOSE), None)

    def _quote(self, symbol: str, price: float, moment: float, previous: object, opened: object) -> Quote:
        now = self._clock.now()
        traded = datetime.fromtimestamp(moment, UTC)
        if traded > now + CLOCK_TOLERANCE:
            raise _TradeToComeError(
                symbol, TIME, traded.isoformat(), f"lies after this computer's clock ({now.isoformat()})"
            )
        previous_close = _number(previous)
        if previous_close is not None and previous_close < NEAR_ZERO * price:
            previous_close = None
        open_price = _number(opened)
        if open_price is not None and open_price <= 0:
            open_price = None  # indices without an opening print say 0
        default_s = FUTURES_DELAY_S if symbol.endswith("=F") else 0.0
        return Quote(
            symbol=symbol,
            price=price,
            event_time=min(traded, now),  # nobody looks at what is still to come
            arrival_time=now,
            source=self.name,
            previous_close=previous_close,
            open_price=open_price,
            declared_delay_s=self._declared_delay_s.get(symbol, default_s),
        )

    def _impossible(self, quote: Quote) -> Failure | None:
        close = self._known_close(quote.symbol)
        if close is None or 1 / IMPOSSIBLE < quote.price / close < IMPOSSIBLE:
            return None
        told = f"{quote.price:g} cannot be a price where the last stored close is {close:g}"
        return self._wire.failure(FailureKind.BAD_PAYLOAD, quote.symbol, told)

    def _is_doubtful(self, quote: Quote) -> bool:
        confirmed = self._confirmed.get(quote.symbol)
        if confirmed is not None and abs(quote.price / confirmed - 1) <= DOUBTFUL_MOVE:
            return False
        known = (self._known_close(quote.symbol), quote.previous_close)
        return any(abs(quote.price / close - 1) > DOUBTFUL_MOVE for close in known if close)

    def _confirmed_by(self, quote: Quote, second_price: float | None) -> Quote | Failure:
        if second_price is not None and abs(quote.price / second_price - 1) <= AGREEMENT:
            self._confirmed[quote.symbol] = quote.price
            self._doubted.pop(quote.symbol, None)
            return quote
        self._doubted[quote.symbol] = quote.price
        second = "no second answer yet" if second_price is None else f"a second answer says {second_price:g}"
        return self._wire.failure(
            FailureKind.BAD_PAYLOAD,
            quote.symbol,
            f"{quote.price:g} is more than {DOUBTFUL_MOVE:.0%} from the previous close; {second}",
        )

    # --- bars ---------------------------------------------------------------------------------------------------

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        """Bars that have closed and whose start lies in the window, unadjusted for dividends.

        Intraday bars include the pre- and post-market. A daily bar is handed over 20 minutes after its session
        ended, not before. Rows without a full set of prices, off the calendar or far off both neighbours are left
        out (and logged); what is missing then shows as a gap.
        """
        table = self._history(symbol, interval, window)
        if isinstance(table, Failure):
            return table
        try:
            return Bars(
                symbol, interval, table.start_s, table.open, table.high, table.low, table.close, table.volume
            )
        except BadMarketDataError as error:
            return self._wire.failure(FailureKind.BAD_PAYLOAD, symbol, str(error))

    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        """Daily closes adjusted for dividends and splits ("Adj Close"), as the series `SYMBOL:adj`.

        Every dividend moves the whole series, so ask for all of it each time.
        """
        table = self._history(symbol, Interval.DAY, window)
        if isinstance(table, Failure):
            return table
        table = table.only(np.isfinite(table.adjusted))
        try:
            return Closes(f"{symbol}:adj", table.start_s.astype("datetime64[s]"), table.adjusted)
        except BadMarketDataError as error:
            return self._wire.failure(FailureKind.BAD_PAYLOAD, symbol, str(error))

    def _history(self, symbol: str, interval: Interval, window: Window) -> _Table | Failure:
        table = self._wire.ask(symbol, lambda: self._download(symbol, interval, window))
        if isinstance(table, Failure):
            return table
        first_s, end_s = window.start.timestamp(), window.end.timestamp()
        table = table.only((table.start_s >= first_s) & (table.start_s < end_s))
        table = self._believable(symbol, interval, table)
        if not len(table.start_s):
            return self._wire.failure(
                FailureKind.NO_DATA, symbol, f"no closed {interval} bar from {window.start} to {window.end}"
            )
        return table

    def _download(self, symbol: str, interval: Interval, window: Window) -> _Table:
        from yfinance.data import YfData
        from yfinance.scrapers.history import PriceHistory

        session = self._wire.session()
        # What `Ticker(symbol).history` does, but for two things: it would look the zone up first, with a request
        # of its own for each symbol, and open a session of its own for each, which is never used.
        asked = PriceHistory(YfData(session=session), symbol, EXCHANGE_ZONE, session)
        frame = asked.history(
            period=_period(interval, window, self._clock.now()),
            interval=interval.value,
            prepost=interval is not Interval.DAY,
            auto_adjust=False,
            actions=False,
        )
        meta = asked.get_history_metadata()
        if meta.get(GRANULARITY) != interval.value:  # range=max may silently answer in quarters
            raise ValueError(f"asked for {interval.value} bars, got {meta.get(GRANULARITY)!r}")
        index = frame.index
        if interval is Interval.DAY:
            days = (index if index.tz is None else index.tz_localize(None)).to_numpy().astype("datetime64[D]")
            start_s = days.astype("datetime64[s]").astype(np.int64)
        elif index.tz is None:
            raise ValueError("intraday bars without a time zone")
        else:
            start_s = index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
        opened, high, low, close, adjusted, volume = (frame[name].to_numpy(dtype=np.float64) for name in COLUMNS)
        return _Table(start_s, opened, high, low, close, adjusted, volume, _number(meta.get(PRICE)))

    def _believable(self, symbol: str, interval: Interval, table: _Table) -> _Table:
        received = len(table.start_s)
        # Of rows with the same start the last one is the newest; np.unique sorts and finds the first.
        _, newest = np.unique(table.start_s[::-1], return_index=True)
        table = table.only(received - 1 - newest)
        prices = np.stack((table.open, table.high, table.low, table.close))
        table = table.only((np.isfinite(prices) & (prices > 0)).all(axis=0) & (table.volume >= 0))
        now = self._clock.now()
        if interval is Interval.DAY:
            table = _without_open_session(table, symbol, now)
        else:
            # Yahoo appends its live price as a row of its own, at the second of the trade.
            closed = table.start_s + interval.seconds <= now.timestamp()
            table = table.only(closed & (table.start_s % 60 == 0))
        table = _without_bad_prints(table)
        if len(table.start_s) != received:
            log.info("%s %s: %d of %d rows used", symbol, interval.value, len(table.start_s), received)
        return table


def made_of(parts: Parts, cache_folder: Path) -> Yahoo:
    """Make the source as its own process does; see `Yahoo`."""
    return Yahoo(
        cache_folder,
        parts.clock,
        known_close=parts.known_close,
        bucket=parts.bucket,
        breaker=parts.breaker,
    )


def _number(value: object) -> float | None:
    """Return a JSON number that is finite, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _period(interval: Interval, window: Window, now: datetime) -> str:
    back = now - window.start
    for days, period in _PERIODS[interval]:
        if back <= timedelta(days=days):
            return period
    return "max"


def _without_open_session(table: _Table, symbol: str, now: datetime) -> _Table:
    """Drop days that were no sessions, and those whose bar may still change."""
    days = table.start_s.astype("datetime64[s]").astype("datetime64[D]")
    strange = calendar_of(symbol).not_sessions(days)
    return table.only(~np.isin(days, strange) & (days <= np.datetime64(last_final(symbol, now), "D")))


def _without_bad_prints(table: _Table) -> _Table:
    """Drop rows whose close is a multiple of both neighbours, and a last row that nothing confirms.

    A last row more than 25 % from the one before counts as confirmed by the live price that came with it.
    """
    close = table.close
    if len(close) < 2:
        return table
    step = np.diff(np.log(close))
    far = np.abs(step) > np.log(BAD_PRINT)
    keep = np.ones(len(close), dtype=np.bool_)
    keep[1:-1] = ~(far[:-1] & far[1:] & (step[:-1] * step[1:] < 0))
    live = table.live_price
    moved = abs(close[-1] / close[-2] - 1) > DOUBTFUL_MOVE
    if moved and (live is None or abs(close[-1] / live - 1) > DOUBTFUL_MOVE):
        keep[-1] = False
    return table.only(keep)
