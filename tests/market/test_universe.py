from __future__ import annotations

import gzip
from datetime import date

import pytest

from desktop.market.universe import Group, UniverseFileError, read_universe, universe


def test_shipped_list_holds_a_hundred_names_in_three_groups():
    names = universe().names
    sizes = {group: sum(one.group is group for one in names) for group in Group}
    assert sizes == {Group.MEGA7: 7, Group.NDX: 53, Group.RUT: 40}
    assert len(set(universe().tickers)) == 100
    assert universe().compiled == date(2026, 11, 24)


def test_mega_caps_are_the_seven_everybody_means():
    assert set(universe().in_group(Group.MEGA7)) == {"AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA"}


def test_list_is_read_once():
    assert universe() is universe()


def test_nasdaq_names_are_members_in_a_list_made_elsewhere(real_data):
    with gzip.open(real_data / "stock-panels/ndx-members-close-2024-2026.csv.gz", "rt") as lines:
        members = set(next(lines).strip().split(",")[1:])
    assert set(universe().in_group(Group.MEGA7, Group.NDX)) <= members
    assert not set(universe().in_group(Group.RUT)) & members


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "no date of compilation"),
        ("ticker,name,group\nAAPL,Apple,mega7\n", "no date of compilation"),
        ("# compiled 2026-01-02\nticker,name,group\n", "holds no names"),
        ("# compiled 2026-01-02\nticker,name,group\nAAPL,Apple,dow\n", "not a name of a known group"),
        ("# compiled 2026-01-02\nsymbol,name,group\nAAPL,Apple,ndx\n", "not a name of a known group"),
        ("# compiled 2026-01-02\nticker,name,group\nA,B,ndx\nA,B,ndx\n", "A stands there twice"),
    ],
)
def test_damaged_list_is_refused_with_its_cause(tmp_path, text, cause):
    file = tmp_path / "list.csv"
    file.write_text(text)
    with pytest.raises(UniverseFileError, match=cause) as caught:
        read_universe(file)
    assert str(file) in str(caught.value)
