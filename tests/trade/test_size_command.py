"""`rotation-monitor size` as a person types it."""

from __future__ import annotations

import argparse
import csv
import json
from typing import Any

import numpy as np
import pytest

from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import FILE_NAME, Priority, Store
from desktop.trade import size_command

CHECK_A = "--gross-cap 200000 --min-use .99 --k 1 --instrument etf --rut-price 210 --ndx-price 492"
CHECK_C = (
    "--capital 2000000 --vol-target 8 --instrument mini --rut-price 2200 --ndx-price 20000 "
    "--su .22 --sn .20 --rho .60 --k 1.1 --stop 9.6 --target 8.0 --day 2024-07-11"
)
FIELDS = [
    "mode", "k", "legs", "gross_usd", "residual_usd", "spread_vol_usd", "var99_usd", "es99_usd", "margin_usd",
    "ratio_map", "costs", "scenarios",
]  # fmt: skip


@pytest.fixture
def size(tmp_path, capsys):
    """Run the command in an empty data folder; returns (exit code, stdout, stderr)."""

    def run(line: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        parser.add_argument("--data-dir")
        size_command.add_arguments(parser)
        args = parser.parse_args(line.split())
        args.data_dir = tmp_path
        code = size_command.run(args)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def answer(result: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = result
    assert (code, err) == (0, "")
    told: dict[str, Any] = json.loads(out)
    return told


def test_check_a(size):
    found = answer(size(f"{CHECK_A} --json"))
    assert [one for one in found if not one.endswith("_note")] == FIELDS
    assert found["mode"] == "cap"
    assert [(one["symbol"], one["side"], one["quantity"], one["notional"]) for one in found["legs"]] == [
        ("IWM", "buy", 473, 99_330),
        ("QQQ", "sell", 202, 99_384),
    ]
    assert set(found["legs"][0]) == {
        "symbol", "side", "quantity", "price", "notional", "multiplier", "one_pct_usd"
    }  # fmt: skip
    assert (found["gross_usd"], found["residual_usd"]) == (198_714, -54)
    for name in ("spread_vol_usd", "var99_usd", "es99_usd", "margin_usd"):
        assert found[name] is None
        assert found[f"{name}_note"]


def test_basket_of_check_c_is_written_and_never_over_another(size, tmp_path):
    out = tmp_path / "orders.csv"
    code, _, err = size(f"{CHECK_C} --basket ibkr --out {out}")
    assert (code, err) == (0, "")
    lines = out.read_bytes().decode().split("\r\n")
    assert lines[1].startswith("BUY,7,RTY,FUT,202409,CME,USD,DAY,LMT,2200.0,RM")
    assert lines[2].startswith("SELL,2,NQ,FUT,202409,CME,USD,DAY,LMT,20000.00,RM")
    before = out.read_bytes()
    code, _, err = size(f"{CHECK_C} --basket oms --out {out}")
    assert code == 1
    assert "orders.csv" in err
    assert out.read_bytes() == before


def test_basket_of_typed_prices_says_so(size, tmp_path):
    out = tmp_path / "orders.csv"
    assert size(f"{CHECK_A} --basket oms --out {out}")[0] == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(one["side"], one["quantity"], one["symbol"], one["price_source"]) for one in rows] == [
        ("BUY", "473", "IWM", "typed"),
        ("SELL", "202", "QQQ", "typed"),
    ]


@pytest.mark.parametrize("more", ["--basket ibkr", "--out F", "--basket fix --out F"])
def test_half_a_basket_is_refused(size, more):
    code, out, err = size(f"{CHECK_A} {more}")
    assert (code, out) == (2, "")
    assert "--basket" in err


def test_check_c(size):
    found = answer(size(f"{CHECK_C} --json"))
    assert (found["mode"], found["k"]) == ("vol_target", 1.1)
    assert [(one["symbol"], one["side"], one["quantity"], one["notional"]) for one in found["legs"]] == [
        ("RTY", "buy", 7, 770_000),
        ("NQ", "sell", 2, 800_000),
    ]
    assert found["residual_usd"] == 47_000
    assert found["spread_vol_usd"] == pytest.approx(147_551.89, abs=0.01)
    assert found["var99_usd"] == pytest.approx(21_623, abs=0.5)
    assert found["es99_usd"] == pytest.approx(24_773, abs=0.5)
    by_ratio = {one["ratio"]: one for one in found["ratio_map"]}
    paths = ("ndx_flat_usd", "rut_flat_usd", "symmetric_usd")
    assert [by_ratio[9.6][one] for one in paths] == pytest.approx([-40_833.3, -44_800.0, -42_789.7], abs=0.06)
    assert [by_ratio[8.0][one] for one in paths] == pytest.approx([105_000.0, 96_000.0, 100_356.2], abs=0.06)
    grid = {(one["rut_pct"], one["ndx_pct"]): one["pnl_usd"] for one in found["scenarios"]}
    assert len(grid) == 49
    assert grid[-10, -10] == -77_000 + 80_000
    assert grid[3, -5] == 23_100 + 40_000


@pytest.mark.parametrize("target", ["8", "8%", "0.08", "8.0"])
def test_the_volatility_target_may_be_typed_in_either_way(size, target):
    found = answer(size(f"{CHECK_C.replace('--vol-target 8', f'--vol-target {target}')} --json"))
    assert [one["quantity"] for one in found["legs"]] == [7, 2]


def test_the_text_shows_the_ticket_and_the_hedges_side_by_side(size):
    code, out, err = size(CHECK_C)
    assert (code, err) == (0, "")
    assert "BUY 7 RTY Sep 24 @ 2,200.00 = $770,000" in out
    assert "SELL 2 NQ Sep 24 @ 20,000.00 = $800,000" in out
    for label in ("Dollar neutral", "Beta neutral", "Vol parity", "Typed"):
        assert label in out


def test_sizing_by_money_at_the_stop_stays_within_it(size):
    line = CHECK_C.replace("--vol-target 8", "--risk-pct 1.0").replace("mini", "micro")
    found = answer(size(f"{line} --json"))
    assert found["mode"] == "stop"
    at_stop = next(one for one in found["ratio_map"] if one["ratio"] == 9.6)
    # By hand: a short dollar loses 5.6 cents at the stop, so at most 8 MNQ of $40,000; beside 8 of them
    # |1.1 L - S| + |L - 324,675| is 44,075 with 26 M2K of $11,000, 34,375 with 27, 35,475 with 28.
    assert [one["quantity"] for one in found["legs"]] == [27, 8]
    worst = min(at_stop["ndx_flat_usd"], at_stop["rut_flat_usd"], at_stop["symmetric_usd"])
    assert worst == pytest.approx(-17_920)


def test_mixed_and_margins(size):
    found = answer(size(f"{CHECK_C.replace('mini', 'mixed')} --rut-margin 8000 --ndx-margin 20000 --json"))
    symbols = [one["symbol"] for one in found["legs"]]
    assert set(symbols) <= {"RTY", "M2K", "NQ", "MNQ"}
    per_contract = {"RTY": 8000, "M2K": 800, "NQ": 20_000, "MNQ": 2000}
    assert found["margin_usd"] == pytest.approx(
        sum(one["quantity"] * per_contract[one["symbol"]] for one in found["legs"])
    )


def test_hedges_from_typed_volatilities(size):
    plain = CHECK_C.replace("--k 1.1 ", "")
    assert answer(size(f"{plain} --hedge dollar --json"))["k"] == 1
    assert answer(size(f"{plain} --hedge vol --json"))["k"] == pytest.approx(1.1)
    assert answer(size(f"{plain} --hedge beta-ndx --json"))["k"] == pytest.approx(0.66)


def test_hedge_and_volatilities_from_the_store(size, tmp_path):
    from datetime import date

    days = NYSE.days(date(2023, 1, 3), date(2024, 7, 10))
    market, own = np.random.default_rng(5).normal(0, 0.01, (2, len(days)))
    rut, ndx = 0.8 * market + own, market
    with Store(tmp_path / FILE_NAME) as store:
        for symbol, moves, level in (("^RUT", rut, 2000.0), ("^NDX", ndx, 20_000.0), ("^SPX", market, 5000.0)):
            store.put_closes(
                Closes(symbol, days, level * np.exp(np.cumsum(moves))), source="test", priority=Priority.FILE
            )
    line = (
        "--capital 20m --vol-target 8 --instrument micro"
        " --rut-price 2200 --ndx-price 20000 --day 2024-07-11 --json"
    )
    slope = np.cov(rut[-252:], ndx[-252:])[0, 1] / ndx[-252:].var(ddof=1)
    found = answer(size(f"{line} --hedge beta-ndx"))
    assert found["k"] == pytest.approx(slope)
    assert found["spread_vol_usd"] <= 1_600_000
    # NDX moves exactly as SPX here, so that both regressions agree.
    assert answer(size(f"{line} --hedge beta-spx"))["k"] == pytest.approx(slope)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--capital -5 --rut-price 2200 --ndx-price 20000", "--capital '-5': −$5 is not an amount"),
        ("--capital nan --rut-price 2200 --ndx-price 20000", "--capital 'nan': is not a number"),
        ("--capital 2x --rut-price 2200 --ndx-price 20000", "--capital '2x': ends in 'x'"),
        ("--rut-price 2200 --ndx-price 20000", "--gross-cap: the gross cap is missing"),
        ("--capital 2m --ndx-price 20000", "--rut-price: the price of M2K is missing"),
        (f"{CHECK_C} --stop 9.0", "--stop '9.0': 9 is not above the ratio 9.091"),
        (f"{CHECK_C} --target 9.3", "--target '9.3': 9.3 is not below the ratio"),
        (f"{CHECK_C} --risk-pct 1", "both give a size"),
        (f"{CHECK_C} --hedge dollar", "keep one of both"),
        (f"{CHECK_C} --instrument shares", "choose etf, micro, mini, mixed"),
        (f"{CHECK_C} --day 11.07.2024", "write it like 2024-07-11"),
        (f"{CHECK_C} --rho 1.5", "--rho '1.5'"),
        (f"{CHECK_C} --holding-days -3", "--holding-days '-3': -3 is below zero"),
        (f"{CHECK_A} --hedge", ""),
    ],
)
def test_a_bad_argument_is_one_clear_line_and_exit_code_2(size, line, words):
    if not words:
        with pytest.raises(SystemExit) as told:
            size(line)
        assert told.value.code == 2
        return
    code, out, err = size(line)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--capital 5k --rut-price 2200 --ndx-price 20000", "raise the cap to at least $51,000"),
        ("--hedge beta-ndx --capital 2m --rut-price 2200 --ndx-price 20000", "adds history"),
        ("--capital 2m --vol-target 8 --rut-price 2200 --ndx-price 20000", "adds history"),
    ],
)
def test_what_cannot_be_sized_is_one_line_with_the_cure_and_exit_code_1(size, line, words):
    code, out, err = size(line)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert words in err
