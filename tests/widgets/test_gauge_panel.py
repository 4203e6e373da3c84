"""The gauge as a person sees it."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.dial import Dial
from widgets.gauge_panel import Flips, GaugePanel, VoteRow
from widgets.small_history import SmallHistory
from widgets.states import Curve, GaugeState, Text, Tone, Vote, VoteState

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

DAY_S = 86_400.0
FIRST = 1_672_531_200.0  # 2023-01-01 UTC
X = FIRST + DAY_S * np.arange(500, dtype=np.float64)
REALISED = Curve(X, np.linspace(0.1, 0.5, 500))
IMPLIED = Curve(X, np.linspace(0.3, 0.2, 500))
FLIPS = (
    "turns to orderly if momentum 5-day > −4.31 % (−2σ); 5 sessions in a row, today included",
    "turns to risk-off if VIX ≥ 16.31 (percentile 90 of 252 days) and both legs down; 2 sessions in a row",
    "turns to de-grossing if all of that and more happens at once",
)
STATE = GaugeState(
    value=0.17,
    text=Text("0.17", why="close of 11 Jul 2024"),
    captions=(Text("mean pairwise, 21 d · 83 stocks", Tone.DIM), Text("11th percentile of 1 y", Tone.DIM)),
    zones=((0.10, Tone.PAST), (0.35, Tone.GOOD), (0.60, Tone.WARN), (1.0, Tone.BAD)),
    regime=Text("VIOLENT ROTATION", Tone.WARN),
    votes=(
        VoteState("Correlation high or jumping", Vote.OFF, "0.17, +0.02 in 5 d"),
        VoteState("Volatility high", Vote.OFF, "VIX 12.92 · VIX/VIX3M 0.88"),
        VoteState("Both legs falling, broad", Vote.UNKNOWN, "n/a", "no panel of stocks"),
        VoteState("Momentum unwinding", Vote.ON, "−2.9σ", "close of 11 Jul 2024"),
    ),
    flips=FLIPS,
    realised=REALISED,
    implied=IMPLIED,
    legend=(Text("Realised 21 d"), Text("Implied COR1M 3.87", Tone.PAST)),
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = GaugePanel()
    qtbot.addWidget(made)
    made.resize(520, 440)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def labels(panel: QWidget) -> set[str]:
    return {one.text() for one in panel.findChildren(QLabel) if one.isVisible()}


def test_value_captions_and_regime_are_told(panel):
    assert labels(panel) >= {"0.17", "11th percentile of 1 y", "VIOLENT ROTATION"}
    assert panel.findChild(Dial).toolTip() == "0.17\nclose of 11 Jul 2024"


def needle_pixels(dial: Dial) -> list[tuple[int, int]]:
    """Pixels in the colour of the needle, above the hub."""
    picture = dial.grab().toImage()
    return [
        (x, y)
        for y in range(picture.height() - 16)
        for x in range(picture.width())
        if picture.pixelColor(x, y).name() == theme.DARK.text
    ]


@pytest.mark.parametrize(("value", "side"), [(-0.2, -1), (0.1, -1), (0.7, 1), (1.0, 1)])
def test_needle_points_to_the_side_of_the_value(panel, value, side):
    dial = panel.findChild(Dial)
    panel.show_state(replace(STATE, value=value))
    xs = [x for x, _ in needle_pixels(dial)] or [dial.width() / 2 + side * 40]
    assert (np.mean(xs) - dial.width() / 2) * side > 0


def test_unknown_value_has_no_needle_and_says_why(panel):
    reason = "no panel of stocks is imported"
    panel.show_state(replace(STATE, value=None, text=Text("n/a", Tone.DIM, reason)))
    assert not needle_pixels(panel.findChild(Dial))
    assert "n/a" in labels(panel)
    assert panel.findChild(Dial).toolTip() == f"n/a\n{reason}"


def test_votes_are_told_in_words_with_their_reasons(panel):
    rows = panel.findChildren(VoteRow)
    assert [row.accessibleName() for row in rows] == [
        "Correlation high or jumping: off",
        "Volatility high: off",
        "Both legs falling, broad: n/a",
        "Momentum unwinding: on",
    ]
    assert rows[2].accessibleDescription() == "n/a. no panel of stocks"
    assert "close of 11 Jul 2024" in rows[3].toolTip()


def test_marks_of_votes_differ_in_shape_not_only_in_colour(panel):
    row = panel.findChildren(VoteRow)[0]
    shapes = set()
    for vote in Vote:
        row.show_state(VoteState("Same", vote, ""))
        picture = row.grab().toImage()
        ground = picture.pixelColor(row.width() // 2, row.height() - 1)
        shapes.add(tuple(picture.pixelColor(x, y) != ground for y in range(picture.height()) for x in range(13)))
    assert len(shapes) == 3


def test_flips_that_do_not_fit_are_counted_and_told_on_hover(panel):
    flips = panel.findChild(Flips)
    lines = flips.lines()
    assert lines[0].startswith("Turns to orderly")
    assert lines[-1].endswith("(+1 more)")
    assert all(flips.fontMetrics().horizontalAdvance(line) <= flips.width() + 1 for line in lines)
    assert flips.toolTip() == "\n".join(FLIPS)


def test_small_panel_keeps_to_two_lines_of_flips(panel):
    panel.resize(420, 330)
    QApplication.processEvents()
    assert len(panel.findChild(Flips).lines()) == 2


def test_pointing_at_the_history_reads_both_curves(panel, qtbot):
    history = panel.findChild(SmallHistory)
    qtbot.mouseMove(history, QPoint(1, 20))
    qtbot.waitUntil(lambda: history.read_out() != "")
    assert history.read_out() == "1 Jan 2023 · realised 0.10 · implied 0.30"


def test_arrow_keys_read_the_history(panel, qtbot):
    history = panel.findChild(SmallHistory)
    assert isinstance(history, SmallHistory)
    panel.setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert QApplication.focusWidget() is history
    # 499 days after 1 Jan 2023
    assert history.accessibleDescription() == "14 May 2024 · realised 0.50 · implied 0.20"
    qtbot.keyClick(history, Qt.Key.Key_Left)
    assert history.read_out().startswith("13 May 2024")


def test_history_is_copied_as_a_table(panel, qtbot):
    history = panel.findChild(SmallHistory)
    history.setFocus()
    qtbot.keyClick(history, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[:2] == ["date\trealised\timplied", "2023-01-01\t0.100000\t0.300000"]
    assert len(lines) == 501


@pytest.mark.parametrize(
    "curve",
    [
        None,
        Curve(np.array([]), np.array([])),
        Curve(X[:1], np.array([0.3])),
        Curve(X, np.full(500, np.nan)),
        Curve(X, np.where(np.arange(500) % 7, 0.3, np.nan)),
    ],
    ids=["none", "empty", "one point", "all holes", "holes"],
)
def test_history_with_little_or_nothing_to_draw(panel, curve):
    panel.show_state(replace(STATE, realised=curve))
    panel.findChild(SmallHistory).grab()
    panel.show_state(replace(STATE, realised=curve, implied=None))
    panel.findChild(SmallHistory).grab()


def test_message_stands_in_place_of_the_dial(panel):
    panel.show_state(replace(STATE, message="No daily closes: press F5"))
    assert "No daily closes: press F5" in labels(panel)
    assert not panel.findChild(Dial).isVisible()
    panel.show_state(STATE)
    assert panel.findChild(Dial).isVisible()


def test_equal_state_paints_nothing(panel):
    QApplication.processEvents()
    paints = Paints(panel)
    panel.show_state(replace(STATE))
    QApplication.processEvents()
    assert paints.count == 0


def test_changed_vote_leaves_the_history_alone(panel):
    QApplication.processEvents()
    paints = Paints(panel.findChild(SmallHistory))
    votes = (replace(STATE.votes[0], vote=Vote.ON), *STATE.votes[1:])
    panel.show_state(replace(STATE, votes=votes))
    QApplication.processEvents()
    assert paints.count == 0


def test_theme_switch_recolours_everything(panel):
    panel.set_theme(theme.DARK)
    dark = panel.grab().toImage()
    panel.set_theme(theme.LIGHT)
    assert panel.grab().toImage() != dark


def test_the_cursor_is_shared_with_another_chart_of_days(panel, qtbot):
    history = panel.findChild(SmallHistory)
    panel.show_cursor(FIRST + 10.3 * DAY_S)
    assert history.read_out().startswith("11 Jan 2023")
    panel.show_cursor(FIRST - 400 * DAY_S)  # long before the history begins
    assert history.read_out() == ""
    told: list[object] = []
    panel.cursor_moved.connect(told.append)
    panel.show_cursor(FIRST + DAY_S)
    assert told == []  # what comes from the other chart does not go back to it
    with qtbot.waitSignal(panel.cursor_moved) as moved:
        qtbot.mouseMove(history, QPoint(history.width() - 31, 25))  # where the plotted area ends
    assert moved.args[0] in X[-3:].tolist()
    told_day = np.datetime64(int(moved.args[0]), "s").astype("datetime64[D]").item()
    assert history.read_out().startswith(f"{told_day.day} {told_day:%b %Y}")
