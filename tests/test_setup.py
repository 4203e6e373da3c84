"""`./run` and `./test` on machines that are new, half set up, read-only or cut off; and the lock."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
VERSION = "rotation-monitor 0.1.0\n"
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has run.cmd and test.cmd")
MANY = 3000
"""Files of the package whose installation is interrupted: enough to take a moment."""


def wheel(folder: Path, version: str, files: int) -> None:
    """A package like any other, made here: nothing is downloaded."""
    info = f"sample-{version}.dist-info"
    names = [f"sample/part{n}.py" for n in range(files)]
    with zipfile.ZipFile(folder / f"sample-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: sample\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        for name in names:
            file.writestr(name, "VALUE = 1\n")
        file.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names) + f"{info}/RECORD,,\n")


@dataclass
class Checkout:
    """A copy of the set-up with a small lock, and an environment that reaches no index."""

    folder: Path
    tools: Path
    wheels: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.tools}:/usr/bin:/bin", "HOME": str(self.tools), "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_NO_CACHE_DIR": "1",
        }  # fmt: skip

    def command(self, *arguments: str, program: Path | None = None, shell: str = "") -> list[str]:
        started = [str(program or self.folder / "run"), *(arguments or ("--version",))]
        return [shell, *started] if shell else started

    def run(self, *arguments: str, program: Path | None = None, shell: str = "", **more: str):
        return subprocess.run(
            self.command(*arguments, program=program, shell=shell), env=self.environment | more, cwd="/",
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def source(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", f'set -eu; root=$1; . "$root/setup.sh"; {script}', "sh", str(self.folder)],
            env=self.environment | more, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def lock(self, version: str) -> None:
        (self.folder / "requirements.lock").write_text(f"sample=={version}\n")

    def parts(self) -> list[Path]:
        return list((self.folder / ".venv").glob("lib/python*/site-packages/sample/part*.py"))

    def tool(self, name: str, script: str) -> None:
        put_tool(self.tools, name, script)


def put_tool(tools: Path, name: str, script: str) -> None:
    path = tools / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def bare(place: Path) -> Checkout:
    folder, tools, wheels = place / "a påth, with blanks", place / "tools", place / "wheels"
    for part in (folder / "desktop", tools, wheels):
        part.mkdir(parents=True)
    for name in ("run", "test", "setup.sh", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("__init__.py", "__main__.py", "streams.py", "version.py"):
        shutil.copy(ROOT / "desktop" / name, folder / "desktop" / name)
    (folder / "desktop" / "trade").mkdir()
    wheel(wheels, "1.0", 2)
    wheel(wheels, "2.0", MANY)
    put_tool(tools, "python3", f'exec "{getattr(sys, "_base_executable", sys.executable)}" "$@"')
    one = Checkout(folder, tools, wheels)
    one.lock("1.0")
    return one


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> tuple[Checkout, subprocess.CompletedProcess[str]]:
    """A new machine: called by a symbolic link, out of another folder, in a path with blanks and letters."""
    checkout = bare(tmp_path_factory.mktemp("first"))
    link = checkout.tools / "monitor"
    link.symlink_to(Path("..") / checkout.folder.name / "run")
    return checkout, checkout.run(program=link)


@pytest.fixture
def ready(first, tmp_path) -> Iterator[Checkout]:
    """A checkout that has been started before."""
    made, _ = first
    for name in ("folder", "tools", "wheels"):
        shutil.copytree(getattr(made, name), tmp_path / getattr(made, name).name, symlinks=True)
    one = Checkout(tmp_path / made.folder.name, tmp_path / "tools", tmp_path / "wheels")
    one.tool("python3", f'exec "{getattr(sys, "_base_executable", sys.executable)}" "$@"')
    yield one


# --- the first start and the next ones --------------------------------------------------------------------------


@unix
@pytest.mark.slow
def test_the_first_start_makes_everything_and_answers_on_stdout_alone(first):
    checkout, done = first
    assert (done.returncode, done.stdout) == (0, VERSION), done.stderr
    assert "making .venv with" in done.stderr
    assert "installing the packages of requirements.lock" in done.stderr
    assert len(checkout.parts()) == 2
    assert not (checkout.folder / ".venv" / "unfinished").exists()


@unix
@pytest.mark.slow
@pytest.mark.parametrize("shell", ["", "dash", "bash", "busybox"])
def test_the_next_start_does_nothing_in_any_shell(ready, shell):
    if shell and shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words = [shell, "sh"] if shell == "busybox" else [shell]
    started = [*[one for one in words if one], str(ready.folder / "run"), "--version"]
    done = subprocess.run(
        started, env=ready.environment, cwd=ready.tools, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION, "")


@unix
@pytest.mark.slow
def test_the_next_start_costs_less_than_a_fifth_of_a_second(ready):
    def seconds(command: list[str], **more: str) -> float:
        since_s = time.perf_counter()
        subprocess.run(command, env=ready.environment | more, check=True, capture_output=True, timeout=60)
        return time.perf_counter() - since_s

    direct = [str(ready.folder / ".venv" / "bin" / "python"), "-P", "-m", "desktop", "--version"]
    pairs = [(seconds(ready.command()), seconds(direct, PYTHONPATH=str(ready.folder))) for _ in range(7)]
    with_set_up, without = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert with_set_up - without < 0.2


@unix
@pytest.mark.slow
def test_a_changed_lock_is_installed_and_a_changed_project_looked_at_again(ready):
    ready.lock("2.0")
    assert ready.run().stdout == VERSION
    assert len(ready.parts()) == MANY
    with (ready.folder / "pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    again = ready.run()
    assert "installing" in again.stderr
    assert "making .venv" not in again.stderr
    assert ready.run().stderr == ""


@unix
@pytest.mark.slow
def test_a_killed_installation_is_made_anew(ready):
    ready.lock("2.0")
    victim = ready.start()
    unfinished = ready.folder / ".venv" / "unfinished"
    waiting = threading.Event()
    until_s = time.monotonic() + 60
    while not (unfinished.exists() and 2 < len(ready.parts()) < MANY) and time.monotonic() < until_s:
        waiting.wait(0.005)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate(timeout=10)
    assert unfinished.exists()
    assert len(ready.parts()) < MANY
    repaired = ready.run()
    assert (repaired.returncode, repaired.stdout) == (0, VERSION), repaired.stderr
    assert "making .venv" in repaired.stderr
    assert len(ready.parts()) == MANY


@unix
@pytest.mark.slow
def test_of_two_starts_at_once_one_installs_and_the_other_waits(ready):
    ready.lock("2.0")
    both = [ready.start(), ready.start()]
    told = [one.communicate(timeout=90) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert [out for out, _ in told] == [VERSION, VERSION]
    words = "".join(err for _, err in told)
    assert words.count("installing") == 1
    assert len(ready.parts()) == MANY


@unix
@pytest.mark.slow
def test_without_a_network_the_cause_is_told_and_what_was_there_still_works(ready):
    ready.lock("9.9")
    done = ready.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "The packages could not be installed" in done.stderr
    assert "HTTPS_PROXY" in done.stderr
    ready.lock("1.0")
    assert ready.run().stdout == VERSION  # nothing had to be made anew


@unix
@pytest.mark.slow
def test_a_python_that_went_away_is_noticed(ready):
    python = ready.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    done = ready.run()
    assert done.stdout == VERSION, done.stderr
    assert "making .venv" in done.stderr


# --- what may be missing ----------------------------------------------------------------------------------------


@unix
def test_a_python_of_the_wrong_version_is_passed_over(tmp_path):
    checkout = bare(tmp_path)
    right = (checkout.tools / "python3").read_text().partition("\n")[2]
    checkout.tool("python3", 'case "$*" in *print*) echo 3.9 ;; *) exit 1 ;; esac')
    checkout.tool("python3.12", right)
    assert checkout.source("find_python").stdout.strip() == str(checkout.tools / "python3.12")


@unix
def test_no_python_is_told_with_what_was_found(tmp_path):
    checkout = bare(tmp_path)
    for name in ("python3", "python3.13", "python3.12", "python3.11"):
        checkout.tool(name, 'case "$*" in *print*) echo 3.14 ;; *) exit 1 ;; esac')
    done = checkout.run()
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed; 3.14 was found on PATH." in done.stderr
    assert "package manager" in done.stderr or "brew" in done.stderr


@unix
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    checkout = bare(tmp_path)
    someone = 65534 if os.geteuid() == 0 else None  # root may write anywhere
    above = Path(tempfile.gettempdir()).resolve()
    for one in (tmp_path, *tmp_path.parents):
        if above in one.resolve().parents:
            one.chmod(one.stat().st_mode | 0o055)
    checkout.folder.chmod(0o555)
    script = 'find_python() { echo true; }; one_at_a_time() { "$@"; }; set_up'
    done = subprocess.run(
        ["sh", "-c", f'set -eu; root=$1; . "$root/setup.sh"; {script}', "sh", str(checkout.folder)],
        env=checkout.environment, cwd="/", capture_output=True, text=True, timeout=60, check=False, user=someone,
    )  # fmt: skip
    checkout.folder.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert f"{checkout.folder} cannot be written: copy the folder" in done.stderr


def linux_tools(checkout: Checkout, *, user: int, sudo: bool, repairs: bool) -> None:
    """A Debian on which Qt lacks a library: `ldd` says so until `apt-get install` was called, if that helps."""
    log = checkout.tools / "log"
    checkout.tool("id", f"echo {user}")
    checkout.tool("uname", "echo Linux")
    checkout.tool(
        "sudo", f'echo "sudo $*" >>"{log}"; [ "$1 $2" = "-n true" ] && exit {0 if sudo else 1}; shift; "$@"'
    )
    checkout.tool("apt-get", f'echo "apt-get $*" >>"{log}"; case $1 in install) touch "{log}.done" ;; esac')
    gone = f'[ -e "{log}.done" ] && exit 0;' if repairs else ""
    checkout.tool("ldd", f"{gone} echo '\tlibGL.so.1 => not found'; echo '\tlibc.so.6 => /lib/libc.so.6 (0x1)'")
    python = checkout.folder / ".venv" / "bin"
    python.mkdir(parents=True)
    (checkout.folder / ".venv" / "set-up").mkdir()
    put_tool(python, "python", "echo /somewhere/PySide6")


def calls(checkout: Checkout) -> list[str]:
    log = checkout.tools / "log"
    return log.read_text().splitlines() if log.exists() else []


@unix
@pytest.mark.parametrize("user", [0, 1000])
def test_missing_libraries_of_qt_are_installed_by_whoever_may(tmp_path, user):
    checkout = bare(tmp_path)
    linux_tools(checkout, user=user, sudo=True, repairs=True)
    done = checkout.source("qt_libraries")
    assert done.returncode == 0, done.stderr
    install = [line for line in calls(checkout) if line.startswith("apt-get install")]
    assert len(install) == 1
    assert "libxcb-cursor0" in install[0]
    assert (checkout.folder / ".venv" / "set-up" / "qt").exists()
    assert done.stdout == ""


@unix
def test_who_may_not_install_gets_the_command_to_type_and_a_program_that_starts(tmp_path):
    checkout = bare(tmp_path)
    linux_tools(checkout, user=1000, sudo=False, repairs=True)
    done = checkout.source("qt_libraries")
    assert done.returncode == 0
    assert not any(line.startswith("apt-get") for line in calls(checkout))
    assert "    sudo apt-get install -y --no-install-recommends libgl1" in done.stderr
    assert not (checkout.folder / ".venv" / "set-up" / "qt").exists()  # the next start looks again


@unix
def test_a_library_that_no_package_brings_is_named(tmp_path):
    checkout = bare(tmp_path)
    linux_tools(checkout, user=0, sudo=True, repairs=False)
    done = checkout.source("qt_libraries")
    assert done.returncode == 0
    assert "Qt still lacks: libGL.so.1." in done.stderr


@unix
def test_the_tools_of_the_tests_are_installed_where_they_are_missing(tmp_path):
    checkout = bare(tmp_path)
    linux_tools(checkout, user=0, sudo=True, repairs=True)
    for name in ("Xvfb", "xdotool", "dbus-run-session"):
        checkout.tool(name, "exit 0")
    lookup = "command() { case $2 in gnome-keyring-daemon) return 1 ;; *) return 0 ;; esac; }; test_tools"
    assert checkout.source(lookup).returncode == 0
    install = [line for line in calls(checkout) if line.startswith("apt-get install")]
    assert [line for line in install if {"gnome-keyring", "xvfb", "strace"} <= set(line.split())]
    assert checkout.source("command() { return 0; }; test_tools").stderr == ""


@unix
def test_a_tool_that_the_system_does_not_offer_keeps_no_other_away_and_is_told(tmp_path):
    checkout = bare(tmp_path)
    linux_tools(checkout, user=0, sudo=True, repairs=True)
    lookup = "command() { case $2 in xdotool|trayer) return 1 ;; *) return 0 ;; esac; }"
    no_trayer = 'as_root() { case "$*" in *" trayer") return 1 ;; *) return 0 ;; esac; }'
    done = checkout.source(f"{lookup}; {no_trayer}; test_tools")
    assert done.returncode == 1
    assert "trayer, a tray for the tests of notices, could not be installed" in done.stderr
    assert "xdotool could not be installed" not in done.stderr


# --- the lock ---------------------------------------------------------------------------------------------------


def locked() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def test_the_lock_holds_exact_versions_and_no_address():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "--" not in text
    for one in locked():
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(one.specifier)), one
        assert one.url is None


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("platform", "os_name"), [("linux", "posix"), ("darwin", "posix"), ("win32", "nt")])
def test_the_lock_has_one_version_of_all_that_the_project_asks_for(python, platform, os_name):
    environment = {
        "python_version": python, "python_full_version": f"{python}.9", "sys_platform": platform,
        "os_name": os_name, "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }  # fmt: skip
    held: dict[str, Requirement] = {}
    for one in locked():
        if one.marker is None or one.marker.evaluate(environment):
            assert canonicalize_name(one.name) not in held, f"{one} twice on {platform}, Python {python}"
            held[canonicalize_name(one.name)] = one
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for text in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"]):
        asked = Requirement(text)
        version = str(held[canonicalize_name(asked.name)].specifier).removeprefix("==")
        assert asked.specifier.contains(version), f"{asked} on {platform}, Python {python}"
    assert ("pywin32-ctypes" in held) == (platform == "win32")
    assert ("secretstorage" in held) == (platform == "linux")


def test_what_the_locked_packages_need_is_locked():
    from importlib.metadata import PackageNotFoundError, distribution

    here = {canonicalize_name(one.name): one for one in locked() if one.marker is None or one.marker.evaluate()}
    for name in here:
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed here")
        for text in needs:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                version = str(here[canonicalize_name(need.name)].specifier).removeprefix("==")
                assert need.specifier.contains(version, prereleases=True), f"{name} needs {need}"


# --- what cannot run here ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run.cmd", "test.cmd", "setup.cmd"])
def test_batch_files_jump_to_labels_they_have(name):
    text = (ROOT / name).read_text()
    labels = set(re.findall(r"^:(\w+)", text, re.MULTILINE))
    jumps = set(re.findall(r"\bgoto (\w+)", text)) | set(re.findall(r"\bcall :(\w+)", text))
    assert jumps <= labels
    assert labels <= jumps
    for line in text.splitlines():
        assert line.count('"') % 2 == 0, line


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
@pytest.mark.parametrize("name", ["run", "test", "setup.sh", ".ci/run"])
def test_shell_files_parse(name):
    subprocess.run(["sh", "-n", str(ROOT / name)], check=True, timeout=20)
    assert os.access(ROOT / name, os.X_OK) or name == "setup.sh"
