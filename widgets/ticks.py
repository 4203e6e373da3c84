"""Where an axis is labelled, and in what words: round values, and round moments of an exchange's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_CLOCK_STEPS_S = tuple(_MINUTE_S * n for n in (1, 2, 5, 10, 15, 30)) + tuple(_HOUR_S * n for n in (1, 2, 3, 6, 12))
_DAY_STEPS = (1, 2)
_WEEK_STEPS = (1, 2)
_MONTH_STEPS = (1, 2, 3, 6)
_YEAR_STEPS = (1, 2, 5, 10, 20, 50, 100)
_QUARTER_HOUR_S = 900
"""Every zone in use since 1972 stands a multiple of this from UTC, so whole local hours lie on this grid."""
_MIDDAY_H = 12
_SHORT_ZONES = {"America/New_York": "ET", "UTC": "UTC"}


@dataclass(frozen=True, slots=True)
class Tick:
    """One label of an axis: where, in the axis's unit, and the words."""

    at: float
    words: str


@lru_cache(maxsize=256)
def value_steps(low: float, high: float, most: int) -> tuple[tuple[float, ...], int]:
    """Return round values within `low`..`high`, at most `most`, and the decimals that tell them apart."""
    if not high > low or most < 1:
        return (), 0
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    step = next(power * n for n in (1.0, 2.0, 5.0, 10.0) if power * n >= raw * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return tuple(step * n for n in range(first, last + 1)), max(0, -floor(log10(step) + 1e-9))


@lru_cache(maxsize=256)
def time_ticks(low: float, high: float, most: int, zone: ZoneInfo, *, daily: bool) -> tuple[Tick, ...]:
    """Return labels for `low`..`high` (seconds since 1970 UTC), at most `most`.

    Moments are round on the clock of `zone`: across a clock change local hours stay whole, the hour that does
    not exist is left out, and the hour that comes twice is labelled twice. With `daily`, dates stand at local
    midday, where daily points stand, and there are no hours.
    """
    if not high > low or most < 1:
        return ()
    if not daily:
        for step_s in _CLOCK_STEPS_S:
            if (high - low) / step_s <= most:
                return tuple(_clock_ticks(low, high, step_s, zone))
    first = datetime.fromtimestamp(low, zone).date()
    last = datetime.fromtimestamp(high, zone).date()
    days = (high - low) / _DAY_S
    for every, per, walk in (
        *((n, n, _days) for n in _DAY_STEPS),
        *((n, 7 * n, _weeks) for n in _WEEK_STEPS),
        *((n, 30.4 * n, _months) for n in _MONTH_STEPS),
        *((12 * n, 365.2 * n, _months) for n in _YEAR_STEPS),
    ):
        if days / per <= most:
            words = _day_words if per < 30 else (_month_words if per < 365 else _year_words)
            hour = _MIDDAY_H if daily else 0
            made = (
                Tick(datetime(one.year, one.month, one.day, hour, tzinfo=zone).timestamp(), words(one))
                for one in walk(first, last, every)
            )
            return tuple(tick for tick in made if low <= tick.at <= high)
    return ()


def _clock_ticks(low: float, high: float, step_s: int, zone: ZoneInfo) -> Iterator[Tick]:
    grain_s = min(step_s, _QUARTER_HOUR_S)
    for number in range(ceil(low / grain_s), floor(high / grain_s) + 1):
        local = datetime.fromtimestamp(number * grain_s, zone)
        into_day_s = local.hour * _HOUR_S + local.minute * _MINUTE_S
        if into_day_s % step_s == 0:
            yield Tick(float(number * grain_s), f"{local:%H:%M}" if into_day_s else _day_words(local.date()))


def _days(first: date, last: date, every: int) -> Iterator[date]:
    start = first.toordinal() + -first.toordinal() % every
    return map(date.fromordinal, range(start, last.toordinal() + 1, every))


def _weeks(first: date, last: date, every: int) -> Iterator[date]:
    """Mondays; ordinal 1 is a Monday."""
    start = first.toordinal() + (1 - first.toordinal()) % (7 * every)
    return map(date.fromordinal, range(start, last.toordinal() + 1, 7 * every))


def _months(first: date, last: date, every: int) -> Iterator[date]:
    """First days of every `every`-th month, counted from January of the year 0."""
    start = 12 * first.year + first.month - 1
    for month in range(start + -start % every, 12 * last.year + last.month, every):
        yield date(month // 12, month % 12 + 1, 1)


def _day_words(day: date) -> str:
    return f"{day.day} {day:%b}"


def _month_words(day: date) -> str:
    return f"{day.year}" if day.month == 1 else f"{day:%b}"


def _year_words(day: date) -> str:
    return f"{day.year}"


def moment_words(at: float, zone: ZoneInfo, *, daily: bool) -> str:
    """Return date, or date and clock time with its zone, of `at` (seconds since 1970 UTC)."""
    local = datetime.fromtimestamp(at, zone)
    day = f"{local:%a} {local.day} {local:%b %Y}"
    if daily:
        return day
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{day} {clock} {_SHORT_ZONES.get(zone.key, local.tzname())}"


def iso_words(at: float, zone: ZoneInfo, *, daily: bool) -> str:
    """Return `at` for a file: the date, or local time with its offset from UTC."""
    local = datetime.fromtimestamp(at, zone)
    return local.date().isoformat() if daily else local.isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Preset:
    """A stretch of time that ends at the last point: so many months, the year so far, or everything."""

    key: str
    months: int | None = None
    year_to_date: bool = False

    def start(self, last: float, zone: ZoneInfo) -> float | None:
        """Return where it starts (seconds since 1970 UTC); None means with the first point."""
        end = datetime.fromtimestamp(last, zone)
        if self.year_to_date:
            return datetime(end.year, 1, 1, tzinfo=zone).timestamp()
        if self.months is None:
            return None
        month = 12 * end.year + end.month - 1 - self.months
        year, month = month // 12, month % 12 + 1
        # 31 March less a month is the last day of February
        next_month = date(year + month // 12, month % 12 + 1, 1)
        last_day = (next_month - timedelta(days=1)).day
        return end.replace(year=year, month=month, day=min(end.day, last_day)).timestamp()


PRESETS = (
    Preset("1M", 1),
    Preset("6M", 6),
    Preset("YTD", year_to_date=True),
    Preset("1Y", 12),
    Preset("5Y", 60),
    Preset("10Y", 120),
    Preset("Max"),
)
