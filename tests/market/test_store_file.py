"""The file of the store: migrations, damage, other processes, sudden death."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest

from desktop.market import database as module
from desktop.market.database import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreNewerError,
    StoreReadOnlyError,
)
from desktop.market.known import UserError
from desktop.market.quotes import Closes, Panel
from desktop.market.store import SCHEMA_VERSION, Priority, Publication, Store, default_path

ROOT = Path(__file__).parents[2]
DAY = date(2024, 7, 11)
DAY_ONE = datetime(2024, 7, 11, 12, tzinfo=UTC)
BATCH = 40

CHILD = """
import sys
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
import numpy as np
from desktop.market.quotes import Closes
from desktop.market.store import Priority, Store

path, symbol, batches = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2000-01-01") + 40)
with Store(path) as store:
    for batch in range(batches):
        given = Closes(symbol, days + 40 * batch, np.full(40, batch + 1.0))
        store.put_closes(given, source=symbol, priority=Priority.FILE)
        print(batch + 1, flush=True)
"""

OPENER = """
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from desktop.market.store import Store

for line in sys.stdin:
    try:
        Store(Path(line.rstrip())).close()
        print("opened", flush=True)
    except BaseException as error:
        print(error, flush=True)
"""

OLD_FILE = """
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE bars (
    symbol TEXT NOT NULL, interval TEXT NOT NULL, start_s INTEGER NOT NULL,
    open REAL, high REAL, low REAL, close REAL NOT NULL, volume REAL,
    priority INTEGER NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id),
    PRIMARY KEY (symbol, interval, start_s)
) WITHOUT ROWID;
CREATE TABLE quotes (
    symbol TEXT NOT NULL, event_us INTEGER NOT NULL, arrival_us INTEGER NOT NULL,
    price REAL NOT NULL, previous_close REAL, open_price REAL, declared_delay_s REAL NOT NULL,
    source_id INTEGER NOT NULL REFERENCES sources (id),
    PRIMARY KEY (symbol, event_us, arrival_us)
) WITHOUT ROWID;
CREATE TABLE series (
    series_id TEXT NOT NULL, day TEXT NOT NULL, available_us INTEGER NOT NULL, value REAL NOT NULL,
    source_id INTEGER NOT NULL REFERENCES sources (id),
    PRIMARY KEY (series_id, day, available_us)
) WITHOUT ROWID;
CREATE TABLE panels (
    name TEXT PRIMARY KEY, compiled TEXT NOT NULL, imported_us INTEGER NOT NULL, tickers TEXT NOT NULL,
    days BLOB NOT NULL, close BLOB NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id)
);
INSERT INTO sources VALUES (1, 'old.csv');
INSERT INTO bars VALUES ('^NDX', '1d', 1720656000, NULL, NULL, NULL, 20211.36, NULL, 20, 1);
INSERT INTO quotes VALUES ('IWM', 1720708200000000, 1720708201000000, 210.5, NULL, NULL, 0.0, 1);
INSERT INTO series VALUES ('DGS2', '2024-07-11', 1720728000000000, 4.5, 1);
PRAGMA user_version = 1;
"""
"""Schema 1 as it lies on users' disks: written out here, so that a change of the program's own text is noticed."""


def closes(*values: float, symbol: str = "^NDX") -> Closes:
    return Closes(symbol, np.arange(np.datetime64(DAY), np.datetime64(DAY) + len(values)), np.array(values))


def put(store: Store, *values: float, symbol: str = "^NDX") -> None:
    store.put_closes(closes(*values, symbol=symbol), source="a", priority=Priority.FILE)


def child(path: Path, symbol: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(path), symbol, str(batches)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rotation.sqlite"


@pytest.fixture
def old_file(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(OLD_FILE)
    return path


# Where it lies


def test_store_makes_its_folders_and_finds_its_rows_again(tmp_path):
    path = tmp_path / "a folder" / "with ü, % and #" / "s.sqlite"
    with Store(path) as store:
        put(store, 1.5)
        assert store.path == path
    with Store(path) as store:
        assert store.closes("^NDX").close.tolist() == [1.5]
    assert [one.name for one in path.parent.iterdir()] == ["s.sqlite"]  # no log is left behind


@pytest.mark.skipif(sys.platform != "linux", reason="the variable names the data folder on Linux alone")
def test_default_path_lies_in_the_users_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path() == tmp_path / "rotation-monitor" / "rotation.sqlite"


def test_loading_the_store_loads_neither_pandas_nor_platformdirs():
    code = (
        "import sys; from desktop.market.store import Store; Store(None).close()\n"
        "sys.exit(bool({'pandas', 'platformdirs', 'scipy', 'exchange_calendars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0


# Schema


def test_new_file_has_the_current_schema_and_a_write_ahead_log(path):
    with Store(path), closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not list(path.parent.glob("*.bak"))


def test_file_of_schema_one_is_read(old_file):
    with Store(old_file) as store:
        assert store.closes("^NDX").close.tolist() == [20_211.36]
        last = store.last_quote("IWM", datetime(2024, 7, 12, tzinfo=UTC))
        assert last is not None
        assert (last.price, last.source) == (210.5, "old.csv")
        assert store.series("DGS2", datetime(2024, 7, 12, tzinfo=UTC)).values.tolist() == [4.5]
        assert store.panels() == []


def later_program(monkeypatch, *migrations: str) -> None:
    """Let the program know further schemas."""
    known = (*Store.migrations, *migrations)
    monkeypatch.setattr(Store, "migrations", known)


TWO = "ALTER TABLE bars ADD COLUMN note TEXT; CREATE TABLE trades (id INTEGER PRIMARY KEY)"
THREE = "UPDATE bars SET note = 'migrated'"


def test_old_file_is_migrated_step_by_step_and_a_copy_of_it_kept(old_file, monkeypatch):
    later_program(monkeypatch, TWO, THREE)
    with Store(old_file) as store:
        assert store.closes("^NDX").close.tolist() == [20_211.36]
    with closing(sqlite3.connect(old_file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 2,)
        assert db.execute("SELECT note FROM bars").fetchall() == [("migrated",)]
    copy = old_file.with_name("rotation.sqlite.v1.bak")
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT close FROM bars").fetchall() == [(20_211.36,)]
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'trades'").fetchone() == (0,)
    assert not list(old_file.parent.glob("*.part*"))


def test_copy_holds_what_still_lies_in_the_log(old_file, monkeypatch):
    later_program(monkeypatch, TWO)
    with closing(sqlite3.connect(old_file, isolation_level=None)) as other:
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.execute("UPDATE bars SET close = 20000.5")
        Store(old_file).close()
    with closing(sqlite3.connect(old_file.with_name("rotation.sqlite.v1.bak"))) as db:
        assert db.execute("SELECT close FROM bars").fetchall() == [(20_000.5,)]


def test_migration_that_fails_leaves_the_file_as_it_was(old_file, monkeypatch):
    with monkeypatch.context() as patch:
        later_program(patch, TWO, "INSERT INTO nowhere VALUES (1)")
        with pytest.raises(StoreError, match="nowhere"):
            Store(old_file)
    with closing(sqlite3.connect(old_file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM pragma_table_info('bars') WHERE name = 'note'").fetchone() == (0,)
    with Store(old_file) as store:
        assert store.closes("^NDX").close.tolist() == [20_211.36]


def test_file_of_schema_one_takes_what_schema_two_added(old_file):
    checked = Publication('"abc"', "", DAY_ONE, DAY_ONE - timedelta(days=1))
    with Store(old_file) as store:
        assert store.publication("Cboe", "VIX") is None
        store.put_publication("Cboe", "VIX", checked)
        store.put_calendar("BLS", [("cpi", DAY_ONE + timedelta(days=3))], seen_at=DAY_ONE)
    with Store(old_file) as store:
        assert store.publication("Cboe", "VIX") == checked
        assert store.calendar(DAY_ONE) == [("cpi", DAY_ONE + timedelta(days=3))]


def test_a_calendar_replaces_what_was_to_come_and_keeps_what_was(path):
    later = [DAY_ONE + timedelta(days=days) for days in (2, 5, 9)]
    with Store(path) as store:
        store.put_calendar("BLS", [("cpi", later[0]), ("cpi", later[2]), ("ppi", later[1])], seen_at=DAY_ONE)
        assert store.calendar(DAY_ONE - timedelta(seconds=1)) == []  # nobody had seen it
        moved = later[2] + timedelta(days=1)
        store.put_calendar("BLS", [("cpi", moved)], seen_at=DAY_ONE + timedelta(days=3))
        found = store.calendar(DAY_ONE + timedelta(days=4))
    assert found == [("cpi", later[0]), ("ppi", later[1]), ("cpi", moved)]


def test_file_of_a_newer_program_is_refused_and_left_alone(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(
        StoreNewerError, match=rf"schema is {SCHEMA_VERSION + 1}, .* knows {SCHEMA_VERSION}"
    ) as caught:
        Store(path)
    assert isinstance(caught.value, UserError)
    assert caught.value.path == path
    assert path.read_bytes() == before


# Damage


@pytest.mark.parametrize(
    "content", [b"Date,Close\n" * 500, os.urandom(20_000), b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_file_that_is_no_store_is_named_and_kept(path, content):
    path.write_bytes(content)
    with pytest.raises(
        StoreCorruptError, match="open the window anew: it keeps this file aside and opens the newest copy"
    ) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, UserError)
    assert path.read_bytes() == content


def test_file_whose_end_is_missing_is_named_and_kept(path):
    with Store(path) as store:
        put(store, *range(1, 5000))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreCorruptError, match="damaged"), Store(path) as store:
        store.closes("^NDX")
    assert len(path.read_bytes()) == len(whole) // 2


def test_file_with_a_damaged_page_is_named_when_it_is_read(path):
    with Store(path) as store:
        put(store, *range(1, 5000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="damaged"), Store(path) as store:
        store.closes("^NDX")


@pytest.mark.parametrize("version", [0, 1])
def test_database_of_another_program_is_refused_and_left_alone(path, version):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)")
        db.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="belongs to another program"):
        Store(path)
    assert path.read_bytes() == before


def test_empty_file_becomes_a_store(path):
    path.touch()
    with Store(path) as store:
        put(store, 1.0)
        assert len(store.closes("^NDX")) == 1


def test_full_disk_is_named_and_what_was_stored_stays(path):
    with Store(path) as store:
        put(store, 1.0)
        before = store.version
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        big = Panel("big", ("A",), closes(*[1.0] * 5000).days, np.ones((5000, 1)), DAY)
        with pytest.raises(StoreError, match="no space left"):
            store.put_panel(big, source="a")
        assert (store.version, store.panels()) == (before, [])
        store._db.execute("PRAGMA max_page_count = 1000000")
        store.put_panel(big, source="a")
        assert [one.name for one in store.panels()] == ["big"]


# Not writeable


@pytest.fixture
def read_only_folder():
    """A folder with a store in it that this process cannot write; the superuser becomes nobody for it."""
    if sys.platform == "win32":
        pytest.skip("folders of Windows have no such permission bits")
    superuser = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "rotation.sqlite") as store:
            put(store, 1.0)
        (folder / "rotation.sqlite").chmod(0o444)
        folder.chmod(0o555)
        if superuser:
            os.seteuid(65_534)
        try:
            yield folder
        finally:
            if superuser:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["new.sqlite", "folder/new.sqlite"])
def test_new_store_in_a_read_only_folder_is_refused_with_the_cure(read_only_folder, name):
    with pytest.raises(
        StoreReadOnlyError, match="make the folder writeable, or choose another --data-dir"
    ) as caught:
        Store(read_only_folder / name)
    assert isinstance(caught.value, UserError)


def test_store_in_a_read_only_folder_is_named_at_the_latest_when_written(read_only_folder):
    with (
        pytest.raises(StoreReadOnlyError, match="cannot be written"),
        Store(read_only_folder / "rotation.sqlite") as store,
    ):
        put(store, 2.0)


def test_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreReadOnlyError, match="data"):
        Store(tmp_path / "data" / "s.sqlite")
    with pytest.raises(StoreReadOnlyError):
        Store(tmp_path)  # a folder where the file should be


# Other processes


def test_version_grows_when_another_process_writes(path):
    with Store(path) as store:
        version, history = store.version, store.history_version
        finished(child(path, "^RUT", 1))
        assert store.version > version
        assert store.history_version > history
        assert len(store.closes("^RUT")) == BATCH
        version = store.version
        assert store.version == version  # and rests


def test_version_grows_when_another_store_of_this_process_writes(path):
    with Store(path) as mine, Store(path) as other:
        before = mine.version
        put(other, 1.0)
        assert mine.version > before
        assert mine.closes("^NDX").close.tolist() == [1]
        seen = other.version
        assert mine.closes("^NDX").close.tolist() == [1]
        assert other.version == seen  # reading is no change


@pytest.mark.slow
def test_processes_that_open_a_new_store_at_once_and_write_lose_nothing(path):
    writers = [child(path, f"S{number}", 25) for number in range(4)]
    for one in writers:
        finished(one)
    with Store(path) as store:
        assert [(one.symbol, one.rows, one.source) for one in store.symbols()] == [
            (f"S{number}", 25 * BATCH, f"S{number}") for number in range(4)
        ]


@pytest.mark.slow
def test_processes_that_open_a_new_file_at_once_wait_for_each_other(tmp_path):
    """Switching the log on is the one step where SQLite itself gives up at once, some times in a hundred."""

    def opener() -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-c", OPENER], subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, text=True, bufsize=1, stdin=pipe, stdout=pipe)

    with ExitStack() as running:
        openers = [running.enter_context(opener()) for _ in range(6)]
        for turn in range(40):
            for one in openers:
                assert one.stdin is not None
                one.stdin.write(f"{tmp_path / str(turn)}\n")
            for one in openers:
                assert one.stdout is not None
                assert one.stdout.readline() == "opened\n"


def test_opening_gives_up_by_name_when_the_file_stays_held(path, monkeypatch):
    monkeypatch.setattr(module, "_BUSY_S", 0.02)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM sqlite_master").fetchall()
        with pytest.raises(StoreBusyError):
            Store(path)


def test_higher_priority_of_another_process_is_respected(path):
    with Store(path) as mine, Store(path) as other:
        put(mine, 1.0)
        other.put_closes(closes(2.0), source="vendor", priority=Priority.VENDOR)
        assert mine.put_closes(closes(3.0), source="a", priority=Priority.FILE).kept == 1
        assert mine.closes("^NDX").close.tolist() == [2]


def test_store_held_by_another_process_can_be_read_and_says_who_is_in_the_way(path, monkeypatch):
    monkeypatch.setattr(module, "_BUSY_S", 0.05)
    with Store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        put(store, 1.0)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="another process held it"):
            put(store, 2.0)
        assert store.closes("^NDX").close.tolist() == [1]
        other.execute("ROLLBACK")
        put(store, 2.0)
        assert store.closes("^NDX").close.tolist() == [2]


def test_a_frame_does_not_wait_while_a_write_waits_for_another_process(path):
    with Store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        put(store, 1.0)
        other.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=put, args=(store, 2.0))
        writer.start()
        deadline = time.monotonic() + 60
        while store._lock.acquire(blocking=False):  # until the writer holds it
            store._lock.release()
            assert time.monotonic() < deadline
        begin = time.perf_counter()
        assert store.version == 1
        assert store.closes("^NDX").close.tolist() == [1]
        took = time.perf_counter() - begin
        other.execute("ROLLBACK")
        writer.join(60)
        assert took < 1
        assert store.closes("^NDX").close.tolist() == [2]


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 7, 30])
def test_killed_in_the_middle_of_writing_keeps_all_that_was_acknowledged(path, after):
    writer = child(path, "^RUT", 100_000)
    assert writer.stdout is not None
    acknowledged = 0
    while acknowledged < after:
        acknowledged = int(writer.stdout.readline())
    writer.kill()  # SIGKILL: it may be anywhere in its next write
    rest, _ = writer.communicate(timeout=60)
    # the last line may be cut off in the middle of its digits
    acknowledged = max(
        [acknowledged, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))]
    )
    with Store(path) as store:
        found = store.closes("^RUT").close
        assert len(found) >= acknowledged * BATCH
        assert len(found) % BATCH == 0  # never a part of a batch
        assert (found == np.repeat(np.arange(1.0, len(found) // BATCH + 1), BATCH)).all()
        assert store._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        put(store, 1.0)
        assert len(store.closes("^NDX")) == 1


# The address of what is only read


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (PurePosixPath("/data/a b#1%.sqlite"), "file:///data/a%20b%231%25.sqlite"),
        (PureWindowsPath(r"D:\data\s.sqlite"), "file:///D:/data/s.sqlite"),
        (PureWindowsPath(r"\\server\data\s.sqlite"), "file:////server/data/s.sqlite"),
    ],
)
def test_address_of_a_file_anywhere_is_one_sqlite_takes(path, address):
    assert module._address(path) == address
