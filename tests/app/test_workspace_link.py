"""A workspace saved and opened from the window: shown before it is taken over, in force at once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QPlainTextEdit

from desktop import settings, sharing, workspace
from tests.app.rig import OPEN, button, dock, fill
from tests.app.test_display import until
from tests.app.test_single import start
from tests.test_workspace import OTHER, RULE, contents, make, rules_of
from widgets.states_alerts import RuleForm

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


@pytest.fixture
def live(rig):
    fill(rig.folder, OPEN.date() - timedelta(days=1))
    rig.start(offline=True, size=(1600, 1000))
    rig.frame()
    return rig


def choose(monkeypatch, path: Path) -> None:
    for name in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_args: (str(path), ""))


def test_saved_with_the_layout_and_settings_as_they_are_on_screen(live, monkeypatch, tmp_path):
    choose(monkeypatch, tmp_path / "mine.json")
    live.window.asked.emit(RuleForm(subject="ratio", condition="above", level="9.9"))
    live.frame(lambda one: one.alerts.rows)
    live.window._choose("max_age_s", 300.0)  # not written to disk yet
    sharing.save(live.window, live.folder)
    document = json.loads((tmp_path / "mine.json").read_text())
    assert document["settings"]["divergence.max_age_s"] == 300
    assert document["layout"]["state"]
    assert [one["level"] for one in document["book"]["alert_rules"]] == [9.9]


def shared(tmp_path: Path) -> Path:
    other = make(tmp_path / "other", settings.changed(settings.Settings(), "theme", "light"), RULE, OTHER)
    path = tmp_path / "shared.json"
    workspace.export(workspace.collect(other), path)
    return path


@pytest.mark.parametrize("agreed", [True, False])
def test_opened_only_once_the_user_agrees_to_what_it_changes(live, monkeypatch, tmp_path, agreed):
    choose(monkeypatch, shared(tmp_path))
    shown: list[str] = []

    def act(dialog) -> None:
        shown.append(dialog.findChild(QPlainTextEdit).toPlainText())
        which = QDialogButtonBox.StandardButton.Ok if agreed else QDialogButtonBox.StandardButton.Cancel
        dialog.findChild(QDialogButtonBox).button(which).click()

    done = live.in_dialog(act)
    sharing.open_(live.window, live.folder)
    assert done()
    assert "appearance.theme: system → light" in shown[0]
    assert "alert rules: adds Regime becomes de-grossing, every time" in shown[0]
    assert rules_of(live.folder) == ([RULE, OTHER] if agreed else [])
    assert live.window.view.settings.theme == ("light" if agreed else "system")
    if agreed:
        live.frame(lambda one: len(one.alerts.rows) == 2)
        assert list((live.folder / "workspaces").glob("before-*.json"))


def test_a_saved_layout_comes_back(live, monkeypatch, tmp_path):
    choose(monkeypatch, tmp_path / "mine.json")
    live.window.focus_panel("alerts")
    live.until(dock(live.window, "alerts").isVisible)
    sharing.save(live.window, live.folder)
    live.window._choose("theme", "dark")
    dock(live.window, "alerts").hide()
    dock(live.window, "thesis").hide()

    def act(dialog) -> None:
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()

    done = live.in_dialog(act)
    sharing.open_(live.window, live.folder)
    assert done()
    live.until(dock(live.window, "thesis").isVisible)


def test_the_settings_dialog_leads_to_the_workspace(live, monkeypatch, tmp_path):
    choose(monkeypatch, path := tmp_path / "mine.json")

    def press(words: str):
        return live.in_dialog(lambda dialog: button(dialog, words).click())

    done = press("Save workspace…")
    live.press(Qt.Key.Key_F2)
    assert done()
    assert json.loads(path.read_text())["kind"] == workspace.KIND
    shared(tmp_path).replace(path)
    done = press("Open workspace…")
    opened: list[str] = []

    def agree(_window: object, made: workspace.Plan) -> bool:
        opened.extend(made.changes)
        return True

    monkeypatch.setattr(sharing, "_agreed", agree)
    live.press(Qt.Key.Key_F2)
    assert done()
    assert "appearance.theme: system → light" in opened
    assert live.window.view.settings.theme == "light"


def test_a_command_takes_over_nothing_while_a_window_is_open(tmp_path):
    path, folder = shared(tmp_path), tmp_path / "colleague"
    command = ("-m", "desktop", "workspace")
    window = start("-m", "desktop", "--offline", "--demo", "--data-dir", str(folder))
    try:
        until((folder / "rotation-monitor.log").exists)  # made with the window, which holds the folder by then
        before = contents(folder)
        refused = start(*command, "import", str(path), "--data-dir", str(folder))
        out, err = refused.communicate(timeout=60)
        told = start(*command, "import", str(path), "--dry-run", "--data-dir", str(folder))
        assert "appearance.theme: system → light" in told.communicate(timeout=60)[0]
        exported = start(*command, "export", str(tmp_path / "out.json"), "--data-dir", str(folder))
        assert "its layout is written when it closes" in exported.communicate(timeout=60)[0]
        assert contents(folder) == before
    finally:
        window.kill()
        window.communicate()
    assert refused.returncode == 1
    assert "taken over" not in out
    assert f"a window on {folder} is open (process {window.pid})" in err
    assert f"choose Open workspace… in its menu and {path}; nothing was changed" in err
    taken = start(*command, "import", str(path), "--data-dir", str(folder))
    assert "taken over" in taken.communicate(timeout=60)[0]
    assert rules_of(folder) == [RULE, OTHER]


def test_a_wrong_file_is_told_and_changes_nothing(live, monkeypatch, tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text("{}")
    choose(monkeypatch, path)
    sharing.open_(live.window, live.folder)
    live.until(lambda: live.window.status._told is not None)
    assert "is no workspace of this program; nothing was changed" in live.window.status._told.text
