"""The way to Yahoo: one session of the yfinance client, within a budget and a limit of time; every failure named.

yfinance, curl_cffi and pandas are imported by the first request, that is on a worker thread. All requests go
through one session, which counts every one of them (also those for cookie and crumb) against a budget, limits how
long a whole call may take, and ends a call at its first 429.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from desktop.loading import quietly
from desktop.market.clock import Clock
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.http import kind_of_status, trust_environment
from desktop.sources.limits import HostBreaker, TokenBucket

if TYPE_CHECKING:
    from curl_cffi.requests import Session

# --- what helps, where the kind of a failure does not say it ----------------------------------------------------
REFUSED = "Yahoo refuses this computer or its network: wait, or try another network"
TROUBLE = "Yahoo has trouble of its own: it is asked again"
SIGN_IN = "open any web page and sign in to the network, or ask who runs it"
CERTIFICATE = (
    "the network inspects traffic: name your organisation's certificate bundle (a PEM file) in SSL_CERT_FILE"
)
NO_NAME = "check that this computer is online, and the proxy in HTTPS_PROXY where the network wants one"
PROXY = "check the proxy in HTTPS_PROXY"

HOST_WIDE = frozenset({FailureKind.RATE_LIMITED, FailureKind.TIMEOUT, FailureKind.OFFLINE})
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What yfinance raises when an answer has not the shape it expects; json.JSONDecodeError is a ValueError."""
_T = TypeVar("_T")


class _UnusableAnswerError(ValueError):
    """An answer that is no data at all: what it is, and what helps ("" where nothing does)."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.advice = advice


class YahooWire:
    """Sends what is asked on behalf of the source `name`; parameters as of `Yahoo`.

    `data_urls` are how the addresses of data begin: what comes from there must be data.
    """

    def __init__(
        self,
        name: str,
        data_urls: tuple[str, ...],
        cache_folder: Path,
        clock: Clock,
        *,
        session_factory: Callable[[], Session[Any]] | None,
        bucket: TokenBucket | None,
        breaker: HostBreaker | None,
        call_limit_s: float,
    ) -> None:
        self._name, self._data_urls = name, data_urls
        self._cache_folder, self._clock = cache_folder, clock
        self._session_factory = session_factory or browser_session
        self._bucket, self._breaker = bucket or TokenBucket(), breaker or HostBreaker()
        self._call_limit_s = call_limit_s
        self._session: Session[Any] | None = None
        self.requests = 0
        """Requests sent so far, those for cookie and crumb included."""
        self.clock_off_s = 0.0
        """How far this computer's clock is behind that of the host."""
        self._starting = threading.Lock()
        self._closing = threading.Event()
        self._call = threading.local()

    @property
    def retry_after_s(self) -> float:
        """Seconds until Yahoo may be asked again after "too many requests"; 0 when it may be asked now."""
        return self._breaker.retry_after_s(time.monotonic())

    @property
    def budget_per_h(self) -> int:
        """Most requests an hour."""
        return self._bucket.per_hour

    def close(self) -> None:
        """Let nothing wait for the request budget any more; calls under way end with a Failure."""
        self._closing.set()

    def ask(self, symbol: str, request: Callable[[], _T]) -> _T | Failure:
        """Run one call to Yahoo within the time limit, unless the breaker is open."""
        away_s = self._breaker.enter(time.monotonic())
        if away_s > 0:
            return self.failure(
                FailureKind.RATE_LIMITED, symbol, "Yahoo asked for fewer requests", retry_after_s=away_s
            )
        limited: bool | None = None
        self._call.ends_s, self._call.status = time.monotonic() + self._call_limit_s, 0
        try:
            answer = self._named(symbol, request)
            if not isinstance(answer, Failure) or answer.kind not in HOST_WIDE:
                limited = False
            elif answer.kind is FailureKind.RATE_LIMITED:
                limited = True
        finally:
            self._breaker.settle(time.monotonic(), limited=limited)
        if limited and isinstance(answer, Failure):
            return replace(answer, retry_after_s=self.retry_after_s)
        return answer

    def _named(self, symbol: str, request: Callable[[], _T]) -> _T | Failure:
        """Give every way in which yfinance and curl_cffi are known to fail its kind."""
        _load_client()
        from curl_cffi.requests import exceptions as http
        from yfinance import exceptions as vendor

        advice = ""
        try:
            return request()
        except _UnusableAnswerError as error:
            kind, message, advice = FailureKind.BAD_PAYLOAD, str(error), error.advice
        except vendor.YFRateLimitError as error:
            kind, message = FailureKind.RATE_LIMITED, str(error)
        except vendor.YFTzMissingError as error:
            _forget_answers()
            kind, message = FailureKind.NOT_FOUND, str(error)
        except vendor.YFPricesMissingError as error:
            reason = (error.yahoo_reason or "").lower()
            kind = FailureKind.NOT_FOUND if "delisted" in reason else FailureKind.NO_DATA
            message = f"Yahoo has no prices: {reason or 'it gives no reason'}"
        except vendor.YFException as error:
            kind, message = FailureKind.BAD_PAYLOAD, str(error)
        except http.IncompleteRead as error:  # curl_cffi counts it among the HTTP errors
            kind, message = FailureKind.OFFLINE, f"the answer broke off: {error}"
        except http.HTTPError as error:
            self._call.status = getattr(error.response, "status_code", 0)
            kind, message = FailureKind.BAD_PAYLOAD, str(error)
        except http.Timeout as error:
            kind, message = FailureKind.TIMEOUT, str(error)
        except UNREADABLE as error:  # before the next: curl_cffi's JSON error is both
            kind, message = FailureKind.BAD_PAYLOAD, f"unreadable answer: {error!r}"
        except http.RequestException as error:
            kind, message, advice = FailureKind.OFFLINE, str(error), _advice_for_link(error)
        if self._call.status >= 400 and kind not in HOST_WIDE:  # what yfinance made of a refusal says less
            kind, message = (
                kind_of_status(self._call.status),
                f"Yahoo answered with HTTP status {self._call.status}",
            )
            advice = _advice_for_status(self._call.status)
        return self.failure(kind, symbol, message.partition(_CURL_ADVICE)[0], advice=advice)

    def json(self, url: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON is Any until read
        """Return what an address answers, with the client's cookie and crumb; within `ask` only."""
        from yfinance.data import YfData

        return YfData(session=self.session()).get_raw_json(url, params=dict(params), timeout=self._call_limit_s)

    def session(self) -> Session[Any]:
        """Return the one session, made and guarded at the first call; for use within `ask` only."""
        with self._starting:
            if self._session is None:
                self._session = self._guarded(self._session_factory())
                self._configure_yfinance()
            return self._session

    def _configure_yfinance(self) -> None:
        import yfinance

        # After the import, which sets filters of its own: the client makes pandas warn about its next version.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(yfinance|pandas)(\..*)?")
        yfinance.config.debug.hide_exceptions = False
        yfinance.config.network.retries = 0
        self._cache_folder.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(self._cache_folder))

    def _guarded(self, session: Session[Any]) -> Session[Any]:
        """Return the same session with every request in the budget, in the time limit, and stopped by a 429."""
        from curl_cffi.requests import exceptions as http
        from yfinance.exceptions import YFRateLimitError

        send = session.request

        def request(method: Any, url: str, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through to curl_cffi
            if self._closing.wait(self._bucket.reserve(time.monotonic())):
                raise http.Timeout("the source is closed")
            left_s = self._call.ends_s - time.monotonic()
            if left_s <= 0:
                raise http.Timeout(f"no answer within {self._call_limit_s:g} s")
            # Cookie and crumb requests come with 30 s of their own, whatever the caller wanted.
            kwargs["timeout"] = min(kwargs.get("timeout") or left_s, left_s)
            self.requests += 1
            response = send(method, url, **kwargs)
            # yfinance would send the same request about six more times with other cookies. That may cure a 401 or
            # a 403, no other refusal; and the cookie page itself regularly answers 404.
            if response.status_code == 429:
                raise YFRateLimitError
            if url.startswith(self._data_urls) and (response.status_code == 404 or response.status_code >= 500):
                response.raise_for_status()
            self._call.status = response.status_code
            self._compare_clocks(response.headers)
            if url.startswith(self._data_urls) and response.status_code == 200:
                _require_data(response.content)
            return response

        vars(session)["request"] = request  # an attribute of the object goes before the method of its class
        return session

    def _compare_clocks(self, headers: Mapping[str, Any]) -> None:
        """Note how far this computer's clock is from that of the host; an answer out of a cache tells nothing."""
        told = headers.get("Date")
        if told and not headers.get("Age"):
            with suppress(ValueError):
                theirs = parsedate_to_datetime(told)
                if theirs.tzinfo is not None:
                    self.clock_off_s = (theirs - self._clock.now()).total_seconds()

    def failure(
        self,
        kind: FailureKind,
        symbol: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        advice: str = "",
    ) -> Failure:
        """Make a failure of now."""
        return Failure(kind, self._name, symbol, message, self._clock.now(), retry_after_s, advice)


@cache
def _load_client() -> None:
    with quietly():
        import yfinance  # noqa: F401


def browser_session() -> Session[Any]:
    """Make a session that impersonates a browser, with the environment's proxy and certificates."""
    from curl_cffi.requests import Session

    session: Session[Any] = Session(impersonate="chrome")
    trust_environment(session)
    return session


def _require_data(body: bytes) -> None:
    """Refuse what is not even an attempt at data."""
    if not body.strip():
        raise _UnusableAnswerError("the answer is empty")
    if body.lstrip()[:1] == b"<":
        raise _UnusableAnswerError("a web page came in place of data (a sign-in page of the network?)", SIGN_IN)


_CURL_ADVICE = ". See https://curl.se/"
"""What curl adds to each of its messages."""


def _advice_for_status(status: int) -> str:
    return TROUBLE if status >= 500 else REFUSED if status in (401, 403) else ""


def _advice_for_link(error: Exception) -> str:
    from curl_cffi.requests import exceptions as http

    for kind, advice in (
        (http.CertificateVerifyError, CERTIFICATE), (http.DNSError, NO_NAME), (http.ProxyError, PROXY),
    ):  # fmt: skip
        if isinstance(error, kind):
            return advice
    return ""


def _forget_answers() -> None:
    """Drop the answers that yfinance remembers, failed ones included."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
