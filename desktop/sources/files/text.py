"""A file as a table of text: everything that can be wrong with a file before its meaning is looked at."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import IO, TypeAlias

from desktop.sources.files.result import Request

_LONGEST_LINE = 1_000_000
"""Characters. The widest real file, 2,000 stocks a row, needs about 30,000."""

_LARGEST_TEXT = 150_000_000
"""Characters after unpacking. Some 1,500,000 bars, 15 years of minutes; reading takes 15 bytes a character."""

_SIGNATURES = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"%PDF", "a PDF document"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"SQLite format 3", "a database"),
)
_GZIP = b"\x1f\x8b"
TIME_COLUMNS = ("date", "datetime", "timestamp", "time", "dt", "observation_date", "")
"""Names of the column of dates or times, lower case; pandas leaves it blank for an unnamed index."""

_AS_CSV = "save it as comma-separated text (CSV, UTF-8)"
_AGAIN = "download it again"


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows of text; every row has one cell a column.

    `tickers` is the second header line of a yfinance download, one a column, else empty. `ragged` are rows
    with too many or too few cells, by line number; they are left out.
    """

    header: tuple[str, ...]
    rows: list[list[str]]
    tickers: tuple[str, ...] = ()
    ragged: list[str] = field(default_factory=list)

    @property
    def keys(self) -> tuple[str, ...]:
        """Column names in lower case."""
        return tuple(name.lower() for name in self.header)

    def column(self, index: int) -> list[str]:
        """Cells of one column."""
        return [row[index] for row in self.rows]


def read_table(request: Request) -> Table:
    """Read the file of `request`; raise ImportRefusedError when it is no table of comma-separated text."""
    return _table(request, _rows(request))


def table_of(request: Request, text: str) -> Table:
    """Read `text`; raise ImportRefusedError when it is no table of comma-separated text."""
    return _table(request, _cells(request, StringIO(text, newline=None)))


def _table(request: Request, found: Iterator[tuple[int, list[str]]]) -> Table:
    try:
        rows = list(found)
    except UnicodeDecodeError as error:
        raise request.refuse(f"it is not UTF-8 text (byte {error.start})", _AS_CSV) from error
    except (EOFError, zlib.error) as error:
        raise request.refuse("the compressed file is cut short or damaged", _AGAIN) from error
    except gzip.BadGzipFile as error:
        raise request.refuse(f"the compressed file is damaged ({error})", _AGAIN) from error
    except csv.Error as error:
        raise request.refuse(f"it is not comma-separated text ({error})", _AS_CSV) from error
    except OSError as error:
        raise request.refuse(
            f"it cannot be read ({error.strerror or error})", "check the path and its rights"
        ) from error
    if not rows:
        raise request.refuse("the file is empty", _AGAIN)
    return _shaped(request, rows)


def _rows(request: Request) -> Iterator[tuple[int, list[str]]]:
    """Non-blank rows with their line number."""
    path = request.path
    if path.is_dir():
        raise request.refuse("this is a folder", "name the files in it")
    if not path.exists():
        raise request.refuse("there is no such file", "check the path")
    with path.open("rb") as raw:
        head = raw.read(512)
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise request.refuse(f"this is {what}, not a table of UTF-8 text", _AS_CSV)
    with _opened(path, compressed=head.startswith(_GZIP)) as handle:
        yield from _cells(request, handle)


def _cells(request: Request, handle: IO[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(request, handle), strict=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _opened(path: Path, *, compressed: bool) -> IO[str]:
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline=None)
    return path.open(encoding="utf-8-sig", newline=None)


def _lines(request: Request, handle: IO[str]) -> Iterator[str]:
    """Lines of the file, with a guard against lines and files that no history has."""
    total = 0
    first = True
    while line := handle.readline(_LONGEST_LINE + 1):
        total += len(line)
        if len(line) > _LONGEST_LINE:
            raise request.refuse("it has a line longer than any table of prices", "check the file")
        if total > _LARGEST_TEXT:
            raise request.refuse(
                f"it holds more than {_LARGEST_TEXT // 1_000_000} MB of text", "split it by years"
            )
        if "\0" in line:
            raise request.refuse("this is a binary file, not a table of text", _AS_CSV)
        if first and line.strip():
            _look_at_first(request, line.strip())
            first = False
        yield line


def _look_at_first(request: Request, line: str) -> None:
    if line[0] in "{[":
        raise request.refuse(
            "this is a JSON file, such as a recorded answer of a vendor, not a price history",
            "import the CSV of the same data",
        )
    if line[0] == "<":
        raise request.refuse("this is a web page, not a price history", "download the file itself")
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if line.count(separator) > line.count(","):
            raise request.refuse(f"its columns are separated by {name}", "save it with commas and decimal points")


_Numbered: TypeAlias = list[tuple[int, list[str]]]
"""Rows with their line number."""


def _header(request: Request, lines: _Numbered) -> tuple[list[str], tuple[str, ...], _Numbered]:
    """Split into column names, the tickers of a yfinance download (else none) and the rows below.

    yfinance writes column names, tickers and the name of the index on three lines; names and tickers change
    places with group_by="ticker".
    """
    names, rows = lines[0][1], lines[1:]
    if len(rows) < 2 or {names[0].lower(), rows[0][1][0].lower()} != {"price", "ticker"}:
        return names, (), rows
    tickers, index = rows[0][1], rows[1][1]
    if names[0].lower() == "ticker":
        names, tickers = tickers, names
    if index[0].lower() not in ("date", "datetime") or not len(names) == len(tickers) == len(index):
        raise request.refuse("its three header lines do not fit together", _AGAIN)
    if len({name.lower() for name in names[1:]}) == 1:  # closes alone: a wide table
        return [index[0], *tickers[1:]], (), rows[2:]
    return [index[0], *names[1:]], tuple(tickers), rows[2:]


def _shaped(request: Request, lines: _Numbered) -> Table:
    header, tickers, rows = _header(request, lines)
    if not rows:
        raise request.refuse("it has a header but no rows", _AGAIN)
    width = len(header)
    if width == 1:
        raise request.refuse(
            f"it has one column only ({header[0]!r}): no prices", "import a file with dates and prices"
        )
    names = [name.lower() for name in header]
    if tickers:
        names = [f"{name} of {ticker}" for name, ticker in zip(names, tickers, strict=True)]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise request.refuse(f"column {twice!r} stands there twice", "keep one column of each name")
    full = [row for _, row in rows if len(row) == width]
    ragged = [f"line {number}" for number, row in rows if len(row) != width]
    if len(ragged) > len(full):
        raise request.refuse(f"most rows do not have the {width} cells of the header", "check the file")
    return _dates_first(request, Table(tuple(header), full, tickers, ragged))


def _dates_first(request: Request, table: Table) -> Table:
    """Bring the column of dates to the front, whatever its place; a running number before it is dropped."""
    keys = table.keys
    if {"date", "time"} <= {*keys}:
        raise request.refuse("date and time stand in two columns", "join them to one, with an offset to UTC")
    named = [i for i, key in enumerate(keys) if key in TIME_COLUMNS and key]
    if not named or named[0] == 0:
        return table
    order = [named[0], *(i for i, key in enumerate(keys) if i != named[0] and key)]

    def moved(cells: Sequence[str]) -> list[str]:
        return [cells[i] for i in order]

    tickers = tuple(moved(table.tickers)) if table.tickers else ()
    return Table(tuple(moved(table.header)), [moved(row) for row in table.rows], tickers, table.ragged)
