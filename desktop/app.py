"""The composition root: opens a desk, an engine and a window, and connects them. Nothing else knows all three."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication
from typing_extensions import override

from desktop import desk, dialogs, picture, settings, sharing, snapshot, streams, updates
from desktop.credentials import Credentials
from desktop.desk import Desk, Mode
from desktop.engine import Engine
from desktop.journal_book import TradeChangedError
from desktop.market.clock import SystemClock
from desktop.market.known import UserError
from desktop.presenters.frame import Frame, View
from desktop.qt import collect_garbage_here, log_qt_messages, make_qt
from desktop.redact import redact
from desktop.single import OneWindow
from desktop.snapshot_files import when
from desktop.snapshots import Album, Saved
from desktop.time_machine import TimeMachine
from desktop.window import Asked, Import, OfRelease, Pause, Request, Seek, Speed, Test, Window
from widgets import theme
from widgets.note_bar import NoteTyped
from widgets.states import SetupAsked, Text, Tone
from widgets.states_alerts import RuleAct, RuleForm
from widgets.states_journal import JournalFile, TradeTyped, VersionsAsked
from widgets.states_release import ReleaseAsked

log = logging.getLogger(__name__)
_SHOW_BY_MS = 400
"""A window that its first frame keeps waiting for longer than this opens empty."""
_BEGIN_AFTER_MS = 150
"""After the first frame was shown: what loads large libraries waits until it is on the screen."""
_SPEEDS = (1, 10, 60, 300, 600)


def run(folder: Path, *, demo: bool, as_of: datetime | None, offline: bool) -> int:
    """Open the window on the store in `folder` (or on the demo) and stay until it is closed."""
    log_qt_messages()
    app = make_qt(sys.argv[:1])
    place = OneWindow(folder)
    if not place.claim() and place.raise_other():
        sys.stdout.write(f"already open on {folder}: its window was raised; --data-dir opens a second one\n")
        return 0
    application = Application(folder, offline=offline)
    place.watch(application, application.window.come_to_the_front)
    try:
        application.welcome_once()
        application.open(demo=demo, as_of=as_of)
        code = app.exec()
    finally:
        application.close()
        place.release()
    streams.leave_if_busy(code)
    return code


def run_to_first_paint(folder: Path, *, demo: bool, as_of: datetime | None) -> int:
    """Open the window, say `painted` on standard output once every panel is drawn, and end."""
    log_qt_messages()
    app = make_qt(sys.argv[:1])
    application = Application(folder, offline=True)

    def painted() -> None:
        application.window.grab()
        sys.stdout.write("painted\n")
        sys.stdout.flush()
        app.quit()

    application.shown.connect(lambda _: QTimer.singleShot(0, painted), Qt.ConnectionType.SingleShotConnection)
    try:
        application.open(demo=demo, as_of=as_of)
        return app.exec()
    finally:
        application.close()


class Application(QObject):
    """One window, one engine, one desk at a time."""

    shown = Signal(object)
    """Frame: after it was drawn."""
    _told = Signal(object)
    """Text: from any thread to the status bar."""
    _on_gui = Signal(object)
    """A call to be made on the window's thread."""

    def __init__(
        self,
        folder: Path,
        *,
        offline: bool = False,
        sources: desk.Sources | None = None,
        keys: Credentials | None = None,
    ) -> None:
        super().__init__()
        collect_garbage_here()
        self._keys = keys or Credentials()
        self._folder, self._offline, self._sources = folder, offline, sources
        self._desk_told = ""
        self._may_fall_back, self._was_shown, self._keys_begun = True, False, False
        self._log, unwriteable = _log_to(folder, self._keys)
        chosen, problems = settings.load(folder)
        self._problems = (*unwriteable, *problems)
        self._album = Album(folder)
        self._workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="work")
        self._desk: Desk | None = None
        self._engine: Engine[View, Frame] | None = None
        self.window = Window(View(chosen), folder)
        self._subject = self.window.view.subject
        self._machine = TimeMachine(self)
        self._machine.moved.connect(self.window.set_view)
        self._told.connect(self.window.tell)
        self._on_gui.connect(lambda call: call())
        self.window.asked.connect(self._carry_out)
        self.window.view_changed.connect(self._show)
        self.window.note.typed.connect(self._keep_note)
        self._hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._unexpected
        threading.excepthook = lambda told: self._unexpected(
            told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
        )

    # Desks

    def open(self, *, demo: bool = False, as_of: datetime | None = None) -> None:
        """Show the window and fill it: the store, or the demo when asked for or when there is nothing else."""
        if as_of is not None:
            self.window.set_view(replace(self.window.view, as_of=as_of))
        first = desk.open_demo() if demo else self._live()
        self._engine = Engine(first.frame, self.window.view)
        self._engine.frame.connect(self._frame)
        self._engine.failed.connect(self._failed)
        self._sit_at(first)
        self._engine.start()
        QTimer.singleShot(_SHOW_BY_MS, self, self._show_window)
        problems = [*self._problems, *self.window.problems]
        if problems:
            self.window.tell(Text("; ".join(problems), Tone.WARN, "\n".join(problems)))

    def welcome_once(self) -> None:
        """Show the first-run page above the first frame, unless it was shown before."""
        if not self.window.view.settings.welcomed:
            self.shown.connect(
                lambda _: QTimer.singleShot(_BEGIN_AFTER_MS, self.window, self.window.show_welcome),
                Qt.ConnectionType.SingleShotConnection,
            )

    @property
    def desk(self) -> Desk | None:
        """The desk behind the window, None before it is opened."""
        return self._desk

    def _live(self) -> Desk:
        return desk.open_live(self._folder, offline=self._offline, sources=self._sources, keys=self._keys)

    def _sit_at(self, new: Desk) -> None:
        old, self._desk = self._desk, new
        assert self._engine is not None
        self._engine.show(self.window.view, new.frame)
        new.start(self._engine.poke)
        if old is not None:
            self._workers.submit(old.close)

    def _show(self, view: View) -> None:
        self._machine.follow(view)
        if self._engine is None or self._desk is None:
            return
        if view.as_of is not None and self._desk.mode is Mode.DEMO:
            self._sit_at(self._live())  # as-of looks into the real history; the demo has its own slider
        anew, self._subject = view.subject != self._subject, view.subject
        self._engine.show(view, anew=anew)

    def _frame(self, frame: Frame) -> None:
        if frame.empty and self._may_fall_back:
            told = "" if self._desk is None else self._desk.told  # a damaged store may be why there is nothing
            self._to_demo("; ".join(filter(None, (told, frame.empty))))
        else:
            self.window.show_frame(frame)
            self._show_window()
            self.shown.emit(frame)
            QTimer.singleShot(_BEGIN_AFTER_MS, self, self._begin)

    def _show_window(self) -> None:
        """Show the window, once: filled, or empty where the first frame keeps it waiting."""
        if not self._was_shown:
            self._was_shown = True
            self.window.show()

    def _begin(self) -> None:
        if self._desk is not None:
            self._desk.begin()
            if self._desk.told and self._desk.told != self._desk_told:
                self._desk_told = self._desk.told
                self.window.tell(Text(self._desk.told, Tone.WARN, self._desk.told))
            if self._desk.mode is Mode.LIVE and not self._offline and not self._keys_begun:
                self._keys_begun = True
                self._keys.begin()
                self._look_for_updates(self.window.view.settings.updates_url)

    def _look_for_updates(self, address: str) -> None:
        if not address:
            return

        def tell(found: list[str]) -> None:
            for line in found:
                self.window.tell(Text(line, Tone.WARN, "About tells it again. Nothing is downloaded by itself."))

        def ask() -> list[str]:
            newer = updates.check(self._folder, address, SystemClock())
            return [] if newer is None else [newer.line]

        self._in_background(ask, tell)

    def _failed(self, line: str) -> None:
        here = self._desk
        if here is not None and here.mode is Mode.LIVE and not here.is_open:
            self._to_demo(line)
        self.window.tell(Text(line, Tone.BAD, _SEE_LOG))

    def _to_demo(self, why: str = "") -> None:
        self._sit_at(desk.open_demo(why=why))
        self.window.set_view(replace(self.window.view, as_of=None))

    # What the window asks for

    def _carry_out(self, asked: Asked) -> None:
        here = self._desk
        if here is None:
            return
        match asked:
            case Request.REFRESH:
                here.refresh()
                self._poke()
            case Request.CANCEL:
                here.cancel()
            case Request.TOGGLE_DEMO if here.mode is Mode.DEMO:
                self._may_fall_back = False  # who leaves the demo wants to see the store, even an empty one
                self._sit_at(self._live())
            case Request.TOGGLE_DEMO:
                self._to_demo()
            case Request.NEWS_SEEN:
                here.see_news()
            case Request.SNAPSHOT:
                self._save_snapshot()
            case Request.SNAPSHOTS:
                self._list_snapshots()
            case Request.REFRESHES:
                self._list_refreshes(here)
            case Request.KEYS:
                self._ask_keys(here)
            case Test(source):
                here.test(source)
                self._poke()
            case Pause(source, paused):
                here.pause(source, paused=paused)
                self._poke(urgent=True)
            case OfRelease(asked_of):
                self._release(here, asked_of)
            case Import(paths):
                self._import(paths)
            case SetupAsked():
                self._set_up(here, asked)
            case VersionsAsked(number):
                lines, shot = here.journal_versions(number)
                dialogs.show_lines(self.window, f"Trade {number}: every version", lines, self._album.file(shot))
            case TradeTyped() | JournalFile():
                self._enter(here, asked)
            case RuleForm() | RuleAct():
                self._alert(here, asked)
            case Request.SAVE_WORKSPACE:
                sharing.save(self.window, self._folder)
            case Request.OPEN_WORKSPACE:
                sharing.open_(self.window, self._folder)
            case Request() | Seek() | Speed():
                self._transport(here, asked)

    def _release(self, here: Desk, asked: ReleaseAsked) -> None:
        try:
            told = here.release(asked, as_of=self.window.view.as_of)
        except UserError as error:
            self.window.tell(Text(str(error), Tone.WARN, str(error)))
        else:
            if told:
                self.window.tell(Text(told, Tone.WARN if told.startswith("armed") else Tone.PLAIN, told))
        self._poke(urgent=True)

    def _transport(self, here: Desk, asked: Request | Seek | Speed) -> None:
        player = here.player
        if player is None:
            self._play_past(asked)
            return
        match asked:
            case Request.TOGGLE_PLAY:
                player.resume() if player.paused else player.pause()
            case Request.FASTER:
                player.set_speed(next((one for one in _SPEEDS if one > player.chosen_speed), _SPEEDS[-1]))
            case Request.SLOWER:
                player.set_speed(next((one for one in reversed(_SPEEDS) if one < player.chosen_speed), _SPEEDS[0]))
            case Seek(position):
                here.seek(position)
            case Speed(times):
                player.set_speed(times)
            case _:
                return
        self._poke(urgent=True)

    def _play_past(self, asked: Request | Seek | Speed) -> None:
        view = self.window.view
        if view.as_of is None:
            return
        match asked:
            case Request.TOGGLE_PLAY:
                self.window.set_view(replace(view, playing=not view.playing))
            case Request.FASTER:
                self.window.set_view(replace(view, speed=next((s for s in _SPEEDS if s > view.speed), view.speed)))
            case Request.SLOWER:
                slower = next((s for s in reversed(_SPEEDS) if s < view.speed), view.speed)
                self.window.set_view(replace(view, speed=slower))
            case _:
                return

    def _poke(self, *, urgent: bool = False) -> None:
        if self._engine is None:
            return
        if urgent:
            self._engine.show(self.window.view)
        else:
            self._engine.poke()

    def _ask_keys(self, here: Desk) -> None:
        from desktop.keys_dialog import KeysDialog

        dialog = KeysDialog(self.window, self._keys, theme.resolve(self.window.view.settings.theme))
        dialog.changed.connect(here.test)
        dialog.exec()
        dialog.deleteLater()
        self._poke()

    def _alert(self, here: Desk, asked: RuleForm | RuleAct) -> None:
        def done(_: list[str]) -> None:
            if isinstance(asked, RuleForm):
                self.window.set_view(replace(self.window.view, alert=None))
            self._poke(urgent=True)

        def work() -> list[str]:
            here.alert(asked)
            return []

        self._in_background(work, done)

    def _save_snapshot(self) -> None:
        shown = self.window.frame_shown
        if shown is None:
            self.window.tell(Text("not saved: nothing is shown yet", Tone.WARN))
            return
        self.window.note.finish()
        try:
            saved = self._album.keep(picture.taken(self.window, shown, datetime.now(UTC)))
        except (UserError, OSError) as error:
            self.window.tell(Text(f"not saved: {error}", Tone.BAD, str(error)))
            return
        path = self._album.picture(saved)
        self.window.tell(Text(f"saved {path}", Tone.GOOD, str(path)))
        self.window.note.ask(saved.number, Text(f"Saved {when(saved.moment)}"))

    def _enter(self, here: Desk, asked: TradeTyped | JournalFile) -> None:
        """Write into the journal: one row of a small file, and who trades wants to see it at once."""
        shown = self.window.frame_shown
        if shown is None:
            return
        try:
            if isinstance(asked, JournalFile):
                told = here.journal_file(asked)
            else:
                told = here.journal(asked, shown.snapshot, self._picture_at_entry(asked, shown))
        except (UserError, OSError) as error:
            self.window.tell(Text(f"not done: {error}", Tone.BAD, str(error)))
            if isinstance(asked, TradeTyped) and asked.action in ("new", "fills", "close", "edit"):
                newest = error.version if isinstance(error, TradeChangedError) else asked.version
                self.window.ask_trade_again(replace(asked, version=newest), f"Not entered: {error}")
            return
        self.window.tell(Text(told, Tone.GOOD, told))

    def _picture_at_entry(self, asked: TradeTyped, shown: Frame) -> str:
        """Keep the window as it was when a trade was entered; without one the trade is entered all the same."""
        if asked.action != "new":
            return ""
        try:
            saved = self._album.keep(picture.taken(self.window, shown, datetime.now(UTC)))
        except (UserError, OSError) as error:
            log.warning("no picture at entry: %s", error)
            return ""
        return self._album.picture(saved).name

    def _keep_note(self, typed: NoteTyped) -> None:
        try:
            saved = self._album.set_note(typed.number, typed.text)
        except UserError as error:
            self.window.tell(Text(f"note not kept: {error}", Tone.BAD, str(error)))
            return
        self.window.tell(Text(f"note kept with the snapshot of {when(saved.moment)}", Tone.GOOD))

    def _list_snapshots(self) -> None:
        from desktop.snapshots_dialog import SnapshotsDialog

        dialog = SnapshotsDialog(self.window, self._album, theme.resolve(self.window.view.settings.theme))
        dialog.opened.connect(self._open_snapshot)
        dialog.exec()
        dialog.deleteLater()

    def _open_snapshot(self, one: Saved) -> None:
        """Show the window as of a snapshot; one of the demo is looked at in the demo, which stands still there."""
        if one.mode is snapshot.Mode.DEMO and (self._desk is None or self._desk.mode is not Mode.DEMO):
            self._to_demo()
        self._go_to(one.moment, demo=one.mode is snapshot.Mode.DEMO)

    def _list_refreshes(self, here: Desk) -> None:
        from desktop.refreshes_dialog import RefreshesDialog

        try:
            found = here.refreshes()
        except UserError as error:
            self.window.tell(Text(str(error), Tone.BAD, str(error)))
            return
        dialog = RefreshesDialog(self.window, found, theme.resolve(self.window.view.settings.theme))
        dialog.opened.connect(lambda one: self._go_to(one.shown_at, demo=here.mode is Mode.DEMO))
        dialog.exec()
        dialog.deleteLater()

    def _go_to(self, moment: datetime, *, demo: bool) -> None:
        """Show a past moment: of the real history, or of the demo, which then stands still."""
        if not demo:
            self.window.set_view(replace(self.window.view, as_of=moment))
            return
        from desktop.sources.demo import position_at

        if self._desk is not None and self._desk.player is not None:
            self._desk.player.pause()
            self._desk.seek(position_at(moment))
            self._poke(urgent=True)

    def _set_up(self, here: Desk, asked: SetupAsked) -> None:
        """Done on the window's thread: one row of a small file, and who loads wants to see it at once."""
        view = self.window.view
        try:
            chosen, told = here.set_up(asked, view.settings)
        except UserError as error:
            self.window.tell(Text(f"not done: {error}", Tone.BAD, str(error)))
            return
        self.window.set_view(replace(view, settings=chosen))
        done = {"load": "loaded", "save": "saved", "rename": "renamed", "delete": "deleted"}[asked.action]
        words = "; ".join((f"set-up “{asked.new or asked.name}” {done}", *told))
        self.window.tell(Text(words, Tone.WARN if told else Tone.GOOD, words))

    def _import(self, paths: tuple[Path, ...]) -> None:
        self.window.tell(Text(f"importing {len(paths)} file{'s' if len(paths) != 1 else ''} …"))
        self._in_background(lambda: desk.import_files(self._folder, paths), self._imported)

    def _imported(self, lines: list[str]) -> None:
        if self._desk is not None and self._desk.why:
            self._sit_at(self._live())  # the demo stood in for a store that may have something to show now
        dialogs.show_lines(self.window, "Import", lines)

    def _in_background(self, work: Callable[[], list[str]], then: Callable[[list[str]], None]) -> None:
        def done(future: Future[list[str]]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is None:
                self._on_gui.emit(lambda: then(future.result()))
            elif isinstance(error, UserError | OSError):
                self._told.emit(Text(str(error), Tone.BAD, str(error)))
            else:
                self._unexpected(type(error), error, error.__traceback__)

        self._workers.submit(work).add_done_callback(done)

    # The end, and what should not happen

    def close(self) -> None:
        """Stop every thread, give back what was taken over, and let go of the window."""
        if self._engine is not None:
            self._engine.stop()
        if self._desk is not None:
            self._desk.close()
            self._desk = None  # what a timer still has to say comes too late
        self._workers.shutdown(wait=True, cancel_futures=True)
        sys.excepthook, threading.excepthook = self._hooks
        logging.getLogger().removeHandler(self._log)
        self._log.close()
        self.window.deleteLater()

    def _unexpected(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log what nobody expected, and say it in the window: it must not pass in silence."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        log.error("unexpected", exc_info=(kind, error, trace))
        self._told.emit(Text(f"unexpected {kind.__name__}: {error}", Tone.BAD, _SEE_LOG))


_SEE_LOG = "The log in the data folder tells more; send it with the output of `rotation-monitor doctor`."


class _Redacting(logging.Formatter):
    """Leaves no key in the log, whoever wrote it there."""

    def __init__(self, keys: Credentials) -> None:
        super().__init__("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
        self._keys = keys

    @override
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._keys.secrets)


def _log_to(folder: Path, keys: Credentials) -> tuple[logging.Handler, tuple[str, ...]]:
    """The log in `folder`; where that cannot be written there is none, and the user is told."""
    handler: logging.Handler
    problems: tuple[str, ...] = ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / "rotation-monitor.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8"
        )
    except OSError as error:
        handler = logging.NullHandler()
        problems = (
            f"{folder} cannot be written ({error.strerror or error}): nothing is kept; make it writeable, "
            "or start with --data-dir and another folder",
        )
    handler.setFormatter(_Redacting(keys))
    logging.getLogger().addHandler(handler)
    return handler, problems
