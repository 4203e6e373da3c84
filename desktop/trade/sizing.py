"""From what the trader wants to whole units of both legs, and all that follows from them.

The trade is long RUT and short NDX, always; k = S / L, short notional over long notional. Money in US dollars,
volatilities, correlations and targets as shares (0.22, not 22). Stop and target are levels of the ratio NDX / RUT,
which the trade is short: the stop lies above it, the target below. Method: the position is searched among whole
units as `lots` tells; VaR and ES take normal daily changes, 252 days a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from desktop.market.instruments import Leg
from desktop.market.known import Unknown
from desktop.trade import lots, money, scenarios
from desktop.trade.costs import CostInputs
from desktop.trade.hedge import Hedge
from desktop.trade.inputs import (
    Choice,
    Side,
    SizeBy,
    SizerInputs,
    SizerInputsError,
    finer_units,
    hedge_errors,
    hedged_vol,
    instruments_of,
    short_name,
    validate,
)
from desktop.trade.money import MICRO
from desktop.trade.position import LegReturns, Position, Task, TicketLeg, build, ticket_text, unit_micro

__all__ = [
    "Choice",
    "CostInputs",
    "LegReturns",
    "Position",
    "Side",
    "SizeBy",
    "Sized",
    "SizerInputs",
    "SizerInputsError",
    "TicketLeg",
    "instruments_of",
    "size",
    "size_three",
    "ticket_text",
    "validate",
]


@dataclass(frozen=True, slots=True)
class Sized:
    """One hedge and what it leads to."""

    hedge: Hedge
    position: Position | Unknown


def size(inputs: SizerInputs, history: LegReturns | None = None) -> Position | Unknown:
    """Return the best position in whole units; Unknown with what would qualify where none does.

    Parameters
    ----------
    inputs
        What is wanted, what is traded, at which prices.
    history
        Past returns of both indices for the historical ES and worst day.

    Raises
    ------
    SizerInputsError
        Where `validate` finds something.
    """
    errors = validate(inputs)
    if errors:
        raise SizerInputsError(errors)
    return _sized(inputs, history)


def _sized(inputs: SizerInputs, history: LegReturns | None) -> Position | Unknown:
    """As `size`, of inputs that were found good."""
    task = _task(inputs)
    chosen = lots.choose(task.long_unit, task.short_unit, task.aim, task.limits)
    if chosen is None:
        return Unknown(_what_would(inputs, task))
    return build(inputs, task, *chosen, history)


def size_three(
    inputs: SizerInputs, hedges: Sequence[Hedge], history: LegReturns | None = None
) -> tuple[Sized, ...]:
    """Size the same inputs with each of `hedges`, in their order; `inputs.k` and `inputs.hedge` do not matter.

    A hedge without a usable k is Unknown with the reason and leaves the others alone.

    Raises
    ------
    SizerInputsError
        For what is wrong with the inputs whatever the hedge.
    """
    sized = []
    for hedge in hedges:
        if isinstance(hedge.k, Unknown):
            sized.append(Sized(hedge, hedge.k))
            continue
        one = replace(inputs, k=hedge.k, hedge=hedge.kind)
        by_hedge = hedge_errors(one)
        errors = {name: why for name, why in validate(one).items() if by_hedge.get(name) != why}
        if errors:
            raise SizerInputsError(errors)
        reason = next(iter(by_hedge.values()), "")
        sized.append(Sized(hedge, Unknown(reason) if reason else _sized(one, history)))
    return tuple(sized)


def _task(inputs: SizerInputs) -> Task:
    assert inputs.rut_price is not None and inputs.ndx_price is not None
    ratio = inputs.ratio_now
    assert ratio is not None
    long_unit = unit_micro(instruments_of(inputs.instrument, Leg.RUT)[-1], inputs.rut_price)
    short_unit = unit_micro(instruments_of(inputs.instrument, Leg.NDX)[-1], inputs.ndx_price)
    k, vols, capital = inputs.k, inputs.vols, inputs.capital or 0.0
    wanted: list[float] = []
    vol: lots.VolLimit | None = None
    loss: lots.LossLimit | None = None
    limit = inputs.gross_cap or 0.0
    if inputs.gross_cap is not None:
        wanted.append(inputs.gross_cap / (1 + k))
    if inputs.size_by is SizeBy.VOL_TARGET:
        assert vols is not None and inputs.vol_target is not None
        limit = capital * inputs.vol_target
        vol = lots.VolLimit(*vols, limit)
        wanted.append(limit / hedged_vol(vols, k))
    elif inputs.size_by is SizeBy.STOP:
        assert inputs.stop is not None and inputs.risk is not None
        limit = capital * inputs.risk
        # Lost a dollar long: -RUT move; lost a dollar short: NDX move.
        paths = tuple((0.0 - rut, ndx) for rut, ndx in scenarios.leg_moves(ratio, inputs.stop))
        loss = lots.LossLimit(paths, limit)
        wanted.append(limit / max(long + k * short for long, short in paths))
    before_kelly = min(wanted)
    if inputs.kelly_sharpe is not None:
        assert vols is not None
        most = capital * inputs.kelly_share * inputs.kelly_sharpe
        vol = lots.VolLimit(*vols, most if vol is None else min(most, vol.most_usd))
        wanted.append(most / hedged_vol(vols, k))
    long_usd = min(wanted)
    # By its digits: the float product may lie above a cap that was worked out, such as 85.67999999999999.
    high = None if inputs.gross_cap is None else floor(Fraction(str(inputs.gross_cap)) * MICRO)
    low, weight = 0, inputs.weight
    if inputs.size_by is SizeBy.CAP:
        assert high is not None
        most_gross = ceil(long_usd * (1 + k) * MICRO) if long_usd < before_kelly else high
        low = ceil(Fraction(str(inputs.min_use)) * most_gross)  # 0.95 means 19/20, not the float beside it
    return Task(
        long_unit,
        short_unit,
        ratio,
        lots.Aim(k, long_usd, None if inputs.size_by is SizeBy.CAP else weight),
        lots.Limits(low, high, vol, loss),
        limit,
        kelly_binds=long_usd < before_kelly,
    )


def _what_would(inputs: SizerInputs, task: Task) -> str:
    """Say why no whole units keep the limits, and what would."""
    rut, ndx = (short_name(instruments_of(inputs.instrument, leg)[-1]) for leg in (Leg.RUT, Leg.NDX))
    a_long, a_short = task.long_unit / MICRO, task.short_unit / MICRO
    pair = f"one {rut} is {money.usd(a_long)} and one {ndx} {money.usd(a_short)}"
    finer = f", or {finer_units(inputs.instrument)}" if finer_units(inputs.instrument) else ""
    limits = task.limits
    if limits.gross_high is not None and task.long_unit + task.short_unit > limits.gross_high:
        assert inputs.gross_cap is not None
        return (
            f"{pair}, together above the gross cap of {money.usd(inputs.gross_cap)}: "
            f"raise the cap to at least {money.usd_up(task.long_unit + task.short_unit)}{finer}"
        )
    if limits.loss is not None:
        least_loss = float(lots.worst_loss(limits.loss, np.asarray(a_long), np.asarray(a_short)))
        if least_loss > limits.loss.most_usd:
            cure = _raise("risk", 1.0, inputs.capital, inputs.risk, least_loss)
            return (
                f"{pair}: that pair alone loses {money.usd(least_loss)} at the stop {inputs.stop:g}, above the "
                f"{money.usd(limits.loss.most_usd)} allowed: {cure}{finer}"
            )
    if limits.vol is not None:
        least_pair = lots.least_vol(task.long_unit, task.short_unit, limits.vol, limits.gross_high)
        if least_pair is not None and least_pair[2] > limits.vol.most_usd:
            longs, shorts, vol = least_pair
            share = inputs.vol_target if inputs.size_by is SizeBy.VOL_TARGET and not task.kelly_binds else None
            cure = _raise("volatility target", 2.0, inputs.capital, share, vol)
            if share is None:
                cure = "raise the Kelly share or the capital"
            return (
                f"{pair}: even +{longs} {rut} / -{shorts} {ndx} swings {money.usd(vol)} a year, above the "
                f"{money.usd(limits.vol.most_usd)} allowed: {cure}{finer}"
            )
    if inputs.size_by is SizeBy.CAP and not task.kelly_binds:
        assert limits.gross_high is not None
        below, above = lots.nearest_gross(task.long_unit, task.short_unit, limits.gross_high)
        assert below is not None
        use = floor(below / limits.gross_high * 1000) / 1000
        return (
            f"{pair}: no whole number of both makes a gross between {money.usd(limits.gross_low / MICRO)} and "
            f"{money.usd(limits.gross_high / MICRO)}; the nearest are {money.usd(below / MICRO)} and "
            f"{money.usd(above / MICRO)}: "
            f"lower the minimum use to {use:g}, raise the cap to {money.usd_up(above)}{finer}"
        )
    return f"{pair}: no whole number of both keeps all limits at once: raise the limit that binds{finer}"


def _raise(what: str, most_share: float, capital: float | None, share: float | None, least_usd: float) -> str:
    """The ways to allow `least_usd`, each rounded up so that it does."""
    if not capital or not share:
        return "raise the capital"
    more = ceil(least_usd / share - 1e-6)
    while more * share < least_usd:
        more += 1
    ways = f"raise the capital to at least {money.usd(more)}"
    percent = ceil(least_usd / capital * 1e4 - 1e-6) / 100
    while capital * (percent / 100) < least_usd:
        percent = round(percent + 0.01, 2)
    return f"{ways}, the {what} to at least {percent:g} %" if percent / 100 <= most_share else ways
