"""What the claims of the idea rest on, beside what the panels show: events, rates, positions, seasons, declines.

Everything is read as it was known at a moment. The statistics are too slow for a frame: they are worked out aside,
once for each state of what is known.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from desktop.analytics import drawdowns, events, flow, positioning, rates, ratio, seasonality
from desktop.analytics.drawdowns import Declines
from desktop.analytics.events import EventStudy
from desktop.analytics.flow import Flow
from desktop.analytics.positioning import (
    NQ_CODE,
    RTY_CODE,
    RTY_ICE_CODE,
    PairPositions,
    PositionHistory,
    Positions,
)
from desktop.analytics.rates import FedPath, Fixing, SlopeHistory, Target, TwoYear
from desktop.analytics.ratio import PairSeries, TotalReturn
from desktop.analytics.seasonality import Seasonality
from desktop.deferred import Deferred
from desktop.market import releases
from desktop.market.known import Unknown
from desktop.market.releases import ReleaseKind
from desktop.market.sessions import NYSE, trading_day
from desktop.market.store import SeriesView, Store
from desktop.sources.files.publication import cot_published

VIX_FIRST = date(1990, 1, 1)
STALE_STRIP = timedelta(days=5)
"""A price of a fed funds future older than this says nothing of the path of today."""
_MONTHS = 24
_EVENINGS = timedelta(minutes=1)
"""How often it is asked whether something became known."""


@dataclass(frozen=True, slots=True, eq=False)
class Positioning:
    """Positions of both contracts: the latest report, and the history of each behind it."""

    latest: PairPositions
    nq: PositionHistory
    rty: PositionHistory


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """The 2-year yield against the spread, its slope through time, and the path that futures price."""

    two_year: TwoYear | Unknown
    slopes: SlopeHistory | Unknown
    path: FedPath | Unknown


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Each part is Unknown with the reason where what it needs is missing, or is still being worked out."""

    events: EventStudy | Unknown
    total_return: TotalReturn | Unknown
    adjusted: PairSeries | Unknown
    """Dividend-adjusted closes of IWM and QQQ, as the legs of a ratio."""
    rates: Rates | Unknown
    positioning: Positioning | Unknown
    seasonality: Seasonality | Unknown
    declines: Declines | Unknown
    flow: Flow


class Gatherer:
    """Reads the store and keeps what was worked out; used from one thread at a time."""

    def __init__(self, store: Store, deferred: Deferred) -> None:
        self._store, self._deferred = store, deferred
        self._asked: tuple[Hashable, Hashable] | None = None
        self._flow = flow.flow()

    def gather(self, pair: PairSeries, day: date, moment: datetime, key: Hashable) -> Evidence:
        """Return the evidence at `moment` (UTC).

        Parameters
        ----------
        pair
            Official closes of both legs up to `day`, the last session that was over.
        key
            Names what `pair` and the stored history were made from: the same key, the same answer.
        """
        known = self._known(moment, key)
        get, store = self._deferred.get, self._store
        return Evidence(
            events=get("events", key, lambda: events.event_study(pair)),
            total_return=get("total return", key, lambda: _total_return(store, pair, day)),
            adjusted=get("adjusted ratio", key, lambda: _adjusted(store, day)),
            rates=get("rates", (key, known), lambda: _rates(store, pair, moment)),
            positioning=get("positioning", (key, known), lambda: _positioning(store, moment)),
            seasonality=get("seasonality", key, lambda: _seasonality(store, day)),
            declines=get("declines", key, lambda: _declines(store, pair, day)),
            flow=self._flow,
        )

    def _known(self, moment: datetime, key: Hashable) -> Hashable:
        """What changes when something became known: asked once a minute."""
        minute = (key, int(moment.timestamp() // _EVENINGS.total_seconds()))
        if self._asked is None or self._asked[0] != minute:
            self._asked = minute, self._store.latest_known(moment)
        return self._asked[1]


def _total_return(store: Store, pair: PairSeries, day: date) -> TotalReturn | Unknown:
    iwm, qqq = (store.closes(f"{symbol}:adj", last=day) for symbol in ("IWM", "QQQ"))
    if not len(iwm) or not len(qqq):
        return Unknown("no dividend-adjusted closes of IWM and QQQ: refresh, or import them")
    return ratio.total_return_ratio(iwm, qqq, pair)


def _adjusted(store: Store, day: date) -> PairSeries | Unknown:
    iwm, qqq = (store.closes(f"{symbol}:adj", last=day) for symbol in ("IWM", "QQQ"))
    found = ratio.pair(iwm, qqq)
    return found if len(found) else Unknown("no dividend-adjusted closes of IWM and QQQ: refresh, or import them")


def _declines(store: Store, pair: PairSeries, day: date) -> Declines | Unknown:
    return drawdowns.declines(pair, store.closes("^SPX", last=day), store.closes("^VIX", last=day))


def _seasonality(store: Store, day: date) -> Seasonality | Unknown:
    vix = store.closes("^VIX", first=VIX_FIRST, last=day)
    if not len(vix):
        return Unknown("no history of the VIX: refresh, or import it")
    return seasonality.seasonality(vix, NYSE.days(VIX_FIRST, day + timedelta(days=40)))


# Rates


def _rates(store: Store, pair: PairSeries, moment: datetime) -> Rates:
    two_year = store.series("DGS2", moment)
    return Rates(
        two_year=_two_year(pair, two_year),
        slopes=_slopes(pair, two_year),
        path=_path(store, moment),
    )


def _two_year(pair: PairSeries, yields: SeriesView) -> TwoYear | Unknown:
    if not len(yields):
        return Unknown("no history of the 2-year yield (DGS2): refresh, or import it")
    return rates.two_year(pair, yields.days, yields.values)


def _slopes(pair: PairSeries, yields: SeriesView) -> SlopeHistory | Unknown:
    if not len(yields) or not len(pair):
        return Unknown("no history of the 2-year yield (DGS2), or of the legs")
    return rates.slope_history(rates.rate_moves(pair, yields.days, yields.values))


def _path(store: Store, moment: datetime) -> FedPath | Unknown:
    """The path priced by the futures' last prices, none older than a few days."""
    day = trading_day(moment)
    month, prices = day.replace(day=1), {}
    for _ in range(_MONTHS):
        price = _future(store, rates.zq_symbol(month), moment)
        if price is not None:
            prices[month] = price
        month = (month + timedelta(days=32)).replace(day=1)
    if not prices:
        return Unknown("no prices of fed funds futures: refresh, or import them")
    # The Fed announces a year's meetings in the year before: whoever looked then knew no further.
    announced_to = min(releases.schedule_known_to(ReleaseKind.FOMC), date(day.year + 1, 12, 31))
    meetings = [trading_day(at) for at, kind in releases.schedule() if kind is ReleaseKind.FOMC]
    return rates.fed_path(
        prices,
        [one for one in meetings if one <= announced_to],
        day,
        target=_target(store, moment),
        effr=_effr(store, moment),
        known_to=announced_to,
    )


def _future(store: Store, symbol: str, moment: datetime) -> float | None:
    quote = store.last_quote(symbol, moment)
    if quote is not None and moment - quote.event_time <= STALE_STRIP:
        return quote.price
    day = NYSE.last_closed(moment).day
    closes = store.closes(symbol, day - STALE_STRIP, day)
    return float(closes.close[-1]) if len(closes) else None


def _target(store: Store, moment: datetime) -> Target | None:
    low, high = (store.series(name, moment) for name in ("DFEDTARL", "DFEDTARU"))
    days, of_low, of_high = np.intersect1d(low.days, high.days, assume_unique=True, return_indices=True)
    return Target(days, low.values[of_low], high.values[of_high]) if len(days) else None


def _effr(store: Store, moment: datetime) -> Fixing | None:
    """The latest effective rate of the New York Fed, or of FRED, whichever is of the later day."""
    found = [view for name in ("EFFR", "DFF") if len(view := store.series(name, moment))]
    latest = max(found, key=lambda view: view.days[-1], default=None)
    return None if latest is None else Fixing(latest.days[-1].item(), float(latest.values[-1]))


# Positions


def _positioning(store: Store, moment: datetime) -> Positioning | Unknown:
    nq = _positions(store, NQ_CODE, moment)
    rty = positioning.splice(_positions(store, RTY_ICE_CODE, moment), _positions(store, RTY_CODE, moment))
    latest = positioning.positioning(nq, rty, cot_published)
    if isinstance(latest, Unknown):
        return latest
    return Positioning(latest, positioning.history(nq), positioning.history(rty))


def _positions(store: Store, code: str, moment: datetime) -> Positions:
    """Reports that hold all three figures."""
    names = ("open_interest", "asset_manager_net", "leveraged_net")
    views = [store.series(f"COT:{code}:{name}", moment) for name in names]
    days = views[0].days
    for view in views[1:]:
        days = np.intersect1d(days, view.days, assume_unique=True)
    interest, managers, leveraged = (view.values[np.searchsorted(view.days, days)] for view in views)
    return Positions(code, days, interest, managers, leveraged)
