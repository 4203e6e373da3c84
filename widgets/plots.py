"""A chart over time: curves and bands on pyqtgraph, everything around them painted by `plot_paint`.

Keys, with the keyboard on the chart: arrows pan, + and - zoom, Home resets; Shift+arrows move the crosshair point
by point (with Ctrl, twenty at a time); L picks a level that can be moved, up and down move it; Escape lets go;
Ctrl+C copies the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSaveFile, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QGraphicsItem,
    QGraphicsScene,
    QGraphicsView,
    QMenu,
    QMessageBox,
    QWidget,
)
from typing_extensions import override

from widgets import plot_paint as paint
from widgets.plot_data import extent, nearest_row, rows_between, table, value_at
from widgets.states import Band, Curve, Level, Mark, Tag, Tone
from widgets.theme import DARK, Theme, font
from widgets.ticks import Tick, moment_words, time_ticks, value_steps
from widgets.traces import Area, Line, Trace

GUTTER = 60.0
"""Pixels right of the curves, for values and price tags."""
_STRIP, _FOOT = 18.0, 24.0
_GRAB_PX = 6.0
_TICK_PX = 72
_HEAD_ROOM = 0.06
_MOVED_LEVELS_MAY_TAKE = 0.55
"""Share of the height given up at most to bring movable levels into the picture."""
_LET_GO_MS = 1500
_DAY_S = 86_400.0
_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_KEYS = "Arrows pan, plus and minus zoom, Home resets, Shift with arrows reads values, L picks a level to move"


@dataclass(frozen=True, slots=True)
class LevelMoved:
    """A level was dragged to `value`."""

    key: str
    value: float


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


class TimePlot(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no type information
    """Curves over time with a crosshair, levels that can be dragged, and price tags."""

    cursor_moved = Signal(object)
    """Where the user reads values, seconds since 1970 UTC as float; None when nowhere."""
    level_moved = Signal(object)
    """`LevelMoved`, while a level is dragged."""
    level_released = Signal(object)
    """`LevelMoved`, when it is let go."""

    def __init__(
        self,
        name: str,
        value_words: Callable[[float, int], str],
        *,
        daily: bool,
        gap_s: float | None = None,
        include: tuple[float, ...] = (),
        level_decimals: int = 3,
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
        level_decimals
            Levels are moved in steps of this precision.
        """
        super().__init__(background=None)
        self._name, self._value_words, self._daily, self._gap_s = name, value_words, daily, gap_s
        self._include, self._decimals = include, level_decimals
        self._theme, self._content, self._zone = DARK, Content(), ZoneInfo("UTC")
        self._traces: dict[str, Trace] = {}
        self._areas: list[Area] = []
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._at_home = True
        self._cursor: float | None = None
        self._pointer_y: float | None = None
        self._held: dict[str, float] = {}
        self._grabbed: str | None = None
        self._chosen: str | None = None
        self._pan_from: tuple[float, tuple[float, float]] | None = None
        self._focus_told = False
        self._subject: QWidget = self
        self._let_go = QTimer(self, singleShot=True, interval=_LET_GO_MS)
        self._let_go.timeout.connect(self._forget_held)

        self.setCentralItem(None)
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self._box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self._box.disableAutoRange()
        self._box.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents, True)
        self.scene().addItem(self._box)
        self.setAccessibleName(name)
        self.setAccessibleDescription(_KEYS)
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
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._colour()
        self.viewport().update()

    def set_subject(self, widget: QWidget) -> None:
        """Say which widget "Copy picture" takes: the panel, so that the picture tells its title and facts."""
        self._subject = widget

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

    def reset(self) -> None:
        """Show what the chart showed at first."""
        self._at_home = True
        self._fit()

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
        room = 0.01 * (high - low) or (_DAY_S if self._daily else 60.0)
        return (low - (0.0 if high > low else room), high + room)

    def _home(self) -> tuple[float, float]:
        return self._content.home or self._data_span() or (0.0, 1.0)

    def _bounds(self) -> tuple[float, float]:
        """How far one can pan: all points, and what "reset" shows."""
        home, data = self._home(), self._data_span()
        return home if data is None else (min(home[0], data[0]), max(home[1], data[1]))

    def _overlaps(self, home: tuple[float, float] | None) -> bool:
        return home is None or (home[0] < self._x[1] and self._x[0] < home[1])

    def _look_at(self, low: float, high: float) -> None:
        first, last = self._bounds()
        shortest = 10 * _DAY_S if self._daily else 300.0
        wide = min(max(high - low, shortest), last - first)
        middle = (low + high) / 2
        low = min(max(middle - wide / 2, first), last - wide)
        self._at_home = False
        self._x = (low, low + wide)
        self._fit()

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
        self.viewport().update()

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
            boxes,
            theme,
        )
        self._paint_marks_and_levels(painter, area)
        for box, tag in zip(boxes, content.tags, strict=True):
            beyond = (tag.value < self._y[0]) - (tag.value > self._y[1])
            paint.paint_tag(painter, box, tag.text, tag.tone, theme, hollow=content.dimmed, beyond=beyond)
        if self._cursor is not None:
            self._paint_cursor(painter, area, self._cursor)
        if self._focus_told and self.hasFocus():
            painter.setPen(QPen(theme.color(Tone.NDX), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

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
        return f"{level.label} → {self._value_words(level.value, self._decimals)}"

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
            box = QRectF(area.right() + 3, min(max(y - 9, 0.0), self.height() - 18.0), GUTTER - 5, 18)
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

    def _time_ticks(self) -> tuple[Tick, ...]:
        most = max(1, int(self.area().width() // _TICK_PX))
        return time_ticks(*self._x, most, self._zone, daily=self._daily)

    def _value_steps(self) -> tuple[tuple[float, ...], int]:
        return value_steps(*self._y, max(2, int(self.area().height() // 44)))

    # Reading values

    def _reach_s(self) -> float:
        return 7 * _DAY_S if self._daily else self._gap_s or 900.0

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
        self.setAccessibleDescription(self.read_out() or _KEYS)
        self.viewport().update()

    def _point_at(self, at: float | None, pointer_y: float | None = None) -> None:
        """Move the crosshair by the user's hand, and say so."""
        moved = at != self._cursor
        if moved or pointer_y != self._pointer_y:
            self._cursor, self._pointer_y = at, pointer_y
            self._tell()
        if moved:
            self.cursor_moved.emit(at)

    def _main(self) -> Curve | None:
        return next((trace.given for trace in self._traces.values() if trace.given and len(trace.given.x)), None)

    def _step_cursor(self, points: int) -> None:
        main = self._main()
        if main is None:
            return
        rows = rows_between(main.x, *self._x)
        if rows.start >= rows.stop:
            return
        row = rows.stop - 1 if self._cursor is None else nearest_row(main.x, self._cursor) + points
        row = min(max(row, 0), len(main.x) - 1)
        at = float(main.x[row])
        low, high = self._x
        if not low <= at <= high:
            shift = at - high if at > high else at - low
            self._look_at(low + shift, high + shift)
        self._point_at(at)

    # Levels the user moves

    def _levels(self) -> list[Level]:
        """The levels, with those under the user's hand where the hand is."""
        return [
            replace(one, value=self._held[one.key]) if one.key in self._held else one
            for one in self._content.levels
        ]

    def _level_near(self, row: float) -> str | None:
        near = [
            (abs(self._clamped(self.y_to_pixel(one.value)) - row), one.key)
            for one in self._levels()
            if one.draggable
        ]
        distance, key = min(near, default=(_GRAB_PX + 1, ""))
        return key if distance <= _GRAB_PX else None

    def _move_level(self, key: str, value: float) -> None:
        value = round(value, self._decimals)
        if self._held.get(key) != value:
            self._held[key] = value
            self._let_go.stop()
            self.viewport().update()
            self.level_moved.emit(LevelMoved(key, value))

    def _release_level(self, key: str) -> None:
        """The next state tells where the level is; until then it stays where it was let go."""
        if key in self._held:
            self._let_go.start()
            self.level_released.emit(LevelMoved(key, self._held[key]))

    def _forget_held(self) -> None:
        self._held.clear()
        self._fit()

    def _choose_next_level(self) -> None:
        keys = [one.key for one in self._content.levels if one.draggable]
        if self._chosen is not None:
            keys = keys[keys.index(self._chosen) + 1 :] if self._chosen in keys else []
        self._chosen = keys[0] if keys else None
        level = next((one for one in self._levels() if one.key == self._chosen), None)
        self.setAccessibleDescription(_KEYS if level is None else f"{level.label}: up and down move it")
        self.viewport().update()

    # Mouse. Events do not reach the scene: what the mouse does here needs no item below it.

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            event.accept()
            return
        spot = event.position()
        self._grabbed = self._level_near(spot.y()) if spot.x() <= self.area().right() else None
        if self._grabbed is None:
            self._pan_from = (spot.x(), self._x)
        self.viewport().update()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        spot, area = event.position(), self.area()
        if self._grabbed is not None:
            self._move_level(self._grabbed, self._value_at(self._clamped(spot.y())))
            return
        if self._pan_from is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, (low, high) = self._pan_from
            shift = (start - spot.x()) / area.width() * (high - low)
            if shift:
                self._look_at(low + shift, high + shift)
        near = self._level_near(spot.y()) is not None and area.contains(spot)
        self.viewport().setCursor(Qt.CursorShape.SizeVerCursor if near else Qt.CursorShape.ArrowCursor)
        main = self._main()
        if main is None or not area.contains(spot):
            self._point_at(None)
            return
        rows = rows_between(main.x, *self._x)
        if rows.start < rows.stop:
            visible = main.x[rows]
            self._point_at(float(visible[nearest_row(visible, self._moment_at(spot.x()))]), spot.y())

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        grabbed, self._grabbed, self._pan_from = self._grabbed, None, None
        if grabbed is not None:
            self._release_level(grabbed)
            self._fit()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._grabbed = self._pan_from = None
        self.reset()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if turn.x() and abs(turn.x()) > abs(turn.y()):
            self._pan(-turn.x() / 1200)
        else:
            self._zoom(0.9985 ** turn.y(), self._moment_at(event.position().x()))
        event.accept()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    def _pan(self, share: float) -> None:
        low, high = self._x
        shift = share * (high - low)
        self._look_at(low + shift, high + shift)

    def _zoom(self, times: float, around: float) -> None:
        """Show `times` as much time; `around` keeps its place."""
        low, high = self._x
        around = min(max(around, low), high)
        self._look_at(around - (around - low) * times, around + (high - around) * times)

    # Keyboard

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, shift = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        far = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        level = next((one for one in self._levels() if one.key == self._chosen), None)
        sideways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
        upwards = {Qt.Key.Key_Down: -1, Qt.Key.Key_Up: 1}.get(Qt.Key(key), 0)
        middle = sum(self._x) / 2 if self._cursor is None else self._cursor
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_data()
        elif sideways and shift:
            self._step_cursor(sideways * (20 if far else 1))
        elif sideways and not far:
            self._pan(0.1 * sideways)
        elif upwards and level is not None:
            self._move_level(
                level.key, level.value + upwards * 10.0 ** (1 - self._decimals) * (10 if shift else 1)
            )
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal) and not far:
            self._zoom(1 / 1.25, middle)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore) and not far:
            self._zoom(1.25, middle)
        elif key == Qt.Key.Key_Home:
            self.reset()
        elif key == Qt.Key.Key_L and not far:
            self._choose_next_level()
        elif key == Qt.Key.Key_Escape and (self._chosen or self._cursor is not None):
            self._chosen = None
            self._point_at(None)
            self.viewport().update()
        else:
            QWidget.keyPressEvent(self, event)

    @override
    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)
            and not event.isAutoRepeat()
            and self._chosen is not None
        ):
            self._release_level(self._chosen)
            return
        QWidget.keyReleaseEvent(self, event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self._focus_told = event.reason() in _BY_KEYBOARD
        self.viewport().update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self._chosen = None
            self._point_at(None)
        self.viewport().update()

    # Taking away

    def table(self, separator: str = "\t") -> str:
        """Return the points in the picture as a table with one line a moment, in the exchange's time."""
        columns = [
            (f"{trace.line.name} ({trace.line.unit})" if trace.line.unit else trace.line.name, trace.given)
            for trace in self._traces.values()
            if trace.given is not None
        ]
        return table(columns, *self._x, self._zone, daily=self._daily, separator=separator)

    def copy_data(self) -> None:
        """Put the points in the picture on the clipboard, as a table a spreadsheet takes."""
        QGuiApplication.clipboard().setText(self.table())

    def copy_picture(self) -> None:
        """Put the panel on the clipboard as a picture, without the crosshair."""
        self._point_at(None)
        QGuiApplication.clipboard().setPixmap(self._subject.grab())

    def save_csv(self) -> None:
        """Ask for a file and write the points in the picture to it."""
        name, _ = QFileDialog.getSaveFileName(
            self, f"Save {self._name}", f"{self._name}.csv", "Comma-separated values (*.csv)"
        )
        if not name:
            return
        file = QSaveFile(name)
        text = self.table(",").encode()
        if not (file.open(QSaveFile.OpenModeFlag.WriteOnly) and file.write(text) == len(text) and file.commit()):
            QMessageBox.warning(
                self,
                f"Save {self._name}",
                f"{Path(name).name} was not written: {file.errorString()}. Choose another place.",
            )

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        empty = self._main() is None
        for words, do, needs_points in (
            ("Copy picture", self.copy_picture, False),
            ("Copy data\tCtrl+C", self.copy_data, True),
            ("Save CSV…", self.save_csv, True),
            ("Reset\tHome", self.reset, True),
        ):
            action = QAction(words, menu)
            action.setEnabled(not (needs_points and empty))
            action.triggered.connect(do)
            menu.addAction(action)
        menu.popup(event.globalPos())
        event.accept()
