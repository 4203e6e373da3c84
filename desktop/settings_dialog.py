"""Every setting in one dialog, made from what settings.py declares; each change applies at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import settings
from desktop.presenters.thesis import KILL, kill_level
from desktop.settings import SettingError, Settings, Spec
from widgets.combo import Combo
from widgets.parts import SEMI, Card, Label, Segmented
from widgets.states import Choice, Text, Tone
from widgets.theme import DARK, Theme, font

_DEFAULTS: Mapping[str, object] = {one.name: one.default for one in fields(Settings)}
_EDITOR, _HEIGHT = 190, 26
_WORDS = {
    "s": "(s)", "pp": "(pp)", "vol": "volatility", "rut": "RUT", "ndx": "NDX", "sma": "SMA",
}  # fmt: skip
_EMPTY = {"universe": "newest"}


def caption(spec: Spec) -> str:
    """What a setting is called: Max leg gap (s) for divergence.max_leg_gap_s."""
    words = [_WORDS.get(one, one) for one in spec.key.rpartition(".")[2].split("_")]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def group(spec: Spec) -> str:
    """Under which heading it stands."""
    head, dot, rest = spec.key.partition(".")
    if not dot:
        return "Gauge"
    return "Kill levels" if rest.startswith("kill.") else head.capitalize()


def bounds(name: str) -> str:
    """What may be entered, and the default."""
    spec, default = settings.spec_of(name), _DEFAULTS[name]
    shown = "on" if default is True else "off" if default is False else default or "empty"
    told = f"default {shown:g}" if isinstance(shown, float) else f"default {shown}".replace("_", " ")
    if spec.low is not None and spec.high is not None:
        return f"{spec.low:g} to {spec.high:g}, {told}"
    return told


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered for a setting: `typed` while the keyboard still is in its field."""

    name: str
    value: object
    typed: bool = False


class _Row(QFrame):
    """One setting: its name and help, the editor, the way back to the default."""

    changed = Signal(object)
    """One `Entered`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("line", True)
        self.name, self._spec, self._kind = name, settings.spec_of(name), type(_DEFAULTS[name])
        self._title = Label(13, SEMI)
        self._help = Label(12, wrap=True)
        self._bounds = Label(12)
        self._error = Label(12, wrap=True, name=f"What is wrong with {self._spec.key}")
        self._help.show_text(Text(self._spec.help, Tone.DIM))
        self._bounds.show_text(Text(bounds(name), Tone.DIM))
        self.editor = self._make_editor()
        self.editor.setAccessibleName(caption(self._spec))
        self.editor.setAccessibleDescription(f"{self._spec.help} {bounds(name)}")
        self.editor.setFixedWidth(_EDITOR)
        self.reset = QPushButton("Reset")
        self.reset.setAutoDefault(False)
        self.reset.setFont(font(12))
        self.reset.setFixedHeight(_HEIGHT)
        self.reset.setAccessibleName(f"Reset {caption(self._spec)}")
        self.reset.clicked.connect(lambda: self.changed.emit(Entered(name, _DEFAULTS[name])))
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 6, 4, 6)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.reset, 0, 2)
        grid.addWidget(self._help, 1, 0)
        grid.addWidget(self._bounds, 1, 1, 1, 2, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._error, 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self._error.hide()

    def _make_editor(self) -> QWidget:
        name = self.name
        if self._kind is bool:
            switch = Segmented(caption(self._spec))
            switch.chosen.connect(lambda key: self.changed.emit(Entered(name, key == "on")))
            return switch
        if self._spec.choices:
            combo = Combo(caption(self._spec))
            combo.picked.connect(lambda key: self.changed.emit(Entered(name, key)))
            return combo
        edit = QLineEdit()
        edit.setFixedHeight(_HEIGHT)
        edit.setPlaceholderText(_EMPTY.get(name, "none"))
        edit.textEdited.connect(self._typed)
        return edit

    def _typed(self, text: str) -> None:
        self.changed.emit(Entered(self.name, self._meant(text), typed=True))

    def _meant(self, text: str) -> object:
        """The value of the declared type; the text itself where it is none, to be refused in words."""
        for kind, make in ((int, int), (float, float)):
            if self._kind is kind:
                try:
                    return make(text.strip().replace("−", "-"))
                except ValueError:
                    return text
        return text

    def show_value(self, chosen: Settings, *, typed: bool = False) -> None:
        """Show what is set; what is just being typed is left alone."""
        value = getattr(chosen, self.name)
        if isinstance(self.editor, Segmented):
            self.editor.show_choices((Choice("on", "On", value is True), Choice("off", "Off", value is False)))
        elif isinstance(self.editor, Combo):
            choices = self._spec.choices
            self.editor.show_choices(tuple(Choice(one, one.replace("_", " "), one == value) for one in choices))
        elif isinstance(self.editor, QLineEdit) and not typed:
            self.editor.setText(f"{value:g}" if isinstance(value, float) else str(value))
        differs = value != _DEFAULTS[self.name]
        words, tone = caption(self._spec), Tone.PLAIN
        if differs:
            words, tone = f"{words} · changed", Tone.WARN
        self._title.show_text(Text(words, tone, self._spec.key))
        self.reset.setEnabled(differs)
        self.show_error(kill_level(chosen, self.name.removeprefix(KILL))[1] if self.name.startswith(KILL) else "")

    def show_error(self, why: str) -> None:
        """Say in place what is wrong with what stands in the editor; "" when nothing is."""
        self._error.show_text(Text(f"Not in force: {why}" if why else "", Tone.BAD))
        self._error.setVisible(bool(why))
        self.reset.setEnabled(self.reset.isEnabled() or bool(why))
        if bool(self.editor.property("error")) != bool(why):
            self.editor.setProperty("error", bool(why))
            self.editor.style().unpolish(self.editor)
            self.editor.style().polish(self.editor)

    def matches(self, words: list[str], chosen: Settings) -> bool:
        """Whether every word is found in its name, help or value."""
        spec, value = self._spec, getattr(chosen, self.name)
        told = f"{spec.key} {caption(spec)} {group(spec)} {spec.help} {value}"
        if value != _DEFAULTS[self.name]:
            told += " changed"
        return all(word in told.lower() for word in words)

    def set_theme(self, theme: Theme) -> None:
        for label in (self._title, self._help, self._bounds, self._error):
            label.set_theme(theme)


class Wanted(Enum):
    """What is to be done once the dialog has closed."""

    SAVE_WORKSPACE = auto()
    OPEN_WORKSPACE = auto()


class SettingsDialog(QDialog):
    """All settings; `changed` says the whole of them after every valid change. `wanted` says what comes next."""

    changed = Signal(object)
    """The next `Settings`."""

    def __init__(self, parent: QWidget | None, chosen: Settings, theme: Theme = DARK) -> None:
        super().__init__(parent)
        self._chosen, self._confirm = chosen, False
        self.wanted: Wanted | None = None
        self.setWindowTitle("Settings")
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search: a word of a name, of its help, or its value; changed finds yours")
        self.search.setAccessibleName("Search")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedHeight(28)
        self.search.textChanged.connect(lambda _: self._filter())
        column.addWidget(self.search)
        self._groups: dict[str, Card] = {}
        self._rows: dict[str, _Row] = {}
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 6, 0)
        for one in fields(Settings):
            self._add(one.name, theme)
        self._nothing = Label(13, name="Search result")
        self._nothing.set_theme(theme)
        self._nothing.show_text(Text("No setting has these words.", Tone.DIM))
        self._list.addWidget(self._nothing)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        self._area = area
        column.addWidget(area, 1)
        bottom = QHBoxLayout()
        self._count = Label(12, name="How many are changed")
        self._count.set_theme(theme)
        self.reset_all = QPushButton("Reset all")
        self.reset_all.setAutoDefault(False)
        self.reset_all.clicked.connect(self._reset_all)
        bottom.addWidget(self.reset_all)
        bottom.addWidget(self._count, 1)
        told = "layout, settings, kill levels, alerts, set-ups; never keys"
        self.save_workspace = self._way_out("Save workspace…", f"Into one file: {told}", Wanted.SAVE_WORKSPACE)
        self.open_workspace = self._way_out("Open workspace…", f"From one file: {told}", Wanted.OPEN_WORKSPACE)
        bottom.addWidget(self.save_workspace)
        bottom.addWidget(self.open_workspace)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setIcon(QIcon())
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        bottom.addWidget(buttons)
        column.addLayout(bottom)
        self.resize(640, 620)
        self._show()
        self._filter()
        self.search.setFocus()

    def _way_out(self, words: str, why: str, wanted: Wanted) -> QPushButton:
        """A button that closes the dialog: what follows asks for a file, and shows what it changes."""

        def leave() -> None:
            self.wanted = wanted
            self.accept()

        button = QPushButton(words)
        button.setAutoDefault(False)
        button.setToolTip(why)
        button.clicked.connect(leave)
        return button

    def row(self, name: str) -> _Row:
        """The row of a field of the settings."""
        return self._rows[name]

    def _add(self, name: str, theme: Theme) -> None:
        heading = group(settings.spec_of(name))
        card = self._groups.get(heading)
        if card is None:
            card = self._groups[heading] = Card(heading)
            card.set_theme(theme)
            card.body.setSpacing(0)
            self._list.addWidget(card)
        row = self._rows[name] = _Row(name)
        row.set_theme(theme)
        row.changed.connect(self._entered)
        card.body.addWidget(row)

    def _entered(self, entered: Entered) -> None:
        self._ask_again()
        try:
            chosen = settings.changed(self._chosen, entered.name, entered.value)
        except SettingError as error:
            stays = getattr(self._chosen, entered.name)
            shown = f"{stays:g}" if isinstance(stays, float) else stays
            self._rows[entered.name].show_error(f"{error.why}; {shown} stays")
            return
        self._take(chosen, entered.name if entered.typed else "")

    def _take(self, chosen: Settings, typed: str = "") -> None:
        before, self._chosen = self._chosen, chosen
        self._show(typed)
        if chosen != before:
            self.changed.emit(chosen)

    def _reset_all(self) -> None:
        """The first time asks, the second resets: the button says so meanwhile."""
        if not self._confirm:
            self._confirm = True
            self.reset_all.setText(f"Reset all {self._differing()}? Press again")
            return
        self._ask_again()
        self._take(Settings())

    def _ask_again(self) -> None:
        self._confirm = False
        self.reset_all.setText("Reset all")

    def _differing(self) -> int:
        return sum(getattr(self._chosen, name) != default for name, default in _DEFAULTS.items())

    def _show(self, typed: str = "") -> None:
        for name, row in self._rows.items():
            row.show_value(self._chosen, typed=name == typed)
        count = self._differing()
        self.reset_all.setEnabled(count > 0)
        differ = "1 differs" if count == 1 else f"{count} differ" if count else "nothing differs"
        words = f"{differ} from the defaults"
        self._count.show_text(Text(words, Tone.WARN if count else Tone.DIM))

    def _filter(self) -> None:
        words = self.search.text().lower().split()
        shown = {name for name, row in self._rows.items() if row.matches(words, self._chosen)}
        for name, row in self._rows.items():
            row.setVisible(name in shown)
        for heading, card in self._groups.items():
            card.setVisible(any(group(settings.spec_of(name)) == heading for name in shown))
        self._nothing.setVisible(not shown)
        self._area.verticalScrollBar().setValue(0)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            self.search.setFocus()
            return
        super().keyPressEvent(event)
