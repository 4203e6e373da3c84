"""An armed release: what is refreshed when, what became of it, and what happens when the release moves.

Nothing here asks a source or reads a clock: it is told the time and answers with what is due. A clock that jumped
(a laptop that slept) makes one refresh due, not all that were missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from desktop.market.releases import NAMES, ReleaseKind, Schedule

BEFORE_S = -3
"""One refresh before the release, so that the reference is the last trade and not one of the last round."""
FIRST_S = (2, 5, 10, 20, 30, 60)
EVERY_S, UNTIL_S = 15, 900
OFFSETS_S: tuple[int, ...] = (BEFORE_S, *FIRST_S, *range(FIRST_S[-1] + EVERY_S, UNTIL_S + 1, EVERY_S))
"""Seconds from the release at which prices are asked for: 63 batches of quotes, one request each."""
LATE_S = 5.0
"""A refresh carried out later than this after its time is told as late."""
REFERENCE_LEAD = timedelta(seconds=1)
LONGEST_MOVE = timedelta(days=45)
"""A release of the same kind further away than this is another one, not the armed one moved."""
_OVER = timedelta(seconds=UNTIL_S + EVERY_S)


@dataclass(frozen=True, slots=True)
class Armed:
    """What the user armed: every release of the moment `at` (UTC). `kinds` are theirs, `name` is told.

    `told` says what became of it since: "moved from ...", "" where nothing did.
    """

    at: datetime
    kinds: tuple[str, ...]
    name: str
    armed_at: datetime
    told: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One refresh that was due `offset_s` after the release: when it was carried out, None where it was missed."""

    offset_s: int
    done_at: datetime | None

    @property
    def missed(self) -> bool:
        """Whether it was never carried out."""
        return self.done_at is None


@dataclass(slots=True)
class Watch:
    """Follows one armed release by the clock."""

    at: datetime
    deeds: list[Deed] = field(default_factory=list)
    _seen: datetime | None = None

    def poll(self, now: datetime, speed: float = 1.0) -> bool:
        """Return whether to refresh now; called often, with the time of the desk's clock.

        Where several became due since the last call, one refresh stands for them. With a clock at its usual speed
        the others were missed; a demo that runs faster passes many in a frame and misses none.
        """
        before, self._seen = self._seen, now
        if before is not None and now < before:  # a demo that was sought back
            self.deeds = [one for one in self.deeds if self._time(one.offset_s) <= now]
        done = {one.offset_s for one in self.deeds}
        due = [one for one in OFFSETS_S if self._time(one) <= now and one not in done]
        if not due:
            return False
        *passed, last = due
        self.deeds += [Deed(one, now if speed > 1 else None) for one in passed]
        over = now >= self.at + _OVER
        self.deeds.append(Deed(last, None if over else now))
        return not over

    @property
    def missed(self) -> tuple[int, ...]:
        """Seconds after the release at which a refresh was missed; the one before it does not count."""
        return tuple(one.offset_s for one in self.deeds if one.missed and one.offset_s > 0)

    @property
    def done(self) -> int:
        """How many refreshes were carried out."""
        return sum(not one.missed for one in self.deeds)

    def is_over(self, now: datetime) -> bool:
        """Whether nothing is due any more."""
        return now >= self.at + _OVER

    def _time(self, offset_s: int) -> datetime:
        return self.at + timedelta(seconds=offset_s)


def armed_at(at: datetime, names: Sequence[tuple[str, str]], now: datetime) -> Armed:
    """Arm the moment `at`; `names` are kind and name of each release of it."""
    return Armed(at, tuple(kind for kind, _ in names), " + ".join(name for _, name in names), now)


def followed(
    armed: Armed, schedule: Schedule, now: datetime, own: Sequence[tuple[str, datetime, str]] = ()
) -> Armed | str:
    """Return the armed release as it stands in `schedule` at `now`: the same, moved, or why it is no more.

    Of several releases of one moment those that stay keep it armed; where none stays, the first that has a new
    date is followed. What has come out is left as it is. `own` are the user's events: key, moment, title.
    """
    if armed.at <= now:
        return armed
    kinds = {kind.value: kind for kind in ReleaseKind}
    here = {one.kind.value for one in schedule.between(armed.at, armed.at + timedelta(seconds=1))}
    mine = {key: (at, title) for key, at, title in own}
    here |= {key for key, (at, _) in mine.items() if at == armed.at}
    staying = tuple(one for one in armed.kinds if one in here)
    gone = [one for one in armed.kinds if one not in here]
    if not gone:
        return armed
    words = []
    for kind in gone:
        found = schedule.next(now, kinds[kind]) if kind in kinds else None
        to = found.at if found is not None else mine[kind][0] if kind in mine else None
        name = NAMES[kinds[kind]] if kind in kinds else mine[kind][1] if kind in mine else armed.name
        if to is None or not now < to or abs(to - armed.at) > LONGEST_MOVE:
            words.append(f"{name} is no longer scheduled")
            continue
        if not staying:
            told = f"moved: {name} was armed for {armed.at:%Y-%m-%d %H:%M} UTC"
            return replace(armed, at=to, kinds=(kind,), name=name, told=told)
        words.append(f"{name} moved away")
    if not staying:
        return "; ".join(words)
    names = [NAMES[kinds[one]] if one in kinds else mine[one][1] for one in staying]
    return replace(armed, kinds=staying, name=" + ".join(names), told="; ".join(words))
