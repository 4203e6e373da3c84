"""Helpers of painted widgets: status marks that differ by shape, and words broken into lines."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QPolygonF

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
    reach = half + 1
    if tone is Tone.WARN:
        top = QPointF(x, y - half - 0.5)
        painter.drawPolygon(QPolygonF([top, QPointF(x + reach, y + half), QPointF(x - reach, y + half)]))
    elif tone is Tone.BAD:
        top, bottom = QPointF(x, y - reach), QPointF(x, y + reach)
        painter.drawPolygon(QPolygonF([top, QPointF(x + reach, y), bottom, QPointF(x - reach, y)]))
    elif tone is Tone.DIM:
        painter.setPen(QPen(colour, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(x - half + 0.8, y - half + 0.8, size - 1.6, size - 1.6))
    else:
        painter.drawEllipse(QRectF(x - half, y - half, size, size))
    painter.restore()


def wrapped(metrics: QFontMetrics, text: str, width: int, lines: int) -> list[str]:
    """Break `text` between words into at most `lines` lines of `width` pixels; the last one is cut if need be."""
    made: list[str] = []
    words = text.split(" ")
    while words and len(made) < lines - 1:
        count = 1
        while count < len(words) and metrics.horizontalAdvance(" ".join(words[: count + 1])) <= width:
            count += 1
        made.append(metrics.elidedText(" ".join(words[:count]), Qt.TextElideMode.ElideRight, width))
        words = words[count:]
    if words:
        made.append(metrics.elidedText(" ".join(words), Qt.TextElideMode.ElideRight, width))
    return made
