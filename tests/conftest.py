"""Shared by all tests: no display needed, real data where it lies beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # how long an example takes says nothing here
settings.load_profile("shared machine")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # never that of who runs them

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SLOW = (
    "tests/app/",
    "tests/benchmarks/",
    "tests/presenters/test_evidence_words.py",
    "tests/report/test_command.py",
    "tests/report/test_evidence_real.py",
    "tests/report/test_figures_real.py",
    "tests/report/test_figures.py",
    "tests/report/test_lines.py",
    "tests/report/test_made.py",
    "tests/sources/test_stream.py",
    "tests/sources/test_hurry.py",
    "tests/packaging/",
    "tests/report/test_no_look_ahead.py",
    "tests/report/test_page.py",
    "tests/report/test_replay_real.py",
    "tests/sources/files/test_real_files.py",
    "tests/sources/test_faults.py",
    "tests/sources/test_faults_apart.py",
    "tests/sources/test_feed.py",
    "tests/sources/test_official.py",
    "tests/sources/test_remote.py",
    "tests/test_alert_race.py",
    "tests/test_crash_points.py",
    "tests/test_refresh.py",
    "tests/test_setup.py",
)
"""Whole files that start windows, processes or hosts, or read all real files: marked slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).resolve().parents[1]
    for item in items:
        if item.path.is_relative_to(root) and item.path.relative_to(root).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real market data; tests that need it skip with a reason where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"real market data is not beside the project ({DATA.parent.name}/{DATA.name})")
    return DATA
