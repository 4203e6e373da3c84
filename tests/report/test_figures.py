"""The shape of the JSON: its names, what null is, what strict readers accept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from desktop.analytics.divergence import Rank
from desktop.analytics.ratio import HalfLifeInterval, UnitRoot
from desktop.analytics.regime import Flags
from desktop.market.known import Unknown
from desktop.report import as_json, snapshot_for
from desktop.report.cautions import cautions
from desktop.snapshot import Snapshot
from desktop.sources.contract import Failure, FailureKind
from desktop.sources.feed import FeedState, SourceState
from desktop.version import VERSION

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
    "event_study": LEAF,
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
    "rates": LEAF,
    "flow": LEAF,
    "positioning": LEAF,
    "seasonality": LEAF,
    "drawdowns": LEAF,
    "down_capture": LEAF,
    "conditional": LEAF,
    "thesis": LEAF,
    "feed": [{"source": LEAF, "state": LEAF, "age_s": LEAF, "declared_delay_s": LEAF, "last_error": LEAF}],
}
LATER = (
    "event_study",
    "rates",
    "flow",
    "positioning",
    "seasonality",
    "drawdowns",
    "down_capture",
    "conditional",
    "thesis",
)


def shape(found: object, like: object) -> object:
    """The names of `found` without notes, opened as deep as `like` is."""
    if isinstance(found, dict) and isinstance(like, dict):
        names = {name: inner for name, inner in found.items() if not name.endswith("_note")}
        return {name: shape(inner, like.get(name)) for name, inner in names.items()}
    if isinstance(found, list) and isinstance(like, list):
        return [shape(inner, like[0]) for inner in found]
    return LEAF


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


def test_the_names_are_those_of_the_specification(document):
    assert shape(document, TREE) == TREE
    assert list(document) == [name for key in TREE for name in (key, f"{key}_note") if name in document]


def test_the_head_says_what_the_document_is(document):
    assert (document["schema"], document["version"], document["mode"]) == (1, VERSION, "demo")
    assert document["as_of"] == "2024-07-11T20:00:00Z"


def test_every_null_has_its_reason_beside_it_and_every_note_its_figure(document, empty):
    for whole in (document, empty):
        for where, section in sections(whole):
            for name, value in section.items():
                if value is None:
                    assert section[f"{name}_note"], f"{where}.{name}"
                if name.endswith("_note"):
                    assert isinstance(value, str), f"{where}.{name}"
                    assert name.removesuffix("_note") in section, f"{where}.{name}"


def test_what_this_version_does_not_compute_is_null_and_says_so(document):
    for name in LATER:
        assert document[name] is None
        assert "not computed in this version" in document[f"{name}_note"]


def test_shares_lie_between_0_and_1_and_counts_are_whole(document):
    assert 0 <= document["ratio"]["percentile"] <= 1
    assert 0 <= document["ratio"]["adf"]["p"] <= 1
    for name in ("percentile_1y", "implied_percentile"):
        assert 0 <= document["correlation"][name] <= 1
    counts = (document["ratio"]["n_days"], document["divergence"]["rank"], document["correlation"]["n_stocks"])
    assert all(type(one) is int for one in counts)


def test_dates_and_times_can_be_read_back(document):
    assert datetime.fromisoformat(document["as_of"]).tzinfo is not None
    assert date.fromisoformat(document["ratio"]["dotcom_peak"]["date"]) == date(2000, 3, 27)
    assert date.fromisoformat(document["divergence"]["since"]) == date(1987, 9, 11)


def test_an_empty_store_makes_a_document_of_nulls_with_reasons(empty):
    assert empty["mode"] == "live"
    for name in ("ratio", "divergence", "correlation"):
        assert empty[name] is None
    assert empty["ratio_note"].startswith("no day on which both RUT and NDX have a close")
    assert empty["regime"]["state"] == "unknown"
    assert set(TREE["regime"]["flags"]) <= set(empty["regime"]["flags"])
    assert empty["regime"]["flags"]["volatility"] is None
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


# --- where the evidence speaks against the idea


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
