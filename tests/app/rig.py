"""The whole application in a test: store, feed, engine and window are the real ones, only time is the test's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QLabel, QLineEdit, QPushButton, QWidget

from desktop import desk
from desktop.app import Application
from desktop.market.clock import Clock
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import FILE_NAME, Priority, Store
from desktop.presenters.frame import Frame
from desktop.sources.contract import Source
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.yahoo import Yahoo
from desktop.window import Window
from tests.sources.yahoo_server import YahooServer
from widgets.states import SizerState

OPEN = datetime(2024, 7, 10, 15, 0, tzinfo=UTC)
"""A Wednesday, 11:00 in New York: the exchange is open, the last closed session is 9 July."""
PATIENCE_MS = 20_000


class Hand:
    """A clock that stands where the test puts it."""

    speed = 1.0

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class Rig:
    """Opens applications one after the other on one folder, and closes what is left open."""

    def __init__(self, qtbot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.qtbot, self.folder = qtbot, folder
        self.clock = Hand(OPEN)
        monkeypatch.setattr(desk, "SystemClock", lambda: self.clock)
        self._open: Application | None = None

    def start(
        self,
        *,
        demo: bool = False,
        as_of: datetime | None = None,
        offline: bool = True,
        sources: desk.Sources = desk.yahoo,
        size: tuple[int, int] | None = None,
    ) -> Application:
        """Open a window as the command line does, and give it the keyboard."""
        app = self._open = Application(self.folder, offline=offline, sources=sources)
        if size is not None:
            app.window.resize(*size)
        app.open(demo=demo, as_of=as_of)
        self.until(app.window.isVisible)
        app.window.activateWindow()
        self.until(app.window.isActiveWindow)
        return app

    def until(self, condition: Callable[[], object], timeout_ms: int = PATIENCE_MS) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=timeout_ms)

    def frame(self, condition: Callable[[Frame], object] = lambda _: True) -> Frame:
        """Wait until the frame on screen is one that meets `condition`."""
        self.until(lambda: (shown := self.window.frame_shown) is not None and condition(shown))
        shown = self.window.frame_shown
        assert shown is not None
        return shown

    @property
    def app(self) -> Application:
        assert self._open is not None
        return self._open

    @property
    def window(self) -> Window:
        return self.app.window

    def press(self, keys: Qt.Key, control: bool = False, shift: bool = False) -> None:
        """Press a key as a person does: where the keyboard is."""
        if not self.window.isActiveWindow():  # a dialog was closed just now
            self.window.activateWindow()
            self.until(self.window.isActiveWindow)
        held = Qt.KeyboardModifier.NoModifier
        if control:
            held |= Qt.KeyboardModifier.ControlModifier
        if shift:
            held |= Qt.KeyboardModifier.ShiftModifier
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, keys, held)

    def press_demo(self) -> None:
        self.press(Qt.Key.Key_D, control=True)

    def press_pause(self) -> None:
        self.press(Qt.Key.Key_Space, control=True)

    def in_dialog(self, act: Callable[[QDialog], object]) -> Callable[[], bool]:
        """Have `act` work the next dialog that opens; returns whether it did so."""
        done: list[bool] = []
        timer = QTimer(self.window, interval=5)

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, QDialog) and dialog.isVisible():
                timer.stop()
                done.append(True)
                try:
                    act(dialog)
                finally:
                    dialog.close()

        timer.timeout.connect(look)
        timer.start()
        return lambda: bool(done)

    def close(self) -> None:
        if self._open is not None:
            self._open.window.close()
            self._open.close()
            self._open = None
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def words(widget: QWidget) -> set[str]:
    """Everything that labels and buttons of `widget` say on screen."""
    told = {one.text() for one in widget.findChildren(QLabel) if one.isVisible()}
    return told | {one.text() for one in widget.findChildren(QPushButton) if one.isVisible()}


def button(widget: QWidget, text: str) -> QPushButton:
    return next(one for one in widget.findChildren(QPushButton) if one.text() == text and one.isVisible())


def mode(frame: Frame) -> str:
    """What the pill of the header says, "" where there is none."""
    return "" if frame.header.mode is None else frame.header.mode.text


def field_text(state: SizerState, key: str) -> str:
    return next(one.text for one in state.fields if one.key == key)


def field_error(state: SizerState, key: str) -> str:
    return next(one.error for one in state.fields if one.key == key)


def type_into(qtbot, edit: QLineEdit, text: str) -> None:
    """Replace what stands in a field, key by key."""
    edit.setFocus()
    edit.selectAll()
    if not text:
        qtbot.keyClick(edit, Qt.Key.Key_Delete)
    qtbot.keyClicks(edit, text)


def dock(window: QWidget, key: str) -> QDockWidget:
    found = window.findChild(QDockWidget, f"dock-{key}")
    assert found is not None
    return found


def fill(folder: Path, last: date, sessions: int = 320) -> None:
    """Put daily closes of both legs up to `last` into the store of `folder`: made up, but of real days."""
    days = NYSE.days(date(last.year - 3, 1, 1), last)[-sessions:]
    step = np.arange(len(days), dtype=np.float64)
    rut = 2000.0 + 40.0 * np.sin(step / 9.0)
    ndx = 18000.0 + 5.0 * step + 300.0 * np.sin(step / 7.0)
    with Store(folder / FILE_NAME) as store:
        for symbol, close in (("^RUT", rut), ("^NDX", ndx)):
            store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)


def loopback(server: YahooServer) -> desk.Sources:
    """The real Yahoo source, asking `server`."""

    def sources(store: Store, clock: Clock) -> Sequence[Source]:
        folder = store.path.parent if store.path is not None else Path()
        return (
            Yahoo(
                folder / "yfinance",
                clock,
                session_factory=server.session,
                bucket=TokenBucket(rate_per_s=1e6, burst=1000),
                breaker=HostBreaker(jitter=lambda: 0.5),
                call_limit_s=5.0,
            ),
        )

    return sources
