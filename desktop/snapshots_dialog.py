"""The list of snapshots: look, open in the time machine, note, export, import, delete; all of it by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop.market.known import UserError
from desktop.snapshot import Mode
from desktop.snapshot_files import MOST_NOTE, when
from desktop.snapshots import Album, Saved
from widgets.parts import Label
from widgets.states import Text, Tone
from widgets.theme import Theme

_COLUMNS = ("Moment (New York)", "Of", "Note", "From")
_OF = {Mode.LIVE: "live", Mode.AS_OF: "as of", Mode.DEMO: "demo"}
_FILES = "Zip (*.zip);;Page (*.html)"
_KEYS = "Enter opens · F2 note · Del deletes · Ctrl+E exports · Ctrl+O imports · Esc closes"


class SnapshotsDialog(QDialog):
    """Every snapshot of the data folder, the latest moment first, with the picture of the chosen one."""

    opened = Signal(object)
    """Saved: to be shown in the time machine."""

    def __init__(self, parent: QWidget, album: Album, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Snapshots")
        self._album, self._theme = album, theme
        self._rows: tuple[Saved, ...] = ()
        self._pixmap = QPixmap()
        column = QVBoxLayout(self)
        column.setSpacing(8)
        body = QHBoxLayout()
        body.setSpacing(10)
        self._table = self._make_table()
        body.addWidget(self._table, 5)
        body.addLayout(self._make_side(), 6)
        column.addLayout(body, 1)
        column.addWidget(self._make_question())
        self._told = self._label("What happened", wrap=True)
        column.addWidget(self._told)
        column.addLayout(self._make_buttons())
        hint = self._label("Keys")
        hint.show_text(Text(_KEYS, Tone.DIM))
        column.addWidget(hint)
        for keys, do in (
            ("F2", self._edit_note),
            ("Ctrl+E", self._ask_where),
            ("Ctrl+O", self._ask_which),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(do)
        self.resize(1060, 560)
        self.fill()
        self._table.setFocus()

    # How it is built

    def _label(self, name: str, *, wrap: bool = False) -> Label:
        made = Label(12, wrap=wrap, name=name)
        made.set_theme(self._theme)
        return made

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(_COLUMNS))
        table.setAccessibleName("Snapshots")
        table.setHorizontalHeaderLabels(list(_COLUMNS))
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        head = table.horizontalHeader()
        for number in (0, 1, 3):
            head.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.currentCellChanged.connect(lambda *_: self._show_chosen())
        table.itemDoubleClicked.connect(lambda _: self._open())
        return table

    def _make_side(self) -> QVBoxLayout:
        side = QVBoxLayout()
        self._picture = QLabel()
        self._picture.setAccessibleName("Picture of the chosen snapshot")
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setMinimumSize(360, 225)
        side.addWidget(self._picture, 1)
        row = QHBoxLayout()
        caption = QLabel("Note")
        self._note = QLineEdit()
        self._note.setAccessibleName("Note of the chosen snapshot")
        self._note.setMaxLength(MOST_NOTE)
        self._note.editingFinished.connect(self._keep_note)
        caption.setBuddy(self._note)
        row.addWidget(caption)
        row.addWidget(self._note, 1)
        side.addLayout(row)
        return side

    def _make_question(self) -> QWidget:
        self._question = QWidget()
        row = QHBoxLayout(self._question)
        row.setContentsMargins(0, 0, 0, 0)
        self._asked = self._label("Question")
        row.addWidget(self._asked, 1)
        self._yes = self._button("Delete it", self._delete)
        self._no = self._button("Keep it", self._keep)
        row.addWidget(self._yes)
        row.addWidget(self._no)
        self._question.hide()
        return self._question

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._acts = [
            self._button("Open in the time machine", self._open),
            self._button("Export…", self._ask_where),
            self._button("Delete…", self._ask_delete),
        ]
        for one in self._acts:
            row.addWidget(one)
        row.addStretch(1)
        row.addWidget(self._button("Import…", self._ask_which))
        row.addWidget(self._button("Close", self.reject))
        return row

    def _button(self, text: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: do())
        return button

    # What is shown

    def fill(self, chosen: int | None = None) -> None:
        """Read the list anew; the snapshot of that number is chosen, else the one that is at the same place."""
        place = max(self._table.currentRow(), 0)
        try:
            self._rows = self._album.all()
        except UserError as error:
            self._rows = ()
            self._tell(str(error), Tone.BAD)
        self._table.blockSignals(True)
        self._table.setRowCount(len(self._rows))
        for number, one in enumerate(self._rows):
            gone = self._album.missing(one)
            for at, words in enumerate((when(one.moment), _OF[one.mode], one.note, one.origin or "here")):
                item = QTableWidgetItem(words)
                item.setToolTip(f"{', '.join(gone)}: missing" if gone else words)
                if gone:
                    item.setForeground(self._theme.color(Tone.WARN))
                elif at == 1:
                    item.setForeground(self._theme.color(Tone.GOOD if one.mode is Mode.LIVE else Tone.PAST))
                self._table.setItem(number, at, item)
            if one.number == chosen:
                place = number
        self._table.blockSignals(False)
        if self._rows:
            self._table.setCurrentCell(min(place, len(self._rows) - 1), 0)
        elif not self._told.text():
            self._tell("There is none yet: Ctrl+S in the window saves one, Ctrl+O here imports a colleague's.")
        self._show_chosen()

    @property
    def chosen(self) -> Saved | None:
        """The snapshot the keys act on."""
        row = self._table.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def _show_chosen(self) -> None:
        one = self.chosen
        self._keep()
        for button in (*self._acts, self._note):
            button.setEnabled(one is not None)
        self._note.setText("" if one is None else one.note)
        self._pixmap = QPixmap() if one is None else QPixmap(str(self._album.picture(one)))
        if one is not None and (gone := self._album.missing(one)):
            self._tell(f"{', '.join(gone)}: missing from the folder {self._album.picture(one).parent}", Tone.WARN)
        self._scale()

    def _scale(self) -> None:
        if self._pixmap.isNull():
            self._picture.setPixmap(QPixmap())
            self._picture.setText("" if self.chosen is None else "the picture is missing or damaged")
            return
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        self._picture.setPixmap(self._pixmap.scaled(self._picture.size(), keep, smooth))

    def _tell(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        self._told.show_text(Text(words, tone))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scale()

    # What the user does

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, at_list = event.key(), self._table.hasFocus()
        if key == Qt.Key.Key_Escape and self._question.isVisible():
            self._keep()
            self._table.setFocus()
        elif key == Qt.Key.Key_Escape and self._note.hasFocus():
            self._show_chosen()
            self._table.setFocus()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and at_list:
            self._open()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._note.hasFocus():
            self._table.setFocus()
        elif key == Qt.Key.Key_Delete and at_list:
            self._ask_delete()
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        one = self.chosen
        if one is not None:
            self.accept()
            self.opened.emit(one)

    def _edit_note(self) -> None:
        if self.chosen is not None:
            self._note.setFocus()
            self._note.selectAll()

    def _keep_note(self) -> None:
        one = self.chosen
        if one is None or self._note.text().strip() == one.note:
            return
        if self._tried(lambda: self._album.set_note(one.number, self._note.text())):
            self.fill(one.number)
            self._tell("note kept", Tone.GOOD)

    def _ask_delete(self) -> None:
        one = self.chosen
        if one is not None:
            words = f"Delete the snapshot of {when(one.moment)}: picture, numbers and note?"
            self._asked.show_text(Text(words, Tone.WARN))
            self._question.show()
            self._no.setFocus()

    def _keep(self) -> None:
        self._question.hide()

    def _delete(self) -> None:
        one = self.chosen
        self._keep()
        if one is not None and self._tried(lambda: self._album.delete(one)):
            self._tell(f"deleted: the snapshot of {when(one.moment)}")
            self.fill()
        self._table.setFocus()

    def _ask_where(self) -> None:
        one = self.chosen
        if one is None:
            return
        name, kind = QFileDialog.getSaveFileName(self, "Export the snapshot", f"{one.stem}.zip", _FILES)
        if name:
            path = Path(name)
            self.export(path if path.suffix else path.with_suffix(".html" if "html" in kind else ".zip"))

    def export(self, path: Path) -> None:
        """Write the chosen snapshot for a colleague."""
        one = self.chosen
        if one is not None and self._tried(lambda: self._album.export(one, path)):
            self._tell(f"exported {path}", Tone.GOOD)

    def _ask_which(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import a snapshot", "", "Snapshots (*.zip *.html *.htm)")
        if name:
            self.bring_in(Path(name))

    def bring_in(self, path: Path) -> None:
        """Add a colleague's snapshot and choose it."""
        added: list[Saved] = []
        if self._tried(lambda: added.append(self._album.bring_in(path))):
            self.fill(added[0].number)
            self._tell(f"imported {path.name}", Tone.GOOD)

    def _tried(self, act: Callable[[], object]) -> bool:
        """Do it, or tell by name why it could not be done."""
        try:
            act()
        except (UserError, OSError) as error:
            self._tell(str(error), Tone.BAD)
            return False
        return True
