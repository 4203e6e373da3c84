"""Alert rules and their log in a real book: kept over a restart, only ever added to, one log for all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.alert_book import AlertBook, Entry
from desktop.book import FILE_NAME, Book
from desktop.trade.alerts import Condition, Repeat, Rule, State, Subject, Watch

NOW = datetime(2024, 7, 11, 15, 0, 0, 123456, tzinfo=UTC)
RULE = Rule(
    Watch(Subject.RATIO_Z, "252"),
    Condition.BELOW,
    -1.25,
    band=0.125,
    repeat=Repeat.ONCE,
    sound=False,
    snoozed_from=NOW,
    snoozed_until=NOW + timedelta(hours=4),
    note="ask the desk",
)
REGIME = Rule(Watch(Subject.REGIME), Condition.BECOMES, target="risk_off")
STATE = State(armed=False, side=-1, seen="orderly", reference=9.5, fired_at=NOW, occasion="2024-07-10")
ENTRY = Entry(NOW, 1, "Ratio ≥ 10.000", "10.012", "≥ 10.000", NOW - timedelta(seconds=2), 2.5, "index", "live")


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


def test_rules_states_and_log_are_there_after_reopening(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        assert [alerts.put_rule(one) for one in (RULE, REGIME)] == [1, 2]
        alerts.note(alerts.version, {1: STATE}, [ENTRY])
    with Book(path) as book:
        alerts = AlertBook(book)
        assert alerts.rules() == ((replace(RULE, id=1), replace(REGIME, id=2)), ())
        assert alerts.states() == {1: STATE}
        assert alerts.log() == (replace(ENTRY, id=1),)


def test_an_edited_rule_begins_anew(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        number = alerts.put_rule(RULE)
        alerts.note(alerts.version, {number: STATE}, [])
        assert alerts.put_rule(replace(RULE, id=number, level=-2.0)) == number
        assert alerts.rules()[0][0].level == -2.0
        assert alerts.states() == {}


def test_a_deleted_rule_leaves_its_log_and_its_number_is_not_used_again(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        alerts.put_rule(RULE)
        alerts.note(alerts.version, {1: STATE}, [ENTRY])
        alerts.delete(1)
        assert (alerts.rules(), alerts.states()) == (((), ()), {})
        assert [one.title for one in alerts.log()] == [ENTRY.title]
        assert alerts.put_rule(REGIME) == 2


def test_a_state_of_a_rule_that_was_deleted_meanwhile_is_dropped(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        alerts.note(alerts.version, {7: STATE}, [ENTRY])
        assert alerts.states() == {}
        assert len(alerts.log()) == 1


def test_seen_is_noted_beside_the_log_which_stays_as_it_was(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        alerts.note(alerts.version, {}, [ENTRY, replace(ENTRY, title="another")])
        rows = book.rows("SELECT * FROM alert_log")
        alerts.acknowledge(NOW, 2)
        assert [(one.title, one.seen) for one in alerts.log()] == [("another", True), (ENTRY.title, False)]
        alerts.acknowledge(NOW + timedelta(hours=1))
        assert all(one.seen for one in alerts.log())
        assert book.rows("SELECT * FROM alert_log") == rows
        assert len(book.rows("SELECT DISTINCT at FROM alert_seen")) == 2  # the first time counts


def test_snooze_wake_off_and_on(path):
    with Book(path) as book:
        alerts = AlertBook(book)
        number = alerts.put_rule(REGIME)
        alerts.note(alerts.version, {number: STATE}, [])
        alerts.snooze(number, NOW, NOW + timedelta(minutes=15))
        assert alerts.rules()[0][0].snoozed(NOW + timedelta(minutes=14))
        assert alerts.states() == {number: STATE}  # a snooze forgets nothing
        alerts.snooze(number, None, None)
        assert not alerts.rules()[0][0].snoozed(NOW)
        alerts.enable(number, enabled=False)
        assert not alerts.rules()[0][0].enabled
        alerts.enable(number, enabled=True)
        assert (alerts.rules()[0][0].enabled, alerts.states()) == (True, {})


def test_a_rule_of_a_later_version_is_left_alone_and_told(path):
    with Book(path) as book:
        AlertBook(book).put_rule(RULE)
        AlertBook(book).put_rule(REGIME)
        with book.writing() as db:
            db.execute("UPDATE alert_rules SET subject = 'sunspots' WHERE id = 1")
        rules, wrong = AlertBook(book).rules()
        assert [one.id for one in rules] == [2]
        assert len(wrong) == 1
        assert "alert rule 1 cannot be read" in str(wrong[0])
        assert "sunspots" in str(wrong[0])
        assert book.rows("SELECT count(*) FROM alert_rules") == [(2,)]


def test_two_windows_add_to_one_log(path):
    with Book(path) as one, Book(path) as two:
        AlertBook(one).note(one.version, {}, [ENTRY])
        AlertBook(two).note(two.version, {}, [replace(ENTRY, title="other window")])
        assert [entry.title for entry in AlertBook(one).log()] == ["other window", ENTRY.title]


def test_a_log_entry_keeps_value_threshold_age_and_source(path):
    with Book(path) as book:
        AlertBook(book).note(book.version, {}, [ENTRY])
    with closing(sqlite3.connect(path)) as db:
        row = db.execute("SELECT value, threshold, age_s, source, mode, data_at FROM alert_log").fetchone()
    assert row == ("10.012", "≥ 10.000", 2.5, "index", "live", 1720709998123456)


def test_what_was_judged_by_an_earlier_version_of_the_book_is_not_kept(tmp_path):
    with Book(tmp_path / "book.sqlite") as one, Book(tmp_path / "book.sqlite") as two:
        judged_by = one.version
        assert AlertBook(two).note(two.version, {}, [ENTRY])
        assert not AlertBook(one).note(judged_by, {}, [replace(ENTRY, title="other window")])
        assert AlertBook(one).note(one.version, {}, [replace(ENTRY, title="later")])
        assert [entry.title for entry in AlertBook(two).log()] == ["later", ENTRY.title]
