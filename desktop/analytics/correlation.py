"""Do stocks move together? Mean pairwise correlation, implied correlation, dispersion.

Correlations are of daily log returns, exact in O(names x days) per window: with z_it = (x_it - mean_i) /
sqrt(sum_s (x_is - mean_i)^2), the mean over pairs is (sum_t (sum_i z_it)^2 - N) / (N (N - 1)), because the
squared sum over names holds every pair twice and every name once. Centred inside the window, in two passes.

A name counts in a window where it has a return on every day of it, moves at all, and has returns on at least
95 % of the 252 days up to the window's end. Nothing is carried forward; a halt is a missing return.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from desktop.analytics.windows import (
    MIN_COVERAGE,
    frozen_array,
    known,
    lagged_percentile,
    share_at_or_below,
)
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Closes, DayArray, FloatArray, IntArray, Panel

BoolArray: TypeAlias = NDArray[np.bool_]

WINDOWS = (21, 63)
PERCENTILE_DAYS = 252
COVERAGE_DAYS = 252
JUMP_DAYS = 5
_CACHE_NUMBERS = 65_536
"""Numbers of a block of windows: half a megabyte."""


@dataclass(frozen=True, slots=True, eq=False)
class Returns:
    """Daily log returns of many names: `log_return` has shape (days, names), NaN where a name has none.

    `holes` are the days left out because the session before them is missing from the panel.
    """

    tickers: tuple[str, ...]
    days: DayArray
    log_return: FloatArray
    holes: DayArray


@dataclass(frozen=True, slots=True, eq=False)
class Rolling:
    """Mean pairwise correlation of the `window` days that end at each day; NaN where fewer than two names count.

    `n` is the number of names that counted.
    """

    window: int
    days: DayArray
    mean_pairwise: FloatArray
    n: IntArray


@dataclass(frozen=True, slots=True)
class MeanPairwise:
    """Mean pairwise correlation of one window, the names that counted, the days in the window."""

    value: Maybe
    n: int
    days: int


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationStats:
    """The correlation section of the report; see METHODS 3 for each field.

    `mean_pairwise` and `n_by_window` map window in days to correlation and to the names that counted; `n_stocks`
    is the count of the shortest window. `percentile_1y` 0..1 ranks the 21-day value among the 252 days before.
    `change_5d` is its change over five days. `implied_cor1m` in index points (percent) with `implied_percentile`
    0..1 since the start of the index. `dispersion` is the standard deviation across names of the last day's log
    return (.01 is one percent); `dspx` in index points. `variance_ratio` is the proxy on equal weights.
    `rolling` holds the 21-day history.
    """

    date: dt.date
    mean_pairwise: Mapping[int, Maybe]
    n_by_window: Mapping[int, int]
    n_stocks: int
    n_names: int
    percentile_1y: Maybe
    change_5d: Maybe
    weighted: Maybe
    variance_ratio: Maybe
    implied_cor1m: Maybe
    implied_percentile: Maybe
    implied_date: dt.date | None
    implied_since: dt.date | None
    dispersion: Maybe
    dspx: Maybe
    compiled: dt.date
    rolling: Rolling
    notes: tuple[str, ...]


def log_returns(panel: Panel, sessions: DayArray | None = None) -> Returns:
    """Daily log returns of a panel.

    Parameters
    ----------
    panel
        Closes; the first day has no return.
    sessions
        Expected session days. A day whose session before is missing from the panel is left out, because its
        return would span several days; days that are no session are left out first.
    """
    days, close = panel.days, panel.close
    if sessions is not None:
        regular = np.isin(days, sessions, assume_unique=True)
        days, close = days[regular], close[regular]
    logs = np.log(close)
    returns = logs[1:] - logs[:-1]
    later = days[1:]
    if sessions is None or not len(later):
        return Returns(panel.tickers, later, frozen_array(returns), later[:0])
    adjacent = np.diff(np.searchsorted(sessions, days)) == 1
    return Returns(panel.tickers, later[adjacent], frozen_array(returns[adjacent]), later[~adjacent])


def mean_pairwise(returns: FloatArray, weights: FloatArray | None = None) -> MeanPairwise:
    """Mean pairwise correlation of one window of returns.

    Parameters
    ----------
    returns
        Shape (days, names). Names with a missing return, or without movement, are left out.
    weights
        One positive weight a name; None weighs all names alike. Weighted, it is
        (sum_t (sum_i w_i z_it)^2 - sum w^2) / ((sum w)^2 - sum w^2).

    Returns
    -------
    MeanPairwise
        A value in [-1 / (N - 1), 1] on equal weights; Unknown where fewer than two names count.
    """
    complete: BoolArray = np.logical_and.reduce(np.isfinite(returns), axis=0)
    days = len(returns)
    if days < 3:
        return MeanPairwise(Unknown(f"needs 3 days of returns, there are {days}"), 0, days)
    value, n = _means(np.where(complete, returns, 0.0)[None], complete[None], weights)
    reason = f"needs 2 names that are complete over {days} days and move, there are {n[0]}"
    return MeanPairwise(known(float(value[0]), reason), int(n[0]), days)


def _means(blocks: FloatArray, counts: BoolArray, weights: FloatArray | None) -> tuple[FloatArray, IntArray]:
    """Mean pairwise correlation and names of windows of shape (windows, days, names), free of NaN.

    `counts`, shape (windows, names), tells which names count; NaN where fewer than two do.
    """
    days = blocks.shape[1]
    mean = blocks.mean(axis=1)
    centred = blocks - mean[:, None, :]
    squares = np.einsum("wti,wti->wi", centred, centred)
    # Centring a constant column leaves rounding noise of its level, not exactly zero.
    counts = np.logical_and(counts, squares > days * (1e-14 * mean) ** 2)
    n = np.count_nonzero(counts, axis=1)
    scale = np.zeros_like(squares)
    np.divide(1.0, np.sqrt(squares), out=scale, where=counts)
    if weights is None:
        own, pairs = n.astype(np.float64), n * (n - 1.0)
    else:
        scale *= weights
        used = np.where(counts, weights, 0.0)
        own = np.einsum("wi,wi->w", used, used)
        pairs = used.sum(axis=1) ** 2 - own
    total = np.matmul(centred, scale[:, :, None])[:, :, 0]
    value = np.full(len(n), np.nan)
    enough = (n >= 2) & (pairs > 0)
    value[enough] = (np.einsum("wt,wt->w", total, total)[enough] - own[enough]) / pairs[enough]
    if weights is None:
        value[enough] = np.clip(value[enough], -1.0 / (n[enough] - 1), 1.0)
    return value, n.astype(np.int64)


def rolling_mean_pairwise(returns: Returns, window: int, weights: FloatArray | None = None) -> Rolling:
    """Mean pairwise correlation of the `window` days ending at each day.

    A few windows at a time, as many as fit in the processor's cache: two thousand names then need hardly more
    memory than the returns themselves.

    Raises
    ------
    ValueError
        A window below three days.
    """
    if window < 3:
        raise ValueError(f"window = {window}: a correlation needs 3 days or more")
    x = returns.log_return
    days, names = x.shape
    value, n = np.full(days, np.nan), np.zeros(days, dtype=np.int64)
    if days >= window and names:
        missing = ~np.isfinite(x)
        counts = _counting(missing, window) if missing.any() else np.ones((days + 1 - window, names), dtype=bool)
        filled = np.where(missing, 0.0, x) if missing.any() else x
        blocks = np.lib.stride_tricks.sliding_window_view(filled, window, axis=0).transpose(0, 2, 1)
        step = max(1, _CACHE_NUMBERS // (window * names))
        for first in range(0, len(blocks), step):
            here = slice(first, first + step)
            there = slice(first + window - 1, min(first + step, len(blocks)) + window - 1)
            value[there], n[there] = _means(blocks[here], counts[here], weights)
    n.flags.writeable = False
    return Rolling(window, returns.days, frozen_array(value), n)


def _counting(missing: BoolArray, window: int) -> BoolArray:
    """Which names count in each window, shape (windows, names): complete inside, and covered up to its end."""
    days, names = missing.shape
    lost = np.zeros((days + 1, names), dtype=np.int32)
    np.cumsum(missing, axis=0, out=lost[1:])
    end = np.arange(window, days + 1)
    start = np.maximum(end - COVERAGE_DAYS, 0)
    allowed = np.floor((1.0 - MIN_COVERAGE) * (end - start) + 1e-9)
    counts: BoolArray = lost[end] == lost[end - window]
    counts &= lost[end] - lost[start] <= allowed[:, None]
    return counts


def variance_ratio(returns: FloatArray, weights: FloatArray | None = None) -> Maybe:
    """Proxy of mean correlation from variances alone, a different number than `mean_pairwise`.

    (var_P - sum w^2 var) / ((sum w sd)^2 - sum w^2 var), var_P the variance of the weighted return. It weighs
    each pair by the volatilities of both names.
    """
    complete = np.isfinite(returns).all(axis=0)
    x = returns[:, complete]
    if len(x) < 3 or x.shape[1] < 2:
        return Unknown(f"needs 3 days and 2 complete names; has {len(x)} days and {x.shape[1]} names")
    w = np.full(x.shape[1], 1.0 / x.shape[1]) if weights is None else weights[complete]
    return implied_correlation(sqrt(float((x @ w).var(ddof=1))), w, x.std(axis=0, ddof=1))


def implied_correlation(index_vol: float, weights: FloatArray, vols: FloatArray) -> Maybe:
    """Average correlation which reconciles the index's volatility with its members', all in the same unit.

    (s_I^2 - sum w^2 s^2) / ((sum w s)^2 - sum w^2 s^2). The shortcut (s_I / sum w s)^2 forgets that each name
    is perfectly correlated with itself and is wrong where correlation is low.
    """
    own = float((weights * vols) @ (weights * vols))
    pairs = float(weights @ vols) ** 2 - own
    if pairs <= 0:
        return Unknown("needs two names that move")
    return (index_vol**2 - own) / pairs


def dispersion(returns: Returns) -> FloatArray:
    """Standard deviation (ddof 1) across names of each day's log return; NaN with fewer than two names."""
    x = returns.log_return
    finite = np.isfinite(x)
    n = finite.sum(axis=1)
    enough = n >= 2
    spread = np.full(len(x), np.nan)
    if enough.any():
        rows, there = x[enough], finite[enough]
        mean = np.where(there, rows, 0.0).sum(axis=1) / n[enough]
        centred = np.where(there, rows - mean[:, None], 0.0)
        spread[enough] = np.sqrt(np.einsum("ti,ti->t", centred, centred) / (n[enough] - 1))
    return frozen_array(spread)


def latest_mean_pairwise(returns: Returns, window: int, weights: FloatArray | None = None) -> MeanPairwise:
    """Mean pairwise correlation of the last `window` days, by the rule of `rolling_mean_pairwise`."""
    x = returns.log_return
    if len(x) < window:
        return MeanPairwise(Unknown(f"needs {window} returns, there are {len(x)}"), 0, len(x))
    counts = _counting(~np.isfinite(x), window)[-1]
    if weights is not None:
        weights = weights[counts]
    return mean_pairwise(x[-window:, counts], weights)


def gauge(
    panel: Panel | None,
    *,
    cor1m: Closes | None = None,
    dspx: Closes | None = None,
    weights: FloatArray | None = None,
    sessions: DayArray | None = None,
    rolling: Rolling | None = None,
) -> CorrelationStats | Unknown:
    """Compute the correlation section of the report from data already cut at as-of.

    Parameters
    ----------
    panel
        The universe.
    cor1m, dspx
        Cboe's one-month implied correlation and dispersion index, in index points; the last value is reported
        with its own date.
    weights
        One positive weight a name, for `weighted`.
    sessions
        Expected session days, see `log_returns`.
    rolling
        `rolling_mean_pairwise` of 21 days computed before, when neither panel nor sessions changed.
    """
    if panel is None or len(panel.days) < 2:
        return Unknown("no universe with two days of closes: import a panel or download the built-in universe")
    returns = log_returns(panel, sessions)
    if not len(returns.days):
        return Unknown(f"universe {panel.name} has no two sessions in a row")
    short = rolling_mean_pairwise(returns, WINDOWS[0]) if rolling is None else rolling
    # Of the longer window only today's value is shown; its coverage still looks at the year before.
    year = Returns(
        returns.tickers, returns.days[-COVERAGE_DAYS:], returns.log_return[-COVERAGE_DAYS:], returns.holes
    )
    latest = {w: latest_mean_pairwise(year, w) for w in WINDOWS}
    spread = dispersion(Returns(returns.tickers, returns.days[-1:], returns.log_return[-1:], returns.holes))
    notes = [f"universe {panel.name} compiled {panel.compiled}: names that vanished before are not in it"]
    if len(returns.holes):
        shown = ", ".join(str(day) for day in returns.holes[-3:])
        notes.append(f"{len(returns.holes)} days without the session before left out, last {shown}")
    unweighted = Unknown("no weights given")
    return CorrelationStats(
        date=_as_date(returns.days[-1]),
        mean_pairwise={w: one.value for w, one in latest.items()},
        n_by_window={w: one.n for w, one in latest.items()},
        n_stocks=latest[WINDOWS[0]].n,
        n_names=len(panel.tickers),
        percentile_1y=_percentile(short),
        change_5d=_change(short),
        weighted=unweighted if weights is None else latest_mean_pairwise(year, WINDOWS[0], weights).value,
        variance_ratio=variance_ratio(returns.log_return[-WINDOWS[0] :], weights),
        implied_cor1m=_latest(cor1m, "COR1M"),
        implied_percentile=_rank_of_latest(cor1m),
        implied_date=_as_date(cor1m.days[-1]) if cor1m is not None and len(cor1m) else None,
        implied_since=_as_date(cor1m.days[0]) if cor1m is not None and len(cor1m) else None,
        dispersion=known(float(spread[-1]), "fewer than two names have a return"),
        dspx=_latest(dspx, "DSPX"),
        compiled=panel.compiled,
        rolling=short,
        notes=tuple(notes),
    )


def _percentile(rolling: Rolling) -> Maybe:
    # The last row needs only the window before it.
    tail = rolling.mean_pairwise[-PERCENTILE_DAYS - 1 :]
    reason = f"needs {PERCENTILE_DAYS} days of {rolling.window}-day correlation before today"
    return known(float(lagged_percentile(tail, PERCENTILE_DAYS)[-1]), reason)


def _change(rolling: Rolling) -> Maybe:
    reason = f"needs {JUMP_DAYS + rolling.window} returns, there are {len(rolling.days)}"
    if len(rolling.days) <= JUMP_DAYS:
        return Unknown(reason)
    return known(float(rolling.mean_pairwise[-1] - rolling.mean_pairwise[-1 - JUMP_DAYS]), reason)


def _latest(series: Closes | None, name: str) -> Maybe:
    if series is None or not len(series):
        return Unknown(f"no {name} history: import Cboe's file or refresh")
    return float(series.close[-1])


def _rank_of_latest(series: Closes | None) -> Maybe:
    if series is None or not len(series):
        return Unknown("no COR1M history: import Cboe's file or refresh")
    return share_at_or_below(series.close, float(series.close[-1]))


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
