from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.market.quotes import (
    BadMarketDataError,
    Bars,
    Closes,
    Interval,
    Panel,
    Quote,
    day_start_s,
    require_utc,
)

AT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
NO_PRICES = [0.0, -1.0, float("nan"), float("inf"), -float("inf")]


def quote(**changes) -> Quote:
    return Quote(
        **{"symbol": "IWM", "price": 210.0, "event_time": AT, "arrival_time": AT, "source": "x", **changes}
    )


def bars(**changes) -> Bars:
    given = {name: [10.0, 11.0, 12.0] for name in ("open", "high", "low", "close")}
    start = np.array([60, 120, 240], dtype=np.int64)
    return Bars(
        **{
            "symbol": "IWM",
            "interval": Interval.MINUTE,
            "start_s": start,
            **given,
            "volume": [0.0, 1.0, 2.0],
            **changes,
        }
    )


# Quotes


@pytest.mark.parametrize("price", NO_PRICES)
@pytest.mark.parametrize("field", ["price", "previous_close", "open_price"])
def test_quote_cannot_hold_a_price_no_market_can_have(field, price):
    with pytest.raises(BadMarketDataError, match=rf"IWM: {field} = .* finite and above zero") as caught:
        quote(**{field: price})
    assert (caught.value.symbol, caught.value.field) == ("IWM", field)


@pytest.mark.parametrize("field", ["event_time", "arrival_time"])
def test_quote_cannot_hold_a_time_without_a_zone(field):
    with pytest.raises(BadMarketDataError, match=f"{field}.*time without a zone"):
        quote(**{field: AT.replace(tzinfo=None)})


def test_quote_keeps_times_in_utc():
    new_york = AT.astimezone(timezone(timedelta(hours=-4)))
    one = quote(event_time=new_york, arrival_time=new_york)
    assert one.event_time == AT
    assert one.event_time.tzinfo is one.arrival_time.tzinfo is UTC
    assert one == quote()


@pytest.mark.parametrize("delay", [-1.0, float("nan"), float("inf")])
def test_declared_delay_must_be_a_number_of_seconds(delay):
    with pytest.raises(BadMarketDataError, match="declared_delay_s"):
        quote(declared_delay_s=delay)


def test_age_is_the_worse_of_measured_and_declared():
    assert quote(declared_delay_s=600).age_s(AT + timedelta(seconds=5)) == 600
    assert quote(declared_delay_s=600).age_s(AT + timedelta(seconds=601)) == 601
    assert quote().age_s(AT) == 0


@given(price=st.floats(), delay=st.floats())
def test_any_quote_that_exists_has_a_price_and_a_delay(price, delay):
    try:
        one = quote(price=price, declared_delay_s=delay)
    except BadMarketDataError:
        assert not (0 < price < np.inf and 0 <= delay < np.inf)
    else:
        assert 0 < one.price < np.inf
        assert 0 <= one.declared_delay_s < np.inf


# Bars


@pytest.mark.parametrize("price", NO_PRICES)
@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_bars_cannot_hold_a_price_no_market_can_have(field, price):
    with pytest.raises(BadMarketDataError, match=rf"{field} = .*at 1970-01-01 00:02:00\+00:00"):
        bars(**{field: [10.0, price, 12.0]})


def test_bars_of_an_index_have_no_volume_but_never_a_negative_one():
    assert bars(volume=[0.0, 0.0, 0.0]).volume.tolist() == [0, 0, 0]
    for volume in (-1.0, float("nan")):
        with pytest.raises(BadMarketDataError, match="volume"):
            bars(volume=[0.0, volume, 0.0])


@pytest.mark.parametrize("start", [[60, 60, 120], [120, 60, 180]], ids=["duplicate", "out of order"])
def test_bars_must_be_in_order_without_duplicates(start):
    with pytest.raises(BadMarketDataError, match="in order, without duplicates") as caught:
        bars(start_s=np.array(start))
    assert caught.value.value == 60


def test_bars_refuse_columns_of_another_length():
    with pytest.raises(BadMarketDataError, match=r"close = \(2,\): needs shape \(3,\)"):
        bars(close=[1.0, 2.0])


def test_bars_are_copies_nobody_can_change():
    mine = np.array([10.0, 11.0, 12.0])
    one = bars(close=mine)
    mine[:] = 99
    assert one.close.tolist() == [10, 11, 12]
    for array in (one.start_s, one.open, one.close):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_no_bars_are_bars_too():
    nothing = np.array([], dtype=np.float64)
    assert len(bars(start_s=nothing, open=nothing, high=nothing, low=nothing, close=nothing, volume=nothing)) == 0


def test_daily_bars_are_labelled_by_midnight_utc_of_their_date():
    assert day_start_s(date(1970, 1, 2)) == 86_400
    assert day_start_s(date(2024, 7, 11)) == 1_720_656_000  # `date -ud 2024-07-11 +%s`
    assert day_start_s(date(1969, 12, 31)) == -86_400
    start = np.array([day_start_s(date(2024, 7, day)) for day in (9, 10, 11)])
    assert bars(interval=Interval.DAY, start_s=start).days.tolist() == [date(2024, 7, day) for day in (9, 10, 11)]


def test_interval_lengths():
    assert [one.seconds for one in Interval] == [60, 300, 900, 3600, 86_400]
    assert Interval("5m") is Interval.FIVE_MINUTES


# Closes


def closes(*days: str) -> Closes:
    return Closes("^NDX", np.array(days, dtype="datetime64[D]"), np.arange(1.0, len(days) + 1))


def test_closes_until_a_day_include_that_day_and_none_after():
    three = closes("2024-07-09", "2024-07-10", "2024-07-12")
    assert len(three.until(date(2024, 7, 8))) == 0
    assert three.until(date(2024, 7, 10)).close.tolist() == [1, 2]
    assert three.until(date(2024, 7, 11)).close.tolist() == [1, 2]
    assert three.until(date(2024, 7, 12)) is three


@pytest.mark.parametrize("days", [("2024-07-09", "2024-07-09"), ("2024-07-10", "2024-07-09")])
def test_closes_must_be_in_order_without_duplicates(days):
    with pytest.raises(BadMarketDataError, match=r"\^NDX: days = '2024-07-09'.*without duplicates"):
        closes(*days)


@pytest.mark.parametrize("price", NO_PRICES)
def test_closes_cannot_hold_a_price_no_market_can_have(price):
    days = np.array(["2024-07-09", "2024-07-10"], dtype="datetime64[D]")
    with pytest.raises(BadMarketDataError, match="on 2024-07-10"):
        Closes("^NDX", days, np.array([1.0, price]))


def test_closes_refuse_columns_of_another_length():
    with pytest.raises(BadMarketDataError, match="needs shape"):
        Closes("^NDX", np.array(["2024-07-09"], dtype="datetime64[D]"), np.array([1.0, 2.0]))


# Panels


def panel(close) -> Panel:
    days = np.array(["2024-07-09", "2024-07-10"], dtype="datetime64[D]")
    return Panel("us", ("AAA", "BBB"), days, np.array(close), date(2024, 1, 1))


def test_panel_keeps_holes_as_holes_and_cannot_be_changed():
    one = panel([[1.0, np.nan], [2.0, 3.0]])
    assert np.isnan(one.close[0, 1])
    with pytest.raises(ValueError, match="read-only"):
        one.close[0, 1] = 1


@pytest.mark.parametrize("price", [0.0, -1.0, float("inf")])
def test_panel_cannot_hold_a_price_no_market_can_have(price):
    with pytest.raises(BadMarketDataError, match="above zero"):
        panel([[1.0, price], [2.0, 3.0]])


def test_panel_refuses_a_shape_that_is_not_days_by_names():
    with pytest.raises(BadMarketDataError, match=r"needs \(2, 2\)"):
        panel([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])


# Times


def test_require_utc_turns_any_zone_into_utc_and_refuses_none():
    assert require_utc("IWM", "at", AT.astimezone(timezone(timedelta(hours=9)))) == AT
    with pytest.raises(BadMarketDataError, match="IWM: at"):
        require_utc("IWM", "at", AT.replace(tzinfo=None))
