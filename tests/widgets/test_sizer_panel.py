"""The sizer as a person uses it: typing, tabbing, choosing, copying, while answers come in."""

import gc
import weakref
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolTip, QVBoxLayout, QWidget

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.heat_map import HeatMapView
from widgets.hedge_row import HedgeRow
from widgets.parts import Segmented
from widgets.sizer_panel import SizerPanel
from widgets.states import (
    Choice,
    FieldState,
    HeatMap,
    HedgeColumn,
    LegRow,
    OrdersState,
    SizerForm,
    SizerState,
    Text,
    Tone,
)
from widgets.ticket_table import Figures, TicketTable

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

MOVES = (-10, -5, -3, 0, 3, 5, 10)


def percent(move: int) -> str:
    return f"{'−' if move < 0 else '+'}{abs(move)} %"


def heat_map(rut: float = 493_626.0, ndx: float = 448_580.0) -> HeatMap:
    """A long RUT, short NDX pair: the gain is exact arithmetic."""
    rows = tuple(reversed(MOVES))
    values = tuple(tuple(rut * c / 100 - ndx * r / 100 for c in MOVES) for r in rows)
    return HeatMap(
        row_labels=tuple(f"NDX {percent(m)}" for m in rows),
        column_labels=tuple(f"RUT {percent(m)}" for m in MOVES),
        cells=tuple(
            tuple(
                Text(
                    f"{'−' if v < 0 else '+'}{abs(v) / 1000:.0f}k",
                    Tone.GOOD if v > 0 else Tone.BAD,
                    f"RUT {percent(c)}, NDX {percent(r)}: {'−' if v < 0 else '+'}${abs(v):,.0f}",
                )
                for c, v in zip(MOVES, line, strict=True)
            )
            for r, line in zip(rows, values, strict=True)
        ),
        values=values,
    )


def hedge(key: str, label: str, chosen: bool, k: str) -> HedgeColumn:
    return HedgeColumn(key, label, chosen, (("Hedge ratio k", Text(k)), ("Spread vol", Text("14.9 % / y"))))


BUY = LegRow(
    Text("BUY", Tone.GOOD), Text("M2K Sep 24"), Text("+46"), Text("2,146.2"), Text("$493,626"), Text("+$4,936")
)
SELL = LegRow(
    Text("SELL", Tone.BAD), Text("MNQ Sep 24"), Text("−11"), Text("20,390"), Text("$448,580"), Text("−$4,486")
)
HEAT = heat_map()
STATE = SizerState(
    fields=(
        FieldState("capital", "Capital", "2,000,000", "$", help="Capital in dollars"),
        FieldState("gross_cap", "Gross cap", "2,000,000", "$"),
        FieldState("vol_target", "Vol target", "8", "% / y"),
        FieldState("risk", "Risk at stop", "1.0", "%"),
        FieldState("stop", "Stop ratio", "9.950", ""),
        FieldState("target", "Target ratio", "8.200", ""),
        FieldState("typed_hedge", "Hedge k, typed", "", ""),
    ),
    sizings=(
        Choice("cap", "Gross cap"),
        Choice("vol_target", "Vol target"),
        Choice("stop", "Money at stop", True),
    ),
    instruments=(
        Choice("etf", "ETF"),
        Choice("micro", "Micro", True),
        Choice("mini", "Mini"),
        Choice("mixed", "Mixed", enabled=False, why="no month of the mini is known"),
    ),
    hedges=(
        hedge("dollar", "Dollar neutral", False, "1.00"),
        hedge("beta", "Beta neutral", True, "0.91"),
        hedge("vol", "Vol parity", False, "1.19"),
    ),
    legs=(BUY, SELL),
    totals=(Text("Residual beta −$1,240", why="beta of RUT on NDX"), Text("Spread vol 14.9 % / y")),
    outcomes=(Text("At stop −$20,000", Tone.BAD), Text("At target +$67,900", Tone.GOOD)),
    heat=HEAT,
    orders=OrdersState("BUY 46 M2K Sep 24\nSELL 11 MNQ Sep 24", ()),
)


def with_field(key: str, state: SizerState = STATE, **changes: Any) -> SizerState:
    fields = tuple(replace(one, **changes) if one.key == key else one for one in state.fields)
    return replace(state, fields=fields)


class Told:
    """Forms the panel told, in order."""

    def __init__(self, panel: SizerPanel) -> None:
        self.forms: list[SizerForm] = []
        panel.form_changed.connect(self.forms.append)

    def text(self, key: str) -> str:
        return dict(self.forms[-1].fields)[key]


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = SizerPanel()
    qtbot.addWidget(made)
    made.resize(1060, 440)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def edit(panel: SizerPanel, key: str) -> QLineEdit:
    return panel.field(key).edit


def segmented(panel: SizerPanel, name: str) -> Segmented:
    return next(one for one in panel.findChildren(Segmented) if one.accessibleName() == name)


def labels(panel: QWidget) -> set[str]:
    return {one.text() for one in panel.findChildren(QLabel) if one.isVisible()}


def copy_button(panel: SizerPanel) -> QPushButton:
    return next(one for one in panel.findChildren(QPushButton) if one.text() in ("Copy ticket", "Copied"))


# Typing


def test_every_keystroke_tells_the_form_raw(panel, qtbot):
    told = Told(panel)
    edit(panel, "stop").setFocus()
    edit(panel, "stop").selectAll()
    qtbot.keyClicks(edit(panel, "stop"), "1o.2")
    assert [dict(form.fields)["stop"] for form in told.forms] == ["1", "1o", "1o.", "1o.2"]
    form = told.forms[-1]
    assert (form.sizing, form.hedge, form.instrument) == ("stop", "beta", "micro")
    assert dict(form.fields)["capital"] == "2,000,000"


def test_answers_to_earlier_keystrokes_leave_text_and_cursor(panel, qtbot):
    field = edit(panel, "stop")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "10.25")
    field.setCursorPosition(2)
    for late in ("1", "10.", "10.2"):
        panel.show_state(with_field("stop", text=late))
        assert (field.text(), field.cursorPosition()) == ("10.25", 2)
    panel.show_state(with_field("stop", text="10.25"))
    assert (field.text(), field.cursorPosition()) == ("10.25", 2)


def test_other_fields_change_while_one_is_typed_in(panel, qtbot):
    field = edit(panel, "capital")
    field.setFocus()
    field.end(False)
    qtbot.keyClicks(field, "0")
    panel.show_state(with_field("stop", text="10.125"))
    assert edit(panel, "stop").text() == "10.125"
    assert field.text() == "2,000,0000"


def test_stop_dragged_in_the_chart_moves_the_text_even_under_the_cursor(panel, qtbot):
    field = edit(panel, "stop")
    field.setFocus()
    field.setCursorPosition(1)
    panel.show_state(with_field("stop", text="10.125"))
    assert (field.text(), field.cursorPosition()) == ("10.125", 1)
    told = Told(panel)
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    assert told.text("stop") == "1.125"


def test_undo_still_works_after_states_came_in(panel, qtbot):
    field = edit(panel, "risk")
    field.setFocus()
    field.end(False)
    qtbot.keyClicks(field, "5")
    panel.show_state(with_field("risk", text="1.05"))
    field.undo()
    assert field.text() == "1.0"


def test_escape_takes_back_the_wrong_entry(panel, qtbot):
    told = Told(panel)
    field = edit(panel, "capital")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "-5")
    panel.show_state(with_field("capital", text="-5", error="must be positive"))
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "2,000,000"
    assert told.text("capital") == "2,000,000"


def test_enter_selects_the_entry_so_that_typing_replaces_it(panel, qtbot):
    field = edit(panel, "risk")
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClicks(field, "2")
    assert field.text() == "2"


# Wrong entries


def test_wrong_field_is_marked_in_place_with_the_reason_and_nothing_moves(panel, qtbot):
    places = {key: edit(panel, key).mapTo(panel, QPoint()) for key in ("capital", "stop", "target")}
    hedges = panel.findChild(HedgeRow).mapTo(panel, QPoint())
    reason = "lies below the ratio 9.511, on the side of the target"
    wrong = with_field("stop", text="9.2", error=reason)
    panel.show_state(
        replace(wrong, legs=(), totals=(), outcomes=(), heat=None, orders=None, message="Correct the stop")
    )
    QApplication.processEvents()
    field = edit(panel, "stop")
    assert field.property("error") is True
    assert field.accessibleDescription() == f"Wrong: {reason}"
    assert f"Stop ratio: {reason}" in labels(panel)
    assert "Stop ratio !" in labels(panel)
    assert "Correct the stop" in labels(panel)
    assert {key: edit(panel, key).mapTo(panel, QPoint()) for key in places} == places
    assert panel.findChild(HedgeRow).mapTo(panel, QPoint()) == hedges


def test_mark_goes_when_the_field_is_right_again(panel):
    panel.show_state(with_field("stop", text="9.2", error="wrong side"))
    panel.show_state(STATE)
    assert edit(panel, "stop").property("error") is False
    assert "Stop ratio" in labels(panel)
    assert not any("wrong side" in one for one in labels(panel))


def test_of_several_wrong_fields_the_one_being_typed_in_is_explained(panel):
    state = with_field("capital", error="is negative")
    state = with_field("stop", state=state, error="wrong side")
    panel.show_state(state)
    assert "Capital: is negative (+1 more)" in labels(panel)
    edit(panel, "stop").setFocus()
    assert "Stop ratio: wrong side (+1 more)" in labels(panel)


def test_help_of_the_field_with_the_keyboard_is_shown(panel):
    edit(panel, "capital").setFocus()
    assert "Capital in dollars" in labels(panel)


# Choices and keyboard


def test_tab_follows_the_eye(panel, qtbot):
    edit(panel, "capital").setFocus()
    seen = []
    for _ in range(13):
        here = QApplication.focusWidget()
        assert here is not None
        seen.append(here.accessibleName() or (here.text() if isinstance(here, QPushButton) else ""))
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    assert seen == [
        "Capital, $",
        "Gross cap, $",
        "Vol target, % / y",
        "Risk at stop, %",
        "Stop ratio",
        "Target ratio",
        "Hedge k, typed",
        "Size by: Money at stop",
        "Instrument: Micro",
        "Hedge: Beta neutral",
        "Scenarios: profit and loss by moves of both legs",
        "Set-ups",
        "Copy ticket",
    ]


def test_tab_order_fits_among_neighbours(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    column = QVBoxLayout(host)
    first, made, last = QPushButton("first"), SizerPanel(), QPushButton("last")
    for one in (first, made, last):
        column.addWidget(one)
    made.show_state(STATE)
    with qtbot.waitActive(host):
        host.show()
        host.activateWindow()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is edit(made, "capital")
    export = next(one for one in made.findChildren(QPushButton) if one.text() == "Export")
    export.setFocus()
    qtbot.keyClick(export, Qt.Key.Key_Tab)
    page = segmented(made, "Page").button("ticket")
    assert QApplication.focusWidget() is page
    qtbot.keyClick(page, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is last


def test_click_on_a_hedge_column_chooses_it_at_once(panel, qtbot):
    told = Told(panel)
    card = panel.findChild(HedgeRow).card("vol")
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(20, card.height() - 6))
    assert told.forms[-1].hedge == "vol"
    assert card.isChecked()


def test_arrow_keys_move_the_hedge(panel, qtbot):
    told = Told(panel)
    row = panel.findChild(HedgeRow)
    row.card("beta").setFocus()
    qtbot.keyClick(row.card("beta"), Qt.Key.Key_Left)
    assert told.forms[-1].hedge == "dollar"
    assert QApplication.focusWidget() is row.card("dollar")


def test_choice_survives_the_frame_that_was_already_under_way(panel, qtbot):
    told = Told(panel)
    qtbot.mouseClick(segmented(panel, "Instrument").button("etf"), Qt.MouseButton.LeftButton)
    panel.show_state(replace(STATE, totals=(Text("Residual beta −$1,250"),)))
    assert segmented(panel, "Instrument").button("etf").isChecked()
    edit(panel, "risk").setFocus()
    qtbot.keyClicks(edit(panel, "risk"), "5")
    assert told.forms[-1].instrument == "etf"


def test_choice_made_elsewhere_is_shown(panel):
    moved = tuple(replace(one, chosen=one.key == "dollar") for one in STATE.hedges)
    panel.show_state(replace(STATE, hedges=moved))
    assert panel.findChild(HedgeRow).card("dollar").isChecked()


def test_sizing_is_chosen_with_the_keyboard(panel, qtbot):
    told = Told(panel)
    button = segmented(panel, "Size by").button("stop")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Left)
    assert told.forms[-1].sizing == "vol_target"


def test_disabled_instrument_says_why(panel):
    button = segmented(panel, "Instrument").button("mixed")
    assert not button.isEnabled()
    assert button.toolTip() == "no month of the mini is known"


# Ticket


def test_copy_puts_both_legs_on_the_clipboard(panel, qtbot):
    QApplication.clipboard().clear()
    with qtbot.waitSignal(panel.ticket_copied) as copied:
        qtbot.mouseClick(copy_button(panel), Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "BUY 46 M2K Sep 24\nSELL 11 MNQ Sep 24" == copied.args[0]
    assert copy_button(panel).text() == "Copied"


def test_no_ticket_no_copy(panel):
    panel.show_state(replace(STATE, orders=None))
    assert not copy_button(panel).isEnabled()


def test_mixed_ticket_shows_four_legs(panel):
    before = panel.findChild(TicketTable).height()
    panel.show_state(replace(STATE, legs=(BUY, BUY, SELL, SELL)))
    QApplication.processEvents()
    table = panel.findChild(TicketTable)
    assert table.height() > before
    assert table.accessibleDescription().count("Contract") == 4


def test_figures_of_the_ticket_stand_still_as_digits_come_and_go(panel):
    table = panel.findChild(TicketTable)
    places = [table.cell_rect(0, column) for column in range(6)]
    panel.show_state(replace(STATE, legs=(replace(BUY, notional=Text("$9,626"), quantity=Text("+4")), SELL)))
    assert [table.cell_rect(0, column) for column in range(6)] == places


@pytest.mark.parametrize("wide", [420, 520, 850, 1060])
def test_no_cells_of_the_ticket_overlap(panel, wide):
    panel.resize(wide, 440)
    QApplication.processEvents()
    table = panel.findChild(TicketTable)
    cells = [table.cell_rect(0, column) for column in range(6)]
    assert all(a.right() < b.left() for a, b in pairwise(cells))
    assert cells[-1].right() <= table.width()


def test_hover_tells_where_a_figure_comes_from(panel):
    totals = next(one for one in panel.findChildren(Figures) if one.accessibleName() == "Totals")
    assert totals.words_at(QPoint(5, 5)) == "Residual beta −$1,240\nbeta of RUT on NDX"
    table = panel.findChild(TicketTable)
    assert table.words_at(table.cell_rect(0, 1).center()) == "Contract M2K Sep 24"


# Scenario map


def heat(panel: SizerPanel, name: str = "Scenarios: ") -> HeatMapView:
    return next(one for one in panel.findChildren(HeatMapView) if one.accessibleName().startswith(name))


def test_each_cell_tells_both_moves_and_the_amount(panel):
    view = heat(panel)
    row, column = HEAT.row_labels.index("NDX −5 %"), HEAT.column_labels.index("RUT +3 %")
    place = view.cell_rect(row, column).center()
    assert view.cell_at(place) == (row, column)
    # 3 % of 493,626 plus 5 % of 448,580
    assert view.cell_words(row, column) == "RUT +3 %, NDX −5 %: +$37,238"
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, place, view.mapToGlobal(place)))
    assert QToolTip.text() == "RUT +3 %, NDX −5 %: +$37,238"
    QToolTip.hideText()


def test_arrow_keys_read_the_cells_aloud(panel, qtbot):
    view = heat(panel)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    # From the middle (0, 0): one column right is RUT +3 %, one row down is NDX −3 %.
    assert view.accessibleDescription().startswith("RUT +3 %, NDX −3 %: +$")
    QToolTip.hideText()


def test_control_c_copies_the_map_as_a_table_of_numbers(panel, qtbot):
    view = heat(panel)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    rows = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert rows[0] == ["", *HEAT.column_labels]
    assert [row[0] for row in rows[1:]] == list(HEAT.row_labels)
    assert float(rows[1][1]) == pytest.approx(-49_362.6 - 44_858.0, abs=0.01)
    assert float(rows[7][7]) == pytest.approx(49_362.6 + 44_858.0, abs=0.01)


def test_gains_and_losses_differ_in_colour_and_each_cell_carries_its_sign(panel):
    view = heat(panel)
    picture = view.grab().toImage()
    gain, loss = view.cell_rect(6, 6), view.cell_rect(0, 0)
    green, red = (
        picture.pixelColor(gain.topLeft() + QPoint(4, 4)),
        picture.pixelColor(loss.topLeft() + QPoint(4, 4)),
    )
    assert green.green() > green.red()
    assert red.red() > red.green()
    assert all(cell.text[0] in "+−" for row in HEAT.cells for cell in row)


@pytest.mark.parametrize(("rut", "wide"), [(5e5, 320), (2.4e6, 320), (2.4e7, 320), (2.4e6, 600)])
def test_amounts_stay_inside_their_cells(qtbot, rut, wide):
    # 320 pixels is what is left beside the ticket in a window of 1600.
    view = HeatMapView("Scenarios")
    qtbot.addWidget(view)
    view.resize(wide, 240)
    shown = heat_map(rut, 0.9 * rut)
    view.show_map(shown)
    metrics = QFontMetrics(view.cell_font())
    for row, cells in enumerate(shown.cells):
        for column, cell in enumerate(cells):
            assert metrics.horizontalAdvance(cell.text) <= view.cell_rect(row, column).width() - 2
    if wide == 600:
        assert view.cell_font().pixelSize() == 12  # where there is room it is as large as the labels


def test_without_scenarios_the_map_is_empty_and_says_so(panel):
    panel.show_state(replace(STATE, heat=None))
    assert heat(panel).accessibleDescription() == "no scenarios"
    assert heat(panel).cell_at(QPoint(100, 50)) is None


# Life of the panel


@pytest.mark.parametrize(("wide", "high"), [(1060, 440), (850, 330), (520, 440), (420, 330)])
def test_fields_and_choices_fit_at_every_usual_size(panel, qtbot, wide, high):
    def inside(widget: QWidget) -> bool:
        left = widget.mapTo(panel, QPoint()).x()
        return left >= 0 and left + widget.width() <= panel.width()

    panel.resize(wide, high)
    widgets = [edit(panel, key) for key in ("capital", "gross_cap", "typed_hedge")]
    qtbot.waitUntil(lambda: all(map(inside, [*widgets, segmented(panel, "Instrument"), segmented(panel, "Page")])))
    typed = edit(panel, "capital")
    margins = typed.textMargins()
    room = typed.width() - margins.left() - margins.right()
    assert typed.fontMetrics().horizontalAdvance("2,000,000") <= room


def test_map_stands_beside_the_ticket_when_wide_and_on_its_page_when_narrow(panel):
    table = panel.findChild(TicketTable)

    def place(widget: QWidget) -> QPoint:
        return widget.mapTo(panel, QPoint())

    assert place(heat(panel)).x() > place(table).x() + table.width()
    panel.resize(520, 800)
    QApplication.processEvents()
    assert not heat(panel).isVisible()
    panel.show_page("what_if")
    QApplication.processEvents()
    assert heat(panel, "Scenarios of the what-if").isVisible()


def test_equal_state_paints_nothing(panel):
    QApplication.processEvents()
    paints = Paints(panel)
    panel.show_state(replace(STATE))
    QApplication.processEvents()
    assert paints.count == 0


def test_changed_legs_leave_the_map_alone(panel):
    QApplication.processEvents()
    paints = Paints(heat(panel))
    panel.show_state(replace(STATE, legs=(replace(BUY, price=Text("2,146.3")), SELL)))
    QApplication.processEvents()
    assert paints.count == 0


def test_theme_switch_recolours_everything(panel):
    panel.set_theme(theme.DARK)
    dark = panel.grab().toImage()
    panel.set_theme(theme.LIGHT)
    assert panel.grab().toImage() != dark


def test_nothing_stays_after_close(qtbot):
    made = SizerPanel()
    made.show_state(STATE)
    gone = weakref.ref(made)
    with qtbot.waitSignal(made.destroyed):
        made.deleteLater()
    del made
    gc.collect()
    assert gone() is None


def test_cards_grow_when_their_figures_come_later(panel, qtbot):
    only_k = tuple(replace(one, rows=one.rows[:1]) for one in STATE.hedges)
    panel.show_state(replace(STATE, hedges=only_k))
    card = panel.findChild(HedgeRow).cards[0]
    qtbot.waitUntil(lambda: card.height() == card.sizeHint().height())
    small = card.height()
    panel.show_state(STATE)
    assert len(STATE.hedges[0].rows) > 1
    qtbot.waitUntil(lambda: card.height() == card.sizeHint().height() > small)
