"""The demo is simulated once for all tests; slow statistics are left out where no test is about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.store import Store
from desktop.qt import make_qt
from desktop.sources import demo
from tests.app.rig import Rig
from tests.sources.yahoo_server import forget_client
from widgets import theme


@cache
def _made() -> tuple[demo.DemoDay, Store]:
    store = Store(None)
    return demo.build_demo(store), store


def build_from_copy(store: Store) -> demo.DemoDay:
    """As `build_demo`, by copying what that made before."""
    day, made = _made()
    made._db.backup(store._db)
    store._changed(history=True)
    return day


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    _made()
    monkeypatch.setattr(demo, "build_demo", build_from_copy)
    if "slow_statistics" not in request.fixturenames:
        monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))


@pytest.fixture
def slow_statistics() -> None:
    """Asked for by a test that is about them."""


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
