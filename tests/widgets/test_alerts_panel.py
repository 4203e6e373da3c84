"""The alerts panel as a person uses it: keyboard and mouse, rules, editor, log."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget

from widgets import theme
from widgets.alerts_panel import AlertsPanel
from widgets.states import Choice, FieldState, Text, Tone
from widgets.states_alerts import Act, AlertsState, EditorState, LogRow, RuleAct, RuleForm, RuleRow

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def row(key: int, title: str = "Ratio NDX / RUT ≥ 10.000", **more) -> RuleRow:
    form = RuleForm(key, "ratio", "", "above", "10", "", "0.020")
    made = RuleRow(key, title, Text("9.511"), Text("0.489 away", Tone.GOOD), Text("once since 1987"), form)
    return replace(made, **more)


def entry(key: int, *, seen: bool = False) -> LogRow:
    title = Text(f"Ratio crossed {key}", Tone.PLAIN if seen else Tone.WARN)
    return LogRow(key, Text("11:00 ET"), title, Text("10.012 · 2 s old · index"), seen)


STATE = AlertsState(
    rows=(row(1), row(2, "Regime becomes de-grossing", value=Text("orderly"))),
    log=(entry(5), entry(4, seen=True)),
    summary=Text("2 of 2 watched"),
    unseen=1,
)
FORM = RuleForm(0, "ratio", "", "above", "", "", "")
EDITOR = EditorState(
    form=FORM,
    subjects=(Choice("ratio", "Ratio NDX / RUT", True), Choice("regime", "Regime")),
    params=(Choice("", ""),),
    conditions=(Choice("above", "at or above", True), Choice("below", "at or below")),
    targets=(),
    level=FieldState("level", "Level", "", "", "type a number"),
    band=FieldState("band", "Hysteresis", "", ""),
    now=Text("now 9.511"),
    history=Text("Not complete: type a number"),
    dates=Text(""),
    can_save=False,
    band_hint="0.02",
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = AlertsPanel()
    qtbot.addWidget(made)
    made.resize(380, 420)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    QApplication.processEvents()
    return made


@pytest.fixture
def asked(panel) -> list[object]:
    said: list[object] = []
    panel.asked.connect(said.append)
    return said


@pytest.fixture
def typed(panel) -> list[RuleForm | None]:
    said: list[RuleForm | None] = []
    panel.typed.connect(said.append)
    return said


def words(panel: QWidget) -> set[str]:
    return {one.text() for one in panel.findChildren(QLabel) if one.isVisible() and one.text()}


def button(panel: QWidget, text: str) -> QPushButton:
    return next(one for one in panel.findChildren(QPushButton) if one.text() == text and one.isVisible())


def press(qtbot, key: Qt.Key) -> None:
    widget = QApplication.focusWidget()
    assert widget is not None
    qtbot.keyClick(widget, key)


def test_every_rule_tells_value_distance_and_history(panel):
    assert {"Ratio NDX / RUT ≥ 10.000", "9.511", "0.489 away", "once since 1987", "orderly"} <= words(panel)
    line = panel.rule(1)
    assert line.accessibleName() == "Ratio NDX / RUT ≥ 10.000"
    assert line.accessibleDescription() == "now 9.511; 0.489 away; would have fired once since 1987"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (Qt.Key.Key_Space, RuleAct(Act.OFF, 1)),
        (Qt.Key.Key_Return, STATE.rows[0].form),
        (Qt.Key.Key_Insert, RuleForm()),
    ],
)
def test_keys_on_a_rule(panel, qtbot, asked, typed, key, said):
    panel.rule(1).setFocus()
    press(qtbot, key)
    assert asked + typed == [said]


def test_arrows_move_from_rule_to_rule(panel, qtbot, asked):
    panel.rule(1).setFocus()
    press(qtbot, Qt.Key.Key_Down)
    assert panel.rule(2).hasFocus()
    press(qtbot, Qt.Key.Key_Space)
    press(qtbot, Qt.Key.Key_Up)
    press(qtbot, Qt.Key.Key_Up)  # no further
    assert panel.rule(1).hasFocus()
    assert asked == [RuleAct(Act.OFF, 2)]


def test_delete_asks_first(panel, qtbot, asked):
    panel.rule(2).setFocus()
    press(qtbot, Qt.Key.Key_Delete)
    assert asked == []
    assert button(panel, "Delete?").isEnabled()
    press(qtbot, Qt.Key.Key_Up)  # another rule: the question is taken back
    assert button(panel, "Delete").isEnabled()
    press(qtbot, Qt.Key.Key_Down)
    press(qtbot, Qt.Key.Key_Delete)
    press(qtbot, Qt.Key.Key_Delete)
    assert asked == [RuleAct(Act.DELETE, 2)]


def test_snooze_offers_how_long_and_a_snoozed_rule_is_woken(panel, qtbot, asked):
    panel.rule(1).setFocus()
    press(qtbot, Qt.Key.Key_S)
    menu = panel.findChild(QMenu)
    assert [one.text() for one in menu.actions()] == ["15 minutes", "1 hour", "4 hours", "Until the next open"]
    menu.actions()[3].trigger()
    menu.close()
    assert asked == [RuleAct(Act.SNOOZE, 1, 0)]
    panel.show_state(replace(STATE, rows=(row(1, snoozed=True), STATE.rows[1])))
    assert button(panel, "Wake").isEnabled()
    panel.rule(1).setFocus()
    press(qtbot, Qt.Key.Key_W)
    assert asked[-1] == RuleAct(Act.WAKE, 1)


def test_a_rule_that_is_off_is_switched_on(panel, qtbot, asked):
    panel.show_state(replace(STATE, rows=(row(1, enabled=False), STATE.rows[1])))
    panel.rule(1).setFocus()
    qtbot.mouseClick(button(panel, "On"), Qt.MouseButton.LeftButton)
    assert asked == [RuleAct(Act.ON, 1)]


def test_a_new_value_leaves_rows_and_keyboard_where_they_are(panel):
    line = panel.rule(1)
    line.setFocus()
    panel.show_state(replace(STATE, rows=(row(1, value=Text("9.600")), STATE.rows[1])))
    assert panel.rule(1) is line
    assert line.hasFocus()
    assert "9.600" in words(panel)


def test_without_rules_it_says_how_to_begin(panel):
    panel.show_state(AlertsState(message="No rule yet. Insert adds one."))
    assert "No rule yet. Insert adds one." in words(panel)
    assert not button(panel, "Delete").isEnabled()
    assert button(panel, "Add").isEnabled()


# The log


def test_the_log_tells_when_what_and_how_old_and_is_acknowledged(panel, qtbot, asked):
    qtbot.mouseClick(button(panel, "Log 1"), Qt.MouseButton.LeftButton)
    assert {"Ratio crossed 5", "11:00 ET", "10.012 · 2 s old · index"} <= words(panel)
    qtbot.mouseClick(button(panel, "Acknowledge"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(panel, "Acknowledge all"), Qt.MouseButton.LeftButton)
    assert asked == [RuleAct(Act.SEEN, 5), RuleAct(Act.SEEN, 0)]


def test_the_log_by_keyboard(panel, qtbot, asked):
    panel.show_log()
    panel._log.lines[0].setFocus()
    press(qtbot, Qt.Key.Key_Down)
    press(qtbot, Qt.Key.Key_Up)
    press(qtbot, Qt.Key.Key_Return)
    assert asked == [RuleAct(Act.SEEN, 5)]
    panel.show_state(replace(STATE, log=(entry(5, seen=True), entry(4, seen=True)), unseen=0))
    assert panel._log.lines[0].hasFocus()
    assert not button(panel, "Acknowledge all").isEnabled()
    assert button(panel, "Log").isEnabled()


# The editor


def test_typing_tells_the_whole_rule_with_every_key(panel, qtbot, typed):
    panel.show_state(replace(STATE, editor=EDITOR))
    assert panel.editor.subject.hasFocus()
    assert not button(panel, "Save").isEnabled()
    panel.editor.level.edit.setFocus()
    qtbot.keyClicks(panel.editor.level.edit, "9.8")
    assert [one.level for one in typed] == ["9", "9.", "9.8"]
    assert typed[-1] == replace(FORM, level="9.8")


def test_an_error_stands_at_its_field_and_the_suggestion_in_the_empty_one(panel):
    panel.show_state(replace(STATE, editor=EDITOR))
    assert panel.editor.level.edit.property("error") is True
    assert panel.editor.level.edit.toolTip() == "type a number"
    assert panel.editor.band.edit.placeholderText() == "0.02"


def test_in_a_small_panel_what_a_useless_level_would_have_done_is_seen_without_scrolling(panel, qtbot):
    panel.resize(330, 280)  # less than its place in a window of 1280 x 720
    now = Text("now 9.712; not watched: an official close: live prices are awaited")
    history = Text("Would have fired 15 times since 1987, last 18 Sep 2019")
    dates = Text("By year: 2019 2 · 2020 0 · 2021 0. Last: 2019-09-19, 2019-09-16, 2001-01-03")
    panel.show_state(replace(STATE, editor=replace(EDITOR, now=now, history=history, dates=dates)))
    for label in (panel.editor.now, panel.editor.history):
        qtbot.waitUntil(lambda label=label: label.visibleRegion().boundingRect() == label.rect())
        assert label.height() >= label.heightForWidth(label.width()) > 0


def test_enter_saves_a_whole_rule_and_escape_gives_up(panel, qtbot, asked, typed):
    panel.show_state(replace(STATE, editor=EDITOR))
    panel.editor.note.setFocus()
    press(qtbot, Qt.Key.Key_Return)
    assert asked == []
    whole = replace(FORM, level="9.8")
    ready = replace(EDITOR, form=whole, level=FieldState("level", "Level", "9.8", ""), can_save=True)
    panel.show_state(replace(STATE, editor=ready))
    qtbot.keyClicks(panel.editor.note, "go")
    press(qtbot, Qt.Key.Key_Return)
    assert asked == [replace(whole, note="go")]
    press(qtbot, Qt.Key.Key_Escape)
    assert typed[-1] is None


@pytest.mark.parametrize("key", ["level", "band"])
def test_enter_and_escape_do_the_same_in_a_number_field(panel, qtbot, asked, typed, key):
    whole = replace(FORM, level="9.8")
    ready = replace(EDITOR, form=whole, level=FieldState("level", "Level", "9.8", ""), can_save=True)
    panel.show_state(replace(STATE, editor=ready))
    field = getattr(panel.editor, key)
    field.edit.setFocus()
    press(qtbot, Qt.Key.Key_Return)
    assert asked == [whole]
    press(qtbot, Qt.Key.Key_Escape)
    assert typed[-1] is None


def test_enter_right_after_the_last_key_does_not_wait_for_a_frame(panel, qtbot, asked):
    panel.show_state(replace(STATE, editor=EDITOR))
    panel.editor.level.edit.setFocus()
    qtbot.keyClicks(panel.editor.level.edit, "9.8")
    press(qtbot, Qt.Key.Key_Return)
    assert asked == [replace(FORM, level="9.8")]


def test_another_subject_begins_with_empty_fields(panel, qtbot, typed):
    panel.show_state(replace(STATE, editor=replace(EDITOR, form=replace(FORM, level="9.8"))))
    panel.editor.subject.setFocus()
    qtbot.keyClick(panel.editor.subject, Qt.Key.Key_Down)
    assert typed == [RuleForm(0, "regime")]


def test_how_often_and_sound_are_chosen(panel, qtbot, typed):
    panel.show_state(replace(STATE, editor=EDITOR))
    QApplication.processEvents()
    qtbot.mouseClick(button(panel, "Once"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(panel, "Silent"), Qt.MouseButton.LeftButton)
    assert (typed[-1].every, typed[-1].sound) == (False, False)


def test_the_next_rule_finds_nothing_of_what_was_typed_before(panel, qtbot):
    panel.show_state(replace(STATE, editor=EDITOR))
    qtbot.keyClicks(panel.editor.level.edit, "9.8")
    qtbot.keyClicks(panel.editor.note, "old")
    panel.show_state(STATE)
    panel.show_state(replace(STATE, editor=EDITOR))
    assert (panel.editor.level.value, panel.editor.note.text()) == ("", "")


def test_leaving_the_editor_gives_the_keyboard_back_to_the_rule(panel):
    panel.rule(2).setFocus()
    panel.show_state(replace(STATE, editor=EDITOR))
    panel.show_state(STATE)
    assert panel.rule(2).hasFocus()


def test_every_control_has_a_name(panel):
    for state in (STATE, replace(STATE, editor=EDITOR)):
        panel.show_state(state)
        for one in panel.findChildren(QWidget):
            if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
                assert one.accessibleName(), f"{type(one).__name__} {getattr(one, 'text', str)()}"
