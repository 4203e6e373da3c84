"""One line below the header in which a note is typed for what was saved just now; the rest goes on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLineEdit, QSizePolicy, QWidget
from typing_extensions import override

from widgets.parts import SEMI, Label
from widgets.states import Text, Tone
from widgets.theme import Theme

MOST_NOTE = 2000
"""Characters."""


@dataclass(frozen=True, slots=True)
class NoteTyped:
    """What was typed for the saved thing of this number."""

    number: int
    text: str


class NoteBar(QFrame):
    """Asks for a note: Enter keeps it, Esc leaves it out. Saying nothing loses nothing."""

    typed = Signal(object)
    """One `NoteTyped`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number: int | None = None
        self._before: QWidget | None = None
        self.setProperty("card", True)
        self.setAccessibleName("Note")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 5, 16, 5)
        row.setSpacing(12)
        self._saved = Label(12, SEMI, name="What was saved")
        self._edit = QLineEdit()
        self._edit.setAccessibleName("Note for what was saved")
        self._edit.setPlaceholderText("a note, if you like")
        self._edit.setMaxLength(MOST_NOTE)
        self._edit.returnPressed.connect(self.finish)
        self._hint = Label(12)
        self._hint.show_text(Text("Enter keeps the note, Esc leaves it out", Tone.DIM))
        row.addWidget(self._saved)
        row.addWidget(self._edit, 1)
        row.addWidget(self._hint)
        self.hide()

    def ask(self, number: int, saved: Text) -> None:
        """Ask for the note of what was saved under `number`; one still being typed is kept first."""
        before = QApplication.focusWidget() if self._number is None else self._before
        self.finish()
        self._number, self._before = number, before
        self._saved.show_text(saved)
        self.show()
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def finish(self) -> None:
        """Keep what was typed, if anything, and go away."""
        number, text = self._number, self._edit.text().strip()
        self._leave()
        if number is not None and text:
            self.typed.emit(NoteTyped(number, text))

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours of `theme`."""
        self._saved.set_theme(theme)
        self._hint.set_theme(theme)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._number is not None:
            self._leave()
            return
        super().keyPressEvent(event)

    def _leave(self) -> None:
        held, before = self._edit.hasFocus(), self._before
        self._number = self._before = None
        self._edit.clear()
        self.hide()
        if held and before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
