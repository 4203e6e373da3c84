"""What was not known at as-of changes no byte of the report's JSON, whatever it is and however wild."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.deferred import Deferred
from desktop.market.quotes import Bars, Closes, Interval, Panel, Quote
from desktop.market.sessions import NYSE, parse_as_of
from desktop.market.store import Observation, Priority, Store
from desktop.report import as_json
from desktop.report.made import stored_sources
from desktop.settings import Settings
from desktop.snapshot import Mode, SnapshotBuilder

FIRST, LAST = date(2022, 1, 3), date(2024, 7, 24)
DAY = date(2024, 7, 11)
LEGS = ("^RUT", "^NDX", "IWM", "QQQ", "RTY=F", "NQ=F")
DAILY = {"^RUT": 2000.0, "^NDX": 20000.0, "IWM": 200.0, "QQQ": 500.0, "^SPX": 5500.0}
GAUGES = {"^VIX": 13.0, "^VIX3M": 15.0, "^COR1M": 4.0, "^DSPX": 34.0}
NAMES = tuple(f"N{number:02}" for number in range(24))
MOMENTS = {
    "before a release": "2024-07-11T08:29:30-04:00",
    "after a release": "2024-07-11T08:40:10-04:00",
    "in the session": "2024-07-11T10:31:20-04:00",
    "at the close": "2024-07-11T16:00:00-04:00",
    "at night": "2024-07-11",
    "on a Saturday": "2024-07-13T12:00:00-04:00",
}


@dataclass(frozen=True)
class Later:
    """What comes after as-of, drawn: a seed for its values, how wild they are, which kinds there are."""

    seed: int
    wild: float
    kinds: frozenset[str]


KINDS = ("closes", "bars", "quotes", "late quotes", "series", "panel", "new panel")


def walk(seed: int, level: float, n: int, sd: float = 0.012) -> Any:
    return level * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, sd, n)))


def put_days(store: Store, symbol: str, days: Any, close: Any) -> None:
    if symbol in DAILY:
        start = days.astype("datetime64[s]").astype(np.int64)
        bars = Bars(symbol, Interval.DAY, start, close * 0.999, close * 1.01, close * 0.99, close, 0 * close)
        store.put_bars(bars, source="past", priority=Priority.FILE)
    else:
        store.put_closes(Closes(symbol, days, close), source="past", priority=Priority.FILE)


def put_minutes(store: Store, symbol: str, interval: Interval, start: Any, close: Any) -> None:
    bars = Bars(symbol, interval, start, close, close, close, close, 0 * close)
    store.put_bars(bars, source="minutes", priority=Priority.FILE)


def panel(names: tuple[str, ...], days: Any, close: Any, name: str = "names") -> Panel:
    return Panel(name, names, days, close, date(2024, 1, 1))


@cache
def past_values() -> dict[str, Any]:
    days = NYSE.days(FIRST, LAST)
    values: dict[str, Any] = {
        symbol: walk(number, level, len(days)) for number, (symbol, level) in enumerate((DAILY | GAUGES).items())
    }
    values["names"] = np.column_stack([walk(100 + number, 50.0, len(days), 0.02) for number in range(len(NAMES))])
    return values


def filled(as_of: datetime) -> Store:
    """Everything known at as-of, and nothing else."""
    store, days = Store(None), NYSE.days(FIRST, LAST)
    known = int(np.searchsorted(days, np.datetime64(NYSE.last_closed(as_of).day), side="right"))
    for symbol in DAILY | GAUGES:
        put_days(store, symbol, days[:known], past_values()[symbol][:known])
    store.put_panel(panel(NAMES, days[:known], past_values()["names"][:known]), source="past")
    for number, symbol in enumerate(LEGS):
        level = DAILY.get(symbol, DAILY["^RUT"] if symbol == "RTY=F" else DAILY["^NDX"])
        for day in (date(2024, 7, 10), DAY):
            first = int(
                datetime(day.year, day.month, day.day, 13 if symbol[0] == "^" else 12, 30, tzinfo=UTC).timestamp()
            )
            start = first + 60 * np.arange(60 * 8)
            close = walk(200 + number + day.day, level, len(start), 0.0005)
            done = start + 60 <= as_of.timestamp()
            put_minutes(store, symbol, Interval.MINUTE, start[done], close[done])
        at = as_of - timedelta(seconds=20 + number)
        store.put_quotes([Quote(symbol, level, at, at + timedelta(seconds=5), "feed")])
    return store


def add(store: Store, as_of: datetime, later: Later) -> None:
    """Add what nobody could know at as-of."""
    rng = np.random.default_rng(later.seed)

    def wild(n: int) -> Any:
        return np.exp(rng.normal(0, later.wild, n))

    days = NYSE.days(FIRST, LAST)
    known = int(np.searchsorted(days, np.datetime64(NYSE.last_closed(as_of).day), side="right"))
    coming = days[known:]
    if "closes" in later.kinds:
        for symbol, level in (DAILY | GAUGES).items():
            put_days(store, symbol, coming, level * wild(len(coming)))
    if "bars" in later.kinds:
        for symbol in LEGS:
            for interval in (Interval.MINUTE, Interval.FIVE_MINUTES, Interval.FIFTEEN_MINUTES):
                under_way = int(as_of.timestamp()) // interval.seconds * interval.seconds
                start = under_way + interval.seconds * np.arange(40)
                put_minutes(store, symbol, interval, start, 100.0 * wild(len(start)))
    if "quotes" in later.kinds:
        for symbol in LEGS:
            at = as_of + timedelta(seconds=float(rng.uniform(0.000001, 7200)))
            store.put_quotes([Quote(symbol, 100.0 * float(wild(1)[0]), at, at, "feed", declared_delay_s=900.0)])
    if "late quotes" in later.kinds:
        for symbol in LEGS:
            at = as_of - timedelta(seconds=float(rng.uniform(0, 60)))
            arrival = as_of + timedelta(seconds=float(rng.uniform(0.000001, 7200)))
            store.put_quotes([Quote(symbol, 100.0 * float(wild(1)[0]), at, arrival, "another feed")])
    if "series" in later.kinds:
        one = Observation(as_of.date() - timedelta(days=3), float(wild(1)[0]), as_of + timedelta(microseconds=1))
        store.put_series("DGS2", [one], source="later")
    if "panel" in later.kinds:
        listed_later = np.full((len(days), 1), np.nan)
        listed_later[known:] = 10.0
        close = np.column_stack([past_values()["names"], listed_later])
        close[known:] *= wild(close[known:].size).reshape(-1, close.shape[1])
        store.put_panel(panel((*NAMES, "NEW"), days, close), source="later")
    if "new panel" in later.kinds:
        close = 50.0 * wild(len(coming) * 30).reshape(len(coming), 30)
        store.put_panel(panel(tuple(f"X{n}" for n in range(30)), coming, close, "newer"), source="later")


def document(store: Store, as_of: datetime, reference: str) -> str:
    chosen = replace(Settings(), reference=reference)
    feed = stored_sources(store, as_of)
    snapshot = SnapshotBuilder(store, Deferred()).build(as_of, chosen, mode=Mode.AS_OF, feed=feed)
    return json.dumps(as_json(snapshot), indent=2, allow_nan=False)


@cache
def known_document(moment: str, reference: str) -> str:
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        return document(store, as_of, reference)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_report_that_must_not_change_is_full_of_figures(moment):
    found = json.loads(known_document(moment, "prior_close"))
    assert found["divergence"]["spread_pp"] is not None
    assert found["correlation"]["percentile_1y"] is not None
    assert found["correlation"]["implied_cor1m"] is not None
    assert None not in found["regime"]["flags"].values()
    assert [one["source"] for one in found["feed"]] == ["feed"]
    live = moment in ("after a release", "in the session", "before a release")
    assert (found["divergence"]["leg_age_s"]["rut"] is not None) is live


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    moment=st.sampled_from(sorted(MOMENTS)),
    reference=st.sampled_from(["prior_close", "open", "release"]),
    later=st.builds(
        Later,
        seed=st.integers(0, 2**32 - 1),
        wild=st.sampled_from([0.0, 0.01, 2.0]),
        kinds=st.frozensets(st.sampled_from(KINDS), min_size=1),
    ),
)
def test_nothing_from_after_as_of_changes_the_report(moment, reference, later):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        add(store, as_of, later)
        assert document(store, as_of, reference) == known_document(moment, reference)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_no_single_kind_of_later_data_changes_the_report(moment, kind):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        add(store, as_of, Later(7, 2.0, frozenset({kind})))
        assert document(store, as_of, "prior_close") == known_document(moment, "prior_close")


@pytest.mark.parametrize("kind", ["closes", "quotes", "late quotes"])
def test_the_same_data_does_change_the_report_of_a_later_moment(kind):
    as_of = parse_as_of(MOMENTS["in the session"])
    with filled(as_of) as store:
        then = as_of + timedelta(days=12)
        before = document(store, then, "prior_close")
        add(store, as_of, Later(7, 2.0, frozenset({kind})))
        assert document(store, then, "prior_close") != before
