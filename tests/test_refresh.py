"""`refresh`: one fetch of everything, through the real client against a server on this machine."""

from __future__ import annotations

import io
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from keyring.backends import fail

from desktop import refresh
from desktop.credentials import Credentials, Key
from desktop.desk import Publishers
from desktop.market.clock import Clock, PlayClock
from desktop.market.database import StoreError
from desktop.market.quotes import Interval
from desktop.market.sessions import NYSE
from desktop.market.store import FILE_NAME, Observation, Store
from desktop.refresh import Refreshed
from desktop.sources.alpaca import Alpaca
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Source, Stamp, Unchanged
from desktop.sources.feed import Plan
from desktop.sources.history import Kind
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.yahoo import Yahoo
from desktop.vendors import alpaca_key
from tests.sources.alpaca_server import KEY_ID, SECRET, AlpacaServer, bar, trade
from tests.sources.yahoo_server import Chart, Fault, YahooServer, daily_row, forget_client, minutes, quote_row

OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
DAYS = [str(day) for day in NYSE.days(date(2024, 6, 3), date(2024, 7, 10))]
PLAN = Plan(live=("^RUT", "^NDX"), minute=("IWM",), daily=("^NDX",), adjusted=("QQQ",), universe=("AAA", "BBB"))
"""2 quotes, 1 x minutes, 1 x daily, 1 x adjusted, 2 names: 6 requests."""


@dataclass
class Rig:
    folder: Path
    server: YahooServer
    told: list[str] = field(default_factory=list)
    limit_s: float = 5.0

    def sources(self, _store: Store, clock: Clock) -> Sequence[Source]:
        return (
            Yahoo(
                self.folder / "yfinance",
                clock,
                session_factory=self.server.session,
                bucket=TokenBucket(rate_per_s=1e6, burst=1000),
                breaker=HostBreaker(jitter=lambda: 0.5),
                call_limit_s=self.limit_s,
            ),
        )

    def refresh(
        self,
        plan: Plan = PLAN,
        tell: Callable[[str], None] | None = None,
        publishers: Publishers = lambda _store, _clock: (),
        secrets: frozenset[str] = frozenset(),
    ) -> Refreshed:
        return refresh.refresh(
            self.folder,
            sources=self.sources,
            publishers=publishers,
            plan=plan,
            clock=PlayClock(OPEN, 1.0),
            tell=tell or self.told.append,
            pause_s=0.05,
            secrets=secrets,
        )

    def store(self) -> Store:
        return Store(self.folder / FILE_NAME)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    forgetting = forget_client()
    next(forgetting)
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    with YahooServer() as server:
        for symbol, price in (("^RUT", 2100.0), ("^NDX", 20300.0)):
            server.quotes[symbol] = quote_row(symbol, price, int(OPEN.timestamp()) - 1)
        for symbol, level in (("^NDX", 19000.0), ("QQQ", 450.0), ("AAA", 50.0), ("BBB", 80.0)):
            rows = [daily_row(day, level + n) for n, day in enumerate(DAYS)]
            server.charts[symbol] = Chart(rows, price=level + len(DAYS))
        server.charts["IWM"] = Chart(minutes("2024-07-11T10:20:00-04:00", [205.0, 205.5, 206.0]), price=206.0)
        yield Rig(tmp_path, server)
        server.released.set()
    next(forgetting, None)


def parts(done: Refreshed) -> dict[str, tuple[int, int, int]]:
    (result,) = done.results
    return {part.what: (part.answered, part.asked, part.rows) for part in result.parts}


def test_an_empty_store_is_filled_by_one_call(rig):
    done = rig.refresh()
    assert done.ok
    # 26 sessions: 20 weekdays of June from the 3rd less Juneteenth, 8 of July to the 10th less Independence Day.
    assert parts(done) == {
        "quotes": (2, 2, 2),
        "minute bars": (1, 1, 3),
        "daily history": (1, 1, 26),
        "adjusted history": (1, 1, 26),
        "universe": (2, 2, 52),
    }
    (result,) = done.results
    assert (result.state, result.rows, result.troubles) == ("ok", 109, ())
    assert rig.server.count("/v7/") + rig.server.count("/v8/") == 6
    assert result.requests in (6, rig.server.count())  # cookie and crumb included, where the source counts them
    daily = next(part for part in result.parts if part.what == "daily history")
    assert (daily.first, daily.last) == (datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 7, 10, tzinfo=UTC))
    with rig.store() as store:
        assert store.closes("^NDX").close[-1] == 19025.0
        assert store.bars("IWM", Interval.MINUTE).close.tolist() == [205.0, 205.5, 206.0]
        assert store.panel("built-in") is not None
        quote = store.last_quote("^RUT", OPEN + timedelta(hours=1))
        assert quote is not None
        assert quote.price == 2100.0


def test_quotes_are_asked_for_once_however_long_the_history_takes(rig):
    rig.refresh()
    assert rig.server.count("/v7/finance/quote") == 1
    # five steps: daily, adjusted, two names, and the universe made of them
    assert any(line.endswith(" of 5 done") for line in rig.told), rig.told


def test_a_second_refresh_asks_for_what_is_missing_only(rig):
    rig.refresh()
    with rig.store() as store:
        before = len(store.closes("AAA"))
    rig.server.requests.clear()
    again = rig.refresh(replace(PLAN, daily=()))
    assert again.ok
    assert set(parts(again)) == {"quotes", "minute bars"}
    assert parts(again)["minute bars"] == (1, 1, 0)  # the same three: neither new nor revised
    assert rig.server.count("AAA") == 0
    assert "daily history is complete" in refresh.as_text(again)
    with rig.store() as store:
        assert len(store.closes("AAA")) == before


def test_an_unknown_name_is_told_and_does_not_fail_the_source(rig):
    done = rig.refresh(replace(PLAN, universe=("AAA", "GONE")))
    assert done.ok
    (result,) = done.results
    (trouble,) = result.troubles
    assert (trouble.what, trouble.symbol, trouble.kind, trouble.cure) == (
        "universe", "GONE", "not_found", "check the symbol",
    )  # fmt: skip
    assert "! universe of GONE: not found" in refresh.as_text(done)


def test_too_many_requests_ends_it_at_once_and_keeps_what_was_there(rig):
    rig.refresh()
    rig.server.faults["/v"] = Fault.RATE_LIMITED
    rig.server.requests.clear()
    done = rig.refresh(replace(PLAN, daily=("^NDX", "^VIX")))
    (result,) = done.results
    assert (done.ok, result.state, result.complete) == (False, "failed", False)
    assert rig.server.count("/v8/") == 0  # the first refusal was enough
    (cause,) = refresh.causes(done)
    assert "yahoo failed: rate limited" in cause
    assert "wait: the next try is scheduled" in cause
    with rig.store() as store:
        assert store.closes("^NDX").close[-1] == 19025.0


def test_too_many_requests_in_the_middle_keeps_what_had_arrived(rig):
    rig.server.faults["chart/AAA"] = Fault.RATE_LIMITED
    done = rig.refresh()
    (result,) = done.results
    assert (done.ok, result.state, result.complete) == (False, "partial", False)
    assert parts(done)["daily history"] == (1, 1, 26)
    assert rig.server.count("chart/BBB") == 0
    with rig.store() as store:
        assert len(store.closes("^NDX")) == 26


def test_a_host_that_does_not_answer_is_given_up(rig):
    rig.limit_s = 0.4
    rig.server.faults["/v"] = Fault.HANG
    done = rig.refresh()
    (result,) = done.results
    assert (result.state, result.rows) == ("failed", 0)
    assert {trouble.kind for trouble in result.troubles} == {"timeout"}
    assert rig.server.count() <= 6


def test_a_name_that_times_out_once_is_asked_again(rig):
    rig.server.faults["chart/AAA"] = Fault.DROPPED
    seen = threading.Event()

    def tell(line: str) -> None:
        if rig.server.count("chart/AAA") >= 1 and not seen.is_set():
            seen.set()
            rig.server.faults.clear()

    done = rig.refresh(tell=tell)
    assert seen.is_set()
    assert done.ok, done.results
    assert parts(done)["universe"] == (2, 2, 52)
    assert done.results[0].troubles == ()


def test_an_unreachable_host_is_named_with_the_cure(rig):
    with socket.socket() as taken:  # bound, not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        session = rig.server.session()
        session._port = port
        rig.server.session = lambda: session
        done = rig.refresh()
    (result,) = done.results
    assert result.state == "failed"
    assert {trouble.kind for trouble in result.troubles} == {"offline"}
    (cause,) = refresh.causes(done)
    assert "yahoo failed: offline" in cause
    assert "check network, proxy and certificate settings" in cause
    assert "See https" not in cause


def test_ctrl_c_stops_it_and_keeps_what_arrived(rig):
    rig.server.faults["chart/BBB"] = Fault.HANG

    def tell(line: str) -> None:
        if "BBB" in line and rig.server.wait_for("chart/BBB"):
            signal.raise_signal(signal.SIGINT)

    since = time.monotonic()
    done = rig.refresh(tell=tell)
    assert time.monotonic() - since < 5
    assert (done.interrupted, done.ok) == (True, False)
    assert parts(done)["universe"] == (1, 2, 26)
    assert refresh.causes(done)[0].startswith("interrupted: what had arrived is stored")
    with rig.store() as store:
        assert len(store.closes("AAA")) == 26
        assert len(store.closes("^NDX")) == 26


def test_a_store_that_refuses_is_no_success(rig, monkeypatch):
    def full(*_args: object, **_more: object) -> None:
        raise StoreError(rig.folder, "no space left", "free some")

    monkeypatch.setattr(Store, "put_bars", full)
    done = rig.refresh()
    (result,) = done.results
    assert not done.ok
    assert any("could not be stored" in trouble.message for trouble in result.troubles)


def test_a_damaged_store_is_named_before_anything_is_asked(rig):
    (rig.folder / FILE_NAME).write_bytes(b"no database at all, but long enough to be read as one" * 40)
    with pytest.raises(StoreError, match="damaged"):
        rig.refresh()
    assert rig.server.count() == 0


def test_secrets_of_the_proxy_stay_out_of_messages(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://jo:hunter2-long@proxy.example:3128")
    book = refresh._Book(PLAN, frozenset())
    book.asks(Kind.QUOTES.value, ("^RUT",))
    message = "proxy http://jo:hunter2-long@proxy.example:3128 refused hunter2-long"
    book.answered(Kind.QUOTES.value, {"^RUT": Failure(FailureKind.OFFLINE, "yahoo", "^RUT", message, OPEN)})
    told = json.dumps(refresh.as_dict(Refreshed(OPEN, 1.0, False, (book.result("yahoo", 1, complete=False),))))
    assert "hunter2" not in told
    assert "proxy.example:3128" in told


class Publisher:
    """An official publisher of two datasets, as the contract has it."""

    name = "treasury"
    datasets = (Dataset("curve", 3600.0), Dataset("bills", 3600.0))

    def __init__(self, *answers: Published | Unchanged | Failure, off: str = "") -> None:
        self.answers, self.off, self.requests, self.closed = list(answers), off, 0, False

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        self.requests += 1
        return self.answers.pop(0)

    def close(self) -> None:
        self.closed = True


YIELDS = Published(
    OPEN, series={"DGS2": tuple(Observation(date(2024, 7, day), 4.6, OPEN) for day in (8, 9, 10))}
)  # fmt: skip
AWAY = Failure(FailureKind.OFFLINE, "treasury", "bills", "could not resolve host", OPEN)


@pytest.mark.parametrize(
    ("answers", "state", "rows"),
    [((YIELDS, YIELDS), "ok", 3), ((YIELDS, AWAY), "partial", 3), ((AWAY, AWAY), "failed", 0)],
)
def test_each_dataset_of_a_publisher_is_asked_for_once(rig, answers, state, rows):
    publisher = Publisher(*answers)
    done = rig.refresh(publishers=lambda _store, _clock: (publisher,))
    yahoo, treasury = done.results
    assert (yahoo.state, treasury.state) == ("ok", state)
    assert (treasury.requests, treasury.rows) == (2, rows)
    assert [part.what for part in treasury.parts] == ["curve", "bills"]
    assert done.ok == (state == "ok")
    assert publisher.closed
    if rows:
        assert (treasury.parts[0].first, treasury.parts[0].last) == (
            datetime(2024, 7, 8, tzinfo=UTC), datetime(2024, 7, 10, tzinfo=UTC),
        )  # fmt: skip


def test_a_source_without_its_key_is_off_and_the_next_one_is_asked(rig):
    class Keyed:
        name, off = "alpaca", "no key"

    yahoo = rig.sources
    rig.sources = lambda store, clock: (Keyed(), *yahoo(store, clock))
    done = rig.refresh()
    assert done.ok
    assert [(one.source, one.state) for one in done.results] == [("alpaca", "off"), ("yahoo", "ok")]
    assert done.results[0].requests == 0


def test_a_source_of_few_symbols_is_asked_for_these_alone(rig):
    whole = rig.sources

    def few(store: Store, clock: Clock) -> Sequence[Source]:
        (source,) = whole(store, clock)
        source.symbols = ("^RUT",)
        return (source,)

    rig.sources = few
    done = rig.refresh()
    assert done.ok
    assert parts(done) == {"quotes": (1, 1, 1)}


@pytest.mark.parametrize("right", [True, False])
def test_with_its_key_alpaca_is_asked_and_the_key_is_not_told(rig, right):
    keys = Credentials(5.0, fail.Keyring)
    for key, value in ((Key.ALPACA_ID, KEY_ID if right else "PKWRONG"), (Key.ALPACA_SECRET, SECRET)):
        keys.set(key, value)
    with AlpacaServer() as server:
        server.trades["IWM"] = trade(205.5, OPEN - timedelta(seconds=2))
        server.trades["QQQ"] = trade(501.5, OPEN - timedelta(seconds=2))
        server.bars["IWM"] = [bar(OPEN - timedelta(minutes=2), 205.4)]

        def alpaca(_store: Store, clock: Clock) -> Sequence[Source]:
            return (Alpaca(clock, lambda: alpaca_key(keys), session_factory=server.session),)

        rig.sources = alpaca
        done = rig.refresh(replace(PLAN, live=("IWM", "QQQ", "^RUT")), secrets=keys.secrets)
        asked = len(server.requests)
    (one,) = done.results
    told = refresh.as_text(done) + json.dumps(refresh.as_dict(done)) + "".join(refresh.causes(done))
    assert SECRET not in told
    assert "PKWRONG" not in told
    assert one.requests == asked
    if right:
        assert (done.ok, one.state) == (True, "ok")
        assert parts(done) == {"quotes": (2, 2, 2), "minute bars": (1, 1, 1)}
    else:
        assert (done.ok, one.state) == (False, "failed")
        assert "alpaca failed: auth" in refresh.causes(done)[0]


def test_a_publisher_without_its_key_is_off_and_no_failure(rig):
    publisher = Publisher(off="no key")
    done = rig.refresh(publishers=lambda _store, _clock: (publisher,))
    assert done.ok
    assert (done.results[1].state, publisher.requests) == ("off", 0)
    assert "treasury: off, no key" in refresh.as_text(done)


def test_the_command_tells_json_and_the_cause_on_stderr(rig, capsys):
    rig.server.faults["/v"] = Fault.RATE_LIMITED
    assert refresh.run(rig.folder, as_json=True, sources=rig.sources, plan=PLAN) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["ok"] is False
    (source,) = told["sources"]
    assert (source["source"], source["state"], source["rows"]) == ("yahoo", "failed", 0)
    assert source["failures"][0]["kind"] == "rate_limited"
    assert err.startswith("rotation-monitor: yahoo failed: rate limited")
    assert err.count("\n") == 1


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), io.StringIO()
    for out in (terminal, pipe):
        with refresh._ProgressLine(out) as line:
            line.show("yahoo: universe AAA")
            line.show("yahoo: quotes")
    assert pipe.getvalue() == ""
    assert terminal.getvalue() == "\ryahoo: universe AAA\ryahoo: quotes      \r                   \r"
