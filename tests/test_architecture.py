"""What must hold of the whole: nothing heavy before the first paint, a page that names what exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("pandas", "yfinance", "scipy", "statsmodels", "keyring", "exchange_calendars", "curl_cffi", "icalendar")
FIRST_PAINT = """
import sys
from pathlib import Path
from desktop.app import Application
from desktop.qt import log_qt_messages, make_qt
from widgets.ratio_panel import RatioPanel
log_qt_messages()
app = make_qt()
application = Application(Path(sys.argv[1]), offline=True)
painted = []
def look(frame):
    application.window.grab()  # every panel is painted, now
    painted.append(sorted(name for name in sys.argv[2].split(",") if name in sys.modules))
    app.quit()
application.shown.connect(look)
application.open(demo=sys.argv[3] == "demo")
app.exec()
application.close()
print(painted[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["demo", "store"])
def test_nothing_heavy_is_loaded_before_the_first_paint(tmp_path, what):
    if what == "store":
        fill(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT, str(tmp_path), ",".join(HEAVY), what],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def fill(folder: Path) -> None:
    """Some daily closes of both legs."""
    from datetime import UTC, datetime

    import numpy as np

    from desktop.market.quotes import Closes
    from desktop.market.sessions import NYSE
    from desktop.market.store import FILE_NAME, Priority, Store

    last = NYSE.last_closed(datetime.now(UTC)).day
    days = NYSE.days(last.replace(year=last.year - 2, day=1), last)
    with Store(folder / FILE_NAME) as store:
        for symbol, level in (("^RUT", 2000.0), ("^NDX", 18000.0)):
            close = level * (1 + 0.01 * np.sin(np.arange(len(days)) / 9.0))
            store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)


def test_architecture_names_files_that_exist():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"```\n(.*?)```", page, re.DOTALL)
    missing, folder = [], ROOT
    for line in tree.splitlines():
        first = line.split()[0]
        if not line.startswith(" "):
            folder = ROOT / first
        elif line.startswith("  ") and line[2] != " " and not (folder / first).exists():
            missing.append(f"{folder.name}/{first}")
        beside = {one.name for one in folder.rglob("*.py")}
        missing += [one for one in re.findall(r"\b\w+\.py\b", line) if one not in beside]
        missing += [] if folder.is_dir() else [first]
    assert "desktop/" in tree
    assert missing == []
