"""Bars within the day: Yahoo and broker files with offsets, and month files in New York time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from desktop.market.quotes import Bars, DayArray, FloatArray, IntArray, Interval
from desktop.market.sessions import NYSE, TABLE_FIRST, new_york
from desktop.sources.files.daily import calendar_of, clean_volume
from desktop.sources.files.fields import numbers
from desktop.sources.files.levels import check_level
from desktop.sources.files.result import Parsed, Request, examples
from desktop.sources.files.rows import PRICES, Mask, flat, one_a_time, outside
from desktop.sources.files.symbols import resolve
from desktop.sources.files.text import TIME_COLUMNS, Table

_CASH_INDICES = ("^NDX", "^RUT", "^SPX", "^IXIC", "^DJI")
"""They are published from the opening to the close of the cash session and at no other time."""

_EXTENDED_S = 4 * 3600, 20 * 3600
"""Shares trade from 04:00 to 20:00 New York; seconds since midnight."""

_MOST_OUTSIDE = 0.2
_LEAST_COVERED = 0.75
"""The times must be in another zone when a fifth of the bars lie outside the trading day; or outside the cash
session, while most cash sessions are not covered to three quarters (09:30 New York called 09:30 UTC)."""

_SAME_BAR = 2e-4
"""Two recordings of one bar differ by 0.1 bp (median), two different bars of one day by 6 bp and more."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Bars of one symbol.

    `start_s` in seconds since 1970 UTC; `prices` of shape (4, bars): open, high, low, close.
    """

    start_s: IntArray
    prices: FloatArray
    volume: FloatArray

    def take(self, which: Mask | NDArray[np.intp]) -> _Columns:
        """Only these bars."""
        return _Columns(self.start_s[which], self.prices[:, which], self.volume[which])


def is_month_file(table: Table) -> bool:
    """symbol, dt and four prices: times are New York's, without saying so."""
    return {"symbol", "dt", *PRICES} <= {*table.keys}


def is_intraday(table: Table) -> bool:
    """Open, high, low, close beside times that are not all midnight."""
    if not ({*PRICES} <= {*table.keys} and table.keys[0] in TIME_COLUMNS):
        return False
    texts = table.column(0)[:400]
    return any(len(text) > 10 and (at := _parse(text)) is not None and at.time() != time(0) for text in texts)


def parse_month_file(request: Request, table: Table) -> Parsed:
    """Month files of one symbol in naive New York time; rows stamped in UTC among them are rejected."""
    column = table.keys.index("symbol")
    names = sorted({row[column] for row in table.rows})
    if len(names) != 1:
        raise request.refuse(f"it holds {len(names)} symbols", "import a file of one symbol")
    order = [table.keys.index("dt"), *(i for i, key in enumerate(table.keys) if key not in ("dt", "symbol"))]
    keyed = Table(
        tuple("volume" if table.keys[i] == "vol" else table.header[i] for i in order),
        [[row[i] for i in order] for row in table.rows],
        ragged=table.ragged,
    )
    return _parse_bars(request, keyed, names[0], naive_new_york=True)


def parse_intraday(request: Request, table: Table) -> Parsed:
    """Bars with an offset at each time; offsets may differ from row to row."""
    if table.tickers:
        if len({*table.tickers[1:]}) > 1:
            raise request.refuse("it holds intraday bars of several symbols", "download one symbol a file")
        return _parse_bars(request, replace(table, tickers=()), table.tickers[1])
    return _parse_bars(request, table, None)


def _parse(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _parse_bars(request: Request, table: Table, content: str | None, *, naive_new_york: bool = False) -> Parsed:
    symbol = resolve(request, content)
    parsed = Parsed.begin("intraday bars", table.ragged)
    parsed.symbols.append(symbol)
    start_s, good = _starts(request, parsed, table.column(0), naive_new_york=naive_new_york)
    index = {key: i for i, key in enumerate(table.keys)}
    volume = numbers(table.column(index["volume"])) if "volume" in index else np.zeros(len(start_s))
    bars = _Columns(start_s, np.stack([numbers(table.column(index[name])) for name in PRICES]), volume).take(good)
    bars = bars.take(np.argsort(bars.start_s, kind="stable"))
    step = _interval(request, bars.start_s)
    parsed.kind = f"intraday bars {step.value}"
    bars = bars.take(_without_live(request, parsed, bars, step))
    bars = bars.take(_sound(parsed, bars))
    bars = bars.take(one_a_time(parsed.rejected, bars.start_s, bars.prices.T, _labels))
    if naive_new_york:
        bars = bars.take(_without_utc_copies(parsed, bars))
    bars = bars.take(_in_session(request, parsed, symbol, bars, step, regular_only=naive_new_york))
    if len(bars.start_s):
        bars = bars.take(_on_level(request, parsed, symbol, bars))
    if not len(bars.start_s):
        raise parsed.nothing_left(request)
    open_, high, low, close = bars.prices
    parsed.bars.append(Bars(symbol, step, bars.start_s, open_, high, low, close, clean_volume(bars.volume)))
    parsed.rows = len(bars.start_s)
    parsed.reaches(_days(bars.start_s))
    _note_holes(parsed, symbol, bars.start_s, step)
    return parsed


def _starts(request: Request, parsed: Parsed, texts: list[str], *, naive_new_york: bool) -> tuple[IntArray, Mask]:
    """Start of each bar in UTC seconds, and which rows have one."""
    found = [_parse(text) for text in texts]
    naive = [at is not None and at.tzinfo is None for at in found]
    if any(naive) and not naive_new_york:
        bad = texts[naive.index(True)]
        raise request.refuse(
            f"its times have no zone (for example {bad!r}): New York or UTC cannot be told apart",
            "export it with offsets such as 2024-07-11 09:30:00-04:00",
        )
    unreadable = [text or "blank" for text, at in zip(texts, found, strict=True) if at is None]
    if len(unreadable) * 2 > len(texts):
        raise request.refuse(
            f"its first column does not hold times (for example {unreadable[0]!r})", "check the file"
        )
    parsed.rejected.add("with an unreadable time", unreadable)
    starts = np.zeros(len(texts), dtype=np.int64)
    good = np.zeros(len(texts), dtype=np.bool_)
    twofold: list[str] = []
    for row, at in enumerate(found):
        if at is None:
            continue
        if at.tzinfo is None:
            local = at.replace(tzinfo=new_york)
            if local.utcoffset() != local.replace(fold=1).utcoffset():
                twofold.append(texts[row])
                continue
            at = local
        starts[row] = int(at.timestamp())
        good[row] = True
    parsed.rejected.add("at an hour that the clock change makes ambiguous or skips", twofold)
    early = good & (starts < int(datetime(TABLE_FIRST.year, 1, 2, tzinfo=UTC).timestamp()))
    parsed.rejected.add(f"before {TABLE_FIRST.year}", _labels(starts[early]))
    return starts, good & ~early


def _labels(starts: Iterable[np.int64]) -> list[str]:
    return [f"{datetime.fromtimestamp(int(at), new_york):%Y-%m-%d %H:%M}" for at in starts]


def _interval(request: Request, starts: IntArray) -> Interval:
    """Length of the bars: the most frequent distance between two starts."""
    if len(starts) < 2:
        raise request.refuse("one bar does not tell how long it is", "import a file with more bars")
    steps, counts = np.unique(np.diff(starts), return_counts=True)
    usual = int(steps[steps > 0][counts[steps > 0].argmax()]) if (steps > 0).any() else 0
    for interval in Interval:
        if interval.seconds == usual and interval is not Interval.DAY:
            return interval
    if usual == Interval.DAY.seconds:
        raise request.refuse("its daily bars carry a time of day", "write plain dates such as 2024-07-11")
    raise request.refuse(f"its bars are {usual} s apart", "import bars of 1, 5, 15 or 60 minutes, or of a day")


def _without_live(request: Request, parsed: Parsed, bars: _Columns, step: Interval) -> Mask:
    """Without bars that had not ended: in the future, between two bars, or the flat last one of a download."""
    keep = np.ones(len(bars.start_s), dtype=np.bool_)

    def drop(reason: str, which: Mask) -> None:
        parsed.rejected.add(reason, _labels(bars.start_s[which & keep]))
        keep[which] = False

    drop("that end in the future", bars.start_s + step.seconds > int(request.now.timestamp()))
    residues, counts = np.unique(bars.start_s % step.seconds, return_counts=True)
    drop("that start between two bars (a live quote)", bars.start_s % step.seconds != residues[counts.argmax()])
    last = np.zeros(len(keep), dtype=np.bool_)
    if keep.any():
        final = int(np.flatnonzero(keep)[-1])
        last[final] = bars.volume[final] == 0 and flat(bars.prices)[final]
    drop("that was still open (one price for all four, no volume, at the end)", last)
    return keep


def _sound(parsed: Parsed, bars: _Columns) -> Mask:
    """Bars with four prices above zero that do not contradict each other; a wrong bar within a day is left out."""
    missing = np.isnan(bars.prices).any(axis=0)
    unreadable = np.isinf(bars.prices).any(axis=0) & ~missing
    zero = (bars.prices <= 0).any(axis=0) & ~missing & ~unreadable
    odd = outside(bars.prices[0], bars.prices) | outside(bars.prices[3], bars.prices)
    odd &= ~(missing | unreadable | zero)
    for reason, which in (
        ("without a price", missing),
        ("with a price that is no number", unreadable),
        ("with a price of zero or less", zero),
        ("whose open or close lies outside its high and low", odd),
    ):
        parsed.rejected.add(reason, _labels(bars.start_s[which]))
    good: Mask = ~(missing | unreadable | zero | odd)
    return good


def _without_utc_copies(parsed: Parsed, bars: _Columns) -> Mask:
    """Without recorded real-time bars that a month file repeats hours later, stamped in UTC.

    Such a file says 16:00 for the bar of 11:00 in winter and of 12:00 in summer. On a day whose bars from
    (09:30 + offset) on repeat those of `offset` earlier, all of them are copies.
    """
    keep = np.ones(len(bars.start_s), dtype=np.bool_)
    where = {int(at): i for i, at in enumerate(bars.start_s)}
    local = [datetime.fromtimestamp(int(at), new_york) for at in bars.start_s]
    by_day: dict[tuple[date, bool], list[tuple[int, int]]] = {}
    for i, at in enumerate(local):
        offset = at.utcoffset()
        earlier = None if offset is None else where.get(int(bars.start_s[i] + offset.total_seconds()))
        if earlier is not None:
            by_day.setdefault((at.date(), at.time() >= time(16)), []).append((i, earlier))
    copies: list[int] = []
    for pairs in by_day.values():
        these, those = np.array(pairs).T
        apart = np.abs(np.log(bars.prices[3, these] / bars.prices[3, those]))
        if float(np.median(apart)) < _SAME_BAR:
            copies.extend(these.tolist())
    keep[copies] = False
    parsed.rejected.add("that repeat an earlier bar, stamped in UTC", _labels(bars.start_s[~keep]))
    return keep


@dataclass(frozen=True, slots=True)
class _Sessions:
    """Cash sessions of the days that bars lie on, in seconds since 1970 UTC; 0 on a day without a session.

    `of` gives each bar its day.
    """

    days: DayArray
    of: NDArray[np.intp]
    opens_s: IntArray
    closes_s: IntArray

    def regular(self, starts: IntArray) -> Mask:
        """Return which bars start within the session."""
        return (starts >= self.opens_s[self.of]) & (starts < self.closes_s[self.of])

    def coverage(self, starts: IntArray, step: Interval) -> tuple[IntArray, IntArray]:
        """Bars that each session has, and should have."""
        there = np.bincount(self.of[self.regular(starts)], minlength=len(self.days))
        return there, (self.closes_s - self.opens_s) // step.seconds


def _sessions(starts: IntArray) -> _Sessions:
    days, of = np.unique(_days(starts), return_inverse=True)
    opens, closes = np.zeros((2, len(days)), dtype=np.int64)
    for i, day in enumerate(days.tolist()):
        if session := NYSE.session(day):
            opens[i], closes[i] = int(session.open.timestamp()), int(session.close.timestamp())
    return _Sessions(days, of, opens, closes)


def _in_session(
    request: Request, parsed: Parsed, symbol: str, bars: _Columns, step: Interval, *, regular_only: bool
) -> Mask:
    """Bars within the trading day of `symbol`: the cash session for indices, 04:00-20:00 for shares."""
    starts = bars.start_s
    if calendar_of(symbol) is not NYSE or not len(starts):
        return np.ones(len(starts), dtype=np.bool_)
    sessions = _sessions(starts)
    off_day = sessions.closes_s[sessions.of] == 0
    regular = sessions.regular(starts)
    good = regular
    if not regular_only and symbol not in _CASH_INDICES:
        clock_s = _clock_s(starts)
        good = ~off_day & (clock_s >= _EXTENDED_S[0]) & (clock_s < _EXTENDED_S[1])
    there, expected = (counts[:-1] for counts in sessions.coverage(starts, step))  # the last day may be unfinished
    thin = there < _LEAST_COVERED * expected
    displaced = (~regular).mean() > _MOST_OUTSIDE and thin.sum() * 2 > len(thin)
    if (~good).mean() > _MOST_OUTSIDE or displaced:
        at = _labels(starts[~good if not good.all() else ~regular])[0]
        raise request.refuse(
            f"most of its bars do not lie in the trading day of {symbol} (for example {at} New York):"
            " its times are in another zone than they say",
            "export it with the right offsets",
        )
    parsed.rejected.add("on a day when the exchange was closed", _labels(starts[off_day]))
    parsed.rejected.add("outside the trading day", _labels(starts[~good & ~off_day]))
    return good


def _offsets_s(starts: IntArray) -> IntArray:
    """New York's offset to UTC at each start. It changes at night, so one look-up a UTC day is enough."""
    utc_days, of = np.unique(starts // 86_400, return_inverse=True)
    noon = [datetime.fromtimestamp(day * 86_400 + 43_200, new_york) for day in utc_days.tolist()]
    offsets = np.array([int((at.utcoffset() or timedelta()).total_seconds()) for at in noon], dtype=np.int64)
    return offsets[of]


def _clock_s(starts: IntArray) -> IntArray:
    """Seconds since midnight in New York."""
    return (starts + _offsets_s(starts)) % 86_400


def _days(starts: IntArray) -> DayArray:
    """New York date of each start."""
    return (starts + _offsets_s(starts)).astype("datetime64[s]").astype("datetime64[D]")


def _on_level(request: Request, parsed: Parsed, symbol: str, bars: _Columns) -> Mask:
    """Bars near the level of `symbol`; the last one of each day must be near its published close."""
    days = _days(bars.start_s)
    last = np.append(days[1:] != days[:-1], True)
    return check_level(request, symbol, days, bars.prices[3], parsed.rejected, closing=last)


def _note_holes(parsed: Parsed, symbol: str, starts: IntArray, step: Interval) -> None:
    """Name the sessions with missing bars: nothing may be computed across a hole."""
    if calendar_of(symbol) is not NYSE:
        return
    sessions = _sessions(starts)
    there, expected = sessions.coverage(starts, step)
    holes = [f"{sessions.days[i]} {there[i]} of {expected[i]}" for i in np.flatnonzero(there < expected).tolist()]
    if holes:
        parsed.notes.append(f"days with missing bars: {len(holes)} ({examples(holes)})")
