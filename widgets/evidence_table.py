"""A small table of evidence: figures right-aligned in steady columns, read by keyboard, taken away as text."""

from __future__ import annotations

import re

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QMenu, QTableView
from typing_extensions import override

from widgets.evidence_chart import save_text
from widgets.evidence_data import separated
from widgets.parts import SEMI
from widgets.states import EvidenceTable, Text, Tone
from widgets.theme import DARK, Theme, font

ROW_HEIGHT = 21
_PAD, _GAP = 8, 14
_FIGURE = re.compile(r"^[+−±-]?[$€]?\d|^n/a$|^$")
_MINUS = re.compile(r"^−(?=[\d$])")
_Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class _Cells(QAbstractTableModel):
    """The cells as Qt asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self.table = EvidenceTable((), ())
        self.theme = DARK
        self.figures: tuple[bool, ...] = ()

    def take(self, table: EvidenceTable) -> None:
        """Take over `table`; where its shape is the same, only the cells that differ are painted anew."""
        before = self.table
        if table.headers != before.headers or len(table.rows) != len(before.rows):
            self.beginResetModel()
            self._take(table)
            self.endResetModel()
            return
        self._take(table)
        for number, (new, old) in enumerate(zip(table.rows, before.rows, strict=True)):
            if new != old:
                self.dataChanged.emit(self.index(number, 0), self.index(number, self.columnCount() - 1))

    def _take(self, table: EvidenceTable) -> None:
        self.table = table
        self.figures = tuple(
            column > 0 and all(_FIGURE.match(row[column].text) for row in table.rows if column < len(row))
            for column in range(len(table.headers))
        )

    def cell(self, row: int, column: int) -> Text:
        """Return one cell; a row that is too short ends in empty ones."""
        cells = self.table.rows[row]
        return cells[column] if column < len(cells) else Text("")

    @override
    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.table.rows)

    @override
    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.table.headers)

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell, figure = self.cell(index.row(), index.column()), self.figures[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell.text
            case Qt.ItemDataRole.ForegroundRole:
                return self.theme.color(cell.tone)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if figure else _LEFT
            case Qt.ItemDataRole.ToolTipRole:
                head = f"{self.table.headers[index.column()]} {cell.text}".strip()
                return "\n".join(filter(None, (head, cell.why)))
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{self.table.headers[index.column()]} {cell.text}".strip()
            case Qt.ItemDataRole.FontRole:
                return font(12, SEMI) if index.column() == 0 else font(12)
        return None

    @override
    def headerData(self, section: int, side: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if side is not Qt.Orientation.Horizontal or section >= len(self.table.headers):
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.table.headers[section]
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if self.figures[section] else _LEFT
            case Qt.ItemDataRole.FontRole:
                return font(11)
            case Qt.ItemDataRole.ToolTipRole:
                return self.table.headers[section]
        return None


class EvidenceTableView(QTableView):
    """Shows an `EvidenceTable`. Ctrl+C copies the chosen rows with the headings, or all where none is chosen."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._cells = _Cells()
        self._widths: list[int] = []
        self.setModel(self._cells)
        self.setAccessibleName(name)
        self.setFont(font(12))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setMinimumSectionSize(1)
        head.setFixedHeight(ROW_HEIGHT)
        head.setHighlightSections(False)
        head.setSectionsClickable(False)
        head.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.set_theme(DARK)

    def show_table(self, table: EvidenceTable | None) -> None:
        """Show `table`, or nothing; the same one is left alone."""
        table = table or EvidenceTable((), ())
        if table == self._cells.table:
            return
        if table.headers != self._cells.table.headers:
            self._widths = []
        self._cells.take(table)
        self._measure()
        self._spread()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._cells.theme = theme
        self.setStyleSheet(
            f"QTableView {{ background: transparent; color: {theme.text}; border: none; outline: 0;"
            f" selection-background-color: {theme.chosen}; selection-color: {theme.text}; }}"
            f"QTableView::item {{ padding: 0 {_GAP // 2}px; border: 0; border-bottom: 1px solid {theme.grid}; }}"
            f"QTableView::item:selected {{ background: {theme.chosen}; }}"
            f"QTableView::item:focus {{ border-bottom: 1px solid {theme.tones[Tone.NDX]}; }}"
            f"QHeaderView {{ background: transparent; border: none; }}"
            f"QHeaderView::section {{ background: {theme.panel}; color: {theme.dim}; border: none;"
            f" border-bottom: 1px solid {theme.border}; padding: 0 {_GAP // 2 + 3}px; }}"
            f"QScrollBar:horizontal {{ background: transparent; height: 8px; }}"
            f"QScrollBar::handle:horizontal {{ background: {theme.border}; border-radius: 4px; min-width: 24px; }}"
        )
        self.viewport().update()

    def natural_width(self) -> int:
        """Return the width at which nothing is cut."""
        return sum(self._widths) + 10

    def natural_height(self) -> int:
        """Return the height at which nothing is scrolled."""
        return ROW_HEIGHT * (1 + len(self._cells.table.rows)) + 2

    # Columns

    def _measure(self) -> None:
        """Columns only grow while the headings are the same, so that figures stand still as they change."""
        table, strong = self._cells.table, QFontMetrics(font(12, SEMI))
        usual, small = QFontMetrics(font(12)), QFontMetrics(font(11))
        wanted = []
        for column, heading in enumerate(table.headers):
            metrics = strong if column == 0 else usual
            words = (
                metrics.horizontalAdvance(self._cells.cell(row, column).text) for row in range(len(table.rows))
            )
            wanted.append(max(small.horizontalAdvance(heading), *words, 8) + _GAP + _PAD)
        old = self._widths or wanted
        self._widths = [max(a, b) for a, b in zip(wanted, old, strict=True)]

    def _spread(self) -> None:
        if not self._widths:
            return
        spare = self.viewport().width() - sum(self._widths)
        share, rest = divmod(max(0, spare), max(1, len(self._widths) - 1))
        for column, wide in enumerate(self._widths):
            # What is to spare stands before the figures: the first column is as wide as its names.
            more = 0 if column == 0 and len(self._widths) > 1 else share + (1 if column <= rest else 0)
            self.setColumnWidth(column, wide + more)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spread()

    # Taking away

    def chosen_rows(self) -> list[int]:
        """Return the numbers of the chosen rows, from the top."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def table(self, separator: str = "\t", *, only_chosen: bool = False) -> str:
        """Return headings and rows as text; a minus sign is one that a spreadsheet understands."""
        table = self._cells.table
        picked = self.chosen_rows() if only_chosen else []
        lines = [list(table.headers)]
        for number in picked or range(len(table.rows)):
            cells = (self._cells.cell(number, column).text for column in range(len(table.headers)))
            lines.append([_MINUS.sub("-", one) for one in cells])
        return separated(lines, separator)

    def copy(self) -> None:
        """Put the chosen rows, or all, on the clipboard."""
        if self._cells.table.headers:
            QGuiApplication.clipboard().setText(self.table(only_chosen=True))

    def copy_all(self) -> None:
        """Put the whole table on the clipboard."""
        QGuiApplication.clipboard().setText(self.table())

    def save_csv(self) -> None:
        """Ask for a file and write the whole table to it."""
        save_text(self, self.accessibleName(), self.table(","))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() == Qt.Key.Key_Escape and self.chosen_rows():
            self.clearSelection()
        else:
            super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_key and not self.currentIndex().isValid() and self._cells.rowCount():
            self.selectionModel().setCurrentIndex(
                self._cells.index(0, 0), self.selectionModel().SelectionFlag.NoUpdate
            )

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, do, enabled in (
            ("Copy rows\tCtrl+C", self.copy, bool(self.chosen_rows())),
            ("Copy table", self.copy_all, True),
            ("Save CSV…", self.save_csv, True),
        ):
            action = QAction(words, menu)
            action.setEnabled(enabled)
            action.triggered.connect(do)
            menu.addAction(action)
        menu.popup(event.globalPos())
        event.accept()
