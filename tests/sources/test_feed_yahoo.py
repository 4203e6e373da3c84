"""The whole way of a price: loopback server, curl_cffi, yfinance, the source, the feed, the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from desktop.market.quotes import Interval
from desktop.market.sessions import NYSE
from desktop.market.store import Store
from desktop.sources.contract import FailureKind
from desktop.sources.feed import Feed, FeedState, Plan, SourceState
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.yahoo import Yahoo
from tests.sources.yahoo_server import Chart, Fault, YahooServer, daily_row, forget_client, minutes, quote_row

OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
PATIENCE_S = 20.0
PAIR = Plan(live=("^RUT", "^NDX"), minute=(), daily=(), adjusted=())


class Hand:
    """A clock that only moves when told."""

    speed = 1.0

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class Rig:
    def __init__(self, folder: Path) -> None:
        self.clock, self.server, self.store = Hand(OPEN), YahooServer(), Store(folder / "store.sqlite")
        self.breaker = HostBreaker(jitter=lambda: 0.5)
        self.yahoo = Yahoo(
            folder / "cache",
            self.clock,
            session_factory=self.server.session,
            known_close=self._known_close,
            bucket=TokenBucket(rate_per_s=1e6, burst=1000),
            breaker=self.breaker,
            call_limit_s=5.0,
        )
        self.changes = 0
        self._changed = threading.Condition()
        self.feed: Feed | None = None

    def _known_close(self, symbol: str) -> float | None:
        closes = self.store.closes(symbol)
        return float(closes.close[-1]) if len(closes) else None

    def start(self, plan: Plan) -> None:
        self.feed = Feed(self.store, [self.yahoo], self.clock, self._on_change, plan)
        self.feed.start()

    def _on_change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE_S), (self.changes, self.state)

    def round(self, **later: float) -> None:
        """Let time pass and the next job finish."""
        seen = self.changes
        self.clock.time += timedelta(**later)
        self.until(lambda: self.changes > seen)

    @property
    def state(self) -> SourceState:
        assert self.feed is not None
        (one,) = self.feed.states()
        return one

    def price(self, symbol: str) -> float:
        quote = self.store.last_quote(symbol, self.clock.now())
        assert quote is not None
        return quote.price

    def serve(self, rut: float, ndx: float) -> None:
        now_s = int(self.clock.now().timestamp())
        for symbol, price, close in (("^RUT", rut, 2051.76), ("^NDX", ndx, 20675.38)):
            self.server.quotes[symbol] = quote_row(symbol, price, now_s, regularMarketPreviousClose=close)
            self.server.charts[symbol] = Chart(price=price, time_s=now_s, previous_close=close)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    forgetting = forget_client()
    next(forgetting)
    one = Rig(tmp_path)
    with one.server:
        yield one
        one.server.released.set()
        if one.feed is not None:
            one.feed.stop()
    one.store.close()
    next(forgetting, None)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.NOT_FOUND, FailureKind.NOT_FOUND),
        (Fault.SERVER_ERROR, FailureKind.BAD_PAYLOAD),
        (Fault.HTML, FailureKind.BAD_PAYLOAD),
        (Fault.EMPTY, FailureKind.BAD_PAYLOAD),
        (Fault.DROPPED, FailureKind.OFFLINE),
    ],
)
def test_a_fault_never_touches_the_store_and_heals_by_itself(rig, fault, kind):
    rig.serve(2100.0, 20300.0)
    rig.start(PAIR)
    rig.until(lambda: rig.changes == 1)
    assert (rig.price("^RUT"), rig.price("^NDX")) == (2100.0, 20300.0)
    rig.server.faults["/finance/"] = fault
    rig.round(seconds=12)
    assert (rig.price("^RUT"), rig.price("^NDX")) == (2100.0, 20300.0)
    error = rig.state.last_error
    assert error is not None
    assert error.kind is kind
    rig.server.faults.clear()
    rig.clock.time += timedelta(seconds=24)
    rig.serve(2101.0, 20290.0)
    rig.until(lambda: rig.changes >= 3)
    assert (rig.price("^RUT"), rig.price("^NDX")) == (2101.0, 20290.0)
    assert rig.state.state is FeedState.LIVE


def test_after_a_429_the_server_is_left_alone_and_the_countdown_shows(rig):
    rig.serve(2100.0, 20300.0)
    rig.start(PAIR)
    rig.until(lambda: rig.changes == 1)
    rig.server.faults["/v7/"] = Fault.RATE_LIMITED
    rig.round(seconds=12)
    assert rig.server.count("/v7/") == 2
    next_try = rig.state.next_try
    assert next_try is not None
    assert (next_try - rig.clock.now()).total_seconds() == pytest.approx(300.0, abs=5.0)
    asked = rig.server.count()
    assert rig.feed is not None
    rig.feed.refresh_now()  # even the user's wish does not reach the host now
    rig.until(lambda: rig.feed is not None and not rig.feed.refreshing)
    assert rig.server.count() == asked
    assert rig.price("^NDX") == 20300.0


def test_a_hundredfold_leg_is_kept_out_while_the_other_leg_goes_on(rig):
    rig.serve(2100.0, 20300.0)
    rig.start(PAIR)
    rig.until(lambda: rig.changes == 1)
    rig.clock.time += timedelta(seconds=11)
    rig.serve(2101.0, 20290.0)
    rig.server.quotes["^RUT"]["regularMarketPrice"] = 210100.0
    rig.round(seconds=1)
    assert (rig.price("^RUT"), rig.price("^NDX")) == (2100.0, 20290.0)
    error = rig.state.last_error
    assert error is not None
    assert (error.kind, error.symbol) == (FailureKind.BAD_PAYLOAD, "^RUT")


def test_a_hanging_server_does_not_stop_the_feed(rig):
    rig.serve(2100.0, 20300.0)
    rig.server.faults["/v7/"] = Fault.HANG
    rig.start(replace(PAIR, deadline_s=0.5))
    rig.until(lambda: rig.changes == 1)
    error = rig.state.last_error
    assert error is not None
    assert error.kind is FailureKind.TIMEOUT
    rig.server.faults.clear()
    rig.clock.time += timedelta(minutes=2)
    rig.serve(2101.0, 20290.0)
    # The hung call holds yfinance's lock no longer than the limit of a call.
    rig.until(lambda: rig.state.state is FeedState.LIVE)
    assert rig.price("^NDX") == 20290.0


def test_a_first_start_fills_the_store_with_history_minutes_and_the_universe(rig):
    days = [str(day) for day in NYSE.days(date(2024, 6, 3), date(2024, 7, 10))]
    for symbol, level in (("^NDX", 19000.0), ("IWM", 200.0), ("AAA", 50.0), ("BBB", 80.0)):
        rows = [daily_row(day, level + n) for n, day in enumerate(days)]
        if symbol == "BBB":
            rows[3] = daily_row(days[3], None)  # a day that Yahoo lost
            rows.insert(8, rows[8])  # and one it sent twice
        rig.server.charts[symbol] = Chart(rows, price=level + len(days))
    plan = replace(PAIR, live=(), daily=("^NDX",), adjusted=("IWM",), universe=("AAA", "GONE", "BBB"))
    rig.start(plan)
    rig.until(lambda: rig.store.panel("built-in") is not None)
    ndx = rig.store.closes("^NDX")
    assert [str(day) for day in ndx.days] == days
    assert ndx.close[-1] == 19000.0 + len(days) - 1
    assert len(rig.store.closes("IWM:adj")) == len(days)
    panel = rig.store.panel("built-in")
    assert panel is not None
    assert panel.tickers == ("AAA", "BBB")
    assert np.flatnonzero(np.isnan(panel.close[:, 1])).tolist() == [3]
    assert rig.server.count("/v8/") == 5  # one request a symbol, the unknown one included


def test_minute_bars_arrive_and_are_revised(rig):
    start = "2024-07-11T10:20:00-04:00"
    rig.server.charts["IWM"] = Chart(minutes(start, [205.0, 205.5, 206.0]), price=206.0)
    rig.start(replace(PAIR, live=(), minute=("IWM",)))
    rig.until(lambda: rig.changes == 1)
    assert rig.store.bars("IWM", Interval.MINUTE).close.tolist() == [205.0, 205.5, 206.0]
    rig.server.charts["IWM"] = Chart(minutes(start, [205.0, 205.4, 206.0, 206.5]), price=206.5)
    rig.round(seconds=60)
    assert rig.store.bars("IWM", Interval.MINUTE).close.tolist() == [205.0, 205.4, 206.0, 206.5]
