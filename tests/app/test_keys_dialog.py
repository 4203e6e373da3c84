"""The dialog for vendor keys as a person uses it: paste, save, test, delete; where it is kept; what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from keyring.backends import fail
from keyring.errors import KeyringLocked
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

from desktop.credentials import SERVICE, Credentials, Kept, Key
from desktop.keys_dialog import KeysDialog
from desktop.market.known import Unknown
from desktop.qt import make_qt
from tests.sources.alpaca_server import FRED_KEY, KEY_ID, SECRET, AlpacaServer, trade
from tests.test_credentials import Ring
from widgets import theme

PATIENCE_MS = 6_000
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    from datetime import UTC, datetime

    with AlpacaServer() as one:
        one.trades = {"IWM": trade(205.31, datetime(2024, 7, 11, 14, 30, tzinfo=UTC))}
        yield one


class Hands:
    """The dialog, and what a person does with it."""

    def __init__(self, qtbot, keys: Credentials, server: AlpacaServer) -> None:
        self.qtbot, self.keys = qtbot, keys
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.dialog = KeysDialog(self.parent, keys, theme.DARK, server.session)
        self.changes: list[str] = []
        self.dialog.changed.connect(self.changes.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.show()
            self.dialog.activateWindow()

    def field(self, name: str) -> QLineEdit:
        return next(one for one in self.dialog.findChildren(QLineEdit) if one.accessibleName() == name)

    def paste(self, name: str, text: str) -> None:
        QApplication.clipboard().setText(text)
        self.press(f"Paste the {name}")

    def press(self, name: str) -> None:
        button = next(one for one in self.dialog.findChildren(QPushButton) if one.accessibleName() == name)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def said(self, name: str) -> str:
        return next(one.text() for one in self.dialog.findChildren(QLabel) if one.accessibleName() == name)

    def until(self, name: str, start: str) -> str:
        self.qtbot.waitUntil(lambda: self.said(name).startswith(start), timeout=PATIENCE_MS)
        return self.said(name)

    def shown(self) -> str:
        """Everything that can be read off the screen or by a screen reader."""
        told = [one.text() for one in self.dialog.findChildren(QLabel)]
        told += [one.displayText() + one.placeholderText() for one in self.dialog.findChildren(QLineEdit)]
        told += [one.accessibleName() + one.toolTip() for one in self.dialog.findChildren(QLabel)]
        return " ".join(told)


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def hands(qtbot, qapp, server, ring) -> Hands:
    make_qt()
    return Hands(qtbot, Credentials(5.0, lambda: ring), server)


OF_ALPACA, OF_FRED = "Result for Alpaca", "Result for FRED"
WHERE = "Where the key of Alpaca is kept"


def test_paste_test_save_and_delete(hands, ring, server):
    hands.until(WHERE, "no key")
    hands.paste("Key ID of Alpaca", f" {KEY_ID}\n")
    hands.paste("Secret key of Alpaca", SECRET)
    hands.press("Test the key of Alpaca")
    assert hands.until(OF_ALPACA, "works") == "works: IWM 205.31, traded Thu 11 Jul 10:30 ET"
    assert len(server.requests) == 1  # asked once
    assert ring.held == {}  # a test keeps nothing
    hands.press("Save the key of Alpaca")
    hands.until(OF_ALPACA, "saved in the system's keyring")
    assert hands.said(WHERE) == "in the system's keyring"
    assert ring.held == {(SERVICE, "alpaca-key-id"): KEY_ID, (SERVICE, "alpaca-secret"): SECRET}
    assert hands.field("Secret key of Alpaca").text() == ""
    assert hands.field("Secret key of Alpaca").placeholderText() == "kept; another one replaces it"
    assert hands.changes == ["alpaca"]
    hands.press("Test the key of Alpaca")  # of what is kept
    hands.until(OF_ALPACA, "works")
    hands.press("Delete the key of Alpaca")
    hands.until(OF_ALPACA, "deleted")
    assert (hands.said(WHERE), ring.held) == ("no key", {})
    assert hands.changes == ["alpaca", "alpaca"]


def test_a_value_is_never_shown(hands):
    for name, value in (
        ("Key ID of Alpaca", KEY_ID),
        ("Secret key of Alpaca", SECRET),
        ("API key of FRED", FRED_KEY),
    ):
        hands.paste(name, value)
        assert hands.field(name).echoMode() is QLineEdit.EchoMode.Password
        assert value not in hands.shown()
    hands.press("Save the key of Alpaca")
    hands.until(OF_ALPACA, "saved")
    assert SECRET not in hands.shown()
    assert KEY_ID not in hands.shown()


def test_fred_is_asked_once_and_says_yes_or_no(hands, server):
    hands.paste("API key of FRED", "0" * 32)
    hands.press("Test the key of FRED")
    assert hands.until(OF_FRED, "key refused") == "key refused: HTTP status 400. Cure: enter the right one"
    hands.paste("API key of FRED", FRED_KEY)
    hands.press("Test the key of FRED")
    hands.until(OF_FRED, "works: FRED accepts the key")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ((401, "application/json", b"{}"), "key refused: Alpaca refused this key (HTTP status 401)."),
        ((403, "application/json", b"{}"), "key refused: Alpaca refused this key (HTTP status 403)."),
        ((429, "application/json", b"{}"), "too many requests: the host asked for fewer requests."),
        ((500, "application/json", b"{}"), "unusable answer: HTTP status 500."),
        ((200, "text/html", b"<html>sign in</html>"), "unusable answer: a web page came in place of data"),
        ((200, "application/json", b""), "works: the key is accepted; no trade was there"),
    ],
)
def test_what_the_vendor_answers_is_told_in_place(hands, server, fault, told):
    server.fault = fault
    hands.paste("Key ID of Alpaca", KEY_ID)
    hands.paste("Secret key of Alpaca", SECRET)
    hands.press("Test the key of Alpaca")
    said = hands.until(OF_ALPACA, told)
    assert SECRET not in said


def test_what_can_be_no_key_is_marked_in_its_field(hands, ring, server):
    hands.paste("Key ID of Alpaca", "two words")
    hands.press("Save the key of Alpaca")
    assert hands.said(OF_ALPACA).startswith("this is no key")
    assert hands.field("Key ID of Alpaca").property("error") is True
    hands.press("Test the key of Alpaca")
    assert (ring.held, server.requests) == ({}, [])
    hands.qtbot.keyClicks(hands.field("Key ID of Alpaca"), "x")
    assert hands.field("Key ID of Alpaca").property("error") is False


def test_half_a_key_is_kept_and_the_other_half_asked_for(hands):
    hands.press("Save the key of Alpaca")
    assert hands.said(OF_ALPACA) == "nothing was entered"
    hands.paste("Key ID of Alpaca", KEY_ID)
    hands.press("Save the key of Alpaca")
    assert hands.until(OF_ALPACA, "saved").endswith("still missing: Secret key")
    hands.press("Test the key of Alpaca")
    assert hands.said(OF_ALPACA) == "nothing to test: Secret key is missing"


def test_the_keyboard_does_all_of_it(hands):
    field = hands.field("Key ID of Alpaca")
    assert field.hasFocus()
    hands.qtbot.keyClicks(field, KEY_ID)
    hands.qtbot.keyClick(field, Qt.Key.Key_Tab)
    hands.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert hands.field("Secret key of Alpaca").hasFocus()
    hands.qtbot.keyClicks(QApplication.focusWidget(), SECRET)
    hands.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)  # saves; closes nothing
    hands.until(OF_ALPACA, "saved")
    assert hands.dialog.isVisible()
    hands.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not hands.dialog.isVisible()


def test_no_back_end_is_said_and_the_key_lasts_for_this_run(qtbot, qapp, server):
    hands = Hands(qtbot, Credentials(5.0, fail.Keyring), server)
    hands.until(WHERE, "no key: no keyring back end on this system")
    hands.paste("API key of FRED", FRED_KEY)
    hands.press("Save the key of FRED")
    told = hands.until(OF_FRED, "kept for this run only")
    assert told == "kept for this run only: no keyring back end on this system"
    assert hands.keys.get(Key.FRED) == FRED_KEY
    hands.press("Delete the key of FRED")
    hands.until(OF_FRED, "deleted")
    assert isinstance(hands.keys.get(Key.FRED), Unknown)


def test_a_locked_keyring_is_said_and_read_when_the_dialog_opens_again(hands, ring, qtbot, server):
    hands.until(WHERE, "no key")
    locked = Ring()
    locked.held[SERVICE, "fred"] = FRED_KEY
    locked.error = KeyringLocked()
    keys = Credentials(5.0, lambda: locked)
    first = Hands(qtbot, keys, server)
    first.until(WHERE, "not read yet: the keyring is locked: unlock it")
    locked.error = None
    second = Hands(qtbot, keys, server)
    second.qtbot.waitUntil(lambda: keys.state(Key.FRED).kept is Kept.KEYRING, timeout=PATIENCE_MS)
    second.until("Where the key of FRED is kept", "in the system's keyring")


def test_a_prompt_that_waits_never_blocks_the_window_nor_a_second_click(qtbot, qapp, server):
    ring = Ring()
    ring.gate = threading.Event()
    hands = Hands(qtbot, Credentials(1.5, lambda: ring), server)
    hands.paste("API key of FRED", FRED_KEY)
    hands.press("Save the key of FRED")
    assert hands.said(OF_FRED) == "saving …"
    hands.press("Delete the key of FRED")  # one thing at a time
    hands.until(OF_FRED, "kept for this run only")
    ring.gate.set()
    assert hands.keys.get(Key.FRED) == FRED_KEY


def test_an_answer_after_the_dialog_was_closed_is_dropped(qtbot, qapp, server):
    server.fault = "hang"
    hands = Hands(qtbot, Credentials(5.0, fail.Keyring), server)
    hands.paste("Key ID of Alpaca", KEY_ID)
    hands.paste("Secret key of Alpaca", SECRET)
    hands.press("Test the key of Alpaca")
    qtbot.waitUntil(lambda: bool(server.requests), timeout=PATIENCE_MS)
    hands.dialog.close()
    hands.dialog.deleteLater()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    server.released.set()
    threads = [one for one in threading.enumerate() if one.name == "keys"]
    for one in threads:
        one.join(5)
    assert not any(one.is_alive() for one in threads)


def test_everything_has_a_name(hands):
    for one in (*hands.dialog.findChildren(QPushButton), *hands.dialog.findChildren(QLineEdit)):
        assert one.accessibleName() or one.text(), one
