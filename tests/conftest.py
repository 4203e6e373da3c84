"""Shared by all tests: no display needed, real data where it lies beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # never that of who runs them

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real market data; tests that need it skip with a reason where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"real market data is not beside the project ({DATA.parent.name}/{DATA.name})")
    return DATA
