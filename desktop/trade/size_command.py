"""`rotation-monitor size`: the sizer without a window.

Exit codes: 0 done, 1 no whole units qualify (or history is missing), 2 bad arguments. Each failure is one line on
stderr that names option, value, why and cure. Imports happen inside: the parser is built on every start.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.market.known import Maybe, Unknown, UserError

if TYPE_CHECKING:
    from desktop.trade.costs import CostInputs
    from desktop.trade.hedge import Hedge
    from desktop.trade.position import Position
    from desktop.trade.sizing import Sized, SizerInputs

_HEDGES = ("dollar", "beta-ndx", "beta-spx", "vol")
_INSTRUMENTS = ("etf", "micro", "mini", "mixed")
_SIZE_BY = ("cap", "vol_target", "stop")
_LAYOUTS = ("ibkr", "oms")

_OPTIONS: Mapping[str, tuple[str, str, str]] = {
    "capital": ("--capital", "USD", "capital: 2000000, 2,000,000 or 2m; alone it is the gross cap"),
    "gross_cap": ("--gross-cap", "USD", "most that long plus short may be; sizes by cap where no target is given"),
    "min_use": ("--min-use", "SHARE", "least share of the cap to use when sizing by cap (default 0.95)"),
    "vol_target": ("--vol-target", "PCT", "size by annual volatility: 8, 8%% or 0.08 of capital"),
    "risk": ("--risk-pct", "PCT", "size by money lost at the stop, %% of capital: 1.0"),
    "stop": ("--stop", "RATIO", "stop as NDX/RUT; lies above the present ratio"),
    "target": ("--target", "RATIO", "target as NDX/RUT; lies below the present ratio"),
    "ratio": ("--ratio", "RATIO", "ratio that stop and target refer to (default: ndx price / rut price)"),
    "k": ("--k", "K", "hedge ratio typed: short notional / long notional"),
    "rut_price": ("--rut-price", "PRICE", "price of the long leg: share, or index points of the future"),
    "ndx_price": ("--ndx-price", "PRICE", "price of the short leg"),
    "su": ("--su", "VOL", "annual volatility of RUT: 0.22, 22 or 22%%"),
    "sn": ("--sn", "VOL", "annual volatility of NDX"),
    "rho": ("--rho", "RHO", "correlation of both legs, -1 to 1"),
    "rut_margin": ("--rut-margin", "USD", "margin of one unit of the long leg today (mixed: of the mini)"),
    "ndx_margin": ("--ndx-margin", "USD", "margin of one unit of the short leg today (mixed: of the mini)"),
    "weight": ("--lambda", "X", "price of a dollar of missed size in dollars of residual (default 1)"),
    "kelly_sharpe": (
        "--kelly-sharpe",
        "X",
        "expected Sharpe ratio; caps the size at a share of Kelly (default: off)",
    ),
    "kelly_share": ("--kelly-share", "SHARE", "share of full Kelly used as that cap (default 0.5)"),
}
_COST_OPTIONS: Mapping[str, tuple[str, str, str]] = {
    "share_commission_usd": ("--share-commission", "USD", "a share and trade (default 0.005)"),
    "micro_commission_usd": ("--micro-commission", "USD", "a micro contract and trade (default 0.60)"),
    "mini_commission_usd": ("--mini-commission", "USD", "a mini contract and trade (default 2.25)"),
    "half_spread_ticks": ("--half-spread", "TICKS", "given up a unit and trade (default 0.5)"),
    "holding_days": ("--holding-days", "DAYS", "calendar days held (default 20)"),
    "borrow_rate": ("--borrow-pct", "PCT", "fee for shares sold short, a year (default 0.3)"),
    "rut_dividend_rate": ("--rut-dividend-pct", "PCT", "yield of the Russell 2000, a year (default 1.3)"),
    "ndx_dividend_rate": ("--ndx-dividend-pct", "PCT", "yield of the Nasdaq-100, a year (default 0.7)"),
    "financing_rate": ("--financing-pct", "PCT", "interest, a year (default 4)"),
}


class SizeArgumentError(UserError):
    """An argument that cannot be used; the message names option, value, why and cure."""


class MissingHistoryError(UserError):
    """History that a hedge or a target needs is not in the store."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `size`. All take text, so that every wrong value is told in the same words."""
    for name, (option, metavar, text) in _OPTIONS.items():
        parser.add_argument(option, dest=name, metavar=metavar, help=text)
    parser.add_argument("--hedge", metavar="{" + ",".join(_HEDGES) + "}", help="how k is found (default dollar)")
    parser.add_argument(
        "--instrument", metavar="{" + ",".join(_INSTRUMENTS) + "}", default="micro", help="default micro"
    )
    parser.add_argument(
        "--size-by", metavar="{" + ",".join(_SIZE_BY) + "}", help="which of several given limits decides the size"
    )
    parser.add_argument("--day", metavar="DATE", help="day of the trade, for contract months (default today)")
    parser.add_argument("--json", action="store_true", help="as JSON on standard output")
    parser.add_argument(
        "--basket", metavar="{" + ",".join(_LAYOUTS) + "}", help="write the orders for --out as CSV"
    )
    parser.add_argument(
        "--out", type=Path, metavar="F", help="file for --basket; one that is there is not replaced"
    )
    costs = parser.add_argument_group("costs")
    for name, (option, metavar, text) in _COST_OPTIONS.items():
        costs.add_argument(option, dest=name, metavar=metavar, help=text)


def run(args: argparse.Namespace) -> int:
    """Size the trade as `args` say and write it to standard output; returns the exit code."""
    from desktop.trade.sizing import size, size_three
    from desktop.trade.typed import FieldError

    try:
        _check_basket(args)
        request = _request(args)
    except FieldError as error:
        return _fail(f"{error.field} {error.text!r}: {error.why}", 2)
    except SizeArgumentError as error:
        return _fail(str(error), 2)
    except UserError as error:
        return _fail(str(error), 1)
    wrong = _wrong(args, request.inputs)
    if wrong:
        return _fail(wrong, 2)
    position = size(request.inputs)
    if isinstance(position, Unknown):
        return _fail(f"nothing qualifies: {position.reason}", 1)
    if args.basket is not None:
        try:
            _write_basket(args, position)
        except OSError as error:
            return _fail(f"--out {str(args.out)!r}: {error.strerror or error}: choose another place", 1)
    if args.json:
        json.dump(as_json(position), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(as_text(position, request.basis, size_three(request.inputs, request.hedges)))
    return 0


def _check_basket(args: argparse.Namespace) -> None:
    if args.basket is not None:
        _one_of(args.basket, _LAYOUTS, "--basket")
    if (args.basket is None) != (args.out is None):
        raise SizeArgumentError("--basket and --out go together: say which layout, and where to")


def _write_basket(args: argparse.Namespace, position: Position) -> None:
    """Prices were typed on the command line: the file says so."""
    from desktop.trade.basket import Layout, written

    text = written(Layout(args.basket), position.legs, {}, datetime.now(UTC))
    with args.out.open("x", encoding="utf-8", newline="") as file:
        file.write(text)


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for: inputs, what the hedge rests on, and the hedges to show beside it."""

    inputs: SizerInputs
    basis: str
    hedges: tuple[Hedge, ...]


def _request(args: argparse.Namespace) -> _Request:
    from desktop.trade.hedge import HedgeKind, dollar_hedge, implied_hedges, typed_hedge
    from desktop.trade.sizing import Choice, SizeBy, SizerInputs
    from desktop.trade.typed import parse_number, parse_percent, parse_share

    def number(name: str, parse: Callable[[str, str], float] = parse_number) -> float | None:
        text: str | None = getattr(args, name, None)
        return None if text is None else parse(text, _OPTIONS[name][0])

    def or_default(value: float | None, default: float) -> float:
        return default if value is None else value

    size_by = SizeBy(_size_by(args))
    typed_k = number("k")
    kind = HedgeKind(_one_of(args.hedge, _HEDGES, "--hedge")) if args.hedge is not None else HedgeKind.DOLLAR
    if typed_k is not None and args.hedge is not None:
        raise SizeArgumentError(f"--k {args.k} and --hedge {args.hedge} are both given: keep one of both")
    inputs = SizerInputs(
        size_by=size_by,
        instrument=Choice(_one_of(args.instrument, _INSTRUMENTS, "--instrument")),
        k=or_default(typed_k, 1.0),
        hedge=HedgeKind.TYPED if typed_k is not None else kind,
        rut_price=number("rut_price"),
        ndx_price=number("ndx_price"),
        capital=number("capital"),
        gross_cap=number("gross_cap"),
        min_use=or_default(number("min_use", parse_share), 0.95),
        vol_target=number("vol_target", _percent_or_share),
        risk=number("risk", parse_percent),
        stop=number("stop"),
        target=number("target"),
        ratio=number("ratio"),
        su=number("su", parse_share),
        sn=number("sn", parse_share),
        rho=number("rho"),
        rut_margin=number("rut_margin"),
        ndx_margin=number("ndx_margin"),
        day=_day(args.day),
        weight=or_default(number("weight"), 1.0),
        kelly_sharpe=number("kelly_sharpe"),
        kelly_share=or_default(number("kelly_share", parse_share), 0.5),
        costs=_costs(args),
    )
    if size_by is SizeBy.CAP and inputs.gross_cap is None:
        inputs = replace(inputs, gross_cap=inputs.capital)
    vols, basis = inputs.vols, ""
    candidates: tuple[Hedge, ...] = (dollar_hedge(),)
    if vols is not None:
        _checked_vols(args, inputs)
        candidates = implied_hedges(*vols)
    elif kind is HedgeKind.VOL and inputs.su is not None and inputs.sn is not None:
        _checked_vols(args, inputs)
        candidates = (candidates[0], implied_hedges(inputs.su, inputs.sn, 0.0)[2])
    needs_vols = size_by is SizeBy.VOL_TARGET and (inputs.su, inputs.sn, inputs.rho) == (None, None, None)
    if needs_vols or kind not in [one.kind for one in candidates]:
        inputs, candidates, basis = _from_history(args, inputs, needs_vols)
    if typed_k is not None:
        return _Request(inputs, "typed", (*candidates, typed_hedge(typed_k)))
    chosen = next(one for one in candidates if one.kind is kind)
    if isinstance(chosen.k, Unknown):
        raise SizeArgumentError(f"--hedge {kind}: {chosen.k.reason}; type --k instead")
    inputs = replace(inputs, k=chosen.k)
    return _Request(inputs, ", ".join(one for one in (chosen.basis, basis) if one), candidates)


def _from_history(
    args: argparse.Namespace, inputs: SizerInputs, needs_vols: bool
) -> tuple[SizerInputs, tuple[Hedge, ...], str]:
    """Hedges, and the volatilities where asked for, from the daily closes in the store."""
    from desktop.market.sessions import NYSE
    from desktop.market.store import FILE_NAME, Store
    from desktop.trade.hedge import hedges, log_returns, pair_risk

    path = _data_dir(args) / FILE_NAME
    what = "the volatility target" if needs_vols else f"--hedge {args.hedge}"
    cure = "`rotation-monitor import FILE...` adds history; or type --su, --sn and --rho, or --k"
    if not path.exists():
        raise MissingHistoryError(
            f"{what} needs the daily history of both indices, and {path} is not there: {cure}"
        )
    symbols = ("^RUT", "^NDX", "^SPX") if args.hedge == "beta-spx" else ("^RUT", "^NDX")
    with Store(path) as store:
        series = [store.closes(symbol, last=inputs.day) for symbol in symbols]
    empty = [one.symbol for one in series if not len(one)]
    if empty:
        raise MissingHistoryError(
            f"{what} needs the daily closes of {', '.join(empty)}, absent from {path}: {cure}"
        )
    first, last = (max(one.days[0] for one in series), min(one.days[-1] for one in series))
    if first > last:
        raise MissingHistoryError(f"{what}: {', '.join(symbols)} in {path} have no day in common: {cure}")
    sessions = NYSE.days(date.fromisoformat(str(first)), date.fromisoformat(str(last)))
    days, returns = log_returns(sessions, *series)
    if needs_vols or inputs.vols is None:
        risk = pair_risk(returns[0], returns[1])
        if isinstance(risk, Unknown):
            raise MissingHistoryError(f"{what}: {risk.reason}: {cure}")
        if (inputs.su, inputs.sn, inputs.rho) == (None, None, None):
            inputs = replace(inputs, su=risk.su, sn=risk.sn, rho=risk.rho, beta=risk.beta)
    return inputs, hedges(*returns), f"to {days[-1]}"


def _size_by(args: argparse.Namespace) -> str:
    if args.size_by is not None:
        return _one_of(args.size_by, _SIZE_BY, "--size-by")
    if args.vol_target is not None and args.risk is not None:
        raise SizeArgumentError(
            f"--vol-target {args.vol_target} and --risk-pct {args.risk} both give a size: "
            "keep one, or add --size-by vol_target or stop"
        )
    return "vol_target" if args.vol_target is not None else "stop" if args.risk is not None else "cap"


def _one_of(text: str, choices: Sequence[str], option: str) -> str:
    if text not in choices:
        raise SizeArgumentError(f"{option} {text!r}: is not known; choose {', '.join(choices)}")
    return text


def _percent_or_share(text: str, field: str) -> float:
    """8, 8% and 0.08 are all 8 %: nobody targets less than 1 % a year."""
    from desktop.trade.typed import parse_number

    value = parse_number(text, field)
    return value if "%" in text or abs(value) < 1 else value / 100


def _costs(args: argparse.Namespace) -> CostInputs:
    from desktop.trade.costs import CostInputs
    from desktop.trade.typed import parse_number, parse_percent

    given = {}
    for name, (option, metavar, _) in _COST_OPTIONS.items():
        text: str | None = getattr(args, name, None)
        if text is not None:
            given[name] = (parse_percent if metavar == "PCT" else parse_number)(text, option)
    return replace(CostInputs(), **given)


def _day(text: str | None) -> date:
    if text is None:
        from desktop.market.sessions import trading_day

        return trading_day(datetime.now(UTC))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SizeArgumentError(f"--day {text!r}: is no date; write it like 2024-07-11") from None


def _checked_vols(args: argparse.Namespace, inputs: SizerInputs) -> None:
    """Refuse bad volatilities before a hedge is made of them."""
    from desktop.trade.sizing import validate

    errors = validate(inputs)
    for name in ("su", "sn", "rho"):
        if name in errors:
            raise SizeArgumentError(_line(args, name, errors[name]))


def _wrong(args: argparse.Namespace, inputs: SizerInputs) -> str:
    """All that is wrong with the inputs as one line; empty when nothing is."""
    from desktop.trade.sizing import validate

    errors = dict(validate(inputs))
    if args.gross_cap is None and args.capital is not None and "capital" in errors:
        errors.pop("gross_cap", None)  # it was taken from the capital: one mistake, told once
    return "; ".join(_line(args, name, why) for name, why in errors.items())


def _line(args: argparse.Namespace, name: str, why: str) -> str:
    option = (_OPTIONS.get(name) or _COST_OPTIONS.get(name) or (f"--{name.replace('_', '-')}",))[0]
    text = getattr(args, name, None)
    return f"{option}: {why}" if text is None else f"{option} {text!r}: {why}"


def _data_dir(args: argparse.Namespace) -> Path:
    chosen: Path | None = getattr(args, "data_dir", None)
    if chosen is not None:
        return chosen.expanduser()
    from platformdirs import user_data_path

    return user_data_path("rotation-monitor", appauthor=False)


def _fail(line: str, code: int) -> int:
    sys.stderr.write(f"rotation-monitor size: {line}\n")
    return code


def as_json(position: Position) -> dict[str, object]:
    """`position` with the field names of `size --json`; unknown is null with a sibling "..._note"."""
    document: dict[str, object] = {
        "mode": str(position.mode),
        "k": position.k,
        "legs": [
            {
                "symbol": one.symbol,
                "side": str(one.side),
                "quantity": one.quantity,
                "price": one.price,
                "notional": one.notional_usd,
                "multiplier": one.multiplier,
                "one_pct_usd": one.one_pct_usd,
            }
            for one in position.legs
        ],
        "gross_usd": position.gross_usd,
        "residual_usd": position.residual_usd,
    }
    for name in ("spread_vol_usd", "var99_usd", "es99_usd", "margin_usd"):
        value: Maybe = getattr(position, name)
        if isinstance(value, Unknown):
            document[name] = None
            document[f"{name}_note"] = value.reason
        else:
            document[name] = value
    costs = position.costs
    document["ratio_map"] = [
        {
            "ratio": one.ratio,
            "ndx_flat_usd": one.ndx_flat_usd,
            "rut_flat_usd": one.rut_flat_usd,
            "symmetric_usd": one.symmetric_usd,
        }
        for one in position.ratio_map
    ]
    document["costs"] = {
        "commission_usd": costs.commission_usd,
        "half_spread_usd": costs.half_spread_usd,
        "roll_usd": costs.roll_usd,
        "borrow_usd": costs.borrow_usd,
        "dividends_usd": costs.dividends_usd,
        "carry_usd": costs.carry_usd,
        "total_usd": costs.total_usd,
        "holding_days": costs.holding_days,
        "rolls": costs.rolls,
    }
    document["scenarios"] = [
        {"rut_pct": one.rut_pct, "ndx_pct": one.ndx_pct, "pnl_usd": one.pnl_usd} for one in position.scenarios
    ]
    return document


def as_text(position: Position, basis: str, beside: Sequence[Sized]) -> str:
    """The position in words, with the other hedges beside it."""
    from desktop.trade import money
    from desktop.trade.hedge import LABELS
    from desktop.trade.sizing import ticket_text

    def amount(value: Maybe, write: Callable[[float], str] = money.usd) -> str:
        return f"n/a ({value.reason})" if isinstance(value, Unknown) else write(value)

    costs = position.costs
    lines = [
        ticket_text(position),
        "",
        f"Hedge        {LABELS[position.hedge]}, k {position.k:.4g} ({basis})",
        f"Wanted       long {money.usd(position.wanted_long_usd)}, short {money.usd(position.wanted_short_usd)}",
        f"Spread vol   {amount(position.spread_vol_usd)} a year",
        f"99 % day     VaR {amount(position.var99_usd)}, ES {amount(position.es99_usd)}",
        f"Margin       {amount(position.margin_usd)}",
        f"Reward/risk  {amount(position.reward_risk, '{:.2f}'.format)}, "
        f"after costs {amount(position.reward_risk_after_costs, '{:.2f}'.format)}",
        f"Costs        {money.usd(costs.total_usd)} over {costs.holding_days:g} days: "
        f"commission {money.usd(costs.commission_usd)}, half-spread {money.usd(costs.half_spread_usd)}, "
        f"roll {money.usd(costs.roll_usd)}, borrow {money.usd(costs.borrow_usd)}, "
        f"dividends {money.usd(costs.dividends_usd)}, carry {money.usd(costs.carry_usd)}",
        "",
        "Past falls   " + ", ".join(f"{one.fall.label} {money.signed(one.pnl_usd)}" for one in position.replays),
        "",
        "P&L in $; across RUT, down NDX",
        "      " + "".join(f"{move:>+10} %" for move in _moves(position)),
    ]
    grid = position.scenarios
    for move in reversed(_moves(position)):
        cells = "".join(f"{one.pnl_usd:>+12,.0f}" for one in grid if one.ndx_pct == move)
        lines.append(f"{move:>+4} %{cells}".replace("-", "−"))
    lines += ["", "Hedges side by side"]
    for one in beside:
        sized = one.position
        if isinstance(sized, Unknown):
            lines.append(f"{one.hedge.label:<26} n/a ({sized.reason})")
            continue
        units = " / ".join(f"{line.side} {line.quantity:,} {line.symbol}" for line in sized.legs)
        lines.append(
            f"{one.hedge.label:<26} k {sized.k:.4g}  {units}  gross {money.usd(sized.gross_usd)}, "
            f"residual {money.signed(sized.residual_usd)}"
        )
    lines += [f"Note: {note}" for note in position.notes]
    return "\n".join(lines) + "\n"


def _moves(position: Position) -> list[float]:
    return sorted({one.rut_pct for one in position.scenarios})
