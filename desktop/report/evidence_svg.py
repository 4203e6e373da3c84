"""The chart of an exhibit as inline SVG, with its legend: the same chart that the window draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from desktop.report import svg
from widgets.states import Curve, EvidenceChart, EvidenceLine, Tag, Tone

WIDE, NARROW = (760, 215), (420, 190)
_MOST_TAGS = 2
_CLASSES = {Tone.PLAIN: "curve"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An `svg` element, and what its colours mean: class of the key and words."""

    svg: str
    legend: tuple[tuple[str, str], ...]


def draw(chart: EvidenceChart, label: str, *, narrow: bool = False) -> Picture | None:
    """Draw the chart of an exhibit; None where it has nothing to show."""
    width, height = NARROW if narrow else WIDE
    unit = f" {chart.unit}" if 0 < len(chart.unit) <= 2 else ""
    if chart.bars is not None:
        series = [(_class(tone), values) for _, tone, values in chart.bars.series]
        made = svg.draw_bars(svg.Bars(label, chart.bars.groups, series, unit, width, height))
        legend = tuple((_class(tone), name) for name, tone, _ in chart.bars.series)
        return Picture(made, legend) if made else None
    lines = [_line(one) for one in chart.lines]
    made = svg.draw(
        svg.Chart(
            label=label,
            lines=lines,
            zone=ZoneInfo(chart.zone) if chart.zone else None,
            daily=True,
            unit=unit,
            bands=chart.bands,
            levels=chart.levels,
            tags=_tags(chart),
            x_words=chart.x_words,
            x_label=chart.x_label,
            width=width,
            height=height,
        )
    )
    return Picture(made, _legend(chart)) if made else None


def _class(tone: Tone) -> str:
    return _CLASSES.get(tone, tone.value)


def _line(one: EvidenceLine) -> svg.Line:
    curve = _steps(one.curve) if one.step else one.curve
    return svg.Line(f"{_class(one.tone)}{' faint' if one.faint else ''}", curve)


def _steps(curve: Curve) -> Curve:
    """The curve with a corner at every point: a value holds until the next one."""
    if len(curve.x) < 2:
        return curve
    return Curve(np.repeat(curve.x, 2)[1:], np.repeat(curve.y, 2)[:-1])


def _tags(chart: EvidenceChart) -> Sequence[Tag]:
    """The last value of each line, where there are few."""
    lines = [one for one in chart.lines if not one.faint]
    if len(lines) > _MOST_TAGS or not chart.zone:
        return ()
    tags = []
    for one in lines:
        known = one.curve.y[np.isfinite(one.curve.y)]
        if len(known):
            tags.append(Tag(float(known[-1]), f"{known[-1]:,.2f}".replace("-", "\N{MINUS SIGN}"), one.tone))
    return tags


def _legend(chart: EvidenceChart) -> tuple[tuple[str, str], ...]:
    """Names of lines and bands; many faint lines of one colour are named together."""
    legend = [(_class(one.tone), one.name) for one in chart.lines if not one.faint]
    for tone in dict.fromkeys(one.tone for one in chart.lines if one.faint):
        names = [one.name for one in chart.lines if one.faint and one.tone is tone]
        legend.append((f"{_class(tone)} faint", names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"))
    legend += [(f"area{number}", name) for number, name in enumerate(chart.band_names) if name]
    if chart.unit:
        legend.append(("", f"unit: {chart.unit}"))
    return tuple(legend)
