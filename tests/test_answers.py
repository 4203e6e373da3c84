"""Slow statistics over a restart: what was worked out is shown at once, what rests on other data is not."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.analytics import drawdowns, events, ratio, seasonality
from desktop.analytics.ratio import EngleGranger, UnitRoot
from desktop.answers import Answers, Kept, UnreadableAnswerError, decode, encode
from desktop.deferred import Deferred
from desktop.market.known import Unknown
from desktop.market.quotes import Closes
from desktop.market.sessions import NYSE
from desktop.market.store import MOST_ANSWERS, Store
from tests.same import same


def worked_off(deferred: Deferred) -> None:
    """Wait until the worker has done all it was given."""
    assert deferred._pool is not None
    deferred._pool.submit(lambda: None).result(60)


AT = datetime(2024, 7, 11, 22, 0, tzinfo=UTC)
ANSWER = EngleGranger(UnitRoot(-2.5, 0.3, 100), UnitRoot(-2.4, 0.31, 100, 3))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite") as made:
        yield made


def resting_on(*inputs: object, version: int = 1) -> Kept:
    return Kept(version, lambda: inputs)


# --- what is written down


def every_answer() -> dict[str, Any]:
    days = NYSE.days(date(1996, 1, 2), date(2024, 7, 11))
    chance = np.random.default_rng(7)
    rut, ndx, spx, vix = (
        Closes(name, days, 1000 * np.exp(np.cumsum(chance.normal(0, 0.013, len(days)))))
        for name in ("^RUT", "^NDX", "^SPX", "^VIX")
    )
    legs = ratio.pair(rut, ndx, days)
    return {
        "events": events.event_study(legs),
        "declines": drawdowns.declines(legs, spx, vix),
        "seasonality": seasonality.seasonality(vix, NYSE.days(date(1996, 1, 2), date(2024, 8, 20))),
        "half-life": ratio.half_life_interval(legs.log_ratio[-1260:], 7, reps=200),
        "adf": UnitRoot(-0.206, 0.938, 9242, 12),
        "cointegration": ANSWER,
    }


def test_every_slow_answer_is_the_same_after_it_was_written_and_read():
    for name, answer in every_answer().items():
        assert not isinstance(answer, Unknown), name
        back = decode(encode(answer))
        assert type(back) is type(answer)
        assert same(back, answer), name


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"{",
        b'{"class": "os:system", "of": {}}',
        b'{"class": "desktop.analytics.ratio:Path", "of": {}}',
        b'{"class": "desktop.analytics.ratio:UnitRoot", "of": {"stat": 1.0}}',
        b'{"enum": ["builtins:eval", "1"]}',
        b'{"array": ["<f8", [3], "AAAA"]}',
        b'{"what": 1}',
    ],
)
def test_what_was_damaged_or_made_by_another_version_is_refused(kept):
    with pytest.raises(UnreadableAnswerError):
        decode(kept)


def test_what_is_no_answer_is_not_written():
    with pytest.raises(TypeError, match="object is no part"):
        encode((1.0, object()))


# --- what is kept, and for how long


def test_an_answer_is_found_for_the_same_inputs_and_for_no_others(store):
    book, x = Answers(store), np.arange(5.0)
    book.keep("adf", book.fingerprint("adf", resting_on(x, 7)), ANSWER)
    again = Answers(store)
    assert again.find("adf", again.fingerprint("adf", resting_on(x.copy(), 7))) == ANSWER
    changed = x.copy()
    changed[2] = np.nextafter(2.0, 3.0)
    for name, kept in (
        ("adf", resting_on(changed, 7)),
        ("adf", resting_on(x, 8)),
        ("adf", resting_on(x[:-1], 7)),
        ("adf", resting_on(x.reshape(5, 1), 7)),
        ("adf", resting_on(x, 7, version=2)),
        ("half-life", resting_on(x, 7)),
    ):
        assert again.find(name, again.fingerprint(name, kept)) is None


def test_an_answer_of_another_version_of_the_program_is_worked_out_again(store, monkeypatch):
    book = Answers(store)
    before = book.fingerprint("adf", resting_on(1))
    monkeypatch.setattr("desktop.answers.VERSION", "99.0")
    assert book.fingerprint("adf", resting_on(1)) != before


def test_of_each_statistic_the_newest_few_stay(store):
    for number in range(MOST_ANSWERS + 5):
        store.put_answer("adf", f"{number:03}", b"1", AT + timedelta(seconds=number))
    store.put_answer("events", "000", b"1", AT)
    assert store.answer("adf", "004") is None
    assert store.answer("adf", "005") == b"1"
    assert store.answer("events", "000") == b"1"
    assert store.rows("SELECT count(*) FROM answers") == [(MOST_ANSWERS + 1,)]


def test_a_gap_is_not_kept(store):
    book = Answers(store)
    book.keep("adf", "f", Unknown("too few days"))
    assert book.find("adf", "f") is None


def test_an_answer_damaged_in_the_file_is_worked_out_again(store):
    book = Answers(store)
    book.keep("adf", "f", ANSWER)
    with sqlite3.connect(store.path) as other:
        other.execute("UPDATE answers SET value = ?", (b"{}",))
    other.close()
    assert book.find("adf", "f") is None


def test_an_answer_that_cannot_be_written_is_shown_all_the_same(store, caplog):
    told = object()
    assert Deferred(answers=Answers(store)).get("odd", 1, lambda: told, resting_on(1)) is told
    assert "odd is not kept: object is no part of an answer" in caplog.text


def test_a_closed_store_keeps_nothing_and_stops_nobody(tmp_path):
    with Store(tmp_path / "s.sqlite") as made:
        book = Answers(made)
    assert book.find("adf", "f") is None
    book.keep("adf", "f", ANSWER)


# --- in the program


class Asked:
    """A slow statistic that counts how often it was worked out."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> EngleGranger:
        self.times += 1
        return ANSWER


def test_a_second_start_has_the_answer_without_working_it_out_and_before_anything_is_begun(store):
    asked, done = Asked(), threading.Event()
    assert Deferred(answers=Answers(store)).get("c", 1, asked, resting_on(1)) == ANSWER
    second = Deferred(done.set, held=True, answers=Answers(store))
    try:
        assert second.get("c", 1, asked, resting_on(1)) == Unknown("being computed")
        assert done.wait(10)
        assert second.get("c", 1, asked, resting_on(1)) == ANSWER
    finally:
        second.close()
    assert asked.times == 1


def test_what_is_not_found_while_held_is_worked_out_once_begun(store):
    asked, done = Asked(), threading.Event()
    deferred = Deferred(done.set, held=True, answers=Answers(store))
    try:
        deferred.get("c", 1, asked, resting_on(1))
        worked_off(deferred)
        assert (asked.times, done.is_set(), deferred.progress) == (0, False, None)
        deferred.begin()
        deferred.get("c", 1, asked, resting_on(1))
        worked_off(deferred)
        assert deferred.get("c", 1, asked, resting_on(1)) == ANSWER
    finally:
        deferred.close()
    assert asked.times == 1


def test_progress_tells_which_and_how_many_until_all_are_there(store):
    gate, told = threading.Event(), []
    deferred = Deferred(lambda: told.append(deferred.progress), answers=Answers(store))

    def waits() -> float:
        assert gate.wait(10)
        return 1.0

    try:
        for name in ("adf", "events", "quick"):
            deferred.get(name, 1, waits, None if name == "quick" else resting_on(name))
        gate.set()
        worked_off(deferred)
    finally:
        deferred.close()
    words = [(one.what, one.done, one.total, one.stoppable) for one in told if one is not None]
    assert ("statistics: adf", 0, 2, False) in words
    assert ("statistics: events", 1, 2, False) in words
    assert deferred.progress is None


def test_a_statistic_that_fails_says_why_and_is_asked_again_at_the_next_start(store):
    def fails() -> float:
        raise ValueError("no such matrix")

    first = Deferred(answers=Answers(store))
    assert first.get("adf", 1, fails, resting_on(1)) == Unknown("could not be computed: no such matrix")
    assert Deferred(answers=Answers(store)).get("adf", 1, Asked(), resting_on(1)) == ANSWER
