"""The change log on a real store: what is news, what is not, and that it waits for the user over a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from desktop.changes import ChangeLog
from desktop.market.known import Unknown
from desktop.market.store import Store
from desktop.settings import Settings, changed
from desktop.thesis import MEASURES, Claim, Verdict

AT = datetime(2024, 7, 11, 20, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HELD = Claim(
    id="stretched",
    claim="Ratio stretched past 2000 peak",
    verdict=Verdict.FOR,
    value=9.511,
    measure=MEASURES["stretched"],
    words="9.511 vs 8.201",
    as_of=date(2024, 7, 11),
    source="closes",
    next_update=None,
    note="",
)
PLAIN = Settings()
AT_TEN = changed(PLAIN, "kill_stretched", "10")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "history.sqlite") as opened:
        yield opened


def told(log: ChangeLog) -> list[str]:
    return [words for _, words in log.unseen]


def test_the_first_look_is_no_news(store):
    log = ChangeLog(store)
    log.follow([HELD], PLAIN, AT)
    assert log.unseen == ()


def test_a_turned_verdict_is_told_with_both_verdicts_its_words_and_its_moment(store):
    log = ChangeLog(store)
    log.follow([HELD], PLAIN, AT)
    log.follow([replace(HELD, verdict=Verdict.AGAINST, words="8.100 vs 8.201")], PLAIN, AT + MINUTE)
    assert log.unseen == ((AT + MINUTE, "Ratio stretched past 2000 peak: for → against (8.100 vs 8.201)"),)


def test_a_claim_unknown_for_a_while_has_not_changed(store):
    log = ChangeLog(store)
    gap = replace(HELD, verdict=Verdict.UNKNOWN, value=Unknown("no close of ^RUT"))
    for claim in (HELD, gap, HELD):
        log.follow([claim], PLAIN, AT)
    assert log.unseen == ()


def test_a_verdict_that_turned_during_the_gap_is_told_after_it(store):
    log = ChangeLog(store)
    gap = replace(HELD, verdict=Verdict.UNKNOWN, value=Unknown("no close of ^RUT"))
    for claim in (HELD, gap, replace(HELD, verdict=Verdict.MIXED)):
        log.follow([claim], PLAIN, AT)
    assert told(log) == ["Ratio stretched past 2000 peak: for → mixed (9.511 vs 8.201)"]


@pytest.mark.parametrize(("value", "given_up"), [(9.999, False), (10.0, False), (10.001, True)])
def test_a_kill_level_is_crossed_only_beyond_it(store, value, given_up):
    log = ChangeLog(store)
    log.follow([HELD], AT_TEN, AT)
    log.follow([replace(HELD, value=value)], AT_TEN, AT)
    assert len(log.unseen) == given_up
    if given_up:
        assert told(log) == ["Ratio stretched past 2000 peak: given up, 10.001 is above 10.000"]


def test_a_claim_that_comes_back_is_told_too_newest_first(store):
    log = ChangeLog(store)
    for minute, value in enumerate((9.5, 10.2, 9.8)):
        log.follow([replace(HELD, value=value)], AT_TEN, AT + minute * MINUTE)
    assert told(log) == [
        "Ratio stretched past 2000 peak: back from beyond its kill level",
        "Ratio stretched past 2000 peak: given up, 10.200 is above 10.000",
    ]


def test_what_stays_as_it_is_is_told_once(store):
    log = ChangeLog(store)
    log.follow([HELD], PLAIN, AT)
    for _ in range(3):
        log.follow([replace(HELD, verdict=Verdict.MIXED)], PLAIN, AT)
    assert len(log.unseen) == 1


def test_a_level_that_is_no_number_gives_nothing_up(store):
    log = ChangeLog(store)
    log.follow([HELD], PLAIN, AT)
    log.follow([HELD], changed(PLAIN, "kill_stretched", "ten"), AT)
    assert log.unseen == ()


def test_news_waits_for_the_user_over_a_restart_and_is_gone_once_seen(tmp_path: Path):
    path = tmp_path / "history.sqlite"
    with Store(path) as store:
        log = ChangeLog(store)
        log.follow([HELD], PLAIN, AT)
        log.follow([replace(HELD, verdict=Verdict.MIXED)], PLAIN, AT)
        waiting = log.unseen
    with Store(path) as store:
        log = ChangeLog(store)
        assert log.unseen == waiting != ()
        log.follow([replace(HELD, verdict=Verdict.MIXED)], PLAIN, AT + MINUTE)
        assert log.unseen == waiting
        log.see()
        assert log.unseen == ()
    with Store(path) as store:
        assert ChangeLog(store).unseen == ()


def test_what_turned_while_the_program_was_closed_is_news(tmp_path: Path):
    path = tmp_path / "history.sqlite"
    with Store(path) as store:
        ChangeLog(store).follow([HELD], PLAIN, AT)
    with Store(path) as store:
        log = ChangeLog(store)
        log.follow([replace(HELD, verdict=Verdict.AGAINST)], PLAIN, AT + timedelta(days=1))
        assert told(log) == ["Ratio stretched past 2000 peak: for → against (9.511 vs 8.201)"]
