"""What publishers' calendars say, as the window shows it: next release, today's, meetings, how far it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from desktop.deferred import Deferred
from desktop.market.releases import ReleaseKind
from desktop.market.store import Store
from desktop.presenters.header import present_header, schedule_words
from desktop.settings import Settings
from desktop.snapshot import Snapshot, SnapshotBuilder

MORNING = datetime(2026, 8, 12, 11, 0, tzinfo=UTC)
"""Of the CPI of the shipped table."""
SEEN = MORNING - timedelta(days=1)
AUGUST = datetime(2026, 8, 20, 12, 30, tzinfo=UTC)
AUTUMN = (datetime(2026, 9, 11, 12, 30, tzinfo=UTC), datetime(2026, 12, 10, 13, 30, tzinfo=UTC))


class Rig:
    def __init__(self, store: Store) -> None:
        self.store, self.builder = store, SnapshotBuilder(store, Deferred())

    def at(self, moment: datetime = MORNING) -> Snapshot:
        return self.builder.build(moment, Settings())

    def see(self, kind: ReleaseKind, *dates: datetime, publisher: str = "bls") -> None:
        self.store.put_calendar(publisher, [(kind.value, one) for one in dates], seen_at=SEEN)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Store(None) as store:
        yield Rig(store)


def next_release(snapshot: Snapshot) -> str:
    return present_header(snapshot, refreshing=False, refreshed_at=None, note="").release.text


def test_a_moved_release_is_not_announced_at_its_old_date(rig):
    assert next_release(rig.at()) == "CPI Wed 12 Aug 08:30 ET"
    rig.see(ReleaseKind.CPI, AUGUST, *AUTUMN)
    found = rig.at().next_release
    assert found is not None
    assert found.kind is ReleaseKind.PPI
    later = rig.at(AUGUST - timedelta(hours=1)).next_release
    assert later is not None
    assert (later.kind, later.at) == (ReleaseKind.CPI, AUGUST)


def test_before_the_calendar_was_seen_the_table_is_shown(rig):
    rig.see(ReleaseKind.CPI, AUGUST, *AUTUMN)
    found = rig.at(SEEN - timedelta(hours=1)).next_release
    assert found is not None
    assert (found.kind, found.at.date()) == (ReleaseKind.CPI, date(2026, 8, 12))


def test_the_session_of_the_new_date_starts_with_the_release(rig):
    rig.see(ReleaseKind.CPI, AUGUST, *AUTUMN)
    today = rig.at(AUGUST + timedelta(hours=4)).today
    assert [one.kind for one in today.releases] == [ReleaseKind.CPI]
    assert today.starts < AUGUST
    assert rig.at(MORNING + timedelta(hours=5)).today.releases == ()


def test_the_words_tell_how_far_it_is_known_and_what_is_not(rig):
    assert schedule_words(rig.at()) == ("schedule known to 4 Dec 2026; no dates of PCE: they come with a FRED key")
    rig.see(ReleaseKind.PCE, datetime(2026, 11, 25, 13, 30, tzinfo=UTC), publisher="fred calendar")
    assert schedule_words(rig.at()) == "schedule known to 25 Nov 2026"


def test_the_schedule_is_the_same_object_until_a_calendar_changes(rig):
    first = rig.at().schedule
    assert rig.at(MORNING + timedelta(minutes=1)).schedule is first
    rig.see(ReleaseKind.CPI, AUGUST, *AUTUMN)
    assert rig.at().schedule is not first
