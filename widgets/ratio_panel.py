"""The ratio panel: the daily ratio NDX / RUT, its record levels, and the stop and target of the sizer, to drag."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from typing_extensions import override

from widgets.chart import Content
from widgets.parts import Card, FactLine, Segmented
from widgets.plots import LevelMoved, TimePlot
from widgets.states import Choice, Curve, RatioState, Text, Tone
from widgets.theme import Theme
from widgets.ticks import PRESETS
from widgets.traces import Line

__all__ = ["LevelMoved", "RatioPanel"]

_ALL = PRESETS[-1].key
_RIGHT_ROOM = 0.012
"""Share of the width left free after the last point."""
_NOT_LIVE = Text(
    "not live", Tone.PAST, "The last value is not of this moment: the market is closed, or time is set back."
)


def _ratio(value: float) -> str:
    return f"{value:.3f}"


_LINE = Line("ratio", "NDX / RUT", _ratio)


class RatioPanel(Card):
    """Shows a `RatioState`; the range in view is the panel's own affair."""

    level_moved = Signal(object)
    """`LevelMoved`, while the user moves a level."""
    level_released = Signal(object)
    """`LevelMoved`, when the user lets it go."""
    cursor_moved = Signal(object)
    """Moment under the crosshair, seconds since 1970 UTC as float; None when there is none."""

    def __init__(self) -> None:
        super().__init__("Ratio NDX / RUT")
        self._state: RatioState | None = None
        self._range = _ALL
        self._not_live = self.label(11, name="Live or not")
        self.title_row.insertWidget(1, self._not_live)
        self._ranges = Segmented("Range")
        self._ranges.chosen.connect(self._choose_range)
        self.title_row.addWidget(self._ranges)
        self._show_ranges()
        self._facts = FactLine("Facts about the ratio")
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.hide()
        self.plot = TimePlot("Ratio NDX / RUT by day", lambda value, decimals: f"{value:.{decimals}f}", daily=True)
        self.plot.set_subject(self)
        self.plot.level_moved.connect(self.level_moved)
        self.plot.level_released.connect(self.level_released)
        self.plot.cursor_moved.connect(self.cursor_moved)
        for widget, stretch in ((self._facts, 0), (self._message, 1), (self.plot, 1)):
            self.body.addWidget(widget, stretch)
        self.setFocusProxy(self.plot)

    def show_state(self, state: RatioState) -> None:
        """Show `state`; what is shown already is left alone."""
        if state == self._state:
            return
        self._state = state
        self._facts.show_facts(state.facts)
        self._not_live.show_text(_NOT_LIVE if state.dimmed and not state.message else Text(""))
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        self.plot.setVisible(not state.message)
        self._show_plot(state)

    def show_cursor(self, at: float | None) -> None:
        """Show the crosshair where another chart of days has it."""
        self.plot.show_cursor(at)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._facts.set_theme(theme)
        self.plot.set_theme(theme)

    def _show_plot(self, state: RatioState) -> None:
        lines: list[tuple[Line, Curve]] = []
        if state.curve is not None:
            lines.append((_LINE, state.curve))
            for number, (name, curve) in enumerate(state.averages):
                look = Line(name, name, _ratio, tone=Tone.DIM, dashed=number == 0)
                lines.append((look, curve))
        self.plot.show_content(
            Content(
                lines=tuple(lines),
                levels=state.levels,
                marks=state.marks,
                tags=() if state.last is None else (state.last,),
                zone=state.zone,
                home=self._home(state),
                dimmed=state.dimmed,
                rails=state.rails,
            )
        )

    def _home(self, state: RatioState) -> tuple[float, float] | None:
        if state.curve is None or not len(state.curve.x):
            return None
        first, last = float(state.curve.x[0]), float(state.curve.x[-1])
        preset = next(one for one in PRESETS if one.key == self._range)
        start = preset.start(last, ZoneInfo(state.zone))
        low = first if start is None else max(first, start)
        return (low, last + max(_RIGHT_ROOM * (last - low), 86_400.0))

    def _choose_range(self, key: str) -> None:
        self._range = key
        self._show_ranges()
        if self._state is not None:
            self._show_plot(self._state)
        self.plot.reset()

    def _show_ranges(self) -> None:
        self._ranges.show_choices(tuple(Choice(one.key, one.key, one.key == self._range) for one in PRESETS))
