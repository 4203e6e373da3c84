"""From a file to the store: look at the content, choose the reader, check everything, then write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from desktop.market.quotes import BadMarketDataError, Closes
from desktop.market.store import Priority, Store
from desktop.sources.files import daily, intraday, panel, series
from desktop.sources.files.result import ImportResult, Parsed, Request, examples
from desktop.sources.files.symbols import canonical, named_by_file, stem
from desktop.sources.files.text import Table, read_table

_READERS: tuple[tuple[Callable[[Table], bool], Callable[[Request, Table], Parsed]], ...] = (
    (series.is_tff, series.parse_tff),
    (series.is_cot_summary, series.parse_cot_summary),
    (intraday.is_month_file, intraday.parse_month_file),
    (daily.is_long, daily.parse_long),
    (daily.is_cboe, daily.parse_cboe),
    (intraday.is_intraday, intraday.parse_intraday),
    (daily.is_ohlc, daily.parse_ohlc),
    (series.is_fred, series.parse_fred),
    (daily.is_close_table, daily.parse_close_table),
    (daily.is_close_only, daily.parse_close_only),
    (panel.is_panel, panel.parse_panel),
)
"""Who claims a table, the most particular first."""

_NO_PRICES: Mapping[str, str] = {
    "release_date": "a list of release dates (of planned ones, which were moved and cancelled), not prices",
    "event": "a calendar of releases, not prices",
    "holiday": "a list of holidays, not prices",
    "meeting_date": "probabilities that someone else derived, not prices",
    "fomc_date": "a printed table of probabilities, not prices",
    "implied_rate": "settlements by meeting month with rates derived from them, not a price history",
    "spread_pp": "a table of derived figures, not prices",
    "ticker": "a list of names, not prices",
}
"""A column that shows what a table is when it is none that is imported."""

_KINDS = (
    "daily or intraday open/high/low/close, closes of indices or of a panel of stocks, Cboe index history, FRED, "
    "CFTC traders in financial futures, futures settlements"
)


def import_file(
    path: Path, store: Store, *, symbol: str | None = None, now: datetime | None = None
) -> ImportResult:
    """Read a file of market data, check all of it, and add it to the store.

    The kind is told from the content; the symbol from the content, then from `symbol`, then from the name.
    Rows that cannot be right are left out and counted with their reason.

    Parameters
    ----------
    path
        CSV or CFTC text, or either compressed with gzip.
    store
        Where it goes. Rows of a better source stay.
    symbol
        Which instrument it is, where the file does not say.
    now
        UTC; nothing after it is believed. The computer's clock by default.

    Raises
    ------
    ImportRefusedError
        The file is not imported, and nothing was written. Says why and what to do.
    desktop.market.database.StoreError
        The store could not be written.
    """
    request = Request(path, None, datetime.now(UTC) if now is None else now)
    if symbol is not None:
        named = canonical(symbol)
        if named is None:
            raise request.refuse(f"--symbol {symbol!r} is no symbol", "write it like NDX, ^NDX, IWM or NQU26")
        request = replace(request, symbol=named)
    table = read_table(request)
    parse = next((parse for claims, parse in _READERS if claims(table)), None)
    if parse is None:
        raise _unknown(request, table)
    try:
        parsed = parse(request, table)
    except BadMarketDataError as error:
        raise request.refuse(f"it holds what no market can have ({error})", "check the file") from error
    names = named_by_file(stem(path.name))
    if request.symbol is not None and names and request.symbol.removesuffix(":adj") not in names:
        parsed.notes.insert(0, f"check: its name speaks of {' and '.join(names)}, --symbol of {request.symbol}")
    return _write(request, parsed, store)


def _unknown(request: Request, table: Table) -> Exception:
    for key in table.keys:
        if key in _NO_PRICES:
            return request.refuse(
                f"this is {_NO_PRICES[key]} (it has a column {key!r})", "import prices, rates or positions"
            )
    header = ",".join(table.header)
    shown = header if len(header) <= 80 else header[:80] + "…"
    return request.refuse(f"its kind cannot be told from its header ({shown!r})", f"known kinds: {_KINDS}")


def _write(request: Request, parsed: Parsed, store: Store) -> ImportResult:
    """Everything was checked; what is left can only fail with the store itself."""
    source = f"file:{request.path.name}"
    kept = 0
    with store.together():
        for bars in parsed.bars:
            kept += store.put_bars(bars, source=source, priority=Priority.FILE).kept
        for closes, priority in parsed.closes:
            kept += store.put_closes(closes, source=source, priority=priority).kept
        for closes in parsed.adjusted:
            _replace_adjusted(parsed, closes, store, source)
        for name, rows in parsed.series.items():
            store.put_series(name, rows, source=source)
        if parsed.panel is not None:
            store.put_panel(parsed.panel, source=source)
    if kept:
        parsed.notes.append(f"{kept:,} rows of a better source stay as they are")
    return ImportResult(
        path=request.path,
        kind=parsed.kind,
        symbol=_shortened(list(dict.fromkeys(parsed.symbols))),
        rows=parsed.rows,
        first=parsed.first,
        last=parsed.last,
        rejected=parsed.rejected.texts(),
        notes=tuple(dict.fromkeys(parsed.notes)),
        series=tuple(parsed.series),
        rejected_rows=parsed.rejected.total,
    )


def _shortened(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{examples(names)} ({len(names)})"


def _replace_adjusted(parsed: Parsed, closes: Closes, store: Store, source: str) -> None:
    """Take a series of adjusted closes as a whole or not at all.

    Every later dividend lowers all earlier adjusted prices, so rows of two downloads must not stand beside
    each other. A series comes in when there is none, or when it reaches later and covers every stored day.
    """
    stored = store.closes(closes.symbol)
    if len(stored):
        if np.array_equal(stored.days, closes.days) and np.array_equal(stored.close, closes.close):
            return
        if closes.days[-1] <= stored.days[-1]:
            parsed.notes.append(f"{closes.symbol} stays as it was: what is stored reaches {stored.days[-1]}")
            return
        if not np.isin(stored.days, closes.days).all():
            parsed.notes.append(
                f"{closes.symbol} stays as it was (to {stored.days[-1]}): this file lacks days of it, and two"
                " downloads of adjusted prices cannot be joined"
            )
            return
        parsed.notes.append(f"{closes.symbol} replaces the series that reached {stored.days[-1]}")
    # With a vendor's priority: a row that stayed would be one of another download.
    store.put_closes(closes, source=source, priority=Priority.VENDOR)
