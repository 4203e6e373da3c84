"""Do small caps decline less? Both legs in every large decline of the S&P 500, and on bad days.

A drawdown runs from the last high to the lowest close before the next high; it counts at 10 % or more. Moves are
simple returns between closes. The spread is RUT less NDX in percentage points: above zero the claim holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from desktop.analytics.divergence import DailyMoves, daily_moves
from desktop.analytics.ratio import PairSeries
from desktop.analytics.windows import align
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Closes, DayArray, FloatArray

THRESHOLD_PCT = 10.0
LARGE_FALL_PCT = -2.0
HIGH_VIX = 30.0
LEAST_FOR_ERROR = 10
SPX_LABEL, SPX_DATES_LABEL, NDX_LABEL = "S&P 500", "S&P 500, by known dates", "Nasdaq-100"
FLATTERS = "days chosen by the short leg: a fall of NDX is itself a gain of the trade, so the figure flatters it"
FLATTERS_IN_PART = "days chosen in part by the short leg, which flatters the trade"

SPX_DRAWDOWNS = tuple(
    (date.fromisoformat(high), date.fromisoformat(low))
    for high, low in (
        ("1987-10-05", "1987-12-04"),
        ("1989-10-09", "1990-01-30"),
        ("1990-07-16", "1990-10-11"),
        ("1997-10-07", "1997-10-27"),
        ("1998-07-17", "1998-08-31"),
        ("1999-07-16", "1999-10-15"),
        ("2000-03-24", "2002-10-09"),
        ("2007-10-09", "2009-03-09"),
        ("2015-05-21", "2016-02-11"),
        ("2018-01-26", "2018-02-08"),
        ("2018-09-20", "2018-12-24"),
        ("2020-02-19", "2020-03-23"),
        ("2022-01-03", "2022-10-12"),
        ("2025-02-19", "2025-04-08"),
    )
)
"""High and low of every S&P 500 drawdown of 10 % or more by closes from 1987-09-10, the first day of both legs
(the high of 1987-08-25 lies before it). Dates are facts; they stand in where the closes are not in the store."""
SPX_DATES_KNOWN_TO = date(2026, 8, 21)


@dataclass(frozen=True, slots=True)
class Segment:
    """One drawdown: days of high, low and next high (None before it), depth in percent, below zero."""

    high: date
    low: date
    recovered: date | None
    depth_pct: float


@dataclass(frozen=True, slots=True)
class DrawdownMove:
    """Moves of both legs from the benchmark's high, `start`, to its low, `end`; percent, percentage points."""

    start: dt.date
    end: dt.date
    benchmark: str
    benchmark_pct: Maybe
    rut_pct: float
    ndx_pct: float
    spread_pp: float

    @property
    def holds(self) -> bool:
        """Small caps declined less."""
        return self.spread_pp > 0


@dataclass(frozen=True, slots=True)
class DrawdownTable:
    """All drawdowns, oldest first; `benchmark` says whose, `notes` what it rests on. n is len(rows)."""

    rows: tuple[DrawdownMove, ...]
    benchmark: str
    notes: tuple[str, ...]

    @property
    def holds_in(self) -> int:
        """In how many of the rows small caps declined less."""
        return sum(row.holds for row in self.rows)


@dataclass(frozen=True, slots=True)
class DownCapture:
    """Mean move of RUT over mean move of NDX on the `n` days on which NDX fell; below 1 RUT falls less.

    `se` by the delta method for a ratio of means.
    """

    value: Maybe
    se: Maybe
    n: int


@dataclass(frozen=True, slots=True)
class Beta:
    """Slope of the pair (RUT less NDX, pp) on NDX (%) over the days of `condition`; below 0 a rise of NDX costs.

    `se` allows for unequal variances (White, HC1). The beta of RUT on NDX is one more.
    """

    condition: str
    beta: Maybe
    se: Maybe
    n: int


@dataclass(frozen=True, slots=True)
class Condition:
    """Spread on the days of a condition: mean in percentage points, its standard error, share above zero (0..1).

    `since` is the first day on which the condition could be told. `caution` is "" or why the figure flatters.
    """

    condition: str
    n: int
    n_days: int
    since: dt.date | Unknown
    mean_pp: Maybe
    se_pp: Maybe
    hit: Maybe
    caution: str


@dataclass(frozen=True, slots=True)
class Declines:
    """The drawdown section of the report; see METHODS 8."""

    table: DrawdownTable | Unknown
    down_capture: DownCapture
    betas: tuple[Beta, ...]
    conditional: tuple[Condition, ...]
    since: dt.date
    until: dt.date
    notes: tuple[str, ...]


def declines(series: PairSeries, spx: Closes | None = None, vix: Closes | None = None) -> Declines | Unknown:
    """Compute the drawdown section of the report.

    Parameters
    ----------
    series
        Official closes of both legs, cut at as-of.
    spx, vix
        Closes of the S&P 500 and of the VIX, cut at as-of; what rests on them is Unknown without them.
    """
    moves = daily_moves(series)
    if not len(moves):
        return Unknown("no two sessions in a row on which both RUT and NDX have a close")
    return Declines(
        table=drawdown_table(series, spx),
        down_capture=down_capture(moves),
        betas=pair_betas(moves),
        conditional=conditions(series, moves, spx, vix),
        since=_as_date(moves.days[0]),
        until=_as_date(moves.days[-1]),
        notes=series.notes,
    )


def segments(days: DayArray, level: FloatArray, threshold_pct: float = THRESHOLD_PCT) -> tuple[Segment, ...]:
    """Drawdowns of at least `threshold_pct` percent from the running high, oldest first; they do not overlap.

    Of equal highs the last one counts, of equal lows the first. The last drawdown may not be over: its low is the
    lowest so far. What comes before the first day is not seen.
    """
    if not len(level):
        return ()
    highs = np.flatnonzero(level == np.maximum.accumulate(level))
    depth = 100.0 * (np.minimum.reduceat(level, highs) / level[highs] - 1.0)
    found = []
    # A fall from 100 to 90 is 9.999999999999998 % in floating point; the tolerance lets it count.
    for at in np.flatnonzero(depth <= -threshold_pct + 1e-9):
        start, stop = highs[at], highs[at + 1] if at + 1 < len(highs) else len(level)
        low = start + int(np.argmin(level[start:stop]))
        recovered = _as_date(days[stop]) if stop < len(level) else None
        found.append(Segment(_as_date(days[start]), _as_date(days[low]), recovered, float(depth[at])))
    return tuple(found)


def drawdown_table(
    series: PairSeries,
    spx: Closes | None = None,
    known: Sequence[tuple[date, date]] = SPX_DRAWDOWNS,
    threshold_pct: float = THRESHOLD_PCT,
) -> DrawdownTable | Unknown:
    """Moves of both legs in every drawdown of the S&P 500.

    Drawdowns are those of its closes on the days of `series`; before the first of these closes, the `known` ones
    (high, low) stand in. Where neither gives one, the drawdowns of NDX are taken, and labelled.
    """
    if not len(series):
        return Unknown("no day on which both RUT and NDX have a close")
    level = np.full(len(series), np.nan) if spx is None else align(spx.days, spx.close, series.days)
    has = np.flatnonzero(np.isfinite(level))
    begin = series.days[has[0]] if len(has) else None
    rows: list[DrawdownMove] = []
    not_stored = Unknown("its closes are not in the store")
    inside = [(high, low) for high, low in known if high >= series.day(0) and low <= series.day(-1)]
    by_dates = [one for one in inside if begin is None or np.datetime64(one[1], "D") < begin]
    for high, low in by_dates:
        rows += _move(series, high, low, SPX_DATES_LABEL, not_stored)
    holes = len(by_dates) - len(rows)
    for one in segments(series.days[has], level[has], threshold_pct):
        rows += _move(series, one.high, one.low, SPX_LABEL, one.depth_pct)
    if rows:
        return DrawdownTable(tuple(rows), SPX_LABEL, _table_notes(series, has, len(by_dates) - holes, holes))
    for one in segments(series.days, series.ndx, threshold_pct):
        rows += _move(series, one.high, one.low, NDX_LABEL, one.depth_pct)
    if rows:
        return DrawdownTable(
            tuple(rows),
            NDX_LABEL,
            ("drawdowns of the Nasdaq-100, the short leg: none of the S&P 500 is known",),
        )
    return Unknown(f"no drawdown of {threshold_pct:g} % in {len(series)} days")


def _move(series: PairSeries, high: date, low: date, benchmark: str, benchmark_pct: Maybe) -> list[DrawdownMove]:
    """The moves of one drawdown; none where a leg has no close on one of its two days."""
    ends = np.array([high, low], dtype="datetime64[D]")
    at = np.searchsorted(series.days, ends)
    if at[-1] >= len(series) or (series.days[at] != ends).any():
        return []
    rut, ndx = (100.0 * float(leg[at[1]] / leg[at[0]] - 1.0) for leg in (series.rut, series.ndx))
    return [DrawdownMove(high, low, benchmark, benchmark_pct, rut, ndx, rut - ndx)]


def _table_notes(series: PairSeries, has: NDArray[np.intp], by_dates: int, holes: int) -> tuple[str, ...]:
    notes = []
    last = series.day(-1)
    if by_dates:
        notes.append(
            f"{by_dates} of the drawdowns by known dates of the S&P 500's highs and lows, not by its closes"
        )
    if holes:
        notes.append(f"{holes} drawdowns left out: a leg has no close on the day of the high or of the low")
    if not len(has) and last > SPX_DATES_KNOWN_TO:
        notes.append(f"dates known to {SPX_DATES_KNOWN_TO}; a later drawdown of the S&P 500 is missing here")
    if not len(has):
        notes.append("a drawdown in progress is missing until its low is known")
    elif (missing := len(series) - int(has[0]) - len(has)) > 0:
        notes.append(f"the S&P 500 has no close on {missing} of the days since {series.day(int(has[0]))}")
    return tuple(notes)


def down_capture(moves: DailyMoves) -> DownCapture:
    """Mean move of RUT over mean move of NDX on days on which NDX fell."""
    fell = moves.ndx_pct < 0
    rut, ndx = moves.rut_pct[fell], moves.ndx_pct[fell]
    n = len(ndx)
    if n < LEAST_FOR_ERROR:
        few = Unknown(f"needs {LEAST_FOR_ERROR} days on which NDX fell, there are {n}")
        return DownCapture(few, few, n)
    value = float(rut.mean() / ndx.mean())
    errors = rut - value * ndx
    return DownCapture(value, float(errors.std(ddof=1) / np.sqrt(n) / abs(ndx.mean())), n)


def pair_betas(moves: DailyMoves) -> tuple[Beta, ...]:
    """Beta of the pair on NDX: on all days, on days on which NDX fell, on days on which it fell more than 2 %."""
    ndx = moves.ndx_pct
    return tuple(
        _beta(name, moves.spread_pp[chosen], ndx[chosen])
        for name, chosen in (
            ("all days", np.full(len(ndx), True)),
            ("NDX < 0", ndx < 0),
            (f"NDX < {LARGE_FALL_PCT:g} %", ndx < LARGE_FALL_PCT),
        )
    )


def _beta(name: str, spread: FloatArray, ndx: FloatArray) -> Beta:
    n = len(ndx)
    if n < LEAST_FOR_ERROR:
        few = Unknown(f"needs {LEAST_FOR_ERROR} days, there are {n}")
        return Beta(name, few, few, n)
    centred = ndx - ndx.mean()
    squares = float(centred @ centred)
    if squares <= 1e-20 * float(ndx @ ndx) * n:
        still = Unknown(f"NDX moved alike on all {n} days")
        return Beta(name, still, still, n)
    beta = float(centred @ spread) / squares
    errors = spread - spread.mean() - beta * centred
    se = float(np.sqrt(n / (n - 2) * float(centred**2 @ errors**2))) / squares
    return Beta(name, beta, se, n)


def conditions(
    series: PairSeries, moves: DailyMoves, spx: Closes | None = None, vix: Closes | None = None
) -> tuple[Condition, ...]:
    """Spread on days on which NDX, or the S&P 500, fell more than 2 %; both legs fell; the VIX was high.

    High is a close of 30 or more. All are told at the close of the day itself; days on which a condition cannot be
    told are not counted.
    """
    spx_pct = _moves_of(series, moves, spx)
    vix_close = np.full(len(moves), np.nan) if vix is None else align(vix.days, vix.close, moves.days)
    rut, ndx = moves.rut_pct, moves.ndx_pct
    told = np.full(len(moves), True)
    return (
        _condition(moves, f"NDX < {LARGE_FALL_PCT:g} %", ndx < LARGE_FALL_PCT, told, "", FLATTERS),
        _condition(
            moves, f"SPX < {LARGE_FALL_PCT:g} %", spx_pct < LARGE_FALL_PCT, np.isfinite(spx_pct), "the S&P 500"
        ),
        _condition(moves, "both legs down", (rut < 0) & (ndx < 0), told, "", FLATTERS_IN_PART),
        _condition(moves, f"VIX >= {HIGH_VIX:g}", vix_close >= HIGH_VIX, np.isfinite(vix_close), "the VIX"),
    )


def _moves_of(series: PairSeries, moves: DailyMoves, closes: Closes | None) -> FloatArray:
    """Move in percent over each of the days of `moves`; NaN where a close at either end is missing."""
    if closes is None:
        return np.full(len(moves), np.nan)
    level = align(closes.days, closes.close, series.days)
    # The row before a day of `moves` is the session before it.
    at = np.searchsorted(series.days, moves.days)
    move: FloatArray = 100.0 * (level[at] / level[at - 1] - 1.0)
    return move


def _condition(
    moves: DailyMoves,
    name: str,
    met: NDArray[np.bool_],
    told: NDArray[np.bool_],
    needs: str = "",
    caution: str = "",
) -> Condition:
    n_days = int(np.count_nonzero(told))
    if not n_days:
        none = Unknown(f"no closes of {needs}")
        return Condition(name, 0, 0, none, none, none, none, caution)
    since = _as_date(moves.days[told][0])
    spread = moves.spread_pp[met & told]
    n = len(spread)
    if not n:
        never = Unknown(f"never in {n_days} days")
        return Condition(name, 0, n_days, since, never, never, never, caution)
    se = (
        float(spread.std(ddof=1) / np.sqrt(n))
        if n >= LEAST_FOR_ERROR
        else Unknown(f"needs {LEAST_FOR_ERROR} days, there are {n}")
    )
    return Condition(name, n, n_days, since, float(spread.mean()), se, float(np.mean(spread > 0)), caution)


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
