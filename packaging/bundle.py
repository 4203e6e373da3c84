"""Build the bundle and what colleagues install from it: `./test --bundle`.

In a clean environment (build/venv): icons, licences, PyInstaller, checks, then dist/ with the installers of this
system and SHA256SUMS. Ends with an error where a library could not be resolved, or a budget is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
import debian  # noqa: E402
import elf  # noqa: E402
import licences  # noqa: E402

from desktop.version import VERSION  # noqa: E402

NAME = "rotation-monitor"
BUILD, DIST = ROOT / "build", ROOT / "dist"
VENV, MADE, FOLDER = BUILD / "venv", BUILD / "made", BUILD / "dist" / NAME
LOCKS = (ROOT / "requirements.lock", ROOT / "packaging" / "requirements.lock")
DISK_MB, DEB_MB, GLIBC = 330.0, 95.0, (2, 35)
"""Budgets: bundle on disk, .deb, and the oldest glibc it must start with."""
WORDS_OF_A_HOLE = re.compile(r"could not resolve|library not found", re.IGNORECASE)
_README = """Rotation Monitor {version}

Start it with ./{name} (a window) or ./{name} --help (the command line). Nothing needs to be installed.
Delete this folder to remove it; your data lies in ~/.local/share/{name} and stays.
"""


class BuildError(Exception):
    """The bundle is not what it must be; the message says why."""


def main() -> int:
    """Run the whole build; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./test --bundle", description=__doc__)
    parser.add_argument(
        "--prove", action="store_true", help="then install it where there is no Python, and use it"
    )
    args = parser.parse_args()
    try:
        made = build()
        if args.prove:
            import prove

            prove.all_of_it(made)
    except (BuildError, debian.UnresolvedError, subprocess.CalledProcessError) as error:
        tell(f"FAILED: {error}")
        return 1
    return 0


def build() -> list[Path]:
    """Build everything that this system can; returns the files that colleagues get."""
    environment()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    MADE.mkdir(parents=True, exist_ok=True)
    tell("icons and licences")
    call(python(), ROOT / "packaging" / "icons.py", MADE)
    licences.collect(python(), MADE / "licences.json")
    freeze()
    made = {"linux": linux, "darwin": macos, "win32": windows}[sys.platform]()
    sums = "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in sorted(made))
    (DIST / "SHA256SUMS").write_text(sums, encoding="ascii")
    for one in made:
        tell(f"{one.relative_to(ROOT)}: {one.stat().st_size / 1e6:.0f} MB")
    return made


# The environment and the bundle


def environment() -> None:
    """Make build/venv: what is shipped and what builds it, nothing else. Kept while the locks stay the same."""
    stamp = VENV / "made-from"
    text = "\n".join([sys.version, (ROOT / "pyproject.toml").read_text(), *(one.read_text() for one in LOCKS)])
    if stamp.exists() and stamp.read_text() == text:
        return
    tell("a clean environment: build/venv")
    shutil.rmtree(VENV, ignore_errors=True)
    call(sys.executable, "-m", "venv", VENV)
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    bounds = [part for one in LOCKS for part in ("--constraint", str(one))]
    call(
        python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *bounds,
        *asked, "pyinstaller", "pip-licenses", "pillow", "check-jsonschema", "setuptools",
    )  # fmt: skip
    stamp.write_text(text)


def python() -> str:
    """The interpreter of the build's environment."""
    return str(VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))


def freeze() -> None:
    """Run PyInstaller; raises BuildError when its log tells of a library it did not find."""
    tell("PyInstaller")
    log = BUILD / "pyinstaller.log"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [python(), "-m", "PyInstaller", "--noconfirm", "--clean", "--distpath", FOLDER.parent,
             "--workpath", BUILD / "work", ROOT / "installer.spec"],
            cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if done.returncode:
        raise BuildError("\n".join(["PyInstaller failed:", *lines[-20:]]))
    holes = [one for one in lines if WORDS_OF_A_HOLE.search(one)]
    if holes:
        raise BuildError("\n".join([f"{len(holes)} libraries are missing on this machine:", *holes]))


# Linux


def linux() -> list[Path]:
    """Strip and measure the bundle, then make .deb and tarball."""
    licences.add_system_libraries(FOLDER, BUILD / "work")
    strip()
    disk = sum(one.lstat().st_size for one in FOLDER.rglob("*") if not one.is_dir()) / 1e6
    require(disk <= DISK_MB, f"bundle on disk: {disk:.0f} MB (at most {DISK_MB:.0f})")
    floor, asks = max((elf.glibc(one), one) for one in libraries())
    require(floor <= GLIBC, f"glibc floor: {floor[0]}.{floor[1]} (at most {GLIBC[0]}.{GLIBC[1]}; {asks.name})")
    shown = subprocess.run([FOLDER / NAME, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    require(shown == f"{NAME} {VERSION}", f"the bundle says it is {shown}")
    tell(f"start time: --version {seconds([FOLDER / NAME, '--version']):.2f} s, warm")
    tell(f"start time: first paint of the demo {seconds(first_paint([FOLDER / NAME])):.2f} s, warm, offscreen")
    tell(".deb and tarball")
    package = debian.package(FOLDER, MADE, DIST, VERSION, libraries())
    require(
        package.stat().st_size / 1e6 <= DEB_MB,
        f".deb: {package.stat().st_size / 1e6:.0f} MB (at most {DEB_MB:.0f})",
    )
    return [package, tarball()]


def libraries() -> list[Path]:
    """All programs and libraries of the bundle."""
    return [one for one in sorted(FOLDER.rglob("*")) if one.is_file() and not one.is_symlink() and elf.is_elf(one)]


def strip() -> None:
    """Take symbols out of libraries; those under *.libs were patched by their wheels and break when stripped."""
    for one in libraries():
        if one.name != NAME and not any(part.endswith(".libs") for part in one.parts):
            call("strip", "--strip-unneeded", one)


def first_paint(program: Sequence[str | Path]) -> list[str]:
    """The command that opens the demo, paints it once and ends."""
    return [*map(str, program), "--demo", "--offline", "--first-paint", "--data-dir", str(BUILD / "first-paint")]


def seconds(command: Sequence[str | Path], runs: int = 3) -> float:
    """Median time of `command`, after one run that warms up."""
    return statistics.median([_timed(command) for _ in range(runs + 1)][1:])


def _timed(command: Sequence[str | Path]) -> float:
    began = time.perf_counter()
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([str(one) for one in command], capture_output=True, check=True, env=environ, cwd=ROOT)
    return time.perf_counter() - began


def tarball() -> Path:
    """A folder that starts wherever it is unpacked; the same input gives the same bytes."""
    machine = os.uname().machine
    path = DIST / f"{NAME}-{VERSION}-linux-{machine}.tar.gz"
    top = f"{NAME}-{VERSION}"

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = 0
        return entry

    with tarfile.open(path, "w:gz", compresslevel=6) as file:
        for one in sorted(FOLDER.rglob("*")):
            file.add(one, f"{top}/{one.relative_to(FOLDER)}", recursive=False, filter=plain)
        readme = _README.format(version=VERSION, name=NAME).encode()
        entry = tarfile.TarInfo(f"{top}/README.txt")
        entry.size = len(readme)
        file.addfile(plain(entry), io.BytesIO(readme))
    return path


# The others: run by the release workflow, on machines of their own


def windows() -> list[Path]:
    """The installer of one user (NSIS) and the folder as a zip."""
    tell("installer and zip")
    size = sum(one.stat().st_size for one in FOLDER.rglob("*") if one.is_file())
    call(
        "makensis", "-V2", f"-DVERSION={VERSION}", f"-DFOLDER={FOLDER}", f"-DICON={MADE / 'icon.ico'}",
        f"-DSIZE_KB={size // 1024}", f"-DOUT={DIST / f'{NAME}-{VERSION}-setup.exe'}",
        ROOT / "packaging" / "windows.nsi",
    )  # fmt: skip
    archive = shutil.make_archive(str(DIST / f"{NAME}-{VERSION}-windows"), "zip", FOLDER.parent, NAME)
    return [DIST / f"{NAME}-{VERSION}-setup.exe", Path(archive)]


def macos() -> list[Path]:
    """A disk image with the app and a link to Applications; signing is the workflow's."""
    tell("disk image")
    stage = BUILD / "dmg"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    call("cp", "-R", FOLDER.parent / "Rotation Monitor.app", stage)
    (stage / "Applications").symlink_to("/Applications")
    path = DIST / f"{NAME}-{VERSION}-macos-{os.uname().machine}.dmg"
    call("hdiutil", "create", "-volname", "Rotation Monitor", "-srcfolder", stage, "-ov", "-format", "UDZO", path)
    return [path]


# Words


def require(holds: bool, fact: str) -> None:
    """Tell the fact; raises BuildError when it does not hold."""
    if not holds:
        raise BuildError(fact)
    tell(fact)


def tell(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"bundle: {line}\n")
    sys.stdout.flush()


def call(*command: str | Path) -> None:
    """Run a command; raises CalledProcessError when it fails."""
    subprocess.run([str(one) for one in command], check=True, cwd=ROOT)


if __name__ == "__main__":
    import bundle  # by its name, as prove.py knows it

    sys.exit(bundle.main())
