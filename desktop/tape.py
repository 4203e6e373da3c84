"""What the store holds of one session's prices, read once, and again only where something came in.

A frame asks four times a second. Bars change once a minute and symbol; of the quotes only the last one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from desktop.analytics.divergence import LegHistory
from desktop.market.instruments import PAIRS, Kind, Leg
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import Session
from desktop.market.store import Store

INTERVALS = (Interval.MINUTE, Interval.FIVE_MINUTES, Interval.FIFTEEN_MINUTES)
_CASH_CLOSE_LOOKBACK = timedelta(minutes=30)
_BEFORE_RELEASE = timedelta(minutes=15)
"""How long before a release its reference may have traded; no quote further back is read."""


class Tape:
    """Prices of both legs of every kind, cut at a moment. For one thread."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._session: tuple[Session, datetime] | None = None
        self._held: dict[str, tuple[int, _Symbol]] = {}

    def legs(
        self, session: Session, previous: Session, start: datetime, at: datetime, release: datetime | None
    ) -> Mapping[tuple[Kind, Leg], LegHistory]:
        """Return what was known by `at` (UTC) of each leg of each kind since `start`.

        Quotes are the last one, and the last one before `release`.
        """
        if self._session != (session, start):
            self._session, self._held = (session, start), {}
        legs: dict[tuple[Kind, Leg], LegHistory] = {}
        for kind, symbols in PAIRS.items():
            found = {leg: self._symbol(symbol, kind, session, previous, start) for leg, symbol in symbols.items()}
            interval = _finest(tuple(found.values()), at)
            for leg, one in found.items():
                bars, quotes = one.bars_until(interval, at), self._quotes(one.symbol, start, at, release)
                legs[kind, leg] = LegHistory(leg, one.symbol, kind, one.prior_close, bars, quotes)
        return legs

    def _symbol(self, symbol: str, kind: Kind, session: Session, previous: Session, start: datetime) -> _Symbol:
        version = self.store.bars_version(symbol)
        held = self._held.get(symbol)
        if held is None or held[0] != version:
            bars = {one: self.store.bars(symbol, one, start, session.close) for one in INTERVALS}
            close = _prior_close(self.store, symbol, kind, previous)
            held = self._held[symbol] = version, _Symbol(symbol, bars, close)
        return held[1]

    def _quotes(self, symbol: str, start: datetime, at: datetime, release: datetime | None) -> tuple[Quote, ...]:
        """The last quote known by `at`, preceded by the last one that traded before `release`."""
        quotes: list[Quote] = []
        last = self.store.last_quote(symbol, at)
        if last is None or last.event_time < start:
            return ()
        if release is not None and release <= at:
            limit = release - timedelta(seconds=1)
            before = self.store.last_quote(symbol, at, traded_by=limit)
            if before is not None and before.event_time >= limit - _BEFORE_RELEASE:
                quotes.append(before)
        return (*quotes, last)


class _Symbol:
    """Bars of one symbol through the whole session, handed out no further than they had closed."""

    def __init__(self, symbol: str, bars: Mapping[Interval, Bars], prior_close: Closes) -> None:
        self.symbol, self.prior_close = symbol, prior_close
        self._bars = bars
        self._cut: dict[Interval, Bars] = {}

    def count_until(self, interval: Interval, at: datetime) -> int:
        """How many bars had closed by `at`."""
        latest_start = int(at.timestamp()) - interval.seconds
        return int(np.searchsorted(self._bars[interval].start_s, latest_start, side="right"))

    def bars_until(self, interval: Interval, at: datetime) -> Bars:
        """Bars that had closed by `at`; the same object as long as they are the same."""
        count, held = self.count_until(interval, at), self._cut.get(interval)
        if held is None or len(held) != count:
            held = self._cut[interval] = some_bars(self._bars[interval], 0, count)
        return held


def some_bars(bars: Bars, start: int, stop: int) -> Bars:
    """Return bars number `start` to `stop`, the latter not included."""
    if (start, stop) == (0, len(bars)):
        return bars
    here = slice(start, stop)
    prices = (column[here] for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    return Bars(bars.symbol, bars.interval, bars.start_s[here], *prices)


def _finest(symbols: Sequence[_Symbol], at: datetime) -> Interval:
    """The shortest bars that every one of `symbols` has; a minute where none has any."""
    for enough in (all, any):
        for interval in INTERVALS:
            if enough(one.count_until(interval, at) for one in symbols):
                return interval
    return Interval.MINUTE


def _prior_close(store: Store, symbol: str, kind: Kind, previous: Session) -> Closes:
    """The official close of the session before; of a future, its last trade before the cash close."""
    if kind is not Kind.FUTURE:
        return store.closes(symbol, previous.day, previous.day)
    for interval in INTERVALS:
        start = previous.close - _CASH_CLOSE_LOOKBACK
        bars = store.bars(symbol, interval, start, previous.close - timedelta(seconds=interval.seconds - 1))
        if len(bars):
            return Closes(symbol, np.array([previous.day], dtype="datetime64[D]"), bars.close[-1:])
    return Closes(symbol, np.array([], dtype="datetime64[D]"), np.array([]))
