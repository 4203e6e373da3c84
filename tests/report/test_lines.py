"""The report as a terminal shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.market.sessions import parse_as_of
from desktop.report import as_text, snapshot_for
from desktop.report.lines import WIDTH


def test_the_four_answers_come_first_and_are_aligned(demo):
    lines = as_text(demo).splitlines()
    assert lines[0] == "ROTATION MONITOR · long Russell 2000 / short Nasdaq-100"
    assert lines[1] == "as of Thu 11 Jul 2024 16:00:00 ET (2024-07-11 20:00:00 UTC)"
    assert lines[2] == "DEMO, simulated between published levels"
    answers = lines[4:8]
    questions = [line[2:25].rstrip() for line in answers]
    assert questions == ["NDX / RUT 11 Jul 2024", "RUT − NDX 11 Jul 2024", "Regime", "Next release"]
    assert answers[0][25:].startswith("9.511   −0.566 −5.62 %")
    assert answers[1][25:].startswith("+5.82 pp   2nd of 9,280 days")
    assert answers[3][25:] == "PPI Fri 12 Jul 08:30 ET   in 16 h 30 min"


def test_what_speaks_against_the_idea_follows_at_once(demo):
    text = as_text(demo)
    mind = text[text.index("MIND") : text.index("RATIO")]
    assert "not the largest ever: 2nd of 9,280 days" in mind
    assert "no evidence of reversion" in mind
    assert "nothing here is a recorded price" in mind


def test_no_line_is_wider_than_a_terminal_or_ends_in_blanks(demo, tmp_path):
    for shown in (demo, snapshot_for(tmp_path)):
        for line in as_text(shown).splitlines():
            assert len(line) <= WIDTH
            assert line == line.rstrip()


def test_an_empty_store_reads_as_reasons_not_as_numbers(tmp_path):
    text = as_text(snapshot_for(tmp_path))
    assert "n/a   no day on which both RUT and NDX have a close" in text
    assert "nan" not in text.lower()
    assert "MIND" not in text


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2024-07-11", ("9.511", "+5.82 pp", "2nd of 9,280", "+6.8σ (sd60)", "VIX 12.92", "Implied COR1M 3.87")),
        ("2024-08-05", ("VIX 38.57",)),
        ("2024-07-10", ("z(1y) +2.73", "half-life 365 d", "vs 200-day +14.0 %", "percentile 99.99")),
    ],
)
def test_the_figures_of_known_days(day: str, told: tuple[str, ...], real_folder: Path):
    text = as_text(snapshot_for(real_folder, as_of=parse_as_of(day)))
    for words in told:
        assert words in text


def test_ages_of_both_legs_are_told_in_the_session(real_folder: Path, real: Callable[[str], object]):
    text = as_text(snapshot_for(real_folder, as_of=parse_as_of("2024-07-11T10:32-04:00")))
    assert "both legs 2 min old" in text
    assert "RUT index and QQQ (proxy for NDX)" in text
