"""Stores that reports are made of: the real files, read by the program's own importer, and the demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.market.sessions import parse_as_of
from desktop.market.store import FILE_NAME, Store
from desktop.report import as_json, snapshot_for
from desktop.snapshot import Snapshot
from desktop.sources.files import import_file

REAL_FILES = (
    "index-daily/ndx-yahoo-1985-2026.csv",
    "index-daily/spx-ndx-rut-close-yahoo-2024-2026.csv",
    "index-daily/rut-yahoo-1987-2024.csv",
    "index-daily/rut-marketbase-2016-2026.csv",
    "etf-daily/qqq-yahoo-1999-2025.csv",
    "intraday-ibkr/rut-5m-2024-2026.csv",
    "intraday-ibkr/qqq-5m-2024-2026.csv",
    "vol-cboe/cboe-volatility-wide-1990-2026.csv",
    "vol-cboe/VIX_History.csv",
    "vol-cboe/COR1M_History.csv",
    "vol-cboe/DSPX_History.csv",
    "stock-panels/us-83-adjclose-2018-2025.csv.gz",
    "etf-daily/iwm-yahoo-adjusted-2000-2026.csv",
    "rates-fed/DGS2-1994-2026.csv",
    "rates-fed/fred-rates-1976-2026.csv",
    "zq-fedwatch/zq-contracts-2021-2023.csv",
    "cot-tff/cot-summary-wide-2024-2026.csv",
    "cot-tff/tff-ndx-rut-rows-2017-2026.csv",
)


@pytest.fixture(scope="session")
def real_folder(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder with the real files imported; made once, read by all."""
    folder = tmp_path_factory.mktemp("real")
    with Store(folder / FILE_NAME) as store:
        for name in REAL_FILES:
            import_file(real_data / name, store)
    return folder


@pytest.fixture(scope="session")
def real(real_folder: Path) -> Callable[[str], dict[str, Any]]:
    """The document of `report --as-of T --json` on the real files; made once a moment."""
    made: dict[str, dict[str, Any]] = {}

    def document(as_of: str) -> dict[str, Any]:
        if as_of not in made:
            made[as_of] = as_json(snapshot_for(real_folder, as_of=parse_as_of(as_of)))
        return made[as_of]

    return document


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The demo session at its close."""
    return snapshot_for(tmp_path_factory.mktemp("none"), demo=True)
