"""What Linux libraries say of themselves, by `readelf` of binutils."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
_GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)")


def is_elf(path: Path) -> bool:
    """Whether `path` is a program or a library of Linux."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def needed(path: Path) -> frozenset[str]:
    """Names (sonames) of the libraries that `path` is linked to."""
    return frozenset(_NEEDED.findall(_readelf("--dynamic", path)))


def glibc(path: Path) -> tuple[int, int]:
    """The newest glibc that `path` asks for, as (2, 35); (0, 0) when it asks for none."""
    found = [(int(a), int(b)) for a, b in _GLIBC.findall(_readelf("--version-info", path))]
    return max(found, default=(0, 0))


def _readelf(what: str, path: Path) -> str:
    done = subprocess.run(["readelf", "--wide", what, str(path)], capture_output=True, text=True, check=False)
    return done.stdout
