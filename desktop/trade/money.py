"""Money in the words of the trade: errors, notes and the ticket."""

from __future__ import annotations

MICRO = 1_000_000
"""Money is counted in whole millionths of a dollar where it must be compared exactly."""


def price(value: float) -> str:
    """2146.2 -> 2,146.20; at least two decimals, at most six."""
    text = f"{value:,.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}" if rest else f"{whole}.00"


def usd(value: float) -> str:
    """$1,234 and −$1,234; cents only below $1,000."""
    sign = "−" if round(value, 2) < 0 else ""
    digits = 2 if abs(value) < 1000 and abs(value) != int(abs(value)) else 0
    return f"{sign}${abs(value):,.{digits}f}"


def usd_up(amount_micro: int) -> str:
    """An amount rounded up to the cent, so that it suffices."""
    cents = -(-amount_micro // (MICRO // 100))
    return f"${cents // 100:,}" + (f".{cents % 100:02d}" if cents % 100 else "")


def signed(value: float) -> str:
    """+$1,234 and −$1,234."""
    text = usd(value)
    return text if text.startswith("−") else f"+{text}"
