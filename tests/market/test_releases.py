from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from desktop.market.releases import (
    SHIPPED_ON,
    ReleaseFileError,
    ReleaseKind,
    last_release,
    next_release,
    on_day,
    read_schedule,
    releases_between,
    schedule,
    schedule_known_to,
)
from resources import path as resource

CPI_OF_JULY_2024 = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)


def test_table_equals_the_corrected_calendar(real_data):
    events = {"cpi": "cpi", "nfp": "nfp", "ppi": "ppi", "fomc_decision": "fomc"}
    with (real_data / "econ-calendar/macro-events-2000-2027-corrected.csv").open() as lines:
        expected = {
            (events[row["event"]], row["date"], row["time_et"])
            for row in csv.DictReader(lines)
            if row["event"] in events
        }
    eastern = ZoneInfo("America/New_York")
    ours = {(str(kind), *f"{at.astimezone(eastern):%Y-%m-%d %H:%M}".split()) for at, kind in schedule()}
    assert len(schedule()) == len(ours) == 3 * 323 + 223
    assert ours == expected


def test_the_table_says_itself_when_it_was_as_published_and_holds_no_unchecked_kind(real_data):
    first = resource("releases.csv").read_text(encoding="utf-8").splitlines()[0]
    assert SHIPPED_ON.isoformat() in first
    calendar = (real_data / "econ-calendar/macro-events-2000-2027-corrected.csv").read_text(encoding="utf-8")
    assert ",pce," not in calendar.lower()  # dates of PCE could be checked against nothing
    assert {kind for _, kind in schedule()} == set(ReleaseKind) - {ReleaseKind.PCE}


def test_twelve_cpi_and_employment_releases_a_year_but_eleven_in_2025():
    for kind in (ReleaseKind.CPI, ReleaseKind.NFP):
        for year in range(2000, 2027):
            day_one = datetime(year, 1, 1, tzinfo=UTC)
            count = len(releases_between(day_one, datetime(year + 1, 1, 1, tzinfo=UTC), kind))
            assert count == (11 if year == 2025 else 12), (kind, year)


def test_cpi_of_july_2024_is_next_until_it_is_out_and_last_from_then_on():
    moment = timedelta(seconds=1)
    before = next_release(CPI_OF_JULY_2024 - moment)
    assert before is not None
    assert (before.kind, before.name, before.at) == (ReleaseKind.CPI, "CPI", CPI_OF_JULY_2024)
    assert last_release(CPI_OF_JULY_2024) == before
    after = next_release(CPI_OF_JULY_2024)
    assert after is not None
    assert (after.kind, after.at) == (ReleaseKind.PPI, datetime(2024, 7, 12, 12, 30, tzinfo=UTC))


def test_times_follow_new_york_through_clock_changes():
    winter, summer = on_day(date(2024, 1, 11)), on_day(date(2024, 7, 11))
    assert [one.at.hour for one in (*winter, *summer)] == [13, 12]
    assert on_day(date(2024, 7, 31))[0].at == datetime(2024, 7, 31, 18, 0, tzinfo=UTC)


def test_next_of_one_kind_looks_past_the_others():
    decision = next_release(CPI_OF_JULY_2024, ReleaseKind.FOMC)
    assert decision is not None
    assert decision.at == datetime(2024, 7, 31, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2015, 4, 3), date(2021, 4, 2), date(2023, 4, 7), date(2026, 4, 3)])
def test_employment_report_on_good_friday_is_marked(day):
    (report,) = on_day(day)
    assert report.kind is ReleaseKind.NFP
    assert report.market_closed
    assert "cash market is closed" in report.detail


def test_release_on_a_trading_day_is_not_marked():
    (report,) = on_day(date(2024, 7, 11))
    assert (report.market_closed, report.detail) == (False, "")


def test_cancelled_and_moved_releases_of_2025_are_those_that_happened():
    autumn = releases_between(
        datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC), ReleaseKind.CPI
    )
    assert [one.at.date() for one in autumn] == [date(2025, 10, 24), date(2025, 12, 18)]


def test_schedule_ends_where_it_was_published_and_is_not_extrapolated():
    assert schedule_known_to() == date(2026, 12, 4)
    assert schedule_known_to(ReleaseKind.CPI) == date(2026, 12, 10)
    assert schedule_known_to(ReleaseKind.FOMC) == date(2027, 12, 8)
    assert next_release(datetime(2026, 12, 11, tzinfo=UTC), ReleaseKind.CPI) is None
    assert next_release(datetime(2028, 1, 1, tzinfo=UTC)) is None
    assert last_release(datetime(1999, 12, 31, tzinfo=UTC)) is None


def test_day_without_release_is_empty():
    assert on_day(date(2024, 7, 10)) == ()


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ("", "holds no releases"),
        ("cpi,2024-13-01,08:30\n", "is no release"),
        ("cpi,2024-07-11\n", "is no release"),
        ("gdp,2024-07-11,08:30\n", "is no release"),
        ("cpi,2024-07-11,08:30\ncpi,2024-07-11,08:30\n", "holds a release twice"),
    ],
)
def test_damaged_table_is_refused_with_its_cause(tmp_path, rows, cause):
    file = tmp_path / "table.csv"
    file.write_text("# comment\nkind,date,time_et\n" + rows)
    with pytest.raises(ReleaseFileError, match=cause):
        read_schedule(file)
