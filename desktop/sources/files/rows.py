"""Which rows of a table may stay: the rules on days, doubles and prices that every kind of file shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from desktop.market.quotes import DayArray, FloatArray, IntArray
from desktop.market.sessions import TABLE_FIRST, Calendar
from desktop.sources.files.result import Rejections

Mask = NDArray[np.bool_]

PRICES = ("open", "high", "low", "close")
ROUNDING = 1e-6
"""Relative. A price kept as float32 (4704.73046875 for 4704.73) or adjusted strays this far from the true one."""

DAY_OFF, UNFINISHED = "on a day when the exchange was closed", "of a session that had not closed"
"""Why rows are left out that many publishers send every day."""

_SETTLES = timedelta(minutes=20)
"""After the close a vendor still corrects the day's bar; before that it is no close."""


def on_sessions(
    rejected: Rejections,
    days: DayArray,
    values: FloatArray,
    calendar: Calendar,
    now: datetime,
    *,
    trades_on_days_off: bool = False,
) -> Mask:
    """Return which rows lie on a session that has closed; the others are added to `rejected`.

    Parameters
    ----------
    rejected
        Where rows that fail are counted.
    days
        Shape (rows,), in order; may repeat.
    values
        Shape (rows, columns), NaN where a cell is empty. They tell a copied row from a wrong one.
    calendar
        Sessions the rows must lie on.
    now
        UTC. A session must be over by then, and its vendors done with it.
    trades_on_days_off
        Whether only weekends count as closed.
    """
    keep = np.ones(len(days), dtype=np.bool_)

    def drop(reason: str, which: Mask) -> None:
        rejected.add(reason, days[which & keep])
        keep[which] = False

    drop(f"before {TABLE_FIRST.year}, where no session calendar reaches", days < np.datetime64(TABLE_FIRST))
    weekend = (days.astype(np.int64) + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    drop("on a weekend, a copy of the day before", weekend & copies_of_before(values))
    drop("on a weekend", weekend)
    if not trades_on_days_off and keep.any():
        drop(DAY_OFF, np.isin(days, calendar.not_sessions(np.unique(days[keep]))))
    if keep.any():
        last = days[keep][-1]
        session = calendar.session(last.astype(object))
        if session is not None and now < session.close + _SETTLES:
            drop(UNFINISHED, days == last)
    return keep


def copies_of_before(values: FloatArray) -> Mask:
    """Return which rows of `values` (rows, columns) repeat the row before in every cell they fill."""
    copies = np.zeros(len(values), dtype=np.bool_)
    same = _same(values[1:], values[:-1]) | np.isnan(values[1:])
    copies[1:] = same.all(axis=1) & ~np.isnan(values[1:]).all(axis=1)
    return copies


def one_a_time(
    rejected: Rejections,
    times: DayArray | IntArray,
    values: FloatArray,
    labels: Callable[[DayArray | IntArray], Iterable[object]] = list,
) -> Mask:
    """Return one row a time: repeated rows count once, rows that contradict each other not at all.

    `times` is in order, `values` has shape (rows, columns); `labels` names times for `rejected`.
    """
    repeated = np.zeros(len(times), dtype=np.bool_)
    repeated[1:] = times[1:] == times[:-1]
    if not repeated.any():
        return ~repeated
    first = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(times))))
    same = (_same(values, values[first]) | (np.isnan(values) & np.isnan(values[first]))).all(axis=1)
    contradicted: Mask = np.isin(times, times[repeated & ~same])
    rejected.add("that repeat another row", labels(times[repeated & ~contradicted]))
    rejected.add("that contradict another row of the same time", labels(times[contradicted]))
    kept: Mask = ~(repeated | contradicted)
    return kept


def outside(price: FloatArray, prices: FloatArray) -> Mask:
    """Return which of `price` lie outside high and low, rounding aside.

    `prices` has shape (4, bars): open, high, low, close. A missing price lies nowhere.
    """
    _, high, low, _ = prices
    with np.errstate(invalid="ignore"):
        room = np.abs(price) * ROUNDING
        found: Mask = (price > high + room) | (price < low - room)
    return found


def flat(prices: FloatArray) -> Mask:
    """Return which bars have one price for all four; `prices` has shape (4, bars)."""
    same: Mask = (prices == prices[0]).all(axis=0)
    return same


def _same(one: FloatArray, other: FloatArray) -> Mask:
    with np.errstate(invalid="ignore"):
        same: Mask = np.isclose(one, other, rtol=ROUNDING, atol=0.0)
    return same
