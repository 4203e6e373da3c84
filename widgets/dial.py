"""A half-round dial: zones, their bounds, and a needle where the value is known."""

from __future__ import annotations

from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from widgets.states import Tone
from widgets.theme import DARK, Theme, font

LOW, HIGH = -0.2, 1.0
_PAD, _APART_DEG = 16, 1.2


class Dial(QWidget):
    """A correlation between -0.2 (left) and 1 (right)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFont(font(10))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._value: float | None = None
        self._zones: tuple[tuple[float, Tone], ...] = ()
        self._theme = DARK

    def show_value(self, value: float | None, zones: tuple[tuple[float, Tone], ...]) -> None:
        """Point at `value`, at nothing when it is None. `zones` are upper bounds and tones, left to right."""
        if (value, zones) == (self._value, self._zones):
            return
        self._value, self._zones = value, zones
        self.update()

    @property
    def value(self) -> float | None:
        """Where the needle points."""
        return self._value

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(220, 126)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(100, 56)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        radius = min(self.width() / 2 - _PAD - 6, self.height() - _PAD - 8.0)
        if radius < 10:
            return
        hub = QPointF(self.width() / 2, self.height() - 8.0)
        thick = max(8.0, radius * 0.17)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_zones(painter, hub, radius, thick)
        if self._value is not None:
            self._paint_needle(painter, hub, radius - thick - 4, thick)
        painter.end()

    def _paint_zones(self, painter: QPainter, hub: QPointF, radius: float, thick: float) -> None:
        middle = radius - thick / 2
        box = QRectF(hub.x() - middle, hub.y() - middle, 2 * middle, 2 * middle)
        left = LOW
        for bound, tone in self._zones:
            colour = self._theme.color(tone)
            if self._value is None:
                colour.setAlphaF(0.35)
            pen = QPen(colour, thick)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            start, end = 180 - 180 * _share(left), 180 - 180 * _share(bound)
            trim_start = _APART_DEG / 2 if left > LOW else 0
            trim_end = _APART_DEG / 2 if bound < HIGH else 0
            painter.drawArc(
                box, round(16 * (start - trim_start)), round(16 * (end - start + trim_start + trim_end))
            )
            if bound < HIGH:
                painter.setPen(self._theme.color(Tone.DIM))
                at = _on_circle(hub, radius + 10, bound)
                painter.drawText(
                    QRectF(at.x() - 16, at.y() - 7, 32, 14),
                    Qt.AlignmentFlag.AlignCenter,
                    f"{bound:.2f}".lstrip("0"),
                )
            left = bound

    def _paint_needle(self, painter: QPainter, hub: QPointF, length: float, thick: float) -> None:
        assert self._value is not None
        pen = QPen(self._theme.color(Tone.PLAIN), max(2.5, thick * 0.2))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(hub, _on_circle(hub, length, self._value))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(Tone.PLAIN))
        painter.drawEllipse(hub, thick * 0.36, thick * 0.36)


def _share(value: float) -> float:
    return (min(HIGH, max(LOW, value)) - LOW) / (HIGH - LOW)


def _on_circle(hub: QPointF, radius: float, value: float) -> QPointF:
    angle = pi * (1 - _share(value))
    return QPointF(hub.x() + radius * cos(angle), hub.y() - radius * sin(angle))
