"""Marks by rule against published days, and own events as typed."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime

import pytest

from desktop.market import marks
from desktop.market.marks import MarkKind, OwnEvent, OwnEventError, agenda, own_event
from desktop.market.releases import ReleaseKind, Schedule, shipped
from desktop.market.sessions import NYSE, new_york, trading_day


def published(real_data, event: str) -> list[tuple[date, str]]:
    with (real_data / "econ-calendar/macro-events-2000-2027-corrected.csv").open() as lines:
        return [
            (date.fromisoformat(row["date"]), row["detail"])
            for row in csv.DictReader(lines)
            if row["event"] == event
        ]


def days(kind: MarkKind, first: int = 2000, last: int = 2027) -> list[date]:
    return [trading_day(one.at) for one in marks.marks(shipped(), first, last) if one.kind is kind]


def test_option_expiry_is_that_of_the_published_calendar_holidays_included(real_data):
    expected = [day for day, _ in published(real_data, "opex")]
    # That calendar overlooks Juneteenth, on which nothing trades: 19 June 2026, kept on Friday 18 June in 2027.
    juneteenth = {date(2026, 6, 19): date(2026, 6, 18), date(2027, 6, 18): date(2027, 6, 17)}
    assert all(NYSE.session(one) is None for one in juneteenth)
    assert days(MarkKind.EXPIRY) == [juneteenth.get(one, one) for one in expected]
    assert date(2025, 4, 17) in days(MarkKind.EXPIRY)  # Good Friday was the 18th


def test_election_days_are_the_published_ones_with_their_kind(real_data):
    expected = published(real_data, "election")
    found = [one for one in marks.marks(shipped(), 2000, 2027) if one.kind is MarkKind.ELECTION]
    assert [trading_day(one.at) for one in found] == [day for day, _ in expected]
    assert [one.name.split()[0].lower() for one in found] == [detail.split("(")[1][:-1] for _, detail in expected]


def test_every_published_day_of_fomc_minutes_is_marked(real_data):
    expected = [day for day, _ in published(real_data, "fomc_minutes")]
    assert days(MarkKind.MINUTES, last=2026)[: len(expected)] == expected
    assert marks.minutes_known_to() == expected[-1] == date(2026, 7, 8)


def test_minutes_after_the_table_follow_the_rule_of_the_fed_and_say_so():
    first = next(
        one
        for one in marks.marks(shipped(), 2026, 2026)
        if trading_day(one.at) > date(2026, 7, 8) and one.kind is MarkKind.MINUTES
    )
    assert first.at == datetime(2026, 8, 19, 18, 0, tzinfo=UTC)  # three weeks after 29 July, 14:00 in New York
    assert "three weeks after the decision" in first.detail
    assert "not published yet" in first.detail


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        # FTSE Russell's announcements: 28 June 2024, 27 June 2025; twice a year from 2026 on
        (2024, [date(2024, 6, 28)]),
        (2025, [date(2025, 6, 27)]),
        (2026, [date(2026, 6, 26), date(2026, 11, 13)]),
    ],
)
def test_russell_reconstitution(year, expected):
    assert days(MarkKind.RUSSELL, year, year) == expected


def test_before_the_rule_was_in_force_there_is_no_russell_mark():
    assert days(MarkKind.RUSSELL, 2000, 2006) == []


def test_ndx_changes_after_the_third_friday_of_the_quarter_december_being_the_yearly_one():
    found = [one for one in marks.marks(shipped(), 2024, 2024) if one.kind is MarkKind.NDX]
    assert [trading_day(one.at) for one in found] == [
        date(2024, m, d) for m, d in ((3, 15), (6, 21), (9, 20), (12, 20))
    ]
    assert [one.name for one in found] == ["NDX rebalance"] * 3 + ["NDX reconstitution"]
    assert all(one.at.astimezone(new_york).hour == 16 for one in found)


def test_a_release_on_a_closed_day_is_marked_in_the_calendar():
    (report,) = [one for one in agenda(shipped(), date(2026, 4, 3), date(2026, 4, 3)) if one.kind == "nfp"]
    assert report.market_closed
    assert report.release


def test_the_calendar_is_in_order_of_time_with_own_events_among_the_others():
    own = (OwnEvent(1, "Powell speaks", datetime(2024, 7, 15, 16, 30, tzinfo=UTC)),)
    found = agenda(shipped(), date(2024, 7, 11), date(2024, 7, 19), own)
    assert [one.name for one in found] == ["CPI", "PPI", "Powell speaks", "Option expiry"]
    assert sorted(one.at for one in found) == [one.at for one in found]


def test_a_moved_decision_moves_its_minutes():
    schedule = Schedule([(datetime(2026, 12, 10, 19, 0, tzinfo=UTC), ReleaseKind.FOMC)])
    found = [one for one in marks.marks(schedule, 2026, 2026) if one.kind is MarkKind.MINUTES]
    assert trading_day(found[-1].at) == date(2026, 12, 31)


def test_an_own_event_is_read_in_new_york_time_on_both_sides_of_the_clock_change():
    assert own_event(" Fed  speech ", "2026-03-06", "08:30").at == datetime(2026, 3, 6, 13, 30, tzinfo=UTC)
    assert own_event("Fed speech", "2026-03-09", "08:30").at == datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
    assert own_event(" Fed  speech ", "2026-03-06", "08:30").title == "Fed speech"


@pytest.mark.parametrize(
    ("title", "day", "clock", "field"),
    [
        ("", "2026-12-03", "08:30", "title"),
        ("x" * 61, "2026-12-03", "08:30", "title"),
        ("speech", "3 Dec", "08:30", "date"),
        ("speech", "2026-02-30", "08:30", "date"),
        ("speech", "2026-12-03", "half past", "time"),
        ("speech", "2026-12-03", "08:30+02:00", "time"),
        ("speech", "2026-03-08", "02:30", "time"),  # the clocks go from 02:00 to 03:00
    ],
)
def test_a_wrong_own_event_names_its_field(title, day, clock, field):
    with pytest.raises(OwnEventError) as told:
        own_event(title, day, clock)
    assert told.value.field == field
    assert str(told.value).startswith(field)
