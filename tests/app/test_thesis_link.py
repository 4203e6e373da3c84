"""The thesis in the whole window: a claim opens its evidence, a kill level given up is news until it was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.presenters.frame import Frame
from tests.app.rig import OPEN, button, dock, fill
from widgets.states import ClaimRow

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
KEY = "divergence_rare"


@pytest.fixture
def live(rig):
    """Real days of both legs, no source asked, the thesis on screen."""
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    rig.start(offline=True, size=(1600, 1000))
    rig.frame(lambda one: row(one).value.text not in ("", "n/a"))
    rig.window.focus_panel("thesis")
    return rig


def row(frame: Frame) -> ClaimRow:
    return next(one for one in frame.thesis.rows if one.key == KEY)


def type_kill(rig, typed: str) -> None:
    line = rig.window.thesis.row(KEY)
    line.setFocus()
    for letter in typed:
        rig.qtbot.keyClick(QApplication.focusWidget(), letter)
    rig.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)


def news(frame: Frame) -> list[str]:
    return [one.text for one in frame.thesis.news]


def test_a_clicked_claim_opens_its_evidence(live):
    line = live.window.thesis.row(KEY)
    live.qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=line.claim_rect().center())
    frame = live.frame(lambda one: one.evidence is not None and one.evidence.title)
    assert row(frame).claim in frame.evidence.title
    live.until(dock(live.window, "evidence").isVisible)


def test_a_level_that_is_crossed_is_news_until_it_was_seen_and_over_a_restart(live):
    assert news(live.window.frame_shown) == []
    type_kill(live, "1")
    frame = live.frame(news)
    assert row(frame).killed
    (told,) = news(frame)
    assert "given up" in told and "is below 1.00" in told
    live.close()

    live.start(offline=True, size=(1600, 1000))
    frame = live.frame(news)
    assert news(frame) == [told]
    assert row(frame).kill == "1"
    live.window.focus_panel("thesis")
    live.qtbot.mouseClick(button(live.window.thesis, "Seen"), Qt.MouseButton.LeftButton)
    live.frame(lambda one: not news(one))


def test_a_past_moment_makes_no_news(live):
    live.close()
    live.start(offline=True, as_of=OPEN - timedelta(days=20), size=(1600, 1000))
    live.frame(lambda one: row(one).value.text not in ("", "n/a"))
    live.window.focus_panel("thesis")
    type_kill(live, "1")
    frame = live.frame(lambda one: row(one).killed)
    assert news(frame) == []


def test_a_figure_typed_under_its_evidence_moves_the_claim_and_outlives_a_restart(live):
    live.window.thesis.claim_opened.emit("valuation_gap")
    live.frame(lambda one: one.evidence is not None and one.evidence.inputs)
    for edit, typed in zip(
        live.window.evidence.inputs.edits(), ("33", "2024-07-01", "22", "2024-07-01"), strict=True
    ):
        edit.setFocus()
        live.qtbot.keyClicks(edit, typed)

    def valued(frame: Frame) -> ClaimRow:
        return next(one for one in frame.thesis.rows if one.key == "valuation_gap")

    frame = live.frame(lambda one: valued(one).value.text != "n/a")
    assert valued(frame).value.text == "P/E 33.0 vs 22.0, n 2 funds"
    live.close()
    live.start(offline=True, size=(1600, 1000))
    frame = live.frame(lambda one: valued(one).value.text != "n/a")
    assert valued(frame).value.text == "P/E 33.0 vs 22.0, n 2 funds"


def test_the_day_rule_is_chosen_in_the_evidence_of_the_path(live):
    live.window.thesis.claim_opened.emit("cuts_priced")
    live.frame(lambda one: one.evidence is not None and one.evidence.choices)
    rules = live.window.evidence.inputs.choices
    live.qtbot.mouseClick(rules.button("new_rate"), Qt.MouseButton.LeftButton)
    frame = live.frame(lambda one: one.evidence is not None and one.evidence.choices[1].chosen)
    assert not frame.evidence.choices[0].chosen
    assert live.window.view.settings.day_rule == "new_rate"
