"""The file of the book: damaged, in the way, read-only, copied."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.book import FILE_NAME, Book
from desktop.book_file import BOOK, open_book
from desktop.market.database import StoreCorruptError, StoreError, StoreNewerError
from desktop.market.store import Store

ROOT = Path(__file__).parents[1]
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
    assert [one.name for one in BOOK.copies(tmp_path)] == ["book-2024-07-11.sqlite"]


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
    names = [one.name for one in BOOK.copies(tmp_path)]
    assert len(names) == BOOK.most
    assert names[0] == "book-2024-07-21.sqlite"
    assert names[-1] == "book-2024-07-15.sqlite"


def three_days(folder: Path) -> None:
    for day in range(3):
        book, _ = open_book(folder, NOW + timedelta(days=day))
        with book:
            put(book, f"day {day}")


def test_a_book_that_is_gone_comes_back_from_its_newest_copy(tmp_path):
    three_days(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    book, told = open_book(tmp_path, NOW + timedelta(days=3))
    with book:
        assert keys(book) == ["day 0", "day 1"]
    assert told == "the book was gone; the copy of 2024-07-13 is open"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 of a fork")
@pytest.mark.parametrize("at", ["copyfile", "replace"])
def test_killed_while_a_copy_takes_its_place_the_next_start_goes_on(tmp_path, at):
    three_days(tmp_path)
    damage(tmp_path / FILE_NAME)
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from desktop import book_file\n"
        "from tests.test_book_file import NOW\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "if sys.argv[2] == 'copyfile': book_file.shutil.copyfile = die\n"
        "else:\n"
        "    real = Path.replace\n"
        "    Path.replace = lambda one, to: die() if one.suffix == '.part' else real(one, to)\n"
        "book_file.open_book(Path(sys.argv[1]), NOW)\n"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path), at], cwd=ROOT, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    book, told = open_book(tmp_path, NOW + timedelta(days=3))
    with book:
        assert keys(book) == ["day 0", "day 1"]
    assert "the copy of 2024-07-13 is open" in told


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
def test_a_disk_too_full_for_the_copy_is_told_and_the_next_start_has_it(tmp_path):
    import resource

    three_days(tmp_path)
    damage(tmp_path / FILE_NAME)
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(StoreError, match=r"cannot take its place.*the copies are untouched"):
            open_book(tmp_path, NOW + timedelta(days=3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    book, _ = open_book(tmp_path, NOW + timedelta(days=3))
    with book:
        assert keys(book) == ["day 0", "day 1"]


READER = """
import os, sys
from pathlib import Path
from desktop.book_file import open_book
from tests.test_book_file import NOW, keys
os.setuid(65534)
book, told = open_book(Path(sys.argv[1]), NOW)
print(book.path, keys(book), told)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("damaged", [False, True])
def test_in_a_folder_that_is_read_only_what_is_kept_is_shown_for_this_run(damaged):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        three_days(folder)
        if damaged:
            damage(folder / FILE_NAME)
        folder.chmod(0o555)
        told = subprocess.run(
            [sys.executable, "-c", READER, name], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        ).stdout
    kept = ["day 0", "day 1"] if damaged else ["day 0", "day 1", "day 2"]
    assert told.startswith(f"None {kept} the journal, alerts and set-ups are kept for this run only")
    assert ("; the copy of 2024-07-13 is shown" in told) is damaged
