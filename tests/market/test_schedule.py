"""The shipped table and what publishers' calendars say: moved, cancelled, added; known from when it was seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.market.known import Unknown
from desktop.market.releases import (
    Entry,
    Release,
    ReleaseKind,
    Schedule,
    Schedules,
    merge,
    schedule,
    schedule_known_to,
    shipped,
)
from desktop.market.store import Store

EASTERN = ZoneInfo("America/New_York")
CPI, NFP, PCE, PPI, FOMC = (ReleaseKind(one) for one in ("cpi", "nfp", "pce", "ppi", "fomc"))
SEEN = datetime(2026, 8, 10, 15, 0, tzinfo=UTC)
"""A moment with CPI on 2026-08-12, 09-11, 10-14, 11-10 and 12-10 to come in the table."""
SPAN = ("2026-09-11", "2026-10-14", "2026-11-10", "2026-12-10")


def at(day: str | date, clock: str = "08:30") -> datetime:
    return datetime.combine(date.fromisoformat(str(day)), time.fromisoformat(clock), EASTERN).astimezone(UTC)


def days(found: Schedule, kind: ReleaseKind, start: datetime = SEEN) -> list[str]:
    """Days of releases of a kind after `start`."""
    end = datetime(2030, 1, 1, tzinfo=UTC)
    return [str(one.at.astimezone(EASTERN).date()) for one in found.between(start, end, kind)]


class Rig:
    def __init__(self, store: Store) -> None:
        self.store, self.schedules = store, Schedules(store)

    def see(
        self,
        *dates: str,
        kind: ReleaseKind = CPI,
        on: datetime = SEEN,
        publisher: str = "bls",
        clock: str = "08:30",
    ) -> None:
        self.store.put_calendar(publisher, [(kind.value, at(day, clock)) for day in dates], seen_at=on)

    def days(self, kind: ReleaseKind = CPI, *, as_of: datetime = SEEN, start: datetime = SEEN) -> list[str]:
        return days(self.schedules.at(as_of), kind, start)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Store(None) as store:
        yield Rig(store)


def test_without_calendars_the_table_is_all_there_is(rig):
    assert rig.schedules.at(SEEN) is shipped()
    assert shipped().entries == schedule()


def test_a_calendar_that_agrees_changes_nothing(rig):
    rig.see("2026-08-12", *SPAN)
    assert rig.schedules.at(SEEN).entries == schedule()


def test_a_moved_release_leaves_its_old_date(rig):
    rig.see("2026-08-20", *SPAN)
    assert rig.days() == ["2026-08-20", *SPAN]
    assert rig.days(as_of=SEEN + timedelta(days=30)) == ["2026-08-20", *SPAN]  # also once both are past


def test_a_cancelled_release_is_gone_also_when_its_day_is_past(rig):
    rig.see(*SPAN)
    assert rig.days() == [*SPAN]
    later = SEEN + timedelta(days=5)
    rig.see(*SPAN, on=later)
    assert rig.days(as_of=later) == [*SPAN]
    assert rig.schedules.at(later).on_day(date(2026, 8, 12)) == ()


def test_a_calendar_counts_from_when_it_was_seen(rig):
    rig.see("2026-08-20", *SPAN)
    before = SEEN - timedelta(seconds=1)
    assert rig.schedules.at(before) is shipped()
    assert rig.days(as_of=before) == ["2026-08-12", *SPAN]
    assert rig.days() == ["2026-08-20", *SPAN]


def test_a_date_counts_until_it_was_taken_back_and_again_when_it_returns(rig):
    times = [SEEN + timedelta(hours=12 * n) for n in range(3)]
    rig.see("2026-08-12", *SPAN, on=times[0])
    rig.see("2026-08-20", *SPAN, on=times[1])
    rig.see("2026-08-12", *SPAN, on=times[2])
    told = [rig.days(as_of=when)[0] for when in times]
    assert told == ["2026-08-12", "2026-08-20", "2026-08-12"]


def test_the_last_date_that_was_named_can_be_cancelled_too(rig):
    rig.see("2026-08-12", *SPAN)
    later = SEEN + timedelta(days=1)
    rig.see("2026-08-12", *SPAN[:-1], on=later)
    assert rig.days(as_of=later)[-1] == "2026-11-10"
    assert rig.schedules.at(later).kind_known_to(CPI) == date(2026, 11, 10)


@pytest.mark.parametrize("moved", ["2026-12-08", "2026-12-15"])
def test_the_last_date_of_a_calendar_can_be_moved_either_way(rig, moved):
    rig.see("2026-08-12", *SPAN[:-1], moved)
    assert rig.days() == ["2026-08-12", *SPAN[:-1], moved]


def test_past_the_last_date_of_a_calendar_the_table_goes_on(rig):
    rig.see("2026-08-12", "2026-09-15")
    assert rig.days() == ["2026-08-12", "2026-09-15", *SPAN[1:]]


def test_a_calendar_that_goes_further_makes_the_schedule_known_further(rig):
    more = ("2027-01-13", "2027-02-10")
    rig.see("2026-08-12", *SPAN, *more)
    found = rig.schedules.at(SEEN)
    assert found.kind_known_to(CPI) == date(2027, 2, 10)
    assert found.known_to() == date(2026, 12, 4)  # still that of the Employment Situation
    rig.see("2026-09-04", "2027-01-08", kind=NFP)
    rig.see("2026-08-13", "2027-01-14", kind=PPI)
    assert rig.schedules.at(SEEN).known_to() == date(2027, 1, 8)


def test_a_kind_that_is_not_named_stays_that_of_the_table(rig):
    rig.see("2026-08-20", *SPAN)
    for kind in (NFP, PPI, FOMC):
        assert rig.days(kind) == days(shipped(), kind)


def test_what_was_past_when_a_calendar_was_seen_stays_and_what_it_adds_is_added(rig):
    rig.see("2026-06-10", "2026-07-16", "2026-08-12", *SPAN)  # the table has 2026-07-14
    start = datetime(2026, 6, 1, tzinfo=UTC)
    assert rig.days(start=start)[:4] == ["2026-06-10", "2026-07-14", "2026-07-16", "2026-08-12"]


def test_another_time_of_day_on_a_past_day_is_not_a_second_release(rig):
    rig.see("2026-07-14", "2026-08-12", *SPAN, clock="10:00")
    found = rig.schedules.at(SEEN)
    assert [one.at for one in found.on_day(date(2026, 7, 14))] == [at("2026-07-14")]
    assert [one.at for one in found.on_day(date(2026, 8, 12))] == [at("2026-08-12", "10:00")]


def test_a_release_on_a_closed_day_is_marked_as_before(rig):
    seen = datetime(2026, 3, 1, tzinfo=UTC)
    rig.see("2026-03-06", "2026-04-03", "2026-05-08", kind=NFP, on=seen)
    (report,) = rig.schedules.at(seen).on_day(date(2026, 4, 3))
    assert report.market_closed
    assert "cash market is closed" in report.detail


def test_the_shutdown_of_2025_as_it_was_seen_then(rig):
    """The table holds what happened; the plan of September 2025 held an October CPI that was cancelled."""
    planned = ("2025-10-15", "2025-11-13", "2025-12-10")
    rig.see(*planned, on=datetime(2025, 9, 20, tzinfo=UTC))
    rig.see("2025-10-24", "2025-12-18", on=datetime(2025, 10, 12, tzinfo=UTC))
    start, end = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

    def autumn(as_of: datetime) -> list[str]:
        return [str(one.at.date()) for one in rig.schedules.at(as_of).between(start, end, CPI)]

    assert autumn(datetime(2025, 9, 25, tzinfo=UTC))[:3] == ["2025-10-15", "2025-11-13", "2025-12-10"]
    assert autumn(datetime(2026, 1, 1, tzinfo=UTC)) == ["2025-10-24", "2025-12-18"]


# PCE and FRED


def test_pce_is_unknown_without_a_calendar_and_says_so(rig):
    unknown = schedule_known_to(PCE)
    assert isinstance(unknown, Unknown)
    assert unknown.reason == "no date of PCE is known"
    assert shipped().open(SEEN) == (PCE,)
    assert shipped().next(SEEN, PCE) is None
    assert shipped().known_to(SEEN) == shipped().known_to() == schedule_known_to() == date(2026, 12, 4)


def test_pce_comes_from_the_calendar_of_fred(rig):
    rig.see("2026-08-28", "2026-09-25", kind=PCE, publisher="fred calendar")
    found = rig.schedules.at(SEEN)
    assert found.open(SEEN) == ()
    assert found.kind_known_to(PCE) == date(2026, 9, 25)
    assert found.known_to(SEEN) == date(2026, 9, 25)
    release = found.next(SEEN, PCE)
    assert isinstance(release, Release)
    assert (release.name, release.at) == ("PCE", at("2026-08-28"))


def test_pce_that_is_no_longer_refreshed_is_open_again_and_holds_nothing_back(rig):
    rig.see("2026-08-28", kind=PCE, publisher="fred calendar")
    later = datetime(2026, 9, 1, tzinfo=UTC)
    found = rig.schedules.at(later)
    assert found.open(later) == (PCE,)
    assert found.known_to(later) == date(2026, 12, 4)
    assert found.last(later, PCE) is not None


def test_the_publisher_itself_counts_before_fred(rig):
    rig.see("2026-08-12", "2026-08-26", *SPAN, "2027-01-13", publisher="fred calendar")
    rig.see("2026-08-20", *SPAN)
    assert rig.days() == ["2026-08-20", *SPAN, "2027-01-13"]


def test_fred_alone_counts_before_the_table(rig):
    rig.see("2026-08-20", *SPAN, publisher="fred calendar")
    assert rig.days() == ["2026-08-20", *SPAN]


def test_a_kind_of_a_later_version_does_no_harm(rig):
    rig.store.put_calendar("bls", [("gdp", at("2026-08-27"))], seen_at=SEEN)
    assert rig.schedules.at(SEEN).entries == schedule()


# Kept as long as nothing changed


def test_the_schedule_is_made_anew_only_when_a_calendar_says_something_new(rig):
    rig.see("2026-08-20", *SPAN)
    first = rig.schedules.at(SEEN)
    assert rig.schedules.at(SEEN + timedelta(days=40)) is first
    version = rig.store.history_version
    rig.see("2026-08-20", *SPAN, on=SEEN + timedelta(hours=12))  # the same again
    assert rig.store.history_version == version
    assert rig.schedules.at(SEEN + timedelta(days=40)) is first
    rig.see(*SPAN, on=SEEN + timedelta(hours=24))
    assert rig.schedules.at(SEEN + timedelta(days=40)) is not first


def test_the_store_remembers_since_when_and_until_when_a_date_was_seen(rig):
    later = SEEN + timedelta(hours=12)
    rig.see("2026-07-14", "2026-08-12", "2026-09-11")
    rig.see("2026-09-11", on=later)  # a past date that is no longer listed stays
    seen = {str(one.at.date()): (one.seen_at, one.gone_at) for one in rig.store.sightings()}
    assert seen == {"2026-07-14": (SEEN, None), "2026-08-12": (SEEN, later), "2026-09-11": (SEEN, None)}
    assert [str(when.date()) for _, when in rig.store.calendar(SEEN)] == ["2026-07-14", "2026-08-12", "2026-09-11"]
    assert [str(when.date()) for _, when in rig.store.calendar(later)] == ["2026-07-14", "2026-09-11"]


def test_calendars_of_an_older_store_are_kept(tmp_path):
    file = tmp_path / "store.sqlite"
    import sqlite3

    old = sqlite3.connect(file)
    for number in range(3):
        old.executescript(Store.migrations[number])
    seen_us, at_us = (int(when.timestamp()) * 10**6 for when in (SEEN, at("2026-08-20")))
    old.execute("INSERT INTO calendar VALUES ('bls', 'cpi', ?, ?)", (at_us, seen_us))
    old.execute("PRAGMA user_version = 3")
    old.commit()
    old.close()
    with Store(file) as store:
        (one,) = store.sightings()
        assert (one.publisher, one.kind, one.at, one.seen_at, one.gone_at) == (
            "bls", "cpi", at("2026-08-20"), SEEN, None
        )  # fmt: skip


# Whatever publishers say

TABLE = [entry for entry in schedule() if entry[0] > datetime(2025, 6, 1, tzinfo=UTC) and entry[1] in (CPI, FOMC)]
"""Small enough for many examples."""
PAST = [when for when, kind in TABLE if kind is CPI and when <= SEEN]
COMING = [when for when, kind in TABLE if kind is CPI and when > SEEN]


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[datetime, list[datetime], list[datetime]]]:
    """Fetches one after another: when, what is listed, and what is true from then on."""
    fetched = SEEN + timedelta(days=draw(st.integers(0, 20)))
    truth: list[datetime | None] = list(COMING)
    course: list[tuple[datetime, list[datetime], list[datetime]]] = []
    back = timedelta(days=draw(st.sampled_from([0, 40, 400])))
    for _ in range(draw(st.integers(1, 4))):
        changeable = truth if course else truth[:-1]  # who never named the last one cannot take it back
        for place, when in enumerate(changeable):
            if when is not None and when > fetched + timedelta(days=6):
                change = draw(st.sampled_from(["stays", "stays", "moves", "cancelled"]))
                truth[place] = {
                    "stays": when,
                    "moves": COMING[place] + timedelta(days=draw(st.integers(-5, 5))),
                    "cancelled": None,
                }[change]
        true = sorted(when for when in truth if when is not None)
        listed = [when for when in [*PAST, *true] if when > fetched - back]
        if not any(when > fetched for when in listed):
            break  # a publisher that names nothing to come says nothing
        course.append((fetched, listed, true))
        fetched += timedelta(days=draw(st.integers(1, 45)), hours=draw(st.integers(0, 23)))
    return course


@settings(max_examples=80, deadline=None)
@given(course=courses(), after=st.integers(0, 200))
def test_no_past_release_is_lost_and_no_cancelled_one_is_shown(course, after):
    first = course[0][0] if course else SEEN
    with Store(None) as store:

        def entries(moment: datetime) -> tuple[Entry, ...]:
            return merge(TABLE, store.sightings(), moment).entries

        seen_then = []
        for when, listed, true in course:
            store.put_calendar("bls", [("cpi", one) for one in listed], seen_at=when)
            for moment in (when, when + timedelta(days=after)):
                assert [one for one, kind in entries(moment) if kind is CPI and one > first] == [
                    one for one in true if one > first
                ]
            seen_then.append((when, entries(when)))
        for when, found in seen_then:  # what was seen later changes nothing
            assert entries(when) == found
            assert merge(found, store.sightings(), when).entries == found
            assert {one for one in TABLE if one[0] <= first or one[1] is not CPI} <= set(found)
        assert entries(first - timedelta(microseconds=1)) == tuple(TABLE)


ANY_TIME = st.integers(0, 700).map(lambda hours: SEEN + timedelta(hours=6 * hours))


@settings(max_examples=80, deadline=None)
@given(
    fetches=st.lists(
        st.tuples(st.sampled_from(["bls", "fred calendar"]), st.lists(ANY_TIME, min_size=1, max_size=6)),
        max_size=5,
    ),
    as_of=ANY_TIME,
)
def test_whatever_is_listed_merging_twice_is_merging_once_and_the_past_stays(fetches, as_of):
    with Store(None) as store:
        for number, (publisher, listed) in enumerate(fetches):
            store.put_calendar(
                publisher, [("cpi", one) for one in listed], seen_at=SEEN + timedelta(days=9 * number)
            )
        once = merge(TABLE, store.sightings(), as_of)
        assert merge(once.entries, store.sightings(), as_of).entries == once.entries
        assert {one for one in TABLE if one[0] <= SEEN} <= set(once.entries)


def test_releases_of_a_kind_are_far_enough_apart_to_tell_a_moved_one():
    for kind in (CPI, NFP, PPI, FOMC):
        dates = [when for when, one in schedule() if one is kind]
        recent = [one for one in pairwise(dates) if one[0].year >= 2008]
        assert min(later - earlier for earlier, later in recent) > timedelta(days=14), kind


# The checked calendar, as publishers would list it


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_a_year_of_the_checked_calendar_listed_by_the_publishers_is_that_of_the_table(rig, year, real_data: Path):
    publishers = {"cpi": "bls", "nfp": "bls", "ppi": "bls", "fomc_decision": "federal reserve"}
    lists: dict[str, list[tuple[str, datetime]]] = {"bls": [], "federal reserve": []}
    with (real_data / "econ-calendar/macro-events-2000-2027-corrected.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["event"] in publishers and row["date"].startswith(str(year)):
                kind = row["event"].removesuffix("_decision")
                lists[publishers[row["event"]]].append((kind, at(row["date"], row["time_et"])))
    seen = datetime(year, 1, 2, tzinfo=UTC)
    for publisher, dates in lists.items():
        rig.store.put_calendar(publisher, dates, seen_at=seen)
    assert rig.schedules.at(seen).entries == schedule()
    if year == 2025:
        assert rig.schedules.at(seen).between(at("2025-10-25"), at("2025-12-18"), CPI) == ()
    if year == 2026:
        (report,) = rig.schedules.at(seen).on_day(date(2026, 4, 3))
        assert report.market_closed
