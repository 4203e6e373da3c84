"""The journal in the book: every version stays, nothing is lost, two windows do not overwrite each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.book import FILE_NAME, Book
from desktop.journal_book import Journal, JournalFileError, TradeChangedError, read_csv
from desktop.market.database import StoreError
from desktop.market.known import UserError
from desktop.trade.journal import Carry, Fill, FillKind, Trade

AT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
D = Decimal
ROOT = Path(__file__).parents[1]


def trade(note: str = "CPI") -> Trade:
    fills = (
        Fill("M2K", D(19), D("2133.30"), D("11.78"), AT),
        Fill("MNQ", D(-4), D("20467.25"), D("2.48"), AT, FillKind.SCALE),
    )
    return Trade(0, 1, note, fills, (Carry(D("-12.50"), "borrow", AT),), D("9.58"), D("10.1"), None, "x.png")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def test_a_trade_comes_back_exactly(path):
    with Book(path) as book:
        written = Journal(book).add(trade(), AT)
    with Book(path) as book:
        assert Journal(book).trades() == (written,)
        assert written == replace(trade(), number=1)


def test_a_change_keeps_the_earlier_version(path):
    with Book(path) as book:
        journal = Journal(book)
        first = journal.add(trade(), AT)
        second = journal.change(replace(first, note="CPI, half"), AT + timedelta(hours=1))
        assert journal.trades() == (second,)
        assert journal.versions(1) == ((AT, first), (AT + timedelta(hours=1), second))


def test_the_second_of_two_windows_is_told_and_overwrites_nothing(path):
    with Book(path) as one, Book(path) as two:
        here, there = Journal(one), Journal(two)
        seen = here.add(trade(), AT)
        assert there.trades() == (seen,)
        changed = there.change(replace(seen, note="theirs"), AT)
        with pytest.raises(TradeChangedError, match="was changed in another window"):
            here.change(replace(seen, note="ours"), AT)
        assert here.trades() == (changed,)


def test_a_trade_taken_back_is_gone_from_the_list_and_stays_in_the_history(path):
    with Book(path) as book:
        journal = Journal(book)
        first = journal.add(trade(), AT)
        journal.change(replace(first, void=True), AT)
        assert journal.trades() == ()
        assert len(journal.versions(1)) == 2
        assert journal.everything() == (replace(first, version=2, void=True),)
        assert journal.as_of(AT) == ()  # it was never made
        with pytest.raises(UserError, match="no trade 2 in this journal"):
            journal.trade(2)
        assert journal.add(trade(), AT).number == 2  # no number is used twice


def test_the_same_object_while_nothing_changed(path):
    with Book(path) as book:
        journal = Journal(book)
        journal.add(trade(), AT)
        assert journal.everything() is journal.everything()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from desktop.book import Book
from desktop.journal_book import Journal
from tests.test_journal_book import AT, trade
with Book(Path(sys.argv[1])) as book:
    journal = Journal(book)
    for number in range(100_000):
        print(journal.add(trade(f"note {number}"), AT).number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 7, 40])
def test_after_kill_9_every_trade_that_was_told_as_written_is_there(path, after):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    assert writer.stdout is not None
    told = 0
    try:
        while told < after:
            told = int(writer.stdout.readline())
    finally:
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
        writer.wait(20)
        writer.stdout.close()
    whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    told = int(whole[-1]) if whole else told
    with Book(path) as book:
        there = Journal(book).trades()
        assert len(there) >= told
        assert [one.number for one in there] == list(range(1, len(there) + 1))
        assert book.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_full_disk_is_told_and_loses_nothing(path):
    with Book(path) as book:
        journal = Journal(book)
        kept = journal.add(trade(), AT)
        pages = book.rows("PRAGMA page_count")[0][0]
        book._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"no space left.*nothing stored was lost"):
            journal.add(trade("x" * 100_000), AT)
        assert journal.trades() == (kept,)
    with Book(path) as book:
        assert Journal(book).trades() == (kept,)


def dated(fill: Fill, month: date | None) -> Fill:
    return fill if fill.symbol in ("IWM", "QQQ") else replace(fill, month=month)


figures = st.integers(1, 10**9).map(lambda cents: D(cents) / 100)
anything = st.builds(
    Trade,
    st.just(0),
    st.just(1),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\x00"), max_size=40),
    st.lists(
        st.builds(
            dated,
            st.builds(
                Fill,
                st.sampled_from(["IWM", "QQQ", "M2K", "NQ"]),
                st.integers(-99, 99).filter(bool).map(D),
                figures,
                figures,
                st.integers(0, 10**6).map(lambda us: AT + timedelta(microseconds=us)),
                st.sampled_from(FillKind),
            ),
            st.none() | st.sampled_from([date(2024, 9, 1), date(2024, 12, 1)]),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    st.lists(st.builds(Carry, figures, st.just("borrow"), st.just(AT)), max_size=2).map(tuple),
    st.none() | figures,
    st.none() | figures,
    st.none() | figures,
    entry_beta=st.none() | figures,
)


@given(st.lists(anything, max_size=4))
def test_out_as_csv_and_in_again_is_the_same_to_the_last_digit(trades):
    with Book(None) as one, Book(None) as two:
        there = Journal(one)
        for each in trades:
            there.add(each, AT)
        here = Journal(two)
        assert here.take(there.export(), LATER) == (len(trades), 0)
        assert here.take(there.export(), LATER) == (0, len(trades))  # once more adds nothing
        assert here.trades() == there.trades()


HEAD = "trade,row,time,symbol,quantity,price,fee_usd,kind,amount_usd,note,entry_ratio,stop,target,picture\n"
GOOD = HEAD + "1,trade,,,,,,,,CPI,9.58,,,\n1,fill,2024-07-11T14:30:00+00:00,IWM,10,210.5,0,open,,,,,,\n"
WRONG = {
    "no journal": ("a,b\n1,2\n", 1, "the columns are not"),
    "a trade without fills": (HEAD + "1,trade,,,,,,,,CPI,,,,\n", 2, "has no fill"),
    "a fill of an unknown trade": (
        HEAD + "1,fill,2024-07-11T14:30:00+00:00,IWM,10,210,0,open,,,,,,\n",
        2,
        "no row before it opens trade 1",
    ),
    "a half share": (GOOD.replace("IWM,10,", "IWM,10.5,"), 3, "whole number"),
    "a wrong price": (GOOD.replace("210.5", "cheap"), 3, "price 'cheap' is no number"),
    "a decimal comma": (GOOD.replace("210.5", '"210,5"'), 3, "price '210,5' is no number"),
    "no fee": (GOOD.replace("210.5,0,", "210.5,,"), 3, "fee_usd '' is no number"),
    "a level that is no number": (GOOD.replace("9.58", '"9,58"'), 2, "entry_ratio '9,58' is no number"),
    "a carry without amount": (
        GOOD + "1,carry,2024-07-11T14:30:00+00:00,,,,,,,borrow,,,,\n",
        4,
        "amount_usd '' is no number",
    ),
    "a time without zone": (GOOD.replace("+00:00", ""), 3, "time '2024-07-11T14:30:00' has no zone"),
    "a time of a spreadsheet": (
        GOOD.replace("2024-07-11T14:30:00+00:00", "7/11/2024 14:30"),
        3,
        "time '7/11/2024 14:30' is no ISO time",
    ),
    "no time": (GOOD.replace("2024-07-11T14:30:00+00:00", ""), 3, "time '' is no ISO time"),
    "a row cut short": (GOOD.replace(",10,210.5,0,open,,,,,,", ",10"), 3, "fewer cells than columns"),
    "a kind that is none": (
        GOOD.replace("open", "opened"),
        3,
        "kind 'opened' is none of open, scale, roll, close",
    ),
    "a month that is none": (
        (GOOD.replace(",picture", ",picture,month,entry_beta").replace(",,,\n1,fill", ",,,,,\n1,fill"))
        .replace("IWM", "M2K")
        .replace("open,,,,,,", "open,,,,,,,Sep24,"),
        3,
        "month 'Sep24' is not written as 2024-09",
    ),
    "an unknown symbol": (GOOD.replace("IWM", "SPY"), 3, "SPY is not traded here"),
    "a trade twice": (GOOD + "1,trade,,,,,,,,again,,,,\n", 4, "stands twice"),
    "a stop that is no number": (GOOD.replace("CPI,9.58,,", "CPI,9.58,NaN,"), 2, "needs a ratio above 0"),
    "more cells than columns": (GOOD.replace(",open,,,,,,", ",open,,,,,,,surplus"), 3, "more cells than columns"),
    "a cell beyond what csv reads": (GOOD.replace("CPI", "x" * 200_000), 2, "field larger"),
    "a fill that lies ahead": (GOOD.replace("14:30:00+", "14:30:01+"), 3, "lies ahead"),
    "an unknown row": (GOOD + "1,dividend,,,,,,,,,,,,\n", 4, "neither trade, fill nor carry"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_row_is_named_and_nothing_is_imported(what, path):
    text, row, said = WRONG[what]
    with Book(path) as book:
        with pytest.raises(JournalFileError, match=f"row {row}: .*{said}.*nothing was imported"):
            Journal(book).take(text, AT)
        assert Journal(book).trades() == ()
    assert len(read_csv(GOOD, AT)) == 1


def test_a_file_of_before_contract_months_is_read():
    (found,) = read_csv(GOOD, AT)
    assert (found.note, found.entry_ratio, found.entry_beta) == ("CPI", D("9.58"), None)
    assert [one.month for one in found.fills] == [None]


def test_what_was_known_then_are_fills_of_then_and_words_as_written_then(path):
    """Entered at 14:30 and sold half at 16:30 with a new note and stop; as of 15:30 neither is known."""
    then = AT + timedelta(hours=1)
    with Book(path) as book:
        journal = Journal(book)
        first = journal.add(trade(), AT)
        half = Fill("M2K", D(-9), D("2150"), D(0), AT + timedelta(hours=2), FillKind.SCALE)
        late = Carry(D("-3"), "borrow", AT + timedelta(hours=2))
        journal.change(
            replace(
                first, note="half off", stop=D("9.9"), fills=(*first.fills, half), carries=(*first.carries, late)
            ),
            AT + timedelta(hours=2),
        )
        (seen,) = journal.as_of(then)
        assert (seen.note, seen.stop) == ("CPI", D("10.1"))
        assert (seen.fills, seen.carries) == (first.fills, first.carries)
        assert journal.as_of(AT - timedelta(seconds=1)) == ()
        (now,) = journal.as_of(AT + timedelta(hours=3))
        assert now == journal.trades()[0]


def test_in_the_past_a_trade_that_was_known_whole_is_the_same_object(path):
    """Nothing is compared or worked out again for it while the past is shown."""
    with Book(path) as book:
        journal = Journal(book)
        journal.add(trade(), AT)
        assert journal.as_of(AT)[0] is journal.everything()[0]


def test_a_fill_written_down_late_is_a_fact_of_its_own_time(path):
    with Book(path) as book:
        journal = Journal(book)
        made = journal.add(trade("typed in the evening"), AT + timedelta(hours=8))
        assert journal.as_of(AT + timedelta(minutes=1)) == (made,)


def test_a_file_saved_by_a_spreadsheet_is_read():
    assert read_csv("\ufeff" + GOOD, AT) == read_csv(GOOD, AT)


@pytest.mark.parametrize("document", ["{", "{}", '{"note": 1, "fills": [[]]}'])
def test_a_version_that_cannot_be_read_is_named(path, document):
    with Book(path) as book:
        Journal(book).add(trade(), AT)
        with book.writing() as db:
            db.execute("INSERT INTO trades VALUES (1, 2, 0, ?)", (document,))
        with pytest.raises(StoreError, match="version 2 of trade 1 cannot be read"):
            Journal(book).trades()
