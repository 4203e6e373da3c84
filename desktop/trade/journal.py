"""Pair trades as they were filled: exact decimals, profit and loss by leg, what is left of the hedge.

Money is what the fills say: a leg has made its signed cash flow plus what it holds at the mark, so nothing rests
on an order of averaging. Realised is told by average cost; the rest is unrealised. Only what was typed is added
up, never floats.

What is held is named as in a line: IWM, M2K, or M2K Sep24 where every fill of the symbol tells its month.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from desktop.market.instruments import INSTRUMENTS, QUARTERLY_MONTHS, Leg
from desktop.market.known import Unknown, UserError
from desktop.market.quotes import require_utc

ZERO = Decimal(0)
_MOST, _DIGITS = Decimal(10) ** 9, 6
"""Bounds of a figure and of its digits behind the point: sums of products stay within a decimal's 28 digits."""
_FAR = Decimal("0.1")
"""A fill further than this share from the price of the moment is told of, not refused: few sessions move so
far, and a slipped point or two swapped digits often do."""


class FillError(UserError):
    """A line that is no fill; carries the line and what is wrong with it."""

    def __init__(self, line: str, why: str) -> None:
        super().__init__(
            f"{line!r}: {why}; write e.g. BUY 19 M2K Sep24 @ 2133.30 fee 11.78, or CARRY -12.50 borrow"
        )
        self.line, self.why = line, why


class FillKind(StrEnum):
    """What a fill did to the trade."""

    OPEN = "open"
    SCALE = "scale"
    ROLL = "roll"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `quantity` signed (bought +), `price` per point or share, `fee_usd` what it cost (>= 0).

    `month` is the first day of the contract's month, None for a share or where it was not told.
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    at: datetime
    kind: FillKind = FillKind.OPEN
    month: date | None = None

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
        if self.month is not None and self.symbol in _SHARES:
            raise FillError(line, f"{self.symbol} is a share and has no contract month")
        if self.month is not None and (self.month.month not in QUARTERLY_MONTHS or self.month.day != 1):
            raise FillError(line, f"{self.symbol} is traded for March, June, September and December")
        object.__setattr__(self, "quantity", Decimal(int(self.quantity)))  # 10, where a file says 10.0 or 1E+1
        object.__setattr__(self, "at", require_utc("journal", "at", self.at))

    @property
    def leg(self) -> Leg:
        """The side of the pair it belongs to."""
        return TRADED[self.symbol][0]

    @property
    def contract(self) -> str:
        """What was traded, as a line names it: IWM, M2K, M2K Sep24."""
        return contract_name(self.symbol, self.month)

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
        """Refuse what is no amount; what it was for fits a line."""
        _sane(f"CARRY {self.amount_usd}", "the amount", self.amount_usd)
        object.__setattr__(self, "what", " ".join(self.what.split()) or "carry")
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
_SHARES = frozenset({"IWM", "QQQ"})


def contract_name(symbol: str, month: date | None) -> str:
    """What is traded, as a line names it."""
    return symbol if month is None else f"{symbol} {month:%b%y}"


def symbol_of(contract: str) -> str:
    """The symbol of a contract as a line names it."""
    return contract.partition(" ")[0]


@dataclass(frozen=True)
class Trade:
    """One pair trade, in one of its versions; without slots, as what follows from the fills is worked out once.

    `stop` and `target` are NDX/RUT ratios, `entry_ratio` and `entry_beta` (RUT on NDX) those of the moment it was
    opened; None where not given. `picture` names the file of the window at entry. `void` marks one that was taken
    back.
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
    entry_beta: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse levels that are no ratios: NaN would be shown as a figure, or stop every frame."""
        for name, value in (
            ("ratio at entry", self.entry_ratio),
            ("stop", self.stop),
            ("target", self.target),
            ("beta at entry", self.entry_beta),
        ):
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

    @cached_property
    def by_contract(self) -> Mapping[str, tuple[Fill, ...]]:
        """Fills by what they traded; a fill without a month leaves all of its symbol one contract."""
        blurred = {one.symbol for one in self.fills if one.month is None}
        found: dict[str, tuple[Fill, ...]] = {}
        for one in self.fills:
            name = one.symbol if one.symbol in blurred else one.contract
            found[name] = (*found.get(name, ()), one)
        return found

    @cached_property
    def held(self) -> Mapping[str, Decimal]:
        """What is held by contract, signed; nothing of what is flat."""
        sums = {name: sum((one.quantity for one in fills), ZERO) for name, fills in self.by_contract.items()}
        return {name: quantity for name, quantity in sums.items() if quantity}

    @property
    def closed_at(self) -> datetime | None:
        """Time of the last fill of one that holds nothing any more, None while it is open."""
        return None if self.held else max(one.at for one in self.fills)


Money: TypeAlias = Decimal | Unknown


@dataclass(frozen=True, slots=True)
class Quoted:
    """Price of a symbol, and the contract month the price is of; None for a share, or where that is not known."""

    price: Decimal
    month: date | None = None


def marks_for(trade: Trade, quoted: Mapping[str, Quoted]) -> Mapping[str, Money]:
    """Price of each contract that is held, from quotes by symbol.

    A quote is of one month. Another month is marked at it plus what the trade itself paid for the roll between the
    two, and is Unknown where it made no such roll: months are tens of points apart.
    """
    marks: dict[str, Money] = {}
    for name, fills in trade.by_contract.items():
        symbol, month, quote = fills[0].symbol, fills[0].month, quoted.get(symbol_of(name))
        if quote is None:
            marks[name] = Unknown(f"no price of {name}")
        elif name == symbol or month == quote.month or month is None or quote.month is None:
            marks[name] = quote.price
        else:
            spread = _roll_spread(trade, symbol, quote.month, month)
            told = f"no price of {name}: the quote is of {quote.month:%b%y}, and no roll between them was noted"
            marks[name] = Unknown(told) if spread is None else quote.price + spread
    return marks


def _roll_spread(trade: Trade, symbol: str, near: date, far: date) -> Decimal | None:
    """Price of `far` less that of `near` at the latest roll between them."""
    rolls = sorted(
        (one for one in trade.fills if one.symbol == symbol and one.kind is FillKind.ROLL), key=lambda one: one.at
    )
    last = {one.month: one.price for one in rolls}
    return last[far] - last[near] if near in last and far in last else None


@dataclass(frozen=True, slots=True)
class Result:
    """Profit and loss in dollars: legs before costs, carry, costs (>= 0), and the sum of it all.

    `total_usd` = `rut_usd` + `ndx_usd` + `carry_usd` - `costs_usd`, exactly. `roll_costs_usd` is the part of the
    costs that rolls took. `realised_usd` is of both legs by average cost. What lacks a mark is Unknown.
    """

    rut_usd: Money
    ndx_usd: Money
    carry_usd: Decimal
    costs_usd: Decimal
    total_usd: Money
    realised_usd: Decimal
    roll_costs_usd: Decimal


def result(trade: Trade, marks: Mapping[str, Money]) -> Result:
    """What a trade has made at `marks` (price by contract held); marks of what is flat are not needed."""
    carry = sum((one.amount_usd for one in trade.carries), ZERO)
    costs = sum((one.fee_usd for one in trade.fills), ZERO)
    rolls = sum((one.fee_usd for one in trade.fills if one.kind is FillKind.ROLL), ZERO)
    rut, ndx = (_leg(trade, leg, marks) for leg in (Leg.RUT, Leg.NDX))
    total: Money
    if isinstance(rut, Unknown) or isinstance(ndx, Unknown):
        total = rut if isinstance(rut, Unknown) else ndx
    else:
        total = rut + ndx + carry - costs
    realised = sum((_realised(fills) for fills in trade.by_contract.values()), ZERO)
    return Result(rut, ndx, carry, costs, total, realised, rolls)


def _leg(trade: Trade, leg: Leg, marks: Mapping[str, Money]) -> Money:
    made = sum((one.cash_usd for one in trade.fills if one.leg is leg), ZERO)
    for contract, quantity in trade.held.items():
        of, multiplier = TRADED[symbol_of(contract)]
        if of is not leg:
            continue
        mark = _mark(contract, marks)
        if isinstance(mark, Unknown):
            return mark
        made += quantity * mark * multiplier
    return made


def _mark(contract: str, marks: Mapping[str, Money]) -> Money:
    return marks.get(contract, Unknown(f"no price of {contract}"))


def _realised(fills: Sequence[Fill]) -> Decimal:
    """What closing fills of one contract made against the average price of what was held."""
    held = cost = made = ZERO
    for one in sorted(fills, key=lambda one: one.at):
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

    `rebalance` is the order that would cure it, signed units of `contract`; 0 where less than half a unit is off.
    `contract` is "" where nothing of the NDX leg is held: what is left is known, the unit to cure it with is not.
    `since_entry_usd` is how much of it came about since the trade was entered: by prices, by fills, and by the
    move of beta from that of the entry; Unknown where that beta was not kept.
    """

    residual_usd: Decimal
    contract: str
    rebalance: int
    since_entry_usd: Money


def drift(trade: Trade, marks: Mapping[str, Money], beta: Decimal) -> Drift | Unknown:
    """Dollars of NDX the position is still long at `beta` (RUT on NDX), and the NDX units that cure it."""
    held, worth = trade.held, {}
    for contract, quantity in held.items():
        mark = _mark(contract, marks)
        if isinstance(mark, Unknown):
            return mark
        worth[contract] = quantity * mark * TRADED[symbol_of(contract)][1]
    residual = _residual(worth, beta)
    at_entry = _residual_at_entry(trade)
    since = at_entry if isinstance(at_entry, Unknown) else residual - at_entry
    units = [one for one in held if TRADED[symbol_of(one)][0] is Leg.NDX]
    if not units:
        return Drift(residual, "", 0, since)
    finest = min(units, key=lambda one: abs(worth[one] / held[one]))
    unit = abs(worth[finest] / held[finest])
    return Drift(residual, finest, int((-residual / unit).to_integral_value(rounding="ROUND_HALF_EVEN")), since)


def _residual(worth_usd: Mapping[str, Decimal], beta: Decimal) -> Decimal:
    """Beta times what the RUT leg is worth, plus what the NDX leg is, both signed and by contract."""
    rut, ndx = (
        sum((usd for contract, usd in worth_usd.items() if TRADED[symbol_of(contract)][0] is leg), ZERO)
        for leg in (Leg.RUT, Leg.NDX)
    )
    return beta * rut + ndx


def _residual_at_entry(trade: Trade) -> Money:
    """What the opening fills left of the hedge, at their own prices and the beta kept with them."""
    if trade.entry_beta is None:
        return Unknown("no beta at entry was kept")
    worth: dict[str, Decimal] = {}
    for one in trade.fills:
        if one.kind is FillKind.OPEN:
            worth[one.symbol] = worth.get(one.symbol, ZERO) - one.cash_usd
    return _residual(worth, trade.entry_beta) if worth else Unknown("no fill is noted as an opening one")


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

_AT = r"(?:\s+on\s+(?P<at>\d{4}-\d\d-\d\d\s+\d\d:\S+|\S+))?"
_FILL = re.compile(
    r"(?P<side>buy|sell)\s+(?P<quantity>[\d,]+)\s+(?P<symbol>\w+)(?:\s+(?P<month>[a-z]{3}\s?\d\d))?"
    r"\s*(?:@|\bat\b)\s*(?P<price>[\d.,]+)"
    rf"(?:\s+fee\s+(?P<fee>[\d.,]+))?{_AT}(?:\s+(?P<kind>open|scale|roll|close))?",
    re.IGNORECASE,
)
_CARRY = re.compile(rf"carry\s+(?P<amount>[-+−]?[\d.,]+){_AT}(?:\s+(?P<what>.*))?", re.IGNORECASE)
_AT_THE_END = re.compile(r"\s+on\s+(?P<at>\d{4}-\d\d-\d\d.*)", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")


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
                    _month(line, found["month"]),
                )
            )
        elif found := _CARRY.fullmatch(line):
            amount = _number(line, found["amount"].replace("−", "-"))
            at, what = found["at"], found["what"] or ""
            if at is None and (late := _AT_THE_END.search(what)):
                at, what = late["at"], what[: late.start()]
            carries.append(Carry(amount, what, _time(line, at, now)))
        else:
            raise FillError(line, "is neither a fill nor carry")
    return tuple(fills), tuple(carries)


def line_of(one: Fill | Carry) -> str:
    """The line that reads as this fill or carry."""
    at = one.at.isoformat()
    if isinstance(one, Carry):
        return f"CARRY {one.amount_usd:f} on {at} {one.what}"
    side = "BUY" if one.quantity > 0 else "SELL"
    what = f"{side} {abs(one.quantity)} {one.contract} @ {one.price:f}"
    return f"{what} fee {one.fee_usd:f} on {at} {one.kind.value}"


def _number(line: str, text: str) -> Decimal:
    if "," in text and not _GROUPED.fullmatch(text):
        raise FillError(line, f"{text}: a comma parts thousands, decimals stand behind a point")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise FillError(line, f"{text} is no number") from None


def _month(line: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text.replace(" ", ""), "%b%y").replace(tzinfo=UTC).date()
    except ValueError:
        raise FillError(line, f"{text} is no contract month such as Sep24") from None


def _time(line: str, text: str | None, now: datetime) -> datetime:
    if text is None:
        return now.replace(microsecond=0)
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


def closing_lines(trade: Trade, prices: Mapping[str, Money]) -> Sequence[str]:
    """Lines that would close what is held, at `prices` by contract where there are some."""
    lines = []
    for contract, quantity in trade.held.items():
        price = _mark(contract, prices)
        told = "" if isinstance(price, Unknown) else price
        lines.append(f"{'SELL' if quantity > 0 else 'BUY'} {abs(quantity)} {contract} @ {told} fee 0")
    return lines


def doubts(before: Trade | None, after: Trade, prices: Mapping[str, Decimal]) -> tuple[str, ...]:
    """What may be meant, and is more often a slip; each in one line.

    A new fill far from the price of its symbol in `prices`, a leg that is turned round by more closing than was
    held, months that count as one because a line tells none, and a stop or target on the wrong side of the entry.
    """
    known = () if before is None else before.fills
    found = [
        f"{one.contract} @ {one.price:f} is far from {prices[one.symbol]:f}"
        for one in after.fills
        if one not in known
        and one.symbol in prices
        and abs(one.price - prices[one.symbol]) > _FAR * prices[one.symbol]
    ]
    was = {} if before is None else before.held
    for contract, quantity in after.held.items():
        if was.get(contract, ZERO) * quantity < 0:
            found.append(f"{contract}: {was[contract]:+f} becomes {quantity:+f}, more is closed than was held")
    for contract, fills in after.by_contract.items():
        if len({one.month for one in fills}) > 1:
            found.append(f"{contract}: one line tells no month, all months of it count as one")
    if after.entry_ratio is not None:
        for name, level, side in (("stop", after.stop, 1), ("target", after.target, -1)):
            if level is not None and (level - after.entry_ratio) * side * after.direction <= 0:
                where = "above" if side * after.direction > 0 else "below"
                found.append(f"the {name} {level:f} is not {where} the entry {after.entry_ratio:f}")
    return tuple(found)


def prices_in(text: str, now: datetime) -> Mapping[str, Decimal]:
    """Prices by symbol that stand in lines; those without one are left out."""
    found = {}
    for line in text.splitlines():
        with suppress(FillError):
            found.update({one.symbol: one.price for one in read_lines(line, now, FillKind.OPEN)[0]})
    return found


def reached(trade: Trade, ratio: Decimal) -> str:
    """Which level NDX/RUT has reached at `ratio`: stop, target, or "" for neither."""
    for name, level, side in (("stop", trade.stop, 1), ("target", trade.target, -1)):
        if level is not None and (ratio - level) * side * trade.direction >= 0:
            return name
    return ""


class LevelError(UserError):
    """A stop or target that is no ratio; carries what was typed."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name} {text!r}: needs a ratio above 0 such as 10.1, or nothing")
        self.name, self.text = name, text


def read_level(name: str, text: str) -> Decimal | None:
    """Read a stop or target; None where nothing is typed, LevelError where it is no ratio: 9,58 is none."""
    text = text.strip()
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise LevelError(name, text) from None
    if not value.is_finite() or not 0 < value < 1000:
        raise LevelError(name, text)
    return value
