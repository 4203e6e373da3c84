"""The journal: open trades and what they make, closed ones and their record, those taken back; all by keyboard."""

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

_OPEN, _CLOSED, _VOID = _PAGES = ("open", "closed", "void")
_NAMES = {_OPEN: "Open", _CLOSED: "Closed", _VOID: "Taken back"}
_HEIGHT, _IN_A_ROW = 24, 4
"""Two rows of buttons: one would hold the panel wider than its place beside the sizer."""
_TAKE_BACK, _PUT_BACK = "Take back", "Put back"


@dataclass(frozen=True, slots=True)
class JournalAsked:
    """A button of the journal: `action` is new, fills, close, edit, void, history, export or import."""

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
        self._pages.chosen.connect(self.show_page)
        self.title_row.addWidget(self._pages)
        self._message = self.label(12, wrap=True, name="Message")
        self.table, self.closed = EvidenceTableView("Open trades"), EvidenceTableView("Closed trades")
        self.void = EvidenceTableView("Trades taken back")
        self._record = FactLine("Record of closed trades", most_lines=2)
        self._facts = FactLine("Of the chosen trade", most_lines=6)
        self.curve = EvidencePlot("Sum of closed trades")
        now = QWidget()
        upright = QVBoxLayout(now)
        upright.setContentsMargins(0, 0, 0, 0)
        upright.setSpacing(4)
        upright.addWidget(self.table, 1)
        upright.addWidget(self._facts)
        past = QWidget()
        column = QVBoxLayout(past)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget, stretch in ((self._record, 0), (self.closed, 1), (self.curve, 2)):
            column.addWidget(widget, stretch)
        self._stack = QStackedWidget()
        for page in (now, past, self.void):
            self._stack.addWidget(page)
        self._buttons = {
            action: self._button(text, action, why)
            for action, text, why in (
                ("new", "New", "Enter a trade: the sizer's ticket stands in the form"),
                (
                    "fills",
                    "Add fills",
                    "Scale in or out, roll, or note carry; a closed trade takes late carry too",
                ),
                ("close", "Close", "The fills that close it stand in the form"),
                ("edit", "Edit", "Change fills, carry, note and levels; the earlier version is kept"),
                (
                    "void",
                    _TAKE_BACK,
                    "A trade that was never made; the record of it is kept, and it can be put back",
                ),
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
        self._show_pages(_OPEN)
        self.setFocusProxy(self.table)
        for view in (self.table, self.closed, self.void):
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
        self.void.show_table(state.void)
        self._show_pages(self._page)
        self._record.show_facts(state.record)
        self.curve.setVisible(state.curve is not None)
        if state.curve is not None:
            self.curve.show_chart(state.curve)
        self._tell()
        self._enable()

    @property
    def _page(self) -> str:
        return _PAGES[self._stack.currentIndex()]

    def _show_pages(self, page: str) -> None:
        """The pages to choose from; that of trades taken back only where there are some."""
        void = self._state is not None and bool(self._state.void_trades)
        shown = [one for one in _PAGES if one != _VOID or void or page == _VOID]
        self._pages.show_choices(tuple(Choice(one, _NAMES[one], chosen=one == page) for one in shown))

    def show_page(self, page: str) -> None:
        """Show open or closed trades, or those taken back."""
        self._stack.setCurrentIndex(_PAGES.index(page))
        self._show_pages(page)
        self._tell()
        self._enable()

    def chosen(self) -> TradeRow | None:
        """The trade whose row is chosen, the only one where there is only one; None without."""
        if self._state is None:
            return None
        view, rows = {
            _OPEN: (self.table, self._state.open_trades),
            _CLOSED: (self.closed, self._state.closed_trades),
            _VOID: (self.void, self._state.void_trades),
        }[self._page]
        picked = view.chosen_rows()
        if len(rows) == 1:
            return rows[0]
        return rows[picked[0]] if len(picked) == 1 and picked[0] < len(rows) else None

    def _tell(self) -> None:
        state = self._state
        if state is None:
            return
        shown = {_OPEN: state.open_trades, _CLOSED: state.closed_trades, _VOID: state.void_trades}[self._page]
        kind = _NAMES[self._page].lower()
        empty = "" if shown else f"No trade is {kind}. New enters one, as it was filled."
        words = state.refused or state.told or empty
        tone = Tone.PAST if state.refused else Tone.WARN if state.told else Tone.DIM
        self._message.show_text(Text(words, tone, state.told))
        self._message.setVisible(bool(words))

    def _enable(self) -> None:
        state, one = self._state, self.chosen()
        may = state is not None and not state.refused
        made = one is not None and not one.void
        self._facts.show_facts(one.facts if one is not None else self._summed())
        self._buttons["void"].setText(_PUT_BACK if one is not None and one.void else _TAKE_BACK)
        for action, on in (
            ("new", may),
            ("fills", may and made),
            ("close", may and one is not None and bool(one.closing)),
            ("edit", may and made),
            ("void", may and one is not None),
            ("history", one is not None),
            ("import", may),
            ("export", state is not None),
        ):
            self._buttons[action].setEnabled(on)

    def _summed(self) -> tuple[Text, ...]:
        """What all open trades make, where no one of them is chosen."""
        state = self._state
        return (state.total,) if state is not None and state.total.text and self._page == _OPEN else ()

    def button(self, action: str) -> QPushButton:
        """The button of an action."""
        return self._buttons[action]

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.table, self.closed, self.void, self._record, self._facts, self.curve):
            part.set_theme(theme)
