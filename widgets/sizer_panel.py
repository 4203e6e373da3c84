"""The position sizer: inputs, hedges side by side, the ticket, outcomes and the scenario map; further pages."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.draft import Draft
from widgets.field import Field, FieldGrid
from widgets.heat_map import HeatMapView
from widgets.hedge_row import HedgeRow
from widgets.parts import Card, Segmented
from widgets.sizer_pages import CostsPage, HedgePage, MarketPage, RiskPage, WhatIfPage
from widgets.sizer_take import SetupsButton, TakeAway
from widgets.states import Choice, FieldState, SizerForm, SizerState, Text, Tone
from widgets.theme import DARK, Theme
from widgets.ticket_table import Figures, TicketTable

_FIELD_WIDTH = 94
_SIDE_BY_SIDE, _AROUND, _ONE_HEAD = 750, 36, 520
_HINT = "2m, 500k, 1.5 % are understood; Esc: back"
_PAGES = (
    ("ticket", "Ticket"),
    ("market", "Market"),
    ("risk", "Risk"),
    ("what_if", "What if"),
    ("costs", "Costs"),
    ("hedge", "Hedge"),
)


class SizerPanel(Card):
    """Says what the user typed and chose, raw; shows what to trade. Ctrl+PgUp and Ctrl+PgDown turn the pages."""

    form_changed = Signal(object)
    """The whole SizerForm, on every keystroke and choice."""
    ticket_copied = Signal(str)
    """The text that is on the clipboard now."""
    orders_saved = Signal(str)
    """The path of the file of orders that was written."""
    setup_asked = Signal(object)
    """One SetupAsked."""

    def __init__(self) -> None:
        super().__init__("Position sizer")
        self._state: SizerState | None = None
        self._theme = DARK
        self._fields: dict[str, Field] = {}
        self._sizing, self._instrument, self._hedge = Draft(), Draft(), Draft()
        self._page = _PAGES[0][0]

        self._standing = self.label(12, name="Standing of the prices")
        self._pages = Segmented("Page")
        self._pages.chosen.connect(self.show_page)
        self._hint = self.label(12, name="About the inputs")
        self._grid = FieldGrid(_FIELD_WIDTH)
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
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._heat = HeatMapView("Scenarios: profit and loss by moves of both legs")
        self._market, self._risk, self._what_if = MarketPage(), RiskPage(), WhatIfPage()
        self._costs, self._cover = CostsPage(), HedgePage()
        self._what_if.moved.connect(self._tell)
        self._take = TakeAway()
        self._take.copied.connect(self.ticket_copied)
        self._take.saved.connect(self.orders_saved)
        self._setups = SetupsButton()
        self._setups.asked.connect(self.setup_asked)
        self._scrolls: dict[str, QScrollArea] = {}
        self._build()
        self._show_pages()

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
        self._standing.show_text(state.standing)
        self._standing.setVisible(bool(state.standing.text))
        self._table.show_legs(state.legs)
        self._totals.show_texts(state.totals)
        self._outcomes.show_texts(state.outcomes)
        self._notes.show_texts(state.notes)
        self._notes.setVisible(bool(state.notes))
        self._heat.show_map(state.heat)
        self._message.show_text(Text(state.message, Tone.DIM))
        self._result.setCurrentIndex(1 if state.message else 0)
        self._market.table.show_table(state.bases)
        self._risk.show_tables(state.tables, state.message)
        self._what_if.show_state(state.what_if, state.message)
        self._what_if.heat.show_map(state.heat)
        self._costs.table.show_table(state.tables.costs)
        self._costs.margins.show_texts(state.margins)
        self._cover.show_state(state.cover)
        self._setups.show_state(state.setups)
        self._show_pages()
        self._show_orders()
        self._show_hint()
        self._arrange_choices()  # how wide a button is, the style tells only after the first paint
        if anew:
            self._order_tabs()

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        for field in self._fields.values():
            field.set_theme(theme)
        painted = (self._hedges, self._table, self._totals, self._outcomes, self._notes, self._heat)
        pages = (self._market, self._risk, self._what_if, self._costs, self._cover)
        for one in (*painted, *pages):
            one.set_theme(theme)

    def field(self, key: str) -> Field:
        """Return one input."""
        return self._fields[key]

    @property
    def page(self) -> str:
        """Key of the page that is shown."""
        return self._page

    def show_page(self, key: str) -> None:
        """Turn to a page."""
        if key not in self._scrolls:
            return
        self._page = key
        self._stack.setCurrentWidget(self._scrolls[key])
        self._show_pages()
        self._show_orders()
        self._show_hint()
        self._order_tabs()

    def page_scroll(self, key: str) -> QScrollArea:
        """Return what scrolls a page where the panel is too small for it."""
        return self._scrolls[key]

    def copy_ticket(self) -> None:
        """Put what the page offers on the clipboard."""
        self._take.copy.click()

    def open_orders(self) -> None:
        """Open the menu of files of orders, where there are any."""
        if self._take.export.isEnabled():
            self._take.export.showMenu()

    def open_setups(self) -> None:
        """Open the menu of named set-ups."""
        self._setups.showMenu()

    # How it is built

    def _build(self) -> None:
        self.title_row.insertWidget(1, self._standing)
        self.title_row.addWidget(self._pages)
        self._stack = QStackedWidget()
        pages: dict[str, QWidget] = {
            "ticket": self._build_ticket(),
            "market": self._market,
            "risk": self._risk,
            "what_if": self._what_if,
            "costs": self._costs,
            "hedge": self._cover,
        }
        for key, label in _PAGES:
            self._stack.addWidget(self._scrolled(key, label, pages[key]))
        self.body.addWidget(self._stack, 1)
        # Under every page: always there, so nothing moves when a field goes wrong.
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self._hint, 1)
        foot.addWidget(self._setups)
        foot.addWidget(self._take)
        self.body.addLayout(foot)
        for keys, step in (("Ctrl+PgDown", 1), ("Ctrl+PgUp", -1)):
            turn = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            turn.activated.connect(partial(self._turn, step))

    def _build_ticket(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 2, 0)
        column.setSpacing(3)
        column.addWidget(self._grid)
        self._choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._choices.setSpacing(6)
        self._choices.addWidget(self._sizings)
        self._choices.addStretch(1)
        self._choices.addWidget(self._instruments)
        column.addLayout(self._choices)
        ticket = QWidget()
        lines = QVBoxLayout(ticket)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        for one in (self._table, self._outcomes, self._totals, self._notes):
            lines.addWidget(one)
        lines.addStretch(1)
        # Message and ticket share one place: nothing moves when a field goes wrong.
        self._result = QStackedLayout()
        self._result.addWidget(ticket)
        self._result.addWidget(self._message)
        left = QVBoxLayout()
        left.setSpacing(3)
        left.addWidget(self._hedges)
        left.addLayout(self._result, 1)
        self._lower = QHBoxLayout()
        self._lower.setSpacing(20)
        self._lower.addLayout(left, 7)
        self._lower.addWidget(self._heat, 5)
        column.addLayout(self._lower, 1)
        return inside

    def _scrolled(self, key: str, label: str, page: QWidget) -> QScrollArea:
        scroll = self._scrolls[key] = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        scroll.verticalScrollBar().setAccessibleName(f"Position sizer, {label}, further down")
        return scroll

    def _show_fields(self, states: tuple[FieldState, ...]) -> bool:
        """Show the inputs; True when some came or went. One that stays keeps its widget, text and keyboard."""
        wanted = tuple(one.key for one in states)
        anew = wanted != tuple(self._fields)
        fields: dict[str, Field] = {}
        for one in states:
            field = self._fields.pop(one.key, None)
            if field is None:
                field = Field(one)
                field.set_theme(self._theme)
                field.typed.connect(lambda _: self._tell())
                field.focus_changed.connect(self._show_hint)
            else:
                field.show_state(one)
            fields[one.key] = field
        gone, self._fields = self._fields, fields
        if not anew:
            return False
        self.setFocusProxy(None)  # type: ignore[arg-type]  # the stub omits None, which Qt takes for "no proxy"
        for page, grid in self._grids().items():
            grid.show_fields(tuple(one for one in fields.values() if one.state.page == page))
        for old in gone.values():
            old.deleteLater()
        if states:
            self.setFocusProxy(self._fields[states[0].key].edit)
        return True

    def _grids(self) -> dict[str, FieldGrid]:
        return {
            "ticket": self._grid,
            "market": self._market.grid,
            "costs": self._costs.grid,
            "hedge": self._cover.grid,
        }

    @staticmethod
    def _show_choices(row: Segmented, draft: Draft, choices: tuple[Choice, ...]) -> None:
        draft.take(next((one.key for one in choices if one.chosen), draft.value))
        row.show_choices(
            tuple(Choice(one.key, one.label, one.key == draft.value, one.enabled, one.why) for one in choices)
        )

    def _show_pages(self) -> None:
        """Name the pages; one with a wrong field, or with typed values in place of the market's, is marked."""
        wrong = {one.state.page for one in self._fields.values() if one.state.error}
        typed = {one.state.page for one in self._fields.values() if one.state.typed and one.state.page == "market"}
        choices = []
        for key, label in _PAGES:
            mark, why = ("", "")
            if key in wrong:
                mark, why = " !", "something typed there is wrong"
            elif key in typed:
                mark, why = " ✎", "typed values are in force there"
            choices.append(Choice(key, f"{label}{mark}", key == self._page, why=why))
        self._pages.show_choices(tuple(choices))

    def _show_orders(self) -> None:
        """Under the page of the hedge its orders are offered, under every other one the ticket's."""
        state = self._state
        if state is None:
            return
        if self._page == "hedge":
            self._take.show_orders(state.cover.orders, "hedge")
        else:
            self._take.show_orders(state.orders, "ticket")

    def _turn(self, step: int) -> None:
        keys = [key for key, _ in _PAGES]
        self.show_page(keys[(keys.index(self._page) + step) % len(keys)])
        self._pages.button(self._page).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _order_tabs(self) -> None:
        foot = (self._setups, self._take.copy, self._take.export)
        stops: list[QWidget] = []
        for page in self._grids():
            stops += [field.edit for field in self._fields.values() if field.state.page == page]
            if page == "ticket":
                stops += self._ticket_stops()
            elif page == "market":
                stops += [self._market.table, self._risk.risk, self._risk.days, self._risk.falls]
                stops += self._what_if.stops
            else:
                stops.append(self._costs.table if page == "costs" else self._cover.table)
        # The panel's first stop is its first input; the pages, which Ctrl+PgUp and Ctrl+PgDown turn, come last.
        stops += [*foot, *(self._pages.button(key) for key, _ in _PAGES)]
        # The last page's button was in the window's chain from the start: first all join it there, the wrong way
        # round, because Qt leaves alone what follows by way of the window's end; then each is put in its place.
        for first, second in (*pairwise(reversed(stops)), *pairwise(stops)):
            QWidget.setTabOrder(first, second)

    def _ticket_stops(self) -> list[QWidget]:
        stops: list[QWidget] = []
        state = self._state
        if state is not None:
            stops += [self._sizings.button(one.key) for one in state.sizings]
            stops += [self._instruments.button(one.key) for one in state.instruments]
        cards: tuple[QAbstractButton, ...] = self._hedges.cards
        return [*stops, *cards, self._heat]

    def _arrange_choices(self) -> None:
        """Both rows of choices in one line where they fit."""
        wanted = self._sizings.sizeHint().width() + self._instruments.sizeHint().width() + self._choices.spacing()
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._choices.setDirection(across if wanted <= self.width() - _AROUND else down)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.width()
        # Where there is no room beside the ticket, the map stands on the page What if.
        self._heat.setVisible(wide >= _SIDE_BY_SIDE)
        in_title = self.title_row.indexOf(self._pages) >= 0
        if in_title != (wide >= _ONE_HEAD):
            if in_title:
                self.title_row.removeWidget(self._pages)
                self.body.insertWidget(0, self._pages)
            else:
                self.body.removeWidget(self._pages)
                self.title_row.addWidget(self._pages)
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
                fields=(*((key, field.value) for key, field in self._fields.items()), *self._what_if.values),
                sizing=self._sizing.value,
                hedge=self._hedge.value,
                instrument=self._instrument.value,
                path=self._what_if.path,
            )
        )

    def _show_hint(self) -> None:
        """One line under the page: what is wrong, else the help of the input that has the keyboard."""
        fields = list(self._fields.values())
        fields.sort(key=lambda field: not field.edit.hasFocus())
        wrong = [field.state for field in fields if field.state.error]
        if wrong:
            more = f" (+{len(wrong) - 1} more)" if len(wrong) > 1 else ""
            every = "\n".join(f"{one.label}: {one.error}" for one in wrong)
            self._hint.show_text(Text(f"{wrong[0].label}: {wrong[0].error}{more}", Tone.BAD, every))
            return
        helped = fields[0].state.help if fields and fields[0].edit.hasFocus() else ""
        self._hint.show_text(Text(helped or _HINT, Tone.DIM, helped))


def _keys(state: SizerState) -> tuple[tuple[str, ...], ...]:
    return tuple(one.key for one in state.sizings), tuple(one.key for one in state.instruments)
