"""Statistics too slow for a frame: worked out aside, once per question, and shown when they are there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from desktop.answers import Answers, Kept
from desktop.loading import quietly
from desktop.market.known import Unknown
from desktop.sources.state import Progress

T = TypeVar("T")
log = logging.getLogger(__name__)
_BEING_COMPUTED = Unknown("being computed")


class Deferred:
    """Answers by key. `on_done` is called on the worker when one arrives; None computes at once (reports).

    While `held` nothing is begun: the libraries behind an answer take a second to load, and the first paint comes
    first. What `answers` kept of an earlier start is looked up all the same.
    """

    def __init__(
        self, on_done: Callable[[], None] | None = None, *, held: bool = False, answers: Answers | None = None
    ) -> None:
        self._on_done, self._held, self._kept_answers = on_done, held, answers
        self._answers: dict[str, tuple[Hashable, object]] = {}
        self._running: dict[str, Hashable] = {}
        self._slow: dict[str, bool] = {}
        """Of the slow questions asked since all were answered: whether each is."""
        self._now = ""
        self._lock = threading.Lock()
        self._pool = None if on_done is None else ThreadPoolExecutor(1, "statistics")

    def get(self, name: str, key: Hashable, compute: Callable[[], T], kept: Kept | None = None) -> T | Unknown:
        """Return the answer to question `name` for the inputs named by `key`.

        Until it is there the answer is Unknown("being computed"); one question at a time is worked on, and a
        new key for the same name replaces the old one. A computation that fails is Unknown with the error. `kept`
        says how an answer outlives the program; it marks a question as a slow one.
        """
        with self._lock:
            found = self._answers.get(name)
            if found is not None and found[0] == key:
                return found[1]  # type: ignore[return-value]  # the name fixes the type
            if self._pool is not None:
                may_start = not self._held or (kept is not None and self._kept_answers is not None)
                if may_start and self._running.get(name) != key:
                    self._running[name] = key
                    if kept is not None and not self._held:
                        self._slow[name] = False
                    self._pool.submit(self._work, name, key, compute, kept).add_done_callback(self._arrived)
                return _BEING_COMPUTED
        return self._work(name, key, compute, kept)

    @property
    def progress(self) -> Progress | None:
        """The slow question that is being worked on, and how many of those asked are answered; None when idle."""
        with self._lock:
            if not self._slow:
                return None
            done = sum(self._slow.values())
            what = f"statistics: {self._now}" if self._now else "statistics"
            return Progress(what, done, len(self._slow), stoppable=False)

    def begin(self) -> None:
        """Hold nothing back any more; what was asked for meanwhile has to be asked for again."""
        with self._lock:
            self._held = False
            self._running = {name: key for name, key in self._running.items() if name in self._answers}

    def close(self) -> None:
        """Start nothing more; what runs is left to end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, name: str, key: Hashable, compute: Callable[[], T], kept: Kept | None) -> T | Unknown:
        """Look an answer up, or work it out; while held, what is not found is left for later."""
        fingerprint, found = "", None
        try:
            if kept is not None and self._kept_answers is not None:
                fingerprint = self._kept_answers.fingerprint(name, kept)
                found = self._kept_answers.find(name, fingerprint)
            if found is None and self._pool is not None and self._held:
                return _BEING_COMPUTED
            answer: Any = found
            if answer is None:
                answer = self._computed(name, compute, slow=kept is not None)
                if fingerprint and self._kept_answers is not None:
                    self._kept_answers.keep(name, fingerprint, answer)
        finally:
            self._answered(name)
        with self._lock:
            self._answers[name] = (key, answer)
        return answer  # type: ignore[no-any-return]  # the name fixes the type

    def _computed(self, name: str, compute: Callable[[], T], *, slow: bool) -> T | Unknown:
        try:
            if slow:
                self._now = name
                if self._on_done is not None:
                    self._on_done()  # what is worked on is shown meanwhile
                if self._pool is not None:
                    _load()
            return compute()
        except (ArithmeticError, ValueError, ImportError) as error:
            log.exception("%s could not be computed", name)
            return Unknown(f"could not be computed: {error}")

    def _answered(self, name: str) -> None:
        with self._lock:
            if name in self._slow:
                self._slow[name] = True
            if all(self._slow.values()):
                self._slow, self._now = {}, ""

    def _arrived(self, future: Future[Any]) -> None:
        """Say that there is news; what was only looked up and not found is none."""
        none = future.cancelled() or (future.exception() is None and future.result() is _BEING_COMPUTED)
        if not none and self._on_done is not None:
            self._on_done()


def _load() -> None:
    """Load what the slow answers need, before the first of them."""
    with quietly():
        import statsmodels.tsa.stattools  # noqa: F401
