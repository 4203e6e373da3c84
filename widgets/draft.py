"""What the user has typed or chosen, while the answer to it is still on its way."""

from __future__ import annotations

import time
from collections.abc import Callable

_FORGET_AFTER_S = 3.0
"""Answers come within a frame or two; what was sent longer ago is no longer awaited."""


class Draft:
    """One input shared between a person and the states that answer.

    A person types faster than frames come, so a state may carry what was typed a moment ago. Such a late echo is
    no news and must not undo what stands there now. A state that carries anything else was changed elsewhere
    (a stop line dragged in a chart) and wins.
    """

    def __init__(self, value: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.value = value
        """What stands in the widget."""
        self._told = value
        self._sent: list[tuple[float, str]] = []
        self._clock = clock

    def send(self, value: str) -> None:
        """The person made it `value`; states will answer."""
        now = self._clock()
        self._sent = [one for one in self._sent if now - one[0] <= _FORGET_AFTER_S]
        self._sent.append((now, value))
        self.value = value

    def take(self, told: str) -> bool:
        """Hear what a state says; True when it was changed elsewhere, so that the widget must now show `value`."""
        before, self._told = self._told, told
        if told == before:
            return False
        now = self._clock()
        awaited = [value for at, value in self._sent if now - at <= _FORGET_AFTER_S]
        if told in awaited:
            self._sent = self._sent[len(self._sent) - len(awaited) + awaited.index(told) + 1 :]
            return False
        if told == self.value:
            return False
        self._sent.clear()
        self.value = told
        return True
