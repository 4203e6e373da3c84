"""An armed release by a clock that the test moves: what is due, what was missed, what became of a moved one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desktop.market.arming import OFFSETS_S, Armed, Watch, armed_at, followed
from desktop.market.releases import ReleaseKind, Schedule

CPI = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)
LATER = CPI + timedelta(days=6)
ISSUE_S = (2, 5, 10, 20, 30, 60)
"""Then every 15 s for 15 minutes."""


def at(seconds: float) -> datetime:
    return CPI + timedelta(seconds=seconds)


def fired(watch: Watch, seconds: list[float], speed: float = 1.0) -> list[float]:
    return [one for one in seconds if watch.poll(at(one), speed)]


def test_refreshes_are_due_at_the_seconds_that_were_asked_for():
    watch = Watch(CPI)
    asked = fired(watch, [float(one) for one in range(-60, 1000)])
    assert asked == [-3, *ISSUE_S, *range(75, 901, 15)]
    assert watch.missed == ()
    assert watch.done == len(OFFSETS_S)


def test_they_stay_far_inside_a_budget_of_one_request_a_second():
    assert len(OFFSETS_S) == 63
    assert len(OFFSETS_S) < 903 / 10


def test_a_laptop_asleep_over_the_release_asks_once_and_tells_what_was_missed():
    watch = Watch(CPI)
    assert fired(watch, [-30.0, -10.0]) == []
    assert watch.poll(at(487))  # it wakes eight minutes later
    assert not watch.poll(at(488))
    assert watch.missed == (*ISSUE_S, *range(75, 480, 15))
    assert fired(watch, [494.0, 495.0, 496.0]) == [495.0]


def test_a_laptop_that_wakes_when_all_is_over_asks_nothing():
    watch = Watch(CPI)
    watch.poll(at(-10))
    assert not watch.poll(at(3600))
    assert watch.is_over(at(3600))
    assert watch.done == 0
    assert watch.missed[-1] == 900


def test_a_restart_in_between_goes_on_where_it_was():
    watch = Watch(CPI)
    fired(watch, [float(one) for one in range(-10, 25)])
    again = Watch(CPI, list(watch.deeds))
    assert again.poll(at(63))  # +30 passed while the program was closed, +60 is made up for
    assert again.missed == (30,)
    assert not again.poll(at(64))


def test_a_demo_at_sixty_times_its_speed_misses_nothing():
    watch = Watch(CPI)
    asked = fired(watch, [float(one) for one in range(-60, 1000, 15)], speed=60.0)
    assert watch.missed == ()
    assert 2 < len(asked) <= 62
    assert watch.done == len(OFFSETS_S)


def test_a_demo_that_is_sought_back_starts_anew():
    watch = Watch(CPI)
    fired(watch, [float(one) for one in range(-10, 31)])
    assert not watch.poll(at(4))
    assert [one.offset_s for one in watch.deeds] == [-3, 2]
    assert watch.poll(at(5))


def armed(*kinds: ReleaseKind) -> Armed:
    return armed_at(CPI, [(one.value, one.name) for one in kinds], at(-3600))


def schedule(*entries: tuple[datetime, ReleaseKind]) -> Schedule:
    return Schedule(entries)


def test_what_stays_is_left_alone():
    one = armed(ReleaseKind.CPI)
    assert followed(one, schedule((CPI, ReleaseKind.CPI)), at(-60)) is one


def test_a_release_that_moves_while_armed_is_followed_and_told():
    moved = followed(armed(ReleaseKind.CPI), schedule((LATER, ReleaseKind.CPI)), at(-60))
    assert isinstance(moved, Armed)
    assert moved.at == LATER
    assert "moved: CPI was armed for 2024-07-11 12:30 UTC" in moved.told


def test_a_release_that_is_cancelled_disarms_in_words():
    far = CPI + timedelta(days=60)
    for left in (schedule((CPI, ReleaseKind.PPI)), schedule((far, ReleaseKind.CPI), (CPI, ReleaseKind.PPI))):
        assert followed(armed(ReleaseKind.CPI), left, at(-60)) == "CPI is no longer scheduled"


def test_of_two_releases_at_once_the_one_that_stays_keeps_the_moment_armed():
    both = armed(ReleaseKind.CPI, ReleaseKind.PPI)
    assert both.name == "CPI + PPI"
    left = followed(both, schedule((CPI, ReleaseKind.PPI), (LATER, ReleaseKind.CPI)), at(-60))
    assert isinstance(left, Armed)
    assert (left.at, left.kinds, left.name) == (CPI, ("ppi",), "PPI")
    assert left.told == "CPI moved away"


def test_what_has_come_out_no_longer_moves():
    one = armed(ReleaseKind.CPI)
    assert followed(one, schedule((LATER, ReleaseKind.CPI)), at(1)) is one


@pytest.mark.parametrize(
    "moment", [datetime(2026, 3, 6, 13, 30, tzinfo=UTC), datetime(2026, 11, 6, 13, 30, tzinfo=UTC)]
)
def test_seconds_are_counted_in_time_that_passes_not_by_the_wall_clock(moment):
    """The Fridays around the changes of the clocks: 08:30 in New York is 13:30 UTC in winter."""
    watch = Watch(moment)
    watch.poll(moment - timedelta(seconds=1))
    assert watch.poll(moment + timedelta(seconds=2))
