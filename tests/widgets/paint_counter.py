"""Counts what is painted, to prove that nothing is where nothing changed."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget
from typing_extensions import override


class Paints(QObject):
    """Counts paint events of a widget and its children."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.count = 0
        for one in (widget, *widget.findChildren(QWidget)):
            one.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.Paint
        return False
