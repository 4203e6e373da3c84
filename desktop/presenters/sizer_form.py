"""The form of the sizer: what is typed, what the market gives where nothing is, what is wrong, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from desktop import settings as declared
from desktop.analytics.divergence import LegTick
from desktop.analytics.ratio import Extreme
from desktop.market.instruments import INSTRUMENTS, PAIRS, Instrument, Kind, Leg, front_contract, rolled_out_of
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.market.sessions import trading_day
from desktop.presenters.words import clock_et, day, moment_et, plain, signed, span
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.trade.basket import PriceStamp
from desktop.trade.costs import CostInputs
from desktop.trade.cover import Holding, parse_holdings
from desktop.trade.hedge import Hedge, HedgeKind, Shrinkage, implied_hedges, typed_hedge
from desktop.trade.inputs import Choice as Traded
from desktop.trade.inputs import SizeBy, SizerInputs, instruments_of, short_name
from desktop.trade.typed import FieldError, parse_number, parse_percent
from widgets.states import FieldState, SizerForm, Text, Tone

AUTO = "auto"
_STOP_ABOVE, _TARGET_BELOW = 1.05, 0.90
_PEAK_FROM, _PEAK_TO = 0.75, 0.95
"""Suggestions, until something is typed: a stop 5 % above the last close of the ratio; the target is the
dot-com peak where that lies 5 to 25 % below, else 10 % below the close."""
COLUMNS = (HedgeKind.DOLLAR, HedgeKind.BETA_NDX, HedgeKind.VOL)
MARGIN_OLD_DAYS = 30
"""Exchanges change margins every few weeks: one older than this is told."""

Shown: TypeAlias = tuple[str, str, str, str]
"""Key, label, unit, page."""
_TICKET: tuple[Shown, ...] = (
    ("capital", "Capital", "$", "ticket"),
    ("gross_cap", "Gross cap", "$", "ticket"),
    ("vol_target", "Vol target", "% / y", "ticket"),
    ("risk", "Risk at stop", "%", "ticket"),
    ("stop", "Stop ratio", "", "ticket"),
    ("target", "Target ratio", "", "ticket"),
)
_MARKET: tuple[Shown, ...] = (
    ("rut_price", "RUT price", "", "market"),
    ("ndx_price", "NDX price", "", "market"),
    ("rut_vol", "RUT vol", "% / y", "market"),
    ("ndx_vol", "NDX vol", "% / y", "market"),
    ("rho", "Correlation", "", "market"),
    ("beta", "Beta RUT on NDX", "", "market"),
    ("typed_hedge", "Hedge k", "", "market"),
)
_COSTS: tuple[Shown, ...] = (
    ("holding_days", "Held for", "days", "costs"),
    ("half_spread", "Half-spread", "ticks", "costs"),
    ("financing", "Financing", "% / y", "costs"),
    ("rut_dividend", "RUT dividend", "% / y", "costs"),
    ("ndx_dividend", "NDX dividend", "% / y", "costs"),
)
_SHARES: tuple[Shown, ...] = (
    ("share_commission", "Fee a share", "$", "costs"),
    ("borrow", "Borrow", "% / y", "costs"),
)
_MICRO: Shown = ("micro_commission", "Fee a micro", "$", "costs")
_MINI: Shown = ("mini_commission", "Fee a mini", "$", "costs")
_FEES: Mapping[Traded, tuple[Shown, ...]] = {
    Traded.ETF: _SHARES,
    Traded.MICRO: (_MICRO,),
    Traded.MINI: (_MINI,),
    Traded.MIXED: (_MINI, _MICRO),
}
_HELD: Shown = ("held", "You hold", "", "hedge")
_MARGINS = ("iwm", "qqq", "rty", "m2k", "nq", "mnq")
_UNSEEN = ("what_rut", "what_ndx", "what_ratio")
_COST_NAMES: Mapping[str, str] = {
    "share_commission": "share_commission_usd",
    "micro_commission": "micro_commission_usd",
    "mini_commission": "mini_commission_usd",
    "half_spread": "half_spread_ticks",
    "holding_days": "holding_days",
    "borrow": "borrow_rate",
    "rut_dividend": "rut_dividend_rate",
    "ndx_dividend": "ndx_dividend_rate",
    "financing": "financing_rate",
}
_FIELD_OF: Mapping[str, str] = {
    "su": "rut_vol",
    "sn": "ndx_vol",
    **{cost: key for key, cost in _COST_NAMES.items()},
}
"""Where the inputs of a size have another name than their field."""
_PERCENT = frozenset(
    {"vol_target", "risk", "rut_vol", "ndx_vol", "borrow", "rut_dividend", "ndx_dividend", "financing"}
)
_OVERRIDES = frozenset(key for key, *_ in _MARKET)
_MAY_BE_EMPTY = _OVERRIDES | {"stop", "target", "held", *_UNSEEN, *(f"margin_{one}" for one in _MARGINS)}
_ASIDE = frozenset({"held", *_UNSEEN, *(f"margin_{one}{end}" for one in _MARGINS for end in ("", "_day"))})
"""Wrong ones among these leave the ticket alone."""
LABELS: Mapping[str, str] = {
    key: label for key, label, *_ in (*_TICKET, *_MARKET, *_COSTS, *_SHARES, _MICRO, _MINI)
}
_HELP = {
    "capital": "What the risk and the volatility target are shares of. 2m, 500k and 2,000,000 are understood.",
    "gross_cap": "Long plus short notional never exceeds this.",
    "vol_target": "Annual volatility of the pair as a percentage of capital.",
    "risk": "Money lost at the stop, on the worst of three paths, as a percentage of capital.",
    "stop": "Level of NDX/RUT above the present ratio; drag the line in the ratio chart. Shift+Esc: suggestion.",
    "target": "Level of NDX/RUT below the present ratio; drag the line in the ratio chart. Shift+Esc: suggestion.",
    "typed_hedge": "Short notional over long notional; empty leaves the three measured hedges.",
    "holding_days": "Calendar days: what carry, dividends, borrow and rolls are counted over.",
    "half_spread": "Given up a unit and trade, in ticks.",
    "financing": "Interest paid on the long and earned on the short notional, a year.",
    "rut_dividend": "Received on the long leg, a year.",
    "ndx_dividend": "Paid on the short leg, a year.",
    "borrow": "Fee for the shares that are sold short, a year.",
    "held": "A long or short you have already: +500 IWM, -3 NQ, 1,200 IWM -2 MNQ.",
}


class PriceKind(StrEnum):
    """What a price is; `ROLLING` is a quote of now that may be of the month before the ticket's."""

    QUOTE = "quote"
    ROLLING = "quote in the week of the roll"
    CLOSE = "close"
    INDEX = "index level"
    TYPED = "typed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Price:
    """What a leg trades at; `origin` tells in words where that comes from, `age` in a few."""

    value: float | None
    kind: PriceKind
    origin: str
    age: str
    stamp: PriceStamp
    live: bool = False
    """A quote young enough for an order, and of the month of the ticket."""
    note: str = ""
    """What the ticket warns of."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form parsed: values of good fields, reasons of bad ones, and what the fields show."""

    values: Mapping[str, float]
    days: Mapping[str, date]
    holdings: tuple[Holding, ...]
    errors: Mapping[str, str]
    texts: Mapping[str, str]


def unseen(settings: Settings) -> frozenset[str]:
    """Fields that the chosen way of sizing and the instrument leave out: nothing depends on them."""
    fees = {key for every in _FEES.values() for key, *_ in every}
    by_size = {"vol_target": SizeBy.VOL_TARGET, "risk": SizeBy.STOP}
    return frozenset(
        {key for key, one in by_size.items() if settings.sizing != one.value}
        | (fees - {key for key, *_ in _FEES[Traded(settings.instrument)]})
    )


def blocks(key: str) -> bool:
    """Whether a wrong field of this key keeps the ticket from being made."""
    return key not in _ASIDE and key != "k"


def field_of(name: str) -> str:
    """Key of the field behind an input of the size."""
    return _FIELD_OF.get(name, name)


# What is typed


def parse(settings: Settings, suggested: tuple[float | None, float | None], today: date | None) -> Form:
    """Parse everything that is typed; `suggested` are stop and target, `today` is None where it is not now."""
    keys = (*LABELS, "held", *_UNSEEN, *(f"margin_{one}" for one in _MARGINS))
    texts = {key: getattr(settings, key) for key in keys}
    for key, level in zip(("stop", "target"), suggested, strict=True):
        if texts[key] == AUTO:
            texts[key] = "" if level is None else f"{level:.3f}"
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    holdings: tuple[Holding, ...] = ()
    for key, text in texts.items():
        if key in _MAY_BE_EMPTY and not text.strip():
            continue
        try:
            if key == "held":
                holdings = parse_holdings(text)
            else:
                values[key] = (parse_percent if key in _PERCENT else parse_number)(text)
        except FieldError as error:
            errors[key] = error.why
    for one in _MARGINS:
        if values.get(f"margin_{one}", 0.0) < 0:
            errors[f"margin_{one}"] = "a margin is not below zero"
    days = _parse_days(settings, today, texts, errors)
    return Form(values, days, holdings, errors, texts)


def _parse_days(
    settings: Settings, today: date | None, texts: dict[str, str], errors: dict[str, str]
) -> Mapping[str, date]:
    days: dict[str, date] = {}
    for one in _MARGINS:
        key = f"margin_{one}_day"
        texts[key] = getattr(settings, key)
        if not texts[key].strip():
            continue
        try:
            days[key] = date.fromisoformat(texts[key].strip())
        except ValueError:
            errors[key] = "is no date: write it like 2024-07-11"
            continue
        if today is not None and days[key] > today:
            errors[key] = f"lies after today, {today.isoformat()}"
    return days


def applied(settings: Settings, form: SizerForm, shown: Mapping[str, FieldState], today: date) -> Settings:
    """`settings` with what the form says.

    A suggestion that nobody touched goes on following the market. A margin that is typed anew is of `today`, until
    another day is typed.
    """
    choices = (
        ("sizing", form.sizing),
        ("hedge", form.hedge),
        ("instrument", form.instrument),
        ("what_path", form.path),
    )
    before = settings
    for name, value in (*form.fields, *choices):
        state = shown.get(name)
        if getattr(before, name) == AUTO and state is not None and value == state.text:
            continue
        settings = declared.changed(settings, name, value)
    for one in _MARGINS:
        margin, asked = f"margin_{one}", f"margin_{one}_day"
        now = getattr(settings, margin)
        if now != getattr(before, margin) and getattr(settings, asked) == getattr(before, asked):
            settings = declared.changed(settings, asked, today.isoformat() if now.strip() else "")
    return settings


def suggested(snapshot: Snapshot) -> tuple[float | None, float | None]:
    """Stop and target that stand in until something is typed."""
    pair, stats = snapshot.history.pair, snapshot.ratio
    if not len(pair) or isinstance(stats, Unknown):
        return None, None
    close = float(pair.ratio[-1])
    peak = stats.dotcom_peak
    at_peak = isinstance(peak, Extreme) and _PEAK_FROM * close < peak.value < _PEAK_TO * close
    return close * _STOP_ABOVE, peak.value if isinstance(peak, Extreme) and at_peak else close * _TARGET_BELOW


# What the market gives


def trade_day(snapshot: Snapshot) -> date:
    """The day an order would be made on: New York's date, on a night or a weekend later than the session shown."""
    return trading_day(snapshot.moment)


_FAR = 0.05
_OLD_S = 3600
"""Older than this a price is told by its time of day, in the narrow column of the ticket."""


def market_price(snapshot: Snapshot, instrument: Instrument, fresh_s: float) -> Price:
    """Quoted, else the last close; the index level stands in for a future without a quote."""
    assert instrument.leg is not None
    # A micro trades at its mini's price: both are on the same index, to the same tick.
    quoted = INSTRUMENTS[PAIRS[instrument.kind][instrument.leg]]
    later, tick = snapshot.later.get(quoted.symbol), snapshot.today.last_prices.get(quoted.symbol)
    last = later if later is not None else tick
    if last is not None:
        return _quoted(snapshot, quoted, last, fresh_s)
    if instrument.kind is Kind.ETF:
        closes = snapshot.history.prices[instrument.symbol]
        if len(closes):
            of = closes.days[-1].item()
            return Price(
                float(closes.close[-1]),
                PriceKind.CLOSE,
                f"{instrument.symbol} close of {day(of)}",
                f"close {of.day} {of:%b}",
                PriceStamp(f"close of {of.isoformat()}"),
            )
        return _no_price(f"no price of {instrument.symbol} in the store")
    stats = snapshot.ratio
    if isinstance(stats, Unknown):
        return _no_price(stats.reason)
    level = stats.rut if instrument.leg is Leg.RUT else stats.ndx
    return Price(
        round(level / instrument.tick) * instrument.tick,
        PriceKind.INDEX,
        f"index level of {day(stats.date)}, no quote of the future",
        f"index {stats.date.day} {stats.date:%b}",
        PriceStamp(f"index level of {stats.date.isoformat()}"),
    )


def _quoted(snapshot: Snapshot, what: Instrument, last: Quote | LegTick, fresh_s: float) -> Price:
    age_s, at, name = last.age_s(snapshot.moment), last.event_time, short_name(what)
    of, today = trading_day(at), trade_day(snapshot)
    young = snapshot.mode is Mode.LIVE and age_s <= fresh_s
    origin = f"{name} at {clock_et(at) if of == today else moment_et(at)}, {span(age_s)} old"
    time = clock_et(at, seconds=of == today).removesuffix(" ET")
    age = f"{span(age_s)} old" if age_s < _OLD_S else time if of == today else f"{of.day} {of:%b} {time}"
    old = rolled_out_of(what.root, today) if what.kind is Kind.FUTURE else None
    if old is None:
        return Price(last.price, PriceKind.QUOTE, origin, age, PriceStamp("quote", at, age_s), young)
    new = front_contract(what.root, today)
    return Price(
        last.price,
        PriceKind.ROLLING if young else PriceKind.QUOTE,
        f"{origin}, perhaps of {old.label}",
        age,
        PriceStamp(f"quote perhaps of {old.code}", at, age_s),
        note=f"quote perhaps of {old.label} (until {old.expiry.day} {old.expiry:%b}): "
        f"type the price of {new.label}",
    )


def _no_price(why: str) -> Price:
    return Price(None, PriceKind.NONE, why, "", PriceStamp("none"))


def price_of(form: Form, leg: Leg, given: Price) -> Price:
    """What is typed, else what the market gives."""
    typed = form.values.get(f"{leg.value}_price")
    if typed is None:
        return given
    far = _far(form, leg, given)
    note = f"typed, {far} from the market's {plain(given.value, 2)}" if far and given.value is not None else ""
    return Price(typed, PriceKind.TYPED, "typed", "typed", PriceStamp("typed"), note=note)


def _far(form: Form, leg: Leg, given: Price) -> str:
    """How far a typed price is from the market's, "" where they are close: a slip of the finger is told."""
    typed = form.values.get(f"{leg.value}_price")
    if typed is None or given.value is None or abs(typed / given.value - 1) <= _FAR:
        return ""
    return signed(100 * (typed / given.value - 1), 0, " %")


@dataclass(frozen=True, slots=True)
class Risk:
    """Volatilities, correlation and beta in force: typed, else of the history; None where neither is there."""

    su: float | None
    sn: float | None
    rho: float | None
    beta: float | None
    typed: bool


def risk_of(snapshot: Snapshot, form: Form) -> Risk:
    """Take what is typed, else what was measured; a beta follows from typed volatilities and correlation."""
    risk = snapshot.history.risk
    pair = None if isinstance(risk, Unknown) else risk
    typed = {key: form.values[key] for key in ("rut_vol", "ndx_vol", "rho", "beta") if key in form.values}
    su = typed.get("rut_vol", pair.su if pair else None)
    sn = typed.get("ndx_vol", pair.sn if pair else None)
    rho = typed.get("rho", pair.rho if pair else None)
    if "beta" in typed:
        beta: float | None = typed["beta"]
    elif typed:
        beta = rho * su / sn if rho is not None and su is not None and sn else None
    else:
        beta = pair.beta if pair else None
    return Risk(su, sn, rho, beta, bool(typed))


def hedges_of(snapshot: Snapshot, settings: Settings, form: Form, risk: Risk) -> tuple[Hedge, ...]:
    """The hedges to show: measured ones, on typed figures where some are typed, and the typed one."""
    wanted = set(COLUMNS) | {HedgeKind(settings.hedge)}
    found = {one.kind: one for one in snapshot.history.hedges if one.kind in wanted}
    if (
        risk.typed
        and risk.su
        and risk.sn
        and risk.rho is not None
        and abs(risk.rho) <= 1
        and min(risk.su, risk.sn) > 0
    ):
        if {"rut_vol", "ndx_vol"} & form.values.keys():
            found[HedgeKind.VOL] = implied_hedges(risk.su, risk.sn, risk.rho)[2]
        found[HedgeKind.BETA_NDX] = implied_hedges(risk.su, risk.sn, risk.rho)[1]
    if "beta" in form.values:
        beta = form.values["beta"]
        none = Unknown("typed, so it has no error of its own")
        usable = (
            beta if beta > 0 else Unknown(f"the hedge ratio would be {beta:.2f}: a short leg needs one above 0")
        )
        found[HedgeKind.BETA_NDX] = Hedge(
            HedgeKind.BETA_NDX, usable, beta, none, 0, 0, Shrinkage.NONE, "beta of RUT on NDX, typed"
        )
    typed = form.values.get("typed_hedge")
    return tuple(found.values()) if typed is None else (*found.values(), typed_hedge(typed))


def inputs_of(
    snapshot: Snapshot, settings: Settings, form: Form, prices: Mapping[Leg, Price], risk: Risk
) -> SizerInputs:
    """Everything a size depends on; k stands for a hedge to be chosen."""
    values, stats = form.values, snapshot.ratio
    size_by, traded = SizeBy(settings.sizing), Traded(settings.instrument)
    left_out = unseen(settings)
    costs = {cost: values[key] for key, cost in _COST_NAMES.items() if key in values and key not in left_out}
    return SizerInputs(
        size_by=size_by,
        instrument=traded,
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
        su=risk.su,
        sn=risk.sn,
        rho=risk.rho,
        beta=risk.beta,
        rut_margin=_margin(form, traded, Leg.RUT),
        ndx_margin=_margin(form, traded, Leg.NDX),
        day=trade_day(snapshot),
        costs=replace(CostInputs(), **costs),
    )


def margin_keys(traded: Traded) -> tuple[str, str]:
    """Fields that hold the margin of the largest unit of each leg."""
    rut, ndx = (f"margin_{short_name(instruments_of(traded, leg)[0]).lower()}" for leg in (Leg.RUT, Leg.NDX))
    return rut, ndx


def _margin(form: Form, traded: Traded, leg: Leg) -> float | None:
    key = margin_keys(traded)[0 if leg is Leg.RUT else 1]
    return None if key in form.errors else form.values.get(key)


# What the fields show


def fields_of(
    snapshot: Snapshot,
    settings: Settings,
    form: Form,
    errors: Mapping[str, str],
    given: Mapping[Leg, Price],
) -> tuple[FieldState, ...]:
    """Every field that is to be seen."""
    traded = Traded(settings.instrument)
    left_out = unseen(settings)
    shown = []
    for key, label, unit, page in (*_TICKET, *_MARKET, *_COSTS, *_FEES[traded], _HELD):
        if key in left_out:
            continue
        name, told, typed, untyped = label, _HELP.get(key, ""), False, ""
        market: tuple[str, Text | None] = "", None
        if key in _OVERRIDES:
            typed = bool(form.texts[key].strip())
            market = _given(snapshot, key, given)
            told = told or _told(market[1])
            if typed and market[0] and key not in errors:
                market = market[0], _overridden(*market)
                far = _far(form, Leg(key[:3]), given[Leg(key[:3])]) if key.endswith("_price") else ""
                if far:
                    market = market[0], Text(f"{far} from {market[0]}", Tone.WARN, market[1].why)
            if key.endswith("_price"):
                name = f"{short_name(instruments_of(traded, Leg(key[:3]))[0])} price"
        elif key in ("stop", "target"):
            typed, untyped = getattr(settings, key) != AUTO, AUTO
            if not typed:
                name, told = f"{label.split()[0]} (auto)", f"A suggestion until you type your own. {told}"
        shown.append(
            FieldState(
                key,
                name,
                form.texts[key],
                unit,
                errors.get(key, ""),
                told,
                page,
                hint=market[0],
                typed=typed,
                untyped=untyped,
                origin=market[1],
            )
        )
    return (*shown, *_margin_fields(form, errors, traded, trade_day(snapshot)))


def _overridden(given: str, origin: Text | None) -> Text:
    """Under a typed value: what the market gives in its place."""
    return Text(f"market {given}", Tone.DIM, "" if origin is None else origin.why)


def _told(origin: Text | None) -> str:
    return "" if origin is None else f"Empty takes the market's: {origin.why or origin.text}. Shift+Esc goes back."


def _given(snapshot: Snapshot, key: str, given: Mapping[Leg, Price]) -> tuple[str, Text]:
    """What the market gives in place of a typed value, and where that comes from."""
    if key.endswith("_price"):
        price = given[Leg(key[:3])]
        tone = Tone.DIM if price.kind in (PriceKind.QUOTE, PriceKind.CLOSE) else Tone.WARN
        if price.value is None:
            return "n/a", Text("no price", Tone.WARN, price.origin)
        return plain(price.value, 2), Text(price.age, tone, price.origin)
    if key == "typed_hedge":
        return "", Text("a hedge of your own", Tone.DIM, "stands beside the measured ones")
    risk = snapshot.history.risk
    if isinstance(risk, Unknown):
        return "n/a", Text("n/a", Tone.DIM, risk.reason)
    value = {
        "rut_vol": plain(100 * risk.su, 1),
        "ndx_vol": plain(100 * risk.sn, 1),
        "rho": plain(risk.rho, 3),
        "beta": plain(risk.beta, 3),
    }[key]
    to = snapshot.history.returns.days[-1].item()
    error = f" ± {plain(risk.beta_se, 3)}" if key == "beta" else ""
    late = snapshot.stale_days > 0
    why = f"{value}{error}, log returns of {risk.n} sessions to {day(to)}"
    if late:
        why += f"; {snapshot.stale_days} later sessions are missing"
    return value, Text(f"{risk.n} d to {to.day} {to:%b %y}", Tone.WARN if late else Tone.DIM, why)


def _margin_fields(form: Form, errors: Mapping[str, str], traded: Traded, today: date) -> tuple[FieldState, ...]:
    shown = []
    for key in margin_keys(traded):
        symbol, asked = key.removeprefix("margin_").upper(), f"{key}_day"
        told = f"Margin of one {symbol} as your broker asks today; empty shows no margin."
        shown.append(FieldState(key, f"{symbol} margin", form.texts[key], "$", errors.get(key, ""), told, "costs"))
        of = form.days.get(asked)
        old = of is not None and (today - of).days > MARGIN_OLD_DAYS
        when = "The day this margin was asked on; typing a margin sets today."
        if old and of is not None:
            when = f"{(today - of).days} days old: ask again. {when}"
        label = f"{symbol} asked{' · old' if old else ''}"
        shown.append(FieldState(asked, label, form.texts[asked], "", errors.get(asked, ""), when, "costs"))
    return tuple(shown)
