"""The health panel: how each source stands, what went wrong and the cure, when it is asked again."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from desktop.market.known import Unknown
from desktop.presenters.status import STATE_TONES
from desktop.presenters.words import NEW_YORK, NOT_KNOWN, clock_et, moment_et, source_name, span
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.state import FeedState, SourceState
from widgets.states import HealthRow, HealthState, Text, Tone

KIND_WORDS = {
    FailureKind.RATE_LIMITED: "too many requests",
    FailureKind.NOT_FOUND: "not found",
    FailureKind.NO_DATA: "no data",
    FailureKind.TIMEOUT: "no answer in time",
    FailureKind.OFFLINE: "cannot be reached",
    FailureKind.BAD_PAYLOAD: "unusable answer",
    FailureKind.AUTH: "key refused",
}
NO_KEY = "no key"
"""How the reason of a source that is off for want of a key begins."""
ENTER_KEY = "enter the right one under Menu, Vendor keys (Ctrl+K)"
_ADVICE, _CURL = ". See https://curl.se/", re.compile(r"^Failed to perform, curl: \(\d+\) ")
_TICK_S, _HOUR_S, _MARK_S = 0.9, 3600.0, 60.0
_NEARLY_USED = 0.8
_WELL = frozenset({FeedState.LIVE, FeedState.CLOSED})


class HealthPresenter:
    """Makes states of the panel; where only times moved on, at most one a second."""

    def __init__(self, wall_s: Callable[[], float] = time.monotonic) -> None:
        self._wall_s = wall_s
        self._used: dict[str, _LastHour] = {}
        self._lasting: object = None
        self._made_s = 0.0
        self._made: HealthState | None = None

    def present(self, feed: Sequence[SourceState], now: datetime) -> HealthState:
        """Tell how the sources stand at `now`, the feed's own."""
        wall_s = self._wall_s()
        lasting = tuple((one.source, one.state, one.last_error, one.paused, _steady_note(one)) for one in feed)
        if self._made is not None and lasting == self._lasting and wall_s - self._made_s < _TICK_S:
            return self._made
        rows = tuple(_row(one, now, self._last_hour(one, wall_s)) for one in feed)
        self._lasting, self._made_s = lasting, wall_s
        self._made = HealthState(rows, _summary(feed), "" if rows else "no source is asked here")
        return self._made

    def _last_hour(self, one: SourceState, wall_s: float) -> int:
        return self._used.setdefault(one.source, _LastHour()).count(one.requests, wall_s)


class _LastHour:
    """Requests of the last hour, from a running total seen now and then."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def count(self, total: int, wall_s: float) -> int:
        marks = self._marks
        if not marks or wall_s - marks[-1][0] >= _MARK_S:
            marks.append((wall_s, total))
        while len(marks) > 1 and marks[1][0] <= wall_s - _HOUR_S:
            marks.popleft()
        return total - (marks[0][1] if marks[0][0] <= wall_s - _HOUR_S else 0)


def _row(one: SourceState, now: datetime, used: int) -> HealthRow:
    needs_key = one.state is FeedState.OFF and one.note.startswith(NO_KEY)
    return HealthRow(
        key=one.source,
        name=source_name(one.source),
        state=_state(one),
        age=_age(one),
        answered=_answered(one, now),
        next_try=_next_try(one, now),
        requests=_requests(one, used),
        told=_told(one),
        paused=one.paused,
        needs_key=needs_key,
        testable=one.paused or one.state is not FeedState.OFF,
    )


def _state(one: SourceState) -> Text:
    if one.state is FeedState.OFF:
        return Text("paused" if one.paused else "off", Tone.DIM, one.note)
    if one.state is FeedState.UNAVAILABLE and one.last_error is None:
        return Text("waiting", Tone.DIM, one.note)  # not asked yet: nothing is wrong
    return Text(one.state.value, STATE_TONES[one.state], one.note)


def _age(one: SourceState) -> Text:
    if isinstance(one.age_s, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, one.age_s.reason)
    declared = f"; the vendor admits {span(one.declared_delay_s)}" if one.declared_delay_s else ""
    return Text(span(one.age_s), Tone.PLAIN, f"of the newest that came from here{declared}")


def _answered(one: SourceState, now: datetime) -> Text:
    at = one.last_success
    if at is None:
        return Text("never", Tone.DIM, "it has not answered yet")
    today = at.astimezone(NEW_YORK).date() == now.astimezone(NEW_YORK).date()
    return Text(clock_et(at) if today else moment_et(at))


def _next_try(one: SourceState, now: datetime) -> Text:
    if one.next_try is None:
        return Text(NOT_KNOWN, Tone.DIM, one.note or "it is not asked")
    left_s = (one.next_try - now).total_seconds()
    return Text(f"in {span(left_s)}" if left_s >= 1 else "now", Tone.PLAIN, f"at {clock_et(one.next_try)}")


def _requests(one: SourceState, used: int) -> Text:
    why = f"{used:,} requests in the last hour, {one.requests:,} since the start"
    if not one.budget_per_h:
        return Text(f"{used:,}", Tone.PLAIN, why)
    tone = Tone.WARN if used > _NEARLY_USED * one.budget_per_h else Tone.PLAIN
    return Text(f"{used:,} of {one.budget_per_h:,}", tone, f"{why}; at most {one.budget_per_h:,} an hour")


def _told(one: SourceState) -> Text:
    """What is wrong now; else what was, dimmed; else what the state has to say."""
    if one.state is FeedState.OFF:
        if one.note.startswith(NO_KEY):
            return Text(f"{one.note}: enter one under Menu, Vendor keys (Ctrl+K)", Tone.DIM)
        return Text(one.note if not one.paused else "", Tone.DIM)
    error = one.last_error
    lasts = error is not None and (one.last_success is None or one.last_success < error.at)
    if error is not None and lasts:
        return Text(error_words(error), Tone.BAD if one.state is FeedState.UNAVAILABLE else Tone.WARN)
    if one.note and one.state not in _WELL and one.state is not FeedState.DELAYED:
        return Text(one.note, Tone.DIM if one.state is FeedState.UNAVAILABLE else Tone.WARN)
    if error is not None:
        return Text(f"answered since; {error_words(error)}", Tone.DIM)
    return Text("")


def error_words(error: Failure) -> str:
    """A failure in plain words, with the cure."""
    cure = ENTER_KEY if error.kind is FailureKind.AUTH else error.cure
    what = f" ({error.symbol})" if error.symbol and len(error.symbol) <= 20 else ""
    message = _CURL.sub("", error.message.partition(_ADVICE)[0])
    return f"{clock_et(error.at)} {KIND_WORDS[error.kind]}{what}: {message}. Cure: {cure}"


def _steady_note(one: SourceState) -> str:
    """The note without what moves with time."""
    return "" if one.state is FeedState.DELAYED else one.note


def _summary(feed: Sequence[SourceState]) -> Text:
    well = sum(one.state in _WELL for one in feed)
    off = sum(one.state is FeedState.OFF for one in feed)
    wrong = len(feed) - well - off
    words = [f"{well} of {len(feed)} well"]
    words += [f"{wrong} to look at"] if wrong else []
    words += [f"{off} off"] if off else []
    return Text(" · ".join(words), Tone.WARN if wrong else Tone.DIM)
