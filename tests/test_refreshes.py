"""Every manual refresh is recorded: when, what came per source, and the past it can be replayed from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desktop.book import Book
from desktop.desk import Desk, Mode, Parts
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.market.store import Store
from desktop.presenters.frame import View
from desktop.refreshes import Answer, Outcome, Refresh, Refreshes, answers
from desktop.refreshes_dialog import came_words, took_words
from desktop.settings import Settings
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.feed import Feed, Plan
from desktop.sources.state import FeedState, SourceState
from tests.sources.test_feed import Hand, Script

OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
PLAN = Plan(live=("^RUT", "^NDX"), minute=(), daily=(), adjusted=(), universe=())
LATER = OPEN + timedelta(seconds=3)


class Rig:
    """A desk with one source, and a clock that stands where the test puts it."""

    def __init__(self, plan: Plan, book: Book) -> None:
        self.clock, self.store, self.book = Hand(OPEN), Store(None), book
        self.script = Script(self.clock, "yahoo")
        self.plan = plan
        self.desk = Desk(Mode.LIVE, self.parts)
        self.look()
        self.desk.begin()

    def parts(self, on_change: Callable[[], None]) -> Parts:
        feed = Feed(self.store, (self.script,), self.clock, on_change, self.plan)
        return Parts(self.store, self.book, self.clock, feed)

    def look(self) -> None:
        self.desk.frame(View(Settings()))

    def first_round(self) -> None:
        """Wait until the feed's own first round is over."""
        parts, until = self.desk._parts, time.monotonic() + 10
        assert parts is not None
        while parts.feed.states()[0].last_success != OPEN:
            assert time.monotonic() < until
            time.sleep(0.01)

    def settled(self, count: int = 1) -> tuple[Refresh, ...]:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            self.look()
            found = self.desk.refreshes()
            if len(found) == count and all(one.settled_at is not None for one in found):
                return found
            time.sleep(0.01)
        raise AssertionError(self.desk.refreshes())


@pytest.fixture
def book() -> Iterator[Book]:
    with Book(None) as made:
        yield made


@pytest.fixture
def rig(book) -> Iterator[Rig]:
    made = Rig(PLAN, book)
    made.first_round()
    yield made
    made.desk.close()


def test_a_refresh_is_recorded_with_what_came(rig):
    assert rig.desk.refreshes() == ()  # the rounds of the feed are no refresh
    rig.clock.time = LATER
    rig.script.price = 101.0
    rig.desk.refresh()
    (found,) = rig.settled()
    assert (found.asked_at, found.settled_at) == (LATER, LATER)
    assert found.answers == (Answer("yahoo", Outcome.CAME, "2 new prices"),)


def test_a_refresh_that_fails_says_why(rig):
    rig.script.failure = FailureKind.OFFLINE
    rig.clock.time = LATER
    rig.desk.refresh()
    (found,) = rig.settled()
    assert found.answers == (Answer("yahoo", Outcome.FAILED, "as told"),)


def test_pressing_f5_again_and_again_records_each_that_was_asked(rig):
    for number in (1, 2, 3):
        rig.clock.time = OPEN + timedelta(minutes=number)
        rig.script.price = 100.0 + number
        rig.desk.refresh()
        rig.settled(number)
    assert [one.asked_at.minute for one in rig.desk.refreshes()] == [33, 32, 31]


def test_a_morning_is_replayed_with_what_had_arrived(rig):
    for number in (1, 2):
        rig.clock.time = OPEN + timedelta(minutes=number)
        rig.script.price = 100.0 + number
        rig.desk.refresh()
        rig.settled(number)
    quotes = [rig.store.last_quote("^RUT", one.shown_at) for one in reversed(rig.desk.refreshes())]
    assert [one.price for one in quotes if one is not None] == [101.0, 102.0]


def test_nothing_is_recorded_where_nothing_is_asked(book):
    made = Rig(replace(PLAN, off="offline: started with --offline"), book)
    try:
        made.desk.refresh()
        made.look()
        assert made.desk.refreshes() == ()
    finally:
        made.desk.close()


def test_a_refresh_that_was_cut_short_stays_in_the_book(book):
    record = Refreshes(book)
    hang = Rig(PLAN, Book(None))
    try:
        record.asked(OPEN)
        parts = hang.desk._parts
        assert parts is not None
        record.follow(parts.feed, hang.store, OPEN)
    finally:
        hang.desk.close()
    (found,) = Refreshes(book).all()
    assert (found.asked_at, found.settled_at, found.answers) == (OPEN, None, ())
    assert took_words(found) == "cut short"
    assert found.shown_at == OPEN


def test_a_book_that_cannot_be_written_holds_up_no_price(rig, caplog):
    rig.book.close()
    rig.clock.time = LATER
    with caplog.at_level("CRITICAL", "desktop.refreshes"):
        rig.desk.refresh()
        rig.look()
    assert rig.script.wait("quotes", 2)


def state(source: str, **told: Any) -> SourceState:
    whole: dict[str, Any] = {
        "state": FeedState.LIVE,
        "age_s": Unknown(""),
        "declared_delay_s": 0.0,
        "next_try": None,
    }
    return SourceState(source, **(whole | {"last_success": None, "last_error": None} | told))


def failed(at: datetime, symbol: str = "") -> Failure:
    return Failure(FailureKind.TIMEOUT, "cboe", symbol, "no answer in 10 s", at)


@pytest.mark.parametrize(
    ("told", "outcome", "words"),
    [
        ({"last_success": LATER}, Outcome.CAME, "answered"),
        ({"last_success": OPEN - timedelta(minutes=1)}, Outcome.SILENT, "no answer"),
        ({"last_error": failed(LATER)}, Outcome.FAILED, "no answer in 10 s"),
        ({"last_error": failed(OPEN - timedelta(minutes=1))}, Outcome.SILENT, "no answer"),
        (
            {"last_success": LATER, "last_error": failed(LATER, "VIX")},
            Outcome.CAME,
            "answered, VIX failed: no answer in 10 s",
        ),
        ({"state": FeedState.OFF, "note": "paused by you"}, Outcome.OFF, "paused by you"),
    ],
)
def test_what_is_told_of_a_source(told, outcome, words):
    with Store(None) as store:
        (found,) = answers([state("cboe", **told)], store, OPEN, LATER)
    assert found == Answer("cboe", outcome, words)


def test_prices_that_had_arrived_before_are_not_counted_again():
    with Store(None) as store:
        for number, symbol in enumerate(("IWM", "QQQ", "^RUT")):
            at = OPEN + timedelta(seconds=number - 1)
            store.put_quotes([Quote(symbol, 100.0, at, at, "yahoo")])
        (found,) = answers([state("yahoo", last_success=LATER)], store, OPEN, LATER)
    assert found.told == "2 new prices"


def test_trouble_stands_first_in_the_list():
    found = Refresh(
        1,
        OPEN,
        LATER,
        (
            Answer("alpaca", Outcome.OFF, "no key"),
            Answer("cboe", Outcome.FAILED, "no answer in 10 s"),
            Answer("yahoo", Outcome.CAME, "8 new prices"),
        ),
    )
    assert came_words(found) == "Cboe: no answer in 10 s · Yahoo: 8 new prices · 1 off"
    assert took_words(found) == "3 s"
