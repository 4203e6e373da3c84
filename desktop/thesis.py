"""The claims of the idea, each held against its evidence: for, against, mixed or unknown.

A verdict needs a number and an n; without them it is unknown. Every rule stands here in words and in code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from desktop.analytics.divergence import Rank
from desktop.analytics.events import Outcome
from desktop.analytics.flow import OLD_DAYS, Figure
from desktop.analytics.rates import DayRule, FedPath
from desktop.analytics.ratio import TWO_YEARS_DAYS, Extreme
from desktop.analytics.regime import FLAG_NAMES, WORDS, State
from desktop.analytics.seasonality import SIGNIFICANT, Contrast
from desktop.evidence import Strip
from desktop.market.known import Maybe, Unknown
from desktop.market.sessions import NYSE, new_york, trading_day
from desktop.snapshot import Snapshot
from desktop.typed_figures import TYPED


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    FOR = "for"
    AGAINST = "against"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Side(StrEnum):
    """On which side of its kill level a claim is given up."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Measure:
    """The one number a claim is followed by: its unit (as words read it), digits, and the side that kills it."""

    unit: str
    digits: int
    kills: Side
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim and its evidence at a moment.

    `value` is the number of `measure`; `words` tell it with its error and n. `next_update` (UTC) is when something
    new can be known, None where nothing is scheduled. `note` says what has to be known beside the verdict.
    """

    id: str
    claim: str
    verdict: Verdict
    value: Maybe
    measure: Measure
    words: str
    as_of: date | None
    source: str
    next_update: datetime | None
    note: str

    def killed(self, level: float | None) -> bool:
        """Whether the number lies beyond `level`."""
        if level is None or isinstance(self.value, Unknown):
            return False
        return self.value > level if self.measure.kills is Side.ABOVE else self.value < level


RATIO = Measure("", 3, Side.ABOVE)
MEASURES: Mapping[str, Measure] = {
    "stretched": RATIO,
    "mean_reversion": Measure("p", 2, Side.ABOVE),
    "divergence_rare": Measure("pp", 2, Side.BELOW, signed=True),
    "continued": Measure("%", 2, Side.BELOW, signed=True),
    "correlations_low": Measure("", 2, Side.ABOVE),
    "orderly": Measure("VIX", 2, Side.ABOVE),
    "cuts_priced": Measure("bp", 0, Side.ABOVE, signed=True),
    "two_year_explains": Measure("%", 1, Side.BELOW, signed=True),
    "under_owned": Measure("z", 1, Side.BELOW, signed=True),
    "flow_asymmetry": Measure("companies", 1, Side.BELOW),
    "mega_cap_contribution": Measure("pp", 2, Side.ABOVE, signed=True),
    "election_july_august": Measure("%", 1, Side.BELOW, signed=True),
    "election_october": Measure("%", 1, Side.BELOW, signed=True),
    "fall_less": Measure("pp", 1, Side.BELOW, signed=True),
    "valuation_gap": Measure("×", 2, Side.BELOW),
}
"""Every claim, in the order of the board."""

FRESH_DAYS: Mapping[str, int] = {
    **dict.fromkeys(("stretched", "mean_reversion", "divergence_rare", "correlations_low", "orderly"), 7),
    **dict.fromkeys(("cuts_priced", "two_year_explains", "mega_cap_contribution"), 7),
    "under_owned": 21,
    **dict.fromkeys(("continued", "election_july_august", "election_october", "fall_less"), 92),
    "valuation_gap": OLD_DAYS,
}
"""How old the data of a claim may be, in days of the calendar, for a verdict."""

_RARE, _UNUSUAL = 0.01, 0.05
_LOW, _HIGH = 0.25, 0.75
_LEAST_BP = 5.0
_MOST_OF_IT = 0.25
_LEAST_DECLINES, _MOSTLY = 5, 0.65
_PAIR_SCORE = 1.0
_MEETINGS_AHEAD = 3
_RULE_MATTERS = 0.005
_LAGGED = 0.5
_DEARER = 1.1


def claims(snapshot: Snapshot) -> tuple[Claim, ...]:
    """Judge every claim at the moment of `snapshot`."""
    today = trading_day(snapshot.moment)
    return tuple(_fresh(judge(snapshot), today) for judge in _JUDGES)


def _fresh(claim: Claim, today: date) -> Claim:
    """The claim, without a verdict where its data ended too long ago."""
    most = FRESH_DAYS.get(claim.id)
    if claim.as_of is None or most is None or (today - claim.as_of).days <= most:
        return claim
    note = f"its data end on {claim.as_of}: too old for a verdict"
    return replace(claim, verdict=Verdict.UNKNOWN, note=f"{note}. {claim.note}" if claim.note else note)


def counts(judged: tuple[Claim, ...]) -> Mapping[Verdict, int]:
    """How many claims have each verdict."""
    return {verdict: sum(one.verdict is verdict for one in judged) for verdict in Verdict}


# What the judges share


def _claim(
    key: str,
    words_of_it: str,
    verdict: Verdict,
    value: Maybe,
    words: str,
    *,
    as_of: date | None,
    source: str,
    next_update: datetime | None,
    note: str = "",
) -> Claim:
    if isinstance(value, Unknown):
        verdict, words, note = Verdict.UNKNOWN, "n/a", value.reason + (f". {note}" if note else "")
    return Claim(key, words_of_it, verdict, value, MEASURES[key], words, as_of, source, next_update, note)


def _missing(key: str, words_of_it: str, reason: str, source: str) -> Claim:
    unknown = Unknown(reason)
    return _claim(key, words_of_it, Verdict.UNKNOWN, unknown, "", as_of=None, source=source, next_update=None)


def _next_close(snapshot: Snapshot) -> datetime:
    """When official closes are known next: at the close of the session under way, or of the next one."""
    moment = snapshot.moment
    running = NYSE.last_started(moment)
    return running.close if moment < running.close else NYSE.next_open(moment).close


def _next_friday(moment: datetime) -> datetime:
    """When the next report of the CFTC is due: Friday 15:30 New York; holidays may move it."""
    local = moment.astimezone(new_york)
    day = local.date() + timedelta(days=(4 - local.weekday()) % 7)
    due = datetime.combine(day, time(15, 30), new_york)
    return due if due > local else due + timedelta(days=7)


def _published(snapshot: Snapshot, due: datetime) -> datetime:
    """When the next report of the CFTC is due; where the one that was due has not arrived, the next Friday's."""
    return due if due > snapshot.moment else _next_friday(snapshot.moment)


def _three(positive: bool, negative: bool) -> Verdict:
    return Verdict.FOR if positive else Verdict.AGAINST if negative else Verdict.MIXED


# The judges, in the order of the board


def _stretched(s: Snapshot) -> Claim:
    """For: above the 1999-2001 peak on prices and with dividends; against: below it on prices."""
    key, words_of_it = "stretched", "Stretched past 2000 peak"
    stats, total = s.ratio, s.evidence.total_return
    if isinstance(stats, Unknown):
        return _missing(key, words_of_it, stats.reason, "official closes")
    peak = stats.dotcom_peak
    if not isinstance(peak, Extreme):
        return _missing(key, words_of_it, peak.reason, "official closes")
    above = stats.value > peak.value
    verdict = Verdict.FOR if above else Verdict.AGAINST
    note = ""
    if not isinstance(total, Unknown) and not isinstance(total.total_excess_pct, Unknown):
        to = f", to {total.date}" if total.date < s.history.day else ""
        note = f"with dividends (IWM, QQQ{to}) it stands {total.total_excess_pct:+.1f} % beyond its peak"
        if above and not isinstance(total.dividends_share, Unknown) and total.dividends_share > 0.5:
            verdict, note = Verdict.MIXED, f"{note}: dividends explain {total.dividends_share:.0%} of the excess"
    elif above:
        verdict, note = Verdict.MIXED, "with dividends: not known, and they explain much of such an excess"
    return _claim(
        key,
        words_of_it,
        verdict,
        stats.value,
        f"{stats.value:.2f} vs {peak.value:.2f}, n {stats.n_days:,}",
        as_of=stats.date,
        source="official closes of ^NDX and ^RUT; IWM and QQQ adjusted",
        next_update=_next_close(s),
        note=note,
    )


def _mean_reversion(s: Snapshot) -> Claim:
    """For: unit root rejected at 5 % and a half-life within two years; against: neither."""
    key, words_of_it = "mean_reversion", "The ratio reverts"
    stats = s.ratio
    if isinstance(stats, Unknown) or isinstance(stats.adf, Unknown):
        why = stats.reason if isinstance(stats, Unknown) else getattr(stats.adf, "reason", "")
        return _missing(key, words_of_it, why, "official closes")
    days = stats.half_life_days
    reverts = not isinstance(days, Unknown) and days <= TWO_YEARS_DAYS
    rejected = stats.adf.p <= SIGNIFICANT
    half_life = "none" if isinstance(days, Unknown) else f"{days:,.0f} d"
    notes = [] if rejected else ["a half-life is fitted to any series: the test does not reject a random walk"]
    pairs = s.evidence.cointegration
    if not isinstance(pairs, Unknown):
        both = (pairs.first_on_second.p, pairs.second_on_first.p)
        found = "legs tied together" if max(both) <= SIGNIFICANT else "no tie between the legs is shown"
        notes.append(f"Engle-Granger p {both[0]:.2f} and {both[1]:.2f}: {found}")
    return _claim(
        key,
        words_of_it,
        _three(rejected and reverts, not rejected and not reverts),
        stats.adf.p,
        f"ADF p {stats.adf.p:.2f}, half-life {half_life}, n {stats.adf.n:,}",
        as_of=stats.date,
        source="official closes; augmented Dickey-Fuller, AR(1) of five years, Engle-Granger",
        next_update=_next_close(s),
        note="; ".join(notes),
    )


def _divergence_rare(s: Snapshot) -> Claim:
    """For: among the largest 1 % of days; mixed: the largest 5 %; against: not."""
    key, words_of_it = "divergence_rare", "Divergence rare"
    stats = s.divergence
    if isinstance(stats, Unknown):
        return _missing(key, words_of_it, stats.reason, "prices")
    rank = stats.rank
    if not isinstance(rank, Rank):
        return _missing(key, words_of_it, rank.reason, "prices")
    share = rank.rank / rank.n
    return _claim(
        key,
        words_of_it,
        _three(share <= _RARE, share > _UNUSUAL),
        stats.spread_pp,
        f"rank {rank.rank:,} of {rank.n:,} days",
        as_of=stats.date,
        source="moves from the prior close since 1987",
        next_update=_next_close(s),
        note="" if rank.rank > 1 else "the largest day of the history",
    )


def _continued(s: Snapshot) -> Claim:
    """For, against: an interval off zero and a placebo p of at most 5 %; mixed: chance is not ruled out."""
    key, words_of_it = "continued", "Large gaps go on"
    study = s.evidence.events
    if isinstance(study, Unknown):
        return _missing(key, words_of_it, study.reason, "official closes")
    outcome = next((one for one in study.outcomes if one.summary.horizon_days == 20), None)
    if outcome is None or isinstance(outcome.ci95_pct, Unknown) or isinstance(outcome.placebo_p, Unknown):
        return _missing(key, words_of_it, "too few events for an interval", "official closes")
    low, high = outcome.ci95_pct
    told = outcome.placebo_p <= SIGNIFICANT
    return _claim(
        key,
        words_of_it,
        _three(told and low > 0, told and high < 0),
        outcome.summary.mean_pct,
        _event_words(outcome, low, high),
        as_of=study.until,
        source="event study: days at 3σ or more, 20 sessions on",
        next_update=_next_close(s),
        note="" if told else f"cannot be told from chance (placebo p {outcome.placebo_p:.2f})",
    )


def _event_words(outcome: Outcome, low: float, high: float) -> str:
    return f"20 d {outcome.summary.mean_pct:+.1f} % ({low:+.1f} to {high:+.1f}), n {outcome.summary.n}"


def _correlations_low(s: Snapshot) -> Claim:
    """For: realised and implied both in their lowest quarter; against: either in its highest.

    What is older than the claim's data may be says nothing of today.
    """
    key, words_of_it = "correlations_low", "Correlations at lows"
    stats = s.correlation
    if isinstance(stats, Unknown):
        return _missing(key, words_of_it, stats.reason, "closes of the universe")
    day = s.history.day
    places = {
        "the universe ends": (stats.percentile_1y, stats.date),
        "COR1M ends": (stats.implied_percentile, stats.implied_date or day),
    }
    old = [f"{what} on {of}" for what, (_, of) in places.items() if of < day]
    known = [
        place
        for place, of in places.values()
        if not isinstance(place, Unknown) and (day - of).days <= FRESH_DAYS[key]
    ]
    verdict = Verdict.UNKNOWN
    if known and (len(known) == len(places) or max(known) >= _HIGH):
        verdict = _three(max(known) <= _LOW, max(known) >= _HIGH)
    implied = stats.implied_percentile
    words = f"{_number(stats.mean_pairwise[21], 2)}, n {stats.n_stocks}"
    if not isinstance(stats.implied_cor1m, Unknown) and not isinstance(implied, Unknown):
        words += f" · COR1M {stats.implied_cor1m:.2f}, {100 * implied:.1f} pct"
    missing = [place.reason for place, _ in places.values() if isinstance(place, Unknown)]
    return _claim(
        key,
        words_of_it,
        verdict,
        stats.mean_pairwise[21],
        words,
        as_of=stats.date,
        source="21-day mean pairwise correlation of the universe; Cboe COR1M",
        next_update=_next_close(s),
        note="; ".join(old + missing),
    )


def _orderly(s: Snapshot) -> Claim:
    """For: orderly; mixed: violent rotation; against: risk-off or de-grossing."""
    key, words_of_it = "orderly", "Rotation orderly"
    regime = s.regime
    if isinstance(regime, Unknown):
        return _missing(key, words_of_it, regime.reason, "regime votes")
    verdicts = {
        State.ORDERLY: Verdict.FOR,
        State.VIOLENT_ROTATION: Verdict.MIXED,
        State.RISK_OFF: Verdict.AGAINST,
        State.DE_GROSSING: Verdict.AGAINST,
    }
    vix = regime.readings.vix
    level = "" if isinstance(vix, Unknown) else f", VIX {vix:.2f}"
    votes = [getattr(regime.flags, name) for name in FLAG_NAMES]
    n = sum(not isinstance(vote, Unknown) for vote in votes)
    return _claim(
        key,
        words_of_it,
        verdicts.get(regime.state, Verdict.UNKNOWN),
        vix,
        f"{WORDS[regime.state]}{level}, {n} of {len(votes)} votes known",
        as_of=regime.date,
        source="four votes: correlation, volatility, both legs, momentum",
        next_update=_next_close(s),
        note=regime.why,
    )


def _cuts_priced(s: Snapshot) -> Claim:
    """For: futures price cuts of 5 bp or more within three meetings; against: hikes of as much."""
    key, words_of_it = "cuts_priced", "Market prices cuts"
    source = "fed funds futures"
    found = s.evidence.rates
    path, strip = (found, found) if isinstance(found, Unknown) else (found.path, found.strip)
    if isinstance(path, Unknown) or isinstance(strip, Unknown):
        return _missing(key, words_of_it, path.reason if isinstance(path, Unknown) else "no prices", source)
    ahead = path.meetings[:_MEETINGS_AHEAD]
    first = ahead[0]
    last = next((one for one in reversed(ahead) if not isinstance(one.cumulative_bp, Unknown)), first)
    bp = last.cumulative_bp
    words = "" if isinstance(bp, Unknown) else f"{bp:+.0f} bp by {last.meeting.day} {last.meeting:%b %Y}"
    if not isinstance(first.steps, Unknown):
        cut = sum(one.p for one in first.steps if one.change_bp < 0)
        words += f" · cut on {first.meeting.day} {first.meeting:%b} {cut:.0%}"
    words += f", n {path.n_months} contracts"
    return _claim(
        key,
        words_of_it,
        Verdict.UNKNOWN if isinstance(bp, Unknown) else _three(bp <= -_LEAST_BP, bp >= _LEAST_BP),
        bp,
        words,
        as_of=strip.last,
        source=source,
        next_update=_next_close(s),
        note="; ".join(filter(None, (_oldest(strip), _by_rule(path)))),
    )


def _oldest(strip: Strip) -> str:
    return "" if strip.first == strip.last else f"the oldest of its prices is of {strip.first}"


def _by_rule(path: FedPath) -> str:
    """How much it matters how the day of the decision counts; silent where it does not."""
    moved = [one for one in path.meetings[:_MEETINGS_AHEAD] if not isinstance(one.other_rule_shift, Unknown)]
    most = max(moved, key=lambda one: _or_zero(one.other_rule_shift), default=None)
    if most is None or _or_zero(most.other_rule_shift) < _RULE_MATTERS:
        return ""
    counted = "not counted" if path.rule is DayRule.OLD_RATE else "counted"
    return (
        f"decision day {counted} at the new rate; the other rule moves {_or_zero(most.other_rule_shift):.0%} "
        f"of the odds of {most.meeting.day} {most.meeting:%b}"
    )


def _or_zero(value: Maybe) -> float:
    return 0.0 if isinstance(value, Unknown) else value


def _two_year_explains(s: Snapshot) -> Claim:
    """For: a clear slope that explains a quarter of the day or more; against: no clear slope; mixed: a part."""
    key, words_of_it = "two_year_explains", "Rates explain the move"
    source = "DGS2; regression on 252 days, Newey-West"
    found = s.evidence.rates
    stats = found if isinstance(found, Unknown) else found.two_year
    if isinstance(stats, Unknown):
        return _missing(key, words_of_it, stats.reason, source)
    share = stats.attribution.share
    if isinstance(share, Unknown) or isinstance(stats.slope.beta, Unknown):
        reason = share.reason if isinstance(share, Unknown) else "no slope"
        return _missing(key, words_of_it, reason, source)
    low, high = stats.attribution.share_low, stats.attribution.share_high
    interval = "" if isinstance(low, Unknown) or isinstance(high, Unknown) else f" ({low:.0%} to {high:.0%})"
    negative, positive = stats.clear_years_by_sign
    return _claim(
        key,
        words_of_it,
        _three(stats.slope.clear and share >= _MOST_OF_IT, not stats.slope.clear),
        100.0 * share,
        f"{share:.0%} of it{interval}, n {stats.slope.n}",
        as_of=stats.date,
        source=source,
        next_update=_evening(s),
        note=f"the sign is unstable: {negative} years clearly negative, {positive} clearly positive",
    )


def _evening(s: Snapshot) -> datetime:
    """When the next yield is published: the evening of the next session."""
    local = _next_close(s).astimezone(new_york)
    return datetime.combine(local.date(), time(18, 0), new_york)


def _under_owned(s: Snapshot) -> Claim:
    """For: leveraged funds lean one σ or more to NQ against RTY; against: one σ or more the other way."""
    key, words_of_it = "under_owned", "Small caps under-owned"
    source = "CFTC TFF, futures only"
    found = s.evidence.positioning
    if isinstance(found, Unknown):
        return _missing(key, words_of_it, found.reason, source)
    latest = found.latest
    score, nq, rty = latest.pair_score, latest.nq.leveraged_z, latest.rty.leveraged_z
    words = ""
    if not isinstance(nq, Unknown) and not isinstance(rty, Unknown):
        words = f"z NQ {nq:+.1f}, RTY {rty:+.1f}, n {latest.rty.n}"
    return _claim(
        key,
        words_of_it,
        Verdict.UNKNOWN if isinstance(score, Unknown) else _three(score >= _PAIR_SCORE, score <= -_PAIR_SCORE),
        score,
        words,
        as_of=latest.report_date,
        source=source,
        next_update=_published(s, found.next_due),
        note="; ".join(latest.notes),
    )


def _flow_asymmetry(s: Snapshot) -> Claim:
    """A figure, not a test: no verdict."""
    key, words_of_it = "flow_asymmetry", "Flow asymmetry"
    found = s.evidence.flow
    if isinstance(found, Unknown):
        return _missing(key, words_of_it, found.reason, "typed figures")
    figures = [figure for _, figure in found.inputs.figures()]
    typed = sum(one.source == TYPED for one in figures)
    old = found.inputs.cautions(trading_day(s.moment))
    notes = (f"arithmetic, no test. {found.plainly}", f"{len(old)} of its figures are old" if old else "")
    return _claim(
        key,
        words_of_it,
        Verdict.UNKNOWN,
        found.median_companies,
        f"{100 * found.inputs.share.value:.3g}% of the largest = {found.median_companies:.1f} median companies",
        as_of=min(one.dated for one in figures),
        source=f"{typed} of {len(figures)} figures typed, the others assumed and round"
        if typed
        else "assumed round figures",
        next_update=None,
        note=" ".join(filter(None, notes)),
    )


def _mega_cap(s: Snapshot) -> Claim:
    """For: the seven made more of NDX's move than their weight; against: half of that or less.

    A move of NDX under 0.25 % has no verdict: there is nothing to share.
    """
    key, words_of_it = "mega_cap_contribution", "Seven names move NDX"
    found = s.evidence.mega_caps
    if isinstance(found, Unknown):
        return _missing(key, words_of_it, found.reason, "weights as typed, moves of the seven and of NDX")
    made, moves, weights = found.found, found.moves, found.weights
    share = made.share
    words = f"{made.points_pp:+.2f} pp of {made.index_pct:+.2f} %, weight {made.weight:.0%}, n {len(made.parts)}"
    verdict, notes = Verdict.UNKNOWN, ["one day is one day"]
    if isinstance(share, Unknown):
        notes.append(share.reason)
    else:
        verdict = _three(share >= made.weight, share <= _LAGGED * made.weight)
        notes.append(f"they made {share:.0%} of the move")
    age_days = (moves.day - weights.dated).days
    if age_days > OLD_DAYS:
        notes.append(f"the weights are of {weights.dated}, {age_days} days old")
    return _claim(
        key,
        words_of_it,
        verdict,
        made.points_pp,
        words,
        as_of=moves.day,
        source=f"weights typed, of {weights.dated}; {moves.source}",
        next_update=_next_close(s),
        note="; ".join(notes),
    )


def _election(key: str, words_of_it: str, s: Snapshot, pick: Callable[[Snapshot], Contrast | Unknown]) -> Claim:
    """For: significant after looking at twelve months; mixed: alone; against: not."""
    source = "VIX by month, election years against others"
    contrast = pick(s)
    if isinstance(contrast, Unknown):
        return _missing(key, words_of_it, contrast.reason, source)
    if isinstance(contrast.p, Unknown) or isinstance(contrast.difference, Unknown):
        reason = contrast.p.reason if isinstance(contrast.p, Unknown) else "no difference"
        return _missing(key, words_of_it, reason, source)
    higher = contrast.difference > 0 and contrast.p <= SIGNIFICANT
    strong = higher and not isinstance(contrast.p_max, Unknown) and contrast.p_max <= SIGNIFICANT
    rises = f"{contrast.up} of {contrast.n_election} against {contrast.other_up} of {contrast.n_other}"
    return _claim(
        key,
        words_of_it,
        _three(strong, not higher),
        100.0 * contrast.difference,
        f"{rises}, p {contrast.p:.2f}",
        as_of=None if isinstance(s.evidence.seasonality, Unknown) else s.evidence.seasonality.until,
        source=source,
        next_update=_next_close(s),
        note=contrast.reads,
    )


def _election_july(s: Snapshot) -> Claim:
    season = s.evidence.seasonality
    return _election(
        "election_july_august",
        "Jul-Aug election vol",
        s,
        lambda _: season if isinstance(season, Unknown) else season.jul_aug,
    )


def _election_october(s: Snapshot) -> Claim:
    season = s.evidence.seasonality
    return _election(
        "election_october",
        "October election vol",
        s,
        lambda _: season if isinstance(season, Unknown) else season.oct,
    )


def _fall_less(s: Snapshot) -> Claim:
    """For: in 65 % of five or more large declines; against: in 35 % or fewer."""
    key, words_of_it = "fall_less", "Small caps fall less"
    found = s.evidence.declines
    table = found if isinstance(found, Unknown) else found.table
    if isinstance(table, Unknown):
        return _missing(key, words_of_it, table.reason, "declines of 10 % or more")
    n, holds = len(table.rows), table.holds_in
    if n < _LEAST_DECLINES:
        return _missing(key, words_of_it, f"{n} declines are too few for a verdict", table.benchmark)
    mean_pp = sum(row.spread_pp for row in table.rows) / n
    assert not isinstance(found, Unknown)
    capture = found.down_capture
    return _claim(
        key,
        words_of_it,
        _three(holds / n >= _MOSTLY, holds / n <= 1 - _MOSTLY),
        mean_pp,
        f"{holds} of {n} declines, mean {mean_pp:+.1f} pp",
        as_of=found.until,
        source=f"declines of the {table.benchmark}",
        next_update=_next_close(s),
        note=f"down-capture {_number(capture.value, 2)} (n {capture.n:,}); days of a falling NDX flatter it",
    )


def _valuation(s: Snapshot) -> Claim:
    """For: QQQ's P/E 10 % or more above IWM's; against: below it; mixed: between."""
    key, words_of_it, source = "valuation_gap", "Tech dearer", "P/E of QQQ over IWM"
    today = trading_day(s.moment)
    qqq, iwm = (_seen(one, today) for one in (s.evidence.figures.pe_qqq, s.evidence.figures.pe_iwm))
    if isinstance(qqq, Unknown) or isinstance(iwm, Unknown):
        reason = "; ".join(one.reason for one in (qqq, iwm) if isinstance(one, Unknown))
        return _missing(key, words_of_it, reason, source)
    times = qqq.value / iwm.value
    notes = ["funds differ in how they count companies that lose money: leaving them out makes small caps cheaper"]
    if qqq.dated != iwm.dated:
        notes.append(f"QQQ of {qqq.dated}, IWM of {iwm.dated}")
    return _claim(
        key,
        words_of_it,
        _three(times >= _DEARER, times < 1),
        times,
        f"P/E {qqq.value:.1f} vs {iwm.value:.1f}, n 2 funds",
        as_of=min(qqq.dated, iwm.dated),
        source=f"{source}, typed",
        next_update=None,
        note="; ".join(notes),
    )


def _seen(figure: Figure | Unknown, day: date) -> Figure | Unknown:
    """The figure as known on `day`."""
    if isinstance(figure, Unknown) or figure.dated <= day:
        return figure
    return Unknown(f"a P/E typed is of {figure.dated}, after {day}: type that of an earlier day")


def _number(value: Maybe, digits: int) -> str:
    return "n/a" if isinstance(value, Unknown) else f"{value:.{digits}f}"


_JUDGES: tuple[Callable[[Snapshot], Claim], ...] = (
    _stretched,
    _mean_reversion,
    _divergence_rare,
    _continued,
    _correlations_low,
    _orderly,
    _cuts_priced,
    _two_year_explains,
    _under_owned,
    _flow_asymmetry,
    _mega_cap,
    _election_july,
    _election_october,
    _fall_less,
    _valuation,
)
