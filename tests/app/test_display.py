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
