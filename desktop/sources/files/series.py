"""Series with a publication time: interest rates of FRED and positions of the CFTC."""

from __future__ import annotations

import numpy as np

from desktop.market.quotes import DayArray, FloatArray
from desktop.market.store import Observation
from desktop.sources.files.daily import add_closes
from desktop.sources.files.fields import numbers, read_days
from desktop.sources.files.publication import FRED_RATES, cot_published
from desktop.sources.files.result import Parsed, Rejections, Request, examples
from desktop.sources.files.rows import Mask, one_a_time
from desktop.sources.files.symbols import FRED_VOLATILITY, INDEX_NAMES, canonical, no_symbol_here, resolve
from desktop.sources.files.text import TIME_COLUMNS, Table

_RATE_BOUNDS = -5.0, 25.0
"""Percent. The federal funds rate stood at 22.36 on 1981-07-22."""

_MOST_OFF = 0.05


def is_fred(table: Table) -> bool:
    """A date and series that FRED names, or FRED's own name for the date."""
    if table.keys[0] == "observation_date":
        return True
    names = [name.upper() for name in table.header[1:]]
    fred = {*FRED_RATES, *FRED_VOLATILITY, "NASDAQ100", "NASDAQCOM", "SP500", "DJIA", "RU2000PR"}
    return table.keys[0] in TIME_COLUMNS and bool(names) and all(name in fred for name in names)


def parse_fred(request: Request, table: Table) -> Parsed:
    """Rates become series known from their publication on; indices become daily closes."""
    parsed = Parsed.begin("FRED", table.ragged)
    names = [name.upper() for name in table.header[1:]]
    unknown = [n for n in names if n not in FRED_RATES and n not in FRED_VOLATILITY and n not in INDEX_NAMES]
    if unknown:
        raise request.refuse(
            f"when {examples(unknown)} is published is not known here, so a look back could see it too early",
            f"known rates are {', '.join(FRED_RATES)}",
        )
    rates = [name for name in names if name in FRED_RATES]
    if 0 < len(rates) < len(names):
        raise request.refuse("it mixes interest rates with indices", "download them as two files")
    if len(names) == 1 and not rates:
        resolve(request, names[0])
    else:
        no_symbol_here(request, "the file names its series")
    days, good = read_days(request, table.column(0), parsed.rejected)
    columns = {name: numbers(table.column(i))[good] for i, name in enumerate(names, start=1)}
    if rates:
        add_rates(request, parsed, days[good], columns)
    else:
        add_closes(request, parsed, days[good], {canonical(name) or name: v for name, v in columns.items()})
    if "RU2000PR" in parsed.symbols:
        parsed.notes.append("RU2000PR is on base 100 = 1978-12-31, not in RUT points: kept under its own name")
    if not parsed.rows:
        raise parsed.nothing_left(request)
    return parsed


def add_rates(request: Request, parsed: Parsed, days: DayArray, columns: dict[str, FloatArray]) -> None:
    """Add rates side by side; a row counts as taken when at least one of its values is."""
    order = np.argsort(days, kind="stable")
    days = days[order]
    values = np.stack([column[order] for column in columns.values()], axis=1)
    blank = np.isnan(values).all(axis=1)
    parsed.rejected.add("without a value", days[blank])
    days, values = days[~blank], values[~blank]
    keep = one_a_time(parsed.rejected, days, values)
    days, values = days[keep], values[keep]
    cells = Rejections()
    taken = np.zeros(len(days), dtype=np.bool_)
    for name, column in zip(columns, values.T, strict=True):
        taken |= _add_rate(request, parsed, name, days, column, cells)
    parsed.notes += [f"cells left out: {text}" for text in cells.texts()]
    parsed.rejected.add("without a usable value", days[~taken])
    parsed.rows = int(taken.sum())


def _add_rate(
    request: Request, parsed: Parsed, name: str, days: DayArray, values: FloatArray, rejected: Rejections
) -> Mask:
    """Add a rate in percent; returns the rows it was taken from."""
    low, high = _RATE_BOUNDS
    there = ~np.isnan(values)
    good: Mask = there & (values >= low) & (values <= high)
    off = there & ~good
    if off.sum() > _MOST_OFF * there.sum():
        at = int(np.flatnonzero(off)[0])
        raise request.refuse(
            f"{name} is no rate in percent: {values[at]:g} on {days[at]}",
            "import rates in percent, not basis points",
        )
    rejected.add(f"of {name} outside {low:g} to {high:g} %", days[off])
    if good.any():
        published = FRED_RATES[name]
        parsed.series[name] = [
            Observation(day, value, published(day))
            for day, value in zip(days[good].tolist(), values[good].tolist(), strict=True)
        ]
        parsed.symbols.append(name)
        parsed.reaches(days[good])
    return good


COT_CODES = {
    "209742": "NASDAQ mini",
    "20974+": "NASDAQ-100 consolidated",
    "209747": "NASDAQ micro",
    "239742": "Russell E-mini",
    "239747": "Russell micro",
    "23977A": "Russell mini at ICE, to August 2017",
}
"""Contracts that positioning is about. Names change over the years; the code does not."""

_SUMMARY_CODES = {"NQ": "209742", "RTY": "239742"}
_SUMMARY_FIELDS = ("oi", "asset_l", "asset_s", "hedge_l", "hedge_s")

_COT_FIELDS = {
    "asset_manager": ("asset_mgr_positions_long", "asset_mgr_positions_short"),
    "leveraged": ("lev_money_positions_long", "lev_money_positions_short"),
}


def is_tff(table: Table) -> bool:
    """CFTC Commitments of Traders by contract code."""
    return "cftc_contract_market_code" in table.keys


def parse_tff(request: Request, table: Table) -> Parsed:
    """Traders in Financial Futures: net positions of asset managers and leveraged funds, and open interest.

    Net is long minus short, in contracts. Fields may be padded; the zip files say `..._long_all`, the web
    service `..._long`. Each value is known from its publication on, see `cot_published`.
    """
    no_symbol_here(request, "the file names its contracts by code")
    parsed = Parsed.begin("CFTC traders in financial futures", table.ragged)

    def column(*names: str) -> int:
        for name in names:
            if name in table.keys:
                return table.keys.index(name)
        raise request.refuse(
            f"it has no column {names[0]!r}: not the report on financial futures",
            "download Traders in Financial Futures (TFF), futures only",
        )

    code = column("cftc_contract_market_code")
    day = column("report_date_as_yyyy-mm-dd", "report_date_as_yyyy_mm_dd")
    interest = column("open_interest_all", "open_interest")
    sides = {
        who: (column(f"{long}_all", long), column(f"{short}_all", short))
        for who, (long, short) in _COT_FIELDS.items()
    }
    if "futonly_or_combined" in table.keys:
        coverage = {row[table.keys.index("futonly_or_combined")].lower() for row in table.rows}
        if coverage != {"futonly"}:
            raise request.refuse(
                "it counts options too (futures and options combined): another open interest",
                "download Traders in Financial Futures (TFF), futures only",
            )
    rows = [row for row in table.rows if row[code].upper() in COT_CODES]
    other = len(table.rows) - len(rows)
    if other:
        parsed.notes.append(f"{other:,} rows of other contracts are not needed")
    if not rows:
        raise request.refuse(f"it holds none of the contracts {', '.join(COT_CODES)}", "download the full report")
    days, good = read_days(request, [row[day][:10] for row in rows], parsed.rejected)
    total = numbers([row[interest] for row in rows])
    nets = {
        who: _net(numbers([row[long] for row in rows]), numbers([row[short] for row in rows]))
        for who, (long, short) in sides.items()
    }
    codes = np.array([row[code].upper() for row in rows])
    for one in COT_CODES:
        _add_positions(parsed, one, days, good & (codes == one), total, nets)
    return _with_positions(request, parsed)


def is_cot_summary(table: Table) -> bool:
    """A date, and open interest with long and short by class of trader, for many futures side by side."""
    wanted = {f"{root.lower()}_{what}" for root in _SUMMARY_CODES for what in _SUMMARY_FIELDS}
    return table.keys[0] in TIME_COLUMNS and wanted <= {*table.keys}


def parse_cot_summary(request: Request, table: Table) -> Parsed:
    """The same positions from a wide summary; its class HEDGE is the leveraged funds."""
    no_symbol_here(request, "the file names its contracts in each column")
    parsed = Parsed.begin("CFTC summary, wide", table.ragged)
    days, good = read_days(request, table.column(0), parsed.rejected)
    for root, code in _SUMMARY_CODES.items():
        total, *sides = (
            numbers(table.column(table.keys.index(f"{root.lower()}_{what}"))) for what in _SUMMARY_FIELDS
        )
        nets = {"asset_manager": _net(sides[0], sides[1]), "leveraged": _net(sides[2], sides[3])}
        _add_positions(parsed, code, days, good, total, nets)
    parsed.rows = len({one.day for rows in parsed.series.values() for one in rows})  # a row holds every contract
    return _with_positions(request, parsed)


def _net(long: FloatArray, short: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):  # infinite where a cell is no number
        return long - short


def _with_positions(request: Request, parsed: Parsed) -> Parsed:
    if not parsed.series:
        raise parsed.nothing_left(request)
    parsed.notes.append("each report counts as known from its publication on (Friday 15:30 New York as a rule)")
    return parsed


def _add_positions(
    parsed: Parsed, code: str, days: DayArray, use: Mask, total: FloatArray, nets: dict[str, FloatArray]
) -> None:
    rows = np.flatnonzero(use)[np.argsort(days[use], kind="stable")]
    days = days[rows]
    values = np.stack([total[rows], *(net[rows] for net in nets.values())], axis=1)
    with np.errstate(invalid="ignore"):
        whole = (
            np.isfinite(values).all(axis=1) & (np.abs(values) <= values[:, :1]).all(axis=1) & (values[:, 0] > 0)
        )
    parsed.rejected.add(f"of {code} without whole positions", days[~whole])
    days, values = days[whole], values[whole]
    keep = one_a_time(parsed.rejected, days, values)
    days, values = days[keep], values[keep]
    if not len(days):
        return
    for name, column in zip(("open_interest", *(f"{who}_net" for who in nets)), values.T, strict=True):
        parsed.series[f"COT:{code}:{name}"] = [
            Observation(day, value, cot_published(day))
            for day, value in zip(days.tolist(), column.tolist(), strict=True)
        ]
    parsed.symbols.append(f"COT:{code}")
    parsed.rows += len(days)
    parsed.reaches(days)
