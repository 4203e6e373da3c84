"""The whole window with Yahoo in its own process, on real time, while that process or its host goes wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from desktop import desk
from desktop.deferred import Deferred
from desktop.market.clock import Clock, PlayClock
from desktop.market.known import Unknown
from desktop.market.store import FILE_NAME, Store
from desktop.qt import make_qt
from desktop.sources import remote
from desktop.sources.contract import FailureKind, Source
from desktop.sources.plan import Plan
from desktop.sources.remote import Remote
from desktop.sources.state import FeedState, SourceState
from tests.app.rig import Rig
from tests.sources import faulty
from tests.sources.makers import plenty, spoiled
from tests.sources.yahoo_server import Fault, YahooServer, quote_row
from widgets import theme

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
PLAN = Plan(live=("^RUT", "^NDX"), minute=(), daily=(), adjusted=(), open_s=0.25, live_age_s=1.5, quiet_s=3.0)
LIMIT_S = 2.0
LONGEST_S = 2.0
"""Between two frames, wall seconds: one comes each second though nothing arrives."""
PATIENCE_MS = 40_000


class Bench:
    """The application on a clock that goes, begun on the afternoon of 11 July 2024."""

    def __init__(self, qtbot: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig, self.folder = Rig(qtbot, folder, monkeypatch), folder
        self.clock = PlayClock(OPEN, 1.0)
        monkeypatch.setattr(desk, "SystemClock", lambda: self.clock)
        monkeypatch.setattr(desk, "live_plan", lambda **_: PLAN)
        self.server = YahooServer()
        self.orders = folder / "orders"
        self.remote: Remote
        self.painted: list[float] = []
        self._good = self.server._good
        self.server._good = self._at_this_second  # type: ignore[method-assign]
        self.price = {"^RUT": 2100.0, "^NDX": 20300.0}

    def _at_this_second(self, path: str) -> tuple[int, str, bytes]:
        now_s = int(self.clock.now().timestamp())
        self.server.quotes = {one: quote_row(one, price, now_s) for one, price in self.price.items()}
        return self._good(path)

    def sources(self, store: Store, clock: Clock) -> Sequence[Source]:
        make = partial(spoiled, folder=self.folder / "yfinance", port=self.server.port, orders=self.orders)
        self.remote = Remote("yahoo", make, clock, known_close=store.last_close, bucket=plenty(), limit_s=LIMIT_S)
        return (self.remote,)

    def open(self) -> None:
        faulty.fill(self.folder, date(2024, 7, 10))
        app = self.rig.start(offline=False, sources=self.sources)
        app.shown.connect(lambda _frame: self.painted.append(time.monotonic()))
        self.until(FeedState.LIVE)

    @property
    def state(self) -> SourceState:
        shown = self.rig.window.frame_shown
        assert shown is not None
        return shown.snapshot.feed[0]

    def until(self, *states: FeedState) -> None:
        self.rig.until(lambda: self.state.state in states, PATIENCE_MS)

    def prices(self) -> dict[str, float]:
        with Store(self.folder / FILE_NAME) as store:
            held = {one: store.last_quote(one, self.clock.now()) for one in self.price}
        return {one: quote.price for one, quote in held.items() if quote is not None}

    def painted_all_the_time(self, since: float) -> None:
        stamps = [since, *(at for at in self.painted if at >= since), time.monotonic()]
        longest = max(later - earlier for earlier, later in pairwise(stamps))
        assert longest <= LONGEST_S, f"{longest:.2f} s without a frame"


@pytest.fixture
def bench(qtbot: Any, qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    make_qt()
    monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))
    monkeypatch.setattr(remote, "MOST_LOST", 1000)
    one = Bench(qtbot, tmp_path, monkeypatch)
    with one.server:
        yield one
        one.server.released.set()
        one.rig.close()
    qapp.setStyleSheet("")
    theme.load_fonts()


def order(word: str) -> Callable[[Bench], None]:
    def give(bench: Bench) -> None:
        bench.orders.write_text(word)

    return give


def kill_in_the_middle(bench: Bench) -> None:
    bench.server.faults["/finance/"] = Fault.HANG
    asked = bench.server.count("/v7/")
    bench.rig.until(lambda: bench.server.count("/v7/") > asked, PATIENCE_MS)
    child = bench.remote.child_id
    assert child is not None
    os.kill(child, signal.SIGKILL)


def fail(fault: Fault) -> Callable[[Bench], None]:
    def begin(bench: Bench) -> None:
        bench.server.faults["/finance/"] = fault

    return begin


CASES: dict[str, tuple[Callable[[Bench], None], FailureKind, str, bool]] = {
    "hangs": (order("hang"), FailureKind.TIMEOUT, "its process was ended", True),
    "dies": (order("die"), FailureKind.TIMEOUT, "its process ended in the middle", True),
    "garbage": (order("garbage"), FailureKind.TIMEOUT, "its process ended in the middle", True),
    "killed": (kill_in_the_middle, FailureKind.TIMEOUT, "its process", True),
    "500": (fail(Fault.SERVER_ERROR), FailureKind.BAD_PAYLOAD, "500", False),
    "dropped": (fail(Fault.DROPPED), FailureKind.OFFLINE, "", False),
}
"""What goes wrong, the kind and words of the failure, and whether another child takes over."""


@pytest.mark.parametrize("name", CASES)
def test_what_goes_wrong_in_the_other_process_is_told_loses_nothing_and_heals(bench, name):
    begin, kind, words, another = CASES[name]
    bench.open()
    since, child = time.monotonic(), bench.remote.child_id
    begin(bench)
    bench.until(FeedState.STALE, FeedState.UNAVAILABLE)
    error = bench.state.last_error
    assert error is not None
    assert error.kind is kind
    assert words in error.message
    assert bench.prices() == {"^RUT": 2100.0, "^NDX": 20300.0}
    bench.until(FeedState.UNAVAILABLE)
    assert bench.prices() == {"^RUT": 2100.0, "^NDX": 20300.0}

    bench.orders.unlink(missing_ok=True)
    bench.server.faults.clear()
    bench.server.released.set()
    bench.price = {"^RUT": 2101.0, "^NDX": 20290.0}
    bench.until(FeedState.LIVE)
    bench.rig.until(lambda: bench.prices() == bench.price, PATIENCE_MS)
    assert bench.remote.warning == ""
    assert (bench.remote.child_id != child) is another
    bench.painted_all_the_time(since)
    # One batch each quarter of a second at most, less while it fails; cookie and crumb once a child; three charts
    # in vain where the batch is refused.
    rounds = (time.monotonic() - since) / PLAN.open_s
    assert bench.server.count() <= 4 * rounds + 20
