"""Small dialogs of the window: shortcuts, as-of, about, results of an import."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.market.known import UserError
from desktop.market.sessions import parse_as_of
from desktop.version import VERSION


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
    ]
    lines = "".join(
        f"<tr><td><b>{html.escape(k)}</b>&nbsp;&nbsp;</td><td>{html.escape(t)}</td></tr>" for k, t in rows
    )
    _text(parent, "Keyboard shortcuts", f"<table cellspacing=4>{lines}</table>")


def about(parent: QWidget) -> None:
    """Version, licence, and what the data may be used for."""
    _text(
        parent,
        "About Rotation Monitor",
        f"<h3>Rotation Monitor {VERSION}</h3>"
        "<p>Watches one idea: long Russell 2000, short Nasdaq-100.</p>"
        "<p>Quotes and history come from Yahoo through yfinance. Yahoo's API is meant for personal use: "
        "each person runs an own copy, nothing is bundled and nothing is relayed. Prices may be late or wrong; "
        "their age is shown beside them.</p>"
        "<p>Nothing here is advice to trade. MIT licence; the font is Inter, SIL Open Font Licence.</p>",
    )


def ask_as_of(parent: QWidget, shown: datetime | None) -> datetime | None:
    """Ask for the moment to show; None when the user gave up. A wrong entry is told in place."""
    dialog, column = _dialog(parent, "As of")
    column.addWidget(
        QLabel("Show what was known then: a date (end of that day in New York), or an ISO time with zone")
    )
    entry = QLineEdit("" if shown is None else shown.astimezone(UTC).isoformat(timespec="minutes"))
    entry.setPlaceholderText("2024-07-11   or   2024-07-11T10:30-04:00")
    entry.setAccessibleName("Moment to show")
    wrong = QLabel()
    wrong.setProperty("error", True)
    wrong.setWordWrap(True)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    for widget in (entry, wrong, buttons):
        column.addWidget(widget)
    chosen: list[datetime] = []

    def accept() -> None:
        try:
            moment = parse_as_of(entry.text().strip())
        except UserError as error:
            wrong.setText(str(error))
            return
        if moment > datetime.now(UTC):
            wrong.setText("that lies in the future: nothing is known of it yet")
            return
        chosen.append(moment)
        dialog.accept()

    buttons.accepted.connect(accept)
    buttons.rejected.connect(dialog.reject)
    dialog.exec()
    dialog.deleteLater()
    return chosen[0] if chosen else None


def show_lines(parent: QWidget, title: str, lines: Iterable[str]) -> None:
    """Show plain lines that can be copied, e.g. the result of an import."""
    dialog, column = _dialog(parent, title)
    box = QPlainTextEdit("\n".join(lines))
    box.setReadOnly(True)
    box.setAccessibleName(title)
    column.addWidget(box)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    dialog.resize(760, 320)
    dialog.exec()
    dialog.deleteLater()
