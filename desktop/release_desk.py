"""What stands behind the release panel: calendar, the armed release, its reaction, earlier ones, surprises.

`poll` and `look` run on the engine's thread, orders come from any; the book keeps what must outlive a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from desktop.analytics import reactions
from desktop.analytics.reactions import LEAD, Board, Reactions, Standing, Trade, kinds_at, symbols_of
from desktop.analytics.surprise import UNITS, Surprise, SurpriseError, figure
from desktop.book import Book
from desktop.deferred import Deferred
from desktop.market import marks
from desktop.market.arming import Armed, Deed, Watch, armed_at, followed
from desktop.market.database import StoreError
from desktop.market.known import Unknown, UserError
from desktop.market.marks import Event, OwnEvent, of_own, own_event
from desktop.market.releases import ReleaseKind, Schedule
from desktop.market.sessions import NYSE, end_of_day, trading_day
from desktop.market.store import Store
from desktop.reaction_tape import SETTLED, SYMBOLS, ReactionTape, earlier_paths, fan
from desktop.release_records import ReleaseRecords
from desktop.snapshot import Mode, Snapshot

LIST_BACK, LIST_AHEAD = timedelta(days=31), timedelta(days=200)
SOON = timedelta(hours=12)
"""An armed release further ahead than this leaves the board to the last one."""
_FREEZE_UNTIL = timedelta(minutes=25)
_FRESH = timedelta(seconds=60)
_HURRY_BEFORE, _HURRY_UNTIL = timedelta(seconds=10), timedelta(seconds=60)
"""Around a release every quote counts: from so long before it to so long after."""
NOT_NOW = "time is set back: nothing is armed on prices of the past; Ctrl+Shift+T comes back to now"


class ArmingError(UserError):
    """Nothing can be armed; says why."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Consensus and actual of one release of the board: as typed, and what is wrong with either."""

    kind: ReleaseKind
    at: datetime
    surprise: Surprise
    consensus: str
    actual: str
    consensus_error: str = ""
    actual_error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseLook:
    """All that the panel and the rails show, as known at `moment`. `now` is the desk's clock.

    `missed` are seconds after the release at which no refresh could be made, `done` counts those made. `told` is
    what became of an armed release. `skew` warns of a wrong clock, "" where none is known.
    """

    moment: datetime
    now: datetime
    mode: Mode
    schedule: Schedule
    events: tuple[Event, ...]
    own: tuple[OwnEvent, ...]
    armed: Armed | None
    chosen: tuple[Event, ...]
    """The events of the moment whose reaction is shown."""
    board: Board | None
    missed: tuple[int, ...]
    done: int
    told: str
    typed: tuple[Typed, ...]
    reactions: Reactions | Unknown
    standing: Standing | Unknown
    n_typed: int
    """Earlier releases of the kind for which both figures were typed."""
    own_error: str
    own_saved: int
    skew: str
    frozen_symbols: tuple[str, ...] = ()
    light: bool = False
    """Only what costs nothing: the first paint comes first."""


class ReleaseDesk:
    """One store and book seen from its releases."""

    def __init__(self, store: Store, book: Book, deferred: Deferred) -> None:
        self._store, self._deferred, self._records = store, deferred, ReleaseRecords(book)
        self._lock = threading.RLock()
        self._tape, self._armed_tape = ReactionTape(store), ReactionTape(store)
        self._watch: Watch | None = None
        self._hurried: datetime | None = None
        self._read_version: object = None
        self._armed: Armed | None = None
        self._own: tuple[OwnEvent, ...] = ()
        self._surprises: dict[str, Mapping[datetime, Surprise]] = {}
        self._drafts: dict[tuple[str, datetime, str], tuple[str, str]] = {}
        self._told, self._own_error, self._own_saved = "", "", 0
        self._list: tuple[object, tuple[Event, ...]] | None = None
        self._board: tuple[object, Board] | None = None
        self._fan: tuple[object, Reactions | Unknown] | None = None
        self._past: tuple[object, list[datetime]] | None = None
        self._notes: tuple[object, Mapping[str, Trade], Sequence[Deed]] | None = None

    # Orders, from any thread

    def arm(self, key: str, schedule: Schedule, now: datetime) -> Armed:
        """Arm the moment of the event `key`, the next release where it is "".

        Raises
        ------
        ArmingError
            Nothing of that name lies ahead.
        """
        with self._lock:
            self._reread()
            ahead = [one for one in self._events(schedule, now) if one.release and one.at > now]
            if key:
                ahead = [one for one in ahead if one.key == key]
                if not ahead:
                    raise ArmingError("not armed: it lies in the past, or is no release")
            else:
                found = schedule.next(now)
                own = [of_own(one) for one in self._own if one.at > now]
                ahead = [*([marks.of_release(found)] if found else []), *own]
            if not ahead:
                raise ArmingError("not armed: no further release is known; refresh (F5), or add an own event")
            at = min(one.at for one in ahead)
            here = self._at(schedule, at)
            armed = armed_at(at, [(_arm_key(one), one.name) for one in here], now)
            self._records.arm(armed)
            self._told = ""
            return armed

    def disarm(self) -> None:
        """Forget what is armed; what was refreshed so far stays known."""
        with self._lock:
            self._records.arm(None)
            self._watch, self._told = None, ""

    def keep_own(self, title: str, day: str, clock: str, number: int = 0) -> None:
        """Keep an own event as typed; what is wrong with it is shown where it was typed."""
        with self._lock:
            try:
                self._records.keep_own(own_event(title, day, clock, number))
            except marks.OwnEventError as error:
                self._own_error = str(error)
                return
            self._own_error = ""
            self._own_saved += 1

    def drop_own(self, number: int) -> None:
        """Forget an own event."""
        with self._lock:
            self._records.drop_own(number)
            self._own_error = ""
            self._own_saved += 1

    def type_figure(self, kind: ReleaseKind, at: datetime, which: str, text: str) -> None:
        """Take what was typed as the "consensus" or "actual" of a release; a wrong figure changes nothing kept."""
        with self._lock:
            unit = UNITS[kind]
            try:
                value = figure(text, unit)
            except SurpriseError as error:
                self._drafts[kind, at, which] = text, str(error)
                return
            self._drafts[kind, at, which] = text, ""
            held = self._records.surprises(kind).get(at, Surprise(None, None, unit))
            consensus, actual = (value, held.actual) if which == "consensus" else (held.consensus, value)
            self._records.keep_surprise(kind, at, Surprise(consensus, actual, unit))

    # The engine's thread

    def poll(
        self,
        now: datetime,
        schedule: Schedule,
        speed: float,
        ask: Callable[[], object],
        hurry: Callable[[datetime], object] = lambda _: None,
    ) -> None:
        """Follow the armed release at `now`: ask for prices when due, freeze references, end when over.

        `hurry` is told, once, until when prices are wanted as often as the sources' budgets allow. A book that
        cannot be written is told in the panel; prices are asked for all the same.
        """
        with self._lock:
            try:
                self._follow(now, schedule, speed, ask)
                self._hurry(now, hurry)
            except StoreError as error:
                self._told = f"not kept: {error}"

    def _hurry(self, now: datetime, hurry: Callable[[datetime], object]) -> None:
        at = None if self._watch is None else self._watch.at
        if at is not None and at != self._hurried and at - _HURRY_BEFORE <= now < at + _HURRY_UNTIL:
            self._hurried = at
            hurry(at + _HURRY_UNTIL)

    def _follow(self, now: datetime, schedule: Schedule, speed: float, ask: Callable[[], object]) -> None:
        self._reread()
        armed = self._armed
        if armed is None:
            return
        after = followed(armed, schedule, now, [(_arm_key(of_own(one)), one.at, one.title) for one in self._own])
        if isinstance(after, str):
            self._records.arm(None)
            self._watch, self._told = None, f"disarmed: {after}"
            return
        if after != armed:
            self._records.arm(after)
            armed = after
        if self._watch is None or self._watch.at != armed.at:
            self._watch = Watch(armed.at, self._records.deeds(armed.at))
        watch = self._watch
        known = len(watch.deeds)
        if watch.poll(now, speed):
            ask()
        if len(watch.deeds) != known:
            self._records.keep_deeds(armed.at, watch.deeds)
        if armed.at <= now <= armed.at + _FREEZE_UNTIL:
            self._freeze(armed.at, now)
        if watch.is_over(now):
            self._records.arm(None)
            self._watch = None
            self._told = _ended(armed, watch)

    def _freeze(self, at: datetime, now: datetime) -> None:
        """Note the references that can no longer change: fresh ones, and those of a source that is past them."""
        held, found = self._records.frozen(at, now), {}
        tape = self._armed_tape
        tape.look(at)
        wanted = dict.fromkeys((*(symbol for kind in kinds_at(at) for symbol in symbols_of(kind)), "^VIX"))
        for symbol in wanted:
            if symbol in held:
                continue
            trade = tape.last(symbol, at - LEAD, now)
            if trade is None:
                continue
            latest = tape.last(symbol, now, now)
            past = latest is not None and latest.at > at
            if past or at - LEAD - trade.at <= _FRESH:
                found[symbol] = trade
        if found:
            self._records.freeze(at, found, now)

    def look(self, snapshot: Snapshot, key: str, now: datetime, *, light: bool = False) -> ReleaseLook:
        """Return what is to be shown at the snapshot's moment; `key` names the event whose board is asked for.

        A `light` look leaves out the board and earlier reactions.
        """
        with self._lock:
            self._reread()
            moment, schedule = snapshot.moment, snapshot.schedule
            events = self._events(schedule, moment)
            armed = self._armed
            chosen = self._chosen(events, schedule, key, None if snapshot.mode is Mode.AS_OF else armed, moment)
            at = chosen[0].at if chosen else None
            board = None if at is None or light else self._reaction(at, snapshot)
            typed = tuple(self._typed(one) for one in chosen if one.kind in UNITS)
            nothing: tuple[Unknown, Unknown, int] = _LATER, _LATER, 0
            found, place, n_typed = nothing if light else self._earlier(chosen, typed, snapshot)
            frozen, deeds = ({}, []) if at is None else self._noted(at, moment)
            if self._watch is not None and self._watch.at == at:
                deeds = self._watch.deeds
            return ReleaseLook(
                moment=moment,
                now=now,
                mode=snapshot.mode,
                schedule=schedule,
                events=events,
                own=self._own,
                armed=armed,
                chosen=chosen,
                board=board,
                missed=tuple(one.offset_s for one in deeds if one.missed and one.offset_s > 0),
                done=sum(not one.missed for one in deeds),
                told=self._told or ("" if armed is None else armed.told),
                typed=typed,
                reactions=found,
                standing=place,
                n_typed=n_typed,
                own_error=self._own_error,
                own_saved=self._own_saved,
                skew=next((one.note for one in snapshot.feed if "computer's clock" in one.note), ""),
                frozen_symbols=tuple(sorted(frozen)),
                light=light,
            )

    # Within

    def _reread(self) -> None:
        version = self._records.version
        if version != self._read_version:
            self._read_version = version
            self._armed, self._own = self._records.armed(), self._records.own_events()
            self._surprises = {}

    def _events(self, schedule: Schedule, moment: datetime) -> tuple[Event, ...]:
        day = trading_day(moment)
        key = schedule, day, self._own
        if self._list is None or self._list[0] != key:
            self._list = key, marks.agenda(schedule, day - LIST_BACK, day + LIST_AHEAD, self._own)
        return self._list[1]

    def _at(self, schedule: Schedule, at: datetime) -> tuple[Event, ...]:
        """Everything of one moment that can be armed."""
        found = [marks.of_release(one) for one in schedule.between(at, at + timedelta(seconds=1))]
        return (*found, *(of_own(one) for one in self._own if one.at == at))

    def _chosen(
        self, events: Sequence[Event], schedule: Schedule, key: str, armed: Armed | None, moment: datetime
    ) -> tuple[Event, ...]:
        wanted = next((one for one in events if one.key == key and one.release), None)
        if wanted is not None:
            return self._at(schedule, wanted.at)
        if armed is not None and armed.at - moment <= SOON:
            return self._at(schedule, armed.at)
        last = schedule.last(moment)
        if last is not None:
            return self._at(schedule, last.at)
        following = schedule.next(moment)
        return self._at(schedule, following.at) if following is not None else ()

    def _reaction(self, at: datetime, snapshot: Snapshot) -> Board:
        moment = snapshot.moment
        # A board that is over changes with what is stored, and once more a minute; one under way each second.
        step = 60 if moment > _end(at) + SETTLED else 1
        version = self._store.version if moment > at else 0
        key = at, version, int(moment.timestamp()) // step, self._read_version, snapshot.history.realised
        if self._board is None or self._board[0] != key:
            self._tape.look(at)
            made = reactions.board(
                at,
                moment,
                lambda symbol, by: self._tape.last(symbol, by, moment),
                self._tape.daily(moment, snapshot.schedule, snapshot.history.realised),
                frozen=self._noted(at, moment)[0],
            )
            if self._board is not None and self._board[1] == made:
                made = self._board[1]
            self._board = key, made
        return self._board[1]

    def _before(self, at: datetime, kind: ReleaseKind, schedule: Schedule) -> list[datetime]:
        """Releases of a kind before `at`, oldest first."""
        key = at, kind, schedule
        if self._past is None or self._past[0] != key:
            self._past = key, [found.at for found in schedule.between(_FIRST, at, kind)]
        return self._past[1]

    def _noted(self, at: datetime, moment: datetime) -> tuple[Mapping[str, Trade], Sequence[Deed]]:
        """References frozen by `moment` and refreshes of the release of `at`, as the book has them."""
        key = at, self._read_version, int(moment.timestamp())
        if self._notes is None or self._notes[0] != key:
            self._notes = key, self._records.frozen(at, moment), self._records.deeds(at)
        return self._notes[1], self._notes[2]

    def _typed(self, one: Event) -> Typed:
        kind = ReleaseKind(one.kind)
        held = self._of_kind(kind).get(one.at, Surprise(None, None, UNITS[kind]))
        words = []
        for which, value in (("consensus", held.consensus), ("actual", held.actual)):
            words.append(self._drafts.get((kind, one.at, which), ("" if value is None else f"{value:g}", "")))
        (consensus, wrong), (actual, wrong_too) = words
        return Typed(kind, one.at, held, consensus, actual, wrong, wrong_too)

    def _of_kind(self, kind: ReleaseKind) -> Mapping[datetime, Surprise]:
        if kind not in self._surprises:
            self._surprises[kind] = self._records.surprises(kind)
        return self._surprises[kind]

    def _earlier(
        self, chosen: Sequence[Event], typed: Sequence[Typed], snapshot: Snapshot
    ) -> tuple[Reactions | Unknown, Standing | Unknown, int]:
        """Reactions to earlier releases of the kind, and this one's place among them at the latest minute."""
        if not typed:
            nothing = Unknown("no release of a known kind is chosen")
            return nothing, nothing, 0
        at, moment = chosen[0].at, snapshot.moment
        one = next((one for one in typed if not isinstance(one.surprise.sign, Unknown)), typed[0])
        surprises = self._of_kind(one.kind)
        signs = {
            when: sign
            for when, what in surprises.items()
            if when < at and not isinstance(sign := what.sign, Unknown)
        }
        if moment <= at:
            waiting = Unknown("the release is still to come")
            return waiting, waiting, len(signs)
        schedule = snapshot.schedule
        earlier = self._before(at, one.kind, schedule)
        key = at, one.kind, schedule, self._store.history_version
        store = self._store
        paths = self._deferred.get("reactions", key, lambda: earlier_paths(store, at, earlier))
        if isinstance(paths, Unknown):
            return paths, paths, len(signs)
        bars = sum(store.bars_version(symbol) for symbol in SYMBOLS)
        fan_key = key, min(moment, _end(at)).replace(second=0, microsecond=0), bars, paths
        if self._fan is None or self._fan[0] != fan_key:
            self._fan = fan_key, fan(store, at, moment, paths, len(earlier))
        found = self._fan[1]
        if isinstance(found, Unknown) or found.today is None or not len(found.today.minute):
            return found, Unknown("no minutes of this release in the store"), len(signs)
        place = reactions.standing(found, float(found.today.minute[-1]), signs, one.surprise.sign)
        return found, place, len(signs)


_LATER = Unknown("being computed")
_FIRST = end_of_day(date(1999, 12, 31))


def _end(at: datetime) -> datetime:
    session = NYSE.session(trading_day(at))
    return at + timedelta(hours=1) if session is None else max(session.close, at + timedelta(hours=1))


def _arm_key(one: Event) -> str:
    """How an armed release is known again: its kind, which may move, or the own event."""
    return one.key if one.number else one.kind


def _ended(armed: Armed, watch: Watch) -> str:
    missed = len(watch.missed)
    words = f"{armed.name}: watched to the end, {watch.done} refreshes"
    return f"{words}, {missed} missed" if missed else words
