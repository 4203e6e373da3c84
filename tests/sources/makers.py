"""What makes sources in a child process: functions of a module, which the child finds by their names."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.market.quotes import Bars, Interval, Quote
from desktop.sources.contract import Failure, Window
from desktop.sources.limits import TokenBucket
from desktop.sources.remote import Parts, _Parent
from desktop.sources.yahoo import Yahoo
from tests.sources.yahoo_server import _Rewritten

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def loopback(parts: Parts, folder: Path, port: int, limit_s: float = 25.0) -> Yahoo:
    """Yahoo as it is, with every request led to a loopback server."""
    return Yahoo(
        folder,
        parts.clock,
        session_factory=partial(_Rewritten, port),
        known_close=parts.known_close,
        bucket=parts.bucket,
        breaker=parts.breaker,
        call_limit_s=limit_s,
    )


class Odd:
    """A source that does what it should not: its symbols are orders."""

    name = "odd"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        match symbols[0]:
            case "die":
                os._exit(7)
            case "hang":
                threading.Event().wait()
            case "raise":
                raise KeyError("surprise")
        now, close = self._parts.clock.now(), self._parts.known_close(symbols[0])
        return {one: Quote(one, close or 1.0, now, now, self.name) for one in symbols}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        raise AssertionError(f"bars of {symbol} were asked for")


def odd(parts: Parts) -> Odd:
    return Odd(parts)


def broken(_parts: Parts) -> Odd:
    raise OSError("a library is missing")


def babbles(pipe: Connection, _make: Any, _log_level: int) -> None:
    """In place of what the child runs: ready, then what nobody can read."""
    pipe.send("ready")
    pipe.recv()
    pipe.send_bytes(b"Traceback (most recent call last):")
    pipe.recv()


def silent(pipe: Connection, _make: Any, _log_level: int) -> None:
    """In place of what the child runs: never ready."""
    pipe.recv()


def plenty() -> TokenBucket:
    """A budget that holds nothing up."""
    return TokenBucket(rate_per_s=1e6, burst=1000)


class Spoiled(Yahoo):
    """Yahoo on a loopback server, whose process goes wrong as a file says; without the file all is well."""

    def __init__(self, parts: Parts, folder: Path, port: int, orders: Path) -> None:
        super().__init__(
            folder,
            parts.clock,
            session_factory=partial(_Rewritten, port),
            known_close=parts.known_close,
            bucket=parts.bucket,
            breaker=parts.breaker,
        )
        self._parts, self._orders = parts, orders

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        apart = isinstance(self._parts.clock, _Parent)  # the test's own process is not to die
        order = self._orders.read_text() if apart and self._orders.exists() else ""
        if order == "hang":
            threading.Event().wait()
        if order == "die":
            os._exit(7)
        if order == "garbage":
            vars(self._parts.clock)["_pipe"].send_bytes(b"Traceback (most recent call last):")
        return super().quotes(symbols)


def spoiled(parts: Parts, folder: Path, port: int, orders: Path) -> Spoiled:
    return Spoiled(parts, folder, port, orders)
