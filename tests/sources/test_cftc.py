"""CFTC positions: Socrata's rows, paged, as the same series that files of the report make."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from desktop.sources import cftc
from desktop.sources.cftc import HISTORY, RECENT, Cftc
from desktop.sources.contract import Dataset, Failure, Published, Stamp, Unchanged
from tests.sources.publisher_server import (
    CFTC,
    COT_ROWS,
    NASDAQ,
    RUSSELL,
    Hand,
    Page,
    PublisherServer,
    cot_row,
    good,
    known_series,
    nothing,
    refused,
    socrata,
)


class Rig:
    def __init__(self, server: PublisherServer, clock: Hand) -> None:
        self.server, self.clock = server, clock
        self.known = nothing

    def ask(
        self, page: Page, dataset: Dataset = HISTORY, stamp: Stamp | None = None
    ) -> Published | Unchanged | Failure:
        self.server.pages = {CFTC: page}
        one = Cftc(self.clock, self.known, http=self.server.http("cftc", self.clock))
        return one.fetch(dataset, stamp or Stamp())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with PublisherServer() as server:
        yield Rig(server, Hand(datetime(2024, 7, 13, 12, 0, tzinfo=UTC)))


def figures(found: Published, code: str, day: date) -> list[float]:
    names = ("asset_manager_net", "leveraged_net", "open_interest")
    return [next(one.value for one in found.series[f"COT:{code}:{name}"] if one.day == day) for name in names]


def test_positions_of_the_week_before_the_release(rig):
    found = good(rig.ask(socrata(COT_ROWS)))
    assert figures(found, "239742", date(2024, 7, 9)) == [20198, -69861, 447956]
    assert figures(found, "209742", date(2024, 7, 9)) == [86626, -48007, 264298]


def test_a_report_is_known_from_friday_or_after_a_holiday_from_monday(rig):
    found = good(rig.ask(socrata(COT_ROWS)))
    times = {one.day: one.available_at for one in found.series["COT:209742:open_interest"]}
    assert times == {
        date(2024, 7, 2): datetime(2024, 7, 8, 19, 30, tzinfo=UTC),  # Independence Day was the Thursday
        date(2024, 7, 9): datetime(2024, 7, 12, 19, 30, tzinfo=UTC),
    }
    assert found.known_at == datetime(2024, 7, 12, 19, 30, tzinfo=UTC)


def test_history_is_paged_to_its_end(rig, monkeypatch):
    monkeypatch.setattr(cftc, "_PAGE", 3)
    old = cot_row("2017-07-03", "23977A", "RUSSELL 2000 MINI INDEX FUTURE - ICE FUTURES U.S.", 600000, 1, 2, 3, 4)
    found = good(rig.ask(socrata([*COT_ROWS, old])))
    assert figures(found, "23977A", date(2017, 7, 3)) == [-1, -1, 600000]
    assert figures(found, "209742", date(2024, 7, 2))[2] == 258776
    assert [rig.server.count(f"offset={at}") for at in (0, 3, 6)] == [1, 1, 0]


def test_a_service_that_never_ends_is_left(rig, monkeypatch):
    monkeypatch.setattr(cftc, "_PAGE", 2)
    page = json.dumps(COT_ROWS[:2])
    assert "does not end after 40 rows" in refused(rig.ask(page))
    assert rig.server.count() == 20


def test_later_only_the_last_weeks_are_asked_for(rig):
    old = cot_row("2024-05-14", "209742", NASDAQ, 1, 1, 1, 1, 1)
    found = good(rig.ask(socrata([*COT_ROWS, old]), RECENT))
    assert len(found.series["COT:209742:open_interest"]) == 2
    assert rig.server.count("%272024-05-18T00%3A00%3A00.000%27") == 1


def test_what_is_unchanged_is_not_sent_again(rig):
    stamp = good(rig.ask(socrata(COT_ROWS), RECENT)).stamp
    assert isinstance(rig.ask(socrata(COT_ROWS), RECENT, stamp), Unchanged)
    assert (rig.server.count(), rig.server.not_modified) == (2, 1)


OTHER = {"209742": "239742", "239742": "209742", NASDAQ: RUSSELL, RUSSELL: NASDAQ}


def swapped(*names: str) -> list[dict[str, object]]:
    """The rows with these fields of the other leg."""
    return [{**row, **{name: OTHER[str(row[name])] for name in names}} for row in COT_ROWS]


def test_a_code_with_the_other_legs_name_is_refused(rig):
    told = refused(rig.ask(json.dumps(swapped("cftc_contract_market_code"))))
    assert "contract 239742 is not that of 'NASDAQ MINI" in told


def test_the_other_legs_positions_are_told_by_what_is_stored(rig):
    rig.known = known_series({"2024-07-02": 258776, "2024-07-09": 264298})
    told = refused(rig.ask(json.dumps(swapped("cftc_contract_market_code", "market_and_exchange_names"))))
    assert "not contract 209742: its open interest is 1.72 times that stored" in told


def test_a_hundredfold_is_told_by_what_is_stored(rig):
    many = [{**row, "open_interest_all": f"{row['open_interest_all']}00"} for row in COT_ROWS[::2]]
    rig.known = known_series({"2024-07-02": 258776, "2024-07-09": 264298})
    assert "100 times that stored, on 2 days" in refused(rig.ask(json.dumps(many)))


@pytest.mark.parametrize(
    "field",
    ["open_interest_all", "asset_mgr_positions_long", "lev_money_positions_short", "report_date_as_yyyy_mm_dd"],
)
def test_a_renamed_field_is_named(rig, field):
    rows = [{name: value for name, value in row.items() if name != field} for row in COT_ROWS]
    assert f"no field {field!r}" in refused(rig.ask(json.dumps(rows)))


@pytest.mark.parametrize("value", [None, "", "NaN", "x", "-5", "12.5.1"])
def test_a_week_without_whole_numbers_is_left_out_and_told(rig, value):
    rows = [{**COT_ROWS[0], "open_interest_all": value}, *COT_ROWS[1:]]
    found = good(rig.ask(json.dumps(rows)))
    assert [one.day for one in found.series["COT:209742:open_interest"]] == [date(2024, 7, 2)]
    assert "of 209742 without whole positions (2024-07-09)" in found.note


def test_padded_numbers_unsorted_and_repeated_rows_do_no_harm(rig):
    padded = {**COT_ROWS[0], "open_interest_all": "   264298 "}
    found = good(rig.ask(json.dumps([COT_ROWS[2], padded, *COT_ROWS])))
    assert figures(found, "209742", date(2024, 7, 9)) == [86626, -48007, 264298]
    assert [one.day for one in found.series["COT:209742:open_interest"]] == [date(2024, 7, 2), date(2024, 7, 9)]


def test_a_report_of_the_future_is_left_out(rig):
    ahead = {**COT_ROWS[0], "report_date_as_yyyy_mm_dd": "2031-07-08T00:00:00.000"}
    found = good(rig.ask(json.dumps([ahead, *COT_ROWS])))
    assert found.series["COT:209742:open_interest"][-1].day == date(2024, 7, 9)
    assert "in the future" in found.note


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "holds no rows"),
        ('{"message": "Query coordinator error", "errorCode": "query.soql"}', "Query coordinator error"),
        (json.dumps([{**COT_ROWS[0], "futonly_or_combined": "Combined"}]), "counts options too"),
        (json.dumps(COT_ROWS)[:300], "cut short"),
    ],
)
def test_another_content_is_refused(rig, text, why):
    assert why in refused(rig.ask(text))


def test_real_rows_of_the_report(rig, real_data):
    rig.clock.time = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    names = {
        "market_and_exchange_names": "Market_and_Exchange_Names",
        "cftc_contract_market_code": "CFTC_Contract_Market_Code",
        "open_interest_all": "Open_Interest_All",
        "asset_mgr_positions_long": "Asset_Mgr_Positions_Long_All",
        "asset_mgr_positions_short": "Asset_Mgr_Positions_Short_All",
        "lev_money_positions_long": "Lev_Money_Positions_Long_All",
        "lev_money_positions_short": "Lev_Money_Positions_Short_All",
        "futonly_or_combined": "FutOnly_or_Combined",
    }
    with (real_data / "cot-tff/tff-ndx-rut-rows-2017-2026.csv").open(encoding="utf-8") as file:
        rows = [
            {name: row[column].strip() for name, column in names.items()}
            | {"report_date_as_yyyy_mm_dd": row["Report_Date_as_YYYY-MM-DD"].strip() + "T00:00:00.000"}
            for row in csv.DictReader(file)
        ]
    rows.sort(key=lambda row: row["report_date_as_yyyy_mm_dd"], reverse=True)
    found = good(rig.ask(socrata(rows)))
    assert {code: len(found.series[f"COT:{code}:open_interest"]) for code in ("209742", "239742")} == {
        "209742": 285,
        "239742": 253,
    }
    assert found.known_at == datetime(2026, 3, 27, 19, 30, tzinfo=UTC)
