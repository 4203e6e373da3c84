"""`rotation-monitor refresh`: everything the window's feed would fetch, once, and what came of it per source.

The same sources, feed and plan as behind the window do the work; here they are only watched. Three steps:
1. a clock that stands still lets the feed do only what was asked by hand: quotes and minute bars once, and each
   dataset of each publisher once;
2. the clock goes, and the plan is left with history alone: the feed looks what is missing and fetches it;
3. when nothing is left, or the host cannot be reached, the feed stops. What arrived is in the store at any moment.

Exit codes: 0 every source answered, 1 one did not, or the refresh was interrupted; the cause is on stderr.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from desktop.book import FILE_NAME as BOOK_NAME
from desktop.book import Book
from desktop.desk import Publishers, Sources, live_plan, yahoo
from desktop.market.clock import Clock, SystemClock
from desktop.market.known import UserError
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.store import FILE_NAME, Observation, Priority, Store, Written
from desktop.redact import redact, secrets_of
from desktop.refreshes import Answer, Outcome, Refreshes
from desktop.sources.contract import (
    Dataset,
    Failure,
    FailureKind,
    Published,
    Publisher,
    Source,
    Stamp,
    Unchanged,
    Window,
)
from desktop.sources.feed import Feed, Plan
from desktop.sources.history import AdjustedSource, Kind, midnight

log = logging.getLogger(__name__)
PAUSE_S = 15.0
"""After the host could not be reached: when the rest of the history is asked for again."""
_MOST_IN_A_ROW = 3
"""So many failures in a row that concern the whole host end the run; the next one fetches what is missing."""
_HOST_WIDE = frozenset({FailureKind.RATE_LIMITED, FailureKind.TIMEOUT, FailureKind.OFFLINE})
_AN_ANSWER = frozenset({FailureKind.NOT_FOUND, FailureKind.NO_DATA})
"""The source works: it says that there is nothing."""
_FINE = frozenset({"ok", "off"})
_CURL_ADVICE = ". See https://curl.se/"
_NAP_S = 0.2
"""Longest wait in one go, so that Ctrl+C is noticed on every system."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One refusal in plain words: while doing what, of which symbol ("" for all), why, and what helps."""

    what: str
    symbol: str
    kind: FailureKind
    message: str
    cure: str


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of data: how many symbols were asked for and answered, and what was stored.

    `rows` counts rows that are new or revised in the store; `first` and `last` bound what was received, UTC.
    """

    what: str
    asked: int
    answered: int
    rows: int
    first: datetime | None
    last: datetime | None
    failed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one source.

    `requests` are those the source says it sent, else how often it was asked. `complete` is False where something
    was left for the next time. `off` says why it was not asked at all, "" when it was.
    """

    source: str
    requests: int
    parts: tuple[Part, ...]
    troubles: tuple[Trouble, ...]
    complete: bool
    off: str = ""

    @property
    def state(self) -> str:
        """Tell "ok", "off", "partial" where some of it failed or was left, "failed" where nothing arrived."""
        if self.off:
            return "off"
        if self.complete and not any(part.failed for part in self.parts):
            return "ok"
        return "partial" if any(part.answered for part in self.parts) else "failed"

    @property
    def rows(self) -> int:
        """Rows new or revised in the store."""
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A whole run."""

    started: datetime
    seconds: float
    interrupted: bool
    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        """Whether every source answered and nobody broke it off."""
        return not self.interrupted and all(one.state in _FINE for one in self.results)


# --- the run ----------------------------------------------------------------------------------------------------


def _no_publishers(_store: Store, _clock: Clock) -> Sequence[Publisher]:
    return ()


def refresh(
    folder: Path,
    *,
    sources: Sources = yahoo,
    publishers: Publishers = _no_publishers,
    plan: Plan | None = None,
    clock: Clock | None = None,
    tell: Callable[[str], None] = lambda _line: None,
    pause_s: float = PAUSE_S,
    secrets: frozenset[str] = frozenset(),
) -> Refreshed:
    """Fetch everything once into the store of `folder`; `tell` gets a line whenever the work has moved on.

    `secrets` are left out of all that is told.

    Ctrl+C (KeyboardInterrupt) ends it early with what came of it so far. One is asked after the other, so each
    fails alone.

    Raises
    ------
    StoreError
        By name, where the store cannot be opened.
    """
    asked = replace(plan or live_plan(), closed_s=pause_s)
    held, since_s, interrupted = _HeldClock(clock or SystemClock()), time.monotonic(), False
    started = held.now()
    results: list[Result] = []
    store = _CountedStore(folder / FILE_NAME, secrets)
    with store:
        runs = [_Run(one, store, held, asked, tell) for one in sources(store, held)]
        runs += [_PublisherRun(one, store, held, asked, tell) for one in publishers(store, held)]
        for run in runs:
            try:
                run.to_the_end()
            except KeyboardInterrupt:
                interrupted = True
            results.append(run.result())
            run.stop()
            if interrupted:
                break
    return Refreshed(started, time.monotonic() - since_s, interrupted, tuple(results))


class _HeldClock:
    """A clock that may be held: then a feed starts nothing that was not asked for by hand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held = True

    @property
    def speed(self) -> float:
        return 0.0 if self.held else self._clock.speed

    def now(self) -> datetime:
        return self._clock.now()


class _Run:
    """One source of prices from start to end."""

    def __init__(
        self, source: Source, store: _CountedStore, clock: _HeldClock, plan: Plan, tell: Callable[[str], None]
    ) -> None:
        self._clock, self._plan, self._tell = clock, plan, tell
        self._name = source.name
        self._book = store.books[source.name] = _Book(plan, store.secrets)
        self._source = source
        watched = _WatchedAdjusted if isinstance(source, AdjustedSource) else _Watched
        self._moved = threading.Event()
        self._complete = False
        self._feed = Feed(store, (watched(source, self._book, self._moved.set),), clock, self._on_change, plan)

    def to_the_end(self) -> None:
        feed, book = self._feed, self._book
        self._clock.held = True
        feed.start()
        feed.refresh_now()
        if not self._wait_for(lambda: not feed.refreshing) or book.host_is_away:
            return
        feed.plan = replace(self._plan, live=(), minute=())
        self._clock.held = False
        self._complete = self._wait_for(self._has_all_history)

    def stop(self) -> None:
        self._feed.stop()

    def result(self) -> Result:
        requests, off = getattr(self._source, "requests", self._book.asked), getattr(self._source, "off", "")
        return self._book.result(self._name, requests, complete=self._complete, off=off)

    def _has_all_history(self) -> bool:
        """Whether the feed has looked and has nothing left to fetch."""
        next_try = self._feed.states()[0].next_try
        return self._feed.progress is None and (next_try is None or next_try > self._clock.now())

    def _wait_for(self, done: Callable[[], bool]) -> bool:
        """Wait until it is done; False when that cannot be expected any more."""
        patience_s = 2 * self._plan.deadline_s
        quiet_since_s, said = time.monotonic(), ""
        while not done():
            if self._book.in_a_row >= _MOST_IN_A_ROW or (self._book.limited and not self._clock.held):
                return False
            if self._moved.wait(_NAP_S):
                self._moved.clear()
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > patience_s:
                return False
            if (line := self._line()) != said:
                said = line
                self._tell(line)
        return True

    def _line(self) -> str:
        progress = self._feed.progress
        counted = f", {progress.done} of {progress.total} done" if progress is not None else ""
        return f"{self._name}: {self._book.doing}{counted}"

    def _on_change(self) -> None:
        self._book.noted(self._feed.states()[0].last_error)
        self._moved.set()


class _PublisherRun(_Run):
    """One publisher: each of its datasets once."""

    def __init__(
        self,
        publisher: Publisher,
        store: _CountedStore,
        clock: _HeldClock,
        plan: Plan,
        tell: Callable[[str], None],
    ) -> None:
        self._clock, self._plan, self._tell = clock, plan, tell
        self._name, self._publisher = publisher.name, publisher
        self._book = store.books[publisher.name] = _Book(plan, store.secrets)
        self._moved = threading.Event()
        self._complete = False
        watched = _WatchedPublisher(publisher, self._book, self._moved.set)
        self._feed = Feed(store, (), clock, self._on_change, plan, (watched,))

    def to_the_end(self) -> None:
        if self._publisher.off:
            return
        self._clock.held = True
        self._feed.start()
        self._feed.refresh_now()
        self._complete = self._wait_for(lambda: self._feed.settled)

    def result(self) -> Result:
        requests, off = self._publisher.requests, self._publisher.off
        return self._book.result(self._name, requests, complete=self._complete, off=off)


# --- watching ---------------------------------------------------------------------------------------------------


class _Tally:
    def __init__(self) -> None:
        self.answers: dict[str, bool] = {}
        self.rows = 0
        self.first: datetime | None = None
        self.last: datetime | None = None

    def span(self, first: datetime, last: datetime) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


class _Book:
    """What one source was asked, what it answered and what was stored; written on the feed's threads."""

    def __init__(self, plan: Plan, secrets: frozenset[str]) -> None:
        self._lock, self._secrets = threading.Lock(), secrets | secrets_of()
        self._names = frozenset(plan.universe) - frozenset(plan.daily)
        self._tallies: dict[str, _Tally] = {}
        self._failures: dict[tuple[str, str], Failure] = {}
        self._seen: Failure | None = None
        self.asked = self.in_a_row = 0
        self.limited = False
        self.doing = self.what = "starting"

    def kind_of(self, symbol: str, interval: Interval) -> str:
        if interval is not Interval.DAY:
            return Kind.MINUTES.value
        return (Kind.PANEL if symbol in self._names else Kind.DAILY).value

    def asks(self, what: str, symbols: Sequence[str]) -> None:
        with self._lock:
            self.asked += 1
            self.what = what
            self.doing = f"{what} {symbols[0]}".strip() if len(symbols) == 1 else what
            for symbol in symbols:
                self._tally(what).answers.setdefault(symbol, False)

    def answered(self, what: str, answers: Mapping[str, _Answer]) -> None:
        with self._lock:
            for symbol, answer in answers.items():
                if isinstance(answer, Failure):
                    self._failures[what, symbol] = self._seen = answer
                else:
                    self._tally(what).answers[symbol] = True
                    self._failures.pop((what, symbol), None)
                    for first, last in _spans(answer):
                        self._tally(what).span(first, last)
            failures = [one for one in answers.values() if isinstance(one, Failure)]
            self.limited |= any(one.kind is FailureKind.RATE_LIMITED for one in failures)
            away = len(failures) == len(answers) and all(one.kind in _HOST_WIDE for one in failures)
            self.in_a_row = self.in_a_row + 1 if away else 0

    def stored(self, what: str, symbol: str, rows: int) -> None:
        with self._lock:
            self._tally(what).rows += rows
            self._failures.pop((_OWN, symbol), None)

    def noted(self, error: Failure | None) -> None:
        """Take the feed's own findings: a worker that hung, a store that refused, a look that failed."""
        with self._lock:
            own = error is not None and error is not self._seen and error not in self._failures.values()
            if error is not None and own:
                self._failures[_OWN, error.symbol] = self._seen = error
                self.in_a_row += 1

    @property
    def host_is_away(self) -> bool:
        """Whether asking for more makes no sense: all failed for reasons of the host, or it asked for quiet."""
        with self._lock:
            nothing = not any(any(one.answers.values()) for one in self._tallies.values())
            kinds = [one.kind for one in self._failures.values()]
            return self.limited or (nothing and bool(kinds) and all(one in _HOST_WIDE for one in kinds))

    def result(self, source: str, requests: int, *, complete: bool, off: str = "") -> Result:
        secrets = self._secrets
        with self._lock:
            parts = tuple(self._part(what, one) for what, one in self._tallies.items())
            troubles = tuple(
                Trouble(what, symbol, one.kind, redact(one.message.partition(_CURL_ADVICE)[0], secrets), one.cure)
                for (what, symbol), one in self._failures.items()
            )
            own = any(what == _OWN for what, _ in self._failures)
            return Result(source, requests, parts, troubles, complete and not own, off)

    def _part(self, what: str, tally: _Tally) -> Part:
        answered = sum(tally.answers.values())
        why = [one.kind for (of, _), one in self._failures.items() if of == what]
        fine = bool(why) and all(one in _AN_ANSWER for one in why) and what in _MAY_BE_EMPTY
        failed = answered == 0 and not fine
        return Part(what, len(tally.answers), answered, tally.rows, tally.first, tally.last, failed)

    def _tally(self, what: str) -> _Tally:
        return self._tallies.setdefault(what, _Tally())


_Good: TypeAlias = Quote | Bars | Closes | Published | Unchanged
_Answer: TypeAlias = _Good | Failure
_OWN = "the feed"
_HISTORY_WORDS = frozenset({Kind.DAILY.value, Kind.ADJUSTED.value, Kind.PANEL.value})
_MAY_BE_EMPTY = _HISTORY_WORDS | {Kind.MINUTES.value}
"""Of these a source may well have nothing (new): an unknown name, a day without trading."""


def _spans(answer: _Good) -> Iterator[tuple[datetime, datetime]]:
    match answer:
        case Quote():
            yield answer.event_time, answer.event_time
        case Bars():
            yield _moments(*answer.start_s[[0, -1]].tolist())
        case Closes():
            yield _moments(*answer.days[[0, -1]].astype("datetime64[s]").astype("int64").tolist())
        case Published():
            parts: tuple[_Good, ...] = (*answer.bars, *answer.closes, *answer.quotes)
            for part in parts:
                yield from _spans(part)
            for rows in answer.series.values():
                days = [one.day for one in rows]
                if days:
                    yield midnight(min(days)), midnight(max(days))
            if answer.releases:
                moments = [at for at, _ in answer.releases]
                yield min(moments), max(moments)


def _moments(first_s: int, last_s: int) -> tuple[datetime, datetime]:
    return datetime.fromtimestamp(first_s, UTC), datetime.fromtimestamp(last_s, UTC)


class _Watched:
    """A source that does what the real one does, and writes it down."""

    def __init__(self, source: Source, book: _Book, moved: Callable[[], None]) -> None:
        self.name, self._source, self._book, self._moved = source.name, source, book, moved

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        self._asks(Kind.QUOTES.value, symbols)
        answer = self._source.quotes(symbols)
        self._book.answered(Kind.QUOTES.value, answer)
        return answer

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        kind = self._book.kind_of(symbol, interval)
        self._asks(kind, (symbol,))
        answer = self._source.bars(symbol, interval, window)
        self._book.answered(kind, {symbol: answer})
        return answer

    def close(self) -> None:
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Hand on what a source may have beyond the contract: off, symbols, priority, requests."""
        return getattr(self._source, name)

    def _asks(self, what: str, symbols: Sequence[str]) -> None:
        self._book.asks(what, symbols)
        self._moved()


class _WatchedAdjusted(_Watched):
    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        assert isinstance(self._source, AdjustedSource)
        self._asks(Kind.ADJUSTED.value, (symbol,))
        answer = self._source.adjusted_closes(symbol, window)
        self._book.answered(Kind.ADJUSTED.value, {symbol: answer})
        return answer


class _WatchedPublisher:
    """A publisher that does what the real one does, and writes it down."""

    def __init__(self, publisher: Publisher, book: _Book, moved: Callable[[], None]) -> None:
        self.name, self.datasets = publisher.name, publisher.datasets
        self._publisher, self._book, self._moved = publisher, book, moved

    @property
    def off(self) -> str:
        return self._publisher.off

    @property
    def requests(self) -> int:
        return self._publisher.requests

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        self._book.asks(dataset.name, ("",))
        self._moved()
        answer = self._publisher.fetch(dataset, stamp)
        self._book.answered(dataset.name, {"": answer})
        return answer

    def close(self) -> None:
        self._publisher.close()


class _CountedStore(Store):
    """A store that tells the book of each source what it took."""

    def __init__(self, path: Path, secrets: frozenset[str]) -> None:
        self.books: dict[str, _Book] = {}
        self.secrets = secrets
        super().__init__(path)

    def put_bars(self, bars: Bars, *, source: str, priority: Priority) -> Written:
        written = super().put_bars(bars, source=source, priority=priority)
        self._count(source, bars.symbol, written.new + written.revised)
        return written

    def put_closes(self, closes: Closes, *, source: str, priority: Priority) -> Written:
        written = super().put_closes(closes, source=source, priority=priority)
        self._count(source, closes.symbol.removesuffix(":adj"), written.new + written.revised)
        return written

    def put_quotes(self, quotes: Iterable[Quote]) -> int:
        given = list(quotes)
        added = super().put_quotes(given)
        if given:
            self._count(given[0].source, "", added)
        return added

    def put_series(self, series_id: str, rows: Iterable[Observation], *, source: str) -> int:
        added = super().put_series(series_id, rows, source=source)
        self._count(source, "", added)
        return added

    def _count(self, source: str, symbol: str, rows: int) -> None:
        """Count for what the source was asked last: its one thread stores an answer before it asks again."""
        book = self.books.get(source)
        if book is not None:
            book.stored(book.what, symbol, rows)


# --- telling ----------------------------------------------------------------------------------------------------


def run(
    folder: Path,
    *,
    as_json: bool,
    sources: Sources = yahoo,
    publishers: Publishers = _no_publishers,
    plan: Plan | None = None,
    secrets: frozenset[str] = frozenset(),
) -> int:
    """Refresh, tell the outcome on standard output and the cause of a failure on stderr; returns the exit code."""
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it complains of is told here in words
    with _ProgressLine(sys.stderr) as line:
        done = refresh(folder, sources=sources, publishers=publishers, plan=plan, tell=line.show, secrets=secrets)
    _record(folder, done)
    if as_json:
        sys.stdout.write(json.dumps(as_dict(done), indent=2, allow_nan=False) + "\n")
    else:
        sys.stdout.write(as_text(done) + "\n")
    if done.ok:
        return 0
    for cause in causes(done):
        sys.stderr.write(f"rotation-monitor: {cause}\n")
    return 1


def _record(folder: Path, done: Refreshed) -> None:
    """Put the run into the book beside those asked for in the window."""
    found = []
    for one in done.results:
        outcome = {"off": Outcome.OFF, "failed": Outcome.FAILED}.get(one.state, Outcome.CAME)
        told = one.off or (redact(one.troubles[0].message, secrets_of()) if one.troubles else "") or "no answer"
        if outcome is Outcome.CAME:
            told = f"{one.rows:,} new rows" + ("" if one.state == "ok" else ", some of it failed")
        found.append(Answer(one.source, outcome, told))
    try:
        with Book(folder / BOOK_NAME) as book:
            Refreshes(book).note(done.started, done.started + timedelta(seconds=done.seconds), found)
    except UserError as error:  # what was fetched is in the store all the same
        log.warning("refresh not recorded: %s", error)


class _ProgressLine:
    """One line that is written over and over, where there is a terminal to see it."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._shown, self._wide = out, out.isatty(), 0

    def __enter__(self) -> _ProgressLine:
        return self

    def __exit__(self, *_error: object) -> None:
        self.show("")
        if self._wide:
            self._out.write("\r")

    def show(self, line: str) -> None:
        if not self._shown:
            return
        line = line[:78]
        self._out.write(f"\r{line:<{self._wide}}")
        self._out.flush()
        self._wide = max(self._wide, len(line))


def causes(done: Refreshed) -> list[str]:
    """Say why the exit code is not 0: one line a source, and one for an interruption."""
    lines = []
    if done.interrupted:
        lines.append("interrupted: what had arrived is stored; `refresh` again fetches the rest")
    for one in done.results:
        if one.state in _FINE or (done.interrupted and not one.troubles):
            continue
        worst = next((t for t in one.troubles if t.kind not in _AN_ANSWER), None)
        why = "" if worst is None else f": {_words(worst.kind)} ({worst.message}); {worst.cure}"
        left = "" if one.complete else "; what is missing is fetched by the next refresh"
        lines.append(f"{one.source} {'failed' if one.state == 'failed' else 'answered in part'}{why}{left}")
    return lines


def as_text(done: Refreshed) -> str:
    """Lay the outcome out for a person: a line a source, a line a kind of data, then what did not arrive."""
    lines = []
    for one in done.results:
        lines.append(
            f"{one.source}: {f'off, {one.off}' if one.off else one.state}, {one.requests} requests,"
            f" {one.rows:,} rows stored"
        )
        for part in one.parts:
            names = f"{part.answered} of {part.asked}"
            reach = "" if part.first is None or part.last is None else f"  {_reach(part.first, part.last)}"
            lines.append(f"  {part.what:<17} {names:>10} {part.rows:>9,} rows{reach}")
        whats = {part.what for part in one.parts}
        if one.complete and Kind.QUOTES.value in whats and not whats & _HISTORY_WORDS:
            lines.append("  daily history is complete")
        lines += _refusals(one.troubles)
    lines.append(f"{'interrupted' if done.interrupted else 'done'} after {done.seconds:.0f} s")
    return "\n".join(lines)


def _refusals(troubles: Sequence[Trouble]) -> Iterator[str]:
    """One line for all symbols refused alike, and for all that was refused in the same words."""
    alike: dict[tuple[str, FailureKind, str], list[Trouble]] = {}
    for one in troubles:
        alike.setdefault((one.what, one.kind, one.cure), []).append(one)
    same: dict[str, list[str]] = {}
    for (what, kind, cure), members in alike.items():
        symbols = ", ".join(one.symbol for one in members if one.symbol)
        words = f"{_words(kind)}: {members[0].message}; {cure}"
        same.setdefault(words, []).append(f"{what} of {symbols}" if symbols else what)
    for words, whats in same.items():
        yield f"  ! {', '.join(whats)}: {words}"


def as_dict(done: Refreshed) -> dict[str, Any]:
    """Return the outcome as JSON takes it; times in ISO 8601, UTC."""
    return {
        "started": done.started.isoformat(),
        "seconds": round(done.seconds, 1),
        "interrupted": done.interrupted,
        "ok": done.ok,
        "sources": [
            {
                "source": one.source,
                "state": one.state,
                "off": one.off,
                "complete": one.complete,
                "requests": one.requests,
                "rows": one.rows,
                "parts": [_plain(asdict(part)) for part in one.parts],
                "failures": [_plain(asdict(trouble)) for trouble in one.troubles],
            }
            for one in done.results
        ],
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: one.isoformat() if isinstance(one, date) else one for name, one in row.items()}


def _words(kind: FailureKind) -> str:
    return kind.value.replace("_", " ")


def _reach(first: datetime, last: datetime) -> str:
    midnight = all((one.hour, one.minute, one.second) == (0, 0, 0) for one in (first, last))
    form = "%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S"
    return f"{first:{form}} to {last:{form}}{'' if midnight else ' UTC'}"
