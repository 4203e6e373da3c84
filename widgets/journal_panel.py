"""The journal: open trades and what they make, closed ones and their record. Everything by keyboard too."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.evidence_chart import EvidencePlot
from widgets.evidence_table import EvidenceTableView
from widgets.parts import Card, FactLine, Segmented
from widgets.states import Choice, Text, Tone
from widgets.states_journal import JournalState, TradeRow
from widgets.theme import Theme, font

_OPEN, _CLOSED = "open", "closed"
_HEIGHT, _IN_A_ROW = 24, 4
"""Two rows of buttons: one would hold the panel wider than its place beside the sizer."""


@dataclass(frozen=True, slots=True)
class JournalAsked:
    """A button of the journal: `action` is new, fills, close, levels, void, history, export or import."""

    action: str
    trade: TradeRow | None = None


class JournalPanel(Card):
    """Shows a `JournalState`; asks for what its buttons say, of the row that is chosen."""

    asked = Signal(object)
    """One `JournalAsked`."""

    def __init__(self) -> None:
        super().__init__("Journal")
        self._state: JournalState | None = None
        self._standing = self.label(11, name="Of what the prices are")
        self.title_row.insertWidget(1, self._standing)
        self._pages = Segmented("Trades shown")
        self._pages.show_choices((Choice(_OPEN, "Open", chosen=True), Choice(_CLOSED, "Closed")))
        self._pages.chosen.connect(self.show_page)
        self.title_row.addWidget(self._pages)
        self._message = self.label(12, wrap=True, name="Message")
        self.table, self.closed = EvidenceTableView("Open trades"), EvidenceTableView("Closed trades")
        self._record = FactLine("Record of closed trades", most_lines=2)
        self.curve = EvidencePlot("Sum of closed trades")
        past = QWidget()
        column = QVBoxLayout(past)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget, stretch in ((self._record, 0), (self.closed, 1), (self.curve, 2)):
            column.addWidget(widget, stretch)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(past)
        self._buttons = {
            action: self._button(text, action, why)
            for action, text, why in (
                ("new", "New", "Enter a trade: the sizer's ticket stands in the form"),
                ("fills", "Add fills", "Scale in or out, roll, or note carry"),
                ("close", "Close", "The fills that close it stand in the form"),
                ("levels", "Note, levels", "Change note, stop and target; the earlier version is kept"),
                ("void", "Take back", "A trade that was never made; the record of it is kept"),
                ("history", "History", "Every version of the trade, the earlier ones too"),
                ("export", "Export", "Write the journal as CSV"),
                ("import", "Import", "Add the trades of a CSV"),
            )
        }
        rows = QGridLayout()
        rows.setSpacing(4)
        for place, button in enumerate(self._buttons.values()):
            rows.addWidget(button, *divmod(place, _IN_A_ROW))
        self.body.addWidget(self._message)
        self.body.addWidget(self._stack, 1)
        self.body.addLayout(rows)
        self.setFocusProxy(self.table)
        for view in (self.table, self.closed):
            view.selectionModel().selectionChanged.connect(lambda *_: self._enable())

    def _button(self, text: str, action: str, why: str) -> QPushButton:
        made = QPushButton(text)
        made.setFont(font(12))
        made.setFixedHeight(_HEIGHT)
        made.setProperty("segment", True)
        made.setToolTip(why)
        made.setAccessibleName(f"{text}: {why}")
        made.clicked.connect(lambda: self.asked.emit(JournalAsked(action, self.chosen())))
        return made

    def show_state(self, state: JournalState) -> None:
        """Show `state`; what is shown already is left alone."""
        if state is self._state:
            return
        self._state = state
        self._standing.show_text(state.standing)
        self.table.show_table(state.open)
        self.closed.show_table(state.closed)
        self._record.show_facts(state.record)
        self.curve.setVisible(state.curve is not None)
        if state.curve is not None:
            self.curve.show_chart(state.curve)
        self._tell()
        self._enable()

    def show_page(self, page: str) -> None:
        """Show open or closed trades."""
        self._pages.show_choices(
            (Choice(_OPEN, "Open", chosen=page == _OPEN), Choice(_CLOSED, "Closed", chosen=page == _CLOSED))
        )
        self._stack.setCurrentIndex(0 if page == _OPEN else 1)
        self._tell()
        self._enable()

    def chosen(self) -> TradeRow | None:
        """The trade whose row is chosen, the only one where there is only one; None without."""
        if self._state is None:
            return None
        on_open = self._stack.currentIndex() == 0
        view, rows = (self.table, self._state.open_trades) if on_open else (self.closed, self._state.closed_trades)
        picked = view.chosen_rows()
        if len(rows) == 1:
            return rows[0]
        return rows[picked[0]] if len(picked) == 1 and picked[0] < len(rows) else None

    def _tell(self) -> None:
        state = self._state
        if state is None:
            return
        on_open = self._stack.currentIndex() == 0
        shown = state.open_trades if on_open else state.closed_trades
        empty = "" if shown else f"No {'open' if on_open else 'closed'} trade. New enters one, as it was filled."
        words = state.refused or empty
        self._message.show_text(Text(words, Tone.PAST if state.refused else Tone.DIM))
        self._message.setVisible(bool(words))

    def _enable(self) -> None:
        state, one = self._state, self.chosen()
        may = state is not None and not state.refused
        holds = one is not None and bool(one.closing)
        for action, on in (
            ("new", may),
            ("fills", may and holds),
            ("close", may and holds),
            ("levels", may and one is not None),
            ("void", may and one is not None),
            ("history", one is not None),
            ("import", may),
            ("export", state is not None),
        ):
            self._buttons[action].setEnabled(on)

    def button(self, action: str) -> QPushButton:
        """The button of an action."""
        return self._buttons[action]

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.table, self.closed, self._record, self.curve):
            part.set_theme(theme)
