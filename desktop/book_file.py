"""The file of the book: opened whatever happened to it, and copied once a day.

A damaged file is moved aside under a name that says when, and the newest copy that opens takes its place. A folder
that cannot be written gives a book for this run only. Each of these is told; nothing pretends to be kept.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
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
        book, told = _checked(path), ""
    except StoreCorruptError as error:
        if "another program" in error.cause:
            raise
        book, told = _restored(path, now, error)
    except StoreReadOnlyError as error:
        return Book(None), f"the journal, alerts and set-ups are kept for this run only: {error}"
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
    for part in _PARTS:
        piece = path.with_name(path.name + part)
        if piece.exists():
            piece.replace(aside.with_name(aside.name + part))
    log.error("%s; kept as %s", error, aside)
    for copy in copies(path.parent):
        try:
            _checked(copy).close()
        except StoreError as unusable:
            log.warning("%s cannot be used: %s", copy, unusable)
            continue
        shutil.copyfile(copy, path)
        day = copy.stem.removeprefix("book-")
        return _checked(path), f"the book was damaged and is kept as {aside.name}; the copy of {day} is open"
    return _checked(path), f"the book was damaged and is kept as {aside.name}; there is no copy, a new one is open"


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
