"""What stands behind one claim, as a chart or a table that a sceptical colleague would ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from desktop.analytics.events import Outcome
from desktop.analytics.flow import OLD_DAYS, Figure, FlowInputs
from desktop.analytics.rates import DayRule
from desktop.analytics.ratio import Extreme, PairSeries
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import DayArray, FloatArray
from desktop.market.sessions import trading_day
from desktop.presenters.curves import day_seconds
from desktop.presenters.words import NEW_YORK, NOT_KNOWN, day, minus, moment_et, plain, shown, signed
from desktop.snapshot import Snapshot
from desktop.thesis import Claim
from desktop.typed_figures import DATED, FIELD, FIGURES, TYPED, Typed
from widgets.states import (
    Band,
    Choice,
    Curve,
    EvidenceBars,
    EvidenceChart,
    EvidenceInput,
    EvidenceLine,
    EvidenceState,
    EvidenceTable,
    FieldState,
    Level,
    Text,
    Tone,
    Verdict,
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONE = NEW_YORK.key
_LARGEST = 12
_LONGEST_GAP = np.timedelta64(21, "D")
"""Between two weekly reports; beyond, some are missing."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a claim's view adds to the claim itself."""

    chart: EvidenceChart | None = None
    table: EvidenceTable | None = None
    facts: tuple[Text, ...] = ()
    caution: str = ""
    choices: tuple[Choice, ...] = ()


class EvidencePresenter:
    """Keeps the last view, so that what rests on the same evidence stays the same object."""

    def __init__(self) -> None:
        self._claim = ""
        self._from: tuple[object, ...] = ()
        self._shown = Shown()

    def present(self, snapshot: Snapshot, claim: Claim | None) -> EvidenceState | None:
        """Build the view of `claim`; None when none is chosen."""
        if claim is None:
            return None
        made_from = _basis(snapshot, claim.id)
        same = claim.id == self._claim and all(
            one is other for one, other in zip(made_from, self._from, strict=True)
        )
        if not same:
            self._claim, self._from = claim.id, made_from
            self._shown = _VIEWS.get(claim.id, _nothing)(snapshot)
        facts = (
            Text(
                minus(claim.words)
                if not isinstance(claim.value, Unknown)
                else f"{NOT_KNOWN}: {claim.value.reason}"
            ),
        )
        when = "" if claim.as_of is None else f" · {day(claim.as_of)}"
        due = "" if claim.next_update is None else f" · next {moment_et(claim.next_update)}"
        return EvidenceState(
            key=claim.id,
            title=claim.claim,
            verdict=Verdict(claim.verdict.value),
            facts=facts + self._shown.facts,
            chart=self._shown.chart,
            table=self._shown.table,
            caution=Text(minus(claim.note) or self._shown.caution, Tone.WARN),
            source=Text(f"{claim.source}{when}{due}", Tone.DIM),
            inputs=present_inputs(snapshot, claim.id),
            choices=self._shown.choices,
            choices_key="day_rule" if self._shown.choices else "",
            choices_label="Decision day" if self._shown.choices else "",
        )


def _basis(snapshot: Snapshot, claim: str) -> tuple[object, ...]:
    """What the view of a claim is made from: the same objects, the same view."""
    evidence, history = snapshot.evidence, snapshot.history
    parts: Mapping[str, tuple[object, ...]] = {
        "stretched": (history, evidence.adjusted, evidence.total_return),
        "mean_reversion": (snapshot.ratio, snapshot.half_life, evidence.cointegration),
        "continued": (evidence.events,),
        "correlations_low": (history, evidence.implied, evidence.dispersion),
        "cuts_priced": (evidence.rates, evidence.figures),
        "two_year_explains": (evidence.rates,),
        "under_owned": (evidence.positioning,),
        "flow_asymmetry": (evidence.flow,),
        "mega_cap_contribution": (evidence.mega_caps,),
        "valuation_gap": (evidence.figures,),
        "election_july_august": (evidence.seasonality,),
        "election_october": (evidence.seasonality,),
        "fall_less": (evidence.declines,),
    }
    return parts.get(claim, (history,))


def _nothing(_: Snapshot) -> Shown:
    return Shown()


def _cell(value: Maybe, digits: int, unit: str = "", *, sign: bool = False) -> Text:
    return shown(value, lambda known: (signed if sign else plain)(known, digits, unit))


def _table(headers: tuple[str, ...], rows: Sequence[tuple[Text, ...]]) -> EvidenceTable | None:
    return EvidenceTable(headers, tuple(rows)) if rows else None


# One view a claim


def _stretched(s: Snapshot) -> Shown:
    """The ratio in price and in total return, each in percent of its own 1999-2001 peak."""
    lines = []
    stats, adjusted = s.ratio, s.evidence.adjusted
    if not isinstance(stats, Unknown) and isinstance(stats.dotcom_peak, Extreme):
        pair = s.history.pair
        lines.append(EvidenceLine("price, NDX / RUT", _of_peak(pair, stats.dotcom_peak.value)))
    total = s.evidence.total_return
    if (
        not isinstance(adjusted, Unknown)
        and not isinstance(total, Unknown)
        and isinstance(total.total_peak, Extreme)
    ):
        curve = _of_peak(adjusted, total.total_peak.value)
        lines.append(EvidenceLine("with dividends, QQQ / IWM", curve, Tone.NDX))
    facts = []
    if not isinstance(total, Unknown):
        facts = [
            Text(f"price {_say(total.price_excess_pct, 1, ' %')} beyond its peak since {day(total.since)}"),
            Text(f"with dividends {_say(total.total_excess_pct, 1, ' %')}"),
            Text(f"dividend gap {_say(total.yield_gap_pct, 2, ' % a year')}"),
        ]
    levels = (Level("peak", 100.0, "1999-2001 peak = 100", Tone.WARN),)
    chart = EvidenceChart("% of peak", tuple(lines), levels=levels, zone=_ZONE) if lines else None
    return Shown(chart, facts=tuple(facts))


def _of_peak(pair: PairSeries, peak: float) -> Curve:
    return Curve(day_seconds(pair.days), 100.0 * pair.ratio / peak)


def _say(value: Maybe, digits: int, unit: str) -> str:
    return NOT_KNOWN if isinstance(value, Unknown) else signed(value, digits, unit)


def _mean_reversion(s: Snapshot) -> Shown:
    stats, interval = s.ratio, s.half_life
    if isinstance(stats, Unknown):
        return Shown()
    rows = [
        (Text("phi, AR(1) of ln ratio"), _cell(stats.phi, 4), Text(f"n {stats.half_life_n:,} days")),
        (Text("half-life"), _cell(stats.half_life_days, 0, " days"), Text("ln ½ / ln phi")),
    ]
    if not isinstance(interval, Unknown):
        low, high = _cell(interval.days_low, 0), _cell(interval.days_high, 0)
        rows.append(
            (
                Text(f"its {interval.level:.0%} interval"),
                Text(f"{low.text} to {high.text} days", why=low.why or high.why),
                Text(f"{interval.none_share:.0%} of {interval.reps:,} resamples have none"),
            )
        )
    pairs = s.evidence.cointegration
    if not isinstance(stats.adf, Unknown):
        adf = stats.adf
        rows += [
            (Text("augmented Dickey-Fuller"), _cell(adf.stat, 3), Text(f"{adf.lags} lags by AIC, n {adf.n:,}")),
            (Text("its p"), _cell(adf.p, 3), Text("above .05: a random walk is not rejected")),
        ]
    if not isinstance(pairs, Unknown):
        rows += [
            (Text(f"Engle-Granger, {way}"), _cell(one.p, 3), Text(f"its p; statistic {minus(f'{one.stat:.2f}')}"))
            for way, one in (("NDX on RUT", pairs.first_on_second), ("RUT on NDX", pairs.second_on_first))
        ]
    rows += [
        (Text(f"z over {days:,} days"), _cell(z, 2, sign=True), Text("stretch")) for days, z in stats.z.items()
    ]
    return Shown(
        table=_table(("statistic", "value", "basis"), rows),
        caution="on a trending series a z-score is stretch, no probability",
    )


def _divergence_rare(s: Snapshot) -> Shown:
    stats = s.divergence
    if isinstance(stats, Unknown):
        return Shown()
    pairs = zip(stats.largest[:_LARGEST], stats.smallest[:_LARGEST], strict=False)
    rows = [
        (
            Text(str(number)),
            Text(day(up.date)),
            Text(signed(up.spread_pp, 2, " pp"), Tone.GOOD),
            Text(day(down.date)),
            Text(signed(down.spread_pp, 2, " pp"), Tone.BAD),
        )
        for number, (up, down) in enumerate(pairs, start=1)
    ]
    return Shown(table=_table(("", "largest", "RUT − NDX", "smallest", "RUT − NDX"), rows))


def _continued(s: Snapshot) -> Shown:
    study = s.evidence.events
    if isinstance(study, Unknown):
        return Shown()
    rows = [_outcome_row(one) for one in study.outcomes]
    for other in study.sensitivity[1:]:
        summary = next((one for one in other.summaries if one.horizon_days == 1), None)
        if summary is not None:
            label = Text(f"1 d, {other.rule.name}")
            blank = Text("")
            rows.append(
                (label, Text(f"{summary.n}"), _cell(summary.mean_pct, 2, " %", sign=True), blank, blank, blank)
            )
    fan, chart = study.fan, None
    if not isinstance(fan, Unknown):
        x = fan.day.astype(np.float64)
        middle = len(fan.levels) // 2
        bands = tuple(Band(x, fan.quantiles_pct[row], fan.quantiles_pct[-1 - row]) for row in range(middle))
        lines = (
            EvidenceLine("mean after an event", Curve(x, fan.mean_pct), Tone.GOOD),
            EvidenceLine("all days", Curve(x, fan.unconditional_pct), Tone.DIM, faint=True),
        )
        chart = EvidenceChart(
            "%", lines, bands, x_label=f"sessions after, n {fan.n}", band_names=_band_names(fan.levels)
        )
    headers = ("horizon", "n", "mean", "95 % interval", "all days", "placebo p")
    caution = "the answer moves with the rule: see the last rows"
    facts = (Text(f"{len(study.events)} events since {day(study.since)}"),)
    return Shown(chart, _table(headers, rows), facts, caution)


def _band_names(levels: tuple[float, ...]) -> tuple[str, ...]:
    """Widest first: "10-90 % of paths"."""
    half = levels[: len(levels) // 2]
    return tuple(f"{100 * level:.0f}-{100 - 100 * level:.0f} % of paths" for level in half)


def _outcome_row(one: Outcome) -> tuple[Text, ...]:
    ci = one.ci95_pct
    interval = Text(NOT_KNOWN, Tone.DIM, ci.reason) if isinstance(ci, Unknown) else Text(_range(*ci))
    return (
        Text(f"{one.summary.horizon_days} d"),
        Text(f"{one.summary.n}"),
        _cell(one.summary.mean_pct, 2, " %", sign=True),
        interval,
        _cell(one.unconditional_mean_pct, 2, " %", sign=True),
        _cell(one.placebo_p, 2),
    )


def _range(low: float, high: float) -> str:
    return f"{signed(low, 1)} to {signed(high, 1)}"


def _correlations_low(s: Snapshot) -> Shown:
    lines = [
        EvidenceLine(name, Curve(day_seconds(line.days), line.values / unit), tone)
        for name, line, unit, tone in (
            ("realised, 21 days", s.history.realised, 1.0, Tone.PLAIN),
            ("implied, COR1M / 100", s.evidence.implied, 100.0, Tone.PAST),
            ("dispersion, DSPX / 100", s.evidence.dispersion, 100.0, Tone.WARN),
        )
        if len(line.days)
    ]
    facts: tuple[Text, ...] = ()
    if not isinstance(s.correlation, Unknown):
        facts = tuple(Text(note) for note in s.correlation.notes)
        if not isinstance(s.correlation.dspx, Unknown):
            facts += (Text(f"dispersion: DSPX {plain(s.correlation.dspx, 2)}, expected of stocks, % a year"),)
    chart = EvidenceChart("correlation", tuple(lines), zone=_ZONE) if lines else None
    return Shown(chart, facts=facts)


def _orderly(s: Snapshot) -> Shown:
    if isinstance(s.regime, Unknown):
        return Shown()
    rows = [(Text("would flip"), Text(words)) for words in s.regime.would_flip]
    return Shown(table=_table(("", "what would change the regime"), rows))


def _cuts_priced(s: Snapshot) -> Shown:
    found = s.evidence.rates
    path = found if isinstance(found, Unknown) else found.path
    choices = _day_rules(s.evidence.figures.day_rule)
    if isinstance(path, Unknown):
        return Shown(choices=choices)
    rows, at, rate = [], [], []
    if path.meetings and not isinstance(path.meetings[0].before_pct, Unknown):
        at.append(np.datetime64(path.day, "D"))
        rate.append(path.meetings[0].before_pct)
    for one in path.meetings:
        odds = one.probabilities
        most = (
            ""
            if isinstance(odds, Unknown)
            else ", ".join(
                f"{each.low_pct:.2f}-{each.high_pct:.2f} {each.p:.0%}"
                for each in sorted(odds, key=lambda r: -r.p)[:3]
            )
        )
        why = odds.reason if isinstance(odds, Unknown) else ""
        rows.append(
            (
                Text(day(one.meeting)),
                _cell(one.expected_rate_pct, 3, " %"),
                _cell(one.change_bp, 0, " bp", sign=True),
                _cell(one.cumulative_bp, 0, " bp", sign=True),
                _cell(one.other_rule_change_bp, 0, " bp", sign=True),
                Text(most or NOT_KNOWN, why=why),
            )
        )
        if not isinstance(one.expected_rate_pct, Unknown):
            at.append(np.datetime64(one.meeting, "D"))
            rate.append(one.expected_rate_pct)
    chart = None
    if at:
        curve = Curve(day_seconds(np.array(at, dtype="datetime64[D]")), np.array(rate))
        chart = EvidenceChart("%", (EvidenceLine("expected rate", curve, step=True),), zone=_ZONE)
    shift = max(
        (one.other_rule_shift for one in path.meetings if not isinstance(one.other_rule_shift, Unknown)), default=0
    )
    facts = (
        Text(
            f"priced on {day(path.day)} by {path.n_months} months, calendar known to {day(path.schedule_known_to)}"
        ),
        Text(f"the other day rule moves at most {shift:.0%} of a meeting's probability"),
    )
    headers = ("meeting", "rate after", "change", "in all", "by the other rule", "ranges")
    return Shown(chart, _table(headers, rows), facts, choices=choices)


def _day_rules(chosen: DayRule) -> tuple[Choice, ...]:
    """How the day of a decision counts, as buttons."""
    return tuple(
        Choice(rule.value, words, chosen is rule, why=why)
        for rule, words, why in (
            (DayRule.OLD_RATE, "at the old rate", "N = day: a new target applies from the day after the decision"),
            (DayRule.NEW_RATE, "at the new rate", "N = day - 1: as the exchange prints its examples"),
        )
    )


def _two_year_explains(s: Snapshot) -> Shown:
    found = s.evidence.rates
    stats = found if isinstance(found, Unknown) else found.two_year
    if isinstance(stats, Unknown) or isinstance(found, Unknown):
        return Shown()
    rows = [
        (Text(str(one.year)), _cell(one.slope.beta, 2, sign=True), _cell(one.slope.se, 2), Text(f"{one.slope.n}"))
        for one in reversed(stats.years)
    ]
    chart = None
    if not isinstance(found.slopes, Unknown):
        x, beta, se = day_seconds(found.slopes.days), found.slopes.beta, found.slopes.se
        band = Band(x, beta - 1.96 * se, beta + 1.96 * se)
        line = EvidenceLine(f"slope of {found.slopes.n} days", Curve(x, beta))
        chart = EvidenceChart(
            "bp per bp", (line,), (band,), levels=(Level("zero", 0.0, "0", Tone.DIM),), zone=_ZONE
        )
    two = stats.two_year_pct
    facts = (
        Text(f"2-year {_cell(two, 2, ' %').text}, {_say(stats.change_bp, 0, ' bp')} on the day"),
        Text(
            f"slope {_say(stats.slope.beta, 2, '')} ± {_cell(stats.slope.se, 2).text}, "
            f"R² {_cell(stats.slope.r2, 3).text}"
        ),
    )
    return Shown(chart, _table(("year", "slope", "error", "n"), rows), facts)


def _under_owned(s: Snapshot) -> Shown:
    found = s.evidence.positioning
    if isinstance(found, Unknown):
        return Shown()
    lines = tuple(
        EvidenceLine(f"leveraged funds, {name}", _unbridged(part.days, part.leveraged_z), tone)
        for name, part, tone in (("NQ", found.nq, Tone.NDX), ("RTY", found.rty, Tone.RUT))
    )
    latest = found.latest
    rows = [
        (
            Text(name),
            _cell(one.asset_manager_net, 0, sign=True),
            _cell(one.leveraged_net, 0, sign=True),
            _cell(one.open_interest, 0),
            _cell(one.asset_manager_z, 1, sign=True),
            _cell(one.leveraged_z, 1, sign=True),
        )
        for name, one in (("NQ", latest.nq), ("RTY", latest.rty))
    ]
    headers = ("contracts", "managers net", "leveraged net", "open interest", "managers z", "leveraged z")
    facts = (
        Text(f"report of {day(latest.report_date)}, known {moment_et(latest.known_at)}"),
        Text(f"pair score of managers {_say(latest.asset_manager_pair_score, 1, '')}: the classes may disagree"),
    )
    chart = EvidenceChart("z", lines, levels=(Level("zero", 0.0, "0", Tone.DIM),), zone=_ZONE)
    return Shown(chart, _table(headers, rows), facts)


def _unbridged(days: DayArray, values: FloatArray) -> Curve:
    """A curve with a hole where reports are missing: no line is drawn over what is not known."""
    after = np.flatnonzero(np.diff(days) > _LONGEST_GAP)
    with_holes = np.insert(days, after + 1, days[after] + _LONGEST_GAP)
    return Curve(day_seconds(with_holes), np.insert(values, after + 1, np.nan))


def _flow_asymmetry(s: Snapshot) -> Shown:
    flow = s.evidence.flow
    if isinstance(flow, Unknown):
        return Shown()
    labels, today = {one.name: one.label for one in FIGURES}, trading_day(s.moment)
    rows = [
        (Text("flow"), Text(f"${flow.flow_usd / 1e9:,.1f} bn"), Text("part moved × largest cap")),
        (Text("median companies"), Text(plain(flow.median_companies, 1)), Text("bought whole")),
        (
            Text("share of the whole index"),
            Text(plain(100 * flow.index_share, 2, " %")),
            Text("the honest yardstick"),
        ),
        (Text("days of its turnover"), Text(plain(flow.turnover_days, 2)), Text("flow / turnover")),
        (Text("impact"), Text(plain(flow.impact_pct, 2, " %")), Text("Y σ √(flow / turnover)")),
    ]
    rows += [
        (Text(labels[name]), Text(_figure_words(name, figure.value)), Text(_basis_words(figure, today)))
        for name, figure in flow.inputs.figures()
    ]
    return Shown(table=_table(("figure", "value", "basis"), rows), caution=flow.plainly)


def _figure_words(name: str, value: float) -> str:
    if name.endswith("_usd"):
        return f"${value / 1e9:,.4g} bn"
    if name == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} %" if name.endswith("_pct") else f"{value:.3g}"


def _basis_words(figure: Figure, today: date) -> str:
    age_days = (today - figure.dated).days
    old = f", {age_days:,} days old" if age_days > OLD_DAYS else ", after this moment" if age_days < 0 else ""
    return f"{figure.source}, {day(figure.dated)}{old}"


def _mega_cap(s: Snapshot) -> Shown:
    """The points each of the seven made of the index's move, largest first, and what is left."""
    found = s.evidence.mega_caps
    if isinstance(found, Unknown):
        return Shown()
    made = found.found
    parts = sorted(made.parts, key=lambda one: -abs(one.points_pp))
    rows = [
        (
            Text(one.name),
            Text(plain(one.weight_pct, 2, " %")),
            Text(signed(one.move_pct, 2, " %"), Tone.GOOD if one.move_pct > 0 else Tone.BAD),
            Text(signed(one.points_pp, 3, " pp")),
        )
        for one in parts
    ]
    rows += [
        (
            Text("the seven"),
            Text(plain(100 * made.weight, 1, " %")),
            Text(signed(100 * made.points_pp / (100 * made.weight), 2, " %")),
            Text(signed(made.points_pp, 3, " pp")),
        ),
        (
            Text("all others"),
            Text(plain(100 - 100 * made.weight, 1, " %")),
            Text(signed(made.rest_pp / (1 - made.weight), 2, " %")),
            Text(signed(made.rest_pp, 3, " pp")),
        ),
    ]
    bars = EvidenceBars(
        (*(one.name for one in parts), "others"),
        (("points of NDX", Tone.NDX, (*(one.points_pp for one in parts), made.rest_pp)),),
    )
    facts = (
        Text(f"NDX {signed(made.index_pct, 2, ' %')} on {day(found.moves.day)}, {found.moves.source}"),
        Text(f"weights typed, of {day(found.weights.dated)}: points are near, weights drift with prices"),
    )
    return Shown(EvidenceChart("pp", bars=bars), _table(("name", "weight", "move", "points"), rows), facts)


def _valuation(s: Snapshot) -> Shown:
    figures, today = s.evidence.figures, trading_day(s.moment)
    rows = [
        (Text(f"P/E of {fund}"), Text(plain(one.value, 1, " ×")), Text(_basis_words(one, today)))
        for fund, one in (("QQQ", figures.pe_qqq), ("IWM", figures.pe_iwm))
        if not isinstance(one, Unknown) and one.dated <= today
    ]
    return Shown(table=_table(("figure", "value", "basis"), rows))


def present_inputs(snapshot: Snapshot, claim: str) -> tuple[EvidenceInput, ...]:
    """Build the fields of the figures that `claim` rests on; a figure that is assumed shows what is assumed."""
    flow = snapshot.evidence.flow
    assumed = FlowInputs() if isinstance(flow, Unknown) else flow.inputs
    used = {name: figure for name, figure in assumed.figures() if figure.source != TYPED}
    return tuple(_input(one, used.get(one.asked.name)) for one in snapshot.evidence.figures.of_claim(claim))


def _input(typed: Typed, assumed: Figure | None) -> EvidenceInput:
    asked, name = typed.asked, FIELD + typed.asked.name
    told, hint, of_day = asked.help, "", ""
    if assumed is not None:
        told += f". Empty: {_figure_words(asked.name, assumed.value)}, {_basis_words(assumed, assumed.dated)}"
        hint = _figure_words(asked.name, assumed.value).strip("$ %")
        of_day = assumed.dated.isoformat()
    unit = "" if asked.name == "weights" else asked.unit
    like = "The day it is of, such as 2024-06-28"
    return EvidenceInput(
        FieldState(name, asked.label, typed.text, unit, typed.error, told, hint=hint),
        FieldState(name + DATED, "dated", typed.dated_text, "", typed.dated_error, like, hint=of_day),
        wide=asked.name == "weights",
    )


def _election(s: Snapshot) -> Shown:
    found = s.evidence.seasonality
    if isinstance(found, Unknown):
        return Shown()
    x = np.arange(1.0, 13.0)
    lines = [
        EvidenceLine(str(year), Curve(x, found.lines.vix[row]), Tone.RUT, faint=True)
        for row, year in enumerate(found.lines.years)
    ]
    lines.append(EvidenceLine("other years, mean", Curve(x, found.lines.other_mean), Tone.NDX))
    chart = EvidenceChart("VIX", tuple(lines), x_words=tuple(enumerate(_MONTHS, start=1)))
    rows = [
        (
            Text(str(one.year)),
            _cell(_percent(one.jul_aug_over_jun), 1, " %", sign=True),
            _cell(_percent(one.oct_over_sep), 1, " %", sign=True),
        )
        for one in found.election_years
    ]
    reads = (f"Jul-Aug: {found.jul_aug.reads}", f"Oct: {found.oct.reads}")
    facts = tuple(Text(one) for one in reads) + tuple(Text(note, Tone.DIM) for note in found.notes)
    return Shown(chart, _table(("election year", "Jul-Aug over Jun", "Oct over Sep"), rows), facts)


def _percent(value: Maybe) -> Maybe:
    """A logarithm of a ratio as a change in percent."""
    return value if isinstance(value, Unknown) else 100.0 * float(np.expm1(value))


def _fall_less(s: Snapshot) -> Shown:
    found = s.evidence.declines
    if isinstance(found, Unknown):
        return Shown()
    chart = None
    if not isinstance(found.table, Unknown):
        rows = found.table.rows
        chart = EvidenceChart(
            "%",
            bars=EvidenceBars(
                tuple(f"{row.start:%Y}" for row in rows),
                (
                    ("RUT", Tone.RUT, tuple(row.rut_pct for row in rows)),
                    ("NDX", Tone.NDX, tuple(row.ndx_pct for row in rows)),
                ),
            ),
        )
    table = [
        (
            Text(one.condition, why=one.caution),
            Text(f"{one.n:,}"),
            _cell(one.mean_pp, 2, " pp", sign=True),
            _cell(one.se_pp, 2),
            shown(one.hit, lambda share: f"{share:.0%}"),
            Text("flatters" if one.caution else "", Tone.WARN, one.caution),
        )
        for one in found.conditional
    ]
    headers = ("days", "n", "RUT − NDX", "error", "above 0", "caution")
    facts = tuple(
        Text(f"beta of the pair, {one.condition}: {_say(one.beta, 2, '')} ± {_cell(one.se, 2).text}")
        for one in found.betas
    )
    return Shown(chart, _table(headers, table), facts, "conditioning on the short leg flatters the trade")


_VIEWS: Mapping[str, Callable[[Snapshot], Shown]] = {
    "stretched": _stretched,
    "mean_reversion": _mean_reversion,
    "divergence_rare": _divergence_rare,
    "continued": _continued,
    "correlations_low": _correlations_low,
    "orderly": _orderly,
    "cuts_priced": _cuts_priced,
    "two_year_explains": _two_year_explains,
    "under_owned": _under_owned,
    "flow_asymmetry": _flow_asymmetry,
    "mega_cap_contribution": _mega_cap,
    "valuation_gap": _valuation,
    "election_july_august": _election,
    "election_october": _election,
    "fall_less": _fall_less,
}
