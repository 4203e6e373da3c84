"""The journal panel as a person uses it."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.journal_panel import JournalAsked, JournalPanel
from widgets.states import Curve, EvidenceChart, EvidenceLine, EvidenceTable, Text, Tone
from widgets.states_journal import JournalState, TradeRow, TradeTyped

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

HEAD = ("Trade", "Opened", "Holds", "P&L $")


def table(*names: str) -> EvidenceTable:
    rows = tuple((Text(one), Text("11 Jul 2024"), Text("+20 M2K"), Text("+3,013.12", Tone.GOOD)) for one in names)
    return EvidenceTable(HEAD, rows)


ONE, TWO = (
    TradeRow("1 CPI", TradeTyped("edit", 1, 1, note="CPI", stop="10.3", target="9"), "SELL 20 M2K"),
    TradeRow("2", TradeTyped("edit", 2, 4), "SELL 1 IWM"),
)
DONE = TradeRow("3 scalp", TradeTyped("edit", 3, 1, note="scalp"))
GONE = TradeRow("4 slip", TradeTyped("edit", 4, 2, note="slip"), void=True)
STATE = JournalState(
    table("1 CPI", "2"),
    (ONE, TWO),
    table("3 scalp"),
    (DONE,),
    EvidenceTable(HEAD, ()),
    (),
    (Text("n 1"), Text("hit rate 100 %")),
    None,
    Text(""),
    TradeTyped("new"),
    Text("2 open: +6,026.24 $"),
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = JournalPanel()
    qtbot.addWidget(made)
    made.resize(460, 420)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def words(panel: JournalPanel) -> set[str]:
    return {one.text() for one in panel.findChildren(QPushButton) if one.isVisible()}


def on(panel: JournalPanel) -> set[str]:
    return {
        one
        for one in ("new", "fills", "close", "edit", "void", "history", "export", "import")
        if panel.button(one).isEnabled()
    }


def test_without_a_row_chosen_only_what_needs_none_can_be_done(panel):
    assert on(panel) == {"new", "export", "import"}


def test_the_chosen_row_is_what_is_closed(qtbot, panel):
    panel.table.selectRow(1)
    asked: list[JournalAsked] = []
    panel.asked.connect(asked.append)
    qtbot.mouseClick(panel.button("close"), Qt.MouseButton.LeftButton)
    assert asked == [JournalAsked("close", TWO)]


def test_below_the_table_stands_what_the_chosen_trade_is_made_of_else_the_sum(panel):
    facts = (Text("+20 M2K"), Text("RUT leg +3,000.00"))
    panel.show_state(replace(STATE, open_trades=(ONE, replace(TWO, facts=facts))))
    assert panel._facts.shown() == "2 open: +6,026.24 $"
    panel.table.selectRow(1)
    assert panel._facts.shown() == "+20 M2K · RUT leg +3,000.00"
    panel.show_page("closed")
    assert panel._facts.shown() == ""


def test_many_facts_and_the_curve_leave_a_window_of_720_pixels_its_height(qtbot, panel):
    facts = tuple(Text(f"a fact of some words, number {number}") for number in range(6))
    curve = Curve(np.array([0.0, 86_400.0]), np.array([10.0, 20.0]))
    chart = EvidenceChart("$", (EvidenceLine("sum of closed trades", curve, step=True),), zone="America/New_York")
    panel.resize(340, 340)
    panel.show_state(replace(STATE, open_trades=(ONE, replace(TWO, facts=facts)), curve=chart))
    panel.table.selectRow(1)
    qtbot.waitUntil(lambda: panel._facts.height() >= 6 * 18)
    panel.show_page("closed")
    assert panel.minimumSizeHint().height() <= 340  # its place below the charts


def test_the_only_trade_needs_no_choosing(qtbot, panel):
    panel.show_state(replace(STATE, open=table("1 CPI"), open_trades=(ONE,)))
    assert panel.chosen() == ONE
    assert "close" in on(panel)


def test_a_closed_trade_takes_late_carry_and_cannot_be_closed_again(panel):
    panel.show_page("closed")
    assert panel.chosen() == DONE
    assert on(panel) == {"new", "fills", "edit", "void", "history", "export", "import"}


def test_what_was_taken_back_has_a_page_once_there_is_some_and_can_be_put_back(qtbot, panel):
    assert "Taken back" not in words(panel)
    panel.show_state(replace(STATE, void=table("4 slip"), void_trades=(GONE,)))
    qtbot.waitUntil(lambda: "Taken back" in words(panel))
    panel.show_page("void")
    assert panel.chosen() == GONE
    assert on(panel) == {"new", "void", "history", "export", "import"}
    assert panel.button("void").text() == "Put back"
    panel.show_page("open")
    assert panel.button("void").text() == "Take back"


def test_what_happened_to_the_file_stays_on_screen(panel):
    panel.show_state(replace(STATE, told="the book was damaged; the copy of 2024-07-10 is open"))
    assert panel._message.text() == "the book was damaged; the copy of 2024-07-10 is open"
    assert "new" in on(panel)


def test_in_the_past_it_is_read_only_and_says_why(panel):
    panel.show_state(replace(STATE, refused="the journal is read-only while a past moment is shown"))
    panel.table.selectRow(0)
    assert on(panel) == {"history", "export"}
    assert panel._message.text().startswith("the journal is read-only")


def test_the_same_state_paints_nothing(qtbot, panel):
    qtbot.wait(50)
    paints = Paints(panel)
    panel.show_state(STATE)
    qtbot.wait(50)
    assert paints.count == 0


def test_every_button_is_named_and_reached_by_keyboard(panel):
    for one in ("new", "fills", "close", "edit", "void", "history", "export", "import"):
        assert panel.button(one).accessibleName()
        assert panel.button(one).focusPolicy() & Qt.FocusPolicy.TabFocus
    assert panel.minimumSizeHint().width() <= 360  # its place beside the sizer at 1280 pixels


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT])
def test_both_themes_paint(panel, look):
    panel.set_theme(look)
    assert not panel.grab().isNull()
