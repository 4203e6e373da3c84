"""Is this the level of the instrument? A comparison with published closes (`resources/levels.csv`).

A QQQ price sold as an NDX level, a file in cents, the Composite sold as the Nasdaq-100: each is a whole file
of the wrong thing, and each shows against some eighty published closes of both indices.
"""

from __future__ import annotations

import csv
from functools import cache

import numpy as np

from desktop.market.quotes import DayArray, FloatArray
from desktop.sources.files.result import Rejections, Request
from desktop.sources.files.rows import Mask
from desktop.sources.files.symbols import root_of
from resources import path as resource

LOWEST, HIGHEST = 0.6, 1.67
"""What a price may be of the level interpolated between published closes. Real closes of 1987-2026 reach .73 and
1.51: the market wanders between the dates of the table."""

_DRIFT_A_YEAR = 1.35
"""Past the last published close the allowed factor widens by this a year."""

_MOST_OFF = 0.05
"""Share of rows off the level above which the whole file is taken for something else."""

_SAME_DAY = 0.02
"""On days of the table an index must be the index: vendors differ by 2.4 % at worst, by nothing on most days."""

_ENOUGH_DAYS = 3
_OTHER_INDEX = 0.001
_RIGHT_ONE = "import the right file, or name the right symbol with --symbol"

_ADJUSTED_BELOW = 0.96
"""An unadjusted IWM is .98-1.01 of RUT / 10, an unadjusted QQQ .973-1.003 of NDX / 40, on every day of the table.
Dividend adjustment lowers the past: below this, the first days of a file are adjusted."""

_SCALES = {
    "^NDX": ("ndx", 1.0),
    "^RUT": ("rut", 1.0),
    "QQQ": ("ndx", 1 / 40),
    "IWM": ("rut", 1 / 10),
    "NQ": ("ndx", 1.0),
    "MNQ": ("ndx", 1.0),
    "RTY": ("rut", 1.0),
    "M2K": ("rut", 1.0),
}
"""Symbol or root of a future: whose level it follows, and by what factor."""

_BOUNDS = {
    "^SPX": (30.0, 50_000.0),
    "^IXIC": (50.0, 200_000.0),
    "^VIX": (5.0, 150.0),
    "^VIX3M": (5.0, 150.0),
    "^VXN": (5.0, 150.0),
    "^RVX": (5.0, 200.0),
    "^COR1M": (0.5, 100.0),
    "^DSPX": (3.0, 150.0),
    "^VIXEQ": (5.0, 200.0),
    "ZQ": (75.0, 101.0),
}
"""Plain bounds where no published closes are at hand; wide, to catch a wrong instrument and not a bad day."""

_SUSPECTS = (
    ("^NDX", 1 / 40.7, "a QQQ price is not an NDX level"),
    ("^RUT", 1 / 10, "an IWM price is not a RUT level"),
    ("QQQ", 40.7, "an NDX level is not a QQQ price"),
    ("IWM", 10.0, "a RUT level is not an IWM price"),
    ("^RUT", 2.4853, "this is the Russell 2000 on FRED's base of 1978, not in RUT points"),
    ("", 2.0, "prices before a split of 2 for 1 are not adjusted for it"),
    ("", 100.0, "the values are a hundred times too large"),
    ("", 1 / 100, "the values are a hundred times too small"),
    ("", 1000.0, "the values are a thousand times too large"),
    ("", 1 / 1000, "the values are a thousand times too small"),
)
"""Symbol (blank: any), how many times its level the prices are, and what that means."""


@cache
def _published() -> tuple[DayArray, dict[str, FloatArray]]:
    lines = resource("levels.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    days = np.array([row["date"] for row in rows], dtype="datetime64[D]")
    return days, {leg: np.array([float(row[leg]) for row in rows]) for leg in ("ndx", "rut")}


def _scale(symbol: str) -> tuple[str, float] | None:
    plain = symbol.removesuffix(":adj")
    return _SCALES.get(root_of(plain) or plain)


def factors(symbol: str, days: DayArray, close: FloatArray) -> FloatArray | None:
    """Close over the level interpolated (in logarithms) between published closes.

    NaN before the first published close; None when the symbol follows neither index.
    """
    scale = _scale(symbol)
    if scale is None:
        return None
    known, levels = _published()
    leg, factor = scale
    logs = np.interp(days.astype(np.int64), known.astype(np.int64), np.log(levels[leg]))
    result: FloatArray = np.where(days >= known[0], close / (np.exp(logs) * factor), np.nan)
    return result


def check_level(
    request: Request,
    symbol: str,
    days: DayArray,
    close: FloatArray,
    rejected: Rejections,
    *,
    closing: Mask | None = None,
) -> Mask:
    """Return which prices may be of `symbol`; refuse the file when it holds something else.

    Single prices off the level are bad prints and rejected; above 5 % of them the file is refused. `closing`
    tells which prices end a day, where not all do: only those are compared with published closes.
    """
    ratio = factors(symbol, days, close)
    at_close = slice(None) if closing is None else closing
    if ratio is None:
        _check_other(request, symbol, days[at_close], close[at_close])
        return _check_bounds(request, symbol, days, close, rejected)
    years = np.maximum((days - _published()[0][-1]).astype(np.float64), 0.0) / 365.25
    width = _DRIFT_A_YEAR**years
    good: Mask = np.isnan(ratio) | ((ratio >= LOWEST / width) & (ratio <= HIGHEST * width))
    if (~good).sum() > _MOST_OFF * len(good):
        worst = float(np.median(ratio[~good]))
        middle = int(np.flatnonzero(~good)[(~good).sum() // 2])
        raise request.refuse(
            f"{_suspect(symbol, worst)}: {close[middle]:,.2f} on {days[middle]} is {worst:.3g} times what {symbol}"
            " was near",
            _RIGHT_ONE,
        )
    _check_other(request, symbol, days[at_close], close[at_close])
    if symbol.endswith(":adj"):  # adjustment lowers the far past: only the file as a whole is judged
        return np.ones(len(good), dtype=np.bool_)
    rejected.add(f"far off the published level of {symbol}", days[~good])
    return good


def _suspect(symbol: str, ratio: float) -> str:
    for whose, factor, cause in _SUSPECTS:
        if 0.8 < ratio / factor < 1.25 and whose in ("", symbol):
            return cause
    return f"these are not prices of {symbol}"


def _check_other(request: Request, symbol: str, days: DayArray, close: FloatArray) -> None:
    """Refuse closes of an index that differ from its published ones, or that are those of another instrument."""
    shared = np.isin(days, _published()[0])
    if shared.sum() < _ENOUGH_DAYS:
        return

    def off(one: str) -> float:
        ratio = factors(one, days[shared], close[shared])
        return np.inf if ratio is None else abs(float(np.median(ratio)) - 1)

    if symbol in ("^NDX", "^RUT") and off(symbol) > _SAME_DAY:
        raise request.refuse(
            f"on {shared.sum()} days with a published close of {symbol} its values are {off(symbol):.1%} away from"
            " it: it is another index",
            _RIGHT_ONE,
        )
    other = next((one for one in ("^NDX", "^RUT") if _scale(symbol) is None and off(one) < _OTHER_INDEX), None)
    if other:
        raise request.refuse(f"its values are the published closes of {other}, not of {symbol}", _RIGHT_ONE)


def _check_bounds(request: Request, symbol: str, days: DayArray, close: FloatArray, rejected: Rejections) -> Mask:
    bounds = bounds_of(symbol)
    good = (close >= bounds[0]) & (close <= bounds[1])
    if (~good).sum() > _MOST_OFF * len(good):
        raise request.refuse(
            f"these are not values of {symbol}: {close[~good][0]:,.2f} on {days[~good][0]} lies outside"
            f" {bounds[0]:,g} to {bounds[1]:,g}",
            _RIGHT_ONE,
        )
    rejected.add(f"outside {bounds[0]:,g} to {bounds[1]:,g}", days[~good])
    return good


def bounds_of(symbol: str) -> tuple[float, float]:
    """Lowest and highest value that a symbol may have, as far as a bound is known."""
    return _BOUNDS.get(root_of(symbol) or symbol, (0.0, float("inf")))


def looks_adjusted(symbol: str, days: DayArray, close: FloatArray) -> bool:
    """Whether prices of IWM or QQQ are dividend-adjusted: their past is less of the index than it was."""
    if symbol not in ("IWM", "QQQ"):
        return False
    ratio = factors(symbol, days, close)
    if ratio is None:
        return False
    early = ratio[np.isin(days, _published()[0])][:5]
    return len(early) > 0 and float(np.median(early)) < _ADJUSTED_BELOW
