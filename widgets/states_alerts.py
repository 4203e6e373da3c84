"""What the alerts panel can show, and what it says the user did: frozen, comparable, free of Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from widgets.states import Choice, FieldState, Text


class Act(StrEnum):
    """What can be done with a rule, or with an entry of the log."""

    DELETE = "delete"
    SNOOZE = "snooze"
    WAKE = "wake"
    ON = "on"
    OFF = "off"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class RuleAct:
    """Do this with the rule (or entry of the log) `key`; a snooze lasts `minutes`, 0 until the next open.

    SEEN with key 0 means every entry.
    """

    act: Act
    key: int
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class RuleForm:
    """A rule as typed and chosen; `key` is 0 for a new one. An empty `band` takes the suggested one."""

    key: int = 0
    subject: str = "ratio"
    param: str = ""
    condition: str = ""
    level: str = ""
    target: str = ""
    band: str = ""
    every: bool = True
    sound: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: what it says, what its value is now, how it stands, and when it would have fired before.

    `form` is what the editor opens with. The tone of `state` gives the mark its shape.
    """

    key: int
    title: str
    value: Text
    state: Text
    history: Text
    form: RuleForm
    enabled: bool = True
    snoozed: bool = False


@dataclass(frozen=True, slots=True)
class LogRow:
    """One firing: when, what, and with value, data age and source."""

    key: int
    when: Text
    title: Text
    detail: Text
    seen: bool


@dataclass(frozen=True, slots=True)
class EditorState:
    """The rule being typed: choices, fields with what is wrong in place, its value now, its history.

    A row of choices with fewer than two is not shown; a field that does not apply is None.
    """

    form: RuleForm
    subjects: tuple[Choice, ...]
    params: tuple[Choice, ...]
    conditions: tuple[Choice, ...]
    targets: tuple[Choice, ...]
    level: FieldState | None
    band: FieldState | None
    now: Text
    history: Text
    dates: Text
    can_save: bool
    band_hint: str = ""
    """What an empty hysteresis stands for."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something fired just now. `number` rises: a window shows what is above the last it has shown."""

    number: int
    title: str
    text: str
    sound: bool


_NOTHING = Text("")


@dataclass(frozen=True, slots=True)
class AlertsState:
    """Every rule, the log, the rule being typed, and what fired in this run."""

    rows: tuple[RuleRow, ...] = ()
    log: tuple[LogRow, ...] = ()
    summary: Text = _NOTHING
    editor: EditorState | None = None
    notices: tuple[Notice, ...] = ()
    unseen: int = 0
    message: str = ""
    """Why there are no rules."""
