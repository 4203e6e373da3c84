"""A list to choose one thing from, in the look of the other controls."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSignalBlocker, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QComboBox
from typing_extensions import override

from widgets.states import Choice
from widgets.theme import font

_HEIGHT, _ARROW = 26, 4


class Combo(QComboBox):
    """Shows Choices; says what a person picked, and nothing when it is filled."""

    picked = Signal(str)
    """Key of the choice."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._shown: tuple[Choice, ...] = ()
        self.setProperty("plain", True)
        self.setAccessibleName(name)
        self.setFont(font(13))
        self.setFixedHeight(_HEIGHT)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.activated.connect(lambda _: self.picked.emit(self.key))

    @property
    def key(self) -> str:
        """Key of what is chosen, "" where there is nothing to choose."""
        return str(self.currentData() or "")

    def show_choices(self, choices: tuple[Choice, ...]) -> None:
        """Show `choices`; nothing happens when they are shown already."""
        if choices == self._shown:
            return
        self._shown = choices
        with QSignalBlocker(self):
            if [self.itemData(row) for row in range(self.count())] != [one.key for one in choices]:
                self.clear()
                for one in choices:
                    self.addItem(one.label, one.key)
            self.setCurrentIndex(next((row for row, one in enumerate(choices) if one.chosen), 0))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1.5))
        x, y = self.width() - 13.0, self.height() / 2 - 1
        painter.drawPolyline(
            QPolygonF([QPointF(x - _ARROW, y - 1), QPointF(x, y + _ARROW - 1), QPointF(x + _ARROW, y - 1)])
        )
        painter.end()
