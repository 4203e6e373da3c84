"""The first-run page, About, and the notice of a newer version, in the real window."""

from __future__ import annotations

import json

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QListWidget, QPlainTextEdit, QPushButton, QTabWidget

from desktop import licences, settings
from desktop.about import About, Welcome
from desktop.settings import Settings
from tests.test_updates import Hand, Host, host  # noqa: F401  (a fixture)
from widgets.states import Text

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


def page_of(window) -> Welcome | None:
    return next((one for one in window.findChildren(Welcome) if one.isVisible()), None)


def told(dialog: QDialog) -> str:
    return " ".join(one.text() for one in dialog.findChildren(QLabel))


def pressed(dialog: QDialog, text: str) -> None:
    next(one for one in dialog.findChildren(QPushButton) if one.text() == text).click()


def test_first_start_explains_data_terms_and_where_the_store_lies_and_the_second_does_not(rig):
    app = rig.start(demo=True)
    app.welcome_once()
    rig.until(lambda: page_of(rig.window))
    page = page_of(rig.window)
    assert page is not None
    words = told(page)
    assert "personal use" in words
    assert "late, wrong or missing" in words
    assert str(rig.folder) in words
    assert "advice" in words
    rig.frame()  # the window goes on behind the page
    pressed(page, "Start")
    rig.until(lambda: page_of(rig.window) is None)
    rig.close()
    assert settings.load(rig.folder)[0].welcomed

    app = rig.start(demo=True)
    app.welcome_once()
    frames: list[object] = []
    app.shown.connect(frames.append)
    rig.until(lambda: len(frames) >= 2)
    assert page_of(rig.window) is None


def test_first_run_page_is_reachable_from_the_menu(rig):
    rig.start(demo=True)
    rig.frame()
    next(one for one in rig.window.actions() if one.text() == "First-run page").trigger()
    rig.until(lambda: page_of(rig.window))
    page = page_of(rig.window)
    assert page is not None
    page.reject()  # Esc counts as read
    rig.until(lambda: page_of(rig.window) is None)
    assert rig.window.view.settings.welcomed


def test_about_shows_the_licence_of_the_part_that_is_chosen(qtbot, qapp):
    parent = QLabel()
    qtbot.addWidget(parent)
    about = About(parent, "Rotation Monitor 99.0.0 is out")
    assert "99.0.0" in told(about)
    (names,), (tabs,) = about.findChildren(QListWidget), about.findChildren(QTabWidget)
    rows = [names.item(row).text() for row in range(names.count())]
    names.setCurrentRow(next(row for row, name in enumerate(rows) if name.startswith("Inter")))
    texts = [one.toPlainText() for one in about.findChildren(QPlainTextEdit)]
    assert any("SIL OPEN FONT LICENSE" in one for one in texts)
    assert tabs.count() == 4
    pressed(about, "Copy versions")
    assert "yfinance" in QApplication.clipboard().text()


def test_bundle_shows_what_was_collected_when_it_was_built(tmp_path, monkeypatch):
    one = {"name": "libfoo", "version": "1", "licence": "MIT", "url": "", "text": "Do as you like."}
    (tmp_path / "licences.json").write_text(json.dumps([one]))
    monkeypatch.setattr("resources._HERE", tmp_path)
    assert [part.name for part in licences.licences()] == ["Rotation Monitor", "libfoo"]
    assert licences.licences()[1].text == "Do as you like."


def test_every_package_that_is_shipped_has_a_licence_here():
    parts = {one.name.lower(): one for one in licences.licences()}
    for name in ("pyside6_essentials", "pandas", "yfinance", "keyring", "inter"):
        found = parts.get(name) or parts[name.replace("_", "-")]
        assert found.licence
    assert "Permission is hereby granted" in parts["rotation monitor"].text


def test_newer_version_is_told_in_the_window_once_a_day(rig, host: Host, monkeypatch):  # noqa: F811
    host.tells("99.0.0")
    clock = Hand()
    monkeypatch.setattr("desktop.app.SystemClock", lambda: clock)
    settings.save(Settings(updates_url=host.address), rig.folder)
    told: list[Text] = []
    app = rig.start(offline=False, sources=lambda *_: ())
    app.window.status.tell = told.append
    rig.until(lambda: [one for one in told if "99.0.0" in one.text])
    rig.close()
    told.clear()

    app = rig.start(offline=False, sources=lambda *_: ())
    app.window.status.tell = told.append
    rig.until(lambda: app._keys_begun)
    app._workers.submit(int).result()  # whatever was to be asked has been asked
    assert host.asked == ["/latest.json"]
    assert not [one for one in told if "99.0.0" in one.text]


@pytest.mark.parametrize(("offline", "address"), [(True, True), (False, False)])
def test_nobody_is_asked_offline_or_without_an_address(rig, host: Host, offline, address):  # noqa: F811
    settings.save(Settings(updates_url=host.address if address else ""), rig.folder)
    app = rig.start(offline=offline, sources=lambda *_: ())
    frames: list[object] = []
    app.shown.connect(frames.append)
    rig.until(lambda: len(frames) >= 2)
    app._workers.submit(int).result()
    assert host.asked == []


def test_folder_that_cannot_be_written_opens_the_window_and_says_what_is_lost(rig, monkeypatch):
    (rig.folder / "file").write_text("")
    rig.folder = rig.folder / "file" / "folder"
    told: list[Text] = []
    from desktop.window import Window

    monkeypatch.setattr(Window, "tell", lambda _self, text: told.append(text))
    rig.start()
    rig.frame()
    assert any("cannot be written" in one.text and "--data-dir" in one.text for one in told)
    assert rig.window.frame_shown.header.mode is not None  # the demo stands in, and says so
