"""What a chart over time shows: curves and bands on pyqtgraph, everything around them painted by `plot_paint`.

Moments are seconds since 1970 UTC throughout; the clock of the exchange is used for words alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QGraphicsView
from typing_extensions import override

from widgets import plot_paint as paint
from widgets.plot_data import extent, rows_between, value_at
from widgets.rails import label_near, paint_label, paint_rails, rails_shown
from widgets.states import Band, Curve, Level, Mark, Rails, Tag, Tone
from widgets.theme import DARK, Theme, font
from widgets.ticks import Tick, moment_words, time_ticks, value_steps
from widgets.traces import Area, Line, Trace

GUTTER = 60.0
"""Pixels right of the curves, for values and price tags."""
DAY_S = 86_400.0
LEVEL_DECIMALS = 3
"""Levels are moved in steps of this precision."""
_STRIP, _FOOT = 18.0, 24.0
_TICK_PX, _STEP_PX = 64, 44
_FEWEST_STEPS = 3
_HEAD_ROOM = 0.06
_MOVED_LEVELS_MAY_TAKE = 0.55
"""Share of the height given up at most to bring movable levels into the picture."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything a chart shows. Curves and bands compare by identity, the rest by value."""

    lines: tuple[tuple[Line, Curve], ...] = ()
    bands: tuple[Band, ...] = ()
    levels: tuple[Level, ...] = ()
    marks: tuple[Mark, ...] = ()
    tags: tuple[Tag, ...] = ()
    zone: str = "UTC"
    home: tuple[float, float] | None = None
    """What "reset" shows, seconds since 1970 UTC; None shows all points."""
    dimmed: bool = False
    rails: Rails | None = None


class Chart(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no type information
    """Curves over time, bands, levels, marks, price tags and a crosshair; takes no input."""

    def __init__(
        self,
        name: str,
        value_words: Callable[[float, int], str],
        *,
        daily: bool,
        gap_s: float | None = None,
        include: tuple[float, ...] = (),
    ) -> None:
        """Make an empty chart.

        Parameters
        ----------
        name
            For screen readers, file names and messages.
        value_words
            Turns a value of the y axis and a number of decimals into words with the unit.
        daily
            Points are days, at midday of the exchange's clock: no hours on the axis.
        gap_s
            A step between points longer than this is a hole: no line is drawn across it.
        include
            Values of y which are always in the picture.
        """
        super().__init__(background=None)
        self._name, self._value_words, self._daily, self._gap_s = name, value_words, daily, gap_s
        self._include = include
        self._theme, self._content, self._zone = DARK, Content(), ZoneInfo("UTC")
        self._traces: dict[str, Trace] = {}
        self._areas: list[Area] = []
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._at_home = True
        self._idle = ""
        self._cursor: float | None = None
        self._pointer_y: float | None = None
        self._held: dict[str, float] = {}
        self._grabbed: str | None = None
        self._chosen: str | None = None
        self._focus_told = False

        self.setCentralItem(None)
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self._box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self._box.disableAutoRange()
        self._box.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents, True)
        self.scene().addItem(self._box)
        self.setAccessibleName(name)
        self.setMinimumSize(160, 90)

    # What is shown

    def show_content(self, content: Content) -> None:
        """Show `content`; what is shown already is left alone."""
        before, self._content = self._content, content
        if content == before:
            return
        if content.zone != before.zone:
            self._zone = ZoneInfo(content.zone)
        moved = self._take_lines(content.lines)
        if len(content.bands) != len(before.bands) or any(
            new is not old for new, old in zip(content.bands, before.bands, strict=True)
        ):
            self._take_bands(content.bands)
            moved = True
        for level in content.levels:
            if level not in before.levels and level.key != self._grabbed and level.key in self._held:
                del self._held[level.key]
        if content.dimmed != before.dimmed:
            self._colour()
        if content.home != before.home and not self._at_home and not self._overlaps(content.home):
            self._at_home = True
        if moved or content.home != before.home or content.levels != before.levels:
            self._fit()
        self._repaint()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._colour()
        self._repaint()

    def show_cursor(self, at: float | None) -> None:
        """Show the crosshair where another chart has it (seconds since 1970 UTC); outside the picture, nowhere."""
        if at is not None and not self._x[0] <= at <= self._x[1]:
            at = None
        if at != self._cursor or self._pointer_y is not None:
            self._cursor, self._pointer_y = at, None
            self._tell()

    @property
    def cursor(self) -> float | None:
        """Where the crosshair stands, seconds since 1970 UTC."""
        return self._cursor

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment in the picture, seconds since 1970 UTC."""
        return self._x

    @property
    def y_span(self) -> tuple[float, float]:
        """Lowest and highest value in the picture."""
        return self._y

    # Geometry

    def area(self) -> QRectF:
        """Return where curves are drawn, in pixels of the widget."""
        return QRectF(0, _STRIP, max(1.0, self.width() - GUTTER), max(1.0, self.height() - _STRIP - _FOOT))

    def x_to_pixel(self, at: float) -> float:
        """Return the column of a moment (seconds since 1970 UTC)."""
        area = self.area()
        return area.left() + (at - self._x[0]) / (self._x[1] - self._x[0]) * area.width()

    def y_to_pixel(self, value: float) -> float:
        """Return the row of a value."""
        area = self.area()
        return area.bottom() - (value - self._y[0]) / (self._y[1] - self._y[0]) * area.height()

    def _moment_at(self, column: float) -> float:
        area = self.area()
        return self._x[0] + (column - area.left()) / area.width() * (self._x[1] - self._x[0])

    def _value_at(self, row: float) -> float:
        area = self.area()
        return self._y[0] + (area.bottom() - row) / area.height() * (self._y[1] - self._y[0])

    def _data_span(self) -> tuple[float, float] | None:
        ends = [(float(t.whole.x[0]), float(t.whole.x[-1])) for t in self._traces.values() if len(t.whole.x)]
        if not ends:
            return None
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        room = 0.01 * (high - low) or (DAY_S if self._daily else 60.0)
        return (low - (0.0 if high > low else room), high + room)

    def _home(self) -> tuple[float, float]:
        return self._content.home or self._data_span() or (0.0, 1.0)

    def _overlaps(self, home: tuple[float, float] | None) -> bool:
        return home is None or (home[0] < self._x[1] and self._x[0] < home[1])

    def _fit(self) -> None:
        """Bring the picture in line with its span: y follows what is visible, curves draw what is on screen."""
        if self._at_home:
            self._x = self._home()
        if self._grabbed is None:
            self._y = self._fitted_y()
        area = self.area()
        self._box.setRange(xRange=self._x, yRange=self._y, padding=0)
        for trace in self._traces.values():
            trace.draw(*self._x, int(area.width()))
        self._repaint()

    def _repaint(self) -> None:
        """Paint with the next turn, once: the viewport asked directly, the scene asks again for its items."""
        self.scene().update()

    def _fitted_y(self) -> tuple[float, float]:
        columns = [np.array(self._include, dtype=np.float64)]
        lines = [trace.whole for trace in self._traces.values()]
        columns += [line.y[rows_between(line.x, *self._x)] for line in lines]
        for band in self._content.bands:
            rows = rows_between(band.x, *self._x)
            columns += [band.low[rows], band.high[rows]]
        span = extent(columns)
        if span is None:
            return (0.0, 1.0)
        low, high = span
        for level in sorted(self._levels(), key=lambda one: abs(one.value - (span[0] + span[1]) / 2)):
            if level.draggable:
                wider = min(low, level.value), max(high, level.value)
                if span[1] - span[0] >= (1 - _MOVED_LEVELS_MAY_TAKE) * (wider[1] - wider[0]):
                    low, high = wider
        room = _HEAD_ROOM * (high - low) or abs(high) * _HEAD_ROOM or 1.0
        return (low - room, high + room)

    @override
    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None:
            self._box.setGeometry(self.area())
            self._fit()

    @override
    def sizeHint(self) -> QSize:
        return QSize(620, 300)

    # Curves, bands, colours

    def _take_lines(self, lines: tuple[tuple[Line, Curve], ...]) -> bool:
        moved = False
        present = {line.key for line, _ in lines}
        for key in [key for key in self._traces if key not in present]:
            gone = self._traces.pop(key)
            for item in (gone.item, gone.area):
                if item is not None:
                    self._box.removeItem(item)
            moved = True
        for line, curve in lines:
            trace = self._traces.get(line.key)
            if trace is None:
                trace = Trace(line, self._gap_s)
                trace.item.setZValue(2 - 0.1 * len(self._traces))
                self._traces[line.key] = trace
                for item in (trace.area, trace.item):
                    if item is not None:
                        self._box.addItem(item, ignoreBounds=True)
                self._colour_trace(trace)
            elif trace.line != line:
                trace.line = line
                self._colour_trace(trace)
            moved |= trace.take(curve)
        return moved

    def _take_bands(self, bands: tuple[Band, ...]) -> None:
        while len(self._areas) > len(bands):
            self._box.removeItem(self._areas.pop())
        while len(self._areas) < len(bands):
            area = Area()
            area.setZValue(-2)
            self._areas.append(area)
            self._box.addItem(area, ignoreBounds=True)
        for area, band in zip(self._areas, bands, strict=True):
            area.show_between(band)
        self._colour()

    def _colour(self) -> None:
        for number, area in enumerate(self._areas):
            area.brush = paint.fill(self._theme.band_outer if number == 0 else self._theme.band_inner)
            area.update()
        for trace in self._traces.values():
            self._colour_trace(trace)

    def _row(self, line: Line, words: str = "") -> paint.Row:
        """How a line is shown in the legend and the read-out: as it is drawn."""
        plain = line.tone is Tone.PLAIN and self._content.dimmed and not line.faint
        return paint.Row(line.name, Tone.PAST if plain else line.tone, words, line.dashed, line.faint)

    def _colour_trace(self, trace: Trace) -> None:
        trace.item.setPen(paint.line_pen(self._row(trace.line), self._theme, trace.line.width))
        if trace.area is not None:
            trace.area.brush = paint.fill(self._theme.tones[trace.line.tone], 0.10)
            trace.area.setZValue(-1)
            trace.area.update()

    # Painting

    @override
    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, self._theme.panel)
        area = self.area()
        xs = [self.x_to_pixel(tick.at) for tick in self._time_ticks()]
        ys = [self.y_to_pixel(value) for value in self._value_steps()[0]]
        zero = self.y_to_pixel(0.0) if self._y[0] < 0.0 < self._y[1] else None
        paint.paint_grid(painter, area, xs, ys, zero, self._theme)
        rails = self._content.rails
        if rails is not None:
            rows = rails_shown(rails, *self._x, area.width())
            paint_rails(painter, area, [self.x_to_pixel(float(at)) for at in rails.x[rows]], self._theme)

    @override
    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        content, theme, area = self._content, self._theme, self.area()
        paint.paint_legend(
            painter, area.right(), 0, 4, [self._row(trace.line) for trace in self._traces.values()], theme
        )
        boxes = paint.tag_boxes([self._clamped(self.y_to_pixel(tag.value)) for tag in content.tags], area, GUTTER)
        steps, decimals = self._value_steps()
        paint.paint_tick_labels(
            painter,
            area,
            [(self.x_to_pixel(tick.at), tick.words) for tick in self._time_ticks()],
            [(self.y_to_pixel(value), self._value_words(value, decimals)) for value in steps],
            [*boxes, self._pointer_box()],
            theme,
        )
        self._paint_marks_and_levels(painter, area)
        for box, tag in zip(boxes, content.tags, strict=True):
            beyond = (tag.value < self._y[0]) - (tag.value > self._y[1])
            paint.paint_tag(painter, box, tag.text, tag.tone, theme, hollow=content.dimmed, beyond=beyond)
        if self._cursor is not None:
            self._paint_cursor(painter, area, self._cursor)
            self._paint_rail_label(painter, area, self._cursor)
        if self._focus_told and self.hasFocus():
            painter.setPen(QPen(theme.color(Tone.NDX), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_rail_label(self, painter: QPainter, area: QRectF, at: float) -> None:
        words = self.rail_label(at)
        if words:
            paint_label(painter, area, self.x_to_pixel(at), words, self._theme)

    def rail_label(self, at: float) -> str:
        """Return what a rail near a moment stands for; "" where none is."""
        rails, area = self._content.rails, self.area()
        if rails is None:
            return ""
        reach_s = 4.0 / area.width() * (self._x[1] - self._x[0])
        rows = rails_shown(rails, *self._x, area.width())
        return label_near(rails, rows, at, max(reach_s, DAY_S / 2 - 1) if self._daily else reach_s)

    def _clamped(self, row: float) -> float:
        area = self.area()
        return min(max(row, area.top()), area.bottom())

    def _paint_marks_and_levels(self, painter: QPainter, area: QRectF) -> None:
        taken: list[QRectF] = []
        labels: list[tuple[QRectF, str, Tone]] = []
        for mark in self._content.marks:
            x = self.x_to_pixel(mark.x)
            if area.left() <= x <= area.right():
                pen = QPen(self._theme.color(mark.tone), 1)
                pen.setDashPattern([3, 3])
                painter.setPen(pen)
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
                wide = paint.label_width(mark.label)
                left = x + 5 if x + 5 + wide <= area.right() else x - 5 - wide
                box = QRectF(left, area.top() + 1, wide, 15)
                while any(one.intersects(box) for one in taken):
                    box.translate(0, 15)
                taken.append(box)
                labels.append((box, mark.label, mark.tone))
        for level in self._levels():
            y = self.y_to_pixel(level.value)
            inside = area.top() <= y <= area.bottom()
            if not inside and not level.draggable:
                continue
            words = self._level_words(level)
            if inside:
                paint.paint_level(
                    painter,
                    y,
                    area,
                    level.tone,
                    self._theme,
                    solid=level.draggable,
                    bold=level.key in (self._grabbed, self._chosen),
                )
            else:
                words += " ↑" if y < area.top() else " ↓"
            box = paint.find_room(taken, self._clamped(y), paint.label_width(words), area)
            taken.append(box)
            labels.append((box, words, level.tone))
        painter.setFont(font(paint.LABEL_PX, font().Weight.DemiBold))
        for box, words, tone in labels:
            paint.paint_label(painter, box, words, tone, self._theme)

    def _level_words(self, level: Level) -> str:
        given = next((one for one in self._content.levels if one.key == level.key), level)
        if given.value == level.value:
            return level.label
        return f"{level.label} → {self._value_words(level.value, LEVEL_DECIMALS)}"

    def _paint_cursor(self, painter: QPainter, area: QRectF, at: float) -> None:
        theme, x = self._theme, self.x_to_pixel(at)
        if not area.left() <= x <= area.right():
            return
        painter.setPen(QPen(theme.color(Tone.DIM), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(round(x) + 0.5, area.top()), QPointF(round(x) + 0.5, area.bottom()))
        if self._pointer_y is not None:
            y = self._pointer_y
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            decimals = self._value_steps()[1] + 2
            words = self._value_words(self._value_at(y), decimals)
            box = self._pointer_box()
            painter.setBrush(paint.fill(theme.raised))
            painter.setPen(QPen(theme.color(Tone.DIM), 1))
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            painter.setFont(font(paint.LABEL_PX))
            painter.setPen(theme.color(Tone.PLAIN))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        for trace in self._traces.values():
            value = value_at(trace.whole, at, self._reach_s())
            if value is not None:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(paint.fill(theme.panel), 1.5))
                painter.setBrush(paint.line_pen(self._row(trace.line), theme, 1).color())
                painter.drawEllipse(QPointF(x, self.y_to_pixel(value)), 3.5, 3.5)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        paint.paint_read_out(
            painter, x, area, moment_words(at, self._zone, daily=self._daily), self._rows(at), theme
        )

    def _pointer_box(self) -> QRectF:
        """Where the value at the height of the pointer is told; empty when there is no pointer."""
        if self._pointer_y is None:
            return QRectF()
        top = min(max(self._pointer_y - 9, 0.0), self.height() - 18.0)
        return QRectF(self.area().right() + 3, top, GUTTER - 5, 18)

    def _time_ticks(self) -> tuple[Tick, ...]:
        most = max(1, int(self.area().width() // _TICK_PX))
        return time_ticks(*self._x, most, self._zone, daily=self._daily)

    def _value_steps(self) -> tuple[tuple[float, ...], int]:
        most = max(2, int(self.area().height() // _STEP_PX))
        steps = value_steps(*self._y, most)
        return steps if len(steps[0]) >= _FEWEST_STEPS else value_steps(*self._y, 2 * most)

    # Reading values

    def _reach_s(self) -> float:
        return 7 * DAY_S if self._daily else self._gap_s or 900.0

    def _rows(self, at: float) -> list[paint.Row]:
        rows = []
        for trace in self._traces.values():
            value = value_at(trace.whole, at, self._reach_s())
            rows.append(self._row(trace.line, "n/a" if value is None else trace.line.words(value)))
        return rows

    def read_out(self) -> str:
        """Return the words of the read-out at the crosshair; empty when there is none."""
        if self._cursor is None:
            return ""
        told = [f"{row.name} {row.words}" for row in self._rows(self._cursor)]
        return " · ".join([moment_words(self._cursor, self._zone, daily=self._daily), *told])

    def _tell(self) -> None:
        self.setAccessibleDescription(self.read_out() or self._idle)
        self._repaint()

    def _levels(self) -> list[Level]:
        """The levels, with those under the user's hand where the hand is."""
        return [
            replace(one, value=self._held[one.key]) if one.key in self._held else one
            for one in self._content.levels
        ]
