"""The file of market data: damaged, in the way, gone, copied once a week."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from desktop.market.database import StoreCorruptError, StoreError, StoreForeignError, StoreNewerError
from desktop.market.quotes import Closes
from desktop.market.store import FILE_NAME, SCHEMA_VERSION, Priority, Store
from desktop.store_file import STORE
from tests.test_book_file import damage

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples"
DAYS = 3000
"""So many closes of one symbol lie on several pages."""


def put(store: Store, symbol: str, days: int = DAYS) -> None:
    first = np.datetime64("2000-01-01")
    closes = Closes(symbol, np.arange(first, first + days), np.full(days, 100.5))
    store.put_closes(closes, source="test", priority=Priority.FILE)


def symbols(store: Store) -> list[str]:
    return [one.symbol for one in store.symbols()]


def weeks(folder: Path, count: int = 2) -> None:
    """Use the store once a week: after each start the copy is made, then comes more of the market."""
    for week in range(count):
        now = NOW + timedelta(weeks=week)
        store, told = STORE.open(folder, now)
        assert told == ""
        with store:
            STORE.keep_copy(store, folder, now)
            put(store, f"S{week}")


def damage_inside(path: Path) -> None:
    """Overwrite the middle: such a file opens, and fails where that is read."""
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        file.write(b"\xa5" * 16_384)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_new_folder_gets_a_store_and_nothing_is_told(tmp_path):
    store, told = STORE.open(tmp_path, NOW)
    with store:
        put(store, "^NDX")
    assert (told, names(tmp_path)) == ("", [FILE_NAME])


def test_a_store_that_does_not_open_is_kept_aside_and_the_newest_copy_opened(tmp_path):
    weeks(tmp_path, 3)
    damage(tmp_path / FILE_NAME)
    before = (tmp_path / FILE_NAME).read_bytes()
    store, told = STORE.open(tmp_path, NOW + timedelta(weeks=3))
    with store:
        assert symbols(store) == ["S0", "S1"]  # the third copy was made before the third came in
        put(store, "S9")
    aside = tmp_path / "rotation.sqlite.damaged-2024-08-01T143000Z"
    assert told == f"the market store was damaged and is kept as {aside.name}; the copy of 2024-07-25 is open"
    assert aside.read_bytes() == before
    assert STORE.damaged(tmp_path) == [aside]
    assert STORE.open(tmp_path, NOW + timedelta(weeks=3))[1] == ""


def test_damage_met_while_reading_is_handled_at_the_next_start(tmp_path):
    weeks(tmp_path)
    damage_inside(tmp_path / FILE_NAME)
    store, told = STORE.open(tmp_path, NOW + timedelta(weeks=1))
    cure = "open the window anew: it keeps this file aside and opens the newest copy"
    with store, pytest.raises(StoreCorruptError, match=cure):
        for one in ("S0", "S1"):
            store.closes(one)
    assert told == ""
    assert "rotation.sqlite.check" in names(tmp_path)
    store, told = STORE.open(tmp_path, NOW + timedelta(weeks=1, hours=1))
    with store:
        assert len(store.closes("S0")) == DAYS
    assert "is kept as rotation.sqlite.damaged-2024-07-18T153000Z; the copy of 2024-07-18 is open" in told
    assert "rotation.sqlite.check" not in names(tmp_path)


def test_a_store_that_is_whole_after_all_stays(tmp_path):
    weeks(tmp_path)
    (tmp_path / "rotation.sqlite.check").touch()
    store, told = STORE.open(tmp_path, NOW)
    with store:
        assert (symbols(store), told) == (["S0", "S1"], "")
    assert "rotation.sqlite.check" not in names(tmp_path)


def test_a_copy_from_before_a_migration_serves_too_and_stays_as_it_is(tmp_path):
    bak = tmp_path / "rotation.sqlite.v4.bak"
    with closing(sqlite3.connect(bak)) as db:
        db.executescript((SAMPLES / "store-schema-4.sql").read_text(encoding="utf-8"))
    written = datetime(2024, 6, 30, 12, tzinfo=UTC).timestamp()
    os.utime(bak, (written, written))
    weeks_later = tmp_path / "rotation-2024-07-04.sqlite"
    shutil.copyfile(bak, weeks_later)
    damage(weeks_later)
    (tmp_path / FILE_NAME).write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    store, told = STORE.open(tmp_path, NOW)
    with store:
        assert store.closes("^NDX").close.tolist() == [20_675.38, 20_211.36]
        assert store.schema == SCHEMA_VERSION
    assert told.endswith("; the copy of 2024-06-30 is open")
    with closing(sqlite3.connect(bak)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,)


def test_without_a_copy_a_new_store_is_opened_and_said(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no store at all " * 500)
    store, told = STORE.open(tmp_path, NOW)
    with store:
        assert symbols(store) == []
    assert told.endswith("; there is no copy, a new one is open")
    assert names(tmp_path) == [FILE_NAME, "rotation.sqlite.damaged-2024-07-11T143000Z"]


def test_a_store_that_is_gone_comes_back_from_its_newest_copy(tmp_path):
    weeks(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    store, told = STORE.open(tmp_path, NOW + timedelta(weeks=2))
    with store:
        assert symbols(store) == ["S0"]
    assert told == "the market store was gone; the copy of 2024-07-18 is open"


def test_the_file_of_another_program_is_left_though_a_copy_is_there(tmp_path):
    weeks(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)")
    (tmp_path / "rotation.sqlite.check").touch()
    before = names(tmp_path), (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StoreForeignError, match="belongs to another program"):
        STORE.open(tmp_path, NOW)
    assert (names(tmp_path), (tmp_path / FILE_NAME).read_bytes()) == before


def test_a_store_of_a_later_version_is_left_though_a_copy_is_there(tmp_path):
    weeks(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("PRAGMA user_version = 99")
    before = names(tmp_path)
    with pytest.raises(StoreNewerError, match="install the newer program"):
        STORE.open(tmp_path, NOW)
    assert names(tmp_path) == before


# Copies


def test_a_copy_is_made_once_a_week_and_two_stay(tmp_path):
    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX")
        for day in range(30):
            STORE.keep_copy(store, tmp_path, NOW + timedelta(days=day))
        assert [one.name for one in STORE.dated(tmp_path)] == [
            "rotation-2024-08-08.sqlite",
            "rotation-2024-08-01.sqlite",
        ]


def test_a_copy_of_a_day_to_come_keeps_no_copy_from_being_made(tmp_path):
    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX")
        STORE.keep_copy(store, tmp_path, NOW + timedelta(days=400))  # the clock was wrong
        STORE.keep_copy(store, tmp_path, NOW)
    assert "rotation-2024-07-11.sqlite" in names(tmp_path)


def test_a_copy_holds_what_is_committed_while_another_process_writes(tmp_path):
    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX")
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM bars")
            STORE.keep_copy(store, tmp_path, NOW)
            other.execute("ROLLBACK")
    before = names(tmp_path)
    with Store(tmp_path / "rotation-2024-07-11.sqlite", read_only=True) as copy:
        assert len(copy.closes("^NDX")) == DAYS
    assert names(tmp_path) == before


def test_a_damaged_store_does_not_drive_out_its_good_copies(tmp_path, caplog):
    weeks(tmp_path)
    damage_inside(tmp_path / FILE_NAME)
    for week in range(1, 5):
        with Store(tmp_path / FILE_NAME) as store:
            STORE.keep_copy(store, tmp_path, NOW + timedelta(weeks=1 + week))
    assert "no copy of the market store today" in caplog.text
    assert [one.name for one in STORE.dated(tmp_path)] == [
        "rotation-2024-07-18.sqlite",
        "rotation-2024-07-11.sqlite",
    ]
    store, told = STORE.open(tmp_path, NOW + timedelta(weeks=6))
    with store:
        assert symbols(store) == ["S0"]
    assert told.endswith("the copy of 2024-07-18 is open")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
def test_a_disk_too_full_for_the_copy_leaves_nothing_of_it(tmp_path, caplog):
    import resource

    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX")
        before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        try:
            STORE.keep_copy(store, tmp_path, NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        assert len(store.closes("^NDX")) == DAYS
    assert "no copy of the market store today" in caplog.text
    assert names(tmp_path) == [FILE_NAME]


def test_a_store_taken_away_while_it_is_open_is_not_copied_as_an_empty_one(tmp_path):
    weeks(tmp_path)
    store, _ = STORE.open(tmp_path, NOW + timedelta(weeks=2))
    with store:
        for one in tmp_path.glob(f"{FILE_NAME}*"):
            one.unlink()
        STORE.keep_copy(store, tmp_path, NOW + timedelta(weeks=2))
    assert names(tmp_path) == ["rotation-2024-07-11.sqlite", "rotation-2024-07-18.sqlite"]


@pytest.mark.parametrize("name", [FILE_NAME, "new/rotation.sqlite"])
def test_what_is_only_looked_at_is_not_made(tmp_path, name):
    with pytest.raises(StoreError, match="unable to open"):
        Store(tmp_path / name, read_only=True)
    assert names(tmp_path) == []


def test_a_store_only_looked_at_shows_what_lies_in_the_log_of_one_that_was_killed(tmp_path):
    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX", days=5)
        killed = tmp_path / "killed ü, 20% of #1"
        killed.mkdir()
        for one in tmp_path.glob(f"{FILE_NAME}*"):
            shutil.copyfile(one, killed / one.name)
    held = {one.name: one.stat().st_size for one in killed.iterdir()}
    assert len(held) == 3
    with Store(killed / FILE_NAME, read_only=True) as looked:
        looked.check()
        assert [str(day) for day in looked.closes("^NDX").days][-1] == str(date(2000, 1, 5))
    assert {one.name: one.stat().st_size for one in killed.iterdir()} == held


COPIER = """
import sys
from pathlib import Path
from desktop.market.store import FILE_NAME, Store
folder = Path(sys.argv[1])
with Store(folder / FILE_NAME) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for turn in range(20):
        store.back_up(folder / f"copy-{sys.argv[2]}-{turn}.sqlite")
"""


@pytest.mark.slow
def test_processes_that_copy_one_store_at_once_make_whole_copies_each(tmp_path):
    with Store(tmp_path / FILE_NAME) as store:
        put(store, "^NDX")
    with ExitStack() as running:
        copiers = []
        for number in range(3):
            command, pipe = [sys.executable, "-c", COPIER, str(tmp_path), str(number)], subprocess.PIPE
            started = subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe)
            copiers.append(running.enter_context(started))
        for one in copiers:
            assert one.stdout is not None
            assert one.stdout.readline() == "open\n"
        for one in copiers:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in copiers:
            assert one.wait(60) == 0
    copies = sorted(tmp_path.glob("copy-*.sqlite"))
    assert len(copies) == 60
    for copy in copies:
        with Store(copy, read_only=True) as made:
            made.check()
            assert len(made.closes("^NDX")) == DAYS


def test_what_is_left_of_a_copy_that_was_cut_short_goes_with_the_next_one(tmp_path):
    left = tmp_path / "rotation.sqlite.copying-4711"
    left.write_bytes(b"half a copy")
    an_hour_ago = time.time() - 3700
    os.utime(left, (an_hour_ago, an_hour_ago))
    with Store(tmp_path / FILE_NAME) as store:
        STORE.keep_copy(store, tmp_path, NOW)
    assert names(tmp_path) == ["rotation-2024-07-11.sqlite", FILE_NAME]


READER = """
import os, sys
from pathlib import Path
from desktop.market.database import StoreReadOnlyError
from desktop.store_file import STORE
from tests.test_store_file import NOW
os.setuid(65534)
try:
    STORE.open(Path(sys.argv[1]), NOW)
except StoreReadOnlyError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
def test_damaged_in_a_folder_that_is_read_only_it_stays_and_the_cure_is_told():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weeks(folder)
        (folder / FILE_NAME).write_bytes(b"no store at all " * 500)
        before = names(folder), (folder / FILE_NAME).read_bytes()
        folder.chmod(0o555)
        command = [sys.executable, "-c", READER, name]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
        assert "it is damaged and cannot be moved aside" in told
        assert "make the folder writeable, or choose another --data-dir" in told
        assert (names(folder), (folder / FILE_NAME).read_bytes()) == before
