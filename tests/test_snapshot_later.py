"""After the close the sizer trades what trades on: the futures' night, as it was known at the moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from desktop.deferred import Deferred
from desktop.market.quotes import Closes, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.presenters.sizer import SizerPresenter
from desktop.settings import Settings
from desktop.snapshot import SnapshotBuilder

CLOSE = datetime(2024, 7, 11, 20, 0, tzinfo=UTC)
NIGHT = datetime(2024, 7, 12, 1, 0, tzinfo=UTC)
"""21:00 in New York on 11 July 2024."""


@pytest.fixture
def store():
    days = NYSE.days(date(2023, 1, 1), date(2024, 7, 11))
    step = np.arange(len(days), dtype=np.float64)
    with Store(None) as made:
        for symbol, close in (("^RUT", 2100 + 30 * np.sin(step / 9)), ("^NDX", 20_000 + 300 * np.sin(step / 7))):
            made.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
        yield made


def put(store: Store, symbol: str, price: float, at: datetime, arrived: datetime | None = None) -> None:
    store.put_quotes([Quote(symbol, price, at, arrived or at, "test")])


def prices(store: Store, moment: datetime) -> list[tuple[str, str]]:
    snapshot = SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(moment, Settings())
    state = SizerPresenter().present(snapshot, Settings(sizing="cap", hedge="dollar"))
    return [(one.price.text, one.age.text) for one in state.legs]


def test_the_night_of_the_futures_is_seen_with_its_age(store):
    for symbol, at_close, at_night in (("RTY=F", 2140.0, 2150.0), ("NQ=F", 20_300.0, 20_400.0)):
        put(store, symbol, at_close, CLOSE - timedelta(seconds=5))
        put(store, symbol, at_night, NIGHT - timedelta(seconds=10))
    assert prices(store, NIGHT) == [("2,150.00", "10 s old"), ("20,400.00", "10 s old")]


def test_a_price_that_had_not_arrived_yet_is_not_seen(store):
    for symbol, at_close, later in (("RTY=F", 2140.0, 2150.0), ("NQ=F", 20_300.0, 20_400.0)):
        put(store, symbol, at_close, CLOSE - timedelta(seconds=5))
        put(store, symbol, later, NIGHT - timedelta(seconds=10), NIGHT + timedelta(seconds=1))
    assert [price for price, _ in prices(store, NIGHT)] == ["2,140.00", "20,300.00"]


def test_without_a_trade_since_the_close_the_last_one_shows_how_old_it_is(store):
    put(store, "RTY=F", 2140.0, CLOSE - timedelta(seconds=5))
    put(store, "NQ=F", 20_300.0, CLOSE - timedelta(seconds=5))
    assert prices(store, NIGHT) == [("2,140.00", "15:59:55"), ("20,300.00", "15:59:55")]
