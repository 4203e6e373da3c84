"""One input: a label, what is typed, its unit, and a mark when it is wrong."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget
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

    def __init__(self) -> None:
        super().__init__()
        self._unit, self._theme = "", DARK
        self.setFont(font(13))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedHeight(26)

    def show_unit(self, unit: str, theme: Theme) -> None:
        self._unit, self._theme = unit, theme
        wide = self.fontMetrics().horizontalAdvance(unit) if unit else 0
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
            self.restored.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Typing is in force at once; Enter only makes the next entry replace this one.
            self.selectAll()
            return
        super().keyPressEvent(event)


class Field(QWidget):
    """Shows a FieldState; a state that only echoes what was typed never touches text or cursor."""

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
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._label)
        column.addWidget(self.edit)
        self.edit.textEdited.connect(self._edited)
        self.edit.focused.connect(self.focus_changed)
        self.edit.restored.connect(self._restore)
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
        wrong = bool(state.error)
        self._label.show_text(Text(f"{state.label} !" if wrong else state.label, Tone.BAD if wrong else Tone.DIM))
        if before is None or state.hint != before.hint:
            self.edit.setPlaceholderText(state.hint)
        told = state.error or state.help
        self.edit.setToolTip(told)
        self.edit.setAccessibleDescription(f"Wrong: {state.error}" if wrong else state.help)
        if before is None or wrong != bool(before.error):
            self.edit.setProperty("error", wrong)
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._label.set_theme(theme)
        self.edit.show_unit(self.state.unit, theme)

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

    def _restore(self) -> None:
        if self._draft.value != self._valid:
            self.edit.setText(self._valid)
            self._edited(self._valid)
        self.edit.selectAll()
