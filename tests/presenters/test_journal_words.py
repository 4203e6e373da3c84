"""The journal in words: what a new form holds, and what is shown of prices that are not live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.market.store import Store
from desktop.presenters.journal import PAST, JournalPresenter, Kept
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.trade.journal import Carry, Fill, FillKind, Trade
from tests.presenters.conftest import EVENING, build
from widgets.states import LegRow, Text, Tone

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
LEGS = (
    LegRow(Text("BUY"), Text("M2K Sep 24"), Text("+19"), Text("2,133.30"), Text(""), Text("")),
    LegRow(Text("SELL"), Text("MNQ Sep 24"), Text("−4"), Text("20,467.25"), Text(""), Text("")),
)


def quoted(age_s: float, mode: Mode = Mode.LIVE, now: datetime = NOW, rty: float = 2130.0) -> Snapshot:
    at = now - timedelta(seconds=age_s)
    with Store(None) as store:
        store.put_quotes(
            [Quote(one, price, at, now, "test") for one, price in (("RTY=F", rty), ("NQ=F", 20500.0))]
        )
        return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(now, Settings(), mode=mode)


def trade() -> Trade:
    at = NOW - timedelta(hours=2)
    fills = (
        Fill("M2K", Decimal(20), Decimal(2100), Decimal(0), at),
        Fill("MNQ", Decimal(-4), Decimal(20600), Decimal(0), at),
    )
    return Trade(1, 1, "CPI", fills, (Carry(Decimal(-3), "borrow", NOW - timedelta(minutes=1)),))


def test_a_new_form_takes_the_prices_of_young_quotes():
    shown = JournalPresenter().present(Kept(), quoted(3), Settings(), LEGS)
    assert shown.new.lines == "BUY 19 M2K Sep24 @ 2133.30 fee 0\nSELL 4 MNQ Sep24 @ 20467.25 fee 0"


def test_a_price_that_is_not_young_is_left_to_be_typed():
    for snapshot in (quoted(3600), build(EVENING, date(2024, 7, 11))):
        shown = JournalPresenter().present(Kept(), snapshot, Settings(), LEGS)
        assert shown.new.lines == "BUY 19 M2K Sep24 @  fee 0\nSELL 4 MNQ Sep24 @  fee 0"
        assert shown.new.entry == shown.new.beta == ""


def test_live_results_are_green_or_red_and_old_ones_violet():
    shown = JournalPresenter().present(Kept((trade(),)), quoted(3), Settings(), ())
    total = shown.open.rows[0][1]
    assert (total.text, total.tone) == ("+3,797.00", Tone.GOOD)  # 20 x 5 x 30 + 4 x 2 x 100 - 3
    assert shown.standing == Text("")
    old = JournalPresenter().present(Kept((trade(),)), quoted(3600), Settings(), ())
    assert old.open.rows[0][1].tone is Tone.PAST
    assert old.standing.text == "prices not live"


def test_the_past_is_read_only_and_violet():
    early = JournalPresenter().present(Kept((trade(),)), quoted(3, Mode.AS_OF), Settings(), ())
    assert early.refused == PAST
    assert early.open.rows[0][1].tone is Tone.PAST


def test_the_same_object_while_nothing_changed():
    presenter, snapshot, kept = JournalPresenter(), quoted(3), Kept((trade(),))
    assert presenter.present(kept, snapshot, Settings(), LEGS) is presenter.present(
        kept, snapshot, Settings(), LEGS
    )


def test_a_new_price_leaves_what_is_closed_as_it_is():
    """Years of closed trades are not worked out again four times a second."""
    at = NOW - timedelta(hours=1)
    out = tuple(replace(one, quantity=-one.quantity, at=at, kind=FillKind.CLOSE) for one in trade().fills)
    kept = Kept((trade(), replace(trade(), number=2, fills=(*trade().fills, *out))))
    presenter = JournalPresenter()
    before, after = (presenter.present(kept, quoted(3, rty=rty), Settings(), ()) for rty in (2130, 2131))
    assert [one.open.rows[0][1].text for one in (before, after)] == ["+3,797.00", "+3,897.00"]
    assert len(after.closed.rows) == 1
    for name in ("closed", "closed_trades", "record", "void"):
        assert getattr(before, name) is getattr(after, name)


def test_an_unreadable_book_is_told():
    shown = JournalPresenter().present(Kept(wrong="store x: damaged"), quoted(3), Settings(), ())
    assert shown.refused == "store x: damaged"


def cell(kept: Trade, name: str, age_s: float = 3) -> Text:
    shown = JournalPresenter().present(Kept((kept,)), quoted(age_s), Settings(), ())
    return shown.open.rows[0][shown.open.headers.index(name)]


def test_a_contract_that_is_not_quoted_is_not_marked_and_says_so():
    """On 11 July 2024 the September contract is quoted; a December one is tens of points away."""
    sep, dec = date(2024, 9, 1), date(2024, 12, 1)
    fills = trade().fills
    far = replace(trade(), fills=(replace(fills[0], month=dec), replace(fills[1], month=sep)))
    assert cell(far, "Holds").text == "+20 M2K Dec24, −4 MNQ Sep24"
    total = cell(far, "P&L $")
    assert total.text == "n/a"
    assert total.why == "no price of M2K Dec24: the quote is of Sep24, and no roll between them was noted"
    assert cell(far, "NDX leg $").text == "+800.00"  # 4 x 2 x 100


def test_in_the_week_of_the_roll_both_months_are_marked_and_neither_is_live():
    """Monday 16 to Friday 20 September 2024: the quote may be of September or of December."""
    tuesday = datetime(2024, 9, 17, 15, 0, tzinfo=UTC)
    snapshot = quoted(3, now=tuesday)
    for month in (date(2024, 9, 1), date(2024, 12, 1)):
        held = replace(trade(), fills=tuple(replace(one, month=month) for one in trade().fills))
        shown = JournalPresenter().present(Kept((held,)), snapshot, Settings(), ())
        assert shown.open.rows[0][1].text == "+3,797.00"
        assert shown.open.rows[0][1].tone is Tone.PAST
        assert shown.standing.text == "prices not live"
        assert "perhaps of" in shown.standing.why


def test_what_rolls_cost_is_told_apart():
    roll = Fill("M2K", Decimal(-20), Decimal(2130), Decimal("12.40"), NOW, FillKind.ROLL)
    rolled = replace(trade(), fills=(*trade().fills, roll, replace(roll, quantity=Decimal(20))))
    costs = cell(rolled, "Costs $")
    assert (costs.text, costs.why) == ("−24.80", "of it for rolls −24.80")


def test_a_level_is_loud_once_it_is_reached():
    """No index is stored here: NDX/RUT is not known, and nothing is said to be reached."""
    stopped = replace(trade(), stop=Decimal("9.7"), target=Decimal("9.0"))
    assert cell(stopped, "Stop").text == "9.7"
    snapshot = build(EVENING, date(2024, 7, 11))
    assert not isinstance(snapshot.ratio, Unknown)
    ratio = Decimal(str(round(snapshot.ratio.value, 4)))
    for level, name, shown in (
        (ratio, "Stop", f"{ratio} reached"),
        (ratio + 1, "Stop", f"{ratio + 1}"),
        (ratio, "Target", f"{ratio} reached"),
        (ratio - 1, "Target", f"{ratio - 1}"),
    ):
        kept = replace(trade(), stop=level) if name == "Stop" else replace(trade(), target=level)
        found = JournalPresenter().present(Kept((kept,)), snapshot, Settings(), ())
        assert found.open.rows[0][found.open.headers.index(name)].text == shown


def test_a_chosen_trade_tells_its_legs_and_all_open_ones_their_sum():
    two = (trade(), replace(trade(), number=2))
    shown = JournalPresenter().present(Kept(two), quoted(3), Settings(), ())
    # 20 x 5 x (2130 - 2100), 4 x 2 x (20600 - 20500), and 3 of borrow each.
    assert shown.total == Text("2 open: +7,594.00 $", Tone.GOOD)
    told = [one.text for one in shown.open_trades[0].facts]
    assert told[:5] == [
        "+20 M2K, −4 MNQ",
        "RUT leg +3,000.00",
        "NDX leg +800.00",
        "carry −3.00",
        "costs 0.00",
    ]
    alone = JournalPresenter().present(Kept(two[:1]), quoted(3), Settings(), ())
    assert alone.total == Text("")


def test_what_was_taken_back_has_a_page_of_its_own_and_counts_for_nothing():
    shown = JournalPresenter().present(Kept((replace(trade(), void=True),)), quoted(3), Settings(), ())
    assert (shown.open_trades, shown.closed_trades) == ((), ())
    assert [one.title for one in shown.void_trades] == ["1 CPI"]
    assert shown.record[0].text == "no trade closed yet"


def test_what_happened_to_the_file_stays_on_screen():
    told = "the book was damaged and is kept as x; the copy of 2024-07-10 is open"
    assert JournalPresenter().present(Kept(told=told), quoted(3), Settings(), ()).told == told


def test_a_long_note_leaves_its_row_room_for_the_result_and_stands_whole_on_hover():
    """A thesis of a sentence or more in the first column pushed every figure of every trade out of the panel."""
    note = "CPI cool-off: long small caps until\nthe 2-year stops falling, half size"
    named = cell(replace(trade(), note=note), "Trade")
    assert named == Text("1 CPI cool-off: long sm…", why=note)
    assert cell(replace(trade(), note="x" * 22), "Trade").text == "1 " + "x" * 22
    assert cell(replace(trade(), note="one\nline"), "Trade").text == "1 one line"


def test_a_price_that_is_not_young_is_left_to_be_typed_when_closing_too():
    def closing(snapshot: Snapshot) -> str:
        return JournalPresenter().present(Kept((trade(),)), snapshot, Settings(), ()).open_trades[0].closing

    assert closing(quoted(3)) == "SELL 20 M2K @ 2130.0 fee 0\nBUY 4 MNQ @ 20500.0 fee 0"
    assert closing(quoted(3600)) == "SELL 20 M2K @  fee 0\nBUY 4 MNQ @  fee 0"
