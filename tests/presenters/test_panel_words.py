"""Ratio, divergence, gauge and status bar in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from desktop.analytics.correlation import CorrelationStats, Rolling
from desktop.analytics.regime import Flags, RegimeStats, State
from desktop.market.known import Unknown
from desktop.presenters.curves import Curves
from desktop.presenters.divergence import present_divergence
from desktop.presenters.gauge import present_gauge, regime_text
from desktop.presenters.ratio import present_ratio
from desktop.presenters.status import present_status
from desktop.snapshot import Mode, Snapshot
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.feed import FeedState, Progress, SourceState
from tests.presenters.conftest import EVENING, build
from widgets.states import GaugeState, Tone, Vote

NOW = datetime(2024, 7, 11, 15, 24, 31, tzinfo=UTC)


def facts(state) -> dict[str, str]:
    return {one.text: one.why for one in state.facts}


# Ratio


def test_ratio_tells_stretch_record_and_reversion_with_their_windows(closed):
    state = present_ratio(closed, Curves(), stop=10.6, target=8.2)
    told = facts(state)
    # METHODS 1 for 10 July 2024, rounded by hand.
    for words in (
        "z(1y) +2.73",
        "z(5y) +2.40",
        "percentile 99.99",
        "vs 200-day +14.0 %",
        "from record −0.01 %",
        "half-life 365 d",
        "ADF p 0.94 (no evidence of reversion)",
    ):
        assert words in told, (words, list(told))
    assert "no probability" in told["z(1y) +2.73"]
    assert "9,279 days since 10 Sep 1987" in told["percentile 99.99"]
    levels = {one.key: one for one in state.levels}
    assert levels["dotcom"].label == "Dot-com peak 8.20 · 27 Mar 2000"
    assert levels["record"].label == "Record 10.08 · 9 Jul 2024"
    assert (levels["stop"].value, levels["stop"].draggable) == (10.6, True)
    assert (levels["target"].value, levels["target"].draggable) == (8.2, True)
    assert not levels["record"].draggable


def test_unknown_figures_of_the_ratio_are_na_with_their_reason(closed):
    stats = replace(
        closed.ratio,
        z={63: Unknown("short"), 252: Unknown("only 120 days"), 756: Unknown("short"), 1260: Unknown("short")},
        vs_sma200_pct=Unknown("only 120 days"),
        half_life_days=Unknown("phi is not between 0 and 1"),
        reverts="not mean-reverting",
        adf=Unknown("being computed"),
    )
    told = facts(present_ratio(replace(closed, ratio=stats), Curves(), stop=None, target=None))
    assert told["z(1y) n/a"] == "only 120 days"
    assert told["vs 200-day n/a"] == "only 120 days"
    assert told["ADF p n/a"] == "being computed"
    assert "phi is not between 0 and 1" in told["half-life: none (not mean-reverting)"]


def test_ratio_without_history_says_why_instead_of_a_chart(empty):
    state = present_ratio(empty, Curves(), stop=None, target=None)
    assert state.message
    assert state.curve is None
    assert state.last is None


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.AS_OF, Mode.DEMO])
def test_ratio_that_is_not_live_is_drawn_so(mode):
    state = present_ratio(build(EVENING, date(2024, 7, 11), mode=mode), Curves(), stop=None, target=None)
    assert state.dimmed
    assert state.last is not None
    assert state.last.tone is Tone.PAST


def test_same_snapshot_makes_equal_states(closed):
    """Equal states are what keeps a panel from painting."""
    curves = Curves()
    first, second = (present_ratio(closed, curves, stop=1.0, target=None) for _ in range(2))
    assert first == second
    assert present_divergence(closed, curves) == present_divergence(closed, curves)
    assert present_gauge(closed, curves) == present_gauge(closed, curves)


# Divergence


def test_divergence_tells_ranks_and_scores_with_their_units(closed):
    told = facts(present_divergence(closed, Curves()))
    # METHODS 2 for 11 July 2024.
    for words in (
        "11 Jul 2024",
        "rank 2nd of 9,280",
        "|D| 12th of 9,280",
        "+6.8σ (sd60)",
        "+5.8σ (sd252)",
        "from open +4.26 pp",
        "5 days +3.34 pp",
        "same release 1st of 293",
        "NDX-down days n/a",
    ):
        assert words in told
    assert told["NDX-down days n/a"] == "too few days"
    assert "11 Sep 1987" in told["rank 2nd of 9,280"]


def test_day_without_minutes_tells_its_gap_in_words(closed):
    state = present_divergence(closed, Curves())
    assert state.spread is None
    assert "+5.82 pp at the close (RUT +3.57 %, NDX −2.24 %)" in state.message
    assert state.dimmed


def test_session_without_minutes_that_still_runs_is_not_told_as_closed(closed):
    state = present_divergence(replace(closed, live=True), Curves())
    assert "+5.82 pp so far (RUT +3.57 %, NDX −2.24 %)" in state.message
    assert "close" not in state.message


def test_divergence_without_anything_says_what_to_do(empty):
    state = present_divergence(empty, Curves())
    assert "F5" in state.message
    assert state.facts[0].text == "rank n/a"
    assert state.facts[0].why


def test_references_tell_why_they_cannot_be_measured(closed):
    choices = {one.key: one for one in present_divergence(closed, Curves()).references}
    assert set(choices) == {"prior_close", "open", "release"}
    assert choices["prior_close"].chosen
    assert choices["release"].label == "Release 08:30"  # CPI came out at 08:30 on 11 July 2024
    assert all(one.why for one in choices.values())


# Gauge


def correlation(**changes: Any) -> CorrelationStats:
    none = np.array([])
    rolling = Rolling(21, none.astype("datetime64[D]"), none, none.astype(np.int64))
    given: dict[str, Any] = {
        "date": date(2024, 7, 11),
        "mean_pairwise": {21: 0.2149, 63: 0.25},
        "n_by_window": {21: 98, 63: 97},
        "n_stocks": 98,
        "n_names": 100,
        "percentile_1y": 0.40,
        "change_5d": -0.02,
        "weighted": 0.2,
        "variance_ratio": 0.2,
        "implied_cor1m": 3.87,
        "implied_percentile": 0.001,
        "implied_date": date(2024, 7, 11),
        "implied_since": date(2006, 1, 3),
        "dispersion": 0.02,
        "dspx": 20.0,
        "compiled": date(2026, 1, 1),
        "rolling": rolling,
        "notes": (),
    }
    return CorrelationStats(**(given | changes))


def gauge(closed: Snapshot, **changes: Any) -> GaugeState:
    history = replace(closed.history, correlation=correlation(**changes))
    return present_gauge(replace(closed, history=history), Curves())


def test_gauge_tells_value_window_names_and_percentile(closed):
    state = gauge(closed)
    assert state.text.text == "0.21"
    assert state.value == pytest.approx(0.2149)
    captions = [one.text for one in state.captions]
    assert captions[0] == "mean pairwise, 21 d · 98 stocks"
    assert captions[1] == "40th percentile of 1 y"
    assert captions[2] == "63 d 0.25 · 11 Jul 2024"
    assert state.legend[1].text.startswith("Implied COR1M 3.87")  # METHODS 3 for 11 July 2024
    assert "11 Jul 2024" in state.legend[1].text


def test_gauge_that_is_not_known_has_no_needle(closed):
    state = gauge(closed, mean_pairwise={21: Unknown("12 names, 20 are needed"), 63: Unknown("short")})
    assert state.value is None
    assert (state.text.text, state.text.why) == ("n/a", "12 names, 20 are needed")


def test_gauge_of_an_empty_store_says_why(empty):
    state = present_gauge(empty, Curves())
    assert state.value is None
    assert state.text.text == "n/a"
    assert state.text.why
    assert all(one.vote is Vote.UNKNOWN for one in state.votes)
    assert all(one.why for one in state.votes)
    assert len(state.votes) == 4


def with_regime(closed, state: State, flags: Flags) -> RegimeStats:
    regime = closed.regime
    assert isinstance(regime, RegimeStats)
    return replace(regime, state=state, flags=flags, since=date(2024, 7, 1), date=date(2024, 7, 11), why="")


@pytest.mark.parametrize(
    ("state", "words", "tone"),
    [
        (State.ORDERLY, "ORDERLY", Tone.GOOD),
        (State.VIOLENT_ROTATION, "VIOLENT ROTATION · not de-grossing", Tone.WARN),
        (State.RISK_OFF, "RISK-OFF", Tone.BAD),
        (State.DE_GROSSING, "DE-GROSSING", Tone.BAD),
        (State.UNKNOWN, "UNKNOWN", Tone.DIM),
    ],
)
def test_regime_is_said_in_words_and_colour(closed, state, words, tone):
    said = regime_text(with_regime(closed, state, Flags(False, False, False, False)))
    assert (said.text, said.tone) == (words, tone)
    assert "since 1 Jul 2024" in said.why


def test_vote_without_data_is_unknown_and_says_so(closed):
    flags = Flags(True, False, Unknown("no VIX"), Unknown("no panel"))
    history = replace(closed.history, regime=with_regime(closed, State.UNKNOWN, flags))
    votes = present_gauge(replace(closed, history=history), Curves()).votes
    assert [one.vote for one in votes] == [Vote.ON, Vote.OFF, Vote.UNKNOWN, Vote.UNKNOWN]
    assert votes[2].why == "no VIX"


# Status bar


def source(state: FeedState, age_s: float | None = None, error=None, success=None) -> SourceState:
    age = Unknown("no quote yet") if age_s is None else age_s
    return SourceState("yahoo", state, age, 0.0, success, error, NOW + timedelta(seconds=95))


DOWN = Failure(FailureKind.OFFLINE, "yahoo", "^RUT", "no route to the host", NOW)


@pytest.mark.parametrize(
    ("state", "label", "tone"),
    [
        (source(FeedState.LIVE, 3.0, success=NOW), "Yahoo 3 s", Tone.GOOD),
        (source(FeedState.DELAYED, 900.0, success=NOW), "Yahoo delayed 15 min", Tone.WARN),
        (source(FeedState.STALE, 200.0, success=NOW), "Yahoo stale 3 min", Tone.WARN),
        (source(FeedState.GAP, 3.0, success=NOW), "Yahoo gap 3 s", Tone.WARN),
        (source(FeedState.CLOSED, 7200.0, success=NOW), "Yahoo closed 2 h", Tone.PAST),
        (source(FeedState.UNAVAILABLE, error=DOWN), "Yahoo unavailable", Tone.BAD),
        (source(FeedState.UNAVAILABLE), "Yahoo waiting", Tone.DIM),  # not asked yet: nothing is wrong
        (source(FeedState.OFF), "Yahoo off", Tone.DIM),
    ],
)
def test_source_says_how_far_it_can_be_trusted(closed, state, label, tone):
    (dot,) = present_status(replace(closed, feed=(state,), moment=NOW), None).dots
    assert (dot.label, dot.tone) == (label, tone)


def test_source_that_failed_tells_cause_cure_and_next_try(closed):
    (dot,) = present_status(
        replace(closed, feed=(source(FeedState.UNAVAILABLE, error=DOWN),), moment=NOW), None
    ).dots
    assert "no route to the host" in dot.why
    assert "check network, proxy and certificate settings" in dot.why
    assert "next try in 1 min" in dot.why


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2024, 7, 11, 15, 0, tzinfo=UTC), "NYSE open, closes 16:00 ET"),
        (datetime(2024, 7, 3, 15, 0, tzinfo=UTC), "NYSE open, closes 13:00 ET (half day)"),
        (datetime(2024, 7, 11, 12, 0, tzinfo=UTC), "NYSE pre-market, opens Thu 11 Jul 09:30 ET"),
        (datetime(2024, 7, 11, 21, 0, tzinfo=UTC), "NYSE post-market, opens Fri 12 Jul 09:30 ET"),
        # Thursday 4 July is a holiday: after Wednesday comes Friday.
        (datetime(2024, 7, 4, 15, 0, tzinfo=UTC), "NYSE closed, opens Fri 5 Jul 09:30 ET"),
        (datetime(2024, 7, 13, 15, 0, tzinfo=UTC), "NYSE closed, opens Mon 15 Jul 09:30 ET"),
    ],
)
def test_session_says_what_the_exchange_does(closed, moment, said):
    assert present_status(replace(closed, moment=moment), None).session.text == said


def test_clocks_show_new_york_and_utc(closed):
    assert present_status(replace(closed, moment=NOW), None).clock == "11:24:31 ET · 15:24:31 UTC"


def test_long_work_tells_what_and_how_much(closed):
    progress = present_status(closed, Progress("daily AAPL", 12, 100)).progress
    assert progress is not None
    assert (progress.what, progress.share) == ("daily AAPL 12 of 100", 0.12)
    unknown = present_status(closed, Progress("looking for missing history", 0, 0)).progress
    assert unknown is not None
    assert unknown.share is None


def test_reason_for_the_demo_is_told_with_the_way_out(closed):
    message = present_status(closed, None, why="the store is empty").message
    assert message is not None
    assert message.text == "Demo shown: the store is empty"
    assert "Ctrl+D" in message.why
    assert present_status(closed, None).message is None
