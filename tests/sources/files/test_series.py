"""Rates of FRED and positions of the CFTC: values, and when each became known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult
from desktop.sources.files.publication import FRED_RATES, cot_published

Take = Callable[..., ImportResult]
LATER = datetime(2026, 11, 25, tzinfo=UTC)


def series(store: Store, name: str, as_of: datetime = LATER) -> dict[str, float]:
    found = store.series(name, as_of)
    return dict(zip(map(str, found.days), found.values.tolist(), strict=True))


@pytest.mark.parametrize("head", ["observation_date,DGS2", "DATE,DGS2", "date,dgs2", '"date","DGS2"'])
@pytest.mark.parametrize("blank", ["", ".", "NA", "nan"])
def test_a_rate_of_fred(head: str, blank: str, take: Take, store: Store) -> None:
    result = take("file.csv", f"{head}\n2024-07-03,4.71\n2024-07-04,{blank}\n2024-07-05,4.60\n")
    assert (result.kind, result.symbol, result.rows) == ("FRED", "DGS2", 2)
    assert result.rejected == ("1 without a value (2024-07-04)",)
    assert series(store, "DGS2") == {"2024-07-03": 4.71, "2024-07-05": 4.60}


def test_rates_side_by_side_keep_their_own_days(take: Take, store: Store) -> None:
    result = take("rates.csv", "date,DFF,DGS2,FEDFUNDS\n2024-07-05,5.33,4.60,\n2024-07-06,5.33,,\n2024-07-07,,,\n")
    assert (result.rows, result.series) == (2, ("DFF", "DGS2"))
    assert result.rejected == ("1 without a value (2024-07-07)",)
    assert series(store, "DFF") == {"2024-07-05": 5.33, "2024-07-06": 5.33}
    assert series(store, "DGS2") == {"2024-07-05": 4.60}


def test_a_yield_is_not_known_before_the_evening(take: Take, store: Store) -> None:
    take("rates.csv", "date,DGS2\n2024-07-10,4.62\n2024-07-11,4.50\n")
    assert series(store, "DGS2", datetime(2024, 7, 11, 20, 0, tzinfo=UTC)) == {"2024-07-10": 4.62}
    assert series(store, "DGS2", datetime(2024, 7, 11, 23, 0, tzinfo=UTC)) == {
        "2024-07-10": 4.62,
        "2024-07-11": 4.5,
    }


def test_basis_points_are_no_percent(take: Take, store: Store) -> None:
    with pytest.raises(ImportRefusedError, match="DGS2 is no rate in percent: 462 on 2024-07-10"):
        take("rates.csv", "date,DGS2\n2024-07-10,462\n2024-07-11,450\n")
    assert store.version == 0


def test_a_single_value_out_of_bounds_is_left_out(take: Take, store: Store) -> None:
    days = [f"2024-07-{day:02},4.5" for day in range(1, 31)]
    result = take("rates.csv", "date,DGS2\n" + "\n".join([*days, "2024-07-31,450"]))
    assert result.rows == len(series(store, "DGS2")) == 30
    assert result.rejected == ("1 without a usable value (2024-07-31)",)


def test_a_series_whose_publication_is_not_known_is_refused(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="when UNRATE is published is not known here"):
        take("rates.csv", "observation_date,UNRATE\n2024-07-01,4.3\n")


def test_rates_mixed_with_indices_are_refused(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="mixes interest rates with indices; download them as two files"):
        take("fred.csv", "observation_date,DGS2,NASDAQ100\n2024-07-10,4.62,20675.38\n")


def test_a_volatility_index_of_fred_is_the_index(take: Take, store: Store) -> None:
    assert take("fred.csv", "observation_date,VIXCLS\n2024-07-10,12.85\n").symbol == "^VIX"
    assert store.closes("^VIX").close.tolist() == [12.85]


def test_days_that_contradict_each_other_are_both_left_out(take: Take, store: Store) -> None:
    result = take("rates.csv", "date,DGS2\n2024-07-10,4.62\n2024-07-10,4.63\n2024-07-11,4.50\n2024-07-11,4.50\n")
    assert series(store, "DGS2") == {"2024-07-11": 4.5}
    assert result.rejected_rows == 3


@pytest.mark.parametrize(
    ("name", "day", "known"),
    [
        ("DGS2", date(2024, 7, 11), "2024-07-11T22:00+00:00"),  # 18:00 New York
        ("SOFR", date(2024, 7, 11), "2024-07-12T13:00+00:00"),  # next business day, 09:00
        ("DFF", date(2024, 7, 3), "2024-07-05T13:00+00:00"),  # over Independence Day
        ("DFF", date(2024, 7, 12), "2024-07-15T13:00+00:00"),  # over a weekend
        ("DFEDTARU", date(2024, 9, 19), "2024-09-19T04:00+00:00"),  # announced the day before it applies
        ("FEDFUNDS", date(2024, 7, 1), "2024-08-01T22:00+00:00"),
    ],
)
def test_when_a_rate_is_known(name: str, day: date, known: str) -> None:
    assert FRED_RATES[name](day) == datetime.fromisoformat(known)


@pytest.mark.parametrize(
    ("report", "known"),
    [
        ("2024-07-09", "2024-07-12T19:30+00:00"),  # a Tuesday: Friday 15:30 New York
        ("2024-01-09", "2024-01-12T20:30+00:00"),  # the same in winter
        ("2024-07-02", "2024-07-08T19:30+00:00"),  # Independence Day between: Monday
        ("2024-11-26", "2024-12-02T20:30+00:00"),  # Thanksgiving
        ("2024-03-26", "2024-03-29T19:30+00:00"),  # Good Friday is no federal holiday
        ("2017-07-03", "2017-07-10T19:30+00:00"),  # a Monday before Independence Day: the Monday after that Friday
        ("2019-01-08", "2019-02-08T20:30+00:00"),  # held back by the lapse of 2018-19
        ("2025-10-07", "2025-11-21T20:30+00:00"),  # held back by the lapse of 2025
    ],
)
def test_when_positions_are_known(report: str, known: str) -> None:
    assert cot_published(date.fromisoformat(report)) == datetime.fromisoformat(known)


TFF = (
    "Market_and_Exchange_Names,Report_Date_as_YYYY-MM-DD,CFTC_Contract_Market_Code,Open_Interest_All,"
    "Asset_Mgr_Positions_Long_All,Asset_Mgr_Positions_Short_All,Lev_Money_Positions_Long_All,"
    "Lev_Money_Positions_Short_All,FutOnly_or_Combined\n"
)


def test_positions_are_matched_on_the_code_and_may_be_padded(take: Take, store: Store) -> None:
    result = take(
        "FinFutYY.txt",
        TFF
        + '"NASDAQ MINI - CME",2024-07-09,209742 ,  250000,  90000,   30000, 40000,60000,FutOnly\n'
        + '"SOMETHING ELSE",2024-07-09,239742,450000,100000,90000,20000,95000,FutOnly\n'
        + '"CANADIAN DOLLAR",2024-07-09,090741,1,1,1,1,1,FutOnly\n',
    )
    assert (result.rows, result.symbol) == (2, "COT:209742, COT:239742")
    assert "1 rows of other contracts are not needed" in result.notes
    assert series(store, "COT:209742:asset_manager_net") == {"2024-07-09": 60000}
    assert series(store, "COT:239742:leveraged_net") == {"2024-07-09": -75000}
    assert series(store, "COT:239742:open_interest") == {"2024-07-09": 450000}


def test_positions_are_not_known_on_the_tuesday_they_describe(take: Take, store: Store) -> None:
    take("FinFutYY.txt", TFF + "NQ,2024-07-09,209742,250000,90000,30000,40000,60000,FutOnly\n")
    assert not series(store, "COT:209742:open_interest", datetime(2024, 7, 12, 19, 29, tzinfo=UTC))
    assert series(store, "COT:209742:open_interest", datetime(2024, 7, 12, 19, 30, tzinfo=UTC))


def test_names_of_the_web_service(take: Take, store: Store) -> None:
    head = TFF.lower().replace("_all", "").replace("report_date_as_yyyy-mm-dd", "report_date_as_yyyy_mm_dd")
    take("tff.csv", head + "NQ,2024-07-09T00:00:00.000,209742,250000,90000,30000,40000,60000,FutOnly\n")
    assert series(store, "COT:209742:leveraged_net") == {"2024-07-09": -20000}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            TFF.replace("Asset_Mgr", "M_Money") + "NQ,2024-07-09,209742,1,1,1,1,1,FutOnly\n",
            "not the report on financial",
        ),
        (TFF + "CAD,2024-07-09,090741,1,1,1,1,1,FutOnly\n", "holds none of the contracts 209742"),
        (TFF + "NQ,2024-07-09,209742,1,1,1,1,1,Combined\n", "counts options too"),
        (TFF + "NQ,2024-07-09,209742,,1,1,1,1,FutOnly\n", "1 of 209742 without whole positions"),
        (TFF + "NQ,2024-07-09,209742,100,500,1,1,1,FutOnly\n", "1 of 209742 without whole positions"),
    ],
)
def test_reports_that_do_not_serve(text: str, cause: str, take: Take, store: Store) -> None:
    with pytest.raises(ImportRefusedError) as refusal:
        take("f.txt", text)
    assert cause in str(refusal.value)
    assert store.version == 0


def test_reports_that_contradict_each_other_are_both_left_out(take: Take, store: Store) -> None:
    one = "NQ,2024-07-09,209742,250000,90000,30000,40000,60000,FutOnly\n"
    other = one.replace("250000", "260000")
    later = one.replace("07-09", "07-16")
    result = take("f.txt", TFF + one + other + later + later)
    assert series(store, "COT:209742:open_interest") == {"2024-07-16": 250000}
    assert (result.rows, result.rejected_rows) == (1, 3)


def test_a_wide_summary_names_the_leveraged_funds_hedge(take: Take, store: Store) -> None:
    head = ",".join(
        f"{root}_{f}" for root in ("NQ", "RTY") for f in ("OI", "ASSET_L", "ASSET_S", "HEDGE_L", "HEDGE_S")
    )
    result = take("cot.csv", f"date,{head}\n2024-07-09,250000,90000,30000,40000,60000,450000,9,8,7,6\n")
    assert (result.kind, result.rows) == ("CFTC summary, wide", 1)
    assert series(store, "COT:209742:leveraged_net") == {"2024-07-09": -20000}
    assert series(store, "COT:239742:asset_manager_net") == {"2024-07-09": 1}


def test_positions_that_are_no_numbers_are_left_out(take: Take, store: Store) -> None:
    good = "NQ,2024-07-09,209742,250000,90000,30000,40000,60000,FutOnly\n"
    result = take("f.txt", TFF + good + "NQ,2024-07-16,209742,250000,inf,inf,40000,60000,FutOnly\n")
    assert series(store, "COT:209742:asset_manager_net") == {"2024-07-09": 60000}
    assert result.rejected == ("1 of 209742 without whole positions (2024-07-16)",)
