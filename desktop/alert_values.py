"""What alerts are judged by: readings of a snapshot, and the daily history of the same numbers.

Prices count only while they are live and younger than the limit; a number that is published once a day counts when
it is of the last session or of the one before. Nothing of an earlier moment ever counts.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

import numpy as np

from desktop.analytics.divergence import DivergenceStats, Rank, Reference, daily_moves
from desktop.analytics.rates import rate_moves
from desktop.analytics.regime import SEVERITY, State
from desktop.market.known import Maybe, Unknown
from desktop.market.quotes import DayArray, FloatArray
from desktop.market.releases import ReleaseKind, Schedule
from desktop.market.sessions import NYSE, new_york
from desktop.market.store import Store
from desktop.presenters.thesis import kill_level
from desktop.settings import Settings
from desktop.snapshot import History, Mode, Snapshot
from desktop.sources.state import FeedState, SourceState
from desktop.thesis import Claim
from desktop.trade.alerts import Reading, Subject, Watch

NOT_NOW = "an earlier moment is shown"
NO_TRADE = "no open trade is known here"
NONE_GIVEN_UP = "none given up"
BEING_COMPUTED = "being computed"
LEAST_RANKED = 1000
"""Days before a rank says something: among a few days any day is one of the largest."""
_CLOSE = time(16)
_NO_AGE = Unknown("it has no age: it is of this moment")
_WELL = frozenset({FeedState.LIVE, FeedState.DELAYED, FeedState.CLOSED})


@dataclass(frozen=True, slots=True)
class Seen:
    """What readings are taken from. `kills` remembers, from moment to moment, which claims were given up."""

    snapshot: Snapshot
    judged: Sequence[Claim]
    settings: Settings
    kills: MutableMapping[str, bool]
    outside: Mapping[Watch, Reading]


def read(watch: Watch, seen: Seen) -> Reading:
    """Return what `watch` reads now; blocked where nothing may act on it."""
    found = seen.outside.get(watch) or _READERS[watch.subject](seen, watch.param)
    if seen.snapshot.mode is Mode.AS_OF:
        return Reading(found.value, found.at, found.age_s, found.source, NOT_NOW)
    return found


# Prices


def _price(seen: Seen, value: Maybe, reference: Reference = Reference.PRIOR_CLOSE) -> Reading:
    """A number that moves with the prices of both legs."""
    snapshot = seen.snapshot
    now = snapshot.today.spreads[reference]
    if isinstance(now, Unknown):
        return Reading(value, source="closes", blocked=f"no live price of both legs: {now.reason}")
    age_s = max(now.rut_age_s, now.ndx_age_s, (snapshot.moment - now.at).total_seconds())
    return Reading(value, now.at, age_s, now.label, _too_old(snapshot, age_s, seen.settings.alerts_max_age_s))


def _too_old(snapshot: Snapshot, age_s: float, limit_s: float) -> str:
    if snapshot.moment > snapshot.today.session.close:
        return "the session is over: live prices are awaited"
    if age_s > limit_s:
        return f"the price is {age_s:.0f} s old, the limit is {limit_s:.0f} s"
    return ""


def _ratio(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.ratio
    return _closed_or_live(seen, stats if isinstance(stats, Unknown) else stats.value)


def _ratio_z(seen: Seen, param: str) -> Reading:
    stats = seen.snapshot.ratio
    return _closed_or_live(seen, stats if isinstance(stats, Unknown) else stats.z[int(param)])


def _closed_or_live(seen: Seen, value: Maybe) -> Reading:
    """The ratio: an official close where there is no live point, on which nothing acts."""
    snapshot, pair = seen.snapshot, seen.snapshot.history.pair
    if snapshot.live:
        return _price(seen, value)
    day = pair.day(-1) if len(pair) else snapshot.history.day
    why = "an official close: live prices are awaited"
    return Reading(value, _close_of(day), _age_s(snapshot, day), "official closes", why)


def _divergence(seen: Seen, param: str) -> Reading:
    reference = Reference(param)
    now = seen.snapshot.today.spreads[reference]
    return _price(seen, now if isinstance(now, Unknown) else now.spread_pp, reference)


def _rank(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.divergence
    rank = stats.rank if isinstance(stats, DivergenceStats) else stats
    return _closed_or_live(seen, float(rank.rank) if isinstance(rank, Rank) else rank)


# Published once a day


def _daily(snapshot: Snapshot, value: float | str | Unknown, day: date | None, source: str) -> Reading:
    if isinstance(value, Unknown) or day is None:
        return Reading(value if isinstance(value, Unknown) else Unknown("no day of it is known"), source=source)
    oldest = _session_before(snapshot.history.day)
    late = f"it is of {day}, older than the session before the last" if day < oldest else ""
    return Reading(value, _close_of(day), _age_s(snapshot, day), source, late, str(day))


@lru_cache(maxsize=8)
def _session_before(day: date) -> date:
    return NYSE.previous(day).day


def _close_of(day: date) -> datetime:
    return datetime.combine(day, _CLOSE, new_york).astimezone(UTC)


def _age_s(snapshot: Snapshot, day: date) -> float:
    return max(0.0, (snapshot.moment - _close_of(day)).total_seconds())


def _correlation(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.correlation
    value, day = (stats, None) if isinstance(stats, Unknown) else (stats.mean_pairwise[21], stats.date)
    return _daily(seen.snapshot, value, day, "closes of the universe")


def _cor1m(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.correlation
    value, day = (stats, None) if isinstance(stats, Unknown) else (stats.implied_cor1m, stats.implied_date)
    return _daily(seen.snapshot, value, day, "Cboe COR1M, close")


def _vix(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.regime
    value, day = (stats, None) if isinstance(stats, Unknown) else (stats.readings.vix, stats.date)
    return _daily(seen.snapshot, value, day, "Cboe VIX, close")


def _regime(seen: Seen, _: str) -> Reading:
    stats = seen.snapshot.regime
    if isinstance(stats, Unknown):
        return _daily(seen.snapshot, stats, None, "regime votes")
    value = Unknown(stats.why or "a vote is missing") if stats.state is State.UNKNOWN else stats.state.value
    return _daily(seen.snapshot, value, stats.date, "regime votes")


def _two_year(seen: Seen, _: str) -> Reading:
    rates = seen.snapshot.evidence.rates
    stats = rates if isinstance(rates, Unknown) else rates.two_year
    value, day = (stats, None) if isinstance(stats, Unknown) else (stats.change_bp, stats.date)
    return _daily(seen.snapshot, value, day, "2-year yield (DGS2)")


def _policy(seen: Seen, param: str) -> Reading:
    source, rates = "fed funds futures", seen.snapshot.evidence.rates
    if isinstance(rates, Unknown):
        return Reading(rates, source=source)
    path, strip = rates.path, rates.strip
    if isinstance(path, Unknown) or isinstance(strip, Unknown):
        return Reading(path if isinstance(path, Unknown) else Unknown("no prices of futures"), source=source)
    ahead = path.meetings[: int(param)]
    bp: Maybe = ahead[-1].cumulative_bp if len(ahead) == int(param) else Unknown("so many meetings are not known")
    found = _daily(seen.snapshot, bp, strip.last, source)
    return Reading(found.value, found.at, found.age_s, source, found.blocked)


# Claims, trades, sources, the calendar


def _kill(seen: Seen, _: str) -> Reading:
    """Which claims are given up. One that is not known for now counts as it last did."""
    source = "kill levels of the thesis"
    watched = [(one, kill_level(seen.settings, one.id)[0]) for one in seen.judged]
    watched = [(claim, level) for claim, level in watched if level is not None]
    for id_ in set(seen.kills) - {claim.id for claim, _ in watched}:
        del seen.kills[id_]
    for claim, level in watched:
        if not isinstance(claim.value, Unknown):
            seen.kills[claim.id] = claim.killed(level)
        elif claim.id not in seen.kills and claim.note.startswith(BEING_COMPUTED):
            return Reading(Unknown(f"{claim.claim}: {BEING_COMPUTED}"), source=source)
    if not watched:
        return Reading(Unknown("no kill level is typed on the thesis board"), source=source)
    given_up = ", ".join(claim.claim for claim, _ in watched if seen.kills.get(claim.id)) or NONE_GIVEN_UP
    snapshot = seen.snapshot
    blocked = f"closes of {snapshot.stale_days} sessions are missing" if snapshot.stale_days else ""
    price = _price(seen, 0.0)
    if snapshot.live:
        return Reading(given_up, price.at, price.age_s, source, blocked or price.blocked)
    return Reading(
        given_up, _close_of(snapshot.history.day), _age_s(snapshot, snapshot.history.day), source, blocked
    )


def _no_trade(_: Seen, __: str) -> Reading:
    return Reading(Unknown(NO_TRADE), source="journal")


def _feed(seen: Seen, param: str) -> Reading:
    one = next((one for one in seen.snapshot.feed if one.source == param), None)
    if one is None:
        return Reading(Unknown("no such source is asked here"), source=param)
    return Reading(feed_word(one), seen.snapshot.moment, _NO_AGE, one.source)


def feed_word(one: SourceState) -> str | Unknown:
    """How a source stands in one word; unknown where it is not asked, or has not answered yet."""
    if one.state in _WELL:
        return "well"
    if one.state is FeedState.OFF:
        return Unknown(one.note or "off")
    if one.state is FeedState.UNAVAILABLE and one.last_error is None:
        return Unknown("it has not been asked yet")
    return one.state.value


def _release(seen: Seen, param: str) -> Reading:
    snapshot = seen.snapshot
    found = snapshot.schedule.next(snapshot.moment, ReleaseKind(param) if param else None)
    if found is None:
        return Reading(Unknown("the calendar of releases ends before it"), source="calendar")
    minutes = (found.at - snapshot.moment).total_seconds() / 60
    return Reading(
        minutes, snapshot.moment, _NO_AGE, found.name, occasion=f"{found.kind.value} {found.at.isoformat()}"
    )


_READERS: Mapping[Subject, Callable[[Seen, str], Reading]] = {
    Subject.RATIO: _ratio,
    Subject.RATIO_Z: _ratio_z,
    Subject.DIVERGENCE: _divergence,
    Subject.DIVERGENCE_RANK: _rank,
    Subject.CORRELATION: _correlation,
    Subject.COR1M: _cor1m,
    Subject.VIX: _vix,
    Subject.REGIME: _regime,
    Subject.KILL: _kill,
    Subject.TWO_YEAR: _two_year,
    Subject.POLICY: _policy,
    Subject.PNL: _no_trade,
    Subject.RESIDUAL_BETA: _no_trade,
    Subject.FEED: _feed,
    Subject.RELEASE: _release,
}


# Daily history


@dataclass(frozen=True, slots=True)
class Daily:
    """One value a day, oldest first; NaN or "" where a day has none."""

    days: DayArray
    values: Sequence[float | str]
    n: int | None = None
    """Days it could have happened on, where those are not `days`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the history of a watch is made from (`key` names it), and how; `make` may take a while."""

    key: Hashable
    make: Callable[[], Daily]


def daily(watch: Watch, snapshot: Snapshot, store: Store) -> Question | Unknown:
    """How to make the daily history of `watch` as known at the moment of `snapshot`; Unknown where none is."""
    history, day, moment = snapshot.history, snapshot.history.day, snapshot.moment
    pair = history.pair
    legs = (len(pair), day, float(pair.log_ratio[-1]) if len(pair) else 0.0)
    match watch.subject:
        case Subject.RATIO:
            return Question(legs, lambda: Daily(pair.days, pair.ratio.tolist()))
        case Subject.RATIO_Z:
            window = int(watch.param)
            return Question(legs, lambda: Daily(pair.days, z_history(pair.log_ratio, window).tolist()))
        case Subject.DIVERGENCE if watch.param == Reference.PRIOR_CLOSE:
            return Question(legs, lambda: _gaps(history))
        case Subject.DIVERGENCE:
            return Unknown("only the gap since the prior close has a long daily history")
        case Subject.DIVERGENCE_RANK:
            return Question(legs, lambda: _ranks(history))
        case Subject.CORRELATION if not isinstance(history.correlation, Unknown):
            rolling = history.correlation.rolling
            key = (len(rolling.days), history.correlation.date, history.correlation.n_names)
            return Question(key, lambda: Daily(rolling.days, rolling.mean_pairwise.tolist()))
        case Subject.COR1M | Subject.VIX:
            symbol = {Subject.COR1M: "^COR1M", Subject.VIX: "^VIX"}[watch.subject]
            return Question((store.bars_version(symbol), day), lambda: _closes(store, symbol, day))
        case Subject.REGIME if not isinstance(history.regime, Unknown):
            states = history.regime.history
            words = ("", *(one.value for one in SEVERITY))  # -1 is unknown
            votes = (len(states.days), history.regime.date, history.regime.thresholds)
            return Question(
                votes, lambda: Daily(states.days, [words[1 + one] for one in states.severity.tolist()])
            )
        case Subject.TWO_YEAR:
            rates = snapshot.evidence.rates
            stats = rates if isinstance(rates, Unknown) else rates.two_year
            if isinstance(stats, Unknown):
                return stats
            return Question((legs, stats.two_year_date), lambda: _yield_moves(store, history, moment))
        case Subject.RELEASE:
            kind, schedule = ReleaseKind(watch.param) if watch.param else None, snapshot.schedule
            # The schedule never changes: another one is another object.
            return Question((schedule, day), lambda: _occasions(schedule, kind, moment))
        case _:
            return Unknown("no daily history of it is stored")


def z_history(x: FloatArray, window: int) -> FloatArray:
    """The z-score of each value among the last `window` values, itself included (ddof 1); NaN at the start."""
    z = np.full(len(x), np.nan)
    if len(x) < window:
        return z
    centred = x - x.mean()
    total, squares = (np.concatenate(([0.0], np.cumsum(one))) for one in (centred, centred * centred))
    s, q = total[window:] - total[:-window], squares[window:] - squares[:-window]
    sd = np.sqrt(np.maximum(q - s * s / window, 0.0) / (window - 1))
    moved = sd > 1e-9
    z[window - 1 :][moved] = (centred[window - 1 :][moved] - s[moved] / window) / sd[moved]
    return z


def _gaps(history: History) -> Daily:
    moves = daily_moves(history.pair)
    return Daily(moves.days, moves.spread_pp.tolist())


def _ranks(history: History) -> Daily:
    """The place of each day among the days up to it, 1 = largest: what was known then; NaN among too few."""
    moves = daily_moves(history.pair)
    sorted_so_far: list[float] = []
    ranks: list[float | str] = []
    for spread in moves.spread_pp.tolist():
        insort(sorted_so_far, -spread)
        rank = 1.0 + bisect_left(sorted_so_far, -spread)
        ranks.append(rank if len(sorted_so_far) >= LEAST_RANKED else float("nan"))
    return Daily(moves.days, ranks)


def _closes(store: Store, symbol: str, day: date) -> Daily:
    closes = store.closes(symbol, last=day)
    return Daily(closes.days, closes.close.tolist())


def _yield_moves(store: Store, history: History, moment: datetime) -> Daily:
    view = store.series("DGS2", moment)
    moves = rate_moves(history.pair, view.days, view.values)
    return Daily(moves.days, moves.change_bp.tolist())


def _occasions(schedule: Schedule, kind: ReleaseKind | None, moment: datetime) -> Daily:
    """A release counts once, whatever the minutes: before each the rule is far from its level again."""
    past = [at for at, one in schedule.entries if at <= moment and kind in (None, one)]
    days = np.array([at.astimezone(new_york).date() for at in past], dtype="datetime64[D]")
    n = int(np.busday_count(days[0], days[-1])) + 1 if past else 0
    return Daily(np.repeat(days, 2), [value for _ in past for value in (float("inf"), 0.0)], n)
