"""Yahoo's stream of prices: an accelerator beside polling, off unless the settings ask for it.

Of yfinance only the message format is used; the supervision is ours:
1. every try is a new connection, with a pause that doubles up to a minute, jittered;
2. a link that is silent for too long while the exchange is open is given up like a broken one;
3. what arrives goes to the store a few times a second; polling goes on all the while, so a dead stream loses
   nothing but speed.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

from desktop.loading import quietly
from desktop.market.clock import Clock
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.market.sessions import NYSE, Phase
from desktop.market.store import Store
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.plan import Plan
from desktop.sources.state import FeedState, Progress, SourceState

if TYPE_CHECKING:
    import ssl

    from websockets.sync.client import ClientConnection

NAME = "yahoo stream"
URL = "wss://streamer.finance.yahoo.com/?version=2"
SILENCE_S = 30.0
"""A link that says nothing for so long while the exchange is open is given up."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
NOT_WANTED = "not asked for: Menu, Listen to Yahoo's stream (Ctrl+L)"
_BATCH_S = 0.25
_CONNECT_S = 10.0
_FROM_THE_FUTURE = timedelta(seconds=5)
FAR = 0.25
"""A price further than this share from the last close is left to polling, which asks twice."""

log = logging.getLogger(__name__)


class StreamError(Exception):
    """The stream said something that is no price; the message says what."""


class Stream:
    """A lane of the feed that listens instead of asking.

    Parameters
    ----------
    store, clock, on_change, plan
        As of the feed's other lanes; `plan.live` are the symbols subscribed to.
    known_close
        Last stored daily close of a symbol, or None.
    url
        Where to connect.
    silence_s
        How long a link may be silent while the exchange is open, wall seconds.
    pause_s
        First pause after a link was lost, wall seconds.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        on_change: Callable[[], None],
        plan: Plan,
        *,
        known_close: Callable[[str], float | None],
        url: str = URL,
        silence_s: float = SILENCE_S,
        pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._store, self._clock, self._on_change, self._plan = store, clock, on_change, plan
        self._known_close, self._url = known_close, url
        self._silence_s, self._pause_s = silence_s, pause_s
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._wanted = self._paused = self._connected = False
        self._link: ClientConnection | None = None
        self._losses = 0
        self._last_success: datetime | None = None
        self._last_error: Failure | None = None
        self._next_try: datetime | None = None
        self._latest: dict[str, Quote] = {}
        self.worker: threading.Thread | None = None
        self.requests = 0
        self.refreshing = False
        self.last_refresh: datetime | None = None

    @property
    def name(self) -> str:
        """Name of the source."""
        return NAME

    # Orders

    def start(self) -> None:
        """Begin to listen."""
        self.worker = threading.Thread(target=self._supervise, name="feed-stream", daemon=True)
        self.worker.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        self._hang_up()

    def set_plan(self, plan: Plan) -> None:
        """Take over what is subscribed to."""
        changed = plan.live != self._plan.live or bool(plan.off) != bool(self._plan.off)
        self._plan = plan
        if changed:
            self._hang_up()

    def want(self, *, wanted: bool) -> None:
        """Listen, or do not: what the settings say."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._hang_up()

    def pause(self, *, paused: bool) -> None:
        """Hang up, or listen again."""
        self._paused = paused
        self._hang_up()

    def refresh(self) -> None:
        """Try again at once where the link is lost; a stream cannot be asked for more."""
        self._wake.set()

    def cancel_backfill(self) -> None:
        """Nothing to cancel."""

    def tend(self) -> None:
        """Nothing to tend: the supervisor watches its own link."""

    @property
    def progress(self) -> Progress | None:
        """None: a stream has no end to come nearer to."""
        return None

    def _hang_up(self) -> None:
        with self._lock:
            link = self._link
        if link is not None:
            with suppress(OSError):  # it may be gone already
                # This wakes the reader at once, where a polite farewell waits for the other side.
                link.socket.shutdown(socket.SHUT_RDWR)
        self._wake.set()

    # The supervisor

    def _off(self) -> str:
        if self._plan.off:
            return self._plan.off
        return NOT_WANTED if not self._wanted else "paused by you" if self._paused else ""

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            if self._off() or self._clock.speed != 1.0:
                self._rest(1.0)
                continue
            lost = self._listen()
            if self._stopping.is_set() or self._off():
                continue
            self._losses += 1
            doubled_s = self._pause_s * 2.0 ** min(self._losses - 1, 10)
            pause_s = min(doubled_s, LONGEST_PAUSE_S) * random.uniform(0.75, 1.25)
            self._next_try = self._clock.now() + timedelta(seconds=pause_s)
            self._last_error = lost
            self._on_change()
            self._rest(pause_s)

    def _rest(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _listen(self) -> Failure:
        """Hold one link until it is lost; returns why it was."""
        from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
        from websockets.sync.client import connect

        self.requests += 1
        self._next_try = None
        try:
            context = _certificates() if self._url.startswith("wss") else None
            with connect(self._url, ssl=context, open_timeout=_CONNECT_S, close_timeout=1.0) as link:
                with self._lock:
                    self._link = link
                if self._stopping.is_set():
                    return self._failure(FailureKind.OFFLINE, "the source is closed")
                link.send(json.dumps({"subscribe": list(self._plan.live)}))
                self._connected = True
                return self._read(link)
        except TimeoutError:
            return self._failure(FailureKind.TIMEOUT, f"no answer within {_CONNECT_S:g} s")
        except (InvalidHandshake, InvalidURI) as error:
            return self._failure(FailureKind.BAD_PAYLOAD, f"no stream there: {error}")
        except (WebSocketException, OSError) as error:
            return self._failure(FailureKind.OFFLINE, f"the link broke: {error}")
        finally:
            self._connected = False
            with self._lock:
                self._link = None

    def _read(self, link: ClientConnection) -> Failure:
        heard = stored = time.monotonic()
        batch: dict[str, Quote] = {}
        while True:
            try:
                message: str | bytes | None = link.recv(timeout=_BATCH_S)
            except TimeoutError:
                message = None
            now_s = time.monotonic()
            if message is not None:
                heard = now_s
                quote = self._quote(message)
                if quote is not None:
                    batch[quote.symbol] = quote
                    self._losses = 0
            if batch and now_s - stored >= _BATCH_S:
                self._store.put_quotes(batch.values())
                self._last_success = self._clock.now()
                self._on_change()
                batch, stored = {}, now_s
            if now_s - heard > self._silence_s and NYSE.phase(self._clock.now()) is not Phase.CLOSED:
                return self._failure(FailureKind.TIMEOUT, f"nothing was said for {self._silence_s:g} s")

    def _quote(self, message: str | bytes) -> Quote | None:
        """The quote in a message; None where there is none, or where it needs a second look."""
        try:
            quote = decode(message, self._clock.now())
        except StreamError as error:
            self._last_error = self._failure(FailureKind.BAD_PAYLOAD, str(error))
            return None
        if quote is None or quote.symbol not in self._plan.live:
            return None
        close = self._known_close(quote.symbol)
        if close is not None and abs(quote.price / close - 1) > FAR:
            return None
        before = self._latest.get(quote.symbol)
        if before is not None and (before.event_time, before.price) == (quote.event_time, quote.price):
            return None
        self._latest[quote.symbol] = quote
        return quote

    def _failure(self, kind: FailureKind, message: str) -> Failure:
        return Failure(kind, NAME, "", message, self._clock.now())

    # How it stands

    def state(self, now: datetime) -> SourceState:
        """How it stands."""
        off, error = self._off(), self._last_error
        newest = max((one.event_time for one in self._latest.values()), default=None)
        if off:
            state, note = FeedState.OFF, off
        elif self._connected and self._last_success is not None:
            quiet = newest is None or (now - newest).total_seconds() > self._plan.quiet_s
            closed = NYSE.phase(now) is Phase.CLOSED
            state = (FeedState.CLOSED if closed else FeedState.STALE) if quiet else FeedState.LIVE
            note = ""
        else:
            why = f"{error.message}; " if error is not None and not self._connected else ""
            state, note = FeedState.UNAVAILABLE, f"{why}prices come by polling meanwhile"
        age = Unknown(note or "nothing has arrived yet") if newest is None else (now - newest).total_seconds()
        return SourceState(
            NAME,
            state,
            Unknown(off) if off else age,
            0.0,
            self._last_success,
            error,
            None if off else self._next_try,
            note,
            requests=self.requests,
            paused=self._paused,
        )


def decode(message: str | bytes, now: datetime) -> Quote | None:
    """Return the price in a message of the stream; None for messages that carry none.

    A message is JSON around base64, or base64 alone. Prices are 32-bit floats and are rounded to what the message
    says is shown; a field that is zero is absent.

    Raises
    ------
    StreamError
        The message cannot be read.
    """
    from google.protobuf.message import DecodeError

    text = message.decode("ascii", errors="replace") if isinstance(message, bytes) else message
    if text.startswith("{"):
        try:
            wrapped = json.loads(text)
        except ValueError as error:
            raise StreamError(f"unreadable message: {error}") from error
        if not isinstance(wrapped, Mapping) or wrapped.get("type") != "pricing":
            return None
        text = str(wrapped.get("message", ""))
    try:
        pricing = _message_type().FromString(base64.b64decode(text, validate=True))
    except (DecodeError, binascii.Error, ValueError) as error:
        raise StreamError(f"unreadable message: {error}") from error
    event = datetime.fromtimestamp(int(pricing.time) / 1000, UTC)
    if not pricing.id or pricing.price <= 0 or int(pricing.time) <= 0:
        return None
    if event > now + _FROM_THE_FUTURE:
        raise StreamError(f"{pricing.id}: a price of {event:%Y-%m-%d %H:%M:%S} UTC, which is still to come")
    digits = int(pricing.price_hint) or 2
    previous = round(pricing.previous_close, digits)
    return Quote(
        pricing.id,
        round(pricing.price, digits),
        min(event, now),
        now,
        NAME,
        previous_close=previous if previous > 0 else None,
    )


@cache
def _message_type() -> Any:  # noqa: ANN401 - a class that protobuf makes at run time
    """Return yfinance's message without the rest of yfinance, which would import pandas into this process."""
    package = find_spec("yfinance")
    places = None if package is None else package.submodule_search_locations
    spec = PathFinder.find_spec("yfinance.pricing_pb2", places) if places else None
    if spec is None or spec.loader is None:  # packed in a way that has no such place
        with quietly():
            return import_module("yfinance.pricing_pb2").PricingData
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PricingData


def _certificates() -> ssl.SSLContext:
    """The certificates the environment names, as the other sources take them."""
    import ssl  # 20 ms that the first paint need not wait for

    names: Sequence[str] = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    bundle = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if bundle is None:
        import certifi

        bundle = certifi.where()
    return ssl.create_default_context(cafile=bundle)
