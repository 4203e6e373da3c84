"""While history is being fetched it is read again now and then, not with every symbol."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from desktop.deferred import Deferred
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.settings import Settings
from desktop.snapshot import SnapshotBuilder

EVENING = datetime(2024, 7, 10, 23, 0, tzinfo=UTC)


def put(store: Store, level: float) -> None:
    days = NYSE.days(date(2024, 7, 1), date(2024, 7, 10))
    for symbol, scale in (("^RUT", 1.0), ("^NDX", 10.0)):
        closes = Closes(symbol, days, np.linspace(level, level + 5, len(days)) * scale)
        store.put_closes(closes, source="test", priority=Priority.VENDOR)


def test_what_changes_within_the_pause_is_read_after_it():
    with Store(None) as store:
        builder = SnapshotBuilder(store, Deferred(held=True), reread_s=3600.0)
        assert len(builder.build(EVENING, Settings()).history.pair) == 0
        put(store, 2000.0)  # nothing was there: shown at once
        first = builder.build(EVENING, Settings()).history
        assert first.pair.rut[-1] == 2005.0
        put(store, 2100.0)
        assert builder.build(EVENING, Settings()).history is first
        builder._read_at_s -= 3601.0
        assert builder.build(EVENING, Settings()).history.pair.rut[-1] == 2105.0


def test_another_question_is_answered_at_once():
    with Store(None) as store:
        builder = SnapshotBuilder(store, Deferred(held=True), reread_s=3600.0)
        put(store, 2000.0)
        builder.build(EVENING, Settings())
        put(store, 2100.0)
        earlier = datetime(2024, 7, 9, 23, 0, tzinfo=UTC)
        assert builder.build(earlier, Settings()).history.day == date(2024, 7, 9)
        fresh = SnapshotBuilder(store, Deferred(held=True)).build(EVENING, Settings())
        assert fresh.history.pair.rut[-1] == 2105.0
