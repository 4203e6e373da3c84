"""The alerts panel in words: each rule with its value now, its distance and its history; the log; the editor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache

import numpy as np

from desktop.alert_book import Entry
from desktop.alert_values import BEING_COMPUTED, NOT_NOW
from desktop.alert_watch import Occurred, Watched
from desktop.market.known import Unknown
from desktop.market.sessions import trading_day
from desktop.presenters.alert_words import (
    CONDITION_WORDS,
    amount,
    detail,
    form_of,
    shown_value,
    title,
    whole,
)
from desktop.presenters.words import NOT_KNOWN, clock_et, day, moment_et, source_name, span
from desktop.snapshot import Mode
from desktop.trade.alerts import (
    FRESH,
    SUBJECTS,
    About,
    Condition,
    Reading,
    Rule,
    State,
    Subject,
    spent,
)
from widgets.states import Choice, FieldState, Text, Tone
from widgets.states_alerts import AlertsState, EditorState, LogRow, Notice, RuleForm, RuleRow

NO_RULES = "No rule yet. Insert adds one: a level of the ratio, a rank of the gap, a regime, a source, a release."
_LAST_DAYS, _YEARS = 12, 5
_OFTEN = 0.10
"""A rule that would have fired on more than this share of days tells little."""
_DEMO = "DEMO"


class AlertsPresenter:
    """Makes states of the panel; a log that has not changed is told again only on another day."""

    def __init__(self) -> None:
        self._told: tuple[tuple[Entry, ...], date] | None = None
        self._rows: tuple[LogRow, ...] = ()

    def present(self, watched: Watched | None) -> AlertsState:
        """Build the state of the panel; None where nothing is watched (a report)."""
        if watched is None:
            return present_alerts(None)
        today = trading_day(watched.moment)
        if self._told is None or self._told[0] is not watched.log or self._told[1] != today:
            self._told, self._rows = (watched.log, today), _log_rows(watched)
        return present_alerts(watched, self._rows)


def present_alerts(watched: Watched | None, log: tuple[LogRow, ...] | None = None) -> AlertsState:
    """Build the state of the panel; `log` are the rows of its log where they are made already."""
    if watched is None:
        return AlertsState(message="Alerts are watched while the window is open.")
    rows = tuple(
        _row(rule, watched, history) for rule, history in zip(watched.rules, watched.histories, strict=True)
    )
    unseen = sum(not one.seen for one in watched.log)
    return AlertsState(
        rows=rows,
        log=_log_rows(watched) if log is None else log,
        summary=_summary(watched, rows),
        editor=None if watched.form is None else _editor(watched.form, watched),
        notices=tuple(_notice(one.number, one.entry, one.rule) for one in watched.told),
        unseen=unseen,
        message="" if rows else NO_RULES,
    )


def _summary(watched: Watched, rows: tuple[RuleRow, ...]) -> Text:
    if watched.problem:
        return Text(watched.problem, Tone.BAD, watched.problem)
    if watched.mode is Mode.AS_OF:
        return Text("values of then; rules watch the prices of now", Tone.PAST, "Ctrl+Shift+T comes back to now")
    on = sum(row.state.tone is Tone.GOOD for row in rows)
    words = f"{on} of {len(rows)} watched" if rows else ""
    if watched.mode is Mode.DEMO:
        return Text(f"{_DEMO} · {words}" if words else _DEMO, Tone.PAST, "These rules live in the demo alone")
    return Text(words, Tone.DIM)


# One rule


def _row(rule: Rule, watched: Watched, history: Occurred | Unknown) -> RuleRow:
    reading = watched.readings[rule.watch]
    state = watched.states.get(rule.id, FRESH)
    return RuleRow(
        key=rule.id,
        title=title(rule),
        value=_value(reading, SUBJECTS[rule.watch.subject]),
        state=_state(rule, state, reading, watched.moment),
        history=history_words(history),
        form=form_of(rule),
        enabled=rule.enabled and not spent(rule, state),
        snoozed=rule.snoozed(watched.moment),
    )


def _value(reading: Reading, about: About) -> Text:
    if isinstance(reading.value, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, reading.value.reason)
    return Text(shown_value(reading.value, about), Tone.PAST if reading.blocked else Tone.PLAIN, _origin(reading))


def _origin(reading: Reading) -> str:
    age = "" if isinstance(reading.age_s, Unknown) or reading.age_s < 1 else f", {span(reading.age_s)} old"
    return "; ".join(filter(None, (f"{source_name(reading.source)}{age}", reading.blocked)))


def _state(rule: Rule, state: State, reading: Reading, now: datetime) -> Text:
    """Whether it is watched, and how far it is from firing."""
    if not rule.enabled:
        return Text("off", Tone.DIM, "Space switches it on")
    if spent(rule, state) and state.fired_at is not None:
        return Text(f"fired once, {_when(state.fired_at, now)}", Tone.DIM, "Space arms it again")
    if isinstance(reading.value, Unknown):
        return Text(f"waits: {reading.value.reason}", Tone.DIM, reading.value.reason)
    if reading.blocked == NOT_NOW:
        return replace(_distance(rule, FRESH, reading.value, now, "was so then"), tone=Tone.PAST, why=NOT_NOW)
    if reading.blocked:
        return Text(f"not watched: {reading.blocked}", Tone.PAST, reading.blocked)
    if rule.snoozed(now) and rule.snoozed_until is not None:
        return Text(f"snoozed until {_when(rule.snoozed_until, now)}", Tone.WARN, "W wakes it")
    return _distance(rule, state, reading.value, now)


def _distance(rule: Rule, state: State, value: float | str, now: datetime, is_so: str = "is so now") -> Text:
    about, level = SUBJECTS[rule.watch.subject], rule.level
    fired = f", fired {_when(state.fired_at, now)}" if state.fired_at is not None else ""
    if isinstance(value, str) or level is None:
        is_there = rule.condition is Condition.BECOMES and value == rule.target
        return Text((is_so if is_there else "watched") + fired, Tone.GOOD)
    if rule.condition is Condition.CHANGES:
        left = level if state.reference is None else level - abs(value - state.reference)
        return Text(f"{_away(left, about)} away{fired}", Tone.GOOD)
    if not state.armed:
        return Text(_waits(rule, about, level) + fired, Tone.GOOD, "It fires again once the value has been there")
    beyond = value - level if rule.condition is Condition.ABOVE else level - value
    if rule.condition is not Condition.CROSSES and beyond >= 0:
        return Text(f"{is_so}{fired}", Tone.GOOD)
    return Text(f"{_away(beyond, about)} away{fired}", Tone.GOOD)


def _away(distance: float, about: About) -> str:
    return shown_value(abs(distance), _unsigned(about))


@lru_cache(maxsize=64)
def _unsigned(about: About) -> About:
    return replace(about, signed=False)


def _waits(rule: Rule, about: About, level: float) -> str:
    """Where the value has to go before the rule is armed again."""
    if rule.condition is Condition.ABOVE:
        return f"armed again below {amount(level - rule.band, about, level=True)}"
    if rule.condition is Condition.BELOW:
        return f"armed again above {amount(level + rule.band, about, level=True)}"
    return f"armed again {amount(rule.band, _unsigned(about), level=True)} off its level"


def _when(at: datetime, now: datetime) -> str:
    return clock_et(at, seconds=False) if trading_day(at) == trading_day(now) else moment_et(at)


# History


@lru_cache(maxsize=512)
def history_words(history: Occurred | Unknown) -> Text:
    """How often and when last it would have fired; the last days on hover."""
    if isinstance(history, Unknown):
        words = "history is being worked out" if history.reason == BEING_COMPUTED else history.reason
        return Text(words, Tone.DIM, history.reason)
    since = f"{history.since:%Y}"
    if not len(history.days):
        return Text(f"never in {history.n:,} days since {since}", Tone.WARN, f"On daily values to {history.last}")
    count, last = len(history.days), history.days[-1].item()
    times = "once" if count == 1 else f"{count:,} times"
    words = f"{times} since {since}, last {day(last)}"
    why = f"On daily values to {history.last}: {_dates(history)}"
    if count > _OFTEN * history.n:
        return Text(words, Tone.WARN, f"Often: every {history.n / count:.0f} days. {why}")
    return Text(words, Tone.DIM, why)


def _dates(history: Occurred) -> str:
    shown = [str(one) for one in history.days[-_LAST_DAYS:][::-1]]
    more = len(history.days) - len(shown)
    return ", ".join(shown) + (f" and {more:,} earlier" if more else "")


def _a_year(history: Occurred) -> str:
    """How often in each of the last years."""
    years = history.days.astype("datetime64[Y]").astype(int) + 1970
    last = history.last.year
    found = {int(year): int(count) for year, count in zip(*np.unique(years, return_counts=True), strict=True)}
    return " · ".join(
        f"{year} {found.get(year, 0)}" for year in range(max(history.since.year, last - _YEARS), last + 1)
    )


# The log


def _log_rows(watched: Watched) -> tuple[LogRow, ...]:
    return tuple(_log_row(one, watched.moment) for one in watched.log)


def _log_row(entry: Entry, now: datetime) -> LogRow:
    demo = entry.mode == Mode.DEMO.value
    when = f"{_DEMO} {_when(entry.at, now)}" if demo else _when(entry.at, now)
    return LogRow(
        key=entry.id,
        when=Text(when, Tone.PAST if demo else Tone.DIM, moment_et(entry.at)),
        title=Text(entry.title, Tone.PLAIN if entry.seen else Tone.WARN),
        detail=Text(detail(entry), Tone.DIM, _data(entry)),
        seen=entry.seen,
    )


def _data(entry: Entry) -> str:
    """What the data were that it fired on."""
    of = "" if entry.data_at is None else f"data of {moment_et(entry.data_at)}"
    parts = (f"value {entry.value}", f"threshold {entry.threshold}", of, f"source {entry.source}")
    return "; ".join(filter(None, parts))


def _notice(number: int, entry: Entry, rule: Rule) -> Notice:
    demo = f"{_DEMO} · " if entry.mode == Mode.DEMO.value else ""
    text = detail(entry) + (f"\n{rule.note}" if rule.note else "")
    return Notice(number, f"{demo}{entry.title}", text, rule.sound)


# The editor


def _editor(form: RuleForm, watched: Watched) -> EditorState:
    form = whole(form, watched.sources)
    about = SUBJECTS[Subject(form.subject)]
    draft = watched.draft
    wrong: Mapping[str, str] = {} if draft is None or isinstance(draft, Rule) else draft
    params = (
        about.params if about.params is not None else tuple((one, source_name(one)) for one in watched.sources)
    )
    condition = Condition(form.condition)
    suggested = amount(about.band, _unsigned(about), level=True)
    level = band = None
    if not about.is_state:
        label = "Change" if condition is Condition.CHANGES else "Level"
        level = FieldState("level", label, form.level, about.unit, wrong.get("level", ""), _bounds(about))
    if not about.is_state and condition in (Condition.ABOVE, Condition.BELOW, Condition.CROSSES):
        help_ = f"How far back before it may fire again; {suggested} is suggested"
        band = FieldState("band", "Hysteresis", form.band, about.unit, wrong.get("band", ""), help_)
    return EditorState(
        form=form,
        subjects=tuple(Choice(one.value, SUBJECTS[one].label, one == form.subject) for one in Subject),
        params=tuple(Choice(key, words, key == form.param) for key, words in params),
        conditions=tuple(
            Choice(
                one.value,
                "changes" if about.is_state and one is Condition.CHANGES else CONDITION_WORDS[one],
                one == condition,
            )
            for one in about.conditions
        ),
        targets=tuple(Choice(key, words, key == form.target) for key, words in about.targets)
        if condition is Condition.BECOMES
        else (),
        level=level,
        band=band,
        now=_now(draft, watched, about),
        history=_draft_history(watched),
        dates=_draft_dates(watched),
        can_save=isinstance(draft, Rule),
        band_hint=f"{about.band:g}",
    )


def _bounds(about: About) -> str:
    if about.high >= 1e9:
        return "A number"
    return f"Between {amount(about.low, about, level=True)} and {amount(about.high, about, level=True)}"


def _now(draft: Rule | Mapping[str, str] | None, watched: Watched, about: About) -> Text:
    if not isinstance(draft, Rule):
        return Text("", Tone.DIM)
    reading = watched.readings[draft.watch]
    if isinstance(reading.value, Unknown):
        return Text(f"now {NOT_KNOWN}: {reading.value.reason}", Tone.DIM, reading.value.reason)
    words, is_so = f"now {shown_value(reading.value, about)}", "is so now"
    if reading.blocked == NOT_NOW:
        words, is_so = f"then {shown_value(reading.value, about)}", "was so then"
    elif reading.blocked:
        return Text(f"{words}; not watched: {reading.blocked}", Tone.PAST, _origin(reading))
    away = _distance(draft, FRESH, reading.value, watched.moment, is_so).text
    return Text(f"{words}, {away}", Tone.PAST if reading.blocked else Tone.PLAIN, _origin(reading))


def _draft_history(watched: Watched) -> Text:
    history = watched.draft_history
    if history is None:
        draft = watched.draft
        missing = next(iter(draft.values()), "") if draft is not None and not isinstance(draft, Rule) else ""
        return Text(f"Not complete: {missing}" if missing else "", Tone.DIM)
    shown = history_words(history)
    return Text(f"Would have fired {shown.text}" if not isinstance(history, Unknown) else shown.text, shown.tone)


def _draft_dates(watched: Watched) -> Text:
    history = watched.draft_history
    if history is None or isinstance(history, Unknown) or not len(history.days):
        return Text("", Tone.DIM)
    return Text(f"By year: {_a_year(history)}. Last: {_dates(history)}", Tone.DIM)
