"""The pieces all panels share."""

from dataclasses import replace
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.parts import Card, FactLine, Label, Segmented
from widgets.states import Choice, Text, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

W = TypeVar("W", bound=QWidget)

CHOICES = (
    Choice("a", "Alpha", chosen=True),
    Choice("b", "Beta", enabled=False, why="not today"),
    Choice("c", "Gamma"),
)


def shown(qtbot: QtBot, widget: W, width: int = 300, height: int = 40) -> W:
    theme.load_fonts()
    qtbot.addWidget(widget)
    widget.resize(width, height)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()
    return widget


def test_a_label_tells_its_words_and_the_reason(qtbot):
    label = shown(qtbot, Label(name="Ratio"))
    label.show_text(Text("n/a", Tone.DIM, "no close yet"))
    assert (label.text(), label.toolTip()) == ("n/a", "no close yet")
    assert (label.accessibleName(), label.accessibleDescription()) == ("Ratio", "no close yet")


def test_a_label_shows_its_tone_in_both_themes(qtbot):
    label = shown(qtbot, Label(28))
    label.show_text(Text("−2.24", Tone.BAD))
    for look in (theme.DARK, theme.LIGHT):
        label.set_theme(look)
        picture = label.grab().toImage()
        seen = {picture.pixelColor(x, y).name() for x in range(90) for y in range(40)}
        assert look.tones[Tone.BAD] in seen


def test_equal_text_is_not_painted_again(qtbot):
    label = shown(qtbot, Label())
    label.show_text(Text("9.511"))
    qtbot.wait(30)
    paints = Paints(label)
    label.show_text(Text("9.511"))
    qtbot.wait(30)
    assert paints.count == 0


def test_words_too_long_for_their_place_are_told_on_hover(qtbot):
    label = shown(qtbot, Label(), width=60)
    label.show_text(Text("much too long for sixty pixels"))
    label.grab()
    assert label.toolTip() == "much too long for sixty pixels"


def test_a_choice_is_clicked(qtbot):
    row = shown(qtbot, Segmented("Size by"))
    row.show_choices(CHOICES)
    with qtbot.waitSignal(row.chosen) as asked:
        qtbot.mouseClick(row.button("c"), Qt.MouseButton.LeftButton)
    assert asked.args == ["c"]
    assert row.button("c").accessibleName() == "Size by: Gamma"


def test_arrow_keys_skip_what_cannot_be_chosen_and_go_round(qtbot):
    row = shown(qtbot, Segmented("Size by"))
    row.show_choices(CHOICES)
    told: list[str] = []
    row.chosen.connect(told.append)
    qtbot.waitUntil(row.button("a").isVisible)
    row.button("a").setFocus()
    qtbot.keyClick(row.button("a"), Qt.Key.Key_Right)
    qtbot.keyClick(row.button("c"), Qt.Key.Key_Right)
    assert told == ["c", "a"]
    assert row.button("b").toolTip() == "not today"


def test_the_state_has_the_last_word_on_what_is_chosen(qtbot):
    row = shown(qtbot, Segmented("Size by"))
    row.show_choices(CHOICES)
    row.show_choices((replace(CHOICES[0], chosen=False), CHOICES[1], replace(CHOICES[2], chosen=True)))
    assert row.button("c").isChecked() and not row.button("a").isChecked()
    row.show_choices((Choice("d", "Delta", chosen=True),))
    qtbot.waitUntil(row.button("d").isVisible)
    qtbot.waitUntil(lambda: [one.text() for one in row.findChildren(QPushButton)] == ["Delta"])


def test_facts_are_told_in_full_on_hover(qtbot):
    line = shown(qtbot, FactLine("Facts"), width=80)
    line.show_facts((Text("z(1y) +1.57"), Text("half-life: none", Tone.WARN, "no reversion")))
    assert line.toolTip() == "z(1y) +1.57\nhalf-life: none (no reversion)"
    assert line.accessibleDescription() == "z(1y) +1.57; half-life: none (no reversion)"
    assert not line.grab().isNull()


def test_a_card_has_a_name_and_passes_its_theme_on(qtbot):
    card = shown(qtbot, Card("Thesis"), height=100)
    card.set_theme(theme.LIGHT)
    assert card.accessibleName() == "Thesis"
    assert card.title.palette().windowText().color().name() == theme.LIGHT.text
