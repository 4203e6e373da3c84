"""The main window: header, docks, menus, status bar. The only place that connects panels.

Panels are told what to show and say what the user did; what the user did becomes a new `View`, and the next
frame shows it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from functools import partial
from pathlib import Path

from PySide6.QtCore import QChildEvent, QEvent, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QMenu,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import dialogs, layout, settings
from desktop.presenters.frame import Frame, View
from desktop.presenters.sizer import AUTO
from desktop.presenters.thesis import KILL
from widgets import theme
from widgets.divergence_panel import DivergencePanel
from widgets.evidence_view import EvidenceView
from widgets.gauge_panel import GaugePanel
from widgets.grip import Grip
from widgets.header import HeaderStrip
from widgets.health_panel import HealthPanel
from widgets.note_bar import NoteBar
from widgets.playback import PlaybackBar
from widgets.ratio_panel import LevelMoved, RatioPanel
from widgets.sizer_panel import SizerPanel
from widgets.states import KillTyped, SizerForm, Text, Tone
from widgets.status_bar import StatusStrip
from widgets.thesis_panel import ThesisPanel

log = logging.getLogger(__name__)
_SAVE_AFTER_MS = 1000
_DEFAULT_SIZE = QSize(1600, 1000)
_AT_FIRST = ("ratio", "divergence", "gauge", "sizer", "thesis")
_ROOMY = 1500
"""From this width on the sizer stands with its map beside the ticket."""
_BESIDE = {"evidence": "divergence", "sources": "sizer"}
"""Panels that are hidden at first, and whose tab they become."""


class Request(Enum):
    """What the window asks of the application; it carries out none of it itself."""

    REFRESH = auto()
    CANCEL = auto()
    TOGGLE_DEMO = auto()
    TOGGLE_PLAY = auto()
    FASTER = auto()
    SLOWER = auto()
    SNAPSHOT = auto()
    SNAPSHOTS = auto()
    REFRESHES = auto()
    KEYS = auto()
    NEWS_SEEN = auto()


@dataclass(frozen=True, slots=True)
class Test:
    """Ask this source now."""

    source: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Leave this source alone, or ask it again."""

    source: str
    paused: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to this share (0..1) of the demo session."""

    position: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Play the demo at this many seconds a second."""

    times: int


@dataclass(frozen=True, slots=True)
class Import:
    """Add these files to the store."""

    paths: tuple[Path, ...]


Asked = Request | Test | Pause | Seek | Speed | Import


class Window(QMainWindow):
    """Shows frames; says what the user asks for."""

    asked = Signal(object)
    """One `Asked`."""
    view_changed = Signal(object)
    """The next `View`."""

    def __init__(self, view: View, folder: Path | None, parent: QWidget | None = None) -> None:
        """`folder` keeps layout and settings; None keeps nothing (demo pictures, tests)."""
        super().__init__(parent)
        self._view, self._folder = view, folder
        self._frame: Frame | None = None
        self.setWindowTitle("Rotation Monitor")
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self._save_soon = QTimer(self, singleShot=True, interval=_SAVE_AFTER_MS)
        self._save_soon.timeout.connect(self._save_settings)

        self.header = HeaderStrip()
        self.playback = PlaybackBar()
        self.note = NoteBar()
        self.ratio = RatioPanel()
        self.divergence = DivergencePanel()
        self.gauge = GaugePanel()
        self.sizer = SizerPanel()
        self.thesis = ThesisPanel()
        self.evidence = EvidenceView()
        self.health = HealthPanel()
        self.status = StatusStrip()
        self._panels = {
            "ratio": ("Ratio", self.ratio),
            "divergence": ("Intraday divergence", self.divergence),
            "gauge": ("Correlation gauge", self.gauge),
            "sizer": ("Position sizer", self.sizer),
            "sources": ("Sources", self.health),
            "thesis": ("Thesis", self.thesis),
            "evidence": ("Evidence", self.evidence),
        }
        self._grips: list[Grip] = []
        self._build_top()  # before the docks: the Tab key goes from top to bottom
        self._docks = {key: self._dock(key, title, panel) for key, (title, panel) in self._panels.items()}
        self.statusBar().addPermanentWidget(self.status, 1)
        self.statusBar().setSizeGripEnabled(False)
        self._build_menus()
        self._connect()
        self.apply_theme()
        self.resize(_DEFAULT_SIZE.boundedTo(self.screen().availableSize()))
        self.use_default_layout()
        problem = "" if folder is None else layout.restore(self, folder)
        self.problems = (problem,) if problem else ()
        """What the user should know about the start."""

    # What is shown

    def show_frame(self, frame: Frame) -> None:
        """Draw one frame; a panel whose state is the same draws nothing."""
        self._frame = frame
        self.header.show_state(frame.header)
        self.ratio.show_state(frame.ratio)
        self.divergence.show_state(frame.divergence)
        self.gauge.show_state(frame.gauge)
        self.sizer.show_state(frame.sizer)
        self.status.show_state(frame.status)
        self.thesis.show_state(frame.thesis)
        self.evidence.show_state(frame.evidence)
        self.health.show_state(frame.health)
        if frame.playback is not None:
            self.playback.show_state(frame.playback)
        self.playback.setVisible(frame.playback is not None)

    @property
    def frame_shown(self) -> Frame | None:
        """The last frame drawn."""
        return self._frame

    @property
    def panels(self) -> dict[str, QWidget]:
        """Each panel by its key."""
        return {key: panel for key, (_, panel) in self._panels.items()}

    @property
    def view(self) -> View:
        """What the user asked to see."""
        return self._view

    def set_view(self, view: View) -> None:
        """Take over a view made elsewhere, and say so like any other change."""
        if view == self._view:
            return
        themed = view.settings.theme != self._view.settings.theme
        if view.settings != self._view.settings:
            self._save_soon.start()
        self._view = view
        if themed:
            self.apply_theme()
        self.view_changed.emit(view)

    def apply_theme(self) -> None:
        """Colour the application as the settings say."""
        chosen = theme.resolve(self._view.settings.theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, chosen)
        for strip in (self.header, self.playback, self.note, self.status):
            strip.set_theme(chosen)
        for grip in self._grips:
            grip.set_theme(chosen)
        for panel in (self.ratio, self.divergence, self.gauge, self.sizer):
            panel.set_theme(chosen)
        for board in (self.thesis, self.evidence, self.health):
            board.set_theme(chosen)

    # How it is built

    def _build_top(self) -> None:
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.playback)
        column.addWidget(self.note)
        self.playback.hide()
        self.setMenuWidget(top)

    def _dock(self, key: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock-{key}")
        dock.setWidget(panel)
        grip = Grip(dock)
        dock.setTitleBarWidget(grip)
        self._grips.append(grip)
        return dock

    def use_default_layout(self) -> None:
        """Put every dock where it was at first."""
        for dock in self._docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)  # a dock added twice leaves the old place behind
        ratio, divergence, gauge, sizer, thesis = (self._docks[key] for key in _AT_FIRST)
        for dock in (ratio, divergence, gauge, sizer, thesis):
            self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
            dock.show()
        self.splitDockWidget(ratio, gauge, Qt.Orientation.Vertical)
        self.splitDockWidget(ratio, divergence, Qt.Orientation.Horizontal)
        self.splitDockWidget(gauge, sizer, Qt.Orientation.Horizontal)
        wide, high = self.width(), self.height()
        self.splitDockWidget(sizer, thesis, Qt.Orientation.Horizontal)
        shares = [wide * share // 100 for share in ((23, 49, 28) if wide >= _ROOMY else (26, 45, 29))]
        self.resizeDocks([gauge, sizer, thesis], shares, Qt.Orientation.Horizontal)
        self.resizeDocks([ratio, divergence], [wide // 2, wide // 2], Qt.Orientation.Horizontal)
        self.resizeDocks([ratio, gauge], [high * 40 // 100, high * 60 // 100], Qt.Orientation.Vertical)

    def _reveal(self, key: str) -> None:
        """Bring a panel to the front; one that has no place yet lies down as a tab beside its neighbour."""
        dock = self._docks[key]
        if self.dockWidgetArea(dock) is Qt.DockWidgetArea.NoDockWidgetArea:
            self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
            self.tabifyDockWidget(self._docks[_BESIDE[key]], dock)
        dock.show()
        dock.raise_()

    def _toggle(self, key: str, shown: bool) -> None:
        if shown:
            self._reveal(key)

    def _action(self, menu: QMenu, text: str, keys: str, do: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda: do())
        menu.addAction(action)
        self.addAction(action)
        return action

    def _build_menus(self) -> None:
        menu = QMenu(self)
        ask = self.asked.emit
        self._action(menu, "Refresh now", "F5", lambda: ask(Request.REFRESH))
        self._action(menu, "Manual refreshes…", "Shift+F5", lambda: ask(Request.REFRESHES))
        self._action(menu, "Demo: CPI day, 11 July 2024", "Ctrl+D", lambda: ask(Request.TOGGLE_DEMO))
        self._action(menu, "As of…", "Ctrl+T", self._ask_as_of)
        self._action(menu, "Back to now", "Ctrl+Shift+T", lambda: self.set_view(replace(self._view, as_of=None)))
        menu.addSeparator()
        self._action(menu, "Import files…", "Ctrl+O", self._ask_files)
        self._action(menu, "Save picture, data and note", "Ctrl+S", lambda: ask(Request.SNAPSHOT))
        self._action(menu, "Snapshots…", "Ctrl+Shift+S", lambda: ask(Request.SNAPSHOTS))
        self._action(menu, "Open the data folder", "", self._open_folder)
        self._action(menu, "Vendor keys…", "Ctrl+K", lambda: ask(Request.KEYS))
        menu.addSeparator()
        panels = menu.addMenu("Panels")
        for number, (key, (title, _)) in enumerate(self._panels.items(), start=1):
            self._action(panels, f"Go to {title}", f"Ctrl+{number}", partial(self.focus_panel, key))
        panels.addSeparator()
        for key, dock in self._docks.items():
            toggle = dock.toggleViewAction()
            toggle.triggered.connect(partial(self._toggle, key))
            toggle.setText(f"Show {dock.windowTitle()}")
            panels.addAction(toggle)
        panels.addSeparator()
        self._action(panels, "Default layout", "Ctrl+Shift+0", self.use_default_layout)
        colours = menu.addMenu("Colours")
        group = QActionGroup(self)
        for key, text in (("system", "As the system"), ("dark", "Dark"), ("light", "Light")):
            action = self._action(colours, text, "", partial(self._choose, "theme", key))
            action.setCheckable(True)
            action.setChecked(self._view.settings.theme == key)
            group.addAction(action)
        transport = menu.addMenu("Playback of the demo")
        self._action(transport, "Play or pause", "Ctrl+Space", lambda: ask(Request.TOGGLE_PLAY))
        self._action(transport, "Faster", "Ctrl+.", lambda: ask(Request.FASTER))
        self._action(transport, "Slower", "Ctrl+,", lambda: ask(Request.SLOWER))
        menu.addSeparator()
        self._action(menu, "Keyboard shortcuts", "F1", self._show_shortcuts)
        self._action(menu, "About", "", lambda: dialogs.about(self))
        self._action(menu, "Quit", "Ctrl+Q", self.close)
        self.header.set_menu(menu)
        self._menu = menu

    def _connect(self) -> None:
        self.header.refresh_requested.connect(lambda: self.asked.emit(Request.REFRESH))
        self.status.cancel_requested.connect(lambda: self.asked.emit(Request.CANCEL))
        self.status.source_clicked.connect(self._open_source)
        self.thesis.claim_opened.connect(self._open_claim)
        self.thesis.kill_typed.connect(self._kill_typed)
        self.thesis.news_seen.connect(lambda: self.asked.emit(Request.NEWS_SEEN))
        self.health.test_requested.connect(lambda key: self.asked.emit(Test(key)))
        self.health.pause_requested.connect(lambda key: self.asked.emit(Pause(key, paused=True)))
        self.health.resume_requested.connect(lambda key: self.asked.emit(Pause(key, paused=False)))
        self.health.keys_requested.connect(lambda: self.asked.emit(Request.KEYS))
        self.health.hide_requested.connect(self._docks["sources"].hide)
        self.playback.play_toggled.connect(lambda: self.asked.emit(Request.TOGGLE_PLAY))
        self.playback.speed_chosen.connect(lambda times: self.asked.emit(Speed(times)))
        self.playback.sought.connect(lambda position: self.asked.emit(Seek(position)))
        self.divergence.reference_chosen.connect(lambda key: self._choose("reference", key))
        self.ratio.level_moved.connect(self._level_moved)
        self.sizer.form_changed.connect(self._form_changed)
        self.ratio.cursor_moved.connect(self.gauge.show_cursor)
        self.gauge.cursor_moved.connect(self.ratio.show_cursor)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_colours_changed)

    # What the user did

    def _open_claim(self, key: str) -> None:
        """Show what stands behind a claim."""
        self.set_view(replace(self._view, claim=key))
        self._reveal("evidence")

    def _kill_typed(self, typed: KillTyped) -> None:
        self._choose(KILL + typed.key, typed.text)

    def focus_panel(self, key: str) -> None:
        """Bring a panel to the front and give it the keyboard."""
        self._reveal(key)
        panel = self._panels[key][1]
        first = panel.focusProxy() or panel.nextInFocusChain()
        if first is not None:
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _open_source(self, key: str) -> None:
        self.focus_panel("sources")
        self.health.show_source(key)

    def _choose(self, name: str, value: object) -> None:
        self.set_view(replace(self._view, settings=settings.changed(self._view.settings, name, value)))

    def _level_moved(self, moved: LevelMoved) -> None:
        self._choose(moved.key, f"{moved.value:.3f}")

    def _form_changed(self, form: SizerForm) -> None:
        chosen = self._view.settings
        shown = {} if self._frame is None else {one.key: one.text for one in self._frame.sizer.fields}
        choices = (("sizing", form.sizing), ("hedge", form.hedge), ("instrument", form.instrument))
        for name, value in (*form.fields, *choices):
            if getattr(chosen, name) == AUTO and value == shown.get(name):
                continue  # a suggestion that nobody touched goes on following the market
            chosen = settings.changed(chosen, name, value)
        self.set_view(replace(self._view, settings=chosen))

    def _ask_as_of(self) -> None:
        chosen: datetime | None = dialogs.ask_as_of(self, self._view.as_of)
        if chosen is not None:
            self.set_view(replace(self._view, as_of=chosen))

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self, "Import history", "", "History (*.csv *.csv.gz *.txt);;All files (*)"
        )
        if names:
            self.asked.emit(Import(tuple(Path(name) for name in names)))

    def _open_folder(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(os.fspath(self._folder)))

    def _show_shortcuts(self) -> None:
        dialogs.shortcuts(self, self.actions())

    def _system_colours_changed(self) -> None:
        if self._view.settings.theme == "system":
            self.apply_theme()

    def tell(self, text: Text) -> None:
        """Say something in the status bar."""
        self.status.tell(text)

    # Files dropped on the window are imported

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        paths = tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        if paths:
            event.acceptProposedAction()
            self.asked.emit(Import(paths))

    @override
    def childEvent(self, event: QChildEvent) -> None:
        """Name the tabs of panels in one place; Qt keeps them for good, so the Tab key passes them by."""
        child = event.child()
        if event.type() is QEvent.Type.ChildPolished and isinstance(child, QTabBar):
            child.setAccessibleName("Panels that share this place")
            child.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        super().childEvent(event)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self.note.finish()
        self._save_settings()
        if self._folder is not None:
            with self._told_when_not_kept("layout"):
                layout.save(self, self._folder)
        super().closeEvent(event)

    def _save_settings(self) -> None:
        self._save_soon.stop()
        if self._folder is not None:
            with self._told_when_not_kept("settings"):
                settings.save(self._view.settings, self._folder)

    @contextmanager
    def _told_when_not_kept(self, what: str) -> Iterator[None]:
        """A folder that cannot be written keeps nobody from working, nor from closing the window."""
        try:
            yield
        except OSError as error:
            log.warning("%s not kept: %s", what, error)
            self.tell(Text(f"{what} not kept: {error}", Tone.WARN, str(error)))
