"""The flow figures of METHODS 5, and what edits of the inputs do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.analytics import flow as f

POSITIVE = st.floats(1e-3, 1e14)


def test_the_figures_of_the_idea():
    found = f.flow()
    assert found.flow_usd == pytest.approx(30e9)
    assert found.median_companies == pytest.approx(33.3, abs=0.05)
    assert found.index_share == pytest.approx(0.01154, rel=1e-3)
    assert found.turnover_days == pytest.approx(0.6)
    assert found.impact_pct == pytest.approx(0.7436, rel=1e-4)


def test_it_says_plainly_how_small_it_is():
    assert f.flow().plainly == (
        "Against the whole index the flow is about one percent of its value (1.15 %), 0.6 days of its turnover,"
        " a move of 0.74 % by the square-root law."
    )
    assert "about 2 percent" in f.flow(f.FlowInputs(share=f.Figure(0.02))).plainly
    assert "about 0.12 percent" in f.flow(f.FlowInputs(share=f.Figure(0.001))).plainly


def test_every_input_is_dated_and_can_be_edited():
    inputs = f.FlowInputs()
    assert [name for name, _ in inputs.figures()] == [
        "cap_usd",
        "median_company_usd",
        "index_cap_usd",
        "share",
        "daily_vol_pct",
        "turnover_usd",
        "impact_y",
    ]
    assert all(figure.dated <= date(2024, 7, 10) and figure.source for _, figure in inputs.figures())
    edited = replace(inputs, cap_usd=f.Figure(4.1e12, date(2026, 8, 21), "exchange"))
    assert f.flow(edited).flow_usd == pytest.approx(41e9)
    assert f.flow(edited).inputs is edited


def test_inputs_from_the_future_or_long_ago_are_named():
    inputs = replace(f.FlowInputs(), cap_usd=f.Figure(4.1e12, date(2026, 8, 21), "exchange"))
    assert inputs.cautions(date(2026, 8, 21)) == tuple(
        f"{name} is of 2024-06-28, 784 days old" for name, _ in inputs.figures() if name != "cap_usd"
    )
    assert inputs.cautions(date(2024, 7, 10)) == ("cap_usd is of 2026-08-21, after 2024-07-10",)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", [name for name, _ in f.FlowInputs().figures()])
def test_what_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(f.FlowInputError, match=name) as refused:
        replace(f.FlowInputs(), **{name: f.Figure(value)})
    assert refused.value.name == name


def test_more_than_the_whole_company_is_refused():
    with pytest.raises(f.FlowInputError, match="at most 1"):
        f.FlowInputs(share=f.Figure(1.5))


@given(cap=POSITIVE, share=st.floats(1e-6, 0.2), k=st.floats(1.0, 4.0))
def test_figures_scale_as_the_formulas_say(cap, share, k):
    inputs = f.FlowInputs(cap_usd=f.Figure(cap), share=f.Figure(share))
    one = f.flow(inputs)
    more = f.flow(replace(inputs, share=f.Figure(share * k)))
    assert more.median_companies == pytest.approx(k * one.median_companies)
    assert more.index_share == pytest.approx(k * one.index_share)
    assert more.impact_pct == pytest.approx(k**0.5 * one.impact_pct)
    currency = replace(
        inputs,
        **{name: f.Figure(k * figure.value) for name, figure in inputs.figures() if name.endswith("_usd")},
    )
    assert f.flow(currency).impact_pct == pytest.approx(one.impact_pct)
    assert f.flow(currency).index_share == pytest.approx(one.index_share)
