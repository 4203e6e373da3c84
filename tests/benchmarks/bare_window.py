"""The yardstick of a cold start: a bare pyqtgraph window with four plots; tells when it is painted."""

import os
import sys

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

app = QApplication([])
window = pg.GraphicsLayoutWidget()
window.resize(1600, 1000)
walk = np.cumsum(np.random.default_rng(1).normal(size=9300))
for row in range(2):
    for column in range(2):
        window.addPlot(row=row, col=column).plot(walk)
window.show()
app.processEvents()
window.grab()
sys.stdout.write("painted\n")
sys.stdout.flush()
os._exit(0)
