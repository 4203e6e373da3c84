"""Benchmarks: each figure beside its yardstick in the same run; all are told at the end of the test run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Protocol

import pytest

from desktop.market.store import FILE_NAME, Priority, Store
from desktop.sources.demo import SOURCE_NAME, build_demo

ROOT = Path(__file__).parents[2]
FIGURES = pytest.StashKey[list[str]]()


class Tell(Protocol):
    """Takes one line for the end of the run."""

    def __call__(self, line: str) -> None: ...


def pytest_configure(config: pytest.Config) -> None:
    config.stash.setdefault(FIGURES, [])


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    def told(line: str) -> None:
        request.config.stash[FIGURES].append(line)

    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("benchmarks")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder: 38 years of daily bars, intraday sessions, a panel of 100 stocks, the whole demo day."""
    here: Path = tmp_path_factory.mktemp("store")
    with Store(here / FILE_NAME) as store:
        day = build_demo(store)
        for bars in day.bars.values():
            store.put_bars(bars, source=SOURCE_NAME, priority=Priority.VENDOR)
    yield here


def median_ms(run: Callable[[], object], times: int) -> float:
    """Median wall time of `times` runs after one that is not counted."""
    run()
    taken = []
    for _ in range(times):
        start = perf_counter()
        run()
        taken.append(perf_counter() - start)
    return 1000.0 * median(taken)


def child(script: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a script as a user's Python would run it: offscreen, with compiled modules kept."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = kept | {
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / "bench-cache"),
    }
    command = [sys.executable, str(script), *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
