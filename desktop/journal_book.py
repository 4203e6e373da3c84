"""The journal in the book: every version of every trade, and the journal as CSV.

A change adds a version; earlier ones stay and can be read. Two windows that change the same version: the second is
told, and nothing is overwritten.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from desktop.book import Book
from desktop.market.database import StoreError
from desktop.market.known import UserError
from desktop.trade.journal import Carry, Fill, FillKind, Trade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "trade", "row", "time", "symbol", "quantity", "price", "fee_usd", "kind", "amount_usd", "note", "entry_ratio",
    "stop", "target", "picture", "month", "entry_beta",
)  # fmt: skip
_FIRST_COLUMNS = _COLUMNS[:14]
"""Of a file written before contract months were kept."""
_LARGEST_ROWS = 100_000


class TradeChangedError(UserError):
    """A trade was changed by another window meanwhile; carries its number and the version it has now."""

    def __init__(self, number: int, version: int) -> None:
        super().__init__(
            f"trade {number} was changed in another window: version {version}, under History; what is entered now "
            "goes on top of it"
        )
        self.number, self.version = number, version


class JournalFileError(UserError):
    """A CSV that is no journal; carries the row and what is wrong with it."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"row {row}: {why}; nothing was imported")
        self.row, self.why = row, why


class Journal:
    """The trades of one book; safe in any thread."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._held: tuple[object, tuple[Trade, ...]] | None = None
        self._earlier: dict[tuple[int, int], Trade] = {}

    def everything(self) -> tuple[Trade, ...]:
        """Every trade in its latest version, void ones too, oldest first; the same object while unchanged."""
        version = self._book.version
        if self._held is None or self._held[0] != version:
            rows = self._book.rows(
                "SELECT number, max(version), document FROM trades GROUP BY number ORDER BY number"
            )
            self._held, self._earlier = (version, tuple(map(self._read, rows))), {}
        return self._held[1]

    def trades(self) -> tuple[Trade, ...]:
        """Every trade in its latest version, void ones left out, oldest first."""
        return tuple(one for one in self.everything() if not one.void)

    def as_of(self, moment: datetime) -> tuple[Trade, ...]:
        """Trades with what had been filled and carried by a moment, and note and levels as they were written then.

        Fills are facts of their own time, whenever they were written down; of a trade that was written down later
        the first words count. What was taken back was never made.
        """
        found, trades = [], self.trades()
        rows = self._book.rows(
            "SELECT number, coalesce(max(CASE WHEN at_us <= ? THEN version END), 1) FROM trades GROUP BY number",
            (_us(moment),),
        )
        then = dict(rows)
        for one in trades:
            words = one if then[one.number] == one.version else self._version(one.number, then[one.number])
            fills = tuple(fill for fill in one.fills if fill.at <= moment)
            carries = tuple(carry for carry in one.carries if carry.at <= moment)
            if words is one and (fills, carries) == (one.fills, one.carries):
                found.append(one)
            elif fills:
                note, stop, target = words.note, words.stop, words.target
                found.append(replace(one, fills=fills, carries=carries, note=note, stop=stop, target=target))
        return tuple(found)

    def _version(self, number: int, version: int) -> Trade:
        held = self._earlier
        if (number, version) not in held:
            sql = "SELECT number, version, document FROM trades WHERE number = ? AND version = ?"
            held[number, version] = self._read(self._book.rows(sql, (number, version))[0])
        return held[number, version]

    def trade(self, number: int) -> Trade:
        """One trade in its latest version, void or not; raises UserError where there is none."""
        found = next((one for one in self.everything() if one.number == number), None)
        if found is None:
            raise UserError(f"there is no trade {number} in this journal")
        return found

    def versions(self, number: int) -> tuple[tuple[datetime, Trade], ...]:
        """Every version of a trade with the time it was written, oldest first."""
        rows = self._book.rows(
            "SELECT number, version, document, at_us FROM trades WHERE number = ? ORDER BY version", (number,)
        )
        return tuple((_EPOCH + timedelta(microseconds=row[3]), self._read(row[:3])) for row in rows)

    def _read(self, row: tuple[Any, ...]) -> Trade:
        try:
            return _trade(row)
        except (UserError, ValueError, ArithmeticError, LookupError, TypeError) as error:
            cause = f"version {row[1]} of trade {row[0]} cannot be read ({error})"
            cure = "nothing was changed; the daily copies of the book lie beside it"
            raise StoreError(self._book.path, cause, cure) from error

    def add(self, trade: Trade, at: datetime) -> Trade:
        """Write a new trade; returns it with its number."""
        return self._add([trade], at)[0]

    def _add(self, trades: Iterable[Trade], at: datetime) -> list[Trade]:
        added = []
        with self._book.writing() as db:
            for one in trades:
                number = 1 + (db.execute("SELECT max(number) FROM trades").fetchone()[0] or 0)
                numbered = replace(one, number=number, version=1)
                db.execute("INSERT INTO trades VALUES (?, 1, ?, ?)", (number, _us(at), _document(numbered)))
                added.append(numbered)
        return added

    def change(self, trade: Trade, at: datetime) -> Trade:
        """Write the next version of a trade as read; returns it.

        Raises
        ------
        TradeChangedError
            Where `trade` is not the latest version any more.
        """
        with self._book.writing() as db:
            latest = db.execute("SELECT max(version) FROM trades WHERE number = ?", (trade.number,)).fetchone()[0]
            if latest != trade.version:
                raise TradeChangedError(trade.number, latest)
            changed = replace(trade, version=trade.version + 1)
            db.execute(
                "INSERT INTO trades VALUES (?, ?, ?, ?)",
                (trade.number, changed.version, _us(at), _document(changed)),
            )
        return changed

    # CSV

    def export(self) -> str:
        """All trades as CSV, every figure as it was typed."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for one in self.trades():
            writer.writerow(
                {
                    "trade": one.number,
                    "row": "trade",
                    "note": one.note,
                    "picture": one.picture,
                    "entry_ratio": _text(one.entry_ratio),
                    "stop": _text(one.stop),
                    "target": _text(one.target),
                    "entry_beta": _text(one.entry_beta),
                }
            )
            for fill in one.fills:
                writer.writerow({"trade": one.number, "row": "fill"} | _fill_document(fill))
            for carry in one.carries:
                told = {"time": carry.at.isoformat(), "amount_usd": str(carry.amount_usd), "note": carry.what}
                writer.writerow({"trade": one.number, "row": "carry"} | told)
        return out.getvalue()

    def take(self, text: str, at: datetime) -> tuple[int, int]:
        """Add the trades of a CSV made by `export`, all or none, under new numbers.

        Returns how many were added, and how many were left out because the journal holds the same already: the
        same fills, carry, words and levels.

        Raises
        ------
        JournalFileError
            With the number of the first row that is wrong.
        """
        found = read_csv(text, at)
        here = [replace(one, number=0, version=1) for one in self.trades()]
        new = [one for one in found if one not in here]
        return len(self._add(new, at)), len(found) - len(new)


def read_csv(text: str, now: datetime) -> tuple[Trade, ...]:
    """Read trades from CSV; raises JournalFileError with the row at fault, also where it lies after `now`."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))  # spreadsheets put the mark there
    found: dict[str, Trade] = {}
    row = 1
    try:
        if tuple(reader.fieldnames or ()) not in (_COLUMNS, _FIRST_COLUMNS):
            raise JournalFileError(1, f"the columns are not {','.join(_COLUMNS)}")
        for row, cells in enumerate(reader, start=2):
            if row > _LARGEST_ROWS:
                raise JournalFileError(row, f"more than {_LARGEST_ROWS:,} rows")
            _check_row(found, row, cells, now)
    except csv.Error as error:  # of the row after the last that could be read
        raise JournalFileError(row + 1, f"{error}") from error
    for number, one in found.items():
        if not one.fills:
            raise JournalFileError(row, f"trade {number} has no fill")
    return tuple(found.values())


def _check_row(found: dict[str, Trade], row: int, cells: Mapping[str, str], now: datetime) -> None:
    if None in cells:
        raise JournalFileError(row, "more cells than columns")
    if None in cells.values():
        raise JournalFileError(row, "fewer cells than columns")
    try:
        _take_row(found, cells, now)
    except (UserError, ValueError, InvalidOperation) as error:
        raise JournalFileError(row, f"{error}") from error


def _take_row(found: dict[str, Trade], cells: Mapping[str, str], now: datetime) -> None:
    number, kind = cells["trade"], cells["row"]
    if kind in ("fill", "carry"):
        if number not in found:
            raise ValueError(f"no row before it opens trade {number}")
        if _time(cells) > now:
            raise ValueError(f"{cells['time']} lies ahead")
    match kind:
        case "trade":
            if number in found:
                raise ValueError(f"trade {number} stands twice")
            ratio, stop, target, beta = (
                _level(cells, one) for one in ("entry_ratio", "stop", "target", "entry_beta")
            )
            picture = cells["picture"]
            found[number] = Trade(0, 1, cells["note"], (), (), ratio, stop, target, picture, entry_beta=beta)
        case "fill":
            trade = found[number]
            found[number] = replace(trade, fills=(*trade.fills, _fill(cells)))
        case "carry":
            trade = found[number]
            carry = Carry(_number(cells, "amount_usd"), cells["note"], _time(cells))
            found[number] = replace(trade, carries=(*trade.carries, carry))
        case other:
            raise ValueError(f"{other!r} is neither trade, fill nor carry")


# A version as JSON, decimals as text


def _document(trade: Trade) -> str:
    return json.dumps(
        {
            "note": trade.note,
            "picture": trade.picture,
            "void": trade.void,
            "entry_ratio": _text(trade.entry_ratio),
            "stop": _text(trade.stop),
            "target": _text(trade.target),
            "entry_beta": _text(trade.entry_beta),
            "fills": [_fill_document(one) for one in trade.fills],
            "carries": [[str(one.amount_usd), one.what, one.at.isoformat()] for one in trade.carries],
        },
        ensure_ascii=False,
    )


def _trade(row: tuple[Any, ...]) -> Trade:
    number, version, document = row
    kept = json.loads(document)
    return Trade(
        number,
        version,
        kept["note"],
        tuple(_fill(one) for one in kept["fills"]),
        tuple(Carry(Decimal(amount), what, datetime.fromisoformat(at)) for amount, what, at in kept["carries"]),
        _level(kept, "entry_ratio"),
        _level(kept, "stop"),
        _level(kept, "target"),
        kept["picture"],
        kept["void"],
        _level(kept, "entry_beta"),
    )


def _fill_document(one: Fill) -> dict[str, str]:
    return {
        "time": one.at.isoformat(),
        "symbol": one.symbol,
        "quantity": str(one.quantity),
        "price": str(one.price),
        "fee_usd": str(one.fee_usd),
        "kind": one.kind.value,
        "month": "" if one.month is None else f"{one.month:%Y-%m}",
    }


def _fill(kept: Mapping[str, str]) -> Fill:
    kinds = ", ".join(FillKind)
    return Fill(
        kept["symbol"],
        _number(kept, "quantity"),
        _number(kept, "price"),
        _number(kept, "fee_usd"),
        _time(kept),
        _told(kept, "kind", FillKind, f"is none of {kinds}"),
        _told(kept, "month", lambda text: date.fromisoformat(f"{text}-01"), "is not written as 2024-09")
        if kept.get("month")
        else None,
    )


_T = TypeVar("_T")


def _told(kept: Mapping[str, str], name: str, read: Callable[[str], _T], wrong: str) -> _T:
    """What a cell tells; a ValueError in plain words where it cannot be read."""
    try:
        return read(kept[name])
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{name} {kept[name]!r} {wrong}") from error


def _number(kept: Mapping[str, str], name: str) -> Decimal:
    return _told(kept, name, Decimal, "is no number such as 2133.30")


def _level(kept: Mapping[str, Any], name: str) -> Decimal | None:
    return _number(kept, name) if kept.get(name) else None


def _time(kept: Mapping[str, str]) -> datetime:
    at = _told(kept, "time", datetime.fromisoformat, "is no ISO time such as 2024-07-11T10:30-04:00")
    if at.tzinfo is None:
        raise ValueError(f"time {kept['time']!r} has no zone: write 2024-07-11T10:30-04:00")
    return at


def _text(value: Decimal | None) -> str:
    return "" if value is None else str(value)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
