"""From store, settings and a moment to one immutable Snapshot: everything the window and the report show.

Live is the moment now. What depends only on closed sessions is worked out once a day and kept; a quote costs
only what depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import numpy as np

from desktop.analytics import correlation, divergence, ratio, regime
from desktop.analytics.correlation import CorrelationStats
from desktop.analytics.divergence import Cone, DivergenceStats, Reference, SpreadNow
from desktop.analytics.ratio import HalfLifeInterval, PairSeries, RatioStats
from desktop.analytics.regime import RegimeStats, Thresholds
from desktop.answers import Kept
from desktop.deferred import Deferred
from desktop.evidence import Evidence, Gatherer
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, DayArray, FloatArray, Interval, Panel, Quote
from desktop.market.releases import Release, Schedule, Schedules
from desktop.market.sessions import NYSE, Session
from desktop.market.store import Store
from desktop.settings import Settings
from desktop.sources.state import SourceState
from desktop.tape import Tape
from desktop.today import Today, usual_cone, watch
from desktop.trade.hedge import Hedge, PairRisk, hedges, log_returns, pair_risk
from desktop.trade.position import LegReturns
from desktop.typed_figures import FigureReader

BOOTSTRAP_SEED = 20240711
_TRADED = ("RTY=F", "NQ=F", "IWM", "QQQ")
DEMO_LABEL = "DEMO, simulated between published levels"
"""Stands wherever numbers of the demo are shown."""


class Mode(StrEnum):
    """What the numbers are: of now, of an earlier moment, or simulated."""

    LIVE = "live"
    AS_OF = "as_of"
    DEMO = "demo"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of a chart: days (datetime64[D]) and values."""

    days: DayArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All that rests on closed sessions alone, up to `day`. `prices` holds the ETFs' closes by symbol."""

    day: date
    pair: PairSeries
    prices: Mapping[str, Closes]
    risk: PairRisk | Unknown
    hedges: tuple[Hedge, ...]
    returns: LegReturns
    correlation: CorrelationStats | Unknown
    regime: RegimeStats | Unknown
    realised: Line
    implied: Line
    sma50: Line
    sma200: Line
    rut_bars: Bars
    ndx_bars: Bars
    key: Hashable

    @property
    def asked(self) -> Hashable:
        """The part of `key` that was asked for: day, universe and thresholds, not the state of the store."""
        return self.key[1:] if isinstance(self.key, tuple) else self.key


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One moment, complete. `stale_days` counts sessions whose closes should be in the store and are not."""

    mode: Mode
    moment: datetime
    session_open: bool
    history: History
    ratio: RatioStats | Unknown
    ratio_line: Line
    half_life: HalfLifeInterval | Unknown
    divergence: DivergenceStats | Unknown
    today: Today
    usual: tuple[str, Cone] | Unknown
    evidence: Evidence
    schedule: Schedule
    next_release: Release | None
    feed: tuple[SourceState, ...]
    live: bool
    stale_days: int
    later: Mapping[str, Quote] = field(default_factory=dict)
    """Last quotes of what is traded, where the session shown is over and something traded since."""

    @property
    def correlation(self) -> CorrelationStats | Unknown:
        """The correlation section."""
        return self.history.correlation

    @property
    def regime(self) -> RegimeStats | Unknown:
        """The regime section."""
        return self.history.regime


class SnapshotBuilder:
    """Builds snapshots of one store, with `charts` also what a chart shows; used from one thread at a time.

    While history is being fetched it changes with every symbol: it is read again at most every `reread_s` wall
    seconds, so that the window does not pay for each.
    """

    def __init__(self, store: Store, deferred: Deferred, *, charts: bool = True, reread_s: float = 0.0) -> None:
        self._reread_s, self._read_at_s = reread_s, 0.0
        self._store, self._deferred, self._tape = store, deferred, Tape(store)
        self._schedules, self._figures = Schedules(store), FigureReader()
        self._gatherer = Gatherer(store, deferred, self._schedules, charts=charts)
        self._history: History | None = None

    def build(
        self,
        moment: datetime,
        settings: Settings,
        *,
        mode: Mode = Mode.LIVE,
        feed: Sequence[SourceState] = (),
    ) -> Snapshot:
        """Return what was known at `moment` (UTC); nothing later is looked at."""
        history = self._closed_sessions(moment, settings)
        schedule = self._schedules.at(moment)
        today = watch(
            self._tape,
            moment,
            Reference(settings.reference),
            max_leg_gap_s=settings.max_leg_gap_s,
            max_age_s=settings.max_age_s,
            truth_gap_pp=settings.truth_gap_pp,
            schedule=schedule,
        )
        live = _live_point(history, today)
        return Snapshot(
            mode=mode,
            moment=moment,
            session_open=today.session.open <= moment < today.session.close,
            history=history,
            ratio=ratio.ratio_stats(history.pair, _levels(history, live), self._adf(history)),
            ratio_line=_ratio_line(history, live),
            half_life=self._half_life(history),
            divergence=self._divergence(history, today, live, schedule),
            today=today,
            usual=self._usual(today.session),
            evidence=self._gatherer.gather(
                history.pair, history.day, moment, history.key, self._figures.read(settings)
            ),
            schedule=schedule,
            next_release=schedule.next(moment),
            feed=tuple(feed),
            live=live is not None,
            stale_days=_missing_sessions(history, moment),
            later=self._later(today.at, moment),
        )

    def _later(self, at: datetime, moment: datetime) -> Mapping[str, Quote]:
        """What traded after the session shown: the futures' night, the ETFs' evening."""
        if moment <= at:
            return {}
        quotes = (self._store.last_quote(symbol, moment) for symbol in _TRADED)
        return {one.symbol: one for one in quotes if one is not None and one.event_time > at}

    # What rests on closed sessions

    def _closed_sessions(self, moment: datetime, settings: Settings) -> History:
        day = NYSE.last_closed(moment).day
        thresholds = thresholds_of(settings)
        asked = (day, settings.universe, thresholds)
        key = (self._store.history_version, *asked)
        held = self._history
        if held is not None and held.key == key:
            return held
        waits = time.monotonic() - self._read_at_s < self._reread_s
        if held is not None and waits and held.asked == asked and len(held.pair):
            return held
        self._read_at_s = time.monotonic()
        self._history = self._read(day, settings.universe, thresholds, key)
        return self._history

    def _read(self, day: date, universe: str, thresholds: Thresholds, key: Hashable) -> History:
        store = self._store
        rut, ndx, spx, vix, vix3m, cor1m, dspx = (
            store.closes(symbol, last=day)
            for symbol in ("^RUT", "^NDX", "^SPX", "^VIX", "^VIX3M", "^COR1M", "^DSPX")
        )
        first = min((one.days[0].item() for one in (rut, ndx) if len(one)), default=day)
        sessions = NYSE.days(first, day + timedelta(days=7))
        pair = ratio.pair(rut, ndx, sessions)
        days, (rut_log, ndx_log) = log_returns(sessions, rut, ndx)
        shown = pair.day(-1) if len(pair) else day
        panel = _until(_universe(store, universe, day), day)
        gauge = correlation.gauge(panel, cor1m=cor1m, dspx=dspx, sessions=sessions)
        rolling = None if isinstance(gauge, Unknown) else gauge.rolling
        votes = regime.regime(pair, panel=panel, rolling=rolling, vix=vix, vix3m=vix3m, thresholds=thresholds)
        realised = _NO_LINE if rolling is None else _finite(Line(rolling.days, rolling.mean_pairwise))
        return History(
            day=day,
            pair=pair,
            prices={symbol: store.closes(symbol, day - timedelta(days=14), day) for symbol in ("IWM", "QQQ")},
            risk=pair_risk(rut_log, ndx_log),
            hedges=_hedges(rut_log, ndx_log, spx, rut, ndx, sessions),
            returns=LegReturns(days, np.expm1(rut_log), np.expm1(ndx_log)),
            correlation=gauge,
            regime=votes,
            realised=realised,
            implied=_since(Line(cor1m.days, cor1m.close / 100.0), realised),
            sma50=Line(pair.days, ratio.moving_average(pair.ratio, 50)),
            sma200=Line(pair.days, ratio.moving_average(pair.ratio, 200)),
            rut_bars=_last_bars(store, "^RUT", shown),
            ndx_bars=_last_bars(store, "^NDX", shown),
            key=key,
        )

    # What is too slow for a frame

    def _adf(self, history: History) -> ratio.UnitRoot | Unknown:
        x = history.pair.log_ratio
        return self._deferred.get("adf", _series_key(history), lambda: ratio.adf(x), Kept(1, lambda: (x,)))

    def _half_life(self, history: History) -> HalfLifeInterval | Unknown:
        x = history.pair.log_ratio[-ratio.HALF_LIFE_WINDOW :]
        return self._deferred.get(
            "half-life",
            _series_key(history),
            lambda: ratio.half_life_interval(x, BOOTSTRAP_SEED),
            Kept(1, lambda: (x, BOOTSTRAP_SEED)),
        )

    def _usual(self, session: Session) -> tuple[str, Cone] | Unknown:
        key = (session.day, self._store.history_version)
        return self._deferred.get("cone", key, lambda: usual_cone(self._store, session))

    # What a quote changes

    def _divergence(
        self, history: History, today: Today, live: tuple[date, SpreadNow] | None, schedule: Schedule
    ) -> DivergenceStats | Unknown:
        from_open = today.spreads[Reference.OPEN]
        return divergence.divergence_stats(
            history.pair,
            live=live,
            rut_bars=history.rut_bars,
            ndx_bars=history.ndx_bars,
            from_open_live_pp=None
            if live is None
            else (from_open if isinstance(from_open, Unknown) else from_open.spread_pp),
            release_days=_days_of_the_release(schedule, _day_shown(history, live)),
        )


def thresholds_of(settings: Settings) -> Thresholds:
    """What the settings say raises a flag."""
    return Thresholds(
        correlation_percentile=settings.correlation_percentile,
        correlation_jump=settings.correlation_jump,
        volatility_percentile=settings.volatility_percentile,
        term_structure=settings.term_structure,
        breadth=settings.breadth,
        momentum_sigma=settings.momentum_sigma,
        enter_days=min(settings.enter_days, settings.leave_days),
        leave_days=settings.leave_days,
    )


def _hedges(
    rut_log: FloatArray, ndx_log: FloatArray, spx: Closes, rut: Closes, ndx: Closes, sessions: DayArray
) -> tuple[Hedge, ...]:
    """The hedges side by side; beta on the S&P 500 only where its closes reach as far as those of the legs."""
    if not len(spx) or not len(rut) or not len(ndx) or spx.days[-1] < min(rut.days[-1], ndx.days[-1]):
        return hedges(rut_log, ndx_log)
    _, (rut_log, ndx_log, spx_log) = log_returns(sessions, rut, ndx, spx)
    return hedges(rut_log, ndx_log, spx_log)


def _universe(store: Store, name: str, day: date) -> Panel | None:
    """The universe of that name; without a name the newest that had begun by `day`."""
    if not name:
        name = next((one.name for one in store.panels() if one.first < day), "")
    return store.panel(name) if name else None


def _until(panel: Panel | None, day: date) -> Panel | None:
    if panel is None:
        return None
    keep = int(np.searchsorted(panel.days, np.datetime64(day, "D"), side="right"))
    if keep == len(panel.days):
        return panel
    return Panel(panel.name, panel.tickers, panel.days[:keep], panel.close[:keep], panel.compiled)


_NO_LINE = Line(np.array([], dtype="datetime64[D]"), np.array([]))


def _finite(line: Line) -> Line:
    """The line without the NaN rows at its start."""
    first = int(np.argmax(np.isfinite(line.values))) if np.isfinite(line.values).any() else len(line.values)
    return Line(line.days[first:], line.values[first:])


def _since(line: Line, other: Line) -> Line:
    """The part of `line` from the first day of `other` on; all of it where `other` is empty."""
    if not len(other.days):
        return line
    first = int(np.searchsorted(line.days, other.days[0]))
    return Line(line.days[first:], line.values[first:])


def _last_bars(store: Store, symbol: str, day: date) -> Bars:
    """Daily bars around `day`: enough for its move from the open."""
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    return store.bars(symbol, Interval.DAY, end - timedelta(days=8), end)


def _series_key(history: History) -> Hashable:
    pair = history.pair
    return (len(pair), pair.days[-1].item(), float(pair.log_ratio.sum())) if len(pair) else ()


def _live_point(history: History, today: Today) -> tuple[date, SpreadNow] | None:
    """Day and move since the prior close, while that day has no official closes of both legs."""
    now = today.spreads[Reference.PRIOR_CLOSE]
    if isinstance(now, Unknown):
        return None
    pair = history.pair
    day = np.datetime64(today.session.day, "D")
    if not len(pair) or pair.days[-1] >= day:
        return None
    if pair.days[-1] != np.datetime64(NYSE.previous(today.session.day).day, "D"):
        return None  # the close before is missing: the level could not be told from the move
    return today.session.day, now


def _day_shown(history: History, live: tuple[date, SpreadNow] | None) -> date:
    """The live day, else the last day with closes of both legs, which may lie before the last session."""
    if live is not None:
        return live[0]
    return history.pair.day(-1) if len(history.pair) else history.day


def _levels(history: History, live: tuple[date, SpreadNow] | None) -> tuple[date, float, float] | None:
    """Day, NDX, RUT: the last closes moved as the driver moved; with the index as driver, its own levels."""
    if live is None:
        return None
    day, now = live
    ndx, rut = float(history.pair.ndx[-1]), float(history.pair.rut[-1])
    return day, ndx * (1 + now.ndx_pct / 100), rut * (1 + now.rut_pct / 100)


def _ratio_line(history: History, live: tuple[date, SpreadNow] | None) -> Line:
    levels = _levels(history, live)
    if levels is None:
        return Line(history.pair.days, history.pair.ratio)
    day, ndx, rut = levels
    return Line(np.append(history.pair.days, np.datetime64(day, "D")), np.append(history.pair.ratio, ndx / rut))


@lru_cache(maxsize=8)
def _days_of_the_release(schedule: Schedule, day: date) -> DayArray | None:
    """Every day on which the release of `day` came out, up to it."""
    here = schedule.on_day(day)
    if not here:
        return None
    return np.array(schedule.days_of(here[0].kind), dtype="datetime64[D]")


def _missing_sessions(history: History, moment: datetime) -> int:
    """Closed sessions after the last common close: 0 when the store is up to date."""
    last = NYSE.last_closed(moment).day
    if not len(history.pair):
        return 0
    have = history.pair.day(-1)
    return max(0, len(NYSE.days(have, last)) - 1)
