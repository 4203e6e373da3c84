"""Standard output and error where there are none: a program of Windows without a console."""

from __future__ import annotations

import io
import sys

_unseen: io.StringIO | None = None


def ensure() -> None:
    """Give the process streams it can write to; what goes to stderr is kept to be shown."""
    global _unseen
    if sys.stdout is None:
        sys.stdout = io.StringIO()
    if sys.stderr is None:
        sys.stderr = _unseen = io.StringIO()


def show_what_nobody_saw(code: int) -> None:
    """After a failure, show in a box what would have stood on stderr, if there was none."""
    told = "" if _unseen is None else _unseen.getvalue().strip()
    if not code or not told:
        return
    from PySide6.QtWidgets import QMessageBox

    from desktop.qt import make_qt

    make_qt()
    QMessageBox.critical(None, "Rotation Monitor", told)
