"""What a size depends on, and what is wrong with it, field by field.

Money in US dollars; volatilities, correlations and targets as shares (0.22, not 22). Stop and target are levels of
the ratio NDX / RUT, which the trade is short: the stop lies above it, the target below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import isfinite, sqrt
from typing import Protocol

from desktop.market.instruments import INSTRUMENTS, Instrument, Leg
from desktop.market.known import UserError
from desktop.trade import money
from desktop.trade.costs import CostInputs, validate_costs
from desktop.trade.hedge import HedgeKind

MOST_USD = 1e11
_ABSURD_RATIO = 3.0
_LOW_K, _HIGH_K = 0.1, 10.0
_LOW_VOL, _HIGH_VOL = 0.01, 5.0


_LEAST_HEDGED_VOL = 1e-4


class Need(Protocol):
    """Notes that a field is missing."""

    def __call__(self, name: str, value: object, why: str) -> None:
        """Note `why` under `name` where `value` is None."""


class SizeBy(StrEnum):
    """What decides the size."""

    CAP = "cap"
    VOL_TARGET = "vol_target"
    STOP = "stop"


class Choice(StrEnum):
    """What is traded; mixed is minis filled up with micros on each leg."""

    ETF = "etf"
    MICRO = "micro"
    MINI = "mini"
    MIXED = "mixed"


class Side(StrEnum):
    """Side of a leg: RUT is bought, NDX is sold."""

    BUY = "buy"
    SELL = "sell"


_UNITS: Mapping[Choice, Mapping[Leg, tuple[str, ...]]] = {
    Choice.ETF: {Leg.RUT: ("IWM",), Leg.NDX: ("QQQ",)},
    Choice.MICRO: {Leg.RUT: ("M2K=F",), Leg.NDX: ("MNQ=F",)},
    Choice.MINI: {Leg.RUT: ("RTY=F",), Leg.NDX: ("NQ=F",)},
    Choice.MIXED: {Leg.RUT: ("RTY=F", "M2K=F"), Leg.NDX: ("NQ=F", "MNQ=F")},
}
"""Symbols of each leg, largest unit first; each is a whole multiple of the next."""


def instruments_of(choice: Choice, leg: Leg) -> tuple[Instrument, ...]:
    """What a leg is traded in, largest unit first."""
    return tuple(INSTRUMENTS[symbol] for symbol in _UNITS[choice][leg])


@dataclass(frozen=True, slots=True)
class SizerInputs:
    """All that a size depends on. None stands for "not given"; `validate` says what is missing."""

    size_by: SizeBy
    instrument: Choice
    k: float
    rut_price: float | None
    ndx_price: float | None
    """Prices of what is traded (shares, or index points of the futures), read to a millionth."""
    hedge: HedgeKind = HedgeKind.TYPED
    capital: float | None = None
    gross_cap: float | None = None
    """Most that long plus short may be; needed to size by cap, binding in the other ways too where given."""
    min_use: float = 0.95
    """Least share of the cap to use when sizing by cap."""
    vol_target: float | None = None
    """Annual volatility as a share of capital."""
    risk: float | None = None
    """Money that may be lost at the stop, on the worst path, as a share of capital."""
    stop: float | None = None
    target: float | None = None
    ratio: float | None = None
    """Ratio that stop and target refer to; None takes ndx_price / rut_price."""
    su: float | None = None
    sn: float | None = None
    rho: float | None = None
    beta: float | None = None
    """Beta of RUT on NDX for the residual beta; None takes rho su / sn."""
    rut_margin: float | None = None
    ndx_margin: float | None = None
    """Margin a contract (a share); when mixed, of the mini, and a micro takes a tenth."""
    day: date | None = None
    """The day traded: it names the contract months."""
    weight: float = 1.0
    """Price of missing the wanted long notional by a dollar, in dollars of residual."""
    kelly_sharpe: float | None = None
    """Expected annual Sharpe ratio after costs. Given, it caps the volatility at kelly_share of full Kelly."""
    kelly_share: float = 0.5
    costs: CostInputs = field(default_factory=CostInputs)

    @property
    def ratio_now(self) -> float | None:
        """The ratio that stop and target refer to; None while a price is missing or no price."""
        if self.ratio is not None:
            return self.ratio
        rut, ndx = self.rut_price, self.ndx_price
        if rut is None or ndx is None:
            return None
        good = _is_price(rut, self.instrument, Leg.RUT) and _is_price(ndx, self.instrument, Leg.NDX)
        return ndx / rut if good else None

    @property
    def vols(self) -> tuple[float, float, float] | None:
        """(su, sn, rho) where all three are given."""
        if self.su is None or self.sn is None or self.rho is None:
            return None
        return self.su, self.sn, self.rho


class SizerInputsError(UserError):
    """Inputs that cannot be sized; `errors` holds the reason for each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors.items()))
        self.errors = dict(errors)


def validate(inputs: SizerInputs) -> Mapping[str, str]:
    """Reason in words for each field that cannot be used, keyed by field name; empty when all are good."""
    errors: dict[str, str] = {}

    def check(name: str, value: float | None, good: bool, why: str) -> None:
        if value is None or name in errors:
            return
        if not isfinite(value):
            errors[name] = f"{value} is not a number"
        elif not good:
            errors[name] = why

    def need(name: str, value: object, why: str) -> None:
        if value is None and name not in errors:
            errors[name] = why

    for leg, name, price in ((Leg.RUT, "rut_price", inputs.rut_price), (Leg.NDX, "ndx_price", inputs.ndx_price)):
        what = instruments_of(inputs.instrument, leg)[-1]
        symbol = short_name(what)
        need(name, price, f"the price of {symbol} is missing: wait for a quote or type it")
        if price is not None and not _is_price(price, inputs.instrument, leg):
            errors[name] = (
                f"{price:g} is no price of {symbol}: it must be above 0, at least one tick, {what.tick:g}, "
                "and below 10,000,000"
            )
    if inputs.instrument is not Choice.ETF:
        need("day", inputs.day, "the contract month is missing: futures need the day of the trade")

    for name, amount in (("capital", inputs.capital), ("gross_cap", inputs.gross_cap)):
        if amount is not None:
            words = "is not an amount to trade: it must be above 0"
            check(name, amount, amount > 0, f"{money.usd(amount) if isfinite(amount) else amount} {words}")
            check(
                name,
                amount,
                amount <= MOST_USD,
                f"{money.usd(min(amount, 1e30))} is beyond any book: at most {money.usd(MOST_USD)}",
            )
    check(
        "min_use", inputs.min_use, 0 <= inputs.min_use <= 1, f"{inputs.min_use:g} is no share of the cap: 0 to 1"
    )
    check("weight", inputs.weight, inputs.weight >= 0, f"{inputs.weight:g} is below zero")
    for name, value in (("su", inputs.su), ("sn", inputs.sn)):
        if value is not None:
            check(
                name,
                value,
                _LOW_VOL <= value <= _HIGH_VOL,
                f"{value:g} is no annual volatility: 0.01 (1 %) to 5 (500 %)",
            )
    if inputs.rho is not None:
        check(
            "rho", inputs.rho, -1 <= inputs.rho <= 1, f"{inputs.rho:g} is no correlation: it lies between -1 and 1"
        )
    if inputs.beta is not None:
        check("beta", inputs.beta, abs(inputs.beta) <= _HIGH_K, f"{inputs.beta:g} is no beta of RUT on NDX")
    for name, value in (("rut_margin", inputs.rut_margin), ("ndx_margin", inputs.ndx_margin)):
        if value is not None:
            check(name, value, value >= 0, f"{value:g} is below zero: margin a contract in dollars")
    if inputs.vol_target is not None:
        check(
            "vol_target",
            inputs.vol_target,
            0 < inputs.vol_target <= 2,
            f"{inputs.vol_target:.4g} of capital a year is no target: above 0, at most 2 (200 %)",
        )
    if inputs.risk is not None:
        check(
            "risk",
            inputs.risk,
            0 < inputs.risk <= 1,
            f"{inputs.risk:.4g} of capital cannot be risked: above 0, at most 1 (100 %)",
        )
    _check_levels(inputs, errors)
    _check_needs(inputs, errors, need)
    errors.update(validate_costs(inputs.costs))
    return dict(hedge_errors(inputs)) | errors


def hedge_errors(inputs: SizerInputs) -> Mapping[str, str]:
    """What is wrong with the hedge ratio alone; another hedge of the same inputs may be good."""
    k, vols = inputs.k, inputs.vols
    if not isfinite(k):
        return {"k": f"{k} is not a number"}
    if not _LOW_K <= k <= _HIGH_K:
        return {
            "k": f"{k:g} is no hedge of these legs: short notional over long must be {_LOW_K:g} to {_HIGH_K:g}"
        }
    by_vol = inputs.size_by is SizeBy.VOL_TARGET or inputs.kelly_sharpe is not None
    if not by_vol or vols is None or not _are_vols(*vols) or hedged_vol(vols, k) >= _LEAST_HEDGED_VOL:
        return {}
    return {
        "rho": f"a correlation of {vols[2]:g} with su {vols[0]:g}, sn {vols[1]:g} and k {k:g} "
        "hedges everything away: no volatility is left to size by"
    }


def _are_vols(su: float, sn: float, rho: float) -> bool:
    return all(_LOW_VOL <= one <= _HIGH_VOL for one in (su, sn)) and -1 <= rho <= 1


def _check_levels(inputs: SizerInputs, errors: dict[str, str]) -> None:
    """Stop above the ratio, target below it, all three on one scale."""
    if inputs.ratio is not None and not (isfinite(inputs.ratio) and 0 < inputs.ratio < 1e4):
        errors["ratio"] = f"{inputs.ratio:g} is no ratio NDX / RUT: it must be above 0"
        return
    now = inputs.ratio_now
    for name, level in (("stop", inputs.stop), ("target", inputs.target)):
        if level is None:
            continue
        if not isfinite(level) or level <= 0:
            errors[name] = f"{level:g} is no level of the ratio: it must be above 0"
        elif now is None:
            continue
        elif not now / _ABSURD_RATIO < level < now * _ABSURD_RATIO:
            errors[name] = (
                f"{level:g} is not on the scale of the ratio {now:.4g}: "
                "give stop, target and ratio on one scale (index NDX / RUT, or the prices traded)"
            )
        elif name == "stop" and level <= now:
            errors[name] = (
                f"{level:g} is not above the ratio {now:.4g}: the trade is short the ratio and loses as it rises, "
                "so the stop lies above it"
            )
        elif name == "target" and level >= now:
            errors[name] = (
                f"{level:g} is not below the ratio {now:.4g}: the trade is short the ratio and gains as it falls, "
                "so the target lies below it"
            )


def _check_needs(inputs: SizerInputs, errors: dict[str, str], need: Need) -> None:
    """What each way of sizing cannot do without."""
    by_vol, kelly = inputs.size_by is SizeBy.VOL_TARGET, inputs.kelly_sharpe is not None
    if inputs.size_by is SizeBy.CAP:
        need(
            "gross_cap",
            inputs.gross_cap,
            "the gross cap is missing: sizing by cap needs the most that long plus short may be",
        )
    elif inputs.size_by is SizeBy.STOP:
        need(
            "risk", inputs.risk, "the risk is missing: sizing by the stop needs the share of capital to lose there"
        )
        need("stop", inputs.stop, "the stop is missing: sizing by the stop needs a ratio above the present one")
    else:
        need("vol_target", inputs.vol_target, "the volatility target is missing: type it as % of capital a year")
    if kelly or inputs.size_by is not SizeBy.CAP:
        need("capital", inputs.capital, "the capital is missing: target and risk are shares of it")
    if by_vol or kelly:
        for name, value in (("su", inputs.su), ("sn", inputs.sn), ("rho", inputs.rho)):
            need(
                name,
                value,
                "is missing: a volatility target needs the volatilities of both legs and their correlation",
            )
    if kelly:
        assert inputs.kelly_sharpe is not None
        if not isfinite(inputs.kelly_sharpe) or inputs.kelly_sharpe <= 0:
            errors["kelly_sharpe"] = f"{inputs.kelly_sharpe:g}: without an expected gain Kelly trades nothing"
        if not 0 < inputs.kelly_share <= 1:
            errors["kelly_share"] = f"{inputs.kelly_share:g} is no share of full Kelly: above 0, at most 1"


def hedged_vol(vols: tuple[float, float, float], k: float) -> float:
    """Annual volatility of a dollar long hedged by k dollars short."""
    su, sn, rho = vols
    return sqrt(max(su**2 + (k * sn) ** 2 - 2 * rho * su * sn * k, 0.0))


def _is_price(value: float, traded: Choice, leg: Leg) -> bool:
    return isfinite(value) and instruments_of(traded, leg)[-1].tick <= value < 1e7


def short_name(what: Instrument) -> str:
    """RTY for RTY=F, IWM for IWM."""
    return what.root or what.symbol


def finer_units(choice: Choice) -> str:
    """What to trade where the units are too coarse; empty where there is nothing finer."""
    return (
        "trade micros"
        if choice is Choice.MINI
        else "trade the ETFs"
        if choice in (Choice.MICRO, Choice.MIXED)
        else ""
    )
