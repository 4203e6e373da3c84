"""The sizer's further pages in words: risk and past falls, costs, what-if, and the hedge of what is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from desktop.analytics.drawdowns import DrawdownMove
from desktop.market.instruments import Leg
from desktop.market.known import Unknown
from desktop.presenters.sizer_form import (
    MARGIN_OLD_DAYS,
    Form,
    Price,
    PriceKind,
    market_price,
    price_of,
    trade_day,
)
from desktop.presenters.sizer_orders import orders_of
from desktop.presenters.words import (
    NOT_KNOWN,
    day,
    dollars,
    for_or_against,
    plain,
    shown,
    signed,
    signed_dollars,
)
from desktop.settings import Settings
from desktop.snapshot import Snapshot
from desktop.trade.costs import CostInputs, Costs, costs_of
from desktop.trade.cover import TRADED, Cover, cover, cover_text
from desktop.trade.hedge import Hedge, HedgeKind
from desktop.trade.inputs import Choice as Traded
from desktop.trade.inputs import instruments_of, short_name
from desktop.trade.position import Position, cost_leg
from desktop.trade.scenarios import PastFall, RatioPath, path_moves, replay, what_if, worst_days
from widgets.states import (
    Choice,
    CoverState,
    EvidenceTable,
    SizerTables,
    SliderState,
    Text,
    Tone,
    WhatIfState,
)

_PATHS = (
    ("free", "Free"),
    ("ndx_flat", "NDX flat"),
    ("rut_flat", "RUT flat"),
    ("symmetric", "Symmetric"),
)
_RATIO_PATHS = {"ndx_flat": RatioPath.NDX_FLAT, "rut_flat": RatioPath.RUT_FLAT, "symmetric": RatioPath.SYMMETRIC}
REACH_PCT = 20.0
"""How far a what-if slider goes, either way."""


# Risk


def tables_of(snapshot: Snapshot, position: Position, costs: CostInputs) -> SizerTables:
    """The tables of one position."""
    falls, note = _falls(snapshot, position)
    return SizerTables(
        risk=_risk(position),
        days=_days(snapshot, position),
        falls=falls,
        falls_note=note,
        costs=_costs(snapshot, position, costs),
    )


def _risk(p: Position) -> EvidenceTable:
    rows: list[tuple[str, Text]] = [
        ("Gross", Text(dollars(p.gross_usd), why="long plus short")),
        ("Residual", Text(signed_dollars(p.residual_usd), why="k × long − short, in whole units")),
        (
            "Residual beta",
            shown(p.residual_beta_usd, signed_dollars, why="beta × long − short: dollars of NDX still long"),
        ),
        ("Spread vol / y", shown(p.spread_vol_usd, dollars, why="from volatilities and correlation in force")),
        ("99 % day VaR", shown(p.var99_usd, dollars, why="normal, 2.326 σ: one day in a hundred loses more")),
        ("99 % day ES", shown(p.es99_usd, dollars, why="normal: mean loss beyond the VaR")),
    ]
    past = p.historical
    if isinstance(past, Unknown):
        rows.append(("Historical ES", Text(NOT_KNOWN, Tone.DIM, past.reason)))
    else:
        span_of = f"{past.n:,} days, {day(past.first)} to {day(past.last)}"
        why = f"mean loss of this very position on the worst 1 % of {span_of}"
        rows.append(("Historical ES", Text(dollars(past.es99_usd), why=why)))
    rows.append(("Margin", shown(p.margin_usd, dollars, why="as typed on the page Costs")))
    return EvidenceTable(("Risk", "$"), tuple((Text(name), value) for name, value in rows))


def _days(snapshot: Snapshot, p: Position) -> EvidenceTable | None:
    returns = snapshot.history.returns
    found = worst_days(p.long_usd, p.short_usd, returns.days, returns.rut, returns.ndx)
    if not found:
        return None
    of = f"one of the 5 worst of {len(returns.days):,} days since {returns.days[0].item()} for this position"
    rows = tuple(
        (
            *_day_cells(one.day, one.rut_pct, one.ndx_pct, of),
            Text(signed_dollars(one.pnl_usd), for_or_against(one.pnl_usd)),
        )
        for one in found
    )
    return EvidenceTable(("Worst days", "RUT %", "NDX %", "P&L $"), rows)


@lru_cache(maxsize=64)
def _day_cells(of: date, rut_pct: float, ndx_pct: float, why: str) -> tuple[Text, ...]:
    """What a quote leaves as it is."""
    return Text(day(of), why=why), Text(signed(rut_pct, 1)), Text(signed(ndx_pct, 1))


def _falls(snapshot: Snapshot, p: Position) -> tuple[EvidenceTable | None, Text]:
    declines = snapshot.evidence.declines
    table = declines if isinstance(declines, Unknown) else declines.table
    if isinstance(table, Unknown):
        return None, Text(f"Past falls {NOT_KNOWN}", Tone.DIM, table.reason)
    falls = tuple(PastFall(str(row.start), row.rut_pct, row.ndx_pct) for row in table.rows)
    results = replay(p.long_usd, p.short_usd, falls)
    rows = tuple(_fall(row, one.pnl_usd) for row, one in zip(table.rows, results, strict=True))
    gains = sum(one.pnl_usd > 0 for one in results)
    note = f"{table.benchmark} falls of 10 % or more, units held: gain in {gains} of {len(rows)}"
    return (
        EvidenceTable(("High to low", "RUT %", "NDX %", "P&L $"), rows),
        Text(note, Tone.DIM, "\n".join(table.notes)),
    )


def _fall(row: DrawdownMove, pnl_usd: float) -> tuple[Text, ...]:
    return (*_fall_cells(row), Text(signed_dollars(pnl_usd), for_or_against(pnl_usd)))


@lru_cache(maxsize=256)
def _fall_cells(row: DrawdownMove) -> tuple[Text, ...]:
    """What a quote leaves as it is."""
    deep = row.benchmark_pct
    depth = "" if isinstance(deep, Unknown) else f" {signed(deep, 1, ' %')}"
    return (
        Text(
            f"{row.start:%b %y}–{row.end:%b %y}",
            why=f"{day(row.start)} to {day(row.end)}: {row.benchmark}{depth}",
        ),
        Text(signed(row.rut_pct, 1)),
        Text(signed(row.ndx_pct, 1)),
    )


# Costs


def _costs(snapshot: Snapshot, p: Position, inputs: CostInputs) -> EvidenceTable:
    """Each cost by leg; what is earned has a minus."""
    today = trade_day(snapshot)
    by_leg = {leg: costs_of([cost_leg(line) for line in p.legs if line.leg is leg], inputs, today) for leg in Leg}
    rut, ndx, both = by_leg[Leg.RUT], by_leg[Leg.NDX], p.costs
    rolls = f"{both.rolls} roll{'' if both.rolls == 1 else 's'} while held"
    dates = sorted({line.roll for line in p.legs if line.roll is not None})
    if dates:
        rolls += f"; next on {', '.join(day(one) for one in dates)}"
    named = (
        ("Commission", "commission_usd", "in and out"),
        ("Half-spread", "half_spread_usd", "in and out"),
        ("Roll", "roll_usd", rolls),
        ("Borrow", "borrow_usd", "shares sold short; futures need none"),
        ("Dividends", "dividends_usd", "received on the long, paid on the short leg"),
        ("Financing", "carry_usd", "paid on the long, earned on the short leg"),
        ("Total", "total_usd", f"over {both.holding_days:g} days"),
    )
    rows = tuple(
        (
            Text(name, why=why),
            _cost(rut, key),
            _cost(ndx, key),
            _cost(both, key, strong=True),
            Text(why, Tone.DIM),
        )
        for name, key, why in named
    )
    return EvidenceTable(("Costs, $", "RUT leg", "NDX leg", "Both", "For"), rows)


def _cost(costs: Costs, key: str, *, strong: bool = False) -> Text:
    value: float = getattr(costs, key)
    if round(value, 2) == 0:
        return Text("$0", Tone.DIM)
    return Text(dollars(value, 0 if abs(value) >= 100 else 2), Tone.GOOD if strong and value < 0 else Tone.PLAIN)


def margins_of(form: Form, today: date) -> tuple[Text, ...]:
    """Every margin that is kept, with its day."""
    kept = []
    for symbol in TRADED:
        key = f"margin_{symbol.lower()}"
        value, asked = form.values.get(key), form.days.get(f"{key}_day")
        if value is not None and key not in form.errors:
            old = asked is not None and (today - asked).days > MARGIN_OLD_DAYS
            of = "no day typed" if asked is None else f"of {day(asked)}{', old' if old else ''}"
            kept.append(Text(f"{symbol} {dollars(value)} {of}", Tone.WARN if asked is None or old else Tone.DIM))
    words = "Margins kept:" if kept else "Margins: none kept; type one, as your broker asks today"
    return (Text(words, Tone.DIM), *kept)


# What if


def what_if_of(settings: Settings, form: Form, position: Position | None) -> WhatIfState | None:
    """Sliders and what they make of the position; None where there is none."""
    if position is None:
        return None
    path = settings.what_path
    ratio_pct = _slid(form, "what_ratio")
    rut, ndx = (
        path_moves(_RATIO_PATHS[path], ratio_pct)
        if path in _RATIO_PATHS
        else (_slid(form, "what_rut"), _slid(form, "what_ndx"))
    )
    found = what_if(position.long_usd, position.short_usd, position.ratio, rut, ndx)
    moved_pct = 100 * (found.ratio / position.ratio - 1)
    free = path == "free"
    capital = form.values.get("capital")
    share = "" if not capital else f" = {signed(100 * found.pnl_usd / capital, 2, ' %')} of capital"
    results = [
        Text(f"P&L {signed_dollars(found.pnl_usd)}{share}", for_or_against(found.pnl_usd), "units held unchanged"),
        Text(f"RUT leg {signed_dollars(found.rut_usd)}", Tone.RUT, f"RUT {signed(rut, 2, ' %')}"),
        Text(f"NDX leg {signed_dollars(found.ndx_usd)}", Tone.NDX, f"NDX {signed(ndx, 2, ' %')}"),
        Text(
            f"Ratio {plain(found.ratio, 3)}", why=f"{signed(moved_pct, 2, ' %')} from {plain(position.ratio, 3)}"
        ),
        Text(f"RUT − NDX {signed(rut - ndx, 1, ' pp')}"),
    ]
    if position.stop is not None and found.ratio >= position.stop.ratio:
        results.append(Text(f"beyond the stop {plain(position.stop.ratio, 3)}", Tone.BAD))
    elif position.target is not None and found.ratio <= position.target.ratio:
        results.append(Text(f"beyond the target {plain(position.target.ratio, 3)}", Tone.GOOD))
    sliders = (
        _slider("what_rut", "RUT", rut, enabled=free, tone=Tone.RUT),
        _slider("what_ndx", "NDX", ndx, enabled=free, tone=Tone.NDX),
        _slider("what_ratio", "Ratio", moved_pct if free else ratio_pct, enabled=not free),
    )
    paths = tuple(Choice(key, label, key == path) for key, label in _PATHS)
    return WhatIfState(paths, sliders, tuple(results))


def _slid(form: Form, key: str) -> float:
    """A slider's position, kept within its reach."""
    return min(REACH_PCT, max(-REACH_PCT, form.values.get(key, 0.0)))


def _slider(key: str, label: str, value: float, *, enabled: bool, tone: Tone = Tone.PLAIN) -> SliderState:
    return SliderState(
        key,
        label,
        value,
        -REACH_PCT,
        REACH_PCT,
        Text(signed(value, 1, " %"), tone if enabled else Tone.DIM),
        enabled,
    )


# The hedge of what is held


def cover_of(snapshot: Snapshot, settings: Settings, form: Form, hedges: Sequence[Hedge]) -> CoverState:
    """How many of the other leg hedge what is held, for each hedge; the chosen one can be taken away."""
    if not form.holdings:
        why = form.errors.get("held", "")
        return CoverState(
            message=why or "Type what you hold, like +500 IWM or -3 NQ: how many hedge it is told here"
        )
    traded = Traded(settings.instrument)
    needed = {short_name(one.what): one.what for one in form.holdings}
    for leg in Leg:
        needed.update({short_name(one): one for one in instruments_of(traded, leg)})
    kind = instruments_of(traded, Leg.RUT)[0].kind  # mini and micro are on one price
    own = {symbol: one.leg for symbol, one in TRADED.items() if one.kind is kind and one.leg is not None}
    quotes: dict[str, Price] = {}
    for symbol, one in needed.items():
        given = market_price(snapshot, one, settings.order_age_s)
        quotes[symbol] = price_of(form, own[symbol], given) if symbol in own else given
    missing = next((one.origin for one in quotes.values() if one.value is None), "")
    if missing:
        return CoverState(message=f"{missing}: the hedge cannot be told without it")
    prices = {symbol: one.value for symbol, one in quotes.items() if one.value is not None}
    day_of = trade_day(snapshot)
    found = [
        (one, one.k if isinstance(one.k, Unknown) else cover(form.holdings, prices, one.k, traded, day_of))
        for one in hedges
    ]
    rows = tuple(_cover_row(one, result, settings) for one, result in found)
    chosen = next((result for one, result in found if one.kind is HedgeKind(settings.hedge)), None)
    table = EvidenceTable(("Hedge", "k", "Trade", "Notional", "Exact", "Residual"), rows)
    if not isinstance(chosen, Cover):
        why = "choose a hedge that is measured" if chosen is None else chosen.reason
        return CoverState((Text(why, Tone.WARN),), table)
    facts = [
        Text(f"held: RUT {signed_dollars(chosen.rut_usd)}", Tone.RUT),
        Text(f"NDX {signed_dollars(chosen.ndx_usd)}", Tone.NDX),
        Text(f"half a unit is {dollars(chosen.half_unit_usd)}", Tone.DIM, "in dollars of NDX"),
    ]
    if chosen.reversed_idea:
        facts.append(Text("short RUT, long NDX: the idea the other way round", Tone.WARN))
    if not chosen.lines:
        facts.append(Text("hedged within half a unit: nothing to trade", Tone.GOOD))
    used = {symbol: quotes[symbol] for symbol in [*dict.fromkeys(short_name(one.what) for one in form.holdings)]}
    used |= {line.symbol: quotes[line.symbol] for line in chosen.lines}
    facts += [
        Text(f"{symbol} {one.age}", Tone.DIM if one.kind is PriceKind.QUOTE else Tone.WARN, one.origin)
        for symbol, one in used.items()
    ]
    orders = orders_of(snapshot, chosen.lines, used, cover_text(chosen, form.holdings), "hedge")
    return CoverState(tuple(facts), table, orders)


def _cover_row(hedge: Hedge, found: Cover | Unknown, settings: Settings) -> tuple[Text, ...]:
    mark = "▸ " if hedge.kind.value == settings.hedge else ""
    name = Text(f"{mark}{hedge.label}", why=hedge.basis)
    if isinstance(found, Unknown):
        nothing = Text(NOT_KNOWN, Tone.DIM, found.reason)
        return name, nothing, nothing, nothing, nothing, nothing
    words = " ".join(
        f"{'+' if line.one_pct_usd > 0 else '−'}{line.quantity:,} {line.symbol}" for line in found.lines
    )
    unit = short_name_of(found)
    return (
        name,
        Text(plain(found.k, 3)),
        Text(words or "nothing", Tone.NDX if found.leg is Leg.NDX else Tone.RUT),
        Text(dollars(sum(line.notional_usd for line in found.lines))),
        Text(signed(found.exact_units, 2), why=f"{unit}units before rounding"),
        Text(signed_dollars(found.residual_usd), why="k × RUT + NDX that stays, in dollars of NDX"),
    )


def short_name_of(found: Cover) -> str:
    """The smallest unit traded, with a blank; "" where nothing is."""
    return f"{found.lines[-1].symbol} " if found.lines else ""


def bases_of(hedges: Sequence[Hedge], chosen: HedgeKind) -> EvidenceTable:
    """What each hedge rests on."""
    rows = tuple(
        (
            Text(f"{'▸ ' if one.kind is chosen else ''}{one.label}"),
            Text(NOT_KNOWN, Tone.DIM, one.k.reason) if isinstance(one.k, Unknown) else Text(plain(one.k, 3)),
            Text("" if isinstance(one.se, Unknown) else f"± {plain(one.se, 3)}"),
            Text(one.basis, Tone.WARN if "typed" in one.basis else Tone.DIM),
        )
        for one in hedges
    )
    return EvidenceTable(("Hedge", "k", "Error", "Rests on"), rows)
