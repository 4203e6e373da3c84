"""Small files written and imported in one line, into a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from desktop.market.store import Store
from desktop.sources.files import ImportResult, import_file

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""Later than every date of the real data."""


class Take(Protocol):
    """Write `content` to a file of that name, import it."""

    def __call__(
        self, name: str, content: str | bytes, *, symbol: str | None = None, now: datetime = NOW
    ) -> ImportResult: ...


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as one:
        yield one


@pytest.fixture
def take(tmp_path: Path, store: Store) -> Take:
    def write_and_import(
        name: str, content: str | bytes, *, symbol: str | None = None, now: datetime = NOW
    ) -> ImportResult:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_file(path, store, symbol=symbol, now=now)

    return write_and_import
