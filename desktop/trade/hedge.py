"""The hedge ratio k = short notional / long notional: dollar, beta, volatility parity, or typed.

With beta(U|N), the slope of RUT on NDX, a long of L dollars moves like beta L dollars of NDX: the beta-neutral
short is S = beta L, so k = beta(U|N) itself, not its inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt

import numpy as np

from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Closes, DayArray, FloatArray

WINDOW_DAYS = 252
YEAR_DAYS = 252
FEWEST_DAYS = 20


class HedgeKind(StrEnum):
    """How the hedge ratio is found."""

    DOLLAR = "dollar"
    BETA_NDX = "beta-ndx"
    BETA_SPX = "beta-spx"
    VOL = "vol"
    TYPED = "typed"


LABELS = {
    HedgeKind.DOLLAR: "Dollar neutral",
    HedgeKind.BETA_NDX: "Beta neutral",
    HedgeKind.BETA_SPX: "Beta neutral on S&P 500",
    HedgeKind.VOL: "Vol parity",
    HedgeKind.TYPED: "Typed",
}


class ReturnsError(ValueError):
    """Return series that cannot be compared; carries the reason."""


class Shrinkage(StrEnum):
    """How a measured beta is pulled towards a prior."""

    NONE = "none"
    BLUME = "blume"
    VASICEK = "vasicek"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a beta before measuring (Vasicek): mean and standard deviation."""

    mean: float = 1.0
    sd: float = 0.25


@dataclass(frozen=True, slots=True)
class PairRisk:
    """Both legs over one window of daily log returns.

    `su`, `sn` annual volatilities of RUT and NDX as shares; `rho` their correlation; `beta` the slope of RUT on
    NDX with its ordinary standard error `beta_se`; `n` returns used, of the `window` asked for.
    """

    su: float
    sn: float
    rho: float
    beta: float
    beta_se: float
    n: int
    window: int


@dataclass(frozen=True, slots=True)
class Hedge:
    """One hedge ratio with what it rests on.

    `k` is used for sizing (after shrinkage); `beta` is the measured figure behind it, `se` its standard error,
    both Unknown where the hedge needs none. `window` days asked for, `n` returns used (0 for dollar and typed).
    """

    kind: HedgeKind
    k: Maybe
    beta: Maybe
    se: Maybe
    window: int
    n: int
    shrinkage: Shrinkage
    basis: str
    """In words: which regression, which window."""

    @property
    def label(self) -> str:
        """Name of the hedge for people."""
        return LABELS[self.kind]


_NO_REGRESSION = Unknown("this hedge needs no regression")


def dollar_hedge() -> Hedge:
    """Equal dollars on both legs: k = 1."""
    return Hedge(HedgeKind.DOLLAR, 1.0, _NO_REGRESSION, _NO_REGRESSION, 0, 0, Shrinkage.NONE, "equal dollars")


def typed_hedge(k: float) -> Hedge:
    """The trader's own ratio."""
    return Hedge(HedgeKind.TYPED, k, _NO_REGRESSION, _NO_REGRESSION, 0, 0, Shrinkage.NONE, "typed")


def implied_hedges(su: float, sn: float, rho: float) -> tuple[Hedge, Hedge, Hedge]:
    """Dollar, beta and vol hedges from typed volatilities and correlation: beta(U|N) = rho su / sn.

    Raises
    ------
    ReturnsError
        Where `su` or `sn` is not above zero or `rho` lies outside [-1, 1].
    """
    if not (isfinite(su) and isfinite(sn) and su > 0 and sn > 0 and -1 <= rho <= 1):
        raise ReturnsError(f"su {su}, sn {sn}, rho {rho}: volatilities must be above 0, rho within [-1, 1]")
    no_error = Unknown("typed, so it has no error of its own")
    beta, ratio = rho * su / sn, su / sn
    return (
        dollar_hedge(),
        Hedge(HedgeKind.BETA_NDX, _usable(beta), beta, no_error, 0, 0, Shrinkage.NONE, "rho su / sn, typed"),
        Hedge(HedgeKind.VOL, ratio, _NO_REGRESSION, _NO_REGRESSION, 0, 0, Shrinkage.NONE, "su / sn, typed"),
    )


def log_returns(sessions: DayArray | None, *series: Closes) -> tuple[DayArray, tuple[FloatArray, ...]]:
    """One-day log returns of several series on the days all of them have.

    Parameters
    ----------
    sessions
        Exchange sessions, datetime64[D], covering the closes. A return across a missing session is left out.
        None takes neighbouring rows as neighbouring sessions: only where the caller knows there are no holes.
    series
        Daily closes, one a series.

    Returns
    -------
    tuple
        Day of each return, shape (n,), and one array of shape (n,) a series.
    """
    days = series[0].days
    for one in series[1:]:
        days = np.intersect1d(days, one.days, assume_unique=True)
    logs = [np.log(one.close[np.isin(one.days, days, assume_unique=True)]) for one in series]
    keep = np.ones(max(len(days) - 1, 0), dtype=bool)
    if sessions is not None:
        known = np.isin(days, sessions, assume_unique=True)
        days, logs = days[known], [one[known] for one in logs]
        keep = np.diff(np.searchsorted(sessions, days)) == 1
    return days[1:][keep], tuple(np.diff(one)[keep] for one in logs)


def pair_risk(
    rut_log_returns: FloatArray, ndx_log_returns: FloatArray, *, window: int = WINDOW_DAYS
) -> PairRisk | Unknown:
    """Volatilities, correlation and beta(U|N) over the last `window` daily log returns, shape (n,) each.

    Standard deviations use ddof 1 and 252 days a year; the standard error is that of ordinary least squares with
    a constant. Unknown below 20 returns or for a leg that does not move.

    Raises
    ------
    ReturnsError
        Where the series differ in length or hold a NaN.
    """
    rut, ndx = _tails(window, rut_log_returns, ndx_log_returns)
    n = len(rut)
    if n < FEWEST_DAYS:
        return Unknown(f"needs at least {FEWEST_DAYS} common daily returns of RUT and NDX; there are {n}")
    su, sn = float(rut.std(ddof=1)), float(ndx.std(ddof=1))
    if su == 0 or sn == 0:
        return Unknown(f"{'RUT' if su == 0 else 'NDX'} did not move in the last {n} days")
    rho = float(np.clip(np.corrcoef(rut, ndx)[0, 1], -1, 1))
    se = sqrt((1 - rho**2) / (n - 2)) * su / sn
    year = sqrt(YEAR_DAYS)
    return PairRisk(su * year, sn * year, rho, rho * su / sn, se, n, window)


def hedges(
    rut_log_returns: FloatArray,
    ndx_log_returns: FloatArray,
    spx_log_returns: FloatArray | None = None,
    *,
    window: int = WINDOW_DAYS,
    shrinkage: Shrinkage = Shrinkage.NONE,
    prior: Prior = Prior(),
) -> tuple[Hedge, ...]:
    """Return the hedges that stand side by side: dollar, beta on NDX, vol parity; with SPX also beta on SPX.

    Parameters
    ----------
    rut_log_returns, ndx_log_returns, spx_log_returns
        Daily log returns of the same days, oldest first, shape (n,).
    window
        Only the last `window` returns count.
    shrinkage
        Pulls the beta behind k towards 1 (Blume 1975: 1/3 + 2/3 beta) or towards `prior` weighted by precision
        (Vasicek 1973). `Hedge.beta` stays as measured.
    prior
        For Vasicek.

    Raises
    ------
    ReturnsError
        Where the series differ in length or hold a NaN.
    """
    risk = pair_risk(rut_log_returns, ndx_log_returns, window=window)
    if isinstance(risk, Unknown):
        lacking = [
            Hedge(kind, risk, risk, risk, window, 0, shrinkage, "not enough history")
            for kind in (HedgeKind.BETA_NDX, HedgeKind.VOL)
        ]
        return (dollar_hedge(), *lacking)
    days = f"{risk.n} days, log returns"
    beta = Hedge(
        HedgeKind.BETA_NDX,
        _usable(_shrunk(risk.beta, risk.beta_se, shrinkage, prior)),
        risk.beta,
        risk.beta_se,
        window,
        risk.n,
        shrinkage,
        f"RUT on NDX, {days}",
    )
    ratio = risk.su / risk.sn
    vol = Hedge(
        HedgeKind.VOL, ratio, _NO_REGRESSION, _NO_REGRESSION, window, risk.n, Shrinkage.NONE, f"vol ratio, {days}"
    )
    if spx_log_returns is None:
        return dollar_hedge(), beta, vol
    return (
        dollar_hedge(),
        beta,
        vol,
        _spx_hedge(window, shrinkage, prior, rut_log_returns, ndx_log_returns, spx_log_returns),
    )


def _spx_hedge(
    window: int, shrinkage: Shrinkage, prior: Prior, rut: FloatArray, ndx: FloatArray, spx: FloatArray
) -> Hedge:
    """Return k = beta(U|SPX) / beta(N|SPX), so that L beta(U) = S beta(N); its error by the delta method."""
    rut, ndx, spx = _tails(window, rut, ndx, spx)
    n, basis = len(rut), f"RUT and NDX both on SPX, {len(rut)} days, log returns"
    moves = spx - spx.mean()
    spread = float(moves @ moves)
    if spread == 0:
        none = Unknown(f"SPX did not move in the last {n} days")
        return Hedge(HedgeKind.BETA_SPX, none, none, none, window, n, shrinkage, basis)
    beta_rut, beta_ndx = float(moves @ rut) / spread, float(moves @ ndx) / spread
    if beta_ndx <= 0:
        none = Unknown(f"beta of NDX on SPX is {beta_ndx:.2f}: no ratio can be taken to it")
        return Hedge(HedgeKind.BETA_SPX, none, none, none, window, n, shrinkage, basis)
    k = beta_rut / beta_ndx
    rest = (rut - rut.mean() - beta_rut * moves) - k * (ndx - ndx.mean() - beta_ndx * moves)
    se = sqrt(float(rest @ rest) / (n - 2) / spread) / beta_ndx
    return Hedge(HedgeKind.BETA_SPX, _usable(_shrunk(k, se, shrinkage, prior)), k, se, window, n, shrinkage, basis)


def _shrunk(beta: float, se: float, how: Shrinkage, prior: Prior) -> float:
    if how is Shrinkage.BLUME:
        return 1 / 3 + 2 / 3 * beta
    if how is Shrinkage.VASICEK:
        return (beta * prior.sd**2 + prior.mean * se**2) / (prior.sd**2 + se**2)
    return beta


def _usable(k: float) -> Maybe:
    return k if k > 0 else Unknown(f"the hedge ratio would be {k:.2f}: a short leg needs one above 0")


def _tails(window: int, *series: Sequence[float] | FloatArray) -> tuple[FloatArray, ...]:
    arrays = [np.asarray(one, dtype=np.float64) for one in series]
    if len({one.shape for one in arrays}) != 1 or arrays[0].ndim != 1:
        raise ReturnsError(f"return series must be of one length, got shapes {[one.shape for one in arrays]}")
    tails = tuple(one[max(len(one) - window, 0) :] for one in arrays)
    for one in tails:
        if not np.isfinite(one).all():
            raise ReturnsError("a return is not a finite number: leave out the days that lack a close")
    return tails
