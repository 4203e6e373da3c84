"""Flow asymmetry: what a small share of the largest company's value would do among small companies.

METHODS 5. Q = share x value of the largest company, set against the median company of the Russell 2000, the whole
index, and a day of its turnover; the impact follows the square-root law I = Y sigma sqrt(Q / V). Nothing here is
measured by the product: each input is typed in, and says of which day it is and where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from math import isfinite, sqrt

_ASSUMED = "assumed, round figure"
_ASSUMED_ON = date(2024, 6, 28)
OLD_DAYS = 100
"""An input older than this is a quarter behind."""


class FlowInputError(ValueError):
    """A figure that cannot be an input; carries its name and value."""

    def __init__(self, name: str, value: float, why: str) -> None:
        super().__init__(f"{name} = {value!r}: {why}")
        self.name, self.value, self.why = name, value, why


@dataclass(frozen=True, slots=True)
class Figure:
    """One typed-in figure: its value, the day it is of, where it came from."""

    value: float
    dated: date = _ASSUMED_ON
    source: str = _ASSUMED


@dataclass(frozen=True, slots=True)
class FlowInputs:
    """What the flow is worked out from; `dataclasses.replace` makes the edited one.

    `cap_usd` is the value of the largest company, `median_company_usd` that of the median Russell 2000 company,
    `index_cap_usd` that of the whole index (USD). `share` (0..1) is the part of the largest company that moves.
    `daily_vol_pct` is the index's daily volatility in percent, `turnover_usd` its daily turnover, `impact_y` the
    factor of the square-root law, about 1 in the literature.

    Raises
    ------
    FlowInputError
        For a figure that is not finite and above zero, or a share above 1.
    """

    cap_usd: Figure = Figure(3e12)
    median_company_usd: Figure = Figure(0.9e9)
    index_cap_usd: Figure = Figure(2.6e12)
    share: Figure = Figure(0.01)
    daily_vol_pct: Figure = Figure(1.2)
    turnover_usd: Figure = Figure(50e9)
    impact_y: Figure = Figure(0.8)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, figure in self.figures():
            if not isfinite(figure.value) or figure.value <= 0:
                raise FlowInputError(name, figure.value, "must be finite and above zero")
        if self.share.value > 1:
            raise FlowInputError("share", self.share.value, "is a part of the company: at most 1")

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """Name and figure of every input, in order."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))

    def cautions(self, as_of: date) -> tuple[str, ...]:
        """Say which inputs are dated after `as_of`, or more than 100 days before it."""
        found = []
        for name, figure in self.figures():
            age_days = (as_of - figure.dated).days
            if age_days < 0:
                found.append(f"{name} is of {figure.dated}, after {as_of}")
            elif age_days > OLD_DAYS:
                found.append(f"{name} is of {figure.dated}, {age_days} days old")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Flow:
    """The flow and what it is set against.

    `flow_usd` in dollars; `median_companies` how many median companies it would buy whole; `index_share` its part
    (0..1) of the index's value; `turnover_days` the days of turnover; `impact_pct` the move of the index it would
    cause, percent.
    """

    inputs: FlowInputs
    flow_usd: float
    median_companies: float
    index_share: float
    turnover_days: float
    impact_pct: float

    @property
    def plainly(self) -> str:
        """The sober reading, in one sentence."""
        return (
            f"Against the whole index the flow is {_about(100 * self.index_share)} percent of its value"
            f" ({100 * self.index_share:.2f} %), {self.turnover_days:.1f} days of its turnover,"
            f" a move of {self.impact_pct:.2f} % by the square-root law."
        )


def _about(percent: float) -> str:
    if 0.75 <= percent < 1.25:
        return "about one"
    return f"about {percent:.0f}" if percent >= 1.5 else f"about {percent:.2g}"


def flow(inputs: FlowInputs | None = None) -> Flow:
    """Work out the flow of `inputs`; None takes the default ones."""
    inputs = inputs or FlowInputs()
    flow_usd = inputs.share.value * inputs.cap_usd.value
    turnover_days = flow_usd / inputs.turnover_usd.value
    return Flow(
        inputs=inputs,
        flow_usd=flow_usd,
        median_companies=flow_usd / inputs.median_company_usd.value,
        index_share=flow_usd / inputs.index_cap_usd.value,
        turnover_days=turnover_days,
        impact_pct=inputs.impact_y.value * inputs.daily_vol_pct.value * sqrt(turnover_days),
    )
