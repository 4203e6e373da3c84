"""What the feed asks for and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from desktop.market.instruments import INSTRUMENTS, LIVE_SYMBOLS
from desktop.market.sessions import CME, NYSE, Calendar

FINAL_AFTER = timedelta(minutes=20)
"""A daily bar is provisional until so long after its session ended (yfinance merges a live row into it)."""

HURRY_AT_MOST = timedelta(minutes=15)
"""Quotes are asked in a hurry for so long at a time; who needs longer says so again."""


@dataclass(frozen=True, slots=True)
class Hurry:
    """Quotes every `every_s` seconds from `since` to `until` (UTC, by the feed's clock), history waits."""

    since: datetime
    until: datetime
    every_s: float

    def holds(self, now: datetime) -> bool:
        """Whether it is on; a clock that was put back ends it."""
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds are seconds of the feed's clock, except `deadline_s`, which is wall time."""

    live: tuple[str, ...] = LIVE_SYMBOLS
    """Quoted in one batch."""
    minute: tuple[str, ...] = ("^RUT", "^NDX", "IWM", "QQQ", "RTY=F", "NQ=F")
    """Symbols whose one-minute bars are visible."""
    daily: tuple[str, ...] = ("^NDX", "^RUT", "^VIX", "IWM", "QQQ", "^SPX", "^VIX3M")
    """Full daily history, in this order."""
    adjusted: tuple[str, ...] = ("IWM", "QQQ")
    """Also as dividend-adjusted closes, stored as `SYMBOL:adj`."""
    universe: tuple[str, ...] = ()
    """Names of the built-in universe: three years daily (momentum needs two), made into the panel `built-in`."""
    compiled: date = date(2026, 1, 1)
    """The date the list of names was made."""
    open_s: float = 12.0
    """Between quotes while the market is open, its pre- and post-market included."""
    closed_s: float = 60.0
    """Between quotes while it is closed."""
    minute_s: float = 60.0
    """Between minute bars of one symbol while the market is open."""
    recheck_s: float = 1800.0
    """After daily bars were asked for: when to look again for revisions, later for sessions still missing."""
    live_age_s: float = 90.0
    """Older quotes are not live."""
    quiet_s: float = 180.0
    """Quotes whose event time stands still for longer are stale (five times as long outside regular hours)."""
    deadline_s: float = 45.0
    """Wall seconds for one job; a worker that needs longer is given up."""
    off: str = ""
    """Why nothing is asked at all, shown to the user ("offline"); "" asks."""


def calendar_of(symbol: str) -> Calendar:
    """Exchange calendar of a symbol in Yahoo's spelling; futures trade by CME's, everything else by NYSE's."""
    instrument = INSTRUMENTS.get(symbol)
    future = symbol.endswith("=F") if instrument is None else instrument.calendar == "CMES"
    return CME if future else NYSE


def last_final(symbol: str, now: datetime) -> date:
    """Trading date of the latest session whose daily bar can no longer change."""
    return calendar_of(symbol).last_closed(now - FINAL_AFTER).day
