"""The real yfinance client and curl_cffi, driven against a loopback server."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.yahoo import Yahoo
from tests.sources.yahoo_server import (
    Chart,
    Fault,
    YahooServer,
    at,
    daily_row,
    forget_client,
    minutes,
    quote_row,
)

CLOSE = at("2024-07-11T16:00:00-04:00")
EVENING = datetime(2024, 7, 11, 21, 0, tzinfo=UTC)
JULY = Window(datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 8, 1, tzinfo=UTC))


class At:
    """A clock that stands where it is put."""

    speed = 1.0

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def server() -> Iterator[YahooServer]:
    with YahooServer() as running:
        yield running


@pytest.fixture
def fresh_client() -> Iterator[None]:
    """yfinance keeps one client, its caches and its answers for the whole process."""
    yield from forget_client()


@pytest.fixture
def clock() -> At:
    return At(EVENING)


@pytest.fixture
def make(server: YahooServer, clock: At, tmp_path: Path, fresh_client: None) -> Callable[..., Yahoo]:
    def yahoo(**options: Any) -> Yahoo:
        options.setdefault("bucket", TokenBucket(rate_per_s=1e6, burst=1000))
        options.setdefault("breaker", HostBreaker(jitter=lambda: 0.5))
        options.setdefault("session_factory", server.session)
        return Yahoo(tmp_path / "cache", clock, **options)

    return yahoo


@pytest.fixture
def yahoo(make: Callable[..., Yahoo]) -> Yahoo:
    return make()


def good(answer: Quote | Bars | Closes | Failure) -> Any:
    assert not isinstance(answer, Failure), answer
    return answer


def failed(answer: object, kind: FailureKind) -> Failure:
    assert isinstance(answer, Failure), answer
    assert answer.kind is kind, answer
    assert answer.source == "yahoo"
    assert answer.at.tzinfo is not None
    return answer


# --- quotes -----------------------------------------------------------------------------------------------------


def test_all_symbols_come_in_one_request(server, yahoo):
    server.quotes = {
        "^NDX": quote_row("^NDX", 20211.36, CLOSE, regularMarketPreviousClose=20675.38),
        "^RUT": quote_row("^RUT", 2125.04, CLOSE),
    }
    found = yahoo.quotes(["^NDX", "^RUT", "^NDX"])
    ndx = good(found["^NDX"])
    assert (ndx.price, ndx.previous_close, ndx.source) == (20211.36, 20675.38, "yahoo")
    assert ndx.event_time == datetime(2024, 7, 11, 20, 0, tzinfo=UTC)
    assert ndx.arrival_time == EVENING
    assert list(found) == ["^NDX", "^RUT"]
    assert server.count("/v7/finance/quote") == 1


def test_a_cold_start_asks_for_cookie_crumb_and_quotes_in_this_order(server, yahoo):
    """Contract with yfinance 1.7.0: `YfData.get_raw_json` is half private, so its requests are pinned here."""
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, CLOSE)}
    good(yahoo.quotes(["^NDX"])["^NDX"])
    paths = [one.split("?")[0] for one in server.requests]
    assert paths == [
        "fc.yahoo.com/",
        "query1.finance.yahoo.com/v1/test/getcrumb",
        "query1.finance.yahoo.com/v7/finance/quote",
    ]
    assert "symbols=%5ENDX" in server.requests[-1]
    assert "crumb=cRuMb" in server.requests[-1]


def test_the_pinned_client_is_installed():
    import yfinance

    assert yfinance.__version__ == "1.7.0"


def test_a_symbol_that_yahoo_leaves_out_is_not_found_and_the_others_are_kept(server, yahoo):
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, CLOSE)}
    found = yahoo.quotes(["^NDX", "^NOPE"])
    assert good(found["^NDX"]).price == 20211.36
    assert failed(found["^NOPE"], FailureKind.NOT_FOUND).symbol == "^NOPE"


def test_a_broken_row_fails_alone(server, yahoo):
    server.quotes = {
        "^NDX": quote_row("^NDX", 20211.36, CLOSE),
        "^RUT": {"symbol": "^RUT", "regularMarketPrice": "2125.04"},
        "^VIX": quote_row("^VIX", -1.0, CLOSE),
    }
    found = yahoo.quotes(["^NDX", "^RUT", "^VIX"])
    good(found["^NDX"])
    failed(found["^RUT"], FailureKind.BAD_PAYLOAD)
    failed(found["^VIX"], FailureKind.BAD_PAYLOAD)


def test_the_declared_delay_is_in_seconds_and_futures_are_ten_minutes_late_unless_told(server, yahoo, clock):
    clock.time = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
    now_s = int(clock.time.timestamp())
    silent = quote_row("RTY=F", 2100.0, now_s)
    del silent["exchangeDataDelayedBy"]
    server.quotes = {"^VIX": quote_row("^VIX", 12.92, now_s, exchangeDataDelayedBy=15), "RTY=F": silent}
    found = yahoo.quotes(["^VIX", "RTY=F"])
    assert good(found["^VIX"]).declared_delay_s == 900.0
    assert good(found["^VIX"]).age_s(clock.now()) == 900.0
    assert good(found["RTY=F"]).declared_delay_s == 600.0


def test_before_the_open_the_etf_shows_its_premarket_trade_against_the_last_close(server, yahoo, clock):
    clock.time = datetime(2024, 7, 11, 12, 31, tzinfo=UTC)
    server.quotes = {
        "IWM": quote_row(
            "IWM",
            203.45,
            at("2024-07-10T16:00:00-04:00"),
            regularMarketPreviousClose=201.20,
            preMarketPrice=207.9,
            preMarketTime=at("2024-07-11T08:30:41-04:00"),
            marketState="PRE",
        )
    }
    quote = good(yahoo.quotes(["IWM"])["IWM"])
    assert (quote.price, quote.previous_close, quote.open_price) == (207.9, 203.45, None)
    assert quote.event_time == datetime(2024, 7, 11, 12, 30, 41, tzinfo=UTC)


def test_after_the_close_the_late_trade_is_measured_from_the_close_of_the_day_before(server, yahoo):
    server.quotes = {
        "IWM": quote_row(
            "IWM",
            210.75,
            CLOSE,
            regularMarketPreviousClose=203.45,
            postMarketPrice=211.0,
            postMarketTime=CLOSE + 1800,
            marketState="POST",
        )
    }
    quote = good(yahoo.quotes(["IWM"])["IWM"])
    assert (quote.price, quote.previous_close) == (211.0, 203.45)


def test_a_previous_close_near_zero_is_ignored_and_the_price_kept(server, yahoo):
    """yfinance issue 2704: ^RUT and ^VIX came with a previous close near zero."""
    server.quotes = {"^RUT": quote_row("^RUT", 2125.04, CLOSE, regularMarketPreviousClose=1e-5)}
    quote = good(yahoo.quotes(["^RUT"])["^RUT"])
    assert (quote.price, quote.previous_close) == (2125.04, None)
    assert server.count("/v8/") == 0


def test_an_open_of_zero_is_no_open(server, yahoo):
    server.quotes = {"^VIX": quote_row("^VIX", 12.92, CLOSE, regularMarketOpen=0)}
    assert good(yahoo.quotes(["^VIX"])["^VIX"]).open_price is None


def test_a_trade_in_the_future_is_refused_with_both_times(server, yahoo, clock):
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, int(EVENING.timestamp()) + 600)}
    failure = failed(yahoo.quotes(["^NDX"])["^NDX"], FailureKind.BAD_PAYLOAD)
    assert "computer's clock" in failure.message


# --- prices that need a second confirmation --------------------------------------------------------------------


def test_a_hundredfold_price_that_the_chart_contradicts_is_refused(server, yahoo):
    server.quotes = {
        "^RUT": quote_row("^RUT", 212504.0, CLOSE, regularMarketPreviousClose=2051.76),
        "^NDX": quote_row("^NDX", 20211.36, CLOSE),
    }
    server.charts["^RUT"] = Chart(price=2125.04, time_s=CLOSE, previous_close=2051.76)
    found = yahoo.quotes(["^RUT", "^NDX"])
    assert "2125.04" in failed(found["^RUT"], FailureKind.BAD_PAYLOAD).message
    good(found["^NDX"])


def test_a_hundredfold_price_with_a_hundredfold_previous_close_is_caught_by_the_stored_close(server, make):
    yahoo = make(known_close={"^RUT": 2051.76}.get)
    server.quotes = {"^RUT": quote_row("^RUT", 212504.0, CLOSE, regularMarketPreviousClose=205176.0)}
    server.charts["^RUT"] = Chart(price=2125.04, time_s=CLOSE)
    failed(yahoo.quotes(["^RUT"])["^RUT"], FailureKind.BAD_PAYLOAD)


def test_a_real_jump_is_confirmed_by_the_chart_once_and_then_trusted(server, yahoo, clock):
    """2024-08-05: the VIX opened at 23.39 the Friday before and traded at 65.73."""
    clock.time = datetime(2024, 8, 5, 13, 0, tzinfo=UTC)
    now_s = int(clock.time.timestamp())
    server.quotes = {"^VIX": quote_row("^VIX", 65.73, now_s, regularMarketPreviousClose=23.39)}
    server.charts["^VIX"] = Chart(price=65.70, time_s=now_s, previous_close=23.39)
    assert good(yahoo.quotes(["^VIX"])["^VIX"]).price == 65.73
    server.quotes["^VIX"]["regularMarketPrice"] = 61.0
    assert good(yahoo.quotes(["^VIX"])["^VIX"]).price == 61.0
    assert server.count("/v8/") == 1


def test_without_the_batch_a_jump_is_confirmed_by_the_next_chart(server, yahoo):
    server.faults["/v7/"] = Fault.SERVER_ERROR
    server.charts["^VIX"] = Chart(price=38.57, time_s=CLOSE, previous_close=23.39)
    failed(yahoo.quotes(["^VIX"])["^VIX"], FailureKind.BAD_PAYLOAD)
    assert good(yahoo.quotes(["^VIX"])["^VIX"]).price == 38.57


def test_a_batch_full_of_nonsense_costs_no_more_than_three_second_opinions(server, yahoo):
    symbols = ["^RUT", "^NDX", "IWM", "QQQ", "^VIX"]
    for symbol in symbols:
        server.quotes[symbol] = quote_row(symbol, 1000.0, CLOSE, regularMarketPreviousClose=10.0)
        server.charts[symbol] = Chart(price=10.0, time_s=CLOSE)
    for answer in yahoo.quotes(symbols).values():
        failed(answer, FailureKind.BAD_PAYLOAD)
    assert server.count("/v8/") == 3


# --- how a host can fail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "data_requests"),
    [
        (Fault.NOT_FOUND, FailureKind.NOT_FOUND, 2),
        (Fault.SERVER_ERROR, FailureKind.BAD_PAYLOAD, 2),
        (Fault.HTML, FailureKind.BAD_PAYLOAD, 2),
        (Fault.EMPTY, FailureKind.BAD_PAYLOAD, 2),
        (Fault.RATE_LIMITED, FailureKind.RATE_LIMITED, 1),
        (Fault.DROPPED, FailureKind.OFFLINE, 1),
        (Fault.HANG, FailureKind.TIMEOUT, 1),
        (Fault.UNAUTHORIZED, FailureKind.AUTH, 4),
    ],
)
def test_each_way_to_fail_has_its_kind_and_the_next_round_recovers(server, make, fault, kind, data_requests):
    yahoo = make(call_limit_s=0.4 if fault is Fault.HANG else 10.0, breaker=Forgiving())
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, CLOSE)}
    server.charts["^NDX"] = Chart(price=20211.36, time_s=CLOSE)
    good(yahoo.quotes(["^NDX"])["^NDX"])
    server.requests.clear()
    server.faults["/finance/"] = fault
    assert failed(yahoo.quotes(["^NDX"])["^NDX"], kind).symbol == "^NDX"
    # One for the batch and one chart, unless the whole host is out; only a 401 is tried again with new cookies.
    assert server.count("/finance/") == data_requests
    server.released.set()
    server.faults.clear()
    assert good(yahoo.quotes(["^NDX"])["^NDX"]).price == 20211.36


class Forgiving(HostBreaker):
    """Lets the next round through at once."""

    PAUSES_S = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.NOT_FOUND, FailureKind.NOT_FOUND),
        (Fault.SERVER_ERROR, FailureKind.BAD_PAYLOAD),
        (Fault.HTML, FailureKind.BAD_PAYLOAD),
        (Fault.EMPTY, FailureKind.BAD_PAYLOAD),
        (Fault.RATE_LIMITED, FailureKind.RATE_LIMITED),
        (Fault.DROPPED, FailureKind.OFFLINE),
        (Fault.HANG, FailureKind.TIMEOUT),
        (Fault.UNAUTHORIZED, FailureKind.AUTH),
    ],
)
def test_bars_fail_with_the_same_kinds_and_recover(server, make, fault, kind):
    yahoo = make(call_limit_s=0.4 if fault is Fault.HANG else 10.0, breaker=Forgiving())
    server.charts["^NDX"] = Chart([daily_row("2024-07-11", 20211.36)])
    server.faults["/v8/"] = fault
    failed(yahoo.bars("^NDX", Interval.DAY, JULY), kind)
    server.released.set()
    server.faults.clear()
    assert len(good(yahoo.bars("^NDX", Interval.DAY, JULY))) == 1


def test_when_only_the_batch_is_refused_charts_take_over_and_the_batch_is_left_alone(server, yahoo):
    server.faults["/v7/"] = Fault.UNAUTHORIZED
    server.charts = {
        "^NDX": Chart(price=20211.36, time_s=CLOSE, previous_close=20675.38),
        "^RUT": Chart(price=2125.04, time_s=CLOSE, previous_close=2051.76),
    }
    found = yahoo.quotes(["^NDX", "^RUT", "^NOPE"])
    assert (good(found["^NDX"]).price, good(found["^NDX"]).previous_close) == (20211.36, 20675.38)
    assert good(found["^RUT"]).price == 2125.04
    failed(found["^NOPE"], FailureKind.NOT_FOUND)
    batches = server.count("/v7/")
    yahoo.quotes(["^NDX"])
    assert server.count("/v7/") == batches


def test_when_charts_fail_too_the_batch_is_tried_again_at_once(server, yahoo):
    server.faults["/v7/"] = Fault.SERVER_ERROR
    server.charts["^NDX"] = Chart(price=20211.36, time_s=CLOSE)
    good(yahoo.quotes(["^NDX"])["^NDX"])
    server.faults["/v8/"] = Fault.SERVER_ERROR
    failed(yahoo.quotes(["^NDX"])["^NDX"], FailureKind.BAD_PAYLOAD)
    server.faults.clear()
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, CLOSE)}
    good(yahoo.quotes(["^NDX"])["^NDX"])
    assert server.count("/v7/") == 2


def test_one_429_is_one_request_and_nothing_is_asked_until_the_pause_is_over(server, yahoo):
    good_row = quote_row("^NDX", 20211.36, CLOSE)
    server.quotes = {"^NDX": good_row}
    good(yahoo.quotes(["^NDX"])["^NDX"])
    server.requests.clear()
    server.faults["/v7/"] = Fault.RATE_LIMITED
    failure = failed(yahoo.quotes(["^NDX"])["^NDX"], FailureKind.RATE_LIMITED)
    assert failure.retry_after_s == pytest.approx(300.0, abs=1.0)
    assert yahoo.retry_after_s == pytest.approx(300.0, abs=1.0)
    assert server.count("/v7/") == 1
    everything = server.count()
    failed(yahoo.quotes(["^NDX"])["^NDX"], FailureKind.RATE_LIMITED)
    failed(yahoo.bars("^NDX", Interval.DAY, JULY), FailureKind.RATE_LIMITED)
    assert server.count() == everything


def test_a_host_that_cannot_be_reached_is_asked_once_for_a_whole_batch(server, yahoo):
    server.faults["yahoo.com"] = Fault.DROPPED
    found = yahoo.quotes(["^NDX", "^RUT", "IWM"])
    assert [failed(one, FailureKind.OFFLINE).symbol for one in found.values()] == ["^NDX", "^RUT", "IWM"]
    assert server.count("/v7/") == 1
    assert server.count("/v8/") == 0


def test_every_request_counts_against_the_budget_cookie_and_crumb_included(server, make):
    spent: list[float] = []

    class Counting(TokenBucket):
        def reserve(self, now_s: float) -> float:
            spent.append(now_s)
            return 0.0

    yahoo = make(bucket=Counting())
    server.quotes = {"^NDX": quote_row("^NDX", 20211.36, CLOSE)}
    good(yahoo.quotes(["^NDX"])["^NDX"])
    assert len(spent) == server.count() == 3


def test_a_cookie_page_that_hangs_does_not_outlast_the_limit_of_the_call(server, make):
    yahoo = make(call_limit_s=0.4)
    server.faults["fc.yahoo.com"] = Fault.HANG
    failed(yahoo.quotes(["^NDX"])["^NDX"], FailureKind.TIMEOUT)


def test_closing_ends_a_call_that_waits_for_the_budget(server, make):
    class Endless(TokenBucket):
        def reserve(self, now_s: float) -> float:
            waiting.set()
            return 3600.0

    waiting, answers = threading.Event(), []
    yahoo = make(bucket=Endless())
    worker = threading.Thread(target=lambda: answers.append(yahoo.quotes(["^NDX"])), daemon=True)
    worker.start()
    assert waiting.wait(10)
    yahoo.close()
    worker.join(10)
    failed(answers[0]["^NDX"], FailureKind.TIMEOUT)


# --- bars ------------------------------------------------------------------------------------------------------


def test_daily_bars_carry_midnight_utc_of_their_new_york_date(server, yahoo):
    server.charts["^NDX"] = Chart([daily_row("2024-07-10", 20675.38), daily_row("2024-07-11", 20211.36)])
    bars = good(yahoo.bars("^NDX", Interval.DAY, JULY))
    assert bars.days.tolist() == [date(2024, 7, 10), date(2024, 7, 11)]
    assert bars.start_s.tolist() == [at("2024-07-10T00:00:00+00:00"), at("2024-07-11T00:00:00+00:00")]
    assert bars.close.tolist() == [20675.38, 20211.36]
    assert (bars.open[1], bars.high[1], bars.low[1], bars.volume[1]) == (20210.36, 20213.36, 20209.36, 1000.0)


def test_a_winter_day_is_labelled_by_the_same_rule(server, yahoo, clock):
    clock.time = datetime(2024, 1, 20, tzinfo=UTC)
    server.charts["^NDX"] = Chart([daily_row("2024-01-18", 100.0, clock="14:30")])
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), clock.time)
    assert good(yahoo.bars("^NDX", Interval.DAY, window)).days.tolist() == [date(2024, 1, 18)]


def test_todays_bar_is_provisional_until_twenty_minutes_after_the_close(server, yahoo, clock):
    live = (CLOSE - 3600, 20600.0, 20690.0, 20200.0, 20300.0, 500)
    server.charts["^NDX"] = Chart([daily_row("2024-07-10", 20675.38), live], price=20300.0)
    for now, last in [
        (datetime(2024, 7, 11, 18, 0, tzinfo=UTC), date(2024, 7, 10)),
        (datetime(2024, 7, 11, 20, 19, 59, tzinfo=UTC), date(2024, 7, 10)),
        (datetime(2024, 7, 11, 20, 20, tzinfo=UTC), date(2024, 7, 11)),
    ]:
        clock.time = now
        assert good(yahoo.bars("^NDX", Interval.DAY, JULY)).days[-1].item() == last


def test_a_half_day_is_final_twenty_minutes_after_its_early_close(server, yahoo, clock):
    server.charts["^NDX"] = Chart([daily_row("2024-07-02", 100.0), daily_row("2024-07-03", 101.0)])
    clock.time = datetime(2024, 7, 3, 17, 20, tzinfo=UTC)  # 13:00 New York + 20 minutes
    assert good(yahoo.bars("^NDX", Interval.DAY, JULY)).days[-1].item() == date(2024, 7, 3)


def test_the_live_row_that_yahoo_appends_becomes_the_day_and_not_a_second_one(server, yahoo):
    live = (CLOSE + 1, 20600.0, 20690.0, 20200.0, 20211.36, 1500)
    server.charts["^NDX"] = Chart([daily_row("2024-07-10", 20675.38), daily_row("2024-07-11", 20211.0), live])
    bars = good(yahoo.bars("^NDX", Interval.DAY, JULY))
    assert bars.close.tolist() == [20675.38, 20211.36]


def test_rows_without_a_close_are_left_out(server, yahoo):
    server.charts["^NDX"] = Chart(
        [daily_row("2024-07-09", 20453.02), daily_row("2024-07-10", None), daily_row("2024-07-11", 20211.36)]
    )
    bars = good(yahoo.bars("^NDX", Interval.DAY, JULY))
    assert bars.days.tolist() == [date(2024, 7, 9), date(2024, 7, 11)]


def test_a_row_without_an_open_or_with_a_zero_is_no_bar(server, yahoo):
    rows = [daily_row(f"2024-07-{day:02}", 100.0 + day) for day in (8, 9, 10, 11)]
    rows[1] = (rows[1][0], None, *rows[1][2:])
    rows[2] = (*rows[2][:3], 0.0, *rows[2][4:])
    server.charts["^NDX"] = Chart(rows)
    assert good(yahoo.bars("^NDX", Interval.DAY, JULY)).days.tolist() == [date(2024, 7, 8), date(2024, 7, 11)]


def test_a_row_that_comes_twice_counts_once(server, yahoo):
    row = daily_row("2024-07-10", 100.0)
    server.charts["^NDX"] = Chart([row, row, daily_row("2024-07-11", 101.0)])
    assert good(yahoo.bars("^NDX", Interval.DAY, JULY)).close.tolist() == [100.0, 101.0]


def test_a_day_on_which_the_exchange_was_closed_is_left_out(server, yahoo):
    server.charts["^NDX"] = Chart(
        [daily_row("2024-07-03", 99.0), daily_row("2024-07-04", 99.0), daily_row("2024-07-05", 100.0)]
    )
    assert good(yahoo.bars("^NDX", Interval.DAY, JULY)).days.tolist() == [date(2024, 7, 3), date(2024, 7, 5)]


def test_a_hundredfold_row_in_the_middle_is_left_out(server, yahoo):
    closes = {"09": 100.0, "10": 10100.0, "11": 102.0}
    server.charts["IWM"] = Chart([daily_row(f"2024-07-{day}", close) for day, close in closes.items()])
    assert good(yahoo.bars("IWM", Interval.DAY, JULY)).close.tolist() == [100.0, 102.0]


def test_a_hundredfold_last_row_needs_the_live_price_to_confirm_it(server, yahoo):
    rows = [daily_row("2024-07-10", 100.0), daily_row("2024-07-11", 10100.0)]
    server.charts["IWM"] = Chart(rows, price=101.0)
    assert good(yahoo.bars("IWM", Interval.DAY, JULY)).close.tolist() == [100.0]


def test_the_real_vix_spike_of_august_2024_is_kept(server, yahoo, clock):
    """METHODS 3: 38.57 on 2024-08-05; 23.39 the day before and 27.71 the day after are Cboe's closes."""
    clock.time = datetime(2024, 8, 7, 21, tzinfo=UTC)
    days = {"2024-08-02": 23.39, "2024-08-05": 38.57, "2024-08-06": 27.71, "2024-08-07": 27.85}
    server.charts["^VIX"] = Chart([daily_row(day, close) for day, close in days.items()], price=27.85)
    window = Window(datetime(2024, 8, 1, tzinfo=UTC), clock.time)
    assert good(yahoo.bars("^VIX", Interval.DAY, window)).close.tolist() == list(days.values())


def test_only_what_starts_in_the_window_is_handed_over(server, yahoo):
    server.charts["^NDX"] = Chart([daily_row(f"2024-07-{day:02}", 100.0 + day) for day in (8, 9, 10, 11)])
    window = Window(datetime(2024, 7, 9, tzinfo=UTC), datetime(2024, 7, 11, tzinfo=UTC))
    assert good(yahoo.bars("^NDX", Interval.DAY, window)).days.tolist() == [date(2024, 7, 9), date(2024, 7, 10)]


def test_a_range_without_data_is_said_to_be_empty(server, yahoo):
    server.charts["^NDX"] = Chart([])
    failed(yahoo.bars("^NDX", Interval.DAY, JULY), FailureKind.NO_DATA)


def test_an_unknown_symbol_is_not_found_after_one_request(server, yahoo):
    failed(yahoo.bars("NOPE", Interval.DAY, JULY), FailureKind.NOT_FOUND)
    assert server.count("/v8/") == 1


def test_quarterly_rows_sold_as_daily_ones_are_refused(server, yahoo):
    """`range=max` may answer with dataGranularity 3mo (history_chart_VFINX of the recorded answers)."""
    server.charts["^NDX"] = Chart([daily_row("2024-07-10", 100.0)], granularity="3mo")
    failure = failed(yahoo.bars("^NDX", Interval.DAY, JULY), FailureKind.BAD_PAYLOAD)
    assert "3mo" in failure.message


def test_one_symbol_of_history_is_one_request(server, yahoo):
    server.charts["^NDX"] = Chart([daily_row("2024-07-11", 100.0)])
    good(yahoo.bars("^NDX", Interval.DAY, JULY))
    assert server.count("/v8/") == 1


@pytest.mark.parametrize(
    ("days_back", "interval", "asked"),
    [
        (1, Interval.MINUTE, "range=1d"),
        (4, Interval.MINUTE, "range=5d"),
        (14, Interval.DAY, "range=1mo"),
        (700, Interval.DAY, "range=2y"),
        (20 * 365, Interval.DAY, "period1="),
    ],
)
def test_the_shortest_period_that_covers_the_window_is_asked_for(server, yahoo, clock, days_back, interval, asked):
    server.charts["^NDX"] = Chart([daily_row("2024-07-11", 100.0)])
    yahoo.bars("^NDX", interval, Window(clock.now() - timedelta(days=days_back), clock.now()))
    (request,) = (one for one in server.requests if "/v8/" in one)
    assert asked in request
    assert f"interval={interval.value}" in request


def test_minute_bars_are_in_utc_closed_and_without_the_live_row(server, yahoo, clock):
    clock.time = datetime(2024, 7, 11, 13, 33, 30, tzinfo=UTC)
    rows = minutes("2024-07-11T09:30:00-04:00", [100.0, 101.0, 102.0, 103.0])
    live = (at("2024-07-11T09:33:28-04:00"), 103.5, 103.5, 103.5, 103.5, 0)
    server.charts["IWM"] = Chart([*rows, live], price=103.5)
    bars = good(yahoo.bars("IWM", Interval.MINUTE, Window(clock.now() - timedelta(hours=5), clock.now())))
    assert bars.close.tolist() == [100.0, 101.0, 102.0]
    assert datetime.fromtimestamp(int(bars.start_s[0]), UTC) == datetime(2024, 7, 11, 13, 30, tzinfo=UTC)
    assert "includePrePost=true" in server.requests[-1]


def test_minutes_before_the_open_are_included(server, yahoo, clock):
    clock.time = datetime(2024, 7, 11, 12, 40, tzinfo=UTC)
    server.charts["IWM"] = Chart(minutes("2024-07-11T08:28:00-04:00", [203.4, 203.5, 207.0]), price=207.0)
    bars = good(yahoo.bars("IWM", Interval.MINUTE, Window(clock.now() - timedelta(hours=5), clock.now())))
    assert bars.close.tolist() == [203.4, 203.5, 207.0]


def test_adjusted_closes_are_a_series_of_their_own(server, yahoo):
    server.charts["IWM"] = Chart(
        [daily_row("2024-07-10", 203.45), daily_row("2024-07-11", 210.75)], adjusted=[200.1, 207.3]
    )
    closes = good(yahoo.adjusted_closes("IWM", JULY))
    assert (closes.symbol, closes.close.tolist()) == ("IWM:adj", [200.1, 207.3])
    assert good(yahoo.bars("IWM", Interval.DAY, JULY)).close.tolist() == [203.45, 210.75]


# --- recorded answers and the import budget ------------------------------------------------------------------


def test_a_recorded_batch_is_read(server, make, clock, real_data):
    import json

    recorded = json.loads((real_data / "yahoo-fixtures/yfinance-rs/quote_v7_AAPL-MSFT.json").read_text())
    server.quotes = {row["symbol"]: row for row in recorded["quoteResponse"]["result"]}
    clock.time = datetime(2025, 10, 30, 1, 0, tzinfo=UTC)
    apple = good(make().quotes(["AAPL", "MSFT"])["AAPL"])
    # postMarketPrice 270.75 at 1761782396, regularMarketPreviousClose 269.0 in the file
    assert (apple.price, apple.previous_close, apple.open_price) == (270.75, 269.0, 269.275)
    assert int(apple.event_time.timestamp()) == 1761782396


def test_a_recorded_chart_is_read(server, make, clock, real_data):
    import json

    text = (real_data / "yahoo-fixtures/yfinance-rs/history_chart_AAPL.json").read_text()
    recorded = json.loads(text)["chart"]["result"][0]
    clock.time = datetime(2025, 10, 30, 1, 0, tzinfo=UTC)
    quote = recorded["indicators"]["quote"][0]
    names = ("open", "high", "low", "close", "volume")
    server.charts["AAPL"] = Chart(
        list(zip(recorded["timestamp"], *(quote[name] for name in names), strict=True)),
        adjusted=recorded["indicators"]["adjclose"][0]["adjclose"],
        price=269.7,
    )
    bars = good(make().bars("AAPL", Interval.DAY, Window(datetime(2025, 1, 1, tzinfo=UTC), clock.now())))
    np.testing.assert_array_equal(bars.close, quote["close"])
    assert bars.days[-1].item() == date(2025, 10, 29)


def test_importing_and_making_the_source_loads_neither_pandas_nor_the_client(tmp_path):
    script = (
        "import sys, pathlib, datetime\n"
        "from desktop.sources.yahoo import Yahoo\n"
        "from desktop.market.clock import SystemClock\n"
        "Yahoo(pathlib.Path(sys.argv[1]), SystemClock())\n"
        "print(sorted({'pandas', 'yfinance', 'curl_cffi', 'PySide6'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
