"""Rails of dated events on the time axes: as many as can be told apart, named on hover."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from tests.widgets.paint_counter import Paints
from tests.widgets.test_ratio_panel import STATE, X
from widgets import theme
from widgets.rails import label_near, rails_shown
from widgets.ratio_panel import RatioPanel
from widgets.small_history import SmallHistory
from widgets.states import Curve, Rails

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
DAY_S = 86_400.0


def rails(every_days: int = 7) -> Rails:
    """A minor event a week, every eighth a decision of the Fed, every hundredth an election, to the last day."""
    at = X[-1] - DAY_S * every_days * np.arange(1900)[::-1]
    number = np.arange(1900)[::-1]
    weight = np.where(number % 100 == 0, 0, np.where(number % 8 == 0, 1, 2)).astype(np.int64)
    return Rails(at, tuple(f"event {one}" for one in number), weight)


def shown(found: Rails, days: float, width: float = 700.0) -> list[int]:
    rows = rails_shown(found, X[-1] - days * DAY_S, X[-1] + DAY_S, width)
    return sorted(set(found.weight[rows].tolist()))


def test_a_short_span_shows_all_a_long_one_only_what_is_major_a_longer_one_elections():
    found = rails()
    assert shown(found, 60) == [0, 1, 2]
    assert shown(found, 3 * 365) == [0, 1]
    assert shown(found, 36 * 365) == [0]


def test_where_even_elections_would_be_a_fence_none_is_shown():
    assert shown(rails(), 36 * 365, width=100.0) == []


def test_rails_are_never_closer_than_can_be_told_apart_on_average():
    found = rails()
    for days in (30, 200, 1000, 5000, 13_000):
        assert len(rails_shown(found, X[-1] - days * DAY_S, X[-1], 700.0)) <= 700 / 26 + 1


def test_the_label_is_that_of_the_nearest_rail_within_reach():
    found = Rails(np.array([100.0, 200.0]), ("CPI", "FOMC"), np.array([2, 1]))
    rows = np.array([0, 1])
    assert label_near(found, rows, 190.0, 20.0) == "FOMC"
    assert label_near(found, rows, 150.0, 20.0) == ""


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = RatioPanel()
    qtbot.addWidget(made)
    made.resize(780, 420)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_the_chart_names_the_event_under_the_crosshair_of_its_day(panel):
    found = Rails(X[-30:-29], ("CPI + Option expiry",), np.array([2]))
    panel.show_state(replace(STATE, rails=found))
    panel.plot._look_at(X[-60], X[-1])
    assert panel.plot.rail_label(float(X[-30])) == "CPI + Option expiry"
    assert panel.plot.rail_label(float(X[-28])) == ""


def test_rails_are_drawn_and_the_same_rails_paint_nothing(panel):
    panel.show_state(STATE)
    QApplication.processEvents()
    without = panel.grab().toImage()
    state = replace(STATE, rails=Rails(X[-2000::500], ("a", "b", "c", "d"), np.zeros(4, dtype=np.int64)))
    panel.show_state(state)
    QApplication.processEvents()
    assert panel.grab().toImage() != without
    QApplication.processEvents()
    paints = Paints(panel)
    panel.show_state(replace(state))
    QApplication.processEvents()
    assert paints.count == 0


def test_the_history_of_the_gauge_tells_the_event_of_the_day(qtbot):
    theme.load_fonts()
    made = SmallHistory("History")
    qtbot.addWidget(made)
    made.resize(500, 120)
    made.show_curves(Curve(X[-60:], np.linspace(0.1, 0.3, 60)), None)
    made.show_rails(Rails(X[-30:-29], ("FOMC decision",), np.array([1])))
    made.show_cursor(float(X[-30]))
    assert made.read_out().endswith("FOMC decision")
    made.show_cursor(float(X[-27]))
    assert "FOMC" not in made.read_out()
