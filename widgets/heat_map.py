"""Profit and loss over moves of both legs: colour, sign and number in every cell."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from widgets.states import HeatMap, Tone
from widgets.theme import DARK, Theme, font

_LEAST_CELL, _USUAL_CELL, _FOOT, _GAP, _AROUND = QSize(38, 15), QSize(58, 21), 17, 2, 4
_USUAL_PX, _LEAST_PX = 12, 8
_STRONGEST = 0.72
"""Share of the tone in the cell of the largest amount; the rest is the colour of zero."""


class HeatMapView(QWidget):
    """A heat map that can be read by mouse, by keyboard (arrow keys) and as a copied table (Ctrl+C)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._map: HeatMap | None = None
        self._theme = DARK
        self._at: tuple[int, int] | None = None
        self._left, self._widest = 0.0, 0
        self.setAccessibleName(name)
        self.setFont(font(_USUAL_PX))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_map(self, heat: HeatMap | None) -> None:
        """Show `heat`, or nothing; the same one is left alone."""
        if heat == self._map:
            return
        if heat is not None and (self._map is None or heat.row_labels != self._map.row_labels):
            self._left = 8.0 + max(map(self.fontMetrics().horizontalAdvance, heat.row_labels), default=0)
        if heat is None or self._map is None or len(heat.cells) != len(self._map.cells):
            self._at = None
            self.updateGeometry()
        self._map = heat
        measure, cells = self.fontMetrics().horizontalAdvance, () if heat is None else heat.cells
        self._widest = max((measure(cell.text) for row in cells for cell in row), default=0)
        self.setEnabled(heat is not None)
        self._describe()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    def cell_words(self, row: int, column: int) -> str:
        """Return what one cell says: both moves and the amount."""
        assert self._map is not None
        cell = self._map.cells[row][column]
        return cell.why or f"{self._map.column_labels[column]}, {self._map.row_labels[row]}: {cell.text}"

    def cell_rect(self, row: int, column: int) -> QRect:
        """Return where one cell lies, in pixels of this widget."""
        left, wide, high = self._metrics()
        x, y = left + column * wide, row * high
        return QRect(round(x), round(y), round(x + wide) - round(x) - _GAP, round(y + high) - round(y) - _GAP)

    def cell_font(self) -> QFont:
        """Return the font of the amounts: smaller where the longest would not fit into its cell."""
        room = self._metrics()[1] - _GAP - _AROUND
        return font(max(_LEAST_PX, min(_USUAL_PX, int(_USUAL_PX * room / max(1, self._widest)))))

    def cell_at(self, place: QPoint) -> tuple[int, int] | None:
        """Return row and column under `place`; None beside the cells."""
        if self._map is None:
            return None
        left, wide, high = self._metrics()
        row, column = int(place.y() // high), int((place.x() - left) // wide)
        inside = 0 <= row < len(self._map.row_labels) and 0 <= column < len(self._map.column_labels)
        return (row, column) if inside else None

    def table(self) -> str:
        """Return the amounts as tab-separated text with labels, in dollars."""
        if self._map is None:
            return ""
        lines = ["\t".join(("", *self._map.column_labels))]
        for label, values in zip(self._map.row_labels, self._map.values, strict=True):
            lines.append("\t".join((label, *(f"{value:.2f}" for value in values))))
        return "\n".join(lines) + "\n"

    def copy(self) -> None:
        """Put the table on the clipboard."""
        if self._map is not None:
            QGuiApplication.clipboard().setText(self.table())

    # Drawing

    def _metrics(self) -> tuple[float, float, float]:
        """Left edge of the cells, width and height of one with its gap."""
        heat = self._map
        if heat is None or not heat.row_labels or not heat.column_labels:
            return 0.0, 1.0, 1.0
        wide = (self.width() - self._left) / len(heat.column_labels)
        return self._left, max(1.0, wide), max(1.0, (self.height() - _FOOT) / len(heat.row_labels))

    @override
    def sizeHint(self) -> QSize:
        return self._size(_USUAL_CELL)

    @override
    def minimumSizeHint(self) -> QSize:
        return self._size(_LEAST_CELL)

    def _size(self, cell: QSize) -> QSize:
        rows, columns = (7, 7) if self._map is None else (len(self._map.row_labels), len(self._map.column_labels))
        return QSize(70 + columns * cell.width(), _FOOT + rows * cell.height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        heat = self._map
        if heat is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, _, _ = self._metrics()
        largest = max((abs(value) for row in heat.values for value in row), default=0.0) or 1.0
        dim = self._theme.color(Tone.DIM)
        amounts = self.cell_font()
        right_middle = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, label in enumerate(heat.row_labels):
            place = self.cell_rect(row, 0)
            painter.setPen(dim)
            painter.setFont(self.font())
            painter.drawText(QRectF(0, place.top(), left - 8, place.height()), right_middle, label)
            painter.setFont(amounts)
            for column, cell in enumerate(heat.cells[row]):
                box = self.cell_rect(row, column)
                fill = self._fill(heat.values[row][column] / largest)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(fill)
                painter.drawRoundedRect(box, 2, 2)
                painter.setPen(self._ink(fill))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, cell.text)
        painter.setFont(self.font())
        self._paint_columns(painter, heat, left)
        if self._at is not None and self.hasFocus():
            painter.setPen(QPen(self._theme.color(Tone.PLAIN), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.cell_rect(*self._at)).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        painter.end()

    def _paint_columns(self, painter: QPainter, heat: HeatMap, left: float) -> None:
        """Column labels; a word they all begin with is written once, in the corner."""
        painter.setPen(self._theme.color(Tone.DIM))
        words = {label.split(" ", 1)[0] for label in heat.column_labels if " " in label}
        common = words.pop() if len(words) == 1 and all(" " in label for label in heat.column_labels) else ""
        foot = self.height() - _FOOT
        if common:
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, foot, left - 8, _FOOT), right, common)
        for column, label in enumerate(heat.column_labels):
            box = self.cell_rect(0, column)
            shown = label.removeprefix(f"{common} ") if common else label
            painter.drawText(QRect(box.left(), foot, box.width(), _FOOT), Qt.AlignmentFlag.AlignCenter, shown)

    def _fill(self, share: float) -> QColor:
        zero, tone = QColor(self._theme.heat_zero), self._theme.color(Tone.GOOD if share > 0 else Tone.BAD)
        # The root lets small amounts still show their colour beside the corners.
        weight = _STRONGEST * min(1.0, abs(share)) ** 0.6
        red, green, blue = (
            round(a + (b - a) * weight)
            for a, b in (
                (zero.red(), tone.red()),
                (zero.green(), tone.green()),
                (zero.blue(), tone.blue()),
            )
        )
        return QColor(red, green, blue)

    def _ink(self, fill: QColor) -> QColor:
        """Of the two inks the one that stands out more."""
        ground = _luminance(fill)
        inks = (QColor(self._theme.text), QColor(self._theme.ink))
        return max(inks, key=lambda ink: _contrast(_luminance(ink), ground))

    # Reading

    def _describe(self) -> None:
        if self._map is None:
            self.setAccessibleDescription("no scenarios")
        elif self._at is None:
            rows, columns = self._map.row_labels, self._map.column_labels
            span = f"{rows[-1]} to {rows[0]} by {columns[0]} to {columns[-1]}" if rows and columns else ""
            self.setAccessibleDescription(f"Profit and loss, {span}; arrow keys read the cells")
        else:
            self.setAccessibleDescription(self.cell_words(*self._at))

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.cell_at(event.pos())
            if at is None:
                QToolTip.hideText()
                event.ignore()
            else:
                QToolTip.showText(event.globalPos(), self.cell_words(*at), self, self.cell_rect(*at))
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        step = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }.get(Qt.Key(event.key()))
        if step is None or self._map is None:
            super().keyPressEvent(event)
            return
        rows, columns = len(self._map.row_labels), len(self._map.column_labels)
        row, column = self._at or (rows // 2, columns // 2)
        if self._at is not None:
            row, column = min(rows - 1, max(0, row + step[0])), min(columns - 1, max(0, column + step[1]))
        self._read(row, column)

    def _read(self, row: int, column: int) -> None:
        self._at = row, column
        self._describe()
        box = self.cell_rect(row, column)
        QToolTip.showText(self.mapToGlobal(box.bottomLeft()), self.cell_words(row, column), self, box)
        self.update()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._map is not None and self._at is None:
            self._at = len(self._map.row_labels) // 2, len(self._map.column_labels) // 2
            self._describe()
            self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._at = None
        self._describe()
        self.update()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        action = QAction("Copy table", menu)
        action.setEnabled(self._map is not None)
        action.triggered.connect(self.copy)
        menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


def _luminance(colour: QColor) -> float:
    """Relative luminance of WCAG 2."""
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(a: float, b: float) -> float:
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
