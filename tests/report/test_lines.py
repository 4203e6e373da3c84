"""The report as a terminal shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.market.sessions import parse_as_of
from desktop.report import as_text, snapshot_for
from desktop.report.lines import WIDTH
from desktop.thesis import claims


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


def test_no_line_is_wider_than_a_terminal_or_ends_in_blanks(demo, tmp_path, real_folder):
    for shown in (demo, snapshot_for(tmp_path), snapshot_for(real_folder, as_of=parse_as_of("2022-09-12"))):
        for line in as_text(shown).splitlines():
            assert len(line) <= WIDTH
            assert line == line.rstrip()


def test_an_empty_store_reads_as_reasons_not_as_numbers(tmp_path):
    text = as_text(snapshot_for(tmp_path))
    assert "n/a   no day on which both RUT and NDX have a close" in text
    assert "nan" not in text.lower()
    assert "MIND" not in text


def section(text: str, heading: str) -> str:
    """The lines from `heading` to the next empty one."""
    return text[text.index(heading) :].split("\n\n")[0]


def test_every_claim_is_told_with_its_verdict_in_a_word_and_a_mark(demo):
    text = section(as_text(demo, kill_levels={"stretched": 9.0, "mean_reversion": 0.99}), "THESIS")
    lines = text.splitlines()
    for mark, one in zip(("◐ mixed", "● for", "✕ against", "○ unknown"), claims(demo), strict=False):
        assert any(line.startswith(f"  {mark}") for line in lines)
        assert any(line[13:].startswith(one.claim) for line in lines)
    assert sum(line[2:3] in "●✕◐○" for line in lines if line[2:3].strip()) == 15
    assert "rank 2 of 9,280 days · 11 Jul 2024" in text
    assert "given up above 9.000: crossed" in text
    assert "given up above p 0.99\n" in text


def test_the_evidence_stands_in_tables_with_its_cautions(real_folder: Path):
    text = as_text(snapshot_for(real_folder, as_of=parse_as_of("2026-02-27")))
    study = section(text, "EVIDENCE What followed")
    assert "    1 d    35  +0.30 %   −0.3 to +0.9  −0.12 %      46%" in study
    assert "log returns instead of simple ones                  38  +0.09 %" in study
    assert "! the answer moves with the rule" in study
    assert "! the sign is unstable" in section(text, "EVIDENCE The 2-year")
    assert "1992                     −7.9 %       +28.8 %" in section(text, "EVIDENCE The VIX")
    declines = section(text, "EVIDENCE Large declines")
    assert "24 Mar 2000 to 9 Oct 2002   −43.0 %  −82.8 %   +39.8 pp  fell less" in declines
    assert "! conditioning on the short leg flatters" in declines
    sources = text[text.index("SOURCES") :]
    assert "CFTC TFF, futures only: to 24 Feb 2026" in sources


def test_the_path_of_the_futures_is_told_by_meeting(real_folder: Path):
    path = section(
        as_text(snapshot_for(real_folder, as_of=parse_as_of("2022-09-12"))), "EVIDENCE The path that fed funds"
    )
    assert "21 Sep 2022     3.060 %  +73 bp   +73 bp  3.00-3.25 90%, 2.75-3.00 10%" in path
    assert "prices of 12 Sep 2022" in path


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
