"""A chart over time that the mouse and the keyboard work.

Wheel zooms, dragging pans or moves a level, double-click resets, the right button offers copies.
With the keyboard on the chart: arrows pan, + and - zoom, Home resets; Shift+arrows move the crosshair point by
point (with Ctrl, twenty at a time); L picks a level that can be moved, up and down move it; Escape lets go;
Ctrl+C copies the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSaveFile, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget
from typing_extensions import override

from widgets.chart import DAY_S, LEVEL_DECIMALS, Chart
from widgets.plot_data import nearest_row, rows_between, table
from widgets.states import Curve

_GRAB_PX = 6.0
_LET_GO_MS = 1500
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


class TimePlot(Chart):
    """A chart with a crosshair that reads values, and levels that can be dragged."""

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
    ) -> None:
        """Make an empty chart; see `Chart`."""
        super().__init__(name, value_words, daily=daily, gap_s=gap_s, include=include)
        self._pan_from: tuple[float, tuple[float, float]] | None = None
        self._subject: QWidget = self
        self._let_go = QTimer(self, singleShot=True, interval=_LET_GO_MS)
        self._let_go.timeout.connect(self._forget_held)
        self._idle = _KEYS
        self.setAccessibleDescription(_KEYS)

    def set_subject(self, widget: QWidget) -> None:
        """Say which widget "Copy picture" takes: the panel, so that the picture tells its title and facts."""
        self._subject = widget

    # Span of time

    def reset(self) -> None:
        """Show what the chart showed at first."""
        self._at_home = True
        self._fit()

    def _bounds(self) -> tuple[float, float]:
        """How far one can pan: all points, and what "reset" shows."""
        home, data = self._home(), self._data_span()
        return home if data is None else (min(home[0], data[0]), max(home[1], data[1]))

    def _look_at(self, low: float, high: float) -> None:
        first, last = self._bounds()
        shortest = 10 * DAY_S if self._daily else 300.0
        wide = min(max(high - low, shortest), last - first)
        middle = (low + high) / 2
        low = min(max(middle - wide / 2, first), last - wide)
        self._at_home = False
        self._x = (low, low + wide)
        self._fit()

    # Reading values

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

    def _level_near(self, row: float) -> str | None:
        near = [
            (abs(self._clamped(self.y_to_pixel(one.value)) - row), one.key)
            for one in self._levels()
            if one.draggable
        ]
        distance, key = min(near, default=(_GRAB_PX + 1, ""))
        return key if distance <= _GRAB_PX else None

    def _move_level(self, key: str, value: float) -> None:
        value = round(value, LEVEL_DECIMALS)
        if self._held.get(key) != value:
            self._held[key] = value
            self._let_go.stop()
            self._repaint()
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
        self._repaint()

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
        self._repaint()

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
                level.key, level.value + upwards * 10.0 ** (1 - LEVEL_DECIMALS) * (10 if shift else 1)
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
            self._repaint()
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
        self._repaint()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self._chosen = None
            self._point_at(None)
        self._repaint()

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
