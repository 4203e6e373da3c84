"""What rates say: the path that fed funds futures price, and how much of a day the 2-year yield explains.

Path (METHODS 4): the average rate of a month is 100 less the price of its ZQ contract. In a month with a meeting
D x average = N x start + M x end, with N days at the old rate and M = D - N at the new one. A month without a
meeting pins the end of the month before and the start of the next. Known ends are carried backward first, then
known starts forward; where no pin reaches, the path starts from the effective rate (EFFR). A change of x steps of
25 bp is floor x steps with probability 1 - frac x, else floor x + 1; the steps of successive meetings convolve.

Regression: D in basis points on the change of the 2-year yield in basis points, ordinary least squares with
Newey and West's (1987) errors, Bartlett weights, 5 lags, no small-sample correction.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import floor, isfinite, nan

import numpy as np

from desktop.analytics.divergence import daily_moves
from desktop.analytics.ratio import PairSeries
from desktop.analytics.windows import align, frozen_array, known
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import DayArray, FloatArray, IntArray

STEP_PCT = 0.25
"""The target moves in steps of 25 basis points."""
WINDOW_DAYS = 252
LAGS = 5
LEAST_YEAR_DAYS = 60
"""A calendar year with fewer days than this has no slope of its own."""
Z95 = 1.959964
_ROLLING_ROWS = 1024
_SAME = 1e-9
STUCK_ROWS, STUCK_ROWS_BESIDE = 5, 3


class DayRule(StrEnum):
    """How the day of the decision counts: at the old rate (N = day), or at the new one (N = day - 1).

    A new target applies from the day after the decision, so the first is right; printed examples of the exchange
    use the second.
    """

    OLD_RATE = "old_rate"
    NEW_RATE = "new_rate"

    @property
    def other(self) -> DayRule:
        """The rule that is not this one."""
        return DayRule.NEW_RATE if self is DayRule.OLD_RATE else DayRule.OLD_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The target range in percent by day, oldest first; each day tells the range in force on it."""

    days: DayArray
    low_pct: FloatArray
    high_pct: FloatArray

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Fixing:
    """The effective fed funds rate of a day, percent."""

    day: date
    pct: float


@dataclass(frozen=True, slots=True)
class StepOdds:
    """Probability (0..1) that one meeting moves the target by `change_bp`."""

    change_bp: int
    p: float


@dataclass(frozen=True, slots=True)
class RangeOdds:
    """Probability (0..1) that the target range after a meeting is `low_pct` to `high_pct`, percent."""

    low_pct: float
    high_pct: float
    p: float


@dataclass(frozen=True, slots=True)
class MeetingOdds:
    """What is priced for one meeting.

    `before_pct` and `expected_rate_pct` are the effective rate before and after it, percent. `change_bp` is the
    change at this meeting, `cumulative_bp` since before the first meeting that is still open; `steps` the odds of
    this meeting alone, `probabilities` those of the range after it, lowest first. `other_rule_change_bp` is
    `change_bp` under the other `DayRule`, `other_rule_shift` (0..1) the probability that changes its range with
    it: half the sum of absolute differences.
    """

    meeting: date
    before_pct: Maybe
    expected_rate_pct: Maybe
    change_bp: Maybe
    cumulative_bp: Maybe
    steps: tuple[StepOdds, ...] | Unknown
    probabilities: tuple[RangeOdds, ...] | Unknown
    other_rule_change_bp: Maybe
    other_rule_shift: Maybe


@dataclass(frozen=True, slots=True)
class FedPath:
    """The path by meeting as priced on `day`.

    `low_pct`, `high_pct` are the range in force, `start_pct` the effective rate before the first open meeting.
    `n_months` counts the contract months used; `schedule_known_to` ends the published calendar, past which no
    month tells anything.
    """

    day: dt.date
    rule: DayRule
    low_pct: Maybe
    high_pct: Maybe
    start_pct: Maybe
    meetings: tuple[MeetingOdds, ...]
    n_months: int
    schedule_known_to: dt.date


@dataclass(frozen=True, slots=True)
class Stuck:
    """Settlements that have not moved: the first day of the unmoved run, its rows, the gap to another strip.

    `gap` is the largest distance to the other strip on the last day both have, in the unit of the values.
    """

    since: date
    rows: int
    gap: Maybe


def zq_symbol(month: date) -> str:
    """Symbol of the fed funds contract of a month, such as ZQU26.CBT."""
    return f"ZQ{'FGHJKMNQUVXZ'[month.month - 1]}{month:%y}.CBT"


def fed_path(
    prices: Mapping[date, float],
    meetings: Iterable[date],
    day: date,
    *,
    target: Target | None = None,
    effr: Fixing | Unknown | None = None,
    known_to: date | None = None,
    rule: DayRule = DayRule.OLD_RATE,
) -> FedPath | Unknown:
    """Read the path by meeting from one strip of fed funds futures.

    Parameters
    ----------
    prices
        Price by contract month (any day of it names the month), all of one moment.
    meetings
        Decision days of the published calendar, past ones allowed.
    day
        The New York day the prices are of. Meetings from it on are reported.
    target
        Range in force, up to the last day for which it is known at as-of. Changes inside the month of `day`,
        between meetings too, are taken out of its average; a meeting before the last of these days is decided.
    effr
        Latest effective rate, used where no pin reaches.
    known_to
        Last day the published calendar covers; a month that ends later is no pin. None takes the last meeting.
    rule
        How a decision day counts.

    Returns
    -------
    FedPath
        Unknown where there is no price, or no meeting lies ahead. A meeting that cannot be solved says why.
    """
    calendar = sorted(set(meetings))
    if not calendar or calendar[-1] < day:
        return Unknown(f"no FOMC meeting is scheduled after {day}: the calendar ends too early")
    by_month = {_first(month): price for month, price in prices.items() if isfinite(price)}
    end = max(calendar[-1], known_to) if known_to else calendar[-1]
    months = _months(_first(day), calendar[-1], end)
    averages = [100.0 - by_month[month] if month in by_month else nan for month in months]
    n_months = sum(map(isfinite, averages))
    if not n_months:
        return Unknown(f"no price of a fed funds future of {months[0]:%B %Y} to {months[-1]:%B %Y}")
    if target is not None and not len(target):
        target = None
    decided_to = months[0] if target is None else _as_date(target.days[-1])
    still_open = tuple(one for one in calendar if one >= max(decided_to, months[0]))
    if not still_open or still_open[-1] < day:
        return Unknown(f"no FOMC meeting is open after {day}: the calendar ends on {calendar[-1]}")
    if target is not None:
        averages[0] += _decided(target, months[0])
    start = _start(effr, target, still_open)
    base = _base(target, calendar, months[0])
    strip = _Strip(months, tuple(averages), still_open, start)
    found, other = _odds(strip, rule), _odds(strip, rule.other)
    low, high = (base, base) if isinstance(base, Unknown) else base
    return FedPath(
        day=day,
        rule=rule,
        low_pct=low,
        high_pct=high,
        start_pct=found[0].before,
        meetings=tuple(
            _meeting(one, another, base) for one, another in zip(found, other, strict=True) if one.meeting >= day
        ),
        n_months=n_months,
        schedule_known_to=end,
    )


def _first(day: date) -> date:
    return day.replace(day=1)


def _next_month(month: date) -> date:
    return _first(month + timedelta(days=31))


def _days_in(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def _months(first: date, last_meeting: date, known_to: date) -> tuple[date, ...]:
    """Months from `first` to the last meeting's, and further ones that the calendar covers to their end."""
    months, month = [], first
    while month <= last_meeting or month.replace(day=_days_in(month)) <= known_to:
        months.append(month)
        month = _next_month(month)
    return tuple(months)


def _decided(target: Target, month: date) -> float:
    """What the average of `month` lacks because its first days were at an earlier target, percent."""
    change = np.diff(target.high_pct)
    lacking = 0.0
    for at in np.flatnonzero(np.abs(change) > _SAME):
        effective = _as_date(target.days[at + 1])
        if _first(effective) == month:
            lacking += float(change[at]) * (effective.day - 1) / _days_in(month)
    return lacking


def _start(effr: Fixing | Unknown | None, target: Target | None, still_open: Sequence[date]) -> Maybe:
    """The effective rate at today's target."""
    if effr is None or isinstance(effr, Unknown):
        return effr or Unknown("the effective fed funds rate is not known")
    if effr.day > still_open[0]:
        return Unknown(f"the effective rate of {effr.day} already holds the decision of {still_open[0]}")
    if target is None:
        return effr.pct
    then = int(np.searchsorted(target.days, np.datetime64(effr.day), side="right")) - 1
    return effr.pct + float(target.high_pct[-1] - target.high_pct[max(then, 0)])


def _base(target: Target | None, calendar: Sequence[date], month: date) -> tuple[float, float] | Unknown:
    """The range from which the open meetings step."""
    if target is None:
        return Unknown("the target range is not known: DFEDTARL and DFEDTARU are missing")
    last = _as_date(target.days[-1])
    missed = [one for one in calendar if last <= one < month]
    if missed:
        return Unknown(f"the target range is known to {last} only, before the decision of {missed[-1]}")
    return float(target.low_pct[-1]), float(target.high_pct[-1])


@dataclass(frozen=True, slots=True)
class _Strip:
    """Months in a row, their average rates (NaN without a price), the open meetings, and the rate today."""

    months: tuple[date, ...]
    average: tuple[float, ...]
    meetings: tuple[date, ...]
    start: Maybe


@dataclass(frozen=True, slots=True)
class _Solved:
    """One open meeting: rates before and after, percent, and the odds of all steps of 25 bp since today."""

    meeting: date
    before: Maybe
    after: Maybe
    steps: Maybe
    cumulative: Maybe
    odds: Mapping[int, float] | Unknown


def _solve(strip: _Strip, rule: DayRule) -> tuple[list[float], list[float]]:
    """Rate at the start and at the end of each month, NaN where it cannot be known."""
    n, average = len(strip.months), strip.average
    start, end = [nan] * n, [nan] * n
    days = [_days_in(month) for month in strip.months]
    held = [[one for one in strip.meetings if _first(one) == month] for month in strip.months]
    # Days at the old rate; two open meetings in one month cannot be told apart by its average.
    old = [nan if len(one) > 1 else one[0].day - (rule is DayRule.NEW_RATE) if one else 0 for one in held]
    for i in range(n):
        if not held[i] and isfinite(average[i]):
            start[i] = end[i] = average[i]
            if i + 1 < n and held[i + 1]:
                start[i + 1] = average[i]
    for i in reversed(range(n)):
        if i + 1 < n and not isfinite(end[i]):
            end[i] = start[i + 1]
        if not isfinite(start[i]) and held[i] and old[i] > 0:
            new = days[i] - old[i]
            start[i] = (days[i] * average[i] - (new * end[i] if new else 0.0)) / old[i]
        elif not isfinite(start[i]) and not held[i]:
            start[i] = end[i]
    for i in range(n):
        if not isfinite(start[i]):
            start[i] = end[i - 1] if i else _or_nan(strip.start)
        if not isfinite(end[i]) and held[i] and old[i] < days[i]:
            end[i] = (days[i] * average[i] - (old[i] * start[i] if old[i] else 0.0)) / (days[i] - old[i])
        elif not isfinite(end[i]) and not held[i]:
            end[i] = start[i]
    return start, end


def _or_nan(value: Maybe) -> float:
    return nan if isinstance(value, Unknown) else value


def _odds(strip: _Strip, rule: DayRule) -> list[_Solved]:
    """Solve the strip and convolve the steps of its meetings."""
    start, end = _solve(strip, rule)
    solved: list[_Solved] = []
    total: Maybe = 0.0
    odds: Mapping[int, float] | Unknown = {0: 1.0}
    for meeting in strip.meetings:
        i = strip.months.index(_first(meeting))
        why = _why_unsolved(strip, i, start[i])
        before, after = known(start[i], why), known(end[i], why)
        steps: Maybe = Unknown(why)
        if sum(_first(one) == strip.months[i] for one in strip.meetings) > 1:
            before = after = steps
        elif isfinite(start[i]) and isfinite(end[i]):
            steps = (end[i] - start[i]) / STEP_PCT
        if not isinstance(total, Unknown) and not isinstance(odds, Unknown):
            if isinstance(steps, Unknown):
                total = odds = Unknown(f"{meeting}: {why}")
            else:
                total, odds = total + steps, convolve(odds, step_odds(steps))
        solved.append(_Solved(meeting, before, after, steps, total, odds))
    return solved


def _why_unsolved(strip: _Strip, i: int, start: float) -> str:
    month = strip.months[i]
    if sum(_first(one) == month for one in strip.meetings) > 1:
        return f"two meetings in {month:%B %Y}: its average cannot tell them apart"
    if not isfinite(strip.average[i]):
        return f"no price of the fed funds future of {month:%B %Y}"
    earlier = [one for one in strip.meetings if one < month]
    if not isfinite(start) and earlier:
        return f"the rate after the meeting of {earlier[-1]} is not known"
    if not isfinite(start) and isinstance(strip.start, Unknown):
        return f"no month without a meeting pins the rate before it, and {strip.start.reason}"
    return f"needs the price of the fed funds future of {_next_month(month):%B %Y}"


def step_odds(steps: float) -> dict[int, float]:
    """Odds (0..1) by whole steps of a change of `steps`: floor, and the next one above, so that the mean is it."""
    steps = round(steps, 9)
    low = floor(steps)
    above = steps - low
    return {low: 1.0 - above, low + 1: above} if above else {low: 1.0}


def convolve(odds: Mapping[int, float], step: Mapping[int, float]) -> dict[int, float]:
    """Odds of the sum of two independent whole numbers of steps."""
    total: dict[int, float] = {}
    for before, p in odds.items():
        for change, q in step.items():
            total[before + change] = total.get(before + change, 0.0) + p * q
    return dict(sorted(total.items()))


def _meeting(one: _Solved, other: _Solved, base: tuple[float, float] | Unknown) -> MeetingOdds:
    unit = 100.0 * STEP_PCT
    probabilities: tuple[RangeOdds, ...] | Unknown
    if isinstance(one.odds, Unknown):
        probabilities = one.odds
    elif isinstance(base, Unknown):
        probabilities = base
    else:
        low, high = base
        probabilities = tuple(
            RangeOdds(round(low + STEP_PCT * k, 6), round(high + STEP_PCT * k, 6), p) for k, p in one.odds.items()
        )
    return MeetingOdds(
        meeting=one.meeting,
        before_pct=one.before,
        expected_rate_pct=one.after,
        change_bp=_scaled(one.steps, unit),
        cumulative_bp=_scaled(one.cumulative, unit),
        steps=one.steps
        if isinstance(one.steps, Unknown)
        else tuple(StepOdds(round(unit * k), p) for k, p in step_odds(one.steps).items()),
        probabilities=probabilities,
        other_rule_change_bp=_scaled(other.steps, unit),
        other_rule_shift=_shift(one.odds, other.odds),
    )


def _scaled(value: Maybe, unit: float) -> Maybe:
    return value if isinstance(value, Unknown) else unit * value


def _shift(one: Mapping[int, float] | Unknown, other: Mapping[int, float] | Unknown) -> Maybe:
    if isinstance(one, Unknown):
        return one
    if isinstance(other, Unknown):
        return other
    return 0.5 * sum(abs(one.get(k, 0.0) - other.get(k, 0.0)) for k in {*one, *other})


def stuck(
    days: DayArray,
    values: FloatArray,
    beside: tuple[DayArray, FloatArray] | None = None,
) -> Stuck | None:
    """Say whether a strip of settlements stopped moving.

    Parameters
    ----------
    days
        datetime64[D], increasing. Weekend rows are copies and do not count.
    values
        Shape (days,) or (days, contracts), NaN where a contract has none.
    beside
        Days and values of another strip of the same contracts.

    Returns
    -------
    Stuck or None
        Stuck when no contract changed for 5 rows or more; for 3 or more when the other strip moved meanwhile.
        None otherwise, and when the other strip stood still too.
    """
    days, values = _weekdays(days, values)
    if not len(days):
        return None
    same = ((values == values[-1]) | np.isnan(values) | np.isnan(values[-1])).all(axis=1)
    changed = np.flatnonzero(~same)
    first = int(changed[-1]) + 1 if len(changed) else 0
    rows = len(days) - first
    since = _as_date(days[first])
    if beside is None:
        return Stuck(since, rows, Unknown("no other strip to compare with")) if rows >= STUCK_ROWS else None
    other_days, other = _weekdays(*beside)
    common = np.intersect1d(days[first:], other_days)
    if len(common) < 2:
        return Stuck(since, rows, Unknown("no other strip on these days")) if rows >= STUCK_ROWS else None
    meanwhile = other[np.isin(other_days, common)]
    moved = np.nanmax(np.abs(meanwhile - meanwhile[0]), initial=0.0)
    if rows < STUCK_ROWS_BESIDE or moved <= _SAME:
        return None
    gap = np.abs(values[-1] - meanwhile[-1])
    return Stuck(since, rows, known(float(np.max(gap[np.isfinite(gap)], initial=0.0)), "no contract in common"))


def _weekdays(days: DayArray, values: FloatArray) -> tuple[DayArray, FloatArray]:
    keep = np.is_busday(days)
    return days[keep], values[keep].reshape(int(keep.sum()), values[:1].size)


# The 2-year yield


@dataclass(frozen=True, slots=True, eq=False)
class RateMoves:
    """Days with both: D in basis points (RUT less NDX) and the change of the 2-year yield in basis points."""

    days: DayArray
    spread_bp: FloatArray
    change_bp: FloatArray

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Slope:
    """Basis points of D for each basis point of yield, its Newey-West error, R2, and the `n` days behind them."""

    beta: Maybe
    se: Maybe
    r2: Maybe
    n: int

    @property
    def clear(self) -> bool:
        """Whether the slope is more than 1.96 errors away from zero."""
        if isinstance(self.beta, Unknown) or isinstance(self.se, Unknown):
            return False
        return abs(self.beta) > Z95 * self.se


@dataclass(frozen=True, slots=True)
class YearSlope:
    """Slope within one calendar year."""

    year: int
    slope: Slope


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the change of the yield explains of D: basis points, and as a share of D (a pure number).

    `..._low` and `..._high` bound 95 %, with the error of the slope alone, normal approximation.
    """

    bp: Maybe
    low_bp: Maybe
    high_bp: Maybe
    share: Maybe
    share_low: Maybe
    share_high: Maybe


@dataclass(frozen=True, slots=True, eq=False)
class SlopeHistory:
    """Slope of the `n` days that end at each day, and its error; NaN where the yield never moved."""

    days: DayArray
    beta: FloatArray
    se: FloatArray
    n: int


@dataclass(frozen=True, slots=True)
class TwoYear:
    """The 2-year yield and what it explains of the day's D.

    `two_year_pct` is the last yield known, of `two_year_date`; `change_bp` its change on `date`, `spread_bp` the
    day's D. `slope` comes from the days `first` to `last`, all before `date`. `years` shows how stable the sign
    is.
    """

    date: dt.date
    two_year_pct: Maybe
    two_year_date: dt.date | None
    change_bp: Maybe
    spread_bp: Maybe
    slope: Slope
    first: dt.date | None
    last: dt.date | None
    attribution: Attribution
    years: tuple[YearSlope, ...]

    @property
    def years_by_sign(self) -> tuple[int, int]:
        """Calendar years with a negative and with a positive slope."""
        return _signs([one.slope for one in self.years])

    @property
    def clear_years_by_sign(self) -> tuple[int, int]:
        """The same, of the years whose slope is more than 1.96 errors away from zero."""
        return _signs([one.slope for one in self.years if one.slope.clear])


def _signs(slopes: Sequence[Slope]) -> tuple[int, int]:
    betas = [one.beta for one in slopes if not isinstance(one.beta, Unknown)]
    return sum(beta < 0 for beta in betas), sum(beta > 0 for beta in betas)


def is_bond_holiday(day: date) -> bool:
    """Tell whether the bond market rests while the exchange trades.

    Columbus Day, Veterans Day (on Monday when it falls on a Sunday), and Martin Luther King Day before 1998, when
    the exchange began to keep it.
    """
    monday = day.weekday() == 0
    if day.month == 10:
        return monday and 8 <= day.day <= 14
    if day.month == 11:
        return day.day == 11 or (monday and day.day == 12)
    return day.month == 1 and day.year < 1998 and monday and 15 <= day.day <= 21


def rate_moves(series: PairSeries, days: DayArray, yield_pct: FloatArray) -> RateMoves:
    """Put D and the change of a yield side by side.

    Both are from one day of the exchange to the next. Over a holiday of the bond market the change runs from the
    bond day before it, and the holiday itself has none; over any other day without a yield no change is computed.

    Parameters
    ----------
    series
        Both legs, cut at as-of. A day whose session before is missing has no D and is left out.
    days, yield_pct
        The yield by day, percent, as known at as-of, in any order; NaN and days that are no session do not count.
    """
    moves = daily_moves(series)
    change = _change_bp(series, days, yield_pct)
    at = np.searchsorted(series.days, moves.days)
    there = np.isfinite(change[at])
    return RateMoves(
        moves.days[there],
        frozen_array(100.0 * moves.spread_pp[there]),
        frozen_array(change[at][there]),
    )


def _change_bp(series: PairSeries, days: DayArray, yield_pct: FloatArray) -> FloatArray:
    """Change of the yield on each day of `series` in basis points, NaN where there is none."""
    if not len(series):
        return np.empty(0)
    sessions = series.days if series.sessions is None else series.sessions
    order = np.argsort(days, kind="stable")
    level = align(days[order], yield_pct[order], sessions)
    there = np.flatnonzero(np.isfinite(level))
    change = np.full(len(sessions), np.nan)
    change[there[1:]] = 100.0 * np.diff(level[there])
    for at in np.flatnonzero(np.diff(there) > 1):
        without = sessions[there[at] + 1 : there[at + 1]]
        if not all(is_bond_holiday(_as_date(day)) for day in without):
            change[there[at + 1]] = np.nan
    return align(sessions, change, series.days)


def newey_west(x: FloatArray, y: FloatArray, lags: int = LAGS) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope of y on x with a constant, its Newey-West error, and R2, along the last axis.

    With one regressor the slope's entry of the sandwich is that of x less its mean: u_t = (x_t - mean) e_t,
    variance (sum u_t^2 + 2 sum_l (1 - l / (lags + 1)) sum_t u_t u_(t-l)) / (sum (x_t - mean)^2)^2.

    Parameters
    ----------
    x, y
        Shape (..., days), the same for both, finite. NaN comes back where x (or for R2, y) never moves.
    """
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (x * x).sum(axis=-1)
        beta = (x * y).sum(axis=-1) / own
        error = y - beta[..., None] * x
        u = x * error
        meat = (u * u).sum(axis=-1)
        for lag in range(1, min(lags, x.shape[-1] - 1) + 1):
            weight = 1.0 - lag / (lags + 1.0)
            meat = meat + 2.0 * weight * (u[..., lag:] * u[..., :-lag]).sum(axis=-1)
        se = np.sqrt(np.maximum(meat, 0.0)) / own
        r2 = 1.0 - (error * error).sum(axis=-1) / (y * y).sum(axis=-1)
    return np.asarray(beta), np.asarray(se), np.asarray(r2)


def two_year(series: PairSeries, days: DayArray, yield_pct: FloatArray) -> TwoYear | Unknown:
    """Tell how much of the last day's D the 2-year yield explains.

    The slope comes from the 252 days before the last day; the last day itself never enters it. See `rate_moves`
    for the arguments; the last row of `series` may be the live one.

    Returns
    -------
    TwoYear
        Unknown where there is no day of both legs. Without the day's own yield, published that evening, slope and
        history stand and the attribution is unknown.
    """
    if not len(series):
        return Unknown("no day on which both RUT and NDX have a close")
    day = series.day(-1)
    moves = rate_moves(series, days, yield_pct)
    window = np.flatnonzero(moves.days < np.datetime64(day))[-WINDOW_DAYS:]
    slope = _slope(moves, window, WINDOW_DAYS)
    level, level_date = _latest(days, yield_pct, day)
    change = known(float(_change_bp(series, days, yield_pct)[-1]), _why_no_change(day, level_date))
    spread = _spread_bp(series)
    return TwoYear(
        date=day,
        two_year_pct=level,
        two_year_date=level_date,
        change_bp=change,
        spread_bp=spread,
        slope=slope,
        first=_as_date(moves.days[window[0]]) if len(window) else None,
        last=_as_date(moves.days[window[-1]]) if len(window) else None,
        attribution=attribution(slope, change, spread),
        years=slope_by_year(moves),
    )


def _slope(moves: RateMoves, rows: IntArray, least: int) -> Slope:
    n = len(rows)
    if n < least:
        few = Unknown(f"needs {least} days with D and a change of the 2-year yield, there are {n}")
        return Slope(few, few, few, n)
    beta, se, r2 = newey_west(moves.change_bp[rows], moves.spread_bp[rows])
    still = "the 2-year yield never moved"
    return Slope(known(float(beta), still), known(float(se), still), known(float(r2), "nothing moved"), n)


def _latest(days: DayArray, yield_pct: FloatArray, day: date) -> tuple[Maybe, date | None]:
    there = np.flatnonzero(np.isfinite(yield_pct) & (days <= np.datetime64(day)))
    if not len(there):
        return Unknown("no 2-year yield (DGS2) is known"), None
    last = there[np.argmax(days[there])]
    return float(yield_pct[last]), _as_date(days[last])


def _why_no_change(day: date, latest: date | None) -> str:
    if latest is None:
        return "no 2-year yield (DGS2) is known"
    if is_bond_holiday(day):
        return f"the bond market is closed on {day}"
    if latest < day:
        return f"the 2-year yield of {day} is not published yet: the last is of {latest}"
    return f"no 2-year yield of the day before {day}"


def _spread_bp(series: PairSeries) -> Maybe:
    """D of the last day in basis points."""
    if len(series) < 2:
        return Unknown("needs two days of closes")
    if hole := series.hole_before(len(series) - 1):
        return Unknown(hole)
    (rut_before, rut), (ndx_before, ndx) = series.rut[-2:], series.ndx[-2:]
    return float(1e4 * (rut / rut_before - ndx / ndx_before))


def attribution(slope: Slope, change_bp: Maybe, spread_bp: Maybe) -> Attribution:
    """Slope x change, with its interval, in basis points and over D."""
    if isinstance(slope.beta, Unknown) or isinstance(slope.se, Unknown) or isinstance(change_bp, Unknown):
        why = next(one for one in (slope.beta, slope.se, change_bp) if isinstance(one, Unknown))
        return Attribution(why, why, why, why, why, why)
    bp, half = slope.beta * change_bp, Z95 * slope.se * abs(change_bp)
    if isinstance(spread_bp, Unknown) or spread_bp == 0:
        none = spread_bp if isinstance(spread_bp, Unknown) else Unknown("both legs moved alike: D is zero")
        return Attribution(bp, bp - half, bp + half, none, none, none)
    share, width = bp / spread_bp, half / abs(spread_bp)
    return Attribution(bp, bp - half, bp + half, share, share - width, share + width)


def slope_by_year(moves: RateMoves) -> tuple[YearSlope, ...]:
    """Slope within each calendar year, oldest first; the last may be under way."""
    years = moves.days.astype("datetime64[Y]").astype(np.int64) + 1970
    return tuple(
        YearSlope(int(year), _slope(moves, np.flatnonzero(years == year), LEAST_YEAR_DAYS))
        for year in np.unique(years)
    )


def slope_history(moves: RateMoves, window: int = WINDOW_DAYS) -> SlopeHistory:
    """Slope of the `window` days ending at each day, from the first that has so many.

    Raises
    ------
    ValueError
        A window below three days.
    """
    if window < 3:
        raise ValueError(f"window = {window}: a slope with an error needs 3 days or more")
    rows = max(len(moves) - window + 1, 0)
    beta, se = np.empty(rows), np.empty(rows)
    for first in range(0, rows, _ROLLING_ROWS):  # a few megabytes at a time
        here = slice(first, min(first + _ROLLING_ROWS, rows) + window - 1)
        x, y = (
            np.lib.stride_tricks.sliding_window_view(one[here], window)
            for one in (moves.change_bp, moves.spread_bp)
        )
        there = slice(first, first + len(x))
        beta[there], se[there], _ = newey_west(x, y)
    return SlopeHistory(moves.days[len(moves) - rows :], frozen_array(beta), frozen_array(se), window)


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
