"""The journal in the whole window: entered by keyboard, kept over a restart, read-only in the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit

from desktop.book import FILE_NAME, Book
from desktop.journal_book import Journal
from desktop.presenters.frame import Frame
from desktop.trade.journal import Trade
from desktop.trade_dialog import TradeDialog
from tests.app.rig import OPEN, Rig, fill, words
from widgets.journal_panel import JournalAsked
from widgets.states_journal import JournalFile

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

PAIR = "BUY 100 IWM @ 200.10 fee 1\nSELL 40 QQQ @ 490.25 fee 1"


@pytest.fixture
def live(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(size=(1600, 1000))
    rig.frame()
    return rig


def enter(rig: Rig, lines: str, *, note: str = "", accept: bool = True) -> list[str]:
    """Work the next form as a person does; returns what it said was wrong."""
    said: list[str] = []

    def act(dialog: QDialog) -> None:
        assert isinstance(dialog, TradeDialog)
        if note:
            rig.qtbot.keyClicks(dialog.note, note)
        dialog.lines.setPlainText(lines)
        said.append(dialog.wrong.text())
        ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok.isEnabled() is not bool(dialog.wrong.text())
        if accept:
            rig.qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)

    done = rig.in_dialog(act)
    rig.press(Qt.Key.Key_J, control=True)
    rig.until(done)
    return said


def trades(rig: Rig) -> tuple[Trade, ...]:
    with Book(rig.folder / FILE_NAME) as book:
        return Journal(book).trades()


def opened(frame: Frame) -> list[list[str]]:
    assert frame.journal is not None
    return [[cell.text for cell in row] for row in frame.journal.open.rows]


def test_a_trade_is_entered_by_keyboard_and_is_there_after_a_restart(live):
    assert enter(live, PAIR, note="CPI") == [""]
    frame = live.frame(lambda one: one.journal.open_trades)
    (row,) = opened(frame)
    assert row[0] == "1 CPI"
    assert row[6] == "+100 IWM, −40 QQQ"
    (kept,) = trades(live)
    assert [one.price for one in kept.fills] == [Decimal("200.10"), Decimal("490.25")]
    assert (live.folder / "snapshots" / kept.picture).is_file()  # the window as it was
    live.close()
    live.start()
    assert opened(live.frame(lambda one: one.journal.open_trades)) == [row]


def test_without_a_price_the_result_is_not_known_and_says_so(live):
    enter(live, PAIR)
    frame = live.frame(lambda one: one.journal.open_trades)
    cell = frame.journal.open.rows[0][1]
    assert (cell.text, cell.why) == ("n/a", "no price of IWM")


def test_a_wrong_line_is_told_in_place_and_nothing_is_written(live):
    (said,) = enter(live, "BUY 100 SPY @ 500", accept=False)
    assert "SPY is not traded here" in said
    assert trades(live) == ()


def test_it_is_closed_and_stands_in_the_record(live):
    enter(live, "BUY 100 IWM @ 200\nSELL 40 QQQ @ 490")
    frame = live.frame(lambda one: one.journal.open_trades)

    def close(dialog: TradeDialog) -> None:
        dialog.lines.setPlainText("SELL 100 IWM @ 204 fee 1\nBUY 40 QQQ @ 489 fee 1")
        live.qtbot.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)

    done = live.in_dialog(close)
    live.window.journal.asked.emit(JournalAsked("close", frame.journal.open_trades[0]))
    live.until(done)
    frame = live.frame(lambda one: one.journal.closed_trades)
    assert opened(frame) == []
    assert frame.journal.closed.rows[0][1].text == "+438.00"  # 400 + 40 - 2
    assert [one.text for one in frame.journal.record][:2] == ["n 1", "hit rate 100 %"]


def test_in_the_past_nothing_is_entered_and_what_was_not_filled_yet_is_not_shown(live):
    enter(live, PAIR)
    live.frame(lambda one: one.journal.open_trades)
    live.window.set_view(live.window.view.__class__(live.window.view.settings, OPEN - timedelta(days=1)))
    frame = live.frame(lambda one: one.journal.refused)
    assert frame.journal.open_trades == ()
    live.window._reveal("journal")
    assert not live.window.journal.button("new").isEnabled()
    assert any(one.startswith("the journal is read-only") for one in words(live.window.journal))


def test_out_and_in_by_file(live, tmp_path):
    enter(live, PAIR, note="CPI")
    live.frame(lambda one: one.journal.open_trades)
    file = tmp_path / "journal.csv"
    live.window.asked.emit(JournalFile("export", str(file)))
    live.window.asked.emit(JournalFile("import", str(file)))
    live.until(lambda: any("0 trades added" in one and "1 left out" in one for one in words(live.window.status)))
    (first,) = trades(live)
    file.write_text(file.read_text(encoding="utf-8").replace("CPI", "theirs"), encoding="utf-8")
    live.window.asked.emit(JournalFile("import", str(file)))
    live.frame(lambda one: len(one.journal.open_trades) == 2)
    second = trades(live)[1]
    assert (first.fills, second.note) == (second.fills, "theirs")
    file.write_text("nothing", encoding="utf-8")
    live.window.asked.emit(JournalFile("import", str(file)))
    live.until(lambda: any("row 1: the columns are not" in one for one in words(live.window.status)))
    assert len(trades(live)) == 2


def test_the_demo_has_a_journal_of_its_own(rig):
    rig.start(demo=True)
    rig.frame()
    enter(rig, "BUY 20 M2K @ 2130\nSELL 4 MNQ @ 20460")
    frame = rig.frame(lambda one: one.journal.open_trades)
    assert frame.journal.standing.text == "demo: a journal of its own"
    assert frame.journal.open.rows[0][1].text != "n/a"
    assert not (rig.folder / FILE_NAME).exists() or trades(rig) == ()


def test_one_leg_is_no_pair(live):
    (said,) = enter(live, "BUY 100 IWM @ 200", accept=False)
    assert said == "a pair trade needs a fill in each leg"
    assert trades(live) == ()


def test_every_version_can_be_looked_at(live):
    enter(live, PAIR, note="CPI")
    frame = live.frame(lambda one: one.journal.open_trades)
    row = frame.journal.open_trades[0]
    live.window.asked.emit(replace(row.form, note="CPI, tighter", stop="10.1"))
    live.frame(lambda one: one.journal.open_trades[0].form.version == 2)
    shown: list[str] = []
    pictures: list[float] = []

    def look(dialog: QDialog) -> None:
        shown.extend(one.toPlainText() for one in dialog.findChildren(QPlainTextEdit))
        pictures.extend(one.pixmap().width() / one.pixmap().height() for one in dialog.findChildren(QLabel))

    done = live.in_dialog(look)
    live.window.journal.asked.emit(JournalAsked("history", row))
    live.until(done)
    assert pictures == [pytest.approx(1600 / 1000, rel=0.01)]  # the window at entry
    assert "version 2" in shown[0].splitlines()[0]
    assert "CPI, tighter, stop 10.1" in shown[0]
    assert "version 1" in shown[0]
    assert "BUY 100 IWM @ 200.10 fee 1" in shown[0]


def works(rig: Rig, action: str, lines: str | None = None, note: str | None = None) -> list[str]:
    """Work the form of an action on the only trade shown; returns the lines that stood in it."""
    stood: list[str] = []

    def act(dialog: QDialog) -> None:
        assert isinstance(dialog, TradeDialog)
        stood.extend(dialog.lines.toPlainText().splitlines())
        if lines is not None:
            dialog.lines.setPlainText(lines)
        if note is not None:
            dialog.note.setText(note)
        ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok.isEnabled(), dialog.wrong.text()
        rig.qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)

    done = rig.in_dialog(act)
    rig.qtbot.mouseClick(rig.window.journal.button(action), Qt.MouseButton.LeftButton)
    rig.until(done)
    return stood


def test_a_fill_that_was_typed_wrong_is_mended_and_the_wrong_one_stays_in_the_history(live):
    enter(live, "BUY 100 IWM @ 20.01 fee 1\nSELL 40 QQQ @ 490.25 fee 1", note="CPI")
    live.frame(lambda one: one.journal.open_trades)
    live.window._reveal("journal")
    stood = works(live, "edit")
    assert [one.split(" on ")[0] for one in stood] == ["BUY 100 IWM @ 20.01 fee 1", "SELL 40 QQQ @ 490.25 fee 1"]
    live.frame(lambda one: one.journal.open_trades[0].form.version == 2)
    works(live, "edit", "\n".join(stood).replace("20.01", "200.1"))
    live.frame(lambda one: one.journal.open_trades[0].form.version == 3)
    (mended,) = trades(live)
    assert [one.price for one in mended.fills] == [Decimal("200.1"), Decimal("490.25")]
    assert mended.note == "CPI"
    with Book(live.folder / FILE_NAME) as book:
        assert Journal(book).versions(1)[0][1].fills[0].price == Decimal("20.01")


def test_a_closed_trade_takes_the_fee_that_comes_late(live):
    enter(live, PAIR)
    live.frame(lambda one: one.journal.open_trades)
    live.window._reveal("journal")
    works(live, "close", "SELL 100 IWM @ 201.10 fee 1\nBUY 40 QQQ @ 490.25 fee 1")
    live.frame(lambda one: one.journal.closed_trades)
    live.window.journal.show_page("closed")
    works(live, "fills", "CARRY -7.25 borrow of July")
    frame = live.frame(lambda one: one.journal.closed_trades[0].form.version == 3)
    assert frame.journal.closed.rows[0][1].text == "+88.75"  # 100 - 4 - 7.25


def test_more_than_is_held_cannot_be_closed(live):
    enter(live, PAIR)
    live.frame(lambda one: one.journal.open_trades)
    said: list[str] = []

    def act(dialog: QDialog) -> None:
        assert isinstance(dialog, TradeDialog)
        assert dialog.lines.toPlainText().startswith("SELL 100 IWM @ ")
        dialog.lines.setPlainText("SELL 120 IWM @ 204\nBUY 40 QQQ @ 489")
        said.append(dialog.wrong.text())
        assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()

    live.window._reveal("journal")
    done = live.in_dialog(act)
    live.qtbot.mouseClick(live.window.journal.button("close"), Qt.MouseButton.LeftButton)
    live.until(done)
    assert said == ["IWM: +100 is held, this would leave -20; Add fills takes it as it is"]


def test_what_was_typed_comes_back_when_another_window_was_faster(live):
    """Nothing typed is lost: the form is there again, says why, and is entered on top of the other's version."""
    enter(live, PAIR, note="CPI")
    live.frame(lambda one: one.journal.open_trades)
    live.window._reveal("journal")
    with Book(live.folder / FILE_NAME) as book:
        journal = Journal(book)
        seen: list[str] = []

        def first(dialog: QDialog) -> None:
            assert isinstance(dialog, TradeDialog)
            dialog.lines.setPlainText("SELL 50 IWM @ 203 fee 1")
            journal.change(replace(journal.trade(1), note="theirs"), OPEN)
            ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
            again = live.in_dialog(second)
            live.qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)
            seen.append("asked" if again() else "not yet")

        def second(dialog: QDialog) -> None:
            assert isinstance(dialog, TradeDialog)
            seen.extend((dialog.refused.text(), dialog.lines.toPlainText()))
            ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
            live.qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)

        live.in_dialog(first)
        live.qtbot.mouseClick(live.window.journal.button("fills"), Qt.MouseButton.LeftButton)
        live.until(lambda: len(journal.versions(1)) == 3)
        (kept,) = journal.trades()
    assert "not yet" in seen[0]
    assert "trade 1 was changed in another window: version 2" in seen[1]
    assert seen[2] == "SELL 50 IWM @ 203 fee 1"
    assert (kept.note, len(kept.fills)) == ("theirs", 3)


def test_a_trade_taken_back_is_put_back(live, monkeypatch):
    monkeypatch.setattr("desktop.dialogs.sure", lambda *_: True)
    enter(live, PAIR)
    live.frame(lambda one: one.journal.open_trades)
    live.window._reveal("journal")
    live.qtbot.mouseClick(live.window.journal.button("void"), Qt.MouseButton.LeftButton)
    live.frame(lambda one: one.journal.void_trades)
    assert trades(live) == ()
    live.window.journal.show_page("void")
    live.qtbot.mouseClick(live.window.journal.button("void"), Qt.MouseButton.LeftButton)
    live.frame(lambda one: one.journal.open_trades)
    assert len(trades(live)) == 1
