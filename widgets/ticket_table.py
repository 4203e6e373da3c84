"""The legs of the ticket, and lines of figures under it; both painted, both steady as numbers change."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from widgets.parts import SEMI
from widgets.states import LegRow, Text, Tone
from widgets.theme import DARK, Theme, font

_HEADINGS = ("Leg", "Contract", "Qty", "Price", "As of", "Notional", "1 % move")
_LEFT_COLUMNS = 2
_LINE, _GAP, _LEAST_GAP = 16, 12, 8


def _cells(leg: LegRow) -> tuple[Text, ...]:
    return leg.side, leg.contract, leg.quantity, leg.price, leg.age, leg.notional, leg.one_percent


class TicketTable(QWidget):
    """Side, contract, quantity, price and its age, notional, and the gain of a 1 % move, one row a leg.

    Where there is no room for all, the last column goes first: the hover of the notional tells it too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[tuple[Text, ...], ...] = ()
        self._widths = [0] * len(_HEADINGS)
        self._most = 2
        self._theme = DARK
        self.setAccessibleName("Ticket")
        self.setFont(font(12, SEMI))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_legs(self, legs: tuple[LegRow, ...]) -> None:
        """Show `legs`; nothing happens when they are shown already."""
        rows = tuple(_cells(leg) for leg in legs)
        if rows == self._rows:
            return
        self._rows = rows
        said = (", ".join(f"{h} {c.text}" for h, c in zip(_HEADINGS, row, strict=True)) for row in rows)
        self.setAccessibleDescription(". ".join(said))
        metrics = self.fontMetrics()
        # Columns only grow, so that figures stand still while they change.
        for number, heading in enumerate(_HEADINGS):
            words = (heading, *(row[number].text for row in rows))
            self._widths[number] = max(
                self._widths[number], *(metrics.horizontalAdvance(one) + 2 for one in words)
            )
        if max(2, len(rows)) != self._most:
            self._most = max(2, len(rows))
            self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @property
    def columns(self) -> int:
        """How many columns there is room for."""
        every = len(_HEADINGS)
        return every if sum(self._widths) + _GAP * (every - 1) <= self.width() else every - 1

    def cell_rect(self, row: int, column: int) -> QRect:
        """Return where a cell lies, nowhere where its column is left out; row -1 is the headings."""
        count = self.columns
        widths = self._widths[:count]
        if column >= count:
            return QRect()
        spare = self.width() - sum(widths)
        gap = spare / (count - 1)
        if gap < _LEAST_GAP:
            # Contract names give way first; their end is told on hover.
            widths[1] = max(40, round(widths[1] + spare - _LEAST_GAP * (count - 1)))
            gap = (self.width() - sum(widths)) / (count - 1)
        left = sum(widths[:column]) + gap * column
        return QRect(round(left), (row + 1) * _LINE, widths[column], _LINE)

    @override
    def sizeHint(self) -> QSize:
        return QSize(sum(self._widths) + _GAP * len(_HEADINGS), (self._most + 1) * _LINE)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    def words_at(self, place: QPoint) -> str:
        """Return what the cell under `place` says on hover."""
        for number, row in enumerate(self._rows):
            for column, cell in enumerate(row):
                if self.cell_rect(number, column).contains(place):
                    return "\n".join(filter(None, (f"{_HEADINGS[column]} {cell.text}", cell.why)))
        return ""

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        for column, heading in enumerate(_HEADINGS[: self.columns]):
            side = Qt.AlignmentFlag.AlignLeft if column < _LEFT_COLUMNS else Qt.AlignmentFlag.AlignRight
            painter.setFont(font(12))
            painter.setPen(self._theme.color(Tone.DIM))
            painter.drawText(self.cell_rect(-1, column), side | Qt.AlignmentFlag.AlignVCenter, heading)
            painter.setFont(self.font())
            for number, row in enumerate(self._rows):
                box = self.cell_rect(number, column)
                words = self.fontMetrics().elidedText(row[column].text, Qt.TextElideMode.ElideRight, box.width())
                painter.setPen(self._theme.color(row[column].tone))
                painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


class Figures(QWidget):
    """Short Texts in as many lines as needed; a place once taken is kept while numbers change."""

    def __init__(self, name: str, px: int = 12, *, strong: bool = False) -> None:
        super().__init__()
        self._texts: tuple[Text, ...] = ()
        self._widths: list[int] = []
        self._lines = 1
        self._theme = DARK
        self._line_high = px + 4
        self.setAccessibleName(name)
        self.setFont(font(px, SEMI) if strong else font(px))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._places: list[QRect] = []

    def show_texts(self, texts: tuple[Text, ...]) -> None:
        """Show `texts`; nothing happens when they are shown already."""
        if texts == self._texts:
            return
        metrics = self.fontMetrics()
        wanted = [metrics.horizontalAdvance(one.text) + 2 for one in texts]
        if len(wanted) == len(self._widths):
            wanted = [max(new, old) for new, old in zip(wanted, self._widths, strict=True)]
        if texts:
            # No figures for a moment (a field is wrong) keep their place.
            self._widths = wanted
        self._texts = texts
        self.setAccessibleDescription("; ".join(one.text for one in texts))
        self._arrange()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    def words_at(self, place: QPoint) -> str:
        """Return what the figure under `place` says on hover."""
        for text, box in zip(self._texts, self._places, strict=False):
            if box.contains(place):
                return "\n".join(filter(None, (text.text, text.why)))
        return ""

    def _arrange(self) -> None:
        x, line, places = 0, 0, []
        for wide in self._widths:
            if x and x + wide > self.width():
                x, line = 0, line + 1
            places.append(QRect(x, line * self._line_high, min(wide, max(1, self.width())), self._line_high))
            x += wide + _GAP
        self._places = places
        if line + 1 != self._lines:
            self._lines = line + 1
            self.updateGeometry()

    @override
    def sizeHint(self) -> QSize:
        return QSize(300, self._lines * self._line_high)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._lines * self._line_high)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for text, box in zip(self._texts, self._places, strict=False):
            painter.setPen(self._theme.color(text.tone))
            words = self.fontMetrics().elidedText(text.text, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()
