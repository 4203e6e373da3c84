"""The thesis panel as a person uses it: mouse, keyboard, typing while states come in, screen reader."""

import gc
import weakref
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.claim_line import ClaimLine
from widgets.parts import Label
from widgets.states import ClaimRow, KillTyped, Text, ThesisState, Tone, Verdict
from widgets.thesis_panel import ThesisPanel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

CLAIMS = (
    ("ratio", "Ratio stretched past 2000 peak", Verdict.FOR, "10.08 vs 8.20", "9 Jul"),
    ("reverts", "Ratio reverts", Verdict.AGAINST, "ADF p 0.74", "9 Jul"),
    ("after", "It continued the next days", Verdict.MIXED, "+0.4 pp ± 1.1, n 23", "11 Jul"),
    ("flow", "Flow asymmetry", Verdict.UNKNOWN, "n/a", "live"),
)
ROWS = tuple(ClaimRow(key, claim, verdict, Text(value), Text(when)) for key, claim, verdict, value, when in CLAIMS)
RATIO = replace(
    ROWS[0], kill="10.20", kill_hint="weekly close above", value=Text("10.08 vs 8.20", why="Yahoo closes")
)
STATE = ThesisState((RATIO, *ROWS[1:]), Text("1 for · 1 mixed · 1 against · 1 unknown", Tone.WARN))
NEWS = tuple(Text(f"Change {number}") for number in range(1, 6))


@pytest.fixture
def panel(qtbot):
    theme.load_fonts()
    made = ThesisPanel()
    qtbot.addWidget(made)
    made.resize(460, 400)
    made.show_state(STATE)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    QApplication.processEvents()
    return made


def many(count: int) -> ThesisState:
    return replace(STATE, rows=tuple(replace(ROWS[n % 4], key=f"claim {n}") for n in range(count)))


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def button(panel: ThesisPanel, words: str) -> QPushButton:
    return next(one for one in panel.findChildren(QPushButton) if one.text() == words)


def words(panel: ThesisPanel) -> list[str]:
    return [one.text() for one in panel.findChildren(Label) if one.isVisible() and one.text()]


def marks(panel: ThesisPanel) -> list[QImage]:
    """Pictures of the marks with every colour made the same."""
    made = []
    for key, *_ in CLAIMS:
        row = panel.row(key)
        image = row.grab().toImage().copy(0, 0, 22, row.minimumHeight() - 3)
        ground = QColor(panel.grab().toImage().pixelColor(4, 30))
        for x in range(image.width()):
            for y in range(image.height()):
                one = image.pixelColor(x, y)
                near = abs(one.red() - ground.red()) + abs(one.green() - ground.green()) < 60
                image.setPixelColor(x, y, QColor("black" if near else "white"))
        made.append(image)
    return made


# Reading


def test_every_row_tells_claim_verdict_value_date_and_kill_level(panel):
    row = panel.row("ratio")
    assert row.accessibleName() == "Ratio stretched past 2000 peak: for"
    assert row.accessibleDescription() == (
        "10.08 vs 8.20, Yahoo closes. 9 Jul. Kill level 10.20, weekly close above"
    )
    assert row.toolTip().splitlines()[0] == "For: Ratio stretched past 2000 peak"
    said = [panel.row(key).accessibleName().split(": ")[1] for key, *_ in CLAIMS]
    assert said == ["for", "against", "mixed", "unknown"]
    assert "1 for · 1 mixed · 1 against · 1 unknown" in words(panel)


def test_marks_differ_without_colour(panel):
    panel.row("ratio").clearFocus()
    panel.row("ratio").set_chosen(False)
    shapes = marks(panel)
    assert all(a != b for n, a in enumerate(shapes) for b in shapes[n + 1 :])


def test_a_crossed_level_is_told_by_a_word(panel):
    before = panel.row("reverts").grab().toImage()
    panel.show_state(replace(STATE, rows=(RATIO, replace(ROWS[1], killed=True), *ROWS[2:])))
    row = panel.row("reverts")
    assert row.accessibleDescription().endswith("Kill level none: crossed")
    assert row.grab().toImage() != before
    assert row.claim_rect().right() + 60 < row.value_rect().left(), "the word has its place"


def test_dates_and_values_stand_in_columns(panel):
    rows = [panel.row(key) for key, *_ in CLAIMS]
    assert len({row.when_rect().left() for row in rows}) == 1
    assert len({row.value_rect().right() for row in rows}) == 1


@pytest.mark.parametrize("killed", [False, True])
def test_a_claim_gives_way_to_its_short_form_before_its_value_is_cut(panel, killed):
    value = Text("9.51 vs 8.20, n 9,281")
    row = replace(ROWS[0], claim="Stretched far past the 2000 peak", short="Stretched", value=value, killed=killed)
    panel.show_state(replace(STATE, rows=(row, *ROWS[1:])))
    shown = panel.row(row.key)
    for width, words in ((1200, row.claim), (400, "Stretched")):
        panel.resize(width, 400)
        settle()
        assert shown.claim_words() == words
        assert shown.value_rect().width() > shown.fontMetrics().horizontalAdvance(value.text) * 12 // 14
        assert shown.claim_rect().right() < shown.value_rect().left()
    assert row.claim in shown.toolTip()


@pytest.mark.parametrize("width", [300, 380, 460, 619, 620, 700, 1200])
def test_nothing_overlaps_at_any_width(panel, width):
    long = replace(
        ROWS[2], claim="A claim that needs a good deal of room", value=Text("+0.41 pp ± 1.13, n 23 of 9,280 days")
    )
    panel.show_state(replace(STATE, rows=(RATIO, ROWS[1], replace(long, killed=True), ROWS[3])))
    panel.resize(width, 400)
    settle()
    for row in panel.findChildren(ClaimLine):
        claim, value, when = row.claim_rect(), row.value_rect(), row.when_rect()
        assert claim.right() < value.left() and value.right() < when.left()
        assert when.right() <= row.width()
        if width >= 620:
            assert value.right() < row.edit.geometry().left() and row.edit.geometry().right() < when.left()


def test_fourteen_claims_need_no_scrolling(panel):
    panel.show_state(many(14))
    settle()
    bar = panel._area.verticalScrollBar()
    assert bar.maximum() == 0
    panel.show_state(many(30))
    settle()
    assert bar.maximum() > 0


def test_a_message_stands_in_place_of_the_claims(panel):
    panel.show_state(ThesisState((), Text(""), message="No history yet: press F5"))
    assert words(panel) == ["Thesis", "No history yet: press F5"]
    panel.show_state(STATE)
    settle()
    assert "No history yet: press F5" not in words(panel)
    assert panel.row("flow").isVisible()


# Opening and moving


def test_a_click_opens_the_evidence(panel, qtbot):
    with qtbot.waitSignal(panel.claim_opened) as opened:
        qtbot.mouseClick(panel.row("after"), Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
    assert opened.args == ["after"]
    assert panel.row("after").hasFocus()


def test_a_click_let_go_elsewhere_opens_nothing(panel, qtbot):
    with qtbot.assertNotEmitted(panel.claim_opened):
        qtbot.mousePress(panel.row("after"), Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
        qtbot.mouseRelease(panel.row("after"), Qt.MouseButton.LeftButton, pos=QPoint(60, 300))


def test_up_down_home_end_move_and_enter_opens(panel, qtbot):
    told: list[str] = []
    panel.claim_opened.connect(told.append)
    panel.setFocus()
    for key, there in (
        (Qt.Key.Key_Down, "reverts"),
        (Qt.Key.Key_End, "flow"),
        (Qt.Key.Key_Down, "flow"),
        (Qt.Key.Key_Up, "after"),
        (Qt.Key.Key_Home, "ratio"),
    ):
        qtbot.keyClick(QApplication.focusWidget(), key)
        assert QApplication.focusWidget() is panel.row(there)
    assert told == []
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert told == ["ratio", "ratio"]


def test_tab_goes_from_the_chosen_row_to_its_level_and_out(qtbot):
    window, before, panel, after = QWidget(), QPushButton("before"), ThesisPanel(), QPushButton("after")
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    for one in (before, panel, after):
        column.addWidget(one)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    panel.show_state(STATE)  # rows made later than what stands around them
    settle()
    before.setFocus()
    seen = []
    for _ in range(3):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert seen == [panel.row("ratio"), panel.row("ratio").edit, after], "one stop for the whole list"
    panel.choose("after")
    after.setFocus()
    qtbot.keyClick(after, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget() is panel.row("after").edit


def test_the_chosen_row_is_scrolled_into_sight(panel, qtbot):
    panel.show_state(many(30))
    panel.choose("claim 29")
    settle()
    row = panel.row("claim 29")
    bottom = row.mapTo(panel._area.viewport(), QPoint(0, row.height())).y()
    assert bottom <= panel._area.viewport().height()


def test_the_kill_level_unfolds_where_narrow_and_stands_in_a_column_where_wide(panel):
    panel.choose("reverts")
    settle()
    assert [panel.row(key).edit.isVisible() for key, *_ in CLAIMS] == [False, True, False, False]
    assert panel.row("reverts").height() > panel.row("after").height()
    panel.resize(700, 400)
    settle()
    assert all(panel.row(key).edit.isVisible() for key, *_ in CLAIMS)
    assert len({panel.row(key).height() for key, *_ in CLAIMS}) == 1


# Kill levels


def test_every_keystroke_is_told_and_f2_keeps_what_stands_there(panel, qtbot):
    told: list[KillTyped] = []
    panel.kill_typed.connect(told.append)
    panel.choose("ratio")
    qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_F2)
    edit = panel.row("ratio").edit
    assert edit.hasFocus() and edit.selectedText() == "10.20"
    qtbot.keyClick(edit, Qt.Key.Key_End)
    qtbot.keyClicks(edit, "5")
    assert told == [KillTyped("ratio", "10.205")]


def test_typing_on_the_row_replaces_the_level(panel, qtbot):
    told: list[KillTyped] = []
    panel.kill_typed.connect(told.append)
    panel.choose("ratio")
    qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_9)
    qtbot.keyClicks(panel.row("ratio").edit, ".5")
    assert [one.text for one in told] == ["9", "9.", "9.5"]
    qtbot.keyClick(panel.row("ratio").edit, Qt.Key.Key_Return)
    assert panel.row("ratio").hasFocus()
    assert panel.row("ratio").kill == "9.5"


def test_shortcuts_of_the_window_are_not_typed(panel, qtbot):
    with qtbot.assertNotEmitted(panel.kill_typed):
        panel.choose("ratio")
        qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
        qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_F5)


def test_escape_takes_a_wrong_entry_back_then_leaves(panel, qtbot):
    told: list[str] = []
    panel.kill_typed.connect(lambda one: told.append(one.text))
    panel.choose("ratio")
    qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_X)
    wrong = replace(RATIO, kill="x", kill_error="not a number: write 10.20")
    panel.show_state(replace(STATE, rows=(wrong, *ROWS[1:])))
    row = panel.row("ratio")
    assert row.edit.property("error") is True
    assert row.edit.accessibleDescription() == "Wrong: not a number: write 10.20"
    assert "not a number" in row.toolTip()
    qtbot.keyClick(row.edit, Qt.Key.Key_Escape)
    assert row.edit.text() == "10.20" and told == ["x", "10.20"]
    panel.show_state(STATE)
    assert row.edit.property("error") is False
    qtbot.keyClick(row.edit, Qt.Key.Key_Escape)
    assert row.hasFocus()


def test_a_wrong_level_stays_in_sight_when_another_row_is_chosen(panel):
    wrong = replace(RATIO, kill="x", kill_error="not a number")
    panel.show_state(replace(STATE, rows=(wrong, *ROWS[1:])))
    panel.choose("flow")
    settle()
    assert panel.row("ratio").is_unfolded() and panel.row("ratio").edit.isVisible()


def test_states_that_come_in_do_not_disturb_typing(panel, qtbot):
    panel.choose("ratio")
    row = panel.row("ratio")
    qtbot.keyClick(row, Qt.Key.Key_F2)
    row.edit.setCursorPosition(2)
    qtbot.keyClicks(row.edit, "7")
    for kill in ("10.20", "107.20"):  # from before the keystroke, then its echo; values move meanwhile
        moved = replace(RATIO, kill=kill, value=Text(f"10.0{len(kill)} vs 8.20"))
        panel.show_state(replace(STATE, rows=(moved, *ROWS[1:]), news=NEWS))
        assert (row.edit.text(), row.edit.cursorPosition()) == ("107.20", 3)
        assert row.edit.hasFocus()


def test_rows_that_come_and_go_leave_the_typed_one_alone(panel, qtbot):
    panel.choose("after")
    edit = panel.row("after").edit
    qtbot.keyClick(panel.row("after"), Qt.Key.Key_Minus)
    qtbot.keyClicks(edit, "1")
    panel.show_state(replace(STATE, rows=(ROWS[3], replace(ROWS[2], kill="-1"))))
    assert panel.row("after").edit is edit
    assert edit.hasFocus() and edit.text() == "-1"


def test_a_level_changed_elsewhere_is_shown(panel):
    panel.show_state(replace(STATE, rows=(replace(RATIO, kill="11"), *ROWS[1:])))
    assert panel.row("ratio").edit.text() == "11"


def test_up_and_down_leave_the_field(panel, qtbot):
    panel.choose("ratio")
    qtbot.keyClick(panel.row("ratio"), Qt.Key.Key_F2)
    qtbot.keyClick(panel.row("ratio").edit, Qt.Key.Key_Down)
    assert panel.row("reverts").hasFocus()


# News


def test_news_shows_some_then_all_and_goes_when_seen(panel, qtbot):
    panel.show_state(replace(STATE, news=NEWS))
    settle()
    assert [one for one in words(panel) if one.startswith("Change ")] == ["Change 1", "Change 2", "Change 3"]
    qtbot.mouseClick(button(panel, "All 5"), Qt.MouseButton.LeftButton)
    assert len([one for one in words(panel) if one.startswith("Change ")]) == 5
    with qtbot.waitSignal(panel.news_seen):
        qtbot.mouseClick(button(panel, "Seen"), Qt.MouseButton.LeftButton)
    assert "Changed since you last looked" not in words(panel)
    panel.show_state(replace(STATE, news=NEWS, summary=Text("on its way")))
    assert "Changed since you last looked" not in words(panel), "the answer is still on its way"
    panel.show_state(replace(STATE, news=(Text("Change 6"), *NEWS)))
    assert "Change 6" in words(panel)


def test_the_same_news_after_it_was_taken_away_is_shown_again(panel, qtbot):
    panel.show_state(replace(STATE, news=NEWS))
    qtbot.mouseClick(button(panel, "Seen"), Qt.MouseButton.LeftButton)
    panel.show_state(STATE)
    panel.show_state(replace(STATE, news=NEWS))
    assert "Change 1" in words(panel)


# Painting


def test_an_equal_state_paints_nothing(panel, qtbot):
    qtbot.wait(30)
    paints = Paints(panel)
    panel.show_state(replace(STATE, rows=(replace(RATIO), *ROWS[1:])))
    qtbot.wait(30)
    assert paints.count == 0


def test_a_changed_value_paints_its_row_alone(panel, qtbot):
    qtbot.wait(30)
    others = [Paints(panel.row(key)) for key in ("ratio", "reverts", "flow")]
    changed = Paints(panel.row("after"))
    panel.show_state(replace(STATE, rows=(RATIO, ROWS[1], replace(ROWS[2], value=Text("+0.5 pp")), ROWS[3])))
    qtbot.waitUntil(lambda: changed.count > 0)
    assert [one.count for one in others] == [0, 0, 0]


@pytest.mark.parametrize("size", [(300, 160), (460, 400), (700, 500), (1400, 900)])
@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
def test_any_size_and_theme_paints(panel, size, look):
    panel.show_state(replace(STATE, news=NEWS))
    before = panel.grab().toImage()
    panel.set_theme(theme.LIGHT if look is theme.DARK else theme.DARK)
    panel.set_theme(look)
    panel.resize(*size)
    settle()
    image = panel.grab().toImage()
    assert not image.isNull()
    assert size == (460, 400) or image.size() != before.size()


def test_the_theme_reaches_every_row(panel):
    panel.set_theme(theme.DARK)
    dark = [panel.row(key).grab().toImage() for key, *_ in CLAIMS]
    panel.set_theme(theme.LIGHT)
    assert all(panel.row(key).grab().toImage() != old for (key, *_), old in zip(CLAIMS, dark, strict=True))


def test_nothing_stays_behind_after_close(qtbot):
    panel = ThesisPanel()
    panel.show_state(replace(STATE, news=NEWS))
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


def test_at_rest_nothing_is_laid_out_again(panel):
    class Counter(QObject):
        count = 0

        @override
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            self.count += event.type() is QEvent.Type.LayoutRequest
            return False

    for _ in range(20):
        QApplication.processEvents()
    counter = Counter()
    panel._list.installEventFilter(counter)
    for _ in range(100):
        QApplication.processEvents()
    assert counter.count == 0
