"""Sources in the whole window: opened from a mark or by Ctrl+5, tested, paused, given a key; no key gets out."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path

import keyring
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QPushButton, QWidget

from desktop import desk, doctor, layout
from desktop.app import Application
from desktop.credentials import Credentials, Key
from desktop.market.clock import Clock
from desktop.market.quotes import Bars, Interval, Quote
from desktop.market.store import Store
from desktop.presenters.frame import Frame
from desktop.sources.alpaca import Alpaca
from desktop.sources.contract import Failure, FailureKind, Source, Window
from desktop.sources.limits import TokenBucket
from desktop.sources.stream import Stream
from desktop.vendors import alpaca_key
from tests.app.rig import OPEN, dock, fill
from tests.sources.alpaca_server import KEY_ID, SECRET, AlpacaServer, trade
from tests.sources.test_stream import Streamer
from tests.test_credentials import Ring

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
ROOT = Path(__file__).parents[2]


class Told:
    """A source that answers with a fixed price, and counts how often it was asked for quotes."""

    symbols = ("IWM", "QQQ")

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock = name, clock
        self.asked = 0
        self.failure: FailureKind | None = None
        self.budget_per_h = 3600

    @property
    def requests(self) -> int:
        return self.asked

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        self.asked += 1
        now = self._clock.now()
        if self.failure is not None:
            return {one: Failure(self.failure, self.name, one, "as told", now) for one in symbols}
        return {one: Quote(one, 100.0, now - timedelta(seconds=2), now, self.name) for one in symbols}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        return Failure(FailureKind.NO_DATA, self.name, symbol, "none", self._clock.now())


@pytest.fixture
def told(rig) -> dict[str, Told]:
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    return {name: Told(name, rig.clock) for name in ("yahoo", "other")}


def start(rig, told: dict[str, Told]) -> None:
    rig.start(offline=False, sources=lambda _store, _clock: tuple(told.values()))
    rig.frame(lambda one: [row.state.text for row in one.health.rows if row.key in told] == ["live", "live"])


def named(rig, name: str) -> QAbstractButton:
    window: QWidget = rig.window
    return next(one for one in window.findChildren(QAbstractButton) if one.accessibleName() == name)


def click(rig, name: str) -> None:
    rig.qtbot.mouseClick(named(rig, name), Qt.MouseButton.LeftButton)


def state_of(frame: Frame, name: str) -> str:
    return next(row.state.text for row in frame.health.rows if row.name == name)


def test_hidden_until_asked_for_and_gone_with_the_default_layout(rig, told):
    start(rig, told)
    assert not dock(rig.window, "sources").isVisible()
    rig.press(Qt.Key.Key_5, control=True)
    rig.until(lambda: not rig.window.health.visibleRegion().isEmpty())
    assert named(rig, "Test Yahoo now").hasFocus()
    rig.press(Qt.Key.Key_4, control=True)  # the sizer, which shares the place, comes back to the front
    rig.until(lambda: not rig.window.sizer.visibleRegion().isEmpty())
    rig.press(Qt.Key.Key_0, control=True, shift=True)
    rig.until(lambda: not dock(rig.window, "sources").isVisible())
    assert dock(rig.window, "sizer").isVisible()


def test_a_mark_of_the_status_bar_opens_its_row(rig, told):
    start(rig, told)
    mark = next(one for one in rig.window.status._dots.values() if one.dot.key == "other")
    rig.qtbot.mouseClick(mark, Qt.MouseButton.LeftButton)
    rig.until(lambda: named(rig, "Test Other now").hasFocus())
    click(rig, "Hide the sources")
    rig.until(lambda: not dock(rig.window, "sources").isVisible())
    mark.setFocus()
    rig.qtbot.keyClick(mark, Qt.Key.Key_Space)
    rig.until(lambda: named(rig, "Test Other now").hasFocus())


def test_the_layout_remembers_that_it_was_open(rig, told):
    start(rig, told)
    rig.press(Qt.Key.Key_5, control=True)
    rig.until(dock(rig.window, "sources").isVisible)
    rig.close()
    rig.start(demo=True)
    rig.frame()
    assert dock(rig.window, "sources").isVisible()


def test_a_layout_of_before_the_panel_leaves_it_hidden_and_within_reach(rig, told):
    rig.start(demo=True)
    rig.frame()
    gone = dock(rig.window, "sources")
    rig.window.removeDockWidget(gone)
    gone.setParent(None)
    layout.save(rig.window, rig.folder)
    rig.window._folder = None
    gone.deleteLater()
    rig.close()
    rig.start(demo=True)
    rig.frame()
    assert not dock(rig.window, "sources").isVisible()
    rig.press(Qt.Key.Key_5, control=True)
    rig.until(lambda: not rig.window.health.visibleRegion().isEmpty())


def test_test_now_asks_that_source_alone(rig, told):
    start(rig, told)
    rig.press(Qt.Key.Key_5, control=True)
    before = {name: one.asked for name, one in told.items()}
    rig.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    rig.until(lambda: told["yahoo"].asked == before["yahoo"] + 1)
    assert told["other"].asked == before["other"]


def test_pause_leaves_it_alone_and_resume_asks_it_again(rig, told):
    start(rig, told)
    rig.press(Qt.Key.Key_5, control=True)
    click(rig, "Pause Yahoo")
    rig.frame(lambda one: state_of(one, "Yahoo") == "paused")
    rig.until(lambda: "Yahoo paused" in {one.dot.label for one in rig.window.status._dots.values()})
    before = told["yahoo"].asked
    rig.clock.time += timedelta(seconds=30)
    rig.until(lambda: told["other"].asked > 1)
    assert told["yahoo"].asked == before
    click(rig, "Test Yahoo now")  # by hand all the same
    rig.until(lambda: told["yahoo"].asked == before + 1)
    click(rig, "Resume Yahoo")
    rig.clock.time += timedelta(seconds=30)
    rig.until(lambda: told["yahoo"].asked > before + 1)
    rig.frame(lambda one: state_of(one, "Yahoo") == "live")


def test_the_stream_is_turned_on_and_off_in_the_menu_and_the_choice_is_kept(rig, told, monkeypatch):
    with Streamer() as streamer:
        monkeypatch.setattr(desk, "Stream", partial(Stream, url=streamer.url, pause_s=0.05))
        start(rig, told)
        entry = rig.window._listen
        assert entry in rig.window._menu.actions()
        assert entry.isCheckable()
        assert not entry.isChecked()
        shown = rig.frame(lambda one: state_of(one, "Yahoo stream") == "off")
        assert "Listen to Yahoo's stream (Ctrl+L)" in json.dumps(asdict(shown.health), default=str)
        assert streamer.links == []

        rig.press(Qt.Key.Key_L, control=True)
        rig.frame(lambda one: state_of(one, "Yahoo stream") != "off")
        assert entry.isChecked()
        rig.until(lambda: streamer.subscribed)
        assert {"IWM", "QQQ"} <= set(streamer.subscribed[0])
        file = rig.folder / "settings.toml"
        rig.until(lambda: file.is_file() and "stream = true" in file.read_text())
        rig.close()
        start(rig, told)
        assert rig.window._listen.isChecked()
        rig.until(lambda: len(streamer.links) == 2)

        rig.press(Qt.Key.Key_L, control=True)
        rig.frame(lambda one: state_of(one, "Yahoo stream") == "off")
        assert not rig.window._listen.isChecked()
        rig.window._choose("stream", True)  # as another dialog may
        assert rig.window._listen.isChecked()
        rig.close()


def test_one_that_fails_is_told_with_its_cure_and_the_other_stays_well(rig, told):
    start(rig, told)
    rig.press(Qt.Key.Key_5, control=True)
    told["yahoo"].failure = FailureKind.OFFLINE
    rig.clock.time += timedelta(minutes=20)
    rig.frame(lambda one: state_of(one, "Yahoo") == "unavailable")
    rig.frame(lambda one: state_of(one, "Other") == "live")
    shown = [one.text() for one in rig.window.health.findChildren(QLabel) if one.isVisible()]
    assert any("cannot be reached" in one and "check network, proxy" in one for one in shown)
    assert any(one.startswith("1 of ") and "1 to look at" in one for one in shown)


def test_countdowns_count_from_now_while_an_earlier_moment_is_shown(rig, told):
    start(rig, told)
    rig.app._show(rig.window.view)
    rig.window.set_view(type(rig.window.view)(rig.window.view.settings, OPEN - timedelta(days=5)))
    frame = rig.frame(lambda one: one.header.mode is not None)
    assert frame.health.rows[0].next_try.text in {f"in {n} s" for n in range(1, 61)} | {"now"}
    assert "d" not in frame.status.dots[0].why.rpartition("next try in ")[2]


# --- keys -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer() as one:
        one.trades = {
            "IWM": trade(205.31, OPEN - timedelta(seconds=2)),
            "QQQ": trade(496.12, OPEN - timedelta(seconds=1)),
        }
        yield one


def keyed(server: AlpacaServer, keys: Credentials) -> desk.Sources:
    def sources(_store: Store, clock: Clock) -> Sequence[Source]:
        bucket = TokenBucket(1e6, 1000)
        return (Alpaca(clock, lambda: alpaca_key(keys), session_factory=server.session, bucket=bucket),)

    return sources


def start_keyed(rig, server: AlpacaServer, ring: Ring) -> Application:
    """As `rig.start`, with a keyring of the test's own."""
    keys = Credentials(5.0, lambda: ring)
    app = rig._open = Application(rig.folder, sources=keyed(server, keys), keys=keys)
    app.open()
    rig.until(app.window.isVisible)
    app.window.activateWindow()
    rig.until(app.window.isActiveWindow)
    return app


def press(rig, dialog: QDialog, name: str) -> None:
    button = next(one for one in dialog.findChildren(QPushButton) if one.accessibleName() == name)
    rig.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def enter_keys(rig, dialog: QDialog, *, secret: str = SECRET) -> None:
    for name, value in (("Key ID", KEY_ID), ("Secret key", secret)):
        QApplication.clipboard().setText(value)
        press(rig, dialog, f"Paste the {name} of Alpaca")
    QApplication.clipboard().clear()

    def said() -> str:
        return next(
            one.text() for one in dialog.findChildren(QLabel) if one.accessibleName() == "Result for Alpaca"
        )

    press(rig, dialog, "Test the key of Alpaca")
    rig.until(lambda: said().startswith(("works", "key refused")))
    press(rig, dialog, "Save the key of Alpaca")
    rig.until(lambda: said().startswith("saved"))


def test_a_key_that_is_entered_turns_the_source_on_and_a_deleted_one_off(rig, server, monkeypatch):
    monkeypatch.setattr("desktop.sources.http.plain_session", server.session)
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    ring = Ring()
    start_keyed(rig, server, ring)
    rig.frame(lambda one: one.health.rows[0].needs_key)
    assert server.requests == []
    assert rig.window.frame_shown.status.dots[0].label == "Alpaca off (no key)"
    done = rig.in_dialog(lambda dialog: enter_keys(rig, dialog))
    rig.press(Qt.Key.Key_5, control=True)
    click(rig, "Enter the key of Alpaca")
    assert done()
    rig.frame(lambda one: one.health.rows[0].state.text == "live")
    rig.close()

    start_keyed(rig, server, ring)  # the next run finds it
    rig.frame(lambda one: one.health.rows[0].state.text == "live")

    def delete(dialog: QDialog) -> None:
        press(rig, dialog, "Delete the key of Alpaca")
        rig.until(lambda: not ring.held)

    done = rig.in_dialog(delete)
    rig.press(Qt.Key.Key_K, control=True)
    assert done()
    rig.frame(lambda one: one.health.rows[0].needs_key)
    before = len(server.requests)
    rig.clock.time += timedelta(minutes=2)
    rig.qtbot.wait(500)
    assert len(server.requests) == before


def test_after_a_full_session_no_key_is_anywhere_but_in_the_keyring(rig, server, monkeypatch, capfd):
    monkeypatch.setattr("desktop.sources.http.plain_session", server.session)
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    ring = Ring()
    app = start_keyed(rig, server, ring)
    done = rig.in_dialog(lambda dialog: enter_keys(rig, dialog))
    rig.press(Qt.Key.Key_K, control=True)
    assert done()
    rig.frame(lambda one: one.health.rows[0].state.text == "live")
    rig.press(Qt.Key.Key_5, control=True)
    server.fault = (500, "application/json", f'{{"message": "you sent {KEY_ID} {SECRET}"}}'.encode())
    rig.clock.time += timedelta(minutes=20)
    frame = rig.frame(lambda one: one.health.rows[0].state.text == "unavailable")
    logging.getLogger("curl_cffi").warning("> APCA-API-SECRET-KEY: %s as %s", SECRET, KEY_ID)
    try:
        raise RuntimeError(f"failed with {SECRET}")
    except RuntimeError:
        logging.getLogger("desktop").exception("a traceback that quotes %s", KEY_ID)
    rig.window._choose("theme", "light")
    rig.press(Qt.Key.Key_S, control=True)
    rig.until(lambda: any((rig.folder / "snapshots").glob("*.json")))
    held = {app._keys.get(Key.ALPACA_ID), app._keys.get(Key.ALPACA_SECRET)}
    assert held == {KEY_ID, SECRET}
    shown = [repr(frame.status), repr(frame.health), repr(app._keys), repr(app.desk)]
    shown += [one.text() + one.toolTip() + one.accessibleDescription() for one in rig.window.findChildren(QLabel)]
    arguments = [path.read_bytes() for path in processes()]
    rig.close()

    report, cautions = command("report", "--json", "--data-dir", str(rig.folder))
    assert json.loads(report)
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    doctor.run(doctor.Patient(rig.folder, offline=True), as_json=True)
    doctor.run(doctor.Patient(rig.folder, offline=True), as_json=False)
    diagnosis, errors = capfd.readouterr()
    assert "alpaca-secret" in diagnosis  # which keys are there is told
    files = [path for path in rig.folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"settings.toml", "layout.json", "rotation-monitor.log", "rotation.sqlite"} <= names
    log = (rig.folder / "rotation-monitor.log").read_text(encoding="utf-8")
    assert "a traceback that quotes ***" in log
    everything = [*shown, report, cautions, diagnosis, errors]
    for value in (KEY_ID, SECRET):
        assert [path.name for path in files if value.encode() in path.read_bytes()] == []
        assert [one for one in everything if value in one] == []
        assert not any(value.encode() in one for one in arguments)


def processes() -> list[Path]:
    """Where Linux shows the arguments and the environment of this process."""
    return [path for path in (Path("/proc/self/cmdline"), Path("/proc/self/environ")) if path.exists()]


def command(*arguments: str) -> tuple[str, str]:
    """What the command line says, on standard output and on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "desktop", *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr
