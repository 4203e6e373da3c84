"""What followed the days on which small caps beat the Nasdaq-100 by far: an event study.

An event is a day whose spread, in standard deviations of the 252 days before it, is 3 or more; it counts when it
comes more than 20 trading days after the last one that counted. The outcome over h days is the change of the log
spread, 100 (ln RUT(t+h)/RUT(t) - ln NDX(t+h)/NDX(t)), in percent: positive where the move went on. No outcome
reaches over a session that is missing, and none is told before its h days are over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from desktop.analytics.divergence import LONG_SD_DAYS, DailyMoves, daily_moves, score_history
from desktop.analytics.ratio import PairSeries
from desktop.analytics.windows import frozen_array
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import FloatArray, IntArray

HORIZONS_DAYS = (1, 5, 20, 60)
THRESHOLD_SD = 3.0
GAP_DAYS = 20
RESAMPLES = 10_000
SEED = 20240711
LEAST_FOR_INTERVAL = 10
"""A resample of fewer outcomes says more about those outcomes than about the next one."""
FAN_DAYS = 60
FAN_LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Rule:
    """Which days are events: spread of simple or of log returns; more than `gap_days` sessions after the last."""

    name: str
    log_spread: bool = False
    gap_days: int = GAP_DAYS


RULE = Rule("as stated: simple returns, more than 20 days apart")
OTHER_RULES = (
    Rule("log returns instead of simple ones", log_spread=True),
    Rule("a gap of exactly 20 days allowed", gap_days=GAP_DAYS - 1),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Outcomes over `horizon_days` sessions, in percent; `hit` is the share (0..1) above zero.

    `n` outcomes are known. `pending` events are too young for the horizon, `broken` ones have a missing session
    within it; both are left out.
    """

    horizon_days: int
    n: int
    pending: int
    broken: int
    mean_pct: Maybe
    median_pct: Maybe
    hit: Maybe


@dataclass(frozen=True, slots=True)
class Outcome:
    """A summary and what it is worth.

    `ci95_pct` is the percentile-bootstrap interval of the mean; `mean_block` the mean length in events of the
    blocks drawn, 1 where events are drawn one by one. `unconditional_mean_pct` is the mean over all
    `unconditional_n` days. `placebo_p` is two-sided: the share of `resamples` draws of as many spaced days whose
    mean lies at least as far from the mean of all draws.
    """

    summary: Summary
    ci95_pct: tuple[float, float] | Unknown
    mean_block: int
    unconditional_mean_pct: Maybe
    unconditional_n: int
    placebo_p: Maybe
    resamples: int

    @property
    def reads(self) -> str:
        """What to say of it; without an interval or a placebo there is no verdict."""
        if isinstance(self.ci95_pct, Unknown):
            return f"no verdict: {self.ci95_pct.reason}"
        if isinstance(self.placebo_p, Unknown):
            return f"no verdict: {self.placebo_p.reason}"
        low, high = self.ci95_pct
        n = self.summary.n
        if low > 0 and self.placebo_p <= 0.05:
            return f"continued (n {n})"
        if high < 0 and self.placebo_p <= 0.05:
            return f"reversed (n {n})"
        return f"cannot be told from chance (n {n})"


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same summaries under another rule: how far the answer rests on the rule."""

    rule: Rule
    n_events: int
    summaries: tuple[Summary, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Paths after the events, in percent of log spread, for a chart.

    `day` 0..60, shape (61,). `quantiles_pct`, shape (levels, 61), one row for each of `levels` (0..1). `mean_pct`
    is the mean path, `unconditional_pct` the mean over all days. `n` events whose whole path is known.
    """

    day: IntArray
    levels: tuple[float, ...]
    quantiles_pct: FloatArray
    mean_pct: FloatArray
    unconditional_pct: FloatArray
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class EventStudy:
    """The event study of the report; see METHODS 2.

    `since` and `until` bound the days that could have been events, `n_days` is their number. `sensitivity` begins
    with the rule of `outcomes`.
    """

    since: dt.date
    until: dt.date
    n_days: int
    events: tuple[dt.date, ...]
    outcomes: tuple[Outcome, ...]
    sensitivity: tuple[Sensitivity, ...]
    fan: Fan | Unknown
    notes: tuple[str, ...]


def event_study(
    series: PairSeries,
    *,
    horizons_days: Sequence[int] = HORIZONS_DAYS,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> EventStudy | Unknown:
    """Find the events, and what followed them.

    Parameters
    ----------
    series
        Official closes of both legs, cut at as-of.
    horizons_days
        Sessions after the event.
    resamples
        Of the bootstrap and of the placebo, each.
    seed
        Of numpy's default generator; the same seed gives the same study.

    Returns
    -------
    EventStudy, or Unknown where no day has 252 days with a move before it, or none reached the threshold.
    """
    moves = daily_moves(series)
    eligible = _rows(series, moves, np.isfinite(score_history(moves, LONG_SD_DAYS)))
    if not len(eligible):
        return Unknown(f"needs {LONG_SD_DAYS} days that move before the first event, there are {len(moves)}")
    events = event_rows(series, moves, RULE)
    if not len(events):
        return Unknown(f"no day of {len(eligible)} reached {THRESHOLD_SD:g} standard deviations")
    changes = {h: _changes(series, h) for h in horizons_days}
    # One stream for each horizon, so that one more horizon does not change the others.
    outcomes = tuple(
        _outcome(series, events, eligible, h, changes[h], resamples, np.random.default_rng([seed, h]))
        for h in horizons_days
    )
    sensitivity = [Sensitivity(RULE, len(events), tuple(outcome.summary for outcome in outcomes))]
    for rule in OTHER_RULES:
        rows = event_rows(series, moves, rule)
        summaries = tuple(_summary(series, rows, h, changes[h]) for h in horizons_days)
        sensitivity.append(Sensitivity(rule, len(rows), summaries))
    return EventStudy(
        since=series.day(int(eligible[0])),
        until=series.day(int(eligible[-1])),
        n_days=len(eligible),
        events=tuple(series.day(int(row)) for row in events),
        outcomes=outcomes,
        sensitivity=tuple(sensitivity),
        fan=_fan(series, events),
        notes=series.notes,
    )


def event_rows(series: PairSeries, moves: DailyMoves, rule: Rule) -> IntArray:
    """Rows of `series` that are events by `rule`, in order. Gaps are counted in sessions."""
    if rule.log_spread:
        logs = (100.0 * np.log1p(leg / 100.0) for leg in (moves.rut_pct, moves.ndx_pct))
        moves = replace(moves, spread_pp=np.subtract(*logs))
    counted: list[int] = []
    for row in _rows(series, moves, score_history(moves, LONG_SD_DAYS) >= THRESHOLD_SD):
        if not counted or series.position[row] - series.position[counted[-1]] > rule.gap_days:
            counted.append(int(row))
    return np.array(counted, dtype=np.int64)


def _rows(series: PairSeries, moves: DailyMoves, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> IntArray:
    return np.searchsorted(series.days, moves.days[chosen]).astype(np.int64)


def _changes(series: PairSeries, horizon: int) -> FloatArray:
    """Outcome from each row, percent; NaN where one of the `horizon` sessions after it is missing or to come."""
    x, position = series.log_ratio, series.position
    change = np.full(len(x), np.nan)
    if len(x) > horizon:
        whole = position[horizon:] - position[:-horizon] == horizon
        change[:-horizon] = np.where(whole, 100.0 * (x[:-horizon] - x[horizon:]), np.nan)
    return change


def _summary(series: PairSeries, events: IntArray, horizon: int, change: FloatArray) -> Summary:
    known = change[events]
    known = known[np.isfinite(known)]
    pending = int(np.count_nonzero(series.position[events] + horizon > series.position[-1]))
    broken = len(events) - pending - len(known)
    if not len(known):
        none = Unknown(f"no event has {horizon} whole sessions after it")
        return Summary(horizon, 0, pending, broken, none, none, none)
    mean, median, hit = (float(value) for value in (known.mean(), np.median(known), np.mean(known > 0)))
    return Summary(horizon, len(known), pending, broken, mean, median, hit)


def _outcome(
    series: PairSeries,
    events: IntArray,
    eligible: IntArray,
    horizon: int,
    change: FloatArray,
    resamples: int,
    generator: np.random.Generator,
) -> Outcome:
    summary = _summary(series, events, horizon, change)
    every = change[np.isfinite(change)]
    known = change[events]
    known = known[np.isfinite(known)]
    # Outcomes of events closer than the horizon share days: as many as follow each other within it form a block.
    block = ceil(horizon / GAP_DAYS) if horizon > GAP_DAYS else 1
    interval: tuple[float, float] | Unknown = Unknown(
        f"needs {LEAST_FOR_INTERVAL} outcomes, there are {len(known)}"
    )
    if len(known) >= LEAST_FOR_INTERVAL:
        means = bootstrap_means(known, resamples, generator, mean_block=block)
        low, high = (float(value) for value in np.quantile(means, (_LOW, _HIGH)))
        interval = low, high
    could = change[eligible]
    could = could[np.isfinite(could)]
    return Outcome(
        summary=summary,
        ci95_pct=interval,
        mean_block=block,
        unconditional_mean_pct=float(every.mean()) if len(every) else Unknown("no day is old enough"),
        unconditional_n=len(every),
        placebo_p=_placebo_p(known, could, resamples, generator),
        resamples=resamples,
    )


def bootstrap_means(
    values: FloatArray, resamples: int, generator: np.random.Generator, *, mean_block: int = 1
) -> FloatArray:
    """Means of resamples of `values`, shape (resamples,).

    With `mean_block` above 1 the stationary bootstrap of Politis and Romano (1994): blocks of neighbours, of
    geometric length with that mean, wrapping around; with 1, values drawn one by one.
    """
    n = len(values)
    at = generator.integers(0, n, size=(n, resamples))
    for t in range(1, n if mean_block > 1 else 0):
        goes_on = generator.random(resamples) >= 1.0 / mean_block
        at[t, goes_on] = (at[t - 1, goes_on] + 1) % n
    means: FloatArray = values[at].mean(axis=0)
    return means


def _placebo_p(known: FloatArray, could: FloatArray, resamples: int, generator: np.random.Generator) -> Maybe:
    """Two-sided p of the mean of `known` among means of as many spaced days of `could`, which are in order."""
    n = len(known)
    if not n:
        return Unknown("no outcome to compare")
    if len(could) < 1 + (n - 1) * (GAP_DAYS + 1):
        return Unknown(f"{n} days more than {GAP_DAYS} days apart do not fit into {len(could)} days")
    means = could[spaced_draws(len(could), n, GAP_DAYS, resamples, generator)].mean(axis=1)
    centre = means.mean()
    further = np.count_nonzero(np.abs(means - centre) >= abs(known.mean() - centre))
    return float(1 + further) / (1 + resamples)


def spaced_draws(n: int, count: int, gap: int, draws: int, generator: np.random.Generator) -> IntArray:
    """Draw `count` of `n` places more than `gap` apart; every such set is equally likely. Shape (draws, count).

    Sets of places more than `gap` apart are sets of any `count` of n - (count - 1) gap places, each pushed on by
    `gap` for every one before it; those are drawn by Floyd's algorithm (Bentley and Floyd 1987).
    """
    free = n - (count - 1) * gap
    chosen = np.full((draws, count), -1, dtype=np.int64)
    for i, top in enumerate(range(free - count, free)):
        place = generator.integers(0, top + 1, size=draws)
        taken = (chosen[:, :i] == place[:, None]).any(axis=1)
        chosen[:, i] = np.where(taken, top, place)
    return np.sort(chosen, axis=1) + gap * np.arange(count)


def _fan(series: PairSeries, events: IntArray) -> Fan | Unknown:
    whole = events[np.isfinite(_changes(series, FAN_DAYS)[events])]
    if len(whole) < LEAST_FOR_INTERVAL:
        return Unknown(
            f"needs {LEAST_FOR_INTERVAL} events with {FAN_DAYS} whole sessions after them, there are {len(whole)}"
        )
    day = np.arange(FAN_DAYS + 1)
    paths = 100.0 * (series.log_ratio[whole, None] - series.log_ratio[whole[:, None] + day])
    usual = np.array([0.0, *(float(np.nanmean(_changes(series, int(h)))) for h in day[1:])])
    return Fan(
        day=day,
        levels=FAN_LEVELS,
        quantiles_pct=frozen_array(np.quantile(paths, FAN_LEVELS, axis=0)),
        mean_pct=frozen_array(paths.mean(axis=0)),
        unconditional_pct=frozen_array(usual),
        n=len(whole),
    )
