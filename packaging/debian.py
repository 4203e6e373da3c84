"""The .deb: /opt/rotation-monitor, a link in /usr/bin, a menu entry, icons; what it depends on is measured."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import elf

HERE, NAME = Path(__file__).parent, "rotation-monitor"
_ALWAYS = ("libc6 (>= 2.35)",)
_ASKED_BY_NAME = ("libegl1", "libgl1")
"""Loaded while the program runs, so no file names them."""


class UnresolvedError(Exception):
    """A library that the bundle needs and does not hold belongs to no package of this machine."""


def package(folder: Path, made: Path, out: Path, version: str, libraries: Iterable[Path]) -> Path:
    """Pack the bundle in `folder` and the icons in `made`; returns the path of the .deb."""
    tree = folder.parents[1] / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    opt = tree / "opt" / NAME
    shutil.copytree(folder, opt, symlinks=True)
    link = tree / "usr" / "bin" / NAME
    link.parent.mkdir(parents=True)
    link.symlink_to(f"/opt/{NAME}/{NAME}")
    share = tree / "usr" / "share"
    _copy(HERE / "rotation-monitor.desktop", share / "applications" / f"{NAME}.desktop")
    icons = share / "icons" / "hicolor"
    for picture in sorted(made.glob("icon-*.png")):
        side = picture.stem.split("-")[1]
        _copy(picture, icons / f"{side}x{side}" / "apps" / f"{NAME}.png")
    _copy(HERE.parent / "resources" / "icon.svg", icons / "scalable" / "apps" / f"{NAME}.svg")
    doc = share / "doc" / NAME
    _copy(HERE.parent / "LICENSE", doc / "copyright")
    changes = (HERE.parent / "CHANGELOG.md").read_bytes()
    (doc / "changelog.gz").write_bytes(gzip.compress(changes, mtime=0))
    size = sum(one.lstat().st_size for one in tree.rglob("*") if not one.is_dir()) // 1024
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        f"Package: {NAME}\nVersion: {version}\nArchitecture: {_architecture()}\n"
        f"Maintainer: Rotation Monitor <{NAME}@localhost>\nInstalled-Size: {size}\n"
        f"Depends: {', '.join(depends(folder, libraries))}\n"
        "Section: misc\nPriority: optional\n"
        "Description: desktop monitor for long Russell 2000, short Nasdaq-100\n"
        " Shows whether the rotation from large into small caps works, whether it is\n"
        " orderly, and how large the trade should be. Needs no Python.\n",
        encoding="utf-8",
    )
    path = out / f"{NAME}_{version}_{_architecture()}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(path)],
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    shutil.rmtree(tree)
    return path


def depends(folder: Path, libraries: Iterable[Path]) -> list[str]:
    """Packages that hold what the bundle is linked to and does not ship.

    Raises
    ------
    UnresolvedError
        Where a library is neither in the bundle nor in a package of this machine.
    """
    shipped = {one.name for one in folder.rglob("*.so*")}
    missing = sorted({name for one in libraries for name in elf.needed(one)} - shipped)
    packages = {_owner(name) for name in missing if not name.startswith("ld-linux")}
    return [*_ALWAYS, *sorted((packages | set(_ASKED_BY_NAME)) - {"libc6"})]


def _owner(soname: str) -> str:
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    match = re.search(
        rf"^\s*{re.escape(soname)} \(.*x86-64.*\) => (\S+)|^\s*{re.escape(soname)} .* => (\S+)", known, re.M
    )
    if match is None:
        raise UnresolvedError(f"{soname}: needed by the bundle, and not on this machine")
    path = match[1] or match[2]
    for one in (path, path.removeprefix("/usr"), f"/usr{path}"):
        done = subprocess.run(["dpkg", "-S", one], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise UnresolvedError(f"{soname}: {path} belongs to no package")


def _architecture() -> str:
    return subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
