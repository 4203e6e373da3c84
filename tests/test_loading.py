"""Large libraries loaded quietly."""

from __future__ import annotations

import gc

from desktop import loading
from desktop.loading import quietly


def test_nothing_is_collected_while_loading_and_what_was_loaded_is_left_out_afterwards():
    phases: list[str] = []
    before, automatic = gc.get_freeze_count(), gc.isenabled()
    gc.callbacks.append(watch := lambda phase, _info: phases.append(phase))
    try:
        with quietly():
            kept = [[number] for number in range(50_000)]  # enough for many collections
        assert phases == []
        assert gc.isenabled() == automatic
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()


def test_collecting_by_hand_waits_for_a_load_and_then_takes_what_is_due():
    generations: list[int] = []
    automatic = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.callbacks.append(
        watch := lambda phase, info: generations.append(info["generation"]) if phase == "start" else None
    )
    try:
        loading.collect()
        assert generations == []  # nothing is due
        with quietly():
            loaded = [[number] for number in range(2 * gc.get_threshold()[0])]
            loading.collect()
        assert generations == []
        made = [[number] for number in range(2 * gc.get_threshold()[0])]
        loading.collect()
        assert generations == [0]
        assert len(made) == len(loaded)
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()
        if automatic:
            gc.enable()
