"""Is the rotation still orderly? Four flags, a state with hysteresis, and what would flip it.

Each flag is True, False or unknown; True, unknown and False are 1, 1/2 and 0, so that "and" is the minimum and
"or" the maximum (Kleene). All thresholds are settings; all percentiles look at the 252 sessions before the day.

States by rising severity: orderly (none of the first three flags), violent rotation (momentum unwind alone),
risk-off (the first three), de-grossing (all four). Days with one or two of the first three are neither: they do
not bring risk-off, and they do not end it. Momentum unwind on such a day still means violent rotation at least.
So each day has a lowest and a highest severity it agrees with, and

    state = min(max(state before, least `lowest` of the last 2 days), greatest `highest` of the last 5 days):

a worse state is entered after two days, and left after five. An unknown flag widens the day's range; the state is
known where the widest and the narrowest reading give the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import product
from math import ceil, isfinite
from typing import TypeAlias

import numpy as np

from desktop.analytics.correlation import Rolling
from desktop.analytics.ratio import PairSeries
from desktop.analytics.windows import MIN_COVERAGE, align, known, lagged_level, lagged_percentile
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Closes, DayArray, FloatArray, IntArray, Panel

Flag: TypeAlias = bool | Unknown
"""True, False, or the reason why it cannot be told."""

DayRange: TypeAlias = tuple[int, int, int, int]
"""Of one day: least and greatest lowest severity, least and greatest highest severity."""
Bounds: TypeAlias = tuple[int, int]
"""Least and greatest severity the state may have."""

HISTORY_DAYS = 756
FORMATION_DAYS, SKIPPED_DAYS = 252, 21
"""12-1 momentum: the year before, without its last month (Jegadeesh and Titman 1993)."""
MIN_NAMES = 20
"""Fewer names make no decile worth the word."""
_ON, _MAYBE, _OFF = 1.0, 0.5, 0.0


class State(StrEnum):
    """The regime, by rising severity; `unknown` where a flag that decides is missing."""

    ORDERLY = "orderly"
    VIOLENT_ROTATION = "violent_rotation"
    RISK_OFF = "risk_off"
    DE_GROSSING = "de_grossing"
    UNKNOWN = "unknown"


SEVERITY = (State.ORDERLY, State.VIOLENT_ROTATION, State.RISK_OFF, State.DE_GROSSING)
WORDS = {
    State.ORDERLY: "orderly",
    State.VIOLENT_ROTATION: "violent rotation",
    State.RISK_OFF: "risk-off",
    State.DE_GROSSING: "de-grossing",
    State.UNKNOWN: "unknown",
}
FLAG_NAMES = ("correlation", "volatility", "both_legs_down", "momentum_unwind")
FLAG_WORDS = ("correlation", "volatility", "both legs down", "momentum unwind")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What raises a flag. Percentiles and shares 0..1, changes of correlation as such, days are sessions."""

    correlation_percentile: float = 0.90
    correlation_jump: float = 0.15
    volatility_percentile: float = 0.90
    term_structure: float = 1.0
    breadth: float = 0.80
    momentum_sigma: float = 2.0
    trailing_days: int = 252
    span_days: int = 5
    enter_days: int = 2
    leave_days: int = 5

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        for name in ("correlation_percentile", "volatility_percentile", "breadth"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} = {getattr(self, name)}: a share lies above 0 and up to 1")
        for name in ("correlation_jump", "term_structure", "momentum_sigma"):
            if not (isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} = {getattr(self, name)}: must be above 0")
        for name, least in (("trailing_days", 20), ("span_days", 1), ("enter_days", 1), ("leave_days", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} = {getattr(self, name)}: must be {least} or more")
        if self.enter_days > self.leave_days:
            raise ValueError(f"enter_days = {self.enter_days} must not exceed leave_days = {self.leave_days}")


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the flags look at, one row a session, NaN where missing.

    `rho` 21-day mean pairwise correlation; `vix`, `vix3m` index points; `rut`, `ndx` closes in points;
    `breadth` largest share (0..1) of names that fell on one of the last five sessions; `momentum` five-day return
    of winners less losers (simple, .01 is one percent), formed before those five days; `momentum_sd` its standard
    deviation over the 252 sessions before them; `losers` five-day return of losers less the mean of all names.
    """

    days: DayArray
    rho: FloatArray
    vix: FloatArray
    vix3m: FloatArray
    rut: FloatArray
    ndx: FloatArray
    breadth: FloatArray
    momentum: FloatArray
    momentum_sd: FloatArray
    losers: FloatArray

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Flags:
    """The four votes."""

    correlation: Flag
    volatility: Flag
    both_legs_down: Flag
    momentum_unwind: Flag


@dataclass(frozen=True, slots=True)
class Readings:
    """The numbers behind the flags, and the levels at which they turn today.

    Correlations as such; VIX in points; `rut_5d_pct`, `ndx_5d_pct`, `momentum_5d_pct`, `losers_5d_pct` in percent;
    `rut_reference`, `ndx_reference` closes five sessions ago; `breadth` 0..1; `momentum_score` in sigma.
    """

    correlation: Maybe
    correlation_percentile: Maybe
    correlation_level: Maybe
    correlation_5d_ago: Maybe
    correlation_change_5d: Maybe
    vix: Maybe
    vix_percentile: Maybe
    vix_level: Maybe
    vix3m: Maybe
    vix_ratio: Maybe
    rut_5d_pct: Maybe
    ndx_5d_pct: Maybe
    rut_reference: Maybe
    ndx_reference: Maybe
    breadth: Maybe
    momentum_5d_pct: Maybe
    momentum_sd_pct: Maybe
    momentum_score: Maybe
    losers_5d_pct: Maybe


@dataclass(frozen=True, slots=True)
class Flip:
    """One way into another state.

    With the flags in `to` (name, value) as given and the others as they are, `state` is reached after `days`
    sessions in a row, today's included. `text` says it with the levels of today.
    """

    state: State
    to: tuple[tuple[str, bool], ...]
    days: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """State and flags of each session: `severity` -1 where unknown, else index into SEVERITY.

    `flags` has shape (days, 4) with 1 on, 0 off, 0.5 unknown.
    """

    days: DayArray
    severity: IntArray
    flags: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RegimeStats:
    """The regime section of the report.

    `since` is the first day of the state (None where the state is unknown or reaches back to the first day seen);
    `why` says what is missing where the state is unknown, or why partial flags change nothing, "" otherwise.
    """

    date: dt.date
    state: State
    since: dt.date | None
    why: str
    flags: Flags
    readings: Readings
    flips: tuple[Flip, ...]
    would_flip: tuple[str, ...]
    history: History
    thresholds: Thresholds
    n_names: int


def regime_inputs(
    series: PairSeries,
    *,
    panel: Panel | None,
    rolling: Rolling | None,
    vix: Closes | None,
    vix3m: Closes | None,
    thresholds: Thresholds | None = None,
    history_days: int = HISTORY_DAYS,
) -> Inputs:
    """Put everything the flags need on one axis of sessions, ending with the last day of `series`.

    A day which a series lacks is NaN there, never filled, so no return spans a hole. The axis is the exchange
    calendar of `series` where it has one; a Cboe value on an exchange holiday makes no session.
    """
    limits = thresholds or Thresholds()
    axis = series.days
    if series.sessions is not None and len(series):
        axis = series.sessions[series.position[0] : series.position[-1] + 1]
    reach = history_days + limits.trailing_days + FORMATION_DAYS + 2 * limits.span_days + 1
    axis = axis[-reach:]
    nothing = np.full(len(axis), np.nan)
    breadth = momentum = momentum_sd = losers = nothing
    if panel is not None and len(panel.days):
        closes = _panel_on(panel, axis)
        breadth = _breadth(closes, limits.span_days)
        momentum, losers = _momentum(closes, limits.span_days)
        momentum_sd = _sd_before(momentum, limits.trailing_days, limits.span_days)
    everything = Inputs(
        days=axis,
        rho=nothing if rolling is None else align(rolling.days, rolling.mean_pairwise, axis),
        vix=nothing if vix is None else align(vix.days, vix.close, axis),
        vix3m=nothing if vix3m is None else align(vix3m.days, vix3m.close, axis),
        rut=align(series.days, series.rut, axis),
        ndx=align(series.days, series.ndx, axis),
        breadth=breadth,
        momentum=momentum,
        momentum_sd=momentum_sd,
        losers=losers,
    )
    return _tail(everything, history_days + limits.trailing_days)


def _tail(inputs: Inputs, rows: int) -> Inputs:
    return Inputs(**{name: getattr(inputs, name)[-rows:] for name in Inputs.__slots__})


def _panel_on(panel: Panel, axis: DayArray) -> FloatArray:
    closes = np.full((len(axis), len(panel.tickers)), np.nan)
    at = np.minimum(np.searchsorted(panel.days, axis), len(panel.days) - 1)
    found = panel.days[at] == axis
    closes[found] = panel.close[at[found]]
    return closes


def _breadth(closes: FloatArray, span: int) -> FloatArray:
    """Largest share of names that fell in one session, over the `span` sessions ending at each row."""
    worst = np.full(len(closes), np.nan)
    if len(closes) > span:
        change = np.diff(closes, axis=0)
        n = np.isfinite(change).sum(axis=1)
        fell = (change < 0).sum(axis=1)
        share = np.divide(fell, n, out=np.full(len(n), np.nan), where=n > 0)
        worst[span:] = np.lib.stride_tricks.sliding_window_view(share, span).max(axis=1)
    return worst


def _momentum(closes: FloatArray, span: int) -> tuple[FloatArray, FloatArray]:
    """Winners less losers, and losers less all names, over the `span` sessions ending at each row.

    Winners and losers are the top and bottom tenth by 12-1 momentum on the day before the span begins.
    """
    rows = len(closes)
    spread, losers = np.full(rows, np.nan), np.full(rows, np.nan)
    first = FORMATION_DAYS + span
    if rows > first:
        score = closes[FORMATION_DAYS - SKIPPED_DAYS : rows - SKIPPED_DAYS - span] / closes[: rows - first] - 1.0
        move = closes[first:] / closes[first - span : rows - span] - 1.0
        there = np.isfinite(score) & np.isfinite(move)
        n = there.sum(axis=1)
        order = np.argsort(np.where(there, score, np.inf), axis=1, kind="stable")
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
        tenth = (n // 10)[:, None]
        moves = np.where(there, move, 0.0)
        bottom = there & (place < tenth)
        top = there & (place >= n[:, None] - tenth)
        enough = n >= MIN_NAMES
        low, high = (np.where(group, moves, 0.0).sum(axis=1)[enough] for group in (bottom, top))
        size, everyone = tenth[enough, 0], moves.sum(axis=1)[enough] / n[enough]
        spread[first:][enough] = (high - low) / size
        losers[first:][enough] = low / size - everyone
    return spread, losers


def _sd_before(values: FloatArray, window: int, gap: int) -> FloatArray:
    """Standard deviation (ddof 1) of the `window` values that end `gap` rows earlier; needs 95 % of them."""
    sd = np.full(len(values), np.nan)
    if len(values) >= window + gap:
        blocks = np.lib.stride_tricks.sliding_window_view(values, window)[: len(values) - window - gap + 1]
        finite = np.isfinite(blocks)
        n = finite.sum(axis=1)
        enough = n >= ceil(MIN_COVERAGE * window)
        kept, there, count = blocks[enough], finite[enough], n[enough]
        mean = np.where(there, kept, 0.0).sum(axis=1) / count
        centred = np.where(there, kept - mean[:, None], 0.0)
        sd[window + gap - 1 :][enough] = np.sqrt((centred**2).sum(axis=1) / (count - 1))
    return sd


def _kleene(met: np.ndarray, *needed: FloatArray) -> FloatArray:
    """1 where `met`, 0 where not, 1/2 where one of the values it needs is missing."""
    there = np.logical_and.reduce([np.isfinite(one) for one in needed])
    return np.where(there, np.where(met, _ON, _OFF), _MAYBE)


def _before(values: FloatArray, rows: int) -> FloatArray:
    """Values `rows` rows earlier."""
    shifted = np.full(len(values), np.nan)
    shifted[rows:] = values[: len(values) - rows] if len(values) > rows else values[:0]
    return shifted


def flag_history(inputs: Inputs, thresholds: Thresholds) -> FloatArray:
    """Flags of each row, shape (rows, 4) in the order of FLAG_NAMES: 1 on, 0 off, 1/2 unknown."""
    t = thresholds
    rank = lagged_percentile(inputs.rho, t.trailing_days)
    change = inputs.rho - _before(inputs.rho, t.span_days)
    correlation = np.maximum(
        _kleene(rank >= t.correlation_percentile, rank), _kleene(change >= t.correlation_jump, change)
    )
    rank = lagged_percentile(inputs.vix, t.trailing_days)
    volatility = np.maximum(
        _kleene(rank >= t.volatility_percentile, rank),
        _kleene(inputs.vix > t.term_structure * inputs.vix3m, inputs.vix, inputs.vix3m),
    )
    ago = [(leg, _before(leg, t.span_days)) for leg in (inputs.rut, inputs.ndx)]
    down = [_kleene(now < before, now, before) for now, before in ago]
    legs = np.minimum.reduce([*down, _kleene(inputs.breadth >= t.breadth, inputs.breadth)])
    momentum = np.minimum(
        _kleene(inputs.momentum <= -t.momentum_sigma * inputs.momentum_sd, inputs.momentum, inputs.momentum_sd),
        _kleene(inputs.losers > 0, inputs.losers),
    )
    return np.stack([correlation, volatility, legs, momentum], axis=1)


def _range(flags: tuple[float, ...]) -> tuple[int, int]:
    """Lowest and highest severity that a day with these four known flags agrees with."""
    risk, unwind = int(sum(flags[:3])), int(flags[3])
    if risk == 3:
        return 2 + unwind, 2 + unwind
    return unwind, unwind if risk == 0 else 2 + unwind


def _ranges(flags: tuple[float, ...]) -> DayRange:
    """Of a day whose flags may be unknown: least and greatest `lowest`, least and greatest `highest`."""
    options = [(_OFF, _ON) if flag == _MAYBE else (flag,) for flag in flags]
    pairs = [_range(case) for case in product(*options)]
    lows, highs = zip(*pairs, strict=True)
    return min(lows), max(lows), min(highs), max(highs)


_ANYTHING: Bounds = (0, len(SEVERITY) - 1)
_RANGES = {flags: _ranges(flags) for flags in product((_OFF, _MAYBE, _ON), repeat=4)}


def severity_history(flags: FloatArray, thresholds: Thresholds) -> IntArray:
    """State of each row as index into SEVERITY, -1 where unknown, from flags of shape (rows, 4)."""
    return _severity(_follow(_ANYTHING, [], _days(flags), thresholds))


def _severity(bounds: list[Bounds]) -> IntArray:
    severity = np.array([low if low == high else -1 for low, high in bounds], dtype=np.int64)
    severity.flags.writeable = False
    return severity


def _days(flags: FloatArray) -> list[DayRange]:
    return [_RANGES[tuple(row)] for row in flags.tolist()]


def _follow(bounds: Bounds, before: list[DayRange], days: list[DayRange], t: Thresholds) -> list[Bounds]:
    """Least and greatest severity after each of `days`, from `bounds` and the days `before` them."""
    low, high = bounds
    seen = np.array(before + days)
    # Padded so that nothing is entered or left before there are enough days to tell.
    entering = np.vstack([np.full((t.enter_days - 1, 2), _ANYTHING[0]), seen[:, :2]])
    leaving = np.vstack([np.full((t.leave_days - 1, 2), _ANYTHING[1]), seen[:, 2:]])
    window = np.lib.stride_tricks.sliding_window_view
    least = window(entering, t.enter_days, axis=0).min(axis=2)[len(before) :].tolist()
    most = window(leaving, t.leave_days, axis=0).max(axis=2)[len(before) :].tolist()
    followed = []
    for (enter_low, enter_high), (leave_low, leave_high) in zip(least, most, strict=True):
        low, high = min(max(low, enter_low), leave_low), min(max(high, enter_high), leave_high)
        followed.append((low, high))
    return followed


def regime(
    series: PairSeries,
    *,
    panel: Panel | None,
    rolling: Rolling | None,
    vix: Closes | None,
    vix3m: Closes | None,
    thresholds: Thresholds | None = None,
    history_days: int = HISTORY_DAYS,
) -> RegimeStats | Unknown:
    """Compute the regime section of the report for the last day of `series`, from data cut at as-of.

    Parameters
    ----------
    series
        RUT and NDX closes; its calendar is the axis of everything.
    panel, rolling
        The universe, and its 21-day mean pairwise correlation.
    vix, vix3m
        In index points.
    thresholds
        Settings; defaults where None.
    history_days
        Sessions over which the state is followed.
    """
    if not len(series):
        return Unknown("no day on which both RUT and NDX have a close: import or download their history")
    limits = thresholds or Thresholds()
    inputs = regime_inputs(
        series,
        panel=panel,
        rolling=rolling,
        vix=vix,
        vix3m=vix3m,
        thresholds=limits,
        history_days=history_days,
    )
    names = 0 if panel is None else len(panel.tickers)
    return judge(inputs, limits, names)


def judge(inputs: Inputs, thresholds: Thresholds, n_names: int) -> RegimeStats:
    """Flags, state and flips of the last row of `inputs`."""
    rows = flag_history(inputs, thresholds)
    # Rows that only feed the percentiles have no percentile of their own yet.
    first = min(thresholds.trailing_days, max(len(inputs) - 1, 0))
    shown = rows[first:]
    bounds = _follow(_ANYTHING, [], _days(shown), thresholds)
    severity = _severity(bounds)
    days = inputs.days[first:]
    readings = _readings(inputs, thresholds)
    reasons = _reasons(readings, inputs.days[-1])
    today = tuple(shown[-1].tolist())
    flags = tuple(
        Unknown(reason) if flag == _MAYBE else flag == _ON for flag, reason in zip(today, reasons, strict=True)
    )
    now = int(severity[-1])
    state = SEVERITY[now] if now >= 0 else State.UNKNOWN
    changed = np.flatnonzero(severity != now)
    traced = now >= 0 and len(changed) and severity[changed[-1]] >= 0
    since = _as_date(days[changed[-1] + 1]) if traced else None
    flips = tuple(_flips(shown, bounds, thresholds, readings))
    return RegimeStats(
        date=_as_date(days[-1]),
        state=state,
        since=since,
        why=_why(state, today, reasons),
        flags=Flags(*flags),
        readings=readings,
        flips=flips,
        would_flip=tuple(flip.text for flip in flips),
        history=History(days, severity, shown),
        thresholds=thresholds,
        n_names=n_names,
    )


def _why(state: State, today: tuple[float, ...], reasons: tuple[str, ...]) -> str:
    if state is State.UNKNOWN:
        votes = zip(FLAG_WORDS, today, reasons, strict=True)
        missing = [f"{name} ({reason})" for name, flag, reason in votes if flag == _MAYBE]
        return f"unknown: {'; '.join(missing)}" if missing else "flags are known for too few days in a row"
    on = sum(flag == _ON for flag in today[:3])
    if 0 < on < 3:
        return f"{on} of the first three flags on: risk-off needs all three, leaving it none; the state is kept"
    return ""


def _readings(inputs: Inputs, t: Thresholds) -> Readings:
    span, day = t.span_days, inputs.days[-1]

    def now(values: FloatArray, what: str) -> Maybe:
        return known(float(values[-1]), f"no {what} on {day}")

    def ago(values: FloatArray, what: str) -> Maybe:
        if len(values) <= span:
            return Unknown(f"needs {span + 1} sessions, there are {len(values)}")
        return known(float(values[-1 - span]), f"no {what} on {inputs.days[-1 - span]}, {span} sessions before")

    def rank(values: FloatArray, what: str) -> Maybe:
        percentile = lagged_percentile(values[-t.trailing_days - 1 :], t.trailing_days)
        return known(float(percentile[-1]), f"needs {what} on {day} and on the {t.trailing_days} sessions before")

    def level(values: FloatArray, what: str, share: float) -> Maybe:
        reason = f"needs {what} on the {t.trailing_days} sessions before {day}"
        return known(lagged_level(values, t.trailing_days, share), reason)

    rho, vix, vix3m = now(inputs.rho, "correlation"), now(inputs.vix, "VIX"), now(inputs.vix3m, "VIX3M")
    rho_ago = ago(inputs.rho, "correlation")
    rut_ago, ndx_ago = ago(inputs.rut, "RUT close"), ago(inputs.ndx, "NDX close")
    momentum = now(inputs.momentum, f"12-1 momentum (needs a year of closes of {MIN_NAMES} names)")
    sd = now(inputs.momentum_sd, f"momentum sigma (needs two years of closes of {MIN_NAMES} names)")
    losers = now(inputs.losers, f"12-1 momentum (needs a year of closes of {MIN_NAMES} names)")
    return Readings(
        correlation=rho,
        correlation_percentile=rank(inputs.rho, "correlation"),
        correlation_level=level(inputs.rho, "correlation", t.correlation_percentile),
        correlation_5d_ago=rho_ago,
        correlation_change_5d=_combine(lambda a, b: a - b, rho, rho_ago),
        vix=vix,
        vix_percentile=rank(inputs.vix, "VIX"),
        vix_level=level(inputs.vix, "VIX", t.volatility_percentile),
        vix3m=vix3m,
        vix_ratio=_combine(lambda a, b: a / b, vix, vix3m),
        rut_5d_pct=_combine(_percent, now(inputs.rut, "RUT close"), rut_ago),
        ndx_5d_pct=_combine(_percent, now(inputs.ndx, "NDX close"), ndx_ago),
        rut_reference=rut_ago,
        ndx_reference=ndx_ago,
        breadth=known(float(inputs.breadth[-1]), f"the universe lacks closes of the {span} sessions to {day}"),
        momentum_5d_pct=_combine(lambda a, b: a * b, momentum, 100.0),
        momentum_sd_pct=_combine(lambda a, b: a * b, sd, 100.0),
        momentum_score=_combine(lambda a, b: a / b if b > 0 else Unknown("momentum never moved"), momentum, sd),
        losers_5d_pct=_combine(lambda a, b: a * b, losers, 100.0),
    )


def _percent(now: float, before: float) -> float:
    return 100.0 * (now / before - 1.0)


def _combine(how: Callable[[float, float], Maybe], a: Maybe, b: Maybe) -> Maybe:
    if isinstance(a, Unknown):
        return a
    return b if isinstance(b, Unknown) else how(a, b)


def _reasons(r: Readings, day: np.datetime64) -> tuple[str, ...]:
    """Why each flag is unknown, if it is."""
    needed = (
        (r.correlation, r.correlation_level, r.correlation_5d_ago),
        (r.vix, r.vix_level, r.vix3m),
        (r.rut_5d_pct, r.ndx_5d_pct, r.breadth),
        (r.momentum_5d_pct, r.momentum_sd_pct),
    )
    return tuple(
        "; ".join(dict.fromkeys(one.reason for one in group if isinstance(one, Unknown))) or f"no data on {day}"
        for group in needed
    )


def _flips(rows: FloatArray, bounds: list[Bounds], t: Thresholds, readings: Readings) -> Iterator[Flip]:
    """For each other state the fewest changes of today's flags that lead there, and how long they must last."""
    before, now = [_ANYTHING, *bounds][-2:]
    past = _days(rows[:-1][-t.leave_days :])
    ways: dict[int, list[tuple[int, int, tuple[float, ...]]]] = {}
    for case in product((_OFF, _ON), repeat=4):
        changes = int(np.count_nonzero(np.asarray(case) != rows[-1]))
        reached = {now[0]} if now[0] == now[1] else set()
        ahead = [_RANGES[case]] * (2 * t.leave_days)
        for day, (low, high) in enumerate(_follow(before, past, ahead, t), start=1):
            if low == high and low not in reached:
                reached.add(low)
                ways.setdefault(low, []).append((changes, day, case))
    for severity in sorted(ways):
        fewest = min(ways[severity])[0]
        for changes, day, case in sorted(ways[severity]):
            if changes == fewest:
                yield _flip(SEVERITY[severity], case, rows[-1], day, t, readings)


def _flip(state: State, case: tuple[float, ...], today: FloatArray, days: int, t: Thresholds, r: Readings) -> Flip:
    votes = zip(FLAG_NAMES, case, today.tolist(), strict=True)
    to = tuple((name, value == _ON) for name, value, now in votes if value != now)
    if not to:
        more = days - 1
        text = f"turns to {WORDS[state]} if the flags stay as they are for {more} more session{'s' * (more != 1)}"
        return Flip(state, to, days, text)
    conditions = [_CONDITIONS[name](on, t, r) for name, on in to]
    lasting = "at once" if days == 1 else f"{days} sessions in a row, today included"
    return Flip(state, to, days, f"turns to {WORDS[state]} if {_and(conditions)}; {lasting}")


def _and(conditions: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(conditions[:-1]), conditions[-1])))


def _up(value: float, digits: int) -> str:
    """The number, rounded so that reaching the printed one suffices."""
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_CEILING):,}"


def _down(value: float, digits: int) -> str:
    """The number, rounded so that falling to the printed one suffices."""
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR):,}"


def _rank(share: float) -> str:
    return f"percentile {100 * share:g}"


def _correlation_condition(on: bool, t: Thresholds, r: Readings) -> str:
    limits = []
    if not isinstance(r.correlation_level, Unknown):
        limits.append((r.correlation_level, f"{_rank(t.correlation_percentile)} of {t.trailing_days} days"))
    if not isinstance(r.correlation_5d_ago, Unknown):
        jump = f"{t.span_days}-day change ≥ +{t.correlation_jump:.2f}"
        limits.append((r.correlation_5d_ago + t.correlation_jump, jump))
    if not limits:
        return _unnamed("correlation", on)
    level, which = min(limits)
    return f"21-day correlation ≥ {_up(level, 3)} ({which})" if on else f"21-day correlation < {_down(level, 3)}"


def _volatility_condition(on: bool, t: Thresholds, r: Readings) -> str:
    limits = []
    if not isinstance(r.vix_level, Unknown):
        limits.append((r.vix_level, "≥", f"{_rank(t.volatility_percentile)} of {t.trailing_days} days"))
    if not isinstance(r.vix3m, Unknown):
        limits.append((t.term_structure * r.vix3m, ">", f"VIX/VIX3M > {t.term_structure:g}"))
    if not limits:
        return _unnamed("volatility", on)
    level, sign, which = min(limits)
    if on:
        return f"VIX {sign} {_up(level, 2)} ({which})"
    return f"VIX < {_down(level, 2)}"


def _legs_condition(on: bool, t: Thresholds, r: Readings) -> str:
    if isinstance(r.rut_reference, Unknown) or isinstance(r.ndx_reference, Unknown):
        return _unnamed("both legs down", on)
    rut_down = not isinstance(r.rut_5d_pct, Unknown) and r.rut_5d_pct < 0
    ndx_down = not isinstance(r.ndx_5d_pct, Unknown) and r.ndx_5d_pct < 0
    rut, ndx = r.rut_reference, r.ndx_reference
    if not on:
        return f"RUT or NDX not down over {t.span_days} days (RUT ≥ {_up(rut, 2)} or NDX ≥ {_up(ndx, 2)})"
    parts = []
    if not rut_down:
        parts.append(f"RUT < {_down(rut, 2)}")
    if not ndx_down:
        parts.append(f"NDX < {_down(ndx, 2)}")
    if isinstance(r.breadth, Unknown) or r.breadth < t.breadth:
        parts.append(f"≥ {100 * t.breadth:g} % of names down on a day")
    return f"both legs down over {t.span_days} days ({', '.join(parts)})"


def _momentum_condition(on: bool, t: Thresholds, r: Readings) -> str:
    if isinstance(r.momentum_sd_pct, Unknown):
        return _unnamed("momentum unwind", on)
    level = -t.momentum_sigma * r.momentum_sd_pct
    sigma = f"−{t.momentum_sigma:g}σ"
    if not on:
        return f"momentum {t.span_days}-day > {_signed(_up(level, 2))} % ({sigma})"
    lead = isinstance(r.losers_5d_pct, Unknown) or r.losers_5d_pct <= 0
    return f"momentum {t.span_days}-day ≤ {_signed(_down(level, 2))} % ({sigma})" + (
        " and losers beat the average name" if lead else ""
    )


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _unnamed(flag: str, on: bool) -> str:
    return f"{flag} is {'on' if on else 'off'} (its level is not known today)"


_CONDITIONS: dict[str, Callable[[bool, Thresholds, Readings], str]] = {
    "correlation": _correlation_condition,
    "volatility": _volatility_condition,
    "both_legs_down": _legs_condition,
    "momentum_unwind": _momentum_condition,
}


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
