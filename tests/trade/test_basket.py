"""Orders as files: the columns the broker documents, the quantities of the ticket."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.market.instruments import Leg
from desktop.market.known import Unknown
from desktop.trade.basket import TYPED, Layout, PriceStamp, limit_price, tag, written
from desktop.trade.position import Position, instrument_of
from desktop.trade.sizing import Choice, Side, SizeBy, SizerInputs, size

MADE = datetime(2024, 7, 11, 14, 30, 7, tzinfo=UTC)
# METHODS 9, check C and check A.
MINIS = SizerInputs(
    SizeBy.VOL_TARGET, Choice.MINI, 1.1, 2200.0, 20_000.0, capital=2e6, vol_target=0.08, su=0.22, sn=0.20,
    rho=0.60, day=date(2024, 7, 11),
)  # fmt: skip
ETFS = SizerInputs(SizeBy.CAP, Choice.ETF, 1.0, 210.0, 492.0, gross_cap=200_000.0, min_use=0.99)


def sized(inputs: SizerInputs) -> Position:
    found = size(inputs)
    assert isinstance(found, Position)
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_minis_of_check_c_as_the_broker_documents_a_limit_order():
    # The header of its example for limit orders, with the month of a future and a tag, all published fields.
    assert written(Layout.IBKR, sized(MINIS).legs, {}, MADE).split("\r\n") == [
        "Action,Quantity,Symbol,SecType,LastTradingDayOrContractMonth,Exchange,Currency,TimeInForce,OrderType,"
        "LmtPrice,BasketTag",
        "BUY,7,RTY,FUT,202409,CME,USD,DAY,LMT,2200.0,RM20240711T143007ZTYPED",
        "SELL,2,NQ,FUT,202409,CME,USD,DAY,LMT,20000.00,RM20240711T143007ZTYPED",
        "",
    ]


def test_etfs_of_check_a_are_routed_with_their_listing_exchange():
    long, short = rows(written(Layout.IBKR, sized(ETFS).legs, {}, MADE))
    assert (long["Action"], long["Quantity"], long["Symbol"], long["SecType"]) == ("BUY", "473", "IWM", "STK")
    assert (short["Action"], short["Quantity"], short["Symbol"], short["SecType"]) == ("SELL", "202", "QQQ", "STK")
    assert (long["Exchange"], short["Exchange"]) == ("SMART/ARCA", "SMART/NASDAQ")
    assert long["LastTradingDayOrContractMonth"] == ""
    assert (long["LmtPrice"], short["LmtPrice"]) == ("210.00", "492.00")


def test_generic_file_tells_of_when_each_price_is():
    stamps = {"RTY": PriceStamp("quote", datetime(2024, 7, 11, 14, 30, 4, tzinfo=UTC), 3.2)}
    long, short = rows(written(Layout.OMS, sized(MINIS).legs, stamps, MADE))
    assert long["made_utc"] == "2024-07-11T14:30:07Z"
    assert (long["price_source"], long["price_utc"], long["price_age_s"]) == ("quote", "2024-07-11T14:30:04Z", "3")
    assert (short["price_source"], short["price_utc"], short["price_age_s"]) == ("typed", "", "")
    # The third Friday of September 2024.
    assert (long["contract"], long["last_trade_date"], long["market"]) == ("RTYU4", "2024-09-20", "XCME")
    assert (long["notional"], short["notional"]) == ("770000.00", "800000.00")


@pytest.mark.parametrize(
    ("long", "short", "mark"),
    [
        (PriceStamp("quote", MADE, 3.2), PriceStamp("quote", MADE, 3.4), "QUOTE3S"),
        (PriceStamp("quote", MADE, 3.2), PriceStamp("quote perhaps of NQU4", MADE, 65.0), "QUOTE3SQUOTE65S"),
        (PriceStamp("close of 2024-07-10"), TYPED, "CLOSETYPED"),
        (PriceStamp("index level of 2024-07-11"), PriceStamp("index level of 2024-07-11"), "INDEX"),
    ],
)
def test_the_tag_of_the_basket_tells_what_its_prices_rest_on(long, short, mark):
    told = rows(written(Layout.IBKR, sized(MINIS).legs, {"RTY": long, "NQ": short}, MADE))
    # One tag identifies the basket, so every row has the same; letters and digits are all it may hold.
    assert {one["BasketTag"] for one in told} == {f"RM20240711T143007Z{mark}"}
    assert all(one["BasketTag"].isalnum() for one in told)


def test_two_baskets_of_different_seconds_have_different_names():
    assert tag(MADE) != tag(MADE.replace(second=8))


@pytest.mark.parametrize("layout", list(Layout))
def test_nothing_stands_between_a_value_and_its_comma(layout):
    for line in written(layout, sized(MINIS).legs, {}, MADE).splitlines():
        assert [one.strip() for one in line.split(",")] == line.split(",")


@settings(deadline=None)
@given(
    choice=st.sampled_from(Choice),
    cap=st.integers(300_000, 50_000_000),
    k=st.floats(0.5, 1.6),
    rut=st.floats(900, 3000),
    ndx=st.floats(9_000, 30_000),
)
def test_a_file_holds_the_quantities_sides_and_notionals_of_the_ticket(choice, cap, k, rut, ndx):
    if choice is Choice.ETF:
        rut, ndx = rut / 10, ndx / 40
    made = size(
        SizerInputs(SizeBy.CAP, choice, k, rut, ndx, gross_cap=float(cap), min_use=0.0, day=date(2024, 7, 11))
    )
    if isinstance(made, Unknown):
        return  # one pair is above the cap
    for layout, side, quantity in ((Layout.IBKR, "Action", "Quantity"), (Layout.OMS, "side", "quantity")):
        told = rows(written(layout, made.legs, {}, MADE))
        assert [(one[side], int(one[quantity])) for one in told] == [
            (leg.side.upper(), leg.quantity) for leg in made.legs
        ]
    told = rows(written(Layout.OMS, made.legs, {}, MADE))
    for leg, notional in ((Side.BUY, made.long_usd), (Side.SELL, made.short_usd)):
        mine = [one for one in told if one["side"] == leg.upper()]
        assert sum(float(one["notional"]) for one in mine) == pytest.approx(notional, abs=0.02)
        assert {one.leg for one in made.legs if one.side is leg} == {Leg.RUT if leg is Side.BUY else Leg.NDX}


@settings(deadline=None)
@given(price=st.floats(50, 30_000), choice=st.sampled_from(Choice))
def test_a_limit_lies_on_the_tick_next_to_the_price(price, choice):
    made = size(
        SizerInputs(SizeBy.CAP, choice, 1.0, price, price, gross_cap=1e9, min_use=0.0, day=date(2024, 7, 11))
    )
    assert isinstance(made, Position)
    for line in made.legs:
        tick, limit = Fraction(str(instrument_of(line).tick)), Fraction(limit_price(line))
        assert (limit / tick).denominator == 1
        assert abs(limit - Fraction(str(line.price))) <= tick / 2 + Fraction(1, 10**6)
