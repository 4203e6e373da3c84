"""The licences of all that is shipped, with their texts: what the window's About page shows."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXTS = Path(__file__).parent / "texts"
_TOOLS = (
    "altgraph", "attrs", "check-jsonschema", "click", "jsonschema", "jsonschema-specifications", "macholib",
    "pefile", "pillow", "pip", "pip-licenses", "prettytable", "pyinstaller-hooks-contrib", "referencing",
    "regress", "rpds-py", "ruamel.yaml", "setuptools", "tomli", "wcwidth",
)  # fmt: skip
"""Build the bundle and are not in it."""


def collect(python: str, out: Path) -> None:
    """Write `out`: a list of name, version, licence, url, text; packages first, then what is no package."""
    told = subprocess.run(
        [python, "-m", "piplicenses", "--format=json", "--with-urls", "--with-license-file", "--with-notice-file",
         "--no-license-path", "--from=mixed", "--with-system", "--ignore-packages", *_TOOLS],
        capture_output=True, text=True, check=True, encoding="utf-8",
    ).stdout  # fmt: skip
    entries = [
        {
            "name": one["Name"],
            "version": one["Version"],
            "licence": one["License"],
            "url": "" if one["URL"] == "UNKNOWN" else one["URL"],
            "text": "\n\n".join(
                part
                for part in (one.get("LicenseText", ""), one.get("NoticeText", ""))
                if part and part != "UNKNOWN"
            ),
        }
        for one in json.loads(told)
    ]
    for one in entries:
        one["text"] = one["text"] or _standard(one["licence"])
    places = (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix))
    text = next(place / "LICENSE.txt" for place in places if (place / "LICENSE.txt").exists())
    entries.append(_entry("Python", sys.version.split()[0], "PSF-2.0", "https://www.python.org", text))
    inter = ROOT / "resources" / "font" / "OFL.txt"
    entries.append(_entry("Inter", "", "OFL-1.1", "https://rsms.me/inter", inter))
    _write(out, entries)


def _standard(licence: str) -> str:
    """The text that a package leaves out because everybody knows it (Qt's own are named, not enclosed)."""
    if "LGPL-3.0" in licence:
        names = ("LGPL-3.0.txt", "GPL-3.0.txt")  # the first adds to the second
        return "\n\n".join((TEXTS / name).read_text(encoding="utf-8") for name in names)
    return "Its package carries no text; the licence is the one named above."


def add_system_libraries(folder: Path, work: Path) -> None:
    """Add the system's libraries that PyInstaller put into `folder`, with their packages' copyright files."""
    from slim import sources_of

    path = next(folder.rglob("licences.json"))
    entries = json.loads(path.read_text(encoding="utf-8"))
    owners: dict[str, list[str]] = {}
    for name, source in sources_of(folder, work).items():
        owners.setdefault(_owner(source), []).append(name)
    for package, names in sorted(owners.items()):
        text = Path("/usr/share/doc", package, "copyright")
        if package and text.exists():
            told = f"Debian package {package}: {', '.join(sorted(names))}\n\n"
            entry = _entry(package, "", "see text", "", text)
            entries.append({**entry, "text": told + entry["text"]})
    _write(path, entries)


def _owner(path: Path) -> str:
    for one in (str(path), str(path).removeprefix("/usr")):
        done = subprocess.run(["dpkg", "-S", one], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    return ""


def _entry(name: str, version: str, licence: str, url: str, text: Path) -> dict[str, str]:
    words = text.read_text(encoding="utf-8", errors="replace")
    return {"name": name, "version": version, "licence": licence, "url": url, "text": words}


def _write(path: Path, entries: list[dict[str, str]]) -> None:
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
