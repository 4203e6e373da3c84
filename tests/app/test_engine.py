"""The frame clock: how often, how soon, what is dropped, what happens when a frame fails, how it ends."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from desktop.engine import Engine
from desktop.market.known import UserError


class Bench:
    """An engine whose builder is the test's, and what it published, with the time of each."""

    def __init__(self, qtbot) -> None:
        self.qtbot = qtbot
        self.frames: list[str] = []
        self.failures: list[str] = []
        self.built: list[tuple[float, str]] = []
        self.engine: Engine[str, str] = Engine(self.build, "first")
        self.engine.frame.connect(self.frames.append)
        self.engine.failed.connect(self.failures.append)

    def build(self, view: str) -> str:
        self.built.append((time.monotonic(), view))
        return view.upper()

    def until(self, condition: Callable[[], object], timeout_ms: int = 5000) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=timeout_ms)


@pytest.fixture
def bench(qtbot) -> Iterator[Bench]:
    made = Bench(qtbot)
    yield made
    made.engine.stop()


class Gate:
    """A builder that waits in the middle of one view until it is let go."""

    def __init__(self, view: str) -> None:
        self.view, self.entered, self.open = view, threading.Event(), threading.Event()

    def __call__(self, view: str) -> str:
        if view == self.view:
            self.entered.set()
            assert self.open.wait(5.0)
        return view.upper()


def test_first_frame_comes_at_once(bench):
    begun = time.monotonic()
    bench.engine.start()
    bench.until(lambda: bench.frames)
    assert bench.built[0][0] - begun < 0.9  # far below a tick, whatever else the machine does
    assert bench.frames[0] == "FIRST"


def test_constant_pokes_make_at_most_four_frames_a_second(bench):
    stop = threading.Event()

    def poke() -> None:
        while not stop.wait(0.002):
            bench.engine.poke()

    bench.engine.start()
    bench.until(lambda: bench.frames)
    poker = threading.Thread(target=poke)
    poker.start()
    try:
        bench.until(lambda: len(bench.built) >= 6)
    finally:
        stop.set()
        poker.join()
    at = [moment for moment, _ in bench.built[:6]]
    apart = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert min(apart) >= 0.249
    assert sum(apart) < 5 * 0.5  # and not much less often: the pokes are heard


def test_without_any_change_a_frame_comes_each_second(bench):
    bench.engine.start()
    bench.until(lambda: len(bench.built) >= 2)
    apart = bench.built[1][0] - bench.built[0][0]
    assert 0.99 <= apart < 1.5


def test_what_the_user_asks_for_does_not_wait_for_the_frame_clock(bench):
    bench.engine.start()
    bench.until(lambda: bench.frames)
    asked = time.monotonic()
    bench.engine.show("second")
    bench.until(lambda: "SECOND" in bench.frames)
    assert bench.built[1][1] == "second"
    assert bench.built[1][0] - asked < 0.9  # far below a tick, whatever else the machine does
    assert bench.built[1][0] - bench.built[0][0] < 0.25


def test_frame_of_an_earlier_desk_that_arrives_late_is_dropped(bench):
    gate = Gate("first")
    bench.engine.show("first", gate)
    bench.engine.start()
    assert gate.entered.wait(5.0)
    bench.engine.show("second", bench.build)
    gate.open.set()
    bench.until(lambda: bench.frames)
    assert bench.frames == ["SECOND"]


def test_frame_of_an_earlier_view_that_arrives_late_is_dropped(bench):
    gate = Gate("first")
    bench.engine.show("first", gate)
    bench.engine.start()
    assert gate.entered.wait(5.0)
    bench.engine.show("second")
    gate.open.set()
    bench.until(lambda: bench.frames)
    assert bench.frames == ["SECOND"]


def test_failure_of_an_earlier_view_is_not_told(bench):
    entered, go_on = threading.Event(), threading.Event()

    def build(view: str) -> str:
        if view == "first":
            entered.set()
            assert go_on.wait(5.0)
            raise UserError("the store of before is closed")
        return view

    bench.engine.show("first", build)
    bench.engine.start()
    assert entered.wait(5.0)
    bench.engine.show("second")
    go_on.set()
    bench.until(lambda: bench.frames)
    assert bench.failures == []


def test_named_error_is_told_in_its_own_words_and_the_next_frame_is_tried(bench):
    broken = [True]

    def build(view: str) -> str:
        if broken.pop() if broken else False:
            raise UserError("rotation.sqlite: is locked; close the other program")
        return view

    bench.engine.show("second", build)
    bench.engine.start()
    bench.until(lambda: bench.frames)
    assert bench.failures == ["rotation.sqlite: is locked; close the other program"]
    assert bench.frames == ["second"]


def test_unexpected_error_is_told_with_its_kind_and_logged(bench, caplog):
    def build(view: str) -> str:
        raise ZeroDivisionError("division by zero")

    bench.engine.show("second", build)
    with caplog.at_level(logging.ERROR, "desktop.engine"):
        bench.engine.start()
        bench.until(lambda: bench.failures)
    assert bench.failures[0] == "ZeroDivisionError: division by zero"
    assert caplog.records[0].exc_info is not None


def test_stop_ends_the_thread_and_nothing_is_delivered_afterwards(bench, qtbot):
    bench.engine.start()
    bench.until(lambda: bench.frames)
    bench.engine.show("second")
    bench.engine.stop()
    assert not [one for one in threading.enumerate() if one.name == "engine"]
    seen = len(bench.frames)
    with qtbot.assertNotEmitted(bench.engine.frame, wait=50):
        bench.engine.show("third")
    assert len(bench.frames) == seen


def test_stop_does_not_wait_for_the_tick(bench):
    bench.engine.start()
    bench.until(lambda: bench.frames)
    begun = time.monotonic()
    bench.engine.stop()
    assert time.monotonic() - begun < 0.5


def test_frames_keep_coming_while_a_line_is_dragged(bench):
    """Steps come faster than frames are built: each frame is late, and must be shown all the same."""

    def build(view: str) -> str:
        time.sleep(0.02)
        return view

    bench.engine.show("0", build)
    bench.engine.start()
    steps = 0
    begun = time.monotonic()
    while time.monotonic() - begun < 0.4:
        steps += 1
        bench.engine.show(str(steps), anew=False)
        bench.qtbot.wait(2)
    assert steps > 40
    assert len(bench.frames) >= 8
    bench.until(lambda: bench.frames[-1] == str(steps))
