"""Large libraries loaded quietly."""

from __future__ import annotations

import gc

from desktop.loading import quietly


def test_nothing_is_collected_while_loading_and_what_was_loaded_is_left_out_afterwards():
    phases: list[str] = []
    before = gc.get_freeze_count()
    gc.callbacks.append(watch := lambda phase, _info: phases.append(phase))
    try:
        with quietly():
            kept = [[number] for number in range(50_000)]  # enough for many collections
        assert phases == []
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()
