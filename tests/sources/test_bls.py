"""The Bureau's calendar: three kinds of many, New York time, moved and cancelled releases, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.market.releases import ReleaseKind
from desktop.sources.bls import CALENDAR, Bls
from desktop.sources.contract import Failure, FailureKind, Published, Stamp, Unchanged
from tests.sources.publisher_server import BLS, BLS_RELEASES, Hand, PublisherServer, bls_event, bls_file

NOW = datetime(2024, 7, 11, 22, 30, tzinfo=UTC)
CPI, NFP, PPI = "Consumer Price Index", "Employment Situation", "Producer Price Index"
OTHERS = (bls_event(NFP, "2024-08-02 08:30"), bls_event(PPI, "2024-08-13 08:30"))


class Rig:
    def __init__(self, server: PublisherServer) -> None:
        self.server, self.clock = server, Hand(NOW)

    def ask(self, text: str, stamp: Stamp | None = None) -> Published | Unchanged | Failure:
        self.server.pages = {BLS: text}
        bls = Bls(self.clock, http=self.server.http("bls", self.clock))
        return bls.fetch(CALENDAR, stamp or Stamp())

    def cpi(self, *events: str) -> list[datetime]:
        """Dates of CPI in a file that holds the other kinds too."""
        return [at for at, kind in good(self.ask(bls_file(*OTHERS, *events))).releases if kind is ReleaseKind.CPI]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server)


def good(answer: object) -> Published:
    assert isinstance(answer, Published), answer
    return answer


def refused(answer: object) -> str:
    assert isinstance(answer, Failure), answer
    assert (answer.kind, answer.source, answer.symbol) == (FailureKind.BAD_PAYLOAD, "bls", "calendar")
    assert answer.cure
    return answer.message


def test_the_three_kinds_with_their_moments_and_nothing_else(rig):
    found = good(rig.ask(bls_file()))
    assert len(found.releases) == sum(map(len, BLS_RELEASES.values()))
    assert (datetime(2024, 7, 11, 12, 30, tzinfo=UTC), ReleaseKind.CPI) in found.releases
    assert {kind for _, kind in found.releases} == {ReleaseKind.CPI, ReleaseKind.NFP, ReleaseKind.PPI}
    assert all(at.tzinfo is UTC for at, _ in found.releases)
    assert (found.known_at, found.note) == (NOW, "")


def test_times_follow_new_york_through_the_clock_change(rig):
    summer, winter = rig.cpi(bls_event(CPI, "2024-10-10 08:30"), bls_event(CPI, "2024-11-13 08:30"))
    assert (summer.hour, winter.hour) == (12, 13)


@pytest.mark.parametrize(
    "start",
    [
        "DTSTART;TZID=US-Eastern:20240814T083000",
        "DTSTART;TZID=America/New_York:20240814T083000",
        "DTSTART:20240814T083000",
        "DTSTART:20240814T123000Z",
        "DTSTART;VALUE=DATE-TIME;TZID=US-Eastern:20240814T083000",
    ],
)
@pytest.mark.parametrize("zone", [True, False], ids=["own zone", "no zone"])
def test_every_spelling_of_the_time_is_the_same_moment(rig, start, zone):
    text = bls_file(*OTHERS, bls_event(CPI, "2024-01-01 00:00")).replace(
        "DTSTART;TZID=US-Eastern:20240101T000000", start
    )
    if not zone:
        text = text[: text.index("BEGIN:VTIMEZONE")] + text[text.index("BEGIN:VEVENT") :]
    found = [at for at, kind in good(rig.ask(text)).releases if kind is ReleaseKind.CPI]
    assert found == [datetime(2024, 8, 14, 12, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    "title",
    [
        "Consumer Price Index",
        "Consumer Price Index for July 2024",
        "Consumer Price Index, July 2024",
        "Consumer Price Index (CPI)",
        "Consumer Price\n  Index",  # folded, as long lines of such files are
        "CONSUMER PRICE INDEX",
        "Consumer Price Index for July 2024 (Rescheduled)",
    ],
)
def test_every_spelling_of_a_title_is_the_same_release(rig, title):
    assert len(rig.cpi(bls_event(title, "2024-08-14 08:30"))) == 1


@pytest.mark.parametrize(
    "title",
    ["Employment Situation of Veterans", "Consumer Price Index Seasonal Factors", "Import Price Index", ""],
)
def test_another_release_is_not_taken_for_one(rig, title):
    found = good(
        rig.ask(bls_file(*OTHERS, bls_event(CPI, "2024-08-14 08:30"), bls_event(title, "2024-08-20 10:00")))
    )
    assert len(found.releases) == 3


@pytest.mark.parametrize(
    "cancelled",
    [
        bls_event(CPI, "2024-09-11 08:30", STATUS="CANCELLED"),
        bls_event("Consumer Price Index for August 2024 - CANCELED", "2024-09-11 08:30"),
        bls_event("Consumer Price Index (Postponed)", "2024-09-11 08:30"),
    ],
    ids=["status", "title", "postponed"],
)
def test_a_cancelled_release_is_none(rig, cancelled):
    days = [at.date() for at in rig.cpi(bls_event(CPI, "2024-08-14 08:30"), cancelled)]
    assert days == [date(2024, 8, 14)]


def test_a_moved_release_stands_at_its_new_date_alone(rig):
    old, new = (
        bls_event(CPI, f"2024-08-{day} 08:30", uid="august", SEQUENCE=number) for number, day in ((1, 14), (2, 20))
    )
    assert [at.day for at in rig.cpi(old, new)] == [20]
    assert [at.day for at in rig.cpi(new, old)] == [20]


def test_an_event_that_stands_there_twice_counts_once(rig):
    twice = [bls_event(CPI, "2024-08-14 08:30", uid=uid) for uid in ("one", "other")]
    assert len(rig.cpi(*twice)) == 1


def test_what_is_older_than_two_years_is_history(rig):
    assert len(rig.cpi(bls_event(CPI, "2021-08-11 08:30"), bls_event(CPI, "2024-08-14 08:30"))) == 1


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (bls_event(CPI, "2026-08-14 08:30"), "CPI on 2026-08-14 is further ahead than any calendar reaches"),
        (bls_event(CPI, "2024-08-17 08:30"), "CPI on 2024-08-17 falls on a weekend"),
        (bls_event(CPI, "2024-08-14 03:30"), "at 03:30 in New York: no release comes at that time"),
        (bls_event(CPI, "2024-08-14 08:30", RRULE="FREQ=MONTHLY"), "repeats"),
        (
            bls_event(CPI, "2024-08-14 08:30") + "\n" + bls_event(CPI, "2024-08-14 10:00"),
            "CPI on 2024-08-14 has two times",
        ),
        (
            bls_event(CPI, "2024-08-14 08:30").replace("T083000", "").replace("TZID=US-Eastern", "VALUE=DATE"),
            "CPI on 2024-08-14 has no time of day",
        ),
        (
            bls_event(CPI, "2024-08-14 08:30").replace("US-Eastern", "Mars"),
            "CPI on 2024-08-14 is in the time zone",
        ),
        (
            bls_event(CPI, "2024-08-14 08:30").replace("20240814T", "14 August "),
            "CPI has no usable start (Wrong datetime",
        ),
        (bls_event(CPI, "2024-08-14 08:30").replace("DTSTART", "DTBEGIN"), "CPI has no usable start (none"),
    ],
)
def test_a_date_that_cannot_be_believed_refuses_the_calendar(rig, event, why):
    assert why in refused(rig.ask(bls_file(*OTHERS, bls_event(CPI, "2024-09-11 08:30"), event)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (bls_file(*OTHERS), "it names no CPI within two years"),
        (bls_file(*OTHERS, bls_event("CPI", "2024-08-14 08:30")), "it names no CPI within two years"),
        (bls_file(*OTHERS, bls_event(CPI, "2024-08-14 08:30", STATUS="CANCELLED")), "it names no CPI"),
        (bls_file("X-NOTHING:1"), "a calendar without events"),
        (bls_file()[:900], "no iCalendar file, or cut short"),
        (bls_file() + bls_file(), "no iCalendar file"),
        ("SUMMARY,DTSTART\nConsumer Price Index,2024-08-14\n", "no iCalendar file"),
    ],
)
def test_a_changed_format_is_named(rig, text, why):
    assert why in refused(rig.ask(text))


def test_an_unchanged_calendar_costs_no_body(rig):
    stamp = good(rig.ask(bls_file())).stamp
    assert isinstance(rig.ask(bls_file(), stamp), Unchanged)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_as_it_is_or_refused_by_name(rig, data):
    lines = bls_file(*OTHERS, bls_event(CPI, "2024-08-14 08:30")).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        how = data.draw(st.sampled_from(["drop", "twice", "cut", "noise"]))
        cut = data.draw(st.integers(0, len(lines[place])))
        noise = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8))
        new = {
            "drop": [],
            "twice": [lines[place]] * 2,
            "cut": [lines[place][:cut]],
            "noise": [lines[place][:cut] + noise + lines[place][cut:]],
        }[how]
        lines[place : place + 1] = new or [""]
    answer = rig.ask("\n".join(lines))
    if isinstance(answer, Published):
        assert {kind for _, kind in answer.releases} == {ReleaseKind.CPI, ReleaseKind.NFP, ReleaseKind.PPI}
    else:
        assert isinstance(answer, Failure)
        assert len(answer.message) < 300
