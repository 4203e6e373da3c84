"""The file of the book: damaged, in the way, read-only, copied."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.book import FILE_NAME, Book
from desktop.book_file import COPIES, copies, open_book
from desktop.market.database import StoreCorruptError, StoreNewerError
from desktop.market.store import Store

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)


def put(book: Book, key: str) -> None:
    with book.writing() as db:
        db.execute("INSERT OR REPLACE INTO book VALUES (?, 'kept')", (key,))


def keys(book: Book) -> list[str]:
    return [key for (key,) in book.rows("SELECT key FROM book ORDER BY key")]


def damage(path: Path) -> None:
    """Overwrite everything but the first bytes, as a bad disk does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(120)
        file.write(os.urandom(size - 120))


def test_a_new_folder_gets_a_book_and_nothing_is_told(tmp_path):
    book, told = open_book(tmp_path, NOW)
    with book:
        put(book, "a")
    assert told == ""
    assert [one.name for one in copies(tmp_path)] == ["book-2024-07-11.sqlite"]


def test_a_damaged_book_is_kept_aside_and_the_newest_copy_opened(tmp_path):
    for day in range(3):
        book, _ = open_book(tmp_path, NOW + timedelta(days=day))
        with book:
            put(book, f"day {day}")
    damage(tmp_path / FILE_NAME)
    book, told = open_book(tmp_path, NOW + timedelta(days=2, hours=1))
    with book:
        assert keys(book) == ["day 0", "day 1"]  # the copy of the third day was made when it began
        put(book, "goes on")
    aside = tmp_path / "book.sqlite.damaged-2024-07-13T153000Z"
    assert told == f"the book was damaged and is kept as {aside.name}; the copy of 2024-07-13 is open"
    assert aside.is_file()


def test_a_copy_that_is_damaged_too_is_passed_over(tmp_path):
    for day in range(2):
        book, _ = open_book(tmp_path, NOW + timedelta(days=day))
        with book:
            put(book, f"day {day}")
    damage(tmp_path / FILE_NAME)
    damage(tmp_path / "book-2024-07-12.sqlite")
    book, told = open_book(tmp_path, NOW + timedelta(days=1))
    with book:
        assert keys(book) == []
    assert "the copy of 2024-07-11 is open" in told


def test_without_a_copy_a_new_book_is_opened_and_said(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"SQLite format 3\0" + os.urandom(4000))
    book, told = open_book(tmp_path, NOW)
    with book:
        assert keys(book) == []
    assert "there is no copy, a new one is open" in told


def test_a_book_of_no_sqlite_at_all_is_kept_aside(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a book " * 500)
    book, told = open_book(tmp_path, NOW)
    book.close()
    assert "is kept as book.sqlite.damaged-2024-07-11T143000Z" in told


def test_another_programs_file_is_left_where_it_is(tmp_path):
    Store(tmp_path / FILE_NAME).close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StoreCorruptError, match="belongs to another program"):
        open_book(tmp_path, NOW)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_book_of_a_later_version_is_refused_and_left(tmp_path):
    with Book(tmp_path / FILE_NAME) as book:
        book._db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreNewerError, match="install the newer program"):
        open_book(tmp_path, NOW)


def test_a_folder_that_cannot_be_written_gives_a_book_for_this_run_and_says_so(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("in the way", encoding="utf-8")  # no folder can be made here, not even by root
    book, told = open_book(folder, NOW)
    with book:
        put(book, "a")
        assert book.path is None
    assert told.startswith("the journal, alerts and set-ups are kept for this run only: ")


def test_copies_are_one_a_day_and_the_last_seven_stay(tmp_path):
    for hour in range(0, 24 * 10, 12):
        open_book(tmp_path, NOW + timedelta(hours=hour))[0].close()
    names = [one.name for one in copies(tmp_path)]
    assert len(names) == COPIES
    assert names[0] == "book-2024-07-21.sqlite"
    assert names[-1] == "book-2024-07-15.sqlite"
