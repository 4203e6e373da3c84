"""The sizer's further pages: market and overrides, risk, what-if, costs, and the hedge of what is held."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.draft import Draft
from widgets.evidence_table import EvidenceTableView
from widgets.field import FieldGrid
from widgets.heat_map import HeatMapView
from widgets.parts import SEMI, Label, Segmented
from widgets.states import CoverState, EvidenceTable, SizerTables, SliderState, Text, Tone, WhatIfState
from widgets.theme import DARK, Theme
from widgets.ticket_table import Figures

_ROW, _CLOSER = 16, 10
_BESIDE, _TWO_TABLES = 700, 500
_TENTHS = 10
_MARKET_WIDTH, _COST_WIDTH, _HELD_WIDTH = 112, 82, 200
_NOTHING = Text("")


class CompactTable(EvidenceTableView):
    """A table that is as high as its rows, in the density of the ticket."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.horizontalHeader().setFixedHeight(_ROW)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(0)

    @override
    def show_table(self, table: EvidenceTable | None) -> None:
        super().show_table(table)
        high = 0 if table is None else self.natural_height()
        if high != self.height():
            self.setFixedHeight(high)
        self.setVisible(table is not None)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.setStyleSheet(
            f"{self.styleSheet()}"
            f"QTableView::item {{ padding: 0 1px; border: 0; border-bottom: 1px solid {theme.grid}; }}"
            f"QHeaderView::section {{ padding: 0 4px; }}"
        )

    @override
    def _measure(self) -> None:
        super()._measure()
        self._widths = [wide - _CLOSER for wide in self._widths]

    @override
    def natural_height(self) -> int:
        return _ROW * (1 + self._cells.rowCount()) + 1

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.height())


def _column(widget: QWidget, spacing: int = 5) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(spacing)
    return column


def _show_message(label: Label, message: str) -> None:
    label.show_text(Text(message, Tone.DIM) if message else _NOTHING)
    label.setVisible(bool(message))


class MarketPage(QWidget):
    """What the market gives, each figure with its date and window, and what overrides it."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = FieldGrid(_MARKET_WIDTH)
        self.table = CompactTable("What the hedges rest on")
        column = _column(self, 8)
        column.addWidget(self.grid)
        column.addWidget(self.table)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self.table.set_theme(theme)


class RiskPage(QWidget):
    """Figures of risk and the worst days on the left, past falls of the market on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.risk = CompactTable("Risk of this position")
        self.days = CompactTable("Worst past days of this position")
        self.falls = CompactTable("Past falls of the market, replayed")
        self.note = Label(11, name="About the past falls")
        left, right = QVBoxLayout(), QVBoxLayout()
        for layout in (left, right):
            layout.setSpacing(6)
        left.addWidget(self.risk)
        left.addWidget(self.days)
        left.addStretch(1)
        right.addWidget(self.falls)
        right.addWidget(self.note)
        right.addStretch(1)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._both.setSpacing(14)
        self._both.addLayout(left, 20)
        self._both.addLayout(right, 21)
        self.message = Label(13, wrap=True, name="Why there is no risk")
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = _column(self, 0)
        column.addWidget(self.message)
        column.addLayout(self._both, 1)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._both.setDirection(across if self.width() >= _TWO_TABLES else down)

    def show_tables(self, tables: SizerTables, message: str) -> None:
        """Show the tables of one position, or `message` where there is none; the same ones are left alone."""
        _show_message(self.message, message)
        self.risk.show_table(tables.risk)
        self.days.show_table(tables.days)
        self.falls.show_table(tables.falls)
        self.note.show_text(tables.falls_note)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        for one in (self.risk, self.days, self.falls, self.note, self.message):
            one.set_theme(theme)


class _Slider(QSlider):
    """A slider in tenths of a percent; Home puts it back to zero."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setSingleStep(1)
        self.setPageStep(_TENTHS)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self.setValue(0)
        else:
            super().keyPressEvent(event)


def _percent(tenths: int) -> str:
    return f"{tenths / _TENTHS:g}"


class WhatIfPage(QWidget):
    """Sliders for both legs or for the ratio along a path, what they make, and the map of both legs."""

    moved = Signal()
    """A slider or the path was changed: `values` and `path` say to what."""

    def __init__(self) -> None:
        super().__init__()
        self._state: WhatIfState | None = None
        self._drafts: dict[str, Draft] = {}
        self._theme = DARK
        self.path = "free"
        self.paths = Segmented("What-if path")
        self.paths.chosen.connect(self._choose)
        self._sliders: dict[str, _Slider] = {}
        self._words: dict[str, tuple[Label, Label]] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self.results = Figures("What-if result", 13, strong=True)
        self.heat = HeatMapView("Scenarios of the what-if: profit and loss by moves of both legs")
        left = QVBoxLayout()
        left.setSpacing(5)
        self.head = QHBoxLayout()
        self.head.addWidget(self.paths)
        self.head.addStretch(1)
        left.addLayout(self.head)
        left.addLayout(self._grid)
        left.addWidget(self.results)
        self.message = Label(13, wrap=True, name="Why there is no what-if")
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        left.addWidget(self.message)
        left.addStretch(1)
        self._both = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.setSpacing(6)
        self._both.addLayout(left)
        self._both.addWidget(self.heat, 1)

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """What the sliders say that can be moved, in percent."""
        return tuple((key, _percent(one.value())) for key, one in self._sliders.items() if one.isEnabled())

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key passes, in the order of the eye."""
        chosen = next((one.key for one in (self._state.paths if self._state else ()) if one.chosen), "")
        return [*([self.paths.button(chosen)] if chosen else []), *self._sliders.values(), self.heat]

    def show_state(self, state: WhatIfState | None, message: str) -> None:
        """Show `state`, or `message` where there is none; a slider that is being dragged is left alone."""
        _show_message(self.message, "" if state is not None else message)
        if state == self._state:
            return
        self._state = state
        self.setEnabled(state is not None)
        if state is None:
            self.results.show_texts(())
            return
        self.path = next((one.key for one in state.paths if one.chosen), "free")
        self.paths.show_choices(state.paths)
        for one in state.sliders:
            self._show_slider(one)
        self.results.show_texts(state.results)

    def _show_slider(self, state: SliderState) -> None:
        slider = self._sliders.get(state.key)
        if slider is None:
            slider = self._sliders[state.key] = _Slider()
            name, words = Label(12), Label(12, SEMI)
            words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            words.setFixedWidth(58)
            row = len(self._words)
            self._words[state.key] = name, words
            for one in (name, words):
                one.set_theme(self._theme)
            self._grid.addWidget(name, row, 0)
            self._grid.addWidget(slider, row, 1)
            self._grid.addWidget(words, row, 2)
            slider.setRange(round(state.low * _TENTHS), round(state.high * _TENTHS))
            slider.setAccessibleName(f"What if {state.label} moves, %")
            self._drafts[state.key] = Draft("0")
            slider.valueChanged.connect(lambda _, key=state.key: self._slid(key))
        name, words = self._words[state.key]
        name.show_text(Text(state.label, Tone.DIM))
        words.show_text(state.text)
        slider.setEnabled(state.enabled)
        slider.setAccessibleDescription(state.text.text)
        at = round(state.value * _TENTHS)
        if self._drafts[state.key].take(_percent(at)) and not slider.isSliderDown():
            blocked = slider.blockSignals(True)
            slider.setValue(at)
            slider.blockSignals(blocked)

    def _slid(self, key: str) -> None:
        self._drafts[key].send(_percent(self._sliders[key].value()))
        self.moved.emit()

    def _choose(self, key: str) -> None:
        self.path = key
        self.moved.emit()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.results.set_theme(theme)
        self.message.set_theme(theme)
        self.heat.set_theme(theme)
        for both in self._words.values():
            for one in both:
                one.set_theme(theme)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= _BESIDE
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._both.setDirection(across if beside else down)
        self._both.setSpacing(20 if beside else 6)
        self._both.setStretch(0, 1 if beside else 0)


class CostsPage(QWidget):
    """Assumptions behind the costs, each cost by leg, and the margins with the day they were asked on."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = FieldGrid(_COST_WIDTH)
        self.table = CompactTable("Costs by leg")
        self.margins = Figures("Margins kept")
        column = _column(self, 6)
        column.addWidget(self.grid)
        column.addWidget(self.table)
        column.addWidget(self.margins)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self.table.set_theme(theme)
        self.margins.set_theme(theme)


class HedgePage(QWidget):
    """How many of the other leg hedge what is held already."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = FieldGrid(_HELD_WIDTH)
        self.grid.setMaximumWidth(2 * _HELD_WIDTH)
        self.message = Label(13, wrap=True, name="About the hedge")
        self.facts = Figures("What is held")
        self.table = CompactTable("Hedges of what is held")
        column = _column(self, 8)
        column.addWidget(self.grid)
        column.addWidget(self.message)
        column.addWidget(self.facts)
        column.addWidget(self.table)
        column.addStretch(1)

    def show_state(self, state: CoverState) -> None:
        """Show `state`; what is shown already is left alone."""
        _show_message(self.message, state.message)
        self.facts.show_texts(state.facts)
        self.facts.setVisible(bool(state.facts))
        self.table.show_table(state.table)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        for one in (self.message, self.facts, self.table):
            one.set_theme(theme)
