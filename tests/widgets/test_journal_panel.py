"""The journal panel as a person uses it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.journal_panel import JournalAsked, JournalPanel
from widgets.states import EvidenceTable, Text, Tone
from widgets.states_journal import JournalState, TradeRow

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

HEAD = ("Trade", "Opened", "Holds", "P&L $")


def table(*names: str) -> EvidenceTable:
    rows = tuple((Text(one), Text("11 Jul 2024"), Text("+20 M2K"), Text("+3,013.12", Tone.GOOD)) for one in names)
    return EvidenceTable(HEAD, rows)


ONE, TWO = (
    TradeRow(1, 1, "1 CPI", "CPI", "10.3", "9", "SELL 20 M2K"),
    TradeRow(2, 4, "2", "", "", "", "SELL 1 IWM"),
)
DONE = TradeRow(3, 1, "3 scalp", "scalp", "", "")
STATE = JournalState(
    table("1 CPI", "2"),
    (ONE, TWO),
    table("3 scalp"),
    (DONE,),
    (Text("n 1"), Text("hit rate 100 %")),
    None,
    Text(""),
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


def on(panel: JournalPanel) -> set[str]:
    return {
        one
        for one in ("new", "fills", "close", "levels", "void", "history", "export", "import")
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


def test_the_only_trade_needs_no_choosing(qtbot, panel):
    panel.show_state(replace(STATE, open=table("1 CPI"), open_trades=(ONE,)))
    assert panel.chosen() == ONE
    assert "close" in on(panel)


def test_a_closed_trade_takes_no_fills(panel):
    panel.show_page("closed")
    assert panel.chosen() == DONE
    assert on(panel) == {"new", "levels", "void", "history", "export", "import"}


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
    for one in ("new", "fills", "close", "levels", "void", "history", "export", "import"):
        assert panel.button(one).accessibleName()
        assert panel.button(one).focusPolicy() & Qt.FocusPolicy.TabFocus
    assert panel.minimumSizeHint().width() <= 360  # its place beside the sizer at 1280 pixels


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT])
def test_both_themes_paint(panel, look):
    panel.set_theme(look)
    assert not panel.grab().isNull()
