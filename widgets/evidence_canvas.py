"""A chart of the evidence of one claim: lines over time or numbers, or bars in groups; painted by hand.

What does not change while values are read is painted once and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, log10
from zoneinfo import ZoneInfo

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from widgets import plot_paint as paint
from widgets.evidence_data import ANY_PLACES, Floats, Series, is_daily, number, places, ready, short
from widgets.painted import wrapped
from widgets.plot_data import extent, nearest_row, on_screen, rows_between
from widgets.states import Band, Curve, EvidenceBars, EvidenceChart, Tone
from widgets.theme import DARK, Theme, font
from widgets.ticks import moment_words, time_ticks, value_steps

_LEFT, _LEAST_GUTTER, _FOOT, _LINE = 10.0, 44.0, 24.0, 15.0
_TICK_PX, _STEP_PX, _FEWEST_STEPS = 64, 40, 3
_HEAD_ROOM, _SIDE_ROOM = 0.06, 0.035
_LEVELS_MAY_TAKE = 0.55
"""Share of the height given up at most to bring levels into the picture."""
_SMOOTH_UP_TO = 900
"""Lines of more drawn points are not antialiased: beyond, it costs more than it shows."""
_THICK_UP_TO = 300
"""Lines of more drawn points are one pixel wide: a thicker smooth one costs ten times as much."""
_SMOOTH_DOTS, _SMOOTH_DASHES = 2_000, 200
_DOT_PX, _FEW_DOTS = 5.0, 5
MANY = 3
"""Of more lines than this the one under the pointer is lifted out, and faint ones share a place in the legend."""
_SIGN, _SIGN_GAP = 22.0, 14.0
_BARS_SHARE, _WIDEST_BAR = 0.74, 44.0
_COARSE_FROM, _TOLD_APART = 500.0, 300.0
_WORD_GAP, _WIDEST_NAME = 6.0, 90.0
_DAY_S = 86_400.0
_KEYS = "Arrow keys read values, plus and minus zoom, Home resets"
_KEYS_OF_BARS = "Arrow keys read values"


@dataclass(frozen=True, slots=True)
class _Sign:
    """One entry of the legend; `kind` is what is painted before its name."""

    row: paint.Row
    kind: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where everything stands at one size and span."""

    area: QRectF
    y: tuple[float, float]
    steps: tuple[float, ...]
    decimals: int
    legend: tuple[tuple[_Sign, ...], ...]
    signed: bool


class EvidenceCanvas(QWidget):
    """Draws an `EvidenceChart` and what is read of it; takes no input."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._theme = DARK
        self._chart: EvidenceChart | None = None
        self._series: tuple[Series, ...] = ()
        self._positions: Floats = np.empty(0)
        self._daily = True
        self._x, self._at_home = (0.0, 1.0), True
        self._frame: _Frame | None = None
        self._picture: QPixmap | None = None
        self._at: float | None = None
        """Where values are read; of bars, the number of the group."""
        self._dot: tuple[int, int] | None = None
        """The dot that is read: number of its series, and its row."""
        self._pointer: QPointF | None = None
        self._focus_told = False
        self.setFont(font(paint.LABEL_PX))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What is shown

    def show_chart(self, chart: EvidenceChart | None) -> None:
        """Show `chart`, or nothing; the same one is left alone. What the user zoomed to stays in view."""
        if chart is self._chart:
            return
        self._chart = chart
        self._series = () if chart is None else tuple(ready(one, timed=bool(chart.zone)) for one in chart.lines)
        lines = [one.curve.x for one in self._series]
        self._positions = np.unique(np.concatenate(lines)) if lines else np.empty(0)
        self._daily = is_daily(self._series)
        home = self._home()
        if self._x[1] <= home[0] or self._x[0] >= home[1]:
            self._at_home = True
        if self._bars is not None and self._at is not None and self._at >= len(self._bars.groups):
            self._at = None
        self._dot = None
        self._fit()
        self._tell()

    def reset(self) -> None:
        """Show everything, and read no values."""
        self._at_home = True
        self._at, self._dot, self._pointer = None, None, None
        self._fit()
        self._tell()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._picture = None
        self.update()

    @property
    def span(self) -> tuple[float, float]:
        """First and last x in the picture."""
        return self._x

    @property
    def _bars(self) -> EvidenceBars | None:
        return None if self._chart is None else self._chart.bars

    @property
    def _unit(self) -> str:
        return "" if self._chart is None else self._chart.unit

    # Geometry

    def area(self) -> QRectF:
        """Return where curves and bars are drawn, in pixels of the widget."""
        return self._framed().area

    def x_to_pixel(self, x: float) -> float:
        """Return the column of a position; of bars, the middle of a group."""
        area = self.area()
        if self._bars is not None:
            return area.left() + (x + 0.5) / max(1, len(self._bars.groups)) * area.width()
        return area.left() + (x - self._x[0]) / (self._x[1] - self._x[0]) * area.width()

    def y_to_pixel(self, value: float) -> float:
        """Return the row of a value."""
        frame = self._framed()
        low, high = frame.y
        return frame.area.bottom() - (value - low) / (high - low) * frame.area.height()

    def _x_at(self, column: float) -> float:
        area = self.area()
        return self._x[0] + (column - area.left()) / area.width() * (self._x[1] - self._x[0])

    def _home(self) -> tuple[float, float]:
        ends = [(one.curve.x[0], one.curve.x[-1], one) for one in self._series if len(one.curve.x)]
        xs = [] if self._chart is None else [band.x for band in self._chart.bands if len(band.x)]
        lows = [float(low) for low, _, _ in ends] + [float(x[0]) for x in xs]
        # The last step holds for as long as one before it.
        highs = [float(high) + (one.reach or 0.0 if one.line.step else 0.0) for _, high, one in ends]
        highs += [float(x[-1]) for x in xs]
        if not lows:
            return (0.0, 1.0)
        low, high = min(lows), max(highs)
        if self._chart is not None and self._chart.zone:
            room = 0.01 * (high - low) or _DAY_S
            return (low - (0.0 if high > low else room), high + room)
        room = _SIDE_ROOM * (high - low) or 1.0
        return (low - room, high + room)

    def _fit(self) -> None:
        if self._at_home:
            self._x = self._home()
        self._frame = self._picture = None
        self.update()

    def _look_at(self, low: float, high: float) -> None:
        first, last = self._home()
        steps = np.diff(self._positions)
        shortest = 8 * float(np.median(steps)) if len(steps) else last - first
        wide = min(max(high - low, min(shortest, last - first)), last - first)
        low = min(max((low + high - wide) / 2, first), last - wide)
        self._at_home = wide >= last - first
        self._x = (low, low + wide)
        self._fit()

    def _framed(self) -> _Frame:
        if self._frame is None:
            self._frame = self._make_frame()
        return self._frame

    def _make_frame(self) -> _Frame:
        metrics = self.fontMetrics()
        unit, chart = self._unit, self._chart
        caption = 0 if short(unit) else metrics.horizontalAdvance(unit) + 18
        legend = _broken(self._legend(), self.width() - _LEFT - caption, metrics)
        strip = 7.0 if not legend and not caption else 6.0 + 16 * max(1, len(legend))
        foot = _FOOT + (_LINE if chart is not None and chart.x_label else 0)
        if self._bars is not None:
            foot += _LINE * (self._group_lines(self.width() - _LEFT - _LEAST_GUTTER)[0] - 1)
        high = max(1.0, self.height() - strip - foot)
        y = self._fitted_y()
        most = max(2, int(high // _STEP_PX))
        steps, decimals = value_steps(*y, most)
        if len(steps) < _FEWEST_STEPS:
            steps, decimals = value_steps(*y, 2 * most)
        signed = y[0] < 0 < y[1] and unit in ("%", "pp", "bp", "σ")
        tick_unit = unit if short(unit) else ""
        labels = [number(one, decimals, tick_unit, signed=signed) for one in steps]
        gutter = max([_LEAST_GUTTER, *(metrics.horizontalAdvance(one) + 13.0 for one in labels)])
        tags = [metrics.horizontalAdvance(words) + 22.0 for _, words, _ in self._tags(y, decimals, signed=signed)]
        gutter = max(gutter, *tags) if tags else gutter
        area = QRectF(_LEFT, strip, max(1.0, self.width() - _LEFT - gutter), high)
        return _Frame(area, y, steps, decimals, legend, signed)

    def _fitted_y(self) -> tuple[float, float]:
        chart, columns = self._chart, []
        if chart is None:
            return (0.0, 1.0)
        if chart.bars is not None:
            columns = [np.zeros(1), *(np.array(values, dtype=np.float64) for _, _, values in chart.bars.series)]
        for one in self._series:
            columns.append(one.curve.y[self._visible(one)])
        for band in chart.bands:
            cut = rows_between(band.x, *self._x)
            columns += [band.low[cut], band.high[cut]]
        span = extent(columns)
        if span is None:
            return (0.0, 1.0)
        low, high = span
        for level in sorted(chart.levels, key=lambda one: abs(one.value - (span[0] + span[1]) / 2)):
            wider = min(low, level.value), max(high, level.value)
            if span[1] - span[0] >= (1 - _LEVELS_MAY_TAKE) * (wider[1] - wider[0]):
                low, high = wider
        room = _HEAD_ROOM * (high - low) or abs(high) * _HEAD_ROOM or 1.0
        if chart.bars is not None:
            # Room for the values at the ends of bars; none beyond the line they stand on.
            return (low - (2 * room if low < 0 else 0), high + (2 * room if high > 0 else 0))
        return (low - room, high + room)

    def _visible(self, one: Series) -> slice:
        """Rows in the picture; of a step, also the one that reaches into it."""
        cut = rows_between(one.curve.x, *self._x)
        return slice(max(0, cut.start - 1), cut.stop) if one.line.step else cut

    def _known(self) -> bool:
        if self._bars is not None:
            return any(np.isfinite(value) for _, _, values in self._bars.series for value in values)
        return any(bool(np.isfinite(one.curve.y).any()) for one in self._series)

    def _words(self, value: float | None, *, places: int) -> str:
        if value is None or not np.isfinite(value):
            return "n/a"
        frame = self._framed()
        decimals = min(places, _finer(frame.decimals, frame.y))
        return number(value, decimals, self._unit, signed=frame.signed)

    def _tags(self, y: tuple[float, float], decimals: int, *, signed: bool) -> list[tuple[float, str, Tone]]:
        """Last values of lines over time, to stand at the right edge."""
        if self._chart is None or not self._chart.zone:
            return []
        made = []
        for one in self._series:
            known = np.flatnonzero(np.isfinite(one.curve.y))
            if one.line.faint or one.line.dots or not len(known):
                continue
            if self._x[0] <= one.curve.x[known[-1]] <= self._x[1]:
                value = float(one.curve.y[known[-1]])
                unit = self._unit if short(self._unit) else ""
                words = number(value, min(one.places, _finer(decimals, y)), unit, signed=signed)
                made.append((value, words, one.line.tone))
        return made if len(made) <= MANY else []

    # Legend

    def _look(self, place: int) -> paint.Row:
        """How a line is shown in legend and read-out: as it is drawn."""
        line = self._series[place].line
        same = [one.line for one in self._series[:place] if one.line.tone is line.tone and not one.line.faint]
        dashed = bool(same) and not line.faint and not line.dots
        return paint.Row(line.name, line.tone, dashed=dashed, faint=line.faint)

    def _legend(self) -> list[_Sign]:
        chart = self._chart
        if chart is None:
            return []
        if chart.bars is not None:
            return [_Sign(paint.Row(name, tone), "bar") for name, tone, _ in chart.bars.series if name]
        looks = [
            _Sign(self._look(place), "dots" if one.line.dots else "line") for place, one in enumerate(self._series)
        ]
        faint = [one for one in looks if one.row.faint]
        if len(faint) > MANY:
            shared = replace(faint[0].row, name=f"{faint[0].row.name} … {faint[-1].row.name}")
            looks = [*(one for one in looks if not one.row.faint), _Sign(shared, "line")]
        for place, name in enumerate(chart.band_names[: len(chart.bands)]):
            looks.append(_Sign(paint.Row(name, Tone.DIM), "outer band" if place == 0 else "inner band"))
        return [one for one in looks if one.row.name]

    # Painting what stays

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._paint_picture()
        painter.drawPixmap(0, 0, self._picture)
        if self._at is not None:
            self._paint_reading(painter, self._at)
        if self._focus_told and self.hasFocus():
            painter.setPen(QPen(self._theme.color(Tone.NDX), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(self._theme.panel))
        if self._chart is None:
            return picture
        painter = QPainter(picture)
        painter.setFont(self.font())
        if not self._known():
            painter.setPen(self._theme.color(Tone.DIM))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No values to draw yet")
            painter.end()
            return picture
        frame, theme = self._framed(), self._theme
        ticks = self._x_ticks()
        painter.setClipRect(frame.area.adjusted(0, -4, 1, 4))
        for place, band in enumerate(self._chart.bands):
            self._paint_band(painter, band, theme.band_outer if place == 0 else theme.band_inner)
        painter.setClipping(False)
        ys = [self.y_to_pixel(one) for one in frame.steps]
        zero = self.y_to_pixel(0.0) if frame.y[0] <= 0.0 <= frame.y[1] else None
        grid_xs = [] if self._bars is not None else [x for x, _ in ticks]
        paint.paint_grid(painter, frame.area, grid_xs, ys, zero, theme)
        painter.setClipRect(frame.area.adjusted(0, -4, 1, 4))
        if self._bars is not None:
            self._paint_bars(painter, self._bars)
        for place in sorted(range(len(self._series)), key=self._depth):
            self._paint_line(painter, place)
        painter.setClipping(False)
        self._paint_axes(painter, frame, ticks)
        self._paint_levels(painter, frame.area)
        painter.end()
        return picture

    def _paint_axes(self, painter: QPainter, frame: _Frame, ticks: list[tuple[float, str]]) -> None:
        chart, theme, area = self._chart, self._theme, frame.area
        assert chart is not None
        tags = self._tags(frame.y, frame.decimals, signed=frame.signed)
        gutter = self.width() - area.right()
        boxes = paint.tag_boxes([self.y_to_pixel(value) for value, _, _ in tags], area, gutter)
        unit = chart.unit if short(chart.unit) else ""
        labels = [
            (self.y_to_pixel(one), number(one, frame.decimals, unit, signed=frame.signed)) for one in frame.steps
        ]
        paint.paint_tick_labels(painter, area, [] if chart.bars else ticks, labels, boxes, theme)
        for box, (_, words, tone) in zip(boxes, tags, strict=True):
            paint.paint_tag(painter, box, words, tone, theme, hollow=False)
        painter.setFont(self.font())
        painter.setPen(theme.color(Tone.DIM))
        middle = Qt.AlignmentFlag.AlignVCenter
        if chart.x_label:
            box = QRectF(area.left(), self.height() - _LINE - 2, area.width(), _LINE)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, chart.x_label)
        right = float(self.width())
        if not short(chart.unit):
            painter.drawText(QRectF(0, 0, right - 2, 16), middle | Qt.AlignmentFlag.AlignRight, chart.unit)
            right -= painter.fontMetrics().horizontalAdvance(chart.unit) + 18
        for place, line in enumerate(frame.legend):
            self._paint_legend_line(painter, line, right, 16.0 * place)

    def _paint_legend_line(self, painter: QPainter, line: Sequence[_Sign], right: float, top: float) -> None:
        theme, metrics = self._theme, painter.fontMetrics()
        x = right - sum(_sign_width(sign, metrics) for sign in line) + _SIGN_GAP
        for sign in line:
            row, middle = sign.row, top + 8
            painter.setPen(paint.line_pen(row, theme, 2.0))
            colour = painter.pen().color()
            if sign.kind == "bar":
                painter.fillRect(QRectF(x + 4, middle - 5, 10, 10), colour)
            elif sign.kind == "dots":
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawEllipse(QPointF(x + 10, middle), 3, 3)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            elif sign.kind == "line":
                painter.drawLine(QLineF(x, middle, x + 16, middle))
            else:
                box = QRectF(x, middle - 5, 16, 10)
                painter.fillRect(box, QColor(theme.band_outer if sign.kind == "outer band" else theme.band_inner))
                painter.setPen(QPen(QColor(theme.border), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            painter.setPen(theme.color(Tone.DIM if row.tone is Tone.PLAIN else row.tone))
            wide = metrics.horizontalAdvance(row.name) + 2
            painter.drawText(QRectF(x + _SIGN, top, wide, 16), Qt.AlignmentFlag.AlignVCenter, row.name)
            x += _sign_width(sign, metrics)

    def _paint_band(self, painter: QPainter, band: Band, colour: str) -> None:
        known = np.isfinite(band.low) & np.isfinite(band.high)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            upper = self._points(
                on_screen(Curve(band.x[start:end], band.high[start:end]), *self._x, self._pixels())
            )
            lower = self._points(
                on_screen(Curve(band.x[start:end], band.low[start:end]), *self._x, self._pixels())
            )
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))

    def _depth(self, place: int) -> tuple[bool, bool, int]:
        """Clouds of dots lie lowest, then faint lines; the first line lies on top."""
        one = self._series[place]
        return (not (one.line.dots and len(one.curve.x) > _FEW_DOTS), not one.line.faint, -place)

    def _pixels(self) -> int:
        return int(self.area().width())

    def _points(self, curve: Curve) -> list[QPointF]:
        area, (low, high) = self.area(), self._framed().y
        xs = area.left() + (curve.x - self._x[0]) / (self._x[1] - self._x[0]) * area.width()
        ys = area.bottom() - (curve.y - low) / (high - low) * area.height()
        return [QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]

    def _paint_line(self, painter: QPainter, place: int, *, lifted: bool = False) -> None:
        one = self._series[place]
        curve = on_screen(one.curve, *self._x, self._pixels()) if not one.line.dots else one.curve
        look = self._look(place)
        if lifted:
            look = paint.Row(look.name, look.tone, dashed=look.dashed)
        known = np.isfinite(curve.y)
        if one.line.dots:
            few = len(curve.x) <= _FEW_DOTS
            pen = paint.line_pen(look, self._theme, _DOT_PX + (3 if few else 0))
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(curve.x) <= _SMOOTH_DOTS)
            painter.drawPoints(QPolygonF(self._points(Curve(curve.x[known], curve.y[known]))))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            return
        smooth = len(curve.x) <= (_SMOOTH_DASHES if look.dashed else _SMOOTH_UP_TO) and not one.line.step
        thick = len(curve.x) <= _THICK_UP_TO
        strong = (
            (2.2 if lifted else 1.6 if thick else 1.0) if smooth else (2.0 if lifted or one.line.step else 1.0)
        )
        painter.setPen(paint.line_pen(look, self._theme, 1.0 if one.line.faint and not lifted else strong))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            piece = Curve(curve.x[start:end], curve.y[start:end])
            if one.line.step:
                piece = _stepped(
                    piece, one.reach or 0.0 if end == len(curve.x) else float(curve.x[end] - piece.x[-1])
                )
            points = self._points(piece)
            if len(points) == 1:
                painter.drawEllipse(points[0], 1.5, 1.5)
            painter.drawPolyline(QPolygonF(points))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_levels(self, painter: QPainter, area: QRectF) -> None:
        assert self._chart is not None
        taken: list[QRectF] = []
        labels: list[tuple[QRectF, str, Tone]] = []
        for level in self._chart.levels:
            y = self.y_to_pixel(level.value)
            words = level.label
            if area.top() <= y <= area.bottom():
                paint.paint_level(painter, y, area, level.tone, self._theme, solid=False, bold=False)
            else:
                words += " ↑" if y < area.top() else " ↓"
            y = min(max(y, area.top()), area.bottom())
            box = paint.find_room(taken, y, paint.label_width(words), area)
            taken.append(box)
            labels.append((box, words, level.tone))
        painter.setFont(font(paint.LABEL_PX, font().Weight.DemiBold))
        for box, words, tone in labels:
            paint.paint_label(painter, box, words, tone, self._theme)
        painter.setFont(self.font())

    # Bars

    def _group_lines(self, wide: float) -> tuple[int, int]:
        """In how many lines groups are named, and that only every so manieth is."""
        bars = self._bars
        if bars is None or not bars.groups:
            return 1, 1
        advance = self.fontMetrics().horizontalAdvance
        each = wide / len(bars.groups)
        widest = max(map(advance, bars.groups))
        if widest <= each - _WORD_GAP:
            return 1, 1
        if max(advance(word) for group in bars.groups for word in group.split(" ")) <= each - _WORD_GAP:
            return 2, 1
        return 1, ceil((min(widest, _WIDEST_NAME) + _WORD_GAP) / each)

    def bar_rect(self, group: int, place: int) -> QRectF:
        """Return where a bar stands; empty where there is no value."""
        bars = self._bars
        assert bars is not None
        value = bars.series[place][2][group]
        if not np.isfinite(value):
            return QRectF()
        room = self.area().width() / len(bars.groups) * _BARS_SHARE / len(bars.series)
        wide = max(1.0, min(_WIDEST_BAR, room))
        left = self.x_to_pixel(group) - wide * len(bars.series) / 2 + place * wide
        top, foot = sorted((self.y_to_pixel(value), self.y_to_pixel(0.0)))
        return QRectF(left, top, max(1.0, wide - (1 if wide > 4 else 0)), max(1.0, foot - top))

    def _paint_bars(self, painter: QPainter, bars: EvidenceBars) -> None:
        if not bars.groups:
            return
        metrics, area = painter.fontMetrics(), self.area()
        told: list[tuple[QRectF, str]] = []
        for place, (_, tone, values) in enumerate(bars.series):
            colour = paint.line_pen(paint.Row("", tone), self._theme, 1).color()
            most = places(np.array(values, dtype=np.float64))
            for group, value in enumerate(values):
                box = self.bar_rect(group, place)
                if box.isEmpty():
                    continue
                painter.fillRect(box, colour)
                decimals = min(most, _finer(self._framed().decimals, self._framed().y))
                words = number(value, decimals, signed=self._framed().signed)
                y = box.top() - _LINE if value >= 0 else box.bottom()
                wide = metrics.horizontalAdvance(words)
                told.append((QRectF(box.center().x() - wide / 2, y, wide, _LINE), words))
        across = sorted((box for box, _ in told), key=lambda one: one.left())
        apart = all(a.right() + 2 <= b.left() for a, b in pairwise(across))
        painter.setClipping(False)
        painter.setPen(self._theme.color(Tone.PLAIN))
        for box, words in told if apart else ():
            painter.drawText(box.adjusted(-2, 0, 2, 0), Qt.AlignmentFlag.AlignCenter, words)
        painter.setPen(self._theme.color(Tone.DIM))
        lines, every = self._group_lines(self.width() - _LEFT - _LEAST_GUTTER)
        wide = int(every * area.width() / len(bars.groups) - _WORD_GAP)
        for group in range(0, len(bars.groups), every):
            middle = max(self.x_to_pixel(group), wide / 2 + 2)
            for place, words in enumerate(wrapped(metrics, bars.groups[group], wide, lines)):
                box = QRectF(middle - wide / 2 - 2, area.bottom() + 5 + place * _LINE, wide + 4, _LINE)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # Reading values

    def _x_ticks(self) -> list[tuple[float, str]]:
        chart = self._chart
        if chart is None or chart.bars is not None:
            return []
        most = max(1, int(self.area().width() // _TICK_PX))
        if chart.zone:
            made = time_ticks(*self._x, most, ZoneInfo(chart.zone), daily=self._daily)
            return [(self.x_to_pixel(tick.at), tick.words) for tick in made]
        if chart.x_words:
            return [(self.x_to_pixel(x), words) for x, words in chart.x_words if self._x[0] <= x <= self._x[1]]
        steps, decimals = value_steps(*self._x, most)
        return [(self.x_to_pixel(one), number(one, decimals)) for one in steps]

    def _title_at(self, at: float) -> str:
        chart = self._chart
        assert chart is not None
        if chart.bars is not None:
            return chart.bars.groups[int(at)]
        if chart.zone:
            return moment_words(at, ZoneInfo(chart.zone), daily=self._daily)
        words = dict(chart.x_words).get(at)
        if words is not None:
            return words
        place = number(at, 0 if at == round(at) else _finer(0, self._x))
        return f"{chart.x_label}: {place}" if chart.x_label else place

    def _rows_at(self, at: float) -> list[tuple[paint.Row, float | None]]:
        """What is read at `at`: rows in words, and how high each value lies."""
        chart = self._chart
        assert chart is not None
        if chart.bars is not None:
            made: list[tuple[paint.Row, float | None]] = []
            for name, tone, values in chart.bars.series:
                most = places(np.array(values, dtype=np.float64))
                height = values[int(at)]
                made.append((paint.Row(name, tone, self._words(height, places=most)), height))
            return made
        made = []
        for place, one in enumerate(self._series):
            value = one.at(at)
            if self._dot is not None and self._dot[0] == place:
                value = float(one.curve.y[self._dot[1]])
            if value is None and one.line.dots:
                continue
            look, words = self._look(place), self._words(value, places=one.places)
            made.append((paint.Row(look.name, look.tone, words, look.dashed, look.faint), value))
        for band, name in zip(chart.bands, chart.band_names, strict=False):
            if name and len(band.x):
                row = nearest_row(band.x, at)
                low, high = (self._words(float(edge[row]), places=ANY_PLACES) for edge in (band.low, band.high))
                made.append((paint.Row(name, Tone.DIM, f"{low} to {high}", faint=True), None))
        return made

    def read_out(self) -> str:
        """Return the words of what is read; empty when nothing is."""
        if self._at is None or self._chart is None:
            return ""
        told = [f"{row.name} {row.words}".strip() for row, _ in self._rows_at(self._at)]
        return " · ".join([self._title_at(self._at), *told])

    def _nearest_line(self, at: float) -> int | None:
        """Number of the line under the pointer, where there are many."""
        if self._pointer is None or len(self._series) <= MANY:
            return None
        heights = [(one.at(at), place) for place, one in enumerate(self._series) if not one.line.dots]
        known = [(abs(self.y_to_pixel(v) - self._pointer.y()), place) for v, place in heights if v is not None]
        return min(known)[1] if known else None

    def _paint_reading(self, painter: QPainter, at: float) -> None:
        area, theme, x = self.area(), self._theme, self.x_to_pixel(at)
        if self._chart is None or not self._known() or not area.left() - 1 <= x <= area.right() + 1:
            return
        painter.setPen(QPen(theme.color(Tone.DIM), 1, Qt.PenStyle.DotLine))
        if self._bars is None:
            painter.drawLine(QLineF(round(x) + 0.5, area.top(), round(x) + 0.5, area.bottom()))
        else:
            wide = area.width() / len(self._bars.groups)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(x - wide / 2 + 1, area.top(), wide - 2, area.height() - 0.5))
        nearest = self._nearest_line(at)
        if nearest is not None:
            painter.setClipRect(area)
            self._paint_line(painter, nearest, lifted=True)
            painter.setClipping(False)
        told = self._rows_at(at)
        if self._bars is None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for row, value in told:
                if value is not None and self._framed().y[0] <= value <= self._framed().y[1]:
                    painter.setPen(QPen(QColor(theme.panel), 1.5))
                    colour = paint.line_pen(row, theme, 1).color()
                    colour.setAlphaF(1.0)
                    painter.setBrush(colour)
                    painter.drawEllipse(QPointF(x, self.y_to_pixel(value)), 3.5, 3.5)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        shown = [row for row, _ in told]
        if nearest is not None:
            shown.insert(0, shown.pop(nearest))
        fits = max(1, int((self.height() - area.top() - 13) // 16) - 1)
        if len(shown) > fits:
            left = len(shown) - fits + 1
            shown = [*shown[: fits - 1], paint.Row(f"and {left} more", Tone.DIM, faint=True)]
        paint.paint_read_out(painter, x, area, self._title_at(at), shown, theme)

    def _tell(self) -> None:
        chart = self._chart
        idle = ""
        if chart is not None:
            names = ", ".join(sign.row.name for sign in self._legend())
            keys = _KEYS_OF_BARS if chart.bars is not None else _KEYS
            idle = ". ".join(filter(None, (names, chart.unit and f"In {chart.unit}", keys)))
        self.setAccessibleDescription(self.read_out() or idle)
        self.update()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._frame = self._picture = None

    @override
    def sizeHint(self) -> QSize:
        return QSize(420, 220)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(160, 96)


def _finer(decimals: int, y: tuple[float, float]) -> int:
    """Decimals of a value that is read: they tell apart hundredths of the axis, and are not fewer than its own."""
    span = y[1] - y[0]
    return decimals if span >= _COARSE_FROM else max(decimals, 1, round(-log10(span / _TOLD_APART)))


def _stepped(curve: Curve, hold: float) -> Curve:
    """Return `curve` as steps: each value holds until the next, the last one for `hold`."""
    x = np.append(np.repeat(curve.x, 2)[1:], curve.x[-1] + hold)
    return Curve(x, np.repeat(curve.y, 2))


def _sign_width(sign: _Sign, metrics: QFontMetrics) -> float:
    return _SIGN + metrics.horizontalAdvance(sign.row.name) + _SIGN_GAP


def _broken(looks: list[_Sign], room: float, metrics: QFontMetrics) -> tuple[tuple[_Sign, ...], ...]:
    """Return the legend in as many lines as it needs."""
    lines: list[list[_Sign]] = []
    used = 0.0
    for look in looks:
        wide = _sign_width(look, metrics)
        if not lines or used + wide - _SIGN_GAP > room:
            lines.append([])
            used = 0.0
        lines[-1].append(look)
        used += wide
    return tuple(tuple(line) for line in lines)
