"""What stands around and above the curves of a chart, painted by hand: grid, labels, tags, levels, read-out.

Painted by hand because labels, tags and levels have to make room for each other, and because one painter costs a
tenth of the graphics items that would show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from widgets.states import Tone
from widgets.theme import Theme, font

LABEL_PX = 11
_TAG_HEIGHT = 20.0
_TAG_GAP = 2.0
_LABEL_HEIGHT = 15.0
_ROW_HEIGHT = 16.0
_SEMI = font().Weight.DemiBold
_CENTRE = Qt.AlignmentFlag.AlignCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the read-out or the legend: what it is, in which tone its line is drawn, and its value."""

    name: str
    tone: Tone
    words: str = ""
    dashed: bool = False
    faint: bool = False


def spread_out(wanted: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Return centres near `wanted` that stand `height` apart within `low`..`high`, in the order of `wanted`.

    Neighbours that would overlap are pushed apart by the same amount, as price tags on one axis are.
    """
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    groups: list[tuple[float, list[int]]] = []
    for number in order:
        centre, members = wanted[number], [number]
        while True:
            reach = height * len(members) / 2
            centre = min(max(centre, low + reach), max(high - reach, low + reach))
            if not groups or groups[-1][0] + height * len(groups[-1][1]) / 2 <= centre - reach + 1e-9:
                break
            members = groups.pop()[1] + members
            centre = sum(wanted[one] for one in members) / len(members)
        groups.append((centre, members))
    placed = [0.0] * len(wanted)
    for centre, members in groups:
        top = centre - height * (len(members) - 1) / 2
        for place, number in enumerate(members):
            placed[number] = top + height * place
    return placed


def find_room(taken: Sequence[QRectF], y: float, wide: float, area: QRectF) -> QRectF:
    """Return where the label of a level at height `y` stands: left and above its line, or the next free place."""
    left = area.left() + 8
    tops = [top for top in (y - _LABEL_HEIGHT - 1, y + 2) if 2 <= top <= area.bottom() - _LABEL_HEIGHT]
    if not tops:
        tops = [min(max(y, area.top()), area.bottom() - _LABEL_HEIGHT)]
    box = QRectF(left, tops[0], wide, _LABEL_HEIGHT)
    while left + wide <= area.right():
        beyond = left
        for top in tops:
            box = QRectF(left, top, wide, _LABEL_HEIGHT)
            hits = [one for one in taken if one.adjusted(-6, 0, 6, 0).intersects(box)]
            if not hits:
                return box
            beyond = max(beyond, *(one.right() + 12 for one in hits))
        left = beyond
    return box


def tag_boxes(centres: Sequence[float], area: QRectF, gutter: float) -> list[QRectF]:
    """Return the boxes of price tags in the gutter right of `area`, apart from each other."""
    placed = spread_out(centres, _TAG_HEIGHT + _TAG_GAP, area.top() - _TAG_GAP, area.bottom() + _TAG_GAP)
    return [QRectF(area.right() + 3, y - _TAG_HEIGHT / 2, gutter - 5, _TAG_HEIGHT) for y in placed]


def paint_tag(
    painter: QPainter, box: QRectF, words: str, tone: Tone, theme: Theme, *, hollow: bool, beyond: int = 0
) -> None:
    """Paint a price tag; `hollow` when it is not live; `beyond` -1 or 1 when its value lies above or below."""
    colour = theme.color(tone)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font(12, _SEMI))
    painter.setPen(QPen(colour, 1) if hollow else Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.panel) if hollow else colour)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    ink = colour if hollow else QColor(theme.ink)
    if beyond:
        x, y, up = box.left() + 6, box.center().y(), 3.0 * beyond
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawPolygon(
            QPolygonF([QPointF(x - 3, y - up / 2), QPointF(x + 3, y - up / 2), QPointF(x, y + up)])
        )
    painter.setPen(ink)
    painter.drawText(box.adjusted(8, 0, 0, 0) if beyond else box, _CENTRE, words)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_level(
    painter: QPainter, y: float, area: QRectF, tone: Tone, theme: Theme, *, solid: bool, bold: bool
) -> None:
    """Paint the line of a level; one that can be dragged is solid and ends in a grip."""
    pen = QPen(theme.color(tone), 2 if bold else 1)
    if not solid:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawLine(QLineF(area.left(), y, area.right(), y))
    if solid:
        grip = QRectF(area.right() - 13, y - 4, 9, 8)
        painter.fillRect(grip, QColor(theme.panel))
        painter.setPen(QPen(theme.color(tone), 1))
        for lift in (-2, 0, 2):
            painter.drawLine(QLineF(grip.left() + 1, y + lift, grip.right() - 1, y + lift))


def paint_label(painter: QPainter, box: QRectF, words: str, tone: Tone, theme: Theme) -> None:
    """Paint the label of a level or a mark on a ground that keeps it readable above curves."""
    ground = QColor(theme.panel)
    ground.setAlpha(215)
    painter.fillRect(box.adjusted(-3, 1, 3, -1), ground)
    painter.setPen(theme.color(tone))
    painter.drawText(box, _LEFT, words)


def label_width(words: str) -> float:
    """Return the width of a label in pixels."""
    return QFontMetricsF(font(LABEL_PX, _SEMI)).horizontalAdvance(words) + 1


def paint_legend(
    painter: QPainter, right: float, top: float, left: float, rows: Sequence[Row], theme: Theme
) -> None:
    """Paint which line is which, ending at `right`; what finds no room before `left` is left out."""
    painter.setFont(font(LABEL_PX))
    metrics = painter.fontMetrics()
    widths = [22 + metrics.horizontalAdvance(row.name) + 14 for row in rows]
    while widths and sum(widths) - 14 > right - left:
        widths.pop()
    x = right - sum(widths) + 14
    for row, wide in zip(rows, widths, strict=False):
        painter.setPen(line_pen(row, theme, 2.0))
        painter.drawLine(QLineF(x, top + 8, x + 16, top + 8))
        painter.setPen(theme.color(Tone.DIM if row.tone is Tone.PLAIN else row.tone))
        painter.drawText(QRectF(x + 22, top, wide, _ROW_HEIGHT), _LEFT, row.name)
        x += wide


def line_pen(row: Row, theme: Theme, width: float) -> QPen:
    """Return the pen of a line."""
    colour = QColor(theme.curve) if row.tone is Tone.PLAIN else theme.color(row.tone)
    if row.faint:
        colour.setAlphaF(0.6)
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    if row.dashed:
        pen.setDashPattern([4, 3])
    return pen


def paint_read_out(
    painter: QPainter, x: float, area: QRectF, title: str, rows: Sequence[Row], theme: Theme
) -> QRectF:
    """Paint the box that tells date and values at the crosshair, beside it; returns where it stands."""
    painter.setFont(font(LABEL_PX))
    metrics = painter.fontMetrics()
    names = max((metrics.horizontalAdvance(row.name) for row in rows), default=0)
    values = max((metrics.horizontalAdvance(row.words) for row in rows), default=0)
    wide = max(14 + names + 14 + values, QFontMetricsF(font(LABEL_PX, _SEMI)).horizontalAdvance(title)) + 18
    high = _ROW_HEIGHT * (len(rows) + 1) + 9
    left = x + 12 if x + 12 + wide <= area.right() else x - 12 - wide
    box = QRectF(max(area.left(), left), area.top() + 4, wide, high)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    line = QRectF(box.left() + 9, box.top() + 4, wide - 18, _ROW_HEIGHT)
    painter.setFont(font(LABEL_PX, _SEMI))
    painter.setPen(QColor(theme.text))
    painter.drawText(line, _LEFT, title)
    painter.setFont(font(LABEL_PX))
    for row in rows:
        line.translate(0, _ROW_HEIGHT)
        painter.setPen(line_pen(row, theme, 2.0))
        painter.drawLine(QLineF(line.left(), line.center().y(), line.left() + 9, line.center().y()))
        painter.setPen(theme.color(Tone.DIM))
        painter.drawText(line.adjusted(14, 0, 0, 0), _LEFT, row.name)
        painter.setPen(QColor(theme.text))
        painter.drawText(line, _RIGHT, row.words)
    return box


def paint_grid(
    painter: QPainter, area: QRectF, xs: Sequence[float], ys: Sequence[float], zero: float | None, theme: Theme
) -> None:
    """Paint the faint lines behind the curves; the line at zero is a little stronger."""
    painter.setPen(QPen(QColor(theme.grid), 1))
    painter.drawLines([QLineF(round(x) + 0.5, area.top(), round(x) + 0.5, area.bottom()) for x in xs])
    painter.drawLines([QLineF(area.left(), round(y) + 0.5, area.right(), round(y) + 0.5) for y in ys])
    if zero is not None:
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QLineF(area.left(), round(zero) + 0.5, area.right(), round(zero) + 0.5))


def paint_tick_labels(
    painter: QPainter,
    area: QRectF,
    xs: Sequence[tuple[float, str]],
    ys: Sequence[tuple[float, str]],
    covered: Sequence[QRectF],
    theme: Theme,
) -> None:
    """Paint the labels of both axes; what a tag covers or what would be cut off at the edge is left out."""
    painter.setFont(font(LABEL_PX))
    painter.setPen(QColor(theme.dim))
    metrics = painter.fontMetrics()
    for y, words in ys:
        box = QRectF(area.right() + 9, y - 8, metrics.horizontalAdvance(words) + 2, 16)
        if not any(one.adjusted(0, 1, 0, -1).intersects(box) for one in covered):
            painter.drawText(box, _LEFT, words)
    end = area.left() - 2
    for x, words in xs:
        wide = metrics.horizontalAdvance(words) + 2
        box = QRectF(x - wide / 2, area.bottom() + 5, wide, 16)
        if box.left() >= end and box.right() <= area.right() + 30:
            painter.drawText(box, _CENTRE, words)
            end = box.right() + 8


def fill(colour: str, alpha: float = 1.0) -> QBrush:
    """Return a brush of a named colour, more or less opaque."""
    made = QColor(colour)
    made.setAlphaF(alpha)
    return QBrush(made)
