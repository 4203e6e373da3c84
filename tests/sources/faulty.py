"""Yahoo on loopback with the ways in which a wire goes wrong, and time that a test moves by hand.

Client, source, feed, store and window are the real ones. What waits for the wall (request budget, breaker,
deadline of a job) waits for the hand-moved clock instead: minutes cost nothing and every request has its second.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeAlias

import numpy as np
import pytest
from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import Timeout
from typing_extensions import override

from desktop.market.clock import Clock
from desktop.market.quotes import Bars, Interval
from desktop.market.sessions import NYSE
from desktop.market.store import FILE_NAME, Priority, Store
from desktop.sources import feed as feed_module
from desktop.sources import lane as lane_module
from desktop.sources import yahoo as yahoo_module
from desktop.sources import yahoo_wire
from desktop.sources.contract import Source
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.yahoo import Yahoo
from tests.sources.yahoo_server import Chart, YahooServer, _handler, _Rewritten, quote_row

RATE_PER_S, BURST = 1.0, 3
HURRY = 0.02
"""A second that curl waits for takes so long on the wall: a host that hangs or drips costs a test little."""
CLOSES = {"^RUT": 2051.76, "^NDX": 20675.38, "IWM": 203.33, "QQQ": 503.00, "^VIX": 12.85}
"""Closes of 10 July 2024, and of every day before it in the store of a test."""

Wire: TypeAlias = Callable[[BaseHTTPRequestHandler, "FaultyYahoo"], None]
"""Spoils one answer."""


class Hand:
    """A clock that only moves when told; `wall_s` is the monotonic time that goes with it."""

    speed = 1.0

    def __init__(self, now: datetime) -> None:
        self.time = self.start = now
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self.time

    def pass_(self, **delta: float) -> None:
        with self._lock:
            self.time += timedelta(**delta)

    @property
    def wall_s(self) -> float:
        return 1e6 + (self.time - self.start).total_seconds()


class Bucket(TokenBucket):
    """The real budget; who has to wait for it moves the clock instead."""

    def __init__(self, clock: Hand) -> None:
        super().__init__(RATE_PER_S, BURST)
        self._clock = clock

    def reserve(self, now_s: float) -> float:
        self._clock.pass_(seconds=super().reserve(now_s))
        return 0.0


def move_by_hand(monkeypatch: pytest.MonkeyPatch, clock: Hand) -> None:
    """Let source and feed take the wall's time from `clock`, and look at it often.

    Only curl has the wall's own time, see `HURRY`.
    """
    by_hand = SimpleNamespace(monotonic=lambda: clock.wall_s)
    monkeypatch.setattr(lane_module, "time", by_hand)
    monkeypatch.setattr(yahoo_module, "time", by_hand)
    monkeypatch.setattr(yahoo_wire, "time", by_hand)
    monkeypatch.setattr(lane_module, "NAP_S", 0.01)
    monkeypatch.setattr(feed_module, "NAP_S", 0.02)


class FaultyYahoo(YahooServer):
    """`wires` maps a part of host + path to what spoils answers there; `stamps` has the second of each request."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.wires: dict[str, Wire] = {}
        self.stamps: list[float] = []
        self.clock_is_off_by = timedelta()
        """By how much the host's own clock is ahead."""
        self._server.RequestHandlerClass = _spoiled(self)

    @override
    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def seen(self) -> None:
        self.stamps.append(self.clock.now().timestamp())

    def yahoo(self, folder: Path, **more: Any) -> Yahoo:
        """Make the real source with its real budget, led here."""
        more.setdefault("session_factory", self.session)
        more.setdefault("breaker", HostBreaker(jitter=lambda: 0.5))
        if isinstance(self.clock, Hand):
            more.setdefault("bucket", Bucket(self.clock))
        return Yahoo(folder / "yfinance", self.clock, **more)

    def session(self) -> Session[Any]:
        """Make the session that brings every request here, in a hurry."""
        return _Hurried(self.port, self.clock)

    def sources(self, store: Store, clock: Clock) -> Sequence[Source]:
        """As the desk makes them."""
        assert store.path is not None
        return (self.yahoo(store.path.parent, known_close=store.last_close),)

    def serve(self, **prices: float) -> None:
        """Quote at this second: `rut`, `ndx`, `iwm`, `qqq`; charts with the minute bars until then."""
        now_s = int(self.clock.now().timestamp())
        for symbol in CLOSES:
            price = prices.get(symbol.lstrip("^").lower(), CLOSES[symbol])
            self.quotes[symbol] = quote_row(symbol, price, now_s, regularMarketPreviousClose=CLOSES[symbol])
            first = now_s // 60 * 60 - 1800
            rows: list[tuple[float | None, ...]] = [
                (first + 60 * n, price, price, price, price, 1) for n in range(30)
            ]
            self.charts[symbol] = Chart(rows, price=price, time_s=now_s, previous_close=CLOSES[symbol])

    def most_in(self, seconds: float) -> int:
        """Most requests within so many seconds of the clock."""
        stamps = sorted(self.stamps)
        return max((sum(at <= one < at + seconds for one in stamps) for at in stamps), default=0)


class _Hurried(_Rewritten):
    def __init__(self, port: int, clock: Clock) -> None:
        super().__init__(port)
        self._clock = clock
        self.host = f"127.0.0.1:{port}"
        """Where requests go; a name that does not exist stands for a network without names."""

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        limit_s = kwargs["timeout"]
        kwargs["timeout"] = limit_s * HURRY
        try:
            if self.host.endswith(".invalid"):
                return Session.request(self, method, f"http://{self.host}/", *args, **kwargs)
            return super().request(method, url, *args, **kwargs)
        except Timeout:
            if isinstance(self._clock, Hand):
                self._clock.pass_(seconds=limit_s)
            raise


def within_budget(server: FaultyYahoo) -> None:
    """At most three at once and one a second in the long run, counted at the server."""
    for seconds in (1.0, 10.0, 60.0, 600.0):
        # The clock may be moved while a request is on its way: that one counts to the later second.
        assert server.most_in(seconds) <= BURST + RATE_PER_S * seconds + 1, (seconds, server.kinds())


def _spoiled(server: FaultyYahoo) -> type[BaseHTTPRequestHandler]:
    class Handler(_handler(server)):  # type: ignore[misc]  # a class made for this server
        @override
        def do_GET(self) -> None:
            path = self.path.removeprefix("/")
            server.seen()
            wire = next((one for part, one in server.wires.items() if part in path), None)
            if wire is None:
                super().do_GET()
                return
            with server._arrived:
                server.requests.append(path)
                server._arrived.notify_all()
            self.close_connection = True
            with suppress(OSError):  # the client may be tired of it
                wire(self, server)

    return Handler


# --- wires ------------------------------------------------------------------------------------------------------


def reply(status: int, body: bytes, kind: str = "application/json", *, length: int | None = None) -> bytes:
    """Head and body of an answer that claims to be `length` bytes long."""
    told = len(body) if length is None else length
    head = f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {told}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def saying(status: int, body: bytes, kind: str = "application/json") -> Wire:
    """A whole answer, but a wrong one."""

    def wire(handler: BaseHTTPRequestHandler, _server: FaultyYahoo) -> None:
        handler.wfile.write(reply(status, body, kind))

    return wire


def truncated(handler: BaseHTTPRequestHandler, _server: FaultyYahoo) -> None:
    """A body that ends early, as when a proxy is restarted."""
    handler.wfile.write(reply(200, b'{"quoteResponse":{"result":[{"symbol":"^RUT","regul', length=5000))


def hang(_handler: BaseHTTPRequestHandler, server: FaultyYahoo) -> None:
    """Nothing at all until the test is over."""
    server.released.wait(20)


def drip(handler: BaseHTTPRequestHandler, server: FaultyYahoo) -> None:
    """One byte after the other, for longer than anybody should wait."""
    handler.wfile.write(reply(200, b"", length=5000))
    until = time.monotonic() + 20
    while time.monotonic() < until and not server.released.wait(0.02):
        handler.wfile.write(b"{")
        handler.wfile.flush()


def reset(handler: BaseHTTPRequestHandler, _server: FaultyYahoo) -> None:
    """The link is cut off, not closed."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def dated(server: FaultyYahoo) -> Wire:
    """A good answer with the host's own time on it."""

    def wire(handler: BaseHTTPRequestHandler, _server: FaultyYahoo) -> None:
        status, kind, body = server._good(handler.path.removeprefix("/"))
        at = format_datetime(server.clock.now() + server.clock_is_off_by, usegmt=True)
        head, _, rest = reply(status, body, kind).partition(b"\r\n")
        handler.wfile.write(head + b"\r\nDate: " + at.encode() + b"\r\n" + rest)

    return wire


# --- a store ----------------------------------------------------------------------------------------------------


def fill(folder: Path, last: date, *, without: Sequence[date] = (), first: date = date(2004, 12, 1)) -> None:
    """Daily bars of all `CLOSES` up to `last`: a little wave, which ends on the close of the table."""
    days = NYSE.days(first, last)
    wave = 1 + 0.02 * np.sin(np.arange(len(days))[::-1] / 9.0)
    keep = ~np.isin(days, np.array(without, dtype="datetime64[D]"))
    with Store(folder / FILE_NAME) as store:
        for symbol, level in CLOSES.items():
            close = level * wave[keep]
            start_s = days[keep].astype("datetime64[s]").astype(np.int64)
            store.put_bars(
                Bars(symbol, Interval.DAY, start_s, close, close, close, close, 0 * close),
                source="test",
                priority=Priority.VENDOR,
            )


def utc(text: str) -> datetime:
    """An ISO time with offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
