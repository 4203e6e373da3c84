"""What the claims rest on, as it was known: nothing early, nothing twice, reasons where something is missing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from desktop import evidence
from desktop.analytics import drawdowns, events, ratio, seasonality
from desktop.analytics.rates import Fixing, zq_symbol
from desktop.analytics.ratio import PairSeries
from desktop.deferred import Deferred
from desktop.desk import live_plan
from desktop.evidence import Evidence, Gatherer
from desktop.market.clock import PlayClock
from desktop.market.instruments import LIVE_SYMBOLS
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Observation, Priority, Store
from desktop.settings import Settings, changed
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.feed import Feed, FeedState, Plan
from desktop.sources.files.publication import cot_published
from desktop.typed_figures import FigureReader

FIRST, DAY = date(2023, 1, 3), date(2024, 7, 11)
EVENING = datetime(2024, 7, 11, 22, 0, tzinfo=UTC)


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def why(found: object) -> str:
    assert isinstance(found, Unknown), found
    return found.reason


def walk(seed: int, n: int, level: float) -> Any:
    return level * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.012, n)))


@pytest.fixture(scope="module")
def legs() -> PairSeries:
    days = NYSE.days(FIRST, DAY)
    rut, ndx = (Closes(name, days, walk(seed, len(days), 2000.0)) for seed, name in enumerate(("^RUT", "^NDX")))
    return ratio.pair(rut, ndx, NYSE.days(FIRST, DAY + timedelta(days=7)))


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as made:
        yield made


def put_series(store: Store, name: str, day: date, value: float, at: datetime) -> None:
    store.put_series(name, [Observation(day, value, at)], source="test")


def put_close(store: Store, symbol: str, day: date, close: float) -> None:
    one = Closes(symbol, np.array([day], dtype="datetime64[D]"), np.array([close]))
    store.put_closes(one, source="test", priority=Priority.FILE)


def put_quote(store: Store, symbol: str, price: float, at: datetime) -> None:
    store.put_quotes([Quote(symbol, price, at, at, "test")])


def put_target(store: Store) -> None:
    for name, value in (("DFEDTARL", 5.25), ("DFEDTARU", 5.5), ("EFFR", 5.33)):
        put_series(store, name, DAY, value, EVENING - timedelta(hours=8))


class Frames:
    """One window's gatherer, asked at moments moved by hand."""

    def __init__(self, store: Store, legs: PairSeries, *, charts: bool = True) -> None:
        self.store, self.legs = store, legs
        self.gatherer = Gatherer(store, Deferred(), charts=charts)

    def at(self, moment: datetime, key: Hashable = None) -> Evidence:
        key = self.store.history_version if key is None else key
        return self.gatherer.gather(self.legs, DAY, moment, key)


# --- what becomes known


def latest_yield(found: Evidence) -> date | None:
    day: date | None = sure(sure(found.rates).two_year).two_year_date
    return day


def test_a_value_appears_in_the_minute_after_it_became_known_and_not_before(store, legs):
    put_series(store, "DGS2", date(2024, 7, 10), 4.62, EVENING - timedelta(days=1))
    put_series(store, "DGS2", DAY, 4.50, EVENING + timedelta(seconds=30))
    frames = Frames(store, legs)
    for seconds, day in ((-60, 10), (10, 10), (29, 10), (45, 10), (60, 11), (3600, 11)):
        assert latest_yield(frames.at(EVENING + timedelta(seconds=seconds))) == date(2024, 7, day), seconds


def test_a_moment_moved_back_within_the_minute_forgets_what_came_later(store, legs):
    put_series(store, "DGS2", date(2024, 7, 10), 4.62, EVENING - timedelta(days=1))
    put_series(store, "DGS2", DAY, 4.50, EVENING + timedelta(seconds=30))
    frames = Frames(store, legs)
    assert latest_yield(frames.at(EVENING + timedelta(seconds=40))) == DAY
    assert latest_yield(frames.at(EVENING + timedelta(seconds=20))) == date(2024, 7, 10)
    assert latest_yield(frames.at(EVENING + timedelta(seconds=60))) == DAY


def test_a_value_that_arrives_late_is_seen_at_once(store, legs):
    put_series(store, "DGS2", date(2024, 7, 10), 4.62, EVENING - timedelta(days=1))
    frames = Frames(store, legs)
    assert latest_yield(frames.at(EVENING)) == date(2024, 7, 10)
    put_series(store, "DGS2", DAY, 4.50, EVENING - timedelta(seconds=1))
    assert latest_yield(frames.at(EVENING)) == DAY


def put_reports(store: Store, last: date) -> None:
    for code in ("209742", "239742"):
        for week in range(60):
            day = last - timedelta(weeks=week)
            for name in ("open_interest", "asset_manager_net", "leveraged_net"):
                value = 1000.0 + 10 * (week % 7) + (name == "leveraged_net") * (week % 5)
                put_series(store, f"COT:{code}:{name}", day, value, cot_published(day))


def test_positions_of_a_tuesday_are_known_on_friday_at_1530_in_new_york(store, legs):
    put_reports(store, date(2024, 7, 9))
    frames = Frames(store, legs)
    friday = datetime(2024, 7, 12, 19, 30, tzinfo=UTC)
    before, after = (sure(frames.at(friday + timedelta(seconds=s)).positioning) for s in (-1, 0))
    assert (before.latest.report_date, before.next_due) == (date(2024, 7, 2), friday)
    assert (after.latest.report_date, after.next_due) == (date(2024, 7, 9), friday + timedelta(days=7))


def test_a_holiday_moves_the_next_report(store, legs):
    put_reports(store, date(2024, 6, 25))
    found = sure(Frames(store, legs).at(datetime(2024, 7, 3, 12, 0, tzinfo=UTC)).positioning)
    assert found.next_due == datetime(2024, 7, 8, 19, 30, tzinfo=UTC)  # Independence Day lies between


def test_the_next_report_of_an_old_store_lies_ahead(store, legs):
    put_reports(store, date(2024, 1, 2))
    found = sure(Frames(store, legs).at(EVENING).positioning)
    assert found.latest.report_date == date(2024, 1, 2)
    assert found.next_due == datetime(2024, 7, 12, 19, 30, tzinfo=UTC)


# --- fed funds futures


def change_in_july(found: Evidence) -> float:
    """Basis points priced for the meeting of 31 July 2024, from August's price."""
    first = sure(sure(found.rates).path).meetings[0]
    assert first.meeting == date(2024, 7, 31)
    return float(sure(first.change_bp))


def test_the_path_follows_quotes_of_the_futures_in_the_next_minute(store, legs):
    put_target(store)
    august = zq_symbol(date(2024, 8, 1))
    put_quote(store, august, 94.67, EVENING - timedelta(minutes=5))
    put_quote(store, august, 94.72, EVENING + timedelta(seconds=20))
    frames = Frames(store, legs)
    assert change_in_july(frames.at(EVENING + timedelta(seconds=10))) == pytest.approx(0.0, abs=1e-6)
    assert change_in_july(frames.at(EVENING + timedelta(seconds=30))) == pytest.approx(0.0, abs=1e-6)
    assert change_in_july(frames.at(EVENING + timedelta(seconds=60))) == pytest.approx(-5.0)
    assert change_in_july(frames.at(EVENING + timedelta(seconds=15))) == pytest.approx(0.0, abs=1e-6)


def test_the_later_of_quote_and_close_counts(store, legs):
    put_target(store)
    august = zq_symbol(date(2024, 8, 1))
    put_quote(store, august, 94.60, EVENING - timedelta(days=2))
    put_close(store, august, DAY, 94.67)
    frames = Frames(store, legs)
    found = frames.at(EVENING)
    assert change_in_july(found) == pytest.approx(0.0, abs=1e-6)
    put_quote(store, august, 94.72, EVENING)
    found = frames.at(EVENING + timedelta(minutes=1))
    assert change_in_july(found) == pytest.approx(-5.0)
    assert sure(sure(found.rates).strip).last == DAY


def test_prices_older_than_five_days_say_nothing(store, legs):
    put_target(store)
    august = zq_symbol(date(2024, 8, 1))
    put_quote(store, august, 94.60, EVENING - timedelta(days=5, seconds=1))
    put_close(store, august, date(2024, 7, 5), 94.67)
    assert "no prices of fed funds futures" in why(sure(Frames(store, legs).at(EVENING).rates).path)
    put_close(store, august, date(2024, 7, 8), 94.67)
    found = sure(Frames(store, legs).at(EVENING).rates)
    assert change_in_july(Frames(store, legs).at(EVENING)) == pytest.approx(0.0, abs=1e-6)
    assert (found.strip.first, found.strip.last) == (date(2024, 7, 8), date(2024, 7, 8))


def test_the_decision_day_counts_as_the_settings_say(store, legs):
    """METHODS 4: September 2015, average .195 from .1325: P(hike) with N = day, and with N = day - 1."""
    day, month = date(2015, 9, 1), zq_symbol(date(2015, 9, 1))
    morning = datetime(2015, 9, 1, 14, 0, tzinfo=UTC)
    for name, value in (("EFFR", 0.1325), ("DFEDTARL", 0.0), ("DFEDTARU", 0.25)):
        put_series(store, name, day, value, morning)
    put_quote(store, month, 100 - 0.195, morning)
    gatherer = Gatherer(store, Deferred())
    for rule, hike in (("old_rate", 0.576923), ("new_rate", 0.535714)):
        figures = FigureReader().read(changed(Settings(), "day_rule", rule))
        found = gatherer.gather(legs, DAY, morning + timedelta(hours=1), 1, figures)
        first = sure(sure(found.rates).path).meetings[0]
        assert (first.meeting, first.steps[-1].change_bp) == (date(2015, 9, 17), 25)
        assert first.steps[-1].p == pytest.approx(hike, abs=1e-6)
        assert first.other_rule_shift == pytest.approx(0.576923 - 0.535714, abs=1e-6)


def test_a_meeting_is_over_when_its_day_is_over_in_new_york(store, legs):
    put_target(store)
    for month in (8, 9, 10):
        put_quote(store, zq_symbol(date(2024, month, 1)), 94.8, datetime(2024, 7, 31, 20, 0, tzinfo=UTC))
    frames = Frames(store, legs)
    midnight = datetime(2024, 8, 1, 4, 0, tzinfo=UTC)
    for seconds, meeting in ((-1, date(2024, 7, 31)), (0, date(2024, 9, 18))):
        path = sure(sure(frames.at(midnight + timedelta(seconds=seconds)).rates).path)
        assert path.meetings[0].meeting == meeting


# --- what is worked out once


def test_frames_with_nothing_new_show_the_same_objects(store, legs):
    put_target(store)
    put_reports(store, date(2024, 7, 2))
    put_series(store, "DGS2", date(2024, 7, 10), 4.62, EVENING - timedelta(days=1))
    put_quote(store, zq_symbol(date(2024, 8, 1)), 94.67, EVENING - timedelta(minutes=5))
    frames = Frames(store, legs)
    first = frames.at(EVENING)
    for minutes in (0.01, 1, 2, 60):
        later = frames.at(EVENING + timedelta(minutes=minutes))
        for part in ("events", "total_return", "rates", "positioning", "seasonality", "declines", "flow"):
            assert getattr(later, part) is getattr(first, part), part


def test_prices_of_other_symbols_leave_what_does_not_rest_on_them(store, legs, monkeypatch):
    asked: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def count(*given: object, **named: object) -> object:
            asked.append(name)
            return real(*given, **named)

        return count

    for module, name in ((events, "event_study"), (seasonality, "seasonality"), (drawdowns, "declines")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    put_close(store, "^VIX", DAY, 12.92)
    frames = Frames(store, legs)
    frames.at(EVENING)
    assert sorted(asked) == ["declines", "event_study", "seasonality"]
    put_close(store, "AAPL", DAY, 227.57)
    frames.at(EVENING)
    assert len(asked) == 3
    put_close(store, "^VIX", date(2024, 7, 10), 12.85)
    frames.at(EVENING)
    assert sorted(asked[3:]) == ["declines", "seasonality"]


def test_closes_that_are_revised_are_a_new_question(store, legs):
    frames = Frames(store, legs)
    first = frames.at(EVENING, key=1).declines
    ndx = legs.ndx.copy()
    ndx[[100, 200]] = ndx[[200, 100]]  # the same sum
    frames.legs = ratio.pair(Closes("^RUT", legs.days, legs.rut), Closes("^NDX", legs.days, ndx), legs.sessions)
    assert frames.at(EVENING, key=1).declines is first
    assert frames.at(EVENING, key=2).declines is not first


def test_what_only_a_chart_shows_is_left_out_without_charts(store, legs):
    for number, day in enumerate(NYSE.days(FIRST, DAY)):
        put_series(store, "DGS2", day.item(), 4.0 + 0.01 * (number % 13), EVENING - timedelta(days=1))
    assert "chart" in why(sure(Frames(store, legs, charts=False).at(EVENING).rates).slopes)
    assert len(sure(sure(Frames(store, legs).at(EVENING).rates).slopes).days) > 100


# --- what is missing


def test_an_empty_store_gives_reasons(store):
    none = Closes("none", np.array([], dtype="datetime64[D]"), np.array([]))
    found = Frames(store, ratio.pair(none, none, NYSE.days(FIRST, DAY))).at(EVENING)
    assert "252 days" in why(found.events)
    assert "IWM and QQQ" in why(found.total_return)
    assert "VIX" in why(found.seasonality)
    assert "RUT and NDX" in why(found.declines)
    assert "CFTC" in why(found.positioning)
    parts = sure(found.rates)
    assert "DGS2" in why(parts.two_year)
    assert "fed funds futures" in why(parts.path)
    assert sure(found.flow).median_companies == pytest.approx(100 / 3)


def test_the_effective_rate_of_the_later_day_counts(store):
    put_series(store, "DFF", date(2024, 7, 10), 5.33, EVENING)
    put_series(store, "EFFR", date(2024, 7, 9), 5.30, EVENING)
    assert evidence._effr(store, EVENING) == Fixing(date(2024, 7, 10), 5.33)
    assert evidence._effr(store, EVENING - timedelta(seconds=1)) is None


# --- prices of the futures, live


def test_the_thirteen_months_of_the_path_are_quoted_with_all_else():
    plan = live_plan(today=date(2024, 12, 31))
    assert plan.live[: len(LIVE_SYMBOLS)] == LIVE_SYMBOLS
    names, months = plan.live[len(LIVE_SYMBOLS) : -13], plan.live[-13:]
    assert set(names) == {"AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA"}
    assert (months[0], months[1], months[-1]) == ("ZQZ24.CBT", "ZQF25.CBT", "ZQZ25.CBT")
    assert live_plan(offline=True).off
    assert set(plan.minute) | set(plan.daily) <= set(Plan().minute) | set(Plan().daily)


class Batch:
    """A source whose pairs are fresh, whose futures are ten minutes late, and which lacks one month."""

    name = "batch"

    def __init__(self, now: datetime, missing: str) -> None:
        self.now, self.missing = now, missing
        self.asked: list[tuple[str, ...]] = []

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        self.asked.append(tuple(symbols))
        return {symbol: self._quote(symbol) for symbol in symbols}

    def _quote(self, symbol: str) -> Quote | Failure:
        if symbol == self.missing:
            return Failure(FailureKind.NOT_FOUND, self.name, symbol, "not known here", self.now)
        late = timedelta(minutes=10) if symbol.startswith("ZQ") else timedelta(seconds=2)
        return Quote(symbol, 94.7, self.now - late, self.now, self.name)

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        return Failure(FailureKind.NO_DATA, self.name, symbol, "no bars here", self.now)


def test_futures_that_are_late_or_missing_leave_the_source_as_it_is(store):
    now = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
    plan = replace(live_plan(today=DAY), minute=(), daily=(), adjusted=(), universe=())
    source, done = Batch(now, zq_symbol(date(2025, 7, 1))), threading.Event()
    clock = PlayClock(now, 1.0, end=now)  # stands still
    feed = Feed(store, (source,), clock, done.set, plan)
    feed.start()
    try:
        feed.refresh_now()
        assert done.wait(20)
        (state,) = feed.states()
    finally:
        feed.stop()
    assert set(source.asked) == {plan.live}  # one request for all
    assert (state.state, state.age_s, state.declared_delay_s) == (FeedState.LIVE, 2.0, 0.0)
    assert state.last_success == now
    assert feed.unreachable is None
    priced = sure(evidence._strip(store, now)).prices
    assert len(priced) == 12
    assert set(priced.values()) == {94.7}
