"""`doctor` asks: Yahoo, Alpaca with the user's key, and every dataset of every official publisher.

Each is asked once, lightly, within a limit of time; what it answers is told and stored nowhere.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.credentials import Credentials
from desktop.findings import Finding, Level, Part, within
from desktop.market.clock import Clock, SystemClock

if TYPE_CHECKING:
    from curl_cffi.requests import Session

    from desktop.market.store import Store
    from desktop.sources.contract import Publisher

PROBED = ("^RUT", "^NDX")
PROBE_S, KEYRING_S = 30.0, 5.0
"""How long the sources, and the keyring, may take."""
NETWORK = "check network, proxy and certificate settings"
_CURL = ". See https://curl.se/"
"""From here on a message of the client is its manual's address."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. The defaults are the real thing; tests bring their own."""

    folder: Path
    offline: bool = False
    clock: Clock = field(default_factory=SystemClock)
    session_factory: Callable[[], Session[Any]] | None = None
    publishers: Callable[[Store, Clock], Sequence[Publisher]] | None = None
    """Makes the official publishers to ask; None asks none."""
    keys: Credentials = field(default_factory=lambda: Credentials(KEYRING_S))
    """Of the vendors that want one; read from the keyring when examined."""
    vendor_session: Callable[[], Session[Any]] | None = None
    probe_s: float = PROBE_S
    keyring_s: float = KEYRING_S


@dataclass(slots=True)
class Heard:
    """What a server said about the time: seconds this computer's clock is ahead of it, None when none said."""

    ahead_s: float | None = None
    host: str = ""

    def listening(self, make: Callable[[], Session[Any]], clock: Clock) -> Callable[[], Session[Any]]:
        """Return a factory of the same sessions, whose answers also tell the time."""

        def made() -> Session[Any]:
            session = make()
            send = session.request

            def request(method: Any, url: str, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through to curl_cffi
                response = send(method, url, **kwargs)
                self.hear(response.headers.get("Date"), clock.now(), url)
                return response

            vars(session)["request"] = request
            return session

        return made

    def hear(self, date_header: str | None, now: datetime, url: str) -> None:
        """Take the `Date` of an answer; it is in whole seconds, so half of one is added."""
        try:
            said = parsedate_to_datetime(date_header or "")
        except ValueError:
            return
        if said.tzinfo is not None:
            self.ahead_s = (now - said).total_seconds() - 0.5
            self.host = url.partition("//")[2].partition("/")[0]


def sources(patient: Patient, heard: Heard) -> Part:
    """Ask the sources of prices; `heard` takes what they say of the time."""
    if patient.offline:
        return [Finding(name, "not asked (--offline)") for name in ("yahoo", "alpaca")], {}
    findings, data = _yahoo(patient, heard)
    keyed, keyed_data = _alpaca(patient)
    return [*findings, keyed], {**data, "alpaca": keyed_data}


def _alpaca(patient: Patient) -> tuple[Finding, dict[str, object]]:
    """One line: no key, key refused, works, or why it cannot be reached. Nobody needs it, so nothing fails."""
    from desktop import vendors
    from desktop.market.known import Unknown
    from desktop.presenters.health import ENTER_KEY, KIND_WORDS
    from desktop.sources.contract import FailureKind

    values = vendors.values_of(vendors.ALPACA, patient.keys)
    if isinstance(values, Unknown):
        return Finding("alpaca", f"not asked ({values.reason})"), {"off": values.reason}
    answer = within(
        patient.probe_s,
        lambda: vendors.ask(vendors.ALPACA, values, clock=patient.clock, session_factory=patient.vendor_session),
    )
    if isinstance(answer, str):
        return Finding("alpaca", f"works: {answer}"), {"works": answer}
    if answer is None or isinstance(answer, Exception):
        why = f"{type(answer).__name__}: {answer}" if answer else f"no answer within {patient.probe_s:g} s"
        return Finding("alpaca", why, Level.WARN, NETWORK), {"failure": why}
    cure = ENTER_KEY if answer.kind is FailureKind.AUTH else answer.cure
    told: dict[str, object] = {"failure": answer.kind.value, "message": answer.message, "cure": cure}
    return Finding("alpaca", f"{KIND_WORDS[answer.kind]}: {answer.message}", Level.WARN, cure), told


def _yahoo(patient: Patient, heard: Heard) -> Part:
    from desktop.sources import yahoo, yahoo_wire
    from desktop.sources.contract import Failure

    make = heard.listening(patient.session_factory or yahoo_wire.browser_session, patient.clock)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        # A folder of its own: nothing is left behind, and a read-only data folder does not matter.
        source = yahoo.Yahoo(Path(cache), patient.clock, session_factory=make, call_limit_s=patient.probe_s * 0.8)
        since_s = time.monotonic()
        answer = within(patient.probe_s, lambda: source.quotes(PROBED))
        took_s = time.monotonic() - since_s
        source.close()
    if answer is None:
        late = Finding(source.name, f"no answer within {patient.probe_s:g} s", Level.FAIL, NETWORK)
        return [late], {source.name: {"failure": "timeout"}}
    if isinstance(answer, Exception):
        why = f"{type(answer).__name__}: {answer}"
        return [Finding(source.name, why, Level.FAIL, "install the program anew")], {source.name: {"failure": why}}
    failures = [one for one in answer.values() if isinstance(one, Failure)]
    data = {
        symbol: {"failure": one.kind.value, "message": one.message, "cure": one.cure}
        if isinstance(one, Failure)
        else {"price": one.price, "traded": one.event_time.isoformat(), "delay_s": one.declared_delay_s}
        for symbol, one in answer.items()
    }
    if len(failures) == len(answer):
        one = failures[0]
        message = one.message.partition(_CURL)[0]
        found = f"{one.kind.value.replace('_', ' ')}: {message}"
        return [Finding(source.name, found, Level.FAIL, one.cure)], {source.name: data}
    findings = []
    for symbol, quote in answer.items():
        if isinstance(quote, Failure):
            findings.append(Finding(f"{source.name} {symbol}", quote.message, Level.WARN, quote.cure))
        else:
            told = f"{quote.price:,.2f} of {quote.event_time:%Y-%m-%d %H:%M:%S} UTC, after {took_s:.1f} s"
            findings.append(Finding(f"{source.name} {symbol}", told))
    return findings, {source.name: data}


def publishers(patient: Patient) -> Part:
    """Ask every dataset of every publisher, all publishers at the same time; a store in memory takes nothing."""
    if patient.offline or patient.publishers is None:
        return [Finding("all", "not asked (--offline)" if patient.offline else "not asked")], {}
    from desktop.market.store import Store

    with Store(None) as store:
        asked = patient.publishers(store, patient.clock)
        with ThreadPoolExecutor(max_workers=len(asked) or 1) as pool:
            answers = list(pool.map(lambda one: _publisher(one, patient.probe_s), asked))
    data: dict[str, object] = {one.name: told for one, (_, told) in zip(asked, answers, strict=True)}
    return [finding for findings, _ in answers for finding in findings], data


def _publisher(asked: Publisher, limit_s: float) -> tuple[list[Finding], dict[str, object]]:
    """One line a publisher that answers, one a trouble of one that does not: it names what has changed."""
    from desktop.sources.contract import Failure, Published, Stamp, Unchanged

    if asked.off:
        return [Finding(asked.name, f"not asked ({asked.off})")], {"off": asked.off}
    answers: dict[str, Published | Unchanged | Failure] = {}

    def ask() -> None:
        for dataset in asked.datasets:
            answers[dataset.name] = asked.fetch(dataset, Stamp())

    since_s = time.monotonic()
    outcome = within(limit_s, ask)
    took_s = time.monotonic() - since_s
    asked.close()
    told = dict(answers)  # a call left behind may still add to the other
    data: dict[str, object] = {}
    troubles: dict[tuple[str, str], list[str]] = {}
    """Which datasets fail alike: a network that is away is one trouble, not fourteen."""
    for dataset in asked.datasets:
        answer = told.get(dataset.name)
        if answer is None:
            why = f"{type(outcome).__name__}: {outcome}" if outcome else f"no answer within {limit_s:g} s"
            cure = "install the program anew" if outcome else NETWORK
            data[dataset.name] = {"failure": why}
        elif isinstance(answer, Failure):
            why = f"{answer.kind.value.replace('_', ' ')}: {answer.message.partition(_CURL)[0]}"
            cure = answer.cure
            data[dataset.name] = {"failure": answer.kind.value, "message": answer.message, "cure": cure}
        else:
            data[dataset.name] = {"known_at": answer.known_at.isoformat()} if isinstance(answer, Published) else {}
            continue
        troubles.setdefault((why, cure), []).append(dataset.name)
    findings = []
    for (why, cure), names in troubles.items():
        every = len(names) == len(asked.datasets) > 1
        what = f"{asked.name} {names[0]}" if not every else asked.name
        more = f" (and {', '.join(names[1:])})" if len(names) > 1 and not every else ""
        findings.append(Finding(what, why + more, Level.WARN, cure))
    if not findings:
        days = [f"newest of {one.known_at:%Y-%m-%d}" for one in told.values() if isinstance(one, Published)]
        count = f"{len(told)} dataset{'s' if len(told) != 1 else ''}"
        findings.append(Finding(asked.name, ", ".join([count, *sorted(days)[-1:], f"after {took_s:.1f} s"])))
    return findings, data
