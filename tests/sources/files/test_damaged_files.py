"""What is wrong with a file before its meaning is looked at: one line, cause and cure, nothing stored."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.market.store import Store
from desktop.sources.files import ImportRefusedError, ImportResult, import_file, text

Take = Callable[..., ImportResult]

ROWS = "".join(f"2024-07-{day:02},2040,2060,2030,2050,0\n" for day in (1, 2, 3, 5, 8, 9))
GOOD = f"Date,Open,High,Low,Close,Volume\n{ROWS}"
QUOTED = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in GOOD.splitlines())
NOISE = random.Random(7).randbytes(4000)
GZIPPED = gzip.compress((GOOD * 40).encode())


def nothing_in(store: Store) -> bool:
    return not store.symbols() and not store.panels() and store.version == 0


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("\n \n\n", "the file is empty", id="blank lines"),
        pytest.param("Date,Open,High,Low,Close\n", "a header but no rows", id="header only"),
        pytest.param(NOISE, "not UTF-8 text", id="binary"),
        pytest.param(b"Date,Close\n2024-07-01,\x00\x00\n", "binary file", id="NUL bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + NOISE, "not UTF-8 text", id="picture"),
        pytest.param(b"PK\x03\x04" + NOISE, "zip archive or spreadsheet", id="xlsx"),
        pytest.param(b"PAR1" + NOISE, "Parquet", id="parquet"),
        pytest.param(b"SQLite format 3\0" + NOISE, "a database", id="sqlite"),
        pytest.param(GZIPPED[: len(GZIPPED) // 2], "cut short or damaged", id="gzip cut short"),
        pytest.param(b"\x1f\x8b\x08\0" + NOISE, "damaged", id="gzip damaged"),
        pytest.param(GZIPPED[:-8] + b"\0" * 8, "damaged", id="gzip with a wrong checksum"),
        pytest.param((GOOD + "caf\xe9").encode("latin-1"), "not UTF-8 text", id="latin-1"),
        pytest.param(GOOD.encode("utf-16"), "UTF-16 text", id="UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), "binary file", id="UTF-16 without a mark"),
        pytest.param(GOOD.replace(",", ";"), "separated by semicolons", id="semicolons"),
        pytest.param(
            "Datum;Close\n" + "".join(f"2024-07-{day:02};2050,25\n" for day in (1, 2, 3)),
            "separated by semicolons",
            id="semicolons and decimal commas",
        ),
        pytest.param(GOOD.replace(",", "\t"), "separated by tabs", id="tabs"),
        pytest.param(
            'Date,Open,High,Low,Close\n2024-07-01,"2040,5","2060,5","2030,5","2050,5"\n',
            "with a close that is no number",
            id="quoted decimal commas",
        ),
        pytest.param(GOOD + '2024-07-10,"2040,1', "not comma-separated text", id="open quote"),
        pytest.param('{"chart": {"result": []}}', "JSON", id="json"),
        pytest.param("<!doctype html><html></html>", "web page", id="html"),
        pytest.param("# A list\n\nof words\n", "one column only", id="prose"),
        pytest.param("Date,Close,close\n2024-07-01,1,2\n", "'close' stands there twice", id="column twice"),
        pytest.param("Date,Close\n" + "2024-07-01,1,2\n" * 3, "most rows do not have", id="other width"),
        pytest.param("Date,Close\nx" + "y" * text._LONGEST_LINE, "a line longer than", id="endless line"),
        pytest.param("Date,Time,Close\n2024-07-01,09:30,1\n", "in two columns", id="date and time apart"),
        pytest.param("Date,Unemployment\n2024-07-01,4.1\n", "kind cannot be told", id="unknown kind"),
    ],
)
def test_refused_with_its_cause_and_nothing_stored(
    content: str | bytes, cause: str, take: Take, store: Store
) -> None:
    with pytest.raises(ImportRefusedError) as refusal:
        take("rut.csv", content)
    assert cause in str(refusal.value)
    assert str(refusal.value).startswith("rut.csv: ")
    assert refusal.value.cure
    assert "\n" not in str(refusal.value)
    assert nothing_in(store)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"\xef\xbb\xbf" + GOOD.encode(), "rut.csv", id="byte order mark"),
        pytest.param(GOOD.replace("\n", "\r\n"), "rut.csv", id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r"), "rut.csv", id="CR"),
        pytest.param(GOOD.replace("\n", "\n\n"), "rut.csv", id="blank lines between"),
        pytest.param(GOOD.replace(",", " , "), "rut.csv", id="padded cells"),
        pytest.param(gzip.compress(GOOD.encode()), "rut.csv.gz", id="gzip"),
        pytest.param(gzip.compress(GOOD.encode()), "rut.csv", id="gzip without the ending"),
        pytest.param(GOOD, "rut.csv.gz", id="text that is called gzip"),
        pytest.param(QUOTED, "rut.csv", id="every cell quoted"),
        pytest.param(GOOD.upper(), "RUT.CSV", id="upper case"),
    ],
)
def test_the_same_rows_in_any_dress(content: str | bytes, name: str, take: Take, store: Store) -> None:
    assert take(name, content).rows == 6
    assert store.closes("^RUT").close.tolist() == [2050.0] * 6


def test_a_row_cut_short_is_left_out_by_its_line(take: Take) -> None:
    result = take("rut.csv", GOOD + "2024-07-10,2040,20")
    assert (result.rows, result.rejected) == (6, ("1 with too many or too few cells (line 8)",))


def test_a_folder(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ImportRefusedError, match="this is a folder; name the files in it"):
        import_file(tmp_path, store)


def test_a_missing_file(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ImportRefusedError, match=r"rut\.csv: there is no such file"):
        import_file(tmp_path / "rut.csv", store)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_file_without_the_right_to_read(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "rut.csv"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(ImportRefusedError, match="it cannot be read"):
        import_file(path, store)


def test_a_file_larger_than_any_history(take: Take, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_LARGEST_TEXT", 2_000_000)
    bomb = gzip.compress(GOOD.encode() + b"2024-07-10,2040,2060,2030,2050,0\n" * 100_000)
    assert len(bomb) < 20_000
    with pytest.raises(ImportRefusedError, match="more than 2 MB of text; split it by years"):
        take("rut.csv.gz", bomb)
    assert nothing_in(store)


def test_control_characters_do_not_reach_the_terminal(take: Take) -> None:
    with pytest.raises(ImportRefusedError) as refusal:
        take("rut.csv", "Date,Close\n" + "\x1b[31mred,1\n" * 3)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("release_date,reference_month", "a list of release dates"),
        ("date,event,detail", "a calendar of releases"),
        ("Date,DayOfWeek,Holiday", "a list of holidays"),
        ("ticker,name,group", "a list of names"),
    ],
)
def test_tables_that_hold_no_prices_are_called_by_name(header: str, what: str, take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=f"this is {what}"):
        take("file.csv", f"{header}\n{','.join('x' for _ in header.split(','))}\n")
