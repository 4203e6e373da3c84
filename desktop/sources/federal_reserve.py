"""Board of Governors of the Federal Reserve: when the FOMC decides, from the calendar of the Board's site.

It holds everything that the Board publishes, back for years: minutes, press conferences and speeches too. A
decision is a meeting's; a meeting is listed at its last day, at the time of the statement.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from desktop.market.clock import Clock
from desktop.market.releases import Entry, ReleaseKind
from desktop.market.sessions import new_york
from desktop.sources.calendars import believed, called_off
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from desktop.sources.files.result import Request
from desktop.sources.http import Answer, Http
from desktop.sources.official import DAY_S, Official, member, read_json, refuse, table_of_rows

# --- the Board's address and fields: all that has to change when it changes --------------------------------------
NAME = "federal reserve"
URL = "https://www.federalreserve.gov/json/calendar.json"
EVENTS, TITLE, TYPE, MONTH, DAYS, TIME, DESCRIPTION = (
    "events", "title", "type", "month", "days", "time", "description"
)  # fmt: skip
COMMITTEE = "fomc"
"""What the type of an event of the Committee holds, in lower case."""

# --- what is believed -------------------------------------------------------------------------------------------
_MEETING = re.compile(
    r"(?:[\[(]?(?:cancel+ed|postponed|rescheduled)[\])]?[\s:–-]*)?fomc meetings?"
    r"(?:[\s,:–-]*[\[(]?(?:cancel+ed|postponed|rescheduled|unscheduled)\b.*)?",
    re.IGNORECASE,
)
"""A meeting and nothing else: not "FOMC Meeting Minutes"."""
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*([ap])\.?\s*m\.?", re.IGNORECASE)
_USUAL = time(14)
_FEWEST = 4
"""Of eight meetings a year, and two years that are listed."""

CALENDAR = Dataset("calendar", DAY_S / 2)


class FederalReserve(Official):
    """The publisher named "federal reserve".

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
        rows = member(request, read_json(request, answer), EVENTS, list)
        table_of_rows(request, rows, (TITLE, TYPE, MONTH, DAYS, TIME))
        found = {_moment(request, row) for row in rows if _takes_place(row)}
        days = {at.astimezone(new_york).date() for at in found}
        return Published(
            known_at=request.now,
            stamp=answer.stamp,
            releases=believed(request, _decisions(found, days), (ReleaseKind.FOMC,), _FEWEST),
        )


def _decisions(found: set[datetime], days: set[date]) -> list[Entry]:
    """Return the last day of each meeting alone, where each of its days is an event."""
    return [
        (at, ReleaseKind.FOMC) for at in found if at.astimezone(new_york).date() + timedelta(days=1) not in days
    ]


def _takes_place(row: Mapping[str, object]) -> bool:
    title = _text(row, TITLE)
    if COMMITTEE not in _text(row, TYPE).lower() or _MEETING.fullmatch(title) is None:
        return False
    return not called_off(title) and not _begins_called_off(_text(row, DESCRIPTION))


def _begins_called_off(description: str) -> bool:
    """Whether the meeting itself is cancelled, not what follows it."""
    return called_off(" ".join(description.split()[:2]))


def _text(row: Mapping[str, object], name: str) -> str:
    """The words of a field: descriptions are HTML, spelt with entities."""
    value = row.get(name)
    plain = html.unescape("" if value is None else str(value))
    return " ".join(re.sub(r"<[^>]*>", " ", plain).split())


def _moment(request: Request, row: Mapping[str, object]) -> datetime:
    month, days, clock = (_text(row, name) for name in (MONTH, DAYS, TIME))
    read = _MONTH.fullmatch(month)
    numbers = [int(one) for one in re.findall(r"\d+", days)]
    if read is None or not numbers:
        raise refuse(request, f"a meeting of the FOMC has no date (month {month[:20]!r}, days {days[:20]!r})")
    year, number = int(read[1]), int(read[2])
    if numbers[-1] < numbers[0]:  # from the end of one month into the next
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    try:
        day = date(year, number, numbers[-1])
        return datetime.combine(day, _clock(clock), new_york).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        told = f"month {month[:20]!r}, days {days[:20]!r}, time {clock[:20]!r}"
        raise refuse(request, f"a meeting of the FOMC has no date ({told})") from error


def _clock(text: str) -> time:
    """Time of the statement; the usual one where none is given."""
    if not text:
        return _USUAL
    read = _CLOCK.fullmatch(text)
    if read is None:
        raise ValueError(text)
    return time(int(read[1]) % 12 + 12 * (read[3].lower() == "p"), int(read[2] or 0))
