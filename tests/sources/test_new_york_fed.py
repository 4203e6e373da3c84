"""The New York Fed's effective rate: published the next business day, revised in place, within its range."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.new_york_fed import NewYorkFed
from tests.sources.publisher_server import (
    NEW_YORK_FED,
    Hand,
    PublisherServer,
    effr,
    effr_row,
    good,
    known_series,
    nothing,
    refused,
)

EFFR = Dataset("EFFR", 3600.0)


class Rig:
    def __init__(self, server: PublisherServer, clock: Hand) -> None:
        self.server, self.clock = server, clock
        self.known = nothing

    def ask(self, text: str, stamp: Stamp | None = None) -> Published | Unchanged | Failure:
        self.server.pages = {f"{NEW_YORK_FED}250.json": text}
        fed = NewYorkFed(self.clock, self.known, http=self.server.http("new york fed", self.clock))
        return fed.fetch(EFFR, stamp or Stamp())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server, Hand(datetime(2024, 7, 11, 22, 30, tzinfo=UTC)))


def test_rate_and_range_by_day_with_when_they_were_known(rig):
    found = good(rig.ask(effr(effr_row("2024-07-10"), effr_row("2024-07-05"), effr_row("2024-07-03"))))
    times = {one.day: one.available_at for one in found.series["EFFR"]}
    assert times == {
        date(2024, 7, 3): datetime(2024, 7, 5, 13, 0, tzinfo=UTC),  # the 4th is a holiday
        date(2024, 7, 5): datetime(2024, 7, 8, 13, 0, tzinfo=UTC),  # a weekend between
        date(2024, 7, 10): datetime(2024, 7, 11, 13, 0, tzinfo=UTC),
    }
    assert {one.value for one in found.series["EFFR"]} == {5.33}
    assert [found.series[name][-1].value for name in ("DFEDTARL", "DFEDTARU")] == [5.25, 5.50]
    assert found.series["DFEDTARU"][-1].available_at == datetime(2024, 7, 10, 4, 0, tzinfo=UTC)
    assert found.known_at == datetime(2024, 7, 11, 13, 0, tzinfo=UTC)


def test_a_revised_rate_takes_the_place_of_the_first_one(rig):
    first, revised = effr_row("2024-07-10", 5.34), effr_row("2024-07-10", 5.33, revisionIndicator="r")
    found = good(rig.ask(effr(first, revised, effr_row("2024-07-09"))))
    assert [one.value for one in found.series["EFFR"]] == [5.33, 5.33]


def test_two_rates_of_a_day_without_a_revision_count_not_at_all(rig):
    found = good(rig.ask(effr(effr_row("2024-07-10", 5.34), effr_row("2024-07-10", 5.33), effr_row("2024-07-09"))))
    assert [one.day for one in found.series["EFFR"]] == [date(2024, 7, 9)]
    assert "contradict" in found.note


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (effr_row("2024-07-10", 0.0533), "a rate of 0.0533 is no percent of a target range of 5.25 to 5.5"),
        (effr_row("2024-07-10", 533), "a rate of 533 is no percent"),
        (effr_row("2024-07-10", 0.0533, targetRateFrom=0.0525, targetRateTo=0.055), "no target range in percent"),
        (effr_row("2024-07-10", targetRateFrom=5.5, targetRateTo=5.25), "no target range in percent"),
        (effr_row("2024-07-10", type="OBFR"), "it is about 'OBFR', not EFFR"),
    ],
)
def test_what_is_no_rate_is_refused(rig, row, why):
    assert why in refused(rig.ask(effr(row, effr_row("2024-07-09"))))


@pytest.mark.parametrize("rate", [None, "NA", float("nan")])
def test_a_day_without_a_rate_is_left_out(rig, rate):
    found = good(rig.ask(effr(effr_row("2024-07-10", rate), effr_row("2024-07-09"))))
    assert [one.day for one in found.series["EFFR"]] == [date(2024, 7, 9)]


def test_a_day_of_the_future_is_left_out_and_told(rig):
    found = good(rig.ask(effr(effr_row("2024-07-12"), effr_row("2024-07-10"))))
    assert found.series["EFFR"][-1].day == date(2024, 7, 10)
    assert "in the future (2024-07-12)" in found.note


@pytest.mark.parametrize("field", ["effectiveDate", "percentRate", "targetRateFrom", "type"])
def test_a_renamed_field_is_named(rig, field):
    assert f"no field {field!r}" in refused(rig.ask(effr().replace(field, f"{field}2")))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "no field 'refRates'"),
        ('{"refRates": []}', "holds no rows"),
        ('{"refRates": {"a": 1}}', "'refRates' cannot be used"),
        ('{"refRates": [1]}', "no list of rows"),
        ('{"refRates": [{"effec', "cut short"),
    ],
)
def test_another_shape_is_refused(rig, text, why):
    assert why in refused(rig.ask(text))


def test_another_rate_in_its_place_is_told_by_what_is_stored(rig):
    days = [f"2024-07-{day:02d}" for day in (1, 2, 3, 5, 8)]
    rig.known = known_series(dict.fromkeys(days, 4.2))
    assert "away from what is stored, on 5 days" in refused(rig.ask(effr(*map(effr_row, days))))


def test_what_is_unchanged_is_not_sent_again(rig):
    stamp = good(rig.ask(effr())).stamp
    assert isinstance(rig.ask(effr(), stamp), Unchanged)
    assert (rig.server.count(), rig.server.not_modified) == (2, 1)
