"""FRED: the 2-year yield as a second opinion without a key, release dates with one; the key shows nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from desktop.market.releases import ReleaseKind
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Stamp, Unchanged
from desktop.sources.fred import Fred, FredCalendar
from tests.sources.publisher_server import (
    FRED,
    FRED_CSV,
    FRED_DATES,
    FRED_RELEASES,
    Fault,
    Hand,
    PublisherServer,
    good,
    known_series,
    nothing,
    refused,
    release_dates,
)

DGS2 = Dataset("DGS2", 21_600.0)
KEY = "abcdefghij0123456789/+ &secretkey"
"""No key of FRED has such letters; a key that must be quoted has to be found in both spellings."""


class Rig:
    def __init__(self, server: PublisherServer, clock: Hand) -> None:
        self.server, self.clock = server, clock
        self.known = nothing
        self.key: str | None = KEY

    def ask(self, text: str = FRED_CSV, stamp: Stamp | None = None) -> Published | Unchanged | Failure:
        self.server.pages = {FRED: text}
        return Fred(self.clock, self.known, http=self.server.http("fred", self.clock)).fetch(
            DGS2, stamp or Stamp()
        )

    def dates(self, text: str, name: str = "CPI") -> Published | Unchanged | Failure:
        self.server.pages = {FRED_DATES: text}
        http = self.server.http("fred calendar", self.clock, keyed=True)
        return FredCalendar(self.clock, lambda: self.key, http=http).fetch(Dataset(name, 43_200.0), Stamp())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server, Hand(datetime(2024, 7, 11, 22, 30, tzinfo=UTC)))


def yields(found: Published) -> dict[date, float]:
    return {one.day: one.value for one in found.series["DGS2"]}


# The second opinion


def test_without_the_treasury_it_fills_the_series(rig):
    found = good(rig.ask())
    assert yields(found)[date(2024, 7, 10)] == 4.62
    assert date(2024, 7, 4) not in yields(found)
    assert found.series["DGS2"][-1].available_at == datetime(2024, 7, 10, 22, 0, tzinfo=UTC)
    assert (found.note, found.known_at) == ("", datetime(2024, 7, 10, 22, 0, tzinfo=UTC))


def test_what_is_stored_stays_and_a_disagreement_is_told(rig):
    rig.known = known_series({"2024-07-09": 4.61, "2024-07-10": 4.65})
    found = good(rig.ask())
    assert sorted(yields(found)) == [date(2024, 7, 3), date(2024, 7, 5), date(2024, 7, 8)]
    assert found.note == "FRED differs from what is stored on 2024-07-10: 4.62 % against 4.65 %"  # 1 bp is none
    rig.known = known_series({"2024-07-09": 4.70, "2024-07-10": 4.65})
    assert "on 2 days, last on 2024-07-10: 4.62 % against 4.65 %" in good(rig.ask()).note


def test_nothing_to_add_is_no_failure(rig):
    days = {"2024-07-03": 4.71, "2024-07-05": 4.6, "2024-07-08": 4.62, "2024-07-09": 4.62, "2024-07-10": 4.62}
    rig.known = known_series(days)
    found = good(rig.ask())
    assert (yields(found), found.note) == ({}, "")


def test_a_blank_on_a_holiday_is_quiet_and_on_a_working_day_told(rig):
    assert good(rig.ask()).note == ""
    assert good(rig.ask(FRED_CSV.replace("07-08,4.62", "07-08,."))).note == "1 without a value (2024-07-08)"


def test_the_older_name_of_the_dates_is_known(rig):
    assert yields(good(rig.ask(FRED_CSV.replace("observation_date", "DATE"))))[date(2024, 7, 10)] == 4.62


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FRED_CSV.replace("DGS2", "DGS10"), "no column 'DGS2' (its columns: date, DGS10)"),
        (FRED_CSV.replace("observation_date", "day"), "no column 'observation_date'"),
        ("observation_date,DGS2\n2024-07-03,.\n2024-07-05,.\n", "nothing in it can be taken"),
        ("observation_date,DGS2\n2024-07-03,462\n2024-07-05,460\n", "no rate in percent"),
        ("observation_date,DGS2\n2031-07-03,4.62\n", "after today"),
        ("observation_date,DGS2\n", "no rows"),
    ],
)
def test_another_content_is_refused(rig, text, why):
    assert why.replace("date, DGS10", "observation_date, DGS10") in refused(rig.ask(text))


def test_a_history_of_fractions_is_refused(rig):
    days = [date(2024, 7, 10) - timedelta(days=n) for n in range(5100)]
    text = "observation_date,DGS2\n" + "".join(f"{day},0.0462\n" for day in days)
    assert "fractions in place of percents" in refused(rig.ask(text))


def test_what_is_unchanged_is_not_sent_again(rig):
    stamp = good(rig.ask()).stamp
    assert isinstance(rig.ask(stamp=stamp), Unchanged)
    assert (rig.server.count(), rig.server.not_modified) == (2, 1)


def test_real_history(rig, real_data):
    rig.clock.time = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    text = (real_data / "rates-fed/DGS2-1994-2026.csv").read_text().replace("date,dgs2", "observation_date,DGS2")
    found = yields(good(rig.ask(text)))
    assert (found[date(2024, 7, 10)], found[date(2024, 7, 11)]) == (4.62, 4.50)
    assert len(found) == 8409 - 347


# Release dates


@pytest.mark.parametrize(
    ("name", "release", "kind"),
    [
        ("CPI", "10", ReleaseKind.CPI),
        ("Employment Situation", "50", ReleaseKind.NFP),
        ("PCE", "54", ReleaseKind.PCE),
        ("PPI", "46", ReleaseKind.PPI),
    ],
)
def test_dates_come_at_half_past_eight(rig, name, release, kind):
    found = good(rig.dates(release_dates(int(release), *FRED_RELEASES[release]), name))
    assert found.releases == tuple(
        (datetime.fromisoformat(f"{day}T12:30:00+00:00"), kind) for day in FRED_RELEASES[release]
    )
    assert rig.server.count(f"release_id={release}&realtime_start=2024-06-01&") == 1


def test_winter_dates_are_an_hour_later_in_utc(rig):
    found = good(rig.dates(release_dates(10, "2024-12-11")))
    assert found.releases == ((datetime(2024, 12, 11, 13, 30, tzinfo=UTC), ReleaseKind.CPI),)


def test_weekends_and_repeats_are_left_out_and_two_a_month_are_told(rig):
    days = ("2024-08-14", "2024-08-14", "2024-08-10", "2024-08-07", "2024-07-11")
    found = good(rig.dates(release_dates(10, *days)))
    assert [at.date() for at, _ in found.releases] == [date(2024, 7, 11), date(2024, 8, 7), date(2024, 8, 14)]
    assert found.note == "more than one date in a month: 2024-08-07, 2024-08-14"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (release_dates(50, "2024-08-02"), "dates of release 50, not of 10"),
        (release_dates(10, "14.08.2024"), "no date"),
        (release_dates(10, "2031-08-14"), "further ahead"),
        (release_dates(10), "holds no rows"),
        (release_dates(10, "2024-08-10"), "no date of a working day"),
        (release_dates(10, "2024-08-14").replace("release_dates", "dates"), "no field 'release_dates'"),
        (release_dates(10, "2024-08-14").replace('"date"', '"day"'), "no field 'date'"),
    ],
)
def test_other_dates_are_refused(rig, text, why):
    assert why in refused(rig.dates(text))


def test_without_a_key_it_is_off(rig):
    calendar = FredCalendar(rig.clock, lambda: rig.key, http=rig.server.http("fred calendar", rig.clock))
    assert calendar.off == ""
    rig.key = None
    assert calendar.off == "no key"
    assert Fred(rig.clock, nothing).off == ""


@pytest.mark.parametrize("fault", [Fault.BAD_REQUEST, Fault.UNAUTHORIZED, Fault.FORBIDDEN])
def test_a_refused_key_is_told_as_such(rig, fault):
    rig.server.faults[FRED_DATES] = fault
    answer = rig.dates(release_dates(10, "2024-08-14"))
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.cure) == (FailureKind.AUTH, "check the key")


@pytest.mark.parametrize(
    "fault",
    [Fault.BAD_REQUEST, Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.HTML, Fault.RESET, Fault.NO_SUCH_HOST],
)
def test_the_key_shows_in_no_message_and_no_log(rig, fault, caplog):
    caplog.set_level(logging.DEBUG)
    rig.server.faults[FRED_DATES] = fault
    answer = rig.dates(release_dates(10, "2024-08-14"))
    assert isinstance(answer, Failure)
    said = f"{answer!r} {answer.cure} {caplog.text}"
    assert not any(part in said for part in (KEY, "abcdefghij", "secretkey", "api_key"))
    asked = 0 if fault is Fault.NO_SUCH_HOST else 1
    assert rig.server.count("api_key=abcdefghij0123456789%2F%2B%20%26secretkey") == asked


def test_a_message_that_repeats_the_address_is_blotted(rig, monkeypatch):
    class Telling:
        def get(self, url: str, **_: object) -> None:
            from curl_cffi.requests.exceptions import ConnectionError as Refused

            raise Refused(f"cannot reach {url} with {KEY}")

    http = rig.server.http("fred calendar", rig.clock, keyed=True)
    monkeypatch.setattr(http, "_session", Telling())
    answer = FredCalendar(rig.clock, lambda: KEY, http=http).fetch(Dataset("CPI", 43_200.0), Stamp())
    assert isinstance(answer, Failure)
    assert "secretkey" not in answer.message
    assert "***" in answer.message
