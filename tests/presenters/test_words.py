"""Numbers in words: signs, units, dates, ages."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.market.known import Unknown
from desktop.presenters import words
from widgets.states import Text, Tone


@pytest.mark.parametrize(
    ("write", "shown"),
    [
        (lambda: words.plain(1234.5, 1), "1,234.5"),
        (lambda: words.plain(-1234.5, 1, " %"), "−1,234.5 %"),
        (lambda: words.plain(-0.004, 2), "0.00"),
        (lambda: words.signed(5.816, 2, " pp"), "+5.82 pp"),
        (lambda: words.signed(-2.244, 2, " %"), "−2.24 %"),
        (lambda: words.signed(0.0, 1), "+0.0"),
        (lambda: words.signed(-0.0001, 2), "+0.00"),
        (lambda: words.dollars(-33824.4), "−$33,824"),
        (lambda: words.signed_dollars(4176.0), "+$4,176"),
        (lambda: words.signed_dollars(-0.3), "+$0"),
        (lambda: words.short_dollars(93_600), "+94k"),
        (lambda: words.short_dollars(-1_234_567), "−1.2M"),
        (lambda: words.short_dollars(999_499), "+999k"),
        (lambda: words.short_dollars(999_500), "+1.0M"),
        (lambda: words.short_dollars(-850), "−850"),
        (lambda: words.ordinal(1), "1st"),
        (lambda: words.ordinal(2), "2nd"),
        (lambda: words.ordinal(3), "3rd"),
        (lambda: words.ordinal(11), "11th"),
        (lambda: words.ordinal(112), "112th"),
        (lambda: words.ordinal(1002), "1,002nd"),
        (lambda: words.day(date(2024, 7, 1)), "1 Jul 2024"),
        (lambda: words.clock_et(datetime(2024, 7, 11, 12, 30, 7, tzinfo=UTC)), "08:30:07 ET"),
        (lambda: words.clock_et(datetime(2024, 1, 11, 13, 30, tzinfo=UTC), seconds=False), "08:30 ET"),
        (lambda: words.moment_et(datetime(2024, 7, 12, 12, 30, tzinfo=UTC)), "Fri 12 Jul 08:30 ET"),
        (lambda: words.span(7.9), "7 s"),
        (lambda: words.span(-3), "0 s"),
        (lambda: words.span(60), "1 min"),
        (lambda: words.span(3 * 3600 + 5 * 60), "3 h 5 min"),
        (lambda: words.span(7200), "2 h"),
        (lambda: words.span(2 * 86400 + 4 * 3600), "2 d 4 h"),
        (lambda: words.span(12 * 86400 + 4 * 3600), "12 d"),
    ],
)
def test_number_reads(write, shown):
    assert write() == shown


def test_unknown_number_is_na_with_its_reason_never_zero():
    said = words.shown(Unknown("no quote of ^RUT"), lambda value: f"{value:.1f}")
    assert said == Text("n/a", Tone.DIM, "no quote of ^RUT")


@given(st.floats(-1e9, 1e9))
def test_sign_in_the_text_is_the_sign_of_the_number(value):
    text = words.signed(value, 2)
    assert text[0] in "+−"
    rounded = round(abs(value) + 1e-12, 2)
    if value < 0 and rounded >= 0.01:
        assert text[0] == "−"
    assert math.isclose(float(text[1:].replace(",", "")), abs(value), abs_tol=0.0051)
