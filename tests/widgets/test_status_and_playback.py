"""Status bar and playback bar as a person uses them."""

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QProgressBar, QPushButton, QSlider, QWidget

from widgets import theme
from widgets.parts import Segmented
from widgets.playback import PlaybackBar
from widgets.states import PlaybackState, ProgressState, SourceDot, StatusState, Text, Tone
from widgets.status_bar import StatusStrip

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

STATE = StatusState(
    dots=(
        SourceDot("yahoo", "Yahoo 0 s", Tone.GOOD, "live"),
        SourceDot("cboe", "Cboe 14 m", Tone.WARN, "stale: due every minute"),
        SourceDot("fred", "FRED off (no key)", Tone.DIM, "no key is set"),
    ),
    session=Text("NYSE open"),
    clock="11:24:31 ET · 15:24:31 UTC",
)
WORK = ProgressState("Back-fill RUT daily, 3,200 of 9,280", 0.34)
PLAY = PlaybackState(position=0.42, clock="11:24:31 ET", speed=60, paused=False)


@pytest.fixture
def strip(qtbot):
    theme.load_fonts()
    made = StatusStrip()
    qtbot.addWidget(made)
    made.resize(1280, 26)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


@pytest.fixture
def bar(qtbot):
    theme.load_fonts()
    made = PlaybackBar()
    qtbot.addWidget(made)
    made.resize(1280, 40)
    made.show_state(PLAY)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def dot(strip: StatusStrip, key: str) -> QAbstractButton:
    label = next(one.label for one in STATE.dots if one.key == key)
    return next(one for one in strip.findChildren(QAbstractButton) if one.accessibleName() == label)


def labels(widget: QWidget) -> set[str]:
    return {one.text() for one in widget.findChildren(QLabel) if one.isVisible()}


def test_each_source_tells_its_state_on_hover_and_to_screen_readers(strip):
    assert dot(strip, "cboe").toolTip() == "Cboe 14 m: stale: due every minute"
    assert dot(strip, "cboe").accessibleDescription() == "attention: stale: due every minute"


def test_click_on_a_source_names_it(strip, qtbot):
    with qtbot.waitSignal(strip.source_clicked) as clicked:
        qtbot.mouseClick(dot(strip, "fred"), Qt.MouseButton.LeftButton)
    assert clicked.args == ["fred"]


def test_marks_of_sources_differ_in_shape(strip):
    shapes = set()
    target = dot(strip, "yahoo")
    for tone in (Tone.GOOD, Tone.WARN, Tone.BAD, Tone.DIM):
        strip.show_state(replace(STATE, dots=(SourceDot("yahoo", "Yahoo 0 s", tone, ""), *STATE.dots[1:])))
        picture = target.grab().toImage()
        ground = picture.pixelColor(0, 0)
        shapes.add(tuple(picture.pixelColor(x, y) != ground for y in range(picture.height()) for x in range(14)))
    assert len(shapes) == 4


def test_ages_do_not_push_their_neighbours_about(strip):
    QApplication.processEvents()
    neighbour = dot(strip, "cboe")
    strip.show_state(replace(STATE, dots=(SourceDot("yahoo", "Yahoo 59 s", Tone.GOOD, ""), *STATE.dots[1:])))
    QApplication.processEvents()
    place = neighbour.x()
    strip.show_state(replace(STATE, dots=(SourceDot("yahoo", "Yahoo 1 s", Tone.GOOD, ""), *STATE.dots[1:])))
    QApplication.processEvents()
    assert neighbour.x() == place


def test_long_work_shows_what_and_how_much_and_can_be_cancelled(strip, qtbot):
    strip.show_state(replace(STATE, progress=WORK, message=Text("Imported 2 files")))
    bar = strip.findChild(QProgressBar)
    assert WORK.what in labels(strip)
    assert "Imported 2 files" not in labels(strip)
    assert bar.isVisible()
    assert bar.text() == "34 %"
    cancel = next(one for one in strip.findChildren(QPushButton) if one.text() == "Cancel")
    with qtbot.waitSignal(strip.cancel_requested):
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    strip.show_state(replace(STATE, message=Text("Imported 2 files")))
    assert not bar.isVisible()
    assert "Imported 2 files" in labels(strip)


def test_work_of_unknown_length_shows_no_bar(strip):
    strip.show_state(replace(STATE, progress=ProgressState("Looking for panels", None)))
    assert "Looking for panels" in labels(strip)
    assert not strip.findChild(QProgressBar).isVisible()


def test_what_is_told_stays_while_the_clock_goes_on(strip):
    strip.tell(Text("Saved to ~/snapshot.png", Tone.GOOD))
    strip.show_state(replace(STATE, clock="11:24:32 ET · 15:24:32 UTC"))
    assert {"Saved to ~/snapshot.png", "11:24:32 ET · 15:24:32 UTC"} <= labels(strip)


def test_everything_fits_when_the_window_is_small(strip):
    strip.resize(1280, 26)
    strip.show_state(replace(STATE, progress=WORK))
    QApplication.processEvents()
    assert strip.minimumSizeHint().width() <= 1000
    shown = [one for one in strip.children() if isinstance(one, QLabel | QAbstractButton | QProgressBar)]
    visible = [one for one in shown if one.isVisible()]
    assert not [(a, b) for a in visible for b in visible if a is not b and a.geometry().intersects(b.geometry())]


def test_new_source_gets_a_mark(strip):
    strip.show_state(replace(STATE, dots=(*STATE.dots, SourceDot("bls", "BLS 1 d", Tone.GOOD, ""))))
    names = [one.accessibleName() for one in strip.findChildren(QAbstractButton)]
    assert "BLS 1 d" in names


def test_play_and_pause(bar, qtbot):
    play = next(one for one in bar.findChildren(QPushButton) if one.text() == "Pause")
    with qtbot.waitSignal(bar.play_toggled):
        qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    bar.show_state(replace(PLAY, paused=True))
    assert play.text() == "Play"


def test_speed_is_chosen(bar, qtbot):
    with qtbot.waitSignal(bar.speed_chosen) as chosen:
        qtbot.mouseClick(bar.findChild(Segmented).button("600"), Qt.MouseButton.LeftButton)
    assert chosen.args == [600]


def test_odd_speed_is_offered_too(bar):
    bar.show_state(replace(PLAY, speed=120))
    assert bar.findChild(Segmented).button("120").isChecked()


def test_click_on_the_slider_goes_there(bar, qtbot):
    slider = bar.findChild(QSlider)
    with qtbot.waitSignal(bar.sought) as sought:
        qtbot.mouseClick(
            slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() * 3 // 4, slider.height() // 2)
        )
    assert sought.args[0] == pytest.approx(0.75, abs=0.02)


def test_keyboard_seeks(bar, qtbot):
    slider = bar.findChild(QSlider)
    slider.setFocus()
    with qtbot.waitSignal(bar.sought) as sought:
        qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert sought.args == [0.0]


def test_playing_moves_the_slider_without_seeking(bar, qtbot):
    with qtbot.assertNotEmitted(bar.sought):
        bar.show_state(replace(PLAY, position=0.5, clock="12:00:00 ET"))
    assert bar.findChild(QSlider).value() == 500
    assert "12:00:00 ET" in labels(bar)


def test_slider_in_the_hand_is_left_there(bar, qtbot):
    slider = bar.findChild(QSlider)
    middle = slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 10, middle))
    held = slider.value()
    bar.show_state(replace(PLAY, position=0.9))
    assert slider.value() == held
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 10, middle))


MANY = tuple(
    SourceDot(key, f"{name} {words}", tone, "", name)
    for key, name, words, tone in (
        ("yahoo", "Yahoo", "3 s", Tone.GOOD),
        ("stream", "Yahoo stream", "off", Tone.DIM),
        ("cboe", "Cboe", "15 min", Tone.GOOD),
        ("treasury", "Treasury", "stale 2 d", Tone.WARN),
        ("nyfed", "New York Fed", "1 d", Tone.GOOD),
        ("fred", "FRED", "1 d", Tone.GOOD),
        ("calendar", "FRED calendar", "off (no key)", Tone.DIM),
        ("cftc", "CFTC", "4 d 15 h", Tone.GOOD),
        ("bls", "BLS", "unavailable", Tone.BAD),
        ("fed", "Fed", "waiting", Tone.DIM),
        ("alpaca", "Alpaca", "delayed 10 min", Tone.WARN),
    )
)


def shown_dots(strip: StatusStrip) -> dict[str, str]:
    """What is written beside each mark, by key; every mark lies within the strip and over no other."""
    found = list(strip._dots.values())
    boxes = [one.geometry().translated(strip._dot_row.pos()) for one in found]
    assert all(strip.rect().contains(box) for box in boxes)
    assert all(one.right() < two.left() for one, two in pairwise(boxes))
    return {one.dot.key: ("", one.dot.name, one.dot.label)[one._room] for one in found}


def test_many_sources_fit_a_small_window_and_trouble_keeps_its_words(strip):
    strip.resize(1280, 26)
    strip.show_state(replace(STATE, dots=MANY, session=Text("NYSE pre-market, opens Thu 11 Jul 09:30 ET")))
    QApplication.processEvents()
    told = shown_dots(strip)
    assert (told["treasury"], told["bls"], told["alpaca"]) == (
        "Treasury stale 2 d", "BLS unavailable", "Alpaca delayed 10 min",
    )  # fmt: skip
    assert set(told.values()) & {"", "Yahoo", "Cboe"}  # those that are well gave way


def test_words_come_back_with_the_room_and_marks_stay_to_the_end(strip):
    strip.resize(2400, 26)
    strip.show_state(replace(STATE, dots=MANY))
    QApplication.processEvents()
    assert list(shown_dots(strip).values()) == [one.label for one in MANY]
    strip.resize(760, 26)
    QApplication.processEvents()
    assert len(shown_dots(strip)) == len(MANY)
    strip.resize(2400, 26)
    QApplication.processEvents()
    assert list(shown_dots(strip).values()) == [one.label for one in MANY]
