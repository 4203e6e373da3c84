"""The window's layout on disk: survives restarts and upgrades, and never puts a dock off every screen."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

FILE_NAME = "layout.json"
STATE_VERSION = 0
"""Stays 0 for ever: docks are matched by name, so an upgrade keeps the places of those it knows."""
_VISIBLE_PX = 48
"""A window counts as reachable when this much of its top edge lies on a screen."""

log = logging.getLogger(__name__)


def save(window: QMainWindow, folder: Path) -> None:
    """Write geometry and dock places of `window` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (FILE_NAME + ".new")
    draft.write_text(json.dumps(document(window)), encoding="utf-8")
    draft.replace(folder / FILE_NAME)


def document(window: QMainWindow) -> dict[str, str]:
    """Geometry and dock places of `window`, as they are written."""
    return {"geometry": _text(window.saveGeometry()), "state": _text(window.saveState(STATE_VERSION))}


def restore(window: QMainWindow, folder: Path) -> str:
    """Put `window` where it was; returns why not, "" where all is well or nothing was saved.

    Docks off every screen come back.
    """
    try:
        saved = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        geometry, state = _bytes(saved["geometry"]), _bytes(saved["state"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        return _told(f"{type(error).__name__}: {error}")
    placed = window.restoreGeometry(geometry)  # Qt refuses one of a screen that is much wider or narrower
    restored = window.restoreState(state, STATE_VERSION)
    bring_back(window, window.findChildren(QDockWidget))
    if not restored:
        return _told("it is not of this window")
    return "" if placed else _warned("the layout is of a screen of another size: the window keeps its size here")


def _told(cause: str) -> str:
    return _warned(f"the saved layout could not be read ({cause}); the default layout is used")


def _warned(line: str) -> str:
    log.warning("%s", line)
    return line


def bring_back(window: QMainWindow, docks: Sequence[QDockWidget]) -> None:
    """Dock what floats off every screen; move the window itself back when it lies off every screen."""
    for dock in docks:
        if dock.isFloating() and not _reachable(dock.frameGeometry()):
            dock.setFloating(False)
    if not _reachable(window.frameGeometry()) and not window.windowState() & Qt.WindowState.WindowMaximized:
        _centre(window)


def _centre(window: QWidget) -> None:
    free = QGuiApplication.primaryScreen().availableGeometry()
    window.resize(window.size().boundedTo(free.size()))
    window.move(free.center() - window.rect().center())


def _reachable(frame: QRect) -> bool:
    edge = QRect(frame.x(), frame.y(), frame.width(), _VISIBLE_PX)
    on_screens = (edge & screen.availableGeometry() for screen in QGuiApplication.screens())
    return any(seen.width() >= _VISIBLE_PX and seen.height() >= _VISIBLE_PX // 2 for seen in on_screens)


def _text(data: QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray(base64.b64decode(text, validate=True))
