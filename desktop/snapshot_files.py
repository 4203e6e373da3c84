"""A snapshot as one file for a colleague: a zip, or one self-contained HTML page; and how such a file is read.

What comes from outside is not trusted: its size is bounded before it is read, a zip holds three known entries and
nothing else, and no name in it is ever used as a path.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

from typing_extensions import override

from desktop.market.known import UserError
from desktop.presenters.words import clock_et, day
from desktop.report.section import utc
from desktop.snapshot import DEMO_LABEL, Mode

FORMAT = "rotation-monitor-snapshot"
VERSION = 1
MOST_FILE_BYTES = 32_000_000
MOST_NOTE = 2000
"""Characters of a note."""
_MANIFEST, _PICTURE, _FIGURES = "manifest.json", "picture.png", "figures.json"
_MOST = {_MANIFEST: 20_000, _PICTURE: 16_000_000, _FIGURES: 4_000_000}
"""Entries of a zip, and the most bytes of each."""
_MOST_PIXELS = 10_000
_PNG = b"\x89PNG\r\n\x1a\n"
_MODES = {Mode.LIVE: "LIVE", Mode.AS_OF: "AS OF", Mode.DEMO: DEMO_LABEL}


class SnapshotRefusedError(UserError):
    """A file that is no snapshot, or a damaged one; carries its name and the cause."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: not imported: {cause}")
        self.name, self.cause = name, cause


class _WrongError(Exception):
    """What is wrong with a file; becomes a SnapshotRefusedError with its name."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One snapshot, complete: `picture` is a PNG, `figures` the report's JSON of the same moment (UTC)."""

    moment: datetime
    mode: Mode
    saved_at: datetime
    note: str
    picture: bytes
    figures: str

    @property
    def digest(self) -> str:
        """SHA-256 of the picture: the same snapshot has the same one."""
        return hashlib.sha256(self.picture).hexdigest()


def tidy_note(text: str) -> str:
    """A note as it is kept: one line of printable characters, of bounded length."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:MOST_NOTE]


def when(moment: datetime) -> str:
    """11 Jul 2024 10:30:00 ET."""
    from desktop.market.sessions import trading_day

    return f"{day(trading_day(moment))} {clock_et(moment)}"


def mode_words(mode: Mode) -> str:
    """What the picture is of: LIVE, AS OF, or the label of the demo."""
    return _MODES[mode]


# Packing


def as_zip(parcel: Parcel) -> bytes:
    """Return the snapshot as a zip of manifest, picture and figures."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MANIFEST, json.dumps(_manifest(parcel), indent=2))
        archive.writestr(_PICTURE, parcel.picture)
        archive.writestr(_FIGURES, parcel.figures)
    return made.getvalue()


def as_page(parcel: Parcel) -> str:
    """Return the snapshot as one HTML page that asks for nothing and runs nothing."""
    image = base64.b64encode(parcel.picture).decode("ascii")
    words = when(parcel.moment)
    note = f'<p class="note">{escape(parcel.note)}</p>' if parcel.note else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="{FORMAT}" content="{escape(json.dumps(_manifest(parcel)))}">
<title>Rotation Monitor {words}</title><style>{_CSS}</style></head><body>
<h1>Rotation Monitor</h1>
<p class="what"><b>{escape(mode_words(parcel.mode))}</b> {words} ({utc(parcel.moment)})</p>
{note}
<img id="picture" alt="The window at {words}" src="data:image/png;base64,{image}">
<details><summary>The numbers, as JSON</summary><pre id="figures">{escape(parcel.figures)}</pre></details>
</body></html>
"""


_CSS = (
    ":root{color-scheme:light dark}body{font:14px/1.45 Inter,system-ui,sans-serif;max-width:1640px;"
    "margin:20px auto;padding:0 16px}h1{font-size:1.3em;margin:0}.what{margin:4px 0 10px}"
    ".note{white-space:pre-wrap;border-left:3px solid #7a6ff0;padding-left:10px;margin:10px 0}"
    "img{width:100%;height:auto;border:1px solid #8888}pre{overflow:auto;font-size:12px}"
)


def _manifest(parcel: Parcel) -> dict[str, object]:
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "moment": utc(parcel.moment),
        "mode": parcel.mode.value,
        "saved_at": utc(parcel.saved_at),
        "note": parcel.note,
        "picture_sha256": parcel.digest,
    }


# Reading what a colleague sent


def read(path: Path) -> Parcel:
    """Read a zip or a page made by this program.

    Raises
    ------
    SnapshotRefusedError
        By name: too large, no snapshot, damaged, of a later version.
    OSError
        Where the file cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MOST_FILE_BYTES + 1)
    try:
        if len(content) > MOST_FILE_BYTES:
            raise _WrongError(f"it is larger than {MOST_FILE_BYTES // 1_000_000} MB")
        if content.startswith(b"PK"):
            return _parcel(*_unzipped(content))
        if content.lstrip()[:9].lower() == b"<!doctype":
            return _parcel(*_unpaged(content))
        raise _WrongError("it is neither the zip nor the page of a snapshot: choose what the program exported")
    except _WrongError as error:
        raise SnapshotRefusedError(path.name, str(error)) from error


def _unzipped(content: bytes) -> tuple[str, bytes, str]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = [one.filename for one in archive.infolist()]
            if sorted(names) != sorted(_MOST):
                others = ", ".join(repr(one[:60]) for one in names if one not in _MOST)
                raise _WrongError(f"it holds {others}, no part of a snapshot" if others else "a part is missing")
            found = {}
            for name, most in _MOST.items():
                with archive.open(name) as entry:
                    found[name] = entry.read(most + 1)  # whatever size the zip claims
                if len(found[name]) > most:
                    raise _WrongError(f"{name} is larger than {most / 1e6:g} MB")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as error:
        raise _WrongError(f"the zip is damaged or locked ({error})") from error
    return _text(found[_MANIFEST]), found[_PICTURE], _text(found[_FIGURES])


class _Page(HTMLParser):
    """Finds the three parts of a page; everything else in it is passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.manifest = self.picture = ""
        self.figures: list[str] = []
        self._inside = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "meta" and found.get("name") == FORMAT:
            self.manifest = found.get("content", "")
        elif tag == "img" and found.get("id") == "picture":
            self.picture = found.get("src", "")
        self._inside = self._inside or (tag == "pre" and found.get("id") == "figures")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._inside = False

    @override
    def handle_data(self, data: str) -> None:
        if self._inside:
            self.figures.append(data)


def _unpaged(content: bytes) -> tuple[str, bytes, str]:
    page = _Page()
    page.feed(_text(content))
    page.close()
    head = "data:image/png;base64,"
    if not page.manifest or not page.picture.startswith(head):
        raise _WrongError("it is a page, but none of a snapshot")
    try:
        picture = base64.b64decode(page.picture[len(head) :], validate=True)
    except binascii.Error as error:
        raise _WrongError("its picture is damaged") from error
    return page.manifest, picture, "".join(page.figures)


def _parcel(manifest: str, picture: bytes, figures: str) -> Parcel:
    told = _object(manifest, "its manifest")
    if told.get("format") != FORMAT:
        raise _WrongError("it is no snapshot of Rotation Monitor")
    version = told.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise _WrongError("its version cannot be read")
    if version > VERSION:
        raise _WrongError(f"a later version made it: format {version}, this program knows {VERSION}; update")
    if told.get("mode") not in tuple(Mode):
        raise _WrongError("it does not say whether it is of live prices, of the past or of the demo")
    note = told.get("note")
    if not isinstance(note, str):
        raise _WrongError("its note cannot be read")
    mode, moment, saved_at = Mode(told["mode"]), _time(told, "moment"), _time(told, "saved_at")
    _check_png(picture)
    found = _object(figures, "the numbers")
    if (found.get("as_of"), found.get("mode")) != (utc(moment), mode.value):
        raise _WrongError("its numbers are of another moment than its picture")
    parcel = Parcel(moment, mode, saved_at, tidy_note(note), picture, json.dumps(found, indent=2) + "\n")
    if told.get("picture_sha256") != parcel.digest:
        raise _WrongError("its picture was changed after it was saved")
    return parcel


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _WrongError("it is no text in UTF-8") from error


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _WrongError(f"{what} cannot be read") from error
    if not isinstance(found, dict):
        raise _WrongError(f"{what} cannot be read")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _time(told: dict[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(told[name])
        if at.tzinfo is None or not datetime(1980, 1, 1, tzinfo=UTC) < at < datetime(2200, 1, 1, tzinfo=UTC):
            raise ValueError(name)
    except (KeyError, TypeError, ValueError) as error:
        raise _WrongError(f"its time {name!r} cannot be read") from error
    return at.astimezone(UTC)


def _check_png(content: bytes) -> None:
    """Refuse what is no whole PNG of a sensible size: every chunk is there and its checksum right."""
    if not content.startswith(_PNG):
        raise _WrongError("its picture is no PNG")
    at, kinds = len(_PNG), []
    while at + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + size
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise _WrongError("its picture is damaged")
        if kind == b"IHDR" and size == 13:
            wide, high = struct.unpack_from(">II", content, at + 8)
            if not (0 < wide <= _MOST_PIXELS and 0 < high <= _MOST_PIXELS):
                raise _WrongError(f"its picture is {wide} x {high} pixels, more than {_MOST_PIXELS} a side")
        kinds.append(kind)
        at = end
    if at != len(content) or kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"]:
        raise _WrongError("its picture is damaged")
