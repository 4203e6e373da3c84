"""Large libraries, loaded on a worker's thread without holding up the window; garbage, collected on one thread.

Python collects garbage on whichever thread makes the next object. For a window that is wrong twice: the engine or
a feed would destroy what a closed dialog leaves while Qt still sends it events, which ends the process
(segmentation fault), and the many new objects of a library would be gone through again and again.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_loads = 0
"""Libraries that are being loaded."""


@contextmanager
def quietly() -> Iterator[None]:
    """Import inside: hundreds of thousands of objects are made that stay for good.

    Each full collection of garbage would look at all of them, with every thread stopped: a tenth of a second. So
    none is begun while they are made, and later ones leave them out.
    """
    global _loads
    with _lock:
        _loads += 1
        automatic = gc.isenabled()
        gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        with _lock:
            _loads -= 1
        if automatic:
            gc.enable()


def collect() -> None:
    """Collect on this thread what is due by Python's own thresholds; nothing while a library is loaded."""
    if _loads:
        return
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            gc.collect(generation)
            return
