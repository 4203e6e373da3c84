"""The feed: every source and publisher in a lane of its own, started, stopped, refreshed and watched together.

Nothing here knows of a window. Each lane fails alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from desktop.market.clock import Clock
from desktop.market.store import Store
from desktop.sources.contract import Failure, FailureKind, Publisher, Source
from desktop.sources.lane import NAP_S, SourceLane
from desktop.sources.plan import HURRY_AT_MOST, Hurry, Plan
from desktop.sources.publishing import PublisherLane
from desktop.sources.state import FeedState, Progress, SourceState
from desktop.sources.stream import Stream

__all__ = ["Feed", "FeedState", "Plan", "Progress", "SourceState"]

_AN_ANSWER = frozenset({FailureKind.NOT_FOUND, FailureKind.NO_DATA})
"""The source works: it says that there is nothing."""

Lane: TypeAlias = SourceLane | PublisherLane | Stream
"""What runs one source."""


class Feed:
    """Runs every source and every publisher in its own lane.

    Parameters
    ----------
    store
        Where everything that arrives goes; used from the workers' threads.
    sources
        Each is asked for the whole plan and fails alone.
    clock
        Tells when a job is due. Where it has a `speed`, waits shrink with it; a paused clock starts nothing.
    on_change
        Called on a worker's thread after each finished job; must return fast.
    plan
        See `Plan`; may be replaced at any time by assigning `feed.plan`.
    publishers
        Official publishers, asked as often as their datasets are worth it.
    stream
        Listens beside the polling, once `listen` asks for it.
    """

    def __init__(
        self,
        store: Store,
        sources: Sequence[Source],
        clock: Clock,
        on_change: Callable[[], None],
        plan: Plan,
        publishers: Sequence[Publisher] = (),
        stream: Stream | None = None,
    ) -> None:
        self._clock, self._plan = clock, plan
        self._source_lanes = tuple(SourceLane(one, store, clock, on_change, plan) for one in sources)
        self._publisher_lanes = tuple(PublisherLane(one, store, clock, on_change, plan) for one in publishers)
        self._stream = stream
        beside = () if stream is None else (stream,)
        self._lanes: tuple[Lane, ...] = (*self._source_lanes, *beside, *self._publisher_lanes)
        self._hurry: Hurry | None = None
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_deadlines, name="feed-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask; with `plan.off` nothing is asked until a plan without it is set."""
        for lane in self._lanes:
            lane.start()
        self._watch.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End all threads; a worker that hangs in a source is left behind after `timeout_s` wall seconds."""
        until = time.monotonic() + timeout_s
        self._stopping.set()
        for lane in self._lanes:
            lane.stop()
        threads = [lane.worker for lane in self._lanes] + [self._watch]
        for thread in threads:
            if thread is not None and thread.is_alive():
                thread.join(max(until - time.monotonic(), 0.0))

    @property
    def plan(self) -> Plan:
        """What is asked for."""
        return self._plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        self._plan = plan
        for lane in self._lanes:
            lane.set_plan(plan)

    def refresh_now(self) -> None:
        """Ask every source now for quotes and minute bars, every publisher for everything.

        Does nothing where such a refresh still runs.
        """
        for lane in self._lanes:
            lane.refresh()

    def hurry(self, until: datetime, every_s: float = 2.0) -> None:
        """Ask every source for quotes each `every_s` seconds until `until`: around a release.

        At most 15 minutes from now, and never denser than half of a source's request budget; history waits until
        it is over. A later call takes the place of an earlier one; `until` in the past ends it. A source that was
        paused, is off, fails or asked for quiet is not hurried. All by the feed's clock.

        Parameters
        ----------
        until
            Aware, UTC.
        every_s
            Seconds, more than 0.
        """
        if every_s <= 0:
            raise ValueError(f"every_s {every_s:g}: seconds between quotes are more than 0")
        now = self._clock.now()
        self._hurry = Hurry(now, min(until, now + HURRY_AT_MOST), every_s)
        for lane in self._source_lanes:
            lane.hurry(self._hurry)

    @property
    def hurried_until(self) -> datetime | None:
        """Until when quotes are asked for in a hurry, None when they are not."""
        hurry = self._hurry
        return hurry.until if hurry is not None and hurry.holds(self._clock.now()) else None

    def ask_quotes(self) -> None:
        """Ask every source for one batch of quotes now, ahead of its rounds; no history, no publisher."""
        for lane in self._source_lanes:
            lane.ask_quotes()

    def test(self, source: str) -> None:
        """Ask one source or publisher now."""
        for lane in self._named(source):
            lane.refresh()

    def pause(self, source: str, *, paused: bool) -> None:
        """Leave one source or publisher alone, or ask it again; what it said before stays."""
        for lane in self._named(source):
            lane.pause(paused=paused)

    def listen(self, *, wanted: bool) -> None:
        """Listen to the stream, or stop it; does nothing where it is so already."""
        if self._stream is not None:
            self._stream.want(wanted=wanted)

    def _named(self, source: str) -> list[Lane]:
        return [lane for lane in self._lanes if lane.name == source]

    @property
    def refreshing(self) -> bool:
        """True from `refresh_now` until every source of prices has answered or failed; see `settled`."""
        return any(lane.refreshing for lane in self._source_lanes)

    @property
    def settled(self) -> bool:
        """False from `refresh_now` until every source and publisher has answered or failed."""
        return not any(lane.refreshing for lane in self._lanes)

    @property
    def last_refresh(self) -> datetime | None:
        """When prices were complete after the last manual refresh, None before."""
        times = [lane.last_refresh for lane in self._source_lanes if lane.last_refresh is not None]
        return max(times) if times and not self.refreshing else None

    def states(self) -> tuple[SourceState, ...]:
        """How each source stands now; never waits for one."""
        now = self._clock.now()
        return tuple(lane.state(now) for lane in self._lanes)

    @property
    def unreachable(self) -> Failure | None:
        """Why no source of prices can be reached; None while one has answered, or may still."""
        now = self._clock.now()
        states = [one for lane in self._source_lanes if (one := lane.state(now)).state is not FeedState.OFF]
        errors = [one.last_error for one in states if one.last_error is not None and one.last_success is None]
        failed = [one for one in errors if one.kind not in _AN_ANSWER]
        if not states or len(failed) < len(states):
            return None
        return failed[0]

    @property
    def progress(self) -> Progress | None:
        """History that is being fetched, None when none is."""
        running = [one for lane in self._lanes if (one := lane.progress) is not None]
        if not running:
            return None
        return Progress(running[0].what, sum(p.done for p in running), sum(p.total for p in running))

    def cancel_backfill(self) -> None:
        """Fetch no more history until the next session has closed or the next manual refresh."""
        for lane in self._lanes:
            lane.cancel_backfill()

    def _watch_deadlines(self) -> None:
        while not self._stopping.wait(min(NAP_S, self._plan.deadline_s / 4)):
            for lane in self._lanes:
                lane.tend()
