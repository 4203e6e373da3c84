"""Large libraries, loaded on a worker's thread without holding up the window's."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Import inside: hundreds of thousands of objects are made that stay for good.

    Each full collection of garbage would look at all of them, with every thread stopped: a tenth of a second. So
    none is begun while they are made, and later ones leave them out.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
