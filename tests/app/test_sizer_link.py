"""The sizer and the ratio chart as one: what is typed moves the line, what is dragged changes the sizing."""

from __future__ import annotations

import csv
from datetime import date

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QSlider

from desktop.presenters.frame import Frame
from desktop.presenters.sizer import AUTO
from tests.app.rig import button, field_error, field_text, fill, loopback, type_into, words
from tests.sources.yahoo_server import Chart, YahooServer, quote_row
from widgets.sizer_take import SetupsButton
from widgets.states import SetupsState, Tone

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


# Pages, orders and set-ups in the whole application


def test_a_typed_volatility_changes_the_hedge_and_is_given_back(sized, qtbot):
    before = sized.window.frame_shown.sizer
    sized.window.sizer.show_page("market")
    type_into(qtbot, edit(sized, "rut_vol"), "40")
    frame = sized.frame(lambda one: one.sizer.hedges != before.hedges)
    (beta,) = [one for one in frame.sizer.hedges if one.key == "beta-ndx"]
    assert dict(beta.rows)["k"].tone is Tone.WARN
    qtbot.mouseClick(sized.window.sizer.field("rut_vol").mark, Qt.MouseButton.LeftButton)
    sized.frame(lambda one: one.sizer.hedges == before.hedges)
    assert sized.window.view.settings.rut_vol == ""


def test_what_if_answers_to_the_slider(sized, qtbot):
    sizer = sized.window.sizer
    sizer.show_page("what_if")
    rut = next(one for one in sizer.findChildren(QSlider) if "RUT" in one.accessibleName())
    rut.setFocus()
    for _ in range(2):
        qtbot.keyClick(rut, Qt.Key.Key_PageUp)
    frame = sized.frame(lambda one: one.sizer.what_if and one.sizer.what_if.sliders[0].value == 2.0)
    long = sum(one for one in (amount(leg.notional.text) for leg in frame.sizer.legs[:1]))
    assert amount(frame.sizer.what_if.results[1].text.split("+")[1]) == pytest.approx(0.02 * long, abs=1)
    assert rut.value() == 20


def amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


def test_the_demo_writes_no_orders_and_says_why(sized, qtbot):
    orders = sized.window.frame_shown.sizer.orders
    assert orders.offers == ()
    menu = button(sized.window.sizer, "Export").menu()
    assert menu.actions()[0].text().startswith("No file: prices of the demo are simulated")


def test_a_holding_typed_is_hedged_in_whole_units(sized, qtbot):
    sized.window.sizer.show_page("hedge")
    type_into(qtbot, edit(sized, "held"), "+500 IWM")
    frame = sized.frame(lambda one: one.sizer.cover.orders is not None)
    assert "SELL" in frame.sizer.cover.orders.ticket
    assert button(sized.window.sizer, "Copy hedge").isEnabled()


def test_a_set_up_brings_every_field_back_and_is_told_by_the_button(sized, qtbot, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args: ("CPI day", True))
    type_into(qtbot, edit(sized, "stop"), "12.5")
    sized.frame(lambda one: level(one, "stop") == 12.5)
    menu = sized.window.sizer.findChild(SetupsButton).menu()
    next(one for one in menu.actions() if one.text() == "Save as…").trigger()
    sized.frame(lambda one: one.sizer.setups.current == "CPI day")
    before = sized.window.frame_shown.sizer.fields
    type_into(qtbot, edit(sized, "stop"), "13.5")
    type_into(qtbot, edit(sized, "capital"), "9m")
    expected = SetupsState(("CPI day",), "CPI day", changed=True, note="kept until the demo is left")
    sized.frame(lambda one: one.sizer.setups == expected)
    assert sized.window.sizer.findChild(SetupsButton).text() == "CPI day •"
    next(one for one in menu.actions() if one.text() == "CPI day").trigger()
    frame = sized.frame(lambda one: not one.sizer.setups.changed)
    assert frame.sizer.fields == before
    assert edit(sized, "stop").text() == "12.5"


def test_set_ups_of_the_store_are_there_after_a_restart(rig, qtbot, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args: ("mine", True))
    fill(rig.folder, date(2024, 7, 9))
    for _ in range(2):
        rig.start()
        rig.frame()
        menu = rig.window.sizer.findChild(SetupsButton).menu()
        if not rig.window.frame_shown.sizer.setups.names:
            next(one for one in menu.actions() if one.text() == "Save as…").trigger()
            rig.frame(lambda one: one.sizer.setups.names == ("mine",))
        else:
            assert rig.window.frame_shown.sizer.setups.names == ("mine",)
        rig.close()


@pytest.fixture
def yahoo(rig, yahoo_client):
    """A loopback Yahoo that answers for indices and ETFs at 11:00 in New York on 10 July 2024."""
    with YahooServer() as server:
        now_s = int(rig.clock.time.timestamp())
        for symbol, price, close in (
            ("^RUT", 2100.0, 2051.76),
            ("^NDX", 20300.0, 20675.38),
            ("IWM", 210.0, 205.0),
            ("QQQ", 492.0, 500.0),
        ):
            server.quotes[symbol] = quote_row(symbol, price, now_s, regularMarketPreviousClose=close)
            server.charts[symbol] = Chart(price=price, time_s=now_s, previous_close=close)
        yield server
        server.released.set()
        rig.close()


def test_orders_on_live_quotes_are_written_as_the_ticket_shows_them(rig, yahoo, qtbot, tmp_path, monkeypatch):
    fill(rig.folder, date(2024, 7, 9))
    rig.start(offline=False, sources=loopback(yahoo))
    rig.window._choose("instrument", "etf")
    rig.window._choose("sizing", "cap")
    rig.window._choose("hedge", "dollar")  # the beta of the made-up history is below zero
    frame = rig.frame(lambda one: one.sizer.orders is not None and not one.sizer.orders.confirm)
    assert frame.sizer.standing.text == ""
    path = tmp_path / "orders.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), ""))
    menu = button(rig.window.sizer, "Export").menu()
    with qtbot.waitSignal(rig.window.sizer.orders_saved):
        next(one for one in menu.actions() if one.text().startswith("Basket for IBKR")).trigger()
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    told = [("+" if one["Action"] == "BUY" else "−") + f"{int(one['Quantity']):,}" for one in rows]
    assert told == quantities(rig.window.frame_shown)
    assert [(one["Symbol"], one["LmtPrice"]) for one in rows] == [("IWM", "210.00"), ("QQQ", "492.00")]
