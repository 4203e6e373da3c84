"""Hedge ratios against the published figures, statsmodels, and algebra."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.trade.hedge import (
    HedgeKind,
    PairRisk,
    Prior,
    ReturnsError,
    Shrinkage,
    hedges,
    implied_hedges,
    log_returns,
    pair_risk,
)
from desktop.trade.scenarios import historical_risk


def closes(path: Path, symbol: str) -> Closes:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    column = rows[0].index("Close")
    dated = [(one[0], float(one[column])) for one in rows[1:] if one[0][:1].isdigit() and one[column]]
    days = np.array([day for day, _ in dated], dtype="datetime64[D]")
    return Closes(symbol, days, np.array([close for _, close in dated]))


@pytest.fixture(scope="module")
def pair(real_data) -> tuple[Closes, Closes]:
    folder = real_data / "index-daily"
    return closes(folder / "rut-yahoo-1987-2024.csv", "^RUT"), closes(folder / "ndx-yahoo-1985-2026.csv", "^NDX")


@pytest.fixture
def random_returns() -> np.ndarray:
    market, one, two = np.random.default_rng(7).normal(0, 0.01, (3, 300))
    return np.array([0.9 * market + one, 1.2 * market + 0.7 * two, market])


def test_252_day_figures_to_10_july_2024(pair):
    rut, ndx = (one.until(date(2024, 7, 10)) for one in pair)
    days, (rut_returns, ndx_returns) = log_returns(None, rut, ndx)
    assert str(days[-1]) == "2024-07-10"
    risk = pair_risk(rut_returns, ndx_returns)
    assert isinstance(risk, PairRisk)
    assert risk.n == 252
    assert risk.rho == pytest.approx(0.5882, rel=1e-3)
    assert risk.beta == pytest.approx(0.7026, rel=1e-3)
    assert risk.beta_se == pytest.approx(0.0611, rel=1e-3)
    assert risk.su / risk.sn == pytest.approx(1.1945, rel=1e-3)
    dollar, beta, vol = hedges(rut_returns, ndx_returns)
    assert dollar.k == 1
    assert beta.k == pytest.approx(0.7026, rel=1e-3)
    assert vol.k == pytest.approx(1.1945, rel=1e-3)


def test_worst_days_of_the_spread(pair):
    rut, ndx = (one.until(date(2024, 7, 10)) for one in pair)
    days, logs = log_returns(None, rut, ndx)
    rut_returns, ndx_returns = (np.expm1(one) for one in logs)
    ever = historical_risk(1e6, 1e6, days, rut_returns, ndx_returns)
    assert not isinstance(ever, Unknown)
    assert ever.worst_spread_pp == pytest.approx(-14.0, abs=0.05)
    assert ever.worst_usd == pytest.approx(1e4 * ever.worst_spread_pp)
    recent = days >= np.datetime64("2003-01-01")
    since = historical_risk(1e6, 1e6, days[recent], rut_returns[recent], ndx_returns[recent])
    assert not isinstance(since, Unknown)
    assert since.worst_spread_pp == pytest.approx(-6.4, abs=0.05)


def test_beta_and_its_error_are_those_of_ordinary_least_squares(random_returns):
    import statsmodels.api as sm

    rut, ndx, _ = random_returns
    fit = sm.OLS(rut[-252:], sm.add_constant(ndx[-252:])).fit()
    _, beta, _ = hedges(rut, ndx)
    assert beta.beta == pytest.approx(fit.params[1], rel=1e-12)
    assert beta.se == pytest.approx(fit.bse[1], rel=1e-12)
    assert (beta.n, beta.window) == (252, 252)


def test_the_beta_neutral_short_moves_like_the_long_on_average(random_returns):
    rut, ndx, _ = random_returns
    _, beta, _ = hedges(rut, ndx)
    assert not isinstance(beta.k, Unknown)
    left = rut[-252:] - beta.k * ndx[-252:]
    assert np.cov(left, ndx[-252:])[0, 1] == pytest.approx(0, abs=1e-15)


def test_the_hedge_on_spx_leaves_no_beta_to_spx_and_its_error_matches_a_bootstrap(random_returns):
    rut, ndx, spx = random_returns
    hedge = hedges(rut, ndx, spx)[3]
    assert hedge.kind is HedgeKind.BETA_SPX
    assert not isinstance(hedge.k, Unknown) and not isinstance(hedge.se, Unknown)
    assert np.cov(rut[-252:] - hedge.k * ndx[-252:], spx[-252:])[0, 1] == pytest.approx(0, abs=1e-15)
    random = np.random.default_rng(11)
    ratios = []
    for _ in range(2000):
        u, n, s = random_returns[:, -252:][:, random.integers(0, 252, 252)]
        ratios.append(np.cov(u, s)[0, 1] / np.cov(n, s)[0, 1])
    assert hedge.se == pytest.approx(np.std(ratios, ddof=1), rel=0.15)


def test_shrinkage_pulls_k_and_leaves_the_measured_beta(random_returns):
    rut, ndx, _ = random_returns
    raw = hedges(rut, ndx)[1]
    blume = hedges(rut, ndx, shrinkage=Shrinkage.BLUME)[1]
    assert not isinstance(raw.beta, Unknown) and not isinstance(raw.se, Unknown)
    assert blume.beta == raw.beta
    assert blume.k == pytest.approx(1 / 3 + 2 / 3 * raw.beta)
    vasicek = hedges(rut, ndx, shrinkage=Shrinkage.VASICEK, prior=Prior(0.8, 0.1))[1]
    weight = 0.1**-2 / (0.1**-2 + raw.se**-2)
    assert vasicek.k == pytest.approx(weight * 0.8 + (1 - weight) * raw.beta)


def test_typed_volatilities_imply_the_hedges():
    dollar, beta, vol = implied_hedges(0.22, 0.20, 0.60)
    assert (dollar.k, beta.k, vol.k) == pytest.approx((1, 0.66, 1.1))
    with pytest.raises(ReturnsError, match="above 0"):
        implied_hedges(0.0, 0.2, 0.5)


def test_a_negative_beta_gives_no_hedge_and_says_why():
    beta = implied_hedges(0.22, 0.20, -0.3)[1]
    assert isinstance(beta.k, Unknown)
    assert "above 0" in beta.k.reason


def test_too_short_a_history_leaves_only_dollar_neutral():
    dollar, beta, vol = hedges(np.full(5, 0.01), np.full(5, 0.01))
    assert dollar.k == 1
    assert isinstance(beta.k, Unknown) and "there are 5" in beta.k.reason
    assert isinstance(vol.k, Unknown)


def test_a_nan_or_series_of_different_length_is_refused():
    good, bad = np.zeros(30), np.zeros(30)
    bad[3] = np.nan
    with pytest.raises(ReturnsError, match="finite"):
        pair_risk(good, bad)
    with pytest.raises(ReturnsError, match="one length"):
        pair_risk(good, good[1:])


def test_no_return_is_taken_across_a_missing_session():
    sessions = np.arange("2024-07-01", "2024-07-06", dtype="datetime64[D]")
    rut = Closes("^RUT", sessions, np.array([100.0, 101, 102, 103, 104]))
    ndx = Closes("^NDX", np.delete(sessions, 2), np.array([200.0, 202, 206, 208]))
    days, (rut_returns, ndx_returns) = log_returns(sessions, rut, ndx)
    assert [str(one) for one in days] == ["2024-07-02", "2024-07-05"]
    assert rut_returns == pytest.approx(np.log([1.01, 104 / 103]))
    assert ndx_returns == pytest.approx(np.log([1.01, 208 / 206]))
