"""The evidence view as a person uses it: reads it, walks through the table, takes it away."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.evidence_view import EvidenceView
from widgets.parts import FactLine, Label
from widgets.states import Curve, EvidenceChart, EvidenceLine, EvidenceState, EvidenceTable, Text, Tone, Verdict
from widgets.verdict_mark import VerdictMark

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

DAY = np.arange(0, 61.0)
CHART = EvidenceChart("pp", (EvidenceLine("mean", Curve(DAY, DAY / 20)),), x_label="days after")
TABLE = EvidenceTable(
    ("Horizon", "Mean", "n", "Note"),
    (
        (Text("1 day"), Text("+0.2 pp", Tone.GOOD), Text("1,023"), Text("spans zero")),
        (Text("20 days"), Text("−0.4 pp", Tone.BAD, "bootstrap, seed 7"), Text("23"), Text("a\ttab")),
        (Text("60 days"), Text("n/a", Tone.DIM, "too few"), Text("9"), Text("")),
    ),
)
STATE = EvidenceState(
    "after",
    "It continued the next days",
    Verdict.MIXED,
    (Text("+0.4 pp after 20 days"), Text("n 23")),
    CHART,
    TABLE,
    Text("23 events are few"),
    Text("Yahoo daily closes"),
)


@pytest.fixture
def view(qtbot):
    theme.load_fonts()
    made = EvidenceView()
    qtbot.addWidget(made)
    made.resize(460, 400)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    QApplication.processEvents()
    return made


def words(view: EvidenceView) -> list[str]:
    return [one.text() for one in view.findChildren(Label) if one.isVisible() and one.text()]


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def choose(view: EvidenceView, *rows: int) -> None:
    for number, row in enumerate(rows):
        place = QPoint(20, view.table.rowViewportPosition(row) + 8)
        index = view.table.indexAt(place)
        flag = view.table.selectionModel().SelectionFlag
        how = flag.ClearAndSelect if number == 0 else flag.Select
        view.table.selectionModel().select(index, how | flag.Rows)


def test_title_verdict_facts_caution_and_source_are_shown(view):
    assert words(view) == ["It continued the next days", "23 events are few", "Yahoo daily closes"]
    mark = view.findChild(VerdictMark)
    assert mark is not None
    assert (mark.word(), mark.accessibleName()) == ("Mixed", "Verdict: mixed")
    assert view.findChild(FactLine).shown() == "+0.4 pp after 20 days · n 23"
    assert view.accessibleDescription() == "It continued the next days: mixed"
    assert view.plot.accessibleName() == "It continued the next days, chart"
    assert view.table.accessibleName() == "It continued the next days, table"


def test_without_a_claim_it_asks_to_choose_one(view):
    view.show_state(None)
    assert words(view) == ["Evidence", "Choose a claim to see what stands behind it"]
    assert not view.plot.isVisible() and not view.findChild(VerdictMark).isVisible()
    view.show_state(STATE)
    assert view.plot.isVisible()
    assert "Choose a claim to see what stands behind it" not in words(view)


def test_a_new_view_asks_to_choose_a_claim(qtbot):
    made = EvidenceView()
    qtbot.addWidget(made)
    made.show()
    made.show_state(None)
    assert words(made) == ["Evidence", "Choose a claim to see what stands behind it"]


def test_what_there_is_not_takes_no_room(view):
    view.show_state(replace(STATE, table=None, caution=Text("")))
    settle()
    assert not view.table.isVisible() and words(view) == ["It continued the next days", "Yahoo daily closes"]
    tall = view.plot.height()
    view.show_state(replace(STATE, chart=None))
    settle()
    assert not view.plot.isVisible() and view.table.height() > 200
    view.show_state(STATE)
    settle()
    assert view.plot.height() < tall


def test_figures_stand_right_and_words_left(view):
    cells = view.table.model()
    right = [
        bool(cells.index(1, c).data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight)
        for c in range(4)
    ]
    assert right == [False, True, True, False]
    assert cells.index(1, 1).data(Qt.ItemDataRole.ToolTipRole) == "Mean −0.4 pp\nbootstrap, seed 7"
    assert cells.index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole) == "Mean −0.4 pp"


def test_columns_only_grow_while_figures_change(view):
    before = [view.table.columnWidth(column) for column in range(4)]
    shorter = replace(TABLE, rows=tuple((a, Text("+1"), Text("2"), d) for a, _, _, d in TABLE.rows))
    view.show_state(replace(STATE, table=shorter))
    assert [view.table.columnWidth(column) for column in range(4)] == before


def test_ctrl_c_copies_all_or_the_chosen_rows(view, qtbot):
    view.table.setFocus()
    copy = (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(view.table, *copy)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "Horizon\tMean\tn\tNote"
    assert lines[2] == '20 days\t-0.4 pp\t23\t"a\ttab"', "a minus that a spreadsheet reads"
    assert len(lines) == 4
    choose(view, 2, 0)
    qtbot.keyClick(view.table, *copy)
    assert [line.split("\t")[0] for line in QApplication.clipboard().text().splitlines()] == [
        "Horizon",
        "1 day",
        "60 days",
    ]
    qtbot.keyClick(view.table, Qt.Key.Key_Escape)
    assert view.table.chosen_rows() == []


def test_arrow_keys_walk_through_the_table(view, qtbot):
    view.table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(view.table, Qt.Key.Key_Down)
    assert view.table.chosen_rows() == [1]
    with qtbot.waitSignal(view.table.selectionModel().currentChanged):
        qtbot.keyClick(view.table, Qt.Key.Key_Down)


def test_tab_goes_from_the_chart_to_the_table_and_on(view, qtbot):
    view.setFocus()
    assert view.plot.hasFocus()
    qtbot.keyClick(view.plot, Qt.Key.Key_Tab)
    assert view.table.hasFocus()
    qtbot.keyClick(view.table, Qt.Key.Key_Tab)
    assert view.plot.hasFocus()


def test_the_table_is_saved_by_its_menu(view, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    middle = view.table.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, middle, view.table.mapToGlobal(middle))
    QApplication.sendEvent(view.table, event)
    menu = view.table.findChildren(QMenu)[-1]
    actions: dict[str, QAction] = {one.text().split("\t")[0]: one for one in menu.actions()}
    assert not actions["Copy rows"].isEnabled()
    actions["Save CSV…"].trigger()
    assert path.read_text(encoding="utf-8").splitlines()[1] == '1 day,+0.2 pp,"1,023",spans zero'


def test_copy_picture_takes_the_whole_panel(view):
    view.plot.copy_picture()
    image = QApplication.clipboard().image()
    assert (image.width(), image.height()) == (460, 400)


def test_a_selection_and_a_zoom_outlive_new_figures_but_not_another_claim(view, qtbot):
    choose(view, 1)
    qtbot.keyClick(view.plot, Qt.Key.Key_Plus)
    zoomed = view.plot.span
    rows = (*TABLE.rows[:2], (Text("60 days"), Text("+9.9 pp"), Text("10"), Text("")))
    chart = replace(CHART, lines=(EvidenceLine("mean", Curve(DAY, DAY / 21)),))
    view.show_state(replace(STATE, table=replace(TABLE, rows=rows), chart=chart))
    assert view.table.chosen_rows() == [1] and view.plot.span == zoomed
    assert view.table.model().index(2, 1).data() == "+9.9 pp"
    view.show_state(replace(STATE, key="other", title="Another claim", chart=chart))
    assert view.table.chosen_rows() == [] and view.plot.span != zoomed


def test_an_equal_state_paints_nothing(view, qtbot):
    qtbot.wait(30)
    paints = Paints(view)
    view.show_state(replace(STATE, table=replace(TABLE)))
    qtbot.wait(30)
    assert paints.count == 0


def test_a_new_fact_leaves_chart_and_table_alone(view, qtbot):
    qtbot.wait(30)
    chart, table = Paints(view.plot), Paints(view.table)
    view.show_state(replace(STATE, facts=(Text("+0.5 pp after 20 days"), Text("n 24"))))
    qtbot.wait(30)
    assert (chart.count, table.count) == (0, 0)


def test_a_slim_table_stands_beside_the_chart_where_there_is_room(view):
    slim = EvidenceTable(("Day", "Mean"), tuple((Text(f"{n}"), Text(f"+{n} pp")) for n in range(20)))
    view.show_state(replace(STATE, table=slim))
    settle()
    assert view.table.y() > view.plot.y()
    view.resize(700, 500)
    settle()
    assert view.table.x() > view.plot.x() + view.plot.width()
    view.resize(460, 400)
    settle()
    assert view.table.y() >= view.plot.y() + view.plot.height()
    assert view.table.width() == view.plot.width()


@pytest.mark.parametrize("size", [(300, 180), (460, 400), (700, 500), (1600, 1000)])
@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
def test_any_size_and_theme_paints(view, size, look):
    view.set_theme(look)
    view.resize(*size)
    settle()
    assert view.grab().toImage().pixelColor(view.plot.mapTo(view, QPoint(2, 2))).name() == look.panel


@pytest.mark.parametrize(
    "table", [EvidenceTable((), ()), EvidenceTable(("A", "B"), ()), EvidenceTable(("A", "B"), ((Text("x"),),))]
)
def test_odd_tables_are_shown(view, table):
    view.show_state(replace(STATE, table=table))
    settle()
    view.grab()
    view.table.copy()


def test_nothing_stays_behind_after_close(qtbot):
    panel = EvidenceView()
    panel.show_state(STATE)
    panel.show()
    destroyed: list[bool] = []
    panel.destroyed.connect(lambda: destroyed.append(True))
    seen = weakref.ref(panel)
    panel.close()
    panel.deleteLater()
    qtbot.waitUntil(lambda: bool(destroyed))
    del panel
    gc.collect()
    assert seen() is None
