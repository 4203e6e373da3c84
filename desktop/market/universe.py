"""The built-in universe: about 100 liquid names whose correlation the gauge measures."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from desktop.market.known import UserError
from resources import path as resource

BUILT_IN = "built-in"
"""Name of the shipped universe among the imported ones."""

_COMPILED = "# compiled "


class Group(StrEnum):
    """Which side of the trade a name belongs to."""

    MEGA7 = "mega7"
    NDX = "ndx"
    RUT = "rut"


class UniverseFileError(UserError):
    """The list of names cannot be read; carries the file and what is wrong with it."""

    def __init__(self, file: Path, cause: str) -> None:
        super().__init__(f"{file}: {cause}: needs '{_COMPILED}DATE', then columns ticker,name,group")
        self.file, self.cause = file, cause


@dataclass(frozen=True, slots=True)
class Name:
    """One stock of the universe."""

    ticker: str
    name: str
    group: Group


@dataclass(frozen=True, slots=True)
class Universe:
    """The names and the date their list was made: survivorship bias starts there."""

    names: tuple[Name, ...]
    compiled: date

    @property
    def tickers(self) -> tuple[str, ...]:
        """Tickers in the order of the file."""
        return tuple(one.ticker for one in self.names)

    def in_group(self, *groups: Group) -> tuple[str, ...]:
        """Tickers of the groups, in the order of the file."""
        return tuple(one.ticker for one in self.names if one.group in groups)


def read_universe(file: Path) -> Universe:
    """Read a list of names; raise UniverseFileError with the line at fault."""
    lines = file.read_text(encoding="utf-8").splitlines()
    first = lines[0] if lines else ""
    try:
        compiled = date.fromisoformat(first.removeprefix(_COMPILED)[:10])
    except ValueError as error:
        raise UniverseFileError(file, f"line 1 holds no date of compilation: {first!r}") from error
    names: dict[str, Name] = {}
    for row in csv.DictReader(line for line in lines if line and not line.startswith("#")):
        try:
            one = Name(row["ticker"], row["name"], Group(row["group"]))
        except (KeyError, ValueError) as error:
            raise UniverseFileError(file, f"row {row} is not a name of a known group") from error
        if one.ticker in names:
            raise UniverseFileError(file, f"{one.ticker} stands there twice")
        names[one.ticker] = one
    if not names:
        raise UniverseFileError(file, "holds no names")
    return Universe(tuple(names.values()), compiled)


@cache
def universe() -> Universe:
    """Return the shipped universe; read once."""
    return read_universe(resource("universe.csv"))
