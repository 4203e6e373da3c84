"""Transport of the demo session: play or pause, speed, where it stands."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QSlider, QStyle, QWidget
from typing_extensions import override

from widgets.parts import SEMI, Label, Segmented
from widgets.states import Choice, PlaybackState, Text, Tone
from widgets.theme import Theme

SPEEDS = (1, 10, 60, 300, 600)
_STEPS = 1000


class SeekSlider(QSlider):
    """A slider that goes where it is clicked, not one page that way."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, _STEPS)
        self.setPageStep(_STEPS // 20)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            span = max(1, self.width() - 12)
            there = QStyle.sliderValueFromPosition(
                self.minimum(), self.maximum(), round(event.position().x()) - 6, span
            )
            self.setValue(there)
        super().mousePressEvent(event)


class PlaybackBar(QFrame):
    """Shows where the demo stands and lets the user move it."""

    play_toggled = Signal()
    speed_chosen = Signal(int)
    sought = Signal(float)
    """Share 0..1 of the session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: PlaybackState | None = None
        self.setProperty("card", True)
        self.setAccessibleName("Playback of the demo")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 5, 16, 5)
        row.setSpacing(12)
        self._title = Label(12, SEMI)
        self._title.show_text(
            Text("DEMO", Tone.WARN, "Simulated between published levels; nothing here is a quote.")
        )
        self._play = QPushButton("Pause")
        self._play.setFixedWidth(72)
        self._play.clicked.connect(lambda: self.play_toggled.emit())
        self._speeds = Segmented("Speed")
        self._speeds.chosen.connect(lambda key: self.speed_chosen.emit(int(key)))
        self._seek = SeekSlider()
        self._seek.setAccessibleName("Time of the demo session")
        self._seek.valueChanged.connect(self._moved)
        self._clock = Label(13, SEMI, name="Clock of the demo")
        self._clock.setMinimumWidth(96)
        self._clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._title)
        row.addWidget(self._play)
        row.addWidget(self._speeds)
        row.addWidget(self._seek, 1)
        row.addWidget(self._clock)

    def show_state(self, state: PlaybackState) -> None:
        """Show `state`; a slider held by the mouse stays in the hand."""
        before, self._state = self._state, state
        if state == before:
            return
        word = "Play" if state.paused else "Pause"
        if word != self._play.text():
            self._play.setText(word)
        if before is None or state.speed != before.speed:
            offered = speeds(state.speed)
            self._speeds.show_choices(offered)
            stops = (self._play, *(self._speeds.button(one.key) for one in offered), self._seek)
            for first, second in pairwise(stops):
                QWidget.setTabOrder(first, second)
        if not self._seek.isSliderDown():
            self._seek.blockSignals(True)
            self._seek.setValue(round(state.position * _STEPS))
            self._seek.blockSignals(False)
        self._seek.setAccessibleDescription(state.clock)
        self._clock.show_text(Text(state.clock))

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._title.set_theme(theme)
        self._clock.set_theme(theme)

    def _moved(self, value: int) -> None:
        self.sought.emit(value / _STEPS)


def speeds(now: int) -> tuple[Choice, ...]:
    """The usual speeds, and the present one where it is another."""
    offered = sorted({*SPEEDS, now})
    return tuple(
        Choice(str(one), f"{one}x", chosen=one == now, why=f"{one} seconds of the session a second")
        for one in offered
    )
