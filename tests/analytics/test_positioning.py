"""Positions of METHODS 6 on CFTC rows read with pandas; z-scores against pandas; the splice; properties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics import positioning as p
from desktop.market.known import Unknown
from desktop.market.quotes import BadMarketDataError
from desktop.sources.files.publication import cot_published


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def why(found: object) -> str:
    assert isinstance(found, Unknown), found
    return found.reason


@pytest.fixture(scope="module")
def rows(real_data: Path) -> pd.DataFrame:
    """Raw rows by code and day; 2024 and after 2025-04 from the wide summary."""
    raw = pd.read_csv(real_data / "cot-tff" / "tff-ndx-rut-rows-2017-2026.csv", dtype=str)
    raw = raw.rename(columns=str.strip).map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
    wanted = {
        "oi": "Open_Interest_All",
        "am_long": "Asset_Mgr_Positions_Long_All",
        "am_short": "Asset_Mgr_Positions_Short_All",
        "lev_long": "Lev_Money_Positions_Long_All",
        "lev_short": "Lev_Money_Positions_Short_All",
    }
    tall = pd.DataFrame({short: raw[long].astype(float) for short, long in wanted.items()})
    tall["code"], tall["day"] = raw["CFTC_Contract_Market_Code"], pd.to_datetime(raw["Report_Date_as_YYYY-MM-DD"])
    wide = pd.read_csv(real_data / "cot-tff" / "cot-summary-wide-2024-2026.csv", parse_dates=["date"])
    for root, code in (("NQ", p.NQ_CODE), ("RTY", p.RTY_CODE)):
        columns = [f"{root}_{name}" for name in ("OI", "ASSET_L", "ASSET_S", "HEDGE_L", "HEDGE_S")]
        more = wide[columns].set_axis(list(wanted), axis=1).assign(code=code, day=wide["date"])
        tall = pd.concat([tall, more])
    return tall.drop_duplicates(["code", "day"]).sort_values(["code", "day"])


def of_code(rows: pd.DataFrame, code: str) -> p.Positions:
    one = rows[rows["code"] == code]
    return p.positions_of_sides(
        code,
        one["day"].to_numpy().astype("datetime64[D]"),
        one["oi"].to_numpy(),
        (one["am_long"].to_numpy(), one["am_short"].to_numpy()),
        (one["lev_long"].to_numpy(), one["lev_short"].to_numpy()),
    )


@pytest.fixture(scope="module")
def nq(rows: pd.DataFrame) -> p.Positions:
    return of_code(rows, p.NQ_CODE)


@pytest.fixture(scope="module")
def rty(rows: pd.DataFrame) -> p.Positions:
    return p.splice(of_code(rows, p.RTY_ICE_CODE), of_code(rows, p.RTY_CODE))


def test_the_report_of_2024_07_09(nq, rty):
    day = date(2024, 7, 9)
    found = sure(p.positioning(nq.until(day), rty.until(day), cot_published))
    assert found.report_date == day
    assert found.known_at == datetime(2024, 7, 12, 19, 30, tzinfo=UTC)
    figures = [(one.asset_manager_net, one.leveraged_net, one.open_interest) for one in (found.rty, found.nq)]
    assert figures == [(20_198, -69_861, 447_956), (86_626, -48_007, 264_298)]
    assert found.rty.leveraged_share == pytest.approx(-69_861 / 447_956)


def by_pandas(shares: pd.Series, day: str) -> tuple[float, int]:
    window = shares.loc[:day]
    window = window[window.index > window.index[-1] - pd.Timedelta(weeks=156)]
    return (window.iloc[-1] - window.mean()) / window.std(), len(window)


@pytest.mark.parametrize("day", ["2020-06-30", "2021-12-28", "2024-07-09", "2026-08-18"])
def test_z_scores_and_the_pair_score_equal_pandas(nq, rty, day):
    found = sure(
        p.positioning(nq.until(date.fromisoformat(day)), rty.until(date.fromisoformat(day)), cot_published)
    )
    scores = []
    for one, positions in ((found.nq, nq), (found.rty, rty)):
        index = pd.DatetimeIndex(positions.days)
        z, n = by_pandas(pd.Series(positions.leveraged_net / positions.open_interest, index), day)
        assert one.leveraged_z == pytest.approx(z, rel=1e-9)
        assert one.n == n
        assert one.asset_manager_z == pytest.approx(
            by_pandas(pd.Series(positions.asset_manager_net / positions.open_interest, index), day)[0], rel=1e-9
        )
        assert one.leveraged_contracts_z == pytest.approx(
            by_pandas(pd.Series(positions.leveraged_net, index), day)[0], rel=1e-9
        )
        scores.append(z)
    assert found.pair_score == pytest.approx(scores[0] - scores[1], rel=1e-9)


def test_a_window_with_a_hole_says_how_many_reports_it_holds(nq, rty):
    """2022 and 2023 are absent: 24 reports of 2021 and 28 of 2024 are in reach, just enough."""
    day = date(2024, 7, 9)
    found = sure(p.positioning(nq.until(day), rty.until(day), cot_published))
    assert (found.nq.n, found.nq.first) == (52, date(2021, 7, 20))
    assert "NASDAQ: 52 of 156 weekly reports are there, since 2021-07-20" in found.notes
    assert not isinstance(found.pair_score, Unknown)
    without_one = p.positioning(
        nq._cut(nq.days != np.datetime64("2024-07-02")).until(day), rty.until(day), published
    )
    assert "there are 51" in why(sure(without_one).pair_score)


def test_fewer_than_52_reports_have_no_score(nq, rty):
    day = date(2017, 12, 19)
    found = sure(p.positioning(nq.until(day), rty.until(day), cot_published))
    assert found.nq.n == 51
    assert why(found.nq.leveraged_z) == "needs 52 reports in 156 weeks, there are 51"
    assert "51" in why(found.pair_score)
    assert found.nq.open_interest > 0
    week_later = sure(p.positioning(nq.until(date(2017, 12, 26)), rty.until(date(2017, 12, 26)), cot_published))
    assert not isinstance(week_later.pair_score, Unknown)


# --- the change of contract


def test_the_russell_history_moves_to_its_new_code_when_positions_do(rows, rty):
    assert rty.splices == (p.Splice(date(2017, 9, 12), p.RTY_ICE_CODE, p.RTY_CODE),)
    assert rty.code == p.RTY_CODE
    assert rty.days[0] == np.datetime64("2017-01-03")
    old, new = of_code(rows, p.RTY_ICE_CODE), of_code(rows, p.RTY_CODE)
    for day, source in (("2017-09-05", old), ("2017-09-12", new), ("2018-06-05", new)):
        at, there = (int(np.searchsorted(one.days, np.datetime64(day))) for one in (rty, source))
        assert rty.open_interest[at] == source.open_interest[there]
    # A few thousand contracts at the start of the new one would have read as a sudden exit.
    assert rty.open_interest.min() > 300_000


def test_the_splice_is_told_while_the_window_reaches_over_it(nq, rty):
    told = "Russell: contract 23977A before 2017-09-12, 239742 since"
    early, late = date(2018, 6, 5), date(2021, 12, 28)
    assert told in sure(p.positioning(nq.until(early), rty.until(early), cot_published)).notes
    found = sure(p.positioning(nq.until(late), rty.until(late), cot_published))
    assert told not in found.notes
    assert found.rty.splices == rty.splices


@pytest.mark.parametrize("last", ["2017-08-08", "2017-08-29", "2017-09-12", "2018-06-05", "2021-12-28"])
def test_the_splice_does_not_look_ahead(rows, rty, last):
    day = date.fromisoformat(last)
    then = p.splice(of_code(rows, p.RTY_ICE_CODE).until(day), of_code(rows, p.RTY_CODE).until(day))
    now = rty.until(day)
    np.testing.assert_array_equal(then.days, now.days)
    np.testing.assert_array_equal(then.leveraged_net, now.leveraged_net)
    np.testing.assert_array_equal(then.open_interest, now.open_interest)


def test_splicing_with_nothing_leaves_the_other(rows):
    old, new = of_code(rows, p.RTY_ICE_CODE), of_code(rows, p.RTY_CODE)
    nothing = new.until(date(2000, 1, 1))
    assert p.splice(nothing, new) is new
    assert p.splice(old, nothing) is old
    later = p.splice(new, new)  # never larger than itself
    assert later is new
    after = old._cut(old.days > np.datetime64("2018-01-01"))
    assert p.splice(after, new) is new


# --- reports and their days


@pytest.mark.parametrize(
    ("day", "name"), [("2017-07-03", "Monday"), ("2018-12-24", "Monday"), ("2025-11-10", "Monday")]
)
def test_a_report_that_is_not_of_a_tuesday_is_told(nq, rty, day, name):
    when = date.fromisoformat(day)
    found = sure(p.positioning(nq.until(when), rty.until(when), cot_published))
    assert found.report_date == when
    assert f"the report is of a {name}, not a Tuesday" in found.notes


def test_reports_held_back_are_known_when_they_were_published(nq, rty):
    found = sure(p.positioning(nq.until(date(2025, 11, 10)), rty.until(date(2025, 11, 10)), cot_published))
    assert found.known_at == datetime(2025, 12, 12, 20, 30, tzinfo=UTC)


def test_contracts_are_compared_at_the_last_report_that_has_both(nq, rty):
    found = sure(p.positioning(nq.until(date(2024, 7, 9)), rty.until(date(2024, 7, 2)), cot_published))
    assert found.report_date == date(2024, 7, 2)
    assert found.nq.report_date == found.rty.report_date == found.report_date
    assert "NASDAQ has a later report, of 2024-07-09, the other contract has not" in found.notes


def test_without_reports_positioning_is_unknown(nq, rty):
    none = rty.until(date(2000, 1, 1))
    assert "239742" in why(p.positioning(nq, none, cot_published))
    assert "209742" in why(p.positioning(nq.until(date(2000, 1, 1)), rty, cot_published))
    odd = nq._cut(nq.days == nq.days[0])
    assert "both" in why(p.positioning(odd, rty._cut(rty.days > odd.days[0]), cot_published))


def test_positions_that_no_report_can_hold_are_refused():
    days, ones = np.array(["2024-07-02", "2024-07-09"], dtype="datetime64[D]"), np.ones(2)
    good: dict[str, Any] = {"days": days, "open_interest": ones, "asset_manager_net": ones, "leveraged_net": ones}
    for name, bad in (
        ("days", days[[0, 0]]),
        ("open_interest", np.zeros(2)),
        ("leveraged_net", np.array([1.0, np.nan])),
        ("asset_manager_net", np.ones(3)),
    ):
        with pytest.raises(BadMarketDataError, match=name):
            p.Positions("209742", **{**good, name: bad})


def test_positions_that_never_change_have_no_score():
    days = np.arange(np.datetime64("2022-01-04"), np.datetime64("2024-01-02"), 7)
    flat = p.Positions("209742", days, np.full(len(days), 100.0), np.full(len(days), 5.0), np.full(len(days), 5.0))
    assert "never changed" in why(sure(p.positioning(flat, flat, cot_published)).pair_score)


# --- properties


def made(seed: int, n: int = 220) -> p.Positions:
    rng = np.random.default_rng(seed)
    days = np.datetime64("2019-01-01") + 7 * np.arange(n)
    interest = rng.integers(300_000, 600_000, n).astype(float)
    managers, leveraged = rng.integers(-200_000, 200_000, (2, n)).astype(float)
    return p.Positions("209742", days, interest, managers, leveraged)


def published(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 219), k=st.floats(0.1, 50))
def test_later_reports_order_and_contract_size_change_nothing(seed, cut, k):
    nq, rty = made(seed), made(seed + 1)
    day = nq.days[cut].item()
    then = p.positioning(nq.until(day), rty.until(day), published)
    history = p.history(nq)
    upto = p.history(nq.until(day))
    np.testing.assert_array_equal(history.leveraged_z[: cut + 1], upto.leveraged_z)
    order = np.random.default_rng(seed).permutation(len(nq))
    shuffled = p.Positions(
        nq.code, nq.days[order], nq.open_interest[order], nq.asset_manager_net[order], nq.leveraged_net[order]
    )
    assert p.positioning(shuffled.until(day), rty.until(day), published) == then
    scaled = p.Positions(nq.code, nq.days, k * nq.open_interest, k * nq.asset_manager_net, k * nq.leveraged_net)
    now, larger = sure(then).nq.leveraged_z, sure(p.positioning(scaled.until(day), rty.until(day), published)).nq
    if isinstance(now, Unknown):
        assert cut < 51
        assert now == larger.leveraged_z
    else:
        assert larger.leveraged_z == pytest.approx(now, rel=1e-6, abs=1e-9)
        assert history.leveraged_z[cut] == now


def test_the_pair_score_changes_sign_with_the_legs():
    nq, rty = made(1), made(2)
    one, other = (sure(p.positioning(a, b, published)) for a, b in ((nq, rty), (rty, nq)))
    assert one.pair_score == pytest.approx(-other.pair_score)


def test_the_history_equals_pandas_rolling_where_no_week_is_missing():
    positions = made(7)
    found = p.history(positions)
    shares = pd.Series(positions.leveraged_net / positions.open_interest)
    rolling = shares.rolling(156, min_periods=52)
    np.testing.assert_allclose(found.leveraged_z, (shares - rolling.mean()) / rolling.std(), rtol=1e-9)
    assert np.isnan(found.asset_manager_z[:51]).all()
    assert np.isfinite(found.asset_manager_z[51:]).all()
