"""What is asked of a frame (View) and what one holds (Frame): all panels' states at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from desktop.settings import Settings
from desktop.snapshot import Snapshot
from widgets.states import (
    DivergenceState,
    GaugeState,
    HeaderState,
    PlaybackState,
    RatioState,
    SizerState,
    StatusState,
)


@dataclass(frozen=True, slots=True)
class View:
    """What the user asked to see: every choice, and the moment (None is now)."""

    settings: Settings
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of the whole window. `playback` is there only in the demo."""

    snapshot: Snapshot
    header: HeaderState
    ratio: RatioState
    divergence: DivergenceState
    gauge: GaugeState
    sizer: SizerState
    status: StatusState
    playback: PlaybackState | None
