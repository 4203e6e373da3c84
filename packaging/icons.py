"""Icons from the one drawing, resources/icon.svg: PNG of every size, .ico for Windows, .icns for macOS."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image

os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

DRAWING = Path(__file__).resolve().parents[1] / "resources" / "icon.svg"
SIDES = (16, 24, 32, 48, 64, 128, 256, 512)


def draw(side: int) -> Image.Image:
    """The drawing as a square of `side` pixels."""
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(DRAWING)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # bytes, as the stubs have it, are refused
    return Image.open(io.BytesIO(buffer.data().data())).convert("RGBA")


def main(out: Path) -> None:
    """Write all icons to `out`."""
    app = QGuiApplication([])
    out.mkdir(parents=True, exist_ok=True)
    pictures = {side: draw(side) for side in (*SIDES, 1024)}
    for side in SIDES:
        pictures[side].save(out / f"icon-{side}.png")
    pictures[256].save(out / "icon.png")
    small = [pictures[side] for side in SIDES if side <= 256]
    small[-1].save(out / "icon.ico", sizes=[one.size for one in small], append_images=small[:-1])
    pictures[1024].save(out / "icon.icns", append_images=[pictures[side] for side in (32, 64, 128, 256, 512)])
    del app


if __name__ == "__main__":
    main(Path(sys.argv[1]))
