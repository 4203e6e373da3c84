"""Statistics too slow for a frame: worked out aside, once per question, and shown when they are there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from desktop.loading import quietly
from desktop.market.known import Unknown

T = TypeVar("T")
log = logging.getLogger(__name__)


class Deferred:
    """Answers by key. `on_done` is called on the worker when one arrives; None computes at once (reports).

    While `held` nothing is begun: the libraries behind an answer take a second to load, and the first paint comes
    first.
    """

    def __init__(self, on_done: Callable[[], None] | None = None, *, held: bool = False) -> None:
        self._on_done, self._held = on_done, held
        self._answers: dict[str, tuple[Hashable, object]] = {}
        self._running: dict[str, Hashable] = {}
        self._lock = threading.Lock()
        self._pool = None if on_done is None else ThreadPoolExecutor(1, "statistics")

    def get(self, name: str, key: Hashable, compute: Callable[[], T]) -> T | Unknown:
        """Return the answer to question `name` for the inputs named by `key`.

        Until it is there the answer is Unknown("being computed"); one question at a time is worked on, and a
        new key for the same name replaces the old one. A computation that fails is Unknown with the error.
        """
        with self._lock:
            found = self._answers.get(name)
            if found is not None and found[0] == key:
                return found[1]  # type: ignore[return-value]  # the name fixes the type
            if self._pool is not None and not self._held and self._running.get(name) != key:
                self._running[name] = key
                self._pool.submit(self._work, name, key, compute).add_done_callback(self._arrived)
            if self._pool is not None:
                return Unknown("being computed")
        return self._work(name, key, compute)

    def begin(self) -> None:
        """Hold nothing back any more; what was asked for meanwhile has to be asked for again."""
        self._held = False
        if self._pool is not None:
            self._pool.submit(_load)

    def close(self) -> None:
        """Start nothing more; what runs is left to end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, name: str, key: Hashable, compute: Callable[[], T]) -> T | Unknown:
        try:
            answer: T | Unknown = compute()
        except (ArithmeticError, ValueError, ImportError) as error:
            log.exception("%s could not be computed", name)
            answer = Unknown(f"could not be computed: {error}")
        with self._lock:
            self._answers[name] = (key, answer)
        return answer

    def _arrived(self, future: Future[Any]) -> None:
        if not future.cancelled() and self._on_done is not None:
            self._on_done()


def _load() -> None:
    """Load what the answers need, before the first of them."""
    with quietly():
        import statsmodels.tsa.stattools  # noqa: F401
