"""What a release brought against what was expected, as typed: its sign, and nothing more than its sign."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from desktop.market.known import Maybe, Unknown, UserError
from desktop.market.releases import ReleaseKind

UNITS = {
    ReleaseKind.CPI: "% m/m",
    ReleaseKind.NFP: "k",
    ReleaseKind.PCE: "% m/m",
    ReleaseKind.PPI: "% m/m",
    ReleaseKind.FOMC: "bp",
}
"""Unit of the headline figure of each release: headline index, payrolls in thousands, change of the target."""
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?|[+-]?\.\d+)\s*(%|% m/m|k|bp)?")
_SAME = 1e-9


class SurpriseError(UserError):
    """A figure that cannot be read; carries what was typed."""

    def __init__(self, text: str, unit: str) -> None:
        super().__init__(f"{text!r} is no figure in {unit}: write it like 0.1 or −0.1, or leave it empty")
        self.text, self.unit = text, unit


@dataclass(frozen=True, slots=True)
class Surprise:
    """Consensus and actual of one release, in `unit`; None where not typed."""

    consensus: float | None
    actual: float | None
    unit: str

    @property
    def difference(self) -> Maybe:
        """Actual less consensus, in `unit`."""
        if self.consensus is None or self.actual is None:
            missing = [
                name for name, one in (("consensus", self.consensus), ("actual", self.actual)) if one is None
            ]
            return Unknown(f"{' and '.join(missing)} not typed: no source here publishes them")
        return self.actual - self.consensus

    @property
    def sign(self) -> int | Unknown:
        """1 above, -1 below, 0 in line with the consensus; Unknown unless both are typed."""
        gap = self.difference
        if isinstance(gap, Unknown):
            return gap
        return 0 if abs(gap) < _SAME else int(math.copysign(1, gap))


def figure(text: str, unit: str) -> float | None:
    """Read a typed figure; None where nothing is typed. Its unit may be repeated, another one is refused.

    Raises
    ------
    SurpriseError
        For anything that is no number in `unit`.
    """
    tidy = text.strip().replace("−", "-").lower()
    if not tidy:
        return None
    found = _NUMBER.fullmatch(tidy)
    if found is None or (found[2] and not unit.startswith(found[2])):
        raise SurpriseError(text, unit)
    return float(found[1])
