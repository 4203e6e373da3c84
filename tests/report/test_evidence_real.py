"""The figures of METHODS 2 and 4 to 8, as the JSON of a report on the real files tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest

from desktop.analytics import rates
from desktop.analytics.rates import DayRule, zq_symbol
from desktop.deferred import Deferred
from desktop.market.quotes import Closes
from desktop.market.sessions import parse_as_of
from desktop.market.store import Observation, Priority, Store
from desktop.report import as_json, snapshot_for
from desktop.settings import Settings
from desktop.snapshot import SnapshotBuilder

Document: TypeAlias = Callable[[str], dict[str, Any]]


def near(value: float, digits: int) -> object:
    """Equal to a figure printed with so many digits."""
    return pytest.approx(value, abs=0.51 * 10.0**-digits)


def claims(document: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one for one in document["thesis"]}


# --- 2, what follows


def test_what_followed_large_divergences(real: Document):
    document = real("2026-02-27")
    study = {one["horizon_days"]: one for one in document["event_study"]}
    assert list(study) == [1, 5, 20, 60]
    for horizon, mean, median, hit in ((1, 0.30, -0.12, 0.46), (20, -0.15, -0.38, 0.43)):
        one = study[horizon]
        assert one["n"] == 35
        assert (one["mean_pct"], one["median_pct"], one["hit"]) == (near(mean, 2), near(median, 2), near(hit, 2))
        assert one["ci95_pct"][0] < one["mean_pct"] < one["ci95_pct"][1]
        assert "cannot be told from chance" in one["mean_pct_note"]
    told = document["event_study_note"]
    assert "log returns instead of simple ones: n 38, mean 1 d +0.09 %" in told
    assert "a gap of exactly 20 days allowed: n 36, mean 1 d +0.16 %" in told
    assert claims(document)["continued"]["verdict"] == "mixed"


def test_outcomes_that_were_still_to_come_are_not_counted(real: Document):
    study = {one["horizon_days"]: one for one in real("2024-07-11")["event_study"]}
    assert [one["n"] for one in study.values()] == [34] * 4
    assert study[1]["n_note"] == "1 too young to tell"


# --- 4, rates


def test_the_two_year_yield_explains_a_twelfth_of_the_cpi_day(real: Document):
    found = real("2024-07-11")["rates"]
    assert (found["two_year_pct"], found["two_year_change_bp"]) == (4.50, pytest.approx(-12))
    assert (found["beta"], found["beta_se"]) == (near(-3.844, 3), near(1.024, 3))
    assert (found["r2"], found["n"]) == (near(0.063, 3), 252)
    assert (found["attribution_bp"], found["attribution_share"]) == (near(46, 0), near(0.079, 3))
    assert found["n_note"].endswith("to 10 Jul 2024")
    assert "the sign is unstable" in found["beta_note"]
    assert claims(real("2024-07-11"))["two_year_explains"]["verdict"] == "mixed"


def test_the_yield_of_a_day_is_known_that_evening(real: Document):
    before, after = (real(f"2024-07-11T{clock}-04:00")["rates"] for clock in ("17:59:59", "18:00:00"))
    assert before["two_year_pct"] == 4.62
    assert before["attribution_share"] is None
    assert "is not published yet: the last is of 2024-07-10" in before["attribution_share_note"]
    assert (before["beta"], before["beta_se"]) == (after["beta"], after["beta_se"])
    assert after["two_year_pct"] == 4.50


def built(store: Store, as_of: str) -> dict[str, Any]:
    snapshot = SnapshotBuilder(store, Deferred()).build(parse_as_of(as_of), Settings())
    document: dict[str, Any] = json.loads(json.dumps(as_json(snapshot), allow_nan=False))
    return document


@pytest.fixture
def by_rule(monkeypatch: pytest.MonkeyPatch) -> Callable[[DayRule], None]:
    def choose(rule: DayRule) -> None:
        path = rates.fed_path
        monkeypatch.setattr(rates, "fed_path", lambda *given, **named: path(*given, **named | {"rule": rule}))

    return choose


def path_by_hand(day: date, prices: dict[date, float], known: dict[str, float]) -> list[dict[str, Any]]:
    """The path of a store that holds nothing but these closes and rates of `day`."""
    with Store(None) as store:
        for month, price in prices.items():
            one = Closes(zq_symbol(month), np.array([day], dtype="datetime64[D]"), np.array([price]))
            store.put_closes(one, source="hand", priority=Priority.FILE)
        for name, value in known.items():
            at = datetime(day.year, day.month, day.day, 13, 0, tzinfo=UTC)
            store.put_series(name, [Observation(day, value, at)], source="hand")
        path: list[dict[str, Any]] = built(store, day.isoformat())["rates"]["fed_path"]
        return path


@pytest.mark.parametrize(
    ("rule", "p_hike", "after"),
    [(DayRule.OLD_RATE, 0.576923, 0.276731), (DayRule.NEW_RATE, 0.535714, 0.266429)],
)
def test_september_2015(rule: DayRule, p_hike: float, after: float, by_rule: Callable[[DayRule], None]):
    by_rule(rule)
    september, known = date(2015, 9, 1), {"EFFR": 0.1325, "DFEDTARL": 0.0, "DFEDTARU": 0.25}
    (first,) = path_by_hand(september, {september: 100 - 0.195}, known)
    assert (first["meeting"], first["expected_rate_pct"]) == ("2015-09-17", pytest.approx(after, abs=1e-6))
    assert first["probabilities"] == [
        {"low_pct": 0.0, "high_pct": 0.25, "p": pytest.approx(1 - p_hike, abs=1e-6)},
        {"low_pct": 0.25, "high_pct": 0.5, "p": pytest.approx(p_hike, abs=1e-6)},
    ]


def path_of(folder: Path, as_of: str) -> list[dict[str, Any]]:
    found: Any = as_json(snapshot_for(folder, as_of=parse_as_of(as_of)))
    path: list[dict[str, Any]] = found["rates"]["fed_path"]
    return path


def test_the_settlements_of_2022_09_12_as_the_exchange_counts_days(by_rule: Callable[[DayRule], None]):
    by_rule(DayRule.NEW_RATE)
    prices = {date(2022, 9, 1): 97.4475, date(2022, 10, 1): 96.94, date(2022, 11, 1): 96.43}
    september, november = path_by_hand(date(2022, 9, 12), prices, {"DFEDTARL": 2.25, "DFEDTARU": 2.5})
    assert (september["meeting"], november["meeting"]) == ("2022-09-21", "2022-11-02")
    # The range was 2.25-2.50: 75 and 100 basis points more.
    odds = {one["low_pct"]: one["p"] for one in september["probabilities"]}
    assert odds == {3.0: near(0.955, 3), 3.25: near(0.045, 3)}
    assert september["expected_rate_pct"] == pytest.approx(3.06)
    assert november["expected_rate_pct"] - september["expected_rate_pct"] == pytest.approx(0.527586, abs=1e-6)
    both = {one["low_pct"]: one["p"] for one in november["probabilities"]}
    alone = {0.50: 0.8897, 0.75: 0.1103}  # printed for November alone
    for low, p in both.items():
        assert p == pytest.approx(sum(odds.get(low - step, 0.0) * q for step, q in alone.items()), abs=1e-4)


def test_the_settlements_of_2022_09_12_with_the_decision_day_at_the_old_rate(real: Document):
    document = real("2022-09-12")
    september = document["rates"]["fed_path"][0]
    before = (30 * (100 - 97.4475) - 9 * (100 - 96.94)) / 21
    steps = (100 - 96.94 - before) / 0.25
    odds = {one["low_pct"]: one["p"] for one in september["probabilities"]}
    assert odds == {2.75: pytest.approx(3 - steps, abs=1e-9), 3.0: pytest.approx(steps - 2, abs=1e-9)}
    assert "prices of 12 Sep 2022; the decision day counts at the old rate" in document["rates"]["fed_path_note"]
    claim = claims(document)["cuts_priced"]
    assert (claim["verdict"], claim["as_of"]) == ("against", "2022-09-12")


def test_the_printed_table_of_2023_03_10(real_folder: Path, real_data: Path, by_rule: Callable[[DayRule], None]):
    by_rule(DayRule.NEW_RATE)
    table = pd.read_csv(real_data / "zq-fedwatch" / "fedwatch-reference-2023-03-10.csv", index_col="fomc_date")
    path = {one["meeting"]: one for one in path_of(real_folder, "2023-03-10")}
    for meeting in table.index[:4]:
        printed = table.loc[meeting].drop("watch_date").astype(float)
        odds = {f"{one['low_pct']:.2f}-{one['high_pct']:.2f}": one["p"] for one in path[meeting]["probabilities"]}
        found = [odds.get(name, 0.0) for name in printed.index]
        np.testing.assert_allclose(found, printed.to_numpy(), atol=6e-4)


# --- 5, flow


def test_the_flow_and_the_honest_share_of_the_index(real: Document):
    found = real("2024-07-11")["flow"]
    assert (found["flow_usd"], found["median_companies"]) == (30e9, near(33.3, 1))
    assert found["index_share"] == near(0.01154, 5)
    assert found["impact_pct"] == near(0.7436, 4)
    assert "about one percent" in found["index_share_note"]
    assert found["cap_usd_note"] == "assumed, round figure, 28 Jun 2024"


# --- 6, positions


def test_positions_of_the_tuesday_before_are_known_on_friday(real: Document):
    before, after = (real(f"2024-07-12T{clock}-04:00")["positioning"] for clock in ("15:29:59", "15:30:00"))
    assert (before["report_date"], before["known_at"]) == ("2024-07-02", "2024-07-08T19:30:00Z")
    assert (after["report_date"], after["known_at"]) == ("2024-07-09", "2024-07-12T19:30:00Z")
    names = ("asset_manager_net", "leveraged_net", "open_interest")
    assert [after["rty"][name] for name in names] == [20_198, -69_861, 447_956]
    assert [after["nq"][name] for name in names] == [86_626, -48_007, 264_298]
    assert after["pair_score"] == pytest.approx(after["nq"]["leveraged_z"] - after["rty"]["leveraged_z"])
    assert "52 of 156 weekly reports are there" in after["report_date_note"]


def test_the_z_score_equals_pandas(real: Document, real_data: Path):
    frame = pd.read_csv(real_data / "cot-tff" / "cot-summary-wide-2024-2026.csv", index_col=0, parse_dates=True)
    found = real("2026-08-21")["positioning"]
    for leg, name in (("nq", "NQ"), ("rty", "RTY")):
        share = (frame[f"{name}_HEDGE_L"] - frame[f"{name}_HEDGE_S"]) / frame[f"{name}_OI"]
        share = share.loc[: pd.Timestamp(found["report_date"])].dropna()
        assert found[leg]["leveraged_z"] == pytest.approx((share.iloc[-1] - share.mean()) / share.std(), rel=1e-9)


# --- 7, election years


def test_july_and_august_are_not_supported_and_october_is_weakly(real: Document):
    found = real("2026-02-27")["seasonality"]
    years = found["election_years"]
    assert [one["year"] for one in years] == list(range(1992, 2025, 4))
    assert (found["n_election"], found["n_other"]) == (9, 27)
    assert (found["jul_aug_up"], found["oct_up"]) == (4, 8)
    assert sum(one["jul_aug_over_jun"] > 0 for one in years) == 4
    assert sum(one["oct_over_sep"] > 0 for one in years) == 8
    assert found["jul_aug_up_note"] == "not supported (4 of 9 against 15 of 27)"
    assert found["oct_up_note"].startswith("weakly supported (8 of 9 against")
    assert found["p_jul_aug"] > 0.05 >= found["p_oct"]
    judged = claims(real("2026-02-27"))
    assert judged["election_july_august"]["verdict"] == "against"
    assert judged["election_october"]["verdict"] == "mixed"


def test_the_year_under_way_is_unknown_until_its_month_is_over(real: Document):
    years = {one["year"]: one for one in real("2024-07-11")["seasonality"]["election_years"]}
    assert years[2024]["jul_aug_over_jun"] is None
    assert "2024-07, 2024-08 not complete" in years[2024]["jul_aug_over_jun_note"]


# --- 8, declines


def test_small_caps_fell_less_in_eight_of_fourteen(real: Document):
    document = real("2026-08-21")
    rows = {one["start"][:4]: one for one in document["drawdowns"]}
    for year, rut, ndx in (
        ("2000", -43.0, -82.8),
        ("2007", -59.4, -51.9),
        ("2020", -40.8, -27.9),
        ("2022", -25.7, -34.6),
    ):
        assert (rows[year]["rut_pct"], rows[year]["ndx_pct"]) == (near(rut, 1), near(ndx, 1))
        assert rows[year]["spread_pp"] == pytest.approx(rows[year]["rut_pct"] - rows[year]["ndx_pct"])
    assert rows["2000"]["end"] == "2002-10-09"
    assert len(document["drawdowns"]) == 14
    assert sum(one["spread_pp"] > 0 for one in document["drawdowns"]) == 8
    assert "RUT falls less in 8 of 14" in document["drawdowns_note"]
    assert claims(document)["fall_less"]["verdict"] == "mixed"


def test_the_four_conditionings_equal_pandas(real: Document, real_data: Path):
    folder = real_data / "index-daily"
    ndx = pd.read_csv(folder / "ndx-yahoo-1985-2026.csv", skiprows=[1, 2], index_col=0)["Close"]
    rut = pd.read_csv(folder / "rut-yahoo-1987-2024.csv", index_col=0)["Close"]
    vix = pd.read_csv(real_data / "vol-cboe" / "VIX_History.csv")
    vix.index = pd.to_datetime(vix["DATE"], format="%m/%d/%Y").dt.strftime("%Y-%m-%d")
    both = pd.DataFrame({"rut": rut, "ndx": ndx}).dropna().loc[:"2024-07-11"]
    moves = 100 * both.pct_change().dropna()
    spread = moves["rut"] - moves["ndx"]
    chosen = {
        "NDX < -2 %": moves["ndx"] < -2,
        "both legs down": (moves < 0).all(axis=1),
        "VIX >= 30": vix["CLOSE"].reindex(moves.index) >= 30,
    }
    document = real("2024-07-11")
    found = {one["condition"]: one for one in document["conditional"]}
    assert list(found) == ["NDX < -2 %", "SPX < -2 %", "both legs down", "VIX >= 30"]
    for name, days in chosen.items():
        assert found[name]["n"] == days.sum()
        assert found[name]["mean_pp"] == pytest.approx(spread[days].mean(), abs=1e-6)
        assert found[name]["hit"] == pytest.approx((spread[days] > 0).mean())
    assert found["SPX < -2 %"]["mean_pp"] is None
    assert "flatters" in found["NDX < -2 %"]["condition_note"]
    fell = moves["ndx"] < 0
    assert document["down_capture"] == pytest.approx(
        moves["rut"][fell].mean() / moves["ndx"][fell].mean(), abs=1e-6
    )


# --- 1, the total return behind the first claim


def test_dividends_explain_most_of_the_excess_over_the_peak_of_2000(real: Document):
    first = claims(real("2024-07-10"))["stretched"]
    assert (first["verdict"], first["value"]) == ("mixed", near(10.0769, 4))
    assert "dividends explain" in first["note"]


def test_no_claim_is_judged_without_a_number_of_observations(real: Document):
    for day in ("2024-07-11", "2026-02-27", "2022-09-12"):
        for one in real(day)["thesis"]:
            if one["verdict"] != "unknown":
                assert one["value"] is not None
                assert any(word in one["value_note"] for word in ("n ", " of ")), one
