"""The release desk: the calendar, what is armed, the board of one reaction, and earlier reactions."""

from __future__ import annotations

import re
from typing import TypeVar

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.evidence_chart import EvidencePlot
from widgets.evidence_table import EvidenceTableView
from widgets.field import Field
from widgets.parts import SEMI, Card, FactLine, Segmented
from widgets.states import Choice, EvidenceTable, FieldState, Text, Tone
from widgets.states_release import (
    ArmAsked,
    DisarmAsked,
    EventRow,
    FigureTyped,
    OwnDropped,
    OwnTyped,
    ReleaseState,
)
from widgets.theme import DARK, Theme, font

_PAD, _NAME = 14, 118
_HEIGHT = 24
_PAGES = (("calendar", "Calendar"), ("board", "Board"), ("earlier", "Surprise"))
_NARROW = 680
"""Below this width the calendar is a page of its own."""
_ROOM = re.compile(r"padding: 0 \d+px")


class CompactTable(EvidenceTableView):
    """A table whose columns are as narrow as their figures."""

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.setStyleSheet(_ROOM.sub("padding: 0 2px", self.styleSheet()))

    @override
    def _measure(self) -> None:
        table, strong = self._cells.table, QFontMetrics(font(12, SEMI))
        usual, small = QFontMetrics(font(12)), QFontMetrics(font(11))
        wanted = []
        for column, heading in enumerate(table.headers):
            metrics = strong if column == 0 else usual
            words = (
                metrics.horizontalAdvance(self._cells.cell(row, column).text) for row in range(len(table.rows))
            )
            wanted.append(max(small.horizontalAdvance(heading), *words, 4) + _PAD)
        old = self._widths or wanted
        self._widths = [max(a, b) for a, b in zip(wanted, old, strict=True)]


class EventList(CompactTable):
    """The calendar, one event chosen at a time."""

    event_chosen = Signal(str)
    """Key of the event the user chose."""

    def __init__(self) -> None:
        super().__init__("Calendar")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._rows: tuple[EventRow, ...] = ()
        self._telling = False
        self.selectionModel().selectionChanged.connect(self._selected)

    def show_rows(self, headers: tuple[str, ...], rows: tuple[EventRow, ...], chosen: str) -> None:
        """Show `rows` and keep what is chosen; the first time the one of the board is."""
        if rows is self._rows or rows == self._rows:
            return
        before, here = self.chosen, chosen
        first = not self._rows
        if before is not None and any(one.key == before.key for one in rows):
            here = before.key
        self._telling = True
        same_keys = [one.key for one in rows] == [one.key for one in self._rows]
        self._rows = rows
        self.show_table(EvidenceTable(headers, tuple(one.cells for one in rows)))
        if not same_keys:
            self.choose(here, to_top=first)
        self._telling = False

    def choose(self, key: str, *, to_top: bool = False) -> None:
        """Choose an event without saying so."""
        row = next((number for number, one in enumerate(self._rows) if one.key == key), None)
        if row is None:
            return
        telling, self._telling = self._telling, True
        index = self._cells.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, flags)
        hint = QAbstractItemView.ScrollHint.PositionAtTop if to_top else QAbstractItemView.ScrollHint.EnsureVisible
        self.scrollTo(index, hint)
        self._telling = telling

    @override
    def _measure(self) -> None:
        super()._measure()
        self._widths[:1] = [min(one, _NAME) for one in self._widths[:1]]
        wide = self.natural_width() + 14
        self.setMinimumWidth(min(wide, 250))

    @property
    def chosen(self) -> EventRow | None:
        """The event that is chosen."""
        rows = self.chosen_rows()
        return self._rows[rows[0]] if rows and rows[0] < len(self._rows) else None

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        row = self.chosen
        if row is not None and not self._telling:
            self.event_chosen.emit(row.key)


class _OwnForm(QWidget):
    """An own event as it is typed: title, date, New York time."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self._saved = 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.title, self.day, self.clock = QLineEdit(), QLineEdit(), QLineEdit()
        for edit, name, hint in (
            (self.title, "Title of an own event", "own event"),
            (self.day, "Date of an own event", "2026-12-03"),
            (self.clock, "New York time of an own event", "08:30"),
        ):
            edit.setFont(font(12))
            edit.setFixedHeight(_HEIGHT)
            edit.setAccessibleName(name)
            edit.setPlaceholderText(hint)
        self.title.setMaxLength(60)
        self.day.setFixedWidth(98)
        self.clock.setFixedWidth(62)
        self.save, self.drop = QPushButton("Add"), QPushButton("Delete")
        for button in (self.save, self.drop):
            button.setFont(font(12))
            button.setFixedHeight(_HEIGHT)
        self.save.setAccessibleName("Add an own event")
        self.drop.setAccessibleName("Delete the own event")
        row.addWidget(self.title, 1)
        for widget in (self.day, self.clock, self.save, self.drop):
            row.addWidget(widget)
        self.show_event(None)

    def show_event(self, row: EventRow | None) -> None:
        """Fill the form with an own event, or empty it."""
        number = 0 if row is None else row.number
        if number or self.number:
            for edit, text in zip(
                (self.title, self.day, self.clock),
                ("", "", "") if row is None or not number else (row.title, row.day, row.clock),
                strict=True,
            ):
                edit.setText(text)
        self.number = number
        self.save.setText("Save" if number else "Add")
        self.drop.setVisible(bool(number))

    def show_error(self, error: str, saved: int) -> None:
        """Mark what is wrong; after it was kept the form is empty again."""
        if saved != self._saved:
            self._saved, self.number = saved, 0
            for edit in (self.title, self.day, self.clock):
                edit.clear()
            self.show_event(None)
        for edit, field in ((self.title, "title"), (self.day, "date"), (self.clock, "time")):
            wrong = error.startswith(field)
            if wrong != bool(edit.property("error")):
                edit.setProperty("error", wrong)
                edit.style().unpolish(edit)
                edit.style().polish(edit)
            edit.setToolTip(error if wrong else "")
            edit.setAccessibleDescription(error if wrong else "")

    def typed(self) -> OwnTyped:
        """What stands in the form."""
        return OwnTyped(self.number, self.title.text(), self.day.text(), self.clock.text())


W = TypeVar("W", bound=QWidget)


class ReleasePanel(Card):
    """Shows a `ReleaseState`."""

    asked = Signal(object)
    """One `ReleaseAsked`."""
    event_chosen = Signal(str)
    """Key of the event whose reaction is to be shown."""
    kind_toggled = Signal(str)
    """Kind to leave out of calendar and charts, or to show again."""
    sound_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Releases")
        self._state: ReleaseState | None = None
        self._theme = DARK
        self._fields: dict[str, Field] = {}
        self._page = Segmented("Shown beside the calendar")
        self._page.chosen.connect(self._turn)
        self.kinds = self._small(QToolButton(), "Kinds", "Kinds of events shown")
        self.kinds.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.kinds)
        self.kinds.setMenu(self._menu)
        self._kind_actions: dict[str, QAction] = {}
        self._sound = QAction("Sound at an armed release", self._menu)
        self._sound.setCheckable(True)
        self._sound.triggered.connect(lambda on: self.sound_toggled.emit(on))
        self.arm = self._small(QPushButton(), "Arm", "Arm the chosen release")
        self.arm.clicked.connect(self._arm)
        for widget in (self._page, self.kinds, self.arm):
            self.title_row.addWidget(widget)
        self._facts = FactLine("What is armed, the next release, and how far the schedule is known", most_lines=1)
        self.events = EventList()
        self.events.event_chosen.connect(self._chosen)
        self.own = _OwnForm()
        self.own.save.clicked.connect(self._save_own)
        self.own.drop.clicked.connect(lambda: self.asked.emit(OwnDropped(self.own.number)))
        for edit in (self.own.title, self.own.day, self.own.clock):
            edit.returnPressed.connect(self._save_own)
        self._wrong = self.label(11, name="What is wrong with the own event")
        self._chosen_page, self._narrow = "board", False
        self._left, self._right = QWidget(), QWidget()
        left = QVBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(3)
        for part in (self.events, self._wrong, self.own):
            left.addWidget(part, int(part is self.events))
        self._title = self.label(13, SEMI, name="Release on the board")
        self._board_facts = FactLine("Facts about the reaction")
        self.board = CompactTable("Reaction by minute")
        self._fan_facts = FactLine("Facts about earlier reactions", most_lines=2)
        self._figures = QHBoxLayout()
        self._figures.setSpacing(8)
        self.fan = EvidencePlot("Earlier reactions to the same release")
        self._pages = QStackedWidget()
        self._pages.addWidget(_column(self.board))
        earlier = _column(self._fan_facts)
        column = earlier.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertLayout(0, self._figures)
        column.addWidget(self.fan, 1)
        self._pages.addWidget(earlier)
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(3)
        right.addWidget(self._title)
        right.addWidget(self._board_facts)
        right.addWidget(self._pages, 1)
        sides = QHBoxLayout()
        sides.setSpacing(14)
        sides.addWidget(self._left, 11)
        sides.addWidget(self._right, 13)
        self._message = self.label(13, wrap=True, name="Message")
        self.body.addWidget(self._message)
        self.body.addWidget(self._facts)
        self.body.addLayout(sides, 1)
        self.setFocusProxy(self.events)
        self._arrange()

    def show_state(self, state: ReleaseState) -> None:
        """Show `state`; what is shown already is left alone."""
        before, self._state = self._state, state
        if before is state or before == state:
            return
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        self._facts.show_facts(state.facts)
        self._show_kinds(state)
        self.events.show_rows(state.headers, state.rows, state.chosen)
        self._show_arm()
        self._title.show_text(state.title)
        self._board_facts.show_facts(state.board_facts)
        self.board.show_table(state.board)
        self._show_figures(state.figures)
        self._fan_facts.show_facts(state.fan_facts)
        if before is None or state.fan is not before.fan:
            self.fan.show_chart(state.fan)
            self.fan.setVisible(state.fan is not None)
        self.own.show_error(state.own_error, state.own_saved)
        self._wrong.show_text(Text(state.own_error, Tone.BAD, state.own_error))
        self._wrong.setVisible(bool(state.own_error))

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        for line in (self._facts, self._board_facts, self._fan_facts):
            line.set_theme(theme)
        self.events.set_theme(theme)
        self.board.set_theme(theme)
        self.fan.set_theme(theme)
        for field in self._fields.values():
            field.set_theme(theme)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(380, 180)

    def field(self, key: str) -> Field:
        """Return the field of a figure."""
        return self._fields[key]

    # Within

    def _small(self, button: W, text: str, name: str) -> W:
        assert isinstance(button, QPushButton | QToolButton)
        button.setText(text)
        button.setFont(font(12))
        button.setFixedHeight(_HEIGHT)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _show_kinds(self, state: ReleaseState) -> None:
        if tuple(self._kind_actions) != tuple(one.key for one in state.kinds):
            self._menu.clear()
            self._kind_actions = {}
            for one in state.kinds:
                action = QAction(one.label, self._menu)
                action.setCheckable(True)
                action.triggered.connect(lambda _=False, key=one.key: self.kind_toggled.emit(key))
                self._menu.addAction(action)
                self._kind_actions[one.key] = action
            self._menu.addSeparator()
            self._menu.addAction(self._sound)
        for one in state.kinds:
            self._kind_actions[one.key].setChecked(one.chosen)
        self._sound.setChecked(state.sound)
        left_out = sum(not one.chosen for one in state.kinds)
        self.kinds.setText(f"Kinds −{left_out}" if left_out else "Kinds")

    def _show_arm(self) -> None:
        state = self._state
        assert state is not None
        row = self.events.chosen
        if state.is_armed:
            self.arm.setText("Disarm")
            self.arm.setAccessibleName("Disarm")
            self.arm.setEnabled(True)
        else:
            armable = row is not None and row.armable
            self.arm.setText("Arm chosen" if armable else "Arm next F6")
            self.arm.setAccessibleName("Arm the chosen release" if armable else "Arm the next release")
            self.arm.setEnabled(state.can_arm)

    def _arm(self) -> None:
        if self._state is not None and self._state.is_armed:
            self.asked.emit(DisarmAsked())
            return
        row = self.events.chosen
        self.asked.emit(ArmAsked(row.key if row is not None and row.armable else ""))

    def _chosen(self, key: str) -> None:
        row = self.events.chosen
        self.own.show_event(row)
        self._show_arm()
        if row is not None and row.release:
            self.event_chosen.emit(key)

    def _save_own(self) -> None:
        self.asked.emit(self.own.typed())

    def _turn(self, key: str) -> None:
        self._chosen_page = key
        self._arrange()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (self.width() < _NARROW) != self._narrow:
            self._narrow = self.width() < _NARROW
            self._arrange()

    def _arrange(self) -> None:
        """Calendar and reaction side by side, or one of them where the panel is narrow."""
        page = self._chosen_page
        if page == "calendar" and not self._narrow:
            page = self._chosen_page = "board"
        self._left.setVisible(not self._narrow or page == "calendar")
        self._right.setVisible(page != "calendar")
        self._pages.setCurrentIndex(int(page == "earlier"))
        self._board_facts.setVisible(page == "board")
        pages = _PAGES if self._narrow else _PAGES[1:]
        self._page.show_choices(tuple(Choice(one, label, one == page) for one, label in pages))

    def _show_figures(self, figures: tuple[FieldState, ...]) -> None:
        if tuple(one.key for one in figures) != tuple(self._fields):
            for old in self._fields.values():
                self._figures.removeWidget(old)
                old.hide()
                old.deleteLater()
            self._fields = {}
            for one in figures:
                made = self._fields[one.key] = Field(one)
                made.set_theme(self._theme)
                made.typed.connect(lambda text, key=one.key: self.asked.emit(FigureTyped(key, text)))
                self._figures.addWidget(made)
        for one in figures:
            self._fields[one.key].show_state(one)


def _column(*widgets: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(3)
    for one in widgets:
        column.addWidget(one)
    return made
