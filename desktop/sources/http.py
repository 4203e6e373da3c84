"""Plain HTTP for publishers: one GET at a time, within a deadline and a budget, conditional where that is offered.

curl_cffi does the work: it is there for yfinance, honours the environment's proxy (HTTPS_PROXY) and certificates
(REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE), and its time limit covers the whole request.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from desktop.market.clock import Clock, SystemClock
from desktop.sources.contract import Failure, FailureKind, Stamp, Unchanged
from desktop.sources.limits import HostBreaker, TokenBucket

if TYPE_CHECKING:
    from curl_cffi.requests import Session

TIME_LIMIT_S = 25.0
MOST_BYTES = 64_000_000
AGENT = "Mozilla/5.0 (compatible; RotationMonitor)"
"""The calendars of BLS answer no client without one."""
_NO_STAMP = Stamp()
_REFUSED = "the host refuses this computer or its network: try another network, or wait"
_MOVED = "its address has changed: update the program"
_ADVICE = {401: _REFUSED, 403: _REFUSED, 404: _MOVED, 410: _MOVED}
"""By status, where no key is sent."""
_TROUBLE = "the host has trouble of its own: it is asked again"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that came with status 200, and the host's stamp on it."""

    body: bytes
    stamp: Stamp

    @property
    def text(self) -> str:
        """The body as UTF-8, a byte order mark left out."""
        return self.body.decode("utf-8-sig", errors="replace")


class Http:
    """Asks on behalf of one source. Blocks; for one worker's thread, `close` for any.

    Parameters
    ----------
    source
        Name of the source, for its failures.
    clock
        Tells when a failure happened.
    session_factory
        Makes the one session; the default takes proxy and certificates from the environment.
    bucket, breaker
        Request budget, and reaction to "too many requests".
    time_limit_s
        Wall seconds for one request.
    keyed
        Whether a key goes with each request: a refusal then means that the key is wrong.
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        session_factory: Callable[[], Session[Any]] | None = None,
        bucket: TokenBucket | None = None,
        breaker: HostBreaker | None = None,
        time_limit_s: float = TIME_LIMIT_S,
        keyed: bool = False,
    ) -> None:
        self._source, self._clock = source, clock
        self._session_factory = session_factory or plain_session
        self._bucket, self._breaker = bucket or TokenBucket(), breaker or HostBreaker()
        self._time_limit_s, self._keyed = time_limit_s, keyed
        self._session: Session[Any] | None = None
        self._closing = threading.Event()
        self.requests = 0
        """Requests sent so far."""

    def get(
        self, url: str, what: str, *, stamp: Stamp = _NO_STAMP, headers: Mapping[str, str] | None = None
    ) -> Answer | Unchanged | Failure:
        """Ask for `url`; `what` names it in a failure. A page in place of data is a failure, not an answer."""
        away_s = self._breaker.enter(time.monotonic())
        if away_s > 0:
            return self.failure(
                FailureKind.RATE_LIMITED, what, "the host asked for fewer requests", retry_after_s=away_s
            )
        answer: Answer | Unchanged | Failure | None = None
        try:
            answer = self._send(url, what, {"User-Agent": AGENT, **_conditions(stamp), **(headers or {})})
        finally:
            limited = isinstance(answer, Failure) and answer.kind is FailureKind.RATE_LIMITED
            self._breaker.settle(time.monotonic(), limited=limited if answer is not None else None)
        if limited:
            return self.failure(
                FailureKind.RATE_LIMITED,
                what,
                "the host asked for fewer requests",
                retry_after_s=self._breaker.retry_after_s(time.monotonic()),
            )
        return answer

    def _send(self, url: str, what: str, headers: Mapping[str, str]) -> Answer | Unchanged | Failure:
        from curl_cffi.requests import exceptions as http

        if self._closing.wait(self._bucket.reserve(time.monotonic())):
            return self.failure(FailureKind.TIMEOUT, what, "the source is closed")
        if self._session is None:
            self._session = self._session_factory()
        self.requests += 1
        try:
            response = self._session.get(url, headers=dict(headers), timeout=self._time_limit_s)
        except http.Timeout:
            return self.failure(FailureKind.TIMEOUT, what, f"no answer within {self._time_limit_s:g} s")
        except http.RequestException as error:
            return self.failure(FailureKind.OFFLINE, what, str(error))
        if isinstance(self._clock, SystemClock):
            self._clock.hear(response.headers.get("Date"))
        if response.status_code == 304:
            return Unchanged()
        if response.status_code != 200:
            return self._refused(response.status_code, what)
        return self._checked(response.content, what, _stamp_of(response.headers))

    def _refused(self, status: int, what: str) -> Failure:
        told = f"HTTP status {status}"
        if self._keyed and status in (400, 401, 403):  # 400: what FRED says of a key it does not know
            return self.failure(FailureKind.AUTH, what, told)
        kind = FailureKind.OFFLINE if status in (401, 403) else kind_of_status(status)  # there is no key to check
        advice = _TROUBLE if status >= 500 else _ADVICE.get(status, "")
        return replace(self.failure(kind, what, told), advice=advice)

    def _checked(self, body: bytes, what: str, stamp: Stamp) -> Answer | Failure:
        if not body.strip():
            return self.failure(FailureKind.NO_DATA, what, "the answer is empty")
        if len(body) > MOST_BYTES:
            return self.failure(FailureKind.BAD_PAYLOAD, what, f"the answer is too large ({len(body):,} bytes)")
        if body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html")):
            return self.failure(
                FailureKind.BAD_PAYLOAD, what, "a web page came in place of data (a sign-in page of the network?)"
            )
        return Answer(body, stamp)

    def failure(
        self, kind: FailureKind, what: str, message: str, *, retry_after_s: float | None = None
    ) -> Failure:
        """A failure of this source, now."""
        return Failure(kind, self._source, what, message, self._clock.now(), retry_after_s)

    def close(self) -> None:
        """Let nothing wait for the budget any more."""
        self._closing.set()


def plain_session() -> Session[Any]:
    """A session that takes proxy and certificates from the environment."""
    from curl_cffi.requests import Session

    session: Session[Any] = Session()
    trust_environment(session)
    return session


def trust_environment(session: Session[Any]) -> None:
    """Take the certificates of SSL_CERT_FILE; curl_cffi itself honours REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."""
    bundle = os.environ.get("SSL_CERT_FILE")
    if bundle and session.verify is True:
        session.verify = bundle  # type: ignore[assignment]  # takes a path too, as it does from those two


def kind_of_status(status: int) -> FailureKind:
    """Say what an HTTP status other than 200 and 304 means."""
    if status in (401, 403):
        return FailureKind.AUTH
    if status in (404, 410):
        return FailureKind.NOT_FOUND
    return FailureKind.RATE_LIMITED if status == 429 else FailureKind.BAD_PAYLOAD


def _conditions(stamp: Stamp) -> dict[str, str]:
    conditions = {"If-None-Match": stamp.etag, "If-Modified-Since": stamp.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _stamp_of(headers: Mapping[str, Any]) -> Stamp:
    return Stamp(headers.get("ETag") or "", headers.get("Last-Modified") or "")
