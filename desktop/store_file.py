"""The file of market data: read whole only after damage was met, and copied once a week.

Most of it can be fetched again, the 1-minute bars of past sessions cannot. Reading every page takes too long for
each start (80 ms for 32 MB), so it is done where reading met damage, and for each copy while that is made.
"""

from __future__ import annotations

from desktop.kept_file import KeptFile
from desktop.market.store import FILE_NAME, Store

STORE = KeptFile(Store, FILE_NAME, "market store", every_days=7, most=2, always_checked=False)
COPY_AFTER_S = 60.0
"""So long after the first frame the copy is made: what a start fetches comes first."""
