"""Is there a display that Qt can open? Asked before Qt is, because Qt answers by ending the process."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path

from desktop.market.known import UserError

HINT = (
    "`report` (with --json, --html or --png) and `--self-test` work without a display. "
    "On a server, start it under Xvfb (`xvfb-run rotation-monitor`) or forward X (`ssh -X`)."
)


class NoDisplayError(UserError):
    """The window cannot open; the message says why and what to do."""


def require_display() -> None:
    """Raise NoDisplayError where Qt could not open a window (only Linux and its kin can lack a display)."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    wayland, x11 = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("DISPLAY")
    if not wayland and not x11:
        msg = f"no display: neither DISPLAY nor WAYLAND_DISPLAY is set. {HINT}"
        raise NoDisplayError(msg)
    if wayland and _wayland_answers(wayland):
        return
    if x11 and not _x11_answers(x11):
        msg = f"the display {x11!r} (DISPLAY) does not answer. {HINT}"
        raise NoDisplayError(msg)
    if not x11:
        msg = f"the Wayland display {wayland!r} does not answer. {HINT}"
        raise NoDisplayError(msg)
    _require_x11_plugin()


def _wayland_answers(name: str) -> bool:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/"), name)
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            link.connect(str(path))
    except OSError:
        return False
    return True


def _x11_answers(name: str) -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # the plugin check that follows names the missing library
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    xcb.xcb_connection_has_error.argtypes = (ctypes.c_void_p,)
    xcb.xcb_disconnect.argtypes = (ctypes.c_void_p,)
    link = xcb.xcb_connect(name.encode(), None)
    broken = bool(xcb.xcb_connection_has_error(link))
    xcb.xcb_disconnect(link)
    return not broken


def _require_x11_plugin() -> None:
    import PySide6

    plugin = Path(PySide6.__path__[0], "Qt", "plugins", "platforms", "libqxcb.so")
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        msg = f"a library of Qt's X11 plugin is missing ({error}). Install libxcb-cursor0 and try again. {HINT}"
        raise NoDisplayError(msg) from error
