"""The reaction board from prices written down by hand; every expected move is worked out beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from desktop.analytics import reactions
from desktop.analytics.divergence import Rank
from desktop.analytics.reactions import Basis, Board, Daily, Move, Pair, Path, Reactions, Trade
from desktop.analytics.surprise import Surprise, SurpriseError, figure
from desktop.market.known import Unknown

CPI = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)
FOMC = datetime(2024, 7, 31, 18, 0, tzinfo=UTC)
EVENING = timedelta(hours=12)
NONE = Unknown("not given")


class Tape:
    """Trades by symbol; answers as the store does: the last one by a moment, and nothing from after `moment`."""

    def __init__(self, release: datetime) -> None:
        self.release, self.trades = release, dict[str, list[Trade]]()
        self.closes: dict[tuple[str, str], float] = {}

    def put(self, symbol: str, *trades: tuple[float, float]) -> Tape:
        """Pairs of seconds since the release and price."""
        held = self.trades.setdefault(symbol, [])
        held += [Trade(price, self.release + timedelta(seconds=seconds)) for seconds, price in trades]
        return self

    def read(self, moment: datetime) -> Callable[[str, datetime], Trade | None]:
        def last(symbol: str, by: datetime) -> Trade | None:
            known = [one for one in self.trades.get(symbol, []) if one.at <= min(by, moment)]
            return max(known, key=lambda one: one.at, default=None)

        return last

    def board(self, seconds: float | timedelta, **frozen: Trade) -> Board:
        wait = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        moment = self.release + wait
        daily = Daily(
            lambda symbol, session: self.closes.get((symbol, session.day.isoformat()))
            if session.close <= moment
            else None,
            NONE, NONE, lambda _: NONE, NONE,
        )  # fmt: skip
        return reactions.board(self.release, moment, self.read(moment), daily, frozen=frozen)


def row(board: Board, minutes: int | None) -> reactions.Row:
    return next(one for one in board.rows if one.minutes == minutes)


def move(board: Board, minutes: int | None) -> Move:
    found = row(board, minutes).move
    assert isinstance(found, Move), found
    return found


def reason(value: object) -> str:
    assert isinstance(value, Unknown)
    return value.reason


@pytest.fixture
def futures() -> Tape:
    """A trade at the second of the release must not be the reference: the one a second before is."""
    tape = Tape(CPI)
    tape.put("RTY=F", (-30, 2050.0), (-1, 2060.0), (0, 2100.0), (59, 2080.6), (298, 2101.2))
    tape.put("NQ=F", (-30, 20600.0), (-1, 20700.0), (0, 20800.0), (58, 20907.0), (299, 20286.0))
    return tape


def test_moves_are_from_the_last_trade_one_second_before_the_release(futures):
    board = futures.board(60)
    pair = board.references["future"]
    assert isinstance(pair, Pair)
    assert (pair.rut.price, pair.ndx.price) == (2060.0, 20700.0)
    found = move(board, 1)
    assert found.kind == "future"
    assert (found.rut_pct, found.ndx_pct) == pytest.approx((1.0, 1.0))  # 2080.6 / 2060, 20907 / 20700
    assert found.spread_pp == pytest.approx(0.0)
    five = move(futures.board(300), 5)
    assert five.spread_pp == pytest.approx(2.0 - -2.0)  # 2101.2 / 2060 and 20286 / 20700
    assert five.ratio_pct == pytest.approx(100 * (0.98 / 1.02 - 1))


def test_rows_to_come_say_not_yet_and_nothing_later_is_read(futures):
    board = futures.board(60)
    assert [reason(row(board, one).move) for one in (5, 15, 30, 60, None)] == ["not yet"] * 5
    futures.put("RTY=F", (61, 9999.0), (200, 9999.0))
    assert futures.board(60) == board


def test_before_the_release_nothing_is_told(futures):
    board = futures.board(-1)
    assert {reason(one.move) for one in board.rows} == {"not yet"}
    assert reason(board.now) == "the release is still to come"


def test_late_futures_give_way_to_the_etf_with_words():
    tape = Tape(CPI)
    tape.put("RTY=F", (-1, 2060.0), (60, 2070.0)).put("NQ=F", (-1, 20700.0), (60, 20700.0))
    tape.put("IWM", (-5, 200.0), (295, 204.0)).put("QQQ", (-4, 500.0), (296, 495.0))
    found = move(tape.board(300), 5)
    assert found.kind == "etf"
    assert found.note == "futures 4 min late: ETF shown"
    assert found.spread_pp == pytest.approx(2.0 - -1.0)


def test_the_vendors_ten_minutes_show_the_etf_until_the_futures_have_arrived():
    tape = Tape(CPI)
    tape.put("RTY=F", (-600, 2055.0)).put("NQ=F", (-600, 20650.0))
    tape.put("IWM", (-5, 200.0), (59, 202.0)).put("QQQ", (-5, 500.0), (59, 500.0))
    assert move(tape.board(61), 1).kind == "etf"
    assert "futures 11 min late" in move(tape.board(61), 1).note
    tape.put("RTY=F", (-1, 2060.0), (59, 2080.6)).put("NQ=F", (-1, 20700.0), (59, 20700.0))
    later = move(tape.board(665), 1)
    assert (later.kind, later.note) == ("future", "")
    assert later.spread_pp == pytest.approx(1.0)


def test_the_index_drives_while_it_trades_and_never_before_the_open(futures):
    tape = Tape(FOMC)
    for symbol, price in (("^RUT", 2250.0), ("^NDX", 19000.0), ("RTY=F", 2260.0), ("NQ=F", 19100.0)):
        tape.put(symbol, (-2, price), (59, price * 1.01))
    assert move(tape.board(60), 1).kind == "index"
    futures.put("^RUT", (-2, 1.0), (59, 2.0)).put("^NDX", (-2, 1.0), (59, 3.0))
    assert move(futures.board(60), 1).kind == "future"
    assert "index" not in futures.board(60).references


def test_legs_are_of_one_kind_and_of_one_time():
    tape = Tape(CPI)
    tape.put("RTY=F", (-1, 2060.0), (290, 2070.0)).put("QQQ", (-1, 500.0), (290, 501.0))
    found = row(tape.board(300), 5).move
    assert "no trade of NQ=F at the release" in reason(found)
    assert "no trade of IWM at the release" in reason(found)
    tape.put("NQ=F", (-1, 20700.0), (200, 20700.0))
    assert "futures 2 min late" in reason(row(tape.board(300), 5).move)


def test_legs_that_traded_a_minute_apart_are_no_reference():
    tape = Tape(CPI).put("RTY=F", (-200, 2060.0), (59, 2060.0)).put("NQ=F", (-1, 20700.0), (59, 20700.0))
    assert "last traded 3 min apart before the release" in reason(row(tape.board(60), 1).move)


def test_a_price_from_before_the_release_is_no_reaction():
    tape = Tape(CPI).put("RTY=F", (-1, 2060.0)).put("NQ=F", (-1, 20700.0))
    assert "since the release" in reason(tape.board(30).now)


def test_a_frozen_reference_counts_before_what_is_read(futures):
    frozen = {
        "RTY=F": Trade(2000.0, CPI - timedelta(seconds=2)),
        "NQ=F": Trade(20700.0, CPI - timedelta(seconds=2)),
    }
    board = futures.board(60, **frozen)
    assert move(board, 1).rut_pct == pytest.approx(4.03)  # 2080.6 / 2000
    pair = board.references["future"]
    assert isinstance(pair, Pair)
    assert pair.frozen


def test_without_prices_at_the_release_moves_are_from_the_prior_close_and_labelled():
    tape = Tape(CPI)
    tape.closes = {
        ("^RUT", "2024-07-10"): 2051.76, ("^NDX", "2024-07-10"): 20675.38,
        ("^RUT", "2024-07-11"): 2125.04, ("^NDX", "2024-07-11"): 20211.36,
    }  # fmt: skip
    board = tape.board(EVENING)
    assert board.basis is Basis.PRIOR_CLOSE
    assert move(board, None).spread_pp == pytest.approx(5.816, abs=1e-3)  # METHODS 2
    assert reason(row(board, 1).move)


def test_the_close_of_a_half_day_is_at_one():
    friday = datetime(2024, 7, 3, 12, 30, tzinfo=UTC)  # the exchange closes at 13:00 New York
    tape = Tape(friday)
    tape.put("RTY=F", (-1, 2000.0), (4.5 * 3600 - 5, 2020.0), (7 * 3600, 1.0))
    tape.put("NQ=F", (-1, 20000.0), (4.5 * 3600 - 5, 20000.0), (7 * 3600, 1.0))
    board = tape.board(EVENING)
    assert row(board, None).due == datetime(2024, 7, 3, 17, 0, tzinfo=UTC)
    assert move(board, None).spread_pp == pytest.approx(1.0)


def test_a_release_on_a_closed_day_has_futures_and_no_close():
    good_friday = datetime(2026, 4, 3, 12, 30, tzinfo=UTC)
    tape = Tape(good_friday)
    tape.put("RTY=F", (-1, 2000.0), (295, 2020.0)).put("NQ=F", (-1, 20000.0), (295, 20000.0))
    board = tape.board(EVENING)
    assert move(board, 5).spread_pp == pytest.approx(1.0)
    assert reason(row(board, None).move) == "the cash market is closed on this day"
    assert "late" in reason(row(board, 60).move)


@pytest.mark.parametrize(
    ("release", "close"),
    [
        # The Fridays before and after the clocks change in New York: 08:30 and 16:00 there.
        (datetime(2026, 3, 6, 13, 30, tzinfo=UTC), datetime(2026, 3, 6, 21, 0, tzinfo=UTC)),
        (datetime(2026, 3, 11, 12, 30, tzinfo=UTC), datetime(2026, 3, 11, 20, 0, tzinfo=UTC)),
        (datetime(2026, 11, 6, 13, 30, tzinfo=UTC), datetime(2026, 11, 6, 21, 0, tzinfo=UTC)),
    ],
)
def test_rows_and_close_follow_new_york_through_clock_changes(release, close):
    board = Tape(release).board(-10)
    assert [one.due for one in board.rows][-1] == close
    assert [one.due for one in board.rows][:2] == [release + timedelta(minutes=1), release + timedelta(minutes=5)]


def test_the_vix_is_that_of_the_row_or_of_the_day_with_a_note():
    tape = Tape(CPI).put("^VIX", (-10, 13.0), (50, 12.4))
    assert row(tape.board(60), 1).vix == pytest.approx(-0.6)
    assert reason(row(tape.board(400), 5).vix)
    tape.closes = {("^VIX", "2024-07-10"): 12.85, ("^VIX", "2024-07-11"): 12.92}
    close = row(tape.board(EVENING), None)
    assert close.vix == pytest.approx(0.07)
    assert "prior close" in close.vix_note


def test_what_is_published_once_a_day_says_so_in_the_rows_of_minutes(futures):
    first = row(futures.board(60), 1)
    assert "once a day" in reason(first.two_year_bp)
    assert "once a day" in reason(first.gauge)


# Ranks


def paths(*values: float) -> tuple[Path, ...]:
    return tuple(
        Path(CPI - timedelta(days=30 * (len(values) - number)), np.array([5.0, 10.0]), np.array([0.0, value]))
        for number, value in enumerate(values)
    )


def test_today_is_ranked_among_all_and_among_the_same_sign():
    earlier = paths(0.5, 3.0, -1.0, 1.5)
    today = Path(CPI, np.array([5.0, 10.0]), np.array([0.0, 2.0]))
    signs = {earlier[0].at: -1, earlier[1].at: 1, earlier[3].at: -1}
    found = reactions.standing(Reactions("future", Basis.RELEASE, today, earlier, 9), 10.0, signs, -1)
    assert isinstance(found, reactions.Standing)
    assert found.among_all == Rank(2, 5)  # 3.0 alone is larger
    assert found.same_sign == Rank(1, 3)  # 0.5 and 1.5 are not


def test_without_both_figures_there_is_no_rank_by_sign():
    today = Path(CPI, np.array([10.0]), np.array([2.0]))
    own = Surprise(0.1, None, "% m/m").sign
    found = reactions.standing(Reactions("future", Basis.RELEASE, today, paths(1.0), 9), 10.0, {}, own)
    assert isinstance(found, reactions.Standing)
    assert "actual not typed" in reason(found.same_sign)


@pytest.mark.parametrize(("consensus", "actual", "sign"), [(0.1, -0.1, -1), (0.1, 0.3, 1), (0.3, 0.1 + 0.2, 0)])
def test_sign_of_a_surprise(consensus, actual, sign):
    assert Surprise(consensus, actual, "% m/m").sign == sign


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0.1", "% m/m", 0.1),
        ("−0.1 %", "% m/m", -0.1),
        (" 206k", "k", 206.0),
        ("", "k", None),
        ("+25 bp", "bp", 25.0),
    ],
)
def test_figures_as_typed(text, unit, value):
    assert figure(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit"), [("about 2", "k"), ("206k", "% m/m"), ("0,1", "% m/m"), ("0.1 %", "bp")]
)
def test_a_figure_in_another_unit_is_refused(text, unit):
    with pytest.raises(SurpriseError, match="is no figure in"):
        figure(text, unit)
