"""Arrays on their way to the screen and into a table."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from widgets.plot_data import extent, nearest_row, on_screen, table, value_at, with_holes
from widgets.states import Curve

NY = ZoneInfo("America/New_York")
NAN = float("nan")


def curve(x: list[float], y: list[float]) -> Curve:
    return Curve(np.array(x, dtype=np.float64), np.array(y, dtype=np.float64))


def test_a_long_pause_becomes_a_hole():
    holed = with_holes(curve([0, 60, 120, 3600, 3660], [1, 2, 3, 4, 5]), 900)
    assert holed.x.tolist() == [0, 60, 120, 1860, 3600, 3660]
    assert np.array_equal(holed.y, [1, 2, 3, NAN, 4, 5], equal_nan=True)


def test_without_a_pause_the_curve_stays_the_same_object():
    given = curve([0, 60], [1, 2])
    assert with_holes(given, 900) is given
    assert with_holes(given, None) is given


def test_what_is_outside_is_not_drawn_but_for_one_point_beyond_each_edge():
    shown = on_screen(curve(list(range(10)), list(range(10))), 3.5, 6.5, 100)
    assert shown.x.tolist() == [3, 4, 5, 6, 7]


def test_thinning_keeps_every_peak_the_holes_and_the_last_point():
    rng = np.random.default_rng(1)
    y = np.cumsum(rng.normal(size=23_400))
    y[7_777] = 500.0
    y[9_000:12_000] = np.nan
    x = np.arange(23_400.0)
    shown = on_screen(Curve(x, y), 0, 23_400, 700)
    assert len(shown.x) <= 4 * 700 + 1
    assert np.nanmax(shown.y) == 500.0
    assert np.nanmin(shown.y) == np.nanmin(y)
    assert (shown.x[-1], shown.y[-1]) == (x[-1], y[-1])
    assert np.isnan(shown.y[(shown.x > 9_050) & (shown.x < 11_950)]).all()
    assert (np.diff(shown.x) >= 0).all()


def test_extent_leaves_out_what_is_not_known():
    assert extent([np.array([NAN, 2.0, -1.0]), np.array([]), np.array([NAN])]) == (-1.0, 2.0)
    assert extent([np.array([NAN])]) is None


@pytest.mark.parametrize(("at", "row"), [(-5, 0), (0, 0), (0.4, 0), (0.6, 1), (2.9, 2), (99, 2)])
def test_nearest_row(at, row):
    assert nearest_row(np.array([0.0, 1.0, 3.0]), at) == row


@pytest.mark.parametrize(
    ("at", "expected"), [(-1, None), (0, 1.0), (59, 1.0), (60, None), (130, 3.0), (1019, 3.0), (1021, None)]
)
def test_the_value_at_a_moment_is_the_last_one_known(at, expected):
    assert value_at(curve([0, 60, 120], [1, NAN, 3]), at, 900) == expected


def test_a_table_joins_curves_by_moment_and_leaves_holes_empty():
    # 2024-07-11 09:31 and 09:32 in New York
    first = curve([1720704660, 1720704720], [1.5, NAN])
    second = curve([1720704720, 1720704780], [-0.25, 0.125])
    made = table([("gap (pp)", first), ("RUT (%)", second)], 0, 1720704720, NY, daily=False, separator=",")
    assert made == (
        "time,gap (pp),RUT (%)\n"  #
        "2024-07-11T09:31:00-04:00,1.5,\n"
        "2024-07-11T09:32:00-04:00,,-0.25\n"
    )


def test_a_table_of_nothing_is_its_head():
    assert table([], 0, 1, NY, daily=True, separator="\t") == "date\n"
