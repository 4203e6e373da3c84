"""The list of manual refreshes: when each was, what came of each source; one is opened in the time machine."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop.presenters.words import span
from desktop.refreshes import Outcome, Refresh
from desktop.snapshot_files import when
from widgets.parts import Label
from widgets.states import Text, Tone
from widgets.theme import Theme

_COLUMNS = ("Asked (New York)", "Took", "What came")
_KEYS = "Enter opens what was known once all had answered · Esc closes"
_NONE = "There is none yet: F5 in the window asks every source now, and is kept here."
_ORDER = {Outcome.FAILED: 0, Outcome.SILENT: 1, Outcome.CAME: 2, Outcome.OFF: 3}


class RefreshesDialog(QDialog):
    """Every manual refresh, the latest first."""

    opened = Signal(object)
    """Refresh: to be shown in the time machine."""

    def __init__(self, parent: QWidget, found: Sequence[Refresh], theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Manual refreshes")
        self._found = tuple(found)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self._table = self._make_table(theme)
        column.addWidget(self._table, 1)
        hint = Label(12, name="Keys")
        hint.set_theme(theme)
        hint.show_text(Text(_KEYS if found else _NONE, Tone.DIM))
        column.addWidget(hint)
        row = QHBoxLayout()
        self._go = QPushButton("Open in the time machine")
        self._go.clicked.connect(lambda: self._open())
        self._go.setEnabled(bool(found))
        close = QPushButton("Close")
        close.clicked.connect(lambda: self.reject())
        for button in (self._go, close):
            button.setAutoDefault(False)
        row.addWidget(self._go)
        row.addStretch(1)
        row.addWidget(close)
        column.addLayout(row)
        self.resize(860, 420)
        self._table.setFocus()

    def _make_table(self, theme: Theme) -> QTableWidget:
        table = QTableWidget(len(self._found), len(_COLUMNS))
        table.setAccessibleName("Manual refreshes")
        table.setHorizontalHeaderLabels(list(_COLUMNS))
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        head = table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setHighlightSections(False)
        for number in (0, 1):
            head.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for number, one in enumerate(self._found):
            took, came = took_words(one), came_words(one)
            told = "\n".join(answer.words for answer in one.answers)
            for at, words in enumerate((when(one.asked_at), took, came)):
                item = QTableWidgetItem(words)
                item.setToolTip(told or words)
                if at == 2 and any(answer.outcome in (Outcome.FAILED, Outcome.SILENT) for answer in one.answers):
                    item.setForeground(theme.color(Tone.WARN))
                table.setItem(number, at, item)
        if self._found:
            table.setCurrentCell(0, 0)
        table.itemDoubleClicked.connect(lambda _: self._open())
        return table

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._table.hasFocus():
            self._open()
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        row = self._table.currentRow()
        if 0 <= row < len(self._found):
            self.accept()
            self.opened.emit(self._found[row])


def took_words(one: Refresh) -> str:
    """How long it took until all had answered."""
    return "cut short" if one.settled_at is None else span((one.settled_at - one.asked_at).total_seconds())


def came_words(one: Refresh) -> str:
    """What came, trouble first; sources that are off are only counted."""
    ranked = sorted(one.answers, key=lambda answer: _ORDER[answer.outcome])
    told = [answer.words for answer in ranked if answer.outcome is not Outcome.OFF]
    off = sum(answer.outcome is Outcome.OFF for answer in ranked)
    if off:
        told.append(f"{off} off")
    return " · ".join(told) or "nothing was told"
