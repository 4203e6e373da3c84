"""All publishers together: whatever a host does, it costs one dataset one answer, and says what to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.desk import open_live, yahoo
from desktop.market.store import Store
from desktop.sources.bls import Bls
from desktop.sources.cboe import Cboe
from desktop.sources.cftc import Cftc
from desktop.sources.contract import Failure, FailureKind, Published, Publisher, Stamp
from desktop.sources.federal_reserve import FederalReserve
from desktop.sources.feed import Feed, FeedState, Plan, SourceState
from desktop.sources.fred import Fred, FredCalendar
from desktop.sources.new_york_fed import NewYorkFed
from desktop.sources.treasury import Treasury
from tests.sources.publisher_server import (
    CBOE_QUOTES,
    TREASURY,
    TREASURY_CSV,
    Fault,
    Hand,
    PublisherServer,
    cboe_quote,
    good_pages,
    known_closes,
    nothing,
)

EVENING = datetime(2024, 7, 11, 22, 30, tzinfo=UTC)
PATIENCE_S = 20.0
SHORT_S = 0.2
QUIET = Plan(live=(), minute=(), daily=(), adjusted=())
NO_CLOSES = known_closes({})

Maker = Callable[[PublisherServer, Hand, float], Publisher]
MAKERS: dict[str, Maker] = {
    "cboe": lambda s, c, t: Cboe(c, NO_CLOSES, http=s.http("cboe", c, time_limit_s=t)),
    "treasury": lambda s, c, t: Treasury(c, nothing, http=s.http("treasury", c, time_limit_s=t)),
    "new york fed": lambda s, c, t: NewYorkFed(c, nothing, http=s.http("new york fed", c, time_limit_s=t)),
    "fred": lambda s, c, t: Fred(c, nothing, http=s.http("fred", c, time_limit_s=t)),
    "fred calendar": lambda s, c, t: FredCalendar(
        c, lambda: "a-key", http=s.http("fred calendar", c, time_limit_s=t, keyed=True)
    ),
    "cftc": lambda s, c, t: Cftc(c, nothing, http=s.http("cftc", c, time_limit_s=t)),
    "bls": lambda s, c, t: Bls(c, http=s.http("bls", c, time_limit_s=t)),
    "federal reserve": lambda s, c, t: FederalReserve(c, http=s.http("federal reserve", c, time_limit_s=t)),
}


@pytest.fixture
def server() -> Iterator[PublisherServer]:
    with PublisherServer() as one:
        one.pages = good_pages()
        yield one


@pytest.mark.parametrize("name", MAKERS)
def test_every_dataset_answers(server, name):
    one = MAKERS[name](server, Hand(EVENING), 5.0)
    assert (one.name, one.off) == (name, "")
    for dataset in one.datasets:
        found = one.fetch(dataset, Stamp())
        assert isinstance(found, Published), (dataset, found)
        assert found.known_at <= EVENING
        assert found.note == ""
        assert found.stamp.etag
    assert one.requests == server.count() == len(one.datasets)
    assert server.agents == {"Mozilla/5.0 (compatible; RotationMonitor)"}


FAULTS = [
    (Fault.UNAUTHORIZED, FailureKind.OFFLINE, "HTTP status 401"),
    (Fault.FORBIDDEN, FailureKind.OFFLINE, "HTTP status 403"),
    (Fault.NOT_FOUND, FailureKind.NOT_FOUND, "HTTP status 404"),
    (Fault.SERVER_ERROR, FailureKind.BAD_PAYLOAD, "HTTP status 500"),
    (Fault.RATE_LIMITED, FailureKind.RATE_LIMITED, "fewer requests"),
    (Fault.HTML, FailureKind.BAD_PAYLOAD, "a web page came in place of data"),
    (Fault.EMPTY, FailureKind.NO_DATA, "empty"),
    (Fault.TRUNCATED, FailureKind.OFFLINE, ""),
    (Fault.RESET, FailureKind.OFFLINE, ""),
    (Fault.NO_SUCH_HOST, FailureKind.OFFLINE, ""),
    (Fault.HANG, FailureKind.TIMEOUT, "no answer within 0.2 s"),
    (Fault.DRIP, FailureKind.TIMEOUT, "no answer within 0.2 s"),
]


@pytest.mark.parametrize(
    ("fault", "kind", "told"), FAULTS, ids=lambda one: one.name if isinstance(one, Fault) else ""
)
@pytest.mark.parametrize("name", MAKERS)
def test_a_fault_is_a_named_failure_within_the_time_limit_and_one_request(server, name, fault, kind, told):
    one = MAKERS[name](server, Hand(EVENING), SHORT_S if fault in (Fault.HANG, Fault.DRIP) else 5.0)
    dataset = one.datasets[0]
    server.faults[""] = fault
    begun = time.monotonic()
    answer = one.fetch(dataset, Stamp())
    assert isinstance(answer, Failure)
    if name == "fred calendar" and fault in (Fault.UNAUTHORIZED, Fault.FORBIDDEN):
        kind = FailureKind.AUTH  # it alone sends a key
    assert (answer.kind, answer.source, answer.symbol, answer.at) == (kind, name, dataset.name, EVENING)
    assert told in answer.message
    assert answer.cure
    assert time.monotonic() - begun < 3.0
    assert one.requests == 1
    assert server.count() <= 1
    server.released.set()
    server.faults.clear()
    if fault is not Fault.RATE_LIMITED:
        assert isinstance(MAKERS[name](server, Hand(EVENING), 5.0).fetch(dataset, Stamp()), Published)


@pytest.mark.parametrize("name", MAKERS)
def test_after_a_429_the_host_is_left_alone(server, name):
    one = MAKERS[name](server, Hand(EVENING), 5.0)
    server.faults[""] = Fault.RATE_LIMITED
    answers = [one.fetch(dataset, Stamp()) for dataset in (*one.datasets, *one.datasets)]
    assert all(isinstance(each, Failure) and each.kind is FailureKind.RATE_LIMITED for each in answers)
    first = answers[0]
    assert isinstance(first, Failure)
    assert first.retry_after_s == pytest.approx(300.0, abs=2.0)
    assert server.count() == 1


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        (Fault.FORBIDDEN, "try another network"),
        (Fault.NOT_FOUND, "update the program"),
        (Fault.SERVER_ERROR, "asked again"),
        (Fault.RESET, "check network, proxy and certificate settings"),
        (Fault.HTML, "`doctor` shows the answer"),
    ],
)
def test_a_cure_fits_a_host_without_a_key(server, fault, cure):
    server.faults[""] = fault
    one = MAKERS["treasury"](server, Hand(EVENING), 5.0)
    answer = one.fetch(one.datasets[0], Stamp())
    assert isinstance(answer, Failure)
    assert cure in answer.cure


@pytest.mark.parametrize(
    "body", [b"\x00\xff" * 500, b"%PDF-1.7", b"PK\x03\x04" + b"x" * 50, b"{", b"null", b",,,\n,,\n"]
)
@pytest.mark.parametrize("name", MAKERS)
def test_rubbish_is_refused_by_name(server, name, body):
    one = MAKERS[name](server, Hand(EVENING), 5.0)
    server.pages = {"": body}
    for dataset in one.datasets:
        answer = one.fetch(dataset, Stamp())
        assert isinstance(answer, Failure)
        assert answer.kind is FailureKind.BAD_PAYLOAD
        assert len(answer.message) < 400


def test_closing_ends_a_wait_for_the_budget(server):
    clock = Hand(EVENING)
    one = Treasury(clock, nothing, http=server.http("treasury", clock))
    one.close()
    assert isinstance(one.fetch(one.datasets[0], Stamp()), Published | Failure)


# The feed with all of them


class Rig:
    def __init__(self, folder: Path, server: PublisherServer) -> None:
        self.server, self.clock, self.store = server, Hand(EVENING), Store(folder / "store.sqlite")
        self.key: str | None = "a-key"

        def known(series: str):
            return self.store.series(series, self.clock.now() + timedelta(days=7))

        def http(name: str, **more: bool):
            return server.http(name, self.clock, **more)

        self.publishers: tuple[Publisher, ...] = (
            Cboe(self.clock, self.store.closes, http=http("cboe")),
            Treasury(self.clock, known, http=http("treasury")),
            NewYorkFed(self.clock, known, http=http("new york fed")),
            Fred(self.clock, known, http=http("fred")),
            FredCalendar(self.clock, lambda: self.key, http=http("fred calendar", keyed=True)),
            Cftc(self.clock, known, http=http("cftc")),
            Bls(self.clock, http=http("bls")),
            FederalReserve(self.clock, http=http("federal reserve")),
        )
        self.datasets = sum(len(one.datasets) for one in self.publishers)
        self.changes = 0
        self._changed = threading.Condition()
        self._started = False
        self.feed = Feed(self.store, (), self.clock, self._on_change, QUIET, self.publishers)

    def start(self) -> None:
        """Begin, and wait until every dataset was asked for once."""
        self._started = True
        self.feed.start()
        self.until(lambda: self.changes == self.datasets)

    def stop(self) -> None:
        if self._started:
            self.feed.stop()
        self.store.close()

    def _on_change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), self.states

    def round(self) -> None:
        """Ask everything once, by hand."""
        seen = self.changes
        self.feed.refresh_now()
        self.until(lambda: self.changes >= seen + self.datasets and self.feed.settled)

    @property
    def states(self) -> dict[str, SourceState]:
        return {one.source: one for one in self.feed.states()}

    def all_are(self, state: FeedState) -> bool:
        return all(one.state is state for one in self.states.values())

    def stored(self) -> dict[str, Any]:
        now = self.clock.now()
        quote = self.store.last_quote("^COR1M", now)
        return {
            "vix": self.store.closes("^VIX").close.tolist(),
            "cor1m": None if quote is None else (quote.price, quote.event_time),
            **{
                name: self.store.series(name, now).values.tolist()
                for name in ("DGS2", "DGS10", "EFFR", "COT:209742:leveraged_net", "COT:239742:asset_manager_net")
            },
            "calendar": self.store.calendar(now),
        }


@pytest.fixture
def rig(tmp_path: Path, server: PublisherServer) -> Iterator[Rig]:
    one = Rig(tmp_path, server)
    yield one
    server.released.set()
    one.stop()


def test_all_live_then_cut_off_then_live_again(rig, server):
    rig.start()
    assert rig.all_are(FeedState.LIVE), rig.states
    assert [one.note for one in rig.states.values()] == [""] * 8
    before = rig.stored()
    assert before["vix"][-1] == 12.92
    assert before["cor1m"] == (3.87, datetime(2024, 7, 11, 20, 15, 1, tzinfo=UTC))
    assert before["DGS2"][-2:] == [4.62, 4.50]
    assert before["DGS2"][:2] == [4.23, 4.71]  # 2023 from the Treasury, 2024-07-03 from FRED
    assert before["EFFR"] == [5.33, 5.33, 5.33]
    assert before["COT:209742:leveraged_net"] == [45611 - 89413]  # the report of the 9th comes on Friday
    assert len(before["calendar"]) == 3 * 4 + 3 + 7  # FRED adds PCE
    assert server.count() == rig.datasets == sum(one.requests for one in rig.states.values())

    server.faults[""] = Fault.RESET
    rig.clock.time += timedelta(hours=1)  # what is due every hour or sooner
    due = 7 + 7 + 1 + 1 + 1
    rig.until(lambda: rig.changes == rig.datasets + due)
    assert rig.stored() == before
    hourly = ("cboe", "treasury", "new york fed", "cftc")
    for name in hourly:
        # Quotes are worth asking every five minutes: after an hour they are old, the rest is not.
        assert rig.states[name].state is (FeedState.STALE if name == "cboe" else FeedState.LIVE)
        assert "check network, proxy and certificate settings" in rig.states[name].note
        assert rig.states[name].last_success == EVENING
    rig.clock.time += timedelta(hours=9)
    assert all(rig.states[name].state is FeedState.STALE for name in hourly)
    assert rig.states["fred"].state is FeedState.LIVE  # it is worth asking every six hours
    assert rig.stored() == before

    server.faults.clear()
    rig.clock.time += timedelta(hours=1)
    rig.until(lambda: rig.all_are(FeedState.LIVE) and not any(one.note for one in rig.states.values()))
    assert rig.stored() == before


def test_one_host_that_fails_leaves_the_others_alone(rig, server):
    server.pages[f"{TREASURY}2024/"] = TREASURY_CSV.replace('"2 Yr"', '"24 Mo"')
    server.faults["markets.newyorkfed.org"] = Fault.HTML
    rig.start()
    states = rig.states
    assert {name: one.state for name, one in states.items() if one.state is not FeedState.LIVE} == {
        "new york fed": FeedState.UNAVAILABLE
    }
    assert "this year: it has no column '2 Yr'" in states["treasury"].note
    assert "sign-in page" in states["new york fed"].note
    assert rig.stored()["DGS2"][-1] == 4.62  # FRED's, of the day before


def test_asking_again_costs_no_body_where_nothing_is_new(rig, server):
    rig.start()
    before = rig.stored()
    rig.round()
    assert server.not_modified == rig.datasets
    assert rig.stored() == before
    assert rig.all_are(FeedState.LIVE)


def test_a_bad_quote_keeps_the_last_good_one(rig, server):
    rig.start()
    server.pages[f"{CBOE_QUOTES}_VIX.json"] = cboe_quote(price=1292.0, at="2024-07-11T16:20:00")
    rig.round()
    quote = rig.store.last_quote("^VIX", rig.clock.now())
    assert quote is not None
    assert quote.price == 12.92
    assert "VIX quote: 1292 is no level of ^VIX" in rig.states["cboe"].note


def test_a_disagreement_of_fred_shows_and_changes_nothing(rig, server):
    rig.start()
    before = rig.stored()["DGS2"]
    key = next(one for one in server.pages if "fredgraph" in one)
    server.pages[key] = str(server.pages[key]).replace("2024-07-10,4.62", "2024-07-10,4.66")
    rig.round()
    assert rig.stored()["DGS2"] == before
    assert rig.states["fred"].state is FeedState.LIVE
    assert "4.66 % against 4.62 %" in rig.states["fred"].note


def test_a_key_that_is_taken_back_turns_its_calendar_off(rig):
    rig.start()
    rig.key = None
    assert (rig.states["fred calendar"].state, rig.states["fred calendar"].note) == (FeedState.OFF, "no key")
    assert len(rig.stored()["calendar"]) == 3 * 4 + 3 + 7


@pytest.mark.parametrize(
    ("sources", "asked"), [(yahoo, set(MAKERS)), (lambda _store, _clock: (), set())], ids=["live", "others"]
)
def test_the_official_publishers_are_asked_beside_the_live_sources_alone(tmp_path, sources, asked):
    desk = open_live(tmp_path, offline=True, sources=sources)
    try:
        feed = desk._opened()[0].feed
        assert {one.source for one in feed.states()} & set(MAKERS) == asked
    finally:
        desk.close()
