"""Pair trades as they were filled: exact decimals, profit and loss by leg, what is left of the hedge.

Money is what the fills say: a leg has made its signed cash flow plus what it holds at the mark, so nothing rests
on an order of averaging. Realised is told by average cost; the rest is unrealised. Only what was typed is added
up, never floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeAlias

from desktop.market.instruments import INSTRUMENTS, Leg
from desktop.market.known import Unknown, UserError
from desktop.market.quotes import require_utc

ZERO = Decimal(0)
_MOST, _DIGITS = Decimal(10) ** 9, 6
"""Bounds of a figure and of its digits behind the point: sums of products stay within a decimal's 28 digits."""


class FillError(UserError):
    """A line that is no fill; carries the line and what is wrong with it."""

    def __init__(self, line: str, why: str) -> None:
        super().__init__(f"{line!r}: {why}; write e.g. BUY 19 M2K @ 2133.30 fee 11.78, or CARRY -12.50 borrow")
        self.line, self.why = line, why


class FillKind(StrEnum):
    """What a fill did to the trade."""

    OPEN = "open"
    SCALE = "scale"
    ROLL = "roll"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `quantity` signed (bought +), `price` per point or share, `fee_usd` what it cost (>= 0)."""

    symbol: str
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    at: datetime
    kind: FillKind = FillKind.OPEN

    def __post_init__(self) -> None:
        """Refuse what cannot have been traded."""
        line = f"{self.quantity} {self.symbol} @ {self.price}"
        if self.symbol not in TRADED:
            raise FillError(line, f"{self.symbol} is not traded here: {', '.join(TRADED)}")
        if self.quantity == 0 or self.quantity != self.quantity.to_integral_value():
            raise FillError(line, "the quantity is a whole number other than 0")
        _sane(line, "the quantity", self.quantity)
        _sane(line, "the price", self.price, above_zero=True)
        _sane(line, "the fee", self.fee_usd)
        if self.fee_usd < 0:
            raise FillError(line, "a fee is not negative")
        object.__setattr__(self, "at", require_utc("journal", "at", self.at))

    @property
    def leg(self) -> Leg:
        """The side of the pair it belongs to."""
        return TRADED[self.symbol][0]

    @property
    def multiplier_usd(self) -> Decimal:
        """Dollars per point, 1 for a share."""
        return TRADED[self.symbol][1]

    @property
    def cash_usd(self) -> Decimal:
        """What it paid (+) or cost (-), without the fee."""
        return -self.quantity * self.price * self.multiplier_usd


@dataclass(frozen=True, slots=True)
class Carry:
    """Money that the position paid (+) or cost (-) while it was held: dividends, borrow, interest."""

    amount_usd: Decimal
    what: str
    at: datetime

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        _sane(f"CARRY {self.amount_usd}", "the amount", self.amount_usd)
        object.__setattr__(self, "at", require_utc("journal", "at", self.at))


def _traded() -> Mapping[str, tuple[Leg, Decimal]]:
    names = ("IWM", "QQQ", "RTY=F", "NQ=F", "M2K=F", "MNQ=F")
    found = {}
    for name in names:
        one = INSTRUMENTS[name]
        assert one.leg is not None
        found[one.root or one.symbol] = one.leg, Decimal(str(one.multiplier_usd))
    return found


TRADED: Mapping[str, tuple[Leg, Decimal]] = _traded()
"""Leg and dollars per point of what a trade may be made of: shares by ticker, futures by root."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One pair trade, in one of its versions.

    `stop` and `target` are NDX/RUT ratios, `entry_ratio` that of the moment it was opened; None where not given.
    `picture` names the file of the window at entry. `void` marks one that was taken back.
    """

    number: int
    version: int
    note: str
    fills: tuple[Fill, ...]
    carries: tuple[Carry, ...] = ()
    entry_ratio: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    picture: str = ""
    void: bool = False

    def __post_init__(self) -> None:
        """Refuse levels that are no ratios: NaN would be shown as a figure, or stop every frame."""
        for name, value in (("ratio at entry", self.entry_ratio), ("stop", self.stop), ("target", self.target)):
            if value is not None and not (value.is_finite() and value > 0):
                raise LevelError(name, str(value))

    @property
    def opened_at(self) -> datetime:
        """Time of the first fill."""
        return min(one.at for one in self.fills)

    @property
    def direction(self) -> int:
        """1 for long RUT / short NDX, the trade of the idea, -1 for the opposite: by its first fill."""
        first = min(self.fills, key=lambda one: one.at)
        bought = 1 if first.quantity > 0 else -1
        return bought if first.leg is Leg.RUT else -bought

    @property
    def held(self) -> Mapping[str, Decimal]:
        """What is held by symbol, signed; nothing of what is flat."""
        quantities: dict[str, Decimal] = {}
        for one in self.fills:
            quantities[one.symbol] = quantities.get(one.symbol, ZERO) + one.quantity
        return {symbol: quantity for symbol, quantity in quantities.items() if quantity}

    @property
    def closed_at(self) -> datetime | None:
        """Time of the last fill of one that holds nothing any more, None while it is open."""
        return None if self.held else max(one.at for one in self.fills)


Money: TypeAlias = Decimal | Unknown


@dataclass(frozen=True, slots=True)
class Result:
    """Profit and loss in dollars: legs before costs, carry, costs (>= 0), and the sum of it all.

    `total_usd` = `rut_usd` + `ndx_usd` + `carry_usd` - `costs_usd`, exactly. `realised_usd` is of both legs by
    average cost. What lacks a mark is Unknown.
    """

    rut_usd: Money
    ndx_usd: Money
    carry_usd: Decimal
    costs_usd: Decimal
    total_usd: Money
    realised_usd: Decimal


def result(trade: Trade, marks: Mapping[str, Decimal]) -> Result:
    """What a trade has made at `marks` (price by symbol); marks of what is flat are not needed."""
    carry = sum((one.amount_usd for one in trade.carries), ZERO)
    costs = sum((one.fee_usd for one in trade.fills), ZERO)
    rut, ndx = (_leg(trade, leg, marks) for leg in (Leg.RUT, Leg.NDX))
    total: Money
    if isinstance(rut, Unknown) or isinstance(ndx, Unknown):
        total = rut if isinstance(rut, Unknown) else ndx
    else:
        total = rut + ndx + carry - costs
    return Result(rut, ndx, carry, costs, total, sum((_realised(trade, symbol) for symbol in TRADED), ZERO))


def _leg(trade: Trade, leg: Leg, marks: Mapping[str, Decimal]) -> Money:
    made = sum((one.cash_usd for one in trade.fills if one.leg is leg), ZERO)
    for symbol, quantity in trade.held.items():
        of, multiplier = TRADED[symbol]
        if of is not leg:
            continue
        if symbol not in marks:
            return Unknown(f"no price of {symbol}")
        made += quantity * marks[symbol] * multiplier
    return made


def _realised(trade: Trade, symbol: str) -> Decimal:
    """What closing fills of a symbol made against the average price of what was held."""
    held = cost = made = ZERO
    for one in sorted((one for one in trade.fills if one.symbol == symbol), key=lambda one: one.at):
        if held * one.quantity >= 0:
            held, cost = held + one.quantity, cost + one.quantity * one.price
            continue
        closing = min(abs(one.quantity), abs(held)) * (1 if one.quantity > 0 else -1)
        average = cost / held
        made += -closing * (one.price - average) * one.multiplier_usd
        rest = one.quantity - closing
        held, cost = held + closing, cost + closing * average
        if rest:
            held, cost = rest, rest * one.price
    return made


def ratio_points(trade: Trade, ratio_now: Decimal) -> Money:
    """How far NDX/RUT went the trade's way since it was opened: a long RUT / short NDX gains when it falls."""
    if trade.entry_ratio is None:
        return Unknown("no ratio at entry was typed")
    return trade.direction * (trade.entry_ratio - ratio_now)


@dataclass(frozen=True, slots=True)
class Drift:
    """What is left of the hedge: `residual_usd` = beta L - S, dollars of NDX the position is still long.

    `rebalance` is the order that would cure it, signed units of `symbol`; 0 where less than half a unit is off.
    `symbol` is "" where nothing of the NDX leg is held: what is left is known, the unit to cure it with is not.
    """

    residual_usd: Decimal
    symbol: str
    rebalance: int


def drift(trade: Trade, marks: Mapping[str, Decimal], beta: Decimal) -> Drift | Unknown:
    """Dollars of NDX the position is still long at `beta` (RUT on NDX), and the NDX units that cure it."""
    held = trade.held
    missing = [symbol for symbol in held if symbol not in marks]
    if missing:
        return Unknown(f"no price of {missing[0]}")
    worth = {symbol: quantity * marks[symbol] * TRADED[symbol][1] for symbol, quantity in held.items()}
    rut = sum((usd for symbol, usd in worth.items() if TRADED[symbol][0] is Leg.RUT), ZERO)
    ndx = sum((usd for symbol, usd in worth.items() if TRADED[symbol][0] is Leg.NDX), ZERO)
    residual = beta * rut + ndx
    units = [symbol for symbol in held if TRADED[symbol][0] is Leg.NDX]
    if not units:
        return Drift(residual, "", 0)
    finest = min(units, key=lambda symbol: marks[symbol] * TRADED[symbol][1])
    unit = marks[finest] * TRADED[finest][1]
    return Drift(residual, finest, int((-residual / unit).to_integral_value(rounding="ROUND_HALF_EVEN")))


@dataclass(frozen=True, slots=True)
class Record:
    """What closed trades made: `n` of them, the curve of their sum by closing time (UTC), wins and losses.

    A trade that made exactly nothing counts as neither.
    """

    n: int
    curve: tuple[tuple[datetime, Decimal], ...]
    hit_rate: Decimal | Unknown
    average_win_usd: Money
    average_loss_usd: Money


def record(trades: Iterable[Trade]) -> Record:
    """Sum up the trades that are closed and not void."""
    rows = [(one.closed_at, result(one, {}).total_usd) for one in trades if not one.void]
    made = sorted((at, total) for at, total in rows if at is not None and isinstance(total, Decimal))
    curve, sum_usd = [], ZERO
    for at, total in made:
        sum_usd += total
        curve.append((at, sum_usd))
    wins, losses = [t for _, t in made if t > 0], [t for _, t in made if t < 0]
    none = Unknown("no trade is closed yet")
    return Record(
        len(made),
        tuple(curve),
        Decimal(len(wins)) / len(made) if made else none,
        sum(wins, ZERO) / len(wins) if wins else Unknown("no winning trade yet"),
        sum(losses, ZERO) / len(losses) if losses else Unknown("no losing trade yet"),
    )


# Typed fills

_FILL = re.compile(
    r"(?P<side>buy|sell)\s+(?P<quantity>[\d,]+)\s+(?P<symbol>\w+)\s*(?:@|at)\s*(?P<price>[\d.,]+)"
    r"(?:\s+fee\s+(?P<fee>[\d.,]+))?(?:\s+on\s+(?P<at>\S+))?(?:\s+(?P<kind>open|scale|roll|close))?",
    re.IGNORECASE,
)
_CARRY = re.compile(
    r"carry\s+(?P<amount>[-+−]?[\d.,]+)(?:\s+on\s+(?P<at>\S+))?(?:\s+(?P<what>.*))?", re.IGNORECASE
)


def read_lines(text: str, now: datetime, kind: FillKind) -> tuple[tuple[Fill, ...], tuple[Carry, ...]]:
    """Read fills and carry as typed, one a line; without a time they are of `now`, without a word of `kind`.

    Raises
    ------
    FillError
        For the first line that is neither, or of a time that has not been yet.
    """
    fills, carries = [], []
    for line in filter(None, map(str.strip, text.splitlines())):
        if found := _FILL.fullmatch(line):
            sign = 1 if found["side"].lower() == "buy" else -1
            fills.append(
                Fill(
                    found["symbol"].upper(),
                    sign * _number(line, found["quantity"]),
                    _number(line, found["price"]),
                    _number(line, found["fee"] or "0"),
                    _time(line, found["at"], now),
                    kind if found["kind"] is None else FillKind(found["kind"].lower()),
                )
            )
        elif found := _CARRY.fullmatch(line):
            amount = _number(line, found["amount"].replace("−", "-"))
            carries.append(Carry(amount, (found["what"] or "carry").strip(), _time(line, found["at"], now)))
        else:
            raise FillError(line, "is neither a fill nor carry")
    return tuple(fills), tuple(carries)


def line_of(one: Fill | Carry) -> str:
    """The line that reads as this fill or carry."""
    at = one.at.isoformat()
    if isinstance(one, Carry):
        return f"CARRY {one.amount_usd} on {at} {one.what}"
    side = "BUY" if one.quantity > 0 else "SELL"
    return f"{side} {abs(one.quantity)} {one.symbol} @ {one.price} fee {one.fee_usd} on {at} {one.kind.value}"


def _number(line: str, text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise FillError(line, f"{text} is no number") from None


def _time(line: str, text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise FillError(line, f"{text} is no ISO time") from None
    if at.tzinfo is None:
        raise FillError(line, f"{text} has no zone: write 2024-07-11T10:30-04:00")
    if at > now:
        raise FillError(line, f"{text} lies ahead")
    return at.astimezone(UTC)


def _sane(line: str, what: str, value: Decimal, *, above_zero: bool = False) -> None:
    if not value.is_finite() or abs(value) >= _MOST:
        raise FillError(line, f"{what} {value} is no amount")
    if above_zero and value <= 0:
        raise FillError(line, f"{what} must be above 0")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DIGITS:
        raise FillError(line, f"{what} has more than {_DIGITS} digits behind the point")


def closing_lines(trade: Trade, prices: Mapping[str, Decimal]) -> Sequence[str]:
    """Lines that would close what is held, at `prices` where there are some."""
    return [
        f"{'SELL' if quantity > 0 else 'BUY'} {abs(quantity)} {symbol} @ {prices.get(symbol, '')} fee 0"
        for symbol, quantity in trade.held.items()
    ]


class LevelError(UserError):
    """A stop or target that is no ratio; carries what was typed."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name} {text!r}: needs a ratio above 0 such as 10.1, or nothing")
        self.name, self.text = name, text


def read_level(name: str, text: str) -> Decimal | None:
    """Read a stop or target; None where nothing is typed, LevelError where it is no ratio."""
    text = text.strip().replace(",", "")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise LevelError(name, text) from None
    if not value.is_finite() or not 0 < value < 1000:
        raise LevelError(name, text)
    return value
