"""One window a data folder: a second start raises the first window and ends.

The first holds a lock file and watches a second file beside it; a later start writes into that, and the first
answers by emptying it. No port is opened. The lock of a process that is gone counts for nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QLockFile, QObject

from desktop.market.known import UserError

LOCK, KNOCK = "window.lock", "window.raise"
_PATIENCE_S = 5.0
_LOOK_S = 0.05

log = logging.getLogger(__name__)


class SilentWindowError(UserError):
    """A window on this folder is open but does not answer; carries its process."""

    def __init__(self, folder: Path, process: int) -> None:
        super().__init__(
            f"a window on {folder} is open (process {process}) and does not answer: close it, or end that "
            "process, then start again; or choose another folder with --data-dir"
        )
        self.folder, self.process = folder, process


class WindowOpenError(UserError):
    """What is asked would be undone by the window that is open on this folder; carries its process."""

    def __init__(self, folder: Path, process: int, instead: str) -> None:
        super().__init__(
            f"a window on {folder} is open (process {process}) and would write its own settings and layout over "
            f"it when it closes: close it and do this again, or {instead}; nothing was changed"
        )
        self.folder, self.process, self.instead = folder, process, instead


@contextmanager
def no_window(folder: Path, instead: str) -> Iterator[None]:
    """Keep `folder` free of windows meanwhile; `instead` is what a window that is open could do itself.

    Raises
    ------
    WindowOpenError
        Where one is open.
    """
    place = OneWindow(folder)
    if not place.claim():
        raise WindowOpenError(folder, place.holder(), instead)
    try:
        yield
    finally:
        place.release()


class OneWindow:
    """The claim of this process to be the one window on `folder`."""

    def __init__(self, folder: Path) -> None:
        self._knock = folder / KNOCK
        self._folder = folder
        self._watcher: QFileSystemWatcher | None = None
        self._lock = QLockFile(os.fspath(folder / LOCK))
        self._lock.setStaleLockTime(0)  # however old: it counts as long as its process lives

    def claim(self) -> bool:
        """Whether this process may open the window; a folder that cannot be written holds nobody back."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning("no lock in %s: %s", self._folder, error)
            return True
        return self._lock.tryLock(0) or self._lock.error() is not QLockFile.LockError.LockFailedError

    def holder(self) -> int:
        """The process that holds the folder."""
        return int(self._lock.getLockInfo()[0])

    def raise_other(self, patience_s: float = _PATIENCE_S) -> bool:
        """Have the window that is open come to the front; False where it closed meanwhile: the claim is ours now.

        Raises
        ------
        SilentWindowError
            Where it does not answer.
        """
        process = self.holder()
        _may_come_to_the_front(process)
        deadline = time.monotonic() + patience_s
        self._knock.write_text("raise\n", encoding="ascii")
        while self._knock.exists() and self._knock.stat().st_size:
            if self._lock.tryLock(0):
                return False
            if time.monotonic() > deadline:
                raise SilentWindowError(self._folder, process)
            time.sleep(_LOOK_S)
        return True

    def watch(self, parent: QObject, come: Callable[[], None]) -> None:
        """Call `come`, on the thread of `parent`, whenever another start asks for this window."""
        try:
            self._knock.write_bytes(b"")
        except OSError as error:
            log.warning("%s: %s", self._knock, error)
            return
        self._watcher = QFileSystemWatcher([os.fspath(self._knock)], parent)

        def knocked() -> None:
            if self._knock.exists() and self._knock.stat().st_size:
                self._knock.write_bytes(b"")
                come()

        self._watcher.fileChanged.connect(lambda _: knocked())

    def release(self) -> None:
        """Let the next start open a window."""
        self._lock.unlock()


def _may_come_to_the_front(process: int) -> None:
    """Windows lets a window come to the front only when the program in front allows it."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(process)
