"""A chart of the evidence of one claim that the mouse and the keyboard work.

Wheel zooms, dragging pans, double-click resets, the right button offers copies. With the keyboard on the chart:
arrows read values point by point (with Ctrl, or Page keys, twenty at a time), + and - zoom, Home resets, Escape
lets go, Ctrl+C copies the data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSaveFile, Qt
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

from widgets.evidence_canvas import MANY, EvidenceCanvas
from widgets.evidence_data import rows, separated
from widgets.plot_data import nearest_row, rows_between

_DOT_REACH_PX = 12.0
_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class EvidencePlot(EvidenceCanvas):
    """Shows an `EvidenceChart`; values are read by hovering or with the arrow keys."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._pan_from: tuple[float, tuple[float, float]] | None = None
        self._subject: QWidget = self
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def set_subject(self, widget: QWidget) -> None:
        """Say which widget "Copy picture" takes: the panel, so that the picture tells its title and facts."""
        self._subject = widget

    # Reading values

    def _read(self, at: float | None, pointer: QPointF | None = None, dot: tuple[int, int] | None = None) -> None:
        """Read values at `at`; the pointer says which of many lines is meant."""
        if len(self._series) <= MANY:
            pointer = None
        if (at, pointer, dot) != (self._at, self._pointer, self._dot):
            self._at, self._pointer, self._dot = at, pointer, dot
            self._tell()

    def _step(self, points: int) -> None:
        bars = self._bars
        if bars is not None:
            if bars.groups:
                last = len(bars.groups) - 1
                self._read(float(last if self._at is None else min(last, max(0, int(self._at) + points))))
            return
        cut = rows_between(self._positions, *self._x)
        if not len(self._positions) or cut.start >= cut.stop:
            return
        row = cut.stop - 1 if self._at is None else nearest_row(self._positions, self._at) + points
        at = float(self._positions[min(len(self._positions) - 1, max(0, row))])
        low, high = self._x
        if not low <= at <= high:
            shift = at - high if at > high else at - low
            self._look_at(low + shift, high + shift)
        self._read(at)

    def _dot_near(self, spot: QPointF) -> tuple[int, int] | None:
        found: list[tuple[float, int, int]] = []
        for place, one in enumerate(self._series):
            if one.line.dots and len(one.curve.x):
                points = one.curve
                area, (low, high) = self.area(), self._framed().y
                xs = area.left() + (points.x - self._x[0]) / (self._x[1] - self._x[0]) * area.width()
                ys = area.bottom() - (points.y - low) / (high - low) * area.height()
                away = np.where(np.isfinite(ys), np.hypot(xs - spot.x(), ys - spot.y()), np.inf)
                row = int(np.argmin(away))
                found.append((float(away[row]), place, row))
        distance, place, row = min(found, default=(np.inf, 0, 0))
        return (place, row) if distance <= _DOT_REACH_PX else None

    # Mouse

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._bars is None:
            self._pan_from = (event.position().x(), self._x)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None
        self.reset()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        spot, area = event.position(), self.area()
        if self._chart is None or not self._known():
            return
        if self._pan_from is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, (low, high) = self._pan_from
            shift = (start - spot.x()) / area.width() * (high - low)
            if shift and not self._at_home:
                self._look_at(low + shift, high + shift)
        if not area.adjusted(-4, -4, 4, 4).contains(spot):
            self._read(None)
            return
        if self._bars is not None:
            groups = len(self._bars.groups)
            group = int((spot.x() - area.left()) / area.width() * groups)
            self._read(float(min(groups - 1, max(0, group))))
            return
        dot = self._dot_near(spot)
        if dot is not None:
            self._read(float(self._series[dot[0]].curve.x[dot[1]]), spot, dot)
            return
        cut = rows_between(self._positions, *self._x)
        if cut.start < cut.stop:
            visible = self._positions[cut]
            self._read(float(visible[nearest_row(visible, self._x_at(spot.x()))]), spot)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._read(None)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._bars is not None or not len(self._positions):
            event.ignore()
            return
        turn = event.angleDelta()
        low, high = self._x
        if turn.x() and abs(turn.x()) > abs(turn.y()):
            shift = -turn.x() / 1200 * (high - low)
            self._look_at(low + shift, high + shift)
        else:
            self._zoom(0.9985 ** turn.y(), self._x_at(event.position().x()))
        event.accept()

    def _zoom(self, times: float, around: float) -> None:
        low, high = self._x
        around = min(max(around, low), high)
        self._look_at(around - (around - low) * times, around + (high - around) * times)

    # Keyboard

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, far = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -20, Qt.Key.Key_PageDown: 20}
        middle = sum(self._x) / 2 if self._at is None else self._at
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_data()
        elif key in steps:
            self._step(steps[key] * (20 if far and abs(steps[key]) == 1 else 1))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal) and not far and self._bars is None:
            self._zoom(1 / 1.25, middle)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore) and not far and self._bars is None:
            self._zoom(1.25, middle)
        elif key == Qt.Key.Key_Home:
            self.reset()
        elif key == Qt.Key.Key_Escape and self._at is not None:
            self._read(None)
        else:
            super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self._focus_told = event.reason() in _BY_KEYBOARD
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self._read(None)
        self.update()

    # Taking away

    def table(self, separator: str = "\t") -> str:
        """Return what is in the picture as a table, one line a position or group."""
        if self._chart is None:
            return ""
        return separated(rows(self._chart, None if self._bars is not None else self._x), separator)

    def copy_data(self) -> None:
        """Put what is in the picture on the clipboard, as a table a spreadsheet takes."""
        if self._chart is not None:
            QGuiApplication.clipboard().setText(self.table())

    def copy_picture(self) -> None:
        """Put the panel on the clipboard as a picture, without the read-out."""
        self._read(None)
        QGuiApplication.clipboard().setPixmap(self._subject.grab())

    def save_csv(self) -> None:
        """Ask for a file and write what is in the picture to it."""
        save_text(self, self.accessibleName(), self.table(","))

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        known = self._chart is not None and self._known()
        for words, do, enabled in (
            ("Copy picture", self.copy_picture, True),
            ("Copy data\tCtrl+C", self.copy_data, known),
            ("Save CSV…", self.save_csv, known),
            ("Reset\tHome", self.reset, known and self._bars is None),
        ):
            action = QAction(words, menu)
            action.setEnabled(enabled)
            action.triggered.connect(do)
            menu.addAction(action)
        menu.popup(event.globalPos())
        event.accept()


def save_text(parent: QWidget, name: str, text: str) -> None:
    """Ask for a file and write `text` to it; what goes wrong is told with its cause."""
    path, _ = QFileDialog.getSaveFileName(
        parent, f"Save {name}", f"{_file_name(name)}.csv", "Comma-separated values (*.csv)"
    )
    if not path:
        return
    file, data = QSaveFile(path), text.encode()
    if not (file.open(QSaveFile.OpenModeFlag.WriteOnly) and file.write(data) == len(data) and file.commit()):
        QMessageBox.warning(
            parent,
            f"Save {name}",
            f"{Path(path).name} was not written: {file.errorString()}. Choose another place.",
        )


def _file_name(name: str) -> str:
    return "".join("-" if one in '/\\:*?"<>|' else one for one in name)
