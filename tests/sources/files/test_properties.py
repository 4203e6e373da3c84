"""Whatever valid rows a file holds, in any order, format and zone: the same rows stand in the store, no others."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.market.quotes import Interval
from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult, import_file

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")

# The sessions of three months with a holiday, a half day and a clock change, as the exchange published them.
HOLIDAYS = {date(2024, 9, 2), date(2024, 11, 28)}
SESSIONS = [
    day for n in range(91) if (day := date(2024, 9, 1) + timedelta(days=n)).weekday() < 5 and day not in HOLIDAYS
]

Bar = tuple[float, float, float, float]
"""Open, high, low, close."""


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low = draw(st.integers(50_00, 60_00))
    high = low + draw(st.integers(0, 5_00))
    opened, close = draw(st.integers(low, high)), draw(st.integers(low, high))
    return opened / 100, high / 100, low / 100, close / 100


DAILY = st.dictionaries(st.sampled_from(SESSIONS), bars(), min_size=1, max_size=40)


@contextmanager
def imported(name: str, content: bytes) -> Iterator[tuple[ImportResult, Store]]:
    with TemporaryDirectory() as folder, Store(None) as store:
        path = Path(folder) / name
        path.write_bytes(content)
        yield import_file(path, store, now=NOW), store


def stored(store: Store, symbol: str, interval: Interval) -> dict[datetime, Bar]:
    found = store.bars(symbol, interval)
    columns = (found.open.tolist(), found.high.tolist(), found.low.tolist(), found.close.tolist())
    times = [datetime.fromtimestamp(at, UTC) for at in found.start_s.tolist()]
    return dict(zip(times, zip(*columns, strict=True), strict=True))


def at_midnight(rows: dict[date, Bar]) -> dict[datetime, Bar]:
    return {datetime(day.year, day.month, day.day, tzinfo=UTC): bar for day, bar in rows.items()}


def yahoo(rows: list[tuple[date, Bar]]) -> str:
    lines = [f"{day},{c!r},{h!r},{low!r},{o!r},0" for day, (o, h, low, c) in rows]
    return "\n".join(["Price,Close,High,Low,Open,Volume", "Ticker" + ",^DJI" * 5, "Date,,,,,", *lines])


def plain(rows: list[tuple[date, Bar]]) -> str:
    return "\n".join(["date,open,high,low,close", *(f"{day},{','.join(map(repr, bar))}" for day, bar in rows)])


def compact(rows: list[tuple[date, Bar]]) -> str:
    lines = [f"{day:%Y%m%d},{c!r},{o!r},{low!r},{h!r}" for day, (o, h, low, c) in rows]
    return "\n".join(["Date,Close,Open,Low,High", *lines])


def cboe(rows: list[tuple[date, Bar]]) -> str:
    lines = [f"{day:%m/%d/%Y},{','.join(map(repr, bar))}" for day, bar in rows]
    return "\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *lines])


def midnights(rows: list[tuple[date, Bar]]) -> str:
    lines = [f"{day} 00:00:00-04:00,{','.join(map(repr, bar))},0.0" for day, bar in rows]
    return "\n".join(["Date,Open,High,Low,Close,Dividends", *lines])


@settings(deadline=None, max_examples=60)
@given(
    rows=DAILY,
    form=st.sampled_from([yahoo, plain, compact, cboe, midnights]),
    order=st.randoms(use_true_random=False),
    compressed=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_daily_rows_in_any_format_and_order_are_the_rows_in_the_store(
    rows: dict[date, Bar], form: object, order: random.Random, compressed: bool, ending: str
) -> None:
    shuffled = list(rows.items())
    order.shuffle(shuffled)
    content = form(shuffled).replace("\n", ending).encode()  # type: ignore[operator]
    name = "dji.csv"
    if compressed:
        name, content = "dji.csv.gz", gzip.compress(content)
    with imported(name, content) as (result, store):
        kept = stored(store, "^DJI", Interval.DAY)
        closes = store.closes("^DJI")
    assert (result.rows, result.rejected) == (len(rows), ())
    assert (result.first, result.last) == (min(rows), max(rows))
    assert kept == at_midnight(rows)
    assert len(closes) == len(rows)


BAD_CELLS = st.sampled_from(
    ["nan,,,", ",,,", "50,55,45,0", "50,55,45,-3", "50,55,45,60", "50,55,45,40", "50,55,45,x", "50,55,45,inf"]
)
CLOSED = [date(2024, 9, 2), date(2024, 11, 28), date(2024, 9, 7), date(2024, 11, 3), date(2027, 3, 1)]


@settings(deadline=None, max_examples=60)
@given(
    rows=DAILY,
    bad=st.dictionaries(st.sampled_from(SESSIONS), BAD_CELLS, max_size=8),
    closed=st.dictionaries(st.sampled_from(CLOSED), bars()),
    order=st.randoms(use_true_random=False),
)
def test_bad_rows_are_counted_with_a_reason_and_never_stored(
    rows: dict[date, Bar], bad: dict[date, str], closed: dict[date, Bar], order: random.Random
) -> None:
    lines = [f"{day},{','.join(map(repr, bar))}" for day, bar in {**rows, **closed}.items()]
    lines += [f"{day},{cells}" for day, cells in bad.items()]
    order.shuffle(lines)
    content = "\n".join(["date,open,high,low,close", *lines]).encode()
    with imported("dji.csv", content) as (result, store):
        kept = stored(store, "^DJI", Interval.DAY)
    assert kept == at_midnight(rows)
    assert result.rows + result.rejected_rows == len(lines)
    assert result.rejected_rows == len(bad) + len(closed)
    counted = sum(int(text.split()[0].replace(",", "")) for text in result.rejected)
    assert counted == result.rejected_rows


def regular_starts(day: date) -> list[datetime]:
    first = datetime(day.year, day.month, day.day, 9, 30, tzinfo=NEW_YORK)
    return [(first + timedelta(minutes=5 * n)).astimezone(UTC) for n in range(78)]


HALF = date(2024, 11, 29)
INTRADAY = st.sampled_from([day for day in SESSIONS if day != HALF])


@settings(deadline=None, max_examples=40)
@given(
    days=st.lists(INTRADAY, min_size=1, max_size=3, unique=True),
    shapes=st.lists(bars(), min_size=4, max_size=4),
    zones=st.lists(st.sampled_from(["America/New_York", "UTC", "Asia/Tokyo"]), min_size=1, max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_intraday_bars_in_any_zone_and_order_are_the_bars_in_the_store(
    days: list[date], shapes: list[Bar], zones: list[str], order: random.Random
) -> None:
    starts = [at for day in days for at in regular_starts(day)]
    rows = {at: shapes[n % len(shapes)] for n, at in enumerate(starts)}
    texts = [
        f"{at.astimezone(ZoneInfo(zones[n % len(zones)]))},{','.join(map(repr, bar))},{n + 1}"
        for n, (at, bar) in enumerate(rows.items())
    ]
    order.shuffle(texts)
    content = "\n".join(["datetime,open,high,low,close,volume", *texts]).encode()
    with imported("dji.csv", content) as (result, store):
        kept = stored(store, "^DJI", Interval.FIVE_MINUTES)
    assert (result.rows, result.rejected) == (len(rows), ())
    assert kept == rows


@settings(deadline=None, max_examples=150)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_content_leads_to_anything_but_a_refusal_with_cause_and_cure(content: bytes) -> None:
    refuse_or_import("rut.csv", content)


WORDS = [
    "date",
    "Date",
    "DATE",
    "close",
    "open",
    "high",
    "low",
    "symbol",
    "dt",
    "NDX",
    "AAPL",
    "VIX",
    "NQU26",
    "DGS2",
    "Ticker",
    "Price",
    "observation_date",
]
VALUES = [
    "2024-07-10",
    "07/10/2024",
    "2024-07-10T09:30-04:00",
    "2024-W28-3",
    "1e400",
    "-1",
    "2051.75",
    "nan",
    "0x1p3",
    "1_000",
    "٣",
    "209742",
]
CELL = st.sampled_from([*WORDS, *VALUES, "", "9" * 400, "cftc_contract_market_code"])


@settings(deadline=None, max_examples=200)
@given(
    table=st.lists(st.lists(CELL, min_size=1, max_size=7), min_size=1, max_size=6),
    name=st.sampled_from(["x", "ndx"]),
)
def test_no_table_leads_to_anything_but_an_import_or_a_refusal(table: list[list[str]], name: str) -> None:
    width = len(table[0])
    rows = [(row * width)[:width] for row in table]
    refuse_or_import(f"{name}.csv", "\n".join(",".join(row) for row in rows).encode())


def refuse_or_import(name: str, content: bytes) -> None:
    with TemporaryDirectory() as folder, Store(None) as store:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            result = import_file(path, store, now=NOW)
        except ImportRefusedError as refusal:
            assert refusal.cause
            assert refusal.cure
            assert str(refusal).isprintable()
            assert store.version == 0
        else:
            assert result.rows > 0
            assert store.version > 0
