"""Numbers become words: one place for signs, units, dates and "n/a"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from desktop.market.known import Maybe, Unknown
from widgets.states import Text, Tone

NEW_YORK = ZoneInfo("America/New_York")
MINUS = "−"
NOT_KNOWN = "n/a"
_HYPHEN = re.compile(r"(?<![\w.])-(?=[\d.])")
_NAMES = {
    "new york fed": "New York Fed", "fred": "FRED", "fred calendar": "FRED calendar", "cftc": "CFTC", "bls": "BLS",
    "federal reserve": "Federal Reserve",
}  # fmt: skip


def plain(value: float, digits: int, unit: str = "") -> str:
    """1234.5 -> "1,234.5"; a real minus sign; the unit right behind (a leading blank is the caller's)."""
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and any(c in "123456789" for c in text)
    return f"{MINUS if negative else ''}{text}{unit}"


def minus(words: str) -> str:
    """The words with a real minus sign before figures, where they were written with a hyphen."""
    return _HYPHEN.sub(MINUS, words)


def signed(value: float, digits: int, unit: str = "") -> str:
    """Always a sign: +1.2 pp, −0.4 %; a value that rounds to zero reads +0."""
    text = plain(value, digits, unit)
    return text if text.startswith(MINUS) else f"+{text}"


def dollars(value: float, digits: int = 0) -> str:
    """$1,234 and −$1,234."""
    text = plain(value, digits)
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


def signed_dollars(value: float, digits: int = 0) -> str:
    """+$1,234 and −$1,234."""
    text = dollars(value, digits)
    return text if text.startswith(MINUS) else f"+{text}"


def short_dollars(value: float) -> str:
    """+94k, −1.2M: for a cell of the heat map."""
    size = abs(value)
    if size >= 999_500:
        return signed(value / 1e6, 1, "M")
    if size >= 1000 or size == 0:
        return signed(value / 1e3, 0, "k")
    return signed(value, 0)


def shown(value: Maybe, write: Callable[[float], str], tone: Tone = Tone.PLAIN, why: str = "") -> Text:
    """A known value in words; an unknown one as "n/a" with its reason on hover."""
    if isinstance(value, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, value.reason)
    return Text(write(value), tone, why)


def for_or_against(value: float) -> Tone:
    """Green when positive, red when negative: the sign in the text says the same."""
    return Tone.GOOD if value > 0 else Tone.BAD if value < 0 else Tone.PLAIN


def source_name(source: str) -> str:
    """Yahoo for yahoo, CFTC for cftc; names with capitals stay."""
    return _NAMES.get(source, source[:1].upper() + source[1:])


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th, 1,002nd."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"


def day(value: date) -> str:
    """11 Jul 2024."""
    return f"{value.day} {value:%b %Y}"


def clock_et(at: datetime, *, seconds: bool = True) -> str:
    """New York time of day: 08:30:07 ET."""
    return f"{at.astimezone(NEW_YORK):{'%H:%M:%S' if seconds else '%H:%M'}} ET"


def moment_et(at: datetime) -> str:
    """Date and minute in New York: Fri 12 Jul 08:30 ET."""
    local = at.astimezone(NEW_YORK)
    return f"{local:%a} {local.day} {local:%b %H:%M} ET"


def span(seconds: float) -> str:
    """How long: 7 s, 15 min, 3 h 5 min, 2 d 4 h; never negative."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        hours, rest = divmod(whole // 60, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(whole // 3600, 24)
    return f"{days} d {rest} h" if rest and days < 10 else f"{days} d"
