"""One input: a label, what is typed, its unit, and a mark when it is wrong."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.draft import Draft
from widgets.parts import Label
from widgets.states import FieldState, Text, Tone
from widgets.theme import DARK, Theme, font

_EDGE, _NARROW = 7, 96


class _Edit(QLineEdit):
    """A line of text with its unit inside: a currency sign on the left, anything else on the right."""

    focused = Signal()
    restored = Signal()
    given_back = Signal()
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._unit, self._theme = "", DARK
        self.setFont(font(13))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedHeight(25)

    def show_unit(self, unit: str, theme: Theme) -> None:
        self._unit, self._theme = unit, theme
        wide = self.fontMetrics().horizontalAdvance(unit) + 3 if unit else 0
        self.setTextMargins(wide if unit == "$" else 0, 0, 0 if unit == "$" else wide, 0)
        self.update()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        px = 12 if self.width() < _NARROW else 13
        if px != self.font().pixelSize():
            self.setFont(font(px))
            self.show_unit(self._unit, self._theme)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._unit:
            return
        painter = QPainter(self)
        painter.setPen(self._theme.color(Tone.DIM))
        side = Qt.AlignmentFlag.AlignLeft if self._unit == "$" else Qt.AlignmentFlag.AlignRight
        inside = QRect(_EDGE, 0, self.width() - 2 * _EDGE, self.height())
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, self._unit)
        painter.end()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused.emit()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            (self.given_back if shift else self.restored).emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Typing is in force at once; Enter makes the next entry replace this one, and may save a form.
            self.selectAll()
            self.entered.emit()
            return
        super().keyPressEvent(event)


class _Mark(QPushButton):
    """Says that an own value overrides the market's; a click takes it back."""

    def __init__(self) -> None:
        super().__init__("typed ×")
        self.setFont(font(11))
        self.setFixedHeight(15)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(self.text()) + 10)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # in the field, Shift+Esc does the same

    def set_theme(self, theme: Theme) -> None:
        colour = theme.color(Tone.WARN).name()
        self.setStyleSheet(
            f"QPushButton {{ color: {colour}; background: transparent; border: none; padding: 0; }}"
            f"QPushButton:hover {{ text-decoration: underline; }}"
        )


class Field(QWidget):
    """Shows a FieldState; a state that only echoes what was typed never touches text or cursor.

    A typed value that overrides the market's is marked: a click on the mark, or Shift+Esc, gives that back.
    """

    typed = Signal(str)
    """The whole text, on every keystroke."""
    focus_changed = Signal()

    def __init__(self, state: FieldState) -> None:
        super().__init__()
        self._state: FieldState | None = None
        self._theme = DARK
        self._draft = Draft()
        self._valid = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = Label(12)
        self.edit = _Edit()
        self.mark = _Mark()
        self.mark.set_theme(self._theme)
        self.mark.setVisible(False)
        self.mark.clicked.connect(self._give_back)
        self._origin: Label | None = None
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(self._label, 1)
        head.addWidget(self.mark)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.edit)
        self.edit.textEdited.connect(self._edited)
        self.edit.focused.connect(self.focus_changed)
        self.edit.restored.connect(self._restore)
        self.edit.given_back.connect(self._give_back)
        self.show_state(state)

    @property
    def state(self) -> FieldState:
        """What was last shown."""
        assert self._state is not None
        return self._state

    @property
    def value(self) -> str:
        """What stands in the field now."""
        return self._draft.value

    def show_state(self, state: FieldState) -> None:
        """Show `state`; nothing happens when it is shown already."""
        before, self._state = self._state, state
        if state == before:
            return
        if self._draft.take(state.text):
            self._put(state.text)
        if not state.error:
            self._valid = state.text
        if before is None or (state.label, state.unit) != (before.label, before.unit):
            self.edit.setAccessibleName(f"{state.label}, {state.unit}" if state.unit else state.label)
            self.edit.show_unit(state.unit, self._theme)
        if before is None or state.typed != before.typed:
            self.mark.setVisible(state.typed)
            self.mark.setAccessibleName(f"{state.label} is typed: take the market's value")
            self.mark.setToolTip(
                "An own value is in force. Click, or Shift+Esc in the field: back to the market's"
            )
        self._show_origin(state.origin)
        wrong = bool(state.error)
        self._label.show_text(Text(f"{state.label} !" if wrong else state.label, Tone.BAD if wrong else Tone.DIM))
        if before is None or state.hint != before.hint:
            self.edit.setPlaceholderText(state.hint)
        told = state.error or state.help
        self.edit.setToolTip(told)
        said = f"typed; {state.help}" if state.typed else state.help
        self.edit.setAccessibleDescription(f"Wrong: {state.error}" if wrong else said)
        if before is None or wrong != bool(before.error):
            self.edit.setProperty("error", wrong)
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._label.set_theme(theme)
        self.mark.set_theme(theme)
        if self._origin is not None:
            self._origin.set_theme(theme)
        self.edit.show_unit(self.state.unit, theme)

    def _show_origin(self, origin: Text | None) -> None:
        if origin is None:
            return
        if self._origin is None:
            self._origin = Label(11, name=f"{self.state.label}: where it comes from")
            self._origin.set_theme(self._theme)
            self._column.addWidget(self._origin)
        self._origin.show_text(origin)

    def _put(self, text: str) -> None:
        """Replace the text; the cursor stays where it was, a selection of everything stays one."""
        cursor, everything = self.edit.cursorPosition(), self.edit.hasFocus() and self.edit.selectedText() != ""
        self.edit.setText(text)
        if everything:
            self.edit.selectAll()
        else:
            self.edit.setCursorPosition(min(cursor, len(text)))

    def _edited(self, text: str) -> None:
        self._draft.send(text)
        self.typed.emit(text)

    def _give_back(self) -> None:
        """Leave the value to the market again."""
        if self.state.typed:
            self.edit.setText("" if self.state.untyped == "" else self.state.text)
            self._edited(self.state.untyped)
            self.edit.selectAll()

    def _restore(self) -> None:
        if self._draft.value != self._valid:
            self.edit.setText(self._valid)
            self._edited(self._valid)
        self.edit.selectAll()


class FieldGrid(QWidget):
    """Fields in as few rows as their width allows."""

    def __init__(self, least: int) -> None:
        """`least` is the width below which a field is not squeezed, in pixels."""
        super().__init__()
        self._least, self._columns = least, 0
        self._placed: tuple[Field, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)

    def show_fields(self, fields: tuple[Field, ...]) -> None:
        """Hold `fields`, in this order."""
        if fields != self._placed:
            for old in self._placed:
                self._grid.removeWidget(old)
            self._placed, self._columns = fields, 0
            for one in fields:
                one.setParent(self)
                one.show()
        self._arrange()

    def _arrange(self) -> None:
        count = len(self._placed)
        if not count:
            return
        most = max(1, min(count, (self.width() + 8) // (self._least + 8)))
        rows = -(-count // most)
        columns = -(-count // rows)
        if columns == self._columns:
            return
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        for field in self._placed:
            self._grid.removeWidget(field)
        for number, field in enumerate(self._placed):
            self._grid.addWidget(field, number // columns, number % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
