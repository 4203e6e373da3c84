"""Figures typed under the evidence: each keystroke is told, what is wrong is said, a button chooses a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QLabel

from widgets.evidence_view import EvidenceView
from widgets.states import (
    Choice,
    EvidenceInput,
    EvidenceState,
    EvidenceTable,
    FieldState,
    InputTyped,
    Text,
    Verdict,
)

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def pair(name: str, text: str = "", dated: str = "", error: str = "", *, wide: bool = False) -> EvidenceInput:
    return EvidenceInput(
        FieldState(name, name.upper(), text, "$", error, "what it is", hint="3,000 bn"),
        FieldState(f"{name}_dated", "dated", dated, "", "", "when", hint="2024-06-28"),
        wide,
    )


STATE = EvidenceState(
    key="flow_asymmetry",
    title="Flow asymmetry",
    verdict=Verdict.UNKNOWN,
    facts=(Text("33.3 median companies"),),
    chart=None,
    table=EvidenceTable(("figure", "value"), tuple((Text(f"row {n}"), Text("1")) for n in range(12))),
    caution=Text(""),
    source=Text("typed"),
    inputs=(pair("cap"), pair("index"), pair("turnover")),
)
RULES = replace(
    STATE,
    key="cuts_priced",
    inputs=(),
    choices=(Choice("old_rate", "at the old rate", chosen=True), Choice("new_rate", "at the new rate")),
    choices_key="day_rule",
    choices_label="Decision day",
)


@pytest.fixture
def view(qtbot):
    made = EvidenceView()
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


@pytest.fixture
def told(view):
    heard: list[InputTyped] = []
    view.input_typed.connect(heard.append)
    return heard


def test_value_and_day_are_told_on_every_keystroke_with_the_key_of_their_field(qtbot, view, told):
    value, day, *_ = view.inputs.edits()
    value.setFocus()
    qtbot.keyClicks(value, "3b")
    qtbot.keyClick(value, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is day
    qtbot.keyClicks(day, "2")
    assert told == [InputTyped("cap", "3"), InputTyped("cap", "3b"), InputTyped("cap_dated", "2")]


def test_what_is_assumed_stands_where_nothing_is_typed(view):
    assert [edit.placeholderText() for edit in view.inputs.edits()] == ["3,000 bn", "2024-06-28"] * 3
    assert [edit.accessibleName() for edit in view.inputs.edits()[:2]] == ["CAP, $", "CAP, of the day"]


def test_a_state_that_echoes_what_was_typed_leaves_the_cursor_alone(qtbot, view):
    value = view.inputs.edits()[0]
    qtbot.keyClicks(value, "300")
    value.setCursorPosition(1)
    view.show_state(replace(STATE, inputs=(pair("cap", "300"), *STATE.inputs[1:])))
    assert (value.text(), value.cursorPosition()) == ("300", 1)
    assert view.inputs.edits()[0] is value


def test_what_is_wrong_is_said_below_the_fields(view):
    view.show_state(replace(STATE, inputs=(pair("cap", "x", error="is not a number"), *STATE.inputs[1:])))
    assert "CAP: is not a number" in [one.text() for one in view.inputs.findChildren(QLabel) if one.isVisible()]
    view.show_state(STATE)
    assert not any("not a number" in one.text() for one in view.inputs.findChildren(QLabel) if one.isVisible())


def test_a_rule_is_chosen_by_its_button(qtbot, view, told):
    view.show_state(RULES)
    assert not view.inputs.edits()
    qtbot.mouseClick(view.inputs.choices.button("new_rate"), Qt.MouseButton.LeftButton)
    assert told == [InputTyped("day_rule", "new_rate")]


def test_a_claim_without_figures_to_type_has_no_room_for_them(view):
    view.show_state(replace(STATE, key="other", inputs=()))
    assert not view.inputs.isVisible()


@pytest.mark.parametrize("width", [320, 500, 800, 1200])
def test_fields_lie_beside_each_other_as_room_allows_and_never_over_each_other(qtbot, view, width):
    view.show_state(replace(STATE, inputs=(*STATE.inputs, pair("weights", wide=True))))
    view.resize(width, 400)
    qtbot.waitUntil(lambda: view.inputs.width() > width - 60)
    places = [edit.parentWidget() for edit in view.inputs.edits()]

    def boxes_of() -> list[QRect]:
        return [one.rect().translated(one.mapTo(view.inputs, one.rect().topLeft())) for one in places]

    qtbot.waitUntil(lambda: all(view.inputs.rect().contains(box) for box in boxes_of()))
    boxes = boxes_of()
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])
    assert boxes[-2].width() > boxes[0].width() or width < 400


def test_what_does_not_fit_is_scrolled_and_not_squeezed(qtbot, view):
    view.resize(420, 190)
    qtbot.waitUntil(lambda: view.height() == 190)
    assert all(edit.height() == edit.minimumHeight() >= 25 for edit in view.inputs.edits())
    assert view.table.height() >= 60
