"""Whole units of both legs, and all that follows from them.

VaR and ES take normal daily changes, 252 days a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import sqrt

import numpy as np

from desktop.market.instruments import INSTRUMENTS, Contract, Instrument, Kind, Leg, front_contract
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import DayArray, FloatArray
from desktop.trade import lots, money, scenarios
from desktop.trade.costs import CostLeg, Costs, costs_of
from desktop.trade.hedge import YEAR_DAYS, HedgeKind
from desktop.trade.inputs import Choice, Side, SizeBy, SizerInputs, finer_units, instruments_of, short_name
from desktop.trade.money import MICRO
from desktop.trade.scenarios import HistoricalRisk, Outcome, Replay, Scenario

VAR99_SIGMAS = 2.32635
ES99_SIGMAS = 2.66521
"""99 % quantile and tail mean of the standard normal."""


_LARGE_RESIDUAL = 0.10


@dataclass(frozen=True, slots=True)
class TicketLeg:
    """One line of the ticket.

    `one_pct_usd` is what the line makes when its index rises by 1 %: negative for what is sold.
    """

    leg: Leg
    symbol: str
    contract: str
    """Name with the month: "M2K Sep 24"; the symbol of an ETF."""
    roll: date | None
    """When the contract is rolled; None for an ETF."""
    side: Side
    quantity: int
    price: float
    notional_usd: float
    multiplier: float
    one_pct_usd: float
    future: Contract | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Whole units of both legs and all that follows from them.

    `residual_usd` is kL - S with its sign (positive: underhedged), `residual_beta_usd` beta L - S: the dollars of
    NDX the position is still long. `limit_usd` is what the size was limited by (cap, annual volatility, or money
    at the stop), `reached_usd` what of it is used. `wanted_long_usd`, `wanted_short_usd` is the size before
    rounding to units. VaR and ES are one-day losses, positive. `reward_risk` compares target and stop, each on its
    worst path, `reward_risk_after_costs` the same with the costs taken off both.
    """

    mode: SizeBy
    instrument: Choice
    hedge: HedgeKind
    k: float
    legs: tuple[TicketLeg, ...]
    long_usd: float
    short_usd: float
    gross_usd: float
    residual_usd: float
    residual_beta_usd: Maybe
    wanted_long_usd: float
    wanted_short_usd: float
    limit_usd: float
    reached_usd: float
    spread_vol_usd: Maybe
    var99_usd: Maybe
    es99_usd: Maybe
    historical: HistoricalRisk | Unknown
    margin_usd: Maybe
    ratio: float
    stop: Outcome | None
    target: Outcome | None
    reward_risk: Maybe
    reward_risk_after_costs: Maybe
    costs: Costs
    notes: tuple[str, ...]

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """P&L for every pair of moves of both legs, NDX outer, both rising; exact."""
        micro = {Side.BUY: 0, Side.SELL: 0}
        for line in self.legs:
            micro[line.side] += line.quantity * unit_micro(instrument_of(line), line.price)
        return scenarios.scenario_grid(micro[Side.BUY], micro[Side.SELL])

    @property
    def ratio_map(self) -> tuple[Outcome, ...]:
        """P&L by path at round levels of the ratio, at the ratio itself, at stop and target, rising."""
        marks = (None if one is None else one.ratio for one in (self.stop, self.target))
        levels = scenarios.ratio_levels(self.ratio, *marks)
        return tuple(scenarios.outcome(self.long_usd, self.short_usd, self.ratio, one) for one in levels)

    @property
    def replays(self) -> tuple[Replay, ...]:
        """The position in the named past falls."""
        return scenarios.replay(self.long_usd, self.short_usd)


@dataclass(frozen=True, slots=True, eq=False)
class LegReturns:
    """Past daily simple returns of both indices as shares: `days` datetime64[D]; all of shape (n,)."""

    days: DayArray
    rut: FloatArray
    ndx: FloatArray


@dataclass(frozen=True, slots=True)
class Task:
    """Inputs turned into what the search needs; units in micro-dollars."""

    long_unit: int
    short_unit: int
    ratio: float
    aim: lots.Aim
    limits: lots.Limits
    limit_usd: float
    kelly_binds: bool


def build(
    inputs: SizerInputs, task: Task, long_units: int, short_units: int, history: LegReturns | None
) -> Position:
    """Work out all that follows from whole units of both legs."""
    long_micro, short_micro = long_units * task.long_unit, short_units * task.short_unit
    long_usd, short_usd = long_micro / MICRO, short_micro / MICRO
    gross = (long_micro + short_micro) / MICRO
    residual = float((Fraction(str(inputs.k)) * long_micro - short_micro) / MICRO)
    assert inputs.rut_price is not None and inputs.ndx_price is not None
    legs = (
        *ticket_lines(inputs.instrument, Leg.RUT, long_units, inputs.rut_price, inputs.day, Side.BUY),
        *ticket_lines(inputs.instrument, Leg.NDX, short_units, inputs.ndx_price, inputs.day, Side.SELL),
    )
    vol = _vol_of(inputs, long_usd, short_usd)
    daily = vol if isinstance(vol, Unknown) else vol / sqrt(YEAR_DAYS)
    stop, target = (
        None if level is None else scenarios.outcome(long_usd, short_usd, task.ratio, level)
        for level in (inputs.stop, inputs.target)
    )
    costs = costs_of([cost_leg(one) for one in legs], inputs.costs, inputs.day)
    reached = gross
    if inputs.size_by is SizeBy.VOL_TARGET:
        assert not isinstance(vol, Unknown)
        reached = vol
    elif inputs.size_by is SizeBy.STOP:
        assert stop is not None
        reached = -stop.worst_usd
    past: HistoricalRisk | Unknown = Unknown("needs the daily history of both indices: import it")
    if history is not None:
        past = scenarios.historical_risk(long_usd, short_usd, history.days, history.rut, history.ndx)
    return Position(
        mode=inputs.size_by,
        instrument=inputs.instrument,
        hedge=inputs.hedge,
        k=inputs.k,
        legs=legs,
        long_usd=long_usd,
        short_usd=short_usd,
        gross_usd=gross,
        residual_usd=residual,
        residual_beta_usd=_residual_beta(inputs, long_usd, short_usd),
        wanted_long_usd=task.aim.long_usd,
        wanted_short_usd=task.aim.long_usd * inputs.k,
        limit_usd=task.limit_usd,
        reached_usd=reached,
        spread_vol_usd=vol,
        var99_usd=daily if isinstance(daily, Unknown) else VAR99_SIGMAS * daily,
        es99_usd=daily if isinstance(daily, Unknown) else ES99_SIGMAS * daily,
        historical=past,
        margin_usd=_margin(inputs, long_units, short_units),
        ratio=task.ratio,
        stop=stop,
        target=target,
        reward_risk=_reward_risk(stop, target, 0.0),
        reward_risk_after_costs=_reward_risk(stop, target, costs.total_usd),
        costs=costs,
        notes=_notes(inputs, task, gross, residual),
    )


def ticket_lines(
    choice: Choice, leg: Leg, units: int, price: float, day: date | None, side: Side
) -> tuple[TicketLeg, ...]:
    """Lines of one leg: as many of the largest unit as go in, the rest in the next.

    `units` counts the smallest unit; `day` names the contract months and may be None for ETFs.
    """
    choices = instruments_of(choice, leg)
    smallest = choices[-1].multiplier_usd
    lines = []
    for one in choices:
        quantity, units = divmod(units, round(one.multiplier_usd / smallest))
        if not quantity:
            continue
        contract: Contract | None = None
        if one.kind is Kind.FUTURE:
            assert day is not None
            contract = front_contract(one.root, day)
        notional = quantity * unit_micro(one, price)
        lines.append(
            TicketLeg(
                leg=leg,
                symbol=short_name(one),
                contract=contract.label if contract else one.symbol,
                roll=contract.roll if contract else None,
                side=side,
                quantity=quantity,
                price=lots.micro(price) / MICRO,
                notional_usd=notional / MICRO,
                multiplier=one.multiplier_usd,
                one_pct_usd=(notional if side is Side.BUY else -notional) / (100 * MICRO),
                future=contract,
            )
        )
    return tuple(lines)


def instrument_of(line: TicketLeg) -> Instrument:
    """What a line of the ticket trades."""
    return INSTRUMENTS[line.symbol if line.roll is None else f"{line.symbol}=F"]


def cost_leg(line: TicketLeg) -> CostLeg:
    """What the costs need to know of a line of the ticket."""
    what = instrument_of(line)
    return CostLeg(
        root=what.root,
        micro=what.root.startswith("M"),
        long=line.side is Side.BUY,
        quantity=line.quantity,
        notional_usd=line.notional_usd,
        tick_usd=what.tick * what.multiplier_usd,
    )


def _vol_of(inputs: SizerInputs, long_usd: float, short_usd: float) -> Maybe:
    vols = inputs.vols
    if vols is None:
        lacking = ", ".join(name for name in ("su", "sn", "rho") if getattr(inputs, name) is None)
        return Unknown(f"needs both volatilities and their correlation; {lacking} not given")
    limit = lots.VolLimit(*vols, 0.0)
    return float(lots.spread_vol(limit, np.asarray(long_usd), np.asarray(short_usd)))


def _residual_beta(inputs: SizerInputs, long_usd: float, short_usd: float) -> Maybe:
    beta, vols = inputs.beta, inputs.vols
    if beta is None and vols is not None:
        beta = vols[2] * vols[0] / vols[1]
    if beta is None:
        return Unknown("needs the beta of RUT on NDX, or both volatilities and their correlation")
    return beta * long_usd - short_usd


def _margin(inputs: SizerInputs, long_units: int, short_units: int) -> Maybe:
    if inputs.rut_margin is None or inputs.ndx_margin is None:
        return Unknown(
            "margins are not given: type the margin of one contract of each leg, as your broker asks today"
        )
    total = 0.0
    for leg, units, margin in (
        (Leg.RUT, long_units, inputs.rut_margin),
        (Leg.NDX, short_units, inputs.ndx_margin),
    ):
        choices = instruments_of(inputs.instrument, leg)
        total += units * margin / round(choices[0].multiplier_usd / choices[-1].multiplier_usd)
    return total


def _reward_risk(stop: Outcome | None, target: Outcome | None, costs_usd: float) -> Maybe:
    if stop is None or target is None:
        return Unknown(f"needs a {'stop' if stop is None else 'target'}")
    risk, reward = costs_usd - stop.worst_usd, target.worst_usd - costs_usd
    if risk <= 0:
        return Unknown("income over the holding period outweighs the loss at the stop")
    return reward / risk


def _notes(inputs: SizerInputs, task: Task, gross: float, residual: float) -> tuple[str, ...]:
    notes = []
    if task.kelly_binds:
        notes.append(
            f"Kelly at {inputs.kelly_share:.0%} with a Sharpe ratio of {inputs.kelly_sharpe:g} holds the size down"
        )
    if abs(residual) > _LARGE_RESIDUAL * gross:
        finer = finer_units(inputs.instrument)
        notes.append(
            f"residual {money.usd(residual)} is {abs(residual) / gross:.0%} of the gross: units of "
            f"{money.usd(task.long_unit / MICRO)} and {money.usd(task.short_unit / MICRO)} are coarse "
            f"for this size{f'; {finer}' if finer else ''}"
        )
    return tuple(notes)


def unit_micro(what: Instrument, price: float) -> int:
    """Notional of one unit in micro-dollars."""
    return round(what.multiplier_usd) * lots.micro(price)


def line_text(line: TicketLeg) -> str:
    """One line of a ticket for a chat: BUY 7 RTY Sep 24 @ 2,200.00 = $770,000."""
    return (
        f"{line.side.upper()} {line.quantity:,} {line.contract} @ {money.price(line.price)} = "
        f"{money.usd(line.notional_usd)}"
    )


def ticket_text(position: Position) -> str:
    """Both legs as plain text for a chat, with what the position risks."""
    lines = [line_text(line) for line in position.legs]
    lines.append(
        f"Long RUT / short NDX, k {position.k:.4g}, gross {money.usd(position.gross_usd)}, "
        f"residual {money.signed(position.residual_usd)}"
    )
    ends = [
        f"{name} {end.ratio:g} {money.signed(end.worst_usd)} ({end.worst_path})"
        for name, end in (("stop", position.stop), ("target", position.target))
        if end is not None
    ]
    if ends:
        lines.append(f"NDX/RUT {position.ratio:.4g}: worst of three paths {', '.join(ends)}")
    rolls = sorted({line.roll for line in position.legs if line.roll is not None})
    if rolls:
        lines.append(f"Roll {', '.join(f'{one.day} {one:%b %Y}' for one in rolls)}")
    return "\n".join(lines)
