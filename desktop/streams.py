"""The process's ends: output where there is none (a program of Windows without a console), and leaving in time."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading

_unseen: io.StringIO | None = None


def ensure() -> None:
    """Give the process streams it can write to; what goes to stderr is kept to be shown."""
    global _unseen
    if sys.stdout is None:
        sys.stdout = io.StringIO()
    if sys.stderr is None:
        sys.stderr = _unseen = io.StringIO()


def leave_if_busy(code: int) -> None:
    """End the process at once where a thread still works; returns where none does.

    For after everything is written and closed: a slow statistic cannot be stopped, and waiting for it would hold a
    process whose window is gone for up to a minute.
    """
    if threading.active_count() == 1:
        return
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def show_what_nobody_saw(code: int) -> None:
    """After a failure, show in a box what would have stood on stderr, if there was none."""
    told = "" if _unseen is None else _unseen.getvalue().strip()
    if not code or not told:
        return
    from PySide6.QtWidgets import QMessageBox

    from desktop.qt import make_qt

    make_qt()
    QMessageBox.critical(None, "Rotation Monitor", told)
