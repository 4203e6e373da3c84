"""What the release panel shows, and what it says the user did; see `states`."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.states import Choice, EvidenceChart, EvidenceTable, FieldState, Text


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the calendar: cells in words. `armable` where it lies ahead and the market reacts to it.

    `number` is that of an own event, 0 for any other; `title`, `day` and `clock` are then what was typed.
    """

    key: str
    cells: tuple[Text, ...]
    release: bool
    armable: bool
    armed: bool = False
    number: int = 0
    title: str = ""
    day: str = ""
    clock: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """Calendar, armed release, the board of one release, what was typed of it, and earlier reactions.

    `alarm` changes when a sound is due. `own_saved` changes when an own event was kept or forgotten. `fan` is the
    chart of earlier reactions, None where there are none.
    """

    facts: tuple[Text, ...]
    headers: tuple[str, ...]
    rows: tuple[EventRow, ...]
    chosen: str
    kinds: tuple[Choice, ...]
    is_armed: bool
    can_arm: bool
    title: Text
    board_facts: tuple[Text, ...]
    board: EvidenceTable | None
    figures: tuple[FieldState, ...]
    fan_facts: tuple[Text, ...]
    fan: EvidenceChart | None
    own_error: str = ""
    own_saved: int = 0
    sound: bool = False
    alarm: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ArmAsked:
    """Arm the event `key`, the next release where it is ""."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class DisarmAsked:
    """Arm nothing."""


@dataclass(frozen=True, slots=True)
class OwnTyped:
    """Keep an own event as typed; `number` 0 is a new one."""

    number: int
    title: str
    day: str
    clock: str


@dataclass(frozen=True, slots=True)
class OwnDropped:
    """Forget an own event."""

    number: int


@dataclass(frozen=True, slots=True)
class FigureTyped:
    """A figure of a release as typed; `key` is that of its field."""

    key: str
    text: str


ReleaseAsked = ArmAsked | DisarmAsked | OwnTyped | OwnDropped | FigureTyped
