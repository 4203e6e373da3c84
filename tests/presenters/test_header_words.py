"""The header strip in words: the four questions, and what is not live about the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from desktop.market.known import Unknown
from desktop.market.releases import Release, ReleaseKind
from desktop.presenters.header import present_header
from desktop.snapshot import Mode, Snapshot
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.feed import FeedState, SourceState
from tests.presenters.conftest import EVENING, build, with_figures
from widgets.states import HeaderState, Tone

NOW = datetime(2024, 7, 11, 12, 22, tzinfo=UTC)


def header(snapshot: Snapshot, *, refreshing=False, refreshed_at=None, note="") -> HeaderState:
    return present_header(snapshot, refreshing=refreshing, refreshed_at=refreshed_at, note=note)


def test_four_questions_are_answered_with_their_units(closed):
    state = header(closed)
    # METHODS 1 and 2, rounded by hand.
    assert state.ratio.text == "10.077"
    assert "NDX 20,675.38 / RUT 2,051.76" in state.ratio.why
    assert "10 Jul 2024" in state.ratio.why
    assert state.ratio_change.text.startswith("−0.001 −0.01 %")
    assert state.spread.text == "+5.82 pp"
    assert "RUT +3.57 %, NDX −2.24 %" in state.spread.why
    assert state.spread_rank.text.startswith("2nd of 9,280 days · 5.8σ")


def test_falling_ratio_speaks_for_the_trade(closed):
    assert header(closed).ratio_change.tone is Tone.GOOD
    risen = replace(closed, ratio=replace(closed.ratio, change=0.0011, change_pct=0.0105))
    assert header(risen).ratio_change.tone is Tone.BAD
    fallen = replace(closed, divergence=replace(closed.divergence, spread_pp=-0.4))
    assert header(fallen).spread.tone is Tone.BAD
    assert header(fallen).spread.text == "−0.40 pp"


@pytest.mark.parametrize("field", ["ratio", "divergence"])
def test_unknown_section_is_na_with_the_reason(closed, field):
    state = header(replace(closed, **{field: Unknown("no closes of ^RUT")}))
    shown = state.ratio if field == "ratio" else state.spread
    assert shown.text == "n/a"
    assert shown.why == "no closes of ^RUT"
    assert shown.tone is Tone.DIM


def test_unknown_change_and_spread_are_na_with_the_reason(closed):
    state = header(
        replace(
            closed,
            ratio=replace(closed.ratio, change=Unknown("first day"), change_pct=Unknown("first day")),
            divergence=replace(closed.divergence, spread_pp=Unknown("RUT 15 min late")),
        )
    )
    assert (state.ratio_change.text, state.ratio_change.why) == ("change n/a", "first day")
    assert (state.spread.text, state.spread.why) == ("n/a", "RUT 15 min late")


def test_empty_store_says_na_everywhere_and_nowhere_zero(empty):
    state = header(empty)
    for text in (state.ratio, state.spread):
        assert text.text == "n/a"
        assert text.why
    assert "n/a" in state.regime.text or "UNKNOWN" in state.regime.text
    assert state.regime.why


@pytest.mark.parametrize(
    ("made", "pill", "tone"),
    [
        (lambda: build(EVENING, date(2024, 7, 11)), "CLOSED · last close shown", Tone.PAST),
        (
            lambda: build(datetime(2024, 7, 11, 15, 0, tzinfo=UTC), date(2024, 7, 10)),
            "NOT LIVE · last close shown",
            Tone.WARN,
        ),
        # 11 July minus 3 July: the 5th, 8th, 9th, 10th and 11th had sessions, the 4th had none.
        (lambda: build(EVENING, date(2024, 7, 3)), "STALE · store ends 3 Jul 2024", Tone.WARN),
        (lambda: build(EVENING, date(2024, 7, 11), mode=Mode.AS_OF), "AS OF 11 Jul 2024 20:30 ET", Tone.PAST),
        (
            lambda: build(EVENING, date(2024, 7, 11), mode=Mode.DEMO),
            "DEMO, simulated between published levels",
            Tone.PAST,
        ),
    ],
)
def test_pill_says_what_is_not_live(made, pill, tone):
    state = header(made())
    assert state.mode is not None
    assert (state.mode.text, state.mode.tone) == (pill, tone)
    assert state.mode.why
    assert state.ratio.tone is Tone.PAST  # no number that is not live looks live


def test_stale_store_counts_the_sessions_it_lacks():
    mode = header(build(EVENING, date(2024, 7, 3))).mode
    assert mode is not None
    assert mode.why.startswith("5 sessions missing")
    mode = header(build(EVENING, date(2024, 7, 10))).mode
    assert mode is not None
    assert mode.why.startswith("1 session missing")


@pytest.mark.parametrize(
    ("minutes", "said", "tone"),
    [(8, "in 8 min", Tone.WARN), (11, "in 11 min", Tone.PLAIN), (26 * 60, "in 1 d 2 h", Tone.PLAIN)],
)
def test_next_release_is_counted_down_and_calls_attention_when_it_is_near(closed, minutes, said, tone):
    at = datetime.fromtimestamp(NOW.timestamp() + 60 * minutes, UTC)
    state = header(
        replace(
            closed, moment=NOW, next_release=Release(ReleaseKind.CPI, "CPI", at, "June 2024", market_closed=False)
        )
    )
    assert state.release.text.startswith("CPI ")
    assert state.release.text.endswith(" ET")
    assert "June 2024" in state.release.why
    assert state.release_in.text == said
    assert state.release.tone is tone


def test_schedule_that_ends_says_how_far_it_is_known(closed):
    state = header(replace(closed, next_release=None))
    assert state.release.text == "n/a"
    assert "schedule known to" in state.release.why


@pytest.mark.parametrize(
    ("how", "label"),
    [
        ({}, "Refresh F5"),
        ({"refreshing": True}, "Refreshing…"),
        ({"refreshing": True, "refreshed_at": NOW}, "Refreshing…"),
        ({"refreshed_at": datetime(2024, 7, 11, 12, 30, 7, tzinfo=UTC)}, "08:30:07 ET"),
    ],
)
def test_button_tells_progress_then_the_time(closed, how, label):
    assert header(closed, **how).refresh_label == label


def test_source_that_failed_is_named_at_the_button(closed):
    failure = Failure(FailureKind.OFFLINE, "yahoo", "^RUT", "no connection to query1.finance.yahoo.com", NOW)
    down = SourceState("yahoo", FeedState.UNAVAILABLE, Unknown("no quote"), 0.0, None, failure, None)
    state = header(with_figures(replace(closed, feed=(down,))))
    assert state.refresh_note == "yahoo: no connection to query1.finance.yahoo.com"
    assert header(closed, note="offline: started with --offline").refresh_note == "offline: started with --offline"
