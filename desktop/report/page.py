"""The report as one HTML file: no scripts, nothing loaded from elsewhere, fit for the screen and for A4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from zoneinfo import ZoneInfo

from desktop.report import evidence_svg, svg
from desktop.report.board import Board, Exhibit, KillLevels, Row, tell_board
from desktop.report.told import SUBTITLE, TITLE, Told, tell
from desktop.snapshot import Snapshot
from desktop.version import VERSION
from widgets.states import EvidenceTable, GaugeState, Text, Tone, Vote

THEMES: Mapping[str, Mapping[str, str]] = {
    "dark": {
        "window": "#0b0f16",
        "panel": "#141a24",
        "raised": "#0e131b",
        "border": "#232b39",
        "text": "#e9edf5",
        "dim": "#8f9bad",
        "grid": "#222a37",
        "ink": "#0b0f16",
        "band-outer": "#1d2a38",
        "band-inner": "#2b3f52",
        "rut": "#f5a742",
        "ndx": "#5aa2f5",
        "good": "#46b98c",
        "bad": "#f0696f",
        "warn": "#e8c35a",
        "past": "#9a9bf8",
    },
    "light": {
        "window": "#eef1f6",
        "panel": "#ffffff",
        "raised": "#f5f7fa",
        "border": "#d5dbe5",
        "text": "#161c27",
        "dim": "#566173",
        "grid": "#e6eaf0",
        "ink": "#ffffff",
        "band-outer": "#edf1f7",
        "band-inner": "#dbe3ee",
        "rut": "#a35a00",
        "ndx": "#1560c0",
        "good": "#107a50",
        "bad": "#c02a36",
        "warn": "#866000",
        "past": "#5a50c8",
    },
}
"""The window's colours, by the same names."""

_DAYS_SHOWN = 10
_DIAL = (-0.2, 1.0)
"""Ends of the correlation scale."""
_VOTES = {Vote.ON: ("●", "on", Tone.BAD), Vote.OFF: ("○", "off", Tone.GOOD), Vote.UNKNOWN: ("?", "n/a", Tone.DIM)}


def as_html(
    snapshot: Snapshot,
    *,
    theme: str = "dark",
    origins: Sequence[str] = (),
    kill_levels: KillLevels | None = None,
) -> str:
    """Return the report as one HTML document.

    Parameters
    ----------
    snapshot
        What is shown.
    theme
        Colours on the screen: dark or light. Paper is always light.
    origins
        Where the data came from, one line a symbol, for the footer.
    kill_levels
        By the id of a claim, the level at which it is given up.
    """
    told, board = tell(snapshot), tell_board(snapshot, kill_levels or {})
    moment = snapshot.moment.isoformat()
    pill = "" if told.mode is None else _pill(told.mode)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE} · {escape(told.as_of)}</title>
<style>{_style(theme)}</style>
</head>
<body>
<main>
<header>
<div><h1>{TITLE}</h1><p>{SUBTITLE}</p></div>
<div class="asof">{pill}<time datetime="{moment}">{escape(told.as_of)}</time></div>
</header>
<section class="answers">{"".join(_answer(*one) for one in told.answers)}</section>
{_cautions(told.cautions)}
{_claims(board)}
{_ratio(told)}
{_divergence(told)}
<div class="pair">{_correlation(told.gauge)}{_regime(told)}</div>
{_extremes(told)}
<div class="exhibits">{"".join(_exhibit(one) for one in board.exhibits)}</div>
<footer>{_footer(told, (*board.sources, *origins))}</footer>
</main>
</body>
</html>
"""


def _style(theme: str) -> str:
    return (
        f":root{{color-scheme:{theme};{_variables(theme)}}}{_CSS}"
        f"@media print{{:root{{color-scheme:light;{_variables('light')}}}{_PRINT}}}"
    )


def _variables(theme: str) -> str:
    return "".join(f"--{name}:{color};" for name, color in THEMES[theme].items())


def _pill(text: Text) -> str:
    return f'<span class="pill {text.tone.value}">{escape(text.text)}</span>'


def _answer(question: str, answer: Text, beside: Text) -> str:
    shown = _pill(answer) if question == "Regime" else f"<b>{_words(answer)}</b>"
    return f"<div><h2>{escape(question)}</h2>{shown}<p>{_words(beside)}</p></div>"


def _words(text: Text) -> str:
    return f'<span class="{text.tone.value}">{escape(text.text)}</span>'


def _cautions(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f'<section class="mind"><h2>Mind</h2>{_list(lines)}</section>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in lines)}</ul>"


def _facts(facts: Sequence[Text]) -> str:
    """Each fact over its reason; a reason told twice in a row is told once."""
    cells, before = [], ""
    for one in facts:
        why = "" if one.why == before else one.why
        cells.append(f"<div>{_words(one)}<small>{escape(why)}</small></div>")
        before = one.why
    return f'<div class="facts">{"".join(cells)}</div>'


def _claims(board: Board) -> str:
    rows = "".join(_claim(one) for one in board.rows)
    return (
        f'<section class="card thesis"><div class="title"><h2>Thesis</h2>'
        f'<div class="legend">{escape(board.summary)}</div></div><table class="claims">{rows}</table></section>'
    )


def _claim(row: Row) -> str:
    below = "".join(
        f"<small>{words}</small>"
        for words in (escape(row.note), _words(row.given_up))
        if words != _words(Text(""))
    )
    return (
        f'<tr><td class="verdict {row.mark.tone.value}">{escape(row.mark.text)}</td>'
        f"<td><b>{escape(row.claim)}</b>{below}</td>"
        f'<td class="figures">{escape(row.words)}</td><td class="when">{escape(row.when)}</td></tr>'
    )


def _exhibit(one: Exhibit) -> str:
    facts = f'<p class="caption">{escape(" · ".join(one.facts))}</p>' if one.facts else ""
    minds = f'<div class="minds">{_list(one.cautions)}</div>' if one.cautions else ""
    tables = "".join(_table(table) for table in one.tables)
    seen = None if one.chart is None else evidence_svg.draw(one.chart, f"{one.title}, chart", narrow=one.is_narrow)
    chart = "" if seen is None else f'<div class="legend">{_keys(seen.legend)}</div>{seen.svg}'
    place = "card exhibit" if one.is_narrow else "card exhibit wide"
    return (
        f'<section class="{place}"><h2>{escape(one.title)}</h2>{facts}{chart}{tables}{minds}'
        f'<p class="source">{escape(one.source)}</p></section>'
    )


def _table(table: EvidenceTable) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in table.headers)
    rows = "".join(f"<tr>{''.join(f'<td>{_words(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f'<table class="figured"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _ratio(told: Told) -> str:
    state = told.ratio
    picture = ""
    if state.curve is not None:
        lines = [svg.Line(f"average{number}", curve) for number, (_, curve) in enumerate(state.averages)]
        chart = svg.Chart(
            label="Ratio of Nasdaq-100 to Russell 2000 over time",
            lines=[*lines, svg.Line("curve", state.curve)],
            zone=ZoneInfo(state.zone),
            daily=True,
            levels=state.levels,
            tags=() if state.last is None else (state.last,),
        )
        picture = svg.draw(chart)
    legend = [("curve", "NDX / RUT"), *((f"average{n}", name) for n, (name, _) in enumerate(state.averages))]
    return _card("Ratio NDX / RUT", picture, legend if picture else (), state.message, _facts(state.facts))


def _divergence(told: Told) -> str:
    state = told.divergence
    picture = ""
    legend: list[tuple[str, str]] = []
    if state.spread is not None and state.rut is not None and state.ndx is not None:
        chart = svg.Chart(
            label="Moves of both legs through the session and the gap between them",
            lines=[
                svg.Line("rut", state.rut),
                svg.Line("ndx", state.ndx),
                svg.Line("good", state.spread, filled=True),
            ],
            zone=ZoneInfo(state.zone),
            daily=False,
            unit=" %",
            bands=state.bands,
            marks=state.marks,
            tags=state.tags,
            x_range=state.x_range,
        )
        picture = svg.draw(chart)
        chosen = next((one.label for one in state.references if one.chosen), "")
        legend = [("good", "RUT − NDX, pp"), ("rut", "RUT, %"), ("ndx", "NDX, %"), ("", f"from: {chosen.lower()}")]
    message = state.message if not picture else ""
    caption = f'<p class="caption">{_words(state.caption)}</p>' if picture else ""
    return _card("Intraday divergence", picture, legend, message, caption + _facts(state.facts))


def _keys(legend: Sequence[tuple[str, str]]) -> str:
    return "".join(f'<span><i class="{name}"></i>{escape(words)}</span>' for name, words in legend)


def _card(title: str, picture: str, legend: Sequence[tuple[str, str]], message: str, below: str) -> str:
    keys = _keys(legend)
    told = f'<p class="message">{escape(message)}</p>' if message else ""
    return (
        f'<section class="card"><div class="title"><h2>{escape(title)}</h2><div class="legend">{keys}</div></div>'
        f"{picture}{told}{below}</section>"
    )


def _correlation(gauge: GaugeState) -> str:
    legend: list[tuple[str, str]] = []
    lines = []
    for name, curve, words in (
        ("curve", gauge.realised, "realised, 21 d"),
        ("past", gauge.implied, "implied, COR1M / 100"),
    ):
        if curve is not None and len(curve.x):
            lines.append(svg.Line(name, curve))
            legend.append((name, words))
    history = ""
    if lines:
        label = "Realised and implied correlation over time"
        history = svg.draw(
            svg.Chart(label, lines, ZoneInfo("America/New_York"), daily=True, width=420, height=170)
        )
    value = f'<p class="value">{_words(gauge.text)}</p>{_scale(gauge)}'
    below = _facts((*gauge.captions, *gauge.legend[1:]))
    return _card("Correlation", value + history, legend if history else (), gauge.message, below)


def _scale(gauge: GaugeState) -> str:
    """The dial laid flat: zones, and a needle where the value is known."""
    low, high = _DIAL
    wide = 408.0 / (high - low)
    parts, start = [f'<text class="axis" x="2" y="32">{low:g}</text>'], low
    for end, tone in gauge.zones:
        parts.append(
            f'<rect class="{tone.value} zone" x="{6 + (start - low) * wide:.1f}" y="10" '
            f'width="{(end - start) * wide:.1f}" height="8"/>'
            f'<text class="axis middle" x="{6 + (end - low) * wide:.1f}" y="32">{end:g}</text>'
        )
        start = end
    if gauge.value is not None:
        x = 6 + (min(max(gauge.value, low), high) - low) * wide
        parts.append(f'<path class="needle" d="M{x:.1f} 20l-5 -14h10z"/>')
    return f'<svg viewBox="0 0 420 36" role="img" aria-label="Correlation scale">{"".join(parts)}</svg>'


def _regime(told: Told) -> str:
    gauge = told.gauge
    answer, beside = told.answers[2][1:]
    rows = []
    for vote in gauge.votes:
        sign, word, tone = _VOTES[vote.vote]
        mark = f'<span class="{tone.value}">{sign} {word}</span>'
        reason = f"<br>{escape(vote.why)}" if vote.vote is Vote.UNKNOWN and vote.why != beside.text else ""
        rows.append(
            f"<tr><td>{mark}</td><td><b>{escape(vote.label)}</b><br>{escape(vote.detail)}{reason}</td></tr>"
        )
    title = f'<div class="title"><h2>Regime</h2>{_pill(answer)}</div><p class="caption">{escape(beside.text)}</p>'
    flips = _list(gauge.flips) if gauge.flips else ""
    return f'<section class="card">{title}<table class="votes">{"".join(rows)}</table>{flips}</section>'


def _extremes(told: Told) -> str:
    if not told.extremes:
        return ""
    tables = []
    for heading, days in told.extremes:
        rows = "".join(
            f'<tr><td>{number}</td><td>{escape(date)}</td><td class="number">{escape(spread)}</td></tr>'
            for number, (date, spread) in enumerate(days[:_DAYS_SHOWN], start=1)
        )
        tables.append(
            f'<section class="card"><h2>{escape(heading)}</h2><table class="days">{rows}</table></section>'
        )
    return f'<div class="pair">{"".join(tables)}</div>'


def _footer(told: Told, origins: Sequence[str]) -> str:
    return f"<h2>Sources and dates</h2>{_list((*told.sources, *origins))}<p>{TITLE} {VERSION}</p>"


_CSS = """
*{box-sizing:border-box;margin:0}
body{background:var(--window);color:var(--text);font:13px/1.45 Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,
sans-serif;font-variant-numeric:tabular-nums;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:920px;margin:0 auto;padding:24px 20px}
h1{font-size:1.55em;line-height:1.2}
h2{font-size:1em;font-weight:600}
small,.small{font-size:.92em}
header{display:flex;justify-content:space-between;align-items:flex-end;gap:16px;flex-wrap:wrap;margin-bottom:14px}
header p,time{color:var(--dim)}
.asof{text-align:right}.asof .pill{margin-bottom:4px}time{display:block}
section{background:var(--panel);border:1px solid var(--border);border-radius:6px;padding:14px 16px;
margin-bottom:12px;break-inside:avoid}
.answers{display:grid;grid-template-columns:1fr 1.1fr .9fr 1.25fr;gap:16px}
.answers h2,footer h2{color:var(--dim);font-weight:500;font-size:.92em}
.answers b{display:block;font-size:1.85em;line-height:1.3;font-weight:700}
.answers div:last-child b{font-size:1.23em;margin:.25em 0}
.answers p{font-size:.92em}
.answers .pill{margin:6px 0 4px}
.pill{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:2px 11px;font-size:.92em;
font-weight:600}
.mind{border-left:3px solid var(--warn)}
ul{padding-left:17px}li{margin:2px 0}
.mind ul{margin-top:4px}
.title{display:flex;justify-content:space-between;align-items:center;gap:12px;flex-wrap:wrap;margin-bottom:6px}
.legend{display:flex;gap:14px;color:var(--dim);font-size:.92em;flex-wrap:wrap}
.legend i{display:inline-block;width:14px;height:0;border-top:2px solid;margin-right:6px;vertical-align:middle}
.legend i[class=""]{display:none}
.message{color:var(--dim);padding:20px 0;text-align:center;white-space:pre-line}
.caption{color:var(--dim);font-size:.92em;margin-bottom:8px}
.value{font-size:2.1em;font-weight:700;line-height:1.2}
svg{display:block;width:100%;height:auto;margin-bottom:8px}
.facts{display:grid;grid-template-columns:repeat(3,1fr);gap:8px 18px;border-top:1px solid var(--border);
padding-top:8px}
.facts small{display:block;color:var(--dim);line-height:1.35}
.pair .facts{grid-template-columns:1fr 1fr}
table{border-collapse:collapse;width:100%}
td{padding:3px 12px 3px 0;vertical-align:top;border-top:1px solid var(--border)}
tr:first-child td{border-top:0}
.votes td:first-child{white-space:nowrap;width:52px}
.votes td+td{color:var(--dim);font-size:.92em}
.votes b{color:var(--text);font-size:1.08em;font-weight:600}
.votes+ul{color:var(--dim);font-size:.92em;margin-top:8px}
.days{margin-top:6px}.days td:first-child{color:var(--dim);width:30px}
.days .number{text-align:right;padding-right:0}
.claims td:last-child,.claims .figures{text-align:right;padding-right:0}.claims .when{white-space:nowrap;
color:var(--dim);font-size:.92em;padding-left:12px}
.claims .verdict{white-space:nowrap;font-weight:600;width:84px}.claims .figures{width:34%}
.claims b{font-weight:600}.claims small{display:block;color:var(--dim);line-height:1.35}
.figured{margin:6px 0 8px}.figured td,.figured th{text-align:right;padding:2px 0 2px 14px}
.figured th{color:var(--dim);font-weight:500;font-size:.92em;border-bottom:1px solid var(--border)}
.figured td:first-child,.figured th:first-child{text-align:left;padding-left:0}
.minds{border-left:3px solid var(--warn);padding-left:10px;margin:6px 0;font-size:.92em}
.source{color:var(--dim);font-size:.88em}
.exhibit h2{margin-bottom:2px}
.exhibits{display:grid;grid-template-columns:1fr 1fr;gap:0 12px;align-items:start;grid-auto-flow:dense}
.wide{grid-column:1/-1}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:12px;align-items:start}
footer{color:var(--dim);font-size:.88em;padding:4px 2px;overflow-wrap:anywhere;break-inside:avoid}
footer p{margin-top:6px}
.dim{color:var(--dim)}.rut{color:var(--rut)}.ndx{color:var(--ndx)}.good{color:var(--good)}
.bad{color:var(--bad)}.warn{color:var(--warn)}.past{color:var(--past)}
.curve{color:var(--text)}.average0,.average1{color:var(--dim)}
.legend .average1{border-top-style:dashed}
.grid{stroke:var(--grid);fill:none}.zero{stroke:var(--dim);fill:none;opacity:.6}
.axis{fill:var(--dim);font-size:11px}
.middle{text-anchor:middle}
.line{stroke:currentColor;fill:none;stroke-width:1.3;stroke-linejoin:round}
.average0.line,.average1.line{stroke-width:1}.average1.line{stroke-dasharray:5 2}
.area{fill:currentColor;stroke:none;opacity:.1}
.level{stroke:currentColor;fill:none;stroke-dasharray:4 3}
.words{fill:currentColor;font-size:11px;font-weight:600;paint-order:stroke;stroke:var(--panel);stroke-width:3px}
.tag,.zone{fill:currentColor}.tagged{fill:var(--ink);font-size:11px;font-weight:700}
.faint.line{opacity:.45;stroke-width:1}.legend .faint{opacity:.45}
.bar{fill:currentColor;opacity:.85}.tiny{fill:var(--dim);font-size:9px}
.legend i.area0,.legend i.area1{height:9px;border-top:0;border-radius:2px}
.exhibit .band0,.legend i.area0{opacity:.2}.exhibit .band1,.legend i.area1{opacity:.4}
.exhibit .band0,.exhibit .band1{fill:var(--dim)}.legend i.area0,.legend i.area1{background:var(--dim)}
.needle{fill:var(--text);stroke:var(--panel);stroke-width:1.5}
.band0{fill:var(--band-outer)}.band1{fill:var(--band-inner)}
@media(max-width:640px){.answers,.pair,.exhibits,.facts,.pair .facts{grid-template-columns:1fr}}
"""
_PRINT = """
@page{size:A4;margin:10mm}
body{font-size:10px;background:none}
main{max-width:none;padding:0}
header{margin-bottom:8px}
section{padding:8px 12px;margin-bottom:7px}
.answers{grid-template-columns:1fr 1.1fr .9fr 1.25fr}
.pair{grid-template-columns:1fr 1fr;gap:7px}
.facts{grid-template-columns:repeat(4,1fr);gap:4px 14px;padding-top:5px}
.pair .facts{grid-template-columns:1fr 1fr}
svg{margin-bottom:3px}
.mind ul{columns:2;column-gap:30px}
td{padding-top:2px;padding-bottom:2px}
.figured td,.figured th{padding-top:1px;padding-bottom:1px}
.exhibits{gap:0 7px}
"""
