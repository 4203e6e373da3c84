"""A value that is not known says why; it is never 0 and never NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a number would stand; `reason` is shown to the user word for word."""

    reason: str


Maybe: TypeAlias = float | Unknown
"""A number, or the reason why there is none."""


class UserError(Exception):
    """A failure the user can do something about: the message is one line that names cause and cure."""
