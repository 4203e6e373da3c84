"""A day at the window: refresh, demo and back, playback, time set back, files, and what should not happen."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFileDialog,
    QPlainTextEdit,
    QPushButton,
    QSlider,
)

from desktop import desk
from desktop.presenters.frame import FramePresenter
from tests.app.rig import Rig, button, fill, loopback, mode, words
from tests.sources.yahoo_server import QUOTE, Chart, Fault, YahooServer, quote_row
from widgets.states import Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

DEMO = "DEMO, simulated between published levels"


def refresh_button(rig: Rig) -> QAbstractButton:
    return next(one for one in rig.window.header.findChildren(QPushButton))


# Refresh


@pytest.fixture
def yahoo(rig, yahoo_client):
    """A loopback Yahoo that answers for both legs at 11:00 in New York on 10 July 2024."""
    with YahooServer() as server:
        now_s = int(rig.clock.time.timestamp())
        for symbol, price, close in (("^RUT", 2100.0, 2051.76), ("^NDX", 20300.0, 20675.38)):
            server.quotes[symbol] = quote_row(symbol, price, now_s, regularMarketPreviousClose=close)
            server.charts[symbol] = Chart(price=price, time_s=now_s, previous_close=close)
        yield server
        server.released.set()
        rig.close()


def test_refresh_shows_that_it_works_then_when_it_was_done(rig, yahoo):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(offline=False, sources=loopback(yahoo))
    rig.until(lambda: yahoo.count(QUOTE))
    rig.until(lambda: refresh_button(rig).text() == "Refresh F5")
    yahoo.faults[QUOTE] = Fault.HANG
    rig.press(Qt.Key.Key_F5)
    rig.until(lambda: refresh_button(rig).text() == "Refreshing…")
    assert refresh_button(rig).isEnabled()
    yahoo.faults.clear()
    yahoo.released.set()
    # 15:00 UTC in July is 11:00 in New York.
    rig.until(lambda: refresh_button(rig).text() == "11:00:00 ET", 15_000)


def test_five_presses_at_once_make_one_refresh(rig, yahoo):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(offline=False, sources=loopback(yahoo))
    rig.frame(lambda one: one.snapshot.live)  # the first round of quotes is over
    before = yahoo.count(QUOTE)
    for _ in range(5):
        rig.press(Qt.Key.Key_F5)
    rig.until(lambda: refresh_button(rig).text() == "11:00:00 ET", 15_000)
    assert yahoo.count(QUOTE) - before == 1


def test_click_on_the_button_refreshes_too(rig, qtbot):
    rig.start(demo=True)
    rig.frame(lambda one: one.status.dots[0].tone is Tone.GOOD)
    rig.press(Qt.Key.Key_Space, control=True)
    qtbot.mouseClick(refresh_button(rig), Qt.MouseButton.LeftButton)
    rig.until(lambda: refresh_button(rig).text().endswith(" ET"))
    assert refresh_button(rig).text().startswith("08:")


def test_live_price_is_shown_as_live(rig, yahoo):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(offline=False, sources=loopback(yahoo))
    frame = rig.frame(lambda one: one.snapshot.live)
    assert frame.header.mode is None
    assert not frame.ratio.dimmed
    assert "NOT LIVE" not in frame.sizer.ticket


# Demo and back


def test_control_d_goes_to_the_demo_and_back(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame(lambda one: mode(one).startswith("NOT LIVE"))
    rig.press(Qt.Key.Key_D, control=True)
    rig.frame(lambda one: mode(one) == DEMO)
    assert rig.window.playback.isVisible()
    rig.press(Qt.Key.Key_D, control=True)
    rig.frame(lambda one: mode(one).startswith("NOT LIVE"))
    assert not rig.window.playback.isVisible()


def test_who_leaves_the_demo_sees_the_empty_store(rig):
    rig.start()
    rig.frame(lambda one: mode(one) == DEMO)
    rig.press(Qt.Key.Key_D, control=True)
    frame = rig.frame(lambda one: one.playback is None)
    assert frame.header.ratio.text == "n/a"
    assert frame.header.ratio.why
    assert frame.ratio.message


# Playback


def clock_of(rig: Rig) -> str:
    frame = rig.window.frame_shown
    assert frame is not None
    assert frame.playback is not None
    return frame.playback.clock


def test_demo_starts_five_minutes_before_the_release_at_sixty_times(rig):
    rig.start(demo=True)
    frame = rig.frame()
    assert frame.playback.speed == 60
    assert not frame.playback.paused
    assert "08:25:00 ET" <= frame.playback.clock < "08:28"
    rig.until(lambda: clock_of(rig) > frame.playback.clock)


def test_pause_stands_still_and_play_goes_on(rig, qtbot):
    rig.start(demo=True)
    rig.frame()
    qtbot.mouseClick(button(rig.window.playback, "Pause"), Qt.MouseButton.LeftButton)
    paused = rig.frame(lambda one: one.playback.paused).playback.clock
    with qtbot.waitSignal(rig.app.shown, timeout=5000):
        pass
    assert clock_of(rig) == paused
    rig.press(Qt.Key.Key_Space, control=True)
    rig.frame(lambda one: not one.playback.paused and one.playback.clock > paused)


def test_speed_goes_up_and_down_and_stops_at_its_ends(rig):
    rig.start(demo=True)
    rig.frame()
    for key, expected in (
        (Qt.Key.Key_Period, 300),
        (Qt.Key.Key_Period, 600),
        (Qt.Key.Key_Period, 600),
        (Qt.Key.Key_Comma, 300),
        (Qt.Key.Key_Comma, 60),
        (Qt.Key.Key_Comma, 10),
        (Qt.Key.Key_Comma, 1),
        (Qt.Key.Key_Comma, 1),
    ):
        rig.press(key, control=True)
        rig.frame(lambda one, expected=expected: one.playback.speed == expected)


def test_seeking_back_shows_no_later_price(rig, qtbot):
    rig.start(demo=True)
    rig.frame(lambda one: one.status.dots[0].tone is Tone.GOOD)
    rig.press(Qt.Key.Key_Space, control=True)
    slider = rig.window.playback.findChild(QSlider)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    late = rig.frame(lambda one: one.playback.clock == "16:05:00 ET")
    rig.frame(lambda one: one.divergence.spread is not None and len(one.divergence.spread.x) > 300)
    assert late.playback.position == 1.0
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    frame = rig.frame(lambda one: one.playback.clock == "08:25:00 ET")
    start_s = datetime(2024, 7, 11, 12, 25, tzinfo=UTC).timestamp()
    for curve in (frame.divergence.spread, frame.divergence.rut, frame.divergence.ndx):
        assert curve is None or curve.x[-1] <= start_s
    assert frame.divergence.marks == ()  # the release of 08:30 is still to come
    assert frame.header.release.text == "CPI Thu 11 Jul 08:30 ET"
    assert frame.ratio.curve.x[-1] < datetime(2024, 7, 11, tzinfo=UTC).timestamp() + 86_400
    for source in frame.snapshot.today.last_prices.values():
        assert source.event_time.timestamp() <= start_s


def test_at_the_close_the_demo_shows_the_published_gap(rig, qtbot):
    rig.start(demo=True)
    rig.frame()
    slider = rig.window.playback.findChild(QSlider)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    # METHODS 2: D +5.816 pp on 11 July 2024, RUT +3.572, NDX -2.244.
    frame = rig.frame(lambda one: one.header.spread.text == "+5.82 pp")
    assert "RUT +3.57 %, NDX −2.24 %" in frame.header.spread.why


# Time set back


def enter_past(rig) -> None:
    """Ctrl+T: the moment waits to be typed over."""
    rig.press(Qt.Key.Key_T, control=True)
    rig.frame(lambda one: mode(one).startswith("AS OF"))
    rig.until(rig.window.time.field.hasFocus)


def type_moment(rig, qtbot, text: str) -> None:
    rig.window.time.edit()
    qtbot.keyClick(rig.window.time.field, Qt.Key.Key_Backspace)
    qtbot.keyClicks(rig.window.time.field, text)
    qtbot.keyClick(rig.window.time.field, Qt.Key.Key_Return)


WRONG_MOMENTS = (
    ("yesterday", "yesterday"),
    ("", "is no moment"),
    ("2024-13-45", "2024-13-45"),
    ("25:00", "25:00"),
    ("yesterday", "is no moment"),
    ("2999-01-01", "ahead"),
    ("1980-01-01", "before the first session"),
)


def test_wrong_moment_is_told_in_place_and_changes_nothing(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    stood = rig.window.view.as_of
    for typed, said in WRONG_MOMENTS:
        type_moment(rig, qtbot, typed)
        assert any(said in one for one in words(rig.window.time)), typed
        assert rig.window.view.as_of == stood


def test_time_is_set_back_and_comes_back_to_now(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    type_moment(rig, qtbot, "2024-03-01T10:30-05:00")
    frame = rig.frame(lambda one: mode(one) == "AS OF 1 Mar 2024 10:30 ET")
    assert frame.ratio.dimmed
    assert "NOT LIVE PRICES" in frame.sizer.ticket.splitlines()[0]
    last = datetime.fromtimestamp(frame.ratio.curve.x[-1], UTC).date()
    assert last == date(2024, 2, 29)  # the session of 1 March had not closed
    rig.press(Qt.Key.Key_T, control=True, shift=True)
    rig.frame(lambda one: mode(one).startswith("NOT LIVE"))
    assert not rig.window.time.isVisible()


def test_new_york_clock_times_and_dates_are_understood(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    for typed, shown in (
        ("2024-03-11 09:45", "AS OF 11 Mar 2024 09:45 ET"),  # the day after the clocks changed
        ("10:30", "AS OF 11 Mar 2024 10:30 ET"),
        ("2024-03-08", "AS OF 8 Mar 2024 23:59 ET"),
    ):
        type_moment(rig, qtbot, typed)
        rig.frame(lambda one, shown=shown: mode(one) == shown)


def test_what_is_typed_takes_the_place_of_the_moment_though_frames_come_between(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    for _ in range(2):  # a frame shows the moment anew
        seen = rig.window.frame_shown
        rig.app._poke(urgent=True)
        rig.frame(lambda one, seen=seen: one is not seen)
    qtbot.keyClicks(rig.window.time.field, "2024-07-05 10:30")
    qtbot.keyClick(rig.window.time.field, Qt.Key.Key_Return)
    rig.frame(lambda one: mode(one) == "AS OF 5 Jul 2024 10:30 ET")


def test_escape_in_the_time_bar_goes_back_to_now(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    rig.press(Qt.Key.Key_Escape)
    rig.frame(lambda one: one.time is None)
    assert rig.window.view.as_of is None


def test_the_past_is_stepped_through_by_keys(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    type_moment(rig, qtbot, "2024-07-05 10:30")
    rig.frame(lambda one: mode(one) == "AS OF 5 Jul 2024 10:30 ET")
    qtbot.keyClick(rig.window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    rig.frame(lambda one: mode(one) == "AS OF 5 Jul 2024 10:31 ET")
    qtbot.keyClick(rig.window, Qt.Key.Key_PageUp, Qt.KeyboardModifier.AltModifier)
    rig.frame(lambda one: mode(one) == "AS OF 3 Jul 2024 09:30 ET")  # the Fourth was no session
    qtbot.keyClick(rig.window, Qt.Key.Key_PageDown, Qt.KeyboardModifier.AltModifier)
    rig.frame(lambda one: mode(one) == "AS OF 5 Jul 2024 09:30 ET")


def test_the_past_plays_and_pauses(rig, qtbot):
    fill(rig.folder, date(2024, 7, 9))
    rig.start()
    rig.frame()
    enter_past(rig)
    type_moment(rig, qtbot, "2024-07-08 10:30")
    first = rig.frame(lambda one: mode(one) == "AS OF 8 Jul 2024 10:30 ET").snapshot.moment
    rig.press_pause()
    later = rig.frame(lambda one: one.snapshot.moment >= first + timedelta(seconds=30))
    assert later.time is not None and later.time.playing
    rig.press_pause()
    stands = rig.frame(lambda one: one.time is not None and not one.time.playing).snapshot.moment
    assert first < stands == rig.window.view.as_of


def test_time_set_back_in_the_demo_looks_into_the_store(rig):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(demo=True, as_of=None)
    rig.frame(lambda one: mode(one) == DEMO)
    from dataclasses import replace

    rig.window.set_view(replace(rig.window.view, as_of=datetime(2024, 3, 1, 21, 0, tzinfo=UTC)))
    frame = rig.frame(lambda one: mode(one).startswith("AS OF"))
    assert frame.playback is None


# Files


def ndx_file(folder: Path) -> Path:
    path = folder / "ndx.csv"
    rows = "\n".join(f"2024-07-{day:02d},20000,20100,19900,{20000 + day},0" for day in (1, 2, 3, 5, 8, 9))
    path.write_text(f"Date,Open,High,Low,Close,Volume\n{rows}\n", encoding="utf-8")
    return path


def rut_file(folder: Path) -> Path:
    path = folder / "rut.csv"
    rows = "\n".join(f"2024-07-{day:02d},2000,2100,1900,{2000 + day},0" for day in (1, 2, 3, 5, 8, 9))
    path.write_text(f"Date,Open,High,Low,Close,Volume\n{rows}\n", encoding="utf-8")
    return path


def drop(window, paths, at: QPointF) -> None:
    """Drop files on a spot, the way the window system does: it asks the window's handle."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(one)) for one in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    handle = window.windowHandle()
    enter = QDragEnterEvent(at.toPoint(), copy, data, left, none)
    QApplication.sendEvent(handle, enter)
    if enter.isAccepted():
        QApplication.sendEvent(handle, QDropEvent(at, copy, data, left, none))


@pytest.mark.parametrize("target", ["ratio", "sizer"])
def test_files_dropped_anywhere_are_imported_and_shown(rig, target):
    files = [ndx_file(rig.folder), rut_file(rig.folder)]
    rig.start()
    rig.press(Qt.Key.Key_D, control=True)  # to the empty store
    rig.frame(lambda one: one.playback is None)
    lines: list[str] = []
    done = rig.in_dialog(lambda dialog: lines.append(dialog.findChild(QPlainTextEdit).toPlainText()))
    panel = rig.window.panels[target]
    drop(rig.window, files, QPointF(panel.mapTo(rig.window, panel.rect().center())))
    rig.until(done)
    ndx, rut = lines[0].splitlines()
    assert "^NDX" in ndx
    assert "6 rows" in ndx
    assert "^RUT" in rut
    frame = rig.frame(lambda one: one.header.ratio.text != "n/a")
    assert frame.header.ratio.text == f"{20009 / 2009:.3f}"


def test_what_is_imported_while_the_demo_stands_in_is_shown(rig, monkeypatch):
    files = [ndx_file(rig.folder), rut_file(rig.folder)]
    rig.start()
    rig.frame(lambda one: mode(one) == DEMO)
    names = [str(one) for one in files]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_args, **_more: (names, ""))
    done = rig.in_dialog(lambda _: None)
    rig.press(Qt.Key.Key_O, control=True)
    rig.until(done)
    frame = rig.frame(lambda one: one.playback is None and one.header.ratio.text != "n/a")
    assert frame.header.ratio.text == f"{20009 / 2009:.3f}"


def test_refused_file_is_told_and_changes_nothing(rig):
    path = rig.folder / "letter.txt"
    path.write_text("Dear all,\nnothing to see.\n", encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    lines: list[str] = []
    done = rig.in_dialog(lambda dialog: lines.append(dialog.findChild(QPlainTextEdit).toPlainText()))
    drop(rig.window, [path], QPointF(rig.window.header.rect().center()))
    rig.until(done)
    assert "letter.txt" in lines[0]
    assert mode(rig.window.frame_shown) == DEMO  # who asked for the demo keeps it


def test_import_that_breaks_is_told_and_the_window_lives(rig, monkeypatch):
    def broken(folder, paths):
        raise RuntimeError("the reader fell over")

    monkeypatch.setattr(desk, "import_files", broken)
    rig.start(demo=True)
    rig.frame()
    drop(rig.window, [rig.folder / "x.csv"], QPointF(rig.window.header.rect().center()))
    rig.until(lambda: any("the reader fell over" in one for one in words(rig.window.status)))


# Picture and data


def test_picture_and_data_are_saved_side_by_side(rig):
    rig.start(demo=True)
    rig.frame()
    rig.press(Qt.Key.Key_Space, control=True)
    rig.frame(lambda one: one.playback.paused)
    rig.press(Qt.Key.Key_S, control=True)
    rig.until(lambda: any(one.startswith("saved ") for one in words(rig.window.status)))
    (picture,) = (rig.folder / "snapshots").glob("*.png")
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (rig.window.width(), rig.window.height())
    document = json.loads(picture.with_suffix(".json").read_text(encoding="utf-8"))
    assert document["mode"] == "demo"
    assert document["ratio"]["value"] == pytest.approx(rig.window.frame_shown.snapshot.ratio.value)


def test_picture_that_cannot_be_saved_is_told_by_name(rig):
    (rig.folder / "snapshots").write_text("a file stands where the folder should be", encoding="utf-8")
    rig.start(demo=True)
    rig.frame()
    rig.press(Qt.Key.Key_S, control=True)
    rig.until(lambda: any(one.startswith("not saved: ") for one in words(rig.window.status)))
    assert not any("unexpected" in one for one in words(rig.window.status))


# What should not happen


def test_unexpected_error_in_a_slot_is_told_and_logged_and_the_window_lives(rig, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", lambda *_args: None)  # stands for the one before, to be put back
    before = sys.excepthook
    rig.start(demo=True)
    rig.frame()

    def fall_over() -> None:
        raise ZeroDivisionError("nobody expected this")

    with rig.qtbot.captureExceptions() as caught:
        # pytest-qt takes the hook while it waits; the application's own is called as Qt would.
        QTimer.singleShot(0, rig.window, fall_over)
        rig.until(lambda: caught)
    rig.app._unexpected(*caught[0])
    rig.until(lambda: any("ZeroDivisionError: nobody expected this" in one for one in words(rig.window.status)))
    log = (rig.folder / "rotation-monitor.log").read_text(encoding="utf-8")
    assert "nobody expected this" in log
    assert "Traceback" in log
    seen = rig.window.frame_shown
    rig.frame(lambda one: one is not seen)
    rig.close()
    assert sys.excepthook is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unexpected_error_on_another_thread_is_told(rig):
    rig.start(demo=True)
    rig.frame()
    told = threading.excepthook

    def fall_over() -> None:
        raise ZeroDivisionError("far away")

    thread = threading.Thread(target=fall_over)
    assert told is not threading.__excepthook__
    thread.start()
    thread.join()
    rig.until(lambda: any("far away" in one for one in words(rig.window.status)))


def test_broken_frame_is_told_and_the_next_one_is_shown(rig, monkeypatch, caplog):
    rig.start(demo=True)
    rig.frame()
    whole = FramePresenter.present
    left = [1]

    def present(self, *args, **more):
        if left:
            left.pop()
            raise ValueError("this frame is broken")
        return whole(self, *args, **more)

    with caplog.at_level(logging.CRITICAL, "desktop.engine"):
        monkeypatch.setattr(FramePresenter, "present", present)
        rig.until(lambda: any("this frame is broken" in one for one in words(rig.window.status)))
        seen = rig.window.frame_shown
        rig.frame(lambda one: one is not seen)
