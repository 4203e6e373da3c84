"""Killed by SIGKILL before every single call that changes a file: the next start opens all that was told as kept.

A child (crash_deeds.py) works in a fresh folder and says on standard output what it has kept. A first run under
strace lists its calls that change a file; then each of them is the last thing a further child comes to.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from desktop.book import Book
from desktop.book_file import BOOK, open_book
from desktop.journal_book import Journal
from desktop.market.store import FILE_NAME, Priority, Store
from desktop.store_file import STORE
from tests.crash_deeds import BATCH, LATER, NOW, batch, trade
from tests.test_book_file import damage, keys, put

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples"
CHANGING = (
    *("pwrite64", "pwritev", "write", "writev", "sendfile", "copy_file_range", "ftruncate", "fallocate"),
    *("fsync", "fdatasync", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "mkdir", "mkdirat"),
)
"""Those a system does not have are left out."""


# strace


@cache
def why_not() -> str:
    """Why no child can be stopped at a call, "" where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    command = ["strace", "-qq", "-o", os.devnull, "-e", "inject=exit_group:signal=SIGKILL", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    killed = tried.returncode == -signal.SIGKILL
    return "" if killed else f"no process can be traced here: {tried.stderr.strip()}"


def _child(deed: str, folder: Path) -> list[str]:
    return [sys.executable, "-B", "-m", "tests.crash_deeds", deed, str(folder)]


def _under_strace(deed: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["strace", "-qq", *options, *_child(deed, folder)]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # numpy's threads cost more than the rest of a child
    return subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False, timeout=60)


def calls(deed: str, folder: Path, log: Path) -> Iterator[tuple[str, int]]:
    """Each call by which `deed` changes something in `folder`: its name, and its number of that name."""
    traced = ",".join(f"?{name}" for name in CHANGING)
    whole = _under_strace(deed, folder, "-y", "-s", "0", "-o", str(log), "-e", f"trace={traced}")
    assert whole.returncode == 0, whole.stderr
    count = dict.fromkeys(CHANGING, 0)
    for line in log.read_text(encoding="utf-8").splitlines():
        named = re.match(r"(\w+)\(", line)
        assert named is not None, line
        count[named[1]] += 1
        if str(folder) in line and "-shm>" not in line:  # what is in there is made anew by whoever opens
            yield named[1], count[named[1]]


def killed_everywhere(
    deed: str, tmp_path: Path, prepare: Callable[[Path], None], judge: Callable[[Path, int], None]
) -> int:
    """Kill `deed` at each of its calls, each time in a folder as `prepare` made it; `judge` sees what is left.

    Returns the number of calls.
    """
    if why := why_not():
        pytest.skip(why)
    made = tmp_path / "made"
    made.mkdir()
    prepare(made)

    def fresh(name: str) -> Path:
        return Path(shutil.copytree(made, tmp_path / name))

    def one(numbered: tuple[int, tuple[str, int]]) -> None:
        number, (call, nth) = numbered
        folder = fresh(str(number))
        at = f"inject={call}:signal=SIGKILL:when={nth}"
        died = _under_strace(deed, folder, "-o", os.devnull, "-e", f"trace={call}", "-e", at)
        assert died.returncode == -signal.SIGKILL, (call, nth, died)
        told = max((int(line) for line in died.stdout.splitlines()), default=0)
        try:
            judge(folder, told)
        except BaseException as error:
            error.add_note(f"killed before {call} number {nth}, told {told}")
            raise
        shutil.rmtree(folder)

    points = list(calls(deed, fresh("whole"), tmp_path / "log"))
    with ThreadPoolExecutor(max_workers=2) as pool:
        for _ in pool.map(one, enumerate(points)):
            pass
    return len(points)


# What must be there afterwards


def trades_are_there(book: Book, told: int) -> None:
    there = Journal(book).trades()
    assert len(there) >= told
    for number, found in enumerate(there, 1):
        wanted = trade(number)
        assert (found.number, found.note, found.fills) == (number, wanted.note, wanted.fills)
    assert book.rows("PRAGMA quick_check") == [("ok",)]
    Journal(book).add(trade(99), NOW)
    assert len(Journal(book).trades()) == len(there) + 1


def batches_are_there(store: Store, told: int) -> None:
    there = [one for one in range(1, 4) if store.has(f"S{one}")]
    assert there[:told] == list(range(1, told + 1))
    for one in there:
        found = store.closes(f"S{one}")
        assert (found.days == batch(one).days).all()
        assert (found.close == 1.0 + one).all()
    assert store.rows("PRAGMA quick_check") == [("ok",)]
    store.put_closes(batch(9), source="test", priority=Priority.FILE)
    assert len(store.closes("S9")) == BATCH


# Tests


def nothing(_: Path) -> None:
    """A folder with nothing in it."""


def test_a_new_book_keeps_every_trade_told(tmp_path):
    def judge(folder: Path, told: int) -> None:
        book, words = open_book(folder, NOW)
        with book:
            assert words == ""
            trades_are_there(book, told)

    assert killed_everywhere("trades_in_a_new_book", tmp_path, nothing, judge) > 50


def week(folder: Path) -> None:
    for day in range(BOOK.most + 1):
        book, _ = open_book(folder, NOW + timedelta(days=day))
        with book:
            put(book, f"day {day}")


def test_a_book_opened_and_copied_on_a_later_day_keeps_every_trade_told(tmp_path):
    def judge(folder: Path, told: int) -> None:
        book, words = open_book(folder, LATER)
        with book:
            assert words == ""
            assert keys(book) == [f"day {day}" for day in range(BOOK.most + 1)]
            trades_are_there(book, told)
        assert [one.name for one in BOOK.copies(folder)][:1] == [f"book-{LATER:%Y-%m-%d}.sqlite"]
        for one in BOOK.copies(folder):
            held = (date.fromisoformat(one.stem.removeprefix("book-")) - NOW.date()).days
            with closing(sqlite3.connect(one)) as db:
                there = [key for (key,) in db.execute("SELECT key FROM book ORDER BY key")]
                assert there == [f"day {day}" for day in range(held)]
                assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert len(BOOK.copies(folder)) == BOOK.most

    assert killed_everywhere("a_trade_on_a_later_day", tmp_path, week, judge) > 30


def test_a_damaged_book_comes_back_from_its_copy_wherever_that_was_cut_short(tmp_path):
    def damaged_week(folder: Path) -> None:
        week(folder)
        damage(folder / "book.sqlite")

    def judge(folder: Path, told: int) -> None:
        book, words = open_book(folder, LATER)
        with book:
            assert keys(book) == [f"day {day}" for day in range(BOOK.most)]
            trades_are_there(book, told)
        newest = f"{NOW + timedelta(days=BOOK.most):%Y-%m-%d}"
        assert words == "" or f"; the copy of {newest} is open" in words
        assert len(list(folder.glob("book.sqlite.damaged-*"))) == 1

    assert killed_everywhere("a_trade_on_a_later_day", tmp_path, damaged_week, judge) > 30


def test_a_new_store_keeps_every_batch_told(tmp_path):
    def judge(folder: Path, told: int) -> None:
        store, words = STORE.open(folder, NOW)
        with store:
            assert words == ""
            batches_are_there(store, told)

    assert killed_everywhere("batches_in_a_new_store", tmp_path, nothing, judge) > 50


def a_month(folder: Path) -> None:
    """A store with two copies, the next of which is due; of three batches the newest copy holds two."""
    with Store(folder / FILE_NAME) as store:
        for number in range(1, 4):
            if number > 1:
                STORE.keep_copy(store, folder, LATER - timedelta(days=7 * (5 - number)))
            store.put_closes(batch(10 * number), source="test", priority=Priority.FILE)


def old_batches(store: Store) -> list[int]:
    return [number for number in (10, 20, 30) if len(store.closes(f"S{number}")) == BATCH]


def test_a_store_copied_keeps_its_copies_and_every_batch_told(tmp_path):
    def judge(folder: Path, told: int) -> None:
        store, words = STORE.open(folder, LATER)
        with store:
            assert (words, old_batches(store)) == ("", [10, 20, 30])
            batches_are_there(store, told)
            for left in folder.glob("*.copying-*"):
                os.utime(left, (0, 0))  # it is of today only where another process still works on it
            STORE.keep_copy(store, folder, LATER)
        held = []
        for one in STORE.copies(folder):
            with Store(one, read_only=True) as copy:
                copy.check()
                held.append(old_batches(copy))
        assert held == [[10, 20, 30], [10, 20]]
        assert not list(folder.glob("*.copying-*"))

    assert killed_everywhere("a_batch_in_a_store_that_is_copied", tmp_path, a_month, judge) > 20


def test_a_damaged_store_comes_back_from_its_copy_wherever_that_was_cut_short(tmp_path):
    def damaged_month(folder: Path) -> None:
        a_month(folder)
        damage(folder / FILE_NAME)

    def judge(folder: Path, told: int) -> None:
        store, words = STORE.open(folder, LATER)
        with store:
            assert old_batches(store) == [10, 20]
            batches_are_there(store, told)
        newest = f"{LATER - timedelta(days=14):%Y-%m-%d}"
        assert words == "" or f"; the copy of {newest} is open" in words
        assert len(STORE.damaged(folder)) == 1

    assert killed_everywhere("a_batch_in_a_store_that_is_copied", tmp_path, damaged_month, judge) > 20


def test_a_store_of_an_earlier_program_keeps_all_that_was_in_it(tmp_path):
    def old(folder: Path) -> None:
        with closing(sqlite3.connect(folder / FILE_NAME)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript((SAMPLES / "store-schema-2.sql").read_text(encoding="utf-8"))

    def judge(folder: Path, told: int) -> None:
        store, words = STORE.open(folder, LATER)
        with store:
            assert words == ""
            assert store.closes("^NDX").close.tolist() == [20_675.38, 20_211.36]
            panel = store.panel("names")
            assert panel is not None
            assert panel.compiled == date(2024, 7, 12)
            batches_are_there(store, told)

    assert killed_everywhere("a_batch_in_a_store_that_is_copied", tmp_path, old, judge) > 50
