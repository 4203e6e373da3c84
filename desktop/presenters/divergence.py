"""The divergence panel in words: moves of both legs, their gap, what is usual, and how old each number is."""

from __future__ import annotations

import numpy as np

from desktop.analytics.divergence import MIXED, Driver, Rank, Reference
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import FloatArray
from desktop.market.sessions import Phase
from desktop.presenters.curves import Curves
from desktop.presenters.words import NEW_YORK, NOT_KNOWN, clock_et, day, ordinal, signed, span
from desktop.snapshot import Mode, Snapshot
from widgets.states import Band, Choice, Curve, DivergenceState, Mark, Tag, Text, Tone

KIND_WORDS = {
    "index": "cash index",
    "future": "futures RTY/NQ",
    "etf": "ETFs IWM/QQQ",
    MIXED: "RUT index and QQQ (proxy for NDX)",
}


def present_divergence(snapshot: Snapshot, curves: Curves) -> DivergenceState:
    """Build the state of the divergence panel."""
    today = snapshot.today
    spread, rut, ndx = _paths(snapshot, curves)
    now = today.spread
    tags: tuple[Tag, ...] = ()
    if not isinstance(now, Unknown):
        tags = (
            Tag(now.spread_pp, signed(now.spread_pp, 2), Tone.GOOD if now.spread_pp >= 0 else Tone.BAD),
            Tag(now.rut_pct, signed(now.rut_pct, 2), Tone.RUT),
            Tag(now.ndx_pct, signed(now.ndx_pct, 2), Tone.NDX),
        )
    return DivergenceState(
        references=_references(snapshot),
        spread=spread,
        rut=rut,
        ndx=ndx,
        bands=_bands(snapshot, curves),
        tags=tags,
        marks=tuple(
            Mark(one.at.timestamp(), f"{one.name} {clock_et(one.at, seconds=False)[:5]}", Tone.WARN)
            for one in today.releases
            if one.at <= snapshot.moment
        ),
        x_range=(today.starts.timestamp(), today.session.close.timestamp()),
        facts=_facts(snapshot),
        caption=_caption(snapshot),
        warnings=_warnings(snapshot),
        zone=NEW_YORK.key,
        message="" if spread is not None else _nothing(snapshot),
        dimmed=not snapshot.live or snapshot.moment > today.at or snapshot.mode is Mode.AS_OF,
    )


def _paths(snapshot: Snapshot, curves: Curves) -> tuple[Curve | None, Curve | None, Curve | None]:
    """Pieces joined, with a hole where the driver changes."""
    pieces = snapshot.today.pieces
    if not pieces:
        return None, None, None
    x: list[FloatArray] = []
    columns: tuple[list[FloatArray], ...] = ([], [], [])
    for number, piece in enumerate(pieces):
        ends = piece.path.end_s.astype(np.float64)
        if number and pieces[number - 1].kind != piece.kind:
            x.append(ends[:1] - 1.0)
            for column in columns:
                column.append(np.array([np.nan]))
        x.append(ends)
        for column, values in zip(
            columns, (piece.path.spread_pp, piece.path.rut_pct, piece.path.ndx_pct), strict=True
        ):
            column.append(values)
    at = np.concatenate(x)
    spread, rut, ndx = (
        curves.of_points(name, at, np.concatenate(column))
        for name, column in zip(("spread", "rut", "ndx"), columns, strict=True)
    )
    return spread, rut, ndx


def _references(snapshot: Snapshot) -> tuple[Choice, ...]:
    today = snapshot.today
    release = next((one.at for one in today.releases), None)
    label = "Release" if release is None else f"Release {clock_et(release, seconds=False)[:5]}"
    labels = {Reference.PRIOR_CLOSE: "Prior close", Reference.OPEN: "Open", Reference.RELEASE: label}
    choices = []
    for reference, words in labels.items():
        now = today.spreads[reference]
        why = now.reason if isinstance(now, Unknown) else f"{signed(now.spread_pp, 2)} pp"
        choices.append(Choice(reference.value, words, reference is today.reference, why=why))
    return tuple(choices)


def _bands(snapshot: Snapshot, curves: Curves) -> tuple[Band, ...]:
    usual = snapshot.usual
    if isinstance(usual, Unknown) or snapshot.today.reference is not Reference.PRIOR_CLOSE:
        return ()
    return curves.of_cone(usual[1], snapshot.today.session.open.timestamp())


def _facts(snapshot: Snapshot) -> tuple[Text, ...]:
    stats = snapshot.divergence
    if isinstance(stats, Unknown):
        return (Text(f"rank {NOT_KNOWN}", Tone.DIM, stats.reason),)
    facts = [
        Text(f"{day(stats.date)}"),
        _rank("rank", stats.rank, f"among all days since {day(stats.since)}; moves from the prior close"),
        _rank("|D|", stats.rank_abs, "rank of the size of the move, either way"),
        _score("sd60", stats.z60),
        _score("sd252", stats.z252),
        _value("from open", stats.from_open_pp, " pp"),
        _value("5 days", stats.five_day_pp, " pp"),
        _rank("same release", stats.conditional["same_release"], "among days of the same release"),
        _rank("NDX-down days", stats.conditional["ndx_down"], "among days on which NDX fell"),
    ]
    return tuple(facts)


def _rank(name: str, rank: Rank | Unknown, why: str) -> Text:
    if isinstance(rank, Unknown):
        return Text(f"{name} {NOT_KNOWN}", Tone.DIM, rank.reason)
    return Text(f"{name} {ordinal(rank.rank)} of {rank.n:,}", why=why)


def _score(name: str, value: Maybe) -> Text:
    if isinstance(value, Unknown):
        return Text(f"{name} {NOT_KNOWN}", Tone.DIM, value.reason)
    return Text(f"{signed(value, 1, 'σ')} ({name})", why=f"D over the sd of the {name[2:]} days before")


def _value(name: str, value: Maybe, unit: str) -> Text:
    if isinstance(value, Unknown):
        return Text(f"{name} {NOT_KNOWN}", Tone.DIM, value.reason)
    return Text(f"{name} {signed(value, 2, unit)}")


def _caption(snapshot: Snapshot) -> Text:
    today = snapshot.today
    parts = []
    usual = snapshot.usual
    if isinstance(usual, Unknown):
        parts.append(f"usual range {NOT_KNOWN}: {usual.reason}")
    elif today.reference is Reference.PRIOR_CLOSE:
        parts.append(f"shaded: usual 1σ and 2σ for this time of day, {usual[1].sessions} sessions")
    driver = today.driver
    if isinstance(driver, Unknown):
        parts.append(f"no driver: {driver.reason}")
        return Text(" · ".join(parts), Tone.WARN, driver.reason)
    parts.append(f"driver: {KIND_WORDS[driver.kind]}, {_ages(driver)}")
    if snapshot.moment > today.at:
        parts.append(f"at the close of {day(today.session.day)}")
    why = "; ".join(driver.passed_over)
    return Text(" · ".join(parts), Tone.DIM, f"passed over: {why}" if why else "simple returns")


def _ages(driver: Driver) -> str:
    rut, ndx = span(driver.rut_age_s), span(driver.ndx_age_s)
    return f"both legs {rut} old" if rut == ndx else f"RUT {rut} old, NDX {ndx} old"


def _warnings(snapshot: Snapshot) -> tuple[Text, ...]:
    today = snapshot.today
    warnings = [Text(one, Tone.WARN) for one in today.truth.warnings if today.pieces]
    if not isinstance(today.driver, Unknown) and today.driver.proxy and today.phase is Phase.REGULAR:
        why = "; ".join(today.driver.passed_over)
        warnings.append(Text(f"proxy: {KIND_WORDS[today.driver.kind]} stand in for the index", Tone.WARN, why))
    return tuple(warnings)


def _nothing(snapshot: Snapshot) -> str:
    today = snapshot.today
    when = day(today.session.day)
    if isinstance(today.spread, Unknown) and today.reference is not Reference.PRIOR_CLOSE:
        return f"{when}: {today.spread.reason}"
    stats = snapshot.divergence
    if (
        not isinstance(stats, Unknown)
        and stats.date == today.session.day
        and not isinstance(stats.spread_pp, Unknown)
    ):
        moves = [
            f"{name} {signed(value, 2, ' %')}"
            for name, value in (("RUT", stats.rut_pct), ("NDX", stats.ndx_pct))
            if not isinstance(value, Unknown)
        ]
        told = f"{when}: {signed(stats.spread_pp, 2)} pp"
        if snapshot.live:
            return f"{told} so far ({', '.join(moves)}).\nNo minute bars of this session yet: refresh (F5)."
        return (
            f"{told} at the close ({', '.join(moves)}).\n"
            "No minute bars of this day in the store: import them, or watch the day live."
        )
    return f"{when}: no prices of this session in the store.\nRefresh (F5), or import intraday bars."
