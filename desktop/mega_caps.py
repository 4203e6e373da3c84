"""What the seven largest names made of the NDX's move: of today where they are quoted, else of the last closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from desktop.analytics.contribution import Contribution, contribution
from desktop.market.known import Unknown
from desktop.market.quotes import Quote
from desktop.market.sessions import NYSE, trading_day
from desktop.market.store import Store
from desktop.typed_figures import Weights, seven

INDEX = "^NDX"
MOST_GAP = timedelta(minutes=2)
"""Quotes that traded further apart than this are not set against each other."""
_LOOK_BACK_DAYS = 14


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves of the seven and of the index since the close before, percent; their day, and their source."""

    day: date
    of_names_pct: Mapping[str, float]
    of_index_pct: float
    source: str


@dataclass(frozen=True, slots=True)
class MegaCaps:
    """The contribution, the moves it was made from, and the weights as typed."""

    moves: Moves
    weights: Weights
    found: Contribution


def quoted_moves(store: Store, moment: datetime) -> Moves | None:
    """Moves of the session that started last, from quotes known at `moment`; None where one is missing or late."""
    session = NYSE.last_started(moment)
    quotes: dict[str, Quote] = {}
    for symbol in (INDEX, *seven()):
        quote = store.last_quote(symbol, moment)
        if quote is None or quote.event_time < session.open or quote.previous_close is None:
            return None
        quotes[symbol] = quote
    times = [min(one.event_time, session.close) for one in quotes.values()]
    if max(times) - min(times) > MOST_GAP:
        return None
    moved = {symbol: _moved(one.price, one.previous_close) for symbol, one in quotes.items()}
    return Moves(session.day, {name: moved[name] for name in seven()}, moved[INDEX], "quotes")


def closing_moves(store: Store, day: date) -> Moves | Unknown:
    """Moves of the last session up to `day` of which one stored universe has all seven names."""
    index = store.closes(INDEX, day - timedelta(days=_LOOK_BACK_DAYS), day)
    level = dict(zip(index.days.tolist(), index.close.tolist(), strict=True))
    # The one that reaches furthest first; of two that reach as far, the newest.
    for info in sorted(store.panels(), key=lambda one: min(one.last, day), reverse=True):
        panel = store.panel(info.name)
        if panel is None or any(name not in panel.tickers for name in seven()):
            continue
        columns = [panel.tickers.index(name) for name in seven()]
        known = np.isfinite(panel.close[:, columns]).all(axis=1)
        rows = np.flatnonzero(known & (panel.days <= np.datetime64(day)))
        if len(rows) < 2:
            continue
        before, last = (panel.days[row].item() for row in rows[-2:])
        if NYSE.previous(last).day != before or before not in level or last not in level:
            continue
        closes = panel.close[rows[-2:]][:, columns]
        moved = {name: _moved(closes[1, at], closes[0, at]) for at, name in enumerate(seven())}
        return Moves(last, moved, _moved(level[last], level[before]), f"closes of the universe {info.name}")
    return Unknown("no prices of the seven names: refresh while the exchange is open, or import their closes")


def mega_caps(moves: Moves | Unknown, weights: Weights | Unknown, moment: datetime) -> MegaCaps | Unknown:
    """Set the weights against the moves; Unknown where either is missing, or typed for a day after `moment`."""
    if isinstance(weights, Unknown):
        return weights
    if isinstance(moves, Unknown):
        return moves
    if weights.dated > trading_day(moment):
        why = f"the weights are of {weights.dated}, after {trading_day(moment)}"
        return Unknown(f"{why}: type those of an earlier day")

    return MegaCaps(moves, weights, contribution(weights.by_name, moves.of_names_pct, moves.of_index_pct))


def _moved(price: float, before: float | None) -> float:
    assert before is not None
    return 100.0 * (float(price) / float(before) - 1.0)
