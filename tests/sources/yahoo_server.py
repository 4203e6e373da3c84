"""A loopback server that speaks Yahoo's formats, and a curl_cffi session that takes every request to it.

Only scheme and host of a request are rewritten: yfinance, its cookie and crumb, curl_cffi and the parsing are the
real ones. Bodies are generated here, in the shapes that recorded answers have.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from http.cookiejar import Cookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from curl_cffi.requests import Session

QUOTE, CHART, CRUMB, COOKIE = "/v7/finance/quote", "/v8/finance/chart/", "/v1/test/getcrumb", "fc.yahoo.com/"
_HANG_S, _MOST_REQUESTS = 30.0, 2000
_PERIODS = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


class Fault(StrEnum):
    """How an endpoint answers."""

    OK = "ok"
    NOT_FOUND = "404"
    RATE_LIMITED = "429"
    UNAUTHORIZED = "401"
    SERVER_ERROR = "500"
    HTML = "html"
    EMPTY = "empty"
    HANG = "hang"
    DROPPED = "dropped"


@dataclass
class Chart:
    """Rows (seconds since 1970, open, high, low, close, volume; None is a hole) and the meta around them."""

    rows: list[tuple[float | None, ...]] = field(default_factory=list)
    price: float = 100.0
    time_s: int = 0
    previous_close: float | None = None
    granularity: str | None = None
    adjusted: list[float | None] | None = None


def at(text: str) -> int:
    """Seconds since 1970 of an ISO time with offset."""
    return int(datetime.fromisoformat(text).timestamp())


def daily_row(day: str, close: float | None, *, clock: str = "13:30") -> tuple[float | None, ...]:
    """One daily row as Yahoo stamps it: at the opening of the session, UTC."""
    start = datetime.combine(date.fromisoformat(day), datetime.strptime(clock, "%H:%M").time(), UTC)  # noqa: DTZ007
    if close is None:
        return (start.timestamp(), None, None, None, None, None)
    return (start.timestamp(), close - 1, close + 2, close - 2, close, 1000)


def quote_row(symbol: str, price: float, time_s: int, **more: object) -> dict[str, object]:
    """One row of a v7 answer."""
    return {
        "language": "en-US",
        "quoteType": "INDEX",
        "symbol": symbol,
        "regularMarketPrice": price,
        "regularMarketTime": time_s,
        "regularMarketPreviousClose": round(price * 0.99, 2),
        "regularMarketOpen": round(price * 0.995, 2),
        "exchangeDataDelayedBy": 0,
        "marketState": "REGULAR",
        **more,
    }


class YahooServer:
    """Start it with `with`. `faults` maps a part of host + path to how requests there are answered."""

    def __init__(self) -> None:
        self.quotes: dict[str, dict[str, object]] = {}
        self.charts: dict[str, Chart] = {}
        self.faults: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.released = threading.Event()
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="yahoo-server")

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> YahooServer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def count(self, part: str = "") -> int:
        """How many requests whose host + path (with query) contains `part` have arrived."""
        with self._arrived:
            return sum(part in one for one in self.requests)

    def kinds(self) -> Counter[str]:
        """Requests by the last word of their path."""
        return Counter(urlsplit(one).path.rsplit("/", 1)[-1] for one in self.requests)

    def wait_for(self, part: str, times: int = 1, timeout_s: float = 10.0) -> bool:
        """Block until `times` requests with `part` have arrived."""
        with self._arrived:
            return self._arrived.wait_for(
                lambda: sum(part in one for one in self.requests) >= times, timeout=timeout_s
            )

    def session(self) -> Session[Any]:
        """Make the session that brings every request here."""
        return _Rewritten(self.port)

    def answer(self, path: str) -> tuple[int, str, bytes] | None:
        """Status, content type and body for host + path + query; None drops the connection."""
        with self._arrived:
            self.requests.append(path)
            self._arrived.notify_all()
            flooded = len(self.requests) > _MOST_REQUESTS
        if flooded:
            return 503, "text/plain", b"too many requests for a test"
        fault = next((fault for part, fault in self.faults.items() if part in path), Fault.OK)
        if fault is Fault.HANG:
            self.released.wait(_HANG_S)
            return None
        if fault is not Fault.OK:
            return _FAULTS[fault]
        return self._good(path)

    def _good(self, path: str) -> tuple[int, str, bytes]:
        parts = urlsplit("//" + path)
        query = parse_qs(parts.query)
        if parts.path.startswith(QUOTE):
            wanted = query["symbols"][0].split(",")
            rows = [self.quotes[symbol] for symbol in wanted if symbol in self.quotes]
            return _json({"quoteResponse": {"result": rows, "error": None}})
        if parts.path.startswith(CHART):
            symbol = unquote(parts.path.removeprefix(CHART))
            if symbol not in self.charts:
                missing = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
                _, kind, body = _json({"chart": {"result": None, "error": missing}})
                return 404, kind, body
            return _json(chart_body(symbol, self.charts[symbol], query["interval"][0]))
        if parts.path == CRUMB:
            return 200, "text/plain", b"cRuMb"
        return 200, "text/html", b"<p>hello</p>"


def chart_body(symbol: str, chart: Chart, interval: str) -> dict[str, object]:
    """A v8 chart answer; a range without data has no timestamps and an empty quote."""
    result: dict[str, object] = {
        "meta": {
            "currency": "USD",
            "symbol": symbol,
            "instrumentType": "INDEX",
            "exchangeTimezoneName": "America/New_York",
            "timezone": "EDT",
            "gmtoffset": -14400,
            "regularMarketPrice": chart.price,
            "regularMarketTime": chart.time_s,
            "priceHint": 2,
            "dataGranularity": chart.granularity or interval,
            "validRanges": _PERIODS,
            **({} if chart.previous_close is None else {"previousClose": chart.previous_close}),
        },
        "indicators": {"quote": [{}]},
    }
    if chart.rows:
        names = ("open", "high", "low", "close", "volume")
        columns = [list(column) for column in zip(*chart.rows, strict=True)]
        result["timestamp"] = [int(second) for second in columns[0] if second is not None]
        indicators: dict[str, object] = {"quote": [dict(zip(names, columns[1:], strict=True))]}
        if interval == "1d":
            indicators["adjclose"] = [{"adjclose": chart.adjusted or columns[4]}]
        result["indicators"] = indicators
    return {"chart": {"result": [result], "error": None}}


def _json(payload: object) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(payload).encode()


_FAULTS: dict[Fault, tuple[int, str, bytes] | None] = {
    Fault.NOT_FOUND: (
        404,
        "application/json",
        b'{"chart":{"result":null,"error":{"code":"Not Found","description":"symbol may be delisted"}}}',
    ),
    Fault.RATE_LIMITED: (429, "text/plain", b"Too Many Requests\r\n"),
    Fault.UNAUTHORIZED: (
        401,
        "application/json",
        b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
    ),
    Fault.SERVER_ERROR: (500, "text/html", b"<html><body>Internal Server Error</body></html>"),
    Fault.HTML: (200, "text/html", b"<html><body>Sign in to the guest network</body></html>"),
    Fault.EMPTY: (200, "application/json", b""),
    Fault.DROPPED: None,
}


def _handler(server: YahooServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_GET(self) -> None:
            answer = server.answer(self.path.removeprefix("/"))
            if answer is None:
                self.close_connection = True
                return
            status, kind, body = answer
            head = (
                f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n"
            )
            self.close_connection = True
            self.wfile.write(head.encode() + body)  # one write: two cost 40 ms each

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


_COOKIE = Cookie(
    version=0, name="A3", value="d=x", port=None, port_specified=False, domain=".yahoo.com", domain_specified=True,
    domain_initial_dot=True, path="/", path_specified=True, secure=False, expires=1_999_999_999, discard=False,
    comment=None, comment_url=None, rest={},
)  # fmt: skip


class _Rewritten(Session[Any]):
    def __init__(self, port: int) -> None:
        super().__init__(impersonate="chrome", trust_env=False)
        self._port = port

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        here = f"http://127.0.0.1:{self._port}/{parts.netloc}{parts.path or '/'}{query}"
        response = super().request(method, here, *args, **kwargs)
        if parts.netloc in COOKIE:
            self.cookies.jar.set_cookie(_COOKIE)  # a loopback host may not set one for yahoo.com itself
        return response


def forget_client() -> Iterator[None]:
    """Body of a fixture: yfinance as in a new process, before and after."""
    from yfinance import cache
    from yfinance.data import SingletonMeta, YfData

    def forget() -> None:
        SingletonMeta._instances.clear()
        YfData.cache_get.cache_clear()
        for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
            manager.close_db()
        cache._TzCacheManager._tz_cache = cache._CookieCacheManager._Cookie_cache = None

    forget()
    yield
    forget()


def minutes(first: str, closes: Sequence[float]) -> list[tuple[float | None, ...]]:
    """One-minute rows from `first` (ISO with offset) on."""
    start = at(first)
    return [(start + 60 * i, c, c + 0.5, c - 0.5, c, 10) for i, c in enumerate(closes)]
