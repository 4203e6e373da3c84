"""Divergence figures of METHODS 2 on real closes and bars; which instrument drives, and what refuses to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import divergence as d
from desktop.analytics.ratio import PairSeries, pair
from desktop.market.instruments import Kind, Leg
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import Phase, Session

CPI_DAY = date(2024, 7, 11)
NOON = datetime(2024, 7, 11, 16, 0, tzinfo=UTC)


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def made_pair(rut, ndx, days=None, sessions=None) -> PairSeries:
    if days is None:
        days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + len(rut))
    return pair(Closes("RUT", days, np.asarray(rut, float)), Closes("NDX", days, np.asarray(ndx, float)), sessions)


def walk(seed: int, n: int = 400) -> PairSeries:
    rut, ndx = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.012, (2, n)), axis=1))
    return made_pair(rut, ndx)


# --- daily: the figures of 2024-07-11


@pytest.fixture(scope="module")
def cpi_day(both, daily_bars):
    rut, ndx = daily_bars
    return sure(d.divergence_stats(both.until(CPI_DAY), rut_bars=rut, ndx_bars=ndx))


def test_the_moves_of_the_cpi_day(cpi_day):
    assert cpi_day.date == CPI_DAY
    assert cpi_day.spread_pp == pytest.approx(5.816, abs=5e-4)
    assert cpi_day.rut_pct == pytest.approx(3.572, abs=5e-4)
    assert cpi_day.ndx_pct == pytest.approx(-2.244, abs=5e-4)
    assert cpi_day.from_open_pp == pytest.approx(4.260, abs=5e-4)
    assert cpi_day.driver == "index"
    assert isinstance(cpi_day.rut_age_s, Unknown)


def test_the_cpi_day_is_the_second_largest_not_the_largest(cpi_day):
    assert cpi_day.rank == d.Rank(2, 9280)
    assert cpi_day.rank_abs == d.Rank(12, 9280)
    assert cpi_day.n_days == 9280
    assert cpi_day.since == date(1987, 9, 11)
    assert (cpi_day.largest[0].date, cpi_day.largest[1].date) == (date(2002, 7, 25), CPI_DAY)
    assert cpi_day.largest[0].spread_pp == pytest.approx(5.885, abs=5e-4)


def test_the_cpi_day_in_units_of_the_days_before(cpi_day):
    assert cpi_day.z60 == pytest.approx(6.83, abs=5e-3)
    assert cpi_day.z252 == pytest.approx(5.80, abs=5e-3)
    assert sure(cpi_day.normalised).z60_rank.rank == 1


def test_the_twenty_extremes_equal_the_reference_table(both, real_data: Path):
    table = pd.read_csv(real_data / "reference-values" / "top-20-daily-divergences.csv")
    largest, smallest = d.extremes(d.daily_moves(both))
    for side, rows in (("rut_outperforms", largest), ("ndx_outperforms", smallest)):
        expected = table[table["side"] == side]
        assert [str(row.date) for row in rows] == expected["date"].tolist()
        np.testing.assert_allclose([row.spread_pp for row in rows], expected["spread_pp"], atol=1e-5)


def test_moves_scores_and_residual_equal_pandas(both, index_frame):
    import statsmodels.api as sm

    frame = index_frame.dropna()
    moves = frame.pct_change(fill_method=None).iloc[1:] * 100
    spread = moves["rut"] - moves["ndx"]
    ours = d.daily_moves(both)
    np.testing.assert_allclose(ours.spread_pp, spread, atol=1e-9)
    five = (frame["rut"].pct_change(5) - frame["ndx"].pct_change(5)).iloc[1:] * 100
    np.testing.assert_allclose(ours.five_day_pp, five, atol=1e-9)
    for window in (60, 252):
        expected = spread / spread.rolling(window).std().shift(1)
        np.testing.assert_allclose(d.score_history(ours, window), expected, rtol=1e-7)
    found = sure(d.normalised(ours))
    fit = sm.OLS(moves["rut"].iloc[-253:-1], sm.add_constant(moves["ndx"].iloc[-253:-1])).fit()
    residual = moves["rut"].iloc[-1] - fit.params["ndx"] * moves["ndx"].iloc[-1]
    assert found.beta == pytest.approx(fit.params["ndx"], rel=1e-9)
    assert found.residual_pp == pytest.approx(residual, rel=1e-9)
    assert found.residual_z == pytest.approx(residual / np.sqrt(fit.mse_resid), rel=1e-9)


def test_no_rank_from_the_open_before_2007(daily_bars):
    rut, ndx = daily_bars
    for early in (d.from_open(rut, ndx, date(2006, 12, 29)), d.from_open_rank(rut, ndx, date(2006, 12, 29))):
        assert isinstance(early, Unknown)
        assert "2007" in early.reason
    ranked = sure(d.from_open_rank(rut, ndx, CPI_DAY))
    first = np.datetime64("2007-01-01")
    assert ranked.n == np.count_nonzero((rut.days >= first) & (rut.days <= np.datetime64(CPI_DAY)))


# --- daily: ranks, conditions, holes


def test_rank_is_the_strictly_larger_plus_one():
    assert d.rank_of(2.0, np.array([3.0, 2.0, 1.0, np.nan])) == d.Rank(2, 4)
    assert d.rank_of(9.0, np.array([])) == d.Rank(1, 1)


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_ranks_follow_their_definition(values):
    found = d.rank_of(values[-1], np.array(values[:-1], dtype=float))
    assert found.rank == sorted(values, reverse=True).index(values[-1]) + 1
    assert found.n == len(values)


def test_conditional_ranks_count_only_days_of_their_kind():
    series = made_pair([100, 101, 103, 103, 104, 106], [100, 99, 100, 98, 99, 98])
    moves = d.daily_moves(series)
    ranks = d.conditional_ranks(moves, np.array(["2020-01-02", "2020-01-06"], dtype="datetime64[D]"))
    expected = pd.Series(moves.spread_pp)
    assert ranks["all"] == d.Rank(int((expected > expected.iloc[-1]).sum()) + 1, 5)
    assert sure(ranks["same_release"]).n == 2
    assert sure(ranks["ndx_down"]).n == 3
    elsewhere = d.conditional_ranks(moves, np.array(["2020-01-02"], dtype="datetime64[D]"))
    assert isinstance(elsewhere["same_release"], Unknown)
    assert isinstance(d.conditional_ranks(moves)["same_release"], Unknown)
    assert isinstance(d.conditional_ranks(d.daily_moves(series.until(date(2020, 1, 3))))["ndx_down"], Unknown)


def test_a_move_across_a_missing_session_is_left_out_and_told():
    sessions = np.arange(np.datetime64("2026-08-17"), np.datetime64("2026-09-05"))
    sessions = sessions[np.is_busday(sessions)]
    days = sessions[sessions != np.datetime64("2026-08-28")]
    levels = np.linspace(100, 130, len(days))
    series = made_pair(levels, levels[::-1], days, sessions)
    moves = d.daily_moves(series)
    assert moves.holes.tolist() == [date(2026, 8, 31)]
    assert np.datetime64("2026-08-31") not in moves.days
    place = {str(day): i for i, day in enumerate(moves.days)}
    assert np.isfinite(moves.five_day_pp[place["2026-08-27"]])
    assert np.isnan(moves.five_day_pp[place["2026-09-04"]])
    on_the_day = sure(d.divergence_stats(series.until(date(2026, 8, 31))))
    assert on_the_day.date == date(2026, 8, 31)
    for number in (on_the_day.spread_pp, on_the_day.rank, on_the_day.z60, on_the_day.five_day_pp):
        assert isinstance(number, Unknown)
        assert "2026-08-28" in number.reason


def test_a_live_spread_becomes_the_last_day(both):
    before = both.until(date(2024, 7, 10))
    now = d.SpreadNow(3.572075, -2.244319, 5.816394, d.Reference.PRIOR_CLOSE, "future", "", 1.0, 2.0, NOON)
    found = sure(d.divergence_stats(before, live=(CPI_DAY, now), from_open_live_pp=4.2))
    assert found.spread_pp == pytest.approx(5.816394, abs=1e-9)
    assert sure(found.rank).rank == 2
    assert (found.driver, found.rut_age_s, found.from_open_pp) == ("future", 1.0, 4.2)
    assert found.z60 == pytest.approx(6.83, abs=5e-3)
    official = sure(d.divergence_stats(both.until(CPI_DAY)))
    again = sure(d.divergence_stats(both.until(CPI_DAY), live=(CPI_DAY, now)))
    assert again.five_day_pp == pytest.approx(official.five_day_pp, abs=1e-4)
    with pytest.raises(ValueError, match="prior close"):
        wrong = d.SpreadNow(1.0, 0.0, 1.0, d.Reference.OPEN, "etf", "", 0.0, 0.0, NOON)
        d.divergence_stats(before, live=(CPI_DAY, wrong))


def test_short_history_says_what_is_missing():
    one = made_pair([1.0], [1.0])
    assert isinstance(d.divergence_stats(one), Unknown)
    assert isinstance(d.rank_today(d.daily_moves(one)), Unknown)
    few = sure(d.divergence_stats(walk(1, 10)))
    assert isinstance(few.z60, Unknown)
    assert isinstance(sure(few.normalised).beta, Unknown)
    assert isinstance(few.from_open_pp, Unknown)
    still = sure(d.divergence_stats(made_pair(np.ones(300), np.ones(300))))
    assert isinstance(still.z252, Unknown)
    assert isinstance(sure(still.normalised).residual_z, Unknown)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(300, 398))
def test_what_comes_after_as_of_changes_nothing(seed, cut):
    series, other = walk(seed), walk(seed + 5000)
    last = series.day(cut - 1)
    changed = made_pair(
        *(np.append(getattr(series, leg)[:cut], getattr(other, leg)[cut:]) for leg in ("rut", "ndx"))
    )
    first, second = (sure(d.divergence_stats(one.until(last))) for one in (series, changed))
    for field in (
        "spread_pp",
        "rank",
        "rank_abs",
        "z60",
        "z252",
        "normalised",
        "five_day_pp",
        "largest",
        "smallest",
    ):
        assert getattr(first, field) == getattr(second, field)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_score_is_measured_on_the_days_before_alone(seed):
    moves = d.daily_moves(walk(seed))
    score = d.score_history(moves, 60)
    assert score[-1] * np.std(moves.spread_pp[-61:-1], ddof=1) == pytest.approx(moves.spread_pp[-1], rel=1e-7)


# --- which instrument drives


def tick(
    leg: Leg, kind: Kind, age_s: float, price: float = 101.0, reference: float | Unknown = 100.0
) -> d.LegTick:
    return d.LegTick(leg, f"{kind}-{leg}", kind, price, NOON - timedelta(seconds=age_s), reference)


def legs(kind: Kind, rut_age_s: float, ndx_age_s: float) -> list[d.LegTick]:
    return [tick(Leg.RUT, kind, rut_age_s), tick(Leg.NDX, kind, ndx_age_s)]


EVERYTHING = [*legs(Kind.INDEX, 1, 2), *legs(Kind.ETF, 3, 4), *legs(Kind.FUTURE, 5, 6)]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(Phase.REGULAR, "index"), (Phase.PRE, "future"), (Phase.POST, "future"), (Phase.CLOSED, "future")],
)
def test_the_session_decides_which_kind_drives(phase, expected):
    driver = sure(d.choose_driver(EVERYTHING, phase, NOON))
    assert driver.kind == expected
    assert driver.proxy is (expected != "index")
    assert driver.passed_over == ()


def test_before_the_open_etfs_drive_where_futures_are_missing():
    driver = sure(d.choose_driver(legs(Kind.ETF, 3, 9), Phase.PRE, NOON))
    assert (driver.kind, driver.rut_age_s, driver.ndx_age_s, driver.gap_s) == ("etf", 3, 9, 6)
    assert driver.passed_over == ("future: no price of RUT and NDX",)


def test_a_late_leg_is_refused_with_its_delay():
    found = d.choose_driver(legs(Kind.INDEX, 900, 0), Phase.REGULAR, NOON)
    assert isinstance(found, Unknown)
    assert "index: RUT 15 min late" in found.reason
    other = d.choose_driver(legs(Kind.FUTURE, 0, 600), Phase.PRE, NOON)
    assert isinstance(other, Unknown)
    assert "future: NDX 10 min late" in other.reason


@pytest.mark.parametrize(("gap_s", "chosen"), [(60, True), (60.5, False)])
def test_the_limit_between_the_legs_is_sixty_seconds(gap_s, chosen):
    found = d.choose_driver(legs(Kind.FUTURE, gap_s, 0), Phase.PRE, NOON)
    assert isinstance(found, Unknown) is not chosen
    assert isinstance(sure(d.choose_driver(legs(Kind.FUTURE, 61, 0), Phase.PRE, NOON, max_leg_gap_s=61)), d.Driver)


def test_a_late_index_gives_way_to_futures_and_says_so():
    driver = sure(d.choose_driver([*legs(Kind.INDEX, 900, 0), *legs(Kind.FUTURE, 1, 1)], Phase.REGULAR, NOON))
    assert driver.kind == "future"
    assert driver.passed_over == ("index: RUT 15 min late",)


def test_index_with_etf_is_the_last_resort_and_labelled_mixed():
    ticks = [tick(Leg.RUT, Kind.INDEX, 2), tick(Leg.NDX, Kind.ETF, 1)]
    driver = sure(d.choose_driver(ticks, Phase.REGULAR, NOON))
    assert (driver.kind, driver.proxy) == ("mixed", True)
    assert driver.label == "mixed index-rut / etf-ndx"
    assert isinstance(d.choose_driver(ticks, Phase.PRE, NOON), Unknown)


def test_old_future_dated_or_reference_less_ticks_do_not_drive():
    stale = d.choose_driver(legs(Kind.FUTURE, 7200, 7200), Phase.PRE, NOON)
    assert isinstance(stale, Unknown)
    assert "future: last traded 2 h ago" in stale.reason
    assert isinstance(d.choose_driver(legs(Kind.FUTURE, -5, -5), Phase.PRE, NOON), Unknown)
    bare = [tick(Leg.RUT, Kind.ETF, 0, reference=Unknown("no close of 2024-07-10")), tick(Leg.NDX, Kind.ETF, 0)]
    found = d.choose_driver(bare, Phase.PRE, NOON)
    assert isinstance(found, Unknown)
    assert "RUT has no reference: no close of 2024-07-10" in found.reason


def test_of_two_ticks_of_a_leg_the_later_counts():
    ticks = [*legs(Kind.FUTURE, 50, 0), tick(Leg.RUT, Kind.FUTURE, 1, price=105.0)]
    driver = sure(d.choose_driver(ticks, Phase.PRE, NOON))
    assert (driver.rut.price, driver.rut_age_s) == (105.0, 1)


def test_spread_now_is_the_difference_of_simple_moves():
    ticks = [tick(Leg.RUT, Kind.FUTURE, 3, 103.0), tick(Leg.NDX, Kind.FUTURE, 8, 98.0)]
    now = sure(d.spread_now(d.choose_driver(ticks, Phase.PRE, NOON), d.Reference.RELEASE))
    assert (now.rut_pct, now.ndx_pct, now.spread_pp) == pytest.approx((3.0, -2.0, 5.0))
    assert (now.driver, now.rut_age_s, now.ndx_age_s) == ("future", 3, 8)
    assert now.at == NOON - timedelta(seconds=8)
    assert d.spread_now(Unknown("why"), d.Reference.OPEN) == Unknown("why")


def test_a_declared_delay_counts_as_age():
    quote = Quote("RTY=F", 100.0, NOON, NOON, "yahoo", declared_delay_s=600.0)
    assert d.LegTick.of(Leg.RUT, Kind.FUTURE, quote, 99.0).age_s(NOON) == 600.0


def test_truth_check_warns_where_index_and_etf_disagree():
    ticks = [
        tick(Leg.RUT, Kind.INDEX, 1, 101.0), tick(Leg.RUT, Kind.ETF, 2, 101.4),
        tick(Leg.NDX, Kind.INDEX, 1, 99.0), tick(Leg.NDX, Kind.ETF, 2, 99.1),
    ]  # fmt: skip
    found = d.truth_check(ticks, NOON)
    assert [row.kind for row in found.rows] == [Kind.INDEX, Kind.ETF]
    assert found.rows[0].spread_pp == pytest.approx(2.0)
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("RUT: index-rut +1.00 % and etf-rut +1.40 %")
    assert d.truth_check(ticks, NOON, threshold_pp=0.5).warnings == ()


def test_truth_check_compares_only_what_traded_together():
    ticks = [*legs(Kind.INDEX, 900, 0), *legs(Kind.ETF, 0, 600)]
    found = d.truth_check(ticks, NOON)
    assert found.warnings == ("nothing to compare with: no second instrument of a leg traded at the same time",)
    assert isinstance(found.rows[0].spread_pp, Unknown)


# --- references

SESSION = Session(
    CPI_DAY, datetime(2024, 7, 11, 13, 30, tzinfo=UTC), datetime(2024, 7, 11, 20, 0, tzinfo=UTC), False
)
RELEASE = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)


def bars(start: datetime, closes, interval: Interval = Interval.MINUTE, missing=()) -> Bars:
    first = int(start.timestamp())
    keep = [i for i in range(len(closes)) if i not in missing]
    close = np.array(closes, dtype=float)[keep]
    starts = first + interval.seconds * np.array(keep)
    return Bars("X", interval, starts, close * 0.9, close * 1.1, close * 0.8, close, np.zeros(len(keep)))


def history(leg: Leg, **known: Any) -> d.LegHistory:
    return d.LegHistory(leg, f"F-{leg}", Kind.FUTURE, **known)


def references(
    reference: d.Reference, rut: d.LegHistory, ndx: d.LegHistory, **more: Any
) -> d.References | Unknown:
    return d.reference_prices(reference, rut, ndx, session=SESSION, previous_session=date(2024, 7, 10), **more)


def test_the_prior_close_is_that_of_the_session_before_and_of_no_other():
    days = np.array(["2024-07-09", "2024-07-10"], dtype="datetime64[D]")
    full, short = Closes("F", days, np.array([1.0, 2.0])), Closes("F", days[:1], np.array([1.0]))
    found = sure(references(d.Reference.PRIOR_CLOSE, history(Leg.RUT, closes=full), history(Leg.NDX, closes=full)))
    assert (found.rut, found.ndx) == (2.0, 2.0)
    gone = references(d.Reference.PRIOR_CLOSE, history(Leg.RUT, closes=full), history(Leg.NDX, closes=short))
    assert gone == Unknown("F-ndx has no close of 2024-07-10, the session before 2024-07-11")


def test_the_open_is_the_first_bars_and_a_late_one_is_refused():
    on_time, late = bars(SESSION.open, [10, 11, 12]), bars(SESSION.open + timedelta(minutes=80), [10, 11])
    found = sure(references(d.Reference.OPEN, history(Leg.RUT, bars=on_time), history(Leg.NDX, bars=on_time)))
    assert (found.rut, found.rut_at) == (9.0, SESSION.open)
    gone = references(d.Reference.OPEN, history(Leg.RUT, bars=on_time), history(Leg.NDX, bars=late))
    assert gone == Unknown("first bar of F-ndx starts 80 min after the open")
    early = bars(SESSION.open - timedelta(minutes=5), [1, 2])
    assert isinstance(references(d.Reference.OPEN, history(Leg.RUT, bars=early), history(Leg.NDX)), Unknown)


def test_the_release_reference_is_the_last_trade_a_second_before():
    def quote(seconds: float, price: float) -> Quote:
        return Quote("F", price, RELEASE + timedelta(seconds=seconds), RELEASE, "test")

    quotes = (quote(-30, 1.0), quote(-1, 2.0), quote(-0.5, 3.0), quote(0, 4.0))
    minute = bars(RELEASE - timedelta(minutes=3), [7, 8, 9, 99])
    rut, ndx = history(Leg.RUT, quotes=quotes), history(Leg.NDX, bars=minute)
    found = sure(references(d.Reference.RELEASE, rut, ndx, release=RELEASE))
    assert (found.rut, found.rut_at) == (2.0, RELEASE - timedelta(seconds=1))
    assert (found.ndx, found.ndx_at) == (9.0, RELEASE - timedelta(seconds=1))


def test_a_stale_trade_is_no_release_reference():
    old = history(Leg.RUT, bars=bars(RELEASE - timedelta(hours=2), [7, 8]))
    found = references(d.Reference.RELEASE, old, history(Leg.NDX), release=RELEASE)
    assert found == Unknown("last trade of F-rut before the release is 2 h old")
    bare = references(d.Reference.RELEASE, history(Leg.RUT), history(Leg.NDX), release=RELEASE)
    assert bare == Unknown("no trade of F-rut before 12:30 UTC")


def test_references_of_two_kinds_are_refused():
    etf = d.LegHistory(Leg.NDX, "QQQ", Kind.ETF)
    with pytest.raises(ValueError, match="one kind"):
        references(d.Reference.OPEN, history(Leg.RUT), etf)
    with pytest.raises(ValueError, match="time of the release"):
        references(d.Reference.RELEASE, history(Leg.RUT), history(Leg.NDX))


# --- through the session


def test_a_missing_minute_is_a_hole_on_the_path():
    rut = bars(SESSION.open, [101, 102, 103, 104], missing=[1])
    ndx = bars(SESSION.open + timedelta(minutes=1), [99, 98, 97, 96])
    path = d.intraday_path(rut, ndx, 100.0, 100.0)
    np.testing.assert_array_equal(path.end_s - int(SESSION.open.timestamp()), [60, 120, 180, 240, 300])
    np.testing.assert_allclose(path.rut_pct, [1, np.nan, 3, 4, np.nan])
    np.testing.assert_allclose(path.ndx_pct, [np.nan, -1, -2, -3, -4])
    np.testing.assert_allclose(path.spread_pp, [np.nan, np.nan, 5, 7, np.nan])


def test_paths_need_equal_bars_and_real_references():
    minute, five = bars(SESSION.open, [1, 2]), bars(SESSION.open, [1, 2], Interval.FIVE_MINUTES)
    with pytest.raises(ValueError, match="1m and 5m"):
        d.intraday_path(minute, five, 1.0, 1.0)
    with pytest.raises(ValueError, match="above zero"):
        d.intraday_path(minute, minute, 0.0, 1.0)
    empty = bars(SESSION.open, [])
    assert len(d.intraday_path(empty, empty, 1.0, 1.0)) == 0


def sessions_between(first: str, last: str) -> list[Session]:
    from desktop.market.sessions import NYSE

    days = NYSE.days(date.fromisoformat(first), date.fromisoformat(last))
    return [sure(NYSE.session(day)) for day in days.tolist()]


@pytest.fixture(scope="module")
def paths(five_minutes) -> list[d.SessionPath]:
    """Spread from the open, RUT less QQQ."""
    rut, ndx = five_minutes
    sessions = sessions_between("2024-03-11", "2024-07-11")
    opens = {}
    for session in sessions:
        at = [int(np.searchsorted(leg.start_s, session.open.timestamp())) for leg in (rut, ndx)]
        opens[session.day] = (float(rut.open[at[0]]), float(ndx.open[at[1]]))
    return d.session_paths(rut, ndx, sessions, opens)


def test_the_cpi_day_from_five_minute_bars_ends_where_the_bars_do(paths):
    path = paths[-1]
    assert path.day == CPI_DAY
    assert (len(path.minute), path.minute[0], path.minute[-1]) == (78, 5, 390)
    expected = 100 * ((2124.68 / 2081.70) - (491.90 / 503.07))
    assert path.spread_pp[-1] == pytest.approx(expected, abs=0.01)


def test_the_cone_equals_the_sd_of_the_sessions_before(paths):
    found = sure(d.cone(paths, CPI_DAY, sessions=60))
    assert (found.sessions, found.last) == (60, date(2024, 7, 10))
    past = [path for path in paths if path.day < CPI_DAY][-60:]
    frame = pd.DataFrame({path.day: pd.Series(path.spread_pp, index=path.minute) for path in past})
    np.testing.assert_array_equal(found.minute, frame.index)
    np.testing.assert_allclose(found.sd_pp, frame.std(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(found.n, frame.count(axis=1))


def test_the_cone_does_not_see_the_day_itself(paths):
    changed = [*paths[:-1], d.SessionPath(CPI_DAY, paths[-1].minute, paths[-1].spread_pp * 100)]
    np.testing.assert_array_equal(sure(d.cone(paths, CPI_DAY)).sd_pp, sure(d.cone(changed, CPI_DAY)).sd_pp)


def test_a_cone_needs_twenty_sessions():
    def path(day: int, minute: int = 1) -> d.SessionPath:
        at = date(2024, 1, 1) + timedelta(days=day)
        return d.SessionPath(at, np.array([minute]), np.array([float(day)]))

    short = d.cone([path(day) for day in range(19)], date(2025, 1, 1))
    assert short == Unknown("needs 20 sessions of intraday bars, there are 19")
    found = sure(d.cone([*(path(day) for day in range(20)), path(30, 2)], date(2025, 1, 1)))
    assert found.sd_pp[0] == pytest.approx(np.std(np.arange(20), ddof=1))
    assert np.isnan(found.sd_pp[1])
    assert found.n.tolist() == [20, 1]


def test_a_session_with_missing_bars_leaves_holes_in_its_path(five_minutes):
    rut, ndx = five_minutes
    sessions = sessions_between("2024-07-19", "2024-07-19")
    path = d.session_paths(rut, ndx, sessions, {date(2024, 7, 19): (2200.0, 480.0)})[0]
    assert len(path.minute) == 78
    assert np.count_nonzero(np.isnan(path.spread_pp)) == 16
    assert d.session_paths(rut, ndx, sessions, {}) == []
