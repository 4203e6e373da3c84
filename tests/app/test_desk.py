"""A desk: opened on the engine's thread, closed from another, whatever comes first."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop import desk
from desktop.book import Book
from desktop.desk import Desk, Mode, Parts
from desktop.market.clock import PlayClock
from desktop.market.database import StoreClosedError, StoreForeignError
from desktop.market.known import UserError
from desktop.market.store import FILE_NAME, Store
from desktop.presenters.frame import View
from desktop.settings import Settings
from desktop.sources.feed import Feed, Plan

START = datetime(2024, 7, 10, 15, 0, tzinfo=UTC)
VIEW = View(Settings())


def feed_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("feed")]


@dataclass
class Slow:
    """Opens a store in memory, but not before it is let go."""

    entered: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    store: Store | None = None

    def __call__(self, on_change) -> Parts:
        self.entered.set()
        assert self.go_on.wait(5.0)
        clock = PlayClock(START, 1.0)
        self.store = Store(None)
        return Parts(self.store, Book(None), clock, Feed(self.store, (), clock, on_change, Plan(off="test")))


def test_desk_that_is_closed_while_it_opens_leaves_nothing_running():
    slow = Slow()
    made = Desk(Mode.LIVE, slow)
    made.start(lambda: None)
    failures: list[Exception] = []

    def frame() -> None:
        try:
            made.frame(VIEW)
        except UserError as error:
            failures.append(error)

    opening = threading.Thread(target=frame)
    opening.start()
    assert slow.entered.wait(5.0)
    closing = threading.Thread(target=made.close)
    closing.start()
    slow.go_on.set()
    opening.join(5.0)
    closing.join(5.0)
    made.begin()
    assert feed_threads() == []
    assert slow.store is not None
    with pytest.raises(StoreClosedError):
        slow.store.closes("^RUT")


def test_desk_that_was_closed_before_its_first_frame_opens_nothing():
    slow = Slow()
    slow.go_on.set()
    made = Desk(Mode.LIVE, slow)
    made.close()
    with pytest.raises(UserError):
        made.frame(VIEW)
    assert not slow.entered.is_set()


def test_closed_desk_does_not_begin_to_ask_its_sources():
    slow = Slow()
    slow.go_on.set()
    made = Desk(Mode.LIVE, slow)
    made.frame(VIEW)
    made.close()
    made.begin()
    assert feed_threads() == []


def test_desk_makes_no_noise_before_it_is_open(tmp_path):
    made = desk.open_live(tmp_path, offline=True)
    made.refresh()
    made.cancel()
    made.seek(0.5)
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_store_is_closed_again_where_the_book_cannot_be_opened(tmp_path):
    Store(
        tmp_path / "book.sqlite"
    ).close()  # a store in the place of the book: another program's, as the book sees it
    made = desk.open_live(tmp_path, offline=True)
    with pytest.raises(StoreForeignError, match=r"book\.sqlite: it belongs to another program"):
        made.frame(VIEW)
    assert not list(tmp_path.glob(f"{FILE_NAME}-*"))  # its log is there as long as it is open
    made.close()


def test_files_are_imported_one_by_one_and_a_refused_one_does_not_stop_the_next(tmp_path):
    good, bad = tmp_path / "ndx.csv", tmp_path / "notes.csv"
    rows = "\n".join(f"2024-01-{day:02d},17000,17100,16900,{17000 + day},0" for day in (2, 3, 4, 5))
    good.write_text(f"Date,Open,High,Low,Close,Volume\n{rows}\n", encoding="utf-8")
    bad.write_text("this is a letter\nto nobody\n", encoding="utf-8")
    lines = desk.import_files(tmp_path / "data", [bad, Path(tmp_path / "missing.csv"), good])
    assert len(lines) == 3
    assert "notes.csv" in lines[0]
    assert "missing.csv" in lines[1]
    assert "^NDX" in lines[2]
    assert "4" in lines[2]
    with Store(tmp_path / "data" / FILE_NAME) as store:
        assert store.closes("^NDX").close.tolist() == [17002.0, 17003.0, 17004.0, 17005.0]
