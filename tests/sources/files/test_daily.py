"""Daily prices: every shape on a small file, and every defect of a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest

from desktop.market.quotes import Interval
from desktop.market.store import Priority, Store
from desktop.sources.files import ImportRefusedError, ImportResult

Take = Callable[..., ImportResult]

HEADER = "date,open,high,low,close,volume\n"


def bars(store: Store, symbol: str) -> list[tuple[str, float, float, float, float]]:
    found = store.bars(symbol, Interval.DAY)
    columns = (found.open, found.high, found.low, found.close)
    return list(zip(map(str, found.days), *(column.tolist() for column in columns), strict=True))


def closes(store: Store, symbol: str) -> dict[str, float]:
    found = store.closes(symbol)
    return dict(zip(map(str, found.days), found.close.tolist(), strict=True))


# Shapes


def test_yahoo_with_three_header_lines_and_close_first(take: Take, store: Store) -> None:
    result = take(
        "download.csv",
        "Price,Adj Close,Close,High,Low,Open,Volume\n"
        "Ticker,^NDX,^NDX,^NDX,^NDX,^NDX,^NDX\n"
        "Date,,,,,,\n"
        "2024-07-10,20675.38,20675.38,20690.97,20498.59,20502.57,5\n"
        "2024-07-11,20211.36,20211.36,20702.78,20165.92,20688.42,6\n",
    )
    assert (result.kind, result.symbol, result.rows, result.rejected) == ("Yahoo daily bars", "^NDX", 2, ())
    assert (result.first, result.last) == (date(2024, 7, 10), date(2024, 7, 11))
    assert bars(store, "^NDX") == [
        ("2024-07-10", 20502.57, 20690.97, 20498.59, 20675.38),
        ("2024-07-11", 20688.42, 20702.78, 20165.92, 20211.36),
    ]
    assert store.bars("^NDX", Interval.DAY).volume.tolist() == [5, 6]


@pytest.mark.parametrize("by_ticker", [False, True])
def test_yahoo_with_two_tickers_keeps_them_apart(by_ticker: bool, take: Take, store: Store) -> None:
    names = ["Close", "High", "Low", "Open"]
    pairs = [(name, ticker) for name in names for ticker in ("^NDX", "^RUT")]
    values = dict(
        zip(pairs, ("20675.38", "2051.75", "20690", "2052", "20498", "2030", "20502", "2031"), strict=True)
    )
    if by_ticker:
        pairs.sort(key=lambda pair: pair[1])
    rows = [["Price", *(name for name, _ in pairs)], ["Ticker", *(ticker for _, ticker in pairs)]]
    rows = [*(reversed(rows) if by_ticker else rows), ["Date", *[""] * 8]]
    rows.append(["2024-07-10", *(values[pair] for pair in pairs)])
    result = take("download.csv", "\n".join(",".join(row) for row in rows) + "\n")
    assert result.rows == 2
    assert bars(store, "^NDX") == [("2024-07-10", 20502, 20690, 20498, 20675.38)]
    assert bars(store, "^RUT") == [("2024-07-10", 2031, 2052, 2030, 2051.75)]


def test_yahoo_closes_alone_are_named_by_their_tickers(take: Take, store: Store) -> None:
    take("rut.csv", "Price,Close,Close\nTicker,^NDX,^SPX\nDate,,\n2024-07-10,20675.38,5633.91\n")
    assert closes(store, "^NDX") == {"2024-07-10": 20675.38}
    assert closes(store, "^SPX") == {"2024-07-10": 5633.91}
    take("rut.csv", "Price,Close,Volume\nTicker,^IXIC,^IXIC\nDate,,\n2024-07-10,18647.45,9\n")
    assert closes(store, "^IXIC") == {"2024-07-10": 18647.45}
    with pytest.raises(ImportRefusedError, match="save their closes alone"):
        take("rut.csv", "Price,Close,Volume\nTicker,^NDX,^SPX\nDate,,\n2024-07-10,20675.38,9\n")
    assert not len(store.closes("^RUT"))


def test_header_lines_that_do_not_fit_together(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="its three header lines do not fit together"):
        take("rut.csv", "Price,Close,High\nTicker,^NDX\nDate,,\n2024-07-10,20675.38,5633.91\n")


def test_yahoo_history_with_midnights_dividends_and_splits(take: Take, store: Store) -> None:
    take(
        "^RUT.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-07-10 00:00:00-04:00,2031,2052,2030,2051.75,7,0.0,0.0\n",
    )
    assert bars(store, "^RUT") == [("2024-07-10", 2031, 2052, 2030, 2051.75)]


def test_a_running_number_before_the_date_is_dropped(take: Take, store: Store) -> None:
    take("rut.csv", ",Date,Open,High,Low,Close\n0,2024-07-10,2031,2052,2030,2051.75\n")
    assert bars(store, "^RUT") == [("2024-07-10", 2031, 2052, 2030, 2051.75)]


def test_adjusted_closes_stand_apart_from_traded_ones(take: Take, store: Store) -> None:
    result = take(
        "IWM.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2020-01-02,166.7,166.7,165.1,165.67,156.9,9\n"
        "2020-01-03,163.6,165.9,163.3,165.13,156.4,9\n",
    )
    assert closes(store, "IWM") == {"2020-01-02": 165.67, "2020-01-03": 165.13}
    assert closes(store, "IWM:adj") == {"2020-01-02": 156.9, "2020-01-03": 156.4}
    assert "its Adj Close is stored as IWM:adj" in result.notes


def test_an_index_has_no_adjusted_closes(take: Take, store: Store) -> None:
    take("rut.csv", "Date,Open,High,Low,Close,Adj Close\n2024-07-10,2031,2052,2030,2051.75,2051.75\n")
    assert [one.symbol for one in store.symbols()] == ["^RUT"]


def test_cboe_history_with_four_prices(take: Take, store: Store) -> None:
    result = take("VIX_History.csv", "DATE,OPEN,HIGH,LOW,CLOSE\n07/10/2024,12.6,13.0,12.4,12.85\n")
    assert (result.kind, result.symbol) == ("Cboe index history", "^VIX")
    assert bars(store, "^VIX") == [("2024-07-10", 12.6, 13.0, 12.4, 12.85)]


def test_cboe_history_of_closes_is_named_by_its_column(take: Take, store: Store) -> None:
    take("renamed.csv", "DATE,DSPX\n01/02/2018,20.1\n02/08/2018,0.00\n")
    assert closes(store, "^DSPX") == {"2018-01-02": 20.1}


def test_a_wide_table_of_indices(take: Take, store: Store) -> None:
    result = take(
        "closes.csv",
        "date,SPX,NDX,^RUT,QQQ,SPX_volume\n2024-07-10,5633.91,20675.38,2051.75,503.5,9\n"
        "2024-07-11,,20211.36,2125.04,491.93,9\n",
    )
    assert (result.kind, result.rows) == ("index closes", 2)
    assert closes(store, "^SPX") == {"2024-07-10": 5633.91}
    assert closes(store, "^RUT") == {"2024-07-10": 2051.75, "2024-07-11": 2125.04}
    assert closes(store, "QQQ") == {"2024-07-10": 503.5, "2024-07-11": 491.93}
    assert "its volumes are not taken" in result.notes


def test_a_wide_table_of_volatility_leaves_out_what_is_no_index(take: Take, store: Store) -> None:
    result = take("v.csv", "date,VIX,VIX3M,VXN,SLOPE\n2024-07-10,12.85,14.5,17.1,1.1\n")
    assert result.kind == "Cboe volatility table"
    assert {one.symbol for one in store.symbols()} == {"^VIX", "^VIX3M", "^VXN"}
    assert "not taken, no published index: SLOPE" in result.notes


def test_two_columns_of_one_index_are_refused(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"columns SPX and GSPC are both \^SPX; keep one"):
        take("v.csv", "date,SPX,GSPC\n2024-07-10,5633.91,5633.91\n")


def test_a_bad_cell_in_a_wide_table_costs_that_cell_alone(take: Take, store: Store) -> None:
    result = take("v.csv", "date,VIX,VXN\n2024-07-10,12.85,0\n2024-07-11,12.92,17.5\n2024-07-12,-1,x\n")
    assert closes(store, "^VIX") == {"2024-07-10": 12.85, "2024-07-11": 12.92}
    assert closes(store, "^VXN") == {"2024-07-11": 17.5}
    assert (result.rows, result.rejected) == (2, ("1 without a usable value (2024-07-12)",))
    assert "cells left out: 1 with a close of ^VXN of zero or less (2024-07-10)" in result.notes


def test_a_date_and_a_close(take: Take, store: Store) -> None:
    assert take("ndx.csv", "Date,Close\n2024-07-10,20675.38\n").kind == "daily closes"
    assert closes(store, "^NDX") == {"2024-07-10": 20675.38}
    assert not len(store.bars("^NDX", Interval.DAY))


def test_a_futures_contract_of_a_broker(take: Take, store: Store) -> None:
    result = take(
        "nq-202609.csv",
        "date,open,high,low,close,volume,average,barCount\n"
        "2026-07-29,28000,28000,28000,28000,0.0,28000,0\n"
        "2026-07-30,28010,28100,27900,28050,10.0,28000,9\n",
    )
    assert (result.kind, result.symbol, result.rows) == ("futures contract, daily bars", "NQU26.CME", 2)
    assert "1 of 2 rows are settlement marks without a trade" in result.notes
    assert store.bars("NQU26.CME", Interval.DAY).volume.tolist() == [0, 10]


def test_contracts_below_each_other(take: Take, store: Store) -> None:
    take(
        "zq.csv",
        "Date,Symbol,Open,High,Low,Close,Volume\n2023-03-10,ZQH23,95.3,95.4,95.3,95.3375,5\n"
        "2023-03-10,ZQJ23,95.0,95.2,95.0,95.1,5\n2023-03-13,ZQH23,95.4,95.5,95.4,95.45,5\n",
    )
    assert closes(store, "ZQH23.CBT") == {"2023-03-10": 95.3375, "2023-03-13": 95.45}
    assert closes(store, "ZQJ23.CBT") == {"2023-03-10": 95.1}


def test_a_settlement_outside_the_range_traded_is_kept_as_a_close(take: Take, store: Store) -> None:
    take("zq.csv", "Date,Symbol,Open,High,Low,Close,Volume\n2021-12-01,ZQF22,99.9,99.9,99.9,99.915,5\n")
    assert closes(store, "ZQF22.CBT") == {"2021-12-01": 99.915}
    assert not len(store.bars("ZQF22.CBT", Interval.DAY))


def test_rate_futures_trade_on_a_good_friday_with_a_jobs_report(take: Take, store: Store) -> None:
    take("zq.csv", "Date,Symbol,Open,High,Low,Close,Volume\n2023-04-07,ZQK23,95.065,95.07,95.01,95.015,52386\n")
    assert closes(store, "ZQK23.CBT") == {"2023-04-07": 95.015}


def test_settlements_by_contract(take: Take, store: Store) -> None:
    result = take("nq.csv", "date,NQZ26,NQU26\n2026-08-03,29182,28891.75\n2026-08-15,29182,28891.75\n")
    assert (result.kind, result.rows) == ("settlements by contract", 1)
    assert closes(store, "NQU26.CME") == {"2026-08-03": 28891.75}
    assert result.rejected == ("1 on a weekend, a copy of the day before (2026-08-15)",)


def test_contracts_of_another_root_are_not_what_the_name_says(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"the root TF, which is no future known .* not RTY, as the file"):
        take("rty-strip.csv", "date,TFU26,TFQ26\n2026-08-03,3.82,3.845\n")


# Dates


@pytest.mark.parametrize(
    "dates", [("20240710", "20240711"), ("7/10/2024", "7/31/2024"), ("10/7/2024", "31/7/2024")]
)
def test_dates_that_can_be_told(dates: tuple[str, str], take: Take, store: Store) -> None:
    take("rut.csv", f"Date,Close\n{dates[0]},2051.75\n{dates[1]},2125.04\n")
    assert str(store.closes("^RUT").days[0]) == "2024-07-10"


def test_dates_that_could_be_either(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="could be day/month or month/day"):
        take("rut.csv", "Date,Close\n07/10/2024,2051.75\n07/11/2024,2125.04\n")


def test_dates_that_mix_both(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="mix day/month and month/day"):
        take("rut.csv", "Date,Close\n07/31/2024,2051.75\n31/07/2024,2125.04\n")


def test_a_price_of_half_past_ten_is_no_daily_close(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"does not hold dates \(for example '2024-07-10 10:30"):
        take("rut.csv", "Date,Close\n2024-07-10 10:30:00-04:00,2051.75\n2024-07-11 10:30:00-04:00,2125.04\n")


def test_rows_in_any_order_are_stored_in_order(take: Take, store: Store) -> None:
    take("rut.csv", "Date,Close\n2024-07-11,2125.04\n2024-07-09,2029.47\n2024-07-10,2051.75\n")
    assert store.closes("^RUT").close.tolist() == [2029.47, 2051.75, 2125.04]


def test_all_dates_in_the_future(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"after today \(2026-11-25\); check the file and the computer's"):
        take("rut.csv", "Date,Close\n2027-07-12,2051.75\n")


DEFECTS = [
    ("2024-07-12,nan,,,null,0", "1 without a close (2024-07-12)"),
    ("2024-07-12,2150,2160,2140,abc,0", "1 with a close that is no number (2024-07-12)"),
    ("2024-07-12,2150,2160,2140,inf,0", "1 with a close that is no number (2024-07-12)"),
    ("2024-07-12,2150,2160,2140,0.00,0", "1 with a close of zero or less (2024-07-12)"),
    ("2024-07-12,2150,2160,2140,-2148,0", "1 with a close of zero or less (2024-07-12)"),
    ("2024-07-12,2150,2160,2140,2200,0", "1 whose close lies outside its high and low (2024-07-12)"),
    ("2024-07-13,2150,2160,2140,2148,0", "1 on a weekend (2024-07-13)"),
    ("2024-07-13,2100,2126,2090,2125.040039,0", "1 on a weekend, a copy of the day before (2024-07-13)"),
    ("2024-07-04,2030,2040,2020,2035,0", "1 on a day when the exchange was closed (2024-07-04)"),
    ("2027-07-12,2150,2160,2140,2148,0", "1 in the future (2027-07-12)"),
    ("1899-07-12,2150,2160,2140,2148,0", "1 before 1900 (1899-07-12)"),
    ("1984-07-12,2150,2160,2140,2148,0", "1 before 1985, where no session calendar reaches (1984-07-12)"),
    ("2024-07-32,2150,2160,2140,2148,0", "1 with an unreadable date (2024-07-32)"),
    ("2024-07-12,21500,21600,21400,21480,0", "1 far off the published level of ^RUT (2024-07-12)"),
    ("2024-07-11,2100,2126,2090,2125.04,0", "1 that repeat another row (2024-07-11)"),
    (
        "2024-07-11,2100,2126,2090,2124.99,0",
        "2 that contradict another row of the same time (2024-07-11, 2024-07-11)",
    ),
]


@pytest.mark.parametrize(("row", "reason"), DEFECTS, ids=[reason[2:40] for _, reason in DEFECTS])
def test_a_defect_costs_its_row_and_names_its_reason(row: str, reason: str, take: Take, store: Store) -> None:
    levels = {"2024-07-09": 2029.47, "2024-07-10": 2051.75, "2024-07-11": 2125.04}
    days = [
        *[f"2024-06-{day:02}" for day in (3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 17, 18, 20, 21, 24, 25, 26)],
        *levels,
    ]
    good = [
        f"{day},{close},{close + 1},{close - 60},{close},0" for day in days for close in [levels.get(day, 2030.0)]
    ]
    good[-1] = "2024-07-11,2100,2126,2090,2125.04,0"
    result = take("rut.csv", HEADER + "\n".join([*good, row]) + "\n")
    lost = 1 if "contradict" in reason else 0
    assert result.rejected == (reason,)
    assert result.rejected_rows == 1 + lost
    assert result.rows == len(store.closes("^RUT")) == len(good) - lost
    assert closes(store, "^RUT") == {day: levels.get(day, 2030.0) for day in days[: len(days) - lost]}


def test_an_open_outside_high_and_low_leaves_the_close(take: Take, store: Store) -> None:
    result = take("vix.csv", HEADER + "2024-07-10,12.0,13.0,12.4,12.85,0\n2024-07-11,12.6,13.3,12.5,12.92,0\n")
    assert closes(store, "^VIX") == {"2024-07-10": 12.85, "2024-07-11": 12.92}
    assert [bar[0] for bar in bars(store, "^VIX")] == ["2024-07-11"]
    assert result.rejected == ()
    assert "1 rows without an open, high and low that fit are kept as closes (2024-07-10)" in result.notes


def test_float32_noise_contradicts_nothing(take: Take, store: Store) -> None:
    low = float(np.float32(2050.1))
    assert low > 2050.1 - 1e-3
    result = take(
        "rut.csv", HEADER + f"2024-07-10,2051,2052,{low!r},2050.1,0\n2024-07-10,2051,2052,2050.1,{low!r},0\n"
    )
    assert (result.rows, result.rejected) == (1, ("1 that repeat another row (2024-07-10)",))
    assert len(store.bars("^RUT", Interval.DAY)) == 1


def test_a_lone_move_of_a_quarter_is_a_bad_print_and_a_lasting_one_is_noted(take: Take, store: Store) -> None:
    days = ["2024-07-08", "2024-07-09", "2024-07-10", "2024-07-11", "2024-07-12"]
    lone = [5500.0, 5510.0, 7500.0, 5520.0, 5530.0]
    result = take("spx.csv", "Date,Close\n" + "".join(f"{d},{c}\n" for d, c in zip(days, lone, strict=True)))
    assert result.rejected == ("1 of ^SPX with a move of more than 25 % that was gone the next day (2024-07-10)",)
    assert "2024-07-10" not in closes(store, "^SPX")
    lasting = [5500.0, 5510.0, 7500.0, 7510.0, 7520.0]
    result = take("gspc.csv", "Date,Close\n" + "".join(f"{d},{c}\n" for d, c in zip(days, lasting, strict=True)))
    assert result.rows == 5
    assert "check: ^SPX moves by more than 25 % in a day (2024-07-10)" in result.notes


@pytest.mark.parametrize(
    ("now", "rows"), [((2024, 7, 11, 20, 0), 1), ((2024, 7, 11, 20, 19), 1), ((2024, 7, 11, 20, 21), 2)]
)
def test_the_day_counts_once_its_session_is_over(now: tuple[int, ...], rows: int, take: Take) -> None:
    # 20:00 UTC is 16:00 in New York in July.
    text = "Date,Close\n2024-07-10,2051.75\n2024-07-11,2125.04\n"
    result = take("rut.csv", text, now=datetime(*now, tzinfo=UTC))  # type: ignore[arg-type, misc]
    assert result.rows == rows
    assert result.rejected == (() if rows == 2 else ("1 of a session that had not closed (2024-07-11)",))


def test_years_whose_opens_repeat_the_close_before_are_named(take: Take) -> None:
    rows, before = [], 2000.0
    for year in (2005, 2006, 2007):
        for month in range(1, 13):
            close = before + 1
            opened = before if year < 2007 else before + 0.7
            day = next(d for d in range(10, 20) if np.is_busday(np.datetime64(f"{year}-{month:02}-{d}")))
            rows.append(f"{year}-{month:02}-{day},{opened},{close + 2},{opened - 2},{close},0")
            before = close
    result = take("dji.csv", HEADER + "\n".join(rows))
    assert "most opens repeat the close before until 2006" in result.notes


# What the store already has


def test_a_better_source_stays(take: Take, store: Store) -> None:
    take("rut.csv", "Date,Open,High,Low,Close\n2024-07-10,2031,2052,2030,2051.75\n")
    result = take("also-rut.csv", "Date,Close\n2024-07-10,2051.70\n2024-07-11,2125.04\n")
    assert closes(store, "^RUT") == {"2024-07-10": 2051.75, "2024-07-11": 2125.04}
    assert "1 rows of a better source stay as they are" in result.notes


def test_the_same_file_twice_changes_nothing(take: Take, store: Store) -> None:
    text = "Date,Open,High,Low,Close,Adj Close\n2020-01-02,166.7,166.7,165.1,165.67,156.9\n"
    first = take("IWM.csv", text)
    version = store.version
    assert take("IWM.csv", text) == first
    assert closes(store, "IWM:adj") == {"2020-01-02": 156.9}
    assert store.version <= version + 1


ADJUSTED = "Date,Adj Close\n2020-01-02,{0}\n2020-01-03,{1}\n"


def test_adjusted_prices_of_two_downloads_are_never_joined(take: Take, store: Store) -> None:
    take("iwm.csv", ADJUSTED.format(156.9, 156.4))
    take("iwm.csv", ADJUSTED.format(150.1, 150.2))
    assert closes(store, "IWM:adj") == {"2020-01-02": 156.9, "2020-01-03": 156.4}
    take("iwm.csv", "Date,Adj Close\n2020-01-03,150.2\n2020-01-06,150.9\n")
    assert closes(store, "IWM:adj") == {"2020-01-02": 156.9, "2020-01-03": 156.4}
    take("iwm.csv", ADJUSTED.format(150.1, 150.2) + "2020-01-06,150.9\n")
    assert closes(store, "IWM:adj") == {"2020-01-02": 150.1, "2020-01-03": 150.2, "2020-01-06": 150.9}


def test_adjusted_prices_of_a_vendor_are_replaced_whole_as_well(take: Take, store: Store) -> None:
    take("iwm.csv", ADJUSTED.format(156.9, 156.4))
    stored = store.closes("IWM:adj")
    store.put_closes(stored, source="vendor", priority=Priority.VENDOR)
    take("iwm.csv", ADJUSTED.format(150.1, 150.2) + "2020-01-06,150.9\n")
    assert closes(store, "IWM:adj") == {"2020-01-02": 150.1, "2020-01-03": 150.2, "2020-01-06": 150.9}


def test_an_import_is_one_write(take: Take, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put, calls = store.put_closes, []

    def fail_at_the_second(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return put(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "put_closes", fail_at_the_second)
    table = "date,SPX,NDX\n2024-07-10,5633.91,20675.38\n"
    with pytest.raises(Exception, match="No space left"):
        take("closes.csv", table)
    assert not store.symbols()
    assert store.version == 0
    monkeypatch.undo()
    take("closes.csv", table)
    assert {one.symbol for one in store.symbols()} == {"^SPX", "^NDX"}
    assert store.version > 0
