"""Alert rules: what is watched, when a rule fires, when it may fire again. Pure functions of values and times.

A rule that fired is armed again only once its value has left the band behind its level, so that a value which
trembles about the level is told once. What a reading says of itself decides first: a blocked reading (stale, late,
of an earlier moment) changes nothing at all, neither fires nor arms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite, isnan
from typing import NamedTuple

from desktop.market.known import Maybe, Unknown, UserError

LEAST_GAP = timedelta(seconds=60)
"""A rule does not fire twice within this, however often its value comes and goes."""
CLOCK_SLACK = timedelta(minutes=5)
"""A clock set back by more than this ends a snooze, which would otherwise last for as long as it was set back."""
_ROUNDING = 1 - 1e-9
"""From 10.0 to 10.1 is a change by 0.1, whatever the last bit says."""


class Subject(StrEnum):
    """What can be watched."""

    RATIO = "ratio"
    RATIO_Z = "ratio_z"
    DIVERGENCE = "divergence"
    DIVERGENCE_RANK = "divergence_rank"
    CORRELATION = "correlation"
    COR1M = "cor1m"
    VIX = "vix"
    REGIME = "regime"
    KILL = "kill"
    TWO_YEAR = "two_year"
    POLICY = "policy"
    PNL = "pnl"
    RESIDUAL_BETA = "residual_beta"
    FEED = "feed"
    RELEASE = "release"


class Condition(StrEnum):
    """When a rule fires. `CHANGES` is by an amount where the subject is a number, at all where it is a word."""

    ABOVE = "above"
    BELOW = "below"
    CROSSES = "crosses"
    CHANGES = "changes"
    BECOMES = "becomes"


class Repeat(StrEnum):
    """How often a rule fires."""

    ONCE = "once"
    EVERY = "every"


class Watch(NamedTuple):
    """A subject, and which of its kind: window of a z-score, source, kind of release; "" where one is all."""

    subject: Subject
    param: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What is declared about a subject.

    `unit` stands behind numbers, `band` is the hysteresis suggested, `low` and `high` bound a level. `params` are
    the choices of which of its kind, with their words; None where the choices are not fixed. `targets` are the
    words a state can become. `no_history` says why there is no daily history, "" where there is one.
    """

    label: str
    unit: str = ""
    digits: int = 0
    signed: bool = False
    band: float = 0.0
    low: float = -1e9
    high: float = 1e9
    params: tuple[tuple[str, str], ...] | None = (("", ""),)
    conditions: tuple[Condition, ...] = (Condition.ABOVE, Condition.BELOW, Condition.CROSSES, Condition.CHANGES)
    targets: tuple[tuple[str, str], ...] = ()
    no_history: str = ""

    @property
    def is_state(self) -> bool:
        """Whether values are words, not numbers."""
        return Condition.ABOVE not in self.conditions and Condition.BELOW not in self.conditions


_STATES = (Condition.BECOMES, Condition.CHANGES)
SUBJECTS: Mapping[Subject, About] = {
    Subject.RATIO: About("Ratio NDX / RUT", "", 3, band=0.02, low=0.01, high=1000),
    Subject.RATIO_Z: About(
        "Ratio z-score",
        "σ",
        2,
        signed=True,
        band=0.1,
        low=-20,
        high=20,
        params=(("252", "1 y"), ("63", "3 m"), ("756", "3 y"), ("1260", "5 y")),
    ),
    Subject.DIVERGENCE: About(
        "RUT − NDX",
        "pp",
        2,
        signed=True,
        band=0.2,
        low=-50,
        high=50,
        params=(("prior_close", "from close"), ("open", "from open"), ("release", "from release")),
    ),
    Subject.DIVERGENCE_RANK: About("Rank of the gap", "", 0, band=5, low=1, high=100_000),
    Subject.CORRELATION: About("Correlation 21 d", "", 3, band=0.01, low=-1, high=1),
    Subject.COR1M: About("COR1M", "points", 2, band=0.5, low=0, high=100),
    Subject.VIX: About("VIX close", "points", 2, band=0.5, low=0, high=200),
    Subject.REGIME: About(
        "Regime",
        conditions=_STATES,
        targets=(
            ("orderly", "orderly"),
            ("violent_rotation", "violent rotation"),
            ("risk_off", "risk-off"),
            ("de_grossing", "de-grossing"),
        ),
    ),
    Subject.KILL: About(
        "Kill levels", conditions=(Condition.CHANGES,), no_history="kill levels are watched from now on"
    ),
    Subject.TWO_YEAR: About("2-year move", "bp", 0, signed=True, band=1, low=-200, high=200),
    Subject.POLICY: About(
        "Fed path",
        "bp",
        0,
        signed=True,
        band=2,
        low=-1000,
        high=1000,
        params=(("3", "3 meetings"), ("1", "next meeting")),
        no_history="no daily history of the priced path is kept",
    ),
    Subject.PNL: About("Open P&L", "$", 0, signed=True, band=500, no_history="the journal tells earlier trades"),
    Subject.RESIDUAL_BETA: About(
        "Residual beta", "$", 0, signed=True, band=500, no_history="no daily history is kept"
    ),
    Subject.FEED: About(
        "Source",
        conditions=_STATES,
        params=None,
        targets=(("stale", "stale"), ("gap", "gap"), ("unavailable", "unavailable"), ("well", "well")),
        no_history="how sources stood is not kept",
    ),
    Subject.RELEASE: About(
        "Next release in",
        "min",
        0,
        band=0,
        low=0.1,
        high=100_000,
        params=(("", "any"), ("cpi", "CPI"), ("nfp", "jobs"), ("pce", "PCE"), ("ppi", "PPI"), ("fomc", "FOMC")),
        conditions=(Condition.BELOW,),
    ),
}
"""Every subject, in the order of the editor."""


class BadRuleError(UserError):
    """A rule that cannot be; carries the field at fault, what it holds, and why with the cure."""

    def __init__(self, field: str, value: object, why: str) -> None:
        super().__init__(f"alert rule: {field} = {value!r}: {why}")
        self.field, self.value, self.why = field, value, why


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `id` is 0 until it is kept.

    `level` is the threshold, or the amount of a change, in the unit of the subject; None for states. `target` is
    the word of BECOMES. `band` >= 0 is how far behind the level a value must go before the rule is armed again.
    A snooze runs from `snoozed_from` to `snoozed_until` (UTC).
    """

    watch: Watch
    condition: Condition
    level: float | None = None
    target: str = ""
    band: float = 0.0
    repeat: Repeat = Repeat.EVERY
    sound: bool = True
    enabled: bool = True
    snoozed_from: datetime | None = None
    snoozed_until: datetime | None = None
    note: str = ""
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse what could never fire, or not as it reads."""
        about = SUBJECTS[self.watch.subject]
        if about.params is not None and self.watch.param not in dict(about.params):
            raise BadRuleError("param", self.watch.param, f"must be one of {', '.join(dict(about.params))}")
        if about.params is None and not self.watch.param:
            raise BadRuleError("param", "", f"say which {about.label.lower()}")
        if self.condition not in about.conditions:
            raise BadRuleError(
                "condition", self.condition.value, f"must be one of {', '.join(about.conditions)} here"
            )
        if self.condition is Condition.BECOMES and self.target not in dict(about.targets):
            raise BadRuleError("target", self.target, f"must be one of {', '.join(dict(about.targets))}")
        if not about.is_state:
            self._check_numbers(about)

    def _check_numbers(self, about: About) -> None:
        level = self.level
        if level is None or not isfinite(level):
            raise BadRuleError("level", level, "must be a number")
        if self.condition is Condition.CHANGES and level <= 0:
            raise BadRuleError("level", level, "a change must be above 0")
        if self.condition is not Condition.CHANGES and not about.low <= level <= about.high:
            raise BadRuleError("level", level, f"must lie between {about.low:g} and {about.high:g}")
        if not isfinite(self.band) or self.band < 0:
            raise BadRuleError("band", self.band, "must be 0 or more")

    def snoozed(self, now: datetime) -> bool:
        """Whether it is silent at `now`. A clock that was set back never makes a snooze longer than it was."""
        if self.snoozed_from is None or self.snoozed_until is None:
            return False
        return self.snoozed_from - CLOCK_SLACK <= now < self.snoozed_until


@dataclass(frozen=True, slots=True)
class Reading:
    """What a subject reads now.

    `value` is a number, or the word of a state. `at` (UTC) is when its data are of, `age_s` how old they are now,
    `source` where they come from. `blocked` says why nothing may fire on it, "" when it may. `occasion` names what
    is told of (a day's close, one release): no rule fires twice on one occasion; "" for a value that moves freely.
    """

    value: float | str | Unknown
    at: datetime | None = None
    age_s: Maybe = 0.0
    source: str = ""
    blocked: str = ""
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of a rule: kept over restarts, and the same object as long as nothing happened.

    `side` is the side of the level last seen (-1, +1; 0 not yet), `seen` the word last seen, `reference` the
    number that a change is counted from.
    """

    armed: bool = True
    side: int = 0
    seen: str = ""
    reference: float | None = None
    fired_at: datetime | None = None
    occasion: str = ""


FRESH = State()


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing: the rule, what it was judged by, the value before a change ("" where none), and when."""

    rule: Rule
    reading: Reading
    at: datetime
    before: str | float | None = None


def step(rule: Rule, state: State, value: float | str) -> tuple[bool, State]:
    """Judge one value: whether the rule fires on it, and the state after that."""
    if isinstance(value, str):
        return _step_word(rule, state, value)
    level = rule.level
    if level is None:
        return False, state
    condition = rule.condition
    if condition is Condition.CROSSES:
        return _step_cross(rule.band, state, value - level)
    if condition is Condition.CHANGES:
        if state.reference is None:
            return False, replace(state, reference=value)
        moved = abs(value - state.reference) >= level * _ROUNDING
        return (True, replace(state, reference=value)) if moved else (False, state)
    beyond = value - level if condition is Condition.ABOVE else level - value
    if state.armed:
        return (True, replace(state, armed=False)) if beyond >= 0 else (False, state)
    return False, replace(state, armed=True) if beyond < -rule.band else state


def _step_word(rule: Rule, state: State, value: str) -> tuple[bool, State]:
    if rule.condition is Condition.BECOMES:
        is_there = value == rule.target
        if is_there == state.armed:
            return is_there, replace(state, armed=not is_there)
        return False, state
    if value == state.seen:
        return False, state
    return bool(state.seen), replace(state, seen=value)


def _step_cross(band: float, state: State, beyond: float) -> tuple[bool, State]:
    """From one side to the other; after that the band must be left, on either side, before the next."""
    side = (beyond > 0) - (beyond < 0)
    outside = abs(beyond) >= band
    if not state.side or not side:
        return False, replace(state, side=side) if side else state
    if side == state.side:
        return False, replace(state, armed=True) if outside and not state.armed else state
    if state.armed or outside:
        return True, replace(state, side=side, armed=outside)
    return False, state


def evaluate(
    rules: Iterable[Rule], states: Mapping[int, State], readings: Mapping[Watch, Reading], now: datetime
) -> tuple[tuple[Fired, ...], Mapping[int, State]]:
    """Return what fires at `now` (UTC), and the states afterwards: the same mapping where nothing happened.

    What is snoozed stays as it is and fires when it wakes, if it still holds then. A clock that jumps forward or
    back fires nothing by itself: the gap between two firings is not counted across a clock set back, and an
    occasion is told once whatever the clock says.
    """
    fired: list[Fired] = []
    after: dict[int, State] | None = None
    for rule in rules:
        if not rule.enabled:
            continue
        reading = readings.get(rule.watch)
        if reading is None or reading.blocked:
            continue
        value = reading.value
        if isinstance(value, Unknown):
            continue
        state = states.get(rule.id, FRESH)
        if state.fired_at is not None and rule.repeat is Repeat.ONCE:
            continue
        fires, following = step(rule, state, value)
        if fires:
            if rule.snoozed(now) or _too_soon(state, reading, now):
                continue
            fired.append(Fired(rule, reading, now, state.seen or state.reference))
            following = replace(following, fired_at=now, occasion=reading.occasion)
        if following is not state:
            if after is None:
                after = dict(states)
            after[rule.id] = following
    return tuple(fired), states if after is None else after


def _too_soon(state: State, reading: Reading, now: datetime) -> bool:
    if reading.occasion and reading.occasion == state.occasion:
        return True
    return state.fired_at is not None and state.fired_at <= now < state.fired_at + LEAST_GAP


def spent(rule: Rule, state: State | None) -> bool:
    """Whether a rule that fires once has done so."""
    return rule.repeat is Repeat.ONCE and state is not None and state.fired_at is not None


def would_have_fired(rule: Rule, values: Sequence[float | str]) -> list[int]:
    """Rows of a history, oldest first, at which `rule` would have fired every time; NaN and "" are skipped.

    The first row that is known only sets the stage: it is where the history begins, not an event.
    """
    rows: list[int] = []
    state: State | None = None
    for row, value in enumerate(values):
        if value == "" or (isinstance(value, float) and isnan(value)):
            continue
        fires, following = step(rule, state or FRESH, value)
        if fires and state is not None:
            rows.append(row)
        state = following
    return rows
