"""Orders as files that a broker's or a desk's program reads. Nothing here sends anything.

Every order is a day limit at the price of the ticket, rounded to the instrument's tick. Columns and values of
the basket for Interactive Brokers follow "Manually Create a Basket File" and "Basket Fields" in the guide to its
Trader Workstation, which takes no comments: when the basket was made, and what its prices rest on, stand in the
field BasketTag, which comes back as the order reference of every trade.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from desktop.trade.position import TicketLeg, instrument_of

_IBKR_EXCHANGE = {"IWM": "SMART/ARCA", "QQQ": "SMART/NASDAQ"}
_MARKET = {"IWM": "ARCX", "QQQ": "XNAS"}
"""Market identifier codes (ISO 10383) of the listing exchanges."""
_CME, _CME_MARKET = "CME", "XCME"
IBKR_COLUMNS = (
    "Action", "Quantity", "Symbol", "SecType", "LastTradingDayOrContractMonth", "Exchange", "Currency",
    "TimeInForce", "OrderType", "LmtPrice", "BasketTag",
)  # fmt: skip
OMS_COLUMNS = (
    "basket", "made_utc", "side", "quantity", "symbol", "security_type", "contract", "last_trade_date", "market",
    "currency", "order_type", "limit_price", "time_in_force", "multiplier", "notional", "price_source",
    "price_utc", "price_age_s",
)  # fmt: skip


class Layout(StrEnum):
    """Who reads the file."""

    IBKR = "ibkr"
    OMS = "oms"


@dataclass(frozen=True, slots=True)
class PriceStamp:
    """What a price rests on: quote, close, index level or typed; when it traded (UTC) and its age, where known."""

    source: str
    at: datetime | None = None
    age_s: float | None = None


TYPED = PriceStamp("typed")


def limit_price(line: TicketLeg) -> str:
    """The price of the ticket at the nearest tick, with the tick's decimals: 2141.6, 492.37."""
    tick = instrument_of(line).tick
    digits = len(f"{tick:.6f}".rstrip("0").partition(".")[2])
    return f"{round(line.price / tick) * tick:.{digits}f}"


def tag(made_at: datetime) -> str:
    """Name of a basket, unique to the second: RM20240711T143007Z."""
    return f"RM{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def written(
    layout: Layout, lines: Sequence[TicketLeg], stamps: Mapping[str, PriceStamp], made_at: datetime
) -> str:
    """Return the file: one row a line of the ticket. `stamps` are by symbol of the line; none counts as typed."""
    of = [stamps.get(line.symbol, TYPED) for line in lines]
    if layout is Layout.IBKR:
        basket = tag(made_at) + "".join(dict.fromkeys(map(_mark, of)))
        return _csv(IBKR_COLUMNS, [_ibkr(line, basket) for line in lines])
    return _csv(OMS_COLUMNS, [_oms(line, stamp, made_at) for line, stamp in zip(lines, of, strict=True)])


def _mark(stamp: PriceStamp) -> str:
    """QUOTE3S, CLOSE, INDEX, TYPED: letters and digits alone, which is what a tag may hold."""
    age = "" if stamp.age_s is None else f"{stamp.age_s:.0f}S"
    return f"{stamp.source.split()[0].upper()}{age}"


def _ibkr(line: TicketLeg, basket: str) -> tuple[str, ...]:
    future = line.future
    return (
        line.side.upper(),
        str(line.quantity),
        line.symbol,
        "STK" if future is None else "FUT",
        "" if future is None else f"{future.month:%Y%m}",
        _IBKR_EXCHANGE[line.symbol] if future is None else _CME,
        "USD",
        "DAY",
        "LMT",
        limit_price(line),
        basket,
    )


def _oms(line: TicketLeg, stamp: PriceStamp, made_at: datetime) -> tuple[str, ...]:
    future = line.future
    return (
        tag(made_at),
        _iso(made_at),
        line.side.upper(),
        str(line.quantity),
        line.symbol,
        "ETF" if future is None else "FUT",
        line.symbol if future is None else future.code,
        "" if future is None else future.expiry.isoformat(),
        _MARKET[line.symbol] if future is None else _CME_MARKET,
        "USD",
        "LIMIT",
        limit_price(line),
        "DAY",
        f"{line.multiplier:g}",
        f"{line.notional_usd:.2f}",
        stamp.source,
        "" if stamp.at is None else _iso(stamp.at),
        "" if stamp.age_s is None else f"{stamp.age_s:.0f}",
    )


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows(rows)
    return out.getvalue()
