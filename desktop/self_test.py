"""`--self-test`: does this installation have all it needs? Opens the demo offscreen and paints every panel."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from zoneinfo import ZoneInfo

import resources
from desktop.licences import licences
from desktop.version import FROZEN, VERSION

_GLYPHS = "0123456789.,+−%$σβρ×·RUTNDX"
_FRAMES, _WAIT_S = 3, 60.0
_SHIPPED = ("icon.svg", "demo-levels.csv", "levels.csv", "sessions.csv", "font/OFL.txt")
_KEYRINGS = {
    "linux": ("SecretService", "libsecret", "kwallet"),
    "darwin": ("macOS",),
    "win32": ("Windows",),
}
"""Back ends of keyring that must be loadable, whichever of them is then in use."""
_FEWEST_COLOURS = 12
"""A panel that drew its chart, text and frame has far more; a blank one has one or two."""


class SelfTestError(Exception):
    """A check did not hold; the message says what was found."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check: its name, whether it held, and what was found."""

    check: str
    ok: bool
    found: str


def run(*, json_to: str | None = None, with_keyring: bool = False) -> int:
    """Run every check and tell the outcome; 0 when all held, 1 otherwise.

    `json_to` names a file for the outcome as JSON, "-" standard output; `with_keyring` also keeps and deletes a
    trial key, which may ask the user to unlock the keyring.
    """
    checks = {**CHECKS, "keyring round trip": _keyring_round_trip} if with_keyring else CHECKS
    outcomes = [_outcome(name, check) for name, check in checks.items()]
    passed = all(one.ok for one in outcomes)
    told = {"version": VERSION, "frozen": FROZEN, "passed": passed, "checks": [asdict(one) for one in outcomes]}
    if json_to == "-":
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return 0 if passed else 1
    if json_to is not None:
        Path(json_to).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    for one in outcomes:
        sys.stdout.write(f"{'ok  ' if one.ok else 'FAIL'} {one.check}: {one.found}\n")
    sys.stdout.write(f"{VERSION}: {'all checks passed' if passed else 'NOT READY TO USE'}\n")
    return 0 if passed else 1


def _outcome(name: str, check: Callable[[], str]) -> Outcome:
    try:
        return Outcome(name, True, check())
    except Exception as error:  # noqa: BLE001  (whatever a broken installation raises is the finding)
        return Outcome(name, False, f"{type(error).__name__}: {error}")


def _require(holds: object, found: str) -> None:
    if not holds:
        raise SelfTestError(found)


def _resources() -> str:
    from desktop.market import releases
    from desktop.market.universe import universe

    absent = [one for one in _SHIPPED if not resources.path(one).stat().st_size]
    _require(not absent, f"empty: {', '.join(absent)}")
    texts = f", {len(licences())} licences" if FROZEN else ""
    return f"{len(universe().names)} names, {len(releases.schedule())} releases{texts}"


def _time_zones() -> str:
    local = datetime(2024, 7, 11, 12, 30, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
    _require(local.utcoffset() == timedelta(hours=-4), f"New York is at {local.utcoffset()} in July")
    return "New York known, clock changes included"


def _calendar() -> str:
    from desktop.market.sessions import NYSE

    _require(NYSE.session(date(2024, 7, 4)) is None, "4 July 2024 counts as a session")
    session = NYSE.session(date(2024, 7, 3))
    _require(session is not None and session.early_close, "3 July 2024 is no half day")
    return "sessions, holidays and half days known"


def _store() -> str:
    from desktop.market.store import SCHEMA_VERSION, Store

    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "store.sqlite")):
        return f"SQLite writes, schema {SCHEMA_VERSION}"


def _statistics() -> str:
    import numpy as np

    from desktop.analytics import ratio
    from desktop.market.known import Unknown

    walk = np.cumsum(np.random.default_rng(1).normal(0, 0.01, 600))
    found = ratio.adf(walk)
    if isinstance(found, Unknown):
        raise SelfTestError(found.reason)
    return f"ADF of a random walk: p {found.p:.2f}"


def _processes() -> str:
    began = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        _require(pool.submit(pow, 2, 10).result(_WAIT_S) == 1024, "another process computed something else")
    return f"another process answers after {time.perf_counter() - began:.1f} s"


def _tls() -> str:
    import certifi

    bundle = Path(certifi.where())
    _require(bundle.stat().st_size > 100_000, f"{bundle} is too small to be a certificate bundle")
    return f"{bundle.stat().st_size // 1000} kB of certificates"


def _yahoo() -> str:
    from importlib.metadata import version

    from yfinance import _http

    _require(_http.HAS_CURL_CFFI, "yfinance does not find curl_cffi")
    return f"yfinance {version('yfinance')} with curl_cffi {version('curl_cffi')}"


def _child_process() -> str:
    from desktop.sources import remote

    trouble = remote.trouble()
    _require(not trouble, trouble)
    return "starts and answers"


def _keyring() -> str:
    import keyring

    names = _KEYRINGS.get(sys.platform, ())
    for name in names:
        importlib.import_module(f"keyring.backends.{name}")
    known = {one.value.rpartition(".")[2] for one in entry_points(group="keyring.backends")}
    _require(known >= set(names), f"keyring is told of {', '.join(sorted(known)) or 'no back end'} alone")
    return f"{', '.join(names)} can be loaded; in use: {keyring.get_keyring().name}"


def _keyring_round_trip() -> str:
    import keyring

    service, name, key = "rotation-monitor self-test", "trial", secrets.token_hex(8)
    keyring.set_password(service, name, key)
    try:
        _require(keyring.get_password(service, name) == key, "what was kept came back different")
    finally:
        keyring.delete_password(service, name)
    _require(keyring.get_password(service, name) is None, "the trial key is still there")
    return f"kept, read and deleted in {keyring.get_keyring().name}"


def _font() -> str:
    from PySide6.QtGui import QRawFont

    from desktop.qt import make_offscreen_qt
    from widgets import theme

    make_offscreen_qt()
    raw = QRawFont.fromFont(theme.font(13))
    _require(raw.familyName() == theme.FAMILY, f"text is drawn with {raw.familyName() or 'no font'}")
    missing = [one for one in _GLYPHS if not raw.supportsCharacter(ord(one))]
    _require(not missing, f"glyphs missing: {''.join(missing)}")
    return f"{raw.familyName()} with every glyph"


def _window() -> str:
    from desktop.app import Application
    from desktop.qt import make_offscreen_qt

    app = make_offscreen_qt()
    with tempfile.TemporaryDirectory() as folder:
        application = Application(Path(folder), offline=True)
        shown: list[object] = []
        application.shown.connect(shown.append)
        try:
            application.open(demo=True)
            deadline = time.monotonic() + _WAIT_S
            while len(shown) < _FRAMES and time.monotonic() < deadline:
                app.processEvents()
                time.sleep(0.01)
            _require(len(shown) >= _FRAMES, f"{len(shown)} frames in {_WAIT_S:.0f} s")
            colours = {name: _colours(panel) for name, panel in application.window.panels.items()}
            blank = [name for name, count in colours.items() if count < _FEWEST_COLOURS]
            _require(not blank, f"blank: {', '.join(blank)}")
            picture = Path(folder, "window.png")
            _require(application.window.grab().save(str(picture), "PNG"), "PNG cannot be written")
            size = picture.stat().st_size
            return f"{len(colours)} panels painted, picture of {size // 1000} kB"
        finally:
            application.window.close()
            application.close()


def _colours(panel: object) -> int:
    from PySide6.QtWidgets import QWidget

    assert isinstance(panel, QWidget)
    image = panel.grab().toImage()
    across, down = max(image.width() // 200, 1), max(image.height() // 200, 1)
    return len(
        {image.pixel(x, y) for x in range(0, image.width(), across) for y in range(0, image.height(), down)}
    )


CHECKS: dict[str, Callable[[], str]] = {
    "resources": _resources,
    "time zones": _time_zones,
    "calendar": _calendar,
    "store": _store,
    "statistics": _statistics,
    "processes": _processes,
    "TLS certificates": _tls,
    "Yahoo client": _yahoo,
    "child process": _child_process,
    "keyring": _keyring,
    "font": _font,
    "window": _window,
}
