"""What stands behind one claim: its verdict, the facts, the chart or table a sceptic asks for, and the source."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.evidence_chart import EvidencePlot
from widgets.evidence_inputs import EvidenceInputs
from widgets.evidence_table import ROW_HEIGHT, EvidenceTableView
from widgets.painted import paint_mark
from widgets.parts import Card, FactLine
from widgets.states import EvidenceState, Text, Tone
from widgets.theme import DARK, Theme
from widgets.verdict_mark import VerdictMark

_NOTHING_CHOSEN = "Choose a claim to see what stands behind it"
_BESIDE_FROM = 600
"""From this width on a slim table stands beside the chart, not below it."""
_SLIM = 0.42
"""Share of the width that a table beside the chart takes at most."""
_TABLE_SHARE = 0.35
"""Share of the height that a table below the chart takes at most."""
_LEAST_ROWS = 3
_LEAST_CHART = 110


class _Attention(QWidget):
    """The triangle before a caution: it is told by shape, too."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self.setFixedSize(14, 16)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mark(painter, QPointF(6, 8.5), 8, Tone.WARN, self._theme)
        painter.end()


class EvidenceView(Card):
    """Shows an `EvidenceState`, or asks to choose a claim."""

    input_typed = Signal(object)
    """`InputTyped`: a figure on every keystroke, or a rule that was chosen."""

    def __init__(self) -> None:
        super().__init__("Evidence")
        self._state: EvidenceState | None = None
        self._verdict = VerdictMark()
        self.title_row.addWidget(self._verdict)
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.show_text(Text(_NOTHING_CHOSEN, Tone.DIM))
        self._facts = FactLine("Facts", most_lines=3)
        self.plot = EvidencePlot("Chart of the evidence")
        self.plot.set_subject(self)
        self.plot.setMinimumHeight(_LEAST_CHART)
        self.table = EvidenceTableView("Table of the evidence")
        self.inputs = EvidenceInputs()
        self.inputs.typed.connect(self.input_typed)
        self._caution = self.label(12, wrap=True, name="Caution")
        self._caution.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._mark = _Attention()
        self._source = self.label(11, wrap=True, name="Source")

        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(self._facts)
        column.addWidget(self.inputs)
        self._middle = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._middle.setSpacing(6)
        self._middle.addWidget(self.plot, 1)
        self._middle.addWidget(self.table)
        column.addLayout(self._middle, 1)
        foot = QHBoxLayout()
        foot.setSpacing(5)
        foot.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        foot.addWidget(self._caution, 1)
        column.addLayout(foot)
        column.addWidget(self._source)
        self.body.addWidget(self._message, 1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.verticalScrollBar().setAccessibleName("Evidence, further down")
        self._area.setWidget(self._content)
        self._area.viewport().installEventFilter(self)
        self.body.addWidget(self._area, 1)
        self._show_what_there_is(None)

    def show_state(self, state: EvidenceState | None) -> None:
        """Show `state`; what is shown already is left alone. None asks to choose a claim."""
        before, self._state = self._state, state
        if state == before:
            return
        self._show_what_there_is(state)
        if state is None:
            self.title.show_text(Text("Evidence"))
            self.setAccessibleDescription(_NOTHING_CHOSEN)
            self.plot.show_chart(None)
            self.table.show_table(None)
            self.inputs.show_inputs(None)
            return
        self.title.show_text(Text(state.title))
        self._verdict.show_verdict(state.verdict)
        self.setAccessibleDescription(f"{state.title}: {self._verdict.word().lower()}")
        self._facts.show_facts(state.facts)
        self.inputs.show_inputs(state)
        self.plot.show_chart(state.chart)
        if before is None or state.key != before.key:
            self.plot.setAccessibleName(f"{state.title}, chart")
            self.table.setAccessibleName(f"{state.title}, table")
            self.plot.reset()
            self.table.clearSelection()
            self.table.scrollToTop()
        self.table.show_table(state.table)
        self._caution.show_text(_toned(state.caution, Tone.WARN))
        self._source.show_text(_toned(state.source, Tone.DIM))
        self._arrange()

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self._verdict, self._facts, self.plot, self.table, self._mark, self.inputs):
            part.set_theme(theme)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(300, 180)

    def _show_what_there_is(self, state: EvidenceState | None) -> None:
        self._message.setVisible(state is None)
        self._area.setVisible(state is not None)
        self._verdict.setVisible(state is not None)
        if state is None:
            return
        self._facts.setVisible(bool(state.facts))
        self.plot.setVisible(state.chart is not None)
        self.table.setVisible(state.table is not None)
        self._caution.setVisible(bool(state.caution.text))
        self._mark.setVisible(bool(state.caution.text))
        self._source.setVisible(bool(state.source.text))
        self.setFocusProxy(self.plot if state.chart is not None else self.table)

    def _arrange(self) -> None:
        """Put the table beside the chart where it is slim, below it where it is not; alone, it takes all."""
        state = self._state
        if state is None or state.table is None:
            return
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        wide, natural = self._area.viewport().width(), self.table.natural_width()
        beside = state.chart is not None and self.width() >= _BESIDE_FROM and natural <= _SLIM * wide
        self._middle.setDirection(across if beside else down)
        self._middle.setSpacing(14 if beside else 6)
        most = 16_777_215
        if state.chart is None:
            self.table.setMinimumSize(0, (_LEAST_ROWS + 1) * ROW_HEIGHT)
            self.table.setMaximumSize(most, most)
        elif beside:
            self.table.setFixedWidth(natural)
            self.table.setMinimumHeight(0)
            self.table.setMaximumHeight(most)
        else:
            whole_rows = max(_LEAST_ROWS, round(_TABLE_SHARE * self._area.viewport().height()) // ROW_HEIGHT)
            self.table.setMinimumWidth(0)
            self.table.setMaximumWidth(most)
            self.table.setFixedHeight(min(self.table.natural_height(), whole_rows * ROW_HEIGHT + 2))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._area.viewport() and event.type() is QEvent.Type.Resize:
            self._arrange()
        return False


def _toned(text: Text, tone: Tone) -> Text:
    """Give words without a tone of their own the tone of their place."""
    return Text(text.text, tone, text.why) if text.tone is Tone.PLAIN else text
