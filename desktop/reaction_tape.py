"""Reads from the store what a reaction board and the fan of earlier reactions rest on, as known at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from desktop.analytics import rates
from desktop.analytics.divergence import MIXED, intraday_path
from desktop.analytics.rates import FedPath
from desktop.analytics.reactions import (
    FUNDS_ONCE,
    LEAD,
    REFERENCE_AGE_S,
    Basis,
    Daily,
    Path,
    Reactions,
    Trade,
    kinds_at,
    path,
    symbols_of,
)
from desktop.market.instruments import Kind
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Bars, DayArray, FloatArray, Interval
from desktop.market.releases import ReleaseKind, Schedule
from desktop.market.sessions import NYSE, Session, new_york, trading_day
from desktop.market.store import Store
from desktop.snapshot import Line
from desktop.tape import INTERVALS, some_bars

SYMBOLS = ("^RUT", "^NDX", "RTY=F", "NQ=F", "IWM", "QQQ", "^VIX")
SETTLED = timedelta(minutes=20)
"""A quote that comes later than this after its trade changes no row any more."""
_BACK = timedelta(seconds=REFERENCE_AGE_S + 300)
_LEAST = 3
"""A fan of fewer earlier releases gives way to one of another kind that has more."""
_ZQ_AGE = timedelta(minutes=20)
_MONTHS, _FRONT = 14, 2


class ReactionTape:
    """Prices around one release at a time; what can no longer change is read once. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at: datetime | None = None
        self._bars: dict[str, tuple[int, tuple[Bars, ...]]] = {}
        self._quotes: dict[tuple[str, datetime], Trade | None] = {}
        self._history: int | None = None
        self._closes: dict[tuple[str, date], float | None] = {}
        self._implied: dict[datetime, Maybe] = {}
        self._slow: tuple[object, Maybe, Maybe] | None = None

    def look(self, at: datetime) -> None:
        """Turn to the release of `at`."""
        if at != self._at:
            self._at, self._bars, self._quotes, self._implied = at, {}, {}, {}
        if self._store.history_version != self._history:
            self._history, self._closes = self._store.history_version, {}

    def last(self, symbol: str, by: datetime, moment: datetime) -> Trade | None:
        """The last trade of `symbol` at or before `by`, as known at `moment`: a quote, or the end of a bar."""
        quote = self._quote(symbol, by, moment)
        bar = self._bar(symbol, by, moment)
        found = [one for one in (quote, bar) if one is not None]
        return max(found, key=lambda one: one.at, default=None)

    def close(self, symbol: str, session: Session, moment: datetime) -> float | None:
        """The official close of `session`, None before it was made."""
        if session.close > moment:
            return None
        key = symbol, session.day
        if key not in self._closes:
            found = self._store.closes(symbol, session.day, session.day)
            self._closes[key] = float(found.close[0]) if len(found) else None
        return self._closes[key]

    def _quote(self, symbol: str, by: datetime, moment: datetime) -> Trade | None:
        settled = moment >= by + SETTLED
        if settled and (symbol, by) in self._quotes:
            return self._quotes[symbol, by]
        quote = self._store.last_quote(symbol, moment, traded_by=by)
        found = None
        if quote is not None and quote.event_time >= by - _BACK:
            found = Trade(quote.price, quote.event_time)
        if settled:
            self._quotes[symbol, by] = found
        return found

    def _bar(self, symbol: str, by: datetime, moment: datetime) -> Trade | None:
        best: Trade | None = None
        for bars in self._around(symbol):
            until = by + LEAD if by < self._released else by
            latest = int(min(until, moment).timestamp())
            row = int(np.searchsorted(bars.start_s + bars.interval.seconds, latest, side="right")) - 1
            if row < 0:
                continue
            end = datetime.fromtimestamp(int(bars.start_s[row]) + bars.interval.seconds, UTC)
            if by < self._released:  # its last trade lies in its last second at the latest
                end -= LEAD
            if best is None or end > best.at:
                best = Trade(float(bars.close[row]), end)
        return best

    @property
    def _released(self) -> datetime:
        assert self._at is not None
        return self._at

    def _around(self, symbol: str) -> tuple[Bars, ...]:
        version = self._store.bars_version(symbol)
        held = self._bars.get(symbol)
        if held is None or held[0] != version:
            end = datetime.combine(trading_day(self._released), time(20), new_york).astimezone(UTC)
            found = (self._store.bars(symbol, one, self._released - _BACK, end) for one in INTERVALS)
            held = self._bars[symbol] = version, tuple(one for one in found if len(one))
        return held[1]

    # What is known once a day

    def daily(self, moment: datetime, schedule: Schedule, gauge: Line) -> Daily:
        """Closes, the 2-year, the gauge and what futures price, all as known at `moment`."""
        day = trading_day(self._released)
        two_year, settled = self._once_a_day(day, moment, schedule)
        return Daily(
            close=lambda symbol, session: self.close(symbol, session, moment),
            two_year_bp=two_year,
            gauge_change=_day_change(gauge.days, gauge.values, day, 1.0, "no correlation"),
            implied=lambda when: self._priced(when, moment, schedule),
            implied_of_day_bp=settled,
        )

    def _once_a_day(self, day: date, moment: datetime, schedule: Schedule) -> tuple[Maybe, Maybe]:
        """Day moves of the 2-year and of what futures price: read again each minute, and not before the close."""
        session = NYSE.session(day)
        if session is None or moment < session.close:
            return Unknown(FUNDS_ONCE), Unknown("no settlement of fed funds futures of this day")
        key = self._released, self._history, int(moment.timestamp()) // 60
        if self._slow is None or self._slow[0] != key:
            view = self._store.series("DGS2", moment)
            two_year = _day_change(view.days, view.values, day, 100.0, "no 2-year yield")
            self._slow = key, two_year, self._priced_of_day(session, moment, schedule)
        return self._slow[1], self._slow[2]

    def _priced(self, when: datetime, moment: datetime, schedule: Schedule) -> Maybe:
        """Change of the rate priced by the end of the year (bp), by the quotes of fed funds futures at `when`."""
        settled = moment >= when + SETTLED
        if settled and when in self._implied:
            return self._implied[when]
        prices: dict[date, float] = {}
        for number, month in enumerate(_months(trading_day(when))):
            if number == _FRONT and not prices:
                break  # who has none of the front months has none at all
            quote = self._store.last_quote(rates.zq_symbol(month), moment, traded_by=when)
            if quote is not None and when - quote.event_time <= _ZQ_AGE:
                prices[month] = quote.price
        found = _by_year_end(prices, trading_day(when), schedule) if prices else _NO_ZQ
        if settled:
            self._implied[when] = found
        return found

    def _priced_of_day(self, session: Session, moment: datetime, schedule: Schedule) -> Maybe:
        day, found = session.day, list[float]()
        year_end = _year_end(day, schedule)
        for one in (NYSE.previous(day), session):
            prices = {
                month: close
                for month in _months(day)
                if (close := self.close(rates.zq_symbol(month), one, moment)) is not None
            }
            priced = _by_year_end(prices, day, schedule, year_end) if prices else _NO_ZQ
            if isinstance(priced, Unknown):
                return Unknown(f"{one.day}: {priced.reason}")
            found.append(priced)
        return found[1] - found[0]


_NO_ZQ = Unknown("no prices of fed funds futures at this moment")


def _months(day: date) -> list[date]:
    months, month = [], day.replace(day=1)
    for _ in range(_MONTHS):
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months


def _year_end(day: date, schedule: Schedule) -> date | None:
    """The last meeting of this year, of the next one where this year has no further."""
    ahead = [one for one in schedule.days_of(ReleaseKind.FOMC) if one > day]
    if not ahead:
        return None
    return max(one for one in ahead if one.year == ahead[0].year)


def _by_year_end(
    prices: Mapping[date, float], day: date, schedule: Schedule, meeting: date | None = None
) -> Maybe:
    last = meeting or _year_end(day, schedule)
    if last is None:
        return Unknown("no meeting of the Fed is scheduled")
    known_to = schedule.kind_known_to(ReleaseKind.FOMC)
    found = rates.fed_path(
        prices,
        [one for one in schedule.days_of(ReleaseKind.FOMC) if day < one <= date(day.year + 1, 12, 31)],
        day,
        known_to=None if isinstance(known_to, Unknown) else min(known_to, date(day.year + 1, 12, 31)),
    )
    if not isinstance(found, FedPath):
        return found
    odds = [one for one in found.meetings if one.meeting <= last]
    if not odds:
        return Unknown("no meeting of the Fed is priced")
    if isinstance(odds[-1].cumulative_bp, Unknown):
        return odds[-1].cumulative_bp
    return float(odds[-1].cumulative_bp)


def _day_change(days: DayArray, values: FloatArray, day: date, scale: float, nothing: str) -> Maybe:
    """Change to `day` from the value before, times `scale`."""
    row = int(np.searchsorted(days, np.datetime64(day, "D")))
    if row >= len(days) or days[row] != np.datetime64(day, "D"):
        late = not len(days) or days[-1] < np.datetime64(day, "D")
        return Unknown(f"{nothing} of {day}{' is known yet' if late else ''}")
    if row == 0:
        return Unknown(f"{nothing} of the day before {day}")
    return scale * float(values[row] - values[row - 1])


# Earlier reactions


Candidate = tuple[str, Basis]
"""A kind of instrument, and what its moves are measured from."""
Paths = Mapping[Candidate, tuple[Path, ...]]


def candidates(release: datetime) -> tuple[Candidate, ...]:
    """Kinds a fan may be of, best first: those of the release, then moves from the prior close."""
    kinds = [(kind, Basis.RELEASE) for kind in kinds_at(release)]
    return (*kinds, *((kind, Basis.PRIOR_CLOSE) for kind in (Kind.INDEX.value, Kind.ETF.value, MIXED)))


def earlier_paths(store: Store, release: datetime, earlier: Sequence[datetime]) -> Paths:
    """Paths of earlier releases from the stored bars, by kind and basis; slow where there are many."""
    found: dict[Candidate, tuple[Path, ...]] = {}
    for kind, basis in candidates(release):
        since = _bars_since(store, kind)
        paths = (
            reaction_path(store, one, kind, basis, release)
            for one in earlier
            if since is not None and one.timestamp() >= since - Interval.DAY.seconds
        )
        found[kind, basis] = tuple(one for one in paths if one is not None)
    return found


def _bars_since(store: Store, kind: str) -> int | None:
    """First second from which both legs of `kind` have intraday bars; None where a leg has none."""
    first = []
    for symbol in symbols_of(kind):
        starts = [
            rows[0][0]
            for one in INTERVALS
            if (rows := store.rows(_FIRST_BAR, (symbol, one.value))) and rows[0][0] is not None
        ]
        if not starts:
            return None
        first.append(min(starts))
    return int(max(first))


_FIRST_BAR = "SELECT min(start_s) FROM bars WHERE symbol = ? AND interval = ?"


def fan(store: Store, release: datetime, moment: datetime, earlier: Paths, scheduled: int) -> Reactions | Unknown:
    """The path of one release up to `moment` beside earlier ones, of one kind and basis.

    The best kind counts that at least three earlier releases have, else the one that most have: few stores hold
    futures of years ago.
    """
    best: Reactions | None = None
    for kind, basis in candidates(release):
        paths = earlier.get((kind, basis), ())
        if best is not None and (len(best.earlier) >= _LEAST or len(paths) <= len(best.earlier)):
            continue
        own = reaction_path(store, release, kind, basis, moment)
        if own is not None:
            best = Reactions(kind, basis, own, paths, scheduled)
    return best or Unknown("no minutes of both legs after this release in the store")


def reaction_path(store: Store, at: datetime, kind: str, basis: Basis, moment: datetime) -> Path | None:
    """Spread after the release of `at` from bars that had closed by `moment`; None where a leg lacks them."""
    session = NYSE.session(trading_day(at))
    if session is None:
        return None
    for interval in INTERVALS:
        legs = []
        for symbol in symbols_of(kind):
            bars = store.bars(symbol, interval, at - _BACK, session.close)
            closed = int(np.searchsorted(bars.start_s + interval.seconds, int(moment.timestamp()), side="right"))
            legs.append(some_bars(bars, 0, closed))
        if not all(len(one) for one in legs):
            continue
        found = _moves(store, at, session, legs, kind, basis, interval)
        if found is not None and len(found.minute):
            return found
    return None


def _moves(
    store: Store, at: datetime, session: Session, legs: Sequence[Bars], kind: str, basis: Basis, interval: Interval
) -> Path | None:
    references = []
    for symbol, bars in zip(symbols_of(kind), legs, strict=True):
        if basis is Basis.PRIOR_CLOSE:
            before = NYSE.previous(session.day).day
            close = store.closes(symbol, before, before)
            if not len(close):
                return None
            references.append(float(close.close[0]))
            continue
        row = int(np.searchsorted(bars.start_s + interval.seconds, int(at.timestamp()), side="right")) - 1
        if row < 0 or at.timestamp() - (bars.start_s[row] + interval.seconds) > REFERENCE_AGE_S:
            return None
        references.append(float(bars.close[row]))
    after = [some_bars(bars, int(np.searchsorted(bars.start_s, int(at.timestamp()))), len(bars)) for bars in legs]
    if not all(len(one) for one in after):
        return None
    moves = intraday_path(after[0], after[1], references[0], references[1])
    return path(at, moves.end_s.astype(np.float64), moves.spread_pp)
