"""Help about the program itself: the first-run page, and About with versions, licences and changes."""

from __future__ import annotations

import html
import os
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

import resources
from desktop.licences import licences, versions
from desktop.version import VERSION

IDEA = "Watches one idea: long Russell 2000 (RUT), short Nasdaq-100 (NDX)."
TERMS = (
    "Quotes and history come from Yahoo through yfinance. Yahoo's API is meant for personal use: "
    "each person runs an own copy, nothing is bundled and nothing is relayed."
)
HONEST = (
    "Prices may be late, wrong or missing. Their age is shown beside them; what is not known says n/a and why. "
    "Violet marks what is not live now."
)
NO_ADVICE = "Nothing here is advice to trade, and nothing here sends orders."
_ICON_PX = 64


class Welcome(QDialog):
    """The first-run page: what the data is, on whose terms, and where the store lies."""

    def __init__(self, parent: QWidget, folder: Path | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Welcome to Rotation Monitor")
        self._folder = folder
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(_head("Rotation Monitor", IDEA))
        for title, text in (
            ("What you see", HONEST),
            (
                "Where the data comes from",
                f"{TERMS} Official series come from Cboe, the Treasury, the New York Fed, FRED, CFTC, BLS and the "
                "Federal Reserve. The first start fetches years of history: a few minutes, politely. Without a "
                "network the window opens a demo, simulated and marked as such.",
            ),
            (
                "Where your data lies",
                "Store, settings, records and log stay on this computer, in "
                f"{folder if folder is not None else 'memory only'}. Keys of vendors go to the system's keyring, "
                "nowhere else. Nothing is sent to anybody but the sources asked.",
            ),
            ("What it is not", NO_ADVICE),
        ):
            column.addWidget(_paragraph(title, text))
        buttons = QDialogButtonBox()
        start = buttons.addButton("Start", QDialogButtonBox.ButtonRole.AcceptRole)
        start.setDefault(True)
        if folder is not None:
            show = buttons.addButton("Open the data folder", QDialogButtonBox.ButtonRole.ActionRole)
            show.clicked.connect(self._open_folder)
        buttons.accepted.connect(self.accept)
        column.addWidget(buttons)
        self.resize(600, column.heightForWidth(600))

    def _open_folder(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(os.fspath(self._folder)))


class About(QDialog):
    """Versions, licences of everything shipped, and what changed."""

    def __init__(self, parent: QWidget, news: str = "") -> None:
        """`news` tells of a newer version, "" when none is known."""
        super().__init__(parent)
        self.setWindowTitle("About Rotation Monitor")
        column = QVBoxLayout(self)
        column.addLayout(_head(f"Rotation Monitor {VERSION}", IDEA))
        tabs = QTabWidget()
        tabs.setAccessibleName("About")
        tabs.addTab(self._data(news), "The data")
        tabs.addTab(self._versions(), "Versions")
        tabs.addTab(self._licences(), "Licences")
        changes = _changes()
        if changes:
            tabs.addTab(_read_only(changes, "What changed"), "Changes")
        column.addWidget(tabs)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.resize(QSize(680, 480))

    def _data(self, news: str) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        if news:
            column.addWidget(_paragraph("A newer version", news))
        licence = "MIT licence; the font is Inter, SIL Open Font Licence. The tab Licences has every text."
        for title, text in (
            ("Source", TERMS),
            ("Honesty", HONEST),
            ("No advice", NO_ADVICE),
            ("Licence", licence),
        ):
            column.addWidget(_paragraph(title, text))
        column.addStretch(1)
        return page

    def _versions(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        rows = versions()
        text = "\n".join(f"{name:<20} {version}" for name, version in rows)
        cells = "".join(
            f"<tr><td>{html.escape(name)}&nbsp;&nbsp;&nbsp;</td><td>{html.escape(version)}</td></tr>"
            for name, version in rows
        )
        table = QLabel(f"<table cellspacing=3>{cells}</table>")
        table.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        table.setAccessibleName("Versions")
        column.addWidget(table)
        column.addStretch(1)
        copy = QPushButton("Copy versions")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        column.addWidget(copy, 0, Qt.AlignmentFlag.AlignLeft)
        return page

    def _licences(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        parts = licences()
        names = QListWidget()
        names.setAccessibleName("Parts of the program")
        names.addItems([f"{one.name} {one.version}".strip() for one in parts])
        names.setFixedWidth(230)
        text = _read_only("", "Licence")

        def show(index: int) -> None:
            one = parts[index]
            head = "\n".join(part for part in (f"{one.name} {one.version}".strip(), one.licence, one.url) if part)
            text.setPlainText(f"{head}\n\n{one.text}")

        names.currentRowChanged.connect(show)
        names.setCurrentRow(0)
        row.addWidget(names)
        row.addWidget(text, 1)
        return page


def _head(title: str, line: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(16)
    picture = QLabel()
    picture.setPixmap(QIcon(str(resources.path("icon.svg"))).pixmap(_ICON_PX, _ICON_PX))
    row.addWidget(picture)
    words = QLabel(f"<h2>{html.escape(title)}</h2><p>{html.escape(line)}</p>")
    words.setWordWrap(True)
    row.addWidget(words, 1)
    return row


def _paragraph(title: str, text: str) -> QLabel:
    label = QLabel(f"<b>{html.escape(title)}</b><br>{html.escape(text)}")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _read_only(text: str, name: str) -> QPlainTextEdit:
    box = QPlainTextEdit(text)
    box.setReadOnly(True)
    box.setAccessibleName(name)
    box.setTabChangesFocus(True)
    return box


def _changes() -> str:
    for folder in (resources.path(".").parent, resources.path(".").parents[1]):
        page = folder / "CHANGELOG.md"
        if page.is_file():
            return page.read_text(encoding="utf-8")
    return ""
