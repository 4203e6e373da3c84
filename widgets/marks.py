"""Small status marks: shape and colour both say which."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from widgets.states import Tone
from widgets.theme import Theme


def paint_mark(painter: QPainter, centre: QPointF, size: float, tone: Tone, theme: Theme) -> None:
    """Paint a mark `size` pixels wide: disc (good), triangle (attention), diamond (bad), ring (off, not known)."""
    x, y, half = centre.x(), centre.y(), size / 2
    colour = theme.color(tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if tone is Tone.WARN:
        painter.drawPolygon(
            QPolygonF(
                [QPointF(x, y - half - 0.5), QPointF(x + half + 1, y + half), QPointF(x - half - 1, y + half)]
            )
        )
    elif tone is Tone.BAD:
        reach = half + 1
        painter.drawPolygon(
            QPolygonF([QPointF(x, y - reach), QPointF(x + reach, y), QPointF(x, y + reach), QPointF(x - reach, y)])
        )
    elif tone is Tone.DIM:
        painter.setPen(QPen(colour, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(x - half + 0.8, y - half + 0.8, size - 1.6, size - 1.6))
    else:
        painter.drawEllipse(QRectF(x - half, y - half, size, size))
    painter.restore()
