"""One object of the report's JSON: names with their unit, null where a number is not known, and why beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeAlias

from desktop.market.known import Unknown

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Section: TypeAlias = dict[str, Json]
Figure: TypeAlias = "Json | date | Unknown"


def section(figures: Mapping[str, Figure], /, **notes: str) -> Section:
    """Figures as JSON, with a note beside each unknown one: its reason, or the words of `notes` ("" says nothing).

    `notes` also adds words to known figures. A moment becomes UTC.
    """
    found: Section = {}
    for name, figure in figures.items():
        note = notes.get(name, "")
        if isinstance(figure, Unknown):
            found[name], note = None, note or figure.reason
        elif isinstance(figure, datetime):
            found[name] = utc(figure)
        else:
            found[name] = figure.isoformat() if isinstance(figure, date) else figure
        if note:
            found[f"{name}_note"] = note
    return found


def utc(at: datetime) -> str:
    """2024-07-11T20:00:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
