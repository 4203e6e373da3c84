"""The lane of a publisher in the feed: asks for each dataset when it is due, stores what came, says how it stands.

A publisher is asked a few times a day and answers within its own time limit, so one thread does.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from desktop.market.clock import Clock
from desktop.market.known import Maybe, Unknown
from desktop.market.store import Priority, Publication, Store
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Publisher, Stamp, Unchanged
from desktop.sources.plan import Plan
from desktop.sources.state import FeedState, Progress, SourceState

RETRY_S = (300.0, 900.0, 3600.0)
"""After a failure, the next try: 5, then 15, then 60 minutes later, never later than the dataset's own period."""
_NAP_S = 0.25
"""Longest wall wait, so that a clock that was moved, paused or sped up is noticed."""
_LATE = 3.0
"""A dataset not checked for so many of its periods is stale."""

log = logging.getLogger(__name__)


class PublisherLane:
    """One publisher: what is due, what came, how it stands. Orders come from any thread."""

    def __init__(
        self, publisher: Publisher, store: Store, clock: Clock, on_change: Callable[[], None], plan: Plan
    ) -> None:
        self._publisher, self._store, self._clock, self._plan = publisher, store, clock, plan
        self._on_change = on_change
        self._lock = threading.Condition()
        self.worker: threading.Thread | None = None
        self._stopping = self._paused = False
        self._asked: deque[Dataset] = deque()
        self._running: Dataset | None = None
        # by name of dataset
        self._checked: dict[str, Publication] = {}
        self._failed: dict[str, tuple[int, Failure, datetime]] = {}
        """Failures in a row, the last of them, and when to try again."""
        self._notes: dict[str, str] = {}
        """What the last answer told about itself."""
        self._last_error: Failure | None = None
        self.refreshing = False
        self.last_refresh: datetime | None = None

    @property
    def name(self) -> str:
        """Name of the publisher."""
        return self._publisher.name

    # Orders

    def start(self) -> None:
        """Begin to ask."""
        self.worker = threading.Thread(target=self._work, name=f"feed-{self.name}", daemon=True)
        self.worker.start()

    def stop(self) -> None:
        """Ask nothing more; what still arrives is dropped."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        self._publisher.close()

    def set_plan(self, plan: Plan) -> None:
        """Take over what is asked for."""
        with self._lock:
            self._plan = plan
            self._lock.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Leave it alone, or ask it again; what was asked for by hand is asked all the same."""
        with self._lock:
            self._paused = paused
            self._lock.notify_all()

    def refresh(self) -> None:
        """Ask now; does nothing while an earlier such call still runs."""
        with self._lock:
            if self.refreshing or self._stopping or self.worker is None or self._off():
                return
            self.refreshing = True
            self._asked = deque(self._publisher.datasets)
            self._lock.notify_all()

    def cancel_backfill(self) -> None:
        """Nothing to cancel: what a publisher sends comes in one piece."""

    def tend(self) -> None:
        """Nothing to tend: a publisher answers within its own time limit."""

    @property
    def progress(self) -> Progress | None:
        """The first download of a dataset; later ones are too small to be told."""
        with self._lock:
            running = self._running
            if running is None or running.name in self._checked:
                return None
            total = len(self._publisher.datasets)
            return Progress(f"{self.name} {running.name}", min(len(self._checked), total - 1), total)

    # The worker

    def _work(self) -> None:
        with self._lock:
            known = {one.name: self._store.publication(self.name, one.name) for one in self._publisher.datasets}
            self._checked = {name: one for name, one in known.items() if one is not None}
        while True:
            with self._lock:
                if self._stopping:
                    return
                dataset = self._next()
                if dataset is None:
                    self._settle()
                    self._lock.wait(_NAP_S)
                    continue
                self._running = dataset
                held = self._checked.get(dataset.name)
            answer = self._fetch(dataset, Stamp() if held is None else Stamp(held.etag, held.last_modified))
            with self._lock:
                self._running = None
                self._note(dataset, answer)
                if not self._asked:
                    self._settle()
            self._on_change()

    def _settle(self) -> None:
        if self.refreshing and not self._asked:
            self.refreshing, self.last_refresh = False, self._clock.now()

    def _off(self) -> str:
        return self._plan.off or self._publisher.off

    def _next(self) -> Dataset | None:
        if self._off():
            self._asked.clear()
            return None
        if self._asked:
            return self._asked.popleft()
        if self._paused or self._clock.speed == 0:
            return None
        now = self._clock.now()
        return next((one for one in self._publisher.datasets if self._due(one, now) <= now), None)

    def _due(self, dataset: Dataset, now: datetime) -> datetime:
        failed, checked = self._failed.get(dataset.name), self._checked.get(dataset.name)
        if failed is not None:
            return failed[2]
        return now if checked is None else checked.checked_at + timedelta(seconds=dataset.every_s)

    def _fetch(self, dataset: Dataset, stamp: Stamp) -> Publication | Failure:
        try:
            answer = self._publisher.fetch(dataset, stamp)
            if isinstance(answer, Failure):
                return answer
            return self._keep(dataset, answer)
        except Exception as error:  # the thread's outermost frame: one publisher must not silence its lane
            log.exception("%s failed at %s", self.name, dataset.name)
            kind = FailureKind.BAD_PAYLOAD
            return Failure(kind, self.name, dataset.name, f"{type(error).__name__}: {error}", self._clock.now())

    def _keep(self, dataset: Dataset, answer: Published | Unchanged) -> Publication | Failure:
        """Store all of an answer or nothing of it, and that it was checked."""
        now, source = self._clock.now(), self.name
        held = self._store.publication(source, dataset.name)
        if isinstance(answer, Unchanged):
            if held is None:
                return Failure(FailureKind.BAD_PAYLOAD, source, dataset.name, "unchanged, yet never fetched", now)
            checked = Publication(held.etag, held.last_modified, now, held.known_at)
            self._store.put_publication(source, dataset.name, checked)
            return checked
        checked = Publication(answer.stamp.etag, answer.stamp.last_modified, now, answer.known_at)
        with self._store.together():
            for bars in answer.bars:
                self._store.put_bars(bars, source=source, priority=Priority.VENDOR)
            for closes in answer.closes:
                self._store.put_closes(closes, source=source, priority=Priority.VENDOR)
            if answer.quotes:
                self._store.put_quotes(answer.quotes)
            for series_id, rows in answer.series.items():
                self._store.put_series(series_id, rows, source=source)
            if answer.releases:
                dates = [(kind.value, at) for at, kind in answer.releases]
                self._store.put_calendar(source, dates, seen_at=now)
            self._store.put_publication(source, dataset.name, checked)
        with self._lock:
            self._notes[dataset.name] = answer.note
        return checked

    def _note(self, dataset: Dataset, outcome: Publication | Failure) -> None:
        if isinstance(outcome, Publication):
            self._checked[dataset.name] = outcome
            self._failed.pop(dataset.name, None)
            return
        self._last_error = outcome
        times = self._failed[dataset.name][0] + 1 if dataset.name in self._failed else 1
        pause_s = min(RETRY_S[min(times, len(RETRY_S)) - 1], dataset.every_s)
        pause_s = max(pause_s, outcome.retry_after_s or 0.0)
        self._failed[dataset.name] = times, outcome, self._clock.now() + timedelta(seconds=pause_s)

    # How it stands

    def state(self, now: datetime) -> SourceState:
        """How it stands."""
        with self._lock:
            state, note = self._judge(now)
            dues = [self._due(one, now) for one in self._publisher.datasets]
            return SourceState(
                self.name,
                state,
                self._age(now, note) if state is not FeedState.OFF else Unknown(note),
                0.0,
                max((one.checked_at for one in self._checked.values()), default=None),
                self._last_error,
                None if state is FeedState.OFF or not dues else max(min(dues), now),
                note,
                requests=self._publisher.requests,
                paused=self._paused,
            )

    def _age(self, now: datetime, note: str) -> Maybe:
        """Age of the newest that is known, in seconds."""
        if not self._checked:
            return Unknown(note or "nothing has arrived yet")
        newest = max(one.known_at for one in self._checked.values())
        return max((now - newest).total_seconds(), 0.0)

    def _judge(self, now: datetime) -> tuple[FeedState, str]:
        if off := self._off():
            return FeedState.OFF, off
        if self._paused:
            return FeedState.OFF, "paused by you"
        failing = [f"{name}: {failure.message}: {failure.cure}" for name, (_, failure, _) in self._failed.items()]
        telling = [f"{name}: {note}" for name, note in self._notes.items() if note]
        why = "; ".join([*failing, *telling])
        if not self._checked:
            return FeedState.UNAVAILABLE, why or "waiting for the first answer"
        late = [
            one.name
            for one in self._publisher.datasets
            if one.name in self._checked
            and (now - self._checked[one.name].checked_at).total_seconds() > _LATE * one.every_s
        ]
        if late:
            return FeedState.STALE, why or f"not checked for long: {', '.join(late)}"
        return FeedState.LIVE, why
