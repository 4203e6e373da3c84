"""Vendors that want a key: what a key consists of, and how one is tried, with one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from desktop.credentials import Credentials, Key
from desktop.market.clock import Clock, SystemClock
from desktop.market.known import Unknown
from desktop.presenters.health import KIND_WORDS
from desktop.presenters.words import moment_et, plain
from desktop.redact import redact
from desktop.sources.alpaca import SYMBOLS, Alpaca, AlpacaKey
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.http import Http

if TYPE_CHECKING:
    from curl_cffi.requests import Session

SessionFactory: TypeAlias = "Callable[[], Session[Any]]"
TRY_S = 10.0
"""Wall seconds that a vendor may take to answer a key that is tried."""
FRED_URL = "https://api.stlouisfed.org/fred/release/dates"
FRED_QUERY = {"release_id": "10", "limit": "1", "sort_order": "desc", "file_type": "json"}


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor.

    `source` is the name of its source in the feed; `parts` are what its key consists of, with their labels; `ask`
    sends one request with the key and returns what came, in words.
    """

    name: str
    source: str
    offers: str
    site: str
    parts: tuple[tuple[Key, str], ...]
    ask: Callable[[Mapping[Key, str], Clock, SessionFactory | None], str | Failure]


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try went, in words."""

    works: bool
    words: str


def ask(
    vendor: Vendor,
    values: Mapping[Key, str],
    *,
    clock: Clock | None = None,
    session_factory: SessionFactory | None = None,
) -> str | Failure:
    """Ask `vendor` once with the key `values`; return what came, in words, without the key. Blocks."""
    answer = vendor.ask(values, clock or SystemClock(), session_factory)
    if isinstance(answer, str):
        return answer
    message = redact(answer.message.partition(". See https://curl.se/")[0], values.values())
    cure = "enter the right one" if answer.kind is FailureKind.AUTH else answer.advice
    return replace(answer, message=message, advice=cure)


def try_key(
    vendor: Vendor,
    values: Mapping[Key, str],
    *,
    clock: Clock | None = None,
    session_factory: SessionFactory | None = None,
) -> Tried:
    """As `ask`, in one line."""
    answer = ask(vendor, values, clock=clock, session_factory=session_factory)
    if isinstance(answer, str):
        return Tried(True, f"works: {answer}")
    return Tried(False, f"{KIND_WORDS[answer.kind]}: {answer.message}. Cure: {answer.cure}")


def values_of(vendor: Vendor, keys: Credentials) -> Mapping[Key, str] | Unknown:
    """Return the key for `vendor`, or why there is none."""
    values: dict[Key, str] = {}
    for key, _ in vendor.parts:
        value = keys.get(key)
        if isinstance(value, Unknown):
            return value
        values[key] = value
    return values


def alpaca_key(keys: Credentials) -> AlpacaKey | Unknown:
    """Return the key for Alpaca, or why there is none."""
    identity, secret = keys.get(Key.ALPACA_ID), keys.get(Key.ALPACA_SECRET)
    if isinstance(identity, Unknown):
        return identity
    return secret if isinstance(secret, Unknown) else AlpacaKey(identity, secret)


def fred_key(keys: Credentials) -> str | None:
    """Return the key for FRED, None where there is none."""
    key = keys.get(Key.FRED)
    return None if isinstance(key, Unknown) else key


def _ask_alpaca(values: Mapping[Key, str], clock: Clock, session_factory: SessionFactory | None) -> str | Failure:
    key = AlpacaKey(values[Key.ALPACA_ID], values[Key.ALPACA_SECRET])
    source = Alpaca(clock, lambda: key, session_factory=session_factory, time_limit_s=TRY_S)
    quote = source.quotes(SYMBOLS[:1])[SYMBOLS[0]]
    if isinstance(quote, Failure):
        return "the key is accepted; no trade was there" if quote.kind is FailureKind.NO_DATA else quote
    return f"{quote.symbol} {plain(quote.price, 2)}, traded {moment_et(quote.event_time)}"


def _ask_fred(values: Mapping[Key, str], clock: Clock, session_factory: SessionFactory | None) -> str | Failure:
    http = Http("fred", clock, session_factory=session_factory, time_limit_s=TRY_S, keyed=True)
    query = urlencode({**FRED_QUERY, "api_key": values[Key.FRED]})  # FRED takes it nowhere else
    answer = http.get(f"{FRED_URL}?{query}", "key")
    if isinstance(answer, Failure):
        return answer
    return "FRED accepts the key"


ALPACA = Vendor(
    "Alpaca",
    "alpaca",
    "IWM and QQQ in real time, from the trades of IEX.",
    "https://alpaca.markets",
    ((Key.ALPACA_ID, "Key ID"), (Key.ALPACA_SECRET, "Secret key")),
    _ask_alpaca,
)
VENDORS = (
    ALPACA,
    Vendor(
        "FRED",
        "fred calendar",
        "Dates of coming releases, from the Federal Reserve Bank of St. Louis.",
        "https://fred.stlouisfed.org",
        ((Key.FRED, "API key"),),
        _ask_fred,
    ),
)
