"""Correlation figures of METHODS 3, numpy's correlation matrix as second computation, bounds and cost."""

from __future__ import annotations

import gc
import time
import tracemalloc
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import correlation as c
from desktop.market.known import Unknown
from desktop.market.quotes import Closes, Panel

SMALL = np.array([[1, 2, -1], [2, 1, 0], [-1, 0, 2], [0, -2, 1], [3, 4, -3]], dtype=float)
WEIGHTS = np.array([0.5, 0.3, 0.2])


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def by_matrix(x: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Weighted mean of the off-diagonal correlations, from the whole matrix."""
    w = np.ones(x.shape[1]) if weights is None else weights
    pairs = np.outer(w, w)
    np.fill_diagonal(pairs, 0.0)
    return float((np.corrcoef(x.T) * pairs).sum() / pairs.sum())


def panel_of(returns: np.ndarray, first: str = "2015-01-01") -> Panel:
    levels = 100 * np.exp(np.vstack([np.zeros(returns.shape[1]), np.cumsum(np.nan_to_num(returns), axis=0)]))
    days = np.arange(np.datetime64(first), np.datetime64(first) + len(levels))
    return Panel("made", tuple(f"N{i}" for i in range(returns.shape[1])), days, levels, date(2024, 1, 2))


def between(panel: Panel, first: str, last: str) -> Panel:
    here = (panel.days >= np.datetime64(first)) & (panel.days <= np.datetime64(last))
    return Panel(panel.name, panel.tickers, panel.days[here], panel.close[here], panel.compiled)


def test_small_check():
    found = c.mean_pairwise(SMALL)
    assert found.value == pytest.approx(-0.33274475, abs=5e-9)
    assert (found.n, found.days) == (3, 5)


def test_small_check_weighted():
    assert c.mean_pairwise(SMALL, WEIGHTS).value == pytest.approx(-0.08405891, abs=5e-9)


def test_small_check_of_the_variance_ratio_proxy():
    assert c.variance_ratio(SMALL, WEIGHTS) == pytest.approx(-0.08008875, abs=5e-9)


def test_implied_correlation_formula():
    weights, vols = np.array([0.3, 0.4, 0.3]), np.array([0.25, 0.35, 0.18])
    assert c.implied_correlation(0.21, weights, vols) == pytest.approx(0.3609, abs=5e-5)
    assert isinstance(c.implied_correlation(0.2, np.array([1.0]), np.array([0.2])), Unknown)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [("2020-02-20", "2020-04-30", 0.6739), ("2024-07-01", "2024-08-30", 0.2149)],
)
def test_us_83_in_a_crash_and_in_a_calm_summer(us83, first, last, expected):
    returns = c.log_returns(between(us83, first, last))
    found = c.mean_pairwise(returns.log_return)
    assert found.value == pytest.approx(expected, abs=5e-5)
    assert found.n == 83


def test_us_83_equals_numpys_matrix_to_1e_12(us83):
    returns = c.log_returns(us83)
    for window in (21, 63):
        rolling = c.rolling_mean_pairwise(returns, window)
        for end in range(window, len(returns.days) + 1, 97):
            expected = by_matrix(returns.log_return[end - window : end])
            assert rolling.mean_pairwise[end - 1] == pytest.approx(expected, abs=1e-12)
            assert rolling.n[end - 1] == 83
        assert np.isnan(rolling.mean_pairwise[: window - 1]).all()


def test_weighted_rolling_equals_the_weighted_matrix(us83):
    returns = c.log_returns(us83)
    weights = np.random.default_rng(0).uniform(0.1, 3, 83)
    rolling = c.rolling_mean_pairwise(returns, 21, weights)
    for end in (21, 900, len(returns.days)):
        expected = by_matrix(returns.log_return[end - 21 : end], weights)
        assert rolling.mean_pairwise[end - 1] == pytest.approx(expected, abs=1e-12)


def test_large_common_level_does_not_cost_precision():
    x = np.random.default_rng(4).normal(1e4, 1.0, (63, 30))
    assert c.mean_pairwise(x).value == pytest.approx(by_matrix(x), abs=1e-12)


def test_cor1m_is_the_published_index(cboe):
    cor1m = cboe["COR1M"]
    panel = panel_of(np.random.default_rng(0).normal(0, 0.01, (30, 5)))
    day = sure(c.gauge(panel, cor1m=cor1m.until(date(2024, 7, 11))))
    assert day.implied_cor1m == pytest.approx(3.87)
    assert day.implied_date == date(2024, 7, 11)
    assert day.implied_since == date(2006, 1, 3)
    low = sure(c.gauge(panel, cor1m=cor1m.until(date(2024, 7, 12))))
    assert low.implied_cor1m == pytest.approx(2.93)
    assert low.implied_percentile == pytest.approx(1 / len(cor1m.until(date(2024, 7, 12))))
    assert cor1m.close.min() == pytest.approx(2.93)


def test_gauge_of_us_83_equals_pandas(us83):
    cut = between(us83, "2018-01-01", "2024-07-11")
    found = sure(c.gauge(cut))
    frame = pd.DataFrame(np.log(cut.close)).diff().iloc[1:]
    history = [by_matrix(frame.iloc[end - 21 : end].to_numpy()) for end in range(len(frame) - 252, len(frame) + 1)]
    assert found.date == date(2024, 7, 11)
    assert found.mean_pairwise[21] == pytest.approx(history[-1], abs=1e-12)
    assert found.mean_pairwise[63] == pytest.approx(by_matrix(frame.iloc[-63:].to_numpy()), abs=1e-12)
    assert found.change_5d == pytest.approx(history[-1] - history[-6], abs=1e-12)
    assert found.percentile_1y == pytest.approx(np.mean(np.array(history[:-1]) <= history[-1]))
    assert found.dispersion == pytest.approx(frame.iloc[-1].std(), rel=1e-12)
    assert found.n_stocks == found.n_names == 83
    assert "compiled 2025-12-31" in found.notes[0]


def test_gauge_takes_a_history_computed_before(us83):
    first = sure(c.gauge(us83))
    again = sure(c.gauge(us83, rolling=first.rolling))
    assert again.rolling is first.rolling
    assert again.mean_pairwise == first.mean_pairwise


def test_latest_equals_rolling_with_halts_and_late_listings():
    x = np.random.default_rng(8).normal(0, 0.01, (400, 12))
    x[:350, 0] = np.nan
    x[380, 1] = np.nan
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + 400)
    returns = c.Returns(tuple("abcdefghijkl"), days, x, days[:0])
    for window in (21, 63):
        latest, rolling = c.latest_mean_pairwise(returns, window), c.rolling_mean_pairwise(returns, window)
        assert latest.n == rolling.n[-1] == 10
        assert latest.value == pytest.approx(rolling.mean_pairwise[-1], abs=1e-14)
        assert latest.value == pytest.approx(by_matrix(x[-window:, 2:]), abs=1e-12)


def test_a_halted_name_leaves_the_window_and_comes_back():
    x = np.random.default_rng(1).normal(0, 0.01, (100, 5))
    closes = np.array(panel_of(x).close)
    closes[50, 2] = np.nan
    made = panel_of(x)
    returns = c.log_returns(Panel("halt", made.tickers, made.days, closes, made.compiled))
    assert np.isnan(returns.log_return[49:51, 2]).all()
    assert np.isfinite(returns.log_return[51, 2])
    n = c.rolling_mean_pairwise(returns, 21).n
    assert n[48] == 5
    assert (n[49 : 51 + 20] == 4).all()
    assert n[71] == 5


def test_a_name_below_95_percent_coverage_does_not_count_even_where_complete():
    x = np.random.default_rng(1).normal(0, 0.01, (300, 4))
    x[100:113, 0] = np.nan
    x[100:112, 1] = np.nan
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-10-27"))
    n = c.rolling_mean_pairwise(c.Returns(tuple("abcd"), days, x, days[:0]), 21).n
    # 12 of 252 days missing are 4.8 %, 13 are 5.2 %.
    assert n[299] == 3


def test_a_constant_name_is_left_out():
    x = np.random.default_rng(1).normal(0, 0.01, (63, 5))
    x[:, 3] = 0.1
    found = c.mean_pairwise(x)
    assert found.n == 4
    assert found.value == pytest.approx(by_matrix(np.delete(x, 3, axis=1)), abs=1e-12)
    assert isinstance(c.mean_pairwise(np.full((21, 3), 0.01)).value, Unknown)
    assert isinstance(c.mean_pairwise(x[:, :1]).value, Unknown)
    assert isinstance(c.mean_pairwise(x[:2]).value, Unknown)


def test_no_return_is_computed_across_a_missing_session():
    made = panel_of(np.random.default_rng(1).normal(0, 0.01, (10, 3)))
    gone = np.delete(np.arange(11), 5)
    cut = Panel("hole", made.tickers, made.days[gone], made.close[gone], made.compiled)
    returns = c.log_returns(cut, made.days)
    assert returns.holes.tolist() == [made.days[6].item()]
    assert len(returns.days) == 8
    assert made.days[6] not in returns.days


def test_identical_names_are_one_and_mirrored_names_reach_the_floor():
    x = np.random.default_rng(2).normal(0, 0.01, 30)
    assert c.mean_pairwise(np.column_stack([x, 2 * x, 3 * x])).value == pytest.approx(1.0, abs=1e-12)
    assert c.mean_pairwise(np.column_stack([x, -x])).value == pytest.approx(-1.0, abs=1e-12)


def test_dispersion_skips_missing_names():
    x = np.array([[0.01, np.nan, 0.03], [np.nan, np.nan, 0.01]])
    days = np.array(["2024-01-02", "2024-01-03"], dtype="datetime64[D]")
    found = c.dispersion(c.Returns(tuple("abc"), days, x, days[:0]))
    assert found[0] == pytest.approx(np.std([0.01, 0.03], ddof=1))
    assert np.isnan(found[1])


def test_without_data_every_number_has_a_reason():
    assert isinstance(c.gauge(None), Unknown)
    short = sure(c.gauge(panel_of(np.random.default_rng(0).normal(0, 0.01, (10, 4)))))
    assert short.mean_pairwise[21] == Unknown("needs 21 returns, there are 10")
    for number in (short.percentile_1y, short.change_5d, short.implied_cor1m, short.dspx, short.weighted):
        assert isinstance(number, Unknown)
    assert isinstance(sure(c.gauge(panel_of(np.zeros((40, 4))))).mean_pairwise[21], Unknown)


def test_dspx_is_reported_in_index_points():
    days = np.array(["2024-01-02"], dtype="datetime64[D]")
    panel = panel_of(np.random.default_rng(0).normal(0, 0.01, (30, 4)))
    assert sure(c.gauge(panel, dspx=Closes("DSPX", days, np.array([31.87])))).dspx == 31.87


shapes = st.tuples(st.integers(3, 30), st.integers(2, 12), st.integers(0, 10_000))


@given(shape=shapes, common=st.floats(-3, 3))
def test_mean_correlation_lies_between_its_bounds(shape, common):
    days, names, seed = shape
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(days, names)) + common * generator.normal(size=(days, 1))
    found = sure(c.mean_pairwise(x).value)
    assert -1 / (names - 1) <= found <= 1
    assert found == pytest.approx(by_matrix(x), abs=1e-12)


@given(shape=shapes)
def test_the_order_of_names_and_days_does_not_matter(shape):
    days, names, seed = shape
    generator = np.random.default_rng(seed)
    x, w = generator.normal(size=(days, names)), generator.uniform(0.1, 1, names)
    order = generator.permutation(names)
    shuffled = x[generator.permutation(days)][:, order]
    assert c.mean_pairwise(shuffled).value == pytest.approx(c.mean_pairwise(x).value, abs=1e-12)
    weighted = c.mean_pairwise(shuffled, w[order]).value
    assert weighted == pytest.approx(c.mean_pairwise(x, w).value, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(30, 99), seed=st.integers(0, 1000))
def test_what_comes_later_changes_nothing(cut, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(100, 6))
    x[generator.random((100, 6)) < 0.01] = np.nan
    changed = x.copy()
    changed[cut:] = generator.normal(size=(100 - cut, 6))
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-04-10"))
    first, second = (
        c.rolling_mean_pairwise(c.Returns(tuple("abcdef"), days, y, days[:0]), 21) for y in (x, changed)
    )
    np.testing.assert_allclose(first.mean_pairwise[:cut], second.mean_pairwise[:cut], atol=1e-14)
    np.testing.assert_array_equal(first.n[:cut], second.n[:cut])


@pytest.mark.slow
def test_a_hundred_names_a_hundred_times_faster_than_pandas():
    returns = c.log_returns(panel_of(np.random.default_rng(0).normal(0, 0.01, (2520, 100))))
    frame = pd.DataFrame(returns.log_return)
    start = time.perf_counter()
    wide = frame.rolling(21).corr()
    pandas_s = time.perf_counter() - start
    ours_s = min(_seconds(returns) for _ in range(5))
    matrices = wide.to_numpy().reshape(2520, 100, 100)
    expected = (matrices.sum(axis=(1, 2)) - 100) / (100 * 99)
    np.testing.assert_allclose(c.rolling_mean_pairwise(returns, 21).mean_pairwise, expected, atol=1e-9)
    assert pandas_s / ours_s >= 100


def _seconds(returns: c.Returns) -> float:
    start = time.perf_counter()
    c.rolling_mean_pairwise(returns, 21)
    return time.perf_counter() - start


@pytest.mark.slow
def test_two_thousand_names_stay_below_two_seconds_and_500_megabytes():
    x = np.random.default_rng(0).normal(0, 0.01, (2520, 2000))
    x[:900, 7] = np.nan
    days = np.arange(np.datetime64("2015-01-01"), np.datetime64("2015-01-01") + 2520)
    returns = c.Returns(tuple(f"N{i}" for i in range(2000)), days, x, days[:0])
    assert min(_seconds(returns) for _ in range(2)) < 2.0
    gc.collect()
    tracemalloc.start()
    rolling = c.rolling_mean_pairwise(returns, 21)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak + x.nbytes < 500e6
    assert rolling.n[500] == 1999
    assert rolling.mean_pairwise[500] == pytest.approx(by_matrix(np.delete(x, 7, axis=1)[480:501]), abs=1e-12)
