"""The one QApplication: with a display for the window, offscreen for pictures and the self-test."""

from __future__ import annotations

import gc
import locale
import logging
import os
from collections.abc import Sequence
from functools import cache

from PySide6.QtCore import QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

import resources
from desktop import loading
from widgets import theme

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_NO_NEWS = frozenset({"This plugin does not support propagateSizeHints()"})
"""Said by the offscreen plugin for every window; it means nothing there."""

log = logging.getLogger(__name__)


def make_qt(arguments: Sequence[str] = ("rotation-monitor",)) -> QApplication:
    """Return the one QApplication, with font and icon; English words stay English whatever the locale."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(list(arguments))
    locale.setlocale(locale.LC_TIME, "C")  # Qt adopts the system's locale; month names would change language
    app.setApplicationName("rotation-monitor")
    app.setApplicationDisplayName("Rotation Monitor")
    app.setDesktopFileName("rotation-monitor")
    app.setWindowIcon(QIcon(str(resources.path("icon.svg"))))
    theme.load_fonts()
    return app


def make_offscreen_qt() -> QApplication:
    """Return the one QApplication without a display: what it draws can only be grabbed."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    log_qt_messages()
    return make_qt()


@cache
def collect_garbage_here() -> QTimer:
    """Have garbage collected on this thread alone, the window's, once a second while its event loop runs."""
    gc.disable()
    timer = QTimer(interval=1000)
    timer.timeout.connect(loading.collect)
    timer.start()
    return timer


def log_qt_messages() -> None:
    """Send what Qt has to say to the log, where the rest is, instead of to stderr."""
    qInstallMessageHandler(_log_message)


def _log_message(kind: QtMsgType, _context: object, message: str) -> None:
    if message not in _NO_NEWS:
        log.log(_LEVELS.get(kind, logging.WARNING), "%s", message)
