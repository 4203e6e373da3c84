"""The verdict on a claim as a mark: disc for, cross against, half disc mixed, ring unknown."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from widgets.parts import SEMI
from widgets.states import Tone, Verdict
from widgets.theme import DARK, Theme, font

MARK = 11
"""Width of a mark in pixels."""
SAID = {
    Verdict.FOR: ("For", Tone.GOOD),
    Verdict.AGAINST: ("Against", Tone.BAD),
    Verdict.MIXED: ("Mixed", Tone.WARN),
    Verdict.UNKNOWN: ("Unknown", Tone.DIM),
}
"""The word of a verdict, and its tone."""
_STROKE = 2.4


def paint_verdict(painter: QPainter, centre: QPointF, verdict: Verdict, theme: Theme) -> None:
    """Paint the mark of `verdict`, `MARK` pixels wide."""
    x, y, half = centre.x(), centre.y(), MARK / 2
    colour = theme.color(SAID[verdict][1])
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = QRectF(x - half, y - half, MARK, MARK).adjusted(0.8, 0.8, -0.8, -0.8)
    if verdict is Verdict.FOR:
        painter.setBrush(colour)
        painter.drawEllipse(ring.adjusted(-0.3, -0.3, 0.3, 0.3))
    elif verdict is Verdict.AGAINST:
        arm = half - 1.2
        painter.setPen(QPen(colour, _STROKE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(x - arm, y - arm), QPointF(x + arm, y + arm))
        painter.drawLine(QPointF(x - arm, y + arm), QPointF(x + arm, y - arm))
    else:
        if verdict is Verdict.MIXED:
            painter.setBrush(colour)
            painter.drawPie(ring, 90 * 16, 180 * 16)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.6))
        painter.drawEllipse(ring)
    painter.restore()


class VerdictMark(QWidget):
    """The mark of a verdict with its word beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict, self._theme = Verdict.UNKNOWN, DARK
        self.setFont(font(12, SEMI))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._tell()

    def show_verdict(self, verdict: Verdict) -> None:
        """Show `verdict`; nothing happens when it is shown already."""
        if verdict is not self._verdict:
            self._verdict = verdict
            self._tell()
            self.updateGeometry()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    def word(self) -> str:
        """Return the word that stands beside the mark."""
        return SAID[self._verdict][0]

    def _tell(self) -> None:
        self.setAccessibleName(f"Verdict: {self.word().lower()}")

    @override
    def sizeHint(self) -> QSize:
        return QSize(MARK + 9 + self.fontMetrics().horizontalAdvance(self.word()), 18)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        middle = self.height() / 2
        paint_verdict(painter, QPointF(MARK / 2 + 1, middle), self._verdict, self._theme)
        painter.setPen(self._theme.color(SAID[self._verdict][1]))
        room = self.rect().adjusted(MARK + 8, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.word())
        painter.end()
