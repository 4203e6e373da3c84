"""Alert rules in words, and words made rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.alert_values import NOT_NOW
from desktop.alert_watch import Occurred, Watched
from desktop.market.known import Unknown
from desktop.presenters.alert_words import detail, entry_of, form_of, parse_form, title, whole
from desktop.presenters.alerts import history_words, present_alerts
from desktop.snapshot import Mode
from desktop.trade.alerts import (
    FRESH,
    SUBJECTS,
    Condition,
    Fired,
    Reading,
    Repeat,
    Rule,
    Subject,
    Watch,
)
from widgets.states import Tone
from widgets.states_alerts import RuleForm

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
GAP = Watch(Subject.DIVERGENCE, "prior_close")
LIKE = "write it like 2000000, 2,000,000, 2m or 1.5"
RATIO = Rule(Watch(Subject.RATIO), Condition.ABOVE, 10.0, band=0.02, id=1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (RATIO, "Ratio NDX / RUT ≥ 10.000"),
        (Rule(Watch(Subject.RATIO_Z, "252"), Condition.BELOW, -2.5), "Ratio z-score 1 y ≤ −2.50 σ"),
        (
            Rule(Watch(Subject.DIVERGENCE, "prior_close"), Condition.ABOVE, 0.205),
            "RUT − NDX from close ≥ +0.205 pp",
        ),
        (Rule(Watch(Subject.DIVERGENCE_RANK), Condition.BELOW, 10), "Rank of the gap ≤ 10"),
        (Rule(Watch(Subject.COR1M), Condition.CROSSES, 8), "COR1M crosses 8.00 points"),
        (Rule(Watch(Subject.TWO_YEAR), Condition.CHANGES, 5), "2-year move changes by 5 bp"),
        (Rule(Watch(Subject.REGIME), Condition.BECOMES, target="de_grossing"), "Regime becomes de-grossing"),
        (Rule(Watch(Subject.REGIME), Condition.CHANGES), "Regime changes"),
        (Rule(Watch(Subject.KILL), Condition.CHANGES), "Kill levels change"),
        (Rule(Watch(Subject.FEED, "yahoo"), Condition.BECOMES, target="stale"), "Source Yahoo becomes stale"),
        (Rule(Watch(Subject.RELEASE, "cpi"), Condition.BELOW, 5), "CPI in ≤ 5 min"),
        (Rule(Watch(Subject.RELEASE), Condition.BELOW, 30), "Next release in ≤ 30 min"),
        (Rule(Watch(Subject.PNL), Condition.BELOW, -5000), "Open P&L ≤ −$5,000"),
        (Rule(Watch(Subject.POLICY, "3"), Condition.BELOW, -50), "Fed path 3 meetings ≤ −50 bp"),
    ],
)
def test_a_rule_reads_as_a_trader_would_say_it(rule, words):
    assert title(rule) == words


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (RuleForm(condition="above"), {"level": "type a number"}),
        (
            RuleForm(condition="above", level="ten"),
            {"level": f"is not a number: {LIKE}"},
        ),
        (RuleForm(condition="above", level="2000"), {"level": "must lie between 0.01 and 1000"}),
        (RuleForm(condition="above", level="10", band="-1"), {"band": "must be 0 or more"}),
        (RuleForm(condition="changes", level="0"), {"level": "a change must be above 0"}),
        (RuleForm(subject="feed", condition="changes"), {"param": "say which source"}),
    ],
)
def test_what_is_wrong_is_told_by_field(form, wrong):
    assert parse_form(form) == wrong


def test_an_empty_hysteresis_takes_the_suggested_one_and_signs_are_understood():
    made = parse_form(RuleForm(subject="two_year", condition="below", level="−10"))
    assert isinstance(made, Rule)
    assert (made.level, made.band) == (-10.0, SUBJECTS[Subject.TWO_YEAR].band)
    made = parse_form(RuleForm(subject="divergence", param="open", condition="above", level="+2.5 ", band="0"))
    assert isinstance(made, Rule)
    assert (made.level, made.band) == (2.5, 0.0)


@given(
    st.sampled_from(sorted(Subject)),
    st.integers(0, 3),
    st.floats(0.1, 1.0).map(lambda one: round(one, 6)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 10_000),
)
def test_what_the_editor_opens_with_is_the_rule_it_was(subject, which, level, every, sound, number):
    about = SUBJECTS[subject]
    params = [key for key, _ in about.params] if about.params is not None else ["yahoo"]
    condition = about.conditions[which % len(about.conditions)]
    rule = Rule(
        Watch(subject, params[which % len(params)]),
        condition,
        None if about.is_state else max(level, about.low),
        about.targets[0][0] if condition is Condition.BECOMES else "",
        about.band,
        Repeat.EVERY if every else Repeat.ONCE,
        sound,
        id=number,
    )
    assert parse_form(form_of(rule)) == rule


def test_another_subject_takes_the_first_choices_that_fit_it():
    made = whole(RuleForm(subject="regime", param="252", condition="above", target="stale"))
    assert (made.param, made.condition, made.target) == ("", "becomes", "orderly")
    assert whole(RuleForm(subject="feed"), ("yahoo", "cboe")).param == "yahoo"


# The log


def test_an_entry_tells_value_threshold_age_and_source():
    reading = Reading(10.0123, NOW - timedelta(seconds=2), 2.4, "index ^RUT / ^NDX")
    entry = entry_of(Fired(RATIO, reading, NOW), Mode.LIVE)
    assert (entry.value, entry.threshold, entry.age_s, entry.source, entry.mode) == (
        "10.012",
        "≥ 10.000",
        2.4,
        "index ^RUT / ^NDX",
        "live",
    )
    assert entry.data_at == NOW - timedelta(seconds=2)


@pytest.mark.parametrize(
    ("age_s", "words"), [(0.0, "10.012 · 0 s old · Index"), (75_000.0, "10.012 · 20 h 50 min old · Index")]
)
def test_the_log_tells_the_age_of_the_data_it_fired_on(age_s, words):
    assert detail(entry_of(Fired(RATIO, Reading(10.0123, NOW, age_s, "index"), NOW), Mode.LIVE)) == words


def test_what_is_of_this_moment_has_no_age():
    rule = Rule(Watch(Subject.RELEASE, "cpi"), Condition.BELOW, 5, id=3)
    entry = entry_of(Fired(rule, Reading(4.0, NOW, Unknown("of this moment"), "CPI"), NOW), Mode.LIVE)
    assert (entry.age_s, detail(entry)) == (None, "4 min · CPI")


def test_a_change_tells_both_words():
    rule = Rule(Watch(Subject.REGIME), Condition.CHANGES, id=2)
    entry = entry_of(Fired(rule, Reading("risk_off"), NOW, "violent_rotation"), Mode.DEMO)
    assert (entry.value, entry.mode) == ("violent rotation → risk-off", "demo")


# History


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def test_history_in_words():
    since, last = date(1987, 9, 11), date(2024, 7, 11)
    often = history_words(Occurred(days(*["2024-01-02"] * 90, "2024-07-11"), 300, since, last))
    assert (often.text, often.tone) == ("91 times since 1987, last 11 Jul 2024", Tone.WARN)
    once = history_words(Occurred(days("2024-07-05"), 9279, since, last))
    assert (once.text, once.tone) == ("once since 1987, last 5 Jul 2024", Tone.DIM)
    never = history_words(Occurred(days(), 9279, since, last))
    assert (never.text, never.tone) == ("never in 9,279 days since 1987", Tone.WARN)
    assert history_words(Unknown("no daily history is kept")).text == "no daily history is kept"


# Rows


def watched(rule: Rule, reading: Reading, state=FRESH, mode: Mode = Mode.LIVE) -> Watched:
    return Watched(mode, NOW, (rule,), {rule.id: state}, {rule.watch: reading}, (Unknown("none"),))


@pytest.mark.parametrize(
    ("rule", "reading", "state", "words", "tone"),
    [
        (RATIO, Reading(9.511), FRESH, "0.489 away", Tone.GOOD),
        (RATIO, Reading(10.1), replace(FRESH, armed=False), "armed again below 9.980", Tone.GOOD),
        (RATIO, Reading(9.5, blocked="the price is 900 s old, the limit is 120 s"), FRESH,
         "not watched: the price is 900 s old, the limit is 120 s", Tone.PAST),
        (RATIO, Reading(Unknown("no prices")), FRESH, "waits: no prices", Tone.DIM),
        (replace(RATIO, enabled=False), Reading(9.5), FRESH, "off", Tone.DIM),
        (replace(RATIO, repeat=Repeat.ONCE), Reading(9.5), replace(FRESH, fired_at=NOW),
         "fired once, 11:00 ET", Tone.DIM),
        (replace(RATIO, snoozed_from=NOW, snoozed_until=NOW + timedelta(hours=1)), Reading(9.5), FRESH,
         "snoozed until 12:00 ET", Tone.WARN),
        (Rule(Watch(Subject.RELEASE), Condition.BELOW, 5, id=1), Reading(125.0), FRESH, "2 h away", Tone.GOOD),
    ],
)  # fmt: skip
def test_a_row_tells_how_it_stands(rule, reading, state, words, tone):
    (row,) = present_alerts(watched(rule, reading, state)).rows
    assert (row.state.text, row.state.tone) == (words, tone)


def test_a_value_that_is_not_live_is_not_shown_as_if_it_were():
    (row,) = present_alerts(watched(RATIO, Reading(9.5, NOW, 900.0, "index", "too old"))).rows
    assert (row.value.text, row.value.tone) == ("9.500", Tone.PAST)
    assert "15 min old" in row.value.why
    (row,) = present_alerts(watched(RATIO, Reading(Unknown("no prices")))).rows
    assert (row.value.text, row.value.why) == ("n/a", "no prices")


def test_what_was_beyond_the_level_at_an_earlier_moment_is_not_told_as_so_now():
    then = Reading(10.5, NOW, 0.0, "index", NOT_NOW)
    (row,) = present_alerts(watched(replace(RATIO, level=10.0), then, mode=Mode.AS_OF)).rows
    assert (row.state.text, row.state.tone) == ("was so then", Tone.PAST)
    (row,) = present_alerts(watched(replace(RATIO, level=10.0), Reading(10.5))).rows
    assert row.state.text == "is so now"


def test_the_summary_says_what_is_of_then_and_what_the_demo_is():
    past = present_alerts(watched(RATIO, Reading(9.5), mode=Mode.AS_OF)).summary
    assert (past.text, past.tone) == ("values of then; rules watch the prices of now", Tone.PAST)
    assert present_alerts(watched(RATIO, Reading(9.5), mode=Mode.DEMO)).summary.text == "DEMO · 1 of 1 watched"
    assert present_alerts(watched(RATIO, Reading(9.5))).summary.text == "1 of 1 watched"
    assert present_alerts(None).message.startswith("Alerts are watched while")
