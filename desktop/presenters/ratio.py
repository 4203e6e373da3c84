"""The ratio panel in words: stretch, record, averages, reversion; stop and target of the sizer as lines."""

from __future__ import annotations

from desktop.analytics.ratio import NOT_REVERTING, Extreme, RatioStats
from desktop.market.known import Maybe, Unknown
from desktop.presenters.curves import Curves
from desktop.presenters.words import NEW_YORK, NOT_KNOWN, day, plain, signed
from desktop.snapshot import Mode, Snapshot
from widgets.states import Level, RatioState, Tag, Text, Tone

STRETCH = "Stretch in standard deviations of ln(ratio). On a trending series it is no probability."


def present_ratio(snapshot: Snapshot, curves: Curves, *, stop: float | None, target: float | None) -> RatioState:
    """Build the state of the ratio panel; `stop` and `target` are levels of the ratio, None for none."""
    zone = NEW_YORK.key
    stats = snapshot.ratio
    if isinstance(stats, Unknown):
        return RatioState((), None, (), (), (), None, zone, message=stats.reason)
    dimmed = not snapshot.live or snapshot.mode is Mode.AS_OF
    averages = tuple(
        (name, curve)
        for name, line in (("SMA 50", snapshot.history.sma50), ("SMA 200", snapshot.history.sma200))
        if (curve := curves.of_line(name, line)) is not None
    )
    return RatioState(
        facts=_facts(snapshot, stats),
        curve=curves.of_line("ratio", snapshot.ratio_line),
        averages=averages,
        levels=_levels(stats, stop, target),
        marks=(),
        last=Tag(stats.value, plain(stats.value, 3), Tone.PAST if dimmed else Tone.PLAIN),
        zone=zone,
        dimmed=dimmed,
    )


def _facts(snapshot: Snapshot, stats: RatioStats) -> tuple[Text, ...]:
    facts = [
        _fact("z(1y)", stats.z[252], 2, sign=True, why=STRETCH),
        _fact("z(5y)", stats.z[1260], 2, sign=True, why=STRETCH),
        Text(
            f"percentile {plain(100 * stats.percentile, 2)}",
            why=f"of {stats.n_days:,} days since {day(stats.since)}",
        ),
        _fact("vs 200-day", stats.vs_sma200_pct, 1, " %", sign=True),
        Text(
            f"from record {signed(stats.drawdown_pct, 2, ' %')}",
            why=f"record {plain(stats.record.value, 3)} on {day(stats.record.date)}",
        ),
        _half_life(snapshot, stats),
        _adf(stats),
    ]
    facts += [Text(note, Tone.WARN) for note in stats.notes]
    return tuple(facts)


def _fact(name: str, value: Maybe, digits: int, unit: str = "", *, sign: bool = False, why: str = "") -> Text:
    if isinstance(value, Unknown):
        return Text(f"{name} {NOT_KNOWN}", Tone.DIM, value.reason)
    return Text(f"{name} {(signed if sign else plain)(value, digits, unit)}", why=why)


def _half_life(snapshot: Snapshot, stats: RatioStats) -> Text:
    interval = snapshot.half_life
    why = f"fit of {stats.half_life_n:,} days"
    if isinstance(interval, Unknown):
        why += f"; interval: {interval.reason}"
    else:
        low, high = (
            NOT_KNOWN if isinstance(one, Unknown) else f"{one:,.0f}"
            for one in (interval.days_low, interval.days_high)
        )
        why += (
            f"; bootstrap {interval.level:.0%} interval {low} to {high} days, "
            f"{interval.none_share:.0%} of {interval.reps:,} resamples have none"
        )
    if isinstance(stats.half_life_days, Unknown):
        return Text(f"half-life: none ({stats.reverts})", Tone.WARN, f"{stats.half_life_days.reason}; {why}")
    if stats.reverts == NOT_REVERTING:
        return Text(f"half-life {stats.half_life_days:,.0f} d ({stats.reverts})", Tone.WARN, why)
    # A fit alone does not show that it reverts: the test beside it has to say so.
    return Text(f"half-life {stats.half_life_days:,.0f} d", why=why)


def _adf(stats: RatioStats) -> Text:
    if isinstance(stats.adf, Unknown):
        return Text(f"ADF p {NOT_KNOWN}", Tone.DIM, stats.adf.reason)
    words = "no evidence of reversion" if stats.adf.p > 0.05 else "reverts"
    return Text(
        f"ADF p {plain(stats.adf.p, 2)} ({words})",
        Tone.WARN if stats.adf.p > 0.05 else Tone.PLAIN,
        f"augmented Dickey-Fuller with constant, {stats.adf.lags} lags by AIC, {stats.adf.n:,} days: "
        f"{plain(stats.adf.stat, 3)}",
    )


def _levels(stats: RatioStats, stop: float | None, target: float | None) -> tuple[Level, ...]:
    levels = [Level("record", stats.record.value, _reached("Record", stats.record), Tone.BAD)]
    if isinstance(stats.dotcom_peak, Extreme):
        levels.append(
            Level("dotcom", stats.dotcom_peak.value, _reached("Dot-com peak", stats.dotcom_peak), Tone.WARN)
        )
    if stop is not None:
        levels.append(Level("stop", stop, f"Stop {plain(stop, 3)}", Tone.BAD, draggable=True))
    if target is not None:
        levels.append(Level("target", target, f"Target {plain(target, 3)}", Tone.GOOD, draggable=True))
    return tuple(levels)


def _reached(name: str, extreme: Extreme) -> str:
    return f"{name} {plain(extreme.value, 2)} · {day(extreme.date)}"
