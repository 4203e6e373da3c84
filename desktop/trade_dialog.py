"""The form of a trade: fills one a line, note, stop and target; says in place what is wrong, and what is odd."""

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
from desktop.trade.journal import doubts, prices_in
from desktop.trade_entry import read
from widgets.states_journal import TradeRow, TradeTyped

_TITLES = {"new": "New trade", "fills": "Add fills or carry", "close": "Close", "edit": "Edit"}
_HINT = (
    "One fill a line, as it was filled; without a time it is now:\n"
    "BUY 19 M2K Sep24 @ 2133.30 fee 11.78\n"
    "SELL 4 MNQ Sep24 @ 20467.25 on 2024-07-11T10:30-04:00 roll\n"
    "CARRY -12.50 borrow"
)


class TradeDialog(QDialog):
    """Asks for a new trade, more lines of one, the lines that close it, or all of it; `typed` is what was entered.

    `form` is what stands in it first, `trade` the one that is changed, `wrong` why the same form was refused.
    """

    def __init__(self, parent: QWidget, form: TradeTyped, trade: TradeRow | None, wrong: str = "") -> None:
        super().__init__(parent)
        self._form = form
        now = datetime.now(UTC)
        self._before = None if trade is None else read(trade.form, None, now)
        self._prices = prices_in(form.lines, now) if trade is None else trade.prices
        self.setWindowTitle(_TITLES[form.action] + (f": {trade.title}" if trade is not None else ""))
        column = QVBoxLayout(self)
        fields = QFormLayout()
        self.note, self.entry, self.beta, self.stop, self.target = (QLineEdit() for _ in range(5))
        for edit, name, text in (
            (self.note, "Note", form.note),
            (self.entry, "NDX/RUT at entry", form.entry),
            (self.beta, "β of RUT on NDX at entry", form.beta),
            (self.stop, "Stop, NDX/RUT", form.stop),
            (self.target, "Target, NDX/RUT", form.target),
        ):
            edit.setText(text)
            edit.setAccessibleName(name)
            edit.textChanged.connect(self._look)
            if form.action in ("new", "edit"):
                fields.addRow(name, edit)
        column.addLayout(fields)
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        self.lines = QPlainTextEdit(form.lines)
        self.lines.setAccessibleName("Fills, one a line")
        self.lines.setTabChangesFocus(True)
        self.lines.textChanged.connect(self._look)
        self.refused, self.wrong = self._complaint(wrong), self._complaint()
        self.odd = QLabel()
        self.odd.setProperty("odd", True)
        self.odd.setWordWrap(True)
        self.odd.setAccessibleName("What is odd")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column.addWidget(self.refused)
        column.addWidget(hint)
        column.addWidget(self.lines, 1)
        for below in (self.wrong, self.odd, self.buttons):
            column.addWidget(below)
        self.resize(600, 420)
        self._look()

    @staticmethod
    def _complaint(words: str = "") -> QLabel:
        made = QLabel(words)
        made.setProperty("error", True)
        made.setWordWrap(True)
        made.setAccessibleName("What is wrong")
        made.setVisible(bool(words))
        return made

    @property
    def typed(self) -> TradeTyped:
        """What was entered."""
        edits = (self.note, self.stop, self.target, self.entry, self.beta)
        texts = (one.text().strip() for one in edits)
        form = self._form
        return TradeTyped(form.action, form.number, form.version, self.lines.toPlainText(), *texts)

    def _look(self) -> None:
        wrong = ""
        odd: tuple[str, ...] = ()
        try:
            after = read(self.typed, self._before, datetime.now(UTC))
        except UserError as error:
            wrong = str(error)
        else:
            odd = doubts(self._before, after, self._prices)
        for label, words in ((self.wrong, wrong), (self.odd, "\n".join(odd))):
            label.setText(words)
            label.setVisible(bool(words))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not wrong)
