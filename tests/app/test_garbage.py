"""Garbage is collected on the window's thread: what Qt made must not be destroyed by another."""

from __future__ import annotations

import threading
import weakref

import pytest
from PySide6.QtCore import QTimer

from desktop.loading import quietly

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


class Ring(QTimer):
    """Something of Qt's that holds itself, as a dialog does whose signals call its own methods."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def allocate() -> None:
    """Make enough objects for many collections by Python itself."""
    kept = [[number] for number in range(200_000)]
    assert len(kept) == 200_000


def thread_that_destroys() -> list[str]:
    """Drop something that only a collection destroys; the list then names the thread that did."""
    told: list[str] = []
    weakref.finalize(Ring(), lambda: told.append(threading.current_thread().name))
    return told


def test_what_a_closed_dialog_leaves_is_destroyed_on_the_windows_thread_though_others_make_objects(rig):
    rig.start(demo=True)
    rig.frame()
    told = thread_that_destroys()
    other = threading.Thread(target=allocate, name="other")
    other.start()
    other.join()
    assert told == []
    rig.until(lambda: told)
    assert told == ["MainThread"]


def test_a_library_loaded_meanwhile_leaves_it_so(rig):
    rig.start(demo=True)
    rig.frame()
    with quietly():
        pass
    told = thread_that_destroys()
    other = threading.Thread(target=allocate, name="other")
    other.start()
    other.join()
    assert told == []
