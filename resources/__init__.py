"""Files shipped with the program: fonts, icons, tables. Read them through `resources.path`."""

from pathlib import Path

_HERE = Path(__file__).parent


def path(name: str) -> Path:
    """Absolute path of a shipped file; raises FileNotFoundError when the installation is incomplete."""
    found = _HERE / name
    if not found.exists():
        msg = f"shipped file {name!r} is missing from {_HERE}: the installation is incomplete, install it again"
        raise FileNotFoundError(msg)
    return found
