"""`rotation-monitor report` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.__main__ import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["report", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def strict(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    read: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return read


def test_an_empty_store_reports_in_every_form_and_exits_0(capsys, tmp_path):
    code, out, err = run(capsys, "--data-dir", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert strict(out)["ratio"] is None
    code, out, err = run(capsys, "--data-dir", tmp_path)
    assert (code, err) == (0, "")
    assert "n/a" in out
    code, out, err = run(capsys, "--data-dir", tmp_path, "--html", tmp_path / "page.html")
    assert (code, out, err) == (0, f"wrote {tmp_path / 'page.html'}\n", "")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_an_unknown_universe_is_one_line_and_exit_1(capsys, tmp_path):
    code, out, err = run(capsys, "--data-dir", tmp_path, "--universe", "sp500", "--json")
    assert (code, out) == (1, "")
    assert err == (
        "rotation-monitor: no universe 'sp500' in the store; there is none yet: import a file of closes\n"
    )


def test_a_moment_without_a_zone_is_refused(capsys, tmp_path):
    code, out, err = run(capsys, "--data-dir", tmp_path, "--as-of", "2024-07-11T10:30")
    assert (code, out) == (1, "")
    assert "has no zone" in err
    assert err.count("\n") == 1


def test_a_page_that_cannot_be_written_is_one_line_and_exit_1(capsys, tmp_path):
    code, _, err = run(capsys, "--data-dir", tmp_path, "--html", tmp_path / "nowhere" / "page.html")
    assert code == 1
    assert "nowhere" in err
    assert err.count("\n") == 1


def test_forms_exclude_each_other(capsys, tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["report", "--data-dir", str(tmp_path), "--json", "--html", "x.html"])
    assert left.value.code == 2


def test_the_demo_has_a_moment_of_its_own(capsys, tmp_path):
    code, out, err = run(capsys, "--demo", "--as-of", "2024-07-10")
    assert (code, out) == (2, "")
    assert "leave out --as-of" in err


def test_the_theme_reaches_the_page(capsys, tmp_path):
    for theme in ("dark", "light"):
        page = tmp_path / f"{theme}.html"
        assert run(capsys, "--data-dir", tmp_path, "--html", page, "--theme", theme)[0] == 0
        assert f"color-scheme:{theme};" in page.read_text(encoding="utf-8").split("@media print")[0]


def test_real_files_as_of_a_day(capsys, real_folder, tmp_path):
    code, out, err = run(capsys, "--data-dir", real_folder, "--as-of", "2024-07-11", "--json")
    assert (code, err) == (0, "")
    document = strict(out)
    assert document["mode"] == "as_of"
    assert document["as_of"].startswith("2024-07-12T03:59:59")
    assert document["divergence"]["rank"] == 2
    code, out, err = run(
        capsys,
        "--data-dir",
        real_folder,
        "--as-of",
        "2024-07-11",
        "--universe",
        "us-83-adjclose-2018-2025",
        "--json",
    )
    assert (code, strict(out)) == (0, document)
    page = tmp_path / "page.html"
    assert run(capsys, "--data-dir", real_folder, "--as-of", "2024-07-11", "--html", page)[0] == 0
    assert "rut-yahoo-1987-2024.csv" in page.read_text(encoding="utf-8")


def test_signs_and_greek_survive_a_pipe_of_another_code_page(tmp_path):
    command = [sys.executable, "-m", "desktop", "report", "--data-dir", str(tmp_path)]
    narrow = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    ran = subprocess.run(command, capture_output=True, env=narrow, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert "RUT − NDX" in ran.stdout.decode("utf-8")


def test_the_demo_in_a_process_of_its_own():
    command = [sys.executable, "-m", "desktop", "report", "--demo", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    document = strict(ran.stdout)
    assert (document["mode"], document["as_of"]) == ("demo", "2024-07-11T20:00:00Z")
    assert document["divergence"]["rank"] == 2
