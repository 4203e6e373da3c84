"""Small pieces shared by all panels: a label for a Text, a row of choices, the card with a title."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.states import Choice, Text, Tone
from widgets.theme import BASE_PX, DARK, Theme, font

SEMI = QFont.Weight.DemiBold
BOLD = QFont.Weight.Bold
_NOTHING = Text("")


class Label(QLabel):
    """Shows one Text: words, tone, and the reason on hover. Too long for its place, it ends in an ellipsis."""

    def __init__(
        self, px: int = BASE_PX, weight: QFont.Weight = QFont.Weight.Normal, *, wrap: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self._shown, self._theme, self._wraps = _NOTHING, DARK, wrap
        self.setFont(font(px, weight))
        self.setWordWrap(wrap)
        self.setTextFormat(Qt.TextFormat.PlainText)
        if name:
            self.setAccessibleName(name)
        if not wrap:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_text(self, text: Text) -> None:
        """Show `text`; nothing happens when it is shown already."""
        if text == self._shown:
            return
        recolour = text.tone is not self._shown.tone
        self._shown = text
        self.setText(text.text)
        self.setToolTip(text.why)
        self.setAccessibleDescription(text.why)
        if recolour:
            self._colour()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self._colour()

    def _colour(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, self._theme.color(self._shown.tone))
        self.setPalette(palette)

    @override
    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return hint if self._wraps else QSize(min(hint.width(), 3 * self.font().pixelSize()), hint.height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._theme.color(self._shown.tone))  # a palette may be a style's idea of long ago
        inside = self.contentsRect()
        if self._wraps:
            painter.drawText(inside, int(self.alignment() | Qt.TextFlag.TextWordWrap), self.text())
            painter.end()
            return
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, int(self.alignment()), words)
        painter.end()
        if words != self.text() and not self._shown.why:
            self.setToolTip(self.text())


class Segmented(QWidget):
    """A row of buttons of which one is chosen; arrow keys move the choice."""

    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(3)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QPushButton] = {}
        self._shown: tuple[Choice, ...] = ()

    def show_choices(self, choices: tuple[Choice, ...]) -> None:
        """Show `choices`; nothing happens when they are shown already."""
        if choices == self._shown:
            return
        if tuple(one.key for one in choices) != tuple(self._buttons):
            self._rebuild(choices)
        self._shown = choices
        for one in choices:
            button = self._buttons[one.key]
            button.setText(one.label)
            button.setToolTip(one.why)
            button.setEnabled(one.enabled)
            button.setChecked(one.chosen)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if one.chosen else Qt.FocusPolicy.ClickFocus)
        if not any(one.chosen for one in choices) and choices:
            self._buttons[choices[0].key].setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def button(self, key: str) -> QPushButton:
        """Return the button of a choice."""
        return self._buttons[key]

    def _rebuild(self, choices: tuple[Choice, ...]) -> None:
        for old in self._buttons.values():
            self._group.removeButton(old)
            self._row.removeWidget(old)
            old.deleteLater()
        self._buttons = {}
        for one in choices:
            button = QPushButton(one.label)
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.setAccessibleName(f"{self.accessibleName()}: {one.label}")
            button.clicked.connect(lambda _=False, key=one.key: self.chosen.emit(key))
            self._group.addButton(button)
            self._row.addWidget(button)
            self._buttons[one.key] = button

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        usable = [key for key, button in self._buttons.items() if button.isEnabled()]
        here = next((key for key in usable if self._buttons[key].hasFocus()), None)
        if step is None or here is None:
            super().keyPressEvent(event)
            return
        there = usable[(usable.index(here) + step) % len(usable)]
        self._buttons[there].setFocus(Qt.FocusReason.TabFocusReason)
        self._buttons[there].click()


class Card(QFrame):
    """A panel: title on the left, controls on the right, content below."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.setAccessibleName(title)
        self._labels: list[Label] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        self.title_row = QHBoxLayout()
        self.title_row.setSpacing(8)
        self.title = self.label(14, SEMI)
        self.title.show_text(Text(title))
        self.title_row.addWidget(self.title)
        self.title_row.addStretch(1)
        column.addLayout(self.title_row)
        self.body = QVBoxLayout()
        self.body.setSpacing(4)
        column.addLayout(self.body, 1)

    def label(
        self, px: int = BASE_PX, weight: QFont.Weight = QFont.Weight.Normal, *, wrap: bool = False, name: str = ""
    ) -> Label:
        """Make a label that follows this card's theme."""
        made = Label(px, weight, wrap=wrap, name=name)
        self._labels.append(made)
        return made

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        for label in self._labels:
            label.set_theme(theme)


class FactLine(QWidget):
    """Facts with a dot between them, in as many lines as they need up to `most_lines`.

    A line breaks between facts. What does not fit into the last one ends in an ellipsis and is told on hover. Once
    a second line was needed at a width it stays, so that numbers which change move nothing below.
    """

    SEPARATOR = " · "

    def __init__(self, name: str, px: int = 12, *, most_lines: int = 2) -> None:
        super().__init__()
        self._facts: tuple[Text, ...] = ()
        self._theme, self._most_lines, self._high = DARK, most_lines, px + 6
        self.setFont(font(px))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self._high)

    def show_facts(self, facts: tuple[Text, ...]) -> None:
        """Show `facts`; nothing happens when they are shown already."""
        if facts == self._facts:
            return
        self._facts = facts
        told = [f"{one.text} ({one.why})" if one.why else one.text for one in facts]
        self.setToolTip("\n".join(told))
        self.setAccessibleDescription("; ".join(told))
        self.setFixedHeight(max(self.height(), self._wanted_height()))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    def shown(self) -> str:
        """Return the words, as one line."""
        return self.SEPARATOR.join(one.text for one in self._facts)

    def lines(self) -> list[list[Text]]:
        """Return the facts line by line, as they are drawn; the last line may be longer than its place."""
        metrics, gap = self.fontMetrics(), self.fontMetrics().horizontalAdvance(self.SEPARATOR)
        lines: list[list[Text]] = [[]]
        used = 0
        for fact in self._facts:
            wide = metrics.horizontalAdvance(fact.text)
            if lines[-1] and used + gap + wide > self.width() and len(lines) < self._most_lines:
                lines.append([])
                used = 0
            used += wide + (gap if lines[-1] else 0)
            lines[-1].append(fact)
        return lines

    def _wanted_height(self) -> int:
        return self._high * len(self.lines())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.setFixedHeight(self._wanted_height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = self.fontMetrics()
        base = (self._high + metrics.ascent() - metrics.descent()) // 2
        for line in self.lines():
            self._paint_line(painter, line, base)
            base += self._high
        painter.end()

    def _paint_line(self, painter: QPainter, line: list[Text], base: int) -> None:
        metrics, x, right = self.fontMetrics(), 0, self.width()
        for number, fact in enumerate(line):
            text = fact.text if number == 0 else self.SEPARATOR + fact.text
            wide = metrics.horizontalAdvance(text)
            if x + wide > right:
                painter.setPen(self._theme.color(Tone.DIM))
                painter.drawText(x, base, metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - x))
                return
            painter.setPen(self._theme.color(Tone.DIM if fact.tone is Tone.PLAIN else fact.tone))
            painter.drawText(x, base, text)
            x += wide
