"""Real minutes played again: July 10 to 16 and August 5, 2024, against the rows of the files worked out by hand.

In these files the legs are the RUT index and QQQ: no pair of one kind. The window says so and calls it a proxy.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.sessions import new_york, parse_as_of
from desktop.market.store import FILE_NAME, Store
from desktop.presenters.frame import FramePresenter, View
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder

PRIOR = {
    "2024-07-10": "2024-07-09",
    "2024-07-11": "2024-07-10",
    "2024-07-12": "2024-07-11",
    "2024-07-15": "2024-07-12",
    "2024-07-16": "2024-07-15",
    "2024-08-05": "2024-08-02",
}
"""Each session played, and the one before it."""
CLOCKS = ("09:35:00", "10:29:59", "10:30:00", "15:59:59")


@cache
def bars(path: Path) -> dict[str, float]:
    """Close by the UTC start of each five-minute bar, as the file has it."""
    with path.open(encoding="utf-8") as file:
        return {row["date"]: float(row["close"]) for row in csv.DictReader(file) if row["date"][:4] == "2024"}


@cache
def closes(path: Path, column: int) -> dict[str, float]:
    """Official close by date, as the file has it."""
    with path.open(encoding="utf-8") as file:
        return {row[0]: float(row[column]) for row in csv.reader(file) if row[0][:5] == "2024-"}


def by_hand(data: Path, day: str, clock: str) -> tuple[float, float]:
    """Moves of RUT and QQQ from the prior close in percent, by the last bar that was over."""
    at = datetime.fromisoformat(f"{day}T{clock}-04:00").astimezone(UTC)
    over = datetime.fromtimestamp(int(at.timestamp()) // 300 * 300, UTC) - timedelta(minutes=5)
    minutes = data / "intraday-ibkr"
    rut = bars(minutes / "rut-5m-2024-2026.csv")[f"{over:%Y-%m-%d %H:%M:%S}+00:00"]
    qqq = bars(minutes / "qqq-5m-2024-2026.csv")[f"{over:%Y-%m-%d %H:%M:%S}+00:00"]
    rut_before = closes(data / "index-daily" / "rut-yahoo-1987-2024.csv", 4)[PRIOR[day]]
    qqq_before = closes(data / "etf-daily" / "qqq-yahoo-1999-2025.csv", 2)[PRIOR[day]]
    return 100 * (rut / rut_before - 1), 100 * (qqq / qqq_before - 1)


@pytest.fixture(scope="module")
def at(real_folder: Path) -> Iterator[Callable[[str, str], Snapshot]]:
    with Store(real_folder / FILE_NAME) as store:
        builder = SnapshotBuilder(store, Deferred(held=True))

        def look(day: str, clock: str) -> Snapshot:
            return builder.build(parse_as_of(f"{day}T{clock}-04:00"), Settings(), mode=Mode.AS_OF)

        yield look


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("day", PRIOR)
def test_the_gap_is_that_of_the_last_bars_that_were_over(at, real_data, day, clock):
    spread = at(day, clock).today.spread
    assert not isinstance(spread, Unknown), spread.reason
    rut, qqq = by_hand(real_data, day, clock)
    assert spread.rut_pct == pytest.approx(rut, abs=1e-4)
    assert spread.ndx_pct == pytest.approx(qqq, abs=1e-4)
    assert spread.spread_pp == pytest.approx(rut - qqq, abs=2e-4)


def test_half_past_ten_of_the_cpi_day(at):
    """RUT 2111.60 from 2051.75, QQQ 498.20 from 502.96: +2.917 % and -0.946 %."""
    spread = at("2024-07-11", "10:30:00").today.spread
    assert (round(spread.rut_pct, 3), round(spread.ndx_pct, 3)) == (2.917, -0.946)
    assert round(spread.spread_pp, 2) == 3.86


@pytest.mark.parametrize("day", PRIOR)
def test_legs_of_two_kinds_are_called_so(at, day):
    snapshot = at(day, "10:30:00")
    driver = snapshot.today.driver
    assert not isinstance(driver, Unknown)
    assert (driver.kind, driver.proxy) == ("mixed", True)
    frame = FramePresenter().present(snapshot, View(Settings(), snapshot.moment))
    assert "RUT index and QQQ (proxy for NDX)" in frame.divergence.caption.text
    words = "proxy: RUT index and QQQ (proxy for NDX) stand in for the index"
    assert words in [one.text for one in frame.divergence.warnings]


@pytest.mark.parametrize("clock", ["08:00:00", "09:29:59", "09:34:59"])
def test_before_the_first_bar_is_over_nothing_is_drawn(at, clock):
    snapshot = at("2024-07-11", clock)
    assert isinstance(snapshot.today.spread, Unknown)
    assert snapshot.today.pieces == ()


def test_the_path_grows_by_one_bar_every_five_minutes(at):
    for minute in range(30, 46):
        moment = parse_as_of(f"2024-07-11T10:{minute}:00-04:00")
        (piece,) = at("2024-07-11", f"10:{minute}:00").today.pieces
        ends = piece.path.end_s
        assert ends[-1] == int(moment.timestamp()) // 300 * 300
        assert set(ends[1:] - ends[:-1]) == {300}


def test_after_the_close_the_official_closes_are_shown(at):
    stats = at("2024-07-11", "16:20:00").divergence
    assert not isinstance(stats, Unknown)
    assert round(stats.spread_pp, 3) == 5.816  # METHODS 2


def test_played_at_600_times_no_step_shows_a_bar_that_is_not_over(at):
    """A frame every 250 ms: 150 s of the session a step, through the morning of 5 August."""
    start = parse_as_of("2024-08-05T09:30-04:00")
    ends = set()
    for step in range(60):
        moment = start + timedelta(seconds=150 * step)
        snapshot = at("2024-08-05", f"{moment.astimezone(new_york):%H:%M:%S}")
        last = [int(piece.path.end_s[-1]) for piece in snapshot.today.pieces]
        assert all(end <= moment.timestamp() for end in last)
        ends |= set(last)
    assert len(ends) == 29  # one a bar from 09:35 to 11:55, and no other
