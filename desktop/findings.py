"""What `doctor` finds: findings in sections, and a diagnosis made of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")


class Level(StrEnum):
    """How much a finding matters; with FAIL the program cannot do its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what, how it is, how much that matters, and what to do ("" for nothing)."""

    what: str
    found: str
    level: Level = Level.OK
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Findings that belong together; `data` is the part of them that JSON tells in more detail."""

    name: str
    findings: tuple[Finding, ...]
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All sections, and the last troubles of the log."""

    made: datetime
    sections: tuple[Section, ...]
    log: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing stands in the way."""
        return not any(one.level is Level.FAIL for _, one in self.problems())

    def problems(self) -> list[tuple[str, Finding]]:
        """What is not as it should be, worst first, each with its section."""
        found = [(part.name, one) for part in self.sections for one in part.findings if one.level is not Level.OK]
        return sorted(found, key=lambda named: named[1].level is not Level.FAIL)


Part: TypeAlias = "tuple[Sequence[Finding], Mapping[str, object]]"
"""What one part found, and the part of it that only JSON tells."""


def within(limit_s: float, work: Callable[[], _T]) -> _T | Exception | None:
    """Return what `work` returns or raises, None where it needs longer; then its thread is left behind."""
    outcome: list[_T | Exception] = []

    def caught() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001  (handed over to the caller)
            outcome.append(error)

    thread = threading.Thread(target=caught, name="doctor", daemon=True)
    thread.start()
    thread.join(limit_s)
    return outcome[0] if outcome else None
