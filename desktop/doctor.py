"""`rotation-monitor doctor`: what a colleague sends when it does not work, and what to do about it.

Looks at everything and changes nothing: the data folder is not made, the store not migrated unless it opens. Every
part is looked at on its own, so that a damaged store or a missing library still leaves the rest of the answer.
Secrets are taken out of all of it.

Exit codes: 0 usable, 1 not; what to do is told beside each problem and once more at the end.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import locale
import logging
import os
import platform
import re
import shutil
import sqlite3
import ssl
import struct
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from desktop.credentials import Credentials
from desktop.market.clock import Clock, SystemClock
from desktop.redact import redact, secrets_of
from desktop.version import VERSION

if TYPE_CHECKING:
    from curl_cffi.requests import Session

    from desktop.market.store import Store, SymbolInfo
    from desktop.sources.contract import Publisher

LOG_NAME = "rotation-monitor.log"
LOG_LINES = 20
PROBED = ("^RUT", "^NDX")
PROBE_S, KEYRING_S = 30.0, 5.0
"""How long the sources, and the keyring, may take."""
CLOCK_TOLERANCE_S = 30.0
"""A clock that is further off makes ages of prices wrong."""
LEAST_FREE_BYTES = 200_000_000
_LOG_TAIL_BYTES = 400_000
_LOG_ENTRY = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+) ")
_WORTH_TELLING = frozenset({"WARNING", "ERROR", "CRITICAL"})
_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "window": ("PySide6-Essentials", "pyqtgraph"),
    "numbers": ("numpy", "pandas", "scipy", "statsmodels"),
    "market": ("yfinance", "curl_cffi", "exchange-calendars", "tzdata"),
    "system": ("keyring", "platformdirs", "tomli-w", "certifi"),
}
_MODULES = {"PySide6-Essentials": "PySide6", "exchange-calendars": "exchange_calendars", "tomli-w": "tomli_w"}
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_NO_PROXIES = ("NO_PROXY", "no_proxy")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""The first that is set is the one the client uses."""
_DISPLAY = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "QT_SCALE_FACTOR")
_T = TypeVar("_T")
_Part: TypeAlias = "tuple[Sequence[Finding], Mapping[str, object]]"
"""What one part found, and the part of it that only JSON tells."""


class Level(StrEnum):
    """How much a finding matters; with FAIL the program cannot do its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


_MARKS = {Level.OK: " ", Level.WARN: "!", Level.FAIL: "X"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what, how it is, how much that matters, and what to do ("" for nothing)."""

    what: str
    found: str
    level: Level = Level.OK
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Findings that belong together; `data` is the part of them that JSON tells in more detail."""

    name: str
    findings: tuple[Finding, ...]
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All sections, and the last troubles of the log."""

    made: datetime
    sections: tuple[Section, ...]
    log: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing stands in the way."""
        return not any(one.level is Level.FAIL for _, one in self.problems())

    def problems(self) -> list[tuple[str, Finding]]:
        """What is not as it should be, worst first, each with its section."""
        found = [(part.name, one) for part in self.sections for one in part.findings if one.level is not Level.OK]
        return sorted(found, key=lambda named: named[1].level is not Level.FAIL)


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


def run(patient: Patient, *, as_json: bool) -> int:
    """Examine, tell the outcome on standard output; returns the exit code."""
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it complains of is told here in words
    found = examine(patient)
    secrets = secrets_of() | patient.keys.secrets
    text = json.dumps(_clean(as_dict(found), secrets), indent=2) if as_json else redact(as_text(found), secrets)
    sys.stdout.write(text + "\n")
    if found.usable:
        return 0
    for section, one in found.problems():
        if one.level is Level.FAIL:
            line = f"rotation-monitor: {section}, {one.what}: {one.found}; {one.cure}"
            sys.stderr.write(redact(line, secrets) + "\n")
    return 1


def examine(patient: Patient) -> Diagnosis:
    """Look at every part, each on its own."""
    heard = _Heard()
    looked = [
        _part("program", _program),
        _part("libraries", _libraries),
        _part("folders", lambda: _folders(patient.folder)),
        _part("store", lambda: _store(patient.folder)),
        _part("network", _network),
    ]
    if not patient.offline:
        _within(patient.keyring_s, patient.keys.load)
    sources = _part("sources", lambda: _sources(patient, heard))
    looked += [
        _part("clock", lambda: _clock(patient.clock, heard)),
        _part("keyring", lambda: _keyring(patient.keyring_s)),
        _part("display", _display),
        sources,
        _part("publishers", lambda: _publishers(patient)),
    ]
    return Diagnosis(patient.clock.now(), tuple(looked), _last_troubles(patient.folder))


def _part(name: str, look: Callable[[], _Part]) -> Section:
    try:
        findings, data = look()
    except Exception as error:  # noqa: BLE001  (whatever a broken installation raises is the finding)
        why = f"cannot be examined: {type(error).__name__}: {error}"
        return Section(name, (Finding(name, why, Level.FAIL, "install the program anew"),))
    return Section(name, tuple(findings), data)


# --- the program and what it stands on --------------------------------------------------------------------------


def _program() -> _Part:
    kind = "installed bundle" if getattr(sys, "frozen", False) else "from source"
    bits = struct.calcsize("P") * 8
    return [
        Finding("version", f"{VERSION}, {kind}"),
        Finding("Python", f"{platform.python_version()}, {bits} bit, {sys.executable}"),
        Finding("system", f"{platform.platform()}, {platform.machine()}"),
        Finding("encoding", f"{locale.getpreferredencoding(False)}, files {sys.getfilesystemencoding()}"),
        Finding("SQLite, TLS", f"{sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}"),
        _child_process(),
    ], {}


def _child_process() -> Finding:
    from desktop.sources import remote

    if why := remote.trouble():
        cure = "allow the program to start itself once more (a virus scanner may hinder it); it works without"
        return Finding("child process", why, Level.WARN, cure)
    return Finding("child process", "starts: Yahoo's client does not hold up the window")


def _libraries() -> _Part:
    versions = {name: _version_of(name) for names in _LIBRARIES.values() for name in names}
    missing = [name for name, version in versions.items() if not version]
    findings = [
        Finding(group, ", ".join(f"{name} {versions[name] or 'missing'}" for name in names))
        for group, names in _LIBRARIES.items()
    ]
    if missing:
        findings.append(Finding(", ".join(missing), "missing", Level.FAIL, "install the program anew"))
    if os.environ.get("YF_DISABLE_CURL_CFFI"):
        cure = "remove this variable from the environment: Yahoo refuses the plain client"
        findings.append(Finding("YF_DISABLE_CURL_CFFI", "set", Level.WARN, cure))
    return findings, versions


def _version_of(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
    try:  # a bundle need not hold the metadata
        module = importlib.import_module(_MODULES.get(name, name))
    except ImportError:
        return ""
    return str(getattr(module, "__version__", "unknown version"))


# --- folders and the store --------------------------------------------------------------------------------------


def _folders(folder: Path) -> _Part:
    findings = [_writeable(folder)]
    settings = folder / "settings.toml"
    if settings.is_file():
        findings.append(_settings(folder, settings))
    log = folder / LOG_NAME
    if log.is_file():
        findings.append(Finding("log", f"{log} ({_size(log.stat().st_size)})"))
    return findings, {"data": str(folder), "log": str(log)}


def _writeable(folder: Path) -> Finding:
    cure = "make it writeable, or choose another folder with --data-dir"
    standing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not standing.is_dir():
        return Finding("data", f"{folder}: {standing} is no folder", Level.FAIL, cure)
    try:
        with tempfile.TemporaryFile(dir=standing):
            pass
    except OSError as error:
        return Finding("data", f"{folder} cannot be written ({error.strerror})", Level.FAIL, cure)
    free = shutil.disk_usage(standing).free
    told = (
        f"{folder} ({'can be written' if standing == folder else 'will be made when needed'}, {_size(free)} free)"
    )
    if free < LEAST_FREE_BYTES:
        return Finding("data", told, Level.WARN, "free some space: nothing can be stored on a full disk")
    return Finding("data", told)


def _settings(folder: Path, path: Path) -> Finding:
    from desktop import settings

    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        return Finding("settings", f"{path} cannot be read ({error})", Level.WARN, "defaults are used; delete it")
    _, problems = settings.load(folder)
    if problems:
        return Finding("settings", "; ".join(problems), Level.WARN, "correct or delete these lines")
    return Finding("settings", str(path))


def _store(folder: Path) -> _Part:
    from desktop.market.database import StoreError
    from desktop.market.store import FILE_NAME, SCHEMA_VERSION, Store

    path = folder / FILE_NAME
    if not path.exists():
        return [Finding("store", f"{path} is not there yet", Level.WARN, _FILL)], {"path": str(path)}
    size = sum(one.stat().st_size for one in folder.glob(f"{FILE_NAME}*") if one.suffix != ".bak")
    data: dict[str, object] = {"path": str(path), "bytes": size}
    try:
        with Store(path) as store:
            symbols, panels, published = store.symbols(), store.panels(), _published(store)
    except StoreError as error:
        return [Finding("store", f"{path} ({_size(size)}): {error.cause}", Level.FAIL, error.cure)], data
    data |= {
        "schema": SCHEMA_VERSION,
        "symbols": [
            {
                "symbol": one.symbol,
                "interval": one.interval.value,
                "rows": one.rows,
                "first": one.first.isoformat(),
                "last": one.last.isoformat(),
                "source": one.source,
            }
            for one in symbols
        ],
        "universes": [
            {"name": one.name, "names": one.n_tickers, "first": str(one.first), "last": str(one.last)}
            for one in panels
        ],
    }
    rows = sum(one.rows for one in symbols)
    findings = [Finding("store", f"{path} ({_size(size)}, schema {SCHEMA_VERSION}, {rows:,} bars)")]
    findings += _history(symbols)
    findings += [
        Finding(f"universe {one.name}", f"{one.n_tickers} names, {one.first} to {one.last}") for one in panels
    ]
    return [*findings, *published], data


_FILL = "it fills with `refresh`, with `import FILE`, or when the window is open"


def _history(symbols: Sequence[SymbolInfo]) -> list[Finding]:
    """One line for each instrument the product knows, one for all other names together."""
    from desktop.market.instruments import INSTRUMENTS

    def known(one: SymbolInfo) -> bool:
        return one.symbol.removesuffix(":adj") in INSTRUMENTS

    findings = [
        Finding(f"{one.symbol} {one.interval.value}", f"{one.rows:,} rows, {_reach(one)}, {one.source}")
        for one in symbols
        if known(one)
    ]
    if others := [one for one in symbols if not known(one)]:
        first, last = min(one.first for one in others), max(one.last for one in others)
        total = sum(one.rows for one in others)
        findings.append(
            Finding(f"{len(others)} more series", f"{total:,} rows, {first:%Y-%m-%d} to {last:%Y-%m-%d}")
        )
    if missing := [leg for leg in ("^RUT", "^NDX") if not any(f.what == f"{leg} 1d" for f in findings)]:
        findings.append(Finding("history", f"none of {' and '.join(missing)}", Level.WARN, _FILL))
    return findings


def _published(store: Store) -> list[Finding]:
    """When each official publisher was last asked with success; they are not probed, their files are large."""
    from desktop import desk

    findings = []
    for publisher in desk.official(store, SystemClock()):
        held = [store.publication(publisher.name, dataset.name) for dataset in publisher.datasets]
        checked = [one.checked_at for one in held if one is not None]
        count = f"{len(checked)} of {len(held)} datasets"
        told = f"{count}, last checked {max(checked):%Y-%m-%d %H:%M} UTC" if checked else "never fetched"
        findings.append(Finding(publisher.name, told))
    return findings


def _reach(one: SymbolInfo) -> str:
    form = "%Y-%m-%d" if one.interval.value == "1d" else "%Y-%m-%d %H:%M"
    return f"{one.first:{form}} to {one.last:{form}}"


# --- the network ------------------------------------------------------------------------------------------------


def _network() -> _Part:
    proxies = {name: value for name in (*_PROXIES, *_NO_PROXIES) if (value := os.environ.get(name))}
    findings = [Finding(name, value) for name, value in proxies.items()]
    if not any(name in proxies for name in _PROXIES):
        by_system = urllib.request.getproxies()
        by_system.pop("no", None)
        if by_system:
            told = ", ".join(f"{scheme} {url}" for scheme, url in by_system.items())
            cure = "it is not used by itself: set HTTPS_PROXY to it if the network demands one"
            findings.append(Finding("proxy", f"the system's settings name {told}", Level.WARN, cure))
        else:
            findings.append(Finding("proxy", "none"))
    findings += _certificates()
    return findings, {"proxies": proxies}


def _certificates() -> list[Finding]:
    named = [(name, value) for name in _BUNDLES if (value := os.environ.get(name))]
    if named:
        (used, path), *others = named
        findings = [_bundle(f"certificates ({used})", Path(path), f"correct or remove {used} in the environment")]
        ignored = [f"{name} = {value}" for name, value in others if value != path]
        if ignored:
            findings.append(Finding("not used", ", ".join(ignored)))
        return findings
    import certifi

    return [_bundle("certificates (shipped)", Path(certifi.where()), "install the program anew")]


def _bundle(what: str, path: Path, cure: str) -> Finding:
    try:
        with path.open("rb") as file:
            certificates = file.read().count(b"-----BEGIN CERTIFICATE-----")
    except OSError as error:
        return Finding(what, f"{path} cannot be read ({error.strerror})", Level.FAIL, cure)
    told = f"{path}, {certificates} certificates"
    if not certificates:
        return Finding(what, told, Level.FAIL, cure)
    if not str(path).isascii():
        level = Level.FAIL if sys.platform == "win32" else Level.WARN
        move = "copy the file to a path of plain ASCII letters and set REQUESTS_CA_BUNDLE to it"
        return Finding(what, f"{told}; its path is not plain ASCII", level, move)
    return Finding(what, told)


# --- the sources and the clock ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Heard:
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


def _sources(patient: Patient, heard: _Heard) -> _Part:
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
    answer = _within(
        patient.probe_s,
        lambda: vendors.ask(vendors.ALPACA, values, clock=patient.clock, session_factory=patient.vendor_session),
    )
    if isinstance(answer, str):
        return Finding("alpaca", f"works: {answer}"), {"works": answer}
    if answer is None or isinstance(answer, Exception):
        why = f"{type(answer).__name__}: {answer}" if answer else f"no answer within {patient.probe_s:g} s"
        return Finding("alpaca", why, Level.WARN, _NETWORK), {"failure": why}
    cure = ENTER_KEY if answer.kind is FailureKind.AUTH else answer.cure
    told: dict[str, object] = {"failure": answer.kind.value, "message": answer.message, "cure": cure}
    return Finding("alpaca", f"{KIND_WORDS[answer.kind]}: {answer.message}", Level.WARN, cure), told


def _yahoo(patient: Patient, heard: _Heard) -> _Part:
    from desktop.sources import yahoo
    from desktop.sources.contract import Failure

    make = heard.listening(patient.session_factory or yahoo._browser_session, patient.clock)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        # A folder of its own: nothing is left behind, and a read-only data folder does not matter.
        source = yahoo.Yahoo(Path(cache), patient.clock, session_factory=make, call_limit_s=patient.probe_s * 0.8)
        since_s = time.monotonic()
        answer = _within(patient.probe_s, lambda: source.quotes(PROBED))
        took_s = time.monotonic() - since_s
        source.close()
    if answer is None:
        late = Finding(source.name, f"no answer within {patient.probe_s:g} s", Level.FAIL, _NETWORK)
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


_NETWORK = "check network, proxy and certificate settings"
_CURL = ". See https://curl.se/"
"""From here on a message of the client is its manual's address."""


def _publishers(patient: Patient) -> _Part:
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
    outcome = _within(limit_s, ask)
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
            cure = "install the program anew" if outcome else _NETWORK
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


def _clock(clock: Clock, heard: _Heard) -> _Part:
    now = clock.now()
    findings = [Finding("UTC", f"{now:%Y-%m-%d %H:%M:%S}")]
    try:
        new_york = ZoneInfo("America/New_York")
        july = datetime(2024, 7, 11, 12, 30, tzinfo=UTC).astimezone(new_york).utcoffset()
    except (LookupError, OSError, ValueError) as error:
        why = f"time zone data is missing ({type(error).__name__}: {error})"
        findings.append(Finding("New York", why, Level.FAIL, "install the program anew (package tzdata)"))
    else:
        local = now.astimezone(new_york)
        right = july == timedelta(hours=-4)
        findings.append(
            Finding("New York", f"{local:%Y-%m-%d %H:%M:%S %Z}")
            if right
            else Finding("New York", f"offset in July is {july}", Level.FAIL, "install the program anew")
        )
    findings.append(Finding("this computer", f"{now.astimezone():%Y-%m-%d %H:%M:%S %Z}"))
    if heard.ahead_s is None:
        findings.append(Finding("against a server", "not compared: no server was reached"))
    else:
        told = f"{abs(heard.ahead_s):.0f} s {'ahead of' if heard.ahead_s > 0 else 'behind'} {heard.host}"
        off = abs(heard.ahead_s) > CLOCK_TOLERANCE_S
        cure = "let the system set its clock by itself: ages of prices are wrong by as much" if off else ""
        findings.append(Finding("against a server", told, Level.WARN if off else Level.OK, cure))
    return findings, {"ahead_s": None if heard.ahead_s is None else round(heard.ahead_s, 1)}


# --- keyring and display ----------------------------------------------------------------------------------------


def _keyring(limit_s: float) -> _Part:
    def look() -> tuple[str, bool]:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring

        found = keyring.get_keyring()
        return f"{found.name} ({type(found).__module__})", not isinstance(found, NoKeyring)

    answer = _within(limit_s, look)
    cure = "keys of vendors are kept for one run only; no key is needed for Yahoo"
    if answer is None:
        return [Finding("back end", f"no answer within {limit_s:g} s", Level.WARN, cure)], {}
    if isinstance(answer, Exception):
        return [Finding("back end", f"{type(answer).__name__}: {answer}", Level.WARN, cure)], {}
    name, works = answer
    if not works:
        return [Finding("back end", "none on this system", Level.WARN, cure)], {"backend": name}
    from desktop.credentials import Credentials

    held = Credentials(limit_s).describe()
    keys = Finding("keys", ", ".join(held.present) or "none")
    if held.why:
        keys = Finding("keys", held.why, Level.WARN, cure)
    return [Finding("back end", name), keys], {"backend": name, "keys": list(held.present)}


def _display() -> _Part:
    from desktop.display import NoDisplayError, require_display

    named = {name: value for name in _DISPLAY if (value := os.environ.get(name))}
    findings = [Finding(name, value) for name, value in named.items()]
    try:
        from PySide6 import QtCore, QtWidgets
    except ImportError as error:
        cure = "install the system libraries of Qt: start by ./run, which does, or see README"
        return [*findings, Finding("Qt", f"cannot be loaded: {error}", Level.FAIL, cure)], named
    del QtWidgets
    findings.insert(0, Finding("Qt", QtCore.qVersion()))
    try:
        require_display()
    except NoDisplayError as error:
        cause, _, cure = str(error).partition(". ")
        # Nobody expects a window where no display is set, as on a server; one that is set should work.
        level = Level.FAIL if "DISPLAY" in named or "WAYLAND_DISPLAY" in named else Level.WARN
        findings.append(Finding("window", cause, level, cure))
    else:
        findings.append(Finding("window", "can open"))
    return findings, named


# --- the log ----------------------------------------------------------------------------------------------------


def _last_troubles(folder: Path) -> tuple[str, ...]:
    """Last lines at WARNING or above, oldest first; of a traceback its last line too."""
    lines: list[str] = []
    for name in (f"{LOG_NAME}.1", LOG_NAME):
        try:
            with (folder / name).open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES, 0))
                lines += file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            continue
    entries: list[list[str]] = []
    telling = False
    for line in lines:
        if start := _LOG_ENTRY.match(line):
            telling = start["level"] in _WORTH_TELLING
            if telling:
                entries.append([line])
        elif telling and line.strip():
            entries[-1][1:] = [line.strip()]
    return tuple(" | ".join(entry) for entry in entries[-LOG_LINES:])


# --- telling ----------------------------------------------------------------------------------------------------


def as_text(found: Diagnosis) -> str:
    """Lay it out for a person: sections, aligned, a mark before what matters, then what to do."""
    lines = [f"Rotation Monitor {VERSION}, {found.made:%Y-%m-%d %H:%M:%S} UTC"]
    wide = max((len(one.what) for part in found.sections for one in part.findings), default=0)
    wide = min(wide, 34)
    for part in found.sections:
        lines += ["", part.name]
        lines += [f"{_MARKS[one.level]} {one.what:<{wide}}  {one.found}" for one in part.findings]
    lines += ["", f"log, last {LOG_LINES} at WARNING or above"]
    lines += [f"  {line}" for line in found.log] or ["  none"]
    problems = found.problems()
    lines += ["", "usable" if found.usable else "NOT USABLE"]
    lines += [f"{_MARKS[one.level]} {section}, {one.what}: {one.cure}" for section, one in problems]
    return "\n".join(lines)


def as_dict(found: Diagnosis) -> dict[str, Any]:
    """Return it as JSON takes it."""
    return {
        "version": VERSION,
        "made": found.made.isoformat(),
        "usable": found.usable,
        "problems": [
            {"section": section, "what": one.what, "level": one.level, "found": one.found, "cure": one.cure}
            for section, one in found.problems()
        ],
        "sections": {
            part.name: {"findings": {one.what: one.found for one in part.findings}, **part.data}
            for part in found.sections
        },
        "log": list(found.log),
    }


def _clean(value: object, secrets: Iterable[str]) -> object:
    """Redact every text within: before JSON spells it in its own way."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {redact(str(name), secrets): _clean(one, secrets) for name, one in value.items()}
    return [_clean(one, secrets) for one in value] if isinstance(value, list | tuple) else value


def _within(limit_s: float, work: Callable[[], _T]) -> _T | Exception | None:
    """Return what `work` returns or raises, None where it needs longer; then its thread is left behind."""
    outcome: list[_T | Exception] = []

    def caught() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001  (handed over to the caller)
            outcome.append(error)

    thread = threading.Thread(target=caught, name="doctor", daemon=True)
    thread.start()
    thread.join(limit_s)
    return outcome[0] if outcome else None


def _size(count: int) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
