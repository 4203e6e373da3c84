"""Small dialogs of the window: shortcuts, results of an import."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

_PICTURE_PX = 736
"""Width of a picture below lines: that of the lines."""


def _dialog(parent: QWidget, title: str) -> tuple[QDialog, QVBoxLayout]:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    return dialog, QVBoxLayout(dialog)


def _text(parent: QWidget, title: str, rich: str) -> None:
    dialog, column = _dialog(parent, title)
    label = QLabel(rich)
    label.setWordWrap(True)
    label.setMinimumWidth(420)
    label.setOpenExternalLinks(True)
    column.addWidget(label)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    dialog.exec()
    dialog.deleteLater()


def shortcuts(parent: QWidget, actions: Iterable[QAction]) -> None:
    """List what the keyboard can do; made from the actions themselves, so it is never out of date."""
    native = QKeySequence.SequenceFormat.NativeText
    rows = [(one.shortcut().toString(native), one.text()) for one in actions if not one.shortcut().isEmpty()]
    rows += [
        ("F10", "Menu"),
        ("Tab, Shift+Tab", "Next, previous control"),
        ("Left, Right", "In a chart: pan; in a row of buttons: choose"),
        ("+, −, Home", "In a chart: zoom in, zoom out, reset"),
        ("Enter, Space, S, Delete", "On an alert: edit, off or on, snooze, delete; Insert adds one"),
        ("Esc", "In a field of the sizer: back to the last good value"),
        ("Shift+Esc", "In a field of the sizer: back to the market's value"),
        ("Ctrl+PgUp, Ctrl+PgDown", "In the sizer: turn its pages"),
    ]
    lines = "".join(
        f"<tr><td><b>{html.escape(k)}</b>&nbsp;&nbsp;</td><td>{html.escape(t)}</td></tr>" for k, t in rows
    )
    _text(parent, "Keyboard shortcuts", f"<table cellspacing=4>{lines}</table>")


def sure(parent: QWidget, question: str) -> bool:
    """Ask before something is taken away."""
    answer = QMessageBox.question(parent, "Rotation Monitor", question)
    return answer is QMessageBox.StandardButton.Yes


def show_lines(parent: QWidget, title: str, lines: Iterable[str], picture: Path | None = None) -> None:
    """Show plain lines that can be copied, e.g. the result of an import, and a picture below them."""
    dialog, column = _dialog(parent, title)
    box = QPlainTextEdit("\n".join(lines))
    box.setReadOnly(True)
    box.setAccessibleName(title)
    column.addWidget(box)
    dialog.resize(760, 320)
    if picture is not None:
        shown = QLabel()
        shown.setPixmap(
            QPixmap(str(picture)).scaledToWidth(_PICTURE_PX, Qt.TransformationMode.SmoothTransformation)
        )
        shown.setAccessibleName("The window at entry")
        column.addWidget(shown)
        dialog.resize(760, 640)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    dialog.exec()
    dialog.deleteLater()
