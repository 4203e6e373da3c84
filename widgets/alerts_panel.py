"""The alerts panel: rules with value, state and history; the log; the editor. Everything by keyboard too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from widgets.combo import Combo
from widgets.field import Field
from widgets.painted import paint_mark
from widgets.parts import SEMI, Card, Label, Segmented
from widgets.states import Choice, FieldState, Text, Tone
from widgets.states_alerts import Act, AlertsState, EditorState, LogRow, RuleAct, RuleForm, RuleRow
from widgets.theme import DARK, Theme, font

_MARK, _MARK_COLUMN, _BUTTON_HEIGHT = 9, 16, 24
_RULES, _LOG = "rules", "log"
_SNOOZES = (("15 minutes", 15), ("1 hour", 60), ("4 hours", 240), ("Until the next open", 0))
_FRESH_FORM = RuleForm()


class _Line(QFrame):
    """A row that takes the keyboard and shows that it has it."""

    key_pressed = Signal(object)
    """QKeyEvent, without a modifier: accepted by whoever uses it."""
    focused = Signal()
    opened = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._theme = DARK
        self._labels: list[Label] = []
        self.setProperty("line", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)

    def label(self, px: int, *, semi: bool = False, wrap: bool = False) -> Label:
        made = Label(px, SEMI, wrap=wrap) if semi else Label(px, wrap=wrap)
        self._labels.append(made)
        return made

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for label in self._labels:
            label.set_theme(theme)
        self.update()

    def mark(self) -> Tone | None:
        """Shape at the left."""
        return None

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        event.ignore()
        self.key_pressed.emit(event)
        if not event.isAccepted():
            super().keyPressEvent(event)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.opened.emit()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        tone = self.mark()
        if tone is not None:
            paint_mark(painter, QPointF(_MARK / 2 + 3, 16), _MARK, tone, self._theme)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.color(Tone.NDX), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 1.5, -0.5, -0.5), 4, 4)
        painter.end()


class _RuleLine(_Line):
    """One rule: what it says and its value; how it stands; its history."""

    def __init__(self, row: RuleRow) -> None:
        super().__init__(row.title)
        self.row: RuleRow | None = None
        self._title, self._value = self.label(13, semi=True), self.label(13, semi=True)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._state, self._history = self.label(12), self.label(12)
        grid = QGridLayout(self)
        grid.setContentsMargins(_MARK_COLUMN + 2, 6, 6, 5)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self._value, 0, 1)
        grid.addWidget(self._state, 1, 0, 1, 2)
        grid.addWidget(self._history, 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self.show_row(row)

    def show_row(self, row: RuleRow) -> None:
        before, self.row = self.row, row
        if row == before:
            return
        self._title.show_text(Text(row.title, Tone.PLAIN if row.enabled else Tone.DIM))
        self._value.show_text(row.value)
        quiet = row.state.tone is Tone.GOOD
        self._state.show_text(replace(row.state, tone=Tone.DIM) if quiet else row.state)
        self._history.show_text(row.history)
        told = (f"now {row.value.text}", row.state.text, f"would have fired {row.history.text}")
        self.setAccessibleDescription("; ".join(told))
        self.update()

    @override
    def mark(self) -> Tone | None:
        return None if self.row is None else self.row.state.tone


class _LogLine(_Line):
    """One firing."""

    def __init__(self, row: LogRow) -> None:
        super().__init__(f"{row.when.text}: {row.title.text}")
        self.row = row
        title, when, detail = self.label(13, semi=True), self.label(12), self.label(12)
        for label in (title, detail):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        title.show_text(row.title)
        when.show_text(row.when)
        detail.show_text(row.detail)
        self.setAccessibleDescription(f"{row.detail.text}; {'seen' if row.seen else 'not seen yet'}")
        grid = QGridLayout(self)
        grid.setContentsMargins(_MARK_COLUMN + 2, 6, 6, 5)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.addWidget(title, 0, 0, 1, 2)
        grid.addWidget(when, 1, 0)
        grid.addWidget(detail, 1, 1)
        grid.setColumnStretch(1, 1)

    @override
    def mark(self) -> Tone | None:
        return Tone.DIM if self.row.seen else Tone.WARN


class _List(QScrollArea):
    """Rows below each other; Up and Down move the keyboard from one to the next."""

    def __init__(self, name: str) -> None:
        super().__init__()
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(0, 0, 4, 0)
        self.column.setSpacing(0)
        self.column.addStretch(1)
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inside)
        self.lines: list[_Line] = []

    def show_lines(self, lines: Sequence[_Line]) -> None:
        for old in self.lines:
            self.column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.lines = list(lines)
        for number, line in enumerate(lines):
            self.column.insertWidget(number, line)
            line.show()  # at once: what is not shown yet takes no keyboard
            line.focused.connect(lambda line=line: self.ensureWidgetVisible(line))

    def move(self, line: _Line, step: int) -> bool:  # type: ignore[override]  # rows, not pixels
        """Give the keyboard to the row `step` further on."""
        there = self.lines.index(line) + step
        if 0 <= there < len(self.lines):
            self.lines[there].setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return False


class _Editor(QWidget):
    """A rule being typed: what it would be now and would have been is told with every key."""

    typed = Signal(object)
    """RuleForm after every change."""
    saved = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: EditorState | None = None
        self._theme = DARK
        self._labels: list[Label] = []
        self.subject = Combo("What is watched")
        self.param = Combo("Which")
        self.condition = Combo("When it fires")
        self.target = Combo("What it becomes")
        for combo in (self.subject, self.param, self.condition, self.target):
            combo.picked.connect(lambda _: self._changed())
        self.level = Field(FieldState("level", "Level", "", ""))
        self.band = Field(FieldState("band", "Hysteresis", "", ""))
        for field in (self.level, self.band):
            field.typed.connect(lambda _: self._changed())
            field.edit.entered.connect(self._enter)
            field.edit.restored.connect(self.cancelled)
        self.often = Segmented("How often")
        self.often.chosen.connect(self._often_chosen)
        self._every = True
        self.sound = Segmented("Sound")
        self.sound.chosen.connect(self._sound_chosen)
        self._sounds = True
        self.note = QLineEdit()
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("note, shown when it fires")
        self.note.setFont(font(13))
        self.note.setFixedHeight(26)
        self.note.textEdited.connect(lambda _: self._changed())
        self.now, self.history, self.dates = (self._label(wrap=True) for _ in range(3))
        self.save, self.cancel = QPushButton("Save"), QPushButton("Cancel")
        self.save.setProperty("primary", True)
        self.save.setAccessibleName("Save the rule (Enter)")
        self.cancel.setAccessibleName("Give up (Escape)")
        self.save.clicked.connect(lambda: self.saved.emit())
        self.cancel.clicked.connect(lambda: self.cancelled.emit())
        self._build()

    def _label(self, *, wrap: bool = False) -> Label:
        made = Label(12, wrap=wrap)
        self._labels.append(made)
        return made

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 2, 4, 0)
        column.setSpacing(6)
        for pair in ((self.subject, self.param), (self.condition, self.target), (self.level, self.band)):
            row = QHBoxLayout()
            row.setSpacing(8)
            for widget in pair:
                row.addWidget(widget, 1, Qt.AlignmentFlag.AlignBottom)
            column.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.often)
        row.addWidget(self.sound)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.note)
        for label in (self.now, self.history, self.dates):
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.dates)
        column.addStretch(1)
        row = QHBoxLayout()
        for button in (self.save, self.cancel):
            button.setFont(font(12))
            button.setFixedHeight(_BUTTON_HEIGHT)
            row.addWidget(button)
        row.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area, 1)
        for label in (self.now, self.history):  # below the fields that scroll: a useless level is seen at once
            whole.addWidget(label)
        whole.addLayout(row)

    def show_state(self, state: EditorState) -> None:
        before, self._state = self._state, state
        if state == before:
            return
        self.subject.show_choices(state.subjects)
        for combo, choices in ((self.param, state.params), (self.target, state.targets)):
            combo.show_choices(choices)
            combo.setVisible(len(choices) > 1 or (combo is self.target and bool(choices)))
        self.condition.show_choices(state.conditions)
        for field, shown in ((self.level, state.level), (self.band, state.band)):
            field.setVisible(shown is not None)
            if shown is not None:
                field.show_state(shown)
        self._every, self._sounds = state.form.every, state.form.sound
        self.often.show_choices(
            (
                Choice("every", "Every time", self._every, why="Again after the value was back behind the band"),
                Choice("once", "Once", not self._every, why="Fires once, then rests until it is armed again"),
            )
        )
        self.sound.show_choices((Choice("on", "Sound", self._sounds), Choice("off", "Silent", not self._sounds)))
        self.band.edit.setPlaceholderText(state.band_hint)
        if before is None:
            self.note.setText(state.form.note)
        for label, text in ((self.now, state.now), (self.history, state.history), (self.dates, state.dates)):
            label.show_text(text)
            label.setVisible(bool(text.text))
        self.save.setEnabled(state.can_save)

    def form(self) -> RuleForm:
        """What stands in the fields now."""
        key = 0 if self._state is None else self._state.form.key
        return RuleForm(
            key=key,
            subject=self.subject.key,
            param=self.param.key,
            condition=self.condition.key,
            level=self.level.value,
            target=self.target.key,
            band=self.band.value,
            every=self._every,
            sound=self._sounds,
            note=self.note.text(),
        )

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.level.set_theme(theme)
        self.band.set_theme(theme)
        for label in self._labels:
            label.set_theme(theme)

    def _often_chosen(self, key: str) -> None:
        self._every = key == "every"
        self._changed()

    def _sound_chosen(self, key: str) -> None:
        self._sounds = key == "on"
        self._changed()

    def _changed(self) -> None:
        form = self.form()
        if self._state is not None and form.subject != self._state.form.subject:
            form = replace(form, param="", condition="", level="", target="", band="")  # another unit
        self.typed.emit(form)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter()
        else:
            super().keyPressEvent(event)

    def _enter(self) -> None:
        """Save what is whole, and what was typed too fast to have been judged: what is not whole is refused."""
        judged = self._state is not None and self._state.form == self.form()
        if self.save.isEnabled() or not judged:
            self.saved.emit()


class AlertsPanel(Card):
    """Shows an AlertsState."""

    asked = Signal(object)
    """RuleForm to keep, or RuleAct."""
    typed = Signal(object)
    """RuleForm being typed; None when the editor closes."""

    def __init__(self) -> None:
        super().__init__("Alerts")
        self._state: AlertsState | None = None
        self._theme = DARK
        self._chosen = 0
        self._confirm = 0
        self._log_chosen = 0
        self._summary = self.label(12, name="Summary")
        self._tabs = Segmented("Show")
        self._tabs.chosen.connect(self._show_tab)
        self._tab = _RULES
        self.title_row.addWidget(self._tabs)
        self._message = self.label(13, wrap=True, name="Why there are no rules")
        self._rules, self._log = _List("Alert rules"), _List("Alerts that fired")
        self._editing = QWidget()
        QVBoxLayout(self._editing).setContentsMargins(0, 0, 0, 0)
        self._editor: _Editor | None = None
        self._build()

    def _build(self) -> None:
        rules, log, editing = QWidget(), QWidget(), self._editing
        self.body.addWidget(self._summary)
        column = QVBoxLayout(rules)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._message)
        column.addWidget(self._rules, 1)
        self.add = self._button("Add", "Add a rule (Insert)", self.open_new)
        self._edit = self._button("Edit", "Edit the chosen rule (Enter)", self._open_chosen)
        self._snooze = self._button("Snooze", "Silence the chosen rule for a while (S)", self._snooze_chosen)
        self._switch = self._button("Off", "Switch the chosen rule off or on (Space)", self._switch_chosen)
        self._delete = self._button("Delete", "Delete the chosen rule (Delete)", self._delete_chosen)
        self._row(column, self.add, self._edit, self._snooze, self._switch, self._delete)
        column = QVBoxLayout(log)
        column.setContentsMargins(0, 0, 0, 0)
        self._nothing = self.label(13, wrap=True, name="Why the log is empty")
        self._nothing.show_text(Text("Nothing has fired yet.", Tone.DIM))
        column.addWidget(self._nothing)
        column.addWidget(self._log, 1)
        self._seen = self._button("Acknowledge", "Mark the chosen entry as seen (Enter)", self._see_chosen)
        self._all_seen = self._button("Acknowledge all", "Mark every entry as seen", self._see_all)
        self._row(column, self._seen, self._all_seen)
        self._pages = QStackedWidget()
        for page in (rules, log, editing):
            self._pages.addWidget(page)
        self.body.addWidget(self._pages, 1)
        self.setFocusProxy(self.add)

    def _new_editor(self) -> _Editor:
        """An editor that remembers nothing of the rule before."""
        made = _Editor()
        made.set_theme(self._theme)
        made.typed.connect(self.typed)
        made.saved.connect(lambda: self.asked.emit(made.form()))
        made.cancelled.connect(lambda: self.typed.emit(None))
        place = self._editing.layout()
        assert place is not None
        if self._editor is not None:
            place.removeWidget(self._editor)
            self._editor.hide()
            self._editor.deleteLater()
        place.addWidget(made)
        return made

    def _row(self, column: QVBoxLayout, *buttons: QPushButton) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)

    def _button(self, text: str, name: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setFont(font(12))
        button.setFixedHeight(_BUTTON_HEIGHT)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: act())
        return button

    # What is shown

    def show_state(self, state: AlertsState) -> None:
        """Show `state`; what is shown already is left alone."""
        before, self._state = self._state, state
        if state == before:
            return
        self._summary.show_text(state.summary)
        self._summary.setVisible(bool(state.summary.text))
        self._message.show_text(Text(state.message, Tone.DIM))
        self._message.setVisible(bool(state.message))
        if before is None or state.rows != before.rows:
            self._show_rules(state.rows)
        if before is None or state.log != before.log:
            self._show_log(state.log)
        self._show_tabs()
        if state.editor is not None:
            fresh = before is None or before.editor is None
            if fresh:
                self._editor = self._new_editor()
            self.editor.show_state(state.editor)
            if fresh:
                self._show_tab(_RULES)
                self.editor.subject.setFocus(Qt.FocusReason.OtherFocusReason)
        elif before is not None and before.editor is not None:
            self._show_tab(_RULES)
            self._focus_chosen()
        self._enable()

    def _show_rules(self, rows: tuple[RuleRow, ...]) -> None:
        lines = [line for line in self._rules.lines if isinstance(line, _RuleLine)]
        if [line.row.key for line in lines if line.row is not None] == [row.key for row in rows]:
            for line, row in zip(lines, rows, strict=True):
                line.show_row(row)
            return
        had = any(line.hasFocus() for line in lines)
        made = [_RuleLine(row) for row in rows]
        for line in made:
            line.set_theme(self._theme)
            line.focused.connect(lambda line=line: self._choose(line))
            line.opened.connect(self._open_chosen)
            line.key_pressed.connect(lambda event, line=line: self._rule_key(line, event))
        self._rules.show_lines(made)
        if self._chosen not in {row.key for row in rows}:
            self._chosen = rows[-1].key if rows else 0
        if had:
            self._focus_chosen()

    def _show_log(self, rows: tuple[LogRow, ...]) -> None:
        had = next((n for n, line in enumerate(self._log.lines) if line.hasFocus()), None)
        made = [_LogLine(row) for row in rows]
        for line in made:
            line.set_theme(self._theme)
            line.focused.connect(lambda line=line: setattr(self, "_log_chosen", line.row.key))
            line.key_pressed.connect(lambda event, line=line: self._log_key(line, event))
        self._log.show_lines(made)
        self._nothing.setVisible(not rows)
        if had is not None and made:
            made[min(had, len(made) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_tabs(self) -> None:
        unseen = 0 if self._state is None else self._state.unseen
        log = f"Log {unseen}" if unseen else "Log"
        why = f"{unseen} not seen yet" if unseen else "What fired"
        self._tabs.show_choices(
            (Choice(_RULES, "Rules", self._tab == _RULES), Choice(_LOG, log, self._tab == _LOG, why=why))
        )

    def _show_tab(self, key: str) -> None:
        self._tab = key
        self._show_tabs()
        editing = self._state is not None and self._state.editor is not None
        self._pages.setCurrentIndex(1 if key == _LOG else 2 if editing else 0)

    def show_log(self) -> None:
        """Bring the log to the front."""
        self._show_tab(_LOG)

    def _enable(self) -> None:
        row = self._chosen_row()
        for button in (self._edit, self._snooze, self._switch, self._delete):
            button.setEnabled(row is not None)
        if row is not None:
            self._switch.setText("Off" if row.enabled else "On")
            self._snooze.setText("Wake" if row.snoozed else "Snooze")
        self._delete.setText("Delete?" if row is not None and self._confirm == row.key else "Delete")
        has_log = bool(self._log.lines)
        self._seen.setEnabled(has_log)
        self._all_seen.setEnabled(self._state is not None and self._state.unseen > 0)

    @override
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        if self._editor is not None:
            self._editor.set_theme(theme)
        for line in (*self._rules.lines, *self._log.lines):
            line.set_theme(theme)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(320, 160)

    @property
    def editor(self) -> _Editor:
        """The editor, once it was opened; it is not made before."""
        assert self._editor is not None
        return self._editor

    # What the user does

    def rule(self, key: int) -> QWidget:
        """Return the row of a rule."""
        return next(
            one for one in self._rules.lines if isinstance(one, _RuleLine) and one.row and one.row.key == key
        )

    def open_new(self) -> None:
        """Open the editor on a new rule."""
        self.typed.emit(_FRESH_FORM)

    def _chosen_row(self) -> RuleRow | None:
        rows = () if self._state is None else self._state.rows
        return next((row for row in rows if row.key == self._chosen), None)

    def _choose(self, line: _RuleLine) -> None:
        if line.row is not None and line.row.key != self._chosen:
            self._chosen, self._confirm = line.row.key, 0
        self._enable()

    def _focus_chosen(self) -> None:
        lines = [one for one in self._rules.lines if isinstance(one, _RuleLine) and one.row is not None]
        here = next((one for one in lines if one.row is not None and one.row.key == self._chosen), None)
        (here or self.add).setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_chosen(self) -> None:
        row = self._chosen_row()
        if row is not None:
            self.typed.emit(row.form)

    def _switch_chosen(self) -> None:
        row = self._chosen_row()
        if row is not None:
            self.asked.emit(RuleAct(Act.OFF if row.enabled else Act.ON, row.key))

    def _snooze_chosen(self) -> None:
        row = self._chosen_row()
        if row is None:
            return
        if row.snoozed:
            self.asked.emit(RuleAct(Act.WAKE, row.key))
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, minutes in _SNOOZES:
            act = RuleAct(Act.SNOOZE, row.key, minutes)
            menu.addAction(words).triggered.connect(lambda _=False, act=act: self.asked.emit(act))
        menu.popup(self._snooze.mapToGlobal(self._snooze.rect().bottomLeft()))

    def _delete_chosen(self) -> None:
        """The first time asks, the second deletes: the button says so meanwhile."""
        row = self._chosen_row()
        if row is None:
            return
        if self._confirm != row.key:
            self._confirm = row.key
            self._enable()
            return
        self._confirm = 0
        self.asked.emit(RuleAct(Act.DELETE, row.key))

    def _rule_key(self, line: _RuleLine, event: QKeyEvent) -> None:
        row = line.row
        if row is None:
            return
        acts: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Return: self._open_chosen,
            Qt.Key.Key_Enter: self._open_chosen,
            Qt.Key.Key_Space: self._switch_chosen,
            Qt.Key.Key_S: self._snooze_chosen,
            Qt.Key.Key_Delete: self._delete_chosen,
            Qt.Key.Key_Insert: self.open_new,
            Qt.Key.Key_Up: lambda: self._rules.move(line, -1),
            Qt.Key.Key_Down: lambda: self._rules.move(line, 1),
        }
        if row.snoozed:
            acts[Qt.Key.Key_W] = self._snooze_chosen
        act = acts.get(Qt.Key(event.key()))
        if act is not None:
            event.accept()
            act()

    def _log_key(self, line: _LogLine, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            event.accept()
            self.asked.emit(RuleAct(Act.SEEN, line.row.key))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.accept()
            self._log.move(line, -1 if key == Qt.Key.Key_Up else 1)

    def _see_chosen(self) -> None:
        lines = [line for line in self._log.lines if isinstance(line, _LogLine)]
        here = next((line for line in lines if line.row.key == self._log_chosen and not line.row.seen), None)
        here = here or next((line for line in lines if not line.row.seen), None)
        if here is not None:
            self.asked.emit(RuleAct(Act.SEEN, here.row.key))

    def _see_all(self) -> None:
        self.asked.emit(RuleAct(Act.SEEN, 0))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Insert:
            self.open_new()
        else:
            super().keyPressEvent(event)
