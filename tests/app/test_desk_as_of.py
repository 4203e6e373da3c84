"""The whole frame of a past moment, as the window gets it from the desk: nothing later shows in any panel."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from desktop import desk
from desktop.market.sessions import parse_as_of
from desktop.market.store import FILE_NAME, Store
from desktop.presenters.frame import View
from desktop.settings import Settings
from tests.report.known_store import KINDS, Later, add, filled

MOMENTS = {
    "before the open": "2024-07-11T08:15:00-04:00",
    "10:30": "2024-07-11T10:30:00-04:00",
    "after the close": "2024-07-11T16:20:00-04:00",
    "in the evening": "2024-07-11T21:00:00-04:00",
}
OF_NOW = {"snapshot", "health", "status", "time"}
"""How the sources stand is always told of now: they go on in the background. The time bar tells where one can go:
to every session that is stored, later ones included."""


def told(one: object) -> object:
    """A panel's state in plain values, so that two can be compared and a difference be read."""
    if isinstance(one, np.ndarray):
        return list(map(repr, one.tolist()))  # as text: NaN does not equal itself
    if is_dataclass(one) and not isinstance(one, type):
        return {field.name: told(getattr(one, field.name)) for field in fields(one)}
    if isinstance(one, tuple | list):
        return [told(part) for part in one]
    return repr(one)


def write(store: Store, folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        store._db.backup(file)


def frame(folder: Path, as_of: datetime) -> dict[str, object]:
    here = desk.open_live(folder, offline=True)
    try:
        shown = here.frame(View(Settings(), as_of, "stretched"))
    finally:
        here.close()
    found = {one.name: told(getattr(shown, one.name)) for one in fields(shown) if one.name not in OF_NOW}
    session = {"session": told(shown.status.session), "clock": told(shown.status.clock)}
    return found | session


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_later_shows_in_any_panel(tmp_path, moment):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        write(store, tmp_path / "then")
        add(store, as_of, Later(3, 2.0, frozenset(KINDS)))
        write(store, tmp_path / "later")
    then, later = frame(tmp_path / "then", as_of), frame(tmp_path / "later", as_of)
    assert len(str(then["divergence"])) > 500
    for panel, state in then.items():
        assert later[panel] == state, panel


def test_a_verdict_that_turned_since_is_no_news_of_then(tmp_path):
    as_of = parse_as_of(MOMENTS["10:30"])
    with filled(as_of) as store:
        store.note_changes({"stretched": "for held"}, ["Stretched: against → for"], parse_as_of("2024-07-12"))
        write(store, tmp_path / "store")
    here = desk.open_live(tmp_path / "store", offline=True)
    try:
        assert here.frame(View(Settings(), as_of)).thesis.news == ()
        assert len(here.frame(View(Settings())).thesis.news) >= 1
    finally:
        here.close()
