"""The sizer in words: suggestions, prices and their origin, errors in place, the ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from desktop.analytics.ratio import RatioStats
from desktop.presenters.sizer import SizerPresenter
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from tests.presenters.conftest import EVENING, build
from widgets.states import SizerState, Tone

# METHODS 9, check C: minis, 8 % volatility target on 2 million. RTY 2200 and NQ 20000 are typed; volatilities come
# from the history here, so only what does not depend on them is compared.
MINIS = replace(
    Settings(),
    instrument="mini",
    sizing="cap",
    gross_cap="1,570,000",
    rut_price="2200",
    ndx_price="20000",
    hedge="typed",
    typed_hedge="1.1",
    stop="9.6",
    target="8.0",
)


def sizer(snapshot, settings: Settings) -> SizerState:
    return SizerPresenter().present(snapshot, settings)


def field(state: SizerState, key: str):
    return next(one for one in state.fields if one.key == key)


def at_check_c(snapshot: Snapshot) -> Snapshot:
    """The ratio of check C, 20,000 / 2,200, in place of the made-up one."""
    assert isinstance(snapshot.ratio, RatioStats)
    return replace(snapshot, ratio=replace(snapshot.ratio, value=20_000 / 2_200))


@pytest.fixture(scope="module")
def plain() -> Snapshot:
    return at_check_c(build(EVENING, date(2024, 7, 11)))


def test_seven_long_against_two_short_are_told_with_their_money(plain):
    state = sizer(plain, MINIS)
    long, short = state.legs
    assert (long.side.text, long.quantity.text, long.notional.text) == ("BUY", "+7", "$770,000")
    assert (short.side.text, short.quantity.text, short.notional.text) == ("SELL", "−2", "$800,000")
    # Where the narrow ticket has no room for the column, the hover tells what a move of 1 % makes.
    assert long.notional.why == "multiplier $50 a point; its index +1 % makes +$7,700"
    assert short.notional.why == "multiplier $20 a point; its index +1 % makes −$8,000"
    assert long.price.text == "2,200.00"
    assert long.price.why == "typed"
    assert long.price.tone is Tone.WARN  # no quote: somebody typed it
    assert long.one_percent.text == "+$7,700"
    assert short.one_percent.text == "−$8,000"
    totals = [one.text for one in state.totals]
    assert "Gross $1,570,000" in totals
    assert "Residual +$47,000" in totals


def test_outcomes_quote_the_worst_of_three_paths(plain):
    outcomes = sizer(plain, MINIS).outcomes
    # At 9.6: NDX flat -40,833, RUT flat -44,800, symmetric -42,790. At 8.0: 105,000, 96,000, 100,356.
    assert outcomes[0].text == "At stop 9.600: −$44,800"
    assert "NDX flat −$40,833, RUT flat −$44,800, symmetric −$42,790" in outcomes[0].why
    assert outcomes[0].tone is Tone.BAD
    assert outcomes[1].text == "At target 8.000: +$96,000"
    assert outcomes[2].text == "reward / risk 2.14"  # 96,000 / 44,800


def test_scenarios_are_exact(plain):
    heat = sizer(plain, MINIS).heat
    assert heat is not None
    rows, columns = heat.row_labels, heat.column_labels
    # RUT +10 % gains 77,000 on 770,000; NDX −10 % gains 80,000 on 800,000 short.
    assert heat.values[rows.index("NDX −10%")][columns.index("RUT +10%")] == pytest.approx(157_000)
    assert heat.cells[rows.index("NDX −10%")][columns.index("RUT +10%")].text == "+157k"
    assert heat.cells[rows.index("NDX +10%")][columns.index("RUT −10%")].tone is Tone.BAD
    assert heat.values[rows.index("NDX +0%")][columns.index("RUT +0%")] == 0


def test_margin_that_nobody_typed_is_na_with_the_reason(plain):
    (margin,) = [one for one in sizer(plain, MINIS).totals if one.text.startswith("Margin")]
    assert margin.text == "Margin n/a"
    assert margin.why
    typed = sizer(plain, replace(MINIS, margin_rty="7,000", margin_nq="20,000"))
    assert any(one.text == "Margin $89,000" for one in typed.totals)  # 7 x 7,000 + 2 x 20,000


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("capital", "-5", "above 0"),
        ("capital", "two", "not a number"),
        ("capital", "", "nothing is typed"),
        ("gross_cap", "0", "above 0"),
        ("stop", "8.9", "above"),  # the ratio of 20,000 and 2,200 is 9.09
        ("target", "9.9", "below"),
        ("rut_price", "-1", "above 0"),
        ("typed_hedge", "0", "0.1 to 10"),
    ],
)
def test_wrong_field_is_named_and_no_number_is_shown(plain, key, text, said):
    state = sizer(plain, replace(MINIS, **{key: text}))
    assert said in field(state, key).error
    assert field(state, key).text == text
    assert [one.key for one in state.fields if one.error] == [key]
    assert field(state, key).label.split()[0] in state.message
    assert (state.legs, state.totals, state.outcomes, state.heat, state.ticket) == ((), (), (), None, "")


def test_wrong_typed_hedge_leaves_the_measured_ones(plain):
    state = sizer(plain, replace(MINIS, hedge="dollar", typed_hedge="x"))
    assert field(state, "typed_hedge").error
    assert {one.key for one in state.hedges} >= {"dollar", "beta-ndx", "vol"}


def test_price_that_stands_in_for_a_future_says_so(plain):
    state = sizer(plain, replace(Settings(), instrument="micro", sizing="cap"))
    assert all(one.price.tone is Tone.WARN for one in state.legs)
    assert all("no quote of the future" in one.price.why for one in state.legs)
    assert all(one.age.text == "index 11 Jul" and one.age.tone is Tone.WARN for one in state.legs)


def test_etf_without_a_price_is_told_at_its_field(plain):
    state = sizer(plain, replace(Settings(), instrument="etf", sizing="cap"))
    assert state.legs == ()
    assert "no price of IWM" in field(state, "rut_price").help
    assert field(state, "rut_price").error
    assert state.message


@pytest.mark.parametrize(
    ("mode", "first"),
    [
        (Mode.LIVE, "NOT LIVE PRICES (last prices, 11 Jul 2024)"),
        (Mode.AS_OF, "NOT LIVE PRICES (as of, 11 Jul 2024)"),
        (Mode.DEMO, "NOT LIVE PRICES (demo, 11 Jul 2024)"),
    ],
)
def test_ticket_on_prices_that_are_not_live_says_so_first(mode, first):
    head = sizer(at_check_c(build(EVENING, date(2024, 7, 11), mode=mode)), MINIS).ticket.splitlines()[0]
    assert head == first


def test_empty_store_sizes_nothing_and_says_why(empty):
    state = sizer(empty, Settings())
    assert state.legs == ()
    assert state.message
    assert state.ticket == ""
    measured = [one.rows[0][1] for one in state.hedges if one.key != "dollar"]
    assert measured
    assert all(one.text == "n/a" and one.why for one in measured)


def test_only_what_the_sizing_needs_is_asked_for(plain):
    keys = {one.key for one in sizer(plain, replace(Settings(), sizing="cap")).fields}
    assert not keys & {"vol_target", "risk"}
    assert "vol_target" in {one.key for one in sizer(plain, replace(Settings(), sizing="vol_target")).fields}
    assert "risk" in {one.key for one in sizer(plain, replace(Settings(), sizing="stop")).fields}


def test_every_money_and_every_percentage_has_its_unit(plain):
    state = sizer(plain, replace(Settings(), sizing="stop"))
    units = {one.key: one.unit for one in state.fields}
    assert (units["capital"], units["gross_cap"], units["risk"]) == ("$", "$", "%")
    for one in state.totals:
        assert "$" in one.text or "n/a" in one.text or one.text.startswith("Roll"), one.text


def test_moment_of_a_session_day_is_a_day_of_the_contract_month():
    state = sizer(at_check_c(build(datetime(2024, 7, 11, 15, 0, tzinfo=UTC), date(2024, 7, 10))), MINIS)
    assert [one.contract.text for one in state.legs] == ["RTY Sep 24", "NQ Sep 24"]
    # The third Friday of September 2024 is the 20th; CME's roll date is the Monday before.
    assert all(one.contract.why == "rolled on 16 Sep 2024, expires on 20 Sep 2024" for one in state.legs)
    assert any(one.text == "Roll 16 Sep" for one in state.totals)
