"""Ratio figures of METHODS 1 on real closes, small checks by hand, and a second computation of each."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import ratio as r
from desktop.market.known import Unknown
from desktop.market.quotes import BadMarketDataError, Closes

DAY = date(2024, 7, 10)


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def closes(symbol: str, first: str, prices) -> Closes:
    days = np.arange(np.datetime64(first), np.datetime64(first) + len(prices))
    return Closes(symbol, days, np.asarray(prices, dtype=float))


@pytest.fixture(scope="module")
def stats(both) -> r.RatioStats:
    result = r.ratio_stats(both.until(DAY))
    assert isinstance(result, r.RatioStats)
    return result


def test_level_and_extremes_of_2024_07_10(stats):
    assert stats.date == DAY
    assert stats.value == pytest.approx(10.0769, abs=5e-5)
    assert stats.dotcom_peak.value == pytest.approx(8.2014, abs=5e-5)
    assert stats.dotcom_peak.date == date(2000, 3, 27)
    assert stats.drawdown_pct == pytest.approx(-0.0105, abs=5e-5)
    assert stats.record.date == date(2024, 7, 9)
    assert stats.since == date(1987, 9, 10)
    assert stats.n_days == 9280
    assert stats.percentile == pytest.approx(0.99989, abs=5e-6)


def test_stretch_and_averages_of_2024_07_10(stats):
    assert [round(stats.z[w], 2) for w in (63, 252, 756, 1260)] == [1.95, 2.73, 2.43, 2.40]
    assert stats.sma200 == pytest.approx(8.8416, abs=5e-5)
    assert stats.vs_sma200_pct == pytest.approx(13.97, abs=5e-3)
    assert stats.sma50 == pytest.approx(9.2881, abs=5e-5)


def test_five_year_fit_of_2024_07_10(stats):
    assert stats.phi == pytest.approx(0.998105, abs=5e-7)
    assert stats.half_life_days == pytest.approx(365, abs=0.5)
    assert stats.half_life_n == 1260


def test_change_of_the_day_equals_the_published_closes(both):
    day = sure(r.ratio_stats(both.until(date(2024, 7, 11))))
    assert day.change_pct == pytest.approx(100 * (9.511049 / 10.076949 - 1), abs=1e-4)


def test_full_sample_unit_root_of_2024_07_10(both):
    found = sure(r.adf(both.until(DAY).log_ratio))
    assert found.stat == pytest.approx(-0.206, abs=5e-4)
    assert found.p == pytest.approx(0.938, abs=5e-4)
    assert found.n + found.lags + 1 == 9280


def test_everything_equals_pandas(both, index_frame):
    day = sure(r.ratio_stats(both.until(date(2019, 12, 31))))
    frame = index_frame.dropna().loc[:"2019-12-31"]
    level = frame["ndx"] / frame["rut"]
    x = np.log(level)
    for window in r.Z_WINDOWS:
        tail = x.iloc[-window:]
        assert day.z[window] == pytest.approx((tail.iloc[-1] - tail.mean()) / tail.std(), rel=1e-9)
    assert day.sma50 == pytest.approx(level.rolling(50).mean().iloc[-1], rel=1e-12)
    assert day.percentile == pytest.approx(x.rank(pct=True, method="max").iloc[-1], rel=1e-12)
    np.testing.assert_allclose(
        r.moving_average(both.ratio, 200)[:3000],
        (both.ratio * 0 + pd.Series(both.ratio).rolling(200).mean().to_numpy())[:3000],
        rtol=1e-9,
    )


def test_small_half_life_checks():
    fit = r.half_life(np.array([2.00, 2.04, 2.10, 2.12, 2.09, 2.05, 2.03, 2.06]))
    assert fit.phi == pytest.approx(0.405928, abs=5e-7)
    assert fit.half_life_days == pytest.approx(0.768814, abs=5e-7)
    assert fit.reads == "mean-reverting"
    none = r.half_life(np.array([2.00, 2.10, 2.05, 2.15, 2.08, 2.12]))
    assert none.phi == pytest.approx(-0.311502, abs=5e-7)
    assert isinstance(none.half_life_days, Unknown)
    assert none.reads == r.NOT_REVERTING


def test_half_life_equals_statsmodels(both):
    import statsmodels.api as sm

    x = both.log_ratio[-1260:]
    fit = sm.OLS(np.diff(x), sm.add_constant(x[:-1])).fit()
    assert r.half_life(x).phi == pytest.approx(1 + fit.params[1], rel=1e-9)


def test_a_half_life_above_two_years_reads_not_mean_reverting():
    assert r.HalfLife(0.999, 505.0, 1260).reads == r.NOT_REVERTING
    assert r.HalfLife(0.998, 504.0, 1260).reads == "mean-reverting"


def test_bootstrap_interval_covers_a_known_phi_and_repeats_with_its_seed():
    generator = np.random.default_rng(5)
    x = np.zeros(1500)
    for t in range(1, len(x)):
        x[t] = 0.9 * x[t - 1] + generator.normal()
    first, again = (sure(r.half_life_interval(x, seed=7, reps=500)) for _ in range(2))
    assert first == again
    assert first.phi_low < 0.9 < first.phi_high
    assert first.days_low < np.log(0.5) / np.log(0.9) < first.days_high
    assert first.phi_high - first.phi_low == pytest.approx(4 * np.sqrt((1 - 0.81) / 1500), rel=0.3)


def test_bootstrap_of_a_random_walk_has_no_upper_bound():
    x = np.cumsum(np.random.default_rng(2).normal(0.001, 0.01, 600)) + 0.05 * np.arange(600)
    found = sure(r.half_life_interval(x, seed=1, reps=400))
    assert isinstance(found.days_high, Unknown)
    assert found.none_share > 0.02


def test_engle_granger_finds_a_common_trend_and_shows_both_ways():
    generator = np.random.default_rng(3)
    trend = np.cumsum(generator.normal(size=800))
    found = sure(r.engle_granger(trend + generator.normal(size=800), trend + generator.normal(size=800)))
    assert found.first_on_second.p < 0.01
    assert found.second_on_first.p < 0.01
    apart = sure(r.engle_granger(trend, np.cumsum(generator.normal(size=800))))
    assert apart.first_on_second.p > 0.05
    with pytest.raises(ValueError, match="800 and 799"):
        sure(r.engle_granger(trend, trend[1:]))


def test_most_of_the_excess_over_the_2000_peak_is_dividends(both, adjusted):
    found = sure(r.total_return_ratio(adjusted[0], adjusted[1], both.until(DAY)))
    assert found.date == DAY
    assert found.since == date(2000, 5, 26)
    assert found.index_excess_pct == pytest.approx(100 * (10.0769 / 8.2014 - 1), abs=0.01)
    assert found.total_excess_pct < found.price_excess_pct / 2
    assert 0.6 < found.yield_gap_pct < 0.8
    prices, total = (
        pd.Series(up.close, up.days) / pd.Series(down.close, down.days)
        for up, down in ((Closes("NDX", both.days, both.ndx), Closes("RUT", both.days, both.rut)), adjusted[::-1])
    )
    common = prices.index.intersection(total.dropna().index)
    excess = [one[common][: str(DAY)].iloc[-1] / one[common][:"2001-12-31"].max() - 1 for one in (prices, total)]
    assert found.dividends_share == pytest.approx(1 - excess[1] / excess[0], rel=1e-9)
    assert 0.6 < found.dividends_share < 0.7
    early = sure(r.total_return_ratio(adjusted[0], adjusted[1], both.until(date(2010, 7, 9))))
    assert isinstance(early.dividends_share, Unknown)


def test_a_missing_session_leaves_no_one_day_change():
    sessions = np.array(["2026-08-26", "2026-08-27", "2026-08-28", "2026-08-31"], dtype="datetime64[D]")
    days = sessions[[0, 1, 3]]
    series = r.pair(Closes("RUT", days, np.array([3.0, 3.0, 3.0])), Closes("NDX", days, np.ones(3)), sessions)
    found = sure(r.ratio_stats(series))
    assert isinstance(found.change_pct, Unknown)
    assert "2026-08-28" in found.change_pct.reason
    assert isinstance(sure(r.ratio_stats(series.until(date(2026, 8, 27)))).change_pct, float)


def test_days_of_one_leg_alone_and_closed_days_are_left_out_and_told():
    rut, ndx = closes("RUT", "2024-01-01", np.arange(1, 9)), closes("NDX", "2024-01-03", np.arange(1, 8))
    sessions = np.setdiff1d(
        np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-02-01")), np.datetime64("2024-01-06")
    )
    series = r.pair(rut, ndx, sessions)
    assert [str(day) for day in series.days] == [
        "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-07", "2024-01-08",
    ]  # fmt: skip
    assert "2024-01-09" in series.notes[0]
    assert "only NDX" in series.notes[0]
    assert "2024-01-06" in series.notes[1]
    assert np.diff(series.position).tolist() == [1, 1, 1, 1]


def test_a_calendar_that_ends_too_early_is_refused():
    leg = closes("RUT", "2024-01-01", [1.0, 2.0, 3.0])
    with pytest.raises(r.CalendarCoverageError, match="2024-01-03"):
        r.pair(leg, leg, leg.days[:2])
    series = r.pair(leg, leg, leg.days)
    with pytest.raises(r.CalendarCoverageError, match="2024-01-04"):
        series.with_live(date(2024, 1, 4), ndx=1.0, rut=1.0)


def test_a_live_level_is_added_or_replaces_the_day():
    leg = closes("RUT", "2024-01-01", [1.0, 2.0, 3.0])
    series = r.pair(leg, closes("NDX", "2024-01-01", [10.0, 20.0, 30.0]))
    added = sure(r.ratio_stats(series, live=(date(2024, 1, 4), 44.0, 4.0)))
    assert (added.value, added.n_days, added.live) == (11.0, 4, True)
    assert added.change_pct == pytest.approx(10.0)
    replaced = sure(r.ratio_stats(series, live=(date(2024, 1, 3), 33.0, 3.0)))
    assert (replaced.value, replaced.n_days) == (11.0, 3)
    with pytest.raises(BadMarketDataError, match="before the last close"):
        series.with_live(date(2024, 1, 2), ndx=1.0, rut=1.0)
    with pytest.raises(BadMarketDataError, match="finite"):
        series.with_live(date(2024, 1, 5), ndx=float("nan"), rut=1.0)


def test_short_and_empty_history_says_what_is_missing():
    leg = closes("RUT", "2024-01-01", [1.0, 2.0])
    found = sure(r.ratio_stats(r.pair(leg, leg)))
    assert found.z[63] == Unknown("needs 63 days, there are 2")
    assert isinstance(found.sma200, Unknown)
    assert isinstance(found.vs_sma200_pct, Unknown)
    assert isinstance(found.dotcom_peak, Unknown)
    assert isinstance(found.phi, Unknown)
    assert isinstance(r.ratio_stats(r.pair(leg, closes("NDX", "2020-01-01", [1.0]))), Unknown)


def test_a_constant_ratio_is_unknown_not_infinite():
    leg = closes("RUT", "2020-01-01", np.full(300, 0.7))
    found = sure(r.ratio_stats(r.pair(leg, closes("NDX", "2020-01-01", np.full(300, 2.1)))))
    assert isinstance(found.z[252], Unknown)
    assert isinstance(found.phi, Unknown)
    assert isinstance(r.adf(np.zeros(50)), Unknown)
    assert isinstance(r.half_life_interval(np.zeros(50), 1), Unknown)


@settings(max_examples=30)
@given(cut=st.integers(300, 399), factor=st.floats(0.5, 2))
def test_what_comes_after_as_of_changes_nothing(cut, factor):
    generator = np.random.default_rng(cut)
    levels = np.exp(np.cumsum(generator.normal(0, 0.01, (2, 400)), axis=1))
    changed = levels.copy()
    changed[:, cut:] *= factor
    last = date.fromisoformat(str(np.datetime64("2000-01-01") + cut - 1))
    found = [
        sure(r.ratio_stats(r.pair(closes("RUT", "2000-01-01", u), closes("NDX", "2000-01-01", n)).until(last)))
        for u, n in (levels, changed)
    ]
    assert found[0] == found[1]


def test_38_years_take_a_few_milliseconds(both):
    sure(r.ratio_stats(both))
    best = min(_timed(both) for _ in range(5))
    assert best < 0.008


def _timed(series: r.PairSeries) -> float:
    start = time.perf_counter()
    sure(r.ratio_stats(series, live=(date(2026, 8, 24), 29000.0, 3000.0)))
    return time.perf_counter() - start
