"""Figures that the user types for a claim, each with the day it is of, and a rule that can be chosen."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.field import Field
from widgets.parts import Label, Segmented
from widgets.states import EvidenceInput, EvidenceState, InputTyped, Text, Tone
from widgets.theme import DARK, Theme

_VALUE_WIDTH, _DATE_WIDTH, _PAIR_GAP, _GAP = 88, 94, 4, 10
_PAIR_WIDTH = _VALUE_WIDTH + _PAIR_GAP + _DATE_WIDTH


class _Pair(QWidget):
    """One figure and its day, side by side."""

    typed = Signal(object)
    """`InputTyped`, on every keystroke."""

    def __init__(self, shown: EvidenceInput) -> None:
        super().__init__()
        self.wide = shown.wide
        self.value, self.dated = Field(shown.value), Field(shown.dated)
        self.dated.setFixedWidth(_DATE_WIDTH)
        self.dated.edit.setMaxLength(20)
        if shown.wide:
            self.value.edit.setAlignment(Qt.AlignmentFlag.AlignLeft)
        else:
            self.value.edit.setMaxLength(40)
            self.value.setFixedWidth(_VALUE_WIDTH)
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_PAIR_GAP)
        row.addWidget(self.value, 1)
        row.addWidget(self.dated)
        for field in (self.value, self.dated):
            field.typed.connect(lambda text, field=field: self.typed.emit(InputTyped(field.state.key, text)))

    def show_input(self, shown: EvidenceInput) -> None:
        """Show both fields."""
        self.value.show_state(shown.value)
        self.dated.show_state(shown.dated)
        what = shown.value.label
        self.dated.edit.setAccessibleName(f"{what}, of the day")


class EvidenceInputs(QWidget):
    """Shows inputs and choices of an `EvidenceState`; takes no room where there are none."""

    typed = Signal(object)
    """`InputTyped`: a field on every keystroke, or a choice."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._pairs: dict[str, _Pair] = {}
        self._columns = 0
        self._key = ""
        self.setAccessibleName("Figures to type")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = Label(12)
        self.choices = Segmented("Rule")
        self.choices.chosen.connect(lambda key: self.typed.emit(InputTyped(self._key, key)))
        self._error = Label(12, name="What is wrong with what was typed", wrap=True)
        self._choice_row = QWidget()
        row = QHBoxLayout(self._choice_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label)
        row.addWidget(self.choices)
        row.addStretch(1)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 2)
        column.setSpacing(4)
        column.addWidget(self._choice_row)
        column.addLayout(self._grid)
        column.addWidget(self._error)
        self.show_inputs(None)

    def show_inputs(self, state: EvidenceState | None) -> None:
        """Show what there is to type and to choose; what is being typed is left alone."""
        inputs = () if state is None else state.inputs
        choices = () if state is None else state.choices
        if state is not None and choices:
            self._key = state.choices_key
            self._label.show_text(Text(state.choices_label, Tone.DIM))
            self.choices.setAccessibleName(state.choices_label)
            self.choices.show_choices(choices)
        self._choice_row.setVisible(bool(choices))
        if tuple(one.value.key for one in inputs) != tuple(self._pairs):
            self._rebuild(inputs)
        for one in inputs:
            self._pairs[one.value.key].show_input(one)
        wrong = [
            f"{one.value.label}: {error}"
            for one in inputs
            for error in (one.value.error or one.dated.error,)
            if error
        ]
        self._error.show_text(Text("; ".join(wrong), Tone.BAD))
        self._error.setVisible(bool(wrong))
        self.setVisible(bool(inputs or choices))

    def edits(self) -> list[QLineEdit]:
        """Return the fields in the order of the Tab key: value, day, value, day."""
        return [field.edit for pair in self._pairs.values() for field in (pair.value, pair.dated)]

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        for label in (self._label, self._error):
            label.set_theme(theme)
        for pair in self._pairs.values():
            for field in (pair.value, pair.dated):
                field.set_theme(theme)

    def _rebuild(self, inputs: tuple[EvidenceInput, ...]) -> None:
        for old in self._pairs.values():
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._pairs = {one.value.key: _Pair(one) for one in inputs}
        for pair in self._pairs.values():
            pair.typed.connect(self.typed)
            for field in (pair.value, pair.dated):
                field.set_theme(self._theme)
        self._columns = 0
        self._arrange()
        for first, second in pairwise(self.edits()):
            QWidget.setTabOrder(first, second)

    def _arrange(self) -> None:
        """As many pairs beside each other as fit."""
        columns = max(1, (self.width() + _GAP) // (_PAIR_WIDTH + _GAP))
        if columns == self._columns:
            return
        self._columns = columns
        for pair in self._pairs.values():
            self._grid.removeWidget(pair)
        row = column = 0
        for pair in self._pairs.values():
            if pair.wide:
                self._grid.addWidget(pair, row + (column > 0), 0, 1, columns + 1)
                row, column = row + (column > 0) + 1, 0
                continue
            self._grid.addWidget(pair, row, column, Qt.AlignmentFlag.AlignLeft)
            row, column = (row + 1, 0) if column + 1 == columns else (row, column + 1)
        for at in range(max(self._grid.columnCount(), columns + 1)):
            self._grid.setColumnStretch(at, 1 if at == columns else 0)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
