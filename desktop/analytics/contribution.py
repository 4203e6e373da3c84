"""How much of an index's move a few of its names made: weight x move, name by name.

The weight is that before the move, so the points of all names of an index add up to its move; of a weight that is
some weeks old the sum is near it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.market.known import Maybe, Unknown

LEAST_MOVE_PCT = 0.25
"""Shares of a smaller move of the index say nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One name: its weight and its move in percent, and the points of the index's move it made."""

    name: str
    weight_pct: float
    move_pct: float
    points_pp: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the names made of the index's move.

    `points_pp` is the sum over `parts`, `rest_pp` what is left of `index_pct`. `share` is points over move: above
    `weight` (0..1, of all parts together) the names led, below they lagged; Unknown for a small move.
    """

    parts: tuple[Part, ...]
    index_pct: float
    points_pp: float
    rest_pp: float
    weight: float
    share: Maybe


def contribution(
    weights_pct: Mapping[str, float], moves_pct: Mapping[str, float], index_pct: float
) -> Contribution:
    """Split a move of the index (percent) into the points of each name and the rest.

    Parameters
    ----------
    weights_pct
        Weight in the index by name, percent.
    moves_pct
        Simple return by name over the same time, percent; every weighted name must be there.
    """
    parts = tuple(
        Part(name, weight, moves_pct[name], weight * moves_pct[name] / 100.0)
        for name, weight in weights_pct.items()
    )
    points = sum(one.points_pp for one in parts)
    share: Maybe = (
        points / index_pct
        if abs(index_pct) >= LEAST_MOVE_PCT
        else Unknown(
            f"the index moved {index_pct:+.2f} %, less than {LEAST_MOVE_PCT} %: shares of so little say nothing"
        )
    )
    return Contribution(
        parts, index_pct, points, index_pct - points, sum(one.weight_pct for one in parts) / 100.0, share
    )
