"""Ctrl+S, the note, and the list of snapshots, as a person uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QTableWidget, QWidget

from desktop.qt import make_qt
from desktop.refreshes import Answer, Outcome, Refresh
from desktop.refreshes_dialog import RefreshesDialog
from desktop.snapshot import Mode
from desktop.snapshots import Album
from desktop.snapshots_dialog import SnapshotsDialog
from tests.app.rig import button, fill, mode, words
from tests.test_snapshots import WHOLE
from widgets import theme
from widgets.note_bar import NoteBar, NoteTyped
from widgets.states import Text

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform
CLOSE = datetime(2024, 7, 9, 20, 0, tzinfo=UTC)


def edit(widget: QWidget, name: str) -> QLineEdit:
    return next(one for one in widget.findChildren(QLineEdit) if one.accessibleName() == name)


# The line for the note


@pytest.fixture
def bar(qtbot, qapp) -> Iterator[NoteBar]:
    make_qt()
    parent = QWidget()
    made = NoteBar(parent)
    qtbot.addWidget(parent)
    with qtbot.waitActive(parent):
        parent.show()
        parent.activateWindow()
    yield made
    parent.close()


def heard(bar: NoteBar) -> list[NoteTyped]:
    told: list[NoteTyped] = []
    bar.typed.connect(told.append)
    return told


def test_enter_keeps_the_note_and_the_line_goes_away(bar, qtbot):
    told = heard(bar)
    bar.ask(7, Text("Saved"))
    qtbot.keyClicks(QApplication.focusWidget(), "  cool CPI ")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert told == [NoteTyped(7, "cool CPI")]
    assert not bar.isVisible()


def test_escape_and_an_empty_line_keep_nothing(bar, qtbot):
    told = heard(bar)
    bar.ask(7, Text("Saved"))
    qtbot.keyClicks(QApplication.focusWidget(), "never mind")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    bar.ask(8, Text("Saved"))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    bar.finish()
    assert told == []
    assert not bar.isVisible()


def test_saving_again_keeps_the_note_that_is_half_typed_with_its_own(bar, qtbot):
    told = heard(bar)
    bar.ask(7, Text("Saved"))
    qtbot.keyClicks(QApplication.focusWidget(), "first")
    bar.ask(8, Text("Saved"))
    qtbot.keyClicks(QApplication.focusWidget(), "second")
    bar.finish()
    assert told == [NoteTyped(7, "first"), NoteTyped(8, "second")]


# The list


def picture() -> bytes:
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice

    image, content = QImage(320, 200, QImage.Format.Format_RGB32), QByteArray()
    image.fill(Qt.GlobalColor.darkBlue)
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes, Qt a str
    return bytes(content.data())


class Hands:
    """The dialog on an album of two, and what a person does with it."""

    def __init__(self, qtbot, folder: Path) -> None:
        self.qtbot, self.album = qtbot, Album(folder)
        parcel = replace(WHOLE, picture=picture(), note="first")
        self.early = self.album.keep(replace(parcel, moment=CLOSE, mode=Mode.DEMO))
        self.late = self.album.keep(parcel)
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.dialog = SnapshotsDialog(self.parent, self.album, theme.DARK)
        self.opened: list[object] = []
        self.dialog.opened.connect(self.opened.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.show()
            self.dialog.activateWindow()

    @property
    def table(self) -> QTableWidget:
        return self.dialog.findChildren(QTableWidget)[0]

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(QApplication.focusWidget(), key, held)

    def rows(self) -> list[list[str]]:
        table = self.table
        cells = [[table.item(row, at) for at in range(4)] for row in range(table.rowCount())]
        return [["" if one is None else one.text() for one in row] for row in cells]

    def said(self) -> str:
        return next(
            one.text() for one in self.dialog.findChildren(QLabel) if one.accessibleName() == "What happened"
        )


@pytest.fixture
def hands(qtbot, qapp, tmp_path) -> Hands:
    make_qt()
    return Hands(qtbot, tmp_path)


def test_the_list_says_when_of_what_and_from_whom(hands):
    assert hands.rows() == [
        ["11 Jul 2024 10:30:00 ET", "as of", "first", "here"],
        ["9 Jul 2024 16:00:00 ET", "demo", "first", "here"],
    ]
    assert hands.table.hasFocus()


def test_arrows_choose_and_enter_opens(hands):
    hands.press(Qt.Key.Key_Down)
    hands.press(Qt.Key.Key_Return)
    assert hands.opened == [hands.early]
    assert not hands.dialog.isVisible()


def test_a_note_is_edited_by_keyboard_alone(hands):
    hands.press(Qt.Key.Key_F2)
    hands.qtbot.keyClicks(QApplication.focusWidget(), "second thoughts")
    hands.press(Qt.Key.Key_Return)
    assert hands.dialog.isVisible()
    assert hands.table.hasFocus()
    assert hands.album.all()[0].note == "second thoughts"
    assert hands.rows()[0][2] == "second thoughts"


def test_escape_in_the_note_brings_the_old_one_back(hands):
    hands.press(Qt.Key.Key_F2)
    hands.qtbot.keyClicks(QApplication.focusWidget(), "oops")
    hands.press(Qt.Key.Key_Escape)
    assert hands.dialog.isVisible()
    assert edit(hands.dialog, "Note of the chosen snapshot").text() == "first"
    assert hands.album.all()[0].note == "first"


def test_deleting_asks_and_enter_alone_deletes_nothing(hands):
    hands.press(Qt.Key.Key_Delete)
    assert "Delete the snapshot of 11 Jul 2024 10:30:00 ET: picture, numbers and note?" in words(hands.dialog)
    hands.press(Qt.Key.Key_Return)
    hands.press(Qt.Key.Key_Escape)
    assert len(hands.album.all()) == 2
    assert hands.dialog.isVisible()


def test_deleting_with_a_yes_deletes_that_one(hands):
    hands.press(Qt.Key.Key_Delete)
    hands.press(Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    hands.press(Qt.Key.Key_Space)
    assert hands.album.all() == (hands.early,)
    assert hands.rows() == [["9 Jul 2024 16:00:00 ET", "demo", "first", "here"]]
    assert hands.table.hasFocus()


def test_a_colleagues_file_is_imported_and_a_wrong_one_told_by_name(hands, tmp_path, monkeypatch):
    hands.dialog.export(tmp_path / "for you.html")
    assert hands.said() == f"exported {tmp_path / 'for you.html'}"
    hands.dialog.bring_in(tmp_path / "for you.html")
    assert hands.said().startswith("for you.html: not imported: the snapshot of 11 Jul 2024 10:30:00 ET is in")
    hands.album.delete(hands.late)
    hands.dialog.bring_in(tmp_path / "for you.html")
    assert hands.said() == "imported for you.html"
    assert hands.rows()[0] == ["11 Jul 2024 10:30:00 ET", "as of", "first", "for you.html"]
    (tmp_path / "closes.zip").write_bytes(b"PK but no zip")
    hands.dialog.bring_in(tmp_path / "closes.zip")
    assert hands.said().startswith("closes.zip: not imported: the zip is damaged")


def test_a_folder_that_is_not_there_is_told(hands, tmp_path):
    hands.dialog.export(tmp_path / "nowhere" / "x.zip")
    assert "No such file" in hands.said()


def test_a_picture_that_is_gone_is_told(hands):
    hands.album.picture(hands.early).unlink()
    hands.press(Qt.Key.Key_Down)
    assert hands.said().startswith("2024-07-09T200000Z-demo.png: missing from the folder")
    assert "the picture is missing or damaged" in words(hands.dialog)


def test_an_empty_list_says_how_to_fill_it(qtbot, qapp, tmp_path):
    make_qt()
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SnapshotsDialog(parent, Album(tmp_path), theme.LIGHT)
    told = [one.text() for one in dialog.findChildren(QLabel)]
    assert any(one.startswith("There is none yet: Ctrl+S in the window saves one") for one in told)
    assert not any(one.isEnabled() for one in dialog.findChildren(QPushButton) if "Open" in one.text())
    assert list(tmp_path.iterdir()) == []


def test_every_control_has_a_name(hands):
    for kind in (QPushButton, QLineEdit, QTableWidget):
        assert all(one.accessibleName() or getattr(one, "text", str)() for one in hands.dialog.findChildren(kind))


# The whole application


def test_saved_noted_and_opened_again_in_the_time_machine(rig):
    fill(rig.folder, CLOSE.date())
    rig.start(as_of=CLOSE)
    rig.frame(lambda one: mode(one).startswith("AS OF"))
    rig.press(Qt.Key.Key_S, control=True)
    rig.until(rig.window.note.isVisible)
    rig.qtbot.keyClicks(QApplication.focusWidget(), "look at the close")
    rig.press(Qt.Key.Key_Return)
    (saved,) = Album(rig.folder).all()
    assert (saved.moment, saved.mode, saved.note) == (CLOSE, Mode.AS_OF, "look at the close")
    rig.press(Qt.Key.Key_T, control=True, shift=True)
    rig.frame(lambda one: not mode(one).startswith("AS OF"))
    done = rig.in_dialog(lambda dialog: button(dialog, "Open in the time machine").click())
    rig.press(Qt.Key.Key_S, control=True, shift=True)
    rig.until(done)
    frame = rig.frame(lambda one: mode(one).startswith("AS OF"))
    assert frame.snapshot.moment == CLOSE


def test_a_snapshot_of_the_demo_is_opened_in_the_demo_which_stands_still(rig):
    rig.start(demo=True)
    rig.frame()
    rig.press_pause()
    shown = rig.frame(lambda one: one.playback.paused)
    rig.press(Qt.Key.Key_S, control=True)
    rig.press(Qt.Key.Key_Escape)
    (saved,) = Album(rig.folder).all()
    assert (saved.moment, saved.mode, saved.note) == (shown.snapshot.moment, Mode.DEMO, "")
    rig.press_pause()
    rig.frame(lambda one: one.snapshot.moment > saved.moment)
    rig.app._open_snapshot(saved)
    again = rig.frame(lambda one: one.playback.paused)
    assert abs((again.snapshot.moment - saved.moment).total_seconds()) < 1


def test_a_note_half_typed_is_kept_when_the_window_closes(rig):
    rig.start(demo=True)
    rig.frame()
    rig.press(Qt.Key.Key_S, control=True)
    rig.qtbot.keyClicks(QApplication.focusWidget(), "half a thou")
    rig.close()
    assert Album(rig.folder).all()[0].note == "half a thou"


# The list of manual refreshes


def refreshed() -> Refresh:
    answer = Answer("cboe", Outcome.FAILED, "no answer in 10 s")
    return Refresh(1, CLOSE, CLOSE + timedelta(seconds=4), (answer, Answer("yahoo", Outcome.CAME, "8 new prices")))


def test_refreshes_are_listed_and_enter_opens_what_was_known_then(qtbot, qapp):
    make_qt()
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = RefreshesDialog(parent, [refreshed()], theme.DARK)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    (table,) = dialog.findChildren(QTableWidget)
    cells = [table.item(0, at) for at in range(3)]
    assert ["" if one is None else one.text() for one in cells] == [
        "9 Jul 2024 16:00:00 ET", "4 s", "Cboe: no answer in 10 s · Yahoo: 8 new prices",
    ]  # fmt: skip
    with qtbot.waitSignal(dialog.opened) as opened:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert opened.args == [refreshed()]


def test_without_a_refresh_the_list_says_how_one_is_made(qtbot, qapp):
    make_qt()
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = RefreshesDialog(parent, [], theme.LIGHT)
    assert any("F5 in the window asks every source now" in one.text() for one in dialog.findChildren(QLabel))
    assert not button_of(dialog, "Open in the time machine").isEnabled()


def button_of(widget: QWidget, text: str) -> QPushButton:
    return next(one for one in widget.findChildren(QPushButton) if one.text() == text)


def test_a_refresh_of_the_demo_is_recorded_and_looked_at_in_the_demo(rig):
    rig.start(demo=True)
    rig.frame(lambda one: one.snapshot.feed[0].last_success is not None)
    rig.press_pause()
    rig.frame(lambda one: one.playback.paused)
    rig.press(Qt.Key.Key_F5)
    rig.until(lambda: any(one.settled_at for one in rig.app.desk.refreshes()))
    (found,) = rig.app.desk.refreshes()
    assert ("Demo", Outcome.CAME) in [(one.source, one.outcome) for one in found.answers]
    rig.press_pause()
    rig.frame(lambda one: one.snapshot.moment > found.shown_at)
    done = rig.in_dialog(lambda dialog: button(dialog, "Open in the time machine").click())
    rig.press(Qt.Key.Key_F5, shift=True)
    rig.until(done)
    frame = rig.frame(lambda one: one.playback.paused)
    assert abs((frame.snapshot.moment - found.shown_at).total_seconds()) < 1
