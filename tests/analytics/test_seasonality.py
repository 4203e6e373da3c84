"""Election-year volatility of METHODS 7 on the real VIX; exact p against all cases listed."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import seasonality as s
from desktop.analytics.ratio import CalendarCoverageError
from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE

SESSIONS = NYSE.days(date(1990, 1, 1), date(2026, 12, 31))
ELECTIONS = list(range(1992, 2025, 4))


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


@pytest.fixture(scope="module")
def frame(real_data: Path) -> pd.Series:
    """Closes of the VIX as Cboe publishes them, days without a session among them."""
    history = pd.read_csv(real_data / "vol-cboe" / "VIX_History.csv")
    return pd.Series(history["CLOSE"].to_numpy(), pd.to_datetime(history["DATE"], format="%m/%d/%Y"))


@pytest.fixture(scope="module")
def vix(frame) -> Closes:
    return Closes("^VIX", frame.index.to_numpy().astype("datetime64[D]"), frame.to_numpy(dtype=float))


@pytest.fixture(scope="module")
def found(vix) -> s.Seasonality:
    result: s.Seasonality = sure(s.seasonality(vix, SESSIONS))
    return result


# --- the figures of METHODS


def test_july_and_august_rise_in_four_of_nine_against_fifteen_of_twenty_seven(found):
    one = found.jul_aug
    assert (one.up, one.n_election, one.other_up, one.n_other) == (4, 9, 15, 27)
    assert one.reads == "not supported (4 of 9 against 15 of 27)"
    assert one.difference < 0


def test_october_rises_in_eight_of_nine_and_is_weak_after_twelve_looks(found):
    one = found.oct
    assert (one.up, one.n_election) == (8, 9)
    assert one.reads == "weakly supported (8 of 9 against 11 of 27)"
    assert one.p < 0.05 < one.p_max
    assert sure(found.months)[9].p_max == one.p_max


def test_all_nine_election_years_have_both_figures(found):
    assert [year.year for year in found.election_years] == ELECTIONS
    assert all(
        isinstance(value, float)
        for year in found.election_years
        for value in (year.jul_aug_over_jun, year.oct_over_sep)
    )


def test_the_unfinished_year_is_left_out_and_told(found):
    last = found.years[-1]
    assert last.year == 2026
    assert last.jul_aug_over_jun == Unknown("2026-07, 2026-08 not complete")
    assert "2026 left out of July-August: 2026-07, 2026-08 not complete" in found.notes
    assert np.isnan(found.lines.other_mean).sum() == 0
    assert found.lines.other_n.tolist() == [28, 28] + [27] * 10


# --- a second computation


def test_ratios_means_and_lines_equal_pandas(found, frame):
    inside = frame[frame.index.isin(pd.to_datetime(SESSIONS))]
    months = inside.groupby([inside.index.year, inside.index.month]).mean().unstack()
    summer = inside[inside.index.month.isin([7, 8])]
    g = np.log(summer.groupby(summer.index.year).mean() / months[6])
    h = np.log(months[10] / months[9])
    for year in found.years[:-1]:
        assert year.jul_aug_over_jun == pytest.approx(g[year.year], rel=1e-12)
        assert year.oct_over_sep == pytest.approx(h[year.year], rel=1e-12)
    np.testing.assert_allclose(found.lines.vix, months.loc[ELECTIONS].to_numpy(), rtol=1e-12)
    others = months.drop(index=ELECTIONS)
    np.testing.assert_allclose(found.lines.other_mean[3:], others.mean().to_numpy()[3:], rtol=1e-12)
    for one, series in ((found.jul_aug, g), (found.oct, h)):
        election = series.index.isin(ELECTIONS)
        assert one.difference == pytest.approx(series[election].mean() - series[~election].mean(), rel=1e-9)


def test_the_rises_by_chance_equal_scipy(found):
    from scipy.stats import fisher_exact, hypergeom

    for one in (found.jul_aug, found.oct):
        rest = [[one.up, one.n_election - one.up], [one.other_up, one.n_other - one.other_up]]
        assert one.p_up == pytest.approx(fisher_exact(rest, alternative="greater").pvalue, rel=1e-9)
        assert one.p_up == pytest.approx(hypergeom.sf(one.up - 1, 36, one.up + one.other_up, 9), rel=1e-9)


def test_exact_p_equals_a_large_random_permutation(found):
    from scipy.stats import permutation_test

    for one, name in ((found.jul_aug, "jul_aug_over_jun"), (found.oct, "oct_over_sep")):
        groups = [
            np.array([getattr(year, name) for year in found.years[:-1] if year.election is election])
            for election in (True, False)
        ]
        drawn = permutation_test(
            groups,
            lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
            n_resamples=40_000,
            vectorized=True,
            rng=np.random.default_rng(3),
            alternative="greater",
        )
        assert one.p_higher == pytest.approx(drawn.pvalue, abs=0.006)


def test_the_interval_equals_scipy(found):
    from scipy.stats import bootstrap

    groups = [
        np.array([year.oct_over_sep for year in found.years[:-1] if year.election is election])
        for election in (True, False)
    ]
    theirs = bootstrap(
        groups,
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    low, high = found.oct.ci95
    assert low == pytest.approx(theirs.low, abs=0.01)
    assert high == pytest.approx(theirs.high, abs=0.01)
    assert low > 0


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-5, 5).map(lambda x: x / 7), min_size=2, max_size=11),
    share=st.floats(0.01, 0.99),
    two_sided=st.booleans(),
)
def test_exact_p_equals_all_choices_listed(values, share, two_sided):
    """Small whole numbers over 7: many ties, which must all count."""
    x, k = np.array(values), max(1, min(len(values) - 1, round(share * len(values))))

    def difference(chosen) -> float:
        inside = np.isin(np.arange(len(x)), chosen)
        return float(x[inside].mean() - x[~inside].mean())

    every = np.array([difference(chosen) for chosen in combinations(range(len(x)), k)])
    observed = difference(range(k))
    far = np.abs(every) >= abs(observed) - 1e-9 if two_sided else every >= observed - 1e-9
    p = sure(s.exact_permutation_p(x, k, two_sided=two_sided))
    assert p == pytest.approx(far.mean(), abs=1e-12)
    assert 1 / len(every) - 1e-15 <= p <= 1


def test_exact_p_reaches_its_least_value_and_counts_nine_of_thirty_six():
    from math import comb

    x = np.concatenate([np.arange(9) + 100.0, np.arange(27) / 10])
    assert s.exact_permutation_p(x, 9, two_sided=False) == pytest.approx(1 / comb(36, 9), rel=1e-12)
    assert s.exact_permutation_p(np.zeros(36), 9, two_sided=False) == 1
    assert s.exact_permutation_p(np.zeros(36), 9, two_sided=True) == 1
    assert isinstance(s.exact_permutation_p(np.zeros(45), 9, two_sided=True), Unknown)


def test_the_largest_of_twelve_is_never_easier_than_one(found):
    months = sure(found.months)
    assert [month.month for month in months] == list(range(1, 13))
    assert found.n_month_years == 35
    by_score = sorted(months, key=lambda month: month.score)
    assert [month.p_max for month in by_score] == sorted((month.p_max for month in months), reverse=True)
    assert by_score[-1].p_max > found.oct.p


def test_a_pattern_that_is_there_is_supported(vix):
    """Five times the VIX in October of every election year: no label draw comes near."""
    month, year = vix.days.astype("datetime64[M]").astype(int) % 12, vix.days.astype("datetime64[Y]").astype(int)
    high = (month == 9) & ((year + 1970) % 4 == 0)
    made = sure(s.seasonality(Closes("^VIX", vix.days, np.where(high, 5, 1) * vix.close), SESSIONS, resamples=400))
    assert made.oct.reads == "supported (9 of 9 against 11 of 27)"
    assert made.oct.p_max == pytest.approx(1 / 401)
    assert made.oct.p_higher == pytest.approx(1 / 94_143_280)


# --- days and months that do not count


def test_values_on_closed_days_do_not_count(found, frame, vix):
    assert found.notes[0] == "30 VIX values on days without a session left out (last: 2026-02-16)"
    changed = frame.copy()
    closed = ~np.isin(vix.days, SESSIONS)
    changed[closed] = 999.0
    again = sure(s.seasonality(Closes("^VIX", vix.days, changed.to_numpy()), SESSIONS))
    assert again.years == found.years
    assert again.oct == found.oct


def test_the_same_seed_gives_the_same_result(vix, found):
    assert sure(s.seasonality(vix, SESSIONS)).oct == found.oct
    assert sure(s.seasonality(vix, SESSIONS, seed=1)).oct.ci95 != found.oct.ci95


def test_a_month_counts_when_its_last_session_is_over(vix):
    for day, over in ((date(2024, 10, 30), False), (date(2024, 10, 31), True), (date(2024, 11, 1), True)):
        year = sure(s.seasonality(vix.until(day), SESSIONS, resamples=50)).years[-1]
        assert isinstance(year.oct_over_sep, float) is over
    known_no_further = SESSIONS[np.datetime64("2024-11-01") > SESSIONS]
    year = sure(s.seasonality(vix.until(date(2024, 10, 31)), known_no_further, resamples=50)).years[-1]
    assert year.oct_over_sep == Unknown("2024-10 not complete")


def test_what_comes_after_as_of_changes_nothing(vix):
    early = sure(s.seasonality(vix.until(date(2012, 7, 11)), SESSIONS, resamples=50))
    assert early.oct.n_election == 5
    changed = Closes("^VIX", vix.days, np.where(vix.days > np.datetime64("2012-07-11"), 3 * vix.close, vix.close))
    again = sure(s.seasonality(changed.until(date(2012, 7, 11)), SESSIONS, resamples=50))
    assert (again.years, again.jul_aug, again.oct, again.months) == (
        early.years,
        early.jul_aug,
        early.oct,
        early.months,
    )


def test_a_month_with_holes_is_not_complete(vix):
    gone = (vix.days >= np.datetime64("2020-10-05")) & (vix.days < np.datetime64("2020-10-12"))
    year = sure(s.seasonality(Closes("^VIX", vix.days[~gone], vix.close[~gone]), SESSIONS, resamples=50))
    assert next(one for one in year.years if one.year == 2020).oct_over_sep == Unknown("2020-10 not complete")
    assert year.oct.n_election == 8


def test_few_years_give_no_verdict(vix):
    few = sure(s.seasonality(vix.until(date(1999, 12, 31)), SESSIONS))
    assert few.oct.n_election == 2
    assert isinstance(few.oct.p, Unknown)
    assert "there are 2 and 8" in few.oct.p.reason
    assert few.oct.reads == f"no verdict ({few.oct.up} of 2 against {few.oct.other_up} of 8)"
    assert isinstance(few.months, Unknown)


def test_no_history_and_a_short_calendar_are_told(vix):
    assert isinstance(s.seasonality(vix.until(date(1980, 1, 1)), SESSIONS), Unknown)
    assert s.seasonality(vix.until(date(1990, 1, 10)), SESSIONS) == Unknown("no complete month of the VIX")
    with pytest.raises(CalendarCoverageError):
        s.seasonality(vix, SESSIONS[:-2000])
