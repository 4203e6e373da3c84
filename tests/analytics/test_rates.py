"""The path of METHODS 4 on real strips and on daily paths laid out by hand; the slope against statsmodels."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import rates as r
from desktop.analytics.ratio import PairSeries, pair
from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE

CPI_DAY = date(2024, 7, 11)
MONTH_CODES = "FGHJKMNQUVXZ"


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def why(found: object) -> str:
    assert isinstance(found, Unknown), found
    return found.reason


def month_of(code: str) -> date:
    return date(2000 + int(code[3:5]), MONTH_CODES.index(code[2]) + 1, 1)


def days_of(*days: date | str) -> np.ndarray:
    return np.array(days, dtype="datetime64[D]")


def in_force(low: float, high: float, *days: date) -> r.Target:
    return r.Target(days_of(*days), np.full(len(days), low), np.full(len(days), high))


# --- the path: figures of METHODS 4


@pytest.mark.parametrize(
    ("rule", "p_hike", "after"), [("new_rate", 0.535714, 0.266429), ("old_rate", 0.576923, 0.276731)]
)
def test_september_2015_from_the_effective_rate(rule, p_hike, after):
    day = date(2015, 9, 1)
    path = sure(
        r.fed_path(
            {day: 100 - 0.195},
            [date(2015, 9, 17)],
            day,
            target=in_force(0, 0.25, day),
            effr=r.Fixing(date(2015, 8, 31), 0.1325),
            rule=r.DayRule(rule),
        )
    )
    (meeting,) = path.meetings
    assert meeting.expected_rate_pct == pytest.approx(after, abs=1e-6)
    hike, after_hike = sure(meeting.steps)[1], sure(meeting.probabilities)[1]
    assert (hike.change_bp, after_hike.low_pct, after_hike.high_pct) == (25, 0.25, 0.5)
    assert hike.p == after_hike.p == pytest.approx(p_hike, abs=1e-6)
    assert meeting.other_rule_shift == pytest.approx(0.576923 - 0.535714, abs=2e-6)


@pytest.fixture(scope="module")
def zq_closes(real_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(real_data / "zq-fedwatch" / "zq-contracts-2021-2023.csv")
    return frame.pivot_table(index="Date", columns="Symbol", values="Close")


@pytest.fixture(scope="module")
def calendar(real_data: Path) -> list[date]:
    frame = pd.read_csv(real_data / "econ-calendar" / "macro-events-2000-2027-corrected.csv")
    return [date.fromisoformat(day) for day in frame.loc[frame["event"] == "fomc_decision", "date"]]


def strip_of(row: pd.Series) -> dict[date, float]:
    return {month_of(str(code)): float(price) for code, price in row.dropna().items()}


def odds_of(meeting: r.MeetingOdds, digits: int = 6) -> dict[int, float]:
    return {one.change_bp: round(one.p, digits) for one in sure(meeting.steps)}


def test_the_settlements_of_2022_09_12(zq_closes, calendar):
    row = zq_closes.loc["2022-09-12", ["ZQU22", "ZQV22", "ZQX22"]]
    assert row.tolist() == [97.4475, 96.94, 96.43]
    day = date(2022, 9, 12)
    path = sure(
        r.fed_path(
            strip_of(row), calendar, day, target=in_force(2.25, 2.5, day), rule=r.DayRule.NEW_RATE, known_to=None
        )
    )
    september, november, december = path.meetings[:3]
    assert september.change_bp == pytest.approx(76.125, abs=1e-6)
    assert odds_of(september, 4) == {75: 0.955, 100: 0.045}
    assert november.change_bp == pytest.approx(52.7586, abs=1e-4)
    assert odds_of(november, 4) == {50: 0.8897, 75: 0.1103}
    assert "December 2022" in why(december.change_bp)
    assert "December 2022" in why(path.meetings[3].probabilities)


@pytest.fixture(scope="module")
def reference(real_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(real_data / "zq-fedwatch" / "fedwatch-reference-2023-03-10.csv")
    return frame.set_index("fomc_date").drop(columns="watch_date")


def table(path: r.FedPath, like: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for meeting in path.meetings:
        odds = {f"{one.low_pct:.2f}-{one.high_pct:.2f}": one.p for one in sure(meeting.probabilities)}
        rows[str(meeting.meeting)] = [odds.get(column, 0.0) for column in like.columns]
    return pd.DataFrame.from_dict(rows, orient="index", columns=like.columns)


def test_the_reference_of_2023_03_10_for_all_nine_meetings(zq_closes, calendar, reference):
    """Printed to three digits; the tenth meeting, on 1 May 2024, makes April 2024 a pin."""
    day = date(2023, 3, 10)
    to_may = [one for one in calendar if one <= date(2024, 5, 1)]
    path = sure(
        r.fed_path(
            strip_of(zq_closes.loc["2023-03-10"]),
            to_may,
            day,
            target=in_force(4.5, 4.75, day),
            rule=r.DayRule.NEW_RATE,
        )
    )
    ours = table(replace(path, meetings=path.meetings[:9]), reference)
    assert ours.index.tolist() == reference.index.tolist()
    np.testing.assert_allclose(ours, reference, atol=5.1e-4)


def test_a_calendar_that_ends_in_march_2024_moves_only_its_last_meeting(zq_closes, calendar, reference):
    day = date(2023, 3, 10)
    strip, target = strip_of(zq_closes.loc["2023-03-10"]), in_force(4.5, 4.75, day)
    nine = [one for one in calendar if one <= date(2024, 3, 31)]
    short = sure(r.fed_path(strip, nine, day, target=target, rule=r.DayRule.NEW_RATE))
    off = (table(short, reference) - reference).abs().max(axis=1)
    assert (off.iloc[:8] <= 5.1e-4).all()
    assert off.iloc[8] == pytest.approx(0.009, abs=1e-3)
    half = r.fed_path(strip, nine, day, target=target, rule=r.DayRule.NEW_RATE, known_to=date(2024, 4, 29))
    assert sure(half).meetings == short.meetings
    known = sure(r.fed_path(strip, nine, day, target=target, rule=r.DayRule.NEW_RATE, known_to=date(2024, 4, 30)))
    np.testing.assert_allclose(table(known, reference), reference, atol=5.1e-4)


def test_the_day_rule_moves_six_percent_of_the_first_meeting_of_the_reference(zq_closes, calendar):
    day = date(2023, 3, 10)
    path = sure(r.fed_path(strip_of(zq_closes.loc["2023-03-10"]), calendar, day, target=in_force(4.5, 4.75, day)))
    first = path.meetings[0]
    assert path.rule is r.DayRule.OLD_RATE
    assert odds_of(first, 3) == {25: 0.661, 50: 0.339}
    assert first.other_rule_change_bp == pytest.approx(35.06, abs=0.01)
    assert first.other_rule_shift == pytest.approx(0.0638, abs=1e-4)


@pytest.fixture(scope="module")
def strips_2026(real_data: Path) -> pd.DataFrame:
    return pd.read_csv(real_data / "zq-fedwatch" / "zq-strip-barchart-2026-08.csv", index_col=0)


def test_the_strip_of_2026_prices_hikes(strips_2026, calendar, real_data):
    day = date(2026, 8, 21)
    rates = pd.read_csv(real_data / "rates-fed" / "fred-rates-1976-2026.csv", index_col=0)
    rates = rates.loc["2026-06-01":"2026-08-21"]
    target = r.Target(
        rates.index.to_numpy(dtype="datetime64[D]"), rates["DFEDTARL"].to_numpy(), rates["DFEDTARU"].to_numpy()
    )
    effr = r.Fixing(date(2026, 8, 20), rates["DFF"].dropna().iloc[-1])
    path = sure(r.fed_path(strip_of(strips_2026.loc[str(day)]), calendar, day, target=target, effr=effr))
    assert path.start_pct == pytest.approx(3.63)
    assert (path.low_pct, path.high_pct) == (3.5, 3.75)
    assert (path.n_months, path.schedule_known_to) == (17, date(2027, 12, 8))
    september = path.meetings[0]
    assert september.meeting == date(2026, 9, 16)
    # By hand: November, without a meeting, ends October at 3.79; October, 28 days at the old rate, began at this.
    october, november = (100 - strips_2026.loc[str(day), code] for code in ("ZQV26", "ZQX26"))
    assert september.expected_rate_pct == pytest.approx((31 * october - 3 * november) / 28)
    assert 0 < september.change_bp < 25
    assert path.meetings[1].expected_rate_pct == pytest.approx(november)


# --- the path: against daily rates laid out by hand


def next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def lay_out(
    first: date, start: float, moves: dict[date, float], n_months: int, rule: r.DayRule
) -> dict[date, float]:
    """Prices of contract months: 100 less the plain mean of a rate that moves after (or on) each decision day."""
    lag = timedelta(days=rule is r.DayRule.OLD_RATE)
    prices, month = {}, first
    for _ in range(n_months):
        days = [month.replace(day=n) for n in range(1, monthrange(month.year, month.month)[1] + 1)]
        rate = [start + sum(move for when, move in moves.items() if day >= when + lag) for day in days]
        prices[month] = 100.0 - float(np.mean(rate))
        month = next_month(month)
    return prices


@st.composite
def schedules(draw: st.DrawFn) -> tuple[date, dict[date, float], int]:
    """First month, decision days with moves in percent, months: meetings one or two months apart, as they are."""
    first = date(draw(st.integers(2009, 2030)), draw(st.integers(1, 12)), 1)
    month = first if draw(st.booleans()) else next_month(first)
    moves, n = {}, 0
    count = draw(st.integers(1, 9))
    for _ in range(count):
        # Any day on which both conventions leave days at both rates, or none after it.
        day = draw(st.integers(2, monthrange(month.year, month.month)[1]))
        moves[month.replace(day=day)] = draw(st.floats(-1.0, 1.0).map(lambda x: round(x, 4)))
        month = next_month(month)
        if draw(st.booleans()):
            month = next_month(month)
    last = max(moves)
    n = (last.year - first.year) * 12 + last.month - first.month + 1
    return first, moves, n


@settings(max_examples=150, deadline=None)
@given(schedule=schedules(), rule=st.sampled_from(list(r.DayRule)), start=st.floats(0, 8))
def test_a_daily_path_laid_out_by_hand_is_found_again(schedule, rule, start):
    first, moves, n = schedule
    known_to = next_month(max(moves).replace(day=1))
    known_to = known_to.replace(day=monthrange(known_to.year, known_to.month)[1])
    prices = lay_out(first, start, moves, n + 1, rule)
    path = sure(
        r.fed_path(
            prices,
            moves,
            first,
            target=in_force(1.0, 1.25, first),
            effr=r.Fixing(first - timedelta(days=1), start),
            rule=rule,
            known_to=known_to,
        )
    )
    assert [one.meeting for one in path.meetings] == sorted(moves)
    level = start
    for meeting in path.meetings:
        assert meeting.before_pct == pytest.approx(level, abs=1e-7)
        level += moves[meeting.meeting]
        assert meeting.expected_rate_pct == pytest.approx(level, abs=1e-7)
        assert meeting.change_bp == pytest.approx(100 * moves[meeting.meeting], abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(schedule=schedules(), start=st.floats(0, 8), noise=st.integers(0, 10_000))
def test_odds_are_odds_and_their_mean_is_the_expected_rate(schedule, start, noise):
    first, moves, n = schedule
    prices = lay_out(first, start, moves, n, r.DayRule.OLD_RATE)
    shaken = np.random.default_rng(noise).normal(0, 0.01, len(prices))
    prices = {month: price + move for (month, price), move in zip(prices.items(), shaken, strict=True)}
    effr = r.Fixing(first - timedelta(days=1), start)
    path = sure(r.fed_path(prices, moves, first, target=in_force(1.0, 1.25, first), effr=effr))
    for meeting in path.meetings:
        if isinstance(meeting.probabilities, Unknown):
            # A month at the old rate alone tells nothing of the rate after it.
            assert any((one + timedelta(days=1)).day == 1 for one in moves)
            continue
        p = [one.p for one in meeting.probabilities]
        assert min(p) >= 0
        assert max(p) <= 1
        assert sum(p) == pytest.approx(1)
        mean = sum(one.p * (one.low_pct - 1.0) for one in meeting.probabilities)
        assert sure(path.start_pct) + mean == pytest.approx(sure(meeting.expected_rate_pct), abs=1e-6)
        assert 100 * mean == pytest.approx(sure(meeting.cumulative_bp), abs=1e-4)
        assert sum(one.p * one.change_bp for one in sure(meeting.steps)) == pytest.approx(
            sure(meeting.change_bp), abs=1e-4
        )
        assert 0 <= sure(meeting.other_rule_shift) <= 1 + 1e-12


@settings(max_examples=50, deadline=None)
@given(schedule=schedules(), start=st.floats(0, 8), wild=st.floats(80, 105))
def test_months_past_the_calendar_and_the_order_of_rows_change_nothing(schedule, start, wild):
    first, moves, n = schedule
    prices = lay_out(first, start, moves, n, r.DayRule.OLD_RATE)
    beyond = next_month(max(moves).replace(day=1))
    more = {beyond: wild, next_month(beyond): wild}
    before = {(first - timedelta(days=1)): wild}
    shuffled = dict(reversed({**prices, **more, **before}.items()))
    effr, target = r.Fixing(first, start), in_force(1.0, 1.25, first)
    plain = r.fed_path(prices, moves, first, target=target, effr=effr)
    assert r.fed_path(shuffled, list(reversed(list(moves))), first, target=target, effr=effr) == plain


@given(steps=st.lists(st.floats(-4, 4), min_size=1, max_size=7), seed=st.integers(0, 99))
def test_convolution_does_not_depend_on_order_and_equals_brute_force(steps, seed):
    def all_of(sequence: Iterable[float]) -> dict[int, float]:
        odds = {0: 1.0}
        for one in sequence:
            odds = r.convolve(odds, r.step_odds(one))
        return odds

    found = all_of(steps)
    again = all_of(np.random.default_rng(seed).permutation(steps))
    assert found.keys() == again.keys()
    assert list(found.values()) == pytest.approx([again[k] for k in found])
    polynomial, offset = np.ones(1), 0
    for one in steps:
        low = int(np.floor(round(one, 9)))
        polynomial, offset = (
            np.convolve(polynomial, [1 - (round(one, 9) - low), round(one, 9) - low]),
            offset + low,
        )
    for k, p in enumerate(polynomial):
        assert found.get(offset + k, 0.0) == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(
    ("steps", "odds"),
    [
        (1.4, {1: 0.6, 2: 0.4}),
        (-0.3, {-1: 0.3, 0: 0.7}),
        (-2.0, {-2: 1.0}),
        (0.0, {0: 1.0}),
        (3.045, {3: 0.955, 4: 0.045}),
    ],
)
def test_a_change_lies_between_the_whole_steps_around_it(steps, odds):
    assert r.step_odds(steps) == pytest.approx(odds)


# --- the path: edges


def test_a_meeting_on_the_last_day_has_its_month_at_the_old_rate_alone():
    prices = {date(2024, 1, 1): 94.67, date(2024, 2, 1): 94.80}
    calendar = [date(2024, 1, 31), date(2024, 3, 20)]
    path = sure(r.fed_path(prices, calendar, date(2024, 1, 10), target=in_force(5.25, 5.5, date(2024, 1, 10))))
    january = path.meetings[0]
    assert january.before_pct == pytest.approx(5.33)
    assert january.expected_rate_pct == pytest.approx(5.20)
    assert january.change_bp == pytest.approx(-13)
    alone = sure(r.fed_path({date(2024, 1, 1): 94.67}, calendar, date(2024, 1, 10)))
    assert alone.meetings[0].before_pct == pytest.approx(5.33)
    assert "February 2024" in why(alone.meetings[0].expected_rate_pct)


def test_a_meeting_on_the_first_day_may_have_its_month_at_the_new_rate_alone():
    prices = {date(2023, 10, 1): 94.67, date(2023, 11, 1): 94.42}
    path = sure(r.fed_path(prices, [date(2023, 11, 1)], date(2023, 10, 5), rule=r.DayRule.NEW_RATE))
    (november,) = path.meetings
    assert (november.before_pct, november.expected_rate_pct) == (pytest.approx(5.33), pytest.approx(5.58))
    assert november.other_rule_change_bp == pytest.approx(25 * 30 / 29)


def test_cuts_convolve_like_hikes():
    first = date(2024, 8, 1)
    moves = {date(2024, 9, 18): -0.375, date(2024, 11, 7): -0.25, date(2024, 12, 18): -0.10}
    prices = lay_out(first, 5.33, moves, 6, r.DayRule.OLD_RATE)
    path = sure(r.fed_path(prices, moves, first, target=in_force(5.25, 5.5, first)))
    assert odds_of(path.meetings[0]) == {-50: 0.5, -25: 0.5}
    last = {one.low_pct: round(one.p, 6) for one in sure(path.meetings[2].probabilities) if one.p > 1e-6}
    assert last == {4.25: 0.2, 4.5: 0.5, 4.75: 0.3}


def test_a_move_between_meetings_is_taken_out_of_the_average_of_its_month():
    """March 2020: 50 bp on the 3rd, effective the 4th; the meeting of the 18th was still on the calendar."""
    moves = {date(2020, 3, 3): -0.5, date(2020, 3, 18): -0.6, date(2020, 4, 29): -0.1}
    first = date(2020, 3, 1)
    prices = lay_out(first, 1.58, moves, 2, r.DayRule.OLD_RATE)
    days = [first + timedelta(days=n) for n in range(10)]
    high = np.where(np.arange(10) < 3, 1.75, 1.25)
    target = r.Target(days_of(*days), high - 0.25, high)
    calendar = [date(2020, 1, 29), date(2020, 3, 18), date(2020, 4, 29)]
    for effr in (r.Fixing(date(2020, 3, 3), 1.58), r.Fixing(date(2020, 3, 9), 1.08)):
        path = sure(r.fed_path(prices, calendar, days[-1], target=target, effr=effr))
        march, april = path.meetings
        assert march.before_pct == pytest.approx(1.08)
        assert march.change_bp == pytest.approx(-60)
        assert april.change_bp == pytest.approx(-10)
        assert [one.low_pct for one in sure(march.probabilities)] == [0.25, 0.5]


def test_a_decision_is_open_on_its_evening_and_gone_when_the_range_after_it_is_known():
    first, meeting, later = date(2026, 7, 1), date(2026, 7, 29), date(2026, 9, 16)
    prices = lay_out(first, 3.63, {meeting: 0.25, later: 0.1}, 3, r.DayRule.OLD_RATE)
    calendar = [meeting, later]
    effr = r.Fixing(date(2026, 7, 28), 3.63)
    evening = sure(r.fed_path(prices, calendar, meeting, target=in_force(3.5, 3.75, meeting), effr=effr))
    assert [one.meeting for one in evening.meetings] == calendar
    assert sure(evening.meetings[1].cumulative_bp) == pytest.approx(35)
    days = [meeting, date(2026, 7, 30)]
    target = r.Target(days_of(*days), np.array([3.5, 3.75]), np.array([3.75, 4.0]))
    morning = sure(r.fed_path(prices, calendar, days[1], target=target, effr=effr))
    assert [one.meeting for one in morning.meetings] == [later]
    assert morning.start_pct == pytest.approx(3.88)
    assert sure(morning.meetings[0].cumulative_bp) == pytest.approx(10)
    assert (morning.low_pct, morning.high_pct) == (3.75, 4.0)
    # Without the range of the day after, the decision still is part of the path though no longer ahead.
    behind = sure(r.fed_path(prices, calendar, days[1], target=in_force(3.5, 3.75, meeting), effr=effr))
    assert [one.meeting for one in behind.meetings] == [later]
    assert sure(behind.meetings[0].cumulative_bp) == pytest.approx(35)
    assert sum(one.p * one.low_pct for one in behind.meetings[0].probabilities) == pytest.approx(3.5 + 0.35)


def test_without_a_range_rates_stand_and_odds_are_unknown():
    first = date(2024, 8, 1)
    moves = {date(2024, 9, 18): -0.3}
    prices = lay_out(first, 5.33, moves, 2, r.DayRule.OLD_RATE)
    before, on_the_day = (in_force(5.25, 5.5, last) for last in (date(2024, 6, 1), date(2024, 7, 31)))
    for target, word in ((None, "DFEDTARL"), (before, "2024-07-31"), (on_the_day, "2024-07-31")):
        path = sure(r.fed_path(prices, [date(2024, 7, 31), *moves], first, target=target))
        assert path.meetings[0].expected_rate_pct == pytest.approx(5.03)
        assert path.meetings[0].change_bp == pytest.approx(-30)
        assert word in why(path.meetings[0].probabilities)
        assert word in why(path.low_pct)


def test_without_a_price_of_its_month_a_meeting_is_unknown_and_the_path_goes_on():
    first = date(2024, 8, 1)
    moves = {date(2024, 9, 18): -0.5, date(2024, 11, 7): -0.25, date(2024, 12, 18): -0.25}
    prices = lay_out(first, 5.33, moves, 5, r.DayRule.OLD_RATE)
    del prices[date(2024, 11, 1)]
    path = sure(r.fed_path(prices, moves, first, target=in_force(5.25, 5.5, first)))
    september, november, december = path.meetings
    assert september.change_bp == pytest.approx(-50)
    assert "November 2024" in why(november.change_bp)
    assert "2024-11-07" in why(december.probabilities)
    del prices[date(2024, 10, 1)]
    no_pin = sure(r.fed_path(prices, moves, first, target=in_force(5.25, 5.5, first)))
    assert no_pin.meetings[0].change_bp == pytest.approx(-50)  # August still pins its start


def test_a_month_without_meeting_and_price_passes_the_rate_on():
    first = date(2024, 8, 1)
    prices = lay_out(first, 5.33, {date(2024, 9, 18): -0.5}, 2, r.DayRule.OLD_RATE)
    del prices[first]
    effr = r.Fixing(date(2024, 7, 31), 5.33)
    path = sure(r.fed_path(prices, [date(2024, 9, 18)], first, effr=effr))
    assert path.meetings[0].change_bp == pytest.approx(-50)
    assert "EFFR" not in why(path.meetings[0].probabilities)
    without = sure(r.fed_path(prices, [date(2024, 9, 18)], first))
    assert "effective fed funds rate is not known" in why(without.meetings[0].change_bp)


def test_an_effective_rate_after_an_open_decision_does_not_start_the_path():
    prices = {date(2026, 7, 1): 96.3}
    path = r.fed_path(
        prices, [date(2026, 7, 29), date(2026, 9, 16)], date(2026, 7, 31), effr=r.Fixing(date(2026, 7, 30), 3.9)
    )
    assert "already holds" in why(sure(path).start_pct)


def test_two_open_meetings_in_one_month_cannot_be_told_apart():
    calendar = [date(2024, 9, 4), date(2024, 9, 18), date(2024, 11, 7)]
    prices = {date(2024, m, 1): 94.7 for m in (8, 9, 10, 11)}
    path = sure(r.fed_path(prices, calendar, date(2024, 8, 1), target=in_force(5.25, 5.5, date(2024, 8, 1))))
    assert all("apart" in why(one.change_bp) for one in path.meetings[:2])
    assert path.meetings[2].change_bp == pytest.approx(0)
    assert "apart" in why(path.meetings[2].probabilities)


def test_without_meetings_or_prices_there_is_no_path():
    day = date(2024, 8, 1)
    assert "calendar" in why(r.fed_path({day: 94.7}, [], day))
    assert "calendar" in why(r.fed_path({day: 94.7}, [date(2024, 7, 31)], day))
    assert "August 2024" in why(r.fed_path({date(2024, 7, 1): 94.7}, [date(2024, 9, 18)], day))
    assert "August 2024" in why(r.fed_path({day: float("nan")}, [date(2024, 8, 20)], day))
    decided = in_force(5.25, 5.5, date(2024, 9, 19))
    assert "calendar ends" in why(r.fed_path({day: 94.7}, [date(2024, 9, 18)], day, target=decided))


def test_the_symbol_of_a_month():
    assert r.zq_symbol(date(2026, 9, 1)) == "ZQU26.CBT"
    assert [r.zq_symbol(date(2027, m, 1))[2] for m in range(1, 13)] == list(MONTH_CODES)


# --- settlements that do not move


@pytest.fixture(scope="module")
def settled_2026(real_data: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_csv(real_data / "zq-fedwatch" / "zq-settle-yahoo-2026.csv")
    wide = frame[frame["month"].isin(["2026-09", "2026-10", "2026-12"])].pivot_table(
        index="date", columns="month", values="settlement"
    )
    return wide.index.to_numpy(dtype="datetime64[D]"), wide.to_numpy()


def test_settlements_stuck_in_august_2026_are_flagged_beside_a_strip_that_moved(settled_2026, strips_2026):
    days, values = settled_2026
    other = strips_2026[["ZQU26", "ZQV26", "ZQZ26"]]
    beside = (other.index.to_numpy(dtype="datetime64[D]"), other.to_numpy())
    found = r.stuck(days, values, beside)
    assert found is not None
    assert (found.since, found.rows) == (date(2026, 8, 3), 15)
    assert found.gap == pytest.approx(np.abs(values[-1] - other.iloc[-1].to_numpy()).max())
    common = days[np.isin(days, beside[0]) & np.is_busday(days)]
    apart = values[np.isin(days, common)] - beside[1][np.isin(beside[0], common)]
    assert np.abs(apart).max() == pytest.approx(0.145, abs=1e-3)
    assert r.stuck(*beside, (days, values)) is None
    alone = r.stuck(days, values)
    assert alone is not None
    assert "no other strip" in why(alone.gap)
    third_day = days <= np.datetime64("2026-08-05")
    assert r.stuck(days[third_day], values[third_day]) is None
    early = r.stuck(days[third_day], values[third_day], beside)
    assert early is not None
    assert early.rows == 3


def test_a_market_that_stands_still_is_not_stuck():
    days = days_of(*(date(2026, 8, 3) + timedelta(days=n) for n in range(12)))
    still, moving = np.full(12, 96.3), np.linspace(96.3, 96.4, 12)
    assert r.stuck(days, still, (days, still)) is None
    assert r.stuck(days, moving) is None
    assert r.stuck(days[:0], still[:0]) is None
    flat = r.stuck(days, still)
    assert flat is not None
    assert flat.rows == 10  # two of the twelve days are a weekend
    elsewhere = r.stuck(days, still, (days - 100, moving))
    assert elsewhere is not None
    assert "on these days" in why(elsewhere.gap)


# --- the 2-year yield: figures of METHODS 4


@pytest.fixture(scope="module")
def dgs2(real_data: Path) -> tuple[np.ndarray, np.ndarray]:
    column = pd.read_csv(real_data / "rates-fed" / "fred-rates-1976-2026.csv", index_col=0)["DGS2"].dropna()
    return column.index.to_numpy(dtype="datetime64[D]"), column.to_numpy()


@pytest.fixture(scope="module")
def moves(both, dgs2) -> r.RateMoves:
    return r.rate_moves(both, *dgs2)


@pytest.fixture(scope="module")
def cpi(both, dgs2):
    return sure(r.two_year(both.until(CPI_DAY), *dgs2))


def test_the_two_year_on_the_cpi_day(cpi):
    assert (cpi.date, cpi.two_year_date, cpi.two_year_pct) == (CPI_DAY, CPI_DAY, 4.50)
    assert cpi.change_bp == pytest.approx(-12)
    assert cpi.slope.beta == pytest.approx(-3.844, rel=1e-3)
    assert cpi.slope.se == pytest.approx(1.024, rel=1e-3)
    assert cpi.slope.r2 == pytest.approx(0.063, abs=5e-4)
    assert cpi.slope.n == 252
    assert cpi.slope.clear
    assert (cpi.first, cpi.last) == (date(2023, 7, 10), date(2024, 7, 10))
    assert cpi.spread_bp == pytest.approx(581.6, abs=0.05)
    share = cpi.attribution
    assert share.bp == pytest.approx(46.13, abs=0.01)
    assert share.share == pytest.approx(0.0793, abs=1e-4)
    assert (share.low_bp, share.high_bp) == (pytest.approx(22.05, abs=0.02), pytest.approx(70.21, abs=0.02))
    assert (share.share_low, share.share_high) == (
        pytest.approx(0.0379, abs=1e-4),
        pytest.approx(0.1207, abs=1e-4),
    )


def test_the_slope_equals_statsmodels_on_pandas_columns(index_frame, dgs2, cpi):
    import statsmodels.api as sm

    frame = index_frame.dropna()
    spread = 1e4 * (frame["rut"].pct_change(fill_method=None) - frame["ndx"].pct_change(fill_method=None))
    level = pd.Series(dgs2[1], pd.DatetimeIndex(dgs2[0]))
    change = 100 * level[level.index.isin(frame.index)].diff()
    both = pd.DataFrame({"spread": spread, "change": change}).dropna().loc[:"2024-07-10"].iloc[-252:]
    fit = sm.OLS(both["spread"], sm.add_constant(both["change"])).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
    assert cpi.slope.beta == pytest.approx(fit.params["change"], rel=1e-9)
    assert cpi.slope.se == pytest.approx(fit.bse["change"], rel=1e-9)
    assert cpi.slope.r2 == pytest.approx(fit.rsquared, rel=1e-9)


def test_the_sign_of_the_slope_changes_from_year_to_year(moves, cpi):
    import statsmodels.api as sm

    years = {one.year: one.slope for one in cpi.years}
    assert list(years) == list(range(1987, 2025))
    negative, positive = cpi.years_by_sign
    assert negative + positive == 38
    assert min(negative, positive) >= 8
    assert all(clear <= every for clear, every in zip(cpi.clear_years_by_sign, cpi.years_by_sign, strict=True))
    assert min(cpi.clear_years_by_sign) >= 1
    for year in (1994, 2008, 2023):
        rows = moves.days.astype("datetime64[Y]") == np.datetime64(str(year))
        design = sm.add_constant(moves.change_bp[rows])
        fit = sm.OLS(moves.spread_bp[rows], design).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
        assert years[year].beta == pytest.approx(fit.params[1], rel=1e-9)
        assert years[year].se == pytest.approx(fit.bse[1], rel=1e-9)
        assert years[year].n == rows.sum()


def test_the_slope_through_time_is_the_slope_of_each_window(moves, cpi):
    history = r.slope_history(moves)
    assert len(history.days) == len(moves) - 251
    at = int(np.searchsorted(history.days, np.datetime64("2024-07-10")))
    assert history.days[at] == np.datetime64("2024-07-10")
    assert (history.beta[at], history.se[at]) == (pytest.approx(cpi.slope.beta), pytest.approx(cpi.slope.se))
    for row in (0, 1023, 1024, len(history.days) - 1):
        beta, se, _ = r.newey_west(moves.change_bp[row : row + 252], moves.spread_bp[row : row + 252])
        assert (history.beta[row], history.se[row]) == (pytest.approx(beta), pytest.approx(se))
    assert not len(r.slope_history(replace_rows(moves, 100)).days)
    with pytest.raises(ValueError, match="window = 2"):
        r.slope_history(moves, 2)


def replace_rows(moves: r.RateMoves, n: int) -> r.RateMoves:
    return r.RateMoves(moves.days[:n], moves.spread_bp[:n], moves.change_bp[:n])


def test_sessions_without_a_yield_are_exactly_the_bond_holidays(dgs2):
    sessions = NYSE.days(date(1987, 9, 10), date(2026, 8, 20))
    without = np.setdiff1d(sessions, dgs2[0]).tolist()
    assert without == [day for day in sessions.tolist() if r.is_bond_holiday(day)]


# --- the 2-year yield: alignment, unknowns, properties


def made_pair(rut, ndx, days, sessions=None) -> PairSeries:
    return pair(Closes("RUT", days, np.asarray(rut, float)), Closes("NDX", days, np.asarray(ndx, float)), sessions)


def walk(seed: int, n: int = 320) -> tuple[PairSeries, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    days = NYSE.days(date(2018, 1, 2), date(2020, 12, 31))[:n]
    rut, ndx = 100 * np.exp(np.cumsum(rng.normal(0, 0.012, (2, n)), axis=1))
    return made_pair(rut, ndx, days), days, 3 + np.cumsum(rng.normal(0, 0.05, n))


def test_a_change_runs_over_a_bond_holiday_but_over_no_other_missing_day():
    days = days_of(
        "2023-10-05", "2023-10-06", "2023-10-09", "2023-10-10", "2023-10-11", "2023-10-12", "2023-10-13"
    )
    series = made_pair([100, 101, 102, 103, 104, 105, 106], [100] * 7, days)
    level = np.array([5.0, 5.1, np.nan, 4.9, np.nan, 4.8, 4.85])
    found = r.rate_moves(series, days, level)
    # The holiday 10-09 has no change, 10-10 the one since Friday; 10-11 lacks a yield, so 10-12 has no change.
    assert found.days.tolist() == [date(2023, 10, 6), date(2023, 10, 10), date(2023, 10, 13)]
    np.testing.assert_allclose(found.change_bp, [10, -20, 5])
    np.testing.assert_allclose(found.spread_bp, [100, 1e4 * (103 / 102 - 1), 1e4 * (106 / 105 - 1)])


def test_a_yield_on_a_day_without_session_is_no_step():
    """Good Friday 2023: bonds traded on the employment report, shares did not."""
    days = days_of("2023-04-05", "2023-04-06", "2023-04-10")
    series = made_pair([100, 101, 102], [100, 100, 100], days)
    found = r.rate_moves(
        series, days_of("2023-04-05", "2023-04-06", "2023-04-07", "2023-04-10"), np.array([3.8, 3.82, 3.97, 3.99])
    )
    np.testing.assert_allclose(found.change_bp, [2, 17])


def test_a_session_without_closes_leaves_out_the_day_after_it():
    sessions = NYSE.days(date(2023, 3, 1), date(2023, 3, 10))
    days = sessions[sessions != np.datetime64("2023-03-07")]
    series = made_pair(np.linspace(100, 110, len(days)), [100] * len(days), days, sessions)
    found = r.rate_moves(series, sessions, np.linspace(4, 5, len(sessions)))
    assert np.datetime64("2023-03-08") not in found.days
    assert len(found) == len(days) - 2
    last = sure(r.two_year(series.until(date(2023, 3, 8)), sessions, np.linspace(4, 5, len(sessions))))
    assert "2023-03-07" in why(last.spread_bp)
    assert last.change_bp == pytest.approx(100 / (len(sessions) - 1))
    assert "252" in why(last.slope.beta)
    assert last.slope.n == 3


def test_before_its_evening_the_yield_of_the_day_explains_nothing_yet(both, dgs2, cpi):
    days, level = dgs2
    known = days <= np.datetime64("2024-07-10")
    found = sure(r.two_year(both.until(CPI_DAY), days[known], level[known]))
    assert (found.two_year_pct, found.two_year_date) == (4.62, date(2024, 7, 10))
    assert "2024-07-11 is not published yet" in why(found.change_bp)
    assert "not published" in why(found.attribution.bp)
    assert found.slope == cpi.slope


def test_a_bond_holiday_has_no_attribution(both, dgs2):
    found = sure(r.two_year(both.until(date(2023, 10, 9)), *dgs2))
    assert "closed" in why(found.change_bp)
    assert found.two_year_date == date(2023, 10, 6)


def test_without_yields_or_closes_all_is_unknown(both):
    none = np.empty(0)
    found = sure(r.two_year(both.until(CPI_DAY), none.astype("datetime64[D]"), none))
    assert all("DGS2" in why(one) for one in (found.two_year_pct, found.change_bp))
    assert found.slope.n == 0
    assert found.years == ()
    assert (found.first, found.last) == (None, None)
    assert "both" in why(r.two_year(both.until(date(1900, 1, 1)), none.astype("datetime64[D]"), none))
    first_day = sure(r.two_year(both.until(date(1987, 9, 10)), none.astype("datetime64[D]"), none))
    assert "two days" in why(first_day.spread_bp)


def test_attribution_by_hand_and_its_unknowns():
    slope = r.Slope(-4.0, 1.0, 0.1, 252)
    found = r.attribution(slope, -10.0, 200.0)
    assert (found.bp, found.share) == (40.0, 0.2)
    assert found.low_bp == pytest.approx(20.40036)
    assert found.high_bp == pytest.approx(59.59964)
    against = r.attribution(slope, -10.0, -200.0)
    assert against.share == -0.2
    assert against.share_low == pytest.approx(-0.2 - 19.59964 / 200)
    assert sure(against.share_low) < sure(against.share_high)
    assert "zero" in why(r.attribution(slope, -10.0, 0.0).share)
    assert r.attribution(slope, -10.0, 0.0).bp == 40.0
    assert why(r.attribution(slope, -10.0, Unknown("hole")).share) == "hole"
    assert why(r.attribution(slope, Unknown("none"), 1.0).bp) == "none"
    assert not r.Slope(Unknown("few"), Unknown("few"), Unknown("few"), 3).clear
    assert not r.Slope(-1.0, 1.0, 0.0, 252).clear


def test_a_yield_that_never_moves_has_no_slope():
    series, days, _ = walk(1)
    found = sure(r.two_year(series, days, np.full(len(days), 0.25)))
    assert "never moved" in why(found.slope.beta)
    assert found.slope.n == 252
    assert "never moved" in why(found.attribution.bp)


def test_a_year_with_few_days_has_no_slope():
    series, days, level = walk(3, n=280)
    found = sure(r.two_year(series, days, level))
    assert [one.year for one in found.years] == [2018, 2019]
    assert "60 days" in why(found.years[1].slope.beta)
    assert found.years[1].slope.n == 29


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(8, 80), lags=st.integers(0, 5))
def test_newey_west_equals_statsmodels(seed, n, lags):
    import statsmodels.api as sm

    x, y = np.random.default_rng(seed).normal(size=(2, n))
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    beta, se, r2 = r.newey_west(x, y, lags)
    assert beta == pytest.approx(fit.params[1], rel=1e-8)
    assert se == pytest.approx(fit.bse[1], rel=1e-8)
    assert r2 == pytest.approx(fit.rsquared, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 10), shift=st.floats(-100, 100))
def test_the_slope_scales_with_its_units_and_ignores_levels(seed, scale, shift):
    x, y = np.random.default_rng(seed).normal(size=(2, 60))
    beta, se, r2 = r.newey_west(x, y)
    for a, b, factor in ((scale * x, y, 1 / scale), (x, scale * y, scale), (x + shift, y - shift, 1.0)):
        found = r.newey_west(a, b)
        assert found[0] == pytest.approx(beta * factor, rel=1e-6, abs=1e-9)
        assert found[1] == pytest.approx(se * factor, rel=1e-6)
        assert found[2] == pytest.approx(r2, rel=1e-6, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(270, 310))
def test_later_data_and_the_order_of_rows_change_nothing(seed, cut):
    series, days, level = walk(seed)
    day = series.day(cut)
    order = np.random.default_rng(seed).permutation(len(days))
    until = series.until(day)
    plain = r.two_year(until, days[: cut + 1], level[: cut + 1])
    assert r.two_year(until, days, level) == plain
    assert r.two_year(until, days[order], level[order]) == plain
    changed = level.copy()
    changed[cut] += 1.0
    assert sure(r.two_year(until, days, changed)).slope == sure(plain).slope
