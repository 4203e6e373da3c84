"""The file of the book: read whole at each start, and copied once a day.

A folder that cannot be written gives a book for this run only; that is told, and nothing pretends to be kept.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from desktop.book import FILE_NAME, Book
from desktop.kept_file import KeptFile, made_on
from desktop.market.database import StoreError, StoreReadOnlyError

BOOK = KeptFile(Book, FILE_NAME, "book", every_days=1, most=7, always_checked=True)

log = logging.getLogger(__name__)


def open_book(folder: Path, now: datetime) -> tuple[Book, str]:
    """Open the book of `folder`; returns it and what has to be told, "" where all is well.

    Raises
    ------
    StoreError
        By name, where another program's file stands in its place, a later version wrote it, or it stays busy.
    """
    try:
        book, told = BOOK.open(folder, now)
    except StoreReadOnlyError as error:
        return _for_this_run(folder, error)
    BOOK.keep_copy(book, folder, now)
    return book, told


def _for_this_run(folder: Path, error: StoreError) -> tuple[Book, str]:
    """A book in memory that holds what can be read of the one in `folder`, or of its newest copy."""
    book, told = Book(None), "the journal, alerts and set-ups are kept for this run only"
    for one in (folder / FILE_NAME, *BOOK.copies(folder)):
        try:
            with tempfile.TemporaryDirectory() as aside:
                for part in ("", "-wal"):
                    piece = one.with_name(one.name + part)
                    if not part or piece.exists():
                        shutil.copyfile(piece, Path(aside) / (FILE_NAME + part))
                with Book(Path(aside) / FILE_NAME) as readable:
                    readable.check()
                    book.take_all(readable)
        except (StoreError, OSError) as unusable:
            log.warning("%s cannot be read: %s", one, unusable)
            continue
        shown = "" if one.name == FILE_NAME else f"; the copy of {made_on(one)} is shown"
        return book, f"{told}{shown}: {error}"
    return book, f"{told}: {error}"
