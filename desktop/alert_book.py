"""Alert rules, what is remembered of each, and the log of what fired: tables of the book.

The log is only ever added to; that an entry was seen is noted beside it. Times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from desktop.book import Book
from desktop.market.known import UserError
from desktop.trade.alerts import Condition, Repeat, Rule, State, Subject, Watch

LOG_SHOWN = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULE = "subject, param, condition, level, target, band, repeat, sound, enabled, snoozed_from, snoozed_until, note"
_STATE = "rule, armed, side, seen, reference, fired_at, occasion"
_ENTRY = "at, rule, title, value, threshold, data_at, age_s, source, mode"


class UnreadableRuleError(UserError):
    """A kept rule that this program cannot read: of a later version, or damaged."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"alert rule {number} cannot be read ({why}): it is left alone and does not fire")
        self.number, self.why = number, why


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log: what fired when, on which value, how old that was, where from, and in which mode.

    `age_s` is None where age means nothing. `id` is 0 until it is kept.
    """

    at: datetime
    rule: int
    title: str
    value: str
    threshold: str
    data_at: datetime | None
    age_s: float | None
    source: str
    mode: str
    seen: bool = False
    id: int = 0


class AlertBook:
    """Reads and writes the alert tables of one book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    @property
    def version(self) -> tuple[int, int]:
        """Differs after every change of the book."""
        return self._book.version

    def rules(self) -> tuple[tuple[Rule, ...], tuple[UnreadableRuleError, ...]]:
        """Every rule in the order it was made, and what could not be read."""
        rules, wrong = [], []
        for number, *cells in self._book.rows(f"SELECT id, {_RULE} FROM alert_rules ORDER BY id"):
            try:
                rules.append(_rule(number, cells))
            except (ValueError, UserError) as error:
                wrong.append(UnreadableRuleError(number, str(error)))
        return tuple(rules), tuple(wrong)

    def states(self) -> dict[int, State]:
        """What is remembered of each rule."""
        return {
            rule: State(bool(armed), side, seen, reference, _moment(fired_at), occasion)
            for rule, armed, side, seen, reference, fired_at, occasion in self._book.rows(
                f"SELECT {_STATE} FROM alert_states"
            )
        }

    def log(self, limit: int = LOG_SHOWN) -> tuple[Entry, ...]:
        """The newest entries, newest first."""
        rows = self._book.rows(
            f"SELECT id, {_ENTRY}, EXISTS (SELECT 1 FROM alert_seen WHERE entry = alert_log.id)"
            " FROM alert_log ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            Entry(
                _known(at), rule, title, value, threshold, _moment(data_at), age_s, source, mode, bool(seen), id_
            )
            for id_, at, rule, title, value, threshold, data_at, age_s, source, mode, seen in rows
        )

    def put_rule(self, rule: Rule) -> int:
        """Keep a rule, new (id 0) or in place of the one it was; what was remembered of it begins anew."""
        with self._book.writing() as db:
            if not rule.id:
                marks = ", ".join("?" * len(_cells(rule)))
                made = db.execute(f"INSERT INTO alert_rules ({_RULE}) VALUES ({marks})", _cells(rule))
                return int(made.lastrowid or 0)
            pairs = ", ".join(f"{name} = ?" for name in _RULE.split(", "))
            db.execute(f"UPDATE alert_rules SET {pairs} WHERE id = ?", (*_cells(rule), rule.id))
            db.execute("DELETE FROM alert_states WHERE rule = ?", (rule.id,))
            return rule.id

    def snooze(self, rule: int, start: datetime | None, until: datetime | None) -> None:
        """Silence a rule for a while, or wake it (None)."""
        with self._book.writing() as db:
            db.execute(
                "UPDATE alert_rules SET snoozed_from = ?, snoozed_until = ? WHERE id = ?",
                (_number(start), _number(until), rule),
            )

    def enable(self, rule: int, *, enabled: bool) -> None:
        """Switch a rule on, beginning anew, or off."""
        with self._book.writing() as db:
            db.execute("UPDATE alert_rules SET enabled = ? WHERE id = ?", (enabled, rule))
            db.execute("DELETE FROM alert_states WHERE rule = ?", (rule,))

    def delete(self, rule: int) -> None:
        """Forget a rule; what it fired stays in the log."""
        with self._book.writing() as db:
            db.execute("DELETE FROM alert_rules WHERE id = ?", (rule,))

    def note(self, as_of: tuple[int, int], states: Mapping[int, State], entries: Iterable[Entry]) -> bool:
        """Keep changed states and what fired, all or nothing.

        Nothing, and False, where the book is no longer the version `as_of` they were judged by: of two windows
        that see the same thing at the same moment, one may tell it.
        """
        with self._book.writing() as db:
            if self.version != as_of:
                return False
            db.executemany(
                f"INSERT OR REPLACE INTO alert_states ({_STATE})"
                " SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM alert_rules WHERE id = ?)",
                [
                    (
                        rule,
                        one.armed,
                        one.side,
                        one.seen,
                        one.reference,
                        _number(one.fired_at),
                        one.occasion,
                        rule,
                    )
                    for rule, one in states.items()
                ],
            )
            db.executemany(
                f"INSERT INTO alert_log ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        _number(one.at),
                        one.rule,
                        one.title,
                        one.value,
                        one.threshold,
                        _number(one.data_at),
                        one.age_s,
                        one.source,
                        one.mode,
                    )
                    for one in entries
                ],
            )
        return True

    def acknowledge(self, at: datetime, entry: int | None = None) -> None:
        """Note that an entry, or every entry (None), was seen."""
        with self._book.writing() as db:
            where, arguments = ("", ()) if entry is None else (" WHERE id = ?", (entry,))
            db.execute(
                f"INSERT OR IGNORE INTO alert_seen (entry, at) SELECT id, ? FROM alert_log{where}",
                (_number(at), *arguments),
            )


def _cells(rule: Rule) -> tuple[object, ...]:
    return (
        rule.watch.subject.value,
        rule.watch.param,
        rule.condition.value,
        rule.level,
        rule.target,
        rule.band,
        rule.repeat.value,
        rule.sound,
        rule.enabled,
        _number(rule.snoozed_from),
        _number(rule.snoozed_until),
        rule.note,
    )


def _rule(number: int, cells: list[object]) -> Rule:
    return rule_of({**dict(zip(_RULE.split(", "), cells, strict=True)), "id": number})


def rule_of(row: Mapping[str, object]) -> Rule:
    """The rule of one row of the table.

    Raises
    ------
    ValueError, BadRuleError
        Where the row holds what no rule can.
    """
    level, band = row.get("level"), row.get("band")
    if not isinstance(level, int | float | None) or not isinstance(band, int | float):
        raise ValueError("level and band must be numbers")
    flags = [row.get("sound"), row.get("enabled")]
    if any(one not in (0, 1) for one in flags):
        raise ValueError("sound and enabled must be 0 or 1")
    return Rule(
        watch=Watch(Subject(str(row.get("subject"))), str(row.get("param", ""))),
        condition=Condition(str(row.get("condition"))),
        level=None if level is None else float(level),
        target=str(row.get("target", "")),
        band=float(band),
        repeat=Repeat(str(row.get("repeat"))),
        sound=bool(row.get("sound")),
        enabled=bool(row.get("enabled")),
        snoozed_from=_time(row.get("snoozed_from")),
        snoozed_until=_time(row.get("snoozed_until")),
        note=str(row.get("note", "")),
        id=row["id"] if isinstance(row.get("id"), int) else 0,  # type: ignore[arg-type]  # an int, as just seen
    )


def _time(cell: object) -> datetime | None:
    if cell is not None and not isinstance(cell, int):
        raise ValueError("a time must be a whole number")
    try:
        return _moment(cell)
    except OverflowError as error:
        raise ValueError(f"no calendar has the time {cell}") from error


def _number(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(microseconds=1)


def _moment(number: int | None) -> datetime | None:
    return None if number is None else _known(number)


def _known(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)
