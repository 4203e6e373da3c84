"""What the journal's form asks for, carried out: a trade made, added to, changed, taken back; CSV out and in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from desktop.journal_book import Journal, TradeChangedError
from desktop.market.instruments import Leg
from desktop.market.known import UserError
from desktop.trade.journal import (
    ZERO,
    Fill,
    FillError,
    FillKind,
    Trade,
    contract_name,
    line_of,
    read_level,
    read_lines,
)
from widgets.states_journal import JournalFile, TradeTyped

_KINDS = {"new": FillKind.OPEN, "close": FillKind.CLOSE}
_LARGEST = 20_000_000


def enter(journal: Journal, typed: TradeTyped, now: datetime, picture: str = "") -> str:
    """Write what was typed; returns what to tell.

    Raises
    ------
    UserError
        By name: a line that is no fill, a level that is no ratio, a trade that another window changed.
    """
    if typed.action == "new":
        made = journal.add(replace(read(typed, None, now), picture=picture), now)
        return f"trade {made.number} entered"
    trade = journal.trade(typed.number)
    if trade.version != typed.version:
        raise TradeChangedError(trade.number, trade.version)
    if trade.void and typed.action != "restore":
        raise UserError(f"trade {trade.number} was taken back: Put back, on the page Taken back, comes first")
    changed = journal.change(read(typed, trade, now), now)
    match typed.action:
        case "edit":
            return f"trade {trade.number} changed, version {trade.version} is kept"
        case "void":
            return f"trade {trade.number} taken back, its record is kept"
        case "restore":
            return f"trade {trade.number} put back"
        case _:
            return f"trade {trade.number}: {'added' if changed.held or not trade.held else 'closed'}"


def read(typed: TradeTyped, trade: Trade | None, now: datetime) -> Trade:
    """The trade as it would be with what was typed; `trade` is what it is now, None for a new one.

    Raises
    ------
    UserError
        By name: a line that is no fill, a level that is no ratio, a pair with one leg, more closed than is held.
    """
    if trade is not None and typed.action in ("void", "restore"):
        return replace(trade, void=typed.action == "void")
    kind = _KINDS.get(typed.action, FillKind.SCALE)
    fills, carries = read_lines(typed.lines, now, kind)
    if trade is not None and typed.action in ("fills", "close"):
        if not fills and not carries:
            raise UserError("no line yet: write a fill or carry")
        fills = tuple(_in_the_month_held(one, trade) for one in fills)
        changed = replace(trade, fills=(*trade.fills, *fills), carries=(*trade.carries, *carries))
        if typed.action == "close":
            _refuse_to_turn(trade, changed)
        return changed
    if not fills:
        raise UserError("no fill yet: write one a line")
    if typed.action == "new" and {one.leg for one in fills} != set(Leg):
        raise UserError("a pair trade needs a fill in each leg")
    return replace(
        trade or Trade(0, 1, "", fills),
        note=typed.note,
        fills=fills,
        carries=carries,
        entry_ratio=read_level("ratio at entry", typed.entry),
        stop=read_level("stop", typed.stop),
        target=read_level("target", typed.target),
        entry_beta=read_level("beta at entry", typed.beta),
    )


def _in_the_month_held(fill: Fill, trade: Trade) -> Fill:
    """A line without a month is of the one that is held; which one has to be told where that is not plain."""
    held = {
        of[0].month: trade.held[name]
        for name, of in trade.by_contract.items()
        if name in trade.held and of[0].symbol == fill.symbol
    }
    if fill.month is not None or not held:
        return fill
    if len(held) > 1:
        names = " and ".join(sorted(contract_name(fill.symbol, month) for month in held))
        raise FillError(line_of(fill), f"{names} are held, tell the month")
    ((month, quantity),) = held.items()
    if month is not None and fill.kind is FillKind.ROLL and fill.quantity * quantity > 0:
        raise FillError(line_of(fill), "a roll tells the month it goes into")
    return replace(fill, month=month)


def _refuse_to_turn(before: Trade, after: Trade) -> None:
    was = before.held
    for contract, quantity in after.held.items():
        if was.get(contract, ZERO) * quantity <= 0:
            held = f"{was[contract]:+f}" if contract in was else "nothing"
            raise UserError(
                f"{contract}: {held} is held, this would leave {quantity:+f}; Add fills takes it as it is"
            )


def carry_file(journal: Journal, asked: JournalFile, now: datetime) -> str:
    """Write the journal to a file, whole or not at all, or add the trades of one; returns what to tell."""
    path = Path(asked.path)
    if asked.action == "export":
        draft = path.with_name(path.name + ".new")
        draft.write_text(journal.export(), encoding="utf-8", newline="")
        draft.replace(path)
        return f"journal written to {path}"
    if path.stat().st_size > _LARGEST:
        raise UserError(f"{path}: too large to be a journal; nothing was imported")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no text ({error}); nothing was imported") from error
    added, known = journal.take(text, now)
    left_out = f", {known} left out that the journal holds already" if known else ""
    return f"{added} trade{'' if added == 1 else 's'} added from {path}{left_out}"
