"""What a dock is dragged by: a narrow strip of dots; a title bar would say what the panel says itself."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QWidget
from typing_extensions import override

from widgets.states import Tone
from widgets.theme import DARK, Theme

_HEIGHT, _DOTS, _STEP, _RADIUS = 10, 5, 7.0, 1.2


class Grip(QWidget):
    """Drag to move the dock, double-click to float it and to dock it again; right-click for both and to hide."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._theme = DARK
        title = dock.windowTitle()
        self.setToolTip(f"{title}: drag to move, double-click to float or dock, right-click for more")
        self.setAccessibleName(f"Handle of {title}")
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        floating = QAction("Float or dock", self)
        floating.triggered.connect(lambda: dock.setFloating(not dock.isFloating()))
        hide = QAction("Hide", self)
        hide.triggered.connect(dock.hide)
        self.addActions([floating, hide])

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(60, _HEIGHT)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setOpacity(0.5)
        painter.setBrush(self._theme.color(Tone.DIM))
        middle = QPointF(self.width() / 2 - _STEP * (_DOTS - 1) / 2, self.height() / 2)
        for number in range(_DOTS):
            painter.drawEllipse(middle + QPointF(number * _STEP, 0), _RADIUS, _RADIUS)
        painter.end()
