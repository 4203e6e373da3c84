"""The demo session: the CPI day of 11 July 2024, simulated between published levels and played by a clock.

It is a source like any other: what it answers goes the way of live quotes, and nothing from after the clock shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from desktop.market.clock import Clock, PlayClock
from desktop.market.quotes import Bars, Closes, IntArray, Interval, Quote, day_start_s
from desktop.market.sessions import NYSE, new_york
from desktop.market.store import Priority, Store
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.demo_market import DAY, DemoMarket, Tape, simulate

DEMO_DAY = DAY
DEMO_START = datetime.combine(DAY, time(8, 25), new_york).astimezone(UTC)
DEMO_END = datetime.combine(DAY, time(16, 5), new_york).astimezone(UTC)
"""The clock stops here, five minutes after the close."""
DEMO_SPEED = 60.0
DEMO_SEED = 146
"""Of the seeds tried, one whose last year, correlation and rank of the day come near the published ones."""

SOURCE_NAME = "Demo"
_LAG_S = 1
"""A print is this old when it arrives."""

DemoDay: TypeAlias = DemoMarket


def build_demo(store: Store, seed: int = DEMO_SEED) -> DemoDay:
    """Simulate the demo and store what was known at DEMO_START: history, intraday bars, the built-in universe."""
    day = simulate(seed)
    for bars in day.bars.values():
        known = _complete(bars, _ends_s(bars) <= DEMO_START.timestamp())
        store.put_bars(known, source=SOURCE_NAME, priority=Priority.VENDOR)
    for closes in day.adjusted.values():
        known_closes = closes.until(NYSE.previous(DAY).day)
        store.put_closes(known_closes, source=SOURCE_NAME, priority=Priority.VENDOR)
    store.put_panel(day.panel, source=SOURCE_NAME)
    return day


def demo_clock(speed: float = DEMO_SPEED) -> PlayClock:
    """Return a clock that plays the day from DEMO_START and stands still at DEMO_END."""
    return PlayClock(DEMO_START, speed, end=DEMO_END)


def position_at(at: datetime) -> float:
    """Where `at` lies in the demo: 0 at its start, 1 at its end, clamped outside."""
    return min(max((at - DEMO_START) / (DEMO_END - DEMO_START), 0.0), 1.0)


def time_at(position: float) -> datetime:
    """UTC time of a position of `position_at`, to the second; positions outside 0..1 are clamped."""
    whole_s = (DEMO_END - DEMO_START).total_seconds()
    return DEMO_START + timedelta(seconds=round(min(max(position, 0.0), 1.0) * whole_s))


class DemoSource:
    """Answers as a live source would at `clock.now()`. Times past DEMO_END answer as DEMO_END does."""

    name = SOURCE_NAME

    def __init__(self, day: DemoDay, clock: Clock) -> None:
        self._day, self._clock = day, clock
        self._ends_s: Mapping[tuple[str, Interval], IntArray] = {
            key: _ends_s(bars) for key, bars in day.bars.items()
        }

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        """Last print of each symbol; an index outside its session answers with its last close, as live."""
        now = self._clock.now()
        return {symbol: self._quote(symbol, now) for symbol in symbols}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        """Bars whose start lies in the window and that had closed by `clock.now()`."""
        now = self._clock.now()
        bars = self._day.bars.get((symbol, interval))
        if bars is None:
            return self._failure(
                FailureKind.NOT_FOUND, symbol, f"the demo has no {interval} bars of {symbol}", now
            )
        inside = (bars.start_s >= window.start.timestamp()) & (bars.start_s < window.end.timestamp())
        wanted = inside & (self._ends_s[symbol, interval] <= now.timestamp())
        if not wanted.any():
            text = f"no {interval} bar of {symbol} had closed in {window.start} to {window.end}"
            return self._failure(FailureKind.NO_DATA, symbol, text, now)
        return _complete(bars, wanted)

    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        """Dividend-adjusted closes (`SYMBOL:adj`) of the window's days whose session was over by `clock.now()`."""
        now = self._clock.now()
        closes = self._day.adjusted.get(symbol)
        if closes is None:
            return self._failure(
                FailureKind.NOT_FOUND, symbol, f"the demo has no adjusted closes of {symbol}", now
            )
        first = int(np.searchsorted(closes.days.astype("datetime64[s]"), np.datetime64(_naive(window.start), "s")))
        last = NYSE.last_closed(min(now, window.end)).day
        known = Closes(closes.symbol, closes.days[first:], closes.close[first:]).until(last)
        if not len(known):
            text = f"no session of {symbol} was over in {window.start} to {window.end}"
            return self._failure(FailureKind.NO_DATA, symbol, text, now)
        return known

    def _quote(self, symbol: str, now: datetime) -> Quote | Failure:
        tape = self._day.tapes.get(symbol)
        if tape is None:
            return self._failure(FailureKind.NOT_FOUND, symbol, f"{symbol} is not quoted in the demo", now)
        seen = min(now, DEMO_END) - timedelta(seconds=_LAG_S)
        traded_s = tape.last_trade_s(int(seen.timestamp()))
        if traded_s is None:
            text = f"{symbol} had not traded yet: the demo begins {DEMO_START:%Y-%m-%d %H:%M} UTC"
            return self._failure(FailureKind.NO_DATA, symbol, text, now)
        return Quote(
            symbol,
            tape.at(traded_s),
            datetime.fromtimestamp(traded_s, UTC),
            now,
            SOURCE_NAME,
            previous_close=self._day.previous_close[symbol],
            open_price=_open_price(tape, traded_s),
        )

    def _failure(self, kind: FailureKind, symbol: str, message: str, now: datetime) -> Failure:
        return Failure(kind, SOURCE_NAME, symbol, message, now)


def _naive(at: datetime) -> datetime:
    """UTC without its zone, as NumPy wants it."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _session_edges_s(day: date) -> tuple[int, int]:
    session = NYSE.session(day)
    if session is None:  # the demo's day is a trading day by choice
        raise ValueError(f"{day} is not a trading day: the demo needs one")
    return int(session.open.timestamp()), int(session.close.timestamp())


def _open_price(tape: Tape, traded_s: int) -> float | None:
    opens_s, _ = _session_edges_s(DAY)
    return tape.at(opens_s) if traded_s >= opens_s else None


def _ends_s(bars: Bars) -> IntArray:
    """UTC second at which each bar is complete; the daily bar of the demo's day with its session."""
    ends: IntArray = bars.start_s + bars.interval.seconds
    if bars.interval is Interval.DAY:
        ends[bars.start_s == day_start_s(DAY)] = _session_edges_s(DAY)[1]
    return ends


def _complete(bars: Bars, keep: NDArray[np.bool_]) -> Bars:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return Bars(bars.symbol, bars.interval, bars.start_s[keep], *(column[keep] for column in columns))
