"""The keys of vendors: enter, try, delete; says where each is kept. A value is never shown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.credentials import Credentials, Kept, Key, KeyRefusedError, KeyState, checked
from desktop.market.known import Unknown
from desktop.vendors import VENDORS, SessionFactory, Tried, Vendor, try_key
from widgets.parts import Card
from widgets.states import Text, Tone
from widgets.theme import Theme

log = logging.getLogger(__name__)
_KEPT_TONES = {Kept.KEYRING: Tone.GOOD, Kept.RUN: Tone.WARN, Kept.NOWHERE: Tone.DIM, Kept.NOT_READ: Tone.DIM}
_T = TypeVar("_T")
_Start = Callable[[Callable[[], object], Callable[[object], None]], None]


class KeysDialog(QDialog):
    """One section a vendor. Asks keyring and vendors on threads of their own; answers come back by a signal."""

    changed = Signal(str)
    """Name of the source whose key is another one now."""
    _answered = Signal(object)
    """A call to be made on the window's thread."""

    def __init__(
        self, parent: QWidget, keys: Credentials, theme: Theme, session_factory: SessionFactory | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Vendor keys")
        self._keys = keys
        self._answered.connect(self._deliver)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        intro = QLabel(
            "Keys are optional. They are kept in your system's keyring and nowhere else; without one they last "
            "for this run only. Each is sent to its vendor alone."
        )
        intro.setWordWrap(True)
        column.addWidget(intro)
        self._sections = [_Section(one, keys, self.in_background, session_factory) for one in VENDORS]
        for section in self._sections:
            section.set_theme(theme)
            section.changed.connect(self.changed)
            column.addWidget(section)
        column.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setIcon(QIcon())
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        column.addWidget(buttons)
        self.setMinimumWidth(560)
        self._sections[0].first_field.setFocus()
        if any(keys.state(key).kept is Kept.NOT_READ for key in Key):
            self.in_background(keys.load, lambda _: self._show_states())

    def in_background(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """Do `work` on a thread of its own, then call `then` with what it returned, unless this was closed."""

        def run() -> None:
            try:
                outcome = work()
            except Exception as error:  # the thread's outermost frame
                log.exception("%s failed", getattr(work, "__name__", "a call"))
                outcome = error
            with suppress(RuntimeError):  # the dialog is gone
                self._answered.emit(partial(then, outcome))

        threading.Thread(target=run, name="keys", daemon=True).start()

    def _deliver(self, call: Callable[[], None]) -> None:
        call()

    def _show_states(self) -> None:
        for section in self._sections:
            section.show_state()


class _Section(Card):
    """One vendor: fields, what can be done, and how it went."""

    changed = Signal(str)

    def __init__(
        self, vendor: Vendor, keys: Credentials, start: _Start, session_factory: SessionFactory | None
    ) -> None:
        super().__init__(vendor.name)
        self._vendor, self._keys, self._start, self._session_factory = vendor, keys, start, session_factory
        self._busy = False
        self._where = self.label(12, name=f"Where the key of {vendor.name} is kept")
        self.title_row.addWidget(self._where)
        offers = QLabel(f'{vendor.offers} <a href="{vendor.site}">Get a key</a>')
        offers.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        offers.setOpenExternalLinks(True)
        offers.setAccessibleName(f"{vendor.offers} Get a key at {vendor.site}")
        self.body.addWidget(offers)
        self._fields: dict[Key, QLineEdit] = {}
        self.body.addLayout(self._make_fields())
        row = QHBoxLayout()
        for text, act in (("Save", self._save), ("Test", self._test), ("Delete", self._delete)):
            row.addWidget(self._button(text, f"{text} the key of {vendor.name}", act))
        row.addStretch(1)
        self.body.addLayout(row)
        self._outcome = self.label(12, wrap=True, name=f"Result for {vendor.name}")
        self._outcome.setMinimumHeight(2 * self._outcome.fontMetrics().lineSpacing())
        self._outcome.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._outcome)
        self.show_state()

    @property
    def first_field(self) -> QLineEdit:
        """Where typing begins."""
        return next(iter(self._fields.values()))

    def show_state(self) -> None:
        """Say where each part is kept; a part that is kept is named, never shown."""
        states = [self._keys.state(key) for key in self._fields]
        worst = min(states, key=lambda one: list(Kept).index(one.kept))
        self._where.show_text(_where_words(worst))
        for key, edit in self._fields.items():
            held = not isinstance(self._keys.get(key), Unknown)
            edit.setPlaceholderText("kept; another one replaces it" if held else "paste it here")

    def _make_fields(self) -> QGridLayout:
        grid = QGridLayout()
        for number, (key, label) in enumerate(self._vendor.parts):
            edit = self._fields[key] = QLineEdit()
            edit.setEchoMode(QLineEdit.EchoMode.Password)
            edit.setAccessibleName(f"{label} of {self._vendor.name}")
            edit.setMinimumHeight(26)
            edit.textEdited.connect(lambda _, edit=edit: self._mark(edit, wrong=False))
            edit.returnPressed.connect(self._save)
            caption = QLabel(label)
            caption.setBuddy(edit)
            grid.addWidget(caption, number, 0)
            grid.addWidget(edit, number, 1)
            paste = self._button("Paste", f"Paste the {label} of {self._vendor.name}", partial(self._paste, edit))
            grid.addWidget(paste, number, 2)
        grid.setColumnMinimumWidth(0, 80)
        grid.setColumnStretch(1, 1)
        return grid

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(name)
        button.setAutoDefault(False)  # Enter in a field saves; it presses nothing
        button.clicked.connect(lambda: act())
        return button

    # What the user does

    def _paste(self, edit: QLineEdit) -> None:
        edit.setText(QGuiApplication.clipboard().text().strip())
        self._mark(edit, wrong=False)
        edit.setFocus()

    def _save(self) -> None:
        typed = self._typed()
        if typed is None:
            return
        if not typed:
            self._tell("nothing was entered", Tone.WARN)
            return
        self._work("saving …", lambda: [self._keys.set(key, value) for key, value in typed.items()], self._saved)

    def _saved(self, states: list[KeyState]) -> None:
        for edit in self._fields.values():
            edit.clear()
        missing = [label for key, label in self._vendor.parts if isinstance(self._keys.get(key), Unknown)]
        worst = min(states, key=lambda one: list(Kept).index(one.kept))
        words = f"saved {worst.words}" if worst.kept is Kept.KEYRING else f"kept {worst.words}"
        if missing:
            words += f"; still missing: {', '.join(missing)}"
        self._tell(words, Tone.GOOD if worst.kept is Kept.KEYRING and not missing else Tone.WARN)
        self.changed.emit(self._vendor.source)

    def _test(self) -> None:
        typed = self._typed()
        if typed is None:
            return
        values: dict[Key, str] = {}
        for key, label in self._vendor.parts:
            value = typed.get(key) or self._keys.get(key)
            if isinstance(value, Unknown):
                self._tell(f"nothing to test: {label} is missing", Tone.WARN)
                return
            values[key] = value
        asking = partial(try_key, self._vendor, values, session_factory=self._session_factory)
        self._work(f"asking {self._vendor.name} …", asking, self._tried)

    def _tried(self, tried: Tried) -> None:
        self._tell(tried.words, Tone.GOOD if tried.works else Tone.BAD)

    def _delete(self) -> None:
        for edit in self._fields.values():
            edit.clear()
            self._mark(edit, wrong=False)
        self._work("deleting …", lambda: [self._keys.delete(key) for key in self._fields], self._deleted)

    def _deleted(self, states: list[KeyState]) -> None:
        left = [one.words for one in states if one.kept is not Kept.NOWHERE]
        self._tell(left[0] if left else "deleted", Tone.WARN if left else Tone.GOOD)
        self.changed.emit(self._vendor.source)

    def _typed(self) -> Mapping[Key, str] | None:
        """What stands in the fields; None, and told in place, where some of it can be no key."""
        typed = {}
        for key, edit in self._fields.items():
            if not edit.text().strip():
                continue
            try:
                typed[key] = checked(edit.text())
            except KeyRefusedError as error:
                self._mark(edit, wrong=True)
                edit.setFocus()
                self._tell(str(error), Tone.BAD)
                return None
        return typed

    def _work(self, telling: str, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Do one thing at a time; the buttons stay enabled, for a disabled one would lose the keyboard."""
        if self._busy:
            return
        self._busy = True
        self._tell(telling, Tone.DIM)

        def done(outcome: object) -> None:
            self._busy = False
            if isinstance(outcome, Exception):
                self._tell(f"failed: {type(outcome).__name__}; the log tells more", Tone.BAD)
            else:
                then(outcome)  # type: ignore[arg-type]  # what `work` returned
            self.show_state()

        self._start(work, done)

    def _tell(self, words: str, tone: Tone) -> None:
        self._outcome.show_text(Text(words, tone))

    def _mark(self, edit: QLineEdit, *, wrong: bool) -> None:
        if bool(edit.property("error")) != wrong:
            edit.setProperty("error", wrong)
            edit.style().unpolish(edit)
            edit.style().polish(edit)


def _where_words(state: KeyState) -> Text:
    if state.kept is Kept.NOT_READ and not state.why:
        return Text("reading the keyring …", Tone.DIM)
    tone = Tone.WARN if state.why else _KEPT_TONES[state.kept]
    return Text(state.words, tone, state.words)
