"""The session shown: RUT paired with QQQ where there is nothing else, and nothing seen before its time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from desktop.analytics.divergence import MIXED, Reference
from desktop.market.known import Unknown
from desktop.market.quotes import Bars, Closes, Interval
from desktop.market.store import Priority, Store
from desktop.tape import Tape
from desktop.today import Today, watch

OPEN = datetime(2024, 7, 11, 13, 30, tzinfo=UTC)


def sure(found: object) -> Any:
    assert not isinstance(found, Unknown), found
    return found


def put_bars(store: Store, symbol: str, interval: Interval, first: datetime, close: list[float]) -> None:
    start = int(first.timestamp()) + interval.seconds * np.arange(len(close))
    levels = np.array(close)
    bars = Bars(symbol, interval, start, levels, levels, levels, levels, np.zeros(len(close)))
    store.put_bars(bars, source="test", priority=Priority.FILE)


def put_close(store: Store, symbol: str, day: str, close: float) -> None:
    closes = Closes(symbol, np.array([day], dtype="datetime64[D]"), np.array([close]))
    store.put_closes(closes, source="test", priority=Priority.FILE)


def seen(store: Store, at: datetime) -> Today:
    return watch(Tape(store), at, Reference.PRIOR_CLOSE, max_leg_gap_s=60, max_age_s=1200, truth_gap_pp=0.5)


@pytest.fixture
def rut_and_qqq() -> Store:
    """What a user has who imports the files of broker bars: the RUT index and QQQ, no IWM, no NDX bars."""
    store = Store(None)
    put_close(store, "^RUT", "2024-07-10", 2000.0)
    put_close(store, "QQQ", "2024-07-10", 500.0)
    put_bars(store, "^RUT", Interval.FIVE_MINUTES, OPEN, [2020.0, 2040.0])
    put_bars(store, "QQQ", Interval.FIVE_MINUTES, OPEN, [500.0, 495.0])
    return store


def test_rut_and_qqq_drive_without_any_price_of_iwm(rut_and_qqq):
    today = seen(rut_and_qqq, OPEN + timedelta(minutes=10))
    driver, spread = sure(today.driver), sure(today.spread)
    assert driver.kind == MIXED
    assert (spread.rut_pct, spread.ndx_pct, spread.spread_pp) == pytest.approx((2.0, -1.0, 3.0))
    assert [piece.kind for piece in today.pieces] == [MIXED]
    np.testing.assert_allclose(today.pieces[0].path.spread_pp, [1.0, 3.0])
    from_open = sure(today.spreads[Reference.OPEN])
    assert from_open.spread_pp == pytest.approx(100 * (2040 / 2020 - 1) - 100 * (495 / 500 - 1))


def test_a_bar_that_has_only_begun_does_not_choose_the_length_of_bars(rut_and_qqq):
    at = OPEN + timedelta(minutes=10, seconds=30)
    before = seen(rut_and_qqq, at)
    for symbol, level in (("^RUT", 2100.0), ("QQQ", 480.0)):
        put_bars(rut_and_qqq, symbol, Interval.MINUTE, OPEN + timedelta(minutes=10), [level])
    after = seen(rut_and_qqq, at)
    assert sure(after.spread) == sure(before.spread)


def test_a_bar_is_known_from_its_end_on(rut_and_qqq):
    end = OPEN + timedelta(minutes=10)
    early = seen(rut_and_qqq, end - timedelta(microseconds=1))
    assert sure(early.spread).spread_pp == pytest.approx(1.0)
    assert sure(seen(rut_and_qqq, end).spread).spread_pp == pytest.approx(3.0)


def test_the_day_shown_after_the_close_is_seen_at_its_close(rut_and_qqq):
    close = datetime(2024, 7, 11, 20, 0, tzinfo=UTC)
    today = seen(rut_and_qqq, datetime(2024, 7, 12, 3, 0, tzinfo=UTC))
    assert (today.session.day, today.at) == (date(2024, 7, 11), close)
