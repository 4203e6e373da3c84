"""The form of a trade: fills one a line, note, stop and target; says in place what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.market.known import UserError
from desktop.trade.journal import FillKind, read_level, read_lines
from widgets.states_journal import TradeRow, TradeTyped

KINDS = {"new": FillKind.OPEN, "fills": FillKind.SCALE, "close": FillKind.CLOSE}
_TITLES = {"new": "New trade", "fills": "Add fills", "close": "Close", "levels": "Note and levels"}
_HINT = (
    "One fill a line, as it was filled; without a time it is now:\n"
    "BUY 19 M2K @ 2133.30 fee 11.78\n"
    "SELL 4 MNQ @ 20467.25 on 2024-07-11T10:30-04:00 roll\n"
    "CARRY -12.50 borrow"
)


class TradeDialog(QDialog):
    """Asks for a new trade, more fills of one, or its note and levels; `typed` is what was entered."""

    def __init__(self, parent: QWidget, action: str, trade: TradeRow | None, lines: str, ratio: str = "") -> None:
        """`lines` and `ratio` stand in the form of a new trade."""
        super().__init__(parent)
        self._action, self._trade = action, trade
        self.setWindowTitle(_TITLES[action] + (f": {trade.title}" if trade is not None else ""))
        column = QVBoxLayout(self)
        form = QFormLayout()
        self.note, self.entry, self.stop, self.target = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        for edit, name, text in (
            (self.note, "Note", "" if trade is None else trade.note),
            (self.entry, "NDX/RUT at entry", ratio if trade is None else trade.entry),
            (self.stop, "Stop, NDX/RUT", "" if trade is None else trade.stop),
            (self.target, "Target, NDX/RUT", "" if trade is None else trade.target),
        ):
            edit.setText(text)
            edit.setAccessibleName(name)
            edit.textChanged.connect(self._look)
            if action in ("new", "levels"):
                form.addRow(name, edit)
        column.addLayout(form)
        self.lines = QPlainTextEdit(lines)
        self.lines.setAccessibleName("Fills, one a line")
        self.lines.setTabChangesFocus(True)
        self.lines.textChanged.connect(self._look)
        if action != "levels":
            hint = QLabel(_HINT)
            hint.setWordWrap(True)
            column.addWidget(hint)
            column.addWidget(self.lines, 1)
        self.wrong = QLabel()
        self.wrong.setProperty("error", True)
        self.wrong.setWordWrap(True)
        self.wrong.setAccessibleName("What is wrong")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column.addWidget(self.wrong)
        column.addWidget(self.buttons)
        self.resize(560, 320)
        self._look()

    @property
    def typed(self) -> TradeTyped:
        """What was entered."""
        number, version = (0, 0) if self._trade is None else (self._trade.number, self._trade.version)
        texts = (one.text().strip() for one in (self.note, self.stop, self.target, self.entry))
        return TradeTyped(self._action, number, version, self.lines.toPlainText(), *texts)

    def _look(self) -> None:
        words = ""
        try:
            read_level("stop", self.stop.text())
            read_level("target", self.target.text())
            read_level("ratio at entry", self.entry.text())
            if self._action != "levels":
                fills, carries = read_lines(self.lines.toPlainText(), datetime.now(UTC), KINDS[self._action])
                legs = {one.leg for one in fills}
                if self._action == "new" and fills and len(legs) < 2:
                    words = "a pair trade needs a fill in each leg"
                if not fills and not (carries and self._action == "fills"):
                    words = "no fill yet: write one a line"
        except UserError as error:
            words = str(error)
        self.wrong.setText(words)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not words)
