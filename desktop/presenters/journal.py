"""The journal: open trades at the prices of the moment, closed ones, and their record, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from desktop.market.instruments import INSTRUMENTS
from desktop.market.known import Unknown
from desktop.market.sessions import trading_day
from desktop.presenters.sizer_form import Price, PriceKind, market_price
from desktop.presenters.words import NOT_KNOWN, day, for_or_against, moment_et, plain, signed
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.trade.journal import (
    TRADED,
    Money,
    Trade,
    closing_lines,
    drift,
    line_of,
    ratio_points,
    record,
    result,
)
from widgets.states import Curve, EvidenceChart, EvidenceLine, EvidenceTable, LegRow, Text, Tone
from widgets.states_journal import JournalState, TradeRow

_MADE = ("RUT leg $", "NDX leg $", "Carry $", "Costs $")
_OPEN = ("Trade", "P&L $", "Holds", *_MADE, "Ratio pts", "Residual β $", "Opened")
_CLOSED = ("Trade", "P&L $", "Closed", *_MADE, "Opened")
PAST = "the journal is read-only while a past moment is shown: Ctrl+Shift+T goes back to now"
_SYMBOLS = {one.root or one.symbol: one for one in INSTRUMENTS.values() if (one.root or one.symbol) in TRADED}
_CONTRACT_MONTH = re.compile(r" \w{3} \d\d$")


def as_known(trades: Sequence[Trade], moment: datetime) -> list[Trade]:
    """Trades with what had been filled by a moment; those not yet opened are left out."""
    known = []
    for one in trades:
        fills = tuple(fill for fill in one.fills if fill.at <= moment)
        if fills:
            carries = tuple(carry for carry in one.carries if carry.at <= moment)
            known.append(replace(one, fills=fills, carries=carries))
    return known


def marks_of(trades: Sequence[Trade], snapshot: Snapshot, fresh_s: float) -> dict[str, Price]:
    """Prices of everything held, by symbol as the journal has it."""
    held = {symbol for one in trades for symbol in one.held}
    return {symbol: market_price(snapshot, _SYMBOLS[symbol], fresh_s) for symbol in sorted(held)}


def decimals(prices: Mapping[str, Price]) -> dict[str, Decimal]:
    """What prices are as decimals, to the sixth place; those that are not known are left out.

    An index level is no mark: a future is worth what the future trades at.
    """
    return {
        symbol: Decimal(str(round(one.value, 6)))
        for symbol, one in prices.items()
        if one.value is not None and one.kind is not PriceKind.INDEX
    }


class JournalPresenter:
    """Makes the journal's state; the same object as long as trades, prices and mode are the same."""

    def __init__(self) -> None:
        self._made: tuple[object, JournalState] | None = None

    def present(
        self,
        trades: Sequence[Trade],
        snapshot: Snapshot,
        settings: Settings,
        ticket: Sequence[LegRow],
        *,
        wrong: str = "",
    ) -> JournalState:
        """Build the state; `ticket` are the sizer's lines, from which a new trade is entered.

        `wrong` says why the journal cannot be read, "" where it can.
        """
        past = snapshot.mode is Mode.AS_OF
        known = as_known(trades, snapshot.moment) if past else list(trades)
        prices = marks_of(known, snapshot, settings.order_age_s)
        marks = decimals(prices)
        beta, ratio = beta_of(snapshot), _ratio(snapshot)
        standing = _standing(prices, snapshot)
        lines = _ticket_lines(ticket, snapshot, settings.order_age_s)
        is_now = snapshot.live and not past
        ratio_now = "" if isinstance(ratio, Unknown) or not is_now else f"{ratio:f}"
        key = (tuple(known), tuple(marks.items()), beta, ratio, standing, snapshot.mode, lines, wrong, ratio_now)
        if self._made is None or self._made[0] != key:
            self._made = (
                key,
                _state(
                    known, marks, beta, ratio, standing, lines, ratio_now, refused=wrong or (PAST if past else "")
                ),
            )
        return self._made[1]


def _state(
    trades: Sequence[Trade],
    marks: Mapping[str, Decimal],
    beta: Decimal | Unknown,
    ratio: Decimal | Unknown,
    standing: Text,
    ticket: str,
    ratio_now: str,
    *,
    refused: str,
) -> JournalState:
    opened = [one for one in trades if one.held]
    closed = sorted((one for one in trades if not one.held), key=lambda one: one.closed_at or one.opened_at)[::-1]
    old = bool(standing.text)
    made = record(trades)
    return JournalState(
        EvidenceTable(_OPEN, tuple(_open_row(one, marks, beta, ratio, old=old) for one in opened)),
        tuple(_row(one, marks) for one in opened),
        EvidenceTable(_CLOSED, tuple(_closed_row(one) for one in closed)),
        tuple(_row(one, marks) for one in closed),
        _record_words(made.n, made.hit_rate, made.average_win_usd, made.average_loss_usd),
        _curve(made.curve),
        standing if opened else Text(""),
        refused,
        ticket,
        ratio_now,
    )


def _row(one: Trade, marks: Mapping[str, Decimal]) -> TradeRow:
    ratios = (one.stop, one.target, one.entry_ratio)
    stop, target, entry = ("" if value is None else f"{value:f}" for value in ratios)
    return TradeRow(
        one.number, one.version, _title(one), one.note, stop, target, "\n".join(closing_lines(one, marks)), entry
    )


def _title(one: Trade) -> str:
    return f"{one.number} {one.note}".strip()


def _holds(one: Trade) -> str:
    return ", ".join(
        f"{'+' if quantity > 0 else '−'}{abs(quantity):f} {symbol}" for symbol, quantity in one.held.items()
    )


def _open_row(
    one: Trade, marks: Mapping[str, Decimal], beta: Decimal | Unknown, ratio: Decimal | Unknown, *, old: bool
) -> tuple[Text, ...]:
    made = result(one, marks)
    left = beta if isinstance(beta, Unknown) else drift(one, marks, beta)
    residual = Text(NOT_KNOWN, Tone.DIM, left.reason) if isinstance(left, Unknown) else Text(
        _usd(left.residual_usd),
        Tone.PLAIN,
        "nothing of the NDX leg is held: the RUT leg is not hedged" if not left.symbol else
        "hedged to half a unit" if not left.rebalance else
        f"{'buy' if left.rebalance > 0 else 'sell'} {abs(left.rebalance)} {left.symbol} to be beta-neutral again",
    )  # fmt: skip
    points = ratio if isinstance(ratio, Unknown) else ratio_points(one, ratio)
    return (
        Text(_title(one), why=one.note),
        _money(made.total_usd, old=old, why=f"of it realised {_usd(made.realised_usd)} (average cost)"),
        Text(_holds(one)),
        _money(made.rut_usd, old=old),
        _money(made.ndx_usd, old=old),
        _money(made.carry_usd, old=False),
        Text(_usd(-made.costs_usd)),
        Text(NOT_KNOWN, Tone.DIM, points.reason)
        if isinstance(points, Unknown)
        else Text(signed(float(points), 3), Tone.PAST if old else for_or_against(float(points)),
                  "how far NDX/RUT went the trade's way since entry"),
        residual,
        Text(day(trading_day(one.opened_at)), why=moment_et(one.opened_at)),
    )  # fmt: skip


def _closed_row(one: Trade) -> tuple[Text, ...]:
    made, at = result(one, {}), one.closed_at or one.opened_at
    return (
        Text(_title(one), why=one.note),
        _money(made.total_usd, old=False),
        Text(day(trading_day(at)), why=moment_et(at)),
        _money(made.rut_usd, old=False),
        _money(made.ndx_usd, old=False),
        _money(made.carry_usd, old=False),
        Text(_usd(-made.costs_usd)),
        Text(day(trading_day(one.opened_at))),
    )


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


def _ticket_lines(legs: Sequence[LegRow], snapshot: Snapshot, fresh_s: float) -> str:
    """The sizer's lines as the journal reads them. A price that is not young is left to be typed."""
    lines = []
    for one in legs:
        symbol = _CONTRACT_MONTH.sub("", one.contract.text)
        quantity = one.quantity.text.lstrip("+−-").replace(",", "")
        price = market_price(snapshot, _SYMBOLS[symbol], fresh_s) if symbol in _SYMBOLS else None
        age_s = None if price is None else price.stamp.age_s
        young = age_s is not None and age_s <= fresh_s
        filled = one.price.text.replace(",", "") if young else ""
        lines.append(f"{one.side.text} {quantity} {symbol} @ {filled} fee 0")
    return "\n".join(lines)


def version_lines(versions: Sequence[tuple[datetime, Trade]]) -> list[str]:
    """Every version of a trade as lines of text, the latest first."""
    lines = []
    for at, one in reversed(versions):
        ratios = (("entry", one.entry_ratio), ("stop", one.stop), ("target", one.target))
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
