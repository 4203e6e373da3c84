"""Quotes and bars that cannot hold a NaN, a naive time or a non-positive price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
DayArray: TypeAlias = NDArray[np.datetime64]
"""datetime64[D]: trading dates in New York."""


class BadMarketDataError(ValueError):
    """A value that no market can have; carries symbol, field and value."""

    def __init__(self, symbol: str, field: str, value: object, why: str) -> None:
        super().__init__(f"{symbol}: {field} = {value!r}: {why}")
        self.symbol, self.field, self.value, self.why = symbol, field, value, why


class Interval(StrEnum):
    """Length of a bar, named as Yahoo names it."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        """Length in seconds; a daily bar counts 86,400."""
        return {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400}[self.value]


def require_utc(symbol: str, field: str, at: datetime) -> datetime:
    """Return `at` in UTC; raise BadMarketDataError for a naive time."""
    if at.tzinfo is None:
        raise BadMarketDataError(symbol, field, at, "time without a zone")
    return at.astimezone(UTC)


def _require_price(symbol: str, field: str, price: float) -> None:
    if not isfinite(price) or price <= 0:
        raise BadMarketDataError(symbol, field, price, "a price must be finite and above zero")


@dataclass(frozen=True, slots=True)
class Quote:
    """One observed price.

    `event_time` is when it traded, `arrival_time` when we received it (both UTC).
    `declared_delay_s` is what the vendor says about its own delay; the measured age may be worse.
    `previous_close` and `open_price` are the vendor's, None where it gives none.
    """

    symbol: str
    price: float
    event_time: datetime
    arrival_time: datetime
    source: str
    previous_close: float | None = None
    open_price: float | None = None
    declared_delay_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no market can have."""
        _require_price(self.symbol, "price", self.price)
        for field in ("previous_close", "open_price"):
            value = getattr(self, field)
            if value is not None:
                _require_price(self.symbol, field, value)
        for field in ("event_time", "arrival_time"):
            object.__setattr__(self, field, require_utc(self.symbol, field, getattr(self, field)))
        if not isfinite(self.declared_delay_s) or self.declared_delay_s < 0:
            raise BadMarketDataError(self.symbol, "declared_delay_s", self.declared_delay_s, "must be 0 or more")

    def age_s(self, now: datetime) -> float:
        """Seconds since it traded, or the vendor's declared delay where that is worse."""
        return max((now - self.event_time).total_seconds(), self.declared_delay_s)


def _frozen(values: FloatArray | Sequence[float]) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Open/high/low/close bars of one symbol, oldest first.

    `start_s` is the start of each bar in whole seconds since 1970 UTC, strictly increasing. A daily bar
    is labelled by midnight UTC of its New York trading date (see `day_start_s`). Arrays are read-only copies.
    """

    symbol: str
    interval: Interval
    start_s: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __post_init__(self) -> None:
        """Copy, freeze and refuse what no market can have."""
        start = np.array(self.start_s, dtype=np.int64)
        start.flags.writeable = False
        object.__setattr__(self, "start_s", start)
        if len(start) > 1 and not (np.diff(start) > 0).all():
            at = int(start[1:][np.diff(start) <= 0][0])
            raise BadMarketDataError(self.symbol, "start_s", at, "bars must be in order, without duplicates")
        for field in ("open", "high", "low", "close", "volume"):
            values = _frozen(getattr(self, field))
            object.__setattr__(self, field, values)
            if values.shape != start.shape:
                raise BadMarketDataError(self.symbol, field, values.shape, f"needs shape {start.shape}")
            bad = ~np.isfinite(values) | ((values < 0) if field == "volume" else (values <= 0))
            if bad.any():
                where = int(np.flatnonzero(bad)[0])
                when = datetime.fromtimestamp(int(start[where]), UTC)
                raise BadMarketDataError(
                    self.symbol, field, float(values[where]), f"not a market value, at {when}"
                )

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def days(self) -> DayArray:
        """Trading dates of daily bars, datetime64[D]."""
        return self.start_s.astype("datetime64[s]").astype("datetime64[D]")


@dataclass(frozen=True, slots=True, eq=False)
class Closes:
    """Official daily closes of one symbol, oldest first: all that many sources publish.

    `days` is datetime64[D], strictly increasing, New York trading dates; `close` finite and above zero.
    """

    symbol: str
    days: DayArray
    close: FloatArray

    def __post_init__(self) -> None:
        """Copy, freeze and refuse what no market can have."""
        days = np.array(self.days, dtype="datetime64[D]")
        days.flags.writeable = False
        close = _frozen(self.close)
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "close", close)
        if days.shape != close.shape:
            raise BadMarketDataError(self.symbol, "close", close.shape, f"needs shape {days.shape}")
        if len(days) > 1 and not (np.diff(days) > np.timedelta64(0, "D")).all():
            at = days[1:][np.diff(days) <= np.timedelta64(0, "D")][0]
            raise BadMarketDataError(self.symbol, "days", str(at), "days must be in order, without duplicates")
        bad = ~np.isfinite(close) | (close <= 0)
        if bad.any():
            where = int(np.flatnonzero(bad)[0])
            raise BadMarketDataError(self.symbol, "close", float(close[where]), f"not a price, on {days[where]}")

    def __len__(self) -> int:
        return len(self.days)

    def until(self, last: date) -> Closes:
        """Only the closes up to and including `last`."""
        keep = int(np.searchsorted(self.days, np.datetime64(last, "D"), side="right"))
        return self if keep == len(self) else Closes(self.symbol, self.days[:keep], self.close[:keep])


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Daily closes of many names: a universe.

    `close` has shape (days, tickers); NaN marks a day without a price of that name (not yet listed, halted),
    never a filled one. `compiled` is the date the list of names was made: survivorship bias starts there.
    """

    name: str
    tickers: tuple[str, ...]
    days: DayArray
    close: FloatArray
    compiled: date

    def __post_init__(self) -> None:
        """Copy, freeze and check shapes; prices must be above zero or NaN."""
        days = np.array(self.days, dtype="datetime64[D]")
        days.flags.writeable = False
        close = _frozen(self.close)
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "close", close)
        if close.shape != (len(days), len(self.tickers)):
            raise BadMarketDataError(self.name, "close", close.shape, f"needs {(len(days), len(self.tickers))}")
        if len(days) > 1 and not (np.diff(days) > np.timedelta64(0, "D")).all():
            raise BadMarketDataError(self.name, "days", str(days[0]), "days must be in order, without duplicates")
        if (close <= 0).any() or np.isinf(close).any():
            raise BadMarketDataError(self.name, "close", "<= 0 or inf", "a price must be finite and above zero")


def day_start_s(day: date) -> int:
    """Label of a daily bar: midnight UTC of the trading date, in seconds since 1970."""
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) / timedelta(seconds=1))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
