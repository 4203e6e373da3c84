"""Bars within the day: zones, clock changes, the live bar, sessions, holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from desktop.market.quotes import Interval
from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult

Take = Callable[..., ImportResult]

NEW_YORK = ZoneInfo("America/New_York")
HEADER = "Datetime,Close,High,Low,Open,Volume\n"


def session(day: str, minutes: int = 5, bars: int = 78) -> list[datetime]:
    opens = datetime.fromisoformat(f"{day} 09:30").replace(tzinfo=NEW_YORK)
    return [opens + timedelta(minutes=minutes * n) for n in range(bars)]


def rows(times: Iterable[datetime | str], price: float = 2050.0) -> str:
    return "".join(f"{at},{price + 1 + n % 7},{price + 9},{price - 1},{price},5\n" for n, at in enumerate(times))


def starts(store: Store, symbol: str, interval: Interval = Interval.FIVE_MINUTES) -> list[datetime]:
    return [datetime.fromtimestamp(int(at), UTC) for at in store.bars(symbol, interval).start_s]


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_any_offset_means_the_same_bars(zone: str, take: Take, store: Store) -> None:
    times = session("2024-07-11")
    result = take("rut.csv", HEADER + rows(at.astimezone(ZoneInfo(zone)) for at in times))
    assert (result.kind, result.symbol, result.rows) == ("intraday bars 5m", "^RUT", 78)
    assert starts(store, "^RUT") == [at.astimezone(UTC) for at in times]
    first = store.bars("^RUT", Interval.FIVE_MINUTES)
    assert (first.open[0], first.high[0], first.low[0], first.close[0]) == (2050, 2059, 2049, 2051)


def test_offsets_may_differ_from_row_to_row(take: Take, store: Store) -> None:
    times = [*session("2026-08-04"), *session("2026-08-05")]
    texts = [str(at.astimezone(UTC)) if at.day == 4 else str(at) for at in times]
    assert take("rut.csv", HEADER + rows(texts, 2960)).rows == 156
    assert starts(store, "^RUT") == [at.astimezone(UTC) for at in times]


def test_the_session_moves_with_the_clock_of_new_york(take: Take, store: Store) -> None:
    take(
        "rut.csv",
        HEADER + rows((at.astimezone(UTC) for at in [*session("2026-03-06"), *session("2026-03-09")]), 2600),
    )
    assert {at.day: at.hour for at in reversed(starts(store, "^RUT"))} == {
        6: 14,
        9: 13,
    }  # the first bar of each day


def test_times_without_a_zone_are_refused(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"times have no zone .*New York or UTC cannot be told apart"):
        take("rut.csv", HEADER + rows(at.replace(tzinfo=None) for at in session("2024-07-11")))


def test_new_york_times_labelled_utc_are_refused(take: Take, store: Store) -> None:
    wrong = (at.replace(tzinfo=UTC) for at in session("2024-07-11"))
    with pytest.raises(ImportRefusedError, match="its times are in another zone than they say"):
        take("rut.csv", HEADER + rows(wrong))
    assert not store.symbols()


@pytest.mark.parametrize("hours", [-4, 4])
def test_share_bars_of_another_zone_do_not_pass_for_early_or_late_trading(hours: int, take: Take) -> None:
    # New York times labelled UTC begin at 05:30, UTC times labelled New York at 13:30: both within 04:00-20:00.
    times = [at + timedelta(hours=hours) for day in (8, 9, 10, 11) for at in session(f"2024-07-{day:02}")]
    with pytest.raises(ImportRefusedError, match="its times are in another zone than they say"):
        take("iwm.csv", HEADER + rows(times, 205))


@pytest.mark.parametrize(
    ("minutes", "interval"), [(1, Interval.MINUTE), (5, Interval.FIVE_MINUTES), (15, Interval.FIFTEEN_MINUTES)]
)
def test_the_distance_of_the_bars_tells_their_length(
    minutes: int, interval: Interval, take: Take, store: Store
) -> None:
    times = session("2024-07-11", minutes, 390 // minutes)
    assert take("rut.csv", HEADER + rows(times)).kind == f"intraday bars {interval.value}"
    assert len(starts(store, "^RUT", interval)) == 390 // minutes


@pytest.mark.parametrize(
    ("times", "cause"),
    [
        (session("2024-07-11", 7, 50), "its bars are 420 s apart"),
        (session("2024-07-11", 5, 1), "one bar does not tell how long it is"),
        ([f"2024-07-{day:02} 04:00:00+00:00" for day in (8, 9, 10, 11)], "daily bars carry a time of day"),
    ],
)
def test_lengths_that_cannot_be_used(times: list[datetime | str], cause: str, take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=cause):
        take("rut.csv", HEADER + rows(times))


def test_the_unfinished_bar_at_the_end_is_left_out(take: Take, store: Store) -> None:
    live = "2024-07-11 11:00:00-04:00,206,206,206,206,0\n"
    result = take("iwm.csv", HEADER + rows(session("2024-07-11", 5, 18), 205) + live)
    assert result.rows == 18
    assert result.rejected == (
        "1 that was still open (one price for all four, no volume, at the end) (2024-07-11 11:00)",
    )
    assert starts(store, "IWM")[-1] == datetime(2024, 7, 11, 14, 55, tzinfo=UTC)


def test_a_live_quote_between_two_bars_is_left_out(take: Take) -> None:
    times = [*session("2024-07-11", 5, 18), datetime(2024, 7, 11, 11, 2, 17, tzinfo=NEW_YORK)]
    assert take("rut.csv", HEADER + rows(times)).rejected == (
        "1 that start between two bars (a live quote) (2024-07-11 11:02)",
    )


def test_a_bar_counts_once_it_has_ended(take: Take) -> None:
    now = datetime(2024, 7, 11, 14, 0, tzinfo=UTC)  # 10:00 New York: the bar of 09:55 has just ended
    result = take("rut.csv", HEADER + rows(session("2024-07-11", 5, 7)), now=now)
    assert result.rows == 6
    assert result.rejected == ("1 that end in the future (2024-07-11 10:00)",)


def test_an_index_has_no_bars_outside_its_session(take: Take, store: Store) -> None:
    opens = session("2024-07-11")[0]
    times = [opens - timedelta(minutes=5), *session("2024-07-11"), opens + timedelta(minutes=390)]
    result = take("rut.csv", HEADER + rows(times))
    assert result.rejected == ("2 outside the trading day (2024-07-11 09:25, 2024-07-11 16:00)",)
    assert len(starts(store, "^RUT")) == 78


def test_a_share_trades_before_and_after_the_session(take: Take) -> None:
    opens = session("2024-07-11")[0]
    times = [opens - timedelta(minutes=90), opens - timedelta(minutes=85), *session("2024-07-11")]
    assert take("iwm.csv", HEADER + rows(times, 205)).rows == 80


def test_bars_of_a_closed_day_are_left_out(take: Take) -> None:
    times = [*session("2024-07-03", bars=42), *session("2024-07-04", bars=3), *session("2024-07-05")]
    result = take("rut.csv", HEADER + rows(times, 2030))
    assert result.rows == 120
    assert result.rejected == (
        "3 on a day when the exchange was closed (2024-07-04 09:30, 2024-07-04 09:35, 2024-07-04 09:40)",
    )
    assert not result.notes  # 2024-07-03 is a half day: 42 bars are all of them


def test_sessions_with_holes_are_named(take: Take) -> None:
    times = [*session("2024-07-10"), *session("2024-07-11")[16:]]
    assert take("rut.csv", HEADER + rows(times)).notes == ("days with missing bars: 1 (2024-07-11 62 of 78)",)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",2060,2040,2050,1", "without a price"),
        ("2050,x,2040,2050,1", "with a price that is no number"),
        ("2050,2060,0,2050,1", "with a price of zero or less"),
        ("2070,2060,2040,2050,1", "whose open or close lies outside its high and low"),
        ("2050,2060,2040,2030,1", "whose open or close lies outside its high and low"),
        ("20500,20600,20400,20500,1", "far off the published level of ^RUT"),
    ],
)
def test_a_bad_bar_is_left_out_with_its_reason(cells: str, reason: str, take: Take, store: Store) -> None:
    lines = rows(session("2024-07-11")).splitlines(keepends=True)
    lines[30] = f"2024-07-11 12:00:00-04:00,{cells}\n"
    result = take("rut.csv", HEADER + "".join(lines))
    assert result.rows == len(starts(store, "^RUT")) == 77
    assert len(result.rejected) == 1
    assert result.rejected[0].startswith(f"1 {reason} (2024-07-11")
    assert datetime(2024, 7, 11, 16, 0, tzinfo=UTC) not in starts(store, "^RUT")


def test_doubles(take: Take, store: Store) -> None:
    lines = rows(session("2024-07-11")).splitlines(keepends=True)
    other = lines[40].replace(",2059.0,", ",2099.0,")
    result = take("rut.csv", HEADER + "".join([*lines, lines[3], other]))
    assert result.rows == len(starts(store, "^RUT")) == 77
    assert result.rejected == (
        "2 that contradict another row of the same time (2024-07-11 12:50, 2024-07-11 12:50)",
        "1 that repeat another row (2024-07-11 09:45)",
    )


def test_another_index_at_a_similar_level_shows_at_its_published_closes(take: Take) -> None:
    # The Composite stood at .89 of the Nasdaq-100 in July 2024.
    closes = {"2024-07-09": 18429.0, "2024-07-10": 18647.0, "2024-07-11": 18283.0, "2024-07-12": 18398.0}
    text = HEADER + "".join(rows(session(day), close) for day, close in closes.items())
    with pytest.raises(ImportRefusedError, match="it is another index"):
        take("ndx.csv", text)
    assert take("ixic.csv", text).symbol == "^IXIC"


def test_yahoo_bars_with_three_header_lines(take: Take, store: Store) -> None:
    head = "Price,Close,High,Low,Open,Volume\nTicker,^RUT,^RUT,^RUT,^RUT,^RUT\nDatetime,,,,,\n"
    assert take("download.csv", head + rows(session("2024-07-11"))).symbol == "^RUT"
    assert len(starts(store, "^RUT")) == 78


# Month files in naive New York time


def month_rows(times: Iterable[datetime], shift: int = 0) -> list[str]:
    lines = []
    for n, at in enumerate(times, shift):
        close = 480 + (n * 37 % 101) / 10
        lines.append(f"QQQ,{at:%Y-%m-%d %H:%M:%S},{close - 0.1},{close},{close + 0.2},{close - 0.2},9,0.0\n")
    return lines


MONTH = "symbol,dt,open,close,high,low,vol,amount\n"


def test_a_month_file_is_in_new_york_time(take: Take, store: Store) -> None:
    result = take("download.csv", MONTH + "".join(month_rows(session("2024-07-11"))))
    assert (result.kind, result.symbol, result.rows) == ("intraday bars 5m", "QQQ", 78)
    assert starts(store, "QQQ")[0] == datetime(2024, 7, 11, 13, 30, tzinfo=UTC)
    assert store.bars("QQQ", Interval.FIVE_MINUTES).volume[0] == 9


@pytest.mark.parametrize(("day", "hours"), [("2024-07-11", 4), ("2024-01-11", 5)])
def test_bars_that_a_month_file_repeats_in_utc_are_left_out(
    day: str, hours: int, take: Take, store: Store
) -> None:
    lines = month_rows(session(day))
    copies = month_rows(at + timedelta(hours=hours) for at in session(day))
    scale = 1.0 if hours == 4 else 0.82
    text = MONTH + "".join([*lines, *copies[78 - hours * 12 :]])
    result = take("qqq.csv", _scaled(text, scale))
    assert result.rows == 78
    assert result.rejected_rows == hours * 12
    assert "stamped in UTC" in result.rejected[0]
    assert starts(store, "QQQ") == [at.astimezone(UTC) for at in session(day)]


def _scaled(text: str, factor: float) -> str:
    lines = text.splitlines()
    moved = [line.split(",") for line in lines[1:]]
    return "\n".join(
        [
            lines[0],
            *(",".join([*one[:2], *(f"{float(x) * factor:.4f}" for x in one[2:6]), *one[6:]]) for one in moved),
        ]
    )


def test_a_month_file_of_two_symbols_is_refused(take: Take) -> None:
    lines = month_rows(session("2024-07-11"))
    with pytest.raises(ImportRefusedError, match="it holds 2 symbols"):
        take("qqq.csv", MONTH + "".join(lines) + lines[0].replace("QQQ", "IWM"))
