"""The correlation gauge: dial, the regime's four votes, what would flip it, and the history."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.dial import Dial
from widgets.painted import paint_mark, wrapped
from widgets.parts import BOLD, SEMI, Card, FactLine, Label
from widgets.small_history import SmallHistory
from widgets.states import GaugeState, Text, Tone, Vote, VoteState
from widgets.theme import DARK, Theme, font

_LINE = 15
_ROOMY_HEIGHT = 400
_MARK = 10
_SAID = {Vote.ON: ("on", Tone.WARN), Vote.OFF: ("off", Tone.GOOD), Vote.UNKNOWN: ("n/a", Tone.DIM)}


class VoteRow(QWidget):
    """One vote: a mark whose shape differs by vote, the question, the word, and the figures behind it."""

    def __init__(self) -> None:
        super().__init__()
        self._state: VoteState | None = None
        self._theme = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_state(self, state: VoteState) -> None:
        """Show `state`; nothing happens when it is shown already."""
        if state == self._state:
            return
        self._state = state
        self.setAccessibleName(f"{state.label}: {_SAID[state.vote][0]}")
        self.setAccessibleDescription(". ".join(filter(None, (state.detail, state.why))))
        self.setToolTip(
            "\n".join(filter(None, (f"{state.label}: {_SAID[state.vote][0]}", state.detail, state.why)))
        )
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(240, 18 + 2 * _LINE)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(150, 18 + _LINE)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        state = self._state
        if state is None:
            return
        word, tone = _SAID[state.vote]
        painter = QPainter(self)
        painter.setFont(font(12))
        metrics = painter.fontMetrics()
        left = _MARK + 8
        room = self.width() - left
        detail = wrapped(metrics, state.detail, room, 2 if self.height() >= 15 + 2 * _LINE else 1)
        top = max(0, (self.height() - 18 - _LINE * len(detail)) // 2)
        paint_mark(painter, QPointF(_MARK / 2 + 1, top + 9), _MARK, tone, self._theme)
        painter.setPen(self._theme.color(tone))
        word_wide = metrics.horizontalAdvance(word)
        painter.drawText(self.width() - word_wide, top + 13, word)
        painter.setPen(self._theme.color(Tone.DIM))
        for number, line in enumerate(detail):
            painter.drawText(left, top + 18 + 12 + number * _LINE, line)
        painter.setFont(font(13, SEMI))
        painter.setPen(self._theme.color(Tone.PLAIN))
        metrics, room = painter.fontMetrics(), room - word_wide - 8
        fits = metrics.horizontalAdvance(state.label) <= room
        label = state.label if fits else state.short or state.label
        painter.drawText(left, top + 13, metrics.elidedText(label, Qt.TextElideMode.ElideRight, room))
        painter.end()


class Flips(QWidget):
    """What would change the regime: as many ways as fit, all of them on hover."""

    def __init__(self) -> None:
        super().__init__()
        self._flips: tuple[str, ...] = ()
        self._theme, self._dense = DARK, False
        self.setFont(font(12))
        self.setAccessibleName("What would change the regime")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_dense(self, dense: bool) -> None:
        """Take two lines instead of four, where room is short."""
        if dense != self._dense:
            self._dense = dense
            self.updateGeometry()

    def show_flips(self, flips: tuple[str, ...]) -> None:
        """Show `flips`; nothing happens when they are shown already."""
        if flips == self._flips:
            return
        self._flips = flips
        self.setToolTip("\n".join(flips))
        self.setAccessibleDescription(". ".join(flips))
        self.setVisible(bool(flips))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(300, _LINE * (2 if self._dense else min(4, 2 * len(self._flips))) + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(100, self.sizeHint().height())

    def lines(self) -> list[str]:
        """Return the lines that fit."""
        room = max(1, self.height() // _LINE)
        made: list[str] = []
        metrics = self.fontMetrics()
        for number, flip in enumerate(self._flips):
            left = room - len(made)
            if left == 0:
                more = f" (+{len(self._flips) - number} more)"
                width = self.width() - metrics.horizontalAdvance(more)
                made[-1] = metrics.elidedText(made[-1], Qt.TextElideMode.ElideRight, width) + more
                break
            made += wrapped(metrics, flip[:1].upper() + flip[1:], self.width(), min(2, left))
        return made

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._theme.color(Tone.WARN))
        for number, line in enumerate(self.lines()):
            painter.drawText(0, 12 + number * _LINE, line)
        painter.end()


class GaugePanel(Card):
    """Mean pairwise correlation as a dial, and the regime's votes beside it."""

    cursor_moved = Signal(object)
    """Day under the cursor of the history, seconds since 1970 UTC as float; None when there is none."""

    def __init__(self) -> None:
        super().__init__("Correlation gauge")
        self._state: GaugeState | None = None
        self._theme = DARK
        self._regime = self.label(12, SEMI, name="Regime")
        self.title_row.addWidget(self._regime)
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.hide()
        self._content = QWidget()
        self.body.addWidget(self._message, 1)
        self.body.addWidget(self._content, 1)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._top = QHBoxLayout()
        self._top.setSpacing(14)
        column.addLayout(self._top, 5)

        left = QVBoxLayout()
        left.setSpacing(1)
        self._dial = Dial("Mean pairwise correlation")
        self._value = self.label(28, BOLD, name="Mean pairwise correlation")
        self._value.setAlignment(Qt.AlignmentFlag.AlignCenter)
        left.addWidget(self._dial, 1)
        left.addWidget(self._value)
        self._captions_column = QVBoxLayout()
        self._captions_column.setSpacing(0)
        left.addLayout(self._captions_column)
        self._captions = [self._new_caption() for _ in range(3)]
        self._top.addLayout(left, 9)

        self._votes_column = QVBoxLayout()
        self._votes_column.setSpacing(2)
        self._top.addLayout(self._votes_column, 12)
        self._votes: list[VoteRow] = []

        self._flips = Flips()
        column.addWidget(self._flips)
        self._legend = FactLine("Legend of the history", 11, most_lines=1)
        self._history = SmallHistory("History of correlation: realised and implied")
        self._history.cursor_moved.connect(self.cursor_moved)
        column.addWidget(self._legend)
        column.addWidget(self._history, 2)
        self.setFocusProxy(self._history)

    def show_state(self, state: GaugeState) -> None:
        """Show `state`; what is shown already is left alone."""
        if state == self._state:
            return
        self._state = state
        self._regime.show_text(state.regime)
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        self._content.setVisible(not state.message)
        self._dial.show_value(state.value, state.zones)
        self._value.show_text(state.text)
        reason = "\n".join(filter(None, (state.text.text, state.text.why)))
        if reason != self._dial.toolTip():
            self._dial.setToolTip(reason)
            self._dial.setAccessibleDescription(reason)
        while len(self._captions) < len(state.captions):
            self._captions.append(self._new_caption())
        for number, caption in enumerate(self._captions):
            caption.setVisible(number < len(state.captions))
            if number < len(state.captions):
                caption.show_text(state.captions[number])
        while len(self._votes) < len(state.votes):
            row = VoteRow()
            row.set_theme(self._theme)
            self._votes_column.addWidget(row)
            self._votes.append(row)
        for number, row in enumerate(self._votes):
            row.setVisible(number < len(state.votes))
            if number < len(state.votes):
                row.show_state(state.votes[number])
        self._flips.show_flips(state.flips)
        self._legend.show_facts(state.legend)
        self._history.show_curves(state.realised, state.implied)
        self._history.show_rails(state.rails)
        self._history.setVisible(state.realised is not None or state.implied is not None)

    def show_cursor(self, at: float | None) -> None:
        """Show the cursor where another chart of days has it."""
        self._history.show_cursor(at)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        for row in self._votes:
            row.set_theme(theme)
        self._dial.set_theme(theme)
        self._flips.set_theme(theme)
        self._legend.set_theme(theme)
        self._history.set_theme(theme)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._flips.set_dense(self.height() < _ROOMY_HEIGHT)
        super().resizeEvent(event)

    def _new_caption(self) -> Label:
        made = self.label(12, wrap=True)
        made.set_theme(self._theme)
        made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._captions_column.addWidget(made)
        return made
