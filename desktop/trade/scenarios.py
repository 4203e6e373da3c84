"""What the position makes or loses: by ratio, by moves of both legs, in past days and past drawdowns.

Long L dollars of RUT, short S dollars of NDX, units held unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil, floor, log10, sqrt

import numpy as np

from desktop.market.known import Unknown
from desktop.market.quotes import DayArray, FloatArray

MOVES_PCT = (-10, -5, -3, 0, 3, 5, 10)
_MAP_REACH = 0.125
_TAIL = 0.01
FEWEST_DAYS = 100


class RatioPath(StrEnum):
    """How the ratio gets to a level: which leg moves."""

    NDX_FLAT = "NDX flat"
    RUT_FLAT = "RUT flat"
    SYMMETRIC = "symmetric"


@dataclass(frozen=True, slots=True)
class Outcome:
    """P&L in dollars at one level of the ratio NDX / RUT, by path."""

    ratio: float
    ndx_flat_usd: float
    rut_flat_usd: float
    symmetric_usd: float

    @property
    def by_path(self) -> tuple[tuple[RatioPath, float], ...]:
        """Each path with its P&L."""
        return (
            (RatioPath.NDX_FLAT, self.ndx_flat_usd),
            (RatioPath.RUT_FLAT, self.rut_flat_usd),
            (RatioPath.SYMMETRIC, self.symmetric_usd),
        )

    @property
    def worst_usd(self) -> float:
        """The lowest of the three: what a stop or a target is quoted with."""
        return min(usd for _, usd in self.by_path)

    @property
    def worst_path(self) -> RatioPath:
        """The path of the lowest P&L."""
        return min(self.by_path, key=lambda one: one[1])[0]


def leg_moves(ratio: float, to: float) -> tuple[tuple[float, float], ...]:
    """Simple returns (RUT, NDX) that take the ratio from `ratio` to `to`: NDX flat, RUT flat, symmetric.

    Symmetric means equal and opposite log moves.
    """
    x = to / ratio
    root = sqrt(x)
    return (1 / x - 1, 0.0), (0.0, x - 1), (1 / root - 1, root - 1)


def outcome(long_usd: float, short_usd: float, ratio: float, to: float) -> Outcome:
    """P&L of the position when the ratio goes from `ratio` to `to`, by each of the three paths."""
    ndx_flat, rut_flat, symmetric = (long_usd * rut - short_usd * ndx + 0.0 for rut, ndx in leg_moves(ratio, to))
    return Outcome(to, ndx_flat, rut_flat, symmetric)


def ratio_levels(ratio: float, *marks: float | None) -> tuple[float, ...]:
    """Round levels within 12.5 % of `ratio`, the ratio itself and `marks` (stop, target), rising."""
    rough = ratio / 100
    base = 10.0 ** floor(log10(rough))
    step = next(base * one for one in (1, 2, 5, 10) if base * one >= rough * (1 - 1e-12))
    digits = max(0, -floor(log10(step) + 1e-9))
    first, last = ceil(ratio * (1 - _MAP_REACH) / step), floor(ratio * (1 + _MAP_REACH) / step)
    round_levels = {round(count * step, digits) for count in range(first, last + 1)}
    return tuple(sorted(round_levels | {ratio} | {one for one in marks if one is not None}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """P&L in dollars when RUT and NDX move by so many percent."""

    rut_pct: float
    ndx_pct: float
    pnl_usd: float


def scenario_grid(long_micro: int, short_micro: int, moves_pct: Sequence[int] = MOVES_PCT) -> tuple[Scenario, ...]:
    """Every pair of moves, NDX outer, both rising.

    Notionals are whole micro-dollars, so each P&L is the exact figure, rounded once to the nearest float.
    """
    return tuple(
        Scenario(rut, ndx, (long_micro * rut - short_micro * ndx) / 100_000_000)
        for ndx in moves_pct
        for rut in moves_pct
    )


@dataclass(frozen=True, slots=True)
class HistoricalRisk:
    """What the position would have made on past days.

    `es99_usd` is the mean loss of the worst 1 % of days (positive is a loss), `worst_usd` the P&L of the worst,
    `worst_day` its date, `worst_spread_pp` RUT less NDX that day in percentage points.
    """

    es99_usd: float
    worst_usd: float
    worst_day: date
    worst_spread_pp: float
    n: int
    first: date
    last: date


def historical_risk(
    long_usd: float, short_usd: float, days: DayArray, rut_returns: FloatArray, ndx_returns: FloatArray
) -> HistoricalRisk | Unknown:
    """Expected shortfall and worst day of today's position over past daily simple returns.

    Parameters
    ----------
    long_usd, short_usd
        Notionals of the two legs, above zero.
    days
        Day of each return, datetime64[D], shape (n,).
    rut_returns, ndx_returns
        Simple one-day returns as shares, shape (n,).

    Returns
    -------
    HistoricalRisk or Unknown
        Unknown below 100 days: one percent of them would not be a day.
    """
    n = len(days)
    if n < FEWEST_DAYS:
        return Unknown(f"needs at least {FEWEST_DAYS} past days of both legs; there are {n}")
    pnl = long_usd * rut_returns - short_usd * ndx_returns
    tail = ceil(_TAIL * n - 1e-9)
    at = int(np.argmin(pnl))
    return HistoricalRisk(
        es99_usd=-float(np.partition(pnl, tail - 1)[:tail].mean()),
        worst_usd=float(pnl[at]),
        worst_day=_as_date(days[at]),
        worst_spread_pp=100 * float(rut_returns[at] - ndx_returns[at]),
        n=n,
        first=_as_date(days[0]),
        last=_as_date(days[-1]),
    )


@dataclass(frozen=True, slots=True)
class PastDay:
    """What the position would have made on one past day; moves of the indices in percent."""

    day: date
    rut_pct: float
    ndx_pct: float
    pnl_usd: float


def worst_days(
    long_usd: float,
    short_usd: float,
    days: DayArray,
    rut_returns: FloatArray,
    ndx_returns: FloatArray,
    count: int = 5,
) -> tuple[PastDay, ...]:
    """The `count` past days on which today's position would have lost most, worst first; arguments as above."""
    pnl = long_usd * rut_returns - short_usd * ndx_returns
    count = min(count, len(pnl))
    if not count:
        return ()
    found = np.argpartition(pnl, count - 1)[:count]
    return tuple(
        PastDay(_as_date(days[at]), 100 * float(rut_returns[at]), 100 * float(ndx_returns[at]), float(pnl[at]))
        for at in found[np.argsort(pnl[found])]
    )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """P&L in dollars by leg when RUT and NDX move by so many percent, and the ratio that makes."""

    rut_pct: float
    ndx_pct: float
    rut_usd: float
    ndx_usd: float
    ratio: float

    @property
    def pnl_usd(self) -> float:
        """Both legs."""
        return self.rut_usd + self.ndx_usd


def what_if(long_usd: float, short_usd: float, ratio: float, rut_pct: float, ndx_pct: float) -> WhatIf:
    """Move both legs; moves above -100 percent."""
    moved = ratio * (1 + ndx_pct / 100) / (1 + rut_pct / 100)
    return WhatIf(rut_pct, ndx_pct, long_usd * rut_pct / 100 + 0.0, -short_usd * ndx_pct / 100 + 0.0, moved)


def path_moves(path: RatioPath, ratio_pct: float) -> tuple[float, float]:
    """Moves of (RUT, NDX) in percent that move the ratio by `ratio_pct` percent along `path`."""
    rut, ndx = leg_moves(1.0, 1 + ratio_pct / 100)[list(RatioPath).index(path)]
    return 100 * rut + 0.0, 100 * ndx + 0.0


@dataclass(frozen=True, slots=True)
class PastFall:
    """A past fall of the market and what both indices did in it, in percent."""

    label: str
    rut_pct: float
    ndx_pct: float


PAST_FALLS = (
    PastFall("2000-02", -43.0, -82.8),
    PastFall("2007-09", -59.4, -51.9),
    PastFall("2020", -40.8, -27.9),
    PastFall("2022", -25.7, -34.6),
)
"""Price moves of ^RUT and ^NDX over the named S&P 500 drawdowns, high to low."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What the position would have made in a past fall, units held unchanged."""

    fall: PastFall
    pnl_usd: float


def replay(long_usd: float, short_usd: float, falls: Sequence[PastFall] = PAST_FALLS) -> tuple[Replay, ...]:
    """Run the position through past falls."""
    return tuple(Replay(one, (long_usd * one.rut_pct - short_usd * one.ndx_pct) / 100) for one in falls)


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
