"""What alerts read of the journal: sums of open trades, and why nothing may fire on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from desktop.deferred import Deferred
from desktop.journal_values import PNL, RESIDUAL, readings
from desktop.market.known import Unknown
from desktop.market.quotes import Closes, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.settings import Settings
from desktop.snapshot import Mode, SnapshotBuilder
from desktop.trade.journal import Fill, Trade

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
D = Decimal


def trade(number: int = 1, *, closed: bool = False) -> Trade:
    at = NOW - timedelta(hours=1)
    fills = [Fill("IWM", D(100), D(200), D(1), at), Fill("QQQ", D(-40), D(490), D(1), at)]
    if closed:
        fills += [Fill("IWM", D(-100), D(201), D(0), at), Fill("QQQ", D(40), D(490), D(0), at)]
    return Trade(number, 1, "", tuple(fills))


def snapshot(store: Store, age_s: float = 2.0, symbols: tuple[str, ...] = ("IWM", "QQQ")):
    days = NYSE.days(date(2022, 1, 3), date(2024, 7, 10))
    wave = np.sin(np.arange(len(days)) / 5.0)
    for symbol, close in (("^RUT", 2000 * np.exp(0.07 * wave)), ("^NDX", 20000 * np.exp(0.1 * wave))):
        store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
    traded = NOW - timedelta(seconds=age_s)
    for symbol, price in {"IWM": 204.0, "QQQ": 489.0}.items():
        if symbol in symbols:
            store.put_quotes([Quote(symbol, price, traded, NOW, "test")])
    return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(NOW, Settings(), mode=Mode.LIVE)


@pytest.fixture
def store():
    with Store(None) as made:
        yield made


def test_open_trades_are_summed_and_closed_ones_left_out(store):
    found = readings([trade(1), trade(2), trade(3, closed=True)], snapshot(store), 120.0)
    # 100 x 4 + 40 x 1 - 2, twice
    assert found[PNL].value == pytest.approx(876.0)
    assert (found[PNL].blocked, found[PNL].age_s) == ("", 2.0)
    # RUT moves .7 of NDX here: .7 x 20,400 - 19,560, twice
    assert found[RESIDUAL].value == pytest.approx(2 * (0.7 * 20400 - 19560), rel=1e-3)


def test_nothing_fires_on_old_prices(store):
    found = readings([trade()], snapshot(store, age_s=300.0), 120.0)
    assert "old" in found[PNL].blocked
    assert found[PNL].age_s == 300.0


def test_a_missing_price_is_unknown(store):
    found = readings([trade()], snapshot(store, symbols=("IWM",)), 120.0)
    assert found[PNL].value == Unknown("no price of QQQ")
    assert found[PNL].blocked


def test_without_an_open_trade_there_is_nothing_to_read(store):
    assert readings([trade(closed=True)], snapshot(store), 120.0) == {}
