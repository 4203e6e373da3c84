from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from desktop.market.clock import PlayClock
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.sources import lane as lane_module
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.feed import Feed, FeedState, Plan, Progress, SourceState

OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)  # 10:30 in New York
EVENING = datetime(2024, 7, 11, 20, 30, tzinfo=UTC)
NIGHT = datetime(2024, 7, 12, 3, 0, tzinfo=UTC)
QUIET = Plan(live=(), minute=(), daily=(), adjusted=())
PATIENCE_S = 10.0


class Hand:
    """A clock that only moves when told."""

    def __init__(self, now: datetime) -> None:
        self.time, self.speed = now, 1.0

    def now(self) -> datetime:
        return self.time

    def pass_(self, **delta: float) -> None:
        self.time += timedelta(**delta)


class Script:
    """A source that answers as told and counts what it was asked."""

    def __init__(self, clock: Hand | PlayClock, name: str = "script") -> None:
        self.name = name
        self.clock = clock
        self.calls: list[tuple[str, str]] = []
        self.windows: dict[str, Window] = {}
        self.called = threading.Condition()
        self.failure: FailureKind | None = None
        self.retry_after_s: float | None = None
        self.missing: set[str] = set()
        self.hang: threading.Event | None = None
        self.lag_s = 0.0
        self.price = 100.0
        self.frozen_at: datetime | None = None
        self.closes: dict[str, Closes] = {}

    def _count(self, what: str, symbol: str) -> None:
        with self.called:
            self.calls.append((what, symbol))
            self.called.notify_all()
        if self.hang is not None:
            self.hang.wait(30)

    def _refuse(self, symbol: str) -> Failure | None:
        kind = FailureKind.NOT_FOUND if symbol in self.missing else self.failure
        if kind is None:
            return None
        return Failure(kind, self.name, symbol, "as told", self.clock.now(), self.retry_after_s)

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        self._count("quotes", ",".join(symbols))
        now = self.clock.now()
        traded = (self.frozen_at or now) - timedelta(seconds=self.lag_s)
        return {
            symbol: self._refuse(symbol) or Quote(symbol, self.price, traded, now, self.name) for symbol in symbols
        }

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        self._count(interval.value, symbol)
        self.windows[symbol] = window
        if failure := self._refuse(symbol):
            return failure
        if interval is Interval.DAY:
            closes = self.closes.get(symbol) or daily("2024-06-20", "2024-07-10", symbol)
            keep = (closes.days >= np.datetime64(window.start.date())) & (
                closes.days < np.datetime64(window.end.date())
            )
            start_s, close = closes.days[keep].astype("datetime64[s]").astype(np.int64), closes.close[keep]
        else:
            start_s = np.array([int(self.clock.now().timestamp()) // 60 * 60 - 60])
            close = np.array([self.price])
        return Bars(symbol, interval, start_s, close, close, close, close, 0 * close)

    def asked(self, what: str) -> int:
        with self.called:
            return sum(kind == what for kind, _ in self.calls)

    def wait(self, what: str, times: int = 1) -> bool:
        with self.called:
            return self.called.wait_for(
                lambda: sum(kind == what for kind, _ in self.calls) >= times, timeout=PATIENCE_S
            )


class Adjusting(Script):
    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        self._count("adjusted", symbol)
        return replace(daily("2024-06-20", "2024-07-10", symbol), symbol=f"{symbol}:adj")


class Slow(Script):
    """Its quotes take longer than the time between two rounds."""

    clock: Hand

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        found = super().quotes(symbols)
        self.clock.pass_(seconds=14)
        return found


def daily(first: str, last: str, symbol: str = "^NDX", level: float = 100.0) -> Closes:
    days = NYSE.days(date.fromisoformat(first), date.fromisoformat(last))
    return Closes(symbol, days, level + np.arange(len(days), dtype=np.float64))


def stored(store: Store, closes: Closes) -> None:
    start_s = closes.days.astype("datetime64[s]").astype(np.int64)
    close = closes.close
    store.put_bars(
        Bars(closes.symbol, Interval.DAY, start_s, close, close, close, close, 0 * close),
        source="script",
        priority=Priority.VENDOR,
    )


class Rig:
    """A running feed and a way to wait for what it does."""

    def __init__(self, store: Store, clock: Hand | PlayClock, *sources: Script, plan: Plan) -> None:
        self.store, self.changes = store, 0
        self._changed = threading.Condition()
        self.feed = Feed(store, sources, clock, self._on_change, plan)

    def _on_change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what the feed did makes the condition true."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE_S), self.feed.states()

    @property
    def state(self) -> SourceState:
        (one,) = self.feed.states()
        return one

    def is_(self, state: FeedState) -> bool:
        return self.state.state is state


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as one:
        yield one


@pytest.fixture
def run(store: Store) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def start(clock: Hand | PlayClock, *sources: Script, plan: Plan, begin: bool = True) -> Rig:
        rig = Rig(store, clock, *sources, plan=plan)
        rigs.append(rig)
        if begin:
            rig.feed.start()
        return rig

    yield start
    for rig in rigs:
        rig.feed.stop()


LIVE = replace(QUIET, live=("^RUT", "^NDX"))


# --- rounds ----------------------------------------------------------------------------------------------------


def test_quotes_are_stored_and_the_change_is_told_once_a_batch(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert source.calls == [("quotes", "^RUT,^NDX")]
    for symbol in LIVE.live:
        quote = store.last_quote(symbol, OPEN)
        assert quote is not None
        assert quote.price == 100.0
    assert rig.is_(FeedState.LIVE)
    assert rig.state.last_success == OPEN


def test_the_next_round_is_due_after_twelve_seconds_when_open_and_sixty_when_closed(run):
    for now, seconds in ((OPEN, 12), (NIGHT, 60)):
        clock = Hand(now)
        source = Script(clock)
        rig = run(clock, source, plan=LIVE)
        rig.until(lambda rig=rig: rig.changes == 1)
        assert rig.state.next_try == now + timedelta(seconds=seconds)
        clock.pass_(seconds=seconds)
        assert source.wait("quotes", 2)
        rig.feed.stop()


def test_a_clock_at_sixty_times_the_speed_gets_sixty_times_the_rounds(run):
    clock = PlayClock(OPEN, 600.0)  # twelve seconds pass in 20 ms
    source = Script(clock)
    run(clock, source, plan=LIVE)
    assert source.wait("quotes", 10)
    assert (clock.now() - OPEN).total_seconds() >= 9 * 12


def test_a_paused_clock_starts_nothing_and_resuming_goes_on(run):
    clock = PlayClock(OPEN, 600.0)
    clock.pause()
    source = Script(clock)
    rig = run(clock, source, plan=LIVE)
    rig.feed.refresh_now()  # but the user may always ask
    assert source.wait("quotes", 1)
    rig.until(lambda: not rig.feed.refreshing)
    assert source.asked("quotes") == 1
    clock.resume()
    assert source.wait("quotes", 3)


def test_a_clock_that_is_rewound_starts_the_rounds_anew(run):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    clock.pass_(hours=-1)
    assert source.wait("quotes", 2)


def test_an_unchanged_quote_is_not_stored_again(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.frozen_at = OPEN
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    clock.pass_(seconds=12)
    rig.until(lambda: rig.changes == 2)
    assert len(store.quotes("^NDX", OPEN - timedelta(hours=1), OPEN + timedelta(hours=1))) == 1


def test_minute_bars_come_once_a_minute_and_reach_back_a_week_only_the_first_time(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=replace(QUIET, minute=("IWM",)))
    rig.until(lambda: rig.changes == 1)
    assert source.windows["IWM"].start == OPEN - timedelta(days=7)
    assert len(store.bars("IWM", Interval.MINUTE)) == 1
    clock.pass_(seconds=60)
    rig.until(lambda: rig.changes == 2)
    assert source.windows["IWM"].start == OPEN - timedelta(minutes=1) - timedelta(minutes=30)


# --- failing and recovering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_leaves_the_last_good_quote_and_the_source_recovers_by_itself(run, store, kind):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    source.failure, source.price = kind, 1e6
    clock.pass_(seconds=12)
    rig.until(lambda: rig.changes == 2)
    last = store.last_quote("^NDX", clock.now())
    assert last is not None
    assert last.price == 100.0
    error = rig.state.last_error
    assert error is not None
    assert error.kind is kind
    assert rig.is_(FeedState.LIVE)  # twelve seconds old is still good
    clock.pass_(minutes=10)
    rig.until(lambda: rig.changes == 3)
    assert rig.is_(FeedState.UNAVAILABLE)
    assert "as told" in rig.state.note
    source.failure, source.price = None, 101.0
    clock.pass_(minutes=10)
    rig.until(lambda: rig.is_(FeedState.LIVE))
    last = store.last_quote("^NDX", clock.now())
    assert last is not None
    assert last.price == 101.0


def test_a_missing_symbol_does_not_spoil_the_batch(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.missing = {"^NDX"}
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert store.last_quote("^RUT", OPEN) is not None
    assert rig.is_(FeedState.LIVE)
    assert rig.state.last_error is not None
    assert rig.state.last_error.symbol == "^NDX"


def test_a_source_that_asks_for_peace_is_left_alone_and_says_until_when(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.failure, source.retry_after_s = FailureKind.RATE_LIMITED, 300.0
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    next_try = rig.state.next_try
    assert next_try is not None
    assert (next_try - OPEN).total_seconds() == pytest.approx(300.0, abs=2.0)
    clock.pass_(hours=1)  # wall time counts for the host, not the demo's clock
    rig.feed.refresh_now()
    rig.until(lambda: not rig.feed.refreshing)
    assert source.asked("quotes") == 2  # only because the user asked


def test_each_source_fails_alone(run, store):
    clock = Hand(OPEN)
    ill, well = Script(clock, "ill"), Script(clock, "well")
    ill.failure = FailureKind.OFFLINE
    rig = run(clock, ill, well, plan=LIVE)
    rig.until(lambda: rig.changes == 2)
    assert [one.state for one in rig.feed.states()] == [FeedState.UNAVAILABLE, FeedState.LIVE]
    last = store.last_quote("^NDX", OPEN)
    assert last is not None
    assert last.source == "well"


def test_a_faulty_source_is_told_and_its_lane_lives_on(run, caplog):
    class Faulty(Script):
        def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
            if not self.asked("quotes"):
                self._count("quotes", "")
                raise ZeroDivisionError("a bug")
            return super().quotes(symbols)

    clock = Hand(OPEN)
    source = Faulty(clock)
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert "ZeroDivisionError: a bug" in rig.state.note
    clock.pass_(minutes=1)
    rig.until(lambda: rig.is_(FeedState.LIVE))


def test_a_store_that_refuses_is_told_and_tried_again(run, store, monkeypatch, caplog):
    def full(_quotes: object) -> int:
        raise OSError(28, "No space left on device")

    clock = Hand(OPEN)
    source = Script(clock)
    with monkeypatch.context() as patched:
        patched.setattr(store, "put_quotes", full)
        rig = run(clock, source, plan=LIVE)
        rig.until(lambda: rig.changes == 1)
        assert "No space left" in rig.state.note
    clock.pass_(minutes=1)
    rig.until(lambda: rig.is_(FeedState.LIVE))
    assert store.last_quote("^NDX", clock.now()) is not None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_dies_of_its_listener_is_replaced(store):
    clock, told = Hand(OPEN), threading.Semaphore(0)
    source = Script(clock)

    def listen() -> None:
        told.release()
        if source.asked("quotes") == 1 and threading.current_thread().name == "feed-script":
            raise ZeroDivisionError("a bug in the window")

    feed = Feed(store, [source], clock, listen, LIVE)
    feed.start()
    try:
        assert told.acquire(timeout=PATIENCE_S)  # the batch that killed the worker
        assert told.acquire(timeout=PATIENCE_S)  # its replacement
        clock.pass_(seconds=12)
        assert source.wait("quotes", 2)
    finally:
        feed.stop()


# --- hanging ---------------------------------------------------------------------------------------------------


def test_a_hung_call_is_given_up_and_its_late_answer_dropped(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.hang = hang = threading.Event()
    source.price = 55.0
    rig = run(clock, source, plan=replace(LIVE, deadline_s=0.1))
    rig.until(lambda: rig.changes == 1)
    error = rig.state.last_error
    assert error is not None
    assert error.kind is FailureKind.TIMEOUT
    hung = [thread for thread in threading.enumerate() if thread.name == "feed-script"]
    source.hang, source.price = None, 101.0
    clock.pass_(minutes=1)
    rig.until(lambda: rig.is_(FeedState.LIVE))
    before = rig.changes
    hang.set()
    hung[0].join(PATIENCE_S)
    assert not hung[0].is_alive()
    assert rig.changes == before
    assert {one.price for one in store.quotes("^NDX", OPEN - timedelta(1), OPEN + timedelta(1))} == {101.0}


def test_no_more_than_three_hung_workers_linger_and_the_lane_comes_back_when_one_ends(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.hang = hang = threading.Event()
    rig = run(clock, source, plan=replace(LIVE, deadline_s=0.05))
    for calls in (1, 2, 3):
        assert source.wait("quotes", calls)
        rig.until(lambda: rig.state.last_error is not None)
        clock.pass_(minutes=10)
    rig.until(lambda: rig.changes >= 2)
    assert source.asked("quotes") == 3
    source.hang = None
    lane, patience = rig.feed._source_lanes[0], time.monotonic() + PATIENCE_S
    while len(lane._abandoned) < 3:  # the third is given up without a word: nobody is hired in its place
        assert time.monotonic() < patience
        threading.Event().wait(0.01)
    hang.set()
    assert source.wait("quotes", 4)


def test_stop_returns_in_time_though_a_source_hangs(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.hang = threading.Event()
    rig = run(clock, source, plan=LIVE)
    assert source.wait("quotes")
    started = datetime.now(UTC)
    rig.feed.stop(timeout_s=0.3)
    assert (datetime.now(UTC) - started).total_seconds() < 2.0
    assert rig.is_(FeedState.OFF)
    source.hang.set()


def test_after_stop_no_thread_is_left(run):
    clock = Hand(OPEN)
    rig = run(clock, Script(clock), plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    rig.feed.stop()
    assert not [one for one in threading.enumerate() if one.name.startswith("feed-")]


# --- manual refresh --------------------------------------------------------------------------------------------


def test_repeated_refreshes_while_one_runs_are_one(run):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=replace(LIVE, minute=("IWM",)))
    rig.until(lambda: rig.changes == 2)
    source.hang = hang = threading.Event()
    assert rig.feed.last_refresh is None
    for _ in range(5):
        rig.feed.refresh_now()
    assert source.wait("quotes", 2)
    assert rig.feed.refreshing
    rig.feed.refresh_now()
    source.hang = None
    hang.set()
    rig.until(lambda: not rig.feed.refreshing)
    assert source.asked("quotes") == 2
    assert source.asked("1m") == 2
    assert rig.feed.last_refresh == OPEN


def test_a_refresh_ends_even_when_every_answer_is_a_failure(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.failure = FailureKind.OFFLINE
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    rig.feed.refresh_now()
    rig.until(lambda: not rig.feed.refreshing)
    assert rig.is_(FeedState.UNAVAILABLE)


# --- states ----------------------------------------------------------------------------------------------------


def test_offline_asks_nothing_and_gives_the_reason(run):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=replace(LIVE, off="offline: started with --offline"))
    rig.feed.refresh_now()
    assert not rig.feed.refreshing
    assert rig.state == SourceState(
        "script", FeedState.OFF, Unknown("offline: started with --offline"), 0.0, None, None, None,
        "offline: started with --offline",
    )  # fmt: skip
    rig.feed.plan = LIVE
    rig.until(lambda: rig.is_(FeedState.LIVE))


def test_quotes_that_advance_but_come_late_are_delayed_by_their_measured_age(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.lag_s = 900.0
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert (rig.state.state, rig.state.age_s, rig.state.note) == (FeedState.DELAYED, 900.0, "15 min late")


def test_quotes_that_stand_still_are_stale_though_the_source_answers(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.frozen_at = OPEN
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert rig.is_(FeedState.LIVE)
    clock.pass_(seconds=200)
    rig.until(lambda: rig.changes == 2)
    assert (rig.state.state, rig.state.age_s) == (FeedState.STALE, 200.0)
    assert "14:30:00" in rig.state.note


def test_the_pair_is_as_old_as_its_older_leg(run):
    class Halved(Script):
        def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
            found = dict(super().quotes(symbols))
            rut = found["^RUT"]
            assert isinstance(rut, Quote)
            found["^RUT"] = replace(rut, event_time=OPEN - timedelta(minutes=15))
            return found

    clock = Hand(OPEN)
    rig = run(clock, Halved(clock), plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert (rig.state.state, rig.state.age_s) == (FeedState.DELAYED, 900.0)


def test_at_night_the_last_close_is_closed_and_not_stale(run):
    clock = Hand(NIGHT)
    source = Script(clock)
    source.frozen_at = datetime(2024, 7, 11, 20, tzinfo=UTC)
    rig = run(clock, source, plan=LIVE)
    rig.until(lambda: rig.changes == 1)
    assert rig.is_(FeedState.CLOSED)
    clock.pass_(hours=4)
    rig.until(lambda: rig.changes == 2)
    assert rig.is_(FeedState.CLOSED)


def test_before_the_first_answer_a_source_is_unavailable_and_says_so(run):
    clock = Hand(OPEN)
    source = Script(clock)
    source.hang = threading.Event()
    rig = run(clock, source, plan=LIVE)
    assert source.wait("quotes")
    assert (rig.state.state, rig.state.note) == (FeedState.UNAVAILABLE, "waiting for the first answer")
    source.hang.set()


# --- daily history ---------------------------------------------------------------------------------------------

HISTORY = replace(QUIET, daily=("^NDX", "^RUT"))


def test_a_first_start_fetches_everything_and_shows_how_far_it_is(run, store):
    clock = Hand(OPEN)
    source = Adjusting(clock)
    source.hang = hang = threading.Event()
    rig = run(clock, source, plan=replace(HISTORY, adjusted=("IWM",)))
    assert source.wait("1d", 1)
    assert rig.feed.progress == Progress("daily history ^NDX", 0, 3)
    source.hang = None
    hang.set()
    assert source.wait("adjusted")
    rig.until(lambda: rig.feed.progress is None)
    assert source.windows["^RUT"].start == datetime(1985, 1, 1, tzinfo=UTC)
    assert store.closes("^NDX").days[-1].item() == date(2024, 7, 10)
    assert len(store.closes("IWM:adj"))
    assert [what for what, _ in source.calls] == ["1d", "1d", "adjusted"]


def test_what_the_store_holds_is_skipped_so_that_a_broken_off_backfill_resumes(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    stored(store, daily("2004-12-01", "2024-07-10"))
    rig = run(clock, source, plan=HISTORY)
    assert source.wait("1d")
    rig.until(lambda: rig.feed.progress is None)
    assert source.calls == [("1d", "^RUT")]


def test_history_with_new_days_to_fetch_is_asked_for_its_end_only(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    old = daily("2004-12-01", "2024-07-08")
    stored(store, old)
    source.closes["^NDX"] = Closes(
        "^NDX", NYSE.days(date(2004, 12, 1), date(2024, 7, 10)), np.append(old.close, [1.0, 2.0])
    )
    rig = run(clock, source, plan=replace(HISTORY, daily=("^NDX",)))
    rig.until(lambda: len(store.closes("^NDX")) == len(old) + 2)
    assert source.windows["^NDX"].start == datetime(2024, 6, 24, tzinfo=UTC)
    assert source.asked("1d") == 1


def test_a_split_fetches_the_whole_history_again(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    old = daily("2023-07-10", "2024-07-08", "NVDA", level=1000.0)
    stored(store, old)
    source.closes["NVDA"] = Closes(
        "NVDA", NYSE.days(date(2023, 7, 10), date(2024, 7, 10)), np.append(old.close / 10, [120.0, 121.0])
    )
    rig = run(clock, source, plan=replace(QUIET, universe=("NVDA",)))
    rig.until(lambda: store.panel("built-in") is not None)
    np.testing.assert_allclose(store.closes("NVDA").close[: len(old)], old.close / 10)


def test_the_days_bar_is_fetched_twenty_minutes_after_the_close_and_looked_at_once_more(run, store):
    clock = Hand(datetime(2024, 7, 11, 20, 19, tzinfo=UTC))
    source = Script(clock)
    source.closes["^NDX"] = daily("2004-12-01", "2024-07-11")
    stored(store, daily("2004-12-01", "2024-07-10"))
    rig = run(clock, source, plan=replace(HISTORY, daily=("^NDX",)))
    rig.until(lambda: rig.changes == 1)
    assert source.asked("1d") == 0
    clock.pass_(minutes=1)
    rig.until(lambda: store.closes("^NDX").days[-1].item() == date(2024, 7, 11))
    assert source.asked("1d") == 1
    rig.until(lambda: rig.feed.progress is None)
    clock.pass_(minutes=30)
    assert source.wait("1d", 2)


def test_a_session_that_the_source_lacks_is_shown_as_a_gap_and_asked_for_again(run, store):
    clock = Hand(EVENING)
    source = Script(clock)
    whole = daily("2004-12-01", "2024-07-11")
    holed = Closes("^NDX", np.delete(whole.days, -3), np.delete(whole.close, -3))
    source.closes["^NDX"] = holed
    rig = run(clock, source, plan=replace(HISTORY, live=LIVE.live, daily=("^NDX",)))
    assert source.wait("1d")
    rig.until(lambda: rig.feed.progress is None and rig.changes >= 3)
    clock.pass_(minutes=30)
    rig.until(lambda: rig.is_(FeedState.GAP))
    assert rig.state.note == "^NDX: no bar of 2024-07-09"
    source.closes["^NDX"] = whole
    clock.pass_(minutes=30)
    rig.until(lambda: rig.is_(FeedState.LIVE))


def test_the_universe_becomes_a_panel_with_holes_left_empty(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.missing = {"GONE"}
    source.closes = {
        "AAA": daily("2024-06-20", "2024-07-10", "AAA"),
        "BBB": daily("2024-07-01", "2024-07-10", "BBB"),
    }
    plan = replace(QUIET, universe=("AAA", "GONE", "BBB"), compiled=date(2026, 2, 1))
    rig = run(clock, source, plan=plan)
    rig.until(lambda: store.panel("built-in") is not None)
    panel = store.panel("built-in")
    assert panel is not None
    assert (panel.tickers, panel.compiled) == (("AAA", "BBB"), date(2026, 2, 1))
    assert panel.days[-1].item() == date(2024, 7, 10)
    before = panel.days < np.datetime64("2024-07-01")
    assert np.isnan(panel.close[before, 1]).all()
    assert not np.isnan(panel.close[~before]).any()
    assert source.windows["AAA"].start == OPEN - timedelta(days=1096)
    rig.until(lambda: rig.feed.progress is None)
    clock.pass_(minutes=30)  # a name that does not exist is not asked for again
    rig.until(lambda: rig.changes >= 6)
    assert source.calls.count(("1d", "GONE")) == 1


def test_a_cancelled_backfill_rests_until_the_user_or_the_next_session_asks(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.hang = hang = threading.Event()
    rig = run(clock, source, plan=replace(HISTORY, daily=("^NDX", "^RUT", "^VIX")))
    assert source.wait("1d", 1)
    rig.feed.cancel_backfill()
    source.hang = None
    hang.set()
    rig.until(lambda: rig.feed.progress is None)
    assert source.asked("1d") == 1
    clock.pass_(hours=1)
    rig.feed.refresh_now()
    rig.until(lambda: not rig.feed.refreshing)
    assert source.wait("1d", 3)


def test_history_waits_while_the_host_is_out_and_then_completes(run, store):
    clock = Hand(OPEN)
    source = Script(clock)
    source.failure = FailureKind.OFFLINE
    rig = run(clock, source, plan=HISTORY)
    assert source.wait("1d", 1)
    rig.until(lambda: rig.state.last_error is not None)
    assert source.asked("1d") == 1  # not one request after the other
    source.failure = None
    clock.pass_(minutes=1)
    rig.until(lambda: rig.feed.progress is None)
    assert len(store.closes("^NDX"))
    assert len(store.closes("^RUT"))


def test_a_round_of_quotes_that_takes_longer_than_its_period_leaves_time_for_everything_else(run, monkeypatch):
    """As when charts are asked one by one in place of the batch: the next round counts from its end."""
    clock = Hand(OPEN)
    by_hand = SimpleNamespace(monotonic=lambda: (clock.time - OPEN).total_seconds())
    monkeypatch.setattr(lane_module, "time", by_hand)
    source = Slow(clock)
    run(
        clock,
        source,
        plan=replace(HISTORY, live=LIVE.live, minute=("^RUT",), daily=tuple(f"^S{n}" for n in range(3))),
    )
    for _ in range(40):  # twelve seconds a round, fourteen for its quotes
        clock.pass_(seconds=1)
        if source.asked("1d") == 3 and source.asked("1m"):
            break
        threading.Event().wait(0.02)
    assert source.wait("1d", 3)
    assert source.wait("1m", 1)
    assert source.asked("quotes") <= 4


def test_quotes_go_before_history(run):
    clock = Hand(OPEN)
    source = Script(clock)
    rig = run(clock, source, plan=replace(HISTORY, live=LIVE.live, daily=tuple(f"^S{n}" for n in range(5))))
    rig.until(lambda: source.asked("1d") >= 2)
    clock.pass_(seconds=12)
    assert source.wait("quotes", 2)
    assert source.wait("1d", 5)
    assert source.calls[0][0] == "quotes"


def test_a_look_at_a_store_that_cannot_be_read_is_repeated_with_a_pause(run, store, monkeypatch, caplog):
    clock = Hand(OPEN)
    source = Script(clock)
    looks = 0

    def broken(_symbol: str) -> Closes:
        nonlocal looks
        looks += 1
        raise OSError("disk gone")

    with monkeypatch.context() as during:
        during.setattr(store, "closes", broken)
        rig = run(clock, source, plan=HISTORY)
        rig.until(lambda: rig.state.last_error is not None)
        threading.Event().wait(0.3)  # a few turns of the lane
        assert looks == 1
        assert "disk gone" in rig.state.note
    clock.pass_(seconds=60)
    rig.until(lambda: bool(len(store.closes("^RUT"))))
    assert "disk gone" in caplog.text
