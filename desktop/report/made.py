"""From a data folder and a moment to the snapshot a report shows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from desktop import settings as user_settings
from desktop.answers import Answers
from desktop.deferred import Deferred
from desktop.market.instruments import LIVE_SYMBOLS, PAIRS
from desktop.market.known import UserError
from desktop.market.quotes import Quote
from desktop.market.sessions import NYSE, Phase
from desktop.market.store import FILE_NAME, Priority, Store
from desktop.presenters.thesis import kill_level
from desktop.presenters.words import day
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot, SnapshotBuilder
from desktop.sources.feed import FeedState, Plan, SourceState
from desktop.thesis import MEASURES

FROM_THE_STORE = "as stored: a report asks no source"

log = logging.getLogger(__name__)


class UnknownUniverseError(UserError):
    """A universe that the store does not have; carries the name and those there are."""

    def __init__(self, name: str, there: Sequence[str]) -> None:
        have = f"there are {', '.join(there)}" if there else "there is none yet: import a file of closes"
        super().__init__(f"no universe {name!r} in the store; {have}")
        self.name, self.there = name, tuple(there)


def snapshot_for(
    folder: Path, *, as_of: datetime | None = None, universe: str | None = None, demo: bool = False
) -> Snapshot:
    """Build the snapshot of the store in `folder` at `as_of` (UTC; None is now), or of the demo at its close.

    A folder without a store reads as an empty one and is left as it is. The user's settings count; `universe`
    takes the place of the one they name.

    Raises
    ------
    UnknownUniverseError
        The store has no `universe`.
    StoreError
        By name, where the store cannot be opened or read.
    """
    settings, problems = user_settings.load(folder)
    for line in problems:
        log.warning(line)
    if demo:
        with Store(None) as store:
            return _built(store, _play_demo(store), Mode.DEMO, settings, universe)
    path = folder / FILE_NAME
    with Store(path if path.exists() else None) as store:
        mode = Mode.LIVE if as_of is None else Mode.AS_OF
        return _built(store, as_of or datetime.now(UTC), mode, settings, universe)


def kill_levels_of(folder: Path) -> dict[str, float | None]:
    """By the id of a claim, the level at which the user of `folder` gives it up; None where none can be read."""
    settings, _ = user_settings.load(folder)
    return {claim: kill_level(settings, claim)[0] for claim in MEASURES}


def _built(store: Store, moment: datetime, mode: Mode, settings: Settings, universe: str | None) -> Snapshot:
    if universe is not None:
        there = [one.name for one in store.panels()]
        if universe not in there:
            raise UnknownUniverseError(universe, there)
        settings = replace(settings, universe=universe)
    feed = stored_sources(store, moment)
    return SnapshotBuilder(store, Deferred(answers=Answers(store))).build(moment, settings, mode=mode, feed=feed)


def _play_demo(store: Store) -> datetime:
    """Fill `store` with the demo session up to its close; returns that moment."""
    from desktop.market.clock import PlayClock
    from desktop.sources import demo

    close = NYSE.last_closed(demo.DEMO_END).close
    market = demo.build_demo(store)
    for bars in market.bars.values():
        store.put_bars(bars, source=demo.SOURCE_NAME, priority=Priority.VENDOR)
    clock = PlayClock(close, 1.0, end=close)
    answers = demo.DemoSource(market, clock).quotes(LIVE_SYMBOLS)
    store.put_quotes(one for one in answers.values() if isinstance(one, Quote))
    return close


def stored_sources(store: Store, moment: datetime) -> tuple[SourceState, ...]:
    """How the sources of the stored quotes stood at `moment`: by the age of what had arrived by then."""
    quotes = [one for symbol in LIVE_SYMBOLS if (one := store.last_quote(symbol, moment)) is not None]
    names = dict.fromkeys(one.source for one in quotes)
    return tuple(_source(name, [one for one in quotes if one.source == name], moment) for name in names)


def _source(name: str, quotes: Sequence[Quote], moment: datetime) -> SourceState:
    by_symbol = {one.symbol: one for one in quotes}
    pairs = [
        [by_symbol[symbol] for symbol in pair.values()]
        for pair in PAIRS.values()
        if all(symbol in by_symbol for symbol in pair.values())
    ]
    # A pair is as old as its older leg; the best pair speaks for the source.
    age_s, declared_s = min(
        (max(one.age_s(moment) for one in group), max(one.declared_delay_s for one in group))
        for group in pairs or [[one] for one in quotes]
    )
    fresh_s = Plan().live_age_s
    if age_s <= fresh_s:
        state = FeedState.LIVE
    elif NYSE.phase(moment) is Phase.CLOSED:
        state = FeedState.CLOSED
    else:
        state = FeedState.DELAYED if age_s <= declared_s + fresh_s else FeedState.STALE
    arrived = max(one.arrival_time for one in quotes)
    return SourceState(name, state, age_s, declared_s, arrived, None, None, FROM_THE_STORE)


_ORIGINS_OF = ("^NDX", "^RUT", "^VIX", "^VIX3M", "^COR1M", "^DSPX")


def origins_of(folder: Path, snapshot: Snapshot) -> tuple[str, ...]:
    """Where the daily closes behind `snapshot` came from, one line a symbol; none for the demo."""
    path = folder / FILE_NAME
    if snapshot.mode is Mode.DEMO or not path.exists():
        return ()
    lines = []
    with Store(path) as store:
        for symbol in _ORIGINS_OF:
            found = store.origins(symbol, snapshot.history.day)
            if found:
                parts = (
                    f"{one.source.removeprefix('file:')} ({day(one.first)} to {day(one.last)})" for one in found
                )
                lines.append(f"{symbol}: {', '.join(parts)}")
    return tuple(lines)
