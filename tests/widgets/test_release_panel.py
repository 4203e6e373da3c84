"""The release panel as a person uses it."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.release_panel import ReleasePanel
from widgets.states import Choice, Curve, EvidenceChart, EvidenceLine, EvidenceTable, FieldState, Text, Tone
from widgets.states_release import (
    ArmAsked,
    DisarmAsked,
    EventRow,
    FigureTyped,
    OwnDropped,
    OwnTyped,
    ReleaseState,
)

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def row(key: str, name: str, **more) -> EventRow:
    cells = (Text(name), Text("Thu 11 Jul 08:30"), Text("14:30"), Text("4 min 30 s"))
    return replace(EventRow(key, cells, release=True, armable=True), **more)


X = np.array([1.0, 2.0, 3.0])
FAN = EvidenceChart("pp", (EvidenceLine("11 Jul 2024", Curve(X, X)),), x_label="minutes since the release")
STATE = ReleaseState(
    facts=(Text("nothing armed"), Text("schedule known to 4 Dec 2026")),
    headers=("Event", "ET", "CEST", "In"),
    rows=(
        row("cpi:1", "CPI", armable=False),
        row("ppi:2", "PPI"),
        row("expiry:3", "Option expiry", release=False, armable=False),
        row("own:4", "Powell speaks", number=4, title="Powell speaks", day="2024-07-15", clock="12:30"),
    ),
    chosen="cpi:1",
    kinds=(Choice("cpi", "CPI", True), Choice("expiry", "Option expiry", False)),
    is_armed=False,
    can_arm=True,
    title=Text("CPI · Thu 11 Jul 2024 08:30 ET"),
    board_facts=(Text("moves since the second before the release: futures RTY/NQ"),),
    board=EvidenceTable(("min", "Gap pp"), ((Text("+1"), Text("+1.04")), (Text("+5"), Text("not yet")))),
    figures=(
        FieldState("cpi|1|consensus", "consensus", "0.1", "% m/m"),
        FieldState("cpi|1|actual", "actual", "", "% m/m"),
    ),
    fan_facts=(Text("18 earlier with minutes in the store"),),
    fan=FAN,
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = ReleasePanel()
    qtbot.addWidget(made)
    made.resize(800, 320)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    QApplication.processEvents()
    return made


def button(panel: ReleasePanel, text: str) -> QPushButton:
    return next(one for one in panel.findChildren(QPushButton) if one.text() == text and one.isVisible())


def choose(panel: ReleasePanel, number: int) -> None:
    panel.events.setFocus()
    panel.events.setCurrentIndex(panel.events.model().index(number, 0))


def asked(qtbot, panel: ReleasePanel, act) -> object:
    with qtbot.waitSignal(panel.asked) as told:
        act()
    return told.args[0]


def test_calendar_and_board_stand_side_by_side(panel):
    assert panel.events.isVisible()
    assert panel.board.isVisible()
    assert panel.events.model().index(1, 0).data() == "PPI"
    assert panel.board.model().index(0, 1).data() == "+1.04"


def test_a_narrow_panel_shows_one_of_them_and_the_calendar_by_a_button(panel, qtbot):
    panel.resize(600, 220)
    QApplication.processEvents()
    assert not panel.events.isVisible()
    assert panel.board.isVisible()
    qtbot.mouseClick(button(panel, "Calendar"), Qt.MouseButton.LeftButton)
    assert panel.events.isVisible()
    assert not panel.board.isVisible()
    panel.resize(800, 320)
    QApplication.processEvents()
    assert panel.board.isVisible()


def test_the_button_arms_the_next_release_or_the_chosen_one(panel, qtbot):
    assert asked(qtbot, panel, button(panel, "Arm next F6").click) == ArmAsked("")  # CPI is past
    choose(panel, 1)
    assert asked(qtbot, panel, button(panel, "Arm chosen").click) == ArmAsked("ppi:2")
    panel.show_state(replace(STATE, is_armed=True))
    assert asked(qtbot, panel, button(panel, "Disarm").click) == DisarmAsked()


def test_in_the_past_nothing_can_be_armed(panel):
    panel.show_state(replace(STATE, can_arm=False))
    assert not button(panel, "Arm next F6").isEnabled()


def test_a_chosen_release_asks_for_its_board_and_a_mark_does_not(panel, qtbot):
    with qtbot.waitSignal(panel.event_chosen) as told:
        choose(panel, 1)
    assert told.args == ["ppi:2"]
    with qtbot.assertNotEmitted(panel.event_chosen):
        choose(panel, 2)


def test_what_is_chosen_stays_chosen_as_countdowns_go_on(panel):
    choose(panel, 1)
    rows = tuple(replace(one, cells=(*one.cells[:3], Text("4 min 29 s"))) for one in STATE.rows)
    panel.show_state(replace(STATE, rows=rows))
    panel.show_state(replace(STATE, rows=rows[1:]))
    assert panel.events.chosen is not None
    assert panel.events.chosen.key == "ppi:2"


def test_an_own_event_is_typed_and_added_by_return(panel, qtbot):
    for edit, text in (
        (panel.own.title, "Powell speaks"),
        (panel.own.day, "2024-07-15"),
        (panel.own.clock, "12:30"),
    ):
        qtbot.keyClicks(edit, text)
    typed = asked(qtbot, panel, lambda: qtbot.keyClick(panel.own.clock, Qt.Key.Key_Return))
    assert typed == OwnTyped(0, "Powell speaks", "2024-07-15", "12:30")
    panel.show_state(replace(STATE, own_error="date '15 July': write it like 2026-12-03"))
    assert panel.own.day.property("error")
    assert "date '15 July': write it like 2026-12-03" in [
        one.text() for one in panel.findChildren(QLabel) if one.isVisible()
    ]
    assert panel.own.title.text() == "Powell speaks"  # nothing typed is lost
    panel.show_state(replace(STATE, own_saved=1))
    assert panel.own.title.text() == ""


def test_an_own_event_of_the_list_is_changed_or_deleted(panel, qtbot):
    choose(panel, 3)
    assert (panel.own.title.text(), panel.own.day.text(), panel.own.clock.text()) == (
        "Powell speaks",
        "2024-07-15",
        "12:30",
    )
    assert asked(qtbot, panel, button(panel, "Save").click) == OwnTyped(4, "Powell speaks", "2024-07-15", "12:30")
    assert asked(qtbot, panel, button(panel, "Delete").click) == OwnDropped(4)


def test_figures_are_told_as_they_are_typed(panel, qtbot):
    qtbot.mouseClick(button(panel, "Surprise"), Qt.MouseButton.LeftButton)
    field = panel.field("cpi|1|actual")
    assert field.isVisible()
    assert panel.fan.isVisible()
    assert asked(qtbot, panel, lambda: qtbot.keyClicks(field.edit, "0")) == FigureTyped("cpi|1|actual", "0")


def test_kinds_and_the_sound_are_chosen_in_the_menu(panel, qtbot):
    actions = {one.text(): one for one in panel.kinds.menu().actions() if one.text()}
    assert [name for name, one in actions.items() if one.isChecked()] == ["CPI"]
    assert panel.kinds.text() == "Kinds −1"
    with qtbot.waitSignal(panel.kind_toggled) as told:
        actions["Option expiry"].trigger()
    assert told.args == ["expiry"]
    with qtbot.waitSignal(panel.sound_toggled) as sounded:
        actions["Sound at an armed release"].trigger()
    assert sounded.args == [True]


def test_the_same_state_paints_nothing(panel):
    with_colour = replace(STATE, title=Text("CPI", Tone.WARN))
    panel.show_state(with_colour)
    QApplication.processEvents()
    paints = Paints(panel)
    panel.show_state(replace(STATE, title=Text("CPI", Tone.WARN)))
    QApplication.processEvents()
    assert paints.count == 0


def test_every_control_has_a_name_for_a_screen_reader(panel):
    for one in panel.findChildren(QPushButton):
        assert one.accessibleName() or one.text(), one
    assert panel.events.accessibleName() == "Calendar"
    assert panel.own.title.accessibleName() == "Title of an own event"
