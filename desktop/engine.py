"""The frame clock: builds one immutable Frame at a time, on its own thread, and signals it to the window.

Life of a frame:
1. the feed stored something, the user changed something, or a second passed: `poke` wakes the thread;
2. at most four times a second (at once when the user asked) the desk's `frame(view)` is called;
3. the result, immutable, crosses to the window's thread by one queued signal;
4. a frame of an earlier desk or view that arrives late is dropped by its generation number; only the steps of
   something dragged or typed share one, because they come faster than frames are built.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.market.known import UserError

FRAME_PERIOD_S = 0.25
TICK_PERIOD_S = 1.0
"""A frame is published this often even when nothing arrived, so that ages and countdowns move."""

log = logging.getLogger(__name__)

View = TypeVar("View")
Frame = TypeVar("Frame")


@dataclass(frozen=True, slots=True)
class Published(Generic[Frame]):
    """An answer and the generation of the question: a frame, or the words of what went wrong."""

    generation: int
    frame: Frame | None
    error: str = ""


class Engine(QObject, Generic[View, Frame]):
    """Turns (view, what is stored) into frames. `build` runs on the engine's thread only."""

    published = Signal(object)
    """Published: for the slot that drops late answers; others use `frame`."""
    frame = Signal(object)
    failed = Signal(str)

    def __init__(self, build: Callable[[View], Frame], view: View, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._build, self._view = build, view
        self._generation = 0
        self._wake = threading.Condition()
        self._changed = self._urgent = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self.published.connect(self._deliver)

    def start(self) -> None:
        """Begin to publish; the first frame comes at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the thread; no frame is delivered afterwards."""
        with self._wake:
            self._stopping = True
            self._generation += 1
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def poke(self) -> None:
        """Something was stored: publish with the next frame. Callable from any thread."""
        with self._wake:
            self._changed = True
            self._wake.notify()

    def show(self, view: View, build: Callable[[View], Frame] | None = None, *, anew: bool = True) -> None:
        """The user asks for something else: publish at once; frames of the earlier question are dropped.

        Not `anew` is a small step (a line under the hand, a key typed): what is on its way is still shown.
        """
        with self._wake:
            self._view = view
            self._build = build or self._build
            self._generation += anew
            self._urgent = True
            self._wake.notify()

    def _deliver(self, answer: Published[Frame]) -> None:
        if answer.generation != self._generation:
            return
        if answer.frame is None:
            self.failed.emit(answer.error)
        else:
            self.frame.emit(answer.frame)

    def _run(self) -> None:
        last = -FRAME_PERIOD_S
        while True:
            with self._wake:
                self._wait_for_work(last)
                if self._stopping:
                    return
                self._changed = self._urgent = False
                generation, view, build = self._generation, self._view, self._build
            last = time.monotonic()
            self.published.emit(self._answer(generation, view, build))

    def _answer(self, generation: int, view: View, build: Callable[[View], Frame]) -> Published[Frame]:
        try:
            return Published(generation, build(view))
        except UserError as error:
            return Published(generation, None, str(error))
        except Exception as error:  # boundary: a failed frame is told, the next is tried
            if generation == self._generation:
                log.exception("a frame could not be built")
            return Published(generation, None, f"{type(error).__name__}: {error}")

    def _wait_for_work(self, last: float) -> None:
        """Return when a frame is due: at once if urgent, with the frame clock if changed, else each tick."""
        while not (self._stopping or self._urgent):
            due = last + (FRAME_PERIOD_S if self._changed else TICK_PERIOD_S) - time.monotonic()
            if due <= 0:
                return
            self._wake.wait(due)
