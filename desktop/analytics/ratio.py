"""The ratio NDX / RUT on official closes: level, stretch, peaks, reversion.

R = NDX / RUT, x = ln R; the trade is short x. A z-score of a trending series says how stretched it is; it is
not a probability. Days are trading days. Nothing here looks past the last row it is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite, log

import numpy as np

from desktop.analytics.windows import frozen_array, known, share_at_or_below
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import BadMarketDataError, Closes, DayArray, FloatArray, IntArray

Z_WINDOWS = (63, 252, 756, 1260)
HALF_LIFE_WINDOW = 1260
TWO_YEARS_DAYS = 504
DOTCOM_FIRST, DOTCOM_LAST = np.datetime64("1999-01-01"), np.datetime64("2001-12-31")
NOT_REVERTING = "not mean-reverting"


class CalendarCoverageError(ValueError):
    """The exchange calendar handed over does not reach over the days it must judge."""

    def __init__(self, first: object, last: object, sessions: DayArray) -> None:
        span = f"{sessions[0]}..{sessions[-1]}" if len(sessions) else "no day"
        super().__init__(
            f"closes run {first}..{last} but the session calendar covers {span}: pass sessions for all of it"
        )
        self.first, self.last, self.sessions = first, last, sessions


@dataclass(frozen=True, slots=True, eq=False)
class PairSeries:
    """Both legs on the days both have, oldest first.

    `days` datetime64[D]; `rut`, `ndx` closes in index points; `ratio` NDX / RUT; `log_ratio` its natural
    logarithm. `position` counts exchange sessions, so that two rows are neighbours only where their positions
    differ by one. `notes` tells which days were left out and why.
    """

    days: DayArray
    rut: FloatArray
    ndx: FloatArray
    ratio: FloatArray
    log_ratio: FloatArray
    position: IntArray
    sessions: DayArray | None
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.days)

    def day(self, row: int) -> date:
        """Trading date of a row."""
        return _as_date(self.days[row])

    def with_live(self, day: date, *, ndx: float, rut: float) -> PairSeries:
        """Return the pair with the levels of `day` added, or put in the place of that day's closes.

        Raises
        ------
        BadMarketDataError
            For a level no market can have, or a day before the last one.
        """
        for symbol, level in (("RUT", rut), ("NDX", ndx)):
            if not isfinite(level) or level <= 0:
                raise BadMarketDataError(symbol, "live level", level, "must be finite and above zero")
        label = np.datetime64(day, "D")
        keep = len(self)
        if keep and label < self.days[-1]:
            raise BadMarketDataError("RUT/NDX", "live day", day, f"lies before the last close, {self.days[-1]}")
        keep -= bool(keep and label == self.days[-1])
        return _pair_series(
            np.append(self.days[:keep], label),
            np.append(self.rut[:keep], rut),
            np.append(self.ndx[:keep], ndx),
            self.sessions,
            self.notes,
        )

    def until(self, last: date) -> PairSeries:
        """Only the rows up to and including `last`."""
        keep = int(np.searchsorted(self.days, np.datetime64(last, "D"), side="right"))
        if keep == len(self):
            return self
        return PairSeries(
            self.days[:keep],
            self.rut[:keep],
            self.ndx[:keep],
            self.ratio[:keep],
            self.log_ratio[:keep],
            self.position[:keep],
            self.sessions,
            self.notes,
        )

    def hole_before(self, row: int, days: int = 1) -> str:
        """Say which session is missing in the `days` sessions that end at `row`; "" where none is."""
        first = row - days
        if self.position[row] - self.position[first] == days or self.sessions is None:
            return ""
        between = self.sessions[self.position[first] + 1 : self.position[row]]
        missing = between[~np.isin(between, self.days, assume_unique=True)]
        return f"no closes of both legs on {', '.join(str(day) for day in missing[:3])}" + (
            f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        )


@dataclass(frozen=True, slots=True)
class Extreme:
    """A level and the day it was reached."""

    value: float
    date: date


@dataclass(frozen=True, slots=True)
class HalfLife:
    """First-order autoregression dx = a + b x(t-1): phi = 1 + b, days until half of a deviation is gone."""

    phi: Maybe
    half_life_days: Maybe
    n: int

    @property
    def reads(self) -> str:
        """What to say of it: above two years, or without a half-life, the ratio does not revert."""
        if isinstance(self.half_life_days, Unknown) or self.half_life_days > TWO_YEARS_DAYS:
            return NOT_REVERTING
        return "mean-reverting"


@dataclass(frozen=True, slots=True)
class HalfLifeInterval:
    """Percentile bootstrap interval of phi and of the half-life in days.

    `none_share` is the share (0..1) of resamples without a half-life.
    """

    phi_low: float
    phi_high: float
    days_low: Maybe
    days_high: Maybe
    none_share: float
    level: float
    reps: int
    n: int


@dataclass(frozen=True, slots=True)
class UnitRoot:
    """A unit-root statistic, its p-value, the observations used, the lags chosen (None where not told)."""

    stat: float
    p: float
    n: int
    lags: int | None = None


@dataclass(frozen=True, slots=True)
class EngleGranger:
    """Cointegration test both ways; neither way is the right one, so both are shown."""

    first_on_second: UnitRoot
    second_on_first: UnitRoot


@dataclass(frozen=True, slots=True)
class TotalReturn:
    """How far the ratio stands above its 1999-2001 peak, on prices and with dividends.

    `price_excess_pct` and `total_excess_pct` are measured over the same days, from `since` on; IWM starts after
    the peak of the price index, so `index_excess_pct`, over all days of the index, is given beside them.
    `yield_gap_pct` is the dividend return of the small-cap leg less that of the large-cap leg, % a year.
    """

    date: dt.date
    since: dt.date
    n: int
    price_excess_pct: Maybe
    price_peak: Extreme | Unknown
    total_excess_pct: Maybe
    total_peak: Extreme | Unknown
    index_excess_pct: Maybe
    index_peak: Extreme | Unknown
    yield_gap_pct: Maybe

    @property
    def dividends_share(self) -> Maybe:
        """Share of the price excess that disappears with dividends: 1 where nothing of it is left."""
        if isinstance(self.price_excess_pct, Unknown):
            return self.price_excess_pct
        if isinstance(self.total_excess_pct, Unknown):
            return self.total_excess_pct
        if self.price_excess_pct <= 0:
            return Unknown("the price ratio does not exceed its 1999-2001 peak")
        return 1.0 - self.total_excess_pct / self.price_excess_pct


@dataclass(frozen=True, slots=True)
class RatioStats:
    """The ratio section of the report; see METHODS 1 for each field.

    `live` is True when the last point is not an official close. `since` is the first day, `n_days` the number of
    days. `z` maps window in days to z-score of ln R. `percentile` 0..1.
    """

    date: dt.date
    value: float
    ndx: float
    rut: float
    change: Maybe
    change_pct: Maybe
    z: Mapping[int, Maybe]
    percentile: float
    n_days: int
    since: dt.date
    dotcom_peak: Extreme | Unknown
    record: Extreme
    drawdown_pct: float
    sma50: Maybe
    sma200: Maybe
    vs_sma200_pct: Maybe
    phi: Maybe
    half_life_days: Maybe
    half_life_n: int
    reverts: str
    adf: UnitRoot | Unknown
    live: bool
    notes: tuple[str, ...]


def pair(rut: Closes, ndx: Closes, sessions: DayArray | None = None) -> PairSeries:
    """Join both legs on the days both have.

    Parameters
    ----------
    rut, ndx
        Official closes in index points.
    sessions
        Expected session days, datetime64[D], increasing, reaching over all the closes (and over the live day).
        Days that are no session are left out; neighbours are judged by it. None takes the common days as the
        calendar.

    Raises
    ------
    CalendarCoverageError
        `sessions` does not reach over the closes.
    """
    at = np.searchsorted(ndx.days, rut.days)
    found = at < len(ndx)
    found[found] = ndx.days[at[found]] == rut.days[found]
    days, rut_close, ndx_close = rut.days[found], rut.close[found], ndx.close[at[found]]
    notes = []
    if len(days):
        other = np.ones(len(ndx), dtype=bool)
        other[at[found]] = False
        for has, lacks, alone in (("RUT", "NDX", rut.days[~found]), ("NDX", "RUT", ndx.days[other])):
            alone = alone[alone >= days[0]]
            if len(alone):
                notes.append(f"{_some(alone)} left out: only {has} has a close, {lacks} has none")
    if sessions is not None and len(days):
        sessions = np.asarray(sessions, dtype="datetime64[D]")
        if not len(sessions) or sessions[0] > days[0] or sessions[-1] < days[-1]:
            raise CalendarCoverageError(days[0], days[-1], sessions)
        regular = sessions[np.searchsorted(sessions, days)] == days
        if not regular.all():
            notes.append(f"{_some(days[~regular])} left out: the exchange was closed")
            days, rut_close, ndx_close = days[regular], rut_close[regular], ndx_close[regular]
    return _pair_series(days, rut_close, ndx_close, sessions, tuple(notes))


def _pair_series(
    days: DayArray, rut: FloatArray, ndx: FloatArray, sessions: DayArray | None, notes: tuple[str, ...]
) -> PairSeries:
    if sessions is None:
        position = np.arange(len(days), dtype=np.int64)
    else:
        if len(days) and (not len(sessions) or sessions[-1] < days[-1]):
            raise CalendarCoverageError(days[0], days[-1], sessions)
        position = np.searchsorted(sessions, days).astype(np.int64)
    ratio = ndx / rut
    log_ratio = np.log(ratio)
    for array in (days, rut, ndx, position, ratio, log_ratio):
        array.flags.writeable = False
    return PairSeries(days, rut, ndx, ratio, log_ratio, position, sessions, notes)


def _some(days: DayArray) -> str:
    shown = ", ".join(str(day) for day in days[-3:])
    return f"{len(days)} day{'s' if len(days) > 1 else ''} ({'..., ' if len(days) > 3 else ''}{shown})"


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def ratio_stats(
    series: PairSeries,
    live: tuple[date, float, float] | None = None,
    adf_result: UnitRoot | Unknown | None = None,
) -> RatioStats | Unknown:
    """Compute the ratio section of the report.

    Parameters
    ----------
    series
        Both legs, already cut at as-of.
    live
        Day, NDX and RUT level while the session is open, of the same kind on both legs; becomes the last point.
    adf_result
        A result of `adf`, which takes too long to be computed on every quote.

    Returns
    -------
    RatioStats, or Unknown where there is no day that both legs have.
    """
    if live is not None:
        series = series.with_live(live[0], ndx=live[1], rut=live[2])
    n = len(series)
    if n == 0:
        return Unknown("no day on which both RUT and NDX have a close: import or download their history")
    x, ratio = series.log_ratio, series.ratio
    record_at = int(np.argmax(ratio))
    record = Extreme(float(ratio[record_at]), series.day(record_at))
    sma50, sma200 = _sma(ratio, 50), _sma(ratio, 200)
    fit = half_life(x[-HALF_LIFE_WINDOW:])
    change, change_pct = _change(series)
    return RatioStats(
        date=series.day(-1),
        value=float(ratio[-1]),
        ndx=float(series.ndx[-1]),
        rut=float(series.rut[-1]),
        change=change,
        change_pct=change_pct,
        z={window: z_score(x, window) for window in Z_WINDOWS},
        percentile=share_at_or_below(x, float(x[-1])),
        n_days=n,
        since=series.day(0),
        dotcom_peak=_peak(series.days, ratio),
        record=record,
        drawdown_pct=100.0 * (float(ratio[-1]) / record.value - 1.0),
        sma50=sma50,
        sma200=sma200,
        vs_sma200_pct=sma200 if isinstance(sma200, Unknown) else 100.0 * (float(ratio[-1]) / sma200 - 1.0),
        phi=fit.phi,
        half_life_days=fit.half_life_days,
        half_life_n=fit.n,
        reverts=fit.reads,
        adf=Unknown("not computed yet") if adf_result is None else adf_result,
        live=live is not None,
        notes=series.notes,
    )


def _change(series: PairSeries) -> tuple[Maybe, Maybe]:
    if len(series) < 2:
        unknown = Unknown("only one day of history")
        return unknown, unknown
    hole = series.hole_before(len(series) - 1)
    if hole:
        unknown = Unknown(hole)
        return unknown, unknown
    before, now = float(series.ratio[-2]), float(series.ratio[-1])
    return now - before, 100.0 * (now / before - 1.0)


def _sma(ratio: FloatArray, window: int) -> Maybe:
    if len(ratio) < window:
        return Unknown(f"needs {window} days, there are {len(ratio)}")
    return float(ratio[-window:].mean())


def moving_average(ratio: FloatArray, window: int) -> FloatArray:
    """Simple moving average of `window` rows ending at each row; NaN while there are fewer. For charts."""
    average = np.full(len(ratio), np.nan)
    if len(ratio) >= window:
        total = np.concatenate(([0.0], np.cumsum(ratio)))
        average[window - 1 :] = (total[window:] - total[:-window]) / window
    return frozen_array(average)


def _peak(days: DayArray, ratio: FloatArray) -> Extreme | Unknown:
    first, last = np.searchsorted(days, DOTCOM_FIRST), np.searchsorted(days, DOTCOM_LAST, side="right")
    if first == last:
        return Unknown("history has no day in 1999-2001")
    at = int(first) + int(np.argmax(ratio[first:last]))
    return Extreme(float(ratio[at]), _as_date(days[at]))


def z_score(x: FloatArray, window: int) -> Maybe:
    """Stretch of the last value: (x - mean) / sd over the last `window` values, itself included, ddof 1."""
    if len(x) < window:
        return Unknown(f"needs {window} days, there are {len(x)}")
    inside = x[-window:]
    sd = float(inside.std(ddof=1))
    # A constant series leaves rounding noise of about 1e-16 of its level, not exactly zero.
    if sd <= 1e-14 * abs(float(inside[-1])):
        return Unknown(f"no movement in {window} days")
    return float((inside[-1] - inside.mean()) / sd)


def _fit(x: FloatArray) -> tuple[float, float, FloatArray]:
    """Constant, phi and residuals of x(t) = a + phi x(t-1); phi NaN where x does not move."""
    before, after = x[:-1], x[1:]
    centred = before - before.mean()
    spread = float(centred @ centred)
    if spread <= len(x) * (1e-14 * float(np.abs(x).max())) ** 2:
        return float("nan"), float("nan"), after
    phi = float(centred @ after) / spread
    a = float(after.mean() - phi * before.mean())
    return a, phi, after - a - phi * before


def _days_of(phi: float) -> float:
    """Half-life of phi in days: NaN where it has none."""
    return log(0.5) / log(phi) if 0.0 < phi < 1.0 else float("nan")


def half_life(x: FloatArray) -> HalfLife:
    """Fit dx = a + b x(t-1) by least squares; phi = 1 + b, half-life = ln .5 / ln phi where 0 < phi < 1.

    `x` is ln R, one value a day; the caller chooses the window (five years: 1260 days).
    """
    if len(x) < 4:
        unknown = Unknown(f"needs 4 days, there are {len(x)}")
        return HalfLife(unknown, unknown, len(x))
    phi = _fit(x)[1]
    return HalfLife(
        known(phi, f"no movement in {len(x)} days"),
        known(_days_of(phi), f"none: phi {phi:.4f} lies outside 0..1"),
        len(x),
    )


def half_life_interval(
    x: FloatArray, seed: int, reps: int = 2000, level: float = 0.95
) -> HalfLifeInterval | Unknown:
    """Bootstrap interval of phi and half-life: residuals drawn with replacement, series rebuilt, fitted again.

    Parameters
    ----------
    x
        ln R, one value a day.
    seed
        Of numpy's default generator; the same seed gives the same interval.
    reps, level
        Resamples, and coverage of the interval (0..1).

    Notes
    -----
    Least squares pulls phi towards zero in short samples, so the interval leans towards quick reversion.
    """
    if len(x) < 30:
        return Unknown(f"needs 30 days, there are {len(x)}")
    a, phi, residuals = _fit(x)
    if not isfinite(phi):
        return Unknown(f"no movement in {len(x)} days")
    generator = np.random.default_rng(seed)
    steps = len(x) - 1
    path = np.empty((steps + 1, reps))
    path[0] = x[0]
    draws = residuals[generator.integers(0, steps, size=(steps, reps))]
    for t in range(steps):
        path[t + 1] = a + phi * path[t] + draws[t]
    before, after = path[:-1], path[1:]
    centred = before - before.mean(axis=0)
    phis = np.einsum("tr,tr->r", centred, after) / np.einsum("tr,tr->r", centred, centred)
    low, high = (float(v) for v in np.quantile(phis, [(1 - level) / 2, (1 + level) / 2]))
    none_share = float(np.mean((phis <= 0) | (phis >= 1)))
    return HalfLifeInterval(
        phi_low=low,
        phi_high=high,
        days_low=known(_days_of(low), f"no lower bound: phi {low:.4f}"),
        days_high=known(_days_of(high), f"no upper bound: {none_share:.0%} of resamples do not revert"),
        none_share=none_share,
        level=level,
        reps=reps,
        n=len(x),
    )


def adf(x: FloatArray) -> UnitRoot | Unknown:
    """Augmented Dickey-Fuller test with a constant, lags by AIC (statsmodels). Takes seconds on 38 years."""
    if len(x) < 30:
        return Unknown(f"needs 30 days, there are {len(x)}")
    if np.ptp(x) == 0:
        return Unknown(f"no movement in {len(x)} days")
    from statsmodels.tsa.stattools import adfuller  # slow to load, only here

    stat, p, lags, n, *_ = adfuller(x, regression="c", autolag="AIC", result_object=False)
    return UnitRoot(float(stat), float(p), int(n), int(lags))


def engle_granger(x: FloatArray, y: FloatArray) -> EngleGranger | Unknown:
    """Engle-Granger cointegration test of two log-level series, each regressed on the other (statsmodels).

    Raises
    ------
    ValueError
        The series differ in length.
    """
    if x.shape != y.shape:
        raise ValueError(f"series of {len(x)} and {len(y)} days cannot be compared: join them on common days")
    if len(x) < 30:
        return Unknown(f"needs 30 days, there are {len(x)}")
    from statsmodels.tsa.stattools import coint  # slow to load, only here

    results = []
    for left, right in ((x, y), (y, x)):
        stat, p, _ = coint(left, right, trend="c", autolag="aic")
        results.append(UnitRoot(float(stat), float(p), len(x)))
    return EngleGranger(*results)


def total_return_ratio(iwm_adjusted: Closes, qqq_adjusted: Closes, price: PairSeries) -> TotalReturn | Unknown:
    """Compare the excess over the 1999-2001 peak on price indices with that on total return (QQQ / IWM adjusted).

    Later dividends scale a whole adjusted series by one factor, which cancels in an excess over a peak.

    Parameters
    ----------
    iwm_adjusted, qqq_adjusted
        Split- and dividend-adjusted closes in dollars.
    price
        The price indices.
    """
    total = pair(iwm_adjusted, qqq_adjusted)
    both = np.isin(price.days, total.days)
    if not both.any():
        return Unknown("no day on which IWM, QQQ, RUT and NDX all have a close")
    days, price_ratio = price.days[both], price.ratio[both]
    total_ratio = total.ratio[np.isin(total.days, days)]
    price_excess, price_peak = _excess(days, price_ratio)
    total_excess, total_peak = _excess(days, total_ratio)
    index_excess, index_peak = _excess(price.days[price.days <= days[-1]], price.ratio[price.days <= days[-1]])
    years = float((days[-1] - days[0]).astype(int)) / 365.25
    drift = log(price_ratio[-1] / price_ratio[0]) - log(total_ratio[-1] / total_ratio[0])
    return TotalReturn(
        date=_as_date(days[-1]),
        since=_as_date(days[0]),
        n=len(days),
        price_excess_pct=price_excess,
        price_peak=price_peak,
        total_excess_pct=total_excess,
        total_peak=total_peak,
        index_excess_pct=index_excess,
        index_peak=index_peak,
        yield_gap_pct=100.0 * drift / years if years >= 1 else Unknown("needs a year of common days"),
    )


def _excess(days: DayArray, ratio: FloatArray) -> tuple[Maybe, Extreme | Unknown]:
    peak = _peak(days, ratio)
    return (peak if isinstance(peak, Unknown) else 100.0 * (float(ratio[-1]) / peak.value - 1.0)), peak
