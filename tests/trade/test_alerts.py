"""Alert rules: when they fire, when again, what they never fire on, and what a jumping clock does to them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.market.known import Unknown
from desktop.trade.alerts import (
    FRESH,
    LEAST_GAP,
    SUBJECTS,
    BadRuleError,
    Condition,
    Reading,
    Repeat,
    Rule,
    State,
    Subject,
    Watch,
    evaluate,
    spent,
    step,
    would_have_fired,
)

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RATIO = Watch(Subject.RATIO)
REGIME = Watch(Subject.REGIME)
CPI = Watch(Subject.RELEASE, "cpi")


def rule(condition: Condition = Condition.ABOVE, level: float | None = 10.0, **more) -> Rule:
    return Rule(more.pop("watch", RATIO), condition, level, id=1, **more)


class Run:
    """Rules followed through a series of readings, one every two minutes."""

    def __init__(self, *rules: Rule) -> None:
        self.rules, self.now = rules, NOW
        self.states: Mapping[int, State] = {}

    def see(self, value, *, after: timedelta = timedelta(minutes=2), **more) -> int:
        """How many rules fire on `value`, so much later."""
        self.now += after
        watches = {one.watch for one in self.rules}
        readings = {watch: Reading(value, self.now, **more) for watch in watches}
        fired, self.states = evaluate(self.rules, self.states, readings, self.now)
        return len(fired)

    def all(self, *values) -> list[int]:
        return [self.see(value) for value in values]


# When


def test_above_fires_at_its_level_and_again_only_from_behind_the_band():
    run = Run(rule(band=0.05))
    assert run.all(9.9, 10.0, 10.2, 9.97, 10.1, 9.94, 10.0) == [0, 1, 0, 0, 0, 0, 1]


def test_below_mirrors_above():
    run = Run(rule(Condition.BELOW, band=0.05))
    assert run.all(10.1, 10.0, 9.8, 10.03, 9.9, 10.06, 10.0) == [0, 1, 0, 0, 0, 0, 1]


def test_a_new_rule_that_is_met_fires_at_once():
    assert Run(rule()).all(10.5, 10.6) == [1, 0]


def test_crosses_fires_both_ways_but_not_inside_the_band():
    run = Run(rule(Condition.CROSSES, band=0.05))
    assert run.all(9.9, 10.01, 9.99, 10.02, 10.06, 9.99, 9.90) == [0, 1, 0, 0, 0, 1, 0]


def test_crosses_tells_a_return_once_it_has_left_the_band_on_the_other_side():
    run = Run(rule(Condition.CROSSES, band=0.05))
    assert run.all(9.9, 10.01, 9.98, 9.94) == [0, 1, 0, 1]


def test_the_first_sight_of_a_crossing_rule_is_no_crossing():
    assert Run(rule(Condition.CROSSES)).all(10.5) == [0]


def test_changes_counts_from_where_it_fired_last():
    run = Run(rule(Condition.CHANGES, 0.1))
    assert run.all(10.0, 10.09, 10.1, 10.19, 10.05, 10.0) == [0, 0, 1, 0, 0, 1]


def test_a_word_that_changes_is_told_with_the_one_before():
    run = Run(rule(Condition.CHANGES, None, watch=REGIME))
    assert run.all("orderly", "orderly") == [0, 0]
    fired, _ = evaluate(run.rules, run.states, {REGIME: Reading("risk_off")}, run.now + HOUR)
    assert [(one.before, one.reading.value) for one in fired] == [("orderly", "risk_off")]


def test_becomes_fires_on_arrival_and_again_after_it_left():
    run = Run(rule(Condition.BECOMES, None, watch=REGIME, target="risk_off"))
    assert run.all("orderly", "risk_off", "risk_off", "de_grossing", "risk_off") == [0, 1, 0, 0, 1]


def test_once_fires_once_until_it_is_begun_anew():
    run = Run(rule(repeat=Repeat.ONCE))
    assert run.all(10.5, 9.0, 10.5) == [1, 0, 0]
    assert spent(run.rules[0], run.states[1])
    run.states = {}
    assert run.see(10.5) == 1


def test_off_is_off():
    assert Run(rule(enabled=False)).all(10.5, 9.0, 10.5) == [0, 0, 0]


def test_one_rule_does_not_fire_twice_within_a_minute():
    run = Run(rule())
    assert [run.see(value, after=timedelta(seconds=5)) for value in (10.1, 9.9, 10.1, 9.9, 10.1)] == [
        1,
        0,
        0,
        0,
        0,
    ]
    assert run.see(10.1, after=LEAST_GAP) == 1  # still so: it is told, late


# What nothing fires on


@pytest.mark.parametrize("why", ["the price is 900 s old", "an earlier moment is shown"])
def test_a_blocked_reading_neither_fires_nor_arms(why):
    run = Run(rule(band=0.05))
    assert run.see(10.5, blocked=why) == 0
    assert run.states == {}
    assert run.see(10.5) == 1
    before = run.states
    assert run.see(9.0, blocked=why) == 0
    assert run.states is before
    assert run.see(10.5) == 0


def test_an_unknown_value_changes_nothing():
    run = Run(rule(Condition.CHANGES, None, watch=REGIME))
    assert run.all("orderly", Unknown("a vote is missing"), "orderly") == [0, 0, 0]


def test_what_has_no_reading_waits():
    assert evaluate([rule()], {}, {}, NOW) == ((), {})


def test_one_occasion_is_told_once():
    run = Run(rule(Condition.BELOW, 5.0, watch=CPI))
    assert run.see(4.0, occasion="cpi 2024-07-11") == 1
    assert run.see(60.0, occasion="cpi 2024-07-11") == 0
    assert run.see(4.0, occasion="cpi 2024-07-11") == 0
    assert run.see(4.0, occasion="cpi 2024-08-14") == 1


# Snoozed, and the clock


def test_a_snoozed_rule_is_silent_and_speaks_when_it_wakes_if_it_still_holds():
    quiet = rule(snoozed_from=NOW, snoozed_until=NOW + HOUR)
    run = Run(quiet)
    assert run.all(9.9, 10.5) == [0, 0]
    assert run.see(10.5, after=HOUR) == 1


def test_what_passed_while_snoozed_is_not_told_later():
    run = Run(rule(snoozed_from=NOW, snoozed_until=NOW + HOUR))
    assert run.all(9.9, 10.5, 9.9) == [0, 0, 0]
    assert run.see(9.9, after=HOUR) == 0


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(hours=10), timedelta(minutes=61)])
def test_a_clock_set_forward_ends_a_snooze_and_fires_once(jump):
    run = Run(rule(snoozed_from=NOW, snoozed_until=NOW + HOUR))
    assert run.see(10.5) == 0
    assert [run.see(10.5, after=jump), run.see(10.5)] == [1, 0]


@pytest.mark.parametrize("back", [timedelta(days=400), timedelta(hours=10), timedelta(minutes=10)])
def test_a_clock_set_back_makes_no_snooze_longer(back):
    run = Run(rule(snoozed_from=NOW, snoozed_until=NOW + HOUR))
    assert run.see(10.5) == 0
    assert run.see(10.5, after=-back) == 1


def test_a_clock_set_right_by_seconds_leaves_a_snooze_alone():
    run = Run(rule(snoozed_from=NOW, snoozed_until=NOW + HOUR))
    assert run.see(10.5, after=timedelta(seconds=-20)) == 0


@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=60))
def test_jumps_of_the_clock_alone_fire_nothing_more(minutes):
    """The value stays where it fired; the clock goes anywhere."""
    run = Run(rule(band=0.05))
    assert run.see(10.5) == 1
    assert sum(run.see(10.5, after=timedelta(minutes=one)) for one in minutes) == 0


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=60))
def test_a_release_is_announced_once_whatever_the_clock_does(minutes):
    release = NOW + timedelta(hours=20)
    run, fired = Run(rule(Condition.BELOW, 5.0, watch=CPI)), 0
    for one in minutes:
        ahead = (release - (run.now + timedelta(minutes=one))).total_seconds() / 60
        if ahead > 0:
            fired += run.see(ahead, after=timedelta(minutes=one), occasion="cpi")
        else:
            run.now += timedelta(minutes=one)
    assert fired <= 1


@given(st.lists(st.integers(-3000, 3000), max_size=30), st.floats(0.001, 1.0))
def test_after_any_jumps_a_rule_still_fires(minutes, beyond):
    """Nothing is missed for ever: once a minute passed, a value that comes from behind the band is told."""
    run = Run(rule(band=0.05))
    for one in minutes:
        run.see(10.0 + beyond, after=timedelta(minutes=one))
    run.see(9.0)
    assert run.see(10.0 + beyond) == 1


# Properties


values_about_the_level = st.lists(st.floats(9.0, 11.0), max_size=80)
bands = st.floats(0.0, 0.5)


@given(values_about_the_level, bands, st.sampled_from([Condition.ABOVE, Condition.BELOW, Condition.CROSSES]))
@example([10.5, 9.7, 10.5], 0.3, Condition.ABOVE)
def test_never_fires_twice_without_having_left_the_band(values, band, condition):
    run, last = Run(rule(condition, band=band)), None
    for number, value in enumerate(values):
        if not run.see(value):
            continue
        if last is not None:
            between = values[last : number + 1]
            if condition is Condition.ABOVE:
                assert min(between) - 10.0 < -band  # 10 - 0.3 is rounded to 9.7, which is 0.3 and a bit away
            elif condition is Condition.BELOW:
                assert max(between) - 10.0 > band
            else:
                assert max(abs(one - 10.0) for one in between) >= band
        last = number


@given(
    st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60),
    st.sampled_from([Condition.ABOVE, Condition.BELOW, Condition.CROSSES, Condition.CHANGES]),
)
def test_readings_that_are_not_live_are_as_if_they_were_not_there(seen, condition):
    """The firings are those of the live readings alone."""
    one = rule(condition, 1.0 if condition is Condition.CHANGES else 10.0, band=0.1)
    mixed, alone = Run(one), Run(one)
    for value, live in seen:
        fired = mixed.see(value, blocked="" if live else "not live")
        if live:
            assert fired == alone.see(value)
        else:
            alone.now += timedelta(minutes=2)
            assert fired == 0
    assert mixed.states == alone.states


# The rules themselves


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: rule(level=None), "level"),
        (lambda: rule(level=math.nan), "level"),
        (lambda: rule(level=0.0), "level"),
        (lambda: rule(band=-1.0), "band"),
        (lambda: rule(band=math.inf), "band"),
        (lambda: rule(Condition.CHANGES, 0.0), "level"),
        (lambda: rule(Condition.BECOMES, None), "condition"),
        (lambda: rule(Condition.ABOVE, None, watch=REGIME), "condition"),
        (lambda: rule(Condition.BECOMES, None, watch=REGIME, target="sunny"), "target"),
        (lambda: rule(watch=Watch(Subject.RATIO_Z, "17")), "param"),
        (lambda: rule(Condition.CHANGES, None, watch=Watch(Subject.FEED)), "param"),
        (lambda: rule(Condition.BELOW, 5.0, watch=Watch(Subject.RELEASE, "gdp")), "param"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_field(made, field):
    with pytest.raises(BadRuleError) as caught:
        made()
    assert caught.value.field == field


def test_every_subject_can_be_watched_as_it_is_first_offered():
    for subject, about in SUBJECTS.items():
        param = next(iter(dict(about.params))) if about.params is not None else "yahoo"
        target = about.targets[0][0] if about.targets else ""
        level = None if about.is_state else max(about.low, 1.0)
        Rule(Watch(subject, param), about.conditions[0], level, target, about.band)


# History


def test_history_counts_arrivals_and_not_the_state_it_begins_in():
    assert would_have_fired(rule(band=0.5), [11.0, 10.5, 9.0, 10.0, 9.6, 10.0, 9.4, 12.0]) == [3, 7]
    assert would_have_fired(rule(), []) == []
    assert would_have_fired(rule(), [9.0, 9.5]) == []


def test_history_passes_over_what_a_day_lacks():
    assert would_have_fired(rule(), [math.nan, 9.0, math.nan, 10.0]) == [3]
    words = rule(Condition.CHANGES, None, watch=REGIME)
    assert would_have_fired(words, ["", "orderly", "", "orderly", "risk_off"]) == [4]


@given(st.lists(st.floats(9.0, 11.0), max_size=120), bands)
def test_history_is_what_following_day_by_day_would_have_told(values, band):
    one = rule(band=band)
    run, told = Run(one), []
    for row, value in enumerate(values):
        if run.see(value, after=timedelta(days=1)) and row:
            told.append(row)
    assert would_have_fired(one, values) == told


# Speed


def test_a_hundred_thousand_evaluations_cost_no_more_than_some_lookups_each():
    """The yardstick is what no evaluation can do without: two lookups and a comparison, in this interpreter."""
    rules = [replace(rule(level=10.0 + number / 1000, band=0.02), id=number) for number in range(1000)]
    readings = [{RATIO: Reading(9.9 + turn % 7 / 100, NOW)} for turn in range(100)]
    states: Mapping[int, State] = {}

    def judge() -> int:
        fired, here = 0, states
        for turn, one in enumerate(readings):
            told, here = evaluate(rules, here, one, NOW + turn * timedelta(minutes=2))
            fired += len(told)
        return fired

    def yardstick() -> int:
        count = 0
        for one in readings:
            for each in rules:
                reading, state = one.get(each.watch), states.get(each.id, FRESH)
                count += bool(reading is not None and state.armed and each.enabled)
        return count

    def fastest(work) -> float:
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        return min(times)

    assert yardstick() == 100_000
    assert fastest(judge) < 12 * fastest(yardstick)


def test_where_nothing_happens_states_stay_the_same_object():
    run = Run(rule())
    run.see(10.5)
    before = run.states
    run.see(10.6)
    assert run.states is before
    assert step(run.rules[0], before[1], 10.7)[1] is before[1]
