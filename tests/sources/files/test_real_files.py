"""Every real file: its kind, rows, range and declared defects, against the description of the data.

Expected figures come from the README of the data or are counted here with the csv module and the library of
exchange calendars.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pytest

from desktop.market.quotes import Interval, Panel
from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult, describe, import_file

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")

# exchange_calendars 4.13 under pandas 3.1: the library's own, harmless until pandas 4
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning:pandas.errors.Pandas4Warning")

Imported = Callable[[str], tuple[ImportResult, Store]]


@pytest.fixture(scope="module")
def imported(real_data: Path) -> Iterator[Imported]:
    """Import a file once into a store of its own."""
    stores: list[Store] = []

    @cache
    def once(file: str) -> tuple[ImportResult, Store]:
        stores.append(Store(None))
        return import_file(real_data / file, stores[-1], now=NOW), stores[-1]

    yield once
    for store in stores:
        store.close()


@cache
def _rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return list(csv.DictReader(text.decode().splitlines()))


@cache
def sessions() -> frozenset[str]:
    calendar = exchange_calendars.get_calendar("XNYS", start="1986-01-01", end="2026-12-31")
    return frozenset(str(day.date()) for day in calendar.sessions)


# file, kind, symbol, rows taken, rows rejected, first, last
FILES: Sequence[tuple[str, str, str, int, int, str, str]] = [
    ("index-daily/ndx-yahoo-1985-2026.csv", "Yahoo daily bars", "^NDX", 10181, 0, "1985-10-01", "2026-02-27"),
    ("index-daily/rut-yahoo-1987-2024.csv", "Yahoo daily bars", "^RUT", 9297, 0, "1987-09-10", "2024-08-02"),
    ("index-daily/rut-marketbase-2016-2026.csv", "daily bars", "^RUT", 2552, 0, "2016-06-28", "2026-08-21"),
    (
        "index-daily/spx-ndx-rut-close-yahoo-2024-2026.csv",
        "index closes",
        "^SPX, ^NDX, ^RUT",
        501,
        3,
        "2024-08-22",
        "2026-08-21",
    ),
    # 284 NA and two values on closed days, 1998-07-03 and 2001-01-01
    ("index-daily/ndx-fred-NASDAQ100-1986-2018.csv", "FRED", "^NDX", 8130, 286, "1986-01-02", "2018-04-05"),
    ("index-daily/rut-fred-RU2000PR-1978-2018.csv", "FRED", "RU2000PR", 8384, 1867, "1985-01-02", "2018-04-05"),
    ("etf-daily/qqq-yahoo-1999-2025.csv", "Yahoo daily bars", "QQQ", 6675, 0, "1999-03-10", "2025-09-19"),
    ("etf-daily/qqq-marketbase-2016-2026.csv", "daily bars", "QQQ", 2552, 0, "2016-06-28", "2026-08-21"),
    ("etf-daily/iwm-yahoo-2000-2022.csv", "Yahoo daily bars", "IWM", 5658, 0, "2000-05-26", "2022-11-18"),
    ("etf-daily/iwm-yahoo-adjusted-2000-2026.csv", "daily bars", "IWM:adj", 6497, 0, "2000-05-26", "2026-03-27"),
    ("vol-cboe/VIX_History.csv", "Cboe index history", "^VIX", 9122, 30, "1990-01-02", "2026-03-27"),
    ("vol-cboe/COR1M_History.csv", "Cboe index history", "^COR1M", 5090, 0, "2006-01-03", "2026-03-27"),
    ("vol-cboe/VIXEQ_History.csv", "Cboe index history", "^VIXEQ", 2961, 0, "2014-06-19", "2026-03-27"),
    ("vol-cboe/DSPX_History.csv", "Cboe index history", "^DSPX", 2960, 1, "2014-06-19", "2026-03-27"),
    (
        "vol-cboe/cboe-volatility-wide-1990-2026.csv",
        "Cboe volatility table",
        "^VIX1D … ^VEWZ (27)",
        9226,
        36,
        "1990-01-02",
        "2026-08-20",
    ),
    ("rates-fed/DGS2-1994-2026.csv", "FRED", "DGS2", 8062, 347, "1994-01-03", "2026-03-26"),
    ("rates-fed/fred-rates-1976-2026.csv", "FRED", "FEDFUNDS … DGS10 (10)", 18347, 0, "1976-06-01", "2026-08-24"),
    (
        "cot-tff/tff-ndx-rut-rows-2017-2026.csv",
        "CFTC traders in financial futures",
        "COT:209742, COT:20974+, COT:209747, COT:239742, COT:239747, COT:23977A",
        1014,
        0,
        "2017-01-03",
        "2026-03-24",
    ),
    (
        "cot-tff/FinFutYY-2026q1-full.txt",
        "CFTC traders in financial futures",
        "COT:209742, COT:20974+, COT:209747, COT:239742, COT:239747",
        60,
        0,
        "2026-01-06",
        "2026-03-24",
    ),
    (
        "cot-tff/cot-summary-wide-2024-2026.csv",
        "CFTC summary, wide",
        "COT:209742, COT:239742",
        138,
        0,
        "2024-01-02",
        "2026-08-18",
    ),
    (
        "futures-daily/nq-202609.csv",
        "futures contract, daily bars",
        "NQU26.CME",
        341,
        0,
        "2025-03-24",
        "2026-07-31",
    ),
    (
        "futures-daily/nq-202612.csv",
        "futures contract, daily bars",
        "NQZ26.CME",
        501,
        0,
        "2024-07-30",
        "2026-07-31",
    ),
    (
        "futures-daily/rty-202609.csv",
        "futures contract, daily bars",
        "RTYU26.CME",
        279,
        0,
        "2025-06-23",
        "2026-07-31",
    ),
    (
        "futures-daily/rty-202612.csv",
        "futures contract, daily bars",
        "RTYZ26.CME",
        317,
        0,
        "2025-04-28",
        "2026-07-31",
    ),
    (
        "futures-daily/nq-strip-barchart-2026-08.csv",
        "settlements by contract",
        "NQZ31.CME … NQU26.CME (12)",
        15,
        1,
        "2026-08-03",
        "2026-08-21",
    ),
    (
        "zq-fedwatch/zq-contracts-2021-2023.csv",
        "daily bars of several symbols",
        "ZQF22.CBT … ZQZ25.CBT (48)",
        23597,
        0,
        "2021-06-01",
        "2023-09-15",
    ),
    (
        "zq-fedwatch/zq-strip-barchart-2026-08.csv",
        "settlements by contract",
        "ZQN31.CBT … ZQQ26.CBT (60)",
        15,
        1,
        "2026-08-03",
        "2026-08-21",
    ),
    ("intraday-ibkr/rut-5m-2024-2026.csv", "intraday bars 5m", "^RUT", 47738, 0, "2024-03-11", "2026-08-21"),
    ("intraday-ibkr/qqq-5m-2024-2026.csv", "intraday bars 5m", "QQQ", 47754, 0, "2024-03-11", "2026-08-21"),
    ("intraday-ibkr/rut-15m-2022-2026.csv", "intraday bars 15m", "^RUT", 23687, 0, "2022-12-28", "2026-08-21"),
    ("intraday-ibkr/qqq-15m-2022-2026.csv", "intraday bars 15m", "QQQ", 23694, 0, "2022-12-28", "2026-08-21"),
    ("intraday-ibkr/ixic-5m-2024-06-to-08.csv", "intraday bars 5m", "^IXIC", 4878, 0, "2024-06-03", "2024-08-30"),
    ("intraday-ibkr/spx-5m-2024-06-to-08.csv", "intraday bars 5m", "^SPX", 4878, 0, "2024-06-03", "2024-08-30"),
    ("intraday-yahoo-2026/iwm-1m.csv", "intraday bars 1m", "IWM", 2428, 1, "2026-03-23", "2026-03-31"),
    ("intraday-yahoo-2026/qqq-1m.csv", "intraday bars 1m", "QQQ", 2427, 1, "2026-03-23", "2026-03-31"),
    ("intraday-yahoo-2026/iwm-5m.csv", "intraday bars 5m", "IWM", 4520, 0, "2025-12-23", "2026-03-20"),
    ("intraday-yahoo-2026/qqq-5m.csv", "intraday bars 5m", "QQQ", 4520, 0, "2025-12-23", "2026-03-20"),
    ("intraday-yahoo-2026/ndx-5m.csv", "intraday bars 5m", "^NDX", 4639, 0, "2026-03-26", "2026-06-22"),
    (
        "intraday-yahoo-2026/iwm-5m-2026-03-monthfile.csv",
        "intraday bars 5m",
        "IWM",
        1131,
        0,
        "2026-03-02",
        "2026-03-20",
    ),
    (
        "intraday-yahoo-2026/qqq-5m-2026-03-monthfile.csv",
        "intraday bars 5m",
        "QQQ",
        1131,
        761,
        "2026-03-02",
        "2026-03-20",
    ),
    *(
        (f"stock-panels/{name}.csv.gz", "close panel", f"universe {name}", rows, 0, first, last)
        for name, rows, first, last in (
            ("us-83-adjclose-2018-2025", 2011, "2018-01-02", "2025-12-31"),
            ("sp500-498-adjclose-2023-2026", 772, "2023-01-03", "2026-01-30"),
            ("sp500-505-adjclose-2019-2020", 226, "2019-06-07", "2020-04-29"),
            ("ndx-members-close-2024-2026", 501, "2024-04-30", "2026-04-29"),
            ("ndx-members-adjclose-2024-2026", 501, "2024-04-30", "2026-04-29"),
            ("ndx-members-close-2024-2026-b", 501, "2024-08-22", "2026-08-21"),
        )
    ),
]

REFUSED = [
    ("index-daily/TRAP-mislabelled-NASDAQ100-is-QQQ.csv", "a QQQ price is not an NDX level"),
    ("futures-daily/TRAP-rty-strip-barchart-2026-08.csv", "the root TF, which is no future known here"),
    ("econ-calendar/TRAP-cpi-release-dates-2020s.csv", "a list of release dates (of planned ones"),
    ("econ-calendar/fomc-dates-2000-2026.csv", "one column only"),
    ("econ-calendar/macro-events-2000-2027.csv", "a calendar of releases, not prices"),
    ("econ-calendar/macro-events-2000-2027-corrected.csv", "a calendar of releases, not prices"),
    ("econ-calendar/us-market-holidays-1990-2022.csv", "a list of holidays, not prices"),
    ("reference-values/key-dates.csv", "derived figures, not prices"),
    ("reference-values/top-20-daily-divergences.csv", "derived figures, not prices"),
    ("zq-fedwatch/fedwatch-reference-2023-03-10.csv", "a printed table of probabilities"),
    ("zq-fedwatch/fomc-probabilities-thirdparty-2026.csv", "probabilities that someone else derived"),
    ("zq-fedwatch/zq-settle-yahoo-2026.csv", "settlements by meeting month"),
    ("yahoo-stream/frames.json", "a JSON file"),
    ("yahoo-fixtures/yfinance-rs/history_chart_AAPL.json", "a JSON file"),
    ("yahoo-fixtures/node-yahoo-finance2/quote-QQQ.json", "a JSON file"),
    ("README.md", "one column only"),
]


def test_every_real_table_is_named_here(real_data: Path) -> None:
    named = {file for file, *_ in FILES} | {file for file, _ in REFUSED}
    there = {
        str(path.relative_to(real_data)) for path in real_data.rglob("*") if path.suffix in (".csv", ".gz", ".txt")
    }
    assert there - named == set()


@pytest.mark.parametrize(
    ("file", "kind", "symbol", "rows", "rejected", "first", "last"), FILES, ids=[one[0] for one in FILES]
)
def test_kind_symbol_rows_and_range(
    file: str, kind: str, symbol: str, rows: int, rejected: int, first: str, last: str, imported: Imported
) -> None:
    result, _ = imported(file)
    assert (result.kind, result.symbol) == (kind, symbol)
    assert (result.rows, result.rejected_rows) == (rows, rejected)
    assert (str(result.first), str(result.last)) == (first, last)
    line = describe(result)
    assert line.startswith(f"{Path(file).name}: {kind}, {symbol}, {rows:,} rows, {first} to {last}")
    assert line.isprintable()


@pytest.mark.parametrize(("file", "cause"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_is_not_read_is_refused_in_plain_words(file: str, cause: str, real_data: Path) -> None:
    with Store(None) as store:
        with pytest.raises(ImportRefusedError) as refusal:
            import_file(real_data / file, store, now=NOW)
        assert cause in str(refusal.value)
        assert store.version == 0


@pytest.mark.parametrize(
    ("file", "symbol", "column"),
    [
        ("index-daily/rut-yahoo-1987-2024.csv", "^RUT", "Close"),
        ("index-daily/rut-marketbase-2016-2026.csv", "^RUT", "close"),
        ("etf-daily/iwm-yahoo-2000-2022.csv", "IWM", "Close"),
        ("etf-daily/iwm-yahoo-2000-2022.csv", "IWM:adj", "Adj Close"),
        ("etf-daily/iwm-yahoo-adjusted-2000-2026.csv", "IWM:adj", "Close"),
        ("futures-daily/nq-202612.csv", "NQZ26.CME", "close"),
    ],
)
def test_closes_are_those_of_the_file_to_the_last_bit(
    file: str, symbol: str, column: str, imported: Imported, real_data: Path
) -> None:
    expected = {row.get("Date") or row["date"]: float(row[column]) for row in _rows(real_data / file)}
    closes = imported(file)[1].closes(symbol)
    assert dict(zip(map(str, closes.days), closes.close.tolist(), strict=True)) == expected


def test_columns_of_the_file_with_close_first(imported: Imported, real_data: Path) -> None:
    with (real_data / "index-daily/ndx-yahoo-1985-2026.csv").open() as handle:
        rows = [row for row in csv.reader(handle) if row[0][:1].isdigit()]
    bars = imported("index-daily/ndx-yahoo-1985-2026.csv")[1].bars("^NDX", Interval.DAY)
    table = np.array([[float(cell) for cell in row[1:]] for row in rows])
    assert [str(day) for day in bars.days] == [row[0] for row in rows]
    for values, column in ((bars.close, 1), (bars.high, 2), (bars.low, 3), (bars.open, 4), (bars.volume, 5)):
        np.testing.assert_array_equal(values, table[:, column])


def test_vix_on_holidays_makes_no_trading_days(imported: Imported, real_data: Path) -> None:
    result, store = imported("vol-cboe/VIX_History.csv")
    dates = [
        datetime.strptime(row["DATE"], "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 - a date without a time
        for row in _rows(real_data / "vol-cboe/VIX_History.csv")
    ]
    off = [day for day in dates if day not in sessions()]
    assert len(off) == 30
    closes = store.closes("^VIX")
    assert {str(day) for day in closes.days} == {*dates} - {*off}
    assert result.rejected == ("30 on a day when the exchange was closed (2004-06-11 … 2026-02-16)",)


def test_vix_opens_outside_high_and_low_cost_the_open_and_not_the_close(
    imported: Imported, real_data: Path
) -> None:
    store = imported("vol-cboe/VIX_History.csv")[1]
    odd = [
        row["DATE"]
        for row in _rows(real_data / "vol-cboe/VIX_History.csv")
        if not float(row["LOW"]) <= float(row["OPEN"]) <= float(row["HIGH"])
    ]
    assert len(odd) == 47
    assert len(store.closes("^VIX")) - len(store.bars("^VIX", Interval.DAY)) == 47


def test_vix_agrees_with_the_wide_table(imported: Imported) -> None:
    one = imported("vol-cboe/VIX_History.csv")[1].closes("^VIX")
    wide = imported("vol-cboe/cboe-volatility-wide-1990-2026.csv")[1].closes("^VIX")
    both, a, b = np.intersect1d(one.days, wide.days, return_indices=True)
    assert len(both) == len(one)
    np.testing.assert_allclose(one.close[a], wide.close[b], atol=0.005)


def test_dspx_of_zero_is_no_value(imported: Imported) -> None:
    result, store = imported("vol-cboe/DSPX_History.csv")
    assert result.rejected == ("1 with a close of zero or less (2018-02-08)",)
    assert np.datetime64("2018-02-08") not in store.closes("^DSPX").days


def test_weekend_copies_are_no_days(imported: Imported) -> None:
    result, store = imported("index-daily/spx-ndx-rut-close-yahoo-2024-2026.csv")
    assert result.rejected == ("3 on a weekend, a copy of the day before (2026-08-01, 2026-08-02, 2026-08-15)",)
    assert np.is_busday(store.closes("^NDX").days).all()


def test_russell_on_base_100_does_not_become_rut(imported: Imported) -> None:
    result, store = imported("index-daily/rut-fred-RU2000PR-1978-2018.csv")
    assert [one.symbol for one in store.symbols()] == ["RU2000PR"]
    assert "not in RUT points" in result.notes[0]
    assert {str(day) for day in store.closes("RU2000PR").days if day >= np.datetime64("1986-01-01")} <= sessions()


def test_years_without_opens_are_named(imported: Imported) -> None:
    assert (
        "most opens repeat the close before until 1999" in imported("index-daily/ndx-yahoo-1985-2026.csv")[0].notes
    )
    assert (
        "most opens repeat the close before until 2006" in imported("index-daily/rut-yahoo-1987-2024.csv")[0].notes
    )


def test_settlement_marks_are_named(imported: Imported, real_data: Path) -> None:
    marks = sum(row["barCount"] == "0" for row in _rows(real_data / "futures-daily/nq-202609.csv"))
    assert marks == 208
    assert (
        "208 of 341 rows are settlement marks without a trade" in imported("futures-daily/nq-202609.csv")[0].notes
    )


def test_rates(imported: Imported, real_data: Path) -> None:
    store = imported("rates-fed/DGS2-1994-2026.csv")[1]
    series = store.series("DGS2", NOW)
    by_day = dict(zip(map(str, series.days), series.values.tolist(), strict=True))
    assert (by_day["2024-07-10"], by_day["2024-07-11"]) == (4.62, 4.50)
    file = real_data / "rates-fed/DGS2-1994-2026.csv"
    assert by_day == {row["date"]: float(row["dgs2"]) for row in _rows(file) if row["dgs2"]}
    wide = imported("rates-fed/fred-rates-1976-2026.csv")[1].series("DGS2", NOW)
    assert (len(wide), str(wide.days[-1])) == (12552, "2026-08-20")


@pytest.mark.parametrize("file", ["cot-tff/tff-ndx-rut-rows-2017-2026.csv", "cot-tff/FinFutYY-2026q1-full.txt"])
def test_positions_are_those_of_the_file(file: str, imported: Imported, real_data: Path) -> None:
    expected = {
        row["Report_Date_as_YYYY-MM-DD"]: int(row["Lev_Money_Positions_Long_All"])
        - int(row["Lev_Money_Positions_Short_All"])
        for row in _rows(real_data / file)
        if row["CFTC_Contract_Market_Code"].strip() == "239742"
    }
    assert len(expected) >= 12
    series = imported(file)[1].series("COT:239742:leveraged_net", NOW)
    assert dict(zip(map(str, series.days), series.values.tolist(), strict=True)) == expected


def test_the_summary_agrees_with_the_report(imported: Imported) -> None:
    raw = imported("cot-tff/FinFutYY-2026q1-full.txt")[1]
    wide = imported("cot-tff/cot-summary-wide-2024-2026.csv")[1]
    for code in ("209742", "239742"):
        for field in ("open_interest", "asset_manager_net", "leveraged_net"):
            one, other = (store.series(f"COT:{code}:{field}", NOW) for store in (raw, wide))
            both, a, b = np.intersect1d(one.days, other.days, return_indices=True)
            assert len(both) == 12
            np.testing.assert_array_equal(one.values[a], other.values[b])


# Within the day


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize("name", ["rut", "qqq"])
def test_bars_of_both_zones_are_those_of_the_file(name: str, imported: Imported, real_data: Path) -> None:
    file = f"intraday-ibkr/{name}-5m-2024-2026.csv"
    rows = _rows(real_data / file)
    bars = imported(file)[1].bars("^RUT" if name == "rut" else "QQQ", Interval.FIVE_MINUTES)
    assert bars.start_s.tolist() == [utc(row["date"]) for row in rows]
    for column in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, column).tolist() == [float(row[column]) for row in rows]
    local = {datetime.fromtimestamp(at, NEW_YORK).strftime("%H:%M") for at in bars.start_s.tolist()}
    assert (min(local), max(local), len(local)) == ("09:30", "15:55", 78)


def test_cpi_day_is_complete(imported: Imported) -> None:
    day = datetime(2024, 7, 11, tzinfo=UTC), datetime(2024, 7, 12, tzinfo=UTC)
    rut = imported("intraday-ibkr/rut-5m-2024-2026.csv")[1].bars("^RUT", Interval.FIVE_MINUTES, *day)
    qqq = imported("intraday-ibkr/qqq-5m-2024-2026.csv")[1].bars("QQQ", Interval.FIVE_MINUTES, *day)
    assert (len(rut), rut.open[0], rut.close[-1]) == (78, 2081.70, 2124.68)
    assert (len(qqq), qqq.open[0], qqq.close[-1]) == (78, 503.07, 491.90)


@pytest.mark.parametrize(
    ("file", "holes"),
    [
        ("intraday-ibkr/rut-5m-2024-2026.csv", "days with missing bars: 1 (2024-07-19 62 of 78)"),
        ("intraday-ibkr/rut-15m-2022-2026.csv", "2 (2023-05-24 24 of 26, 2024-07-19 21 of 26)"),
        ("intraday-ibkr/qqq-5m-2024-2026.csv", ""),
        ("intraday-ibkr/qqq-15m-2022-2026.csv", ""),
        ("intraday-yahoo-2026/iwm-1m.csv", "2026-03-27 388 of 390"),
        ("intraday-yahoo-2026/ndx-5m.csv", "1 (2026-06-22 37 of 78)"),
    ],
)
def test_holes_are_named(file: str, holes: str, imported: Imported) -> None:
    notes = " ".join(imported(file)[0].notes)
    assert holes in notes
    assert holes or "missing" not in notes


def test_the_unfinished_live_bar_is_no_bar(imported: Imported) -> None:
    result, store = imported("intraday-yahoo-2026/iwm-1m.csv")
    assert result.rejected == (
        "1 that was still open (one price for all four, no volume, at the end) (2026-03-31 11:00)",
    )
    assert store.bars("IWM", Interval.MINUTE).start_s[-1] == utc("2026-03-31T10:59-04:00")


def test_sessions_start_at_half_past_nine_on_both_sides_of_the_clock_change(imported: Imported) -> None:
    bars = imported("intraday-yahoo-2026/iwm-5m.csv")[1].bars("IWM", Interval.FIVE_MINUTES)
    starts = [datetime.fromtimestamp(at, UTC) for at in bars.start_s.tolist()]
    firsts = {at.date(): at for at in reversed(starts)}
    assert f"{firsts[date(2026, 3, 6)]:%H:%M}" == "14:30"
    assert f"{firsts[date(2026, 3, 9)]:%H:%M}" == "13:30"
    local = {f"{at.astimezone(NEW_YORK):%H:%M}" for at in starts}
    assert (min(local), max(local)) == ("09:30", "15:55")


@pytest.mark.parametrize("name", ["iwm", "qqq"])
def test_month_files_in_new_york_time_are_the_bars_of_the_other_download(name: str, imported: Imported) -> None:
    month = imported(f"intraday-yahoo-2026/{name}-5m-2026-03-monthfile.csv")[1]
    other = imported(f"intraday-yahoo-2026/{name}-5m.csv")[1]
    one, two = (store.bars(name.upper(), Interval.FIVE_MINUTES) for store in (month, other))
    both, a, b = np.intersect1d(one.start_s, two.start_s, return_indices=True)
    assert len(both) == len(one) == 14 * 78 + 39
    np.testing.assert_allclose(one.close[a], two.close[b], rtol=1e-3)
    assert np.median(np.abs(one.close[a] / two.close[b] - 1)) == 0


# Universes


def panel(imported: Imported, name: str) -> tuple[ImportResult, Panel]:
    result, store = imported(f"stock-panels/{name}.csv.gz")
    found = store.panel(name)
    assert found is not None
    return result, found


def differs(found: Panel, path: Path) -> set[tuple[str, str]]:
    """Cells (ticker, day) that are not what the file says."""
    return {
        (ticker, day)
        for row, prices in zip(_rows(path), found.close.tolist(), strict=True)
        for day in [row.get("Date") or row["date"]]
        for ticker, price in zip(found.tickers, prices, strict=True)
        if (float(row[ticker]) if row[ticker] else None) != (None if np.isnan(price) else price)
    }


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("us-83-adjclose-2018-2025", 83),
        ("sp500-498-adjclose-2023-2026", 498),
        ("ndx-members-close-2024-2026", 101),
    ],
)
def test_a_sound_panel_is_taken_cell_by_cell(name: str, width: int, imported: Imported, real_data: Path) -> None:
    _, found = panel(imported, name)
    assert len(found.tickers) == width
    assert differs(found, real_data / f"stock-panels/{name}.csv.gz") == set()


def test_a_split_half_applied_is_left_out(imported: Imported, real_data: Path) -> None:
    name = "ndx-members-close-2024-2026-b"
    result, found = panel(imported, name)
    lost = differs(found, real_data / f"stock-panels/{name}.csv.gz")
    assert {ticker for ticker, _ in lost} == {"MNST"}
    assert min(day for _, day in lost) == "2026-07-20"
    assert max(day for _, day in lost) < "2026-08-07"
    assert any(note.startswith("MNST: 5 prices on another scale") for note in result.notes)
    returns = np.diff(np.log(found.close[:, found.tickers.index("MNST")]))
    assert np.nanmax(np.abs(returns)) < 0.2


def test_a_spliced_series_is_left_out_at_its_seam(imported: Imported, real_data: Path) -> None:
    name = "sp500-505-adjclose-2019-2020"
    result, found = panel(imported, name)
    lost = differs(found, real_data / f"stock-panels/{name}.csv.gz")
    assert lost == {("ETN", "2019-08-15")}
    assert any(note.startswith("ETN +68% on 2019-08-15: a spliced series") for note in result.notes)


def test_the_index_files_together_are_the_reference_closes(real_data: Path) -> None:
    folder = real_data / "index-daily"
    with Store(None) as store:
        for name in ("spx-ndx-rut-close-yahoo-2024-2026", "rut-marketbase-2016-2026", "ndx-yahoo-1985-2026"):
            import_file(folder / f"{name}.csv", store, now=NOW)
        import_file(folder / "rut-yahoo-1987-2024.csv", store, now=NOW)
        closes = {leg: store.closes(symbol) for leg, symbol in (("ndx", "^NDX"), ("rut", "^RUT"))}
    for name in ("key-dates.csv", "top-20-daily-divergences.csv"):
        for row in _rows(real_data / "reference-values" / name):
            for leg, series in closes.items():
                found = series.close[series.days == np.datetime64(row["date"])]
                assert found.tolist() == [pytest.approx(float(row[leg]), abs=1e-6)], row["date"]
    # No day is missing between them: every session since RUT began, up to the last row.
    expected = {day for day in sessions() if "1987-09-10" <= day <= "2026-08-21"}
    assert {str(day) for day in closes["rut"].days} == expected
    assert {str(day) for day in closes["ndx"].days if str(day) >= "1987-09-10"} == expected
