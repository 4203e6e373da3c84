from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from desktop.market.clock import PlayClock
from desktop.market.instruments import LIVE_SYMBOLS
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Store
from desktop.market.universe import universe
from desktop.sources.contract import Failure, FailureKind, Source, Window
from desktop.sources.demo import (
    DEMO_END,
    DEMO_SEED,
    DEMO_SPEED,
    DEMO_START,
    DemoSource,
    build_demo,
    demo_clock,
    position_at,
    time_at,
)
from desktop.sources.demo_market import DemoMarket, simulate
from desktop.sources.history import AdjustedSource

NDX_PRIOR, RUT_PRIOR = 20675.38, 2051.75
WHOLE_DAY = Window(datetime(2024, 7, 11, tzinfo=UTC), datetime(2024, 7, 12, tzinfo=UTC))
MINUTE = timedelta(minutes=1)


def new_york(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-07-11T{clock}").replace(tzinfo=ZoneInfo("America/New_York"))


class Stopped:
    """A clock that stands where the test puts it."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def demo() -> tuple[Store, DemoMarket]:
    store = Store(None)
    return store, build_demo(store)


@pytest.fixture(scope="module")
def store(demo: tuple[Store, DemoMarket]) -> Store:
    return demo[0]


@pytest.fixture(scope="module")
def day(demo: tuple[Store, DemoMarket]) -> DemoMarket:
    return demo[1]


@pytest.fixture(scope="module")
def legs(store) -> tuple[np.ndarray, np.ndarray]:
    """Daily closes of NDX and RUT to 2024-07-10."""
    return store.closes("^NDX").close, store.closes("^RUT").close


def price(day: DemoMarket, symbol: str, at: datetime) -> float:
    """Price printed at a New York second: the print shows a second later."""
    quote = DemoSource(day, Stopped(at + timedelta(seconds=1))).quotes([symbol])[symbol]
    assert isinstance(quote, Quote), quote
    return quote.price


def spread_pp(day: DemoMarket, at: datetime) -> float:
    return (price(day, "^RUT", at) / RUT_PRIOR - price(day, "^NDX", at) / NDX_PRIOR) * 100


# The day


@pytest.mark.parametrize(
    ("clock", "ndx", "rut"),
    [("09:30:00", 20661.41, 2081.70), ("16:00:00", 20211.36, 2125.04)],
)
def test_day_opens_and_closes_at_the_published_levels(day, clock, ndx, rut):
    assert price(day, "^NDX", new_york(clock)) == ndx
    assert price(day, "^RUT", new_york(clock)) == rut


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("09:35", 1.9), ("10:30", 3.7), ("11:30", 4.8), ("14:00", 5.5), ("16:00", 5.816)],
)
def test_spread_from_prior_close_is_as_reported_at_the_minute(day, clock, expected):
    assert spread_pp(day, new_york(clock)) == pytest.approx(expected, abs=0.001)


def test_largest_spread_before_the_late_drift_is_that_of_two_o_clock(day):
    opened, drift = (int(new_york(clock).timestamp()) for clock in ("09:30", "15:50"))
    ndx, rut = day.tapes["^NDX"], day.tapes["^RUT"]
    seconds = slice(opened - ndx.start_s, drift - ndx.start_s)
    spread = (rut.price[seconds] / RUT_PRIOR - ndx.price[seconds] / NDX_PRIOR) * 100
    assert spread.max() == pytest.approx(5.5, abs=0.001)
    at_two = int(new_york("14:00").timestamp()) - opened
    assert spread[at_two] == pytest.approx(spread.max(), abs=0.001)
    assert spread_pp(day, new_york("15:50")) == pytest.approx(5.4, abs=0.001)


@pytest.mark.parametrize(("rut", "ndx"), [("RTY=F", "NQ=F"), ("IWM", "QQQ")])
def test_release_moves_futures_and_etfs_at_once(day, rut, ndx):
    def move_pct(symbol: str, clock: str) -> float:
        return (price(day, symbol, new_york(clock)) / price(day, symbol, new_york("08:29:59")) - 1) * 100

    assert move_pct(rut, "08:30:01") > 0.7
    assert move_pct(rut, "08:31") == pytest.approx(1.35, abs=0.1)
    assert move_pct(ndx, "08:31") == pytest.approx(0.27, abs=0.1)
    assert move_pct(ndx, "09:29") < 0.1  # faded


def test_no_price_jumps_but_at_the_release(day):
    released = int(new_york("08:30").timestamp())
    for symbol in LIVE_SYMBOLS:
        tape = day.tapes[symbol]
        steps = np.abs(np.diff(np.log(tape.price)))
        steps[released - tape.start_s - 1 : released - tape.start_s + 60] = 0.0
        limit = 0.004 if symbol.startswith("^VIX") else 0.0008
        assert steps.max() < limit, symbol


@pytest.mark.parametrize(("symbol", "name"), [("^RUT", "rut-5m-2024-2026.csv"), ("QQQ", "qqq-5m-2024-2026.csv")])
def test_five_minutes_of_the_session_move_about_as_much_as_the_real_ones(day, real_data, symbol, name):
    with (real_data / "intraday-ibkr" / name).open() as lines:
        real = [float(row["close"]) for row in csv.DictReader(lines) if row["date"].startswith("2024-07-11")]
    bars = day.bars[symbol, Interval.FIVE_MINUTES]
    opened, closed = (new_york(clock).timestamp() for clock in ("09:30", "16:00"))
    ours = bars.close[(bars.start_s >= opened) & (bars.start_s < closed)]
    assert len(ours) == len(real) == 78
    assert 0.6 < np.diff(np.log(ours)).std() / np.diff(np.log(real)).std() < 1.6


def test_official_day_is_in_the_daily_bar_after_the_close(day):
    bars = DemoSource(day, Stopped(DEMO_END)).bars("^RUT", Interval.DAY, WHOLE_DAY)
    assert isinstance(bars, Bars)
    assert (bars.open[0], bars.close[0]) == (2081.70, 2125.04)
    assert bars.high[0] >= 2125.04
    assert bars.low[0] <= 2081.70
    fear = DemoSource(day, Stopped(DEMO_END)).bars("^COR1M", Interval.DAY, WHOLE_DAY)
    assert isinstance(fear, Bars)
    assert fear.close.tolist() == [3.87]


# No look-ahead


@pytest.mark.parametrize("symbol", ["^RUT", "IWM", "RTY=F", "^VIX"])
def test_bar_appears_with_its_last_second_not_before(day, symbol):
    clock = Stopped(new_york("10:00:59").astimezone(UTC))
    source = DemoSource(day, clock)
    before = source.bars(symbol, Interval.MINUTE, WHOLE_DAY)
    clock.at += timedelta(seconds=1)
    after = source.bars(symbol, Interval.MINUTE, WHOLE_DAY)
    assert isinstance(before, Bars)
    assert isinstance(after, Bars)
    assert before.start_s[-1] == new_york("09:59").timestamp()
    assert after.start_s[-1] == new_york("10:00").timestamp()


def test_daily_bar_of_the_day_appears_at_the_close(day):
    clock = Stopped(new_york("15:59:59"))
    source = DemoSource(day, clock)
    answer = source.bars("^NDX", Interval.DAY, WHOLE_DAY)
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.NO_DATA
    clock.at = new_york("16:00")
    assert isinstance(source.bars("^NDX", Interval.DAY, WHOLE_DAY), Bars)


def test_quotes_are_a_second_old_and_never_from_the_future(day):
    clock = Stopped(DEMO_START)
    source = DemoSource(day, clock)
    while clock.at <= DEMO_END:
        for quote in source.quotes(LIVE_SYMBOLS).values():
            assert isinstance(quote, Quote)
            assert quote.arrival_time == clock.at
            assert quote.event_time < clock.at
            assert (quote.source, quote.declared_delay_s) == ("Demo", 0.0)
        clock.at += timedelta(minutes=7, seconds=13)


def test_changing_the_future_changes_no_answer(day):
    """The tapes after the clock are replaced by nonsense: the answers stay."""
    at = new_york("11:17:23")
    cut = int(at.timestamp())
    tapes = {}
    for symbol, tape in day.tapes.items():
        changed = tape.price.copy()
        changed[cut - tape.start_s :] = 1.0
        tapes[symbol] = type(tape)(symbol, tape.start_s, tape.step_s, changed, tape.hours)
    other = DemoMarket(day.seed, day.bars, day.adjusted, day.panel, tapes, day.previous_close)
    seen, again = (DemoSource(one, Stopped(at)).quotes(LIVE_SYMBOLS) for one in (day, other))
    assert seen == again


def test_store_holds_nothing_from_after_the_start(store):
    for info in store.symbols():
        end = info.last + timedelta(seconds=0 if info.interval is Interval.DAY else info.interval.seconds)
        assert end <= DEMO_START, info
    assert store.closes("^NDX").days[-1] == np.datetime64("2024-07-10")
    assert store.closes("IWM:adj").days[-1] == np.datetime64("2024-07-10")
    panel = store.panel()
    assert panel is not None
    assert panel.days[-1] == np.datetime64("2024-07-10")


# Trading hours


def test_cash_indices_show_the_prior_close_until_the_open(day):
    quote = DemoSource(day, Stopped(new_york("09:29:59"))).quotes(["^RUT"])["^RUT"]
    assert isinstance(quote, Quote)
    assert (quote.price, quote.event_time) == (RUT_PRIOR, datetime(2024, 7, 10, 20, 0, tzinfo=UTC))
    assert quote.open_price is None
    opened = DemoSource(day, Stopped(new_york("09:30:05"))).quotes(["^RUT"])["^RUT"]
    assert isinstance(opened, Quote)
    assert (opened.previous_close, opened.open_price) == (RUT_PRIOR, 2081.70)
    assert opened.event_time == new_york("09:30:04")


def test_cash_indices_stop_at_the_close_and_etfs_go_on(day):
    quotes = DemoSource(day, Stopped(new_york("16:04"))).quotes(["^NDX", "QQQ", "NQ=F"])
    times = {symbol: quote.event_time for symbol, quote in quotes.items() if isinstance(quote, Quote)}
    assert times == {
        "^NDX": new_york("16:00"),
        "QQQ": new_york("16:03:59"),
        "NQ=F": new_york("16:03:59"),
    }


def test_futures_pause_and_etfs_sleep_at_night(day):
    evening = datetime(2024, 7, 10, 17, 30, tzinfo=ZoneInfo("America/New_York"))
    night = datetime(2024, 7, 11, 2, 0, tzinfo=ZoneInfo("America/New_York"))
    paused = DemoSource(day, Stopped(evening)).quotes(["NQ=F"])["NQ=F"]
    asleep = DemoSource(day, Stopped(night)).quotes(["IWM"])["IWM"]
    assert isinstance(paused, Quote)
    assert isinstance(asleep, Quote)
    assert paused.event_time == evening.replace(hour=17, minute=0)
    assert asleep.event_time == evening.replace(hour=20, minute=0)


def test_night_minutes_of_the_futures_and_morning_minutes_of_the_etfs_are_stored(store):
    starts = store.bars("RTY=F", Interval.MINUTE).start_s
    last_night = (starts >= new_york("00:00").timestamp()) & (starts < new_york("08:25").timestamp())
    assert last_night.sum() == 8 * 60 + 25
    starts = store.bars("QQQ", Interval.MINUTE).start_s
    morning = (starts >= new_york("04:00").timestamp()) & (starts < new_york("08:25").timestamp())
    assert morning.sum() == 4 * 60 + 25


# Answers that are refusals


def test_what_the_demo_does_not_know_is_a_named_failure(day):
    source = DemoSource(day, Stopped(DEMO_START))
    assert set(source.quotes(["AAPL", "^NDX"])) == {"AAPL", "^NDX"}
    unknown = source.quotes(["AAPL"])["AAPL"]
    assert isinstance(unknown, Failure)
    assert unknown.kind is FailureKind.NOT_FOUND
    for answer in (
        source.bars("AAPL", Interval.DAY, WHOLE_DAY),
        source.bars("^NDX", Interval.HOUR, WHOLE_DAY),
        source.adjusted_closes("^NDX", WHOLE_DAY),
    ):
        assert isinstance(answer, Failure)
        assert answer.kind is FailureKind.NOT_FOUND
    early = DemoSource(day, Stopped(datetime(2024, 7, 1, tzinfo=UTC))).quotes(["^NDX"])["^NDX"]
    assert isinstance(early, Failure)
    assert early.kind is FailureKind.NO_DATA


def test_it_keeps_the_contract_of_a_source(day):
    source: Source = DemoSource(day, Stopped(DEMO_START))
    assert source.name == "Demo"
    assert isinstance(source, AdjustedSource)


def test_adjusted_closes_end_with_the_last_session_that_is_over(day):
    since = Window(datetime(2024, 7, 9, tzinfo=UTC), datetime(2024, 7, 12, tzinfo=UTC))
    morning = DemoSource(day, Stopped(DEMO_START)).adjusted_closes("IWM", since)
    evening = DemoSource(day, Stopped(DEMO_END)).adjusted_closes("IWM", since)
    assert isinstance(morning, Closes)
    assert isinstance(evening, Closes)
    assert [str(one) for one in morning.days] == ["2024-07-09", "2024-07-10"]
    assert [str(one) for one in evening.days] == ["2024-07-09", "2024-07-10", "2024-07-11"]
    assert evening.symbol == "IWM:adj"
    none = DemoSource(day, Stopped(DEMO_START)).adjusted_closes("IWM", WHOLE_DAY)
    assert isinstance(none, Failure)
    assert none.kind is FailureKind.NO_DATA


# History


def published() -> dict[str, dict[str, float]]:
    """Shipped levels by symbol and day, read apart from the program."""
    import resources

    found: dict[str, dict[str, float]] = {}
    with resources.path("levels.csv").open() as lines:
        for row in csv.DictReader(line for line in lines if line[0] != "#"):
            for symbol in ("ndx", "rut"):
                found.setdefault(f"^{symbol.upper()}", {})[row["date"]] = float(row[symbol])
    with resources.path("demo-levels.csv").open() as lines:
        for row in csv.DictReader(line for line in lines if line[0] != "#"):
            found.setdefault(row["symbol"], {})[row["date"]] = float(row["close"])
    return found


@pytest.mark.parametrize("symbol", ["^NDX", "^RUT", "^SPX", "^VIX", "^VIX3M", "^COR1M"])
def test_history_meets_every_published_close_exactly(store, symbol):
    closes = store.closes(symbol)
    simulated = dict(zip(closes.days.astype(str), closes.close.tolist(), strict=True))
    pins = {day: level for day, level in published()[symbol].items() if day <= "2024-07-10"}
    assert len(pins) >= 10
    assert {day: simulated[day] for day in pins} == pins


def test_shipped_levels_are_those_of_the_real_files(real_data):
    columns = {
        "^NDX": ("index-daily/ndx-yahoo-1985-2026.csv", 0, 1),
        "^RUT": ("index-daily/rut-yahoo-1987-2024.csv", 0, 4),
    }
    for symbol, (name, day_column, close_column) in columns.items():
        with (real_data / name).open() as lines:
            real = {row[day_column]: row[close_column] for row in csv.reader(lines) if row[0][:1].isdigit()}
        for day, level in published()[symbol].items():
            if day in real:
                assert level == pytest.approx(float(real[day]), abs=0.006), (symbol, day)
    with (real_data / "vol-cboe/cboe-volatility-wide-1990-2026.csv").open() as lines:
        real_cboe = {row["date"]: row for row in csv.DictReader(lines)}
    for symbol in ("^VIX", "^VIX3M"):
        for day, level in published()[symbol].items():
            assert level == float(real_cboe[day][symbol[1:]]), (symbol, day)


def test_history_covers_every_session_without_a_hole(store):
    for symbol in ("^NDX", "^RUT", "^SPX"):
        closes = store.closes(symbol)
        assert closes.days[0] == np.datetime64("1987-09-10")
        assert not len(NYSE.missing(closes.days))
        assert not len(NYSE.not_sessions(closes.days))


def test_daily_candles_hold_open_and_close_between_high_and_low(day):
    for (symbol, interval), bars in day.bars.items():
        assert (bars.high >= np.maximum(bars.open, bars.close)).all(), (symbol, interval)
        assert (bars.low <= np.minimum(bars.open, bars.close)).all(), (symbol, interval)


def test_opens_have_gaps_only_where_published_ones_do(store):
    bars = store.bars("^RUT", Interval.DAY)
    gaps = bars.open[1:] / bars.close[:-1] - 1
    early = bars.days[1:] < np.datetime64("2007-01-01")
    assert (gaps[early] == 0).all()
    assert (gaps[~early] != 0).mean() > 0.95


def test_move_of_the_day_ranks_as_published(legs):
    """METHODS: rank 2 behind 2002-07-25, rank 12 by size, and the published days on top."""
    ndx, rut = (np.append(leg, last) for leg, last in zip(legs, (20211.36, 2125.04), strict=True))
    spread = (rut[1:] / rut[:-1] - ndx[1:] / ndx[:-1]) * 100
    assert spread[-1] == pytest.approx(5.816, abs=0.001)
    assert 1 + (spread > spread[-1]).sum() == 2
    assert 1 + (np.abs(spread) > spread[-1]).sum() == 12
    assert spread.max() == pytest.approx(5.885, abs=0.01)
    assert spread.min() == pytest.approx(-14.036, abs=0.01)


def test_daily_spread_is_as_wide_and_fat_tailed_as_the_market(legs):
    ndx, rut = legs
    spread = (rut[1:] / rut[:-1] - ndx[1:] / ndx[:-1]) * 100
    assert 0.85 < spread.std() < 1.15  # real: 1.07
    centred = (spread - spread.mean()) / spread.std()
    assert (centred**4).mean() - 3 > 3  # real: 7.9
    assert 4.8 < 5.816 / spread[-252:].std(ddof=1) < 6.5  # real sd252-score: 5.80


def test_last_year_hedges_as_the_real_one_did(legs):
    """METHODS 9 to 2024-07-10: rho .5882, beta .7026, vol ratio 1.1945."""
    ndx, rut = (np.diff(np.log(leg))[-252:] for leg in legs)
    rho = np.corrcoef(ndx, rut)[0, 1]
    beta = np.polyfit(ndx, rut, 1)[0]
    assert rho == pytest.approx(0.588, abs=0.04)
    assert beta == pytest.approx(0.703, abs=0.04)
    assert rut.std() / ndx.std() == pytest.approx(1.19, abs=0.05)
    assert 0.15 < ndx.std(ddof=1) * np.sqrt(252) < 0.22
    assert 0.17 < rut.std(ddof=1) * np.sqrt(252) < 0.23


def test_ratio_peaks_where_it_did(store, legs):
    ratio, days = legs[0] / legs[1], store.closes("^NDX").days
    dotcom = (days >= np.datetime64("1999-01-01")) & (days < np.datetime64("2002-01-01"))
    assert days[dotcom][ratio[dotcom].argmax()] == np.datetime64("2000-03-27")
    assert ratio[dotcom].max() == pytest.approx(8.2014, abs=1e-3)
    assert days[ratio.argmax()] == np.datetime64("2024-07-09")
    assert ratio[-1] == pytest.approx(10.0769, abs=1e-3)


def test_volatility_follows_the_regimes(store, legs):
    years = store.closes("^NDX").days[1:].astype("datetime64[Y]").astype(int) + 1970
    moves = np.diff(np.log(legs[0]))
    vol = {year: moves[years == year].std() * np.sqrt(252) for year in (1993, 2001, 2008, 2017, 2020)}
    assert vol[2001] > 0.4
    assert vol[2008] > 0.3
    assert vol[2020] > 0.28
    assert vol[1993] < 0.3
    assert vol[2017] < 0.14


def test_fear_rises_when_stocks_fall(store):
    vix, spx = store.closes("^VIX"), store.closes("^SPX")
    changes = np.diff(np.log(vix.close))
    market = np.diff(np.log(spx.close[-len(vix) :]))
    assert np.corrcoef(changes, market)[0, 1] < -0.4
    assert vix.close.min() > 9.0
    assert 60.0 < vix.close.max() < 85.0
    assert vix.close[-1] == 12.85
    ranked = store.closes("^COR1M")
    assert ranked.close[-1] == 4.12
    assert ranked.close.min() >= 3.8


def test_etfs_and_futures_are_scaled_from_their_index(store):
    last = {
        symbol: store.closes(symbol).close[-1] for symbol in ("IWM", "QQQ", "RTY=F", "NQ=F", "IWM:adj", "QQQ:adj")
    }
    assert last["IWM"] == pytest.approx(203.3, abs=0.5)
    assert last["QQQ"] == pytest.approx(502.96, abs=0.5)
    assert last["RTY=F"] / RUT_PRIOR - 1 == pytest.approx(0.04 * 72 / 365, abs=1e-4)  # expiry 2024-09-20
    assert last["NQ=F"] / NDX_PRIOR - 1 == pytest.approx(0.046 * 72 / 365, abs=1e-4)
    assert last["IWM:adj"] == pytest.approx(last["IWM"], rel=1e-4)
    for symbol, yearly in (("IWM", 0.013), ("QQQ", 0.006)):
        plain, adjusted = store.closes(symbol), store.closes(f"{symbol}:adj")
        years = (adjusted.days[-1] - adjusted.days[0]).astype(int) / 365.25
        growth = adjusted.close[-1] / adjusted.close[0] / (plain.close[-1] / plain.close[0])
        assert np.log(growth) / years == pytest.approx(yearly, abs=1e-3)


def test_prices_lie_on_the_tick(day):
    for symbol, tick in (("NQ=F", 0.25), ("RTY=F", 0.10), ("QQQ", 0.01)):
        steps = day.tapes[symbol].price / tick
        assert np.allclose(steps, np.round(steps), atol=1e-6)


# Intraday history and the universe


def test_cone_has_five_minute_bars_of_both_legs_for_sixty_five_sessions(store):
    for symbol in ("^NDX", "^RUT"):
        bars = store.bars(symbol, Interval.FIVE_MINUTES)
        labels = bars.start_s.astype("datetime64[s]").astype("datetime64[D]")  # sessions lie within a UTC day
        days, counts = np.unique(labels, return_counts=True)
        assert len(days) == 65
        half_day = days == np.datetime64("2024-07-03")
        assert (counts[~half_day] == 78).all()
        assert (counts[half_day] == 42).all()


def test_intraday_paths_end_on_the_daily_closes_and_span_their_range(store):
    intraday, daily = store.bars("^RUT", Interval.FIVE_MINUTES), store.bars("^RUT", Interval.DAY)
    labels = intraday.start_s.astype("datetime64[s]").astype("datetime64[D]")
    for day in np.unique(labels):
        inside, at = labels == day, int(np.searchsorted(daily.days, day))
        assert intraday.open[inside][0] == pytest.approx(daily.open[at], abs=0.011)
        assert intraday.close[inside][-1] == pytest.approx(daily.close[at], abs=0.011)
        assert intraday.high[inside].max() == pytest.approx(daily.high[at], abs=0.011)
        assert intraday.low[inside].min() == pytest.approx(daily.low[at], abs=0.011)


def test_spread_so_far_widens_through_the_session(store):
    ndx, rut = (store.bars(symbol, Interval.FIVE_MINUTES) for symbol in ("^NDX", "^RUT"))
    labels = ndx.start_s.astype("datetime64[s]").astype("datetime64[D]")
    paths = []
    for day in np.unique(labels):
        inside = labels == day
        if inside.sum() == 78:
            moves = [bars.close[inside] / bars.open[inside][0] - 1 for bars in (rut, ndx)]
            paths.append((moves[0] - moves[1]) * 100)
    sd = np.std(paths, axis=0)
    assert len(paths) == 64
    assert 0.05 < sd[0] < 0.35
    assert sd[0] < sd[12] < sd[77] < 1.6


def test_universe_panel_ends_with_the_correlation_of_july_2024(store):
    panel = store.panel()
    assert panel is not None
    assert panel.tickers == universe().tickers
    assert panel.compiled == universe().compiled
    assert panel.close.shape == (757, 100)
    assert np.isfinite(panel.close).all()
    moves = np.diff(np.log(panel.close), axis=0)
    matrix = np.corrcoef(moves[-21:], rowvar=False)
    assert (matrix.sum() - 100) / 9900 == pytest.approx(0.17, abs=0.02)
    momentum = np.log(panel.close[-22] / panel.close[-253])
    assert 0.2 < momentum.std() < 0.7


def test_same_seed_gives_the_same_market_and_another_seed_another(day):
    again, other = simulate(DEMO_SEED), simulate(DEMO_SEED + 1)
    for key, bars in day.bars.items():
        assert np.array_equal(bars.close, again.bars[key].close), key
    assert np.array_equal(day.panel.close, again.panel.close)
    assert not np.array_equal(day.bars["^NDX", Interval.DAY].close, other.bars["^NDX", Interval.DAY].close)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_seed_meets_the_pins(seed):
    market = simulate(seed)
    for symbol, close in (("^NDX", 20211.36), ("^RUT", 2125.04), ("^SPX", 5584.54), ("^VIX", 12.92)):
        assert market.bars[symbol, Interval.DAY].close[-1] == close
    for clock, expected in (("09:35", 1.9), ("14:00", 5.5)):
        assert spread_pp(market, new_york(clock)) == pytest.approx(expected, abs=0.001)


# Clock


def test_clock_starts_before_the_release_plays_sixty_times_and_stops_after_the_close():
    assert new_york("08:25") == DEMO_START
    assert new_york("16:05") == DEMO_END
    clock = demo_clock()
    assert isinstance(clock, PlayClock)
    assert clock.speed == DEMO_SPEED == 60
    clock.seek(DEMO_END + timedelta(hours=1))
    assert clock.now() == DEMO_END


def test_position_and_time_are_inverse_and_clamped():
    assert (position_at(DEMO_START), position_at(DEMO_END)) == (0.0, 1.0)
    assert position_at(DEMO_START - MINUTE) == 0.0
    assert position_at(DEMO_END + MINUTE) == 1.0
    assert (time_at(-1), time_at(2)) == (DEMO_START, DEMO_END)
    for clock in ("08:30", "12:00", "15:59:59"):
        assert time_at(position_at(new_york(clock))) == new_york(clock)
    assert all(before < after for before, after in pairwise(time_at(share / 10) for share in range(11)))


def test_quotes_stand_still_after_the_end(day):
    end, later = (
        DemoSource(day, Stopped(at)).quotes(["QQQ"])["QQQ"] for at in (DEMO_END, DEMO_END + timedelta(hours=2))
    )
    assert isinstance(end, Quote)
    assert isinstance(later, Quote)
    assert (end.price, end.event_time) == (later.price, later.event_time)


def test_demo_needs_no_pandas_and_no_qt():
    code = (
        "import sys; from desktop.market.store import Store; from desktop.sources.demo import build_demo;"
        "build_demo(Store(None));"
        "heavy = 'pandas', 'scipy', 'PySide6', 'yfinance', 'exchange_calendars';"
        "print([one for one in heavy if one in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


def test_day_is_a_session_of_the_calendar():
    assert NYSE.session(date(2024, 7, 11)) is not None
