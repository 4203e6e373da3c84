"""The thesis board in words: numbers with their units, gaps with their reasons, kill levels as typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.store import Store
from desktop.presenters.thesis import amount, present_thesis
from desktop.settings import Settings, changed
from desktop.snapshot import SnapshotBuilder
from desktop.thesis import MEASURES, Claim, Verdict, claims
from widgets.states import Tone
from widgets.states import Verdict as Shown

TODAY = date(2024, 7, 12)
NIGHT = datetime(2024, 7, 12, 2, 0, tzinfo=UTC)
PLAIN = Settings()
STRETCHED = Claim(
    id="stretched",
    claim="Stretched past 2000 peak",
    verdict=Verdict.FOR,
    value=9.511,
    measure=MEASURES["stretched"],
    words="9.51 vs 8.20",
    as_of=date(2024, 7, 11),
    source="closes of ^NDX and ^RUT",
    next_update=datetime(2024, 7, 12, 20, 0, tzinfo=UTC),
    note="one peak is one case",
)


def board(*claims: Claim, chosen: Settings = PLAIN, today: date = TODAY):
    return present_thesis(claims, chosen, (), today)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("stretched", 9.5114, "9.511"),
        ("mean_reversion", 0.917, "p 0.92"),
        ("divergence_rare", 5.816, "+5.82 pp"),
        ("divergence_rare", -0.5, "−0.50 pp"),
        ("orderly", 12.92, "VIX 12.92"),
        ("cuts_priced", -55.4, "−55 bp"),
        ("under_owned", 0.42, "z +0.4"),
        ("valuation_gap", 1.5, "1.50 ×"),
    ],
)
def test_an_amount_has_its_unit_and_its_sign_where_it_can_be_either(key, value, words):
    assert amount(value, MEASURES[key]) == words


def test_a_row_tells_value_day_source_note_and_next_update_in_exchange_time():
    (row,) = board(STRETCHED).rows
    assert (row.verdict, row.value.text, row.when.text) == (Shown.FOR, "9.51 vs 8.20", "11 Jul")
    assert row.value.why.splitlines() == [
        "one peak is one case",
        "Source: closes of ^NDX and ^RUT",
        "Next update: Fri 12 Jul 16:00 ET",
    ]


def test_a_minus_is_a_minus_and_not_a_hyphen():
    (row,) = board(replace(STRETCHED, words="z -0.7")).rows
    assert row.value.text == "z −0.7"


def test_a_day_far_from_today_has_its_year():
    (row,) = board(STRETCHED, today=date(2025, 11, 3)).rows
    assert row.when.text == "Jul 2024"


def test_a_gap_is_said_with_its_reason_and_no_number():
    reason = "history has no day in 1999-2001"
    gap = replace(STRETCHED, verdict=Verdict.UNKNOWN, value=Unknown(reason), words="n/a", note=reason)
    (row,) = board(gap, chosen=changed(PLAIN, "kill_stretched", "5")).rows
    assert (row.value.text, row.value.tone, row.killed) == ("n/a", Tone.DIM, False)
    assert row.value.why.splitlines()[0] == reason
    assert row.kill_hint == "given up above this level"


@pytest.mark.parametrize(("typed", "killed"), [("9.5", True), ("9.511", False), ("9.6", False), ("", False)])
def test_a_claim_is_given_up_beyond_its_level_only(typed, killed):
    (row,) = board(STRETCHED, chosen=changed(PLAIN, "kill_stretched", typed)).rows
    assert (row.killed, row.kill, row.kill_error) == (killed, typed, "")


@pytest.mark.parametrize("typed", ["ten", "9,5,1", "--1"])
def test_a_level_that_is_no_number_is_marked_kept_and_gives_nothing_up(typed):
    (row,) = board(STRETCHED, chosen=changed(PLAIN, "kill_stretched", typed)).rows
    assert row.kill == typed
    assert row.kill_error
    assert not row.killed


def test_the_summary_counts_verdicts_and_tells_the_level_as_it_was_typed():
    against = replace(STRETCHED, id="orderly", verdict=Verdict.AGAINST, measure=MEASURES["orderly"], value=30.0)
    shown = board(STRETCHED, against, chosen=changed(PLAIN, "kill_stretched", "10.077")).summary
    assert shown.text == "1 for · 1 against · kill level: ratio above 10.077"
    assert shown.tone is Tone.WARN


def test_the_summary_names_what_is_given_up():
    shown = board(STRETCHED, chosen=changed(PLAIN, "kill_stretched", "9")).summary
    assert shown.text == "1 for · given up: Stretched past 2000 peak"
    assert shown.tone is Tone.BAD


def test_news_has_its_moment_in_exchange_time():
    at = datetime(2024, 7, 11, 14, 5, tzinfo=UTC)
    (told,) = present_thesis((), PLAIN, [(at, "Rotation orderly: for → against")], TODAY).news
    assert told.text == "Thu 11 Jul 10:05 ET: Rotation orderly: for → against"


def test_every_claim_has_a_shorter_form_than_its_own():
    with Store(None) as store:
        judged = claims(SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(NIGHT, PLAIN))
    rows = board(*judged).rows
    assert len(rows) == len(MEASURES)
    assert all(0 < len(row.short) <= min(len(row.claim), 12) for row in rows)
    assert len({row.short for row in rows}) == len(rows)
