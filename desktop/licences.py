"""What the program is made of: versions, and the licence of each part.

The installed bundle carries a list that was collected when it was built, with the text of every licence. From the
source, the packages that are installed tell for themselves.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import resources
from desktop.market.store import SCHEMA_VERSION
from desktop.version import FROZEN, VERSION

_COLLECTED = "licences.json"
_NAMED = (
    ("Qt for Python", "PySide6-Essentials"),
    ("pyqtgraph", "pyqtgraph"),
    ("numpy", "numpy"),
    ("pandas", "pandas"),
    ("scipy", "scipy"),
    ("statsmodels", "statsmodels"),
    ("yfinance", "yfinance"),
    ("curl_cffi", "curl_cffi"),
    ("keyring", "keyring"),
    ("exchange_calendars", "exchange_calendars"),
)
_NONE = "its package carries no text; the licence is the one named above"


@dataclass(frozen=True, slots=True)
class Licence:
    """One part of the program, and what may be done with it."""

    name: str
    version: str
    licence: str
    url: str
    text: str


def licences() -> tuple[Licence, ...]:
    """Every part by name; the program itself comes first."""
    own = Licence("Rotation Monitor", VERSION, "MIT", "", _own_text())
    try:
        told = json.loads(resources.path(_COLLECTED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = None
    found = _installed() if told is None else [Licence(**one) for one in told]
    return (own, *sorted(found, key=lambda one: one.name.casefold()))


def versions() -> tuple[tuple[str, str], ...]:
    """What somebody who helps wants to know first, as (name, version)."""
    kind = "installed bundle" if FROZEN else "from the source"
    rows = [
        ("Rotation Monitor", f"{VERSION} ({kind})"),
        ("Python", platform.python_version()),
        ("SQLite", f"{sqlite3.sqlite_version}, store schema {SCHEMA_VERSION}"),
    ]
    for title, package in _NAMED:
        rows.append((title, _version(package)))
    rows.append(("System", f"{platform.system()} {platform.release()}, {platform.machine()}"))
    return tuple(rows)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "n/a"


def _own_text() -> str:
    for folder in (Path(getattr(sys, "_MEIPASS", ".")), Path(__file__).parents[1]):
        text = folder / "LICENSE"
        if text.is_file():
            return text.read_text(encoding="utf-8")
    return _NONE


def _installed() -> list[Licence]:
    found = {}
    for one in importlib.metadata.distributions():
        told = one.metadata.json
        words = str(told.get("license_expression") or told.get("license") or "see its text").splitlines()
        name = str(told["name"])
        found[name] = Licence(name, one.version, words[0][:60], str(told.get("home_page") or ""), _text_of(one))
    font = resources.path("font/OFL.txt").read_text(encoding="utf-8")
    return [*found.values(), Licence("Inter", "", "OFL-1.1", "https://rsms.me/inter", font)]


def _text_of(package: importlib.metadata.Distribution) -> str:
    for file in package.files or ():
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")) and not file.name.endswith(".py"):
            path = Path(str(file.locate()))
            if path.is_file():
                return path.read_text(encoding="utf-8", errors="replace")
    return _NONE
