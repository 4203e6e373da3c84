"""The Board's calendar: decisions of the FOMC among everything else, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from desktop.market.releases import ReleaseKind, releases_between
from desktop.sources.contract import Failure, FailureKind, Published, Stamp, Unchanged
from desktop.sources.federal_reserve import CALENDAR, FederalReserve
from tests.sources.publisher_server import (
    FED_MEETINGS,
    FEDERAL_RESERVE,
    Hand,
    PublisherServer,
    fed_event,
    fed_file,
)

NOW = datetime(2024, 7, 11, 22, 30, tzinfo=UTC)
OTHERS = tuple(fed_event(day) for day in FED_MEETINGS[:4])


class Rig:
    def __init__(self, server: PublisherServer) -> None:
        self.server, self.clock = server, Hand(NOW)

    def ask(self, body: bytes | str, stamp: Stamp | None = None) -> Published | Unchanged | Failure:
        self.server.pages = {FEDERAL_RESERVE: body}
        reserve = FederalReserve(self.clock, http=self.server.http("federal reserve", self.clock))
        return reserve.fetch(CALENDAR, stamp or Stamp())

    def days(self, *events: dict[str, object]) -> list[str]:
        """Days of decisions after those of every file."""
        found = good(self.ask(fed_file(*OTHERS, *events))).releases
        return [str(at.date()) for at, _ in found][len(OTHERS) :]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server)


def good(answer: object) -> Published:
    assert isinstance(answer, Published), answer
    return answer


def refused(answer: object) -> str:
    assert isinstance(answer, Failure), answer
    assert (answer.kind, answer.source, answer.symbol) == (
        FailureKind.BAD_PAYLOAD,
        "federal reserve",
        "calendar",
    )
    assert answer.cure
    return answer.message


def test_decisions_alone_at_two_in_new_york_as_the_table_has_them(rig):
    found = good(rig.ask(fed_file()))
    year = releases_between(datetime(2024, 3, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), ReleaseKind.FOMC)
    assert found.releases == tuple((one.at, one.kind) for one in year)
    assert (found.known_at, found.note) == (NOW, "")


@pytest.mark.parametrize(
    ("month", "days", "day"),
    [
        ("2024-09", "18", "2024-09-18"),
        ("2024-09", "17-18", "2024-09-18"),
        ("2024-09", "17 - 18", "2024-09-18"),
        ("2024-09", "17, 18", "2024-09-18"),
        ("2024-9", "18", "2024-09-18"),
        ("2024-10", "31-1", "2024-11-01"),
        ("2024-12", "31 - 2", "2025-01-02"),
    ],
)
def test_the_decision_is_on_the_last_day_of_a_meeting(rig, month, days, day):
    assert rig.days(fed_event("2024-09-18", month=month, days=days)) == [day]


def test_a_meeting_with_an_event_for_each_day_has_one_decision(rig):
    assert rig.days(fed_event("2024-09-17"), fed_event("2024-09-18")) == ["2024-09-18"]


@pytest.mark.parametrize(
    "other",
    [
        {"title": "FOMC Minutes"},
        {"title": "FOMC Meeting Minutes"},
        {"title": "FOMC Press Conference"},
        {"title": "Minutes of the FOMC Meeting"},
        {"title": "Speech - Governor Waller", "type": "Speeches"},
        {"title": "FOMC Meeting", "type": "Statistical releases"},
        {"title": "FOMC Meeting (cancelled)"},
        {"title": "CANCELED: FOMC Meeting"},
        {"title": "FOMC Meeting", "description": "&lt;p&gt;&lt;strong&gt;Cancelled&lt;/strong&gt;&lt;/p&gt;"},
        {"title": "FOMC Notation Vote"},
        {"title": None},
    ],
    ids=str,
)
def test_what_is_no_decision_is_none(rig, other):
    assert rig.days({**fed_event("2024-09-18"), **other}) == []


@pytest.mark.parametrize(
    "same",
    [
        {"title": "FOMC Meetings"},
        {"title": " FOMC  meeting "},
        {"title": "FOMC Meeting (unscheduled)"},
        {"type": "FOMC Meetings"},
        {"time": ""},
        {"time": None},
        {"time": "2 PM"},
        {"description": "&lt;p&gt;Two-day meeting&lt;/p&gt;&#10;&lt;p&gt;Press Conference cancelled&lt;/p&gt;"},
    ],
    ids=str,
)
def test_every_spelling_of_a_meeting_is_one_at_two(rig, same):
    found = good(rig.ask(fed_file(*OTHERS, {**fed_event("2024-09-18"), **same})))
    assert found.releases[-1][0] == datetime(2024, 9, 18, 18, 0, tzinfo=UTC)


def test_a_statement_at_another_time_keeps_it(rig):
    found = good(rig.ask(fed_file(*OTHERS, fed_event("2024-09-18", time="10:00 a.m."))))
    assert found.releases[-1][0] == datetime(2024, 9, 18, 14, 0, tzinfo=UTC)


def test_years_of_history_are_left_aside(rig):
    assert rig.days(*(fed_event(day) for day in ("2009-03-18", "2018-12-19", "2024-09-18"))) == ["2024-09-18"]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (fed_event("2024-09-18", month="September"), "month 'September', days '18'"),
        (fed_event("2024-09-18", month=None), "month '', days '18'"),
        (fed_event("2024-09-18", days="tbd"), "days 'tbd'"),
        (fed_event("2024-09-18", days="31"), "has no date"),
        (fed_event("2024-09-18", time="noon"), "time 'noon'"),
        (fed_event("2024-09-18", time="2:00 a.m."), "at 02:00 in New York"),
        (fed_event("2024-09-21"), "FOMC decision on 2024-09-21 falls on a weekend"),
        (fed_event("2034-09-20"), "further ahead than any calendar reaches"),
    ],
)
def test_a_date_that_cannot_be_believed_refuses_the_calendar(rig, event, why):
    assert why in refused(rig.ask(fed_file(*OTHERS, event)))


def renamed(old: str, new: str) -> bytes:
    return fed_file().replace(f'"{old}"'.encode(), f'"{new}"'.encode())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (renamed("events", "items"), "no field 'events'"),
        (renamed("month", "date"), "no field 'month'"),
        (renamed("days", "day"), "no field 'days'"),
        (renamed("title", "name"), "no field 'title'"),
        (renamed("type", "kind"), "no field 'type'"),
        (renamed("FOMC Meeting", "Committee Meeting"), "it names no FOMC decision within two years"),
        (fed_file(*OTHERS[:3]), "it names 3 dates only"),
        (b'{"events": []}', "it holds no rows"),
        (b'{"events": {}}', "cannot be used"),
        (b'{"events": [1, 2]}', "no list of rows"),
        (b"[]", "no JSON object"),
        (fed_file()[:400], "cut short"),
    ],
)
def test_a_changed_format_is_named(rig, body, why):
    assert why in refused(rig.ask(body))


def test_an_unchanged_calendar_costs_no_body(rig):
    stamp = good(rig.ask(fed_file())).stamp
    assert isinstance(rig.ask(fed_file(), stamp), Unchanged)
