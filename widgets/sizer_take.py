"""Buttons under the sizer: named set-ups, the ticket as text, the orders as a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSaveFile, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QWidget,
)

from widgets.states import Offer, OrdersState, SetupAsked, SetupsState

_COPIED_FOR_MS, _HIGH = 1500, 24
_FILTER = "Comma-separated values (*.csv)"


class SetupsButton(QPushButton):
    """A menu of the named set-ups: load, save, rename, delete."""

    asked = Signal(object)
    """One SetupAsked."""

    def __init__(self) -> None:
        super().__init__("Set-ups")
        self.setFixedHeight(_HIGH)
        self._state: SetupsState | None = None
        self.setToolTip("Named set-ups of all fields: load, save, rename, delete")
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.show_state(SetupsState())

    def show_state(self, state: SetupsState) -> None:
        """Show `state`; nothing happens when it is shown already, or while the menu is open."""
        if state == self._state or self._menu.isVisible():
            return
        self._state = state
        short = state.current if len(state.current) <= 12 else f"{state.current[:11]}…"
        self.setText(f"{_shown(short)}{' •' if state.changed else ''}" if short else "Set-ups")
        said = f"Set-ups, now {state.current}{', changed since' if state.changed else ''}"
        self.setAccessibleName(said if state.current else "Set-ups")
        menu = self._menu
        menu.clear()
        for name in state.names:
            action = self._add(menu, _shown(name), SetupAsked("load", name))
            action.setCheckable(True)
            action.setChecked(name == state.current and not state.changed)
        if state.names:
            menu.addSeparator()
        save = QAction("Save as…", menu)
        save.triggered.connect(self._save)
        menu.addAction(save)
        if state.current and state.changed:
            self._add(menu, f"Save “{_shown(state.current)}” again", SetupAsked("save", state.current))
        renaming, deleting = menu.addMenu("Rename"), menu.addMenu("Delete")
        for name in state.names:
            rename = QAction(_shown(name), renaming)
            rename.triggered.connect(lambda _=False, name=name: self._rename(name))
            renaming.addAction(rename)
            delete = QAction(_shown(name), deleting)
            delete.triggered.connect(lambda _=False, name=name: self._delete(name))
            deleting.addAction(delete)
        for sub in (renaming, deleting):
            sub.setEnabled(bool(state.names))
        if state.note:
            menu.addSeparator()
            note = QAction(state.note, menu)
            note.setEnabled(False)
            menu.addAction(note)

    def _add(self, menu: QMenu, words: str, asked: SetupAsked) -> QAction:
        action = QAction(words, menu)
        action.triggered.connect(lambda: self.asked.emit(asked))
        menu.addAction(action)
        return action

    def _name(self, title: str, text: str) -> str:
        name, accepted = QInputDialog.getText(self, title, "Name of the set-up", QLineEdit.EchoMode.Normal, text)
        return " ".join(name.split()) if accepted else ""

    def _save(self) -> None:
        assert self._state is not None
        name = self._name("Save set-up", self._state.current)
        known = name in self._state.names and name != self._state.current
        if name and (not known or self._sure("Save set-up", f"“{name}” is there already. Replace it?")):
            self.asked.emit(SetupAsked("save", name))

    def _rename(self, name: str) -> None:
        new = self._name("Rename set-up", name)
        if new and new != name:
            self.asked.emit(SetupAsked("rename", name, new))

    def _delete(self, name: str) -> None:
        if self._sure("Delete set-up", f"Delete “{name}”? It cannot be brought back."):
            self.asked.emit(SetupAsked("delete", name))

    def _sure(self, title: str, words: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self, title, words, yes | no, no) is yes


class TakeAway(QWidget):
    """Copies the orders as text, and writes them to a file: never silently on prices that are not live."""

    copied = Signal(str)
    """The text that is on the clipboard now."""
    saved = Signal(str)
    """The path of the file that was written."""

    def __init__(self) -> None:
        super().__init__()
        self._orders: OrdersState | None = None
        self._what = "ticket"
        self.copy = QPushButton("Copy ticket")
        self.copy.setEnabled(False)
        self.copy.clicked.connect(self._copy)
        self.export = QPushButton("Export")
        self.export.setEnabled(False)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.export.setMenu(self._menu)
        self._copied_for = QTimer(self, singleShot=True, interval=_COPIED_FOR_MS)
        self._copied_for.timeout.connect(lambda: self.copy.setText(f"Copy {self._what}"))
        for button in (self.copy, self.export):
            button.setFixedHeight(_HIGH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.copy)
        row.addWidget(self.export)

    def show_orders(self, orders: OrdersState | None, what: str) -> None:
        """Offer `orders`; `what` names them: ticket, hedge."""
        if what != self._what:
            self._what = what
            self._copied_for.stop()
            self.copy.setText(f"Copy {what}")
        if orders == self._orders:
            return
        before, self._orders = self._orders, orders
        usable = orders is not None and bool(orders.ticket)
        self.copy.setEnabled(usable)
        self.copy.setToolTip("As text, for a chat; it tells when the prices were made")
        self.export.setEnabled(usable)
        self.export.setToolTip((orders.refused if orders else "") or "Orders as a file for a broker or an OMS")
        if self._menu.isVisible() or orders is None:
            return
        if before is None or _shape(before) != _shape(orders) or not self._menu.actions():
            self._fill(orders)

    def _fill(self, orders: OrdersState) -> None:
        self._menu.clear()
        if orders.refused:
            action = QAction(f"No file: {orders.refused}", self._menu)
            action.setEnabled(False)
            self._menu.addAction(action)
        for one in orders.offers:
            action = QAction(f"{one.label}…", self._menu)
            action.triggered.connect(lambda _=False, key=one.key: self._save(key))
            self._menu.addAction(action)
        text = QAction("As text to the clipboard", self._menu)
        text.triggered.connect(self._copy)
        self._menu.addAction(text)

    def _copy(self) -> None:
        if self._orders is None or not self._orders.ticket:
            return
        QGuiApplication.clipboard().setText(self._orders.ticket)
        self.copy.setText("Copied")
        self._copied_for.start()
        self.copied.emit(self._orders.ticket)

    def _save(self, key: str) -> None:
        """Write what was offered at the click: later prices do not slip in while a question stands."""
        orders = self._orders
        offer = next((one for one in orders.offers if one.key == key), None) if orders is not None else None
        if orders is None or offer is None or (orders.confirm and not self._sure(orders.confirm)):
            return
        path, _ = QFileDialog.getSaveFileName(self, "Export orders", offer.file_name, _FILTER)
        if path and self._write(offer, path):
            self.saved.emit(path)

    def _sure(self, doubts: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        words = f"These prices are not live:\n\n{doubts}\n\nWrite the orders all the same?"
        return QMessageBox.warning(self, "Export orders", words, yes | no, no) is yes

    def _write(self, offer: Offer, path: str) -> bool:
        file, data = QSaveFile(path), offer.text.encode()
        if file.open(QSaveFile.OpenModeFlag.WriteOnly) and file.write(data) == len(data) and file.commit():
            return True
        why = f"{Path(path).name} was not written: {file.errorString()}. Choose another place."
        QMessageBox.warning(self, "Export orders", why)
        return False


def _shape(orders: OrdersState) -> tuple[object, ...]:
    return orders.refused, tuple((one.key, one.label) for one in orders.offers)


def _shown(name: str) -> str:
    """The name as Qt shows it: a single & would mark a shortcut."""
    return name.replace("&", "&&")
