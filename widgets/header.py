"""The header strip: four questions answered in one line, what is not live, and the refresh button."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget
from typing_extensions import override

from widgets.parts import BOLD, SEMI, Label
from widgets.states import HeaderState, Text, Tone
from widgets.theme import DARK, Theme, font

_MARGIN, _GAP, _LEAST_GAP, _MOST_GAP, _INNER = 16, 32, 14, 72, 8
_BUTTON_WIDTH, _BUTTON_HEIGHT = 128, 32
_NOTHING = Text("")
_CAPTIONS = ("NDX / RUT", "RUT − NDX today", "Regime", "Next release")
_SPREAD = 1


class Pill(QWidget):
    """One Text in a rounded frame of its tone; too long for its place, it ends in an ellipsis."""

    HEIGHT = 24

    def __init__(self, name: str) -> None:
        super().__init__()
        self._shown, self._theme = _NOTHING, DARK
        self.setAccessibleName(name)
        self.setFont(font(12, SEMI))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return the words shown."""
        return self._shown.text

    def show_text(self, text: Text) -> None:
        """Show `text`; nothing happens when it is shown already."""
        if text == self._shown:
            return
        self._shown = text
        self.setAccessibleDescription(f"{text.text}. {text.why}" if text.why else text.text)
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._theme = theme
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._shown.text) + self.HEIGHT + 2, self.HEIGHT)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(3 * self.HEIGHT, self.HEIGHT)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        colour = self._theme.color(self._shown.tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour)
        fill = self._theme.color(self._shown.tone)
        fill.setAlphaF(0.16)
        painter.setBrush(fill)
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        inside = self.rect().adjusted(self.HEIGHT // 2, 0, -self.HEIGHT // 2, 0)
        words = self.fontMetrics().elidedText(self._shown.text, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignCenter, words)
        painter.end()


@dataclass(slots=True)
class _Piece:
    """Something in the strip: its natural width, which only grows while the same kind of number is shown."""

    widget: Label | Pill
    text: Text = _NOTHING
    natural: int = 0
    width: int = 0

    def measure(self) -> bool:
        """Take the natural width; True when it changed. Narrower words keep their place, unless much narrower."""
        wanted = 0
        if self.text.text:
            extra = Pill.HEIGHT + 2 if isinstance(self.widget, Pill) else 2
            wanted = self.widget.fontMetrics().horizontalAdvance(self.text.text) + extra
        if self.natural * 0.75 <= wanted <= self.natural:
            return False
        self.natural = wanted
        return True


class HeaderStrip(QFrame):
    """Ratio, gap today and its rank, regime, next release; the mode when not live; refresh; the menu."""

    refresh_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: HeaderState | None = None
        self.setProperty("card", True)
        self.setAccessibleName("Overview")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._captions = [Label(12) for _ in _CAPTIONS]
        for caption, words in zip(self._captions, _CAPTIONS, strict=True):
            caption.show_text(Text(words, Tone.DIM))
        self._ratio = _Piece(Label(26, BOLD, name="Ratio NDX / RUT"))
        self._change = _Piece(Label(13, SEMI, name="Change of the ratio"))
        self._spread = _Piece(Label(26, BOLD, name="RUT minus NDX today"))
        self._rank = _Piece(Label(12, name="Rank of the gap today"))
        self._regime = _Piece(Pill("Regime"))
        self._release = _Piece(Label(14, SEMI, name="Next release"))
        self._release_in = _Piece(Label(12, name="Time to the next release"))
        self._mode = _Piece(Pill("Mode: not live"))
        self._pieces = (
            self._ratio,
            self._change,
            self._spread,
            self._rank,
            self._regime,
            self._release,
            self._release_in,
            self._mode,
        )
        self._cells: tuple[tuple[_Piece, ...], ...] = (
            (self._ratio, self._change),
            (self._spread, self._rank),
            (self._regime,),
            (self._release, self._release_in),
        )
        self._note = Label(11, name="Result of the last refresh")
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._button = QPushButton("Refresh F5")
        self._button.setProperty("primary", True)
        self._button.clicked.connect(self._ask)
        self._menu = QToolButton()
        self._menu.setText("Menu")
        self._menu.setAccessibleName("Menu")
        self._menu.setToolTip("All actions (F10)")
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu.hide()
        for widget in (
            *self._captions,
            *(one.widget for one in self._pieces),
            self._note,
            self._button,
            self._menu,
        ):
            widget.setParent(self)

    def set_menu(self, menu: QMenu) -> None:
        """Show a menu button that opens `menu`; F10 opens it too."""
        self._menu.setMenu(menu)
        self._menu.setShortcut("F10")
        self._menu.show()
        self._arrange()

    def show_state(self, state: HeaderState) -> None:
        """Show `state`; what is shown already is left alone."""
        if state == self._state:
            return
        self._state = state
        shown = (
            state.ratio,
            state.ratio_change,
            state.spread,
            state.spread_rank,
            state.regime,
            state.release,
            state.release_in,
            state.mode or _NOTHING,
        )
        moved = False
        for piece, text in zip(self._pieces, shown, strict=True):
            if text == piece.text:
                continue
            piece.text = text
            piece.widget.show_text(text)
            moved = piece.measure() or moved
            self._tell(piece)
        self._captions[_SPREAD].show_text(Text(state.spread_caption, Tone.DIM))
        if state.refresh_label != self._button.text():
            self._button.setText(state.refresh_label)
            self._button.setAccessibleName(
                "Refreshing" if state.refreshing else f"Refresh now, last: {state.refresh_label}"
            )
        if self._button.property("primary") == state.refreshing:
            # Kept enabled while it works: a disabled button would lose the keyboard.
            self._button.setProperty("primary", not state.refreshing)
            self._button.style().unpolish(self._button)
            self._button.style().polish(self._button)
        if state.refresh_note != self._note.text():
            self._note.show_text(Text(state.refresh_note, Tone.DIM))
            self._button.setToolTip(state.refresh_note)
            moved = True
        if moved:
            self._arrange()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        for label in (*self._captions, self._note):
            label.set_theme(theme)
        for piece in self._pieces:
            piece.widget.set_theme(theme)

    def _ask(self) -> None:
        if self._state is None or not self._state.refreshing:
            self.refresh_requested.emit()

    @override
    def sizeHint(self) -> QSize:
        return QSize(1264, 70)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(820, 64)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Place everything; in a narrow strip the mode stands above the button, then words are cut."""
        for piece in self._pieces:
            piece.width = piece.natural
        menu = 0 if self._menu.isHidden() else self._menu.sizeHint().width()
        buttons = _BUTTON_WIDTH + (_INNER + menu if menu else 0)
        mode = self._mode.natural
        in_line = buttons + (mode + 2 * _INNER if mode else 0)
        beside = self.width() - 2 * _MARGIN - in_line
        stacked = self._wanted(_LEAST_GAP, stacked=False) > beside
        if stacked:
            self._yield(self.width() - 2 * _MARGIN, buttons)
        # What is right of the questions starts here.
        right = self.width() - _MARGIN
        start = right - (max(buttons, self._mode.width) if stacked else in_line)
        self._place_right(right, menu, stacked=stacked and mode > 0)
        free = start - _MARGIN - self._wanted(0, stacked=stacked)
        self._place_left(min(_MOST_GAP, max(_LEAST_GAP, free // len(self._cells))), stacked=stacked)
        for piece in self._pieces:
            self._tell(piece)

    def _wanted(self, gap: int, *, stacked: bool) -> int:
        """Width of the four questions, each followed by a gap."""
        return sum(self._cell_width(number, stacked=stacked) + gap for number in range(len(self._cells)))

    def _cell_width(self, number: int, *, stacked: bool) -> int:
        caption = self._captions[number].sizeHint().width()
        cell = self._cells[number]
        if stacked and cell[0] is self._release:
            return max(cell[0].width, caption + _INNER + cell[1].width)
        return max(caption, sum(piece.width for piece in cell) + _INNER * (len(cell) - 1))

    def _yield(self, room: int, buttons: int) -> None:
        """Cut words, the least important first, until everything takes at most `room` pixels."""
        for piece, floor in (
            (self._release, 150),
            (self._mode, 192),
            (self._rank, 90),
            (self._regime, 140),
            (self._release, 60),
            (self._mode, 76),
            (self._rank, 30),
            (self._release_in, 30),
            (self._change, 20),
            (self._regime, 60),
        ):
            lacking = self._wanted(_LEAST_GAP, stacked=True) + max(buttons, self._mode.width) - room
            if lacking <= 0:
                break
            piece.width = min(piece.width, max(floor, piece.width - lacking))

    def _place_right(self, right: int, menu: int, *, stacked: bool) -> None:
        high, middle = self.height(), self.height() // 2
        button_high = 28 if stacked else _BUTTON_HEIGHT
        note_high = self._note.sizeHint().height()
        noted = bool(self._note.text()) and not stacked
        top = middle - button_high // 2 - (note_high // 2 if noted else 0)
        if stacked:
            top = (high + Pill.HEIGHT + 3 - button_high) // 2
        x = right - menu
        if menu:
            self._menu.setGeometry(x, top, menu, button_high)
            x -= _INNER
        x -= _BUTTON_WIDTH
        self._button.setGeometry(x, top, _BUTTON_WIDTH, button_high)
        self._note.setGeometry(x, top + button_high + 1, _BUTTON_WIDTH, note_high)
        self._note.setVisible(noted)
        pill = self._mode
        pill.widget.setVisible(bool(pill.text.text))
        if stacked:
            pill.widget.setGeometry(right - pill.width, top - 3 - Pill.HEIGHT, pill.width, Pill.HEIGHT)
        else:
            pill.widget.setGeometry(
                x - 2 * _INNER - pill.width, middle - Pill.HEIGHT // 2, pill.width, Pill.HEIGHT
            )

    def _place_left(self, gap: int, *, stacked: bool) -> None:
        caption_high = self._captions[0].sizeHint().height()
        big = self._ratio.widget.fontMetrics()
        top = (self.height() - caption_high - 2 - big.height()) // 2
        base = top + caption_high + 2 + big.ascent()
        caption_base = top + self._captions[0].fontMetrics().ascent()
        x = _MARGIN
        for number, (caption, cell) in enumerate(zip(self._captions, self._cells, strict=True)):
            natural = caption.sizeHint().width()
            caption.setGeometry(x, top, natural, caption_high)
            left = x
            for piece in cell:
                if stacked and piece is self._release_in:
                    piece.widget.setGeometry(self._place(piece, x + natural + _INNER, caption_base))
                else:
                    piece.widget.setGeometry(self._place(piece, left, base))
                left += piece.width + _INNER
            x += self._cell_width(number, stacked=stacked) + gap

    @staticmethod
    def _place(piece: _Piece, left: int, base: int) -> QRect:
        if isinstance(piece.widget, Pill):
            return QRect(left, base - Pill.HEIGHT + 5, piece.width, Pill.HEIGHT)
        metrics = piece.widget.fontMetrics()
        return QRect(left, base - metrics.ascent(), piece.width, metrics.height())

    @staticmethod
    def _tell(piece: _Piece) -> None:
        """On hover: the whole words where they are cut, and why."""
        cut = 0 < piece.width < piece.natural
        piece.widget.setToolTip("\n".join(filter(None, (piece.text.text if cut else "", piece.text.why))))
