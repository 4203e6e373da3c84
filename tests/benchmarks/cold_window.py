"""A cold start of the window on the store of a folder; tells when every panel is painted, and what was loaded."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from desktop.app import Application
from desktop.qt import make_qt

app = make_qt()
application = Application(Path(sys.argv[1]), offline=True)
shown: list[object] = []
application.shown.connect(shown.append)
application.open(as_of=datetime(2024, 7, 11, 16, 0, tzinfo=UTC))
while not shown:
    app.processEvents()
app.processEvents()
application.window.grab()
heavy = [name for name in ("pandas", "yfinance", "scipy", "statsmodels", "keyring") if name in sys.modules]
sys.stdout.write(f"painted {' '.join(heavy)}\n")
sys.stdout.flush()
os._exit(0)
