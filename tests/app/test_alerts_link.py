"""Alerts in the whole window: typed by keyboard, fired on live prices, told, logged, kept over a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from desktop import notices
from desktop.market.quotes import Quote
from desktop.market.store import FILE_NAME, Store
from tests.app.rig import OPEN, button, dock, fill, words
from tests.app.test_window import faults
from widgets.states import Tone
from widgets.states_alerts import Act, Notice, RuleAct, RuleForm

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def quote(rig, rut: float, ndx: float) -> None:
    """Prices of this moment, put into the store as a source does."""
    at = rig.clock.time
    with Store(rig.folder / FILE_NAME) as store:
        store.put_quotes(Quote(symbol, price, at, at, "test") for symbol, price in (("^RUT", rut), ("^NDX", ndx)))


@pytest.fixture
def live(rig):
    """Real days of both legs and prices of now whose ratio is 9.0, no source asked."""
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    quote(rig, 2000.0, 18000.0)
    rig.start(offline=True, size=(1600, 1000))
    rig.frame(lambda one: one.header.ratio.text == "9.000")
    return rig


def type_rule(rig, level: str) -> None:
    """A rule on the ratio, at or above `level`, by keyboard alone."""
    rig.press(Qt.Key.Key_A, control=True, shift=True)
    rig.frame(lambda one: one.alerts.editor is not None)
    rig.until(lambda: rig.window.alerts.editor.isVisible())
    rig.window.alerts.editor.level.edit.setFocus()
    rig.qtbot.keyClicks(rig.window.alerts.editor.level.edit, level)
    rig.qtbot.keyClick(rig.window.alerts.editor.level.edit, Qt.Key.Key_Return)
    rig.frame(lambda one: one.alerts.editor is None and one.alerts.rows)


def test_a_rule_typed_by_keyboard_fires_on_a_live_price_and_is_told_and_logged(live, monkeypatch):
    beeps = []
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(1))
    type_rule(live, "9.2")
    (row,) = live.window.frame_shown.alerts.rows
    assert (row.title, row.value.text, row.state.text) == ("Ratio NDX / RUT ≥ 9.200", "9.000", "0.200 away")
    live.clock.time += timedelta(seconds=5)
    quote(live, 1900.0, 18050.0)
    frame = live.frame(lambda one: one.alerts.log)
    (entry,) = frame.alerts.log
    assert entry.title.text == "Ratio NDX / RUT ≥ 9.200"
    assert entry.detail.text.startswith("9.500 · 0 s old · Index ^RUT / ^NDX")
    assert beeps == [1]
    live.until(lambda: live.window.status._told is not None)
    assert "Alert: Ratio NDX / RUT ≥ 9.200" in live.window.status._told.text

    live.close()
    live.start(offline=True, size=(1600, 1000))
    frame = live.frame(lambda one: one.alerts.rows)
    assert len(frame.alerts.log) == 1
    assert frame.alerts.notices == ()
    assert beeps == [1]


def test_the_log_is_acknowledged_in_the_window(live):
    type_rule(live, "8.5")
    live.frame(lambda one: one.alerts.unseen == 1)
    assert live.window.windowTitle() == "(1) Rotation Monitor"
    live.window.focus_panel("alerts")
    live.qtbot.mouseClick(button(live.window.alerts, "Log 1"), Qt.MouseButton.LeftButton)
    live.qtbot.mouseClick(button(live.window.alerts, "Acknowledge all"), Qt.MouseButton.LeftButton)
    frame = live.frame(lambda one: one.alerts.unseen == 0)
    assert [one.seen for one in frame.alerts.log] == [True]
    assert live.window.windowTitle() == "Rotation Monitor"


def test_a_past_moment_fires_nothing(live):
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="1"))
    live.frame(lambda one: one.alerts.log)
    live.window.asked.emit(RuleForm(subject="ratio", condition="below", level="100"))
    live.frame(lambda one: len(one.alerts.log) == 2)
    live.close()
    live.start(offline=True, as_of=OPEN - timedelta(days=20))
    live.clock.time += timedelta(minutes=10)  # the prices of now are stale
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="2"))
    frame = live.frame(lambda one: len(one.alerts.rows) == 3)
    for _ in range(3):
        live.clock.time += timedelta(minutes=5)
        frame = live.frame(lambda one, before=frame: one is not before)
    assert len(frame.alerts.log) == 2
    assert frame.alerts.summary.text == "values of then; rules watch the prices of now"


def test_while_a_past_moment_is_shown_rules_go_on_watching_the_prices_of_now(live):
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="9.4"))
    live.frame(lambda one: one.alerts.rows)
    live.window.set_view(replace(live.window.view, as_of=OPEN - timedelta(days=20)))
    live.frame(lambda one: one.header.mode is not None and one.alerts.log == ())
    live.clock.time += timedelta(seconds=5)
    quote(live, 1900.0, 18050.0)
    frame = live.frame(lambda one: one.alerts.log)
    assert frame.header.mode is not None
    assert frame.alerts.log[0].detail.text.startswith("9.500 · 0 s old")
    assert frame.alerts.rows[0].value.text != "9.500"  # the panel shows the value of then


def test_a_stale_price_fires_nothing_and_the_panel_says_why(live):
    live.clock.time += timedelta(minutes=10)
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="1"))
    frame = live.frame(lambda one: one.alerts.rows)
    assert frame.alerts.log == ()
    assert "the price is 600 s old, the limit is 120 s" in frame.alerts.rows[0].state.text
    assert frame.alerts.rows[0].value.tone is Tone.PAST


def test_snooze_off_and_delete_reach_the_book(live):
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="9.9"))
    (row,) = live.frame(lambda one: one.alerts.rows).alerts.rows
    live.window.asked.emit(RuleAct(Act.SNOOZE, row.key, 60))
    frame = live.frame(lambda one: one.alerts.rows[0].snoozed)
    assert frame.alerts.rows[0].state.text == "snoozed until 12:00 ET"
    live.window.asked.emit(RuleAct(Act.OFF, row.key))
    live.frame(lambda one: not one.alerts.rows[0].enabled)
    live.window.asked.emit(RuleAct(Act.DELETE, row.key))
    live.frame(lambda one: not one.alerts.rows)


def test_a_rule_that_cannot_be_kept_is_told_and_the_editor_stays(live, monkeypatch):
    from desktop.alert_book import AlertBook
    from desktop.market.database import StoreError

    def full(*_args: object) -> int:
        raise StoreError(live.folder, "no space left", "free some; nothing stored was lost")

    live.press(Qt.Key.Key_A, control=True, shift=True)
    live.frame(lambda one: one.alerts.editor is not None)
    monkeypatch.setattr(AlertBook, "put_rule", full)
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="9.9"))
    live.until(lambda: live.window.status._told is not None and "no space left" in live.window.status._told.text)
    assert live.window.view.alert is not None


def test_the_demo_fires_in_its_own_book_alone(rig):
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    rig.start(demo=True)
    rig.frame(lambda one: one.status.dots[0].tone is Tone.GOOD)
    rig.window.asked.emit(RuleForm(subject="release", condition="below", level="90000"))
    frame = rig.frame(lambda one: one.alerts.log)
    assert frame.alerts.log[0].when.text.startswith("DEMO ")
    assert frame.alerts.notices[0].title.startswith("DEMO · Next release in ≤")
    rig.press_demo()
    frame = rig.frame(lambda one: one.playback is None)
    assert (frame.alerts.rows, frame.alerts.log) == ((), ())


def test_the_panel_stands_beside_the_gauge_and_is_reached_by_key(live):
    assert not dock(live.window, "alerts").isVisible()
    live.window.focus_panel("alerts")
    live.until(dock(live.window, "alerts").isVisible)
    assert dock(live.window, "gauge") in live.window.tabifiedDockWidgets(dock(live.window, "alerts"))
    live.until(lambda: live.window.alerts.add.hasFocus())


@pytest.mark.parametrize("size", [(1600, 1000), (1280, 720)])
def test_nothing_overlaps_and_no_word_is_cut_that_may_not_be(rig, size):
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    quote(rig, 2000.0, 18000.0)
    rig.start(offline=True, size=size)
    for form in (
        RuleForm(subject="ratio", condition="above", level="8.5"),
        RuleForm(subject="divergence", param="prior_close", condition="below", level="-3.25"),
        RuleForm(subject="regime", condition="becomes", target="violent_rotation"),
        RuleForm(subject="residual_beta", condition="crosses", level="-250000"),
    ):
        rig.window.asked.emit(form)
    rig.frame(lambda one: len(one.alerts.rows) == 4 and one.alerts.log)
    rig.window.focus_panel("alerts")
    rig.until(rig.window.alerts.isVisible)
    for name in ("dark", "light"):
        rig.window._choose("theme", name)
        for show in (lambda: rig.window.alerts._show_tab("rules"), rig.window.alerts.show_log):
            show()
            assert faults(rig, rig.window.alerts) == []
    rig.window.alerts.open_new()
    rig.frame(lambda one: one.alerts.editor is not None)
    rig.until(lambda: rig.window.alerts.editor.isVisible())
    assert faults(rig, rig.window.alerts) == []


# Notices


class Tray(QObject):
    """What a system's tray would be asked to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str]] = []

    def showMessage(self, title: str, text: str, *_more: object) -> None:  # noqa: N802
        self.shown.append((title, text))


def test_each_notice_is_shown_once_and_those_of_one_frame_together(live, monkeypatch):
    tray, beeps = Tray(), []
    told = notices.Notices(live.window)
    monkeypatch.setattr(told, "_icon", lambda: tray)
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(1))
    one, two, three = (
        Notice(number, f"rule {number}", "9.5 · 2 s old", sound=number == 2) for number in (1, 2, 3)
    )
    told.show_new((one,))
    told.show_new((one,))
    told.show_new((one, two, three))
    assert tray.shown == [("rule 1", "9.5 · 2 s old"), ("2 alerts fired", "rule 2\nrule 3")]
    assert beeps == [1]


def test_a_clicked_notice_opens_the_log(live):
    type_rule(live, "8.5")
    live.frame(lambda one: one.alerts.log)
    live.window.focus_panel("gauge")
    live.window._notices.opened.emit()
    live.until(dock(live.window, "alerts").isVisible)
    assert "Acknowledge all" in words(live.window.alerts)


def test_without_a_tray_the_status_bar_tells(live, monkeypatch):
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    told = notices.Notices(live.window)
    with live.qtbot.waitSignal(told.told) as heard:
        told.show_new((Notice(1, "rule 1", "9.5 · 2 s old", sound=False),))
    assert heard.args[0].text == "Alert: rule 1 (9.5 · 2 s old)"
