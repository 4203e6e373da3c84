"""The window itself: nothing overlaps or is cut, colours, layout over a restart, keyboard, names, focus order."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import pytest
import pytestqt.exceptions
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)

from desktop import layout
from tests.app.rig import button, dock, field_text, mode, type_into, words
from widgets import theme
from widgets.parts import FactLine, Segmented
from widgets.sizer_panel import SizerPanel
from widgets.states import Tone
from widgets.ticket_table import Figures

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

SIZES = [(1600, 1000), (1280, 720)]
FOUR = ("ratio", "divergence", "gauge", "sizer")
"""The panels that are there from the start."""


def four(rig) -> list[QWidget]:
    return [rig.window.panels[key] for key in FOUR]


def at_the_close(rig, **how) -> None:
    """The demo at its end: every panel has something to show."""
    rig.start(demo=True, **how)
    rig.frame(lambda one: one.status.dots[0].tone is Tone.GOOD)
    slider = rig.window.playback.findChild(QSlider)
    slider.setFocus()
    rig.qtbot.keyClick(slider, Qt.Key.Key_End)
    rig.frame(lambda one: one.header.spread.text == "+5.82 pp")
    QApplication.processEvents()


# Geometry


def family(top: QWidget) -> Iterator[tuple[QWidget, list[QWidget]]]:
    """Every visible widget below `top`, with its visible children; what scrolls, only as a whole."""
    children = [
        one for one in top.children() if isinstance(one, QWidget) and one.isVisible() and not one.isWindow()
    ]
    yield top, children
    for child in children:
        yield from family(child)


def shape(widget: QWidget) -> str:
    told = widget.accessibleName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} {told!r} {widget.geometry().getRect()}"


def overlaps(top: QWidget) -> list[str]:
    wrong = []
    for parent, children in family(top):
        scrolls = isinstance(parent.parentWidget(), QAbstractScrollArea)
        wrong += [
            f"{shape(child)} sticks out of {shape(parent)}"
            for child in children
            if not scrolls and not parent.rect().contains(child.geometry())
        ]
        if not isinstance(parent, QAbstractScrollArea):
            wrong += [
                f"{shape(one)} lies on {shape(other)}"
                for one, other in combinations(children, 2)
                if one.geometry().intersects(other.geometry())
            ]
    return wrong


def cut(top: QWidget) -> list[str]:
    """Words that may not end in an ellipsis and have no room all the same."""
    wrong = []
    for one in top.findChildren(QWidget):
        if not one.isVisible() or not one.width():
            continue
        text = getattr(one, "text", str)()
        metrics = one.fontMetrics()
        if isinstance(one, QPushButton):
            if metrics.horizontalAdvance(text) + 8 > one.width() or metrics.height() > one.height():
                wrong.append(f"{shape(one)} needs {metrics.horizontalAdvance(text)} x {metrics.height()}")
        elif isinstance(one, QLabel) and text:
            high = one.heightForWidth(one.width()) if one.wordWrap() else metrics.height()
            if high > one.height() + 1:
                wrong.append(f"{shape(one)} needs a height of {high}")
        elif isinstance(one, QLineEdit):
            margins = one.textMargins()
            room = one.width() - margins.left() - margins.right() - 12
            if metrics.horizontalAdvance(text) > room:
                wrong.append(f"{shape(one)} shows {text!r} in {room} pixels")
        elif isinstance(one, Figures):
            needed = max((box.bottom() + 1 for box in one._places), default=0)
            if needed > one.height():
                wrong.append(f"{shape(one)} needs a height of {needed}")
    return wrong


def faults(rig, top: QWidget) -> list[str]:
    """What is wrong and stays so: a frame may come at any moment, and its layout follows with the next event."""
    with suppress(pytestqt.exceptions.TimeoutError):
        rig.until(lambda: not overlaps(top) + cut(top), 1500)
    return overlaps(top) + cut(top)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_overlaps_and_no_word_is_cut_that_may_not_be(rig, size):
    at_the_close(rig, size=size)
    window = rig.window
    for name in ("dark", "light"):
        window._choose("theme", name)
        QApplication.processEvents()
        assert (window.width(), window.height()) == size
        for part in (window.header, window.playback, window.status, *four(rig)):
            assert faults(rig, part) == []
        panels = [dock for one in window.panels.values() if (dock := one.parentWidget()).isVisible()]
        assert not [a for a, b in combinations(panels, 2) if a.geometry().intersects(b.geometry())]
        assert all(window.rect().contains(one.geometry()) for one in panels)


def test_facts_are_told_in_full_at_the_usual_size(rig):
    at_the_close(rig, size=(1600, 1000))
    for facts in (one for panel in four(rig) for one in panel.findChildren(FactLine)):
        metrics = facts.fontMetrics()
        for line in facts.lines():
            assert metrics.horizontalAdvance(facts.SEPARATOR.join(one.text for one in line)) <= facts.width()


@pytest.mark.parametrize("size", SIZES)
def test_every_wrong_field_at_once_overlaps_nothing(rig, size, qtbot):
    at_the_close(rig, size=size)
    sizer = rig.window.sizer
    for key in ("capital", "gross_cap", "stop", "target"):
        type_into(qtbot, sizer.field(key).edit, "-x")
    rig.frame(lambda one: "Target" in one.sizer.message and "Capital" in one.sizer.message)
    assert faults(rig, sizer) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("instrument", ["micro", "mixed"])
def test_no_page_of_the_sizer_needs_scrolling(rig, size, instrument):
    at_the_close(rig, size=size)
    rig.window._choose("instrument", instrument)
    rig.frame(lambda one: any(choice.key == instrument and choice.chosen for choice in one.sizer.instruments))
    sizer: SizerPanel = rig.window.sizer
    for page in ("ticket", "market", "risk", "what_if", "costs", "hedge"):
        sizer.show_page(page)
        rig.until(lambda page=page: sizer.page_scroll(page).verticalScrollBar().maximum() == 0)
        assert faults(rig, sizer) == []


# Colours


def test_theme_is_switched_without_a_restart(rig):
    at_the_close(rig)
    window = rig.window
    for name, chosen in (("Light", theme.LIGHT), ("Dark", theme.DARK)):
        next(one for one in window.actions() if one.text() == name).trigger()
        QApplication.processEvents()
        for part in (*four(rig), window.header, window.playback):
            picture = part.grab().toImage()
            ground = picture.pixelColor(picture.width() // 2, picture.height() - 4)
            assert ground.name() == chosen.panel, part.accessibleName()


def test_theme_of_the_settings_is_there_from_the_start(rig):
    (rig.folder / "settings.toml").write_text('[appearance]\ntheme = "light"\n', encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    picture = rig.window.ratio.grab().toImage()
    assert picture.pixelColor(picture.width() // 2, picture.height() - 4).name() == theme.LIGHT.panel


# Layout over a restart


def test_layout_settings_and_entries_survive_a_restart(rig, qtbot):
    rig.start(demo=True)
    rig.frame()
    window = rig.window
    window._choose("theme", "light")
    dock(window, "gauge").toggleViewAction().trigger()
    type_into(qtbot, window.sizer.field("capital").edit, "3.5m")
    qtbot.mouseClick(window.divergence.findChild(Segmented).button("open"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(window.sizer, "ETF"), Qt.MouseButton.LeftButton)
    rig.frame(lambda one: field_text(one.sizer, "capital") == "3.5m")
    rig.close()

    rig.start(demo=True)
    frame = rig.frame()
    window = rig.window
    assert not dock(window, "gauge").isVisible()
    assert field_text(frame.sizer, "capital") == "3.5m"
    assert window.sizer.field("capital").edit.text() == "3.5m"
    assert next(one.key for one in frame.divergence.references if one.chosen) == "open"
    assert next(one.key for one in frame.sizer.instruments if one.chosen) == "etf"
    assert window.view.settings.theme == "light"


SCREENS = {"screens": [{"name": "one", "x": 0, "y": 0, "width": 1920, "height": 1200, "logicalDpi": 96}]}
RESTART = """
import sys
from pathlib import Path
from PySide6.QtCore import Qt
from desktop.presenters.frame import View
from desktop.qt import log_qt_messages, make_qt
from desktop.settings import Settings
from desktop.window import Window
log_qt_messages()
app = make_qt()
folder = Path(sys.argv[1])
def window():
    made = Window(View(Settings()), folder)
    made.show()
    app.processEvents()
    return made
def sizes(made):
    return (made.width(), made.height(), *(made._docks[key].width() for key in ("ratio", "gauge")))
first = window()
first.resize(1500, 900)
app.processEvents()
first.resizeDocks([first._docks["ratio"], first._docks["divergence"]], [980, 500], Qt.Orientation.Horizontal)
app.processEvents()
before = sizes(first)
first.close()
print(before, sizes(window()))
"""


def test_sizes_of_window_and_docks_survive_a_restart(tmp_path):
    """On a screen of its own, in another process: the one of the other tests is 800 pixels wide."""
    screens = tmp_path / "screens.json"
    screens.write_text(json.dumps(SCREENS), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RESTART, str(tmp_path / "data")],
        env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={screens}"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after = ast.literal_eval("[" + done.stdout.strip().replace(") (", "), (") + "]")
    assert before[:2] == (1500, 900)
    assert 960 <= before[2] <= 1000
    assert after == before


def test_floating_dock_survives_a_restart(rig):
    rig.start(demo=True)
    rig.frame()
    floated = dock(rig.window, "sizer")
    floated.setFloating(True)
    floated.setGeometry(QRect(60, 80, 640, 400))
    QApplication.processEvents()
    rig.close()
    rig.start(demo=True)
    rig.frame()
    assert dock(rig.window, "sizer").isFloating()
    assert dock(rig.window, "sizer").pos() == QPoint(60, 80)


def test_dock_that_was_left_off_every_screen_comes_back(rig):
    rig.start(demo=True)
    rig.frame()
    floated = dock(rig.window, "gauge")
    floated.setFloating(True)
    floated.setGeometry(QRect(9000, 7000, 500, 400))
    QApplication.processEvents()
    rig.close()
    rig.start(demo=True)
    rig.frame()
    back = dock(rig.window, "gauge")
    assert back.isVisible()
    screens = [one.availableGeometry() for one in QApplication.screens()]
    place = QRect(back.mapToGlobal(QPoint(0, 0)), back.size())
    assert any(screen.intersects(place) for screen in screens)
    assert not back.isFloating() or any(screen.contains(place.topLeft() + QPoint(48, 24)) for screen in screens)


def test_dock_whose_screen_is_gone_is_docked_again(rig):
    rig.start(demo=True)
    rig.frame()
    floated = dock(rig.window, "gauge")
    floated.setFloating(True)
    floated.setGeometry(QRect(9000, 7000, 500, 400))
    QApplication.processEvents()
    layout.bring_back(rig.window, [floated])
    assert not floated.isFloating()
    assert floated.isVisible()


def test_window_that_was_left_off_every_screen_comes_back(rig):
    rig.start(demo=True)
    rig.frame()
    rig.window.move(9000, 7000)
    rig.close()
    rig.start(demo=True)
    rig.frame()
    screens = [one.availableGeometry() for one in QApplication.screens()]
    assert any(screen.contains(rig.window.frameGeometry().topLeft() + QPoint(40, 10)) for screen in screens)


def test_a_dock_that_was_hidden_stays_so_though_the_window_is_killed(rig):
    rig.start(demo=True)
    rig.frame()
    path = rig.folder / "layout.json"
    rig.until(lambda: rig.window._docked)
    assert not path.exists()  # a window that opens has nothing to keep
    dock(rig.window, "thesis").hide()
    rig.until(path.exists)
    kept = path.read_bytes()
    rig.close()
    path.write_bytes(kept)  # what a killed window leaves
    rig.start(demo=True)
    rig.frame()
    assert not dock(rig.window, "thesis").isVisible()
    assert dock(rig.window, "sizer").isVisible()


def test_saved_layout_of_an_older_window_keeps_the_docks_it_knows(rig):
    """A dock the file does not know (as after an upgrade) is there all the same."""
    rig.start(demo=True)
    rig.frame()
    window = rig.window
    gone = dock(window, "divergence")
    window.removeDockWidget(gone)
    gone.setParent(None)
    layout.save(window, rig.folder)
    saved = json.loads((rig.folder / "layout.json").read_text(encoding="utf-8"))
    window._folder = None  # what is closed now must not overwrite the file
    gone.deleteLater()
    rig.close()
    assert json.loads((rig.folder / "layout.json").read_text(encoding="utf-8")) == saved
    rig.start(demo=True)
    rig.frame()
    assert all(one.isVisible() for one in four(rig))


def test_default_layout_brings_everything_back(rig):
    rig.start(demo=True)
    rig.frame()
    for key in ("ratio", "sizer"):
        dock(rig.window, key).hide()
    dock(rig.window, "gauge").setFloating(True)
    rig.window.activateWindow()
    rig.until(rig.window.isActiveWindow)
    rig.press(Qt.Key.Key_0, control=True, shift=True)
    QApplication.processEvents()
    assert all(one.isVisible() for one in four(rig))
    assert not dock(rig.window, "gauge").isFloating()


def test_default_layout_leaves_the_size_of_the_window(rig):
    rig.start(demo=True, size=(1280, 720))
    rig.frame()
    rig.window.resize(1280, 720)
    QApplication.processEvents()
    rig.press(Qt.Key.Key_0, control=True, shift=True)
    QApplication.processEvents()
    assert (rig.window.width(), rig.window.height()) == (1280, 720)


def test_folder_that_cannot_be_written_does_not_keep_the_window_open(rig):
    rig.start(demo=True)
    rig.frame()
    for name in ("layout.json.new", "settings.toml.new"):
        (rig.folder / name).mkdir()
    rig.window._choose("theme", "light")
    rig.until(lambda: any(one.startswith("settings not kept: ") for one in words(rig.window.status)))
    assert rig.window.close()
    assert not rig.window.isVisible()


# Keyboard


def test_control_and_a_number_focus_a_panel_even_a_hidden_one(rig):
    rig.start(demo=True)
    rig.frame()
    for key, panel in ((1, "ratio"), (2, "divergence"), (3, "gauge"), (4, "sizer")):
        dock(rig.window, panel).hide()
        rig.press(Qt.Key(Qt.Key.Key_0 + key), control=True)
        rig.until(dock(rig.window, panel).isVisible)
        focused = QApplication.focusWidget()
        assert focused is not None
        assert rig.window.panels[panel].isAncestorOf(focused)


def test_f1_lists_every_shortcut_there_is(rig):
    rig.start(demo=True)
    rig.frame()
    said: list[str] = []
    done = rig.in_dialog(lambda dialog: said.extend(one.text() for one in dialog.findChildren(QLabel)))
    rig.press(Qt.Key.Key_F1)
    rig.until(done)
    # DESIGN, "The window", as far as these panels go.
    for keys in (
        "F5",
        "Ctrl+1",
        "Ctrl+2",
        "Ctrl+3",
        "Ctrl+4",
        "Ctrl+S",
        "Ctrl+D",
        "Ctrl+T",
        "F1",
        "Ctrl+Q",
        "F10",
    ):
        assert f"<b>{keys}</b>" in said[0], keys


def test_no_two_actions_share_a_shortcut(rig):
    rig.start(demo=True)
    keys = [one.shortcut().toString() for one in rig.window.actions() if not one.shortcut().isEmpty()]
    assert sorted(keys) == sorted(set(keys))
    assert QKeySequence("F5").toString() in keys


def test_control_q_closes_the_window(rig):
    rig.start(demo=True)
    rig.frame()
    rig.press(Qt.Key.Key_Q, control=True)
    rig.until(lambda: not rig.window.isVisible())
    assert (rig.folder / "layout.json").is_file()


def test_about_tells_version_licence_and_what_the_data_may_be_used_for(rig):
    rig.start(demo=True)
    said: list[str] = []
    done = rig.in_dialog(lambda dialog: said.extend(one.text() for one in dialog.findChildren(QLabel)))
    next(one for one in rig.window.actions() if one.text() == "About").trigger()
    rig.until(done)
    told = " ".join(said)
    assert "0.1.0" in told
    assert "MIT" in told
    assert "personal use" in told


# Names and the order of the Tab key


def stops(rig) -> list[QWidget]:
    """Where the Tab key goes, from the first control of the header on."""
    first = next(one for one in rig.window.header.findChildren(QPushButton))
    first.setFocus(Qt.FocusReason.TabFocusReason)
    met: list[QWidget] = []
    for _ in range(200):
        here = QApplication.focusWidget()
        assert here is not None
        if here in met:
            return met
        met.append(here)
        rig.qtbot.keyClick(here, Qt.Key.Key_Tab)
    pytest.fail("the Tab key never comes round")


def test_tab_goes_through_the_window_as_the_eye_does(rig):
    at_the_close(rig)
    met = stops(rig)
    window = rig.window
    parts = [window.header, window.playback, *four(rig), window.thesis, window.status]
    order = [next(n for n, part in enumerate(parts) if part.isAncestorOf(one)) for one in met]
    assert order == sorted(order), [shape(one) for one in met]
    assert set(order) == set(range(len(parts)))


def test_tab_goes_left_to_right_and_down_within_the_sizer(rig):
    at_the_close(rig)
    sizer: SizerPanel = rig.window.sizer
    met = [one for one in stops(rig) if sizer.isAncestorOf(one) and isinstance(one, QLineEdit)]
    shown = [one.edit for one in sizer._fields.values() if one.isVisible()]
    spots = [one.mapTo(sizer, QPoint(0, 0)) for one in met]
    assert len(met) == len(shown)
    assert [(one.y(), one.x()) for one in spots] == sorted((one.y(), one.x()) for one in spots)


def test_everything_that_takes_the_keyboard_has_a_name(rig):
    at_the_close(rig)
    nameless: list[str] = []
    for page in ("ticket", "market", "risk", "what_if", "costs", "hedge"):
        rig.window.sizer.show_page(page)
        QApplication.processEvents()
        nameless += _nameless(rig)
    assert nameless == []
    assert all(one.accessibleName() for one in rig.window.findChildren(QAbstractSlider) if one.isVisible())


def _nameless(rig) -> list[str]:
    return [
        shape(one)
        for one in rig.window.findChildren(QWidget)
        if one.isVisible()
        and one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not one.accessibleName()
        and not (isinstance(one, QAbstractButton) and one.text())
        and not isinstance(one.parentWidget(), QAbstractScrollArea)  # what is drawn on: its view has the name
    ]


def test_reason_stands_behind_every_number_that_is_not_known(rig):
    rig.start()
    rig.press(Qt.Key.Key_D, control=True)
    frame = rig.frame(lambda one: one.playback is None)
    assert mode(frame) == ""
    labels = [one for one in rig.window.findChildren(QLabel) if one.isVisible() and "n/a" in one.text()]
    assert labels
    assert [one.text() for one in labels if not one.toolTip()] == []
    assert "0.000" not in words(rig.window)


def test_window_is_no_bigger_than_its_least_screen(rig):
    rig.start(demo=True, size=(1280, 720))
    rig.frame()
    assert rig.window.minimumSizeHint().width() <= 1280
    assert rig.window.minimumSizeHint().height() <= 720


def test_data_folder_can_be_opened(rig, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("desktop.window.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile()))
    rig.start(demo=True)
    next(one for one in rig.window.actions() if one.text() == "Open the data folder").trigger()
    assert [Path(one) for one in opened] == [rig.folder]
