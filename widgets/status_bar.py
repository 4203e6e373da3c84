"""The status bar: one mark per source, long work under way, the session and the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget
from typing_extensions import override

from widgets.painted import paint_mark
from widgets.parts import Label
from widgets.states import ProgressState, SourceDot, StatusState, Text, Tone
from widgets.theme import DARK, Theme, font

_MARK, _HEIGHT, _GAP, _STEPS = 8, 22, 16, 1000
_LONGEST, _LONGEST_MESSAGE = 340, 560
_TOLD_FOR_MS = 10_000
_SAID = {Tone.GOOD: "good", Tone.WARN: "attention", Tone.BAD: "not working", Tone.DIM: "off"}


class _Room(IntEnum):
    """How many words a source has room for."""

    MARK = 0
    NAME = 1
    ALL = 2


class _Dot(QAbstractButton):
    """One source: a mark whose shape differs by tone, and its words."""

    def __init__(self, dot: SourceDot) -> None:
        super().__init__()
        self.dot, self._theme, self._wide = dot, DARK, 0
        self._room = _Room.ALL
        self.setFont(font(12))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_dot(dot)

    def show_dot(self, dot: SourceDot) -> None:
        self.dot = dot
        self.setToolTip(f"{dot.label}: {dot.why}" if dot.why else dot.label)
        self.setAccessibleName(dot.label)
        self.setAccessibleDescription(": ".join(filter(None, (_SAID.get(dot.tone, ""), dot.why))))
        # Grows and stays: an age that gains and loses a digit must not push its neighbours about.
        wide = self.fontMetrics().horizontalAdvance(dot.label) + _MARK + 10
        if not self._wide * 0.75 <= wide <= self._wide:
            self._wide = wide
        self.update()

    def width_for(self, room: _Room) -> int:
        """Pixels that so many words take."""
        if room is _Room.ALL:
            return self._wide
        name = self.dot.name if room is _Room.NAME else ""
        return self.fontMetrics().horizontalAdvance(name) + _MARK + (10 if name else 8)

    def place(self, x: int, room: _Room) -> int:
        """Stand at `x` with so many words; return where that ends."""
        if room is not self._room:
            self._room = room
            self.update()
        self.setGeometry(x, 0, self.width_for(room), _HEIGHT)
        return x + self.width()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mark(painter, QPointF(_MARK / 2 + 2, self.height() / 2), _MARK, self.dot.tone, self._theme)
        inside = self.rect().adjusted(_MARK + 8, 0, 0, 0)
        active = self.hasFocus() or self.underMouse()
        painter.setPen(self._theme.color(Tone.PLAIN if active else Tone.DIM))
        words = {_Room.MARK: "", _Room.NAME: self.dot.name, _Room.ALL: self.dot.label}[self._room]
        painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


class _Dots(QWidget):
    """All sources in a row. Where they do not fit, words give way, first those of sources that are well."""

    def __init__(self) -> None:
        super().__init__()
        self._dots: tuple[_Dot, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_all(self, dots: tuple[_Dot, ...]) -> None:
        """Take over the dots, in this order."""
        self._dots = dots
        for dot in dots:
            dot.setParent(self)
            dot.show()
        self.arrange()

    def arrange(self) -> None:
        """Give each its place and as many words as fit."""
        self.updateGeometry()
        rooms = next((one for one in self._rooms() if self._width(one) <= self.width()), None)
        x = 0
        for dot, room in zip(self._dots, rooms or [_Room.MARK] * len(self._dots), strict=True):
            x = dot.place(x, room) + _GAP

    def _rooms(self) -> Iterator[list[_Room]]:
        """From most to fewest words: first of those that are well, then of the others."""
        loud = [one.dot.tone in (Tone.BAD, Tone.WARN) for one in self._dots]
        for quiet_room, loud_room in (
            (_Room.ALL, _Room.ALL), (_Room.NAME, _Room.ALL), (_Room.NAME, _Room.NAME), (_Room.MARK, _Room.ALL),
            (_Room.MARK, _Room.NAME), (_Room.MARK, _Room.MARK),
        ):  # fmt: skip
            yield [loud_room if one else quiet_room for one in loud]

    def _width(self, rooms: list[_Room]) -> int:
        words = sum(dot.width_for(room) for dot, room in zip(self._dots, rooms, strict=True))
        return words + _GAP * max(len(self._dots) - 1, 0)

    @override
    def sizeHint(self) -> QSize:
        return QSize(self._width([_Room.ALL] * len(self._dots)), _HEIGHT)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(self._width([_Room.MARK] * len(self._dots)), _HEIGHT)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()


class StatusStrip(QWidget):
    """Health of every source, progress of long work with a way to stop it, session and clocks."""

    cancel_requested = Signal()
    source_clicked = Signal(str)
    """Key of the source."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: StatusState | None = None
        self._theme = DARK
        self._dots: dict[str, _Dot] = {}
        self.setAccessibleName("Status")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 1, 14, 1)
        row.setSpacing(14)
        self._dot_row = _Dots()
        self._message = Label(12, name="Message")
        self._what = Label(12, name="Work under way")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress")
        self._bar.setRange(0, _STEPS)
        self._bar.setFixedSize(120, 14)
        self._bar.setFont(font(10))
        self._cancel = QPushButton("Cancel")
        self._cancel.setFont(font(11))
        self._cancel.setFixedHeight(_HEIGHT)
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self._session = Label(12, name="Session")
        self._clock = Label(12, name="Clocks")
        row.addWidget(self._dot_row)
        row.addStretch(1)
        for widget in (self._message, self._what, self._bar, self._cancel, self._session, self._clock):
            row.addWidget(widget)
        for widget in (self._message, self._what, self._bar, self._cancel):
            widget.hide()
        # Words of sources give way first: their marks stay, and hovering tells the rest.
        for label in (self._message, self._what, self._session, self._clock):
            label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            label.setMaximumWidth(_LONGEST_MESSAGE if label is self._message else _LONGEST)
        self._told: Text | None = None
        self._told_until = QTimer(self, singleShot=True, interval=_TOLD_FOR_MS)
        self._told_until.timeout.connect(self._forget)

    def show_state(self, state: StatusState) -> None:
        """Show `state`; what is shown already is left alone."""
        before, self._state = self._state, state
        if state == before:
            return
        if before is None or state.dots != before.dots:
            self._show_dots(state.dots)
        if before is None or state.progress != before.progress:
            self._show_progress(state.progress)
        self._show_message()
        self._session.show_text(state.session)
        self._clock.show_text(Text(state.clock, Tone.DIM))
        self._clock.setMinimumWidth(max(self._clock.minimumWidth(), self._clock.sizeHint().width()))

    def tell(self, text: Text) -> None:
        """Say something for some seconds, in place of the state's own message."""
        self._told = text
        self._told_until.start()
        self._show_message()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        for dot in self._dots.values():
            dot.set_theme(theme)
        for label in (self._message, self._what, self._session, self._clock):
            label.set_theme(theme)

    def _forget(self) -> None:
        self._told = None
        self._show_message()

    def _show_message(self) -> None:
        """One of: what was told just now, the work under way, the state's own message."""
        working = self._state is not None and self._state.progress is not None
        text = self._told or (None if working or self._state is None else self._state.message)
        self._message.setVisible(text is not None)
        self._what.setVisible(working and text is None)
        if text is not None:
            self._message.show_text(text)

    def _show_dots(self, dots: tuple[SourceDot, ...]) -> None:
        if tuple(one.key for one in dots) != tuple(self._dots):
            for old in self._dots.values():
                old.hide()
                old.deleteLater()
            self._dots = {one.key: self._new_dot(one) for one in dots}
            self._dot_row.show_all(tuple(self._dots.values()))
            for first, second in pairwise((self._cancel, *self._dots.values(), self._cancel)):
                QWidget.setTabOrder(first, second)
            return
        for one in dots:
            if one != self._dots[one.key].dot:
                self._dots[one.key].show_dot(one)
        self._dot_row.arrange()

    def _new_dot(self, dot: SourceDot) -> _Dot:
        made = _Dot(dot)
        made.set_theme(self._theme)
        made.clicked.connect(lambda _=False, key=dot.key: self.source_clicked.emit(key))
        return made

    def _show_progress(self, progress: ProgressState | None) -> None:
        known = progress is not None and progress.share is not None
        self._cancel.setVisible(progress is not None and progress.stoppable)
        self._bar.setVisible(known)
        if progress is None:
            return
        self._what.show_text(Text(progress.what))
        self._cancel.setAccessibleName(f"Cancel: {progress.what}")
        if progress.share is not None:
            self._bar.setValue(round(progress.share * _STEPS))
            self._bar.setFormat(f"{100 * progress.share:.0f} %")
