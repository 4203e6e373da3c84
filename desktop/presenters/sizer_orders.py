"""What may be taken away from the sizer: text for a chat, files of orders; and whether their prices are live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from desktop.market.instruments import Leg
from desktop.presenters.sizer_form import Price, PriceKind
from desktop.presenters.words import NEW_YORK, day
from desktop.snapshot import Mode, Snapshot
from desktop.trade.basket import Layout, tag, written
from desktop.trade.position import TicketLeg
from widgets.states import Offer, OrdersState, Text, Tone

_LABELS = ((Layout.IBKR, "Basket for IBKR Trader Workstation"), (Layout.OMS, "Orders for an OMS, generic"))


def standing(snapshot: Snapshot, prices: Mapping[str, Price]) -> Text:
    """Beside the title: whether these prices are of now. No words where every one is."""
    if snapshot.mode is not Mode.LIVE:
        return Text("not live", Tone.PAST, refusal(snapshot))
    doubts = _doubts(prices)
    if not doubts:
        return Text("")
    kinds = {one.kind for one in prices.values() if not one.live}
    old = bool(kinds - {PriceKind.ROLLING, PriceKind.TYPED})
    far = any(one.kind is PriceKind.TYPED and one.note for one in prices.values())
    rolling = PriceKind.ROLLING in kinds
    words = "price far off" if far else "old prices" if old else "roll week" if rolling else "typed prices"
    return Text(words, Tone.WARN, "\n".join(doubts))


def refusal(snapshot: Snapshot) -> str:
    """Why no file of orders is made, "" where one may be."""
    if snapshot.mode is Mode.AS_OF:
        return f"prices as of {_when(snapshot.moment)}: orders need prices of now (Ctrl+Shift+T comes back)"
    if snapshot.mode is Mode.DEMO:
        return "prices of the demo are simulated: orders need prices of now (Ctrl+D leaves the demo)"
    return ""


def _doubts(prices: Mapping[str, Price]) -> list[str]:
    """What keeps prices from being live, a line each."""
    return [_made(symbol, one) for symbol, one in prices.items() if not one.live]


def orders_of(
    snapshot: Snapshot, lines: Sequence[TicketLeg], prices: Mapping[str, Price], text: str, name: str
) -> OrdersState:
    """Text and files of `lines`; `prices` by symbol of the line, `name` begins the files' names."""
    refused = refusal(snapshot)
    made_at = snapshot.moment
    stamps = {symbol: one.stamp for symbol, one in prices.items()}
    offers = (
        ()
        if refused or not lines
        else tuple(
            Offer(
                layout.value,
                label,
                f"{name}-{layout.value}-{tag(made_at)}.csv",
                written(layout, lines, stamps, made_at),
            )
            for layout, label in _LABELS
        )
    )
    return OrdersState(_ticket(snapshot, prices, text), offers, refused, "\n".join(_doubts(prices)))


def _ticket(snapshot: Snapshot, prices: Mapping[str, Price], text: str) -> str:
    """Text for a chat: what is not live says so in the first line, when prices were made in the last."""
    made = "; ".join(_made(symbol, one) for symbol, one in prices.items())
    what = "made" if snapshot.mode is Mode.LIVE else "demo time" if snapshot.mode is Mode.DEMO else "as of"
    lines = [*_warning(snapshot, prices), text, f"Prices: {made}; {what} {_when(snapshot.moment)}"]
    return "\n".join(lines)


def _made(symbol: str, price: Price) -> str:
    """Where a price comes from, of a typed one how far it is from the market's; a micro's is its mini's."""
    if price.kind is PriceKind.TYPED:
        return f"{symbol}: {price.note or price.origin}"
    return price.origin if price.origin.startswith(f"{symbol} ") else f"{symbol}: {price.origin}"


def _warning(snapshot: Snapshot, prices: Mapping[str, Price]) -> tuple[str, ...]:
    doubtful = any(not one.live and one.kind is not PriceKind.ROLLING for one in prices.values())
    if snapshot.mode is not Mode.LIVE or (doubtful and not snapshot.live):
        what = {Mode.LIVE: "last prices", Mode.AS_OF: "as of"}.get(snapshot.mode, snapshot.mode.value)
        return (f"NOT LIVE PRICES ({what}, {day(snapshot.today.session.day)})",)
    doubts = [
        f"{symbol} {one.origin.rpartition(', ')[2] if one.kind is PriceKind.ROLLING else one.age}"
        for symbol, one in prices.items()
        if not one.live
    ]
    return (f"CHECK PRICES ({', '.join(doubts)})",) if doubts else ()


def _when(at: datetime) -> str:
    local = at.astimezone(NEW_YORK)
    return f"{local:%a} {day(local)} {local:%H:%M} ET"


def by_symbol(lines: Sequence[TicketLeg], prices: Mapping[Leg, Price]) -> dict[str, Price]:
    """Prices by the symbols of the ticket."""
    return {line.symbol: prices[line.leg] for line in lines}
