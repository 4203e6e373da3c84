"""The window as a picture: `report --png` without a display, and what Ctrl+S keeps of the one on screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtWidgets import QWidget

from desktop import settings
from desktop.market.known import UserError
from desktop.presenters.frame import Frame, FramePresenter, View
from desktop.qt import make_offscreen_qt
from desktop.settings import Settings
from desktop.snapshot import Snapshot
from desktop.snapshot_files import Parcel
from desktop.window import Window


class PictureError(UserError):
    """A picture could not be written; carries its path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: the picture could not be written: choose a folder that can be")
        self.path = path


def write(snapshot: Snapshot, path: Path, chosen: Settings, *, size: tuple[int, int], theme: str) -> None:
    """Draw the whole window with `snapshot` and save it as PNG; needs no display.

    Raises
    ------
    PictureError
        Where `path` cannot be written.
    """
    with drawn(snapshot, replace(chosen, theme=theme), size) as window:
        _save(window, path)


@contextmanager
def drawn(snapshot: Snapshot, chosen: Settings, size: tuple[int, int]) -> Iterator[Window]:
    """Yield a window offscreen that shows `snapshot`; it keeps neither layout nor settings."""
    app = make_offscreen_qt()
    view = View(chosen)
    window = Window(view, None)
    window.resize(QSize(*size))
    window.use_default_layout()
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)  # laid out and painted, but given to no screen
    window.show()
    window.show_frame(FramePresenter().present(snapshot, view))
    for _ in range(3):  # layouts settle in the events that follow a resize
        app.processEvents()
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()
        app.processEvents()


def taken(window: QWidget, shown: Frame, at: datetime) -> Parcel:
    """Return the window as PNG with its numbers as JSON: what Ctrl+S keeps; `at` is now (UTC)."""
    from desktop import report

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    window.grab().save(buffer, "PNG")
    figures = json.dumps(report.as_json(shown.snapshot), indent=2, allow_nan=False) + "\n"
    return Parcel(shown.snapshot.moment, shown.snapshot.mode, at, "", bytes(content.data()), figures)


def _save(window: QWidget, path: Path) -> None:
    if not window.grab().save(str(path), "PNG"):
        raise PictureError(path)


def settings_of(folder: Path) -> Settings:
    """The settings kept in `folder`; problems with the file are left to the window to tell."""
    return settings.load(folder)[0]
