"""The stream: real frames decoded, and a supervisor that outlives every way in which a link can die."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from desktop.market.quotes import Bars, Interval, Quote
from desktop.market.store import Store
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.feed import Feed
from desktop.sources.plan import Plan
from desktop.sources.state import FeedState
from desktop.sources.stream import Stream, StreamError, decode

OPEN = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
PLAN = Plan(live=("IWM", "QQQ"))
PATIENCE_S = 10.0
FRAMES = Path(__file__).parents[3] / "shared" / "data" / "yahoo-stream" / "frames.json"


def frame(symbol: str, price: float, at: datetime, *, wrapped: bool = True, **more: float) -> str:
    """A message in the wire format, written out by hand: field numbers 1, 2, 3, 16 and 27 of the recordings."""

    def key(number: int, wire: int) -> bytes:
        return varint(number << 3 | wire)

    def varint(value: int) -> bytes:
        out = bytearray()
        while True:
            low, value = value & 0x7F, value >> 7
            out.append(low | (0x80 if value else 0))
            if not value:
                return bytes(out)

    body = key(1, 2) + varint(len(symbol)) + symbol.encode()
    if price:
        body += key(2, 5) + struct.pack("<f", price)
    body += key(3, 0) + varint(2 * int(at.timestamp() * 1000))  # zigzag of a positive number
    if "previous" in more:
        body += key(16, 5) + struct.pack("<f", more["previous"])
    body += key(27, 0) + varint(4)  # two digits, zigzag
    text = base64.b64encode(body).decode()
    return json.dumps({"type": "pricing", "message": text}) if wrapped else text


# Messages


def test_a_message_is_read_without_the_rest_of_the_client():
    """Which would import pandas into the window's process."""
    script = (
        "import sys\nfrom datetime import UTC, datetime\nfrom desktop.sources.stream import decode\n"
        f"quote = decode({frame('IWM', 205.5, OPEN)!r}, datetime({OPEN.year}, 12, 31, tzinfo=UTC))\n"
        "print(quote.price, sorted({'pandas', 'yfinance'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "205.5 []\n"


@pytest.mark.skipif(not FRAMES.exists(), reason="real frames are not at hand (../shared/data)")
def test_recorded_frames_decode_to_what_their_sources_expected():
    frames = json.loads(FRAMES.read_text())
    now = datetime(2026, 12, 31, tzinfo=UTC)
    for one in frames:
        quote = decode(one["base64"], now)
        told = one["decoded_here"]
        assert quote is not None
        assert quote.symbol == told["id"]
        assert quote.price == pytest.approx(told["price"], abs=0.5 * 10.0 ** -(told.get("price_hint") or 2))
        assert quote.event_time == datetime.fromtimestamp(int(told["time"]) / 1000, UTC)
    assert len(frames) == 13


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_price_is_rounded_to_what_is_shown_and_zero_fields_are_absent(wrapped):
    quote = decode(frame("IWM", 210.07, OPEN, wrapped=wrapped), OPEN + timedelta(seconds=1))
    assert quote is not None
    assert (quote.price, quote.previous_close) == (210.07, None)
    assert (quote.event_time, quote.arrival_time) == (OPEN, OPEN + timedelta(seconds=1))


@pytest.mark.parametrize(
    "message", ['{"type":"error","message":"x"}', "{}", frame("IWM", 0.0, OPEN), frame("", 1.0, OPEN)]
)
def test_messages_without_a_price_are_none(message):
    assert decode(message, OPEN) is None


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{oops", "unreadable"),
        ("*not base64*", "unreadable"),
        (base64.b64encode(b"\xff\xff\xff").decode(), "unreadable"),
        (frame("IWM", 210.0, OPEN + timedelta(days=1)), "still to come"),
    ],
)
def test_nonsense_is_named(message, told):
    with pytest.raises(StreamError, match=told):
        decode(message, OPEN)


# The supervisor


class Hand:
    speed = 1.0

    def __init__(self) -> None:
        self.time = OPEN

    def now(self) -> datetime:
        return self.time


class Streamer:
    """A loopback server: what to do with each link in turn; links beyond the script stay open and silent."""

    def __init__(self, *script: Callable[[ServerConnection], None]) -> None:
        self.script = list(script)
        self.links: list[float] = []
        self.subscribed: list[list[str]] = []
        self.over = threading.Event()
        self.server: Server = serve(self._handle, "127.0.0.1", 0)
        host, port = self.server.socket.getsockname()[:2]
        self.url = f"ws://{host}:{port}"
        self._thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> Streamer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.over.set()
        self.server.shutdown()
        self._thread.join(5)

    def _handle(self, link: ServerConnection) -> None:
        number = len(self.links)
        self.links.append(time.monotonic())
        self.subscribed.append(json.loads(link.recv(timeout=5))["subscribe"])
        if number < len(self.script):
            self.script[number](link)
        else:
            self.over.wait(20)


def clean_close(link: ServerConnection) -> None:
    link.close()


def close_1011(link: ServerConnection) -> None:
    link.close(1011, "internal error")


def reset(link: ServerConnection) -> None:
    link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.socket.close()


class Rig:
    def __init__(self, store: Store, streamer: Streamer, **options: float) -> None:
        self.store, self.clock, self.changes = store, Hand(), 0
        self._changed = threading.Condition()
        self.stream = Stream(
            store,
            self.clock,
            self._on_change,
            PLAN,
            known_close=lambda symbol: {"IWM": 200.0}.get(symbol),
            url=streamer.url,
            pause_s=0.02,
            **options,
        )

    def _on_change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), self.stream.state(self.clock.now())

    @property
    def state(self):
        return self.stream.state(self.clock.now())


@pytest.fixture
def run() -> Iterator[Callable[..., Rig]]:
    with Store(None) as store:
        rigs: list[Rig] = []

        def start(streamer: Streamer, **options: float) -> Rig:
            rigs.append(Rig(store, streamer, **options))
            rigs[-1].stream.want(wanted=True)
            rigs[-1].stream.start()
            return rigs[-1]

        yield start
        for rig in rigs:
            rig.stream.stop()
            assert rig.stream.worker is not None
            rig.stream.worker.join(5)
            assert not rig.stream.worker.is_alive()


def say(*messages: str) -> Callable[[ServerConnection], None]:
    def script(link: ServerConnection) -> None:
        for one in messages:
            link.send(one)
        with suppress(ConnectionClosed):
            link.recv(timeout=15)  # stays until the other side hangs up

    return script


def test_prices_go_to_the_store_once_a_batch(run):
    prices = [frame("IWM", 200 + number / 100, OPEN) for number in range(100)]
    with Streamer(say(*prices, frame("QQQ", 490.0, OPEN))) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.store.last_quote("QQQ", OPEN) is not None)
        last = rig.store.last_quote("IWM", OPEN)
        assert last is not None
        assert (last.price, last.source) == (200.99, "yahoo stream")
        assert rig.changes <= 4
        assert streamer.subscribed == [["IWM", "QQQ"]]
        assert (rig.state.state, rig.state.age_s) == (FeedState.LIVE, 0.0)


@pytest.mark.parametrize("death", [clean_close, close_1011, reset])
def test_every_death_of_a_link_is_told_and_followed_by_a_new_one(run, death):
    with Streamer(death, say(frame("IWM", 201.0, OPEN))) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.store.last_quote("IWM", OPEN) is not None)
        assert len(streamer.links) == 2
        assert rig.state.last_error is not None
        assert rig.state.last_error.kind is FailureKind.OFFLINE
        assert rig.state.state is FeedState.LIVE


def test_pauses_grow_so_that_a_dead_host_is_not_hammered(run):
    with Streamer(*[clean_close] * 6) as streamer:
        rig = run(streamer)
        rig.until(lambda: len(streamer.links) >= 6)
        gaps = [later - earlier for earlier, later in zip(streamer.links, streamer.links[1:], strict=False)]
    assert gaps[4] > 4 * gaps[0] * 0.6  # 0.02 s doubled four times is 16 times as long, jitter within a quarter
    assert gaps[4] >= 0.02 * 16 * 0.75


def test_silence_while_the_exchange_is_open_is_a_death(run):
    with Streamer(say(), say(frame("IWM", 201.0, OPEN))) as streamer:
        rig = run(streamer, silence_s=0.3)
        rig.until(lambda: rig.store.last_quote("IWM", OPEN) is not None)
        assert rig.state.last_error is not None
        assert (rig.state.last_error.kind, rig.state.last_error.message) == (
            FailureKind.TIMEOUT,
            "nothing was said for 0.3 s",
        )


def test_nonsense_and_far_prices_are_passed_over_and_the_link_is_kept(run):
    told = [
        "{oops",
        frame("IWM", 2.0, OPEN),  # by a factor of 100
        frame("AAPL", 200.0, OPEN),  # never asked for
        frame("IWM", 201.0, OPEN),
    ]
    with Streamer(say(*told)) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.store.last_quote("IWM", OPEN) is not None)
        assert [one.price for one in rig.store.quotes("IWM", OPEN, OPEN + timedelta(seconds=1))] == [201.0]
        assert rig.store.last_quote("AAPL", OPEN) is None
        assert len(streamer.links) == 1


@pytest.mark.parametrize("death", [clean_close, close_1011, reset, "silence"])
def test_while_links_die_polling_goes_on_and_no_price_is_lost(death):
    """The stream and a source of prices in one feed: the source stays live, the store keeps what both said."""
    script = [say(frame("IWM", 201.0, OPEN)) if death == "silence" else death] * 3
    clock, changed = Hand(), threading.Condition()

    def on_change() -> None:
        with changed:
            changed.notify_all()

    with Streamer(*script, say(frame("QQQ", 501.0, OPEN))) as streamer, Store(None) as store:
        polled = Polled(clock)
        stream = Stream(
            store,
            clock,
            on_change,
            PLAN,
            known_close=lambda _: None,
            url=streamer.url,
            pause_s=0.02,
            silence_s=0.3,
        )
        plan = replace(PLAN, minute=(), daily=(), adjusted=())
        feed = Feed(store, (polled,), clock, on_change, plan, stream=stream)
        feed.listen(wanted=True)
        feed.start()
        with changed:
            assert changed.wait_for(lambda: bool(store.quotes("QQQ", OPEN, OPEN + timedelta(1))), PATIENCE_S)
        assert len(streamer.links) == 4
        source, listening = feed.states()
        assert (source.state, source.last_error) == (FeedState.LIVE, None)
        assert listening.state is FeedState.LIVE
        assert listening.last_error is not None
        clock.time += timedelta(seconds=12)
        with changed:
            assert changed.wait_for(lambda: polled.asked == 2, PATIENCE_S)  # the rhythm is that of the plan
        feed.stop()
        prices = {one.price for one in store.quotes("QQQ", OPEN - timedelta(1), OPEN + timedelta(1))}
        assert {500.0, 501.0} <= prices
        assert polled.asked == 2


class Polled:
    """A source of prices that answers, each time a second after the last trade."""

    name = "yahoo"

    def __init__(self, clock: Hand) -> None:
        self._clock, self.asked = clock, 0

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        self.asked += 1
        now = self._clock.now()
        prices = {"IWM": 200.0, "QQQ": 500.0}
        return {one: Quote(one, prices[one], now - timedelta(seconds=1), now, self.name) for one in symbols}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        return Failure(FailureKind.NO_DATA, self.name, symbol, "none", self._clock.now())


def test_without_a_server_polling_is_said_to_stand_in(run):
    with Streamer() as streamer:
        pass
    rig = run(streamer)
    rig.until(lambda: rig.stream.requests >= 2)
    assert rig.state.state is FeedState.UNAVAILABLE
    assert rig.state.note.endswith("prices come by polling meanwhile")


def test_paused_it_hangs_up_and_resumed_it_calls_again(run):
    earlier = OPEN - timedelta(seconds=1)
    with Streamer(say(frame("IWM", 201.0, earlier)), say(frame("IWM", 202.0, OPEN))) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.changes >= 1)
        rig.stream.pause(paused=True)
        assert rig.state.state is FeedState.OFF
        rig.stream.pause(paused=False)
        rig.until(lambda: len(rig.store.quotes("IWM", earlier, OPEN + timedelta(seconds=1))) == 2)
        assert len(streamer.links) == 2


def test_it_listens_only_when_it_is_wanted(run):
    with Streamer(say(frame("IWM", 201.0, OPEN))) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.changes >= 1)
        rig.stream.want(wanted=False)
        assert rig.state.state is FeedState.OFF
        assert rig.state.note == "not asked for: Menu, Listen to Yahoo's stream (Ctrl+L)"
        rig.stream.want(wanted=True)
        rig.stream.want(wanted=True)  # once more changes nothing
        rig.stream.refresh()
        until = time.monotonic() + PATIENCE_S
        while len(streamer.links) < 2:
            assert time.monotonic() < until
            threading.Event().wait(0.01)
        assert len(streamer.links) == 2


def test_an_old_price_is_stored_as_old_and_is_not_live(run):
    old = OPEN - timedelta(days=2)
    with Streamer(say(frame("IWM", 201.0, old))) as streamer:
        rig = run(streamer)
        rig.until(lambda: rig.store.last_quote("IWM", OPEN) is not None)
        assert (rig.state.state, rig.state.age_s) == (FeedState.STALE, 2 * 86_400.0)
