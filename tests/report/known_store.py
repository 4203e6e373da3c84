"""A made-up store that holds all that was known at a moment, and what nobody could know then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from desktop.analytics.positioning import NQ_CODE, RTY_CODE
from desktop.analytics.rates import zq_symbol
from desktop.market.quotes import Bars, Closes, Interval, Panel, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Observation, Priority, Store
from desktop.sources.files.publication import FRED_RATES, cot_published

FIRST, LAST = date(2022, 1, 3), date(2024, 7, 24)
PEAK = (date(2000, 3, 1), date(2000, 4, 14))
"""Days around the dot-com peak: the legs have closes then, and not again until FIRST."""
VIX_FIRST = date(2007, 12, 3)
DAY = date(2024, 7, 11)
LEGS = ("^RUT", "^NDX", "IWM", "QQQ", "RTY=F", "NQ=F")
DAILY = {"^RUT": 2000.0, "^NDX": 20000.0, "IWM": 200.0, "QQQ": 500.0, "^SPX": 5500.0}
GAUGES = {"^VIX": 13.0, "^VIX3M": 15.0, "^COR1M": 4.0, "^DSPX": 34.0}
ADJUSTED = {"IWM:adj": 190.0, "QQQ:adj": 480.0}
CLOSES = DAILY | GAUGES | ADJUSTED
NAMES = tuple(f"N{number:02}" for number in range(24))
MONTHS = tuple(date(2024 + (6 + n) // 12, (6 + n) % 12 + 1, 1) for n in range(13))
"""Contract months of the fed funds futures, from July 2024 on."""
RATES = {"DGS2": 4.6, "EFFR": 5.33, "DFF": 5.33, "DFEDTARL": 5.25, "DFEDTARU": 5.5}
REPORTED = {"open_interest": 400_000.0, "asset_manager_net": 30_000.0, "leveraged_net": -60_000.0}
JUMP_EVERY, JUMP = 25, 0.10


@dataclass(frozen=True)
class Later:
    """What comes after as-of, drawn: a seed for its values, how wild they are, which kinds there are."""

    seed: int
    wild: float
    kinds: frozenset[str]


KINDS = (
    "closes",
    "bars",
    "quotes",
    "late quotes",
    "rates",
    "revised rates",
    "positions",
    "futures",
    "panel",
    "new panel",
    "calendars",
)


def walk(seed: int, level: float, n: int, sd: float = 0.012) -> Any:
    return level * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, sd, n)))


def days_of(symbol: str) -> Any:
    if symbol == "^VIX":
        return NYSE.days(VIX_FIRST, LAST)
    recent = NYSE.days(FIRST, LAST)
    return recent if symbol in GAUGES else np.concatenate([NYSE.days(*PEAK), recent])


def put_days(store: Store, symbol: str, days: Any, close: Any) -> None:
    if symbol in DAILY:
        start = days.astype("datetime64[s]").astype(np.int64)
        bars = Bars(symbol, Interval.DAY, start, close * 0.999, close * 1.01, close * 0.99, close, 0 * close)
        store.put_bars(bars, source="past", priority=Priority.FILE)
    else:
        store.put_closes(Closes(symbol, days, close), source="past", priority=Priority.FILE)


def put_minutes(store: Store, symbol: str, interval: Interval, start: Any, close: Any) -> None:
    bars = Bars(symbol, interval, start, close, close, close, close, 0 * close)
    store.put_bars(bars, source="minutes", priority=Priority.FILE)


def panel(names: tuple[str, ...], days: Any, close: Any, name: str = "names") -> Panel:
    return Panel(name, names, days, close, date(2024, 1, 1))


@cache
def past_values() -> dict[str, Any]:
    values: dict[str, Any] = {
        symbol: walk(number, level, len(days_of(symbol))) for number, (symbol, level) in enumerate(CLOSES.items())
    }
    days = NYSE.days(FIRST, LAST)
    values["names"] = np.column_stack([walk(100 + number, 50.0, len(days), 0.02) for number in range(len(NAMES))])
    values["^RUT"] = values["^RUT"] * np.exp(_jumps(len(values["^RUT"])))
    for symbol in ("^NDX", "QQQ:adj"):
        values[symbol][days_of(symbol) < np.datetime64(FIRST)] *= 0.5  # the peak of 2000 lies below 2024
    return values


def _jumps(n: int) -> Any:
    """Every 25 days small caps gain 10 % in a day and lose it within ten: days that are events."""
    moves = np.zeros(n)
    for day in range(JUMP_EVERY, n - 11, JUMP_EVERY):
        moves[day] += JUMP
        moves[day + 1 : day + 11] -= JUMP / 10
    return np.cumsum(moves)


def observations() -> Iterator[tuple[str, Observation]]:
    """Every rate and every report up to LAST, with the moment it became known."""
    draw = np.random.default_rng(5)
    for day in (one.item() for one in NYSE.days(FIRST, LAST)):
        for name, level in RATES.items():
            value = level + (0.05 * float(draw.normal()) if name == "DGS2" else 0.0)
            yield name, Observation(day, value, FRED_RATES[name](day))
    for week in range(90):
        day = date(2024, 7, 23) - timedelta(weeks=week)
        for code in (NQ_CODE, RTY_CODE):
            for name, level in REPORTED.items():
                value = float(round(level * (1 + 0.1 * draw.normal())))
                yield f"COT:{code}:{name}", Observation(day, value, cot_published(day))


@cache
def known_rows() -> tuple[tuple[str, Observation], ...]:
    return tuple(observations())


def put_observations(store: Store, rows: list[tuple[str, Observation]]) -> None:
    by_name: dict[str, list[Observation]] = {}
    for name, one in rows:
        by_name.setdefault(name, []).append(one)
    for name, found in by_name.items():
        store.put_series(name, found, source="publisher")


def last_session(as_of: datetime) -> date:
    """The last session that was over."""
    return NYSE.last_closed(as_of).day


def filled(as_of: datetime) -> Store:
    """Everything known at as-of, and nothing else."""
    store, day_before = Store(None), last_session(as_of)
    last = np.datetime64(day_before)
    with store.together():
        for symbol in CLOSES:
            known = days_of(symbol) <= last
            put_days(store, symbol, days_of(symbol)[known], past_values()[symbol][known])
        put_observations(store, [(name, one) for name, one in known_rows() if one.available_at <= as_of])
        for number, month in enumerate(MONTHS):
            week = NYSE.days(date(2024, 7, 1), day_before)
            put_days(store, zq_symbol(month), week, 94.67 + 0.02 * number + 0.001 * np.arange(len(week)))
    days = NYSE.days(FIRST, LAST)
    store.put_panel(panel(NAMES, days[days <= last], past_values()["names"][days <= last]), source="past")
    for number, symbol in enumerate(LEGS):
        level = DAILY.get(symbol, DAILY["^RUT"] if symbol == "RTY=F" else DAILY["^NDX"])
        for day in (date(2024, 7, 10), DAY):
            first = int(
                datetime(day.year, day.month, day.day, 13 if symbol[0] == "^" else 12, 30, tzinfo=UTC).timestamp()
            )
            start = first + 60 * np.arange(60 * 8)
            close = walk(200 + number + day.day, level, len(start), 0.0005)
            done = start + 60 <= as_of.timestamp()
            put_minutes(store, symbol, Interval.MINUTE, start[done], close[done])
        at = as_of - timedelta(seconds=20 + number)
        store.put_quotes([Quote(symbol, level, at, at + timedelta(seconds=5), "feed")])
    at = as_of - timedelta(hours=2)
    store.put_quotes([Quote(zq_symbol(month), 94.8, at, at, "feed") for month in MONTHS[3:6]])
    return store


def add(store: Store, as_of: datetime, later: Later) -> None:
    """Add what nobody could know at as-of."""
    rng = np.random.default_rng(later.seed)

    def wild(n: int) -> Any:
        return np.exp(rng.normal(0, later.wild, n))

    last = np.datetime64(last_session(as_of))
    if "closes" in later.kinds:
        for symbol, level in CLOSES.items():
            coming = days_of(symbol)[days_of(symbol) > last]
            put_days(store, symbol, coming, level * wild(len(coming)))
    if "bars" in later.kinds:
        for symbol in LEGS:
            for interval in (Interval.MINUTE, Interval.FIVE_MINUTES, Interval.FIFTEEN_MINUTES):
                under_way = int(as_of.timestamp()) // interval.seconds * interval.seconds
                start = under_way + interval.seconds * np.arange(40)
                put_minutes(store, symbol, interval, start, 100.0 * wild(len(start)))
    if "quotes" in later.kinds:
        for symbol in LEGS:
            at = as_of + timedelta(seconds=float(rng.uniform(0.000001, 7200)))
            store.put_quotes([Quote(symbol, 100.0 * float(wild(1)[0]), at, at, "feed", declared_delay_s=900.0)])
    if "late quotes" in later.kinds:
        for symbol in (*LEGS, *map(zq_symbol, MONTHS)):
            at = as_of - timedelta(seconds=float(rng.uniform(0, 60)))
            arrival = as_of + timedelta(seconds=float(rng.uniform(0.000001, 7200)))
            store.put_quotes([Quote(symbol, 100.0 * float(wild(1)[0]), at, arrival, "another feed")])
    if "futures" in later.kinds:
        coming = NYSE.days(last_session(as_of) + timedelta(days=1), LAST)
        for month in MONTHS:
            put_days(store, zq_symbol(month), coming, 95.0 + rng.uniform(-later.wild, later.wild, len(coming)))
            at = as_of + timedelta(seconds=float(rng.uniform(0.000001, 7200)))
            price = 95.0 + float(rng.uniform(-later.wild, later.wild))
            store.put_quotes([Quote(zq_symbol(month), price, at, at, "feed")])
    coming_rows = [(name, one) for name, one in known_rows() if one.available_at > as_of]
    for kind, is_cot in (("rates", False), ("positions", True)):
        if kind in later.kinds:
            put_observations(
                store,
                [
                    (name, Observation(one.day, one.value * float(wild(1)[0]), one.available_at))
                    for name, one in coming_rows
                    if name.startswith("COT") is is_cot
                ],
            )
    if "revised rates" in later.kinds:
        at = as_of + timedelta(microseconds=1)
        put_observations(
            store,
            [
                (name, Observation(one.day, one.value * float(wild(1)[0]), at))
                for name, one in known_rows()
                if one.available_at <= as_of and one.day > date(2024, 5, 1)
            ],
        )
    if "calendars" in later.kinds:
        hours = int(rng.integers(1, 30))
        for publisher, kind, after_days in (("bls", "cpi", (0, 30)), ("fed", "fomc", (0, 10, 45, 90, 500))):
            dates = [(kind, as_of + timedelta(hours=hours, days=days)) for days in after_days]
            store.put_calendar(publisher, dates, seen_at=as_of + timedelta(microseconds=1))
    days = NYSE.days(FIRST, LAST)
    coming = days[days > last]
    if "panel" in later.kinds:
        listed_later = np.full((len(days), 1), np.nan)
        listed_later[days > last] = 10.0
        close = np.column_stack([past_values()["names"], listed_later])
        close[days > last] *= wild(close[days > last].size).reshape(-1, close.shape[1])
        store.put_panel(panel((*NAMES, "NEW"), days, close), source="later")
    if "new panel" in later.kinds:
        close = 50.0 * wild(len(coming) * 30).reshape(len(coming), 30)
        store.put_panel(panel(tuple(f"X{n}" for n in range(30)), coming, close, "newer"), source="later")
