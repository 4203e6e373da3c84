"""Wide tables of closes become universes; prices on another scale do not become returns."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest

from desktop.market.quotes import Panel
from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult

Take = Callable[..., ImportResult]

DAYS = [
    str(day) for day in np.arange(np.datetime64("2024-04-01"), np.datetime64("2024-06-19")) if np.is_busday(day)
]
DAYS.remove("2024-05-27")  # Memorial Day
CALM = 100 + np.cumsum(np.sin(np.arange(len(DAYS)) * 1.7))


def table(**columns: np.ndarray) -> str:
    cells = {name: ["" if np.isnan(x) else f"{x:.4f}" for x in values] for name, values in columns.items()}
    rows = [",".join(row) for row in zip(DAYS, *cells.values(), strict=True)]
    return "\n".join([f"Date,{','.join(columns)}", *rows]) + "\n"


def panel(store: Store, name: str = "names") -> Panel:
    found = store.panel(name)
    assert found is not None
    return found


def test_a_universe_is_named_after_its_file_and_dated_by_its_last_row(take: Take, store: Store) -> None:
    result = take("my-names.csv.gz", gzip.compress(table(AAPL=CALM, MSFT=CALM * 2).encode()))
    assert (result.kind, result.symbol, result.rows) == ("close panel", "universe my-names", len(DAYS))
    assert "survivorship" in result.notes[0]
    found = panel(store, "my-names")
    assert found.tickers == ("AAPL", "MSFT")
    assert found.compiled == date(2024, 6, 18)
    assert [str(day) for day in found.days] == DAYS
    assert found.close.tolist() == [[round(x, 4), round(x * 2, 4)] for x in CALM.tolist()]


def test_the_newest_import_is_the_active_universe(take: Take, store: Store) -> None:
    take("one.csv", table(AAPL=CALM, MSFT=CALM))
    take("two.csv", table(AAPL=CALM, NVDA=CALM))
    newest = store.panel()
    assert newest is not None
    assert newest.name == "two"


def test_a_gap_stays_a_gap(take: Take, store: Store) -> None:
    late = CALM.copy()
    late[:3] = np.nan
    result = take("names.csv", table(AAPL=CALM, KVUE=late))
    assert np.isnan(panel(store).close[:, 1]).tolist() == [True] * 3 + [False] * (len(DAYS) - 3)
    assert "days without a price: KVUE 3" in result.notes


def test_cells_that_are_no_price_are_left_empty(take: Take, store: Store) -> None:
    result = take("names.csv", "Date,AAPL,MSFT\n2024-07-10,230,0\n2024-07-11,x,450\n2024-07-12,230,-1\n")
    expected = [[230, np.nan], [np.nan, 450], [230, np.nan]]
    np.testing.assert_array_equal(panel(store).close, expected)
    assert "3 cells that are no price above zero are left empty" in result.notes


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-06-15,1,2", "on a weekend"),
        ("2024-05-27,1,2", "on a day when the exchange was closed"),
        ("2027-01-04,1,2", "in the future"),
        ("2024-06-19,1,2", "on a day when the exchange was closed"),
        ("2024-06-20,,", "without a price"),
        (f"2024-06-20,{CALM[-1]:.4f},{CALM[-1]:.4f}", "that copy the day before in every name"),
        (f"2024-06-18,{CALM[-1]:.4f},{CALM[-1]:.4f}", "that repeat another row"),
        ("not a date,1,2", "with an unreadable date"),
    ],
)
def test_a_bad_row_is_left_out_with_its_reason(row: str, reason: str, take: Take, store: Store) -> None:
    result = take("names.csv", table(AAPL=CALM, MSFT=CALM) + row + "\n")
    assert len(result.rejected) == 1
    assert result.rejected[0].startswith(f"1 {reason} (")
    assert panel(store).close.shape == (len(DAYS), 2)


def test_a_live_last_row_is_left_out(take: Take, store: Store) -> None:
    at = datetime(2024, 6, 18, 18, 0, tzinfo=UTC)
    result = take("names.csv", table(AAPL=CALM, MSFT=CALM), now=at)
    assert result.rejected == ("1 of a session that had not closed (2024-06-18)",)
    assert str(panel(store).days[-1]) == "2024-06-17"


def test_half_a_split_that_is_taken_back_is_another_scale(take: Take, store: Store) -> None:
    split = CALM.copy()
    split[20:22] /= 2
    split[30] /= 2
    result = take("names.csv", table(AAPL=CALM, MNST=split))
    assert np.flatnonzero(np.isnan(panel(store).close[:, 1])).tolist() == [20, 21, 30]
    assert any(
        note.startswith("MNST: 3 prices on another scale (split half applied) left out") for note in result.notes
    )
    returns = np.diff(np.log(panel(store).close[:, 1]))
    assert np.nanmax(np.abs(returns)) < 0.05


@pytest.mark.parametrize("ratio", [2, 3, 10])
def test_a_split_that_stays_costs_the_day_it_was_applied(ratio: int, take: Take, store: Store) -> None:
    split = CALM.copy()
    split[25:] /= ratio
    result = take("names.csv", table(AAPL=CALM, NVDA=split))
    assert np.flatnonzero(np.isnan(panel(store).close[:, 1])).tolist() == [25]
    assert any(note.startswith("NVDA -") and "spliced series or a split" in note for note in result.notes)


def test_a_spliced_series_is_as_calm_after_its_jump_as_before(take: Take, store: Store) -> None:
    spliced = CALM.copy()
    spliced[25:] *= 1.68
    result = take("names.csv", table(AAPL=CALM, ETN=spliced))
    assert np.flatnonzero(np.isnan(panel(store).close[:, 1])).tolist() == [25]
    assert any(note.startswith("ETN +") and "spliced series or a split" in note for note in result.notes)


def test_a_great_move_with_news_after_it_is_kept_and_named(take: Take, store: Store) -> None:
    news = CALM.copy()
    news[25:] *= 2.18
    news[26:31] *= np.array([1.09, 0.95, 1.07, 0.96, 1.08])
    result = take("names.csv", table(AAPL=CALM, INSM=news))
    assert not np.isnan(panel(store).close).any()
    assert any(note.startswith("INSM +") and note.endswith("kept, check it") for note in result.notes)


def test_a_crash_is_no_split(take: Take, store: Store) -> None:
    crash = CALM.copy()
    crash[25:] *= 0.36
    result = take("names.csv", table(AAPL=CALM, MTDR=crash))
    assert not np.isnan(panel(store).close).any()
    assert any(note.startswith("MTDR -6") and note.endswith("kept, check it") for note in result.notes)


def test_the_shipped_universe_keeps_its_name(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="a universe named 'built-in' ships with the program"):
        take("built-in.csv", table(AAPL=CALM, MSFT=CALM))


def test_a_symbol_does_not_fit_a_universe(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="the file holds 2 names; import it without --symbol"):
        take("names.csv", table(AAPL=CALM, MSFT=CALM), symbol="^RUT")
