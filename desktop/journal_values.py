"""What alerts may watch of the journal: the sum of open trades, and what is left of their hedge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from desktop.market.known import Maybe, Unknown
from desktop.presenters.journal import beta_of, marks_of
from desktop.presenters.sizer_form import Price
from desktop.snapshot import Snapshot
from desktop.trade.alerts import Reading, Subject, Watch
from desktop.trade.journal import ZERO, Trade, drift, result

PNL, RESIDUAL = Watch(Subject.PNL), Watch(Subject.RESIDUAL_BETA)


def readings(trades: Sequence[Trade], snapshot: Snapshot, fresh_s: float) -> Mapping[Watch, Reading]:
    """Readings of the open trades at the moment of `snapshot`; nothing where none is open.

    Prices older than `fresh_s` seconds block: nothing fires on them.
    """
    opened = [one for one in trades if one.held and not one.void]
    if not opened:
        return {}
    marks, prices = marks_of(opened, snapshot, fresh_s)
    beta = beta_of(snapshot)
    blocked, at, age_s = _standing(prices, fresh_s)
    totals = [result(one, marks[one.number]).total_usd for one in opened]
    missing = next((one for one in totals if isinstance(one, Unknown)), None)
    total = missing or float(sum((one for one in totals if isinstance(one, Decimal)), ZERO))
    left: float | Unknown
    if isinstance(beta, Unknown):
        left = beta
    else:
        found = [drift(one, marks[one.number], beta) for one in opened]
        gap = next((one for one in found if isinstance(one, Unknown)), None)
        left = gap or float(sum((one.residual_usd for one in found if not isinstance(one, Unknown)), ZERO))
    return {
        PNL: Reading(total, at, age_s, "journal", blocked),
        RESIDUAL: Reading(left, at, age_s, "journal", blocked),
    }


def _standing(prices: Mapping[str, Price], fresh_s: float) -> tuple[str, datetime | None, Maybe]:
    """Why nothing may fire, the time of the oldest price, and its age."""
    ages: list[float] = []
    times: list[datetime] = []
    for symbol, one in prices.items():
        if one.stamp.at is None or one.stamp.age_s is None:
            return f"{symbol}: {one.origin}", None, Unknown(one.origin)
        ages.append(one.stamp.age_s)
        times.append(one.stamp.at)
        if one.stamp.age_s > fresh_s:
            return f"{symbol}: {one.origin}", one.stamp.at, one.stamp.age_s
    return "", min(times), max(ages)
