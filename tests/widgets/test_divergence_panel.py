"""The divergence panel as a person uses it."""

import gc
import time
import weakref
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.divergence_panel import DivergencePanel
from widgets.parts import FactLine
from widgets.states import Band, Choice, Curve, DivergenceState, Mark, Tag, Text, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

NY = ZoneInfo("America/New_York")
OPEN = datetime(2024, 7, 11, 9, 30, tzinfo=NY).timestamp()
RELEASE = datetime(2024, 7, 11, 8, 30, tzinfo=NY).timestamp()
X = OPEN + 60.0 * np.arange(1, 391, dtype=np.float64)
SESSION = (RELEASE - 900, OPEN + 6.5 * 3600)
RUT = Curve(X, np.linspace(1.9, 3.57, 390))
NDX = Curve(X, np.linspace(-0.05, -2.24, 390))
SPREAD = Curve(X, RUT.y - NDX.y)
SD = 0.3 + 0.7 * np.sqrt(np.arange(391) / 390)
EDGE = OPEN + 60.0 * np.arange(391, dtype=np.float64)
STATE = DivergenceState(
    references=(
        Choice("prior_close", "Prior close", chosen=True),
        Choice("open", "Open"),
        Choice("release", "Release 08:30", enabled=False, why="no release this day"),
    ),
    spread=SPREAD,
    rut=RUT,
    ndx=NDX,
    bands=(Band(EDGE, -2 * SD, 2 * SD), Band(EDGE, -SD, SD)),
    tags=(Tag(5.81, "+5.81", Tone.GOOD), Tag(3.57, "+3.57", Tone.RUT), Tag(-2.24, "−2.24", Tone.NDX)),
    marks=(Mark(RELEASE, "CPI 08:30"),),
    x_range=SESSION,
    facts=(Text("2nd of 9,280"), Text("+5.8σ", why="over sd of 60 days")),
    caption=Text("shaded: usual 1σ and 2σ for this time of day · driver: cash index, both legs 0 s old", Tone.DIM),
    warnings=(),
    zone="America/New_York",
)


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = DivergencePanel()
    qtbot.addWidget(made)
    made.resize(780, 420)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def labels(panel: DivergencePanel) -> set[str]:
    return {one.text() for one in panel.findChildren(QLabel) if one.isVisible()}


def buttons(panel: DivergencePanel) -> dict[str, QPushButton]:
    return {one.text(): one for one in panel.findChildren(QPushButton)}


def colours(panel: DivergencePanel, rows: range, columns: range) -> set[str]:
    picture = panel.plot.grab().toImage()
    return {picture.pixelColor(x, y).name() for y in rows for x in columns}


def test_a_reference_is_clicked_and_only_asked_for(qtbot, panel):
    with qtbot.waitSignal(panel.reference_chosen) as asked:
        qtbot.mouseClick(buttons(panel)["Open"], Qt.MouseButton.LeftButton)
    assert asked.args == ["open"]


def test_a_reference_is_walked_to_with_arrow_keys(qtbot, panel):
    first = buttons(panel)["Prior close"]
    first.setFocus()
    with qtbot.waitSignal(panel.reference_chosen) as asked:
        qtbot.keyClick(first, Qt.Key.Key_Right)
    assert asked.args == ["open"]


def test_a_reference_which_cannot_be_used_says_why(panel):
    button = buttons(panel)["Release 08:30"]
    assert not button.isEnabled()
    assert button.toolTip() == "no release this day"


def test_focus_goes_from_the_references_to_the_chart(qtbot, panel):
    first = buttons(panel)["Prior close"]
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert panel.plot.hasFocus()


def test_the_whole_session_is_in_the_picture_with_zero(panel):
    assert panel.plot.span == SESSION
    assert panel.plot.y_span[0] < -2.24 and panel.plot.y_span[1] > 5.81


def test_hovering_reads_time_and_all_three_with_signs_and_units(qtbot, panel):
    row = 199
    at = QPoint(round(panel.plot.x_to_pixel(X[row])), 150)
    told: list[object] = []
    panel.cursor_moved.connect(told.append)
    qtbot.mouseMove(panel.plot.viewport(), at)
    read = int(np.flatnonzero(panel.plot.cursor == X)[0])
    assert abs(read - row) <= 1
    clock = datetime.fromtimestamp(X[read], NY)
    assert panel.plot.read_out() == (
        f"Thu 11 Jul 2024 {clock:%H:%M} ET · RUT − NDX +{SPREAD.y[read]:.2f} pp"
        f" · RUT +{RUT.y[read]:.2f} % · NDX −{-NDX.y[read]:.2f} %"
    )
    assert told == [X[read]]


def test_the_caption_tells_driver_and_ages(panel):
    assert STATE.caption.text in labels(panel)


def test_warnings_come_with_a_sign_and_go(panel):
    warned = replace(STATE, warnings=(Text("proxy: ETFs stand in for the index", Tone.WARN, "index is stale"),))
    panel.show_state(warned)
    line = next(one for one in panel.findChildren(FactLine) if one.accessibleName() == "Warnings")
    assert line.isVisible()
    assert line.toolTip() == "⚠ proxy: ETFs stand in for the index (index is stale)"
    panel.show_state(STATE)
    assert not line.isVisible()


def test_a_pause_of_the_market_is_not_bridged(panel):
    x = np.concatenate((X[:60], X[200:]))
    y = np.concatenate((SPREAD.y[:60], SPREAD.y[200:]))
    panel.show_state(replace(STATE, spread=Curve(x, y)))
    drawn = panel.plot._traces["spread"].item
    inside = (drawn.xData > X[59]) & (drawn.xData < X[200])
    assert np.isnan(drawn.yData[inside]).all() and inside.any()
    middle = round(panel.plot.x_to_pixel((X[59] + X[200]) / 2))
    column = colours(panel, range(18, round(panel.plot.y_to_pixel(3.8))), range(middle, middle + 1))
    assert theme.DARK.tones[Tone.GOOD] not in column


def test_a_negative_gap_is_drawn_in_its_own_colour(panel):
    panel.show_state(replace(STATE, tags=(Tag(-1.0, "−1.00", Tone.BAD), *STATE.tags[1:])))
    pen = panel.plot._traces["spread"].item.opts["pen"]
    assert pen.color().name() == theme.DARK.tones[Tone.BAD]


def test_legs_keep_their_colours_and_bands_are_shaded(panel):
    for key, tone in (("rut", Tone.RUT), ("ndx", Tone.NDX)):
        assert panel.plot._traces[key].item.opts["pen"].color().name() == theme.DARK.tones[tone]
    x = round(panel.plot.x_to_pixel(OPEN + 6 * 3600))
    y = round(panel.plot.y_to_pixel(-0.5))
    assert theme.DARK.band_inner in colours(panel, range(y, y + 1), range(x, x + 5))
    y = round(panel.plot.y_to_pixel(-1.4))
    assert theme.DARK.band_outer in colours(panel, range(y, y + 1), range(x, x + 5))


def test_the_release_is_marked(panel):
    x = round(panel.plot.x_to_pixel(RELEASE))
    area = panel.plot.area()
    seen = colours(panel, range(round(area.top()), round(area.bottom())), range(x - 1, x + 2))
    assert theme.DARK.tones[Tone.WARN] in seen


def test_bands_come_and_go(panel):
    panel.show_state(replace(STATE, bands=()))
    assert panel.plot._areas == []
    panel.show_state(STATE)
    assert len(panel.plot._areas) == 2


def test_the_next_session_is_looked_at_even_when_zoomed_into_the_last_one(qtbot, panel):
    qtbot.keyClick(panel.plot, Qt.Key.Key_Plus)
    tomorrow = (SESSION[0] + 86_400, SESSION[1] + 86_400)
    moved = [Curve(one.x + 86_400, one.y) for one in (SPREAD, RUT, NDX)]
    panel.show_state(replace(STATE, spread=moved[0], rut=moved[1], ndx=moved[2], bands=(), x_range=tomorrow))
    assert panel.plot.span == tomorrow


def test_a_zoomed_picture_stays_when_a_quote_arrives(qtbot, panel):
    qtbot.keyClick(panel.plot, Qt.Key.Key_Plus)
    closer = panel.plot.span
    panel.show_state(replace(STATE, spread=Curve(X, SPREAD.y + 0.01)))
    assert panel.plot.span == closer


def test_without_minutes_the_panel_says_what_to_do(panel):
    message = "11 Jul 2024: no prices of this session in the store.\nRefresh (F5), or import intraday bars."
    panel.show_state(
        replace(STATE, spread=None, rut=None, ndx=None, bands=(), tags=(), marks=(), message=message, dimmed=True)
    )
    assert message in labels(panel)
    assert not panel.plot.isVisible()
    assert STATE.caption.text not in labels(panel)
    panel.show_state(STATE)
    assert panel.plot.isVisible() and STATE.caption.text in labels(panel)


def test_not_live_is_told_in_words(panel):
    assert "not live" not in labels(panel)
    panel.show_state(replace(STATE, dimmed=True))
    assert "not live" in labels(panel)


def test_data_are_copied_with_units_and_local_time(qtbot, panel):
    qtbot.keyClick(panel.plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "time\tRUT − NDX (pp)\tRUT (%)\tNDX (%)"
    assert lines[1] == "2024-07-11T09:31:00-04:00\t1.95\t1.9\t-0.05"
    assert len(lines) == 391


def test_an_equal_state_paints_nothing(qtbot, panel):
    qtbot.wait(50)
    paints = Paints(panel)
    panel.show_state(replace(STATE))
    qtbot.wait(50)
    assert paints.count == 0


def test_a_new_quote_paints_the_chart_once(qtbot, panel):
    QApplication.processEvents()
    chart = Paints(panel.plot.viewport())
    for number in range(1, 6):
        moved = Curve(X, np.append(SPREAD.y[:-1], SPREAD.y[-1] + 0.01 * number))
        before = chart.count
        panel.show_state(replace(STATE, spread=moved))
        qtbot.waitUntil(lambda seen=before: chart.count > seen)
        for _ in range(5):  # what the scene has queued comes with the next turns
            QApplication.processEvents()
        assert chart.count == before + 1


def test_a_changed_caption_sets_no_curve(panel, monkeypatch):
    sets: list[int] = []
    for trace in panel.plot._traces.values():
        monkeypatch.setattr(trace.item, "setData", lambda *_, **__: sets.append(1))
    panel.show_state(replace(STATE, caption=Text("driver: cash index, both legs 1 s old", Tone.DIM)))
    assert sets == []


def test_the_cursor_of_another_chart_is_shown_within_the_session_only(panel):
    panel.show_cursor(OPEN + 3600)
    assert panel.plot.cursor == OPEN + 3600
    panel.show_cursor(OPEN - 40 * 86_400)
    assert panel.plot.cursor is None


@pytest.mark.parametrize("size", [(780, 420), (620, 300), (320, 180)])
@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=lambda one: one.name)
def test_any_size_and_theme_paints(panel, size, look):
    panel.set_theme(look)
    panel.resize(*size)
    assert not panel.grab().isNull()


def test_a_long_session_of_seconds_is_updated_and_painted_quickly(panel):
    """Budget 6 ms on an idle machine for one curve; the limit leaves room for a busy one."""
    x = OPEN + np.arange(23_400.0)
    walks = [np.cumsum(np.random.default_rng(seed).normal(0, 0.01, len(x))) for seed in range(6)]
    took = []
    for y in walks:
        started = time.perf_counter()
        panel.show_state(replace(STATE, spread=Curve(x, y)))
        panel.plot.viewport().repaint()
        took.append(time.perf_counter() - started)
    assert min(took) < 0.025


def test_nothing_stays_behind_after_close(qtbot):
    panel = DivergencePanel()
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
