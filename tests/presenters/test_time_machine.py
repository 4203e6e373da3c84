"""The time bar's words: what a typed moment means, and the session around the moment shown."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from desktop.market.known import UserError
from desktop.presenters.time_machine import (
    FutureError,
    next_start,
    present_time,
    read_moment,
    session_of,
    span,
    with_refreshes,
)
from desktop.snapshot import Mode
from tests.presenters.conftest import build
from widgets.states_time import TimeState

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SHOWN = datetime(2024, 7, 11, 20, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("10:30", "2024-07-11T14:30"),
        (" 10:30 ", "2024-07-11T14:30"),
        ("2024-01-11 10:30", "2024-01-11T15:30"),  # winter time
        ("2024-03-08 09:30", "2024-03-08T14:30"),  # the Friday before the clocks went forward
        ("2024-03-11 09:30", "2024-03-11T13:30"),  # and the Monday after
        ("2024-07-11T10:30", "2024-07-11T14:30"),
        ("2024-07-11T10:30-04:00", "2024-07-11T14:30"),
        ("2024-07-11T10:30Z", "2024-07-11T10:30"),
    ],
)
def test_a_typed_moment_is_new_yorks_unless_it_says_otherwise(typed, means):
    assert read_moment(typed, SHOWN, NOW) == utc(means)


def test_a_date_is_its_end_in_new_york():
    assert read_moment("2024-07-11", SHOWN, NOW) == datetime(2024, 7, 12, 3, 59, 59, 999_999, tzinfo=UTC)


def test_a_clock_time_is_of_the_new_york_day_shown():
    late = datetime(2024, 7, 12, 2, 0, tzinfo=UTC)  # still the 11th there
    assert read_moment("10:30", late, NOW) == utc("2024-07-11T14:30")


@pytest.mark.parametrize("typed", ["", "soon", "2024-07-32", "25:00", "2024-07-11 10", "1980-01-01", "10:30:99"])
def test_what_names_no_known_moment_is_refused_with_the_cure(typed):
    with pytest.raises(UserError, match="write a date"):
        read_moment(typed, SHOWN, NOW)


def test_what_is_to_come_is_refused():
    with pytest.raises(FutureError, match="2027-01-04 09:30 ET lies ahead"):
        read_moment("2027-01-04 09:30", SHOWN, NOW)


@pytest.mark.parametrize(
    ("at", "first", "last"),
    [
        ("2024-07-11T14:30", "2024-07-11T12:00", "2024-07-11T20:30"),
        ("2024-07-03T15:00", "2024-07-03T12:00", "2024-07-03T17:30"),  # a half day
        ("2024-01-11T14:30", "2024-01-11T13:00", "2024-01-11T21:30"),
        ("2024-07-04T15:00", "2024-07-03T12:00", "2024-07-03T17:30"),  # a holiday
        ("2024-07-13T15:00", "2024-07-12T12:00", "2024-07-12T20:30"),  # a Saturday
        ("2024-07-11T05:00", "2024-07-10T12:00", "2024-07-10T20:30"),  # before the morning
    ],
)
def test_the_slider_is_the_session_that_holds_the_moment(at, first, last):
    assert span(session_of(utc(at))) == (utc(first), utc(last))


@pytest.mark.parametrize(
    ("at", "goes_on"),
    [
        ("2024-07-11T20:31", "2024-07-12T12:00"),
        ("2024-07-12T20:31", "2024-07-15T12:00"),
        ("2024-07-03T17:31", "2024-07-05T12:00"),
        ("2024-03-08T21:31", "2024-03-11T12:00"),  # the clocks went forward between
        ("2024-11-01T20:31", "2024-11-04T13:00"),  # and back
    ],
)
def test_playing_goes_on_with_the_next_session(at, goes_on):
    assert next_start(utc(at)) == utc(goes_on)


def bar(moment: str, stored: tuple[date, ...] | None) -> TimeState:
    at = utc(moment)
    return present_time(build(at, date(2024, 7, 10), mode=Mode.AS_OF), stored, now=NOW, playing=False, speed=60)


def test_the_bar_tells_the_moment_its_release_and_the_sessions_around_it():
    shown = bar("2024-07-11T14:30", (date(2024, 7, 8), date(2024, 7, 11), date(2024, 7, 15)))
    assert shown.typed == "2024-07-11 10:30"
    assert shown.clock.text == "11 Jul 2024 10:30:00 ET"
    assert (shown.before, shown.after) == (utc("2024-07-08T13:30"), utc("2024-07-15T13:30"))
    assert [(one.at, one.words) for one in shown.marks] == [(utc("2024-07-11T12:30"), "CPI 08:30:00 ET")]
    assert shown.note.text == ""


def test_beyond_the_stored_minutes_every_session_is_a_step():
    shown = bar("2024-07-05T14:30", (date(2024, 7, 11),))
    assert shown.before == utc("2024-07-03T13:30")  # the Fourth was no session
    assert shown.after == utc("2024-07-11T13:30")


def test_a_session_without_minutes_says_so_and_what_follows():
    shown = bar("2024-07-11T14:30", (date(2024, 7, 8),))
    assert shown.note.text == "daily data only"
    assert "the day before is what was known" in shown.note.why


def test_what_is_stored_may_be_not_known():
    assert bar("2024-07-11T14:30", None).note.text == ""


def test_there_is_no_session_after_the_present_one():
    at = utc("2024-07-11T14:30")
    shown = present_time(
        build(at, date(2024, 7, 10), mode=Mode.AS_OF), (), now=utc("2024-07-11T15:00"), playing=False, speed=60
    )
    assert shown.after is None


def test_manual_refreshes_of_the_session_are_marked_in_order():
    shown = bar("2024-07-11T14:30", None)
    early, other_day = utc("2024-07-11T12:29:58"), utc("2024-07-12T12:30:02")
    marked = with_refreshes(shown, [utc("2024-07-11T12:30:02"), early, other_day])
    assert [one.words for one in marked.marks] == [
        "refreshed 08:29:58 ET",
        "CPI 08:30:00 ET",
        "refreshed 08:30:02 ET",
    ]
    assert with_refreshes(shown, [other_day]) is shown
