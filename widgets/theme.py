"""Colours, fonts and the one stylesheet. Each colour carries one meaning; see states.Tone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

import resources
from widgets.states import Tone

FONT_FILES = ("font/Inter-Regular.otf", "font/Inter-SemiBold.otf", "font/Inter-Bold.otf")
FAMILY = "Inter"
BASE_PX = 13


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours, as #rrggbb. `ink` on a filled tone is text that can be read there."""

    name: str
    window: str
    panel: str
    raised: str
    border: str
    text: str
    dim: str
    grid: str
    accent: str
    chosen: str
    tones: Mapping[Tone, str]
    ink: str
    band_outer: str
    band_inner: str
    curve: str
    heat_zero: str

    def color(self, tone: Tone) -> QColor:
        """Return the colour of a tone."""
        return QColor(self.tones[tone])


DARK = Theme(
    name="dark",
    window="#0b0f16",
    panel="#141a24",
    raised="#0e131b",
    border="#232b39",
    text="#e9edf5",
    dim="#8f9bad",
    grid="#222a37",
    accent="#2b3f9e",
    chosen="#26354f",
    tones={
        Tone.PLAIN: "#e9edf5",
        Tone.DIM: "#8f9bad",
        Tone.RUT: "#f5a742",
        Tone.NDX: "#5aa2f5",
        Tone.GOOD: "#46b98c",
        Tone.BAD: "#f0696f",
        Tone.WARN: "#e8c35a",
        Tone.PAST: "#9a9bf8",
    },
    ink="#0b0f16",
    band_outer="#1d2a38",
    band_inner="#2b3f52",
    curve="#e9edf5",
    heat_zero="#1b2330",
)
LIGHT = Theme(
    name="light",
    window="#eef1f6",
    panel="#ffffff",
    raised="#f5f7fa",
    border="#d5dbe5",
    text="#161c27",
    dim="#566173",
    grid="#e6eaf0",
    accent="#3a52c4",
    chosen="#dfe6f7",
    tones={
        Tone.PLAIN: "#161c27",
        Tone.DIM: "#566173",
        Tone.RUT: "#a35a00",
        Tone.NDX: "#1560c0",
        Tone.GOOD: "#107a50",
        Tone.BAD: "#c02a36",
        Tone.WARN: "#866000",
        Tone.PAST: "#5a50c8",
    },
    ink="#ffffff",
    band_outer="#edf1f7",
    band_inner="#dbe3ee",
    curve="#161c27",
    heat_zero="#eef1f6",
)


def resolve(choice: str) -> Theme:
    """Return the theme of a setting: dark, light, or that of the system."""
    if choice == "system":
        light = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return LIGHT if choice == "light" else DARK


@cache
def load_fonts() -> tuple[str, ...]:
    """Register the shipped fonts and make them the application's, once; returns the families found.

    To be called before the first widget is made: a font given later does not reach children of widgets which are
    not yet shown.
    """
    families: list[str] = []
    for name in FONT_FILES:
        number = QFontDatabase.addApplicationFont(str(resources.path(name)))
        families += QFontDatabase.applicationFontFamilies(number)
    QApplication.setFont(font())
    return tuple(families)


def font(px: int = BASE_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the one font, with figures of equal width so that numbers never move sideways."""
    made = QFont(FAMILY)
    made.setPixelSize(px)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def apply(app: QApplication, theme: Theme) -> None:
    """Give the application font, palette and stylesheet of `theme`."""
    load_fonts()
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, theme.window),
        (QPalette.ColorRole.WindowText, theme.text),
        (QPalette.ColorRole.Base, theme.raised),
        (QPalette.ColorRole.AlternateBase, theme.panel),
        (QPalette.ColorRole.Text, theme.text),
        (QPalette.ColorRole.Button, theme.panel),
        (QPalette.ColorRole.ButtonText, theme.text),
        (QPalette.ColorRole.ToolTipBase, theme.panel),
        (QPalette.ColorRole.ToolTipText, theme.text),
        (QPalette.ColorRole.Highlight, theme.accent),
        (QPalette.ColorRole.HighlightedText, "#ffffff"),
        (QPalette.ColorRole.PlaceholderText, theme.dim),
        (QPalette.ColorRole.Link, theme.tones[Tone.NDX]),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setStyleSheet(_stylesheet(theme))


def _stylesheet(t: Theme) -> str:
    bad = t.tones[Tone.BAD]
    return f"""
QMainWindow, QDialog {{ background: {t.window}; }}
QMainWindow::separator {{ background: {t.window}; width: 6px; height: 6px; }}
QMainWindow::separator:hover {{ background: {t.border}; }}
QToolTip {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
QBalloonTip QLabel {{ color: #000000; }}  /* of a tray on X11: its paper is pale yellow in every theme */
*[card="true"] {{ background: {t.panel}; border: 1px solid {t.border}; border-radius: 8px; }}
QPushButton, QToolButton {{
    background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 5px; padding: 3px 8px;
}}
QPushButton:hover, QToolButton:hover {{ border-color: {t.dim}; }}
QPushButton:checked, QToolButton:checked {{ background: {t.chosen}; border-color: {t.chosen}; font-weight: 600; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.dim}; }}
QPushButton[segment="true"] {{ color: {t.dim}; padding: 2px 8px; }}
QPushButton[segment="true"]:checked {{ color: {t.text}; }}
QPushButton[primary="true"] {{ background: {t.accent}; color: #ffffff; border: none; font-weight: 600; }}
QPushButton[primary="true"]:disabled {{ background: {t.chosen}; color: {t.text}; }}
QPushButton:focus, QToolButton:focus, QLineEdit:focus, QSlider:focus, QComboBox:focus {{
    border: 1px solid {t.tones[Tone.NDX]};
}}
QComboBox[plain="true"] {{
    background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 5px; padding: 2px 6px;
}}
QComboBox[plain="true"]:focus {{ border: 1px solid {t.tones[Tone.NDX]}; }}
QComboBox[plain="true"]::drop-down {{ border: none; width: 22px; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QPlainTextEdit {{
    background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 5px; padding: 2px 6px;
    selection-background-color: {t.accent}; selection-color: #ffffff;
}}
QLineEdit[error="true"] {{ border: 1px solid {bad}; }}
QLabel[error="true"] {{ color: {bad}; }}
QLabel[odd="true"] {{ color: {t.tones[Tone.WARN]}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; }}
QScrollBar::handle:vertical {{ background: {t.border}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QStatusBar {{ background: {t.window}; color: {t.dim}; }}
QStatusBar::item {{ border: none; }}
QMenu {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
QMenu::item {{ padding: 4px 22px 4px 22px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.chosen}; }}
QMenu::item:disabled {{ color: {t.dim}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 6px; }}
QProgressBar {{
    background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 5px; text-align: center;
}}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 4px; }}
QSlider::groove:horizontal {{ background: {t.border}; height: 4px; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.text}; width: 12px; margin: -5px 0; border-radius: 6px; }}
QDockWidget {{ color: {t.dim}; }}
QTabBar {{ background: {t.window}; qproperty-drawBase: 0; }}
QTabBar::tab {{
    background: {t.window}; color: {t.dim}; border: 1px solid {t.border}; padding: 3px 12px; margin: 2px 2px 0 0;
    border-radius: 5px;
}}
QTabBar::tab:selected {{ background: {t.chosen}; color: {t.text}; border-color: {t.chosen}; }}
QTabBar::tab:focus {{ border: 1px solid {t.tones[Tone.NDX]}; }}
*[line="true"] {{ border: none; border-top: 1px solid {t.grid}; border-radius: 0; }}
"""
