"""What of PyInstaller's collection is left out: unused plugins, translations, orphaned system libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from elf import needed

Entry: TypeAlias = tuple[str, str, str]
"""Where a file lies in the bundle, where it comes from, its kind: as PyInstaller has it."""

_PLUGINS = re.compile(
    r"(^|/)plugins/(egldeviceintegrations|networkinformation|tls|generic|printsupport|sqldrivers|qmltooling"
    r"|platforminputcontexts/libqtvirtualkeyboard|platforms/\w*q(eglfs|linuxfb|vnc|vkkhrdisplay|minimalegl)"
    r"|platformthemes/libqgtk3|imageformats/\w*q(?!svg|ico))"
)
_DATA = re.compile(
    r"(^|/)(translations/|PySide6/(Qt/)?(qml|resources|metatypes|include|typesystems|glue|support)/)"
    r"|/tests?/|\.pyi$|\.pxd$|\.pyx$|\.h$|/py\.typed$"
    r"|\.dist-info/(licenses/|RECORD|AUTHORS|LICEN[SC]E|NOTICE|COPYING|sboms/)"  # gathered in licences.json
    r"|^statsmodels/datasets/|^pyqtgraph/examples/"
)
_OF_THE_SYSTEM = re.compile(r"^lib(stdc\+\+|gcc_s|expat)\.so")
"""Never shipped: OpenGL drivers of newer distributions need newer ones than these."""


def wanted(binaries: Iterable[Entry], datas: Iterable[Entry], system: str) -> tuple[list[Entry], list[Entry]]:
    """Return what stays of `binaries` and `datas`; `system` is linux, macos or windows."""
    libraries = [one for one in binaries if not _PLUGINS.search(_posix(one)) and not _DATA.search(_posix(one))]
    data = [one for one in datas if not _DATA.search(_posix(one)) and not _PLUGINS.search(_posix(one))]
    if system == "linux":
        libraries = [one for one in libraries if not _OF_THE_SYSTEM.match(Path(one[0]).name)]
        libraries = without_orphans(libraries)
        kept = {one[0] for one in libraries}
        gone = {one[0] for one in binaries} - kept
        data = [one for one in data if not (one[2] == "SYMLINK" and _target(one) in gone)]
    return libraries, data


def without_orphans(libraries: list[Entry]) -> list[Entry]:
    """Leave out plain libraries that no extension, no plugin, and none of what those need asks for."""
    asks = {one[0]: needed(Path(one[1])) for one in libraries}
    by_name: dict[str, list[Entry]] = {}
    for one in libraries:
        by_name.setdefault(Path(one[0]).name, []).append(one)
    stays = [one for one in libraries if not _is_plain(one)]
    seen = {one[0] for one in stays}
    waiting = list(stays)
    while waiting:
        for name in asks[waiting.pop()[0]]:
            for one in by_name.get(name, ()):
                if one[0] not in seen:
                    seen.add(one[0])
                    waiting.append(one)
    return [one for one in libraries if one[0] in seen]


def _is_plain(entry: Entry) -> bool:
    """A library that is loaded because another asks for it; not an extension module, not a plugin."""
    name = PurePosixPath(entry[0])
    return (
        entry[2] == "BINARY"
        and bool(re.match(r"lib.+\.so(\.\d|$)", name.name))
        and "plugins" not in name.parts
        and not name.name.startswith("libpython")
    )


def _target(entry: Entry) -> str:
    return str(PurePosixPath(entry[0]).parent / entry[1])


def _posix(entry: Entry) -> str:
    return entry[0].replace("\\", "/")


def sources_of(folder: Path, work: Path) -> dict[str, Path]:
    """Libraries of the bundle that came from the system, and where each lay, by PyInstaller's own record."""
    record = (work / "installer" / "COLLECT-00.toc").read_text(encoding="utf-8")
    entries = re.findall(r"\('([^']+)',\s*'(/(?:usr/)?lib/[^']+)',\s*'BINARY'\)", record)
    return {name: Path(source).resolve() for name, source in entries if next(folder.rglob(Path(name).name), None)}
