"""Dated events on a time axis: thin lines, as many as can be told apart, and the name of one on hover."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from widgets import plot_paint as paint
from widgets.states import Rails, Tone
from widgets.theme import Theme, font

APART_PX = 26.0
"""Rails closer together than this, on the average, are a fence: only those of lower weight are drawn."""
_STRENGTH = 0.34
_LABEL_HEIGHT = 16.0


def rails_shown(rails: Rails, low: float, high: float, width: float) -> NDArray[np.int64]:
    """Return the rows to draw between two moments (s since 1970 UTC) on `width` pixels: all, major ones, none."""
    first, last = (int(np.searchsorted(rails.x, edge)) for edge in (low, high))
    rows = np.arange(first, last)
    most = max(1, int(width / APART_PX))
    for heaviest in (2, 1, 0):
        kept = rows[rails.weight[first:last] <= heaviest]
        if len(kept) <= most:
            return kept
    return rows[:0]


def label_near(rails: Rails, rows: NDArray[np.int64], at: float, reach_s: float) -> str:
    """Return the label of the nearest of `rows` within `reach_s` seconds of a moment; "" where none is."""
    if not len(rows):
        return ""
    distance = np.abs(rails.x[rows] - at)
    nearest = int(distance.argmin())
    return rails.labels[int(rows[nearest])] if distance[nearest] <= reach_s else ""


def paint_rails(painter: QPainter, area: QRectF, columns: Iterable[float], theme: Theme) -> None:
    """Draw a line at each column, in pixels."""
    colour = theme.color(Tone.WARN)
    colour.setAlphaF(_STRENGTH)
    painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
    for x in columns:
        if area.left() <= x <= area.right():
            painter.drawLine(QLineF(round(x) + 0.5, area.top(), round(x) + 0.5, area.bottom()))


def paint_label(painter: QPainter, area: QRectF, x: float, words: str, theme: Theme) -> None:
    """Write what the rail under the crosshair stands for, at the foot of the chart."""
    painter.setFont(font(paint.LABEL_PX, font().Weight.DemiBold))
    wide = paint.label_width(words)
    left = min(max(area.left(), x - wide / 2), max(area.left(), area.right() - wide))
    box = QRectF(left, area.bottom() - _LABEL_HEIGHT - 1, wide, _LABEL_HEIGHT)
    paint.paint_label(painter, box, words, Tone.WARN, theme)
