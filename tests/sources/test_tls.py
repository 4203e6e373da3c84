"""`rotation-monitor refresh` in a process of its own, over real TLS, through a proxy as companies have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from desktop.desk import live_plan, official
from desktop.market.clock import SystemClock
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import FILE_NAME, Priority, Publication, Store
from desktop.sources import history
from tests.sources.faulty import reply
from tests.sources.yahoo_server import Chart, YahooServer, quote_row

tls_proxy = pytest.importorskip("tests.sources.tls_proxy", reason="certificates are made with `cryptography`")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[2]
YAHOO = ("fc.yahoo.com", "query1.finance.yahoo.com", "query2.finance.yahoo.com")
OTHERS = (
    "cdn.cboe.com", "home.treasury.gov", "markets.newyorkfed.org", "fred.stlouisfed.org", "api.stlouisfed.org",
    "publicreporting.cftc.gov", "www.bls.gov", "www.federalreserve.gov",
)  # fmt: skip
COOKIE = b"Set-Cookie: A3=d=throw-away; Domain=.yahoo.com; Path=/; Max-Age=31536000; Secure; HttpOnly\r\n"


class Place:
    """A data folder that lacks only today's prices, and a network that inspects traffic."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.bundle, context = tls_proxy.authority(folder, [*YAHOO, *OTHERS])
        self.yahoo = YahooServer()
        self.page = b""
        """Sent in place of every answer."""
        self.proxy = tls_proxy.TlsProxy(context, self.answer)
        self.plan = live_plan()
        now_s = int(datetime.now(UTC).timestamp())
        for symbol in self.plan.live:
            self.yahoo.quotes[symbol] = quote_row(symbol, 100.0, now_s - 1)
            rows = [(now_s // 60 * 60 - 60.0 * n, 100.0, 100.0, 100.0, 100.0, 1) for n in range(9, 1, -1)]
            self.yahoo.charts[symbol] = Chart(list(rows), price=100.0, time_s=now_s)
        self.fill()

    def fill(self) -> None:
        """Everything but today: closes of each series, and publications that have not changed since."""
        now, clock = datetime.now(UTC), SystemClock()
        with Store(self.data / FILE_NAME) as store:
            whole = NYSE.days(history.COMPLETE_FROM.replace(year=2004, month=12), history.target(now))
            for symbol in (*self.plan.daily, *(f"{one}:adj" for one in self.plan.adjusted), *self.plan.universe):
                days = whole if symbol in self.plan.daily else whole[-5:]
                store.put_closes(Closes(symbol, days, 0 * days.astype("int64") + 100.0), source="test",
                                 priority=Priority.VENDOR)  # fmt: skip
            panel = history.assemble(store, self.plan, now)
            assert panel is not None
            store.put_panel(panel, source="test")
            for publisher in official(store, clock):
                for dataset in publisher.datasets:
                    held = Publication('"tag"', "", now - timedelta(days=1), now - timedelta(days=1))
                    store.put_publication(publisher.name, dataset.name, held)

    def answer(self, host: str, path: str) -> bytes:
        if self.page:
            return self.page
        if host not in YAHOO:
            return b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
        status, kind, body = self.yahoo._good(host + path)
        whole = reply(status, body, kind)
        return whole.replace(b"\r\n", b"\r\n" + COOKIE, 1) if host == YAHOO[0] else whole

    def refresh(self, *, trusting: bool = True, proxy: str | None = None) -> tuple[int, dict[str, Any], str]:
        """Exit code, what it says as JSON of Yahoo, and standard error."""
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environment = kept | {"HTTPS_PROXY": proxy or self.proxy.url}
        for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            environment.pop(name, None)
        if trusting:
            environment["SSL_CERT_FILE"] = str(self.bundle)
        done = subprocess.run(
            [sys.executable, "-m", "desktop", "refresh", "--data-dir", str(self.data), "--json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        told = json.loads(done.stdout)
        (yahoo,) = (one for one in told["sources"] if one["source"].lower() == "yahoo")
        return done.returncode, yahoo, done.stderr

    def price(self) -> float | None:
        with Store(self.data / FILE_NAME) as store:
            quote = store.last_quote("^NDX", datetime.now(UTC))
        return None if quote is None else quote.price


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    one = Place(tmp_path)
    with one.yahoo, one.proxy:
        yield one


def test_a_cold_refresh_goes_through_proxy_and_certificate_in_yahoos_own_order(place):
    code, yahoo, stderr = place.refresh()
    assert (yahoo["state"], yahoo["failures"]) == ("ok", [])
    assert (code, stderr) == (0, stderr)
    assert place.price() == 100.0
    asked = [one for one in place.proxy.asked if one.startswith(YAHOO)]
    assert [urlsplit("//" + one).path for one in asked[:3]] == ["/", "/v1/test/getcrumb", "/v7/finance/quote"]
    assert "crumb=cRuMb" in asked[2]
    # Its time zone is known, so that each symbol of minute bars costs one chart, without a look-up before it.
    assert len(asked) == 3 + len(place.plan.minute) == yahoo["requests"]
    assert all("/v8/finance/chart/" in one for one in asked[3:])
    assert {one.split("/")[0] for one in place.proxy.asked} > set(YAHOO)  # the publishers go the same way


def test_a_certificate_that_nobody_vouches_for_is_named_with_its_cure(place):
    code, yahoo, stderr = place.refresh(trusting=False)
    assert (code, yahoo["state"], place.price()) == (1, "failed", None)
    (first, *_) = yahoo["failures"]
    assert first["kind"] == "offline"
    assert "certificate" in first["message"].lower()
    assert "SSL_CERT_FILE" in first["cure"]
    assert "SSL_CERT_FILE" in stderr
    assert place.proxy.asked == []


def test_a_proxy_that_wants_a_sign_in_is_named(place):
    place.proxy.portal = reply(511, b"<html>Sign in to the guest network</html>", "text/html")
    code, yahoo, _ = place.refresh()
    assert (code, yahoo["state"], place.price()) == (1, "failed", None)
    assert yahoo["failures"][0]["kind"] == "offline"
    assert "511" in yahoo["failures"][0]["message"]
    assert "proxy" in yahoo["failures"][0]["cure"].lower()


def test_a_sign_in_page_in_place_of_every_answer_is_called_one(place):
    place.page = reply(200, b"<!DOCTYPE html><html>Sign in to the guest network</html>", "text/html")
    code, yahoo, _ = place.refresh()
    assert (code, yahoo["state"], place.price()) == (1, "failed", None)
    assert "web page" in yahoo["failures"][0]["message"]
    assert "sign in" in yahoo["failures"][0]["cure"]


def test_without_any_network_it_ends_soon_and_says_where_it_could_not_connect(place):
    code, yahoo, stderr = place.refresh(proxy="http://127.0.0.1:9")
    assert (code, yahoo["state"], place.price()) == (1, "failed", None)
    assert yahoo["failures"][0]["kind"] == "offline"
    assert "proxy" in yahoo["failures"][0]["cure"].lower()
    assert stderr.count("\n") < 40
