"""The Snapshot as JSON: names with their unit, null where a number is not known, and why beside it.

`NAME_note` stands beside every null with the reason, and beside a number that must not be read without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeAlias

from desktop.analytics.correlation import WINDOWS, CorrelationStats
from desktop.analytics.divergence import DaySpread, DivergenceStats, Rank
from desktop.analytics.ratio import Extreme, RatioStats, UnitRoot
from desktop.analytics.regime import FLAG_NAMES, RegimeStats, State
from desktop.market.known import Unknown
from desktop.presenters.ratio import STRETCH
from desktop.report import cautions
from desktop.snapshot import Snapshot
from desktop.sources.contract import Failure
from desktop.sources.state import SourceState
from desktop.version import VERSION

SCHEMA = 1
"""Grows when a name changes or goes; a new name does not count."""

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Section: TypeAlias = dict[str, Json]
Figure: TypeAlias = "Json | date | Unknown"

LATER = {
    "event_study": "what followed large divergences",
    "rates": "the rates section",
    "flow": "the flow section",
    "positioning": "futures positioning",
    "seasonality": "election-cycle volatility",
    "drawdowns": "past drawdowns",
    "down_capture": "down-capture",
    "conditional": "conditional moves",
    "thesis": "the thesis board",
}
"""Names that are part of the document and have no figures in this version."""


def as_json(snapshot: Snapshot) -> Section:
    """Return the document of `report --json`: only what `json.dumps(..., allow_nan=False)` takes."""
    ratio, divergence, correlation = snapshot.ratio, snapshot.divergence, snapshot.correlation
    later = {name: Unknown(f"{what}: not computed in this version") for name, what in LATER.items()}
    return _section(
        {
            "schema": SCHEMA,
            "version": VERSION,
            "mode": snapshot.mode.value,
            "as_of": _moment(snapshot.moment),
            "ratio": ratio if isinstance(ratio, Unknown) else _ratio(snapshot, ratio),
            "divergence": divergence if isinstance(divergence, Unknown) else _divergence(divergence),
            "event_study": later.pop("event_study"),
            "correlation": correlation
            if isinstance(correlation, Unknown)
            else _correlation(snapshot, correlation),
            "regime": _regime(snapshot.regime),
            **later,
            "feed": [_source(one) for one in snapshot.feed],
        },
        feed="" if snapshot.feed else "no quote of any source had arrived; a report asks none",
    )


def _section(figures: Mapping[str, Figure], /, **notes: str) -> Section:
    """Figures as JSON, with a note beside each unknown one: its reason, or the words of `notes` ("" says nothing).

    `notes` also adds words to known figures.
    """
    section: Section = {}
    for name, figure in figures.items():
        note = notes.get(name, "")
        if isinstance(figure, Unknown):
            section[name], note = None, note or figure.reason
        else:
            section[name] = figure.isoformat() if isinstance(figure, date) else figure
        if note:
            section[f"{name}_note"] = note
    return section


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _ratio(snapshot: Snapshot, r: RatioStats) -> Section:
    return _section(
        {
            "date": r.date,
            "value": r.value,
            "ndx": r.ndx,
            "rut": r.rut,
            "change_pct": r.change_pct,
            "z": _section({str(window): z for window, z in r.z.items()}),
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
    return found if isinstance(found, Unknown) else _section({"value": found.value, "date": found.date})


def _divergence(d: DivergenceStats) -> Section:
    return _section(
        {
            "date": d.date,
            "spread_pp": d.spread_pp,
            "rut_pct": d.rut_pct,
            "ndx_pct": d.ndx_pct,
            "reference": d.reference.value,
            "driver": d.driver,
            "leg_age_s": _section({"rut": d.rut_age_s, "ndx": d.ndx_age_s}),
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
    return [_section({"date": one.date, "spread_pp": one.spread_pp}) for one in days]


def _correlation(snapshot: Snapshot, c: CorrelationStats) -> Section:
    old = cautions.of_universe(snapshot, c)
    return _section(
        {
            "mean_pairwise": _section({str(window): c.mean_pairwise[window] for window in WINDOWS}),
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
        flags = _section(dict.fromkeys(FLAG_NAMES, r))
        return _section({"state": State.UNKNOWN.value, "flags": flags, "would_flip": []}, state=r.reason)
    flags = _section({name: getattr(r.flags, name) for name in FLAG_NAMES})
    return _section({"state": r.state.value, "flags": flags, "would_flip": list(r.would_flip)}, state=r.why)


def _source(s: SourceState) -> Section:
    return _section(
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
