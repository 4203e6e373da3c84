"""The lane of a source in the feed: what is due, who works, what is known.

The life of an answer:
1. the lane picks the job that is due, by the clock (which may run at 60 x or stand still);
2. its worker asks the source; a watch replaces a worker that does not return in time;
3. an answer whose generation is over is dropped, any other is stored;
4. `on_change` is called once for the batch, on the worker's thread.
A failed answer never touches what the store holds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import TypeAlias

from desktop.market.clock import Clock
from desktop.market.instruments import PAIRS
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Bars, Closes, Interval, Panel, Quote
from desktop.market.sessions import NYSE, Phase
from desktop.market.store import Priority, Store
from desktop.sources import history
from desktop.sources.contract import Failure, FailureKind, Source, Window
from desktop.sources.history import HISTORY, AdjustedSource, Job, Kind, Missing
from desktop.sources.plan import Hurry, Plan
from desktop.sources.state import FeedState, Progress, SourceState

MINUTES_BACK = timedelta(days=7)
"""How far back Yahoo gives one-minute bars in one request."""
MINUTES_OVERLAP = timedelta(minutes=30)
NAP_S = 0.25
"""Longest wall wait, so that a clock that was moved, paused or sped up is noticed."""
_SLOWEST = 5
"""A failing source is asked for quotes ever less often, down to this part of the usual."""
_MOST_ABANDONED = 3
"""Hung workers that may linger in one lane; while there are as many, the lane asks nothing."""
_HOST_WIDE = frozenset({FailureKind.RATE_LIMITED, FailureKind.TIMEOUT, FailureKind.OFFLINE})
_SHUT_OUT = _HOST_WIDE | {FailureKind.AUTH}
_HURRIED_PART = 0.5
"""Quotes in a hurry take at most this part of a source's budget; minute bars and second opinions have the rest."""
_OUTSIDE_HOURS = 5
_PRE_MARKET = timedelta(hours=5, minutes=30)
_TO_THE_CLOSE = timedelta(minutes=2)
"""A last trade so near the close is the day's last: what is quiet afterwards is not stale."""

log = logging.getLogger(__name__)

_Quotes: TypeAlias = Mapping[str, Quote | Failure]
_Answer: TypeAlias = "_Quotes | Bars | Closes | Panel | Missing | Failure"


class SourceLane:
    """One source: what is due, who works, what is known. No lock is held while a source or the store works."""

    def __init__(
        self, source: Source, store: Store, clock: Clock, on_change: Callable[[], None], plan: Plan
    ) -> None:
        self._source, self._store, self._clock = source, store, clock
        self._plan = _narrowed(plan, source)
        self._on_change = on_change
        self._lock = threading.Condition()
        # who works
        self.worker: threading.Thread | None = None
        self._abandoned: list[threading.Thread] = []
        self._generation = 0
        self._running: Job | None = None
        self._overdue_at_s = 0.0  # wall, monotonic
        self._started = self._stopping = self._paused = False
        # what is due
        self._last_run: dict[Job, datetime] = {}
        self._blocked_until_s = 0.0  # wall, monotonic: the source asked to be left alone
        self._failures = 0
        self._hurry: Hurry | None = None
        self._refresh: deque[Job] = deque()
        self.refreshing = False
        self.last_refresh: datetime | None = None
        # daily history
        self._backfill: deque[Job] = deque()
        self._backfill_total = 0
        self._backfill_after: datetime | None = None
        self._looked_for: date | None = None
        self._looks = 0
        self._cancelled_for: date | None = None
        self._unknown: set[Job] = set()
        # what is known
        self._quotes: dict[str, Quote] = {}
        self._advanced_at: datetime | None = None
        self._last_success: datetime | None = None
        self._last_error: Failure | None = None
        self._failing: Failure | None = None
        """What its quotes fail with, None while they come."""
        self._gaps: dict[str, tuple[date, ...]] = {}

    @property
    def name(self) -> str:
        """Name of the source."""
        return self._source.name

    # --- orders: from any thread --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to ask."""
        with self._lock:
            self._started = True
            self._hire()

    def stop(self) -> None:
        """Ask nothing more; what still arrives is dropped."""
        with self._lock:
            self._stopping = True
            self._generation += 1  # whatever still arrives is late
            self._lock.notify_all()
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    def set_plan(self, plan: Plan) -> None:
        """Take over what is asked for."""
        with self._lock:
            self._plan = _narrowed(plan, self._source)
            self._looked_for = None
            self._last_run.pop(Job(Kind.LOOK), None)
            self._unknown.clear()
            self._lock.notify_all()

    def refresh(self) -> None:
        """Ask now; does nothing while an earlier such call still runs."""
        with self._lock:
            if self.refreshing or self._stopping or not self._started or self._off():
                return
            self.refreshing = True
            self._refresh = deque([Job(Kind.QUOTES), *(Job(Kind.MINUTES, one) for one in self._plan.minute)])
            if not self._backfill:
                self._last_run.pop(Job(Kind.LOOK), None)
                self._looks = min(self._looks, 1)  # the next look fetches the last days again
            self._cancelled_for = None
            self._unknown.clear()
            self._lock.notify_all()

    def hurry(self, hurry: Hurry) -> None:
        """Ask for quotes more often for a while, as far as the source's budget allows."""
        with self._lock:
            self._hurry = hurry
            self._lock.notify_all()

    def ask_quotes(self) -> None:
        """Make quotes due now: one request within the budget; a source that is paused or shut out stays so."""
        with self._lock:
            self._last_run.pop(Job(Kind.QUOTES), None)
            self._lock.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Leave it alone, or ask it again; what was asked for by hand is asked all the same."""
        with self._lock:
            self._paused = paused
            self._lock.notify_all()

    def cancel_backfill(self) -> None:
        """Fetch no more history for now."""
        with self._lock:
            self._backfill.clear()
            self._cancelled_for = history.target(self._clock.now())

    @property
    def progress(self) -> Progress | None:
        """History under way, None when none is."""
        with self._lock:
            job = self._running if self._running is not None and self._running.kind in HISTORY else None
            left = len(self._backfill) + (job is not None)
            if job is None and self._backfill:
                job = self._backfill[0]
            if job is None:
                return None
            total = max(self._backfill_total, left)
            return Progress(f"{job.kind} {job.symbol}".strip(), total - left, total)

    # --- who works ----------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        self.worker = threading.Thread(
            target=self._work, args=(self._generation,), name=f"feed-{self._source.name}", daemon=True
        )
        self.worker.start()

    def tend(self) -> None:
        """Give up a worker that passed its deadline, or that died, and hire another."""
        with self._lock:
            if self._stopping or not self._started:
                return
            self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
            job, worker = self._running, self.worker
            overdue = job is not None and time.monotonic() > self._overdue_at_s
            if worker is not None and (overdue or not worker.is_alive()):
                self._generation += 1  # its answer will be dropped when it comes
                self._abandoned.append(worker)
                self.worker = self._running = None
                if job is not None:
                    message = f"no answer within {self._plan.deadline_s:g} s" if overdue else "the worker failed"
                    self._note(job, self._failure(FailureKind.TIMEOUT, job, message))
            if self.worker is not None or len(self._abandoned) >= _MOST_ABANDONED:
                return
            self._hire()
        self._on_change()

    def _work(self, generation: int) -> None:
        while True:
            with self._lock:
                if generation != self._generation:
                    return
                plan, now = self._plan, self._clock.now()
                job = self._next_job(now)
                if job is None:
                    self._lock.wait(self._nap_s(now))
                    continue
                began_s = time.monotonic()
                self._running, self._overdue_at_s = job, began_s + plan.deadline_s
                self._last_run[job] = now
            answer = self._ask(job, plan)
            with self._lock:
                if generation != self._generation:
                    log.info("%s: late answer to %s %s dropped", self._source.name, job.kind, job.symbol)
                    return
                self._overdue_at_s = float("inf")  # the source has answered; storing is not on its time
            answer = self._keep(job, answer)
            with self._lock:
                self._running = None
                self._rest_after(job, time.monotonic() - began_s)
                self._note(job, answer)
            self._on_change()

    # --- what is due: with the lock -----------------------------------------------------------------------------

    def _next_job(self, now: datetime) -> Job | None:
        """Most urgent job: what the user asked for, quotes, minute bars, history."""
        if self._off():
            self._refresh.clear()
            self.refreshing = False
            return None
        if self._refresh:
            return self._refresh.popleft()
        if self._paused or time.monotonic() < self._blocked_until_s or self._clock.speed == 0:
            return None
        for job, every_s in self._rounds(now):
            if self._due(job, every_s, now) <= now:
                return job
        after = self._backfill_after
        hurried = self._hurry is not None and self._hurry.holds(now)
        if self._backfill and not hurried and not self._is_shut_out() and (after is None or now >= after):
            return self._backfill.popleft()
        return None

    def _off(self) -> str:
        """Why nothing is asked at all, "" when something is."""
        return self._plan.off or getattr(self._source, "off", "")

    def _rounds(self, now: datetime) -> Iterator[tuple[Job, float]]:
        """Yield what comes round, most urgent first, with its period in seconds of the clock."""
        plan, closed = self._plan, NYSE.phase(now) is Phase.CLOSED
        if plan.live:
            slower = min(2**self._failures, _SLOWEST)
            every_s = plan.closed_s if closed else plan.open_s
            if self._hurry is not None and self._hurry.holds(now):
                every_s = min(every_s, max(self._hurry.every_s, self._densest_s()))
            yield Job(Kind.QUOTES), slower * every_s
        for symbol in () if self._is_shut_out() else plan.minute:
            yield Job(Kind.MINUTES, symbol), plan.recheck_s if closed else plan.minute_s
        if (plan.daily or plan.adjusted or plan.universe) and not self._backfill:
            target = history.target(now)
            if self._cancelled_for != target:
                # One that failed is not repeated without a pause: what it reads may be broken.
                yield Job(Kind.LOOK), plan.recheck_s if self._looked_for == target else plan.closed_s

    def _densest_s(self) -> float:
        budget_per_h: int = getattr(self._source, "budget_per_h", 0)
        return 3600 / (budget_per_h * _HURRIED_PART) if budget_per_h else 0.0

    def _rest_after(self, job: Job, took_s: float) -> None:
        """Count the next round from the end of one that took long, or it would leave no time for anything else."""
        now = self._clock.now()
        every_s = next((every_s for one, every_s in self._rounds(now) if one == job), inf)
        if took_s * self._clock.speed > every_s / 2:
            self._last_run[job] = now

    def _is_shut_out(self) -> bool:
        """Whether its quotes are refused for a reason that concerns all it has: then nothing else is asked."""
        return bool(self._plan.live) and self._failing is not None and self._failing.kind in _SHUT_OUT

    def _due(self, job: Job, every_s: float, now: datetime) -> datetime:
        last = self._last_run.get(job)
        # A clock that went back (a demo that was rewound) starts all rounds anew.
        return now if last is None or now < last else last + timedelta(seconds=every_s)

    def _next_due(self, now: datetime) -> datetime | None:
        dues = [self._due(job, every_s, now) for job, every_s in self._rounds(now)]
        return max(min(dues), now) if dues else None

    def _nap_s(self, now: datetime) -> float:
        """Wall seconds until something may be due, short enough to notice a clock that was touched."""
        due, speed = self._next_due(now), self._clock.speed
        if due is None or speed == 0 or self._off() or self._paused or time.monotonic() < self._blocked_until_s:
            return NAP_S
        return min(max((due - now).total_seconds() / speed, 0.001), NAP_S)

    # --- ask and keep: on the worker's thread, without the lock -------------------------------------------------

    def _ask(self, job: Job, plan: Plan) -> _Answer:
        now = self._clock.now()
        source, store = self._source, self._store
        try:
            match job.kind:
                case Kind.QUOTES:
                    return source.quotes(plan.live)
                case Kind.MINUTES:
                    window = Window(self._minutes_from(job.symbol, now), now + timedelta(minutes=1))
                    return source.bars(job.symbol, Interval.MINUTE, window)
                case Kind.LOOK:
                    return history.look(store, plan, now, recheck=self._looks == 1)
                case Kind.DAILY:
                    return history.fetch_daily(source, store, job.symbol, plan, now)
                case Kind.ADJUSTED:
                    if not isinstance(source, AdjustedSource):
                        return self._failure(FailureKind.NOT_FOUND, job, "this source has no adjusted closes")
                    return source.adjusted_closes(job.symbol, Window(history.midnight(history.SINCE), now))
                case Kind.PANEL:
                    panel = history.assemble(store, plan, now)
                    return panel or self._failure(FailureKind.NO_DATA, job, "no name has history yet")
        except Exception as error:  # the thread's outermost frame: a faulty source must not silence its lane
            log.exception("%s failed at %s %s", source.name, job.kind, job.symbol)
            return self._failure(FailureKind.BAD_PAYLOAD, job, f"{type(error).__name__}: {error}")

    def _minutes_from(self, symbol: str, now: datetime) -> datetime:
        stored = self._store.bars(symbol, Interval.MINUTE, now - MINUTES_BACK, now)
        if not len(stored):
            return now - MINUTES_BACK
        return datetime.fromtimestamp(int(stored.start_s[-1]), UTC) - MINUTES_OVERLAP

    def _keep(self, job: Job, answer: _Answer) -> _Answer:
        """Store what arrived; a store that refuses makes the answer a failure."""
        source, store = self._source.name, self._store
        try:
            if isinstance(answer, Bars):
                priority = getattr(self._source, "priority", Priority.VENDOR)
                store.put_bars(answer, source=source, priority=priority)
                if job.symbol in self._gaps:
                    self._set_gaps(
                        job.symbol, history.gaps_of(store.closes(job.symbol), job.symbol, self._clock.now())
                    )
            elif isinstance(answer, Closes):
                store.put_closes(answer, source=source, priority=Priority.VENDOR)
            elif isinstance(answer, Panel):
                store.put_panel(answer, source=source)
            elif isinstance(answer, Mapping):
                store.put_quotes([one for one in answer.values() if isinstance(one, Quote) and self._is_news(one)])
        except Exception as error:  # disk full, folder gone: told, and tried again with the next round
            log.exception("storing %s %s failed", job.kind, job.symbol)
            return self._failure(FailureKind.NO_DATA, job, f"could not be stored: {error}")
        return answer

    def _is_news(self, quote: Quote) -> bool:
        known = self._quotes.get(quote.symbol)
        return known is None or (known.event_time, known.price) != (quote.event_time, quote.price)

    # --- what is known: with the lock ---------------------------------------------------------------------------

    def _set_gaps(self, symbol: str, days: tuple[date, ...]) -> None:
        with self._lock:
            self._gaps = {one: days if one == symbol else old for one, old in self._gaps.items()}

    def _note(self, job: Job, answer: _Answer) -> None:
        """Take the outcome of a job into the books."""
        now = self._clock.now()
        failures = [answer] if isinstance(answer, Failure) else []
        failed = bool(failures)
        if isinstance(answer, Mapping):
            failures = [one for one in answer.values() if isinstance(one, Failure)]
            failed = bool(failures) and len(failures) == len(answer)
            self._note_quotes(answer, now)
        for failure in failures:
            self._last_error = failure
            if failure.retry_after_s is not None:
                self._blocked_until_s = time.monotonic() + failure.retry_after_s
        if job.kind is Kind.QUOTES or not self._plan.live:
            self._failing = failures[-1] if failed else None
            self._failures = self._failures + 1 if failed else 0
        if not failed and job.kind not in (Kind.LOOK, Kind.PANEL):
            self._last_success = now
        if isinstance(answer, Missing):
            self._note_missing(answer)
        elif isinstance(answer, Failure) and job.kind in HISTORY:
            self._note_unfetched(job, answer, now)
        elif job.kind in HISTORY:
            self._backfill_after = None
        if self.refreshing and not self._refresh:
            self.refreshing, self.last_refresh = False, now

    def _note_quotes(self, answer: _Quotes, now: datetime) -> None:
        for quote in answer.values():
            if isinstance(quote, Quote):
                known = self._quotes.get(quote.symbol)
                if known is None or quote.event_time != known.event_time:
                    self._advanced_at = now
                self._quotes[quote.symbol] = quote

    def _note_missing(self, missing: Missing) -> None:
        self._looks = self._looks + 1 if self._looked_for == missing.target else 1
        self._looked_for, self._gaps = missing.target, dict(missing.gaps)
        if self._cancelled_for != missing.target:
            self._backfill = deque(job for job in missing.jobs if job not in self._unknown)
            self._backfill_total, self._backfill_after = len(self._backfill), None

    def _note_unfetched(self, job: Job, failure: Failure, now: datetime) -> None:
        if failure.kind is FailureKind.NOT_FOUND:
            self._unknown.add(job)
        elif failure.kind in _HOST_WIDE and self._cancelled_for != self._looked_for:
            # Nothing is wrong with the symbol: later, and before the panel that waits for it.
            self._backfill.insert(max(len(self._backfill) - 1, 0), job)
            self._backfill_after = now + timedelta(seconds=self._plan.closed_s)

    def state(self, now: datetime) -> SourceState:
        """How it stands."""
        with self._lock:
            state, note = self._judge(now)
            warning: str = "" if state is FeedState.OFF else getattr(self._source, "warning", "")
            age_s, declared_s = self._age(now)
            next_try = None if state is FeedState.OFF else self._next_due(now)
            blocked_s = self._blocked_until_s - time.monotonic()
            if next_try is not None and blocked_s > 0:
                next_try = now + timedelta(seconds=blocked_s * (self._clock.speed or 1.0))
            return SourceState(
                self._source.name,
                state,
                Unknown(note) if state is FeedState.OFF else age_s,
                declared_s,
                self._last_success,
                self._last_error,
                next_try,
                "; ".join(one for one in (note, warning) if one),
                requests=getattr(self._source, "requests", 0),
                budget_per_h=getattr(self._source, "budget_per_h", 0),
                paused=self._paused,
            )

    def _age(self, now: datetime) -> tuple[Maybe, float]:
        """Age and declared delay, in seconds, of the freshest pair of legs, else of the freshest quote."""
        if not self._quotes:
            return Unknown("no quote has arrived yet"), 0.0
        groups = [
            pair
            for symbols in PAIRS.values()
            if len(pair := [self._quotes[one] for one in symbols.values() if one in self._quotes]) == len(symbols)
        ] or [[quote] for quote in self._quotes.values()]
        return min(
            (max(quote.age_s(now) for quote in group), max(quote.declared_delay_s for quote in group))
            for group in groups
        )

    def _judge(self, now: datetime) -> tuple[FeedState, str]:
        """Name the state, and say why where it is not plain.

        Live and delayed quotes advance; the age tells them apart. Stale ones stand still although the source
        answers. Unavailable: it does not answer any more, and what it said is no longer fresh.
        """
        if off := self._off():
            return FeedState.OFF, off
        if self._paused:
            return FeedState.OFF, "paused by you"
        if not self._started or self._stopping:
            return FeedState.OFF, "the feed is not running"
        told = self._failing or self._last_error
        why = f"{told.message}: {told.cure}" if told else ""
        if self._last_success is None:
            return FeedState.UNAVAILABLE, why or "waiting for the first answer"
        phase = NYSE.phase(now)
        quiet_s = self._plan.quiet_s * (1 if phase is Phase.REGULAR else _OUTSIDE_HOURS)
        advanced_at = self._advanced_at or self._last_success
        began = _began(phase, now)
        still_s = (now - max(advanced_at, began)).total_seconds()  # nobody traded before it began
        quiet = still_s > quiet_s
        if self._failing and (now - self._last_success).total_seconds() > quiet_s:
            return FeedState.UNAVAILABLE, why
        if self._failing and still_s > self._plan.live_age_s and phase is not Phase.CLOSED:
            return FeedState.STALE, why
        newest = max((one.event_time for one in self._quotes.values()), default=began)
        if phase is Phase.POST and newest >= began - _TO_THE_CLOSE and quiet:
            return FeedState.CLOSED, ""
        if quiet and phase is not Phase.CLOSED:
            return FeedState.STALE, why if self._failing else f"no new trade since {advanced_at:%H:%M:%S} UTC"
        if holes := {symbol: days for symbol, days in self._gaps.items() if days}:
            return FeedState.GAP, "; ".join(
                f"{symbol}: no bar of {', '.join(str(day) for day in days[-3:])}" for symbol, days in holes.items()
            )
        age_s, _ = self._age(now)
        if isinstance(age_s, Unknown):
            return FeedState.LIVE, ""
        if phase is Phase.CLOSED and (quiet or age_s > quiet_s):
            return FeedState.CLOSED, ""
        if age_s <= self._plan.live_age_s:
            return FeedState.LIVE, ""
        if newest < began and phase in (Phase.PRE, Phase.REGULAR) and not quiet:
            return FeedState.CLOSED, "waiting for the first trade of the session"
        return FeedState.DELAYED, f"{age_s / 60:.0f} min late"

    def _failure(self, kind: FailureKind, job: Job, message: str) -> Failure:
        return Failure(kind, self._source.name, job.symbol, message, self._clock.now())


def _began(phase: Phase, now: datetime) -> datetime:
    """When trading of this phase began; of a closed exchange, its last open."""
    if phase is Phase.PRE:
        return NYSE.next_open(now).open - _PRE_MARKET
    session = NYSE.last_started(now)
    return session.close if phase is Phase.POST else session.open


def _narrowed(plan: Plan, source: Source) -> Plan:
    """Leave in the plan what `source` knows."""
    known: Sequence[str] | None = getattr(source, "symbols", None)
    if known is None:
        return plan
    live, minute = (tuple(one for one in wanted if one in known) for wanted in (plan.live, plan.minute))
    return replace(plan, live=live, minute=minute, daily=(), adjusted=(), universe=())
