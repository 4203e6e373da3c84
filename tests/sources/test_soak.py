"""An hour of the market at sixty times its speed, with faults at random: nothing grows, nothing is lost."""

from __future__ import annotations

import gc
import random
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from desktop.book import Book
from desktop.deferred import Deferred
from desktop.desk import Desk, Mode, Parts
from desktop.market.clock import PlayClock
from desktop.market.known import Unknown
from desktop.market.quotes import Interval, Quote
from desktop.market.store import FILE_NAME, Store
from desktop.presenters.frame import View
from desktop.settings import Settings
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Stamp, Unchanged
from desktop.sources.feed import Feed, FeedState, Plan
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.stream import Stream
from tests.sources import faulty
from tests.sources.faulty import FaultyYahoo, saying, utc
from tests.sources.test_stream import Streamer, clean_close, close_1011, frame, reset
from tests.sources.yahoo_server import Chart, forget_client, quote_row

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SPEED = 60.0
START = utc("2024-07-11T10:00:00-04:00")
SYMBOLS = ("^RUT", "^NDX", "IWM", "QQQ")
PLAN = Plan(live=SYMBOLS, minute=SYMBOLS, daily=SYMBOLS, adjusted=(), universe=())
MINUTES = 60
WARM_UP_MINUTES = 15
MOST_GROWTH_MB = 5.0
FAULTS = {
    "429": saying(429, b"Too Many Requests", "text/plain"),
    "401": saying(401, b"{}"),
    "404": saying(404, b"{}"),
    "500": saying(500, b"oops", "text/html"),
    "html": saying(200, b"<html>Sign in</html>", "text/html"),
    "empty": saying(200, b""),
    "half": saying(200, b'{"quoteResponse":{'),
    "truncated": faulty.truncated,
    "hang": faulty.hang,
    "drip": faulty.drip,
    "reset": faulty.reset,
}


class QuickBreaker(HostBreaker):
    """Five, fifteen and sixty minutes of the market."""

    PAUSES_S = (300.0 / SPEED, 900.0 / SPEED, 3600.0 / SPEED)


class Market(FaultyYahoo):
    """Prices follow the clock; each minute of each symbol has one bar, the same whenever it is asked for."""

    def level(self, symbol: str, minute: int) -> float:
        wave = np.sin(minute / 7.0 + len(symbol)) + 0.3 * np.sin(minute / 2.0)
        return round(faulty.CLOSES[symbol] * (1 + 0.005 * float(wave)), 4)

    def answer(self, path: str) -> tuple[int, str, bytes] | None:
        now_s = self.clock.now().timestamp()
        this = int(now_s) // 60
        first = int(START.timestamp()) // 60 - 30
        for symbol in SYMBOLS:
            price = self.level(symbol, this)
            self.quotes[symbol] = quote_row(symbol, price, int(now_s))
            rows = [(60.0 * n, *(4 * [self.level(symbol, n)]), 1.0) for n in range(first, this)]
            self.charts[symbol] = Chart(list(rows), price=price, time_s=int(now_s))
        found = super().answer(path)
        with self._arrived:
            del self.requests[:-50]  # the server's own memory is no part of the measure
        return found


class Bulletin:
    """A publisher of one number, which fails now and then."""

    def __init__(self, name: str, clock: PlayClock, chance: random.Random) -> None:
        self.name = name
        self.datasets: tuple[Dataset, ...] = (Dataset("number", 120.0),)
        self._clock, self._chance = clock, chance
        self.requests = 0
        self.off = ""

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        self.requests += 1
        now = self._clock.now()
        if self._chance.random() < 0.3:
            return Failure(FailureKind.OFFLINE, self.name, dataset.name, "as told", now)
        return Published(now, quotes=(Quote("^VIX", 12.0 + self.requests / 100, now, now, self.name),))

    def close(self) -> None:
        return


class OwnSpeed:
    """The market's time for what only runs at the wall's speed."""

    speed = 1.0

    def __init__(self, clock: PlayClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def names() -> list[str]:
    """Threads of the product, by name."""
    return sorted(one.name for one in threading.enumerate() if one.name.startswith(("feed", "engine", "slow")))


@pytest.fixture
def client() -> Iterator[None]:
    yield from forget_client()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to read the memory in use")
@pytest.mark.parametrize("seed", [20240711])
def test_an_hour_with_faults_loses_no_bar_and_grows_nothing(
    tmp_path: Path, client: None, monkeypatch: pytest.MonkeyPatch, caplog: Any, seed: int
) -> None:
    caplog.set_level("CRITICAL")  # kept lines would be measured as growth
    monkeypatch.setattr(Deferred, "get", lambda *_args: Unknown("being computed"))
    chance = random.Random(seed)
    faulty.fill(tmp_path, START.date() - timedelta(days=1))
    clock = PlayClock(START, SPEED)
    deaths = [clean_close, close_1011, reset]

    def talk(link: ServerConnection) -> None:
        for number in range(chance.randrange(5, 60)):
            with suppress(ConnectionClosed):
                price = market.level("IWM", int(clock.now().timestamp()) // 60)
                link.send(frame("IWM", price + number / 1000, clock.now() - timedelta(seconds=1)))
            if market.released.wait(0.05):
                return
        with suppress(ConnectionClosed, OSError):
            chance.choice(deaths)(link)

    with Market(clock) as market, Streamer(*[talk] * 500) as streamer:

        def open_parts(on_change: Any) -> Parts:
            store = Store(tmp_path / FILE_NAME)
            yahoo = market.yahoo(
                tmp_path,
                known_close=store.last_close,
                bucket=TokenBucket(SPEED, 3 * round(SPEED)),
                breaker=QuickBreaker(lambda: 0.5),
            )
            stream = Stream(
                store,
                OwnSpeed(clock),
                on_change,
                PLAN,
                known_close=store.last_close,
                url=streamer.url,
                pause_s=0.05,
            )
            bulletins = [Bulletin(name, clock, chance) for name in ("morning", "evening")]
            return Parts(store, Book(None), clock, Feed(store, [yahoo], clock, on_change, PLAN, bulletins, stream))

        desk, view = Desk(Mode.LIVE, open_parts), View(replace(Settings(), stream=True))
        desk.frame(view)
        desk.begin()
        pokes = threading.Semaphore(0)
        desk.start(pokes.release)
        minute, memory, threads, states, frames = 0, [0.0], names(), set(), 0
        suffered: list[str] = []
        end = START + timedelta(minutes=MINUTES)
        while clock.now() < end:
            pokes.acquire(timeout=0.25)
            since = time.monotonic()
            shown = desk.frame(view)
            frames += 1
            assert time.monotonic() - since < 2.0
            states.add(shown.snapshot.feed[0].state)
            passed = int((clock.now() - START).total_seconds()) // 60
            if passed > minute:
                minute = passed
                market.wires.clear()
                if chance.random() < 0.5 and minute < MINUTES - 12:
                    suffered.append(chance.choice(list(FAULTS)))
                    market.wires[chance.choice(["/v7/", "/v8/", "/finance/", "/"])] = FAULTS[suffered[-1]]
                gc.collect()
                if minute >= WARM_UP_MINUTES:
                    memory.append(rss_mb())
                assert len(names()) <= len(threads) + 2, names()  # a worker given up may linger
            market.released.wait(0.1)
        until = time.monotonic() + 30
        lane = desk._parts.feed._source_lanes[0] if desk._parts is not None else None
        assert lane is not None
        wanted = int(end.timestamp()) // 60 - 1

        def behind() -> list[str]:
            with Store(tmp_path / FILE_NAME) as store:
                return [
                    one
                    for one in SYMBOLS
                    if not len(found := store.bars(one, Interval.MINUTE)) or found.start_s[-1] < 60 * wanted
                ]

        while behind() and time.monotonic() < until:
            market.released.wait(0.2)
        with Store(tmp_path / FILE_NAME) as store:
            for symbol in SYMBOLS:
                bars = store.bars(symbol, Interval.MINUTE)
                minutes = np.arange(int(START.timestamp()) // 60 - 30, wanted + 1)
                kept = bars.start_s <= 60 * wanted
                np.testing.assert_array_equal(bars.start_s[kept] // 60, minutes, err_msg=symbol)
                np.testing.assert_array_equal(bars.close[kept], [market.level(symbol, int(n)) for n in minutes])
        state = lane.state(clock.now())
        market.released.set()
        since = time.monotonic()
        desk.close()
        assert time.monotonic() - since < 3.0
        assert state.state is FeedState.LIVE, state
    gone = time.monotonic() + 5
    while names() and time.monotonic() < gone:
        market.released.wait(0.05)
    assert names() == []
    grown = memory[-1] - memory[1]
    print(f"{grown:+.1f} MB of {memory[1]:.0f}, {frames} frames, {len(streamer.links)} links, "
          f"{state.requests} requests, faults {suffered}, states {sorted(states)}")  # fmt: skip
    assert grown <= MOST_GROWTH_MB
    assert len(suffered) > 10
    assert len(streamer.links) > 5
