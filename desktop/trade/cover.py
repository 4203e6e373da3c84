"""How many to hedge this: the other leg, in whole units, of what is held already.

Held are L dollars of RUT and N dollars of NDX, both signed. A hedge with ratio k wants k L + N = 0. What is
missing is traded in NDX; where only NDX is held, in RUT. The nearest whole number of units leaves at most half a
unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from desktop.market.instruments import INSTRUMENTS, Instrument, Leg
from desktop.market.known import Unknown
from desktop.trade import money
from desktop.trade.inputs import Choice, Side, instruments_of, short_name
from desktop.trade.money import MICRO
from desktop.trade.position import TicketLeg, line_text, ticket_lines, unit_micro
from desktop.trade.typed import FieldError, parse_number

TRADED: Mapping[str, Instrument] = {
    short_name(INSTRUMENTS[symbol]): INSTRUMENTS[symbol]
    for symbol in ("IWM", "QQQ", "RTY=F", "M2K=F", "NQ=F", "MNQ=F")
}
"""What can be held, by the name people type."""
_ONE = re.compile(
    r"(?P<side>long|short|[+\-−])?\s*(?P<count>\d[\d,.]*(?:k|m)?)\s+(?P<symbol>[a-z0-9]+)", re.IGNORECASE
)
_LIKE = "write it like +500 IWM or -3 NQ"
_MOST = 10**7


@dataclass(frozen=True, slots=True)
class Holding:
    """Whole units held of one instrument; below zero is short."""

    quantity: int
    what: Instrument


@dataclass(frozen=True, slots=True)
class Cover:
    """What hedges the holdings.

    `lines` is what to trade, none where what is held is hedged within half a unit. `rut_usd` and `ndx_usd` are
    held, signed; `exact_units` is the answer before rounding, in the smallest unit, signed. `residual_usd` is
    k x RUT + NDX afterwards, at most `half_unit_usd` (both in dollars of NDX).
    """

    k: float
    leg: Leg
    lines: tuple[TicketLeg, ...]
    rut_usd: float
    ndx_usd: float
    exact_units: float
    residual_usd: float
    half_unit_usd: float
    unit_usd: float

    @property
    def reversed_idea(self) -> bool:
        """The hedged pair is short RUT and long NDX: the other way round than the idea."""
        return self.rut_usd < 0 or (self.rut_usd == 0 and self.ndx_usd > 0)


def parse_holdings(text: str, field: str = "") -> tuple[Holding, ...]:
    """Return what a person says is held: "+500 IWM", "short 3 NQ", "1,200 IWM -2 MNQ".

    Raises
    ------
    FieldError
        In words, for anything else.
    """
    found, at = [], 0
    tidy = text.strip()
    while at < len(tidy):
        match = _ONE.match(tidy, at)
        if match is None:
            raise FieldError(field, text, f"{tidy[at:]!r} is not understood: {_LIKE}")
        found.append(_holding(match, text, field))
        at = match.end()
        while at < len(tidy) and tidy[at] in " ,;":
            at += 1
    if not found:
        raise FieldError(field, text, f"nothing is held: {_LIKE}")
    return tuple(found)


def _holding(match: re.Match[str], text: str, field: str) -> Holding:
    what = TRADED.get(match["symbol"].upper())
    if what is None:
        raise FieldError(field, text, f"{match['symbol']!r} is not traded here: {', '.join(TRADED)}")
    count = parse_number(match["count"].rstrip(",."), field)
    if count != int(count) or not 0 < count <= _MOST:
        raise FieldError(field, text, f"{match['count']} {short_name(what)} is no whole number of units: {_LIKE}")
    short = (match["side"] or "+").lower() in ("-", "−", "short")
    return Holding(-int(count) if short else int(count), what)


def cover(
    holdings: Sequence[Holding], prices: Mapping[str, float], k: float, choice: Choice, day: date
) -> Cover | Unknown:
    """Return what to trade so that the holdings are hedged with ratio `k`.

    Parameters
    ----------
    holdings
        What is held, at least one.
    prices
        By the names of `TRADED`: of all that is held and of the leg to be traded.
    k
        Short notional over long notional, above zero.
    choice
        What the other leg is traded in.
    day
        The day traded: it names the contract month.

    Returns
    -------
    Cover or Unknown
        Unknown where a price is missing.
    """
    held = {leg: 0 for leg in Leg}
    for one in holdings:
        price = prices.get(short_name(one.what))
        if price is None:
            return Unknown(f"no price of {short_name(one.what)}: wait for a quote")
        assert one.what.leg is not None
        held[one.what.leg] += one.quantity * unit_micro(one.what, price)
    leg = Leg.NDX if any(one.what.leg is Leg.RUT for one in holdings) else Leg.RUT
    smallest = instruments_of(choice, leg)[-1]
    price = prices.get(short_name(smallest))
    if price is None:
        return Unknown(f"no price of {short_name(smallest)}: wait for a quote")
    unit, ratio = unit_micro(smallest, price), Fraction(str(k))
    wanted = -(ratio * held[Leg.RUT] + held[Leg.NDX])
    exact = wanted / unit if leg is Leg.NDX else wanted / (ratio * unit)
    units = round(exact)
    worth = unit if leg is Leg.NDX else ratio * unit
    return Cover(
        k=k,
        leg=leg,
        lines=ticket_lines(choice, leg, abs(units), price, day, Side.BUY if units > 0 else Side.SELL),
        rut_usd=held[Leg.RUT] / MICRO,
        ndx_usd=held[Leg.NDX] / MICRO,
        exact_units=float(exact),
        residual_usd=float((units * worth - wanted) / MICRO),
        half_unit_usd=float(worth / 2 / MICRO),
        unit_usd=unit / MICRO,
    )


def cover_text(found: Cover, holdings: Sequence[Holding]) -> str:
    """The hedge as plain text for a chat."""
    held = " ".join(
        f"{'−' if one.quantity < 0 else '+'}{abs(one.quantity):,} {short_name(one.what)}" for one in holdings
    )
    lines = [line_text(line) for line in found.lines] or ["nothing to trade: hedged within half a unit"]
    return "\n".join(
        (f"Hedge of {held}, k {found.k:.4g}", *lines, f"Residual {money.signed(found.residual_usd)} of NDX")
    )
