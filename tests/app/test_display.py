"""The command line and the display: none, one that does not answer, and a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import display
from desktop.display import NoDisplayError

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "desktop"]


def environment(**more: str) -> dict[str, str]:
    """As of a shell without a display, unless `more` gives one."""
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY")
    return {key: value for key, value in os.environ.items() if key not in left_out} | more


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=environment(**env),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux and its kin lack a display")


@linux
@pytest.mark.parametrize(
    ("env", "cause"),
    [
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": ":4711"}, "the display ':4711' (DISPLAY) does not answer"),
        ({"DISPLAY": "nonsense"}, "the display 'nonsense' (DISPLAY) does not answer"),
        ({"WAYLAND_DISPLAY": "wayland-47"}, "the Wayland display 'wayland-47' does not answer"),
    ],
)
def test_without_a_display_one_clear_line_says_what_to_do(tmp_path, env, cause):
    done = run("--demo", "--data-dir", str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), **env)
    assert done.returncode == 1, done.stderr  # not -6: Qt did not abort
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("rotation-monitor: ")
    assert cause in line
    assert "`report`" in line
    assert "`--self-test`" in line
    assert list(tmp_path.iterdir()) == []


def test_json_alone_is_a_wrong_argument(tmp_path):
    done = run("--json", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_wrong_moment_on_the_command_line_is_told_before_a_window_opens(tmp_path):
    done = run("--as-of", "tomorrowish", "--data-dir", str(tmp_path))
    assert done.returncode in (1, 2)
    (line,) = done.stderr.splitlines()
    assert "tomorrowish" in line


def test_platform_that_was_chosen_is_not_second_guessed(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    display.require_display()


@linux
def test_wayland_that_does_not_answer_falls_back_to_x11(monkeypatch, tmp_path):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-47")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(NoDisplayError, match="4711"):
        display.require_display()


# A real display


@pytest.fixture
def x_display() -> Iterator[str]:
    """An X server of its own, on a number it finds itself."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    xvfb = subprocess.Popen(
        [server, "-displayfd", str(write), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        xvfb.terminate()
        xvfb.wait(10)


class Typist:
    """Presses keys in the window of one process, through the X server."""

    def __init__(self, name: str, pid: int) -> None:
        tool = shutil.which("xdotool")
        if tool is None:
            pytest.skip("xdotool is not installed")
        self._tool, self._env, self._pid = tool, environment(DISPLAY=name), pid

    def ask(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._tool, *arguments], env=self._env, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout.strip()

    def window(self) -> str:
        found = self.ask("search", "--sync", "--onlyvisible", "--name", "^Rotation Monitor$").splitlines()
        assert found
        return found[0]

    def press(self, *keys: str) -> bool:
        return bool(self.ask("key", "--clearmodifiers", *keys))


def until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@linux
@pytest.mark.display
@pytest.mark.slow
def test_window_on_a_real_display_is_worked_by_the_keyboard_and_closes_cleanly(tmp_path, x_display):
    (tmp_path / "settings.toml").write_text("[appearance]\nwelcomed = true\n")  # no first-run page above it
    program = subprocess.Popen(
        [*PROGRAM, "--demo", "--offline", "--data-dir", str(tmp_path)],
        env=environment(DISPLAY=x_display),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        typist = Typist(x_display, program.pid)
        window = typist.window()
        typist.ask("windowfocus", "--sync", window)
        snapshots = tmp_path / "snapshots"
        until(lambda: typist.press("ctrl+s") or list(snapshots.glob("*.json")))  # once there is something to save
        assert (typist.ask("getwindowgeometry", window).splitlines()[-1]).strip() == "Geometry: 1600x1000"
        typist.press("ctrl+d")
        typist.press("F5")
        typist.press("ctrl+4")
        typist.press("ctrl+q")
        out, err = program.communicate(timeout=30)
    finally:
        if program.poll() is None:
            program.kill()
            program.communicate()
    assert program.returncode == 0, err
    assert "Traceback" not in err
    assert out == ""
    assert (tmp_path / "layout.json").is_file()


# A real tray

NOTICES = """
import sys
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QLabel, QWidget
from desktop.notices import Notices
from desktop.qt import make_qt
from widgets import theme
from widgets.states_alerts import Notice

app = make_qt(sys.argv[:1])
theme.apply(app, theme.DARK)
window = QWidget()
window.show()
notices = Notices(window)
notices.told.connect(lambda text: print("told", text.text, "|", text.why.replace(chr(10), " / "), flush=True))
notices.opened.connect(lambda: print("opened", flush=True))

def answer():
    match sys.stdin.readline().split():
        case ["notice", number]:
            notices.show_new((Notice(int(number), f"rule {number}", "9.5, 2 s old", sound=True),))
            print("done", flush=True)
        case ["shades"]:
            shown = [one for one in app.topLevelWidgets() if one.metaObject().className() == "QBalloonTip"]
            picture = shown[0].grab().toImage()
            label = next(one for one in shown[0].findChildren(QLabel) if one.text().startswith("9.5"))
            place = label.geometry()
            greys = [
                picture.pixelColor(x, y).lightness()
                for x in range(place.left(), place.right()) for y in range(place.top(), place.bottom())
            ]
            print("done", min(greys), max(greys), flush=True)
        case ["where"]:
            place = notices._tray.geometry() if notices._tray is not None else None
            print("done" if place is None else f"done {place.x()} {place.y()}", flush=True)
        case _:
            app.quit()

reader = QSocketNotifier(0, QSocketNotifier.Type.Read)
reader.activated.connect(lambda *_: answer())
app.exec()
"""


class TrayHost:
    """A tray at the upper right of a display; ends and comes again."""

    def __init__(self, display: str) -> None:
        self._display = display
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        host = shutil.which("trayer")
        if host is None:
            pytest.skip("trayer, a tray for displays without a desktop, is not installed")
        where = ["--edge", "top", "--align", "right", "--widthtype", "pixel", "--width", "200", "--height", "32"]
        self._process = subprocess.Popen(
            [host, *where], env=environment(DISPLAY=self._display), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@linux
@pytest.mark.display
@pytest.mark.slow
def test_notices_dock_in_a_real_tray_are_clicked_there_and_outlive_it(x_display):
    host = TrayHost(x_display)
    program = subprocess.Popen(
        [sys.executable, "-c", NOTICES], env=environment(DISPLAY=x_display, QT_QPA_PLATFORM="xcb"), cwd=ROOT,
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    inlet, outlet = program.stdin, program.stdout
    assert inlet is not None
    assert outlet is not None

    def ask(line: str) -> list[str]:
        """What it says until it has done what was asked."""
        inlet.write(line + "\n")
        inlet.flush()
        heard: list[str] = []
        while not heard or not heard[-1].startswith("done"):
            heard.append(outlet.readline().strip())
            assert heard[-1], "it ended"
        return heard

    def place() -> list[int]:
        """Left and top of the icon; nothing where there is no icon."""
        return [int(one) for one in ask("where")[-1].split()[1:]]

    def docked() -> bool:
        return place() > [1920 - 200]

    try:
        told, _ = ask("notice 1")
        assert told.startswith("told Alert: rule 1 (9.5, 2 s old) | 9.5, 2 s old / This system shows no tray now")
        assert place() == []
        host.start()
        typist = Typist(x_display, program.pid)
        number = iter(range(2, 1000))
        until(lambda: "no tray" not in ask(f"notice {next(number)}")[0])
        until(docked)
        darkest, lightest = map(int, ask("shades")[-1].split()[1:])
        assert darkest < 60, "dark letters"
        assert lightest > 200, "on pale paper"
        x, y = place()
        typist.ask("mousemove", str(x + 10), str(y + 15), "click", "1")
        assert outlet.readline().strip() == "opened"
        host.end()
        until(lambda: "no tray" in ask(f"notice {next(number)}")[0])
        host.start()
        until(lambda: "no tray" not in ask(f"notice {next(number)}")[0])
        until(docked)
        inlet.write("quit\n")
        out, err = program.communicate(timeout=30)
    finally:
        host.end()
        if program.poll() is None:
            program.kill()
            program.communicate()
    assert program.returncode == 0, err
    assert err == ""
    assert out == ""
