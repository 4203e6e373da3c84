"""Costs and what-ifs against sums done by hand."""

from __future__ import annotations

from datetime import date
from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.market.instruments import Leg
from desktop.market.known import Unknown
from desktop.trade.costs import CostInputs, CostLeg, costs_of, rolls_within, validate_costs
from desktop.trade.scenarios import (
    PastFall,
    RatioPath,
    historical_risk,
    leg_moves,
    outcome,
    path_moves,
    ratio_levels,
    replay,
    what_if,
    worst_days,
)
from desktop.trade.sizing import Choice, Position, SizeBy, SizerInputs, size

ASSUMED = CostInputs(
    share_commission_usd=0.01,
    micro_commission_usd=0.5,
    mini_commission_usd=2.0,
    half_spread_ticks=1.0,
    holding_days=73.0,  # a fifth of a year
    borrow_rate=0.01,
    rut_dividend_rate=0.02,
    ndx_dividend_rate=0.01,
    financing_rate=0.05,
)


def test_an_etf_pair_pays_commission_spread_borrow_dividends_and_carry():
    legs = [CostLeg("", False, True, 1000, 200_000.0, 0.01), CostLeg("", False, False, 400, 200_000.0, 0.01)]
    costs = costs_of(legs, ASSUMED, None)
    assert costs.commission_usd == pytest.approx(2 * 0.01 * 1400)
    assert costs.half_spread_usd == pytest.approx(2 * 0.01 * 1400)
    assert (costs.roll_usd, costs.rolls) == (0, 0)
    assert costs.borrow_usd == pytest.approx(200_000 * 0.01 / 5)
    assert costs.dividends_usd == pytest.approx((0.01 - 0.02) * 200_000 / 5)
    assert costs.carry_usd == pytest.approx(0)
    assert costs.total_usd == pytest.approx(28 + 28 + 400 - 400)


def test_futures_pay_the_roll_twice_and_no_borrow():
    legs = [CostLeg("RTY", False, True, 7, 770_000.0, 5.0), CostLeg("MNQ", True, False, 20, 800_000.0, 0.5)]
    costs = costs_of(legs, ASSUMED, date(2024, 7, 11))
    one_way = 7 * (2 + 5) + 20 * (0.5 + 0.5)
    assert costs.rolls == 1
    assert costs.roll_usd == pytest.approx(2 * one_way)
    assert costs.commission_usd + costs.half_spread_usd == pytest.approx(2 * one_way)
    assert costs.borrow_usd == 0
    assert costs.carry_usd == pytest.approx((770_000 - 800_000) * 0.05 / 5)


@pytest.mark.parametrize(
    ("day", "days", "rolls"),
    [
        (date(2024, 7, 11), 20, 0),
        (date(2024, 9, 15), 0, 0),
        (date(2024, 9, 15), 1, 1),
        (date(2024, 9, 16), 1, 0),
        (date(2024, 7, 11), 365, 4),
    ],
)
def test_roll_dates_within_the_holding_period(day, days, rolls):
    assert rolls_within("RTY", day, days) == rolls


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("holding_days", -1.0, "below zero"), ("borrow_rate", 4.0, "0.04"), ("financing_rate", nan, "not a number"),
     ("half_spread_ticks", inf, "not a number"), ("holding_days", 1e9, "at most 3,650"),
     ("half_spread_ticks", 1e300, "at most 1,000"), ("mini_commission_usd", 1e200, "at most 1,000"),
     ("share_commission_usd", 1001.0, "at most 1,000")],
)  # fmt: skip
def test_an_absurd_assumption_is_named(field, value, words):
    from dataclasses import replace

    assert words in validate_costs(replace(ASSUMED, **{field: value}))[field]
    assert not validate_costs(ASSUMED)


def test_each_path_ends_at_the_ratio_it_is_drawn_to():
    for rut, ndx in leg_moves(9.0, 9.6):
        assert 9.0 * (1 + ndx) / (1 + rut) == pytest.approx(9.6)
    rut, ndx = leg_moves(9.0, 9.6)[2]
    assert log(1 + ndx) == pytest.approx(-log(1 + rut))


def test_the_worst_path_is_named():
    end = outcome(770_000, 800_000, 100 / 11, 9.6)
    assert (end.worst_path, end.worst_usd) == (RatioPath.RUT_FLAT, end.rut_flat_usd)
    assert outcome(770_000, 800_000, 9.0, 9.0).worst_usd == 0


def test_round_levels_hold_the_ratio_and_the_marks():
    levels = ratio_levels(9.511, 9.95, 7.0)
    assert {9.511, 9.95, 7.0, 8.4, 10.0, 10.6} <= set(levels)
    assert list(levels) == sorted(levels)
    assert len(ratio_levels(2.343)) < 30


def test_historical_tail_is_the_mean_of_the_worst_one_percent():
    random = np.random.default_rng(3)
    days = np.datetime64("2020-01-01") + np.arange(1000)
    rut, ndx = random.normal(0, 0.01, (2, 1000))
    past = historical_risk(2e6, 1e6, days, rut, ndx)
    assert not isinstance(past, Unknown)
    pnl = sorted(2e6 * u - 1e6 * n for u, n in zip(rut, ndx, strict=True))
    assert past.es99_usd == pytest.approx(-sum(pnl[:10]) / 10)
    assert past.worst_usd == pytest.approx(pnl[0])
    assert (past.n, past.first) == (1000, date(2020, 1, 1))


def test_too_few_past_days_have_no_tail():
    past = historical_risk(1.0, 1.0, np.datetime64("2020-01-01") + np.arange(5), np.zeros(5), np.zeros(5))
    assert isinstance(past, Unknown)
    assert "there are 5" in past.reason


def test_past_falls_are_replayed_with_units_unchanged():
    (one,) = replay(1e6, 8e5, [PastFall("2022", -25.7, -34.6)])
    assert one.pnl_usd == pytest.approx(-257_000 + 276_800)


# Worst days and what-if

returns = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.floats(-0.2, 0.2), min_size=n, max_size=n) for _ in range(2)))
)


@given(both=returns, long=st.floats(1e4, 1e7), short=st.floats(1e4, 1e7))
def test_worst_days_are_those_of_a_sorted_list(both, long, short):
    rut, ndx = both
    days = np.datetime64("2024-01-01") + np.arange(len(rut))
    made = worst_days(long, short, days, np.array(rut), np.array(ndx))
    expected = sorted(long * a - short * b for a, b in zip(rut, ndx, strict=True))[:5]
    assert [one.pnl_usd for one in made] == pytest.approx(expected)
    for one in made:
        at = (one.day - date(2024, 1, 1)).days
        assert one.pnl_usd == pytest.approx(long * rut[at] - short * ndx[at])


@given(rut=st.floats(-20, 20), ndx=st.floats(-20, 20))
def test_what_if_sums_over_the_lines_of_the_ticket(rut, ndx):
    made = size(SizerInputs(SizeBy.CAP, Choice.MIXED, 1.1, 2200.0, 20_000.0, gross_cap=3e6, day=date(2024, 7, 11)))
    assert isinstance(made, Position)
    told = what_if(made.long_usd, made.short_usd, 9.0, rut, ndx)
    lines = [one.one_pct_usd * (rut if one.leg is Leg.RUT else ndx) for one in made.legs]
    assert told.pnl_usd == pytest.approx(sum(lines), abs=1e-6)
    assert told.rut_usd + told.ndx_usd == told.pnl_usd
    assert told.ratio == pytest.approx(9.0 * (1 + ndx / 100) / (1 + rut / 100))


@pytest.mark.parametrize("path", list(RatioPath))
@given(move=st.floats(-19, 19))
def test_every_path_ends_at_the_ratio_that_was_asked_for(path, move):
    rut, ndx = path_moves(path, move)
    assert (1 + ndx / 100) / (1 + rut / 100) == pytest.approx(1 + move / 100)
    if path is RatioPath.NDX_FLAT:
        assert ndx == 0
    elif path is RatioPath.RUT_FLAT:
        assert rut == 0
    else:
        assert log(1 + ndx / 100) == pytest.approx(-log(1 + rut / 100), abs=1e-12)


def test_what_if_of_check_c_at_the_stop_is_the_published_worst_path():
    # METHODS 9, check C: from 9.090909 to 9.6 with RUT flat the position loses 44,800.0.
    move = 100 * (9.6 / (20_000 / 2200) - 1)
    rut, ndx = path_moves(RatioPath.RUT_FLAT, move)
    assert what_if(770_000, 800_000, 20_000 / 2200, rut, ndx).pnl_usd == pytest.approx(-44_800.0)
