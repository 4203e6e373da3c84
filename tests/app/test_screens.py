"""Screens as people have them: scaled, small, two of them with different scales; a font that is not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[2]
OPENED = """
import json, sys
from pathlib import Path
from desktop.app import Application
from desktop.qt import log_qt_messages, make_qt
from PySide6.QtWidgets import QDockWidget
log_qt_messages()
app = make_qt()
application = Application(Path(sys.argv[1]), offline=True)
window, shown = application.window, []
application.shown.connect(shown.append)
application.open(demo=True)
def settle(frames):
    while len(shown) < frames: app.processEvents()
    for _ in range(20): app.processEvents()
settle(2)
told = {}
def tell(key, **more):
    free, frame = window.screen().availableGeometry(), window.frameGeometry()
    told[key] = {"fits": free.contains(frame), "screen": window.screen().name(), **more}
"""
END = "\nprint(json.dumps(told))\nwindow.close()\napplication.close()\n"


def screens(tmp_path: Path, *given: tuple[str, int, int, int, float]) -> dict[str, str]:
    """The environment of a machine with these screens: name, x, width and height in its own units, scale."""
    path = tmp_path / "screens.json"
    listed = [
        {"name": name, "x": x, "y": 0, "width": wide, "height": high, "dpr": dpr, "logicalDpi": 96,
         "logicalBaseDpi": 96}
        for name, x, wide, high, dpr in given
    ]  # fmt: skip
    path.write_text(
        json.dumps({"synchronousWindowSystemEvents": True, "windowFrameMargins": False, "screens": listed})
    )
    return {**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={path}"}


def opened(folder: Path, script: str, environ: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-c", OPENED + script + END, str(folder)], env=environ, cwd=ROOT, capture_output=True,
        text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("wide", "high", "scale"),
    [(1920, 1080, 1.0), (1280, 720, 1.5), (1097, 617, 1.75), (960, 540, 2.0)],
)
def test_window_fits_a_full_hd_laptop_at_every_scale(tmp_path, wide, high, scale):
    told = opened(tmp_path, "tell('first')", screens(tmp_path, ("one", 0, wide, high, scale)))
    assert told["first"]["fits"], told


def test_low_screen_shows_one_row_and_reaches_every_panel_by_its_tab(tmp_path):
    script = """
tabs = {key: [one.windowTitle() for one in window.tabifiedDockWidgets(window._docks[key])]
        for key in ("ratio", "divergence")}
window.focus_panel("sizer")
settle(len(shown) + 1)
tell("first", tabs=tabs, sizer=not window.sizer.visibleRegion().isEmpty())
"""
    told = opened(tmp_path, script, screens(tmp_path, ("one", 0, 960, 540, 2.0)))["first"]
    assert told["tabs"]["ratio"] == ["Correlation gauge"]
    assert set(told["tabs"]["divergence"]) == {"Thesis", "Position sizer"}
    assert told["sizer"]
    assert told["fits"]


def test_window_moves_between_screens_of_different_scale_and_back_when_one_is_gone(tmp_path):
    both = screens(tmp_path, ("left", 0, 1920, 1080, 1.0), ("right", 1920, 1280, 720, 2.0))
    script = """
window.resize(1280, 720)
window.move(1920, 0)
window._docks["thesis"].setFloating(True)
window._docks["thesis"].move(2400, 100)
settle(len(shown) + 1)
tell("right", dock=window._docks["thesis"].screen().name())
"""
    told = opened(tmp_path, script, both)["right"]
    assert (told["screen"], told["dock"]) == ("right", "right")
    alone = screens(tmp_path, ("left", 0, 1920, 1080, 1.0))
    script = """
thesis = window._docks["thesis"]
free = window.screen().availableGeometry()
tell("left", reached=free.contains(thesis.frameGeometry()), shown=thesis.isVisible())
"""
    told = opened(tmp_path, script, alone)["left"]
    assert told["screen"] == "left"
    assert told["fits"]
    assert told["reached"], told  # it lay on the screen that is gone: floating or docked, it came back
    assert told["shown"]


@pytest.mark.parametrize("scale", ["1.25", "2"])
def test_picture_at_a_scale_has_that_many_pixels_of_the_same_window(tmp_path, scale):
    path = tmp_path / "window.png"
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "report", "--demo", "--png", str(path), "--size", "1280x720"],
        env={**os.environ, "QT_SCALE_FACTOR": scale}, cwd=ROOT, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    image = QImage(str(path))
    assert (image.width(), image.height()) == (round(1280 * float(scale)), round(720 * float(scale)))


def test_font_that_is_missing_is_told_before_a_window_of_boxes_opens(tmp_path):
    copy = tmp_path / "resources"
    shutil.copytree(ROOT / "resources", copy, ignore=shutil.ignore_patterns("*.otf", "__pycache__"))
    code = (
        "import sys, resources; from pathlib import Path; resources._HERE = Path(sys.argv[1])\n"
        "from desktop.__main__ import main; sys.exit(main(['--demo', '--data-dir', sys.argv[2]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy), str(tmp_path / "data")], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert "install it again" in done.stderr
    assert "Traceback" not in done.stderr
