"""The sizer and the ratio chart as one: what is typed moves the line, what is dragged changes the sizing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.presenters.frame import Frame
from desktop.presenters.sizer import AUTO
from tests.app.rig import button, field_error, field_text, type_into, words
from widgets.states import Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


@pytest.fixture
def sized(rig):
    """The demo, paused after its first prices."""
    rig.start(demo=True)
    rig.frame(lambda one: one.status.dots[0].tone is Tone.GOOD)
    rig.press(Qt.Key.Key_Space, control=True)
    rig.frame(lambda one: one.playback.paused and one.sizer.legs)
    return rig


def level(frame: Frame, key: str) -> float:
    return next(one.value for one in frame.ratio.levels if one.key == key)


def quantities(frame) -> list[str]:
    return [one.quantity.text for one in frame.sizer.legs]


def edit(rig, key: str):
    return rig.window.sizer.field(key).edit


def line_spot(plot, key: str) -> QPoint:
    shown = next(one for one in plot._levels() if one.key == key)
    return QPoint(round(plot.area().center().x()), round(plot.y_to_pixel(shown.value)))


def drag(qtbot, plot, start: QPoint, end: QPoint) -> None:
    view = plot.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        spot = start + (end - start) * step / 5
        qtbot.mouseMove(view, spot)
        QApplication.processEvents()
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)


def test_suggested_stop_lies_five_percent_above_the_last_close(sized):
    frame = sized.window.frame_shown
    close = frame.snapshot.history.pair.ratio[-1]
    assert level(frame, "stop") == pytest.approx(1.05 * close, abs=5e-4)
    stop = next(one for one in frame.sizer.fields if one.key == "stop")
    assert (stop.label, stop.typed) == ("Stop (auto)", False)
    assert "suggestion" in stop.help


def test_typing_a_stop_moves_the_line(sized, qtbot):
    before = quantities(sized.window.frame_shown)
    type_into(qtbot, edit(sized, "stop"), "12.5")
    frame = sized.frame(lambda one: level(one, "stop") == 12.5)
    assert next(one.label for one in frame.ratio.levels if one.key == "stop") == "Stop 12.500"
    assert frame.sizer.outcomes[0].text.startswith("At stop 12.500: −$")
    assert quantities(frame) != before  # farther away: fewer contracts for the same loss


def test_dragging_the_line_changes_the_field_and_the_sizing(sized, qtbot):
    before = sized.window.frame_shown
    plot = sized.window.ratio.plot
    start = line_spot(plot, "target")
    drag(qtbot, plot, start, start + QPoint(0, 30))
    frame = sized.frame(lambda one: level(one, "target") < level(before, "target") - 0.05)
    shown = field_text(frame.sizer, "target")
    assert float(shown) == level(frame, "target")
    assert edit(sized, "target").text() == shown
    assert frame.sizer.outcomes != before.sizer.outcomes
    assert frame.sizer.outcomes[1].text.startswith(f"At target {shown}: ")


def test_dragging_the_stop_upwards_makes_the_position_smaller(sized, qtbot):
    before = sized.window.frame_shown
    plot = sized.window.ratio.plot
    start = line_spot(plot, "stop")
    drag(qtbot, plot, start, QPoint(start.x(), round(plot.area().top()) + 1))
    frame = sized.frame(lambda one: level(one, "stop") > level(before, "stop") + 0.05)
    assert abs(int(quantities(frame)[0].replace(",", ""))) < abs(int(quantities(before)[0].replace(",", "")))


WRONG = (
    ("stop", "5", "above"),  # the present ratio is about ten: a short of the ratio is stopped above it
    ("target", "15", "below"),
    ("capital", "-2000000", "above 0"),
    ("capital", "abc", "not a number"),
    ("capital", "", "nothing is typed"),
    ("gross_cap", "0", "above 0"),
    ("risk", "lots", "not a number"),
    ("risk", "150", "100"),
)


def test_wrong_entry_is_told_in_place_and_nothing_is_shown_as_if_valid(sized, qtbot):
    good = sized.window.frame_shown.sizer
    for key, typed, said in WRONG:
        type_into(qtbot, edit(sized, key), typed)
        frame = sized.frame(
            lambda one, key=key, typed=typed: field_text(one.sizer, key) == typed and field_error(one.sizer, key)
        )
        error = field_error(frame.sizer, key)
        assert said in error, error
        assert [one.key for one in frame.sizer.fields if one.error] == [key]
        assert error in frame.sizer.message
        assert (frame.sizer.legs, frame.sizer.ticket, frame.sizer.heat) == ((), "", None)
        assert not button(sized.window.sizer, "Copy ticket").isEnabled()
        assert edit(sized, key).property("error")
        assert edit(sized, key).toolTip() == error
        assert any(error in one for one in words(sized.window.sizer))
        # The other panels go on.
        assert frame.ratio.curve is not None
        assert frame.header.ratio.text != "n/a"
        type_into(qtbot, edit(sized, key), field_text(good, key))
        sized.frame(lambda one: one.sizer.legs == good.legs)


def test_another_field_works_while_one_is_wrong(sized, qtbot):
    type_into(qtbot, edit(sized, "capital"), "-5")
    type_into(qtbot, edit(sized, "target"), "8.5")
    frame = sized.frame(lambda one: level(one, "target") == 8.5)
    assert [one.key for one in frame.sizer.fields if one.error] == ["capital"]


def test_escape_takes_a_wrong_entry_back(sized, qtbot):
    before = quantities(sized.window.frame_shown)
    type_into(qtbot, edit(sized, "capital"), "-5")
    sized.frame(lambda one: field_error(one.sizer, "capital"))
    qtbot.keyClick(edit(sized, "capital"), Qt.Key.Key_Escape)
    frame = sized.frame(lambda one: not field_error(one.sizer, "capital"))
    assert quantities(frame) == before


def test_twice_the_capital_loses_twice_as_much_at_the_stop(sized, qtbot):
    type_into(qtbot, edit(sized, "gross_cap"), "50m")
    type_into(qtbot, edit(sized, "capital"), "20m")
    frame = sized.frame(lambda one: field_text(one.sizer, "capital") == "20m" and one.sizer.legs)
    # One percent of 20 million, in whole contracts, never more.
    lost = int(frame.sizer.outcomes[0].text.split("−$")[1].replace(",", ""))
    assert 195_000 < lost <= 200_000


def test_suggested_levels_stay_suggestions_while_the_capital_is_typed(sized, qtbot):
    type_into(qtbot, edit(sized, "capital"), "3m")
    sized.frame(lambda one: field_text(one.sizer, "capital") == "3m")
    assert sized.window.view.settings.stop == AUTO
    assert sized.window.view.settings.target == AUTO


def test_hedge_instrument_and_sizing_are_chosen_by_a_click(sized, qtbot):
    sizer = sized.window.sizer
    qtbot.mouseClick(button(sizer, "ETF"), Qt.MouseButton.LeftButton)
    frame = sized.frame(lambda one: one.sizer.legs and one.sizer.legs[0].contract.text.startswith("IWM"))
    assert frame.sizer.legs[1].contract.text.startswith("QQQ")
    qtbot.mouseClick(button(sizer, "Vol target"), Qt.MouseButton.LeftButton)
    sized.frame(lambda one: any(field.key == "vol_target" for field in one.sizer.fields))
    qtbot.mouseClick(sizer._hedges.card("dollar"), Qt.MouseButton.LeftButton)
    frame = sized.frame(lambda one: next(card.key for card in one.sizer.hedges if card.chosen) == "dollar")
    assert sized.window.view.settings.hedge == "dollar"


def test_copied_ticket_has_both_legs_and_says_that_prices_are_not_live(sized, qtbot):
    sizer = sized.window.sizer
    shown = sized.window.frame_shown.sizer
    qtbot.mouseClick(button(sizer, "Copy ticket"), Qt.MouseButton.LeftButton)
    first, *rest = QGuiApplication.clipboard().text().splitlines()
    assert first == "NOT LIVE PRICES (demo, 11 Jul 2024)"
    legs = "\n".join(rest)
    for leg in shown.legs:
        assert leg.contract.text in legs
        assert leg.quantity.text[1:] in legs
    assert "BUY" in legs
    assert "SELL" in legs
