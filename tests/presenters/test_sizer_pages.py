"""The sizer's pages in words: what is typed over the market, orders and their standing, replays, what-if."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from desktop.analytics.drawdowns import Declines, DownCapture, DrawdownMove, DrawdownTable
from desktop.analytics.ratio import RatioStats
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.presenters.sizer import SizerPresenter
from desktop.presenters.sizer_form import applied
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from tests.presenters.conftest import build
from widgets.states import FieldState, SizerForm, SizerState, Text, Tone

NOW = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
# METHODS 9, check C, with typed hedge; the prices come as quotes.
MINIS = replace(
    Settings(),
    instrument="mini",
    sizing="cap",
    gross_cap="1,570,000",
    hedge="typed",
    typed_hedge="1.1",
    stop="9.6",
    target="8.0",
)
ETFS = replace(Settings(), instrument="etf", sizing="cap", gross_cap="200k", hedge="dollar")


def quoted(snapshot: Snapshot, age_s: float = 3.0, **prices: float) -> Snapshot:
    """The snapshot with quotes of an age: the futures at the prices of check C unless told otherwise."""
    names = {"RTY": "RTY=F", "NQ": "NQ=F"}
    at = snapshot.moment - timedelta(seconds=age_s)
    wanted = {"RTY": 2200.0, "NQ": 20_000.0} | prices
    made = {names.get(one, one): price for one, price in wanted.items()}
    stats = snapshot.ratio
    assert isinstance(stats, RatioStats)
    return replace(
        snapshot,
        ratio=replace(stats, value=20_000 / 2_200),
        later={symbol: Quote(symbol, price, at, at, "test") for symbol, price in made.items()},
    )


@pytest.fixture(scope="module")
def base() -> Snapshot:
    return build(NOW, date(2024, 7, 10))


@pytest.fixture(scope="module")
def live(base) -> Snapshot:
    return quoted(base)


def sizer(snapshot: Snapshot, settings: Settings = MINIS) -> SizerState:
    return SizerPresenter().present(snapshot, settings)


def field(state: SizerState, key: str) -> FieldState:
    return next(one for one in state.fields if one.key == key)


def quantities(state: SizerState) -> list[str]:
    return [one.quantity.text for one in state.legs]


# What the market gives, and what overrides it


def test_prices_come_from_quotes_with_their_time_and_age(live):
    state = sizer(live)
    assert quantities(state) == ["+7", "−2"]
    for leg, name in zip(state.legs, ("RTY", "NQ"), strict=True):
        assert (leg.age.text, leg.age.tone) == ("3 s old", Tone.PLAIN)
        assert leg.price.why == f"{name} at 10:59:57 ET, 3 s old"
    price = field(state, "rut_price")
    assert (price.hint, price.text, price.typed) == ("2,200.00", "", False)
    assert state.standing.text == ""


def test_vols_correlation_and_beta_tell_their_window_and_day(live):
    state = sizer(live)
    risk = live.history.risk
    assert not isinstance(risk, Unknown)
    for key, value in (
        ("rut_vol", 100 * risk.su),
        ("ndx_vol", 100 * risk.sn),
        ("rho", risk.rho),
        ("beta", risk.beta),
    ):
        one = field(state, key)
        assert float(one.hint.replace("−", "-")) == pytest.approx(value, abs=0.06)
        assert one.origin is not None
        assert one.origin.text == "252 d to 10 Jul 24"
        assert "252 sessions to 10 Jul 2024" in one.origin.why


def test_typed_figures_are_marked_and_used_in_place_of_the_markets(live):
    # METHODS 9, check C: su .22, sn .20, rho .60, 8 % of 2,000,000 with k 1.1 -> +7 / -2, vol 147,551.89 a year.
    typed = replace(MINIS, sizing="vol_target", gross_cap="100m", rut_vol="22", ndx_vol="20", rho="0.60")
    state = sizer(live, typed)
    assert quantities(state) == ["+7", "−2"]
    assert "Vol $147,552 / y" in [one.text for one in state.totals]
    assert "99 % VaR $21,623" in [one.text for one in state.totals]
    assert state.tables.risk is not None
    risk = {row[0].text: row[1].text for row in state.tables.risk.rows}
    assert risk["99 % day ES"] == "$24,773"
    for key in ("rut_vol", "ndx_vol", "rho", "typed_hedge"):
        assert field(state, key).typed
    assert not field(state, "beta").typed
    vol = field(state, "rut_vol")
    assert vol.origin is not None
    assert vol.origin.text == f"market {vol.hint}"


def test_typed_beta_is_the_beta_hedge(live):
    # METHODS 9: the beta-neutral k is beta(U|N) itself.
    state = sizer(live, replace(MINIS, hedge="beta-ndx", beta="0.7026"))
    (column,) = [one for one in state.hedges if one.key == "beta-ndx"]
    assert dict(column.rows)["k"].text == "0.703"
    assert dict(column.rows)["k"].tone is Tone.WARN


def test_typed_vols_make_the_vol_hedge_and_the_beta(live):
    # Published ratio of volatilities 1.1945; beta = rho su / sn.
    state = sizer(live, replace(MINIS, rut_vol="23.89", ndx_vol="20", rho="0.5882"))
    by_key = {one.key: dict(one.rows)["k"].text for one in state.hedges}
    assert by_key["vol"] == "1.194"
    assert by_key["beta-ndx"] == "0.703"
    assert state.bases is not None
    told = {row[0].text: row[3].text for row in state.bases.rows}
    assert told["Vol parity"] == "su / sn, typed"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("rho", "1.2", "between -1 and 1"),
        ("rut_vol", "0.1", "no annual volatility"),
        ("beta", "x", "not a number"),
    ],
)
def test_wrong_override_is_told_at_its_field(live, key, text, said):
    state = sizer(live, replace(MINIS, **{key: text}))
    assert said in field(state, key).error
    assert state.legs == ()


def test_suggested_levels_are_no_typed_ones(live):
    state = sizer(live, replace(MINIS, stop="auto"))
    assert (field(state, "stop").typed, field(state, "stop").untyped, field(state, "stop").label) == (
        False, "auto", "Stop (auto)",
    )  # fmt: skip
    assert (field(state, "target").typed, field(state, "target").untyped) == (True, "auto")


# Standing and orders


def test_live_prices_make_files_without_a_question(live):
    orders = sizer(live).orders
    assert orders is not None
    assert (orders.refused, orders.confirm) == ("", "")
    assert [one.key for one in orders.offers] == ["ibkr", "oms"]
    ibkr = list(csv.DictReader(orders.offers[0].text.splitlines()))
    assert [(one["Action"], one["Quantity"], one["Symbol"]) for one in ibkr] == [
        ("BUY", "7", "RTY"),
        ("SELL", "2", "NQ"),
    ]
    assert orders.offers[0].file_name == "pair-ibkr-RM20240711T150000Z.csv"
    oms = list(csv.DictReader(orders.offers[1].text.splitlines()))
    assert {one["price_age_s"] for one in oms} == {"3"}
    assert orders.ticket.splitlines()[-1] == (
        "Prices: RTY at 10:59:57 ET, 3 s old; NQ at 10:59:57 ET, 3 s old; made Thu 11 Jul 2024 11:00 ET"
    )


def test_a_night_quote_is_live_though_the_session_is_over(live):
    assert not live.live  # no gap is told from what trades now
    orders = sizer(live).orders
    assert orders is not None
    assert "NOT LIVE" not in orders.ticket


def test_old_quotes_are_told_and_want_a_confirmation(base):
    state = sizer(quoted(base, age_s=7200))
    assert (state.standing.text, state.standing.tone) == ("old prices", Tone.WARN)
    assert all(one.age.tone is Tone.WARN for one in state.legs)
    assert state.orders is not None
    assert "RTY at 09:00:00 ET, 2 h old" in state.orders.confirm
    assert state.orders.offers


def test_a_typed_price_is_told_and_wants_a_confirmation(live):
    state = sizer(live, replace(MINIS, rut_price="2200"))
    assert state.standing.text == "typed prices"
    assert state.orders is not None
    assert state.orders.confirm == "RTY: typed"


def test_how_old_is_old_is_a_setting(base):
    settings = replace(MINIS, order_age_s=600.0)
    assert sizer(quoted(base, age_s=599), settings).standing.text == ""
    assert sizer(quoted(base, age_s=601), settings).standing.text == "old prices"


@pytest.mark.parametrize(
    ("mode", "why"), [(Mode.AS_OF, "as of Thu 11 Jul 2024 11:00 ET"), (Mode.DEMO, "simulated")]
)
def test_no_file_is_made_of_prices_that_are_not_of_now(live, mode, why):
    state = sizer(replace(live, mode=mode))
    assert state.standing.tone is Tone.PAST
    assert state.orders is not None
    assert state.orders.offers == ()
    assert why in state.orders.refused
    assert state.orders.ticket.startswith("NOT LIVE PRICES")  # as text it may go, stamped


# Nights, weekends and the week of the roll


def test_a_price_of_another_day_tells_its_day():
    # Sunday: the last trade was on Friday, so a time of day alone would read as today's.
    sunday = build(datetime(2024, 7, 14, 18, 0, tzinfo=UTC), date(2024, 7, 12))
    friday = datetime(2024, 7, 12, 20, 59, 58, tzinfo=UTC)
    state = sizer(quoted(sunday, age_s=(sunday.moment - friday).total_seconds()))
    assert {one.age.text for one in state.legs} == {"12 Jul 16:59"}
    assert state.legs[0].price.why == "RTY at Fri 12 Jul 16:59 ET, 1 d 21 h old"
    # 20:30 in New York is the next day in UTC already: that is yesterday evening all the same.
    morning = build(datetime(2024, 7, 11, 14, 0, tzinfo=UTC), date(2024, 7, 10))
    state = sizer(quoted(morning, age_s=13.5 * 3600))
    assert {one.age.text for one in state.legs} == {"10 Jul 20:30"}
    assert state.legs[0].price.why == "RTY at Wed 10 Jul 20:30 ET, 13 h 30 min old"


@pytest.mark.parametrize(
    ("moment", "last", "today"),
    [
        (datetime(2024, 7, 13, 15, 0, tzinfo=UTC), date(2024, 7, 12), date(2024, 7, 13)),  # Saturday
        (datetime(2024, 7, 12, 6, 0, tzinfo=UTC), date(2024, 7, 11), date(2024, 7, 12)),  # 02:00 in New York
    ],
)
def test_a_margin_asked_on_a_day_whose_session_has_not_begun_is_of_today(moment, last, today):
    seen = quoted(build(moment, last))
    asked = replace(MINIS, margin_rty="7000", margin_rty_day=today.isoformat())
    assert field(sizer(seen, asked), "margin_rty_day").error == ""
    ahead = replace(asked, margin_rty_day=(today + timedelta(days=1)).isoformat())
    assert "lies after today" in field(sizer(seen, ahead), "margin_rty_day").error


def test_on_the_day_of_the_roll_the_next_month_is_traded_from_midnight_on():
    # Monday 16 September 2024, 02:00 in New York: no session of that day has begun.
    night = quoted(build(datetime(2024, 9, 16, 6, 0, tzinfo=UTC), date(2024, 9, 13)))
    assert [one.contract.text for one in sizer(night).legs] == ["RTY Dec 24", "NQ Dec 24"]


def test_in_the_week_of_the_roll_a_quote_may_be_of_the_month_that_expires():
    # Tuesday: Sep 24 trades until Friday, and the vendor's continuous quote does not tell its month.
    week = quoted(build(datetime(2024, 9, 17, 15, 0, tzinfo=UTC), date(2024, 9, 16)))
    state = sizer(week)
    assert [one.contract.text for one in state.legs] == ["RTY Dec 24", "NQ Dec 24"]
    assert (state.standing.text, state.standing.tone) == ("roll week", Tone.WARN)
    assert "RTY at 10:59:57 ET, 3 s old, perhaps of RTY Sep 24" in state.standing.why
    assert all(one.price.tone is Tone.WARN for one in state.legs)
    assert any("RTY Sep 24" in one.text and "type the price of RTY Dec 24" in one.text for one in state.notes)
    assert state.orders is not None
    assert "perhaps of NQ Sep 24" in state.orders.confirm
    assert state.orders.ticket.startswith("CHECK PRICES (RTY perhaps of RTY Sep 24, NQ perhaps of NQ Sep 24)")
    oms = list(csv.DictReader(state.orders.offers[1].text.splitlines()))
    assert [one["price_source"] for one in oms] == ["quote perhaps of RTYU4", "quote perhaps of NQU4"]
    typed = sizer(week, replace(MINIS, rut_price="2,200", ndx_price="20,000"))
    assert typed.standing.text == "typed prices"
    etfs = sizer(quoted(week, IWM=210.0, QQQ=492.0), replace(ETFS, instrument="etf"))
    assert etfs.standing.text == ""


@pytest.mark.parametrize("moment", [datetime(2024, 9, 13, 15, tzinfo=UTC), datetime(2024, 9, 23, 15, tzinfo=UTC)])
def test_beside_the_week_of_the_roll_a_quote_is_of_the_month_of_the_ticket(moment):
    week = quoted(build(moment, (moment - timedelta(days=3 if moment.weekday() == 0 else 1)).date()))
    assert sizer(week).standing.text == ""


def test_a_typed_price_far_from_the_markets_is_told():
    seen = quoted(build(NOW, date(2024, 7, 10)))
    state = sizer(seen, replace(MINIS, sizing="cap", gross_cap="100m", rut_price="22,000"))  # a zero too many
    price = field(state, "rut_price")
    assert price.origin is not None
    assert (price.origin.text, price.origin.tone) == ("+900 % from 2,200.00", Tone.WARN)
    assert any("RUT price: typed, +900 % from the market's 2,200.00" in one.text for one in state.notes)
    assert state.orders is not None
    assert state.orders.confirm == "RTY: typed, +900 % from the market's 2,200.00"
    assert state.standing.text == "price far off"
    near = sizer(seen, replace(MINIS, rut_price="2,205"))
    assert field(near, "rut_price").origin == Text("market 2,200.00", Tone.DIM, "RTY at 10:59:57 ET, 3 s old")
    assert not any("typed" in one.text for one in near.notes)


# Risk and past falls


def past_falls() -> Declines:
    """METHODS 8: RUT and NDX from high to low of the S&P 500."""
    rows = tuple(
        DrawdownMove(date(high, 1, 3), date(low, 1, 3), "S&P 500", spx, rut, ndx, rut - ndx)
        for high, low, spx, rut, ndx in (
            (2000, 2002, -49.1, -43.0, -82.8),
            (2007, 2009, -56.8, -59.4, -51.9),
            (2020, 2021, -33.9, -40.8, -27.9),
            (2022, 2023, -25.4, -25.7, -34.6),
        )
    )
    none = Unknown("not asked for")
    table = DrawdownTable(rows, "S&P 500", ())
    return Declines(table, DownCapture(none, none, 0), (), (), date(1987, 9, 11), date(2024, 7, 10), ())


def test_past_falls_are_replayed_on_this_very_position(live):
    seen = replace(live, evidence=replace(live.evidence, declines=past_falls()))
    tables = sizer(seen).tables
    assert tables.falls is not None
    # 770,000 long and 800,000 short: 2000 -331,100 + 662,400; 2007 -457,380 + 415,200; and so on.
    assert [row[3].text for row in tables.falls.rows] == ["+$331,300", "−$42,180", "−$90,960", "+$78,910"]
    assert [row[3].tone for row in tables.falls.rows] == [Tone.GOOD, Tone.BAD, Tone.BAD, Tone.GOOD]
    assert tables.falls_note.text.endswith("gain in 2 of 4")


def test_past_falls_that_are_not_known_say_why(live):
    tables = sizer(live).tables
    assert tables.falls is None
    assert tables.falls_note.text == "Past falls n/a"
    assert tables.falls_note.why


def test_the_five_worst_days_are_of_this_position(live):
    days = sizer(live).tables.days
    assert days is not None
    returns = live.history.returns
    pnl = 770_000 * returns.rut - 800_000 * returns.ndx
    expected = sorted(zip(pnl.tolist(), returns.days.tolist(), strict=True))[:5]
    assert [row[3].text for row in days.rows] == [f"−${-value:,.0f}" for value, _ in expected]
    assert [row[0].text for row in days.rows] == [f"{day.day} {day:%b %Y}" for _, day in expected]


# Costs and margins


@pytest.mark.parametrize("key", ["micro_commission", "share_commission", "borrow", "vol_target", "risk"])
@pytest.mark.parametrize("text", ["x", "-5"])
def test_a_field_that_is_not_seen_keeps_no_ticket_from_being_made(live, key, text):
    state = sizer(live, replace(MINIS, **{key: text}))
    assert quantities(state) == ["+7", "−2"]
    assert not any(one.error for one in state.fields)


def amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", "").replace("−", "-"))


def test_costs_by_leg_add_up_to_the_whole(live):
    costs = sizer(live).tables.costs
    assert costs is not None
    rows = {row[0].text: [amount(cell.text) for cell in row[1:4]] for row in costs.rows}
    # 2.25 a contract and trade, in and out: 7 and 2 contracts.
    assert rows["Commission"] == [31.50, 9.0, 40.50]
    # Half a tick of $5 a contract and trade.
    assert rows["Half-spread"] == [35.0, 10.0, 45.0]
    # 4 % a year over 20 days on 770,000 and on 800,000.
    assert rows["Financing"] == pytest.approx([1687.67, -1753.42, -65.75], abs=1)
    for rut, ndx, both in rows.values():
        assert rut + ndx == pytest.approx(both, abs=1)
    assert rows["Total"][2] == pytest.approx(sum(row[2] for name, row in rows.items() if name != "Total"), abs=2)


def test_typed_cost_assumptions_are_used(live):
    costs = sizer(live, replace(MINIS, mini_commission="1", holding_days="90")).tables.costs
    assert costs is not None
    rows = {row[0].text: row for row in costs.rows}
    assert rows["Commission"][3].text == "$18.00"
    # From 11 July 90 days reach 9 October: the roll of 16 September lies within.
    assert rows["Roll"][4].text.startswith("1 roll while held; next on 16 Sep 2024")


def test_margins_are_kept_by_contract_with_their_day(live):
    settings = replace(MINIS, margin_rty="7,000", margin_rty_day="2024-07-01", margin_nq="20k", margin_m2k="750")
    state = sizer(live, settings)
    assert "Margin $89,000" in [one.text for one in state.totals]
    assert [one.text for one in state.margins] == [
        "Margins kept:", "RTY $7,000 of 1 Jul 2024", "M2K $750 no day typed", "NQ $20,000 no day typed",
    ]  # fmt: skip
    micro = sizer(live, replace(settings, instrument="micro"))
    assert "Margin n/a" in [one.text for one in micro.totals]  # the mini's margin is not taken for the micro's


def test_an_old_margin_is_told(live):
    state = sizer(live, replace(MINIS, margin_rty="7000", margin_rty_day="2024-05-01"))
    asked = field(state, "margin_rty_day")
    assert asked.label == "RTY asked · old"
    assert asked.help.startswith("71 days old")
    (kept,) = state.margins[1:]
    assert (kept.text, kept.tone) == ("RTY $7,000 of 1 May 2024, old", Tone.WARN)


@pytest.mark.parametrize(("text", "why"), [("July", "is no date"), ("2024-07-12", "lies after today")])
def test_wrong_day_of_a_margin_leaves_the_ticket_alone(live, text, why):
    state = sizer(live, replace(MINIS, margin_rty="7000", margin_rty_day=text))
    assert why in field(state, "margin_rty_day").error
    assert state.legs


# What if


def results(state: SizerState) -> list[str]:
    assert state.what_if is not None
    return [one.text for one in state.what_if.results]


def test_free_moves_of_both_legs(live):
    told = results(sizer(live, replace(MINIS, what_rut="3", what_ndx="-2")))
    # 3 % of 770,000 and 2 % of 800,000.
    assert told[:3] == ["P&L +$39,100 = +1.96 % of capital", "RUT leg +$23,100", "NDX leg +$16,000"]
    assert told[4] == "RUT − NDX +5.0 pp"


def test_along_a_path_the_ratio_leads(live):
    # Check C: at 9.6 by RUT flat the loss is 44,800; 9.6 / 9.0909 is +5.6 %.
    state = sizer(live, replace(MINIS, what_path="rut_flat", what_ratio="5.6"))
    told = results(state)
    assert told[0].startswith("P&L −$44,800")
    assert "beyond the stop 9.600" in told
    assert state.what_if is not None
    assert [one.enabled for one in state.what_if.sliders] == [False, False, True]


# Hedge of what is held


def test_a_holding_is_hedged_by_every_hedge_and_the_chosen_one_can_be_taken_away(base):
    seen = quoted(base, IWM=210.0)
    cover = sizer(seen, replace(MINIS, instrument="micro", hedge="dollar", typed_hedge="", held="+500 IWM")).cover
    assert cover.table is not None
    by_name = {row[0].text: row for row in cover.table.rows}
    # 105,000 against 40,000 each: 2.625.
    assert by_name["▸ Dollar neutral"][2].text == "−3 MNQ"
    assert by_name["▸ Dollar neutral"][4].text.startswith("−2.6")
    assert by_name["▸ Dollar neutral"][5].text == "−$15,000"
    assert cover.orders is not None
    (row,) = csv.DictReader(cover.orders.offers[0].text.splitlines())
    assert (row["Action"], row["Quantity"], row["Symbol"]) == ("SELL", "3", "MNQ")


def test_a_typed_price_counts_for_mini_and_micro_alike(base):
    # Both are on one index to one tick: 3 RTY at 2,300 are 345,000, against 20,000 x 2 a micro.
    seen = quoted(base)
    settings = replace(MINIS, instrument="micro", hedge="dollar", typed_hedge="", held="+3 RTY", rut_price="2300")
    cover = sizer(seen, settings).cover
    assert cover.table is not None
    assert "held: RUT +$345,000" in [one.text for one in cover.facts]
    assert "RTY typed" in [one.text for one in cover.facts]
    assert cover.orders is not None
    assert "RTY: typed" in cover.orders.confirm


def test_wrong_holding_is_told_and_leaves_the_ticket_alone(live):
    state = sizer(live, replace(MINIS, held="500 apples"))
    assert "not traded here" in field(state, "held").error
    assert state.legs
    assert "not traded here" in state.cover.message


def test_a_holding_without_a_price_says_so(live):
    cover = sizer(live, replace(MINIS, held="+500 IWM")).cover
    assert cover.orders is None
    assert "no price of IWM" in cover.message


def test_a_hedge_on_old_prices_wants_a_confirmation_too(base):
    seen = quoted(base, age_s=900, IWM=210.0)
    orders = sizer(seen, replace(MINIS, hedge="dollar", instrument="micro", held="+500 IWM")).cover.orders
    assert orders is not None
    assert "IWM" in orders.confirm
    assert "MNQ" in orders.confirm


# The form becomes settings


def form(**fields: str) -> SizerForm:
    return SizerForm(tuple(fields.items()), "cap", "dollar", "micro")


def test_a_margin_typed_anew_is_of_today_until_another_day_is_typed():
    today = date(2024, 7, 11)
    first = applied(Settings(), form(margin_m2k="750", margin_m2k_day=""), {}, today)
    assert first.margin_m2k_day == "2024-07-11"
    later = applied(first, form(margin_m2k="750", margin_m2k_day="2024-07-01"), {}, today)
    assert later.margin_m2k_day == "2024-07-01"
    gone = applied(later, form(margin_m2k="", margin_m2k_day="2024-07-01"), {}, today)
    assert gone.margin_m2k_day == ""


def test_a_suggestion_nobody_touched_goes_on_following_the_market(live):
    shown = {one.key: one for one in sizer(live, replace(MINIS, stop="auto")).fields}
    before = replace(MINIS, stop="auto")
    assert applied(before, form(stop=shown["stop"].text), shown, date(2024, 7, 11)).stop == "auto"
    assert applied(before, form(stop="9.7"), shown, date(2024, 7, 11)).stop == "9.7"
    assert applied(MINIS, form(stop="auto"), shown, date(2024, 7, 11)).stop == "auto"


# Life of a frame


def test_what_did_not_change_stays_the_same_object(live):
    presenter = SizerPresenter()
    one, two = presenter.present(live, MINIS), presenter.present(live, MINIS)
    assert one == two
    assert one.heat is two.heat
    assert one.tables is two.tables
