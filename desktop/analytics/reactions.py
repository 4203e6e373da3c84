"""How the market reacted to one release: moves since the second before it, row by row, and earlier reactions.

The reference is the last trade at or before one second before the release, of the same kind of instrument on both
legs (METHODS 2 and 10): the cash index while it trades, before the open futures, else ETFs. Where no kind traded
then, moves are from the prior close and say so. Ranks count the strictly larger values and add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from desktop.analytics.divergence import MIXED, Rank, duration
from desktop.analytics.windows import frozen_array
from desktop.market.instruments import PAIRS, Kind, Leg
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import FloatArray
from desktop.market.sessions import CME, NYSE, Phase, Session, trading_day

MINUTES = (1, 5, 15, 30, 60)
CLOSE = "close"
LEAD = timedelta(seconds=1)
REFERENCE_AGE_S = 900.0
"""How old a reference may be one second before the release."""
VIX_AGE_S = 120.0
"""The VIX is calculated every 15 s; an older one is not that of the row."""
MAX_AGE_S = 60.0
NOT_YET = "not yet"
FUNDS_ONCE = "the 2-year is published once a day, in the evening"
GAUGE_ONCE = "the gauge rests on closes: once a day"
KIND_NAMES = {"future": "futures", "etf": "ETF", "index": "index", MIXED: "RUT index and QQQ (proxy for NDX)"}


class Basis(StrEnum):
    """What moves are measured from."""

    RELEASE = "release"
    PRIOR_CLOSE = "prior_close"


@dataclass(frozen=True, slots=True)
class Trade:
    """A price and when it traded (UTC)."""

    price: float
    at: datetime


Read = Callable[[str, datetime], Trade | None]
"""The last trade of a symbol at or before a moment, as far as it is known; None where there is none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Prices of both legs that moves are measured from; `frozen` where they were noted at the release itself."""

    kind: str
    basis: Basis
    rut: Trade
    ndx: Trade
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Moves since the reference: percent, spread in percentage points, ratio NDX/RUT in percent; of which kind.

    `note` says why a better kind is not shown, "" where the best is; `age_s` is how long before the row's time the
    older leg traded.
    """

    rut_pct: float
    ndx_pct: float
    spread_pp: float
    ratio_pct: float
    kind: str
    note: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the board: minutes since the release, None for the close. Basis points, VIX points, correlation.

    `vix_note` and `implied_note` tell where a value is measured from when it is not the release.
    """

    minutes: int | None
    due: datetime | None
    move: Move | Unknown
    two_year_bp: Maybe
    implied_bp: Maybe
    vix: Maybe
    gauge: Maybe
    vix_note: str = ""
    implied_note: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """The reaction to the release of `at`: `references` by kind, `basis` of the moves, `now` the latest move."""

    at: datetime
    basis: Basis
    references: Mapping[str, Pair | Unknown]
    rows: tuple[Row, ...]
    now: Move | Unknown


@dataclass(frozen=True, slots=True)
class Daily:
    """What is known once a day: closes by symbol and session, day moves of the 2-year (bp) and of the gauge.

    `implied` gives the rate change priced by the end of the year (bp) at a moment, with where it was read.
    """

    close: Callable[[str, Session], float | None]
    two_year_bp: Maybe
    gauge_change: Maybe
    implied: Callable[[datetime], Maybe]
    implied_of_day_bp: Maybe


def kinds_at(at: datetime) -> tuple[str, ...]:
    """Kinds whose trades may be the reference at `at`, best first: the index while it trades, else futures."""
    if NYSE.phase(at) is Phase.REGULAR:
        return Kind.INDEX.value, Kind.FUTURE.value, Kind.ETF.value, MIXED
    return Kind.FUTURE.value, Kind.ETF.value


def symbols_of(kind: str) -> tuple[str, str]:
    """Symbols of RUT and NDX of a kind; the mixed one is the Russell index and the QQQ."""
    if kind == MIXED:
        return PAIRS[Kind.INDEX][Leg.RUT], PAIRS[Kind.ETF][Leg.NDX]
    return PAIRS[Kind(kind)][Leg.RUT], PAIRS[Kind(kind)][Leg.NDX]


def reference(
    kind: str, at: datetime, read: Read, frozen: Mapping[str, Trade], *, max_gap_s: float = MAX_AGE_S
) -> Pair | Unknown:
    """Last trades of both legs of `kind` at or before one second before `at`; frozen ones count first."""
    limit, found = at - LEAD, []
    symbols = symbols_of(kind)
    for symbol in symbols:
        trade = frozen.get(symbol) or read(symbol, limit)
        age_s = None if trade is None else (limit - trade.at).total_seconds()
        if trade is None or age_s is None or age_s > REFERENCE_AGE_S:
            old = "" if age_s is None else f", the last one {duration(age_s)} before"
            return Unknown(f"no trade of {symbol} at the release{old}")
        found.append(trade)
    rut, ndx = found
    gap_s = abs((rut.at - ndx.at).total_seconds())
    if gap_s > max_gap_s:
        return Unknown(f"{symbols[0]} and {symbols[1]} last traded {duration(gap_s)} apart before the release")
    return Pair(kind, Basis.RELEASE, rut, ndx, all(one in frozen for one in symbols))


def prior_close(kind: str, day: Session, close: Callable[[str, Session], float | None]) -> Pair | Unknown:
    """Official closes of the session before `day`."""
    before = NYSE.previous(day.day)
    trades = []
    for symbol in symbols_of(kind):
        price = close(symbol, before)
        if price is None:
            return Unknown(f"no close of {symbol} on {before.day}")
        trades.append(Trade(price, before.close))
    return Pair(kind, Basis.PRIOR_CLOSE, trades[0], trades[1])


def board(
    at: datetime,
    moment: datetime,
    read: Read,
    daily: Daily,
    *,
    frozen: Mapping[str, Trade] | None = None,
    max_age_s: float = MAX_AGE_S,
) -> Board:
    """Return the reaction to the release of `at` (UTC) as known at `moment`.

    Parameters
    ----------
    read, daily
        What was known at `moment`; neither may answer with anything later.
    frozen
        References noted at the release, by symbol: they count before what is read.
    max_age_s
        How old a price may be at the time of a row, and how far apart both legs may have traded.
    """
    frozen = frozen or {}
    day = NYSE.session(trading_day(at))
    if moment < at:
        references: dict[str, Pair | Unknown] = dict.fromkeys(
            kinds_at(at), Unknown("the release is still to come")
        )
        rows = tuple(_waiting(one, at) for one in (*MINUTES, None))
        return Board(at, Basis.RELEASE, references, rows, Unknown("the release is still to come"))
    references = {kind: reference(kind, at, read, frozen, max_gap_s=max_age_s) for kind in kinds_at(at)}
    basis = Basis.RELEASE
    if not any(isinstance(one, Pair) for one in references.values()) and day is not None:
        # Nothing traded at the release: what is known of the day is its move from the close before.
        since_close = {
            kind: prior_close(kind, day, daily.close) for kind in (Kind.INDEX.value, Kind.ETF.value, MIXED)
        }
        if any(isinstance(one, Pair) for one in since_close.values()):
            references, basis = since_close, Basis.PRIOR_CLOSE
    rows = tuple(
        _row(minutes, at, moment, day, references, read, daily, max_age_s) for minutes in (*MINUTES, None)
    )
    now = _now(at, moment, day, references, read, max_age_s)
    return Board(at, basis, references, rows, now)


def _waiting(minutes: int | None, at: datetime) -> Row:
    due = _due(minutes, at, NYSE.session(trading_day(at)))
    unknown = Unknown(NOT_YET)
    return Row(minutes, due, unknown, unknown, unknown, unknown, unknown)


def _due(minutes: int | None, at: datetime, day: Session | None) -> datetime | None:
    if minutes is not None:
        return at + timedelta(minutes=minutes)
    if day is not None:
        return day.close
    night = CME.session(trading_day(at))  # the cash market is closed: futures alone close
    return None if night is None else night.close


def _row(
    minutes: int | None,
    at: datetime,
    moment: datetime,
    day: Session | None,
    references: Mapping[str, Pair | Unknown],
    read: Read,
    daily: Daily,
    max_age_s: float,
) -> Row:
    due = _due(minutes, at, day)
    if due is None:
        nothing = Unknown("the cash market is closed on this day")
        return Row(minutes, due, nothing, nothing, nothing, nothing, nothing)
    if due <= at:
        nothing = Unknown("the release comes after the close")
        return Row(minutes, due, nothing, nothing, nothing, nothing, nothing)
    if moment < due:
        return _waiting(minutes, at)
    closing = day if minutes is None else None
    move = move_at(due, at, references, read, max_age_s, _official(closing, daily))
    vix, vix_note = _vix(due, at, closing, read, daily)
    implied, implied_note = _implied(due, at, closing, daily)
    return Row(
        minutes,
        due,
        move,
        daily.two_year_bp if closing is not None else Unknown(FUNDS_ONCE),
        implied,
        vix,
        daily.gauge_change if closing is not None else Unknown(GAUGE_ONCE),
        vix_note,
        implied_note,
    )


def _official(closing: Session | None, daily: Daily) -> Callable[[str], Trade | None]:
    """Official closes for the row of the close."""

    def close(symbol: str) -> Trade | None:
        price = None if closing is None else daily.close(symbol, closing)
        return None if price is None or closing is None else Trade(price, closing.close)

    return close


def move_at(
    due: datetime,
    at: datetime,
    references: Mapping[str, Pair | Unknown],
    read: Read,
    max_age_s: float = MAX_AGE_S,
    official: Callable[[str], Trade | None] = lambda _: None,
) -> Move | Unknown:
    """Move at `due` of the best kind that traded then, after the release of `at`; else what each lacked."""
    passed: list[str] = []
    for kind, pair in references.items():
        found = _of_kind(kind, pair, due, at, read, max_age_s, official)
        if isinstance(found, Unknown):
            passed.append(found.reason)
            continue
        rut, ndx = found
        assert isinstance(pair, Pair)
        moves = [100.0 * (now.price / then.price - 1.0) for now, then in ((rut, pair.rut), (ndx, pair.ndx))]
        ratio = 100.0 * ((1.0 + moves[1] / 100.0) / (1.0 + moves[0] / 100.0) - 1.0)
        note = f"{'; '.join(passed)}: {KIND_NAMES[kind]} shown" if passed else ""
        age_s = (due - min(rut.at, ndx.at)).total_seconds()
        return Move(moves[0], moves[1], moves[0] - moves[1], ratio, kind, note, age_s)
    return Unknown("; ".join(passed))


def _of_kind(
    kind: str,
    pair: Pair | Unknown,
    due: datetime,
    at: datetime,
    read: Read,
    max_age_s: float,
    official: Callable[[str], Trade | None],
) -> tuple[Trade, Trade] | Unknown:
    name = KIND_NAMES[kind]
    if isinstance(pair, Unknown):
        return Unknown(f"{name}: {pair.reason}")
    trades = []
    for symbol in symbols_of(kind):
        trade = official(symbol) or read(symbol, due)
        if trade is None:
            return Unknown(f"{name}: no price of {symbol}")
        late_s = (due - trade.at).total_seconds()
        if late_s > max_age_s:
            return Unknown(f"{name} {duration(late_s)} late")
        if trade.at <= at:
            return Unknown(f"{name}: no price of {symbol} since the release")
        trades.append(trade)
    rut, ndx = trades
    gap_s = (ndx.at - rut.at).total_seconds()
    if abs(gap_s) > max_age_s:
        return Unknown(f"{name}: {'RUT' if gap_s > 0 else 'NDX'} {duration(abs(gap_s))} late")
    return rut, ndx


def _now(
    at: datetime,
    moment: datetime,
    day: Session | None,
    references: Mapping[str, Pair | Unknown],
    read: Read,
    max_age_s: float,
) -> Move | Unknown:
    close = _due(None, at, day)
    if close is not None and moment >= close:
        return Unknown("the session is over: the row of the close tells")
    return move_at(moment, at, references, read, max_age_s)


def _vix(due: datetime, at: datetime, closing: Session | None, read: Read, daily: Daily) -> tuple[Maybe, str]:
    """Change of the VIX since the release, points; for the close from official closes where nothing finer is."""
    before, now = read("^VIX", at - LEAD), read("^VIX", due)
    if before is not None and now is not None:
        aged = (at - before.at).total_seconds() > REFERENCE_AGE_S
        late_s = (due - now.at).total_seconds()
        if not aged and late_s <= VIX_AGE_S and now.at > at:
            return now.price - before.price, ""
    if closing is None:
        return Unknown("no VIX at the release and at this time"), ""
    close, prior = daily.close("^VIX", closing), daily.close("^VIX", NYSE.previous(closing.day))
    if close is None or prior is None:
        return Unknown("no close of the VIX of this day and the day before"), ""
    return close - prior, "from the prior close: no VIX at the release"


def _implied(due: datetime, at: datetime, closing: Session | None, daily: Daily) -> tuple[Maybe, str]:
    before, now = daily.implied(at - LEAD), daily.implied(due)
    if isinstance(before, float) and isinstance(now, float):
        return now - before, ""
    if closing is None:
        return (now if isinstance(now, Unknown) else before), ""
    return daily.implied_of_day_bp, "from the settlement of the day before"


# Earlier reactions


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Spread of one release: minutes since it (ends of bars), percentage points, NaN where unknown."""

    at: datetime
    minute: FloatArray
    spread_pp: FloatArray

    def value_at(self, minute: float) -> float | None:
        """Spread at the end of the bar that ends at `minute`, or up to a minute before; None where unknown."""
        row = int(np.searchsorted(self.minute, minute, side="right")) - 1
        if row < 0 or minute - self.minute[row] > 1.0 or not np.isfinite(self.spread_pp[row]):
            return None
        return float(self.spread_pp[row])


@dataclass(frozen=True, slots=True, eq=False)
class Reactions:
    """Paths of one kind of instrument and basis: of one release, and of earlier ones like it, oldest first."""

    kind: str
    basis: Basis
    today: Path | None
    earlier: tuple[Path, ...]
    scheduled: int
    """How many earlier releases the schedule holds: those without bars in the store are missing from `earlier`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One reaction among earlier ones at the same minute: of all, and of those with the same sign of surprise.

    Places count the release itself too. `same_sign` is Unknown where the sign is.
    """

    minute: float
    spread_pp: float
    among_all: Rank
    same_sign: Rank | Unknown


def standing(
    found: Reactions, minute: float, signs: Mapping[datetime, int], own: int | Unknown
) -> Standing | Unknown:
    """Rank the spread of the release at `minute` since it among those of earlier ones at the same minute.

    Parameters
    ----------
    signs
        Sign of the surprise of each earlier release for which both figures were typed.
    own
        Sign of the surprise of this release.
    """
    value = None if found.today is None else found.today.value_at(minute)
    if value is None:
        return Unknown(f"no spread of this release {minute:.0f} min after it")
    others = {one.at: at_it for one in found.earlier if (at_it := one.value_at(minute)) is not None}
    same: Rank | Unknown
    if isinstance(own, Unknown):
        same = own
    else:
        alike = [spread for at, spread in others.items() if signs.get(at) == own]
        same = _rank(value, alike)
    return Standing(minute, value, _rank(value, list(others.values())), same)


def _rank(value: float, others: Sequence[float]) -> Rank:
    return Rank(sum(one > value for one in others) + 1, len(others) + 1)


def path(at: datetime, end_s: FloatArray, spread_pp: FloatArray) -> Path:
    """Path of one release from ends of bars (seconds since 1970 UTC); what lies before the release is left out."""
    minute = (end_s - at.timestamp()) / 60.0
    keep = minute > 0
    return Path(at, frozen_array(minute[keep]), frozen_array(spread_pp[keep]))
