"""The journal: open trades at the prices of the moment, closed ones, and their record, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from desktop.market.instruments import INSTRUMENTS, front_contract, rolled_out_of
from desktop.market.known import Unknown
from desktop.market.sessions import trading_day
from desktop.presenters.sizer_form import Price, PriceKind, market_price
from desktop.presenters.words import NOT_KNOWN, day, for_or_against, moment_et, plain, signed
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.trade.journal import (
    TRADED,
    ZERO,
    Money,
    Quoted,
    Result,
    Trade,
    closing_lines,
    drift,
    line_of,
    marks_for,
    ratio_points,
    reached,
    record,
    result,
    symbol_of,
)
from widgets.states import Curve, EvidenceChart, EvidenceLine, EvidenceTable, LegRow, Text, Tone
from widgets.states_journal import JournalState, TradeRow, TradeTyped

_MADE = ("RUT leg $", "NDX leg $", "Carry $", "Costs $")
_OPEN = ("Trade", "P&L $", "Ratio pts", "Stop", "Target", "Residual β $", "Holds", *_MADE, "Opened")
_CLOSED = ("Trade", "P&L $", "Closed", *_MADE, "Opened")
_VOID = ("Trade", "Opened", "Version")
_NOTE_SHOWN = 22
"""Letters of a note that a row shows; the note is whole on hover."""
PAST = "the journal is read-only while a past moment is shown: Ctrl+Shift+T goes back to now"
_SYMBOLS = {one.root or one.symbol: one for one in INSTRUMENTS.values() if (one.root or one.symbol) in TRADED}


@dataclass(frozen=True, slots=True)
class Kept:
    """The journal as it is kept: `wrong` says why it cannot be read, `told` what has to be known of its file."""

    trades: Sequence[Trade] = ()
    wrong: str = ""
    told: str = ""


def marks_of(
    trades: Sequence[Trade], snapshot: Snapshot, fresh_s: float
) -> tuple[Mapping[int, Mapping[str, Money]], Mapping[str, Price]]:
    """Marks of every open trade by its number and contract, and the prices they rest on by symbol.

    An index level is no mark: a future is worth what the future trades at.
    """
    held = {symbol_of(contract) for one in trades for contract in one.held}
    prices = {symbol: market_price(snapshot, _SYMBOLS[symbol], fresh_s) for symbol in sorted(held)}
    quoted = {
        symbol: Quoted(Decimal(str(round(one.value, 6))), _month(symbol, snapshot.moment))
        for symbol, one in prices.items()
        if one.value is not None and one.kind is not PriceKind.INDEX
    }
    return {one.number: marks_for(one, quoted) for one in trades if one.held}, prices


def _month(symbol: str, moment: datetime) -> date | None:
    """Month that the quote of a future is of at a moment; None for a share, and in the week of the roll.

    In that week it may be of either month: each is marked at it, and no price counts as live.
    """
    root, today = _SYMBOLS[symbol].root, trading_day(moment)
    if not root or rolled_out_of(root, today) is not None:
        return None
    return front_contract(root, today).month


class JournalPresenter:
    """Makes the journal's state; the same object as long as trades, prices and mode are the same."""

    def __init__(self) -> None:
        self._made: tuple[object, JournalState] | None = None
        self._sorted: _Sorted | None = None

    def present(
        self, kept: Kept, snapshot: Snapshot, settings: Settings, ticket: Sequence[LegRow]
    ) -> JournalState:
        """Build the state; `ticket` are the sizer's lines, from which a new trade is entered."""
        trades = tuple(kept.trades)
        if self._sorted is None or self._sorted.trades != trades:
            self._sorted = _sorted(trades)
        opened = self._sorted.opened
        marks, prices = marks_of(opened, snapshot, settings.order_age_s)
        young = frozenset(symbol for symbol, one in prices.items() if _is_young(one, settings.order_age_s))
        now = _Now(marks, beta_of(snapshot), _ratio(snapshot), _standing(prices, snapshot), young)
        form = _new_form(now, snapshot, ticket, settings.order_age_s)
        refused = kept.wrong or (PAST if snapshot.mode is Mode.AS_OF else "")
        key = (trades, now, form, refused, kept.told)
        if self._made is None or self._made[0] != key:
            made = [result(one, marks[one.number]) for one in opened]
            rows = tuple(_open_row(one, each, now) for one, each in zip(opened, made, strict=True))
            self._made = (
                key,
                replace(
                    self._sorted.without_prices,
                    open=EvidenceTable(_OPEN, rows),
                    open_trades=tuple(_open_trade(one, row, now) for one, row in zip(opened, rows, strict=True)),
                    standing=now.standing if opened else Text(""),
                    new=form,
                    total=_total([each.total_usd for each in made], now),
                    refused=refused,
                    told=kept.told,
                ),
            )
        return self._made[1]


@dataclass(frozen=True, slots=True)
class _Now:
    """What trades are valued at: marks by trade and contract, beta of RUT on NDX, NDX/RUT, and its standing.

    `young` are the symbols of a price that may stand in a form as if it had been filled.
    """

    marks: Mapping[int, Mapping[str, Money]]
    beta: Decimal | Unknown
    ratio: Decimal | Unknown
    standing: Text
    young: frozenset[str]

    @property
    def old(self) -> bool:
        return bool(self.standing.text)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Trades with those open among them, and the state as far as it hangs on no price: years of closed trades."""

    trades: tuple[Trade, ...]
    opened: tuple[Trade, ...]
    without_prices: JournalState


def _sorted(trades: tuple[Trade, ...]) -> _Sorted:
    made = [one for one in trades if not one.void]
    void = [one for one in trades if one.void]
    closed = sorted((one for one in made if not one.held), key=lambda one: one.closed_at or one.opened_at)[::-1]
    summed = record(made)
    state = JournalState(
        EvidenceTable(_OPEN, ()),
        (),
        EvidenceTable(_CLOSED, tuple(_closed_row(one) for one in closed)),
        tuple(_row(one, ()) for one in closed),
        EvidenceTable(_VOID, tuple((_named(one), _opened(one), Text(str(one.version))) for one in void)),
        tuple(_row(one, ()) for one in void),
        _record_words(summed.n, summed.hit_rate, summed.average_win_usd, summed.average_loss_usd),
        _curve(summed.curve),
        standing=Text(""),
        new=TradeTyped("new"),
        total=Text(""),
    )
    return _Sorted(trades, tuple(one for one in made if one.held), state)


def _open_trade(one: Trade, row: tuple[Text, ...], now: _Now) -> TradeRow:
    """What closes an open trade; a price that is not young is left to be typed, and looked at beside it."""
    marks = now.marks[one.number]
    young = {contract: mark for contract, mark in marks.items() if symbol_of(contract) in now.young}
    prices = {symbol_of(contract): mark for contract, mark in marks.items() if isinstance(mark, Decimal)}
    return replace(_row(one, _facts(row)), closing="\n".join(closing_lines(one, young)), prices=prices)


def _row(one: Trade, facts: tuple[Text, ...]) -> TradeRow:
    figures = (one.stop, one.target, one.entry_ratio, one.entry_beta)
    stop, target, entry, beta = ("" if value is None else f"{value:f}" for value in figures)
    lines = "\n".join((*map(line_of, one.fills), *map(line_of, one.carries)))
    form = TradeTyped("edit", one.number, one.version, lines, one.note, stop, target, entry, beta)
    return TradeRow(f"{one.number} {_on_a_line(one.note)}".strip(), form, "", one.void, facts)


def _on_a_line(note: str) -> str:
    return " ".join(note.split())


def _named(one: Trade) -> Text:
    """Number and the first words of the note, which may be a whole thesis: the result stands beside it."""
    note = _on_a_line(one.note)
    short = note if len(note) <= _NOTE_SHOWN else f"{note[: _NOTE_SHOWN - 1].rstrip()}…"
    return Text(f"{one.number} {short}".strip(), why=one.note)


def _opened(one: Trade) -> Text:
    return Text(day(trading_day(one.opened_at)), why=moment_et(one.opened_at))


def _holds(one: Trade) -> str:
    return ", ".join(
        f"{'+' if quantity > 0 else '−'}{abs(quantity):f} {contract}" for contract, quantity in one.held.items()
    )


def _open_row(one: Trade, made: Result, now: _Now) -> tuple[Text, ...]:
    return (
        _named(one),
        _money(made.total_usd, old=now.old, why=f"of it realised {_usd(made.realised_usd)} (average cost)"),
        _points(one, now),
        *(_level(one, name, now) for name in ("stop", "target")),
        _residual(one, now),
        Text(_holds(one)),
        *_made(made, old=now.old),
        _opened(one),
    )


def _facts(row: tuple[Text, ...]) -> tuple[Text, ...]:
    """What stands below the table of an open trade: cells of its row by name, and the cure of its residual."""
    cells = dict(zip(_OPEN, row, strict=True))
    residual = cells["Residual β $"]
    names = ("RUT leg", "NDX leg", "carry", "costs")
    return (
        cells["Holds"],
        *(replace(cells[of], text=f"{name} {cells[of].text}") for name, of in zip(names, _MADE, strict=True)),
        replace(residual, text=f"residual β {residual.text}"),
        *(Text(line, Tone.DIM) for line in residual.why.split("\n")),
    )


def _total(totals: Sequence[Money], now: _Now) -> Text:
    """What all open trades make together; nothing where that is one, whose row tells it."""
    if len(totals) < 2:
        return Text("")
    known = [one for one in totals if isinstance(one, Decimal)]
    missing = next((one for one in totals if isinstance(one, Unknown)), None)
    summed = _money(missing or sum(known, ZERO), old=now.old)
    return replace(summed, text=f"{len(totals)} open: {summed.text} $")


def _closed_row(one: Trade) -> tuple[Text, ...]:
    made, at = result(one, {}), one.closed_at or one.opened_at
    return (
        _named(one),
        _money(made.total_usd, old=False),
        Text(day(trading_day(at)), why=moment_et(at)),
        *_made(made, old=False),
        _opened(one),
    )


def _made(made: Result, *, old: bool) -> tuple[Text, ...]:
    rolls = f"of it for rolls {_usd(-made.roll_costs_usd)}" if made.roll_costs_usd else ""
    return (
        _money(made.rut_usd, old=old),
        _money(made.ndx_usd, old=old),
        _money(made.carry_usd, old=False),
        Text(_usd(-made.costs_usd), why=rolls),
    )


def _points(one: Trade, now: _Now) -> Text:
    points = now.ratio if isinstance(now.ratio, Unknown) else ratio_points(one, now.ratio)
    if isinstance(points, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, points.reason)
    tone = Tone.PAST if now.old else for_or_against(float(points))
    return Text(signed(float(points), 3), tone, "how far NDX/RUT went the trade's way since entry")


def _level(one: Trade, name: str, now: _Now) -> Text:
    """Stop or target with how far NDX/RUT has to go; loud once it is reached."""
    level = one.stop if name == "stop" else one.target
    if level is None:
        return Text(NOT_KNOWN, Tone.DIM, f"no {name} was typed")
    if isinstance(now.ratio, Unknown):
        return Text(f"{level:f}", Tone.PLAIN, now.ratio.reason)
    if reached(one, now.ratio) == name:
        tone = Tone.PAST if now.old else Tone.BAD if name == "stop" else Tone.GOOD
        return Text(f"{level:f} reached", tone, f"NDX/RUT is {now.ratio:f}")
    return Text(f"{level:f}", Tone.PLAIN, f"NDX/RUT is {now.ratio:f}, {signed(float(level - now.ratio), 3)} to go")


def _residual(one: Trade, now: _Now) -> Text:
    left = now.beta if isinstance(now.beta, Unknown) else drift(one, now.marks[one.number], now.beta)
    if isinstance(left, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, left.reason)
    if not left.contract:
        cure = "nothing of the NDX leg is held: the RUT leg is not hedged"
    elif not left.rebalance:
        cure = "hedged to half a unit"
    else:
        verb = "buy" if left.rebalance > 0 else "sell"
        cure = f"{verb} {abs(left.rebalance)} {left.contract} to be beta-neutral again"
    since = left.since_entry_usd
    drifted = since.reason if isinstance(since, Unknown) else f"since entry {_usd(since)} $"
    beta = f"; β {one.entry_beta:f} then, {now.beta:f} now" if one.entry_beta is not None else f"; β {now.beta:f}"
    return Text(_usd(left.residual_usd), Tone.PAST if now.old else Tone.PLAIN, f"{cure}\n{drifted}{beta}")


def _money(value: Money, *, old: bool, why: str = "") -> Text:
    if isinstance(value, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, value.reason)
    tone = Tone.PAST if old else for_or_against(float(value)) if value else Tone.PLAIN
    return Text(_usd(value), tone, why)


def _usd(value: Decimal) -> str:
    return "0.00" if value == 0 else signed(float(value), 2)


def _record_words(n: int, hit: Decimal | Unknown, win: Money, loss: Money) -> tuple[Text, ...]:
    if isinstance(hit, Unknown):
        return (Text("no trade closed yet", Tone.DIM, hit.reason),)
    told = [
        Text(f"n {n}"),
        Text(f"hit rate {plain(100 * float(hit), 0)} %", why="share of closed trades that won"),
    ]
    for name, value in (("average win", win), ("average loss", loss)):
        if isinstance(value, Unknown):
            told.append(Text(f"{name} {NOT_KNOWN}", Tone.DIM, value.reason))
        else:
            told.append(Text(f"{name} {_usd(value)} $"))
    return tuple(told)


def _curve(rows: Sequence[tuple[datetime, Decimal]]) -> EvidenceChart | None:
    if len(rows) < 2:
        return None
    curve = Curve(
        np.array([at.timestamp() for at, _ in rows]),
        np.array([float(total) for _, total in rows], dtype=np.float64),
    )
    line = EvidenceLine("sum of closed trades", curve, step=True)
    return EvidenceChart("$", (line,), zone="America/New_York")


def _standing(prices: Mapping[str, Price], snapshot: Snapshot) -> Text:
    if snapshot.mode is Mode.AS_OF:
        return Text("not live: as of then", Tone.PAST, "What had been filled by then, at the prices of then.")
    if snapshot.mode is Mode.DEMO:
        return Text("demo: a journal of its own", Tone.PAST, "Kept until the demo is left; prices are simulated.")
    late = [f"{symbol}: {one.origin}" for symbol, one in prices.items() if not one.live]
    return Text("prices not live", Tone.WARN, "\n".join(late)) if late else Text("")


def beta_of(snapshot: Snapshot) -> Decimal | Unknown:
    """Slope of RUT on NDX over the window of the hedges, to four places."""
    risk = snapshot.history.risk
    return risk if isinstance(risk, Unknown) else Decimal(str(round(risk.beta, 4)))


def _ratio(snapshot: Snapshot) -> Decimal | Unknown:
    stats = snapshot.ratio
    return stats if isinstance(stats, Unknown) else Decimal(str(round(stats.value, 4)))


def _new_form(now: _Now, snapshot: Snapshot, ticket: Sequence[LegRow], fresh_s: float) -> TradeTyped:
    is_now = snapshot.live and snapshot.mode is not Mode.AS_OF
    entry, beta = ("" if isinstance(one, Unknown) or not is_now else f"{one:f}" for one in (now.ratio, now.beta))
    return TradeTyped("new", lines=_ticket_lines(ticket, snapshot, fresh_s), entry=entry, beta=beta)


def _ticket_lines(legs: Sequence[LegRow], snapshot: Snapshot, fresh_s: float) -> str:
    """The sizer's lines as the journal reads them. A price that is not young is left to be typed."""
    lines = []
    for one in legs:
        symbol, *month = one.contract.text.split()
        quantity = one.quantity.text.lstrip("+−-").replace(",", "")
        price = market_price(snapshot, _SYMBOLS[symbol], fresh_s) if symbol in _SYMBOLS else None
        filled = one.price.text.replace(",", "") if price is not None and _is_young(price, fresh_s) else ""
        lines.append(f"{one.side.text} {quantity} {' '.join((symbol, ''.join(month))).strip()} @ {filled} fee 0")
    return "\n".join(lines)


def _is_young(price: Price, fresh_s: float) -> bool:
    return price.stamp.age_s is not None and price.stamp.age_s <= fresh_s


def version_lines(versions: Sequence[tuple[datetime, Trade]]) -> list[str]:
    """Every version of a trade as lines of text, the latest first."""
    lines = []
    for at, one in reversed(versions):
        ratios = (("entry", one.entry_ratio), ("stop", one.stop), ("target", one.target), ("β", one.entry_beta))
        told = [f"{name} {value:f}" for name, value in ratios if value is not None]
        state = ", taken back" if one.void else ""
        lines.append(
            f"version {one.version}, written {moment_et(at)}{state}: {', '.join((one.note or 'no note', *told))}"
        )
        lines += [f"    {line_of(each)}" for each in one.fills]
        lines += [f"    {line_of(each)}" for each in one.carries]
        if one.picture:
            lines.append(f"    picture at entry: snapshots/{one.picture}")
    return lines
