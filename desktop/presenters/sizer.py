"""The position sizer: what is typed is sized by `trade`, and told in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from desktop.market.instruments import Leg
from desktop.market.known import Maybe, Unknown
from desktop.presenters.sizer_form import (
    AUTO,
    LABELS,
    Form,
    Price,
    PriceKind,
    blocks,
    field_of,
    fields_of,
    hedges_of,
    inputs_of,
    market_price,
    parse,
    price_of,
    risk_of,
    suggested,
    trade_day,
    unseen,
)
from desktop.presenters.sizer_orders import by_symbol, orders_of, standing
from desktop.presenters.sizer_pages import bases_of, cover_of, margins_of, tables_of, what_if_of
from desktop.presenters.words import (
    NOT_KNOWN,
    day,
    dollars,
    for_or_against,
    plain,
    short_dollars,
    shown,
    signed,
    signed_dollars,
)
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.trade import scenarios
from desktop.trade.hedge import LABELS as HEDGE_LABELS
from desktop.trade.hedge import Hedge, HedgeKind
from desktop.trade.inputs import Choice as Traded
from desktop.trade.inputs import Side, SizerInputs, instruments_of, validate
from desktop.trade.position import LegReturns, Position, TicketLeg, ticket_text
from desktop.trade.sizing import Sized, size_three
from widgets.states import (
    Choice,
    HeatMap,
    HedgeColumn,
    LegRow,
    SetupsState,
    SizerState,
    SizerTables,
    Text,
    Tone,
)

__all__ = ["AUTO", "SizerPresenter"]
_NO_SETUPS = SetupsState()


class SizerPresenter:
    """Keeps the last form, sizing and tables, because most frames change nothing they depend on."""

    def __init__(self) -> None:
        self._parsed: tuple[Settings, tuple[float | None, float | None], object, Form] | None = None
        self._key: tuple[SizerInputs, tuple[Hedge, ...], HedgeKind, int] | None = None
        self._sized: tuple[Sized, ...] = ()
        self._told: tuple[Position, object, _Told] | None = None

    def levels(self, snapshot: Snapshot, settings: Settings) -> tuple[float | None, float | None]:
        """Stop and target as levels of the ratio; None for none, or where what is typed is no number."""
        form = self._parse(snapshot, settings)
        return form.values.get("stop"), form.values.get("target")

    def present(self, snapshot: Snapshot, settings: Settings, setups: SetupsState = _NO_SETUPS) -> SizerState:
        """Build the state of the sizer panel."""
        form = self._parse(snapshot, settings)
        traded = Traded(settings.instrument)
        given = {leg: market_price(snapshot, instruments_of(traded, leg)[0], settings.order_age_s) for leg in Leg}
        prices = {leg: price_of(form, leg, given[leg]) for leg in Leg}
        risk = risk_of(snapshot, form)
        hedges = hedges_of(snapshot, settings, form, risk)
        inputs = inputs_of(snapshot, settings, form, prices, risk)
        left_out = unseen(settings)
        errors = {field_of(name): why for name, why in validate(inputs).items()} | {
            key: why for key, why in form.errors.items() if key not in left_out
        }
        if "typed_hedge" in form.values and "k" in errors:
            errors["typed_hedge"] = errors["k"]
        chosen = HedgeKind(settings.hedge)
        message = ""
        sized: tuple[Sized, ...] = ()
        blocking = {key: why for key, why in errors.items() if blocks(key)}
        if not blocking:
            sized = self._size(inputs, hedges, chosen, snapshot.history.returns)
        position = next((one.position for one in sized if one.hedge.kind is chosen), None)
        if isinstance(position, Unknown):
            message, position = position.reason, None
        elif position is None:
            message = _why_not(blocking, chosen)
        told = _NOTHING if position is None else self._tell(snapshot, position, inputs)
        by_line = {} if position is None else by_symbol(position.legs, prices)
        orders = (
            None
            if position is None
            else orders_of(snapshot, position.legs, by_line, ticket_text(position), "pair")
        )
        return SizerState(
            fields=fields_of(snapshot, settings, form, errors, given),
            sizings=_choices(_SIZINGS, settings.sizing),
            instruments=_choices(_INSTRUMENTS, settings.instrument),
            hedges=_columns(hedges, sized, chosen),
            legs=() if position is None else tuple(_row(one, prices[one.leg], snapshot) for one in position.legs),
            totals=told.totals,
            outcomes=told.outcomes,
            heat=told.heat,
            message=message,
            notes=_notes(snapshot, position, prices),
            standing=standing(snapshot, by_line),
            orders=orders,
            tables=told.tables,
            bases=bases_of(hedges, chosen),
            margins=margins_of(form, trade_day(snapshot)),
            what_if=what_if_of(settings, form, position),
            cover=cover_of(snapshot, settings, form, hedges),
            setups=setups,
        )

    def _parse(self, snapshot: Snapshot, settings: Settings) -> Form:
        levels, today = suggested(snapshot), trade_day(snapshot) if snapshot.mode is Mode.LIVE else None
        held = self._parsed
        if held is None or held[0] is not settings or held[1:3] != (levels, today):
            self._parsed = held = settings, levels, today, parse(settings, levels, today)
        return held[3]

    def _size(
        self, inputs: SizerInputs, hedges: tuple[Hedge, ...], chosen: HedgeKind, returns: LegReturns
    ) -> tuple[Sized, ...]:
        key = (inputs, hedges, chosen, id(returns))
        if key != self._key:
            self._sized = tuple(
                _with_history(one, returns) if one.hedge.kind is chosen else one
                for one in size_three(inputs, hedges)
            )
            self._key = key
        return self._sized

    def _tell(self, snapshot: Snapshot, position: Position, inputs: SizerInputs) -> _Told:
        """The words of a position, kept as long as it is the same and no past fall was added."""
        past = snapshot.evidence.declines
        if self._told is None or self._told[0] is not position or self._told[1] is not past:
            tables = tables_of(snapshot, position, inputs.costs)
            told = _Told(_totals(position), _outcomes(position), _heat(position), tables)
            self._told = position, past, told
        return self._told[2]


@dataclass(frozen=True, slots=True)
class _Told:
    """What rests on the position alone."""

    totals: tuple[Text, ...]
    outcomes: tuple[Text, ...]
    heat: HeatMap | None
    tables: SizerTables


_NOTHING = _Told((), (), None, SizerTables())


def _with_history(one: Sized, returns: LegReturns) -> Sized:
    """Only the chosen position is run through the past: it is what the panel shows of it."""
    position = one.position
    if isinstance(position, Unknown):
        return one
    past = scenarios.historical_risk(position.long_usd, position.short_usd, returns.days, returns.rut, returns.ndx)
    return replace(one, position=replace(position, historical=past))


_SIZINGS = (("cap", "Gross cap"), ("vol_target", "Vol target"), ("stop", "Loss at stop"))
_INSTRUMENTS = (("etf", "ETF"), ("micro", "Micro"), ("mini", "Mini"), ("mixed", "Mixed"))


def _choices(options: tuple[tuple[str, str], ...], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(key, label, key == chosen) for key, label in options)


def _why_not(errors: Mapping[str, str], chosen: HedgeKind) -> str:
    if errors:
        return "; ".join(f"{LABELS.get(key, key)}: {why}" for key, why in errors.items())
    if chosen is HedgeKind.TYPED:
        return "Hedge k: type short notional over long notional, or choose another hedge"
    return f"{HEDGE_LABELS[chosen]}: not measured; choose another hedge"


# What comes out


def _columns(hedges: tuple[Hedge, ...], sized: tuple[Sized, ...], chosen: HedgeKind) -> tuple[HedgeColumn, ...]:
    by_kind = {one.hedge.kind: one.position for one in sized}
    return tuple(
        HedgeColumn(one.kind.value, one.label, one.kind is chosen, _column(one, by_kind.get(one.kind)))
        for one in hedges
    )


def _column(hedge: Hedge, position: Position | Unknown | None) -> tuple[tuple[str, Text], ...]:
    k = hedge.k
    if isinstance(k, Unknown):
        return (("k", Text(NOT_KNOWN, Tone.DIM, k.reason)),)
    error = "" if isinstance(hedge.se, Unknown) else f" ± {plain(hedge.se, 2)}"
    rows = [("k", Text(f"{plain(k, 3)}{error}", Tone.WARN if "typed" in hedge.basis else Tone.PLAIN, hedge.basis))]
    if position is None:
        return tuple(rows)
    if isinstance(position, Unknown):
        return (*rows, ("size", Text(NOT_KNOWN, Tone.WARN, position.reason)))
    longs = " ".join(f"+{one.quantity:,} {one.symbol}" for one in position.legs if one.leg is Leg.RUT)
    shorts = " ".join(f"−{one.quantity:,} {one.symbol}" for one in position.legs if one.leg is Leg.NDX)
    rows += [
        ("long", Text(longs, Tone.RUT)),
        ("short", Text(shorts, Tone.NDX)),
        ("vol / y", shown(position.spread_vol_usd, dollars)),
    ]
    return tuple(rows)


def _row(leg: TicketLeg, price: Price, snapshot: Snapshot) -> LegRow:
    buy = leg.side is Side.BUY
    roll = (
        ""
        if leg.roll is None
        else f"rolled on {day(leg.roll)}, expires on {day(leg.future.expiry)}"
        if leg.future
        else ""
    )
    return LegRow(
        side=Text("BUY" if buy else "SELL", Tone.GOOD if buy else Tone.BAD),
        contract=Text(leg.contract, Tone.RUT if buy else Tone.NDX, roll),
        quantity=Text(f"{'+' if buy else '−'}{leg.quantity:,}"),
        price=Text(
            plain(leg.price, 2),
            Tone.WARN if price.kind in (PriceKind.INDEX, PriceKind.TYPED, PriceKind.ROLLING) else Tone.PLAIN,
            price.origin,
        ),
        notional=Text(
            dollars(leg.notional_usd),
            why=f"multiplier ${leg.multiplier:g} a point; its index +1 % makes {signed_dollars(leg.one_pct_usd)}",
        ),
        one_percent=Text(signed_dollars(leg.one_pct_usd), why="made when its index rises by 1 %"),
        age=Text(price.age, _age_tone(price, snapshot), price.origin),
    )


def _age_tone(price: Price, snapshot: Snapshot) -> Tone:
    if price.kind is PriceKind.QUOTE and snapshot.mode is not Mode.LIVE:
        return Tone.PAST
    return Tone.PLAIN if price.live else Tone.WARN


def _named(name: str, value: Maybe, *, why: str, unit: str = "") -> Text:
    told = shown(value, dollars, why=why)
    return replace(told, text=f"{name} {told.text}{'' if isinstance(value, Unknown) else unit}")


def _totals(p: Position) -> tuple[Text, ...]:
    """The most asked for; the page Risk has them all."""
    totals = [
        Text(f"Gross {dollars(p.gross_usd)}", why="long plus short"),
        Text(f"Residual {signed_dollars(p.residual_usd)}", why="k × long − short, in whole units"),
        _named(
            "Vol", p.spread_vol_usd, unit=" / y", why="of the spread, from volatilities and correlation in force"
        ),
        _named("99 % VaR", p.var99_usd, why="normal, 2.326 σ: one day in a hundred loses more"),
    ]
    past = p.historical
    if isinstance(past, Unknown):
        totals.append(Text(f"Worst day {NOT_KNOWN}", Tone.DIM, past.reason))
    else:
        totals.append(
            Text(
                f"Worst day {signed_dollars(past.worst_usd)}",
                Tone.BAD,
                f"{day(past.worst_day)}: RUT − NDX {signed(past.worst_spread_pp, 1, ' pp')}",
            )
        )
    totals.append(_named("Margin", p.margin_usd, why="as typed on the page Costs; check it with your broker"))
    totals.append(
        Text(f"Costs {dollars(p.costs.total_usd)}", why=f"over {p.costs.holding_days:g} days; see Costs")
    )
    rolls = sorted({one.roll for one in p.legs if one.roll is not None})
    if rolls:
        words = f"Roll {', '.join(f'{one.day} {one:%b}' for one in rolls)}"
        totals.append(Text(words, why=f"{p.costs.rolls} within {p.costs.holding_days:g} days"))
    return tuple(totals)


def _outcomes(p: Position) -> tuple[Text, ...]:
    outcomes = []
    for name, end in (("At stop", p.stop), ("At target", p.target)):
        if end is not None:
            paths = (
                f"NDX flat {signed_dollars(end.ndx_flat_usd)}, RUT flat {signed_dollars(end.rut_flat_usd)}, "
                f"symmetric {signed_dollars(end.symmetric_usd)}"
            )
            outcomes.append(
                Text(
                    f"{name} {plain(end.ratio, 3)}: {signed_dollars(end.worst_usd)}",
                    for_or_against(end.worst_usd),
                    f"worst of three paths. {paths}",
                )
            )
    if isinstance(p.reward_risk, Unknown):
        outcomes.append(Text(f"reward / risk {NOT_KNOWN}", Tone.DIM, p.reward_risk.reason))
    else:
        after = p.reward_risk_after_costs
        costs = "" if isinstance(after, Unknown) else f"after costs {plain(after, 2)}"
        outcomes.append(Text(f"reward / risk {plain(p.reward_risk, 2)}", why=costs))
    return tuple(outcomes)


def _heat(p: Position) -> HeatMap:
    scenarios_of = p.scenarios
    moves = sorted({one.rut_pct for one in scenarios_of})
    pnl = {(one.ndx_pct, one.rut_pct): one.pnl_usd for one in scenarios_of}
    values = tuple(tuple(pnl[ndx, rut] for rut in moves) for ndx in reversed(moves))
    cells = tuple(tuple(_cell(rut, ndx, pnl[ndx, rut]) for rut in moves) for ndx in reversed(moves))
    return HeatMap(
        tuple(f"NDX {signed(ndx, 0)}%" for ndx in reversed(moves)),
        tuple(f"RUT {signed(rut, 0)}%" for rut in moves),
        cells,
        values,
    )


def _cell(rut_pct: float, ndx_pct: float, usd: float) -> Text:
    return Text(short_dollars(usd), for_or_against(usd), f"{_moves(rut_pct, ndx_pct)}: {signed_dollars(usd)}")


@lru_cache(maxsize=256)
def _moves(rut_pct: float, ndx_pct: float) -> str:
    return f"RUT {signed(rut_pct, 0, ' %')}, NDX {signed(ndx_pct, 0, ' %')}"


def _notes(snapshot: Snapshot, position: Position | None, prices: Mapping[Leg, Price]) -> tuple[Text, ...]:
    notes = [Text(f"{leg.value.upper()} price: {one.note}", Tone.WARN) for leg, one in prices.items() if one.note]
    if isinstance(snapshot.history.risk, Unknown):
        notes.append(Text(snapshot.history.risk.reason, Tone.DIM))
    if position is not None:
        notes += [Text(note, Tone.WARN) for note in position.notes]
    return tuple(notes)
