"""The time bar's words: what a typed moment means, and the session around the moment shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from desktop.market.known import UserError
from desktop.presenters.time_machine import FutureError, next_start, read_moment, session_of, span

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
