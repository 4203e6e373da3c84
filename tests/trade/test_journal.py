"""Pair trades: exact sums, and what was typed read as meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.market.known import Unknown
from desktop.trade.journal import (
    TRADED,
    Carry,
    Drift,
    Fill,
    FillError,
    FillKind,
    LevelError,
    Quoted,
    Trade,
    closing_lines,
    doubts,
    drift,
    line_of,
    marks_for,
    prices_in,
    ratio_points,
    reached,
    read_level,
    read_lines,
    record,
    result,
)

AT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
D = Decimal


def fill(symbol: str, quantity: str, price: str, fee: str = "0", minutes: int = 0) -> Fill:
    return Fill(symbol, D(quantity), D(price), D(fee), AT + timedelta(minutes=minutes))


prices = st.integers(1, 10**9).map(lambda cents: D(cents) / 100)
fills = st.builds(
    Fill,
    st.sampled_from(sorted(TRADED)),
    st.integers(-500, 500).filter(bool).map(D),
    prices,
    st.integers(0, 10**5).map(lambda cents: D(cents) / 100),
    st.integers(0, 10**6).map(lambda second: AT + timedelta(seconds=second)),
)
carries = st.builds(
    Carry, st.integers(-(10**6), 10**6).map(lambda cents: D(cents) / 100), st.just("x"), st.just(AT)
)


@given(st.lists(fills, min_size=1, max_size=12), st.lists(carries, max_size=4), st.data())
def test_the_total_is_cash_plus_what_is_held_at_its_mark_to_the_cent(made, carried, data):
    trade = Trade(1, 1, "", tuple(made), tuple(carried))
    marks = {symbol: data.draw(prices) for symbol in TRADED}
    found = result(trade, marks)
    # A second computation, in exact fractions, one fill at a time.
    worth = Fraction(0)
    for one in made:
        points = Fraction(marks[one.symbol]) - Fraction(one.price)
        worth += Fraction(one.quantity) * points * Fraction(one.multiplier_usd) - Fraction(one.fee_usd)
    worth += sum(Fraction(one.amount_usd) for one in carried)
    assert isinstance(found.total_usd, Decimal)
    assert Fraction(found.total_usd) == worth


@given(st.lists(fills, min_size=1, max_size=12), st.data())
def test_legs_carry_and_costs_add_up_in_any_order_of_fills(made, data):
    marks = {symbol: data.draw(prices) for symbol in TRADED}
    there = result(Trade(1, 1, "", tuple(made)), marks)
    back = result(Trade(1, 1, "", tuple(data.draw(st.permutations(made)))), marks)
    assert (there.rut_usd, there.ndx_usd, there.total_usd) == (back.rut_usd, back.ndx_usd, back.total_usd)
    assert isinstance(there.rut_usd, Decimal)
    assert isinstance(there.ndx_usd, Decimal)
    assert there.total_usd == there.rut_usd + there.ndx_usd + there.carry_usd - there.costs_usd


@given(st.lists(fills, min_size=1, max_size=8))
def test_of_a_closed_trade_all_is_realised_and_no_mark_is_needed(made):
    held = Trade(1, 1, "", tuple(made)).held
    last = AT + timedelta(days=30)
    closing = tuple(Fill(symbol, -quantity, D(100), D(0), last) for symbol, quantity in held.items())
    trade = Trade(1, 1, "", (*made, *closing))
    found = result(trade, {})
    assert isinstance(found.total_usd, Decimal)
    assert trade.held == {}
    assert found.realised_usd == pytest.approx(found.total_usd + found.costs_usd, rel=D("1e-9"), abs=D("1e-6"))


@given(st.lists(st.one_of(fills, carries), min_size=1, max_size=8))
def test_lines_read_as_what_they_were_written_from(made):
    text = "\n".join(map(line_of, made))
    read_fills, read_carries = read_lines(text, AT + timedelta(days=60), FillKind.OPEN)
    assert read_fills == tuple(one for one in made if isinstance(one, Fill))
    assert read_carries == tuple(one for one in made if isinstance(one, Carry))


def test_a_pair_by_hand():
    # +7 RTY at 2,200, -2 NQ at 20,000 (METHODS, check C); RUT +1 %, NDX -1 %.
    trade = Trade(1, 1, "", (fill("RTY", "7", "2200", "15.40"), fill("NQ", "-2", "20000", "4.40")))
    found = result(trade, {"RTY": D(2222), "NQ": D(19800)})
    assert (found.rut_usd, found.ndx_usd) == (D(7700), D(8000))
    assert (found.costs_usd, found.total_usd) == (D("19.80"), D("15680.20"))
    assert found.realised_usd == 0


def test_average_cost_tells_what_is_realised():
    trade = Trade(
        1,
        1,
        "",
        (fill("IWM", "100", "200"), fill("IWM", "100", "210", minutes=1), fill("IWM", "-50", "220", minutes=2)),
    )
    assert result(trade, {"IWM": D(220)}).realised_usd == D(750)  # 50 x (220 - 205)


def test_a_missing_mark_is_told_and_not_taken_for_nothing():
    trade = Trade(1, 1, "", (fill("IWM", "10", "210"), fill("QQQ", "-5", "490")))
    found = result(trade, {"IWM": D(211)})
    assert found.ndx_usd == Unknown("no price of QQQ")
    assert found.total_usd == Unknown("no price of QQQ")
    assert found.rut_usd == D(10)


def test_ratio_points_are_gained_when_the_ratio_falls():
    trade = Trade(1, 1, "", (fill("IWM", "10", "210"),), entry_ratio=D("10.08"))
    assert ratio_points(trade, D("9.51")) == D("0.57")
    assert isinstance(ratio_points(replace(trade, entry_ratio=None), D(9)), Unknown)


@pytest.mark.parametrize(
    ("first", "gained"),
    [(("IWM", "10"), "0.57"), (("QQQ", "-5"), "0.57"), (("IWM", "-10"), "-0.57"), (("QQQ", "5"), "-0.57")],
)
def test_the_opposite_trade_gains_when_the_ratio_rises(first, gained):
    symbol, quantity = first
    trade = Trade(1, 1, "", (fill(symbol, quantity, "200"),), entry_ratio=D("10.08"))
    assert ratio_points(trade, D("9.51")) == D(gained)


def test_what_is_left_of_the_hedge_and_the_order_that_cures_it():
    trade = Trade(1, 1, "", (fill("M2K", "20", "2000"), fill("MNQ", "-2", "20000")), entry_beta=D("0.5"))
    # L = 200,000, S = 80,000, beta .7: 60,000 of NDX still long; a unit is 40,000: sell 2 (1.5 rounds to even).
    # At entry, at beta .5, it was 100,000 - 80,000 = 20,000.
    assert drift(trade, {"M2K": D(2000), "MNQ": D(20000)}, D("0.7")) == Drift(D(60000), "MNQ", -2, D(40000))
    found = drift(trade, {"M2K": D(2000), "MNQ": D(20000)}, D("0.4"))
    assert found == Drift(D(0), "MNQ", 0, D(-20000))
    assert drift(trade, {"M2K": D(2000)}, D("0.7")) == Unknown("no price of MNQ")


def test_a_leg_left_alone_is_told_as_unhedged_in_dollars():
    trade = Trade(1, 1, "", (fill("M2K", "20", "2000"),))
    assert drift(trade, {"M2K": D(2000)}, D("0.7")) == Drift(
        D(140_000), "", 0, Unknown("no beta at entry was kept")
    )  # beta L, and S is nothing


@pytest.mark.parametrize("level", ["NaN", "sNaN", "Infinity", "-5", "0"])
def test_a_level_that_is_no_ratio_is_refused(level):
    good = Trade(1, 1, "", (fill("M2K", "20", "2000"),))
    with pytest.raises(LevelError, match="ratio at entry"):
        replace(good, entry_ratio=D(level))
    with pytest.raises(LevelError, match="stop"):
        replace(good, stop=D(level))
    with pytest.raises(LevelError, match="target"):
        replace(good, target=D(level))


def test_the_record_counts_closed_trades_only():
    won = Trade(1, 1, "", (fill("IWM", "10", "200"), fill("IWM", "-10", "210", minutes=5)))
    lost = Trade(2, 1, "", (fill("IWM", "10", "200"), fill("IWM", "-10", "196", minutes=3)))
    still_open = Trade(3, 1, "", (fill("IWM", "10", "200"),))
    void = replace(won, number=4, void=True)
    found = record([won, lost, still_open, void])
    assert (found.n, found.hit_rate) == (2, D("0.5"))
    assert (found.average_win_usd, found.average_loss_usd) == (D(100), D(-40))
    assert found.curve == ((AT + timedelta(minutes=3), D(-40)), (AT + timedelta(minutes=5), D(60)))


def test_without_a_closed_trade_nothing_is_claimed():
    found = record([])
    assert found.n == 0
    assert isinstance(found.hit_rate, Unknown)
    assert isinstance(found.average_win_usd, Unknown)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("BUY 19 M2K", "neither a fill nor carry"),
        ("BUY 0 M2K @ 2133", "whole number other than 0"),
        ("BUY 19 SPY @ 500", "SPY is not traded here"),
        ("BUY 19 M2K @ 0", "above 0"),
        ("BUY 19 M2K @ 21.33.3", "is no number"),
        ("BUY 19 M2K @ 2133.1234567", "more than 6 digits"),
        ("SELL 4 MNQ @ 20467 on 2024-07-11T10:30", "has no zone"),
        ("SELL 4 MNQ @ 20467 on yesterday", "is no ISO time"),
        ("SELL 4 MNQ @ 20467 on 2030-01-01T00:00Z", "lies ahead"),
        ("CARRY x", "neither a fill nor carry"),
        ("BUY 1 IWM Sep24 @ 210", "is a share and has no contract month"),
        ("BUY 1 M2K Oct24 @ 2100", "March, June, September and December"),
        ("BUY 1 M2K Spt24 @ 2100", "no contract month such as Sep24"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(typed, said):
    with pytest.raises(FillError, match=said) as told:
        read_lines(f"BUY 1 IWM @ 210\n{typed}", AT, FillKind.OPEN)
    assert told.value.line.split()[0] in typed or "SPY" in typed or "M2K" in typed
    assert "write e.g." in str(told.value)


def test_lines_are_read_as_a_person_types_them():
    found, carried = read_lines(
        "buy 1,900 iwm @ 2,133.30 fee 1\n\nSell 4 MNQ at 20467.25 close\nbuy 1 rty sep 24 at 2140\n"
        "carry −12.50 borrow",
        AT,
        FillKind.SCALE,
    )
    assert [(one.contract, one.quantity, one.price, one.kind.value) for one in found] == [
        ("IWM", D(1900), D("2133.30"), "scale"),
        ("MNQ", D(-4), D("20467.25"), "close"),
        ("RTY Sep24", D(1), D(2140), "scale"),
    ]
    assert carried == (Carry(D("-12.50"), "borrow", AT),)


def test_closing_lines_close():
    trade = Trade(1, 1, "", (fill("M2K", "20", "2000"), fill("MNQ", "-2", "20000")))
    lines = closing_lines(trade, {"M2K": D("2100"), "MNQ": D("19900")})
    closing, _ = read_lines("\n".join(lines), AT + timedelta(hours=1), FillKind.CLOSE)
    assert replace(trade, fills=(*trade.fills, *closing)).held == {}


SEP, DEC = date(2024, 9, 1), date(2024, 12, 1)


def monthly(symbol: str, month: date, quantity: str, price: str, kind: FillKind, minutes: int = 0) -> Fill:
    return Fill(symbol, D(quantity), D(price), D(0), AT + timedelta(minutes=minutes), kind, month)


ROLLED = Trade(
    1,
    1,
    "",
    (
        monthly("M2K", SEP, "20", "2100", FillKind.OPEN),
        monthly("M2K", SEP, "-20", "2190", FillKind.ROLL, 60),
        monthly("M2K", DEC, "20", "2212.5", FillKind.ROLL, 60),
    ),
)


def test_months_are_held_apart_and_a_roll_is_not_flat():
    assert ROLLED.held == {"M2K Dec24": D(20)}
    half = replace(ROLLED, fills=(*ROLLED.fills[:1], replace(ROLLED.fills[1], quantity=D(-5)), ROLLED.fills[2]))
    assert half.held == {"M2K Sep24": D(15), "M2K Dec24": D(20)}
    blurred = replace(ROLLED, fills=(replace(ROLLED.fills[0], month=None), *ROLLED.fills[1:]))
    assert blurred.held == {"M2K": D(20)}


def test_a_rolled_month_is_marked_at_the_quote_plus_the_spread_of_the_roll():
    # Quoted is September at 2,200; the roll was made 22.50 apart: December stands at 2,222.50.
    marks = marks_for(ROLLED, {"M2K": Quoted(D(2200), SEP)})
    assert marks["M2K Dec24"] == D("2222.50")
    # In September 20 x 5 x 90 was made, in December 20 x 5 x 10.
    found = result(ROLLED, marks)
    assert (found.rut_usd, found.realised_usd) == (D(10_000), D(9000))
    assert marks_for(ROLLED, {"M2K": Quoted(D(2222), DEC)})["M2K Dec24"] == D(2222)
    unrolled = replace(ROLLED, fills=(monthly("M2K", DEC, "20", "2212.5", FillKind.OPEN),))
    assert marks_for(unrolled, {"M2K": Quoted(D(2200), SEP)}) == {
        "M2K Dec24": Unknown("no price of M2K Dec24: the quote is of Sep24, and no roll between them was noted")
    }
    assert marks_for(unrolled, {}) == {"M2K Dec24": Unknown("no price of M2K Dec24")}


@given(st.lists(fills, min_size=1, max_size=8), st.data())
def test_what_is_made_does_not_hang_on_whether_months_are_told(made, data):
    """All of one month: the same fills with and without it make the same."""
    marks = {symbol: Quoted(data.draw(prices)) for symbol in TRADED}
    plain = Trade(1, 1, "", tuple(made))
    told = replace(
        plain, fills=tuple(one if one.symbol in ("IWM", "QQQ") else replace(one, month=SEP) for one in made)
    )
    without, within = (result(one, marks_for(one, marks)) for one in (plain, told))
    assert without == within


def test_what_is_odd_is_told_and_a_sound_trade_is_not():
    trade = Trade(
        1,
        1,
        "",
        (fill("M2K", "20", "2000"), fill("MNQ", "-2", "20000")),
        (),
        D("9.8"),
        stop=D("10.3"),
        target=D("9.1"),
    )
    assert doubts(None, trade, {}) == ()
    over = replace(trade, fills=(*trade.fills, fill("M2K", "-25", "2100", minutes=1)))
    assert doubts(trade, over, {}) == ("M2K: +20 becomes -5, more is closed than was held",)
    wrong = replace(trade, stop=D("9.5"), target=D("10.4"))
    assert doubts(None, wrong, {}) == (
        "the stop 9.5 is not above the entry 9.8",
        "the target 10.4 is not below the entry 9.8",
    )
    other = replace(wrong, fills=(fill("M2K", "-20", "2000"), fill("MNQ", "2", "20000")))
    assert doubts(None, other, {}) == ()  # short RUT / long NDX: a falling ratio is against it


def test_months_that_count_as_one_because_a_line_tells_none_are_told():
    blurred = replace(ROLLED, fills=(replace(ROLLED.fills[0], month=None), *ROLLED.fills[1:]))
    assert doubts(None, blurred, {}) == ("M2K: one line tells no month, all months of it count as one",)
    assert doubts(None, ROLLED, {}) == ()


@pytest.mark.parametrize(
    ("ratio", "first", "told"),
    [
        ("10.3", "20", "stop"),
        ("10.29", "20", ""),
        ("9.1", "20", "target"),
        ("9.11", "20", ""),
        ("9.1", "-20", "stop"),
        ("10.3", "-20", "target"),
    ],
)
def test_a_level_is_reached_from_the_side_of_the_trade(ratio, first, told):
    stop, target = (D("10.3"), D("9.1")) if first == "20" else (D("9.1"), D("10.3"))
    trade = Trade(1, 1, "", (fill("M2K", first, "2000"),), stop=stop, target=target)
    assert reached(trade, D(ratio)) == told


def test_a_line_without_a_time_is_of_this_second():
    (found,), _ = read_lines("BUY 1 IWM @ 210", AT + timedelta(microseconds=489245), FillKind.OPEN)
    assert found.at == AT


def test_a_price_that_was_mistyped_is_asked_about_and_an_old_fill_is_not():
    prices = prices_in("BUY 19 M2K Sep24 @ 2133.30 fee 0\nSELL 4 MNQ Sep24 @  fee 0", AT)
    assert prices == {"M2K": D("2133.30")}
    slip = Trade(1, 1, "", (fill("M2K", "19", "213.33"), fill("MNQ", "-4", "2046.7")))
    assert doubts(None, slip, prices) == ("M2K @ 213.33 is far from 2133.30",)
    close = replace(slip, fills=(fill("M2K", "19", "2340"),))  # 9.7 % away
    assert doubts(None, close, prices) == ()
    assert doubts(slip, replace(slip, note="edited"), prices) == ()


@pytest.mark.parametrize(
    "typed",
    [
        "BUY 19 M2K @ 2133,30",
        "BUY 19 M2K @ 2,133,30",
        "BUY 19 M2K @ 2.133,30",
        "BUY 1,9 IWM @ 200",
        "BUY 19 M2K @ 2133.30 fee 11,78",
        "CARRY -12,50 borrow",
        "CARRY -0,125 borrow",
    ],
)
def test_a_decimal_comma_is_refused_and_not_read_a_hundred_times_too_large(typed):
    with pytest.raises(FillError, match="a comma parts thousands, decimals stand behind a point"):
        read_lines(typed, AT, FillKind.OPEN)


@pytest.mark.parametrize("typed", ["9,58", "10,1", "0,7", "0,719"])
def test_a_level_with_a_decimal_comma_is_refused(typed):
    with pytest.raises(LevelError, match="needs a ratio above 0"):
        read_level("stop", typed)


@pytest.mark.parametrize(
    "typed",
    [
        "CARRY -12.50 on 2024-07-10T10:30-04:00 borrow",
        "CARRY -12.50 borrow on 2024-07-10T10:30-04:00",
        "CARRY -12.50 borrow on 2024-07-10 10:30-04:00",
        "CARRY -12.50 on 2024-07-10 10:30-04:00 borrow",
    ],
)
def test_the_time_of_carry_may_stand_before_or_behind_what_it_was(typed):
    assert read_lines(typed, AT, FillKind.OPEN) == (
        (),
        (Carry(D("-12.50"), "borrow", datetime(2024, 7, 10, 14, 30, tzinfo=UTC)),),
    )


def test_a_time_with_a_blank_is_read_and_a_day_alone_is_refused():
    (found,), _ = read_lines("BUY 1 IWM @ 210 on 2024-07-10 10:30-04:00 roll", AT, FillKind.OPEN)
    assert (found.at, found.kind) == (datetime(2024, 7, 10, 14, 30, tzinfo=UTC), FillKind.ROLL)
    with pytest.raises(FillError, match="has no zone"):
        read_lines("CARRY -3 borrow on 2024-07-10", AT, FillKind.OPEN)


@pytest.mark.parametrize("what", ["", "  ", "borrow\nof July", "on 2024-07-10T10:30-04:00", "a\x0bb\u2028c"])
def test_what_carry_was_for_fits_a_line_whatever_file_it_came_from(what):
    carry = Carry(D("-3"), what, AT)
    assert read_lines(line_of(carry), AT, FillKind.OPEN) == ((), (carry,))


@pytest.mark.parametrize("quantity", ["10.0", "1E+1", "-1e3"])
def test_a_quantity_as_another_program_writes_it_fits_a_line(quantity):
    one = Fill("IWM", D(quantity), D("2.1E+2"), D("0E+1"), AT)
    assert read_lines(line_of(one), AT, FillKind.OPEN) == ((one,), ())
