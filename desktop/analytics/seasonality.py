"""Does volatility rise before US presidential elections? The VIX by month, election years against the others.

v is the mean daily VIX of a month, g = ln(v of July and August / v of June), h = ln(v of October / v of
September). Election years are those divisible by four. Years are the unit: nine of them are few, so tests permute
the labels of years exactly instead of trusting a distribution.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import comb

import numpy as np

from desktop.analytics.ratio import CalendarCoverageError
from desktop.analytics.windows import frozen_array
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Closes, DayArray, FloatArray, IntArray

MONTH_COVERAGE = 0.90
"""Share of a month's sessions that need a value: November 1997 lacks one of 19."""
RESAMPLES = 10_000
SEED = 19921103
EXACT_YEARS = 44
"""Exact p holds 2^(years/2) sums in memory: 34 MB for 44 years."""
LEAST_YEARS = 3
SIGNIFICANT = 0.05
_JULY_AUGUST, _JUNE, _SEPTEMBER, _OCTOBER = (7, 8), (6,), (9,), (10,)


@dataclass(frozen=True, slots=True)
class YearMoves:
    """One year: g and h as logarithms of ratios of mean VIX; Unknown where a month is not complete."""

    year: int
    election: bool
    jul_aug_over_jun: Maybe
    oct_over_sep: Maybe


@dataclass(frozen=True, slots=True)
class Contrast:
    """Election years against the others, for one of g and h.

    `up`, `other_up` count the years in which it rose. Means and `difference` are in ln; `ci95` is the
    percentile-bootstrap interval of the difference, years drawn anew within each group. `p` is the exact share of
    all ways to name as many election years whose difference of means is at least as far from zero; `p_higher`
    counts those at least as high, the direction of the claim. `p_up` is the chance of at least `up` rises by the
    same naming (hypergeometric, exact). `p_max` is the p for having looked at twelve months.
    """

    n_election: int
    n_other: int
    up: int
    other_up: int
    mean: Maybe
    other_mean: Maybe
    difference: Maybe
    ci95: tuple[float, float] | Unknown
    p: Maybe
    p_higher: Maybe
    p_up: Maybe
    p_max: Maybe

    @property
    def reads(self) -> str:
        """What to say of the claim that it rises in election years; no verdict where p is not known."""
        n = f"{self.up} of {self.n_election} against {self.other_up} of {self.n_other}"
        if isinstance(self.p, Unknown) or isinstance(self.difference, Unknown):
            return f"no verdict ({n})"
        if self.difference <= 0 or self.p > SIGNIFICANT:
            return f"not supported ({n})"
        # One month of twelve is below 5 % by luck in nearly half of all cases.
        strong = isinstance(self.p_max, float) and self.p_max <= SIGNIFICANT
        return f"supported ({n})" if strong else f"weakly supported ({n})"


@dataclass(frozen=True, slots=True)
class MonthTest:
    """Change of one calendar month from the month before, election years against the others.

    `difference` of mean ln changes; `score` is its size in standard deviations of that month over all years;
    `p_max` is the share of label draws in which the largest score of the twelve months is at least this one: a p
    for having looked at twelve months.
    """

    month: int
    difference: float
    score: float
    p_max: float


@dataclass(frozen=True, slots=True, eq=False)
class MonthLines:
    """Mean VIX by calendar month, for a chart. NaN where a month is not complete.

    `vix` has shape (years, 12) for the election `years`; `other_mean` (12,) averages the other years, `other_n`
    (12,) of them.
    """

    years: tuple[int, ...]
    vix: FloatArray
    other_mean: FloatArray
    other_n: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Seasonality:
    """The seasonality section of the report; see METHODS 7.

    `since` and `until` are the first and last day of the VIX used. `months` holds the twelve months, January
    first, over `n_month_years` years whose twelve changes are all known. `notes` say what was left out.
    """

    since: dt.date
    until: dt.date
    years: tuple[YearMoves, ...]
    jul_aug: Contrast
    oct: Contrast
    months: tuple[MonthTest, ...] | Unknown
    n_month_years: int
    lines: MonthLines
    notes: tuple[str, ...]

    @property
    def election_years(self) -> tuple[YearMoves, ...]:
        """The election years, oldest first."""
        return tuple(year for year in self.years if year.election)


def seasonality(
    vix: Closes, sessions: DayArray, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Seasonality | Unknown:
    """Compare the VIX through election years with that through the others.

    Parameters
    ----------
    vix
        Daily closes of the VIX, cut at as-of. Values on days that are no session do not count.
    sessions
        Session days of the exchange, datetime64[D], increasing, over all of `vix`. A month is over when its last
        session has a value or lies before the last value, so sessions must go on into the next month for the last
        one to count.
    resamples, seed
        Of the bootstrap and of the draws of the maximum statistic; the same seed gives the same result.

    Returns
    -------
    Seasonality, or Unknown without a complete month.

    Raises
    ------
    CalendarCoverageError
        `sessions` does not reach over the values.
    """
    if not len(vix):
        return Unknown("no history of the VIX: import or download it")
    sessions = np.asarray(sessions, dtype="datetime64[D]")
    if not len(sessions) or sessions[0] > vix.days[0] or sessions[-1] < vix.days[-1]:
        raise CalendarCoverageError(vix.days[0], vix.days[-1], sessions)
    regular = np.isin(vix.days, sessions, assume_unique=True)
    days, level = vix.days[regular], vix.close[regular]
    if not len(days):
        return Unknown("no value of the VIX on a session day")
    table = _Months(days, level, sessions)
    if not np.isfinite(table.mean).any():
        return Unknown("no complete month of the VIX")
    years = tuple(
        YearMoves(
            year,
            year % 4 == 0,
            _log_ratio(table, year, _JULY_AUGUST, _JUNE),
            _log_ratio(table, year, _OCTOBER, _SEPTEMBER),
        )
        for year in table.years
    )
    months, n_month_years = _month_tests(table, resamples, seed)
    october = months if isinstance(months, Unknown) else months[_OCTOBER[0] - 1].p_max
    two_months = Unknown("two months together are not one of the twelve")
    jul_aug, october_over_september = (
        _contrast(years, values, p_max, resamples, seed)
        for values, p_max in (
            ([year.jul_aug_over_jun for year in years], two_months),
            ([year.oct_over_sep for year in years], october),
        )
    )
    return Seasonality(
        since=_as_date(days[0]),
        until=_as_date(days[-1]),
        years=years,
        jul_aug=jul_aug,
        oct=october_over_september,
        months=months,
        n_month_years=n_month_years,
        lines=_lines(table),
        notes=(*_closed_note(vix.days[~regular]), *_year_notes(years), *table.notes),
    )


class _Months:
    """Mean VIX by year and month: arrays of shape (years, 12), NaN where a month is not complete."""

    def __init__(self, days: DayArray, level: FloatArray, sessions: DayArray) -> None:
        first, last = _as_date(days[0]).year, _as_date(days[-1]).year
        self.years = range(first, last + 1)
        slots = 12 * len(self.years)

        def slot(of: DayArray) -> IntArray:
            return of.astype("datetime64[M]").astype(np.int64) - 12 * (first - 1970)

        spanned = sessions[(slot(sessions) >= 0) & (slot(sessions) < slots)]
        expected = np.bincount(slot(spanned), minlength=slots)
        self.n = np.bincount(slot(days), minlength=slots).reshape(-1, 12)
        self.total = np.bincount(slot(days), weights=level, minlength=slots).reshape(-1, 12)
        over = np.arange(slots) < int(slot(days[-1:])[0])
        after = sessions[sessions > days[-1]]
        over[slot(days[-1:])] = bool(len(after)) and slot(after[:1])[0] > slot(days[-1:])[0]
        enough = self.n.ravel() >= np.ceil(MONTH_COVERAGE * expected)
        self.complete = (over & enough & (expected > 0)).reshape(-1, 12)
        self.mean = np.full(self.n.shape, np.nan)
        self.mean[self.complete] = self.total[self.complete] / self.n[self.complete]
        thin = np.flatnonzero(over & (self.n.ravel() < expected))
        names = ", ".join(f"{first + at // 12}-{at % 12 + 1:02d}" for at in thin[:6])
        more = f" and {len(thin) - 6} more" if len(thin) > 6 else ""
        self.notes = (f"sessions without a VIX value in {names}{more}",) if len(thin) else ()


def _log_ratio(table: _Months, year: int, above: Sequence[int], below: Sequence[int]) -> Maybe:
    row = year - table.years[0]
    means = []
    for months in (above, below):
        columns = [month - 1 for month in months]
        if not table.complete[row, columns].all():
            missing = [month for month in months if not table.complete[row, month - 1]]
            return Unknown(f"{', '.join(f'{year}-{month:02d}' for month in missing)} not complete")
        means.append(float(table.total[row, columns].sum() / table.n[row, columns].sum()))
    return float(np.log(means[0] / means[1]))


def _contrast(
    years: Sequence[YearMoves], values: Sequence[Maybe], p_max: Maybe, resamples: int, seed: int
) -> Contrast:
    """Compare `values`, one for each of `years`, of election years and others; Unknown ones are left out."""
    election, other = (
        np.array(
            [
                value
                for year, value in zip(years, values, strict=True)
                if year.election is chosen and not isinstance(value, Unknown)
            ]
        )
        for chosen in (True, False)
    )
    n_election, n_other = len(election), len(other)
    up, other_up = int(np.count_nonzero(election > 0)), int(np.count_nonzero(other > 0))
    if min(n_election, n_other) < LEAST_YEARS:
        few = Unknown(
            f"needs {LEAST_YEARS} complete election years and {LEAST_YEARS} others, "
            f"there are {n_election} and {n_other}"
        )
        return Contrast(n_election, n_other, up, other_up, few, few, few, few, few, few, few, few)
    generator = np.random.default_rng(seed)
    draws = [
        group[generator.integers(0, len(group), size=(resamples, len(group)))].mean(axis=1)
        for group in (election, other)
    ]
    low, high = (float(value) for value in np.quantile(draws[0] - draws[1], (0.025, 0.975)))
    both = np.concatenate([election, other])
    p_higher, p = (exact_permutation_p(both, n_election, two_sided=two_sided) for two_sided in (False, True))
    return Contrast(
        n_election=n_election,
        n_other=n_other,
        up=up,
        other_up=other_up,
        mean=float(election.mean()),
        other_mean=float(other.mean()),
        difference=float(election.mean() - other.mean()),
        ci95=(low, high),
        p=p,
        p_higher=p_higher,
        p_up=at_least(up, n_election, up + other_up, n_election + n_other),
        p_max=p_max,
    )


def exact_permutation_p(values: FloatArray, n_first: int, *, two_sided: bool) -> Maybe:
    """Share of all ways to choose `n_first` of `values` whose mean lies as far above that of the rest as observed.

    The first `n_first` values are the observed choice, so p lies in [1/N, 1] with N = C(len(values), n_first).
    Two-sided, the distance from the rest counts on either side.

    Choices are counted, not listed: the difference of means rises with the sum of the chosen, and a sum is a sum
    of k of one half of the values and n_first - k of the other half. The 2^(n/2) sums of each half are sorted by
    size of choice once; a binary search then counts the partners of each (Horowitz and Sahni 1974). For 9 of 36
    that is 2 x 262,144 sums instead of 94,143,280 choices.

    Returns
    -------
    p (0..1), or Unknown for more than 44 values.
    """
    n = len(values)
    if n > EXACT_YEARS:
        return Unknown(f"the exact count is made for {EXACT_YEARS} years at most, there are {n}")
    centred = values - values.mean()
    observed = float(centred[:n_first].sum())
    # Equal sums differ by rounding; the observed choice itself must count.
    reach = (abs(observed) if two_sided else observed) - 1e-10 * float(np.abs(centred).sum())
    left, right = (_sums_by_size(half) for half in (centred[: n // 2], centred[n // 2 :]))
    if two_sided and reach <= 0:
        return 1.0
    count = 0
    for k, sums in enumerate(left):
        if 0 <= n_first - k < len(right):
            partners = right[n_first - k]
            count += int((len(partners) - np.searchsorted(partners, reach - sums, side="left")).sum())
            if two_sided:
                count += int(np.searchsorted(partners, -reach - sums, side="right").sum())
    return count / comb(n, n_first)


def _sums_by_size(values: FloatArray) -> list[FloatArray]:
    """Sorted sums of all choices of k values, k = 0..n."""
    sums, size = np.zeros(1), np.zeros(1, dtype=np.int8)
    for value in values:
        sums, size = np.concatenate([sums, sums + value]), np.concatenate([size, size + 1])
    return [np.sort(sums[size == k]) for k in range(len(values) + 1)]


def at_least(hits: int, drawn: int, marked: int, total: int) -> float:
    """Chance (0..1) of at least `hits` marked ones among `drawn` of `total`, of which `marked` are marked."""
    ways = sum(comb(marked, k) * comb(total - marked, drawn - k) for k in range(hits, min(drawn, marked) + 1))
    return ways / comb(total, drawn)


def _month_tests(table: _Months, draws: int, seed: int) -> tuple[tuple[MonthTest, ...] | Unknown, int]:
    """Twelve changes from the month before, with the p of the largest of twelve scores.

    Label draws are random (seeded): p = (1 + as large) / (1 + draws).
    """
    log = np.log(table.mean).ravel()
    change = np.diff(log, prepend=np.nan).reshape(-1, 12)
    whole = np.isfinite(change).all(axis=1)
    change = change[whole]
    election = np.array([year % 4 == 0 for year in table.years])[whole]
    n, n_election = len(change), int(election.sum())
    if min(n_election, n - n_election) < LEAST_YEARS:
        return Unknown(
            f"needs {LEAST_YEARS} election years and {LEAST_YEARS} others with twelve changes, "
            f"there are {n_election} and {n - n_election}"
        ), n
    sd = change.std(axis=0, ddof=1)
    scale = np.where(sd > 0, sd, np.inf)

    def difference(labels: FloatArray) -> FloatArray:
        found: FloatArray = labels @ change / n_election - (1.0 - labels) @ change / (n - n_election)
        return found

    generator = np.random.default_rng([seed, 12])
    labels = generator.permuted(np.tile(election.astype(float), (draws, 1)), axis=1)
    largest = np.abs(difference(labels) / scale).max(axis=1)
    seen = difference(election.astype(float))
    score = np.abs(seen / scale)
    p = (1 + (largest[:, None] >= score - 1e-12).sum(axis=0)) / (1 + draws)
    return tuple(MonthTest(m + 1, float(seen[m]), float(score[m]), float(p[m])) for m in range(12)), n


def _lines(table: _Months) -> MonthLines:
    election = np.array([year % 4 == 0 for year in table.years])
    other = table.mean[~election]
    n = np.isfinite(other).sum(axis=0)
    mean = np.full(12, np.nan)
    np.divide(np.nansum(other, axis=0), n, out=mean, where=n > 0)
    years = tuple(year for year in table.years if year % 4 == 0)
    return MonthLines(years, frozen_array(table.mean[election]), frozen_array(mean), n)


def _closed_note(closed: DayArray) -> tuple[str, ...]:
    if not len(closed):
        return ()
    return (f"{len(closed)} VIX values on days without a session left out (last: {closed[-1]})",)


def _year_notes(years: Sequence[YearMoves]) -> tuple[str, ...]:
    return tuple(
        f"{year.year} left out of {name}: {value.reason}"
        for name, values in (
            ("July-August", [(year, year.jul_aug_over_jun) for year in years]),
            ("October", [(year, year.oct_over_sep) for year in years]),
        )
        for year, value in values
        if isinstance(value, Unknown)
    )


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
