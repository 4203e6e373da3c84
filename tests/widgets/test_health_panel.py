"""The health panel as a person uses it: mouse, keyboard, screen reader, wide and narrow."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.health_panel import HealthPanel
from widgets.states import HealthRow, HealthState, Text, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


WELL = Text("live", Tone.GOOD)


def row(key: str, state: Text = WELL, **more) -> HealthRow:
    made = HealthRow(
        key, key.title(), state, Text("3 s"), Text("10:29:56 ET"), Text("in 8 s"), Text("412 of 3,600"), Text("")
    )
    return replace(made, **more)


REFUSED = Text("10:29:00 ET key refused: Alpaca refused this key. Cure: enter the right one", Tone.BAD)
STATE = HealthState(
    (
        row("yahoo"),
        row("alpaca", Text("unavailable", Tone.BAD), told=REFUSED),
        row("cboe", Text("stale", Tone.WARN)),
        row("fred", Text("off", Tone.DIM, "no key"), needs_key=True, testable=False),
        row("fed", Text("paused", Tone.DIM, "paused by you"), paused=True),
        row("bls", Text("off", Tone.DIM, "offline"), testable=False),
    ),
    Text("1 of 6 well"),
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = HealthPanel()
    qtbot.addWidget(made)
    made.resize(900, 360)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    QApplication.processEvents()
    return made


def words(panel: HealthPanel) -> list[str]:
    return [one.text() for one in panel.findChildren(QLabel) if one.isVisible() and one.text()]


def named(panel: QWidget, name: str) -> QPushButton:
    return next(one for one in panel.findChildren(QPushButton) if one.accessibleName() == name)


def test_every_cell_is_shown(panel):
    told = words(panel)
    assert {"Source", "State", "Age", "Last answer", "Next try", "Requests, 1 h", "1 of 6 well"} <= set(told)
    assert {"Yahoo", "unavailable", "3 s", "10:29:56 ET", "in 8 s", "412 of 3,600", REFUSED.text} <= set(told)


def test_captions_stand_over_their_columns(panel):
    def left(text: str) -> int:
        label = next(one for one in panel.findChildren(QLabel) if one.isVisible() and one.text() == text)
        return int(label.mapTo(panel, label.rect().topLeft()).x())

    for caption, cell in (("Source", "Yahoo"), ("State", "live"), ("Age", "3 s"), ("Next try", "in 8 s")):
        assert left(caption) == left(cell), caption


def test_test_now_pause_and_resume_name_the_source(panel, qtbot):
    for name, signal, key in (
        ("Test Yahoo now", panel.test_requested, "yahoo"),
        ("Pause Alpaca", panel.pause_requested, "alpaca"),
        ("Resume Fed", panel.resume_requested, "fed"),
    ):
        with qtbot.waitSignal(signal) as asked:
            qtbot.mouseClick(named(panel, name), Qt.MouseButton.LeftButton)
        assert asked.args == [key]


def test_a_source_without_a_key_offers_to_enter_one(panel, qtbot):
    with qtbot.waitSignal(panel.keys_requested):
        qtbot.mouseClick(named(panel, "Enter the key of Fred"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.keys_requested):
        qtbot.mouseClick(
            next(b for b in panel.findChildren(QPushButton) if b.text() == "Vendor keys…"),
            Qt.MouseButton.LeftButton,
        )


def test_a_source_that_is_off_cannot_be_tested_and_says_why(panel):
    button = named(panel, "Test Bls now")
    assert not button.isEnabled()
    assert button.toolTip() == "offline"


def test_the_keyboard_reaches_every_row_in_order(panel, qtbot):
    panel.show_source("yahoo")
    met = []
    for _ in range(30):
        focused = QApplication.focusWidget()
        if focused is None or focused.accessibleName() in met:
            break
        met.append(focused.accessibleName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert met[:10] == [
        "Test Yahoo now", "Pause Yahoo", "Test Alpaca now", "Pause Alpaca", "Test Cboe now", "Pause Cboe",
        "Enter the key of Fred", "Pause Fred", "Test Fed now", "Resume Fed",
    ]  # fmt: skip
    panel.show_source("cboe")
    with qtbot.waitSignal(panel.test_requested) as asked:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert asked.args == ["cboe"]


def test_a_row_out_of_sight_is_brought_there(panel, qtbot):
    panel.resize(900, 150)
    QApplication.processEvents()
    panel.show_source("fed")
    button = named(panel, "Test Fed now")
    assert button.hasFocus()
    assert not button.visibleRegion().isEmpty()


def test_hide_is_asked_for(panel, qtbot):
    with qtbot.waitSignal(panel.hide_requested):
        qtbot.mouseClick(named(panel, "Hide the sources"), Qt.MouseButton.LeftButton)


def test_screen_readers_hear_what_a_cell_is_about(panel):
    names = {one.accessibleName() for one in panel.findChildren(QLabel)}
    assert {"State of Yahoo", "Age of Alpaca", "Next try of Cboe", "What Alpaca has to tell"} <= names
    state = next(one for one in panel.findChildren(QLabel) if one.accessibleName() == "State of Fed")
    assert state.accessibleDescription() == "paused by you"
    assert all(one.accessibleName() or one.text() for one in panel.findChildren(QPushButton))


def test_marks_differ_in_shape(panel):
    shapes = set()
    for one in panel._rows.values():
        picture = one._mark.grab().toImage()
        ground = picture.pixelColor(0, 0)
        area = ((x, y) for y in range(picture.height()) for x in range(picture.width()))
        shapes.add(tuple(picture.pixelColor(x, y) != ground for x, y in area))
    assert len(shapes) == 4  # disc, diamond, triangle, ring


def test_what_does_not_change_is_not_painted(panel, qtbot):
    paints = Paints(panel)
    panel.show_state(replace(STATE))
    QApplication.processEvents()
    assert paints.count == 0
    panel.show_state(replace(STATE, rows=(row("yahoo", next_try=Text("in 7 s")), *STATE.rows[1:])))
    QApplication.processEvents()
    assert 0 < paints.count <= 6  # that label and what lies under it


def test_pausing_moves_nothing(panel):
    before = [one.geometry() for one in panel.findChildren(QPushButton)]
    rows = (replace(STATE.rows[0], paused=True, state=Text("paused", Tone.DIM)), *STATE.rows[1:])
    panel.show_state(replace(STATE, rows=rows))
    QApplication.processEvents()
    assert [one.geometry() for one in panel.findChildren(QPushButton)] == before
    assert named(panel, "Resume Yahoo").text() == "Resume"


@pytest.mark.parametrize("wide", [380, 480, 640, 790, 850, 1066, 1600])
def test_nothing_overlaps_or_is_cut_at_any_width(panel, wide):
    panel.resize(wide, 420)
    for _ in range(3):
        QApplication.processEvents()
    for one in panel._rows.values():
        shown = [w for w in one.children() if isinstance(w, QWidget) and w.isVisible()]
        assert not [(a, b) for a in shown for b in shown if a is not b and a.geometry().intersects(b.geometry())]
        assert all(one.rect().contains(w.geometry()) for w in shown), wide
    for button in panel.findChildren(QPushButton):
        assert button.fontMetrics().horizontalAdvance(button.text()) + 8 <= button.width()


def test_a_narrow_panel_tells_the_rest_in_a_second_line(panel):
    panel.resize(480, 420)
    QApplication.processEvents()
    assert "Last answer" not in words(panel)
    assert panel._rows["yahoo"]._facts.shown() == (
        "last answer 10:29:56 ET · next try in 8 s · requests, 1 h 412 of 3,600"
    )


def test_other_sources_make_other_rows(panel):
    panel.show_state(HealthState((row("demo"),), Text("1 of 1 well")))
    QApplication.processEvents()
    assert "Demo" in words(panel)
    assert "Yahoo" not in words(panel)
    panel.show_state(HealthState((), Text("0 of 0 well"), "no source is asked here"))
    assert "no source is asked here" in words(panel)


@pytest.mark.parametrize("chosen", [theme.DARK, theme.LIGHT])
def test_words_have_the_colour_of_their_tone(panel, qapp, chosen):
    theme.apply(qapp, chosen)
    panel.set_theme(chosen)
    panel.show_state(HealthState((row("alpaca", told=REFUSED),), Text("")))  # a new row, made in this theme
    QApplication.processEvents()
    picture = panel._rows["alpaca"]._told.grab().toImage()
    wanted = chosen.color(Tone.BAD)
    spots = ((x, y) for y in range(picture.height()) for x in range(picture.width()))
    found = (picture.pixelColor(*spot) for spot in spots)
    near = [one for one in found if abs(one.red() - wanted.red()) + abs(one.green() - wanted.green()) < 24]
    qapp.setStyleSheet("")
    assert len(near) > 20
