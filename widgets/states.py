"""What each panel can show: frozen, comparable, free of Qt.

Presenters make these; panels draw them. Every number has become words here, with its unit. Equal state means
nothing to repaint, so everything compares by value, except `Curve`, which compares by identity: a presenter
hands over the same Curve object as long as its points are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Tone(StrEnum):
    """The one meaning a colour carries; a word, sign or shape always goes with it."""

    PLAIN = "plain"
    DIM = "dim"
    RUT = "rut"
    NDX = "ndx"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Text:
    """Words to show, their tone, and what hovering tells (source, age, or the reason of an "n/a")."""

    text: str
    tone: Tone = Tone.PLAIN
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A line: x in seconds since 1970 UTC (or as the panel says), y in the panel's unit; NaN in y is a hole."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """An area between two lines over the same x."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line. `key` names it in signals when it can be dragged."""

    key: str
    value: float
    label: str
    tone: Tone
    draggable: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at a moment (x in seconds since 1970 UTC)."""

    x: float
    label: str
    tone: Tone = Tone.WARN


@dataclass(frozen=True, slots=True, eq=False)
class Rails:
    """Dated events as thin vertical lines of a time axis, oldest first.

    `x` in seconds since 1970 UTC, one label each. `weight` says what stays where there is little room: the lower,
    the longer. A presenter hands over the same object as long as its rails are the same.
    """

    x: NDArray[np.float64]
    labels: tuple[str, ...]
    weight: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tag:
    """A price tag at the right edge, at the height of the last value."""

    value: float
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a row of buttons; `why` explains a disabled one."""

    key: str
    label: str
    chosen: bool = False
    enabled: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class HeaderState:
    """The four questions: ratio, gap today and its rank, regime, next release."""

    ratio: Text
    ratio_change: Text
    spread: Text
    spread_rank: Text
    regime: Text
    release: Text
    release_in: Text
    mode: Text | None
    """A pill when not live: "AS OF ...", "DEMO, simulated between published levels"."""
    refresh_label: str
    """Text under or on the refresh button: "Refresh F5", "08:30:07 ET"."""
    refreshing: bool
    refresh_note: str = ""
    spread_caption: str = "RUT − NDX today"
    """Over the gap; names the day where the gap is not today's."""


@dataclass(frozen=True, slots=True)
class RatioState:
    """The daily ratio and its levels. `message` replaces the chart when there is nothing to draw."""

    facts: tuple[Text, ...]
    curve: Curve | None
    averages: tuple[tuple[str, Curve], ...]
    """Labelled moving averages, drawn thin."""
    levels: tuple[Level, ...]
    marks: tuple[Mark, ...]
    last: Tag | None
    zone: str
    """IANA zone of the time axis: America/New_York."""
    message: str = ""
    dimmed: bool = False
    """True when the last value is not live (stale, as-of): drawn in the "not live" tone."""
    rails: Rails | None = None


@dataclass(frozen=True, slots=True)
class DivergenceState:
    """Moves of both legs and their spread through one session, in percent and percentage points."""

    references: tuple[Choice, ...]
    spread: Curve | None
    rut: Curve | None
    ndx: Curve | None
    bands: tuple[Band, ...]
    """Usual spread for the time of day, widest first: 2 sigma, then 1 sigma."""
    tags: tuple[Tag, ...]
    marks: tuple[Mark, ...]
    x_range: tuple[float, float] | None
    """What "reset" shows: the whole session, seconds since 1970 UTC."""
    facts: tuple[Text, ...]
    caption: Text
    """Driver and leg ages, as one line."""
    warnings: tuple[Text, ...]
    zone: str
    message: str = ""
    dimmed: bool = False
    rails: Rails | None = None


class Vote(StrEnum):
    """What a regime flag says."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VoteState:
    """One of the four votes of the regime."""

    label: str
    vote: Vote
    detail: str
    why: str = ""
    short: str = ""
    """The label where there is little room."""


@dataclass(frozen=True, slots=True)
class GaugeState:
    """Mean pairwise correlation as a dial, its history, and the regime's four votes."""

    value: float | None
    """Needle position as correlation, -0.2 .. 1; None draws no needle."""
    text: Text
    captions: tuple[Text, ...]
    zones: tuple[tuple[float, Tone], ...]
    """Upper bound of each arc and its tone, left to right; the last bound is 1."""
    regime: Text
    votes: tuple[VoteState, ...]
    flips: tuple[str, ...]
    realised: Curve | None
    """x in seconds since 1970 UTC, y correlation 0..1."""
    implied: Curve | None
    """Same axes: implied correlation / 100."""
    legend: tuple[Text, ...]
    message: str = ""
    rails: Rails | None = None


@dataclass(frozen=True, slots=True)
class FieldState:
    """One input of the sizer: what is typed, the unit, and what is wrong with it ("" when nothing is).

    `hint` is what holds while nothing is typed, as what the market gives: it stands in the empty field. A
    `typed` one overrides that; the text `untyped` gives it back. `origin` tells, under the field, where the value
    comes from and of when it is.
    """

    key: str
    label: str
    text: str
    unit: str
    error: str = ""
    help: str = ""
    page: str = "ticket"
    typed: bool = False
    untyped: str = ""
    origin: Text | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HedgeColumn:
    """One hedge of the three shown side by side; `rows` are label and value."""

    key: str
    label: str
    chosen: bool
    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class LegRow:
    """One line of the ticket; every cell is words."""

    side: Text
    contract: Text
    quantity: Text
    price: Text
    notional: Text
    one_percent: Text
    age: Text = Text("")
    """When the price was made and how old it is; or that it was typed, or is a close."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """P&L over moves of both legs: rows are NDX moves (top = highest), columns RUT moves, left = lowest."""

    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    cells: tuple[tuple[Text, ...], ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A file of orders, ready to be written: who reads it, what to call it, what stands in it."""

    key: str
    label: str
    file_name: str
    text: str


@dataclass(frozen=True, slots=True)
class OrdersState:
    """What can be taken away: text for a chat, and files of orders.

    Files are `refused` for a reason, or want a `confirm`ation that tells it; both "" where prices are live.
    """

    ticket: str
    offers: tuple[Offer, ...]
    refused: str = ""
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class SliderState:
    """One what-if slider, in percent."""

    key: str
    label: str
    value: float
    low: float
    high: float
    text: Text
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WhatIfState:
    """Moves of both legs, free or along a path of the ratio, and what they make of the position."""

    paths: tuple[Choice, ...]
    sliders: tuple[SliderState, ...]
    results: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class CoverState:
    """How many to hedge what is held: a row for each hedge. `message` replaces it where nothing is held."""

    facts: tuple[Text, ...] = ()
    table: EvidenceTable | None = None
    orders: OrdersState | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class SizerTables:
    """The position on the sizer's further pages; None where there is no position."""

    risk: EvidenceTable | None = None
    days: EvidenceTable | None = None
    falls: EvidenceTable | None = None
    falls_note: Text = Text("")
    costs: EvidenceTable | None = None


@dataclass(frozen=True, slots=True)
class SetupsState:
    """Named set-ups of the sizer; `current` was loaded or saved last, "" for none; `changed` since then."""

    names: tuple[str, ...] = ()
    current: str = ""
    changed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class SizerState:
    """The position sizer: inputs, three hedges, the ticket, the heat map, and what stands on its further pages."""

    fields: tuple[FieldState, ...]
    sizings: tuple[Choice, ...]
    """Size by: gross cap, volatility target, money at the stop."""
    instruments: tuple[Choice, ...]
    hedges: tuple[HedgeColumn, ...]
    legs: tuple[LegRow, ...]
    totals: tuple[Text, ...]
    outcomes: tuple[Text, ...]
    """At stop, at target, reward / risk."""
    heat: HeatMap | None
    message: str = ""
    notes: tuple[Text, ...] = ()
    standing: Text = Text("")
    """Beside the title: "not live", "old prices"; no words where every price is live."""
    orders: OrdersState | None = None
    tables: SizerTables = SizerTables()
    bases: EvidenceTable | None = None
    """What each hedge rests on: regression, window, error."""
    margins: tuple[Text, ...] = ()
    what_if: WhatIfState | None = None
    cover: CoverState = CoverState()
    setups: SetupsState = SetupsState()

    @property
    def ticket(self) -> str:
        """What "Copy ticket" puts on the clipboard, "" where there is nothing to trade."""
        return "" if self.orders is None else self.orders.ticket


@dataclass(frozen=True, slots=True)
class SetupAsked:
    """What to do with a set-up: `action` is load, save, rename (to `new`) or delete."""

    action: str
    name: str
    new: str = ""


@dataclass(frozen=True, slots=True)
class SourceDot:
    """One source in the status bar."""

    key: str
    label: str
    tone: Tone
    why: str
    name: str = ""
    """What is left of the label where there is little room."""


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One source in the health panel, every cell in words; the tone of `state` gives the mark its shape."""

    key: str
    name: str
    state: Text
    age: Text
    answered: Text
    next_try: Text
    requests: Text
    told: Text
    """What is or was wrong, and the cure; no words where nothing is to be told."""
    paused: bool = False
    needs_key: bool = False
    """It is off for want of a key: one is asked for in place of a test."""
    testable: bool = True


@dataclass(frozen=True, slots=True)
class HealthState:
    """Every source, and how they stand together."""

    rows: tuple[HealthRow, ...]
    summary: Text
    message: str = ""
    """Why there are no rows."""


@dataclass(frozen=True, slots=True)
class ProgressState:
    """Long work under way: what, how much (0..1, None when unknown)."""

    what: str
    share: float | None
    stoppable: bool = True


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """Transport of the demo session: where it stands, how fast it plays."""

    position: float
    """0..1 through the session."""
    clock: str
    speed: int
    paused: bool


@dataclass(frozen=True, slots=True)
class StatusState:
    """The status bar."""

    dots: tuple[SourceDot, ...]
    session: Text
    clock: str
    progress: ProgressState | None = None
    message: Text | None = None


@dataclass(frozen=True, slots=True)
class SizerForm:
    """What the user has typed and chosen in the sizer, as typed; the presenter parses it."""

    fields: tuple[tuple[str, str], ...]
    sizing: str
    hedge: str
    instrument: str
    path: str = "free"


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    FOR = "for"
    AGAINST = "against"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim of the idea: its verdict, its number with error and n, the date of it, where it would be given up.

    `kill` is what is typed as the level at which the claim is given up, "" for none; `kill_hint` names its unit
    and side ("above 10.20"); `killed` is True once that level was crossed.
    """

    key: str
    claim: str
    verdict: Verdict
    value: Text
    when: Text
    kill: str = ""
    kill_hint: str = ""
    kill_error: str = ""
    killed: bool = False
    short: str = ""
    """The claim where there is little room."""


@dataclass(frozen=True, slots=True)
class ThesisState:
    """All claims; `news` is what changed since the user last looked, newest first; `summary` counts verdicts."""

    rows: tuple[ClaimRow, ...]
    summary: Text
    news: tuple[Text, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """A small table: every cell is words, the first column names the row."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceLine:
    """One line of an evidence chart; `step` draws it as steps, `dots` as points without a line."""

    name: str
    curve: Curve
    tone: Tone = Tone.PLAIN
    faint: bool = False
    step: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceBars:
    """Bars side by side in groups: one name and tone a series, one value a group (NaN draws none)."""

    groups: tuple[str, ...]
    series: tuple[tuple[str, Tone, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceChart:
    """A chart of one claim: lines over time (`zone` set: x in seconds since 1970 UTC) or over numbers, or bars.

    `x_words` names positions on an axis of numbers ((1, "Jan"), ...); `levels` are dashed horizontal lines.
    Bands come widest first; `band_names` names them in that order ("90 % of placebo days"), "" stays unnamed.
    """

    unit: str
    lines: tuple[EvidenceLine, ...] = ()
    bands: tuple[Band, ...] = ()
    bars: EvidenceBars | None = None
    levels: tuple[Level, ...] = ()
    zone: str = ""
    x_label: str = ""
    x_words: tuple[tuple[float, str], ...] = ()
    band_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceInput:
    """One figure that the user types, and the field of its day; a `wide` one takes a line of its own."""

    value: FieldState
    dated: FieldState
    wide: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """What stands behind one claim: facts, the chart or table a sceptic asks for, source, and a caution.

    `inputs` are the figures it rests on that are typed in; `choices` a rule that can be chosen, `choices_key` and
    `choices_label` name it.
    """

    key: str
    title: str
    verdict: Verdict
    facts: tuple[Text, ...]
    chart: EvidenceChart | None
    table: EvidenceTable | None
    caution: Text
    source: Text
    inputs: tuple[EvidenceInput, ...] = ()
    choices: tuple[Choice, ...] = ()
    choices_key: str = ""
    choices_label: str = ""


@dataclass(frozen=True, slots=True)
class InputTyped:
    """What was typed into a field of the evidence, or chosen there, by the key of the field."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class KillTyped:
    """The level at which the user gives up a claim, as typed."""

    key: str
    text: str
