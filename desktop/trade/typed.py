"""What a person types for a number: $2,000,000, 2m, 500k, 1.0 %. Errors come in words."""

from __future__ import annotations

import re
from math import isfinite

from desktop.market.known import UserError

_SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
_SHAPE = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<dollar>\$?)\s*(?P<digits>[\d., ]*\d[\d., ]*?|\.\d+)(?P<power>e[+-]?\d{1,3})?"
    r"\s*(?P<scale>[a-z]*)\s*(?P<percent>%?)"
)
_GROUPED = re.compile(r"\d{1,3}(?P<mark>[, ])\d{3}(?:(?P=mark)\d{3})*(?:\.\d*)?")
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_LIKE = "write it like 2000000, 2,000,000, 2m or 1.5"


class FieldError(UserError):
    """A typed value that cannot be used; carries field, what was typed, and why with the cure."""

    def __init__(self, field: str, text: str, why: str) -> None:
        super().__init__(f"{field} {text!r}: {why}" if field else f"{text!r}: {why}")
        self.field, self.text, self.why = field, text, why


def parse_number(text: str, field: str = "") -> float:
    """Return the number a person typed.

    Accepts a dollar sign, thousands in groups of three (comma or blank), the suffixes k, m (mm, mn) and
    b (bn), and a percent sign, which divides by 100: "1.0 %" is 0.01.

    Raises
    ------
    FieldError
        For anything else, in words. A comma that does not group thousands is refused, never guessed.
    """
    return _parse(text, field)[0]


def parse_percent(text: str, field: str = "") -> float:
    """Return the share that a percentage field means: "1", "1.0" and "1.0 %" are all 0.01."""
    value, percent = _parse(text, field)
    return value if percent else value / 100


def parse_share(text: str, field: str = "") -> float:
    """Return a share typed either way: ".22", "22" and "22 %" are all 0.22; "1" is 1, the whole."""
    value, percent = _parse(text, field)
    return value / 100 if abs(value) > 1 and not percent else value


def _parse(text: str, field: str) -> tuple[float, bool]:
    tidy = text.strip().lower().replace("−", "-").replace("\u00a0", " ").replace("\u202f", " ")
    if not tidy:
        raise FieldError(field, text, f"nothing is typed: {_LIKE}")
    found = _SHAPE.fullmatch(tidy)
    if found is None:
        raise FieldError(field, text, f"is not a number: {_LIKE}")
    scale, digits = found["scale"], found["digits"].strip()
    if scale not in _SCALES:
        raise FieldError(
            field, text, f"ends in {scale!r}, which is no unit here: k, m or b stand for 1e3, 1e6, 1e9"
        )
    if found["percent"] and (found["dollar"] or scale):
        raise FieldError(field, text, "is dollars and percent at once: keep one of both")
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "").replace(" ", "")
    elif not _PLAIN.fullmatch(digits):
        raise FieldError(
            field, text, "the commas do not group thousands: write 1.5 for one and a half, 1,500 or 1500"
        )
    value = float(f"{found['sign']}{digits}{found['power'] or ''}") * _SCALES[scale]
    if not isfinite(value):
        raise FieldError(field, text, "is too large to be a number of this trade")
    return (value / 100, True) if found["percent"] else (value, False)
