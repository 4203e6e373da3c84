"""What the claims rest on, and the claims themselves, as JSON: names and units as in figures.py."""

from __future__ import annotations

from collections.abc import Mapping

from desktop import thesis
from desktop.analytics.drawdowns import Condition, Declines, DrawdownMove
from desktop.analytics.events import EventStudy, Outcome
from desktop.analytics.flow import Flow
from desktop.analytics.positioning import ContractPositions
from desktop.analytics.rates import FedPath, MeetingOdds, TwoYear
from desktop.analytics.seasonality import Contrast, Seasonality
from desktop.evidence import Positioning, Rates
from desktop.market.known import Maybe, Unknown
from desktop.presenters.words import day
from desktop.report import cautions
from desktop.report.section import Figure, Section, section
from desktop.snapshot import Snapshot
from desktop.thesis import Claim

NOT_SET = Unknown("no level is set")
NOT_SCHEDULED = Unknown("nothing is scheduled")
NO_DATE = Unknown("rests on nothing that has a date")
_TWO_YEAR = (
    "two_year_pct",
    "two_year_change_bp",
    "beta",
    "beta_se",
    "r2",
    "n",
    "attribution_bp",
    "attribution_share",
)


def event_study(study: EventStudy) -> list[Section]:
    """One object a horizon."""
    return [_outcome(one) for one in study.outcomes]


def _outcome(one: Outcome) -> Section:
    summary, interval = one.summary, one.ci95_pct
    left_out = [
        f"{number} {what}"
        for number, what in (
            (summary.pending, "too young to tell"),
            (summary.broken, "left out: a session is missing within the horizon"),
        )
        if number
    ]
    return section(
        {
            "horizon_days": summary.horizon_days,
            "n": summary.n,
            "mean_pct": summary.mean_pct,
            "median_pct": summary.median_pct,
            "hit": summary.hit,
            "ci95_pct": interval if isinstance(interval, Unknown) else list(interval),
            "unconditional_mean_pct": one.unconditional_mean_pct,
            "placebo_p": one.placebo_p,
        },
        n="; ".join(left_out),
        mean_pct=one.reads,
        ci95_pct=f"stationary bootstrap, blocks of {one.mean_block} events on average"
        if one.mean_block > 1 and not isinstance(interval, Unknown)
        else "",
    )


def rates(found: Rates) -> Section:
    """The 2-year yield and what it explains; the path by meeting."""
    stats, path = found.two_year, found.path
    figures: dict[str, Figure] = (
        dict.fromkeys(_TWO_YEAR, stats) if isinstance(stats, Unknown) else _two_year(stats)
    )
    figures["fed_path"] = path if isinstance(path, Unknown) else [_meeting(one) for one in cautions.priced(path)]
    notes = {} if isinstance(stats, Unknown) else _two_year_notes(stats)
    if isinstance(path, FedPath):
        notes["fed_path"] = "; ".join(cautions.of_path(path, found.strip))
    return section(figures, **notes)


def _two_year(stats: TwoYear) -> dict[str, Figure]:
    slope, attribution = stats.slope, stats.attribution
    return {
        "two_year_pct": stats.two_year_pct,
        "two_year_change_bp": stats.change_bp,
        "beta": slope.beta,
        "beta_se": slope.se,
        "r2": slope.r2,
        "n": slope.n,
        "attribution_bp": attribution.bp,
        "attribution_share": attribution.share,
    }


def _two_year_notes(stats: TwoYear) -> dict[str, str]:
    found = stats.attribution
    notes = {"beta": "" if isinstance(stats.slope.beta, Unknown) else cautions.of_slope(stats)}
    if stats.two_year_date is not None:
        notes["two_year_pct"] = f"of {day(stats.two_year_date)}"
    if stats.first is not None and stats.last is not None:
        notes["n"] = f"days from {day(stats.first)} to {day(stats.last)}"
    for name, middle, low, high, digits in (
        ("attribution_bp", found.bp, found.low_bp, found.high_bp, 1),
        ("attribution_share", found.share, found.share_low, found.share_high, 3),
    ):
        if not isinstance(middle, Unknown) and not isinstance(low, Unknown) and not isinstance(high, Unknown):
            notes[name] = f"95 % interval {low:.{digits}f} to {high:.{digits}f}, from the error of the slope alone"
    return notes


def _meeting(one: MeetingOdds) -> Section:
    odds = one.probabilities
    return section(
        {
            "meeting": one.meeting,
            "expected_rate_pct": one.expected_rate_pct,
            "probabilities": odds
            if isinstance(odds, Unknown)
            else [{"low_pct": each.low_pct, "high_pct": each.high_pct, "p": each.p} for each in odds],
        }
    )


def flow(found: Flow | Unknown, snapshot: Snapshot) -> Section | Unknown:
    """Inputs, each with its date and origin, and what follows from them."""
    if isinstance(found, Unknown):
        return found
    inputs = found.inputs.figures()
    notes = {name: f"{figure.source}, {day(figure.dated)}" for name, figure in inputs}
    return section(
        {
            **{name: figure.value for name, figure in inputs},
            "flow_usd": found.flow_usd,
            "median_companies": found.median_companies,
            "index_share": found.index_share,
            "impact_pct": found.impact_pct,
        },
        **notes,
        flow_usd="; ".join(found.inputs.cautions(snapshot.history.day)),
        index_share=found.plainly,
    )


def positioning(found: Positioning) -> Section:
    """Both contracts at their latest common report."""
    latest = found.latest
    return section(
        {
            "report_date": latest.report_date,
            "known_at": latest.known_at,
            "nq": _contract(latest.nq),
            "rty": _contract(latest.rty),
            "pair_score": latest.pair_score,
        },
        report_date="; ".join(latest.notes),
    )


def _contract(one: ContractPositions) -> Section:
    return section(
        {
            "asset_manager_net": round(one.asset_manager_net),
            "leveraged_net": round(one.leveraged_net),
            "open_interest": round(one.open_interest),
            "leveraged_z": one.leveraged_z,
        },
        leveraged_z="" if isinstance(one.leveraged_z, Unknown) else f"n {one.n} reports since {day(one.first)}",
    )


def seasonality(found: Seasonality) -> Section:
    """Election years one by one, and both contrasts with the other years."""
    july, october = found.jul_aug, found.oct
    differ = (july.n_election, july.n_other) != (october.n_election, october.n_other)
    return section(
        {
            "election_years": [
                section(
                    {
                        "year": one.year,
                        "jul_aug_over_jun": one.jul_aug_over_jun,
                        "oct_over_sep": one.oct_over_sep,
                    }
                )
                for one in found.election_years
            ],
            "jul_aug_up": july.up,
            "oct_up": october.up,
            "n_election": july.n_election,
            "n_other": july.n_other,
            "p_jul_aug": july.p,
            "p_oct": october.p,
        },
        election_years="natural logarithms of ratios of mean VIX: above 0 it rose",
        jul_aug_up=july.reads,
        oct_up=october.reads,
        n_election=f"October: {october.n_election} against {october.n_other}" if differ else "",
        p_jul_aug=_p_words(july),
        p_oct=_p_words(october),
    )


def _p_words(one: Contrast) -> str:
    if isinstance(one.p, Unknown):
        return ""
    words = "exact over all labels of years, two-sided"
    if not isinstance(one.p_higher, Unknown):
        words += f"; as high or higher {one.p_higher:.4f}"
    if not isinstance(one.p_max, Unknown):
        words += f"; for having looked at twelve months {one.p_max:.4f}"
    return words


def declines(found: Declines | Unknown) -> tuple[dict[str, Figure], dict[str, str]]:
    """Figures and notes of `drawdowns`, `down_capture` and `conditional`."""
    if isinstance(found, Unknown):
        return {"drawdowns": found, "down_capture": found, "conditional": found}, {}
    table, capture = found.table, found.down_capture
    figures: dict[str, Figure] = {
        "drawdowns": table if isinstance(table, Unknown) else [_drawdown(row) for row in table.rows],
        "down_capture": capture.value,
        "conditional": [_condition(one) for one in found.conditional],
    }
    notes = {"conditional": "; ".join((cautions.FLATTERS, *cautions.of_betas(found)))}
    if not isinstance(table, Unknown):
        holds = f"declines of the {table.benchmark}: RUT falls less in {table.holds_in} of {len(table.rows)}"
        notes["drawdowns"] = "; ".join((holds, *table.notes))
    if not isinstance(capture.value, Unknown) and not isinstance(capture.se, Unknown):
        notes["down_capture"] = (
            f"mean move of RUT over that of NDX on {capture.n:,} days on which NDX fell, error {capture.se:.3f}"
        )
    return figures, notes


def _drawdown(row: DrawdownMove) -> Section:
    return section(
        {
            "start": row.start,
            "end": row.end,
            "rut_pct": row.rut_pct,
            "ndx_pct": row.ndx_pct,
            "spread_pp": row.spread_pp,
        }
    )


def _condition(one: Condition) -> Section:
    error: Maybe = one.se_pp
    return section(
        {"condition": one.condition, "n": one.n, "mean_pp": one.mean_pp, "hit": one.hit},
        condition=one.caution,
        n="" if isinstance(one.since, Unknown) else f"of {one.n_days:,} days since {day(one.since)}",
        mean_pp="" if isinstance(error, Unknown) else f"error {error:.3f}",
    )


def claims(snapshot: Snapshot, kill_levels: Mapping[str, float | None]) -> list[Section]:
    """Every claim, in the order of the board."""
    return [_claim(one, kill_levels.get(one.id)) for one in thesis.claims(snapshot)]


def _claim(one: Claim, kill_level: float | None) -> Section:
    return section(
        {
            "id": one.id,
            "claim": one.claim,
            "verdict": one.verdict.value,
            "value": one.value,
            "as_of": one.as_of or NO_DATE,
            "source": one.source,
            "next_update": one.next_update or NOT_SCHEDULED,
            "kill_level": NOT_SET if kill_level is None else kill_level,
            "note": one.note,
        },
        value="" if isinstance(one.value, Unknown) else one.words,
        kill_level="given up: the value lies beyond it" if one.killed(kill_level) else "",
    )
