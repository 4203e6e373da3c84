"""The thesis and its evidence in words, for the text and the page: claims, small tables, cautions, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from desktop import thesis
from desktop.analytics.drawdowns import DrawdownMove
from desktop.analytics.events import EventStudy, Outcome, Sensitivity
from desktop.analytics.rates import MeetingOdds
from desktop.market.known import Maybe, Unknown
from desktop.presenters.evidence import EvidencePresenter
from desktop.presenters.thesis import amount
from desktop.presenters.words import NOT_KNOWN, day, minus, moment_et, plain, shown, signed
from desktop.report import cautions
from desktop.snapshot import Snapshot
from desktop.thesis import Claim, Verdict
from widgets.states import EvidenceChart, EvidenceTable, Text, Tone

KillLevels = Mapping[str, float | None]
MARKS: Mapping[Verdict, tuple[str, Tone]] = {
    Verdict.FOR: ("●", Tone.GOOD),
    Verdict.AGAINST: ("✕", Tone.BAD),
    Verdict.MIXED: ("◐", Tone.WARN),
    Verdict.UNKNOWN: ("○", Tone.DIM),
}
"""A mark and a tone go with the word of a verdict."""
_MEETINGS = 8
_YEARS = 9
_NARROW = 4
"""Columns of a table that fits into half a page."""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: what is said of it, of which day, what to mind, where it is given up, where it comes from."""

    mark: Text
    claim: str
    words: str
    when: str
    note: str
    given_up: Text
    source: str

    @property
    def dated(self) -> str:
        """The words and their day."""
        return f"{self.words} · {self.when}" if self.when else self.words


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What stands behind a claim: facts, tables, what a careful reader must not miss, and the dated source."""

    title: str
    facts: tuple[str, ...]
    tables: tuple[EvidenceTable, ...]
    cautions: tuple[str, ...]
    source: str
    chart: EvidenceChart | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether two such fit beside each other on a page."""
        history = self.chart is not None and not self.tables
        return not history and all(len(table.headers) <= _NARROW for table in self.tables)


@dataclass(frozen=True, slots=True)
class Board:
    """All claims with their evidence; `summary` counts verdicts, `sources` says what the claims rest on."""

    summary: str
    rows: tuple[Row, ...]
    exhibits: tuple[Exhibit, ...]
    sources: tuple[str, ...]


def tell_board(snapshot: Snapshot, kill_levels: KillLevels) -> Board:
    """Put the claims and their evidence into words; `kill_levels` by the id of a claim."""
    judged = thesis.claims(snapshot)
    found = thesis.counts(judged)
    return Board(
        summary=" · ".join(f"{found[verdict]} {verdict.value}" for verdict in Verdict if found[verdict]),
        rows=tuple(_row(one, kill_levels.get(one.id)) for one in judged),
        exhibits=tuple(_exhibits(snapshot, {one.id: one for one in judged})),
        sources=tuple(dict.fromkeys(f"{one.source}: to {day(one.as_of)}" for one in judged if one.as_of)),
    )


def _row(one: Claim, level: float | None) -> Row:
    sign, tone = MARKS[one.verdict]
    given_up = Text("")
    if level is not None:
        words = f"given up {one.measure.kills.value} {amount(level, one.measure)}"
        given_up = Text(f"{words}: crossed", Tone.BAD) if one.killed(level) else Text(words, Tone.DIM)
    unknown = isinstance(one.value, Unknown)
    return Row(
        mark=Text(f"{sign} {one.verdict.value}", tone),
        claim=one.claim,
        words=NOT_KNOWN if unknown else minus(one.words),
        when="" if one.as_of is None else day(one.as_of),
        note=minus(one.note),
        given_up=given_up,
        source=_source(one),
    )


def _source(one: Claim) -> str:
    when = "" if one.as_of is None else f": to {day(one.as_of)}"
    due = "" if one.next_update is None else f", next {moment_et(one.next_update)}"
    return f"{one.source}{when}{due}"


def _exhibits(snapshot: Snapshot, judged: Mapping[str, Claim]) -> Sequence[Exhibit]:
    evidence = snapshot.evidence
    made = []
    facts: tuple[str, ...]
    mind: tuple[str, ...]
    made.append(_seen(snapshot, "The ratio in price and in total return", judged["stretched"]))
    made.append(_seen(snapshot, "Does it revert?", judged["mean_reversion"]))
    if isinstance(evidence.events, EventStudy):
        study = evidence.events
        facts = (f"{len(study.events)} events of 3σ or more since {day(study.since)}",)
        mind = ("the answer moves with the rule: compare the two tables",)
        tables = _outcomes(study.outcomes), _rules(study.sensitivity)
        made.append(
            _exhibit(snapshot, "What followed large divergences", judged["continued"], facts, tables, mind)
        )
    made.append(_seen(snapshot, "Correlation and dispersion", judged["correlations_low"]))
    if not isinstance(evidence.rates, Unknown):
        path, stats = evidence.rates.path, evidence.rates.two_year
        if not isinstance(path, Unknown):
            facts = cautions.of_path(path, evidence.rates.strip)
            table = _path(cautions.priced(path)[:_MEETINGS])
            made.append(
                _exhibit(snapshot, "The path that fed funds futures price", judged["cuts_priced"], facts, (table,))
            )
        if not isinstance(stats, Unknown):
            mind = tuple(filter(None, (cautions.of_slope(stats),)))
            made.append(
                _seen(snapshot, "The 2-year yield and the spread", judged["two_year_explains"], mind, rows=_YEARS)
            )
    if not isinstance(evidence.seasonality, Unknown):
        made.append(_seen(snapshot, "The VIX in election years", judged["election_october"]))
    if not isinstance(evidence.positioning, Unknown):
        made.append(_seen(snapshot, "Positions in futures (CFTC)", judged["under_owned"]))
    if not isinstance(evidence.declines, Unknown):
        found = evidence.declines
        moves = () if isinstance(found.table, Unknown) else (_moves(found.table.rows),)
        mind = (cautions.SHORT_LEG, *(() if isinstance(found.table, Unknown) else found.table.notes))
        made.append(_seen(snapshot, "Large declines", judged["fall_less"], mind, before=moves))
    made.append(_seen(snapshot, "One percent of the largest company", judged["flow_asymmetry"]))
    made.append(_seen(snapshot, "The seven largest names", judged["mega_cap_contribution"]))
    made.append(_seen(snapshot, "Price to earnings of both funds", judged["valuation_gap"]))
    return [one for one in made if one.chart is not None or one.tables]


def _exhibit(
    snapshot: Snapshot,
    title: str,
    claim: Claim,
    facts: tuple[str, ...],
    tables: tuple[EvidenceTable, ...],
    mind: tuple[str, ...] = (),
) -> Exhibit:
    told = tuple(dict.fromkeys(filter(None, (*mind, minus(claim.note)))))
    state = EvidencePresenter().present(snapshot, claim)
    chart = None if state is None else state.chart
    return Exhibit(title, facts, tables, told, _source(claim), chart)


def _seen(
    snapshot: Snapshot,
    title: str,
    claim: Claim,
    mind: tuple[str, ...] = (),
    *,
    before: tuple[EvidenceTable, ...] = (),
    rows: int | None = None,
) -> Exhibit:
    """The exhibit that the window shows behind `claim`, with at most `rows` rows."""
    state = EvidencePresenter().present(snapshot, claim)
    facts: tuple[str, ...] = ()
    tables = before
    if state is not None:
        facts = tuple(minus(one.text) for one in state.facts[1:])
        if state.table is not None:
            shown_rows = [
                [replace(cell, text=minus(cell.text)) for cell in row] for row in state.table.rows[:rows]
            ]
            tables = (*before, EvidenceTable(state.table.headers, tuple(map(tuple, shown_rows))))
    return _exhibit(snapshot, title, claim, facts, tables, mind)


# Tables


def _cell(value: Maybe, digits: int, unit: str = "", *, sign: bool = True) -> Text:
    return shown(value, lambda known: (signed if sign else plain)(known, digits, unit))


def _outcomes(outcomes: Sequence[Outcome]) -> EvidenceTable:
    headers = ("after", "n", "mean", "95 % interval", "median", "above 0", "all days", "placebo p", "reads")
    return EvidenceTable(headers, tuple(_outcome(one) for one in outcomes))


def _outcome(one: Outcome) -> tuple[Text, ...]:
    summary, interval = one.summary, one.ci95_pct
    return (
        Text(f"{summary.horizon_days} d"),
        Text(f"{summary.n}"),
        _cell(summary.mean_pct, 2, " %"),
        Text(NOT_KNOWN, Tone.DIM, interval.reason)
        if isinstance(interval, Unknown)
        else Text(f"{signed(interval[0], 1)} to {signed(interval[1], 1)}"),
        _cell(summary.median_pct, 2, " %"),
        _share(summary.hit),
        _cell(one.unconditional_mean_pct, 2, " %"),
        _cell(one.placebo_p, 2, sign=False),
        Text(_READS.get(one.reads.split(" (")[0], one.reads.split(":")[0])),
    )


_READS = {
    "continued": "continued",
    "reversed": "reversed",
    "cannot be told from chance": "chance not ruled out",
}


def _share(value: Maybe) -> Text:
    return shown(value, lambda known: f"{known:.0%}")


def _rules(tried: Sequence[Sensitivity]) -> EvidenceTable:
    horizons = [one.horizon_days for one in tried[0].summaries]
    headers = ("mean by rule", "n", *(f"{horizon} d" for horizon in horizons))
    return EvidenceTable(
        headers,
        tuple(
            (
                Text(one.rule.name),
                Text(f"{one.n_events}"),
                *(_cell(each.mean_pct, 2, " %") for each in one.summaries),
            )
            for one in tried
        ),
    )


def _path(meetings: Sequence[MeetingOdds]) -> EvidenceTable:
    headers = ("meeting", "rate after", "change", "in all", "most likely ranges")
    return EvidenceTable(headers, tuple(_meeting(one) for one in meetings))


def _meeting(one: MeetingOdds) -> tuple[Text, ...]:
    odds = one.probabilities
    if isinstance(odds, Unknown):
        likely = Text(NOT_KNOWN, Tone.DIM, odds.reason)
    else:
        most = sorted(odds, key=lambda each: -each.p)[:3]
        likely = Text(", ".join(f"{each.low_pct:.2f}-{each.high_pct:.2f} {each.p:.0%}" for each in most))
    return (
        Text(day(one.meeting)),
        _cell(one.expected_rate_pct, 3, " %", sign=False),
        _cell(one.change_bp, 0, " bp"),
        _cell(one.cumulative_bp, 0, " bp"),
        likely,
    )


def _moves(rows: Sequence[DrawdownMove]) -> EvidenceTable:
    headers = ("decline", "RUT", "NDX", "RUT − NDX", "")
    return EvidenceTable(
        headers,
        tuple(
            (
                Text(f"{day(row.start)} to {day(row.end)}"),
                Text(signed(row.rut_pct, 1, " %"), Tone.RUT),
                Text(signed(row.ndx_pct, 1, " %"), Tone.NDX),
                Text(signed(row.spread_pp, 1, " pp")),
                Text("fell less", Tone.GOOD) if row.holds else Text("fell more", Tone.BAD),
            )
            for row in rows
        ),
    )
