"""The time bar: which past moment is shown, the session around it, and what a typed moment means."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from desktop.market.known import UserError
from desktop.market.sessions import NYSE, TABLE_FIRST, AsOfError, Session, new_york, parse_as_of, trading_day
from desktop.presenters.words import clock_et, day
from desktop.snapshot import Snapshot
from desktop.today import PRE_FROM
from widgets.states import Text, Tone
from widgets.states_time import Moment, TimeState

_AFTER_CLOSE = timedelta(minutes=30)
_STEP_DAYS = timedelta(days=14)


class FutureError(UserError):
    """A moment that has not been yet; carries it."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"{at.astimezone(new_york):%Y-%m-%d %H:%M} ET lies ahead: nothing is known of it yet")
        self.at = at


def read_moment(text: str, shown: datetime, now: datetime) -> datetime:
    """Read what was typed into the time bar; returns UTC.

    A date means its end in New York, a clock time (10:30) that of the day shown, date and clock are New York's; an
    ISO time with zone says all itself.

    Raises
    ------
    UserError
        AsOfError where it names no moment or one before every session, FutureError where it is yet to come.
    """
    text = " ".join(text.split())
    at = _in_new_york(text, trading_day(shown)) or parse_as_of(text)
    if trading_day(at) <= TABLE_FIRST:
        raise AsOfError(text, f"lies before the first session known here, {TABLE_FIRST}")
    if at > now:
        raise FutureError(at)
    return at


def _in_new_york(text: str, shown: date) -> datetime | None:
    """The moment of a clock time, with its date or without; None for anything else."""
    try:
        clock = time.fromisoformat(text)
        if clock.tzinfo is None and ":" in text:
            return datetime.combine(shown, clock, new_york).astimezone(UTC)
    except ValueError:
        pass
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    if local.tzinfo is not None or ":" not in text:
        return None
    return local.replace(tzinfo=new_york).astimezone(UTC)


def span(session: Session) -> tuple[datetime, datetime]:
    """First and last moment of the slider for a session, UTC: from the New York morning to after the close."""
    return datetime.combine(session.day, PRE_FROM, new_york).astimezone(UTC), session.close + _AFTER_CLOSE


def session_of(at: datetime) -> Session:
    """The session whose slider holds `at`: that of its New York day, else the last one before."""
    here = NYSE.session(trading_day(at))
    if here is not None and at >= span(here)[0]:
        return here
    return NYSE.previous(trading_day(at))


def next_start(at: datetime) -> datetime:
    """Where playing goes on after the session of `at`: the morning of the next one."""
    return span(NYSE.next_open(max(session_of(at).open, at)))[0]


def present_time(
    snapshot: Snapshot, stored: Sequence[date] | None, *, now: datetime, playing: bool, speed: int
) -> TimeState:
    """Build the state of the time bar; `stored` are the New York days with stored minutes, in order, or None."""
    minute_days = stored or ()
    at = snapshot.moment
    session = session_of(at)
    first, last = span(session)
    place = bisect_left(minute_days, session.day)
    known = stored is None or (place < len(minute_days) and minute_days[place] == session.day)
    before, after = _neighbours(session, minute_days, now)
    return TimeState(
        at=at,
        typed=f"{at.astimezone(new_york):%Y-%m-%d %H:%M}",
        clock=Text(f"{day(trading_day(at))} {clock_et(at)}", Tone.PAST),
        first=first,
        last=last,
        before=before,
        after=after,
        note=_note(session, known=known),
        playing=playing,
        speed=speed,
        marks=tuple(
            Moment(one.at, f"{one.name} {clock_et(one.at)}") for one in snapshot.schedule.on_day(session.day)
        ),
    )


def with_refreshes(state: TimeState, refreshed_at: Sequence[datetime]) -> TimeState:
    """Mark manual refreshes of the session on the bar, at the moment when the window knew what they brought."""
    inside = [Moment(at, f"refreshed {clock_et(at)}") for at in refreshed_at if state.first <= at <= state.last]
    if not inside:
        return state
    return replace(state, marks=tuple(sorted((*state.marks, *inside), key=lambda one: one.at)))


def _note(session: Session, *, known: bool) -> Text:
    if not known:
        return Text(
            "daily data only",
            Tone.WARN,
            "No minutes of this session are stored: before its close the day before is what was known.",
        )
    if session.early_close:
        return Text("half day", Tone.DIM, f"The exchange closed at {clock_et(session.close)}.")
    return Text("")


def _neighbours(
    session: Session, minute_days: Sequence[date], now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Where the sessions before and after begin: those with minutes, and beyond them every one."""
    earlier = bisect_left(minute_days, session.day) - 1
    later = bisect_right(minute_days, session.day)
    before = minute_days[earlier] if earlier >= 0 else None
    if before is None and session.day - _STEP_DAYS > TABLE_FIRST:
        before = NYSE.previous(session.day).day
    after = minute_days[later] if later < len(minute_days) else NYSE.next_open(session.close).day
    starts = [None if one is None else _open_of(one) for one in (before, after)]
    return starts[0], starts[1] if starts[1] is not None and starts[1] <= now else None


def _open_of(one: date) -> datetime | None:
    session = NYSE.session(one)
    return None if session is None else session.open
