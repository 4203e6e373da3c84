"""Arrays become curves. The same arrays give the same Curve object, so that a panel can tell "nothing new"."""

from __future__ import annotations

import numpy as np

from desktop.analytics.divergence import Cone
from desktop.market.quotes import DayArray, FloatArray
from desktop.snapshot import Line
from widgets.states import Band, Curve

_MIDDAY_S = 17 * 3600
"""Daily points stand at 17:00 UTC: midday of their date in New York, summer and winter."""


def day_seconds(days: DayArray) -> FloatArray:
    """Days as seconds since 1970 UTC, at midday in New York."""
    seconds: FloatArray = days.astype("datetime64[s]").astype(np.float64) + _MIDDAY_S
    return seconds


class Curves:
    """Remembers the last curve by name."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, Curve]] = {}
        self._cone: tuple[Cone, float, tuple[Band, ...]] | None = None

    def of_line(self, name: str, line: Line) -> Curve | None:
        """Curve of a daily line; None where it has no point."""
        if not len(line.days):
            return None
        held = self._made.get(name)
        if held is not None and held[0] is line:
            return held[1]
        made = Curve(day_seconds(line.days), line.values)
        self._made[name] = (line, made)
        return made

    def of_points(self, name: str, x: FloatArray, y: FloatArray) -> Curve:
        """Curve of points; the one of before when they are equal to it."""
        held = self._made.get(name)
        if held is not None and _same(held[1].x, x) and _same(held[1].y, y):
            return held[1]
        made = Curve(x, y)
        self._made[name] = (None, made)
        return made

    def of_cone(self, cone: Cone, opens_s: float) -> tuple[Band, ...]:
        """Bands of two and one sigma around zero, over a session that opens at `opens_s`."""
        if self._cone is None or self._cone[0] is not cone or self._cone[1] != opens_s:
            x: FloatArray = opens_s + 60.0 * cone.minute.astype(np.float64)
            bands = tuple(Band(x, -sigma * cone.sd_pp, sigma * cone.sd_pp) for sigma in (2.0, 1.0))
            self._cone = (cone, opens_s, bands)
        return self._cone[2]


def _same(one: FloatArray, other: FloatArray) -> bool:
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
