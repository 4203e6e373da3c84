"""The figures of METHODS 1 to 3, as the JSON of a report on the real files tells them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest

Document: TypeAlias = Callable[[str], dict[str, Any]]


def near(value: float, digits: int) -> object:
    """Equal to a figure printed with so many digits."""
    return pytest.approx(value, abs=0.51 * 10.0**-digits)


def test_the_ratio_on_the_eve_of_the_cpi_day(real: Document):
    ratio = real("2024-07-10")["ratio"]
    assert ratio["date"] == "2024-07-10"
    assert ratio["value"] == near(10.0769, 4)
    assert list(ratio["z"]) == ["63", "252", "756", "1260"]
    assert list(ratio["z"].values()) == [near(z, 2) for z in (1.95, 2.73, 2.43, 2.40)]
    assert ratio["percentile"] == near(0.99989, 5)
    assert ratio["sma50"] == near(9.2881, 4)
    assert ratio["sma200"] == near(8.8416, 4)
    assert ratio["vs_sma200_pct"] == near(13.97, 2)
    assert ratio["drawdown_pct"] == near(-0.0105, 4)
    assert ratio["dotcom_peak"] == {"value": near(8.2014, 4), "date": "2000-03-27"}
    assert ratio["record"]["date"] == "2024-07-09"
    assert ratio["phi"] == near(0.998105, 6)
    assert ratio["half_life_days"] == near(365, 0)
    assert ratio["adf"] == {"stat": near(-0.206, 3), "p": near(0.938, 3)}


def test_levels_and_change_equal_the_published_closes(real: Document, real_data: Path):
    table = pd.read_csv(real_data / "reference-values" / "key-dates.csv", index_col="date")
    for day in ("2000-03-27", "2002-10-09", "2020-03-18", "2024-07-11", "2026-08-21"):
        ratio, divergence, row = real(day)["ratio"], real(day)["divergence"], table.loc[day]
        assert (ratio["date"], divergence["date"]) == (day, day)
        assert ratio["ndx"] == pytest.approx(row["ndx"], rel=1e-6)
        assert ratio["rut"] == pytest.approx(row["rut"], rel=1e-5)
        assert ratio["value"] == pytest.approx(row["ratio"], rel=1e-5)
        change = 100 * ((1 + row["ndx_pct"] / 100) / (1 + row["rut_pct"] / 100) - 1)
        assert ratio["change_pct"] == pytest.approx(change, abs=1e-3)
        for name in ("spread_pp", "rut_pct", "ndx_pct"):
            assert divergence[name] == pytest.approx(row[name], abs=1e-3)


def test_the_divergence_of_the_cpi_day(real: Document):
    divergence = real("2024-07-11")["divergence"]
    assert divergence["date"] == "2024-07-11"
    assert divergence["spread_pp"] == near(5.816, 3)
    assert divergence["rut_pct"] == near(3.572, 3)
    assert divergence["ndx_pct"] == near(-2.244, 3)
    assert divergence["rank"] == 2
    assert divergence["rank_abs"] == 12
    assert divergence["z60"] == near(6.83, 2)
    assert divergence["z252"] == near(5.80, 2)
    assert divergence["from_open_pp"] == near(4.260, 3)
    assert (divergence["n_days"], divergence["since"]) == (9280, "1987-09-11")
    assert (divergence["reference"], divergence["driver"]) == ("prior_close", "index")
    assert divergence["largest"][0] == {"date": "2002-07-25", "spread_pp": near(5.885, 3)}
    assert divergence["rank_note"].startswith("not the largest ever: 2nd of 9,280 days")
    assert "+5.88 pp on 25 Jul 2002" in divergence["rank_note"]


def test_the_extremes_equal_the_reference_table(real: Document, real_data: Path):
    table = pd.read_csv(real_data / "reference-values" / "top-20-daily-divergences.csv")
    divergence = real("2026-08-21")["divergence"]
    for name, side in (("largest", "rut_outperforms"), ("smallest", "ndx_outperforms")):
        expected = table[table["side"] == side]
        assert [row["date"] for row in divergence[name]] == expected["date"].tolist()
        found = [row["spread_pp"] for row in divergence[name]]
        np.testing.assert_allclose(found, expected["spread_pp"], atol=1e-4)


def test_the_five_day_spread_is_that_of_the_published_closes(real: Document, real_data: Path):
    ndx = pd.read_csv(real_data / "index-daily" / "ndx-yahoo-1985-2026.csv", skiprows=[1, 2], index_col=0)["Close"]
    rut = pd.read_csv(real_data / "index-daily" / "rut-yahoo-1987-2024.csv", index_col=0)["Close"]
    spread = 100 * (rut.pct_change(5) - ndx.pct_change(5)).loc["2024-07-11"]
    assert real("2024-07-11")["divergence"]["five_day_pp"] == pytest.approx(spread, abs=1e-3)


@pytest.mark.parametrize("day", ["2020-03-16", "2024-07-11", "2024-08-05"])
def test_mean_correlation_equals_the_mean_of_corrcoef(day: str, real: Document, real_data: Path):
    file = real_data / "stock-panels" / "us-83-adjclose-2018-2025.csv.gz"
    returns = pd.read_csv(file, index_col=0).apply(np.log).diff().loc[:day].to_numpy()
    correlation = real(day)["correlation"]
    for window in (21, 63):
        matrix = np.corrcoef(returns[-window:].T)
        mean = (matrix.sum() - len(matrix)) / (len(matrix) * (len(matrix) - 1))
        assert correlation["mean_pairwise"][str(window)] == pytest.approx(mean, abs=1e-12)
    assert correlation["n_stocks"] == 83
    assert correlation["dispersion"] == pytest.approx(returns[-1].std(ddof=1), rel=1e-12)


def test_implied_correlation_and_its_lowest_day(real: Document, real_data: Path):
    history = pd.read_csv(real_data / "vol-cboe" / "COR1M_History.csv")
    days = pd.to_datetime(history["DATE"], format="%m/%d/%Y")
    assert real("2024-07-11")["correlation"]["implied_cor1m"] == 3.87
    lowest = real("2024-07-12")["correlation"]
    assert lowest["implied_cor1m"] == 2.93
    assert lowest["implied_percentile"] == pytest.approx(1 / int((days <= pd.Timestamp("2024-07-12")).sum()))


def test_volatility_was_low_on_the_cpi_day_and_high_on_5_august(real: Document):
    calm, wild = real("2024-07-11")["regime"], real("2024-08-05")["regime"]
    assert calm["flags"]["volatility"] is False  # VIX 12.92, VIX3M above it
    assert wild["flags"]["volatility"] is True  # VIX 38.57
    assert wild["flags"]["both_legs_down"] is True
    assert calm["state"] in ("orderly", "violent_rotation")
    assert calm["would_flip"]


def test_an_hour_into_the_session_both_legs_are_measured_from_bars_that_had_closed(
    real: Document, real_data: Path
):
    document = real("2024-07-11T10:32-04:00")
    moves = {}
    for leg, name, close in (("rut", "rut-5m-2024-2026.csv", 2051.75), ("ndx", "qqq-5m-2024-2026.csv", None)):
        bars = pd.read_csv(real_data / "intraday-ibkr" / name, index_col="date")
        if close is None:
            daily = pd.read_csv(real_data / "etf-daily" / "qqq-marketbase-2016-2026.csv", index_col=0)
            close = float(daily["close"].loc["2024-07-10"])
        moves[leg] = 100 * (float(bars["close"].loc["2024-07-11 14:25:00+00:00"]) / close - 1)
    divergence = document["divergence"]
    assert (document["mode"], document["as_of"]) == ("as_of", "2024-07-11T14:32:00Z")
    assert (divergence["date"], divergence["driver"]) == ("2024-07-11", "mixed")
    assert divergence["rut_pct"] == pytest.approx(moves["rut"], abs=1e-4)
    assert divergence["ndx_pct"] == pytest.approx(moves["ndx"], abs=1e-4)
    assert divergence["spread_pp"] == pytest.approx(moves["rut"] - moves["ndx"], abs=1e-4)
    assert divergence["leg_age_s"] == {"rut": 120.0, "ndx": 120.0}
    assert document["ratio"]["change_pct"] == pytest.approx(
        100 * ((1 + moves["ndx"] / 100) / (1 + moves["rut"] / 100) - 1), abs=1e-3
    )
