"""What was not known at as-of changes no byte of the report's JSON, whatever it is and however wild."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.analytics import events, ratio, seasonality
from desktop.deferred import Deferred
from desktop.market.sessions import parse_as_of
from desktop.market.store import Store
from desktop.presenters.frame import FramePresenter, View
from desktop.report import as_json
from desktop.report.made import stored_sources
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.thesis import claims
from tests.report.known_store import KINDS, Later, add, filled

MOMENTS = {
    "before a release": "2024-07-11T08:29:30-04:00",
    "after a release": "2024-07-11T08:40:10-04:00",
    "in the session": "2024-07-11T10:31:20-04:00",
    "at the close": "2024-07-11T16:00:00-04:00",
    "before the yields": "2024-07-11T17:59:59-04:00",
    "at night": "2024-07-11",
    "before the positions": "2024-07-12T15:29:59-04:00",
    "on a Saturday": "2024-07-13T12:00:00-04:00",
}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """The answer must not change, however rough it is."""
    for module, name in ((events, "event_study"), (seasonality, "seasonality")):
        monkeypatch.setattr(module, name, partial(getattr(module, name), resamples=200))
    monkeypatch.setattr(ratio, "half_life_interval", partial(ratio.half_life_interval, reps=100))


def document(store: Store, as_of: datetime, reference: str) -> str:
    return json.dumps(as_json(seen(store, as_of, reference)), indent=2, allow_nan=False)


def seen(store: Store, as_of: datetime, reference: str = "prior_close") -> Snapshot:
    chosen = replace(Settings(), reference=reference)
    feed = stored_sources(store, as_of)
    return SnapshotBuilder(store, Deferred()).build(as_of, chosen, mode=Mode.AS_OF, feed=feed)


def panels(store: Store, as_of: datetime) -> dict[str, object]:
    """What every panel of the window shows, and what stands behind every claim, down to the last point."""
    snapshot, presenter = seen(store, as_of), FramePresenter()
    frame = presenter.present(snapshot, View(Settings(), as_of))
    shown = {one.name: told(getattr(frame, one.name)) for one in fields(frame) if one.name != "snapshot"}
    for claim in claims(snapshot):
        of_claim = presenter.present(snapshot, View(Settings(), as_of, claim=claim.id))
        shown[f"evidence of {claim.id}"] = told(of_claim.evidence)
    return shown


def told(one: object) -> object:
    """A panel's state in plain values, so that two of them can be compared and a difference be read."""
    if isinstance(one, np.ndarray):
        return list(map(repr, one.tolist()))  # as text: no number is not equal to itself
    if is_dataclass(one) and not isinstance(one, type):
        return {field.name: told(getattr(one, field.name)) for field in fields(one)}
    if isinstance(one, tuple | list):
        return [told(part) for part in one]
    return repr(one)


@cache
def known_panels(moment: str) -> dict[str, object]:
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        return panels(store, as_of)


@cache
def known_document(moment: str, reference: str) -> str:
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        return document(store, as_of, reference)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_report_that_must_not_change_is_full_of_figures(moment):
    found = json.loads(known_document(moment, "prior_close"))
    assert found["divergence"]["spread_pp"] is not None
    assert found["correlation"]["percentile_1y"] is not None
    assert found["correlation"]["implied_cor1m"] is not None
    assert None not in found["regime"]["flags"].values()
    assert [one["source"] for one in found["feed"]] == ["feed"]
    assert [one["horizon_days"] for one in found["event_study"]] == [1, 5, 20, 60]
    assert None not in (*found["event_study"][0].values(), found["ratio"]["dotcom_peak"])
    assert None not in found["seasonality"].values()
    assert None not in (*found["positioning"]["nq"].values(), *found["positioning"]["rty"].values())
    assert len(found["rates"]["fed_path"]) >= 8
    assert all(one["probabilities"] for one in found["rates"]["fed_path"])
    assert found["rates"]["beta"] is not None
    assert None not in [one["mean_pp"] for one in found["conditional"]]
    assert found["drawdowns"]
    verdicts = {one["id"]: one["verdict"] for one in found["thesis"]}
    assert "with dividends (IWM, QQQ) it stands" in found["thesis"][0]["note"]
    judged = {"stretched", "continued", "cuts_priced", "under_owned", "correlations_low", "election_october"}
    assert "unknown" not in [verdicts[one] for one in judged]
    live = moment in ("after a release", "in the session", "before a release", "before the positions")
    assert (found["divergence"]["leg_age_s"]["rut"] is not None) is live


@pytest.mark.slow
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    moment=st.sampled_from(sorted(MOMENTS)),
    reference=st.sampled_from(["prior_close", "open", "release"]),
    later=st.builds(
        Later,
        seed=st.integers(0, 2**32 - 1),
        wild=st.sampled_from([0.0, 0.01, 2.0]),
        kinds=st.frozensets(st.sampled_from(KINDS), min_size=1),
    ),
)
def test_nothing_from_after_as_of_changes_the_report(moment, reference, later):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        add(store, as_of, later)
        assert document(store, as_of, reference) == known_document(moment, reference)


@pytest.mark.parametrize("moment", MOMENTS)
def test_all_that_came_later_together_changes_nothing(moment):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        add(store, as_of, Later(11, 2.0, frozenset(KINDS)))
        assert document(store, as_of, "prior_close") == known_document(moment, "prior_close")


@pytest.mark.parametrize("moment", MOMENTS)
def test_all_that_came_later_changes_no_panel_and_no_evidence(moment):
    as_of = parse_as_of(MOMENTS[moment])
    known = known_panels(moment)
    with filled(as_of) as store:
        add(store, as_of, Later(11, 2.0, frozenset(KINDS)))
        shown = panels(store, as_of)
    assert shown.keys() == known.keys()
    for panel in known:
        assert shown[panel] == known[panel], panel


def test_the_panels_that_must_not_change_are_full():
    shown = known_panels("in the session")
    assert {"header", "ratio", "divergence", "gauge", "sizer", "thesis", "time"} <= shown.keys()
    assert len([one for one in shown if one.startswith("evidence of ")]) >= 15
    assert len(str(shown["divergence"])) > 1000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["in the session", "before the yields", "before the positions"])
def test_no_single_kind_of_later_data_changes_the_report(moment, kind):
    as_of = parse_as_of(MOMENTS[moment])
    with filled(as_of) as store:
        add(store, as_of, Later(7, 2.0, frozenset({kind})))
        assert document(store, as_of, "prior_close") == known_document(moment, "prior_close")


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in ("bars", "new panel")])
def test_the_same_data_does_change_the_report_of_a_later_moment(kind):
    as_of = parse_as_of(MOMENTS["in the session"])
    with filled(as_of) as store:
        then = parse_as_of("2024-07-12T15:45-04:00")
        before = document(store, then, "prior_close")
        add(store, as_of, Later(7, 2.0, frozenset({kind})))
        assert document(store, then, "prior_close") != before
