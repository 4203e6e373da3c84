"""What `doctor` finds of the files that are kept: store and book, their copies, and what was damaged.

Each is read whole, and nothing is made, migrated or mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.findings import Finding, Level, Part
from desktop.kept_file import KeptFile, made_on
from desktop.market.clock import SystemClock
from desktop.market.database import StoreCorruptError, StoreError, StoreForeignError, check_mark

if TYPE_CHECKING:
    from desktop.market.store import Store, SymbolInfo

_FILL = "it fills with `refresh`, with `import FILE`, or when the window is open"


def store(folder: Path) -> Part:
    """The store of market data, and what is in it."""
    from desktop.market.store import SCHEMA_VERSION, Store
    from desktop.store_file import STORE

    looked = _looked_at(STORE, "store", folder, SCHEMA_VERSION)
    if looked.absent and not looked.data["copies"]:
        return [Finding("store", f"{looked.path} is not there yet", Level.WARN, _FILL)], looked.data
    if looked.schema != SCHEMA_VERSION:
        return looked.findings, looked.data
    with Store(looked.path, read_only=True) as opened:
        symbols, panels, published = opened.symbols(), opened.panels(), _published(opened)
    data = looked.data | {
        "symbols": [
            {
                "symbol": one.symbol,
                "interval": one.interval.value,
                "rows": one.rows,
                "first": one.first.isoformat(),
                "last": one.last.isoformat(),
                "source": one.source,
            }
            for one in symbols
        ],
        "universes": [
            {"name": one.name, "names": one.n_tickers, "first": str(one.first), "last": str(one.last)}
            for one in panels
        ],
    }
    bars = Finding("bars", f"{sum(one.rows for one in symbols):,}")
    universes = [
        Finding(f"universe {one.name}", f"{one.n_tickers} names, {one.first} to {one.last}") for one in panels
    ]
    return [*looked.findings, bars, *_history(symbols), *universes, *published], data


def book(folder: Path) -> Part:
    """The book of what the user made."""
    from desktop.book import Book
    from desktop.book_file import BOOK

    looked = _looked_at(BOOK, "book", folder, len(Book.migrations))
    if looked.absent and not looked.data["copies"]:
        return [Finding("book", f"{looked.path} is not there yet: the first window makes it")], looked.data
    return looked.findings, looked.data


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a kept file was found to be; `schema` is 0 where it cannot be used."""

    path: Path
    findings: list[Finding]
    data: dict[str, Any]
    schema: int = 0
    absent: bool = False


def _looked_at(kept: KeptFile[Any], what: str, folder: Path, newest: int) -> _Looked:
    path, copies, damaged = folder / kept.name, kept.copies(folder), kept.damaged(folder)
    data: dict[str, Any] = {
        "path": str(path),
        "copies": [{"name": one.name, "day": str(made_on(one)), "bytes": one.stat().st_size} for one in copies],
        "damaged": [{"name": one.name, "bytes": one.stat().st_size} for one in damaged],
    }
    beside = _beside(kept, folder, copies, damaged)

    def instead() -> str:
        best = next((one for one in copies if kept.unusable(one) is None), None)
        return "begins a new one" if best is None else f"opens the copy of {made_on(best)}"

    if not path.exists():
        gone = Finding(what, f"{path} is gone", Level.WARN, f"open the window: it {instead()}")
        return _Looked(path, [gone, *beside], data, absent=True)
    parts = [path.with_name(path.name + part) for part in ("", "-wal", "-shm")]
    data["bytes"] = sum(one.stat().st_size for one in parts if one.exists())
    told = f"{path} ({size(data['bytes'])}"
    try:
        with kept.kind(path, read_only=True) as opened:
            data["schema"] = schema = opened.schema
            opened.check()
    except StoreError as error:
        if not isinstance(error, StoreCorruptError) or isinstance(error, StoreForeignError):
            cure = error.cure
        elif kept.always_checked or check_mark(path).exists():
            cure = f"open the window anew: it keeps this file aside and {instead()}"
        else:  # a window need not come to the damage
            cure = f"move this file away while no window is open: the next one {instead()}"
        return _Looked(path, [Finding(what, f"{told}): {error.cause}", Level.FAIL, cure), *beside], data)
    older = "" if schema == newest else f" of {newest}, brought up to date when the window opens"
    findings = [Finding(what, f"{told}, schema {schema}{older}), every page can be read")]
    if check_mark(path).exists():
        cure = "open the window anew: it looks once more, and takes the mark away where all is well"
        findings.append(Finding("mark", f"{check_mark(path).name}: damage was met before", Level.WARN, cure))
    return _Looked(path, [*findings, *beside], data, schema)


def _beside(kept: KeptFile[Any], folder: Path, copies: Sequence[Path], damaged: Sequence[Path]) -> list[Finding]:
    """The copies, of which the newest is read whole, and the damaged files that were kept aside."""
    if copies:
        days = f"{copies[0].name} of {made_on(copies[0])}"
        days += f" and {len(copies) - 1} older, back to {made_on(copies[-1])}" if len(copies) > 1 else ""
        findings = [Finding("copies", days)]
        if error := kept.unusable(copies[0]):
            told = f"{days}; the newest cannot be used: {error.cause}"
            spoilt = isinstance(error, StoreCorruptError)
            cure = f"delete {copies[0].name}: it would be passed over" if spoilt else error.cure
            findings = [Finding("copies", told, Level.WARN, cure)]
    else:
        findings = [Finding("copies", "none yet")]
    if damaged:
        names = ", ".join(f"{one.name} ({size(one.stat().st_size)})" for one in damaged)
        cure = f"delete it once nothing is missed: a copy or a new {kept.called} took its place"
        findings.append(Finding("kept aside", f"{names} in {folder}", Level.WARN, cure))
    return findings


def _history(symbols: Sequence[SymbolInfo]) -> list[Finding]:
    """One line for each instrument the product knows, one for all other names together."""
    from desktop.market.instruments import INSTRUMENTS

    def known(one: SymbolInfo) -> bool:
        return one.symbol.removesuffix(":adj") in INSTRUMENTS

    findings = [
        Finding(f"{one.symbol} {one.interval.value}", f"{one.rows:,} rows, {_reach(one)}, {one.source}")
        for one in symbols
        if known(one)
    ]
    if others := [one for one in symbols if not known(one)]:
        first, last = min(one.first for one in others), max(one.last for one in others)
        total = sum(one.rows for one in others)
        findings.append(
            Finding(f"{len(others)} more series", f"{total:,} rows, {first:%Y-%m-%d} to {last:%Y-%m-%d}")
        )
    if missing := [leg for leg in ("^RUT", "^NDX") if not any(f.what == f"{leg} 1d" for f in findings)]:
        findings.append(Finding("history", f"none of {' and '.join(missing)}", Level.WARN, _FILL))
    return findings


def _published(store: Store) -> list[Finding]:
    """When each official publisher was last asked with success; they are not probed, their files are large."""
    from desktop import desk

    findings = []
    for publisher in desk.official(store, SystemClock()):
        held = [store.publication(publisher.name, dataset.name) for dataset in publisher.datasets]
        checked = [one.checked_at for one in held if one is not None]
        count = f"{len(checked)} of {len(held)} datasets"
        told = f"{count}, last checked {max(checked):%Y-%m-%d %H:%M} UTC" if checked else "never fetched"
        findings.append(Finding(publisher.name, told))
    return findings


def _reach(one: SymbolInfo) -> str:
    form = "%Y-%m-%d" if one.interval.value == "1d" else "%Y-%m-%d %H:%M"
    return f"{one.first:{form}} to {one.last:{form}}"


def size(count: int) -> str:
    """So many bytes in words."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
