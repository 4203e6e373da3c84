"""What calendars of releases share: dates that are looked at before they are believed.

A date that cannot be read is refused with the whole calendar: left out, it would read as a cancelled release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta

from desktop.market.releases import NAMES, Entry, ReleaseKind
from desktop.market.sessions import new_york
from desktop.sources.files.result import Request
from desktop.sources.official import refuse

SPAN = timedelta(days=731)
"""No calendar reaches further ahead; further back is history."""
_EARLIEST, _LATEST = time(7), time(17)
"""In New York: no release comes at another time of day."""
_CALLED_OFF = re.compile(r"\b(cancel+ed|postponed|withdrawn)\b", re.IGNORECASE)


def called_off(text: str) -> bool:
    """Whether a title says that what it names will not take place."""
    return _CALLED_OFF.search(text) is not None


def believed(
    request: Request, found: Iterable[Entry], kinds: Sequence[ReleaseKind], fewest: int
) -> tuple[Entry, ...]:
    """Return the dates within two years, oldest first, each once.

    Refused are calendars that lack one of `kinds`, hold fewer than `fewest` dates, or hold one that cannot be: too
    far ahead, at night, on a weekend to come, or twice on a day.
    """
    entries = sorted({entry for entry in found if entry[0] >= request.now - SPAN})
    seen: set[tuple[date, ReleaseKind]] = set()
    for at, kind in entries:
        local = at.astimezone(new_york)
        what = f"{NAMES[kind]} on {local:%Y-%m-%d}"
        if at > request.now + SPAN:
            raise refuse(request, f"{what} is further ahead than any calendar reaches")
        if not _EARLIEST <= local.time() <= _LATEST:
            raise refuse(request, f"{what} at {local:%H:%M} in New York: no release comes at that time")
        if at > request.now and local.weekday() > 4:
            raise refuse(request, f"{what} falls on a weekend")
        if (local.date(), kind) in seen:
            raise refuse(request, f"{what} has two times")
        seen.add((local.date(), kind))
    absent = next((kind for kind in kinds if all(kind is not one for _, one in entries)), None)
    if absent is not None:
        raise refuse(request, f"it names no {NAMES[absent]} within two years")
    if len(entries) < fewest:
        raise refuse(request, f"it names {len(entries)} dates only, fewer than {fewest}")
    return tuple(entries)
