"""What a person types as a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.trade.typed import FieldError, parse_number, parse_percent, parse_share


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$2,000,000", 2e6),
        ("2m", 2e6),
        ("2 MM", 2e6),
        ("500k", 5e5),
        ("1.5bn", 1.5e9),
        ("1.0 %", 0.01),
        ("9.95", 9.95),
        ("2 000 000", 2e6),
        ("−5", -5),
        ("-$5,000", -5000),
        ("1e6", 1e6),
        (".22", 0.22),
        ("  8 ", 8),
    ],
)
def test_the_usual_ways_to_write_a_number(text, value):
    assert parse_number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing is typed"),
        ("two", "not a number"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("2x", "no unit"),
        ("1,5", "do not group thousands"),
        ("2.000.000", "do not group thousands"),
        ("20,00,000", "do not group thousands"),
        ("$5 %", "dollars and percent"),
        ("5k%", "dollars and percent"),
        ("1e999", "too large"),
        ("--5", "not a number"),
        ("1_000", "not a number"),
    ],
)
def test_anything_else_is_refused_in_words(text, words):
    with pytest.raises(FieldError, match=words) as told:
        parse_number(text, "capital")
    assert (told.value.field, told.value.text) == ("capital", text)
    assert words in told.value.why


def test_percent_fields_and_shares():
    assert [parse_percent(one) for one in ("1", "1.0 %", "0.5")] == pytest.approx([0.01, 0.01, 0.005])
    assert [parse_share(one) for one in (".22", "22", "22 %", "1", "0.5%")] == pytest.approx(
        [0.22, 0.22, 0.22, 1, 0.005]
    )


@given(st.integers(0, 10**12))
def test_grouping_never_changes_a_number(amount):
    assert parse_number(f"${amount:,}") == parse_number(str(amount)) == amount


@given(st.text(max_size=12))
def test_no_text_breaks_the_parser(text):
    try:
        parse_number(text)
    except FieldError as error:
        assert error.why
