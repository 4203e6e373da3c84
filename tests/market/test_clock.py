from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from desktop.market.clock import Clock, PlayClock, SystemClock
from desktop.market.quotes import BadMarketDataError

START = datetime(2024, 7, 11, 12, 25, tzinfo=UTC)  # 08:25 New York


class Wall:
    """A wall clock that moves when told."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def wall() -> Wall:
    return Wall()


def test_system_clock_tells_aware_utc_between_two_readings():
    clock: Clock = SystemClock()
    before, told, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= told <= after
    assert told.tzinfo is UTC
    assert clock.speed == 1


def test_sixty_seconds_pass_in_one_at_sixty_times(wall):
    clock = PlayClock(START, 60, wall=wall)
    assert clock.now() == START
    wall.at += 5
    assert clock.now() == START + timedelta(minutes=5)


def test_paused_clock_stands_still_and_goes_on_from_there(wall):
    clock = PlayClock(START, 60, wall=wall)
    wall.at += 1
    clock.pause()
    assert clock.paused
    assert (clock.speed, clock.chosen_speed) == (0, 60)
    wall.at += 100
    clock.pause()  # a second time changes nothing
    assert clock.now() == START + timedelta(minutes=1)
    clock.resume()
    clock.resume()
    wall.at += 1
    assert clock.now() == START + timedelta(minutes=2)
    assert clock.speed == 60


def test_new_speed_counts_from_the_moment_it_is_set(wall):
    clock = PlayClock(START, 60, wall=wall)
    wall.at += 10
    clock.set_speed(1)
    wall.at += 10
    assert clock.now() == START + timedelta(minutes=10, seconds=10)


def test_speed_set_while_paused_waits_for_resume(wall):
    clock = PlayClock(START, 60, wall=wall)
    clock.pause()
    clock.set_speed(2)
    wall.at += 10
    assert clock.now() == START
    assert clock.speed == 0
    clock.resume()
    wall.at += 10
    assert clock.now() == START + timedelta(seconds=20)


@pytest.mark.parametrize("paused", [False, True])
def test_seek_goes_there_and_keeps_playing_or_standing(wall, paused):
    clock = PlayClock(START, 60, wall=wall)
    if paused:
        clock.pause()
    target = START - timedelta(hours=1)
    clock.seek(target)
    assert clock.now() == target
    wall.at += 1
    assert clock.now() == target + timedelta(minutes=0 if paused else 1)


def test_clock_stands_at_its_end_and_plays_again_when_sought_back(wall):
    end = START + timedelta(minutes=3)
    clock = PlayClock(START, 60, end=end, wall=wall)
    wall.at += 50
    assert clock.now() == end
    clock.seek(START + timedelta(minutes=1))
    wall.at += 1
    assert clock.now() == START + timedelta(minutes=2)
    clock.seek(end + timedelta(days=1))
    assert clock.now() == end


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_impossible_speed_is_refused_and_the_old_one_stays(wall, speed):
    clock = PlayClock(START, 60, wall=wall)
    with pytest.raises(ValueError, match="above zero"):
        clock.set_speed(speed)
    with pytest.raises(ValueError, match="above zero"):
        PlayClock(START, speed, wall=wall)
    wall.at += 1
    assert clock.now() == START + timedelta(minutes=1)


def test_times_without_a_zone_are_refused(wall):
    naive = START.replace(tzinfo=None)
    with pytest.raises(BadMarketDataError, match="start"):
        PlayClock(naive, 1, wall=wall)
    with pytest.raises(BadMarketDataError, match="end"):
        PlayClock(START, 1, end=naive, wall=wall)
    with pytest.raises(BadMarketDataError, match="at"):
        PlayClock(START, 1, wall=wall).seek(naive)


def test_time_never_runs_back_while_other_threads_pause_and_change_speed():
    clock = PlayClock(START, 60)
    stop, seen = threading.Event(), []

    def disturb():
        while not stop.is_set():
            clock.pause()
            clock.set_speed(30)
            clock.resume()

    workers = [threading.Thread(target=disturb) for _ in range(2)]
    for one in workers:
        one.start()
    seen = [clock.now() for _ in range(2000)]
    stop.set()
    for one in workers:
        one.join()
    assert seen == sorted(seen)
