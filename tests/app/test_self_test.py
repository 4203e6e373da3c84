"""`--self-test` and pictures: what an installation is checked for, and how a failure is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from desktop import picture, self_test
from desktop.picture import PictureError
from desktop.self_test import SelfTestError
from desktop.settings import Settings
from tests.presenters.conftest import EVENING, build

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_check_holds_here(tmp_path):
    without_display = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "QT_QPA_PLATFORM")
    }
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--self-test", "--json"],
        env=without_display,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["passed"] is True
    checks = {one["check"]: one for one in told["checks"]}
    # DESIGN, "Command line": paints every panel, checks resources, keyring import, TLS bundle, time zones.
    assert set(checks) >= {"resources", "keyring", "TLS certificates", "time zones", "window"}
    assert int(checks["window"]["found"].split(" panels painted")[0]) >= 8


def broken() -> str:
    raise SelfTestError("the bundle has no time zones")


def astray() -> str:
    raise ModuleNotFoundError("No module named 'certifi'")


def test_failed_check_is_told_and_the_others_are_still_run(monkeypatch, capsys):
    monkeypatch.setattr(self_test, "CHECKS", {"time zones": broken, "TLS": astray, "store": lambda: "writes"})
    assert self_test.run(as_json=False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL time zones: SelfTestError: the bundle has no time zones"
    assert lines[1].startswith("FAIL TLS: ModuleNotFoundError: No module named")
    assert lines[2] == "ok   store: writes"
    assert lines[3].endswith("NOT READY TO USE")


def test_failed_check_is_told_to_machines_too(monkeypatch, capsys):
    monkeypatch.setattr(self_test, "CHECKS", {"time zones": broken})
    assert self_test.run(as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is False
    assert told["checks"] == [
        {"check": "time zones", "ok": False, "found": "SelfTestError: the bundle has no time zones"}
    ]


@pytest.fixture
def offscreen(monkeypatch, qapp):
    """Pictures take over Qt's messages; here they stay with the tests."""
    from desktop.qt import make_qt

    monkeypatch.setattr(picture, "make_offscreen_qt", make_qt)
    yield
    qapp.setStyleSheet("")


@pytest.mark.usefixtures("offscreen", "qtbot")
@pytest.mark.parametrize("name", ["dark", "light"])
def test_picture_has_the_size_and_the_colours_that_were_asked_for(tmp_path, name):
    from widgets import theme

    path = tmp_path / "window.png"
    picture.write(build(EVENING, EVENING.date()), path, Settings(), size=(1280, 720), theme=name)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1280, 720)
    panel = (theme.DARK if name == "dark" else theme.LIGHT).panel
    seen = [image.pixelColor(x, y).name() for x in range(0, 1280, 8) for y in range(0, 720, 8)]
    assert seen.count(panel) > len(seen) / 3


@pytest.mark.usefixtures("offscreen", "qtbot")
def test_picture_that_cannot_be_written_is_told_with_its_path(tmp_path):
    path = tmp_path / "no such folder" / "window.png"
    with pytest.raises(PictureError, match="no such folder"):
        picture.write(build(EVENING, EVENING.date()), path, Settings(), size=(1280, 720), theme="dark")


def test_library_messages_of_qt_go_to_the_log(caplog):
    from PySide6.QtCore import QtMsgType

    from desktop.qt import _log_message

    _log_message(QtMsgType.QtWarningMsg, None, "QPainter::begin: Paint device returned engine == 0")
    _log_message(QtMsgType.QtWarningMsg, None, "This plugin does not support propagateSizeHints()")
    assert [one.message for one in caplog.records] == ["QPainter::begin: Paint device returned engine == 0"]
    assert caplog.records[0].levelname == "WARNING"
