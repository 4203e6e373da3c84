"""A workspace in one file: what is in it, what never is, what a wrong file does (nothing), the way back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desktop import settings, workspace
from desktop.__main__ import main
from desktop.alert_book import AlertBook
from desktop.book import FILE_NAME, Book
from desktop.settings import Settings, changed
from desktop.setups import Setups
from desktop.trade.alerts import Condition, Rule, Subject, Watch
from desktop.workspace import WorkspaceError

RULE = Rule(Watch(Subject.RATIO), Condition.ABOVE, 10.0, band=0.02, note="ask")
OTHER = Rule(Watch(Subject.REGIME), Condition.BECOMES, target="de_grossing", sound=False)
CHOSEN = changed(changed(Settings(), "kill_stretched", "10.2"), "max_age_s", 300.0)
LAYOUT = {"geometry": "AAEC", "state": "AwQF"}


def make(folder: Path, chosen: Settings, *rules: Rule, layout: dict[str, str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    settings.save(chosen, folder)
    if layout is not None:
        (folder / "layout.json").write_text(json.dumps(layout), encoding="utf-8")
    with Book(folder / FILE_NAME) as book:
        for rule in rules:
            AlertBook(book).put_rule(rule)
    return folder


def rules_of(folder: Path) -> list[Rule]:
    with Book(folder / FILE_NAME) as book:
        return [replace(one, id=0) for one in AlertBook(book).rules()[0]]


def contents(folder: Path) -> dict[str, object]:
    """Everything a workspace is made of, as it lies in a folder."""
    files = ("settings.toml", "layout.json")
    held: dict[str, object] = {
        name: (folder / name).read_bytes() if (folder / name).exists() else None for name in files
    }
    return held | {"rules": rules_of(folder)}


@pytest.fixture
def desk(tmp_path) -> Path:
    return make(tmp_path / "desk", CHOSEN, RULE, OTHER, layout=LAYOUT)


@pytest.fixture
def colleague(tmp_path) -> Path:
    return make(tmp_path / "colleague", changed(Settings(), "theme", "light"), OTHER)


@pytest.fixture
def file(desk: Path, tmp_path: Path) -> Path:
    path = tmp_path / "shared.json"
    workspace.export(workspace.collect(desk), path)
    return path


def test_a_colleague_gets_layout_settings_kill_levels_and_rules(file, desk, colleague):
    made = workspace.plan(file, colleague)
    workspace.apply(made, colleague)
    assert settings.load(colleague) == (CHOSEN, ())
    assert rules_of(colleague) == [RULE, OTHER]
    assert json.loads((colleague / "layout.json").read_text()) == LAYOUT
    assert workspace.plan(file, colleague).changes == ()


def test_the_plan_says_each_change_and_changes_nothing(file, colleague):
    before = contents(colleague)
    made = workspace.plan(file, colleague)
    assert made.changes == (
        "appearance.theme: light → system",
        "divergence.max_age_s: 1200 → 300",
        "thesis.kill.stretched: empty → 10.2",
        "alert rules: adds Ratio NDX / RUT ≥ 10.000, every time",
        "layout: the places of all panels",
    )
    assert contents(colleague) == before


def test_the_workspace_before_is_kept_and_brings_everything_back(file, colleague):
    before = settings.load(colleague), rules_of(colleague)
    backup = workspace.apply(workspace.plan(file, colleague), colleague)
    assert backup.parent == colleague / "workspaces"
    workspace.apply(workspace.plan(backup, colleague), colleague)
    assert (settings.load(colleague), rules_of(colleague)) == before


def test_the_log_of_what_fired_stays_and_rules_get_numbers_of_their_own(file, colleague):
    with Book(colleague / FILE_NAME) as book, book.writing() as db:
        db.execute(
            "INSERT INTO alert_log (at, rule, title, value, threshold, source, mode)"
            " VALUES (1, 1, 'old', '', '', '', 'live')"
        )
    workspace.apply(workspace.plan(file, colleague), colleague)
    with Book(colleague / FILE_NAME) as book:
        assert [one.title for one in AlertBook(book).log()] == ["old"]
        assert {one.id for one in AlertBook(book).rules()[0]} == {2, 3}


def test_no_key_is_in_it(file, desk):
    document = json.loads(file.read_text())
    assert set(document) == {"kind", "format", "program", "made_at", "settings", "layout", "book"}
    assert set(document["book"]) == {"alert_rules", "setups"}
    assert not any("key" in name for name in document["settings"])


# Wrong files

WRONG = {
    "no file at all": None,
    "no JSON": "{",
    "another JSON": '{"a": 1}',
    "a list": "[]",
    "deep nesting": "[" * 100_000,
}


def document(file: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(file.read_text())
    return held


def rule_with(**more: object):
    def spoil(made):
        made["book"]["alert_rules"][0] |= more

    return spoil


SPOILT = {
    "a later format": lambda made: made.update(format=2),
    "a format that is no number": lambda made: made.update(format="1"),
    "a setting out of bounds": lambda made: made["settings"].update({"divergence.max_age_s": 1e9}),
    "a setting of another type": lambda made: made["settings"].update({"appearance.theme": 3}),
    "settings that are no table": lambda made: made.update(settings=[]),
    "a layout without its state": lambda made: made.update(layout={"geometry": "AAEC"}),
    "a layout that is no base64": lambda made: made.update(layout={"geometry": "?", "state": "AAEC"}),
    "an unknown table": lambda made: made["book"].update(trades=[]),
    "rows that are no rows": lambda made: made["book"].update(alert_rules=[1]),
    "a rule of an unknown subject": rule_with(subject="sunspots"),
    "a rule without a level": rule_with(level=None),
    "a rule with a level of text": rule_with(level="ten"),
    "a rule with a column of its own": rule_with(colour="red"),
    "a rule with a table inside": rule_with(note={"a": 1}),
    "a rule without a note": rule_with(note=None),
    "a set-up without a name": lambda made: made["book"].update(setups=[{"saved_us": 1, "fields": "{}"}]),
    "a set-up of no fields": lambda made: made["book"].update(
        setups=[{"name": "CPI", "saved_us": 1, "fields": "[1]"}]
    ),
    "a set-up with a wrong value": lambda made: made["book"].update(
        setups=[{"name": "CPI", "saved_us": 1, "fields": '{"sizer.instrument": "coins"}'}]
    ),
    "a rule with a switch of text": rule_with(enabled="false"),
    "a rule snoozed beyond the calendar": rule_with(snoozed_from=1, snoozed_until=10**30),
    "a setting too large for a number": lambda made: made["settings"].update({"divergence.max_age_s": 10**400}),
}


@pytest.mark.parametrize("what", [*WRONG, *SPOILT])
def test_a_wrong_file_changes_nothing_and_is_named(what, file, colleague):
    before = contents(colleague)
    if what in WRONG:
        file.unlink() if WRONG[what] is None else file.write_text(WRONG[what])
    else:
        made = document(file)
        SPOILT[what](made)
        file.write_text(json.dumps(made))
    with pytest.raises(WorkspaceError, match=r"shared\.json: .*nothing was changed"):
        workspace.plan(file, colleague)
    assert contents(colleague) == before


def test_a_setting_of_a_later_version_is_left_out_and_said(file, colleague):
    made = document(file)
    made["settings"]["future.choice"] = 1
    file.write_text(json.dumps(made))
    assert "setting future.choice is not known here: left out" in workspace.plan(file, colleague).changes


def test_set_ups_are_taken_along_as_they_were_typed(desk, colleague, tmp_path):
    typed = changed(changed(Settings(), "capital", "3m"), "rut_price", "2,141.6")
    with Book(desk / FILE_NAME) as book:
        Setups(book).save("CPI day", typed, datetime(2024, 7, 11, tzinfo=UTC))
    file = tmp_path / "with-set-ups.json"
    workspace.export(workspace.collect(desk), file)
    plan = workspace.plan(file, colleague)
    assert "set-ups: adds CPI day" in plan.changes
    workspace.apply(plan, colleague)
    with Book(colleague / FILE_NAME) as book:
        loaded, problems = Setups(book).load("CPI day", Settings())
    assert (loaded.capital, loaded.rut_price, problems) == ("3m", "2,141.6", ())


def test_what_fails_half_way_is_put_back(file, colleague):
    made = workspace.plan(file, colleague)
    before = contents(colleague)
    with Book(colleague / FILE_NAME) as book, book.writing() as db:
        db.execute("CREATE TRIGGER no_more BEFORE INSERT ON alert_rules BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(WorkspaceError, match="could not be taken over"):
        workspace.apply(made, colleague)
    assert contents(colleague) == before


def test_a_folder_without_anything_takes_a_workspace(file, tmp_path):
    fresh = tmp_path / "fresh"
    workspace.apply(workspace.plan(file, fresh), fresh)
    assert rules_of(fresh) == [RULE, OTHER]


# The command line


def test_export_and_import_by_command(desk, colleague, tmp_path, capsys):
    path = tmp_path / "by-command.json"
    assert main(["workspace", "export", str(path), "--data-dir", str(desk)]) == 0
    assert main(["workspace", "import", str(path), "--dry-run", "--data-dir", str(colleague)]) == 0
    assert "thesis.kill.stretched: empty → 10.2" in capsys.readouterr().out
    assert rules_of(colleague) == [OTHER]
    assert main(["workspace", "import", str(path), "--data-dir", str(colleague)]) == 0
    assert "the workspace before is kept in" in capsys.readouterr().out
    assert rules_of(colleague) == [RULE, OTHER]
    path.write_text("{}")
    assert main(["workspace", "import", str(path), "--data-dir", str(colleague)]) == 1
    assert "is no workspace of this program; nothing was changed" in capsys.readouterr().err


def test_the_command_loads_no_qt(desk, tmp_path):
    code = (
        "import sys; from desktop.__main__ import main;"
        f"main(['workspace', 'export', r'{tmp_path / 'x.json'}', '--data-dir', r'{desk}']);"
        "print([name for name in ('PySide6.QtWidgets', 'pandas', 'statsmodels') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
