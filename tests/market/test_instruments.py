"""Expected values are CME's and the funds' published terms."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.market.instruments import (
    INSTRUMENTS,
    LIVE_SYMBOLS,
    PAIRS,
    Kind,
    Leg,
    front_contract,
    third_friday,
)
from desktop.market.sessions import NYSE, TABLE_LAST


@pytest.mark.parametrize(
    ("symbol", "multiplier_usd", "tick", "root", "leg"),
    [
        ("RTY=F", 50, 0.10, "RTY", Leg.RUT),
        ("M2K=F", 5, 0.10, "M2K", Leg.RUT),
        ("NQ=F", 20, 0.25, "NQ", Leg.NDX),
        ("MNQ=F", 2, 0.25, "MNQ", Leg.NDX),
    ],
)
def test_terms_of_the_futures(symbol, multiplier_usd, tick, root, leg):
    one = INSTRUMENTS[symbol]
    assert (one.kind, one.calendar) == (Kind.FUTURE, "CMES")
    assert (one.multiplier_usd, one.tick, one.root, one.leg) == (multiplier_usd, tick, root, leg)


def test_micro_is_a_tenth_of_the_mini():
    assert INSTRUMENTS["RTY=F"].multiplier_usd == 10 * INSTRUMENTS["M2K=F"].multiplier_usd
    assert INSTRUMENTS["NQ=F"].multiplier_usd == 10 * INSTRUMENTS["MNQ=F"].multiplier_usd


@pytest.mark.parametrize("symbol", ["IWM", "QQQ"])
def test_a_share_is_worth_its_price_in_cents(symbol):
    assert (INSTRUMENTS[symbol].multiplier_usd, INSTRUMENTS[symbol].tick) == (1, 0.01)


def test_every_pair_holds_both_legs_of_one_kind():
    for kind, legs in PAIRS.items():
        assert set(legs) == {Leg.RUT, Leg.NDX}
        for leg, symbol in legs.items():
            assert (INSTRUMENTS[symbol].kind, INSTRUMENTS[symbol].leg) == (kind, leg)


def test_symbols_are_their_own_keys_and_all_live_ones_are_known():
    assert all(symbol == one.symbol for symbol, one in INSTRUMENTS.items())
    assert set(LIVE_SYMBOLS) <= set(INSTRUMENTS)
    assert {one.calendar for one in INSTRUMENTS.values()} == {"XNYS", "CMES"}


@pytest.mark.parametrize(
    "expiry", [date(2024, 3, 15), date(2024, 6, 21), date(2024, 9, 20), date(2024, 12, 20), date(2026, 9, 18)]
)
def test_quarterly_futures_expire_on_the_third_friday(expiry):
    assert third_friday(expiry.year, expiry.month) == expiry


@pytest.mark.parametrize(
    ("day", "code", "label", "roll"),
    [
        ("2024-07-11", "RTYU4", "RTY Sep 24", "2024-09-16"),
        ("2024-09-15", "RTYU4", "RTY Sep 24", "2024-09-16"),  # the Sunday before
        ("2024-09-16", "RTYZ4", "RTY Dec 24", "2024-12-16"),  # roll Monday itself
        ("2024-12-15", "RTYZ4", "RTY Dec 24", "2024-12-16"),
        ("2024-12-16", "RTYH5", "RTY Mar 25", "2025-03-17"),  # into the next year
        ("2024-12-31", "RTYH5", "RTY Mar 25", "2025-03-17"),
        ("2025-01-01", "RTYH5", "RTY Mar 25", "2025-03-17"),
        ("2024-06-16", "RTYM4", "RTY Jun 24", "2024-06-17"),
        ("2029-12-20", "RTYH0", "RTY Mar 30", "2030-03-11"),  # the year's last digit is 0
    ],
)
def test_front_contract_rolls_on_the_monday_of_the_expiry_week(day, code, label, roll):
    front = front_contract("RTY", date.fromisoformat(day))
    assert (front.code, front.label, front.roll) == (code, label, date.fromisoformat(roll))


@pytest.mark.parametrize(
    ("day", "code", "expiry"),
    [
        # Third Fridays on which the exchange is closed: Good Friday 2008, and Juneteenth in 2026 and 2027.
        (date(2008, 3, 3), "NQH8", date(2008, 3, 20)),
        (date(2026, 6, 1), "NQM6", date(2026, 6, 18)),
        (date(2026, 3, 23), "NQM6", date(2026, 6, 18)),
        (date(2027, 6, 1), "NQM7", date(2027, 6, 17)),  # the 19th is a Saturday: kept on the Friday
        (date(2024, 7, 11), "NQU4", date(2024, 9, 20)),
    ],
)
def test_a_contract_whose_third_friday_is_a_holiday_ends_the_session_before(day, code, expiry):
    front = front_contract("NQ", day)
    assert (front.code, front.expiry) == (code, expiry)
    assert front.roll.weekday() == 0  # the roll stays on its Monday
    assert timedelta(days=3) <= front.expiry - front.roll <= timedelta(days=4)


@given(day=st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_front_contract_is_always_the_next_to_roll(day):
    front = front_contract("NQ", day)
    assert front.month.month in (3, 6, 9, 12)
    friday = third_friday(front.month.year, front.month.month)
    assert (front.roll.weekday(), friday - front.roll) == (0, timedelta(days=4))
    assert 15 <= friday.day <= 21
    if friday <= TABLE_LAST:
        assert front.expiry == (friday - timedelta(days=1) if NYSE.session(friday) is None else friday)
    assert day < front.roll <= day + timedelta(days=98)  # a quarter never has more than fourteen weeks
    assert front_contract("NQ", front.roll - timedelta(days=1)) == front
    assert front_contract("NQ", front.roll).month > front.month
