"""Releases behind the window: a real store and book, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from desktop.analytics.reactions import Move, Trade
from desktop.book import FILE_NAME, Book
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.releases import ReleaseKind, Schedules
from desktop.market.store import Observation, Priority, Store
from desktop.presenters.release import ReleasePresenter
from desktop.release_desk import ArmingError, ReleaseDesk, ReleaseLook
from desktop.release_records import ReleaseRecords
from desktop.settings import Settings
from desktop.snapshot import Mode, SnapshotBuilder
from desktop.sources.state import FeedState, SourceState

CPI = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return CPI + timedelta(seconds=seconds)


class Rig:
    """A desk's releases on one folder; opened again it is as after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, list[datetime]()
        self.store = Store(None)
        self.open()

    def open(self, deferred: Deferred | None = None) -> None:
        self.book = Book(self.folder / FILE_NAME)
        self.desk = ReleaseDesk(self.store, self.book, deferred or Deferred(lambda: None, held=True))
        self.builder = SnapshotBuilder(self.store, Deferred(lambda: None, held=True))
        self.schedules = Schedules(self.store)

    def restart(self) -> None:
        self.book.close()
        self.open()

    def close(self) -> None:
        self.book.close()
        self.store.close()

    def arm(self, now: datetime, key: str = "") -> str:
        return self.desk.arm(key, self.schedules.at(now), now).name

    def poll(self, now: datetime) -> None:
        self.desk.poll(now, self.schedules.at(now), 1.0, lambda: self.asked.append(now))

    def look(
        self, moment: datetime, key: str = "", mode: Mode = Mode.LIVE, feed: tuple[SourceState, ...] = ()
    ) -> ReleaseLook:
        return self.desk.look(self.builder.build(moment, Settings(), mode=mode, feed=feed), key, moment)

    def quote(self, symbol: str, price: float, traded: datetime, arrived: datetime | None = None) -> None:
        self.store.put_quotes([Quote(symbol, price, traded, arrived or traded, "test")])

    def reaction(self) -> None:
        """Futures around the release: +1 % and 0 % after a minute."""
        for symbol, price, after in (("RTY=F", 2060.0, 2080.6), ("NQ=F", 20700.0, 20700.0)):
            self.quote(symbol, price, at(-2))
            self.quote(symbol, after, at(58))


@pytest.fixture
def rig(tmp_path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def plus_one(look: ReleaseLook) -> Move | Unknown:
    assert look.board is not None
    return look.board.rows[0].move


def test_around_the_release_quotes_are_wanted_in_a_hurry_and_once_only(rig):
    rig.arm(at(-600))
    told: list[tuple[float, datetime]] = []
    for second in range(-120, 180):
        now = at(second)
        rig.desk.poll(
            now, rig.schedules.at(now), 1.0, lambda: None, lambda until, s=second: told.append((s, until))
        )
    assert told == [(-10, at(60))]


def test_nothing_armed_hurries_nothing(rig):
    told: list[datetime] = []
    rig.desk.poll(at(0), rig.schedules.at(at(0)), 1.0, lambda: None, told.append)
    assert not told


def test_f6_arms_the_next_release_and_prices_are_asked_for_by_the_clock(rig):
    assert rig.arm(at(-3600)) == "CPI"
    for second in range(-10, 31):
        rig.poll(at(second))
    assert [(one - CPI).total_seconds() for one in rig.asked] == [-3, 2, 5, 10, 20, 30]
    assert rig.look(at(31)).armed is not None


def test_a_restart_in_between_keeps_it_armed_and_tells_what_was_missed(rig):
    rig.arm(at(-3600))
    for second in range(-10, 7):
        rig.poll(at(second))
    rig.restart()
    rig.asked.clear()
    rig.poll(at(47))
    rig.poll(at(60))
    assert [(one - CPI).total_seconds() for one in rig.asked] == [47, 60]
    look = rig.look(at(60))
    assert look.armed is not None
    assert look.missed == (10, 20)


def test_it_ends_by_itself_and_what_was_missed_stays_with_the_board(rig):
    rig.arm(at(-3600))
    rig.poll(at(-10))
    rig.poll(at(400))  # asleep over the release
    for second in range(401, 920):
        rig.poll(at(second))
    look = rig.look(at(920))
    assert look.armed is None
    assert "watched to the end" in look.told
    assert look.missed[:3] == (2, 5, 10)
    assert len([one for one in rig.asked if one <= at(401)]) == 1
    facts = [one.text for one in ReleasePresenter().present(look, Settings()).board_facts]
    assert any(one.endswith("refreshes missed (+2 s to +375 s)") for one in facts)


def test_disarmed_it_asks_nothing(rig):
    rig.arm(at(-3600))
    rig.desk.disarm()
    for second in range(-10, 31):
        rig.poll(at(second))
    assert rig.asked == []


def test_the_reference_is_frozen_and_a_revised_bar_moves_it_no_more(rig):
    rig.arm(at(-3600))
    rig.reaction()
    rig.poll(at(1))
    assert set(rig.look(at(1)).frozen_symbols) == {"RTY=F", "NQ=F"}
    before = plus_one(rig.look(at(61)))
    minute = np.array([int(at(-60).timestamp())])
    for symbol, price in (("RTY=F", 1000.0), ("NQ=F", 10000.0)):
        one = np.array([price])
        bars = Bars(symbol, Interval.MINUTE, minute, one, one, one, one, np.array([0.0]))
        rig.store.put_bars(bars, source="test", priority=Priority.VENDOR)
    rig.restart()
    assert plus_one(rig.look(at(62))) == before
    assert isinstance(before, Move)
    assert before.spread_pp == pytest.approx(1.0)


def test_a_reference_that_is_ten_minutes_late_is_frozen_when_it_has_arrived(rig):
    rig.arm(at(-3600))
    rig.quote("RTY=F", 2055.0, at(-600), at(0))
    rig.poll(at(1))
    assert "RTY=F" not in rig.look(at(1)).frozen_symbols
    rig.quote("RTY=F", 2060.0, at(-2), at(598))
    rig.quote("RTY=F", 2070.0, at(5), at(605))
    rig.poll(at(606))
    assert ReleaseRecords(rig.book).frozen(CPI, at(606))["RTY=F"] == Trade(2060.0, at(-2))
    assert ReleaseRecords(rig.book).frozen(CPI, at(605)) == {}  # what was frozen later is not known then


def test_quotes_that_arrive_later_are_not_known_before(rig):
    rig.reaction()
    known = plus_one(rig.look(at(90), mode=Mode.AS_OF))
    rig.quote("RTY=F", 9999.0, at(59), at(600))
    assert plus_one(rig.look(at(90), mode=Mode.AS_OF)) == known
    late = plus_one(rig.look(at(601), mode=Mode.AS_OF))
    assert isinstance(late, Move)
    assert late.rut_pct > 100


def test_with_time_set_back_nothing_can_be_armed_and_what_is_armed_live_is_told(rig):
    rig.arm(at(-3600))
    look = replace(rig.look(at(-86_400), mode=Mode.AS_OF), now=at(-40))
    state = ReleasePresenter().present(look, Settings())
    assert not state.can_arm
    assert state.facts[0].text == "time is set back · ● armed live: CPI, in 40 s"
    assert [one.at for one in look.chosen] != [CPI]
    assert not any(one.armable for one in state.rows)


def test_what_lies_in_the_past_cannot_be_armed(rig):
    with pytest.raises(ArmingError, match="lies in the past"):
        rig.arm(at(1), "cpi:2024-07-11T12:30Z")


def test_any_listed_release_can_be_armed_and_an_own_event_too(rig):
    assert rig.arm(at(-3600), "fomc:2024-07-31T18:00Z") == "FOMC decision"
    rig.desk.keep_own("Powell speaks", "2024-07-15", "12:30")
    assert rig.arm(at(-3600), "own:1") == "Powell speaks"


def test_a_release_that_moves_while_armed_is_followed(rig):
    rig.arm(at(-3600))
    moved = CPI + timedelta(days=6)
    rig.store.put_calendar("bls", [("cpi", moved), ("cpi", moved + timedelta(days=30))], seen_at=at(-1800))
    rig.poll(at(-1700))
    look = rig.look(at(-1700))
    assert look.armed is not None
    assert look.armed.at == moved
    assert "moved" in look.told


def test_two_releases_at_once_are_one_moment(rig):
    both = datetime(2026, 9, 4, 12, 30, tzinfo=UTC)
    rig.store.put_calendar("bls", [("cpi", both), ("nfp", both)], seen_at=both - timedelta(days=2))
    assert rig.arm(both - timedelta(hours=2)) == "CPI + Employment Situation"
    look = rig.look(both - timedelta(hours=2))
    assert [one.kind for one in look.typed] == [ReleaseKind.CPI, ReleaseKind.NFP]
    for second in range(-10, 8):
        rig.poll(both + timedelta(seconds=second))
    assert len(rig.asked) == 3  # once, not once each


def test_a_release_on_a_closed_day_is_marked_in_list_and_title(rig):
    good_friday = datetime(2026, 4, 3, 12, 30, tzinfo=UTC)
    state = ReleasePresenter().present(
        rig.look(good_friday - timedelta(hours=1), "nfp:2026-04-03T12:30Z"), Settings()
    )
    (row,) = [one for one in state.rows if one.key == "nfp:2026-04-03T12:30Z"]
    assert row.cells[0].text == "Payrolls · closed"
    assert "cash market is closed" in row.cells[0].why
    assert "cash market closed" in [one.text for one in state.board_facts]


def test_a_wrong_clock_is_told_first(rig):
    note = "this computer's clock is 4 min fast, ages are wrong: set this computer's clock"
    feed = (SourceState("yahoo", FeedState.LIVE, 1.0, 0.0, None, None, None, note),)
    state = ReleasePresenter().present(rig.look(at(-60), feed=feed), Settings())
    assert state.facts[0].text == note


def test_own_events_are_kept_changed_and_forgotten(rig):
    rig.desk.keep_own("Powell speaks", "2024-07-15", "12:30")
    rig.restart()
    (own,) = rig.look(at(0)).own
    assert (own.title, own.at) == ("Powell speaks", datetime(2024, 7, 15, 16, 30, tzinfo=UTC))
    rig.desk.keep_own("Powell testifies", "2024-07-16", "10:00", own.number)
    (changed,) = rig.look(at(0)).own
    assert (changed.number, changed.title) == (own.number, "Powell testifies")
    rig.desk.drop_own(own.number)
    assert rig.look(at(0)).own == ()


def test_a_wrong_own_event_is_told_and_changes_nothing(rig):
    rig.desk.keep_own("Powell speaks", "15 July", "12:30")
    look = rig.look(at(0))
    assert look.own == ()
    assert look.own_error.startswith("date '15 July'")


def test_figures_survive_a_restart_and_a_wrong_one_leaves_the_kept_one(rig):
    rig.desk.type_figure(ReleaseKind.CPI, CPI, "consensus", "0.1")
    rig.desk.type_figure(ReleaseKind.CPI, CPI, "actual", "−0.1 %")
    rig.desk.type_figure(ReleaseKind.CPI, CPI, "actual", "soon")
    (typed,) = rig.look(at(60)).typed
    assert typed.actual == "soon"
    assert "is no figure in % m/m" in typed.actual_error
    rig.restart()
    (typed,) = rig.look(at(60)).typed
    assert (typed.consensus, typed.actual, typed.surprise.sign) == ("0.1", "-0.1", -1)


# With the closes of METHODS


def test_the_close_of_the_cpi_day_from_daily_data_alone(rig):
    for symbol, closes in {
        "^RUT": (2051.76, 2125.04), "^NDX": (20675.38, 20211.36), "^VIX": (12.85, 12.92),
    }.items():  # fmt: skip
        days = np.array(["2024-07-10", "2024-07-11"], dtype="datetime64[D]")
        rig.store.put_closes(Closes(symbol, days, np.array(closes)), source="test", priority=Priority.FILE)
    evening = datetime(2024, 7, 12, 1, 0, tzinfo=UTC)
    rig.store.put_series(
        "DGS2",
        [Observation(date(2024, 7, 10), 4.62, at(-3600)), Observation(date(2024, 7, 11), 4.50, evening)],
        source="test",
    )
    look = rig.look(evening, mode=Mode.AS_OF)
    assert look.board is not None
    close = look.board.rows[-1]
    assert isinstance(close.move, Move)
    assert close.move.spread_pp == pytest.approx(5.816, abs=1e-3)
    assert close.two_year_bp == pytest.approx(-12.0)
    assert close.vix == pytest.approx(0.07)
    early = rig.look(datetime(2024, 7, 11, 20, 30, tzinfo=UTC), mode=Mode.AS_OF).board
    assert early is not None
    assert isinstance(early.rows[-1].two_year_bp, Unknown)  # published in the evening


def test_the_fan_is_of_earlier_releases_at_the_same_minute(rig):
    """Bars of three CPI days, the reference at 08:29:59 and the move after it written down."""
    rig.book.close()
    rig.open(Deferred())
    moves = {
        datetime(2024, 5, 15, 12, 30, tzinfo=UTC): 1.0,
        datetime(2024, 6, 12, 12, 30, tzinfo=UTC): 3.0,
        CPI: 2.0,
    }
    for when, percent in moves.items():
        start = int(when.timestamp()) - 120
        starts = start + 60 * np.arange(8, dtype=np.int64)
        for symbol, base, grown in (("RTY=F", 2000.0, 1 + percent / 100), ("NQ=F", 20000.0, 1.0)):
            close = np.where(starts < int(when.timestamp()), base, base * grown)
            bars = Bars(symbol, Interval.MINUTE, starts, close, close, close, close, np.zeros(8))
            rig.store.put_bars(bars, source="test", priority=Priority.VENDOR)
    for when, actual in (
        (CPI, "0"),
        (datetime(2024, 6, 12, 12, 30, tzinfo=UTC), "0"),
        (datetime(2024, 5, 15, 12, 30, tzinfo=UTC), "0.4"),
    ):
        rig.desk.type_figure(ReleaseKind.CPI, when, "consensus", "0.3")
        rig.desk.type_figure(ReleaseKind.CPI, when, "actual", actual)
    look = rig.look(at(300), mode=Mode.AS_OF)
    assert not isinstance(look.reactions, Unknown)
    assert [float(one.spread_pp[-1]) for one in look.reactions.earlier] == pytest.approx([1.0, 3.0])
    assert look.reactions.scheduled == 294  # CPI releases since 2000 before this one
    assert not isinstance(look.standing, Unknown)
    assert look.standing.minute == 5.0
    assert look.standing.spread_pp == pytest.approx(2.0)
    assert (look.standing.among_all.rank, look.standing.among_all.n) == (2, 3)
    assert not isinstance(look.standing.same_sign, Unknown)
    assert (look.standing.same_sign.rank, look.standing.same_sign.n) == (2, 2)
    facts = [one.text for one in ReleasePresenter().present(look, Settings()).fan_facts]
    assert "2 earlier with minutes in the store, few" in facts
