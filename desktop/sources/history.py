"""Which daily history is missing from the store, and how it is completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from desktop.market.quotes import Bars, Closes, Interval, Panel, day_start_s
from desktop.market.sessions import trading_day
from desktop.market.store import Store
from desktop.market.universe import BUILT_IN
from desktop.sources.contract import Failure, Source, Window
from desktop.sources.plan import Plan, calendar_of, last_final

SINCE = date(1985, 1, 1)
"""Daily history is asked for from here on."""
COMPLETE_FROM = date(2005, 1, 1)
"""Stored index or ETF history that starts later is incomplete, whoever supplied it."""
UNIVERSE_BACK = timedelta(days=1096)
OVERLAP = timedelta(days=14)
"""Stored bars this near the end are fetched again, because vendors revise them."""
REVISION = 0.01
"""Where the overlap differs by more, a split lies between: the whole history is fetched again."""
GAPS_WITHIN = timedelta(days=31)
"""A session missing for longer no longer counts against the source."""


class Kind(StrEnum):
    """What one job of the feed does, in words for the progress line."""

    QUOTES = "quotes"
    MINUTES = "minute bars"
    LOOK = "looking for missing history"
    DAILY = "daily history"
    ADJUSTED = "adjusted history"
    PANEL = "universe"


HISTORY = frozenset({Kind.DAILY, Kind.ADJUSTED, Kind.PANEL})


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to ask a source for."""

    kind: Kind
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What has to be fetched so that every daily series reaches `target`, and the sessions that are absent."""

    target: date
    jobs: tuple[Job, ...]
    gaps: Mapping[str, tuple[date, ...]]


@runtime_checkable
class AdjustedSource(Protocol):
    """A source that also knows closes adjusted for dividends and splits."""

    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        """Daily closes as the series `SYMBOL:adj`; the whole window moves with every dividend."""
        ...


def target(now: datetime) -> date:
    """Trading date which every daily series should reach by now."""
    return last_final("", now)


def look(store: Store, plan: Plan, now: datetime, *, recheck: bool) -> Missing:
    """Compare the store with the calendar; `recheck` asks again for the last days of the plan's daily series."""
    jobs: list[Job] = []
    gaps: dict[str, tuple[date, ...]] = {}
    for symbol in plan.daily:
        stored = store.closes(symbol)
        if absent := gaps_of(stored, symbol, now):
            gaps[symbol] = absent
        if recheck or absent or not _is_complete(stored):
            jobs.append(Job(Kind.DAILY, symbol))
    jobs += [
        Job(Kind.ADJUSTED, symbol) for symbol in plan.adjusted if not _is_current(store, f"{symbol}:adj", now)
    ]
    names = [Job(Kind.DAILY, symbol) for symbol in plan.universe if not _is_current(store, symbol, now)]
    assembled = any(panel.name == BUILT_IN and panel.compiled == plan.compiled for panel in store.panels())
    if names or (plan.universe and not assembled):
        names.append(Job(Kind.PANEL))
    return Missing(target(now), (*jobs, *names), gaps)


def gaps_of(stored: Closes, symbol: str, now: datetime) -> tuple[date, ...]:
    """Recent sessions without a close, up to the last one whose bar is final."""
    if not len(stored):
        return ()
    last = last_final(symbol, now)
    first = max(stored.days[0].item(), last - GAPS_WITHIN)
    absent = np.setdiff1d(calendar_of(symbol).days(first, last), stored.days)
    return tuple(day.item() for day in absent)


def fetch_daily(source: Source, store: Store, symbol: str, plan: Plan, now: datetime) -> Bars | Failure:
    """Ask for what the store lacks: the last days, or everything when there is no history or a split moved it."""
    end = now + timedelta(days=1)
    whole = Window(midnight(SINCE) if symbol in plan.daily else now - UNIVERSE_BACK, end)
    stored = store.closes(symbol)
    if not len(stored) or (symbol in plan.daily and not _is_complete(stored)):
        return source.bars(symbol, Interval.DAY, whole)
    last = min(midnight(stored.days[-1].item()), now)
    bars = source.bars(symbol, Interval.DAY, Window(last - OVERLAP, end))
    if isinstance(bars, Bars) and _was_rescaled(bars, stored):
        return source.bars(symbol, Interval.DAY, whole)
    return bars


def assemble(store: Store, plan: Plan, now: datetime) -> Panel | None:
    """Make the universe's panel from stored closes; a day without a price of a name is NaN. None without any."""
    first = trading_day(now - UNIVERSE_BACK)
    closes = {symbol: one for symbol in plan.universe if len(one := store.closes(symbol, first))}
    if not closes:
        return None
    days = np.unique(np.concatenate([one.days for one in closes.values()]))
    table = np.full((len(days), len(closes)), np.nan)
    for column, one in enumerate(closes.values()):
        table[np.searchsorted(days, one.days), column] = one.close
    return Panel(BUILT_IN, tuple(closes), days, table, plan.compiled)


def midnight(day: date) -> datetime:
    """Label of a daily bar as a time: midnight UTC of its trading date."""
    return datetime.fromtimestamp(day_start_s(day), UTC)


def _is_complete(stored: Closes) -> bool:
    return bool(len(stored)) and bool(stored.days[0] <= np.datetime64(COMPLETE_FROM, "D"))


def _is_current(store: Store, symbol: str, now: datetime) -> bool:
    return bool(len(store.closes(symbol, target(now))))


def _was_rescaled(fresh: Bars, stored: Closes) -> bool:
    """Tell whether the oldest day that both hold differs too much for a revision."""
    shared, ours, theirs = np.intersect1d(fresh.days, stored.days, return_indices=True)
    return bool(len(shared)) and bool(abs(fresh.close[ours[0]] / stored.close[theirs[0]] - 1) > REVISION)
