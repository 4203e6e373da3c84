"""The journal in words: what a new form holds, and what is shown of prices that are not live."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from desktop.deferred import Deferred
from desktop.market.quotes import Quote
from desktop.market.store import Store
from desktop.presenters.journal import PAST, JournalPresenter
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.trade.journal import Carry, Fill, Trade
from tests.presenters.conftest import EVENING, build
from widgets.states import LegRow, Text, Tone

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
LEGS = (
    LegRow(Text("BUY"), Text("M2K Sep 24"), Text("+19"), Text("2,133.30"), Text(""), Text("")),
    LegRow(Text("SELL"), Text("MNQ Sep 24"), Text("−4"), Text("20,467.25"), Text(""), Text("")),
)


def quoted(age_s: float, mode: Mode = Mode.LIVE) -> Snapshot:
    at = NOW - timedelta(seconds=age_s)
    with Store(None) as store:
        store.put_quotes(
            [Quote(one, price, at, NOW, "test") for one, price in (("RTY=F", 2130.0), ("NQ=F", 20500.0))]
        )
        return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(NOW, Settings(), mode=mode)


def trade() -> Trade:
    at = NOW - timedelta(hours=2)
    fills = (
        Fill("M2K", Decimal(20), Decimal(2100), Decimal(0), at),
        Fill("MNQ", Decimal(-4), Decimal(20600), Decimal(0), at),
    )
    return Trade(1, 1, "CPI", fills, (Carry(Decimal(-3), "borrow", NOW - timedelta(minutes=1)),))


def test_a_new_form_takes_the_prices_of_young_quotes():
    shown = JournalPresenter().present((), quoted(3), Settings(), LEGS)
    assert shown.ticket == "BUY 19 M2K @ 2133.30 fee 0\nSELL 4 MNQ @ 20467.25 fee 0"


def test_a_price_that_is_not_young_is_left_to_be_typed():
    for snapshot in (quoted(3600), build(EVENING, date(2024, 7, 11))):
        shown = JournalPresenter().present((), snapshot, Settings(), LEGS)
        assert shown.ticket == "BUY 19 M2K @  fee 0\nSELL 4 MNQ @  fee 0"
        assert shown.ratio == ""


def test_live_results_are_green_or_red_and_old_ones_violet():
    shown = JournalPresenter().present((trade(),), quoted(3), Settings(), ())
    total = shown.open.rows[0][1]
    assert (total.text, total.tone) == ("+3,797.00", Tone.GOOD)  # 20 x 5 x 30 + 4 x 2 x 100 - 3
    assert shown.standing == Text("")
    old = JournalPresenter().present((trade(),), quoted(3600), Settings(), ())
    assert old.open.rows[0][1].tone is Tone.PAST
    assert old.standing.text == "prices not live"


def test_in_the_past_only_what_had_been_filled_is_known():
    later = trade()
    early = JournalPresenter().present((later,), quoted(3, Mode.AS_OF), Settings(), ())
    assert early.refused == PAST
    assert early.open.rows[0][1].tone is Tone.PAST
    before = build(datetime(2024, 7, 11, 12, 0, tzinfo=UTC), date(2024, 7, 10), mode=Mode.AS_OF)
    assert JournalPresenter().present((later,), before, Settings(), ()).open_trades == ()


def test_the_same_object_while_nothing_changed():
    presenter, snapshot, trades = JournalPresenter(), quoted(3), (trade(),)
    assert presenter.present(trades, snapshot, Settings(), LEGS) is presenter.present(
        trades, snapshot, Settings(), LEGS
    )


def test_an_unreadable_book_is_told():
    assert (
        JournalPresenter().present((), quoted(3), Settings(), (), wrong="store x: damaged").refused
        == "store x: damaged"
    )
