"""What the claims of the idea rest on, beside what the panels show: events, rates, positions, seasons, declines.

Everything is read as it was known at a moment. The statistics are too slow for a frame: they are worked out aside,
once for each state of what is known.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

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
from desktop.analytics.rates import DayRule, FedPath, Fixing, SlopeHistory, Target, TwoYear
from desktop.analytics.ratio import EngleGranger, PairSeries, TotalReturn
from desktop.analytics.seasonality import Seasonality
from desktop.answers import Kept
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import DayArray, FloatArray
from desktop.market.releases import ReleaseKind, Schedule, Schedules
from desktop.market.sessions import NYSE, new_york, trading_day
from desktop.market.store import SeriesView, Store
from desktop.mega_caps import MegaCaps, Moves, closing_moves, mega_caps, quoted_moves
from desktop.settings import Settings
from desktop.sources.files.publication import cot_published
from desktop.typed_figures import FigureReader, TypedFigures

VIX_FIRST = date(1990, 1, 1)
STALE_STRIP = timedelta(days=5)
"""A price of a fed funds future older than this says nothing of the path of today."""
_MONTHS = 24
_CLOSE = time(16)
_ASKED_EVERY_S = 60
"""How often it is asked whether something became known."""


@dataclass(frozen=True, slots=True, eq=False)
class Positioning:
    """Positions of both contracts: the latest report, and the history of each behind it."""

    latest: PairPositions
    nq: PositionHistory
    rty: PositionHistory
    next_due: datetime
    """When the report after the latest one is published, UTC."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Prices of fed funds futures by contract month, and the New York days they are of."""

    prices: Mapping[date, float]
    first: date
    last: date


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """The 2-year yield against the spread, its slope through time, and the path that futures price.

    `strip` is what the path was read from; `slopes` is for a chart, and Unknown where none is drawn.
    """

    two_year: TwoYear | Unknown
    slopes: SlopeHistory | Unknown
    path: FedPath | Unknown
    strip: Strip | Unknown


@dataclass(frozen=True, slots=True, eq=False)
class Dated:
    """Values by day (datetime64[D]); may be empty."""

    days: DayArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Each part is Unknown with the reason where what it needs is missing, or is still being worked out."""

    events: EventStudy | Unknown
    cointegration: EngleGranger | Unknown
    """Of ln NDX and ln RUT: the first on the second, and the other way."""
    total_return: TotalReturn | Unknown
    adjusted: PairSeries | Unknown
    """Dividend-adjusted closes of IWM and QQQ, as the legs of a ratio."""
    implied: Dated
    """Cboe COR1M since it began, index points."""
    dispersion: Dated
    """Cboe DSPX since it began, index points."""
    rates: Rates | Unknown
    positioning: Positioning | Unknown
    seasonality: Seasonality | Unknown
    declines: Declines | Unknown
    flow: Flow | Unknown
    mega_caps: MegaCaps | Unknown
    figures: TypedFigures


class Gatherer:
    """Reads the store and keeps what was worked out; used from one thread at a time.

    With `charts` also what only a chart shows. Each question has the key of what it rests on, so that a price of
    another symbol, or the next minute, leaves the answer as it is.
    """

    def __init__(
        self, store: Store, deferred: Deferred, schedules: Schedules | None = None, *, charts: bool = True
    ) -> None:
        self._store, self._deferred, self._charts = store, deferred, charts
        self._schedules = schedules or Schedules(store)
        self._seen: _Seen | None = None
        self._legs: tuple[Hashable, Hashable] | None = None
        self._rates: Rates | None = None
        self._lines: dict[str, tuple[Hashable, Dated]] = {}
        self._typed = _typed_at(FigureReader().read(Settings()), date.max)
        self._seven: MegaCaps | Unknown | None = None
        self._seven_from: tuple[object, ...] = ()

    def gather(
        self, pair: PairSeries, day: date, moment: datetime, key: Hashable, figures: TypedFigures | None = None
    ) -> Evidence:
        """Return the evidence at `moment` (UTC).

        Parameters
        ----------
        pair
            Official closes of both legs up to `day`, the last session that was over.
        key
            Names what `pair` and the stored history were made from: the same key, the same answer.
        figures
            What the user typed in; None is nothing.
        """
        seen = self._look(moment, key)
        typed = self._read_figures(figures, seen.day)
        legs = day, self._fingerprint(pair, key)
        get, store = self._deferred.get, self._store
        etfs, spx, vix = self._of(day, "IWM:adj", "QQQ:adj"), self._of(day, "^SPX"), self._of(day, "^VIX")
        return Evidence(
            events=get("events", legs, lambda: events.event_study(pair), Kept(1, lambda: _closes(pair))),
            cointegration=get(
                "cointegration", legs, lambda: _cointegration(pair), Kept(1, lambda: (pair.ndx, pair.rut))
            ),
            total_return=get("total return", (legs, etfs), lambda: _total_return(store, pair, day)),
            adjusted=get("adjusted ratio", etfs, lambda: _adjusted(store, day)),
            implied=self._line("^COR1M", day),
            dispersion=self._line("^DSPX", day),
            rates=self._gather_rates(pair, seen, (key, seen.known), typed.figures.day_rule),
            positioning=get("positioning", (key, seen.known), lambda: _positioning(store, moment)),
            seasonality=get(
                "seasonality",
                vix,
                lambda: _seasonality(store, day),
                Kept(1, lambda: (day, *_of(store, day, "^VIX"))),
            ),
            declines=get(
                "declines",
                (legs, spx, vix),
                lambda: _declines(store, pair, day),
                Kept(1, lambda: (*_closes(pair), *_of(store, day, "^SPX", "^VIX"))),
            ),
            flow=typed.flow,
            mega_caps=self._gather_mega_caps(seen, typed.figures, day, key),
            figures=typed.figures,
        )

    def _line(self, symbol: str, day: date) -> Dated:
        """Closes of a symbol for a chart; the same object as long as they are the same."""
        version = day, self._store.bars_version(symbol)
        held = self._lines.get(symbol)
        if held is None or held[0] != version:
            closes = self._store.closes(symbol, last=day)
            held = self._lines[symbol] = version, Dated(closes.days, closes.close)
        return held[1]

    def _read_figures(self, figures: TypedFigures | None, day: date) -> _TypedAt:
        """The same object as long as the figures and the day are the same."""
        typed = self._typed
        if typed.day != day or (figures is not None and figures is not typed.figures):
            typed = self._typed = _typed_at(figures or typed.figures, day, typed)
        return typed

    def _gather_mega_caps(
        self, seen: _Seen, figures: TypedFigures, day: date, key: Hashable
    ) -> MegaCaps | Unknown:
        """The same object as long as moves and weights are the same."""
        moves: Moves | Unknown | None = None
        if not isinstance(figures.weights, Unknown):
            moves = seen.seven or self._deferred.get("seven", (key, day), lambda: closing_moves(self._store, day))
        made_from = (moves, figures.weights, seen.day)
        if self._seven is None or any(a is not b for a, b in zip(made_from, self._seven_from, strict=True)):
            none = Unknown("no weights are typed")
            self._seven, self._seven_from = mega_caps(moves or none, figures.weights, seen.moment), made_from
        return self._seven

    def _gather_rates(self, pair: PairSeries, seen: _Seen, known: Hashable, rule: DayRule) -> Rates:
        """The same object as long as its parts are the same."""
        get, store, moment, strip = self._deferred.get, self._store, seen.moment, seen.strip
        schedule = self._schedules.at(moment)
        slopes: SlopeHistory | Unknown = _NO_CHART
        if self._charts:
            slopes = get("slopes", known, lambda: _slopes(pair, store.series("DGS2", moment)))
        found = Rates(
            two_year=get("two-year", known, lambda: _two_year(pair, store.series("DGS2", moment))),
            slopes=slopes,
            path=get(
                "path",
                (known, seen.day, _prices(strip), schedule, rule),
                lambda: _path(store, strip, moment, schedule, rule),
            ),
            strip=strip,
        )
        before = self._rates
        if before is None or any(
            getattr(found, part) is not getattr(before, part) for part in ("two_year", "slopes", "path", "strip")
        ):
            self._rates = before = found
        return before

    def _look(self, moment: datetime, key: Hashable) -> _Seen:
        """What was known of series and futures: asked again each minute, and whenever time goes back."""
        minute = int(moment.timestamp() // _ASKED_EVERY_S)
        seen = self._seen
        if seen is None or (seen.key, seen.minute) != (key, minute) or moment < seen.moment:
            strip = _strip(self._store, moment)
            if seen is not None and seen.strip == strip:
                strip = seen.strip
            known = self._store.latest_known(moment)
            seven = quoted_moves(self._store, moment)
            if seen is not None and seen.seven == seven:
                seven = seen.seven
            self._seen = seen = _Seen(key, minute, moment, trading_day(moment), known, strip, seven)
        return seen

    def _fingerprint(self, pair: PairSeries, key: Hashable) -> Hashable:
        """Names the closes themselves, whatever else the history holds."""
        if self._legs is None or self._legs[0] != key:
            arrays = (pair.days, pair.rut, pair.ndx)
            self._legs = key, (len(pair), *(hash(one.tobytes()) for one in arrays))
        return self._legs[1]

    def _of(self, day: date, *symbols: str) -> Hashable:
        """Names the closes of `symbols` up to `day`."""
        return day, *(self._store.bars_version(symbol) for symbol in symbols)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was known at `moment`, on the New York day `day`."""

    key: Hashable
    minute: int
    moment: datetime
    day: date
    known: datetime | None
    strip: Strip | Unknown
    seven: Moves | None


@dataclass(frozen=True, slots=True, eq=False)
class _TypedAt:
    """The typed figures as seen on `day`."""

    figures: TypedFigures
    day: date
    flow: Flow | Unknown


def _typed_at(figures: TypedFigures, day: date, before: _TypedAt | None = None) -> _TypedAt:
    if isinstance(figures.flow, Unknown):
        return _TypedAt(figures, day, figures.flow)
    later = [one for one in figures.of_claim("flow_asymmetry") if one.dated is not None and one.dated > day]
    if later:
        names = ", ".join(f"{one.asked.label} is of {one.dated}" for one in later)
        return _TypedAt(figures, day, Unknown(f"{names}, after {day}: type figures of an earlier day"))
    if before is not None and before.figures is figures and not isinstance(before.flow, Unknown):
        return _TypedAt(figures, day, before.flow)
    return _TypedAt(figures, day, flow.flow(figures.flow))


_NO_CHART = Unknown("worked out for a chart only")


def _closes(pair: PairSeries) -> tuple[object, ...]:
    """What names closes of both legs over a restart."""
    return pair.days, pair.rut, pair.ndx, pair.sessions


def _of(store: Store, day: date, *symbols: str) -> tuple[object, ...]:
    """What names closes of `symbols` up to `day` over a restart."""
    found = [store.closes(symbol, last=day) for symbol in symbols]
    return tuple(array for one in found for array in (one.days, one.close))


def _cointegration(pair: PairSeries) -> EngleGranger | Unknown:
    return ratio.engle_granger(np.log(pair.ndx), np.log(pair.rut))


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


def _two_year(pair: PairSeries, yields: SeriesView) -> TwoYear | Unknown:
    if not len(yields):
        return Unknown("no history of the 2-year yield (DGS2): refresh, or import it")
    return rates.two_year(pair, yields.days, yields.values)


def _slopes(pair: PairSeries, yields: SeriesView) -> SlopeHistory | Unknown:
    if not len(yields) or not len(pair):
        return Unknown("no history of the 2-year yield (DGS2), or of the legs")
    return rates.slope_history(rates.rate_moves(pair, yields.days, yields.values))


def _strip(store: Store, moment: datetime) -> Strip | Unknown:
    """The futures' last prices, none older than a few days."""
    month, prices, days = trading_day(moment).replace(day=1), {}, []
    for _ in range(_MONTHS):
        found = _future(store, rates.zq_symbol(month), moment)
        if found is not None:
            day, prices[month] = found
            days.append(day)
        month = (month + timedelta(days=32)).replace(day=1)
    if not prices:
        return Unknown("no prices of fed funds futures: refresh, or import them")
    return Strip(prices, min(days), max(days))


def _prices(strip: Strip | Unknown) -> Hashable:
    return None if isinstance(strip, Unknown) else tuple(strip.prices.items())


def _future(store: Store, symbol: str, moment: datetime) -> tuple[date, float] | None:
    """Day and price of the last quote, or of the last close where that is the later."""
    day = NYSE.last_closed(moment).day
    quote, closes = store.last_quote(symbol, moment), store.closes(symbol, day - STALE_STRIP, day)
    if len(closes):
        last = closes.days[-1].item()
        if quote is None or quote.event_time < datetime.combine(last, _CLOSE, new_york):
            return last, float(closes.close[-1])
    if quote is None or moment - quote.event_time > STALE_STRIP:
        return None
    return trading_day(quote.event_time), quote.price


def _path(
    store: Store, strip: Strip | Unknown, moment: datetime, schedule: Schedule, rule: DayRule
) -> FedPath | Unknown:
    if isinstance(strip, Unknown):
        return strip
    # The Fed announces a year's meetings in the year before: whoever looked then knew no further.
    announced_to = date(moment.year + 1, 12, 31)
    known_to = schedule.kind_known_to(ReleaseKind.FOMC)
    return rates.fed_path(
        strip.prices,
        [one for one in schedule.days_of(ReleaseKind.FOMC) if one <= announced_to],
        trading_day(moment),
        target=_target(store, moment),
        effr=_effr(store, moment),
        known_to=None if isinstance(known_to, Unknown) else min(known_to, announced_to),
        rule=rule,
    )


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
    return Positioning(latest, positioning.history(nq), positioning.history(rty), _next_report(latest, moment))


def _next_report(latest: PairPositions, moment: datetime) -> datetime:
    """Publication of the first report, a Tuesday's, that was not out yet."""
    report = latest.report_date + timedelta(days=(1 - latest.report_date.weekday()) % 7 or 7)
    while cot_published(report) <= moment:
        report += timedelta(days=7)
    return cot_published(report)


def _positions(store: Store, code: str, moment: datetime) -> Positions:
    """Reports that hold all three figures."""
    names = ("open_interest", "asset_manager_net", "leveraged_net")
    views = [store.series(f"COT:{code}:{name}", moment) for name in names]
    days = views[0].days
    for view in views[1:]:
        days = np.intersect1d(days, view.days, assume_unique=True)
    interest, managers, leveraged = (view.values[np.searchsorted(view.days, days)] for view in views)
    return Positions(code, days, interest, managers, leveraged)
