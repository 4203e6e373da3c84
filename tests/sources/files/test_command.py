"""`rotation-monitor import`: one line a file, exit codes, and what a bad file leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.__main__ import main
from desktop.market.quotes import Interval
from desktop.market.store import Store

RUT = "Date,Open,High,Low,Close\n2024-07-10,2031,2052,2030,2051.75\n2024-07-11,2081,2126,2080,2125.04\n"


def stored(folder: Path) -> dict[str, int]:
    with Store(folder / "rotation.sqlite") as store:
        return {one.symbol: one.rows for one in store.symbols()}


def run(folder: Path, *arguments: str | Path) -> int:
    return main(["import", "--data-dir", str(folder), *map(str, arguments)])


def test_one_line_a_file_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rut.csv").write_text(RUT)
    (tmp_path / "dspx.csv").write_text("DATE,DSPX\n02/07/2018,9.9\n02/08/2018,0.00\n")
    assert run(tmp_path, tmp_path / "rut.csv", tmp_path / "dspx.csv") == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "rut.csv: daily bars, ^RUT, 2 rows, 2024-07-10 to 2024-07-11",
        "dspx.csv: Cboe index history, ^DSPX, 1 row, 2018-02-07 to 2018-02-07;"
        " rejected 1 with a close of zero or less (2018-02-08)",
    ]
    assert err == ""
    assert stored(tmp_path) == {"^RUT": 2, "^DSPX": 1}


def test_a_bad_file_among_good_ones_fails_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rut.csv").write_text(RUT)
    (tmp_path / "ndx.csv").write_text(RUT)
    files = [tmp_path / name for name in ("missing.csv", "ndx.csv", "rut.csv")]
    assert run(tmp_path, *files) == 1
    out, err = capsys.readouterr()
    assert out == "rut.csv: daily bars, ^RUT, 2 rows, 2024-07-10 to 2024-07-11\n"
    first, second = err.splitlines()
    assert first == "rotation-monitor: missing.csv: there is no such file; check the path"
    assert second.startswith("rotation-monitor: ndx.csv: these are not prices of ^NDX: 2,125.04 on 2024-07-11")
    assert stored(tmp_path) == {"^RUT": 2}


def test_a_bad_file_changes_nothing_of_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "rut.csv").write_text(RUT)
    assert run(tmp_path, tmp_path / "rut.csv") == 0
    (tmp_path / "rut.csv").write_text(RUT.replace("2051.75", "205175").replace("2125.04", "212504"))
    assert run(tmp_path, tmp_path / "rut.csv") == 1
    with Store(tmp_path / "rotation.sqlite") as store:
        assert store.bars("^RUT", Interval.DAY).close.tolist() == [2051.75, 2125.04]


def test_the_user_may_name_the_symbol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "download.csv").write_text(RUT)
    assert run(tmp_path, tmp_path / "download.csv") == 1
    assert "say it with --symbol" in capsys.readouterr().err
    assert run(tmp_path, tmp_path / "download.csv", "--symbol", "RUT") == 0
    assert stored(tmp_path) == {"^RUT": 2}


def test_prices_are_read_without_the_slow_libraries(tmp_path: Path) -> None:
    (tmp_path / "rut.csv").write_text(RUT)
    code = (
        "import sys; from desktop.__main__ import main; "
        f"code = main(['import', '--data-dir', {str(tmp_path)!r}, {str(tmp_path / 'rut.csv')!r}]); "
        "sys.exit(code or bool({'pandas', 'yfinance', 'PySide6', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
