"""The snapshots of a data folder: picture and numbers as files side by side, moment and note in the book.

The book is opened for each call and closed again: the list is the same whichever desk is shown, and a file or a
folder that cannot be written is told by the call that needed it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from desktop.book import FILE_NAME, Book
from desktop.market.known import UserError
from desktop.snapshot import Mode
from desktop.snapshot_files import Parcel, as_page, as_zip, read, tidy_note, when

FOLDER = "snapshots"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_COLUMNS = "id, stem, moment_us, mode, saved_us, note, origin, digest"


class SnapshotMissingError(UserError):
    """A snapshot whose file is gone, or that was deleted meanwhile; carries what is missing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: it is gone; put it back, or delete the snapshot from the list")
        self.what = what


class SnapshotKnownError(UserError):
    """What was to be imported is in the list already; carries the one that is."""

    def __init__(self, name: str, there: Saved) -> None:
        super().__init__(f"{name}: not imported: the snapshot of {when(there.moment)} is in the list already")
        self.name, self.there = name, there


class SnapshotNotExportedError(UserError):
    """Neither a zip nor a page was asked for; carries the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name}: not exported: give a name that ends in .zip or .html")
        self.path = path


@dataclass(frozen=True, slots=True)
class Saved:
    """One snapshot of the list. Times are UTC; `origin` names the file it was imported from, "" for one's own."""

    number: int
    stem: str
    moment: datetime
    mode: Mode
    saved_at: datetime
    note: str
    origin: str
    digest: str


class Album:
    """All snapshots of one data folder.

    Every method may raise a StoreError (the book) or an OSError (the files), by name.
    """

    def __init__(self, folder: Path) -> None:
        self._book, self._folder = folder / FILE_NAME, folder / FOLDER

    def picture(self, one: Saved) -> Path:
        """Where the PNG is."""
        return self._folder / f"{one.stem}.png"

    def file(self, name: str) -> Path | None:
        """Where a picture of that name is; None where it is not in the folder of snapshots."""
        path = self._folder / Path(name).name  # a name from a file of somebody else leads nowhere else
        return path if name and path.is_file() else None

    def figures(self, one: Saved) -> Path:
        """Where the JSON is."""
        return self._folder / f"{one.stem}.json"

    def missing(self, one: Saved) -> tuple[str, ...]:
        """Names of the files of a snapshot that are gone."""
        return tuple(path.name for path in (self.picture(one), self.figures(one)) if not path.is_file())

    def all(self) -> tuple[Saved, ...]:
        """Every snapshot, the latest moment first."""
        if not self._book.exists():
            return ()
        with Book(self._book) as book:
            found = book.rows(f"SELECT {_COLUMNS} FROM snapshots ORDER BY moment_us DESC, id DESC")
        return tuple(_saved(row) for row in found)

    def keep(self, parcel: Parcel, *, origin: str = "") -> Saved:
        """Write the files, then the record; of a failure nothing is left behind."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = self._free_stem(parcel)
        written = [(self._folder / f"{stem}.png", parcel.picture)]
        written.append((self._folder / f"{stem}.json", parcel.figures.encode()))
        try:
            for path, content in written:
                _write(path, content)
            row = (stem, _us(parcel.moment), parcel.mode.value, _us(parcel.saved_at), tidy_note(parcel.note))
            with Book(self._book) as book, book.writing() as db:
                number = db.execute(
                    "INSERT INTO snapshots (stem, moment_us, mode, saved_us, note, origin, digest)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*row, origin, parcel.digest),
                ).lastrowid
        except BaseException:
            for path, _ in written:
                path.unlink(missing_ok=True)
            raise
        return self._one(number or 0)

    def set_note(self, number: int, note: str) -> Saved:
        """Put another note beside a snapshot."""
        with Book(self._book) as book, book.writing() as db:
            db.execute("UPDATE snapshots SET note = ? WHERE id = ?", (tidy_note(note), number))
        return self._one(number)

    def delete(self, one: Saved) -> None:
        """Delete files and record; a file that is gone already is no obstacle."""
        for path in (self.picture(one), self.figures(one)):
            path.unlink(missing_ok=True)
        with Book(self._book) as book, book.writing() as db:
            db.execute("DELETE FROM snapshots WHERE id = ?", (one.number,))

    def export(self, one: Saved, path: Path) -> None:
        """Write one snapshot as the zip or the page that `path` names.

        Raises
        ------
        SnapshotMissingError
            A file of it is gone.
        SnapshotNotExportedError
            `path` ends in something else.
        """
        ending = path.suffix.lower()
        if ending not in (".zip", ".html", ".htm"):
            raise SnapshotNotExportedError(path)
        parcel = self._parcel(one)
        _write(path, as_zip(parcel) if ending == ".zip" else as_page(parcel).encode())

    def bring_in(self, path: Path) -> Saved:
        """Add what a colleague exported.

        Raises
        ------
        SnapshotRefusedError
            It is no snapshot, or a damaged one.
        SnapshotKnownError
            It is in the list already.
        """
        parcel = read(path)
        theirs = parcel.digest, parcel.moment, parcel.mode
        there = next((one for one in self.all() if (one.digest, one.moment, one.mode) == theirs), None)
        if there is not None:
            raise SnapshotKnownError(path.name, there)
        return self.keep(parcel, origin=path.name)

    def _one(self, number: int) -> Saved:
        with Book(self._book) as book:
            found = book.rows(f"SELECT {_COLUMNS} FROM snapshots WHERE id = ?", (number,))
        if not found:
            raise SnapshotMissingError(f"snapshot {number}")
        return _saved(found[0])

    def _parcel(self, one: Saved) -> Parcel:
        try:
            picture = self.picture(one).read_bytes()
            figures = self.figures(one).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise SnapshotMissingError(os.fspath(error.filename)) from error
        return Parcel(one.moment, one.mode, one.saved_at, one.note, picture, figures)

    def _free_stem(self, parcel: Parcel) -> str:
        first = f"{parcel.moment:%Y-%m-%dT%H%M%SZ}-{parcel.mode.value}"
        stem, number = first, 1
        while any((self._folder / f"{stem}{ending}").exists() for ending in (".png", ".json")):
            number += 1
            stem = f"{first}-{number}"
        return stem


def _write(path: Path, content: bytes) -> None:
    """Write all of it or nothing: a full disk leaves what was there."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _saved(row: tuple[Any, ...]) -> Saved:
    number, stem, moment_us, mode, saved_us, note, origin, digest = row
    return Saved(number, stem, _at(moment_us), Mode(mode), _at(saved_us), note, origin, digest)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _US


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
