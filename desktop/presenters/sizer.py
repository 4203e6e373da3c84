"""The position sizer: what is typed is parsed here, sized by `trade`, and told in words, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.analytics.ratio import Extreme
from desktop.market.instruments import INSTRUMENTS, PAIRS, Leg
from desktop.market.known import Maybe, Unknown
from desktop.presenters.words import (
    NOT_KNOWN,
    clock_et,
    day,
    dollars,
    for_or_against,
    plain,
    short_dollars,
    signed,
    signed_dollars,
)
from desktop.settings import Settings
from desktop.snapshot import Snapshot
from desktop.trade.hedge import LABELS, Hedge, HedgeKind, typed_hedge
from desktop.trade.inputs import Choice as Traded
from desktop.trade.inputs import Side, SizeBy, SizerInputs, instruments_of, short_name, validate
from desktop.trade.position import LegReturns, Position, TicketLeg, ticket_text
from desktop.trade.sizing import Sized, size_three
from desktop.trade.typed import FieldError, parse_number, parse_percent
from widgets.states import Choice, FieldState, HeatMap, HedgeColumn, LegRow, SizerState, Text, Tone

AUTO = "auto"
_STOP_ABOVE, _TARGET_BELOW = 1.05, 0.90
_PEAK_FROM, _PEAK_TO = 0.75, 0.95
"""Suggestions, until something is typed: a stop 5 % above the last close of the ratio; the target is the
dot-com peak where that lies 5 to 25 % below, else 10 % below the close."""
_COLUMNS = (HedgeKind.DOLLAR, HedgeKind.BETA_NDX, HedgeKind.VOL)
_PERCENT_FIELDS = frozenset({"vol_target", "risk"})
_OVERRIDES = frozenset({"typed_hedge", "rut_price", "ndx_price", "rut_margin", "ndx_margin"})
_OPTIONAL = _OVERRIDES | {"stop", "target"}


@dataclass(frozen=True, slots=True)
class _Price:
    """What a leg trades at, and where that comes from."""

    value: float | None
    origin: str
    stands_in: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    """The form parsed: values of good fields, reasons of bad ones, and what the fields show."""

    values: Mapping[str, float]
    errors: Mapping[str, str]
    texts: Mapping[str, str]


class SizerPresenter:
    """Keeps the last sizing, because most frames change nothing it depends on."""

    def __init__(self) -> None:
        self._key: tuple[SizerInputs, tuple[Hedge, ...], int] | None = None
        self._sized: tuple[Sized, ...] = ()

    def levels(self, snapshot: Snapshot, settings: Settings) -> tuple[float | None, float | None]:
        """Stop and target as levels of the ratio; None for none, or where what is typed is no number."""
        form = _parse(snapshot, settings)
        return form.values.get("stop"), form.values.get("target")

    def present(self, snapshot: Snapshot, settings: Settings) -> SizerState:
        """Build the state of the sizer panel."""
        form = _parse(snapshot, settings)
        traded = Traded(settings.instrument)
        prices = {leg: _price(snapshot, form, traded, leg) for leg in Leg}
        hedges = _hedges(snapshot, settings, form)
        inputs = _inputs(snapshot, settings, form, prices)
        errors = dict(validate(inputs)) | dict(form.errors)
        if "typed_hedge" in form.values and "k" in errors:
            errors["typed_hedge"] = errors["k"]
        chosen = HedgeKind(settings.hedge)
        message = ""
        sized: tuple[Sized, ...] = ()
        blocking = {key: why for key, why in errors.items() if key not in ("k",)}
        if not blocking:
            sized = self._size(inputs, hedges, snapshot.history.returns)
        position = next((one.position for one in sized if one.hedge.kind is chosen), None)
        if isinstance(position, Unknown):
            message, position = position.reason, None
        elif position is None:
            message = _why_not(blocking, chosen)
        return SizerState(
            fields=_fields(settings, form, errors, prices, traded),
            sizings=_choices(_SIZINGS, settings.sizing),
            instruments=_choices(_INSTRUMENTS, settings.instrument),
            hedges=_columns(hedges, sized, chosen),
            legs=() if position is None else tuple(_row(one, prices[one.leg]) for one in position.legs),
            totals=() if position is None else _totals(position),
            outcomes=() if position is None else _outcomes(position),
            heat=None if position is None else _heat(position),
            ticket="" if position is None else _ticket(position, snapshot),
            message=message,
            notes=_notes(snapshot, settings, prices, position),
        )

    def _size(self, inputs: SizerInputs, hedges: tuple[Hedge, ...], returns: LegReturns) -> tuple[Sized, ...]:
        key = (inputs, hedges, id(returns))
        if key != self._key:
            self._sized = size_three(inputs, hedges, returns)
            self._key = key
        return self._sized


_SIZINGS = (("cap", "Gross cap"), ("vol_target", "Vol target"), ("stop", "Loss at stop"))
_INSTRUMENTS = (("etf", "ETF"), ("micro", "Micro"), ("mini", "Mini"), ("mixed", "Mixed"))


def _choices(options: tuple[tuple[str, str], ...], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(key, label, key == chosen) for key, label in options)


# What is typed


def _parse(snapshot: Snapshot, settings: Settings) -> _Form:
    texts = {key: getattr(settings, key) for key, _, _ in _ALL_FIELDS}
    for key, level in zip(("stop", "target"), _suggested(snapshot), strict=True):
        if texts[key] == AUTO:
            texts[key] = "" if level is None else f"{level:.3f}"
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    for key, text in texts.items():
        if key in _OPTIONAL and not text.strip():
            continue
        try:
            values[key] = (parse_percent if key in _PERCENT_FIELDS else parse_number)(text)
        except FieldError as error:
            errors[key] = error.why
    return _Form(values, errors, texts)


def _suggested(snapshot: Snapshot) -> tuple[float | None, float | None]:
    pair, stats = snapshot.history.pair, snapshot.ratio
    if not len(pair) or isinstance(stats, Unknown):
        return None, None
    close = float(pair.ratio[-1])
    peak = stats.dotcom_peak
    at_peak = isinstance(peak, Extreme) and _PEAK_FROM * close < peak.value < _PEAK_TO * close
    return close * _STOP_ABOVE, peak.value if isinstance(peak, Extreme) and at_peak else close * _TARGET_BELOW


def _inputs(snapshot: Snapshot, settings: Settings, form: _Form, prices: Mapping[Leg, _Price]) -> SizerInputs:
    values, risk, stats = form.values, snapshot.history.risk, snapshot.ratio
    pair = None if isinstance(risk, Unknown) else risk
    size_by = SizeBy(settings.sizing)
    return SizerInputs(
        size_by=size_by,
        instrument=Traded(settings.instrument),
        k=values.get("typed_hedge", 1.0),
        rut_price=prices[Leg.RUT].value,
        ndx_price=prices[Leg.NDX].value,
        capital=values.get("capital"),
        gross_cap=values.get("gross_cap"),
        vol_target=values.get("vol_target") if size_by is SizeBy.VOL_TARGET else None,
        risk=values.get("risk") if size_by is SizeBy.STOP else None,
        stop=values.get("stop"),
        target=values.get("target"),
        ratio=None if isinstance(stats, Unknown) else stats.value,
        su=pair.su if pair else None,
        sn=pair.sn if pair else None,
        rho=pair.rho if pair else None,
        beta=pair.beta if pair else None,
        rut_margin=values.get("rut_margin"),
        ndx_margin=values.get("ndx_margin"),
        day=snapshot.today.session.day,
    )


def _hedges(snapshot: Snapshot, settings: Settings, form: _Form) -> tuple[Hedge, ...]:
    wanted = set(_COLUMNS) | {HedgeKind(settings.hedge)}
    found = tuple(one for one in snapshot.history.hedges if one.kind in wanted)
    typed = form.values.get("typed_hedge")
    return found if typed is None else (*found, typed_hedge(typed))


def _price(snapshot: Snapshot, form: _Form, traded: Traded, leg: Leg) -> _Price:
    """Typed, else quoted, else the last close; the index level stands in for a future without a quote."""
    typed = form.values.get(f"{leg.value}_price")
    if typed is not None:
        return _Price(typed, "typed")
    instrument = instruments_of(traded, leg)[0]
    # A micro trades at its mini's price: both are on the same index, to the same tick.
    quoted = INSTRUMENTS[PAIRS[instrument.kind][leg]]
    tick = snapshot.today.last_prices.get(quoted.symbol)
    if tick is not None:
        return _Price(tick.price, f"{short_name(quoted)} at {clock_et(tick.event_time)}")
    if traded is Traded.ETF:
        closes = snapshot.history.prices[instrument.symbol]
        if len(closes):
            return _Price(float(closes.close[-1]), f"{instrument.symbol} close of {day(closes.days[-1].item())}")
        return _Price(None, f"no price of {instrument.symbol} in the store")
    stats = snapshot.ratio
    if isinstance(stats, Unknown):
        return _Price(None, stats.reason)
    level = stats.rut if leg is Leg.RUT else stats.ndx
    tick_size = instrument.tick
    return _Price(
        round(level / tick_size) * tick_size, f"index level of {day(stats.date)}, no quote of the future", True
    )


_ALL_FIELDS = (
    ("capital", "Capital", "$"),
    ("gross_cap", "Gross cap", "$"),
    ("vol_target", "Vol target", "% / y"),
    ("risk", "Risk at stop", "%"),
    ("stop", "Stop ratio", ""),
    ("target", "Target ratio", ""),
    ("typed_hedge", "Hedge k", ""),
    ("rut_price", "RUT price", ""),
    ("ndx_price", "NDX price", ""),
    ("rut_margin", "RUT margin", "$"),
    ("ndx_margin", "NDX margin", "$"),
)
_HELP = {
    "capital": "What the risk and the volatility target are shares of. 2m, 500k and 2,000,000 are understood.",
    "gross_cap": "Long plus short notional never exceeds this.",
    "vol_target": "Annual volatility of the pair as a percentage of capital.",
    "risk": "Money lost at the stop, on the worst of three paths, as a percentage of capital.",
    "stop": "Level of NDX/RUT above the present ratio; drag the line in the ratio chart, or type auto.",
    "target": "Level of NDX/RUT below the present ratio; drag the line in the ratio chart, or type auto.",
    "typed_hedge": "Short notional over long notional; empty leaves the three measured hedges.",
    "rut_margin": "Margin of one contract as your broker asks today; empty shows no margin.",
    "ndx_margin": "Margin of one contract as your broker asks today; empty shows no margin.",
}


def _fields(
    settings: Settings,
    form: _Form,
    errors: Mapping[str, str],
    prices: Mapping[Leg, _Price],
    traded: Traded,
) -> tuple[FieldState, ...]:
    hidden = {"vol_target": SizeBy.VOL_TARGET, "risk": SizeBy.STOP}
    shown = []
    for key, label, unit in _ALL_FIELDS:
        if key in hidden and settings.sizing != hidden[key].value:
            continue
        name, told = label, _HELP.get(key, "")
        if key.endswith("_price"):
            leg = Leg(key[:3])
            name = f"{short_name(instruments_of(traded, leg)[0])} price"
            told = f"Empty takes {prices[leg].origin}." if prices[leg].value else prices[leg].origin
        error, optional = errors.get(key, ""), key in _OVERRIDES
        shown.append(FieldState(key, name, form.texts[key], unit, error, told, optional))
    return tuple(shown)


def _why_not(errors: Mapping[str, str], chosen: HedgeKind) -> str:
    labels = {key: label for key, label, _ in _ALL_FIELDS}
    if errors:
        return "; ".join(f"{labels.get(key, key)}: {why}" for key, why in errors.items())
    if chosen is HedgeKind.TYPED:
        return "Hedge k: type short notional over long notional, or choose another hedge"
    return f"{LABELS[chosen]}: not measured; choose another hedge"


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
    rows = [("k", Text(f"{plain(k, 3)}{error}", why=hedge.basis))]
    if position is None:
        return tuple(rows)
    if isinstance(position, Unknown):
        return (*rows, ("size", Text(NOT_KNOWN, Tone.WARN, position.reason)))
    longs = " ".join(f"+{one.quantity:,} {one.symbol}" for one in position.legs if one.leg is Leg.RUT)
    shorts = " ".join(f"−{one.quantity:,} {one.symbol}" for one in position.legs if one.leg is Leg.NDX)
    rows += [
        ("long", Text(longs, Tone.RUT)),
        ("short", Text(shorts, Tone.NDX)),
        ("gross", Text(dollars(position.gross_usd))),
        ("vol / y", _money(position.spread_vol_usd)),
    ]
    return tuple(rows)


def _money(value: Maybe, *, tone: Tone = Tone.PLAIN, why: str = "") -> Text:
    if isinstance(value, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, value.reason)
    return Text(dollars(value), tone, why)


def _row(leg: TicketLeg, price: _Price) -> LegRow:
    buy = leg.side is Side.BUY
    roll = "" if leg.roll is None else f"roll {day(leg.roll)}"
    return LegRow(
        side=Text("BUY" if buy else "SELL", Tone.GOOD if buy else Tone.BAD),
        contract=Text(leg.contract, Tone.RUT if buy else Tone.NDX, roll),
        quantity=Text(f"{'+' if buy else '−'}{leg.quantity:,}"),
        price=Text(
            plain(leg.price, 2),
            Tone.WARN if price.stands_in or price.origin == "typed" else Tone.PLAIN,
            price.origin,
        ),
        notional=Text(dollars(leg.notional_usd), why=f"multiplier ${leg.multiplier:g} a point"),
        one_percent=Text(signed_dollars(leg.one_pct_usd), why="made when its index rises by 1 %"),
    )


def _named(name: str, value: Maybe, *, sign: bool = False, why: str = "", unit: str = "") -> Text:
    if isinstance(value, Unknown):
        return Text(f"{name} {NOT_KNOWN}", Tone.DIM, value.reason)
    return Text(f"{name} {(signed_dollars if sign else dollars)(value)}{unit}", why=why)


def _totals(p: Position) -> tuple[Text, ...]:
    totals = [
        Text(f"Gross {dollars(p.gross_usd)}", why="long plus short"),
        Text(f"Residual {signed_dollars(p.residual_usd)}", why="k × long − short, in whole units"),
        _named(
            "Residual beta", p.residual_beta_usd, sign=True, why="beta × long − short: dollars of NDX still long"
        ),
        _named("Spread vol", p.spread_vol_usd, unit=" / y", why="from 252-day volatilities and correlation"),
        _named("99 % day VaR", p.var99_usd, why="normal, 2.326 σ: one day in a hundred loses more"),
        _named("ES", p.es99_usd, why="normal: mean loss beyond the 99 % VaR"),
    ]
    past = p.historical
    if isinstance(past, Unknown):
        totals.append(Text(f"Historical ES {NOT_KNOWN}", Tone.DIM, past.reason))
    else:
        totals.append(
            Text(
                f"Historical ES {dollars(past.es99_usd)}",
                why=f"worst 1 % of {past.n:,} days since {day(past.first)}",
            )
        )
        totals.append(
            Text(
                f"Worst day {signed_dollars(past.worst_usd)}",
                Tone.BAD,
                f"{day(past.worst_day)}: RUT − NDX {signed(past.worst_spread_pp, 1, ' pp')}",
            )
        )
    totals.append(_named("Margin", p.margin_usd, why="as typed; check it with your broker"))
    totals.append(
        Text(
            f"Costs {dollars(p.costs.total_usd)}",
            why=f"over {p.costs.holding_days:g} days: commission {dollars(p.costs.commission_usd)}, half-spread "
            f"{dollars(p.costs.half_spread_usd)}, roll {dollars(p.costs.roll_usd)}, borrow "
            f"{dollars(p.costs.borrow_usd)}, dividends {signed_dollars(p.costs.dividends_usd)}, carry "
            f"{signed_dollars(p.costs.carry_usd)}",
        )
    )
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
    moves = sorted({one.rut_pct for one in p.scenarios})
    pnl = {(one.ndx_pct, one.rut_pct): one.pnl_usd for one in p.scenarios}
    values = tuple(tuple(pnl[ndx, rut] for rut in moves) for ndx in reversed(moves))
    cells = tuple(
        tuple(
            Text(
                short_dollars(pnl[ndx, rut]),
                for_or_against(pnl[ndx, rut]),
                f"RUT {signed(rut, 0, ' %')}, NDX {signed(ndx, 0, ' %')}: {signed_dollars(pnl[ndx, rut])}",
            )
            for rut in moves
        )
        for ndx in reversed(moves)
    )
    return HeatMap(
        tuple(f"NDX {signed(ndx, 0)}%" for ndx in reversed(moves)),
        tuple(f"RUT {signed(rut, 0)}%" for rut in moves),
        cells,
        values,
    )


def _ticket(p: Position, snapshot: Snapshot) -> str:
    """Both legs for a chat; a ticket on prices that are not live says so in its first line."""
    text = ticket_text(p)
    if snapshot.live and snapshot.mode.value == "live":
        return text
    what = {"live": "last prices", "as_of": "as of"}.get(snapshot.mode.value, snapshot.mode.value)
    return f"NOT LIVE PRICES ({what}, {day(snapshot.today.session.day)})\n{text}"


def _notes(
    snapshot: Snapshot, settings: Settings, prices: Mapping[Leg, _Price], position: Position | None
) -> tuple[Text, ...]:
    notes = []
    if AUTO in (settings.stop, settings.target):
        notes.append(Text("stop and target are suggestions until you type your own", Tone.WARN))
    for leg, price in prices.items():
        if price.stands_in:
            notes.append(Text(f"{leg.value.upper()}: {price.origin}", Tone.WARN))
    risk = snapshot.history.risk
    if isinstance(risk, Unknown):
        notes.append(Text(risk.reason, Tone.DIM))
    else:
        notes.append(
            Text(
                f"σ RUT {plain(100 * risk.su, 1)} %, NDX {plain(100 * risk.sn, 1)} %, ρ {plain(risk.rho, 2)}, "
                f"{risk.n} days to {day(snapshot.history.returns.days[-1].item())}",
                Tone.DIM,
            )
        )
    if position is not None:
        notes += [Text(note, Tone.WARN) for note in position.notes]
    return tuple(notes)
