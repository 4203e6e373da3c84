"""One window a data folder: a second start raises the first, whatever became of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from desktop.single import OneWindow, SilentWindowError, WindowOpenError, no_window

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from desktop.single import OneWindow
place = OneWindow(Path(sys.argv[1]))
print(place.claim(), flush=True)
sys.stdin.read()
"""


def start(*arguments: str, **more) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, **more,
    )  # fmt: skip


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder and answers nobody."""
    process = start("-c", HOLDER, str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "True"
    yield process
    process.kill()
    process.communicate()


def test_second_start_raises_the_first_window_says_so_and_ends(qtbot, tmp_path):
    first = OneWindow(tmp_path)
    parent, came = QObject(), []
    assert first.claim()
    first.watch(parent, lambda: came.append(threading.current_thread()))
    second = start("-m", "desktop", "--offline", "--data-dir", str(tmp_path))
    try:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=30_000)
        out, err = second.communicate()
    finally:
        second.kill()
        first.release()
    assert (second.returncode, err) == (0, "")
    assert out.startswith(f"already open on {tmp_path}: its window was raised")
    assert came == [threading.main_thread()]


def test_window_that_does_not_answer_is_told_with_its_process(tmp_path, other):
    second = OneWindow(tmp_path)
    assert not second.claim()
    with pytest.raises(SilentWindowError, match=f"process {other.pid}.*does not answer"):
        second.raise_other(patience_s=0.2)


def test_window_that_was_killed_keeps_nobody_out(tmp_path, other):
    other.kill()
    other.wait(10)
    assert (tmp_path / "window.lock").exists()
    assert OneWindow(tmp_path).claim()


def test_two_folders_hold_two_windows(tmp_path):
    first, second = OneWindow(tmp_path / "one"), OneWindow(tmp_path / "two")
    assert first.claim()
    assert second.claim()
    first.release()
    second.release()


def test_folder_that_is_released_can_be_claimed_again(tmp_path):
    first = OneWindow(tmp_path)
    assert first.claim()
    assert not OneWindow(tmp_path).claim()
    first.release()
    assert OneWindow(tmp_path).claim()


def test_folder_that_cannot_be_made_keeps_nobody_out(tmp_path):
    (tmp_path / "file").write_text("")
    assert OneWindow(tmp_path / "file" / "folder").claim()


def test_knock_of_an_earlier_day_is_not_answered(qtbot, tmp_path):
    (tmp_path / "window.raise").write_text("raise\n")
    place, parent, came = OneWindow(tmp_path), QObject(), []
    place.claim()
    place.watch(parent, lambda: came.append(1))
    other = OneWindow(tmp_path)
    thread = threading.Thread(target=other.raise_other)
    thread.start()
    qtbot.waitUntil(lambda: not thread.is_alive())
    thread.join()
    place.release()
    assert came == [1]


def test_window_that_closes_while_it_is_asked_to_come_leaves_its_place(tmp_path, other):
    second, answers = OneWindow(tmp_path), []
    assert not second.claim()
    asking = threading.Thread(target=lambda: answers.append(second.raise_other(patience_s=60)))
    asking.start()
    other.kill()
    asking.join(30)
    assert answers == [False]
    assert not OneWindow(tmp_path).claim()


def test_nothing_is_done_to_a_folder_whose_window_is_open(tmp_path, other):
    told = f"process {other.pid}.*close it and do this again, or ask it"
    with pytest.raises(WindowOpenError, match=told), no_window(tmp_path, "ask it"):
        pytest.fail("a window is open")
    other.kill()
    other.wait(10)
    with no_window(tmp_path, "ask it"):
        assert not OneWindow(tmp_path).claim()
    assert OneWindow(tmp_path).claim()


def test_minimized_window_comes_back_as_it_was(rig):
    rig.start(demo=True)
    rig.frame()
    window: QWidget = rig.window
    window.setWindowState(Qt.WindowState.WindowMinimized | Qt.WindowState.WindowMaximized)
    rig.window.come_to_the_front()
    assert not window.isMinimized()
    assert window.isMaximized()
    assert window.isVisible()
