"""The session being shown: last ticks of both legs by kind, which kind drives, the path, the usual cone.

The session is today's from its pre-market on, otherwise the last one that started. After its close the moment
looked at is the close: a night's futures are not today's divergence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from desktop.analytics.divergence import (
    MIXED,
    Cone,
    Driver,
    IntradayPath,
    LegHistory,
    LegTick,
    Reference,
    SpreadNow,
    TruthCheck,
    choose_driver,
    cone,
    duration,
    intraday_path,
    preferred_kinds,
    reference_price,
    session_paths,
    spread_now,
    truth_check,
)
from desktop.market.instruments import PAIRS, Kind, Leg
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import Bars, Quote
from desktop.market.releases import Release, Schedule, shipped
from desktop.market.sessions import NYSE, Phase, Session, new_york, trading_day
from desktop.market.store import Store
from desktop.tape import INTERVALS, Tape, some_bars

PRE_FROM = time(8, 0)
"""New York time from which a morning is shown before the open."""
CONE_CALENDAR_DAYS = 120
STOPPED_S = 180.0
"""In the regular session a kind that last traded so long ago gives way to one that trades."""
_SETTLE = timedelta(minutes=15)
"""How far before the shown window bars are read, for the reference of a release at its start."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch of the path that one kind of instrument drives."""

    kind: str
    path: IntradayPath


@dataclass(frozen=True, slots=True, eq=False)
class Today:
    """The session shown, seen at `at` (UTC): never later than its close.

    `spreads` holds the move since each reference; `driver` and `pieces` belong to the chosen `reference`.
    `last_prices` are the latest ticks by symbol.
    """

    session: Session
    at: datetime
    phase: Phase
    starts: datetime
    releases: tuple[Release, ...]
    reference: Reference
    driver: Driver | Unknown
    spreads: Mapping[Reference, SpreadNow | Unknown]
    pieces: tuple[Piece, ...]
    truth: TruthCheck
    last_prices: Mapping[str, LegTick]

    @property
    def spread(self) -> SpreadNow | Unknown:
        """Move since the chosen reference."""
        return self.spreads[self.reference]


def shown_session(moment: datetime) -> tuple[Session, Phase]:
    """Return the session to show at `moment`, and the phase it is seen in."""
    phase = NYSE.phase(moment)
    if phase is Phase.PRE:
        session = NYSE.session(trading_day(moment))
        if session is not None:
            return session, phase
    session = NYSE.last_started(moment)
    return session, Phase.REGULAR


def watch(
    tape: Tape,
    moment: datetime,
    reference: Reference,
    *,
    max_leg_gap_s: float,
    max_age_s: float,
    truth_gap_pp: float,
    schedule: Schedule | None = None,
) -> Today:
    """Put together what is known of the session shown at `moment`; without a `schedule` the shipped one counts."""
    session, phase = shown_session(moment)
    at = min(moment, session.close)
    today = (schedule or shipped()).on_day(session.day)
    early = [one for one in today if one.at < session.open]
    starts = datetime.combine(session.day, PRE_FROM, new_york).astimezone(UTC)
    if not early and phase is not Phase.PRE:
        starts = session.open
    previous = NYSE.previous(session.day)
    release = next((one.at for one in today), None)
    legs = tape.legs(session, previous, starts - _SETTLE, at, release)
    spreads: dict[Reference, SpreadNow | Unknown] = {}
    drivers: dict[Reference, Driver | Unknown] = {}
    found: dict[Reference, Mapping[tuple[Kind, Leg], Maybe]] = {}
    found[Reference.PRIOR_CLOSE] = _references(Reference.PRIOR_CLOSE, legs, session, previous.day, release, at)
    prior = _ticks(legs, found[Reference.PRIOR_CLOSE])
    doubts = _doubts(prior, legs, phase, at, max_leg_gap_s=max_leg_gap_s, threshold_pp=truth_gap_pp)
    for one in Reference:
        found[one] = _references(one, legs, session, previous.day, release, at)
        ticks = [tick for tick in _ticks(legs, found[one]) if tick.kind not in doubts]
        chosen = choose_driver(ticks, phase, at, max_leg_gap_s=max_leg_gap_s, max_age_s=max_age_s)
        drivers[one] = _told(chosen, doubts)
        spreads[one] = spread_now(drivers[one], one)
    truth = truth_check(prior, at, threshold_pp=truth_gap_pp, max_leg_gap_s=max_leg_gap_s)
    return Today(
        session=session,
        at=at,
        phase=phase,
        starts=starts,
        releases=today,
        reference=reference,
        driver=drivers[reference],
        spreads=spreads,
        pieces=_pieces(legs, found[reference], drivers[reference], session, starts),
        truth=replace(
            truth, warnings=(*truth.warnings, *(f"{kind.value}: {why}" for kind, why in doubts.items()))
        ),
        last_prices={tick.symbol: tick for tick in prior},
    )


def _doubts(
    ticks: list[LegTick],
    legs: Mapping[tuple[Kind, Leg], LegHistory],
    phase: Phase,
    at: datetime,
    *,
    max_leg_gap_s: float,
    threshold_pp: float,
) -> dict[Kind, str]:
    """Kinds that do not speak for the legs in the regular session though they have prices, and why.

    One that stopped while another trades on, and one whose move the two others contradict in agreement: a vendor
    may send the last price of an index again and again with new times.
    """
    doubts: dict[Kind, str] = {}
    if phase is not Phase.REGULAR:
        return doubts
    pairs: dict[Kind, list[LegTick]] = {}
    for tick in ticks:
        if tick.event_time <= at and not isinstance(tick.move_pct, Unknown):
            pairs.setdefault(tick.kind, []).append(tick)
    whole = {kind: pair for kind, pair in pairs.items() if len(pair) == len(Leg)}
    if not whole:
        return doubts
    ages = {kind: (at - min(tick.event_time for tick in pair)).total_seconds() for kind, pair in whole.items()}
    freshest = min(ages, key=lambda kind: ages[kind])
    for kind, age_s in ages.items():
        if ages[freshest] <= STOPPED_S < age_s - _length_of_bars(kind, legs):
            doubts[kind] = f"last traded {duration(age_s)} ago, {freshest.value} {duration(ages[freshest])} ago"
    for leg in Leg:
        moves = {tick.kind: tick for pair in whole.values() for tick in pair if tick.leg is leg}
        for kind, tick in moves.items():
            others = [one for one in moves.values() if one.kind is not kind]
            if len(others) > 1 and _contradicted(tick, others, max_leg_gap_s, threshold_pp):
                words = " and ".join(f"{one.symbol} {one.move_pct:+.2f} %" for one in others)
                doubts[kind] = f"{tick.symbol} {tick.move_pct:+.2f} % is contradicted by {words}"
    return doubts


def _length_of_bars(kind: Kind, legs: Mapping[tuple[Kind, Leg], LegHistory]) -> int:
    """Seconds that the last price may be old because bars are all there is."""
    bars = [legs[kind, leg].bars for leg in Leg if not legs[kind, leg].quotes]
    return max((one.interval.seconds for one in bars if one is not None), default=0)


def _contradicted(tick: LegTick, others: list[LegTick], max_leg_gap_s: float, threshold_pp: float) -> bool:
    """Whether all of `others` traded with `tick`, agree with each other, and not with it."""
    times = [one.event_time for one in (tick, *others)]
    if (max(times) - min(times)).total_seconds() > max_leg_gap_s:
        return False
    mine, *moves = (one.move_pct for one in (tick, *others))
    known = [move for move in moves if not isinstance(move, Unknown)]
    if isinstance(mine, Unknown) or len(known) < len(moves) or max(known) - min(known) > threshold_pp:
        return False
    return all(abs(mine - move) > threshold_pp for move in known)


def _told(driver: Driver | Unknown, doubts: Mapping[Kind, str]) -> Driver | Unknown:
    """The choice with the doubts as its reasons, in place of "no price"."""
    nothing = {f"{kind.value}: no price of RUT and NDX": f"{kind.value}: {why}" for kind, why in doubts.items()}
    if isinstance(driver, Driver):
        return replace(driver, passed_over=tuple(nothing.get(one, one) for one in driver.passed_over))
    return Unknown("; ".join(nothing.get(one, one) for one in driver.reason.split("; ")))


def _references(
    reference: Reference,
    legs: Mapping[tuple[Kind, Leg], LegHistory],
    session: Session,
    previous: date,
    release: datetime | None,
    at: datetime,
) -> Mapping[tuple[Kind, Leg], Maybe]:
    """The price that the move of each instrument is measured from."""
    if reference is Reference.RELEASE and (release is None or release > at):
        why = "no release is scheduled on this day" if release is None else "the release is still to come"
        return dict.fromkeys(legs, Unknown(why))
    prices: dict[tuple[Kind, Leg], Maybe] = {}
    for key, history in legs.items():
        found = reference_price(reference, history, session=session, previous_session=previous, release=release)
        prices[key] = found if isinstance(found, Unknown) else found[0]
    return prices


def _ticks(
    legs: Mapping[tuple[Kind, Leg], LegHistory], references: Mapping[tuple[Kind, Leg], Maybe]
) -> list[LegTick]:
    """Latest price of each leg of each kind, from a quote or from the end of a bar."""
    ticks = []
    for (kind, leg), history in legs.items():
        price = references[kind, leg]
        quote = max(history.quotes, key=_event_time, default=None)
        bars = history.bars
        end = None
        if bars is not None and len(bars):
            end = datetime.fromtimestamp(int(bars.start_s[-1]) + bars.interval.seconds, UTC)
        if quote is not None and (end is None or quote.event_time >= end):
            ticks.append(LegTick.of(leg, kind, quote, price))
        elif bars is not None and end is not None:
            ticks.append(LegTick(leg, history.symbol, kind, float(bars.close[-1]), end, price))
    return ticks


def _event_time(quote: Quote) -> datetime:
    return quote.event_time


def _pieces(
    legs: Mapping[tuple[Kind, Leg], LegHistory],
    references: Mapping[tuple[Kind, Leg], Maybe],
    driver: Driver | Unknown,
    session: Session,
    starts: datetime,
) -> tuple[Piece, ...]:
    """The path before the open, driven by what trades then, and from the open on by the driver."""
    opening = int(session.open.timestamp())
    before = [kind.value for kind in preferred_kinds(Phase.PRE)]
    after = [kind.value for kind in preferred_kinds(Phase.REGULAR)] + [MIXED]
    if not isinstance(driver, Unknown):
        before = [driver.kind, *before]
        after = [driver.kind, *after]
    pieces = []
    for kinds, first, last in ((before, int(starts.timestamp()), opening), (after, opening, 2**62)):
        for kind in kinds:
            path = _path(kind, legs, references, first, last)
            if path is not None:
                pieces.append(Piece(kind, path))
                break
    if pieces and not isinstance(driver, Unknown) and pieces[-1].kind == driver.kind:
        pieces[-1] = Piece(driver.kind, _with_tick(pieces[-1].path, driver))
    return tuple(pieces)


def _path(
    kind: str,
    legs: Mapping[tuple[Kind, Leg], LegHistory],
    references: Mapping[tuple[Kind, Leg], Maybe],
    first: int,
    last: int,
) -> IntradayPath | None:
    """Path of bars that start in [first, last), None where either leg has none or no reference."""
    rut_kind, ndx_kind = (Kind.INDEX, Kind.ETF) if kind == MIXED else (Kind(kind), Kind(kind))
    rut_ref, ndx_ref = references[rut_kind, Leg.RUT], references[ndx_kind, Leg.NDX]
    if isinstance(rut_ref, Unknown) or isinstance(ndx_ref, Unknown):
        return None
    rut, ndx = legs[rut_kind, Leg.RUT].bars, legs[ndx_kind, Leg.NDX].bars
    if rut is None or ndx is None or rut.interval is not ndx.interval:
        return None
    rut, ndx = _between(rut, first, last), _between(ndx, first, last)
    return intraday_path(rut, ndx, rut_ref, ndx_ref) if len(rut) and len(ndx) else None


def _between(bars: Bars, first: int, last: int) -> Bars:
    start, stop = np.searchsorted(bars.start_s, (first, last))
    return some_bars(bars, int(start), int(stop))


def _with_tick(path: IntradayPath, driver: Driver) -> IntradayPath:
    """The path with the last ticks of both legs as its last point, where they are later than its bars."""
    rut, ndx = driver.rut.move_pct, driver.ndx.move_pct
    at = int(min(driver.rut.event_time, driver.ndx.event_time).timestamp())
    if isinstance(rut, Unknown) or isinstance(ndx, Unknown) or (len(path) and at <= path.end_s[-1]):
        return path
    return IntradayPath(
        np.append(path.end_s, at),
        np.append(path.rut_pct, rut),
        np.append(path.ndx_pct, ndx),
        np.append(path.spread_pp, rut - ndx),
    )


def usual_cone(store: Store, session: Session) -> tuple[str, Cone] | Unknown:
    """Usual spread for the time of day from the intraday bars of earlier sessions, and the kind they are of."""
    first = session.day - timedelta(days=CONE_CALENDAR_DAYS)
    days = NYSE.days(first, session.day - timedelta(days=1))
    sessions = [found for day in days if (found := NYSE.session(date.fromisoformat(str(day)))) is not None]
    result: tuple[str, Cone] | Unknown = Unknown("no intraday bars of earlier sessions")
    for name, rut_kind, ndx_kind in (
        (Kind.INDEX.value, Kind.INDEX, Kind.INDEX),
        (Kind.ETF.value, Kind.ETF, Kind.ETF),
        (MIXED, Kind.INDEX, Kind.ETF),
    ):
        symbols = PAIRS[rut_kind][Leg.RUT], PAIRS[ndx_kind][Leg.NDX]
        closes = [store.closes(symbol, first - timedelta(days=7), session.day) for symbol in symbols]
        rut_close, ndx_close = (dict(zip(one.days.tolist(), one.close.tolist(), strict=True)) for one in closes)
        references = {}
        for one in sessions:
            before = NYSE.previous(one.day).day
            if before in rut_close and before in ndx_close:
                references[one.day] = rut_close[before], ndx_close[before]
        for interval in INTERVALS:
            rut, ndx = (store.bars(symbol, interval, sessions[0].open, sessions[-1].close) for symbol in symbols)
            if not (len(rut) and len(ndx)):
                continue
            usual = cone(session_paths(rut, ndx, sessions, references), session.day)
            if not isinstance(usual, Unknown):
                return name, usual
            result = usual
    return result
