"""The position sizer: inputs, hedges side by side, the ticket, outcomes and the scenario map."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.draft import Draft
from widgets.field import Field
from widgets.heat_map import HeatMapView
from widgets.hedge_row import HedgeRow
from widgets.parts import Card, Segmented
from widgets.states import Choice, FieldState, SizerForm, SizerState, Text, Tone
from widgets.theme import DARK, Theme
from widgets.ticket_table import Figures, TicketTable

_FIELD_WIDTH = 94
_SIDE_BY_SIDE, _AROUND = 750, 36
_COPIED_FOR_MS = 1500
_HINT = "Write 2m, 500k or 1.5 %; Esc takes a wrong entry back"


class SizerPanel(Card):
    """Says what the user typed and chose, raw; shows what to trade."""

    form_changed = Signal(object)
    """The whole SizerForm, on every keystroke and choice."""
    ticket_copied = Signal(str)
    """The text that is on the clipboard now."""

    def __init__(self) -> None:
        super().__init__("Position sizer")
        self._state: SizerState | None = None
        self._theme = DARK
        self._fields: dict[str, Field] = {}
        self._columns = 0
        self._placed: tuple[str, ...] = ()
        self._sizing, self._instrument, self._hedge = Draft(), Draft(), Draft()

        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._hint = self.label(12, name="About the inputs")
        self._more = QPushButton("More inputs")
        self._more.setCheckable(True)
        self._more.setToolTip("Own hedge ratio, prices and margins")
        self._more.toggled.connect(self._show_more)
        self._sizings = Segmented("Size by")
        self._sizings.chosen.connect(lambda key: self._choose(self._sizing, key))
        self._instruments = Segmented("Instrument")
        self._instruments.chosen.connect(lambda key: self._choose(self._instrument, key))
        self._hedges = HedgeRow()
        self._hedges.chosen.connect(lambda key: self._choose(self._hedge, key))
        self._table = TicketTable()
        self._totals = Figures("Totals")
        self._outcomes = Figures("Outcomes", 13, strong=True)
        self._notes = Figures("Notes")
        self._copy = QPushButton("Copy ticket")
        self._copy.setToolTip("Both legs as text, for the order ticket")
        self._copy.setEnabled(False)
        self._copy.clicked.connect(self._copy_ticket)
        self._copied_for = QTimer(self, singleShot=True, interval=_COPIED_FOR_MS)
        self._copied_for.timeout.connect(lambda: self._copy.setText("Copy ticket"))
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._heat = HeatMapView("Scenarios: profit and loss by moves of both legs")
        self._build()

    def show_state(self, state: SizerState) -> None:
        """Show `state`; what is shown already, or is being typed, is left alone."""
        before, self._state = self._state, state
        if state == before:
            return
        anew = False
        if before is None or state.fields != before.fields:
            anew = self._show_fields(state.fields)
        self._show_choices(self._sizings, self._sizing, state.sizings)
        self._show_choices(self._instruments, self._instrument, state.instruments)
        anew = anew or before is None or _keys(state) != _keys(before)
        self._hedge.take(next((one.key for one in state.hedges if one.chosen), self._hedge.value))
        anew = self._hedges.show_hedges(state.hedges, self._hedge.value) or anew
        self._table.show_legs(state.legs)
        self._totals.show_texts(state.totals)
        self._outcomes.show_texts(state.outcomes)
        self._notes.show_texts(state.notes)
        self._notes.setVisible(bool(state.notes))
        self._heat.show_map(state.heat)
        self._message.show_text(Text(state.message, Tone.DIM))
        self._result.setCurrentIndex(1 if state.message else 0)
        self._copy.setEnabled(bool(state.ticket))
        self._show_hint()
        if anew:
            self._arrange_choices()
            self._order_tabs()

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        for field in self._fields.values():
            field.set_theme(theme)
        self._hedges.set_theme(theme)
        self._table.set_theme(theme)
        self._totals.set_theme(theme)
        self._outcomes.set_theme(theme)
        self._notes.set_theme(theme)
        self._heat.set_theme(theme)

    def field(self, key: str) -> Field:
        """Return one input."""
        return self._fields[key]

    # How it is built

    def _build(self) -> None:
        # Beside the title, right above the inputs: always there, so nothing moves when a field goes wrong.
        self.title_row.insertSpacing(1, 6)
        self.title_row.insertWidget(2, self._hint, 1000)
        self.title_row.addWidget(self._more)
        self._inside = QWidget()
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, 2, 0)
        column.setSpacing(5)
        column.addLayout(self._grid)
        self._choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._choices.setSpacing(6)
        self._choices.addWidget(self._sizings)
        self._choices.addStretch(1)
        self._choices.addWidget(self._instruments)
        column.addLayout(self._choices)

        ticket = QWidget()
        lines = QVBoxLayout(ticket)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        lines.addWidget(self._table)
        last = QHBoxLayout()
        last.setSpacing(8)
        last.addWidget(self._outcomes, 1)
        last.addWidget(self._copy)
        lines.addLayout(last)
        lines.addWidget(self._totals)
        lines.addWidget(self._notes)
        lines.addStretch(1)
        # Message and ticket share one place: nothing moves when a field goes wrong.
        self._result = QStackedLayout()
        self._result.addWidget(ticket)
        self._result.addWidget(self._message)
        left = QVBoxLayout()
        left.setSpacing(5)
        left.addWidget(self._hedges)
        left.addLayout(self._result, 1)
        self._lower = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._lower.setSpacing(8)
        self._lower.addLayout(left)
        self._lower.addWidget(self._heat)
        column.addLayout(self._lower, 1)

        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._inside)
        self._scroll.verticalScrollBar().setAccessibleName("Position sizer, further down")
        self.body.addWidget(self._scroll, 1)

    def _show_fields(self, states: tuple[FieldState, ...]) -> bool:
        if tuple(one.key for one in states) == tuple(self._fields):
            for one in states:
                self._fields[one.key].show_state(one)
            self._arrange_fields()
            return False
        self.setFocusProxy(None)  # type: ignore[arg-type]  # the stub omits None, which Qt takes for "no proxy"
        for old in self._fields.values():
            self._grid.removeWidget(old)
            old.deleteLater()
        self._fields, self._columns, self._placed = {}, 0, ()
        for one in states:
            field = Field(one)
            field.setParent(self._inside)
            field.set_theme(self._theme)
            field.typed.connect(lambda _: self._tell())
            field.focus_changed.connect(self._show_hint)
            self._fields[one.key] = field
        self._arrange_fields()
        if states:
            self.setFocusProxy(self._fields[states[0].key].edit)
        return True

    @staticmethod
    def _show_choices(row: Segmented, draft: Draft, choices: tuple[Choice, ...]) -> None:
        draft.take(next((one.key for one in choices if one.chosen), draft.value))
        row.show_choices(
            tuple(Choice(one.key, one.label, one.key == draft.value, one.enabled, one.why) for one in choices)
        )

    def _order_tabs(self) -> None:
        # The copy button was in the window's chain from the start: beginning there, all join it at this panel.
        stops: list[QWidget] = [self._copy, self._more, *(field.edit for field in self._fields.values())]
        state = self._state
        if state is not None:
            stops += [self._sizings.button(one.key) for one in state.sizings]
            stops += [self._instruments.button(one.key) for one in state.instruments]
        cards: tuple[QAbstractButton, ...] = self._hedges.cards
        stops += [*cards, self._copy, self._heat]
        for first, second in pairwise(stops):
            QWidget.setTabOrder(first, second)

    def _arrange_fields(self) -> None:
        """Place the fields that are to be seen, in as few rows as their width allows."""
        seen = [field for field in self._fields.values() if self._is_seen(field)]
        if not seen:
            return
        most = max(1, min(len(seen), self.width() // (_FIELD_WIDTH + 8)))
        rows = -(-len(seen) // most)
        columns = -(-len(seen) // rows)
        placed = tuple(field.state.key for field in seen)
        if (columns, placed) == (self._columns, self._placed):
            return
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        self._columns, self._placed = columns, placed
        for field in self._fields.values():
            self._grid.removeWidget(field)
            field.setVisible(field in seen)
        for number, field in enumerate(seen):
            self._grid.addWidget(field, number // columns, number % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def _is_seen(self, field: Field) -> bool:
        """Optional fields show when asked for, when filled or wrong, and while they are being typed into."""
        state = field.state
        if not state.optional or self._more.isChecked():
            return True
        return bool(state.text or field.value or state.error) or field.edit.hasFocus()

    def _show_more(self, more: bool) -> None:
        self._more.setText("Fewer inputs" if more else "More inputs")
        self._arrange_fields()

    def _arrange_choices(self) -> None:
        """Both rows of choices in one line where they fit."""
        wanted = self._sizings.sizeHint().width() + self._instruments.sizeHint().width() + self._choices.spacing()
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._choices.setDirection(across if wanted <= self.width() - _AROUND else down)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.width()
        self._arrange_fields()
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        beside = wide >= _SIDE_BY_SIDE
        self._lower.setDirection(across if beside else down)
        self._lower.setSpacing(20 if beside else 8)
        self._lower.setStretch(0, 7 if beside else 0)
        self._lower.setStretch(1, 5 if beside else 1)
        self._arrange_choices()
        super().resizeEvent(event)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(380, 220)

    # What the user did

    def _choose(self, draft: Draft, key: str) -> None:
        draft.send(key)
        if self._state is not None:
            self._hedges.show_hedges(self._state.hedges, self._hedge.value)
        self._tell()

    def _tell(self) -> None:
        self.form_changed.emit(
            SizerForm(
                fields=tuple((key, field.value) for key, field in self._fields.items()),
                sizing=self._sizing.value,
                hedge=self._hedge.value,
                instrument=self._instrument.value,
            )
        )

    def _show_hint(self) -> None:
        """One line under the inputs: what is wrong, else the help of the input that has the keyboard."""
        fields = list(self._fields.values())
        fields.sort(key=lambda field: not field.edit.hasFocus())
        wrong = [field.state for field in fields if field.state.error]
        if wrong:
            more = f" (+{len(wrong) - 1} more)" if len(wrong) > 1 else ""
            every = "\n".join(f"{one.label}: {one.error}" for one in wrong)
            self._hint.show_text(Text(f"{wrong[0].label}: {wrong[0].error}{more}", Tone.BAD, every))
            return
        helped = fields[0].state.help if fields and fields[0].edit.hasFocus() else ""
        self._hint.show_text(Text(helped or _HINT, Tone.DIM))

    def _copy_ticket(self) -> None:
        if self._state is None or not self._state.ticket:
            return
        QGuiApplication.clipboard().setText(self._state.ticket)
        self._copy.setText("Copied")
        self._copied_for.start()
        self.ticket_copied.emit(self._state.ticket)


def _keys(state: SizerState) -> tuple[tuple[str, ...], ...]:
    return tuple(one.key for one in state.sizings), tuple(one.key for one in state.instruments)
