"""The report as text for a terminal: the four answers first, then what speaks against them, then the detail."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from desktop.report.board import Board, Exhibit, KillLevels, tell_board
from desktop.report.told import SUBTITLE, TITLE, Told, tell
from desktop.snapshot import Snapshot
from widgets.states import EvidenceTable, Text, Vote

WIDTH = 100
_FEW = 3
_FIGURE = 14
"""Widest column of figures."""
_VOTES = {Vote.ON: "ON", Vote.OFF: "off", Vote.UNKNOWN: "n/a"}


def as_text(snapshot: Snapshot, *, kill_levels: KillLevels | None = None) -> str:
    """Return the report as lines of at most 100 columns, without a line end after the last.

    `kill_levels` holds, by the id of a claim, the level at which it is given up.
    """
    lines = _report(tell(snapshot), tell_board(snapshot, kill_levels or {}))
    return "\n".join(line.rstrip() for line in lines)


def _report(told: Told, board: Board) -> Iterator[str]:
    yield f"{TITLE.upper()} · {SUBTITLE}"
    yield told.as_of
    if told.mode is not None:
        yield told.mode.text
    yield ""
    yield from _rows(
        (question, f"{answer.text}   {beside.text}".rstrip()) for question, answer, beside in told.answers
    )
    yield from _list("MIND", told.cautions)
    yield from _claims(board)
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
    for one in board.exhibits:
        yield from _exhibit(one)
    yield from _list("SOURCES", (*told.sources, *board.sources))


def _claims(board: Board) -> Iterator[str]:
    """Mark and verdict, claim, its words with their day; below what to mind and where it is given up."""
    yield ""
    yield f"THESIS  {board.summary}"
    marks = max(len(row.mark.text) for row in board.rows)
    names = max(len(row.claim) for row in board.rows)
    for row in board.rows:
        yield from _wrapped(f"  {row.mark.text:{marks}}  {row.claim:{names}}  ", row.dated)
        for more in (row.note, row.given_up.text):
            if more:
                yield from _wrapped(" " * (6 + marks + names), more)


def _exhibit(one: Exhibit) -> Iterator[str]:
    yield ""
    yield f"EVIDENCE {one.title}"
    for fact in one.facts:
        yield from _wrapped("  ", fact)
    for table in one.tables:
        yield from _table(table)
    for caution in one.cautions:
        yield from _wrapped("  ! ", caution)


def _table(table: EvidenceTable) -> Iterator[str]:
    """Columns as wide as their widest cell; figures stand right, a wide last column wraps."""
    rows = [table.headers, *([cell.text for cell in row] for row in table.rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        *cells, last = row
        if widths[-1] <= _FIGURE:
            last = f"{last:>{widths[-1]}}"
        left = "  ".join(
            f"{cell:<{width}}" if not at else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(cells, widths, strict=False))
        )
        lead = f"    {left}  "
        yield from (lead + last,) if len(lead) + len(last) <= WIDTH else _wrapped(lead, last)


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
