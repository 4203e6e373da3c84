"""Labels of both axes: round values, and round moments on the clock of New York."""

import time
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.ticks import PRESETS, iso_words, moment_words, time_ticks, value_steps

NY = ZoneInfo("America/New_York")


def ny(*parts: int) -> float:
    return datetime(*parts, tzinfo=NY).timestamp()  # type: ignore[arg-type,misc]  # parts of a datetime


def words(first: tuple[int, ...], last: tuple[int, ...], most: int, *, daily: bool) -> list[str]:
    return [tick.words for tick in time_ticks(ny(*first), ny(*last), most, NY, daily=daily)]


@pytest.mark.parametrize(
    ("first", "last", "most", "daily", "expected"),
    [
        ((1987, 9, 10), (2024, 7, 12), 9, True, ["1990", "1995", "2000", "2005", "2010", "2015", "2020"]),
        ((2019, 7, 11), (2024, 7, 12), 9, True, ["2020", "2021", "2022", "2023", "2024"]),
        ((2024, 1, 1), (2024, 7, 12), 9, True, ["2024", "Feb", "Mar", "Apr", "May", "Jun", "Jul"]),
        ((2023, 7, 11), (2024, 7, 12), 9, True, ["Sep", "Nov", "2024", "Mar", "May", "Jul"]),
        ((2024, 6, 11), (2024, 7, 12), 9, True, ["17 Jun", "24 Jun", "1 Jul", "8 Jul"]),
        ((2024, 7, 11, 8, 15), (2024, 7, 11, 16), 4, False, ["10:00", "12:00", "14:00", "16:00"]),
        ((2024, 7, 11, 9, 30), (2024, 7, 11, 10), 6, False, [f"09:{m}" for m in range(30, 60, 5)] + ["10:00"]),
    ],
)
def test_labels_suit_the_span(first, last, most, daily, expected):
    assert words(first, last, most, daily=daily) == expected


def test_in_spring_the_hour_that_does_not_exist_has_no_label():
    assert words((2024, 3, 10), (2024, 3, 10, 5), 5, daily=False) == ["10 Mar", "01:00", "03:00", "04:00", "05:00"]


def test_in_autumn_the_hour_that_comes_twice_is_labelled_twice_an_hour_apart():
    ticks = time_ticks(ny(2024, 11, 3), ny(2024, 11, 3, 4), 8, NY, daily=False)
    assert [tick.words for tick in ticks] == ["3 Nov", "01:00", "01:00", "02:00", "03:00", "04:00"]
    assert {after.at - before.at for before, after in pairwise(ticks)} == {3600.0}


def test_the_session_opens_at_nine_thirty_in_winter_and_in_summer():
    for day in (datetime(2024, 1, 11, tzinfo=NY), datetime(2024, 7, 11, tzinfo=NY)):
        opens = (day + timedelta(hours=9, minutes=30)).timestamp()
        ticks = time_ticks(opens, opens + 1800, 2, NY, daily=False)
        assert (ticks[0].at, ticks[0].words) == (opens, "09:30")


def test_dates_stand_at_midday_where_daily_points_stand():
    for tick in time_ticks(ny(2024, 6, 11), ny(2024, 7, 12), 9, NY, daily=True):
        assert datetime.fromtimestamp(tick.at, NY).hour == 12


@given(
    low=st.floats(ny(1985, 1, 1), ny(2030, 1, 1)),
    span=st.floats(60, 50 * 365 * 86_400.0),
    most=st.integers(2, 20),
    daily=st.booleans(),
)
def test_labels_are_inside_ascending_and_not_too_many(low, span, most, daily):
    moments = [tick.at for tick in time_ticks(low, low + span, most, NY, daily=daily)]
    assert moments == sorted(set(moments))
    assert all(low <= at <= low + span for at in moments)
    assert len(moments) <= most + 2


def test_no_labels_for_an_empty_span():
    assert time_ticks(5.0, 5.0, 5, NY, daily=False) == ()
    assert value_steps(1.0, 1.0, 5) == ((), 0)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected", "decimals"),
    [
        (1.0, 10.1, 6, [2, 4, 6, 8, 10], 0),
        (9.31, 9.62, 4, [9.4, 9.5, 9.6], 1),
        (-2.4, 6.0, 5, [-2, 0, 2, 4, 6], 0),
        (0.001, 0.012, 3, [0.005, 0.010], 3),
    ],
)
def test_values_are_round(low, high, most, expected, decimals):
    values, digits = value_steps(low, high, most)
    assert values == pytest.approx(expected)
    assert digits == decimals


def test_labels_cost_next_to_nothing():
    started = time.perf_counter()
    for number in range(50):
        time_ticks(ny(2024, 7, 11) + number, ny(2024, 7, 12), 9, NY, daily=False)
    assert (time.perf_counter() - started) / 50 < 0.002


def test_a_moment_is_told_with_its_zone_and_a_day_without_a_clock():
    at = ny(2024, 7, 11, 8, 30)
    assert moment_words(at, NY, daily=False) == "Thu 11 Jul 2024 08:30 ET"
    assert moment_words(at + 7, NY, daily=False) == "Thu 11 Jul 2024 08:30:07 ET"
    assert moment_words(at, NY, daily=True) == "Thu 11 Jul 2024"
    assert moment_words(at, ZoneInfo("Europe/Zurich"), daily=False) == "Thu 11 Jul 2024 14:30 CEST"
    assert iso_words(at, NY, daily=False) == "2024-07-11T08:30:00-04:00"
    assert iso_words(at, NY, daily=True) == "2024-07-11"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("1M", (2024, 6, 11, 13)),
        ("6M", (2024, 1, 11, 13)),
        ("YTD", (2024, 1, 1)),
        ("1Y", (2023, 7, 11, 13)),
        ("5Y", (2019, 7, 11, 13)),
        ("10Y", (2014, 7, 11, 13)),
    ],
)
def test_ranges_end_at_the_last_point(key, expected):
    preset = next(one for one in PRESETS if one.key == key)
    assert preset.start(ny(2024, 7, 11, 13), NY) == ny(*expected)


def test_a_month_before_the_end_of_march_is_the_end_of_february():
    assert PRESETS[0].start(ny(2024, 3, 31, 12), NY) == ny(2024, 2, 29, 12)
    assert PRESETS[0].start(ny(2023, 1, 15, 12), NY) == ny(2022, 12, 15, 12)


def test_everything_has_no_start_of_its_own():
    assert PRESETS[-1].start(ny(2024, 7, 11), NY) is None
