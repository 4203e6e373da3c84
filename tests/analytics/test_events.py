"""The event study of METHODS 2 on real closes, its draws against a count of all cases, and what it refuses."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import events as e
from desktop.analytics.divergence import daily_moves
from desktop.analytics.ratio import PairSeries, pair
from desktop.market.known import Unknown
from desktop.market.quotes import Closes

CHECKED_TO = date(2026, 2, 27)
DAYS = np.arange(np.datetime64("2000-01-01"), np.datetime64("2012-01-01"))


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def made_pair(rut, ndx, keep=None, sessions=None) -> PairSeries:
    days = DAYS[: len(rut)]
    keep = np.ones(len(rut), dtype=bool) if keep is None else keep
    return pair(Closes("RUT", days[keep], rut[keep]), Closes("NDX", days[keep], ndx[keep]), sessions)


def wild_pair(seed: int, n: int = 700) -> tuple[np.ndarray, np.ndarray]:
    """Two walks whose spread jumps now and then, so that there are events."""
    generator = np.random.default_rng(seed)
    rut, ndx = generator.normal(0, 0.01, (2, n))
    rut[generator.random(n) < 0.02] += 0.06
    return 100 * np.exp(np.cumsum(rut)), 100 * np.exp(np.cumsum(ndx))


@pytest.fixture(scope="module")
def study(both) -> e.EventStudy:
    found: e.EventStudy = sure(e.event_study(both.until(CHECKED_TO)))
    return found


# --- the figures of METHODS


def test_the_checked_figures(study):
    one, twenty = study.outcomes[0].summary, study.outcomes[2].summary
    assert [outcome.summary.horizon_days for outcome in study.outcomes] == [1, 5, 20, 60]
    assert (one.n, round(one.mean_pct, 2), round(one.median_pct, 2), round(one.hit, 2)) == (35, 0.30, -0.12, 0.46)
    assert (twenty.n, round(twenty.mean_pct, 2), round(twenty.median_pct, 2)) == (35, -0.15, -0.38)
    assert round(twenty.hit, 2) == 0.43


def test_the_answer_moves_with_the_rule(study):
    stated, logs, exactly = study.sensitivity
    assert stated.summaries == tuple(outcome.summary for outcome in study.outcomes)
    assert (logs.n_events, logs.summaries[0].n, round(logs.summaries[0].mean_pct, 2)) == (38, 38, 0.09)
    assert (exactly.n_events, exactly.summaries[0].n) == (36, 36)
    assert round(exactly.summaries[0].mean_pct, 2) == 0.16
    assert "log" in logs.rule.name
    assert "exactly 20" in exactly.rule.name


def test_the_cpi_day_is_the_last_event_and_nothing_is_a_verdict(study):
    assert len(study.events) == 35
    assert study.events[-1] == date(2024, 7, 11)
    assert all(outcome.reads == "cannot be told from chance (n 35)" for outcome in study.outcomes)


def test_everything_equals_pandas(both, index_frame, study):
    frame = index_frame.dropna().loc[: str(CHECKED_TO)]
    moves = 100 * frame.pct_change(fill_method=None)
    spread = moves["rut"] - moves["ndx"]
    score = spread / spread.rolling(252).std().shift(1)
    chosen: list[int] = []
    for at in np.flatnonzero(score >= 3):
        if not chosen or at - chosen[-1] > 20:
            chosen.append(int(at))
    assert [frame.index[at].date() for at in chosen] == list(study.events)
    path = 100 * np.log(frame["rut"] / frame["ndx"])
    for outcome in study.outcomes:
        change = path.shift(-outcome.summary.horizon_days) - path
        after = change.iloc[chosen].dropna()
        assert outcome.summary.mean_pct == pytest.approx(after.mean(), rel=1e-9)
        assert outcome.summary.median_pct == pytest.approx(after.median(), rel=1e-9)
        assert outcome.summary.hit == pytest.approx((after > 0).mean())
        assert outcome.unconditional_mean_pct == pytest.approx(change.mean(), rel=1e-9)
        assert outcome.unconditional_n == change.count()


def test_the_interval_is_about_as_wide_as_theory_and_as_scipy(both, study):
    from scipy.stats import bootstrap

    path = -100 * both.log_ratio
    rows = np.searchsorted(both.days, np.array(study.events, dtype="datetime64[D]"))
    for outcome in study.outcomes[:3]:
        after = path[rows + outcome.summary.horizon_days] - path[rows]
        theirs = bootstrap(
            (after,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(4)
        ).confidence_interval
        low, high = sure(outcome.ci95_pct)
        assert outcome.mean_block == 1
        assert low == pytest.approx(theirs.low, abs=0.03 * (high - low))
        assert high == pytest.approx(theirs.high, abs=0.03 * (high - low))
        assert outcome.resamples >= 5000
    assert study.outcomes[3].mean_block == 3


def test_the_placebo_equals_one_drawn_by_rejection(both, study):
    """Draws by another way: a random day again and again, kept when it is far enough from those kept."""
    generator = np.random.default_rng(9)
    path = -100 * both.until(CHECKED_TO).log_ratio
    first = int(np.searchsorted(both.days, np.datetime64(study.since)))
    for outcome in (study.outcomes[0], study.outcomes[2]):
        h = outcome.summary.horizon_days
        change = path[first + h :] - path[first:-h]
        means: list[float] = []
        while len(means) < 2000:
            drawn = np.sort(generator.integers(0, len(change), 35))
            if (np.diff(drawn) > 20).all():
                means.append(change[drawn].mean())
        far = np.abs(np.array(means) - np.mean(means)) >= abs(outcome.summary.mean_pct - np.mean(means))
        error = np.sqrt(outcome.placebo_p * (1 - outcome.placebo_p) / 2000)
        assert outcome.placebo_p == pytest.approx(far.mean(), abs=4 * error)


def test_the_fan_begins_at_zero_and_ends_where_the_outcomes_are(study):
    fan = sure(study.fan)
    assert fan.n == 35
    assert fan.quantiles_pct.shape == (len(fan.levels), 61)
    assert (fan.quantiles_pct[:, 0] == 0).all()
    assert (np.diff(fan.quantiles_pct, axis=0) >= 0).all()
    middle = fan.quantiles_pct[fan.levels.index(0.5)]
    for outcome in study.outcomes:
        h = outcome.summary.horizon_days
        assert middle[h] == pytest.approx(outcome.summary.median_pct)
        assert fan.mean_pct[h] == pytest.approx(outcome.summary.mean_pct)
        assert fan.unconditional_pct[h] == pytest.approx(outcome.unconditional_mean_pct)


def test_a_month_after_the_cpi_day_its_long_outcome_is_still_pending(both):
    found = sure(e.event_study(both.until(date(2024, 8, 15)), resamples=200))
    day, _, twenty, sixty = (outcome.summary for outcome in found.outcomes)
    assert (day.n, day.pending) == (35, 0)
    assert (twenty.n, twenty.pending, sixty.n, sixty.pending) == (35, 0, 34, 1)
    assert sure(found.fan).n == 34


def test_an_outcome_is_over_on_the_last_day_of_its_horizon(both):
    after = np.flatnonzero(both.days == np.datetime64("2024-07-11"))[0] + 20
    for day, n, pending in ((both.day(after - 1), 34, 1), (both.day(after), 35, 0)):
        one = sure(e.event_study(both.until(day), horizons_days=(20,), resamples=50)).outcomes[0].summary
        assert (one.n, one.pending, one.broken) == (n, pending, 0)


# --- draws


def test_spaced_draws_give_every_set_equally_often():
    every = [one for one in combinations(range(10), 3) if min(np.diff(one)) > 2]
    drawn = e.spaced_draws(10, 3, 2, 40_000, np.random.default_rng(1))
    counts = Counter(tuple(int(place) for place in one) for one in drawn)
    assert sorted(counts) == every
    expected = 40_000 / len(every)
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < len(every) + 4 * np.sqrt(2 * len(every))


@given(count=st.integers(1, 6), gap=st.integers(0, 9), spare=st.integers(0, 30), seed=st.integers(0, 99))
def test_spaced_draws_keep_their_distance_and_stay_inside(count, gap, spare, seed):
    n = 1 + (count - 1) * (gap + 1) + spare
    drawn = e.spaced_draws(n, count, gap, 20, np.random.default_rng(seed))
    assert drawn.min() >= 0
    assert drawn.max() < n
    assert (np.diff(drawn, axis=1) > gap).all()


def test_the_stationary_bootstrap_has_the_published_variance():
    """Politis and Romano (1994), eq. 9, with circular autocovariances and block probability p = 1 / 5."""
    x = np.sin(np.arange(60) / 4) + np.random.default_rng(6).normal(0, 0.3, 60)
    centred, n, p = x - x.mean(), 60, 1 / 5
    circular = np.array([centred @ np.roll(centred, k) / n for k in range(n)])
    k = np.arange(1, n)
    variance = (circular[0] + 2 * np.sum((1 - k / n) * (1 - p) ** k * circular[1:])) / n
    means = e.bootstrap_means(x, 40_000, np.random.default_rng(2), mean_block=5)
    assert means.var() == pytest.approx(variance, rel=0.04)
    alone = e.bootstrap_means(x, 40_000, np.random.default_rng(2))
    assert alone.var() == pytest.approx(circular[0] / n, rel=0.04)


# --- properties


def test_the_same_seed_gives_the_same_study_and_another_horizon_changes_nothing():
    series = made_pair(*wild_pair(3, 2000))
    first, again = (sure(e.event_study(series, resamples=500)) for _ in range(2))
    assert first.outcomes == again.outcomes
    alone = sure(e.event_study(series, horizons_days=(20,), resamples=500))
    assert alone.outcomes[0] == first.outcomes[2]
    other = sure(e.event_study(series, resamples=500, seed=1))
    assert other.outcomes[0].ci95_pct != first.outcomes[0].ci95_pct


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(450, 699), seed=st.integers(0, 50))
def test_later_days_change_no_outcome_that_is_over(cut, seed):
    rut, ndx = wild_pair(seed)
    whole, early = made_pair(rut, ndx), made_pair(rut[:cut], ndx[:cut])
    later_rows, rows = (e.event_rows(one, daily_moves(one), e.RULE) for one in (whole, early))
    np.testing.assert_array_equal(rows, later_rows[later_rows < cut])
    changes, early_changes = (e._changes(one, 20) for one in (whole, early))
    np.testing.assert_array_equal(early_changes[: cut - 20], changes[: cut - 20])
    assert np.isnan(early_changes[cut - 20 :]).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 200))
def test_what_counts_adds_up_and_p_is_a_probability(seed):
    found = e.event_study(made_pair(*wild_pair(seed)), resamples=100)
    if isinstance(found, Unknown):
        return
    events = np.array(found.events, dtype="datetime64[D]")
    assert (np.diff(events).astype(int) > e.GAP_DAYS).all()
    for outcome in found.outcomes:
        one = outcome.summary
        assert one.n + one.pending + one.broken == len(events)
        assert min(one.pending, one.broken) >= 0
        assert isinstance(outcome.placebo_p, Unknown) or 1 / 101 <= outcome.placebo_p <= 1
        assert isinstance(outcome.ci95_pct, Unknown) is (one.n < e.LEAST_FOR_INTERVAL)
        assert f"(n {one.n})" in outcome.reads or outcome.reads.startswith("no verdict")


# --- what is missing


def test_no_outcome_reaches_over_a_missing_session():
    rut, ndx = wild_pair(3)
    whole = made_pair(rut, ndx)
    row = int(e.event_rows(whole, daily_moves(whole), e.RULE)[0])
    keep = np.ones(len(rut), dtype=bool)
    keep[row + 10] = False
    broken = made_pair(rut, ndx, keep, DAYS)
    before, after = (sure(e.event_study(one, resamples=100)) for one in (whole, broken))
    assert before.events[0] == after.events[0]
    assert before.outcomes[2].summary.broken == 0
    assert [outcome.summary.broken for outcome in after.outcomes[:2]] == [0, 0]
    assert [outcome.summary.broken for outcome in after.outcomes[2:]] == [1, 1]


def test_the_gap_counts_sessions_and_not_rows():
    """Twenty-one sessions apart with one of them missing: still more than twenty."""
    generator = np.random.default_rng(8)
    rut, ndx = generator.normal(0, 0.002, (2, 400))
    rut[[300, 321]] += 0.05
    rut, ndx = 100 * np.exp(np.cumsum(rut)), 100 * np.exp(np.cumsum(ndx))
    keep = np.ones(400, dtype=bool)
    keep[310] = False
    series = made_pair(rut, ndx, keep, DAYS)
    assert [str(series.days[row]) for row in e.event_rows(series, daily_moves(series), e.RULE)] == [
        str(DAYS[300]),
        str(DAYS[321]),
    ]


def test_short_calm_and_empty_histories_say_why():
    rut, ndx = wild_pair(3)
    assert sure_reason(e.event_study(made_pair(rut[:200], ndx[:200]))).startswith("needs 252 days")
    assert sure_reason(e.event_study(made_pair(rut[:0], ndx[:0]))).startswith("needs 252 days")
    calm = 100 * np.exp(np.cumsum(np.tile([0.01, -0.01], 200)))
    assert "no day of" in sure_reason(e.event_study(made_pair(calm, np.full(400, 100.0))))


def test_few_events_give_a_mean_but_no_interval_and_no_verdict():
    generator = np.random.default_rng(8)
    rut, ndx = generator.normal(0, 0.002, (2, 400))
    rut[[300, 350]] += 0.05
    found = sure(e.event_study(made_pair(*(100 * np.exp(np.cumsum(one)) for one in (rut, ndx))), resamples=100))
    outcome = found.outcomes[2]
    assert outcome.summary.n == 2
    assert isinstance(outcome.summary.mean_pct, float)
    assert outcome.ci95_pct == Unknown("needs 10 outcomes, there are 2")
    assert outcome.reads == "no verdict: needs 10 outcomes, there are 2"
    assert isinstance(found.fan, Unknown)


@pytest.mark.parametrize(("follows", "reads"), [(0.02, "continued"), (-0.02, "reversed")])
def test_a_drift_that_is_there_is_found(follows, reads):
    """Every event is followed by a day that goes on, or comes back."""
    generator = np.random.default_rng(8)
    rut, ndx = generator.normal(0, 0.004, (2, 3000))
    jumps = np.arange(300, 2900, 100)
    rut[jumps] += 0.05
    rut[jumps + 1] += follows
    found = sure(e.event_study(made_pair(*(100 * np.exp(np.cumsum(one)) for one in (rut, ndx))), resamples=1000))
    assert found.outcomes[0].reads == f"{reads} (n {len(jumps)})"
    assert found.outcomes[0].placebo_p == pytest.approx(1 / 1001)


def test_the_placebo_is_drawn_from_days_that_could_have_been_events():
    """The first 200 days drift by 2 % a day and have no score: none of them is drawn."""
    rut, ndx = np.random.default_rng(8).uniform(-0.002, 0.002, (2, 1500))
    rut[600::60] += 0.05
    drift = rut.copy()
    drift[:200] += 0.02
    calm, drifts = (
        sure(e.event_study(made_pair(*(100 * np.exp(np.cumsum(one)) for one in (leg, ndx))), resamples=400))
        for leg in (rut, drift)
    )
    assert len(calm.events) == 15
    assert calm.events == drifts.events
    one, other = calm.outcomes[0], drifts.outcomes[0]
    assert one.placebo_p == other.placebo_p
    assert other.unconditional_mean_pct > one.unconditional_mean_pct + 0.2


def sure_reason(found: object) -> str:
    assert isinstance(found, Unknown)
    return found.reason
