"""Alpaca through the real client against a loopback server: what is believed, refused, and what never leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from desktop.analytics.divergence import Driver, Reference
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.store import Priority, Store
from desktop.sources import alpaca as module
from desktop.sources.alpaca import Alpaca, AlpacaKey
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.feed import Feed, FeedState, Plan
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.tape import Tape
from desktop.today import watch
from tests.sources.alpaca_server import KEY_ID, SECRET, AlpacaServer, bar, trade

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)  # 10:30 in New York
KEY = AlpacaKey(KEY_ID, SECRET)
PATIENCE_S = 10.0
HOUR = Window(NOW - timedelta(hours=1), NOW + timedelta(minutes=1))


class Hand:
    speed = 1.0

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer() as one:
        one.trades = {
            "IWM": trade(205.31, NOW - timedelta(seconds=2)),
            "QQQ": trade(496.12, NOW - timedelta(seconds=1)),
        }
        one.bars = {"IWM": [bar(NOW - timedelta(minutes=n), 205 + n / 10) for n in range(5, 0, -1)]}
        yield one


def source(server: AlpacaServer, key: Callable[[], AlpacaKey | Unknown] = lambda: KEY, **more) -> Alpaca:
    how = {
        "bucket": TokenBucket(1e6, 1000),
        "breaker": HostBreaker(jitter=lambda: 0.5),
        "time_limit_s": 5.0,
        **more,
    }
    return Alpaca(Hand(), key, session_factory=server.session, **how)


def failure(answer: object) -> Failure:
    assert isinstance(answer, Failure)
    return answer


def test_trades_of_both_etfs_come_in_one_request_with_their_own_time_and_no_delay(server):
    quotes = source(server).quotes(("IWM", "QQQ"))
    assert quotes["IWM"] == Quote(
        "IWM", 205.31, NOW.replace(minute=29, second=58, microsecond=123456), NOW, "alpaca"
    )
    assert isinstance(quotes["QQQ"], Quote)
    assert quotes["QQQ"].declared_delay_s == 0.0
    assert len(server.requests) == 1
    assert server.requests[0].startswith("data.alpaca.markets/v2/stocks/trades/latest?symbols=IWM%2CQQQ&feed=iex")


def test_the_key_goes_in_headers_alone(server):
    one = source(server)
    one.quotes(("IWM",))
    one.bars("IWM", Interval.MINUTE, HOUR)
    assert [headers["APCA-API-KEY-ID"] for headers in server.headers] == [KEY_ID, KEY_ID]
    assert [headers["APCA-API-SECRET-KEY"] for headers in server.headers] == [SECRET, SECRET]
    assert not any(SECRET in path or KEY_ID in path for path in server.requests)
    assert SECRET not in repr(KEY)
    assert KEY_ID not in repr(KEY)


def test_other_symbols_are_not_found_without_a_request(server):
    quotes = source(server).quotes(("^RUT", "ES=F"))
    assert [failure(one).kind for one in quotes.values()] == [FailureKind.NOT_FOUND] * 2
    assert failure(source(server).bars("^NDX", Interval.MINUTE, HOUR)).kind is FailureKind.NOT_FOUND
    assert server.requests == []


def test_one_exchange_makes_no_official_close(server):
    assert failure(source(server).bars("IWM", Interval.DAY, HOUR)).kind is FailureKind.NOT_FOUND
    assert server.requests == []


def test_without_a_key_it_is_off_and_sends_nothing(server):
    one = source(server, lambda: Unknown("no key"))
    assert one.off == "no key"
    assert failure(one.quotes(("IWM",))["IWM"]).kind is FailureKind.AUTH
    assert server.requests == []


@pytest.mark.parametrize("page", [10_000, 2])
def test_closed_bars_of_the_window_page_by_page(server, page):
    server.page = page
    server.bars["IWM"] += [bar(NOW, 210.0)]  # still open
    bars = source(server).bars("IWM", Interval.MINUTE, HOUR)
    assert isinstance(bars, Bars)
    assert bars.close.tolist() == pytest.approx([205.5, 205.4, 205.3, 205.2, 205.1])
    assert np.diff(bars.start_s).tolist() == [60] * 4
    assert len(server.requests) == (1 if page > 5 else 3)


def test_pages_without_end_are_given_up(server):
    server.page = 1
    server.bars["IWM"] = [bar(NOW - timedelta(minutes=n), 205.0) for n in range(50, 0, -1)]
    assert isinstance(source(server).bars("IWM", Interval.MINUTE, HOUR), Bars)
    assert len(server.requests) == module.MOST_PAGES


def test_rows_that_are_no_prices_are_left_out(server):
    at = NOW - timedelta(minutes=9)
    server.bars["IWM"] += [bar(at, float("nan")), bar(at, 205.0, v=-1), bar(at, 205.0, l=0.0)]
    bars = source(server).bars("IWM", Interval.MINUTE, HOUR)
    assert isinstance(bars, Bars)
    assert len(bars) == 5
    server.bars["IWM"] = [bar(at, float("nan"))]
    assert failure(source(server).bars("IWM", Interval.MINUTE, HOUR)).kind is FailureKind.NO_DATA


def test_no_bars_are_no_data(server):
    assert failure(source(server).bars("QQQ", Interval.MINUTE, HOUR)).kind is FailureKind.NO_DATA


FAULTS = [
    ((401, "application/json", b'{"message": "unauthorized."}'), FailureKind.AUTH),
    ((403, "application/json", b'{"message": "forbidden."}'), FailureKind.AUTH),
    ((404, "text/plain", b"404 page not found"), FailureKind.NOT_FOUND),
    ((429, "application/json", b'{"message": "too many requests."}'), FailureKind.RATE_LIMITED),
    ((500, "application/json", b'{"message": "internal server error"}'), FailureKind.BAD_PAYLOAD),
    ((200, "text/html", b"<!DOCTYPE html><html><body>Sign in</body></html>"), FailureKind.BAD_PAYLOAD),
    ((200, "application/json", b""), FailureKind.NO_DATA),
    ((200, "application/json", b'{"trades": {"IWM"'), FailureKind.BAD_PAYLOAD),
    ((200, "application/json", b"[1, 2]"), FailureKind.BAD_PAYLOAD),
    ((200, "application/json", b'{"trades": null, "bars": null}'), FailureKind.NO_DATA),
    ((200, "application/json", b'{"trades": [1], "bars": [1]}'), FailureKind.BAD_PAYLOAD),
    ((200, "application/json", b"{}"), FailureKind.BAD_PAYLOAD),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_every_fault_has_a_name_and_tells_no_key(server, fault, kind):
    server.fault = fault
    for answer in (source(server).quotes(("IWM",))["IWM"], source(server).bars("IWM", Interval.MINUTE, HOUR)):
        assert failure(answer).kind is kind
        assert failure(answer).message
        assert SECRET not in repr(answer)
        assert KEY_ID not in repr(answer)


def test_a_server_that_echoes_the_key_is_not_quoted(server):
    server.fault = (200, "application/json", f'{{"trades": {{"IWM": {{"p": 1.0, "t": "{SECRET}"}}}}}}'.encode())
    answer = failure(source(server).quotes(("IWM",))["IWM"])
    assert answer.kind is FailureKind.BAD_PAYLOAD
    assert SECRET not in repr(answer)


def test_a_host_that_hangs_costs_the_time_limit(server):
    server.fault = "hang"
    since_s = time.monotonic()
    answer = source(server, time_limit_s=0.3).quotes(("IWM", "QQQ"))
    assert [failure(one).kind for one in answer.values()] == [FailureKind.TIMEOUT] * 2
    assert time.monotonic() - since_s < 2.0


def test_nobody_listens(server):
    port_closed = AlpacaServer()
    port_closed._server.server_close()
    assert failure(source(port_closed).quotes(("IWM",))["IWM"]).kind is FailureKind.OFFLINE


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0, None, "205.3", True])
def test_what_is_no_price_is_refused_and_the_other_leg_is_kept(server, price):
    server.trades["IWM"] = trade(price, NOW)
    quotes = source(server).quotes(("IWM", "QQQ"))
    assert failure(quotes["IWM"]).kind is FailureKind.BAD_PAYLOAD
    assert isinstance(quotes["QQQ"], Quote)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-07-11T14:29:58", 17, None])
def test_a_trade_without_a_time_is_refused(server, text):
    server.trades["IWM"]["t"] = text
    assert failure(source(server).quotes(("IWM",))["IWM"]).kind is FailureKind.BAD_PAYLOAD


def test_a_trade_from_the_future_is_refused(server):
    server.trades["IWM"] = trade(205.0, NOW + timedelta(minutes=10))
    answer = failure(source(server).quotes(("IWM",))["IWM"])
    assert answer.kind is FailureKind.BAD_PAYLOAD
    assert "clock" in answer.message


def test_a_symbol_without_a_trade_is_no_data(server):
    del server.trades["IWM"]
    assert failure(source(server).quotes(("IWM",))["IWM"]).kind is FailureKind.NO_DATA


def test_a_stale_trade_keeps_its_age(server):
    server.trades["IWM"] = trade(205.0, NOW - timedelta(hours=3))
    quote = source(server).quotes(("IWM",))["IWM"]
    assert isinstance(quote, Quote)
    assert quote.age_s(NOW) == pytest.approx(3 * 3600, abs=1)


def test_a_refused_key_is_not_sent_again_but_another_one_is_at_once(server):
    keys = [AlpacaKey("PKWRONG0000000000000", "wrong-secret-wrong-secret")]
    one = source(server, lambda: keys[-1])
    for _ in range(20):
        assert failure(one.quotes(("IWM",))["IWM"]).kind is FailureKind.AUTH
    assert len(server.requests) == one.requests == 1
    keys.append(KEY)
    assert isinstance(one.quotes(("IWM",))["IWM"], Quote)
    assert one.requests == 2


def test_a_refused_key_is_tried_again_later(server, monkeypatch):
    monkeypatch.setattr(module, "REFUSED_PAUSE_S", 0.0)
    server.fault = (403, "application/json", b"{}")
    one = source(server)
    one.quotes(("IWM",))
    server.fault = ""
    assert isinstance(one.quotes(("IWM",))["IWM"], Quote)


def test_too_many_requests_leave_the_host_alone(server):
    server.fault = (429, "application/json", b"{}")
    one = source(server)
    first, second = (failure(one.quotes(("IWM",))["IWM"]) for _ in range(2))
    assert first.retry_after_s == pytest.approx(300, abs=1)
    assert second.retry_after_s == pytest.approx(300, abs=1)
    assert len(server.requests) == 1


# --- in the feed ------------------------------------------------------------------------------------------------

PLAN = Plan()
"""All symbols of the window: the lane leaves what Alpaca knows."""


class Watched:
    """A feed of the sources, and a way to wait for what it does."""

    def __init__(self, store: Store, *sources, clock: Hand | None = None) -> None:
        self._changed = threading.Condition()
        self.feed = Feed(store, sources, clock or Hand(), self._on_change, PLAN)

    def _on_change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[], object]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        with self._changed:
            while not condition():
                assert time.monotonic() < end_s, self.feed.states()
                self._changed.wait(0.05)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as made:
        yield made


def test_the_feed_asks_for_the_two_etfs_and_no_history(server, store):
    one = source(server)
    watched = Watched(store, one)
    watched.feed.start()
    try:
        watched.until(lambda: len(server.requests) >= 3)
        time.sleep(0.3)
    finally:
        watched.feed.stop()
    assert sorted(path.partition("&")[0] for path in server.requests) == [
        "data.alpaca.markets/v2/stocks/bars?symbols=IWM",
        "data.alpaca.markets/v2/stocks/bars?symbols=QQQ",
        "data.alpaca.markets/v2/stocks/trades/latest?symbols=IWM%2CQQQ",
    ]
    (state,) = watched.feed.states()
    assert (state.requests, state.budget_per_h) == (3, round(3600 * 1e6))
    assert store.last_quote("IWM", NOW) is not None


def test_off_it_asks_nothing_and_a_refresh_does_not_wait_for_it(server, store):
    key: list[AlpacaKey | Unknown] = [Unknown("no key")]
    watched = Watched(store, source(server, lambda: key[-1]))
    watched.feed.start()
    try:
        watched.feed.refresh_now()
        time.sleep(0.4)
        (state,) = watched.feed.states()
        assert (state.state, state.note, state.next_try) == (FeedState.OFF, "no key", None)
        assert not watched.feed.refreshing
        assert server.requests == []
        key.append(KEY)  # entered: asked with the next look
        watched.until(lambda: watched.feed.states()[0].state is FeedState.LIVE)
    finally:
        watched.feed.stop()


def test_a_key_deleted_while_a_refresh_runs_ends_it(server, store):
    key: list[AlpacaKey | Unknown] = [KEY]
    server.fault = "hang"
    watched = Watched(store, source(server, lambda: key[-1]))
    watched.feed.start()
    try:
        watched.feed.refresh_now()
        watched.until(lambda: server.requests)
        key.append(Unknown("no key"))
        server.released.set()
        watched.until(lambda: not watched.feed.refreshing)
    finally:
        watched.feed.stop()


def test_bars_of_one_exchange_give_way_to_those_of_the_market(server, store):
    def market(close: float) -> Bars:
        price = np.array([close])
        start_s = np.array([int((NOW - timedelta(minutes=5)).timestamp())])
        return Bars("IWM", Interval.MINUTE, start_s, price, price, price, price, 0 * price)

    def known() -> list[float]:
        found = store.bars("IWM", Interval.MINUTE, NOW - timedelta(minutes=5), NOW - timedelta(minutes=4))
        return [float(one) for one in found.close]

    def ask() -> None:
        seen = len(server.requests)
        watched.feed.refresh_now()
        watched.until(lambda: len(server.requests) >= seen + 3 and not watched.feed.refreshing)

    watched = Watched(store, source(server))
    watched.feed.start()
    try:
        watched.until(known)
        assert known() == [205.5]  # better than nothing
        store.put_bars(market(205.77), source="yahoo", priority=Priority.VENDOR)
        assert known() == [205.77]
        ask()
        assert known() == [205.77]
    finally:
        watched.feed.stop()


def quote(symbol: str, price: float, age_s: float, arrived_s: float, name: str, delay_s: float = 0.0) -> Quote:
    now = NOW
    return Quote(
        symbol, price, now - timedelta(seconds=age_s), now - timedelta(seconds=arrived_s), name,
        declared_delay_s=delay_s,
    )  # fmt: skip


def test_the_later_trade_counts_whoever_told_it_and_its_age_is_the_honest_one(store):
    """Yahoo answers after Alpaca with older trades: they never take the place of the newer ones."""
    days = np.array(["2024-07-10"], dtype="datetime64[D]")
    for symbol, close in (("IWM", 203.33), ("QQQ", 503.0)):
        store.put_closes(Closes(symbol, days, np.array([close])), source="test", priority=Priority.VENDOR)
    store.put_quotes([quote("IWM", 205.31, 3, 2, "alpaca"), quote("QQQ", 496.12, 4, 2, "alpaca")])
    store.put_quotes([quote("IWM", 204.0, 900, 1, "yahoo", 900.0), quote("QQQ", 497.0, 20, 1, "yahoo")])
    last = {symbol: store.last_quote(symbol, NOW) for symbol in ("IWM", "QQQ")}
    assert {symbol: one and (one.source, one.price) for symbol, one in last.items()} == {
        "IWM": ("alpaca", 205.31),
        "QQQ": ("alpaca", 496.12),
    }
    driver = watch(
        Tape(store), NOW, Reference.PRIOR_CLOSE, max_leg_gap_s=60, max_age_s=1200, truth_gap_pp=0.5
    ).driver
    assert isinstance(driver, Driver)
    assert (driver.rut_age_s, driver.ndx_age_s) == (3.0, 4.0)

    # Alpaca falls silent; Yahoo's next trade of one leg is newer: it counts for that leg, with its own age.
    store.put_quotes([quote("QQQ", 496.5, 2, 0, "yahoo")])
    later = store.last_quote("QQQ", NOW)
    assert later is not None
    assert (later.source, later.price, later.age_s(NOW)) == ("yahoo", 496.5, 2.0)
