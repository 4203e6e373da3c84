"""A small chart of two daily curves on one axis, painted by hand: far cheaper than a full plot."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget
from typing_extensions import override

from widgets.rails import label_near, paint_rails, rails_shown
from widgets.states import Curve, Rails, Tone
from widgets.theme import DARK, Theme, font

_RIGHT, _BOTTOM, _TOP = 30, 15, 3
_YEAR_S = 365.25 * 86400


class SmallHistory(QWidget):
    """Realised (full line) and implied (dashed) correlation; hovering or the arrow keys read values off."""

    cursor_moved = Signal(object)
    """Moment under the user's cursor, seconds since 1970 UTC as float; None when there is none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFont(font(10))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._realised: Curve | None = None
        self._implied: Curve | None = None
        self._rails: Rails | None = None
        self._theme = DARK
        self._cursor: int | None = None
        """Row of the realised curve that is read off."""

    def show_curves(self, realised: Curve | None, implied: Curve | None) -> None:
        """Show both curves; nothing happens when they are shown already."""
        if realised is self._realised and implied is self._implied:
            return
        self._realised, self._implied = realised, implied
        self._cursor = None
        self.setAccessibleDescription("" if realised is None else f"{len(realised.x)} days")
        self.update()

    def show_rails(self, rails: Rails | None) -> None:
        """Show dated events as thin lines; nothing happens when they are shown already."""
        if rails is not self._rails:
            self._rails = rails
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    def read_out(self) -> str:
        """Return date and values under the cursor; empty when there is none."""
        if self._cursor is None or self._realised is None:
            return ""
        at = float(self._realised.x[self._cursor])
        words = f"{_date(at)} · realised {_number(float(self._realised.y[self._cursor]))}"
        if self._implied is not None and len(self._implied.x):
            row = int(np.searchsorted(self._implied.x, at, side="right")) - 1
            if row >= 0:
                words += f" · implied {_number(float(self._implied.y[row]))}"
        spans = self._spans()
        if self._rails is not None and spans is not None:
            rows = rails_shown(self._rails, spans[0], spans[1], self._area().width())
            event = label_near(self._rails, rows, at, 43_199.0)
            words += f" · {event}" if event else ""
        return words

    def table(self) -> str:
        """Return both curves as tab-separated text: date, realised, implied (correlation)."""
        rows: dict[float, list[str]] = {}
        for column, curve in enumerate((self._realised, self._implied)):
            if curve is not None:
                for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
                    rows.setdefault(x, ["", ""])[column] = "" if np.isnan(y) else f"{y:.6f}"
        lines = (f"{datetime.fromtimestamp(x, UTC):%Y-%m-%d}\t{a}\t{b}" for x, (a, b) in sorted(rows.items()))
        return "\n".join(("date\trealised\timplied", *lines)) + "\n"

    # Drawing

    def _area(self) -> QRectF:
        return QRectF(1, _TOP, self.width() - _RIGHT - 1, self.height() - _TOP - _BOTTOM)

    def _spans(self) -> tuple[float, float, float, float] | None:
        curves = [c for c in (self._realised, self._implied) if c is not None and len(c.x)]
        ys = [c.y[np.isfinite(c.y)] for c in curves]
        if not any(len(y) for y in ys):
            return None
        left, right = min(float(c.x[0]) for c in curves), max(float(c.x[-1]) for c in curves)
        low = min(0.0, *(float(y.min()) for y in ys if len(y)))
        high = max(0.2, *(float(y.max()) for y in ys if len(y)))
        return left, max(right, left + 1), low, high * 1.05

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        spans = self._spans()
        area = self._area()
        if spans is None or area.height() < 8:
            return
        left, right, low, high = spans
        x_scale, y_scale = area.width() / (right - left), area.height() / (high - low)
        painter = QPainter(self)
        dim, grid = self._theme.color(Tone.DIM), QPen(QColor(self._theme.grid), 1)
        for value in _steps(low, high, 2 if area.height() < 60 else 4):
            y = area.bottom() - (value - low) * y_scale
            painter.setPen(grid)
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
            painter.setPen(dim)
            box = QRectF(area.right() + 4, y - 7, _RIGHT - 4, 14)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{value:.1f}")
        if self._rails is not None:
            rows = rails_shown(self._rails, left, right, area.width())
            paint_rails(
                painter, area, (area.left() + (self._rails.x[rows] - left) * x_scale).tolist(), self._theme
            )
        painter.setPen(dim)
        for at, words in _dates(left, right, max(2, int(area.width() // 80))):
            x = area.left() + (at - left) * x_scale
            box = QRectF(x - 30, area.bottom() + 2, 60, 13)
            if box.left() >= 0 and box.right() <= area.right() + 8:
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        solid = QPen(QColor(self._theme.curve), 1.2)
        dashed = QPen(self._theme.color(Tone.PAST), 1.2)
        dashed.setDashPattern([4, 2.5])
        for curve, pen in ((self._implied, dashed), (self._realised, solid)):
            if curve is not None:
                painter.setPen(pen)
                xs = area.left() + (curve.x - left) * x_scale
                ys = area.bottom() - (curve.y - low) * y_scale
                for line in _polylines(xs, ys):
                    painter.drawPolyline(line)
        if self._cursor is not None and self._realised is not None:
            self._paint_cursor(
                painter, area, area.left() + (float(self._realised.x[self._cursor]) - left) * x_scale
            )
        painter.end()

    def _paint_cursor(self, painter: QPainter, area: QRectF, x: float) -> None:
        painter.setPen(QPen(self._theme.color(Tone.DIM), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
        words = self.read_out()
        wide = self.fontMetrics().horizontalAdvance(words) + 10
        start = min(max(area.left(), x - wide / 2), max(area.left(), area.right() - wide))
        box = QRectF(start, area.top(), wide, 15)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(Tone.PLAIN))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(self._theme.panel)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # Reading off and copying

    def show_cursor(self, at: float | None) -> None:
        """Read off the day that another chart of days points at; a moment outside the history reads none."""
        row = None
        if at is not None and self._realised is not None and len(self._realised.x):
            x = self._realised.x
            row = int(np.abs(x - at).argmin()) if x[0] <= at <= x[-1] else None
        self._read_row(row)

    def _point_at(self, row: int | None) -> None:
        if self._read_row(row):
            at = None if row is None or self._realised is None else float(self._realised.x[row])
            self.cursor_moved.emit(at)

    def _read_row(self, row: int | None) -> bool:
        if row == self._cursor:
            return False
        self._cursor = row
        self.setAccessibleDescription(self.read_out())
        self.update()
        return True

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        spans = self._spans()
        if spans is None or self._realised is None or not len(self._realised.x):
            return
        area = self._area()
        at = spans[0] + (event.position().x() - area.left()) / max(1.0, area.width()) * (spans[1] - spans[0])
        self._point_at(int(np.abs(self._realised.x - at).argmin()))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_data()
            return
        key, rows = event.key(), 0 if self._realised is None else len(self._realised.x)
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -21, Qt.Key.Key_PageDown: 21}.get(
            Qt.Key(key)
        )
        if step is None or not rows:
            super().keyPressEvent(event)
            return
        here = (rows - 1 if self._cursor is None else self._cursor) + step
        self._point_at(min(rows - 1, max(0, here)))

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() is not Qt.FocusReason.MouseFocusReason and self._realised is not None:
            self._point_at(len(self._realised.x) - 1 if len(self._realised.x) else None)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)

    def copy_data(self) -> None:
        """Put both curves on the clipboard, as a table."""
        QGuiApplication.clipboard().setText(self.table())

    def copy_picture(self) -> None:
        """Put the chart on the clipboard, as a picture."""
        QGuiApplication.clipboard().setPixmap(self.grab())

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        for words, do in (("Copy picture", self.copy_picture), ("Copy data", self.copy_data)):
            action = QAction(words, menu)
            action.triggered.connect(do)
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    @override
    def sizeHint(self) -> QSize:
        return QSize(400, 90)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(120, 44)


def _polylines(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> list[QPolygonF]:
    """Pieces between holes; one point a pixel is enough."""
    keep = max(1, len(xs) // max(1, int(xs[-1] - xs[0]) * 2)) if len(xs) else 1
    finite = np.isfinite(ys)
    pieces: list[QPolygonF] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], finite, [False])).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        rows = [*range(start, end - 1, keep), end - 1]
        pieces.append(QPolygonF([QPointF(xs[row], ys[row]) for row in rows]))
    return pieces


def _steps(low: float, high: float, most: int) -> list[float]:
    """Round values to label, at most `most` of them above the lowest."""
    for step in (0.1, 0.2, 0.5, 1.0):
        first = int(np.ceil(low / step))
        values = [step * number for number in range(first, int(high / step) + 1)]
        if len(values) <= most + 1:
            return values
    return [low, high]


def _dates(left: float, right: float, most: int) -> list[tuple[float, str]]:
    """Beginnings of years, or of months where the span is short, at most `most`."""
    first, last = datetime.fromtimestamp(left, UTC), datetime.fromtimestamp(right, UTC)
    months = [
        (first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1) for n in range(1, 12 * 60)
    ]
    months = [(y, m) for y, m in months if (y, m) <= (last.year, last.month)]
    for every in (1, 2, 3, 6, 12, 24, 60, 120):
        chosen = [(y, m) for y, m in months if (12 * y + m - 1) % every == 0]
        if len(chosen) <= most:
            words = "%Y" if every >= 12 else "%b %Y"
            moments = [datetime(y, m, 1, tzinfo=UTC) for y, m in chosen]
            return [(one.timestamp(), one.strftime(words)) for one in moments]
    return []


def _date(at: float) -> str:
    day = datetime.fromtimestamp(at, UTC)
    return f"{day.day} {day:%b %Y}"


def _number(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
