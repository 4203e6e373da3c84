"""The market of the demo: history until 10 July 2024 and the CPI day that follows, all simulated from one seed.

Published closes (resources/levels.csv, resources/demo-levels.csv) are met exactly; what lies between is drawn. The
day itself passes through a dozen given points of both legs, second by second.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from desktop.market.instruments import INSTRUMENTS, QUARTERLY_MONTHS, Kind, Leg, third_friday
from desktop.market.quotes import Bars, Closes, DayArray, FloatArray, IntArray, Interval, Panel, day_start_s
from desktop.market.sessions import NYSE, Session, new_york
from desktop.market.universe import BUILT_IN, Group, universe
from desktop.sources import demo_paths as paths
from resources import path as resource

DAY = date(2024, 7, 11)
FIRST_DAY = date(1987, 9, 10)
CASH_SESSIONS = 65
"""Sessions before the day with five-minute bars of both indices: what a time-of-day cone asks for."""
MINUTE_SESSIONS = 2
"""Sessions before the day with one-minute bars of every instrument."""
PANEL_DAYS = 757

RUT_OPEN, NDX_OPEN = 2081.70, 20661.41
"""Published opens of the day; its closes stand in levels.csv."""
_LARGEST_BEFORE_DRIFT = 5.5
"""No spread (pp) between open and 15:50 is larger than the one of 14:00."""
_DRIFT_STARTS = time(15, 50)

_POINTS: tuple[tuple[str, float, float], ...] = (
    # New York, NDX in % and RUT less NDX in pp, from the prior close; open and close are the published ones
    ("04:00:00", 0.02, 0.03),
    ("08:30:00", 0.05, 0.05),
    ("08:30:01", 0.25, 0.65),
    ("08:30:10", 0.38, 0.87),
    ("08:31:00", 0.32, 1.08),
    ("08:45:00", 0.15, 1.15),
    ("09:10:00", 0.02, 1.40),
    ("09:35:00", 0.05, 1.90),
    ("10:00:00", -0.30, 2.60),
    ("10:30:00", -0.95, 3.70),
    ("11:00:00", -1.40, 4.40),
    ("11:30:00", -1.75, 4.80),
    ("12:15:00", -1.95, 4.95),
    ("13:00:00", -1.90, 5.00),
    ("13:30:00", -2.05, 5.30),
    ("14:00:00", -2.30, 5.50),
    ("14:45:00", -2.00, 5.25),
    ("15:20:00", -1.95, 5.20),
    ("15:50:00", -2.05, 5.40),
)
_VIX_POINTS: tuple[tuple[str, float], ...] = (
    # New York, VIX less its prior close
    ("08:30:00", 0.05),
    ("08:31:00", -0.45),
    ("09:30:00", -0.20),
    ("10:30:00", 0.10),
    ("12:15:00", 0.42),
    ("14:00:00", 0.30),
    ("15:50:00", 0.12),
)

_PAST_STEP_S, _DAY_STEP_S = 60, 1
_IWM_PER_RUT, _QQQ_PER_NDX = 0.0991, 0.024327
_ETF_SINCE = {"IWM": date(2000, 5, 26), "QQQ": date(1999, 3, 10)}
_FUTURE_SINCE = {"RTY=F": date(2021, 7, 12), "NQ=F": date(2021, 7, 12)}
_DIVIDEND_YIELD = {"IWM": 0.013, "QQQ": 0.006}
_CARRY = {"RTY=F": 0.040, "NQ=F": 0.046}
"""Yearly financing less dividends: a future's basis shrinks to nothing at expiry."""
_SECOND_SD_PCT = 0.0048
"""Standard deviation of a leg's move in a second at noon: .8 % a session with its busy edges."""
_NIGHT_VARIANCE = 0.06
"""Variance of a second without cash trading, in units of one at noon."""
_FEARS = (("^VIX", 0.16, (9.1, 83.0)), ("^VIX3M", 0.10, (11.0, 73.0)), ("^COR1M", 0.20, (3.8, 97.0)))
"""Standard deviation of the logarithm around the published closes, and what it has never left."""


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Every price of one symbol at equal steps, and the stretches (UTC seconds) in which it trades."""

    symbol: str
    start_s: int
    step_s: int
    price: FloatArray
    hours: tuple[tuple[int, int], ...]

    def at(self, second: int) -> float:
        """Price at a UTC second of the tape."""
        return float(self.price[(second - self.start_s) // self.step_s])

    def last_trade_s(self, second: int) -> int | None:
        """Latest UTC second at or before `second` at which it traded; None before its first."""
        traded = [min(second, closes) for opens, closes in self.hours if opens <= second]
        return max(traded) if traded else None

    def bars(self, interval: Interval) -> tuple[IntArray, FloatArray]:
        """Starts, shape (n,), and open, high, low, close, shape (n, 4), of the bars within its hours.

        The close of a bar is the price at the second it ends.
        """
        starts = np.concatenate([np.arange(opens, closes, interval.seconds) for opens, closes in self.hours])
        reach = np.arange(interval.seconds // self.step_s + 1)
        inside = self.price[((starts - self.start_s) // self.step_s)[:, None] + reach]
        return starts, np.stack((inside[:, 0], inside.max(axis=1), inside.min(axis=1), inside[:, -1]), axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class DemoMarket:
    """Everything the demo knows, the future included; who shows it must cut it at the clock.

    `bars` are keyed by symbol and interval; `adjusted` are dividend-adjusted closes by ETF; `tapes` hold
    the day.
    """

    seed: int
    bars: Mapping[tuple[str, Interval], Bars]
    adjusted: Mapping[str, Closes]
    panel: Panel
    tapes: Mapping[str, Tape]
    previous_close: Mapping[str, float]


def simulate(seed: int) -> DemoMarket:
    """Draw the whole market of the demo; the same seed gives the same market."""
    of_legs, of_symbols, of_minutes, of_day, of_stocks = np.random.default_rng(seed).spawn(5)
    levels = _Levels()
    days = NYSE.days(FIRST_DAY, DAY)[:-1]
    legs = paths.daily_closes(of_legs, days, *_common(levels, days))
    daily = _Daily(of_symbols, days, legs, levels)
    sessions = [_session(day) for day in (*days[-CASH_SESSIONS:], np.datetime64(DAY))]
    past = _past_legs(of_minutes, daily, sessions[:-1])
    daily.take_ranges(past, sessions[:-1])
    ohlc = daily.every_symbol(of_symbols)
    previous = {symbol: float(prices[-1, 3]) for symbol, (_, prices) in ohlc.items()}
    tapes = _day_tapes(of_day, previous, levels, sessions[-1])
    bars = _all_bars(ohlc, _past_tapes(of_minutes, past, previous, sessions), tapes, levels, sessions[-1])
    adjusted = {symbol: _adjusted(bars[symbol, Interval.DAY]) for symbol in _ETF_SINCE}
    return DemoMarket(seed, bars, adjusted, _panel(of_stocks, days, legs), tapes, previous)


class _Levels:
    """Published closes by symbol and day."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, dict[date, float]] = {}
        for row in _rows("levels.csv"):
            for symbol, column in (("^NDX", "ndx"), ("^RUT", "rut")):
                self._add(symbol, row["date"], row[column])
        for row in _rows("demo-levels.csv"):
            self._add(row["symbol"], row["date"], row["close"])

    def _add(self, symbol: str, day: str, level: str) -> None:
        self._by_symbol.setdefault(symbol, {})[date.fromisoformat(day)] = float(level)

    def on(self, symbol: str, day: date) -> float:
        return self._by_symbol[symbol][day]

    def within(self, symbol: str, days: DayArray) -> tuple[IntArray, FloatArray]:
        """Indices in `days` and levels of the published closes among them."""
        known = sorted(day for day in self._by_symbol[symbol] if np.datetime64(day) <= days[-1])
        at = np.searchsorted(days, np.array(known, dtype="datetime64[D]"))
        return at, np.array([self._by_symbol[symbol][day] for day in known])


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = resource(name).read_text(encoding="utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


def _common(levels: _Levels, days: DayArray) -> tuple[IntArray, FloatArray, FloatArray]:
    at, ndx = levels.within("^NDX", days)
    _, rut = levels.within("^RUT", days)
    return at, ndx, rut


def _session(day: np.datetime64) -> Session:
    found = NYSE.session(date.fromisoformat(str(day)))
    assert found is not None, f"{day} comes from the calendar itself"
    return found


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _new_york_second(clock: time | str, day: date = DAY) -> int:
    local = time.fromisoformat(clock) if isinstance(clock, str) else clock
    return _second(datetime.combine(day, local, new_york))


# ---------------------------------------------------------------- daily history


class _Daily:
    """Daily open, high, low and close of every symbol until the day before."""

    def __init__(self, rng: Generator, days: DayArray, legs: paths.LegCloses, levels: _Levels) -> None:
        self.days, self._levels, self._legs = days, levels, legs
        self.ndx = paths.candles(rng, days, legs.ndx, legs.ndx_vol, gaps_since=date(2001, 1, 2))
        self.rut = paths.candles(rng, days, legs.rut, legs.rut_vol, gaps_since=date(2007, 1, 3))

    def take_ranges(self, past: _PastLegs, sessions: Sequence[Session]) -> None:
        """Replace high and low of the last sessions by those of their minutes."""
        for daily, path in ((self.ndx, past.ndx), (self.rut, past.rut)):
            edges = np.array([(past.index(one.open), past.index(one.close) + 1) for one in sessions]).ravel()
            padded = np.append(np.round(path, 2), path[-1])
            daily[-len(sessions) :, 1] = np.maximum.reduceat(padded, edges)[::2]
            daily[-len(sessions) :, 2] = np.minimum.reduceat(padded, edges)[::2]

    def every_symbol(self, rng: Generator) -> dict[str, tuple[DayArray, FloatArray]]:
        """Days and prices, shape (days, 4), by symbol."""
        days, legs = self.days, self._legs
        found = {"^NDX": (days, self.ndx), "^RUT": (days, self.rut)}
        step_n, step_u = np.diff(np.log(legs.ndx)), np.diff(np.log(legs.rut))
        spx = paths.index_through(rng, *self._levels.within("^SPX", days), 0.35 * step_n + 0.40 * step_u, 0.03)
        found["^SPX"] = days, paths.candles(rng, days, spx, 0.35 * legs.ndx_vol + 0.40 * legs.rut_vol)
        market = step_n / legs.ndx_vol[1:] + step_u / legs.rut_vol[1:]
        market /= market.std()
        for symbol, size, bounds in _FEARS:
            at, pins = self._levels.within(symbol, days)
            since = days[at[0] :]
            fear = np.clip(paths.fear_through(rng, at - at[0], pins, market[at[0] :], size), *bounds)
            found[symbol] = since, paths.candles(rng, since, fear, np.full(len(since), 0.8))
        for symbol, first in (*_ETF_SINCE.items(), *_FUTURE_SINCE.items()):
            begin = int(np.searchsorted(days, np.datetime64(first)))
            since, index = days[begin:], (self.rut if _leg(symbol) is Leg.RUT else self.ndx)[begin:]
            found[symbol] = since, _to_tick(symbol, index * _per_index_point(symbol, since)[:, None])
        return found


def _leg(symbol: str) -> Leg:
    leg = INSTRUMENTS[symbol].leg
    assert leg is not None, f"{symbol} stands for a leg"
    return leg


def _to_tick(symbol: str, prices: FloatArray) -> FloatArray:
    tick = INSTRUMENTS[symbol].tick
    rounded: FloatArray = np.round(np.round(prices / tick) * tick, 2)
    return rounded


def _per_index_point(symbol: str, days: DayArray) -> FloatArray:
    """Price of an ETF or a future per point of its index, by day."""
    if symbol in _ETF_SINCE:
        return np.full(len(days), _IWM_PER_RUT if symbol == "IWM" else _QQQ_PER_NDX)
    years = range(_FUTURE_SINCE[symbol].year, DAY.year + 2)
    expiries = np.array([third_friday(y, m) for y in years for m in QUARTERLY_MONTHS], dtype="datetime64[D]")
    front = expiries[np.searchsorted(expiries, days + 4, side="right")]
    basis: FloatArray = 1 + _CARRY[symbol] * (front - days).astype(np.float64) / 365
    return basis


def _adjusted(bars: Bars) -> Closes:
    """Closes less the dividends paid since, as a vendor adjusts them."""
    years = (bars.days[-1] - bars.days).astype(np.float64) / 365.25
    close = np.round(bars.close * np.exp(-_DIVIDEND_YIELD[bars.symbol] * years), 4)
    return Closes(f"{bars.symbol}:adj", bars.days, close)


def _panel(rng: Generator, days: DayArray, legs: paths.LegCloses) -> Panel:
    names = universe().names
    since = days[-PANEL_DAYS:]
    steps = {
        Leg.NDX: np.diff(np.log(legs.ndx[-PANEL_DAYS:])),
        Leg.RUT: np.diff(np.log(legs.rut[-PANEL_DAYS:])),
    }
    of_rut = np.array([one.group is Group.RUT for one in names])
    own_vol = np.where(of_rut, 0.36, 0.27) * rng.uniform(0.8, 1.2, len(names))
    driver = np.where(of_rut, steps[Leg.RUT][:, None], steps[Leg.NDX][:, None])
    close = paths.stock_closes(rng, driver, own_vol, rng.uniform(0.6, 1.3, len(names)))
    return Panel(BUILT_IN, universe().tickers, since, close, universe().compiled)


# ---------------------------------------------------------------- the last sessions, around the clock


@dataclass(frozen=True, slots=True, eq=False)
class _PastLegs:
    """Both indices at steps of a minute, nights included (there futures and ETFs follow them)."""

    start_s: int
    ndx: FloatArray
    rut: FloatArray

    def index(self, at: datetime) -> int:
        return (_second(at) - self.start_s) // _PAST_STEP_S


def _past_legs(rng: Generator, daily: _Daily, sessions: Sequence[Session]) -> _PastLegs:
    """Paths through open and close of each session, from the first open to the last close."""
    start_s = _second(sessions[0].open)
    opens, closes = (np.array([_second(getattr(one, edge)) for one in sessions]) for edge in ("open", "close"))
    at = np.stack((opens, closes), axis=1).ravel() - start_s
    seconds = np.arange(0, at[-1], _PAST_STEP_S)
    which = np.searchsorted(opens - start_s, seconds, side="right") - 1
    since_open, length = seconds - (opens - start_s)[which], (closes - opens)[which]
    variance = np.where(since_open < length, paths.session_variance(since_open / 60, length / 60), _NIGHT_VARIANCE)
    scale = _SECOND_SD_PCT / 100 * np.sqrt(variance * _PAST_STEP_S)
    first, second = rng.standard_normal((2, len(seconds)))
    both = []
    for prices, noise in ((daily.ndx, first), (daily.rut, 0.6 * first + 0.8 * second)):
        pins = np.log(prices[-len(sessions) :][:, (0, 3)]).ravel()
        both.append(np.exp(paths.through(at // _PAST_STEP_S, pins, scale * noise, variance)))
    return _PastLegs(start_s, both[0], both[1])


def _past_tapes(
    rng: Generator, past: _PastLegs, previous: Mapping[str, float], sessions: Sequence[Session]
) -> list[Tape]:
    """Tapes until the close before the day: indices of all sessions, the other instruments of the last two."""
    before = sessions[:-1]
    tapes = []
    for symbol in ("^NDX", "^RUT", "QQQ", "IWM", "NQ=F", "RTY=F"):
        index = past.ndx if _leg(symbol) is Leg.NDX else past.rut
        price = index * (previous[symbol] / index[-1])
        hours = tuple((_second(one.open), _second(one.close)) for one in before)
        if INSTRUMENTS[symbol].kind is not Kind.INDEX:
            price = price * (1 + _tracking(rng, len(price), _PAST_STEP_S) / 100)
            hours = tuple(_trading_hours(symbol, before[-MINUTE_SESSIONS - 1 :]))
        tapes.append(Tape(symbol, past.start_s, _PAST_STEP_S, _to_tick(symbol, price), hours))
    return tapes


def _tracking(rng: Generator, steps: int, step_s: int) -> FloatArray:
    """Distance in % of an ETF or a future from its fair value: about a basis point; 0 at both ends."""
    minutes = np.arange(0, steps * step_s + 60, 60)
    wobble = 0.012 * paths.reverting(rng, len(minutes), 20.0)
    wobble[0] = 0.0
    found: FloatArray = np.interp(np.arange(steps) * step_s, minutes, wobble)
    found[-1] = 0.0
    return found


def _trading_hours(symbol: str, sessions: Sequence[Session]) -> Iterator[tuple[int, int]]:
    """Hours in which it trades, from the close of the first session to that of the last."""
    for before, after in pairwise(sessions):
        closed, closes = _second(before.close), _second(after.close)
        if INSTRUMENTS[symbol].kind is Kind.FUTURE:
            yield closed, _new_york_second("17:00", before.day)
            yield _new_york_second("18:00", before.day), closes
        else:
            yield closed, _new_york_second("20:00", before.day)
            yield _new_york_second("04:00", after.day), closes


# ---------------------------------------------------------------- the day


def _day_tapes(
    rng: Generator, previous: Mapping[str, float], levels: _Levels, session: Session
) -> dict[str, Tape]:
    """One price a second from the close before the day until five minutes after its own."""
    before = NYSE.previous(DAY)
    start_s, opens, closes = (_second(at) for at in (before.close, session.open, session.close))
    end_s = closes + 300
    ndx, rut = _day_legs(rng, levels, start_s, opens, closes, end_s)
    cash = ((start_s, start_s), (opens, closes))
    tapes = {}
    for symbol in ("^NDX", "^RUT", "QQQ", "IWM", "NQ=F", "RTY=F"):
        move = ndx if _leg(symbol) is Leg.NDX else rut
        hours: tuple[tuple[int, int], ...] = cash
        if INSTRUMENTS[symbol].kind is not Kind.INDEX:
            move = move + _tracking(rng, len(move), _DAY_STEP_S)
            hours = tuple(_trading_hours(symbol, (before, session)))
            hours = (*hours[:-1], (hours[-1][0], end_s))
        price = _to_tick(symbol, previous[symbol] * (1 + move / 100))
        tapes[symbol] = Tape(symbol, start_s, _DAY_STEP_S, price, hours)
    tapes["^SPX"] = Tape("^SPX", start_s, _DAY_STEP_S, _spx(previous, levels, ndx, rut), cash)
    for symbol, share in (("^VIX", 1.0), ("^VIX3M", 0.5)):
        drawn = _vix(rng, previous[symbol], levels.on(symbol, DAY), share, start_s, closes, end_s)
        disseminated = ((start_s, start_s + 900), (_new_york_second("03:15"), end_s))
        tapes[symbol] = Tape(symbol, start_s, _DAY_STEP_S, drawn, disseminated)
    return tapes


def _change_pct(level: float, previous: float) -> float:
    return (level / previous - 1) * 100


def _day_legs(
    rng: Generator, levels: _Levels, start_s: int, opens: int, closes: int, end_s: int
) -> tuple[FloatArray, FloatArray]:
    """Move of both legs from the prior close in %, a value a second."""
    before = NYSE.previous(DAY).day
    open_n, close_n = (
        _change_pct(level, levels.on("^NDX", before)) for level in (NDX_OPEN, levels.on("^NDX", DAY))
    )
    open_u, close_u = (
        _change_pct(level, levels.on("^RUT", before)) for level in (RUT_OPEN, levels.on("^RUT", DAY))
    )
    points = [
        (start_s, 0.0, 0.0),
        *((_new_york_second(clock), ndx, spread) for clock, ndx, spread in _POINTS),
        (opens, open_n, open_u - open_n),
        (closes, close_n, close_u - close_n),
        (end_s, close_n, close_u - close_n),
    ]
    at, ndx, spread = (np.array(column) for column in zip(*sorted(points), strict=True))
    seconds = np.arange(start_s, end_s)
    variance = np.select(
        [seconds >= closes, seconds >= opens, seconds >= _new_york_second("08:30")],
        [
            np.full(len(seconds), 0.3),
            paths.session_variance((seconds - opens) / 60, (closes - opens) / 60),
            0.8 + 4.0 * np.exp(-np.maximum(seconds - _new_york_second("08:30"), 0) / 240),
        ],
        default=_NIGHT_VARIANCE,
    )
    first, second = rng.standard_normal((2, len(seconds))) * np.sqrt(variance)
    move_n = paths.through(at - start_s, ndx, 0.0068 * first, variance)
    apart = paths.through(at - start_s, spread, 0.0055 * (0.95 * second - 0.3 * first), variance)
    begin, end = opens - start_s, _new_york_second(_DRIFT_STARTS) - start_s + 1
    apart[begin:end] = _LARGEST_BEFORE_DRIFT - np.abs(_LARGEST_BEFORE_DRIFT - apart[begin:end])
    return move_n, move_n + apart


def _spx(previous: Mapping[str, float], levels: _Levels, ndx: FloatArray, rut: FloatArray) -> FloatArray:
    """Weighted move of both legs; the smaller weight follows from the published close."""
    closing = len(ndx) - 301
    weight = (_change_pct(levels.on("^SPX", DAY), previous["^SPX"]) - 0.65 * ndx[closing]) / rut[closing]
    levels_by_second: FloatArray = np.round(previous["^SPX"] * (1 + (0.65 * ndx + weight * rut) / 100), 2)
    return levels_by_second


def _vix(
    rng: Generator, previous: float, close: float, share: float, start_s: int, closes: int, end_s: int
) -> FloatArray:
    points = [
        (start_s, previous),
        *((_new_york_second(clock), previous + share * change) for clock, change in _VIX_POINTS),
        (closes, close),
        (end_s, close),
    ]
    at, levels = (np.array(column) for column in zip(*points, strict=True))
    noise = share * 0.0012 * rng.standard_normal(end_s - start_s)
    drawn: FloatArray = np.round(paths.through(at - start_s, levels, noise), 2)
    return drawn


# ---------------------------------------------------------------- bars


def _all_bars(
    ohlc: Mapping[str, tuple[DayArray, FloatArray]],
    past: Sequence[Tape],
    tapes: Mapping[str, Tape],
    levels: _Levels,
    session: Session,
) -> dict[tuple[str, Interval], Bars]:
    """Daily, five-minute and one-minute bars, the day included."""
    found = {}
    for symbol, (days, prices) in ohlc.items():
        today = _daily_row(tapes[symbol], session) if symbol in tapes else np.full(4, levels.on(symbol, DAY))
        starts = np.append(days.astype("datetime64[s]").astype(np.int64), day_start_s(DAY))
        found[symbol, Interval.DAY] = _bars(symbol, Interval.DAY, starts, np.vstack((prices, today)))
    earlier = {tape.symbol: tape for tape in past}
    for symbol, tape in tapes.items():
        for interval in (Interval.MINUTE, Interval.FIVE_MINUTES):
            pieces = [tape.bars(interval)]
            if symbol in earlier:
                pieces.insert(0, _recent(earlier[symbol], interval).bars(interval))
            starts, prices = (np.concatenate(part) for part in zip(*pieces, strict=True))
            found[symbol, interval] = _bars(symbol, interval, starts, prices)
    return found


def _recent(tape: Tape, interval: Interval) -> Tape:
    """Same tape with the hours of its last sessions alone where minutes are asked of all sessions."""
    if interval is Interval.MINUTE and INSTRUMENTS[tape.symbol].kind is Kind.INDEX:
        return Tape(tape.symbol, tape.start_s, tape.step_s, tape.price, tape.hours[-MINUTE_SESSIONS:])
    return tape


def _daily_row(tape: Tape, session: Session) -> FloatArray:
    begin, end = (_second(at) - tape.start_s for at in (session.open, session.close))
    traded = tape.price[begin : end + 1]
    return np.array([traded[0], traded.max(), traded.min(), traded[-1]])


def _bars(symbol: str, interval: Interval, starts: IntArray, prices: FloatArray) -> Bars:
    opened, high, low, close = prices.T
    return Bars(symbol, interval, starts, opened, high, low, close, np.zeros(len(starts)))
