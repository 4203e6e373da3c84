"""What the window opens on, and how it says so: the demo, the store, a damaged store, an as-of moment."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop import desk
from desktop.market.store import FILE_NAME
from tests.app.rig import dock, fill, loopback, mode, words
from tests.sources.yahoo_server import YahooServer
from widgets.states import Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

DEMO = "DEMO, simulated between published levels"


def told(rig) -> str:
    """Everything the window says in its header and in its status bar."""
    return " | ".join(words(rig.window.header) | words(rig.window.status))


def test_demo_that_was_asked_for_says_what_it_is_and_needs_no_reason(rig):
    rig.start(demo=True)
    frame = rig.frame()
    assert mode(frame) == DEMO
    assert frame.header.mode.tone is Tone.PAST
    assert frame.playback is not None
    assert rig.window.playback.isVisible()
    assert "empty" not in told(rig)


def test_empty_store_offline_opens_the_demo_and_the_reason_can_be_read(rig):
    rig.start(offline=True)
    frame = rig.frame()
    assert mode(frame) == DEMO
    rig.until(lambda: "the store is empty" in told(rig))
    assert "--offline" in told(rig)


@pytest.mark.usefixtures("yahoo_client")
def test_empty_store_with_yahoo_out_of_reach_opens_the_demo_and_names_yahoo(rig):
    with YahooServer() as server:
        pass  # its port is closed from here on
    rig.start(offline=False, sources=loopback(server))
    rig.frame(lambda one: mode(one) == DEMO)
    rig.until(lambda: "the store is empty" in told(rig))
    assert "yahoo" in told(rig).lower()


def test_reason_for_the_demo_stays_while_the_demo_stands_in(rig):
    rig.start(offline=True, size=(1280, 720))
    rig.frame()
    rig.window.status._forget()  # what was told for some seconds is over
    rig.frame(lambda one: one.playback is not None)
    assert "the store is empty" in " ".join(words(rig.window.status))


def test_reason_goes_when_the_demo_is_left(rig, qtbot):
    rig.start(offline=True)
    rig.frame()
    rig.press(Qt.Key.Key_D, control=True)
    rig.frame(lambda one: one.playback is None)
    rig.press(Qt.Key.Key_D, control=True)
    frame = rig.frame(lambda one: one.playback is not None)
    assert frame.status.message is None


@pytest.mark.usefixtures("yahoo_client")
def test_store_with_history_and_no_network_shows_the_store_and_says_it_is_not_live(rig):
    fill(rig.folder, date(2024, 7, 9))
    with YahooServer() as server:
        pass
    rig.start(offline=False, sources=loopback(server))
    frame = rig.frame(lambda one: one.header.refresh_note)  # why, at the button
    assert frame.playback is None
    assert mode(frame) == "NOT LIVE · last close shown"
    assert frame.header.ratio.tone is Tone.PAST
    assert frame.status.dots[0].label == "Yahoo unavailable"
    assert frame.ratio.dimmed
    assert frame.status.dots[0].tone is Tone.BAD


def test_store_that_ends_days_ago_is_called_stale(rig):
    fill(rig.folder, date(2024, 7, 2))
    rig.start(offline=True)
    frame = rig.frame()
    # Missing on the morning of Wednesday 10 July: the 3rd, 5th, 8th and 9th; the 4th is a holiday.
    assert mode(frame) == "STALE · store ends 2 Jul 2024"
    assert "4 sessions missing" in frame.header.mode.why
    assert frame.status.dots[0].label == "Yahoo off"


def test_closed_exchange_is_no_fault(rig):
    fill(rig.folder, date(2024, 7, 10))
    rig.clock.time = datetime(2024, 7, 11, 1, 0, tzinfo=UTC)  # 21:00 in New York
    rig.start(offline=True)
    frame = rig.frame()
    assert mode(frame) == "CLOSED · last close shown"
    assert frame.header.mode.tone is Tone.PAST


@pytest.mark.parametrize("damage", [b"this is no database at all" * 40, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_damaged_store_without_a_copy_is_kept_aside_and_the_demo_tells_the_cause(rig, damage):
    (rig.folder / FILE_NAME).write_bytes(damage)
    rig.start(offline=True)
    frame = rig.frame()
    assert mode(frame) == DEMO
    aside = "rotation.sqlite.damaged-2024-07-10T150000Z"
    rig.until(lambda: f"the market store was damaged and is kept as {aside}; there is no copy" in told(rig))
    assert "the store is empty" in told(rig)
    assert (rig.folder / aside).read_bytes() == damage


def damage_inside(path: Path) -> None:
    """Overwrite all but the first page: such a file opens, and fails where it is read."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def test_history_of_a_damaged_store_is_shown_from_its_copy_and_told(rig, monkeypatch):
    fill(rig.folder, date(2024, 7, 9))
    monkeypatch.setattr(desk, "COPY_AFTER_S", 0.0)
    rig.start(offline=True)
    whole = rig.frame()
    copy = rig.folder / "rotation-2024-07-10.sqlite"
    rig.until(copy.exists)
    rig.close()
    damage_inside(rig.folder / FILE_NAME)

    rig.start(offline=True)
    rig.until(lambda: "open the window anew: it keeps this file aside" in told(rig))
    rig.close()

    rig.clock.time = datetime(2024, 7, 10, 16, 0, tzinfo=UTC)
    rig.start(offline=True)
    frame = rig.frame()
    assert mode(frame) == mode(whole) == "NOT LIVE · last close shown"
    assert frame.header.ratio.text == whole.header.ratio.text
    said = (
        "the market store was damaged and is kept as rotation.sqlite.damaged-2024-07-10T160000Z; "
        "the copy of 2024-07-10 is open"
    )
    rig.until(lambda: said in told(rig))


def test_a_window_closed_before_its_copy_is_due_leaves_none_and_does_not_wait(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(offline=True)
    rig.frame()
    rig.until(lambda: any(isinstance(one, threading.Timer) for one in threading.enumerate()))
    rig.close()
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    assert not list(rig.folder.glob("rotation-*.sqlite"))


def test_as_of_on_the_command_line_shows_that_moment(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(as_of=datetime(2024, 3, 1, 21, 0, tzinfo=UTC))
    frame = rig.frame()
    assert mode(frame) == "AS OF 1 Mar 2024 16:00 ET"
    assert "1 Mar 2024" in frame.header.ratio.why


def test_damaged_layout_does_not_stop_the_start_and_is_told(rig):
    (rig.folder / "layout.json").write_text("{not json", encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    rig.until(lambda: "layout" in told(rig))
    assert all(rig.window.panels[key].isVisible() for key in ("ratio", "divergence", "gauge", "sizer"))


def test_layout_of_a_much_wider_screen_keeps_its_docks(rig):
    rig.start(demo=True)
    rig.frame()
    rig.window.focus_panel("alerts")
    rig.until(dock(rig.window, "alerts").isVisible)
    dock(rig.window, "thesis").hide()
    rig.close()
    path = rig.folder / "layout.json"
    saved = json.loads(path.read_text())
    geometry = bytearray(base64.b64decode(saved["geometry"]))
    geometry[46:50] = (7680).to_bytes(4, "big")  # where Qt keeps the width of the screen
    path.write_text(json.dumps(saved | {"geometry": base64.b64encode(geometry).decode()}))
    app = rig.start(demo=True)
    rig.frame()
    assert app.window.problems == ("the layout is of a screen of another size: the window keeps its size here",)
    assert dock(rig.window, "alerts").isVisible()
    assert not dock(rig.window, "thesis").isVisible()


def test_layout_of_another_program_is_told_and_the_default_is_used(rig):
    (rig.folder / "layout.json").write_text('{"geometry": "AAAA", "state": "AAAA"}', encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    rig.until(lambda: "layout" in told(rig))
    assert all(rig.window.panels[key].isVisible() for key in ("ratio", "divergence", "gauge", "sizer"))


def test_damaged_settings_do_not_stop_the_start_and_are_told(rig):
    (rig.folder / "settings.toml").write_text("[appearance\n", encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    rig.until(lambda: "settings.toml" in told(rig))
    assert (rig.folder / "settings.toml.bad").read_text(encoding="utf-8") == "[appearance\n"
