"""The book: the user's own records, kept apart from market data that can be fetched again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from desktop.book import FILE_NAME, Book
from desktop.market.database import StoreClosedError, StoreCorruptError
from desktop.market.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


def put(book: Book, key: str, value: str) -> None:
    with book.writing() as db:
        db.execute("INSERT INTO book VALUES (?, ?)", (key, value))


def test_what_is_written_is_there_after_reopening(path):
    with Book(path) as book:
        put(book, "a", "1")
    with Book(path) as book:
        assert book.rows("SELECT value FROM book WHERE key = ?", ("a",)) == [("1",)]


def test_a_write_that_fails_changes_nothing(path):
    with Book(path) as book:
        put(book, "a", "1")
        with pytest.raises(RuntimeError, match="half way"), book.writing() as db:
            db.execute("UPDATE book SET value = '2'")
            raise RuntimeError("half way")
        assert book.rows("SELECT value FROM book") == [("1",)]


def test_version_moves_with_own_writes_and_with_those_of_others(path):
    with Book(path) as one, Book(path) as two:
        before = one.version
        assert one.version == before
        put(two, "a", "1")
        seen = one.version
        assert seen != before
        put(one, "b", "1")
        assert one.version != seen


def test_every_commit_reaches_the_disk(path):
    with Book(path) as book, book.writing() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_store_is_no_book(path):
    Store(path).close()
    with pytest.raises(StoreCorruptError, match="belongs to another program"):
        Book(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM bars").fetchone() == (0,)


def test_a_closed_book_says_so():
    book = Book(None)
    book.close()
    with pytest.raises(StoreClosedError, match="it is closed; open it again"):
        assert book.version
