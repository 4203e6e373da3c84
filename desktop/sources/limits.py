"""Manners towards a host: how often it is asked, and how long it is left alone when it asks for that."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable


class TokenBucket:
    """At most `rate_per_s` requests a second in the long run, `burst` at once. All times are monotonic seconds."""

    def __init__(self, rate_per_s: float = 1.0, burst: int = 3) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._tokens, self._at_s = float(burst), 0.0
        self._lock = threading.Lock()

    @property
    def per_hour(self) -> int:
        """Most requests an hour, in the long run."""
        return round(self._rate_per_s * 3600)

    def reserve(self, now_s: float) -> float:
        """Take one token; return how many seconds to wait before using it (0 when one was free)."""
        with self._lock:
            self._tokens = min(self._burst, self._tokens + max(now_s - self._at_s, 0.0) * self._rate_per_s)
            self._at_s = max(now_s, self._at_s)
            self._tokens -= 1
            return max(-self._tokens / self._rate_per_s, 0.0)


class HostBreaker:
    """Leaves a host alone that said "too many requests": 5, then 15, then 60 minutes, each +- 10 %.

    When the pause is over one caller may probe; it alone decides whether the host is asked again. All times are
    monotonic seconds.
    """

    PAUSES_S = (300.0, 900.0, 3600.0)

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter  # 0..1; spreads the copies of many users
        self._trips, self._until_s, self._probing = 0, 0.0, False
        self._lock = threading.Lock()

    def retry_after_s(self, now_s: float) -> float:
        """Seconds until the host may be asked again, 0 when it may be asked now."""
        with self._lock:
            return max(self._until_s - now_s, 0.0) if self._trips else 0.0

    def enter(self, now_s: float) -> float:
        """Ask to send: 0 lets the caller through, more says how many seconds to stay away."""
        with self._lock:
            if not self._trips:
                return 0.0
            if self._probing or now_s < self._until_s:
                return max(self._until_s - now_s, 1.0)
            self._probing = True
            return 0.0

    def settle(self, now_s: float, *, limited: bool | None) -> None:
        """Tell how a call ended: True for a 429, False for an answer, None when nothing was learnt."""
        with self._lock:
            self._probing = False
            if limited:
                pause_s = self.PAUSES_S[min(self._trips, len(self.PAUSES_S) - 1)]
                self._trips += 1
                self._until_s = now_s + pause_s * (0.9 + 0.2 * self._jitter())
            elif limited is False:
                self._trips = 0
