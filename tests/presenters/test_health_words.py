"""The health panel's words: state, age, times, requests, and what went wrong with its cure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.market.known import Unknown
from desktop.presenters.health import KIND_WORDS, HealthPresenter, error_words
from desktop.presenters.words import source_name
from desktop.sources.contract import CURES, Failure, FailureKind
from desktop.sources.state import FeedState, SourceState
from widgets.states import HealthRow, Text, Tone

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
SEEN = NOW - timedelta(seconds=4)
LIVE = SourceState(
    "yahoo", FeedState.LIVE, 3.0, 0.0, SEEN, None, NOW + timedelta(seconds=8), requests=412, budget_per_h=3600
)
LATE = Failure(FailureKind.TIMEOUT, "yahoo", "RTY=F", "no answer within 25 s", NOW - timedelta(seconds=60))


class Wall:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def row(state: SourceState) -> HealthRow:
    return HealthPresenter(Wall()).present((state,), NOW).rows[0]


def test_a_source_that_is_well():
    told = row(LIVE)
    assert (told.name, told.state, told.age.text) == ("Yahoo", Text("live", Tone.GOOD), "3 s")
    assert (told.answered.text, told.next_try.text, told.requests.text) == (
        "10:29:56 ET",
        "in 8 s",
        "412 of 3,600",
    )
    assert told.told.text == ""
    assert (told.paused, told.needs_key, told.testable) == (False, False, True)


@pytest.mark.parametrize(
    ("state", "words", "tone"),
    [
        (replace(LIVE, state=FeedState.DELAYED), "delayed", Tone.WARN),
        (replace(LIVE, state=FeedState.STALE), "stale", Tone.WARN),
        (replace(LIVE, state=FeedState.GAP), "gap", Tone.WARN),
        (replace(LIVE, state=FeedState.CLOSED), "closed", Tone.PAST),
        (replace(LIVE, state=FeedState.UNAVAILABLE, last_error=LATE), "unavailable", Tone.BAD),
        (replace(LIVE, state=FeedState.UNAVAILABLE, last_success=None), "waiting", Tone.DIM),
        (replace(LIVE, state=FeedState.OFF, note="offline: started with --offline"), "off", Tone.DIM),
        (replace(LIVE, state=FeedState.OFF, note="paused by you", paused=True), "paused", Tone.DIM),
    ],
)
def test_states_in_words_and_tones(state, words, tone):
    assert (row(state).state.text, row(state).state.tone) == (words, tone)


def test_an_error_that_lasts_names_cause_and_cure():
    told = row(
        replace(LIVE, state=FeedState.UNAVAILABLE, last_success=NOW - timedelta(hours=2), last_error=LATE)
    ).told
    assert told == Text(
        "10:29:00 ET no answer in time (RTY=F): no answer within 25 s. "
        "Cure: the host was too slow; it is asked again",
        Tone.BAD,
    )
    still_fresh = replace(LIVE, last_success=NOW - timedelta(seconds=90), last_error=LATE)
    assert row(still_fresh).told.tone is Tone.WARN


def test_an_error_that_is_over_is_dimmed():
    told = row(replace(LIVE, last_error=LATE)).told
    assert told.tone is Tone.DIM
    assert told.text.startswith("answered since; 10:29:00 ET no answer in time")


def test_the_state_itself_is_told_where_no_error_explains_it():
    gap = replace(LIVE, state=FeedState.GAP, note="IWM: no bar of 2024-07-09", last_error=LATE)
    assert row(gap).told == Text("IWM: no bar of 2024-07-09", Tone.WARN)


@pytest.mark.parametrize("kind", FailureKind)
def test_each_kind_of_failure_has_words_and_a_cure(kind):
    words = error_words(
        Failure(kind, "x", "", "Failed to perform, curl: (7) as told. See https://curl.se/libcurl", NOW)
    )
    assert words.startswith(f"10:30:00 ET {KIND_WORDS[kind]}: as told. Cure: ")
    assert "curl.se" not in words
    if kind is FailureKind.AUTH:
        assert words.endswith("enter the right one under Menu, Vendor keys (Ctrl+K)")
    else:
        assert words.endswith(CURES[kind])


def test_no_key_asks_for_one():
    off = SourceState("alpaca", FeedState.OFF, Unknown("no key"), 0.0, None, None, None, "no key")
    told = row(off)
    assert (told.needs_key, told.testable) == (True, False)
    assert told.told.text == "no key: enter one under Menu, Vendor keys (Ctrl+K)"
    assert (told.answered.text, told.next_try.text, told.age.text) == ("never", "n/a", "n/a")
    assert (told.next_try.why, told.age.why) == ("no key", "no key")


def test_a_paused_source_may_be_tested_and_one_that_is_off_may_not():
    paused = replace(LIVE, state=FeedState.OFF, paused=True, note="paused by you", next_try=None)
    assert (row(paused).paused, row(paused).testable, row(paused).told.text) == (True, True, "")
    off = replace(LIVE, state=FeedState.OFF, note="offline: started with --offline")
    assert (row(off).testable, row(off).told.text) == (False, "offline: started with --offline")


def test_times_of_other_days_carry_their_day():
    assert row(replace(LIVE, last_success=NOW - timedelta(days=1))).answered.text == "Wed 10 Jul 10:30 ET"


def test_a_try_that_is_due_is_now_and_never_negative():
    assert row(replace(LIVE, next_try=NOW - timedelta(seconds=5))).next_try.text == "now"
    assert row(replace(LIVE, next_try=NOW + timedelta(minutes=14, seconds=59))).next_try.text == "in 14 min"


def test_the_vendors_own_delay_is_told_behind_the_age():
    assert row(replace(LIVE, age_s=900.0, declared_delay_s=600.0)).age.why.endswith("the vendor admits 10 min")


def test_requests_are_those_of_the_last_hour():
    wall = Wall()
    presenter = HealthPresenter(wall)
    shown = []
    for minute in range(0, 181, 5):
        wall.s = 1000.0 + 60 * minute
        state = replace(LIVE, requests=10 * minute)
        shown.append(presenter.present((state,), NOW).rows[0].requests)
    assert shown[12].text == "600 of 3,600"  # the first hour
    assert shown[-1].text == "600 of 3,600"  # 1,800 in all
    assert shown[-1].why == "600 requests in the last hour, 1,800 since the start; at most 3,600 an hour"


def test_a_budget_nearly_used_is_marked_and_none_is_left_out():
    assert row(replace(LIVE, requests=3000)).requests.tone is Tone.WARN
    assert row(replace(LIVE, requests=14, budget_per_h=0)).requests.text == "14"


def test_summary_counts_and_names_what_to_look_at():
    states = (LIVE, replace(LIVE, state=FeedState.STALE), replace(LIVE, state=FeedState.OFF, note="no key"))
    assert HealthPresenter(Wall()).present(states, NOW).summary == Text(
        "1 of 3 well · 1 to look at · 1 off", Tone.WARN
    )
    assert HealthPresenter(Wall()).present((LIVE,), NOW).summary == Text("1 of 1 well", Tone.DIM)
    assert HealthPresenter(Wall()).present((), NOW).message


def test_times_move_on_once_a_second_and_changes_at_once():
    wall = Wall()
    presenter = HealthPresenter(wall)
    made = []
    for quarter in range(40):  # ten seconds at four frames a second
        wall.s = 1000.0 + quarter / 4
        now = NOW + timedelta(seconds=15 * quarter)  # a demo at 60 x: every frame has other times
        made.append(presenter.present((replace(LIVE, age_s=float(quarter), next_try=now),), now))
    assert len({id(one) for one in made}) == 10
    changed = presenter.present((replace(LIVE, state=FeedState.STALE),), NOW)
    assert changed.rows[0].state.text == "stale"


@pytest.mark.parametrize(
    ("source", "name"),
    [("yahoo", "Yahoo"), ("fred calendar", "FRED calendar"), ("new york fed", "New York Fed"), ("Demo", "Demo")],
)
def test_names_as_they_are_written(source, name):
    assert source_name(source) == name
