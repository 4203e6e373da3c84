"""The search for whole units: how many to buy and how many to sell.

Long `a` units of `long_unit` dollars each, short `b` units of `short_unit` dollars each, L = a long_unit,
S = b short_unit. For every a the objective is convex in b, so that its best whole b is one of the two around
k L / short_unit, clamped to what the limits leave. All a of interest are tried at once.

By gross cap the objective is |kL - S| with gross L + S within [low, high]; towards a wanted long L* it is
|kL - S| + weight |L - L*|. Objectives within a millionth of a dollar tie, and the larger gross wins.

What more money does to the quantities (u = low / high): a larger cap never lowers the gross. It never lowers
either quantity either, provided the window is at least as wide as one unit of each leg,
(1 - u) high >= long_unit + short_unit. Proof: were a' < a although gross did not fall, b' > b. In so wide a
window one of "one more short unit" and "one long unit less" is allowed from the old choice, and both improve it
while its residual e exceeds m/2, m = max(k long_unit, short_unit); so e <= m/2. Likewise e' >= -m/2 for the new
choice. But e - e' = k (a - a') long_unit + (b' - b) short_unit >= k long_unit + short_unit > m. The other leg
goes the same way. In a narrower window the objective as it stands can lower a quantity: units of $210 and $492,
k 0.7, u 0.99, cap $3,686.84 leave +1/-7 (nothing else falls into the window), twice the cap gives +21/-6.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf, sqrt

import numpy as np

from desktop.market.quotes import FloatArray, IntArray
from desktop.trade.money import MICRO

MOST_CANDIDATES = 1 << 15
"""Long quantities tried at most: among so many the best residual is some hundred-thousandth of one short unit."""
_NEARBY = 64
_TIE_USD = 1e-6


@dataclass(frozen=True, slots=True)
class VolLimit:
    """Annual volatility of the spread may not exceed `most_usd`; `su`, `sn` as shares."""

    su: float
    sn: float
    rho: float
    most_usd: float


@dataclass(frozen=True, slots=True)
class LossLimit:
    """No path to the stop may lose more than `most_usd`.

    `paths` holds, for each path, dollars lost a dollar long and a dollar short.
    """

    paths: tuple[tuple[float, float], ...]
    most_usd: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What a choice of units must keep: gross within [low, high] (micro-dollars), volatility, loss at the stop."""

    gross_low: int = 0
    gross_high: int | None = None
    vol: VolLimit | None = None
    loss: LossLimit | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What is sought: hedge ratio `k`, and the long notional the size is aimed at.

    `weight` is the price of missing `long_usd` by a dollar; None leaves the size to the gross window alone.
    """

    k: float
    long_usd: float
    weight: float | None


def micro(usd: float) -> int:
    """Dollars as whole micro-dollars, taken from the decimal digits that stand in `usd`."""
    return round(usd * MICRO)


def spread_vol(vol: VolLimit, long_usd: FloatArray, short_usd: FloatArray) -> FloatArray:
    """Annual dollars: sqrt(su^2 L^2 + sn^2 S^2 - 2 rho su sn L S)."""
    long, short = vol.su * long_usd, vol.sn * short_usd
    # (rho L - S)^2 + (1 - rho^2) L^2 is the same sum without the cancellation that could turn it negative.
    size: FloatArray = np.sqrt((vol.rho * long - short) ** 2 + (1 - vol.rho**2) * long**2)
    return size


def worst_loss(loss: LossLimit, long_usd: FloatArray, short_usd: FloatArray) -> FloatArray:
    """Dollars lost at the stop on the worst of the paths."""
    lost: FloatArray = np.max([one * long_usd + other * short_usd for one, other in loss.paths], axis=0)
    return lost


def choose(long_unit: int, short_unit: int, aim: Aim, limits: Limits) -> tuple[int, int] | None:
    """Return the best (long units, short units), both at least 1; None where nothing keeps the limits.

    Parameters
    ----------
    long_unit, short_unit
        Notional of one unit of each leg, micro-dollars.
    aim, limits
        What is sought and what must hold.
    """
    most = inf if limits.gross_high is None else (limits.gross_high - short_unit) // long_unit
    if most < 1:
        return None
    centre = int(min(max(floor(aim.long_usd * MICRO / long_unit), 1), most))
    near = _candidates(long_unit, short_unit, aim, limits, max(centre - _NEARBY, 1), min(centre + _NEARBY, most))
    first, last = (1.0, most) if near is None else _worth_trying(long_unit, near.objective_usd, aim, limits)
    first, last = max(first, 1.0), min(last, most)
    if last - first >= MOST_CANDIDATES:
        # By cap the tie goes to the larger gross, so the top of the window; else what lies around the aim.
        top = last if aim.weight is None and near is not None else min(last, centre + MOST_CANDIDATES // 2)
        first, last = max(first, top - MOST_CANDIDATES), top
    found = _candidates(long_unit, short_unit, aim, limits, int(first), int(last))
    best = min((one for one in (found, near) if one is not None), key=lambda one: one.objective_usd, default=None)
    return None if best is None else (best.long_units, best.short_units)


@dataclass(frozen=True, slots=True)
class _Best:
    long_units: int
    short_units: int
    objective_usd: float


def _worth_trying(long_unit: int, objective_usd: float, aim: Aim, limits: Limits) -> tuple[float, float]:
    """Range of long quantities that can still beat an objective already reached (one unit of slack each side)."""
    unit = long_unit / MICRO
    if aim.weight is None:
        # |e| <= objective and L = (gross + e) / (1 + k)
        low = (limits.gross_low / MICRO - objective_usd) / (1 + aim.k)
        high = inf if limits.gross_high is None else (limits.gross_high / MICRO + objective_usd) / (1 + aim.k)
        return floor(low / unit) - 1, floor(high / unit) + 1
    if aim.weight == 0:
        return 1, inf
    reach = objective_usd / aim.weight
    return floor((aim.long_usd - reach) / unit) - 1, floor((aim.long_usd + reach) / unit) + 1


def _candidates(
    long_unit: int, short_unit: int, aim: Aim, limits: Limits, first: int, last: float
) -> _Best | None:
    """Best choice among the long quantities first..last."""
    if last < first:
        return None
    units = np.arange(first, int(last) + 1, dtype=np.int64)
    long = units * long_unit
    low, high = _short_bounds(long, short_unit, limits)
    ideal = np.floor(aim.k * long / short_unit)
    both = []
    for shift in (0, 1):
        short_units = np.clip(ideal + shift, low, high)
        both.append(np.where(low <= high, short_units, 0).astype(np.int64))
    short_units = np.concatenate(both)
    units, long = np.tile(units, 2), np.tile(long, 2)
    keep = short_units >= 1
    units, long, short_units = units[keep], long[keep], short_units[keep]
    short = short_units * short_unit
    keep = _kept(long, short, limits)
    if not keep.any():
        return None
    units, long, short_units, short = units[keep], long[keep], short_units[keep], short[keep]
    objective = np.abs(aim.k * long - short) / MICRO
    if aim.weight is not None:
        objective += aim.weight * np.abs(long / MICRO - aim.long_usd)
    least = float(objective.min())
    tied = np.flatnonzero(objective <= least + _TIE_USD)
    at = tied[np.argmax((long + short)[tied])]
    return _Best(int(units[at]), int(short_units[at]), float(objective[at]))


def _short_bounds(long: IntArray, short_unit: int, limits: Limits) -> tuple[FloatArray, FloatArray]:
    """Fewest and most short units that keep the limits, for each long notional; low > high where none does."""
    low = np.maximum(-((long - limits.gross_low) // short_unit), 1).astype(np.float64)
    high = np.full(len(long), np.inf)
    if limits.gross_high is not None:
        high = ((limits.gross_high - long) // short_unit).astype(np.float64)
    if limits.vol is not None:
        below, above = _vol_bounds(limits.vol, long / MICRO)
        unit = short_unit / MICRO
        # Rounding may put a bound one unit out; _kept has the last word, this keeps it from losing a choice.
        bottom, top = np.ceil(below / unit), np.floor(above / unit)
        bottom += _over(limits.vol, long, bottom * short_unit)
        top -= _over(limits.vol, long, top * short_unit)
        low, high = np.maximum(low, bottom), np.minimum(high, top)
    if limits.loss is not None:
        for a_dollar_long, a_dollar_short in limits.loss.paths:
            left = limits.loss.most_usd - a_dollar_long * (long / MICRO)
            room = left / a_dollar_short if a_dollar_short > 0 else np.where(left >= 0, np.inf, -1.0)
            high = np.minimum(high, np.floor(room * MICRO / short_unit))
    # Where nothing holds the short side down, the ideal itself does.
    return low, np.minimum(high, 2.0**52)


def _vol_bounds(vol: VolLimit, long_usd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Short notionals between which the spread keeps its volatility limit; an empty interval where none does."""
    left = vol.most_usd**2 - (1 - vol.rho**2) * (vol.su * long_usd) ** 2
    half = np.sqrt(np.maximum(left, 0.0)) / vol.sn
    middle = vol.rho * vol.su * long_usd / vol.sn
    return np.where(left < 0, np.inf, middle - half), np.where(left < 0, -np.inf, middle + half)


def _over(vol: VolLimit, long: IntArray, short: FloatArray) -> FloatArray:
    inside = np.isfinite(short)
    at = np.where(inside, short, 0.0)
    return ((spread_vol(vol, long / MICRO, at / MICRO) > vol.most_usd) & inside).astype(np.float64)


def _kept(long: IntArray, short: IntArray, limits: Limits) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    gross = long + short
    kept = gross >= limits.gross_low
    if limits.gross_high is not None:
        kept &= gross <= limits.gross_high
    if limits.vol is not None:
        kept &= spread_vol(limits.vol, long / MICRO, short / MICRO) <= limits.vol.most_usd
    if limits.loss is not None:
        kept &= worst_loss(limits.loss, long / MICRO, short / MICRO) <= limits.loss.most_usd
    return kept


def nearest_gross(long_unit: int, short_unit: int, cap: int) -> tuple[int | None, int]:
    """Largest gross at most `cap` and smallest gross above it (micro-dollars), whatever the hedge.

    The first is None where one unit of each leg is already above the cap.
    """
    most = (cap - short_unit) // long_unit
    if most < 1:
        return None, long_unit + short_unit
    units = np.arange(max(most - MOST_CANDIDATES, 1), most + 1, dtype=np.int64)
    below = units * long_unit + (cap - units * long_unit) // short_unit * short_unit
    above = min(int((below + short_unit).min()), (most + 1) * long_unit + short_unit)
    return int(below.max()), above


def least_vol(
    long_unit: int, short_unit: int, vol: VolLimit, gross_high: int | None
) -> tuple[int, int, float] | None:
    """The pair of least volatility: (long units, short units, annual dollars); None where no pair fits the cap."""
    most = inf if gross_high is None else (gross_high - short_unit) // long_unit
    if most < 1:
        return None
    # Volatility grows along the hedged line, so the least lies where one of the legs is a few units.
    reach = 2 + int(sqrt(1 / max(1 - vol.rho**2, 1e-4)) * (1 + vol.sn * short_unit / (vol.su * long_unit)))
    units = np.arange(1, int(min(most, reach, MOST_CANDIDATES)) + 1, dtype=np.int64)
    long = units * long_unit
    ideal = np.floor(vol.rho * vol.su * long / (vol.sn * short_unit))
    best: tuple[int, int, float] | None = None
    for shift in (0, 1):
        count = np.maximum(ideal + shift, 1)
        if gross_high is not None:
            count = np.clip(count, 1, (gross_high - long) // short_unit)
        size = spread_vol(vol, long / MICRO, count * short_unit / MICRO)
        at = int(np.argmin(size))
        if best is None or size[at] < best[2]:
            best = int(units[at]), int(count[at]), float(size[at])
    return best
