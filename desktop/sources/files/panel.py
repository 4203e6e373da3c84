"""Wide tables of closes: a date and one column a ticker, which together are a universe."""

from __future__ import annotations

import re

import numpy as np

from desktop.market.quotes import DayArray, FloatArray, Panel
from desktop.market.sessions import NYSE
from desktop.market.universe import BUILT_IN
from desktop.sources.files.fields import numbers, read_days
from desktop.sources.files.result import Parsed, Request, examples
from desktop.sources.files.rows import Mask, copies_of_before, on_sessions, one_a_time
from desktop.sources.files.symbols import no_symbol_here, stem
from desktop.sources.files.text import TIME_COLUMNS, Table

_TICKER = re.compile(r"[A-Z][A-Z0-9]{0,5}([.\-/][A-Z]{1,3})?")

_WRONG_SCALE = float(np.log(1.8))
_BACK_WITHIN_SESSIONS = 15
_BACK = 0.15
"""A price that leaves by a factor of 1.8 or more and comes back within 15 sessions to within 15 % was quoted on
another scale meanwhile, as MNST three times in 2026: half the price for one to three days."""

_LASTING_GAIN = float(np.log(1.6))
_SPLICE_OVER_USUAL = 15.0
_CALM = 1.5
"""A gain of 60 % or more that stays, 15 times the name's usual daily move, is news when the name is restless after
it (INSM +118 % on 2024-05-28: next five days 2.6 times the usual move) and a spliced series when it is as calm as
before (ETN +68 % on 2019-08-15: 1.0 times)."""

_LASTING_LOSS = float(np.log(1 / 1.6))
_SPLITS = (2, 3, 4, 5, 10, 20)
_SPLIT_ROUNDING = 0.02
"""A loss that stays and is a split to within 2 % is a split; the other great losses (MTDR -64 %, APA -54 % on
2020-03-09) are real and stay."""


def is_panel(table: Table) -> bool:
    """A date and at least two columns named like tickers."""
    names = table.header[1:]
    return table.keys[0] in TIME_COLUMNS and len(names) >= 2 and all(_TICKER.fullmatch(name) for name in names)


def parse_panel(request: Request, table: Table) -> Parsed:
    """A universe named after its file; `compiled` is its last day, the latest the list of names can be from.

    Cells that cannot be right become NaN, never a filled value: a name without a price on a day has no return
    on that day and the next, so a wrong jump cannot enter a correlation.
    """
    no_symbol_here(request, f"the file holds {len(table.header) - 1} names")
    name = stem(request.path.name)
    if name == BUILT_IN:
        raise request.refuse(f"a universe named {BUILT_IN!r} ships with the program", "rename the file")
    parsed = Parsed.begin("close panel", table.ragged)
    parsed.symbols.append(f"universe {name}")
    days, good = read_days(request, table.column(0), parsed.rejected)
    close = numbers([cell for row in table.rows for cell in row[1:]]).reshape(len(days), -1)
    days, close = days[good], close[good]
    order = np.argsort(days, kind="stable")
    days, close = days[order], close[order]
    keep = on_sessions(parsed.rejected, days, close, NYSE, request.now)
    days, close = days[keep], close[keep]
    blank = np.isnan(close).all(axis=1)
    parsed.rejected.add("without a price", days[blank])
    days, close = days[~blank], close[~blank]
    keep = one_a_time(parsed.rejected, days, close)
    days, close = days[keep], close[keep]
    copies = copies_of_before(close)
    parsed.rejected.add("that copy the day before in every name", days[copies])
    days, close = days[~copies], close[~copies]
    if not len(days):
        raise parsed.nothing_left(request)
    tickers = table.header[1:]
    close = _good_cells(parsed, close)
    close = _on_one_scale(parsed, tickers, days, close)
    parsed.panel = Panel(name, tickers, days, close, days[-1].astype(object))
    parsed.rows = len(days)
    parsed.reaches(days)
    parsed.notes.insert(
        0, f"{len(tickers)} names as listed by {days[-1]}: names that left before are missing (survivorship)"
    )
    gaps = [f"{ticker} {n}" for ticker, n in zip(tickers, np.isnan(close).sum(axis=0), strict=True) if n]
    if gaps:
        parsed.notes.append(f"days without a price: {examples(gaps)}")
    return parsed


def _good_cells(parsed: Parsed, close: FloatArray) -> FloatArray:
    bad = np.isinf(close) | (close <= 0)
    if bad.any():
        parsed.notes.append(f"{int(bad.sum())} cells that are no price above zero are left empty")
    return np.where(bad, np.nan, close)


def _on_one_scale(parsed: Parsed, tickers: tuple[str, ...], days: DayArray, close: FloatArray) -> FloatArray:
    """Leave out prices on another scale, and the day of a jump that no market made; see the constants."""
    close = close.copy()
    with np.errstate(invalid="ignore"):
        steps = np.diff(np.log(close), axis=0)
        suspects = np.flatnonzero((np.abs(steps) > min(_LASTING_GAIN, _WRONG_SCALE)).any(axis=0))
    for column in suspects:
        prices = close[:, column]
        away = _away(prices)
        if away.any():
            labels = [str(day) for day in days[away]]
            parsed.notes.append(
                f"{tickers[column]}: {len(labels)} prices on another scale (split half applied) left out"
                f" ({examples(labels)})"
            )
            prices[away] = np.nan
        moves = np.append(np.nan, np.diff(np.log(prices)))
        for row in np.flatnonzero((moves > _LASTING_GAIN) | (moves < _LASTING_LOSS)):
            move = f"{tickers[column]} {np.expm1(moves[row]):+.0%} on {days[row]}"
            if _is_splice(moves, int(row)) or _is_split(float(moves[row])):
                prices[row] = np.nan
                parsed.notes.append(f"{move}: a spliced series or a split, that day is left out; check it")
            else:
                parsed.notes.append(f"{move}: kept, check it")
    return close


def _away(prices: FloatArray) -> Mask:
    """Prices between a jump and its way back."""
    away = np.zeros(len(prices), dtype=np.bool_)
    filled = np.flatnonzero(np.isfinite(prices))
    moves = np.diff(np.log(prices[filled]))
    at = 0
    while at < len(moves):
        if abs(moves[at]) < _WRONG_SCALE:
            at += 1
            continue
        ahead = range(at + 1, min(at + 1 + _BACK_WITHIN_SESSIONS, len(moves)))
        back = next(
            (i for i in ahead if abs(moves[i]) >= _WRONG_SCALE and abs(moves[i] + moves[at]) <= _BACK), None
        )
        if back is None:
            at += 1
            continue
        away[filled[at + 1 : back + 1]] = True
        at = back + 1
    return away


def _is_splice(moves: FloatArray, row: int) -> bool:
    before, after = moves[max(row - 60, 0) : row], moves[row + 1 : row + 6]
    before, after = np.abs(before[np.isfinite(before)]), np.abs(after[np.isfinite(after)])
    if moves[row] < _LASTING_GAIN or len(before) < 5 or len(after) < 3:
        return False
    usual = float(before.mean())
    return bool(moves[row] > _SPLICE_OVER_USUAL * usual and float(after.mean()) < _CALM * usual)


def _is_split(move: float) -> bool:
    return any(abs(float(np.exp(move)) * ratio - 1) <= _SPLIT_ROUNDING for ratio in _SPLITS)
