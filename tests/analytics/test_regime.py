"""Flags, hysteresis, and that applying what would flip the state flips it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import correlation as c
from desktop.analytics import regime as g
from desktop.analytics.ratio import PairSeries, pair
from desktop.market.known import Unknown
from desktop.market.quotes import Closes, Panel

T = g.Thresholds()
ON, OFF, MAYBE = 1.0, 0.0, 0.5
CALM, UNWIND = (OFF, OFF, OFF, OFF), (OFF, OFF, OFF, ON)
RISK, EVERYTHING, SOME = (ON, ON, ON, OFF), (ON, ON, ON, ON), (OFF, ON, OFF, OFF)


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def states(*flags: tuple[float, ...]) -> list[int]:
    return [int(severity) for severity in g.severity_history(np.array(flags), T)]


def cut(us83: Panel, last: str) -> Panel:
    keep = us83.days <= np.datetime64(last)
    return Panel(us83.name, us83.tickers, us83.days[keep], us83.close[keep], us83.compiled)


def on(day: str, both: PairSeries, us83: Panel, cboe: dict[str, Closes], **more: Any) -> g.RegimeStats:
    last, panel = date.fromisoformat(day), cut(us83, day)
    rolling = c.rolling_mean_pairwise(c.log_returns(panel), 21)
    given_: dict[str, Any] = {
        "panel": panel,
        "rolling": rolling,
        "vix": cboe["VIX"].until(last),
        "vix3m": cboe["VIX3M"].until(last),
    }
    found: g.RegimeStats = sure(g.regime(both.until(last), **(given_ | more)))
    return found


# --- hysteresis


def test_a_worse_state_is_entered_after_two_days():
    assert states(*[CALM] * 5, RISK, CALM, RISK, RISK)[4:] == [0, 0, 0, 0, 2]
    assert states(*[CALM] * 5, UNWIND, UNWIND)[4:] == [0, 0, 1]
    assert states(*[CALM] * 5, EVERYTHING, RISK)[4:] == [0, 0, 2]


def test_a_state_is_left_after_five_days():
    assert states(*[RISK] * 5, *[CALM] * 5)[4:] == [2, 2, 2, 2, 2, 0]
    assert states(*[RISK] * 5, *[CALM] * 4, RISK, CALM)[4:] == [2] * 7
    assert states(*[EVERYTHING] * 5, *[RISK] * 5)[-2:] == [3, 2]


def test_one_or_two_flags_neither_bring_risk_off_nor_end_it():
    assert states(*[CALM] * 5, *[SOME] * 20)[-1] == 0
    assert states(*[RISK] * 5, *[SOME] * 20)[-1] == 2
    assert states(*[CALM] * 5, *[(ON, ON, OFF, ON)] * 3)[-1] == 1


def test_days_must_follow_each_other():
    assert 2 not in states(*[CALM] * 5, *[RISK, CALM] * 6)


def test_the_first_days_are_unknown_until_flags_decide():
    assert states(*[CALM] * 6) == [-1, -1, -1, -1, 0, 0]
    assert states(*[EVERYTHING] * 3) == [-1, 3, 3]
    assert states(*[SOME] * 9) == [-1] * 9


def test_one_day_without_a_flag_changes_nothing_but_two_do():
    unsure = (OFF, OFF, OFF, MAYBE)
    assert states(*[CALM] * 5, unsure, CALM, CALM)[4:] == [0, 0, 0, 0]
    assert states(*[CALM] * 5, unsure, unsure)[4:] == [0, 0, -1]
    # Whatever the missing flag says, three flags off keep risk-off away and two on do not end it.
    assert states(*[CALM] * 5, *[(MAYBE, OFF, OFF, OFF)] * 9)[-1] == 0


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(*[st.sampled_from([OFF, ON, ON, OFF, MAYBE])] * 4), min_size=8, max_size=14))
def test_a_known_state_holds_whatever_the_unknown_flags_were(rows):
    found = states(*rows)
    places = [(i, k) for i, row in enumerate(rows) for k, flag in enumerate(row) if flag == MAYBE][:6]
    rest = {(i, k) for i, row in enumerate(rows) for k, flag in enumerate(row) if flag == MAYBE} - set(places)
    for values in product((OFF, ON), repeat=len(places)):
        filled = np.array(rows)
        for place, value in zip(places, values, strict=True):
            filled[place] = value
        for place in rest:
            filled[place] = OFF
        for ours, theirs in zip(found, states(*map(tuple, filled.tolist())), strict=True):
            assert ours in (-1, theirs)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(*[st.sampled_from([OFF, ON])] * 4), min_size=1, max_size=40))
def test_the_state_follows_the_rule_in_words(rows):
    """A slow reading of the rule: worse after two days that all are at least as bad, better after five."""

    def lowest(row: tuple[float, ...]) -> int:
        return (2 if sum(row[:3]) == 3 else 0) + (1 if row[3] else 0)

    def highest(row: tuple[float, ...]) -> int:
        return (0 if sum(row[:3]) == 0 else 2) + (1 if row[3] else 0)

    rows = [CALM] * 5 + rows
    state, expected = 0, []
    for end in range(1, len(rows) + 1):
        state = max(state, min(map(lowest, rows[end - 2 : end])) if end >= 2 else 0)
        state = min(state, max(map(highest, rows[end - 5 : end])) if end >= 5 else 3)
        expected.append(state)
    assert states(*rows)[4:] == expected[4:]


def test_thresholds_that_make_no_sense_are_refused():
    for wrong in ({"breadth": 1.2}, {"correlation_jump": 0.0}, {"enter_days": 0}, {"enter_days": 6}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            g.Thresholds(**wrong)


# --- flags on real data


def test_the_vix_of_the_cpi_day_and_of_the_august_crash(both, us83, cboe):
    calm, crash = (on(day, both, us83, cboe) for day in ("2024-07-11", "2024-08-05"))
    assert calm.readings.vix == pytest.approx(12.92)
    assert crash.readings.vix == pytest.approx(38.57)
    assert calm.readings.vix_ratio == pytest.approx(12.92 / 14.67)
    assert (calm.flags.volatility, crash.flags.volatility) == (False, True)
    assert crash.flags.both_legs_down is True


def test_the_regimes_of_known_days(both, us83, cboe):
    found = {
        day: on(day, both, us83, cboe).state for day in ("2024-07-11", "2024-07-17", "2020-03-12", "2020-03-17")
    }
    assert found["2024-07-11"] is g.State.ORDERLY
    assert found["2024-07-17"] is g.State.VIOLENT_ROTATION
    assert found["2020-03-12"] is g.State.UNKNOWN or found["2020-03-12"] is g.State.RISK_OFF
    assert found["2020-03-17"] is g.State.DE_GROSSING


@pytest.fixture(scope="module")
def frame(both, us83, cboe) -> pd.DataFrame:
    """The four flags of 2024 to 2025 once more, with pandas, straight from the words of METHODS."""
    days = pd.DatetimeIndex(us83.days)
    price = pd.DataFrame(us83.close, index=days)
    returns = price.pct_change(fill_method=None)
    rho = pd.Series(np.nan, index=days)
    logs = np.log(us83.close)
    for end in range(22, len(days) + 1):
        matrix = np.corrcoef(np.diff(logs[end - 22 : end], axis=0).T)
        rho.iloc[end - 1] = (matrix.sum() - 83) / (83 * 82)
    legs = pd.DataFrame({"rut": both.rut, "ndx": both.ndx}, index=pd.DatetimeIndex(both.days)).reindex(days)
    vix, vix3m = (
        pd.Series(cboe[name].close, index=pd.DatetimeIndex(cboe[name].days)).reindex(days)
        for name in ("VIX", "VIX3M")
    )

    def percentile(series: pd.Series) -> pd.Series:
        out = pd.Series(np.nan, index=series.index)
        for i in range(252, len(series)):
            before = series.iloc[i - 252 : i].dropna()
            if len(before) >= 240:
                out.iloc[i] = (before <= series.iloc[i]).mean()
        return out

    score = (price.shift(21) / price.shift(252) - 1).shift(5)
    five = price.pct_change(5, fill_method=None)
    spread, losers = pd.Series(np.nan, index=days), pd.Series(np.nan, index=days)
    for i in range(257, len(days)):
        order = score.iloc[i].sort_values(kind="stable").index
        low, high = five.iloc[i][order[:8]].mean(), five.iloc[i][order[-8:]].mean()
        spread.iloc[i], losers.iloc[i] = high - low, low - five.iloc[i].mean()
    sigma = spread.rolling(252).std().shift(5)
    down = (returns < 0).mean(axis=1).rolling(5).max()
    fell = (legs.pct_change(5, fill_method=None) < 0).all(axis=1)
    return pd.DataFrame(
        {
            "correlation": (percentile(rho) >= 0.9) | (rho.diff(5) >= 0.15),
            "volatility": (percentile(vix) >= 0.9) | (vix / vix3m > 1),
            "both_legs_down": fell & (down >= 0.8),
            "momentum_unwind": (spread <= -2 * sigma) & (losers > 0),
        }
    ).loc["2024":"2025"]


def test_flags_equal_a_second_computation_with_pandas(both, us83, cboe, frame):
    history = on("2025-12-31", both, us83, cboe).history
    here = np.isin(history.days, frame.index.to_numpy().astype("datetime64[D]"))
    assert here.sum() == len(frame) == 502
    for k, name in enumerate(g.FLAG_NAMES):
        np.testing.assert_array_equal(history.flags[here, k] == ON, frame[name].to_numpy(), err_msg=name)
        assert frame[name].any()


@pytest.mark.parametrize("day", ["2022-03-01", "2024-07-17", "2025-04-07"])
def test_what_comes_after_as_of_changes_nothing(day, both, us83, cboe):
    early, late = on(day, both, us83, cboe), on("2025-12-31", both, us83, cboe, history_days=1500)
    at = int(np.searchsorted(late.history.days, np.datetime64(day)))
    np.testing.assert_array_equal(late.history.flags[at], early.history.flags[-1])
    shared = min(at, len(early.history.days) - 1, 400)
    np.testing.assert_array_equal(late.history.flags[at - shared : at + 1], early.history.flags[-shared - 1 :])


# --- what is missing


def test_a_flag_without_data_is_unknown_and_the_state_says_which(both, us83, cboe):
    found = on("2024-07-11", both, us83, cboe, panel=None, rolling=None)
    assert isinstance(found.flags.correlation, Unknown)
    assert isinstance(found.flags.momentum_unwind, Unknown)
    assert found.flags.volatility is False
    assert found.state is g.State.UNKNOWN
    assert "momentum unwind" in found.why
    assert found.since is None


def test_one_alternative_that_is_met_decides_a_flag(both, us83, cboe):
    without = on("2024-08-05", both, us83, cboe, vix3m=None)
    assert without.flags.volatility is True
    calm = on("2024-07-11", both, us83, cboe, vix3m=None)
    assert isinstance(calm.flags.volatility, Unknown)
    assert "VIX3M" in calm.flags.volatility.reason


def test_a_vix_of_another_day_is_not_todays(both, us83, cboe):
    found = on("2024-08-05", both, us83, cboe, vix=cboe["VIX"].until(date(2024, 8, 2)))
    assert found.readings.vix == Unknown("no VIX on 2024-08-05")
    assert isinstance(found.flags.volatility, Unknown)


def test_a_hole_in_the_closes_leaves_the_legs_unknown(both, us83, cboe):
    cut_ = both.until(date(2024, 8, 5))
    keep = cut_.days != np.datetime64("2024-07-29")
    holed = pair(
        Closes("RUT", cut_.days[keep], cut_.rut[keep]), Closes("NDX", cut_.days[keep], cut_.ndx[keep]), cut_.days
    )
    rolling = c.rolling_mean_pairwise(c.log_returns(us83), 21)
    found = sure(g.regime(holed, panel=us83, rolling=rolling, vix=cboe["VIX"], vix3m=cboe["VIX3M"]))
    assert isinstance(found.flags.both_legs_down, Unknown)
    assert "2024-07-29" in found.flags.both_legs_down.reason


def test_without_history_there_is_no_regime():
    empty = Closes("RUT", np.array([], dtype="datetime64[D]"), np.array([]))
    nothing: dict[str, Any] = {"panel": None, "rolling": None, "vix": None, "vix3m": None}
    assert isinstance(g.regime(pair(empty, empty), **nothing), Unknown)
    day = Closes("RUT", np.array(["2024-01-02"], dtype="datetime64[D]"), np.array([1.0]))
    assert sure(g.regime(pair(day, day), **nothing)).state is g.State.UNKNOWN


# --- what would flip it

FLIP_DAYS = ["2024-07-11", "2024-07-16", "2024-07-17", "2024-08-05", "2022-07-01", "2025-04-07", "2025-12-31"]


@pytest.mark.parametrize("day", FLIP_DAYS)
def test_applying_a_flip_changes_the_state_on_the_day_it_says(day, both, us83, cboe):
    found = on(day, both, us83, cboe)
    assert {flip.state for flip in found.flips} == set(g.SEVERITY) - {found.state}
    assert found.would_flip == tuple(flip.text for flip in found.flips)
    past, today = found.history.flags[:-1], found.history.flags[-1]
    for flip in found.flips:
        flipped = today.copy()
        for name, value in flip.to:
            flipped[g.FLAG_NAMES.index(name)] = ON if value else OFF
        future = np.vstack([past, np.tile(flipped, (flip.days, 1))])
        severity = g.severity_history(future, T)[len(past) :].tolist()
        target = g.SEVERITY.index(flip.state)
        assert severity[-1] == target
        assert target not in severity[:-1]


@pytest.mark.parametrize("day", FLIP_DAYS)
def test_no_smaller_change_of_flags_leads_there(day, both, us83, cboe):
    found = on(day, both, us83, cboe)
    past, today = found.history.flags[:-1], found.history.flags[-1]
    now = g.SEVERITY.index(found.state)
    fewest = dict.fromkeys(range(4), 99)
    for case in product((OFF, ON), repeat=4):
        future = np.vstack([past, np.tile(case, (12, 1))])
        for target in set(g.severity_history(future, T)[len(past) :].tolist()) - {now, -1}:
            fewest[target] = min(fewest[target], int((np.array(case) != today).sum()))
    for flip in found.flips:
        assert len(flip.to) == fewest[g.SEVERITY.index(flip.state)]


def inputs_of(day: str, both: PairSeries, us83: Panel, cboe: dict[str, Closes]) -> g.Inputs:
    last, panel = date.fromisoformat(day), cut(us83, day)
    return g.regime_inputs(
        both.until(last),
        panel=panel,
        rolling=c.rolling_mean_pairwise(c.log_returns(panel), 21),
        vix=cboe["VIX"].until(last),
        vix3m=cboe["VIX3M"].until(last),
    )


def with_last(inputs: g.Inputs, **values: float) -> g.Inputs:
    changed = {}
    for name, value in values.items():
        series = np.array(getattr(inputs, name))
        series[-1] = value
        changed[name] = series
    return replace(inputs, **changed)


PRINTED = {
    "rho": r"21-day correlation (≥|<) ([\d.,−]+)",
    "vix": r"VIX (≥|>|<) ([\d.,]+)",
    "rut": r"RUT (≥|<) ([\d.,]+)",
    "ndx": r"NDX (≥|<) ([\d.,]+)",
    "momentum": r"momentum 5-day (≤|>) ([\d.,−]+) %",
}
STEP = {"rho": 1e-9, "vix": 1e-9, "rut": 1e-6, "ndx": 1e-6, "momentum": 1e-9}


def applied(text: str, inputs: g.Inputs) -> g.Inputs:
    """Put today's values at the levels printed in the text, just where the printed sign says."""
    values: dict[str, float] = {}
    for name, pattern in PRINTED.items():
        for sign, number in re.findall(pattern, text):
            level = float(number.replace(",", "").replace("−", "-")) / (100 if name == "momentum" else 1)
            values[name] = level + {">": STEP[name], "<": -STEP[name]}.get(sign, 0.0)
    if "of names down" in text:
        values["breadth"] = 0.8
    if "losers beat" in text:
        values["losers"] = 1e-6
    return with_last(inputs, **values)


@pytest.mark.parametrize("day", FLIP_DAYS)
def test_the_printed_levels_turn_exactly_the_flags_they_name(day, both, us83, cboe):
    inputs = inputs_of(day, both, us83, cboe)
    found = g.judge(inputs, T, 83)
    before = found.history.flags[-1]
    for flip in found.flips:
        wanted = before.copy()
        for name, value in flip.to:
            wanted[g.FLAG_NAMES.index(name)] = ON if value else OFF
        reached = applied(flip.text, inputs)
        np.testing.assert_array_equal(g.flag_history(reached, T)[-1], wanted, err_msg=flip.text)
        if flip.days == 1:
            assert g.judge(reached, T, 83).state is flip.state


def test_the_flip_of_the_cpi_day_reads_well(both, us83, cboe):
    texts = on("2024-07-11", both, us83, cboe).would_flip
    assert "VIX > 14.67 (VIX/VIX3M > 1)" in texts[1]
    assert "RUT < " in texts[1]
    assert texts[1].startswith("turns to risk-off if 21-day correlation ≥ 0.")
    assert texts[1].endswith("2 sessions in a row, today included")
    rut = float(re.findall(r"RUT < ([\d,.]+)", texts[1])[0].replace(",", ""))
    five_ago = both.rut[np.searchsorted(both.days, np.datetime64("2024-07-11")) - 5]
    assert rut == pytest.approx(five_ago, abs=0.01)
    assert rut <= five_ago


def test_a_change_under_way_is_told_as_such(both, us83, cboe):
    found = on("2024-07-16", both, us83, cboe)
    assert found.flags.momentum_unwind is True
    assert found.state is g.State.ORDERLY
    assert found.would_flip[0] == "turns to violent rotation if the flags stay as they are for 1 more session"
    assert on("2024-07-17", both, us83, cboe).since == date(2024, 7, 17)


# --- momentum by hand


def test_momentum_is_formed_before_the_days_it_measures():
    names, days = 20, 270
    closes = np.full((days, names), 100.0)
    # Names 0 and 1 fell, names 18 and 19 rose, between a year and a month before the five days.
    closes[100:, :2], closes[100:, 18:] = 50.0, 200.0
    closes[-1, :2], closes[-1, 18:] = 55.0, 190.0
    axis = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + days)
    legs = Closes("RUT", axis, np.full(days, 10.0))
    panel = Panel("hand", tuple(f"N{i}" for i in range(names)), axis, closes, date(2024, 1, 1))
    inputs = g.regime_inputs(pair(legs, legs), panel=panel, rolling=None, vix=None, vix3m=None)
    assert inputs.momentum[-1] == pytest.approx(-0.05 - 0.10)
    assert inputs.losers[-1] == pytest.approx(0.10 - (2 * 0.10 - 2 * 0.05) / 20)
    assert inputs.breadth[-1] == pytest.approx(2 / 20)
    few = Panel("few", panel.tickers[:19], axis, closes[:, :19], date(2024, 1, 1))
    thin = g.regime_inputs(pair(legs, legs), panel=few, rolling=None, vix=None, vix3m=None)
    assert np.isnan(thin.momentum).all()
