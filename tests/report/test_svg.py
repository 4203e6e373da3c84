"""Charts as SVG: where points, ticks, holes and tags come to lie."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from desktop.report.evidence_svg import draw as draw_exhibit
from desktop.report.svg import Bars, Chart, Line, draw, draw_bars
from widgets.states import Band, Curve, EvidenceBars, EvidenceChart, EvidenceLine, Level, Mark, Tag, Tone

UTC = ZoneInfo("UTC")
HOUR = 3600.0


def curve(*y: float) -> Curve:
    return Curve(HOUR * np.arange(float(len(y))), np.array(y, dtype=float))


def chart(*lines: Line, **more: Any) -> str:
    return draw(Chart("a <chart>", lines, UTC, daily=False, **more))


def path(svg: str, name: str) -> str:
    found = re.search(rf'<path class="{name}" d="([^"]*)"/>', svg)
    assert found is not None, svg
    return found[1]


def points(d: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", d)]


def test_the_first_and_last_point_lie_at_the_edges_of_the_plot():
    drawn = points(path(chart(Line("a", curve(0, 10))), "a line"))
    assert drawn[0][0] == 6.0
    assert drawn[-1][0] == 760.0 - 62.0
    # 6 % of the range is free above and below: 16 px at the top, 24 below, 205 px for 1.12 of the range.
    assert drawn[0][1] - drawn[-1][1] == round(205 / 1.12, 1)


def test_a_hole_breaks_the_line_and_the_tint():
    svg = chart(Line("a", curve(1, 2, np.nan, 3, 4), filled=True))
    assert path(svg, "a line").count("M") == 2
    assert path(svg, "a area").count("Z") == 2
    assert "nan" not in svg


def test_many_points_are_thinned_but_keep_their_peak():
    y = np.zeros(50_000)
    y[33_333] = 5.0
    drawn = points(path(chart(Line("a", Curve(np.arange(50_000.0), y))), "a line"))
    assert len(drawn) < 3_200
    assert sum(down < 40 for _, down in drawn) == 1


def test_tags_that_would_cover_each_other_are_moved_apart():
    tags = (Tag(5.00, "five", Tone.GOOD), Tag(4.99, "less", Tone.RUT), Tag(0.0, "none", Tone.NDX))
    svg = chart(Line("a", curve(0, 5)), tags=tags)
    tops = [float(y) for y in re.findall(r'<rect class="[a-z]+ tag" x="[\d.]+" y="([\d.]+)"', svg)]
    assert len(tops) == 3
    assert all(below - above >= 18 for above, below in pairwise(tops))


def test_levels_marks_and_words_are_escaped():
    svg = chart(
        Line("a", curve(0, 5)),
        levels=(Level("x", 4.0, "Record <4>", Tone.BAD),),
        marks=(Mark(HOUR / 2, "CPI & co", Tone.WARN), Mark(9 * HOUR, "outside", Tone.WARN)),
    )
    assert "Record &lt;4&gt;" in svg
    assert "CPI &amp; co" in svg
    assert "outside" not in svg
    assert 'aria-label="a &lt;chart&gt;"' in svg


def test_a_level_beyond_the_data_is_still_seen():
    svg = chart(Line("a", curve(0, 1)), levels=(Level("x", 9.0, "Record", Tone.BAD),))
    found = re.search(r'<path class="bad level" d="M6 ([\d.]+)H698"/>', svg)
    assert found is not None
    assert 16 <= float(found[1]) <= 245 - 24


def test_bands_lie_behind_the_lines_and_skip_what_is_not_known():
    x = HOUR * np.arange(3.0)
    band = Band(x, np.array([np.nan, -1.0, -2.0]), np.array([np.nan, 1.0, 2.0]))
    svg = chart(Line("a", curve(0, 1, 2)), bands=(band,))
    assert len(points(path(svg, "band0"))) == 4
    assert svg.index("band0") < svg.index("a line")


def test_negative_labels_have_a_real_minus_and_times_their_clock():
    svg = chart(Line("a", curve(-10, 10, 0)), unit=" %")
    assert re.search(r">−\d+ %</text>", svg)
    assert ">01:00</text>" in svg
    assert 'class="zero"' in svg


def test_nothing_is_drawn_of_nothing():
    assert chart() == ""
    assert chart(Line("a", curve())) == ""
    assert chart(Line("a", curve(np.nan, np.nan))) == ""
    assert chart(Line("a", curve(1))) == ""


def test_a_flat_line_is_drawn_in_the_middle():
    drawn = points(path(chart(Line("a", curve(3, 3, 3))), "a line"))
    assert {down for _, down in drawn} == {16 + 205 / 2}


# --- charts of the evidence


def test_an_axis_of_numbers_has_numbers_and_one_of_names_has_names():
    line = Line("a", Curve(np.arange(61.0), np.arange(61.0)))
    numbers = draw(Chart("a", [line], None, daily=True, x_label="n 35"))
    assert re.findall(r'axis middle"[^>]*>([^<]*)<', numbers) == [str(n) for n in range(0, 70, 10)]
    assert ">n 35<" in numbers
    months = ((1.0, "Jan"), (2.0, "Feb"), (3.0, "Mar"))
    line = Line("a", Curve(np.array([1.0, 2.0]), np.array([12.0, 15.0])))
    named = draw(Chart("a", [line], None, daily=True, x_words=months))
    assert re.findall(r'axis middle"[^>]*>([^<]*)<', named) == ["Jan", "Feb"]


def test_bars_stand_on_zero_with_their_values_and_a_hole_has_none():
    svg = draw_bars(Bars("<b>", ("2020", "2022"), (("rut", (-40.0, np.nan)), ("ndx", (-27.5, 10.0))), " %"))
    bars = re.findall(r'<rect class="(\w+) bar" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/>', svg)
    assert [name for name, *_ in bars] == ["rut", "ndx", "ndx"]
    (rut, down, up) = ((float(y), float(high)) for _, _, y, high in bars)
    assert rut[0] == down[0] == up[0] + up[1], "all end at zero"
    assert rut[1] / up[1] == pytest.approx(4.0, abs=0.02)
    assert re.findall(r'tiny middle"[^>]*>([^<]*)<', svg) == ["−40", "−28", "10"]
    assert "nan" not in svg and "&lt;b&gt;" in svg
    assert draw_bars(Bars("b", ("a",), (("rut", (np.nan,)),))) == ""


def test_a_step_holds_until_the_next_point():
    chart = EvidenceChart("%", (EvidenceLine("rate", curve(5.0, 4.0, 3.0), step=True),), zone="UTC")
    drawn = draw_exhibit(chart, "path")
    assert drawn is not None
    found = points(path(drawn.svg, "curve line"))
    assert [a[1] == b[1] or a[0] == b[0] for a, b in pairwise(found)] == [True] * 4
    assert found[1][1] == found[0][1] and found[1][0] == found[2][0]


def test_the_legend_names_lines_bands_and_unit_and_many_faint_lines_together():
    lines = [EvidenceLine(str(year), curve(1, 2), Tone.RUT, faint=True) for year in (1992, 1996, 2024)]
    chart = EvidenceChart(
        "VIX",
        (*lines, EvidenceLine("other years", curve(1, 3), Tone.NDX)),
        (Band(curve(1, 2).x, curve(0, 1).y, curve(2, 3).y),),
        zone="UTC",
        band_names=("90 % of years",),
    )
    drawn = draw_exhibit(chart, "season", narrow=True)
    assert drawn is not None
    assert drawn.legend == (
        ("ndx", "other years"),
        ("rut faint", "1992 to 2024"),
        ("area0", "90 % of years"),
        ("", "unit: VIX"),
    )
    assert drawn.svg.count("rut faint line") == 3


def test_a_chart_of_nothing_is_none():
    assert draw_exhibit(EvidenceChart("%", (EvidenceLine("a", curve()),), zone="UTC"), "a") is None
    assert draw_exhibit(EvidenceChart("%", bars=EvidenceBars((), ())), "a") is None
