"""The thesis: every claim of the idea with its verdict, and what changed since the user last looked."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from widgets.claim_line import EDGE, GAP, KILL_WIDTH, LEAST_HEIGHT, MOST_HEIGHT, UNFOLDED, ClaimLine, Columns
from widgets.parts import SEMI, Card, Label
from widgets.states import ClaimRow, KillTyped, Text, ThesisState, Tone
from widgets.theme import DARK, Theme, font
from widgets.verdict_mark import MARK

_WIDE = 620
"""From this width on the kill levels have a column of their own."""
_NEWS_AT_FIRST = 3
_BUTTON_HEIGHT = 20
_CAPTIONS_HEIGHT = 17


class _News(QFrame):
    """What changed since the user last looked; a few lines, all of them when asked for."""

    seen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._news: tuple[Text, ...] = ()
        self._theme = DARK
        self.setAccessibleName("Changed since you last looked")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._title = Label(12, SEMI)
        self._title.show_text(Text("Changed since you last looked", Tone.WARN))
        self.every = QPushButton()
        self.every.setCheckable(True)
        self.every.toggled.connect(lambda _: self._show_lines())
        self.dismiss = QPushButton("Seen")
        self.dismiss.setToolTip("Take these away until something changes again")
        self.dismiss.setAccessibleName("Seen: take away what changed")
        self.dismiss.clicked.connect(lambda: self.seen.emit())
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self._title, 1)
        for button in (self.every, self.dismiss):
            button.setFont(font(11))
            button.setFixedHeight(_BUTTON_HEIGHT)
            button.setProperty("segment", True)
            top.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 4, 6, 6)
        self._column.setSpacing(1)
        self._column.addLayout(top)
        self._lines: list[Label] = []

    def show_news(self, news: tuple[Text, ...]) -> None:
        if news == self._news:
            return
        self._news = news
        told = "; ".join(one.text for one in news)
        self.setAccessibleDescription(told)
        self.every.setVisible(len(news) > _NEWS_AT_FIRST)
        self._show_lines()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for label in (self._title, *self._lines):
            label.set_theme(theme)
        self.update()

    def _show_lines(self) -> None:
        everything = self.every.isChecked()
        self.every.setText("Fewer" if everything else f"All {len(self._news)}")
        self.every.setAccessibleName("Show fewer changes" if everything else f"Show all {len(self._news)} changes")
        shown = self._news if everything else self._news[:_NEWS_AT_FIRST]
        while len(self._lines) < len(shown):
            label = Label(12)
            label.set_theme(self._theme)
            self._lines.append(label)
            self._column.addWidget(label)
        for number, label in enumerate(self._lines):
            label.setVisible(number < len(shown))
            if number < len(shown):
                label.show_text(shown[number])
        self._column.invalidate()
        self.setFixedHeight(self._column.totalSizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.raised))
        painter.drawRoundedRect(self.rect(), 5, 5)
        painter.setBrush(self._theme.color(Tone.WARN))
        painter.drawRoundedRect(QRect(0, 3, 3, self.height() - 6), 1.5, 1.5)
        painter.end()


class _Captions(QWidget):
    """The headings of the columns, where there is room for them."""

    def __init__(self) -> None:
        super().__init__()
        self._theme, self._when = DARK, 0
        self.setFont(font(11))
        self.setFixedHeight(_CAPTIONS_HEIGHT)

    def show_columns(self, columns: Columns) -> None:
        self.setVisible(columns.wide)
        if columns.when != self._when:
            self._when = columns.when
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._theme.color(Tone.DIM))
        high, right = self.height(), self.width() - EDGE
        middle = Qt.AlignmentFlag.AlignVCenter
        left = EDGE + MARK + 8
        painter.drawText(QRect(left, 0, 120, high), middle | Qt.AlignmentFlag.AlignLeft, "Claim")
        for words, wide in (("As of", self._when), ("Kill level", KILL_WIDTH), ("Evidence", 100)):
            box = QRect(right - wide, 0, wide, high)
            painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, words)
            right -= wide + GAP
        painter.end()


class ThesisPanel(Card):
    """Shows a `ThesisState`. Up and down choose a claim, Enter opens it, F2 or typing edits its kill level."""

    claim_opened = Signal(str)
    """Key of the claim whose evidence is asked for."""
    kill_typed = Signal(object)
    """`KillTyped`, on every keystroke."""
    news_seen = Signal()
    """The user took note of what changed."""

    def __init__(self) -> None:
        super().__init__("Thesis")
        self._state: ThesisState | None = None
        self._theme = DARK
        self._rows: dict[str, ClaimLine] = {}
        self._chosen = ""
        self._when = 0
        self._seen: tuple[Text, ...] = ()
        self._news = _News()
        self._news.seen.connect(self._dismiss)
        self._news.every.toggled.connect(lambda _: self._arrange())
        self._sight = QTimer(self, singleShot=True, interval=0)
        """Scrolls once the rows have their new places."""
        self._sight.timeout.connect(self._show_chosen)
        self._news.hide()
        self._captions = _Captions()
        self._message = self.label(13, wrap=True, name="Message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.hide()
        self._summary = self.label(12, SEMI, wrap=True, name="Summary of the verdicts")
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._news)
        self._column.addWidget(self._captions)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.verticalScrollBar().setAccessibleName("Claims, further down")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._list)
        self._area.viewport().installEventFilter(self)
        self._list.installEventFilter(self)
        self.body.addWidget(self._message, 1)
        self.body.addWidget(self._area, 1)
        self.body.addWidget(self._summary)

    def show_state(self, state: ThesisState) -> None:
        """Show `state`; what is shown already, or is being typed, is left alone."""
        before, self._state = self._state, state
        if state == before:
            return
        self._summary.show_text(state.summary)
        self._summary.setVisible(bool(state.summary.text))
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        self._area.setVisible(not state.message)
        if not state.news:
            self._seen = ()
        self._news.show_news(state.news)
        self._news.setVisible(bool(state.news) and state.news != self._seen)
        if tuple(row.key for row in state.rows) != tuple(self._rows):
            self._rebuild(state.rows)
        for row in state.rows:
            self._rows[row.key].show_row(row)
        metrics = self._captions.fontMetrics()
        dates = (metrics.horizontalAdvance(row.when.text) + 2 for row in state.rows)
        self._when = max(self._when, *dates, metrics.horizontalAdvance("As of"), 0)
        self._arrange()

    def choose(self, key: str) -> None:
        """Bring a claim into sight and give it the keyboard."""
        if key in self._rows:
            self._rows[key].setFocus(Qt.FocusReason.OtherFocusReason)

    def row(self, key: str) -> ClaimLine:
        """Return the row of a claim."""
        return self._rows[key]

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        self._news.set_theme(theme)
        self._captions.set_theme(theme)
        for row in self._rows.values():
            row.set_theme(theme)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(300, 160)

    # How it is built

    def _rebuild(self, rows: tuple[ClaimRow, ...]) -> None:
        """Make the rows anew, but keep those that stay: what is being typed there must not go."""
        self.setFocusProxy(None)  # type: ignore[arg-type]  # the stub omits None, which Qt takes for "no proxy"
        kept = {row.key: self._rows[row.key] for row in rows if row.key in self._rows}
        for key, old in self._rows.items():
            self._column.removeWidget(old)
            if key not in kept:
                old.hide()
                old.deleteLater()
        self._rows = {}
        for number, row in enumerate(rows):
            made = self._rows[row.key] = kept.get(row.key) or self._new_row(row)
            self._column.insertWidget(2 + number, made)
        if self._chosen not in self._rows:
            self._chosen, self._when = "", 0
        stops: list[QWidget] = [self._news.every, self._news.dismiss]
        for line in self._rows.values():
            stops += [line, line.edit]
        for first, second in pairwise(stops):
            QWidget.setTabOrder(first, second)
        if rows:
            entry = self._rows[self._chosen or rows[0].key]
            entry.set_tab_stop()
            self.setFocusProxy(entry)

    def _new_row(self, row: ClaimRow) -> ClaimLine:
        made, key = ClaimLine(row), row.key
        made.set_theme(self._theme)
        made.opened.connect(lambda: self.claim_opened.emit(key))
        made.chosen.connect(lambda: self._choose(key))
        made.moved.connect(lambda step: self._move(key, step))
        made.typed.connect(lambda text: self.kill_typed.emit(KillTyped(key, text)))
        made.unfolded.connect(self._unfold)
        return made

    def _arrange(self) -> None:
        """Give the rows the height there is, between dense and roomy."""
        wide = self.width() >= _WIDE
        room = self._area.viewport().height() - (_CAPTIONS_HEIGHT if wide else 0)
        if self._news.isVisibleTo(self._list):
            room -= self._news.sizeHint().height()
        high = min(MOST_HEIGHT, max(LEAST_HEIGHT, (room - UNFOLDED) // max(1, len(self._rows))))
        columns = Columns(self._when, wide, high)
        self._captions.show_columns(columns)
        for row in self._rows.values():
            row.show_columns(columns)
        self._make_room()

    def _make_room(self) -> None:
        """Grow the list at once: the scroll area would squeeze the rows for a frame before it does."""
        self._column.invalidate()
        self._grow()

    def _grow(self) -> None:
        wanted = self._column.totalMinimumSize().height()
        if wanted != self._list.minimumHeight():
            self._list.setMinimumHeight(wanted)

    def _unfold(self) -> None:
        self._make_room()
        self._sight.start()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._area.viewport() and event.type() is QEvent.Type.Resize:
            self._arrange()
        if watched is self._list and event.type() is QEvent.Type.LayoutRequest:
            self._grow()  # to invalidate the layout here would ask for it again, and so on for ever
        return False

    # What the user did

    def _choose(self, key: str) -> None:
        if key != self._chosen:
            self._chosen = key
            for one, row in self._rows.items():
                row.set_chosen(one == key)
            self.setFocusProxy(self._rows[key])
        self._sight.start()

    def _show_chosen(self) -> None:
        if self._chosen in self._rows:
            self._area.ensureWidgetVisible(self._rows[self._chosen], 0, 2)

    def _move(self, key: str, step: int) -> None:
        keys = list(self._rows)
        there = keys[min(len(keys) - 1, max(0, keys.index(key) + step))]
        self._rows[there].setFocus(Qt.FocusReason.TabFocusReason)

    def _dismiss(self) -> None:
        if self._state is not None:
            self._seen = self._state.news
        self._news.hide()
        self._arrange()
        if self._rows:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.news_seen.emit()
