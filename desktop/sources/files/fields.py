"""Numbers, dates and times as files spell them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from desktop.market.quotes import DayArray, FloatArray
from desktop.sources.files.result import Rejections, Request

MISSING = frozenset({"", ".", "na", "nan", "n/a", "null", "none", "-", "nat", "#n/a"})
"""What stands where there is no value; lower case."""

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
FIRST_DAY = date(1900, 1, 1)


def number(text: str) -> float:
    """Value of a cell: NaN where there is none, infinity where it is not a number.

    Thousands separators are taken where they stand at thousands ("20,211.36"): in a comma-separated file a
    quoted comma cannot be a decimal one.
    """
    try:
        value = float(text)
    except ValueError:
        if text.lower() in MISSING:
            return nan
        return float(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else inf
    return inf if "_" in text else value


def numbers(texts: Sequence[str]) -> FloatArray:
    """Values of a column, see `number`."""
    return np.array([number(text) for text in texts], dtype=np.float64)


def read_days(
    request: Request, texts: Sequence[str], rejected: Rejections, *, month_first: bool = False
) -> tuple[DayArray, NDArray[np.bool_]]:
    """Trading dates of a column and which rows have one.

    ISO dates, YYYYMMDD, or dates with slashes. Slashed dates are month first where the caller knows it (Cboe);
    otherwise the column itself must show the order by a number above twelve, else the file is refused.
    A date may carry midnight of any zone, and no other time: a price of 10:30 is no daily close.
    """
    if any("/" in text for text in texts[:20]):
        order = "month" if month_first else _slash_order(request, texts)
        found = [_slashed(text, order) for text in texts]
    else:
        found = [_iso(text) for text in texts]
    today = request.now.date()
    good = np.array([day is not None and FIRST_DAY <= day <= today for day in found], dtype=np.bool_)
    rejected.add("with an unreadable date", (t or "blank" for t, d in zip(texts, found, strict=True) if d is None))
    rejected.add("before 1900", (d for d in found if d is not None and d < FIRST_DAY))
    rejected.add("in the future", (d for d in found if d is not None and d > today))
    if found.count(None) * 2 > len(found):
        bad = next(text for text, day in zip(texts, found, strict=True) if day is None)
        raise request.refuse(
            f"the first column does not hold dates (for example {bad[:40]!r})", "dates must read like 2024-07-11"
        )
    if not good.any():
        raise request.refuse(
            f"all its dates lie before 1900 or after today ({today})", "check the file and the computer's clock"
        )
    return np.array([day or FIRST_DAY for day in found], dtype="datetime64[D]"), good


def _iso(text: str) -> date | None:
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.date() if at.time() == time() else None


def _slash_order(request: Request, texts: Sequence[str]) -> str:
    pairs = [(int(m[1]), int(m[2])) for text in texts if (m := _SLASHED.fullmatch(text))]
    day_first = any(one > 12 for one, _ in pairs)
    month_first = any(two > 12 for _, two in pairs)
    if day_first and month_first:
        raise request.refuse(f"its dates mix day/month and month/day (for example {texts[0]!r})", "use ISO dates")
    if not day_first and not month_first:
        raise request.refuse(
            f"its dates could be day/month or month/day (for example {texts[0]!r})",
            "use ISO dates such as 2024-07-11",
        )
    return "day" if day_first else "month"


def _slashed(text: str, order: str) -> date | None:
    match = _SLASHED.fullmatch(text)
    if match is None:
        return None
    one, two, year = int(match[1]), int(match[2]), int(match[3])
    try:
        return date(year, one, two) if order == "month" else date(year, two, one)
    except ValueError:
        return None
