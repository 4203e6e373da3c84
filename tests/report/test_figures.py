"""The shape of the JSON: its names, what null is, what strict readers accept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from desktop.analytics.divergence import Rank
from desktop.analytics.ratio import HalfLifeInterval, UnitRoot
from desktop.analytics.regime import Flags
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.report import as_json, snapshot_for
from desktop.report.cautions import cautions
from desktop.report.made import stored_sources
from desktop.settings import Settings
from desktop.snapshot import Snapshot, SnapshotBuilder
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.feed import FeedState, SourceState
from desktop.thesis import MEASURES
from desktop.version import VERSION
from tests.report.known_store import filled

LEAF = None
DAYS = [{"date": LEAF, "spread_pp": LEAF}]
TREE: dict[str, Any] = {
    "schema": LEAF,
    "version": LEAF,
    "mode": LEAF,
    "as_of": LEAF,
    "ratio": {
        "date": LEAF,
        "value": LEAF,
        "ndx": LEAF,
        "rut": LEAF,
        "change_pct": LEAF,
        "z": {"63": LEAF, "252": LEAF, "756": LEAF, "1260": LEAF},
        "percentile": LEAF,
        "n_days": LEAF,
        "dotcom_peak": {"value": LEAF, "date": LEAF},
        "record": {"value": LEAF, "date": LEAF},
        "drawdown_pct": LEAF,
        "sma50": LEAF,
        "sma200": LEAF,
        "vs_sma200_pct": LEAF,
        "phi": LEAF,
        "half_life_days": LEAF,
        "adf": {"stat": LEAF, "p": LEAF},
    },
    "divergence": {
        "date": LEAF,
        "spread_pp": LEAF,
        "rut_pct": LEAF,
        "ndx_pct": LEAF,
        "reference": LEAF,
        "driver": LEAF,
        "leg_age_s": {"rut": LEAF, "ndx": LEAF},
        "rank": LEAF,
        "rank_abs": LEAF,
        "n_days": LEAF,
        "since": LEAF,
        "z60": LEAF,
        "z252": LEAF,
        "from_open_pp": LEAF,
        "five_day_pp": LEAF,
        "largest": DAYS * 20,
        "smallest": DAYS * 20,
    },
    "event_study": [
        {
            "horizon_days": LEAF,
            "n": LEAF,
            "mean_pct": LEAF,
            "median_pct": LEAF,
            "hit": LEAF,
            "ci95_pct": [LEAF, LEAF],
            "unconditional_mean_pct": LEAF,
            "placebo_p": LEAF,
        }
    ]
    * 4,
    "correlation": {
        "mean_pairwise": {"21": LEAF, "63": LEAF},
        "n_stocks": LEAF,
        "percentile_1y": LEAF,
        "change_5d": LEAF,
        "implied_cor1m": LEAF,
        "implied_percentile": LEAF,
        "dispersion": LEAF,
    },
    "regime": {
        "state": LEAF,
        "flags": {"correlation": LEAF, "volatility": LEAF, "both_legs_down": LEAF, "momentum_unwind": LEAF},
        "would_flip": LEAF,
    },
    "rates": {
        "two_year_pct": LEAF,
        "two_year_change_bp": LEAF,
        "beta": LEAF,
        "beta_se": LEAF,
        "r2": LEAF,
        "n": LEAF,
        "attribution_bp": LEAF,
        "attribution_share": LEAF,
        "fed_path": [
            {
                "meeting": LEAF,
                "expected_rate_pct": LEAF,
                "probabilities": [{"low_pct": LEAF, "high_pct": LEAF, "p": LEAF}],
            }
        ],
    },
    "flow": {
        "cap_usd": LEAF,
        "median_company_usd": LEAF,
        "index_cap_usd": LEAF,
        "share": LEAF,
        "daily_vol_pct": LEAF,
        "turnover_usd": LEAF,
        "impact_y": LEAF,
        "flow_usd": LEAF,
        "median_companies": LEAF,
        "index_share": LEAF,
        "impact_pct": LEAF,
    },
    "positioning": {
        "report_date": LEAF,
        "known_at": LEAF,
        "nq": {"asset_manager_net": LEAF, "leveraged_net": LEAF, "open_interest": LEAF, "leveraged_z": LEAF},
        "rty": {"asset_manager_net": LEAF, "leveraged_net": LEAF, "open_interest": LEAF, "leveraged_z": LEAF},
        "pair_score": LEAF,
    },
    "seasonality": {
        "election_years": [{"year": LEAF, "jul_aug_over_jun": LEAF, "oct_over_sep": LEAF}],
        "jul_aug_up": LEAF,
        "oct_up": LEAF,
        "n_election": LEAF,
        "n_other": LEAF,
        "p_jul_aug": LEAF,
        "p_oct": LEAF,
    },
    "drawdowns": [{"start": LEAF, "end": LEAF, "rut_pct": LEAF, "ndx_pct": LEAF, "spread_pp": LEAF}],
    "down_capture": LEAF,
    "conditional": [{"condition": LEAF, "n": LEAF, "mean_pp": LEAF, "hit": LEAF}] * 4,
    "thesis": [
        {
            "id": LEAF,
            "claim": LEAF,
            "verdict": LEAF,
            "value": LEAF,
            "as_of": LEAF,
            "source": LEAF,
            "next_update": LEAF,
            "kill_level": LEAF,
            "note": LEAF,
        }
    ]
    * 15,
    "feed": [{"source": LEAF, "state": LEAF, "age_s": LEAF, "declared_delay_s": LEAF, "last_error": LEAF}],
}
VARIABLE = ("largest", "smallest", "fed_path", "probabilities", "election_years", "drawdowns", "feed")
"""Lists whose length is that of their evidence."""


def shape(found: object, like: object) -> object:
    """The names of `found` without notes, opened as deep as `like` is."""
    if isinstance(found, dict) and isinstance(like, dict):
        names = {name: inner for name, inner in found.items() if not name.endswith("_note")}
        return {name: shape(inner, like.get(name)) for name, inner in names.items()}
    if isinstance(found, list) and isinstance(like, list):
        return [shape(inner, like[0]) for inner in found]
    return LEAF


def alike(tree: object) -> object:
    """A tree with lists of variable length cut to their first item; each has at least one."""
    if isinstance(tree, dict):
        cut = {name: inner[:1] if name in VARIABLE else inner for name, inner in tree.items()}
        return {name: alike(inner) for name, inner in cut.items()}
    return [alike(inner) for inner in tree] if isinstance(tree, list) else tree


def sections(found: object, where: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every object within, with the path to it."""
    if isinstance(found, dict):
        inner = [one for name, value in found.items() for one in sections(value, f"{where}.{name}")]
        return [(where, found), *inner]
    if isinstance(found, list):
        return [one for number, value in enumerate(found) for one in sections(value, f"{where}[{number}]")]
    return []


def strictly(document: dict[str, Any]) -> dict[str, Any]:
    """As a strict reader of JSON sees it; NaN and infinity are refused on both sides."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = json.dumps(document, allow_nan=False)
    read: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return read


@pytest.fixture(scope="module")
def document(demo: Snapshot) -> dict[str, Any]:
    return strictly(as_json(demo))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return strictly(as_json(snapshot_for(tmp_path_factory.mktemp("empty"))))


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    """A document with a figure behind every name."""
    as_of = datetime(2024, 7, 13, 16, 0, tzinfo=UTC)
    with filled(as_of) as store:
        feed = stored_sources(store, as_of)
        return strictly(as_json(SnapshotBuilder(store, Deferred()).build(as_of, Settings(), feed=feed)))


def test_the_names_are_those_of_the_specification(full):
    assert alike(shape(full, TREE)) == alike(TREE)
    assert list(full) == [name for key in TREE for name in (key, f"{key}_note") if name in full]
    assert [len(full["divergence"][name]) for name in ("largest", "smallest")] == [20, 20]


def test_the_names_are_the_same_where_evidence_is_missing(document):
    assert {name for name in document if not name.endswith("_note")} == set(TREE)
    for name in ("rates", "flow"):
        assert set(shape(document[name], TREE[name])) == set(TREE[name])  # type: ignore[call-overload]
    assert document["positioning"] is None
    assert "CFTC" in document["positioning_note"]


def test_the_head_says_what_the_document_is(document):
    assert (document["schema"], document["version"], document["mode"]) == (1, VERSION, "demo")
    assert document["as_of"] == "2024-07-11T20:00:00Z"


def test_every_null_has_its_reason_beside_it_and_every_note_its_figure(document, empty, full):
    for whole in (document, empty, full):
        for where, section in sections(whole):
            for name, value in section.items():
                if value is None:
                    assert section[f"{name}_note"], f"{where}.{name}"
                if name.endswith("_note"):
                    assert isinstance(value, str), f"{where}.{name}"
                    assert name.removesuffix("_note") in section, f"{where}.{name}"


def test_shares_lie_between_0_and_1_and_counts_are_whole(document, full):
    assert 0 <= document["ratio"]["percentile"] <= 1
    assert 0 <= document["ratio"]["adf"]["p"] <= 1
    for name in ("percentile_1y", "implied_percentile"):
        assert 0 <= document["correlation"][name] <= 1
    for odds in (one["probabilities"] for one in full["rates"]["fed_path"]):
        assert sum(each["p"] for each in odds) == pytest.approx(1)
        assert all(0 <= each["p"] <= 1 and each["high_pct"] - each["low_pct"] == 0.25 for each in odds)
    shares = [one[name] for one in full["event_study"] for name in ("hit", "placebo_p")]
    shares += [one["hit"] for one in full["conditional"]] + [full["flow"]["index_share"], full["rates"]["r2"]]
    shares += [full["seasonality"][name] for name in ("p_jul_aug", "p_oct")]
    assert all(0 <= one <= 1 for one in shares)
    assert all(type(full["positioning"]["nq"][name]) is int for name in ("leveraged_net", "open_interest"))
    counts = (document["ratio"]["n_days"], document["divergence"]["rank"], document["correlation"]["n_stocks"])
    assert all(type(one) is int for one in counts)


def test_dates_and_times_can_be_read_back(document, full):
    assert datetime.fromisoformat(document["as_of"]).tzinfo is not None
    assert date.fromisoformat(document["ratio"]["dotcom_peak"]["date"]) == date(2000, 3, 27)
    assert date.fromisoformat(document["divergence"]["since"]) == date(1987, 9, 11)
    assert full["positioning"]["known_at"] == "2024-07-12T19:30:00Z"
    assert full["rates"]["fed_path"][0]["meeting"] == "2024-07-31"
    updates = {one["id"]: one["next_update"] for one in full["thesis"]}
    assert updates["under_owned"] == "2024-07-19T19:30:00Z"
    assert updates["two_year_explains"] == "2024-07-15T22:00:00Z"
    assert updates["flow_asymmetry"] is None


def test_an_empty_store_makes_a_document_of_nulls_with_reasons(empty):
    assert empty["mode"] == "live"
    for name in ("ratio", "divergence", "correlation"):
        assert empty[name] is None
    assert empty["ratio_note"].startswith("no day on which both RUT and NDX have a close")
    assert empty["regime"]["state"] == "unknown"
    assert set(TREE["regime"]["flags"]) <= set(empty["regime"]["flags"])
    assert empty["regime"]["flags"]["volatility"] is None
    for name in ("event_study", "positioning", "seasonality", "drawdowns", "down_capture", "conditional"):
        assert empty[name] is None
    assert {one["verdict"] for one in empty["thesis"]} == {"unknown"}
    assert empty["flow"]["index_share"] == pytest.approx(0.011538, rel=1e-4)
    assert empty["feed"] == []
    assert {name for name in empty if not name.endswith("_note")} == set(TREE)


def test_an_unknown_flag_is_null_and_a_known_one_a_truth_value(demo):
    regime = demo.regime
    assert not isinstance(regime, Unknown)
    flags = Flags(True, False, Unknown("no closes"), Unknown("too young"))
    history = replace(demo.history, regime=replace(regime, flags=flags))
    found = as_json(replace(demo, history=history))["regime"]
    assert isinstance(found, dict)
    assert found["flags"] == {
        "correlation": True,
        "volatility": False,
        "both_legs_down": None,
        "both_legs_down_note": "no closes",
        "momentum_unwind": None,
        "momentum_unwind_note": "too young",
    }


def test_a_source_tells_its_last_error_with_the_cure(demo):
    at = datetime(2024, 7, 11, 19, 0, tzinfo=UTC)
    failure = Failure(FailureKind.TIMEOUT, "Yahoo", "^RUT", "no answer within 45 s", at)
    state = SourceState("Yahoo", FeedState.UNAVAILABLE, Unknown("no quote"), 900.0, None, failure, None, "down")
    assert as_json(replace(demo, feed=(state,)))["feed"] == [
        {
            "source": "Yahoo",
            "state": "unavailable",
            "state_note": "down",
            "age_s": None,
            "age_s_note": "no quote",
            "declared_delay_s": 900.0,
            "last_error": "no answer within 45 s (timeout); the host was too slow; it is asked again",
        }
    ]


# --- the claims


def test_each_claim_tells_its_words_its_note_and_where_it_would_be_given_up(demo):
    levels = {"stretched": 9.0, "divergence_rare": 1.0, "orderly": None}
    found: Any = strictly(as_json(demo, kill_levels=levels))["thesis"]
    judged = {one["id"]: one for one in found}
    assert list(judged) == list(MEASURES)
    stretched, rare = judged["stretched"], judged["divergence_rare"]
    assert (stretched["kill_level"], stretched["kill_level_note"]) == (
        9.0,
        "given up: the value lies beyond it",
    )
    assert (rare["kill_level"], rare["verdict"]) == (1.0, "for")
    assert "kill_level_note" not in rare
    assert rare["value_note"] == "rank 2 of 9,280 days"
    assert (judged["orderly"]["kill_level"], judged["orderly"]["kill_level_note"]) == (None, "no level is set")
    for one in found:
        assert isinstance(one["note"], str)
        assert one["verdict"] == "unknown" or re.search(r"\bn [\d,]+|\d of [\d,]+", one["value_note"]), one


def test_a_part_that_is_still_worked_out_is_null_and_says_so(demo):
    waiting = Unknown("being computed")
    parts = dict.fromkeys(("events", "rates", "positioning", "seasonality", "declines"), waiting)
    found = strictly(as_json(replace(demo, evidence=replace(demo.evidence, **parts))))
    for name in ("event_study", "rates", "positioning", "seasonality", "drawdowns", "down_capture", "conditional"):
        assert (found[name], found[f"{name}_note"]) == (None, "being computed")


def test_meetings_without_a_price_after_the_last_priced_one_are_counted_and_not_listed(full):
    listed = [one["meeting"] for one in full["rates"]["fed_path"]]
    assert listed == sorted(listed)
    assert full["rates"]["fed_path"][-1]["expected_rate_pct"] is not None
    assert re.search(r"\d+ later meetings are not priced", full["rates"]["fed_path_note"])
    assert "the decision day counts at the old rate; at the new rate up to" in full["rates"]["fed_path_note"]


# --- where the evidence speaks against the idea


def test_the_answer_of_the_event_study_is_told_to_move_with_the_rule(full):
    for words in ("the answer moves with the rule", "log returns instead", "a gap of exactly 20 days allowed: n "):
        assert words in full["event_study_note"]


def test_a_figure_that_flatters_says_so(full):
    flatters = {one["condition"]: one.get("condition_note", "") for one in full["conditional"]}
    assert "flatters" in flatters["NDX < -2 %"]
    assert "flatters" in flatters["both legs down"]
    assert flatters["SPX < -2 %"] == flatters["VIX >= 30"] == ""
    assert "beta of the pair on NDX, all days: " in full["conditional_note"]


def ratio_of(demo: Snapshot, **changes: Any) -> dict[str, Any]:
    assert not isinstance(demo.ratio, Unknown)
    changed = replace(demo, ratio=replace(demo.ratio, **changes))
    found = strictly(as_json(changed))["ratio"]
    assert isinstance(found, dict)
    return found


def test_a_half_life_above_two_years_is_called_not_mean_reverting(demo):
    assert ratio_of(demo, half_life_days=505.0)["half_life_days_note"].startswith(
        "not mean-reverting: half-life 505"
    )
    none = ratio_of(demo, half_life_days=Unknown("phi is 1.01"))
    assert none["half_life_days"] is None
    assert none["half_life_days_note"].startswith("not mean-reverting: no half-life, phi is 1.01")


def test_a_half_life_whose_interval_reaches_past_two_years_is_not_sure(demo):
    for high, sure in ((440.0, True), (969.0, False), (Unknown("none"), False)):
        interval = HalfLifeInterval(0.99, 0.999, 60.0, high, 0.01, 0.95, 2000, 1260)
        found = strictly(as_json(replace(demo, half_life=interval)))["ratio"]
        assert ("half_life_days_note" not in found) is sure


def test_a_unit_root_that_is_not_rejected_is_told(demo):
    assert "no evidence of reversion: ADF p 0.06" in ratio_of(demo, adf=UnitRoot(-2.8, 0.06, 900))["adf_note"]
    assert "adf_note" not in ratio_of(demo, adf=UnitRoot(-3.6, 0.004, 900))
    assert ratio_of(demo, adf=Unknown("being computed"))["adf_note"] == "being computed"


@pytest.mark.parametrize(("rank", "told"), [(1, False), (2, True), (20, True), (21, False)])
def test_only_a_large_day_is_told_that_it_is_not_the_largest(demo, rank, told):
    stats = demo.divergence
    assert not isinstance(stats, Unknown)
    changed = replace(demo, divergence=replace(stats, rank=Rank(rank, 9280)))
    assert ("rank_note" in strictly(as_json(changed))["divergence"]) is told
    assert any("not the largest ever" in line for line in cautions(changed)) is told


def test_z_is_never_shown_without_the_word_stretch(document):
    assert document["ratio"]["z_note"].startswith("Stretch")
    assert "no probability" in document["ratio"]["z_note"]


def test_nothing_of_the_window_is_loaded_for_a_report(tmp_path: Path):
    import subprocess
    import sys

    code = (
        "import sys, pathlib\n"
        "from desktop import report\n"
        f"shown = report.snapshot_for(pathlib.Path({str(tmp_path)!r}))\n"
        "report.as_json(shown), report.as_text(shown), report.as_html(shown)\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'PySide6', 'pyqtgraph', 'pandas', 'yfinance'}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
