"""The fault matrix: what happens in the window while Yahoo, or the way to it, goes wrong.

Each row runs the real window on the real store with the real client against a loopback server. While the fault
lasts the window paints, nothing good is lost, the state is told, the server is not hammered; afterwards all is
well without anybody's help.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from desktop import desk, engine
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Interval
from desktop.market.store import FILE_NAME, Store
from desktop.presenters.frame import Frame
from desktop.qt import make_qt
from desktop.sources.contract import FailureKind
from desktop.sources.feed import Feed
from desktop.sources.lane import SourceLane
from desktop.sources.plan import Plan
from desktop.sources.state import FeedState, SourceState
from tests.app.rig import Rig
from tests.sources import faulty
from tests.sources.faulty import FaultyYahoo, Hand, Wire, saying
from tests.sources.yahoo_server import Chart, daily_row, forget_client, quote_row
from widgets import theme

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
PLAN = Plan(
    live=("^RUT", "^NDX", "IWM", "QQQ"), minute=("^RUT", "^NDX"), daily=("^RUT", "^NDX"), adjusted=(), universe=()
)
LONGEST_S = 1.0
"""Between two frames, wall seconds."""
PATIENCE_S = 15.0


class Stand:
    """The whole application on one store and one faulty Yahoo, moved through time step by step."""

    def __init__(self, qtbot: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
        self.rig = Rig(qtbot, folder, monkeypatch)
        self.clock = Hand(now)
        monkeypatch.setattr(desk, "SystemClock", lambda: self.clock)
        monkeypatch.setattr(desk, "live_plan", lambda **_: PLAN)
        faulty.move_by_hand(monkeypatch, self.clock)
        self.server = FaultyYahoo(self.clock)
        self.folder = folder
        self.painted: list[float] = []

    def open(self) -> None:
        """Open the window and wait until it is live."""
        faulty.fill(self.folder, date(2024, 7, 10))
        self.server.serve(rut=2100.0, ndx=20300.0)
        app = self.rig.start(offline=False, sources=self.server.sources)
        app.shown.connect(lambda _frame: self.painted.append(time.monotonic()))
        self.settle()
        self.frame(lambda _: self.state.state is FeedState.LIVE)

    @property
    def lane(self) -> SourceLane:
        here = self.rig.app.desk
        assert here is not None
        assert here._parts is not None
        return here._parts.feed._source_lanes[0]

    def settle(self) -> None:
        """Wait until the feed has nothing to do at this second."""

        def idle() -> bool:
            here = self.rig.app.desk
            if here is None or here._parts is None or not here._begun:
                return False
            lane, now = self.lane, self.clock.now()
            with lane._lock:
                busy = lane._running is not None or bool(lane._refresh)
                blocked = lane._blocked_until_s > self.clock.wall_s
                due = lane._next_due(now)
            return not busy and (blocked or (due is not None and due > now))

        self.rig.until(idle, timeout_ms=round(1000 * PATIENCE_S))

    def step(self, **delta: float) -> Frame:
        """Let time pass, the feed work, and the window show it."""
        self.clock.pass_(**delta)
        self.settle()
        now, seen = self.clock.now(), self.lane.state(self.clock.now())
        since = time.monotonic()
        found = self.frame(lambda one: one.snapshot.moment >= now and one.snapshot.feed[0] == seen)
        assert time.monotonic() - since <= LONGEST_S, "the state was shown later than a tick"
        return found

    def frame(self, condition: Callable[[Frame], object]) -> Frame:
        return self.rig.frame(condition)

    @property
    def state(self) -> SourceState:
        """As the window shows it."""
        shown = self.rig.window.frame_shown
        assert shown is not None
        return shown.snapshot.feed[0]

    def is_(self, state: FeedState) -> bool:
        return self.state.state is state

    @property
    def dot(self) -> tuple[str, str]:
        """Words and hover of the status bar's dot."""
        shown = self.rig.window.frame_shown
        assert shown is not None
        one = shown.status.dots[0]
        return one.label, one.why

    def prices(self) -> tuple[float, float]:
        """Last stored prices of RUT and NDX, read by somebody else."""
        with Store(self.folder / FILE_NAME) as store:
            quotes = [store.last_quote(one, self.clock.now()) for one in ("^RUT", "^NDX")]
        rut, ndx = (0.0 if one is None else one.price for one in quotes)
        return rut, ndx

    def history(self) -> tuple[int, ...]:
        """Rows in the store: daily bars and minute bars of both legs."""
        with Store(self.folder / FILE_NAME) as store:
            return tuple(
                len(store.bars(symbol, interval))
                for symbol in ("^RUT", "^NDX")
                for interval in (Interval.DAY, Interval.MINUTE)
            )

    def painted_all_the_time(self, since: float) -> None:
        """From `since` until now no second passed without a frame."""
        stamps = [since, *(at for at in self.painted if at >= since), time.monotonic()]
        longest = max(later - earlier for earlier, later in pairwise(stamps))
        assert longest <= LONGEST_S, f"{longest:.2f} s without a frame"


@pytest.fixture
def make_stand(qtbot: Any, qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    make_qt()
    monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))
    monkeypatch.setattr(engine, "FRAME_PERIOD_S", 0.02)
    monkeypatch.setattr(engine, "TICK_PERIOD_S", 0.2)
    forgetting = forget_client()
    next(forgetting)
    stands: list[Stand] = []

    def make(now: datetime = OPEN) -> Stand:
        stands.append(Stand(qtbot, tmp_path, monkeypatch, now))
        stands[-1].server.__enter__()
        return stands[-1]

    yield make
    for stand in stands:
        stand.server.released.set()
        stand.rig.close()
        stand.server.__exit__()
    next(forgetting, None)
    qapp.setStyleSheet("")
    theme.load_fonts()


@dataclass(frozen=True)
class Case:
    """A fault of all of Yahoo's data, what it is called, and what the user reads of it."""

    wire: Wire
    kind: FailureKind
    words: str
    charts: int = 0
    """Most charts asked for in four and a half minutes, where one host-wide refusal is not enough."""


UNAUTHORIZED = b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
CASES = {
    "401": Case(saying(401, UNAUTHORIZED), FailureKind.AUTH, "401", 10),
    "403": Case(saying(403, b"Forbidden", "text/plain"), FailureKind.AUTH, "403", 10),
    "404": Case(saying(404, b"{}"), FailureKind.NOT_FOUND, "404", 28),
    "500": Case(saying(500, b"<html>oops</html>", "text/html"), FailureKind.BAD_PAYLOAD, "500", 18),
    "502": Case(saying(502, b"", "text/html"), FailureKind.BAD_PAYLOAD, "502", 18),
    "html": Case(saying(200, b"<html>Sign in</html>", "text/html"), FailureKind.BAD_PAYLOAD, "web page", 18),
    "empty": Case(saying(200, b""), FailureKind.BAD_PAYLOAD, "empty", 18),
    "half": Case(saying(200, b'{"quoteResponse":{"result":['), FailureKind.BAD_PAYLOAD, "unreadable", 18),
    "strange": Case(saying(200, b'{"finance":{"error":null}}'), FailureKind.BAD_PAYLOAD, "unreadable", 18),
    "truncated": Case(faulty.truncated, FailureKind.OFFLINE, "broke off"),
    "hang": Case(faulty.hang, FailureKind.TIMEOUT, "timed out"),
    "drip": Case(faulty.drip, FailureKind.TIMEOUT, "timed out"),
    "reset": Case(faulty.reset, FailureKind.OFFLINE, "reset"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_the_host_is_told_loses_nothing_and_heals_by_itself(make_stand, name):
    case, stand = CASES[name], make_stand()
    stand.open()
    rows, since, asked = stand.history(), time.monotonic(), stand.server.count("/v8/")
    stand.server.wires["/finance/"] = case.wire

    stand.step(seconds=12)
    assert stand.is_(FeedState.LIVE)  # twelve seconds old is still good
    error = stand.state.last_error
    assert error is not None
    assert error.kind is case.kind
    assert case.words in error.message
    for _ in range(4):
        stand.step(seconds=60)
    assert stand.is_(FeedState.UNAVAILABLE)
    words, hover = stand.dot
    assert "unavailable" in words
    assert error.cure in hover
    assert case.words in hover
    assert stand.server.count("/v8/") <= asked + case.charts
    assert stand.prices() == (2100.0, 20300.0)
    assert stand.history() >= rows
    stand.painted_all_the_time(since)

    stand.server.wires.clear()
    stand.clock.pass_(seconds=60)
    stand.server.serve(rut=2101.0, ndx=20290.0)
    stand.step()
    assert stand.is_(FeedState.LIVE)
    assert stand.prices() == (2101.0, 20290.0)
    stand.painted_all_the_time(since)
    faulty.within_budget(stand.server)


def test_too_many_requests_stop_the_whole_host_for_5_then_15_then_60_minutes(make_stand):
    stand = make_stand()
    stand.open()
    since = time.monotonic()
    stand.server.wires["/finance/"] = saying(429, b"Too Many Requests", "text/plain")
    for minutes in (5, 15, 60, 60):
        asked = stand.server.count()
        stand.step(seconds=12)
        assert stand.server.count() == asked + 1  # one probe, whatever else is due
        next_try = stand.state.next_try
        assert next_try is not None
        assert (next_try - stand.clock.now()).total_seconds() == pytest.approx(60 * minutes, abs=1)
        assert f"next try in {minutes} min" in stand.dot[1] or "next try in 1 h" in stand.dot[1]
        stand.step(seconds=60 * minutes / 2)
        stand.rig.app.desk.refresh()  # even the user's wish does not reach the host now
        stand.step(seconds=1)
        assert stand.server.count() == asked + 1
        assert stand.prices() == (2100.0, 20300.0)
        left_s = (stand.state.next_try - stand.clock.now()).total_seconds()
        assert left_s == pytest.approx(30 * minutes, abs=2)  # the countdown moves
        stand.step(seconds=left_s - 11)
        stand.painted_all_the_time(since)
    stand.server.wires.clear()
    stand.clock.pass_(seconds=60)
    stand.server.serve(rut=2101.0, ndx=20290.0)
    stand.step()
    assert stand.is_(FeedState.LIVE)
    assert stand.prices() == (2101.0, 20290.0)
    faulty.within_budget(stand.server)


def test_a_name_that_cannot_be_resolved_says_to_check_that_the_computer_is_online(make_stand):
    stand = make_stand()
    stand.open()
    since, port, asked = time.monotonic(), stand.server.port, stand.server.count()
    session = stand.lane._source._wire._session
    session.host = "no-such-host.invalid"
    stand.step(seconds=12)
    for _ in range(4):
        stand.step(seconds=60)
    error = stand.state.last_error
    assert error is not None
    assert (error.kind, stand.state.state) == (FailureKind.OFFLINE, FeedState.UNAVAILABLE)
    assert "check that this computer is online" in stand.dot[1]
    assert "no-such-host.invalid" in stand.dot[1]
    assert stand.server.count() == asked
    assert stand.prices() == (2100.0, 20300.0)
    stand.painted_all_the_time(since)
    session.host = f"127.0.0.1:{port}"
    stand.clock.pass_(seconds=60)
    stand.server.serve(rut=2101.0, ndx=20290.0)
    stand.step()
    assert (stand.state.state, stand.prices()) == (FeedState.LIVE, (2101.0, 20290.0))


def test_a_host_that_hangs_past_the_deadline_of_a_job_gets_another_worker(make_stand):
    """The client's own limit is not trusted alone: a worker that does not come back is given up."""
    stand = make_stand()
    stand.open()
    since = time.monotonic()
    lane = stand.lane
    worker, source = lane.worker, lane._source
    held, usual = threading.Event(), source.quotes
    source.quotes = lambda _symbols: held.wait(20) and {}
    stand.clock.pass_(seconds=12)
    stand.rig.until(lambda: lane._running is not None)
    stand.clock.pass_(seconds=PLAN.deadline_s + 1)
    source.quotes = usual
    stand.rig.until(lambda: lane.worker is not worker and lane._running is None)
    error = lane.state(stand.clock.now()).last_error
    assert error is not None
    assert (error.kind, error.message) == (FailureKind.TIMEOUT, "no answer within 45 s")
    stand.server.serve(rut=2101.0, ndx=20290.0)
    stand.step(seconds=60)
    assert (stand.state.state, stand.prices()) == (FeedState.LIVE, (2101.0, 20290.0))
    held.set()
    stand.painted_all_the_time(since)


def test_one_symbol_missing_of_the_batch_is_told_and_the_gap_goes_on_with_a_proxy(make_stand):
    stand = make_stand()
    stand.open()
    assert driver_of(stand) == "index"
    stand.clock.pass_(seconds=12)
    stand.server.serve(rut=2101.0, ndx=20290.0, iwm=205.0, qqq=501.0)
    gone = stand.server.quotes.pop("^RUT")
    charts = stand.server.charts.pop("^RUT")
    stand.step()
    error = stand.state.last_error
    assert error is not None
    assert (error.kind, error.symbol) == (FailureKind.NOT_FOUND, "^RUT")
    assert stand.prices() == (2100.0, 20290.0)
    for _ in range(5):
        stand.clock.pass_(seconds=20)
        stand.server.serve(ndx=20290.0, iwm=205.0, qqq=501.0)
        del stand.server.quotes["^RUT"], stand.server.charts["^RUT"]
        stand.step()
    # The RUT index is too old beside NDX by now; a proxy is used, and called one.
    assert driver_of(stand) == "etf"
    shown = stand.rig.window.frame_shown
    assert shown is not None
    assert any("stand in for the index" in one.text for one in shown.divergence.warnings)
    stand.server.quotes["^RUT"], stand.server.charts["^RUT"] = gone, charts
    stand.clock.pass_(seconds=20)
    stand.server.serve(rut=2102.0, ndx=20291.0)
    stand.step()
    assert (driver_of(stand), stand.prices()) == ("index", (2102.0, 20291.0))


def driver_of(stand: Stand) -> str:
    shown = stand.rig.window.frame_shown
    assert shown is not None
    driver = shown.snapshot.today.driver
    return driver.reason if isinstance(driver, Unknown) else driver.kind


# --- what Yahoo gets wrong within a good answer ------------------------------------------------------------------


def gap_pp(stand: Stand) -> float:
    shown = stand.rig.window.frame_shown
    assert shown is not None
    now = shown.snapshot.today.spread
    assert not isinstance(now, Unknown), now
    return now.spread_pp


RIGHT_PP = 100 * (2100.0 / 2051.76 - 20300.0 / 20675.38)


@pytest.mark.parametrize(
    "previous_close",
    [0.0002, 0.0, None, 2.0518, 205176.0],
)
def test_a_wrong_previous_close_moves_no_gap(make_stand, previous_close):
    """The gap is measured from the store's official close, never from what a quote says of itself."""
    stand = make_stand()
    stand.open()
    assert gap_pp(stand) == pytest.approx(RIGHT_PP, abs=1e-9)
    since, asked, rows = time.monotonic(), stand.server.count(), stand.history()
    for _ in range(4):
        stand.clock.pass_(seconds=12)
        stand.server.serve(rut=2100.0, ndx=20300.0)
        stand.server.quotes["^RUT"]["regularMarketPreviousClose"] = previous_close
        stand.server.charts["^RUT"].previous_close = previous_close
        stand.step()
        assert gap_pp(stand) == pytest.approx(RIGHT_PP, abs=1e-9)
        assert stand.is_(FeedState.LIVE)
    assert stand.prices() == (2100.0, 20300.0)
    assert stand.history() >= rows
    # Four batches, and at most one second opinion each where the close is far from the price.
    assert asked + 4 <= stand.server.count() <= asked + 8
    stand.clock.pass_(seconds=12)
    stand.server.serve(rut=2101.0, ndx=20291.0)
    stand.step()
    assert (stand.state.state, stand.prices()) == (FeedState.LIVE, (2101.0, 20291.0))
    stand.painted_all_the_time(since)
    faulty.within_budget(stand.server)


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_price_wrong_by_a_factor_of_100_is_never_shown_nor_stored(make_stand, factor):
    stand = make_stand()
    stand.open()
    since, asked = time.monotonic(), stand.server.count()
    for charts_too in (False, True):
        stand.clock.pass_(seconds=12)
        stand.server.serve(rut=2100.0, ndx=20290.0)
        stand.server.quotes["^RUT"]["regularMarketPrice"] = 2100.0 * factor
        if charts_too:  # then both endpoints agree on the nonsense, but not the store
            stand.server.charts["^RUT"].price = 2100.0 * factor
        stand.step()
        assert stand.prices() == (2100.0, 20290.0)
        error = stand.state.last_error
        assert error is not None
        assert (error.kind, error.symbol) == (FailureKind.BAD_PAYLOAD, "^RUT")
        assert stand.is_(FeedState.LIVE)  # the other leg, and this one as it was
    assert stand.server.count() <= asked + 4  # a second opinion each
    stand.clock.pass_(seconds=12)
    stand.server.serve(rut=2101.0, ndx=20291.0)
    stand.step()
    assert (stand.state.state, stand.prices()) == (FeedState.LIVE, (2101.0, 20291.0))
    stand.painted_all_the_time(since)
    faulty.within_budget(stand.server)


def test_a_session_that_yahoo_lost_is_a_gap_until_it_comes_and_nothing_is_computed_across_it(make_stand):
    lost, moment = date(2024, 7, 10), "2024-07-10"
    stand = make_stand()
    faulty.fill(stand.folder, date(2024, 7, 10), without=[lost])
    stand.server.serve(rut=2100.0, ndx=20300.0)
    app = stand.rig.start(offline=False, sources=stand.server.sources)
    app.shown.connect(lambda _frame: stand.painted.append(time.monotonic()))
    stand.settle()
    shown = stand.frame(lambda _: stand.is_(FeedState.GAP))
    assert f"^RUT: no bar of {moment}" in stand.dot[1]
    assert isinstance(shown.snapshot.today.spread, Unknown)
    assert moment in shown.snapshot.today.spread.reason
    assert not shown.snapshot.live
    for symbol in ("^RUT", "^NDX"):
        days = ("2024-07-08", "2024-07-09", moment)
        rows = [daily_row(day, faulty.CLOSES[symbol]) for day in days]
        rows[1] = daily_row(days[1], None)  # a day without a close
        stand.server.charts[symbol] = Chart([*rows, rows[2]], price=faulty.CLOSES[symbol])  # and one twice
    stand.clock.pass_(minutes=31)  # the next look
    now_s = int(stand.clock.now().timestamp())
    for symbol, price in (("^RUT", 2100.0), ("^NDX", 20300.0)):
        stand.server.quotes[symbol] = quote_row(symbol, price, now_s)
    stand.step()
    shown = stand.frame(lambda one: not isinstance(one.snapshot.today.spread, Unknown))
    assert stand.is_(FeedState.LIVE)
    assert gap_pp(stand) == pytest.approx(RIGHT_PP, abs=1e-9)
    with Store(stand.folder / FILE_NAME) as store:
        kept = store.closes("^RUT", date(2024, 7, 8))
        assert [str(day) for day in kept.days] == ["2024-07-08", "2024-07-09", moment]
        assert kept.close[1] != faulty.CLOSES["^RUT"]  # the row without a close took nothing away
    faulty.within_budget(stand.server)


def test_days_that_are_stamped_in_different_zones_are_the_same_days(make_stand):
    """An index is stamped at its opening, a future at midnight of its exchange; winter and summer differ, too."""
    stand = make_stand(datetime(2024, 11, 6, 15, 30, tzinfo=UTC))
    faulty.fill(stand.folder, date(2024, 10, 30))
    stand.server.serve(rut=2100.0, ndx=20300.0)
    days = ("2024-10-31", "2024-11-01", "2024-11-04", "2024-11-05")  # the clocks go back on the 3rd
    stamps = {"^RUT": ("04:00", "04:00", "05:00", "05:00"), "^NDX": ("13:30", "13:30", "14:30", "14:30")}
    for symbol, clocks in stamps.items():
        close = faulty.CLOSES[symbol]
        rows = [daily_row(day, close + n, clock=clocks[n]) for n, day in enumerate(days)]
        stand.server.charts[symbol] = Chart(rows, price=close, previous_close=close)
    since = time.monotonic()
    app = stand.rig.start(offline=False, sources=stand.server.sources)
    app.shown.connect(lambda _frame: stand.painted.append(time.monotonic()))
    stand.settle()
    stand.frame(lambda _: stand.is_(FeedState.LIVE))
    with Store(stand.folder / FILE_NAME) as store:
        for symbol in stamps:
            kept = store.closes(symbol, date(2024, 10, 31))
            assert [str(day) for day in kept.days] == list(days)
            assert kept.close.tolist() == [faulty.CLOSES[symbol] + n for n in range(4)]
    expected = 100 * (2100.0 / (2051.76 + 3) - 20300.0 / (20675.38 + 3))
    assert gap_pp(stand) == pytest.approx(expected, abs=1e-9)
    assert stand.server.count("interval=1d") == 2
    stand.painted_all_the_time(since)
    faulty.within_budget(stand.server)


@pytest.mark.parametrize(
    ("now", "first", "count"),
    [
        ("2024-03-11T09:36:20-04:00", "2024-03-11T13:30:00+00:00", 6),  # clocks had gone forward on Sunday
        ("2024-11-04T09:36:20-05:00", "2024-11-04T14:30:00+00:00", 6),  # and back
        ("2024-03-10T18:06:20-04:00", "2024-03-10T22:00:00+00:00", 6),  # futures on the Sunday itself
        ("2024-11-03T18:06:20-05:00", "2024-11-03T23:00:00+00:00", 6),
        ("2024-11-03T01:03:20-05:00", "2024-11-03T05:57:00+00:00", 6),  # across the hour that comes twice
        ("2024-11-29T13:00:30-05:00", "2024-11-29T17:55:00+00:00", 5),  # the last minutes of a half day
    ],
)
def test_minutes_of_odd_days_are_in_utc_without_holes_doubles_and_live_rows(
    tmp_path, monkeypatch, now, first, count
):
    forgetting = forget_client()
    next(forgetting)
    clock = Hand(faulty.utc(now))
    faulty.move_by_hand(monkeypatch, clock)
    start_s, changed = int(faulty.utc(first).timestamp()), threading.Semaphore(0)
    with FaultyYahoo(clock) as server, Store(tmp_path / FILE_NAME) as store:
        for symbol in ("^RUT", "^NDX"):
            rows: list[tuple[float | None, ...]] = [
                (start_s + 60.0 * n, *(4 * [2000.0 + n]), 1.0) for n in range(count)
            ]
            rows.insert(2, rows[1])
            rows.insert(4, (rows[3][0], None, None, None, None, None))
            rows.append((clock.now().timestamp() - 1, *(4 * [2099.0]), 0.0))  # the live price as a row of its own
            server.charts[symbol] = Chart(rows, price=2099.0, time_s=int(clock.now().timestamp()))
        plan = Plan(live=(), minute=("^RUT", "^NDX"), daily=(), adjusted=())
        feed = Feed(store, [server.yahoo(tmp_path)], clock, changed.release, plan)
        feed.start()
        assert changed.acquire(timeout=PATIENCE_S)
        assert changed.acquire(timeout=PATIENCE_S)
        feed.stop()
        for symbol in ("^RUT", "^NDX"):
            bars = store.bars(symbol, Interval.MINUTE)
            assert bars.start_s.tolist() == [start_s + 60 * n for n in range(count)]
            assert bars.close.tolist() == [2000.0 + n for n in range(count)]
        assert server.count("/v8/") == 2  # one request a symbol, whatever was wrong with its rows
        faulty.within_budget(server)
    next(forgetting, None)
