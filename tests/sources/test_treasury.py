"""The Treasury's curve: newest first, percent, known in the evening, one file a year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from desktop.sources.contract import Failure, Published, Stamp, Unchanged
from desktop.sources.treasury import LAST_YEAR, THIS_YEAR, Treasury
from tests.sources.publisher_server import (
    TREASURY,
    TREASURY_CSV,
    Hand,
    PublisherServer,
    good,
    known_series,
    nothing,
    refused,
)

HEADER, *ROWS = TREASURY_CSV.splitlines()


class Rig:
    def __init__(self, server: PublisherServer, clock: Hand) -> None:
        self.server, self.clock = server, clock
        self.known = nothing
        self.year = 2024

    def ask(self, text: str = TREASURY_CSV, *, stamp: Stamp | None = None) -> Published | Unchanged | Failure:
        self.server.pages = {f"{TREASURY}{self.year}/all?type=daily_treasury_yield_curve": text}
        treasury = Treasury(self.clock, self.known, http=self.server.http("treasury", self.clock))
        return treasury.fetch(THIS_YEAR, stamp or Stamp())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server, Hand(datetime(2024, 7, 11, 22, 30, tzinfo=UTC)))


def yields(found: Published, series: str = "DGS2") -> dict[date, float]:
    return {one.day: one.value for one in found.series[series]}


def test_the_two_year_yield_around_the_release(rig):
    found = good(rig.ask())
    assert yields(found)[date(2024, 7, 10)] == 4.62
    assert yields(found)[date(2024, 7, 11)] == 4.50
    assert yields(found, "DGS3MO")[date(2024, 7, 11)] == 5.43
    assert yields(found, "DGS1")[date(2024, 7, 11)] == 4.91
    assert yields(found, "DGS10")[date(2024, 7, 11)] == 4.20
    assert list(yields(found)) == sorted(yields(found))  # the file is newest first
    assert found.note == ""


def test_a_day_is_known_from_its_evening_in_new_york(rig):
    found = good(rig.ask())
    assert found.series["DGS2"][-1].available_at == datetime(2024, 7, 11, 22, 0, tzinfo=UTC)
    assert found.known_at == datetime(2024, 7, 11, 22, 0, tzinfo=UTC)
    rig.clock.time = datetime(2024, 7, 11, 21, 0, tzinfo=UTC)  # an hour before: it is out early
    early = good(rig.ask())
    assert early.series["DGS2"][-1].available_at == datetime(2024, 7, 11, 22, 0, tzinfo=UTC)
    assert early.known_at == rig.clock.time


@pytest.mark.parametrize(("column", "other"), [("Date", "DATE"), ("2 Yr", "24 Mo"), ("10 Yr", "10 YR")])
def test_a_renamed_column_is_named(rig, column, other):
    name = column if column == "Date" else f'"{column}"'
    assert f"no column {column!r}" in refused(rig.ask(TREASURY_CSV.replace(name, other, 1)))


def test_an_added_maturity_does_no_harm(rig):
    header = HEADER.replace('"2 Mo"', '"1.5 Month","2 Mo"')
    text = "\n".join([header, *(row.replace(",", ",,", 1) for row in ROWS)])
    assert yields(good(rig.ask(text)))[date(2024, 7, 10)] == 4.62


def times(factor: float) -> str:
    rows = [row.split(",") for row in ROWS]
    scaled = [",".join([day, *(f"{float(cell) * factor:.4f}" for cell in cells)]) for day, *cells in rows]
    return "\n".join([HEADER, *scaled])


def test_fractions_are_no_percents(rig):
    fractions = times(0.01)
    assert "a fraction in place of a percent" in refused(rig.ask(fractions))
    one = TREASURY_CSV.replace(ROWS[0], fractions.splitlines()[1])
    found = good(rig.ask(one))
    assert max(yields(found)) == date(2024, 7, 10)
    assert "of DGS2 that jump by more than 1.5 percentage points (2024-07-11)" in found.note


def test_basis_points_are_no_percents(rig):
    assert "no rate in percent" in refused(rig.ask(times(100)))


def test_another_maturity_in_its_place_is_told_by_what_is_stored(rig):
    days = ("2024-07-05", "2024-07-08", "2024-07-09", "2024-07-10", "2024-07-11")
    rig.known = known_series(dict(zip(days, (5.46, 5.46, 5.46, 5.46, 5.43), strict=True)))
    assert "percentage points away from what is stored, on 5 days" in refused(rig.ask())


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("07/12/2024" + ROWS[0][10:], "in the future"),  # today by UTC in New York's evening
        ("07/11/2031" + ROWS[0][10:], "in the future"),
        ("07/11/2024" + "," * 13, "without a value"),
        ("07/11/2024" + ",N/A" * 13, "without a value"),
        ("07/11/2024" + ",NaN" * 13, "without a value"),
        ("07/11/2024" + ",x" * 13, "outside -5 to 25"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_told(rig, row, why):
    rig.clock.time = datetime(2024, 7, 12, 2, 0, tzinfo=UTC)
    # One bad cell in thirty is a bad cell; one in five would be another file.
    more = [f"06/{day:02d}/2024{ROWS[-1][10:]}" for day in range(28, 2, -1)]
    found = good(rig.ask("\n".join([HEADER, row, *ROWS[1:], *more])))
    assert max(yields(found)) == date(2024, 7, 10)
    assert why in found.note


def test_repeated_rows_count_once_and_contradicting_ones_not_at_all(rig):
    found = good(rig.ask(TREASURY_CSV + ROWS[0] + "\n"))
    assert yields(found)[date(2024, 7, 11)] == 4.50
    other = good(rig.ask(TREASURY_CSV + ROWS[0].replace("4.50", "4.55") + "\n"))
    assert date(2024, 7, 11) not in yields(other)
    assert "contradict" in other.note


def test_only_dates_of_the_future_are_a_failure(rig):
    assert "clock" not in refused(rig.ask(HEADER + "\n07/11/2031" + ROWS[0][10:] + "\n"))
    assert "header but no rows" in refused(rig.ask(HEADER + "\n"))


@pytest.mark.parametrize(
    ("now", "year"),
    [
        (datetime(2025, 1, 1, 15, 0, tzinfo=UTC), 2024),
        (datetime(2025, 1, 2, 15, 0, tzinfo=UTC), 2024),  # the first evening of 2025 has not come
        (datetime(2025, 1, 2, 23, 30, tzinfo=UTC), 2025),
    ],
)
def test_the_file_of_a_year_is_asked_for_once_it_holds_something(rig, now, year):
    rig.clock.time, rig.year = now, year
    text = f"{HEADER}\n{'01/02/2025' if year == 2025 else '12/31/2024'}{ROWS[0][10:]}\n"
    good(rig.ask(text))
    treasury = Treasury(rig.clock, nothing, http=rig.server.http("treasury", rig.clock))
    treasury.fetch(LAST_YEAR, Stamp())
    assert [rig.server.count(f"field_tdr_date_value={one}&page&_format=csv") for one in (year, year - 1)] == [1, 1]


def test_a_stamp_is_sent_back_but_not_to_the_file_of_a_new_year(rig):
    stamp = good(rig.ask()).stamp
    assert isinstance(rig.ask(stamp=stamp), Unchanged)
    assert rig.server.not_modified == 1
    rig.clock.time = datetime(2024, 1, 5, 23, 30, tzinfo=UTC)
    good(rig.ask(f"{HEADER}\n01/05/2024{ROWS[0][10:]}\n", stamp=stamp))
    good(rig.ask(f"{HEADER}\n01/05/2024{ROWS[0][10:]}\n", stamp=stamp))
    assert rig.server.not_modified == 1
