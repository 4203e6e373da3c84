"""What time it is: the system's, or that of a session being played again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import inf
from typing import Protocol

from desktop.market.quotes import require_utc


class Clock(Protocol):
    """Tells the time in UTC. `speed` is how many of its seconds pass in one of the wall's."""

    @property
    def speed(self) -> float:
        """Seconds of this clock per second of the wall; 0 while paused."""
        ...

    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...


class SystemClock:
    """The computer's own clock, and how far off it is, once a server has told the time."""

    def __init__(self) -> None:
        self.ahead_s: float | None = None
        """Seconds by which this clock is ahead of a server's, below zero behind it; None when none was heard."""

    def hear(self, said: str | None) -> None:
        """Compare with what a server said just now, in the `Date` of its answer (whole seconds)."""
        try:
            told = parsedate_to_datetime(said or "")
        except ValueError:
            return
        if told.tzinfo is not None:
            self.ahead_s = (self.now() - told).total_seconds() - 0.5

    @property
    def speed(self) -> float:
        """Always 1."""
        return 1.0

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)


class PlayClock:
    """Plays from `start` at `speed` seconds a second; may be paused, sought and bounded. Safe in any thread.

    It never passes `end`: there it stands still until it is sought back.
    """

    def __init__(
        self,
        start: datetime,
        speed: float,
        *,
        end: datetime | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._wall = wall
        self._from, self._since = require_utc("clock", "start", start), wall()
        self._end = None if end is None else require_utc("clock", "end", end)
        self._speed, self._paused = _positive(speed), False

    @property
    def speed(self) -> float:
        """Seconds of this clock per second of the wall; 0 while paused."""
        return 0.0 if self._paused else self._speed

    @property
    def chosen_speed(self) -> float:
        """The speed it has, or will have again after a pause."""
        return self._speed

    @property
    def paused(self) -> bool:
        """True while it stands still on request."""
        return self._paused

    def now(self) -> datetime:
        """The time, aware, UTC."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        elapsed = 0.0 if self._paused else (self._wall() - self._since) * self._speed
        at = self._from + timedelta(seconds=elapsed)
        return at if self._end is None else min(at, self._end)

    def _restart(self, at: datetime) -> None:
        self._from, self._since = at, self._wall()

    def pause(self) -> None:
        """Stand still."""
        with self._lock:
            self._restart(self._now())
            self._paused = True

    def resume(self) -> None:
        """Go on from where it stood."""
        with self._lock:
            if self._paused:
                self._paused = False
                self._restart(self._from)

    def set_speed(self, speed: float) -> None:
        """Play at `speed` seconds a second from here; raises ValueError unless it is above zero."""
        with self._lock:
            self._restart(self._now())
            self._speed = _positive(speed)

    def seek(self, at: datetime) -> None:
        """Go to `at`, playing or paused as before."""
        with self._lock:
            self._restart(require_utc("clock", "at", at))


def _positive(speed: float) -> float:
    if not 0 < speed < inf:
        raise ValueError(f"speed = {speed}: must be finite and above zero (use pause to stand still)")
    return float(speed)
