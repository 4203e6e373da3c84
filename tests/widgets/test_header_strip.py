"""The header as a person sees and uses it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QToolButton, QWidget

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.header import HeaderStrip, Pill
from widgets.states import HeaderState, Text, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

STATE = HeaderState(
    ratio=Text("9.511", why="close of 11 Jul 2024"),
    ratio_change=Text("−0.566 −5.62 %", Tone.BAD),
    spread=Text("+5.82 pp", Tone.GOOD),
    spread_rank=Text("2nd of 9,280 days · 5.8σ", Tone.DIM),
    regime=Text("VIOLENT ROTATION · not de-grossing", Tone.WARN, "since 9 Jul 2024"),
    release=Text("PPI Fri 12 Jul 08:30 ET"),
    release_in=Text("in 15 h 42 m", Tone.DIM),
    mode=Text("AS OF 11 Jul 2024 16:00 ET", Tone.PAST),
    refresh_label="Refresh F5",
    refreshing=False,
)
LONG = "Employment Situation with the benchmark revision of average hourly earnings Fri 2 Aug 08:30 ET"


@pytest.fixture
def header(qtbot):
    theme.load_fonts()
    strip = HeaderStrip()
    qtbot.addWidget(strip)
    strip.resize(1580, 75)
    strip.show_state(STATE)
    with qtbot.waitActive(strip):
        strip.show()
        strip.activateWindow()
    return strip


def words(strip: HeaderStrip) -> set[str]:
    labels = {one.text() for one in strip.findChildren(QLabel) if one.isVisible()}
    return labels | {one.text() for one in strip.findChildren(Pill) if one.isVisible()}


def button(strip: HeaderStrip) -> QPushButton:
    found = strip.findChild(QPushButton)
    assert isinstance(found, QPushButton)
    return found


def overlaps(strip: HeaderStrip) -> list[tuple[str, str]]:
    shown = [one for one in strip.findChildren(QWidget) if one.isVisible() and one.parent() is strip]
    return [
        (repr(a), repr(b))
        for number, a in enumerate(shown)
        for b in shown[number + 1 :]
        if a.geometry().intersects(b.geometry())
    ]


def test_four_questions_are_answered(header):
    assert words(header) >= {"9.511", "+5.82 pp", "VIOLENT ROTATION · not de-grossing", "PPI Fri 12 Jul 08:30 ET"}


@pytest.mark.parametrize("wide", [900, 1100, 1264, 1580, 2400])
@pytest.mark.parametrize("release", ["PPI Fri 12 Jul 08:30 ET", LONG])
@pytest.mark.parametrize("mode", [None, Text("DEMO, simulated between published levels", Tone.WARN)])
@pytest.mark.parametrize("with_menu", [False, True])
def test_nothing_overlaps_or_leaves_the_strip(header, wide, release, mode, with_menu):
    if with_menu:
        header.set_menu(QMenu(header))
    header.resize(wide, 66)
    header.show_state(replace(STATE, release=Text(release), mode=mode))
    assert not overlaps(header)
    inside = header.rect()
    assert all(inside.contains(one.geometry()) for one in header.findChildren(QWidget) if one.isVisible())


def test_long_release_name_is_cut_and_told_whole_on_hover(header):
    header.resize(1264, 66)
    header.show_state(replace(STATE, release=Text(LONG, why="Bureau of Labor Statistics")))
    label = next(one for one in header.findChildren(QLabel) if one.text() == LONG)
    assert label.width() < label.fontMetrics().horizontalAdvance(LONG)
    assert label.toolTip() == f"{LONG}\nBureau of Labor Statistics"


def test_the_big_numbers_are_never_cut(header):
    header.resize(900, 66)
    header.show_state(replace(STATE, mode=Text("DEMO, simulated between published levels", Tone.WARN)))
    for text in ("9.511", "+5.82 pp"):
        label = next(one for one in header.findChildren(QLabel) if one.text() == text)
        assert label.width() >= label.fontMetrics().horizontalAdvance(text)


def test_changing_digits_do_not_move_what_stands_to_the_right(header):
    pill = next(one for one in header.findChildren(Pill) if one.accessibleName() == "Regime")
    before = pill.x()
    for spread in ("+5.11 pp", "+1.11 pp", "−0.74 pp", "+4.88 pp"):
        header.show_state(replace(STATE, spread=Text(spread)))
        assert pill.x() == before


def test_click_asks_for_a_refresh(header, qtbot):
    with qtbot.waitSignal(header.refresh_requested):
        qtbot.mouseClick(button(header), Qt.MouseButton.LeftButton)


def test_presses_while_refreshing_ask_nothing_and_the_button_keeps_the_keyboard(header, qtbot):
    button(header).setFocus()
    header.show_state(replace(STATE, refreshing=True, refresh_label="Refreshing…"))
    assert button(header).text() == "Refreshing…"
    with qtbot.assertNotEmitted(header.refresh_requested):
        qtbot.keyClick(button(header), Qt.Key.Key_Space)
    assert QApplication.focusWidget() is button(header)
    header.show_state(replace(STATE, refresh_label="08:30:07 ET", refresh_note="Yahoo: 1 of 6 failed"))
    assert button(header).text() == "08:30:07 ET"
    assert "Yahoo: 1 of 6 failed" in words(header)


def test_live_shows_no_mode_pill(header):
    header.show_state(replace(STATE, mode=None))
    assert not any(one.accessibleName().startswith("Mode") for one in header.findChildren(Pill) if one.isVisible())


def test_menu_button_appears_with_the_menu(header):
    tool = header.findChild(QToolButton)
    assert not tool.isVisible()
    header.set_menu(QMenu(header))
    assert tool.isVisible()
    assert tool.shortcut().toString() == "F10"


def test_equal_state_paints_nothing(header, qtbot):
    qtbot.waitUntil(lambda: header.isVisible())
    QApplication.processEvents()
    paints = Paints(header)
    header.show_state(replace(STATE))
    QApplication.processEvents()
    assert paints.count == 0


def test_theme_switch_recolours_the_pill(header):
    header.set_theme(theme.DARK)
    dark = header.grab().toImage()
    header.set_theme(theme.LIGHT)
    assert header.grab().toImage() != dark


def test_every_control_has_a_name_for_screen_readers(header):
    for one in (*header.findChildren(QPushButton), *header.findChildren(QToolButton)):
        assert one.accessibleName() or one.text()
    pill = next(one for one in header.findChildren(Pill) if one.accessibleName() == "Regime")
    assert pill.accessibleDescription() == "VIOLENT ROTATION · not de-grossing. since 9 Jul 2024"
