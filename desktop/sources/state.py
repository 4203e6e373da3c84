"""How a source stands, as the status bar, the health panel and `doctor` tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.market.known import Maybe
from desktop.sources.contract import Failure


class FeedState(StrEnum):
    """How far a source can be trusted right now."""

    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    CLOSED = "closed"
    GAP = "gap"
    UNAVAILABLE = "unavailable"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source, as the status bar and `doctor` tell it.

    `age_s` is the age of its best pair of legs (the pair is as old as its older leg), or of its freshest quote
    where it has no pair; `declared_delay_s` what the vendor admits for the same quotes. `next_try` is when it is
    asked again, None when it is not. `note` says in words why the state is what it is, "" when it is plain.
    `requests` were sent since the start, at most `budget_per_h` an hour may be; `paused` by the user.
    """

    source: str
    state: FeedState
    age_s: Maybe
    declared_delay_s: float
    last_success: datetime | None
    last_error: Failure | None
    next_try: datetime | None
    note: str = ""
    requests: int = 0
    budget_per_h: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Long work under way: what, and `done` of `total` requests."""

    what: str
    done: int
    total: int
    stoppable: bool = True
