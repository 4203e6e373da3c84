"""Alert rules in words, and what is typed made a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from desktop.alert_book import Entry
from desktop.analytics.regime import WORDS, State
from desktop.market.known import Unknown
from desktop.presenters.words import plain, signed, source_name, span
from desktop.snapshot import Mode
from desktop.trade.alerts import (
    SUBJECTS,
    About,
    BadRuleError,
    Condition,
    Fired,
    Repeat,
    Rule,
    Subject,
    Watch,
)
from desktop.trade.typed import FieldError, parse_number
from widgets.states_alerts import RuleForm

SIGNS = {Condition.ABOVE: "≥", Condition.BELOW: "≤", Condition.CROSSES: "crosses"}
CONDITION_WORDS = {
    Condition.ABOVE: "at or above",
    Condition.BELOW: "at or below",
    Condition.CROSSES: "crosses",
    Condition.CHANGES: "changes by",
    Condition.BECOMES: "becomes",
}
_REGIMES = {state.value: words for state, words in WORDS.items() if state is not State.UNKNOWN}


def amount(value: float, about: About, *, level: bool = False) -> str:
    """The number with its unit: +0.45 pp, 9.511, $1,240. A level shows the digits it was given."""
    digits = about.digits
    if level and round(value, digits) != value:
        digits = next((one for one in range(digits, 7) if round(value, one) == value), 6)
    words = (signed if about.signed else plain)(value, digits)
    if about.unit == "$":
        return f"{words[:1]}${words[1:]}" if about.signed else f"${words}"
    return f"{words} {about.unit}" if about.unit else words


def word(value: str) -> str:
    """The word of a state: violent rotation for violent_rotation."""
    return _REGIMES.get(value, value)


def shown_value(value: float | str, about: About) -> str:
    """A value in words, a number with its unit."""
    if isinstance(value, str):
        return word(value)
    return span(60 * value) if about.unit == "min" else amount(value, about)


def subject_words(watch: Watch) -> str:
    """What is watched: RUT − NDX since prior close, Source Yahoo."""
    about = SUBJECTS[watch.subject]
    if watch.subject is Subject.FEED:
        return f"Source {source_name(watch.param)}"
    if watch.subject is Subject.RELEASE:
        return f"{dict(about.params or ())[watch.param]} in" if watch.param else about.label
    which = dict(about.params or ()).get(watch.param, "")
    return f"{about.label} {which}".rstrip()


def threshold_words(rule: Rule) -> str:
    """When it fires, without what is watched: ≥ 10.000, becomes de-grossing, changes."""
    about = SUBJECTS[rule.watch.subject]
    if rule.condition is Condition.BECOMES:
        return f"becomes {dict(about.targets).get(rule.target, rule.target)}"
    if about.is_state or rule.level is None:
        return "change" if rule.watch.subject is Subject.KILL else "changes"
    if rule.condition is Condition.CHANGES:
        return f"changes by {amount(rule.level, about, level=True).lstrip('+')}"
    return f"{SIGNS[rule.condition]} {amount(rule.level, about, level=True)}"


@lru_cache(maxsize=512)
def title(rule: Rule) -> str:
    """The whole rule: Ratio NDX / RUT ≥ 10.000."""
    return f"{subject_words(rule.watch)} {threshold_words(rule)}"


def entry_of(fired: Fired, mode: Mode) -> Entry:
    """What the log keeps of a firing."""
    rule, reading = fired.rule, fired.reading
    about = SUBJECTS[rule.watch.subject]
    value = "" if isinstance(reading.value, Unknown) else shown_value(reading.value, about)
    if fired.before is not None and fired.before != "" and rule.condition is Condition.CHANGES:
        value = f"{shown_value(fired.before, about)} → {value}"
    return Entry(
        at=fired.at,
        rule=rule.id,
        title=title(rule),
        value=value,
        threshold=threshold_words(rule),
        data_at=reading.at,
        age_s=None if isinstance(reading.age_s, Unknown) else reading.age_s,
        source=reading.source,
        mode=mode.value,
    )


def detail(entry: Entry) -> str:
    """What it was judged by: value, age, source."""
    parts = [entry.value]
    if entry.age_s is not None:
        parts.append(f"{span(entry.age_s)} old")
    parts.append(source_name(entry.source))
    return " · ".join(filter(None, parts))


# What is typed


@lru_cache(maxsize=512)
def form_of(rule: Rule) -> RuleForm:
    """What the editor opens with."""
    about = SUBJECTS[rule.watch.subject]
    return RuleForm(
        key=rule.id,
        subject=rule.watch.subject.value,
        param=rule.watch.param,
        condition=rule.condition.value,
        level="" if rule.level is None else _typed(rule.level, about.digits),
        target=rule.target,
        band=_typed(rule.band, about.digits),
        every=rule.repeat is Repeat.EVERY,
        sound=rule.sound,
        note=rule.note,
    )


def _typed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text if float(text) == value else f"{value:g}"


def parse_form(form: RuleForm) -> Rule | Mapping[str, str]:
    """The rule that was typed; else what is wrong, by field (level, band, param, condition, target)."""
    watch = Watch(Subject(form.subject), form.param)
    about = SUBJECTS[watch.subject]
    wrong: dict[str, str] = {}
    level: float | None = None
    band = about.band
    if not about.is_state:
        level = _number(form.level, "level", wrong)
        if form.band.strip():
            band = _number(form.band, "band", wrong) or 0.0
    if wrong:
        return wrong
    try:
        return Rule(
            watch=watch,
            condition=Condition(form.condition),
            level=level,
            target=form.target if form.condition == Condition.BECOMES else "",
            band=band,
            repeat=Repeat.EVERY if form.every else Repeat.ONCE,
            sound=form.sound,
            note=form.note.strip(),
            id=form.key,
        )
    except BadRuleError as error:
        return {error.field: error.why}


def _number(text: str, field: str, wrong: dict[str, str]) -> float | None:
    if not text.strip():
        wrong[field] = "type a number"
        return None
    try:
        return parse_number(text.replace("+", "", 1) if text.strip().startswith("+") else text)
    except FieldError as error:
        wrong[field] = error.why
        return None


def whole(form: RuleForm, sources: tuple[str, ...] = ()) -> RuleForm:
    """The form with choices that fit its subject: those of another subject give way to the first that may be."""
    about = SUBJECTS[Subject(form.subject)]
    params = tuple(key for key, _ in about.params) if about.params is not None else sources
    condition = form.condition if form.condition in about.conditions else about.conditions[0].value
    targets = [key for key, _ in about.targets]
    return replace(
        form,
        param=form.param if form.param in params else next(iter(params), ""),
        condition=condition,
        target=form.target if form.target in targets else next(iter(targets), ""),
    )
