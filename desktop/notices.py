"""Tells what fired: in the tray where the system has one, and always in the status bar; with a sound.

Without a tray the window asks for attention where the system lists its windows, and the status bar says on hover
that there is none. The sound is the system's own bell, whose loudness is set there; what cannot ring is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from widgets.states import Text, Tone
from widgets.states_alerts import Notice

_SHOWN_FOR_MS = 15_000
_NO_TRAY = "This system shows no tray now: alerts are told here and in the title of the window only."


class Notices(QObject):
    """Shows each notice once. The tray icon is made with the first notice, not before."""

    told = Signal(object)
    """Text for the status bar."""
    opened = Signal()
    """The user clicked a notice."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._last = 0
        self._tray: QSystemTrayIcon | None = None

    def show_new(self, notices: Sequence[Notice]) -> None:
        """Tell what is newer than what was told before; several of one frame go together."""
        new = [one for one in notices if one.number > self._last]
        if not new:
            return
        self._last = new[-1].number
        if any(one.sound for one in new):
            QApplication.beep()
        title = new[-1].title if len(new) == 1 else f"{len(new)} alerts fired"
        text = new[-1].text if len(new) == 1 else "\n".join(one.title for one in new)
        first, _, _ = text.partition("\n")
        words = f"Alert: {title} ({first})" if len(new) == 1 else f"Alerts: {'; '.join(one.title for one in new)}"
        tray = self._icon()
        if tray is not None:
            self.told.emit(Text(words, Tone.WARN, text))
            tray.showMessage(title, text, self._window.windowIcon(), _SHOWN_FOR_MS)
        else:
            self.told.emit(Text(words, Tone.WARN, f"{text}\n{_NO_TRAY}"))
            QApplication.alert(self._window)

    def _icon(self) -> QSystemTrayIcon | None:
        """The icon in the tray, None where the system has no tray, or has lost it; it docks again by itself."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return None
        if self._tray is None:
            self._tray = QSystemTrayIcon(QApplication.windowIcon(), self)
            self._tray.setToolTip("Rotation Monitor")
            self._tray.messageClicked.connect(self.opened)
            self._tray.activated.connect(lambda _: self.opened.emit())
            self._tray.show()
        return self._tray
