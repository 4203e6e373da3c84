"""The contract every source keeps.

A source turns vendor data into validated, immutable objects, or says in a `Failure` why it could not.
It never hands over an empty frame, a NaN price or a naive time. It may block: it is always called from a
worker thread, never from the window. What it has handed over it never changes. Each source fails alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.releases import Entry
from desktop.market.store import Observation


class FailureKind(StrEnum):
    """Why a source could not answer."""

    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    NO_DATA = "no_data"
    TIMEOUT = "timeout"
    OFFLINE = "offline"
    BAD_PAYLOAD = "bad_payload"
    AUTH = "auth"


CURES: Mapping[FailureKind, str] = {
    FailureKind.RATE_LIMITED: "wait: the next try is scheduled and shown",
    FailureKind.NOT_FOUND: "check the symbol",
    FailureKind.NO_DATA: "nothing was published for this range; it is asked again later",
    FailureKind.TIMEOUT: "the host was too slow; it is asked again",
    FailureKind.OFFLINE: "check network, proxy and certificate settings",
    FailureKind.BAD_PAYLOAD: "the source changed its format or answered nonsense; `doctor` shows the answer",
    FailureKind.AUTH: "check the key",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A named refusal: what was asked, when, why, and when it may be asked again.

    `advice` is a cure that fits better than the one its kind has, "" where that one fits.
    """

    kind: FailureKind
    source: str
    symbol: str
    message: str
    at: datetime
    retry_after_s: float | None = None
    advice: str = ""

    @property
    def cure(self) -> str:
        """What the user can do about it."""
        return self.advice or CURES[self.kind]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in UTC, [start, end)."""

    start: datetime
    end: datetime


class Source(Protocol):
    """What the feed asks of each source.

    A source may also have: `off`, why it is not asked at all ("no key"), "" when it is; `symbols`, the only ones
    it knows, of which it gives quotes and minute bars and no history; `priority`, how its bars rank in the store;
    `requests` sent so far, and `budget_per_h`; `warning`, what is wrong though it answers, "" where nothing is;
    `close`, after which nothing waits any more.
    """

    name: str

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        """Latest price of each symbol; every symbol asked for has an entry."""
        ...

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        """Bars whose start lies in the window; never empty (Failure no_data instead)."""
        ...


@dataclass(frozen=True, slots=True)
class Dataset:
    """One thing a publisher publishes: its name within the publisher, and how often it is worth asking (s)."""

    name: str
    every_s: float


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a host said of the version it handed out; sent back, it may answer "unchanged"."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The host has nothing newer than what was fetched before."""


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """What one answer of a publisher holds, validated.

    `series` maps the id of a macro series to its observations, `releases` are the dates of a calendar. `known_at`
    (UTC) is when the newest of it became known to everybody: the age of the publication counts from there. `note`
    is what a careful reader should know (rows left out, a contradiction with another publisher), "" where nothing.
    """

    known_at: datetime
    stamp: Stamp = Stamp()
    bars: tuple[Bars, ...] = ()
    closes: tuple[Closes, ...] = ()
    quotes: tuple[Quote, ...] = ()
    series: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)
    releases: tuple[Entry, ...] = ()
    note: str = ""


class Publisher(Protocol):
    """An official publisher: asked seldom, one dataset at a time, on a thread of its own."""

    name: str
    datasets: tuple[Dataset, ...]

    @property
    def off(self) -> str:
        """Why it is not asked at all ("no key"); "" when it is."""
        ...

    @property
    def requests(self) -> int:
        """How many requests it has sent so far."""
        ...

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        """Ask for `dataset`; `stamp` is that of the version stored."""
        ...

    def close(self) -> None:
        """Let nothing wait any more; a call under way ends with a Failure."""
        ...
