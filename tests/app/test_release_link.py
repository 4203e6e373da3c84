"""Releases in the whole window: F6, what the header says, the demo's board, time set back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.window import Speed
from tests.app.rig import OPEN, dock, fill, words

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
CPI = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)


def told(frame) -> str:
    return " · ".join(one.text for one in frame.release.facts)


@pytest.fixture
def live(rig):
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    rig.start(offline=True, size=(1600, 1000))
    rig.frame()
    return rig


def test_f6_arms_the_next_release_and_shift_f6_disarms_it(live):
    live.press(Qt.Key.Key_F6)
    frame = live.frame(lambda one: one.release.is_armed)
    assert "ARMED: CPI 08:30 ET" in told(frame)
    assert "ARMED" in frame.header.release_in.text
    live.press(Qt.Key.Key_F6, shift=True)
    frame = live.frame(lambda one: not one.release.is_armed)
    assert "ARMED" not in frame.header.release_in.text


def test_who_arms_a_release_sees_its_board_and_not_the_one_looked_at_before(live):
    earlier = "nfp:2024-07-05T12:30Z"
    live.window.release.event_chosen.emit(earlier)
    live.frame(lambda one: one.release.chosen == earlier)
    live.press(Qt.Key.Key_F6)
    live.frame(lambda one: one.release.is_armed and one.release.chosen != "")
    assert live.window.view.release == ""


def test_armed_it_stays_over_a_restart(live):
    live.press(Qt.Key.Key_F6)
    live.frame(lambda one: one.release.is_armed)
    live.close()
    live.start(offline=True)
    assert "ARMED: CPI" in told(live.frame(lambda one: one.release.is_armed))


def test_with_time_set_back_nothing_is_armed(live):
    live.window.set_view(replace(live.window.view, as_of=OPEN - timedelta(days=1)))
    live.frame(lambda one: one.snapshot.mode == "as_of")
    live.press(Qt.Key.Key_F6)
    live.until(lambda: any("time is set back" in one for one in words(live.window.status)))
    live.window.set_view(replace(live.window.view, as_of=None))
    assert not live.frame(lambda one: one.snapshot.mode == "live").release.is_armed


def test_the_panel_lies_down_beside_the_divergence_and_the_keyboard_reaches_it(live):
    assert not dock(live.window, "release").isVisible()
    live.press(Qt.Key.Key_8, control=True)
    live.until(dock(live.window, "release").isVisible)
    assert live.window.release.isAncestorOf(QApplication.focusWidget())


def test_an_own_event_typed_in_the_panel_is_kept_and_listed(live):
    live.window.focus_panel("release")
    own = live.window.release.own
    for edit, text in ((own.title, "Powell speaks"), (own.day, "2024-07-15"), (own.clock, "12:30")):
        live.qtbot.keyClicks(edit, text)
    live.qtbot.keyClick(own.clock, Qt.Key.Key_Return)
    live.frame(lambda one: any(row.number for row in one.release.rows))
    live.close()
    live.start(offline=True)
    frame = live.frame(lambda one: any(row.number for row in one.release.rows))
    assert "Powell speaks" in [row.title for row in frame.release.rows]


def test_a_kind_left_out_leaves_list_and_rails_and_is_remembered(live):
    live.window.release.kind_toggled.emit("ppi")
    frame = live.frame(
        lambda one: one.ratio.rails is not None and not any(row.key.startswith("ppi") for row in one.release.rows)
    )
    assert not any("PPI" in one for one in frame.ratio.rails.labels)
    assert any("CPI" in one for one in frame.ratio.rails.labels)
    assert live.window.view.settings.calendar_hidden == "ppi"


def test_the_demo_arms_its_own_cpi_and_fills_the_board(rig):
    rig.start(demo=True, size=(1600, 1000))
    rig.frame()
    rig.press(Qt.Key.Key_F6)
    assert "ARMED in the demo: CPI" in told(rig.frame(lambda one: one.release.is_armed))
    rig.window.asked.emit(Speed(300))

    def gap(frame) -> str:
        return "" if frame.release.board is None else frame.release.board.rows[1][3].text

    frame = rig.frame(lambda one: gap(one).startswith(("+", "−")))
    assert frame.snapshot.moment >= CPI + timedelta(minutes=5)
    assert "futures" in frame.release.board.rows[1][5].text
    assert "missed" not in told(frame)


def test_an_alarm_sounds_once_and_only_where_it_is_wanted(live, monkeypatch):
    sounded: list[str] = []
    monkeypatch.setattr(QApplication, "beep", lambda: sounded.append("beep"))
    frame = live.frame()
    for sound, alarm, expected in (
        (False, "soon", 0),
        (True, "out", 1),
        (True, "out", 1),
        (True, "", 1),
        (True, "soon", 2),
    ):
        live.window.show_frame(replace(frame, release=replace(frame.release, sound=sound, alarm=alarm)))
        assert len(sounded) == expected
