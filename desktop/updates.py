"""Is there a newer version? Asked of one address in the settings, at most once a day; nothing is downloaded.

The address ("" = off, the default) answers with JSON: {"version": "1.2.0", "page": "https://..."}; the page is
where a person gets it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.market.clock import Clock
from desktop.sources.contract import Failure
from desktop.version import VERSION

if TYPE_CHECKING:
    from curl_cffi.requests import Session

FILE_NAME = "updates.json"
EVERY = timedelta(days=1)
_TIME_LIMIT_S = 10.0
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Newer:
    """A version newer than this one, and the page it is to be had from ("" when none was named)."""

    version: str
    page: str

    @property
    def line(self) -> str:
        """One line for the status bar."""
        where = f": {self.page}" if self.page else ""
        return f"Rotation Monitor {self.version} is out (this is {VERSION}){where}"


class BadAnswerError(ValueError):
    """The address answered with something else than it should; says with what."""


def check(
    folder: Path, address: str, clock: Clock, session_factory: Callable[[], Session[Any]] | None = None
) -> Newer | None:
    """Ask `address`, unless that was done less than a day ago; None when there is nothing to tell. Blocks."""
    now = clock.now()
    kept = _kept(folder)
    if not address or (kept.get("address") == address and _is_recent(kept.get("asked_at"), now)):
        return None
    from desktop.sources.http import Http

    _keep(folder, {"address": address, "asked_at": now.isoformat(timespec="seconds")})
    http = Http("updates", clock, session_factory=session_factory, time_limit_s=_TIME_LIMIT_S)
    try:
        answer = http.get(address, "newest version")
    finally:
        http.close()
    if isinstance(answer, Failure):
        log.warning("updates: %s", answer.message)
        return None
    try:
        found = read(getattr(answer, "text", ""))
    except BadAnswerError as error:
        log.warning("updates: %s: %s", address, error)
        return None
    _keep(folder, {**_kept(folder), "version": found.version, "page": found.page})
    return found if is_newer(found.version) else None


def known(folder: Path | None) -> Newer | None:
    """The newer version that was found last, without asking."""
    kept = {} if folder is None else _kept(folder)
    version = str(kept.get("version", ""))
    if not _VERSION.fullmatch(version) or not is_newer(version):
        return None
    return Newer(version, str(kept.get("page", "")))


def read(text: str) -> Newer:
    """Read what the address answered; raises BadAnswerError."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise BadAnswerError(f"no JSON: {error}") from error
    version = told.get("version") if isinstance(told, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise BadAnswerError(f"no version such as 1.2.0 in it: {version!r}")
    page = told.get("page", "")
    if not isinstance(page, str) or (page and not page.startswith("https://")):
        raise BadAnswerError(f"its page is no https address: {page!r}")
    return Newer(version, page)


def is_newer(version: str, than: str = VERSION) -> bool:
    """Whether `version` comes after `than`: 0.10.0 comes after 0.9.1, and 1.0 is 1.0.0."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


def _is_recent(asked_at: object, now: datetime) -> bool:
    try:
        since = now - datetime.fromisoformat(str(asked_at))
    except (ValueError, TypeError):
        return False
    return timedelta(0) <= since < EVERY  # a time to come was noted by a wrong clock


def _kept(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _keep(folder: Path, told: dict[str, Any]) -> None:
    try:
        (folder / FILE_NAME).write_text(json.dumps(told) + "\n", encoding="utf-8")
    except OSError as error:
        log.warning("updates: %s", error)
