"""What the journal's form asks for, carried out: a trade made, added to, changed, taken back; CSV out and in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from desktop.journal_book import Journal, TradeChangedError
from desktop.market.instruments import Leg
from desktop.market.known import UserError
from desktop.trade.journal import FillKind, Trade, read_level, read_lines
from widgets.states_journal import JournalFile, TradeTyped

_KINDS = {"new": FillKind.OPEN, "fills": FillKind.SCALE, "close": FillKind.CLOSE}
_LARGEST = 20_000_000


def enter(journal: Journal, typed: TradeTyped, now: datetime, picture: str = "") -> str:
    """Write what was typed; returns what to tell.

    Raises
    ------
    UserError
        By name: a line that is no fill, a level that is no ratio, a trade that another window changed.
    """
    stop, target = read_level("stop", typed.stop), read_level("target", typed.target)
    entry = read_level("ratio at entry", typed.entry)
    fills, carries = read_lines(typed.lines, now, _KINDS.get(typed.action, FillKind.SCALE))
    if typed.action == "new":
        if not fills:
            raise UserError("not entered: a trade needs a fill")
        if {one.leg for one in fills} != set(Leg):
            raise UserError("not entered: a pair trade needs a fill in each leg")
        made = journal.add(Trade(0, 1, typed.note, fills, carries, entry, stop, target, picture), now)
        return f"trade {made.number} entered"
    trade = journal.trade(typed.number)
    if trade.version != typed.version:
        raise TradeChangedError(typed.number)
    match typed.action:
        case "levels":
            journal.change(replace(trade, note=typed.note, entry_ratio=entry, stop=stop, target=target), now)
            return f"trade {trade.number}: note and levels changed, the earlier ones are kept"
        case "void":
            journal.change(replace(trade, void=True), now)
            return f"trade {trade.number} taken back, its record is kept"
        case _:
            more = replace(trade, fills=(*trade.fills, *fills), carries=(*trade.carries, *carries))
            journal.change(more, now)
            return f"trade {trade.number}: {'added' if more.held else 'closed'}"


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
    added = journal.take(text, now)
    return f"{added} trade{'' if added == 1 else 's'} added from {path}"
