"""What stands behind each claim: chart and table a sceptic asks for, in words, and nothing of later days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache, partial

import numpy as np
import pytest

from desktop.analytics import events, ratio, seasonality
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Panel
from desktop.market.sessions import NYSE, parse_as_of
from desktop.market.store import Store
from desktop.presenters.evidence import EvidencePresenter, _unbridged
from desktop.settings import Settings, changed
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.thesis import MEASURES, Claim, Verdict, claims
from desktop.typed_figures import seven
from tests.presenters.conftest import nothing
from tests.report.known_store import KINDS, Later, add, filled
from tests.same import same
from widgets.states import EvidenceChart, EvidenceState, EvidenceTable

MOMENTS = {
    "in the session": "2024-07-11T10:31:20-04:00",
    "before the yields": "2024-07-11T17:59:59-04:00",
    "before the positions": "2024-07-12T15:29:59-04:00",
}
NIGHT = "2024-07-11"
SEVEN_FROM = date(2024, 6, 3)
TYPED = {
    "figure_weights": "NVDA 8, MSFT 8, AAPL 9, AMZN 5, META 5, GOOGL 5, TSLA 3",
    "figure_weights_dated": "2024-07-01",
    "figure_pe_qqq": "33",
    "figure_pe_qqq_dated": "2024-06-28",
    "figure_pe_iwm": "27",
    "figure_pe_iwm_dated": "2024-06-28",
}


def chosen() -> Settings:
    settings = changed(Settings(), "universe", "names")
    for name, text in TYPED.items():
        settings = changed(settings, name, text)
    return settings


def put_seven(store: Store, last: date, *, wild_after: date | None = None) -> None:
    """Closes of the seven; after `wild_after` they go wild."""
    days = NYSE.days(SEVEN_FROM, last)
    close = 100 + np.cumsum(np.random.default_rng(3).normal(0, 1, (len(days), 7)), axis=0)
    if wild_after is not None:
        close[days > np.datetime64(wild_after)] *= 3
    store.put_panel(Panel("seven", seven(), days, close, last), source="made")


@contextmanager
def rough() -> Iterator[None]:
    """Few resamples: the words must not change, however rough they are."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((events, "event_study"), (seasonality, "seasonality")):
            patch.setattr(module, name, partial(getattr(module, name), resamples=200))
        patch.setattr(ratio, "half_life_interval", partial(ratio.half_life_interval, reps=100))
        yield


def shown(store: Store, as_of: datetime) -> Snapshot:
    settings = chosen()
    names = [one.name for one in store.panels() if one.name != "seven"]
    settings = changed(settings, "universe", names[-1])
    with rough():
        return SnapshotBuilder(store, Deferred()).build(as_of, settings, mode=Mode.AS_OF)


@cache
def known(moment: str) -> Snapshot:
    """All that was known at `moment`."""
    as_of = parse_as_of(MOMENTS.get(moment, moment))
    with filled(as_of) as store:
        put_seven(store, NYSE.last_closed(as_of).day)
        return shown(store, as_of)


@cache
def known_later(moment: str) -> Snapshot:
    """The same moment, from a store that meanwhile holds wild data of every kind of the days after."""
    as_of = parse_as_of(MOMENTS.get(moment, moment))
    with filled(as_of) as store:
        add(store, as_of, Later(11, 2.0, frozenset(KINDS) - {"new panel"}))
        closed = NYSE.last_closed(as_of).day
        put_seven(store, closed + timedelta(days=9), wild_after=closed)
        return shown(store, as_of)


def claim_of(snapshot: Snapshot, key: str) -> Claim:
    return next(one for one in claims(snapshot) if one.id == key)


def view(snapshot: Snapshot, key: str) -> EvidenceState:
    state = EvidencePresenter().present(snapshot, claim_of(snapshot, key))
    assert state is not None
    return state


def table(state: EvidenceState) -> EvidenceTable:
    assert state.table is not None
    return state.table


def chart(state: EvidenceState) -> EvidenceChart:
    assert state.chart is not None
    return state.chart


# --- nothing of later days


@pytest.mark.parametrize("key", MEASURES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_came_later_changes_no_row_and_no_view(moment, key):
    before, after = known(moment), known_later(moment)
    assert claim_of(before, key) == claim_of(after, key)
    assert same(view(before, key), view(after, key))


@pytest.mark.parametrize("key", MEASURES)
def test_the_views_compared_hold_something(key):
    state = view(known("before the positions"), key)
    assert state.chart is not None or state.table is not None
    assert state.source.text
    # Two years of legs hold but two declines: too few for a number, and said so.
    assert isinstance(claim_of(known("before the positions"), key).value, Unknown) is (key == "fall_less")


def test_no_verdict_without_an_n():
    judged = [one for moment in MOMENTS for one in claims(known(moment))]
    with_verdict = [one for one in judged if one.verdict is not Verdict.UNKNOWN]
    assert len({one.id for one in with_verdict}) >= 12
    for one in with_verdict:
        assert re.search(r"\bn \d[\d,]*|\d of \d[\d,]*", one.words), one
        assert not isinstance(one.value, Unknown)
        assert one.as_of is not None
        assert one.source


def test_every_row_says_when_it_is_told_again_or_is_typed():
    for one in claims(known("in the session")):
        if isinstance(one.value, Unknown):
            continue
        typed = one.id in ("flow_asymmetry", "valuation_gap")
        assert (one.next_update is None) is typed, one.id
        if one.next_update is not None:
            assert one.next_update > known("in the session").moment


# --- what each view holds


def test_the_ratio_is_shown_in_price_and_with_dividends_of_its_peak():
    state = view(known(NIGHT), "stretched")
    assert [one.name for one in chart(state).lines] == ["price, NDX / RUT", "with dividends, QQQ / IWM"]
    assert [level.value for level in chart(state).levels] == [100.0]
    assert chart(state).unit == "% of peak"


def test_the_event_study_is_a_fan_with_its_n_and_every_horizon_and_rule():
    state = view(known(NIGHT), "continued")
    fan = chart(state)
    assert (fan.x_label[:17], fan.unit, len(fan.bands)) == ("sessions after, n", "%", 2)
    assert all((band.low <= band.high)[1:].all() for band in fan.bands)
    first = [row[0].text for row in table(state).rows]
    assert first[:4] == ["1 d", "5 d", "20 d", "60 d"]
    assert sum(one.startswith("1 d, ") for one in first) == 2
    assert "moves with the rule" in state.caution.text or "chance" in state.caution.text


def test_the_path_is_a_step_line_that_starts_today_with_the_odds_of_each_meeting():
    state = view(known(NIGHT), "cuts_priced")
    (line,) = chart(state).lines
    assert line.step
    first_meeting = table(state).rows[0]
    assert first_meeting[0].text == "31 Jul 2024"
    assert len(line.curve.x) == 1 + sum(row[1].text != "n/a" for row in table(state).rows)
    assert re.fullmatch(r"(\d\.\d\d-\d\.\d\d \d+%(, )?)+", first_meeting[-1].text)
    assert [(one.label, one.chosen) for one in state.choices] == [
        ("at the old rate", True),
        ("at the new rate", False),
    ]


def test_the_slope_has_its_band_and_a_row_a_year():
    state = view(known(NIGHT), "two_year_explains")
    (line,), (band,) = chart(state).lines, chart(state).bands
    assert (band.low < line.curve.y).all() and (line.curve.y < band.high).all()
    assert [row[0].text for row in table(state).rows] == ["2024", "2023", "2022"]


def test_positions_have_both_contracts_and_their_history():
    state = view(known(NIGHT), "under_owned")
    assert [one.name for one in chart(state).lines] == ["leveraged funds, NQ", "leveraged funds, RTY"]
    assert [row[0].text for row in table(state).rows] == ["NQ", "RTY"]


def test_no_line_is_drawn_over_missing_reports():
    days = np.array(["2021-12-21", "2021-12-28", "2024-01-02", "2024-01-23"], dtype="datetime64[D]")
    curve = _unbridged(days, np.array([1.0, 2.0, 3.0, 4.0]))
    assert np.isnan(curve.y).tolist() == [False, False, True, False, False]
    assert (np.diff(curve.x) > 0).all()


def test_every_election_year_is_a_line_beside_the_mean_of_the_others():
    for key in ("election_july_august", "election_october"):
        state = view(known(NIGHT), key)
        assert [one.name for one in chart(state).lines] == [
            *(["2008", "2012", "2016", "2020", "2024"]),
            "other years, mean",
        ]
        assert [words for _, words in chart(state).x_words][:3] == ["Jan", "Feb", "Mar"]


def test_declines_are_bars_of_both_legs_and_four_conditions_of_which_two_flatter():
    state = view(known(NIGHT), "fall_less")
    bars = chart(state).bars
    assert bars is not None
    assert [name for name, *_ in bars.series] == ["RUT", "NDX"]
    assert [row[0].text for row in table(state).rows] == [
        "NDX < −2 %",
        "SPX < −2 %",
        "both legs down",
        "VIX >= 30",
    ] or [row[0].text for row in table(state).rows] == ["NDX < -2 %", "SPX < -2 %", "both legs down", "VIX >= 30"]
    assert [row[5].text for row in table(state).rows] == ["flatters", "", "flatters", ""]


def test_correlation_is_shown_beside_what_options_imply_and_dispersion():
    state = view(known(NIGHT), "correlations_low")
    assert [one.name for one in chart(state).lines] == [
        "realised, 21 days",
        "implied, COR1M / 100",
        "dispersion, DSPX / 100",
    ]
    implied = known(NIGHT).evidence.implied
    assert chart(state).lines[1].curve.y == pytest.approx(implied.values / 100)


def test_reversion_has_both_tests_and_both_ways_of_the_second():
    words = [row[0].text for row in table(view(known(NIGHT), "mean_reversion")).rows]
    for one in ("half-life", "augmented Dickey-Fuller", "Engle-Granger, NDX on RUT", "Engle-Granger, RUT on NDX"):
        assert one in words


def test_the_seven_add_up_to_the_move_with_the_others():
    state = view(known(NIGHT), "mega_cap_contribution")
    rows = {row[0].text: row for row in table(state).rows}
    assert set(seven()) < set(rows)

    def points(name: str) -> float:
        return float(rows[name][3].text.replace("−", "-").replace(" pp", ""))

    assert sum(points(name) for name in seven()) == pytest.approx(points("the seven"), abs=0.004)
    seen = known(NIGHT).evidence.mega_caps
    assert not isinstance(seen, Unknown)
    assert points("the seven") + points("all others") == pytest.approx(seen.found.index_pct, abs=0.002)


def test_what_is_typed_is_marked_typed_with_its_day_and_what_is_assumed_with_its_own():
    basis = {row[0].text: row[2].text for row in table(view(known(NIGHT), "valuation_gap")).rows}
    assert basis == {"P/E of QQQ": "typed, 28 Jun 2024", "P/E of IWM": "typed, 28 Jun 2024"}
    flow = view(known(NIGHT), "flow_asymmetry")
    assert ("Largest cap", "$3,000 bn", "assumed, round figure, 28 Jun 2024") in [
        tuple(cell.text for cell in row) for row in table(flow).rows
    ]
    assert [(one.value.label, one.value.hint, one.dated.hint) for one in flow.inputs][:2] == [
        ("Largest cap", "3,000 bn", "2024-06-28"),
        ("Median cap", "0.9 bn", "2024-06-28"),
    ]


@pytest.mark.parametrize("key", MEASURES)
def test_without_data_a_view_says_why_and_shows_no_chart(key):
    empty = nothing()
    state = view(empty, key)
    if key == "flow_asymmetry":
        return
    assert state.chart is None
    assert state.facts[0].text.startswith("n/a: ")
    assert state.table is None


def test_the_same_evidence_is_the_same_chart(monkeypatch):
    presenter, snapshot = EvidencePresenter(), known(NIGHT)
    one = claim_of(snapshot, "stretched")
    first, again = presenter.present(snapshot, one), presenter.present(snapshot, one)
    assert first is not None and again is not None
    assert first.chart is again.chart
    assert presenter.present(snapshot, None) is None
