"""What both the text and the page tell: the presenters' words, in the order of a reader's questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from desktop.analytics.divergence import DivergenceStats
from desktop.analytics.ratio import RatioStats
from desktop.market.known import Unknown
from desktop.presenters.curves import Curves
from desktop.presenters.divergence import present_divergence
from desktop.presenters.gauge import present_gauge
from desktop.presenters.header import present_header, schedule_words
from desktop.presenters.ratio import present_ratio
from desktop.presenters.words import MINUS, NEW_YORK, NOT_KNOWN, clock_et, day, signed, span
from desktop.report.cautions import cautions
from desktop.snapshot import Mode, Snapshot
from widgets.states import DivergenceState, GaugeState, HeaderState, RatioState, Text, Tone

TITLE = "Rotation Monitor"
SUBTITLE = "long Russell 2000 / short Nasdaq-100"


@dataclass(frozen=True, slots=True)
class Told:
    """One snapshot in words and curves.

    `mode` says what is not live about it, None where `as_of` says it all. `answers` holds question, answer and
    what belongs to it; `extremes` a heading, then date and spread of each day.
    """

    as_of: str
    mode: Text | None
    answers: tuple[tuple[str, Text, Text], ...]
    cautions: tuple[str, ...]
    ratio: RatioState
    divergence: DivergenceState
    gauge: GaugeState
    extremes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    sources: tuple[str, ...]


def tell(snapshot: Snapshot) -> Told:
    """Put a snapshot into words."""
    curves = Curves()
    header = present_header(snapshot, refreshing=False, refreshed_at=None, note="")
    divergence = present_divergence(snapshot, curves)
    return Told(
        as_of=_as_of(snapshot.moment),
        mode=None if snapshot.mode is Mode.AS_OF else header.mode,
        answers=_answers(snapshot, header),
        cautions=tuple(dict.fromkeys((*cautions(snapshot), *(one.text for one in divergence.warnings)))),
        ratio=present_ratio(snapshot, curves, stop=None, target=None),
        divergence=divergence,
        gauge=present_gauge(snapshot, curves),
        extremes=() if isinstance(snapshot.divergence, Unknown) else _extremes(snapshot.divergence),
        sources=_sources(snapshot),
    )


def _as_of(moment: datetime) -> str:
    local = moment.astimezone(NEW_YORK)
    return f"as of {local:%a} {day(local)} {clock_et(moment)} ({moment:%Y-%m-%d %H:%M:%S} UTC)"


def _answers(snapshot: Snapshot, header: HeaderState) -> tuple[tuple[str, Text, Text], ...]:
    """The four questions, with what stands beside each answer: the reason where there is none."""
    regime = replace(header.regime, text=header.regime.text.removeprefix("REGIME "))
    answers = (
        (_dated("NDX / RUT", snapshot.ratio), header.ratio, header.ratio_change),
        (_dated(f"RUT {MINUS} NDX", snapshot.divergence), header.spread, header.spread_rank),
        ("Regime", regime, Text(regime.why.split(". ")[0], Tone.DIM)),
        ("Next release", header.release, header.release_in),
    )
    return tuple(
        (question, answer, Text(answer.why, Tone.DIM) if answer.text == NOT_KNOWN else beside)
        for question, answer, beside in answers
    )


def _dated(what: str, stats: RatioStats | DivergenceStats | Unknown) -> str:
    return what if isinstance(stats, Unknown) else f"{what} {day(stats.date)}"


def _extremes(stats: DivergenceStats) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    since = day(stats.since)
    return tuple(
        (f"{which} since {since}", tuple((day(one.date), signed(one.spread_pp, 2, " pp")) for one in days))
        for which, days in (("Largest", stats.largest), ("Smallest", stats.smallest))
    )


def _sources(snapshot: Snapshot) -> tuple[str, ...]:
    """What the figures rest on, and to which date each reaches."""
    told = []
    ratio, correlation, regime = snapshot.ratio, snapshot.correlation, snapshot.regime
    if not isinstance(ratio, Unknown):
        pair = snapshot.history.pair
        told.append(f"NDX and RUT: {len(pair):,} common closes, {day(pair.day(0))} to {day(pair.day(-1))}")
    if not isinstance(correlation, Unknown):
        told.append(f"Correlation of {correlation.n_stocks} stocks: closes to {day(correlation.date)}")
        if correlation.implied_date is not None:
            told.append(f"COR1M (Cboe): to {day(correlation.implied_date)}")
    if not isinstance(regime, Unknown):
        told.append(f"Regime: flags of {day(regime.date)}")
    for one in snapshot.feed:
        age = "age unknown" if isinstance(one.age_s, Unknown) else f"{span(one.age_s)} old"
        told.append(f"Quotes of {one.source}: {one.state.value}, {age}")
    told.append(f"Release {schedule_words(snapshot)}")
    return tuple(told)
