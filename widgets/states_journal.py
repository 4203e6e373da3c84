"""What the journal can show, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.states import EvidenceChart, EvidenceTable, Text


@dataclass(frozen=True, slots=True)
class TradeRow:
    """One trade behind a row: its number and version, and what stands in the form that changes it.

    `closing` are the lines that would close it at the prices shown, "" where nothing is held.
    """

    number: int
    version: int
    title: str
    note: str
    stop: str
    target: str
    closing: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class JournalState:
    """Open trades with what they make now, closed ones with what they made, and the record of those.

    `standing` says of what the prices are, no words where all are live. `refused` says why nothing may be entered,
    "" where it may. `ticket` are the lines of a new trade as the sizer has it.
    """

    open: EvidenceTable
    open_trades: tuple[TradeRow, ...]
    closed: EvidenceTable
    closed_trades: tuple[TradeRow, ...]
    record: tuple[Text, ...]
    curve: EvidenceChart | None
    standing: Text
    refused: str = ""
    ticket: str = ""
    ratio: str = ""
    """The ratio to stand in a new form: that of now, "" where it is not live."""


@dataclass(frozen=True, slots=True)
class TradeTyped:
    """What the user entered: `action` is new, fills, levels or void; figures as typed.

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


@dataclass(frozen=True, slots=True)
class VersionsAsked:
    """Show every version of a trade."""

    number: int


@dataclass(frozen=True, slots=True)
class JournalFile:
    """Write the journal to a file, or read one; `action` is export or import."""

    action: str
    path: str
