"""Arrays on their way to the screen, and back to the user as a table. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from widgets.states import Curve
from widgets.ticks import iso_words

Floats = NDArray[np.float64]
_THIN_FROM = 4
"""More points than this a pixel column are drawn as the lowest and the highest of each half column."""


def with_holes(curve: Curve, gap_s: float | None) -> Curve:
    """Return `curve` with a hole (NaN) in every step longer than `gap_s`, so that no line is drawn across it."""
    if gap_s is None or len(curve.x) < 2:
        return curve
    wide = np.flatnonzero(np.diff(curve.x) > gap_s)
    if not len(wide):
        return curve
    middle = (curve.x[wide] + curve.x[wide + 1]) / 2
    return Curve(np.insert(curve.x, wide + 1, middle), np.insert(curve.y, wide + 1, np.nan))


def rows_between(x: Floats, low: float, high: float) -> slice:
    """Return the rows of ascending `x` within `low`..`high`, ends included."""
    return slice(int(np.searchsorted(x, low, side="left")), int(np.searchsorted(x, high, side="right")))


def on_screen(curve: Curve, low: float, high: float, pixels: int) -> Curve:
    """Return what has to be drawn of `curve` between `low` and `high` on `pixels` columns.

    One point beyond each edge is kept, so that lines leave the picture. Where points are many times denser than
    pixels, each half column keeps its lowest and highest value: the picture is the same, peaks included.
    """
    rows = rows_between(curve.x, low, high)
    start, stop = max(0, rows.start - 1), min(len(curve.x), rows.stop + 1)
    x, y = curve.x[start:stop], curve.y[start:stop]
    if len(x) <= _THIN_FROM * max(1, pixels):
        return Curve(x, y)
    chunk = -(-len(x) // (2 * max(1, pixels)))
    first = np.arange(0, len(x), chunk)
    thin_x, thin_y = np.repeat(x[first], 2), np.empty(2 * len(first))
    thin_y[0::2], thin_y[1::2] = np.fmin.reduceat(y, first), np.fmax.reduceat(y, first)
    return Curve(np.append(thin_x, x[-1]), np.append(thin_y, y[-1]))


def extent(columns: Sequence[Floats]) -> tuple[float, float] | None:
    """Return the lowest and highest finite value of all `columns`; None where there is none."""
    lows, highs = [], []
    for values in columns:
        if len(values):
            low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
            if np.isfinite(low) and np.isfinite(high):
                lows.append(low)
                highs.append(high)
    return (min(lows), max(highs)) if lows else None


def nearest_row(x: Floats, at: float) -> int:
    """Return the row of ascending `x` nearest to `at`; `x` must not be empty."""
    after = int(np.searchsorted(x, at))
    if after == 0:
        return 0
    if after == len(x) or at - x[after - 1] <= x[after] - at:
        return after - 1
    return after


def value_at(curve: Curve, at: float, reach_s: float) -> float | None:
    """Return the last value at or before `at`; None before the first point, in a hole, or `reach_s` after it."""
    row = int(np.searchsorted(curve.x, at, side="right")) - 1
    if row < 0 or at - curve.x[row] > reach_s or not np.isfinite(curve.y[row]):
        return None
    return float(curve.y[row])


def table(
    columns: Sequence[tuple[str, Curve]], low: float, high: float, zone: ZoneInfo, *, daily: bool, separator: str
) -> str:
    """Return the points within `low`..`high` as lines of text, the first naming the columns; a hole is empty."""
    cut = [
        (name, curve.x[rows], curve.y[rows])
        for name, curve in columns
        for rows in [rows_between(curve.x, low, high)]
    ]
    moments = np.unique(np.concatenate([x for _, x, _ in cut])) if cut else np.empty(0)
    cells = [[iso_words(at, zone, daily=daily) for at in moments.tolist()]]
    for _, x, y in cut:
        column = np.full(len(moments), np.nan)
        column[np.searchsorted(moments, x)] = y
        cells.append(["" if value != value else f"{value:.10g}" for value in column.tolist()])
    head = ["date" if daily else "time", *(name for name, _, _ in cut)]
    lines = [separator.join(head), *(separator.join(row) for row in zip(*cells, strict=True))]
    return "\n".join(lines) + "\n"
