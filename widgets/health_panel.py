"""Health of every source: state, age, last answer, next try, requests; test and pause, one row a source."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.painted import paint_mark
from widgets.parts import SEMI, Card, FactLine, Label
from widgets.states import HealthRow, HealthState, Text, Tone
from widgets.theme import DARK, Theme, font

_CAPTIONS = ("Source", "State", "Age", "Last answer", "Next try", "Requests, 1 h")
_WIDTHS = (100, 90, 66, 138, 74, 96)
_MARK, _MARK_COLUMN = 9, 16
_BUTTON, _BUTTON_HEIGHT, _GAP = 72, 22, 8
_SPARE, _TEST, _PAUSE = len(_CAPTIONS) + 1, len(_CAPTIONS) + 2, len(_CAPTIONS) + 3
_NARROW = _MARK_COLUMN + sum(_WIDTHS) + 2 * _BUTTON + 9 * _GAP
"""Below this width a row takes a second line for what stands in the last three columns."""


class _Mark(QWidget):
    """The state as a shape."""

    def __init__(self) -> None:
        super().__init__()
        self._tone, self._theme = Tone.DIM, DARK
        self.setFixedSize(_MARK_COLUMN, _BUTTON_HEIGHT)

    def show_tone(self, tone: Tone) -> None:
        if tone is not self._tone:
            self._tone = tone
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mark(painter, QPointF(_MARK / 2 + 2, self.height() / 2), _MARK, self._tone, self._theme)
        painter.end()


def _grid(parent: QWidget) -> QGridLayout:
    grid = QGridLayout(parent)
    grid.setContentsMargins(0, 2, 4, 2)
    grid.setHorizontalSpacing(_GAP)
    grid.setVerticalSpacing(1)
    grid.setColumnStretch(_SPARE, 1)
    return grid


class _Row(QFrame):
    """One source."""

    def __init__(self, row: HealthRow) -> None:
        super().__init__()
        self._state: HealthRow | None = None
        self.setProperty("line", True)
        self.setAccessibleName(row.name)
        self._mark = _Mark()
        self._labels = [Label(13, SEMI), *(Label(13, name=f"{one} of {row.name}") for one in _CAPTIONS[1:])]
        for label, width in zip(self._labels, _WIDTHS, strict=True):
            label.setFixedWidth(width)
        self._told = Label(12, wrap=True, name=f"What {row.name} has to tell")
        self._facts = FactLine(f"More of {row.name}")
        self.test = QPushButton()
        self.pause = QPushButton()
        for button in (self.test, self.pause):
            button.setFixedSize(_BUTTON, _BUTTON_HEIGHT)
            button.setFont(font(12))
        self._narrow: bool | None = None
        self._grid = _grid(self)
        self._grid.addWidget(self._mark, 0, 0)
        for column, label in enumerate(self._labels[:3], start=1):
            self._grid.addWidget(label, 0, column)
        self._grid.addWidget(self.test, 0, _TEST)
        self._grid.addWidget(self.pause, 0, _PAUSE)
        self._grid.addWidget(self._facts, 1, 1, 1, _PAUSE)
        self._grid.addWidget(self._told, 2, 1, 1, _PAUSE)
        self.arrange(narrow=False)
        self.show_row(row)

    def show_row(self, row: HealthRow) -> None:
        """Show `row`; what is shown already is left alone."""
        before, self._state = self._state, row
        if row == before:
            return
        self._mark.show_tone(row.state.tone)
        cells = (Text(row.name), row.state, row.age, row.answered, row.next_try, row.requests)
        for label, cell in zip(self._labels, cells, strict=True):
            label.show_text(cell)
        self._facts.show_facts(
            tuple(
                Text(f"{caption.lower()} {cell.text}", cell.tone, cell.why)
                for caption, cell in zip(_CAPTIONS[3:], cells[3:], strict=True)
            )
        )
        self._told.show_text(row.told)
        self._told.setVisible(bool(row.told.text))
        if before is None or (row.needs_key, row.testable) != (before.needs_key, before.testable):
            self.test.setText("Key…" if row.needs_key else "Test now")
            what = f"Enter the key of {row.name}" if row.needs_key else f"Test {row.name} now"
            self.test.setAccessibleName(what)
            self.test.setEnabled(row.needs_key or row.testable)
            self.test.setToolTip("" if self.test.isEnabled() else row.state.why)
        if before is None or row.paused != before.paused:
            self.pause.setText("Resume" if row.paused else "Pause")
            self.pause.setAccessibleName(f"{self.pause.text()} {row.name}")

    @property
    def needs_key(self) -> bool:
        return self._state is not None and self._state.needs_key

    @property
    def paused(self) -> bool:
        return self._state is not None and self._state.paused

    def arrange(self, *, narrow: bool) -> None:
        """Put the last three columns beside the others, or into a line of their own."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._facts.setVisible(narrow)
        for column, label in enumerate(self._labels[3:], start=4):
            label.setVisible(not narrow)
            if not narrow:
                self._grid.addWidget(label, 0, column)
            else:
                self._grid.removeWidget(label)

    def set_theme(self, theme: Theme) -> None:
        self._mark.set_theme(theme)
        self._facts.set_theme(theme)
        for label in (*self._labels, self._told):
            label.set_theme(theme)


class _Captions(QWidget):
    """The headings of the columns."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        grid = _grid(self)
        room = QWidget()  # an empty column would take its gap with it
        room.setFixedWidth(_MARK_COLUMN)
        grid.addWidget(room, 0, 0)
        for column, (words, width) in enumerate(zip(_CAPTIONS, _WIDTHS, strict=True), start=1):
            label = card.label(12)
            label.show_text(Text(words, Tone.DIM))
            label.setFixedWidth(width)
            grid.addWidget(label, 0, column)


class HealthPanel(Card):
    """Shows a HealthState."""

    test_requested = Signal(str)
    """Key of the source to ask now."""
    pause_requested = Signal(str)
    """Key of the source to leave alone."""
    resume_requested = Signal(str)
    """Key of the source to ask again."""
    keys_requested = Signal()
    hide_requested = Signal()

    def __init__(self) -> None:
        super().__init__("Sources")
        self._state: HealthState | None = None
        self._theme = DARK
        self._rows: dict[str, _Row] = {}
        self._summary = self.label(12, name="Summary")
        keys, hide = QPushButton("Vendor keys…"), QPushButton("Hide")
        hide.setAccessibleName("Hide the sources")
        keys.clicked.connect(lambda: self.keys_requested.emit())
        hide.clicked.connect(lambda: self.hide_requested.emit())
        self.title_row.insertSpacing(1, 10)
        self.title_row.insertWidget(2, self._summary)
        for button in (keys, hide):
            button.setFont(font(12))
            button.setFixedHeight(_BUTTON_HEIGHT)
            self.title_row.addWidget(button)
        self._captions = _Captions(self)
        self._message = self.label(13, name="Why no source is shown")
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._area.setWidget(self._list)
        self.body.addWidget(self._captions)
        self.body.addWidget(self._message)
        self.body.addWidget(self._area, 1)

    def show_state(self, state: HealthState) -> None:
        """Show `state`; what is shown already is left alone."""
        before, self._state = self._state, state
        if state == before:
            return
        self._summary.show_text(state.summary)
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        if tuple(row.key for row in state.rows) != tuple(self._rows):
            self._rebuild(state.rows)
        for row in state.rows:
            self._rows[row.key].show_row(row)

    def show_source(self, key: str) -> None:
        """Bring the row of a source into sight and give it the keyboard."""
        if key in self._rows:
            row = self._rows[key]
            self._area.ensureWidgetVisible(row)
            (row.test if row.test.isEnabled() else row.pause).setFocus(Qt.FocusReason.OtherFocusReason)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        for row in self._rows.values():
            row.set_theme(theme)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(380, 140)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        narrow = self.contentsRect().width() - 32 < _NARROW
        self._captions.setVisible(not narrow)
        for row in self._rows.values():
            row.arrange(narrow=narrow)

    def _rebuild(self, rows: tuple[HealthRow, ...]) -> None:
        for old in self._rows.values():
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._rows = {}
        for number, row in enumerate(rows):
            made = self._rows[row.key] = _Row(row)
            made.set_theme(self._theme)
            made.test.clicked.connect(lambda _=False, key=row.key: self._test(key))
            made.pause.clicked.connect(lambda _=False, key=row.key: self._pause(key))
            self._column.insertWidget(number, made)
        if rows:
            self.setFocusProxy(self._rows[rows[0].key].test)
        self._arrange()

    def _test(self, key: str) -> None:
        if self._rows[key].needs_key:
            self.keys_requested.emit()
        else:
            self.test_requested.emit(key)

    def _pause(self, key: str) -> None:
        (self.resume_requested if self._rows[key].paused else self.pause_requested).emit(key)
