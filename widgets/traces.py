"""Curves and shaded areas as pyqtgraph items, which draw no more than the screen can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget
from typing_extensions import override

from widgets import plot_paint as paint
from widgets.plot_data import on_screen, with_holes
from widgets.states import Band, Curve, Tone

_SMOOTH_UP_TO = 900
"""Thick curves of at most this many drawn points are antialiased: beyond, it costs more than it shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """How one curve is drawn and told. `words` turns a value into words with its unit."""

    key: str
    name: str
    words: Callable[[float], str]
    unit: str = ""
    tone: Tone = Tone.PLAIN
    width: float = 1.0
    dashed: bool = False
    faint: bool = False
    filled: bool = False
    """Shaded down (or up) to zero."""


class Area(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no type information
    """A shaded area between two lines."""

    def __init__(self) -> None:
        super().__init__()
        self._path = QPainterPath()
        self.brush = paint.fill("#000000")

    def show_between(self, band: Band) -> None:
        """Shade the area of `band`; where either line is not known, nothing."""
        self.prepareGeometryChange()
        self._path = QPainterPath()
        known = np.isfinite(band.low) & np.isfinite(band.high)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            x = band.x[start:end]
            y = np.concatenate((band.high[start:end], band.low[start:end][::-1]))
            self._path.addPath(pg.arrayToQPath(np.concatenate((x, x[::-1])), y))
        self.update()

    @override
    def boundingRect(self) -> QRectF:
        return self._path.boundingRect()

    @override
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # soft edges cost 1 ms a frame
        painter.fillPath(self._path, self.brush)


class Trace:
    """One curve on the screen: what was handed over, what of it is drawn."""

    def __init__(self, line: Line, gap_s: float | None) -> None:
        self.line, self._gap_s = line, gap_s
        self.item = pg.PlotCurveItem(connect="finite")
        self.area = Area() if line.filled else None
        self.given: Curve | None = None
        self.whole = Curve(np.empty(0), np.empty(0))
        self._drawn: tuple[Curve, float, float, int] | None = None

    def take(self, curve: Curve) -> bool:
        """Take over `curve`; False when it is the one taken before."""
        if curve is self.given:
            return False
        self.given, self.whole = curve, with_holes(curve, self._gap_s)
        return True

    def draw(self, low: float, high: float, pixels: int) -> None:
        """Bring on screen what of the curve lies between `low` and `high`, on `pixels` columns."""
        drawn = (self.whole, low, high, pixels)
        if drawn != self._drawn:
            self._drawn = drawn
            shown = on_screen(*drawn)
            smooth = self.line.width <= 1.0 or len(shown.x) <= _SMOOTH_UP_TO
            self.item.setData(shown.x, shown.y, antialias=smooth)
            if self.area is not None:
                self.area.show_between(Band(shown.x, np.minimum(shown.y, 0.0), np.maximum(shown.y, 0.0)))
