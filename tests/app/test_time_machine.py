"""The past that plays: driven by a hand instead of the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desktop import time_machine
from desktop.market.clock import PlayClock
from desktop.presenters.frame import View
from desktop.settings import Settings
from desktop.time_machine import TimeMachine

NOW = datetime(2024, 7, 16, 15, 0, tzinfo=UTC)


class Wall:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def wall(monkeypatch):
    wall = Wall()
    monkeypatch.setattr(time_machine, "PlayClock", lambda at, speed: PlayClock(at, speed, wall=wall))
    return wall


@pytest.fixture
def machine(qtbot, wall):
    made = TimeMachine(now=lambda: NOW)
    seen: list[View] = []
    made.moved.connect(seen.append)
    made.moved.connect(made.follow)  # as the window does
    yield made, seen
    made.follow(View(Settings()))


def view(text: str, *, playing: bool = True, speed: int = 60) -> View:
    return View(Settings(), datetime.fromisoformat(text).replace(tzinfo=UTC), playing=playing, speed=speed)


def test_it_moves_at_its_speed(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-11T14:30"))
    wall.seconds += 2.0
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 11, 14, 32, tzinfo=UTC)
    wall.seconds += 1.0
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 11, 14, 33, tzinfo=UTC)
    assert seen[-1].playing


def test_another_speed_counts_from_where_it_stands(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-11T14:30"))
    wall.seconds += 1.0
    player.step()
    player.follow(View(Settings(), seen[-1].as_of, playing=True, speed=600))
    wall.seconds += 1.0
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 11, 14, 41, tzinfo=UTC)


def test_a_jump_while_it_plays_is_followed(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-11T14:30"))
    wall.seconds += 1.0
    player.step()
    player.follow(view("2024-07-12T18:00"))
    wall.seconds += 1.0
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 12, 18, 1, tzinfo=UTC)


def test_the_night_is_skipped(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-12T20:29", speed=600))
    wall.seconds += 1.0
    player.step()
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 15, 12, 0, tzinfo=UTC)  # over the weekend
    wall.seconds += 1.0
    player.step()
    assert seen[-1].as_of == datetime(2024, 7, 15, 12, 10, tzinfo=UTC)


def test_at_the_present_it_stops_and_never_goes_beyond(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-16T14:59", speed=600))
    wall.seconds += 60.0
    player.step()
    assert (seen[-1].as_of, seen[-1].playing) == (NOW, False)
    assert not player.playing
    player.step()
    assert len(seen) == 1


def test_standing_still_and_the_present_do_not_move(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-11T14:30", playing=False))
    wall.seconds += 10.0
    player.step()
    player.follow(View(Settings(), None, playing=True))
    player.step()
    assert not seen
    assert not player.playing


def test_a_laptop_that_slept_goes_on_within_the_session_played(machine, wall):
    player, seen = machine
    player.follow(view("2024-07-11T14:30"))
    wall.seconds += timedelta(hours=9).total_seconds()
    player.step()
    assert seen[-1].as_of is not None
    assert seen[-1].as_of <= NOW
