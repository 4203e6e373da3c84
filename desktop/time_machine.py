"""Plays the past: while a view says so, its moment moves on, from session to session, up to the present."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.market.clock import PlayClock
from desktop.presenters.frame import View
from desktop.presenters.time_machine import next_start, session_of, span

STEP_MS = 250
"""As often as the frame clock: a moment no frame shows is not worth asking for."""


class TimeMachine(QObject):
    """Follows the view, and moves it on while it plays."""

    moved = Signal(object)
    """The next `View`."""

    def __init__(
        self, parent: QObject | None = None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._view: View | None = None
        self._clock: PlayClock | None = None
        self._told: datetime | None = None
        self._timer = QTimer(self, interval=STEP_MS)
        self._timer.timeout.connect(self.step)

    def follow(self, view: View) -> None:
        """Take over what the user asked for: a moment, a speed, to play or to stand still."""
        before, self._view = self._view, view
        if view.as_of is None or not view.playing:
            self._timer.stop()
            self._clock = None
            return
        if self._clock is None or view.as_of != self._told:
            self._clock = PlayClock(view.as_of, view.speed)
        elif before is not None and view.speed != before.speed:
            self._clock.set_speed(view.speed)
        if not self._timer.isActive():
            self._timer.start()

    @property
    def playing(self) -> bool:
        """Whether it moves."""
        return self._timer.isActive()

    def step(self) -> None:
        """Move on by what has passed; a night is skipped, and at the present it stops."""
        if self._clock is None or self._view is None or self._view.as_of is None:
            return
        at, now = self._clock.now(), self._now()
        if at > span(session_of(self._view.as_of))[1]:
            at = next_start(self._view.as_of)
            self._clock.seek(at)
        ended = at >= now
        self._told = min(at, now)
        self.moved.emit(replace(self._view, as_of=self._told, playing=not ended))
