"""The demo is simulated once for all tests; slow statistics are left out where no test is about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.qt import make_qt
from desktop.sources import demo, demo_market
from tests.app.rig import Rig
from tests.sources.yahoo_server import forget_client
from widgets import theme

simulated = cache(demo_market.simulate)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "simulate", simulated)
    if request.node.get_closest_marker("statistics") is None:
        monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))


@pytest.fixture
def rig(qtbot, qapp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    make_qt()
    made = Rig(qtbot, tmp_path, monkeypatch)
    yield made
    made.close()
    qapp.setStyleSheet("")
    theme.load_fonts()


@pytest.fixture
def yahoo_client() -> Iterator[None]:
    """Yfinance as in a new process."""
    yield from forget_client()
