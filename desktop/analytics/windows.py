"""Small statistics over day series that look backwards only; shared by the analytics.

Everything at row t uses rows up to t, or up to t - 1 where the name says `lagged`. NaN means "no value that day".
"""

from __future__ import annotations

from math import ceil

import numpy as np

from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import DayArray, FloatArray

MIN_COVERAGE = 0.95
"""Share of a window that must be there for the window to count."""


def known(value: float, reason: str) -> Maybe:
    """Return the number, or Unknown with `reason` where it is NaN."""
    return float(value) if np.isfinite(value) else Unknown(reason)


def frozen_array(values: FloatArray) -> FloatArray:
    """Return `values`, no longer writeable."""
    values.flags.writeable = False
    return values


def align(days: DayArray, values: FloatArray, onto: DayArray) -> FloatArray:
    """Values of `days` (increasing) on the days `onto`; NaN where a day has none. Nothing is carried forward."""
    aligned = np.full(len(onto), np.nan)
    if len(days):
        at = np.minimum(np.searchsorted(days, onto), len(days) - 1)
        found = days[at] == onto
        aligned[found] = values[at[found]]
    return aligned


def lagged_sd(values: FloatArray, window: int) -> FloatArray:
    """Standard deviation (ddof 1) of the `window` values before each row; NaN while there are fewer.

    Running sums, so O(n): exact to about 1e-10 relative for values of the size of daily moves. No NaN allowed.
    """
    sd = np.full(len(values), np.nan)
    if len(values) > window:
        total, squares = (np.concatenate(([0.0], np.cumsum(one))) for one in (values, values * values))
        s, q = total[window:-1] - total[: -window - 1], squares[window:-1] - squares[: -window - 1]
        sd[window:] = np.sqrt(np.maximum(q - s * s / window, 0.0) / (window - 1))
    return sd


def share_at_or_below(values: FloatArray, x: float) -> float:
    """Share (0..1) of the finite `values` at or below `x`: the percentile of `x`. NaN without values."""
    finite = values[np.isfinite(values)]
    return float(np.mean(finite <= x)) if len(finite) else float("nan")


def lagged_percentile(values: FloatArray, window: int) -> FloatArray:
    """Share (0..1) of the `window` values before each row which are at or below it.

    NaN while there are fewer than `window` rows before, where the row has no value, and where less than
    95 % of the window has values.
    """
    percentile = np.full(len(values), np.nan)
    if len(values) > window:
        before = np.lib.stride_tricks.sliding_window_view(values, window)[:-1]
        today = values[window:]
        n = np.concatenate(([0], np.cumsum(np.isfinite(values))))
        n = n[window:-1] - n[: -window - 1]
        enough = (n >= ceil(MIN_COVERAGE * window)) & np.isfinite(today)
        below = np.count_nonzero(before <= today[:, None], axis=1)
        percentile[window:][enough] = below[enough] / n[enough]
    return percentile


def lagged_level(values: FloatArray, window: int, share: float) -> float:
    """The value which the last row must reach for its `lagged_percentile` to be at least `share`.

    An order statistic of the `window` values before the last row, so both functions agree without rounding.
    NaN where `lagged_percentile` would be.
    """
    before = values[-window - 1 : -1]
    finite = np.sort(before[np.isfinite(before)])
    if len(values) <= window or len(finite) < ceil(MIN_COVERAGE * window):
        return float("nan")
    # 0.9 x 250 is 225.00000000000003 in floating point; the tolerance keeps it at 225.
    return float(finite[max(ceil(share * len(finite) - 1e-9), 1) - 1])
