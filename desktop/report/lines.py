"""The report as text for a terminal: the four answers first, then what speaks against them, then the detail."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from desktop.report.told import SUBTITLE, TITLE, Told, tell
from desktop.snapshot import Snapshot
from widgets.states import Text, Vote

WIDTH = 100
_FEW = 3
_VOTES = {Vote.ON: "ON", Vote.OFF: "off", Vote.UNKNOWN: "n/a"}


def as_text(snapshot: Snapshot) -> str:
    """Return the report as lines of at most 100 columns, without a line end after the last."""
    told = tell(snapshot)
    return "\n".join(line.rstrip() for line in _report(told))


def _report(told: Told) -> Iterator[str]:
    yield f"{TITLE.upper()} · {SUBTITLE}"
    yield told.as_of
    if told.mode is not None:
        yield told.mode.text
    yield ""
    yield from _rows(
        (question, f"{answer.text}   {beside.text}".rstrip()) for question, answer, beside in told.answers
    )
    yield from _list("MIND", told.cautions)
    yield from _facts("RATIO", told.ratio.facts, told.ratio.message)
    yield from _facts("DIVERGENCE", told.divergence.facts)
    for heading, days in told.extremes:
        yield from _wrapped(f"  {heading}: ", ", ".join(f"{spread} {date}" for date, spread in days[:_FEW]))
    yield from _wrapped("  Intraday: ", told.divergence.message or told.divergence.caption.text)
    gauge = told.gauge
    yield from _facts(f"CORRELATION {gauge.text.text}", (*gauge.captions, *gauge.legend[1:]))
    yield ""
    yield f"REGIME {told.answers[2][1].text}"
    yield from _rows((f"{_VOTES[vote.vote]:3}  {vote.label}", vote.detail) for vote in gauge.votes)
    for flip in gauge.flips:
        yield from _wrapped("  · ", flip)
    yield from _list("SOURCES", told.sources)


def _list(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield heading
        for line in lines:
            yield from _wrapped("  · ", line)


def _facts(heading: str, facts: Iterable[Text], message: str = "") -> Iterator[str]:
    yield ""
    yield heading
    if message:
        yield from _wrapped("  ", message)
    before = ""
    rows = []
    for one in facts:
        rows.append((one.text, one.why if one.why != before else ""))
        before = one.why
    yield from _rows(rows)


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Two columns, the first as wide as its widest text."""
    table = list(rows)
    wide = max((len(left) for left, _ in table), default=0)
    for left, right in table:
        yield from _wrapped(f"  {left:{wide}}  ", right)


def _wrapped(lead: str, text: str) -> Iterator[str]:
    if not text:
        yield lead
    yield from textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
