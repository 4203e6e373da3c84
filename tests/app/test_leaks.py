"""What is left when a window was closed: no thread, no widget, no timer, no log file, no hook."""

from __future__ import annotations

import gc
import logging
import sys
import threading

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop.market.known import Unknown
from desktop.market.store import FILE_NAME
from tests.app.rig import fill

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def timers_running(top: QObject) -> list[QTimer]:
    return [one for one in top.findChildren(QTimer) if one.isActive()]


def settle(rig) -> None:
    gc.collect()
    QApplication.processEvents()
    rig.until(lambda: not {one.name for one in threading.enumerate()} & {"engine", "work_0", "feed-watch"})


@pytest.mark.slow
@pytest.mark.usefixtures("slow_statistics")
def test_three_windows_one_after_the_other_leave_nothing(rig, qapp):
    """With the slow statistics: their thread may end its work, then it must be gone."""
    from datetime import date

    fill(rig.folder, date(2024, 7, 9))
    before = set(threading.enumerate())
    widgets, handlers = [], []
    hooks = sys.excepthook, threading.excepthook
    for number in range(3):
        rig.start(demo=True)
        rig.frame()
        if number == 0:
            rig.until(lambda: not isinstance(rig.frame().snapshot.ratio.adf, Unknown), 30_000)
        rig.window.tell(rig.window.frame_shown.status.session)  # starts a timer that outlives the window
        rig.window._choose("theme", "light")  # another one
        rig.press_demo()
        rig.frame(lambda one: one.playback is None)
        rig.close()
        settle(rig)
        widgets.append(len(qapp.allWidgets()))
        handlers.append(len(logging.getLogger().handlers))
    rig.until(lambda: set(threading.enumerate()) <= before)
    assert widgets[0] == widgets[1] == widgets[2]
    assert handlers[0] == handlers[1] == handlers[2]
    assert (sys.excepthook, threading.excepthook) == hooks
    assert not [one for one in qapp.topLevelWidgets() if one.objectName() == "main"]
    assert [one for top in qapp.topLevelWidgets() for one in timers_running(top)] == []
    assert not list(rig.folder.glob(f"{FILE_NAME}-wal"))  # the store was closed, not dropped


def test_no_timer_runs_while_nothing_happens(rig):
    """Frames come from the engine; an idle window must not wake up by itself."""
    rig.start(demo=True)
    rig.frame()
    rig.press_pause()
    rig.frame(lambda one: one.playback.paused)
    rig.until(lambda: timers_running(rig.window) == [])
