"""What the time bar can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from widgets.states import Text


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in the session shown: when (UTC), and its words."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class TimeState:
    """A past moment, and where else one can go.

    All times are aware, UTC. `first` and `last` bound the slider: the session from its morning to after its close.
    `before` and `after` are where the neighbouring sessions begin, None where there is none. `typed` is the moment
    as it would be typed, in New York time; `note` says what the session holds.
    """

    at: datetime
    typed: str
    clock: Text
    first: datetime
    last: datetime
    before: datetime | None
    after: datetime | None
    note: Text
    playing: bool
    speed: int
    marks: tuple[Moment, ...] = ()
