"""A whole workspace in one JSON file: layout, settings with kill levels, alert rules, set-ups. Never keys.

An import checks everything first and says what it would change; a wrong file changes nothing. Before anything is
changed the workspace as it was is kept beside the store.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop import settings, setups
from desktop.alert_book import rule_of
from desktop.book import FILE_NAME as BOOK_NAME
from desktop.book import Book
from desktop.market.known import UserError
from desktop.presenters.alert_words import title
from desktop.settings import SettingError, Settings
from desktop.trade.alerts import Repeat
from desktop.version import VERSION

KIND = "rotation-monitor workspace"
FORMAT = 1
BACKUPS = "workspaces"
"""Folder in the data folder where the workspace before an import is kept."""
LAYOUT_NAME = "layout.json"
TABLES: Mapping[str, str] = {"alert_rules": "alert rules", "setups": "set-ups"}
"""Tables of the book that belong to a workspace, and what they hold; one that a book lacks is passed over."""
_LARGEST = 5_000_000


class WorkspaceError(UserError):
    """A file that is no workspace, or cannot be used; carries its path and the cause."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"{path}: {cause}; nothing was changed")
        self.path, self.cause = path, cause


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a file holds, checked. `layout` is None where it has none; `tables` holds rows by table."""

    settings: Settings
    layout: Mapping[str, str] | None
    tables: Mapping[str, tuple[Row, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would change, one line each: nothing where `changes` is empty."""

    path: Path
    workspace: Workspace
    changes: tuple[str, ...]


# Out


def collect(folder: Path, chosen: Settings | None = None, layout: Mapping[str, str] | None = None) -> Workspace:
    """The workspace of `folder`; settings and layout of an open window in place of those on disk."""
    kept = settings.load(folder)[0] if chosen is None else chosen
    with Book(folder / BOOK_NAME) as book:
        tables = {name: tuple(_rows(book, name)) for name in TABLES if _columns(book, name)}
    return Workspace(kept, layout or _layout_on_disk(folder), tables)


def export(workspace: Workspace, path: Path) -> None:
    """Write a workspace, whole or not at all."""
    differing = {
        settings.spec_of(one.name).key: getattr(workspace.settings, one.name)
        for one in fields(Settings)
        if getattr(workspace.settings, one.name) != one.default
    }
    document = {
        "kind": KIND,
        "format": FORMAT,
        "program": VERSION,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": differing,
        "layout": workspace.layout,
        "book": {name: list(rows) for name, rows in workspace.tables.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    draft.replace(path)


def _layout_on_disk(folder: Path) -> Mapping[str, str] | None:
    try:
        return _layout(json.loads((folder / LAYOUT_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _columns(book: Book, table: str) -> dict[str, bool]:
    """Columns of a table, and whether each must be given; none where there is no such table."""
    return {
        name: bool(not_null and default is None and not key)
        for _, name, _, not_null, default, key in book.rows(f"PRAGMA table_info({table})")
    }


def _rows(book: Book, table: str) -> list[Row]:
    names = list(_columns(book, table))
    rows = book.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1")
    return [dict(zip(names, row, strict=True)) for row in rows]


# In


def read(path: Path) -> Workspace:
    """Read a file and check all of it.

    Raises
    ------
    WorkspaceError
        Where it is no workspace, is of a later format, or holds anything that cannot be.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise WorkspaceError(path, "too large to be a workspace")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkspaceError(path, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise WorkspaceError(path, f"is no workspace ({error})") from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise WorkspaceError(path, "is no workspace of this program")
    number = document.get("format")
    if type(number) is not int or not 1 <= number <= FORMAT:
        cure = f"this program knows up to {FORMAT}: install the newer one"
        raise WorkspaceError(path, f"is of format {number}, {cure}")
    chosen, notes = _settings(path, document.get("settings", {}))
    try:
        layout = _layout(document.get("layout"))
        tables = _tables(document.get("book", {}))
    except (ValueError, UserError) as error:
        raise WorkspaceError(path, str(error)) from error
    return Workspace(chosen, layout, tables, notes)


def _settings(path: Path, found: object) -> tuple[Settings, tuple[str, ...]]:
    if not isinstance(found, dict):
        raise WorkspaceError(path, "its settings are no table")
    names = {settings.spec_of(one.name).key: one.name for one in fields(Settings)}
    chosen, notes = Settings(), []
    for key, value in found.items():
        if key not in names:
            notes.append(f"setting {key} is not known here: left out")
            continue
        try:
            chosen = settings.changed(chosen, names[key], value)
        except (SettingError, OverflowError) as error:
            raise WorkspaceError(path, f"setting {key}: {error}") from error
    return chosen, tuple(notes)


def _layout(found: object) -> Mapping[str, str] | None:
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ValueError("its layout is no table")
    layout = {}
    for part in ("geometry", "state"):
        text = found.get(part)
        if not isinstance(text, str):
            raise ValueError(f"its layout lacks {part}")
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError(f"its layout cannot be read ({part}: {error})") from error
        layout[part] = text
    return layout


def _tables(found: object) -> dict[str, tuple[Row, ...]]:
    if not isinstance(found, dict):
        raise ValueError("its book is no table")
    tables = {}
    for name, rows in found.items():
        if name not in TABLES:
            raise ValueError(f"its book holds {name!r}, which is no part of a workspace")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(f"its {TABLES[name]} are no list of rows")
        for number, row in enumerate(rows, start=1):
            for column, cell in row.items():
                if cell is not None and not isinstance(cell, str | int | float):
                    raise ValueError(f"{TABLES[name]}, row {number}: {column} is neither text nor number")
            if name == "alert_rules":
                rule_of(row)
            if name == "setups":
                setups.check(row)
        tables[name] = tuple(rows)
    return tables


def plan(path: Path, folder: Path, chosen: Settings | None = None) -> Plan:
    """Check a file against the workspace of `folder`, and say what it would change.

    Raises
    ------
    WorkspaceError
        Where the file cannot be used; nothing is changed here in any case.
    """
    wanted = read(path)
    now = collect(folder, chosen)
    changes = [*wanted.notes, *_setting_changes(now.settings, wanted.settings)]
    tables: dict[str, tuple[Row, ...]] = {}
    with Book(folder / BOOK_NAME) as book:
        for name, rows in wanted.tables.items():
            columns = _columns(book, name)
            if not columns:
                changes.append(f"{len(rows)} {TABLES[name]} left out: this program does not keep them")
                continue
            _fit(path, name, rows, columns)
            tables[name] = rows
            changes += _table_changes(name, now.tables.get(name, ()), rows)
    if wanted.layout is not None and wanted.layout != now.layout:
        changes.append("layout: the places of all panels")
    return Plan(path, replace(wanted, tables=tables), tuple(changes))


def _setting_changes(before: Settings, after: Settings) -> list[str]:
    told = []
    for one in fields(Settings):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old != new:
            told.append(f"{settings.spec_of(one.name).key}: {_shown(old)} → {_shown(new)}")
    return told


def _shown(value: object) -> str:
    return "empty" if value == "" else f"{value:g}" if isinstance(value, float) else str(value)


def _fit(path: Path, name: str, rows: Sequence[Row], columns: Mapping[str, bool]) -> None:
    for number, row in enumerate(rows, start=1):
        unknown = [column for column in row if column not in columns]
        missing = [column for column, must in columns.items() if must and row.get(column) is None]
        if unknown or missing:
            what = f"{unknown[0]} is not known" if unknown else f"{missing[0]} is missing"
            raise WorkspaceError(path, f"{TABLES[name]}, row {number}: {what}")


def _table_changes(name: str, before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    old, new = [_told(name, row) for row in before], [_told(name, row) for row in after]
    gone = [one for one in old if one not in new]
    came = [one for one in new if one not in old]
    what = TABLES[name]
    return [f"{what}: removes {one}" for one in gone] + [f"{what}: adds {one}" for one in came]


def _told(name: str, row: Row) -> str:
    if name == "alert_rules":
        rule = rule_of(row)
        often = "once" if rule.repeat is Repeat.ONCE else "every time"
        return f"{title(rule)}, {often}" + ("" if rule.enabled else ", off")
    return str(row.get("name") or json.dumps(row, sort_keys=True))


def apply(made: Plan, folder: Path, before: Workspace | None = None) -> Path:
    """Carry out a plan; returns where the workspace as it was (`before`, of an open window) is kept.

    Either all of it is done or none: what was written is put back where a later part fails.

    Raises
    ------
    WorkspaceError, OSError
        Where it could not be; nothing was changed.
    """
    previous = before or collect(folder)
    now = datetime.now(UTC)
    backup = folder / BACKUPS / f"before-{now:%Y-%m-%dT%H%M%S}{now.microsecond // 1000:03d}Z.json"
    export(previous, backup)
    wanted = made.workspace
    files = {path: _content(path) for path in (folder / settings.FILE_NAME, folder / LAYOUT_NAME)}
    try:
        settings.save(wanted.settings, folder)
        if wanted.layout is not None:
            _replace_text(folder / LAYOUT_NAME, json.dumps(wanted.layout))
        _put_tables(folder, wanted.tables)
    except Exception as error:
        for path, content in files.items():
            path.unlink(missing_ok=True) if content is None else path.write_bytes(content)
        raise WorkspaceError(made.path, f"could not be taken over ({error})") from error
    return backup


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replace_text(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _put_tables(folder: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    """Put rows in place of those there are, all tables or none. Rules get new numbers: the log keeps its own."""
    with Book(folder / BOOK_NAME) as book, book.writing() as db:
        for name, rows in tables.items():
            db.execute(f"DELETE FROM {name}")
            for row in rows:
                cells = {column: cell for column, cell in row.items() if (name, column) != ("alert_rules", "id")}
                marks = ", ".join("?" * len(cells))
                db.execute(f"INSERT INTO {name} ({', '.join(cells)}) VALUES ({marks})", tuple(cells.values()))
