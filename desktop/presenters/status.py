"""The status bar: one dot per source with its state in words, the session, the clocks, long work."""

from __future__ import annotations

from datetime import datetime

from desktop.market.known import Unknown
from desktop.market.sessions import NYSE, Phase
from desktop.presenters.words import clock_et, moment_et, source_name, span
from desktop.snapshot import Snapshot
from desktop.sources.state import FeedState, Progress, SourceState
from widgets.states import ProgressState, SourceDot, StatusState, Text, Tone

STATE_TONES = {
    FeedState.LIVE: Tone.GOOD,
    FeedState.DELAYED: Tone.WARN,
    FeedState.STALE: Tone.WARN,
    FeedState.GAP: Tone.WARN,
    FeedState.CLOSED: Tone.PAST,
    FeedState.UNAVAILABLE: Tone.BAD,
    FeedState.OFF: Tone.DIM,
}

CLOCK_TOLERANCE_S = 30.0
"""A clock that is further off is told."""
_LEAVE_DEMO = "Ctrl+D shows the store all the same; Ctrl+O imports history from files."


def present_status(
    snapshot: Snapshot,
    progress: Progress | None,
    *,
    why: str = "",
    now: datetime | None = None,
    clock_ahead_s: float | None = None,
) -> StatusState:
    """Build the state of the status bar; `why`, `now` and `clock_ahead_s` as for the frame."""
    moment = snapshot.moment
    return StatusState(
        dots=tuple(_dot(one, now or moment) for one in snapshot.feed),
        session=_session(moment),
        clock=f"{clock_et(moment)} · {moment:%H:%M:%S} UTC",
        progress=None if progress is None else _progress(progress),
        message=Text(f"Demo shown: {why}", Tone.WARN, f"{why}\n{_LEAVE_DEMO}") if why else _off(clock_ahead_s),
    )


def _off(clock_ahead_s: float | None) -> Text | None:
    """What to say of a clock that makes every age wrong."""
    if clock_ahead_s is None or abs(clock_ahead_s) <= CLOCK_TOLERANCE_S:
        return None
    told = f"{span(abs(clock_ahead_s))} {'fast' if clock_ahead_s > 0 else 'slow'}"
    words = (
        f"This computer's clock is {told} against the servers asked: ages of prices are wrong by as much. "
        "Let the system set its clock by itself."
    )
    return Text(f"This computer's clock is {told}: ages are wrong", Tone.BAD, words)


def _progress(progress: Progress) -> ProgressState:
    share = progress.done / progress.total if progress.total else None
    return ProgressState(f"{progress.what} {progress.done} of {progress.total}", share, progress.stoppable)


def _dot(state: SourceState, now: datetime) -> SourceDot:
    name = source_name(state.source)
    age = "" if isinstance(state.age_s, Unknown) else f" {span(state.age_s)}"
    waiting = state.state is FeedState.UNAVAILABLE and state.last_error is None
    words = {
        FeedState.LIVE: age.strip() or "live",
        FeedState.DELAYED: f"delayed{age}",
        FeedState.STALE: f"stale{age}",
        FeedState.GAP: f"gap{age}",
        FeedState.CLOSED: f"closed{age}",
        FeedState.UNAVAILABLE: "waiting" if waiting else "unavailable",
        FeedState.OFF: "paused" if state.paused else "off (no key)" if state.note == "no key" else "off",
    }[state.state]
    told = [f"{name}: {state.state.value}"]
    if state.note:
        told.append(state.note)
    if isinstance(state.age_s, Unknown):
        told.append(state.age_s.reason)
    if state.last_success is not None:
        told.append(f"last answer {clock_et(state.last_success)}")
    if state.last_error is not None:
        told.append(
            f"last error: {state.last_error.message} ({state.last_error.kind.value}); {state.last_error.cure}"
        )
    if state.next_try is not None:
        told.append(f"next try in {span((state.next_try - now).total_seconds())}")
    tone = Tone.DIM if waiting else STATE_TONES[state.state]  # not asked yet: nothing is wrong
    return SourceDot(state.source, f"{name} {words}", tone, "\n".join(told), name)


def _session(moment: datetime) -> Text:
    phase = NYSE.phase(moment)
    if phase is Phase.REGULAR:
        session = NYSE.last_started(moment)
        words = f"NYSE open, closes {clock_et(session.close, seconds=False)}"
        return Text(words + (" (half day)" if session.early_close else ""), Tone.GOOD)
    upcoming = NYSE.next_open(moment)
    words = {Phase.PRE: "NYSE pre-market", Phase.POST: "NYSE post-market", Phase.CLOSED: "NYSE closed"}[phase]
    return Text(f"{words}, opens {moment_et(upcoming.open)}", Tone.DIM)
