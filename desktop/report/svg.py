"""Charts as inline SVG: lines over time with bands, levels, marks and price tags; the page gives the colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

import numpy as np

from desktop.market.quotes import FloatArray
from desktop.presenters.words import MINUS
from widgets.plot_data import extent, on_screen
from widgets.states import Band, Curve, Level, Mark, Tag
from widgets.ticks import time_ticks, value_steps

_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 62, 16, 24
_TAG_HEIGHT = 18
_CLEAR = 15
"""From the middle of a label to what may stand beside it."""
_AIR = 0.06
"""Part of the height left free above and below the data."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; `name` is its classes on the page. With `filled` the area between it and zero is tinted."""

    name: str
    curve: Curve
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, in the order of the fields from back to front; `label` describes it to a screen reader.

    `zone` is that of a time axis; None is an axis of numbers, whose positions `x_words` may name.
    """

    label: str
    lines: Sequence[Line]
    zone: ZoneInfo | None
    daily: bool
    unit: str = ""
    bands: Sequence[Band] = ()
    levels: Sequence[Level] = ()
    marks: Sequence[Mark] = ()
    tags: Sequence[Tag] = ()
    x_range: tuple[float, float] | None = None
    x_words: Sequence[tuple[float, str]] = ()
    x_label: str = ""
    width: int = 760
    height: int = 245


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side in groups; each series has the class of its bars and one value a group, NaN for none."""

    label: str
    groups: Sequence[str]
    series: Sequence[tuple[str, Sequence[float]]]
    unit: str = ""
    width: int = 760
    height: int = 245


@dataclass(frozen=True, slots=True)
class _Frame:
    """From values to pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    def right(self, at: float | FloatArray) -> float | FloatArray:
        return _LEFT + (at - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - _LEFT - _RIGHT)

    def down(self, value: float | FloatArray) -> float | FloatArray:
        return _TOP + (self.y[1] - value) / (self.y[1] - self.y[0]) * (self.height - _TOP - _BOTTOM)


def draw(chart: Chart) -> str:
    """Return the chart as one `svg` element; "" where no line has a point."""
    frame = _frame(chart)
    if frame is None:
        return ""
    parts = [
        *_grid(chart, frame),
        *(_band(band, frame, number) for number, band in enumerate(chart.bands)),
        *(_area(line.curve, frame, line.name) for line in chart.lines if line.filled),
        *_levels(chart, frame),
        *_marks(chart, frame),
        *(_line(line, frame) for line in chart.lines),
        *_tags(chart, frame),
    ]
    return (
        f'<svg viewBox="0 0 {chart.width} {chart.height}" role="img" aria-label="{escape(chart.label)}">'
        f"{''.join(parts)}</svg>"
    )


def draw_bars(bars: Bars) -> str:
    """Return the bars as one `svg` element, each with its value; "" where there is none."""
    values = np.array([series for _, series in bars.series], dtype=np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    air = 2.5 * _AIR * (high - low or 1.0)
    span = (low - (air if low < 0 else 0.0), high + (air if high > 0 else 0.0))
    frame = _Frame((0.0, float(len(bars.groups))), span, bars.width, bars.height)
    edge, zero = bars.width - _RIGHT, float(frame.down(0.0))
    steps, digits = value_steps(*frame.y, 5)
    parts = []
    for value in steps:
        y, words = float(frame.down(value)), f"{value:,.{digits}f}{bars.unit}".replace("-", MINUS)
        parts.append(
            f'<path class="{"zero" if value == 0 else "grid"}" d="M{_LEFT} {y:.1f}H{edge}"/>'
            f'<text class="axis" x="{edge + 8}" y="{y + 4:.1f}">{escape(words)}</text>'
        )
    room = (edge - _LEFT) / len(bars.groups)
    wide = room * 0.8 / len(bars.series)
    for group, words in enumerate(bars.groups):
        left = _LEFT + room * (group + 0.1)
        parts.append(
            f'<text class="axis middle" x="{left + room * 0.4:.1f}" y="{bars.height - 7}">{escape(words)}</text>'
        )
        for number, (name, series) in enumerate(bars.series):
            if not np.isfinite(series[group]):
                continue
            x, y = left + number * wide, float(frame.down(series[group]))
            told = f"{series[group]:,.{0 if abs(high - low) > 20 else 2}f}".replace("-", MINUS)
            beyond = y + 10 if series[group] < 0 else y - 3
            parts.append(
                f'<rect class="{name} bar" x="{x:.1f}" y="{min(y, zero):.1f}" width="{wide - 1:.1f}" '
                f'height="{abs(y - zero):.1f}"/>'
                f'<text class="tiny middle" x="{x + wide / 2:.1f}" y="{beyond:.1f}">{escape(told)}</text>'
            )
    return (
        f'<svg viewBox="0 0 {bars.width} {bars.height}" role="img" aria-label="{escape(bars.label)}">'
        f"{''.join(parts)}</svg>"
    )


def _frame(chart: Chart) -> _Frame | None:
    across = extent([line.curve.x for line in chart.lines])
    x = chart.x_range or across
    y = extent(
        [line.curve.y for line in chart.lines]
        + [edge for band in chart.bands for edge in (band.low, band.high)]
        + [np.array([level.value]) for level in chart.levels]
        + [np.array([tag.value]) for tag in chart.tags]
    )
    if across is None or x is None or y is None or not x[1] > x[0]:
        return None
    low, high = y if y[1] > y[0] else (y[0] - 1.0, y[1] + 1.0)
    air = _AIR * (high - low)
    return _Frame(x, (low - air, high + air), chart.width, chart.height)


def _grid(chart: Chart, frame: _Frame) -> Iterator[str]:
    edge, floor = frame.width - _RIGHT, frame.height - _BOTTOM
    taken = [float(frame.down(tag.value)) for tag in chart.tags]
    values, digits = value_steps(*frame.y, 6)
    for value in values:
        y = float(frame.down(value))
        name = "zero" if value == 0 else "grid"
        yield f'<path class="{name}" d="M{_LEFT} {y:.1f}H{edge}"/>'
        if all(abs(y - one) > _CLEAR for one in taken):
            words = f"{value:,.{digits}f}{chart.unit}".replace("-", MINUS)
            yield f'<text class="axis" x="{edge + 8}" y="{y + 4:.1f}">{escape(words)}</text>'
    for x_value, words in _positions(chart, frame):
        x = float(frame.right(x_value))
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{floor}"/>'
        at = max(x, _CLEAR)
        yield f'<text class="axis middle" x="{at:.1f}" y="{frame.height - 7}">{escape(words)}</text>'
    if chart.x_label:
        yield f'<text class="axis" x="{_LEFT}" y="{_TOP - 5}">{escape(chart.x_label)}</text>'


def _positions(chart: Chart, frame: _Frame) -> list[tuple[float, str]]:
    """Where the x axis is labelled, and how."""
    few = 8 if frame.width > 500 else 5
    if chart.zone is not None:
        return [(one.at, one.words) for one in time_ticks(*frame.x, few, chart.zone, daily=chart.daily)]
    if chart.x_words:
        return [one for one in chart.x_words if frame.x[0] <= one[0] <= frame.x[1]]
    steps, digits = value_steps(*frame.x, few)
    return [(value, f"{value:,.{digits}f}") for value in steps]


def _band(band: Band, frame: _Frame, number: int) -> str:
    known = np.isfinite(band.low) & np.isfinite(band.high) & (band.x >= frame.x[0]) & (band.x <= frame.x[1])
    if not known.any():
        return ""
    x, low, high = band.x[known], band.low[known], band.high[known]
    points = _points(frame, np.append(x, x[::-1]), np.append(high, low[::-1]))
    return f'<path class="band{number}" d="M{" ".join(points)}Z"/>'


def _area(curve: Curve, frame: _Frame, name: str) -> str:
    path = ""
    for piece in _pieces(curve, frame):
        ends = np.array([piece.x[-1], piece.x[0]])
        points = _points(frame, np.append(piece.x, ends), np.append(piece.y, [0.0, 0.0]))
        path += f"M{' '.join(points)}Z"
    return f'<path class="{name} area" d="{path}"/>'


def _line(line: Line, frame: _Frame) -> str:
    path = "".join(f"M{' '.join(_points(frame, one.x, one.y))}" for one in _pieces(line.curve, frame))
    return f'<path class="{line.name} line" d="{path}"/>'


def _pieces(curve: Curve, frame: _Frame) -> list[Curve]:
    """The curve as far as it is seen, thinned to what the picture can show, cut at its holes."""
    inside = (curve.x >= frame.x[0]) & (curve.x <= frame.x[1])
    seen = on_screen(Curve(curve.x[inside], curve.y[inside]), *frame.x, frame.width)
    known = np.isfinite(seen.y)
    cuts = np.flatnonzero(known[1:] != known[:-1]) + 1
    rows = [one for one in np.split(np.arange(len(seen.x)), cuts) if len(one) and known[one[0]]]
    return [Curve(seen.x[one], seen.y[one]) for one in rows]


def _points(frame: _Frame, x: FloatArray, y: FloatArray) -> list[str]:
    across, down = np.atleast_1d(frame.right(x)), np.atleast_1d(frame.down(y))
    return [f"{a:.1f},{b:.1f}" for a, b in zip(across.tolist(), down.tolist(), strict=True)]


def _levels(chart: Chart, frame: _Frame) -> Iterator[str]:
    for level in chart.levels:
        y, tone = float(frame.down(level.value)), level.tone.value
        yield f'<path class="{tone} level" d="M{_LEFT} {y:.1f}H{frame.width - _RIGHT}"/>'
        yield f'<text class="{tone} words" x="{_LEFT + 4}" y="{y - 5:.1f}">{escape(level.label)}</text>'


def _marks(chart: Chart, frame: _Frame) -> Iterator[str]:
    for mark in chart.marks:
        if frame.x[0] <= mark.x <= frame.x[1]:
            x = float(frame.right(mark.x))
            tone = mark.tone.value
            yield f'<path class="{tone} level" d="M{x:.1f} {_TOP}V{frame.height - _BOTTOM}"/>'
            yield f'<text class="{tone} words" x="{x + 5:.1f}" y="{_TOP + 10}">{escape(mark.label)}</text>'


def _tags(chart: Chart, frame: _Frame) -> Iterator[str]:
    """Price tags at the right edge, moved down where two would cover each other."""
    free = float("-inf")
    for tag in sorted(chart.tags, key=lambda one: -one.value):
        y = max(float(frame.down(tag.value)), free)
        free = y + _TAG_HEIGHT + 1
        x, tone = frame.width - _RIGHT + 4, tag.tone.value
        yield (
            f'<rect class="{tone} tag" x="{x}" y="{y - _TAG_HEIGHT / 2:.1f}" width="{_RIGHT - 6}" '
            f'height="{_TAG_HEIGHT}" rx="3"/>'
            f'<text class="tagged middle" x="{x + (_RIGHT - 6) / 2:.1f}" y="{y + 4:.1f}">{escape(tag.text)}</text>'
        )
