"""Figures that no source gives: read as typed, with their day, or refused with cause and cure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from desktop.analytics.contribution import contribution
from desktop.analytics.rates import DayRule
from desktop.answers import Kept
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Closes, Panel, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.mega_caps import closing_moves, quoted_moves
from desktop.settings import Settings, changed
from desktop.snapshot import Snapshot, SnapshotBuilder
from desktop.thesis import Claim, Verdict, claims
from desktop.trade.typed import FieldError
from desktop.typed_figures import FIGURES, FigureReader, parse_day, parse_weights, seven

DAY = date(2024, 7, 11)
NIGHT = datetime(2024, 7, 12, 2, 0, tzinfo=UTC)
WEIGHTS = "NVDA 8, MSFT 8, AAPL 9, AMZN 5, META 5, GOOGL 5, TSLA 3"


def typed(**texts: str) -> Settings:
    settings = Settings()
    for name, text in texts.items():
        settings = changed(settings, f"figure_{name}", text)
    return settings


def read(**texts: str) -> Any:
    return FigureReader().read(typed(**texts))


def why(found: object) -> str:
    assert isinstance(found, Unknown), found
    return found.reason


# --- one field


@pytest.mark.parametrize("text", ["2024-06-28", " 28 Jun 2024 ", "28 June 2024", "2024/06/28"])
def test_a_day_is_read(text):
    assert parse_day(text) == date(2024, 6, 28)


@pytest.mark.parametrize("text", ["", "yesterday", "28/06/2024", "2024-06-31", "2024"])
def test_what_is_no_day_is_refused_with_the_form_that_is_taken(text):
    with pytest.raises(FieldError, match="write it like 2024-06-28"):
        parse_day(text)


@pytest.mark.parametrize(
    "text", [WEIGHTS, WEIGHTS.lower(), WEIGHTS.replace(",", ";"), WEIGHTS.replace(" ", ": ", 1)]
)
def test_weights_are_read_by_name(text):
    assert parse_weights(text) == {
        "NVDA": 8, "MSFT": 8, "AAPL": 9, "AMZN": 5, "META": 5, "GOOGL": 5, "TSLA": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (WEIGHTS.replace(", TSLA 3", ""), "TSLA missing"),
        (f"{WEIGHTS}, NVDA 1", "NVDA stands there twice"),
        (f"{WEIGHTS}, GOOG 5", "both classes of Alphabet together"),
        (f"{WEIGHTS}, NFLX 2", "'NFLX 2' does not begin with one of"),
        (WEIGHTS.replace("TSLA 3", "TSLA"), "the weight of TSLA"),
        (WEIGHTS.replace("TSLA 3", "TSLA -3"), "a weight lies between"),
        (WEIGHTS.replace("TSLA 3", "TSLA 60"), "together 100 %"),
        ("", "missing"),
    ],
)
def test_weights_that_cannot_be_are_refused(text, cause):
    with pytest.raises(FieldError, match=cause):
        parse_weights(text)


# --- all fields


def test_nothing_typed_is_the_assumed_flow_and_reasons_for_the_rest():
    found = read()
    assert [figure.value for _, figure in found.flow.figures()] == [3e12, 0.9e9, 2.6e12, 0.01, 1.2, 50e9, 0.8]
    assert "type it" in why(found.pe_qqq) and "IWM" in why(found.pe_iwm)
    assert "type them" in why(found.weights)
    assert found.day_rule is DayRule.OLD_RATE
    assert not any(one.problem for one in found.fields)


def test_a_figure_counts_with_its_day_and_says_typed():
    found = read(cap_usd="3,400bn", cap_usd_dated="2024-07-05", share="2", share_dated="2024-07-05")
    assert (found.flow.cap_usd.value, found.flow.cap_usd.dated) == (3.4e12, date(2024, 7, 5))
    assert found.flow.cap_usd.source == "typed"
    assert found.flow.share.value == pytest.approx(0.02)
    assert found.flow.turnover_usd.source == "assumed, round figure"


@pytest.mark.parametrize("figure", [one for one in FIGURES if one.name != "weights"], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("text", "dated"),
    [("12", ""), ("", "2024-07-05"), ("ten", "2024-07-05"), ("-1", "2024-07-05"), ("1", "soon")],
)
def test_half_a_figure_is_unknown_with_its_name_and_the_cure(figure, text, dated):
    found = read(**{figure.name: text, f"{figure.name}_dated": dated})
    part = found.flow if figure.claim == "flow_asymmetry" else getattr(found, figure.name)
    assert why(part).startswith(f"{figure.label}: ")
    (wrong,) = [one for one in found.fields if one.problem]
    assert wrong.asked is figure


def test_more_than_the_whole_company_does_not_move():
    assert "at most 100 %" in why(read(share="101", share_dated="2024-07-05").flow)


def test_the_same_settings_are_read_once():
    reader, settings = FigureReader(), typed(pe_qqq="33", pe_qqq_dated="2024-07-05")
    first = reader.read(settings)
    assert reader.read(changed(settings, "capital", "1m")) is first
    assert reader.read(changed(settings, "figure_pe_qqq", "34")) is not first


# --- the claims


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Both legs, and the closes of the seven: NDX loses 2 % on the day, each of the seven 3 %."""
    days = NYSE.days(date(2022, 7, 1), DAY)
    step = np.arange(len(days), dtype=np.float64)
    with Store(None) as made:
        for symbol, close in (("^RUT", 2000 + 40 * np.sin(step / 9)), ("^NDX", 18_000 + 300 * np.sin(step / 7))):
            close[-1] = close[-2] * (0.98 if symbol == "^NDX" else 1.03)
            made.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
        close = np.full((len(days), 8), 100.0)
        close[-1, :7] = 97.0
        made.put_panel(Panel("eight", (*seven(), "IBM"), days, close, DAY), source="test")
        yield made


class OnlyTheSeven(Deferred):
    """Leaves out the statistics that no test here looks at."""

    def get(self, name: str, key: Hashable, compute: Callable[[], Any], kept: Kept | None = None) -> Any:
        return super().get(name, key, compute) if name == "seven" else Unknown("left out")


def at(store: Store, settings: Settings, moment: datetime = NIGHT) -> Snapshot:
    return SnapshotBuilder(store, OnlyTheSeven()).build(moment, settings)


def claim(snapshot: Snapshot, key: str) -> Claim:
    return next(one for one in claims(snapshot) if one.id == key)


def test_seven_names_are_set_against_the_move_of_the_index(store):
    shown = at(store, typed(weights=WEIGHTS, weights_dated="2024-07-01"))
    one = claim(shown, "mega_cap_contribution")
    # 43 % x -3 % = -1.29 of the -2 points: 64.5 % of the move with 43 % of the weight.
    assert one.value == pytest.approx(-1.29)
    assert (one.verdict, one.as_of) == (Verdict.FOR, DAY)
    assert one.words == "−1.29 pp of −2.00 %, weight 43%, n 7".replace("−", "-")
    assert "64% of the move" in one.note or "65% of the move" in one.note


@pytest.mark.parametrize(
    ("move", "index", "verdict"),
    [
        (-2.01, -2.0, Verdict.FOR),
        (-1.9, -2.0, Verdict.MIXED),
        (-1.0, -2.0, Verdict.AGAINST),
        (1.0, -2.0, Verdict.AGAINST),
        (-1.0, -0.2, Verdict.UNKNOWN),
    ],
)
def test_the_seven_lead_from_their_weight_on_and_lag_from_half_of_it(store, move, index, verdict):
    shown = at(store, typed(weights=WEIGHTS, weights_dated="2024-07-01"))
    weights = parse_weights(WEIGHTS)
    seen: Any = shown.evidence.mega_caps
    made = contribution(weights, dict.fromkeys(weights, move), index)
    shown = replace(shown, evidence=replace(shown.evidence, mega_caps=replace(seen, found=made)))
    assert claim(shown, "mega_cap_contribution").verdict is verdict


def test_the_points_of_all_names_and_the_rest_are_the_move():
    made = contribution({"A": 8.0, "B": 5.0}, {"A": -5.57, "B": 2.0}, -2.24)
    assert [one.points_pp for one in made.parts] == pytest.approx([-0.4456, 0.1])
    assert made.points_pp + made.rest_pp == pytest.approx(-2.24)
    assert made.share == pytest.approx(-0.3456 / -2.24)
    assert "less than 0.25 %" in why(contribution({"A": 8.0}, {"A": 1.0}, 0.2).share)


def test_weights_of_a_later_day_are_not_known_yet(store):
    one = claim(at(store, typed(weights=WEIGHTS, weights_dated="2024-07-12")), "mega_cap_contribution")
    assert (one.verdict, one.words) == (Verdict.UNKNOWN, "n/a")
    assert "2024-07-12, after 2024-07-11" in one.note


def test_a_name_without_a_price_leaves_the_sum_unknown():
    days = NYSE.days(date(2024, 7, 1), DAY)
    with Store(None) as store:
        store.put_closes(Closes("^NDX", days, np.full(len(days), 20_000.0)), source="test", priority=Priority.FILE)
        close = np.full((len(days), 6), 100.0)
        store.put_panel(Panel("six", seven()[:6], days, close, DAY), source="test")
        assert "no prices of the seven names" in why(closing_moves(store, DAY))


def test_closes_after_the_day_change_nothing(store):
    before = closing_moves(store, date(2024, 7, 10))
    assert not isinstance(before, Unknown)
    assert before.day == date(2024, 7, 10)
    assert set(before.of_names_pct.values()) == {0.0}


def put_quotes(store: Store, seconds: float = 0.0, but: str = "") -> datetime:
    traded = datetime(2024, 7, 11, 15, 0, tzinfo=UTC)
    for number, symbol in enumerate(("^NDX", *seven())):
        if symbol != but:
            when = traded.replace(second=0) if number else traded.replace(minute=0)
            event = datetime.fromtimestamp(when.timestamp() - (seconds if number == 3 else 0), UTC)
            store.put_quotes([Quote(symbol, 99.0, event, traded, "test", previous_close=100.0)])
    return traded


def test_quotes_of_the_session_are_taken_when_all_are_there_and_traded_together():
    with Store(None) as store:
        traded = put_quotes(store)
        found = quoted_moves(store, traded)
        assert found is not None
        assert found.day == DAY
        assert found.of_index_pct == pytest.approx(-1.0)
        assert set(found.of_names_pct) == set(seven())
        assert quoted_moves(store, traded.replace(hour=14, minute=59)) is None, "not arrived yet"
        assert quoted_moves(store, datetime(2024, 7, 12, 14, 0, tzinfo=UTC)) is None, "of the day before"
    with Store(None) as store:
        assert quoted_moves(store, put_quotes(store, but="TSLA")) is None
    with Store(None) as store:
        assert quoted_moves(store, put_quotes(store, seconds=121)) is None
    with Store(None) as store:
        assert quoted_moves(store, put_quotes(store, seconds=119)) is not None


def pe(qqq: str, iwm: str, dated: str = "2024-06-28") -> Settings:
    return typed(pe_qqq=qqq, pe_qqq_dated=dated, pe_iwm=iwm, pe_iwm_dated=dated)


@pytest.mark.parametrize(
    ("qqq", "iwm", "verdict"),
    [
        ("33", "30", Verdict.FOR),
        ("32.9", "30", Verdict.MIXED),
        ("30", "30", Verdict.MIXED),
        ("29.9", "30", Verdict.AGAINST),
    ],
)
def test_tech_is_dearer_from_a_tenth_on(store, qqq, iwm, verdict):
    one = claim(at(store, pe(qqq, iwm)), "valuation_gap")
    assert one.verdict is verdict
    assert one.value == pytest.approx(float(qqq) / float(iwm))
    assert (one.as_of, one.words) == (date(2024, 6, 28), f"P/E {float(qqq):.1f} vs {float(iwm):.1f}, n 2 funds")


def test_a_price_earnings_ratio_of_a_later_day_is_not_known_yet_and_an_old_one_no_verdict(store):
    later = claim(at(store, pe("33", "27", "2024-07-12")), "valuation_gap")
    assert (later.verdict, later.words) == (Verdict.UNKNOWN, "n/a")
    assert "after 2024-07-11" in later.note
    old = claim(at(store, pe("33", "27", "2024-04-01")), "valuation_gap")
    assert old.verdict is Verdict.UNKNOWN
    assert "too old for a verdict" in old.note
    assert claim(at(store, pe("33", "27", "2024-04-02")), "valuation_gap").verdict is Verdict.FOR


def test_flow_follows_what_is_typed_and_stays_without_a_verdict(store):
    one = claim(at(store, typed(cap_usd="3600bn", cap_usd_dated="2024-07-01")), "flow_asymmetry")
    assert one.value == pytest.approx(40.0)
    assert one.verdict is Verdict.UNKNOWN
    assert one.source == "1 of 7 figures typed, the others assumed and round"
    later = claim(at(store, typed(cap_usd="3600bn", cap_usd_dated="2024-07-12")), "flow_asymmetry")
    assert later.words == "n/a"
    assert "Largest cap is of 2024-07-12, after 2024-07-11" in later.note


def test_typing_is_seen_at_once_and_frames_in_between_are_the_same_objects(store):
    builder = SnapshotBuilder(store, OnlyTheSeven())
    one, two = typed(weights=WEIGHTS, weights_dated="2024-07-01"), Settings()
    first = builder.build(NIGHT, one).evidence
    for part in ("flow", "mega_caps", "figures"):
        assert getattr(builder.build(NIGHT, one).evidence, part) is getattr(first, part), part
    assert isinstance(builder.build(NIGHT, two).evidence.mega_caps, Unknown)
    again: Any = builder.build(NIGHT, one).evidence.mega_caps
    assert again.found.points_pp == pytest.approx(-1.29)
