"""What is typed into the journal's form, carried out: months that are not told, edits, trades taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from desktop.book import Book
from desktop.journal_book import Journal
from desktop.market.known import UserError
from desktop.presenters.journal import JournalPresenter, Kept
from desktop.settings import Settings
from desktop.trade.journal import Fill, FillKind, Trade
from desktop.trade_entry import enter, read
from tests.presenters.test_journal_words import quoted
from tests.test_journal_book import anything
from widgets.states_journal import TradeTyped

AT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
NOW = AT + timedelta(hours=6)
SEP, DEC = date(2024, 9, 1), date(2024, 12, 1)
D = Decimal


def future(quantity: int, month: date | None, symbol: str = "M2K") -> Fill:
    return Fill(symbol, D(quantity), D(2100), D(0), AT, FillKind.OPEN, month)


def adds(trade: Trade, lines: str, action: str = "fills") -> dict[str, Decimal]:
    return dict(read(TradeTyped(action, lines=lines), trade, NOW).held)


def test_a_line_without_a_month_is_of_the_one_that_is_held():
    held = Trade(1, 1, "", (future(20, SEP), future(-4, SEP, "MNQ")))
    assert adds(held, "SELL 5 M2K @ 2150\nSELL 1 MNQ @ 20500") == {"M2K Sep24": D(15), "MNQ Sep24": D(-5)}


def test_a_line_without_a_month_is_asked_for_it_where_two_are_held():
    """Else both months would count as one, at one price."""
    half = Trade(1, 1, "", (future(10, SEP), future(10, DEC)))
    for action in ("fills", "close"):
        with pytest.raises(UserError, match=r"SELL 10 M2K @ 2150.*M2K Dec24 and M2K Sep24 are held.*month"):
            adds(half, "SELL 10 M2K @ 2150", action)
    assert adds(half, "SELL 10 M2K Sep24 @ 2150") == {"M2K Dec24": D(10)}


@pytest.mark.parametrize(("side", "quantity"), [("BUY", 20), ("SELL", -20)])
def test_a_roll_tells_the_month_it_goes_into(side, quantity):
    """Without it the new month was noted as the old one: no roll, and a mark tens of points off."""
    held = Trade(1, 1, "", (future(quantity, SEP),))
    out = "SELL" if side == "BUY" else "BUY"
    with pytest.raises(UserError, match=f"{side} 20 M2K @ 2212.5.*month it goes into"):
        adds(held, f"{out} 20 M2K @ 2190 roll\n{side} 20 M2K @ 2212.5 roll")
    rolled = adds(held, f"{out} 20 M2K @ 2190 roll\n{side} 20 M2K Dec24 @ 2212.5 roll")
    assert rolled == {"M2K Dec24": D(quantity)}


def test_a_trade_that_never_told_its_months_asks_for_none():
    held = Trade(1, 1, "", (future(20, None),))
    assert adds(held, "SELL 20 M2K @ 2190 roll\nBUY 20 M2K @ 2212.5 roll") == {"M2K": D(20)}


@given(anything)
def test_an_edit_that_changes_nothing_gives_the_same_to_the_last_digit_and_microsecond(trade):
    levels = ("entry_ratio", "stop", "target", "entry_beta")
    shown = replace(trade, note=trade.note.strip(), **{name: D("9.123456") for name in levels})
    state = JournalPresenter().present(Kept((shown,)), quoted(3), Settings(), ())
    (row,) = (*state.open_trades, *state.closed_trades)
    assert read(row.form, shown, NOW + timedelta(days=90)) == shown


@pytest.mark.parametrize("action", ["fills", "close", "edit"])
def test_what_another_window_took_back_takes_no_fill_until_it_is_put_back(action):
    with Book(None) as book:
        journal = Journal(book)
        first = journal.add(Trade(0, 1, "", (future(20, SEP),)), AT)
        gone = journal.change(replace(first, void=True), AT)
        typed = TradeTyped(action, 1, gone.version, "SELL 20 M2K Sep24 @ 2150")
        with pytest.raises(UserError, match=r"trade 1 was taken back: Put back, on the page Taken back"):
            enter(journal, typed, NOW)
        assert journal.everything() == (gone,)
        enter(journal, replace(typed, action="restore"), NOW)
        assert enter(journal, replace(typed, version=3), NOW)
        assert journal.trades()[0].version == 4
