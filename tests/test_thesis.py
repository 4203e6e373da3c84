"""Every verdict at both sides of its threshold, on evidence laid out by hand."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from desktop.analytics.correlation import CorrelationStats
from desktop.analytics.divergence import DivergenceStats, Rank
from desktop.analytics.drawdowns import Declines, DownCapture, DrawdownMove, DrawdownTable
from desktop.analytics.events import EventStudy, Outcome, Summary
from desktop.analytics.positioning import ContractPositions, PairPositions
from desktop.analytics.rates import Attribution, FedPath, MeetingOdds, Slope, StepOdds, TwoYear
from desktop.analytics.ratio import Extreme, RatioStats, TotalReturn, UnitRoot
from desktop.analytics.regime import Flags, Readings, RegimeStats, State
from desktop.analytics.seasonality import Contrast, Seasonality
from desktop.deferred import Deferred
from desktop.evidence import Positioning, Rates, Strip
from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import Priority, Store
from desktop.settings import Settings
from desktop.snapshot import Snapshot, SnapshotBuilder
from desktop.thesis import MEASURES, Claim, Measure, Side, Verdict, _claim, claims, counts

FOR, AGAINST, MIXED, UNKNOWN = Verdict.FOR, Verdict.AGAINST, Verdict.MIXED, Verdict.UNKNOWN
DAY = date(2024, 7, 11)
EVENING = datetime(2024, 7, 12, 0, 30, tzinfo=UTC)
NONE: Any = Unknown("laid out without it")
A_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def plain() -> Snapshot:
    """Two years of both legs and nothing else; each test lays its evidence on top."""
    days = NYSE.days(date(2022, 7, 1), DAY)
    step = np.arange(len(days), dtype=np.float64)
    with Store(None) as store:
        for symbol, close in (("^RUT", 2000 + 40 * np.sin(step / 9)), ("^NDX", 18_000 + 300 * np.sin(step / 7))):
            store.put_closes(Closes(symbol, days, close), source="test", priority=Priority.FILE)
        return SnapshotBuilder(store, Deferred(lambda: None, held=True)).build(EVENING, Settings())


def claim(snapshot: Snapshot, key: str) -> Claim:
    return next(one for one in claims(snapshot) if one.id == key)


def with_evidence(snapshot: Snapshot, **parts: Any) -> Snapshot:
    return replace(snapshot, evidence=replace(snapshot.evidence, **parts))


def with_ratio(snapshot: Snapshot, **changes: Any) -> Snapshot:
    assert isinstance(snapshot.ratio, RatioStats)
    peak = Extreme(8.2014, date(2000, 3, 27))
    known: dict[str, Any] = {
        "dotcom_peak": peak,
        "value": 9.511,
        "adf": UnitRoot(-3.4, 0.01, 9000, 12),
        "half_life_days": 300.0,
    }
    return replace(snapshot, ratio=replace(snapshot.ratio, **(known | changes)))


# --- the board as a whole


def test_every_claim_is_on_the_board_once_and_has_its_measure(plain):
    judged = claims(plain)
    assert [one.id for one in judged] == list(MEASURES)
    assert [one.measure for one in judged] == list(MEASURES.values())
    assert sum(counts(judged).values()) == len(judged) == 15


def test_without_evidence_nothing_is_a_verdict_and_every_gap_has_its_reason():
    with Store(None) as store:
        empty = SnapshotBuilder(store, Deferred()).build(EVENING, Settings())
    for one in claims(empty):
        assert one.verdict is UNKNOWN, one.id
        if isinstance(one.value, Unknown):
            assert one.note == one.value.reason
            assert one.words == "n/a"


def test_what_is_still_worked_out_is_no_verdict(plain):
    for key in ("continued", "two_year_explains", "under_owned", "election_october", "fall_less"):
        one = claim(plain, key)
        assert (one.verdict, one.note) == (UNKNOWN, "being computed")


# --- ratio


def total_return(price: float, total: float, on: date = DAY) -> TotalReturn:
    peak = Extreme(4.0, date(2000, 9, 1))
    return TotalReturn(on, date(2000, 5, 26), 6000, price, peak, total, peak, price, peak, 0.7)


@pytest.mark.parametrize(
    ("value", "total", "verdict"),
    [
        (8.2015, total_return(24.0, 12.0), FOR),
        (8.2015, total_return(24.0, 11.9), MIXED),
        (8.2015, total_return(24.0, -3.0), MIXED),
        (8.2015, NONE, MIXED),
        (8.2014, total_return(24.0, 12.0), AGAINST),
        (8.2014, NONE, AGAINST),
    ],
)
def test_stretched_needs_both_prices_and_dividends(plain, value, total, verdict):
    one = claim(with_evidence(with_ratio(plain, value=value), total_return=total), "stretched")
    assert one.verdict is verdict
    assert one.value == value
    assert re.search(r"n [\d,]+$", one.words)


def test_stretched_says_how_much_dividends_explain_and_to_which_day(plain):
    old = total_return(24.0, 5.5, date(2024, 3, 27))
    note = claim(with_evidence(with_ratio(plain), total_return=old), "stretched").note
    assert "to 2024-03-27) it stands +5.5 % beyond its peak: dividends explain 77% of the excess" in note


def test_stretched_without_a_peak_is_unknown(plain):
    assert claim(with_ratio(plain, dotcom_peak=NONE), "stretched").verdict is UNKNOWN


@pytest.mark.parametrize(
    ("p", "half_life", "verdict"),
    [
        (0.05, 504.0, FOR),
        (0.051, 504.0, MIXED),
        (0.05, 504.1, MIXED),
        (0.05, NONE, MIXED),
        (0.051, 504.1, AGAINST),
        (0.938, NONE, AGAINST),
    ],
)
def test_mean_reversion_needs_the_test_and_a_half_life_within_two_years(plain, p, half_life, verdict):
    one = claim(with_ratio(plain, adf=UnitRoot(-2, p, 9000, 12), half_life_days=half_life), "mean_reversion")
    assert (one.verdict, one.value) == (verdict, p)
    assert one.words.endswith("n 9,000")
    assert ("does not reject" in one.note) is (p > 0.05)


def test_mean_reversion_without_the_test_is_unknown(plain):
    one = claim(with_ratio(plain, adf=NONE), "mean_reversion")
    assert (one.verdict, one.note) == (UNKNOWN, NONE.reason)


# --- divergence


@pytest.mark.parametrize(
    ("rank", "verdict"), [(1, FOR), (100, FOR), (101, MIXED), (500, MIXED), (501, AGAINST), (10_000, AGAINST)]
)
def test_rare_is_the_largest_percent(plain, rank, verdict):
    stats = plain.divergence
    assert isinstance(stats, DivergenceStats)
    shown = replace(plain, divergence=replace(stats, rank=Rank(rank, 10_000), spread_pp=5.816))
    one = claim(shown, "divergence_rare")
    assert (one.verdict, one.value, one.words) == (verdict, 5.816, f"rank {rank:,} of 10,000 days")
    assert ("largest day" in one.note) is (rank == 1)


def test_a_spread_without_a_rank_or_without_a_value_is_unknown(plain):
    stats = plain.divergence
    for changes in ({"rank": NONE}, {"rank": Rank(2, 9280), "spread_pp": NONE}):
        shown = replace(plain, divergence=replace(stats, **changes))
        assert claim(shown, "divergence_rare").verdict is UNKNOWN


def study(mean: float, interval: Any, p: Any, horizon: int = 20) -> EventStudy:
    summary = Summary(horizon, 35, 0, 0, mean, mean, 0.43)
    outcome = Outcome(summary, interval, 1, -0.02, 9000, p, 10_000)
    return EventStudy(date(1988, 9, 9), DAY, 9000, (DAY,), (outcome,), (), NONE, ())


@pytest.mark.parametrize(
    ("interval", "p", "verdict"),
    [
        ((0.01, 2.0), 0.05, FOR),
        ((0.0, 2.0), 0.05, MIXED),
        ((0.01, 2.0), 0.051, MIXED),
        ((-2.0, -0.01), 0.05, AGAINST),
        ((-2.0, 0.0), 0.05, MIXED),
        ((-2.0, -0.01), 0.051, MIXED),
        (NONE, 0.01, UNKNOWN),
        ((0.01, 2.0), NONE, UNKNOWN),
    ],
)
def test_continued_needs_interval_and_placebo(plain, interval, p, verdict):
    one = claim(with_evidence(plain, events=study(0.9, interval, p)), "continued")
    assert one.verdict is verdict
    assert one.words.endswith("n 35") or verdict is UNKNOWN


def test_continued_is_told_of_twenty_days_only(plain):
    assert (
        claim(with_evidence(plain, events=study(0.9, (0.1, 2.0), 0.01, horizon=5)), "continued").verdict is UNKNOWN
    )


# --- correlation and regime


def correlation(realised: Any, implied: Any, on: date = DAY, implied_on: date | None = DAY) -> CorrelationStats:
    made = dict.fromkeys((one.name for one in fields(CorrelationStats)), NONE)
    made |= {"date": on, "mean_pairwise": {21: 0.05, 63: 0.1}, "n_stocks": 83, "percentile_1y": realised}
    made |= {"implied_cor1m": 3.87, "implied_percentile": implied, "implied_date": implied_on, "notes": ()}
    return CorrelationStats(**made)


def with_correlation(snapshot: Snapshot, found: Any) -> Snapshot:
    return replace(snapshot, history=replace(snapshot.history, correlation=found))


@pytest.mark.parametrize(
    ("realised", "implied", "verdict"),
    [
        (0.25, 0.25, FOR),
        (0.251, 0.0, MIXED),
        (0.0, 0.251, MIXED),
        (0.0, 0.749, MIXED),
        (0.0, 0.75, AGAINST),
        (0.75, 0.0, AGAINST),
        (0.0, NONE, UNKNOWN),
        (0.5, NONE, UNKNOWN),
        (0.75, NONE, AGAINST),
        (NONE, 0.0, UNKNOWN),
        (NONE, NONE, UNKNOWN),
    ],
)
def test_low_correlations_are_both_in_their_lowest_quarter(plain, realised, implied, verdict):
    one = claim(with_correlation(plain, correlation(realised, implied)), "correlations_low")
    assert one.verdict is verdict
    assert one.words.startswith("0.05, n 83")
    assert bool(one.note) is (NONE in (realised, implied))


@pytest.mark.parametrize(
    ("on", "implied_on", "verdict", "note"),
    [
        (DAY, DAY, FOR, ""),
        (DAY - A_DAY, DAY, FOR, "the universe ends on 2024-07-10"),
        (DAY, DAY - 7 * A_DAY, FOR, "COR1M ends on 2024-07-04"),
        (DAY, DAY - 8 * A_DAY, UNKNOWN, "COR1M ends on 2024-07-03"),
        (
            DAY - 8 * A_DAY,
            DAY,
            UNKNOWN,
            "its data end on 2024-07-03: too old for a verdict. the universe ends on 2024-07-03",
        ),
    ],
)
def test_old_correlations_say_nothing_of_today(plain, on, implied_on, verdict, note):
    one = claim(with_correlation(plain, correlation(0.1, 0.1, on, implied_on)), "correlations_low")
    assert (one.verdict, one.note) == (verdict, note)


def regime(state: State, vix: Any = 12.92, flags: tuple[Any, ...] = (False,) * 4) -> RegimeStats:
    readings = Readings(**(dict.fromkeys((one.name for one in fields(Readings)), NONE) | {"vix": vix}))
    made = dict.fromkeys((one.name for one in fields(RegimeStats)), NONE)
    made |= {"date": DAY, "state": state, "why": "", "flags": Flags(*flags), "readings": readings}
    return RegimeStats(**made)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (State.ORDERLY, FOR),
        (State.VIOLENT_ROTATION, MIXED),
        (State.RISK_OFF, AGAINST),
        (State.DE_GROSSING, AGAINST),
        (State.UNKNOWN, UNKNOWN),
    ],
)
def test_orderly_follows_the_regime(plain, state, verdict):
    shown = replace(plain, history=replace(plain.history, regime=regime(state, flags=(False, NONE, False, False))))
    one = claim(shown, "orderly")
    assert (one.verdict, one.value) == (verdict, 12.92)
    assert one.words.endswith("VIX 12.92, 3 of 4 votes known")


def test_orderly_without_its_number_is_unknown(plain):
    shown = replace(plain, history=replace(plain.history, regime=regime(State.ORDERLY, vix=NONE)))
    assert claim(shown, "orderly").verdict is UNKNOWN


# --- rates


LIKELY_CUT = (StepOdds(-25, 0.9), StepOdds(0, 0.1))


def path(*cumulative_bp: Any, steps: Any = LIKELY_CUT) -> FedPath:
    meetings = tuple(
        MeetingOdds(DAY + (20 + 45 * number) * A_DAY, 5.33, 5.33, bp, bp, steps, NONE, NONE, NONE)
        for number, bp in enumerate(cumulative_bp)
    )
    return FedPath(DAY, NONE, 5.25, 5.5, 5.33, meetings, 13, date(2025, 12, 10))


def with_path(snapshot: Snapshot, found: Any, strip: Any = None) -> Snapshot:
    strip = strip or Strip({DAY.replace(day=1): 94.67}, DAY, DAY)
    return with_evidence(snapshot, rates=Rates(NONE, NONE, found, strip))


@pytest.mark.parametrize(
    ("bp", "verdict"), [(-60.0, FOR), (-5.0, FOR), (-4.9, MIXED), (4.9, MIXED), (5.0, AGAINST), (30.0, AGAINST)]
)
def test_cuts_and_hikes_count_from_five_basis_points_within_three_meetings(plain, bp, verdict):
    one = claim(with_path(plain, path(0.0, 0.0, bp, -bp)), "cuts_priced")
    assert (one.verdict, one.value) == (verdict, bp)
    assert f"{bp:+.0f} bp by 29 Oct 2024 · cut on 31 Jul 90%, n 13 contracts" in one.words


def test_the_last_meeting_that_is_priced_counts(plain):
    one = claim(with_path(plain, path(-3.0, -8.0, NONE)), "cuts_priced")
    assert (one.verdict, one.value) == (FOR, -8.0)
    assert "by 14 Sep 2024" in one.words
    assert claim(with_path(plain, path(NONE, NONE, NONE, steps=NONE)), "cuts_priced").verdict is UNKNOWN


def test_the_date_of_a_path_is_that_of_its_prices(plain):
    strip = Strip({DAY.replace(day=1): 94.67}, DAY - 3 * A_DAY, DAY - A_DAY)
    one = claim(with_path(plain, path(-8.0), strip), "cuts_priced")
    assert (one.as_of, one.note) == (DAY - A_DAY, "the oldest of its prices is of 2024-07-08")


def test_no_prices_no_path(plain):
    assert claim(with_path(plain, NONE, NONE), "cuts_priced").verdict is UNKNOWN


def two_year(beta: Any, se: Any, share: Any) -> TwoYear:
    made = dict.fromkeys((one.name for one in fields(TwoYear)), NONE)
    attribution = Attribution(46.0, 22.0, 70.0, share, 0.04, 0.12)
    made |= {"date": DAY, "slope": Slope(beta, se, 0.06, 252), "attribution": attribution, "years": ()}
    return TwoYear(**made)


@pytest.mark.parametrize(
    ("beta", "share", "verdict"),
    [
        (-1.97, 0.25, FOR),
        (-1.97, 0.249, MIXED),
        (-1.97, -0.5, MIXED),
        (-1.95, 0.25, AGAINST),
        (-1.95, 0.9, AGAINST),
        (NONE, 0.25, UNKNOWN),
        (-1.97, NONE, UNKNOWN),
    ],
)
def test_rates_explain_with_a_clear_slope_and_a_quarter_of_the_day(plain, beta, share, verdict):
    shown = with_evidence(plain, rates=Rates(two_year(beta, 1.0, share), NONE, NONE, NONE))
    one = claim(shown, "two_year_explains")
    assert one.verdict is verdict
    if verdict is not UNKNOWN:
        assert one.value == pytest.approx(100 * share)
        assert one.words.endswith("n 252")
        assert "sign is unstable" in one.note


# --- positions


def positioning(score: Any, due: datetime) -> Positioning:
    one = ContractPositions("1", DAY, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 156, DAY, ())
    latest = PairPositions(DAY - 2 * A_DAY, EVENING, one, one, score, 0.0, ("a note",))
    return Positioning(latest, NONE, NONE, due)


@pytest.mark.parametrize(
    ("score", "verdict"), [(1.0, FOR), (0.99, MIXED), (-0.99, MIXED), (-1.0, AGAINST), (NONE, UNKNOWN)]
)
def test_under_owned_is_one_sigma_of_the_pair(plain, score, verdict):
    due = EVENING + A_DAY
    one = claim(with_evidence(plain, positioning=positioning(score, due)), "under_owned")
    assert (one.verdict, one.as_of, one.next_update) == (verdict, DAY - 2 * A_DAY, due)
    assert one.words.endswith("n 156") or verdict is UNKNOWN
    assert "a note" in one.note


def test_a_report_that_did_not_come_is_awaited_next_friday(plain):
    one = claim(with_evidence(plain, positioning=positioning(1.0, EVENING)), "under_owned")
    assert one.next_update == datetime(2024, 7, 12, 19, 30, tzinfo=UTC)


# --- seasons, declines, and what is no test


def season(difference: Any, p: Any, p_max: Any) -> Seasonality:
    made = dict.fromkeys((one.name for one in fields(Seasonality)), NONE)
    contrast = Contrast(9, 27, 8, 10, 0.1, 0.0, difference, NONE, p, NONE, NONE, p_max)
    made |= {"until": DAY, "jul_aug": contrast, "oct": contrast}
    return Seasonality(**made)


@pytest.mark.parametrize(
    ("difference", "p", "p_max", "verdict"),
    [
        (0.1, 0.05, 0.05, FOR),
        (0.1, 0.05, 0.051, MIXED),
        (0.1, 0.05, NONE, MIXED),
        (0.1, 0.051, 0.05, AGAINST),
        (0.0, 0.01, 0.01, AGAINST),
        (-0.1, 0.01, 0.01, AGAINST),
        (0.1, NONE, 0.01, UNKNOWN),
        (NONE, 0.01, 0.01, UNKNOWN),
    ],
)
@pytest.mark.parametrize("key", ["election_july_august", "election_october"])
def test_seasons_must_stand_out_among_twelve_months(plain, key, difference, p, p_max, verdict):
    one = claim(with_evidence(plain, seasonality=season(difference, p, p_max)), key)
    assert one.verdict is verdict
    if verdict is not UNKNOWN:
        assert one.value == pytest.approx(100 * difference)
        assert one.words == f"8 of 9 against 10 of 27, p {p:.2f}"


def declines(holds: int, n: int) -> Declines:
    rows = tuple(
        DrawdownMove(DAY, DAY, "S&P 500", -20.0, -20.0, -20.0 - up, up)
        for up in [5.0] * holds + [-5.0] * (n - holds)
    )
    table = DrawdownTable(rows, "S&P 500", ())
    return Declines(table, DownCapture(0.65, 0.01, 4000), (), (), DAY, DAY, ())


@pytest.mark.parametrize(
    ("holds", "n", "verdict"),
    [
        (13, 20, FOR),
        (12, 20, MIXED),
        (8, 20, MIXED),
        (7, 20, AGAINST),
        (5, 5, FOR),
        (4, 4, UNKNOWN),
        (0, 4, UNKNOWN),
        (8, 14, MIXED),
    ],
)
def test_small_caps_fall_less_in_two_of_three_of_five_or_more(plain, holds, n, verdict):
    one = claim(with_evidence(plain, declines=declines(holds, n)), "fall_less")
    assert one.verdict is verdict
    assert one.words.startswith(f"{holds} of {n} declines") or verdict is UNKNOWN
    assert "flatter" in one.note or verdict is UNKNOWN


def test_arithmetic_and_what_has_no_source_are_no_verdicts(plain):
    flow = claim(plain, "flow_asymmetry")
    assert flow.verdict is UNKNOWN
    assert flow.value == pytest.approx(100 / 3)
    assert "no test" in flow.note
    assert "about one percent" in flow.note
    for key in ("mega_cap_contribution", "valuation_gap"):
        assert claim(plain, key).verdict is UNKNOWN


# --- how old the data may be


@pytest.mark.parametrize(
    ("key", "days"),
    [("stretched", 7), ("cuts_priced", 7), ("under_owned", 21), ("continued", 92), ("fall_less", 92)],
)
def test_old_data_are_no_verdict_and_say_so(plain, key, days):
    full = with_evidence(
        with_path(with_ratio(plain), path(-8.0)),
        total_return=total_return(24.0, 20.0),
        positioning=positioning(1.0, EVENING),
        events=study(0.9, (0.01, 2.0), 0.05),
        declines=declines(13, 20),
    )
    ends = claim(full, key).as_of
    assert ends is not None
    evening = datetime(ends.year, ends.month, ends.day, 22, 0, tzinfo=UTC)
    for age, verdict in ((days, FOR), (days + 1, UNKNOWN)):
        one = claim(replace(full, moment=evening + age * A_DAY), key)
        assert one.verdict is verdict, age
        assert ("too old for a verdict" in one.note) is (verdict is UNKNOWN)


# --- the level at which a claim is given up


@pytest.mark.parametrize(
    ("side", "level", "killed"),
    [
        (Side.ABOVE, 9.0, True),
        (Side.ABOVE, 9.511, False),
        (Side.BELOW, 9.511, False),
        (Side.BELOW, 10.0, True),
        (Side.ABOVE, None, False),
    ],
)
def test_a_claim_is_given_up_beyond_its_level_and_not_at_it(plain, side, level, killed):
    one = replace(claim(with_ratio(plain), "stretched"), measure=Measure("", 3, side))
    assert one.killed(level) is killed
    assert replace(one, value=NONE).killed(level) is False


# --- when it is told again


@pytest.mark.parametrize(
    ("moment", "close"),
    [
        ("2024-07-11T19:59:59Z", "2024-07-11T20:00:00Z"),
        ("2024-07-11T20:00:00Z", "2024-07-12T20:00:00Z"),
        ("2024-07-13T12:00:00Z", "2024-07-15T20:00:00Z"),
        ("2024-07-03T12:00:00Z", "2024-07-03T17:00:00Z"),
    ],
)
def test_closes_are_awaited_at_the_next_close(plain, moment, close):
    at = replace(with_ratio(plain), moment=datetime.fromisoformat(moment))
    assert claim(at, "stretched").next_update == datetime.fromisoformat(close)


def test_a_gap_keeps_its_reason_beside_the_note_of_its_claim():
    found = _claim(
        "stretched",
        "Stretched past 2000 peak",
        FOR,
        Unknown("no close of ^RUT"),
        "",
        as_of=DAY,
        source="closes",
        next_update=None,
        note="dividends explain half",
    )
    assert (found.verdict, found.words, found.note) == (UNKNOWN, "n/a", "no close of ^RUT. dividends explain half")
