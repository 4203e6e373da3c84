"""What stands behind a window: a store, a clock, a feed, and what builds its frames. Live, or the demo.

A desk is made in no time and fills itself on the engine's thread, with the first frame it is asked for: opening
the store or simulating the demo never holds up a paint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeAlias

from desktop import snapshot, thesis
from desktop.alert_watch import Watcher
from desktop.analytics.rates import zq_symbol
from desktop.answers import Answers
from desktop.book import Book
from desktop.book_file import open_book
from desktop.changes import ChangeLog
from desktop.credentials import Credentials
from desktop.deferred import Deferred
from desktop.journal_book import Journal
from desktop.journal_values import readings
from desktop.market.clock import Clock, PlayClock, SystemClock
from desktop.market.database import StoreError
from desktop.market.instruments import LIVE_SYMBOLS, PAIRS
from desktop.market.known import UserError
from desktop.market.releases import Schedules
from desktop.market.sessions import trading_day
from desktop.market.store import FILE_NAME, SeriesView, Store
from desktop.market.universe import universe
from desktop.presenters.frame import Frame, FramePresenter, Refreshing, View
from desktop.presenters.journal import PAST, Kept, version_lines
from desktop.presenters.release import parts_of
from desktop.presenters.time_machine import with_refreshes
from desktop.presenters.words import clock_et, moment_et, source_name
from desktop.refreshes import Refresh, Refreshes
from desktop.release_desk import NOT_NOW, ArmingError, ReleaseDesk, ReleaseLook
from desktop.settings import Settings
from desktop.setups import Setups
from desktop.snapshot import Snapshot, SnapshotBuilder
from desktop.sources.contract import Publisher, Source
from desktop.sources.feed import Feed, Plan
from desktop.sources.state import Progress
from desktop.sources.stream import Stream
from desktop.store_file import COPY_AFTER_S, STORE
from desktop.trade.alerts import Reading, Watch
from desktop.trade_entry import carry_file, enter
from desktop.typed_figures import seven
from widgets.states import PlaybackState, SetupAsked, SetupsState
from widgets.states_alerts import RuleAct, RuleForm
from widgets.states_journal import JournalFile, TradeTyped
from widgets.states_release import ArmAsked, DisarmAsked, FigureTyped, OwnDropped, OwnTyped, ReleaseAsked

OFFLINE = "offline: started with --offline"
PATH_MONTHS = 13
"""Contract months of fed funds futures that are quoted: a year of meetings, and the month that pins the last."""
_EMPTY = "the store is empty"
_REREAD_S = 1.5


class Mode(StrEnum):
    """Where a desk's prices come from."""

    LIVE = "live"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a desk works with once it is open."""

    store: Store
    book: Book
    clock: Clock
    feed: Feed
    told: str = ""
    """What the user should know of how they were opened."""
    keep_copy: Callable[[], None] = lambda: None
    """Makes the copy of the store that is due; takes its time."""


class Desk:
    """One store with its feed; `frame` is called on the engine's thread, everything else from any.

    `why` says why this desk is shown in place of the one that was asked for, "" when it was asked for.
    """

    def __init__(
        self,
        mode: Mode,
        open_parts: Callable[[Callable[[], None]], Parts],
        *,
        player: PlayClock | None = None,
        why: str = "",
    ) -> None:
        self.mode, self.player, self.why = mode, player, why
        self._open_parts = open_parts
        self._on_change: Callable[[], None] = lambda: None
        self._parts: Parts | None = None
        self._changes: ChangeLog
        self._setups: Setups
        self._watcher: Watcher
        self._releases: ReleaseDesk
        self._schedules: Schedules
        self._of_now: SnapshotBuilder | None = None
        self._refreshes: Refreshes
        self._journal: Journal
        self._alerts_max_age_s = Settings().alerts_max_age_s
        self._builder: SnapshotBuilder | None = None
        self._deferred: Deferred | None = None
        self._presenter = FramePresenter()
        self._begun = self._closed = False
        self._copying = threading.Timer(COPY_AFTER_S, self._keep_copy)
        self._copying.daemon = True
        self._opening = threading.Lock()
        self._sought: datetime | None = None
        self._days_held: tuple[tuple[int, ...], tuple[date, ...]] | None = None

    def start(self, on_change: Callable[[], None]) -> None:
        """Call `on_change`, on any thread, whenever a new frame would show something new."""
        self._on_change = on_change

    def begin(self) -> None:
        """Start the feed and the slow statistics: once the first frame is on the screen, not before."""
        if self._parts is not None and self._deferred is not None and not self._begun and not self._closed:
            self._begun = True
            self._deferred.begin()
            self._parts.feed.start()
            self._copying.start()
            self._changed()

    def _keep_copy(self) -> None:
        if self._parts is not None:
            self._parts.keep_copy()

    def frame(self, view: View) -> Frame:
        """Build the frame of this moment, or of the one `view` asks for.

        Raises
        ------
        StoreError
            By name, where the store cannot be opened or read.
        """
        parts, builder = self._opened()
        demo = self.mode is Mode.DEMO
        as_of = None if demo else view.as_of
        mode = snapshot.Mode.DEMO if demo else snapshot.Mode.LIVE if as_of is None else snapshot.Mode.AS_OF
        feed = parts.feed
        self._follow_sought(feed)
        self._refreshes.follow(feed, parts.store, parts.clock.now())
        feed.listen(wanted=view.settings.stream)
        self._alerts_max_age_s = view.settings.alerts_max_age_s
        now = parts.clock.now()
        self._releases.poll(now, self._schedules.at(now), parts.clock.speed, feed.ask_quotes, feed.hurry)
        seen = builder.build(as_of or parts.clock.now(), view.settings, mode=mode, feed=feed.states())
        refreshing = Refreshing(feed.refreshing, feed.last_refresh, feed.plan.off)
        judged = thesis.claims(seen)
        if mode is snapshot.Mode.LIVE:
            self._changes.follow(judged, view.settings, parts.clock.now())
        if mode is snapshot.Mode.AS_OF:
            self._watch_now(parts, view)
        frame = self._presenter.present(
            seen,
            view,
            refreshing=refreshing,
            progress=feed.progress or self._statistics,
            playback=self._playback(parts.clock.now()),
            empty="" if demo else self._empty(parts),
            why=self.why,
            clock_ahead_s=None if demo else getattr(parts.clock, "ahead_s", None),
            now=parts.clock.now(),
            judged=judged,
            minute_days=() if as_of is None else self._minute_days(parts.store),
            setups=self._shown_setups(view.settings),
            alerts=self._watcher.follow(seen, judged, view.settings, view.alert),
            journal=self._kept(seen),
            release=self._look_at_releases(seen, view, now),
            news=self._changes.unseen if as_of is None else (),  # what changed by now was not known then
        )
        if frame.time is None:
            return frame
        with suppress(
            StoreError
        ):  # a book that cannot be read is told in the journal; the past is shown all the same
            refreshed = [one.shown_at for one in self._refreshes.between(frame.time.first, frame.time.last)]
            return replace(frame, time=with_refreshes(frame.time, refreshed))
        return frame

    def _look_at_releases(self, seen: Snapshot, view: View, now: datetime) -> ReleaseLook | None:
        """What is known of releases; None where the book cannot be read."""
        try:
            return self._releases.look(seen, view.release, now, light=not self._begun)
        except StoreError:
            return None

    def _kept(self, seen: Snapshot) -> Kept:
        """The journal, of the past where that is seen; a broken book holds up no price."""
        past = seen.mode is snapshot.Mode.AS_OF
        try:
            trades = self._journal.as_of(seen.moment) if past else self._journal.everything()
        except StoreError as error:
            return Kept(wrong=str(error))
        return Kept(trades, told=self.told)

    def _of_journal(self, seen: Snapshot) -> Mapping[Watch, Reading]:
        """What alerts watch of the open trades, on prices as fresh as an alert wants them."""
        return readings(self._kept(seen).trades, seen, self._alerts_max_age_s)

    def _minute_days(self, store: Store) -> tuple[date, ...]:
        """Days with stored minutes, in order; read again only where bars came in."""
        symbols = [symbol for pair in PAIRS.values() for symbol in pair.values()]
        versions = tuple(store.bars_version(one) for one in symbols)
        if self._days_held is None or self._days_held[0] != versions:
            self._days_held = versions, tuple(sorted(store.minute_days(symbols)))
        return self._days_held[1]

    def _shown_setups(self, chosen: Settings) -> SetupsState:
        note = "kept until the demo is left" if self.mode is Mode.DEMO else ""
        try:
            current, changed = self._setups.current(chosen)
            return SetupsState(self._setups.names(), current, changed, note)
        except StoreError as error:
            return SetupsState(note=str(error))

    @property
    def _statistics(self) -> Progress | None:
        return None if self._deferred is None else self._deferred.progress

    def _watch_now(self, parts: Parts, view: View) -> None:
        """Alerts go on watching the prices of now while an earlier moment is shown."""
        if not self._watcher.has_rules:
            return
        if self._of_now is None:  # slow statistics are left out: what rests on them waits until now is shown
            self._of_now = SnapshotBuilder(
                parts.store, Deferred(lambda: None, held=True), charts=False, reread_s=_REREAD_S
            )
        now = self._of_now.build(parts.clock.now(), view.settings, feed=parts.feed.states())
        self._watcher.watch(now, thesis.claims(now), view.settings)

    def _follow_sought(self, feed: Feed) -> None:
        """Ask for what a paused demo was moved to: a clock that stands still makes nothing due."""
        if self._sought is not None and self.player is not None and self.player.paused and not feed.refreshing:
            self._sought = None
            feed.refresh_now()

    @property
    def told(self) -> str:
        """What the user should know of how the desk was opened, "" for nothing."""
        return "" if self._parts is None else self._parts.told

    @property
    def is_open(self) -> bool:
        """Whether the store could be opened; False until the first frame."""
        return self._parts is not None

    def _opened(self) -> tuple[Parts, SnapshotBuilder]:
        with self._opening:
            if self._parts is None or self._builder is None:
                if self._closed:
                    raise UserError("closed: another desk is shown")
                self._parts = self._open_parts(self._changed)
                self._deferred = Deferred(self._changed, held=True, answers=Answers(self._parts.store))
                self._changes = ChangeLog(self._parts.store)
                self._setups = Setups(self._parts.book)
                self._watcher = Watcher(self._parts.book, self._parts.store, self._deferred, self._of_journal)
                self._releases = ReleaseDesk(self._parts.store, self._parts.book, self._deferred)
                self._schedules = Schedules(self._parts.store)
                self._refreshes = Refreshes(self._parts.book)
                self._journal = Journal(self._parts.book)
                self._builder = SnapshotBuilder(self._parts.store, self._deferred, reread_s=_REREAD_S)
            return self._parts, self._builder

    def _changed(self) -> None:
        if not self._closed:
            self._on_change()

    def _empty(self, parts: Parts) -> str:
        """Why there is nothing to show and nothing is about to arrive; "" otherwise."""
        if any(parts.store.has(symbol) for symbol in ("^RUT", "^NDX")):
            return ""
        if parts.feed.plan.off:
            return f"{_EMPTY} and no source is asked ({parts.feed.plan.off})"
        failure = parts.feed.unreachable
        if failure is None:
            return ""
        return f"{_EMPTY} and {source_name(failure.source)} cannot be reached ({failure.message})"

    def _playback(self, now: datetime) -> PlaybackState | None:
        if self.player is None:
            return None
        from desktop.sources.demo import position_at

        return PlaybackState(
            position_at(now), clock_et(now), round(self.player.chosen_speed), paused=self.player.paused
        )

    # What the user asks for

    def see_news(self) -> None:
        """The user has seen what changed among the claims."""
        if self._parts is not None:
            self._changes.see()
            self._changed()

    def set_up(self, asked: SetupAsked, chosen: Settings) -> tuple[Settings, tuple[str, ...]]:
        """Load, save, rename or delete a set-up; returns the settings to go on with, and what is to be told.

        Raises
        ------
        UserError
            By name, where it cannot be done.
        """
        if self._parts is None:
            return chosen, ()
        told: tuple[str, ...] = ()
        match asked.action:
            case "load":
                chosen, told = self._setups.load(asked.name, chosen)
            case "save":
                self._setups.save(asked.name, chosen, self._parts.clock.now())
            case "rename":
                self._setups.rename(asked.name, asked.new)
            case "delete":
                self._setups.delete(asked.name)
        self._changed()
        return chosen, told

    def journal(self, typed: TradeTyped, snap: Snapshot, picture: str = "") -> str:
        """Write what was entered; `snap` is what the window shows. Returns what to tell.

        Raises
        ------
        UserError
            By name: a line that is no fill, a trade that was changed in another window, a past moment shown.
        """
        if self._parts is None:
            return ""
        if snap.mode is snapshot.Mode.AS_OF:
            raise UserError(f"not entered: {PAST}")
        told = enter(self._journal, typed, self._parts.clock.now(), picture)
        self._changed()
        return told

    def journal_versions(self, number: int) -> tuple[list[str], str]:
        """Every version of a trade in words, latest first, and the name of its picture at entry, "" without one.

        Why not, in words, where the book cannot be read.
        """
        if self._parts is None:
            return [], ""
        try:
            versions = self._journal.versions(number)
        except StoreError as error:
            return [str(error)], ""
        return version_lines(versions), versions[-1][1].picture if versions else ""

    def journal_file(self, asked: JournalFile) -> str:
        """Write the journal as CSV, or add the trades of one; returns what to tell."""
        if self._parts is None:
            return ""
        told = carry_file(self._journal, asked, self._parts.clock.now())
        self._changed()
        return told

    def alert(self, asked: RuleForm | RuleAct) -> None:
        """Carry out what the user asked of the alerts; raises UserError where it cannot be."""
        if self._parts is not None:
            self._watcher.act(asked, self._parts.clock.now())
            self._changed()

    def release(self, asked: ReleaseAsked, *, as_of: datetime | None) -> str:
        """Do what the release panel asks for; returns what to tell, "" for nothing.

        Raises
        ------
        ArmingError
            Nothing can be armed, or time is set back.
        """
        parts = self._parts
        if parts is None or self._builder is None:
            return ""
        told = ""
        match asked:
            case ArmAsked(key):
                if as_of is not None:
                    raise ArmingError(f"not armed: {NOT_NOW}")
                now = parts.clock.now()
                # A schedule of its own: that of the frames is the engine thread's.
                armed = self._releases.arm(key, Schedules(parts.store).at(now), now)
                told = (
                    f"armed{' in the demo' if self.mode is Mode.DEMO else ''}: {armed.name} {moment_et(armed.at)}"
                )
                if parts.feed.plan.off:
                    told += f"; nothing will be asked ({parts.feed.plan.off})"
            case DisarmAsked():
                self._releases.disarm()
                told = "nothing is armed"
            case OwnTyped(number, title, day, clock):
                self._releases.keep_own(title, day, clock, number)
            case OwnDropped(number):
                self._releases.drop_own(number)
            case FigureTyped(key, text):
                self._releases.type_figure(*parts_of(key), text)
        self._changed()
        return told

    def refresh(self) -> None:
        """Ask every source now; does nothing while such a refresh still runs."""
        if self._parts is not None:
            feed = self._parts.feed
            if self._begun and not feed.refreshing and not feed.plan.off:  # else nothing is asked
                self._refreshes.asked(self._parts.clock.now())
            feed.refresh_now()

    def refreshes(self) -> tuple[Refresh, ...]:
        """Every manual refresh of this desk, the latest first."""
        return () if self._parts is None else self._refreshes.all()

    def test(self, source: str) -> None:
        """Ask one source now."""
        if self._parts is not None:
            self._parts.feed.test(source)

    def pause(self, source: str, *, paused: bool) -> None:
        """Leave one source alone, or ask it again."""
        if self._parts is not None:
            self._parts.feed.pause(source, paused=paused)

    def cancel(self) -> None:
        """Stop fetching history."""
        if self._parts is not None:
            self._parts.feed.cancel_backfill()

    def seek(self, position: float) -> None:
        """Move the demo to a position, 0 to 1."""
        if self.player is not None:
            from desktop.sources.demo import time_at

            self._sought = time_at(position)
            self.player.seek(self._sought)

    def close(self) -> None:
        """Stop the feed and close the store; a frame under way may still fail with a StoreClosedError."""
        with self._opening:  # what is being opened is closed too; nothing is opened afterwards
            self._closed = True
        if self._deferred is not None:
            self._deferred.close()
        self._copying.cancel()
        if self._copying.is_alive():
            self._copying.join()
        if self._parts is not None:
            self._parts.feed.stop()
            self._parts.store.close()
            self._parts.book.close()


Sources: TypeAlias = Callable[[Store, Clock], Sequence[Source]]
"""Makes the sources that a live feed asks."""


def keyed(keys: Credentials, first: Sources) -> Sources:
    """Return what makes the sources of `first`, and those that want a key."""

    def sources(store: Store, clock: Clock) -> Sequence[Source]:
        from desktop.sources.alpaca import Alpaca
        from desktop.vendors import alpaca_key

        return (*first(store, clock), Alpaca(clock, lambda: alpaca_key(keys)))

    return sources


def yahoo(store: Store, clock: Clock) -> Sequence[Source]:
    """Return the live source that wants no key."""
    from desktop.sources.yahoo import Yahoo

    return (Yahoo(_yahoo_folder(store), clock, known_close=store.last_close),)


def yahoo_apart(store: Store, clock: Clock) -> Sequence[Source]:
    """Return the same in a process of its own: behind a window, which its imports and parsing must not hold up."""
    from desktop.sources.remote import Remote
    from desktop.sources.yahoo import NAME, made_of

    make = partial(made_of, cache_folder=_yahoo_folder(store))
    return (Remote(NAME, make, clock, known_close=store.last_close),)


def _yahoo_folder(store: Store) -> Path:
    return (store.path.parent if store.path is not None else Path()) / "yfinance"


Publishers: TypeAlias = Callable[[Store, Clock], Sequence[Publisher]]
"""Makes the official publishers that a live feed asks."""


def official(store: Store, clock: Clock, fred_key: Callable[[], str | None] = lambda: None) -> Sequence[Publisher]:
    """Return the official publishers; `fred_key` answers at once with the user's key, None without one."""
    from desktop.sources.bls import Bls
    from desktop.sources.cboe import Cboe
    from desktop.sources.cftc import Cftc
    from desktop.sources.federal_reserve import FederalReserve
    from desktop.sources.fred import Fred, FredCalendar
    from desktop.sources.new_york_fed import NewYorkFed
    from desktop.sources.treasury import Treasury

    def known(series: str) -> SeriesView:
        # What arrives a little before the evening that makes it known is stored all the same.
        return store.series(series, clock.now() + timedelta(days=7))

    return (
        Cboe(clock, store.closes),
        Treasury(clock, known),
        NewYorkFed(clock, known),
        Fred(clock, known),
        FredCalendar(clock, fred_key),
        Cftc(clock, known),
        Bls(clock),
        FederalReserve(clock),
    )


def open_live(
    folder: Path,
    *,
    offline: bool = False,
    sources: Sources | None = None,
    publishers: Publishers | None = None,
    keys: Credentials | None = None,
) -> Desk:
    """Return the desk on the store in `folder`.

    Without `sources` the live ones are asked, with `keys` where they want one. Without `publishers` the official
    ones are asked beside the live sources, and none beside any other sources.
    """
    from desktop.vendors import fred_key

    held = keys or Credentials()
    theirs = sources or keyed(held, yahoo_apart)
    live = sources is None or sources is yahoo

    def open_parts(on_change: Callable[[], None]) -> Parts:
        clock = SystemClock()
        with ExitStack() as opened:  # what was opened is closed again where the next cannot be
            store, of_store = STORE.open(folder, clock.now())
            opened.callback(store.close)
            book, of_book = open_book(folder, clock.now())
            opened.pop_all()
        if publishers is not None:
            beside = publishers(store, clock)
        else:
            beside = official(store, clock, lambda: fred_key(held)) if live else ()
        plan = live_plan(offline=offline)
        stream = Stream(store, clock, on_change, plan, known_close=store.last_close)
        feed = Feed(store, theirs(store, clock), clock, on_change, plan, beside, stream)
        told = "; ".join(filter(None, (of_store, of_book)))
        return Parts(store, book, clock, feed, told, lambda: STORE.keep_copy(store, folder, clock.now()))

    return Desk(Mode.LIVE, open_parts)


def open_demo(*, why: str = "") -> Desk:
    """Return the desk that plays the demo session; `why` when nobody asked for it."""
    from desktop.sources.demo import demo_clock

    player = demo_clock()

    def open_parts(on_change: Callable[[], None]) -> Parts:
        from desktop.sources.demo import DemoSource, build_demo

        store = Store(None)
        day = build_demo(store)
        feed = Feed(store, (DemoSource(day, player),), player, on_change, demo_plan())
        return Parts(store, Book(None), player, feed)

    return Desk(Mode.DEMO, open_parts, player=player, why=why)


def live_plan(*, offline: bool = False, today: date | None = None) -> Plan:
    """What the live feed asks for: the defaults, the seven names, the history of the universe, fed funds futures.

    The futures are those of the 13 months from `today` on (in New York; None is now). All is quoted in one batch;
    names and futures come last, after what the panels show.
    """
    names = universe()
    month, futures = (today or trading_day(datetime.now(UTC))).replace(day=1), []
    for _ in range(PATH_MONTHS):
        futures.append(zq_symbol(month))
        month = (month + timedelta(days=32)).replace(day=1)
    live = (*LIVE_SYMBOLS, *seven(), *futures)
    return Plan(live=live, universe=names.tickers, compiled=names.compiled, off=OFFLINE if offline else "")


def demo_plan() -> Plan:
    """What the demo's feed asks for: everything the demo holds is there from its start but the day itself."""
    return Plan(open_s=15.0, closed_s=15.0)


def import_files(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Import files into the store of `folder`; one line a file, refused ones with the cause."""
    from desktop.sources import files

    lines = []
    with Store(folder / FILE_NAME) as store:
        for path in paths:
            try:
                lines.append(files.describe(files.import_file(path, store)))
            except (files.ImportRefusedError, OSError) as error:
                lines.append(str(error))
    return lines
