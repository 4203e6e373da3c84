"""Proof that the installers work: `./test --bundle --prove`.

The .deb is installed by apt into a bare Debian without Python, used there as an ordinary user, and removed again;
the Windows script is compiled; the workflow is checked against its published schema. What this machine cannot do
is skipped, and said.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bundle
from bundle import BUILD, MADE, NAME, ROOT, BuildError, require, tell

from desktop.version import VERSION

USER = "colleague"
SLOWEST = 1.2
"""First paint of the bundle, at most this many times that of the source."""
WORDS = ("simulated", "orderly", "record", "volatility", "dollar", "gross", "sizer", "thesis", "personal use")
"""On the picture of a window that is filled, and of its first-run page; most of them must be read there."""
_FEWEST_COLOURS, _FEWEST_WORDS = 400, 6
_SCREEN = (1600, 1000)
_PATIENCE_S = 60.0
_LEFT_BY_OTHERS = (
    "/var/cache/", "/var/log/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/lib/systemd/", "/etc/ld.so.cache",
    "/tmp/", "/proc/", "/sys/", "/dev/", "/run/", "/etc/machine-id", "/etc/mtab", "/var/lib/dbus/", "/root/",
)  # fmt: skip


def all_of_it(made: Sequence[Path]) -> None:
    """Run every proof that this machine can; raises BuildError at the first that does not hold."""
    workflow()
    windows_script()
    first_paint()
    package = next((one for one in made if one.suffix == ".deb"), None)
    if package is not None:
        installed(package)


# What needs no other system


def workflow() -> None:
    """The release workflow keeps to the schema that is published for such files."""
    checker = BUILD / "venv" / "bin" / "check-jsonschema"
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    bundle.call(checker, "--builtin-schema", "vendor.github-workflows", *files)
    tell(f"workflows that keep to the published schema: {len(files)}")


def windows_script() -> None:
    """Compile the installer of Windows around an empty folder of the same shape; install it, and remove it."""
    if shutil.which("makensis") is None:
        skip("the Windows script is not compiled: no makensis")
        return
    with tempfile.TemporaryDirectory() as place:
        shape = Path(place, "shape")
        inner = bundle.FOLDER / "_internal"
        files = [one.relative_to(bundle.FOLDER) for one in inner.rglob("*") if one.is_file()]
        for one in files:
            twin = shape / one
            twin.parent.mkdir(parents=True, exist_ok=True)
            twin.write_text(one.name)
        for program in (f"{NAME}.exe", f"{NAME}-cli.exe"):
            (shape / program).write_bytes(b"MZ")
        out = Path(place, f"{NAME}-{VERSION}-setup.exe")
        _compile(shape, out)
        require(out.read_bytes()[:2] == b"MZ", f"Windows script compiled around {len(files)} files")
        if shutil.which("wine") is None or shutil.which("Xvfb") is None:
            skip("the Windows installer is not tried: no wine")
            return
        _compile(shape, out, "-DTARGET=amd64-unicode")  # wine has no 32 bits here
        _in_wine(Path(place), out, len(files))


def _compile(shape: Path, out: Path, *more: str) -> None:
    bundle.call(
        "makensis", "-V2", "-WX", *more, f"-DVERSION={VERSION}", f"-DFOLDER={shape}", "-DSIZE_KB=1",
        f"-DICON={MADE / 'icon.ico'}", f"-DOUT={out}", ROOT / "packaging" / "windows.nsi",
    )  # fmt: skip


def _in_wine(place: Path, installer: Path, count: int) -> None:
    """Install and remove in silence, as a user without rights; the user's own files stay."""
    home = place / "home"
    home.mkdir()
    prefix = place / "prefix"
    with _screen(str(place)) as display:
        env = {**os.environ, "HOME": str(home), "WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "DISPLAY": display}

        def run(*command: str | Path) -> None:
            told = subprocess.run(
                [str(one) for one in command], env=env, capture_output=True, text=True, check=False, timeout=300
            )
            if told.returncode:
                raise BuildError(f"{command}: exit code {told.returncode}\n{told.stderr[-2000:]}")
            # The uninstaller goes on in a copy of itself: until the last of them has ended.
            subprocess.run([_wineserver(), "-w"], env=env, check=False, timeout=300)

        run("wine", installer, "/S")
        local = next(prefix.glob("drive_c/users/*/AppData/Local/Programs")).parent
        program = local / "Programs" / "Rotation Monitor"
        found = sum(one.is_file() for one in program.rglob("*"))
        require(
            found == count + 3, f"installed in wine without rights: {found} files"
        )  # two programs, uninstaller
        (link,) = prefix.rglob("Rotation Monitor.lnk")
        require("Start Menu" in str(link), "there is a Start menu entry")
        own = (program / "notes.txt", local / NAME / "rotation.sqlite")
        for one in own:
            one.parent.mkdir(exist_ok=True)
            one.write_text("the user's")
        run("wine", program / "uninstall.exe", "/S")
        left = {one for one in [*program.rglob("*"), *prefix.rglob("*.lnk")] if one.is_file()} - {own[0]}
        require(not left, f"removed; files left of the program: {', '.join(one.name for one in left) or 'none'}")
        registry = (prefix / "user.reg").read_text(encoding="utf-8", errors="replace")
        told = [one for one in registry.splitlines() if NAME in one]
        require(not told, f"entries left in the registry: {told or 'none'}")
        require(own[1].exists(), "the store stays where nobody said that it may be deleted")


def _wineserver() -> str:
    found = shutil.which("wineserver") or next((str(one) for one in Path("/usr/lib/wine").glob("wineserver*")), "")
    if not found:
        raise BuildError("wine is here without wineserver")
    return found


def first_paint() -> None:
    """The bundle is as quick as the source, one after the other, on the same data."""
    frozen, source = [bundle.FOLDER / NAME], [sys.executable, "-m", "desktop"]
    for command in (frozen, source):
        bundle._timed(bundle.first_paint(command))
    times: dict[str, list[float]] = {"bundle": [], "source": []}
    for _ in range(5):
        times["bundle"].append(bundle._timed(bundle.first_paint(frozen)))
        times["source"].append(bundle._timed(bundle.first_paint(source)))
    ratio = min(times["bundle"]) / min(times["source"])
    fact = (
        f"first paint, best of 5: {min(times['bundle']):.2f} s, source {min(times['source']):.2f} s, {ratio:.2f} x"
    )
    require(ratio <= SLOWEST, f"{fact} (at most {SLOWEST} x)")


# A Debian without Python


def installed(package: Path) -> None:
    """Install, use and remove the package where nothing was prepared for it."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        skip("the .deb is not installed anywhere: that needs root and debootstrap")
        return
    with ExitStack() as stack:
        place = Path(tempfile.mkdtemp(prefix="bookworm-"))
        # Never across a mount: what is mounted in there belongs to this machine.
        stack.callback(subprocess.run, ["rm", "-rf", "--one-file-system", str(place)], check=False)
        place.chmod(0o755)
        tell("a bare Debian: debootstrap --variant=minbase bookworm")
        log = BUILD / "debootstrap.log"
        with log.open("w") as file:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", "bookworm", str(place)], stdout=file, stderr=file, check=False
            )
        if done.returncode or subprocess.run(["chroot", str(place), "true"], check=False).returncode:
            skip(f"the .deb is not installed anywhere: no bare Debian could be made, see {log}")
            return
        guest = Guest(place)
        stack.enter_context(guest.mounted())
        guest.prepare()
        before = guest.files()
        guest.install(package)
        use(guest)
        with_keyring(guest)
        removed(guest, before)


class Guest:
    """A Debian in a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "home" / USER

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """With /proc, where this machine lets that be mounted."""
        done = subprocess.run(["mount", "-t", "proc", "proc", str(self.place / "proc")], check=False)
        try:
            yield
        finally:
            if done.returncode == 0:
                subprocess.run(["umount", "--lazy", str(self.place / "proc")], check=False)

    def run(self, *command: str, user: bool = False, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root or as the ordinary user."""
        who = ["--userspec", f"{USER}:{USER}"] if user else []
        home = f"/home/{USER}" if user else "/root"
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        env = {"PATH": path, "HOME": home, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", **environ}
        return subprocess.run(
            ["chroot", *who, str(self.place), *command], env=env, capture_output=True, text=True, check=False,
            timeout=600,
        )  # fmt: skip

    def must(self, *command: str, user: bool = False, **environ: str) -> str:
        """Run a command that must succeed; returns what it printed."""
        done = self.run(*command, user=user, **environ)
        if done.returncode:
            raise BuildError(
                f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def prepare(self) -> None:
        """The sources and the proxy of this machine, a user, and a policy that starts no service."""
        for one in ("/etc/apt/apt.conf.d", "/etc/resolv.conf", "/etc/hosts"):
            here = Path(one)
            if here.is_dir():
                shutil.copytree(
                    here, self.place / one[1:], dirs_exist_ok=True, ignore=shutil.ignore_patterns("*docker*")
                )
            elif here.exists():
                shutil.copyfile(here, self.place / one[1:])
        shared = self.place / "dev" / "shm"  # where a running system has its shared memory, open to all
        shared.mkdir(exist_ok=True)
        shared.chmod(0o1777)
        policy = self.place / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        self.must("useradd", "--create-home", USER)
        self.must("apt-get", "update", "-qq")
        found = self.run("sh", "-c", "command -v python3 python")
        require(found.returncode != 0, "there is no Python in it")

    def files(self) -> set[str]:
        """Every file and link in it, caches and logs left out."""
        told = self.must("find", "/", "-xdev", "(", "-type", "f", "-o", "-type", "l", ")")
        return {one for one in told.splitlines() if not one.startswith(_LEFT_BY_OTHERS)}

    def install(self, package: Path) -> None:
        """Install `package` and what it depends on, as apt does."""
        shutil.copyfile(package, self.place / package.name)
        self.must("apt-get", "install", "-y", "--no-install-recommends", f"/{package.name}")
        (self.place / package.name).unlink()
        found = self.run("sh", "-c", "command -v python3 python")
        require(found.returncode != 0, "installed by apt, and there is still no Python")


def use(guest: Guest) -> None:
    """Version, self-test, trouble, and a picture, as an ordinary user."""
    said = guest.must(NAME, "--version", user=True).strip()
    require(said == f"{NAME} {VERSION}", f"it says: {said}")
    guest.must(NAME, "--self-test", "--json", f"/home/{USER}/self-test.json", user=True)
    told = json.loads((guest.home / "self-test.json").read_text())
    require(told["passed"] and told["frozen"], f"self-test: {len(told['checks'])} checks passed")
    blind = guest.run(NAME, "--demo", user=True)
    require(blind.returncode == 1 and "no display" in blind.stderr, "without a display it says so, exit code 1")
    painted = guest.must(
        "sh", "-c", f"mkdir /tmp/ro && chmod 555 /tmp/ro && HOME=/tmp/ro {NAME} --first-paint --demo",
        user=True, QT_QPA_PLATFORM="offscreen",
    )  # fmt: skip
    require(painted.strip() == "painted", "with a home that cannot be written the window opens all the same")
    pictured(guest)


def pictured(guest: Guest) -> None:
    """Open the window under a real X server and look at the screen."""
    if shutil.which("Xvfb") is None:
        skip("no picture is taken: no Xvfb")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        display = stack.enter_context(_screen(folder))
        # Inside, the server is reached by a second name of its socket: nothing of this machine is mounted there.
        inside = guest.place / "tmp" / ".X11-unix" / f"X{display[1:]}"
        inside.parent.mkdir(mode=0o1777, exist_ok=True)
        inside.hardlink_to(f"/tmp/.X11-unix/X{display[1:]}")
        stack.callback(inside.unlink)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"/home/{USER}", "DISPLAY": display}
        window = subprocess.Popen(
            ["chroot", "--userspec", f"{USER}:{USER}", str(guest.place), NAME, "--demo", "--offline"],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(_end, window)
        out = BUILD / "window.png"
        found, colours = _look(Path(folder, "Xvfb_screen0"), out, window)
        require(colours >= _FEWEST_COLOURS, f"window under Xvfb: {colours} colours ({out.relative_to(ROOT)})")
        if found is None:
            skip("the words on the picture are not read: no tesseract")
        else:
            require(len(found) >= _FEWEST_WORDS, f"words read on the picture: {', '.join(found)}")
        _second_start(guest, env)


@contextmanager
def _screen(folder: str) -> Iterator[str]:
    """An X server that keeps its picture in `folder`; its display's name."""
    wide, high = _SCREEN
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{wide}x{high}x24", "-fbdir", folder, "-ac"],
        pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as told:  # to the end of the line: a server whose reader goes away ends
            yield f":{told.readline().strip()}"
    finally:
        _end(server)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=20)


def _second_start(guest: Guest, env: dict[str, str]) -> None:
    again = guest.run(NAME, user=True, **env)
    require(again.returncode == 0 and "already open" in again.stdout, "a second start raises the first window")


def _look(screen: Path, out: Path, window: subprocess.Popen[str]) -> tuple[list[str] | None, int]:
    """Wait until the window is drawn; returns the words read on it, if anything here can read, and its colours."""
    deadline = time.monotonic() + _PATIENCE_S
    found: list[str] | None = []
    colours = 0
    while time.monotonic() < deadline and window.poll() is None:
        colours = _shot(screen, out) if screen.exists() else 0
        if colours >= _FEWEST_COLOURS:
            found = _words(out)
            if found is None or len(found) >= _FEWEST_WORDS:
                return found, colours
        time.sleep(0.5)
    if window.poll() is not None:
        _, told = window.communicate()
        raise BuildError(f"the window closed with exit code {window.returncode}: {told}")
    return found, colours


def _shot(screen: Path, out: Path) -> int:
    """Save the X server's memory (an XWD file) as PNG; returns how many colours it has."""
    from PySide6.QtGui import QImage

    data = screen.read_bytes()
    header = struct.unpack(">25I", data[:100])
    size, wide, high, line, colours = header[0], header[4], header[5], header[12], header[19]
    start = size + 12 * colours
    image = QImage(data[start : start + line * high], wide, high, line, QImage.Format.Format_RGB32).copy()
    image.save(str(out))
    return len({image.pixel(x, y) for x in range(0, wide, 3) for y in range(0, high, 3)})


def _words(picture: Path) -> list[str] | None:
    if shutil.which("tesseract") is None:
        return None
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage

    large = QImage(str(picture))
    large = large.scaled(large.size() * 2, mode=Qt.TransformationMode.SmoothTransformation)
    large.invertPixels()  # dark letters on light ground are read best
    copy = picture.with_name("window-to-read.png")
    large.save(str(copy))
    told = subprocess.run(
        ["tesseract", str(copy), "-", "--psm", "11"], capture_output=True, text=True, check=True
    ).stdout.lower()
    return [one for one in WORDS if one in told]


def with_keyring(guest: Guest) -> None:
    """Keep, read and delete a key in a real keyring of the system."""
    if guest.run("apt-get", "install", "-y", "--no-install-recommends", "dbus", "gnome-keyring").returncode:
        skip("no keyring round trip: dbus and gnome-keyring cannot be installed there")
        return
    script = (
        "export XDG_RUNTIME_DIR=$(mktemp -d); chmod 700 $XDG_RUNTIME_DIR; printf 'pw\\n' |"
        " gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;"
        f" {NAME} --self-test --keyring --json $HOME/keyring.json"
    )
    guest.must("dbus-run-session", "--", "sh", "-c", script, user=True)
    told = {one["check"]: one for one in json.loads((guest.home / "keyring.json").read_text())["checks"]}
    require(told["keyring round trip"]["ok"], f"keyring: {told['keyring round trip']['found']}")
    guest.must("apt-get", "purge", "-y", "--autoremove", "dbus", "gnome-keyring")


def removed(guest: Guest, before: set[str]) -> None:
    """Purge the package: only what the user made stays."""
    guest.must("apt-get", "purge", "-y", "--autoremove", NAME)
    left = guest.files() - before
    data = {one for one in left if one.startswith(f"/home/{USER}/")}
    require(not left - data, f"removed; files left outside the user's home: {sorted(left - data)[:10] or 'none'}")
    kept = sorted(one.removeprefix(f"/home/{USER}/") for one in data)
    require(any(NAME in one for one in data), f"the user's data stays: {len(kept)} files")


def skip(why: str) -> None:
    """A proof that this machine cannot give."""
    tell(f"SKIPPED: {why}")


if __name__ == "__main__":  # what ./test --bundle built before
    all_of_it([one for one in bundle.DIST.iterdir() if one.name != "SHA256SUMS"])
