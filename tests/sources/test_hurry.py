"""The rhythm of requests, counted at the server, with the real client and its real budget.

Around a release it is denser; while Yahoo refuses the batch of quotes, charts are asked in turn.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from desktop.analytics.rates import zq_symbol
from desktop.market.instruments import LIVE_SYMBOLS
from desktop.market.quotes import Interval
from desktop.market.store import FILE_NAME, Store
from desktop.sources.feed import Feed, Plan
from desktop.sources.state import FeedState, SourceState
from tests.sources import faulty
from tests.sources.faulty import FaultyYahoo, Hand, saying
from tests.sources.yahoo_server import Chart, daily_row, forget_client

BEFORE = faulty.utc("2024-07-11T08:29:00-04:00")
PLAN = Plan(live=("^RUT", "^NDX", "IWM", "QQQ"), minute=("IWM", "QQQ"), daily=(), adjusted=(), universe=())
PATIENCE_S = 15.0


class Bench:
    """A feed on a loopback Yahoo, moved second by second; no window."""

    def __init__(self, folder: Path) -> None:
        self.clock = Hand(BEFORE)
        self.server = FaultyYahoo(self.clock)
        self.store = Store(folder / FILE_NAME)
        self._changed = threading.Condition()
        self.feed = Feed(self.store, [self.server.yahoo(folder)], self.clock, self._on_change, PLAN)

    def _on_change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE_S), self.feed.states()

    def idle(self) -> bool:
        """Whether nothing is due at this second."""
        lane = self.feed._source_lanes[0]
        with lane._lock:
            due = lane._next_due(self.clock.now())
            blocked = lane._blocked_until_s > self.clock.wall_s
            return lane._running is None and (blocked or (due is not None and due > self.clock.now()))

    def run(self, seconds: int) -> int:
        """Let so many seconds pass; returns how many batches of quotes arrived at the server."""
        before, end = self.server.count("/v7/"), self.clock.now() + timedelta(seconds=seconds)
        while (left_s := (end - self.clock.now()).total_seconds()) > 0:  # who waits for the budget moves it too
            self.clock.pass_(seconds=min(left_s, 1.0))
            self.server.serve(rut=2100.0, ndx=20300.0)
            self.until(self.idle)
        return self.server.count("/v7/") - before

    @property
    def state(self) -> SourceState:
        return self.feed.states()[0]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    forgetting = forget_client()
    next(forgetting)
    one = Bench(tmp_path)
    faulty.move_by_hand(monkeypatch, one.clock)
    with one.server:
        one.server.serve(rut=2100.0, ndx=20300.0)
        one.feed.start()
        one.until(lambda: one.state.state is FeedState.LIVE and one.idle())
        yield one
        one.feed.stop()
    one.store.close()
    next(forgetting, None)


def test_quotes_come_every_two_seconds_until_the_hurry_is_over_and_the_budget_holds(bench):
    assert bench.run(60) == pytest.approx(5, abs=1)
    until = bench.clock.now() + timedelta(seconds=120)
    bench.feed.hurry(until, 2.0)
    assert bench.feed.hurried_until == until
    assert bench.run(120) == pytest.approx(60, abs=2)
    assert bench.feed.hurried_until is None
    assert bench.run(60) == pytest.approx(5, abs=1)
    assert bench.server.count("/v8/finance/chart/IWM") == pytest.approx(1 + 4, abs=1)  # minute bars went on
    faulty.within_budget(bench.server)


def test_a_hurry_takes_at_most_half_of_the_budget_whatever_is_asked_for(bench):
    bench.feed.hurry(bench.clock.now() + timedelta(seconds=60), 0.1)
    assert bench.run(60) == pytest.approx(30, abs=2)  # one request a second is the budget
    faulty.within_budget(bench.server)


def test_a_hurry_lasts_fifteen_minutes_at_most_and_can_be_ended(bench):
    bench.feed.hurry(bench.clock.now() + timedelta(days=1), 2.0)
    assert bench.feed.hurried_until == bench.clock.now() + timedelta(minutes=15)
    bench.feed.hurry(bench.clock.now(), 2.0)
    assert bench.feed.hurried_until is None
    assert bench.run(60) == pytest.approx(5, abs=1)
    with pytest.raises(ValueError, match="more than 0"):
        bench.feed.hurry(bench.clock.now() + timedelta(minutes=1), 0.0)


def test_history_waits_until_the_hurry_is_over(bench):
    bench.feed.hurry(bench.clock.now() + timedelta(seconds=30), 2.0)
    bench.feed.plan = replace(PLAN, daily=("^VIX",))
    assert bench.run(28) == pytest.approx(14, abs=1)
    assert bench.server.count("interval=1d") == 0
    bench.server.charts["^VIX"].rows = [daily_row("2024-07-09", 13.0), daily_row("2024-07-10", 12.85)]
    bench.clock.pass_(seconds=3)
    bench.until(lambda: len(bench.store.bars("^VIX", Interval.DAY)) > 0)
    assert bench.server.count("interval=1d") == 1


def test_a_host_that_asked_for_quiet_is_not_hurried(bench):
    bench.server.wires["/finance/"] = saying(429, b"Too Many Requests", "text/plain")
    bench.feed.hurry(bench.clock.now() + timedelta(seconds=120), 2.0)
    assert bench.run(120) == 1
    assert bench.state.state is not FeedState.LIVE


# --- without the batch ------------------------------------------------------------------------------------------

FUTURES = tuple(zq_symbol(date(2024 + month // 12, month % 12 + 1, 1)) for month in range(6, 19))
EVERYTHING = replace(PLAN, live=(*LIVE_SYMBOLS, *FUTURES), daily=("^VIX",))


def serve_charts(bench: Bench) -> None:
    """Charts of everything at this second, on minutes and days; no batch."""
    now_s = int(bench.clock.now().timestamp())
    for symbol in EVERYTHING.live:
        price = faulty.CLOSES.get(symbol, 95.0)
        rows: list[tuple[float | None, ...]] = [(now_s // 60 * 60 - 120, price, price, price, price, 1)]
        if symbol == "^VIX":
            rows = [daily_row("2024-07-09", 13.0), daily_row("2024-07-10", 12.85)]
        bench.server.charts[symbol] = Chart(rows, price=price, time_s=now_s, previous_close=price)


@pytest.mark.parametrize("hurried", [False, True])
def test_without_the_batch_charts_are_asked_in_turn_and_leave_room_for_minutes_and_history(bench, hurried):
    assert len(EVERYTHING.live) == 21
    bench.server.wires["/v7/"] = saying(403, b"Forbidden", "text/plain")
    bench.feed.plan = EVERYTHING
    if hurried:
        bench.feed.hurry(bench.clock.now() + timedelta(minutes=10), 2.0)
    end = bench.clock.now() + timedelta(minutes=4)
    while bench.clock.now() < end:
        bench.clock.pass_(seconds=1)
        serve_charts(bench)
        bench.until(bench.idle)
    paths = [urlsplit(one) for one in bench.server.requests if "/v8/" in one]
    charts = Counter(unquote(one.path.rsplit("/", 1)[-1]) for one in paths if "includePrePost" not in one.query)
    minutes = Counter(unquote(one.path.rsplit("/", 1)[-1]) for one in paths if "includePrePost=" in one.query)
    rounds = charts["^RUT"]
    assert rounds == charts["^NDX"] == charts["QQQ"]
    assert rounds >= 15
    assert sum(charts.values()) <= 8 * rounds
    assert all(charts[symbol] >= 2 for symbol in EVERYTHING.live)  # nobody is left out
    assert all(bench.store.last_quote(one, bench.clock.now()) for one in EVERYTHING.live)
    assert bench.state.state is FeedState.LIVE
    assert min(minutes[symbol] for symbol in EVERYTHING.minute) >= 4
    assert bench.server.count("interval=1d") == (0 if hurried else 1)
    faulty.within_budget(bench.server)
