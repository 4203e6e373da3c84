"""Positions in NASDAQ and Russell futures, from the CFTC's Traders in Financial Futures (futures only).

METHODS 6. Net = long - short, in contracts, of asset managers and of leveraged funds. z-scores are of net over
open interest, on the reports of the last 156 weeks by the calendar, the report itself included, at least 52 of
them. The pair score is z(NQ) - z(RTY) of leveraged funds: above zero, they hold the Nasdaq-100 more, and small
caps less, than they have been used to. A report describes its day, a Tuesday as a rule, and is known on Friday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from desktop.analytics.windows import frozen_array, known
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import BadMarketDataError, DayArray, FloatArray

NQ_CODE, RTY_CODE, RTY_ICE_CODE = "209742", "239742", "23977A"
"""NASDAQ mini, Russell E-mini, and the Russell mini at ICE before it; names change, codes do not."""
WINDOW_WEEKS, LEAST_REPORTS = 156, 52
_TUESDAY = 1


@dataclass(frozen=True, slots=True)
class Splice:
    """From the report of `date` on the history is that of contract `new_code`, before it of `old_code`."""

    date: dt.date
    old_code: str
    new_code: str


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Reports of one contract, oldest first, in contracts.

    `days` are the days described (datetime64[D]); open interest is above zero. `splices` tells where another
    contract's reports come before.
    """

    code: str
    days: DayArray
    open_interest: FloatArray
    asset_manager_net: FloatArray
    leveraged_net: FloatArray
    splices: tuple[Splice, ...] = ()

    def __post_init__(self) -> None:
        """Put reports in order; refuse two of one day, shapes that differ, and what no report can hold."""
        days = np.asarray(self.days, dtype="datetime64[D]")
        order = np.argsort(days, kind="stable")
        days = days[order]
        days.flags.writeable = False
        object.__setattr__(self, "days", days)
        if (np.diff(days) == np.timedelta64(0, "D")).any():
            raise BadMarketDataError(self.code, "days", "twice the same", "one report a day")
        for name in ("open_interest", "asset_manager_net", "leveraged_net"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != days.shape:
                raise BadMarketDataError(self.code, name, values.shape, f"needs shape {days.shape}")
            if not np.isfinite(values).all():
                raise BadMarketDataError(self.code, name, "NaN or inf", "positions are whole numbers")
            object.__setattr__(self, name, frozen_array(values[order]))
        if (self.open_interest <= 0).any():
            raise BadMarketDataError(self.code, "open_interest", "<= 0", "must be above zero")

    def __len__(self) -> int:
        return len(self.days)

    @property
    def asset_manager_share(self) -> FloatArray:
        """Net of asset managers over open interest."""
        return self.asset_manager_net / self.open_interest

    @property
    def leveraged_share(self) -> FloatArray:
        """Net of leveraged funds over open interest."""
        return self.leveraged_net / self.open_interest

    def until(self, last: date) -> Positions:
        """Only the reports of days up to and including `last`."""
        return self._cut(self.days <= np.datetime64(last, "D"))

    def _cut(self, keep: np.ndarray) -> Positions:
        return Positions(
            self.code,
            self.days[keep],
            self.open_interest[keep],
            self.asset_manager_net[keep],
            self.leveraged_net[keep],
            self.splices,
        )


@dataclass(frozen=True, slots=True)
class ContractPositions:
    """One contract at its report: nets and open interest in contracts, shares of open interest, z-scores.

    `n` reports stand behind the z-scores, from `first` on. `leveraged_contracts_z` is of the net in contracts,
    beside `leveraged_z` of its share, to show what the choice matters.
    """

    code: str
    report_date: dt.date
    asset_manager_net: float
    leveraged_net: float
    open_interest: float
    asset_manager_share: float
    leveraged_share: float
    asset_manager_z: Maybe
    leveraged_z: Maybe
    leveraged_contracts_z: Maybe
    n: int
    first: dt.date
    splices: tuple[Splice, ...]


@dataclass(frozen=True, slots=True)
class PairPositions:
    """Both contracts at the last report that has both; `known_at` (UTC) is when it was published."""

    report_date: dt.date
    known_at: datetime
    nq: ContractPositions
    rty: ContractPositions
    pair_score: Maybe
    asset_manager_pair_score: Maybe
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PositionHistory:
    """Shares of open interest and their z-scores at each report; NaN where a z-score has too few reports."""

    days: DayArray
    asset_manager_share: FloatArray
    asset_manager_z: FloatArray
    leveraged_share: FloatArray
    leveraged_z: FloatArray


def positions_of_sides(
    code: str,
    days: DayArray,
    open_interest: FloatArray,
    asset_manager: tuple[FloatArray, FloatArray],
    leveraged: tuple[FloatArray, FloatArray],
) -> Positions:
    """Positions of one contract from long and short, in contracts, of each class; net is long less short."""
    return Positions(code, days, open_interest, asset_manager[0] - asset_manager[1], leveraged[0] - leveraged[1])


def splice(old: Positions, new: Positions) -> Positions:
    """Continue the history of a contract that moved to another code.

    The new contract takes over at the first report in which its open interest exceeds the old one's (or the old
    one has no report), and keeps it: in August 2017 the Russell E-mini reported a few thousand contracts beside
    half a million at ICE, and the positions rolled in September. Both contracts were $50 x index, so contracts
    compare.
    """
    at = np.searchsorted(old.days, new.days)
    both = at < len(old)
    both[both] = old.days[at[both]] == new.days[both]
    rival = np.zeros(len(new))
    rival[both] = old.open_interest[at[both]]
    larger = np.flatnonzero(new.open_interest > rival)
    if not len(old) or not len(larger):
        return new if not len(old) else old
    begins = new.days[larger[0]]
    before, after = old._cut(old.days < begins), new._cut(new.days >= begins)
    if not len(before):
        return new
    return Positions(
        new.code,
        np.concatenate([before.days, after.days]),
        np.concatenate([before.open_interest, after.open_interest]),
        np.concatenate([before.asset_manager_net, after.asset_manager_net]),
        np.concatenate([before.leveraged_net, after.leveraged_net]),
        (*old.splices, Splice(_as_date(begins), old.code, new.code)),
    )


def z_history(days: DayArray, values: FloatArray) -> FloatArray:
    """z-score (ddof 1) of each report among those of the 156 weeks up to it, itself included.

    NaN with fewer than 52 reports, or where they do not differ.
    """
    z = np.full(len(days), np.nan)
    first = np.searchsorted(days, days - np.timedelta64(7 * WINDOW_WEEKS, "D"), side="right")
    for row in range(LEAST_REPORTS - 1, len(days)):
        window = values[first[row] : row + 1]
        if len(window) >= LEAST_REPORTS and np.ptp(window) > 0:
            z[row] = (values[row] - window.mean()) / window.std(ddof=1)
    return frozen_array(z)


def history(positions: Positions) -> PositionHistory:
    """Shares and z-scores through time, for a chart."""
    managers, leveraged = positions.asset_manager_share, positions.leveraged_share
    return PositionHistory(
        positions.days,
        frozen_array(managers),
        z_history(positions.days, managers),
        frozen_array(leveraged),
        z_history(positions.days, leveraged),
    )


def positioning(nq: Positions, rty: Positions, published: Callable[[date], datetime]) -> PairPositions | Unknown:
    """Compute the positioning section of the report from reports already cut at as-of.

    Parameters
    ----------
    nq, rty
        Reports of both contracts, see `splice`.
    published
        When the report of a day became known, UTC.

    Returns
    -------
    PairPositions
        Unknown where no report has both contracts.
    """
    for name, one in (("NASDAQ", nq), ("Russell", rty)):
        if not len(one):
            return Unknown(f"no report on {name} futures ({one.code}): import or download the CFTC's TFF report")
    common = np.intersect1d(nq.days, rty.days)
    if not len(common):
        return Unknown("no CFTC report has both NASDAQ and Russell futures")
    day = _as_date(common[-1])
    first, second = _at(nq.until(day)), _at(rty.until(day))
    return PairPositions(
        report_date=day,
        known_at=published(day),
        nq=first,
        rty=second,
        pair_score=_difference(first.leveraged_z, second.leveraged_z),
        asset_manager_pair_score=_difference(first.asset_manager_z, second.asset_manager_z),
        notes=tuple(_notes(day, nq, rty, first, second)),
    )


def _at(positions: Positions) -> ContractPositions:
    days = positions.days
    window = days > days[-1] - np.timedelta64(7 * WINDOW_WEEKS, "D")
    n = int(np.count_nonzero(window))

    def z(values: FloatArray) -> Maybe:
        why = (
            f"needs {LEAST_REPORTS} reports in {WINDOW_WEEKS} weeks, there are {n}"
            if n < LEAST_REPORTS
            else "positions never changed"
        )
        return known(float(z_history(days[window], values[window])[-1]), why)

    return ContractPositions(
        code=positions.code,
        report_date=_as_date(days[-1]),
        asset_manager_net=float(positions.asset_manager_net[-1]),
        leveraged_net=float(positions.leveraged_net[-1]),
        open_interest=float(positions.open_interest[-1]),
        asset_manager_share=float(positions.asset_manager_share[-1]),
        leveraged_share=float(positions.leveraged_share[-1]),
        asset_manager_z=z(positions.asset_manager_share),
        leveraged_z=z(positions.leveraged_share),
        leveraged_contracts_z=z(positions.leveraged_net),
        n=n,
        first=_as_date(days[window][0]),
        splices=positions.splices,
    )


def _difference(a: Maybe, b: Maybe) -> Maybe:
    if isinstance(a, Unknown):
        return a
    return b if isinstance(b, Unknown) else a - b


def _notes(
    day: date, nq: Positions, rty: Positions, first: ContractPositions, second: ContractPositions
) -> list[str]:
    notes = []
    if day.weekday() != _TUESDAY:
        notes.append(f"the report is of a {day:%A}, not a Tuesday")
    for name, positions, one in (("NASDAQ", nq, first), ("Russell", rty, second)):
        if positions.days[-1] > np.datetime64(day):
            notes.append(f"{name} has a later report, of {positions.days[-1]}, the other contract has not")
        if LEAST_REPORTS <= one.n < WINDOW_WEEKS:
            notes.append(f"{name}: {one.n} of {WINDOW_WEEKS} weekly reports are there, since {one.first}")
        notes += [
            f"{name}: contract {cut.old_code} before {cut.date}, {cut.new_code} since"
            for cut in one.splices
            if cut.date > one.first
        ]
    return notes


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
