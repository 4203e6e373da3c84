from __future__ import annotations

import csv
import subprocess
import sys
import time as stopwatch
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resources
from desktop.market import sessions
from desktop.market.known import UserError
from desktop.market.quotes import BadMarketDataError
from desktop.market.sessions import (
    CME,
    NYSE,
    TABLE_FIRST,
    TABLE_LAST,
    AsOfError,
    Calendar,
    CalendarRangeError,
    Phase,
    Session,
    end_of_day,
    new_york,
    parse_as_of,
    trading_day,
)

pytestmark = pytest.mark.filterwarnings(
    # exchange_calendars 4.13 under pandas 3.1: the library's own, harmless until pandas 4
    "ignore:Series.values returning an ndarray that drops timezone:DeprecationWarning"
)

ROOT = Path(__file__).parents[2]
AFTER_SEPTEMBER_11 = [date(2001, 9, day) for day in (11, 12, 13, 14)]

MOMENTS = st.integers(0, int(timedelta(days=42 * 365.25) / timedelta(seconds=1))).map(
    lambda seconds: datetime(1985, 2, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
"""Any second from 1985 to the beginning of 2027."""


def et(text: str) -> datetime:
    """A New York wall time, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=new_york).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def some_days(*days: str) -> np.ndarray:
    return np.array(days, dtype="datetime64[D]")


# Against other people's answers


@pytest.fixture(scope="module")
def library():
    """exchange_calendars itself, by calendar name."""
    import exchange_calendars

    return {
        name: exchange_calendars.get_calendar(name, start=str(TABLE_FIRST), end="2030-12-31")
        for name in ("XNYS", "CMES")
    }


@pytest.mark.slow
@pytest.mark.parametrize("calendar", [NYSE, CME], ids=lambda one: one.name)
def test_every_session_from_1985_to_2030_equals_the_library(library, calendar):
    theirs = library[calendar.name].schedule
    days = calendar.days(TABLE_FIRST, date(2030, 12, 31))
    assert (days == theirs.index.to_numpy().astype("datetime64[D]")).all()
    opens, closes = theirs["open"].dt.to_pydatetime(), theirs["close"].dt.to_pydatetime()
    for day, opened, closed in zip(days.tolist(), opens, closes, strict=True):
        ours = calendar.session(day)
        assert ours is not None
        assert (ours.day, ours.open) == (day, opened)
        if calendar is CME and closed.astimezone(new_york).time() == time(18):
            closed -= timedelta(hours=1)  # the daily pause, which the library counts to the session
        assert ours.close == closed
        usual = time(17) if calendar is CME else time(16)
        assert ours.early_close == (closed.astimezone(new_york).time() < usual)


def test_shipped_table_is_what_the_generator_writes():
    done = subprocess.run(
        [sys.executable, "-m", "desktop.market.sessions"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    shipped = resources.path(sessions.TABLE).read_text(encoding="utf-8")
    without_version = [line for line in shipped.splitlines() if not line.startswith("#")]
    assert [line for line in done.stdout.splitlines() if not line.startswith("#")] == without_version


def test_index_closes_since_1985_lie_on_every_session_and_on_no_other_day(real_data):
    with (real_data / "index-daily/ndx-yahoo-1985-2026.csv").open() as lines:
        days = some_days(*(line.split(",")[0] for line in list(lines)[3:]))
    assert (len(days), str(days[0]), str(days[-1])) == (10_181, "1985-10-01", "2026-02-27")
    assert NYSE.missing(days).tolist() == []
    assert NYSE.not_sessions(days).tolist() == []


def test_published_volatility_history_has_thirty_rows_on_holidays_and_four_gaps(real_data):
    """The counts are those of the data's own description."""
    with (real_data / "vol-cboe/VIX_History.csv").open() as lines:
        american = [row["DATE"] for row in csv.DictReader(lines)]
    days = some_days(*(f"{one[6:]}-{one[:2]}-{one[3:5]}" for one in american))
    assert len(NYSE.not_sessions(days)) == 30
    assert date(2004, 6, 11) in NYSE.not_sessions(days).tolist()
    gaps = ["1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"]
    assert [str(one) for one in NYSE.missing(days)] == gaps


@pytest.mark.parametrize(
    ("calendar", "day", "opens", "closes", "early"),
    [
        # both US clock changes of 2024, the Friday before and the Monday after
        (NYSE, "2024-03-08", "2024-03-08 14:30", "2024-03-08 21:00", False),
        (NYSE, "2024-03-11", "2024-03-11 13:30", "2024-03-11 20:00", False),
        (NYSE, "2024-11-01", "2024-11-01 13:30", "2024-11-01 20:00", False),
        (NYSE, "2024-11-04", "2024-11-04 14:30", "2024-11-04 21:00", False),
        # clocks changed on the last Sunday of April until 1986, on the first from 1987
        (NYSE, "1986-04-25", "1986-04-25 14:30", "1986-04-25 21:00", False),
        (NYSE, "1986-04-28", "1986-04-28 13:30", "1986-04-28 20:00", False),
        (NYSE, "1987-04-06", "1987-04-06 13:30", "1987-04-06 20:00", False),
        # half days
        (NYSE, "2024-07-03", "2024-07-03 13:30", "2024-07-03 17:00", True),
        (NYSE, "2024-11-29", "2024-11-29 14:30", "2024-11-29 18:00", True),
        (NYSE, "1985-12-24", "1985-12-24 14:30", "1985-12-24 19:00", True),
        (NYSE, "1985-01-02", "1985-01-02 14:30", "1985-01-02 21:00", False),
        # overnight: the evening before to 17:00; the Monday session opens on Sunday, after the clock change
        (CME, "2024-07-11", "2024-07-10 22:00", "2024-07-11 21:00", False),
        (CME, "2024-03-08", "2024-03-07 23:00", "2024-03-08 22:00", False),
        (CME, "2024-03-11", "2024-03-10 22:00", "2024-03-11 21:00", False),
        (CME, "2024-11-04", "2024-11-03 23:00", "2024-11-04 22:00", False),
        (CME, "2024-07-04", "2024-07-03 22:00", "2024-07-04 17:00", True),  # trades where the stock exchange rests
        # past the table
        (NYSE, "2028-03-13", "2028-03-13 13:30", "2028-03-13 20:00", False),
        (NYSE, "2028-11-24", "2028-11-24 14:30", "2028-11-24 18:00", True),
    ],
)
def test_hours_of_a_session(calendar, day, opens, closes, early):
    expected = Session(date.fromisoformat(day), utc(opens), utc(closes), early)
    assert calendar.session(expected.day) == expected


@pytest.mark.parametrize(
    "day",
    [
        *AFTER_SEPTEMBER_11,
        date(1985, 9, 27),  # hurricane Gloria
        date(2012, 10, 29),  # hurricane Sandy
        date(2012, 10, 30),
        date(1994, 4, 27),  # mourning of presidents
        date(2004, 6, 11),
        date(2018, 12, 5),
        date(2025, 1, 9),
        date(2024, 3, 29),  # Good Friday
        date(2022, 6, 20),  # Juneteenth
        date(2024, 7, 13),  # Saturday
        date(2024, 7, 14),  # Sunday
        date(2028, 1, 1),  # past the table, Saturday
        date(2028, 1, 17),  # past the table, Martin Luther King's day
    ],
)
def test_stock_exchange_was_closed(day):
    assert NYSE.session(day) is None
    assert NYSE.phase(end_of_day(day) - timedelta(hours=12)) is Phase.CLOSED


def test_first_of_january_on_saturday_takes_no_friday():
    assert NYSE.session(date(2021, 12, 31)) is not None


# Search


def test_session_before_the_reopening_of_2001_is_september_10():
    assert NYSE.previous(date(2001, 9, 17)).day == date(2001, 9, 10)
    assert NYSE.next_open(et("2001-09-10 10:00")).day == date(2001, 9, 17)
    assert NYSE.last_closed(et("2001-09-17 15:59:59")).day == date(2001, 9, 10)


@pytest.mark.parametrize(
    ("at", "started", "closed", "next_one"),
    [
        ("2024-07-11 09:29:59", "2024-07-10", "2024-07-10", "2024-07-11"),
        ("2024-07-11 09:30:00", "2024-07-11", "2024-07-10", "2024-07-12"),
        ("2024-07-11 15:59:59", "2024-07-11", "2024-07-10", "2024-07-12"),
        ("2024-07-11 16:00:00", "2024-07-11", "2024-07-11", "2024-07-12"),
        ("2024-07-12 23:00:00", "2024-07-12", "2024-07-12", "2024-07-15"),  # already Saturday in UTC
        ("2024-07-14 12:00:00", "2024-07-12", "2024-07-12", "2024-07-15"),
        ("2024-07-03 13:00:00", "2024-07-03", "2024-07-03", "2024-07-05"),  # half day, then a holiday
        ("2027-12-31 17:00:00", "2027-12-31", "2027-12-31", "2028-01-03"),  # over the end of the table
    ],
)
def test_sessions_around_a_moment_in_new_york(at, started, closed, next_one):
    moment = et(at)
    found = (NYSE.last_started(moment), NYSE.last_closed(moment), NYSE.next_open(moment))
    assert [str(one.day) for one in found] == [started, closed, next_one]


@pytest.mark.parametrize(
    ("at", "started", "closed", "next_one"),
    [
        ("2024-07-10 17:59:59", "2024-07-10", "2024-07-10", "2024-07-11"),
        ("2024-07-10 18:00:00", "2024-07-11", "2024-07-10", "2024-07-12"),
        ("2024-07-11 16:59:59", "2024-07-11", "2024-07-10", "2024-07-12"),
        ("2024-07-11 17:00:00", "2024-07-11", "2024-07-11", "2024-07-12"),
        ("2024-07-14 18:00:00", "2024-07-15", "2024-07-12", "2024-07-16"),  # Sunday evening
    ],
)
def test_overnight_sessions_around_a_moment(at, started, closed, next_one):
    moment = et(at)
    found = (CME.last_started(moment), CME.last_closed(moment), CME.next_open(moment))
    assert [str(one.day) for one in found] == [started, closed, next_one]


def test_search_before_the_first_session_is_refused_with_the_day():
    with pytest.raises(CalendarRangeError, match=r"XNYS.*1985-01-01.*begin 1985-01-02") as caught:
        NYSE.previous(TABLE_FIRST)
    assert isinstance(caught.value, UserError)
    assert (caught.value.calendar, caught.value.day) == ("XNYS", date(1985, 1, 1))
    with pytest.raises(CalendarRangeError):
        NYSE.session(date(1984, 12, 31))
    with pytest.raises(CalendarRangeError):
        NYSE.days(date(1980, 1, 1), date(1990, 1, 1))


@given(at=MOMENTS)
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("calendar", [NYSE, CME], ids=lambda one: one.name)
def test_search_agrees_with_the_library_at_any_moment(library, calendar, at):
    import pandas as pd

    theirs, minute = library[calendar.name], pd.Timestamp(at)
    opens = theirs.opens
    started = theirs.date_to_session(opens.index[opens.searchsorted(minute, side="right") - 1])
    last = calendar.last_started(at)
    assert last.day == started.date()
    assert calendar.next_open(at).day == theirs.next_session(started).date()
    assert calendar.previous(last.day).day == theirs.previous_session(started).date()
    closed = calendar.last_closed(at)
    assert closed.close <= at
    assert closed.day in (last.day, calendar.previous(last.day).day)
    assert (closed.day == last.day) == (last.close <= at)


@given(day=st.dates(date(1985, 2, 1), date(2027, 11, 30)))
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("calendar", [NYSE, CME], ids=lambda one: one.name)
def test_previous_and_next_lead_back_to_each_other(calendar, day):
    before = calendar.previous(day)
    assert before.day < day
    after = calendar.next_open(before.open)
    assert after.day >= day
    assert calendar.previous(after.day) == before
    assert calendar.days(before.day, after.day).tolist() == [before.day, after.day]
    assert before.close <= after.open


# Phase


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        ("2024-07-11 03:59:59", Phase.CLOSED),
        ("2024-07-11 04:00:00", Phase.PRE),
        ("2024-07-11 08:30:00", Phase.PRE),
        ("2024-07-11 09:29:59.999999", Phase.PRE),
        ("2024-07-11 09:30:00", Phase.REGULAR),
        ("2024-07-11 15:59:59.999999", Phase.REGULAR),
        ("2024-07-11 16:00:00", Phase.POST),
        ("2024-07-11 19:59:59", Phase.POST),
        ("2024-07-11 20:00:00", Phase.CLOSED),
        ("2024-07-03 12:59:59", Phase.REGULAR),
        ("2024-07-03 13:00:00", Phase.POST),  # half day
        ("2024-07-04 10:00:00", Phase.CLOSED),
        ("2024-07-13 10:00:00", Phase.CLOSED),
        ("2024-03-11 09:30:00", Phase.REGULAR),  # first session of summer time
        ("2024-11-04 09:29:59", Phase.PRE),  # first session of winter time
    ],
)
def test_phase_of_the_stock_exchange(at, phase):
    assert NYSE.phase(et(at)) is phase


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        ("2024-07-10 16:59:59", Phase.REGULAR),
        ("2024-07-10 17:00:00", Phase.CLOSED),  # the daily pause
        ("2024-07-10 17:59:59", Phase.CLOSED),
        ("2024-07-10 18:00:00", Phase.REGULAR),
        ("2024-07-11 00:00:00", Phase.REGULAR),
        ("2024-07-11 08:30:00", Phase.REGULAR),
        ("2024-07-12 17:00:00", Phase.CLOSED),  # Friday
        ("2024-07-12 18:00:00", Phase.CLOSED),
        ("2024-07-14 17:59:59", Phase.CLOSED),  # Sunday
        ("2024-07-14 18:00:00", Phase.REGULAR),
        ("2024-07-04 12:59:59", Phase.REGULAR),  # futures trade to 13:00 on the holiday
        ("2024-07-04 13:00:00", Phase.CLOSED),
        ("2024-07-04 18:00:00", Phase.REGULAR),
        ("2024-03-29 10:00:00", Phase.CLOSED),  # Good Friday
        ("2024-03-28 18:00:00", Phase.CLOSED),  # nor the evening before it
        ("2024-03-10 18:00:00", Phase.REGULAR),  # evening of the clock change
    ],
)
def test_phase_of_the_futures_exchange(at, phase):
    assert CME.phase(et(at)) is phase


@given(at=MOMENTS)
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("calendar", [NYSE, CME], ids=lambda one: one.name)
def test_regular_means_started_and_not_closed(calendar, at):
    running = calendar.last_started(at).day != calendar.last_closed(at).day
    assert (calendar.phase(at) is Phase.REGULAR) == running


def test_a_time_without_a_zone_is_refused():
    naive = datetime(2024, 7, 11, 10)  # noqa: DTZ001 - naive on purpose
    for ask in (NYSE.phase, CME.phase, NYSE.last_started, NYSE.last_closed, NYSE.next_open, trading_day):
        with pytest.raises(BadMarketDataError, match="time without a zone"):
            ask(naive)


# Days


def test_days_include_both_ends_and_run_over_the_end_of_the_table():
    week = NYSE.days(date(2024, 7, 1), date(2024, 7, 8))
    assert [str(day) for day in week] == ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08"]
    turn = NYSE.days(date(2027, 12, 30), date(2028, 1, 4))
    assert [str(day) for day in turn] == ["2027-12-30", "2027-12-31", "2028-01-03", "2028-01-04"]
    assert len(NYSE.days(date(2024, 7, 6), date(2024, 7, 7))) == 0
    assert len(NYSE.days(date(2024, 7, 8), date(2024, 7, 1))) == 0
    assert date(2027, 12, 30) < TABLE_LAST < date(2028, 1, 3)


def test_missing_sessions_and_rows_on_closed_days_are_told_apart():
    days = some_days("2001-09-07", "2001-09-10", "2001-09-12", "2001-09-18")
    assert [str(day) for day in NYSE.missing(days)] == ["2001-09-17"]
    assert [str(day) for day in NYSE.not_sessions(days)] == ["2001-09-12"]
    assert NYSE.missing(days, since=date(2001, 9, 18)).tolist() == []
    assert [str(day) for day in NYSE.missing(days, since=date(1990, 1, 1))] == ["2001-09-17"]


def test_no_days_lack_nothing():
    nothing = np.array([], dtype="datetime64[D]")
    assert len(NYSE.missing(nothing)) == len(NYSE.not_sessions(nothing)) == 0


# Moments


def test_trading_day_is_new_yorks_date():
    assert trading_day(utc("2024-07-12 03:59:59")) == date(2024, 7, 11)
    assert trading_day(utc("2024-07-12 04:00:00")) == date(2024, 7, 12)
    assert trading_day(utc("2024-01-12 04:59:59")) == date(2024, 1, 11)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-07-11", "2024-07-12 03:59:59.999999"),  # summer time
        ("2024-01-11", "2024-01-12 04:59:59.999999"),  # winter time
        ("2024-03-10", "2024-03-11 03:59:59.999999"),  # the day of 23 hours
        ("2024-11-03", "2024-11-04 04:59:59.999999"),  # the day of 25 hours
        ("2024-07-11T10:30-04:00", "2024-07-11 14:30"),
        ("2024-07-11T14:30:00Z", "2024-07-11 14:30"),
        ("2024-07-11 16:30+02:00", "2024-07-11 14:30"),
    ],
)
def test_as_of_text_names_a_moment(text, moment):
    assert parse_as_of(text) == utc(moment)
    assert parse_as_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2024-07-11T10:30", "has no zone"),
        ("2024-07-11 10:30:00", "has no zone"),
        ("2024-02-30", "is no moment"),
        ("11.07.2024", "is no moment"),
        ("yesterday", "is no moment"),
        ("", "is no moment"),
        ("9999-12-31", "is too far away"),
        ("0001-01-01T00:00+05:00", "is too far away"),
    ],
)
def test_as_of_text_that_names_none_is_refused_with_the_cure(text, why):
    with pytest.raises(AsOfError, match=rf"{why}; write a date \(2024-07-11\) or an ISO time with zone") as caught:
        parse_as_of(text)
    assert isinstance(caught.value, UserError)
    assert caught.value.text == text


# Speed


def test_table_and_first_lookup_take_less_than_five_milliseconds():
    took = []
    for _ in range(5):
        sessions._table.cache_clear()
        calendar, begin = Calendar("XNYS"), stopwatch.perf_counter()
        calendar.session(date(2024, 7, 11))
        took.append(stopwatch.perf_counter() - begin)
    assert min(took) < 0.005


def test_sessions_within_the_table_load_neither_pandas_nor_the_library():
    code = (
        "import sys; from datetime import date; from desktop.market.sessions import NYSE, CME\n"
        "NYSE.session(date(2024, 7, 11)); CME.days(date(1985, 1, 2), date(2027, 12, 31))\n"
        "sys.exit('exchange_calendars' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
