"""What the journal can show, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from widgets.states import EvidenceChart, EvidenceTable, Text


@dataclass(frozen=True, slots=True)
class TradeTyped:
    """What the user entered: `action` is new, fills, close, edit, void or restore; figures as typed.

    `number` and `version` name the trade that is changed, 0 for a new one.
    """

    action: str
    number: int = 0
    version: int = 0
    lines: str = ""
    note: str = ""
    stop: str = ""
    target: str = ""
    entry: str = ""
    beta: str = ""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """One trade behind a row; `form` is the trade as its form has it, every line of it.

    `closing` are the lines that would close it at the prices of the moment, "" where nothing is held; `prices` are
    by symbol what a typed one is looked at beside. A void one was taken back. `facts` are what is told below the
    table while the row is chosen.
    """

    title: str
    form: TradeTyped
    closing: str = ""
    void: bool = False
    facts: tuple[Text, ...] = ()
    prices: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalState:
    """Open trades with what they make now, closed ones with what they made and their record, those taken back.

    `total` is what all open trades make together. `standing` says of what the prices are, no words where all are
    live. `refused` says why nothing may be entered, "" where it may; `told` what has to be known of the file.
    `new` is the form of a new trade: the sizer's lines, and ratio and beta of now where they are live.
    """

    open: EvidenceTable
    open_trades: tuple[TradeRow, ...]
    closed: EvidenceTable
    closed_trades: tuple[TradeRow, ...]
    void: EvidenceTable
    void_trades: tuple[TradeRow, ...]
    record: tuple[Text, ...]
    curve: EvidenceChart | None
    standing: Text
    new: TradeTyped
    total: Text
    refused: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class VersionsAsked:
    """Show every version of a trade."""

    number: int


@dataclass(frozen=True, slots=True)
class JournalFile:
    """Write the journal to a file, or read one; `action` is export or import."""

    action: str
    path: str
