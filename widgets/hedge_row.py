"""The hedges side by side: one is chosen by a click or with the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from widgets.parts import SEMI
from widgets.states import HedgeColumn, Text, Tone
from widgets.theme import DARK, Theme, font

_HEAD, _LINE, _PAD, _EDGE = 16, 14, 3, 6
_MISSING = Text("")


class _HedgeCard(QAbstractButton):
    """One hedge: its name and its figures, as one button."""

    def __init__(self, column: HedgeColumn) -> None:
        super().__init__()
        self._column, self._labels, self._theme = column, tuple(label for label, _ in column.rows), DARK
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def column(self) -> HedgeColumn:
        return self._column

    def show_column(self, column: HedgeColumn, labels: tuple[str, ...]) -> None:
        taller = len(labels) != len(self._labels)
        self._column, self._labels = column, labels
        if taller:
            self.updateGeometry()
        self.setText(column.label)
        self.setAccessibleName(f"Hedge: {column.label}")
        self.setAccessibleDescription("; ".join(f"{label} {value.text}" for label, value in column.rows))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _values(self) -> list[Text]:
        values = dict(self._column.rows)
        return [values.get(label, _MISSING) for label in self._labels]

    @override
    def sizeHint(self) -> QSize:
        return QSize(96, _HEAD + _LINE * len(self._labels) + 2 * _PAD)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(58, self.sizeHint().height())

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = (event.pos().y() - _PAD - _HEAD) // _LINE
            values = self._values()
            if 0 <= row < len(values):
                words = f"{self._labels[row]} {values[row].text}"
                why = values[row].why
            else:
                words, why = self._column.label, ""
            QToolTip.showText(event.globalPos(), "\n".join(filter(None, (words, why))), self)
            return True
        return super().event(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        theme = self._theme
        edge = theme.tones[Tone.NDX] if self.hasFocus() else theme.dim if self.underMouse() else theme.border
        painter.setPen(QColor(theme.chosen if chosen and not self.hasFocus() else edge))
        painter.setBrush(QColor(theme.chosen if chosen else theme.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        inside = self.rect().adjusted(_EDGE, _PAD, -_EDGE, -_PAD)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(12, SEMI))
        painter.setPen(theme.color(Tone.PLAIN if chosen else Tone.DIM))
        head = QRect(inside.left(), inside.top(), inside.width(), _HEAD - 2)
        name = _shortened(painter.fontMetrics(), self._column.label, head.width())
        painter.drawText(head, right, name)
        painter.setFont(font(12, SEMI if chosen else font().weight()))
        for number, value in enumerate(self._values()):
            line = QRect(inside.left(), inside.top() + _HEAD + number * _LINE, inside.width(), _LINE)
            painter.setPen(theme.color(value.tone))
            words = painter.fontMetrics().elidedText(value.text, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, right, words)
        painter.end()


def _shortened(metrics: QFontMetrics, label: str, width: int) -> str:
    """The label, without its last words where they do not fit."""
    words = label.split(" ")
    while len(words) > 1 and metrics.horizontalAdvance(" ".join(words)) > width:
        words.pop()
    return metrics.elidedText(" ".join(words), Qt.TextElideMode.ElideRight, width)


class HedgeRow(QWidget):
    """All hedges, with the names of their figures on the left."""

    chosen = Signal(str)
    """Key of the hedge."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._labels: tuple[str, ...] = ()
        self._cards: dict[str, _HedgeCard] = {}
        self.setAccessibleName("Hedge")
        self.setFont(font(12))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)

    @property
    def cards(self) -> tuple[QAbstractButton, ...]:
        """Return the buttons, left to right."""
        return tuple(self._cards.values())

    def card(self, key: str) -> QAbstractButton:
        """Return the button of one hedge."""
        return self._cards[key]

    def show_hedges(self, hedges: tuple[HedgeColumn, ...], chosen: str) -> bool:
        """Show `hedges`; True when the buttons were made anew. None at all leaves the old ones, unusable."""
        if not hedges:
            self.setEnabled(False)
            return False
        self.setEnabled(True)
        labels = tuple(dict.fromkeys(label for hedge in hedges for label, _ in hedge.rows))
        anew = tuple(one.key for one in hedges) != tuple(self._cards)
        if anew:
            self._rebuild(hedges)
        labels_changed = labels != self._labels
        if labels_changed:
            self._labels = labels
            widest = max((self.fontMetrics().horizontalAdvance(label) for label in labels), default=0)
            self._row.setContentsMargins(widest + 8, 0, 0, 0)
            self.update()
        for hedge in hedges:
            card = self._cards[hedge.key]
            if anew or hedge != card.column or labels_changed:
                card.show_column(hedge, labels)
            card.setChecked(hedge.key == chosen)
            # One stop of the Tab key for the whole row; the arrow keys move within.
            first = hedge is hedges[0] and chosen not in self._cards
            stop = hedge.key == chosen or first
            card.setFocusPolicy(Qt.FocusPolicy.StrongFocus if stop else Qt.FocusPolicy.ClickFocus)
        return anew

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        for card in self._cards.values():
            card.set_theme(theme)
        self.update()

    def _rebuild(self, hedges: tuple[HedgeColumn, ...]) -> None:
        for old in self._cards.values():
            self._group.removeButton(old)
            self._row.removeWidget(old)
            old.deleteLater()
        self._cards = {}
        for hedge in hedges:
            card = _HedgeCard(hedge)
            card.set_theme(self._theme)
            card.clicked.connect(lambda _=False, key=hedge.key: self.chosen.emit(key))
            self._group.addButton(card)
            self._row.addWidget(card)
            self._cards[hedge.key] = card

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        cards = list(self._cards.values())
        here = next((number for number, card in enumerate(cards) if card.hasFocus()), None)
        if step is None or here is None:
            super().keyPressEvent(event)
            return
        there = cards[(here + step) % len(cards)]
        there.setFocus(Qt.FocusReason.TabFocusReason)
        there.click()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._theme.color(Tone.DIM))
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for number, label in enumerate(self._labels):
            painter.drawText(QRect(0, _PAD + _HEAD + number * _LINE, self.width(), _LINE), middle, label)
        painter.end()
