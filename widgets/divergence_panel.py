"""The divergence panel: moves of both legs and the gap between them through one session, over what is usual."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from widgets.chart import Content
from widgets.parts import Card, FactLine, Segmented
from widgets.plots import TimePlot
from widgets.states import Choice, DivergenceState, Text, Tone
from widgets.theme import Theme
from widgets.traces import Line

_GAP_S = 15 * 60.0
"""No minute for this long is a pause of the market or of the feed, not a straight line."""
_NOT_LIVE = Text(
    "not live", Tone.PAST, "The session is over, or time is set back: these are not prices of this moment."
)
_SIGN = "⚠ "


def _signed(value: float, decimals: int, unit: str) -> str:
    return f"{value:+.{decimals}f}{unit}".replace("-", "−")


def _axis_words(value: float, decimals: int) -> str:
    return "0 %" if abs(value) < 1e-9 else _signed(value, decimals, " %")


_SPREAD = Line(
    "spread", "RUT − NDX", lambda value: _signed(value, 2, " pp"), "pp", Tone.GOOD, width=2.0, filled=True
)
_RUT = Line("rut", "RUT", lambda value: _signed(value, 2, " %"), "%", Tone.RUT, width=1.5)
_NDX = Line("ndx", "NDX", lambda value: _signed(value, 2, " %"), "%", Tone.NDX, width=1.5)


class DivergencePanel(Card):
    """Shows a `DivergenceState`."""

    reference_chosen = Signal(str)
    """Key of the reference from which moves are to be counted."""
    cursor_moved = Signal(object)
    """Moment under the crosshair, seconds since 1970 UTC as float; None when there is none."""

    def __init__(self) -> None:
        super().__init__("Intraday divergence")
        self._state: DivergenceState | None = None
        self._keys: tuple[str, ...] = ()
        self._not_live = self.label(11, name="Live or not")
        self.title_row.insertWidget(1, self._not_live)
        self._references = Segmented("Moves counted from")
        self._references.chosen.connect(self.reference_chosen)
        self.title_row.addWidget(self._references)
        self._facts = FactLine("Facts about the divergence")
        self._warnings = FactLine("Warnings", most_lines=1)
        self._warnings.hide()
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.hide()
        self.plot = TimePlot("Intraday divergence", _axis_words, daily=False, gap_s=_GAP_S, include=(0.0,))
        self.plot.set_subject(self)
        self.plot.cursor_moved.connect(self.cursor_moved)
        self._caption = self.label(11, name="Driver and ages")
        self._caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for widget, stretch in (
            (self._facts, 0),
            (self._warnings, 0),
            (self._message, 1),
            (self.plot, 1),
            (self._caption, 0),
        ):
            self.body.addWidget(widget, stretch)
        self.setFocusProxy(self.plot)

    def show_state(self, state: DivergenceState) -> None:
        """Show `state`; what is shown already is left alone."""
        if state == self._state:
            return
        self._state = state
        self._show_references(state.references)
        self._facts.show_facts(state.facts)
        self._warnings.show_facts(tuple(replace(one, text=_SIGN + one.text) for one in state.warnings))
        self._warnings.setVisible(bool(state.warnings))
        self._caption.show_text(state.caption)
        self._caption.setVisible(not state.message)
        self._not_live.show_text(_NOT_LIVE if state.dimmed and not state.message else Text(""))
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        self.plot.setVisible(not state.message)
        gap = next((tag.tone for tag in state.tags if tag.tone not in (Tone.RUT, Tone.NDX)), Tone.GOOD)
        lines = ((replace(_SPREAD, tone=gap), state.spread), (_RUT, state.rut), (_NDX, state.ndx))
        self.plot.show_content(
            Content(
                lines=tuple((line, curve) for line, curve in lines if curve is not None),
                bands=state.bands,
                marks=state.marks,
                tags=state.tags,
                zone=state.zone,
                home=state.x_range,
                dimmed=state.dimmed,
                rails=state.rails,
            )
        )

    def _show_references(self, choices: tuple[Choice, ...]) -> None:
        self._references.show_choices(choices)
        keys = tuple(one.key for one in choices)
        if keys != self._keys:
            # new buttons stand last in the focus order of the window; their place is before the chart
            self._keys = keys
            order: list[QWidget] = [self.plot, *map(self._references.button, keys), self.plot]
            for one, next_one in pairwise(order):
                QWidget.setTabOrder(one, next_one)

    def show_cursor(self, at: float | None) -> None:
        """Show the crosshair where another chart of this session has it; a moment outside it shows none."""
        self.plot.show_cursor(at)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._facts.set_theme(theme)
        self._warnings.set_theme(theme)
        self.plot.set_theme(theme)
