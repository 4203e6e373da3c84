"""Daily prices in every shape: Yahoo, brokers, Cboe, wide tables of closes, futures contracts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from desktop.market.quotes import Bars, Closes, DayArray, FloatArray, Interval
from desktop.market.sessions import CME, NYSE, Calendar
from desktop.market.store import Priority
from desktop.sources.files.fields import numbers, read_days
from desktop.sources.files.levels import check_level, looks_adjusted
from desktop.sources.files.result import Parsed, Rejections, Request, examples
from desktop.sources.files.rows import PRICES, ROUNDING, Mask, flat, on_sessions, one_a_time, outside
from desktop.sources.files.symbols import (
    CBOE_NAMES,
    canonical,
    contract_parts,
    contract_symbol,
    known,
    no_symbol_here,
    resolve,
    root_of,
)
from desktop.sources.files.text import TIME_COLUMNS, Table

_JUMP = float(np.log(1.25))
"""No equity index has moved by a quarter in a day (the worst: -15 % NDX, -20 % S&P, both on 1987-10-19)."""

_EQUITY = ("^NDX", "^RUT", "^SPX", "^IXIC", "^DJI", "RU2000PR", "QQQ", "IWM")
_RATE_FUTURES = ("ZQ",)
"""They also trade on some days off of the equity futures, whose calendar is the one at hand: on Good Friday
2023-04-07, with the jobs report, 52,386 contracts of ZQK23."""

_NO_OPENS = 0.5
"""Share of days on which the open repeats the close before, above which a year has no published opens."""


@dataclass(frozen=True, slots=True)
class Daily:
    """Columns of one symbol; NaN is a missing cell, infinity an unreadable one.

    `prices` has shape (4, days): open, high, low, close. `adjusted` is the column Adj Close, where there is one.
    """

    days: DayArray
    prices: FloatArray
    volume: FloatArray
    adjusted: FloatArray | None = None

    def take(self, which: Mask | NDArray[np.intp]) -> Daily:
        """Only these rows."""
        adjusted = None if self.adjusted is None else self.adjusted[which]
        return Daily(self.days[which], self.prices[:, which], self.volume[which], adjusted)

    @property
    def close(self) -> FloatArray:
        """Closes, shape (days,)."""
        close: FloatArray = self.prices[3]
        return close


def calendar_of(symbol: str) -> Calendar | None:
    """Sessions that prices of `symbol` belong to; None for what trades elsewhere (BTC-USD, ORSTED.CO)."""
    if root_of(symbol):
        return CME
    return None if re.search(r"[.\-=]", symbol.removesuffix(":adj")) else NYSE


# What the shapes are


def is_ohlc(table: Table) -> bool:
    """Open, high, low and close beside a date or time."""
    return {*PRICES} <= {*table.keys} and table.keys[0] in TIME_COLUMNS


def is_long(table: Table) -> bool:
    """Prices of many symbols below each other."""
    return {"date", "symbol", *PRICES} <= {*table.keys}


def is_cboe(table: Table) -> bool:
    """Cboe's own download: DATE,OPEN,HIGH,LOW,CLOSE or DATE,{index}, month first."""
    rest = table.header[1:]
    return (
        table.header[0] == "DATE"
        and "/" in table.rows[0][0]
        and (rest == ("OPEN", "HIGH", "LOW", "CLOSE") or (len(rest) == 1 and rest[0] in CBOE_NAMES))
    )


def is_close_table(table: Table) -> bool:
    """A date and closes of indices, ETFs or futures contracts, one a column; volumes may stand among them."""
    names = [name for name in table.header[1:] if not _is_volume(name)]
    contracts = [name for name in names if contract_parts(name)]
    named = [name for name in names if known(name)]
    return table.keys[0] in TIME_COLUMNS and bool(names) and (contracts == names or len(named) * 2 > len(names))


def is_close_only(table: Table) -> bool:
    """A date and closes of one instrument."""
    names = {*table.keys[1:]} - {"volume"}
    return table.keys[0] in TIME_COLUMNS and bool(names) and names <= {"close", "adj close", "adj_close"}


def _is_volume(name: str) -> bool:
    return name.lower().endswith("volume")


# Parsers


def parse_ohlc(request: Request, table: Table) -> Parsed:
    """Yahoo CSV with one or three header lines, and broker CSV, of daily bars."""
    parsed = Parsed.begin("daily bars", table.ragged)
    if table.tickers or "adj close" in table.keys:
        parsed.kind = "Yahoo daily bars"
    if {"barcount", "average"} <= {*table.keys}:
        parsed.kind = "futures contract, daily bars"
    tickers = list(dict.fromkeys(table.tickers[1:])) or [""]
    if len(tickers) > 1:
        no_symbol_here(request, f"the file holds {', '.join(tickers)}")
    for ticker in tickers:
        wanted = [i for i in range(1, len(table.header)) if not table.tickers or table.tickers[i] == ticker]
        columns = {table.keys[i]: i for i in wanted}
        absent = [name for name in PRICES if name not in columns]
        if absent:
            raise request.refuse(
                f"it has no column {absent[0]!r} for {ticker or 'the prices'}", "download it again"
            )
        daily = _add_ohlc(request, parsed, table, columns, resolve(request, ticker or None))
        _note_opens(parsed, daily)
    return _finished(request, parsed)


def parse_cboe(request: Request, table: Table) -> Parsed:
    """Cboe index history, MM/DD/YYYY, with four prices or the close alone."""
    parsed = Parsed.begin("Cboe index history", table.ragged)
    if len(table.header) == 5:
        columns = {name: i for i, name in enumerate(table.keys) if i}
        daily = _add_ohlc(request, parsed, table, columns, resolve(request, None), month_first=True)
        _note_opens(parsed, daily)
    else:
        symbol = resolve(request, table.header[1])
        days, good = read_days(request, table.column(0), parsed.rejected, month_first=True)
        add_closes(request, parsed, days[good], {symbol: numbers(table.column(1))[good]})
    return _finished(request, parsed)


def parse_long(request: Request, table: Table) -> Parsed:
    """Daily bars of several contracts or symbols, one row a symbol and day."""
    no_symbol_here(request, "the file names its symbols row by row")
    parsed = Parsed.begin("daily bars of several symbols", table.ragged)
    column = table.keys.index("symbol")
    columns = {name: i for i, name in enumerate(table.keys) if i != column and name not in TIME_COLUMNS}
    for code, rows in groupby(sorted(table.rows, key=lambda row: row[column]), key=lambda row: row[column]):
        symbol = canonical(code)
        if symbol is None:
            raise request.refuse(f"it names a symbol that is none ({code[:40]!r})", "correct the symbol column")
        _add_ohlc(request, parsed, replace(table, rows=list(rows)), columns, symbol)
    return _finished(request, parsed)


def parse_close_only(request: Request, table: Table) -> Parsed:
    """A date and a close: of prices, or of adjusted prices alone."""
    parsed = Parsed.begin("daily closes", table.ragged)
    tickers = list(dict.fromkeys(table.tickers[1:]))
    if len(tickers) > 1:
        raise request.refuse(f"it holds more than closes of {', '.join(tickers)}", "save their closes alone")
    symbol = resolve(request, tickers[0] if tickers else None)
    days, good = read_days(request, table.column(0), parsed.rejected)
    columns: dict[str, FloatArray] = {}
    for index, key in enumerate(table.keys):
        if key in ("close", "adj close", "adj_close"):
            plain = key == "close" or symbol.endswith(":adj")
            columns[symbol if plain else f"{symbol}:adj"] = numbers(table.column(index))[good]
    add_closes(request, parsed, days[good], columns)
    return _finished(request, parsed)


def parse_close_table(request: Request, table: Table) -> Parsed:
    """Closes of several indices, ETFs or contracts side by side; columns that are none of these are left out."""
    no_symbol_here(request, "the file names a symbol in each column")
    names = {i: name for i, name in enumerate(table.header) if i and not _is_volume(name)}
    symbols = {i: symbol for i, name in names.items() if (symbol := known(name))}
    if all(contract_parts(name) for name in names.values()):
        _check_roots(request, list(names.values()))
        parsed = Parsed.begin("settlements by contract", table.ragged)
    elif sum(name.upper() in CBOE_NAMES for name in names.values()) * 2 > len(names):
        parsed = Parsed.begin("Cboe volatility table", table.ragged)
    else:
        parsed = Parsed.begin("index closes", table.ragged)
    twice = next((symbol for symbol in symbols.values() if [*symbols.values()].count(symbol) > 1), None)
    if twice:
        both = [table.header[i] for i, symbol in symbols.items() if symbol == twice]
        raise request.refuse(f"its columns {' and '.join(both)} are both {twice}", "keep one of them")
    days, good = read_days(request, table.column(0), parsed.rejected)
    add_closes(
        request, parsed, days[good], {symbol: numbers(table.column(i))[good] for i, symbol in symbols.items()}
    )
    if len(names) < len(table.header) - 1:
        parsed.notes.append("its volumes are not taken")
    if other := [name for i, name in names.items() if i not in symbols]:
        parsed.notes.append(f"not taken, no published index: {examples(other)}")
    return _finished(request, parsed)


def _check_roots(request: Request, codes: list[str]) -> None:
    """Refuse contracts of a future that is not known, whatever the name of the file says they are."""
    unknown = [parts[0] for code in codes if (parts := contract_parts(code)) and contract_symbol(code) is None]
    if not unknown:
        return
    words = (word.upper() for word in re.split(r"[^A-Za-z0-9]+", request.path.stem))
    claimed = next((word for word in words if contract_symbol(f"{word}Z26")), None)
    cause = f"its contracts ({', '.join(codes[:2])}) have the root {unknown[0]}, which is no future known here"
    if claimed:
        cause += f": they are not {claimed}, as the file name says"
    raise request.refuse(cause, "get the settlements of the right root (RTY, NQ, ZQ, ...)")


def _finished(request: Request, parsed: Parsed) -> Parsed:
    if alone := parsed.closes_alone:
        parsed.notes.append(
            f"{len(alone):,} rows without an open, high and low that fit are kept as closes ({examples(alone)})"
        )
    if parsed.settlement_marks:
        parsed.notes.append(
            f"{parsed.settlement_marks:,} of {parsed.rows:,} rows are settlement marks without a trade"
        )
    if not parsed.rows:
        raise parsed.nothing_left(request)
    return parsed


# What they share


def _add_ohlc(
    request: Request,
    parsed: Parsed,
    table: Table,
    columns: dict[str, int],
    symbol: str,
    *,
    month_first: bool = False,
) -> Daily:
    """Check and add the bars of one symbol; returns the rows that were taken."""
    days, good = read_days(request, table.column(0), parsed.rejected, month_first=month_first)

    def column(*names: str) -> FloatArray | None:
        return next((numbers(table.column(columns[name])) for name in names if name in columns), None)

    volume = column("volume", "vol")
    daily = Daily(
        days,
        np.stack([numbers(table.column(columns[name])) for name in PRICES]),
        np.zeros(len(days)) if volume is None else volume,
        column("adj close", "adj_close", "adjusted close"),
    )
    daily = daily.take(good)
    daily = daily.take(np.argsort(daily.days, kind="stable"))
    daily = daily.take(_on_sessions(request, parsed, symbol, daily.days, daily.close[:, None]))
    daily = daily.take(_good_closes(parsed.rejected, daily.days, daily.close))
    unlikely = outside(daily.close, daily.prices) & (root_of(symbol) is None)  # a settlement may lie there
    parsed.rejected.add("whose close lies outside its high and low", daily.days[unlikely])
    daily = daily.take(~unlikely)
    daily = daily.take(one_a_time(parsed.rejected, daily.days, daily.prices.T))
    if not len(daily.days):
        return daily
    if not symbol.endswith(":adj") and (
        looks_adjusted(symbol, daily.days, daily.close) or _named_adjusted(request, daily)
    ):
        symbol = _as_adjusted(parsed, symbol)
        daily = replace(daily, adjusted=None)
    daily = daily.take(check_level(request, symbol, daily.days, daily.close, parsed.rejected))
    daily = daily.take(_without_spikes(parsed, parsed.rejected, symbol, daily.days, daily.close))
    _store_daily(parsed, symbol, daily)
    return daily


def add_closes(request: Request, parsed: Parsed, days: DayArray, columns: dict[str, FloatArray]) -> None:
    """Check and add closes of one or more symbols that share their days.

    A row counts as taken when at least one of its closes is. In a table of several symbols a bad cell costs that
    cell and is noted; a row is rejected only as a whole.
    """
    order = np.argsort(days, kind="stable")
    days = days[order]
    values = np.stack([close[order] for close in columns.values()], axis=1)
    blank = np.isnan(values).all(axis=1)
    parsed.rejected.add("without a value", days[blank])
    days, values = days[~blank], values[~blank]
    keep = _on_sessions(request, parsed, next(iter(columns)), days, values)
    days, values = days[keep], values[keep]
    keep = one_a_time(parsed.rejected, days, values)
    days, values = days[keep], values[keep]
    cells = parsed.rejected if len(columns) == 1 else Rejections()
    taken = np.zeros(len(days), dtype=np.bool_)
    for symbol, close in zip(columns, values.T, strict=True):
        there = ~np.isnan(close)
        got = _add_column(request, parsed, symbol, days[there], close[there], cells)
        taken |= np.isin(days, got)
    if cells is not parsed.rejected:
        parsed.notes += [f"cells left out: {text}" for text in cells.texts()]
        parsed.rejected.add("without a usable value", days[~taken])
    parsed.rows = int(taken.sum())


def _add_column(
    request: Request, parsed: Parsed, symbol: str, days: DayArray, close: FloatArray, rejected: Rejections
) -> DayArray:
    keep = _good_closes(rejected, days, close, "" if rejected is parsed.rejected else f" of {symbol}")
    days, close = days[keep], close[keep]
    if not len(days):
        return days
    if looks_adjusted(symbol, days, close):
        symbol = _as_adjusted(parsed, symbol)
    keep = check_level(request, symbol, days, close, rejected)
    days, close = days[keep], close[keep]
    keep = _without_spikes(parsed, rejected, symbol, days, close)
    closes = Closes(symbol, days[keep], close[keep])
    if symbol.endswith(":adj"):
        parsed.adjusted.append(closes)
    else:
        parsed.closes.append((closes, Priority.CLOSE_ONLY_FILE))
    parsed.symbols.append(symbol)
    parsed.reaches(closes.days)
    return closes.days


def _as_adjusted(parsed: Parsed, symbol: str) -> str:
    symbol = f"{symbol}:adj"
    parsed.notes.append(
        f"all its prices are dividend-adjusted: stored as closes {symbol}, apart from traded prices"
    )
    return symbol


def _named_adjusted(request: Request, daily: Daily) -> bool:
    """Second choice, where the values do not tell: a file of one close only that calls itself adjusted."""
    return daily.adjusted is None and bool(
        {"adj", "adjusted", "adjclose"} & {*re.split(r"[^a-z]+", request.path.name.lower())}
    )


def _store_daily(parsed: Parsed, symbol: str, daily: Daily) -> None:
    """Hand the clean rows over: whole bars as bars, the others as closes."""
    parsed.symbols.append(symbol)
    parsed.rows += len(daily.days)
    parsed.reaches(daily.days)
    if symbol.endswith(":adj"):
        parsed.adjusted.append(Closes(symbol, daily.days, daily.close))
        return
    sound = (np.isfinite(daily.prices) & (daily.prices > 0)).all(axis=0)
    whole = sound & ~outside(daily.prices[0], daily.prices) & ~outside(daily.close, daily.prices)
    if not whole.all():
        # A clamped open would be an invented one. The close is what other sources confirm (all 47 such rows of
        # VIX_History agree with Cboe's wide table), so it alone is kept.
        rest = daily.take(~whole)
        parsed.closes.append((Closes(symbol, rest.days, rest.close), Priority.FILE))
        parsed.closes_alone += [str(day) for day in rest.days]
    if whole.any():
        bars = daily.take(whole)
        start = bars.days.astype("datetime64[s]").astype(np.int64)
        open_, high, low, close = bars.prices
        volume = clean_volume(bars.volume)
        parsed.bars.append(Bars(symbol, Interval.DAY, start, open_, high, low, close, volume))
    if root_of(symbol):
        untraded = whole & (daily.volume == 0) & flat(daily.prices)
        parsed.settlement_marks += int(untraded.sum())
    if daily.adjusted is not None:
        usable = np.isfinite(daily.adjusted) & (daily.adjusted > 0)
        if (np.abs(daily.adjusted[usable] / daily.close[usable] - 1) > ROUNDING).any():
            parsed.adjusted.append(Closes(f"{symbol}:adj", daily.days[usable], daily.adjusted[usable]))
            parsed.notes.append(f"its Adj Close is stored as {symbol}:adj")


def clean_volume(volume: FloatArray) -> FloatArray:
    """Volume as the store keeps it: 0 where none is given."""
    return np.where(np.isfinite(volume) & (volume >= 0), volume, 0.0)


def _on_sessions(request: Request, parsed: Parsed, symbol: str, days: DayArray, values: FloatArray) -> Mask:
    """Return which rows (in order of days) lie on a session of `symbol` that has closed."""
    calendar = calendar_of(symbol)
    if calendar is None:
        return np.ones(len(days), dtype=np.bool_)
    return on_sessions(
        parsed.rejected,
        days,
        values,
        calendar,
        request.now,
        trades_on_days_off=root_of(symbol) in _RATE_FUTURES,
    )


def _good_closes(rejected: Rejections, days: DayArray, close: FloatArray, of: str = "") -> Mask:
    """Return which closes are numbers above zero."""
    missing, unreadable = np.isnan(close), np.isinf(close)
    zero = np.isfinite(close) & (close <= 0)
    rejected.add(f"without a close{of}", days[missing])
    rejected.add(f"with a close{of} that is no number", days[unreadable])
    rejected.add(f"with a close{of} of zero or less", days[zero])
    good: Mask = ~(missing | unreadable | zero)
    return good


def _without_spikes(parsed: Parsed, rejected: Rejections, symbol: str, days: DayArray, close: FloatArray) -> Mask:
    """Return which closes stay: a lone move of a quarter that is gone the next day is a bad print, not a market.

    Only for what cannot move so: equity indices, their ETFs and futures. A move that lasts is kept and noted.
    """
    keep = np.ones(len(days), dtype=np.bool_)
    plain = symbol.removesuffix(":adj")
    if plain not in _EQUITY and not root_of(plain):
        return keep
    logs = np.log(close)
    step = np.abs(np.diff(logs)) > _JUMP
    keep[1:-1] = ~(step[:-1] & step[1:] & (np.abs(logs[2:] - logs[:-2]) <= _JUMP))
    rejected.add(f"of {symbol} with a move of more than 25 % that was gone the next day", days[~keep])
    lasting = np.abs(np.diff(logs[keep])) > _JUMP
    if lasting.any():
        labels = [str(day) for day in days[keep][1:][lasting]]
        parsed.notes.append(f"check: {symbol} moves by more than 25 % in a day ({examples(labels)})")
    return keep


def _note_opens(parsed: Parsed, daily: Daily) -> None:
    """Say until when most opens repeat the close before, or all four prices are one: no gaps to rank there."""
    if len(daily.days) < 2 or parsed.settlement_marks:
        return
    years = daily.days.astype("datetime64[Y]")
    with np.errstate(invalid="ignore"):
        repeats = np.append(False, np.abs(daily.prices[0, 1:] / daily.close[:-1] - 1) < 1e-4)
    one_price = flat(daily.prices)
    for what, hits in (
        ("opens repeat the close before", repeats),
        ("days have one price for all four", one_price),
    ):
        full = [year for year in np.unique(years) if hits[years == year].mean() > _NO_OPENS]
        if full and len(full) < len(np.unique(years)):
            parsed.notes.append(f"most {what} until {full[-1]}")
