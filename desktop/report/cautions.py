"""What a careful reader must not miss: where the evidence speaks against the idea, and what is old or missing."""

from __future__ import annotations

from datetime import date

from desktop.analytics.correlation import CorrelationStats
from desktop.analytics.divergence import DivergenceStats, Rank
from desktop.analytics.drawdowns import Declines
from desktop.analytics.events import EventStudy, Sensitivity
from desktop.analytics.rates import DayRule, FedPath, MeetingOdds, TwoYear
from desktop.analytics.ratio import NOT_REVERTING, TWO_YEARS_DAYS, RatioStats
from desktop.evidence import Strip
from desktop.market.known import Unknown
from desktop.market.sessions import NYSE
from desktop.presenters.words import NOT_KNOWN, day, ordinal, plain, signed
from desktop.snapshot import DEMO_LABEL, Mode, Snapshot


def cautions(snapshot: Snapshot) -> tuple[str, ...]:
    """Every caution that holds, most important first; empty where there is none."""
    found = [of_demo(snapshot), of_store(snapshot)]
    ratio, divergence, correlation = snapshot.ratio, snapshot.divergence, snapshot.correlation
    if not isinstance(divergence, Unknown):
        found += [of_rank(divergence), *divergence.notes]
    if not isinstance(ratio, Unknown):
        found += [of_reversion(snapshot, ratio), of_unit_root(ratio)]
    if not isinstance(correlation, Unknown):
        found += [of_universe(snapshot, correlation), of_implied(snapshot, correlation)]
    return tuple(one for one in found if one)


def of_demo(snapshot: Snapshot) -> str:
    """Say that nothing here was recorded."""
    return f"{DEMO_LABEL}: nothing here is a recorded price" if snapshot.mode is Mode.DEMO else ""


def of_store(snapshot: Snapshot) -> str:
    """Say how far the closes lag behind the moment of the report."""
    missing = snapshot.stale_days
    if not missing or not len(snapshot.history.pair):
        return ""
    last = day(snapshot.history.pair.day(-1))
    return (
        f"stale: the store's closes end {last}, {missing:,} session{'s' if missing != 1 else ''} before "
        f"{day(snapshot.history.day)}; refresh, or import newer files"
    )


def of_rank(stats: DivergenceStats) -> str:
    """Correct who takes a very large day for the largest ever."""
    if not isinstance(stats.rank, Rank) or not 1 < stats.rank.rank <= len(stats.largest):
        return ""
    first = stats.largest[0]
    return (
        f"not the largest ever: {ordinal(stats.rank.rank)} of {stats.rank.n:,} days, "
        f"the largest was {signed(first.spread_pp, 2, ' pp')} on {day(first.date)}"
    )


def of_reversion(snapshot: Snapshot, stats: RatioStats) -> str:
    """Say where the half-life does not vouch for a return to the mean."""
    fit = f"fit of {stats.half_life_n:,} days"
    if isinstance(stats.half_life_days, Unknown):
        return f"{NOT_REVERTING}: no half-life, {stats.half_life_days.reason} ({fit})"
    known = f"half-life {plain(stats.half_life_days, 0)} trading days ({fit})"
    if stats.half_life_days > TWO_YEARS_DAYS:
        return f"{NOT_REVERTING}: {known}"
    interval = snapshot.half_life
    if isinstance(interval, Unknown):
        return ""
    low, high = interval.days_low, interval.days_high
    if not isinstance(high, Unknown) and high <= TWO_YEARS_DAYS:
        return ""
    ends = [NOT_KNOWN if isinstance(one, Unknown) else plain(one, 0) for one in (low, high)]
    return f"reversion is not sure: {known}, {interval.level:.0%} interval {ends[0]} to {ends[1]}"


def of_unit_root(stats: RatioStats) -> str:
    """Say where the test for a unit root finds no reversion."""
    if isinstance(stats.adf, Unknown) or stats.adf.p <= 0.05:
        return ""
    return f"no evidence of reversion: ADF p {plain(stats.adf.p, 2)} over {stats.adf.n:,} days"


def of_universe(snapshot: Snapshot, stats: CorrelationStats) -> str:
    """Say where the correlation of stocks is not that of the last session."""
    return _old("the universe's closes end", stats.date, snapshot)


def of_implied(snapshot: Snapshot, stats: CorrelationStats) -> str:
    """Say where implied correlation is not that of the last session."""
    return "" if stats.implied_date is None else _old("COR1M is that of", stats.implied_date, snapshot)


def _old(what: str, last: date, snapshot: Snapshot) -> str:
    missing = len(NYSE.days(last, snapshot.history.day)) - 1
    if missing <= 0:
        return ""
    sessions = f"{missing:,} session{'s' if missing != 1 else ''}"
    return f"{what} {day(last)}, {sessions} before {day(snapshot.history.day)}"


# What belongs to the evidence of a claim

FLATTERS = "days chosen by a fall of the short leg flatter the trade"
SHORT_LEG = "conditioning on the short leg flatters"
_RULES = {DayRule.OLD_RATE: "at the old rate", DayRule.NEW_RATE: "at the new rate"}


def of_rule(study: EventStudy) -> str:
    """Say how the answer moves with the rule that names the events."""
    others = "; ".join(_under(one) for one in study.sensitivity[1:])
    return f"the answer moves with the rule: {others}" if others else ""


def _under(other: Sensitivity) -> str:
    means = ", ".join(
        f"{one.horizon_days} d {signed(one.mean_pct, 2, ' %')}"
        for one in other.summaries
        if not isinstance(one.mean_pct, Unknown)
    )
    return f"{other.rule.name}: n {other.n_events}, mean {means}"


def of_slope(stats: TwoYear) -> str:
    """Say how stable the sign of the slope is."""
    (below, above), (clearly_below, clearly_above) = stats.years_by_sign, stats.clear_years_by_sign
    if not below or not above:
        return f"the same sign in all {below + above} years" if below or above else ""
    return (
        f"the sign is unstable: negative in {below} years (clearly in {clearly_below}), "
        f"positive in {above} (clearly in {clearly_above})"
    )


def priced(path: FedPath) -> tuple[MeetingOdds, ...]:
    """The meetings up to the last one that is priced; all where none is."""
    known = [n for n, one in enumerate(path.meetings, start=1) if not isinstance(one.expected_rate_pct, Unknown)]
    return path.meetings[: known[-1]] if known else path.meetings


def of_path(path: FedPath, strip: Strip | Unknown) -> tuple[str, ...]:
    """Say of which days the prices are, how much the day rule matters, and what is not priced."""
    told = []
    if not isinstance(strip, Unknown):
        days = day(strip.last) if strip.first == strip.last else f"{day(strip.first)} to {day(strip.last)}"
        told.append(f"{path.n_months} contract months, prices of {days}")
    shown = priced(path)
    shifts = [one.other_rule_shift for one in shown if not isinstance(one.other_rule_shift, Unknown)]
    if shifts:
        told.append(
            f"the decision day counts {_RULES[path.rule]}; {_RULES[path.rule.other]} up to "
            f"{max(shifts):.0%} of a meeting's odds would lie elsewhere"
        )
    if left := len(path.meetings) - len(shown):
        told.append(f"{left} later meetings are not priced")
    return tuple(told)


def of_betas(found: Declines) -> tuple[str, ...]:
    """Tell the beta of the pair on NDX by condition."""
    return tuple(
        f"beta of the pair on NDX, {one.condition}: "
        + (
            f"{NOT_KNOWN}, n {one.n:,}"
            if isinstance(one.beta, Unknown) or isinstance(one.se, Unknown)
            else f"{signed(one.beta, 2)} ± {plain(one.se, 2)}, n {one.n:,}"
        )
        for one in found.betas
    )
