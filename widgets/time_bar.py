"""The bar of the time machine: a moment to type, a slider over the session, transport, and the way back to now."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QWidget
from typing_extensions import override

from widgets.parts import SEMI, Label, Segmented
from widgets.playback import SeekSlider, speeds
from widgets.states import Text, Tone
from widgets.states_time import TimeState
from widgets.theme import DARK, Theme, font

MINUTE = timedelta(minutes=1)
_HINT = "2024-07-11 10:30 (New York), 10:30, a date, or an ISO time with zone"


class _Marked(SeekSlider):
    """A slider over minutes, with thin marks where something happened."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: tuple[float, ...] = ()
        self.theme = DARK

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.theme.color(Tone.WARN))
        for share in self.marks:
            x = round(6 + share * max(1, self.width() - 12))
            painter.drawLine(x, 1, x, 5)
        painter.end()


class TimeBar(QFrame):
    """Shows the past moment and lets the user go to another."""

    moved = Signal(object)
    """Where to go, aware datetime, UTC."""
    typed = Signal(str)
    play_toggled = Signal()
    speed_chosen = Signal(int)
    left = Signal()
    """Back to now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: TimeState | None = None
        self.setProperty("card", True)
        self.setAccessibleName("Time machine")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 5, 16, 5)
        row.setSpacing(8)
        self._title = Label(12, SEMI)
        self._title.show_text(Text("AS OF", Tone.PAST, "Everything shown is what was known at this moment."))
        self.field = QLineEdit()
        self.field.setAccessibleName("Moment to show, New York time")
        self.field.setToolTip(_HINT)
        self.field.setFont(font(13))
        self.field.setFixedWidth(140)
        self.field.returnPressed.connect(lambda: self.typed.emit(self.field.text()))
        self.before = _button("«", "Session before", "Alt+PgUp")
        self.back = _button("−1m", "A minute back", "Alt+Left")
        self.play = _button("Play", "Play or pause", "Ctrl+Space")
        self.play.setFixedWidth(64)
        self.forward = _button("+1m", "A minute forward", "Alt+Right")
        self.after = _button("»", "Session after", "Alt+PgDown")
        self.now = _button("Back to now", "Back to now", "Ctrl+Shift+T, or Escape here")
        self.slider = _Marked()
        self.slider.setAccessibleName("Minute of the session")
        self.slider.setSingleStep(1)
        self.slider.setPageStep(15)
        self.slider.valueChanged.connect(self._slid)
        self._speeds = Segmented("Speed of the time machine")
        self._speeds.chosen.connect(lambda key: self.speed_chosen.emit(int(key)))
        self._note = Label(11, name="What this session holds")
        self._wrong = Label(11, name="What is wrong with the moment typed")
        self._wrong.hide()
        self._clock = Label(13, SEMI, name="Moment shown")
        self._clock.setMinimumWidth(150)
        self._clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.before.clicked.connect(lambda: self.go_to_session(-1))
        self.after.clicked.connect(lambda: self.go_to_session(+1))
        self.back.clicked.connect(lambda: self.go_by(-MINUTE))
        self.forward.clicked.connect(lambda: self.go_by(MINUTE))
        self.play.clicked.connect(lambda: self.play_toggled.emit())
        self.now.clicked.connect(lambda: self.left.emit())
        for widget, stretch in (
            (self._title, 0),
            (self.field, 0),
            (self._wrong, 0),
            (self.before, 0),
            (self.back, 0),
            (self.play, 0),
            (self.forward, 0),
            (self.after, 0),
            (self._speeds, 0),
            (self.slider, 1),
            (self._note, 0),
            (self._clock, 0),
            (self.now, 0),
        ):
            row.addWidget(widget, stretch)

    def show_state(self, state: TimeState) -> None:
        """Show `state`; a slider held by the mouse and a field being typed in stay as they are."""
        before, self._state = self._state, state
        if state == before:
            return
        if not (self.field.hasFocus() and self.field.isModified()) and self.field.text() != state.typed:
            self.field.setText(state.typed)
            if self.field.hasFocus():
                self.field.selectAll()  # what is typed next takes its place
        if before is None or state.at != before.at:
            self._wrong.hide()
        self.play.setText("Pause" if state.playing else "Play")
        if before is None or state.speed != before.speed:
            self._speeds.show_choices(speeds(state.speed))
        self.before.setEnabled(state.before is not None)
        self.after.setEnabled(state.after is not None)
        minutes = max(1, round((state.last - state.first) / MINUTE))
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setRange(0, minutes)
            self.slider.setValue(round((min(max(state.at, state.first), state.last) - state.first) / MINUTE))
            self.slider.blockSignals(False)
        marks = tuple((one.at - state.first) / MINUTE / minutes for one in state.marks)
        self.slider.setToolTip("\n".join(one.words for one in state.marks))
        self.slider.setAccessibleDescription(state.clock.text)
        if marks != self.slider.marks:
            self.slider.marks = tuple(share for share in marks if 0 <= share <= 1)
            self.slider.update()
        self._note.show_text(state.note)
        self._note.setVisible(bool(state.note.text))
        self._clock.show_text(state.clock)

    def show_wrong(self, words: str) -> None:
        """Say in place what is wrong with what was typed."""
        self._wrong.show_text(Text(words.partition(";")[0], Tone.BAD, words))
        self._wrong.show()

    def edit(self) -> None:
        """Give the keyboard to the moment, ready to be typed over."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def go_by(self, step: timedelta) -> None:
        """Ask for a moment so much later."""
        if self._state is not None:
            self.moved.emit(self._state.at + step)

    def go_to_session(self, direction: int) -> None:
        """Ask for the open of the session before (-1) or after (+1)."""
        if self._state is not None:
            to: datetime | None = self._state.before if direction < 0 else self._state.after
            if to is not None:
                self.moved.emit(to)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        for label in (self._title, self._note, self._wrong, self._clock):
            label.set_theme(theme)
        self.slider.theme = theme
        self.slider.update()

    def _slid(self, value: int) -> None:
        if self._state is not None:
            self.moved.emit(self._state.first + value * MINUTE)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)

    @override
    def sizeHint(self) -> QSize:
        return QSize(1264, 40)


def _button(text: str, name: str, keys: str) -> QPushButton:
    made = QPushButton(text)
    made.setAccessibleName(name)
    made.setToolTip(f"{name} ({keys})")
    return made
