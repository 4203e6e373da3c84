"""Stores, settings and layouts as earlier programs left them: kept under tests/samples, and never changed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from desktop import settings
from desktop.market.store import FILE_NAME, SCHEMA_VERSION, Store
from desktop.presenters.frame import View
from desktop.window import Window

SAMPLES = Path(__file__).parent / "samples"
LATER = datetime(2024, 7, 13, tzinfo=UTC)
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform


@pytest.fixture
def old_store(tmp_path: Path, request) -> Path:
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript((SAMPLES / f"store-schema-{request.param}.sql").read_text(encoding="utf-8"))
        assert db.execute("PRAGMA user_version").fetchone() == (request.param,)
    return path


def test_there_is_a_sample_of_every_schema_that_was_released():
    kept = {int(one.stem.rpartition("-")[2]) for one in SAMPLES.glob("store-schema-*.sql")}
    assert kept >= {1, 2, 3, 4, *range(1, SCHEMA_VERSION)}  # the newest needs one from its release on


@pytest.mark.parametrize("old_store", [1, 2, 3, 4], indirect=True)
def test_store_of_every_schema_opens_with_all_that_was_in_it(old_store):
    with Store(old_store) as store:
        ndx = store.closes("^NDX")
        assert ndx.close.tolist() == [20_675.38, 20_211.36]
        assert [str(day) for day in ndx.days] == ["2024-07-10", "2024-07-11"]
        assert store.closes("^RUT").close.tolist() == [2_125.04]
        quote = store.last_quote("IWM", LATER)
        assert quote is not None
        assert (quote.price, quote.previous_close, quote.source) == (210.5, 203.1, "yahoo")
        assert quote.event_time == datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
        assert store.series("DGS2", LATER).values.tolist() == [4.5]
        panel = store.panel("names")
        assert panel is not None
        assert (panel.tickers, panel.close.tolist()) == (("AAA", "BBB"), [[10.0, 20.0]])
        assert panel.compiled == date(2024, 7, 12)
    with closing(sqlite3.connect(old_store)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("old_store", [2, 3, 4], indirect=True)
def test_what_publishers_said_stays_known(old_store):
    with Store(old_store) as store:
        checked = store.publication("cboe", "VIX")
        assert checked is not None
        assert checked.etag == '"abc"'
        assert store.calendar(LATER) == [("CPI", datetime(2024, 8, 14, 12, 30, tzinfo=UTC))]
        assert store.sightings()[0].gone_at is None


@pytest.mark.parametrize("old_store", [3, 4], indirect=True)
def test_change_log_stays_unread(old_store):
    with Store(old_store) as store:
        assert store.claim_states() == {"stretched": "mixed"}
        assert [told for _, told in store.unseen_changes()] == ["Stretched past the peak: for -> mixed"]


@pytest.mark.parametrize("old_store", [1, 2, 3], indirect=True)
def test_old_store_is_kept_aside_for_who_goes_back(old_store):
    number = int(sqlite_version(old_store))
    Store(old_store).close()
    kept = old_store.with_name(f"{FILE_NAME}.v{number}.bak")
    assert sqlite_version(kept) == number
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT count(*) FROM bars").fetchone() == (3,)


def sqlite_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_settings_of_version_0_1_mean_what_they_meant(tmp_path):
    shutil.copy(SAMPLES / "settings-0.1.toml", tmp_path / settings.FILE_NAME)
    found, problems = settings.load(tmp_path)
    assert problems == ()
    assert (found.theme, found.reference, found.max_leg_gap_s) == ("light", "open", 30.0)
    assert (found.correlation_percentile, found.enter_days) == (0.85, 3)
    assert (found.capital, found.stop, found.hedge, found.typed_hedge) == ("1,500,000", "10.25", "typed", "0.7")
    assert (found.instrument, found.kill_stretched, found.stream) == ("mini", "10.5", True)
    settings.save(found, tmp_path)
    assert "retired" in (tmp_path / settings.FILE_NAME).read_text()  # a key of another version stays


def test_layout_of_version_0_1_puts_every_dock_it_knew_where_it_was(qtbot, tmp_path):
    shutil.copy(SAMPLES / "layout-0.1.json", tmp_path / "layout.json")
    window = Window(View(settings.Settings(welcomed=True)), tmp_path)
    qtbot.addWidget(window)
    window.show()
    assert window.problems == ()
    docks = {key: window._docks[key] for key in ("ratio", "divergence", "gauge", "sizer", "thesis", "evidence")}
    assert docks["sizer"].isFloating()
    assert not docks["thesis"].isVisible()
    assert [key for key, dock in docks.items() if not dock.isHidden()] == [
        "ratio", "divergence", "gauge", "sizer", "evidence"
    ]  # fmt: skip
    assert docks["evidence"] in window.tabifiedDockWidgets(docks["divergence"])
    for key in set(window._docks) - set(docks):  # what came later is hidden, and can be opened
        window.focus_panel(key)
        assert not window._docks[key].isHidden()
