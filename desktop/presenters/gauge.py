"""The correlation gauge and the regime's four votes, in words."""

from __future__ import annotations

from desktop.analytics.correlation import CorrelationStats
from desktop.analytics.regime import WORDS, Flag, Readings, RegimeStats, State
from desktop.market.known import Maybe, Unknown
from desktop.presenters.curves import Curves
from desktop.presenters.words import NOT_KNOWN, day, ordinal, plain, shown, signed
from desktop.snapshot import Mode, Snapshot
from widgets.states import Curve, GaugeState, Text, Tone, Vote, VoteState

ZONES = ((0.10, Tone.PAST), (0.35, Tone.GOOD), (0.60, Tone.WARN), (1.0, Tone.BAD))
"""Arcs of the dial: unusually low, the usual, high, crisis. 2017-2024 medians lie near .3, March 2020 above .6."""

STATE_TONES = {
    State.ORDERLY: Tone.GOOD,
    State.VIOLENT_ROTATION: Tone.WARN,
    State.RISK_OFF: Tone.BAD,
    State.DE_GROSSING: Tone.BAD,
    State.UNKNOWN: Tone.DIM,
}


def regime_text(regime: RegimeStats | Unknown) -> Text:
    """The state as a pill: capitals, and what it is not."""
    if isinstance(regime, Unknown):
        return Text("REGIME n/a", Tone.DIM, regime.reason)
    words = WORDS[regime.state].upper()
    if regime.state is State.VIOLENT_ROTATION:
        words += " · not de-grossing"
    why = f"on {day(regime.date)}" + (f", since {day(regime.since)}" if regime.since else "")
    return Text(words, STATE_TONES[regime.state], f"{why}. {regime.why}" if regime.why else why)


def present_gauge(snapshot: Snapshot, curves: Curves) -> GaugeState:
    """Build the state of the gauge panel."""
    correlation, regime = snapshot.correlation, snapshot.regime
    realised, implied = _lines(snapshot, curves)
    if isinstance(correlation, Unknown):
        value, text = None, Text(NOT_KNOWN, Tone.DIM, correlation.reason)
        captions: tuple[Text, ...] = (Text(correlation.reason, Tone.DIM),)
    else:
        short = correlation.mean_pairwise[21]
        value = None if isinstance(short, Unknown) else short
        # Correlation rests on closes: the last one is as live as it gets, an older one is not.
        is_now = correlation.date >= snapshot.history.day and snapshot.mode is not Mode.AS_OF
        tone = Tone.PLAIN if is_now else Tone.PAST
        text = shown(short, lambda v: plain(v, 2), tone, f"close of {day(correlation.date)}")
        captions = _captions(correlation)
    return GaugeState(
        value=value,
        text=text,
        captions=captions,
        zones=ZONES,
        regime=regime_text(regime),
        votes=_votes(regime),
        flips=() if isinstance(regime, Unknown) else regime.would_flip,
        realised=realised,
        implied=implied,
        legend=_legend(correlation),
    )


def _lines(snapshot: Snapshot, curves: Curves) -> tuple[Curve | None, Curve | None]:
    """Realised and implied correlation, both since the realised one begins."""
    realised = curves.of_line("realised", snapshot.history.realised)
    implied = curves.of_line("implied", snapshot.history.implied)
    return realised, implied


def _captions(c: CorrelationStats) -> tuple[Text, ...]:
    percentile = shown(c.percentile_1y, lambda v: f"{ordinal(round(100 * v))} percentile of 1 y", Tone.DIM)
    if isinstance(c.percentile_1y, Unknown):
        percentile = Text("percentile of 1 y n/a", Tone.DIM, c.percentile_1y.reason)
    longer = shown(c.mean_pairwise[63], lambda v: plain(v, 2)).text
    return (
        Text(f"mean pairwise, 21 d · {c.n_stocks} stocks", Tone.DIM, " ".join(c.notes)),
        percentile,
        Text(f"63 d {longer} · {day(c.date)}", Tone.DIM, "Correlation of daily log returns; closes, not live."),
    )


def _legend(correlation: CorrelationStats | Unknown) -> tuple[Text, ...]:
    if isinstance(correlation, Unknown):
        return (Text("Realised 21 d n/a", Tone.DIM, correlation.reason),)
    implied = correlation.implied_cor1m
    if isinstance(implied, Unknown):
        return Text("Realised 21 d"), Text("Implied COR1M n/a", Tone.PAST, implied.reason)
    rank = correlation.implied_percentile
    place = "" if isinstance(rank, Unknown) else f", {plain(100 * rank, 1)} pct of all"
    on = f" · {day(correlation.implied_date)}" if correlation.implied_date else ""
    since = f"percentile since {day(correlation.implied_since)}" if correlation.implied_since else ""
    return Text("Realised 21 d"), Text(f"Implied COR1M {plain(implied, 2)}{place}{on}", Tone.PAST, since)


def _votes(regime: RegimeStats | Unknown) -> tuple[VoteState, ...]:
    labels = ("Correlation high or jumping", "Volatility high", "Both legs falling, broad", "Momentum unwinding")
    shorts = ("Correlation", "Volatility", "Both legs fall", "Momentum")
    if isinstance(regime, Unknown):
        return tuple(
            VoteState(label, Vote.UNKNOWN, NOT_KNOWN, regime.reason, short)
            for label, short in zip(labels, shorts, strict=True)
        )
    flags, r = regime.flags, regime.readings
    details = (_correlation(r), _volatility(r), _legs(r), _momentum(r))
    votes = (flags.correlation, flags.volatility, flags.both_legs_down, flags.momentum_unwind)
    return tuple(
        VoteState(
            label,
            _vote(flag),
            detail,
            flag.reason if isinstance(flag, Unknown) else f"close of {day(regime.date)}",
            short,
        )
        for label, flag, detail, short in zip(labels, votes, details, shorts, strict=True)
    )


def _vote(flag: Flag) -> Vote:
    if isinstance(flag, Unknown):
        return Vote.UNKNOWN
    return Vote.ON if flag else Vote.OFF


def _say(value: Maybe, digits: int, unit: str = "", *, sign: bool = False) -> str:
    if isinstance(value, Unknown):
        return NOT_KNOWN
    return (signed if sign else plain)(value, digits, unit)


def _correlation(r: Readings) -> str:
    return f"{_say(r.correlation, 2)}, {_say(r.correlation_change_5d, 2, sign=True)} in 5 d"


def _volatility(r: Readings) -> str:
    return f"VIX {_say(r.vix, 2)} · VIX/VIX3M {_say(r.vix_ratio, 2)}"


def _legs(r: Readings) -> str:
    moves = f"RUT {_say(r.rut_5d_pct, 1, ' %', sign=True)}, NDX {_say(r.ndx_5d_pct, 1, ' %', sign=True)} in 5 d"
    if isinstance(r.breadth, Unknown):
        return moves
    return f"{moves} · worst day {plain(100 * r.breadth, 0)} % fell"


def _momentum(r: Readings) -> str:
    if isinstance(r.momentum_score, Unknown):
        return "winners − losers n/a"
    move = _say(r.momentum_5d_pct, 1, " %", sign=True)
    return f"winners − losers {move} in 5 d, {signed(r.momentum_score, 1, 'σ')}"
