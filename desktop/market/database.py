"""One SQLite file that survives what happens to files: a kill, a second process, a full disk, an older version.

The file is in WAL mode. One connection writes, others read: a reader waits for nothing. What goes wrong has a
name, the file's path, its cause and the cure.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote

from desktop.market.known import UserError

_BUSY_S = 10.0
_CUT_SHORT_S = 3600.0
"""Part of a copy that nobody has written to for so long is what a kill left."""

log = logging.getLogger(__name__)


class StoreError(UserError):
    """The store cannot do what was asked; carries its path."""

    def __init__(self, path: Path | None, cause: str, cure: str) -> None:
        super().__init__(f"store {path or '(in memory)'}: {cause}; {cure}")
        self.path, self.cause, self.cure = path, cause, cure


class StoreCorruptError(StoreError):
    """The file is damaged or is no store; it is left as it is."""


class StoreForeignError(StoreCorruptError):
    """The file is a database of another program: it is theirs, and nothing is ever done to it."""


class StoreReadOnlyError(StoreError):
    """The file or its folder cannot be written."""


class StoreNewerError(StoreError):
    """The file was written by a later version of the program."""


class StoreBusyError(StoreError):
    """Another process held the store for too long."""


class StoreClosedError(StoreError):
    """The store was used after it had been closed."""


def check_mark(path: Path) -> Path:
    """The file beside `path` that tells the next start: damage was met here, read every page before use."""
    return path.with_name(f"{path.name}.check")


class Database:
    """One file, safe in any thread. Writes wait for each other; reads wait for nothing, unless in memory.

    What is kept is said by a subclass: `migrations` make the tables, step by step; `marker` is a table of the
    first step, by which a file is known as one of ours; `durable` writes survive a power cut, not only a kill.
    """

    migrations: ClassVar[tuple[str, ...]]
    marker: ClassVar[str]
    durable: ClassVar[bool] = False

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        """Open `path`, made and migrated where needed; None keeps everything in memory.

        With `read_only` the file is looked at as it is: not made, not migrated, and no log is laid beside it.

        Raises
        ------
        StoreError
            By name: corrupt, read-only, newer, busy.
        """
        self.path, self._read_only = path, read_only
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._named_errors():
            if path is not None and not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _connect(self) -> sqlite3.Connection:
        where = ":memory:" if self.path is None else _only_reading(self.path) if self._read_only else self.path
        return sqlite3.connect(
            where, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=self._read_only
        )

    def _prepare(self) -> None:
        version, tables, ours = self._db.execute(
            "SELECT (SELECT user_version FROM pragma_user_version), count(*), coalesce(sum(name = ?), 0)"
            " FROM sqlite_master",
            (self.marker,),
        ).fetchone()
        if tables and not ours:
            raise StoreForeignError(
                self.path, "it belongs to another program", "choose another --data-dir; it was not changed"
            )
        newest = len(self.migrations)
        if version > newest:
            raise StoreNewerError(
                self.path,
                f"its schema is {version}, this program knows {newest}",
                "install the newer program, or use another --data-dir",
            )
        if version < newest and not self._read_only:
            self._migrate()
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")

    def _migrate(self) -> None:
        newest = len(self.migrations)
        self._use_write_ahead_log()
        with self._write():
            # Asked again under the lock: another process may have migrated meanwhile.
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if 0 < version < newest and self.path is not None:
                self.back_up(self.path.with_name(f"{self.path.name}.v{version}.bak"))
            for number in range(version, newest):
                for statement in filter(str.strip, self.migrations[number].split(";")):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {max(version, newest)}")

    def _use_write_ahead_log(self) -> None:
        """Ask until it is so: here SQLite does not itself wait for another process that opens the file."""
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return

    @property
    def schema(self) -> int:
        """How many of the migrations the file has gone through."""
        return int(self.rows("PRAGMA user_version")[0][0])

    def check(self) -> None:
        """Read every page.

        Raises
        ------
        StoreCorruptError
            One is damaged.
        """
        with self._named_errors(), self._reading() as db:
            self._refuse_damage(db)

    def back_up(self, copy: Path) -> None:
        """Copy what is committed, whole and readable or not at all; what is still in the log is committed too.

        Raises
        ------
        StoreError
            By name: this file is damaged, so that `copy` stays as it was; no space left.
        """
        if self.path is None:
            return
        parts = f"{self.path.name}.copying-"
        part = self.path.with_name(f"{parts}{os.getpid()}")  # another process may copy at the same time
        with self._named_errors():
            for left in self.path.parent.glob(f"{parts}*"):
                with suppress(FileNotFoundError):  # the other process was done with it just now
                    if left == part or left.stat().st_mtime < time.time() - _CUT_SHORT_S:
                        left.unlink()
            try:
                with (
                    closing(sqlite3.connect(_only_reading(self.path), uri=True)) as source,
                    closing(sqlite3.connect(part)) as target,
                ):
                    target.execute("PRAGMA journal_mode = OFF")  # a part that fails is thrown away
                    source.backup(target)
                    self._refuse_damage(target)
                part.replace(copy)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Close the file; it cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._close_idle()
            self._db.close()

    def _close_idle(self) -> None:
        with suppress(IndexError):  # the end of the list
            while True:
                self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _data_version(self) -> int:
        """Moves whenever another connection has committed."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # Reading

    def rows(self, sql: str, arguments: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Answer a query as committed at this moment."""
        with self._named_errors(), self._reading() as db:
            return db.execute(sql, arguments).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection no other thread reads with at the moment."""
        if self.path is None:  # one in memory has only one
            with self._lock:
                self._refuse_when_closed()
                yield self._db
            return
        self._refuse_when_closed()
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connect()
        try:
            yield db
        finally:
            self._idle.append(db)
            if self._closed:  # by another thread, while this one read
                self._close_idle()

    # Writing

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time; all or nothing; errors by name."""
        with self._lock, self._named_errors():
            self._refuse_when_closed()
            with self._write():
                yield self._db

    @contextmanager
    def _write(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself takes back what fails for want of space
                self._db.execute("ROLLBACK")
            self._taken_back()
            raise

    def _taken_back(self) -> None:
        """A write came to nothing: forget what was remembered of it."""

    # Errors

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreClosedError(self.path, "it is closed", "open it again")

    def _refuse_damage(self, db: sqlite3.Connection) -> None:
        found = db.execute("PRAGMA quick_check(1)").fetchall()
        if found != [("ok",)]:
            raise self._damaged(" ".join(str(found[0][0]).split()))

    def _damaged(self, why: str) -> StoreCorruptError:
        """The error for damage that was met; where it can, the next start is told to look at every page."""
        if self.path is not None and not self._read_only and not (mark := check_mark(self.path)).exists():
            try:
                mark.write_text(f"{why}\n", encoding="utf-8")
            except OSError as error:
                log.warning("%s cannot be written: %s", mark, error)
        cure = "open the window anew: it keeps this file aside and opens the newest copy"
        return StoreCorruptError(self.path, f"the file is damaged ({why})", cure)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._named(error) from error

    def _named(self, error: Exception) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0)  # absent where Python, not SQLite, complains
        match code & 0xFF:  # the low byte is the family of the error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return StoreBusyError(
                    self.path, f"another process held it for {_BUSY_S:.0f} s", "close it and try again"
                )
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return self._damaged(str(error))
            case sqlite3.SQLITE_FULL:
                return StoreError(self.path, f"no space left ({error})", "free some; nothing stored was lost")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                unwriteable = True
            case _:
                unwriteable = isinstance(error, OSError)
        if unwriteable:
            cure = "make the folder writeable, or choose another --data-dir"
            return StoreReadOnlyError(self.path, f"it cannot be written ({error})", cure)
        return StoreError(self.path, str(error), "try again; if it stays, move the file aside")


def _only_reading(path: Path) -> str:
    """The address by which SQLite reads a file and changes nothing.

    Without a log beside it nobody has it open, and it is taken as it lies: else SQLite would lay a log there.
    """
    quiet = not path.with_name(f"{path.name}-wal").exists()
    return f"{_address(path.absolute())}?mode=ro{'&immutable=1' * quiet}"


def _address(path: PurePath) -> str:
    """As `as_uri`, but without a host: SQLite takes a network folder of Windows only as a part of the path."""
    named = path.as_posix()
    return f"file://{'' if named.startswith('/') else '/'}{quote(os.fsencode(named), safe='/:')}"
