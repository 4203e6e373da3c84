"""What a child of test_crash_points.py does until it is killed; it loads little, for there are hundreds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from desktop.book_file import BOOK, open_book
from desktop.journal_book import Journal
from desktop.market.quotes import Closes
from desktop.market.store import Priority
from desktop.store_file import STORE
from desktop.trade.journal import Fill, Trade

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=BOOK.most + 1)
BATCH = 100
LEGS = (("IWM", 100), ("QQQ", -45))


def say(told: object) -> None:
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


def batch(number: int) -> Closes:
    days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2000-01-01") + BATCH)
    return Closes(f"S{number}", days, np.full(BATCH, 1.0 + number))


def trade(number: int) -> Trade:
    fills = [Fill(leg, Decimal(size), Decimal("210.55"), Decimal("1.25"), NOW) for leg, size in LEGS]
    return Trade(0, 1, f"note {number}", tuple(fills))


# What a child does. It says a number once that is kept.


def trades_in_a_new_book(folder: Path) -> None:
    book, _ = open_book(folder, NOW)
    with book:
        for number in range(1, 4):
            Journal(book).add(trade(number), NOW)
            say(number)


def a_trade_on_a_later_day(folder: Path) -> None:
    book, _ = open_book(folder, LATER)
    with book:
        Journal(book).add(trade(1), LATER)
        say(1)


def batches_in_a_new_store(folder: Path) -> None:
    store, _ = STORE.open(folder, NOW)
    with store:
        for number in range(1, 4):
            store.put_closes(batch(number), source="test", priority=Priority.FILE)
            say(number)


def a_batch_in_a_store_that_is_copied(folder: Path) -> None:
    store, _ = STORE.open(folder, LATER)
    with store:
        STORE.keep_copy(store, folder, LATER)
        store.put_closes(batch(1), source="test", priority=Priority.FILE)
        say(1)


DEEDS: dict[str, Callable[[Path], None]] = {
    deed.__name__: deed
    for deed in (
        trades_in_a_new_book,
        a_trade_on_a_later_day,
        batches_in_a_new_store,
        a_batch_in_a_store_that_is_copied,
    )
}


if __name__ == "__main__":
    DEEDS[sys.argv[1]](Path(sys.argv[2]))
