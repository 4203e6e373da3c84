"""The file of the book: opened whatever happened to it, and copied once a day.

A damaged file is moved aside under a name that says when, and the newest copy that opens takes its place. A folder
that cannot be written gives a book for this run only. Each of these is told; nothing pretends to be kept.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from datetime import datetime
from pathlib import Path

from desktop.book import FILE_NAME, Book
from desktop.market.database import StoreCorruptError, StoreError, StoreReadOnlyError

COPIES = 7
"""So many days' copies are kept."""
_PARTS = ("", "-wal", "-shm")

log = logging.getLogger(__name__)


def open_book(folder: Path, now: datetime) -> tuple[Book, str]:
    """Open the book of `folder`; returns it and what has to be told, "" where all is well.

    Raises
    ------
    StoreError
        By name, where another program's file stands in its place, a later version wrote it, or it stays busy.
    """
    path = folder / FILE_NAME
    try:
        if path.exists() or not copies(folder):
            book, told = _checked(path), ""
        else:  # removed, or a start that put a copy in its place was cut short
            book, told = _from_copy(path, "the book was gone")
    except StoreCorruptError as error:
        if "another program" in error.cause:
            raise
        try:
            book, told = _restored(path, now, error)
        except StoreReadOnlyError as unwriteable:
            return _for_this_run(folder, unwriteable)
    except StoreReadOnlyError as error:
        return _for_this_run(folder, error)
    _copy(book, folder, now)
    return book, told


def copies(folder: Path) -> list[Path]:
    """The daily copies, newest first."""
    return sorted(folder.glob("book-????-??-??.sqlite"), reverse=True)


def _checked(path: Path) -> Book:
    """Open a book whose every page can be read."""
    book = Book(path)
    try:
        found = book.rows("PRAGMA quick_check(1)")
    except StoreError:
        book.close()
        raise
    if found != [("ok",)]:
        book.close()
        raise StoreCorruptError(path, f"the file is damaged ({found[0][0]})", "the newest copy takes its place")
    return book


def _restored(path: Path, now: datetime, error: StoreError) -> tuple[Book, str]:
    aside = path.with_name(f"{path.name}.damaged-{now:%Y-%m-%dT%H%M%SZ}")
    try:
        for part in _PARTS:
            piece = path.with_name(path.name + part)
            if piece.exists():
                piece.replace(aside.with_name(aside.name + part))
    except OSError as unwriteable:
        cure = "make the folder writeable, or choose another --data-dir"
        raise StoreReadOnlyError(path, f"it is damaged and cannot be moved aside ({unwriteable})", cure) from error
    log.error("%s; kept as %s", error, aside)
    return _from_copy(path, f"the book was damaged and is kept as {aside.name}")


def _from_copy(path: Path, why: str) -> tuple[Book, str]:
    """Put the newest copy that opens in the book's place, whole or not at all."""
    for copy in copies(path.parent):
        try:
            _checked(copy).close()
        except StoreError as unusable:
            log.warning("%s cannot be used: %s", copy, unusable)
            continue
        part = path.with_name(f"{path.name}.part")
        try:
            shutil.copyfile(copy, part)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            cause = f"{why}; {copy.name} cannot take its place ({error})"
            raise StoreError(path, cause, "free some space and start again; the copies are untouched") from error
        return _checked(path), f"{why}; the copy of {_day(copy)} is open"
    return _checked(path), f"{why}; there is no copy, a new one is open"


def _for_this_run(folder: Path, error: StoreError) -> tuple[Book, str]:
    """A book in memory that holds what can be read of the one in `folder`, or of its newest copy."""
    book, told = Book(None), "the journal, alerts and set-ups are kept for this run only"
    for one in (folder / FILE_NAME, *copies(folder)):
        try:
            with tempfile.TemporaryDirectory() as aside:
                for part in ("", "-wal"):
                    piece = one.with_name(one.name + part)
                    if not part or piece.exists():
                        shutil.copyfile(piece, Path(aside) / (FILE_NAME + part))
                with _checked(Path(aside) / FILE_NAME) as readable:
                    book.take_all(readable)
        except (StoreError, OSError) as unusable:
            log.warning("%s cannot be read: %s", one, unusable)
            continue
        shown = "" if one.name == FILE_NAME else f"; the copy of {_day(one)} is shown"
        return book, f"{told}{shown}: {error}"
    return book, f"{told}: {error}"


def _day(copy: Path) -> str:
    return copy.stem.removeprefix("book-")


def _copy(book: Book, folder: Path, now: datetime) -> None:
    """Keep today's copy, once; a copy that cannot be made keeps nobody from working."""
    today = folder / f"book-{now:%Y-%m-%d}.sqlite"
    try:
        if not today.exists():
            book.back_up(today)
        for old in copies(folder)[COPIES:]:
            old.unlink()
    except (sqlite3.Error, OSError) as error:
        log.warning("no copy of the book today: %s", error)
