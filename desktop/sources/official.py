"""What official publishers share: one HTTP client each, and answers that are looked at before they are believed.

An answer that cannot be believed is refused as a whole, with its cause; single rows that cannot be right are left
out and told in the note, as an import does with a file.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from desktop.market.clock import Clock
from desktop.market.quotes import BadMarketDataError, DayArray, FloatArray
from desktop.market.sessions import NYSE, trading_day
from desktop.market.store import Observation, SeriesView
from desktop.sources.contract import Dataset, Failure, FailureKind, Published, Stamp, Unchanged
from desktop.sources.files.fields import numbers, read_days
from desktop.sources.files.publication import is_business_day
from desktop.sources.files.result import ImportRefusedError, Parsed, Rejections, Request
from desktop.sources.files.rows import DAY_OFF, UNFINISHED, Mask
from desktop.sources.files.series import add_rates
from desktop.sources.files.text import Table
from desktop.sources.http import Answer, Http

HOUR_S, DAY_S = 3600.0, 86_400.0
Known: TypeAlias = Callable[[str], SeriesView]
"""What is stored of a series, by its id; may be empty."""
_CURE = "look at the answer"
"""Stands in an `ImportRefusedError`; what the user reads is the cure of the failure."""
_RECENT = timedelta(days=10)
"""Rows left out further back are old news: the same holidays and bad prints in every download."""


class Official(ABC):
    """One publisher behind the contract `Publisher`; `_ask` is what differs."""

    name: str
    datasets: tuple[Dataset, ...]

    def __init__(self, clock: Clock, http: Http | None) -> None:
        self._clock = clock
        self._http = http or Http(self.name, clock)

    @property
    def off(self) -> str:
        """Never off by itself."""
        return ""

    @property
    def requests(self) -> int:
        """How many requests it has sent so far."""
        return self._http.requests

    def close(self) -> None:
        """Let nothing wait for the budget any more."""
        self._http.close()

    def fetch(self, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        """Ask for `dataset`; what cannot be believed is a failure that says why."""
        request = Request(Path(dataset.name), None, self._clock.now())
        try:
            return self._ask(request, dataset, stamp)
        except ImportRefusedError as error:
            return self._http.failure(FailureKind.BAD_PAYLOAD, dataset.name, error.cause)
        except BadMarketDataError as error:
            return self._http.failure(FailureKind.BAD_PAYLOAD, dataset.name, str(error))

    @abstractmethod
    def _ask(self, request: Request, dataset: Dataset, stamp: Stamp) -> Published | Unchanged | Failure:
        """Ask for `dataset` and check what comes."""


def refuse(request: Request, cause: str) -> ImportRefusedError:
    """Return the error that `Official.fetch` turns into a failure."""
    return request.refuse(cause, _CURE)


# JSON


def read_json(request: Request, answer: Answer) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Parse the body; refuse what is no JSON."""
    try:
        return json.loads(answer.text)
    except ValueError as error:
        raise refuse(request, f"it is no JSON, or cut short ({error})") from error


def member(request: Request, payload: object, name: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - checked by `kind`
    """Member `name` of a JSON object; refuse where it is missing or of another kind."""
    if not isinstance(payload, dict):
        raise refuse(request, f"it is no JSON object with {name!r}")
    if name not in payload:
        raise refuse(request, f"it has no field {name!r} (its fields: {_some(payload)})")
    if not isinstance(payload[name], kind):
        raise refuse(request, f"its field {name!r} cannot be used ({str(payload[name])[:40]!r})")
    return payload[name]


def table_of_rows(request: Request, rows: object, fields: Sequence[str]) -> Table:
    """Rows of JSON as a table of text; a field may be absent from some rows (no value there), not from all."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refuse(request, "it is no list of rows")
    if not rows:
        raise refuse(request, "it holds no rows")
    absent = next((name for name in fields if all(name not in row for row in rows)), None)
    if absent is not None:
        raise refuse(request, f"it has no field {absent!r} (its fields: {_some(rows[0])})")
    cells = [["" if row.get(name) is None else str(row[name]).strip() for name in fields] for row in rows]
    return Table(tuple(fields), cells)


# Tables


def columns_of(request: Request, table: Table, names: Mapping[str, str]) -> Table:
    """Only these columns, each under its new name; refuse where one is missing."""
    absent = next((name for name in names if name not in table.header), None)
    if absent is not None:
        raise refuse(request, f"it has no column {absent!r} (its columns: {_some(table.header)})")
    places = [table.header.index(name) for name in names]
    rows = [[row[place] for place in places] for row in table.rows]
    return Table(tuple(names.values()), rows, ragged=table.ragged)


def _some(names: Iterable[str]) -> str:
    text = ", ".join(str(name) for name in names)
    return text if len(text) <= 120 else f"{text[:120]}…"


def strays(values: FloatArray, limit: float) -> Mask:
    """Return which values lie more than `limit` off the median of the five around them: bad prints, no markets."""
    if len(values) < 3:
        return np.zeros(len(values), dtype=np.bool_)
    around = sliding_window_view(np.pad(values, 2, mode="reflect"), 5)
    found: Mask = np.abs(values - np.median(around, axis=-1)) > limit
    return found


def shared(
    held_days: DayArray, held: FloatArray, days: DayArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What is held and what is new on the days that both have; days in order, without duplicates."""
    _, ours, theirs = np.intersect1d(held_days, days, assume_unique=True, return_indices=True)
    return held[ours], values[theirs]


def note_of(parsed: Parsed, now: datetime, *more: str) -> str:
    """What was left out of the last days, and whatever else is to be told."""
    recent = parsed.rejected.since(trading_day(now) - _RECENT, but=(DAY_OFF, UNFINISHED))
    return "; ".join((*recent.texts(), *more))


# Interest rates

_JUMP_PP = 1.5
"""Yields of a day: no neighbours since 1976 are further apart than .89 percentage points (1981-07-20)."""
_OFF_PP = 0.5
_ENOUGH_DAYS = 5


@dataclass(frozen=True, slots=True)
class Rates:
    """Series in percent, each value with the time from which it was known; `note` as in `Published`."""

    series: Mapping[str, tuple[Observation, ...]]
    note: str


def read_rates(request: Request, table: Table, known: Known) -> Rates:
    """Dates in the first column, series of FRED's names in the others: validated, oldest first.

    Refused as a whole where it is another series or a fraction in place of a percent (against what is stored);
    single values that stray from their neighbours are left out.
    """
    parsed = Parsed.begin("rates", table.ragged)
    days, good = read_days(request, table.column(0), parsed.rejected, month_first=True)
    ahead = good & (days > np.datetime64(trading_day(request.now)))  # still today by UTC in New York's evening
    parsed.rejected.add("in the future", days[ahead])
    keep = np.flatnonzero(good & ~ahead)
    keep = keep[np.argsort(days[keep], kind="stable")]
    days = days[keep]
    columns = {name: numbers(table.column(i))[keep] for i, name in enumerate(table.header) if i}
    left_out = Rejections()
    for name, values in columns.items():
        there = np.flatnonzero(np.isfinite(values))
        off = there[strays(values[there], _JUMP_PP)]
        left_out.add(f"of {name} that jump by more than {_JUMP_PP:g} percentage points", days[off])
        values[off] = np.nan
    recent = np.datetime64(trading_day(request.now) - _RECENT)
    blank = np.isnan(np.stack([*columns.values()])).all(axis=0)
    told = ~blank | (days < recent)  # blank on a holiday, as FRED has it, is nothing to tell
    told[~told] = [_is_market_day(day) for day in days[~told].tolist()]
    add_rates(request, parsed, days[told], {name: values[told] for name, values in columns.items()})
    if not parsed.series:
        raise parsed.nothing_left(request)
    for name, rows in parsed.series.items():
        _check_known(request, name, rows, known(name))
    return Rates(
        {name: tuple(rows) for name, rows in parsed.series.items()},
        note_of(parsed, request.now, *left_out.texts(), *parsed.notes),
    )


def _is_market_day(day: date) -> bool:
    return is_business_day(day) and NYSE.session(day) is not None


def _check_known(request: Request, name: str, rows: Sequence[Observation], held: SeriesView) -> None:
    days = np.array([one.day for one in rows], dtype="datetime64[D]")
    ours, theirs = shared(held.days, held.values, days, np.array([one.value for one in rows]))
    if len(ours) < _ENOUGH_DAYS:
        return
    off = float(np.median(np.abs(ours - theirs)))
    if off > _OFF_PP:
        raise refuse(
            request,
            f"its {name} is {off:.2f} percentage points away from what is stored, on {len(ours)} days:"
            " another series, or a fraction in place of a percent",
        )


def newest_known(series: Mapping[str, Sequence[Observation]], now: datetime) -> datetime:
    """When the newest observation became known; now where its publication was a little early."""
    return min(max(one.available_at for rows in series.values() for one in rows), now)
