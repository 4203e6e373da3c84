"""The settings dialog: everything declared is there, searched, changed at once, refused in place, reset."""

from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from desktop import settings
from desktop.qt import make_qt
from desktop.settings import Settings, changed
from desktop.settings_dialog import SettingsDialog, bounds, caption
from widgets import theme

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


class Hands:
    """The dialog, and what a person does with it."""

    def __init__(self, qtbot, chosen: Settings) -> None:
        self.qtbot = qtbot
        self.said: list[Settings] = []
        self.dialog = SettingsDialog(None, chosen, theme.DARK)
        qtbot.addWidget(self.dialog)
        self.dialog.changed.connect(self.said.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.show()
            self.dialog.activateWindow()

    def type(self, name: str, text: str) -> None:
        edit = self.dialog.row(name).editor
        assert isinstance(edit, QLineEdit)
        edit.setFocus()
        edit.selectAll()
        self.qtbot.keyClicks(edit, text) if text else self.qtbot.keyClick(edit, Qt.Key.Key_Delete)

    def search(self, text: str) -> list[str]:
        """Fields that are left when `text` is searched."""
        self.dialog.search.setFocus()
        self.dialog.search.selectAll()
        self.qtbot.keyClicks(self.dialog.search, text)
        return self.visible()

    def visible(self) -> list[str]:
        return [one.name for one in fields(Settings) if self.dialog.row(one.name).isVisibleTo(self.dialog)]

    def words(self, name: str) -> list[str]:
        labels = self.dialog.row(name).findChildren(QLabel)
        return [one.text() for one in labels if one.isVisibleTo(self.dialog) and one.text()]


@pytest.fixture
def hands(qtbot, qapp, request):
    make_qt()
    return Hands(qtbot, getattr(request, "param", Settings()))


CHANGED = changed(changed(Settings(), "max_age_s", 300.0), "enter_days", 3)


def test_everything_declared_has_a_row_with_help_bounds_and_a_name(hands):
    for one in fields(Settings):
        row, spec = hands.dialog.row(one.name), settings.spec_of(one.name)
        told = {label.text() for label in row.findChildren(QLabel)}
        assert spec.help in told
        assert bounds(one.name) in told
        assert row.editor.accessibleName() == caption(spec)
    assert bounds("max_leg_gap_s") == "1 to 3600, default 60"
    assert caption(settings.spec_of("max_leg_gap_s")) == "Max leg gap (s)"


def test_a_number_applies_with_the_key_that_makes_it_valid(hands):
    hands.type("max_leg_gap_s", "90")
    assert [one.max_leg_gap_s for one in hands.said] == [9.0, 90.0]
    assert "Max leg gap (s) · changed" in hands.words("max_leg_gap_s")
    assert hands.dialog.row("max_leg_gap_s").editor.text() == "90"  # what is typed is left alone


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("max_leg_gap_s", "0", "must lie between 1 and 3600; 60 stays"),
        ("max_leg_gap_s", "soon", "must be a number; 60 stays"),
        ("enter_days", "2.5", "must be a whole number; 2 stays"),
        ("kill_stretched", "ten", "is not a number"),
    ],
)
def test_what_cannot_be_is_refused_in_place(hands, name, text, why):
    hands.type(name, text)
    assert any(f"Not in force: {why}" in one for one in hands.words(name))
    assert hands.dialog.row(name).editor.property("error") is True
    if name != "kill_stretched":  # kept as typed, as on the board, where it is marked too
        assert all(getattr(one, name) == getattr(Settings(), name) for one in hands.said[1:])
    qtbot_text = {"enter_days": "4"}.get(name, "12")
    hands.type(name, qtbot_text)
    assert not any("Not in force" in one for one in hands.words(name))


def test_choices_and_switches(hands):
    combo = hands.dialog.row("reference").editor
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    hands.qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert hands.said[-1].reference == "open"
    on = next(one for one in hands.dialog.row("stream").findChildren(QPushButton) if one.text() == "On")
    on.click()
    assert hands.said[-1].stream is True


@pytest.mark.parametrize("hands", [CHANGED], indirect=True)
def test_one_is_reset_and_then_all(hands):
    hands.dialog.row("max_age_s").reset.click()
    assert hands.said == [changed(Settings(), "enter_days", 3)]
    assert hands.dialog.row("max_age_s").editor.text() == "1200"
    assert not hands.dialog.row("max_age_s").reset.isEnabled()
    hands.dialog.reset_all.click()
    assert len(hands.said) == 1  # it asks first
    assert hands.dialog.reset_all.text() == "Reset all 1? Press again"
    hands.dialog.reset_all.click()
    assert hands.said[-1] == Settings()
    assert not hands.dialog.reset_all.isEnabled()


@pytest.mark.parametrize("hands", [CHANGED], indirect=True)
def test_search_finds_names_help_and_values_and_what_differs(hands):
    assert hands.search("leg gap") == ["max_leg_gap_s"]
    assert "breadth" in hands.search("worst day")
    assert hands.search("changed") == ["max_age_s", "enter_days"]
    assert hands.search("sunspots") == []
    assert "No setting has these words." in {one.text() for one in hands.dialog.findChildren(QLabel)}
    hands.qtbot.keyClick(hands.dialog.search, Qt.Key.Key_Escape)
    assert hands.dialog.isVisible()
    assert len(hands.visible()) == len(fields(Settings))


def test_every_control_has_a_name(hands):
    for one in hands.dialog.findChildren(QWidget):
        if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(one, QPushButton):
            assert one.accessibleName(), type(one).__name__


def test_f2_opens_it_and_a_change_is_in_the_next_frame(rig):
    rig.start(demo=True)
    rig.frame()

    def act(dialog) -> None:
        edit = dialog.row("max_leg_gap_s").editor
        edit.setFocus()
        edit.selectAll()
        rig.qtbot.keyClicks(edit, "90")

    done = rig.in_dialog(act)
    rig.press(Qt.Key.Key_F2)
    rig.until(done)
    assert rig.window.view.settings.max_leg_gap_s == 90
    rig.window.close()
    QApplication.processEvents()
    assert settings.load(rig.folder)[0].max_leg_gap_s == 90
