"""Bureau of Labor Statistics: when CPI, Employment Situation and PPI are released, as an iCalendar file.

Times are those of New York, under the name US-Eastern. What the Bureau moves or cancels is no longer in the file
at its old date, or marked as cancelled there; a shutdown of the government moved and cancelled dozens in 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from desktop.market.clock import Clock
from desktop.market.releases import Entry, ReleaseKind
from desktop.market.sessions import new_york
from desktop.sources.calendars import believed, called_off
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.result import Request
from desktop.sources.http import Answer, Http
from desktop.sources.official import DAY_S, Official, refuse

if TYPE_CHECKING:
    from icalendar import Component

# --- the Bureau's address and words: all that has to change when it changes --------------------------------------
NAME = "bls"
URL = "https://www.bls.gov/schedule/news_release/bls.ics"
TITLES: Mapping[str, ReleaseKind] = {
    "consumer price index": ReleaseKind.CPI,
    "employment situation": ReleaseKind.NFP,
    "producer price index": ReleaseKind.PPI,
}
"""Other releases begin like these: "Employment Situation of Veterans" is a yearly report of its own."""
EASTERN = frozenset({"us-eastern", "us/eastern", "america/new_york", "eastern standard time", "est5edt"})
"""Names of the time zone, in lower case; the file defines its own, which is not asked."""
CANCELLED = "CANCELLED"

# --- what is believed -------------------------------------------------------------------------------------------
_TITLE = re.compile(
    rf"(?P<name>{'|'.join(TITLES)})(?:e?s)?"
    r"(?:\s*\((?:cpi|ppi|nfp)\))?"
    r"(?:\s*(?:,|\bfor\b|-|–|:)?\s*[a-z]+\.? \d{4})?"  # the month it is about
    r"(?:[\s,:–-]*\(?(?:rescheduled|re-scheduled|moved|revised date|new date|cancel+ed|postponed|withdrawn)\b.*)?",
    re.IGNORECASE,
)
_FEWEST = 3
"""Dates of all kinds together; the Bureau publishes a year at a time."""
_LONGEST = 80

CALENDAR = Dataset("calendar", DAY_S / 2)


class Bls(Official):
    """The publisher named "bls".

    Parameters
    ----------
    clock
        Tells which dates are within two years.
    http
        Asks; made here unless given.
    """

    name = NAME
    datasets: tuple[Dataset, ...] = (CALENDAR,)

    def __init__(self, clock: Clock, *, http: Http | None = None) -> None:
        super().__init__(clock, http)

    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        answer = self._http.get(URL, dataset.name, stamp=stamp)
        if not isinstance(answer, Answer):
            return answer
        found = [_entry(request, event, kind) for event, kind in _wanted(_events(request, answer.text))]
        return Published(
            known_at=request.now,
            stamp=answer.stamp,
            releases=believed(request, found, tuple(TITLES.values()), _FEWEST),
        )


def _events(request: Request, text: str) -> list[Component]:
    """Every event of the file, as its last version has it."""
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # the library stumbles in many ways
        raise refuse(request, f"it is no iCalendar file, or cut short ({str(error)[:_LONGEST]})") from error
    events = calendar.walk("VEVENT")
    if not events:
        raise refuse(request, "it is a calendar without events")
    newest: dict[str, Component] = {}
    for place, event in enumerate(events):
        uid = str(event.get("UID") or place)
        if uid not in newest or _version(event) >= _version(newest[uid]):
            newest[uid] = event
    return list(newest.values())


def _version(event: Component) -> int:
    text = str(event.get("SEQUENCE", 0))
    return int(text) if text.isdecimal() else 0


def _wanted(events: Iterable[Component]) -> Iterable[tuple[Component, ReleaseKind]]:
    """Events that will take place, of the kinds that are wanted."""
    for event in events:
        title = " ".join(str(event.get("SUMMARY", "")).split())
        match = _TITLE.fullmatch(title)
        cancelled = str(event.get("STATUS", "")).upper() == CANCELLED or called_off(title)
        if match is not None and not cancelled:
            yield event, TITLES[match["name"].lower()]


def _entry(request: Request, event: Component, kind: ReleaseKind) -> Entry:
    start: Any = event.get("DTSTART")
    errors = [cause for name, cause in event.errors if name == "DTSTART"]
    if start is None or isinstance(start, list) or errors:
        cause = errors[0][:_LONGEST] if errors else "none, or several"
        raise refuse(request, f"an event {kind.value.upper()} has no usable start ({cause})")
    if "RRULE" in event or "RDATE" in event:
        raise refuse(
            request, f"an event {kind.value.upper()} repeats: each release used to be an event of its own"
        )
    at = start.dt
    if not isinstance(at, datetime):
        raise refuse(request, f"{kind.value.upper()} on {at} has no time of day")
    zone = str(start.params.get("TZID", ""))
    if zone.lower() in EASTERN or (not zone and at.tzinfo is None):
        return at.replace(tzinfo=new_york).astimezone(UTC), kind
    if at.tzinfo is None:
        raise refuse(request, f"{kind.value.upper()} on {at:%Y-%m-%d} is in the time zone {zone[:_LONGEST]!r}")
    return at.astimezone(UTC), kind
