"""One claim of the thesis: its verdict as a shape, its number, its date, and where it would be given up."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget
from typing_extensions import override

from widgets.draft import Draft
from widgets.parts import SEMI
from widgets.states import ClaimRow, Text, Tone
from widgets.theme import DARK, Theme, font
from widgets.verdict_mark import MARK, SAID, paint_verdict

LEAST_HEIGHT, MOST_HEIGHT = 22, 32
UNFOLDED = 27
"""What the second line adds to the height of a row."""
KILL_WIDTH = 76
GAP, EDGE = 12, 6
_TEXT_LEFT = EDGE + MARK + 8
_FIELD_HEIGHT = 21
_CLAIM_SHARE = 0.42
"""Of a row too narrow for everything, the claim keeps at least this share."""
_CROSSED = "crossed"
_CAPTION = "Kill level"
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Columns:
    """What all rows share: width of the dates, whether the kill field has a column of its own."""

    when: int = 0
    wide: bool = False
    height: int = LEAST_HEIGHT


class _KillEdit(QLineEdit):
    """The kill level, as typed; Escape, Enter, up and down are the row's affair."""

    left = Signal(int)
    """A key that leads out of the field: Escape, Enter, Up or Down."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(font(12))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMaxLength(40)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (
            Qt.Key.Key_Escape,
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Up,
            Qt.Key.Key_Down,
        ):
            self.left.emit(event.key())
            return
        super().keyPressEvent(event)


class ClaimLine(QWidget):
    """Shows one `ClaimRow`. Where the panel is narrow, the kill level unfolds under the chosen row."""

    opened = Signal()
    chosen = Signal()
    """It has the keyboard now."""
    typed = Signal(str)
    """The whole kill level, on every keystroke."""
    moved = Signal(int)
    """The keyboard goes to the row so many rows below."""
    unfolded = Signal()
    """Its height changed."""

    def __init__(self, row: ClaimRow) -> None:
        super().__init__()
        self._row: ClaimRow | None = None
        self._theme, self._columns = DARK, Columns()
        self._draft, self._valid = Draft(), ""
        self._is_chosen = self._hovered = False
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.edit = _KillEdit()
        self.edit.setParent(self)
        self.edit.textEdited.connect(self._edited)
        self.edit.left.connect(self._left)
        self.edit.installEventFilter(self)
        self.show_row(row)
        self._arrange()

    @property
    def row(self) -> ClaimRow:
        """What was last shown."""
        assert self._row is not None
        return self._row

    @property
    def kill(self) -> str:
        """The kill level as it stands in the field."""
        return self._draft.value

    def show_row(self, row: ClaimRow) -> None:
        """Show `row`; nothing happens when it is shown already, and what is being typed is left alone."""
        before, self._row = self._row, row
        if row == before:
            return
        if self._draft.take(row.kill):
            self._put(row.kill)
        if not row.kill_error:
            self._valid = row.kill
        wrong = bool(row.kill_error)
        if before is None or row.kill_hint != before.kill_hint:
            self.edit.setPlaceholderText("none")
        if before is None or wrong != bool(before.kill_error):
            self.edit.setProperty("error", wrong)
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)
            self._arrange()
        self._tell()
        self.update()

    def show_columns(self, columns: Columns) -> None:
        """Line up with the other rows."""
        if columns != self._columns:
            self._columns = columns
            self._arrange()
            self.update()

    def set_chosen(self, chosen: bool) -> None:
        """Be the row the keyboard is on, or not."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if chosen else Qt.FocusPolicy.ClickFocus)
        if chosen == self._is_chosen:
            return
        self._is_chosen = chosen
        self._arrange()
        self.update()

    def set_tab_stop(self) -> None:
        """Be where Tab leads to while no row is chosen."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    # Where things stand

    def is_unfolded(self) -> bool:
        """Tell whether there is a second line, with the kill level or with what is wrong with it."""
        if self._columns.wide:
            return bool(self.row.kill_error)
        return self._is_chosen or bool(self.row.kill_error)

    def claim_words(self) -> str:
        """Return the claim, or its short form where it and the value have no room beside each other."""
        row = self.row
        wide = self._metrics(13, strong=True).horizontalAdvance(row.claim) + 2
        wide += self._metrics(12).horizontalAdvance(row.value.text) + 2 + GAP
        wide += self._crossed_width() if row.killed else 0
        return row.claim if wide <= self._value_right() - _TEXT_LEFT else row.short or row.claim

    def claim_rect(self) -> QRect:
        """Return where the claim stands; the rest of the line up to the value is the word of a crossed level."""
        right = self.value_rect().left() - GAP
        words = self._metrics(13, strong=True).horizontalAdvance(self.claim_words()) + 2
        room = right - _TEXT_LEFT - (self._crossed_width() if self.row.killed else 0)
        return QRect(_TEXT_LEFT, 0, max(1, min(words, room)), self._columns.height)

    def value_rect(self) -> QRect:
        """Return where the value stands, at the right of its place."""
        right = self._value_right()
        room = right - _TEXT_LEFT
        claim = self._metrics(13, strong=True).horizontalAdvance(self.claim_words()) + 2
        claim += self._crossed_width() if self.row.killed else 0
        wanted = self._metrics(12).horizontalAdvance(self.row.value.text) + 2
        wide = min(wanted, room - GAP - min(claim, round(_CLAIM_SHARE * room)))
        return QRect(right - wide, 0, max(1, wide), self._columns.height)

    def when_rect(self) -> QRect:
        """Return where the date stands."""
        wide = self._columns.when
        return QRect(self.width() - EDGE - wide, 0, wide, self._columns.height)

    def _value_right(self) -> int:
        right = self.when_rect().left() - GAP
        return right - KILL_WIDTH - GAP if self._columns.wide else right

    def _crossed_width(self) -> int:
        return self._metrics(11, strong=True).horizontalAdvance(_CROSSED) + 18

    @staticmethod
    def _metrics(px: int, *, strong: bool = False) -> QFontMetrics:
        return QFontMetrics(font(px, SEMI) if strong else font(px))

    def _arrange(self) -> None:
        wide, high = self._columns.wide, self._columns.height
        unfolded = self.is_unfolded()
        if wide:
            top, left = (high - _FIELD_HEIGHT) // 2, self._value_right() + GAP
        else:
            top = high + (UNFOLDED - _FIELD_HEIGHT) // 2 - 2
            left = _TEXT_LEFT + self._metrics(12).horizontalAdvance(_CAPTION) + 8
        self.edit.setGeometry(left, top, KILL_WIDTH, _FIELD_HEIGHT)
        self.edit.setVisible(wide or unfolded)
        reachable = self._is_chosen or self.edit.hasFocus()
        self.edit.setFocusPolicy(Qt.FocusPolicy.StrongFocus if reachable else Qt.FocusPolicy.ClickFocus)
        wanted = high + (UNFOLDED if unfolded else 0)
        if wanted != self.minimumHeight():
            self.setFixedHeight(wanted)
            self.unfolded.emit()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @override
    def sizeHint(self) -> QSize:
        return QSize(400, self.minimumHeight())

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight())

    # Words

    def kill_words(self) -> str:
        """Return what there is to say of the kill level, as one line."""
        row = self.row
        if row.kill_error:
            return f"Kill level {self.kill}: {row.kill_error}"
        level = f"Kill level {self.kill or 'none'}"
        if row.kill_hint:
            level += f", {row.kill_hint}"
        return f"{level}: {_CROSSED}" if row.killed else level

    def _tell(self) -> None:
        row, word = self.row, SAID[self.row.verdict][0]
        value = ", ".join(filter(None, (row.value.text, row.value.why)))
        when = ", ".join(filter(None, (row.when.text, row.when.why)))
        self.setAccessibleName(f"{row.claim}: {word.lower()}")
        self.setAccessibleDescription(". ".join(filter(None, (value, when, self.kill_words()))))
        self.setToolTip("\n".join(filter(None, (f"{word}: {row.claim}", value, when, self.kill_words()))))
        self.edit.setAccessibleName(f"Kill level of {row.claim}")
        self.edit.setAccessibleDescription(f"Wrong: {row.kill_error}" if row.kill_error else row.kill_hint)
        hint = ", ".join(filter(None, (row.kill_hint, "Esc takes a wrong entry back")))
        self.edit.setToolTip(row.kill_error or hint)

    # Painting

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        row, theme, high = self.row, self._theme, self._columns.height
        painter = QPainter(self)
        if self._is_chosen or self._hovered:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor(theme.chosen if self._is_chosen else theme.raised))
            keyboard = self.hasFocus()
            painter.setPen(QPen(theme.color(Tone.NDX), 1) if keyboard else Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -1.5), 5, 5)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        else:
            painter.setPen(QColor(theme.grid))
            painter.drawLine(EDGE, self.height() - 1, self.width() - EDGE, self.height() - 1)
        paint_verdict(painter, QPointF(EDGE + MARK / 2, high / 2), row.verdict, theme)
        claim, value, when = self.claim_rect(), self.value_rect(), self.when_rect()
        self._paint_text(painter, claim, Text(self.claim_words()), 13, strong=True)
        self._paint_text(painter, value, _dimmed(row.value), 12, right=True)
        self._paint_text(painter, when, _dimmed(row.when), 11, right=True)
        if row.killed:
            self._paint_crossed(painter, claim)
        if self.is_unfolded():
            self._paint_second_line(painter)
        painter.end()

    def _paint_text(
        self, painter: QPainter, box: QRect, text: Text, px: int, *, strong: bool = False, right: bool = False
    ) -> None:
        painter.setFont(font(px, SEMI) if strong else font(px))
        painter.setPen(self._theme.color(text.tone))
        words = painter.fontMetrics().elidedText(text.text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, _RIGHT if right else _LEFT, words)

    def _paint_crossed(self, painter: QPainter, claim: QRect) -> None:
        painter.setFont(font(11, SEMI))
        wide = painter.fontMetrics().horizontalAdvance(_CROSSED) + 10
        box = QRectF(claim.right() + 7, self._columns.height / 2 - 7.5, wide, 15)
        colour = self._theme.color(Tone.BAD)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _CROSSED)

    def _paint_second_line(self, painter: QPainter) -> None:
        row, top = self.row, self._columns.height - 2
        right = self.width() - EDGE
        told = Text(row.kill_error, Tone.BAD) if row.kill_error else Text(row.kill_hint, Tone.DIM)
        if self._columns.wide:
            self._paint_text(painter, QRect(_TEXT_LEFT, top, right - _TEXT_LEFT, 22), told, 12, right=True)
            return
        line = QRect(_TEXT_LEFT, top, right - _TEXT_LEFT, UNFOLDED)
        self._paint_text(painter, line, Text(_CAPTION, Tone.DIM), 12)
        line.setLeft(self.edit.geometry().right() + 9)
        self._paint_text(painter, line, told, 12)

    # Mouse and keyboard

    @override
    def enterEvent(self, event: QEnterEvent) -> None:
        self._hovered = True
        self.update()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = False
        self.update()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.chosen.emit()
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    @override
    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:  # type: ignore[override]  # only `edit` is watched
        if watched is self.edit and event.type() is QEvent.Type.FocusIn:
            self.chosen.emit()
        return False

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, held = event.key(), event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        plain = not held & ~Qt.KeyboardModifier.KeypadModifier
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -1000, Qt.Key.Key_End: 1000}.get(
            Qt.Key(key)
        )
        if step is not None and plain:
            self.moved.emit(step)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and plain:
            self.opened.emit()
        elif key == Qt.Key.Key_F2 and plain:
            self.begin_typing("")
        elif plain and event.text().isprintable() and event.text():
            self.begin_typing(event.text())
        else:
            super().keyPressEvent(event)

    def begin_typing(self, first: str) -> None:
        """Give the keyboard to the kill level; `first` replaces what stands there."""
        self.chosen.emit()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edit.selectAll()
        if first:
            self.edit.insert(first)

    def _edited(self, text: str) -> None:
        self._draft.send(text)
        self.typed.emit(text)

    def _left(self, key: int) -> None:
        if key == Qt.Key.Key_Escape and self._draft.value != self._valid:
            self.edit.setText(self._valid)
            self._edited(self._valid)
            self.edit.selectAll()
            return
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(-1 if key == Qt.Key.Key_Up else 1)
            return
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _put(self, text: str) -> None:
        """Replace the text; the cursor stays where it was."""
        cursor = self.edit.cursorPosition()
        self.edit.setText(text)
        self.edit.setCursorPosition(min(cursor, len(text)))


def _dimmed(text: Text) -> Text:
    return Text(text.text, Tone.DIM) if text.tone is Tone.PLAIN else text
