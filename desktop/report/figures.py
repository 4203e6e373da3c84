"""The Snapshot as JSON: names with their unit, null where a number is not known, and why beside it.

`NAME_note` stands beside every null with the reason, and beside a number that must not be read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from desktop.analytics.correlation import WINDOWS, CorrelationStats
from desktop.analytics.divergence import DaySpread, DivergenceStats, Rank
from desktop.analytics.events import EventStudy
from desktop.analytics.ratio import Extreme, RatioStats, UnitRoot
from desktop.analytics.regime import FLAG_NAMES, RegimeStats, State
from desktop.market.known import Unknown
from desktop.presenters.ratio import STRETCH
from desktop.report import cautions, evidence
from desktop.report.section import Figure, Section, section
from desktop.snapshot import Snapshot
from desktop.sources.contract import Failure
from desktop.sources.state import SourceState
from desktop.version import VERSION

SCHEMA = 1
"""Grows when a name changes or goes; a new name does not count."""

Shown = TypeVar("Shown")


def as_json(snapshot: Snapshot, *, kill_levels: Mapping[str, float | None] | None = None) -> Section:
    """Return the document of `report --json`: only what `json.dumps(..., allow_nan=False)` takes.

    `kill_levels` holds, by the id of a claim, the level at which it is given up.
    """
    found, correlation = snapshot.evidence, snapshot.correlation
    declines, notes = evidence.declines(found.declines)
    if isinstance(found.events, EventStudy):
        notes["event_study"] = cautions.of_rule(found.events)
    if not snapshot.feed:
        notes["feed"] = "no quote of any source had arrived; a report asks none"
    return section(
        {
            "schema": SCHEMA,
            "version": VERSION,
            "mode": snapshot.mode.value,
            "as_of": snapshot.moment,
            "ratio": _known(snapshot.ratio, lambda it: _ratio(snapshot, it)),
            "divergence": _known(snapshot.divergence, _divergence),
            "event_study": _known(found.events, evidence.event_study),
            "correlation": _known(correlation, lambda it: _correlation(snapshot, it)),
            "regime": _regime(snapshot.regime),
            "rates": _known(found.rates, evidence.rates),
            "flow": evidence.flow(found.flow, snapshot),
            "positioning": _known(found.positioning, evidence.positioning),
            "seasonality": _known(found.seasonality, evidence.seasonality),
            **declines,
            "thesis": evidence.claims(snapshot, kill_levels or {}),
            "feed": [_source(one) for one in snapshot.feed],
        },
        **notes,
    )


def _known(part: Shown | Unknown, write: Callable[[Shown], Figure]) -> Figure:
    return part if isinstance(part, Unknown) else write(part)


def _ratio(snapshot: Snapshot, r: RatioStats) -> Section:
    return section(
        {
            "date": r.date,
            "value": r.value,
            "ndx": r.ndx,
            "rut": r.rut,
            "change_pct": r.change_pct,
            "z": section({str(window): z for window, z in r.z.items()}),
            "percentile": r.percentile,
            "n_days": r.n_days,
            "dotcom_peak": _extreme(r.dotcom_peak),
            "record": _extreme(r.record),
            "drawdown_pct": r.drawdown_pct,
            "sma50": r.sma50,
            "sma200": r.sma200,
            "vs_sma200_pct": r.vs_sma200_pct,
            "phi": r.phi,
            "half_life_days": r.half_life_days,
            "adf": {"stat": r.adf.stat, "p": r.adf.p} if isinstance(r.adf, UnitRoot) else r.adf,
        },
        date=cautions.of_store(snapshot),
        z=STRETCH,
        half_life_days=cautions.of_reversion(snapshot, r),
        adf=cautions.of_unit_root(r),
    )


def _extreme(found: Extreme | Unknown) -> Section | Unknown:
    return found if isinstance(found, Unknown) else section({"value": found.value, "date": found.date})


def _divergence(d: DivergenceStats) -> Section:
    return section(
        {
            "date": d.date,
            "spread_pp": d.spread_pp,
            "rut_pct": d.rut_pct,
            "ndx_pct": d.ndx_pct,
            "reference": d.reference.value,
            "driver": d.driver,
            "leg_age_s": section({"rut": d.rut_age_s, "ndx": d.ndx_age_s}),
            "rank": _place(d.rank),
            "rank_abs": _place(d.rank_abs),
            "n_days": d.n_days,
            "since": d.since,
            "z60": d.z60,
            "z252": d.z252,
            "from_open_pp": d.from_open_pp,
            "five_day_pp": d.five_day_pp,
            "largest": _days(d.largest),
            "smallest": _days(d.smallest),
        },
        rank=cautions.of_rank(d),
        n_days="; ".join(d.notes),
    )


def _place(rank: Rank | Unknown) -> int | Unknown:
    return rank if isinstance(rank, Unknown) else rank.rank


def _days(days: Sequence[DaySpread]) -> list[Section]:
    return [section({"date": one.date, "spread_pp": one.spread_pp}) for one in days]


def _correlation(snapshot: Snapshot, c: CorrelationStats) -> Section:
    old = cautions.of_universe(snapshot, c)
    return section(
        {
            "mean_pairwise": section({str(window): c.mean_pairwise[window] for window in WINDOWS}),
            "n_stocks": c.n_stocks,
            "percentile_1y": c.percentile_1y,
            "change_5d": c.change_5d,
            "implied_cor1m": c.implied_cor1m,
            "implied_percentile": c.implied_percentile,
            "dispersion": c.dispersion,
        },
        mean_pairwise=old,
        n_stocks="; ".join(c.notes),
        implied_cor1m=cautions.of_implied(snapshot, c),
        dispersion=old,
    )


def _regime(r: RegimeStats | Unknown) -> Section:
    if isinstance(r, Unknown):
        flags = section(dict.fromkeys(FLAG_NAMES, r))
        return section({"state": State.UNKNOWN.value, "flags": flags, "would_flip": []}, state=r.reason)
    flags = section({name: getattr(r.flags, name) for name in FLAG_NAMES})
    return section({"state": r.state.value, "flags": flags, "would_flip": list(r.would_flip)}, state=r.why)


def _source(s: SourceState) -> Section:
    return section(
        {
            "source": s.source,
            "state": s.state.value,
            "age_s": s.age_s,
            "declared_delay_s": s.declared_delay_s,
            "last_error": Unknown("none") if s.last_error is None else _error(s.last_error),
        },
        state=s.note,
    )


def _error(failure: Failure) -> str:
    return f"{failure.message} ({failure.kind.value}); {failure.cure}"
