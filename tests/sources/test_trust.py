"""How far a number can be trusted: states by session and age, who drives the gap, and what is never computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.analytics.divergence import Driver, Reference
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.presenters.frame import Frame, FramePresenter, View
from desktop.settings import Settings
from desktop.snapshot import SnapshotBuilder
from desktop.sources.contract import FailureKind
from desktop.sources.feed import Feed, FeedState, Plan
from desktop.sources.state import SourceState
from tests.sources import faulty
from tests.sources.faulty import FaultyYahoo, Hand, utc
from tests.sources.test_feed import Script
from tests.sources.yahoo_server import forget_client

MIDDAY = utc("2024-07-11T11:00:00-04:00")
CLOSES = {"^RUT": 2000.0, "^NDX": 20000.0, "IWM": 200.0, "QQQ": 500.0, "RTY=F": 2010.0, "NQ=F": 20100.0}
KINDS = {"index": ("^RUT", "^NDX"), "etf": ("IWM", "QQQ"), "future": ("RTY=F", "NQ=F")}
DEFAULTS = Settings()


# --- the state of a source by session and age --------------------------------------------------------------------

LAST_CLOSE = "2024-07-10T16:00:00-04:00"
STATES = [
    # now, last trade, how long it has stood still while watched (min), state, words
    ("2024-07-11T11:00:00-04:00", "2024-07-11T10:59:58-04:00", 0, FeedState.LIVE, ""),
    ("2024-07-11T11:00:00-04:00", "2024-07-11T10:45:00-04:00", 0, FeedState.DELAYED, "15 min late"),
    ("2024-07-11T11:00:00-04:00", "2024-07-11T10:56:00-04:00", 4, FeedState.STALE, "no new trade since 14:56:00"),
    ("2024-07-11T08:30:00-04:00", "2024-07-11T08:29:30-04:00", 0, FeedState.LIVE, ""),
    ("2024-07-11T08:30:00-04:00", "2024-07-11T08:10:00-04:00", 20, FeedState.STALE, "no new trade"),
    ("2024-07-11T04:00:05-04:00", LAST_CLOSE, 600, FeedState.CLOSED, "first trade"),
    ("2024-07-11T09:30:05-04:00", "2024-07-11T09:15:00-04:00", 15, FeedState.CLOSED, "first trade"),
    ("2024-07-11T09:34:00-04:00", "2024-07-11T09:15:00-04:00", 19, FeedState.STALE, "no new trade"),
    ("2024-07-11T17:00:00-04:00", "2024-07-11T16:59:40-04:00", 0, FeedState.LIVE, ""),
    ("2024-07-11T17:00:00-04:00", "2024-07-11T16:00:00-04:00", 60, FeedState.CLOSED, ""),
    ("2024-07-11T17:00:00-04:00", "2024-07-11T15:20:00-04:00", 100, FeedState.STALE, "no new trade"),
    ("2024-07-11T22:00:00-04:00", "2024-07-11T16:00:00-04:00", 360, FeedState.CLOSED, ""),
    ("2024-11-29T12:59:00-05:00", "2024-11-29T12:58:50-05:00", 0, FeedState.LIVE, ""),
    ("2024-11-29T14:00:00-05:00", "2024-11-29T13:00:00-05:00", 60, FeedState.CLOSED, ""),  # a half day
    ("2024-11-29T14:00:00-05:00", "2024-11-29T12:00:00-05:00", 120, FeedState.STALE, "no new trade"),
    ("2024-07-13T12:00:00-04:00", "2024-07-12T16:00:00-04:00", 0, FeedState.CLOSED, ""),  # a Saturday
    ("2024-07-04T12:00:00-04:00", "2024-07-03T13:00:00-04:00", 0, FeedState.CLOSED, ""),  # a holiday
    ("2024-03-11T09:31:00-04:00", "2024-03-11T09:30:58-04:00", 0, FeedState.LIVE, ""),  # clocks had gone forward
    ("2024-03-11T09:36:00-04:00", "2024-03-11T09:31:00-04:00", 5, FeedState.STALE, "no new trade since 13:31:00"),
    ("2024-11-04T09:31:00-05:00", "2024-11-04T09:30:58-05:00", 0, FeedState.LIVE, ""),  # clocks had gone back
    ("2024-11-04T08:31:00-05:00", "2024-11-01T16:00:00-04:00", 3000, FeedState.STALE, "no new trade"),
]


@pytest.fixture
def watched() -> Iterator[Callable[..., Feed]]:
    feeds: list[tuple[Feed, Store]] = []

    def start(source: Script, clock: Any, plan: Plan) -> Feed:
        store = Store(None)
        feed = Feed(store, [source], clock, lambda: None, plan)
        feeds.append((feed, store))
        feed.start()
        return feed

    yield start
    for feed, store in feeds:
        feed.stop()
        store.close()


PAIR = Plan(live=("^RUT", "^NDX"), minute=(), daily=(), adjusted=())


@pytest.mark.parametrize(("now", "traded", "still_min", "state", "words"), STATES)
def test_the_state_of_a_source_follows_session_and_age(watched, now, traded, still_min, state, words):
    at = utc(now)
    clock = Hand(at - timedelta(minutes=still_min))
    source = Script(clock)  # type: ignore[arg-type]  # a clock moved by hand, as its own
    source.frozen_at = utc(traded)
    feed = watched(source, clock, PAIR)
    lane = feed._source_lanes[0]
    assert source.wait("quotes")
    until(lambda: lane.state(clock.now()).last_success is not None)
    clock.time = at
    (told,) = feed.states()
    assert (told.state, words in told.note) == (state, True), told
    assert told.age_s == (at - utc(traded)).total_seconds()


def until(condition: Callable[[], bool]) -> None:
    never = threading.Event()
    for _ in range(2000):
        if condition():
            return
        never.wait(0.005)
    raise AssertionError("it did not happen")


def test_a_declared_delay_counts_where_it_is_worse_than_the_measured_age(watched):
    clock = Hand(MIDDAY)
    source = Script(clock)  # type: ignore[arg-type]
    asked = source.quotes
    source.quotes = lambda symbols: {  # type: ignore[method-assign]
        name: replace(quote, declared_delay_s=900.0) if isinstance(quote, Quote) else quote
        for name, quote in asked(symbols).items()
    }
    feed = watched(source, clock, PAIR)
    until(lambda: feed.states()[0].last_success is not None)
    (told,) = feed.states()
    assert (told.state, told.age_s, told.declared_delay_s, told.note) == (
        FeedState.DELAYED, 900.0, 900.0, "15 min late",
    )  # fmt: skip


# --- who drives the gap ------------------------------------------------------------------------------------------


class Tape:
    """A store with yesterday's closes, and quotes of today as a test wants them."""

    def __init__(self) -> None:
        self.store = Store(None)
        self.builder, self.presenter = SnapshotBuilder(self.store, Deferred(held=True)), FramePresenter()
        days = NYSE.days(date(2023, 1, 3), date(2024, 7, 10))
        for symbol, close in CLOSES.items():
            if not symbol.endswith("=F"):
                level = np.full(len(days), close) * (1 + 0.01 * np.sin(np.arange(len(days))[::-1]))
                self.store.put_closes(Closes(symbol, days, level), source="test", priority=Priority.VENDOR)
            else:  # of a future its last trade before the cash close is the reference
                self.minutes(symbol, utc("2024-07-10T15:59:00-04:00"), [close])

    def minutes(self, symbol: str, first: datetime, close: list[float]) -> None:
        start_s = int(first.timestamp()) + 60 * np.arange(len(close))
        level = np.array(close)
        bars = Bars(symbol, Interval.MINUTE, start_s, level, level, level, level, 0 * level)
        self.store.put_bars(bars, source="test", priority=Priority.VENDOR)

    def quote(self, symbol: str, move_pct: float, at: datetime, **more: Any) -> None:
        price = CLOSES[symbol] * (1 + move_pct / 100)
        self.store.put_quotes([Quote(symbol, price, at, at, "test", **more)])

    def quote_all(self, at: datetime, moves: Mapping[str, tuple[float, float]], **more: Any) -> None:
        for kind, pair in moves.items():
            for symbol, move in zip(KINDS[kind], pair, strict=True):
                self.quote(symbol, move, at, **more)

    def frame(self, now: datetime, settings: Settings = DEFAULTS) -> Frame:
        return self.presenter.present(self.builder.build(now, settings), View(settings))


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))
    one = Tape()
    yield one
    one.store.close()


def driver(frame: Frame) -> Driver:
    found = frame.snapshot.today.driver
    assert isinstance(found, Driver), found
    return found


def gap_pp(frame: Frame) -> float:
    now = frame.snapshot.today.spread
    assert not isinstance(now, Unknown), now
    return now.spread_pp


def told(frame: Frame) -> str:
    """All that the divergence panel says."""
    state = frame.divergence
    texts = [state.caption, *state.warnings]
    return "\n".join(f"{one.text} | {one.why}" for one in texts)


SAME = {"index": (1.0, -1.0), "etf": (1.0, -1.0), "future": (1.0, -1.0)}


@pytest.mark.parametrize(
    ("now", "expected", "words"),
    [
        ("2024-07-11T08:45:00-04:00", "future", "futures RTY/NQ"),
        ("2024-07-11T11:00:00-04:00", "index", "cash index"),
        ("2024-07-11T18:00:00-04:00", "index", "at the close of"),
    ],
)
def test_the_driver_goes_by_session_and_is_named(tape, now, expected, words):
    at = min(utc(now), utc("2024-07-11T16:00:00-04:00"))
    tape.quote_all(at, SAME)
    frame = tape.frame(utc(now))
    assert driver(frame).kind == expected
    assert words in told(frame)
    assert gap_pp(frame) == pytest.approx(2.0)


@pytest.mark.parametrize("missing", [("index",), ("index", "future")])
def test_the_next_kind_drives_where_one_is_missing_and_is_called_a_proxy(tape, missing):
    kinds = {kind: moves for kind, moves in SAME.items() if kind not in missing}
    tape.quote_all(MIDDAY, kinds)
    frame = tape.frame(MIDDAY)
    assert driver(frame).kind == ("future" if "future" in kinds else "etf")
    assert driver(frame).proxy
    assert "stand in for the index" in told(frame)
    assert "index: no price of RUT and NDX" in told(frame)


def test_rut_15_minutes_late_is_said_and_no_gap_is_shown(tape):
    tape.quote("^RUT", 1.0, MIDDAY - timedelta(minutes=15))
    tape.quote("^NDX", -1.0, MIDDAY)
    frame = tape.frame(MIDDAY)
    spread = frame.snapshot.today.spread
    assert isinstance(spread, Unknown)
    assert "RUT 15 min late" in spread.reason
    assert "RUT 15 min late" in frame.divergence.caption.text
    assert frame.divergence.tags == ()
    assert frame.header.mode is not None
    assert "NOT LIVE" in frame.header.mode.text
    assert "RUT 15 min late" in frame.header.mode.why


def test_the_pair_is_as_old_as_its_older_leg(tape):
    tape.quote("^RUT", 1.0, MIDDAY - timedelta(seconds=50))
    tape.quote("^NDX", -1.0, MIDDAY)
    now = tape.frame(MIDDAY).snapshot.today.spread
    assert not isinstance(now, Unknown)
    assert max(now.rut_age_s, now.ndx_age_s) == 50.0
    assert now.at == MIDDAY - timedelta(seconds=50)
    tape.quote("^NDX", -1.0, MIDDAY + timedelta(seconds=11))
    late = tape.frame(MIDDAY + timedelta(seconds=11)).snapshot.today.spread
    assert isinstance(late, Unknown)  # 61 seconds apart: two moments make no gap
    assert "RUT 61 s late" in late.reason


def test_an_index_that_stopped_is_passed_over_for_an_etf_that_trades(tape):
    tape.quote_all(MIDDAY - timedelta(minutes=4), {"index": (1.0, -1.0)})
    tape.quote_all(MIDDAY - timedelta(minutes=10), {"future": (1.1, -1.0)})  # as late as Yahoo's always are
    tape.quote_all(MIDDAY, {"etf": (-0.5, -1.0)})
    frame = tape.frame(MIDDAY)
    assert driver(frame).kind == "etf"
    assert gap_pp(frame) == pytest.approx(0.5)
    assert "index: last traded 4 min ago, etf 0 s ago" in told(frame)
    assert "stand in for the index" in told(frame)


def test_an_index_that_trades_is_not_passed_over_for_a_future_that_is_late(tape):
    tape.quote_all(MIDDAY, {"index": (1.0, -1.0)})
    tape.quote_all(MIDDAY - timedelta(minutes=10), {"future": (1.1, -1.0), "etf": (1.0, -1.0)})
    frame = tape.frame(MIDDAY)
    assert (driver(frame).kind, driver(frame).proxy) == ("index", False)
    assert gap_pp(frame) == pytest.approx(2.0)


def test_where_everybody_stands_still_nobody_is_passed_over(tape):
    tape.quote_all(MIDDAY - timedelta(minutes=6), SAME)
    frame = tape.frame(MIDDAY)
    assert driver(frame).kind == "index"  # its age is told; a halt stops all of them
    assert "both legs 6 min old" in told(frame)


def test_an_index_stamped_anew_without_moving_is_outvoted_by_etf_and_future(tape):
    """The vendor goes on sending the same price with new times: no age tells."""
    tape.quote_all(MIDDAY, {"index": (0.0, 0.0), "etf": (-1.5, 0.2), "future": (-1.45, 0.25)})
    for symbol in ("RTY=F", "NQ=F"):
        tape.minutes(symbol, MIDDAY - timedelta(minutes=2), [CLOSES[symbol]])
    frame = tape.frame(MIDDAY)
    assert driver(frame).kind == "future"
    assert gap_pp(frame) == pytest.approx(-1.7)
    words = told(frame)
    assert "RUT: ^RUT +0.00 % and IWM -1.50 % are 1.50 pp apart" in words
    assert "index: ^RUT +0.00 % is contradicted by RTY=F -1.45 % and IWM -1.50 %" in words
    assert "stand in for the index" in words


def test_two_that_disagree_are_told_and_the_index_is_kept(tape):
    tape.quote_all(MIDDAY, {"index": (0.0, 0.0), "etf": (-1.5, 0.2)})
    for symbol in ("^RUT", "^NDX"):
        tape.minutes(symbol, MIDDAY - timedelta(minutes=2), [CLOSES[symbol]])
    frame = tape.frame(MIDDAY)
    assert driver(frame).kind == "index"
    assert "RUT: ^RUT +0.00 % and IWM -1.50 % are 1.50 pp apart" in told(frame)


@pytest.mark.parametrize("previous_close", [None, 1e-4, 20.0, 2e6])
def test_the_prior_close_is_the_stores_whatever_the_quote_says(tape, previous_close):
    tape.quote_all(MIDDAY, {"index": (1.0, -1.0)}, previous_close=previous_close)
    assert gap_pp(tape.frame(MIDDAY)) == pytest.approx(2.0)


def test_without_the_close_of_the_session_before_no_gap_is_computed_across_the_hole(tape):
    friday = utc("2024-07-12T11:00:00-04:00")  # and no close of Thursday
    tape.quote_all(friday, {"index": (1.0, -1.0)})
    frame = tape.frame(friday)
    spread = frame.snapshot.today.spread
    assert isinstance(spread, Unknown)
    assert "2024-07-11" in spread.reason
    assert not frame.snapshot.live
    from_open = frame.snapshot.today.spreads[Reference.OPEN]
    assert isinstance(from_open, Unknown)


def test_the_last_good_price_is_kept_with_its_age(tape):
    tape.quote_all(MIDDAY, {"index": (1.0, -1.0)})
    for minutes in (5, 15):
        frame = tape.frame(MIDDAY + timedelta(minutes=minutes))
        assert gap_pp(frame) == pytest.approx(2.0)
        assert f"both legs {minutes} min old" in told(frame)
    frame = tape.frame(MIDDAY + timedelta(minutes=25))
    spread = frame.snapshot.today.spread
    assert isinstance(spread, Unknown)  # too old to be traded on
    assert "last traded 25 min ago" in spread.reason
    assert tape.store.last_quote("^RUT", MIDDAY + timedelta(minutes=25)) is not None


# --- the clock of this computer ----------------------------------------------------------------------------------


class Line:
    """The real Yahoo source and the feed, against a host whose clock may differ."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, off: timedelta) -> None:
        self.clock = Hand(MIDDAY)
        faulty.move_by_hand(monkeypatch, self.clock)
        self.server = FaultyYahoo(self.clock)
        self.server.clock_is_off_by = off
        self.server.wires["/"] = faulty.dated(self.server)
        self.store = Store(folder / "store.sqlite")
        faulty.fill(folder, date(2024, 7, 10))
        self.changes = 0
        self.feed = Feed(
            self.store, [self.server.yahoo(folder)], self.clock, lambda: None, replace(PAIR, live=("^RUT", "^NDX"))
        )

    def first_answer(self) -> SourceState:
        self.feed.start()
        lane = self.feed._source_lanes[0]
        until(lambda: lane._last_error is not None or lane._last_success is not None)
        return self.feed.states()[0]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[timedelta], Line]]:
    forgetting = forget_client()
    next(forgetting)
    lines: list[Line] = []

    def make(off: timedelta) -> Line:
        one = Line(tmp_path, monkeypatch, off)
        lines.append(one)
        one.server.__enter__()
        now = one.clock.time
        one.clock.time = now + off  # the host quotes at its own time
        one.server.serve(rut=2100.0, ndx=20300.0)
        one.clock.time = now
        return one

    yield make
    for one in lines:
        one.server.released.set()
        one.feed.stop()
        one.server.__exit__()
        one.store.close()
    next(forgetting, None)


def test_a_clock_that_is_right_is_not_mentioned(line):
    state = line(timedelta(seconds=2)).first_answer()
    assert (state.state, state.note) == (FeedState.LIVE, "")


def test_a_clock_one_minute_slow_is_told_and_prices_are_used_at_once(line):
    one = line(timedelta(seconds=60))
    state = one.first_answer()
    assert state.state is FeedState.LIVE
    assert "clock is 60 s slow" in state.note
    quote = one.store.last_quote("^RUT", one.clock.now())
    assert quote is not None  # a trade "to come" is one of now, not one that nobody may see for a minute
    assert quote.price == 2100.0


def test_a_clock_minutes_slow_makes_quotes_come_from_the_future_which_is_refused_with_the_cure(line):
    one = line(timedelta(minutes=7))
    state = one.first_answer()
    assert state.state is FeedState.UNAVAILABLE
    error = state.last_error
    assert error is not None
    assert error.kind is FailureKind.BAD_PAYLOAD
    assert "lies after this computer's clock" in error.message
    assert error.cure == "set this computer's clock"
    assert "clock is 7 min slow" in state.note
    assert one.store.last_quote("^RUT", one.clock.now()) is None


def test_a_clock_minutes_fast_is_told_where_quotes_only_look_late(line):
    state = line(timedelta(minutes=-7)).first_answer()
    assert state.state is FeedState.DELAYED
    assert state.note.startswith("7 min late")
    assert "clock is 7 min fast, ages are wrong: set this computer's clock" in state.note
