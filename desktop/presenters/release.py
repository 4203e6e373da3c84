"""The release panel and the rails of the charts, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from desktop.analytics.reactions import NOT_YET, Basis, Board, Move, Pair, Reactions, Row, Standing
from desktop.market import marks
from desktop.market.known import Maybe, Unknown
from desktop.market.marks import MARK_NAMES, Event, minutes_known_to
from desktop.market.releases import NAMES, SHIPPED_ON, ReleaseKind, Schedule, shipped
from desktop.market.sessions import new_york, trading_day
from desktop.presenters.divergence import KIND_WORDS
from desktop.presenters.words import (
    NEW_YORK,
    NOT_KNOWN,
    clock_et,
    day,
    for_or_against,
    moment_et,
    ordinal,
    plain,
    signed,
    span,
)
from desktop.release_desk import ReleaseLook, Typed
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from widgets.states import (
    Choice,
    Curve,
    EvidenceChart,
    EvidenceLine,
    EvidenceTable,
    FieldState,
    HeaderState,
    Rails,
    Text,
    Tone,
)
from widgets.states_release import EventRow, ReleaseState

FEW = 20
"""Fewer earlier reactions than this are told to be few."""
FIELD_MARK = "|"
"""Parts of the key of a typed figure: kind, moment, which."""
NO_DESK = "the calendar is shown in the window alone"
_NAMES: dict[str, str] = {str(kind): name for kind, name in (*NAMES.items(), *MARK_NAMES.items())}
_HEADERS = ("min", "RUT %", "NDX %", "Gap pp", "Ratio %", "driver", "VIX pt", "2Y bp", "Fed bp", "Gauge")
_BASIS = {
    Basis.RELEASE: "since the second before the release",
    Basis.PRIOR_CLOSE: "since the prior close, not since the release",
}
_LIST_NAMES = {"nfp": "Payrolls"}
"""Where the full name takes too much room in a list."""
_SHORT = {"index": "index", "future": "futures", "etf": "ETF", "mixed": "proxy"}


def hidden_kinds(settings: Settings) -> frozenset[str]:
    """Kinds that calendar and rails leave out."""
    return frozenset(one.strip() for one in settings.calendar_hidden.split(",") if one.strip())


def toggled(settings: Settings, kind: str) -> str:
    """The setting with `kind` left out where it was shown, and shown where it was left out."""
    return ",".join(sorted(hidden_kinds(settings) ^ {kind}))


class ReleasePresenter:
    """Makes states of the panel, and the rails; keeps what has not changed."""

    def __init__(self) -> None:
        self._list: tuple[object, tuple[EventRow, ...]] | None = None
        self._made: ReleaseState | None = None
        self._fan: tuple[Reactions, EvidenceChart] | None = None
        self._rails: dict[str, tuple[object, Rails]] = {}

    def present(self, look: ReleaseLook | None, settings: Settings) -> ReleaseState:
        """Tell what is known of releases; without a `look` only why there is nothing."""
        if look is None:
            nothing = Text("")
            return ReleaseState(
                facts=(),
                headers=(),
                rows=(),
                chosen="",
                kinds=(),
                is_armed=False,
                can_arm=False,
                title=nothing,
                board_facts=(),
                board=None,
                figures=(),
                fan_facts=(),
                fan=None,
                message=NO_DESK,
            )
        hidden = hidden_kinds(settings)
        alarm, chosen = _alarm(look), look.chosen[0].key if look.chosen else ""
        made = ReleaseState(
            facts=_facts(look),
            headers=_list_headers(look.now),
            rows=self._rows(look, hidden),
            chosen=chosen,
            kinds=tuple(Choice(kind, name, kind not in hidden) for kind, name in _NAMES.items()),
            is_armed=look.armed is not None,
            can_arm=look.mode is not Mode.AS_OF,
            title=_title(look),
            board_facts=_board_facts(look),
            board=None if look.board is None else _table(look.board),
            figures=tuple(field for one in look.typed for field in _fields(one, many=len(look.typed) > 1)),
            fan_facts=_fan_facts(look),
            fan=self._chart(look.reactions),
            own_error=look.own_error,
            own_saved=look.own_saved,
            sound=settings.release_sound,
            alarm=alarm,
        )
        if self._made is None or made != self._made:
            self._made = made
        return self._made

    def _rows(self, look: ReleaseLook, hidden: frozenset[str]) -> tuple[EventRow, ...]:
        ahead = next((one.at for one in look.events if one.at > look.moment), None)
        near = ahead is not None and ahead - look.moment <= timedelta(hours=1)
        tick = int(look.moment.timestamp()) // (1 if near else 60)
        key = look.events, tick, look.armed, hidden, look.mode
        if self._list is None or self._list[0] != key:
            rows = tuple(_row(one, look) for one in look.events if one.kind not in hidden)
            self._list = key, rows
        return self._list[1]

    def _chart(self, found: Reactions | Unknown) -> EvidenceChart | None:
        if isinstance(found, Unknown) or found.today is None:
            return None
        if self._fan is None or self._fan[0] is not found:
            lines = [
                EvidenceLine(day(trading_day(one.at)), Curve(one.minute, one.spread_pp), Tone.DIM, faint=True)
                for one in found.earlier
            ]
            own = found.today
            name = f"{day(trading_day(own.at))} (this release)"
            lines.append(EvidenceLine(name, Curve(own.minute, own.spread_pp), Tone.GOOD))
            self._fan = found, EvidenceChart("pp", tuple(lines), x_label="minutes since the release")
        return self._fan[1]

    # Rails

    def rails(
        self, snapshot: Snapshot, look: ReleaseLook | None, settings: Settings
    ) -> tuple[Rails | None, Rails | None]:
        """Rails of the charts of days, and of the chart of the session shown; None where the user wants none."""
        if not settings.rails or (look is not None and look.light):
            return None, None
        hidden, own = hidden_kinds(settings), () if look is None else look.own
        today = snapshot.today
        shown = tuple(one.at for one in today.releases if one.at <= snapshot.moment)
        last = trading_day(snapshot.moment)
        first = snapshot.history.pair.day(0) if len(snapshot.history.pair) else last
        days_key = snapshot.schedule, hidden, own, first, last
        session_key = snapshot.schedule, hidden, own, today.session.day, shown
        if (held := self._rails.get("days")) is None or held[0] != days_key:
            found = marks.agenda(snapshot.schedule, first, last, own)
            self._rails["days"] = days_key, _rails(found, hidden, daily=True)
        if (held := self._rails.get("session")) is None or held[0] != session_key:
            found = marks.agenda(snapshot.schedule, today.session.day, today.session.day, own)
            # What came out is marked by the chart itself, with its name beside it.
            ahead = [one for one in found if not one.all_day and one.at not in shown]
            self._rails["session"] = session_key, _rails(ahead, hidden, daily=False)
        return self._rails["days"][1], self._rails["session"][1]


def _rails(events: Sequence[Event], hidden: frozenset[str], *, daily: bool) -> Rails:
    kept = [one for one in events if one.kind not in hidden]
    if not daily:
        x = np.array([one.at.timestamp() for one in kept], dtype=np.float64)
        labels = tuple(f"{one.name} {clock_et(one.at, seconds=False)[:5]}" for one in kept)
        return Rails(x, labels, np.array([one.weight for one in kept], dtype=np.int64))
    by_day: dict[float, list[Event]] = {}
    for one in kept:  # daily points stand at 17:00 UTC, midday of their date in New York
        noon = datetime.combine(trading_day(one.at), datetime.min.time(), UTC) + timedelta(hours=17)
        by_day.setdefault(noon.timestamp(), []).append(one)
    days = sorted(by_day)
    labels = tuple(" + ".join(dict.fromkeys(one.name for one in by_day[at])) for at in days)
    weight = np.array([min(one.weight for one in by_day[at]) for at in days], dtype=np.int64)
    return Rails(np.array(days, dtype=np.float64), labels, weight)


# The calendar


def _facts(look: ReleaseLook) -> tuple[Text, ...]:
    facts = [_armed(look)]
    if look.skew:
        facts.insert(0, Text(look.skew, Tone.WARN, "Refreshes at the release come early or late by as much."))
    ahead = look.schedule.next(look.moment)
    if ahead is not None and look.armed is None:
        wait_s = (ahead.at - look.moment).total_seconds()
        tone = Tone.WARN if wait_s <= 600 else Tone.PLAIN
        words = f"next {ahead.name} {moment_et(ahead.at)}{_local_words(ahead.at)}, in {_countdown(wait_s)}"
        facts.append(Text(words, tone, ahead.detail))
    if ahead is not None and ahead.market_closed:
        facts.append(Text("market closed", Tone.WARN, ahead.detail))
    known = look.schedule.known_to(look.moment)
    facts.append(Text(f"schedule known to {day(known)}", Tone.DIM, _known_by_kind(look.schedule)))
    return tuple(facts)


def _known_by_kind(schedule: Schedule) -> str:
    lines = [f"The shipped table is as published on {day(SHIPPED_ON)}."]
    for kind in ReleaseKind:
        to, table = schedule.kind_known_to(kind), shipped().kind_known_to(kind)
        told = to.reason if isinstance(to, Unknown) else f"to {day(to)}"
        own = "none in the shipped table" if isinstance(table, Unknown) else f"shipped table to {day(table)}"
        lines.append(f"{NAMES[kind]}: {told} ({own})")
    lines.append(f"FOMC minutes: published to {day(minutes_known_to())}, then three weeks after each decision")
    lines.append("index changes, option expiry and elections: by their published rules")
    return "\n".join(lines)


def _list_headers(now: datetime) -> tuple[str, ...]:
    zone = now.astimezone().tzname() or "local"
    return ("Event", "ET", zone if _differs(now) else "", "In")


def _differs(at: datetime) -> bool:
    """Whether the computer's zone differs from New York's at a moment."""
    return at.astimezone().utcoffset() != at.astimezone(new_york).utcoffset()


def _local_words(at: datetime) -> str:
    return f" ({at.astimezone():%H:%M %Z})" if _differs(at) else ""


def _countdown(seconds: float) -> str:
    whole = max(0, int(seconds))
    if 60 <= whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return span(seconds) if seconds < 2 * 86_400 else f"{int(seconds // 86_400)} d"


def _row(one: Event, look: ReleaseLook) -> EventRow:
    local, moment = one.at.astimezone(NEW_YORK), look.moment
    wait_s = (one.at - moment).total_seconds()
    past = wait_s <= 0
    armed = look.armed is not None and one.release and one.at == look.armed.at
    tone = Tone.WARN if armed else Tone.DIM if past else Tone.PLAIN
    short = _LIST_NAMES.get(one.kind, one.name)
    name = f"● {short}" if armed else short
    why = f"{one.name}: {one.detail}" if one.detail else one.name
    closed = Text(f"{name} · closed", Tone.WARN if not past else Tone.DIM, why)
    mine = f"{one.at.astimezone():%H:%M}" if _differs(one.at) and not one.all_day else ""
    if one.all_day:
        days = (local.date() - trading_day(moment)).days
        waits = "past" if days < 0 else "today" if days == 0 else f"{days} d"
    else:
        waits = "past" if past else _countdown(wait_s)
    when = f"{local:%a} {local.day} {local:%b}" + ("" if one.all_day else f" {local:%H:%M}")
    cells = (
        closed if one.market_closed else Text(name, tone, why),
        Text(when, tone, f"{day(local)}" + ("" if one.all_day else f" {local:%H:%M} ET")),
        Text(mine, Tone.DIM),
        Text(waits, Tone.WARN if 0 < wait_s <= 600 else Tone.DIM),
    )
    armable = one.release and not past and look.mode is not Mode.AS_OF
    if not one.number:
        return EventRow(one.key, cells, one.release, armable, armed)
    day_typed, clock = f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    return EventRow(one.key, cells, one.release, armable, armed, one.number, one.name, day_typed, clock)


# What is armed


def _armed(look: ReleaseLook) -> Text:
    demo = " in the demo" if look.mode is Mode.DEMO else ""
    armed = look.armed
    if look.mode is Mode.AS_OF:
        back = "Ctrl+Shift+T comes back to now."
        if armed is None:
            return Text("time is set back: nothing is armed here", Tone.PAST, back)
        wait_s = (armed.at - look.now).total_seconds()
        when = f"in {_countdown(wait_s)}" if wait_s > 0 else "out"
        return Text(f"time is set back · ● armed live: {armed.name}, {when}", Tone.WARN, back)
    if armed is None:
        if look.told:
            return Text(look.told, Tone.WARN if "disarmed" in look.told or "missed" in look.told else Tone.DIM)
        return Text(
            "nothing armed",
            Tone.DIM,
            "F6 arms the next release: prices are then asked for at once when it is out.",
        )
    wait_s = (armed.at - look.now).total_seconds()
    when = f"in {_countdown(wait_s)}" if wait_s > 0 else f"out since {_countdown(-wait_s)}"
    words = f"● ARMED{demo}: {armed.name} {clock_et(armed.at, seconds=False)}, {when}"
    if wait_s <= 0:
        words += f", {look.done} refreshes"
    if look.missed:
        words += f", {len(look.missed)} missed"
    if armed.told:
        words += f" ({armed.told})"
    why = "Asked for 3 s before, 2, 5, 10, 20, 30, 60 s after it, then every 15 s for 15 min. Shift+F6 disarms."
    return Text(words, Tone.WARN, why)


def header_with(header: HeaderState, look: ReleaseLook | None) -> HeaderState:
    """The header with what is armed beside the next release."""
    if look is None or look.armed is None:
        return header
    demo = " (demo)" if look.mode is Mode.DEMO else ""
    words = f"{header.release_in.text} · ● ARMED{demo}".removeprefix(" · ")
    if look.mode is Mode.AS_OF:
        words = f"{header.release_in.text} · ● {look.armed.name} armed live"
    elif look.now >= look.armed.at:
        words = f"● {look.armed.name} armed{demo}"
    return replace(header, release_in=Text(words, Tone.WARN, _armed(look).text))


def _alarm(look: ReleaseLook) -> str:
    """Names the moment a sound is due: ten seconds before an armed release, and when it is out."""
    if look.armed is None:
        return ""
    wait_s = (look.armed.at - look.now).total_seconds()
    if wait_s > 10:
        return ""
    return f"{look.armed.at:%Y-%m-%dT%H:%M} {'soon' if wait_s > 0 else 'out'}"


# The board


def _title(look: ReleaseLook) -> Text:
    if not look.chosen:
        return Text("No release is known", Tone.DIM)
    names = " + ".join(one.name for one in look.chosen)
    at = look.chosen[0].at
    local = at.astimezone(NEW_YORK)
    closed = look.chosen[0].market_closed
    why = look.chosen[0].detail
    return Text(f"{names} · {local:%a} {day(local)} {local:%H:%M} ET", Tone.WARN if closed else Tone.PLAIN, why)


def _board_facts(look: ReleaseLook) -> tuple[Text, ...]:
    board = look.board
    if board is None:
        return ()
    facts = []
    if look.chosen[0].market_closed:
        facts.append(Text("cash market closed", Tone.WARN, look.chosen[0].detail))
    if look.moment < board.at:
        facts.append(Text("not out yet: the reference is taken one second before", Tone.DIM))
        return tuple(facts)
    facts.append(_now(board.now))
    latest = next(
        (one for one in (board.now, *(row.move for row in reversed(board.rows))) if isinstance(one, Move)), None
    )
    if latest is not None and "late" in latest.note:
        facts.append(Text(latest.note, Tone.WARN))
    facts.append(_reference(board))
    if look.missed:
        first, last = look.missed[0], look.missed[-1]
        words = f"{len(look.missed)} refreshes missed (+{first} s to +{last} s)"
        facts.append(Text(words, Tone.WARN, "The program or the computer slept: rows rest on what came later."))
    return tuple(facts)


def _now(now: Move | Unknown) -> Text:
    if isinstance(now, Unknown):
        return Text(f"now {NOT_KNOWN}", Tone.DIM, now.reason)
    why = "; ".join(
        filter(None, (now.note, f"RUT {signed(now.rut_pct, 2, ' %')}, NDX {signed(now.ndx_pct, 2, ' %')}"))
    )
    return Text(f"now {signed(now.spread_pp, 2)} pp by {_SHORT[now.kind]}", for_or_against(now.spread_pp), why)


def _reference(board: Board) -> Text:
    known = [one for one in board.references.values() if isinstance(one, Pair)]
    told = []
    for kind, one in board.references.items():
        if isinstance(one, Unknown):
            told.append(f"{KIND_WORDS[kind]}: {one.reason}")
            continue
        legs = (("RUT", one.rut), ("NDX", one.ndx))
        times = ", ".join(f"{name} {plain(leg.price, 2)} at {clock_et(leg.at)}" for name, leg in legs)
        told.append(f"{KIND_WORDS[kind]}: {times}{' (frozen)' if one.frozen else ''}")
    why = "\n".join(told)
    if not known:
        return Text(f"reference {NOT_KNOWN}", Tone.WARN, why)
    moves = [board.now, *(row.move for row in reversed(board.rows))]
    kind = next((one.kind for one in moves if isinstance(one, Move)), known[0].kind)
    pair = next((one for one in known if one.kind == kind), known[0])
    frozen = ", frozen" if pair.frozen else ""
    tone = Tone.DIM if board.basis is Basis.RELEASE else Tone.WARN
    return Text(f"moves {_BASIS[board.basis]}: {KIND_WORDS[pair.kind]}{frozen}", tone, why)


def _table(board: Board) -> EvidenceTable:
    return EvidenceTable(_HEADERS, tuple(_cells(one) for one in board.rows))


def _cells(row: Row) -> tuple[Text, ...]:
    label = "close" if row.minutes is None else f"+{row.minutes}"
    due = "" if row.due is None else clock_et(row.due, seconds=False)
    first = Text(label, Tone.PLAIN, due)
    move = row.move
    if isinstance(move, Unknown):
        unknown = _unknown(move)
        moves = (unknown, unknown, unknown, unknown)
        by = Text("", Tone.DIM)
    else:
        why = "; ".join(
            filter(None, (move.note, f"older leg {span(move.age_s)} before" if move.age_s >= 1 else ""))
        )
        moves = (
            Text(signed(move.rut_pct, 2), Tone.RUT, why),
            Text(signed(move.ndx_pct, 2), Tone.NDX, why),
            Text(signed(move.spread_pp, 2), for_or_against(move.spread_pp), why),
            Text(signed(move.ratio_pct, 2), Tone.PLAIN, why),
        )
        by = Text(
            _SHORT[move.kind],
            Tone.WARN if move.note or move.kind == "mixed" else Tone.DIM,
            why or KIND_WORDS[move.kind],
        )
    return (
        first,
        *moves,
        by,
        _value(row.vix, 2, row.vix_note),
        _value(row.two_year_bp, 0, "the 2-year yield against the day before"),
        _value(
            row.implied_bp,
            1,
            f"change of what futures price by the year's last meeting; {row.implied_note}".rstrip("; "),
        ),
        _value(row.gauge, 3, "change of the mean pairwise correlation, 21 d, from the close before"),
    )


def _value(value: Maybe, digits: int, why: str) -> Text:
    if isinstance(value, Unknown):
        return _unknown(value)
    return Text(signed(value, digits), Tone.PLAIN, why)


def _unknown(value: Unknown) -> Text:
    return Text(NOT_YET if value.reason == NOT_YET else NOT_KNOWN, Tone.DIM, value.reason)


# Surprise and earlier reactions


def field_key(kind: str, at: datetime, which: str) -> str:
    """Key of the field of a figure."""
    return FIELD_MARK.join((kind, at.isoformat(), which))


def parts_of(key: str) -> tuple[ReleaseKind, datetime, str]:
    """Kind, moment and which figure of a `field_key`."""
    kind, at, which = key.split(FIELD_MARK)
    return ReleaseKind(kind), datetime.fromisoformat(at), which


def _fields(one: Typed, *, many: bool) -> tuple[FieldState, ...]:
    name = f"{NAMES[one.kind]} " if many else ""
    unit = one.surprise.unit
    helps = "headline figure; no source here publishes it, so it is typed"
    return (
        FieldState(
            field_key(one.kind, one.at, "consensus"),
            f"{name}consensus",
            one.consensus,
            unit,
            one.consensus_error,
            helps,
        ),
        FieldState(
            field_key(one.kind, one.at, "actual"), f"{name}actual", one.actual, unit, one.actual_error, helps
        ),
    )


def _fan_facts(look: ReleaseLook) -> tuple[Text, ...]:
    facts = []
    for one in look.typed:
        gap = one.surprise.difference
        name = f"{NAMES[one.kind]} surprise"
        if isinstance(gap, Unknown):
            facts.append(Text(f"{name} {NOT_KNOWN}", Tone.DIM, gap.reason))
        else:
            sign = (
                {1: "above", -1: "below", 0: "in line"}[one.surprise.sign]
                if not isinstance(one.surprise.sign, Unknown)
                else ""
            )
            facts.append(Text(f"{name} {signed(gap, 2)} {one.surprise.unit} ({sign})"))
    found = look.reactions
    if isinstance(found, Unknown):
        facts.append(Text(f"earlier reactions {NOT_KNOWN}", Tone.DIM, found.reason))
        return tuple(facts)
    place = look.standing
    if isinstance(place, Unknown):
        facts.append(Text(f"rank {NOT_KNOWN}", Tone.DIM, place.reason))
    else:
        facts += _places(place, look.n_typed)
    n = len(found.earlier)
    few = ", few" if n < FEW else ""
    why = f"of {found.scheduled} releases before it; {KIND_WORDS[found.kind]}, moves {_BASIS[found.basis]}"
    facts.append(Text(f"{n} earlier with minutes in the store{few}", Tone.WARN if few else Tone.DIM, why))
    if found.basis is Basis.PRIOR_CLOSE:
        facts.append(Text("fan since the prior close", Tone.WARN, why))
    return tuple(facts)


def _places(place: Standing, n_typed: int) -> tuple[Text, ...]:
    same, every = place.same_sign, place.among_all
    if isinstance(same, Unknown):
        told = Text(f"same sign of surprise {NOT_KNOWN}", Tone.DIM, same.reason)
    elif same.n < 2:
        why = f"{n_typed} earlier releases have both figures typed; none with minutes has this sign"
        told = Text("same sign of surprise: no earlier one", Tone.DIM, why)
    else:
        few = ", few" if same.n <= FEW else ""
        words = f"{ordinal(same.rank)} of {same.n} with the same sign of surprise{few}"
        told = Text(words, Tone.WARN if few else Tone.PLAIN, f"{n_typed} earlier releases have both figures typed")
    words = f"{signed(place.spread_pp, 2)} pp at +{place.minute:.0f} min: {ordinal(every.rank)} of {every.n}"
    return Text(words, why="largest first, this release counted"), told
