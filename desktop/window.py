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
from datetime import UTC, datetime
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
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
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
from desktop.market.known import UserError
from desktop.market.sessions import trading_day
from desktop.notices import Notices
from desktop.presenters.frame import Frame, View
from desktop.presenters.release import toggled
from desktop.presenters.sizer_form import applied
from desktop.presenters.thesis import KILL
from desktop.presenters.time_machine import read_moment
from widgets import theme
from widgets.alerts_panel import AlertsPanel
from widgets.divergence_panel import DivergencePanel
from widgets.evidence_view import EvidenceView
from widgets.gauge_panel import GaugePanel
from widgets.grip import Grip
from widgets.header import HeaderStrip
from widgets.health_panel import HealthPanel
from widgets.journal_panel import JournalAsked, JournalPanel
from widgets.note_bar import NoteBar
from widgets.playback import PlaybackBar
from widgets.ratio_panel import LevelMoved, RatioPanel
from widgets.release_panel import ReleasePanel
from widgets.sizer_panel import SizerPanel
from widgets.states import InputTyped, KillTyped, SetupAsked, SizerForm, Text, Tone
from widgets.states_alerts import RuleAct, RuleForm
from widgets.states_journal import JournalFile, TradeRow, TradeTyped, VersionsAsked
from widgets.states_release import ArmAsked, DisarmAsked, ReleaseAsked
from widgets.status_bar import StatusStrip
from widgets.thesis_panel import ThesisPanel
from widgets.time_bar import MINUTE, TimeBar

log = logging.getLogger(__name__)
_SAVE_AFTER_MS = 1000
_DEFAULT_SIZE = QSize(1600, 1000)
_TITLE = "Rotation Monitor"
_AT_FIRST = ("ratio", "divergence", "gauge", "sizer", "thesis")
_PAST_EDGE_PX = 3
_ROOMY = 1500
"""From this width on the sizer stands with its map beside the ticket."""
_ROOM_FOR_ROWS = 640
"""A window lower than this shows one row of panels, the others as tabs."""
_BESIDE = {
    "evidence": "divergence",
    "sources": "sizer",
    "alerts": "gauge",
    "release": "divergence",
    "journal": "thesis",
}
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
    SAVE_WORKSPACE = auto()
    OPEN_WORKSPACE = auto()


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


@dataclass(frozen=True, slots=True)
class OfRelease:
    """Something the release panel asks for."""

    asked: ReleaseAsked


Asked = (
    Request
    | Test
    | Pause
    | Seek
    | Speed
    | Import
    | SetupAsked
    | RuleForm
    | RuleAct
    | OfRelease
    | TradeTyped
    | JournalFile
    | VersionsAsked
)


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
        self._past = False
        self._alarm = ""
        self.setWindowTitle(_TITLE)
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self._save_soon = QTimer(self, singleShot=True, interval=_SAVE_AFTER_MS)
        self._save_soon.timeout.connect(self._save_settings)
        self._layout_soon = QTimer(self, singleShot=True, interval=_SAVE_AFTER_MS)
        self._layout_soon.timeout.connect(self._save_layout)
        self._docked = ""
        """Places of the docks as they were last seen; "" before the window has settled."""

        self.header = HeaderStrip()
        self.playback = PlaybackBar()
        self.time = TimeBar()
        self.note = NoteBar()
        self.ratio = RatioPanel()
        self.divergence = DivergencePanel()
        self.gauge = GaugePanel()
        self.sizer = SizerPanel()
        self.thesis = ThesisPanel()
        self.evidence = EvidenceView()
        self.health = HealthPanel()
        self.alerts = AlertsPanel()
        self.journal = JournalPanel()
        self.release = ReleasePanel()
        self.status = StatusStrip()
        self._panels = {
            "ratio": ("Ratio", self.ratio),
            "divergence": ("Intraday divergence", self.divergence),
            "gauge": ("Correlation gauge", self.gauge),
            "sizer": ("Position sizer", self.sizer),
            "sources": ("Sources", self.health),
            "thesis": ("Thesis", self.thesis),
            "evidence": ("Evidence", self.evidence),
            "release": ("Releases", self.release),
            "alerts": ("Alerts", self.alerts),
            "journal": ("Journal", self.journal),
        }
        self._notices = Notices(self)
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
        self.alerts.show_state(frame.alerts)
        self._notices.show_new(frame.alerts.notices)
        self.release.show_state(frame.release)
        if frame.journal is not None:
            self.journal.show_state(frame.journal)
        self._sound(frame)
        title = f"({frame.alerts.unseen}) {_TITLE}" if frame.alerts.unseen else _TITLE
        if title != self.windowTitle():
            self.setWindowTitle(title)
        if frame.playback is not None:
            self.playback.show_state(frame.playback)
        self.playback.setVisible(frame.playback is not None)
        if frame.time is not None:
            self.time.show_state(frame.time)
        self.time.setVisible(frame.time is not None)
        self._frame_past(past=frame.time is not None)

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
        self._listen.setChecked(view.settings.stream)
        if themed:
            self.apply_theme()
        self.view_changed.emit(view)

    def apply_theme(self) -> None:
        """Colour the application as the settings say."""
        chosen = theme.resolve(self._view.settings.theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, chosen)
        for strip in (self.header, self.playback, self.time, self.note, self.status):
            strip.set_theme(chosen)
        for grip in self._grips:
            grip.set_theme(chosen)
        for panel in (self.ratio, self.divergence, self.gauge, self.sizer):
            panel.set_theme(chosen)
        for board in (self.thesis, self.evidence, self.health, self.alerts, self.release, self.journal):
            board.set_theme(chosen)

    def _sound(self, frame: Frame) -> None:
        """Sound once for each alarm of an armed release, where the user wants it."""
        alarm, self._alarm = self._alarm, frame.release.alarm
        if frame.release.sound and self._alarm and self._alarm != alarm:
            QApplication.beep()

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
        column.addWidget(self.time)
        self.time.hide()
        self.setMenuWidget(top)

    def _dock(self, key: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock-{key}")
        dock.setWidget(panel)
        grip = Grip(dock)
        dock.setTitleBarWidget(grip)
        self._grips.append(grip)
        for signal in (dock.visibilityChanged, dock.dockLocationChanged, dock.topLevelChanged):
            signal.connect(lambda _: self._layout_soon.start())
        return dock

    def use_default_layout(self) -> None:
        """Put every dock where it was at first."""
        for dock in self._docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)  # a dock added twice leaves the old place behind
        ratio, divergence, gauge, sizer, thesis = (self._docks[key] for key in _AT_FIRST)
        if self._is_cramped():
            self._lay_out_one_row((ratio, gauge), (divergence, thesis, sizer))
            return
        # Each goes to its place at once: all in one row, even for a moment, they would make the window wider.
        self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, ratio)
        self.splitDockWidget(ratio, gauge, Qt.Orientation.Vertical)
        self.splitDockWidget(ratio, divergence, Qt.Orientation.Horizontal)
        self.splitDockWidget(gauge, sizer, Qt.Orientation.Horizontal)
        wide, high = self.width(), self.height()
        self.splitDockWidget(sizer, thesis, Qt.Orientation.Horizontal)
        for dock in (ratio, divergence, gauge, sizer, thesis):
            dock.show()
        shares = [wide * share // 100 for share in ((23, 49, 28) if wide >= _ROOMY else (26, 45, 29))]
        self.resizeDocks([gauge, sizer, thesis], shares, Qt.Orientation.Horizontal)
        self.resizeDocks([ratio, divergence], [wide // 2, wide // 2], Qt.Orientation.Horizontal)
        self.resizeDocks([ratio, gauge], [high * 40 // 100, high * 60 // 100], Qt.Orientation.Vertical)

    def _is_cramped(self) -> bool:
        """A small screen, or a large scale on it (1920x1080 at 200 %), has no room for two rows of panels."""
        return self.height() < _ROOM_FOR_ROWS

    def _lay_out_one_row(self, *columns: tuple[QDockWidget, ...]) -> None:
        for first, *others in columns:
            self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, first, Qt.Orientation.Horizontal)
            first.show()
            for dock in others:
                self.tabifyDockWidget(first, dock)
                dock.show()
            first.raise_()
        fronts = [column[0] for column in columns]
        self.resizeDocks(fronts, [self.width() // len(fronts)] * len(fronts), Qt.Orientation.Horizontal)

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
        self._action(menu, "Arm the next release", "F6", lambda: self._ask_release(ArmAsked()))
        self._action(menu, "Disarm", "Shift+F6", lambda: self._ask_release(DisarmAsked()))
        self._action(menu, "Manual refreshes…", "Shift+F5", lambda: ask(Request.REFRESHES))
        self._action(menu, "Demo: CPI day, 11 July 2024", "Ctrl+D", lambda: ask(Request.TOGGLE_DEMO))
        self._action(menu, "Time machine", "Ctrl+T", self._enter_past)
        self._action(menu, "Back to now", "Ctrl+Shift+T", self._leave_past)
        menu.addSeparator()
        self._action(menu, "Import files…", "Ctrl+O", self._ask_files)
        self._action(menu, "Save picture, data and note", "Ctrl+S", lambda: ask(Request.SNAPSHOT))
        self._action(menu, "Snapshots…", "Ctrl+Shift+S", lambda: ask(Request.SNAPSHOTS))
        self._action(menu, "Open the data folder", "", self._open_folder)
        self._action(menu, "Copy the ticket", "Ctrl+Shift+C", self.sizer.copy_ticket)
        self._action(menu, "Export orders…", "Ctrl+E", self._open_orders)
        self._action(menu, "Set-ups of the sizer…", "Ctrl+U", self._open_setups)
        self._action(menu, "New trade in the journal…", "Ctrl+J", self._new_trade)
        self._action(menu, "Vendor keys…", "Ctrl+K", lambda: ask(Request.KEYS))
        self._listen = self._action(menu, "Listen to Yahoo's stream", "Ctrl+L", self._toggle_stream)
        self._listen.setCheckable(True)
        self._listen.setChecked(self._view.settings.stream)
        self._action(menu, "Settings…", "F2", self._open_settings)
        self._action(menu, "New alert…", "Ctrl+Shift+A", self._new_alert)
        self._action(menu, "Save workspace…", "", lambda: ask(Request.SAVE_WORKSPACE))
        self._action(menu, "Open workspace…", "", lambda: ask(Request.OPEN_WORKSPACE))
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
        transport = menu.addMenu("Playback of the demo and the past")
        self._action(transport, "Play or pause", "Ctrl+Space", lambda: ask(Request.TOGGLE_PLAY))
        self._action(transport, "Faster", "Ctrl+.", lambda: ask(Request.FASTER))
        self._action(transport, "Slower", "Ctrl+,", lambda: ask(Request.SLOWER))
        for text, keys, minutes in (("A minute back", "Alt+Left", -1), ("A minute forward", "Alt+Right", 1)):
            self._action(transport, text, keys, partial(self.time.go_by, minutes * MINUTE))
        self._action(transport, "Session before", "Alt+PgUp", partial(self.time.go_to_session, -1))
        self._action(transport, "Session after", "Alt+PgDown", partial(self.time.go_to_session, +1))
        menu.addSeparator()
        self._action(menu, "Keyboard shortcuts", "F1", self._show_shortcuts)
        self._action(menu, "First-run page", "", self.show_welcome)
        self._action(menu, "About", "", self._show_about)
        self._action(menu, "Quit", "Ctrl+Q", self.close)
        self.header.set_menu(menu)
        self._menu = menu

    def _connect(self) -> None:
        self.header.refresh_requested.connect(lambda: self.asked.emit(Request.REFRESH))
        self.status.cancel_requested.connect(lambda: self.asked.emit(Request.CANCEL))
        self.status.source_clicked.connect(self._open_source)
        self.thesis.claim_opened.connect(self._open_claim)
        self.thesis.kill_typed.connect(self._kill_typed)
        self.evidence.input_typed.connect(self._input_typed)
        self.thesis.news_seen.connect(lambda: self.asked.emit(Request.NEWS_SEEN))
        self.health.test_requested.connect(lambda key: self.asked.emit(Test(key)))
        self.health.pause_requested.connect(lambda key: self.asked.emit(Pause(key, paused=True)))
        self.health.resume_requested.connect(lambda key: self.asked.emit(Pause(key, paused=False)))
        self.health.keys_requested.connect(lambda: self.asked.emit(Request.KEYS))
        self.health.hide_requested.connect(self._docks["sources"].hide)
        self.alerts.asked.connect(self.asked)
        self.journal.asked.connect(self._of_journal)
        self.alerts.typed.connect(lambda form: self.set_view(replace(self._view, alert=form)))
        self._notices.told.connect(self.tell)
        self._notices.opened.connect(self._open_alerts)
        self.playback.play_toggled.connect(lambda: self.asked.emit(Request.TOGGLE_PLAY))
        self.playback.speed_chosen.connect(lambda times: self.asked.emit(Speed(times)))
        self.playback.sought.connect(lambda position: self.asked.emit(Seek(position)))
        self.time.moved.connect(self._go_to)
        self.time.typed.connect(self._moment_typed)
        self.time.play_toggled.connect(lambda: self.asked.emit(Request.TOGGLE_PLAY))
        self.time.speed_chosen.connect(lambda times: self.set_view(replace(self._view, speed=times)))
        self.time.left.connect(self._leave_past)
        self.release.asked.connect(self._ask_release)
        self.release.event_chosen.connect(lambda key: self.set_view(replace(self._view, release=key)))
        self.release.kind_toggled.connect(
            lambda kind: self._choose("calendar_hidden", toggled(self._view.settings, kind))
        )
        self.release.sound_toggled.connect(lambda on: self._choose("release_sound", on))
        self.divergence.reference_chosen.connect(lambda key: self._choose("reference", key))
        self.ratio.level_moved.connect(self._level_moved)
        self.sizer.form_changed.connect(self._form_changed)
        self.sizer.setup_asked.connect(self.asked)
        self.sizer.orders_saved.connect(lambda path: self.tell(Text(f"orders written to {path}", Tone.GOOD, path)))
        self.ratio.cursor_moved.connect(self.gauge.show_cursor)
        self.gauge.cursor_moved.connect(self.ratio.show_cursor)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_colours_changed)

    # What the user did

    def _open_claim(self, key: str) -> None:
        """Show what stands behind a claim."""
        self.set_view(replace(self._view, claim=key))
        self._reveal("evidence")

    def _ask_release(self, asked: ReleaseAsked) -> None:
        """Pass it on; who arms a release wants to see its board, not the one looked at before."""
        if isinstance(asked, ArmAsked):
            self.set_view(replace(self._view, release=""))
        self.asked.emit(OfRelease(asked))

    def _kill_typed(self, typed: KillTyped) -> None:
        self._choose(KILL + typed.key, typed.text)

    def _input_typed(self, typed: InputTyped) -> None:
        self._choose(typed.key, typed.text)

    def focus_panel(self, key: str) -> None:
        """Bring a panel to the front and give it the keyboard."""
        self._reveal(key)
        panel = self._panels[key][1]
        first = panel.focusProxy() or panel.nextInFocusChain()
        if first is not None:
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _toggle_stream(self) -> None:
        self._choose("stream", self._listen.isChecked())

    def _open_orders(self) -> None:
        self._reveal("sizer")
        self.sizer.open_orders()

    def _open_setups(self) -> None:
        self._reveal("sizer")
        self.sizer.open_setups()

    def _open_source(self, key: str) -> None:
        self.focus_panel("sources")
        self.health.show_source(key)

    def _choose(self, name: str, value: object) -> None:
        self.set_view(replace(self._view, settings=settings.changed(self._view.settings, name, value)))

    def _level_moved(self, moved: LevelMoved) -> None:
        self._choose(moved.key, f"{moved.value:.3f}")

    def _form_changed(self, form: SizerForm) -> None:
        shown = {} if self._frame is None else {one.key: one for one in self._frame.sizer.fields}
        today = trading_day(datetime.now(UTC))
        self.set_view(replace(self._view, settings=applied(self._view.settings, form, shown, today)))

    def _enter_past(self) -> None:
        """Stand still at the moment shown, and let another be typed."""
        if self._view.as_of is None:
            self.set_view(replace(self._view, as_of=datetime.now(UTC), playing=False))
        self.time.show()
        self.time.edit()

    def _leave_past(self) -> None:
        self.set_view(replace(self._view, as_of=None, playing=False))

    def _go_to(self, at: datetime) -> None:
        self.set_view(replace(self._view, as_of=min(at, datetime.now(UTC))))

    def _moment_typed(self, text: str) -> None:
        now = datetime.now(UTC)
        try:
            at = read_moment(text, self._view.as_of or now, now)
        except UserError as error:
            self.time.show_wrong(str(error))
            return
        self.time.field.setModified(False)
        self._go_to(at)

    def _frame_past(self, *, past: bool) -> None:
        """Frame the window in violet as long as it does not show now."""
        if past != self._past:
            self._past = past
            edge = _PAST_EDGE_PX if past else 0
            self.setContentsMargins(edge, edge, edge, edge)
            self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._past:
            painter = QPainter(self)
            pen = QPen(theme.resolve(self._view.settings.theme).color(Tone.PAST), 2 * _PAST_EDGE_PX)
            painter.setPen(pen)
            painter.drawRect(self.rect())
            painter.end()

    def _new_trade(self) -> None:
        self._reveal("journal")
        if self.journal.button("new").isEnabled():
            self._of_journal(JournalAsked("new"))

    def _of_journal(self, asked: JournalAsked) -> None:
        """Ask for what an action needs, then for the action."""
        one, state = asked.trade, self._frame.journal if self._frame is not None else None
        match asked.action:
            case "export":
                name, _ = QFileDialog.getSaveFileName(self, "Export the journal", "journal.csv", "CSV (*.csv)")
                if name:
                    self.asked.emit(JournalFile("export", name))
            case "import":
                name, _ = QFileDialog.getOpenFileName(self, "Import trades", "", "CSV (*.csv)")
                if name:
                    self.asked.emit(JournalFile("import", name))
            case "history":
                if one is not None:
                    self.asked.emit(VersionsAsked(one.form.number))
            case "void":
                if one is not None and one.void:
                    self.asked.emit(replace(one.form, action="restore"))
                elif one is not None and dialogs.sure(self, f"Take back {one.title}? Its record is kept."):
                    self.asked.emit(replace(one.form, action="void"))
            case "new":
                if state is not None:
                    self._ask_trade(state.new, None)
            case action:
                if one is not None:
                    lines = {"fills": "", "close": one.closing}.get(action, one.form.lines)
                    self._ask_trade(replace(one.form, action=action, lines=lines), one)

    def _ask_trade(self, form: TradeTyped, trade: TradeRow | None, wrong: str = "") -> None:
        from desktop.trade_dialog import TradeDialog

        dialog = TradeDialog(self, form, trade, wrong)
        if dialog.exec() == TradeDialog.DialogCode.Accepted:
            self.asked.emit(dialog.typed)
        dialog.deleteLater()

    def ask_trade_again(self, typed: TradeTyped, why: str) -> None:
        """Show a form that was refused, as it was typed, and why; nothing typed is lost."""
        state = self._frame.journal if self._frame is not None else None
        rows = () if state is None else (*state.open_trades, *state.closed_trades, *state.void_trades)
        self._ask_trade(typed, next((one for one in rows if one.form.number == typed.number), None), why)

    def _new_alert(self) -> None:
        self._reveal("alerts")
        self.alerts.open_new()

    def _open_alerts(self) -> None:
        if self.isMinimized():
            self.showNormal()
        self.activateWindow()
        self._reveal("alerts")
        self.alerts.show_log()

    def _open_settings(self) -> None:
        from desktop.settings_dialog import SettingsDialog, Wanted

        dialog = SettingsDialog(self, self._view.settings, theme.resolve(self._view.settings.theme))
        dialog.changed.connect(lambda chosen: self.set_view(replace(self._view, settings=chosen)))
        dialog.exec()
        dialog.deleteLater()
        match dialog.wanted:
            case Wanted.SAVE_WORKSPACE:
                self.asked.emit(Request.SAVE_WORKSPACE)
            case Wanted.OPEN_WORKSPACE:
                self.asked.emit(Request.OPEN_WORKSPACE)

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

    def show_welcome(self) -> None:
        """Show the first-run page, beside which the window goes on; closing it once is enough."""
        from desktop import about  # none of these dialogs is on the way to the first paint

        page = about.Welcome(self, self._folder)
        page.finished.connect(lambda _: self._choose("welcomed", True))
        page.finished.connect(page.deleteLater)
        page.open()

    def _show_about(self) -> None:
        from desktop import about, updates

        newer = updates.known(self._folder)
        page = about.About(self, "" if newer is None else newer.line)
        page.exec()
        page.deleteLater()

    def come_to_the_front(self) -> None:
        """Show the window above all others, whatever became of it."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

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
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_cramped():
            QTimer.singleShot(0, self, self._fit_screen)  # panels never drawn before asked for more than they need

    def _fit_screen(self) -> None:
        if not self.isMaximized():
            self.resize(self.size().boundedTo(self.screen().availableSize() - (self.frameSize() - self.size())))

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self.note.finish()
        self._save_settings()
        self._layout_soon.stop()
        if self._folder is not None:
            with self._told_when_not_kept("layout"):
                layout.save(self, self._folder)
        super().closeEvent(event)

    def _save_layout(self) -> None:
        """Keep where the docks are: a kill loses no more than the last second. To open is no change."""
        before, self._docked = self._docked, layout.document(self)["state"]
        if before not in ("", self._docked) and self._folder is not None:
            with self._told_when_not_kept("layout"):
                layout.save(self, self._folder)

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
