"""From a folder to a snapshot: which store, which moment, which universe; how stored sources stood."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from desktop.market.known import UserError
from desktop.market.quotes import Bars, Closes, Interval, Panel, Quote
from desktop.market.sessions import NYSE, parse_as_of
from desktop.market.store import FILE_NAME, Origin, Priority, Store
from desktop.report import UnknownUniverseError, as_json, as_text, kill_levels_of, origins_of, snapshot_for
from desktop.report.made import stored_sources
from desktop.snapshot import Mode
from desktop.sources.feed import FeedState
from desktop.thesis import MEASURES

NOON = datetime(2024, 7, 11, 16, 0, tzinfo=UTC)
NIGHT = datetime(2024, 7, 12, 3, 0, tzinfo=UTC)


def put_closes(
    store: Store, symbol: str, first: str, last: str, level: float, source: str = "file:made.csv"
) -> None:
    days = NYSE.days(date.fromisoformat(first), date.fromisoformat(last))
    moves = np.random.default_rng(int(level)).normal(0, 0.01, len(days))
    closes = Closes(symbol, days, level * np.exp(np.cumsum(moves)))
    store.put_closes(closes, source=source, priority=Priority.FILE)


def put_panel(store: Store, name: str, first: str, last: str, seed: int) -> None:
    days = NYSE.days(date.fromisoformat(first), date.fromisoformat(last))
    close = 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (len(days), 3)), axis=0))
    store.put_panel(Panel(name, ("A", "B", "C"), days, close, date(2024, 1, 1)), source="test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Closes to 2024-07-11 and two universes: `early` of 2024, and the newer `late`, which begins in July."""
    with Store(tmp_path / FILE_NAME) as store:
        put_closes(store, "^RUT", "2024-01-02", "2024-07-11", 2000.0)
        put_closes(store, "^NDX", "2024-01-02", "2024-07-11", 20000.0)
        put_panel(store, "early", "2024-01-02", "2024-07-11", 1)
        put_panel(store, "late", "2024-07-01", "2024-07-11", 2)
    return tmp_path


def test_a_report_is_live_unless_a_moment_is_asked_for(folder):
    assert snapshot_for(folder).mode is Mode.LIVE
    then = snapshot_for(folder, as_of=parse_as_of("2024-07-10"))
    assert (then.mode, then.history.day) == (Mode.AS_OF, date(2024, 7, 10))


def test_a_live_report_of_an_old_store_says_how_old_it_is(folder):
    shown = snapshot_for(folder)
    missing = len(NYSE.days(date(2024, 7, 12), NYSE.last_closed(shown.moment).day))
    document = as_json(shown)
    ratio = document["ratio"]
    assert isinstance(ratio, dict)
    assert ratio["date"] == "2024-07-11"
    assert f"end 11 Jul 2024, {missing:,} sessions before" in str(ratio["date_note"])
    assert "STALE · store ends 11 Jul 2024" in as_text(shown)
    current = as_json(snapshot_for(folder, as_of=parse_as_of("2024-07-11")))["ratio"]
    assert isinstance(current, dict)
    assert "date_note" not in current


def test_the_move_from_the_open_is_that_of_the_last_day_shown_even_when_the_store_is_old(folder):
    with Store(folder / FILE_NAME) as store:
        for symbol, opened, close in (("^RUT", 2000.0, 2060.0), ("^NDX", 20000.0, 19800.0)):
            start = np.array([int(datetime(2024, 7, 11, tzinfo=UTC).timestamp())])
            prices = [np.array([one]) for one in (opened, max(opened, close), min(opened, close), close, 0.0)]
            store.put_bars(Bars(symbol, Interval.DAY, start, *prices), source="file:a", priority=Priority.FILE)
    divergence = as_json(snapshot_for(folder))["divergence"]
    assert isinstance(divergence, dict)
    assert divergence["from_open_pp"] == pytest.approx(3.0 - -1.0)


def test_no_store_is_made_where_there_is_none(tmp_path):
    shown = snapshot_for(tmp_path / "typo")
    assert as_json(shown)["ratio"] is None
    assert not (tmp_path / "typo").exists()


def test_a_universe_is_taken_by_name(folder):
    shown = snapshot_for(folder, as_of=parse_as_of("2024-07-11"), universe="early")
    correlation = as_json(shown)["correlation"]
    assert isinstance(correlation, dict)
    assert "universe early" in str(correlation["n_stocks_note"])
    assert isinstance(correlation["mean_pairwise"], dict)
    assert correlation["mean_pairwise"]["63"] is not None


def test_without_a_name_the_newest_universe_that_had_begun_is_taken(folder):
    for day, name in (("2024-07-11", "late"), ("2024-06-28", "early")):
        correlation = as_json(snapshot_for(folder, as_of=parse_as_of(day)))["correlation"]
        assert isinstance(correlation, dict)
        assert f"universe {name}" in str(correlation["n_stocks_note"])


def test_the_settings_of_the_folder_count(folder):
    (folder / "settings.toml").write_text('universe = "early"\n', encoding="utf-8")
    correlation = as_json(snapshot_for(folder, as_of=parse_as_of("2024-07-11")))["correlation"]
    assert isinstance(correlation, dict)
    assert "universe early" in str(correlation["n_stocks_note"])


def test_a_universe_that_is_not_there_is_refused_with_those_that_are(folder, tmp_path):
    with pytest.raises(UnknownUniverseError) as refused:
        snapshot_for(folder, universe="sp500")
    assert isinstance(refused.value, UserError)
    assert str(refused.value) == "no universe 'sp500' in the store; there are late, early"
    with pytest.raises(UnknownUniverseError, match="there is none yet: import"):
        snapshot_for(tmp_path / "none", universe="sp500")


def test_the_demo_is_seen_at_its_close_with_the_published_levels(demo):
    assert demo.mode is Mode.DEMO
    assert demo.moment == datetime(2024, 7, 11, 20, 0, tzinfo=UTC)
    document = as_json(demo)
    assert isinstance(document["ratio"], dict)
    assert isinstance(document["divergence"], dict)
    assert (document["ratio"]["ndx"], document["ratio"]["rut"]) == (20211.36, 2125.04)
    assert document["ratio"]["date"] == "2024-07-11"
    assert document["divergence"]["spread_pp"] == pytest.approx(5.816, abs=1e-3)
    assert document["divergence"]["rank"] == 2


def test_the_levels_at_which_claims_are_given_up_are_those_of_the_settings(folder):
    assert set(kill_levels_of(folder).values()) == {None}
    typed = '[thesis.kill]\nstretched = "10.2"\nfall_less = "soon"\n'
    (folder / "settings.toml").write_text(typed, encoding="utf-8")
    levels = kill_levels_of(folder)
    assert (levels["stretched"], levels["fall_less"]) == (10.2, None)
    assert list(levels) == list(MEASURES)


# --- where the closes came from


def test_origins_are_told_up_to_the_day_of_the_report(folder):
    with Store(folder / FILE_NAME) as store:
        put_closes(store, "^RUT", "2024-07-08", "2024-07-11", 2000.0, source="Yahoo")
        assert store.origins("^RUT", date(2024, 7, 9)) == [
            Origin("file:made.csv", 128, date(2024, 1, 2), date(2024, 7, 5)),
            Origin("Yahoo", 2, date(2024, 7, 8), date(2024, 7, 9)),
        ]
        assert store.origins("^RUT", date(2023, 12, 29)) == []
    shown = snapshot_for(folder, as_of=parse_as_of("2024-07-09"))
    assert origins_of(folder, shown) == (
        "^NDX: made.csv (2 Jan 2024 to 9 Jul 2024)",
        "^RUT: made.csv (2 Jan 2024 to 5 Jul 2024), Yahoo (8 Jul 2024 to 9 Jul 2024)",
    )


def test_the_demo_and_an_absent_store_have_no_origins(demo, folder, tmp_path):
    assert origins_of(folder, demo) == ()
    assert origins_of(tmp_path / "none", snapshot_for(folder)) == ()


# --- how sources stood


def quote(symbol: str, at: datetime, age_s: float, source: str = "Yahoo", delay_s: float = 0.0) -> Quote:
    event = at - timedelta(seconds=age_s)
    return Quote(symbol, 100.0, event, event + timedelta(seconds=1), source, declared_delay_s=delay_s)


@pytest.mark.parametrize(
    ("at", "age_s", "delay_s", "state"),
    [
        (NOON, 5, 0, FeedState.LIVE),
        (NOON, 90, 0, FeedState.LIVE),
        (NOON, 91, 0, FeedState.STALE),
        (NOON, 930, 900, FeedState.DELAYED),
        (NOON, 30, 900, FeedState.DELAYED),
        (NOON, 3600, 900, FeedState.STALE),
        (NIGHT, 7 * 3600, 0, FeedState.CLOSED),
        (NIGHT, 60, 0, FeedState.LIVE),
    ],
)
def test_the_state_of_a_source_follows_from_the_age_of_its_quotes(at, age_s, delay_s, state):
    with Store(None) as store:
        store.put_quotes([quote("^RUT", at, age_s, delay_s=delay_s), quote("^NDX", at, age_s, delay_s=delay_s)])
        found = stored_sources(store, at)
    assert [(one.source, one.state, one.age_s) for one in found] == [("Yahoo", state, max(age_s, delay_s))]


def test_the_best_pair_speaks_for_a_source_and_is_as_old_as_its_older_leg():
    with Store(None) as store:
        store.put_quotes(
            [
                quote("^RUT", NOON, 900),
                quote("^NDX", NOON, 1),
                quote("IWM", NOON, 40),
                quote("QQQ", NOON, 10),
                quote("NQ=F", NOON, 2, source="Other"),
            ]
        )
        found = {one.source: one for one in stored_sources(store, NOON)}
    assert (found["Yahoo"].age_s, found["Yahoo"].state) == (40.0, FeedState.LIVE)
    assert found["Other"].age_s == 2.0
    assert found["Yahoo"].last_success == NOON


def test_a_store_without_quotes_has_no_sources():
    with Store(None) as store:
        assert stored_sources(store, NOON) == ()
