"""Alerts on a real store and book: what fires live, what never fires, what is kept, and the daily history."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop import alert_watch, thesis
from desktop.alert_book import AlertBook
from desktop.alert_values import LEAST_RANKED, NO_TRADE, NOT_NOW, Seen, daily, read, z_history
from desktop.alert_watch import Occurred, Watched, Watcher, occurred
from desktop.analytics import ratio
from desktop.answers import Kept
from desktop.book import FILE_NAME, Book
from desktop.deferred import Deferred
from desktop.market.known import Unknown, UserError
from desktop.market.quotes import Closes, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Observation, Priority, Store
from desktop.settings import Settings, changed
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.state import FeedState, SourceState
from desktop.trade.alerts import Condition, Reading, Repeat, Rule, Subject, Watch
from widgets.states_alerts import Act, RuleAct, RuleForm

NOW = datetime(2024, 7, 10, 15, 0, tzinfo=UTC)
"""A Wednesday, 11:00 in New York; the last closed session is 9 July."""
LAST = date(2024, 7, 9)
RATIO = Watch(Subject.RATIO)
SESSIONS = 1400


def closes(last: date = LAST, sessions: int = SESSIONS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    days = NYSE.days(date(last.year - 7, 1, 1), last)[-sessions:]
    step = np.arange(len(days), dtype=np.float64)
    noise = np.random.default_rng(7).normal(0, 5, (2, len(days)))
    return days, 2000 + 60 * np.sin(step / 9) + noise[0], 18000 + 2 * step + 500 * np.sin(step / 7) + noise[1]


def source(state: FeedState, *, error: bool = False, note: str = "") -> SourceState:
    failed = Failure(FailureKind.OFFLINE, "yahoo", "", "cannot be reached", NOW)
    return SourceState("yahoo", state, 3.0, 0.0, NOW, failed if error else None, None, note)


@dataclass
class Bench:
    """A store with history and a live price, a book, and what watches them."""

    store: Store
    book: Book
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        days, rut, ndx = closes()
        for symbol, close in (("^RUT", rut), ("^NDX", ndx)):
            self.store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
        self.rut, self.ndx = float(rut[-1]), float(ndx[-1])
        self.builder = SnapshotBuilder(self.store, Deferred(lambda: None, held=True), charts=False)
        self.watcher = Watcher(self.book, self.store, Deferred())

    def quote(self, ratio_now: float, at: datetime, *, delay_s: float = 0.0) -> None:
        """Prices of both legs whose ratio is `ratio_now`."""
        self.store.put_quotes(
            Quote(symbol, price, at, at, "test", declared_delay_s=delay_s)
            for symbol, price in (("^RUT", self.ndx / ratio_now), ("^NDX", self.ndx))
        )

    def snapshot(self, moment: datetime, mode: Mode = Mode.LIVE, feed: tuple[SourceState, ...] = ()) -> Snapshot:
        return self.builder.build(moment, self.settings, mode=mode, feed=feed)

    def follow(self, moment: datetime, mode: Mode = Mode.LIVE, **more) -> Watched:
        seen = self.snapshot(moment, mode, more.pop("feed", ()))
        return self.watcher.follow(seen, thesis.claims(seen), self.settings, **more)

    def read(self, watch: Watch, moment: datetime, mode: Mode = Mode.LIVE, **more) -> Reading:
        seen = self.snapshot(moment, mode, more.pop("feed", ()))
        return read(watch, Seen(seen, more.get("judged", thesis.claims(seen)), self.settings, {}, {}))

    def add(self, rule: Rule) -> int:
        return AlertBook(self.book).put_rule(rule)

    @property
    def log(self) -> list[str]:
        return [one.title for one in AlertBook(self.book).log()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(None) as store, Book(tmp_path / FILE_NAME) as book:
        yield Bench(store, book)


AT_NINE = Rule(RATIO, Condition.ABOVE, 9.0, band=0.02)


# What fires


def test_a_live_price_beyond_the_level_fires_and_the_log_tells_value_age_and_source(bench):
    bench.add(AT_NINE)
    bench.quote(9.2, NOW - timedelta(seconds=7))
    told = bench.follow(NOW)
    (one,) = told.told
    assert one.entry.title == "Ratio NDX / RUT ≥ 9.000"
    (entry,) = AlertBook(bench.book).log()
    assert (entry.value, entry.age_s, entry.mode) == ("9.200", 7.0, "live")
    assert entry.data_at == NOW - timedelta(seconds=7)
    assert "^RUT / ^NDX" in entry.source
    assert bench.follow(NOW + timedelta(seconds=1)).told == told.told
    assert len(bench.log) == 1


def test_a_restart_fires_nothing_again(bench):
    bench.add(AT_NINE)
    bench.quote(9.2, NOW)
    bench.follow(NOW)
    bench.watcher = Watcher(bench.book, bench.store, Deferred())
    bench.quote(9.3, NOW + timedelta(minutes=5))
    assert bench.follow(NOW + timedelta(minutes=5)).told == ()
    assert len(bench.log) == 1


def test_a_second_window_on_the_same_book_does_not_tell_it_again(bench, tmp_path):
    bench.add(AT_NINE)
    bench.quote(9.2, NOW)
    bench.follow(NOW)
    with Book(tmp_path / FILE_NAME) as other:
        seen = bench.snapshot(NOW)
        assert Watcher(other, bench.store, Deferred()).follow(seen, (), bench.settings).told == ()


def test_the_demo_fires_and_says_so(bench):
    bench.add(AT_NINE)
    bench.quote(9.2, NOW)
    (one,) = bench.follow(NOW, Mode.DEMO).told
    assert one.entry.mode == "demo"


# What never fires


def test_an_earlier_moment_fires_nothing_and_remembers_nothing(bench):
    bench.add(AT_NINE)
    bench.add(Rule(Watch(Subject.RELEASE), Condition.BELOW, 100_000))
    bench.quote(9.2, NOW)
    told = bench.follow(NOW, Mode.AS_OF)
    assert (told.told, told.states, bench.log) == ((), {}, [])
    assert {one.blocked for one in told.readings.values()} == {NOT_NOW}


@pytest.mark.parametrize(
    ("age_s", "delay_s", "fires"), [(119, 0, True), (121, 0, False), (1, 900, False), (1100, 0, False)]
)
def test_a_price_older_than_the_limit_or_admitted_to_be_late_fires_nothing(bench, age_s, delay_s, fires):
    bench.add(AT_NINE)
    bench.quote(9.2, NOW - timedelta(seconds=age_s), delay_s=delay_s)
    told = bench.follow(NOW)
    assert len(told.told) == fires
    if not fires:
        assert f"the price is {max(age_s, delay_s)} s old, the limit is 120 s" == told.readings[RATIO].blocked


def test_the_limit_is_a_setting(bench):
    bench.settings = changed(Settings(), "alerts_max_age_s", 1000)
    bench.add(AT_NINE)
    bench.quote(9.2, NOW - timedelta(seconds=900))
    assert len(bench.follow(NOW).told) == 1


def test_after_the_close_prices_fire_nothing(bench):
    bench.add(AT_NINE)
    bench.quote(9.2, datetime(2024, 7, 10, 19, 59, 58, tzinfo=UTC))
    told = bench.follow(datetime(2024, 7, 10, 20, 0, 5, tzinfo=UTC))
    assert told.told == ()
    assert "the session is over" in told.readings[RATIO].blocked


def test_an_official_close_is_shown_and_fires_nothing(bench):
    bench.add(Rule(RATIO, Condition.BELOW, 1000))
    reading = bench.follow(NOW).readings[RATIO]
    assert reading.value == pytest.approx(bench.ndx / bench.rut)
    assert "live prices are awaited" in reading.blocked
    assert bench.log == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(8.0, 10.0), st.sampled_from([1, 100, 200, 2000]), st.sampled_from([0, 60, 900])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([Condition.ABOVE, Condition.BELOW, Condition.CROSSES]),
)
def test_whatever_fires_was_younger_than_the_limit(prices, condition):
    with Store(None) as store, Book(None) as book:
        bench = Bench(store, book)
        bench.add(Rule(RATIO, condition, 9.0))
        for number, (value, age_s, delay_s) in enumerate(prices):
            moment = NOW + timedelta(minutes=40 * number)
            bench.quote(value, moment - timedelta(seconds=age_s), delay_s=delay_s)
            bench.follow(moment)
        for entry in AlertBook(book).log():
            assert entry.age_s is not None
            assert entry.age_s <= 120


# Readings


def test_a_daily_number_counts_of_the_last_session_and_the_one_before_but_no_older(bench):
    days, _, _ = closes()

    def vix(keep: int) -> Reading:
        with Store(None) as store, Book(None) as book:
            one = Bench(store, book)
            store.put_closes(
                Closes("^VIX", days[: len(days) - keep], np.full(len(days) - keep, 15.0)),
                source="test",
                priority=Priority.FILE,
            )
            return one.read(Watch(Subject.VIX), NOW)

    assert (vix(0).value, vix(0).blocked, vix(0).occasion) == (15.0, "", "2024-07-09")
    assert isinstance(vix(3).value, Unknown), vix(3)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (source(FeedState.LIVE), "well"),
        (source(FeedState.CLOSED), "well"),
        (source(FeedState.STALE), "stale"),
        (source(FeedState.UNAVAILABLE, error=True), "unavailable"),
        (source(FeedState.UNAVAILABLE), Unknown("it has not been asked yet")),
        (source(FeedState.OFF, note="no key"), Unknown("no key")),
    ],
)
def test_how_a_source_stands_in_one_word(bench, one, word):
    assert bench.read(Watch(Subject.FEED, "yahoo"), NOW, feed=(one,)).value == word


def test_a_source_that_stops_is_told_and_its_return_too(bench):
    bench.add(Rule(Watch(Subject.FEED, "yahoo"), Condition.CHANGES))
    states = (FeedState.LIVE, FeedState.STALE, FeedState.STALE, FeedState.LIVE)
    for number, state in enumerate(states):
        bench.follow(NOW + number * timedelta(minutes=2), feed=(source(state),))
    assert [one.value for one in AlertBook(bench.book).log()] == ["stale → well", "well → stale"]


def test_a_release_is_announced_in_time(bench):
    release = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)  # CPI, 08:30 in New York
    bench.add(Rule(Watch(Subject.RELEASE, "cpi"), Condition.BELOW, 5))
    for minutes in (20, 6, 4, 1):
        bench.follow(release - timedelta(minutes=minutes))
    bench.follow(release + timedelta(minutes=1))
    assert [one.value for one in AlertBook(bench.book).log()] == ["4 min"]


def test_kill_levels_are_told_as_they_are_crossed_and_a_gap_in_the_data_is_no_return(bench):
    bench.add(Rule(Watch(Subject.KILL), Condition.CHANGES))
    bench.settings = changed(Settings(), "kill_stretched", "9.1")

    def see(value: float | Unknown, minutes: int) -> None:
        moment = NOW + timedelta(minutes=minutes)
        bench.quote(9.0, moment)
        seen = bench.snapshot(moment)
        claim, *others = thesis.claims(seen)
        assert claim.id == "stretched"
        judged = (replace(claim, value=value, note=""), *others)
        bench.watcher.follow(seen, judged, bench.settings)

    values: list[float | Unknown] = [9.0, 9.2, Unknown("no close"), 9.2, 9.0]
    for number, value in enumerate(values):
        see(value, 5 * number)
    assert [one.value for one in AlertBook(bench.book).log()] == [
        "Stretched past 2000 peak → none given up",
        "none given up → Stretched past 2000 peak",
    ]


def test_what_was_given_up_at_an_earlier_moment_is_no_news_of_now(bench):
    bench.add(Rule(Watch(Subject.KILL), Condition.CHANGES))
    bench.settings = changed(Settings(), "kill_stretched", "9.1")
    moments: list[tuple[Mode, float | Unknown]] = [
        (Mode.LIVE, 9.0),
        (Mode.AS_OF, 9.9),
        (Mode.LIVE, Unknown("being computed")),
        (Mode.LIVE, 9.0),
    ]
    for number, (mode, value) in enumerate(moments):
        moment = NOW + timedelta(minutes=5 * number)
        bench.quote(9.0, moment)
        seen = bench.snapshot(moment, mode)
        claim, *others = thesis.claims(seen)
        bench.watcher.follow(seen, (replace(claim, value=value), *others), bench.settings)
    assert bench.log == []


def test_trades_are_unknown_until_somebody_knows_them(bench):
    watch = Watch(Subject.PNL)
    assert bench.read(watch, NOW).value == Unknown(NO_TRADE)
    bench.add(Rule(watch, Condition.BELOW, -5000, band=500))
    bench.watcher.outside = lambda _: {watch: Reading(-6000.0, NOW, 2.0, "journal")}
    (one,) = bench.follow(NOW).told
    assert (one.entry.value, one.entry.source) == ("−$6,000", "journal")
    bench.watcher.outside = lambda _: {watch: Reading(-6000.0, NOW, 2.0, "journal")}
    assert bench.follow(NOW, Mode.AS_OF).readings[watch].blocked == NOT_NOW


# The book


def test_a_book_that_cannot_be_written_stops_no_alert_and_is_told(bench, monkeypatch):
    from desktop.market.database import StoreError

    bench.add(AT_NINE)
    bench.quote(9.2, NOW)

    def full(*_args: object) -> None:
        raise StoreError(bench.book.path, "no space left", "free some; nothing stored was lost")

    monkeypatch.setattr(AlertBook, "note", full)
    told = bench.follow(NOW)
    assert len(told.told) == 1
    assert "the log lacks what fired" in bench.follow(NOW + timedelta(seconds=1)).problem
    assert bench.follow(NOW + timedelta(minutes=3)).told == told.told  # it does not fire again and again


@pytest.mark.parametrize("by_time", [False, True])
def test_what_could_not_be_kept_is_kept_as_soon_as_the_book_takes_it(bench, tmp_path, monkeypatch, by_time):
    bench.add(AT_NINE)
    once = bench.add(replace(AT_NINE, level=9.1, repeat=Repeat.ONCE))
    with Book(tmp_path / FILE_NAME) as other:
        with other.writing() as db:
            db.execute("CREATE TRIGGER full BEFORE INSERT ON alert_log BEGIN SELECT RAISE(ABORT, 'no space'); END")
        bench.quote(9.2, NOW)
        told = bench.follow(NOW)
        assert [one.entry.title for one in told.told] == [f"Ratio NDX / RUT ≥ {n}" for n in ("9.000", "9.100")]
        bench.quote(8.9, NOW + timedelta(minutes=1))
        assert bench.follow(NOW + timedelta(minutes=1)).problem.startswith("the log lacks what fired")
        assert bench.log == []
        with other.writing() as db:
            db.execute("DROP TRIGGER full")
    later = NOW + timedelta(minutes=3)
    if by_time:
        monkeypatch.setattr(alert_watch, "_TRY_AGAIN_S", 0.0)
    else:
        bench.quote(9.2, later)
    kept = bench.follow(later)
    titles = ["Ratio NDX / RUT ≥ 9.100", "Ratio NDX / RUT ≥ 9.000"]
    expected = titles if by_time else ["Ratio NDX / RUT ≥ 9.000", *titles]
    assert (bench.log, [one.title for one in kept.log], kept.problem) == (expected, expected, "")
    assert AlertBook(bench.book).states()[once].fired_at == NOW
    bench.watcher = Watcher(bench.book, bench.store, Deferred())
    bench.quote(9.5, later + timedelta(minutes=5))
    bench.follow(later + timedelta(minutes=5))
    assert bench.log.count("Ratio NDX / RUT ≥ 9.100") == 1


def test_what_the_user_does_reaches_the_book(bench):
    act = bench.watcher.act
    act(RuleForm(subject="ratio", condition="above", level="9", note="ask"), NOW)
    (rule,) = AlertBook(bench.book).rules()[0]
    assert (rule.level, rule.note) == (9.0, "ask")
    act(RuleAct(Act.SNOOZE, rule.id, 15), NOW)
    assert AlertBook(bench.book).rules()[0][0].snoozed_until == NOW + timedelta(minutes=15)
    act(RuleAct(Act.SNOOZE, rule.id, 0), NOW)
    assert AlertBook(bench.book).rules()[0][0].snoozed_until == datetime(2024, 7, 11, 13, 30, tzinfo=UTC)
    act(RuleAct(Act.OFF, rule.id), NOW)
    assert bench.follow(NOW).rules[0].enabled is False
    act(RuleAct(Act.DELETE, rule.id), NOW)
    assert bench.follow(NOW).rules == ()


def test_a_rule_that_is_there_already_is_not_made_twice(bench):
    form = RuleForm(subject="ratio", condition="above", level="9")
    bench.watcher.act(form, NOW)
    with pytest.raises(UserError, match=r"Ratio NDX / RUT ≥ 9.000: there is such a rule already"):
        bench.watcher.act(replace(form, note="again", sound=False), NOW)
    (kept,) = AlertBook(bench.book).rules()[0]
    bench.watcher.act(replace(form, key=kept.id, note="edited"), NOW)
    bench.watcher.act(replace(form, level="9.1"), NOW)
    assert [(one.level, one.note) for one in AlertBook(bench.book).rules()[0]] == [(9.0, "edited"), (9.1, "")]


# History


def history(bench: Bench, rule: Rule, moment: datetime = NOW) -> Occurred:
    question = daily(rule.watch, bench.snapshot(moment, Mode.AS_OF), bench.store)
    assert not isinstance(question, Unknown)
    found = occurred(rule, question.make())
    assert isinstance(found, Occurred)
    return found


def test_the_ratio_would_have_fired_on_the_days_it_came_from_below(bench):
    days, rut, ndx = closes()
    r = ndx / rut
    level = float(np.quantile(r, 0.9))
    expected = [day for day, before, now in zip(days[1:], r[:-1], r[1:], strict=True) if before < level <= now]
    found = history(bench, Rule(RATIO, Condition.ABOVE, level))
    assert list(found.days) == expected != []
    assert (found.n, found.since, found.last) == (len(days), days[0].item(), LAST)


def test_the_history_of_z_is_the_z_of_each_day(bench):
    _, rut, ndx = closes()
    x = np.log(ndx / rut)
    z = z_history(x, 252)
    assert np.isnan(z[:251]).all()
    for row in (251, 252, 700, len(x) - 1):
        assert z[row] == pytest.approx(ratio.z_score(x[: row + 1], 252), abs=1e-8)


def test_ranks_are_those_known_on_each_day_and_only_among_enough_days(bench):
    question = daily(Watch(Subject.DIVERGENCE_RANK), bench.snapshot(NOW), bench.store)
    assert not isinstance(question, Unknown)
    made = question.make()
    _, rut, ndx = closes()
    spread = 100 * (rut[1:] / rut[:-1] - ndx[1:] / ndx[:-1])
    assert np.isnan(made.values[LEAST_RANKED - 2])
    for row in (LEAST_RANKED - 1, LEAST_RANKED + 50, len(spread) - 1):
        assert made.values[row] == 1 + (spread[: row + 1] > spread[row]).sum()


def test_history_sees_nothing_later_than_its_moment(bench):
    rule = Rule(RATIO, Condition.CROSSES, 9.0)
    moment = datetime(2019, 12, 2, 22, 0, tzinfo=UTC)
    before = history(bench, rule, moment)
    assert before.days[-1] <= np.datetime64("2019-12-02")
    later = history(bench, rule)
    assert list(later.days[: len(before.days)]) == list(before.days)
    assert len(later.days) > len(before.days)


def test_moves_of_the_two_year_yield_come_from_the_series_as_known(bench):
    days, _, _ = closes()
    yields = np.where(np.arange(len(days)) % 50 == 7, 4.2, 4.0)
    bench.store.put_series(
        "DGS2",
        [
            Observation(
                day.item(),
                float(value),
                datetime.combine(day.item(), datetime.min.time(), UTC) + timedelta(hours=22),
            )
            for day, value in zip(days, yields, strict=True)
        ],
        source="test",
    )
    bench.builder = SnapshotBuilder(bench.store, Deferred(), charts=False)
    found = history(bench, Rule(Watch(Subject.TWO_YEAR), Condition.ABOVE, 15))
    assert list(found.days) == [day for row, day in enumerate(days) if row % 50 == 7]


def test_every_release_of_a_kind_counts_once(bench):
    found = history(bench, Rule(Watch(Subject.RELEASE, "cpi"), Condition.BELOW, 5))
    schedule = bench.snapshot(NOW).schedule
    from desktop.market.releases import ReleaseKind

    assert [one.item() for one in found.days] == [
        day for day in schedule.days_of(ReleaseKind.CPI) if day < NOW.date()
    ]


@pytest.mark.parametrize(
    "subject", [Subject.KILL, Subject.FEED, Subject.PNL, Subject.RESIDUAL_BETA, Subject.POLICY]
)
def test_what_has_no_daily_history_says_so(bench, subject):
    condition = Condition.CHANGES if subject in (Subject.KILL, Subject.FEED) else Condition.BELOW
    param = {Subject.FEED: "yahoo", Subject.POLICY: "3"}.get(subject, "")
    bench.add(Rule(Watch(subject, param), condition, None if condition is Condition.CHANGES else 0.0))
    (told,) = bench.follow(NOW).histories
    assert isinstance(told, Unknown)
    assert told.reason


def test_a_day_that_moves_fast_asks_one_question_a_rule_at_a_time(bench):
    """Moments pass faster than histories are made: nothing piles up, and the last one is answered in the end."""
    begun: list[object] = []

    class Slow(Deferred):
        def get(self, name: str, key: Hashable, compute: Callable[[], Any], kept: Kept | None = None) -> Any:
            if self._running.get(name) != key and (name not in self._answers or self._answers[name][0] != key):
                begun.append(key)
            return super().get(name, key, compute, kept)

    slow = Slow(lambda: None)
    gate = threading.Event()
    slow.get("gate", 0, gate.wait)
    bench.add(AT_NINE)
    bench.watcher = Watcher(bench.book, bench.store, slow)
    days, _, _ = closes()
    for day in days[-20:].tolist():
        told = bench.follow(datetime(day.year, day.month, day.day, 21, tzinfo=UTC), Mode.AS_OF)
        assert told.histories == (Unknown("being computed"),)
    assert len(begun) == 2  # the gate, and the first day
    gate.set()
    last = datetime(2024, 7, 9, 21, tzinfo=UTC)
    deadline = time.monotonic() + 10
    while isinstance(told.histories[0], Unknown) and time.monotonic() < deadline:
        told = bench.follow(last, Mode.AS_OF)
    assert told.histories[0].last == LAST
    slow.close()


def test_a_rule_being_typed_is_judged_before_it_is_kept(bench):
    bench.quote(9.2, NOW)
    told = bench.follow(NOW, form=RuleForm(condition="above", level="9.0"))
    assert isinstance(told.draft, Rule)
    assert isinstance(told.draft_history, Occurred)
    assert told.readings[RATIO].value == pytest.approx(9.2)
    assert (told.told, bench.log) == ((), [])
    wrong = bench.follow(NOW, form=RuleForm(condition="above", level="x"))
    assert "level" in wrong.draft
    assert wrong.draft_history is None
