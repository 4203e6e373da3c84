"""The sizer's pages as a person uses them: giving a value back to the market, sliding, exporting, set-ups."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu, QMessageBox, QSlider

from tests.widgets.test_sizer_panel import STATE, Told, edit, labels, segmented
from widgets import theme
from widgets.sizer_pages import CompactTable
from widgets.sizer_panel import SizerPanel
from widgets.sizer_take import SetupsButton, TakeAway
from widgets.states import (
    Choice,
    CoverState,
    EvidenceTable,
    FieldState,
    Offer,
    OrdersState,
    SetupAsked,
    SetupsState,
    SizerState,
    SizerTables,
    SliderState,
    Text,
    Tone,
    WhatIfState,
)

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

PRICE = FieldState(
    "rut_price", "M2K price", "", "", page="market", hint="2,141.60", origin=Text("14:31:07 · 3 s", Tone.DIM)
)
OFFERS = (
    Offer("ibkr", "Basket for IBKR", "pair-ibkr-1.csv", "Action,Quantity\r\nBUY,46\r\n"),
    Offer("oms", "Orders for an OMS", "pair-oms-1.csv", "side,quantity\r\nBUY,46\r\n"),
)


def sliders(path: str = "free", rut: float = 0.0, ndx: float = 0.0, ratio: float = 0.0) -> WhatIfState:
    free = path == "free"
    return WhatIfState(
        tuple(Choice(key, key, key == path) for key in ("free", "ndx_flat", "rut_flat", "symmetric")),
        (
            SliderState("what_rut", "RUT", rut, -20, 20, Text(f"{rut} %"), free),
            SliderState("what_ndx", "NDX", ndx, -20, 20, Text(f"{ndx} %"), free),
            SliderState("what_ratio", "Ratio", ratio, -20, 20, Text(f"{ratio} %"), not free),
        ),
        (Text("P&L +$0"),),
    )


FULL = replace(
    STATE,
    fields=(*STATE.fields, PRICE, FieldState("held", "You hold", "", "", page="hedge")),
    orders=OrdersState("BUY 46 M2K", OFFERS),
    what_if=sliders(),
    cover=CoverState(message="Type what you hold"),
    tables=SizerTables(days=EvidenceTable(("Worst days", "P&L $"), ((Text("3 Jan 2001"), Text("−$41,081")),))),
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = SizerPanel()
    qtbot.addWidget(made)
    made.resize(1060, 440)
    made.show_state(FULL)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def with_price(**changes) -> SizerState:
    fields = tuple(replace(one, **changes) if one.key == "rut_price" else one for one in FULL.fields)
    return replace(FULL, fields=fields)


# Typed over the market


def test_the_markets_value_stands_in_the_empty_field_with_its_age_below(panel):
    panel.show_page("market")
    field = panel.field("rut_price")
    assert (field.edit.text(), field.edit.placeholderText()) == ("", "2,141.60")
    assert "14:31:07 · 3 s" in labels(panel)
    assert not field.mark.isVisible()


def test_a_click_on_the_mark_gives_the_value_back(panel, qtbot):
    panel.show_page("market")
    told = Told(panel)
    panel.show_state(with_price(text="2200", typed=True))
    field = panel.field("rut_price")
    assert field.mark.isVisible()
    assert field.mark.text() == "typed ×"
    qtbot.mouseClick(field.mark, Qt.MouseButton.LeftButton)
    assert told.text("rut_price") == ""
    assert field.edit.text() == ""


def test_shift_escape_gives_a_level_back_to_its_suggestion(panel, qtbot):
    told = Told(panel)
    fields = tuple(
        replace(one, text="9.7", typed=True, untyped="auto") if one.key == "stop" else one for one in FULL.fields
    )
    panel.show_state(replace(FULL, fields=fields))
    qtbot.keyClick(edit(panel, "stop"), Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier)
    assert told.text("stop") == "auto"
    panel.show_state(FULL)  # the frame that answers holds the suggestion
    assert edit(panel, "stop").text() == "9.950"
    assert not panel.field("stop").mark.isVisible()


def test_a_page_with_a_wrong_or_a_typed_field_is_marked(panel):
    pages = segmented(panel, "Page")
    assert pages.button("market").text() == "Market"
    panel.show_state(with_price(text="2200", typed=True))
    assert pages.button("market").text() == "Market ✎"
    panel.show_state(with_price(text="x", typed=True, error="is not a number"))
    assert pages.button("market").text() == "Market !"
    assert "M2K price: is not a number" in labels(panel)


def test_a_field_that_stays_keeps_keyboard_and_text_when_others_come_and_go(panel, qtbot):
    field = edit(panel, "capital")
    field.setFocus()
    field.setCursorPosition(3)
    panel.show_state(replace(FULL, fields=tuple(one for one in FULL.fields if one.key != "risk")))
    assert edit(panel, "capital") is field
    assert QApplication.focusWidget() is field
    assert field.cursorPosition() == 3


# Pages


def test_control_page_down_turns_the_pages_and_comes_round(panel, qtbot):
    edit(panel, "capital").setFocus()
    seen = []
    for _ in range(6):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
        seen.append(panel.page)
    assert seen == ["market", "risk", "what_if", "costs", "hedge", "ticket"]


def test_standing_of_the_prices_is_told_on_every_page(panel):
    panel.show_state(replace(FULL, standing=Text("old prices", Tone.WARN, "M2K: 2 h old")))
    for page in ("ticket", "risk", "hedge"):
        panel.show_page(page)
        assert "old prices" in labels(panel)


def test_a_table_is_as_high_as_its_rows(panel):
    panel.show_page("risk")
    table = next(one for one in panel.findChildren(CompactTable) if one.accessibleName().startswith("Worst"))
    assert table.isVisible()
    assert table.verticalScrollBar().maximum() == 0
    assert table.table() == "Worst days\tP&L $\n3 Jan 2001\t-$41,081\n"


def test_without_a_position_every_page_says_why(panel):
    empty = replace(
        FULL, legs=(), heat=None, tables=SizerTables(), what_if=None, orders=None, message="IWM has no price"
    )
    panel.show_state(empty)
    for page in ("ticket", "risk", "what_if"):
        panel.show_page(page)
        QApplication.processEvents()
        assert "IWM has no price" in labels(panel)
    panel.show_state(FULL)
    assert "IWM has no price" not in labels(panel)


# What if


def slider(panel: SizerPanel, name: str) -> QSlider:
    return next(one for one in panel.findChildren(QSlider) if one.accessibleName() == f"What if {name} moves, %")


def test_arrow_keys_move_a_leg_by_a_tenth_of_a_percent(panel, qtbot):
    panel.show_page("what_if")
    told = Told(panel)
    qtbot.keyClick(slider(panel, "RUT"), Qt.Key.Key_Right)
    qtbot.keyClick(slider(panel, "RUT"), Qt.Key.Key_PageUp)
    assert [dict(form.fields)["what_rut"] for form in told.forms] == ["0.1", "1.1"]
    assert "what_ratio" not in dict(told.forms[-1].fields)  # it follows while the legs are free
    qtbot.keyClick(slider(panel, "RUT"), Qt.Key.Key_Home)
    assert dict(told.forms[-1].fields)["what_rut"] == "0"


def test_late_answers_do_not_pull_a_slider_back(panel, qtbot):
    panel.show_page("what_if")
    rut = slider(panel, "RUT")
    for _ in range(3):
        qtbot.keyClick(rut, Qt.Key.Key_Right)
    panel.show_state(replace(FULL, what_if=sliders(rut=0.1)))
    assert rut.value() == 3
    panel.show_state(replace(FULL, what_if=sliders(rut=0.3)))
    assert rut.value() == 3
    panel.show_state(replace(FULL, what_if=sliders(rut=-5.0)))  # a set-up was loaded
    assert rut.value() == -50


def test_on_a_path_the_ratio_is_moved_and_the_legs_follow(panel, qtbot):
    panel.show_page("what_if")
    told = Told(panel)
    QApplication.processEvents()  # the page is laid out
    qtbot.mouseClick(segmented(panel, "What-if path").button("rut_flat"), Qt.MouseButton.LeftButton)
    assert told.forms[-1].path == "rut_flat"
    panel.show_state(replace(FULL, what_if=sliders("rut_flat", ndx=2.0, ratio=2.0)))
    assert [slider(panel, one).isEnabled() for one in ("RUT", "NDX", "Ratio")] == [False, False, True]
    assert [slider(panel, one).value() for one in ("RUT", "NDX", "Ratio")] == [0, 20, 20]


# Orders


def take(panel: SizerPanel) -> TakeAway:
    found = panel.findChild(TakeAway)
    assert found is not None
    return found


class Answers:
    """What the person answers to the dialogs of an export."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: str, sure: bool = True) -> None:
        self.asked: list[str] = []
        self.suggested: list[str] = []
        monkeypatch.setattr(QMessageBox, "warning", self._warning)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", self._file)
        self._path, self._sure = path, sure

    def _warning(self, _parent, _title, words, *_buttons):
        self.asked.append(words)
        return QMessageBox.StandardButton.Yes if self._sure else QMessageBox.StandardButton.No

    def _file(self, _parent, _title, name, _filter):
        self.suggested.append(name)
        return self._path, ""


def export(panel: SizerPanel, label: str) -> None:
    menu = take(panel).export.menu()
    next(one for one in menu.actions() if one.text() == label).trigger()


def test_live_orders_are_written_as_they_stand(panel, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "orders.csv"
    answers = Answers(monkeypatch, str(path))
    with qtbot.waitSignal(panel.orders_saved) as saved:
        export(panel, "Basket for IBKR…")
    assert saved.args == [str(path)]
    assert path.read_bytes() == b"Action,Quantity\r\nBUY,46\r\n"
    assert answers.asked == []
    assert answers.suggested == ["pair-ibkr-1.csv"]


def test_doubtful_prices_are_told_first_and_no_means_no(panel, tmp_path, monkeypatch):
    path = tmp_path / "orders.csv"
    panel.show_state(replace(FULL, orders=OrdersState("BUY", OFFERS, confirm="M2K: typed")))
    answers = Answers(monkeypatch, str(path), sure=False)
    export(panel, "Orders for an OMS…")
    assert "M2K: typed" in answers.asked[0]
    assert (answers.suggested, path.exists()) == ([], False)
    answers = Answers(monkeypatch, str(path), sure=True)
    export(panel, "Orders for an OMS…")
    assert path.read_bytes() == b"side,quantity\r\nBUY,46\r\n"


def test_prices_that_are_not_of_now_offer_no_file_and_say_why(panel):
    panel.show_state(replace(FULL, orders=OrdersState("NOT LIVE", (), refused="prices of the demo are simulated")))
    menu = take(panel).export.menu()
    assert [(one.text(), one.isEnabled()) for one in menu.actions()] == [
        ("No file: prices of the demo are simulated", False),
        ("As text to the clipboard", True),
    ]


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_claimed(panel, tmp_path, monkeypatch):
    saved: list[str] = []
    panel.orders_saved.connect(saved.append)
    answers = Answers(monkeypatch, str(tmp_path / "no folder" / "orders.csv"))
    export(panel, "Basket for IBKR…")
    assert "orders.csv was not written" in answers.asked[0]
    assert saved == []


def test_on_the_page_of_the_hedge_its_orders_are_taken(panel, qtbot):
    cover = CoverState((Text("held"),), None, OrdersState("SELL 3 MNQ", ()))
    panel.show_state(replace(FULL, cover=cover))
    buttons = take(panel)
    assert buttons.copy.text() == "Copy ticket"
    panel.show_page("hedge")
    assert buttons.copy.text() == "Copy hedge"
    qtbot.mouseClick(buttons.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "SELL 3 MNQ"
    panel.show_page("ticket")
    assert buttons.copy.text() == "Copy ticket"
    panel.show_page("hedge")
    panel.show_state(FULL)
    assert not buttons.copy.isEnabled()  # nothing is held: nothing to take


# Set-ups


def setups(panel: SizerPanel, names: tuple[str, ...], current: str = "") -> list[SetupAsked]:
    asked: list[SetupAsked] = []
    panel.setup_asked.connect(asked.append)
    panel.show_state(replace(FULL, setups=SetupsState(names, current)))
    return asked


def choose(panel: SizerPanel, *path: str) -> None:
    button = panel.findChild(SetupsButton)
    assert button is not None
    menu = button.menu()
    for words in path[:-1]:
        found = next(one for one in menu.actions() if one.text() == words).menu()
        assert isinstance(found, QMenu)
        menu = found
    next(one for one in menu.actions() if one.text() == path[-1]).trigger()


def typing(monkeypatch: pytest.MonkeyPatch, name: str, accepted: bool = True) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args: (name, accepted))


def answering(monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_args: answer)


def test_a_set_up_is_loaded_by_its_name_and_the_button_tells_it(panel):
    asked = setups(panel, ("CPI day", "R&D"), "R&D")
    assert panel.findChild(SetupsButton).text() == "R&&D"  # one & would make D its shortcut and not be shown
    choose(panel, "CPI day")
    choose(panel, "R&&D")
    assert asked == [SetupAsked("load", "CPI day"), SetupAsked("load", "R&D")]


def test_a_changed_set_up_is_saved_again_with_one_choice(panel):
    asked = setups(panel, ("CPI day",), "CPI day")
    button = panel.findChild(SetupsButton)
    assert button is not None
    assert not any("again" in one.text() for one in button.menu().actions())
    panel.show_state(replace(FULL, setups=SetupsState(("CPI day",), "CPI day", changed=True)))
    assert button.text() == "CPI day •"
    choose(panel, "Save “CPI day” again")
    assert asked == [SetupAsked("save", "CPI day")]


def test_an_ampersand_in_a_name_is_shown_wherever_the_name_stands(panel):
    asked = setups(panel, ("R&D",), "R&D")
    panel.show_state(replace(FULL, setups=SetupsState(("R&D",), "R&D", changed=True)))
    assert panel.findChild(SetupsButton).text() == "R&&D •"
    choose(panel, "Save “R&&D” again")
    assert asked == [SetupAsked("save", "R&D")]


def test_a_set_up_is_saved_under_the_name_that_is_typed(panel, monkeypatch):
    asked = setups(panel, ("CPI day",))
    typing(monkeypatch, " NFP ")
    choose(panel, "Save as…")
    typing(monkeypatch, "given up", accepted=False)
    choose(panel, "Save as…")
    assert asked == [SetupAsked("save", "NFP")]


def test_a_name_that_is_there_is_replaced_only_when_sure(panel, monkeypatch):
    asked = setups(panel, ("CPI day",))
    typing(monkeypatch, "CPI day")
    answering(monkeypatch, QMessageBox.StandardButton.No)
    choose(panel, "Save as…")
    assert asked == []
    answering(monkeypatch, QMessageBox.StandardButton.Yes)
    choose(panel, "Save as…")
    assert asked == [SetupAsked("save", "CPI day")]


def test_a_name_typed_with_more_blanks_is_the_one_that_is_there(panel, monkeypatch):
    asked = setups(panel, ("CPI day",))
    typing(monkeypatch, "CPI  day")  # kept as "CPI day"
    answering(monkeypatch, QMessageBox.StandardButton.No)
    choose(panel, "Save as…")
    assert asked == []


def test_a_set_up_is_renamed_and_deleted(panel, monkeypatch):
    asked = setups(panel, ("CPI day",))
    typing(monkeypatch, "CPI")
    choose(panel, "Rename", "CPI day")
    answering(monkeypatch, QMessageBox.StandardButton.No)
    choose(panel, "Delete", "CPI day")
    answering(monkeypatch, QMessageBox.StandardButton.Yes)
    choose(panel, "Delete", "CPI day")
    assert asked == [SetupAsked("rename", "CPI day", "CPI"), SetupAsked("delete", "CPI day")]
