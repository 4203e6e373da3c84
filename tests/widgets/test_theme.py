"""Colours that can be read, one font whose figures are of equal width."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from widgets import theme
from widgets.parts import Card
from widgets.states import Tone
from widgets.theme import DARK, LIGHT, Theme

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform

BOTH = pytest.mark.parametrize("look", [DARK, LIGHT], ids=lambda one: one.name)


@contextmanager
def applied(look: Theme) -> Iterator[QApplication]:
    """Apply a theme for a while."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette(), app.styleSheet()
    theme.apply(app, look)
    try:
        yield app
    finally:
        app.setPalette(before[0])
        app.setStyleSheet(before[1])


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2, relative luminance)."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the lightest AA grey on white


@BOTH
@pytest.mark.parametrize("tone", list(Tone))
def test_every_tone_can_be_read_on_every_ground(look: Theme, tone: Tone):
    for ground in (look.panel, look.window, look.raised):
        assert contrast(look.tones[tone], ground) >= 4.5


@BOTH
@pytest.mark.parametrize("tone", list(Tone))
def test_ink_can_be_read_on_a_filled_tag(look: Theme, tone: Tone):
    assert contrast(look.ink, look.tones[tone]) >= 4.5


@BOTH
def test_buttons_and_menus_can_be_read(look: Theme):
    assert contrast(look.text, look.chosen) >= 4.5
    assert contrast("#ffffff", look.accent) >= 4.5
    assert contrast(look.dim, look.raised) >= 4.5


@BOTH
def test_the_focus_ring_stands_out(look: Theme):
    assert contrast(look.tones[Tone.NDX], look.panel) >= 3  # WCAG 1.4.11, parts of controls


@BOTH
def test_every_tone_has_its_own_colour(look: Theme):
    assert set(look.tones) == set(Tone)
    assert len(set(look.tones.values())) == len(Tone)


def test_the_shipped_font_is_used_in_all_its_weights(qapp):
    assert theme.FAMILY in theme.load_fonts()
    for weight in (QFont.Weight.Normal, QFont.Weight.DemiBold, QFont.Weight.Bold):
        found = QFontInfo(theme.font(13, weight))
        assert (found.family(), found.weight()) == (theme.FAMILY, weight)


@pytest.mark.parametrize("weight", [QFont.Weight.Normal, QFont.Weight.DemiBold, QFont.Weight.Bold])
@pytest.mark.parametrize("px", [11, 13, 28])
def test_figures_are_of_equal_width(qapp, px: int, weight: QFont.Weight):
    theme.load_fonts()
    metrics = QFontMetricsF(theme.font(px, weight))
    widths = [metrics.horizontalAdvance(6 * figure) for figure in "0123456789"]
    assert max(widths) - min(widths) < 0.5, "no number moves by a pixel as it changes"


def test_buttons_made_before_the_theme_is_applied_use_the_shipped_font(qtbot):
    theme.load_fonts()
    card = Card("Ratio")
    qtbot.addWidget(card)
    button = QPushButton("1M")
    card.title_row.addWidget(button)
    with applied(DARK):
        card.show()
        assert QFontInfo(button.font()).family() == theme.FAMILY


@pytest.mark.parametrize(("system", "expected"), [("Light", LIGHT), ("Dark", DARK), ("Unknown", DARK)])
def test_the_theme_of_the_system_is_followed(qapp, monkeypatch, system, expected):
    class Hints:
        def colorScheme(self) -> Qt.ColorScheme:  # noqa: N802  # name of the Qt method it stands for
            return Qt.ColorScheme[system]

    monkeypatch.setattr(QGuiApplication, "styleHints", Hints)
    assert theme.resolve("system") is expected
    assert theme.resolve("light") is LIGHT
    assert theme.resolve("dark") is DARK


@BOTH
def test_applied_it_colours_the_application_and_marks_wrong_input(qtbot, look: Theme):
    with applied(look) as app:
        line = QLineEdit()
        line.setProperty("error", True)
        qtbot.addWidget(line)
        line.resize(120, 30)
        line.show()
        assert line.grab().toImage().pixelColor(60, 0).name() == look.tones[Tone.BAD]
        assert app.palette().window().color().name() == look.window
