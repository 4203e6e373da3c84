"""Alerts at work: reads the rules of the book, judges them on each live frame, keeps the log. One place decides.

Used on the engine's thread; `act` from any. What fires is told by the window that wrote it into the log: another
window on the same book finds it written and judges anew. A book that cannot be written stops no alert: it is told
all the same, that the log lacks it is told too, and it is written as soon as the book takes it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from time import monotonic

from desktop.alert_book import AlertBook, Entry
from desktop.alert_values import BEING_COMPUTED, Daily, Seen, daily, read
from desktop.book import Book
from desktop.deferred import Deferred
from desktop.market.database import StoreError
from desktop.market.known import Unknown, UserError
from desktop.market.quotes import DayArray
from desktop.market.sessions import NYSE
from desktop.market.store import Store
from desktop.presenters.alert_words import entry_of, parse_form, title, whole
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.thesis import Claim
from desktop.trade.alerts import (
    SUBJECTS,
    Fired,
    Reading,
    Rule,
    State,
    Watch,
    evaluate,
    would_have_fired,
)
from widgets.states_alerts import Act, RuleAct, RuleForm

log = logging.getLogger(__name__)
_NUMBERS = itertools.count(1)
"""One running number for all desks of this process: a window tells from it what it has shown already."""
_TOLD = 20
_TRIES = 5
"""So often a moment is judged anew when another window writes between; after that the next frame does it."""
_TRY_AGAIN_S = 30.0
"""What could not be kept is tried again after so long: a book held by another program costs seconds a time."""
_BEING_COMPUTED = Unknown(BEING_COMPUTED)

Outside = Callable[[Snapshot], Mapping[Watch, Reading]]
"""What others know: P&L and residual beta of open trades."""


@dataclass(frozen=True, slots=True, eq=False)
class Occurred:
    """When a rule would have fired: the days, oldest first, among `n` days since `since`."""

    days: DayArray
    n: int
    since: date
    last: date


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about a history that was handed to the worker."""

    key: Hashable
    make: Callable[[], Occurred | Unknown]


@dataclass(frozen=True, slots=True)
class Told:
    """One firing of this run, by its running number."""

    number: int
    entry: Entry
    rule: Rule


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything about alerts at one moment. `histories` and `readings` go with `rules` one by one.

    `draft` is the rule being typed, or the fields at fault; `problem` says what could not be read or kept.
    """

    mode: Mode
    moment: datetime
    rules: tuple[Rule, ...] = ()
    states: Mapping[int, State] = field(default_factory=dict)
    readings: Mapping[Watch, Reading] = field(default_factory=dict)
    histories: tuple[Occurred | Unknown, ...] = ()
    log: tuple[Entry, ...] = ()
    told: tuple[Told, ...] = ()
    form: RuleForm | None = None
    draft: Rule | Mapping[str, str] | None = None
    draft_history: Occurred | Unknown | None = None
    sources: tuple[str, ...] = ()
    problem: str = ""


class Watcher:
    """Judges the rules of one book by the snapshots of one store."""

    def __init__(self, book: Book, store: Store, deferred: Deferred, outside: Outside | None = None) -> None:
        self._book, self._store, self._deferred = AlertBook(book), store, deferred
        self.outside: Outside = outside or (lambda _: {})
        self._version: tuple[int, int] | None = None
        self._rules: tuple[Rule, ...] = ()
        self._states: Mapping[int, State] = {}
        self._log: tuple[Entry, ...] = ()
        self._told: deque[Told] = deque(maxlen=_TOLD)
        self._kills: dict[str, bool] = {}
        self._asked: dict[str, _Asked] = {}
        self._unkept_states: dict[int, State] = {}
        self._unkept_entries: list[Entry] = []
        self._tried_at = 0.0
        self._unreadable = self._not_kept = ""
        self._lock = threading.Lock()

    def follow(
        self, snapshot: Snapshot, judged: Sequence[Claim], settings: Settings, form: RuleForm | None = None
    ) -> Watched:
        """Judge every rule at the moment of `snapshot`, unless that is an earlier one; tell how all stands."""
        with self._lock:
            self._read_again()
            sources = tuple(one.source for one in snapshot.feed)
            form = None if form is None else whole(form, sources)
            draft = None if form is None else parse_form(form)
            seen = self._seen(snapshot, judged, settings)
            watches = {rule.watch for rule in self._rules} | ({draft.watch} if isinstance(draft, Rule) else set())
            readings = {watch: read(watch, seen) for watch in watches}
            if snapshot.mode is not Mode.AS_OF:
                self._judge(readings, snapshot)
            return Watched(
                mode=snapshot.mode,
                moment=snapshot.moment,
                rules=self._rules,
                states=self._states,
                readings=readings,
                histories=tuple(self._history(rule, snapshot) for rule in self._rules),
                log=self._log,
                told=tuple(self._told),
                form=form,
                draft=draft,
                draft_history=self._history(draft, snapshot) if isinstance(draft, Rule) else None,
                sources=sources,
                problem="; ".join(filter(None, (self._not_kept, self._unreadable))),
            )

    def watch(self, snapshot: Snapshot, judged: Sequence[Claim], settings: Settings) -> None:
        """Judge every rule by a snapshot of now that is not shown: an earlier moment is."""
        with self._lock:
            self._read_again()
            seen = self._seen(snapshot, judged, settings)
            self._judge({rule.watch: read(rule.watch, seen) for rule in self._rules}, snapshot)

    @property
    def has_rules(self) -> bool:
        """Whether any rule is on."""
        return any(rule.enabled for rule in self._rules)

    def _seen(self, snapshot: Snapshot, judged: Sequence[Claim], settings: Settings) -> Seen:
        """What was given up at an earlier moment is not remembered for now."""
        kills = {} if snapshot.mode is Mode.AS_OF else self._kills
        return Seen(snapshot, judged, settings, kills, self.outside(snapshot))

    def _read_again(self) -> None:
        """Read the book where it has changed, by this window or by another."""
        try:
            version = self._book.version
            if version == self._version:
                return
            self._rules, wrong = self._book.rules()
            self._states = self._book.states() | self._unkept_states
            self._log = (*reversed(self._unkept_entries), *self._book.log())
            self._version = version
            self._unreadable = "; ".join(map(str, wrong))
        except StoreError as error:
            self._version, self._unreadable = None, str(error)

    def _judge(self, readings: Mapping[Watch, Reading], snapshot: Snapshot) -> None:
        for _ in range(_TRIES):
            fired, states = evaluate(self._rules, self._states, readings, snapshot.moment)
            if states is self._states and not self._may_try_again():
                return
            changed = {rule: state for rule, state in states.items() if self._states.get(rule) is not state}
            entries = [entry_of(one, snapshot.mode) for one in fired]
            if self._keep(changed, entries):
                self._states = states
                self._told.extend(
                    Told(next(_NUMBERS), entry, one.rule) for entry, one in zip(entries, fired, strict=True)
                )
                self._read_again()
                return
            self._read_again()

    def _may_try_again(self) -> bool:
        return bool(self._not_kept) and monotonic() >= self._tried_at + _TRY_AGAIN_S

    def _keep(self, states: Mapping[int, State], entries: Sequence[Entry]) -> bool:
        """Keep what was judged, and what could not be kept before; False where another window wrote meanwhile."""
        unkept_states, unkept_entries = {**self._unkept_states, **states}, [*self._unkept_entries, *entries]
        why = self._unreadable
        if self._version is not None:
            try:
                if not self._book.note(self._version, unkept_states, unkept_entries):
                    return False
                self._unkept_states, self._unkept_entries, self._not_kept = {}, [], ""
                return True
            except StoreError as error:
                why = str(error)
        log.warning("alerts not kept: %s", why)
        lacking = "the log lacks what fired" if unkept_entries else "how the rules stand is not kept"
        self._not_kept, self._tried_at = f"{lacking}, tried again soon: {why}", monotonic()
        self._unkept_states, self._unkept_entries = unkept_states, unkept_entries
        self._log = (*reversed(entries), *self._log)
        return True

    # History

    def _history(self, rule: Rule, snapshot: Snapshot) -> Occurred | Unknown:
        about = SUBJECTS[rule.watch.subject]
        if about.no_history:
            return Unknown(about.no_history)
        question = daily(rule.watch, snapshot, self._store)
        if isinstance(question, Unknown):
            return question
        judged = _plain(rule)
        name, ask = f"alert {rule.id}", (judged, question.key)
        before = self._asked.get(name)
        if before is not None and before.key != ask:
            # One question a rule at a time: a day that moves fast would pile them up.
            answer = self._deferred.get(name, before.key, before.make)
            if answer == _BEING_COMPUTED:
                return answer
        self._asked[name] = _Asked(ask, lambda: occurred(judged, question.make()))
        return self._deferred.get(name, ask, self._asked[name].make)

    # What the user does

    def act(self, asked: RuleForm | RuleAct, now: datetime) -> None:
        """Keep, silence, switch or delete a rule, or note that an entry was seen.

        Raises
        ------
        UserError
            For a rule that cannot be or is there already, or a book that cannot be written.
        """
        with self._lock:  # a rule is not edited while it is being judged
            if isinstance(asked, RuleForm):
                made = parse_form(asked)
                if not isinstance(made, Rule):
                    raise UserError("not kept: " + "; ".join(made.values()))
                if not made.id and any(_plain(one) == _plain(made) for one in self._book.rules()[0]):
                    raise UserError(f"{title(made)}: there is such a rule already; edit that one")
                self._book.put_rule(made)
                self._unkept_states.pop(made.id, None)
            else:
                self._carry_out(asked, now)

    def _carry_out(self, asked: RuleAct, now: datetime) -> None:
        book = self._book
        match asked.act:
            case Act.DELETE:
                book.delete(asked.key)
            case Act.SNOOZE:
                until = now + timedelta(minutes=asked.minutes) if asked.minutes else NYSE.next_open(now).open
                book.snooze(asked.key, now, until)
            case Act.WAKE:
                book.snooze(asked.key, None, None)
            case Act.ON | Act.OFF:
                book.enable(asked.key, enabled=asked.act is Act.ON)
                self._unkept_states.pop(asked.key, None)
            case Act.SEEN:
                book.acknowledge(now, asked.key or None)


@lru_cache(maxsize=512)
def _plain(rule: Rule) -> Rule:
    """The rule without what makes no difference to its history."""
    return replace(rule, sound=False, enabled=True, snoozed_from=None, snoozed_until=None, note="", id=0)


def occurred(rule: Rule, history: Daily) -> Occurred | Unknown:
    """When `rule` would have fired in a daily history."""
    if not len(history.days):
        return Unknown("no history of it is stored: refresh, or import it")
    rows = would_have_fired(rule, history.values)
    n = len(history.days) if history.n is None else history.n
    return Occurred(history.days[rows], n, history.days[0].item(), history.days[-1].item())


__all__ = ["Fired", "Occurred", "Outside", "Told", "Watched", "Watcher", "occurred"]
