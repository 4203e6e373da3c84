"""The notes of a release: its part of CHANGELOG.md. Refuses a tag that is not the version in the program."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from desktop.version import VERSION  # noqa: E402


class NoNotesError(Exception):
    """A version that the changelog or the program does not know."""


def notes(version: str, changelog: str, own: str = VERSION) -> str:
    """Return the section of `version`, without its heading.

    Raises
    ------
    NoNotesError
        Where the program is of another version, or the changelog tells nothing of this one.
    """
    if version != own:
        raise NoNotesError(f"the tag says {version}, desktop/version.py says {own}")
    match = re.search(rf"^## \[{re.escape(version)}\].*?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if match is None or not match[1].strip():
        raise NoNotesError(f"CHANGELOG.md has no section [{version}], or an empty one")
    return match[1].strip() + "\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1], (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except NoNotesError as error:
        sys.exit(f"notes: {error}")
