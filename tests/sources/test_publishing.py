"""The lane of a publisher: when it asks, what it stores, how it says it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.releases import ReleaseKind
from desktop.market.store import Observation, Store
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Stamp, Unchanged
from desktop.sources.feed import Feed, FeedState, Plan, SourceState

NOW = datetime(2024, 7, 11, 22, 0, tzinfo=UTC)
PATIENCE_S = 10.0
DAILY, WEEKLY = Dataset("daily", 3600.0), Dataset("weekly", 86_400.0)
QUIET = Plan(live=(), minute=(), daily=(), adjusted=())


class Hand:
    speed = 1.0

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Paper:
    """A publisher that answers as told and remembers what it was asked."""

    name = "Paper"

    def __init__(self, *datasets: Dataset) -> None:
        self.datasets = datasets
        self.off = ""
        self.requests = 0
        self.asked: list[tuple[str, Stamp]] = []
        self.answers: dict[str, Published | Unchanged | Failure | Exception] = {}
        self.closed = False

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        self.requests += 1
        self.asked.append((dataset.name, stamp))
        answer = self.answers[dataset.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def published(value: float, *, etag: str = "") -> Published:
    day = date(2024, 7, 11)
    closes = Closes("^VIX", np.array([day], dtype="datetime64[D]"), np.array([value]))
    return Published(
        known_at=NOW - timedelta(hours=1),
        stamp=Stamp(etag),
        closes=(closes,),
        series={"DGS2": (Observation(day, value, NOW - timedelta(hours=1)),)},
        releases=((NOW + timedelta(days=2), ReleaseKind.CPI),),
    )


def failure(kind: FailureKind = FailureKind.OFFLINE, retry_after_s: float | None = None) -> Failure:
    return Failure(kind, "Paper", "daily", "no route", NOW, retry_after_s)


class Rig:
    def __init__(self, store: Store, *datasets: Dataset) -> None:
        self.store, self.clock, self.paper = store, Hand(), Paper(*datasets)
        self._changed = threading.Condition()
        self.changes = 0
        self.feed = Feed(self.store, (), self.clock, self._on_change, QUIET, (self.paper,))
        self._started = False

    def start(self) -> None:
        self._started = True
        self.feed.start()

    def stop(self) -> None:
        if self._started:
            self._started = False
            self.feed.stop()

    def _on_change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), (self.paper.asked, self.state)

    def later(self, **time: float) -> None:
        """Let time pass and one more answer be stored."""
        seen = self.changes
        self.clock.time += timedelta(**time)
        self.until(lambda: self.changes > seen)

    @property
    def state(self) -> SourceState:
        return self.feed.states()[0]


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as made:
        yield made


@pytest.fixture
def rig(store: Store) -> Iterator[Rig]:
    made = Rig(store, DAILY)
    made.paper.answers["daily"] = published(12.92, etag='"one"')
    yield made
    made.stop()


def test_what_is_published_is_stored_with_when_it_was_known(rig, store):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    assert store.closes("^VIX").close.tolist() == [12.92]
    assert store.series("DGS2", NOW).values.tolist() == [12.92]
    assert len(store.series("DGS2", NOW - timedelta(hours=2))) == 0
    assert store.calendar(NOW) == [("cpi", NOW + timedelta(days=2))]
    assert (rig.state.state, rig.state.age_s, rig.state.requests) == (FeedState.LIVE, 3600.0, 1)


def test_it_is_asked_once_a_period_with_the_stamp_of_the_last_answer(rig):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    rig.paper.answers["daily"] = Unchanged()
    rig.later(seconds=3600)
    assert rig.paper.asked == [("daily", Stamp()), ("daily", Stamp('"one"'))]
    assert rig.state.last_success == NOW + timedelta(seconds=3600)
    assert rig.state.age_s == 7200.0  # nothing newer was published


def test_what_was_checked_before_a_restart_is_not_asked_again(rig, store):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    rig.stop()
    again = Rig(store, DAILY)
    again.clock.time = NOW + timedelta(minutes=30)
    again.start()
    again.feed.refresh_now()  # by hand it is
    again.paper.answers["daily"] = Unchanged()
    again.until(lambda: again.changes == 1)
    again.stop()
    assert again.paper.asked == [("daily", Stamp('"one"'))]


@pytest.mark.parametrize(("failures", "pause_s"), [(1, 300), (2, 900), (3, 3600), (4, 3600)])
def test_failures_are_tried_again_ever_later_and_lose_nothing(rig, store, failures, pause_s):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    rig.paper.answers["daily"] = failure()
    rig.later(seconds=3600)
    for pause in (300, 900, 3600)[: failures - 1]:
        rig.later(seconds=pause)
    assert rig.state.next_try == rig.clock.time + timedelta(seconds=pause_s)
    assert store.closes("^VIX").close.tolist() == [12.92]
    assert "no route" in rig.state.note
    rig.paper.answers["daily"] = published(38.57)
    rig.later(seconds=pause_s)
    assert store.closes("^VIX").close.tolist() == [38.57]
    assert (rig.state.state, rig.state.note) == (FeedState.LIVE, "")


def test_a_host_that_asks_for_quiet_gets_it(rig):
    rig.paper.answers["daily"] = failure(FailureKind.RATE_LIMITED, retry_after_s=5000.0)
    rig.start()
    rig.until(lambda: rig.changes == 1)
    assert rig.state.next_try == NOW + timedelta(seconds=5000)
    assert rig.state.state is FeedState.UNAVAILABLE


def test_a_faulty_publisher_does_not_silence_its_lane(rig, store):
    rig.paper.answers["daily"] = ZeroDivisionError("of its own")
    rig.start()
    rig.until(lambda: rig.changes == 1)
    assert "ZeroDivisionError" in rig.state.note
    rig.paper.answers["daily"] = published(12.92)
    rig.later(seconds=300)
    assert store.closes("^VIX").close.tolist() == [12.92]


def test_each_dataset_has_its_own_period_and_fails_alone(store):
    rig = Rig(store, DAILY, WEEKLY)
    rig.paper.answers = {"daily": failure(), "weekly": published(1.0)}
    rig.start()
    rig.until(lambda: rig.changes == 2)
    assert rig.state.state is FeedState.LIVE
    assert "daily: no route" in rig.state.note
    rig.later(seconds=300)
    rig.stop()
    assert [name for name, _ in rig.paper.asked] == ["daily", "weekly", "daily"]
    assert rig.paper.closed


def test_a_long_silence_is_stale(rig):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    rig.feed.pause("Paper", paused=True)
    assert (rig.state.state, rig.state.note, rig.state.paused) == (FeedState.OFF, "paused by you", True)
    rig.clock.time += timedelta(hours=4)
    rig.paper.answers["daily"] = failure()
    rig.feed.pause("Paper", paused=False)
    rig.until(lambda: rig.changes == 2)
    assert rig.state.state is FeedState.STALE


def test_test_now_asks_one_that_is_paused(rig):
    rig.start()
    rig.until(lambda: rig.changes == 1)
    rig.feed.pause("Paper", paused=True)
    rig.feed.test("Somebody else")
    rig.feed.test("Paper")
    rig.until(lambda: rig.changes == 2)
    assert len(rig.paper.asked) == 2


def test_one_without_its_key_is_off_and_says_why(rig):
    rig.paper.off = "no key"
    rig.start()
    state = rig.state
    assert (state.state, state.age_s, state.next_try) == (FeedState.OFF, Unknown("no key"), None)
    rig.feed.refresh_now()
    assert rig.feed.settled
    assert rig.paper.asked == []
