"""The header strip: ratio, gap today and its rank, regime, next release; and what is not live about them."""

from __future__ import annotations

from datetime import datetime

from desktop.analytics.divergence import Rank
from desktop.market.known import Unknown
from desktop.market.releases import NAMES
from desktop.presenters.divergence import KIND_WORDS
from desktop.presenters.gauge import regime_text
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
from desktop.snapshot import DEMO_LABEL, Mode, Snapshot
from desktop.sources.state import FeedState
from widgets.states import HeaderState, Text, Tone


def present_header(
    snapshot: Snapshot, *, refreshing: bool, refreshed_at: datetime | None, note: str
) -> HeaderState:
    """Build the state of the header strip; `note` is told unless a source has something to say."""
    ratio, change = _ratio(snapshot)
    spread, rank = _spread(snapshot)
    release, countdown = _release(snapshot)
    label = "Refreshing…" if refreshing else "Refresh F5"
    if refreshed_at is not None and not refreshing:
        label = clock_et(refreshed_at)
    return HeaderState(
        ratio=ratio,
        ratio_change=change,
        spread=spread,
        spread_rank=rank,
        regime=regime_text(snapshot.regime),
        release=release,
        release_in=countdown,
        mode=_mode(snapshot),
        refresh_label=label,
        refreshing=refreshing,
        refresh_note=_refresh_note(snapshot, note),
        spread_caption=_spread_caption(snapshot),
    )


def _refresh_note(snapshot: Snapshot, note: str) -> str:
    failed = [one.last_error for one in snapshot.feed if one.state is FeedState.UNAVAILABLE and one.last_error]
    return note or "; ".join(f"{one.source}: {one.message}" for one in failed)


def _ratio(snapshot: Snapshot) -> tuple[Text, Text]:
    stats = snapshot.ratio
    if isinstance(stats, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, stats.reason), Text("")
    why = f"NDX {plain(stats.ndx, 2)} / RUT {plain(stats.rut, 2)}"
    if stats.live:
        now = snapshot.divergence
        driver = "" if isinstance(now, Unknown) else f", moved by {KIND_WORDS[now.driver]}"
        why += f" on {day(stats.date)}{driver}"
    else:
        why += f", official closes of {day(stats.date)}"
    is_now = snapshot.live and snapshot.mode is not Mode.AS_OF
    value = Text(plain(stats.value, 3), Tone.PLAIN if is_now else Tone.PAST, why)
    if isinstance(stats.change, Unknown) or isinstance(stats.change_pct, Unknown):
        missing = stats.change if isinstance(stats.change, Unknown) else stats.change_pct
        reason = missing.reason if isinstance(missing, Unknown) else ""
        return value, Text(f"change {NOT_KNOWN}", Tone.DIM, reason)
    words = f"{signed(stats.change, 3)} {signed(stats.change_pct, 2, ' %')}"
    # The trade is short the ratio: a falling ratio speaks for it.
    return value, Text(words, for_or_against(-stats.change), "from the prior close; the trade gains when it falls")


def _spread(snapshot: Snapshot) -> tuple[Text, Text]:
    stats = snapshot.divergence
    if isinstance(stats, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, stats.reason), Text("")
    if isinstance(stats.spread_pp, Unknown):
        return Text(NOT_KNOWN, Tone.DIM, stats.spread_pp.reason), Text("")
    moves = [
        f"{name} {NOT_KNOWN if isinstance(value, Unknown) else signed(value, 2, ' %')}"
        for name, value in (("RUT", stats.rut_pct), ("NDX", stats.ndx_pct))
    ]
    why = f"{', '.join(moves)} from the prior close on {day(stats.date)}; {KIND_WORDS[stats.driver]}"
    tone = Tone.PAST if snapshot.stale_days else for_or_against(stats.spread_pp)
    value = Text(f"{signed(stats.spread_pp, 2)} pp", tone, why)
    words = []
    if isinstance(stats.rank, Rank):
        words.append(f"{ordinal(stats.rank.rank)} of {stats.rank.n:,} days")
    if not isinstance(stats.z252, Unknown):
        words.append(plain(stats.z252, 1, "σ"))
    return value, Text(
        " · ".join(words), Tone.DIM, f"largest first, since {day(stats.since)}; σ of the 252 days before"
    )


def _spread_caption(snapshot: Snapshot) -> str:
    stats = snapshot.divergence
    if snapshot.live or isinstance(stats, Unknown):
        return "RUT − NDX today"
    return f"RUT − NDX {day(stats.date)}"


def _release(snapshot: Snapshot) -> tuple[Text, Text]:
    release = snapshot.next_release
    known = schedule_words(snapshot)
    if release is None:
        return Text(NOT_KNOWN, Tone.DIM, f"no further release: {known}"), Text("")
    why = f"{release.detail}; {known}" if release.detail else known
    wait = (release.at - snapshot.moment).total_seconds()
    tone = Tone.WARN if wait <= 600 else Tone.PLAIN
    return Text(f"{release.name} {moment_et(release.at)}", tone, why), Text(f"in {span(wait)}", Tone.DIM, why)


def schedule_words(snapshot: Snapshot) -> str:
    """How far the schedule reaches, and what it does not hold."""
    known = f"schedule known to {day(snapshot.schedule.known_to(snapshot.moment))}"
    missing = ", ".join(NAMES[kind] for kind in snapshot.schedule.open(snapshot.moment))
    return f"{known}; no dates of {missing}: they come with a FRED key" if missing else known


def _mode(snapshot: Snapshot) -> Text | None:
    if snapshot.mode is Mode.DEMO:
        return Text(DEMO_LABEL, Tone.PAST, "Nothing here is a recorded price. Ctrl+D goes back to live data.")
    if snapshot.mode is Mode.AS_OF:
        local = snapshot.moment.astimezone(NEW_YORK)
        words = f"AS OF {day(local)} {local:%H:%M} ET"
        return Text(words, Tone.PAST, "What was known then. Ctrl+Shift+T goes back to now.")
    if snapshot.stale_days > 0 and not isinstance(snapshot.ratio, Unknown):
        last = day(snapshot.history.pair.day(-1))
        days = f"{snapshot.stale_days:,} session{'s' if snapshot.stale_days != 1 else ''}"
        return Text(f"STALE · store ends {last}", Tone.WARN, f"{days} missing: refresh (F5) or import newer files")
    if not snapshot.live and not isinstance(snapshot.ratio, Unknown):
        if snapshot.session_open:
            now = snapshot.today.spreads[snapshot.today.reference]
            reason = now.reason if isinstance(now, Unknown) else ""
            return Text("NOT LIVE · last close shown", Tone.WARN, reason)
        return Text("CLOSED · last close shown", Tone.PAST, "The exchange is closed; levels are official closes.")
    return None
