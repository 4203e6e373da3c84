"""A loopback server that speaks Alpaca's and FRED's formats, and the session that brings requests to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from curl_cffi.requests import Session

from desktop.sources.alpaca import ID_HEADER, SECRET_HEADER

KEY_ID, SECRET = "PKTEST7Q2XW9ZL4M8VBN", "s3cr3tW0rdThatNobodyMaySee0123456789abcd"
FRED_KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_HANG_S = 30.0


def trade(price: object, at: datetime) -> dict[str, object]:
    """One trade as Alpaca writes it, nanoseconds included."""
    return {
        "c": ["@"],
        "i": 52983525,
        "p": price,
        "s": 100,
        "t": f"{at:%Y-%m-%dT%H:%M:%S}.123456789Z",
        "x": "V",
        "z": "B",
    }


def bar(at: datetime, close: float, **more: object) -> dict[str, object]:
    """One bar as Alpaca writes it."""
    return {
        "t": f"{at:%Y-%m-%dT%H:%M:%SZ}", "o": close - 0.05, "h": close + 0.1, "l": close - 0.1, "c": close,
        "v": 1200, "n": 12, "vw": close, **more,
    }  # fmt: skip


class AlpacaServer:
    """Start it with `with`. `fault` spoils every answer; keys other than the right ones are refused."""

    def __init__(self) -> None:
        self.trades: dict[str, dict[str, object]] = {}
        self.bars: dict[str, list[dict[str, object]]] = {}
        self.page = 10_000
        self.fault: tuple[int, str, bytes] | str = ""
        self.requests: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="alpaca-server")

    def __enter__(self) -> AlpacaServer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def session(self) -> Session[Any]:
        return _Rewritten(int(self._server.server_address[1]))

    def answer(self, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes] | None:
        self.requests.append(path)
        self.headers.append(headers)
        if self.fault == "hang":
            self.released.wait(_HANG_S)
            return None
        if isinstance(self.fault, tuple):
            return self.fault
        parts = urlsplit("//" + path)
        query = parse_qs(parts.query)
        if parts.netloc == "api.stlouisfed.org":
            return self._fred(query)
        if (headers.get(ID_HEADER), headers.get(SECRET_HEADER)) != (KEY_ID, SECRET):
            return 403, "application/json", b'{"message": "forbidden."}\n'
        symbols = query["symbols"][0].split(",")
        if parts.path == "/v2/stocks/trades/latest":
            return _json({"trades": {one: self.trades[one] for one in symbols if one in self.trades}})
        start, end = (datetime.fromisoformat(query[name][0]).astimezone(UTC) for name in ("start", "end"))
        rows = [
            row for row in self.bars.get(symbols[0], [])
            if start <= datetime.fromisoformat(str(row["t"])).astimezone(UTC) <= end
        ]  # fmt: skip
        first = int(query.get("page_token", ["0"])[0])
        last = first + self.page
        more = str(last) if last < len(rows) else None
        return _json({"bars": {symbols[0]: rows[first:last]} if rows else {}, "next_page_token": more})

    def _fred(self, query: Mapping[str, list[str]]) -> tuple[int, str, bytes]:
        if query.get("api_key") != [FRED_KEY]:
            told = "Bad Request.  The value for variable api_key is not registered."
            return 400, "application/json", json.dumps({"error_code": 400, "error_message": told}).encode()
        return _json({"release_dates": [{"release_id": 10, "date": "2024-07-11"}]})


def _json(payload: object) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(payload).encode()


def _handler(server: AlpacaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = server.answer(self.path.removeprefix("/"), dict(self.headers.items()))
            self.close_connection = True
            if answer is None:
                return
            status, kind, body = answer
            head = f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            self.wfile.write(f"{head}Connection: close\r\n\r\n".encode() + body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


class _Rewritten(Session[Any]):
    def __init__(self, port: int) -> None:
        super().__init__(trust_env=False)
        self._port = port

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        here = f"http://127.0.0.1:{self._port}/{parts.netloc}{parts.path}?{parts.query}"
        return super().request(method, here, *args, **kwargs)
