"""A file that is kept with copies of itself: opened whatever happened to it.

A damaged file is moved aside under a name that says when, and the newest copy that can be used takes its place;
one that is gone comes back the same way. Both are told. Another program's file, one of a later version and one
that stays busy are left alone.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Generic, TypeVar

from desktop.market.database import (
    Database,
    StoreCorruptError,
    StoreError,
    StoreForeignError,
    StoreReadOnlyError,
    check_mark,
)

T = TypeVar("T", bound=Database)
_PARTS = ("", "-wal", "-shm")
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptFile(Generic[T]):
    """How one kind of file is kept: the name of the file, what the user calls it, how often it is copied."""

    kind: type[T]
    name: str
    called: str
    every_days: int
    """A copy is due when the newest is so many days old."""
    most: int
    """So many of the dated copies stay."""
    always_checked: bool
    """Whether every page is read at each start, not only after damage was met: as far as that takes no time."""

    def open(self, folder: Path, now: datetime) -> tuple[T, str]:
        """Open the file of `folder`; returns it and what has to be told, "" where all is well.

        Raises
        ------
        StoreError
            By name, where another program's file stands in its place, a later version wrote it, it stays busy, or
            the folder cannot be written.
        """
        path = folder / self.name
        try:
            if path.exists() or not self.copies(folder):
                return self._opened(path), ""
            # removed, or a start that put a copy in its place was cut short
            return self._from_copy(path, f"the {self.called} was gone")
        except StoreForeignError:
            raise
        except StoreCorruptError as error:
            return self._restored(path, now, error)

    def copies(self, folder: Path) -> list[Path]:
        """All copies, newest first: the dated ones, and those made before a migration."""
        before = sorted(folder.glob(f"{self.name}.v*.bak"), reverse=True)
        return sorted((*self.dated(folder), *before), key=made_on, reverse=True)

    def dated(self, folder: Path) -> list[Path]:
        """The copies made as time goes by, newest first."""
        return sorted(folder.glob(f"{Path(self.name).stem}-{_DAY}.sqlite"), reverse=True)

    def unusable(self, copy: Path) -> StoreError | None:
        """Why a copy cannot take the file's place; None where it can. The copy stays as it is."""
        try:
            with self.kind(copy, read_only=True) as one:
                one.check()
        except StoreError as error:
            return error
        return None

    def damaged(self, folder: Path) -> list[Path]:
        """The damaged files that were kept aside, newest first."""
        aside = folder.glob(f"{self.name}.damaged-*")
        return sorted((one for one in aside if not one.name.endswith(_PARTS[1:])), reverse=True)

    def keep_copy(self, opened: T, folder: Path, now: datetime) -> None:
        """Make the copy that is due, if one is; one that cannot be made keeps nobody from working."""
        today = now.date()
        try:
            if not any(0 <= (today - made_on(one)).days < self.every_days for one in self.dated(folder)):
                opened.back_up(folder / f"{Path(self.name).stem}-{today}.sqlite")
            for old in self.dated(folder)[self.most :]:
                old.unlink()
        except (StoreError, OSError) as error:
            log.warning("no copy of the %s today: %s", self.called, error)

    def _opened(self, path: Path) -> T:
        """Open the file; with every page read where that is asked for."""
        opened, marked = self.kind(path), check_mark(path).exists()
        if self.always_checked or marked:
            try:
                opened.check()
            except StoreError:
                opened.close()
                raise
        if marked:
            try:
                check_mark(path).unlink()
            except OSError as error:  # it is checked once more the next time
                log.warning("%s stays: %s", check_mark(path), error)
        return opened

    def _restored(self, path: Path, now: datetime, error: StoreError) -> tuple[T, str]:
        aside = path.with_name(f"{path.name}.damaged-{now:%Y-%m-%dT%H%M%SZ}")
        try:
            for part in _PARTS:
                piece = path.with_name(path.name + part)
                if piece.exists():
                    piece.replace(aside.with_name(aside.name + part))
            check_mark(path).unlink(missing_ok=True)
        except OSError as unwriteable:
            cure = "make the folder writeable, or choose another --data-dir"
            raise StoreReadOnlyError(
                path, f"it is damaged and cannot be moved aside ({unwriteable})", cure
            ) from error
        log.error("%s; kept as %s", error, aside)
        return self._from_copy(path, f"the {self.called} was damaged and is kept as {aside.name}")

    def _from_copy(self, path: Path, why: str) -> tuple[T, str]:
        """Put the newest copy that can be used in the file's place, whole or not at all."""
        for copy in self.copies(path.parent):
            if unusable := self.unusable(copy):
                log.warning("%s cannot be used: %s", copy, unusable)
                continue
            part, day = path.with_name(f"{path.name}.part"), made_on(copy)
            try:
                shutil.copyfile(copy, part)
                part.replace(path)
            except OSError as error:
                part.unlink(missing_ok=True)
                cause = f"{why}; {copy.name} cannot take its place ({error})"
                raise StoreError(
                    path, cause, "free some space and start again; the copies are untouched"
                ) from error
            return self.kind(path), f"{why}; the copy of {day} is open"
        return self.kind(path), f"{why}; there is no copy, a new one is open"


def made_on(copy: Path) -> date:
    """The day a copy is of: the one in its name, else the one (UTC) it was written on."""
    try:
        return date.fromisoformat(copy.stem[-len("2024-07-11") :])
    except ValueError:
        return datetime.fromtimestamp(copy.stat().st_mtime, UTC).date()
