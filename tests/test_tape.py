"""What is held of a session answers like one read anew, and never shows what had not happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.analytics.divergence import LegHistory
from desktop.market.instruments import PAIRS, Kind, Leg
from desktop.market.quotes import Bars, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.tape import Tape

OPEN = datetime(2024, 7, 11, 13, 30, tzinfo=UTC)
SESSION, BEFORE = NYSE.last_started(OPEN), NYSE.previous(OPEN.date())
START, RELEASE = OPEN - timedelta(hours=1, minutes=45), OPEN - timedelta(hours=1)
SYMBOLS = [symbol for legs in PAIRS.values() for symbol in legs.values()]


def put_bar(store: Store, symbol: str, interval: Interval, start: datetime, price: float) -> None:
    one = np.array([price])
    bars = Bars(symbol, interval, np.array([int(start.timestamp())]), one, one, one, one, np.zeros(1))
    store.put_bars(bars, source="test", priority=Priority.VENDOR)


def put_quote(store: Store, symbol: str, at: datetime, price: float, late_s: float = 0.0) -> None:
    store.put_quotes([Quote(symbol, price, at, at + timedelta(seconds=late_s), "test")])


def contents(legs: Mapping[tuple[Kind, Leg], LegHistory]) -> list[object]:
    return [
        (
            key,
            None if leg.bars is None else (leg.bars.interval, leg.bars.start_s.tolist(), leg.bars.close.tolist()),
            leg.quotes,
            None if leg.closes is None else leg.closes.close.tolist(),
        )
        for key, leg in legs.items()
    ]


def read(tape: Tape, at: datetime) -> list[object]:
    return contents(tape.legs(SESSION, BEFORE, START, at, RELEASE))


minutes = st.integers(-105, 400)
writes = st.lists(
    st.tuples(
        st.sampled_from(SYMBOLS),
        st.sampled_from(["1m", "5m", "15m", "quote", "late quote", "look"]),
        minutes,
        st.floats(10, 100, allow_nan=False),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(writes, minutes)
def test_what_is_held_equals_what_is_read_anew(steps, last):
    with Store(None) as store:
        held = Tape(store)
        for symbol, what, minute, price in steps:
            at = OPEN + timedelta(minutes=minute)
            match what:
                case "look":
                    assert read(held, at) == read(Tape(store), at)
                case "quote" | "late quote":
                    put_quote(store, symbol, at, price, late_s=600 if what == "late quote" else 0)
                case _:
                    interval = Interval(what)
                    put_bar(store, symbol, interval, at - (at - OPEN) % timedelta(seconds=interval.seconds), price)
        at = OPEN + timedelta(minutes=last)
        assert read(held, at) == read(Tape(store), at)


@settings(max_examples=60, deadline=None)
@given(writes, minutes)
def test_nothing_from_after_the_moment_is_told(steps, last):
    at = OPEN + timedelta(minutes=last)
    with Store(None) as store:
        for symbol, what, minute, price in steps:
            when = OPEN + timedelta(minutes=minute)
            if what.endswith("quote"):
                put_quote(store, symbol, when, price, late_s=600 if what == "late quote" else 0)
            elif what != "look":
                put_bar(store, symbol, Interval(what), when, price)
        for leg in Tape(store).legs(SESSION, BEFORE, START, at, RELEASE).values():
            assert all(one.event_time <= at and one.arrival_time <= at for one in leg.quotes)
            assert leg.bars is not None
            assert (leg.bars.start_s + leg.bars.interval.seconds <= at.timestamp()).all()


def test_of_all_quotes_the_last_and_the_last_before_the_release_are_kept():
    with Store(None) as store:
        for seconds, price in ((-300, 1.0), (-2, 2.0), (0, 3.0), (5, 4.0), (3600, 5.0)):
            put_quote(store, "RTY=F", RELEASE + timedelta(seconds=seconds), price)
        legs = Tape(store).legs(SESSION, BEFORE, START, RELEASE + timedelta(seconds=10), RELEASE)
        kept = next(leg for leg in legs.values() if leg.symbol == "RTY=F").quotes
    assert [one.price for one in kept] == [2.0, 4.0]


def test_a_version_of_bars_moves_with_its_symbol_alone(tmp_path):
    with Store(tmp_path / "store.sqlite") as store:
        before = {symbol: store.bars_version(symbol) for symbol in ("^RUT", "^NDX")}
        put_bar(store, "^RUT", Interval.MINUTE, OPEN, 2000.0)
        assert store.bars_version("^RUT") > before["^RUT"]
        assert store.bars_version("^NDX") == before["^NDX"]
        rut = store.bars_version("^RUT")
        put_quote(store, "^RUT", OPEN, 2000.0)
        assert store.bars_version("^RUT") == rut
        with Store(tmp_path / "store.sqlite") as other:
            put_bar(other, "^NDX", Interval.MINUTE, OPEN, 20_000.0)
        assert store.bars_version("^NDX") > before["^NDX"]


@pytest.mark.parametrize(("by", "price"), [(-1, None), (0, 1.0), (59, 1.0), (60, 2.0)])
def test_last_quote_may_be_bounded_by_when_it_traded(by, price):
    with Store(None) as store:
        put_quote(store, "IWM", OPEN, 1.0)
        put_quote(store, "IWM", OPEN + timedelta(seconds=60), 2.0)
        found = store.last_quote("IWM", OPEN + timedelta(hours=1), traded_by=OPEN + timedelta(seconds=by))
    assert (found.price if found else None) == price
