"""The simulation behind the demo: random paths through given points; the same seed gives the same paths.

One idea carries all of it: draw increments of the wanted size and shape, then spread over each stretch between two
given points what is missing to reach the second one, in proportion to variance (a Brownian bridge).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator

from desktop.market.quotes import DayArray, FloatArray, IntArray

TRADING_DAYS = 252
_RECENT = 252
"""The last year's innovations are made to have exactly the regime's volatilities and correlation."""
_LARGEST_SPREAD = 0.045
"""Daily log spread that simulated days approach and never pass: larger days are the published ones alone."""

_REGIMES: tuple[tuple[str, float, float, float], ...] = (
    # from, yearly volatility of NDX and RUT, correlation: rounded from the published history
    ("1987-09-10", 0.50, 0.40, 0.92),
    ("1988-01-04", 0.16, 0.09, 0.82),
    ("1990-01-02", 0.20, 0.11, 0.79),
    ("1995-01-03", 0.24, 0.11, 0.72),
    ("1998-01-02", 0.32, 0.17, 0.77),
    ("2000-01-03", 0.55, 0.26, 0.84),
    ("2002-01-02", 0.42, 0.25, 0.85),
    ("2003-01-02", 0.26, 0.19, 0.86),
    ("2004-01-02", 0.16, 0.17, 0.85),
    ("2007-01-03", 0.19, 0.20, 0.84),
    ("2008-01-02", 0.29, 0.31, 0.88),
    ("2008-09-15", 0.62, 0.72, 0.91),
    ("2009-04-01", 0.24, 0.33, 0.91),
    ("2010-01-04", 0.21, 0.28, 0.92),
    ("2012-01-03", 0.14, 0.16, 0.84),
    ("2015-01-02", 0.17, 0.17, 0.82),
    ("2017-01-03", 0.10, 0.12, 0.56),
    ("2018-01-02", 0.19, 0.17, 0.84),
    ("2020-02-20", 0.62, 0.74, 0.88),
    ("2020-06-01", 0.27, 0.31, 0.72),
    ("2021-01-04", 0.19, 0.22, 0.60),
    ("2022-01-03", 0.33, 0.28, 0.91),
    ("2023-01-03", 0.165, 0.2, 0.54),
)


@dataclass(frozen=True, slots=True, eq=False)
class LegCloses:
    """Daily closes of both legs and the yearly volatility each day was drawn with, each of shape (days,)."""

    ndx: FloatArray
    rut: FloatArray
    ndx_vol: FloatArray
    rut_vol: FloatArray


def through(at: IntArray, values: FloatArray, noise: FloatArray, variance: FloatArray | None = None) -> FloatArray:
    """Path that starts and ends at given points and passes through those between.

    Parameters
    ----------
    at
        Indices of the given points, strictly increasing, from 0 to n.
    values
        The path at those indices (logarithms, or percentage points: the path is additive).
    noise
        Increments, shape (n,).
    variance
        Variance of each increment up to a common factor, shape (n,); equal when omitted.

    Returns
    -------
    Path of shape (n + 1,) with `path[at] == values` up to rounding.
    """
    weight = np.ones_like(noise) if variance is None else variance
    missing = np.diff(values) - np.add.reduceat(noise, at[:-1])
    share = missing / np.add.reduceat(weight, at[:-1])
    path: FloatArray = np.cumsum(noise + np.repeat(share, np.diff(at)) * weight)
    return np.concatenate((values[:1], values[0] + path))


def reverting(rng: Generator, n: int, half_life: float, shocks: FloatArray | None = None) -> FloatArray:
    """Mean-reverting noise of unit variance, shape (n,), from `shocks` of unit variance (drawn when omitted)."""
    phi = 0.5 ** (1.0 / half_life)
    kernel = phi ** np.arange(min(n, int(8 * half_life) + 1)) * np.sqrt(1 - phi**2)
    drawn = rng.standard_normal(n) if shocks is None else shocks
    noise: FloatArray = np.convolve(drawn, kernel)[:n]
    return noise


def _whitened(noise: FloatArray) -> FloatArray:
    """Same draws with mean 0, variance 1 and correlation 0 in the sample."""
    centred = noise - noise.mean(axis=0)
    root = np.linalg.cholesky(np.cov(centred, rowvar=False))
    white: FloatArray = centred @ np.linalg.inv(root).T
    return white


def daily_closes(rng: Generator, days: DayArray, at: IntArray, ndx: FloatArray, rut: FloatArray) -> LegCloses:
    """Simulate both legs through their published closes `ndx`, `rut` at the indices `at` of `days`.

    Fat tails come from Student innovations (6 degrees of freedom) and from volatility that clusters; records
    of the ratio are set at published closes alone, so its peaks stand where history put them.
    """
    n = len(days) - 1
    starts = np.array([one[0] for one in _REGIMES], dtype="datetime64[D]")
    table = np.array([one[1:] for one in _REGIMES])
    vol_n, vol_u, rho = table[np.searchsorted(starts, days[1:], side="right") - 1].T
    clustering = 0.35 * reverting(rng, n, 15.0)
    noise = rng.standard_t(6, size=(n, 2)) * np.sqrt(4 / 6) * np.exp(clustering - 0.35**2)[:, None]
    noise[-_RECENT:] = _whitened(noise[-_RECENT:])
    day = 1 / np.sqrt(TRADING_DAYS)
    step_n = vol_n * day * noise[:, 0]
    step_u = vol_u * day * (rho * noise[:, 0] + np.sqrt(1 - rho**2) * noise[:, 1])
    spread = step_u - step_n
    excess = spread - _LARGEST_SPREAD * np.tanh(spread / _LARGEST_SPREAD)
    variance = (vol_n**2 + vol_u**2) / TRADING_DAYS
    log_n = through(at, np.log(ndx), step_n + excess / 2, variance)
    log_u = through(at, np.log(rut), step_u - excess / 2, variance)
    vol_n, vol_u = np.append(vol_n[:1], vol_n), np.append(vol_u[:1], vol_u)
    back = 2 * _above_records(log_n - log_u, at) / (vol_n**2 + vol_u**2)
    log_n, log_u = log_n - back * vol_n**2, log_u + back * vol_u**2
    return LegCloses(_at_pins(np.exp(log_n), at, ndx), _at_pins(np.exp(log_u), at, rut), vol_n, vol_u)


def _above_records(log_ratio: FloatArray, at: IntArray) -> FloatArray:
    """How far each day lies above the highest published ratio up to the end of its stretch (0 below).

    The caller reflects the ratio there: it moves back by twice the excess, each leg by its share of the variance.
    """
    records = np.maximum.accumulate(log_ratio[at])
    ceiling = np.concatenate((records[:1], np.repeat(records[1:], np.diff(at))))
    above: FloatArray = np.maximum(log_ratio - ceiling, 0.0)
    return above


def _at_pins(values: FloatArray, at: IntArray, pins: FloatArray) -> FloatArray:
    rounded: FloatArray = np.round(values, 2)
    rounded[at] = pins
    return rounded


def index_through(rng: Generator, at: IntArray, pins: FloatArray, steps: FloatArray, vol: float) -> FloatArray:
    """Levels through `pins` along the log changes `steps`, shape (n,), moving by `vol` a year of their own."""
    own = vol / np.sqrt(TRADING_DAYS) * rng.standard_normal(len(steps))
    return _at_pins(np.exp(through(at, np.log(pins), steps + own)), at, pins)


def fear_through(rng: Generator, at: IntArray, pins: FloatArray, market: FloatArray, size: float) -> FloatArray:
    """Levels of a volatility-like index through `pins`: mean-reverting around the line between them.

    `market` are the market's changes in units of their standard deviation, shape (n,): such an index rises when
    they fall (weight -.8). `size` is the standard deviation of the logarithm around the line.
    """
    shocks = -0.8 * market + 0.6 * rng.standard_normal(len(market))
    around = size * reverting(rng, len(market), 10.0, shocks)
    return _at_pins(np.exp(through(at, np.log(pins), np.diff(around, prepend=0.0))), at, pins)


def candles(
    rng: Generator, days: DayArray, close: FloatArray, vol: FloatArray, gaps_since: date | None = None
) -> FloatArray:
    """Open, high, low and close from closes, shape (days, 4); `vol` is the yearly volatility of each day.

    Before `gaps_since` the open equals the previous close, as published index histories have it.
    """
    sd = vol / np.sqrt(TRADING_DAYS)
    previous = np.concatenate((close[:1], close[:-1]))
    gap = 0.3 * np.log(close / previous) + 0.35 * sd * rng.standard_normal(len(close))
    if gaps_since is not None:
        gap[days < np.datetime64(gaps_since)] = 0.0
    opened = np.round(previous * np.exp(gap), 2)
    reach = np.exp(0.4 * sd * np.abs(rng.standard_normal((2, len(close)))))
    high = np.round(np.maximum(opened, close) * reach[0], 2)
    low = np.round(np.minimum(opened, close) / reach[1], 2)
    return np.stack((opened, high, low, close), axis=1)


def session_variance(minutes: FloatArray, length: FloatArray | float) -> FloatArray:
    """Variance of a minute by its distance from open and close: twice and a half at the open, 1.6 at the close."""
    shape: FloatArray = 1 + 1.5 * np.exp(-minutes / 25) + 0.6 * np.exp(-(length - minutes) / 15)
    return shape


def stock_closes(rng: Generator, legs: FloatArray, own_vol: FloatArray, beta: FloatArray) -> FloatArray:
    """Daily closes of many names, shape (days + 1, names), each driven by one leg.

    Parameters
    ----------
    legs
        Log change of the leg of each name, shape (days, names).
    own_vol
        Yearly volatility of each name apart from its leg, shape (names,).
    beta
        Sensitivity of each name to its leg, shape (names,).

    Notes
    -----
    A lasting drift of each name (15 % a year across names) gives momentum something to sort by.
    """
    days, names = legs.shape
    drift = rng.normal(0.0, 0.15, names) / TRADING_DAYS
    own = own_vol / np.sqrt(TRADING_DAYS) * rng.standard_t(5, size=(days, names)) * np.sqrt(3 / 5)
    path = np.cumsum(beta * legs + drift + own, axis=0)
    last = np.exp(rng.normal(4.6, 0.7, names))
    logs = np.concatenate((np.zeros((1, names)), path))
    closes: FloatArray = np.round(last * np.exp(logs - logs[-1]), 2)
    return closes
