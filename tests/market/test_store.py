"""What the store keeps and tells; test_store_file.py is about the file it lies in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.market.database import StoreClosedError, StoreError
from desktop.market.quotes import BadMarketDataError, Bars, Closes, Interval, Panel, Quote, day_start_s
from desktop.market.store import (
    Observation,
    PanelInfo,
    Priority,
    Store,
    SymbolInfo,
    Written,
)

DAY = date(2024, 7, 11)
AT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    with Store(None if request.param == "memory" else tmp_path / "deep" / "er" / "s.sqlite") as one:
        yield one


def closes(*values: float, first: date = DAY, symbol: str = "^NDX") -> Closes:
    return Closes(symbol, np.arange(np.datetime64(first), np.datetime64(first) + len(values)), np.array(values))


def daily(*values: float, first: date = DAY, symbol: str = "^NDX") -> Bars:
    """Daily bars that open at half their close, with high and low at twice and a quarter of it; volume 1,000."""
    close = np.array(values)
    start = day_start_s(first) + 86_400 * np.arange(len(close))
    volume = np.full(len(close), 1000.0)
    return Bars(symbol, Interval.DAY, start, close / 2, close * 2, close / 4, close, volume)


def minutes(*values: float, first: datetime = AT, symbol: str = "IWM") -> Bars:
    close = np.array(values)
    start = int(first.timestamp()) + 60 * np.arange(len(close))
    return Bars(symbol, Interval.MINUTE, start, close, close, close, close, np.zeros(len(close)))


def quote(price: float = 210.0, event: datetime = AT, arrival: datetime | None = None, **more) -> Quote:
    return Quote(
        **{"symbol": "IWM", "source": "yahoo", **more},
        price=price,
        event_time=event,
        arrival_time=arrival or event,
    )


# Bars and closes


def test_new_store_is_empty(store):
    assert len(store.closes("^NDX")) == len(store.bars("^NDX", Interval.DAY)) == 0
    assert store.quotes("IWM", AT, AT + SECOND) == store.symbols() == store.panels() == []
    assert store.last_quote("IWM", AT) is None
    assert store.panel() is None
    assert store.panel("us") is None
    assert len(store.series("DGS2", AT)) == 0


def test_bars_come_back_as_they_were_stored(store):
    given = daily(20_211.359375, 0.1 + 0.2, 1e9)
    assert store.put_bars(given, source="a", priority=Priority.FILE) == Written(3, 0, 0)
    found = store.bars("^NDX", Interval.DAY)
    for field in ("start_s", "open", "high", "low", "close", "volume"):
        assert getattr(found, field).tolist() == getattr(given, field).tolist()
    assert (found.symbol, found.interval) == ("^NDX", Interval.DAY)
    assert store.closes("^NDX").close.tolist() == given.close.tolist()
    assert store.closes("^NDX").days.tolist() == [DAY + timedelta(days=n) for n in range(3)]


def test_symbols_and_intervals_are_kept_apart(store):
    store.put_bars(daily(1.5, symbol="IWM"), source="a", priority=Priority.FILE)
    store.put_bars(minutes(2.5, 3.5, symbol="IWM"), source="a", priority=Priority.FILE)
    store.put_closes(closes(4.5, symbol="QQQ"), source="a", priority=Priority.FILE)
    assert store.bars("IWM", Interval.DAY).close.tolist() == [1.5]
    assert store.bars("IWM", Interval.MINUTE).close.tolist() == [2.5, 3.5]
    assert store.closes("QQQ").close.tolist() == [4.5]


def test_bars_of_a_window_include_its_start_and_not_its_end(store):
    store.put_bars(minutes(1, 2, 3, 4), source="a", priority=Priority.VENDOR)
    minute = timedelta(minutes=1)
    assert store.bars("IWM", Interval.MINUTE, AT, AT + 2 * minute).close.tolist() == [1, 2]
    assert store.bars("IWM", Interval.MINUTE, AT + SECOND).close.tolist() == [2, 3, 4]
    assert store.bars("IWM", Interval.MINUTE, end=AT + minute + SECOND / 1000).close.tolist() == [1, 2]
    assert len(store.bars("IWM", Interval.MINUTE, AT + 4 * minute)) == 0


def test_closes_of_a_range_include_both_ends(store):
    store.put_closes(closes(1, 2, 3, 4), source="a", priority=Priority.FILE)
    day = timedelta(days=1)
    assert store.closes("^NDX", DAY + day, DAY + 2 * day).close.tolist() == [2, 3]
    assert store.closes("^NDX", last=DAY).close.tolist() == [1]
    assert store.closes("^NDX", first=DAY + 3 * day).close.tolist() == [4]


def test_days_before_1970_are_days_too(store):
    store.put_closes(closes(1.0, 2.0, first=date(1969, 12, 31)), source="a", priority=Priority.FILE)
    assert store.closes("^NDX").days.tolist() == [date(1969, 12, 31), date(1970, 1, 1)]


def test_daily_bar_that_is_not_labelled_by_midnight_is_refused(store):
    late = Bars("^NDX", Interval.DAY, np.array([day_start_s(DAY) + 48_600]), *[np.array([1.0])] * 5)
    with pytest.raises(BadMarketDataError, match="start_s = 1720704600: a daily bar is labelled by midnight UTC"):
        store.put_bars(late, source="a", priority=Priority.VENDOR)
    assert store.symbols() == []


def test_nothing_to_write_changes_nothing(store):
    before = store.version
    assert store.put_bars(daily(), source="a", priority=Priority.FILE) == Written(0, 0, 0)
    assert store.put_closes(closes(), source="a", priority=Priority.FILE) == Written(0, 0, 0)
    assert store.put_quotes([]) == store.put_series("DGS2", [], source="fred") == 0
    assert store.version == before


def test_symbols_tell_rows_range_and_where_the_last_row_came_from(store):
    store.put_closes(closes(1, 2, first=date(1987, 9, 10)), source="old.csv", priority=Priority.FILE)
    store.put_bars(daily(3, first=date(2026, 2, 27)), source="yahoo", priority=Priority.VENDOR)
    store.put_bars(minutes(5), source="yahoo", priority=Priority.VENDOR)
    first, last = datetime(1987, 9, 10, tzinfo=UTC), datetime(2026, 2, 27, tzinfo=UTC)
    assert store.symbols() == [
        SymbolInfo("IWM", Interval.MINUTE, 1, AT, AT, "yahoo"),
        SymbolInfo("^NDX", Interval.DAY, 3, first, last, "yahoo"),
    ]


# Whose row stays

FULL, CLOSE_ONLY = "full", "close-only"


def put(store: Store, kind: str, priority: Priority, value: float) -> Written:
    if kind == FULL:
        return store.put_bars(daily(value), source=f"{kind}-{priority}", priority=priority)
    return store.put_closes(closes(value), source=f"{kind}-{priority}", priority=priority)


@pytest.mark.parametrize(
    ("old_kind", "old", "new_kind", "new"),
    list(product((FULL, CLOSE_ONLY), Priority, (FULL, CLOSE_ONLY), Priority)),
)
def test_a_row_gives_way_only_to_equal_or_higher_priority(old_kind, old, new_kind, new):
    with Store(None) as store:
        put(store, old_kind, old, 100.0)
        written = put(store, new_kind, new, 200.0)
        close = store.closes("^NDX").close.tolist()
        opens = store.bars("^NDX", Interval.DAY).open.tolist()
    if new < old:
        assert written == Written(0, 0, 1)
        assert close == [100]
        assert opens == ([50] if old_kind == FULL else [])
    else:
        assert written == Written(0, 1, 0)
        assert close == [200]
        if new_kind == FULL:
            assert opens == [100]
        else:  # a bare close leaves what its equal knew of the day, and takes the place of what is below it
            assert opens == ([50] if old_kind == FULL and new == old else [])


@given(
    writes=st.lists(
        st.tuples(st.sampled_from([FULL, CLOSE_ONLY]), st.sampled_from(list(Priority)), st.integers(10, 99)),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=200, deadline=None)
def test_after_any_writes_the_last_of_the_highest_priority_stands(writes):
    highest = max(priority for _, priority, _ in writes)
    of_highest = [(kind, value) for kind, priority, value in writes if priority == highest]
    opens = [value / 2 for kind, value in of_highest if kind == FULL]
    with Store(None) as store:
        for kind, priority, value in writes:
            put(store, kind, priority, float(value))
        assert store.closes("^NDX").close.tolist() == [of_highest[-1][1]]
        assert store.bars("^NDX", Interval.DAY).open.tolist() == opens[-1:]


def test_writing_the_same_again_changes_nothing(store):
    store.put_bars(daily(1.5, 2.5), source="a", priority=Priority.VENDOR)
    before = store.version
    assert store.put_bars(daily(1.5, 2.5), source="b", priority=Priority.VENDOR) == Written(0, 0, 0)
    assert store.put_closes(closes(1.5, 2.5), source="b", priority=Priority.VENDOR) == Written(0, 0, 0)
    assert store.version == before
    assert store.symbols()[0].source == "a"


def test_the_same_values_from_higher_up_are_defended_as_such(store):
    store.put_bars(daily(1.5), source="a", priority=Priority.FILE)
    assert store.put_bars(daily(1.5), source="b", priority=Priority.VENDOR) == Written(0, 0, 0)
    assert store.put_bars(daily(9.5), source="a", priority=Priority.FILE) == Written(0, 0, 1)
    assert store.symbols()[0].source == "b"


def test_revised_close_keeps_range_and_volume_of_the_day(store):
    store.put_bars(daily(100.0), source="a", priority=Priority.VENDOR)
    assert store.put_closes(closes(101.0), source="b", priority=Priority.VENDOR) == Written(0, 1, 0)
    found = store.bars("^NDX", Interval.DAY)
    values = (found.open[0], found.high[0], found.low[0], found.close[0], found.volume[0])
    assert values == (50, 200, 25, 101, 1000)


def test_one_write_counts_new_revised_and_kept_apart(store):
    store.put_closes(closes(1.0, first=DAY), source="v", priority=Priority.VENDOR)
    store.put_closes(closes(2.0, 3.0, first=DAY + timedelta(days=1)), source="f", priority=Priority.FILE)
    written = store.put_closes(closes(9.0, 8.0, 3.0, 7.0), source="f", priority=Priority.FILE)
    assert written == Written(new=1, revised=1, kept=1)
    assert store.closes("^NDX").close.tolist() == [1, 8, 3, 7]


# Quotes


def test_quotes_come_back_as_they_were_stored(store):
    full = quote(
        price=210.123456789,
        arrival=AT + SECOND / 1000,
        previous_close=209.5,
        open_price=1.5,
        declared_delay_s=900.0,
    )
    bare = quote(event=AT + SECOND, symbol="^RUT", source="file")
    assert store.put_quotes(iter([full, bare])) == 2
    assert store.quotes("IWM", AT, AT + SECOND) == [full]
    assert store.quotes("^RUT", AT, AT + 2 * SECOND) == [bare]


def test_quotes_of_a_window_include_its_start_and_not_its_end_oldest_first(store):
    given = [quote(price, AT + n * SECOND) for n, price in enumerate((1.0, 2.0, 3.0))]
    store.put_quotes(reversed(given))
    assert store.quotes("IWM", AT, AT + 2 * SECOND) == given[:2]


def test_the_same_quote_is_kept_once(store):
    assert store.put_quotes([quote(), quote()]) == 1
    before = store.version
    assert store.put_quotes([quote()]) == 0
    assert store.version == before


def test_last_quote_knows_only_what_had_traded_and_arrived(store):
    prompt, late = quote(1.0, AT), quote(2.0, AT + 10 * SECOND, AT + 60 * SECOND)
    store.put_quotes([late, prompt])
    assert store.last_quote("IWM", AT - SECOND) is None
    assert store.last_quote("IWM", AT) == prompt
    assert store.last_quote("IWM", AT + 59 * SECOND) == prompt
    assert store.last_quote("IWM", AT + 60 * SECOND) == late
    assert store.quotes("IWM", AT, AT + 20 * SECOND, as_of=AT + 59 * SECOND) == [prompt]


def test_a_correction_of_the_same_trade_counts_from_its_arrival(store):
    first, corrected = quote(1.0, AT), quote(1.5, AT, AT + 5 * SECOND)
    store.put_quotes([corrected, first])
    assert store.last_quote("IWM", AT + 4 * SECOND) == first
    assert store.last_quote("IWM", AT + 5 * SECOND) == corrected


_TIMES = st.integers(0, 20).map(lambda n: AT + n * SECOND)


@given(given=st.lists(st.tuples(_TIMES, st.integers(0, 10), st.integers(1, 99)), max_size=12), as_of=_TIMES)
@settings(max_examples=150, deadline=None)
def test_quotes_after_as_of_change_nothing(given, as_of):
    every = {(event, event + delay * SECOND): float(price) for event, delay, price in given}
    quotes = [quote(price, event, arrival) for (event, arrival), price in every.items()]
    known = [one for one in quotes if one.event_time <= as_of and one.arrival_time <= as_of]
    with Store(None) as store:
        store.put_quotes(quotes)
        last = max(known, key=lambda one: (one.event_time, one.arrival_time), default=None)
        assert store.last_quote("IWM", as_of) == last
        found = store.quotes("IWM", AT, as_of + SECOND / 1_000_000, as_of)
        assert found == sorted(known, key=lambda one: (one.event_time, one.arrival_time))


# Macro series


def test_series_is_seen_as_it_was_known(store):
    evening = datetime(2024, 7, 11, 20, 15, tzinfo=UTC)
    rows = [
        Observation(date(2024, 7, 10), 4.62, evening - timedelta(days=1)),
        Observation(date(2024, 7, 11), 4.50, evening),
        Observation(date(2024, 7, 10), 4.63, evening + timedelta(days=5)),  # revised
    ]
    assert store.put_series("DGS2", iter(rows), source="fred") == 3
    assert store.series("DGS2", evening - SECOND).values.tolist() == [4.62]
    assert store.series("DGS2", evening).values.tolist() == [4.62, 4.50]
    assert store.series("DGS2", evening).days.tolist() == [date(2024, 7, 10), date(2024, 7, 11)]
    assert store.series("DGS2", evening + timedelta(days=5)).values.tolist() == [4.63, 4.50]
    assert len(store.series("DGS10", evening)) == 0


def test_series_may_be_negative_or_zero_and_is_kept_once(store):
    row = Observation(DAY, -69_861.0, AT)
    assert store.put_series("net", [row, Observation(DAY + timedelta(days=7), 0.0, AT)], source="cftc") == 2
    before = store.version
    assert store.put_series("net", [row], source="cftc") == 0
    assert store.version == before
    assert store.put_series("net", [Observation(DAY, 1.0, AT)], source="cftc") == 1
    assert store.series("net", AT).values.tolist() == [1, 0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_observation_must_be_a_number(value):
    with pytest.raises(BadMarketDataError, match=r"value = .* on 2024-07-11"):
        Observation(DAY, value, AT)


def test_observation_must_say_in_which_zone_it_became_known():
    with pytest.raises(BadMarketDataError, match="available_at"):
        Observation(DAY, 1.0, AT.replace(tzinfo=None))


@given(
    given=st.lists(st.tuples(st.integers(0, 4), _TIMES, st.integers(-99, 99)), max_size=12),
    as_of=_TIMES,
)
@settings(max_examples=150, deadline=None)
def test_observations_after_as_of_change_nothing(given, as_of):
    every = {(DAY + timedelta(days=day), at): float(value) for day, at, value in given}
    seen = {day: every[day, at] for day, at in sorted(every) if at <= as_of}
    with Store(None) as store:
        store.put_series("x", [Observation(day, value, at) for (day, at), value in every.items()], source="a")
        view = store.series("x", as_of)
    assert dict(zip(view.days.tolist(), view.values.tolist(), strict=True)) == seen
    assert view.days.tolist() == sorted(seen)


# Universes


def panel(name: str, days: int = 3, names: int = 2, compiled: date = DAY) -> Panel:
    close = np.random.default_rng(7).uniform(1, 500, (days, names))
    close[0, 0] = np.nan
    dates = np.arange(np.datetime64(DAY), np.datetime64(DAY) + days)
    return Panel(name, tuple(f"T{n}" for n in range(names)), dates, close, compiled)


def test_universe_comes_back_bit_by_bit_holes_included(store):
    given = panel("us-83")
    store.put_panel(given, source="us-83.csv.gz")
    found = store.panel("us-83")
    assert found is not None
    assert (found.name, found.tickers, found.compiled) == (given.name, given.tickers, given.compiled)
    assert found.days.tolist() == given.days.tolist()
    assert found.close.tobytes() == given.close.tobytes()


def test_newest_imported_universe_is_the_active_one(store):
    begin = datetime.now(UTC)
    for name in ("a", "b", "a"):
        store.put_panel(panel(name, compiled=date(2020, 1, 1)), source="f")
        newest = store.panel()
        assert newest is not None
        assert newest.name == name
    infos = store.panels()
    assert [one.name for one in infos] == ["a", "b"]
    last = DAY + timedelta(days=2)
    assert infos[0] == PanelInfo("a", 2, DAY, last, date(2020, 1, 1), infos[0].imported_at)
    assert begin <= infos[1].imported_at <= infos[0].imported_at <= datetime.now(UTC)


def test_universe_imported_again_takes_the_place_of_the_old(store):
    store.put_panel(panel("us", days=3), source="f")
    store.put_panel(panel("us", days=5, names=4), source="f")
    found = store.panel("us")
    assert found is not None
    assert found.close.shape == (5, 4)
    assert len(store.panels()) == 1


@pytest.mark.parametrize(("days", "names"), [(0, 2), (3, 0)])
def test_empty_universe_is_refused(store, days, names):
    dates = np.arange(np.datetime64(DAY), np.datetime64(DAY) + days)
    empty = Panel("none", tuple(f"T{n}" for n in range(names)), dates, np.empty((days, names)), DAY)
    with pytest.raises(BadMarketDataError, match="needs days and names"):
        store.put_panel(empty, source="f")
    assert store.panel() is None


# What changed


def test_version_grows_with_each_change_and_rests_without(store):
    seen = [store.version]

    def grew() -> bool:
        seen.append(store.version)
        return bool(seen[-1] > seen[-2])

    store.put_closes(closes(1.0), source="a", priority=Priority.FILE)
    assert grew()
    store.closes("^NDX")
    assert not grew()
    store.put_closes(closes(2.0), source="a", priority=Priority.CLOSE_ONLY_FILE)  # kept: lower priority
    assert not grew()
    store.put_quotes([quote()])
    assert grew()
    store.put_series("x", [Observation(DAY, 1.0, AT)], source="a")
    assert grew()
    store.put_panel(panel("us"), source="a")
    assert grew()
    assert not grew()


def test_quotes_and_minutes_leave_the_history_version(store):
    before = store.history_version
    store.put_quotes([quote()])
    store.put_bars(minutes(1.0), source="a", priority=Priority.VENDOR)
    assert store.history_version == before
    store.put_bars(daily(1.0), source="a", priority=Priority.VENDOR)
    after = store.history_version
    assert after > before
    store.put_series("x", [Observation(DAY, 1.0, AT)], source="a")
    assert store.history_version > after


def test_write_that_fails_half_way_leaves_rows_and_version(store):
    store.put_closes(closes(1.0), source="a", priority=Priority.FILE)
    before = store.version
    store._db.execute(
        "CREATE TRIGGER plug BEFORE INSERT ON bars WHEN NEW.close = 3 BEGIN SELECT RAISE(ABORT, 'pulled'); END"
    )
    with pytest.raises(StoreError, match="pulled"):
        store.put_closes(closes(2.0, 3.0), source="new", priority=Priority.FILE)
    assert store.closes("^NDX").close.tolist() == [1]
    assert store.version == before
    store.put_closes(closes(2.0), source="new", priority=Priority.FILE)  # goes on as if nothing had been
    assert store.symbols()[0].source == "new"


# Threads


def test_many_threads_write_and_read_whole_batches(store):
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for batch in range(10):
                first = DAY + timedelta(days=50 * batch)
                store.put_closes(
                    closes(*[1.0] * 50, first=first, symbol=f"S{number}"),
                    source=f"s{number}",
                    priority=Priority.FILE,
                )
        except BaseException as error:
            failed.append(error)
            raise

    def read(number: int) -> None:
        try:
            while len(found := store.closes(f"S{number}")) < 500:
                assert len(found) % 50 == 0
                assert store.version >= 0
        except BaseException as error:
            failed.append(error)
            raise

    workers = [threading.Thread(target=job, args=(n,)) for n in range(4) for job in (write, read)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert failed == []
    assert [one.rows for one in store.symbols()] == [500] * 4


def test_reading_and_asking_the_version_do_not_wait_for_a_write(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        store.put_closes(closes(1.0), source="a", priority=Priority.FILE)
        inside, leave = threading.Event(), threading.Event()

        def write() -> None:
            with store.writing():
                inside.set()
                leave.wait(60)

        writer = threading.Thread(target=write)
        writer.start()
        assert inside.wait(60)
        begin = time.perf_counter()
        assert store.closes("^NDX").close.tolist() == [1]
        assert store.version == 1
        took = time.perf_counter() - begin
        leave.set()
        writer.join(60)
    assert took < 1


def test_closed_store_says_so(store):
    store.put_quotes([quote()])
    store.last_quote("IWM", AT)
    store.close()
    store.close()
    uses: list[Callable[[], object]] = [
        lambda: store.closes("^NDX"),
        lambda: store.put_quotes([quote()]),
        lambda: store.version,
        lambda: store.history_version,
    ]
    for use in uses:
        with pytest.raises(StoreClosedError, match="it is closed; open it again"):
            use()


def test_store_closed_while_another_thread_reads_leaves_no_connection_open(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    with store._reading() as db:
        store.close()
        assert db.execute("SELECT 1").fetchone() == (1,)
    assert store._idle == []


# Speed


def test_ten_thousand_closes_are_read_in_eight_milliseconds(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        store.put_bars(
            daily(*np.linspace(100, 20_000, 10_000), first=date(1987, 9, 10)), source="a", priority=Priority.FILE
        )
        took = []
        for _ in range(15):
            begin = time.thread_time()
            assert len(store.closes("^NDX")) == 10_000
            took.append(time.thread_time() - begin)
    assert min(took) < 0.008


def test_hundred_names_over_ten_years_are_read_in_some_milliseconds(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        store.put_panel(panel("us", 2520, 100), source="a")
        took = []
        for _ in range(10):
            begin = time.thread_time()
            assert store.panel("us") is not None
            took.append(time.thread_time() - begin)
    assert min(took) < 0.015


def test_the_last_close_and_whether_there_is_any(store):
    assert store.last_close("^NDX") is None
    assert not store.has("^NDX")
    days = np.array(["2024-07-10", "2024-07-11"], dtype="datetime64[D]")
    store.put_closes(Closes("^NDX", days, np.array([20_675.38, 20_211.36])), source="a", priority=Priority.FILE)
    assert store.last_close("^NDX") == 20_211.36
    assert store.has("^NDX")
    assert not store.has("^NDX", Interval.MINUTE)
