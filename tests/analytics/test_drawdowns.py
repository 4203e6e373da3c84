"""Declines of METHODS 8 on real closes, segments against a walk by hand, and what is told instead of a number."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import drawdowns as d
from desktop.analytics.divergence import daily_moves
from desktop.analytics.ratio import PairSeries, pair
from desktop.market.known import Unknown
from desktop.market.quotes import Closes

DAYS = np.arange(np.datetime64("2001-01-01"), np.datetime64("2007-01-01"))
levels = st.lists(st.integers(50, 150), min_size=1, max_size=120).map(lambda found: np.array(found, dtype=float))


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def made_pair(rut, ndx) -> PairSeries:
    days = DAYS[: len(rut)]
    return pair(Closes("RUT", days, np.asarray(rut, float)), Closes("NDX", days, np.asarray(ndx, float)))


def walks(seed: int, n: int = 500) -> PairSeries:
    return made_pair(*(100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.015, (2, n)), axis=1))))


@pytest.fixture(scope="module")
def spx(real_data: Path) -> Closes:
    """S&P 500 from August 2024, which is all there is beside the project; weekend copies dropped."""
    column = pd.read_csv(
        real_data / "index-daily" / "spx-ndx-rut-close-yahoo-2024-2026.csv", index_col=0, parse_dates=True
    )["SPX"].dropna()
    days = column.index.to_numpy().astype("datetime64[D]")
    weekday = np.is_busday(days)
    return Closes("^SPX", days[weekday], column.to_numpy(dtype=float)[weekday])


@pytest.fixture(scope="module")
def found(both, spx, cboe) -> d.Declines:
    result: d.Declines = sure(d.declines(both, spx, cboe["VIX"]))
    return result


# --- the figures of METHODS


@pytest.mark.parametrize(
    ("start", "end", "rut_pct", "ndx_pct"),
    [
        (date(2000, 3, 24), date(2002, 10, 9), -43.0, -82.8),
        (date(2007, 10, 9), date(2009, 3, 9), -59.4, -51.9),
        (date(2020, 2, 19), date(2020, 3, 23), -40.8, -27.9),
        (date(2022, 1, 3), date(2022, 10, 12), -25.7, -34.6),
    ],
)
def test_the_checked_declines(found, start, end, rut_pct, ndx_pct):
    row = next(one for one in sure(found.table).rows if one.start == start)
    assert row.end == end
    assert (round(row.rut_pct, 1), round(row.ndx_pct, 1)) == (rut_pct, ndx_pct)
    assert row.spread_pp == pytest.approx(row.rut_pct - row.ndx_pct)
    assert row.holds is (rut_pct > ndx_pct)


def test_small_caps_decline_less_in_eight_of_fourteen(found):
    table = sure(found.table)
    assert (table.holds_in, len(table.rows)) == (8, 14)
    assert table.benchmark == d.SPX_LABEL
    assert "13 of the drawdowns by known dates" in table.notes[0]


def test_the_closes_of_the_sp500_find_what_the_dates_say(both, spx):
    table = sure(d.drawdown_table(both, spx, known=()))
    assert [(row.start, row.end) for row in table.rows] == [d.SPX_DRAWDOWNS[-1]]
    assert table.rows[0].benchmark_pct == pytest.approx(-18.90, abs=0.005)
    assert table.rows[0].benchmark == d.SPX_LABEL


def test_the_known_dates_follow_each_other_on_days_of_both_legs(both):
    dates = [day for one in d.SPX_DRAWDOWNS for day in one]
    assert dates == sorted(dates)
    assert np.isin(np.array(dates, dtype="datetime64[D]"), both.days).all()


def test_without_the_sp500_the_nasdaq_stands_in_and_says_so(both):
    table = sure(d.drawdown_table(both, None, known=()))
    assert table.benchmark == d.NDX_LABEL
    assert all(row.benchmark == d.NDX_LABEL for row in table.rows)
    assert "short leg" in table.notes[0]
    assert all(row.benchmark_pct == pytest.approx(row.ndx_pct) for row in table.rows)
    worst = min(table.rows, key=lambda row: row.ndx_pct)
    assert (worst.start, worst.end) == (date(2000, 3, 27), date(2002, 10, 7))


def test_down_capture_betas_and_conditions_equal_pandas_and_statsmodels(found, index_frame, cboe):
    import statsmodels.api as sm

    frame = index_frame.dropna()
    moves = 100 * frame.pct_change(fill_method=None).iloc[1:]
    spread = moves["rut"] - moves["ndx"]
    fell = moves["ndx"] < 0
    assert found.down_capture.n == fell.sum()
    assert found.down_capture.value == pytest.approx(
        moves["rut"][fell].mean() / moves["ndx"][fell].mean(), rel=1e-9
    )
    large = moves["ndx"] < -2
    for beta, chosen in zip(found.betas, (fell | True, fell, large), strict=True):
        fit = sm.OLS(spread[chosen], sm.add_constant(moves["ndx"][chosen])).fit(cov_type="HC1")
        assert beta.n == chosen.sum()
        assert beta.beta == pytest.approx(fit.params["ndx"], rel=1e-9)
        assert beta.se == pytest.approx(fit.bse["ndx"], rel=1e-6)
    vix = pd.Series(cboe["VIX"].close, pd.to_datetime(cboe["VIX"].days)).reindex(moves.index)
    both_down = fell & (moves["rut"] < 0)
    ndx, _, down, high = found.conditional
    for one, chosen in ((ndx, large), (down, both_down), (high, vix >= 30)):
        assert one.n == chosen.sum()
        assert one.mean_pp == pytest.approx(spread[chosen].mean(), rel=1e-9)
        assert one.hit == pytest.approx((spread[chosen] > 0).mean())
        assert one.se_pp == pytest.approx(spread[chosen].sem(), rel=1e-9)
    assert high.n_days == vix.notna().sum()


def test_the_error_of_down_capture_equals_a_bootstrap(both, found):
    moves = daily_moves(both)
    rut, ndx = (leg[moves.ndx_pct < 0] for leg in (moves.rut_pct, moves.ndx_pct))
    generator = np.random.default_rng(1)
    drawn = [generator.integers(0, len(ndx), len(ndx)) for _ in range(800)]
    values = [rut[at].mean() / ndx[at].mean() for at in drawn]
    assert found.down_capture.se == pytest.approx(np.std(values), rel=0.1)


def test_the_sp500_condition_is_counted_over_its_own_days(found, both, spx):
    one = found.conditional[1]
    closes = pd.Series(spx.close, spx.days)
    moves = 100 * closes.pct_change()
    assert one.condition == "SPX < -2 %"
    assert one.since == date(2024, 8, 23)
    assert one.n == (moves < -2).sum()
    assert one.n_days == np.isin(spx.days, both.days).sum() - 1


def test_a_condition_on_the_short_leg_says_that_it_flatters(found):
    ndx, spx, down, vix = found.conditional
    assert "short leg" in ndx.caution
    assert "flatters" in ndx.caution
    assert "in part" in down.caution
    assert (spx.caution, vix.caution) == ("", "")
    assert ndx.mean_pp > max(spx.mean_pp, down.mean_pp, vix.mean_pp)


# --- segments


def by_hand(level: np.ndarray, threshold: float) -> list[tuple[int, int, int | None]]:
    """Walk along: a close at or above the high ends a drawdown and is the new high."""
    out: list[tuple[int, int, int | None]] = []
    high, low = 0, None
    for at in range(1, len(level)):
        if level[at] >= level[high]:
            if low is not None and level[low] <= level[high] * (1 - threshold / 100):
                out.append((high, low, at))
            high, low = at, None
        elif low is None or level[at] < level[low]:
            low = at
    if low is not None and level[low] <= level[high] * (1 - threshold / 100):
        out.append((high, low, None))
    return out


@given(level=levels, threshold=st.sampled_from([5.0, 10.0, 20.0]))
def test_segments_equal_a_walk_by_hand_and_do_not_overlap(level, threshold):
    rows = d.segments(DAYS[: len(level)], level, threshold)
    place = {date.fromisoformat(str(day)): at for at, day in enumerate(DAYS[: len(level)])}
    got = [(place[one.high], place[one.low], one.recovered and place[one.recovered]) for one in rows]
    assert got == by_hand(level, threshold)
    for one, following in zip_longest(rows, rows[1:]):
        assert one.high < one.low
        assert one.depth_pct <= -threshold + 1e-9
        assert one.depth_pct == pytest.approx(100 * (level[place[one.low]] / level[place[one.high]] - 1))
        assert following is None or (one.recovered is not None and one.low < one.recovered <= following.high)


@given(level=levels, later=levels)
def test_later_days_change_no_drawdown_that_is_over(level, later):
    early = d.segments(DAYS[: len(level)], level)
    whole = d.segments(DAYS[: len(level) + len(later)], np.concatenate([level, later]))
    over = [one for one in early if one.recovered is not None]
    assert list(whole[: len(over)]) == over


@settings(max_examples=30)
@given(cut=st.integers(260, 499), seed=st.integers(0, 40))
def test_what_comes_after_as_of_changes_nothing(cut, seed):
    whole = walks(seed)
    last = whole.day(cut - 1)
    changed = made_pair(np.append(whole.rut[:cut], 2 * whole.rut[cut:]), whole.ndx)
    assert d.declines(whole.until(last)) == d.declines(changed.until(last))


def test_a_known_drawdown_is_not_told_before_its_low(both):
    for day, n in ((date(2020, 3, 20), 11), (date(2020, 3, 23), 12), (date(2022, 1, 3), 12)):
        assert len(sure(d.drawdown_table(both.until(day))).rows) == n


# --- what is missing


def test_without_spx_and_vix_their_conditions_are_unknown(both):
    _, spx, _, vix = d.conditions(both, daily_moves(both))
    assert spx.mean_pp == Unknown("no closes of the S&P 500")
    assert vix.hit == Unknown("no closes of the VIX")
    assert (spx.n, vix.n) == (0, 0)


def test_a_known_drawdown_without_a_close_is_left_out_and_told(both):
    keep = both.days != np.datetime64("2009-03-09")
    table = sure(
        d.drawdown_table(
            pair(Closes("RUT", both.days[keep], both.rut[keep]), Closes("NDX", both.days[keep], both.ndx[keep]))
        )
    )
    assert len(table.rows) == 13
    assert any(note.startswith("1 drawdowns left out") for note in table.notes)


def test_drawdowns_before_the_history_are_not_missed(both):
    begin = int(np.searchsorted(both.days, np.datetime64("2008-01-02")))
    closes = (
        Closes("RUT", both.days[begin:], both.rut[begin:]),
        Closes("NDX", both.days[begin:], both.ndx[begin:]),
    )
    table = sure(d.drawdown_table(pair(*closes)))
    assert table.rows[0].start == date(2015, 5, 21)
    assert not any("left out" in note for note in table.notes)


def test_a_decline_of_exactly_ten_percent_counts():
    (only,) = d.segments(DAYS[:3], np.array([100.0, 90.0, 100.0]))
    assert only.depth_pct == pytest.approx(-10)
    assert d.segments(DAYS[:3], np.array([100.0, 90.01, 100.0])) == ()


def test_days_that_the_sp500_lacks_are_told(both, spx):
    keep = spx.days != np.datetime64("2025-03-04")
    table = sure(d.drawdown_table(both, Closes("^SPX", spx.days[keep], spx.close[keep])))
    assert "the S&P 500 has no close on 1 of the days since 2024-08-22" in table.notes


def test_dates_that_have_run_out_say_so(both):
    later = both.with_live(d.SPX_DATES_KNOWN_TO + timedelta(days=3), ndx=20_000.0, rut=2_000.0)
    assert any(str(d.SPX_DATES_KNOWN_TO) in note for note in sure(d.drawdown_table(later)).notes)


def test_short_and_calm_histories_say_why():
    assert isinstance(d.declines(made_pair([1.0], [1.0])), Unknown)
    assert isinstance(d.drawdown_table(made_pair([], [])), Unknown)
    calm = sure(d.declines(made_pair([100.0, 101.0, 102.0], [100.0, 101.0, 102.0])))
    assert calm.table == Unknown("no drawdown of 10 % in 3 days")
    assert calm.down_capture.value == Unknown("needs 10 days on which NDX fell, there are 0")
    assert calm.betas[0].beta == Unknown("needs 10 days, there are 2")
    assert calm.conditional[0].mean_pp == Unknown("never in 2 days")


def test_a_leg_that_moves_alike_every_day_has_no_beta():
    ndx = 100 * 0.99 ** np.arange(40)
    found = d.pair_betas(daily_moves(made_pair(np.linspace(100, 90, 40), ndx)))
    assert isinstance(found[0].beta, Unknown)
    assert isinstance(found[2].beta, Unknown)
