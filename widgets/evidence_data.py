"""An evidence chart as numbers: lines made ready to draw, values in words, the table to take away. No Qt."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from widgets.plot_data import nearest_row, value_at
from widgets.states import Curve, EvidenceChart, EvidenceLine
from widgets.ticks import iso_words

Floats = NDArray[np.float64]
_SHORT_UNIT = 2
_DAILY_FROM_S = 12 * 3600.0
_MOST_PLACES, ANY_PLACES = 4, 99


@dataclass(frozen=True, slots=True)
class Series:
    """One line, ascending in x. `reach` is how long after a point its value holds; None where it does not."""

    line: EvidenceLine
    curve: Curve
    reach: float | None
    places: int
    """Decimals that the values have: more are not told."""

    def at(self, x: float) -> float | None:
        """Return the value that holds at `x`; dots hold only where they stand."""
        if not len(self.curve.x):
            return None
        if not self.line.dots and self.reach is not None:
            return value_at(self.curve, x, self.reach)
        if not self.line.dots:
            between = float(np.interp(x, self.curve.x, self.curve.y, left=np.nan, right=np.nan))
            return between if np.isfinite(between) else None
        row = nearest_row(self.curve.x, x)
        value = float(self.curve.y[row])
        return value if self.curve.x[row] == x and np.isfinite(value) else None


def ready(line: EvidenceLine, *, timed: bool) -> Series:
    """Return `line` in ascending x, with what is needed to read it.

    A value over time (`timed`) or of a step holds until the next one comes; over numbers, what lies between two
    points is read between them.
    """
    x, y = line.curve.x, line.curve.y
    curve = line.curve
    steps = np.diff(x)
    if len(steps) and float(steps.min()) < 0:
        order = np.argsort(x, kind="stable")
        curve = Curve(x[order], y[order])
        steps = np.diff(curve.x)
    reach = float(steps.max()) if len(steps) else 0.0
    if timed or line.step or line.dots:
        return Series(line, curve, reach, places(y))
    return Series(line, curve, None, ANY_PLACES)


def places(values: Floats) -> int:
    """Return how many decimals the known values have, up to some; beyond, any number."""
    known = values[np.isfinite(values)]
    for decimals in range(_MOST_PLACES + 1):
        if np.allclose(known, np.round(known, decimals), rtol=1e-12, atol=1e-9):
            return decimals
    return ANY_PLACES


def is_daily(series: tuple[Series, ...]) -> bool:
    """Tell whether points are days (or longer): dates are told without a clock."""
    steps = [np.diff(one.curve.x) for one in series]
    positive = [float(one[one > 0].min()) for one in steps if np.any(one > 0)]
    return not positive or min(positive) >= _DAILY_FROM_S


def short(unit: str) -> bool:
    """Tell whether a unit is short enough to stand at every label of the axis."""
    return len(unit) <= _SHORT_UNIT


def number(value: float, decimals: int, unit: str = "", *, signed: bool = False) -> str:
    """Return `value` in words, with its unit and a true minus sign."""
    words = f"{abs(value):,.{decimals}f}"
    zero = not any(one in "123456789" for one in words)
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    if unit == "$":
        return f"{sign}${words}"
    return f"{sign}{words} {unit}" if unit else f"{sign}{words}"


def rows(chart: EvidenceChart, span: tuple[float, float] | None) -> list[list[str]]:
    """Return what `chart` shows as lines of cells, the first naming the columns; `span` cuts the x axis."""
    if chart.bars is not None:
        names = [_headed(name, chart.unit) for name, _, _ in chart.bars.series]
        made = [[chart.x_label or "group", *names]]
        for number_, group in enumerate(chart.bars.groups):
            made.append([group, *(_cell(values[number_]) for _, _, values in chart.bars.series)])
        return made
    lines = tuple(ready(one, timed=bool(chart.zone)) for one in chart.lines)
    columns = [(_headed(one.line.name, chart.unit), one.curve) for one in lines]
    for number_, band in enumerate(chart.bands):
        name = chart.band_names[number_] if number_ < len(chart.band_names) else ""
        name = name or f"band {number_ + 1}"
        columns.append((_headed(f"{name}, low", chart.unit), Curve(band.x, band.low)))
        columns.append((_headed(f"{name}, high", chart.unit), Curve(band.x, band.high)))
    if span is not None:
        cuts = [(curve.x >= span[0]) & (curve.x <= span[1]) for _, curve in columns]
        columns = [
            (name, Curve(curve.x[cut], curve.y[cut])) for (name, curve), cut in zip(columns, cuts, strict=True)
        ]
    daily = is_daily(lines)
    head = chart.x_label or (("date" if daily else "time") if chart.zone else "x")
    if any(len(np.unique(curve.x)) < len(curve.x) for _, curve in columns):
        # Several points over one x (a cloud of dots) have no place in one row.
        long = [["series", head, f"value ({chart.unit})" if chart.unit else "value"]]
        for name, curve in columns:
            long += [
                [name, _x_cell(chart, x, daily=daily), _cell(y)]
                for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True)
            ]
        return long
    positions = np.unique(np.concatenate([curve.x for _, curve in columns])) if columns else np.empty(0)
    cells = [[_x_cell(chart, x, daily=daily) for x in positions.tolist()]]
    for _, curve in columns:
        column = np.full(len(positions), np.nan)
        column[np.searchsorted(positions, curve.x)] = curve.y
        cells.append([_cell(value) for value in column.tolist()])
    return [[head, *(name for name, _ in columns)], *(list(row) for row in zip(*cells, strict=True))]


def separated(lines: list[list[str]], separator: str) -> str:
    """Return `lines` as text for a spreadsheet; a cell that holds the separator is quoted."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(lines)
    return out.getvalue()


def _headed(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _cell(value: float) -> str:
    return f"{value:.10g}" if np.isfinite(value) else ""


def _x_cell(chart: EvidenceChart, x: float, *, daily: bool) -> str:
    if chart.zone:
        return iso_words(x, ZoneInfo(chart.zone), daily=daily)
    return dict(chart.x_words).get(x, f"{x:.10g}")
