"""The gap between both legs: daily, now, and through the session.

D = (U/U0 - 1) - (N/N0 - 1) in percentage points: simple returns, Russell 2000 less Nasdaq-100. Ranks count the
strictly larger days and add one. Whatever normalises a day is measured on the days before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from desktop.analytics.ratio import PairSeries
from desktop.analytics.windows import frozen_array, known, lagged_sd
from desktop.market.instruments import Kind, Leg
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Bars, Closes, DayArray, FloatArray, IntArray, Quote

if TYPE_CHECKING:
    from desktop.market.sessions import Phase, Session

OPENS_SINCE = date(2007, 1, 1)
"""Published RUT opens equal the prior close until then."""
EXTREMES = 20
SPAN_DAYS = 5
SHORT_SD_DAYS, LONG_SD_DAYS = 60, 252
CONE_SESSIONS, CONE_LEAST_SESSIONS = 250, 20
MIXED = "mixed"
_OPENS_REASON = "published RUT opens equal the prior close until 2007: no move from the open"


class Reference(StrEnum):
    """What an intraday move is measured from."""

    PRIOR_CLOSE = "prior_close"
    OPEN = "open"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, eq=False)
class DailyMoves:
    """Close-to-close moves of both legs, one row for each session whose session before is known too.

    `rut_pct`, `ndx_pct` in percent, `spread_pp` in percentage points; `five_day_pp` the spread over five sessions,
    NaN where one end is missing. `holes` are the days left out because the session before them is missing.
    """

    days: DayArray
    rut_pct: FloatArray
    ndx_pct: FloatArray
    spread_pp: FloatArray
    five_day_pp: FloatArray
    holes: DayArray
    last_day: date | None
    last_hole: str
    """Which session is missing before the last day; "" where none is."""

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Rank:
    """Place among `n` days, 1 = largest; the day itself is one of them."""

    rank: int
    n: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """Places of the last day: of D, of |D|, of the five-day spread; `since` is the first day counted."""

    date: dt.date
    spread_pp: float
    spread: Rank
    magnitude: Rank
    five_day_pp: Maybe
    five_day: Rank | Unknown
    since: dt.date


@dataclass(frozen=True, slots=True)
class Normalised:
    """The last day in units of what was usual before it; every scale ends the day before.

    `z60`, `z252` are D / sd of the 60 and 252 days before; `z60_rank`, `z252_rank` their places among all days.
    `beta` is the slope of RUT on NDX over the 252 days before, `residual_pp` = RUT - beta x NDX, `residual_z` that
    in standard deviations of the regression's residuals.
    """

    z60: Maybe
    z252: Maybe
    z60_rank: Rank | Unknown
    z252_rank: Rank | Unknown
    beta: Maybe
    residual_pp: Maybe
    residual_z: Maybe


@dataclass(frozen=True, slots=True)
class DaySpread:
    """One day and its spread, percentage points."""

    date: dt.date
    spread_pp: float


@dataclass(frozen=True, slots=True)
class LegTick:
    """Latest price of one leg, and the price its move is measured from.

    Times are UTC. `reference_price` is of the same instrument, or Unknown. `declared_delay_s` is what the vendor
    says of its own delay.
    """

    leg: Leg
    symbol: str
    kind: Kind
    price: float
    event_time: datetime
    reference_price: Maybe
    declared_delay_s: float = 0.0

    @classmethod
    def of(cls, leg: Leg, kind: Kind, quote: Quote, reference_price: Maybe) -> LegTick:
        """Tick of a quote."""
        return cls(leg, quote.symbol, kind, quote.price, quote.event_time, reference_price, quote.declared_delay_s)

    def age_s(self, now: datetime) -> float:
        """Seconds since it traded, or the declared delay where that is worse."""
        return max((now - self.event_time).total_seconds(), self.declared_delay_s)

    @property
    def move_pct(self) -> Maybe:
        """Move from the reference, percent."""
        if isinstance(self.reference_price, Unknown):
            return self.reference_price
        return 100.0 * (self.price / self.reference_price - 1.0)


@dataclass(frozen=True, slots=True)
class Driver:
    """The two ticks that drive the spread.

    `kind` is index, future, etf or mixed; `proxy` is True where it is not the index. `gap_s` is the time between
    the two ticks, `passed_over` says why better kinds were not used.
    """

    kind: str
    rut: LegTick
    ndx: LegTick
    rut_age_s: float
    ndx_age_s: float
    gap_s: float
    proxy: bool
    passed_over: tuple[str, ...]

    @property
    def label(self) -> str:
        """Kind and symbols, for the caption."""
        return f"{self.kind} {self.rut.symbol} / {self.ndx.symbol}"


@dataclass(frozen=True, slots=True)
class SpreadNow:
    """Moves of both legs since the reference: percent, percentage points, ages in seconds."""

    rut_pct: float
    ndx_pct: float
    spread_pp: float
    reference: Reference
    driver: str
    label: str
    rut_age_s: float
    ndx_age_s: float
    at: datetime
    """Event time of the older leg."""


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One kind of instrument: moves in percent, spread in percentage points, ages in seconds."""

    kind: Kind
    rut_pct: Maybe
    ndx_pct: Maybe
    spread_pp: Maybe
    rut_age_s: Maybe
    ndx_age_s: Maybe


@dataclass(frozen=True, slots=True)
class TruthCheck:
    """Index, ETF and future beside each other; `warnings` name what does not agree, or cannot be compared."""

    rows: tuple[TruthRow, ...]
    warnings: tuple[str, ...]
    threshold_pp: float


@dataclass(frozen=True, slots=True)
class LegHistory:
    """What is known of one instrument for a leg: official closes, intraday bars, quotes; each may be absent."""

    leg: Leg
    symbol: str
    kind: Kind
    closes: Closes | None = None
    bars: Bars | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class References:
    """Prices of both legs that moves are measured from, and when they traded (UTC).

    An official close is labelled by midnight UTC of its day, as daily bars are.
    """

    reference: Reference
    kind: Kind
    rut: float
    ndx: float
    rut_at: datetime
    ndx_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class IntradayPath:
    """Moves through a session.

    `end_s` is the end of each bar in seconds since 1970 UTC, evenly spaced; a minute which a leg lacks is NaN in
    that leg and in the spread. Percent and percentage points.
    """

    end_s: IntArray
    rut_pct: FloatArray
    ndx_pct: FloatArray
    spread_pp: FloatArray

    def __len__(self) -> int:
        return len(self.end_s)


@dataclass(frozen=True, slots=True, eq=False)
class SessionPath:
    """Spread of one past session by minutes since its open; NaN where a leg was missing."""

    day: date
    minute: IntArray
    spread_pp: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Cone:
    """Usual spread for the time of day.

    `sd_pp` is the standard deviation (ddof 1) of the spread so far at each minute since the open, `n` the sessions
    behind it; NaN with fewer than 20. Bands are drawn at 1 and 2 sd around zero.
    """

    minute: IntArray
    sd_pp: FloatArray
    n: IntArray
    sessions: int
    first: date
    last: date


@dataclass(frozen=True, slots=True, eq=False)
class DivergenceStats:
    """The divergence section of the report; see METHODS 2 for each field.

    Percent and percentage points. `driver` is "index" for official closes, whose legs have no age.
    """

    date: dt.date
    spread_pp: Maybe
    rut_pct: Maybe
    ndx_pct: Maybe
    reference: Reference
    driver: str
    rut_age_s: Maybe
    ndx_age_s: Maybe
    rank: Rank | Unknown
    rank_abs: Rank | Unknown
    rank_five_day: Rank | Unknown
    n_days: int
    since: dt.date
    z60: Maybe
    z252: Maybe
    normalised: Normalised | Unknown
    from_open_pp: Maybe
    five_day_pp: Maybe
    conditional: Mapping[str, Rank | Unknown]
    largest: tuple[DaySpread, ...]
    smallest: tuple[DaySpread, ...]
    notes: tuple[str, ...]


def daily_moves(series: PairSeries) -> DailyMoves:
    """Moves of both legs from close to close.

    A day whose session before is missing, by the calendar of `series`, has no one-day move and is left out: its
    change would span several days. The same holds for both ends of the five-day spread.
    """
    n = len(series)
    one = np.diff(series.position) == 1
    rut, ndx = (100.0 * (leg[1:] / leg[:-1] - 1.0) for leg in (series.rut, series.ndx))
    five = np.full(n, np.nan)
    if n > SPAN_DAYS:
        whole = series.position[SPAN_DAYS:] - series.position[:-SPAN_DAYS] == SPAN_DAYS
        gap = series.rut[SPAN_DAYS:] / series.rut[:-SPAN_DAYS] - series.ndx[SPAN_DAYS:] / series.ndx[:-SPAN_DAYS]
        five[SPAN_DAYS:] = np.where(whole, 100.0 * gap, np.nan)
    later = series.days[1:]
    return DailyMoves(
        days=later[one],
        rut_pct=frozen_array(rut[one]),
        ndx_pct=frozen_array(ndx[one]),
        spread_pp=frozen_array((rut - ndx)[one]),
        five_day_pp=frozen_array(five[1:][one]),
        holes=later[~one],
        last_day=series.day(-1) if n else None,
        last_hole=series.hole_before(n - 1) if n > 1 else "only one day of history",
    )


def rank_of(value: float, others: FloatArray) -> Rank:
    """Place of `value` among itself and `others` (NaN left out): the strictly larger ones plus one."""
    return Rank(int(np.count_nonzero(others > value)) + 1, int(np.count_nonzero(np.isfinite(others))) + 1)


def rank_today(moves: DailyMoves) -> Ranks | Unknown:
    """Rank the last day among all days, by D, |D| and the five-day spread."""
    missing = _no_move(moves)
    if missing is not None:
        return missing
    spread, five = moves.spread_pp, moves.five_day_pp
    today, five_today = float(spread[-1]), float(five[-1])
    five_known = known(five_today, f"a session is missing in the {SPAN_DAYS} sessions before")
    return Ranks(
        date=_as_date(moves.days[-1]),
        spread_pp=today,
        spread=rank_of(today, spread[:-1]),
        magnitude=rank_of(abs(today), np.abs(spread[:-1])),
        five_day_pp=five_known,
        five_day=five_known if isinstance(five_known, Unknown) else rank_of(five_today, five[:-1]),
        since=_as_date(moves.days[0]),
    )


def _no_move(moves: DailyMoves) -> Unknown | None:
    if moves.last_hole:
        return Unknown(moves.last_hole)
    if not len(moves):
        return Unknown("no day with a one-day move of both legs")
    return None


def normalised(moves: DailyMoves) -> Normalised | Unknown:
    """Put the last day in units of what was usual before it."""
    missing = _no_move(moves)
    if missing is not None:
        return missing
    scores = []
    for window in (SHORT_SD_DAYS, LONG_SD_DAYS):
        score = score_history(moves, window)
        today = known(float(score[-1]), f"needs {window} days that move before, there are {len(moves) - 1}")
        place = today if isinstance(today, Unknown) else rank_of(today, score[:-1])
        scores.append((today, place))
    (z60, z60_rank), (z252, z252_rank) = scores
    beta = residual = residual_z = _beta_unknown(moves)
    if len(moves) > LONG_SD_DAYS:
        rut, ndx = (leg[-LONG_SD_DAYS - 1 : -1] for leg in (moves.rut_pct, moves.ndx_pct))
        centred = ndx - ndx.mean()
        variance = float(centred @ centred)
        if variance > 0:
            slope = float(centred @ rut) / variance
            errors = rut - rut.mean() - slope * centred
            sd = float(np.sqrt(errors @ errors / (LONG_SD_DAYS - 2)))
            today = float(moves.rut_pct[-1] - slope * moves.ndx_pct[-1])
            beta, residual = slope, today
            residual_z = today / sd if sd > 0 else Unknown(f"no residual movement in {LONG_SD_DAYS} days")
    return Normalised(z60, z252, z60_rank, z252_rank, beta, residual, residual_z)


def _beta_unknown(moves: DailyMoves) -> Maybe:
    return Unknown(f"needs {LONG_SD_DAYS} days that move before, there are {max(len(moves) - 1, 0)}")


def score_history(moves: DailyMoves, window: int) -> FloatArray:
    """D / sd of the `window` days before, for each day; NaN while there are fewer or nothing moved."""
    sd = lagged_sd(moves.spread_pp, window)
    score = np.full(len(sd), np.nan)
    np.divide(moves.spread_pp, sd, out=score, where=sd > 0)
    return score


def conditional_ranks(moves: DailyMoves, release_days: DayArray | None = None) -> dict[str, Rank | Unknown]:
    """Rank of the last day's D among all days, among days of the same release, among days on which NDX fell.

    `release_days`, datetime64[D], are the days of the release that falls on the last day. Where the last day does
    not meet a condition its rank is Unknown: it would be compared with days of another kind.
    """
    missing = _no_move(moves)
    if missing is not None:
        return {"all": missing, "same_release": missing, "ndx_down": missing}
    spread, today = moves.spread_pp, float(moves.spread_pp[-1])
    ranks: dict[str, Rank | Unknown] = {"all": rank_of(today, spread[:-1])}
    if release_days is None:
        ranks["same_release"] = Unknown("no release today, or its past dates are not known")
    else:
        same = np.isin(moves.days, np.asarray(release_days, dtype="datetime64[D]"), assume_unique=True)
        ranks["same_release"] = (
            rank_of(today, spread[:-1][same[:-1]])
            if same[-1]
            else Unknown(f"{moves.days[-1]} is no day of that release")
        )
    fell = moves.ndx_pct < 0
    ranks["ndx_down"] = (
        rank_of(today, spread[:-1][fell[:-1]]) if fell[-1] else Unknown("NDX did not fall on the day")
    )
    return ranks


def extremes(moves: DailyMoves, count: int = EXTREMES) -> tuple[tuple[DaySpread, ...], tuple[DaySpread, ...]]:
    """Days with the largest spread, largest first, and with the smallest, smallest first."""
    spread, last = moves.spread_pp, min(count, len(moves)) - 1

    def rows(places: IntArray) -> tuple[DaySpread, ...]:
        return tuple(DaySpread(_as_date(moves.days[i]), float(spread[i])) for i in places)

    if last < 0:
        return (), ()
    # Only what may belong to either end is put in order: this runs with every quote.
    cut_low, cut_high = np.partition(spread, [last, len(spread) - 1 - last])[[last, len(spread) - 1 - last]]
    ends = np.flatnonzero((spread <= cut_low) | (spread >= cut_high))
    order = ends[np.argsort(spread[ends], kind="stable")]
    return rows(order[::-1][:count]), rows(order[:count])


def from_open(rut: Bars | None, ndx: Bars | None, day: date) -> Maybe:
    """Spread of the moves from open to close of one day, percentage points; Unknown before 2007."""
    if day < OPENS_SINCE:
        return Unknown(_OPENS_REASON)
    moves = []
    for name, bars in (("RUT", rut), ("NDX", ndx)):
        at = None if bars is None else np.flatnonzero(bars.days == np.datetime64(day, "D"))
        if bars is None or at is None or not len(at):
            return Unknown(f"no daily bar with an open of {name} on {day}")
        moves.append(100.0 * (float(bars.close[at[0]]) / float(bars.open[at[0]]) - 1.0))
    return moves[0] - moves[1]


def from_open_rank(rut: Bars, ndx: Bars, day: date) -> Rank | Unknown:
    """Rank the day's spread from the open among all days since 2007 up to it; never before."""
    value = from_open(rut, ndx, day)
    if isinstance(value, Unknown):
        return value
    common, in_rut, in_ndx = np.intersect1d(rut.days, ndx.days, assume_unique=True, return_indices=True)
    spread = 100.0 * (rut.close[in_rut] / rut.open[in_rut] - ndx.close[in_ndx] / ndx.open[in_ndx])
    counted = (common >= np.datetime64(OPENS_SINCE)) & (common < np.datetime64(day, "D"))
    return rank_of(value, spread[counted])


def divergence_stats(
    series: PairSeries,
    *,
    live: tuple[date, SpreadNow] | None = None,
    rut_bars: Bars | None = None,
    ndx_bars: Bars | None = None,
    from_open_live_pp: Maybe | None = None,
    release_days: DayArray | None = None,
) -> DivergenceStats | Unknown:
    """Compute the divergence section of the report.

    Parameters
    ----------
    series
        Official closes of both legs, cut at as-of.
    live
        Trading day and spread from the prior close while the day has no official close: becomes the last day.
    rut_bars, ndx_bars
        Daily bars of the indices, for the move from the open of a closed day.
    from_open_live_pp
        Spread from the open while the session runs.
    release_days
        Past and present days of today's release, for the conditional rank.
    """
    if not len(series):
        return Unknown("no day on which both RUT and NDX have a close: import or download their history")
    if live is not None:
        day, now = live
        if now.reference is not Reference.PRIOR_CLOSE:
            raise ValueError(f"spread from {now.reference}: days are ranked by the move from the prior close")
        before = series.until(day - timedelta(days=1))
        if not len(before):
            return Unknown(f"no close of both legs before {day}")
        series = before.with_live(
            day,
            rut=float(before.rut[-1]) * (1 + now.rut_pct / 100),
            ndx=float(before.ndx[-1]) * (1 + now.ndx_pct / 100),
        )
    moves = daily_moves(series)
    if not len(moves):
        return Unknown("no two sessions in a row on which both RUT and NDX have a close")
    return _stats(moves, live, rut_bars, ndx_bars, from_open_live_pp, release_days, series.notes)


def _stats(
    moves: DailyMoves,
    live: tuple[date, SpreadNow] | None,
    rut_bars: Bars | None,
    ndx_bars: Bars | None,
    from_open_live_pp: Maybe | None,
    release_days: DayArray | None,
    notes: tuple[str, ...],
) -> DivergenceStats:
    day = moves.last_day or _as_date(moves.days[-1])
    missing = _no_move(moves)
    ranks, scaled = rank_today(moves), normalised(moves)
    largest, smallest = extremes(moves)
    closes = Unknown("official closes: no age")
    if from_open_live_pp is None:
        from_open_live_pp = from_open(rut_bars, ndx_bars, day)
    holes = (f"{len(moves.holes)} days without the session before left out",) if len(moves.holes) else ()

    def today(values: FloatArray) -> Maybe:
        return float(values[-1]) if missing is None else missing

    return DivergenceStats(
        date=day,
        spread_pp=today(moves.spread_pp),
        rut_pct=today(moves.rut_pct),
        ndx_pct=today(moves.ndx_pct),
        reference=Reference.PRIOR_CLOSE,
        driver=live[1].driver if live else Kind.INDEX.value,
        rut_age_s=live[1].rut_age_s if live else closes,
        ndx_age_s=live[1].ndx_age_s if live else closes,
        rank=ranks if isinstance(ranks, Unknown) else ranks.spread,
        rank_abs=ranks if isinstance(ranks, Unknown) else ranks.magnitude,
        rank_five_day=ranks if isinstance(ranks, Unknown) else ranks.five_day,
        n_days=len(moves),
        since=_as_date(moves.days[0]),
        z60=scaled if isinstance(scaled, Unknown) else scaled.z60,
        z252=scaled if isinstance(scaled, Unknown) else scaled.z252,
        normalised=scaled,
        from_open_pp=from_open_live_pp,
        five_day_pp=ranks if isinstance(ranks, Unknown) else ranks.five_day_pp,
        conditional=conditional_ranks(moves, release_days),
        largest=largest,
        smallest=smallest,
        notes=(*notes, *holes),
    )


def preferred_kinds(phase: Phase) -> tuple[Kind, ...]:
    """Which kind of instrument speaks for the legs, best first: cash indices only trade in the regular session."""
    if phase == "regular":
        return (Kind.INDEX, Kind.FUTURE, Kind.ETF)
    return (Kind.FUTURE, Kind.ETF)


def choose_driver(
    candidates: Sequence[LegTick],
    phase: Phase,
    now: datetime,
    *,
    max_leg_gap_s: float = 60.0,
    max_age_s: float = 1200.0,
) -> Driver | Unknown:
    """Choose the two ticks that drive the spread.

    Both legs are of one kind, traded within `max_leg_gap_s` of each other and within `max_age_s` of now. As a last
    resort, in the regular session, the RUT index is paired with QQQ and labelled mixed.

    Returns
    -------
    Driver, or Unknown with what is wrong with each kind: "index: RUT 15 min late".
    """
    latest: dict[tuple[Kind, Leg], LegTick] = {}
    for tick in candidates:
        held = latest.get((tick.kind, tick.leg))
        if tick.event_time <= now and (held is None or tick.event_time > held.event_time):
            latest[tick.kind, tick.leg] = tick
    tries = [(kind.value, kind, kind) for kind in preferred_kinds(phase)]
    if phase == "regular":
        tries.append((MIXED, Kind.INDEX, Kind.ETF))
    passed: list[str] = []
    for name, rut_kind, ndx_kind in tries:
        rut, ndx = latest.get((rut_kind, Leg.RUT)), latest.get((ndx_kind, Leg.NDX))
        wrong = _what_is_wrong(rut, ndx, now, max_leg_gap_s, max_age_s)
        if rut is None or ndx is None or wrong:
            passed.append(f"{name}: {wrong}")
            continue
        gap = abs((rut.event_time - ndx.event_time).total_seconds())
        proxy = name != Kind.INDEX.value
        return Driver(name, rut, ndx, rut.age_s(now), ndx.age_s(now), gap, proxy, tuple(passed))
    return Unknown("; ".join(passed))


def _what_is_wrong(
    rut: LegTick | None, ndx: LegTick | None, now: datetime, max_leg_gap_s: float, max_age_s: float
) -> str:
    if rut is None or ndx is None:
        missing = [name for name, tick in (("RUT", rut), ("NDX", ndx)) if tick is None]
        return f"no price of {' and '.join(missing)}"
    for name, tick in (("RUT", rut), ("NDX", ndx)):
        if isinstance(tick.reference_price, Unknown):
            return f"{name} has no reference: {tick.reference_price.reason}"
    gap = (ndx.event_time - rut.event_time).total_seconds()
    if abs(gap) > max_leg_gap_s:
        return f"{'RUT' if gap > 0 else 'NDX'} {duration(abs(gap))} late"
    oldest = max((rut, ndx), key=lambda tick: (now - tick.event_time, tick.leg == Leg.RUT))
    age = (now - oldest.event_time).total_seconds()
    if age > max_age_s:
        return f"last traded {duration(age)} ago"
    return ""


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 15 min, 3 h, 2 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def spread_now(driver: Driver | Unknown, reference: Reference) -> SpreadNow | Unknown:
    """Spread of the chosen driver since its reference prices, which must be those of `reference`."""
    if isinstance(driver, Unknown):
        return driver
    rut, ndx = driver.rut.move_pct, driver.ndx.move_pct
    if isinstance(rut, Unknown):
        return rut
    if isinstance(ndx, Unknown):
        return ndx
    return SpreadNow(
        rut_pct=rut,
        ndx_pct=ndx,
        spread_pp=rut - ndx,
        reference=reference,
        driver=driver.kind,
        label=driver.label,
        rut_age_s=driver.rut_age_s,
        ndx_age_s=driver.ndx_age_s,
        at=min(driver.rut.event_time, driver.ndx.event_time),
    )


def truth_check(
    candidates: Sequence[LegTick], now: datetime, *, threshold_pp: float = 0.25, max_leg_gap_s: float = 60.0
) -> TruthCheck:
    """Put the moves of index, ETF and future beside each other, and warn where they disagree.

    Moves of one leg are compared only where the two ticks traded within `max_leg_gap_s`; where none can be
    compared, nothing vouches for the number, and a warning says so.
    """
    by = {(tick.kind, tick.leg): tick for tick in candidates}
    kinds = [kind for kind in (Kind.INDEX, Kind.ETF, Kind.FUTURE) if any(key[0] is kind for key in by)]
    missing = Unknown("no price")
    rows = []
    for kind in kinds:
        rut, ndx = by.get((kind, Leg.RUT)), by.get((kind, Leg.NDX))
        rut_pct, ndx_pct = (missing if tick is None else tick.move_pct for tick in (rut, ndx))
        spread: Maybe = (
            next(one for one in (rut_pct, ndx_pct) if isinstance(one, Unknown))
            if isinstance(rut_pct, Unknown) or isinstance(ndx_pct, Unknown)
            else rut_pct - ndx_pct
        )
        if rut is not None and ndx is not None:
            apart = abs((rut.event_time - ndx.event_time).total_seconds())
            if apart > max_leg_gap_s:
                spread = Unknown(f"legs traded {duration(apart)} apart")
        ages = (missing if tick is None else tick.age_s(now) for tick in (rut, ndx))
        rows.append(TruthRow(kind, rut_pct, ndx_pct, spread, *ages))
    warnings, compared = [], 0
    for leg in Leg:
        for one, other in combinations([by[kind, leg] for kind in kinds if (kind, leg) in by], 2):
            first, second = one.move_pct, other.move_pct
            apart = abs((one.event_time - other.event_time).total_seconds())
            if isinstance(first, Unknown) or isinstance(second, Unknown) or apart > max_leg_gap_s:
                continue
            compared += 1
            if abs(first - second) > threshold_pp:
                warnings.append(
                    f"{leg.value.upper()}: {one.symbol} {first:+.2f} % and {other.symbol} {second:+.2f} % are "
                    f"{abs(first - second):.2f} pp apart, more than {threshold_pp:.2f}"
                )
    if not compared:
        warnings.append("nothing to compare with: no second instrument of a leg traded at the same time")
    return TruthCheck(tuple(rows), tuple(warnings), threshold_pp)


def reference_price(
    reference: Reference,
    history: LegHistory,
    *,
    session: Session,
    previous_session: date,
    release: datetime | None = None,
    max_age_s: float = 900.0,
    max_late_s: float = 60.0,
) -> tuple[float, datetime] | Unknown:
    """Price that the move of one instrument is measured from, and when it traded (UTC).

    Parameters
    ----------
    reference
        Prior close: the official close of `previous_session`, of no other day. Open: the open of the first bar,
        which starts at most `max_late_s` after the session's open. Release: the last trade at or before one second
        before `release`, at most `max_age_s` old; bars which end by the release stand in where no quote does
        (their last trade is before its end, to the second that cannot be told).
    history
        What is known of the instrument, cut at as-of.

    Raises
    ------
    ValueError
        A release reference without a release.
    """
    if reference is Reference.PRIOR_CLOSE:
        return _prior_close(history, previous_session, session)
    if reference is Reference.OPEN:
        return _open(history, session, max_late_s)
    if release is None:
        raise ValueError("a move from a release needs the time of the release")
    return _last_before(history, release, max_age_s)


def reference_prices(
    reference: Reference,
    rut: LegHistory,
    ndx: LegHistory,
    *,
    session: Session,
    previous_session: date,
    release: datetime | None = None,
    max_age_s: float = 900.0,
    max_late_s: float = 60.0,
) -> References | Unknown:
    """Prices that the moves of both legs are measured from, of the same kind on both; see `reference_price`.

    Raises
    ------
    ValueError
        The legs are of different kinds, or a release reference without a release.
    """
    if rut.kind is not ndx.kind:
        raise ValueError(f"{rut.symbol} is {rut.kind}, {ndx.symbol} is {ndx.kind}: both legs must be of one kind")
    found_rut, found_ndx = (
        reference_price(
            reference,
            leg,
            session=session,
            previous_session=previous_session,
            release=release,
            max_age_s=max_age_s,
            max_late_s=max_late_s,
        )
        for leg in (rut, ndx)
    )
    if isinstance(found_rut, Unknown):
        return found_rut
    if isinstance(found_ndx, Unknown):
        return found_ndx
    return References(reference, rut.kind, found_rut[0], found_ndx[0], found_rut[1], found_ndx[1])


def _prior_close(history: LegHistory, day: date, session: Session) -> tuple[float, datetime] | Unknown:
    closes = history.closes
    if closes is not None and len(closes):
        at = int(np.searchsorted(closes.days, np.datetime64(day, "D")))
        if at < len(closes) and closes.days[at] == np.datetime64(day, "D"):
            return float(closes.close[at]), datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Unknown(f"{history.symbol} has no close of {day}, the session before {session.day}")


def _open(history: LegHistory, session: Session, max_late_s: float) -> tuple[float, datetime] | Unknown:
    bars, start = history.bars, session.open.timestamp()
    at = 0 if bars is None else int(np.searchsorted(bars.start_s, start))
    if bars is None or at >= len(bars) or bars.start_s[at] >= session.close.timestamp():
        return Unknown(f"{history.symbol} has no bar of {session.day} yet")
    late = float(bars.start_s[at]) - start
    if late > max_late_s:
        return Unknown(f"first bar of {history.symbol} starts {duration(late)} after the open")
    return float(bars.open[at]), datetime.fromtimestamp(int(bars.start_s[at]), tz=UTC)


def _last_before(history: LegHistory, release: datetime, max_age_s: float) -> tuple[float, datetime] | Unknown:
    limit = release - timedelta(seconds=1)
    best: tuple[float, datetime] | None = None
    traded = [quote for quote in history.quotes if quote.event_time <= limit]
    if traded:
        last = max(traded, key=lambda quote: quote.event_time)
        best = last.price, last.event_time
    bars = history.bars
    if bars is not None and len(bars):
        ends = bars.start_s + bars.interval.seconds
        at = int(np.searchsorted(ends, release.timestamp(), side="right")) - 1
        if at >= 0:
            # The last trade of a bar lies in its last second at the latest.
            end = datetime.fromtimestamp(int(ends[at]) - 1, tz=UTC)
            if best is None or end > best[1]:
                best = float(bars.close[at]), end
    if best is None:
        return Unknown(f"no trade of {history.symbol} before {release.astimezone(UTC):%H:%M} UTC")
    age = (limit - best[1]).total_seconds()
    if age > max_age_s:
        return Unknown(f"last trade of {history.symbol} before the release is {duration(age)} old")
    return best


def intraday_path(rut_bars: Bars, ndx_bars: Bars, rut_ref: float, ndx_ref: float) -> IntradayPath:
    """Moves of both legs since their references, bar by bar, on one even grid.

    The grid runs from the first bar of either leg to the last; a minute which a leg lacks stays NaN, nothing is
    carried over it.

    Raises
    ------
    ValueError
        The bars differ in length, or a reference is not above zero.
    """
    if rut_bars.interval is not ndx_bars.interval:
        raise ValueError(f"bars of {rut_bars.interval} and {ndx_bars.interval} cannot be aligned")
    if not (rut_ref > 0 and ndx_ref > 0):
        raise ValueError(f"references {rut_ref} (RUT) and {ndx_ref} (NDX) must be above zero")
    step = rut_bars.interval.seconds
    starts = [bars.start_s for bars in (rut_bars, ndx_bars) if len(bars)]
    if not starts:
        empty = frozen_array(np.empty(0))
        return IntradayPath(np.empty(0, dtype=np.int64), empty, empty, empty)
    first, last = min(int(one[0]) for one in starts), max(int(one[-1]) for one in starts)
    grid = np.arange(first, last + 1, step, dtype=np.int64)
    moves = []
    for bars, reference in ((rut_bars, rut_ref), (ndx_bars, ndx_ref)):
        move = np.full(len(grid), np.nan)
        on_grid = (bars.start_s - first) % step == 0
        move[(bars.start_s[on_grid] - first) // step] = 100.0 * (bars.close[on_grid] / reference - 1.0)
        moves.append(move)
    rut, ndx = moves
    end = grid + step
    end.flags.writeable = False
    return IntradayPath(end, frozen_array(rut), frozen_array(ndx), frozen_array(rut - ndx))


def session_paths(
    rut_bars: Bars,
    ndx_bars: Bars,
    sessions: Sequence[Session],
    references: Mapping[date, tuple[float, float]],
) -> list[SessionPath]:
    """Cut bars of many sessions into spread paths, for the cone.

    `references` gives RUT and NDX reference price by session day, of the same instruments as the bars; sessions
    without them, or without bars, are left out.
    """
    paths = []
    for session in sessions:
        reference = references.get(session.day)
        if reference is None:
            continue
        start, stop = int(session.open.timestamp()), int(session.close.timestamp())
        rut, ndx = _cut(rut_bars, start, stop), _cut(ndx_bars, start, stop)
        if len(rut) and len(ndx):
            path = intraday_path(rut, ndx, *reference)
            paths.append(SessionPath(session.day, (path.end_s - start) // 60, path.spread_pp))
    return paths


def _cut(bars: Bars, start: int, stop: int) -> Bars:
    here = slice(*np.searchsorted(bars.start_s, (start, stop)))
    fields = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return Bars(bars.symbol, bars.interval, bars.start_s[here], *(field[here] for field in fields))


def cone(history: Sequence[SessionPath], before: date, sessions: int = CONE_SESSIONS) -> Cone | Unknown:
    """Usual spread for the time of day, from the last `sessions` sessions before the day `before`.

    Sessions of one-minute and of five-minute bars may be mixed: each minute counts the sessions that have it.
    """
    past = sorted((path for path in history if path.day < before), key=lambda path: path.day)[-sessions:]
    if len(past) < CONE_LEAST_SESSIONS:
        return Unknown(f"needs {CONE_LEAST_SESSIONS} sessions of intraday bars, there are {len(past)}")
    minute = np.concatenate([path.minute for path in past])
    spread = np.concatenate([path.spread_pp for path in past])
    finite = np.isfinite(spread)
    minute, spread = minute[finite], spread[finite]
    grid, place = np.unique(minute, return_inverse=True)
    n = np.bincount(place, minlength=len(grid))
    mean = np.bincount(place, weights=spread, minlength=len(grid)) / n
    squares = np.bincount(place, weights=(spread - mean[place]) ** 2, minlength=len(grid))
    enough = n >= CONE_LEAST_SESSIONS
    if not enough.any():
        return Unknown(f"no minute of the session has {CONE_LEAST_SESSIONS} past values")
    sd = np.full(len(grid), np.nan)
    sd[enough] = np.sqrt(squares[enough] / (n[enough] - 1))
    return Cone(grid, frozen_array(sd), n, len(past), past[0].day, past[-1].day)


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
