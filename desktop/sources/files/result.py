"""What an import found, and how a refusal reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from desktop.market.known import UserError
from desktop.market.quotes import Bars, Closes, DayArray, Panel
from desktop.market.store import Observation, Priority

_EXAMPLES = 3
"""So many dates stand behind a reason; more are shortened to first and last."""

_LONGEST_LABEL = 40


class ImportRefusedError(UserError, ValueError):
    """A file that is not imported; nothing was written. Carries the path, the cause and the cure."""

    def __init__(self, path: Path, cause: str, cure: str) -> None:
        super().__init__(_one_line(f"{path.name}: {cause}; {cure}"))
        self.path, self.cause, self.cure = path, cause, cure


class Rejections:
    """Rows that were left out, counted by reason, with the rows they were."""

    def __init__(self) -> None:
        self._labels: dict[str, list[str]] = {}

    def add(self, reason: str, labels: Iterable[object]) -> None:
        """Count one row a label; a label names its row: a date, a time, a line number or an unreadable cell."""
        added = [str(label)[:_LONGEST_LABEL] for label in labels]
        if added:
            self._labels.setdefault(reason, []).extend(added)

    @property
    def total(self) -> int:
        """Rows left out for any reason."""
        return sum(len(labels) for labels in self._labels.values())

    def since(self, day: date, *, but: Collection[str] = ()) -> Rejections:
        """Only what was left out from `day` on, and what has no date; leave out the reasons of `but`."""
        late = Rejections()
        for reason, labels in self._labels.items():
            if reason not in but:
                late.add(reason, (one for one in labels if one >= day.isoformat()))  # letters sort after digits
        return late

    def texts(self) -> tuple[str, ...]:
        """One sentence a reason, most frequent first."""
        ranked = sorted(self._labels.items(), key=lambda item: -len(item[1]))
        return tuple(f"{len(labels):,} {reason} ({examples(labels)})" for reason, labels in ranked)


def examples(labels: list[str]) -> str:
    """The labels themselves when few, else the first and the last."""
    return ", ".join(labels) if len(labels) <= _EXAMPLES else f"{labels[0]} … {labels[-1]}"


@dataclass(frozen=True, slots=True)
class Request:
    """One file to import: where it lies, which symbol the user named, and what time it is (UTC)."""

    path: Path
    symbol: str | None
    now: datetime

    def refuse(self, cause: str, cure: str) -> ImportRefusedError:
        """Return the error to raise."""
        return ImportRefusedError(self.path, cause, cure)


@dataclass(slots=True)
class Parsed:
    """A file that was read and checked in full, before anything is written.

    `adjusted` are dividend-adjusted closes, each under its own symbol (`QQQ:adj`): two downloads of adjusted
    prices never agree, so they are replaced as a whole. `rows` counts the rows that are taken, `first` and `last`
    are the dates they reach. `settlement_marks` counts the days of futures without a trade, `closes_alone` names
    the days whose open, high and low are not taken.
    """

    kind: str
    symbols: list[str] = field(default_factory=list)
    bars: list[Bars] = field(default_factory=list)
    closes: list[tuple[Closes, Priority]] = field(default_factory=list)
    adjusted: list[Closes] = field(default_factory=list)
    series: dict[str, list[Observation]] = field(default_factory=dict)
    panel: Panel | None = None
    rows: int = 0
    first: date | None = None
    last: date | None = None
    rejected: Rejections = field(default_factory=Rejections)
    notes: list[str] = field(default_factory=list)
    settlement_marks: int = 0
    closes_alone: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, kind: str, ragged: Iterable[str]) -> Parsed:
        """Return what is known before the first row: the kind, and the rows that have not the header's width."""
        parsed = cls(kind)
        parsed.rejected.add("with too many or too few cells", ragged)
        return parsed

    def nothing_left(self, request: Request) -> ImportRefusedError:
        """Return the error to raise when every row was rejected."""
        reasons = "; ".join(self.rejected.texts()) or "no row holds a price"
        return request.refuse(f"nothing in it can be taken: {reasons}", "check the file")

    def reaches(self, days: DayArray) -> None:
        """Widen the range of dates by `days`."""
        if len(days):
            first, last = days.min().astype(object), days.max().astype(object)
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file.

    `rows` counts the rows that were taken, `rejected_rows` those that were not; `rejected` says why, one
    sentence a reason. `symbol` names what was stored: symbols, the name of a universe, or what kind of series.
    `series` are the identifiers of stored series. `notes` is what a careful reader should know.
    """

    path: Path
    kind: str
    symbol: str
    rows: int
    first: date | None
    last: date | None
    rejected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    rejected_rows: int = 0


_MOST_SENTENCES = 4


def describe(result: ImportResult) -> str:
    """One line for one file: kind, symbol, rows, range, what was rejected and why, what to know."""
    plural = "" if result.rows == 1 else "s"
    span = f", {result.first} to {result.last}" if result.first else ""
    parts = [f"{result.path.name}: {result.kind}, {result.symbol}, {result.rows:,} row{plural}{span}"]
    if result.rejected:
        total = "" if len(result.rejected) == 1 else f"{result.rejected_rows:,}: "
        parts.append(f"rejected {total}{_shortened(result.rejected)}")
    if result.notes:
        parts.append(f"note: {_shortened(result.notes)}")
    return _one_line("; ".join(parts))


def _one_line(text: str) -> str:
    """Without line breaks and control characters, which a cell of a damaged file may hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _shortened(sentences: tuple[str, ...]) -> str:
    hidden = len(sentences) - _MOST_SENTENCES
    return ", ".join(sentences[:_MOST_SENTENCES]) + (f" and {hidden} more" if hidden > 0 else "")
