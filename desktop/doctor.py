"""`rotation-monitor doctor`: what a colleague sends when it does not work, and what to do about it.

Looks at everything and changes nothing: the data folder is not made, no file in it made or migrated. Every part is
looked at on its own, so that a damaged store or a missing library still leaves the rest of the answer.
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
import tomllib
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from desktop import doctor_files, doctor_sources
from desktop.doctor_files import size
from desktop.doctor_sources import KEYRING_S, Heard, Patient
from desktop.findings import Diagnosis, Finding, Level, Part, Section, within
from desktop.market.clock import Clock
from desktop.redact import redact, secrets_of
from desktop.version import VERSION

if TYPE_CHECKING:
    pass

__all__ = ["KEYRING_S", "Diagnosis", "Finding", "Level", "Patient", "examine", "run"]

LOG_NAME = "rotation-monitor.log"
LOG_LINES = 20
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
_MARKS = {Level.OK: " ", Level.WARN: "!", Level.FAIL: "X"}


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
    heard = Heard()
    looked = [
        _part("program", _program),
        _part("libraries", _libraries),
        _part("folders", lambda: _folders(patient.folder)),
        _part("store", lambda: doctor_files.store(patient.folder)),
        _part("book", lambda: doctor_files.book(patient.folder)),
        _part("network", _network),
    ]
    if not patient.offline:
        within(patient.keyring_s, patient.keys.load)
    sources = _part("sources", lambda: doctor_sources.sources(patient, heard))
    looked += [
        _part("clock", lambda: _clock(patient.clock, heard)),
        _part("keyring", lambda: _keyring(patient.keyring_s)),
        _part("display", _display),
        sources,
        _part("publishers", lambda: doctor_sources.publishers(patient)),
    ]
    return Diagnosis(patient.clock.now(), tuple(looked), _last_troubles(patient.folder))


def _part(name: str, look: Callable[[], Part]) -> Section:
    try:
        findings, data = look()
    except Exception as error:  # noqa: BLE001  (whatever a broken installation raises is the finding)
        why = f"cannot be examined: {type(error).__name__}: {error}"
        return Section(name, (Finding(name, why, Level.FAIL, "install the program anew"),))
    return Section(name, tuple(findings), data)


# --- the program and what it stands on --------------------------------------------------------------------------


def _program() -> Part:
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


def _libraries() -> Part:
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


# --- folders ----------------------------------------------------------------------------------------------------


def _folders(folder: Path) -> Part:
    findings = [_writeable(folder)]
    settings = folder / "settings.toml"
    if settings.is_file():
        findings.append(_settings(folder, settings))
    log = folder / LOG_NAME
    if log.is_file():
        findings.append(Finding("log", f"{log} ({size(log.stat().st_size)})"))
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
        f"{folder} ({'can be written' if standing == folder else 'will be made when needed'}, {size(free)} free)"
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


# --- the network ------------------------------------------------------------------------------------------------


def _network() -> Part:
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


def _clock(clock: Clock, heard: Heard) -> Part:
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


def _keyring(limit_s: float) -> Part:
    def look() -> tuple[str, bool]:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring

        found = keyring.get_keyring()
        return f"{found.name} ({type(found).__module__})", not isinstance(found, NoKeyring)

    answer = within(limit_s, look)
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


def _display() -> Part:
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
