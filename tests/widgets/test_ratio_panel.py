"""The ratio panel as a person uses it."""

import gc
import weakref
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QMessageBox, QPushButton

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.ratio_panel import LevelMoved, RatioPanel
from widgets.states import Curve, Level, RatioState, Tag, Text, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

NY = ZoneInfo("America/New_York")
DAYS = np.arange("1987-09-10", "2024-07-12", dtype="datetime64[D]")
DAYS = DAYS[np.is_busday(DAYS)]
X = DAYS.astype("datetime64[s]").astype(np.float64) + 17 * 3600
Y = np.linspace(1.2, 9.511, len(X))
CURVE = Curve(X, Y)
STATE = RatioState(
    facts=(Text("z(1y) +1.57"), Text("half-life: none", Tone.WARN, "no reversion")),
    curve=CURVE,
    averages=(("SMA 200", Curve(X, Y - 0.05)),),
    levels=(
        Level("record", 9.8, "Record 9.80", Tone.BAD),
        Level("stop", 9.0, "Stop 9.000", Tone.BAD, draggable=True),
        Level("target", 4.0, "Target 4.000", Tone.GOOD, draggable=True),
    ),
    marks=(),
    last=Tag(9.511, "9.511", Tone.PLAIN),
    zone="America/New_York",
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = RatioPanel()
    qtbot.addWidget(made)
    made.resize(780, 420)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def spot(panel: RatioPanel, at: float, value: float) -> QPoint:
    return QPoint(round(panel.plot.x_to_pixel(at)), round(panel.plot.y_to_pixel(value)))


def day(panel: RatioPanel, edge: int) -> str:
    return datetime.fromtimestamp(panel.plot.span[edge], NY).date().isoformat()


def wheel(panel: RatioPanel, at: QPoint, turn: QPoint) -> None:
    view = panel.plot.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        QPoint(),
        turn,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def drag(panel: RatioPanel, to: QPoint) -> None:
    """Move with the left button down, which QTest cannot do on its own."""
    view = panel.plot.viewport()
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(to),
        QPointF(view.mapToGlobal(to)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(view, event)


def menu_actions(panel: RatioPanel) -> dict[str, QAction]:
    middle = panel.plot.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle, panel.plot.mapToGlobal(middle))
    QApplication.sendEvent(panel.plot.viewport(), event)
    menu = panel.plot.findChildren(QMenu)[-1]
    return {action.text().split("\t")[0]: action for action in menu.actions()}


# Ranges


def test_all_days_are_in_the_picture_at_first(panel):
    assert panel.plot.span[0] == X[0]
    assert X[-1] < panel.plot.span[1] < X[-1] + 400 * 86_400


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("1M", "2024-06-11"),
        ("6M", "2024-01-11"),
        ("YTD", "2024-01-01"),
        ("1Y", "2023-07-11"),
        ("5Y", "2019-07-11"),
        ("10Y", "2014-07-11"),
        ("Max", "1987-09-10"),
    ],
)
def test_a_range_is_clicked(qtbot, panel, key, first):
    button = next(one for one in panel.findChildren(QPushButton) if one.text() == key)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert day(panel, 0) == first
    assert button.isChecked()


def test_ranges_are_walked_with_arrow_keys_and_the_chart_comes_next(qtbot, panel):
    buttons = {one.text(): one for one in panel.findChildren(QPushButton)}
    buttons["Max"].setFocus()
    qtbot.keyClick(buttons["Max"], Qt.Key.Key_Left)
    assert day(panel, 0) == "2014-07-11"
    assert buttons["10Y"].hasFocus()
    qtbot.keyClick(buttons["10Y"], Qt.Key.Key_Tab)
    assert panel.plot.hasFocus()


def test_y_follows_what_is_visible(panel):
    whole = panel.plot.y_span
    assert whole[0] < 1.2 and whole[1] > 9.511
    panel._choose_range("1M")
    low, high = panel.plot.y_span
    assert 8.8 < low < high < 9.8


def test_a_new_day_at_the_right_edge_moves_the_range_along(panel):
    panel._choose_range("1M")
    later = Curve(np.append(X, X[-1] + 86_400), np.append(Y, 9.6))
    panel.show_state(replace(STATE, curve=later))
    assert day(panel, 0) == "2024-06-12"


# Looking closer


def test_the_wheel_zooms_around_the_pointer_and_a_double_click_resets(qtbot, panel):
    before = panel.plot.span
    at = QPoint(300, 150)
    under = panel.plot._moment_at(300)
    wheel(panel, at, QPoint(0, 360))
    after = panel.plot.span
    assert after[1] - after[0] < 0.7 * (before[1] - before[0])
    assert panel.plot._moment_at(300) == pytest.approx(under)
    qtbot.mouseDClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert panel.plot.span == before


def test_a_sideways_wheel_pans(panel):
    panel._choose_range("1Y")
    wheel(panel, QPoint(300, 150), QPoint(120, 0))
    assert day(panel, 0) < "2023-07-11"


def test_dragging_pans_and_stops_at_the_first_day(qtbot, panel):
    panel._choose_range("1Y")
    view = panel.plot.viewport()
    wide = panel.plot.span[1] - panel.plot.span[0]
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 300))
    drag(panel, QPoint(500, 300))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(500, 300))
    low, high = panel.plot.span
    assert day(panel, 0) < "2023-07-11"
    assert high - low == pytest.approx(wide)
    for _ in range(60):
        qtbot.keyClick(panel.plot, Qt.Key.Key_Minus)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Left)
    assert panel.plot.span[0] == X[0]


def test_keys_zoom_pan_and_reset(qtbot, panel):
    home = panel.plot.span
    qtbot.keyClick(panel.plot, Qt.Key.Key_Plus)
    closer = panel.plot.span
    assert closer[1] - closer[0] == pytest.approx((home[1] - home[0]) / 1.25)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Right)
    assert panel.plot.span[0] > closer[0]
    qtbot.keyClick(panel.plot, Qt.Key.Key_Home)
    assert panel.plot.span == home


def test_zoom_ends_before_nothing_is_left(qtbot, panel):
    for _ in range(80):
        qtbot.keyClick(panel.plot, Qt.Key.Key_Plus)
    low, high = panel.plot.span
    assert high - low == pytest.approx(10 * 86_400)


# Reading values


def test_hovering_reads_day_and_values(qtbot, panel):
    row = 5000
    told: list[object] = []
    panel.cursor_moved.connect(told.append)
    qtbot.mouseMove(panel.plot.viewport(), spot(panel, X[row], 7.0))
    shown = panel.plot.cursor
    nearest = int(np.abs(X - shown).argmin())
    assert abs(nearest - row) < 15  # a pixel is some days wide
    assert told == [X[nearest]]
    date = datetime.fromtimestamp(shown, NY)
    words = panel.plot.read_out()
    assert words.startswith(f"{date:%a} {date.day} {date:%b %Y} · NDX / RUT {Y[nearest]:.3f}")
    assert words.endswith(f"SMA 200 {Y[nearest] - 0.05:.3f}")
    assert panel.plot.accessibleDescription() == words


def test_the_pointer_leaves_and_nothing_is_read(qtbot, panel):
    qtbot.mouseMove(panel.plot.viewport(), QPoint(300, 150))
    assert panel.plot.read_out()
    qtbot.mouseMove(panel.plot.viewport(), QPoint(300, panel.plot.height() - 3))  # on the time axis
    assert panel.plot.read_out() == ""


def test_shift_and_arrows_walk_from_the_last_day(qtbot, panel):
    shift, far = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    panel.plot.setFocus()
    qtbot.keyClick(panel.plot, Qt.Key.Key_Left, shift)
    assert panel.plot.cursor == X[-1]
    qtbot.keyClick(panel.plot, Qt.Key.Key_Left, shift)
    assert panel.plot.cursor == X[-2]
    qtbot.keyClick(panel.plot, Qt.Key.Key_Left, shift | far)
    assert panel.plot.cursor == X[-22]
    qtbot.keyClick(panel.plot, Qt.Key.Key_Escape)
    assert panel.plot.cursor is None


def test_walking_past_the_edge_takes_the_picture_along(qtbot, panel):
    panel._choose_range("1M")
    for _ in range(30):
        qtbot.keyClick(panel.plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    low, high = panel.plot.span
    assert panel.plot.cursor == X[-30]
    assert low <= X[-30] <= high


def test_the_cursor_of_another_chart_is_shown_and_not_echoed(panel):
    told: list[object] = []
    panel.cursor_moved.connect(told.append)
    panel.show_cursor(float(X[100]))
    assert panel.plot.cursor == X[100]
    panel.show_cursor(float(X[0]) - 1e9)
    assert panel.plot.cursor is None
    assert told == []


def test_a_hole_reads_not_available_and_is_not_bridged(qtbot, panel):
    holed = Y.copy()
    holed[4000:6000] = np.nan
    panel.show_state(replace(STATE, curve=Curve(X, holed), averages=()))
    panel.show_cursor(float(X[5000]))
    assert panel.plot.read_out().endswith("NDX / RUT n/a")
    drawn = panel.plot._traces["ratio"].item
    inside = (drawn.xData > X[4010]) & (drawn.xData < X[5990])
    assert inside.any() and np.isnan(drawn.yData[inside]).all()
    assert drawn.opts["connect"] == "finite"


# Levels


def test_a_level_is_dragged_live_and_let_go(qtbot, panel):
    moved: list[LevelMoved] = []
    released: list[LevelMoved] = []
    panel.level_moved.connect(moved.append)
    panel.level_released.connect(released.append)
    view, start, end = panel.plot.viewport(), spot(panel, X[3000], 9.0), spot(panel, X[3000], 7.0)
    scale = panel.plot.y_span
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    drag(panel, QPoint(start.x(), (start.y() + end.y()) // 2))
    assert [one.key for one in moved] == ["stop"] and 7.5 < moved[0].value < 8.5
    drag(panel, end)
    assert panel.plot.y_span == scale, "the scale must not move under the hand"
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    pixel = (panel.plot.y_span[1] - panel.plot.y_span[0]) / panel.plot.area().height()
    assert moved[-1].value == pytest.approx(7.0, abs=pixel)
    assert moved[-1].value == round(moved[-1].value, 3)
    assert released == [moved[-1]]


def test_a_frame_that_comes_while_dragging_does_not_pull_the_level_away(qtbot, panel):
    view, start = panel.plot.viewport(), spot(panel, X[3000], 9.0)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    drag(panel, spot(panel, X[3000], 7.0))
    panel.show_state(replace(STATE, levels=(*STATE.levels[:1], replace(STATE.levels[1], value=8.2))))
    assert panel.plot._levels()[1].value == pytest.approx(7.0, abs=0.1)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start)


def test_the_state_decides_where_a_level_ends(qtbot, panel):
    view = panel.plot.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=spot(panel, X[3000], 9.0))
    drag(panel, spot(panel, X[3000], 7.0))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=spot(panel, X[3000], 7.0))
    accepted = replace(STATE.levels[1], value=7.5, label="Stop 7.500")
    panel.show_state(replace(STATE, levels=(STATE.levels[0], accepted)))
    assert panel.plot._levels()[1] == accepted


def test_a_refused_move_goes_back(qtbot, panel):
    view = panel.plot.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=spot(panel, X[3000], 9.0))
    drag(panel, spot(panel, X[3000], 7.0))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=spot(panel, X[3000], 7.0))
    panel.plot._let_go.setInterval(0)
    panel.plot._let_go.start()
    qtbot.waitUntil(lambda: panel.plot._levels()[1].value == 9.0)


def test_a_level_is_moved_by_keyboard(qtbot, panel):
    moved: list[LevelMoved] = []
    released: list[LevelMoved] = []
    panel.level_moved.connect(moved.append)
    panel.level_released.connect(released.append)
    panel.plot.setFocus()
    qtbot.keyClick(panel.plot, Qt.Key.Key_Up)
    assert moved == [], "no level is picked"
    qtbot.keyClick(panel.plot, Qt.Key.Key_L)
    assert panel.plot.accessibleDescription() == "Stop 9.000: up and down move it"
    qtbot.keyClick(panel.plot, Qt.Key.Key_Up)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert moved == [LevelMoved("stop", 9.01), LevelMoved("stop", 8.91)]
    assert released == moved
    qtbot.keyClick(panel.plot, Qt.Key.Key_L)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Up)
    assert moved[-1] == LevelMoved("target", 4.01)
    qtbot.keyClick(panel.plot, Qt.Key.Key_L)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Up)
    assert len(moved) == 3, "after the last level none is picked"


def test_the_record_cannot_be_dragged(qtbot, panel):
    moved: list[LevelMoved] = []
    panel.level_moved.connect(moved.append)
    qtbot.mousePress(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot(panel, X[3000], 9.8))
    drag(panel, QPoint(300, 200))
    qtbot.mouseRelease(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert moved == []


def test_a_level_out_of_the_picture_waits_at_the_edge(qtbot, panel):
    panel.show_state(replace(STATE, levels=STATE.levels[2:]))
    panel._choose_range("1M")
    assert panel.plot.y_span[0] > 4.0
    moved: list[LevelMoved] = []
    panel.level_moved.connect(moved.append)
    edge = round(panel.plot.area().bottom())
    qtbot.mousePress(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, edge))
    drag(panel, QPoint(300, edge - 100))
    qtbot.mouseRelease(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, edge - 100))
    assert moved[-1].key == "target"
    assert panel.plot.y_span[0] < moved[-1].value


# Taking away


def test_the_menu_copies_the_days_in_the_picture(qtbot, panel):
    panel._choose_range("1M")
    menu_actions(panel)["Copy data"].trigger()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "date\tNDX / RUT\tSMA 200"
    assert lines[1].split("\t")[0] == "2024-06-11"
    assert lines[-1].split("\t") == ["2024-07-11", "9.511", "9.461"]
    assert len(lines) == 1 + 23  # business days, both ends included


def test_the_menu_copies_the_panel_as_a_picture(qtbot, panel):
    menu_actions(panel)["Copy picture"].trigger()
    picture = QApplication.clipboard().image()
    assert (picture.width(), picture.height()) == (780, 420)


def test_the_menu_saves_a_file(qtbot, panel, tmp_path, monkeypatch):
    path = tmp_path / "ratio.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    menu_actions(panel)["Save CSV…"].trigger()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "date,NDX / RUT,SMA 200"
    assert len(lines) == 1 + len(X)


def test_a_file_that_cannot_be_written_is_told_with_cause_and_cure(panel, tmp_path, monkeypatch):
    told: list[str] = []
    path = tmp_path / "absent" / "ratio.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda _parent, _title, words: told.append(words))
    panel.plot.save_csv()
    assert told[0].startswith("ratio.csv was not written: ")
    assert told[0].endswith("Choose another place.")
    assert not path.exists()


def test_saving_called_off_writes_nothing(panel, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    panel.plot.save_csv()
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_copies_and_the_menu_resets(qtbot, panel):
    home = panel.plot.span
    qtbot.keyClick(panel.plot, Qt.Key.Key_Plus)
    qtbot.keyClick(panel.plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text().startswith("date\tNDX / RUT")
    menu_actions(panel)["Reset"].trigger()
    assert panel.plot.span == home


# What is shown


def test_without_days_the_panel_says_what_to_do(qtbot, panel):
    message = "No daily closes are in the store: press F5, or import history with Ctrl+O"
    panel.show_state(RatioState((), None, (), (), (), None, "America/New_York", message=message))
    shown = {one.text() for one in panel.findChildren(QLabel) if one.isVisible()}
    assert message in shown
    assert not panel.plot.isVisible()
    assert not menu_actions(panel)["Copy data"].isEnabled()
    panel.show_state(STATE)
    assert panel.plot.isVisible()
    assert panel.plot.span[0] == X[0]


def test_one_single_day_is_shown(panel):
    panel.show_state(replace(STATE, curve=Curve(X[:1], Y[:1]), averages=(), levels=()))
    panel.grab()
    low, high = panel.plot.span
    assert low <= X[0] <= high


def test_only_holes_are_shown_as_nothing(panel):
    panel.show_state(replace(STATE, curve=Curve(X, np.full(len(X), np.nan)), averages=(), levels=(), last=None))
    panel.grab()


def test_not_live_is_told_in_words(panel):
    panel.show_state(replace(STATE, dimmed=True))
    assert "not live" in {one.text() for one in panel.findChildren(QLabel) if one.isVisible()}


def test_an_equal_state_paints_and_sets_nothing(qtbot, panel, monkeypatch):
    sets: list[int] = []
    item = panel.plot._traces["ratio"].item
    monkeypatch.setattr(item, "setData", lambda *_, **__: sets.append(1))
    qtbot.wait(50)
    paints = Paints(panel)
    panel.show_state(replace(STATE))
    qtbot.wait(50)
    assert (paints.count, sets) == (0, [])
    panel.show_state(replace(STATE, last=Tag(9.512, "9.512", Tone.PLAIN)))
    qtbot.waitUntil(lambda: paints.count > 0)
    assert sets == [], "the curve is the same"


def test_the_theme_reaches_the_chart(panel):
    def ground() -> str:
        return str(panel.plot.grab().toImage().pixelColor(3, panel.plot.height() - 3).name())

    panel.set_theme(theme.DARK)
    assert ground() == theme.DARK.panel
    panel.set_theme(theme.LIGHT)
    assert ground() == theme.LIGHT.panel
    assert panel.plot._traces["ratio"].item.opts["pen"].color().name() == theme.LIGHT.curve


@pytest.mark.parametrize("size", [(780, 420), (620, 300), (300, 180), (1900, 1000)])
def test_any_size_paints(panel, size):
    panel.resize(*size)
    assert not panel.grab().isNull()
    area = panel.plot.area()
    assert panel.plot.x_to_pixel(panel.plot.span[1]) == pytest.approx(area.right())


def test_what_is_drawn_stands_where_it_is_read(panel):
    """pyqtgraph draws the curve, the chart places tags and levels: both must mean the same pixel."""
    box = panel.plot._box
    panel.grab()
    mapped = box.mapViewToScene(QPointF(X[5000], Y[5000]))
    assert mapped.x() == pytest.approx(panel.plot.x_to_pixel(X[5000]), abs=0.01)
    assert mapped.y() == pytest.approx(panel.plot.y_to_pixel(Y[5000]), abs=0.01)


def test_nothing_stays_behind_after_close(qtbot):
    panel = RatioPanel()
    panel.show_state(STATE)
    panel.show()
    destroyed: list[bool] = []
    panel.plot.destroyed.connect(lambda: destroyed.append(True))
    seen = weakref.ref(panel.plot)
    panel.close()
    panel.deleteLater()
    qtbot.waitUntil(lambda: bool(destroyed))
    del panel
    gc.collect()
    assert seen() is None
