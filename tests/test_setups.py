"""Named set-ups: every field comes back exactly as typed, and what cannot be done says why."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.book import FILE_NAME, Book
from desktop.settings import Settings, spec_of
from desktop.setups import SetupError, Setups, fields_of

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
TYPED = [
    one.name
    for one in fields(Settings)
    if spec_of(one.name).key.startswith("sizer.") and not spec_of(one.name).choices
]
CHOSEN = [
    one.name
    for one in fields(Settings)
    if spec_of(one.name).key.startswith("sizer.") and spec_of(one.name).choices
]


@pytest.fixture
def setups():
    with Book(None) as book:
        yield Setups(book)


def names(**given: Any) -> Settings:
    return replace(Settings(), **given)


words = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    typed=st.dictionaries(st.sampled_from(TYPED), words),
    chosen=st.fixed_dictionaries({one: st.sampled_from(spec_of(one).choices) for one in CHOSEN}),
    other=st.dictionaries(st.sampled_from(TYPED), words),
)
def test_whatever_is_typed_comes_back_exactly_over_whatever_stands_there(typed, chosen, other):
    saved = names(theme="light", **typed, **chosen)
    with Book(None) as book:
        kept = Setups(book)
        kept.save("one", saved, NOW)
        loaded, told = kept.load("one", names(theme="dark", **other))
    assert told == ()
    assert fields_of(loaded) == fields_of(saved)
    assert loaded.theme == "dark"  # what is no field of the sizer stays as it was


def test_every_field_of_the_sizer_is_in_a_set_up():
    held = set(fields_of(Settings()))
    assert {"sizer.capital", "sizer.rut_price", "sizer.rho", "sizer.margin.nq_day", "sizer.what_if.path"} <= held
    assert not {"appearance.theme", "orders.fresh_s"} & held


def test_set_ups_are_there_after_reopening_in_alphabetical_order(tmp_path):
    with Book(tmp_path / FILE_NAME) as book:
        kept = Setups(book)
        for name in ("small", "CPI day", "big"):
            kept.save(name, Settings(), NOW)
    with Book(tmp_path / FILE_NAME) as book:
        assert Setups(book).names() == ("big", "CPI day", "small")


def test_two_windows_see_each_others_set_ups(tmp_path):
    with Book(tmp_path / FILE_NAME) as one, Book(tmp_path / FILE_NAME) as two:
        mine, theirs = Setups(one), Setups(two)
        assert mine.names() == ()
        theirs.save("CPI day", Settings(), NOW)
        assert mine.names() == ("CPI day",)
        mine.delete("CPI day")
        assert theirs.names() == ()
        with pytest.raises(SetupError, match="'CPI day': is not there any more"):
            theirs.load("CPI day", Settings())


def test_saving_under_a_name_again_replaces_it(setups):
    setups.save("CPI day", names(capital="1m"), NOW)
    setups.save("  CPI   day ", names(capital="2m"), NOW)
    assert setups.names() == ("CPI day",)
    assert setups.load("CPI day", Settings())[0].capital == "2m"


def test_the_set_up_whose_fields_these_are_is_told(setups):
    setups.save("mine", names(capital="1m"), NOW)
    assert setups.matching(names(capital="1m")) == "mine"
    assert setups.matching(names(capital="1m", theme="light")) == "mine"
    assert setups.matching(names(capital="1m ")) == ""


def test_the_set_up_in_use_is_told_as_changed_until_it_is_saved_again(setups):
    assert setups.current(names(capital="1m")) == ("", False)
    setups.save("mine", names(capital="1m"), NOW)
    assert setups.current(names(capital="1m")) == ("mine", False)
    assert setups.current(names(capital="2m")) == ("mine", True)
    setups.rename("mine", "yours")
    assert setups.current(names(capital="2m")) == ("yours", True)
    setups.save("yours", names(capital="2m"), NOW)
    assert setups.current(names(capital="2m")) == ("yours", False)
    setups.delete("yours")
    assert setups.current(names(capital="2m")) == ("", False)


def test_renaming_keeps_the_fields_and_takes_no_name_that_is_there(setups):
    setups.save("a", names(capital="1m"), NOW)
    setups.save("b", names(capital="2m"), NOW)
    with pytest.raises(SetupError, match="'b': is there already"):
        setups.rename("a", "b")
    setups.rename("a", "c")
    assert setups.names() == ("b", "c")
    assert setups.load("c", Settings())[0].capital == "1m"
    with pytest.raises(SetupError, match="not there any more"):
        setups.rename("a", "d")


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_what_is_no_name_is_refused(setups, name):
    with pytest.raises(SetupError):
        setups.save(name, Settings(), NOW)
    assert setups.names() == ()


def test_fields_of_another_version_are_told_and_left_out(tmp_path):
    kept = fields_of(names(capital="1m")) | {"sizer.gamma": "3", "sizer.instrument": "barrels"}
    del kept["sizer.risk"]
    with Book(tmp_path / FILE_NAME) as book:
        with book.writing() as db:
            db.execute("INSERT INTO setups VALUES ('old', 0, ?)", (json.dumps(kept),))
        loaded, told = Setups(book).load("old", names(risk="3", instrument="mini"))
    assert (loaded.capital, loaded.risk, loaded.instrument) == ("1m", "1.0", "micro")
    assert len(told) == 2
    assert any("sizer.gamma is not known" in one for one in told)
    assert any("must be one of etf, micro, mini, mixed" in one for one in told)


@pytest.mark.parametrize("damaged", ["{", "[1]"])
def test_a_damaged_set_up_says_so(damaged):
    with Book(None) as book:
        with book.writing() as db:
            db.execute("INSERT INTO setups VALUES ('bad', 0, ?)", (damaged,))
        with pytest.raises(SetupError, match="cannot be read"):
            Setups(book).load("bad", Settings())
