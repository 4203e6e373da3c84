"""The board of claims in words: verdict, number, date, and where each claim is given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from desktop.market.known import Unknown
from desktop.presenters.words import NOT_KNOWN, day, minus, moment_et, plain, signed
from desktop.settings import Settings
from desktop.thesis import RATIO, Claim, Measure, Side, Verdict, counts
from desktop.trade.typed import FieldError, parse_number
from widgets.states import ClaimRow, Text, ThesisState, Tone
from widgets.states import Verdict as Shown

_SAME_YEAR_DAYS = 300
_SHORT: Mapping[str, str] = {
    "stretched": "Stretched",
    "mean_reversion": "Reverts",
    "divergence_rare": "Rare gap",
    "continued": "Goes on",
    "correlations_low": "Low corr.",
    "orderly": "Orderly",
    "cuts_priced": "Cuts priced",
    "two_year_explains": "Rates",
    "under_owned": "Under-owned",
    "flow_asymmetry": "Flow",
    "mega_cap_contribution": "Seven names",
    "election_july_august": "Jul-Aug vol",
    "election_october": "Oct vol",
    "fall_less": "Fall less",
    "valuation_gap": "Tech dearer",
}
"""A claim in a word or two, where there is little room."""
KILL = "kill_"
"""Before a claim's id: the field of the settings that holds its kill level, as typed."""


def kill_level(settings: Settings, claim: str) -> tuple[float | None, str]:
    """The level at which `claim` is given up, and what is wrong with what was typed ("" when nothing is)."""
    typed: str = getattr(settings, KILL + claim)
    if not typed.strip():
        return None, ""
    try:
        return parse_number(typed), ""
    except FieldError as error:
        return None, error.why


def present_thesis(
    judged: Sequence[Claim], settings: Settings, news: Sequence[tuple[datetime, str]], today: date
) -> ThesisState:
    """Build the board as seen on `today`; `news` is what changed since the user last looked, newest first."""
    return ThesisState(
        rows=tuple(_row(one, settings, today) for one in judged),
        summary=_summary(tuple(judged), settings),
        news=tuple(Text(f"{moment_et(at)}: {told}", Tone.WARN) for at, told in news),
    )


def _row(claim: Claim, settings: Settings, today: date) -> ClaimRow:
    level, error = kill_level(settings, claim.id)
    why = "\n".join(filter(None, (claim.note, f"Source: {claim.source}", _next(claim))))
    unknown = isinstance(claim.value, Unknown)
    return ClaimRow(
        key=claim.id,
        claim=claim.claim,
        verdict=Shown(claim.verdict.value),
        value=Text(NOT_KNOWN if unknown else minus(claim.words), Tone.DIM if unknown else Tone.PLAIN, why),
        when=_when(claim, today),
        kill=getattr(settings, KILL + claim.id),
        kill_hint=_hint(claim),
        kill_error=error,
        killed=claim.killed(level),
        short=_SHORT.get(claim.id, ""),
    )


def _when(claim: Claim, today: date) -> Text:
    """The day of the number: without its year while that is plain."""
    if claim.as_of is None:
        return Text("")
    recent = abs((today - claim.as_of).days) < _SAME_YEAR_DAYS
    words = f"{claim.as_of.day} {claim.as_of:%b}" if recent else f"{claim.as_of:%b %Y}"
    told = f"{day(claim.as_of)}. {_next(claim)}" if _next(claim) else day(claim.as_of)
    return Text(words, Tone.DIM, told)


def _next(claim: Claim) -> str:
    return "" if claim.next_update is None else f"Next update: {moment_et(claim.next_update)}"


def _hint(claim: Claim) -> str:
    side = claim.measure.kills.value
    if isinstance(claim.value, Unknown):
        return f"given up {side} this level"
    return f"given up {side} this level; now {amount(claim.value, claim.measure)}"


def amount(value: float, measure: Measure) -> str:
    """The number of a claim with its unit: +5.82 pp, VIX 12.92, p 0.92."""
    number = (signed if measure.signed else plain)(value, measure.digits)
    before = measure.unit in ("VIX", "p", "z")
    if not measure.unit:
        return number
    return f"{measure.unit} {number}" if before else f"{number} {measure.unit}"


def _summary(judged: tuple[Claim, ...], settings: Settings) -> Text:
    found = counts(judged)
    words = [f"{found[verdict]} {verdict.value}" for verdict in Verdict if found[verdict]]
    killed = [one.claim for one in judged if one.killed(kill_level(settings, one.id)[0])]
    if killed:
        return Text(f"{' · '.join(words)} · given up: {', '.join(killed)}", Tone.BAD)
    level, _ = kill_level(settings, "stretched")
    if level is not None:
        words.append(f"kill level: ratio {Side.ABOVE.value} {plain(level, RATIO.digits)}")
    return Text(" · ".join(words), Tone.WARN)
