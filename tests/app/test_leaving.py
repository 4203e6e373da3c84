"""The process ends with its window, whatever is still being worked out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from desktop.market.store import FILE_NAME

ROOT = Path(__file__).parents[2]
CLOSES_DURING_A_STATISTIC = """
import sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer
from desktop import app, deferred
from desktop.qt import make_qt

under_way = threading.Event()

def never_ends():
    under_way.set()
    threading.Event().wait()

deferred._load = never_ends
qt = make_qt()
timer = QTimer(interval=20)
timer.timeout.connect(lambda: under_way.is_set() and [one.close() for one in qt.topLevelWidgets()])
timer.start()
sys.exit(app.run(Path(sys.argv[1]), demo=True, as_of=None, offline=True))
"""


def test_a_statistic_that_is_being_worked_out_holds_nobody_up(tmp_path):
    (tmp_path / "settings.toml").write_text("[appearance]\nwelcomed = true\n")  # no first-run page above it
    done = subprocess.run(
        [sys.executable, "-c", CLOSES_DURING_A_STATISTIC, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "layout.json").is_file()  # what the window keeps was kept
    assert not list(tmp_path.glob(f"{FILE_NAME}-wal"))
    assert not (tmp_path / "window.lock").exists()
