"""One snapshot of made-up history, its statistics replaced by the figures of METHODS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from desktop.analytics.divergence import DivergenceStats, Rank, Reference
from desktop.analytics.ratio import Extreme, RatioStats, UnitRoot
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder

EVENING = datetime(2024, 7, 12, 0, 30, tzinfo=UTC)
"""20:30 in New York on 11 July 2024: the exchange and its late trading are closed."""


def build(moment: datetime, last: date, *, mode: Mode = Mode.LIVE) -> Snapshot:
    """A snapshot at `moment` of a store with three years of both legs up to `last`."""
    days = NYSE.days(date(last.year - 3, 1, 1), last)
    step = np.arange(len(days), dtype=np.float64)
    rut = 2000.0 + 40.0 * np.sin(step / 9.0)
    ndx = 18000.0 + 2.0 * step + 300.0 * np.sin(step / 7.0)
    with Store(None) as store:
        for symbol, close in (("^RUT", rut), ("^NDX", ndx)):
            store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
        return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(moment, Settings(), mode=mode)


def nothing(moment: datetime = EVENING) -> Snapshot:
    """A snapshot of an empty store."""
    with Store(None) as store:
        return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(moment, Settings())


def with_figures(snapshot: Snapshot) -> Snapshot:
    """The figures of METHODS 1 for 10 July and METHODS 2 for 11 July 2024 in place of the made-up ones."""
    stats, gap = snapshot.ratio, snapshot.divergence
    assert isinstance(stats, RatioStats)
    assert isinstance(gap, DivergenceStats)
    return replace(
        snapshot,
        ratio=replace(
            stats,
            date=date(2024, 7, 10),
            value=10.0769,
            ndx=20675.38,
            rut=2051.76,
            change=-0.0011,
            change_pct=-0.0105,
            z={63: 1.95, 252: 2.73, 756: 2.43, 1260: 2.40},
            percentile=0.99989,
            n_days=9279,
            since=date(1987, 9, 10),
            dotcom_peak=Extreme(8.2014, date(2000, 3, 27)),
            record=Extreme(10.0780, date(2024, 7, 9)),
            drawdown_pct=-0.0105,
            vs_sma200_pct=13.97,
            half_life_days=365.0,
            reverts="mean-reverting",
            adf=UnitRoot(-0.206, 0.938, 9000, 12),
            notes=(),
        ),
        divergence=replace(
            gap,
            date=date(2024, 7, 11),
            spread_pp=5.816,
            rut_pct=3.572,
            ndx_pct=-2.244,
            reference=Reference.PRIOR_CLOSE,
            driver="index",
            rank=Rank(2, 9280),
            rank_abs=Rank(12, 9280),
            since=date(1987, 9, 11),
            z60=6.83,
            z252=5.80,
            from_open_pp=4.260,
            five_day_pp=3.34,
            conditional={"same_release": Rank(1, 293), "ndx_down": Unknown("too few days")},
        ),
    )


@pytest.fixture(scope="session")
def closed() -> Snapshot:
    return with_figures(build(EVENING, date(2024, 7, 11)))


@pytest.fixture(scope="session")
def empty() -> Snapshot:
    return nothing()
