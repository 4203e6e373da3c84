"""The chart of the evidence as a person uses it: hover, keys, zoom, copies; lines, steps, dots and bars."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox

from tests.widgets.paint_counter import Paints
from widgets import theme
from widgets.evidence_chart import EvidencePlot
from widgets.evidence_data import number
from widgets.states import Band, Curve, EvidenceBars, EvidenceChart, EvidenceLine, Level, Tone

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

DAYS = np.arange("2020-01-01", "2024-07-12", dtype="datetime64[D]")
X = DAYS.astype("datetime64[s]").astype(np.float64) + 17 * 3600  # midday in New York, or an hour from it
Y = np.linspace(1.0, 9.0, len(X))
OVER_TIME = EvidenceChart(
    "",
    (EvidenceLine("price", Curve(X, Y)), EvidenceLine("total return", Curve(X, Y * 0.9), Tone.NDX)),
    levels=(Level("peak", 8.2, "2000 peak 8.20", Tone.WARN),),
    zone="America/New_York",
)
DAY = np.arange(0, 61.0)
FAN = EvidenceChart(
    "pp",
    (EvidenceLine("mean", Curve(DAY, 0.02 * DAY)), EvidenceLine("2024", Curve(DAY[:9], DAY[:9] / 4), Tone.RUT)),
    bands=(Band(DAY, -0.1 * DAY, 0.1 * DAY), Band(DAY, -0.05 * DAY, 0.05 * DAY)),
    band_names=("placebo", "95 % interval"),
    x_label="days after",
)
MONTHS = np.arange(1, 13.0)
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SEASON = EvidenceChart(
    "points",
    (
        *(EvidenceLine(f"{1990 + n}", Curve(MONTHS, np.full(12, 10.0 + n)), faint=True) for n in range(9)),
        EvidenceLine("2024", Curve(MONTHS[:7], 13 + MONTHS[:7] / 10), Tone.WARN),
    ),
    x_words=tuple(zip(MONTHS.tolist(), NAMES, strict=True)),
)
MEETINGS = (
    np.array(["2024-07-31", "2024-09-18", "2024-11-07"], dtype="datetime64[s]").astype(np.float64) + 17 * 3600
)
PATH = EvidenceChart(
    "%",
    (EvidenceLine("implied", Curve(MEETINGS, np.array([5.31, 5.08, 4.93])), step=True),),
    zone="America/New_York",
)
CLOUD = EvidenceChart(
    "pp",
    (
        EvidenceLine("days", Curve(np.array([3.0, -1.0, 2.0, 2.0]), np.array([1.0, 0.5, -1.0, 2.0])), dots=True),
        EvidenceLine("fit", Curve(np.array([-2.0, 4.0]), np.array([0.0, 3.0])), Tone.NDX),
    ),
    x_label="change, bp",
)
BARS = EvidenceChart(
    "%",
    bars=EvidenceBars(
        ("2000–02", "2007–09", "2020 Covid", "2022"),
        (("RUT", Tone.RUT, (-46.0, -60.0, -43.0, -32.0)), ("NDX", Tone.NDX, (-83.0, -53.0, -30.0, float("nan")))),
    ),
)
ALL = {"time": OVER_TIME, "fan": FAN, "season": SEASON, "path": PATH, "cloud": CLOUD, "bars": BARS}


@pytest.fixture
def plot(qtbot):
    theme.load_fonts()
    made = EvidencePlot("Evidence of a claim")
    qtbot.addWidget(made)
    made.resize(460, 260)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def hover(qtbot, plot: EvidencePlot, x: float, value: float) -> None:
    qtbot.mouseMove(plot, QPoint(round(plot.x_to_pixel(x)), round(plot.y_to_pixel(value))))


def wheel(plot: EvidencePlot, at: QPoint, turn: QPoint) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(plot.mapToGlobal(at)),
        QPoint(),
        turn,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot, event)


def menu_actions(plot: EvidencePlot) -> dict[str, QAction]:
    middle = plot.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle, plot.mapToGlobal(middle))
    QApplication.sendEvent(plot, event)
    menu = plot.findChildren(QMenu)[-1]
    return {action.text().split("\t")[0]: action for action in menu.actions()}


# Reading


def test_hovering_reads_a_day_with_every_line(qtbot, plot):
    plot.show_chart(OVER_TIME)
    hover(qtbot, plot, X[-1], 5.0)
    assert plot.read_out() == "Thu 11 Jul 2024 · price 9.00 · total return 8.10"
    assert plot.accessibleDescription() == plot.read_out()
    qtbot.mouseMove(plot, QPoint(200, plot.height() - 2))
    assert plot.read_out() == ""


def test_hovering_a_fan_reads_lines_and_bands_with_unit_and_sign(qtbot, plot):
    plot.show_chart(FAN)
    hover(qtbot, plot, 20, 0.0)
    assert plot.read_out() == (
        "days after: 20 · mean +0.4 pp · 2024 n/a · placebo −2.0 pp to +2.0 pp · 95 % interval −1.0 pp to +1.0 pp"
    )


def test_months_are_read_by_name_and_a_year_that_goes_on_ends_where_it_ends(qtbot, plot):
    plot.show_chart(SEASON)
    hover(qtbot, plot, 8, 13.0)
    assert plot.read_out().startswith("Aug · 1990 10.00 points")
    assert plot.read_out().endswith("2024 n/a")


def test_a_step_holds_until_the_next(qtbot, plot):
    plot.show_chart(PATH)
    assert plot.span[1] > MEETINGS[-1] + 40 * 86_400, "the last step is seen, too"
    hover(qtbot, plot, MEETINGS[1], 5.0)
    assert plot.read_out() == "Wed 18 Sep 2024 · implied 5.08 %"


def test_the_dot_under_the_pointer_is_read(qtbot, plot):
    plot.show_chart(CLOUD)
    hover(qtbot, plot, 2.0, 2.0)
    assert plot.read_out() == "change, bp: 2 · days +2.0 pp · fit +2.00 pp"
    hover(qtbot, plot, 2.0, -1.0)
    assert plot.read_out() == "change, bp: 2 · days −1.0 pp · fit +2.00 pp"


def test_bars_are_read_by_group(qtbot, plot):
    plot.show_chart(BARS)
    hover(qtbot, plot, 0, -20.0)
    assert plot.read_out() == "2000–02 · RUT −46 % · NDX −83 %"
    hover(qtbot, plot, 3, -20.0)
    assert plot.read_out() == "2022 · RUT −32 % · NDX n/a"


def test_bars_stand_side_by_side_within_their_group(plot):
    plot.show_chart(BARS)
    rut, ndx = plot.bar_rect(0, 0), plot.bar_rect(0, 1)
    assert rut.right() <= ndx.left() and rut.top() == ndx.top()
    assert ndx.height() > rut.height()
    assert ndx.right() < plot.bar_rect(1, 0).left()
    assert plot.bar_rect(3, 1).isEmpty()
    assert plot.area().top() <= rut.top() and ndx.bottom() <= plot.area().bottom()


def test_arrow_keys_read_from_the_last_point(qtbot, plot):
    plot.show_chart(OVER_TIME)
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.read_out().startswith("Thu 11 Jul 2024")
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    qtbot.keyClick(plot, Qt.Key.Key_PageUp)
    assert plot.read_out().startswith("Thu 20 Jun 2024")
    qtbot.keyClick(plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert plot.read_out().startswith("Wed 10 Jul 2024")
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.read_out() == ""
    assert plot.accessibleDescription() == (
        "price, total return. Arrow keys read values, plus and minus zoom, Home resets"
    )


def test_arrow_keys_read_bars_and_stop_at_the_ends(qtbot, plot):
    plot.show_chart(BARS)
    plot.setFocus()
    for _ in range(9):
        qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.read_out().startswith("2000–02")


def test_the_line_under_the_pointer_comes_first_among_many(qtbot, plot):
    plot.show_chart(SEASON)
    plain = plot.grab().toImage()
    hover(qtbot, plot, 3, 15.0)  # 1995
    assert plot._nearest_line(3.0) == 5
    assert plot.grab().toImage() != plain


# Looking closer


def test_wheel_and_keys_zoom_and_a_double_click_resets(qtbot, plot):
    plot.show_chart(OVER_TIME)
    home = plot.span
    wheel(plot, QPoint(200, 100), QPoint(0, 480))
    closer = plot.span
    assert closer[1] - closer[0] < 0.6 * (home[1] - home[0])
    qtbot.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    assert plot.span == home
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.span != home
    for _ in range(60):
        qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.span[1] - plot.span[0] == pytest.approx(8 * 86_400)
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    assert plot.span == home


def test_y_follows_what_is_in_view(qtbot, plot):
    plot.show_chart(OVER_TIME)
    whole = plot._framed().y
    wheel(plot, QPoint(20, 100), QPoint(0, 2000))
    assert plot._framed().y[1] < whole[1] / 2


def test_new_points_leave_the_zoom_alone(plot):
    plot.show_chart(OVER_TIME)
    wheel(plot, QPoint(200, 100), QPoint(0, 480))
    before = plot.span
    longer = Curve(np.append(X, X[-1] + 86_400), np.append(Y, 9.1))
    plot.show_chart(replace(OVER_TIME, lines=(EvidenceLine("price", longer),)))
    assert plot.span == before
    plot.reset()
    assert plot.span[1] > X[-1] + 86_400


def test_bars_do_not_zoom(qtbot, plot):
    plot.show_chart(BARS)
    before = plot.grab().toImage()
    wheel(plot, QPoint(200, 100), QPoint(0, 480))
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.grab().toImage() == before


# Taking away


def test_days_are_copied_as_a_table(qtbot, plot):
    plot.show_chart(OVER_TIME)
    qtbot.keyClick(plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "date\tprice\ttotal return"
    assert lines[1] == "2020-01-01\t1\t0.9"
    assert len(lines) == 1 + len(X)


def test_a_fan_is_saved_with_its_bands(plot, tmp_path, monkeypatch):
    path = tmp_path / "fan.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    plot.show_chart(replace(FAN, band_names=('placebo, "random" days', "")))
    menu_actions(plot)["Save CSV…"].trigger()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        'days after,mean (pp),2024 (pp),"placebo, ""random"" days, low (pp)",'
        '"placebo, ""random"" days, high (pp)","band 2, low (pp)","band 2, high (pp)"'
    )
    assert lines[1 + 20] == "20,0.4,,-2,2,-1,1"


@pytest.mark.parametrize(
    ("chart", "lines"),
    [
        (SEASON, ["x", "Jan"]),
        (PATH, ["date", "2024-07-31"]),
        (CLOUD, ["series", "days (pp)"]),
        (BARS, ["group", "2000–02"]),
    ],
    ids=["season", "path", "cloud", "bars"],
)
def test_every_kind_is_a_table(plot, chart, lines):
    plot.show_chart(chart)
    assert [line.split("\t")[0] for line in plot.table().splitlines()[:2]] == lines


def test_a_cloud_keeps_both_dots_over_one_x(plot):
    plot.show_chart(CLOUD)
    assert {"days (pp)\t2\t-1", "days (pp)\t2\t2"} <= set(plot.table().splitlines())


def test_the_picture_is_copied_without_the_read_out(qtbot, plot):
    plot.show_chart(OVER_TIME)
    plain = plot.grab().toImage()
    hover(qtbot, plot, X[500], 5.0)
    assert plot.grab().toImage() != plain
    menu_actions(plot)["Copy picture"].trigger()
    assert QApplication.clipboard().image() == plain.convertToFormat(QApplication.clipboard().image().format())


def test_a_file_that_cannot_be_written_is_told_with_cause_and_cure(plot, tmp_path, monkeypatch):
    told: list[str] = []
    path = tmp_path / "absent" / "fan.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda _parent, _title, words: told.append(words))
    plot.show_chart(FAN)
    plot.save_csv()
    assert told[0].startswith("fan.csv was not written: ") and told[0].endswith("Choose another place.")


def test_nothing_to_take_away_is_disabled(plot):
    plot.show_chart(None)
    assert not menu_actions(plot)["Copy data"].isEnabled()


# Painting


@pytest.mark.parametrize("size", [(160, 96), (430, 120), (460, 260), (1600, 900)])
@pytest.mark.parametrize("kind", ALL)
def test_any_kind_paints_at_any_size(qtbot, plot, kind, size):
    plot.show_chart(ALL[kind])
    plot.resize(*size)
    plot.grab()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert not plot.grab().isNull()
    area = plot.area()
    assert area.left() >= 0 and area.right() < size[0] and area.bottom() < size[1]


@pytest.mark.parametrize(
    "chart",
    [
        EvidenceChart("pp"),
        EvidenceChart("pp", (EvidenceLine("none", Curve(np.empty(0), np.empty(0))),)),
        EvidenceChart("pp", (EvidenceLine("one", Curve(X[:1], Y[:1])),), zone="UTC"),
        EvidenceChart("pp", (EvidenceLine("holes", Curve(X, np.full(len(X), np.nan))),), zone="UTC"),
        EvidenceChart("pp", (EvidenceLine("flat", Curve(DAY, DAY * 0)),)),
        EvidenceChart("%", bars=EvidenceBars((), ())),
        EvidenceChart("%", bars=EvidenceBars(("a",), (("s", Tone.RUT, (float("nan"),)),))),
    ],
    ids=["nothing", "no points", "one point", "holes", "flat", "no bars", "unknown bar"],
)
def test_little_or_nothing_to_draw(qtbot, plot, chart):
    plot.show_chart(chart)
    plot.grab()
    qtbot.mouseMove(plot, QPoint(200, 100))
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    plot.grab()
    plot.table()


def test_holes_are_not_bridged(plot):
    holed = Y.copy()
    holed[200:1500] = np.nan
    plot.show_chart(EvidenceChart("", (EvidenceLine("price", Curve(X, holed)),), zone="UTC"))
    assert plot._series[0].at(float(X[700])) is None
    image = plot.grab().toImage()
    x = round(plot.x_to_pixel(float(X[700]))) + 3
    column = {image.pixelColor(x, y).name() for y in range(round(plot.area().top()), round(plot.area().bottom()))}
    assert theme.DARK.curve not in column


def test_the_same_chart_paints_nothing_and_hovering_keeps_the_picture(qtbot, plot):
    plot.show_chart(OVER_TIME)
    qtbot.wait(30)
    paints, picture = Paints(plot), plot._picture
    plot.show_chart(OVER_TIME)
    qtbot.wait(30)
    assert paints.count == 0
    hover(qtbot, plot, X[400], 5.0)
    qtbot.waitUntil(lambda: paints.count > 0)
    assert plot._picture is picture


def test_the_theme_changes_everything(plot):
    plot.show_chart(FAN)
    plot.set_theme(theme.DARK)
    dark = plot.grab().toImage()
    plot.set_theme(theme.LIGHT)
    light = plot.grab().toImage()
    assert light != dark and light.pixelColor(2, light.height() - 2).name() == theme.LIGHT.panel


def test_ten_thousand_points_are_painted_fast(plot):
    x = np.arange(10_000, dtype=np.float64) * 86_400.0
    rng = np.random.default_rng(4)
    lines = tuple(EvidenceLine(f"{n}", Curve(x, rng.normal(0, 1, len(x)).cumsum())) for n in range(3))
    plot.resize(900, 400)
    plot.show_chart(EvidenceChart("", lines, zone="UTC"))
    start = perf_counter()
    plot.grab()
    assert perf_counter() - start < 0.25  # some 20 ms on a machine with nothing else to do


def test_a_long_legend_breaks_into_lines_and_takes_no_name_away(plot):
    names = [f"a line with a long name, number {n}" for n in range(5)]
    plot.show_chart(EvidenceChart("", tuple(EvidenceLine(one, Curve(DAY, DAY), Tone.NDX) for one in names)))
    legend = plot._framed().legend
    assert len(legend) > 1
    assert [sign.row.name for line in legend for sign in line] == names
    assert plot.area().top() >= 16 * len(legend)


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "signed", "words"),
    [
        (-0.004, 2, "pp", True, "0.00 pp"),
        (1234567.0, 0, "contracts", False, "1,234,567 contracts"),
        (-12.5, 1, "$", False, "−$12.5"),
        (3.0, 1, "%", True, "+3.0 %"),
        (0.17, 2, "", False, "0.17"),
    ],
)
def test_numbers_in_words(value, decimals, unit, signed, words):
    assert number(value, decimals, unit, signed=signed) == words
