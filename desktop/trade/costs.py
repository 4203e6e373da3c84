"""What the trade costs beside being wrong: each cost an input with a unit, none hidden in another.

Costs are positive, income is negative, in dollars over the holding period. Commission and half-spread are paid by
every unit on the way in and on the way out; a roll closes one contract and opens the next, so it pays both twice.
Dividends and financing accrue on either leg alike: an ETF pays them in cash, a future in its price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from math import isfinite

from desktop.market.instruments import front_contract

_YEAR_DAYS = 365
_MOST_DAYS, _MOST = 3650, 1000
"""Longest holding period; most dollars of commission, or ticks of half a spread, a unit."""


@dataclass(frozen=True, slots=True)
class CostInputs:
    """Assumptions behind the costs. The defaults are ordinary retail terms, to be replaced by one's own.

    Rates are shares a year (0.04 is 4 %/y) on the notional of a leg.
    """

    share_commission_usd: float = 0.005
    """Commission and fees a share and trade."""
    micro_commission_usd: float = 0.60
    """Commission and fees a micro contract and trade."""
    mini_commission_usd: float = 2.25
    """Commission and fees a mini contract and trade."""
    half_spread_ticks: float = 0.5
    """Ticks given up a unit and trade: half a spread of one tick."""
    holding_days: float = 20.0
    """Calendar days held."""
    borrow_rate: float = 0.003
    """Fee for borrowing the shares that are sold short, a year; futures need none."""
    rut_dividend_rate: float = 0.013
    """Dividend yield of the Russell 2000, received on the long leg, a year."""
    ndx_dividend_rate: float = 0.007
    """Dividend yield of the Nasdaq-100, paid on the short leg, a year."""
    financing_rate: float = 0.04
    """Interest paid on the long and earned on the short notional, a year."""


def validate_costs(costs: CostInputs) -> Mapping[str, str]:
    """Reason in words for each assumption that cannot be: empty when all are good."""
    errors: dict[str, str] = {}
    for one in fields(costs):
        value = getattr(costs, one.name)
        if not isfinite(value):
            errors[one.name] = f"{value} is not a number"
        elif one.name.endswith("_rate"):
            if abs(value) > 1:
                errors[one.name] = f"{value:g} a year is {value:.0%}: a rate is a share, 4 % is 0.04"
        elif value < 0:
            errors[one.name] = f"{value:g} is below zero"
        elif value > (most := _MOST_DAYS if one.name == "holding_days" else _MOST):
            errors[one.name] = f"{value:g} is beyond any trade: at most {most:,}"
    return errors


@dataclass(frozen=True, slots=True)
class CostLeg:
    """What costs need to know of a line of the ticket."""

    root: str
    """CME root; empty for shares."""
    micro: bool
    long: bool
    quantity: int
    notional_usd: float
    tick_usd: float
    """Dollars of one tick of one unit."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of the round trip in dollars: positive is paid, negative is earned."""

    commission_usd: float
    half_spread_usd: float
    roll_usd: float
    borrow_usd: float
    dividends_usd: float
    carry_usd: float
    holding_days: float
    rolls: int
    """Roll dates that fall into the holding period."""

    @property
    def total_usd(self) -> float:
        """All of them."""
        return (
            self.commission_usd
            + self.half_spread_usd
            + self.roll_usd
            + self.borrow_usd
            + self.dividends_usd
            + self.carry_usd
        )


def rolls_within(root: str, day: date, days: float) -> int:
    """How many roll dates of `root` lie after `day` and at most `days` calendar days later."""
    last, count = day + timedelta(days=int(days)), 0
    roll = front_contract(root, day).roll
    while roll <= last:
        count += 1
        roll = front_contract(root, roll).roll
    return count


def costs_of(legs: Sequence[CostLeg], inputs: CostInputs, day: date | None) -> Costs:
    """Costs of holding `legs` from `day` on; `day` may be None where no leg is a future."""
    years = inputs.holding_days / _YEAR_DAYS
    commission = half_spread = roll = borrow = dividends = carry = 0.0
    most_rolls = 0
    for leg in legs:
        rate = (
            inputs.share_commission_usd
            if not leg.root
            else inputs.micro_commission_usd
            if leg.micro
            else inputs.mini_commission_usd
        )
        fee, slip = rate * leg.quantity, inputs.half_spread_ticks * leg.tick_usd * leg.quantity
        commission += 2 * fee
        half_spread += 2 * slip
        if leg.root and day is not None:
            rolls = rolls_within(leg.root, day, inputs.holding_days)
            most_rolls = max(most_rolls, rolls)
            roll += rolls * 2 * (fee + slip)
        accrued = leg.notional_usd * years
        if leg.long:
            dividends -= accrued * inputs.rut_dividend_rate
            carry += accrued * inputs.financing_rate
        else:
            dividends += accrued * inputs.ndx_dividend_rate
            carry -= accrued * inputs.financing_rate
            borrow += 0.0 if leg.root else accrued * inputs.borrow_rate
    return Costs(commission, half_spread, roll, borrow, dividends, carry, inputs.holding_days, most_rolls)
