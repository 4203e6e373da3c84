"""Cboe: history in its two shapes, delayed quotes, and levels that are none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from desktop.market.quotes import Bars, Closes
from desktop.market.sessions import NYSE
from desktop.sources.cboe import Cboe
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from tests.sources.publisher_server import (
    CBOE_HISTORY,
    CBOE_QUOTES,
    DSPX_CSV,
    VIX_CSV,
    Hand,
    PublisherServer,
    cboe_quote,
    good,
    known_closes,
    refused,
)

EVENING = datetime(2024, 7, 11, 22, 30, tzinfo=UTC)
VIX_HISTORY, VIX_QUOTE = Dataset("VIX history", 3600.0), Dataset("VIX quote", 300.0)
NOTHING = known_closes({})
_HEADER, *_ROWS = VIX_CSV.splitlines()
LONG_VIX_CSV = "\n".join(
    [
        _HEADER,
        *(
            f"{day.astype(date):%m/%d/%Y},12.5,12.9,12.1,12.6"
            for day in NYSE.days(date(2024, 5, 1), date(2024, 6, 28))
        ),
        *_ROWS,
    ]
)
"""One bad row in many is a bad row; one in eight would be another file."""


class Rig:
    def __init__(self, server: PublisherServer, clock: Hand) -> None:
        self.server, self.clock = server, clock
        self.known = NOTHING

    def ask(self, dataset: Dataset, stamp: Stamp = Stamp()) -> Published | Unchanged | Failure:  # noqa: B008
        self.cboe = Cboe(self.clock, self.known, http=self.server.http("cboe", self.clock))
        return self.cboe.fetch(dataset, stamp)

    def history(self, text: str, index: str = "VIX") -> Published | Unchanged | Failure:
        self.server.pages[f"{CBOE_HISTORY}{index}_History.csv"] = text
        return self.ask(Dataset(f"{index} history", 3600.0))

    def quote(self, text: str, index: str = "VIX") -> Published | Unchanged | Failure:
        self.server.pages[f"{CBOE_QUOTES}_{index}.json"] = text
        return self.ask(Dataset(f"{index} quote", 300.0))


@pytest.fixture
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server, Hand(EVENING))


def values(parts: tuple[Bars, ...] | tuple[Closes, ...]) -> dict[str, float]:
    return {str(day): float(close) for one in parts for day, close in zip(one.days, one.close, strict=True)}


def test_history_becomes_bars_of_trading_days_alone(rig):
    found = good(rig.history(VIX_CSV))
    (bars,) = found.bars
    assert bars.symbol == "^VIX"
    assert values(found.bars)["2024-07-11"] == 12.92
    assert "2024-07-04" not in values(found.bars)
    assert (bars.open[-1], bars.high[-1], bars.low[-1]) == (12.88, 13.33, 12.23)
    assert found.known_at == datetime(2024, 7, 11, 20, 20, tzinfo=UTC)


def test_one_column_becomes_closes_without_the_bad_print(rig):
    found = good(rig.history(DSPX_CSV, "DSPX"))
    assert values(found.closes) == {"2018-02-06": 9.62, "2018-02-07": 14.05, "2018-02-09": 20.92}
    assert not found.bars


def test_a_session_that_has_not_settled_is_left_for_later(rig):
    rig.clock.time = datetime(2024, 7, 11, 20, 5, tzinfo=UTC)
    found = good(rig.history(VIX_CSV))
    assert max(values(found.bars)) == "2024-07-10"
    assert found.note == ""  # every morning is like that


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("07/11/2024,12.88,13.33,12.23,1292", "outside its high and low"),
        ("07/11/2024,1288,1333,1223,1292", "outside 5 to 150"),
        ("07/11/2024,.1288,.1333,.1223,.1292", "outside 5 to 150"),
        ("07/11/2024,58,60,55,58", "4 times those around"),
        ("07/11/2024,,,,", "without a close"),
        ("07/11/2024,NaN,NaN,NaN,NaN", "without a close"),
        ("07/11/2031,12.88,13.33,12.23,12.92", "in the future"),
        ("13/45/2024,12.88,13.33,12.23,12.92", ""),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_told(rig, row, why):
    text = LONG_VIX_CSV.rsplit("07/11/2024", 1)[0] + row + "\n"
    found = good(rig.history(text))
    assert max(values(found.bars)) == "2024-07-10"
    assert why in found.note


def test_the_other_leg_is_told_by_what_is_stored(rig):
    closes = {"2024-07-05": 16.9, "2024-07-08": 16.8, "2024-07-09": 17.0, "2024-07-10": 17.4, "2024-07-11": 17.1}
    rig.known = known_closes(closes)  # VXN's
    assert "not closes of ^VIX: 0.738 times those stored, on 5 days" in refused(rig.history(VIX_CSV))
    rig.known = known_closes({day: value for day, value in closes.items() if day > "2024-07-08"})
    good(rig.history(VIX_CSV))  # three days are no proof


@pytest.mark.parametrize("times", [100.0, 0.01])
def test_a_whole_history_off_by_a_hundred_is_refused(rig, times):
    rows = [line.split(",") for line in VIX_CSV.splitlines()[1:]]
    text = "DATE,OPEN,HIGH,LOW,CLOSE\n" + "".join(
        f"{day}," + ",".join(f"{float(cell) * times:.6f}" for cell in cells) + "\n" for day, *cells in rows
    )
    assert "not values of ^VIX" in refused(rig.history(text))


def test_unsorted_and_repeated_rows_do_no_harm(rig):
    header, *rows = VIX_CSV.splitlines()
    found = good(rig.history("\n".join([header, *reversed(rows), rows[-1]]) + "\n"))
    assert list(values(found.bars)) == sorted(values(found.bars))
    assert values(found.bars)["2024-07-11"] == 12.92
    contradicting = good(rig.history(VIX_CSV + "07/11/2024,12.88,13.33,12.23,13.00\n"))
    assert max(values(contradicting.bars)) == "2024-07-10"
    assert "contradict" in contradicting.note


@pytest.mark.parametrize(
    ("header", "column"),
    [("DATE,OPEN,HIGH,LOW,LAST", "'CLOSE'"), ("TRADE_DATE,OPEN,HIGH,LOW,CLOSE", "'DATE'"), ("DATE,VXN", "'OPEN'")],
)
def test_a_changed_header_names_what_is_missing(rig, header, column):
    row = ",".join(["07/11/2024", *["12.92"] * header.count(",")])
    assert f"no column {column}" in refused(rig.history(f"{header}\n{row}\n"))


def test_an_added_column_does_no_harm(rig):
    header, *rows = VIX_CSV.splitlines()
    text = "\n".join([header + ",VOLUME", *(row + ",0" for row in rows)])
    assert values(good(rig.history(text)).bars)["2024-07-11"] == 12.92


def test_a_delayed_quote_is_dated_by_its_trade_and_says_how_late_it_is(rig):
    (quote,) = good(rig.quote(cboe_quote())).quotes
    assert (quote.symbol, quote.price, quote.previous_close, quote.open_price) == ("^VIX", 12.92, 12.85, 12.88)
    assert quote.event_time == datetime(2024, 7, 11, 20, 15, 1, tzinfo=UTC)
    assert (quote.arrival_time, quote.declared_delay_s, quote.source) == (EVENING, 900.0, "cboe")


def test_a_winter_time_with_a_zone_is_taken_as_it_is(rig):
    rig.clock.time = datetime(2025, 1, 15, 21, 30, tzinfo=UTC)
    (quote,) = good(rig.quote(cboe_quote(at="2025-01-15T16:15:01"))).quotes
    assert quote.event_time == datetime(2025, 1, 15, 21, 15, 1, tzinfo=UTC)
    (quote,) = good(rig.quote(cboe_quote(at="2025-01-15T21:15:01+00:00"))).quotes
    assert quote.event_time == datetime(2025, 1, 15, 21, 15, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (cboe_quote(price=1291.0), "outside 5 to 150"),
        (cboe_quote(price=0.1291), "outside 5 to 150"),
        (cboe_quote(price=0.0), "outside 5 to 150"),
        (cboe_quote(price=float("nan")), "no level of ^VIX"),
        (cboe_quote(price=129.1), "its last known close was 12.85 on 2024-07-10"),
        (cboe_quote(price=None), "'current_price' cannot be used"),
        (cboe_quote(price="12.92"), "'current_price' cannot be used"),
        (cboe_quote(price=True), "outside 5 to 150"),
        (cboe_quote("VXN"), "it is about '^VXN', not ^VIX"),
        (cboe_quote(at="yesterday"), "is no time"),
        (cboe_quote(at="2024-07-11T20:15:01"), "in the future"),  # UTC sold as New York
        (cboe_quote(at="2024-06-01T16:15:01"), "too long ago"),
        (cboe_quote().replace("last_trade_time", "lastTradeTime"), "no field 'last_trade_time'"),
        (cboe_quote().replace('"data"', '"quote"'), "no field 'data'"),
        ("[]", "no JSON object"),
        (cboe_quote()[:200], "no JSON, or cut short"),
    ],
)
def test_a_quote_that_cannot_be_is_refused(rig, text, why):
    rig.known = known_closes({"2024-07-10": 12.85})
    assert why in refused(rig.quote(text))


@pytest.mark.parametrize("absent", [{"prev_day_close": 0.0}, {"prev_day_close": None}, {"prev_day_close": 1285}])
def test_a_previous_close_that_is_none_is_left_out(rig, absent):
    (quote,) = good(rig.quote(cboe_quote(**absent))).quotes
    assert (quote.price, quote.previous_close) == (12.92, None)


def test_the_day_that_volatility_rose_by_two_thirds_is_believed(rig):
    rig.clock.time = datetime(2024, 8, 5, 21, 0, tzinfo=UTC)
    rig.known = known_closes({"2024-08-02": 23.39})
    (quote,) = good(rig.quote(cboe_quote(price=38.57, at="2024-08-05T16:15:01"))).quotes
    assert quote.price == 38.57


def test_what_is_unchanged_is_not_sent_again(rig):
    first = good(rig.history(VIX_CSV))
    assert isinstance(rig.ask(VIX_HISTORY, first.stamp), Unchanged)
    assert (rig.server.count(), rig.server.not_modified) == (2, 1)


def test_each_index_has_a_history_and_a_quote_of_its_own(rig):
    names = [one.name for one in Cboe.datasets]
    indices = ("VIX", "VIX3M", "VXN", "RVX", "COR1M", "DSPX", "VIXEQ")
    assert names == [f"{index} {what}" for what in ("history", "quote") for index in indices]


@pytest.mark.parametrize(
    ("index", "figures", "rows"),
    [
        ("VIX", {date(2024, 7, 11): 12.92, date(2024, 8, 5): 38.57}, 9152 - 30),
        ("COR1M", {date(2024, 7, 11): 3.87, date(2024, 7, 12): 2.93, date(2020, 3, 16): 86.71}, 5090),
        ("VIXEQ", {}, 2961),
        ("DSPX", {}, 2960),
    ],
)
def test_real_history(rig, real_data, index, figures, rows):
    rig.clock.time = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    found = good(rig.history((real_data / f"vol-cboe/{index}_History.csv").read_text(), index))
    closes = values(found.bars) | values(found.closes)
    assert {day: closes[str(day)] for day in figures} == figures
    assert len(closes) == rows
    assert found.note == ""
    assert found.known_at == datetime(2026, 3, 27, 20, 20, tzinfo=UTC)
    if index == "COR1M":
        assert min(closes.values()) == 2.93
