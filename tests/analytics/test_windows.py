"""Backward-looking windows against pandas and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.analytics.windows import (
    align,
    lagged_level,
    lagged_percentile,
    lagged_sd,
    share_at_or_below,
)

moves = st.lists(st.floats(-20, 20, allow_nan=False), min_size=40, max_size=80).map(np.array)


def test_lagged_sd_equals_pandas_shifted_one_day():
    x = np.random.default_rng(1).normal(0, 1.3, 2000)
    expected = pd.Series(x).rolling(60).std().shift(1).to_numpy()
    np.testing.assert_allclose(lagged_sd(x, 60), expected, rtol=1e-9)


def test_lagged_percentile_counts_by_hand():
    x = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 4.0, 0.5])
    got = lagged_percentile(x, 4)
    assert np.isnan(got[:4]).all()
    np.testing.assert_allclose(got[4:], [2 / 4, 4 / 4, 0 / 4])


def test_a_window_with_less_than_95_percent_has_no_percentile():
    x = np.arange(1.0, 22.0)
    x[3] = np.nan
    assert lagged_percentile(x, 20)[-1] == 1.0
    x[4] = np.nan
    assert np.isnan(lagged_percentile(x, 20)[-1])
    assert np.isnan(lagged_level(x, 20, 0.9))


@given(x=moves, share=st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_the_level_is_where_the_percentile_reaches_the_share(x, share):
    level = lagged_level(x, 30, share)
    for value, reached in ((level, True), (np.nextafter(level, -np.inf), False)):
        x[-1] = value
        assert (lagged_percentile(x, 30)[-1] >= share) is np.bool_(reached)


@given(x=moves, cut=st.integers(32, 39), noise=st.floats(-9, 9))
def test_nothing_looks_ahead(x, cut, noise):
    changed = x.copy()
    changed[cut:] += noise + 1
    for function in (lagged_sd, lagged_percentile):
        np.testing.assert_array_equal(function(x, 30)[:cut], function(changed, 30)[:cut])


def test_alignment_never_carries_forward():
    days = np.array(["2024-01-02", "2024-01-04"], dtype="datetime64[D]")
    onto = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-01-07"))
    got = align(days, np.array([1.0, 2.0]), onto)
    np.testing.assert_array_equal(got, [np.nan, 1.0, np.nan, 2.0, np.nan, np.nan])
    assert np.isnan(align(days[:0], np.array([]), onto)).all()


def test_share_at_or_below_ignores_holes():
    assert share_at_or_below(np.array([1.0, np.nan, 3.0, 2.0]), 2.0) == pytest.approx(2 / 3)
